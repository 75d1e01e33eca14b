/*
 * Blocking connection over hiredis 0.14 to 1.x.  The reader gets functions of
 * our own that append to a flat list (reply trees cost 2 us an event); reading
 * is done by redisBufferRead() and redisReaderGetReply(), because
 * redisGetReply() of 1.x looks into the objects for push messages.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cx_agg_redis.h"
#include "cx_keys.h"

#define CX_CHUNK 262144

struct cx_chunk_s {
    cx_chunk_t   *next;
    size_t        len;
    size_t        size;
    unsigned char data[];
};

#if (HIREDIS_MAJOR >= 1)
typedef size_t cx_elements_t;
#else
typedef int cx_elements_t;
#endif

static cx_reply_t *cx_target; /* of the reply being read */
static redisReply  cx_object; /* what hiredis thinks it holds */


void *
cx_alloc(size_t size)
{
    void *p;

    p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory (%zu bytes)\n", size);
        exit(1);
    }

    return p;
}


void *
cx_realloc(void *p, size_t size)
{
    p = realloc(p, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory (%zu bytes)\n", size);
        exit(1);
    }

    return p;
}


void
cx_buf_need(cx_buf_t *b, size_t len)
{
    if (b->size - b->len < len) {
        b->size = b->size * 2 + len + 1024;
        b->data = cx_realloc(b->data, b->size);
    }
}


void
cx_buf_head(cx_buf_t *b, char mark, size_t n)
{
    unsigned char *p;

    cx_buf_need(b, 24);
    p = b->data + b->len;
    *p++ = (unsigned char) mark;

    if (n < 10) {
        *p++ = (unsigned char) ('0' + n);

    } else if (n < 100) {
        *p++ = (unsigned char) ('0' + n / 10);
        *p++ = (unsigned char) ('0' + n % 10);

    } else {
        p += cx_digits((char *) p, n);
    }

    *p++ = '\r';
    *p++ = '\n';
    b->len = (size_t) (p - b->data);
}


void
cx_buf_bulk(cx_buf_t *b, const void *data, size_t len)
{
    cx_buf_head(b, '$', len);
    cx_buf_need(b, len + 2);

    if (len) {
        memcpy(b->data + b->len, data, len);
    }

    memcpy(b->data + b->len + len, "\r\n", 2);
    b->len += len + 2;
}


void
cx_buf_bulk_number(cx_buf_t *b, int64_t n)
{
    char   text[24];
    size_t len;

    text[0] = '-';
    len = cx_digits(text + (n < 0), n < 0 ? -(uint64_t) n : (uint64_t) n);
    cx_buf_bulk(b, text, len + (n < 0));
}


void
cx_redis_command(cx_redis_t *r, size_t args)
{
    cx_buf_head(&r->out, '*', args);
    r->expect++;
}


void
cx_redis_arg(cx_redis_t *r, const void *data, size_t len)
{
    cx_buf_bulk(&r->out, data, len);
}


void
cx_redis_text(cx_redis_t *r, const char *text)
{
    cx_buf_bulk(&r->out, text, strlen(text));
}


void
cx_redis_number(cx_redis_t *r, int64_t n)
{
    cx_buf_bulk_number(&r->out, n);
}


void
cx_redis_words(cx_redis_t *r, const char *words)
{
    size_t      n;
    const char *p;

    for (n = 1, p = words; *p; p++) {
        n += *p == ' ';
    }

    cx_redis_command(r, n);

    for (p = words;; p++) {
        if (*p == ' ' || *p == '\0') {
            cx_redis_arg(r, words, (size_t) (p - words));
            words = p + 1;
        }

        if (*p == '\0') {
            return;
        }
    }
}


/* ---- the reader's functions ---- */

static void *
cx_reply_push(int type, unsigned char *data, size_t len)
{
    cx_reply_t *t;

    t = cx_target;

    if (t->n == t->size) {
        t->size = t->size ? 2 * t->size : 256;
        t->s = cx_realloc(t->s, t->size * sizeof(cx_str_t));
        t->type = cx_realloc(t->type, t->size);
    }

    t->s[t->n].data = data;
    t->s[t->n].len = len;
    t->type[t->n++] = (unsigned char) type;

    return &cx_object;
}


static void *
cx_reply_string(const redisReadTask *task, char *data, size_t len)
{
    size_t      size;
    cx_chunk_t *c, *next;

    c = cx_target->chunk;

    if (c == NULL || c->size - c->len <= len) {
        next = c ? c->next : cx_target->first;

        if (next == NULL || next->size <= len) {
            size = len < CX_CHUNK ? CX_CHUNK : len + 1;
            next = cx_alloc(sizeof(cx_chunk_t) + size);
            next->size = size;

            if (c) {
                next->next = c->next;
                c->next = next;

            } else {
                next->next = cx_target->first;
                cx_target->first = next;
            }
        }

        c = next;
        c->len = 0;
        cx_target->chunk = c;
    }

    memcpy(c->data + c->len, data, len);
    c->data[c->len + len] = '\0';
    c->len += len + 1;

    return cx_reply_push(task->type, c->data + c->len - len - 1, len);
}


static void *
cx_reply_array(const redisReadTask *task, cx_elements_t n)
{
    (void) task;

    return cx_reply_push(REDIS_REPLY_ARRAY, NULL, (size_t) n);
}


static void *
cx_reply_integer(const redisReadTask *task, long long n)
{
    return cx_reply_push(task->type, NULL, (size_t) n);
}


