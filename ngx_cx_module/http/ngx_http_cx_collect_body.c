/*
 * The body of a beacon: what it must be, and as one piece of memory.
 */

#include "ngx_http_cx_collect.h"


/* text/plain is what sendBeacon() sends without a preflight */

ngx_uint_t
ngx_http_cx_collect_body_type(ngx_http_request_t *r)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i;

    static ngx_str_t  types[] = {
        ngx_string("text/plain"),
        ngx_string("application/json")
    };

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        len = types[i].len;

        if (value->len < len
            || ngx_strncasecmp(value->data, types[i].data, len) != 0)
        {
            continue;
        }

        p = value->data + len;

        if (value->len == len || *p == ';' || *p == ' ' || *p == '\t') {
            return 1;
        }
    }

    return 0;
}


/* nothing is ever inflated here */

ngx_uint_t
ngx_http_cx_collect_body_encoded(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("Content-Encoding") - 1
                && ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "Content-Encoding",
                                   sizeof("Content-Encoding") - 1)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * The body as one piece: in place where nginx has it so, else joined.  It is
 * in a file when client_body_buffer_size is small.  NGX_DECLINED: too large,
 * which for a chunked body is known only now.
 */

ngx_int_t
ngx_http_cx_collect_body_read(ngx_http_request_t *r, ngx_str_t *text)
{
    off_t         size;
    size_t        n;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;

    ngx_str_null(text);
    size = 0;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > CX_BODY_MAX) {
        return NGX_DECLINED;
    }

    if (size == 0) {
        return NGX_OK;
    }

    if (bufs->next == NULL && ngx_buf_in_memory(bufs->buf)) {
        text->data = bufs->buf->pos;
        text->len = size;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = size;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;
        n = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(p, b->pos, n);

        } else if (n && ngx_read_file(b->file, p, n, b->file_pos)
                        != (ssize_t) n)
        {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}
