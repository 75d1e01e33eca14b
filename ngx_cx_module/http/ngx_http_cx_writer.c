
/*
 * Sends batches through the produce script: numbers them, keeps at most a
 * window of them unacknowledged, sends those again after a connection was
 * lost, and holds an exiting worker until its events are in Redis.
 */


#include "ngx_http_cx.h"
#include <ngx_sha1.h>
#include "cx_produce_lua.h"


#define NGX_HTTP_CX_WRITER_TICK   100      /* ms */
#define NGX_HTTP_CX_WRITER_DRAIN  2000     /* ms an exiting worker waits */
#define NGX_HTTP_CX_WRITER_MARKS  604800   /* s Redis remembers batches */

#define NGX_HTTP_CX_WRITER_ID     16       /* hex digits of the producer */


typedef struct {
    ngx_http_cx_main_conf_t  *conf;        /* NULL: nothing to deliver to */
    ngx_log_t                *log;
    u_char                    id[NGX_HTTP_CX_WRITER_ID];
    u_char                    sha[40];
    uint64_t                 *seq;         /* last one given, by site */
    ngx_queue_t               sent;        /* unacknowledged, in this order */
    ngx_uint_t                nsent;
    ngx_event_t               wake;        /* posted: send what may be sent */
    ngx_event_t               flush;       /* open batches are old enough */
    ngx_event_t               tick;        /* set while events wait: keeps an
                                              exiting worker from leaving */
    ngx_connection_t          dummy;
    ngx_msec_t                deadline;
    unsigned                  draining:1;  /* deadline is set */
    unsigned                  all:1;       /* open batches must go as well */
} ngx_http_cx_writer_t;


static void ngx_http_cx_writer_wake_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_flush_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_tick_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_send(void);
static void ngx_http_cx_writer_batch(ngx_http_cx_batch_t *b);
static void ngx_http_cx_writer_head(ngx_http_cx_batch_t *b);
static u_char *ngx_http_cx_writer_number(u_char *p, uint64_t n);
static void ngx_http_cx_writer_ready(void);
static void ngx_http_cx_writer_acked(ngx_int_t status, ngx_int_t trimmed);
static void ngx_http_cx_writer_quit(void);


static ngx_http_cx_writer_t  ngx_http_cx_writer;

static ngx_str_t  ngx_http_cx_writer_script = {
    CX_PRODUCE_LUA_LEN, (u_char *) cx_produce_lua
};

static ngx_http_cx_redis_handlers_t  ngx_http_cx_writer_handlers = {
    ngx_http_cx_writer_ready,
    ngx_http_cx_writer_acked,
    ngx_http_cx_writer_quit
};


ngx_int_t
ngx_http_cx_writer_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf)
{
    u_char                 sum[20], random[NGX_HTTP_CX_WRITER_ID / 2];
    ngx_sha1_t             sha1;
    ngx_http_cx_writer_t  *wr;

    if (cxmcf->redis == NULL) {
        return NGX_OK;
    }

    wr = &ngx_http_cx_writer;

    wr->conf = cxmcf;
    wr->log = cycle->log;

    wr->seq = ngx_pcalloc(cycle->pool, (cxmcf->sites.nelts + 1)
                                       * sizeof(uint64_t));
    if (wr->seq == NULL) {
        return NGX_ERROR;
    }

    /*
     * Two producers of one name would take each other's batches for
     * repetitions: nothing that another worker or host could share.
     */

    if (ngx_http_cx_random(random, sizeof(random)) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "cx: no random bytes from /dev/urandom");
        return NGX_ERROR;
    }

    ngx_hex_dump(wr->id, random, sizeof(random));

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, cx_produce_lua, CX_PRODUCE_LUA_LEN);
    ngx_sha1_final(sum, &sha1);
    ngx_hex_dump(wr->sha, sum, 20);

    ngx_queue_init(&wr->sent);

    wr->dummy.fd = (ngx_socket_t) -1;

    wr->wake.handler = ngx_http_cx_writer_wake_handler;
    wr->wake.data = &wr->dummy;
    wr->wake.log = cycle->log;

    wr->flush.handler = ngx_http_cx_writer_flush_handler;
    wr->flush.data = &wr->dummy;
    wr->flush.log = cycle->log;
    wr->flush.cancelable = 1;

    wr->tick.handler = ngx_http_cx_writer_tick_handler;
    wr->tick.data = &wr->dummy;
    wr->tick.log = cycle->log;

    return ngx_http_cx_redis_init(cycle, cxmcf->redis,
                                  &ngx_http_cx_writer_script,
                                  cxmcf->queue_inflight,
                                  &ngx_http_cx_writer_handlers);
}


void
ngx_http_cx_writer_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t             n;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (wr->conf == NULL) {
        return;
    }

    ngx_http_cx_redis_close();

    n = ngx_http_cx_queue_drop();

    if (n) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "cx: redis \"%V\": %ui events were not acknowledged "
                      "before the worker had to exit, and are lost",
                      &wr->conf->redis->url, n);
    }

    wr->conf = NULL;
}


void
ngx_http_cx_writer_wake(ngx_uint_t now)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (!wr->tick.timer_set) {
        ngx_add_timer(&wr->tick, NGX_HTTP_CX_WRITER_TICK);
    }

    if (now || ngx_exiting) {
        wr->all = 1;

    } else if (!ngx_http_cx_queue_ready()) {

        if (!wr->flush.timer_set) {
            ngx_add_timer(&wr->flush, wr->conf->queue_flush);
        }

        return;
    }

    if (wr->nsent < wr->conf->queue_inflight) {
        ngx_post_event(&wr->wake, &ngx_posted_events);
    }
}


