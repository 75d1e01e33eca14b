/*
 * A finished request as the rules of core/cx_edge.c see it.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_STEP_QUERY     256         /* bytes of a search */

/* private to ngx_http_limit_conn_module.c and ngx_http_limit_req_module.c */
#define NGX_HTTP_CX_CONN_REJECTED  2
#define NGX_HTTP_CX_REQ_REJECTED   3


static void ngx_http_cx_step_addresses(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, cx_step_t *s);
static uint32_t ngx_http_cx_step_query(ngx_http_request_t *r,
    ngx_str_t *search);
static uint32_t ngx_http_cx_step_body(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_step_limited(ngx_http_request_t *r,
    ngx_uint_t status);
static uint32_t ngx_http_cx_step_upstream(ngx_http_request_t *r);


void
ngx_http_cx_step(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ctx_t *ctx, ngx_str_t *ref, cx_step_t *s)
{
    ngx_http_cx_facts_t  *facts;

    facts = &ctx->facts;

    s->start = (uint64_t) r->start_sec * 1000 + r->start_msec;
    s->end = s->start + ngx_http_cx_elapsed(r);

    s->page = ngx_http_cx_place_id(cxlcf->site, &ctx->page);
    s->ref = ref->len ? ngx_http_cx_place_id(cxlcf->site, ref) : 0;

    ngx_http_cx_step_addresses(r, cxlcf, s);

    s->first_ms = (ctx->first_ms == -1) ? CX_NO_MS : (uint32_t) ctx->first_ms;
    s->upstream_ms = ngx_http_cx_step_upstream(r);
    s->body = ngx_http_cx_step_body(r);

#if (NGX_HTTP_CACHE)
    s->cache = r->upstream ? (uint8_t) r->upstream->cache_status : 0;
#else
    s->cache = 0;
#endif

    s->role = (uint8_t) cxlcf->role;
    s->limited = ngx_http_cx_step_limited(r, s->status);
    s->told = (facts->dest != NGX_HTTP_CX_DEST_NONE || facts->fetch_site.len
               || facts->user);
    s->user = facts->user;
    s->pending = (facts->prefetch || facts->prerender);
}


static void
ngx_http_cx_step_addresses(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, cx_step_t *s)
{
    size_t      len;
    u_char     *query;
    ngx_str_t  *uri;

    /* as it was asked for: rewrites change r->uri and r->args */

    uri = &r->unparsed_uri;
    query = ngx_strlchr(uri->data, uri->data + uri->len, '?');
    len = query ? (size_t) (query - uri->data) : uri->len;

    s->path = cx_edge_id(0, uri->data, len);
    s->uri = query ? cx_edge_id(s->path, query, uri->len - len) : s->path;

    s->query = ((cxlcf->role & CX_ROLE_SEARCH) && query)
               ? ngx_http_cx_step_query(r, &cxlcf->search) : 0;
}


/* the same words however they are typed are one query */

static uint32_t
ngx_http_cx_step_query(ngx_http_request_t *r, ngx_str_t *search)
{
    u_char     *p, *d, *s, buf[NGX_HTTP_CX_STEP_QUERY];
    ngx_int_t   rc;
    ngx_str_t   args, value;

    args = r->args;

    r->args.data = ngx_strlchr(r->unparsed_uri.data, r->unparsed_uri.data
                                                     + r->unparsed_uri.len,
                               '?') + 1;
    r->args.len = r->unparsed_uri.data + r->unparsed_uri.len - r->args.data;

    rc = ngx_http_arg(r, search->data, search->len, &value);

    r->args = args;

    if (rc != NGX_OK) {
        return 0;
    }

    s = value.data;
    d = buf;

    ngx_unescape_uri(&d, &s, ngx_min(value.len, sizeof(buf)), 0);

    for (s = buf, p = buf; s < d; s++) {

        /* "+" in a query is a space; several are one, none at the ends */

        if (*s > ' ' && *s != '+') {
            *p++ = ngx_tolower(*s);

        } else if (p > buf && p[-1] != ' ') {
            *p++ = ' ';
        }
    }

    if (p > buf && p[-1] == ' ') {
        p--;
    }

    return cx_edge_id(0, buf, p - buf);
}


/* as announced, else as received */

static uint32_t
ngx_http_cx_step_body(ngx_http_request_t *r)
{
    off_t  len;

    len = r->headers_in.content_length_n;

    if (len < 0) {
        len = r->request_body ? r->request_body->received : 0;
    }

    return (uint32_t) ngx_min(ngx_max(len, 0), 0xffffffff);
}


static ngx_uint_t
ngx_http_cx_step_limited(ngx_http_request_t *r, ngx_uint_t status)
{
    return status == NGX_HTTP_TOO_MANY_REQUESTS
           || r->main->limit_conn_status == NGX_HTTP_CX_CONN_REJECTED
           || r->main->limit_req_status == NGX_HTTP_CX_REQ_REJECTED;
}


/* ms of all upstreams together */

static uint32_t
ngx_http_cx_step_upstream(ngx_http_request_t *r)
{
    ngx_uint_t                 i;
    ngx_msec_int_t             ms;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return CX_NO_MS;
    }

    ms = 0;
    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
            ms += state[i].response_time;
        }
    }

    return (uint32_t) ngx_max(ms, 0);
}
