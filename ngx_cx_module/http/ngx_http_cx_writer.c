
/*
 * What leaves a worker, all channels together: which producer they are, and
 * when they are run.
 */


#include "ngx_http_cx_writer.h"
#include <ngx_sha1.h>
#include "cx_produce_lua.h"


#define NGX_HTTP_CX_WRITER_TICK   100      /* ms */
#define NGX_HTTP_CX_WRITER_POOL   1024


/* a channel of a producer that is gone */

typedef struct {
    ngx_http_cx_channel_t     channel;
    ngx_http_cx_stream_t      stream;
    ngx_pool_t               *pool;
} ngx_http_cx_foreign_t;


static ngx_int_t ngx_http_cx_writer_name(ngx_pool_t *pool,
    ngx_str_t *producer);
static ngx_int_t ngx_http_cx_writer_channels(ngx_pool_t *pool,
    ngx_str_t *producer);
static void ngx_http_cx_writer_events(ngx_log_t *log);
static void ngx_http_cx_writer_wake_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_flush_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_tick_handler(ngx_event_t *ev);
static void ngx_http_cx_writer_free(ngx_http_cx_channel_t *ch);
static void ngx_http_cx_writer_gauges(void);


ngx_http_cx_writer_t  ngx_http_cx_writer;

static ngx_str_t  ngx_http_cx_writer_script = {
    CX_PRODUCE_LUA_LEN, (u_char *) cx_produce_lua
};


ngx_int_t
ngx_http_cx_writer_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf)
{
    u_char                 sum[20];
    ngx_str_t              producer;
    ngx_sha1_t             sha1;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    wr->log = cycle->log;
    ngx_queue_init(&wr->channels);
    ngx_queue_init(&wr->work);

    if (cxmcf->redis == NULL) {
        return NGX_OK;
    }

    wr->conf = cxmcf;

    if (ngx_http_cx_writer_name(cycle->pool, &producer) != NGX_OK
        || ngx_http_cx_writer_channels(cycle->pool, &producer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, cx_produce_lua, CX_PRODUCE_LUA_LEN);
    ngx_sha1_final(sum, &sha1);
    ngx_hex_dump(wr->sha, sum, 20);

    ngx_http_cx_writer_events(cycle->log);

    if (ngx_http_cx_redis_init(cycle, cxmcf->redis,
                               &ngx_http_cx_writer_script)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (cxmcf->spool == NULL) {
        return NGX_OK;
    }

    return ngx_http_cx_spool_init(cycle, cxmcf, &producer);
}


/*
 * Two producers of one name would take each other's batches for repetitions:
 * nothing that another worker or host could share.
 */

static ngx_int_t
ngx_http_cx_writer_name(ngx_pool_t *pool, ngx_str_t *producer)
{
    u_char  random[NGX_HTTP_CX_PRODUCER / 2];

    producer->len = NGX_HTTP_CX_PRODUCER;
    producer->data = ngx_pnalloc(pool, NGX_HTTP_CX_PRODUCER);

    if (producer->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_cx_random(random, sizeof(random)) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, ngx_http_cx_writer.log, ngx_errno,
                      "cx: no random bytes from /dev/urandom");
        return NGX_ERROR;
    }

    ngx_hex_dump(producer->data, random, sizeof(random));

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_writer_channels(ngx_pool_t *pool, ngx_str_t *producer)
{
    u_char                  *p;
    ngx_uint_t               i, n;
    ngx_http_cx_writer_t    *wr;
    ngx_http_cx_stream_t   **streams;
    ngx_http_cx_channel_t   *ch;

    wr = &ngx_http_cx_writer;
    streams = wr->conf->streams.elts;
    n = wr->conf->streams.nelts * NGX_HTTP_CX_LANES;

    /* that of the signals is the same without its letter */

    p = ngx_pnalloc(pool, producer->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, producer->data, producer->len);
    p[producer->len] = 'a';

    wr->own = ngx_pcalloc(pool, (n + 1) * sizeof(ngx_http_cx_channel_t));
    if (wr->own == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ch = &wr->own[i];

        ngx_http_cx_channel_init(ch, streams[i / NGX_HTTP_CX_LANES],
                                 i % NGX_HTTP_CX_LANES);

        ch->producer.data = p;
        ch->producer.len = producer->len
                           + (ch->lane == NGX_HTTP_CX_LANE_ANSWERS);

        ngx_queue_insert_tail(&wr->channels, &ch->queue);
    }

    return NGX_OK;
}


static void
ngx_http_cx_writer_events(ngx_log_t *log)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    wr->dummy.fd = (ngx_socket_t) -1;

    wr->wake.handler = ngx_http_cx_writer_wake_handler;
    wr->wake.data = &wr->dummy;
    wr->wake.log = log;

    wr->flush.handler = ngx_http_cx_writer_flush_handler;
    wr->flush.data = &wr->dummy;
    wr->flush.log = log;
    wr->flush.cancelable = 1;

    wr->tick.handler = ngx_http_cx_writer_tick_handler;
    wr->tick.data = &wr->dummy;
    wr->tick.log = log;
}


ngx_http_cx_channel_t *
ngx_http_cx_writer_channel(ngx_http_cx_stream_t *stream, ngx_uint_t lane)
{
    if (ngx_http_cx_writer.own == NULL) {
        return NULL;
    }

    return &ngx_http_cx_writer.own[stream->index * NGX_HTTP_CX_LANES + lane];
}


void
ngx_http_cx_writer_wake(ngx_http_cx_channel_t *ch, ngx_uint_t now)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    wr->tick.cancelable = 0;

    if (!wr->tick.timer_set) {
        ngx_add_timer(&wr->tick, NGX_HTTP_CX_WRITER_TICK);
    }

    if (now || ngx_exiting) {
        ch->now = 1;

    } else {

        if (ch->open && !wr->flush.timer_set) {
            ngx_add_timer(&wr->flush, wr->conf->queue_flush);
        }

        if (ngx_queue_empty(&ch->ready)) {
            return;
        }
    }

    if (ch->nsent < wr->conf->queue_inflight || ch->spooling) {
        ngx_http_cx_writer_post(ch);
    }
}


