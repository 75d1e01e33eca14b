/*
 * What goes out below cx_prefix: headers, bodies, and the one shape of an
 * error.
 */

#include "ngx_http_cx_endpoint.h"


static ngx_int_t ngx_http_cx_endpoint_problem_headers(ngx_http_request_t *r,
    ngx_http_cx_problem_t *p);
static u_char *ngx_http_cx_endpoint_problem_key(u_char *p, const char *key,
    const char *value);
static ngx_uint_t ngx_http_cx_endpoint_has_header(ngx_http_request_t *r,
    const char *name);


static ngx_str_t  ngx_http_cx_endpoint_json = ngx_string("application/json");


ngx_int_t
ngx_http_cx_endpoint_problem(ngx_http_request_t *r, ngx_http_cx_problem_t *p)
{
    u_char     *last;
    size_t      len;
    ngx_str_t   body;

    if (p->counter != NGX_HTTP_CX_NOT_COUNTED) {
        ngx_http_cx_count(p->counter, 1);
    }

    /* an escaped byte takes 6 */

    len = sizeof("{\"error\":\"\",\"event\":,\"field\":\"\"}\n")
          + sizeof(",\"expected\":\"\"")
          + ngx_strlen(p->error) + NGX_INT_T_LEN
          + (p->field ? 6 * ngx_strlen(p->field) : 0)
          + (p->expected ? 6 * ngx_strlen(p->expected) : 0);

    body.data = ngx_pnalloc(r->pool, len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = ngx_sprintf(body.data, "{\"error\":\"%s\"", p->error);

    if (p->event >= 0) {
        last = ngx_sprintf(last, ",\"event\":%i", p->event);
    }

    last = ngx_http_cx_endpoint_problem_key(last, "field", p->field);
    last = ngx_http_cx_endpoint_problem_key(last, "expected", p->expected);

    *last++ = '}';
    *last++ = '\n';

    body.len = last - body.data;

    if (ngx_http_cx_endpoint_problem_headers(r, p) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the client need not send what is not going to be read */
    r->expect_tested = 1;

    return ngx_http_cx_endpoint_output(r, p->status,
                                       &ngx_http_cx_endpoint_json, &body);
}


static ngx_int_t
ngx_http_cx_endpoint_problem_headers(ngx_http_request_t *r,
    ngx_http_cx_problem_t *p)
{
    if (p->status == NGX_HTTP_NOT_ALLOWED
        && ngx_http_cx_endpoint_literal(r, "Allow", p->expected) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (p->status == NGX_HTTP_SERVICE_UNAVAILABLE
        || p->status == NGX_HTTP_TOO_MANY_REQUESTS)
    {
        return ngx_http_cx_endpoint_literal(r, "Retry-After",
                                            NGX_HTTP_CX_RETRY_AFTER);
    }

    return NGX_OK;
}


static u_char *
ngx_http_cx_endpoint_problem_key(u_char *p, const char *key, const char *value)
{
    if (value == NULL || *value == '\0') {
        return p;
    }

    p = ngx_sprintf(p, ",\"%s\":\"", key);
    p = (u_char *) ngx_escape_json(p, (u_char *) value, ngx_strlen(value));
    *p++ = '"';

    return p;
}


ngx_int_t
ngx_http_cx_endpoint_send(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *body)
{
    return ngx_http_cx_endpoint_output(r, NGX_HTTP_OK, type, body);
}


ngx_int_t
ngx_http_cx_endpoint_empty(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_http_cx_endpoint_output(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    /* does nothing when the body has been read */

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    if ((!ngx_http_cx_endpoint_has_header(r, "Cache-Control")
         && ngx_http_cx_endpoint_literal(r, "Cache-Control", "no-store")
            != NGX_OK)
        || ngx_http_cx_endpoint_literal(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_uint_t
ngx_http_cx_endpoint_has_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


ngx_table_elt_t *
ngx_http_cx_endpoint_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    ngx_http_cx_header_next(h);
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return h;
}


ngx_int_t
ngx_http_cx_endpoint_literal(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_str_t  s;

    s.data = (u_char *) value;
    s.len = ngx_strlen(value);

    return ngx_http_cx_endpoint_header(r, name, &s) ? NGX_OK : NGX_ERROR;
}
