/*
 * Figures of a split site: reads the counters of pages from all shards, adds
 * them up and writes what follows from them at the node of the site.
 *
 * Counters are on many nodes, so no transaction spans them and the figures.
 * Every writer watches cx:{site}:scored before it reads and counts it up when
 * it writes.  Say W is the write of a page that comes last, and C a commit to a
 * shard that W did not see: C came after W's watch began.  Whoever made C then
 * watches, reads and writes the page, before W as W is the last, so that W's
 * watch was broken and W did not happen.  The same holds for cx:{site}:rated:
 * a page that gets its first answer while others are made anew because the
 * site's share has moved is either seen by them or sees what they saw.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cx_agg_sum.h"

#define CX_SUM_CELLS 100 /* scored in one transaction */
#define CX_SUM_TRIES 50  /* as others do the same */
#define CX_SUM_LAST  10  /* when we are to end */


int
cx_sum_failed(cx_sum_t *m, const cx_redis_t *r)
{
    cx_str_t   text;
    cx_node_t *node;

    snprintf(m->why, sizeof(m->why), "%s: %s", r->label, r->error);
    text.data = (unsigned char *) r->error;
    text.len = strlen(r->error);
    m->route = r->up
               && cx_redis_error_about(cx_redis_error(&text)) == CX_REDIS_ROUTE;

    for (node = m->agg->nodes.node; node; node = node->next) {
        if (&node->redis == r) {
            m->node = node;
        }
    }

    return CX_COMMIT_FAILED;
}


static int
cx_sum_get(cx_sum_t *m, cx_redis_t *r)
{
    return cx_redis_get(r, &m->reply) ? cx_sum_failed(m, r) : CX_COMMIT_OK;
}


/* queues "<command> <key>", of args words in all */

static void
cx_sum_ask(cx_sum_t *m, const cx_sum_part_t *p, const char *command,
           size_t args, int key, const cx_agg_window_t *w, const cx_str_t *name)
{
    char   text[CX_KEY_MAX];
    size_t len;

    (void) m;
    len = cx_key(text, key, &p->name, w ? w->gran : 0, w ? w->window : 0, name);
    cx_redis_command(p->redis, args);
    cx_redis_text(p->redis, command);
    cx_redis_arg(p->redis, text, len);
}


/* ---- who is there ---- */

static int
cx_sum_route(cx_sum_t *m, cx_sum_part_t *p)
{
    cx_node_t *node;

    node = cx_nodes_site(&m->agg->nodes, &p->name);

    if (node && node->redis.up) {
        p->redis = &node->redis;
        return CX_COMMIT_OK;
    }

    m->route = 1;

    if (node) {
        snprintf(m->why, sizeof(m->why), "%.160s: %.200s",
                 node->redis.label[0] ? node->redis.label : node->host,
                 node->redis.error[0] ? node->redis.error : "not connected");
    } else {
        snprintf(m->why, sizeof(m->why), "%.256s", m->agg->nodes.error);
    }

    return CX_COMMIT_FAILED;
}


static cx_sum_part_t *
cx_sum_part(cx_sum_t *m, int shard)
{
    unsigned       i;
    cx_sum_part_t *p;

    for (i = 0; i < m->parts; i++) {
        if (m->part[i].shard == shard) {
            return &m->part[i];
        }
    }

    p = &m->part[m->parts++];
    memset(p, 0, sizeof(cx_sum_part_t));
    p->shard = shard;
    p->name.data = (unsigned char *) p->text;
    p->name.len = cx_shard_name(p->text, &m->site->name, (unsigned) shard,
                                shard < 0 ? 1 : CX_SHARDS_MAX);

    return p;
}


/* all shards that there ever were, those that are new to the list as well */

static int
cx_sum_parts(cx_sum_t *m)
{
    size_t   i;
    int64_t  n;
    unsigned k;

    for (i = 1; i < m->reply.n; i++) {
        if (cx_number(&n, &m->reply.s[i]) == 0 && n >= 0 && n < CX_SHARDS_MAX) {
            cx_sum_part(m, (int) n)->noted = 1;
        }
    }

    for (k = 0; k < m->members; k++) {
        (void) cx_sum_part(m, m->member[k]->shard);
    }

    for (k = 0; k < m->parts; k++) {
        if (cx_sum_route(m, &m->part[k])) {
            return CX_COMMIT_FAILED;
        }
    }

    return CX_COMMIT_OK;
}


