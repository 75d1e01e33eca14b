/*
 * Commands and replies over the reader of hiredis 0.14 to 1.x, which gets
 * functions of our own that append to a flat list: reply trees cost 2 us an
 * event.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_socket.h"

#define CX_CHUNK 262144
#define CX_READ  65536

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


void
cx_redis_scan(cx_redis_t *r, const char *cursor, const char *match,
              const char *type)
{
    cx_redis_command(r, type ? 8 : 6);
    cx_redis_text(r, "SCAN");
    cx_redis_text(r, cursor);
    cx_redis_text(r, "MATCH");
    cx_redis_text(r, match);
    cx_redis_text(r, "COUNT");
    cx_redis_text(r, "1000");

    if (type) {
        cx_redis_text(r, "TYPE");
        cx_redis_text(r, type);
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


/* a connection that is closed keeps the reason */

static int
cx_redis_closed(cx_redis_t *r)
{
    return cx_redis_fail(r, r->error[0] ? r->error : "not connected");
}


int
cx_redis_send(cx_redis_t *r)
{
    size_t  sent;
    ssize_t n;

    if (r->fd < 0) {
        return cx_redis_closed(r);
    }

    for (sent = 0; sent < r->out.len; sent += (size_t) n) {
        n = cx_socket_send(r, r->out.data + sent, r->out.len - sent);

        if (n < 0) {
            return cx_redis_fail(r, r->error);
        }
    }

    r->out.len = 0;

    return 0;
}


/* more bytes for the reader; 0, or -1 and r->error */

static int
cx_redis_read(cx_redis_t *r)
{
    ssize_t     n;
    static char buf[CX_READ];

    n = cx_socket_recv(r, buf, sizeof(buf));

    if (n < 0) {
        return cx_redis_fail(r, r->error);
    }

    return redisReaderFeed(r->reader, buf, (size_t) n) == REDIS_OK
               ? 0
               : cx_redis_fail(r, r->reader->errstr);
}


int
cx_redis_reply(cx_redis_t *r, cx_reply_t *reply)
{
    void *object;

    reply->n = 0;
    reply->chunk = NULL;

    if (r->fd < 0) {
        return cx_redis_closed(r);
    }

    if (r->out.len && cx_redis_send(r)) {
        return -1;
    }

    cx_target = reply;

    for (;;) {
        object = NULL;

        if (redisReaderGetReply(r->reader, &object) != REDIS_OK) {
            return cx_redis_fail(r, r->reader->errstr);
        }

        if (object) {
            break;
        }

        if (cx_redis_read(r)) {
            return -1;
        }
    }

    if (reply->n == 0) { /* of a type that RESP2 does not have */
        return cx_redis_fail(r, "Protocol error, unknown type of reply");
    }

    r->expect--;

    return 0;
}


int
cx_redis_get(cx_redis_t *r, cx_reply_t *reply)
{
    cx_str_t text;

    if (cx_redis_reply(r, reply)) {
        return -1;
    }

    if (reply->type[0] == REDIS_REPLY_ERROR) {
        text = reply->s[0];
        cx_redis_error_text(&text);
        snprintf(r->error, sizeof(r->error), "%.*s", (int) text.len,
                 (char *) text.data);
        return -1;
    }

    return 0;
}


void
cx_redis_close(cx_redis_t *r)
{
    cx_socket_close(r);

    if (r->reader) {
        redisReaderFree(r->reader);
        r->reader = NULL;
    }

    r->up = 0;
    r->until = 0;
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


void
cx_redis_timeout(cx_redis_t *r, int timeout)
{
    r->timeout = timeout;
}


static void
cx_redis_label(cx_redis_t *r, const cx_redis_target_t *t,
               const cx_redis_addr_t *addr, int sentinel)
{
    int         v6;
    const char *scheme;

    if (addr->host.len == 0) {
        snprintf(r->label, sizeof(r->label), "unix:%.*s", (int) addr->path.len,
                 (char *) addr->path.data);
        return;
    }

    v6 = memchr(addr->host.data, ':', addr->host.len) != NULL;
    scheme = sentinel ? "sentinel" : "redis";
    snprintf(r->label, sizeof(r->label), "%s%s://%s%.*s%s:%u", scheme,
             t->tls ? "s" : "", v6 ? "[" : "", (int) addr->host.len,
             (char *) addr->host.data, v6 ? "]" : "", addr->port);
}


/* a server that does not know AUTH repeats what came with it */

static void
cx_redis_hush(char *error)
{
    char *p;

    p = strstr(error, ", with args beginning with");

    if (p) {
        *p = '\0';
    }
}


/* AUTH, SELECT and PING in one go; 0, or -1 and r->error */

static int
cx_redis_greet(cx_redis_t *r, const cx_redis_target_t *t, int sentinel)
{
    int             rc;
    cx_reply_t      reply;
    const cx_str_t *user, *password;

    user = sentinel ? &t->sentinel_user : &t->user;
    password = sentinel ? &t->sentinel_password : &t->password;

    if (user->len || password->len) {
        cx_redis_command(r, user->len ? 3 : 2);
        cx_redis_text(r, "AUTH");

        if (user->len) {
            cx_redis_arg(r, user->data, user->len);
        }

        cx_redis_arg(r, password->data, password->len);
    }

    if (t->db && !sentinel) {
        cx_redis_command(r, 2);
        cx_redis_text(r, "SELECT");
        cx_redis_number(r, t->db);
    }

    cx_redis_words(r, "PING");
    memset(&reply, 0, sizeof(cx_reply_t));

    for (rc = 0; rc == 0 && r->expect;) {
        rc = cx_redis_get(r, &reply);
    }

    cx_reply_free(&reply);

    if (rc) {
        cx_redis_hush(r->error);
    }

    return rc;
}


int
cx_redis_connect(cx_redis_t *r, const cx_redis_target_t *t,
                 const cx_redis_addr_t *addr, int sentinel, int timeout)
{
    cx_redis_close(r);
    cx_redis_label(r, t, addr, sentinel);
    r->timeout = timeout;
    r->until = cx_monotonic() + timeout;

    if (cx_socket_open(r, t, addr)) {
        return cx_redis_fail(r, r->error);
    }

    r->reader = redisReaderCreateWithFunctions(&cx_reply_functions);

    if (r->reader == NULL) {
        return cx_redis_fail(r, "no memory");
    }

    r->reader->maxbuf = 0; /* keep the buffer between replies */

    if (cx_redis_greet(r, t, sentinel)) {
        return cx_redis_fail(r, r->error);
    }

    r->error[0] = '\0';
    r->until = 0;
    r->up = 1;

    return 0;
}
