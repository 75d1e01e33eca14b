/* cxctl replay: pages, totals, and what the log cannot say. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_replay.h"

static const char *const cx_replay_names[] = {
#define CX_REPLAY_NAME(id, name, what) name,
    CX_REPLAY_LINES(CX_REPLAY_NAME)
#undef CX_REPLAY_NAME
};

static const char *const cx_replay_whats[] = {
#define CX_REPLAY_WHAT(id, name, what) what,
    CX_REPLAY_LINES(CX_REPLAY_WHAT)
#undef CX_REPLAY_WHAT
};


/* ---- what cannot be said ---- */

enum { CX_NOTE_WITHOUT, CX_NOTE_COARSE };

/* about a signal, if the log has none of these fields */
typedef struct {
    int         kind;
    unsigned    has; /* 0: roles */
    int         signal;
    int         role;
    const char *why;
} cx_note_t;

static const cx_note_t cx_notes[] = {
    { CX_NOTE_WITHOUT, CX_LOG_REFERER, CX_SIG_BROKEN_LINK, 0,
      "no Referer: they count as error_page" },
    { CX_NOTE_WITHOUT, CX_LOG_REFERER, CX_SIG_BROKEN_ASSET, 0, "no Referer" },
    { CX_NOTE_WITHOUT, CX_LOG_REQUEST_MS | CX_LOG_FIRST_MS, CX_SIG_SLOW_PAGE, 0,
      "no request_time" },
    { CX_NOTE_WITHOUT, CX_LOG_REQUEST_MS, CX_SIG_ABORTED_WAIT, 0,
      "no request_time" },
    { CX_NOTE_WITHOUT, 0, CX_SIG_FORM_ABANDON, CX_ROLE_FORM, "no --form" },
    { CX_NOTE_WITHOUT, 0, CX_SIG_SEARCH_REFINE, CX_ROLE_SEARCH, "no --search" },
    { CX_NOTE_WITHOUT, 0, CX_SIG_HELP_SEEK, CX_ROLE_HELP, "no --help-page" },
    { CX_NOTE_COARSE, CX_LOG_FIRST_MS, CX_SIG_SLOW_PAGE, 0,
      "by request_time, which counts the transfer too: no "
      "upstream_header_time" },
    { CX_NOTE_COARSE, CX_LOG_FETCH, CX_SIG_RELOAD, 0,
      "a page that reloads itself counts too, unless evenly: no "
      "http_sec_fetch_user" },
    { CX_NOTE_COARSE, CX_LOG_BODY, CX_SIG_FORM_RESUBMIT, 0,
      "only after an error: no request_length" },
    { CX_NOTE_COARSE, CX_LOG_MS, CX_SIG_QUICK_BACK, 0,
      "to a second or so: no msec" },
    { CX_NOTE_COARSE, CX_LOG_MS, CX_SIG_NAVIGATION_LOOP, 0,
      "to a second or so: no msec" },
    { CX_NOTE_COARSE, CX_LOG_MS, CX_SIG_RELOAD, 0,
      "to a second or so: no msec" },
    { CX_NOTE_COARSE, CX_LOG_MS, CX_SIG_FORM_RESUBMIT, 0,
      "to a second or so: no msec" }
};

#define CX_NOTES (sizeof(cx_notes) / sizeof(cx_notes[0]))


/* 1 if the signal is not in the log at all */

static int
cx_replay_without(const cx_replay_t *p, const cx_note_t *n)
{
    unsigned i;

    if (n->has) {
        return (p->has & n->has) == 0;
    }

    for (i = 0; i < p->ctl->n_roles; i++) {
        if (p->ctl->role[i].role == n->role) {
            return 0;
        }
    }

    return 1;
}


/* the first note of this kind about a signal, NULL: there is none */

static const char *
cx_replay_note(const cx_replay_t *p, int kind, int signal)
{
    size_t           i;
    const cx_note_t *n;

    for (i = 0; i < CX_NOTES; i++) {
        n = &cx_notes[i];

        if (n->kind == kind && n->signal == signal && cx_replay_without(p, n)) {
            return n->why;
        }
    }

    return NULL;
}


/* why a signal is not judged; NULL: it is */

static const char *
cx_replay_unjudged(const cx_replay_t *p, int signal)
{
    if (!(cx_signals[signal].seen & CX_SEEN_EDGE)) {
        return "only a browser sees it";
    }

    return cx_replay_note(p, CX_NOTE_WITHOUT, signal);
}


