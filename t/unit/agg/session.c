/* link: core/cx_event.c core/cx_signal.c core/cx_keys.c core/cx_survey.c
 * aggregator/cx_agg_rollup.c aggregator/cx_agg_map.c aggregator/cx_agg_state.c
 * aggregator/cx_agg_place.c aggregator/cx_agg_answer.c
 * aggregator/cx_agg_session.c aggregator/cx_agg_fold.c
 * aggregator/cx_agg_survey.c aggregator/cx_agg_survey_state.c
 * aggregator/cx_agg_buf.c -lm */

/* Visits to the site: worst and last page, right after every event. */

#include <math.h>
#include "site.h"

#define MIN  60000LL

/* what a test is about, from 20:20 on */
#define T0   (NOW - NOW % HOUR - 40 * MIN)


static int64_t
total(int gran, int64_t ms, int field)
{
    return cx_agg_window(site, gran, ms, NOW)->total->roll.v[field];
}


/* visits to the site with friction in a histogram of the day */

static int64_t
bins(int first)
{
    int      i;
    int64_t  n;

    n = 0;

    for (i = 0; i < CX_PEAK_END_BINS; i++) {
        n += total(CX_DAY, NOW, first + i);
    }

    return n;
}


static int64_t
page(const char *name, int field)
{
    return at(CX_DAY, NOW, name)->v[field];
}


#define SIGNAL(ts, name, visit, signal, n)                                    \
    fold(ts, "signal", name, visit, "source", "edge", "name", signal,         \
         "count", n, NULL)


static void
test_moves(void)
{
    begin();
    conf.pages = 20;

    fold(T0, "view", "/a", V1, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 1 && bins(CX_R_PEAK) == 0
       && bins(CX_R_END) == 0, "a visit without friction");

    /* slow_page: 1 - exp(-0.15) is 13.9 % */

    SIGNAL(T0, "/a", V1, "slow_page", "1");
    ok(total(CX_DAY, NOW, CX_R_PEAK_20) == 1
       && total(CX_DAY, NOW, CX_R_END_20) == 1
       && page("/a", CX_R_PEAKS) == 1 && page("/a", CX_R_ENDS) == 1,
       "its only page is worst and last");

    /* error_page: 0.9 + 0.15: 65.0 % */

    SIGNAL(T0, "/a", V1, "error_page", "1");
    ok(total(CX_DAY, NOW, CX_R_PEAK_20) == 0
       && total(CX_DAY, NOW, CX_R_PEAK_70) == 1
       && total(CX_DAY, NOW, CX_R_END_70) == 1
       && bins(CX_R_PEAK) == 1 && page("/a", CX_R_PEAKS) == 1,
       "worse: moved up");

    fold(T0 + MIN, "view", "/b", V1, NULL);
    ok(bins(CX_R_END) == 0 && page("/a", CX_R_ENDS) == 0
       && page("/b", CX_R_ENDS) == 0 && page("/a", CX_R_PEAKS) == 1
       && total(CX_DAY, NOW, CX_R_PEAK_70) == 1, "the end moves on");

    SIGNAL(T0 + MIN, "/a", V1, "reload", "1");
    ok(total(CX_DAY, NOW, CX_R_PEAK_80) == 1 && bins(CX_R_END) == 0,
       "a later signal of the first page is its own: 76.5 %%");

    SIGNAL(T0 + MIN, "/b", V1, "broken_link", "2");
    ok(total(CX_DAY, NOW, CX_R_PEAK_80) == 1
       && total(CX_DAY, NOW, CX_R_END_80) == 1
       && page("/b", CX_R_ENDS) == 1 && page("/b", CX_R_PEAKS) == 1
       && page("/a", CX_R_PEAKS) == 0, "79.8 %%: worst and last elsewhere");

    fold(T0 + 2 * MIN, "view", "/a", V1, NULL);
    ok(total(CX_DAY, NOW, CX_R_END_80) == 1 && page("/a", CX_R_ENDS) == 1
       && page("/b", CX_R_ENDS) == 0 && page("/b", CX_R_PEAKS) == 1,
       "back on the first page, with what it had");

    /* a view that was logged late, a beacon that comes after the next view */

    fold(T0 + 90000, "view", "/c", V1, NULL);
    ok(page("/a", CX_R_ENDS) == 1, "an earlier view is not the last");
    fold(T0 + 2 * MIN + 1, "leave", "/b", V1, "seen", "1", NULL);
    ok(page("/a", CX_R_ENDS) == 1, "nor the page of a later report");
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 1, "one visit all the time");

    /* what was not seen does not count here either */

    fold(T0 + 2 * MIN, "signal", "/c", V1, "source", "browser", "name",
         "rage_click", "count", "3", "seen", "0", NULL);
    ok(page("/c", CX_R_PEAKS) == 0 && bins(CX_R_PEAK) == 1,
       "a page that was not served is no moment");

    /* without a visit key there is no visit to the site */

    fold(T0, "view", "/a", NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 1, "nor is a view alone");

    cx_agg_site_free(site);
}


