
/*
 * What Redis says to a channel's batches.  They are taken in order or not at
 * all: after one that failed, those behind it go again as well, once all
 * replies are in.
 */


#include "ngx_http_cx_writer.h"


#define NGX_HTTP_CX_CHANNEL_DELAY_MIN  100   /* ms, after an error */
#define NGX_HTTP_CX_CHANNEL_DELAY_MAX  5000
#define NGX_HTTP_CX_CHANNEL_ROUTE      50    /* ms to three times of it, while
                                                a slot moves */


static ngx_int_t ngx_http_cx_channel_status(redisReply *reply);
static void ngx_http_cx_channel_stale(ngx_http_cx_channel_t *ch,
    ngx_http_cx_batch_t *b, ngx_int_t status);
static void ngx_http_cx_channel_acked(ngx_http_cx_channel_t *ch,
    ngx_http_cx_batch_t *b, ngx_int_t status, ngx_int_t trimmed);
static void ngx_http_cx_channel_failed(ngx_http_cx_channel_t *ch,
    redisReply *reply, ngx_int_t status);
static void ngx_http_cx_channel_pause(ngx_http_cx_channel_t *ch,
    ngx_msec_t wait);
static void ngx_http_cx_channel_slower(ngx_http_cx_channel_t *ch);
static void ngx_http_cx_channel_again(ngx_http_cx_channel_t *ch);


void
ngx_http_cx_channel_reply(void *data, redisReply *reply)
{
    ngx_http_cx_batch_t *b = data;

    ngx_int_t               status;
    ngx_http_cx_channel_t  *ch;

    b->sending = 0;

    if (b->gone) {
        ngx_http_cx_queue_free(b);
        return;
    }

    ch = b->channel;
    status = ngx_http_cx_channel_status(reply);

    if (b->stale) {
        ngx_http_cx_channel_stale(ch, b, status);

    } else {
        ch->nsending--;

        /* what comes behind a failure goes again, so that order is kept */

        if (status >= 0 && !ch->failed) {
            ngx_http_cx_channel_acked(ch, b, status,
                                      reply->element[1]->integer);

        } else if (!ch->failed) {
            ngx_http_cx_channel_failed(ch, reply, status);
        }

        if (ch->failed && ch->nsending == 0) {
            ngx_http_cx_channel_again(ch);
        }
    }

    /* after all replies of this turn, to write once */
    ngx_http_cx_writer_post(ch);
}


/* 1: taken, 0: was already there, -1: overtook one that failed; NGX_ABORT: no
   reply, NGX_DECLINED: an error, NGX_DONE: no reply of the script */

static ngx_int_t
ngx_http_cx_channel_status(redisReply *reply)
{
    long long  n;

    if (reply == NULL) {
        return NGX_ABORT;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        return NGX_DECLINED;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
        || reply->element[0]->type != REDIS_REPLY_INTEGER
        || reply->element[1]->type != REDIS_REPLY_INTEGER)
    {
        return NGX_DONE;
    }

    n = reply->element[0]->integer;

    return (n < -1 || n > 1) ? NGX_DONE : (ngx_int_t) n;
}


/* it was on its way when the channel turned to the spool */

static void
ngx_http_cx_channel_stale(ngx_http_cx_channel_t *ch, ngx_http_cx_batch_t *b,
    ngx_int_t status)
{
    b->stale = 0;

    if (status < 0 || b->spooled) {
        return;
    }

    /* the spool did not take it, but Redis has it */

    ngx_http_cx_count(NGX_HTTP_CX_C_DELIVERED, b->events);

    ngx_queue_remove(&b->queue);
    ngx_http_cx_queue_done(b, 1);
}


static void
ngx_http_cx_channel_acked(ngx_http_cx_channel_t *ch, ngx_http_cx_batch_t *b,
    ngx_int_t status, ngx_int_t trimmed)
{
    uint64_t  seq;

    if (status == 0) {
        ngx_http_cx_count(NGX_HTTP_CX_C_DUPLICATE, 1);

    } else if (trimmed) {
        ngx_http_cx_count(NGX_HTTP_CX_C_TRIMMED, trimmed);
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_DELIVERED, b->events);

    ngx_queue_remove(&b->queue);
    ch->nsent--;
    ngx_http_cx_writer.inflight--;
    ch->delay = 0;

    ngx_http_cx_redis_taken(ch->stream->slot);

    if (!b->replay) {
        ngx_http_cx_queue_done(b, 1);
        return;
    }

    seq = b->seq;
    ngx_http_cx_queue_free(b);

    if (ch->spool) {
        ngx_http_cx_spool_ack(ch, seq);
    }
}


/* all that is sent must go again, once the other replies are in */

static void
ngx_http_cx_channel_failed(ngx_http_cx_channel_t *ch, redisReply *reply,
    ngx_int_t status)
{
    ngx_http_cx_conn_t  *conn;

    conn = ch->conn;
    ch->failed = 1;

    /* from here on, other replies may come from within */

    if (status == NGX_DECLINED) {

        switch (ngx_http_cx_redis_refused(conn, ch->stream->slot, reply)) {

        case NGX_AGAIN:
            ngx_http_cx_channel_pause(ch, NGX_HTTP_CX_CHANNEL_ROUTE
                                      + ngx_random()
                                        % (2 * NGX_HTTP_CX_CHANNEL_ROUTE));
            return;

        case NGX_DECLINED:
            ngx_http_cx_channel_slower(ch);
            break;

        default:
            break;
        }

    } else if (status == NGX_DONE) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                              "unexpected reply");
    }

    /* at once for the first time */

    ngx_http_cx_channel_pause(ch, ch->delay);

    if (status != NGX_DECLINED || ch->delay == 0) {
        ngx_http_cx_channel_slower(ch);
    }
}


static void
ngx_http_cx_channel_pause(ngx_http_cx_channel_t *ch, ngx_msec_t wait)
{
    if (wait) {
        ch->paused = 1;
        ch->after = ngx_current_msec + wait;
    }
}


static void
ngx_http_cx_channel_slower(ngx_http_cx_channel_t *ch)
{
    ch->delay = ch->delay ? ngx_min(ch->delay * 2,
                                    NGX_HTTP_CX_CHANNEL_DELAY_MAX)
                          : NGX_HTTP_CX_CHANNEL_DELAY_MIN;
}


static void
ngx_http_cx_channel_again(ngx_http_cx_channel_t *ch)
{
    ngx_queue_t  *q;

    if (ch->spooling) {

        while (!ngx_queue_empty(&ch->sent)) {
            q = ngx_queue_head(&ch->sent);
            ngx_queue_remove(q);

            ngx_http_cx_queue_free(ngx_queue_data(q, ngx_http_cx_batch_t,
                                                  queue));
        }

        ch->caught_up = 0;

        if (ch->spool) {
            ngx_http_cx_spool_rewind(ch);
        }
    }

    ngx_http_cx_channel_recall(ch);
}
