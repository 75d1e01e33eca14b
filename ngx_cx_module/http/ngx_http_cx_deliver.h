/*
 * Delivery, step 4 of the design: events that were taken become batches and go
 * to Redis, by way of the spool while Redis is away or slow.
 *
 *   event -> queue -> channel -> connection -> Redis
 *                        |  ^
 *                        v  |   while Redis is away or slow
 *                       spool
 *
 * A channel is one stream's batches of one kind: signals (all but answers) or
 * answers.  It numbers its batches, and Redis takes each number once; so
 * everything may be sent again, and one channel that Redis refuses does not
 * hold up the others.
 */

#ifndef NGX_HTTP_CX_DELIVER_H
#define NGX_HTTP_CX_DELIVER_H

#include <hiredis/hiredis.h>

#include "ngx_http_cx.h"


typedef struct ngx_http_cx_channel_s  ngx_http_cx_channel_t;
typedef struct ngx_http_cx_batch_s    ngx_http_cx_batch_t;
typedef struct ngx_http_cx_waiter_s   ngx_http_cx_waiter_t;
typedef struct ngx_http_cx_conn_s     ngx_http_cx_conn_t;
typedef struct ngx_http_cx_spool_s    ngx_http_cx_spool_t;

/* what is wrong with a node of Redis, a channel or the spool: trouble.c */
typedef struct {
    ngx_str_t                    name;         /* "redis "..."", for logs */
    ngx_uint_t                   kinds;        /* that last, as bits */
    ngx_msec_t                   since;
    ngx_uint_t                   attempts;
} ngx_http_cx_trouble_t;

#define NGX_HTTP_CX_LANE_SIGNALS  0
#define NGX_HTTP_CX_LANE_ANSWERS  1            /* producer ends with "a" */
#define NGX_HTTP_CX_LANES         2

#define NGX_HTTP_CX_PRODUCER      16           /* hex digits, then a lane's
                                                  letter, if any */


/* ---- queue.c: bounded, per worker; events -> batches in memory ---- */

/* called once, when the event is in Redis or in the spool (ok is 1), or was
   dropped (0); not at a process's end */
typedef void (*ngx_http_cx_waiter_pt)(ngx_http_cx_waiter_t *w, ngx_uint_t ok);

struct ngx_http_cx_waiter_s {
    ngx_queue_t                  queue;        /* ngx_queue_remove() detaches */
    ngx_http_cx_waiter_pt        handler;
    void                        *data;
};

#define NGX_HTTP_CX_BATCH_HEAD  4096           /* room before body: command and
                                                  names of fields */

struct ngx_http_cx_batch_s {
    ngx_queue_t                  queue;
    ngx_http_cx_channel_t       *channel;
    uint64_t                     seq;          /* 0: not numbered yet */
    uint64_t                     ms;           /* Unix time, first event */
    ngx_msec_t                   born;         /* ngx_current_msec when it was
                                                  closed */
    ngx_uint_t                   events;
    ngx_uint_t                   types;        /* 1 << CX_VIEW, ... */
    ngx_uint_t                   args;         /* strings from data on */
    u_char                      *head;         /* the command */
    u_char                      *data;         /* names, then events: what the
                                                  spool keeps */
    u_char                      *body;         /* events */
    u_char                      *last;
    u_char                      *end;
    ngx_queue_t                  waiters;
    unsigned                     sending:1;    /* a connection has it */
    unsigned                     stale:1;      /* its reply says nothing more */
    unsigned                     gone:1;       /* no channel's any more: free
                                                  when the reply is in */
    unsigned                     spooled:1;    /* the spool is writing it */
    unsigned                     replay:1;     /* read from the spool */
};

ngx_int_t ngx_http_cx_queue_init(ngx_cycle_t *cycle,
    ngx_http_cx_main_conf_t *cxmcf);

/*
 * Adds an event to the site's stream that its visit belongs to; w, if any,
 * waits for the acknowledgement of its batch.  Never blocks, never logs.
 * NGX_DECLINED: no room, counted; when something must go, signals go first,
 * oldest first.
 */
ngx_int_t ngx_http_cx_queue_push(ngx_http_cx_site_t *site, cx_event_t *ev,
    ngx_http_cx_waiter_t *w);

