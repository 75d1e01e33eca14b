/*
 * cxctl check: are the rollups consistent with themselves, and the scores and
 * ranks with the rollups?  Each window is read between two looks at the
 * checkpoint; if it moved meanwhile, the window is read again.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_check.h"

#define CX_CHECK_TRIES 20
#define CX_CHECK_MARKS (96 * (CX_SHARDS_MAX + 2))


static char *
cx_check_key(cx_check_t *k, char *dst, int key, const cx_ctl_window_t *w,
             const cx_str_t *name)
{
    return cx_ctl_key(k->ctl, dst, key, w ? w->gran : 0, w ? w->window : 0,
                      name);
}


int
cx_check_mark(cx_check_t *k, char *dst, size_t size)
{
    char key[CX_KEY_MAX + 1];

    cx_ctl_ask(k->ctl, 2, "HGETALL",
               cx_check_key(k, key, CX_KEY_CHECKPOINT, NULL, NULL));

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    snprintf(dst, size, "%.48s %.32s", cx_ctl_field(k->ctl, "id"),
             cx_ctl_field(k->ctl, "updated"));

    return 0;
}


/* ---- one page ---- */

/* the stored figures against those that follow from the counters */

static void
cx_check_score(cx_check_t *k, const cx_score_t *want, const char *what)
{
    int         i;
    char        text[32];
    const char *got;

    for (i = 0; i < CX_S_N; i++) {
        text[want->has[i] ? cx_score_print(text, want, i) : 0] = '\0';
        got = cx_ctl_field(k->ctl, cx_score_names[i]);

        if (strcmp(got, text) != 0) {
            cx_check_problem(k, "%s: %s is \"%s\", should be \"%s\"", what,
                             cx_score_names[i], got, text);
        }
    }
}


static void
cx_check_rank(cx_check_t *k, const cx_score_t *s, int rank, int other,
              const char *what)
{
    int    listed, want;
    double by;

    listed = k->ctl->reply.type[0] != REDIS_REPLY_NIL;
    want = cx_score_rank(&by, s, rank) && !other;

    if (listed != want) {
        cx_check_problem(k, "%s: %s ranked by %s", what,
                         want ? "is not" : "must not be", cx_rank_names[rank]);

    } else if (want
               && fabs(strtod((char *) k->ctl->reply.s[0].data, NULL) - by)
                      > 0.0051)
    {
        cx_check_problem(k, "%s: its rank by %s is %s, should be %.2f", what,
                         cx_rank_names[rank], (char *) k->ctl->reply.s[0].data,
                         by);
    }
}


/* ---- one window ---- */

void
cx_check_ask_dirty(cx_check_t *k, const cx_ctl_window_t *w,
                   const cx_ctl_page_t *p)
{
    char key[CX_KEY_MAX + 1], dirty[CX_PAGE_MAX + 32];

    snprintf(dirty, sizeof(dirty), "%c:%lld:%s", CX_GRAN(w->gran),
             (long long) w->window, (char *) p->name.data);
    cx_ctl_ask(k->ctl, 3, "SISMEMBER",
               cx_check_key(k, key, CX_KEY_DIRTY, NULL, NULL), dirty);
}


void
cx_check_ask_figures(cx_check_t *k, const cx_ctl_window_t *w,
                     const cx_ctl_page_t *p)
{
    int       i;
    char      key[CX_KEY_MAX + 1];
    cx_str_t  name;
    cx_ctl_t *c;

    c = k->ctl;
    cx_ctl_ask(c, 2, "HGETALL",
               cx_check_key(k, key, CX_KEY_SCORE, w, &p->name));

    for (i = 0; i < CX_RANK_N; i++) {
        name.data = (unsigned char *) cx_rank_names[i];
        name.len = strlen(cx_rank_names[i]);
        cx_ctl_ask(c, 3, "ZSCORE", cx_check_key(k, key, CX_KEY_RANK, w, &name),
                   p->name.data);
    }
}


static void
cx_check_ask_page(cx_check_t *k, const cx_ctl_window_t *w,
                  const cx_ctl_page_t *p)
{
    char key[CX_KEY_MAX + 1];

    cx_ctl_ask(k->ctl, 2, "HGETALL",
               cx_check_key(k, key, CX_KEY_PAGE, w, &p->name));

    if (!k->ctl->split) {
        cx_check_ask_dirty(k, w, p);
        cx_check_ask_figures(k, w, p);
    }
}


int
cx_check_figures(cx_check_t *k, const cx_ctl_page_t *p, const cx_score_t *s,
                 int dirty, const char *what)
{
    int i;

    k->unscored += (size_t) dirty;

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    if (!dirty) {
        cx_check_score(k, s, what);
    }

    for (i = 0; i < CX_RANK_N; i++) {
        if (cx_ctl_get(k->ctl)) {
            return -1;
        }

        if (!dirty) {
            cx_check_rank(k, s, i, strcmp((char *) p->name.data, CX_OTHER) == 0,
                          what);
        }
    }

    return 0;
}


