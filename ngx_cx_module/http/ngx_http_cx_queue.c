
/*
 * Events of this worker that are not yet in Redis or in the spool, as batches:
 * buffers that hold events the way they go over the wire.  All channels take
 * them from one bounded lot.  A batch is free, open (its channel fills it),
 * ready or sent; see channel.c.
 */


#include "ngx_http_cx_writer.h"


#define NGX_HTTP_CX_QUEUE_BODY  65536      /* bytes of events in a batch */
#define NGX_HTTP_CX_QUEUE_ROOM  512        /* of its head, for the command */
#define NGX_HTTP_CX_QUEUE_POOL  1024
#define NGX_HTTP_CX_QUEUE_KEEP  2          /* batches for replays */

#define NGX_HTTP_CX_QUEUE_SIZE                                                \
    (sizeof(ngx_http_cx_batch_t) + NGX_HTTP_CX_BATCH_HEAD                     \
     + NGX_HTTP_CX_QUEUE_BODY)


typedef struct {
    ngx_pool_t                *pool;
    ngx_http_cx_main_conf_t   *conf;
    ngx_queue_t                free;
    ngx_uint_t                 total;      /* batches, at most */
    ngx_uint_t                 keep;       /* of these, for replays only */
    ngx_uint_t                 spare;      /* free or not yet allocated */
    ngx_uint_t                 left;       /* not yet allocated */
    ngx_uint_t                 held;       /* open, ready, sent */
    ngx_uint_t                 replays;
    ngx_uint_t                 events;     /* in those held */
} ngx_http_cx_queue_t;


static ngx_http_cx_channel_t *ngx_http_cx_queue_channel(
    ngx_http_cx_site_t *site, cx_event_t *ev);
static ngx_http_cx_batch_t *ngx_http_cx_queue_open(ngx_http_cx_channel_t *ch);
static ngx_http_cx_batch_t *ngx_http_cx_queue_get(ngx_http_cx_channel_t *ch);
static ngx_int_t ngx_http_cx_queue_evict(void);
static ngx_http_cx_batch_t *ngx_http_cx_queue_oldest(
    ngx_http_cx_channel_t *ch);


static ngx_http_cx_queue_t  ngx_http_cx_queue;


ngx_int_t
ngx_http_cx_queue_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    q->pool = ngx_create_pool(NGX_HTTP_CX_QUEUE_POOL, cycle->log);
    if (q->pool == NULL) {
        return NGX_ERROR;
    }

    q->conf = cxmcf;
    q->keep = cxmcf->spool ? NGX_HTTP_CX_QUEUE_KEEP : 0;

    /* with many shards at least one for each that is being filled */

    q->total = cxmcf->queue_size / NGX_HTTP_CX_QUEUE_SIZE;
    q->total = ngx_max(q->total, NGX_HTTP_CX_LANES * cxmcf->streams.nelts + 2);
    q->total = ngx_max(q->total, q->keep + 2);

    q->left = q->total;
    q->spare = q->total;

    ngx_queue_init(&q->free);

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_queue_push(ngx_http_cx_site_t *site, cx_event_t *ev,
    ngx_http_cx_waiter_t *w)
{
    size_t                  size;
    ngx_uint_t              turn;
    ngx_http_cx_batch_t    *b;
    ngx_http_cx_queue_t    *q;
    ngx_http_cx_channel_t  *ch;

    q = &ngx_http_cx_queue;

    ch = ngx_http_cx_queue_channel(site, ev);
    if (ch == NULL) {
        return NGX_DECLINED;
    }

    b = ch->open;
    size = 0;
    turn = (w != NULL);

    if (b) {
        size = cx_event_encode(ev, b->last, b->end - b->last);

        if (size == 0) {
            ngx_http_cx_queue_close(ch);
        }
    }

    if (size == 0) {
        turn = 1;
        b = ngx_http_cx_queue_open(ch);

        if (b == NULL) {
            ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_FULL, 1);
            ngx_http_cx_writer_wake(ch, 0);
            return NGX_DECLINED;
        }

        /* the schema's limits are far below an empty batch */

        size = cx_event_encode(ev, b->last, b->end - b->last);
    }

    b->last += size;
    b->args += cx_event_args(ev->type);
    b->types |= 1 << ev->type;
    b->events++;
    q->events++;

    if (w) {
        ngx_queue_insert_tail(&b->waiters, &w->queue);
    }

    if (b->events == q->conf->queue_batch) {
        ngx_http_cx_queue_close(ch);
        turn = 1;
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_QUEUED, 1);

    if (turn) {
        ngx_http_cx_writer_wake(ch, w != NULL);
    }

    return NGX_OK;
}


