/*
 * A blocking connection to Redis over hiredis, for the aggregator and cxctl.
 * Commands are written into one buffer, replies become flat lists of tokens:
 * no object per value.
 */

#ifndef CX_AGG_REDIS_H
#define CX_AGG_REDIS_H

#include <stdint.h>
#include <hiredis/hiredis.h>
#include "cx_redis.h"

typedef struct {
    unsigned char  *data;
    size_t          len;
    size_t          size;
} cx_buf_t;

/*
 * Tokens of one reply in the order of the wire.  s[i] of a string, status or
 * error is its bytes; of an array len is the number of elements, of an integer
 * the number, data is NULL; of a nil both are none.
 */
typedef struct cx_chunk_s  cx_chunk_t;

typedef struct {
    cx_str_t       *s;
    unsigned char  *type;        /* REDIS_REPLY_* */
    size_t          n;
    size_t          size;
    cx_chunk_t     *first;
    cx_chunk_t     *chunk;       /* being filled */
} cx_reply_t;                    /* zeroed: empty */

typedef struct cx_tls_s  cx_tls_t;   /* cx_agg_tls.c */

/* one connection; hiredis reads the protocol, the socket is ours, as hiredis
   before 1.0 has no TLS */
typedef struct {
    int            fd;           /* -1: closed */
    unsigned       up:1;         /* connected and greeted */
    cx_tls_t      *tls;          /* NULL: plain */
    redisReader   *reader;
    int            timeout;      /* ms, of each read and write */
    int64_t        until;        /* monotonic ms, the end of all steps to
                                    connect; 0: is connected */
    cx_buf_t       out;
    unsigned       expect;       /* replies still to come */
    char           label[160];   /* for messages */
    char           error[200];   /* why the last call failed */
} cx_redis_t;                    /* fd must be -1 at first */

/*
 * Connects to one address and greets: AUTH, SELECT, PING; sentinel: with the
 * Sentinels' user and password, without SELECT.  0, or -1 and r->error;
 * timeout in ms, for all of that and then for each read and write.
 */
int cx_redis_connect(cx_redis_t *r, const cx_redis_target_t *t,
    const cx_redis_addr_t *addr, int sentinel, int timeout);
void cx_redis_timeout(cx_redis_t *r, int timeout);
void cx_redis_close(cx_redis_t *r);
void cx_redis_free(cx_redis_t *r);

/* a command: its number of arguments, then the arguments; sent when a reply
   is asked for */
void cx_redis_command(cx_redis_t *r, size_t args);
void cx_redis_arg(cx_redis_t *r, const void *data, size_t len);
void cx_redis_text(cx_redis_t *r, const char *text);
void cx_redis_number(cx_redis_t *r, int64_t n);

/* words separated by single spaces, as one command */
void cx_redis_words(cx_redis_t *r, const char *words);

/* one step of SCAN over the keys that match; type: only of this, or NULL */
void cx_redis_scan(cx_redis_t *r, const char *cursor, const char *match,
    const char *type);

/* sends what is waiting; 0, or -1 and r->error */
int cx_redis_send(cx_redis_t *r);

/*
 * Reads the next reply.  0, or -1 and r->error when the connection failed; an
 * error that Redis answers is 0 and a token of type REDIS_REPLY_ERROR.
 */
int cx_redis_reply(cx_redis_t *r, cx_reply_t *reply);

/* the same; an error reply is -1 as well, with its text in r->error */
int cx_redis_get(cx_redis_t *r, cx_reply_t *reply);

/* index after the value at i, nested ones skipped */
size_t cx_reply_skip(const cx_reply_t *reply, size_t i);
void cx_reply_free(cx_reply_t *reply);


/* ---- cx_agg_buf.c ---- */

/* growing bytes; without memory the process ends with a message */
void cx_buf_need(cx_buf_t *b, size_t len);
void cx_buf_bulk(cx_buf_t *b, const void *data, size_t len);
void cx_buf_head(cx_buf_t *b, char mark, size_t n);
void cx_buf_bulk_number(cx_buf_t *b, int64_t n);

void *cx_alloc(size_t size);             /* zeroed, never NULL */
void *cx_realloc(void *p, size_t size);  /* never NULL */


/* ---- cx_agg_nodes.c: which connection serves a site ---- */

/* one node, or each master of a cluster */
typedef struct cx_node_s  cx_node_t;

struct cx_node_s {
    cx_node_t        *next;
    cx_redis_t        redis;
    cx_redis_addr_t   addr;
    char              host[CX_REDIS_HOST];
    int64_t           retry_at;      /* monotonic ms; not before */
    int64_t           backoff;       /* ms */
    int64_t           trouble_at;    /* monotonic ms; 0: none */
    unsigned          used:1;        /* holds slots, as far as is known */
    unsigned          asked:1;       /* in this round of questions */
};

typedef struct {
    const cx_redis_target_t  *target;
    int                       timeout;
    cx_node_t                *node;      /* all that were ever seen */
    cx_redis_map_t           *map;       /* of a cluster, else NULL */
    unsigned                  stale:1;   /* to be asked for again */
    int64_t                   ask_at;    /* monotonic ms; not before */
    int64_t                   backoff;   /* ms, after a round without answer */
    int                       patience;  /* ms for a node; 0: as a rule */
    unsigned                  turn;      /* of seeds and Sentinels */
    char                      error[256];
} cx_nodes_t;

void cx_nodes_init(cx_nodes_t *n, const cx_redis_target_t *t, int timeout);
void cx_nodes_free(cx_nodes_t *n);

/*
 * Finds out who is there: nothing for one node, the master among Sentinels,
 * the slots of a cluster; when stale, or the first time.  Where nobody answers
 * what was known stays, and nobody is asked for a while.  0, or -1 and error:
 * nobody has answered, or nothing is known.
 */
int cx_nodes_find(cx_nodes_t *n);

/* connected and greeted (Sentinel: and it says that it is the master), at
   once if it is already; 0, or -1 and node->redis.error; NULL of a site: no
   node is known for its slot (n->error) */
int cx_node_up(cx_nodes_t *n, cx_node_t *node);
cx_node_t *cx_nodes_site(cx_nodes_t *n, const cx_str_t *site);

/*
 * A call on this node failed: closes it, sets retry_at and looks at the error:
 * MOVED, ASK, CLUSTERDOWN, READONLY and lost connections make the map stale.
 * 1 if this is news (the trouble begins), 0 if it lasts.
 */
int cx_node_failed(cx_nodes_t *n, cx_node_t *node);
/* it works: the trouble's length in ms if there was one, else -1 */
int64_t cx_node_works(cx_node_t *node);

int64_t cx_monotonic(void);              /* ms */

/*
 * cx_redis_target() of a line of words between blanks.  The target points into
 * *memory (NULL, or an earlier line's, which is freed), to be freed after it.
 */
const char *cx_redis_line(cx_redis_target_t *t, char **memory,
    const char *line);

#endif /* CX_AGG_REDIS_H */