static void *
cx_reply_nil(const redisReadTask *task)
{
    (void) task;

    return cx_reply_push(REDIS_REPLY_NIL, NULL, 0);
}


static void
cx_reply_drop(void *object)
{
    (void) object;
}


static redisReplyObjectFunctions cx_reply_functions = {
    .createString = cx_reply_string,
    .createArray = cx_reply_array,
    .createInteger = cx_reply_integer,
    .createNil = cx_reply_nil,
    .freeObject = cx_reply_drop
};


size_t
cx_reply_skip(const cx_reply_t *reply, size_t i)
{
    size_t left;

    for (left = 1; left > 0 && i < reply->n; i++) {
        left--;

        if (reply->type[i] == REDIS_REPLY_ARRAY) {
            left += reply->s[i].len;
        }
    }

    return i;
}


void
cx_reply_free(cx_reply_t *reply)
{
    cx_chunk_t *c, *next;

    for (c = reply->first; c; c = next) {
        next = c->next;
        free(c);
    }

    free(reply->s);
    free(reply->type);
    memset(reply, 0, sizeof(cx_reply_t));
}


/* ---- the connection ---- */

static int
cx_redis_fail(cx_redis_t *r, const char *what)
{
    if (what != r->error) {
        snprintf(r->error, sizeof(r->error), "%s", what);
    }

    cx_redis_close(r);

    return -1;
}


int
cx_redis_send(cx_redis_t *r)
{
    size_t  sent;
    ssize_t n;

    if (r->c == NULL) {
        return cx_redis_fail(r, "not connected");
    }

    for (sent = 0; sent < r->out.len; sent += (size_t) n) {
        n = send(r->c->fd, r->out.data + sent, r->out.len - sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            n = 0;

        } else if (n < 0) {
            return cx_redis_fail(r, errno == EAGAIN ? "timed out"
                                                    : strerror(errno));
        }
    }

    r->out.len = 0;

    return 0;
}


int
cx_redis_reply(cx_redis_t *r, cx_reply_t *reply)
{
    int   rc;
    void *object;

    reply->n = 0;
    reply->chunk = NULL;

    if (r->c == NULL) {
        return cx_redis_fail(r, "not connected");
    }

    if (r->out.len && cx_redis_send(r)) {
        return -1;
    }

    cx_target = reply;

    for (;;) {
        object = NULL;
        rc = redisReaderGetReply(r->c->reader, &object);

        if (rc != REDIS_OK) {
            return cx_redis_fail(r, r->c->reader->errstr);
        }

        if (object) {
            break;
        }

        errno = 0;

        if (redisBufferRead(r->c) != REDIS_OK) {
            return cx_redis_fail(r,
                                 errno == EAGAIN ? "timed out" : r->c->errstr);
        }
    }

    r->expect--;

    return 0;
}


int
cx_redis_get(cx_redis_t *r, cx_reply_t *reply)
{
    if (cx_redis_reply(r, reply)) {
        return -1;
    }

    if (reply->type[0] == REDIS_REPLY_ERROR) {
        snprintf(r->error, sizeof(r->error), "%.*s", (int) reply->s[0].len,
                 (char *) reply->s[0].data);
        return -1;
    }

    return 0;
}


void
cx_redis_close(cx_redis_t *r)
{
    if (r->c) {
        redisFree(r->c);
        r->c = NULL;
    }

    r->out.len = 0;
    r->expect = 0;
}


void
cx_redis_free(cx_redis_t *r)
{
    cx_redis_close(r);
    free(r->out.data);
    r->out.data = NULL;
    r->out.size = 0;
}


int
cx_redis_timeout(cx_redis_t *r, int timeout)
{
    struct timeval tv;

    tv.tv_sec = timeout / 1000;
    tv.tv_usec = timeout % 1000 * 1000;

    if (redisSetTimeout(r->c, tv) != REDIS_OK) {
        return cx_redis_fail(r, r->c->errstr);
    }

    return 0;
}


int
cx_redis_connect(cx_redis_t *r, const cx_redis_url_t *u, int timeout)
{
    cx_reply_t     reply;
    struct timeval tv;

    cx_redis_close(r);
    tv.tv_sec = timeout / 1000;
    tv.tv_usec = timeout % 1000 * 1000;

    r->c = u->host ? redisConnectWithTimeout(u->host, u->port, tv)
                   : redisConnectUnixWithTimeout(u->path, tv);

    if (r->c == NULL) {
        return cx_redis_fail(r, "no memory");
    }

    if (r->c->err) {
        return cx_redis_fail(r, r->c->errstr);
    }

    if (cx_redis_timeout(r, timeout)) {
        return -1;
    }

    if (u->host) {
        (void) redisEnableKeepAlive(r->c);
    }

    r->c->reader->fn = &cx_reply_functions;
    r->c->reader->maxbuf = 0; /* keep the buffer between replies */

    if (u->pass) {
        cx_redis_command(r, u->user ? 3 : 2);
        cx_redis_text(r, "AUTH");

        if (u->user) {
            cx_redis_text(r, u->user);
        }

        cx_redis_text(r, u->pass);
    }

    if (u->db) {
        cx_redis_command(r, 2);
        cx_redis_text(r, "SELECT");
        cx_redis_number(r, u->db);
    }

    cx_redis_words(r, "PING");
    memset(&reply, 0, sizeof(cx_reply_t));

    while (r->expect) {
        if (cx_redis_get(r, &reply)) {
            cx_reply_free(&reply);
            return cx_redis_fail(r, r->error);
        }
    }

    cx_reply_free(&reply);

    return 0;
}