/* of the shard of the visit, or of the answer: whoever completes one may have
   another visit key by then, at midnight or in another network; NULL: there is
   no Redis */

static ngx_http_cx_channel_t *
ngx_http_cx_queue_channel(ngx_http_cx_site_t *site, cx_event_t *ev)
{
    cx_str_t    *key;
    ngx_uint_t   k;

    k = 0;

    if (site->shards > 1) {
        key = (ev->type == CX_ANSWER) ? &ev->v[CX_ANSWER_ANSWER]
                                      : &ev->v[CX_COMMON_VISIT];

        if (key->len == 0) {
            key = &ev->v[CX_COMMON_VIEW];
        }

        if (key->len == 0) {
            key = &ev->v[CX_COMMON_PAGE];
        }

        k = cx_shard(key, site->shards);
    }

    return ngx_http_cx_writer_channel(&site->streams[k],
                                      ev->type == CX_ANSWER
                                      ? NGX_HTTP_CX_LANE_ANSWERS
                                      : NGX_HTTP_CX_LANE_SIGNALS);
}


/* a batch to fill: a free one, or that of what is missed least */

static ngx_http_cx_batch_t *
ngx_http_cx_queue_open(ngx_http_cx_channel_t *ch)
{
    ngx_uint_t            keep;
    ngx_time_t           *tp;
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;
    keep = q->keep - ngx_min(q->keep, q->replays);

    if (q->spare <= keep && ngx_http_cx_queue_evict() != NGX_OK) {
        return NULL;
    }

    b = ngx_http_cx_queue_get(ch);
    if (b == NULL) {
        return NULL;
    }

    tp = ngx_timeofday();
    b->ms = (uint64_t) tp->sec * 1000 + tp->msec;

    b->last = b->body;
    ch->open = b;

    q->held++;

    return b;
}


ngx_http_cx_batch_t *
ngx_http_cx_queue_take(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    /* new events come first, but there is always one for a replay: it is what
       makes room again */

    if (q->spare <= q->total / 4 && q->replays >= NGX_HTTP_CX_QUEUE_KEEP) {
        return NULL;
    }

    b = ngx_http_cx_queue_get(ch);

    if (b) {
        b->replay = 1;
        b->data = (u_char *) (b + 1) + NGX_HTTP_CX_QUEUE_ROOM;
        b->last = b->data;
        q->replays++;
    }

    return b;
}


static ngx_http_cx_batch_t *
ngx_http_cx_queue_get(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *p;
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    if (!ngx_queue_empty(&q->free)) {
        p = ngx_queue_head(&q->free);
        ngx_queue_remove(p);
        b = ngx_queue_data(p, ngx_http_cx_batch_t, queue);

    } else {

        if (q->left == 0) {
            return NULL;
        }

        b = ngx_palloc(q->pool, NGX_HTTP_CX_QUEUE_SIZE);
        if (b == NULL) {
            return NULL;
        }

        q->left--;
    }

    ngx_memzero(b, sizeof(ngx_http_cx_batch_t));

    b->channel = ch;
    b->body = (u_char *) (b + 1) + NGX_HTTP_CX_BATCH_HEAD;
    b->end = b->body + NGX_HTTP_CX_QUEUE_BODY;
    ngx_queue_init(&b->waiters);

    q->spare--;

    return b;
}


/* frees the oldest batch of signals that nobody else is busy with */

