
/*
 * Injects one script tag into HTML documents: which ones, and what becomes of
 * their headers; splice.c puts it into the body.
 *
 * The tag's length is known before the body, so Content-Length grows by it and
 * stays; where no place for the tag is found, as much white space follows the
 * end.  A request without Sec-Fetch-Dest may be for a fragment, which only the
 * body tells: if its length was announced, the header waits for the first
 * bytes.
 */


#include "ngx_http_cx.h"


static ngx_int_t ngx_http_cx_header_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_header_outcome(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ctx_t *ctx);
static ngx_uint_t ngx_http_cx_header_html(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_header_scan(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf);
static ngx_int_t ngx_http_cx_header_vary(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);
static ngx_int_t ngx_http_cx_make_tag(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ctx_t *ctx);
static void ngx_http_cx_promise(ngx_http_request_t *r,
    ngx_http_cx_ctx_t *ctx);
static ngx_int_t ngx_http_cx_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


ngx_int_t
ngx_http_cx_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_cx_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_cx_body_filter;

    return NGX_OK;
}


/* what is the same for every page of a location, made once */

char *
ngx_http_cx_filter_tag(ngx_conf_t *cf, ngx_http_cx_loc_conf_t *cxlcf)
{
    u_char                   *p;
    size_t                    len, tune_len;
    ngx_http_cx_main_conf_t  *cxmcf;
    char                      tune[CX_TUNING_TAG];

    len = sizeof("<script async src=\"cx.js?\" data-page=\"") - 1
          + cxlcf->prefix.len + ngx_http_cx_widget_hash.len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    cxlcf->tag_head.data = p;
    p = ngx_sprintf(p, "<script async src=\"%Vcx.js?%V\" data-page=\"",
                    &cxlcf->prefix, &ngx_http_cx_widget_hash);
    cxlcf->tag_head.len = p - cxlcf->tag_head.data;

    /* main conf is complete when locations are merged */

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);
    tune_len = cx_tuning_tag(tune, &cxmcf->tuning);

    len = sizeof("\" data-touchpoint=\"\" data-stage=\"\" data-tune=\"\"") - 1
          + cxlcf->touchpoint.len + cxlcf->stage.len + tune_len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    cxlcf->tag_tail.data = p;
    *p++ = '"';

    if (cxlcf->touchpoint.len) {
        p = ngx_sprintf(p, " data-touchpoint=\"%V\"", &cxlcf->touchpoint);
    }

    if (cxlcf->stage.len) {
        p = ngx_sprintf(p, " data-stage=\"%V\"", &cxlcf->stage);
    }

    if (tune_len) {
        p = ngx_sprintf(p, " data-tune=\"%*s\"", tune_len, tune);
    }

    cxlcf->tag_tail.len = p - cxlcf->tag_tail.data;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cx_header_filter(ngx_http_request_t *r)
{
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (!cxlcf->on || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_cx_header_html(r) ? ngx_http_cx_request_headers(r)
                                     : ngx_http_cx_request_bare(r);
    if (ctx == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ctx->first_ms = ngx_http_cx_elapsed(r);
    ctx->outcome = ngx_http_cx_header_outcome(r, cxlcf, ctx);

    if (ctx->outcome != NGX_HTTP_CX_INJECTED) {
        ngx_http_cx_count_outcome(ctx->outcome);
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_cx_make_tag(r, cxlcf, ctx) != NGX_OK) {
        ctx->outcome = NGX_HTTP_CX_ERROR;
        ngx_http_cx_count_outcome(ctx->outcome);
        return ngx_http_next_header_filter(r);
    }

    if (r->method == NGX_HTTP_HEAD) {
        ngx_http_cx_promise(r, ctx);

        if (ctx->facts.dest == NGX_HTTP_CX_DEST_NONE) {

            /* only the body of a GET would tell whether it is a document */

            ngx_http_clear_content_length(r);
        }

        return ngx_http_next_header_filter(r);
    }

    ctx->seek = 1;

    if (ctx->facts.dest == NGX_HTTP_CX_DEST_NONE
        && r->headers_out.content_length_n > 0)
    {
        ctx->withheld = 1;
        return NGX_OK;
    }

    ngx_http_cx_promise(r, ctx);

    return ngx_http_next_header_filter(r);
}


/* NGX_HTTP_CX_INJECTED, or the reason why not, as far as headers tell */

static ngx_uint_t
ngx_http_cx_header_outcome(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ctx_t *ctx)
{
    ngx_uint_t  status, outcome;

    if (!ngx_http_cx_header_html(r)) {
        return NGX_HTTP_CX_TYPE;
    }

    status = r->headers_out.status;

    if (status == NGX_HTTP_PARTIAL_CONTENT || r->subrequest_ranges
        || r->headers_out.content_range)
    {
        return NGX_HTTP_CX_RANGE;
    }

    if (status < NGX_HTTP_OK || status == NGX_HTTP_NO_CONTENT
        || (status >= NGX_HTTP_SPECIAL_RESPONSE
            && status < NGX_HTTP_BAD_REQUEST))
    {
        return NGX_HTTP_CX_STATUS;
    }

    if (r->headers_out.content_length_n == 0) {
        return NGX_HTTP_CX_EMPTY;
    }

    if (r->headers_out.content_encoding
        && r->headers_out.content_encoding->value.len)
    {
        return NGX_HTTP_CX_ENCODED;
    }

    outcome = ngx_http_cx_header_scan(r, cxlcf);

    if (outcome != NGX_HTTP_CX_INJECTED) {
        return outcome;
    }

    if (ngx_http_cx_header_vary(r, cxlcf, &ctx->facts) != NGX_OK) {
        return NGX_HTTP_CX_ERROR;
    }

    if (ctx->facts.dest == NGX_HTTP_CX_DEST_ASSET
        || ctx->facts.dest == NGX_HTTP_CX_DEST_OTHER)
    {
        return NGX_HTTP_CX_DEST;
    }

    if (ngx_http_cx_request_private(r, cxlcf, &ctx->facts)) {
        return NGX_HTTP_CX_PRIVACY;
    }

    return NGX_HTTP_CX_INJECTED;
}


static ngx_uint_t
ngx_http_cx_header_html(ngx_http_request_t *r)
{
    return r->headers_out.content_type_len >= 9
           && ngx_strncasecmp(r->headers_out.content_type.data,
                              (u_char *) "text/html", 9) == 0
           && (r->headers_out.content_type_len == 9
               || r->headers_out.content_type.data[9] == ';');
}


/* headers of the application that forbid to touch the body */

static ngx_uint_t
ngx_http_cx_header_scan(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_HTTP_CX_INJECTED;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0) {
            continue;
        }

        switch (h[i].key.len) {

        case 13:
            if (ngx_strncasecmp(h[i].key.data, (u_char *) "Cache-Control", 13)
                == 0
                && ngx_strlcasestrn(h[i].value.data,
                                    h[i].value.data + h[i].value.len,
                                    (u_char *) "no-transform", 12 - 1))
            {
                return NGX_HTTP_CX_NO_TRANSFORM;
            }

            break;

        case 19:
            if (ngx_strncasecmp(h[i].key.data,
                                (u_char *) "Content-Disposition", 19) == 0
                && h[i].value.len >= 10
                && ngx_strncasecmp(h[i].value.data, (u_char *) "attachment",
                                   10) == 0)
            {
                return NGX_HTTP_CX_ATTACHMENT;
            }

            break;

        case 23:
            if (cxlcf->nonce == NULL
                && ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "Content-Security-Policy", 23)
                   == 0
                && ngx_strlcasestrn(h[i].value.data,
                                    h[i].value.data + h[i].value.len,
                                    (u_char *) "'strict-dynamic'", 16 - 1))
            {
                return NGX_HTTP_CX_CSP;
            }

            break;
        }
    }
}


