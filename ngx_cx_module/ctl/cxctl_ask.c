/*
 * Questions of cxctl: each goes to the node of the site in hand.  In a cluster
 * what was asked is kept until it is answered: where the answer is that the
 * slot has moved, or moves, it is asked again at the node which is named.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cxctl.h"

#define CX_ASK_TRIES 30  /* of one question while its slot moves */
#define CX_ASK_PAUSE 100 /* ms between them where nobody is named */

struct cx_ctl_sent_s {
    cx_ctl_sent_t *next;
    cx_node_t     *node;
    cx_buf_t       command; /* as it was written */
};


/* ---- the node ---- */

void
cx_ctl_use(cx_ctl_t *c, cx_node_t *node)
{
    c->node = node;
    c->redis = &node->redis;

    /* a node that did not answer once is not waited for again */

    if (node->trouble_at == 0 && cx_node_up(&c->nodes, node)) {
        (void) cx_node_failed(&c->nodes, node);
    }
}


void
cx_ctl_node(cx_ctl_t *c)
{
    cx_node_t *node;

    node = cx_nodes_site(&c->nodes, &c->site);

    if (node) {
        cx_ctl_use(c, node);
        return;
    }

    c->node = NULL;
    c->redis = &c->none;
    memcpy(c->none.label, c->target.label, sizeof(c->none.label));
    snprintf(c->none.error, sizeof(c->none.error), "%.190s", c->nodes.error);
}


/* a slot has moved: asks who has it now, but only between questions, so that
   answers are looked for where they were asked */

static void
cx_ask_map(cx_ctl_t *c)
{
    if (c->moved && c->sent == NULL) {
        c->nodes.stale = 1;
        c->moved = cx_nodes_find(&c->nodes) == 0 && c->nodes.stale;
    }
}


/* ---- what was asked ---- */

static void
cx_ask_keep(cx_ctl_t *c, size_t from)
{
    cx_buf_t      *out;
    cx_ctl_sent_t *s, **last;

    if (c->target.mode != CX_REDIS_CLUSTER || c->node == NULL) {
        return;
    }

    out = &c->redis->out;
    s = cx_alloc(sizeof(cx_ctl_sent_t));
    s->node = c->node;
    cx_buf_need(&s->command, out->len - from);
    memcpy(s->command.data, out->data + from, out->len - from);
    s->command.len = out->len - from;

    last = c->sent ? c->sent_last : &c->sent;
    *last = s;
    c->sent_last = &s->next;
}


/* the question that the next answer of the node in hand is to, off the list */

static cx_ctl_sent_t *
cx_ask_kept(cx_ctl_t *c)
{
    cx_ctl_sent_t *s, **p;

    for (p = &c->sent; *p; p = &(*p)->next) {
        s = *p;

        if (s->node == c->node) {
            *p = s->next;
            c->sent_last = s->next ? c->sent_last : p;
            return s;
        }
    }

    return NULL;
}


static void
cx_ask_free(cx_ctl_sent_t *s)
{
    if (s) {
        free(s->command.data);
        free(s);
    }
}


/* ---- asked again ---- */

/* a connection of its own: on that of the node other answers may be to come */

static int
cx_ask_away(cx_ctl_t *c, const cx_str_t *host, unsigned port)
{
    cx_node_t *n;

    n = &c->away;

    if (n->redis.up && n->addr.port == port && strlen(n->host) == host->len
        && memcmp(n->host, host->data, host->len) == 0)
    {
        return 0;
    }

    if (host->data != (unsigned char *) n->host) {
        snprintf(n->host, sizeof(n->host), "%.*s", (int) host->len,
                 (char *) host->data);
    }

    n->addr.host.data = (unsigned char *) n->host;
    n->addr.host.len = strlen(n->host);
    n->addr.port = port;

    return cx_redis_connect(&n->redis, &c->target, &n->addr, 0,
                            c->nodes.timeout);
}


