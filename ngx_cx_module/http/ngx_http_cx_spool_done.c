
/*
 * What became of operations on files: channels are told, in order, and what
 * goes wrong is said once.
 */


#include "ngx_http_cx_spool.h"


#define NGX_HTTP_CX_SPOOL_PAUSE    1000        /* ms after a failure */
#define NGX_HTTP_CX_SPOOL_SYNC_MS  1000

/* ms since the last failure: then it is over, and then it is another one */
#define NGX_HTTP_CX_SPOOL_WELL     (NGX_HTTP_CX_SPOOL_PAUSE + 100)
#define NGX_HTTP_CX_SPOOL_FORGET   60000


static void ngx_http_cx_spool_written(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_unwritten(ngx_queue_t *ops);
static void ngx_http_cx_spool_back(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_well(void);


void
ngx_http_cx_spool_done(ngx_queue_t *ops)
{
    ngx_queue_t             *q, failed;
    ngx_http_cx_spool_op_t  *op;

    ngx_queue_init(&failed);

    while (!ngx_queue_empty(ops)) {
        q = ngx_queue_head(ops);
        ngx_queue_remove(q);
        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);

        if (op->kind == NGX_HTTP_CX_SPOOL_WRITE) {

            /* what stands before it was found corrupt meanwhile: nobody would
               read it, and what follows it must not come first */

            if (op->offset >= op->segment->end) {
                op->spool->lost = 1;
            }

            if (op->err || op->spool->lost) {
                ngx_queue_insert_tail(&failed, q);

            } else {
                ngx_http_cx_spool_written(op);
            }

            continue;
        }

        if (op->kind == NGX_HTTP_CX_SPOOL_FETCH) {
            ngx_http_cx_spool_fetched(op);

        } else if (op->err) {
            ngx_http_cx_spool_trouble(op->call,
                                      op->segment ? op->segment->name : NULL,
                                      op->err);
        }

        if (op->kind == NGX_HTTP_CX_SPOOL_REMOVE
            || op->kind == NGX_HTTP_CX_SPOOL_ASIDE)
        {
            ngx_free(op->segment);

        } else if (op->kind == NGX_HTTP_CX_SPOOL_UNLOCK && !op->owner->own) {
            ngx_free(op->owner);
        }

        ngx_http_cx_spool_op_free(op);
    }

    if (!ngx_queue_empty(&failed)) {
        ngx_http_cx_spool_unwritten(&failed);
    }

    ngx_http_cx_spool_gauges();
    ngx_http_cx_spool_post();
}


static void
ngx_http_cx_spool_written(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_batch_t     *b;
    ngx_http_cx_spool_t     *s;
    ngx_http_cx_segment_t   *seg;

    b = op->batch;
    s = op->spool;
    seg = op->segment;

    ngx_http_cx_spool_well();

    seg->writing--;
    seg->size = op->offset + op->size;
    seg->events += b->events;
    ngx_http_cx_spool.events += b->events;
    ngx_http_cx_count(NGX_HTTP_CX_C_SPOOLED, b->events);

    if (ngx_http_cx_spool.conf->sync == NGX_HTTP_CX_SYNC_INTERVAL
        && !seg->full)
    {
        seg->dirty = 1;

        if (!ngx_http_cx_spool.sync.timer_set) {
            ngx_add_timer(&ngx_http_cx_spool.sync, NGX_HTTP_CX_SPOOL_SYNC_MS);
        }
    }

    if (s->hungry) {
        s->hungry = 0;
        s->tell = 1;
    }

    ngx_http_cx_spool_op_free(op);

    ngx_http_cx_writer_spooled(b, 1);
}


/* what failed, and what was to follow it, goes back to its channels in order;
   nothing is appended until all of them know */

static void
ngx_http_cx_spool_unwritten(ngx_queue_t *ops)
{
    ngx_queue_t             *q;
    ngx_http_cx_batch_t     *b;
    ngx_http_cx_spool_op_t  *op;

    ngx_http_cx_spool.retry = ngx_current_msec + NGX_HTTP_CX_SPOOL_PAUSE;

    /* the queue grows behind the last one */

    for (q = ngx_queue_head(ops);
         q != ngx_queue_sentinel(ops);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);

        if (op->call) {
            ngx_http_cx_spool_trouble(op->call, op->segment->name, op->err);
        }

        if (op->spool->failed || op->spool->lost) {
            op->spool->failed = 0;
            op->spool->lost = 0;
            ngx_http_cx_spool_take(op->spool, ops);
        }
    }

    for (q = ngx_queue_last(ops);
         q != ngx_queue_sentinel(ops);
         q = ngx_queue_prev(q))
    {
        ngx_http_cx_spool_back(ngx_queue_data(q, ngx_http_cx_spool_op_t,
                                              queue));
    }

    while (!ngx_queue_empty(ops)) {
        q = ngx_queue_head(ops);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_http_cx_spool_op_t, queue);
        b = op->batch;
        ngx_http_cx_spool_op_free(op);

        ngx_http_cx_writer_spooled(b, 0);
    }
}


/* takes the room for a record back, those behind it having gone before */

static void
ngx_http_cx_spool_back(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_segment_t  *seg;

    seg = op->segment;
    seg->writing--;

    if (op->offset < seg->end) {
        ngx_http_cx_spool.bytes -= seg->end - op->offset;
        seg->end = op->offset;
    }

    /* if the file could not be cut, no record may follow what is there */

    ngx_http_cx_spool_finish(seg);

    if (seg->writing == 0 && seg->end == seg->head && !seg->bad) {
        ngx_http_cx_spool_forget(seg, NGX_HTTP_CX_SPOOL_REMOVE);
    }

    ngx_http_cx_spool_settle(op->spool);
}


void
ngx_http_cx_spool_trouble(const char *call, u_char *name, ngx_err_t err)
{
    u_char      buf[512];
    ngx_str_t   text;

    ngx_uint_t  said;

    said = ngx_http_cx_spool.trouble
           && ngx_current_msec - ngx_http_cx_spool.failed
              < NGX_HTTP_CX_SPOOL_FORGET;

    ngx_http_cx_spool.failed = ngx_current_msec;

    if (said) {
        return;
    }

    ngx_http_cx_spool.trouble = 1;
    ngx_http_cx_spool.since = ngx_current_msec;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "spool: %s \"%V%s%s\" failed",
                            call, &ngx_http_cx_spool.conf->path->name,
                            name ? "/" : "", name ? (char *) name : "")
               - buf;

    ngx_http_cx_gauge_error(&text);
    ngx_log_error(NGX_LOG_ERR, ngx_http_cx_spool.log, err,
                  "cx: %V, events wait in memory", &text);
}


/* on a disk that is nearly full, small writes do well between large ones that
   fail: that is one trouble, and not many */

static void
ngx_http_cx_spool_well(void)
{
    if (ngx_http_cx_spool.trouble
        && ngx_current_msec - ngx_http_cx_spool.failed
           >= NGX_HTTP_CX_SPOOL_WELL)
    {
        ngx_http_cx_spool.trouble = 0;

        ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_spool.log, 0,
                      "cx: spool \"%V\" can be used again after %M ms",
                      &ngx_http_cx_spool.conf->path->name,
                      ngx_current_msec - ngx_http_cx_spool.since);
    }
}
