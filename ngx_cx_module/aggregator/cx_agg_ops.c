/*
 * The difference between the model and Redis as a list of commands.
 *
 * Counters are written as the values they have now, not as increments: one
 * HSET for a hash.  That is exact for the same reason that the checkpoint is:
 * the list only runs when nobody has written since they were loaded.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_OP_WORDS 1000 /* of one command, so that none is slow */


void
cx_agg_op(cx_agg_site_t *s, const char *command, size_t args)
{
    cx_buf_head(&s->ops, '*', args + 1);
    cx_buf_bulk(&s->ops, command, strlen(command));
    s->commands++;
}


void
cx_agg_op_arg(cx_agg_site_t *s, const void *data, size_t len)
{
    cx_buf_bulk(&s->ops, data, len);
}


void
cx_agg_op_text(cx_agg_site_t *s, const char *text)
{
    cx_buf_bulk(&s->ops, text, strlen(text));
}


void
cx_agg_op_number(cx_agg_site_t *s, int64_t n)
{
    cx_buf_bulk_number(&s->ops, n);
}


void
cx_agg_op_key(cx_agg_site_t *s, int key, const cx_agg_window_t *w,
              const cx_str_t *name)
{
    char   text[CX_KEY_MAX];
    size_t len;

    len = cx_key(text, key, &s->name, w ? w->gran : 0, w ? w->window : 0, name);
    cx_buf_bulk(&s->ops, text, len);
}


void
cx_agg_op_expire(cx_agg_site_t *s, int key, const cx_agg_window_t *w,
                 const cx_str_t *name)
{
    cx_agg_op(s, "EXPIREAT", 2);
    cx_agg_op_key(s, key, w, name);
    cx_agg_op_number(s, w->expires / 1000);
}


void
cx_agg_reject(cx_agg_site_t *s, const char *why, const cx_str_t *id,
              const cx_str_t *pairs, size_t n)
{
    size_t i;

    n = n > CX_OP_WORDS ? CX_OP_WORDS : n;

    cx_agg_op(s, "XADD", 9 + n);
    cx_agg_op_key(s, CX_KEY_REJECTED, NULL, NULL);
    cx_agg_op_text(s, "MAXLEN");
    cx_agg_op_text(s, "~");
    cx_agg_op_number(s, CX_AGG_REJECTED_MAX);
    cx_agg_op_text(s, "*");
    cx_agg_op_text(s, "reason");
    cx_agg_op_text(s, why);
    cx_agg_op_text(s, "id");
    cx_agg_op_arg(s, id->data, id->len);

    for (i = 0; i < n; i++) {
        cx_agg_op_arg(s, pairs[i].data, pairs[i].len);
    }

    s->changes += (unsigned) n;
    s->refused = 1;
    s->life[CX_LIFE_REJECTED]++;
}


/* ---- one cell ---- */

/* the first counter from i on that has changed, or CX_R_N; most have not */

static unsigned
cx_commit_next(const cx_rollup_t *r, unsigned i)
{
    uint64_t eight;

    while (i + 8 <= CX_R_N) {
        memcpy(&eight, r->changed + i, 8);

        if (eight) {
            break;
        }

        i += 8;
    }

    while (i < CX_R_N && !r->changed[i]) {
        i++;
    }

    return i;
}


static void
cx_commit_counters(cx_agg_site_t *s, cx_agg_cell_t *c)
{
    char         text[sizeof(CX_PATTERN) + CX_PATTERN_LEN];
    size_t       n;
    unsigned     i;
    cx_rollup_t *r;

    r = &c->roll;
    n = 0;

    for (i = cx_commit_next(r, 0); i < CX_R_N; i = cx_commit_next(r, i + 1)) {
        n++;
    }

    for (i = 0; i < r->patterns; i++) {
        n += r->pattern[i].changed;
    }

    if (n == 0) {
        return;
    }

    cx_agg_op(s, "HSET", 1 + 2 * n);
    cx_agg_op_key(s, c->kind, c->window, &c->node.key);

    for (i = cx_commit_next(r, 0); i < CX_R_N; i = cx_commit_next(r, i + 1)) {
        cx_agg_op_text(s, cx_rollup_names[i]);
        cx_agg_op_number(s, r->v[i]);
    }

    memset(r->changed, 0, sizeof(r->changed));
    memcpy(text, CX_PATTERN, sizeof(CX_PATTERN) - 1);

    for (i = 0; i < r->patterns; i++) {
        if (r->pattern[i].changed) {
            n = cx_pattern_print(text + sizeof(CX_PATTERN) - 1, &r->pattern[i]);
            cx_agg_op_arg(s, text, sizeof(CX_PATTERN) - 1 + n);
            cx_agg_op_number(s, r->pattern[i].visits);
            r->pattern[i].changed = 0;
        }
    }

    if (!c->stored) {
        c->stored = 1;
        cx_agg_op_expire(s, c->kind, c->window, &c->node.key);
    }
}


