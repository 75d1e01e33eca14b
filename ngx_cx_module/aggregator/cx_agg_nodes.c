/*
 * Which connection serves a site: the one node, the master that Sentinels
 * name, or the node of a cluster that holds the site's slot.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cx_agg_nodes.h"

#define CX_NODES_ASK     1000 /* ms between two questions who is there */
#define CX_NODES_CONNECT 2000 /* ms at most where others could be asked */
#define CX_NODES_QUICK   1000 /* ms of a round while nothing waits for it */
#define CX_NODES_LEAST   500  /* ms of one in a round, and of the first delay */
#define CX_NODES_BACKOFF 5000 /* ms between two attempts at most */
#define CX_WORDS         40   /* seeds and what may follow them */


int64_t
cx_monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


const char *
cx_redis_line(cx_redis_target_t *t, char **memory, const char *line)
{
    char    *s;
    size_t   len;
    unsigned n;
    cx_str_t word[CX_WORDS];

    s = cx_alloc(strlen(line) + 1);
    memcpy(s, line, strlen(line));
    free(*memory);
    *memory = s;

    for (n = 0; *(s += strspn(s, " \t")); s += len) {
        len = strcspn(s, " \t");

        if (n == CX_WORDS) {
            return "expected fewer words";
        }

        word[n].data = (unsigned char *) s;
        word[n++].len = len;
    }

    return cx_redis_target(t, word, n);
}


/* ---- the list ---- */

static int
cx_node_is(const cx_node_t *node, const char *host, unsigned port)
{
    return node->addr.port == port && strcmp(node->host, host) == 0;
}


cx_node_t *
cx_nodes_add(cx_nodes_t *n, const cx_redis_addr_t *addr)
{
    char       host[CX_REDIS_HOST];
    cx_node_t *node, **last;

    snprintf(host, sizeof(host), "%.*s", (int) addr->host.len,
             (char *) addr->host.data);

    for (last = &n->node; *last; last = &(*last)->next) {
        if (cx_node_is(*last, host, addr->port)) {
            return *last;
        }
    }

    node = cx_alloc(sizeof(cx_node_t));
    memcpy(node->host, host, sizeof(host));
    node->addr = *addr;
    node->addr.host.data = (unsigned char *) node->host;
    node->addr.host.len = strlen(host);
    node->redis.fd = -1;
    *last = node;

    return node;
}


static cx_node_t *
cx_nodes_used(const cx_nodes_t *n)
{
    cx_node_t *node;

    for (node = n->node; node && !node->used; node = node->next) { /* void */
    }

    return node;
}


int
cx_nodes_patience(const cx_nodes_t *n)
{
    if (n->patience) {
        return n->patience;
    }

    return n->target->mode == CX_REDIS_NODE || n->timeout < CX_NODES_CONNECT
               ? n->timeout
               : CX_NODES_CONNECT;
}


int
cx_nodes_share(cx_nodes_t *n, int64_t end, unsigned left)
{
    int64_t ms, most;

    n->patience = 0;
    most = cx_nodes_patience(n);
    ms = end - cx_monotonic();

    if (ms <= 0) {
        return 0;
    }

    ms /= left;
    ms = ms < CX_NODES_LEAST ? CX_NODES_LEAST : ms;

    return (int) (ms < most ? ms : most);
}


int
cx_nodes_why(cx_nodes_t *n, const cx_redis_t *r)
{
    snprintf(n->error, sizeof(n->error), "%.100s: %.150s", r->label, r->error);

    return -1;
}


/* ---- what the callers see ---- */

void
cx_nodes_init(cx_nodes_t *n, const cx_redis_target_t *t, int timeout)
{
    unsigned i;

    memset(n, 0, sizeof(cx_nodes_t));
    n->target = t;
    n->timeout = timeout;
    n->stale = t->mode != CX_REDIS_NODE;

    if (t->mode == CX_REDIS_NODE) {
        cx_nodes_add(n, &t->seed[0])->used = 1;

    } else if (t->mode == CX_REDIS_CLUSTER) {
        for (i = 0; i < t->n; i++) {
            (void) cx_nodes_add(n, &t->seed[i]);
        }
    }

    /* not all of many processes ask the same one */

    n->turn = (unsigned) (cx_monotonic() ^ (int64_t) (size_t) n);
}


void
cx_nodes_free(cx_nodes_t *n)
{
    cx_node_t *node, *next;

    for (node = n->node; node; node = next) {
        next = node->next;
        cx_redis_free(&node->redis);
        free(node);
    }

    free(n->map);
    n->node = NULL;
    n->map = NULL;
}


/* ms of a round: the first may last, later ones hold up what works */