static int
cx_ask_once(cx_ctl_t *c, const cx_ctl_sent_t *s, int asking)
{
    cx_buf_t   *out;
    cx_redis_t *r;

    r = &c->away.redis;

    if (asking) {
        cx_redis_words(r, "ASKING");

        if (cx_redis_get(r, &c->reply)) {
            return -1;
        }
    }

    out = &r->out;
    cx_buf_need(out, s->command.len);
    memcpy(out->data + out->len, s->command.data, s->command.len);
    out->len += s->command.len;
    r->expect++;

    return cx_redis_get(r, &c->reply);
}


/* 0, or -1 and the error of c->failed; that of c->redis says where to go */

static int
cx_ask_again(cx_ctl_t *c, const cx_ctl_sent_t *s)
{
    int              tries;
    char             why[sizeof(c->redis->error)];
    cx_str_t         text, host, to;
    unsigned         slot, port, at;
    struct timespec  pause;
    cx_redis_error_e error;

    host = s->node->addr.host;
    port = s->node->addr.port;

    for (tries = 0; tries < CX_ASK_TRIES; tries++) {
        memcpy(why, c->failed->error, sizeof(why));
        text.data = (unsigned char *) why;
        text.len = strlen(why);
        error = cx_redis_error(&text);

        if (!c->failed->up || cx_redis_error_about(error) != CX_REDIS_ROUTE) {
            return -1;
        }

        if (cx_redis_redirect(&text, &slot, &to, &at) == 0) {
            host = to.len ? to : host;
            port = at;

        } else {
            pause.tv_sec = 0;
            pause.tv_nsec = CX_ASK_PAUSE * 1000000;
            nanosleep(&pause, NULL);
        }

        c->moved |= error == CX_REDIS_E_MOVED;
        c->failed = &c->away.redis;

        if (cx_ask_away(c, &host, port)
            || cx_ask_once(c, s, error == CX_REDIS_E_ASK) == 0)
        {
            return c->failed->up ? 0 : -1;
        }

        host.data = (unsigned char *) c->away.host;
        host.len = strlen(c->away.host);
    }

    memcpy(why, c->failed->error, sizeof(why));
    snprintf(c->failed->error, sizeof(c->failed->error),
             "a slot is not to be had, try again later: %.150s", why);

    return -1;
}


/* ---- what the callers see ---- */

void
cx_ctl_ask(cx_ctl_t *c, unsigned args, ...)
{
    size_t  from;
    va_list list;

    cx_ask_map(c);

    if (c->site.len) {
        cx_ctl_node(c);
    }

    from = c->redis->out.len;
    cx_redis_command(c->redis, args);
    va_start(list, args);

    while (args--) {
        cx_redis_text(c->redis, va_arg(list, const char *));
    }

    va_end(list);
    cx_ask_keep(c, from);
}


int
cx_ctl_take(cx_ctl_t *c)
{
    int            rc;
    cx_ctl_sent_t *s;

    s = cx_ask_kept(c);
    c->failed = c->redis;
    rc = cx_redis_get(c->redis, &c->reply);

    if (rc && c->node && !c->redis->up) {
        (void) cx_node_failed(&c->nodes, c->node);

    } else if (rc && s) {
        rc = cx_ask_again(c, s);
    }

    cx_ask_free(s);

    return rc;
}


int
cx_ctl_say(const cx_ctl_t *c)
{
    fprintf(stderr, "cxctl: %s: %s\n", c->failed->label, c->failed->error);

    return -1;
}


int
cx_ctl_get(cx_ctl_t *c)
{
    return cx_ctl_take(c) ? cx_ctl_say(c) : 0;
}


void
cx_ctl_drop(cx_ctl_t *c)
{
    cx_ctl_sent_t *s;

    while ((s = c->sent) != NULL) {
        c->sent = s->next;
        cx_ask_free(s);
    }
}


void
cx_ctl_drain(cx_ctl_t *c)
{
    cx_node_t *node;

    for (node = c->nodes.node; node; node = node->next) {
        while (node->redis.up && node->redis.expect) {
            (void) cx_redis_get(&node->redis, &c->reply);
        }
    }

    cx_ctl_drop(c);
}
