/*
 * Loads what a batch touches, in as few round trips as its dependencies need:
 * visits, answers and windows first, then the windows in which those began,
 * then the pages.  In steady state all of it is in memory already.
 */

#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

enum {
    CX_WANT_INDEX,
    CX_WANT_SURVEYS,
    CX_WANT_CELL,
    CX_WANT_UNIT,
    CX_WANT_SESSION,
    CX_WANT_ANSWER
};

/* a command on its way, and what its reply is for */
typedef struct {
    int   kind;
    void *what;
} cx_want_t;

typedef struct {
    cx_redis_t    *redis;
    cx_agg_site_t *site;
    cx_reply_t     reply;
    cx_want_t     *want;
    size_t         n;
    size_t         size;
    int64_t        now;
} cx_load_t;


static void
cx_load_want(cx_load_t *l, int kind, void *what)
{
    if (l->n == l->size) {
        l->size = l->size ? 2 * l->size : 64;
        l->want = cx_realloc(l->want, l->size * sizeof(cx_want_t));
    }

    l->want[l->n].kind = kind;
    l->want[l->n++].what = what;
}


static void
cx_load_key(cx_load_t *l, int key, const cx_agg_window_t *w,
            const cx_str_t *name)
{
    char   text[CX_KEY_MAX];
    size_t len;

    len = cx_key(text, key, &l->site->name, w ? w->gran : 0, w ? w->window : 0,
                 name);
    cx_redis_arg(l->redis, text, len);
}


static void
cx_load_cell(cx_load_t *l, cx_agg_cell_t *c)
{
    if (c->loaded || c->asked) {
        return;
    }

    c->asked = 1;
    cx_redis_command(l->redis, 2);
    cx_redis_text(l->redis, "HGETALL");
    cx_load_key(l, c->kind, c->window, &c->node.key);
    cx_load_want(l, CX_WANT_CELL, c);
}


static void
cx_load_index(cx_load_t *l, cx_agg_window_t *w, int key, int want)
{
    cx_redis_command(l->redis, 4);
    cx_redis_text(l->redis, "ZRANGE");
    cx_load_key(l, key, w, NULL);
    cx_redis_text(l->redis, "0");
    cx_redis_text(l->redis, "-1");
    cx_load_want(l, want, w);
}


/* 1 if the window is in memory */

static int
cx_load_window(cx_load_t *l, cx_agg_window_t *w)
{
    if (w->loaded || w->asked) {
        return w->loaded;
    }

    w->asked = 1;
    cx_load_index(l, w, CX_KEY_PAGES, CX_WANT_INDEX);
    cx_load_cell(l, w->total);
    cx_load_cell(l, cx_agg_cell_other(w, CX_KEY_PAGE));

    if (w->gran == CX_DAY) {
        cx_load_index(l, w, CX_KEY_SURVEYS, CX_WANT_SURVEYS);
        cx_load_cell(l, cx_agg_cell_other(w, CX_KEY_SURVEY));
    }

    return 0;
}


/* windows of a time, and there a page and a survey; NULL, none: not that */

static void
cx_load_place(cx_load_t *l, const cx_str_t *page, const cx_str_t *survey,
              int64_t ms)
{
    int              g;
    cx_agg_cell_t   *c;
    cx_agg_window_t *w;

    for (g = 0; g < CX_GRANS; g++) {
        w = cx_agg_window(l->site, g, ms, l->now);

        if (w == NULL || !cx_load_window(l, w)) {
            continue;
        }

        c = page ? cx_agg_cell_find(w, CX_KEY_PAGE, page) : NULL;

        if (c) {
            cx_load_cell(l, c);
        }

        if (survey && survey->len && g == CX_DAY) {
            c = cx_agg_cell_find(w, CX_KEY_SURVEY, survey);

            if (c) {
                cx_load_cell(l, c);
            }
        }
    }
}


/* an open visit, from the hours that may have it; 1 if any is asked */

