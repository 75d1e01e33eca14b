/*
 * POST <prefix>events: checks a beacon, fills in what the edge knows and
 * queues its events.  All or nothing: whatever is wrong with any event is
 * found before the first is queued.
 */

#include "ngx_http_cx_collect.h"


static void ngx_http_cx_collect_done(ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_collect_take(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_collect_ignored(ngx_int_t reason);
static ngx_int_t ngx_http_cx_collect_reject(ngx_http_request_t *r,
    cx_reject_t *why);
static void ngx_http_cx_collect_edge(ngx_http_request_t *r, cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge);
static ngx_uint_t ngx_http_cx_collect_recorded(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge);
static ngx_int_t ngx_http_cx_collect_queue(ngx_http_request_t *r,
    cx_batch_t *b, ngx_http_cx_collect_edge_t *edge);
static ngx_int_t ngx_http_cx_collect_answers(ngx_http_request_t *r,
    cx_batch_t *b, ngx_http_cx_collect_edge_t *edge);
static ngx_int_t ngx_http_cx_collect_answered(
    ngx_http_cx_collect_wait_t *wait);
static void ngx_http_cx_collect_shown(ngx_http_cx_collect_edge_t *edge);


/* 80 KB, and of no use beyond one call of ngx_http_cx_collect_take() */
static cx_batch_t  ngx_http_cx_collect_batch;


/* text/plain is what sendBeacon() sends without a preflight */

static ngx_str_t  ngx_http_cx_collect_types[] = {
    ngx_string("text/plain"),
    ngx_string("application/json"),
    ngx_null_string
};

static ngx_http_cx_collect_body_t  ngx_http_cx_collect_body = {
    ngx_http_cx_collect_types,
    "application/json or text/plain, not encoded",
    CX_BODY_MAX
};


ngx_int_t
ngx_http_cx_collect_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_problem_t    p;
    ngx_http_cx_loc_conf_t  *cxlcf;

    rc = ngx_http_cx_collect_body_check(r, &ngx_http_cx_collect_body, &p);

    if (rc != NGX_OK) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    rc = ngx_http_cx_request_unwanted(r, cxlcf, &ctx->facts);

    if (rc != -1) {
        ngx_http_cx_count(ngx_http_cx_collect_ignored(rc), 1);
        return ngx_http_cx_endpoint_empty(r);
    }

    r->request_body_in_single_buf = 1;
    r->request_body_in_persistent_file = 0;

    rc = ngx_http_read_client_request_body(r, ngx_http_cx_collect_done);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/* the counter of beacons for that of views */

static ngx_uint_t
ngx_http_cx_collect_ignored(ngx_int_t reason)
{
    switch (reason) {

    case NGX_HTTP_CX_C_VIEWS_BOT:
        return NGX_HTTP_CX_C_IGNORED_BOT;

    case NGX_HTTP_CX_C_VIEWS_HEALTH:
        return NGX_HTTP_CX_C_IGNORED_HEALTH;

    case NGX_HTTP_CX_C_VIEWS_IGNORED:
        return NGX_HTTP_CX_C_IGNORED_OWN;

    case NGX_HTTP_CX_C_VIEWS_OPT_OUT:
        return NGX_HTTP_CX_C_IGNORED_OPT_OUT;

    default:
        return NGX_HTTP_CX_C_IGNORED_PRIVACY;
    }
}


static void
ngx_http_cx_collect_done(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_cx_collect_take(r);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* NGX_DONE: the request waits for Redis */

static ngx_int_t
ngx_http_cx_collect_take(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_str_t                    text;
    cx_batch_t                  *b;
    cx_reject_t                  why;
    ngx_http_cx_problem_t        p;
    ngx_http_cx_main_conf_t     *cxmcf;
    ngx_http_cx_collect_edge_t   edge;

    rc = ngx_http_cx_collect_body_read(r, &ngx_http_cx_collect_body, &text,
                                       &p);

    if (rc == NGX_DECLINED) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = &ngx_http_cx_collect_batch;

    if (cx_batch_parse(b, text.data, text.len, &why) != CX_REJECT_NONE) {
        return ngx_http_cx_collect_reject(r, &why);
    }

    ngx_http_cx_collect_edge(r, b, &edge);

    if (ngx_http_cx_collect_check(b, &edge, &p) != NGX_OK) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);

    ngx_http_cx_join(cxmcf, edge.cxlcf->site, &edge.visit, &edge.page, b,
                     &edge.join);

    if (ngx_http_cx_collect_fill(b, &edge) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return b->answers ? ngx_http_cx_collect_answers(r, b, &edge)
                      : ngx_http_cx_collect_queue(r, b, &edge);
}


static ngx_int_t
ngx_http_cx_collect_reject(ngx_http_request_t *r, cx_reject_t *why)
{
    ngx_http_cx_problem_t  p;

    p.status = NGX_HTTP_BAD_REQUEST;
    p.counter = (why->code == CX_REJECT_JSON) ? NGX_HTTP_CX_C_REJECT_JSON
                                              : NGX_HTTP_CX_C_REJECT_SCHEMA;
    p.error = cx_reject_name(why->code);
    p.expected = why->expected;
    p.field = why->field;
    p.event = why->event;

    return ngx_http_cx_endpoint_problem(r, &p);
}


static void
ngx_http_cx_collect_edge(ngx_http_request_t *r, cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge)
{
    ngx_time_t              *tp;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);
    edge->request = r;
    edge->cxlcf = cxlcf;

    tp = ngx_timeofday();

    edge->now = (uint64_t) tp->sec * 1000 + tp->msec;

    if (b->page.len) {
        edge->page.data = b->page.data;
        edge->page.len = b->page.len;

    } else {
        edge->page.data = edge->page_text;
        edge->page.len = ngx_http_cx_request_fold(edge->page_text,
                                                  b->path.data, b->path.len);
    }

    edge->visit.data = edge->visit_text;
    edge->visit.len = 0;

    if (ngx_http_cx_visit_key(r, cxlcf, edge->visit_text) == NGX_OK) {
        edge->visit.len = NGX_HTTP_CX_VISIT_LEN;
    }

    if (edge->visit.len) {
        edge->sampled = ngx_http_cx_visit_sampled(&edge->visit, cxlcf->sample);

    } else {
        edge->sampled = (ngx_uint_t) ngx_random() % 10000 < cxlcf->sample;
    }
}


/* what was asked and answered counts for visits that are sampled out, too */

static ngx_uint_t
ngx_http_cx_collect_recorded(cx_event_t *ev, ngx_http_cx_collect_edge_t *edge)
{
    if (ev->type == CX_SIGNAL || ev->type == CX_LEAVE) {
        return edge->sampled;
    }

    return ngx_http_cx_collect_current(ev, edge->request);
}


static ngx_int_t
ngx_http_cx_collect_queue(ngx_http_request_t *r, cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge)
{
    ngx_uint_t  i, n;

    n = 0;

    ngx_http_cx_collect_shown(edge);

    for (i = 0; i < b->n; i++) {
        if (ngx_http_cx_collect_recorded(&b->ev[i], edge)) {
            ngx_http_cx_collect_push(edge->cxlcf->site, &b->ev[i]);
            n++;
        }
    }

    for (i = 0; edge->sampled && i < edge->vitals; i++) {
        ngx_http_cx_collect_push(edge->cxlcf->site, &edge->vital[i]);
    }

    return ngx_http_cx_collect_taken(r, n, 0);
}


static ngx_int_t
ngx_http_cx_collect_answers(ngx_http_request_t *r, cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge)
{
    ngx_uint_t                   i;
    ngx_http_cx_collect_wait_t  *wait;

    wait = ngx_http_cx_collect_wait_create(r, edge->cxlcf->site, b->answers);
    if (wait == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wait->answer = ngx_http_cx_collect_answered;

    /* a page is shown once, and remembered so whatever becomes of the answer */

    ngx_http_cx_collect_shown(edge);

    for (i = 0; i < b->n; i++) {
        if (b->ev[i].type != CX_ANSWER
            && ngx_http_cx_collect_recorded(&b->ev[i], edge)
            && ngx_http_cx_collect_wait_keep(wait, &b->ev[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    wait->posted = wait->rest.nelts;

    for (i = 0; edge->sampled && i < edge->vitals; i++) {
        if (ngx_http_cx_collect_wait_keep(wait, &edge->vital[i]) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    for (i = 0; i < b->n; i++) {
        if (b->ev[i].type == CX_ANSWER
            && ngx_http_cx_collect_wait_push(wait, &b->ev[i]) != NGX_OK)
        {
            return ngx_http_cx_collect_busy(r, NGX_HTTP_CX_C_REJECT_FULL);
        }
    }

    return ngx_http_cx_collect_wait_start(wait);
}


static ngx_int_t
ngx_http_cx_collect_answered(ngx_http_cx_collect_wait_t *wait)
{
    if (!wait->taken) {
        return ngx_http_cx_collect_busy(wait->request,
                                        NGX_HTTP_CX_C_ANSWERS_LATE);
    }

    return ngx_http_cx_collect_taken(wait->request,
                                     wait->nwaiters + wait->posted,
                                     wait->nwaiters);
}


/* a prefetched page that the browser shows now */

static void
ngx_http_cx_collect_shown(ngx_http_cx_collect_edge_t *edge)
{
    if (!edge->join.shown || !edge->sampled) {
        return;
    }

    if (ngx_http_cx_queue_push(edge->cxlcf->site, &edge->view, NULL)
        == NGX_OK)
    {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS, 1);
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS_SHOWN, 1);
    }
}


void
ngx_http_cx_collect_push(ngx_http_cx_site_t *site, cx_event_t *ev)
{
    int        signal;
    cx_str_t  *name;

    /* where there is no room the queue counts it */

    if (ngx_http_cx_queue_push(site, ev, NULL) != NGX_OK) {
        return;
    }

    if (ev->type == CX_SIGNAL) {
        name = &ev->v[CX_SIGNAL_NAME];
        signal = cx_signal_find(name->data, name->len);

        if (signal >= 0) {
            ngx_http_cx_count_signal(signal);
        }
    }
}


ngx_int_t
ngx_http_cx_collect_taken(ngx_http_request_t *r, ngx_uint_t events,
    ngx_uint_t answers)
{
    ngx_http_cx_count(NGX_HTTP_CX_C_BEACONS, 1);
    ngx_http_cx_count(NGX_HTTP_CX_C_EVENTS, events);

    if (answers) {
        ngx_http_cx_count(NGX_HTTP_CX_C_ANSWERS, answers);
    }

    return ngx_http_cx_endpoint_empty(r);
}


ngx_int_t
ngx_http_cx_collect_busy(ngx_http_request_t *r, ngx_uint_t counter)
{
    ngx_http_cx_problem_t  p;

    ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));

    p.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    p.counter = counter;
    p.error = "busy";
    p.expected = "the same answer ids again, later";
    p.event = -1;

    return ngx_http_cx_endpoint_problem(r, &p);
}