void
ngx_http_cx_writer_post(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (!ch->working) {
        ch->working = 1;
        ngx_queue_insert_tail(&wr->work, &ch->work);
    }

    if (!wr->ending) {
        ngx_post_event(&wr->wake, &ngx_posted_events);
    }
}


static void
ngx_http_cx_writer_wake_handler(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;

    while (!ngx_queue_empty(&wr->work)) {
        q = ngx_queue_head(&wr->work);
        ngx_queue_remove(q);

        ch = ngx_queue_data(q, ngx_http_cx_channel_t, work);
        ch->working = 0;

        if (ch->orphan) {
            ngx_http_cx_writer_free(ch);
            continue;
        }

        ngx_http_cx_channel_run(ch);

        if (!wr->tick.timer_set && ngx_http_cx_channel_waits(ch)) {
            ngx_add_timer(&wr->tick, NGX_HTTP_CX_WRITER_TICK);
        }
    }

    ngx_http_cx_drain_settled();
    ngx_http_cx_writer_gauges();
}


static void
ngx_http_cx_writer_flush_handler(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;

    for (q = ngx_queue_head(&wr->channels);
         q != ngx_queue_sentinel(&wr->channels);
         q = ngx_queue_next(q))
    {
        ch = ngx_queue_data(q, ngx_http_cx_channel_t, queue);

        if (ch->open) {
            ch->now = 1;
            ngx_http_cx_writer_post(ch);
        }
    }
}


static void
ngx_http_cx_writer_tick_handler(ngx_event_t *ev)
{
    ngx_uint_t              waits;
    ngx_queue_t            *q;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;
    waits = 0;

    if (ngx_exiting && ngx_http_cx_drain() != NGX_OK) {
        return;
    }

    for (q = ngx_queue_head(&wr->channels);
         q != ngx_queue_sentinel(&wr->channels);
         q = ngx_queue_next(q))
    {
        ch = ngx_queue_data(q, ngx_http_cx_channel_t, queue);

        if (ch->orphan) {
            continue;
        }

        ch->refused = 0;

        if (ngx_exiting) {
            ch->now = 1;
        }

        ngx_http_cx_channel_run(ch);

        waits |= ngx_http_cx_channel_waits(ch);
    }

    if ((waits || ngx_http_cx_queue_held()) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_CX_WRITER_TICK);
    }

    ngx_http_cx_drain_settled();
    ngx_http_cx_writer_gauges();
}


