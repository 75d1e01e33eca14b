/*
 * Step 7: figures and ranks of the pages whose counters have changed, written
 * as a commit that leaves the checkpoint where it is: what was read from the
 * counters is still true when the figures are stored.
 */

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "cx_agg.h"

#define CX_RANK_CELLS 2000 /* scored in one transaction */


static void
cx_rank_score(cx_agg_site_t *s, cx_agg_cell_t *c, const cx_score_t *score)
{
    int    i;
    char   text[32];
    size_t n;

    n = 0;

    for (i = 0; i < CX_S_N; i++) {
        n += score->has[i];
    }

    cx_agg_op(s, "HSET", 1 + 2 * n);
    cx_agg_op_key(s, CX_KEY_SCORE, c->window, &c->node.key);

    for (i = 0; i < CX_S_N; i++) {
        if (score->has[i]) {
            cx_agg_op_text(s, cx_score_names[i]);
            cx_agg_op_arg(s, text, cx_score_print(text, score, i));
        }
    }

    if (!c->scored) {
        c->scored = 1;
        cx_agg_op_expire(s, CX_KEY_SCORE, c->window, &c->node.key);
    }
}


static void
cx_rank_place(cx_agg_site_t *s, cx_agg_cell_t *c, const cx_score_t *score)
{
    int      i, len;
    char     text[32];
    double   by;
    cx_str_t name;

    if (c == cx_agg_cell_other(c->window, CX_KEY_PAGE)) {
        return; /* is no page */
    }

    for (i = 0; i < CX_RANK_N; i++) {
        name.data = (unsigned char *) cx_rank_names[i];
        name.len = strlen(cx_rank_names[i]);

        if (!cx_score_rank(&by, score, i)) {
            continue;
        }

        cx_agg_op(s, "ZADD", 3);
        cx_agg_op_key(s, CX_KEY_RANK, c->window, &name);
        len = snprintf(text, sizeof(text), "%.2f", by);
        cx_agg_op_arg(s, text, (size_t) len);
        cx_agg_op_arg(s, c->node.key.data, c->node.key.len);

        if (!(c->window->ranked & 1u << i)) {
            c->window->ranked |= (unsigned char) (1u << i);
            cx_agg_op_expire(s, CX_KEY_RANK, c->window, &name);
        }
    }
}


/* operations that score a cell and take it off the list of dirty ones */

void
cx_agg_rank_cell(cx_agg_site_t *s, cx_agg_cell_t *c)
{
    char       text[CX_PAGE_MAX + 32];
    cx_score_t score;

    cx_score(&score, &c->roll, &c->window->total->roll, &s->conf->tuning);
    cx_rank_score(s, c, &score);
    cx_rank_place(s, c, &score);

    if (c->marked) {
        cx_agg_op(s, "SREM", 2);
        cx_agg_op_key(s, CX_KEY_DIRTY, NULL, NULL);
        cx_agg_op_arg(s, text, cx_agg_dirty_print(text, c));
        c->marked = 0;
    }
}


/* "<g>:<w>:<page>" of cx:{}:dirty; 0, or -1 if it is none */

static int
cx_rank_parse(const cx_str_t *text, int *gran, int64_t *start, cx_str_t *page)
{
    cx_str_t             n;
    int64_t              window;
    const unsigned char *colon;

    if (text->len < 4 || text->data[1] != ':') {
        return -1;
    }

    *gran = text->data[0] == 'h' ? CX_HOUR : CX_DAY;
    colon = memchr(text->data + 2, ':', text->len - 2);

    if (colon == NULL) {
        return -1;
    }

    n.data = text->data + 2;
    n.len = (size_t) (colon - n.data);
    page->data = (unsigned char *) colon + 1;
    page->len = text->len - n.len - 3;

    if (cx_number(&window, &n)) {
        return -1;
    }

    *start = cx_window_start(*gran, window);

    return *start < 0 ? -1 : 0;
}


