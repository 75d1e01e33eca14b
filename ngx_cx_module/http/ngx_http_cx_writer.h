/*
 * Between queue.c, writer.c and channel.c: what leaves a worker.
 */

#ifndef NGX_HTTP_CX_WRITER_H
#define NGX_HTTP_CX_WRITER_H

#include "ngx_http_cx_deliver.h"


typedef struct {
    ngx_http_cx_main_conf_t     *conf;         /* NULL: nothing to deliver to */
    ngx_log_t                   *log;
    u_char                       sha[40];      /* of the produce script */
    ngx_http_cx_channel_t       *own;          /* by stream, then lane */
    ngx_queue_t                  channels;     /* these and foreign ones */
    ngx_queue_t                  work;         /* to be run */
    ngx_uint_t                   inflight;     /* batches sent, of all */
    ngx_event_t                  wake;         /* posted: there is work */
    ngx_event_t                  flush;        /* open batches are old enough */
    ngx_event_t                  tick;         /* while something waits; while
                                                  events do in memory, it keeps
                                                  an exiting worker */
    ngx_connection_t             dummy;
    ngx_msec_t                   deadline;
    unsigned                     draining:1;   /* deadline is set */
    unsigned                     late:1;       /* it has passed */
    unsigned                     hastened:1;   /* tried again at its start */
    unsigned                     ending:1;     /* the process: no waiter is
                                                  told any more */
} ngx_http_cx_writer_t;

extern ngx_http_cx_writer_t  ngx_http_cx_writer;


/* ---- queue.c ---- */

/* the open batch becomes the last ready one */
void ngx_http_cx_queue_close(ngx_http_cx_channel_t *ch);

/* gives a batch back, waiters are not told */
void ngx_http_cx_queue_free(ngx_http_cx_batch_t *b);

/* its events are somewhere else now: the same, once its reply is in */
void ngx_http_cx_queue_leave(ngx_http_cx_batch_t *b, ngx_uint_t ok);

/* batches that hold events which are nowhere else */
ngx_uint_t ngx_http_cx_queue_held(void);

/* 1: memory is nearly used up */
ngx_uint_t ngx_http_cx_queue_tight(void);

void ngx_http_cx_queue_gauges(void);

/* the process ends: counts what is left, and returns it */
ngx_uint_t ngx_http_cx_queue_drop(void);


/* ---- writer.c ---- */

/* this channel is to be run from the event loop */
void ngx_http_cx_writer_post(ngx_http_cx_channel_t *ch);


/* ---- drain.c ---- */

/* of a worker that exits, at each tick; NGX_DECLINED: it waited long enough */
ngx_int_t ngx_http_cx_drain(void);

/* after work was done: if nothing is in memory, a worker may leave */
void ngx_http_cx_drain_settled(void);


/* ---- channel.c ---- */

void ngx_http_cx_channel_init(ngx_http_cx_channel_t *ch,
    ngx_http_cx_stream_t *stream, ngx_uint_t lane);

/* does what can be done now: closes, writes to the spool, sends */
void ngx_http_cx_channel_run(ngx_http_cx_channel_t *ch);

/* 1: it must be run again after a while */
ngx_uint_t ngx_http_cx_channel_waits(ngx_http_cx_channel_t *ch);

/* the process ends and there are no connections any more: all that is in
   memory to the spool */
void ngx_http_cx_channel_rescue(ngx_http_cx_channel_t *ch);

/* nothing of it is wanted any more */
void ngx_http_cx_channel_forget(ngx_http_cx_channel_t *ch);

/* what was sent is ready again, before the rest; no reply is waited for */
void ngx_http_cx_channel_recall(ngx_http_cx_channel_t *ch);


/* ---- channel_reply.c ---- */

/* data is the batch; reply is NULL if the connection was lost */
void ngx_http_cx_channel_reply(void *data, redisReply *reply);

#endif /* NGX_HTTP_CX_WRITER_H */
