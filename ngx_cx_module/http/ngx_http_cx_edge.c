
/*
 * Log phase: what the edge alone sees of a request becomes one view event and
 * the edge's signals.  Needs no JavaScript, does no I/O.
 */


#include "ngx_http_cx.h"


typedef struct {
    ngx_http_request_t      *request;
    ngx_http_cx_loc_conf_t  *conf;
    ngx_http_cx_ctx_t       *ctx;
    ngx_str_t                segment;
    ngx_str_t                ref;
    ngx_uint_t               status;
    ngx_msec_int_t           request_ms;
    ngx_uint_t               aborted;
    u_char                   ref_buf[CX_PAGE_MAX];
    u_char                   ts[NGX_INT64_LEN];
} ngx_http_cx_edge_t;


static ngx_uint_t ngx_http_cx_edge_view(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_push_view(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_signals(ngx_http_cx_edge_t *e, ngx_uint_t views);
static void ngx_http_cx_edge_push_signal(ngx_http_cx_edge_t *e,
    ngx_uint_t signal, ngx_str_t *page, ngx_str_t *target, ngx_uint_t value);
static void ngx_http_cx_edge_common(ngx_http_cx_edge_t *e, cx_event_t *ev,
    ngx_uint_t type, ngx_str_t *page);
static ngx_msec_int_t ngx_http_cx_edge_upstream(ngx_http_request_t *r);
static void ngx_http_cx_edge_number(cx_str_t *v, u_char *buf, off_t n);


ngx_int_t
ngx_http_cx_edge_handler(ngx_http_request_t *r)
{
    ngx_str_t                 visit;
    ngx_uint_t                views;
    ngx_http_cx_ctx_t        *ctx;
    ngx_http_cx_edge_t        e;
    ngx_http_cx_loc_conf_t   *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (!cxlcf->on || r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL || ctx->logged) {
        return NGX_OK;
    }

    ctx->logged = 1;

    e.request = r;
    e.conf = cxlcf;
    e.ctx = ctx;

    if (!ngx_http_cx_edge_view(&e)) {
        return NGX_OK;
    }

    if (ngx_http_cx_request_private(r, cxlcf, &ctx->facts)) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS_PRIVACY, 1);
        return NGX_OK;
    }

    if (ctx->facts.bot) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS_BOT, 1);
        return NGX_OK;
    }

    if (ctx->facts.prefetch) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS_PREFETCH, 1);
        return NGX_OK;
    }

    if (ngx_http_cx_request_page(r, cxlcf, ctx) != NGX_OK) {
        return NGX_OK;
    }

    ngx_http_cx_request_segment(r, cxlcf, &e.segment);

    visit.data = ngx_pnalloc(r->pool, NGX_HTTP_CX_VISIT_LEN);

    if (visit.data
        && ngx_http_cx_visit_key(r, cxlcf, visit.data) == NGX_OK)
    {
        visit.len = NGX_HTTP_CX_VISIT_LEN;
        ctx->visit = visit;
    }

    if (!ngx_http_cx_visit_sampled(&ctx->visit, cxlcf->sample)) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS_SAMPLED, 1);
        return NGX_OK;
    }

    e.ref.data = e.ref_buf;
    e.ref.len = ngx_http_cx_request_referer(r, e.ref_buf);

    views = ctx->visit.len
            ? ngx_http_cx_visit_view(&ctx->visit, &ctx->page, &e.segment)
            : 0;

    ngx_http_cx_edge_push_view(&e);
    ngx_http_cx_edge_signals(&e, views);

    ngx_http_cx_writer_wake(0);

    return NGX_OK;
}


/* 1 if the request was one for a page; fills in status, times, aborted */

