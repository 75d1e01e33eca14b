/* link: core/cx_event.c core/cx_keys.c aggregator/cx_agg_rollup.c
 * aggregator/cx_agg_map.c aggregator/cx_agg_state.c aggregator/cx_agg_place.c
 * aggregator/cx_agg_answer.c aggregator/cx_agg_fold.c
 * aggregator/cx_agg_redis.c -lhiredis -lm */

/* Fold without Redis: visits, windows, caps, answers; time is an argument. */

#include <stdlib.h>
#include "cx_agg.h"
#include "tap.h"

#define HOUR  3600000LL
#define NOW   (1795297683000LL)          /* 2026-11-21 21:48:03 */

static cx_agg_conf_t   conf;
static cx_agg_site_t  *site;


static void
begin(void)
{
    cx_str_t  name = { 1, (unsigned char *) "s" };

    memset(&conf, 0, sizeof(conf));
    conf.keep_hours = 8 * 24 * HOUR;
    conf.keep_days = 400 * 24 * HOUR;
    conf.keep_answers = 90 * 24 * HOUR;
    conf.pages = 3;
    site = cx_agg_site(&conf, &name);
}


/* names and values of one entry, ended by NULL */

static const char *
fold(int64_t ts, const char *type, const char *page, ...)
{
    char         text[24];
    size_t       n;
    va_list      args;
    cx_str_t     v[64];
    cx_event_t   ev;
    const char  *s, *why;

    snprintf(text, sizeof(text), "%lld", (long long) ts);
    n = 0;

#define PUT(t)                                                                \
    v[n].data = (unsigned char *) (t), v[n].len = strlen(t), n++

    PUT("type");
    PUT(type);
    PUT("ts");
    PUT(text);
    PUT("page");
    PUT(page);
    va_start(args, page);

    while ((s = va_arg(args, const char *)) != NULL) {
        PUT(s);
    }

    va_end(args);
    why = cx_event_decode(&ev, v, n);

    return why ? why : cx_agg_fold(site, &ev, NOW);
}


static cx_rollup_t *
at(int gran, int64_t ms, const char *page)
{
    cx_str_t            name;
    cx_agg_cell_t      *c;
    static cx_rollup_t  none;

    name.data = (unsigned char *) page;
    name.len = strlen(page);
    c = cx_agg_cell_find(cx_agg_window(site, gran, ms, NOW), CX_KEY_PAGE,
                         &name);

    return c ? &c->roll : &none;
}


static int64_t
kinds(const cx_rollup_t *r, const char *text)
{
    char      p[CX_PATTERN_LEN + 1];
    unsigned  i;

    for (i = 0; i < r->patterns; i++) {
        p[cx_pattern_print(p, &r->pattern[i])] = '\0';

        if (strcmp(p, text) == 0) {
            return r->pattern[i].visits;
        }
    }

    return 0;
}


#define V1  "visit", "00000000000000a1"
#define V2  "visit", "00000000000000b2"


