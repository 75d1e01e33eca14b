/* cxctl pages, page. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"


/* index, figures and visitors of the window; NULL on error */

static cx_ctl_page_t *
cx_pages_read(cx_ctl_t *c, size_t *n)
{
    char           key[CX_KEY_MAX + 1];
    size_t         i;
    cx_ctl_page_t *p;

    p = cx_ctl_index(c, CX_KEY_PAGES, c->gran, c->window, 0, n);

    if (p == NULL) {
        return NULL;
    }

    for (i = 0; i < *n; i++) {
        cx_ctl_ask(c, 2, "HGETALL",
                   cx_ctl_key(c, key, CX_KEY_SCORE, c->gran, c->window,
                              &p[i].name));
        cx_ctl_ask_visitors(c, CX_KEY_VISITORS, &p[i].name);
    }

    for (i = 0; i < *n; i++) {
        if (cx_ctl_get(c)) {
            cx_ctl_pages_free(p, *n);
            return NULL;
        }

        cx_ctl_score(c, &p[i].score);
        p[i].by = (double) p[i].views;
        p[i].ranked = c->by < 0
                      || (cx_score_rank(&p[i].by, &p[i].score, c->by)
                          && strcmp((char *) p[i].name.data, CX_OTHER) != 0);
        p[i].visitors = cx_ctl_get_visitors(c);

        if (p[i].visitors < 0) {
            cx_ctl_pages_free(p, *n);
            return NULL;
        }
    }

    return p;
}


static double cx_pages_sign;

/* the worst first, then what cannot be ranked, by views, then by name */

static int
cx_pages_order(const void *a, const void *b)
{
    double               d;
    const cx_ctl_page_t *p, *q;

    p = a;
    q = b;

    if (p->ranked != q->ranked) {
        return q->ranked - p->ranked;
    }

    d = p->ranked ? cx_pages_sign * (q->by - p->by) : 0;

    if (d != 0) {
        return d > 0 ? 1 : -1;
    }

    if (p->views != q->views) {
        return p->views < q->views ? 1 : -1;
    }

    return strcmp((char *) p->name.data, (char *) q->name.data);
}


static int
cx_pages_total(cx_ctl_t *c, cx_score_t *s, cx_rollup_t *r, int64_t *visitors)
{
    if (cx_ctl_sum(c, r, CX_KEY_TOTAL, c->gran, c->window, NULL) < 0) {
        return -1;
    }

    cx_score(s, r, r, &c->tuning);
    cx_ctl_ask_visitors(c, CX_KEY_EVERYBODY, NULL);
    *visitors = cx_ctl_get_visitors(c);

    if (*visitors < 0) {
        cx_rollup_free(r);
        return -1;
    }

    return 0;
}


static void
cx_pages_row(cx_table_t *t, const char *rank, const char *name, int64_t views,
             int64_t visitors, const cx_score_t *s)
{
    char text[64];

    cx_table_add(t, "%s", rank);
    cx_table_add(t, "%s", name);
    cx_table_add(t, "%lld", (long long) views);
    cx_table_add(t, "%lld", (long long) visitors);
    cx_table_add(t, "%s", cx_ctl_figure(text, s, CX_S_EFFORT));
    cx_table_add(t, "%s", cx_ctl_plain(text, s, CX_S_INFERRED));
    cx_table_add(t, "%s", cx_ctl_plain(text, s, CX_S_CES_N));
    cx_table_add(t, "%s", cx_ctl_figure(text, s, CX_S_SATISFACTION));
    cx_table_add(t, "%s", cx_ctl_plain(text, s, CX_S_SATISFACTION_N));
    cx_table_add(t, "%s", cx_ctl_figure(text, s, CX_S_NPS));
    cx_table_add(t, "%s", cx_ctl_plain(text, s, CX_S_NPS_N));
    cx_table_add(t, "%s%s", cx_ctl_plain(text, s, CX_S_COVERAGE),
                 s->has[CX_S_COVERAGE] ? "%" : "");

    if (s->has[CX_S_APDEX]) {
        cx_table_add(t, "%.2f", s->v[CX_S_APDEX]);

    } else {
        cx_table_add(t, "-");
    }
}


/* visits to the site, and what is remembered of them */

static void
cx_pages_remembered(const cx_rollup_t *r)
{
    double mean, lo, hi;

    if (cx_peak_end(r, &mean, &lo, &hi)) {
        printf("\n%lld visits to the site began, remembered friction "
               "%.0f (%.0f..%.0f): mean of their worst\npage and their last\n",
               (long long) r->v[CX_R_SESSIONS], mean, lo, hi);
    }
}