static int
cx_load_visit(cx_load_t *l, int want, cx_agg_node_t *visit, unsigned shard)
{
    int      i, asked;
    cx_str_t name;

    name = cx_agg_shard(shard);
    asked = 0;

    /* oldest first, so that the newest is what stays */

    for (i = CX_AGG_VISITS_HOURS - 1; i >= 0; i--) {
        cx_agg_window_t w;

        if (!cx_agg_visits_before(l->site, shard, l->site->hour - i)) {
            continue;
        }

        w.gran = CX_HOUR;
        w.window = cx_window(CX_HOUR,
                             (l->site->hour - i) * cx_window_len(CX_HOUR));
        cx_redis_command(l->redis, 3);
        cx_redis_text(l->redis, "HGET");
        cx_load_key(l, CX_KEY_VISITS, &w, &name);
        cx_redis_arg(l->redis, visit->key.data, visit->key.len);
        cx_load_want(l, want, visit);
        asked = 1;
    }

    return asked;
}


/* what an event of a visit may change besides its own place */

static void
cx_load_unit(cx_load_t *l, cx_agg_unit_t *u, const cx_str_t *page, int64_t ts)
{
    if (!u->loaded && !u->asked) {
        u->asked = cx_load_visit(l, CX_WANT_UNIT, &u->node, u->shard) != 0;
        u->loaded = !u->asked;
    }

    if (u->loaded && u->opened && !cx_window_same(u->opened, ts)) {
        cx_load_place(l, page, NULL, u->opened);
    }
}


static void
cx_load_session(cx_load_t *l, cx_agg_session_t *v, int64_t ts)
{
    int              g, i;
    cx_agg_moment_t *m;
    cx_agg_window_t *w;

    if (!v->loaded && !v->asked) {
        v->asked = cx_load_visit(l, CX_WANT_SESSION, &v->node, v->shard) != 0;
        v->loaded = !v->asked;
    }

    if (!v->loaded || v->opened == 0) {
        return;
    }

    for (g = 0; g < CX_GRANS && !cx_window_same(v->opened, ts); g++) {
        w = cx_agg_window(l->site, g, v->opened, l->now);

        if (w) {
            (void) cx_load_window(l, w);
        }
    }

    for (i = 0; i < 2; i++) {
        m = i ? &v->peak : &v->end;

        if (m->friction) {
            cx_load_place(l, &m->page, NULL, m->opened);
        }
    }
}


static void
cx_load_answer(cx_load_t *l, cx_agg_answer_t *a)
{
    if (a->loaded || a->asked) {
        return;
    }

    a->asked = 1;
    cx_redis_command(l->redis, 2);
    cx_redis_text(l->redis, "HGETALL");
    cx_load_key(l, CX_KEY_ANSWER, NULL, &a->node.key);
    cx_load_want(l, CX_WANT_ANSWER, a);
}


/* where an answer was counted when it was first given */

static void
cx_load_answered(cx_load_t *l, const cx_agg_answer_t *a)
{
    char     room[CX_AGG_SURVEY_LEN];
    cx_str_t survey;

    survey = cx_agg_survey(room, &a->v[CX_ANSWER_SURVEY],
                           &a->v[CX_ANSWER_VERSION]);
    cx_load_place(l, &a->v[CX_COMMON_PAGE], &survey, a->ts);
}


/* 1 if an event is of surveys only, and what it needs is asked for */

static int
cx_load_aside(cx_load_t *l, const cx_event_t *ev, const cx_str_t *survey,
              int64_t ts)
{
    size_t   at;
    cx_str_t name;

    switch (ev->type) {
    case CX_REFUSED:
        cx_load_place(l, NULL, survey, ts);
        return 1;

    case CX_OFFER:
        for (at = 0; cx_agg_offer(&name, &ev->v[CX_OFFER_SURVEYS], &at) >= 0;) {
            cx_load_place(l, NULL, &name, ts);
        }

        return 1;

    default:
        return ev->type == CX_SURVEY;
    }
}


