
/*
 * What the files of the spool share among themselves.  A spool is a channel's
 * series of segments; an owner is a producer, this process or one that is
 * gone, whose lock file this process holds.
 *
 * Files are only touched by operations, which are done in the order in which
 * they were put, by a thread or, where nginx has none, by the event loop.
 */

#ifndef NGX_HTTP_CX_SPOOL_H
#define NGX_HTTP_CX_SPOOL_H

#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_SPOOL_NAME    64           /* bytes of a file's name */
#define NGX_HTTP_CX_SPOOL_AHEAD   (256 * 1024) /* bytes read at once */
#define NGX_HTTP_CX_SPOOL_RECORD  (CX_SPOOL_RECORD + CX_SPOOL_PAYLOAD_MAX)


typedef struct ngx_http_cx_segment_s  ngx_http_cx_segment_t;

typedef struct {
    ngx_queue_t                  queue;
    ngx_queue_t                  found;        /* its spools; dir.c */
    ngx_uint_t                   spools;       /* that are not empty; the lock
                                                  goes with the last one */
    ngx_uint_t                   own;
    ngx_fd_t                     lock;         /* of operations */
    u_char                       name[NGX_HTTP_CX_PRODUCER + 1];
} ngx_http_cx_spool_owner_t;


struct ngx_http_cx_segment_s {
    ngx_queue_t                  queue;        /* oldest first */
    ngx_http_cx_spool_t         *spool;
    uint64_t                     number;
    uint64_t                     ms;           /* Unix time, its oldest event */
    off_t                        head;         /* bytes before records */
    off_t                        acked;
    off_t                        read;
    off_t                        size;         /* written */
    off_t                        end;          /* ... or being written */
    ngx_uint_t                   events;       /* written, not acked */
    ngx_uint_t                   pending;      /* records read, not acked */
    ngx_uint_t                   writing;      /* records being written */
    ngx_uint_t                   full;         /* nothing more goes into it */
    ngx_uint_t                   bad;          /* corrupt behind end */
    ngx_uint_t                   dirty;        /* to be synced */
    ngx_fd_t                     fd;           /* of operations */
    u_char                       name[NGX_HTTP_CX_SPOOL_NAME];
};


/* a record that was read and not acked */
typedef struct {
    ngx_queue_t                  queue;
    ngx_http_cx_segment_t       *segment;
    uint64_t                     seq;
    uint64_t                     ms;
    off_t                        end;
    ngx_uint_t                   events;
} ngx_http_cx_spool_mark_t;


struct ngx_http_cx_spool_s {
    ngx_queue_t                  queue;        /* of the worker, or found */
    ngx_http_cx_channel_t       *channel;
    ngx_http_cx_spool_owner_t   *owner;
    cx_spool_head_t              head;         /* strings are in text */
    ngx_queue_t                  segments;
    ngx_queue_t                  marks;        /* oldest first */
    ngx_http_cx_segment_t       *reading;
    ngx_uint_t                   ops;          /* that know it */

    u_char                      *ahead;        /* read ahead: from offset of
                                                  segment number */
    size_t                       ahead_size;
    size_t                       ahead_len;
    off_t                        ahead_from;
    uint64_t                     ahead_number;

    ngx_uint_t                   foreign;
    ngx_uint_t                   fetching;
    ngx_uint_t                   gone;         /* freed when nobody knows it */
    ngx_uint_t                   tell;         /* the channel: look again */
    ngx_uint_t                   hungry;       /* the reader is at the end */
    ngx_uint_t                   stuck;        /* ... or tries again later */
    ngx_uint_t                   lost;         /* a write ended where nobody
                                                  reads */
    ngx_err_t                    failed;       /* of operations */
    u_char                       text[CX_SPOOL_HEAD_MAX];
};


typedef struct {
    ngx_http_cx_spool_conf_t    *conf;
    ngx_log_t                   *log;
    ngx_fd_t                     dir;          /* -1: not usable */
    ngx_http_cx_spool_owner_t    own;
    ngx_queue_t                  spools;
    ngx_uint_t                   number;       /* of the last segment made */
    off_t                        segment;      /* bytes of a segment */
    off_t                        bytes;        /* of this worker's segments */
    off_t                        aside;        /* bytes of what is set aside */
    ngx_uint_t                   events;
    ngx_msec_t                   retry;        /* no append before */
    ngx_msec_t                   since;        /* of the trouble */
    ngx_msec_t                   failed;       /* last time */
    ngx_uint_t                   trouble;
    ngx_uint_t                   full;         /* said */
    ngx_uint_t                   hurry;
    ngx_event_t                  news;         /* posted: tell channels */
    ngx_event_t                  sync;         /* timer */
} ngx_http_cx_spool_main_t;

extern ngx_http_cx_spool_main_t  ngx_http_cx_spool;


/* ---- spool_io.c ---- */

typedef enum {
    NGX_HTTP_CX_SPOOL_WRITE,
    NGX_HTTP_CX_SPOOL_SYNC,
    NGX_HTTP_CX_SPOOL_SEAL,                    /* sync if need be, close */
    NGX_HTTP_CX_SPOOL_FETCH,
    NGX_HTTP_CX_SPOOL_CUT,                     /* to size */
    NGX_HTTP_CX_SPOOL_REMOVE,
    NGX_HTTP_CX_SPOOL_ASIDE,                   /* to <name>.bad */
    NGX_HTTP_CX_SPOOL_UNLOCK                   /* the owner has no more */
} ngx_http_cx_spool_kind_e;