/* what a predecessor left unscored */

int
cx_agg_rank_left(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int              gran;
    char             key[CX_KEY_MAX];
    size_t           i, len;
    int64_t          start;
    cx_str_t         page;
    cx_redis_t      *r;
    cx_reply_t       reply;
    cx_agg_cell_t   *c;
    cx_agg_window_t *w;

    r = cx_agg_redis(s);
    memset(&reply, 0, sizeof(cx_reply_t));
    len = cx_key(key, CX_KEY_DIRTY, &s->name, 0, 0, NULL);
    cx_redis_command(r, 2);
    cx_redis_text(r, "SMEMBERS");
    cx_redis_arg(r, key, len);

    if (cx_redis_get(r, &reply)) {
        cx_reply_free(&reply);
        return -1;
    }

    for (i = 1; i < reply.n; i++) {
        w = cx_rank_parse(&reply.s[i], &gran, &start, &page)
                ? NULL
                : cx_agg_window(s, gran, start, now);

        cx_agg_alive(a);

        if (w && cx_agg_load_window(r, s, w)) {
            cx_reply_free(&reply);
            return -1;
        }

        c = w ? cx_agg_cell_find(w, CX_KEY_PAGE, &page) : NULL;

        if (c == NULL) {
            cx_agg_op(s, "SREM", 2);
            cx_agg_op_key(s, CX_KEY_DIRTY, NULL, NULL);
            cx_agg_op_arg(s, reply.s[i].data, reply.s[i].len);
            continue;
        }

        c->marked = 1;
        cx_agg_cell_dirty(s, c);

        /* the site's share may have moved as well */

        w->satisfied = 1;
    }

    cx_reply_free(&reply);
    s->stale = 0;

    return 0;
}


/* pages that lean on the site's share of satisfied, where that has changed */

static int
cx_rank_satisfied(cx_redis_t *r, cx_agg_site_t *s, cx_agg_window_t *w)
{
    size_t         i;
    int64_t        x, n;
    cx_agg_cell_t *c;
    cx_agg_node_t *node;

    if (cx_agg_load_pages(r, s, w)) {
        return -1;
    }

    for (i = 0; i <= w->page.mask; i++) {
        for (node = w->page.bucket[i]; node; node = node->next) {
            c = (cx_agg_cell_t *) node;
            cx_satisfied(&c->roll, &x, &n);

            if (n > 0) {
                cx_agg_cell_dirty(s, c);
            }
        }
    }

    w->satisfied = 0;

    return 0;
}


static int
cx_rank_load(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    cx_redis_t      *r;
    cx_agg_cell_t   *c;
    cx_agg_window_t *w;

    r = cx_agg_redis(s);

    if (s->stale && cx_agg_rank_left(a, s, now)) {
        return -1;
    }

    for (w = s->window; w; w = w->next) {
        if (w->satisfied) {
            if (cx_rank_satisfied(r, s, w)) {
                return -1;
            }

            cx_agg_alive(a);
        }
    }

    for (c = s->dirty; c; c = c->next_dirty) {
        if (!c->loaded) {
            if (cx_agg_load_pages(r, s, c->window)) {
                return -1;
            }

            cx_agg_alive(a);
        }
    }

    return 0;
}


int
cx_agg_rank(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int            rc;
    unsigned       n;
    cx_agg_cell_t *c;

    rc = cx_agg_sum_is(a, s);

    if (rc) {
        return rc > 0 ? cx_agg_sum(a, s, now) : CX_COMMIT_FAILED;
    }

    if (cx_rank_load(a, s, now)) {
        return CX_COMMIT_FAILED;
    }

    do {
        for (n = 0; s->dirty && n < CX_RANK_CELLS; n++) {
            c = s->dirty;
            s->dirty = c->next_dirty;
            c->dirty = 0;
            c->window->dirty--;

            if (c->stored) {
                cx_agg_rank_cell(s, c);
            }
        }

        if (s->commands) {
            rc = cx_agg_commit_ops(cx_agg_redis(s), s, now);

            if (rc != CX_COMMIT_OK) {
                return rc;
            }

            cx_agg_alive(a);
        }
    } while (s->dirty);

    return CX_COMMIT_OK;
}


