
/*
 * The end of a worker: how long one that exits waits for its events, and where
 * those go that it could not deliver.
 */


#include "ngx_http_cx_writer.h"


#define NGX_HTTP_CX_DRAIN_WAIT  2000       /* ms for Redis, */
#define NGX_HTTP_CX_DRAIN_LATE  1000       /* and then for the disk */


static void ngx_http_cx_drain_hasten(void);


ngx_int_t
ngx_http_cx_drain(void)
{
    ngx_msec_int_t         late;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (!wr->draining) {
        wr->draining = 1;
        wr->deadline = ngx_current_msec + NGX_HTTP_CX_DRAIN_WAIT;

        ngx_http_cx_drain_hasten();
    }

    late = (ngx_msec_int_t) (ngx_current_msec - wr->deadline);

    if (late < 0) {
        return NGX_OK;
    }

    if (ngx_http_cx_spool_usable() && late < NGX_HTTP_CX_DRAIN_LATE) {
        wr->late = 1;
        return NGX_OK;
    }

    /* another event, if requests still run, is another chance */

    wr->tick.cancelable = 1;
    wr->draining = 0;
    wr->late = 0;

    return NGX_DECLINED;
}


/* once, as there is no time to wait for the next attempt */

static void
ngx_http_cx_drain_hasten(void)
{
    ngx_uint_t              open, wanted;
    ngx_queue_t            *q;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;

    if (wr->hastened) {
        return;
    }

    wr->hastened = 1;

    for (q = ngx_queue_head(&wr->channels);
         q != ngx_queue_sentinel(&wr->channels);
         q = ngx_queue_next(q))
    {
        ch = ngx_queue_data(q, ngx_http_cx_channel_t, queue);
        ch->paused = 0;
    }

    ngx_http_cx_redis_links(&open, &wanted);

    if (open == 0) {
        ngx_http_cx_redis_close();
    }
}


void
ngx_http_cx_drain_settled(void)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (ngx_http_cx_queue_held() == 0) {
        wr->tick.cancelable = 1;
        wr->draining = 0;
        wr->late = 0;
    }
}


void
ngx_http_cx_writer_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t             n;
    ngx_queue_t           *q;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (wr->conf == NULL) {
        return;
    }

    wr->ending = 1;

    ngx_http_cx_redis_close();

    if (wr->conf->spool) {
        ngx_http_cx_spool_hurry();

        for (q = ngx_queue_head(&wr->channels);
             q != ngx_queue_sentinel(&wr->channels);
             q = ngx_queue_next(q))
        {
            ngx_http_cx_channel_rescue(ngx_queue_data(q, ngx_http_cx_channel_t,
                                                      queue));
        }

        ngx_http_cx_spool_exit();
    }

    n = ngx_http_cx_queue_drop();

    if (n) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "cx: redis \"%V\": %ui events were not acknowledged "
                      "before the worker had to exit, and are lost",
                      &wr->conf->redis->label, n);
    }

    wr->conf = NULL;
    wr->own = NULL;
}