static void
test_visits(void)
{
    int64_t       ten = NOW - NOW % HOUR - 10 * 60000;   /* 20:50 */
    cx_rollup_t  *r;

    begin();

    /* from 20:50 to 21:10 without 30 minutes of silence: one visit, at 20 */

    fold(ten, "view", "/a", V1, "status", "200", NULL);
    fold(ten + 20 * 60000, "view", "/a", V1, "status", "503", NULL);
    ok(at(CX_HOUR, ten, "/a")->v[CX_R_VISITS] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_VISITS] == 0,
       "a visit counts where it began");
    ok(at(CX_HOUR, ten, "/a")->v[CX_R_VIEWS] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_VIEWS] == 1,
       "a view in its own hour");
    ok(at(CX_DAY, ten, "/a")->v[CX_R_VISITS] == 1
       && at(CX_DAY, ten, "/a")->v[CX_R_VIEWS] == 2, "both in the day");
    ok(at(CX_HOUR, ten, "/a")->v[CX_R_STATUS_2XX] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_STATUS_5XX] == 1, "statuses");

    /* a signal in the next hour changes the visit's pattern where it began */

    fold(ten + 25 * 60000, "signal", "/a", V1, "source", "browser",
         "name", "rage_click", "count", "2", NULL);
    r = at(CX_HOUR, ten, "/a");
    ok(kinds(r, "none") == 0 && kinds(r, "rage_click=2") == 1
       && r->v[CX_R_VISITS_SIGNAL + CX_SIG_RAGE_CLICK] == 1
       && r->v[CX_R_VISITS_BROWSER] == 1, "pattern at the visit");
    ok(r->v[CX_R_SIGNAL + CX_SIG_RAGE_CLICK] == 0
       && at(CX_HOUR, NOW, "/a")->v[CX_R_SIGNAL + CX_SIG_RAGE_CLICK] == 2,
       "clicks in their hour");

    /* capped */

    fold(ten + 26 * 60000, "signal", "/a", V1, "source", "browser",
         "name", "rage_click", "count", "40", NULL);
    ok(kinds(r, "rage_click=3") == 1 && kinds(r, "rage_click=2") == 0,
       "capped at 3");

    /* an edge signal is no coverage */

    fold(ten, "signal", "/a", V2, "source", "edge", "name", "slow_page",
         NULL);
    ok(r->v[CX_R_VISITS] == 2 && r->v[CX_R_VISITS_BROWSER] == 1
       && kinds(r, "slow_page=1") == 1, "a signal opens a visit, too");

    /* another page, another visit; 31 minutes later, another one */

    fold(ten, "view", "/b", V1, NULL);
    fold(ten + 57 * 60000 + 1, "leave", "/a", V1, "visible_ms", "7", NULL);
    ok(at(CX_HOUR, NOW, "/a")->v[CX_R_VISITS] == 1
       && at(CX_HOUR, ten, "/b")->v[CX_R_VISITS] == 1,
       "by page, and after 30 minutes of silence");
    ok(kinds(at(CX_HOUR, NOW, "/a"), "none") == 1, "begun anew");

    /* exactly 30 minutes are not more than 30 minutes */

    fold(ten + 30 * 60000, "view", "/b", V1, NULL);
    ok(at(CX_DAY, NOW, "/b")->v[CX_R_VISITS] == 1, "30 minutes sharp");

    /* without a visit key */

    fold(NOW, "view", "/c", NULL);
    fold(NOW, "view", "/c", NULL);
    fold(NOW, "signal", "/c", "source", "edge", "name", "slow_page", NULL);
    r = at(CX_HOUR, NOW, "/c");
    ok(r->v[CX_R_VISITS] == 2 && kinds(r, "none") == 2
       && r->v[CX_R_SIGNAL + CX_SIG_SLOW_PAGE] == 1
       && r->v[CX_R_VISITS_SIGNAL + CX_SIG_SLOW_PAGE] == 0,
       "without a visit key a view is a visit, a signal only a count");

    cx_agg_site_free(site);
}


static void
test_cap(void)
{
    unsigned          before;
    cx_rollup_t      *r;
    cx_agg_window_t  *w;

    begin();
    fold(NOW, "view", "/1", V1, NULL);
    fold(NOW, "view", "/2", V1, NULL);
    fold(NOW, "view", "/3", V1, NULL);
    fold(NOW, "view", "/4", V1, NULL);
    fold(NOW, "view", "/4", V1, NULL);
    fold(NOW, "view", "/5", V1, NULL);
    fold(NOW, "view", "/1", V1, NULL);
    w = cx_agg_window(site, CX_HOUR, NOW, NOW);
    r = at(CX_HOUR, NOW, CX_OTHER);
    ok(w->pages == 3 && r->v[CX_R_VIEWS] == 3 && r->v[CX_R_VISITS] == 2,
       "three pages and (other)");
    ok(at(CX_HOUR, NOW, "/1")->v[CX_R_VIEWS] == 2, "the known go on");
    ok(w->total->roll.v[CX_R_VIEWS] == 7, "the site has all");

    /* with a larger cap a visit stays where it was put */

    conf.pages = 10;
    fold(NOW, "signal", "/4", V1, "source", "edge", "name", "reload", NULL);
    ok(kinds(r, "reload=1") == 1 && kinds(r, "none") == 1,
       "a visit in (other) stays there when the cap grows");
    ok(at(CX_HOUR, NOW, "/4")->v[CX_R_SIGNAL + CX_SIG_RELOAD] == 1
       && at(CX_HOUR, NOW, "/4")->v[CX_R_VISITS] == 0,
       "while what is new counts at the page");

    /* what counts nothing takes no slot */

    before = (unsigned) w->pages;
    fold(NOW, "signal", "/new", "source", "edge", "name", "reload",
         "count", "0", NULL);
    ok(w->pages == before, "count 0 makes no page");

    cx_agg_site_free(site);
}


#define ANSWER  "answer", "00000000000000f1", "survey", "q", "metric"