/* an empty batch of a channel, for a replay: what is read goes to b->data, at
   most up to b->end; NULL: none left */
ngx_http_cx_batch_t *ngx_http_cx_queue_take(ngx_http_cx_channel_t *ch);
/* tells the waiters and gives the batch back */
void ngx_http_cx_queue_done(ngx_http_cx_batch_t *b, ngx_uint_t ok);


/* ---- writer.c: channels: numbering, window, sending again, drain ---- */

struct ngx_http_cx_channel_s {
    ngx_queue_t                  queue;        /* of the writer: all of them */
    ngx_queue_t                  work;         /* of the writer: to be run */
    ngx_http_cx_stream_t        *stream;
    ngx_uint_t                   lane;         /* NGX_HTTP_CX_LANE_* */
    ngx_str_t                    producer;
    uint64_t                     seq;          /* last number given */
    uint64_t                     prev;         /* number sent before on this
                                                  connection; 0: none */
    ngx_http_cx_batch_t         *open;         /* being filled */
    ngx_queue_t                  ready;        /* closed, oldest first: to be
                                                  sent or written */
    ngx_queue_t                  sent;         /* unacknowledged */
    ngx_uint_t                   nsent;
    ngx_uint_t                   nsending;     /* of these, without reply */
    ngx_uint_t                   nwriting;     /* of ready, at the front: the
                                                  spool has them */
    ngx_http_cx_conn_t          *conn;         /* that sent are on */
    ngx_msec_t                   after;        /* not before, after an error */
    ngx_msec_t                   delay;
    ngx_http_cx_spool_t         *spool;        /* NULL: nothing on disk */
    unsigned                     foreign:1;    /* of a producer that is gone */
    unsigned                     orphan:1;     /* foreign, and all is acked */
    unsigned                     working:1;    /* in the list of work */
    unsigned                     now:1;        /* open must go as well */
    unsigned                     paused:1;     /* until after */
    unsigned                     failed:1;     /* all sent must go again, once
                                                  the other replies are in */
    unsigned                     spooling:1;   /* mode: by way of the spool */
    unsigned                     refused:1;    /* the spool took one not */
    unsigned                     caught_up:1;  /* all on disk was read */
};

ngx_int_t ngx_http_cx_writer_init(ngx_cycle_t *cycle,
    ngx_http_cx_main_conf_t *cxmcf);
void ngx_http_cx_writer_exit(ngx_cycle_t *cycle);

/* queue.c: something was queued; now: do not wait for the flush time */
void ngx_http_cx_writer_wake(ngx_http_cx_channel_t *ch, ngx_uint_t now);

/* channel of a stream and lane of this process */
ngx_http_cx_channel_t *ngx_http_cx_writer_channel(ngx_http_cx_stream_t *stream,
    ngx_uint_t lane);

/* redis.c: connections or the map of slots changed: look at all channels */
void ngx_http_cx_writer_route(void);
/* redis.c: the worker begins to exit */
void ngx_http_cx_writer_quit(void);

/* spool.c: what was appended is written (or not: ok is 0, and the batch is
   as before); there is something to read; a channel's last record is acked */
void ngx_http_cx_writer_spooled(ngx_http_cx_batch_t *b, ngx_uint_t ok);
void ngx_http_cx_writer_readable(ngx_http_cx_channel_t *ch);
/* spool.c: a channel of a producer that is gone, to be replayed */
ngx_http_cx_channel_t *ngx_http_cx_writer_adopt(cx_spool_head_t *head,
    ngx_http_cx_spool_t *spool);
/* a foreign channel has nothing left: frees it */
void ngx_http_cx_writer_orphan(ngx_http_cx_channel_t *ch);


/* ---- spool_conf.c, spool.c, spool_dir.c, spool_io.c: batches on disk ---- */

/* cx_spool path [max_size=64m] [sync=off|interval|always] */
char *ngx_http_cx_spool_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* in a worker; looks for what producers left that are gone, then and later */
ngx_int_t ngx_http_cx_spool_init(ngx_cycle_t *cycle,
    ngx_http_cx_main_conf_t *cxmcf, ngx_str_t *producer);

