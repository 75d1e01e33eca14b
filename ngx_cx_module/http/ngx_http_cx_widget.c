/*
 * The browser's script and the parts that it loads, from the module's own
 * memory.  The injected tag names it by the hash of them all, and it asks for
 * its parts by the same, so that they may be kept for ever.
 */

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_widget_data.h"


#define NGX_HTTP_CX_WIDGET_FORMS   3


typedef struct {
    ngx_str_t    coding;                       /* len 0: as it is */
    ngx_str_t    etag;
} ngx_http_cx_widget_form_t;


typedef struct {
    ngx_str_t    name;
    ngx_str_t    bodies[NGX_HTTP_CX_WIDGET_FORMS];
} ngx_http_cx_widget_file_t;


static ngx_http_cx_widget_file_t *ngx_http_cx_widget_find(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_widget_not_found(ngx_http_request_t *r,
    const char *expected);
static ngx_uint_t ngx_http_cx_widget_choose(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_widget_accepts(ngx_str_t *accept,
    ngx_str_t *coding);
static ngx_uint_t ngx_http_cx_widget_wanted(u_char *p, u_char *end);


const ngx_str_t  ngx_http_cx_widget_hash = ngx_string(NGX_HTTP_CX_WIDGET_HASH);


/* best first */

static ngx_http_cx_widget_form_t
    ngx_http_cx_widget_forms[NGX_HTTP_CX_WIDGET_FORMS] =
{
    { ngx_string("br"), ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "-br\"") },
    { ngx_string("gzip"), ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "-gzip\"") },
    { ngx_null_string, ngx_string("\"" NGX_HTTP_CX_WIDGET_HASH "\"") }
};


#define NGX_HTTP_CX_WIDGET_BYTES(array)                                       \
    { sizeof(array), (u_char *) array }

#define NGX_HTTP_CX_WIDGET_FILE(name, id)                                     \
    { ngx_string(name),                                                       \
      { NGX_HTTP_CX_WIDGET_BYTES(ngx_http_##id##_br),                         \
        NGX_HTTP_CX_WIDGET_BYTES(ngx_http_##id##_gz),                         \
        NGX_HTTP_CX_WIDGET_BYTES(ngx_http_##id##_js) } }

/* the first one is what tags name */

static ngx_http_cx_widget_file_t  ngx_http_cx_widget_files[] = {
    NGX_HTTP_CX_WIDGET_FILE("cx.js", cx),
    NGX_HTTP_CX_WIDGET_FILE("cx-survey.js", cx_survey),
    NGX_HTTP_CX_WIDGET_FILE("cx-ask.js", cx_ask),
    NGX_HTTP_CX_WIDGET_FILE("cx-more.js", cx_more),
    NGX_HTTP_CX_WIDGET_FILE("cx-forms.js", cx_forms),
    NGX_HTTP_CX_WIDGET_FILE("cx-touch.js", cx_touch),
    NGX_HTTP_CX_WIDGET_FILE("cx-vitals.js", cx_vitals),
    { ngx_null_string, { ngx_null_string, ngx_null_string, ngx_null_string } }
};


ngx_int_t
ngx_http_cx_widget_handler(ngx_http_request_t *r)
{
    ngx_str_t                   type = ngx_string("application/javascript");
    ngx_uint_t                  n;
    const char                 *cache;
    ngx_table_elt_t            *h;
    ngx_http_cx_widget_file_t  *file;
    ngx_http_cx_widget_form_t  *form;

    file = ngx_http_cx_widget_find(r);
    if (file == NULL) {
        return ngx_http_cx_widget_not_found(r, "a file of the widget");
    }

    n = ngx_http_cx_widget_choose(r);
    form = &ngx_http_cx_widget_forms[n];

    /* a page from some cache may ask for an older one and gets this one */

    if (r->args.len == ngx_http_cx_widget_hash.len
        && ngx_memcmp(r->args.data, ngx_http_cx_widget_hash.data, r->args.len)
           == 0)
    {
        cache = "public, max-age=31536000, immutable";

    /* but a part of an older one would not fit the script that asks for it */

    } else if (r->args.len && file != ngx_http_cx_widget_files) {
        return ngx_http_cx_widget_not_found(r, "the hash of cx.js");

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

    return ngx_http_cx_endpoint_send(r, &type, &file->bodies[n]);
}


/* by what follows cx_prefix; NULL: none of them */

static ngx_http_cx_widget_file_t *
ngx_http_cx_widget_find(ngx_http_request_t *r)
{
    size_t                      len;
    u_char                     *name;
    ngx_http_cx_loc_conf_t     *cxlcf;
    ngx_http_cx_widget_file_t  *file;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    name = r->uri.data + cxlcf->prefix.len;
    len = r->uri.len - cxlcf->prefix.len;

    for (file = ngx_http_cx_widget_files; file->name.len; file++) {

        if (file->name.len == len
            && ngx_memcmp(file->name.data, name, len) == 0)
        {
            return file;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_cx_widget_not_found(ngx_http_request_t *r, const char *expected)
{
    ngx_http_cx_problem_t  p;

    ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));

    p.event = -1;
    p.status = NGX_HTTP_NOT_FOUND;
    p.counter = NGX_HTTP_CX_NOT_COUNTED;
    p.error = "not_found";
    p.expected = expected;

    return ngx_http_cx_endpoint_problem(r, &p);
}


/* position in ngx_http_cx_widget_forms */

static ngx_uint_t
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

    return form - ngx_http_cx_widget_forms;
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