static ngx_uint_t
ngx_http_cx_edge_view(ngx_http_cx_edge_t *e)
{
    ngx_http_request_t  *r;

    r = e->request;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_POST))
        || !ngx_http_cx_request_document(r, &e->ctx->facts))
    {
        return 0;
    }

    e->status = r->err_status ? r->err_status : r->headers_out.status;
    e->request_ms = ngx_http_cx_elapsed(r);

    e->aborted = (e->status == NGX_HTTP_CLIENT_CLOSED_REQUEST
                  || (r->header_sent && !r->request_complete
                      && r->connection->error));

    switch (e->ctx->outcome) {

    case NGX_HTTP_CX_OFF:

        /* no answer: a page if one was asked for by name */

        return e->aborted && (e->ctx->facts.dest || e->ctx->facts.accept_html);

    case NGX_HTTP_CX_TYPE:

        /* a page that the browser has already */

        return e->status == NGX_HTTP_NOT_MODIFIED
               && (e->ctx->facts.dest || e->ctx->facts.accept_html);

    case NGX_HTTP_CX_STATUS:
        return e->status == NGX_HTTP_NOT_MODIFIED;

    case NGX_HTTP_CX_RANGE:
    case NGX_HTTP_CX_ATTACHMENT:
    case NGX_HTTP_CX_FRAGMENT:
    case NGX_HTTP_CX_DEST:
        return 0;

    default:
        return 1;
    }
}


static void
ngx_http_cx_edge_push_view(ngx_http_cx_edge_t *e)
{
    cx_event_t           ev;
    ngx_msec_int_t       ms;
    ngx_http_request_t  *r;
    u_char               status[NGX_INT64_LEN], request_ms[NGX_INT64_LEN],
                         first_ms[NGX_INT64_LEN], upstream_ms[NGX_INT64_LEN],
                         bytes[NGX_INT64_LEN];
#if (NGX_HTTP_CACHE)
    ngx_uint_t           n;
#endif

    r = e->request;

    ngx_http_cx_edge_common(e, &ev, CX_VIEW, &e->ctx->page);

    ev.v[CX_VIEW_METHOD].data = r->method_name.data;
    ev.v[CX_VIEW_METHOD].len = ngx_min(r->method_name.len, 16);

    ngx_http_cx_edge_number(&ev.v[CX_VIEW_STATUS], status, e->status);
    ngx_http_cx_edge_number(&ev.v[CX_VIEW_REQUEST_MS], request_ms,
                            e->request_ms);

    if (e->ctx->first_ms != -1) {
        ngx_http_cx_edge_number(&ev.v[CX_VIEW_FIRST_MS], first_ms,
                                e->ctx->first_ms);
    }

    ms = ngx_http_cx_edge_upstream(r);

    if (ms != -1) {
        ngx_http_cx_edge_number(&ev.v[CX_VIEW_UPSTREAM_MS], upstream_ms, ms);
    }

#if (NGX_HTTP_CACHE)
    if (r->upstream && r->upstream->cache_status) {
        n = r->upstream->cache_status - 1;
        ev.v[CX_VIEW_CACHE].data = ngx_http_cache_status[n].data;
        ev.v[CX_VIEW_CACHE].len = ngx_http_cache_status[n].len;
    }
#endif

    ngx_http_cx_edge_number(&ev.v[CX_VIEW_BYTES], bytes, r->connection->sent);

    ev.v[CX_VIEW_REF].data = e->ref.data;
    ev.v[CX_VIEW_REF].len = e->ref.len;

    if (ngx_http_cx_queue_push(e->conf->site, &ev, NULL) == NGX_OK) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS, 1);
    }
}


/* the rules and thresholds are those of include/cx_signal.h */

static void
ngx_http_cx_edge_signals(ngx_http_cx_edge_t *e, ngx_uint_t views)
{
    ngx_str_t  *page;

    page = &e->ctx->page;

    if (e->status >= NGX_HTTP_BAD_REQUEST
        && e->status != NGX_HTTP_UNAUTHORIZED
        && e->status != NGX_HTTP_TOO_MANY_REQUESTS
        && e->status != NGX_HTTP_CLIENT_CLOSED_REQUEST)
    {
        ngx_http_cx_edge_push_signal(e, CX_SIG_ERROR_PAGE,
                                     e->ref.len ? &e->ref : page, page,
                                     e->status);
    }

    if (e->ctx->first_ms > CX_SLOW_PAGE_MS) {
        ngx_http_cx_edge_push_signal(e, CX_SIG_SLOW_PAGE, page, NULL,
                                     e->ctx->first_ms);
    }

    if (e->aborted) {
        ngx_http_cx_edge_push_signal(e, CX_SIG_ABORTED_WAIT, page, NULL,
                                     e->request_ms);
    }

    if (views >= CX_RELOAD_VIEWS && e->request->method == NGX_HTTP_GET) {
        ngx_http_cx_edge_push_signal(e, CX_SIG_RELOAD, page, NULL, views);
    }
}