void
ngx_http_cx_writer_route(void)
{
    ngx_queue_t            *q;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;

    for (q = ngx_queue_head(&wr->channels);
         q != ngx_queue_sentinel(&wr->channels);
         q = ngx_queue_next(q))
    {
        ch = ngx_queue_data(q, ngx_http_cx_channel_t, queue);

        if (ch->nsent == 0) {
            ch->conn = NULL;
        }

        if (ch->delay == 0) {
            ch->paused = 0;
        }

        if (ch->spooling || ch->now || !ngx_queue_empty(&ch->ready)) {
            ngx_http_cx_writer_post(ch);
        }
    }

    ngx_http_cx_writer_gauges();
}


void
ngx_http_cx_writer_quit(void)
{
    ngx_http_cx_writer_flush_handler(NULL);
}


void
ngx_http_cx_writer_readable(ngx_http_cx_channel_t *ch)
{
    ch->caught_up = 0;
    ngx_http_cx_writer_post(ch);
}


ngx_http_cx_channel_t *
ngx_http_cx_writer_adopt(cx_spool_head_t *head, ngx_http_cx_spool_t *spool)
{
    u_char                 *p;
    cx_str_t                key;
    ngx_pool_t             *pool;
    ngx_http_cx_stream_t   *stream;
    ngx_http_cx_foreign_t  *f;

    pool = ngx_create_pool(NGX_HTTP_CX_WRITER_POOL, ngx_http_cx_writer.log);
    if (pool == NULL) {
        return NULL;
    }

    f = ngx_pcalloc(pool, sizeof(ngx_http_cx_foreign_t));
    p = ngx_pnalloc(pool, 2 * head->stream.len + head->producer.len
                          + sizeof("cx:{}:events"));

    if (f == NULL || p == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    f->pool = pool;
    stream = &f->stream;

    ngx_http_cx_channel_init(&f->channel, stream, head->lane);

    stream->name.data = p;
    stream->name.len = head->stream.len;
    p = ngx_cpymem(p, head->stream.data, head->stream.len);

    f->channel.producer.data = p;
    f->channel.producer.len = head->producer.len;
    p = ngx_cpymem(p, head->producer.data, head->producer.len);

    stream->key.data = p;
    stream->key.len = ngx_sprintf(p, "cx:{%V}:events", &stream->name) - p;

    key.len = stream->key.len;
    key.data = stream->key.data;
    stream->slot = cx_redis_slot(&key);

    f->channel.foreign = 1;
    f->channel.spooling = 1;
    f->channel.spool = spool;

    ngx_queue_insert_tail(&ngx_http_cx_writer.channels, &f->channel.queue);
    ngx_http_cx_writer_post(&f->channel);

    return &f->channel;
}


/* who calls may be at work on the channel */

void
ngx_http_cx_writer_orphan(ngx_http_cx_channel_t *ch)
{
    ch->orphan = 1;
    ch->spool = NULL;
    ngx_http_cx_writer_post(ch);
}


static void
ngx_http_cx_writer_free(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_foreign_t  *f;

    f = ngx_queue_data(ch, ngx_http_cx_foreign_t, channel);

    ngx_http_cx_channel_forget(ch);
    ngx_queue_remove(&ch->queue);

    ngx_destroy_pool(f->pool);
}


static void
ngx_http_cx_writer_gauges(void)
{
    ngx_uint_t  open, wanted;

    ngx_http_cx_queue_gauges();
    ngx_http_cx_redis_links(&open, &wanted);

    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_INFLIGHT, ngx_http_cx_writer.inflight);
    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_LINKS, open);
    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_LINKS_WANTED, wanted);
}