/* which of them were ever counted; -1 too if one is of rules we do not know */

static int
cx_sum_counted(cx_sum_t *m)
{
    unsigned       i;
    cx_sum_part_t *p;

    for (i = 0; i < m->parts; i++) {
        p = &m->part[i];
        cx_sum_ask(m, p, "HMGET", 4, CX_KEY_CHECKPOINT, NULL, NULL);
        cx_redis_text(p->redis, "id");
        cx_redis_text(p->redis, "schema");
    }

    for (i = 0; i < m->parts; i++) {
        p = &m->part[i];

        if (cx_sum_get(m, p->redis)) {
            return CX_COMMIT_FAILED;
        }

        p->counted = m->reply.n == 3 && m->reply.type[1] != REDIS_REPLY_NIL;

        if (p->counted
            && cx_agg_schema_parse(&m->reply.s[2]) / 1000
                   > cx_agg_schema() / 1000)
        {
            snprintf(m->why, sizeof(m->why),
                     "rollups of %.*s are of a newer version",
                     (int) p->name.len, (char *) p->name.data);
            return CX_COMMIT_FAILED;
        }
    }

    return CX_COMMIT_OK;
}


/* ---- what has to be scored ---- */

/* pages of a list, with or without something after each */

static void
cx_sum_dirty(cx_sum_t *m, cx_agg_window_t *w)
{
    size_t         i;
    cx_agg_cell_t *c;

    for (i = 1; i < m->reply.n; i++) {
        if (m->reply.s[i].len) {
            c = cx_agg_cell_find(w, CX_KEY_PAGE, &m->reply.s[i]);
            c = c ? c : cx_agg_cell_add(w, CX_KEY_PAGE, &m->reply.s[i]);
            c->dirty = 1;
        }
    }
}


/* all pages of a window, of which we do not know which have answers */

static int
cx_sum_whole(cx_sum_t *m, cx_agg_window_t *w)
{
    unsigned       i;
    cx_sum_part_t *p;

    for (i = 0; i < m->parts; i++) {
        p = &m->part[i];

        if (p->counted) {
            cx_sum_ask(m, p, "ZRANGE", 4, CX_KEY_PAGES, w, NULL);
            cx_redis_text(p->redis, "0");
            cx_redis_text(p->redis, "-1");
        }
    }

    for (i = 0; i < m->parts; i++) {
        p = &m->part[i];

        if (p->counted) {
            if (cx_sum_get(m, p->redis)) {
                return CX_COMMIT_FAILED;
            }

            cx_sum_dirty(m, w);
        }
    }

    return CX_COMMIT_OK;
}


/*
 * From here on EXEC fails if figures are written by others.  In a window's
 * first transaction (w->loaded is not set) the pages that have to be scored
 * are found, too.  w->asked: all of them.
 */

static int
cx_sum_begin(cx_sum_t *m, cx_agg_window_t *w)
{
    cx_sum_part_t *root;

    m->parts = 0;
    root = cx_sum_part(m, -1);

    if (cx_sum_route(m, root)) {
        return CX_COMMIT_FAILED;
    }

    cx_sum_ask(m, root, "WATCH", 2, CX_KEY_SCORED, NULL, NULL);
    cx_sum_ask(m, root, "SISMEMBER", 3, CX_KEY_RATED, w, NULL);
    cx_redis_text(root->redis, "");
    cx_sum_ask(m, root, "SMEMBERS", 2, CX_KEY_RATED, w, NULL);
    cx_sum_ask(m, root, "SMEMBERS", 2, CX_KEY_SHARDS, NULL, NULL);

    if (cx_sum_get(m, root->redis) || cx_sum_get(m, root->redis)) {
        return CX_COMMIT_FAILED;
    }

    if (!w->loaded && m->reply.s[0].len == 0) {
        w->asked = 1;
    }

    if (cx_sum_get(m, root->redis)) {
        return CX_COMMIT_FAILED;
    }

    if (!w->loaded && w->satisfied) {
        cx_sum_dirty(m, w);
    }

    if (cx_sum_get(m, root->redis) || cx_sum_parts(m) || cx_sum_counted(m)) {
        return CX_COMMIT_FAILED;
    }

    return !w->loaded && w->asked ? cx_sum_whole(m, w) : CX_COMMIT_OK;
}


