
/*
 * Events of this worker that are not yet in Redis, as batches: buffers that
 * hold events the way they go over the wire.  A batch is free, open (its site
 * fills it), ready (it waits to be sent) or with the writer.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_QUEUE_BODY  65536      /* bytes of events in a batch */
#define NGX_HTTP_CX_QUEUE_POOL  1024


typedef struct {
    ngx_pool_t                *pool;
    ngx_http_cx_main_conf_t   *conf;
    ngx_http_cx_batch_t      **open;       /* by site */
    ngx_queue_t                ready;      /* oldest first */
    ngx_queue_t                free;
    ngx_uint_t                 left;       /* batches not yet allocated */
    ngx_uint_t                 batches;    /* open, ready, with the writer */
    ngx_uint_t                 events;     /* in them */
} ngx_http_cx_queue_t;


static ngx_http_cx_batch_t *ngx_http_cx_queue_take(ngx_http_cx_site_t *site);
static ngx_http_cx_batch_t *ngx_http_cx_queue_alloc(void);
static ngx_http_cx_batch_t *ngx_http_cx_queue_evict(void);
static void ngx_http_cx_queue_close(ngx_http_cx_batch_t *b);
static void ngx_http_cx_queue_free(ngx_http_cx_batch_t *b);


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

    q->open = ngx_pcalloc(q->pool, (cxmcf->sites.nelts + 1)
                                   * sizeof(ngx_http_cx_batch_t *));
    if (q->open == NULL) {
        return NGX_ERROR;
    }

    q->conf = cxmcf;
    q->left = ngx_max(cxmcf->queue_size / (sizeof(ngx_http_cx_batch_t)
                                           + NGX_HTTP_CX_BATCH_HEAD
                                           + NGX_HTTP_CX_QUEUE_BODY), 2);

    ngx_queue_init(&q->ready);
    ngx_queue_init(&q->free);

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_queue_push(ngx_http_cx_site_t *site, cx_event_t *ev,
    ngx_http_cx_waiter_t *w)
{
    size_t                size;
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;
    size = 0;

    b = q->open[site->index];

    if (b) {
        size = cx_event_encode(ev, b->last, b->end - b->last);

        if (size == 0) {
            ngx_http_cx_queue_close(b);
        }
    }

    if (size == 0) {
        b = ngx_http_cx_queue_take(site);

        if (b == NULL) {
            ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_FULL, 1);
            return NGX_DECLINED;
        }

        /* the schema's limits are far below an empty batch */

        size = cx_event_encode(ev, b->last, b->end - b->last);
        q->open[site->index] = b;
    }

    b->last += size;
    b->args += cx_event_args(ev->type);
    b->answers += (ev->type == CX_ANSWER);
    b->events++;
    q->events++;

    if (w) {
        ngx_queue_insert_tail(&b->waiters, &w->queue);
    }

    if (b->events == q->conf->queue_batch) {
        ngx_http_cx_queue_close(b);
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_QUEUED, 1);
    ngx_http_cx_writer_wake(w != NULL);

    return NGX_OK;
}


/* an empty batch: a free one, a new one, or the one that is missed least */

static ngx_http_cx_batch_t *
ngx_http_cx_queue_take(ngx_http_cx_site_t *site)
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
        b = ngx_http_cx_queue_alloc();

        if (b == NULL) {
            b = ngx_http_cx_queue_evict();
        }

        if (b == NULL) {
            return NULL;
        }
    }

    b->site = site;
    b->seq = 0;
    b->events = 0;
    b->answers = 0;
    b->args = 0;
    b->last = b->body;

    q->batches++;

    return b;
}


static ngx_http_cx_batch_t *
ngx_http_cx_queue_alloc(void)
{
    u_char               *p;
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    if (q->left == 0) {
        return NULL;
    }

    p = ngx_palloc(q->pool, sizeof(ngx_http_cx_batch_t)
                            + NGX_HTTP_CX_BATCH_HEAD + NGX_HTTP_CX_QUEUE_BODY);
    if (p == NULL) {
        return NULL;
    }

    b = (ngx_http_cx_batch_t *) p;

    b->body = p + sizeof(ngx_http_cx_batch_t) + NGX_HTTP_CX_BATCH_HEAD;
    b->end = b->body + NGX_HTTP_CX_QUEUE_BODY;
    ngx_queue_init(&b->waiters);

    q->left--;

    return b;
}


/* the oldest one that holds no answer */

static ngx_http_cx_batch_t *
ngx_http_cx_queue_evict(void)
{
    ngx_queue_t          *p;
    ngx_http_cx_batch_t  *b;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    for (p = ngx_queue_head(&q->ready);
         p != ngx_queue_sentinel(&q->ready);
         p = ngx_queue_next(p))
    {
        b = ngx_queue_data(p, ngx_http_cx_batch_t, queue);

        if (b->answers == 0 && ngx_queue_empty(&b->waiters)) {
            ngx_queue_remove(p);

            ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_FULL, b->events);

            q->events -= b->events;
            q->batches--;

            return b;
        }
    }

    return NULL;
}


static void
ngx_http_cx_queue_close(ngx_http_cx_batch_t *b)
{
    ngx_http_cx_queue.open[b->site->index] = NULL;
    ngx_queue_insert_tail(&ngx_http_cx_queue.ready, &b->queue);
}


static void
ngx_http_cx_queue_free(ngx_http_cx_batch_t *b)
{
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    q->events -= b->events;
    q->batches--;

    /* the last one used is the one that is still in the CPU's caches */
    ngx_queue_insert_head(&q->free, &b->queue);
}


ngx_uint_t
ngx_http_cx_queue_empty(void)
{
    return ngx_http_cx_queue.batches == 0;
}


ngx_uint_t
ngx_http_cx_queue_ready(void)
{
    return !ngx_queue_empty(&ngx_http_cx_queue.ready);
}


ngx_http_cx_batch_t *
ngx_http_cx_queue_next(ngx_uint_t all)
{
    ngx_uint_t            i;
    ngx_queue_t          *p;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;

    if (all && ngx_queue_empty(&q->ready)) {
        for (i = 0; i < q->conf->sites.nelts; i++) {
            if (q->open[i]) {
                ngx_http_cx_queue_close(q->open[i]);
            }
        }
    }

    if (ngx_queue_empty(&q->ready)) {
        return NULL;
    }

    p = ngx_queue_head(&q->ready);
    ngx_queue_remove(p);

    return ngx_queue_data(p, ngx_http_cx_batch_t, queue);
}


void
ngx_http_cx_queue_done(ngx_http_cx_batch_t *b)
{
    ngx_queue_t           *p;
    ngx_http_cx_waiter_t  *w;

    ngx_http_cx_count(NGX_HTTP_CX_C_DELIVERED, b->events);

    /* a handler may end its request, and with it push the next event */

    while (!ngx_queue_empty(&b->waiters)) {
        p = ngx_queue_head(&b->waiters);
        ngx_queue_remove(p);

        w = ngx_queue_data(p, ngx_http_cx_waiter_t, queue);
        w->handler(w, 1);
    }

    ngx_http_cx_queue_free(b);
}


ngx_uint_t
ngx_http_cx_queue_drop(void)
{
    ngx_uint_t            n;
    ngx_http_cx_queue_t  *q;

    q = &ngx_http_cx_queue;
    n = q->events;

    ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_EXIT, n);

    ngx_destroy_pool(q->pool);
    ngx_memzero(q, sizeof(ngx_http_cx_queue_t));

    return n;
}
