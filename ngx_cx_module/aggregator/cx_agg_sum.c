/*
 * Figures of a split site: which pages, and off which lists they come.
 *
 * An aggregator that works on several shards scores for all of them at once:
 * it commits what they have pending, collects what is dirty in any of them,
 * reads and writes each page once, and then takes it off the list of each.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_sum.h"

#define CX_SUM_OPS   2000 /* marks taken off in one transaction */
#define CX_SUM_QUIET 1000 /* ms that a slot may take to move, quietly */


/* ---- is it split? ---- */

static int
cx_sum_same(const cx_str_t *a, const cx_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}


static int
cx_sum_found(const cx_agg_t *a, const cx_agg_site_t *s)
{
    const cx_agg_site_t *t;

    for (t = a->site; t; t = t->next) {
        if (t->shard >= 0 && cx_sum_same(&t->parent, &s->name)) {
            return 1;
        }
    }

    return 0;
}


/* found by others, who may have begun to score it */

static int
cx_sum_listed(cx_redis_t *r, const cx_agg_site_t *s)
{
    int        rc;
    char       key[CX_KEY_MAX];
    cx_reply_t reply;

    memset(&reply, 0, sizeof(cx_reply_t));
    cx_redis_command(r, 2);
    cx_redis_text(r, "EXISTS");
    cx_redis_arg(r, key, cx_key(key, CX_KEY_SHARDS, &s->name, 0, 0, NULL));
    rc = cx_redis_get(r, &reply) ? -1 : reply.s[0].len != 0;
    cx_reply_free(&reply);

    return rc;
}


int
cx_agg_sum_is(cx_agg_t *a, cx_agg_site_t *s)
{
    int              rc;
    size_t           i;
    cx_agg_cell_t   *c;
    cx_agg_node_t   *n;
    cx_agg_window_t *w;

    if (s->split || s->shard >= 0) {
        return 1;
    }

    rc = cx_sum_found(a, s);

    if (rc == 0 && s->stale) {
        rc = cx_sum_listed(cx_agg_redis(s), s);
    }

    if (rc <= 0) {
        return rc;
    }

    /* what we have scored until now was of this part alone */

    s->split = 1;

    for (w = s->window; w; w = w->next) {
        for (i = 0; i <= w->page.mask; i++) {
            for (n = w->page.bucket[i]; n; n = n->next) {
                c = (cx_agg_cell_t *) n;

                if (c->stored) {
                    cx_agg_cell_dirty(s, c);
                }
            }
        }
    }

    return 1;
}


/* ---- failures ---- */

/* replies that are still to come, watches: nothing of it may stay */

static void
cx_sum_clean(cx_sum_t *m)
{
    cx_node_t  *node;
    cx_redis_t *r;

    for (node = m->agg->nodes.node; node; node = node->next) {
        r = &node->redis;

        if (!r->up) {
            continue;
        }

        cx_redis_words(r, "UNWATCH");

        while (r->up && r->expect) {
            (void) cx_redis_get(r, &m->reply);
        }
    }
}


/* a connection that was lost, but for s's own, stops its sites */

static void
cx_sum_lost(cx_sum_t *m, const cx_agg_site_t *s)
{
    cx_agg_host_t *h;

    for (h = m->agg->host; h; h = h->next) {
        if (h->node == m->node && !h->node->redis.up && h != s->host) {
            cx_agg_trouble(m->agg, h, NULL);
        }
    }
}


/* it stays dirty; what is counted does not depend on it */

static int
cx_sum_wait(cx_sum_t *m, cx_agg_site_t *s)
{
    int64_t now;

    cx_sum_clean(m);

    if (!s->host->node->redis.up) {
        return CX_COMMIT_FAILED;
    }

    cx_sum_lost(m, s);
    now = cx_monotonic();
    s->waits_at = s->waits_at ? s->waits_at : now;

    if (m->route) {
        m->agg->nodes.stale = 1;

        if (now < s->waits_at + CX_SUM_QUIET) {
            return CX_COMMIT_OK;
        }
    }

    m->agg->failed = 1;

    if (!s->told_waits) {
        s->told_waits = 1;
        cx_agg_log(CX_LOG_ERROR, "site %.*s: figures wait: %s",
                   (int) s->name.len, (char *) s->name.data, m->why);
    }

    return CX_COMMIT_OK;
}


static void
cx_sum_works(cx_agg_site_t *s)
{
    if (s->told_waits) {
        cx_agg_log(CX_LOG_WARN,
                   "site %.*s: figures are made again after %lld s",
                   (int) s->name.len, (char *) s->name.data,
                   (long long) (cx_monotonic() - s->waits_at) / 1000);
    }

    s->waits_at = 0;
    s->told_waits = 0;
}


/* a shard that is not s failed: it will find out why by itself */