/* asks for whatever of an event is known to be needed and not there */

static void
cx_load_event(cx_load_t *l, const cx_event_t *ev)
{
    char             room[CX_AGG_SURVEY_LEN];
    int64_t          ts, view_ts;
    cx_str_t         survey;
    cx_agg_unit_t   *u;
    const cx_str_t  *page;
    cx_agg_answer_t *a;

    page = &ev->v[CX_COMMON_PAGE];
    survey = cx_agg_survey_of(room, ev);

    if (cx_number(&ts, &ev->v[CX_COMMON_TS])
        || cx_load_aside(l, ev, &survey, ts)) {
        return;
    }

    cx_load_place(l, page, &survey, ts);

    if (ev->v[CX_COMMON_VISIT].len) {
        u = cx_agg_unit(l->site, &ev->v[CX_COMMON_VISIT], page);
        cx_load_unit(l, u, page, ts);
        cx_load_session(l, cx_agg_session(l->site, u), ts);
    }

    if (ev->type == CX_LEAVE && ev->v[CX_LEAVE_FIRST].len
        && cx_number(&view_ts, &ev->v[CX_LEAVE_VIEW_TS]) == 0
        && !cx_window_same(view_ts, ts))
    {
        cx_load_place(l, page, NULL, view_ts);
    }

    if (ev->type == CX_ANSWER) {
        a = cx_agg_answer(l->site, &ev->v[CX_ANSWER_ANSWER]);
        cx_load_answer(l, a);

        if (a->exists) {
            cx_load_answered(l, a);
        }
    }
}


/* ---- replies ---- */

static void
cx_load_take_index(cx_load_t *l, cx_agg_window_t *w, int kind)
{
    size_t         i;
    cx_agg_cell_t *c;

    for (i = 1; i < l->reply.n; i++) {
        c = cx_agg_cell_find(w, kind, &l->reply.s[i]);
        c = c ? c : cx_agg_cell_add(w, kind, &l->reply.s[i]);
        c->stored = 1;
    }

    if (kind == CX_KEY_PAGE) {
        w->loaded = 1;
        w->stored = l->reply.n > 1;
    }
}


static int
cx_load_take_cell(cx_load_t *l, cx_agg_cell_t *c)
{
    size_t i;

    for (i = 1; i + 1 < l->reply.n; i += 2) {
        if (cx_rollup_read(&c->roll, &l->reply.s[i], &l->reply.s[i + 1]) < 0) {
            cx_realloc(NULL, SIZE_MAX); /* says it, and ends */
        }
    }

    c->loaded = 1;
    c->stored = l->reply.n > 1;

    return 0;
}


static void
cx_load_take_answer(cx_load_t *l, cx_agg_answer_t *a)
{
    int       k;
    size_t    i;
    int64_t   n;
    cx_str_t *name, *value;

    a->loaded = 1;

    /* a value that no event can have is none: keys are made of some of them */

    for (i = 1; i + 1 < l->reply.n; i += 2) {
        name = &l->reply.s[i];
        value = &l->reply.s[i + 1];

        if (name->len == 5 && memcmp(name->data, "other", 5) == 0
            && cx_number(&n, value) == 0)
        {
            a->other = (unsigned char) n;
        }

        if (name->len == 4 && memcmp(name->data, "said", 4) == 0
            && cx_number(&n, value) == 0)
        {
            a->said = n;
        }

        k = cx_field_find(CX_ANSWER, name, 0);

        if (k >= 0 && cx_field_ok(&cx_types[CX_ANSWER].fields[k], value)) {
            cx_agg_answer_set(a, k, value);
        }
    }

    a->field = cx_agg_score_field(&a->v[CX_ANSWER_METRIC],
                                  &a->v[CX_ANSWER_SCORE]);

    a->exists = a->field != CX_AGG_SCORE_BAD && a->v[CX_ANSWER_SURVEY].len
                && a->v[CX_COMMON_PAGE].len
                && cx_number(&a->ts, &a->v[CX_ANSWER_TS]) == 0;
}