static void
cx_pages_table(cx_ctl_t *c, const cx_ctl_page_t *p, size_t n, size_t all,
               const cx_score_t *total, const cx_rollup_t *r, int64_t visitors)
{
    char                     rank[24];
    size_t                   i;
    cx_table_t               t;
    static const char *const head[] = {
        ">#",        "<PAGE",     ">VIEWS",       ">VISITORS", ">EFFORT",
        ">INFERRED", ">CES n",    ">SATISFIED %", ">n",        ">NPS",
        ">n",        ">COVERAGE", ">APDEX"
    };

    cx_table_begin(&t, 13, head);

    for (i = 0; i < n; i++) {
        snprintf(rank, sizeof(rank), "%zu", i + 1);
        cx_pages_row(&t, p[i].ranked ? rank : "-", (char *) p[i].name.data,
                     p[i].views, p[i].visitors, &p[i].score);
    }

    cx_pages_row(&t, "", "all pages", r->v[CX_R_VIEWS], visitors, total);
    printf("site %s, %s %lld UTC, worst first by %s, 95 %% intervals\n\n",
           (char *) c->whole.data, c->gran == CX_HOUR ? "hour" : "day",
           (long long) c->window, c->by < 0 ? "views" : cx_rank_names[c->by]);
    cx_table_print(&t);
    cx_pages_remembered(r);

    if (n < all) {
        printf("\n%zu of %zu pages, see --limit\n", n, all);
    }

    if (c->by >= 0) {
        printf("\n-  fewer than %d visits or answers: not ranked\n",
               CX_RANK_MIN);
    }
}


static json_t *
cx_pages_json(cx_ctl_t *c, const cx_ctl_page_t *p, size_t n,
              const cx_score_t *total, const cx_rollup_t *r, int64_t visitors)
{
    double  mean, lo, hi;
    size_t  i;
    json_t *o, *list, *row;

    o = json_object();
    list = json_array();
    json_object_set_new(o, "site", json_string((char *) c->whole.data));
    json_object_set_new(o, "window", json_integer(c->window));
    json_object_set_new(o, "by",
                        json_string(c->by < 0 ? "views"
                                              : cx_rank_names[c->by]));
    json_object_set_new(o, "pages", list);

    for (i = 0; i < n; i++) {
        row = json_object();
        json_object_set_new(row, "page",
                            cx_json_text((char *) p[i].name.data,
                                         p[i].name.len));
        json_object_set_new(row, "rank",
                            p[i].ranked ? json_integer((json_int_t) i + 1)
                                        : json_null());
        cx_json_score(row, &p[i].score);
        json_object_set_new(row, "views", json_integer(p[i].views));
        json_object_set_new(row, "visitors", json_integer(p[i].visitors));
        json_array_append_new(list, row);
    }

    row = json_object();
    cx_json_score(row, total);
    json_object_set_new(row, "visitors", json_integer(visitors));
    json_object_set_new(row, "sessions", json_integer(r->v[CX_R_SESSIONS]));

    if (cx_peak_end(r, &mean, &lo, &hi)) {
        json_object_set_new(row, "remembered", json_real(mean));
        json_object_set_new(row, "remembered_lo", json_real(lo));
        json_object_set_new(row, "remembered_hi", json_real(hi));
    }

    json_object_set_new(o, "total", row);

    return o;
}


int
cx_ctl_cmd_pages(cx_ctl_t *c)
{
    size_t         n, all;
    int64_t        visitors;
    cx_score_t     total;
    cx_rollup_t    r;
    cx_ctl_page_t *p;

    p = cx_pages_read(c, &all);

    if (p == NULL) {
        return CX_CTL_ERROR;
    }

    if (cx_pages_total(c, &total, &r, &visitors)) {
        cx_ctl_pages_free(p, all);
        return CX_CTL_ERROR;
    }

    cx_pages_sign = c->by == CX_RANK_SATISFACTION || c->by == CX_RANK_NPS ? -1
                                                                          : 1;
    qsort(p, all, sizeof(cx_ctl_page_t), cx_pages_order);
    n = c->limit && (size_t) c->limit < all ? (size_t) c->limit : all;

    if (c->json) {
        cx_json_print(cx_pages_json(c, p, n, &total, &r, visitors));

    } else {
        cx_pages_table(c, p, n, all, &total, &r, visitors);
    }

    cx_rollup_free(&r);
    cx_ctl_pages_free(p, all);

    return CX_CTL_OK;
}


/* ---- one page ---- */

/* signals of pages that the edge did not serve in the visit */

static void
cx_page_unseen(const cx_rollup_t *r)
{
    int                      i;
    cx_table_t               t;
    static const char *const head[] = { "<UNSEEN SIGNAL", ">" };

    cx_table_begin(&t, 2, head);

    for (i = 0; i < CX_SIG_N; i++) {
        if (r->v[CX_R_UNSEEN + i]) {
            cx_table_add(&t, "%s", cx_signals[i].name);
            cx_table_add(&t, "%lld", (long long) r->v[CX_R_UNSEEN + i]);
        }
    }

    if (t.rows > 2) {
        fputs("\nReported by browsers in visits that were not served this "
              "page: not counted above\n\n",
              stdout);
        cx_table_print(&t);
    }

    cx_table_free(&t);
}


