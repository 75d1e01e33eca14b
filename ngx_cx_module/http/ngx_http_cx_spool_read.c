
/*
 * Reading the spool back: records in order, each checked, and what is to be
 * done when Redis has them or when they are damaged.
 */


#include "ngx_http_cx_spool.h"


static ngx_int_t ngx_http_cx_spool_next(ngx_http_cx_spool_t *s,
    ngx_http_cx_segment_t *seg, ngx_http_cx_batch_t *b);
static ngx_int_t ngx_http_cx_spool_record(ngx_http_cx_spool_t *s,
    ngx_http_cx_segment_t *seg, cx_spool_record_t *rec, ngx_http_cx_batch_t *b);
static ngx_int_t ngx_http_cx_spool_ahead(ngx_http_cx_spool_t *s,
    ngx_http_cx_segment_t *seg, size_t want);
static void ngx_http_cx_spool_behind(ngx_http_cx_spool_t *s);
static void ngx_http_cx_spool_short(ngx_http_cx_segment_t *seg, off_t size);
static void ngx_http_cx_spool_unreadable(ngx_http_cx_spool_op_t *op);
static void ngx_http_cx_spool_torn(ngx_http_cx_segment_t *seg);
static void ngx_http_cx_spool_corrupt(ngx_http_cx_segment_t *seg);
static void ngx_http_cx_spool_end_at(ngx_http_cx_segment_t *seg, off_t end);
static void ngx_http_cx_spool_lost(ngx_http_cx_segment_t *seg,
    ngx_uint_t counter);
static void ngx_http_cx_spool_unmark(ngx_http_cx_spool_mark_t *mark);
static void ngx_http_cx_spool_detach(ngx_http_cx_spool_t *s);


ngx_int_t
ngx_http_cx_spool_read(ngx_http_cx_channel_t *ch, ngx_http_cx_batch_t *b)
{
    ngx_int_t               rc;
    ngx_queue_t            *q;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    for ( ;; ) {
        s = ch->spool;

        if (s == NULL) {
            return NGX_DONE;
        }

        seg = s->reading;

        if (seg == NULL) {
            s->hungry = 1;
            return NGX_DONE;
        }

        if (seg->read < seg->size) {
            rc = ngx_http_cx_spool_next(s, seg, b);

            if (rc != NGX_DECLINED) {
                return rc;
            }

            /* damaged: what follows in other segments is not */

            continue;
        }

        q = ngx_queue_next(&seg->queue);

        if (seg->writing || q == ngx_queue_sentinel(&s->segments)) {
            s->hungry = 1;
            ngx_http_cx_spool_behind(s);
            return seg->writing ? NGX_AGAIN : NGX_DONE;
        }

        s->reading = ngx_queue_data(q, ngx_http_cx_segment_t, queue);
    }
}


/* the record at seg->read; NGX_DECLINED: there is none */