/* 1: there is a cx_spool, and it can be written to */
ngx_uint_t ngx_http_cx_spool_usable(void);

/*
 * Appends a numbered batch to its channel's newest segment, all in order.
 * NGX_OK: taken, ngx_http_cx_writer_spooled() follows, maybe from within; until
 * then the batch's bytes, seq, ms, events and args stay as they are.
 * NGX_DECLINED: full, or files fail: said; to be tried again later.
 */
ngx_int_t ngx_http_cx_spool_append(ngx_http_cx_batch_t *b);

/*
 * The next record that was not read yet into an empty batch: seq, ms, events,
 * args, data and last are set.  NGX_OK; NGX_AGAIN: later, see
 * ngx_http_cx_writer_readable(); NGX_DONE: all is read.
 */
ngx_int_t ngx_http_cx_spool_read(ngx_http_cx_channel_t *ch,
    ngx_http_cx_batch_t *b);

/* the record of this number, the oldest that was read, is in Redis.  When it
   was the last one: its files are gone and ch->spool is NULL */
void ngx_http_cx_spool_ack(ngx_http_cx_channel_t *ch, uint64_t seq);

/* what was read and not acked is to be read again */
void ngx_http_cx_spool_rewind(ngx_http_cx_channel_t *ch);

/* the process ends: from now on appends are written at once; then closes */
void ngx_http_cx_spool_hurry(void);
void ngx_http_cx_spool_exit(void);


/* ---- conn.c, tls.c: a connection: resolve, connect, TLS, hello ---- */

/* once for each command: its reply, or NULL: the connection was lost */
typedef void (*ngx_http_cx_reply_pt)(void *data, redisReply *reply);

/*
 * opened: it can be sent to.  closed: it is not, or no longer, and what was
 * sent has been answered with NULL; kind: why, NGX_HTTP_CX_C_TROUBLE_*, or 0:
 * it was idle, and does not come back until opened.
 */
typedef struct {
    void  (*opened)(ngx_http_cx_conn_t *conn);
    void  (*closed)(ngx_http_cx_conn_t *conn, ngx_uint_t kind);
    void  (*slow)(ngx_http_cx_conn_t *conn);   /* a reply is overdue; to nodes
                                                  only */
} ngx_http_cx_conn_handlers_t;

#define NGX_HTTP_CX_CONN_NODE      0           /* comes back by itself, after a
                                                  while; says its troubles */
#define NGX_HTTP_CX_CONN_SCOUT     1           /* to a node: asks the way; is
                                                  quiet and impatient */
#define NGX_HTTP_CX_CONN_SENTINEL  2           /* the same, to a Sentinel */

/* script: loaded when it is opened, or NULL.  Closed, and nowhere yet. */
ngx_http_cx_conn_t *ngx_http_cx_conn_create(ngx_pool_t *pool,
    ngx_http_cx_redis_conf_t *conf, ngx_uint_t kind, ngx_str_t *script,
    ngx_http_cx_conn_handlers_t *handlers);

/* where a closed one is to go; name: for logs, copied */
void ngx_http_cx_conn_point(ngx_http_cx_conn_t *conn,
    ngx_http_cx_redis_peer_t *peer, ngx_str_t *name);

/* connects if it is closed and does not wait for its next attempt */
void ngx_http_cx_conn_open(ngx_http_cx_conn_t *conn);
ngx_uint_t ngx_http_cx_conn_ready(ngx_http_cx_conn_t *conn);
/* 1: it is open, or will be tried again */
ngx_uint_t ngx_http_cx_conn_wanted(ngx_http_cx_conn_t *conn);
ngx_http_cx_redis_peer_t *ngx_http_cx_conn_peer(ngx_http_cx_conn_t *conn);
ngx_http_cx_trouble_t *ngx_http_cx_conn_trouble(ngx_http_cx_conn_t *conn);

/* sends a command; its bytes stay valid until the handler is called, which
   never happens from within */
void ngx_http_cx_conn_send(ngx_http_cx_conn_t *conn, u_char *p, u_char *last,
    ngx_http_cx_reply_pt handler, void *data);