static void
test_idle(void)
{
    begin();
    conf.pages = 20;

    /* a signal first, then its view; the hour it began is what counts */

    fold(T0 + 5, "signal", "/a", V1, "source", "browser", "name",
         "dead_click", "seen", "1", NULL);
    ok(total(CX_HOUR, T0, CX_R_SESSIONS) == 1
       && total(CX_HOUR, T0, CX_R_END_40) == 1 && page("/a", CX_R_ENDS) == 1,
       "a signal opens a visit and is its page's");
    fold(T0, "view", "/a", V1, NULL);
    fold(T0 + 20 * MIN, "view", "/b", V1, NULL);
    fold(T0 + 50 * MIN, "view", "/c", V1, NULL);
    SIGNAL(T0 + 50 * MIN, "/c", V1, "error_page", "2");
    ok(total(CX_HOUR, T0, CX_R_SESSIONS) == 1
       && total(CX_HOUR, NOW, CX_R_SESSIONS) == 0
       && total(CX_HOUR, T0, CX_R_PEAK_90) == 1
       && total(CX_HOUR, T0, CX_R_END_90) == 1
       && total(CX_HOUR, T0, CX_R_PEAK_40) == 0,
       "30 minutes sharp between pages: one visit, in its first hour");
    ok(at(CX_HOUR, NOW, "/c")->v[CX_R_PEAKS] == 1
       && at(CX_HOUR, T0, "/a")->v[CX_R_PEAKS] == 0,
       "a page's peak where the visit to the page began");

    /* to a minute, and then for sure */

    fold(T0 + 80 * MIN + 59999, "view", "/a", V1, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 1, "31 minutes may pass");
    fold(T0 + 81 * MIN + 31 * MIN, "view", "/a", V1, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 2, "and not more");
    ok(total(CX_HOUR, T0, CX_R_PEAK_90) == 1 && bins(CX_R_PEAK) == 1
       && bins(CX_R_END) == 0, "the first visit stays as it ended");
    SIGNAL(T0 + 112 * MIN, "/a", V1, "slow_page", "1");
    ok(bins(CX_R_PEAK) == 2 && bins(CX_R_END) == 1, "the second counts anew");

    /* surveys keep it open and never open it */

    fold(T0, "shown", "/s", V2, "survey", "q", NULL);
    fold(T0, "answer", "/s", V2, "answer", "00000000000000f9", "survey", "q",
         "metric", "nps", "score", "9", NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 2, "an answer opens no visit");
    fold(T0, "view", "/s", V2, NULL);
    fold(T0 + 29 * MIN, "shown", "/s", V2, "survey", "q", NULL);
    fold(T0 + 58 * MIN, "view", "/t", V2, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 3, "but keeps one open");

    /* reports of a visit that is over leave the present one alone */

    fold(T0 + 10 * MIN, "signal", "/s", V2, "source", "edge", "name",
         "form_abandon", NULL);
    ok(page("/s", CX_R_PEAKS) == 1 && total(CX_DAY, NOW, CX_R_SESSIONS) == 3,
       "a late signal within the visit");
    fold(T0 + 100 * MIN, "view", "/t", V2, NULL);
    fold(T0 + 60 * MIN, "signal", "/t", V2, "source", "edge", "name",
         "form_abandon", NULL);
    fold(T0 + 101 * MIN, "view", "/t", V2, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 4 && page("/t", CX_R_PEAKS) == 0,
       "one of a visit before it is not the new one's");
    fold(T0 + 60 * MIN, "signal", "/u", V2, "source", "edge", "name",
         "form_abandon", NULL);
    fold(T0 + 101 * MIN, "view", "/t", V2, NULL);
    ok(total(CX_DAY, NOW, CX_R_SESSIONS) == 4 && page("/u", CX_R_PEAKS) == 0
       && page("/u", CX_R_VISITS) == 1, "on a page that is not known, either");

    cx_agg_site_free(site);
}