/* ---- pages ---- */

/* the worst first, then what cannot be ranked, by views, then by name */

static int
cx_replay_page_order(const void *a, const void *b)
{
    const cx_rpage_t *p, *q;

    p = *(cx_rpage_t *const *) a;
    q = *(cx_rpage_t *const *) b;

    if (p->ranked != q->ranked) {
        return q->ranked - p->ranked;
    }

    if (p->ranked && p->by != q->by) {
        return p->by < q->by ? 1 : -1;
    }

    if (p->sum.v[CX_R_VIEWS] != q->sum.v[CX_R_VIEWS]) {
        return p->sum.v[CX_R_VIEWS] < q->sum.v[CX_R_VIEWS] ? 1 : -1;
    }

    return strcmp((char *) p->name.data, (char *) q->name.data);
}


/* all pages, scored and sorted; free() */

static cx_rpage_t **
cx_replay_ranked(cx_replay_t *p, size_t *n)
{
    size_t         i;
    cx_rpage_t   **list, *page;
    cx_agg_node_t *node;

    list = cx_alloc((p->pages.n + 1) * sizeof(cx_rpage_t *));
    *n = 0;

    for (i = 0; p->pages.bucket && i <= p->pages.mask; i++) {
        for (node = p->pages.bucket[i]; node; node = node->next) {
            list[(*n)++] = (cx_rpage_t *) node;
        }
    }

    if (p->other) {
        list[(*n)++] = p->other;
    }

    for (i = 0; i < *n; i++) {
        page = list[i];
        cx_score(&page->score, &page->sum, &p->total, &p->tuning);
        page->ranked = cx_score_rank(&page->by, &page->score, CX_RANK_EFFORT)
                       && page != p->other;
    }

    qsort(list, *n, sizeof(cx_rpage_t *), cx_replay_page_order);

    return list;
}


/* "error_page 3 (2), reload 1": how often, and in how many visits; the
   strongest first */

static char *
cx_replay_signals(const cx_replay_t *p, const cx_rollup_t *r)
{
    int    i, best;
    char  *text;
    size_t len;
    double most, weight;
    char   told[CX_SIG_N];

    memset(told, 0, CX_SIG_N);
    text = cx_alloc(CX_SIG_N * 80 + 1);
    len = 0;

    for (;;) {
        best = -1;
        most = 0;

        for (i = 0; i < CX_SIG_N; i++) {
            weight = (double) r->v[CX_R_SIGNAL + i]
                     * (p->tuning.strength[i] + 1e-9);

            if (!told[i] && weight > most) {
                best = i;
                most = weight;
            }
        }

        if (best < 0) {
            return text;
        }

        told[best] = 1;
        len += (size_t) snprintf(text + len, 80, "%s%s %lld", len ? ", " : "",
                                 cx_signals[best].name,
                                 (long long) r->v[CX_R_SIGNAL + best]);

        if (r->v[CX_R_SIGNAL + best] != r->v[CX_R_VISITS_SIGNAL + best]) {
            len += (size_t)
                snprintf(text + len, 40, " (%lld)",
                         (long long) r->v[CX_R_VISITS_SIGNAL + best]);
        }
    }
}


static void
cx_replay_row(const cx_replay_t *p, cx_table_t *t, const char *rank,
              const char *name, const cx_rollup_t *r, const cx_score_t *s)
{
    char  text[64];
    char *signals;

    signals = cx_replay_signals(p, r);
    cx_table_add(t, "%s", rank);
    cx_table_add(t, "%s", name);
    cx_table_add(t, "%lld", (long long) r->v[CX_R_VIEWS]);
    cx_table_add(t, "%lld", (long long) r->v[CX_R_VISITS]);
    cx_table_add(t, "%s", cx_ctl_figure(text, s, CX_S_EFFORT));
    cx_table_add(t, "%.800s", signals);
    free(signals);
}


static void
cx_replay_table(cx_replay_t *p, cx_rpage_t **list, size_t n, size_t all)
{
    char                     rank[24];
    size_t                   i;
    cx_score_t               total;
    cx_table_t               t;
    static const char *const head[] = { ">#",      "<PAGE",   ">VIEWS",
                                        ">VISITS", ">EFFORT", "<SIGNALS" };

    cx_table_begin(&t, 6, head);

    for (i = 0; i < n; i++) {
        snprintf(rank, sizeof(rank), "%zu", i + 1);
        cx_replay_row(p, &t, list[i]->ranked ? rank : "-",
                      (char *) list[i]->name.data, &list[i]->sum,
                      &list[i]->score);
    }

    cx_score(&total, &p->total, &p->total, &p->tuning);
    cx_replay_row(p, &t, "", "all pages", &p->total, &total);
    puts("Pages, worst first by what effort is at least; 95 % intervals; "
         "signals: how often,\nand in how many visits if less\n");
    cx_table_print(&t);

    if (n < all) {
        printf("\n%zu of %zu pages, see --limit\n", n, all);
    }

    printf("\n-  fewer than %d visits: not ranked\n\n", CX_RANK_MIN);
}