void
cx_check_what(char *dst, size_t size, const cx_ctl_window_t *w,
              const cx_ctl_page_t *p)
{
    snprintf(dst, size, "%c %lld %s", CX_GRAN(w->gran), (long long) w->window,
             (char *) p->name.data);
}


static int
cx_check_page(cx_check_t *k, const cx_ctl_window_t *w, const cx_ctl_page_t *p)
{
    char        what[CX_PAGE_MAX + 32];
    cx_score_t  s;
    cx_rollup_t r;

    cx_check_what(what, sizeof(what), w, p);

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    cx_ctl_rollup(k->ctl, &r);
    cx_check_rollup(k, &r, what);

    if (r.v[CX_R_VIEWS] != p->views) {
        cx_check_problem(k, "%s: %lld views, the index says %lld", what,
                         (long long) r.v[CX_R_VIEWS], (long long) p->views);
    }

    (void) cx_rollup_sum(&k->sum, &r);
    cx_score(&s, &r, &k->total, &k->ctl->tuning);
    cx_rollup_free(&r);

    if (k->ctl->split) {
        return 0; /* figures are of the sums */
    }

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    return cx_check_figures(k, p, &s, k->ctl->reply.s[0].len != 0, what);
}


/* ---- a window of a site, or of a shard ---- */

/* the counters of a site against the sum of its parts: hours, or pages */

static void
cx_check_sum(cx_check_t *k, const cx_ctl_window_t *w, int hours)
{
    int i;

    for (i = 0; i < CX_R_N; i++) {
        if (!hours && CX_R_SITE_ONLY(i)) {
            if (k->sum.v[i]) {
                cx_check_problem(k, "%c %lld: its pages have %s",
                                 CX_GRAN(w->gran), (long long) w->window,
                                 cx_rollup_names[i]);
            }

        } else if (k->total.v[i] != k->sum.v[i]) {
            cx_check_problem(k,
                             "%c %lld: %s of the site is %lld, its %s add up "
                             "to %lld",
                             CX_GRAN(w->gran), (long long) w->window,
                             cx_rollup_names[i], (long long) k->total.v[i],
                             hours ? "hours" : "pages",
                             (long long) k->sum.v[i]);
        }
    }
}


/* the hours of a day, if all of them are still kept */

static int
cx_check_hours(cx_check_t *k, const cx_ctl_window_t *w)
{
    int              rc, complete;
    char             key[CX_KEY_MAX + 1];
    size_t           i;
    int64_t          start, end;
    cx_rollup_t      r;
    cx_ctl_window_t *h;

    start = cx_window_start(CX_DAY, w->window);
    cx_rollup_free(&k->sum);
    complete = 0;
    rc = 0;

    for (i = 0; i < k->n && rc == 0; i++) {
        h = &k->window[i];

        if (h->gran != CX_HOUR || h->window / 100 != w->window) {
            continue;
        }

        cx_ctl_ask(k->ctl, 2, "HGETALL",
                   cx_check_key(k, key, CX_KEY_TOTAL, h, NULL));
        cx_ctl_ask(k->ctl, 2, "PTTL", key);
        cx_ctl_ask(k->ctl, 1, "TIME");

        if (cx_ctl_get(k->ctl)) {
            return -1;
        }

        cx_ctl_rollup(k->ctl, &r);
        (void) cx_rollup_sum(&k->sum, &r);
        cx_rollup_free(&r);

        if (cx_ctl_get(k->ctl)) {
            return -1;
        }

        end = (int64_t) k->ctl->reply.s[0].len;

        if (cx_ctl_get(k->ctl)) {
            return -1;
        }

        /* this hour ends then; the day's first would have ended earlier */

        end -= cx_window_start(CX_HOUR, h->window) - start;
        complete = end > 60000;
        rc = end < 0 ? 1 : 0;
    }

    if (complete && rc == 0) {
        cx_check_sum(k, w, 1);
    }

    return 0;
}


static int
cx_check_read(cx_check_t *k, const cx_ctl_window_t *w, size_t *pages)
{
    int            rc;
    char           key[CX_KEY_MAX + 1], what[32];
    size_t         i, n;
    cx_ctl_page_t *p;

    cx_rollup_free(&k->total);
    cx_rollup_free(&k->sum);
    cx_ctl_ask(k->ctl, 2, "HGETALL",
               cx_check_key(k, key, CX_KEY_TOTAL, w, NULL));
    cx_ctl_ask(k->ctl, 5, "ZRANGE", cx_check_key(k, key, CX_KEY_PAGES, w, NULL),
               "0", "-1", "WITHSCORES");

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    cx_ctl_rollup(k->ctl, &k->total);
    snprintf(what, sizeof(what), "%c %lld", CX_GRAN(w->gran),
             (long long) w->window);
    cx_check_rollup(k, &k->total, what);

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    p = cx_ctl_pages(k->ctl, &n);
    rc = 0;

    for (i = 0; i < n; i++) {
        cx_check_ask_page(k, w, &p[i]);
    }

    for (i = 0; i < n && rc == 0; i++) {
        rc = cx_check_page(k, w, &p[i]);
    }

    cx_ctl_pages_free(p, n);
    *pages = n;

    if (rc == 0) {
        cx_check_sum(k, w, 0);
    }

    if (rc == 0 && w->gran == CX_DAY) {
        rc = cx_check_surveys(k, w);
    }

    return rc == 0 && w->gran == CX_DAY ? cx_check_hours(k, w) : rc;
}