static void
test_other(void)
{
    begin();                             /* three pages */
    fold(T0, "view", "/1", V2, NULL);
    fold(T0, "view", "/2", V2, NULL);
    fold(T0, "view", "/3", V2, NULL);
    fold(T0, "view", "/4", V1, NULL);
    SIGNAL(T0, "/4", V1, "error_page", "1");
    ok(page(CX_OTHER, CX_R_PEAKS) == 1 && page(CX_OTHER, CX_R_ENDS) == 1,
       "moments in (other)");
    conf.pages = 10;
    fold(T0, "view", "/4", V2, NULL);
    fold(T0, "view", "/5", V1, NULL);
    SIGNAL(T0, "/5", V1, "error_page", "2");
    ok(page(CX_OTHER, CX_R_PEAKS) == 0 && page(CX_OTHER, CX_R_ENDS) == 0
       && page("/4", CX_R_PEAKS) == 0 && page("/4", CX_R_ENDS) == 0
       && page("/5", CX_R_PEAKS) == 1 && page("/5", CX_R_ENDS) == 1,
       "are taken out there when the cap has grown");
    cx_agg_site_free(site);
}


static void
test_text(void)
{
    char              text[CX_AGG_SESSION_LEN + 1];
    cx_str_t          s, name = { 2, (unsigned char *) "/a" };
    cx_str_t          id = { 16, (unsigned char *) "00000000000000a1" };
    cx_str_t          copy = { 16, (unsigned char *) "00000000000000c3" };
    cx_agg_session_t  *v, *w;

    begin();
    conf.pages = 2;
    v = cx_agg_session(site, cx_agg_unit(site, &id, &name));
    w = cx_agg_session(site, cx_agg_unit(site, &copy, &name));
    fold(NOW, "view", "/a page", V1, NULL);
    s.data = (unsigned char *) text;
    s.len = cx_agg_session_print(text, v);
    text[s.len] = '\0';
    ok(strcmp(text, "1795297683000 0 0 0 0 0 0 0 0\t/a page\t") == 0,
       "without friction: %s", text);
    fold(NOW - 5, "signal", "/b", V1, "source", "edge", "name", "error_page",
         NULL);
    fold(NOW + 70000, "view", "/c", V1, NULL);
    SIGNAL(NOW + 70000, "/c", V1, "reload", "1");
    s.len = cx_agg_session_print(text, v);
    text[s.len] = '\0';
    ok(strcmp(text, "1795297683000 70000 70000 400 70000 3 900 -5 0\t/c\t/b")
       == 0, "last and worst: %s", text);
    ok(cx_agg_session_parse(w, &s) == 0 && w->opened == v->opened
       && w->last == v->last && w->viewed == v->viewed
       && w->end.friction == 400 && w->end.opened == v->end.opened
       && w->end.other == 3 && w->peak.friction == 900
       && w->peak.opened == NOW - 5 && w->peak.other == 0
       && w->end.page.len == 2 && memcmp(w->end.page.data, "/c", 2) == 0
       && w->peak.page.len == 2 && memcmp(w->peak.page.data, "/b", 2) == 0,
       "read back");
    s.len = 20;
    ok(cx_agg_session_parse(w, &s) == -1, "cut short");
    s.len = 46;
    ok(cx_agg_session_parse(w, &s) == -1, "without pages");
    cx_agg_site_free(site);
}


/*
 * Thousands of events, in order of time, and then all of it worked out again
 * from the list of them: visits cut by silence, friction summed up, the worst
 * page, the last view.
 */

#define EVENTS  6000
#define PAGES   6
#define PEOPLE  40

typedef struct {
    int64_t  ts;
    int      who, page, signal;          /* signal -1: a view */
} made_t;

static made_t    made[EVENTS];
static unsigned  seed = 20261121;


