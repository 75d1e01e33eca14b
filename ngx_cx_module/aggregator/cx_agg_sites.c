/*
 * Which sites there are and which node of Redis has them: streams are searched
 * for on all nodes, sites follow their slot when that moves.
 */

#include <stdio.h>
#include <string.h>
#include "cx_agg.h"

#define CX_SITES_SEARCH  1000  /* ms between steps of the search */
#define CX_SITES_FIRST   100   /* ms of a turn, until all was seen once */
#define CX_SITES_SHARDS  10000 /* ms between looks for shards of named sites */
#define CX_SITES_PATIENT 500   /* ms for a node that was in trouble */
#define CX_SITES_NOTE    10000 /* ms between attempts to note a shard */


static cx_agg_site_t *
cx_sites_add(cx_agg_t *a, const cx_str_t *name)
{
    cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        if (s->name.len == name->len
            && memcmp(s->name.data, name->data, name->len) == 0)
        {
            return s;
        }
    }

    s = cx_agg_site(a->conf, name);
    s->shard = cx_shard_parse(&s->parent, &s->name);
    s->next = a->site;
    a->site = s;

    return s;
}


static cx_agg_host_t *
cx_sites_host(cx_agg_t *a, cx_node_t *node)
{
    cx_agg_host_t *h;

    for (h = a->host; h; h = h->next) {
        if (h->node == node) {
            return h;
        }
    }

    h = cx_alloc(sizeof(cx_agg_host_t));
    h->node = node;
    h->next = a->host;
    a->host = h;

    return h;
}


/* ---- nodes ---- */

/* asks who is there, where that is not known */

static void
cx_sites_map(cx_agg_t *a)
{
    int alone;

    if (cx_nodes_find(&a->nodes) == 0) {
        if (a->trouble_at) {
            cx_agg_log(CX_LOG_WARN, "%s: works again after %lld s",
                       a->conf->redis.label,
                       (long long) (cx_monotonic() - a->trouble_at) / 1000);
            a->trouble_at = 0;
        }

        return;
    }

    alone = a->conf->once || a->conf->rebuild;
    a->failed = 1;

    if (a->trouble_at == 0) {
        a->trouble_at = cx_monotonic();
        cx_agg_log(CX_LOG_ERROR, "%s%s", a->nodes.error,
                   alone ? "" : ", trying again");
    }
}


/* connects; one that was in trouble must not hold up the others for long */

static void
cx_sites_connect(cx_agg_t *a, cx_agg_host_t *h, int64_t now)
{
    int        rc, timeout, cluster;
    cx_node_t *node;

    node = h->node;

    if (!node->redis.up && now >= node->retry_at) {
        cluster = a->nodes.target->mode == CX_REDIS_CLUSTER;
        timeout = a->nodes.timeout;

        if (cluster && node->trouble_at && timeout > CX_SITES_PATIENT) {
            a->nodes.timeout = CX_SITES_PATIENT;
        }

        rc = cx_node_up(&a->nodes, node);
        a->nodes.timeout = timeout;

        if (rc) {
            cx_agg_trouble(a, h, NULL);
            return;
        }

        cx_redis_timeout(&node->redis,
                         cluster ? timeout : timeout + CX_AGG_BLOCK);
    }

    if (node->redis.up && !h->checked) {
        h->checked = 1;

        if (cx_agg_policy(&node->redis, &a->reply)) {
            cx_agg_trouble(a, h, NULL);
        }
    }
}


/* the node that has a site now */

static void
cx_sites_route(cx_agg_t *a, cx_agg_site_t *s)
{
    cx_node_t     *node;
    cx_agg_host_t *h;

    node = cx_nodes_site(&a->nodes, &s->name);
    h = node ? cx_sites_host(a, node) : NULL;

    if (h && h == s->host) {
        return;
    }

    if (s->host) {
        cx_agg_site_reset(s);
        s->lease.held = 0;
        s->lease.at = 0;
    }

    s->host = h;

    if (h == NULL && a->nodes.map && cx_monotonic() >= s->retry_at) {
        cx_agg_nowhere(a, s);
    }
}


/* ---- the search ---- */

/* one step of SCAN; 1 when the whole key space was seen, -1 on trouble */

static int
cx_sites_scan(cx_agg_t *a, cx_agg_host_t *h)
{
    size_t         i;
    cx_redis_t    *r;
    cx_reply_t    *reply;
    cx_key_parts_t p;

    r = &h->node->redis;
    reply = &a->reply;
    cx_redis_scan(r, h->cursor[0] ? h->cursor : "0", "cx:{*}:events", "stream");

    if (cx_redis_get(r, reply)) {
        return -1;
    }

    if (reply->n < 3 || reply->type[1] != REDIS_REPLY_STRING) {
        snprintf(r->error, sizeof(r->error), "unexpected reply to SCAN");
        return -1;
    }

    snprintf(h->cursor, sizeof(h->cursor), "%s", (char *) reply->s[1].data);

    for (i = 3; i < reply->n; i++) {
        if (cx_key_parse(&p, &reply->s[i]) == 0 && p.key == CX_KEY_EVENTS) {
            (void) cx_sites_add(a, &p.site);
        }
    }

    return strcmp(h->cursor, "0") == 0;
}


/*
 * Shards of the sites that are named: EXISTS of the few streams that they could
 * have, which costs less than a look at all keys.
 */