static ngx_int_t
ngx_http_cx_spool_next(ngx_http_cx_spool_t *s, ngx_http_cx_segment_t *seg,
    ngx_http_cx_batch_t *b)
{
    off_t               rest;
    size_t              skip, len, size;
    u_char             *p;
    cx_spool_e          rc;
    cx_spool_record_t   rec;

    if (s->fetching) {
        return NGX_AGAIN;
    }

    rest = seg->size - seg->read;

    if (s->ahead_number != seg->number || seg->read < s->ahead_from
        || seg->read >= s->ahead_from + (off_t) s->ahead_len)
    {
        return ngx_http_cx_spool_ahead(s, seg, 0);
    }

    skip = (size_t) (seg->read - s->ahead_from);
    p = s->ahead + skip;
    len = ngx_min((off_t) (s->ahead_len - skip), rest);

    rc = cx_spool_record_read(&rec, p, len, &size);

    if (rc == CX_SPOOL_OK
        && rec.payload.len <= (size_t) (b->end - b->data))
    {
        return ngx_http_cx_spool_record(s, seg, &rec, b);
    }

    /* more of it; and whatever is wrong with the last bytes of a file can only
       be told from all of them */

    if (rc != CX_SPOOL_OK && (off_t) len < rest
        && (rc == CX_SPOOL_MORE || rest <= NGX_HTTP_CX_SPOOL_RECORD))
    {
        if (rc == CX_SPOOL_BAD || (off_t) size > rest) {
            size = (size_t) ngx_min(rest, NGX_HTTP_CX_SPOOL_RECORD);
        }

        return ngx_http_cx_spool_ahead(s, seg, size);
    }

    if (rc != CX_SPOOL_OK && (off_t) len == rest && seg->writing == 0
        && cx_spool_damage(p, len) == CX_SPOOL_MORE)
    {
        ngx_http_cx_spool_torn(seg);

    } else {
        ngx_http_cx_spool_corrupt(seg);
    }

    ngx_http_cx_spool_settle(s);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cx_spool_record(ngx_http_cx_spool_t *s, ngx_http_cx_segment_t *seg,
    cx_spool_record_t *rec, ngx_http_cx_batch_t *b)
{
    ngx_http_cx_spool_mark_t  *mark;

    mark = ngx_alloc(sizeof(ngx_http_cx_spool_mark_t), ngx_http_cx_spool.log);
    if (mark == NULL) {
        s->stuck = 1;
        return NGX_AGAIN;
    }

    b->seq = rec->seq;
    b->ms = rec->ms;
    b->events = rec->events;
    b->args = rec->args;
    b->last = ngx_cpymem(b->data, rec->payload.data, rec->payload.len);

    seg->read += CX_SPOOL_RECORD + rec->payload.len;
    seg->pending++;

    mark->segment = seg;
    mark->seq = rec->seq;
    mark->ms = rec->ms;
    mark->end = seg->read;
    mark->events = rec->events;

    ngx_queue_insert_tail(&s->marks, &mark->queue);

    return NGX_OK;
}


/* fetches what stands at seg->read, at least want bytes of it if there are so
   many */

static ngx_int_t
ngx_http_cx_spool_ahead(ngx_http_cx_spool_t *s, ngx_http_cx_segment_t *seg,
    size_t want)
{
    ngx_http_cx_spool_op_t  *op;

    want = ngx_max(want, NGX_HTTP_CX_SPOOL_AHEAD);
    want = (size_t) ngx_min((off_t) want, seg->size - seg->read);

    if (s->ahead_size < want) {
        ngx_http_cx_spool_behind(s);

        s->ahead = ngx_alloc(want, ngx_http_cx_spool.log);

        if (s->ahead == NULL) {
            s->stuck = 1;
            return NGX_AGAIN;
        }

        s->ahead_size = want;
    }

    op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_FETCH, s, seg);
    if (op == NULL) {
        s->stuck = 1;
        return NGX_AGAIN;
    }

    op->offset = seg->read;
    op->size = want;
    op->want = want;
    op->close = seg->full;

    s->ahead_number = seg->number;
    s->ahead_from = seg->read;
    s->ahead_len = 0;
    s->fetching = 1;

    ngx_http_cx_spool_put(op);

    return NGX_AGAIN;
}


/* all that was read ahead is used */

static void
ngx_http_cx_spool_behind(ngx_http_cx_spool_t *s)
{
    if (s->ahead && !s->fetching) {
        ngx_free(s->ahead);

        s->ahead = NULL;
        s->ahead_size = 0;
        s->ahead_len = 0;
    }
}


void
ngx_http_cx_spool_fetched(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    s = op->spool;
    seg = op->segment;

    s->fetching = 0;

    if (s->gone || seg->spool == NULL) {
        s->tell = !s->gone;
        return;
    }

    if (op->err) {
        ngx_http_cx_spool_unreadable(op);
        return;
    }

    s->ahead_len = op->size;
    s->tell = 1;

    if (op->size < op->want) {
        ngx_http_cx_spool_short(seg, op->offset + op->size);
        ngx_http_cx_spool_settle(s);
    }
}


/* somebody cut the file */

static void
ngx_http_cx_spool_short(ngx_http_cx_segment_t *seg, off_t size)
{
    if (seg->writing) {
        /* it grows again, with a hole */
        seg->spool->stuck = 1;
        seg->spool->tell = 0;
        return;
    }

    if (size == seg->read) {
        ngx_http_cx_spool_torn(seg);
        return;
    }

    ngx_http_cx_spool_end_at(seg, size);
}