static void
cx_commit_visitors(cx_agg_site_t *s, cx_agg_cell_t *c)
{
    int      key;
    unsigned i, k, n;

    if (c->visitors == 0) {
        return;
    }

    key = c->kind == CX_KEY_PAGE ? CX_KEY_VISITORS : CX_KEY_EVERYBODY;

    for (i = 0; i < c->visitors; i += n) {
        n = c->visitors - i < CX_OP_WORDS ? c->visitors - i : CX_OP_WORDS;
        cx_agg_op(s, "PFADD", 1 + n);
        cx_agg_op_key(s, key, c->window, &c->node.key);

        for (k = i; k < i + n; k++) {
            cx_agg_op_arg(s, c->visitor[k]->node.key.data,
                          c->visitor[k]->visit_len);
        }
    }

    c->visitors = 0;

    if (!c->visited) {
        c->visited = 1;
        cx_agg_op_expire(s, key, c->window, &c->node.key);
    }
}


/* ---- windows ---- */

/* "ZADD index number name ..." for the changed cells of one kind; how many */

static size_t
cx_commit_index(cx_agg_site_t *s, cx_agg_window_t *w, int kind)
{
    int            key, field;
    size_t         n, all, left;
    cx_agg_cell_t *c;

    key = kind == CX_KEY_PAGE ? CX_KEY_PAGES : CX_KEY_SURVEYS;
    field = kind == CX_KEY_PAGE ? CX_R_VIEWS : CX_R_ANSWERED;
    n = 0;

    for (c = w->changed; c; c = c->next_changed) {
        n += c->kind == kind;
    }

    all = n;
    left = 0;

    for (c = w->changed; c; c = c->next_changed) {
        if (c->kind != kind) {
            continue;
        }

        if (left == 0) {
            left = n < CX_OP_WORDS / 2 ? n : CX_OP_WORDS / 2;
            n -= left;
            cx_agg_op(s, "ZADD", 1 + 2 * left);
            cx_agg_op_key(s, key, w, NULL);
        }

        cx_agg_op_number(s, c->roll.v[field]);
        cx_agg_op_arg(s, c->node.key.data, c->node.key.len);
        left--;
    }

    return all;
}


static void
cx_commit_window(cx_agg_site_t *s, cx_agg_window_t *w)
{
    size_t         pages;
    cx_agg_cell_t *c;

    pages = cx_commit_index(s, w, CX_KEY_PAGE);
    (void) cx_commit_index(s, w, CX_KEY_SURVEY);

    /* there may be none yet, where surveys were offered or answers refused */

    if (pages && !w->stored) {
        w->stored = 1;
        cx_agg_op_expire(s, CX_KEY_PAGES, w, NULL);
    }

    for (c = w->changed; c; c = c->next_changed) {
        if (c->kind == CX_KEY_SURVEY && !c->stored) {
            cx_agg_op_expire(s, CX_KEY_SURVEYS, w, NULL);
        }

        cx_commit_counters(s, c);
        cx_commit_visitors(s, c);
        c->changed = 0;
    }

    w->changed = NULL;
}


size_t
cx_agg_dirty_print(char *dst, const cx_agg_cell_t *c)
{
    char *d;

    d = dst;
    *d++ = CX_GRAN(c->window->gran);
    *d++ = ':';
    d += cx_digits(d, (uint64_t) c->window->window);
    *d++ = ':';
    memcpy(d, c->node.key.data, c->node.key.len);

    return (size_t) (d - dst) + c->node.key.len;
}


/* names of pages that have to be scored, for whoever comes after a crash */