static int
cx_check_window(cx_check_t *k, const cx_ctl_window_t *w)
{
    int    i;
    size_t pages, unscored;
    int (*mark)(cx_check_t * k, char *dst, size_t size);
    int (*read)(cx_check_t * k, const cx_ctl_window_t *w, size_t *pages);
    static char before[CX_CHECK_MARKS], after[CX_CHECK_MARKS];

    unscored = k->unscored;
    mark = k->sums ? cx_check_mark_sums : cx_check_mark;
    read = k->sums ? cx_check_read_sums : cx_check_read;

    for (i = 0; i < CX_CHECK_TRIES; i++) {
        k->unscored = unscored;
        k->fresh = 0;

        if (mark(k, before, sizeof(before)) || read(k, w, &pages)
            || mark(k, after, sizeof(after)))
        {
            return -1;
        }

        if (strcmp(before, after) == 0) {
            k->problems += k->fresh;
            k->pages += pages;
            return 0;
        }
    }

    k->busy++;

    return 0;
}


/* ---- one site ---- */

/* the checkpoint is in the stream's past */

static int
cx_check_stream(cx_check_t *k)
{
    int             rc;
    char            mark[96];
    cx_ctl_stream_t s;

    if (cx_check_mark(k, mark, sizeof(mark))) {
        return -1;
    }

    rc = cx_ctl_stream(k->ctl, &s);
    k->fresh = 0;

    if (rc == 0 && mark[0] != ' ' && cx_ctl_id_order(mark, s.last) > 0) {
        cx_check_problem(k,
                         "checkpoint %s is ahead of the stream, which "
                         "ends at %s",
                         mark, s.last);
    }

    k->problems += k->fresh;

    return rc < 0 ? -1 : 0;
}


/* one shard, or a site that has none: all of its windows, then forgets them */

static int
cx_check_part(cx_check_t *k)
{
    int    rc;
    size_t i;

    k->n = 0;
    rc = cx_check_stream(k) || cx_ctl_windows(k->ctl, &k->window, &k->n) ? -1
                                                                         : 0;
    for (i = 0; i < k->n && rc == 0; i++) {
        rc = cx_check_window(k, &k->window[i]);
    }

    k->windows += k->n;

    return rc;
}


/* figures of a split site: the windows that any of its shards has */

static int
cx_check_sums(cx_check_t *k)
{
    int    i, rc;
    size_t n;

    k->n = 0;

    for (i = 0, rc = 0; i < (int) k->ctl->parts && rc == 0; i++) {
        cx_ctl_part(k->ctl, i);
        rc = cx_ctl_windows(k->ctl, &k->window, &k->n);
    }

    cx_ctl_part(k->ctl, -1);
    k->sums = 1;
    k->windows = k->n; /* counted once, not per shard */
    k->pages = 0;

    for (n = 0; n < k->n && rc == 0; n++) {
        rc = cx_check_window(k, &k->window[n]);
    }

    k->busy = k->busy > k->n ? k->n : k->busy;

    return rc;
}


static int
cx_check_site(cx_ctl_t *c, const char *site, json_t *list)
{
    int        i, rc;
    cx_check_t k;

    memset(&k, 0, sizeof(cx_check_t));
    k.ctl = c;
    rc = cx_ctl_parts(c, site);

    for (i = 0; i < (int) c->parts && rc == 0; i++) {
        cx_ctl_part(c, i);
        rc = cx_check_part(&k);
    }

    if (rc == 0 && c->split) {
        rc = cx_check_sums(&k);
    }

    if (rc == 0) {
        cx_check_tell(&k, list);
    }

    for (i = 0; i < CX_CHECK_KEPT; i++) {
        free(k.text[i]);
    }

    free(k.window);
    cx_rollup_free(&k.total);
    cx_rollup_free(&k.sum);

    return rc < 0 ? CX_CTL_ERROR : k.problems ? CX_CTL_BAD : CX_CTL_OK;
}


int
cx_ctl_cmd_check(cx_ctl_t *c)
{
    int      rc, one;
    json_t  *list;
    unsigned i;

    list = json_array();
    rc = CX_CTL_OK;

    for (i = 0; i < c->n_sites && rc != CX_CTL_ERROR; i++) {
        one = cx_check_site(c, c->sites[i], list);
        rc = one > rc ? one : rc;
    }

    if (c->json) {
        cx_json_print(json_incref(list));
    }

    json_decref(list);

    return rc;
}