static int
cx_sum_apart(cx_sum_t *m, cx_agg_site_t *t, const cx_agg_site_t *s)
{
    cx_redis_t *r;

    r = cx_agg_redis(t);
    (void) cx_sum_failed(m, r);
    cx_sum_clean(m);

    if (!s->host->node->redis.up) {
        return CX_COMMIT_FAILED;
    }

    cx_sum_lost(m, s);
    m->node = NULL;

    return CX_COMMIT_OK;
}


/* ---- what is dirty ---- */

static int
cx_sum_ours(cx_sum_t *m, cx_agg_site_t *t, const cx_agg_site_t *s)
{
    return t == s
           || (t->ready && !t->newer && cx_sum_same(&t->parent, &s->parent)
               && (t->lease.held || m->agg->conf->rebuild)
               && cx_agg_usable(t, cx_monotonic()));
}


/* all that this shard has counted is in Redis; as a commit */

static int
cx_sum_settle(cx_sum_t *m, cx_agg_site_t *t, int64_t now)
{
    int rc;

    rc = t->pending ? cx_agg_commit(cx_agg_redis(t), t, now) : CX_COMMIT_OK;

    if (rc == CX_COMMIT_OK && t->stale) {
        rc = cx_agg_rank_left(m->agg, t, now) ? CX_COMMIT_FAILED : CX_COMMIT_OK;
    }

    return rc;
}


static void
cx_sum_collect(cx_sum_t *m, cx_agg_site_t *t, int64_t now)
{
    cx_agg_cell_t   *c, *sum;
    cx_agg_window_t *w, *all;

    for (c = t->dirty; c; c = c->next_dirty) {
        w = cx_agg_window(m->site, c->window->gran, c->window->start, now);

        if (w && c->stored) {
            sum = cx_agg_cell_find(w, CX_KEY_PAGE, &c->node.key);
            sum = sum ? sum : cx_agg_cell_add(w, CX_KEY_PAGE, &c->node.key);
            sum->dirty = 1;
        }
    }

    for (w = t->window; w; w = w->next) {
        all = w->satisfied ? cx_agg_window(m->site, w->gran, w->start, now)
                           : NULL;
        if (all) {
            all->satisfied = 1;
        }
    }
}


/* the shards of the site that are ours; as a commit of s */

static int
cx_sum_members(cx_sum_t *m, cx_agg_site_t *s, int64_t now)
{
    int            rc;
    cx_agg_site_t *t;

    for (t = m->agg->site; t; t = t->next) {
        if (!cx_sum_ours(m, t, s) || m->members == CX_SHARDS_MAX + 1) {
            continue;
        }

        cx_agg_alive(m->agg);
        rc = cx_sum_settle(m, t, now);

        if (rc == CX_COMMIT_OK) {
            m->member[m->members++] = t;
            continue;
        }

        if (t == s) {
            return rc;
        }

        if (rc == CX_COMMIT_FAILED && cx_sum_apart(m, t, s)) {
            return CX_COMMIT_FAILED;
        }
    }

    for (rc = 0; rc < (int) m->members; rc++) {
        if (m->member[rc]->ready) { /* and not lost meanwhile */
            cx_sum_collect(m, m->member[rc], now);
        }
    }

    return CX_COMMIT_OK;
}


/* ---- off the lists ---- */

static int
cx_sum_unmark(cx_agg_site_t *t, int64_t now)
{
    int              rc;
    char             text[CX_PAGE_MAX + 32];
    cx_agg_cell_t   *c;
    cx_agg_window_t *w;

    rc = CX_COMMIT_OK;

    while (t->dirty && rc == CX_COMMIT_OK) {
        while ((c = t->dirty) != NULL && t->commands < CX_SUM_OPS) {
            t->dirty = c->next_dirty;
            c->dirty = 0;
            c->window->dirty--;

            if (c->marked) {
                c->marked = 0;
                cx_agg_op(t, "SREM", 2);
                cx_agg_op_key(t, CX_KEY_DIRTY, NULL, NULL);
                cx_agg_op_arg(t, text, cx_agg_dirty_print(text, c));
            }
        }

        if (t->commands) {
            rc = cx_agg_commit_ops(cx_agg_redis(t), t, now);
        }
    }

    /* marks of windows that are gone, without any page */

    if (rc == CX_COMMIT_OK && t->commands) {
        rc = cx_agg_commit_ops(cx_agg_redis(t), t, now);
    }

    if (rc == CX_COMMIT_OK) {
        for (w = t->window; w; w = w->next) {
            w->satisfied = 0;
        }

        t->scored_at = cx_monotonic();
    }

    return rc;
}


static int
cx_sum_done(cx_sum_t *m, cx_agg_site_t *s, int64_t now)
{
    int            rc;
    unsigned       i;
    cx_agg_site_t *t;

    for (i = 0; i < m->members; i++) {
        t = m->member[i];

        if (t == s || !t->ready) {
            continue;
        }

        cx_agg_alive(m->agg);
        rc = cx_sum_unmark(t, now);

        if (rc == CX_COMMIT_CONFLICT) {
            cx_agg_site_reset(t); /* to be loaded again */

        } else if (rc == CX_COMMIT_FAILED && cx_sum_apart(m, t, s)) {
            return CX_COMMIT_FAILED;
        }
    }

    return cx_sum_unmark(s, now);
}


