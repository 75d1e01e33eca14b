/*
 * The body of a post: what it must be, and as one piece of memory.
 */

#include "ngx_http_cx_collect.h"


static ngx_uint_t ngx_http_cx_collect_body_type(ngx_http_request_t *r,
    ngx_str_t *types);
static ngx_uint_t ngx_http_cx_collect_body_encoded(ngx_http_request_t *r);
static void ngx_http_cx_collect_body_large(ngx_http_cx_collect_body_t *body,
    ngx_http_cx_problem_t *p);


ngx_int_t
ngx_http_cx_collect_body_check(ngx_http_request_t *r,
    ngx_http_cx_collect_body_t *body, ngx_http_cx_problem_t *p)
{
    if (!ngx_http_cx_collect_body_type(r, body->types)
        || ngx_http_cx_collect_body_encoded(r))
    {
        ngx_memzero(p, sizeof(ngx_http_cx_problem_t));
        p->status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        p->counter = NGX_HTTP_CX_C_REJECT_TYPE;
        p->error = "content_type";
        p->expected = body->expected;
        p->event = -1;
        return NGX_DECLINED;
    }

    if (r->headers_in.content_length_n > (off_t) body->max) {
        ngx_http_cx_collect_body_large(body, p);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_cx_collect_body_type(ngx_http_request_t *r, ngx_str_t *types)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;

    for ( /* void */ ; types->len; types++) {
        len = types->len;

        if (value->len < len
            || ngx_strncasecmp(value->data, types->data, len) != 0)
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

static ngx_uint_t
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
ngx_http_cx_collect_body_read(ngx_http_request_t *r,
    ngx_http_cx_collect_body_t *body, ngx_str_t *text,
    ngx_http_cx_problem_t *p)
{
    off_t         size;
    size_t        n;
    u_char       *last;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;

    ngx_str_null(text);
    size = 0;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > (off_t) body->max) {
        ngx_http_cx_collect_body_large(body, p);
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

    last = ngx_pnalloc(r->pool, size);
    if (last == NULL) {
        return NGX_ERROR;
    }

    text->data = last;
    text->len = size;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;
        n = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(last, b->pos, n);

        } else if (n && ngx_read_file(b->file, last, n, b->file_pos)
                        != (ssize_t) n)
        {
            return NGX_ERROR;
        }

        last += n;
    }

    return NGX_OK;
}


static void
ngx_http_cx_collect_body_large(ngx_http_cx_collect_body_t *body,
    ngx_http_cx_problem_t *p)
{
    static char  expected[sizeof("at most  bytes") + NGX_SIZE_T_LEN];

    ngx_sprintf((u_char *) expected, "at most %uz bytes%Z", body->max);

    ngx_memzero(p, sizeof(ngx_http_cx_problem_t));

    p->status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    p->counter = NGX_HTTP_CX_C_REJECT_SIZE;
    p->error = "size";
    p->expected = expected;
    p->event = -1;
}