static void
cx_commit_dirty(cx_agg_site_t *s)
{
    char           text[CX_PAGE_MAX + 32];
    size_t         n, left;
    cx_agg_cell_t *c;

    n = 0;

    for (c = s->dirty; c; c = c->next_dirty) {
        n += !c->marked;
    }

    left = 0;

    for (c = s->dirty; c; c = c->next_dirty) {
        if (c->marked) {
            continue;
        }

        if (left == 0) {
            left = n < CX_OP_WORDS ? n : CX_OP_WORDS;
            n -= left;
            cx_agg_op(s, "SADD", 1 + left);
            cx_agg_op_key(s, CX_KEY_DIRTY, NULL, NULL);
        }

        cx_agg_op_arg(s, text, cx_agg_dirty_print(text, c));
        c->marked = 1;
        left--;
    }
}


/* ---- open visits, by shard ---- */

typedef struct {
    cx_agg_unit_t    *unit;
    cx_agg_session_t *session;
    cx_agg_window_t   window;
    cx_str_t          name;
    size_t            n;    /* of both, still to be written */
    size_t            left; /* of these, in the command at hand */
} cx_shard_t;


static void
cx_commit_visit(cx_agg_site_t *s, cx_shard_t *sh, const cx_agg_node_t *node,
                const char *text, size_t len)
{
    if (sh->left == 0) {
        sh->left = sh->n < CX_OP_WORDS / 2 ? sh->n : CX_OP_WORDS / 2;
        sh->n -= sh->left;
        cx_agg_op(s, "HSET", 1 + 2 * sh->left);
        cx_agg_op_key(s, CX_KEY_VISITS, &sh->window, &sh->name);
    }

    cx_agg_op_arg(s, node->key.data, node->key.len);
    cx_agg_op_arg(s, text, len);
    sh->left--;
}


static void
cx_commit_shard(cx_agg_site_t *s, cx_shard_t *sh, unsigned shard, int64_t now)
{
    char              unit[64 + CX_PATTERN_LEN], session[CX_AGG_SESSION_LEN];
    cx_agg_unit_t    *u;
    cx_agg_session_t *v;

    sh->name = cx_agg_shard(shard);
    sh->window.gran = CX_HOUR;
    sh->window.window = cx_window(CX_HOUR, s->hour * cx_window_len(CX_HOUR));

    for (u = sh->unit; u; u = u->next_changed) {
        cx_commit_visit(s, sh, &u->node, unit, cx_agg_unit_print(unit, u));
        u->changed = 0;
    }

    for (v = sh->session; v; v = v->next_changed) {
        cx_commit_visit(s, sh, &v->node, session,
                        cx_agg_session_print(session, v));
        v->changed = 0;
    }

    if (s->shard_at[shard] == 0
        || now >= s->shard_at[shard] + CX_AGG_VISITS_TTL * 1000 / 4)
    {
        s->shard_at[shard] = now;
        cx_agg_op(s, "EXPIRE", 2);
        cx_agg_op_key(s, CX_KEY_VISITS, &sh->window, &sh->name);
        cx_agg_op_number(s, CX_AGG_VISITS_TTL);
    }
}


static void
cx_commit_visits(cx_agg_site_t *s, int64_t now)
{
    unsigned          i;
    cx_shard_t        shard[CX_AGG_SHARDS];
    cx_agg_unit_t    *u, *next;
    cx_agg_session_t *v, *after;

    if (s->shard_hour != s->hour) {
        s->shard_hour = s->hour;
        memset(s->shard_at, 0, sizeof(s->shard_at));
    }

    memset(shard, 0, sizeof(shard));

    for (u = s->units_changed; u; u = next) {
        next = u->next_changed;
        u->next_changed = shard[u->shard].unit;
        shard[u->shard].unit = u;
        shard[u->shard].n++;
    }

    for (v = s->sessions_changed; v; v = after) {
        after = v->next_changed;
        v->next_changed = shard[v->shard].session;
        shard[v->shard].session = v;
        shard[v->shard].n++;
    }

    for (i = 0; i < CX_AGG_SHARDS; i++) {
        if (shard[i].n) {
            cx_commit_shard(s, &shard[i], i, now);
        }
    }

    s->units_changed = NULL;
    s->sessions_changed = NULL;
}


/* ---- answers ---- */

