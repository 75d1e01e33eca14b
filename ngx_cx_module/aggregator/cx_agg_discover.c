/* Who is there: what Sentinels and the nodes of a cluster say. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_nodes.h"
#include "cx_rollup.h"


/* a number, or its digits; 0: it is no port */

static int
cx_reply_port(const cx_reply_t *reply, size_t i)
{
    int64_t         n;
    const cx_str_t *s;

    s = &reply->s[i];

    if (reply->type[i] == REDIS_REPLY_INTEGER) {
        n = (int64_t) s->len;

    } else if (s->data == NULL || cx_number(&n, s)) {
        return 0;
    }

    return n > 0 && n < 65536 ? (int) n : 0;
}


/* ---- Sentinels ---- */

static int
cx_sentinel_ask(cx_nodes_t *n, cx_redis_t *r, cx_reply_t *reply)
{
    cx_redis_command(r, 3);
    cx_redis_text(r, "SENTINEL");
    cx_redis_text(r, "GET-MASTER-ADDR-BY-NAME");
    cx_redis_arg(r, n->target->master.data, n->target->master.len);

    if (cx_redis_get(r, reply)) {
        return -1;
    }

    if (reply->type[0] != REDIS_REPLY_ARRAY || reply->n != 3
        || reply->s[1].len == 0 || cx_reply_port(reply, 2) <= 0)
    {
        snprintf(r->error, sizeof(r->error),
                 "this Sentinel knows no master \"%.*s\"",
                 (int) n->target->master.len, (char *) n->target->master.data);
        return -1;
    }

    return 0;
}


static void
cx_sentinel_use(cx_nodes_t *n, const cx_reply_t *reply)
{
    cx_node_t      *node, *master;
    cx_redis_addr_t addr;

    memset(&addr, 0, sizeof(cx_redis_addr_t));
    addr.host = reply->s[1];
    addr.port = (unsigned) cx_reply_port(reply, 2);
    master = cx_nodes_add(n, &addr);

    for (node = n->node; node; node = node->next) {
        if (node->used && node != master) {
            cx_redis_close(&node->redis);
        }

        node->used = node == master;
    }
}


int
cx_sentinel_find(cx_nodes_t *n, int64_t end)
{
    int        rc;
    unsigned   i;
    cx_redis_t r;
    cx_reply_t reply;

    memset(&r, 0, sizeof(cx_redis_t));
    memset(&reply, 0, sizeof(cx_reply_t));
    r.fd = -1;
    rc = -1;

    for (i = 0; rc && i < n->target->n; i++) {
        n->patience = cx_nodes_share(n, end, n->target->n - i);

        if (n->patience == 0) {
            break; /* the others next time: n->turn */
        }

        rc = cx_redis_connect(&r, n->target,
                              &n->target->seed[n->turn % n->target->n], 1,
                              n->patience);
        rc = rc ? rc : cx_sentinel_ask(n, &r, &reply);

        if (rc) {
            (void) cx_nodes_why(n, &r);
            n->turn++;

        } else {
            cx_sentinel_use(n, &reply);
        }
    }

    cx_redis_free(&r);
    cx_reply_free(&reply);

    return rc;
}


int
cx_sentinel_role(cx_nodes_t *n, cx_redis_t *r)
{
    int        rc;
    cx_reply_t reply;

    memset(&reply, 0, sizeof(cx_reply_t));
    cx_redis_words(r, "ROLE");
    rc = cx_redis_get(r, &reply);

    if (rc == 0
        && (reply.n < 2 || reply.s[1].len != 6
            || memcmp(reply.s[1].data, "master", 6) != 0))
    {
        snprintf(r->error, sizeof(r->error),
                 "the Sentinels name it master, it says it is none");
        rc = -1;
    }

    cx_reply_free(&reply);

    if (rc) {
        n->turn++;
        n->stale = 1;
    }

    return rc;
}


/* ---- a cluster ---- */

/*
 * What a node at i of the reply (host, port, id, names and values) is called:
 * nothing means as it was asked; "?" that it has no name, but an address.
 */

static cx_str_t
cx_cluster_host(const cx_node_t *asked, const cx_reply_t *r, size_t i)
{
    size_t   k, end;
    cx_str_t host;

    host = r->s[i + 1];

    if (host.data == NULL || host.len == 0) {
        return asked->addr.host;
    }

    end = cx_reply_skip(r, i);

    if (host.len == 1 && host.data[0] == '?') {
        for (k = i + 5; k + 1 < end; k += 2) {
            if (r->s[k].len == 2 && r->s[k].data && r->s[k + 1].data
                && memcmp(r->s[k].data, "ip", 2) == 0)
            {
                return r->s[k + 1];
            }
        }
    }

    return host;
}


/* rows of first, last, node, replicas; a node without an address is left out.
   0, or -1 */

