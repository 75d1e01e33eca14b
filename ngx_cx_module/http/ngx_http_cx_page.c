/*
 * Pages of the module's own, as HTML in a buffer that grows.  Whatever is not
 * a literal of ours goes through page_text().
 */

#include "ngx_http_cx_ask.h"


#define NGX_HTTP_CX_PAGE_SIZE      8192


static u_char *ngx_http_cx_page_room(ngx_http_cx_page_t *page, size_t size);


void
ngx_http_cx_page_start(ngx_http_cx_page_t *page, ngx_http_request_t *r)
{
    ngx_memzero(page, sizeof(ngx_http_cx_page_t));
    page->request = r;
}


void
ngx_http_cx_page_put(ngx_http_cx_page_t *page, const char *html)
{
    ngx_str_t  s;

    s.data = (u_char *) html;
    s.len = ngx_strlen(html);

    ngx_http_cx_page_raw(page, &s);
}


void
ngx_http_cx_page_raw(ngx_http_cx_page_t *page, ngx_str_t *html)
{
    u_char  *p;

    p = ngx_http_cx_page_room(page, html->len);

    if (p) {
        page->last = ngx_cpymem(p, html->data, html->len);
    }
}


void
ngx_http_cx_page_number(ngx_http_cx_page_t *page, ngx_uint_t n)
{
    u_char  *p;

    p = ngx_http_cx_page_room(page, NGX_INT_T_LEN);

    if (p) {
        page->last = ngx_sprintf(p, "%ui", n);
    }
}


void
ngx_http_cx_page_text(ngx_http_cx_page_t *page, ngx_str_t *text)
{
    u_char  *p;

    p = ngx_http_cx_page_room(page, text->len
                              + ngx_escape_html(NULL, text->data, text->len));

    if (p) {
        page->last = (u_char *) ngx_escape_html(p, text->data, text->len);
    }
}


void
ngx_http_cx_page_words(ngx_http_cx_page_t *page, const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    ngx_http_cx_page_text(page, &s);
}


/* what is left unescaped means nothing in HTML */

void
ngx_http_cx_page_value(ngx_http_cx_page_t *page, ngx_str_t *text)
{
    u_char  *p;

    p = ngx_http_cx_page_room(page, text->len
                              + 2 * ngx_escape_uri(NULL, text->data, text->len,
                                                NGX_ESCAPE_URI_COMPONENT));

    if (p) {
        page->last = (u_char *) ngx_escape_uri(p, text->data, text->len,
                                               NGX_ESCAPE_URI_COMPONENT);
    }
}


static u_char *
ngx_http_cx_page_room(ngx_http_cx_page_t *page, size_t size)
{
    u_char  *p;
    size_t   len, all;

    if (page->failed) {
        return NULL;
    }

    if ((size_t) (page->end - page->last) >= size) {
        return page->last;
    }

    len = page->last - page->start;
    all = ngx_max(2 * (size_t) (page->end - page->start),
                  NGX_HTTP_CX_PAGE_SIZE);
    all = ngx_max(all, len + size);

    p = ngx_pnalloc(page->request->pool, all);
    if (p == NULL) {
        page->failed = 1;
        return NULL;
    }

    if (len) {
        ngx_memcpy(p, page->start, len);
    }

    page->start = p;
    page->last = p + len;
    page->end = p + all;

    return page->last;
}


/* no-referrer would take the origin from the post of a form, too */

ngx_int_t
ngx_http_cx_page_send(ngx_http_cx_page_t *page, ngx_uint_t status,
    const char *policy)
{
    ngx_str_t            body;
    ngx_str_t            type = ngx_string("text/html; charset=utf-8");
    ngx_http_request_t  *r;

    r = page->request;

    if (page->failed
        || ngx_http_cx_endpoint_literal(r, "Cache-Control",
                                        "no-store, no-transform")
           != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Content-Security-Policy", policy)
           != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Referrer-Policy", "same-origin")
           != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "X-Robots-Tag", "noindex")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = page->start;
    body.len = page->last - page->start;

    return ngx_http_cx_endpoint_output(r, status, &type, &body);
}
