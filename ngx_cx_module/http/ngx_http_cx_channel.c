
/*
 * One channel: batches of one stream and kind, strictly in order.  It is in
 * one of two modes.
 *
 *   direct    open -> ready -> sent, in memory; what was not acknowledged is
 *             sent again from the oldest on
 *   spooling  open -> ready -> spool; the spool's records are read back, in
 *             order, and sent.  Until all of them are acknowledged and nothing
 *             is being written any more
 *
 * A number is given once, when a batch first leaves for Redis or the spool.
 */


#include "ngx_http_cx_writer.h"


#define NGX_HTTP_CX_CHANNEL_SIGNALS    1000  /* ms until signals, */
#define NGX_HTTP_CX_CHANNEL_ANSWERS    400   /* answers go to the spool */
#define NGX_HTTP_CX_CHANNEL_MARK       2592000  /* s Redis keeps the number */
#define NGX_HTTP_CX_CHANNEL_HEAD       512   /* bytes of the command */


static ngx_uint_t ngx_http_cx_channel_leaves(ngx_http_cx_channel_t *ch);
static ngx_uint_t ngx_http_cx_channel_overdue(ngx_http_cx_channel_t *ch);
static void ngx_http_cx_channel_append(ngx_http_cx_channel_t *ch);
static void ngx_http_cx_channel_send(ngx_http_cx_channel_t *ch);
static ngx_http_cx_batch_t *ngx_http_cx_channel_next(
    ngx_http_cx_channel_t *ch);
static ngx_http_cx_batch_t *ngx_http_cx_channel_replay(
    ngx_http_cx_channel_t *ch);
static void ngx_http_cx_channel_head(ngx_http_cx_batch_t *b);
static u_char *ngx_http_cx_channel_number(u_char *p, uint64_t n);


void
ngx_http_cx_channel_init(ngx_http_cx_channel_t *ch,
    ngx_http_cx_stream_t *stream, ngx_uint_t lane)
{
    ch->stream = stream;
    ch->lane = lane;

    ngx_queue_init(&ch->ready);
    ngx_queue_init(&ch->sent);
}


void
ngx_http_cx_channel_run(ngx_http_cx_channel_t *ch)
{
    if (ch->paused
        && (ngx_msec_int_t) (ngx_current_msec - ch->after) >= 0)
    {
        ch->paused = 0;
    }

    if (ch->now && ch->open && ngx_http_cx_channel_leaves(ch)) {
        ngx_http_cx_queue_close(ch);
    }

    if (ch->open == NULL) {
        ch->now = 0;
    }

    if (!ch->spooling && ngx_http_cx_channel_overdue(ch)) {
        ngx_http_cx_channel_recall(ch);
        ch->spooling = 1;
        ch->caught_up = 0;
    }

    if (ch->spooling) {
        ngx_http_cx_channel_append(ch);
        ngx_http_cx_channel_send(ch);

        if (ch->spool || ch->nwriting || ch->nsent || ch->foreign) {
            return;
        }

        ch->spooling = 0;
    }

    ngx_http_cx_channel_send(ch);
}


ngx_uint_t
ngx_http_cx_channel_waits(ngx_http_cx_channel_t *ch)
{
    return ch->paused || ch->refused || ch->spooling;
}


/* 1 if the open batch can leave memory; until then it may as well fill up, as
   each takes the same memory */

static ngx_uint_t
ngx_http_cx_channel_leaves(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    if (!ngx_queue_empty(&ch->ready)) {
        return 0;
    }

    if (ngx_http_cx_spool_usable()) {
        return 1;
    }

    return !ch->spooling && !ch->failed && !ch->paused
           && ch->nsent < wr->conf->queue_inflight
           && ngx_http_cx_redis_route(ch->stream->slot) != NULL;
}


/* 1 if what was closed should be on disk, as Redis does not take it */

static ngx_uint_t
ngx_http_cx_channel_overdue(ngx_http_cx_channel_t *ch)
{
    ngx_msec_t            limit;
    ngx_queue_t          *q;
    ngx_http_cx_batch_t  *b;

    /* when spooling, what is sent is on disk already */

    q = (ch->spooling || ngx_queue_empty(&ch->sent)) ? &ch->ready : &ch->sent;

    if (ngx_queue_empty(q) || ch->refused || !ngx_http_cx_spool_usable()) {
        return 0;
    }

    if (ngx_http_cx_writer.late) {
        return 1;
    }

    if (ngx_http_cx_queue_tight() && !ngx_queue_empty(&ch->ready)) {
        return 1;
    }

    b = ngx_queue_data(ngx_queue_head(q), ngx_http_cx_batch_t, queue);

    limit = (ch->lane == NGX_HTTP_CX_LANE_ANSWERS)
            ? NGX_HTTP_CX_CHANNEL_ANSWERS : NGX_HTTP_CX_CHANNEL_SIGNALS;

    return ngx_current_msec - b->born >= limit;
}