static int
cx_load_take(cx_load_t *l, cx_want_t *want)
{
    int               bad;
    cx_agg_node_t    *node;
    cx_agg_unit_t    *u;
    cx_agg_session_t *v;

    switch (want->kind) {
    case CX_WANT_INDEX:
        cx_load_take_index(l, want->what, CX_KEY_PAGE);
        return 0;

    case CX_WANT_SURVEYS:
        cx_load_take_index(l, want->what, CX_KEY_SURVEY);
        return 0;

    case CX_WANT_CELL:
        return cx_load_take_cell(l, want->what);

    case CX_WANT_UNIT:
    case CX_WANT_SESSION:
        node = want->what;

        if (want->kind == CX_WANT_UNIT) {
            u = want->what;
            u->loaded = 1;
            bad = l->reply.type[0] == REDIS_REPLY_STRING
                  && cx_agg_unit_parse(u, &l->reply.s[0]);

        } else {
            v = want->what;
            v->loaded = 1;
            bad = l->reply.type[0] == REDIS_REPLY_STRING
                  && cx_agg_session_parse(v, &l->reply.s[0]);
        }

        if (bad) {
            cx_agg_log(CX_LOG_WARN,
                       "site %.*s: open visit \"%.*s\" cannot "
                       "be read, begun again",
                       (int) l->site->name.len, l->site->name.data,
                       (int) node->key.len, node->key.data);
        }

        return 0;

    default: /* CX_WANT_ANSWER */
        cx_load_take_answer(l, want->what);
        return 0;
    }
}


/* sends, reads all replies; 0, or -1 */

static int
cx_load_round(cx_load_t *l)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        if (cx_redis_get(l->redis, &l->reply) || cx_load_take(l, &l->want[i])) {
            return -1;
        }
    }

    l->n = 0;

    return 0;
}


static void
cx_load_begin(cx_load_t *l, cx_redis_t *r, cx_agg_site_t *s, int64_t now)
{
    memset(l, 0, sizeof(cx_load_t));
    l->redis = r;
    l->site = s;
    l->now = now;
}


static int
cx_load_end(cx_load_t *l, int rc)
{
    free(l->want);
    cx_reply_free(&l->reply);

    return rc;
}


int
cx_agg_load(cx_redis_t *r, cx_agg_site_t *s, const cx_event_t *ev,
            const char *const *refused, size_t n, int64_t now)
{
    int       rc;
    size_t    i;
    cx_load_t l;

    cx_load_begin(&l, r, s, now);

    do {
        for (i = 0; i < n; i++) {
            if (refused[i] == NULL) {
                cx_load_event(&l, &ev[i]);
            }
        }

        rc = l.n ? 1 : 0;

        if (rc && cx_load_round(&l)) {
            rc = -1;
        }
    } while (rc == 1);

    return cx_load_end(&l, rc);
}


int
cx_agg_load_window(cx_redis_t *r, cx_agg_site_t *s, cx_agg_window_t *w)
{
    cx_load_t l;

    cx_load_begin(&l, r, s, 0);
    (void) cx_load_window(&l, w);

    return cx_load_end(&l, cx_load_round(&l));
}


int
cx_agg_load_pages(cx_redis_t *r, cx_agg_site_t *s, cx_agg_window_t *w)
{
    size_t         i;
    cx_load_t      l;
    cx_agg_node_t *n;

    if (cx_agg_load_window(r, s, w)) {
        return -1;
    }

    cx_load_begin(&l, r, s, 0);

    for (i = 0; i <= w->page.mask; i++) {
        for (n = w->page.bucket[i]; n; n = n->next) {
            cx_load_cell(&l, (cx_agg_cell_t *) n);
        }
    }

    return cx_load_end(&l, cx_load_round(&l));
}