static int
cx_cluster_rows(cx_redis_map_t *map, const cx_node_t *asked,
                const cx_reply_t *r)
{
    int             port;
    size_t          i;
    cx_str_t        host;
    const cx_str_t *s;

    if (r->type[0] != REDIS_REPLY_ARRAY) {
        return -1;
    }

    for (i = 1; i < r->n; i = cx_reply_skip(r, i)) {
        s = &r->s[i];

        if (i + 5 >= r->n || r->type[i] != REDIS_REPLY_ARRAY || s[0].len < 3
            || r->type[i + 1] != REDIS_REPLY_INTEGER
            || r->type[i + 2] != REDIS_REPLY_INTEGER
            || r->type[i + 3] != REDIS_REPLY_ARRAY || s[3].len < 2
            || s[1].len >= CX_REDIS_SLOTS || s[2].len >= CX_REDIS_SLOTS)
        {
            return -1;
        }

        host = cx_cluster_host(asked, r, i + 3);
        port = cx_reply_port(r, i + 5);

        if (port > 0) {
            (void) cx_redis_map_range(map, (unsigned) s[1].len,
                                      (unsigned) s[2].len, &host,
                                      (unsigned) port);
        }
    }

    return map->n ? 0 : -1;
}


/* takes a new map; who holds nothing any more is left alone */

static void
cx_cluster_use(cx_nodes_t *n, cx_redis_map_t *map)
{
    unsigned        i;
    cx_node_t      *node;
    cx_redis_addr_t addr;

    free(n->map);
    n->map = map;

    for (node = n->node; node; node = node->next) {
        node->used = 0;
    }

    memset(&addr, 0, sizeof(cx_redis_addr_t));

    for (i = 0; i < map->n; i++) {
        addr.host.data = (unsigned char *) map->node[i].host;
        addr.host.len = strlen(map->node[i].host);
        addr.port = map->node[i].port;
        cx_nodes_add(n, &addr)->used = 1;
    }

    for (node = n->node; node; node = node->next) {
        if (!node->used && node->redis.expect == 0) {
            cx_redis_close(&node->redis);
        }
    }
}


static int
cx_cluster_ask(cx_nodes_t *n, cx_node_t *node)
{
    int             rc;
    cx_reply_t      reply;
    cx_redis_map_t *map;

    if (cx_node_up(n, node)) {
        return cx_nodes_why(n, &node->redis);
    }

    memset(&reply, 0, sizeof(cx_reply_t));
    cx_redis_timeout(&node->redis, cx_nodes_patience(n));
    cx_redis_words(&node->redis, "CLUSTER SLOTS");
    rc = cx_redis_get(&node->redis, &reply);
    cx_redis_timeout(&node->redis, n->timeout);

    if (rc == 0) {
        map = cx_alloc(sizeof(cx_redis_map_t));
        cx_redis_map_clear(map);

        if (cx_cluster_rows(map, node, &reply) == 0) {
            cx_cluster_use(n, map);

        } else {
            free(map);
            rc = -1;
            snprintf(node->redis.error, sizeof(node->redis.error),
                     "CLUSTER SLOTS says nothing that is understood");
        }
    }

    cx_reply_free(&reply);

    return rc ? cx_nodes_why(n, &node->redis) : 0;
}


/* whom to ask first: who is known to answer, then who may, then the rest */

static int
cx_cluster_rank(const cx_node_t *node, int64_t now)
{
    return node->redis.up && node->trouble_at == 0 ? 0
           : node->retry_at <= now                 ? 1
                                                   : 2;
}


/* those of a rank, in turn; 0, or -1: none has answered, or it is too late */

static int
cx_cluster_round(cx_nodes_t *n, int rank, int64_t end, unsigned *left)
{
    int64_t    now;
    unsigned   i, count;
    cx_node_t *node;

    for (count = 0, node = n->node; node; node = node->next) {
        count++;
    }

    for (node = n->node, i = n->turn % count; i; i--) {
        node = node->next;
    }

    now = cx_monotonic();

    for (i = 0; i < count; i++) {
        if (!node->asked && node->redis.expect == 0
            && cx_cluster_rank(node, now) == rank)
        {
            n->patience = cx_nodes_share(n, end, *left);

            if (n->patience == 0) {
                return -1;
            }

            node->asked = 1;
            --*left;

            if (cx_cluster_ask(n, node) == 0) {
                return 0;
            }
        }

        node = node->next ? node->next : n->node;
    }

    return -1;
}


int
cx_cluster_find(cx_nodes_t *n, int64_t end)
{
    int        rc, rank;
    unsigned   left;
    cx_node_t *node;

    for (left = 0, node = n->node; node; node = node->next) {
        node->asked = 0;
        left++;
    }

    for (rc = -1, rank = 0; rc && rank < 3; rank++) {
        rc = cx_cluster_round(n, rank, end, &left);
    }

    n->turn++;

    return rc;
}