static void
ngx_http_cx_spool_unreadable(ngx_http_cx_spool_op_t *op)
{
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    s = op->spool;
    seg = op->segment;

    ngx_http_cx_spool_trouble(op->call, seg->name, op->err);

    if (op->err == NGX_ENOENT && seg->writing == 0) {
        ngx_http_cx_spool_lost(seg, NGX_HTTP_CX_C_DROPPED_DISK);
        ngx_http_cx_spool_forget(seg, NGX_HTTP_CX_SPOOL_REMOVE);

    } else if (op->err == EIO || op->err == NGX_ELOOP) {
        ngx_http_cx_spool_corrupt(seg);

    } else {
        s->stuck = 1;
        return;
    }

    s->tell = 1;
    ngx_http_cx_spool_settle(s);
}


static void
ngx_http_cx_spool_torn(ngx_http_cx_segment_t *seg)
{
    ngx_http_cx_spool_op_t  *op;

    ngx_log_error(NGX_LOG_WARN, ngx_http_cx_spool.log, 0,
                  "cx: spool \"%V/%s\" is cut off at %O: its last record is "
                  "not complete", &ngx_http_cx_spool.conf->path->name,
                  seg->name, seg->read);

    ngx_http_cx_count(NGX_HTTP_CX_C_SPOOL_TORN, 1);
    ngx_http_cx_spool_lost(seg, NGX_HTTP_CX_C_DROPPED_CORRUPT);
    ngx_http_cx_spool_end_at(seg, seg->read);

    op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_CUT, seg->spool, seg);

    if (op) {
        op->offset = seg->end;
        ngx_http_cx_spool_put(op);
    }
}


/* what comes before it is still delivered, and then the file set aside */

static void
ngx_http_cx_spool_corrupt(ngx_http_cx_segment_t *seg)
{
    u_char     buf[512];
    ngx_str_t  text;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "spool \"%V/%s\" is corrupt at "
                            "%O: it becomes \"%s.bad\" when what comes before "
                            "is delivered",
                            &ngx_http_cx_spool.conf->path->name, seg->name,
                            seg->read, seg->name)
               - buf;

    ngx_http_cx_gauge_error(&text);
    ngx_log_error(NGX_LOG_ERR, ngx_http_cx_spool.log, 0, "cx: %V", &text);

    seg->bad = 1;

    ngx_http_cx_count(NGX_HTTP_CX_C_SPOOL_CORRUPT, 1);
    ngx_http_cx_spool_lost(seg, NGX_HTTP_CX_C_DROPPED_CORRUPT);
    ngx_http_cx_spool_end_at(seg, seg->read);
}


static void
ngx_http_cx_spool_end_at(ngx_http_cx_segment_t *seg, off_t end)
{
    ngx_http_cx_spool.bytes -= seg->end - end;

    seg->size = end;
    seg->end = end;

    ngx_http_cx_spool_finish(seg);
    ngx_http_cx_spool_gauges();
}


/* events of a segment that nobody has read: as far as they are known */

static void
ngx_http_cx_spool_lost(ngx_http_cx_segment_t *seg, ngx_uint_t counter)
{
    ngx_uint_t                 n;
    ngx_queue_t               *q;
    ngx_http_cx_spool_mark_t  *mark;

    n = seg->events;

    for (q = ngx_queue_head(&seg->spool->marks);
         q != ngx_queue_sentinel(&seg->spool->marks);
         q = ngx_queue_next(q))
    {
        mark = ngx_queue_data(q, ngx_http_cx_spool_mark_t, queue);

        if (mark->segment == seg) {
            n -= ngx_min(n, mark->events);
        }
    }

    ngx_http_cx_count(counter, n);

    seg->events -= n;
    ngx_http_cx_spool.events -= n;
}


void
ngx_http_cx_spool_ack(ngx_http_cx_channel_t *ch, uint64_t seq)
{
    ngx_uint_t                 n;
    ngx_http_cx_spool_t       *s;
    ngx_http_cx_segment_t     *seg;
    ngx_http_cx_spool_mark_t  *mark;

    s = ch->spool;

    if (s == NULL || ngx_queue_empty(&s->marks)) {
        return;
    }

    mark = ngx_queue_data(ngx_queue_head(&s->marks), ngx_http_cx_spool_mark_t,
                          queue);

    if (mark->seq != seq) {
        /* of a segment that is gone */
        return;
    }

    seg = mark->segment;
    n = ngx_min(mark->events, seg->events);

    seg->acked = mark->end;
    seg->events -= n;
    ngx_http_cx_spool.events -= n;
    ngx_http_cx_count(NGX_HTTP_CX_C_REPLAYED, mark->events);

    /* what follows is not older */
    seg->ms = ngx_max(seg->ms, mark->ms);

    ngx_http_cx_spool_unmark(mark);
    ngx_http_cx_spool_settle(s);
    ngx_http_cx_spool_gauges();
}


