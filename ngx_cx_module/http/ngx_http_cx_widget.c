/*
 * The browser's script, from the module's own memory.  The injected tag names
 * it by its hash, so that it may be kept for ever.
 */

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_widget_data.h"


typedef struct {
    ngx_str_t    coding;                       /* len 0: as it is */
    ngx_str_t    etag;
    ngx_str_t    body;
} ngx_http_cx_widget_form_t;


static ngx_http_cx_widget_form_t *ngx_http_cx_widget_choose(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_widget_accepts(ngx_str_t *accept,
    ngx_str_t *coding);
static ngx_uint_t ngx_http_cx_widget_wanted(u_char *p, u_char *end);


const ngx_str_t  ngx_http_cx_widget_hash = ngx_string(NGX_HTTP_CX_WIDGET_HASH);


/* best first */

static ngx_http_cx_widget_form_t  ngx_http_cx_widget_forms[] = {

    { ngx_string("br"),
      ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "-br\""),
      { sizeof(ngx_http_cx_widget_br), (u_char *) ngx_http_cx_widget_br } },

    { ngx_string("gzip"),
      ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "-gzip\""),
      { sizeof(ngx_http_cx_widget_gz), (u_char *) ngx_http_cx_widget_gz } },

    { ngx_null_string,
      ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "\""),
      { sizeof(ngx_http_cx_widget_js), (u_char *) ngx_http_cx_widget_js } }
};


ngx_int_t
ngx_http_cx_widget_handler(ngx_http_request_t *r)
{
    ngx_str_t                   type = ngx_string("application/javascript");
    const char                 *cache;
    ngx_table_elt_t            *h;
    ngx_http_cx_widget_form_t  *form;

    form = ngx_http_cx_widget_choose(r);

    /* a page from some cache may ask for an older one and gets this one */

    if (r->args.len == ngx_http_cx_widget_hash.len
        && ngx_memcmp(r->args.data, ngx_http_cx_widget_hash.data, r->args.len)
           == 0)
    {
        cache = "public, max-age=31536000, immutable";

    } else {
        cache = "public, max-age=300";
    }

    if (ngx_http_cx_endpoint_literal(r, "Cache-Control", cache) != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Vary", "Accept-Encoding")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (form->coding.len) {
        h = ngx_http_cx_endpoint_header(r, "Content-Encoding", &form->coding);
        if (h == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        r->headers_out.content_encoding = h;
    }

    /* If-None-Match is for nginx's own filter to compare */

    h = ngx_http_cx_endpoint_header(r, "ETag", &form->etag);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.etag = h;

    return ngx_http_cx_endpoint_send(r, &type, &form->body);
}


static ngx_http_cx_widget_form_t *
ngx_http_cx_widget_choose(ngx_http_request_t *r)
{
    ngx_table_elt_t            *accept;
    ngx_http_cx_widget_form_t  *form;

    form = ngx_http_cx_widget_forms;

#if (NGX_HTTP_GZIP || NGX_HTTP_HEADERS)
    accept = r->headers_in.accept_encoding;
#else
    accept = NULL;
#endif

    while (form->coding.len
           && (accept == NULL
               || !ngx_http_cx_widget_accepts(&accept->value, &form->coding)))
    {
        form++;
    }

    return form;
}


/* 1 if the list names the coding, and not with q=0 */

static ngx_uint_t
ngx_http_cx_widget_accepts(ngx_str_t *accept, ngx_str_t *coding)
{
    u_char  *p, *end, *next;

    end = accept->data + accept->len;

    for (p = accept->data; p < end; p = next + 1) {

        next = ngx_strlchr(p, end, ',');
        if (next == NULL) {
            next = end;
        }

        while (p < next && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if ((size_t) (next - p) < coding->len
            || ngx_strncasecmp(p, coding->data, coding->len) != 0)
        {
            continue;
        }

        p += coding->len;

        if (p == next || *p == ' ' || *p == '\t' || *p == ';') {
            return ngx_http_cx_widget_wanted(p, next);
        }
    }

    return 0;
}


/* the parameters of a coding: 0 for "q=0", "q=0.0", ... */

static ngx_uint_t
ngx_http_cx_widget_wanted(u_char *p, u_char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == ';')) {
        p++;
    }

    if (end - p < 3 || (*p | 0x20) != 'q' || p[1] != '=') {
        return 1;
    }

    for (p += 2; p < end; p++) {
        if (*p >= '1' && *p <= '9') {
            return 1;
        }
    }

    return 0;
}
