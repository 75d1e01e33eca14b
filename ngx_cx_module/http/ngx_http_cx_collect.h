/* What the files behind <prefix>events share, and optout.c in part. */

#ifndef NGX_HTTP_CX_COLLECT_H
#define NGX_HTTP_CX_COLLECT_H

#include "ngx_http_cx_deliver.h"
#include "ngx_http_cx_endpoint.h"


/* how long a beacon with an answer waits for Redis before it gets 503 */
#define NGX_HTTP_CX_COLLECT_WAIT   3000        /* ms */


/* a vital, from a leave's value to the signal that the edge makes of it */

typedef struct {
    ngx_uint_t                   field;        /* CX_LEAVE_* */
    ngx_uint_t                   signal;       /* CX_SIG_* */
    ngx_uint_t                   threshold;    /* CX_T_* */
    ngx_uint_t                   flag;         /* CX_VIEW_IS_* of the view */
} ngx_http_cx_vital_t;

#define NGX_HTTP_CX_VITALS         3

extern const ngx_http_cx_vital_t  ngx_http_cx_vitals[];        /* join.c */


/* fields of CX_SERVER */
#define NGX_HTTP_CX_COLLECT_SERVER (CX_LEAVE_SIGNALS - CX_LEAVE_VIEW_TS + 1)


/* what the edge adds to the events of a beacon */

typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cx_loc_conf_t      *cxlcf;
    uint64_t                     now;          /* Unix time in ms */
    ngx_str_t                    page;
    ngx_str_t                    visit;        /* len 0: not told apart */
    ngx_uint_t                   sampled;
    ngx_http_cx_join_t           join;

    /* by fill: the same for all events */
    cx_str_t                     common[CX_COMMON_N];
    cx_str_t                     server[NGX_HTTP_CX_COLLECT_SERVER];
    cx_str_t                     seen;

    /* ... events of the edge's own: of a page shown only now, if join.shown,
       and of judged vitals */
    cx_event_t                   view;
    cx_event_t                   vital[NGX_HTTP_CX_VITALS];
    ngx_uint_t                   vitals;

    u_char                       page_text[CX_PAGE_MAX];
    u_char                       visit_text[NGX_HTTP_CX_VISIT_LEN];
    u_char                       ts_text[NGX_INT64_LEN];
    u_char                       server_text[NGX_HTTP_CX_COLLECT_SERVER]
                                            [NGX_INT64_LEN];
    u_char                       touchpoint_text[CX_NAME_MAX];
    u_char                       stage_text[CX_NAME_MAX];
} ngx_http_cx_collect_edge_t;


typedef struct ngx_http_cx_collect_wait_s  ngx_http_cx_collect_wait_t;

/* what the client gets, by wait->taken; as a handler returns it */
typedef ngx_int_t (*ngx_http_cx_collect_answer_pt)(
    ngx_http_cx_collect_wait_t *wait);

struct ngx_http_cx_collect_wait_s {
    ngx_event_t                  event;        /* deadline, and the end */
    ngx_http_request_t          *request;
    ngx_http_cx_site_t          *site;
    ngx_http_cx_waiter_t        *waiters;      /* one an answer */
    ngx_uint_t                   nwaiters;
    ngx_uint_t                   pending;
    ngx_array_t                  rest;         /* cx_event_t: all others */
    ngx_uint_t                   posted;       /* of them, by the browser */
    ngx_uint_t                   dropped;
    ngx_uint_t                   taken;
    ngx_http_cx_collect_answer_pt  answer;
    void                        *data;         /* of answer */
};


/* what a body must be */

typedef struct {
    ngx_str_t                   *types;        /* the last one is empty */
    const char                  *expected;     /* the same in words */
    size_t                       max;          /* bytes */
} ngx_http_cx_collect_body_t;

/* as far as headers tell; NGX_DECLINED: p says why it is refused */
ngx_int_t ngx_http_cx_collect_body_check(ngx_http_request_t *r,
    ngx_http_cx_collect_body_t *body, ngx_http_cx_problem_t *p);

/* what was read, which lasts as long as the request; NGX_DECLINED: p says why
   it is refused */
ngx_int_t ngx_http_cx_collect_body_read(ngx_http_request_t *r,
    ngx_http_cx_collect_body_t *body, ngx_str_t *text,
    ngx_http_cx_problem_t *p);


/* collect_fill.c: fills in all events, and makes the edge's own, once edge is
   joined */
ngx_int_t ngx_http_cx_collect_fill(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge);


/* collect_check.c: surveys and tokens; NGX_DECLINED: p says what is wrong */
ngx_int_t ngx_http_cx_collect_check(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge, ngx_http_cx_problem_t *p);

/* ... one answer's score, choice and text; puts in metric and source */
ngx_int_t ngx_http_cx_collect_check_answer(cx_event_t *ev,
    ngx_http_cx_survey_info_t *survey, ngx_http_cx_problem_t *p);

/* ... 0 if it is about a survey whose wording has changed since: a page that
   was left open */
ngx_uint_t ngx_http_cx_collect_current(cx_event_t *ev, ngx_http_request_t *r);


/* a verbatim, in a copy that is masked */
ngx_int_t ngx_http_cx_collect_fill_mask(ngx_http_request_t *r, cx_str_t *v);


/* join.c: events that joined and were not taken, as they will come again */
void ngx_http_cx_join_undo(cx_event_t *ev, ngx_uint_t n);


/* NULL: out of memory */
ngx_http_cx_collect_wait_t *ngx_http_cx_collect_wait_create(
    ngx_http_request_t *r, ngx_http_cx_site_t *site, ngx_uint_t answers);

/* queues an answer; NGX_DECLINED: no room */
ngx_int_t ngx_http_cx_collect_wait_push(ngx_http_cx_collect_wait_t *wait,
    cx_event_t *ev);

/* copies an event that is queued when all answers are kept; its caller
   counts those in wait->posted that the browser sent */
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