/*
 * The request headers that decide, whatever they decided this time.  The
 * cookie is named only where it did: most sites' cookies differ by visitor, so
 * that no cache in front could keep a page.  A page with the tag that reaches
 * somebody who opted out does nothing, as the widget looks for the cookie.
 */

static ngx_int_t
ngx_http_cx_header_vary(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_facts_t *facts)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    static const ngx_str_t  values[] = {
        ngx_string("Sec-Fetch-Dest"),
        ngx_string("Sec-Fetch-Dest, Sec-GPC"),
        ngx_string("Sec-Fetch-Dest, DNT"),
        ngx_string("Sec-Fetch-Dest, Sec-GPC, DNT"),
        ngx_string("Sec-Fetch-Dest, Cookie"),
        ngx_string("Sec-Fetch-Dest, Sec-GPC, Cookie"),
        ngx_string("Sec-Fetch-Dest, DNT, Cookie"),
        ngx_string("Sec-Fetch-Dest, Sec-GPC, DNT, Cookie")
    };

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    i = ((cxlcf->privacy & NGX_HTTP_CX_PRIVACY_GPC) ? 1 : 0)
        + ((cxlcf->privacy & NGX_HTTP_CX_PRIVACY_DNT) ? 2 : 0)
        + (facts->opt_out ? 4 : 0);

    h->hash = 1;
    ngx_http_cx_header_next(h);
    ngx_str_set(&h->key, "Vary");
    h->value = values[i];

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_make_tag(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ctx_t *ctx)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   nonce;

    if (ngx_http_cx_request_page(r, cxlcf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(&nonce);

    if (cxlcf->nonce
        && ngx_http_complex_value(r, cxlcf->nonce, &nonce) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = cxlcf->tag_head.len + cxlcf->tag_tail.len
          + ctx->page.len + ngx_escape_html(NULL, ctx->page.data, ctx->page.len)
          + sizeof(" data-surveys=\"12345678\" nonce=\"\"></script>") - 1
          + nonce.len + ngx_escape_html(NULL, nonce.data, nonce.len);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->tag.data = p;

    p = ngx_cpymem(p, cxlcf->tag_head.data, cxlcf->tag_head.len);
    p = (u_char *) ngx_escape_html(p, ctx->page.data, ctx->page.len);
    p = ngx_cpymem(p, cxlcf->tag_tail.data, cxlcf->tag_tail.len);

    if (cxlcf->surveys) {
        p = ngx_cpymem(p, " data-surveys", sizeof(" data-surveys") - 1);
    }

    if (ngx_http_cx_survey_possible(cxlcf->surveys, &ctx->page,
                                    &cxlcf->touchpoint, &cxlcf->stage))
    {
        *p++ = '=';
        *p++ = '"';
        p = ngx_cpymem(p, ngx_http_cx_survey_key(cxlcf->surveys), 8);
        *p++ = '"';
    }

    if (nonce.len) {
        p = ngx_cpymem(p, " nonce=\"", sizeof(" nonce=\"") - 1);
        p = (u_char *) ngx_escape_html(p, nonce.data, nonce.len);
        *p++ = '"';
    }

    p = ngx_cpymem(p, "></script>", sizeof("></script>") - 1);

    ctx->tag.len = p - ctx->tag.data;

    return NGX_OK;
}


/*
 * From here on the body is longer by the tag.  Last-Modified stays: it is the
 * page's own date, and what an old tag asks for is answered for ever.
 */

static void
ngx_http_cx_promise(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx)
{
    off_t  length;

    length = r->headers_out.content_length_n;

    if (length != -1) {
        ngx_http_clear_content_length(r);
        r->headers_out.content_length_n = length + ctx->tag.len;
        ctx->promised = 1;
    }

    ngx_http_clear_accept_ranges(r);
    ngx_http_weak_etag(r);
}


ngx_int_t
ngx_http_cx_filter_release(ngx_http_request_t *r, ngx_http_cx_ctx_t *ctx,
    ngx_uint_t grown)
{
    if (!ctx->withheld) {
        return NGX_OK;
    }

    ctx->withheld = 0;

    if (grown) {
        ngx_http_cx_promise(r, ctx);
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_cx_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t           rc;
    ngx_chain_t        *out;
    ngx_http_cx_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cx_module);

    if (ctx == NULL || in == NULL || (!ctx->seek && !ctx->pad)) {

        if (ctx && ctx->withheld) {
            return NGX_OK;
        }

        return ngx_http_next_body_filter(r, in);
    }

    rc = ngx_http_cx_splice(r, ctx, in, &out);

    if (rc != NGX_OK || out == NULL) {
        return rc;
    }

    return ngx_http_next_body_filter(r, out);
}
