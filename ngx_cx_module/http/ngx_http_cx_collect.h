/* What collect.c, collect_body.c and collect_wait.c share. */

#ifndef NGX_HTTP_CX_COLLECT_H
#define NGX_HTTP_CX_COLLECT_H

#include "ngx_http_cx_endpoint.h"


/* how long a beacon with an answer waits for Redis before it gets 503 */
#define NGX_HTTP_CX_COLLECT_WAIT   3000        /* ms */


typedef struct ngx_http_cx_collect_wait_s  ngx_http_cx_collect_wait_t;

struct ngx_http_cx_collect_wait_s {
    ngx_event_t                  event;        /* deadline, and the end */
    ngx_http_request_t          *request;
    ngx_http_cx_site_t          *site;
    ngx_http_cx_waiter_t        *waiters;      /* one an answer */
    ngx_uint_t                   nwaiters;
    ngx_uint_t                   pending;
    ngx_array_t                  rest;         /* cx_event_t: all others */
};


/* 1 if the body says that it is JSON or text */
ngx_uint_t ngx_http_cx_collect_body_type(ngx_http_request_t *r);

/* 1 if the body has a Content-Encoding */
ngx_uint_t ngx_http_cx_collect_body_encoded(ngx_http_request_t *r);

/* the body that was read; NGX_DECLINED: over CX_BODY_MAX */
ngx_int_t ngx_http_cx_collect_body_read(ngx_http_request_t *r,
    ngx_str_t *text);


/* NULL: out of memory */
ngx_http_cx_collect_wait_t *ngx_http_cx_collect_wait_create(
    ngx_http_request_t *r, ngx_http_cx_site_t *site, ngx_uint_t answers);

/* queues an answer; NGX_DECLINED: no room */
ngx_int_t ngx_http_cx_collect_wait_push(ngx_http_cx_collect_wait_t *wait,
    cx_event_t *ev);

/* copies an event that is queued when all answers are in Redis */
ngx_int_t ngx_http_cx_collect_wait_keep(ngx_http_cx_collect_wait_t *wait,
    cx_event_t *ev);

/* holds the request until all answers are acknowledged; NGX_DONE */
ngx_int_t ngx_http_cx_collect_wait_start(ngx_http_cx_collect_wait_t *wait);

/* 204, and counts */
ngx_int_t ngx_http_cx_collect_taken(ngx_http_request_t *r, ngx_uint_t events,
    ngx_uint_t answers);

/* 503 */
ngx_int_t ngx_http_cx_collect_busy(ngx_http_request_t *r, ngx_uint_t counter);

/* queues an event that may be lost where there is no room for it */
void ngx_http_cx_collect_push(ngx_http_cx_site_t *site, cx_event_t *ev);

#endif /* NGX_HTTP_CX_COLLECT_H */
