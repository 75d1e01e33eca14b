
/*
 * What a request's headers say, read once, and only of requests that may be
 * for a page: most are not.
 */


#include "ngx_http_cx.h"


typedef struct {
    ngx_str_t    name;                     /* lower case */
    ngx_uint_t   hash;
    void       (*set)(ngx_http_cx_facts_t *facts, ngx_str_t *value);
} ngx_http_cx_fact_t;


static void ngx_http_cx_facts_set_dest(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_user(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_gpc(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_dnt(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_purpose(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_accept(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_origin(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_site(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_set_cookie(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_facts_read(ngx_http_request_t *r,
    ngx_http_cx_facts_t *facts);
static ngx_uint_t ngx_http_cx_facts_contains(ngx_str_t *value, char *word,
    size_t len);


static ngx_http_cx_fact_t  ngx_http_cx_facts[] = {
    { ngx_string("sec-fetch-dest"), 0, ngx_http_cx_facts_set_dest },
    { ngx_string("sec-gpc"), 0, ngx_http_cx_facts_set_gpc },
    { ngx_string("dnt"), 0, ngx_http_cx_facts_set_dnt },
    { ngx_string("sec-purpose"), 0, ngx_http_cx_facts_set_purpose },
    { ngx_string("purpose"), 0, ngx_http_cx_facts_set_purpose },
    { ngx_string("x-purpose"), 0, ngx_http_cx_facts_set_purpose },
    { ngx_string("x-moz"), 0, ngx_http_cx_facts_set_purpose },
    { ngx_string("accept"), 0, ngx_http_cx_facts_set_accept },
    { ngx_string("origin"), 0, ngx_http_cx_facts_set_origin },
    { ngx_string("sec-fetch-site"), 0, ngx_http_cx_facts_set_site },
    { ngx_string("sec-fetch-user"), 0, ngx_http_cx_facts_set_user },
    { ngx_string("cookie"), 0, ngx_http_cx_facts_set_cookie },
    { ngx_null_string, 0, NULL }
};


ngx_http_cx_ctx_t *
ngx_http_cx_request_bare(ngx_http_request_t *r)
{
    ngx_http_cx_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cx_module);

    if (ctx) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_cx_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     ctx->page = ctx->visit = { 0, NULL };
     *     ctx->outcome = NGX_HTTP_CX_OFF;
     *     ctx->html = start of the document
     */

    ctx->first_ms = -1;

    ngx_http_set_ctx(r, ctx, ngx_http_cx_module);

    return ctx;
}


ngx_http_cx_ctx_t *
ngx_http_cx_request_headers(ngx_http_request_t *r)
{
    ngx_http_cx_ctx_t  *ctx;

    ctx = ngx_http_cx_request_bare(r);

    if (ctx && !ctx->headers) {
        ngx_http_cx_facts_read(r, &ctx->facts);
        ctx->headers = 1;
    }

    return ctx;
}


ngx_http_cx_ctx_t *
ngx_http_cx_request_ctx(ngx_http_request_t *r)
{
    cx_agent_e          agent;
    ngx_table_elt_t    *h;
    ngx_http_cx_ctx_t  *ctx;

    ctx = ngx_http_cx_request_headers(r);

    if (ctx && !ctx->agent) {
        h = r->headers_in.user_agent;
        agent = h ? cx_agent(h->value.data, h->value.len)
                  : cx_agent((u_char *) "", 0);

        ctx->facts.bot = (agent == CX_AGENT_BOT);
        ctx->facts.health = (agent == CX_AGENT_HEALTH);
        ctx->agent = 1;
    }

    return ctx;
}


static void
ngx_http_cx_facts_read(ngx_http_request_t *r, ngx_http_cx_facts_t *facts)
{
    ngx_uint_t           i;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_cx_fact_t  *f;

    if (ngx_http_cx_facts[0].hash == 0) {
        for (f = ngx_http_cx_facts; f->set; f++) {
            f->hash = ngx_hash_key(f->name.data, f->name.len);
        }
    }

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        for (f = ngx_http_cx_facts; f->set; f++) {
            if (h[i].hash == f->hash
                && h[i].key.len == f->name.len
                && ngx_strncmp(h[i].lowcase_key, f->name.data, f->name.len)
                   == 0)
            {
                f->set(facts, &h[i].value);
                break;
            }
        }
    }
}


static void
ngx_http_cx_facts_set_dest(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    if ((value->len == 8 && ngx_strncmp(value->data, "document", 8) == 0)
        || (value->len == 6 && ngx_strncmp(value->data, "iframe", 6) == 0)
        || (value->len == 5 && ngx_strncmp(value->data, "frame", 5) == 0))
    {
        facts->dest = NGX_HTTP_CX_DEST_DOCUMENT;

    } else if ((value->len == 5 && ngx_strncmp(value->data, "image", 5) == 0)
               || (value->len == 6
                   && ngx_strncmp(value->data, "script", 6) == 0)
               || (value->len == 5 && ngx_strncmp(value->data, "style", 5) == 0)
               || (value->len == 4 && ngx_strncmp(value->data, "font", 4) == 0))
    {
        facts->dest = NGX_HTTP_CX_DEST_ASSET;

    } else {
        facts->dest = NGX_HTTP_CX_DEST_OTHER;
    }
}


static void
ngx_http_cx_facts_set_user(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->user = (value->len == 2 && ngx_strncmp(value->data, "?1", 2) == 0);
}


static void
ngx_http_cx_facts_set_gpc(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->gpc = (value->len == 1 && value->data[0] == '1');
}


static void
ngx_http_cx_facts_set_dnt(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->dnt = (value->len == 1 && value->data[0] == '1');
}


static void
ngx_http_cx_facts_set_purpose(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    /* "prefetch;prerender" is a prerender */

    if (ngx_http_cx_facts_contains(value, "prerender", 9)) {
        facts->prerender = 1;

    } else if (ngx_http_cx_facts_contains(value, "prefetch", 8)
               || ngx_http_cx_facts_contains(value, "preview", 7))
    {
        facts->prefetch = 1;
    }
}


static void
ngx_http_cx_facts_set_accept(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->accept = 1;
    facts->accept_html = ngx_http_cx_facts_contains(value, "text/html", 9);
    facts->accept_any = (value->len >= 3
                         && ngx_strncmp(value->data, "*/*", 3) == 0);
}


static void
ngx_http_cx_facts_set_origin(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->origin = *value;
}


static void
ngx_http_cx_facts_set_site(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->fetch_site = *value;
}


static void
ngx_http_cx_facts_set_cookie(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    u_char  *p, *last;

    static const char  name[] = NGX_HTTP_CX_OPT_OUT_COOKIE "=1";

    p = value->data;
    last = p + value->len;

    while (p) {

        while (p < last && (*p == ' ' || *p == ';')) {
            p++;
        }

        if ((size_t) (last - p) < sizeof(name) - 1) {
            return;
        }

        if (ngx_memcmp(p, name, sizeof(name) - 1) == 0) {
            p += sizeof(name) - 1;

            if (p == last || *p == ';' || *p == ' ') {
                facts->opt_out = 1;
                return;
            }
        }

        p = ngx_strlchr(p, last, ';');
    }
}


static ngx_uint_t
ngx_http_cx_facts_contains(ngx_str_t *value, char *word, size_t len)
{
    return ngx_strlcasestrn(value->data, value->data + value->len,
                            (u_char *) word, len - 1)
           != NULL;
}