static void
ngx_http_cx_edge_push_signal(ngx_http_cx_edge_t *e, ngx_uint_t signal,
    ngx_str_t *page, ngx_str_t *target, ngx_uint_t value)
{
    u_char      number[NGX_INT64_LEN];
    cx_event_t  ev;

    e->ctx->signals |= 1 << signal;

    ngx_http_cx_edge_common(e, &ev, CX_SIGNAL, page);

    ev.v[CX_SIGNAL_SOURCE].data = (u_char *) "edge";
    ev.v[CX_SIGNAL_SOURCE].len = 4;
    ev.v[CX_SIGNAL_NAME].data = (u_char *) cx_signals[signal].name;
    ev.v[CX_SIGNAL_NAME].len = ngx_strlen(cx_signals[signal].name);
    ev.v[CX_SIGNAL_COUNT].data = (u_char *) "1";
    ev.v[CX_SIGNAL_COUNT].len = 1;

    if (target) {
        ev.v[CX_SIGNAL_TARGET].data = target->data;
        ev.v[CX_SIGNAL_TARGET].len = target->len;
    }

    ngx_http_cx_edge_number(&ev.v[CX_SIGNAL_VALUE], number, value);

    if (ngx_http_cx_queue_push(e->conf->site, &ev, NULL) == NGX_OK) {
        ngx_http_cx_count_signal(signal);
    }
}


static void
ngx_http_cx_edge_common(ngx_http_cx_edge_t *e, cx_event_t *ev, ngx_uint_t type,
    ngx_str_t *page)
{
    ngx_time_t  *tp;

    ngx_memzero(ev, sizeof(cx_event_t));

    ev->type = type;
    tp = ngx_timeofday();

    ngx_http_cx_edge_number(&ev->v[CX_COMMON_TS], e->ts,
                            (off_t) tp->sec * 1000 + tp->msec);

    ev->v[CX_COMMON_PAGE].data = page->data;
    ev->v[CX_COMMON_PAGE].len = page->len;
    ev->v[CX_COMMON_VISIT].data = e->ctx->visit.data;
    ev->v[CX_COMMON_VISIT].len = e->ctx->visit.len;
    ev->v[CX_COMMON_SEGMENT].data = e->segment.data;
    ev->v[CX_COMMON_SEGMENT].len = e->segment.len;

    /* a signal blamed on another page happened at that page's place */

    if (page == &e->ctx->page) {
        ev->v[CX_COMMON_TOUCHPOINT].data = e->conf->touchpoint.data;
        ev->v[CX_COMMON_TOUCHPOINT].len = e->conf->touchpoint.len;
        ev->v[CX_COMMON_STAGE].data = e->conf->stage.data;
        ev->v[CX_COMMON_STAGE].len = e->conf->stage.len;
    }
}


/* ms of all upstreams together, -1: there was none */

static ngx_msec_int_t
ngx_http_cx_edge_upstream(ngx_http_request_t *r)
{
    ngx_uint_t                 i;
    ngx_msec_int_t             ms;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return -1;
    }

    ms = 0;
    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
            ms += state[i].response_time;
        }
    }

    return ngx_max(ms, 0);
}


static void
ngx_http_cx_edge_number(cx_str_t *v, u_char *buf, off_t n)
{
    u_char  *p;

    p = buf + NGX_INT64_LEN;

    do {
        *--p = (u_char) (n % 10 + '0');
        n /= 10;
    } while (n);

    v->data = p;
    v->len = buf + NGX_INT64_LEN - p;
}