static unsigned
draw(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


static void
make(void)
{
    int      i, k;
    char     text[2][24];
    made_t   swap;
    int64_t  ts[PEOPLE];

    for (i = 0; i < PEOPLE; i++) {
        ts[i] = NOW - 20 * HOUR + draw(HOUR);
    }

    for (i = 0; i < EVENTS; i++) {
        k = (int) draw(PEOPLE);

        /* never between 30 minutes and 31 */

        ts[k] += draw(60) ? draw(4 * MIN) : 31 * MIN + draw(30 * MIN);
        made[i].ts = ts[k];
        made[i].who = k;
        made[i].page = (int) draw(PAGES);
        made[i].signal = draw(3) ? -1 : (int) draw(CX_SIG_N);
    }

    for (i = 0; i < EVENTS; i++) {       /* by time */
        for (k = i + 1; k < EVENTS; k++) {
            if (made[k].ts < made[i].ts) {
                swap = made[i];
                made[i] = made[k];
                made[k] = swap;
            }
        }
    }

    for (i = 0; i < EVENTS; i++) {
        snprintf(text[0], sizeof(text[0]), "%016x", made[i].who + 1);
        snprintf(text[1], sizeof(text[1]), "/%d", made[i].page);

        if (made[i].signal < 0) {
            fold(made[i].ts, "view", text[1], "visit", text[0], NULL);

        } else {
            fold(made[i].ts, "signal", text[1], "visit", text[0], "source",
                 "edge", "name", cx_signals[made[i].signal].name, NULL);
        }
    }
}


typedef struct {
    int64_t  sessions, ends[PAGES], peaks[PAGES];
    int64_t  end[CX_PEAK_END_BINS], peak[CX_PEAK_END_BINS];
} count_t;


/* percent, rounded up to tens; -1: none */

static int
tens(double x)
{
    return x > 0 ? (int) ceil(10 * (1 - exp(-x)) - 1e-9) - 1 : -1;
}


static void
recount(count_t *c)
{
    int            who, i, k, open, end, worst;
    double         x[PAGES], peak;
    int64_t        last, seen[PAGES];
    unsigned char  n[PAGES][CX_SIG_N];

    memset(c, 0, sizeof(count_t));

    for (who = 0; who < PEOPLE; who++) {
        open = 0;
        last = 0;

        for (i = 0; i <= EVENTS; i++) {
            if (i < EVENTS && made[i].who != who) {
                continue;
            }

            if (open && (i == EVENTS || made[i].ts - last > 30 * MIN)) {
                if (tens(x[end]) >= 0) {
                    c->end[tens(x[end])]++;
                    c->ends[end]++;
                }

                if (tens(peak) >= 0) {
                    c->peak[tens(peak)]++;
                    c->peaks[worst]++;
                }

                open = 0;
            }

            if (i == EVENTS) {
                break;
            }

            k = made[i].page;

            if (!open) {
                open = 1;
                memset(x, 0, sizeof(x));
                memset(n, 0, sizeof(n));
                memset(seen, 0, sizeof(seen));
                peak = 0;
                worst = k;
                end = k;
                c->sessions++;
            }

            if (made[i].ts - seen[k] > 30 * MIN) {
                x[k] = 0;
                memset(n[k], 0, CX_SIG_N);
            }

            last = made[i].ts;
            seen[k] = last;

            if (made[i].signal < 0) {
                end = k;

            } else if (n[k][made[i].signal] < cx_signals[made[i].signal].cap) {
                n[k][made[i].signal]++;
                x[k] += cx_signals[made[i].signal].strength;
            }

            if (x[k] > peak + 1e-9) {
                peak = x[k];
                worst = k;
            }
        }
    }
}


static int64_t
sum(int field, const char *name)
{
    int64_t           n;
    cx_agg_window_t  *w;

    n = 0;

    for (w = site->window; w; w = w->next) {
        if (w->gran == CX_DAY) {
            n += name ? at(CX_DAY, w->start, name)->v[field]
                      : w->total->roll.v[field];
        }
    }

    return n;
}


static void
test_recount(void)
{
    int      i, bad;
    char     name[16];
    int64_t  ends, peaks;
    count_t  want;

    begin();
    conf.pages = 20;
    make();
    recount(&want);
    bad = 0;
    ends = 0;
    peaks = 0;

    for (i = 0; i < CX_PEAK_END_BINS; i++) {
        bad += sum(CX_R_PEAK + i, NULL) != want.peak[i]
               || sum(CX_R_END + i, NULL) != want.end[i];
    }

    ok(want.sessions > 3 * PEOPLE
       && sum(CX_R_SESSIONS, NULL) == want.sessions,
       "%lld visits to the site", (long long) want.sessions);
    ok(bad == 0, "their worst and last pages by friction");

    for (i = 0; i < PAGES; i++) {
        snprintf(name, sizeof(name), "/%d", i);
        bad += sum(CX_R_PEAKS, name) != want.peaks[i]
               || sum(CX_R_ENDS, name) != want.ends[i];
        ends += want.ends[i];
        peaks += want.peaks[i];
    }

    ok(bad == 0, "and by page");
    ok(ends <= want.sessions && ends == sum(CX_R_ENDS, NULL)
       && peaks == sum(CX_R_PEAKS, NULL), "%lld ends, %lld peaks",
       (long long) ends, (long long) peaks);
    cx_agg_site_free(site);
}


int
main(void)
{
    test_moves();
    test_idle();
    test_other();
    test_text();
    test_recount();

    return tap_done();
}