/* ---- text ---- */

static void
cx_replay_totals(const cx_replay_t *p)
{
    int  i;
    char from[32], to[32];

    printf("%llu lines", (unsigned long long) p->lines[CX_REPLAY_READ]);

    if (p->first >= 0) {
        printf(", %s to %s UTC", cx_ctl_time(from, p->first),
               cx_ctl_time(to, p->last));
    }

    printf(", %llu visits\n", (unsigned long long) p->visits);

    for (i = CX_REPLAY_BAD; i < CX_REPLAY_N; i++) {
        if (p->lines[i] || i == CX_REPLAY_BAD) {
            printf("%10llu  %s\n", (unsigned long long) p->lines[i],
                   cx_replay_whats[i]);
        }
    }

    for (i = 0; i < CX_REPLAY_TOLD && p->bad[i].why; i++) {
        printf("%12s%s:%llu: %s\n", "", p->bad[i].file,
               (unsigned long long) p->bad[i].line, p->bad[i].why);
    }

    if (p->backwards) {
        printf("Time went back %llu times: visits that go on there are taken "
               "for new ones\n",
               (unsigned long long) p->backwards);
    }

    if (p->evicted) {
        printf("%llu visits were closed early: more than %d at a time\n",
               (unsigned long long) p->evicted, CX_REPLAY_VISITS);
    }
}


/* why a signal is not judged, or only coarsely; NULL: it is */

static const char *
cx_replay_why(const cx_replay_t *p, int kind, int signal)
{
    const char *why;

    why = cx_replay_unjudged(p, signal);

    if (kind == CX_NOTE_WITHOUT) {
        return why;
    }

    return why ? NULL : cx_replay_note(p, kind, signal);
}


/* "name, name: why" for those of a kind with the same reason */

static void
cx_replay_notes(const cx_replay_t *p, int kind)
{
    int         i, k;
    char        text[CX_SIG_N * 26 + 128], told[CX_SIG_N];
    size_t      len;
    const char *why, *other;

    memset(told, 0, CX_SIG_N);

    for (i = 0; i < CX_SIG_N; i++) {
        why = told[i] ? NULL : cx_replay_why(p, kind, i);

        if (why == NULL) {
            continue;
        }

        len = 0;

        for (k = i; k < CX_SIG_N; k++) {
            other = cx_replay_why(p, kind, k);

            if (other && strcmp(why, other) == 0) {
                len += (size_t) snprintf(text + len, 26, "%s%s",
                                         len ? ", " : "", cx_signals[k].name);
                told[k] = 1;
            }
        }

        snprintf(text + len, 128, ": %s", why);
        cx_ctl_wrap(text);
    }
}


static void
cx_replay_own_host(const cx_replay_t *p)
{
    char *name;

    if (p->ctl->n_hosts || (p->has & CX_LOG_HOST) || !(p->has & CX_LOG_REFERER))
    {
        return;
    }

    if (p->host == NULL) {
        puts("Own host: no referer tells, see --site-host");
        return;
    }

    name = cx_ctl_safe(p->host, strlen(p->host));
    printf("Own host: %s, with or without www., by most referers; else see "
           "--site-host\n",
           name);
    free(name);
}


static void
cx_replay_text(cx_replay_t *p, cx_rpage_t **list, size_t n, size_t all)
{
    if (all) {
        cx_replay_table(p, list, n, all);
    }

    cx_replay_totals(p);

    if (p->first < 0) {
        return; /* nothing was understood */
    }

    cx_replay_own_host(p);

    if (!(p->has & CX_LOG_AGENT)) {
        puts("No user agents: visits are told apart by address only, and bots "
             "are not told from people");
    }

    if (!(p->has & (CX_LOG_TYPE | CX_LOG_FETCH))) {
        puts("Pages are told by file extension: what else answers is a page "
             "too, see --ignore");
    }

    puts("\nNot judged:");
    cx_replay_notes(p, CX_NOTE_WITHOUT);
    puts("Judged coarsely:");
    cx_replay_notes(p, CX_NOTE_COARSE);
}