static ngx_int_t
ngx_http_cx_queue_evict(void)
{
    ngx_queue_t            *p;
    ngx_http_cx_batch_t    *b, *oldest;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;
    oldest = NULL;

    for (p = ngx_queue_head(&wr->channels);
         p != ngx_queue_sentinel(&wr->channels);
         p = ngx_queue_next(p))
    {
        ch = ngx_queue_data(p, ngx_http_cx_channel_t, queue);

        if (ch->lane == NGX_HTTP_CX_LANE_ANSWERS) {
            continue;
        }

        b = ngx_http_cx_queue_oldest(ch);

        if (b && (oldest == NULL
                  || (ngx_msec_int_t) (b->born - oldest->born) < 0))
        {
            oldest = b;
        }
    }

    if (oldest == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_FULL, oldest->events);

    ngx_queue_remove(&oldest->queue);
    ngx_http_cx_queue_done(oldest, 0);

    return NGX_OK;
}


static ngx_http_cx_batch_t *
ngx_http_cx_queue_oldest(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *p;
    ngx_http_cx_batch_t  *b;

    for (p = ngx_queue_head(&ch->ready);
         p != ngx_queue_sentinel(&ch->ready);
         p = ngx_queue_next(p))
    {
        b = ngx_queue_data(p, ngx_http_cx_batch_t, queue);

        if (!b->sending && !b->spooled) {
            return b;
        }
    }

    return NULL;
}


void
ngx_http_cx_queue_close(ngx_http_cx_channel_t *ch)
{
    size_t                len;
    u_char                names[NGX_HTTP_CX_BATCH_HEAD
                                - NGX_HTTP_CX_QUEUE_ROOM];
    unsigned              args;
    ngx_http_cx_batch_t  *b;

    b = ch->open;
    ch->open = NULL;

    /* t/unit/event.c: the names of all types fit */

    len = cx_event_names(b->types, names, sizeof(names), &args);

    b->data = b->body - len;
    ngx_memcpy(b->data, names, len);

    b->args += args;
    b->born = ngx_current_msec;

    ngx_queue_insert_tail(&ch->ready, &b->queue);
}


void
ngx_http_cx_queue_done(ngx_http_cx_batch_t *b, ngx_uint_t ok)
{
    ngx_http_cx_queue_leave(b, ok);
    ngx_http_cx_queue_free(b);
}


void
ngx_http_cx_queue_leave(ngx_http_cx_batch_t *b, ngx_uint_t ok)
{
    ngx_queue_t           *p;
    ngx_http_cx_queue_t   *q;
    ngx_http_cx_waiter_t  *w;

    q = &ngx_http_cx_queue;

    if (!b->replay) {
        q->held--;
        q->events -= b->events;
    }

    b->stale = 1;
    b->gone = 1;

    if (ngx_http_cx_writer.ending) {
        return;
    }

    /* a handler only leaves word for the event loop */

    while (!ngx_queue_empty(&b->waiters)) {
        p = ngx_queue_head(&b->waiters);
        ngx_queue_remove(p);

        w = ngx_queue_data(p, ngx_http_cx_waiter_t, queue);
        w->handler(w, ok);
    }
}


void
ngx_http_cx_queue_free(ngx_http_cx_batch_t *b)
{
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    if (b->replay) {
        q->replays--;
    }

    q->spare++;

    /* the last one used is the one that is still in the CPU's caches */
    ngx_queue_insert_head(&q->free, &b->queue);
}


ngx_uint_t
ngx_http_cx_queue_held(void)
{
    return ngx_http_cx_queue.held;
}


ngx_uint_t
ngx_http_cx_queue_tight(void)
{
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    return q->held * 4 >= (q->total - q->keep) * 3;
}


void
ngx_http_cx_queue_gauges(void)
{
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_QUEUE_EVENTS, q->events);
    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_QUEUE_BYTES,
                          (q->total - q->spare) * NGX_HTTP_CX_QUEUE_SIZE);
}


ngx_uint_t
ngx_http_cx_queue_drop(void)
{
    ngx_uint_t            n;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;
    n = q->events;

    if (n) {
        ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_EXIT, n);
    }

    ngx_destroy_pool(q->pool);
    ngx_memzero(q, sizeof(ngx_http_cx_queue_t));

    return n;
}