static void
test_answers(void)
{
    int64_t       before = NOW - 24 * HOUR;
    cx_rollup_t  *r;

    begin();
    fold(before, "answer", "/a", ANSWER, "csat", "score", "2", NULL);
    r = at(CX_DAY, before, "/a");
    ok(r->v[CX_R_CSAT_2] == 1 && r->v[CX_R_ANSWERED] == 1
       && r->v[CX_R_ASKED] == 1 && r->v[CX_R_TEXT] == 0, "an answer");
    fold(before, "answer", "/a", ANSWER, "csat", "score", "2", NULL);
    ok(r->v[CX_R_CSAT_2] == 1 && site->life[CX_LIFE_DUPLICATES] == 1,
       "again: a duplicate");

    /* a day later, from another page: belongs to the first */

    fold(NOW, "answer", "/b", ANSWER, "csat", "score", "4", "text", "oh",
         NULL);
    ok(r->v[CX_R_CSAT_2] == 0 && r->v[CX_R_CSAT_4] == 1
       && r->v[CX_R_ANSWERED] == 1 && r->v[CX_R_TEXT] == 1,
       "corrected and completed where it was given");
    ok(at(CX_DAY, NOW, "/b")->v[CX_R_ANSWERED] == 0, "not elsewhere");
    fold(NOW, "answer", "/a", ANSWER, "csat", "score", "4", NULL);
    ok(site->life[CX_LIFE_ANSWERS] == 1 && site->life[CX_LIFE_COMPLETED] == 1
       && site->life[CX_LIFE_DUPLICATES] == 2, "lifetime counters");
    ok(fold(NOW, "answer", "/a", ANSWER, "nps", "score", "4", NULL) != NULL,
       "the same id with another metric is refused");
    ok(fold(NOW, "answer", "/a", "answer", "00000000000000f2", "survey", "q",
            "metric", "csat", "score", "6", NULL) != NULL
       && fold(NOW, "answer", "/a", "answer", "00000000000000f2", "survey",
               "q", "metric", "ces", "score", "0", NULL) != NULL
       && fold(NOW, "answer", "/a", "answer", "00000000000000f2", "survey",
               "q", "metric", "", "score", "1", NULL) != NULL,
       "scores that the metric does not have, too");
    ok(site->life[CX_LIFE_ANSWERS] == 1, "and count nowhere");
    fold(NOW, "answer", "/a", "answer", "00000000000000f3", "survey", "q",
         "metric", "psat", "score", "0", "source", "volunteered", NULL);
    ok(at(CX_DAY, NOW, "/a")->v[CX_R_VOLUNTEERED] == 1
       && at(CX_DAY, NOW, "/a")->v[CX_R_PSAT_0] == 1, "volunteered");

    cx_agg_site_free(site);
}


static void
test_time(void)
{
    begin();
    ok(fold(NOW + 25 * HOUR, "view", "/a", NULL) != NULL
       && fold(NOW + 23 * HOUR, "view", "/a", NULL) == NULL,
       "a clock may be a day ahead");
    ok(fold(NOW - 9 * 24 * HOUR, "view", "/a", NULL) == NULL
       && site->life[CX_LIFE_LATE] == 0
       && at(CX_DAY, NOW - 9 * 24 * HOUR, "/a")->v[CX_R_VIEWS] == 1
       && cx_agg_window(site, CX_HOUR, NOW - 9 * 24 * HOUR, NOW) == NULL,
       "where the hour is no longer kept the day counts");
    ok(fold(NOW - 402 * 24 * HOUR, "view", "/a", NULL) == NULL
       && site->life[CX_LIFE_LATE] == 1, "older than all windows: late");
    ok(fold(NOW - 91 * 24 * HOUR, "answer", "/a", ANSWER, "nps", "score",
            "1", NULL) == NULL
       && site->life[CX_LIFE_LATE] == 2
       && site->life[CX_LIFE_ANSWERS] == 0,
       "an answer older than answers are kept: late");
    ok(fold(NOW, "view", "/a", "first_ms", "1800", NULL) == NULL
       && fold(NOW, "view", "/a", "first_ms", "1801", NULL) == NULL
       && fold(NOW, "view", "/a", "first_ms", "30001", NULL) == NULL
       && at(CX_HOUR, NOW, "/a")->v[CX_R_FIRST_1800] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_FIRST_3000] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_FIRST_MORE] == 1,
       "bounds of the histogram are inclusive");
    fold(NOW, "leave", "/a", "scroll_pct", "25", "lcp_ms", "2500", "inp_ms",
         "501", "cls_milli", "101", NULL);
    ok(at(CX_HOUR, NOW, "/a")->v[CX_R_SCROLL_25] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_LCP_GOOD] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_INP_POOR] == 1
       && at(CX_HOUR, NOW, "/a")->v[CX_R_CLS_NEEDS] == 1, "leave reports");
    cx_agg_site_free(site);
}


static void
test_unit_text(void)
{
    char           text[64 + CX_PATTERN_LEN];
    cx_str_t       s;
    cx_agg_unit_t  u, v;

    memset(&u, 0, sizeof(u));
    memset(&v, 0, sizeof(v));
    u.opened = NOW;
    u.last = NOW + 5;
    u.flags = 5;
    u.count[CX_SIG_JS_ERROR] = 3;
    s.data = (unsigned char *) text;
    s.len = cx_agg_unit_print(text, &u);
    ok(cx_agg_unit_parse(&v, &s) == 0 && memcmp(&u, &v, sizeof(u)) == 0,
       "an open visit as text: %.*s", (int) s.len, text);
    s.len--;
    ok(cx_agg_unit_parse(&v, &s) == -1, "cut short");
}


int
main(void)
{
    test_visits();
    test_cap();
    test_answers();
    test_time();
    test_unit_text();

    return tap_done();
}