/* ---- sums ---- */

static int
cx_sum_add(cx_sum_t *m, const cx_sum_part_t *p, cx_agg_cell_t *c)
{
    int         rc;
    size_t      i;
    cx_rollup_t r;

    if (cx_sum_get(m, p->redis)) {
        return CX_COMMIT_FAILED;
    }

    memset(&r, 0, sizeof(cx_rollup_t));
    rc = 0;

    for (i = 1; i + 1 < m->reply.n && rc >= 0; i += 2) {
        rc = cx_rollup_read(&r, &m->reply.s[i], &m->reply.s[i + 1]);
    }

    if (rc < 0 || cx_rollup_sum(&c->roll, &r)) {
        cx_realloc(NULL, SIZE_MAX); /* says it, and ends */
    }

    c->stored |= m->reply.n > 1;
    cx_rollup_free(&r);

    return CX_COMMIT_OK;
}


/* counters of cells, the first is the total, from all parts */

static int
cx_sum_read(cx_sum_t *m, cx_agg_window_t *w, cx_agg_cell_t **cell, size_t n)
{
    size_t   i;
    unsigned k;

    for (i = 0; i < n; i++) {
        cx_rollup_free(&cell[i]->roll);
        cell[i]->stored = 0;

        for (k = 0; k < m->parts; k++) {
            if (m->part[k].counted) {
                cx_sum_ask(m, &m->part[k], "HGETALL", 2,
                           i ? CX_KEY_PAGE : CX_KEY_TOTAL, w,
                           &cell[i]->node.key);
            }
        }
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < m->parts; k++) {
            if (m->part[k].counted && cx_sum_add(m, &m->part[k], cell[i])) {
                return CX_COMMIT_FAILED;
            }
        }
    }

    return CX_COMMIT_OK;
}


/* ---- figures ---- */

/* --rebuild-scores: what is there is not trusted */

static void
cx_sum_forget(cx_agg_site_t *s, cx_agg_window_t *w)
{
    int      i;
    cx_str_t name;

    cx_agg_op(s, "DEL", 1);
    cx_agg_op_key(s, CX_KEY_RATED, w, NULL);

    for (i = 0; i < CX_RANK_N; i++) {
        name.data = (unsigned char *) cx_rank_names[i];
        name.len = strlen(cx_rank_names[i]);
        cx_agg_op(s, "DEL", 1);
        cx_agg_op_key(s, CX_KEY_RANK, w, &name);
    }
}


/* names of the pages with answers; last: and all of them were */

static void
cx_sum_rated(cx_agg_site_t *s, cx_agg_window_t *w, cx_agg_cell_t **cell,
             size_t n, int last)
{
    size_t        i, rated;
    int64_t       x, k;
    unsigned char has[CX_SUM_CELLS + 1];

    rated = 0;

    for (i = 1; i < n; i++) {
        cx_satisfied(&cell[i]->roll, &x, &k);
        has[i] = k > 0;
        rated += has[i];
    }

    if (rated == 0 && !last) {
        return;
    }

    cx_agg_op(s, "SADD", 1 + rated + (last ? 1 : 0));
    cx_agg_op_key(s, CX_KEY_RATED, w, NULL);

    for (i = 1; i < n; i++) {
        if (has[i]) {
            cx_agg_op_arg(s, cell[i]->node.key.data, cell[i]->node.key.len);
        }
    }

    if (last) {
        cx_agg_op_text(s, "");
    }

    cx_agg_op_expire(s, CX_KEY_RATED, w, NULL);
}