static void
ngx_http_cx_spool_unmark(ngx_http_cx_spool_mark_t *mark)
{
    mark->segment->pending--;
    ngx_queue_remove(&mark->queue);
    ngx_free(mark);
}


void
ngx_http_cx_spool_rewind(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t            *q;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    s = ch->spool;

    if (s == NULL) {
        return;
    }

    while (!ngx_queue_empty(&s->marks)) {
        ngx_http_cx_spool_unmark(ngx_queue_data(ngx_queue_head(&s->marks),
                                                ngx_http_cx_spool_mark_t,
                                                queue));
    }

    for (q = ngx_queue_head(&s->segments);
         q != ngx_queue_sentinel(&s->segments);
         q = ngx_queue_next(q))
    {
        seg = ngx_queue_data(q, ngx_http_cx_segment_t, queue);
        seg->read = seg->acked;
    }

    s->reading = ngx_queue_data(ngx_queue_head(&s->segments),
                                ngx_http_cx_segment_t, queue);
}


void
ngx_http_cx_spool_settle(ngx_http_cx_spool_t *s)
{
    ngx_http_cx_segment_t  *seg;

    if (s->gone) {
        return;
    }

    while (!ngx_queue_empty(&s->segments)) {

        seg = ngx_queue_data(ngx_queue_head(&s->segments),
                             ngx_http_cx_segment_t, queue);

        if (seg->writing || seg->acked < seg->end) {
            return;
        }

        ngx_http_cx_spool_forget(seg, seg->bad ? NGX_HTTP_CX_SPOOL_ASIDE
                                               : NGX_HTTP_CX_SPOOL_REMOVE);
    }

    ngx_http_cx_spool_detach(s);
}


void
ngx_http_cx_spool_forget(ngx_http_cx_segment_t *seg,
    ngx_http_cx_spool_kind_e kind)
{
    ngx_queue_t               *q, *next;
    ngx_http_cx_spool_t       *s;
    ngx_http_cx_spool_op_t    *op;
    ngx_http_cx_spool_mark_t  *mark;

    s = seg->spool;

    for (q = ngx_queue_head(&s->marks);
         q != ngx_queue_sentinel(&s->marks);
         q = next)
    {
        next = ngx_queue_next(q);
        mark = ngx_queue_data(q, ngx_http_cx_spool_mark_t, queue);

        if (mark->segment == seg) {
            ngx_http_cx_spool_unmark(mark);
        }
    }

    if (s->reading == seg) {
        q = ngx_queue_next(&seg->queue);
        s->reading = (q == ngx_queue_sentinel(&s->segments)) ? NULL
                     : ngx_queue_data(q, ngx_http_cx_segment_t, queue);
    }

    ngx_queue_remove(&seg->queue);
    seg->spool = NULL;

    ngx_http_cx_spool.events -= seg->events;
    ngx_http_cx_spool.bytes -= seg->end;

    op = ngx_http_cx_spool_op(kind, s, seg);

    if (op) {
        ngx_http_cx_spool_put(op);
    }
}


/* nothing is left of it */

static void
ngx_http_cx_spool_detach(ngx_http_cx_spool_t *s)
{
    s->gone = 1;

    if (s->channel) {
        s->channel->spool = NULL;
    }

    ngx_http_cx_spool_release(s->owner);
    ngx_http_cx_spool_post();
}


void
ngx_http_cx_spool_release(ngx_http_cx_spool_owner_t *o)
{
    ngx_http_cx_spool_op_t  *op;

    if (--o->spools || o->own) {
        return;
    }

    op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_UNLOCK, NULL, NULL);

    if (op) {
        op->owner = o;
        ngx_http_cx_spool_put(op);
    }
}
