
/*
 * The spool: each channel that has something on disk has a series of segments,
 * of which only the last one is written to.
 */


#include "ngx_http_cx_spool.h"


#define NGX_HTTP_CX_SPOOL_MIN      65536       /* bytes of a segment */
#define NGX_HTTP_CX_SPOOL_MAX      4194304
#define NGX_HTTP_CX_SPOOL_PARTS    32          /* of max_size: a segment */
#define NGX_HTTP_CX_SPOOL_OPEN     32          /* files, while there are less */


static ngx_http_cx_segment_t *ngx_http_cx_spool_last(ngx_http_cx_channel_t *ch,
    size_t size);
static ngx_http_cx_segment_t *ngx_http_cx_spool_segment(
    ngx_http_cx_spool_t *s);
static void ngx_http_cx_spool_sync_handler(ngx_event_t *ev);
static void ngx_http_cx_spool_news_handler(ngx_event_t *ev);
static void ngx_http_cx_spool_free(ngx_http_cx_spool_t *s);


ngx_http_cx_spool_main_t  ngx_http_cx_spool;


ngx_int_t
ngx_http_cx_spool_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf,
    ngx_str_t *producer)
{
    static ngx_connection_t    dummy;
    ngx_http_cx_spool_main_t  *m;

    m = &ngx_http_cx_spool;

    ngx_memzero(m, sizeof(ngx_http_cx_spool_main_t));

    m->dir = NGX_INVALID_FILE;
    ngx_queue_init(&m->spools);

    if (cxmcf->spool == NULL) {
        return NGX_OK;
    }

    m->log = cycle->log;
    m->number = 0;
    m->segment = cxmcf->spool->max_size / NGX_HTTP_CX_SPOOL_PARTS;
    m->segment = ngx_min(ngx_max(m->segment, NGX_HTTP_CX_SPOOL_MIN),
                         NGX_HTTP_CX_SPOOL_MAX);
    m->retry = ngx_current_msec;

    m->own.own = 1;
    m->own.lock = NGX_INVALID_FILE;
    ngx_memcpy(m->own.name, producer->data,
               ngx_min(producer->len, NGX_HTTP_CX_PRODUCER));

    m->news.handler = ngx_http_cx_spool_news_handler;
    m->news.log = cycle->log;

    dummy.fd = (ngx_socket_t) -1;
    m->sync.handler = ngx_http_cx_spool_sync_handler;
    m->sync.data = &dummy;
    m->sync.log = cycle->log;
    m->sync.cancelable = 1;

    if (ngx_http_cx_spool_io_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    m->conf = cxmcf->spool;

    return ngx_http_cx_spool_dir_init();
}


ngx_uint_t
ngx_http_cx_spool_usable(void)
{
    return ngx_http_cx_spool.conf
           && ngx_http_cx_spool.dir != NGX_INVALID_FILE
           && (ngx_http_cx_spool.hurry
               || (ngx_msec_int_t) (ngx_current_msec - ngx_http_cx_spool.retry)
                  >= 0);
}


ngx_int_t
ngx_http_cx_spool_append(ngx_http_cx_batch_t *b)
{
    size_t                   size;
    ngx_http_cx_segment_t   *seg;
    ngx_http_cx_spool_op_t  *op;

    size = CX_SPOOL_RECORD + (b->last - b->data);

    if (!ngx_http_cx_spool_usable()
        || ngx_http_cx_spool_room(b->channel, size) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    seg = ngx_http_cx_spool_last(b->channel, size);
    if (seg == NULL) {
        return NGX_DECLINED;
    }

    op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_WRITE, seg->spool, seg);
    if (op == NULL) {
        ngx_http_cx_spool_settle(seg->spool);
        return NGX_DECLINED;
    }

    op->batch = b;
    op->offset = seg->end;
    op->size = size;
    op->close = (ngx_http_cx_spool.own.spools > NGX_HTTP_CX_SPOOL_OPEN);

    if (seg->ms == 0) {
        seg->ms = b->ms;
    }

    seg->end += size;
    seg->writing++;
    ngx_http_cx_spool.bytes += size;
    ngx_http_cx_spool_gauges();

    ngx_http_cx_spool_put(op);

    return NGX_OK;
}


/* the segment that a record of this size goes to */

static ngx_http_cx_segment_t *
ngx_http_cx_spool_last(ngx_http_cx_channel_t *ch, size_t size)
{
    cx_spool_head_t         head;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_segment_t  *seg;

    s = ch->spool;

    if (s == NULL) {
        ngx_memzero(&head, sizeof(cx_spool_head_t));
        head.producer.len = ch->producer.len;
        head.producer.data = ch->producer.data;
        head.lane = ch->lane;
        head.stream.len = ch->stream->name.len;
        head.stream.data = ch->stream->name.data;

        s = ngx_http_cx_spool_create(&ngx_http_cx_spool.own, &head);
        if (s == NULL) {
            return NULL;
        }

        seg = ngx_http_cx_spool_segment(s);
        if (seg == NULL) {
            ngx_free(s);
            return NULL;
        }

        s->channel = ch;
        ch->spool = s;
        ngx_queue_insert_tail(&ngx_http_cx_spool.spools, &s->queue);
        ngx_http_cx_spool.own.spools++;

        return seg;
    }

    seg = ngx_queue_data(ngx_queue_last(&s->segments), ngx_http_cx_segment_t,
                         queue);

    if (!seg->full && (seg->end + (off_t) size <= ngx_http_cx_spool.segment
                       || seg->end == seg->head))
    {
        return seg;
    }

    ngx_http_cx_spool_finish(seg);

    return ngx_http_cx_spool_segment(s);
}


void
ngx_http_cx_spool_finish(ngx_http_cx_segment_t *seg)
{
    ngx_http_cx_spool_op_t  *op;

    if (seg->full) {
        return;
    }

    seg->full = 1;
    seg->dirty = 0;

    op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_SEAL, seg->spool, seg);

    if (op) {
        ngx_http_cx_spool_put(op);
    }
}


