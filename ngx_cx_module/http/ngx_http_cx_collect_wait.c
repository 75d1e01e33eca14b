/*
 * A beacon or form with answers: well only when each is in Redis or in the
 * spool.
 *
 * Its other events are queued after that.  They carry no id by which a second
 * copy could be told, and a client that gets 503 sends all of them again.
 */

#include "ngx_http_cx_collect.h"
#include "ngx_http_cx_survey.h"


static void ngx_http_cx_collect_wait_acked(ngx_http_cx_waiter_t *w,
    ngx_uint_t ok);
static void ngx_http_cx_collect_wait_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_cx_collect_wait_end(ngx_http_cx_collect_wait_t *wait);
static void ngx_http_cx_collect_wait_cleanup(void *data);


ngx_http_cx_collect_wait_t *
ngx_http_cx_collect_wait_create(ngx_http_request_t *r,
    ngx_http_cx_site_t *site, ngx_uint_t answers)
{
    ngx_uint_t                   i;
    ngx_http_cleanup_t          *cln;
    ngx_http_cx_collect_wait_t  *wait;

    wait = ngx_pcalloc(r->pool, sizeof(ngx_http_cx_collect_wait_t));
    if (wait == NULL) {
        return NULL;
    }

    wait->waiters = ngx_pcalloc(r->pool,
                                answers * sizeof(ngx_http_cx_waiter_t));
    if (wait->waiters == NULL) {
        return NULL;
    }

    if (ngx_array_init(&wait->rest, r->pool, 4, sizeof(cx_event_t)) != NGX_OK) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_cx_collect_wait_cleanup;
    cln->data = wait;

    for (i = 0; i < answers; i++) {
        ngx_queue_init(&wait->waiters[i].queue);
        wait->waiters[i].handler = ngx_http_cx_collect_wait_acked;
        wait->waiters[i].data = wait;
    }

    /* debug logging of timers takes data for a connection */

    wait->event.data = r->connection;
    wait->event.log = r->connection->log;
    wait->event.handler = ngx_http_cx_collect_wait_handler;

    wait->request = r;
    wait->site = site;

    return wait;
}


ngx_int_t
ngx_http_cx_collect_wait_push(ngx_http_cx_collect_wait_t *wait, cx_event_t *ev)
{
    ngx_str_t              survey, answer;
    ngx_http_cx_waiter_t  *w;

    w = &wait->waiters[wait->nwaiters];

    if (ngx_http_cx_queue_push(wait->site, ev, w) != NGX_OK) {
        return NGX_DECLINED;
    }

    wait->nwaiters++;
    wait->pending++;

    survey.len = ev->v[CX_ANSWER_SURVEY].len;
    survey.data = ev->v[CX_ANSWER_SURVEY].data;
    answer.len = ev->v[CX_ANSWER_ANSWER].len;
    answer.data = ev->v[CX_ANSWER_ANSWER].data;

    ngx_http_cx_quota_taken(wait->site, &survey, &answer);

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_collect_wait_keep(ngx_http_cx_collect_wait_t *wait, cx_event_t *ev)
{
    cx_str_t    *v;
    ngx_str_t    s;
    ngx_uint_t   i;
    cx_event_t  *kept;

    kept = ngx_array_push(&wait->rest);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    *kept = *ev;

    for (i = 0; i < cx_types[ev->type].n; i++) {
        v = &kept->v[i];

        if (v->len == 0) {
            continue;
        }

        s.len = v->len;
        s.data = v->data;

        v->data = ngx_pstrdup(wait->request->pool, &s);
        if (v->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_collect_wait_start(ngx_http_cx_collect_wait_t *wait)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wait->request;
    c = r->connection;

    /* r->main->count was taken when the body was read, and is kept */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_add_timer(&wait->event, NGX_HTTP_CX_COLLECT_WAIT);

    return NGX_DONE;
}


/*
 * Called from within the writer: the request is finalized from the event
 * loop, so that the writer is not entered again from its own loop.
 */

static void
ngx_http_cx_collect_wait_acked(ngx_http_cx_waiter_t *w, ngx_uint_t ok)
{
    ngx_http_cx_collect_wait_t  *wait;

    wait = w->data;

    ngx_queue_init(&w->queue);

    wait->pending--;

    if (!ok) {
        wait->dropped = 1;
    }

    if (wait->pending == 0 || wait->dropped) {
        ngx_post_event(&wait->event, &ngx_posted_events);
    }
}


static void
ngx_http_cx_collect_wait_handler(ngx_event_t *ev)
{
    ngx_int_t                    rc;
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_cx_collect_wait_t  *wait;

    wait = ngx_queue_data(ev, ngx_http_cx_collect_wait_t, event);

    r = wait->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "cx answers pending: %ui", wait->pending);

    rc = ngx_http_cx_collect_wait_end(wait);

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_cx_collect_wait_end(ngx_http_cx_collect_wait_t *wait)
{
    ngx_uint_t   i;
    cx_event_t  *ev;

    wait->taken = (wait->pending == 0 && !wait->dropped);

    ngx_http_cx_collect_wait_cleanup(wait);

    ev = wait->rest.elts;

    for (i = 0; wait->taken && i < wait->rest.nelts; i++) {
        ngx_http_cx_collect_push(wait->site, &ev[i]);
    }

    return wait->answer(wait);
}


/*
 * The answers stay queued, whatever becomes of the request.  The others are
 * forgotten when it is not taken, and what they said of the visit with them.
 */

static void
ngx_http_cx_collect_wait_cleanup(void *data)
{
    ngx_http_cx_collect_wait_t *wait = data;

    ngx_uint_t  i;

    for (i = 0; i < wait->nwaiters; i++) {
        ngx_queue_remove(&wait->waiters[i].queue);
        ngx_queue_init(&wait->waiters[i].queue);
    }

    if (wait->event.timer_set) {
        ngx_del_timer(&wait->event);
    }

    if (wait->event.posted) {
        ngx_delete_posted_event(&wait->event);
    }

    if (!wait->taken) {
        ngx_http_cx_join_undo(wait->rest.elts, wait->rest.nelts);
        wait->rest.nelts = 0;
    }
}