static void
cx_sum_ops(cx_sum_t *m, cx_agg_window_t *w, cx_agg_cell_t **cell, size_t n,
           int last)
{
    size_t         i;
    cx_agg_site_t *s;

    s = m->site;

    if (m->rebuild && !w->loaded) {
        cx_sum_forget(s, w);
    }

    for (i = 1; i < n; i++) {
        if (m->rebuild) {
            cx_agg_op(s, "DEL", 1);
            cx_agg_op_key(s, CX_KEY_SCORE, w, &cell[i]->node.key);
        }

        if (cell[i]->stored) {
            cx_agg_rank_cell(s, cell[i]);
        }
    }

    cx_sum_rated(s, w, cell, n, last && w->asked);
}


static int
cx_sum_exec(cx_sum_t *m)
{
    int            rc;
    unsigned       i;
    cx_redis_t    *r;
    cx_agg_site_t *s;

    s = m->site;
    r = m->part[0].redis;
    cx_redis_words(r, "MULTI");
    cx_sum_ask(m, &m->part[0], "INCR", 2, CX_KEY_SCORED, NULL, NULL);

    for (i = 1; i < m->parts; i++) {
        if (!m->part[i].noted) {
            cx_sum_ask(m, &m->part[0], "SADD", 3, CX_KEY_SHARDS, NULL, NULL);
            cx_redis_number(r, m->part[i].shard);
        }
    }

    cx_agg_commit_exec(r, s);
    rc = cx_agg_commit_take(r, s, &m->reply);

    return rc == CX_COMMIT_FAILED ? cx_sum_failed(m, r) : rc;
}


/* ---- one transaction ---- */

/* the next dirty cells of a window, behind its total; how many are left */

static size_t
cx_sum_cells(cx_agg_window_t *w, cx_agg_cell_t **cell, size_t *n)
{
    size_t         i, left;
    cx_agg_cell_t *c;
    cx_agg_node_t *node;

    cell[0] = w->total;
    *n = 1;
    left = 0;

    for (i = 0; i <= w->page.mask; i++) {
        for (node = w->page.bucket[i]; node; node = node->next) {
            c = (cx_agg_cell_t *) node;

            if (c->dirty && *n <= CX_SUM_CELLS) {
                cell[(*n)++] = c;

            } else {
                left += c->dirty;
            }
        }
    }

    return left;
}


static int
cx_sum_batch(cx_sum_t *m, cx_agg_window_t *w, size_t *left)
{
    int            rc;
    size_t         i, n;
    cx_agg_cell_t *cell[CX_SUM_CELLS + 1];

    m->site->ops.len = 0;
    m->site->commands = 0;

    if (cx_sum_begin(m, w)) {
        return CX_COMMIT_FAILED;
    }

    *left = cx_sum_cells(w, cell, &n);

    if (cx_sum_read(m, w, cell, n)) {
        return CX_COMMIT_FAILED;
    }

    cx_sum_ops(m, w, cell, n, *left == 0);
    rc = cx_sum_exec(m);

    for (i = 1; i < n; i++) {
        cell[i]->scored = rc == CX_COMMIT_OK;
        cell[i]->dirty = rc != CX_COMMIT_OK;
        cx_rollup_free(&cell[i]->roll);
    }

    if (rc == CX_COMMIT_OK) {
        w->loaded = 1;

    } else {
        w->ranked = 0; /* nor do they expire */
    }

    return rc;
}


static void
cx_sum_pause(int tries)
{
    struct timespec ts;

    ts.tv_sec = 0;
    ts.tv_nsec = rand() % (1 + (tries < 20 ? tries : 20)) * 1000000;
    nanosleep(&ts, NULL);
}


int
cx_sum_window(cx_sum_t *m, cx_agg_window_t *w)
{
    int    rc, tries;
    size_t left;

    tries = 0;

    do {
        rc = cx_sum_batch(m, w, &left);

        if (rc == CX_COMMIT_CONFLICT) {
            if (++tries > (cx_agg_stop ? CX_SUM_LAST : CX_SUM_TRIES)) {
                snprintf(m->why, sizeof(m->why),
                         "others are scoring all the time");
                return CX_COMMIT_FAILED;
            }

            cx_sum_pause(tries);
        }

        if (rc != CX_COMMIT_FAILED) {
            cx_agg_alive(m->agg);
        }
    } while (rc == CX_COMMIT_CONFLICT || (rc == CX_COMMIT_OK && left));

    return rc;
}