ngx_http_cx_spool_t *
ngx_http_cx_spool_create(ngx_http_cx_spool_owner_t *o, cx_spool_head_t *head)
{
    u_char               *p;
    ngx_http_cx_spool_t  *s;

    if (head->producer.len + head->stream.len > CX_SPOOL_HEAD_MAX) {
        return NULL;
    }

    s = ngx_calloc(sizeof(ngx_http_cx_spool_t), ngx_http_cx_spool.log);
    if (s == NULL) {
        return NULL;
    }

    s->owner = o;
    s->foreign = !o->own;
    s->head = *head;

    p = ngx_cpymem(s->text, head->producer.data, head->producer.len);
    ngx_memcpy(p, head->stream.data, head->stream.len);
    s->head.producer.data = s->text;
    s->head.stream.data = p;

    ngx_queue_init(&s->segments);
    ngx_queue_init(&s->marks);

    return s;
}


/* a new segment at the end of a spool; its file is made by the first write */

static ngx_http_cx_segment_t *
ngx_http_cx_spool_segment(ngx_http_cx_spool_t *s)
{
    u_char                  buf[CX_SPOOL_HEAD_MAX];
    cx_spool_head_t         head;
    ngx_http_cx_segment_t  *seg;

    seg = ngx_calloc(sizeof(ngx_http_cx_segment_t), ngx_http_cx_spool.log);
    if (seg == NULL) {
        return NULL;
    }

    seg->spool = s;
    seg->number = ++ngx_http_cx_spool.number;
    seg->fd = NGX_INVALID_FILE;
    (void) ngx_http_cx_spool_name(seg->name, s, seg->number);

    head = s->head;
    head.number = seg->number;
    seg->head = cx_spool_head_write(buf, &head);

    seg->acked = seg->head;
    seg->read = seg->head;
    seg->size = seg->head;
    seg->end = seg->head;

    ngx_queue_insert_tail(&s->segments, &seg->queue);

    if (s->reading == NULL) {
        s->reading = seg;
    }

    ngx_http_cx_spool.bytes += seg->head;

    return seg;
}


static void
ngx_http_cx_spool_sync_handler(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_http_cx_spool_t     *s;
    ngx_http_cx_segment_t   *seg;
    ngx_http_cx_spool_op_t  *op;

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (ngx_queue_empty(&s->segments)) {
            continue;
        }

        seg = ngx_queue_data(ngx_queue_last(&s->segments),
                             ngx_http_cx_segment_t, queue);

        if (!seg->dirty) {
            continue;
        }

        op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_SYNC, s, seg);

        if (op) {
            op->close = (ngx_http_cx_spool.own.spools
                         > NGX_HTTP_CX_SPOOL_OPEN);
            seg->dirty = 0;
            ngx_http_cx_spool_put(op);
        }
    }
}


