/* What the files behind cx_endpoint share with each other only. */

#ifndef NGX_HTTP_CX_ENDPOINT_H
#define NGX_HTTP_CX_ENDPOINT_H

#include "ngx_http_cx.h"


/* "Retry-After" of every 503, seconds */
#define NGX_HTTP_CX_RETRY_AFTER    "2"

/* a problem that no counter is for */
#define NGX_HTTP_CX_NOT_COUNTED    NGX_HTTP_CX_COUNTER_N


/* adds a response header; name and value must live as long as the request;
   NULL: out of memory */
ngx_table_elt_t *ngx_http_cx_endpoint_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);

/* the same for a literal */
ngx_int_t ngx_http_cx_endpoint_literal(ngx_http_request_t *r, const char *name,
    const char *value);

/* this status, body and type; no-store unless headers say otherwise */
ngx_int_t ngx_http_cx_endpoint_output(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *body);

/* 204 without a body */
ngx_int_t ngx_http_cx_endpoint_empty(ngx_http_request_t *r);

#endif /* NGX_HTTP_CX_ENDPOINT_H */