static int
cx_nodes_round(const cx_nodes_t *n)
{
    const cx_node_t *node;

    if (n->ask_at == 0) {
        return n->timeout;
    }

    node = cx_nodes_used(n);

    return n->target->mode == CX_REDIS_SENTINEL && node && node->redis.up
                   && n->timeout > CX_NODES_QUICK
               ? CX_NODES_QUICK
               : cx_nodes_patience(n);
}


/* one round; the next one soon, or later and later while nobody answers */

static int
cx_nodes_ask(cx_nodes_t *n, int64_t now)
{
    int     rc;
    int64_t end;

    end = now + cx_nodes_round(n);
    rc = n->target->mode == CX_REDIS_CLUSTER ? cx_cluster_find(n, end)
                                             : cx_sentinel_find(n, end);
    n->patience = 0;
    n->stale = rc != 0;

    if (rc == 0) {
        n->backoff = 0;
        n->ask_at = cx_monotonic() + CX_NODES_ASK;
        return 0;
    }

    n->backoff = n->backoff ? 2 * n->backoff : CX_NODES_LEAST;

    if (n->backoff > CX_NODES_BACKOFF) {
        n->backoff = CX_NODES_BACKOFF;
    }

    n->ask_at = cx_monotonic() + n->backoff;

    return -1;
}


int
cx_nodes_find(cx_nodes_t *n)
{
    int64_t    now;
    cx_node_t *node;

    if (n->target->mode == CX_REDIS_NODE) {
        return 0;
    }

    for (node = n->node; node; node = node->next) {
        if (node->used && node->trouble_at) {
            n->stale = 1; /* another may have taken over by now */
        }
    }

    now = cx_monotonic();

    if (n->stale && now >= n->ask_at) {
        return cx_nodes_ask(n, now);
    }

    return n->backoff == 0 && cx_nodes_used(n) ? 0 : -1;
}


int
cx_node_up(cx_nodes_t *n, cx_node_t *node)
{
    cx_redis_t *r;

    r = &node->redis;

    if (r->up) {
        return 0;
    }

    if (cx_redis_connect(r, n->target, &node->addr, 0, cx_nodes_patience(n))) {
        return -1;
    }

    if (n->target->mode == CX_REDIS_SENTINEL && cx_sentinel_role(n, r)) {
        cx_redis_close(r);
        return -1;
    }

    cx_redis_timeout(r, n->timeout);

    return 0;
}


cx_node_t *
cx_nodes_site(cx_nodes_t *n, const cx_str_t *site)
{
    int        i;
    unsigned   slot;
    cx_node_t *node;

    if (n->target->mode != CX_REDIS_CLUSTER) {
        return cx_nodes_used(n);
    }

    slot = cx_redis_slot(site); /* the hash tag of all its keys */
    i = n->map ? n->map->slot[slot] : -1;

    if (i < 0) {
        n->stale = 1;

        if (n->map) {
            snprintf(n->error, sizeof(n->error),
                     "no node of the cluster holds slot %u (site %.*s)", slot,
                     (int) site->len, (char *) site->data);
        }

        return NULL;
    }

    for (node = n->node; node; node = node->next) {
        if (cx_node_is(node, n->map->node[i].host, n->map->node[i].port)) {
            break;
        }
    }

    return node;
}


int
cx_node_failed(cx_nodes_t *n, cx_node_t *node)
{
    int              news;
    int64_t          now;
    cx_str_t         text;
    cx_redis_error_e error;

    now = cx_monotonic();
    text.data = (unsigned char *) node->redis.error;
    text.len = strlen(node->redis.error);
    error = cx_redis_error(&text);

    if (n->target->mode != CX_REDIS_NODE
        && (!node->redis.up || cx_redis_error_about(error) == CX_REDIS_ROUTE
            || error == CX_REDIS_E_READONLY || error == CX_REDIS_E_MASTERDOWN))
    {
        n->stale = 1;
    }

    cx_redis_close(&node->redis);
    news = node->trouble_at == 0;
    node->trouble_at = news ? now : node->trouble_at;
    node->backoff = node->backoff ? 2 * node->backoff : 100;

    if (node->backoff > CX_NODES_BACKOFF) {
        node->backoff = CX_NODES_BACKOFF;
    }

    node->retry_at = now + node->backoff / 2 + rand() % (node->backoff / 2 + 1);

    return news;
}


int64_t
cx_node_works(cx_node_t *node)
{
    int64_t since;

    since = node->trouble_at;
    node->trouble_at = 0;
    node->retry_at = 0;
    node->backoff = 0;

    return since ? cx_monotonic() - since : -1;
}