void
ngx_http_cx_spool_post(void)
{
    if (!ngx_http_cx_spool.hurry) {
        ngx_post_event(&ngx_http_cx_spool.news, &ngx_posted_events);
    }
}


/* from the event loop, so that no channel is freed under who works on it */

static void
ngx_http_cx_spool_news_handler(ngx_event_t *ev)
{
    ngx_queue_t            *q, *next;
    ngx_http_cx_spool_t    *s;
    ngx_http_cx_channel_t  *ch;

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);
        ch = s->channel;

        if (s->tell) {
            s->tell = 0;
            ngx_http_cx_writer_readable(ch);
        }

        if (s->gone && s->foreign && ch) {
            s->channel = NULL;
            ngx_http_cx_writer_orphan(ch);
        }
    }

    for (q = ngx_queue_head(&ngx_http_cx_spool.spools);
         q != ngx_queue_sentinel(&ngx_http_cx_spool.spools);
         q = next)
    {
        next = ngx_queue_next(q);
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        if (s->gone && s->ops == 0 && !s->tell) {
            ngx_queue_remove(q);
            ngx_http_cx_spool_free(s);
        }
    }
}


static void
ngx_http_cx_spool_free(ngx_http_cx_spool_t *s)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&s->segments)) {
        q = ngx_queue_head(&s->segments);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_cx_segment_t, queue));
    }

    if (s->ahead) {
        ngx_free(s->ahead);
    }

    ngx_free(s);
}


void
ngx_http_cx_spool_claimed(ngx_http_cx_spool_owner_t *o)
{
    ngx_uint_t               adopted;
    ngx_queue_t             *q, *p;
    ngx_http_cx_spool_t     *s;
    ngx_http_cx_segment_t   *seg;

    adopted = 0;

    /* a series without records is settled at once: that is not the last one
       while others follow */

    o->spools = 1;

    while (!ngx_queue_empty(&o->found)) {
        q = ngx_queue_head(&o->found);
        ngx_queue_remove(q);
        s = ngx_queue_data(q, ngx_http_cx_spool_t, queue);

        s->channel = ngx_http_cx_writer_adopt(&s->head, s);

        if (s->channel == NULL) {
            /* its files are still there for whoever comes next */
            ngx_http_cx_spool_free(s);
            continue;
        }

        s->channel->spool = s;
        s->tell = 1;
        o->spools++;
        adopted = 1;
        ngx_queue_insert_tail(&ngx_http_cx_spool.spools, &s->queue);

        for (p = ngx_queue_head(&s->segments);
             p != ngx_queue_sentinel(&s->segments);
             p = ngx_queue_next(p))
        {
            seg = ngx_queue_data(p, ngx_http_cx_segment_t, queue);

            ngx_http_cx_spool.bytes += seg->end;
            ngx_http_cx_spool.events += seg->events;
        }

        s->reading = ngx_queue_data(ngx_queue_head(&s->segments),
                                    ngx_http_cx_segment_t, queue);

        ngx_http_cx_spool_settle(s);
    }

    if (adopted) {
        ngx_http_cx_spool_release(o);

    } else {
        (void) ngx_close_file(o->lock);
        ngx_free(o);
    }

    ngx_http_cx_spool_gauges();
    ngx_http_cx_spool_post();
}


void
ngx_http_cx_spool_discard(ngx_http_cx_spool_owner_t *o)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&o->found)) {
        q = ngx_queue_head(&o->found);
        ngx_queue_remove(q);
        ngx_http_cx_spool_free(ngx_queue_data(q, ngx_http_cx_spool_t, queue));
    }

    (void) ngx_close_file(o->lock);
    ngx_free(o);
}


void
ngx_http_cx_spool_exit(void)
{
    ngx_http_cx_spool_op_t  *op;

    if (ngx_http_cx_spool.conf == NULL) {
        return;
    }

    ngx_http_cx_spool_hurry();

    if (ngx_http_cx_spool.sync.timer_set) {
        ngx_del_timer(&ngx_http_cx_spool.sync);
        ngx_http_cx_spool_sync_handler(NULL);
    }

    /* other locks go with the process: whoever takes over finds the files */

    if (ngx_http_cx_spool.own.spools == 0) {
        op = ngx_http_cx_spool_op(NGX_HTTP_CX_SPOOL_UNLOCK, NULL, NULL);

        if (op) {
            op->owner = &ngx_http_cx_spool.own;
            ngx_http_cx_spool_put(op);
        }
    }
}
