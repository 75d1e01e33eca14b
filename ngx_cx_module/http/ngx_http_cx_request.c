
/*
 * What a request is, by its headers: document or not, bot, prefetch, private;
 * its page key, and that of the page that linked to it.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_PATH_MAX  2048


typedef struct {
    ngx_str_t    name;                     /* lower case */
    ngx_uint_t   hash;
    void       (*set)(ngx_http_cx_facts_t *facts, ngx_str_t *value);
} ngx_http_cx_fact_t;


static void ngx_http_cx_request_set_dest(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_gpc(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_dnt(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_purpose(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_accept(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_origin(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_set_site(ngx_http_cx_facts_t *facts,
    ngx_str_t *value);
static void ngx_http_cx_request_facts(ngx_http_request_t *r,
    ngx_http_cx_facts_t *facts);
static ngx_uint_t ngx_http_cx_request_bot(ngx_str_t *agent);
static ngx_uint_t ngx_http_cx_request_contains(ngx_str_t *value, char *word,
    size_t len);
static ngx_uint_t ngx_http_cx_request_asset(ngx_http_request_t *r);


static ngx_http_cx_fact_t  ngx_http_cx_facts[] = {
    { ngx_string("sec-fetch-dest"), 0, ngx_http_cx_request_set_dest },
    { ngx_string("sec-gpc"), 0, ngx_http_cx_request_set_gpc },
    { ngx_string("dnt"), 0, ngx_http_cx_request_set_dnt },
    { ngx_string("sec-purpose"), 0, ngx_http_cx_request_set_purpose },
    { ngx_string("purpose"), 0, ngx_http_cx_request_set_purpose },
    { ngx_string("x-purpose"), 0, ngx_http_cx_request_set_purpose },
    { ngx_string("x-moz"), 0, ngx_http_cx_request_set_purpose },
    { ngx_string("accept"), 0, ngx_http_cx_request_set_accept },
    { ngx_string("origin"), 0, ngx_http_cx_request_set_origin },
    { ngx_string("sec-fetch-site"), 0, ngx_http_cx_request_set_site },
    { ngx_null_string, 0, NULL }
};


/*
 * What crawlers, monitors and HTTP libraries call themselves, in lower case.
 * Whoever does not say so is taken for a person.
 */

static ngx_str_t  ngx_http_cx_bots[] = {
    ngx_string("bot"),
    ngx_string("crawl"),
    ngx_string("curl/"),
    ngx_string("facebookexternalhit"),
    ngx_string("go-http-client"),
    ngx_string("headless"),
    ngx_string("http://"),
    ngx_string("https://"),
    ngx_string("java/"),
    ngx_string("lighthouse"),
    ngx_string("monitor"),
    ngx_string("okhttp"),
    ngx_string("phantomjs"),
    ngx_string("pingdom"),
    ngx_string("preview"),
    ngx_string("python"),
    ngx_string("scrapy"),
    ngx_string("slurp"),
    ngx_string("spider"),
    ngx_string("wget/"),
    ngx_null_string
};


ngx_http_cx_ctx_t *
ngx_http_cx_request_ctx(ngx_http_request_t *r)
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

    ngx_http_cx_request_facts(r, &ctx->facts);

    ngx_http_set_ctx(r, ctx, ngx_http_cx_module);

    return ctx;
}


static void
ngx_http_cx_request_facts(ngx_http_request_t *r, ngx_http_cx_facts_t *facts)
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

    facts->bot = r->headers_in.user_agent == NULL
                 || ngx_http_cx_request_bot(&r->headers_in.user_agent->value);
}


static void
ngx_http_cx_request_set_dest(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    if ((value->len == 8 && ngx_strncmp(value->data, "document", 8) == 0)
        || (value->len == 6 && ngx_strncmp(value->data, "iframe", 6) == 0)
        || (value->len == 5 && ngx_strncmp(value->data, "frame", 5) == 0))
    {
        facts->dest = NGX_HTTP_CX_DEST_DOCUMENT;

    } else {
        facts->dest = NGX_HTTP_CX_DEST_OTHER;
    }
}


static void
ngx_http_cx_request_set_gpc(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->gpc = (value->len == 1 && value->data[0] == '1');
}


static void
ngx_http_cx_request_set_dnt(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->dnt = (value->len == 1 && value->data[0] == '1');
}


static void
ngx_http_cx_request_set_purpose(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    if (ngx_http_cx_request_contains(value, "prefetch", 8)
        || ngx_http_cx_request_contains(value, "prerender", 9)
        || ngx_http_cx_request_contains(value, "preview", 7))
    {
        facts->prefetch = 1;
    }
}


static void
ngx_http_cx_request_set_accept(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->accept = 1;
    facts->accept_html = ngx_http_cx_request_contains(value, "text/html", 9);
    facts->accept_any = (value->len >= 3
                         && ngx_strncmp(value->data, "*/*", 3) == 0);
}


static void
ngx_http_cx_request_set_origin(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->origin = *value;
}


static void
ngx_http_cx_request_set_site(ngx_http_cx_facts_t *facts, ngx_str_t *value)
{
    facts->fetch_site = *value;
}


static ngx_uint_t
ngx_http_cx_request_contains(ngx_str_t *value, char *word, size_t len)
{
    return ngx_strlcasestrn(value->data, value->data + value->len,
                            (u_char *) word, len - 1)
           != NULL;
}


static ngx_uint_t
ngx_http_cx_request_bot(ngx_str_t *agent)
{
    u_char            c, *p, *last, *q, *w;
    ngx_str_t        *word;
    static ngx_str_t *first[256];          /* first word of each letter */

    if (first['b'] == NULL) {
        for (word = ngx_http_cx_bots; word->len; word++) {
            if (first[word->data[0]] == NULL) {
                first[word->data[0]] = word;
            }
        }
    }

    last = agent->data + agent->len;

    for (p = agent->data; p < last; p++) {
        c = ngx_tolower(*p);

        for (word = first[c];
             word && word->len && word->data[0] == c;
             word++)
        {
            if ((size_t) (last - p) < word->len) {
                continue;
            }

            for (q = p, w = word->data; *w; q++, w++) {
                if (ngx_tolower(*q) != *w) {
                    break;
                }
            }

            if (*w == '\0') {
                return 1;
            }
        }
    }

    return agent->len == 0;
}


ngx_msec_int_t
ngx_http_cx_elapsed(ngx_http_request_t *r)
{
    ngx_time_t      *tp;
    ngx_msec_int_t   ms;

    tp = ngx_timeofday();

    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + (tp->msec - r->start_msec));

    return ngx_max(ms, 0);
}


ngx_uint_t
ngx_http_cx_request_private(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts)
{
    ngx_str_t  value;

    if ((cxlcf->privacy & NGX_HTTP_CX_PRIVACY_GPC) && facts->gpc) {
        return 1;
    }

    if ((cxlcf->privacy & NGX_HTTP_CX_PRIVACY_DNT) && facts->dnt) {
        return 1;
    }

    if (cxlcf->consent) {

        if (ngx_http_complex_value(r, cxlcf->consent, &value) != NGX_OK) {
            return 1;
        }

        return value.len == 0 || (value.len == 1 && value.data[0] == '0');
    }

    return 0;
}


ngx_uint_t
ngx_http_cx_request_document(ngx_http_request_t *r, ngx_http_cx_facts_t *facts)
{
    if (facts->dest != NGX_HTTP_CX_DEST_NONE) {
        return facts->dest == NGX_HTTP_CX_DEST_DOCUMENT;
    }

    if (facts->accept_html) {
        return 1;
    }

    /* old browsers ask for scripts with the same Accept as curl for pages */

    return (!facts->accept || facts->accept_any)
           && !ngx_http_cx_request_asset(r);
}


/* the extension says that it is something else than a page */

static ngx_uint_t
ngx_http_cx_request_asset(ngx_http_request_t *r)
{
    u_char                     c, *exten;
    ngx_str_t                 *type;
    ngx_uint_t                 i, hash;
    ngx_http_core_loc_conf_t  *clcf;
    u_char                     low[16];

    if (r->exten.len == 0 || r->exten.len > sizeof(low)) {
        return 0;
    }

    hash = 0;

    for (i = 0; i < r->exten.len; i++) {
        c = ngx_tolower(r->exten.data[i]);
        low[i] = c;
        hash = ngx_hash(hash, c);
    }

    exten = low;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    type = ngx_hash_find(&clcf->types_hash, hash, exten, r->exten.len);

    return type != NULL
           && (type->len < 9 || ngx_strncmp(type->data, "text/html", 9) != 0);
}


/*
 * The body must be readable for the filter.  The header in the list is what
 * upstream modules pass on; headers_in.accept_encoding, which nginx's own gzip
 * asks, keeps what the client sent.
 */

ngx_int_t
ngx_http_cx_request_identity(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)

    ngx_table_elt_t         *h, *copy;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);
    h = r->headers_in.accept_encoding;

    if (!cxlcf->on || r != r->main || h == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    if (!ngx_http_cx_request_document(r, &ctx->facts)
        || ngx_http_cx_request_private(r, cxlcf, &ctx->facts))
    {
        return NGX_DECLINED;
    }

    copy = ngx_palloc(r->pool, sizeof(ngx_table_elt_t));
    if (copy == NULL) {
        return NGX_DECLINED;
    }

    *copy = *h;
    r->headers_in.accept_encoding = copy;

    ngx_str_set(&h->value, "identity");

#endif

    return NGX_DECLINED;
}


size_t
ngx_http_cx_request_fold(u_char *dst, u_char *path, size_t len)
{
    u_char  *s, *d, *last, buf[NGX_HTTP_CX_PATH_MAX];

    last = ngx_strlchr(path, path + len, '?');
    if (last) {
        len = last - path;
    }

    len = ngx_min(len, NGX_HTTP_CX_PATH_MAX);

    if (ngx_strlchr(path, path + len, '%') == NULL) {
        return cx_page_fold(dst, path, len);
    }

    s = path;
    d = buf;
    ngx_unescape_uri(&d, &s, len, 0);

    return cx_page_fold(dst, buf, d - buf);
}


ngx_int_t
ngx_http_cx_request_page(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ctx_t *ctx)
{
    size_t            len;
    ngx_str_t         value;
    u_char           *p;
    const cx_field_t  *f;

    if (ctx->page.len) {
        return NGX_OK;
    }

    f = &cx_types[CX_VIEW].fields[CX_VIEW_PAGE];

    if (cxlcf->page) {

        if (ngx_http_complex_value(r, cxlcf->page, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        /* an empty or unfit value falls back to the path */

        if (value.len && cx_field_ok(f, (cx_str_t *) &value)
            && ngx_strlchr(value.data, value.data + value.len, '?') == NULL)
        {
            ctx->page = value;
            return NGX_OK;
        }
    }

    p = ngx_pnalloc(r->pool, CX_PAGE_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* not r->uri, which rewrites and try_files may have changed */

    len = ngx_http_cx_request_fold(p, r->unparsed_uri.data,
                                   r->unparsed_uri.len);

    ctx->page.data = p;
    ctx->page.len = len;

    return NGX_OK;
}


size_t
ngx_http_cx_request_referer(ngx_http_request_t *r, u_char *dst)
{
    size_t            len;
    u_char           *p, *last, *host;
    ngx_table_elt_t  *h;

    h = r->headers_in.referer;

    if (h == NULL || r->headers_in.host == NULL) {
        return 0;
    }

    p = h->value.data;
    last = p + h->value.len;

    if (h->value.len > 8 && ngx_strncasecmp(p, (u_char *) "https://", 8) == 0)
    {
        p += 8;

    } else if (h->value.len > 7
               && ngx_strncasecmp(p, (u_char *) "http://", 7) == 0)
    {
        p += 7;

    } else {
        return 0;
    }

    host = p;

    while (p < last && *p != '/' && *p != '?' && *p != '#') {
        p++;
    }

    len = p - host;

    if (len != r->headers_in.host->value.len
        || ngx_strncasecmp(host, r->headers_in.host->value.data, len) != 0)
    {
        return 0;
    }

    if (p == last || *p != '/') {
        *dst = '/';
        return 1;
    }

    return ngx_http_cx_request_fold(dst, p, last - p);
}


void
ngx_http_cx_request_segment(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_str_t *segment)
{
    const cx_field_t  *f;

    ngx_str_null(segment);

    if (cxlcf->segment == NULL) {
        return;
    }

    f = &cx_types[CX_VIEW].fields[CX_VIEW_SEGMENT];

    if (ngx_http_complex_value(r, cxlcf->segment, segment) != NGX_OK
        || !cx_field_ok(f, (cx_str_t *) segment))
    {
        segment->len = 0;
    }
}