static void
ngx_http_cx_writer_wake_handler(ngx_event_t *ev)
{
    ngx_http_cx_writer_send();
}


static void
ngx_http_cx_writer_flush_handler(ngx_event_t *ev)
{
    ngx_http_cx_writer.all = 1;
    ngx_http_cx_writer_send();
}


static void
ngx_http_cx_writer_tick_handler(ngx_event_t *ev)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (ngx_exiting) {

        if (!wr->draining) {
            wr->draining = 1;
            wr->deadline = ngx_current_msec + NGX_HTTP_CX_WRITER_DRAIN;

            if (!ngx_http_cx_redis_ready()) {
                /* no time to wait for the next attempt */
                ngx_http_cx_redis_close();
            }
        }

        if ((ngx_msec_int_t) (ngx_current_msec - wr->deadline) >= 0) {

            /* another event, if requests still run, is another chance */

            wr->draining = 0;
            ngx_http_cx_redis_close();
            return;
        }

        wr->all = 1;
    }

    ngx_http_cx_writer_send();

    if (!ngx_http_cx_queue_empty()) {
        ngx_add_timer(&wr->tick, NGX_HTTP_CX_WRITER_TICK);
    }
}


/* sends what the window has room for */

static void
ngx_http_cx_writer_send(void)
{
    ngx_http_cx_batch_t   *b;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (ngx_http_cx_queue_empty()) {
        wr->all = 0;
        wr->draining = 0;

        if (wr->tick.timer_set) {
            ngx_del_timer(&wr->tick);
        }

        if (ngx_exiting) {
            ngx_http_cx_redis_close();
        }

        return;
    }

    if (!ngx_http_cx_redis_ready()) {
        ngx_http_cx_redis_connect();
        return;
    }

    while (wr->nsent < wr->conf->queue_inflight) {

        b = ngx_http_cx_queue_next(wr->all);

        if (b == NULL) {
            wr->all = 0;
            break;
        }

        b->seq = ++wr->seq[b->site->index];
        ngx_http_cx_writer_head(b);

        ngx_queue_insert_tail(&wr->sent, &b->queue);
        wr->nsent++;

        ngx_http_cx_writer_batch(b);
    }
}


static void
ngx_http_cx_writer_batch(ngx_http_cx_batch_t *b)
{
    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, ngx_http_cx_writer.log, 0,
                   "cx batch %V %uL: %ui events, %uz bytes",
                   &b->site->name, b->seq, b->events, b->last - b->body);

    ngx_http_cx_count(NGX_HTTP_CX_C_BATCHES, 1);
    ngx_http_cx_redis_send(b->head, b->last);
}


/* everything of the command before the events, right before the events */

static void
ngx_http_cx_writer_head(ngx_http_cx_batch_t *b)
{
    u_char                *p, head[NGX_HTTP_CX_BATCH_HEAD];
    ngx_str_t             *site;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;
    site = &b->site->name;

    p = ngx_sprintf(head, "*%ui" CRLF "$7" CRLF "EVALSHA" CRLF "$40" CRLF,
                    8 + b->args);
    p = ngx_cpymem(p, wr->sha, 40);

    p = ngx_sprintf(p, CRLF "$1" CRLF "2" CRLF "$%uz" CRLF "%V" CRLF,
                    b->site->stream.len, &b->site->stream);

    p = ngx_sprintf(p, "$%uz" CRLF "cx:{%V}:producer:",
                    sizeof("cx:{}:producer:") - 1 + site->len
                    + NGX_HTTP_CX_WRITER_ID, site);
    p = ngx_cpymem(p, wr->id, NGX_HTTP_CX_WRITER_ID);
    *p++ = CR;
    *p++ = LF;

    p = ngx_http_cx_writer_number(p, b->seq);
    p = ngx_http_cx_writer_number(p, wr->conf->stream_max);
    p = ngx_http_cx_writer_number(p, NGX_HTTP_CX_WRITER_MARKS);

    b->head = b->body - (p - head);
    ngx_memcpy(b->head, head, p - head);
}


static u_char *
ngx_http_cx_writer_number(u_char *p, uint64_t n)
{
    u_char  *last, text[NGX_INT64_LEN];

    last = ngx_sprintf(text, "%uL", n);

    p = ngx_sprintf(p, "$%uz" CRLF, last - text);
    p = ngx_cpymem(p, text, last - text);
    *p++ = CR;
    *p++ = LF;

    return p;
}


static void
ngx_http_cx_writer_ready(void)
{
    ngx_queue_t           *q;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    for (q = ngx_queue_head(&wr->sent);
         q != ngx_queue_sentinel(&wr->sent);
         q = ngx_queue_next(q))
    {
        ngx_http_cx_writer_batch(ngx_queue_data(q, ngx_http_cx_batch_t, queue));
    }

    ngx_http_cx_writer_send();
}


static void
ngx_http_cx_writer_acked(ngx_int_t status, ngx_int_t trimmed)
{
    ngx_queue_t           *q;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    q = ngx_queue_head(&wr->sent);
    ngx_queue_remove(q);
    wr->nsent--;

    if (status == 0) {
        ngx_http_cx_count(NGX_HTTP_CX_C_DUPLICATE, 1);
    }

    if (trimmed) {
        ngx_http_cx_count(NGX_HTTP_CX_C_TRIMMED, trimmed);
    }

    ngx_http_cx_queue_done(ngx_queue_data(q, ngx_http_cx_batch_t, queue));

    /* after all replies of this turn, to write once */
    ngx_post_event(&wr->wake, &ngx_posted_events);
}


static void
ngx_http_cx_writer_quit(void)
{
    ngx_http_cx_writer.all = 1;
    ngx_http_cx_writer_send();
}