static void
cx_page_counters(const cx_rollup_t *r)
{
    int                      i;
    char                     text[CX_PATTERN_LEN + 1];
    unsigned                 k;
    cx_table_t               t;
    static const char *const head[] = { "<COUNTER", ">" };

    cx_table_begin(&t, 2, head);

    for (i = 0; i < CX_R_N; i++) {
        if ((i < CX_R_UNSEEN || i >= CX_R_UNSEEN + CX_SIG_N) && r->v[i]) {
            cx_table_add(&t, "%s", cx_rollup_names[i]);
            cx_table_add(&t, "%lld", (long long) r->v[i]);
        }
    }

    for (k = 0; k < r->patterns; k++) {
        if (r->pattern[k].visits) {
            text[cx_pattern_print(text, &r->pattern[k])] = '\0';
            cx_table_add(&t, "visits with %s", text);
            cx_table_add(&t, "%lld", (long long) r->pattern[k].visits);
        }
    }

    cx_table_print(&t);
}


static void
cx_page_text(cx_ctl_t *c, const cx_rollup_t *r, const cx_score_t *s,
             int64_t visitors)
{
    int                      k;
    char                    *name, text[64];
    long                     ms;
    cx_table_t               t;
    static const char *const head[] = { "<FIGURE", ">" };

    name = cx_ctl_safe(c->arg, strlen(c->arg));
    printf("page %s of site %s, %s %lld UTC, %lld visitors\n\n", name,
           (char *) c->whole.data, c->gran == CX_HOUR ? "hour" : "day",
           (long long) c->window, (long long) visitors);
    free(name);

    cx_table_begin(&t, 2, head);

    for (k = 0; k < CX_S_N; k++) {
        if (s->has[k]) {
            text[cx_score_print(text, s, k)] = '\0';
            cx_table_add(&t, "%s", cx_score_names[k]);
            cx_table_add(&t, "%s", text);
        }
    }

    ms = cx_first_quantile(r, 0.5);

    if (ms >= 0) {
        cx_table_add(&t, "first byte, median");
        cx_table_add(&t, ms ? "<= %ld ms" : "> 30000 ms", ms);
        ms = cx_first_quantile(r, 0.75);
        cx_table_add(&t, "first byte, 75 %%");
        cx_table_add(&t, ms ? "<= %ld ms" : "> 30000 ms", ms);
    }

    cx_table_print(&t);
    putchar('\n');
    cx_page_counters(r);
    cx_page_unseen(r);
}


static json_t *
cx_page_json(cx_ctl_t *c, const cx_rollup_t *r, const cx_score_t *s,
             int64_t visitors)
{
    int      i;
    char     text[CX_PATTERN_LEN + 1];
    json_t  *o, *part;
    unsigned k;

    o = json_object();
    json_object_set_new(o, "site", json_string((char *) c->whole.data));
    json_object_set_new(o, "window", json_integer(c->window));
    json_object_set_new(o, "page", cx_json_text(c->arg, strlen(c->arg)));
    json_object_set_new(o, "visitors", json_integer(visitors));

    part = json_object();
    cx_json_score(part, s);
    json_object_set_new(o, "figures", part);

    part = json_object();

    for (i = 0; i < CX_R_N; i++) {
        if (!CX_R_SITE_ONLY(i)) {
            json_object_set_new(part, cx_rollup_names[i],
                                json_integer(r->v[i]));
        }
    }

    json_object_set_new(o, "counters", part);
    part = json_object();

    for (k = 0; k < r->patterns; k++) {
        text[cx_pattern_print(text, &r->pattern[k])] = '\0';
        json_object_set_new(part, text, json_integer(r->pattern[k].visits));
    }

    json_object_set_new(o, "patterns", part);

    return o;
}


int
cx_ctl_cmd_page(cx_ctl_t *c)
{
    int         n;
    char        key[CX_KEY_MAX + 1];
    int64_t     visitors;
    cx_str_t    name;
    cx_score_t  s;
    cx_rollup_t r;

    name.data = (unsigned char *) c->arg;
    name.len = strlen(c->arg);

    if (name.len > CX_PAGE_MAX) {
        fprintf(stderr, "cxctl: a page key has at most %d bytes\n",
                CX_PAGE_MAX);
        return CX_CTL_ERROR;
    }

    cx_ctl_ask_visitors(c, CX_KEY_VISITORS, &name);
    visitors = cx_ctl_get_visitors(c);

    if (visitors < 0) {
        return CX_CTL_ERROR;
    }

    cx_ctl_ask(c, 2, "HGETALL",
               cx_ctl_key(c, key, CX_KEY_SCORE, c->gran, c->window, &name));

    if (cx_ctl_get(c)) {
        return CX_CTL_ERROR;
    }

    cx_ctl_score(c, &s);
    n = cx_ctl_sum(c, &r, CX_KEY_PAGE, c->gran, c->window, &name);

    if (n < 0) {
        return CX_CTL_ERROR;
    }

    if (n == 0) {
        fprintf(stderr, "cxctl: nothing is known of this page in that "
                        "window, see cxctl pages\n");
        return CX_CTL_BAD;
    }

    if (c->json) {
        cx_json_print(cx_page_json(c, &r, &s, visitors));

    } else {
        cx_page_text(c, &r, &s, visitors);
    }

    cx_rollup_free(&r);

    return CX_CTL_OK;
}
