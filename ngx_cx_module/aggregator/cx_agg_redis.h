/*
 * A blocking connection to Redis over hiredis, for the aggregator and cxctl.
 * Commands are written into one buffer, replies become flat lists of tokens:
 * no object per value.
 */

#ifndef CX_AGG_REDIS_H
#define CX_AGG_REDIS_H

#include <stdint.h>
#include <hiredis/hiredis.h>
#include "cx_core.h"

typedef struct {
    char    *text;               /* everything below points into it */
    char    *host;               /* NULL: path */
    char    *path;
    char    *user;
    char    *pass;
    int      port;
    int      db;
    char     label[160];         /* for messages: without the password */
} cx_redis_url_t;

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

typedef struct {
    redisContext  *c;
    cx_buf_t       out;
    unsigned       expect;       /* replies still to come */
    char           error[200];   /* why the last call failed */
} cx_redis_t;

/* NULL, or what is wrong with the url */
const char *cx_redis_url(cx_redis_url_t *u, const char *text);
void cx_redis_url_free(cx_redis_url_t *u);

/* 0, or -1 and r->error; timeout in ms, for each read and write */
int cx_redis_connect(cx_redis_t *r, const cx_redis_url_t *u, int timeout);
int cx_redis_timeout(cx_redis_t *r, int timeout);
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

/* growing bytes; without memory the process ends with a message */
void cx_buf_need(cx_buf_t *b, size_t len);
void cx_buf_bulk(cx_buf_t *b, const void *data, size_t len);
void cx_buf_head(cx_buf_t *b, char mark, size_t n);
void cx_buf_bulk_number(cx_buf_t *b, int64_t n);

void *cx_alloc(size_t size);             /* zeroed, never NULL */
void *cx_realloc(void *p, size_t size);  /* never NULL */

#endif /* CX_AGG_REDIS_H */