/* the same for what the way is asked with: that it is answered does not mean
   that all is well again */
void ngx_http_cx_conn_ask(ngx_http_cx_conn_t *conn, u_char *p, u_char *last,
    ngx_http_cx_reply_pt handler, void *data);

/* whether ASKING goes before each command */
void ngx_http_cx_conn_asking(ngx_http_cx_conn_t *conn, ngx_uint_t on);
/* brings the script once more; ngx_http_cx_writer_route() follows */
ngx_int_t ngx_http_cx_conn_load(ngx_http_cx_conn_t *conn);
/* a command was answered as it should be: troubles are over */
void ngx_http_cx_conn_well(ngx_http_cx_conn_t *conn);

/* what this reply says ends the connection: close, wait, connect again */
void ngx_http_cx_conn_fail(ngx_http_cx_conn_t *conn, ngx_uint_t kind,
    ngx_err_t err, const char *fmt, ...);

/* the same for an error reply; secret: its text may repeat a password */
void ngx_http_cx_conn_refused(ngx_http_cx_conn_t *conn, redisReply *reply,
    ngx_uint_t secret);

/* what it failed with last */
ngx_str_t *ngx_http_cx_conn_error(ngx_http_cx_conn_t *conn, ngx_err_t *err);

/* closes, and does not come back until opened; handlers of commands are
   called */
void ngx_http_cx_conn_close(ngx_http_cx_conn_t *conn);
/* the same, but no handler is called */
void ngx_http_cx_conn_drop(ngx_http_cx_conn_t *conn);


/* ---- redis_conf.c, redis.c: one node, Sentinels, a cluster ---- */

/* cx_redis ...: sets *cxmcf->redis */
char *ngx_http_cx_redis_parse(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* once conf->resolver is known: without one, looks hosts up now */
ngx_int_t ngx_http_cx_redis_lookup(ngx_conf_t *cf,
    ngx_http_cx_redis_conf_t *conf);

ngx_int_t ngx_http_cx_redis_init(ngx_cycle_t *cycle,
    ngx_http_cx_redis_conf_t *conf, ngx_str_t *script);

/* an open connection to whoever holds the slot, or NULL: one is being looked
   for, ngx_http_cx_writer_route() follows */
ngx_http_cx_conn_t *ngx_http_cx_redis_route(ngx_uint_t slot);

/*
 * What an error reply to a channel's command means: NGX_AGAIN, the way was
 * looked for anew and the command can be sent again (after a short while, or
 * once ngx_http_cx_writer_route() is called); NGX_ABORT, the connection is
 * closed because of it; NGX_DECLINED, the key or command is refused: others go
 * on.  Said and counted.
 */
ngx_int_t ngx_http_cx_redis_refused(ngx_http_cx_conn_t *conn,
    ngx_uint_t slot, redisReply *reply);

/* a channel's command was taken: what was wrong with its slot is over */
void ngx_http_cx_redis_taken(ngx_uint_t slot);

/* open connections, and all that are wanted, for the status page */
void ngx_http_cx_redis_links(ngx_uint_t *open, ngx_uint_t *wanted);

/* no handler is called */
void ngx_http_cx_redis_close(void);


/* ---- trouble.c: what is wrong, said once when it begins and ends ---- */

void ngx_http_cx_trouble_init(ngx_log_t *log);
/* counts and says it, unless it is known; kind: NGX_HTTP_CX_C_TROUBLE_*; also
   the "last error" of the status page */
void ngx_http_cx_trouble_begin(ngx_http_cx_trouble_t *t, ngx_uint_t kind,
    ngx_err_t err, ngx_str_t *text);
void ngx_http_cx_trouble_attempt(ngx_http_cx_trouble_t *t);
void ngx_http_cx_trouble_end(ngx_http_cx_trouble_t *t);
/* the same for what is not needed any more */
void ngx_http_cx_trouble_forget(ngx_http_cx_trouble_t *t);
/* counter of an error reply, which is cut to what may be logged; secret: the
   commands held a password */
ngx_uint_t ngx_http_cx_trouble_kind(ngx_str_t *reply, ngx_uint_t secret);

#endif /* NGX_HTTP_CX_DELIVER_H */