static void
cx_commit_answers(cx_agg_site_t *s, int64_t now)
{
    int              i;
    size_t           n;
    int64_t          expires;
    cx_agg_answer_t *a;

    for (a = s->answers_changed; a; a = a->next_changed) {
        a->changed = 0;
        n = 0;

        for (i = 0; i < CX_ANSWER_N; i++) {
            n += a->v[i].len > 0;
        }

        cx_agg_op(s, "HSET", 5 + 2 * n);
        cx_agg_op_key(s, CX_KEY_ANSWER, NULL, &a->node.key);
        cx_agg_op_text(s, "other");
        cx_agg_op_number(s, a->other);
        cx_agg_op_text(s, "said");
        cx_agg_op_number(s, a->said);

        for (i = 0; i < CX_ANSWER_N; i++) {
            if (a->v[i].len) {
                cx_agg_op_text(s, cx_types[CX_ANSWER].fields[i].name);
                cx_agg_op_arg(s, a->v[i].data, a->v[i].len);
            }
        }

        expires = a->ts + s->conf->keep_answers;
        cx_agg_op(s, "EXPIREAT", 2);
        cx_agg_op_key(s, CX_KEY_ANSWER, NULL, &a->node.key);
        cx_agg_op_number(s, (expires + 999) / 1000);

        if (a->text) {
            a->text = 0;
            cx_agg_op(s, "ZADD", 3);
            cx_agg_op_key(s, CX_KEY_VERBATIMS, NULL, NULL);
            cx_agg_op_number(s, a->ts);
            cx_agg_op_arg(s, a->node.key.data, a->node.key.len);
        }
    }

    if (s->answers_changed) {
        /* none is given later than a clock may be ahead */

        cx_agg_op(s, "EXPIRE", 2);
        cx_agg_op_key(s, CX_KEY_VERBATIMS, NULL, NULL);
        cx_agg_op_number(s, (s->conf->keep_answers + CX_AGG_FUTURE_MS) / 1000);
        cx_agg_op(s, "ZREMRANGEBYSCORE", 3);
        cx_agg_op_key(s, CX_KEY_VERBATIMS, NULL, NULL);
        cx_agg_op_text(s, "-inf");
        cx_agg_op_number(s, now - s->conf->keep_answers);
    }

    s->answers_changed = NULL;
}


/* entries that were set aside: there may be answers among them */

static void
cx_commit_refused(cx_agg_site_t *s, int64_t now)
{
    char    text[32];
    int64_t ms;

    if (!s->refused) {
        return;
    }

    s->refused = 0;
    ms = now - s->conf->keep_answers;
    snprintf(text, sizeof(text), "%lld-0", (long long) (ms > 0 ? ms : 0));
    cx_agg_op(s, "XTRIM", 3);
    cx_agg_op_key(s, CX_KEY_REJECTED, NULL, NULL);
    cx_agg_op_text(s, "MINID");
    cx_agg_op_text(s, text);
    cx_agg_op(s, "EXPIRE", 2);
    cx_agg_op_key(s, CX_KEY_REJECTED, NULL, NULL);
    cx_agg_op_number(s, s->conf->keep_answers / 1000);
}


/* the stream behind the new checkpoint; its own entry stays, for gaps */

static void
cx_commit_trim(cx_agg_site_t *s)
{
    char    text[64];
    int64_t ms;

    cx_agg_op(s, "XTRIM", 4);
    cx_agg_op_key(s, CX_KEY_EVENTS, NULL, NULL);
    cx_agg_op_text(s, "MINID");
    cx_agg_op_text(s, "~");

    if (s->conf->keep_stream == 0) {
        cx_agg_op_text(s, s->at);
        return;
    }

    ms = strtoll(s->at, NULL, 10) - s->conf->keep_stream;
    snprintf(text, sizeof(text), "%lld-0", (long long) (ms > 0 ? ms : 0));
    cx_agg_op_text(s, text);
}


void
cx_agg_ops(cx_agg_site_t *s, int64_t now)
{
    cx_agg_window_t *w;

    cx_commit_dirty(s);

    for (w = s->window; w; w = w->next) {
        if (w->changed) {
            cx_commit_window(s, w);
        }
    }

    cx_commit_visits(s, cx_monotonic());
    cx_agg_surveys_ops(s, now);
    cx_commit_answers(s, now);
    cx_commit_refused(s, now);
    cx_commit_trim(s);
}