/* ---- JSON ---- */

static json_t *
cx_replay_json_row(const cx_rollup_t *r, const cx_score_t *s)
{
    int              i;
    json_t          *o, *signals, *one;
    static const int figure[] = { CX_S_EFFORT, CX_S_EFFORT_LO, CX_S_EFFORT_HI };

    o = json_object();
    signals = json_object();
    json_object_set_new(o, "views", json_integer(r->v[CX_R_VIEWS]));
    json_object_set_new(o, "visits", json_integer(r->v[CX_R_VISITS]));

    for (i = 0; i < 3; i++) {
        json_object_set_new(o, cx_score_names[figure[i]],
                            s->has[figure[i]] ? json_real(s->v[figure[i]])
                                              : json_null());
    }

    for (i = 0; i < CX_SIG_N; i++) {
        if (r->v[CX_R_SIGNAL + i]) {
            one = json_object();
            json_object_set_new(one, "count",
                                json_integer(r->v[CX_R_SIGNAL + i]));
            json_object_set_new(one, "visits",
                                json_integer(r->v[CX_R_VISITS_SIGNAL + i]));
            json_object_set_new(signals, cx_signals[i].name, one);
        }
    }

    json_object_set_new(o, "signals", signals);

    return o;
}


static json_t *
cx_replay_json_notes(const cx_replay_t *p, int kind)
{
    int         i;
    json_t     *o;
    const char *why;

    o = json_object();

    for (i = 0; i < CX_SIG_N; i++) {
        why = cx_replay_why(p, kind, i);

        if (why) {
            json_object_set_new(o, cx_signals[i].name, json_string(why));
        }
    }

    return o;
}


static json_t *
cx_replay_json(cx_replay_t *p, cx_rpage_t **list, size_t n)
{
    size_t     i;
    json_t    *o, *part, *row;
    cx_score_t total;

    o = json_object();
    part = json_array();
    json_object_set_new(o, "pages", part);

    for (i = 0; i < n; i++) {
        row = cx_replay_json_row(&list[i]->sum, &list[i]->score);
        json_object_set_new(row, "page",
                            cx_json_text((char *) list[i]->name.data,
                                         list[i]->name.len));
        json_object_set_new(row, "rank",
                            list[i]->ranked ? json_integer((json_int_t) i + 1)
                                            : json_null());
        json_array_append_new(part, row);
    }

    cx_score(&total, &p->total, &p->total, &p->tuning);
    json_object_set_new(o, "total", cx_replay_json_row(&p->total, &total));
    part = json_object();

    for (i = 0; i < CX_REPLAY_N; i++) {
        json_object_set_new(part, cx_replay_names[i],
                            json_integer((json_int_t) p->lines[i]));
    }

    json_object_set_new(o, "lines", part);
    json_object_set_new(o, "visits", json_integer((json_int_t) p->visits));
    json_object_set_new(o, "from",
                        p->first < 0 ? json_null() : json_integer(p->first));
    json_object_set_new(o, "to",
                        p->first < 0 ? json_null() : json_integer(p->last));
    json_object_set_new(o, "host",
                        p->host ? cx_json_text(p->host, strlen(p->host))
                                : json_null());
    part = json_array();

    for (i = 0; i < CX_REPLAY_TOLD && p->bad[i].why; i++) {
        json_array_append_new(part, json_pack("{s:s, s:I, s:s}", "file",
                                              p->bad[i].file, "line",
                                              (json_int_t) p->bad[i].line,
                                              "why", p->bad[i].why));
    }

    json_object_set_new(o, "not_understood", part);
    json_object_set_new(o, "not_judged",
                        cx_replay_json_notes(p, CX_NOTE_WITHOUT));
    json_object_set_new(o, "judged_coarsely",
                        cx_replay_json_notes(p, CX_NOTE_COARSE));

    return o;
}


void
cx_replay_print(cx_replay_t *p)
{
    size_t       n, all;
    cx_rpage_t **list;

    list = cx_replay_ranked(p, &all);
    n = p->ctl->limit && (size_t) p->ctl->limit < all ? (size_t) p->ctl->limit
                                                      : all;

    if (p->ctl->json) {
        cx_json_print(cx_replay_json(p, list, n));

    } else {
        cx_replay_text(p, list, n, all);
    }

    free(list);
}