static int
cx_sites_shards(cx_agg_t *a, cx_agg_host_t *h, const cx_str_t *site)
{
    char        key[CX_KEY_MAX], text[CX_SHARD_MAX];
    size_t      len;
    unsigned    k, n;
    cx_str_t    name, why;
    cx_redis_t *r;
    short       shard[CX_SHARDS_MAX];

    n = 0;
    r = &h->node->redis;
    name.data = (unsigned char *) text;

    for (k = 0; k < CX_SHARDS_MAX; k++) {
        name.len = cx_shard_name(text, site, k, CX_SHARDS_MAX);

        if (cx_nodes_site(&a->nodes, &name) == h->node) {
            shard[n++] = (short) k;
            len = cx_key(key, CX_KEY_EVENTS, &name, 0, 0, NULL);
            cx_redis_command(r, 2);
            cx_redis_text(r, "EXISTS");
            cx_redis_arg(r, key, len);
        }
    }

    for (k = 0; k < n; k++) {
        if (cx_redis_get(r, &a->reply)) {
            why.data = (unsigned char *) r->error;
            why.len = strlen(r->error);

            if (!r->up
                || cx_redis_error_about(cx_redis_error(&why)) != CX_REDIS_ROUTE)
            {
                return -1;
            }

            a->nodes.stale = 1; /* that slot moves: another time */
            continue;
        }

        if (a->reply.s[0].len) {
            name.len = cx_shard_name(text, site, (unsigned) shard[k],
                                     CX_SHARDS_MAX);
            (void) cx_sites_add(a, &name);
        }
    }

    return 0;
}


static int
cx_sites_named(cx_agg_t *a, cx_agg_host_t *h)
{
    unsigned i;
    cx_str_t name;

    for (i = 0; i < a->conf->sites; i++) {
        name.data = (unsigned char *) a->conf->site[i];
        name.len = strlen(a->conf->site[i]);

        if (cx_shard_parse(&name, &name) < 0 && cx_sites_shards(a, h, &name)) {
            return -1;
        }
    }

    return 1;
}


/* the first time all of it, in turns; then a step now and then */

static void
cx_sites_search(cx_agg_t *a, cx_agg_host_t *h, int64_t now)
{
    int rc, all;

    if (h->searched
        && now < h->searched_at
                     + (a->conf->sites ? CX_SITES_SHARDS : CX_SITES_SEARCH))
    {
        return;
    }

    all = a->conf->once || a->conf->rebuild;

    do {
        rc = a->conf->sites ? cx_sites_named(a, h) : cx_sites_scan(a, h);
    } while (rc == 0 && !h->searched && !cx_agg_stop
             && (all || cx_monotonic() < now + CX_SITES_FIRST));

    h->searched_at = now;

    if (rc < 0) {
        cx_agg_trouble(a, h, NULL);

    } else if (rc > 0) {
        h->searched = 1;
    }
}


void
cx_agg_find(cx_agg_t *a)
{
    int64_t        now;
    unsigned       i;
    cx_str_t       name;
    cx_node_t     *node;
    cx_agg_host_t *h;
    cx_agg_site_t *s;

    cx_sites_map(a);

    for (i = 0; i < a->conf->sites; i++) {
        name.data = (unsigned char *) a->conf->site[i];
        name.len = strlen(a->conf->site[i]);
        (void) cx_sites_add(a, &name);
    }

    for (node = a->nodes.node; node; node = node->next) {
        if (!node->used) {
            continue;
        }

        now = cx_monotonic();
        h = cx_sites_host(a, node);
        cx_sites_connect(a, h, now);

        if (node->redis.up) {
            cx_sites_search(a, h, now);
        }
    }

    for (s = a->site; s; s = s->next) {
        cx_sites_route(a, s);
    }
}


int
cx_agg_found(const cx_agg_t *a)
{
    int            n;
    cx_agg_host_t *h;

    n = 0;

    for (h = a->host; h; h = h->next) {
        if (h->node->used) {
            n++;

            if (!h->searched || !h->node->redis.up) {
                return 0;
            }
        }
    }

    return n > 0;
}


int
cx_agg_usable(const cx_agg_site_t *s, int64_t now)
{
    return s->host && s->host->node->redis.up && now >= s->retry_at;
}


cx_redis_t *
cx_agg_redis(const cx_agg_site_t *s)
{
    return &s->host->node->redis;
}


/* ---- shards ---- */

void
cx_agg_note_shard(cx_agg_t *a, cx_agg_site_t *s)
{
    char           key[CX_KEY_MAX];
    size_t         len;
    int64_t        now;
    cx_node_t     *node;
    cx_redis_t    *r;
    cx_agg_host_t *h;

    now = cx_monotonic();

    if (s->shard < 0 || s->noted
        || (s->noted_at && now < s->noted_at + CX_SITES_NOTE))
    {
        return;
    }

    s->noted_at = now;
    node = cx_nodes_site(&a->nodes, &s->parent);

    if (node == NULL || !node->redis.up) {
        return;
    }

    h = cx_sites_host(a, node);
    r = &node->redis;
    len = cx_key(key, CX_KEY_SHARDS, &s->parent, 0, 0, NULL);
    cx_redis_command(r, 3);
    cx_redis_text(r, "SADD");
    cx_redis_arg(r, key, len);
    cx_redis_number(r, s->shard);

    if (cx_redis_get(r, &a->reply) == 0) {
        s->noted = 1;

    } else if (r->up) {
        a->nodes.stale = 1; /* it may have moved: another time */
        cx_agg_log(CX_LOG_DEBUG, "site %.*s: shard is not noted: %s",
                   (int) s->name.len, (char *) s->name.data, r->error);

    } else {
        cx_agg_trouble(a, h, NULL);
    }
}