/* ---- all of it ---- */

static cx_sum_t *
cx_sum_new(cx_agg_t *a, const cx_agg_site_t *s)
{
    cx_sum_t *m;

    m = cx_alloc(sizeof(cx_sum_t));
    m->agg = a;
    m->site = cx_agg_site(s->conf, &s->parent);

    return m;
}


static void
cx_sum_free(cx_sum_t *m)
{
    cx_agg_site_free(m->site);
    cx_reply_free(&m->reply);
    free(m);
}


static int
cx_sum_run(cx_sum_t *m, cx_agg_site_t *s, int64_t now)
{
    int              rc;
    cx_agg_window_t *w;

    rc = cx_sum_members(m, s, now);

    if (rc != CX_COMMIT_OK) {
        return rc;
    }

    for (w = m->site->window; w; w = w->next) {
        if (cx_sum_window(m, w)) {
            return cx_sum_wait(m, s);
        }
    }

    cx_sum_works(s);

    return cx_sum_done(m, s, now);
}


int
cx_agg_sum(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int       rc;
    cx_sum_t *m;

    m = cx_sum_new(a, s);
    rc = cx_sum_run(m, s, now);
    cx_sum_free(m);

    return rc;
}


/* ---- --rebuild-scores ---- */

/* all windows that any shard has an index of: a look over a node's keys */

static int
cx_sum_scan(cx_sum_t *m, cx_redis_t *r, int64_t now)
{
    char             match[CX_KEY_MAX], cursor[24];
    size_t           i;
    cx_str_t         site;
    cx_key_parts_t   p;
    cx_agg_window_t *w;

    snprintf(match, sizeof(match), "cx:{%.*s*:pages:*", (int) m->site->name.len,
             (char *) m->site->name.data);
    memcpy(cursor, "0", 2);

    do {
        cx_redis_scan(r, cursor, match, NULL);

        if (cx_redis_get(r, &m->reply) || m->reply.n < 3) {
            return cx_sum_failed(m, r);
        }

        snprintf(cursor, sizeof(cursor), "%s", (char *) m->reply.s[1].data);

        for (i = 3; i < m->reply.n; i++) {
            if (cx_key_parse(&p, &m->reply.s[i]) || p.key != CX_KEY_PAGES
                || cx_window_start(p.gran, p.window) < 0)
            {
                continue;
            }

            (void) cx_shard_parse(&site, &p.site);

            w = cx_sum_same(&site, &m->site->name)
                    ? cx_agg_window(m->site, p.gran,
                                    cx_window_start(p.gran, p.window), now)
                    : NULL;
            if (w) {
                w->asked = 1;
            }
        }
    } while (strcmp(cursor, "0") != 0);

    return CX_COMMIT_OK;
}


/* loads the other shards; those of newer rules are told of in their turn */

static int
cx_sum_load(cx_sum_t *m, cx_agg_site_t *s)
{
    cx_agg_site_t *t;

    for (t = m->agg->site; t; t = t->next) {
        if (t != s && cx_sum_same(&t->parent, &s->parent)
            && cx_agg_usable(t, cx_monotonic())
            && cx_agg_load_site(cx_agg_redis(t), t) < 0)
        {
            return cx_sum_failed(m, cx_agg_redis(t));
        }
    }

    return CX_COMMIT_OK;
}


static int
cx_sum_again(cx_sum_t *m, cx_agg_site_t *s, int64_t now)
{
    int              rc;
    size_t           n;
    cx_node_t       *node;
    cx_agg_window_t *w;

    rc = cx_sum_load(m, s);

    for (node = m->agg->nodes.node; node && rc == CX_COMMIT_OK;
         node = node->next) {
        if (node->used && node->redis.up) {
            rc = cx_sum_scan(m, &node->redis, now);
        }
    }

    if (rc != CX_COMMIT_OK) {
        return cx_sum_wait(m, s);
    }

    rc = cx_sum_run(m, s, now);

    if (rc == CX_COMMIT_OK && !m->agg->failed) {
        for (n = 0, w = m->site->window; w; w = w->next) {
            n += w->page.n - 1; /* (other) */
        }

        cx_agg_log(CX_LOG_INFO,
                   "site %.*s: scores of %zu pages and windows made again",
                   (int) m->site->name.len, (char *) m->site->name.data, n);
    }

    return rc;
}


int
cx_agg_sum_rebuild(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int            rc;
    cx_sum_t      *m;
    cx_agg_site_t *t;

    /* all of it is done with the first of its shards */

    for (t = a->site; t != s; t = t->next) {
        if (cx_sum_same(&t->parent, &s->parent)) {
            return CX_COMMIT_OK;
        }
    }

    m = cx_sum_new(a, s);
    m->rebuild = 1;
    rc = cx_sum_again(m, s, now);
    cx_sum_free(m);

    return rc;
}