/* ---- --rebuild-scores ---- */

static void
cx_rank_forget(cx_agg_site_t *s, cx_agg_window_t *w)
{
    int            i;
    size_t         k;
    cx_str_t       name;
    cx_agg_node_t *n;

    for (i = 0; i < CX_RANK_N; i++) {
        name.data = (unsigned char *) cx_rank_names[i];
        name.len = strlen(cx_rank_names[i]);
        cx_agg_op(s, "DEL", 1);
        cx_agg_op_key(s, CX_KEY_RANK, w, &name);
    }

    w->ranked = 0;

    for (k = 0; k <= w->page.mask; k++) {
        for (n = w->page.bucket[k]; n; n = n->next) {
            cx_agg_op(s, "DEL", 1);
            cx_agg_op_key(s, CX_KEY_SCORE, w, &n->key);
            ((cx_agg_cell_t *) n)->scored = 0;
        }
    }
}


/* all windows that have an index: one look over the whole key space */

static int
cx_rank_windows(cx_redis_t *r, cx_agg_site_t *s, int64_t now)
{
    int            rc;
    char           match[CX_KEY_MAX], cursor[24];
    size_t         i;
    cx_reply_t     reply;
    cx_key_parts_t p;

    memset(&reply, 0, sizeof(cx_reply_t));
    snprintf(match, sizeof(match), "cx:{%.*s}:pages:*", (int) s->name.len,
             (char *) s->name.data);
    memcpy(cursor, "0", 2);
    rc = 0;

    do {
        cx_redis_scan(r, cursor, match, NULL);

        if (cx_redis_get(r, &reply) || reply.n < 3) {
            rc = -1;
            break;
        }

        snprintf(cursor, sizeof(cursor), "%s", (char *) reply.s[1].data);

        for (i = 3; i < reply.n; i++) {
            if (cx_key_parse(&p, &reply.s[i]) == 0 && p.key == CX_KEY_PAGES
                && cx_window_start(p.gran, p.window) >= 0)
            {
                (void) cx_agg_window(s, p.gran,
                                     cx_window_start(p.gran, p.window), now);
            }
        }
    } while (strcmp(cursor, "0") != 0);

    cx_reply_free(&reply);

    return rc;
}


int
cx_agg_rebuild(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int              rc;
    size_t           i;
    unsigned         n;
    cx_redis_t      *r;
    cx_agg_node_t   *node;
    cx_agg_window_t *w;

    r = cx_agg_redis(s);

    if (cx_agg_load_site(r, s)) {
        return CX_COMMIT_FAILED;
    }

    rc = cx_agg_sum_is(a, s);

    if (rc) {
        return rc > 0 ? cx_agg_sum_rebuild(a, s, now) : CX_COMMIT_FAILED;
    }

    if (cx_rank_windows(r, s, now)) {
        return CX_COMMIT_FAILED;
    }

    n = 0;

    for (w = s->window; w; w = w->next) {
        if (cx_agg_load_pages(r, s, w)) {
            return CX_COMMIT_FAILED;
        }

        cx_rank_forget(s, w);

        for (i = 0; i <= w->page.mask; i++) {
            for (node = w->page.bucket[i]; node; node = node->next) {
                cx_agg_cell_dirty(s, (cx_agg_cell_t *) node);
                n++;
            }
        }

        rc = cx_agg_rank(a, s, now);

        if (rc != CX_COMMIT_OK) {
            return rc;
        }
    }

    cx_agg_log(CX_LOG_INFO,
               "site %.*s: scores of %u pages and windows made "
               "again",
               (int) s->name.len, s->name.data, n);

    return CX_COMMIT_OK;
}