typedef struct {
    ngx_queue_t                  queue;
    ngx_http_cx_spool_kind_e     kind;
    ngx_http_cx_spool_t         *spool;        /* not of UNLOCK */
    ngx_http_cx_segment_t       *segment;
    ngx_http_cx_spool_owner_t   *owner;
    ngx_http_cx_batch_t         *batch;        /* of WRITE */
    off_t                        offset;
    size_t                       size;
    size_t                       want;         /* of FETCH: size at first */
    const char                  *call;         /* that failed, with err */
    ngx_err_t                    err;
    ngx_uint_t                   close;        /* afterwards */
    u_char                       head[CX_SPOOL_RECORD];
} ngx_http_cx_spool_op_t;

ngx_int_t ngx_http_cx_spool_io_init(ngx_cycle_t *cycle);

/* a cleared operation, to be put; NULL: out of memory */
ngx_http_cx_spool_op_t *ngx_http_cx_spool_op(ngx_http_cx_spool_kind_e kind,
    ngx_http_cx_spool_t *s, ngx_http_cx_segment_t *seg);

/* done soon, or at once when the process ends; ngx_http_cx_spool_done()
   follows */
void ngx_http_cx_spool_put(ngx_http_cx_spool_op_t *op);

/* takes the writes of a spool that did not begin out of those that wait */
void ngx_http_cx_spool_take(ngx_http_cx_spool_t *s, ngx_queue_t *to);
void ngx_http_cx_spool_op_free(ngx_http_cx_spool_op_t *op);

/* runs one beside all operations, in a thread if there are any; done(ev->data)
   follows, maybe from within */
ngx_int_t ngx_http_cx_spool_beside(
    void (*run)(void *data, ngx_log_t *log), ngx_event_handler_pt done,
    void *data);


/* ---- spool_file.c ---- */

#define NGX_HTTP_CX_SPOOL_GATHER  32           /* records in one write */

/* records for one segment that follow each other: all or none */
void ngx_http_cx_spool_write(ngx_http_cx_spool_op_t **ops, ngx_uint_t n);

/* any other operation */
void ngx_http_cx_spool_perform(ngx_http_cx_spool_op_t *op);


/* ---- spool.c ---- */

/* a spool that no channel has yet; NULL: out of memory */
ngx_http_cx_spool_t *ngx_http_cx_spool_create(ngx_http_cx_spool_owner_t *o,
    cx_spool_head_t *head);

/* nothing more goes into this segment */
void ngx_http_cx_spool_finish(ngx_http_cx_segment_t *seg);

/* begins to deliver what was found of a producer that is gone */
void ngx_http_cx_spool_claimed(ngx_http_cx_spool_owner_t *o);
/* leaves it to whoever comes next; in a thread */
void ngx_http_cx_spool_discard(ngx_http_cx_spool_owner_t *o);

/* channels with tell are told from the event loop, what is gone is freed */
void ngx_http_cx_spool_post(void);


/* ---- spool_done.c ---- */

/* what became of operations, oldest first; empties the queue */
void ngx_http_cx_spool_done(ngx_queue_t *ops);

/* files cannot be used: said once, until a write succeeds */
void ngx_http_cx_spool_trouble(const char *call, u_char *name, ngx_err_t err);


/* ---- spool_room.c ---- */

/* NGX_OK, maybe after dropping signals, or NGX_DECLINED */
ngx_int_t ngx_http_cx_spool_room(ngx_http_cx_channel_t *ch, size_t size);

void ngx_http_cx_spool_gauges(void);


/* ---- spool_read.c ---- */

void ngx_http_cx_spool_fetched(ngx_http_cx_spool_op_t *op);

/* removes what is acked to the end; the spool is gone when that is all */
void ngx_http_cx_spool_settle(ngx_http_cx_spool_t *s);

/* one spool less: with the last one of a producer that is gone, its lock file
   goes, and the owner is freed */
void ngx_http_cx_spool_release(ngx_http_cx_spool_owner_t *o);

/* forgets a segment, and removes its file or sets it aside */
void ngx_http_cx_spool_forget(ngx_http_cx_segment_t *seg,
    ngx_http_cx_spool_kind_e kind);


/* ---- spool_dir.c ---- */

/* looks for producers that are gone, now and then */
ngx_int_t ngx_http_cx_spool_dir_init(void);

/* of a segment, into NGX_HTTP_CX_SPOOL_NAME bytes */
u_char *ngx_http_cx_spool_name(u_char *dst, ngx_http_cx_spool_t *s,
    uint64_t number);

/* the lock file of an owner is held, made if need be; NGX_ERROR and errno */
ngx_int_t ngx_http_cx_spool_lock(ngx_http_cx_spool_owner_t *o);


/* ---- spool_scan.c ---- */

#define NGX_HTTP_CX_SPOOL_SEEN  256            /* producers in one look */

typedef struct {
    u_char                       producer[NGX_HTTP_CX_PRODUCER + 1];
    ngx_uint_t                   lock;         /* there is a lock file */
} ngx_http_cx_spool_seen_t;

typedef struct {
    ngx_log_t                   *log;
    ngx_uint_t                   running;
    ngx_queue_t                  owners;       /* claimed */
    ngx_http_cx_spool_owner_t   *owner;        /* being looked at */
    ngx_uint_t                   failed;       /* something of it is unread, */
    ngx_uint_t                   passing;      /* for a reason that may pass */
    off_t                        aside;        /* bytes of what is set aside */
    ngx_uint_t                   torn;
    ngx_uint_t                   corrupt;
    ngx_uint_t                   n;
    ngx_http_cx_spool_seen_t     seen[NGX_HTTP_CX_SPOOL_SEEN];
} ngx_http_cx_spool_scan_t;

void ngx_http_cx_spool_scan(void *data, ngx_log_t *log);

#endif /* NGX_HTTP_CX_SPOOL_H */