void
ngx_http_cx_channel_recall(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *q;
    ngx_http_cx_batch_t  *b;

    while (!ngx_queue_empty(&ch->sent)) {
        q = ngx_queue_last(&ch->sent);
        ngx_queue_remove(q);

        b = ngx_queue_data(q, ngx_http_cx_batch_t, queue);
        b->stale = b->sending;

        ngx_queue_insert_head(&ch->ready, q);
    }

    ngx_http_cx_writer.inflight -= ch->nsent;

    ch->nsent = 0;
    ch->nsending = 0;
    ch->conn = NULL;
    ch->prev = 0;
    ch->failed = 0;
}


/* ready batches to the spool */

static void
ngx_http_cx_channel_append(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *q, *next;
    ngx_http_cx_batch_t  *b;

    /* the last replies are due, or in: then there is no need to write */

    if (ch->caught_up && (ch->nsent || ch->spool == NULL) && !ch->failed
        && !ngx_http_cx_channel_overdue(ch))
    {
        return;
    }

    for (q = ngx_queue_head(&ch->ready);
         q != ngx_queue_sentinel(&ch->ready) && !ch->refused;
         q = next)
    {
        next = ngx_queue_next(q);
        b = ngx_queue_data(q, ngx_http_cx_batch_t, queue);

        if (b->spooled) {
            continue;
        }

        if (b->seq == 0) {
            b->seq = ++ch->seq;
        }

        b->spooled = 1;
        ch->nwriting++;

        /* may be done with it at once */

        if (ngx_http_cx_spool_append(b) != NGX_OK) {
            b->spooled = 0;
            ch->nwriting--;
            ch->refused = 1;
        }
    }
}


void
ngx_http_cx_writer_spooled(ngx_http_cx_batch_t *b, ngx_uint_t ok)
{
    ngx_http_cx_channel_t  *ch;

    ch = b->channel;

    b->spooled = 0;
    ch->nwriting--;

    if (ok) {
        ngx_queue_remove(&b->queue);
        ngx_http_cx_queue_leave(b, 1);

        if (!b->sending) {
            ngx_http_cx_queue_free(b);
        }

        ch->caught_up = 0;

    } else {

        /* it is tried again after a tick, in the same order */

        ch->refused = 1;
    }

    ngx_http_cx_writer_post(ch);
}


/* sends what the window has room for */

static void
ngx_http_cx_channel_send(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_conn_t    *conn;
    ngx_http_cx_batch_t   *b;
    ngx_http_cx_writer_t  *wr;

    wr = &ngx_http_cx_writer;

    while (ch->nsent < wr->conf->queue_inflight
           && !ch->failed && !ch->paused)
    {
        if (ch->spooling ? (ch->spool == NULL || ch->caught_up)
                         : ngx_queue_empty(&ch->ready))
        {
            return;
        }

        conn = ngx_http_cx_redis_route(ch->stream->slot);
        if (conn == NULL) {
            return;
        }

        if (conn != ch->conn) {

            if (ch->nsent) {
                return;
            }

            ch->conn = conn;
            ch->prev = 0;
        }

        b = ch->spooling ? ngx_http_cx_channel_replay(ch)
                         : ngx_http_cx_channel_next(ch);
        if (b == NULL) {
            return;
        }

        ngx_http_cx_channel_head(b);

        b->sending = 1;
        b->stale = 0;
        ch->prev = b->seq;

        ngx_queue_insert_tail(&ch->sent, &b->queue);
        ch->nsent++;
        ch->nsending++;
        wr->inflight++;

        ngx_log_debug4(NGX_LOG_DEBUG_HTTP, wr->log, 0,
                       "cx batch %V %uL: %ui events, %uz bytes",
                       &ch->stream->name, b->seq, b->events,
                       b->last - b->data);

        ngx_http_cx_count(NGX_HTTP_CX_C_BATCHES, 1);

        ngx_http_cx_conn_send(conn, b->head, b->last,
                              ngx_http_cx_channel_reply, b);
    }
}


