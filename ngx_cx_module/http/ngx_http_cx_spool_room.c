
/*
 * How much is in the spool, and what goes when there is no more room.
 */


#include "ngx_http_cx_spool.h"


#define NGX_HTTP_CX_SPOOL_KEPT  8           /* part of it: for answers */


static ngx_http_cx_segment_t *ngx_http_cx_spool_oldest(void);
static ngx_http_cx_segment_t *ngx_http_cx_spool_spare(ngx_http_cx_spool_t *s);
static void ngx_http_cx_spool_drop(ngx_http_cx_segment_t *seg);
static void ngx_http_cx_spool_said_full(void);


/* of max_size, a part is kept for answers, as the signals that fill the spool
   may be another worker's; segments of signals make room, oldest first */

ngx_int_t
ngx_http_cx_spool_room(ngx_http_cx_channel_t *ch, size_t size)
{
    off_t                   max, bytes;
    uint64_t                value[NGX_HTTP_CX_GAUGE_N];
    ngx_http_cx_segment_t  *seg;

    max = ngx_http_cx_spool.conf->max_size;

    if (ch->lane != NGX_HTTP_CX_LANE_ANSWERS) {
        max -= max / NGX_HTTP_CX_SPOOL_KEPT;
    }

    max -= size + CX_SPOOL_HEAD_MAX;

    for ( ;; ) {
        ngx_http_cx_gauge_read(value);

        /* the zone may have had no place for this worker's */

        bytes = ngx_max((off_t) value[NGX_HTTP_CX_G_SPOOL_BYTES],
                        ngx_http_cx_spool.bytes)
                + ngx_http_cx_spool.aside;

        if (bytes <= max) {
            break;
        }

        ngx_http_cx_spool_said_full();

        seg = ngx_http_cx_spool_oldest();

        if (seg == NULL) {
            return NGX_DECLINED;
        }

        ngx_http_cx_spool_drop(seg);
    }

    if (ngx_http_cx_spool.full && bytes < max / 2) {
        ngx_http_cx_spool.full = 0;
        ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_spool.log, 0,
                      "cx: spool \"%V\" has room again",
                      &ngx_http_cx_spool.conf->path->name);
    }

    return NGX_OK;
}


static void
ngx_http_cx_spool_said_full(void)
{
    u_char     buf[256];
    ngx_str_t  text;

    if (ngx_http_cx_spool.full) {
        return;
    }

    ngx_http_cx_spool.full = 1;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "spool \"%V\" is full (%O "
                            "bytes): signals are dropped, oldest first",
                            &ngx_http_cx_spool.conf->path->name,
                            ngx_http_cx_spool.conf->max_size)
               - buf;

    ngx_http_cx_gauge_error(&text);
    ngx_log_error(NGX_LOG_ERR, ngx_http_cx_spool.log, 0, "cx: %V", &text);
}


/* the oldest segment of signals that can go; one that is written to only if
   there is no other */

static ngx_http_cx_segment_t *
ngx_http_cx_spool_oldest(void)
{
    ngx_queue_t            *q;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg, *oldest;

    oldest = NULL;

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (s->gone || s->head.lane == NGX_HTTP_CX_LANE_ANSWERS) {
            continue;
        }

        seg = ngx_http_cx_spool_spare(s);

        if (seg && (oldest == NULL || seg->full > oldest->full
                    || (seg->full == oldest->full && seg->ms < oldest->ms)))
        {
            oldest = seg;
        }
    }

    return oldest;
}


/* the first one that neither Redis nor the disk is just being given */

static ngx_http_cx_segment_t *
ngx_http_cx_spool_spare(ngx_http_cx_spool_t *s)
{
    ngx_queue_t            *q;
    ngx_http_cx_segment_t  *seg;

    for (q = ngx_queue_head(&s->segments);
         q != ngx_queue_sentinel(&s->segments);
         q = ngx_queue_next(q))
    {
        seg = ngx_queue_data(q, ngx_http_cx_segment_t, queue);

        if (seg->pending == 0 && seg->writing == 0 && !seg->bad) {
            return seg;
        }
    }

    return NULL;
}


static void
ngx_http_cx_spool_drop(ngx_http_cx_segment_t *seg)
{
    ngx_http_cx_spool_t  *s;

    s = seg->spool;

    ngx_http_cx_count(NGX_HTTP_CX_C_DROPPED_SPOOL_FULL, seg->events);

    ngx_http_cx_spool_forget(seg, NGX_HTTP_CX_SPOOL_REMOVE);

    s->tell = 1;
    ngx_http_cx_spool_settle(s);
    ngx_http_cx_spool_gauges();
}


void
ngx_http_cx_spool_gauges(void)
{
    uint64_t                since;
    ngx_queue_t            *q;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    since = 0;

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (!ngx_queue_empty(&s->segments)) {
            seg = ngx_queue_data(ngx_queue_head(&s->segments),
                                 ngx_http_cx_segment_t, queue);

            if (seg->ms && (since == 0 || seg->ms < since)) {
                since = seg->ms;
            }
        }
    }

    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_SPOOL_BYTES, ngx_http_cx_spool.bytes);
    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_SPOOL_EVENTS,
                          ngx_http_cx_spool.events);
    ngx_http_cx_gauge_set(NGX_HTTP_CX_G_SPOOL_SINCE, since);
}
