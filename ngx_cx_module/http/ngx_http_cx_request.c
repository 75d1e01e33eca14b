
/*
 * What a request is: document or not, to be recorded or not; its page key, and
 * that of the page that linked to it.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_PATH_MAX  2048


static ngx_uint_t ngx_http_cx_request_asks(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);
static ngx_uint_t ngx_http_cx_request_own(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf);
static ngx_str_t *ngx_http_cx_request_type(ngx_http_request_t *r);


ngx_uint_t
ngx_http_cx_request_method(ngx_http_request_t *r, ngx_str_t *name)
{
    size_t      len;
    ngx_uint_t  i;

    /* of no other one is anything recorded */

    static const struct {
        ngx_str_t   name;
        ngx_uint_t  method;
    } sent[] = {
        { ngx_string("GET "), NGX_HTTP_GET },
        { ngx_string("POST "), NGX_HTTP_POST },
        { ngx_string("PUT "), NGX_HTTP_PUT },
        { ngx_string("PATCH "), NGX_HTTP_PATCH }
    };

    *name = r->method_name;

    if (!r->internal || r->method != NGX_HTTP_GET) {
        return r->method;
    }

    for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        len = sent[i].name.len;

        if (r->request_line.len > len
            && ngx_strncmp(r->request_line.data, sent[i].name.data, len) == 0)
        {
            name->data = sent[i].name.data;
            name->len = len - 1;

            return sent[i].method;
        }
    }

    return NGX_HTTP_UNKNOWN;
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
    return facts->opt_out || ngx_http_cx_request_asks(r, cxlcf, facts);
}


/* 1 if a header, or the lack of consent, asks for privacy */

static ngx_uint_t
ngx_http_cx_request_asks(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_facts_t *facts)
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


/* cx_ignore: empty, "0" and "off" are nobody */

static ngx_uint_t
ngx_http_cx_request_own(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_str_t  value;

    if (cxlcf->ignore == NULL) {
        return 0;
    }

    if (ngx_http_complex_value(r, cxlcf->ignore, &value) != NGX_OK) {
        return 1;
    }

    return value.len
           && !(value.len == 1 && value.data[0] == '0')
           && !(value.len == 3 && ngx_strncmp(value.data, "off", 3) == 0);
}


ngx_int_t
ngx_http_cx_request_unwanted(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts)
{
    if (ngx_http_cx_request_asks(r, cxlcf, facts)) {
        return NGX_HTTP_CX_C_VIEWS_PRIVACY;
    }

    if (facts->opt_out) {
        return NGX_HTTP_CX_C_VIEWS_OPT_OUT;
    }

    if (facts->bot) {
        return NGX_HTTP_CX_C_VIEWS_BOT;
    }

    if (facts->health) {
        return NGX_HTTP_CX_C_VIEWS_HEALTH;
    }

    if (ngx_http_cx_request_own(r, cxlcf)) {
        return NGX_HTTP_CX_C_VIEWS_IGNORED;
    }

    return -1;
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
           && !ngx_http_cx_request_file(r);
}


ngx_uint_t
ngx_http_cx_request_asset(ngx_http_request_t *r, ngx_http_cx_facts_t *facts)
{
    u_char     *last;
    ngx_str_t  *type;

    if (facts->dest != NGX_HTTP_CX_DEST_NONE) {
        return facts->dest == NGX_HTTP_CX_DEST_ASSET;
    }

    type = ngx_http_cx_request_type(r);
    if (type == NULL) {
        return 0;
    }

    if ((type->len > 6 && ngx_strncmp(type->data, "image/", 6) == 0)
        || (type->len == 8 && ngx_strncmp(type->data, "text/css", 8) == 0))
    {
        return 1;
    }

    /* application/javascript, text/javascript, font/woff2, and older names */

    last = type->data + type->len;

    return ngx_strlcasestrn(type->data, last, (u_char *) "javascript", 10 - 1)
           || ngx_strlcasestrn(type->data, last, (u_char *) "font", 4 - 1);
}


ngx_uint_t
ngx_http_cx_request_file(ngx_http_request_t *r)
{
    ngx_str_t  *type;

    type = ngx_http_cx_request_type(r);

    return type != NULL
           && (type->len < 9 || ngx_strncmp(type->data, "text/html", 9) != 0);
}


/* by the extension; NULL: not known */

static ngx_str_t *
ngx_http_cx_request_type(ngx_http_request_t *r)
{
    u_char                     c;
    ngx_uint_t                 i, hash;
    ngx_http_core_loc_conf_t  *clcf;
    u_char                     low[16];

    if (r->exten.len == 0 || r->exten.len > sizeof(low)) {
        return NULL;
    }

    hash = 0;

    for (i = 0; i < r->exten.len; i++) {
        c = ngx_tolower(r->exten.data[i]);
        low[i] = c;
        hash = ngx_hash(hash, c);
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return ngx_hash_find(&clcf->types_hash, hash, low, r->exten.len);
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

    ctx = ngx_http_cx_request_headers(r);
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
    ngx_str_t         own;
    ngx_table_elt_t  *h;

    h = r->headers_in.referer;

    /* HTTP/3 has no Host but :authority */

    own = r->headers_in.host ? r->headers_in.host->value
                             : r->headers_in.server;

    if (h == NULL || own.len == 0) {
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

    if (len != own.len || ngx_strncasecmp(host, own.data, len) != 0) {
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