/* the oldest ready batch; NULL: a connection still has it */

static ngx_http_cx_batch_t *
ngx_http_cx_channel_next(ngx_http_cx_channel_t *ch)
{
    ngx_http_cx_batch_t  *b;

    b = ngx_queue_data(ngx_queue_head(&ch->ready), ngx_http_cx_batch_t, queue);

    if (b->sending) {
        return NULL;
    }

    ngx_queue_remove(&b->queue);

    if (b->seq == 0) {
        b->seq = ++ch->seq;
    }

    return b;
}


/* the next record of the spool; NULL: not now */

static ngx_http_cx_batch_t *
ngx_http_cx_channel_replay(ngx_http_cx_channel_t *ch)
{
    ngx_int_t             rc;
    ngx_http_cx_batch_t  *b;

    b = ngx_http_cx_queue_take(ch);
    if (b == NULL) {
        return NULL;
    }

    rc = ngx_http_cx_spool_read(ch, b);

    if (rc == NGX_OK) {
        return b;
    }

    ngx_http_cx_queue_free(b);

    if (rc == NGX_DONE) {
        ch->caught_up = 1;
    }

    return NULL;
}


/* everything of the command before the names, right before them */

static void
ngx_http_cx_channel_head(ngx_http_cx_batch_t *b)
{
    u_char                 *p, head[NGX_HTTP_CX_CHANNEL_HEAD];
    ngx_str_t              *name;
    ngx_http_cx_writer_t   *wr;
    ngx_http_cx_channel_t  *ch;

    wr = &ngx_http_cx_writer;
    ch = b->channel;
    name = &ch->stream->name;

    p = ngx_sprintf(head, "*%ui" CRLF "$7" CRLF "EVALSHA" CRLF "$40" CRLF,
                    9 + b->args);
    p = ngx_cpymem(p, wr->sha, 40);

    p = ngx_sprintf(p, CRLF "$1" CRLF "2" CRLF "$%uz" CRLF "%V" CRLF,
                    ch->stream->key.len, &ch->stream->key);

    p = ngx_sprintf(p, "$%uz" CRLF "cx:{%V}:producer:%V" CRLF,
                    sizeof("cx:{}:producer:") - 1 + name->len
                    + ch->producer.len, name, &ch->producer);

    p = ngx_http_cx_channel_number(p, b->seq);
    p = ngx_http_cx_channel_number(p, ch->prev);
    p = ngx_http_cx_channel_number(p, wr->conf->stream_max);
    p = ngx_http_cx_channel_number(p, NGX_HTTP_CX_CHANNEL_MARK);

    b->head = b->data - (p - head);
    ngx_memcpy(b->head, head, p - head);
}


static u_char *
ngx_http_cx_channel_number(u_char *p, uint64_t n)
{
    u_char  *last, text[NGX_INT64_LEN];

    last = ngx_sprintf(text, "%uL", n);

    p = ngx_sprintf(p, "$%uz" CRLF, last - text);
    p = ngx_cpymem(p, text, last - text);
    *p++ = CR;
    *p++ = LF;

    return p;
}


void
ngx_http_cx_channel_rescue(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *q;
    ngx_http_cx_batch_t  *b;

    if (ch->foreign) {
        return;
    }

    if (ch->open) {
        ngx_http_cx_queue_close(ch);
    }

    if (!ch->spooling) {
        ngx_http_cx_channel_recall(ch);
        ch->spooling = 1;
    }

    for (q = ngx_queue_head(&ch->ready);
         q != ngx_queue_sentinel(&ch->ready);
         q = ngx_queue_next(q))
    {
        b = ngx_queue_data(q, ngx_http_cx_batch_t, queue);
        b->sending = 0;
    }

    ch->caught_up = 0;
    ch->refused = 0;

    if (ngx_http_cx_spool_usable()) {
        ngx_http_cx_channel_append(ch);
    }
}


void
ngx_http_cx_channel_forget(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t          *q;
    ngx_http_cx_batch_t  *b;

    while (!ngx_queue_empty(&ch->sent)) {
        q = ngx_queue_head(&ch->sent);
        ngx_queue_remove(q);

        b = ngx_queue_data(q, ngx_http_cx_batch_t, queue);

        ngx_http_cx_queue_leave(b, 0);

        if (!b->sending) {
            ngx_http_cx_queue_free(b);
        }
    }

    ngx_http_cx_writer.inflight -= ch->nsent;
    ch->nsent = 0;
}
