/* link: core/cx_event.c core/cx_signal.c core/cx_keys.c core/cx_survey.c
 * aggregator/cx_agg_rollup.c aggregator/cx_agg_map.c aggregator/cx_agg_state.c
 * aggregator/cx_agg_place.c aggregator/cx_agg_answer.c
 * aggregator/cx_agg_session.c aggregator/cx_agg_fold.c
 * aggregator/cx_agg_survey.c aggregator/cx_agg_survey_state.c
 * aggregator/cx_agg_score.c aggregator/cx_agg_buf.c -lm */

/* Fold without Redis: visits, windows, caps, answers; time is an argument. */

#include <math.h>
#include "site.h"


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
       && r->v[CX_R_VISITS_SIGNAL + CX_SIG_RAGE_CLICK] == 1,
       "pattern at the visit");
    ok(r->v[CX_R_SIGNAL + CX_SIG_RAGE_CLICK] == 0
       && at(CX_HOUR, NOW, "/a")->v[CX_R_SIGNAL + CX_SIG_RAGE_CLICK] == 2,
       "clicks in their hour");

    /* capped */

    fold(ten + 26 * 60000, "signal", "/a", V1, "source", "browser",
         "name", "rage_click", "count", "40", NULL);
    ok(kinds(r, "rage_click=3") == 1 && kinds(r, "rage_click=2") == 0,
       "capped at 3");

    fold(ten, "signal", "/a", V2, "source", "edge", "name", "slow_page",
         NULL);
    ok(r->v[CX_R_VISITS] == 2 && kinds(r, "slow_page=1") == 1,
       "a signal opens a visit, too");

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
       && r->v[CX_R_VISITS_SIGNAL + CX_SIG_SLOW_PAGE] == 0
       && r->v[CX_R_VIEWS_UNTOLD] == 2,
       "without a visit key a view is a visit, a signal only a count");
    ok(at(CX_HOUR, ten, "/a")->v[CX_R_VIEWS_UNTOLD] == 0,
       "other views are told apart");

    cx_agg_site_free(site);
}


/* what a report may say about pages that the edge did not serve */

static void
test_seen(void)
{
    int64_t       t = NOW - NOW % HOUR + 60000;
    cx_rollup_t  *r;

    begin();

    fold(t, "signal", "/x", V1, "source", "browser", "name", "dead_click",
         "count", "3", "seen", "0", NULL);
    r = at(CX_DAY, t, "/x");
    ok(r->v[CX_R_UNSEEN + CX_SIG_DEAD_CLICK] == 3
       && r->v[CX_R_SIGNAL + CX_SIG_DEAD_CLICK] == 0
       && r->v[CX_R_VISITS] == 0 && r->patterns == 0,
       "a signal of a page that was not served counts apart");
    fold(t, "leave", "/x", V1, "seen", "0", "visible_ms", "5", NULL);
    ok(r->v[CX_R_LEAVES] == 1 && r->v[CX_R_VISITS] == 0,
       "a leave of it opens no visit");

    /* nor do they touch an open one */

    fold(t, "view", "/x", V1, NULL);
    fold(t + 20 * 60000, "signal", "/x", V1, "source", "browser", "name",
         "dead_click", "seen", "0", NULL);
    fold(t + 20 * 60000, "leave", "/x", V1, "seen", "0", NULL);
    ok(r->v[CX_R_UNSEEN + CX_SIG_DEAD_CLICK] == 4
       && kinds(r, "none") == 1 && r->v[CX_R_VISITS] == 1,
       "nor change one that is open");
    fold(t + 31 * 60000, "signal", "/x", V1, "source", "browser", "name",
         "dead_click", "seen", "1", NULL);
    ok(r->v[CX_R_VISITS] == 2 && kinds(r, "dead_click=1") == 1,
       "nor keep it open; what was seen opens one");

    /* a beacon is quicker than the log of its page */

    fold(t + 7, "signal", "/y", V1, "source", "browser", "name", "js_error",
         "seen", "1", NULL);
    fold(t, "view", "/y", V1, NULL);
    r = at(CX_DAY, t, "/y");
    ok(r->v[CX_R_VISITS] == 1 && r->v[CX_R_VIEWS] == 1
       && kinds(r, "js_error=1") == 1, "a signal before its view");

    /* surveys touch a visit, and never open one */

    fold(t, "shown", "/z", V1, "survey", "q", NULL);
    fold(t, "dismiss", "/z", V1, "survey", "q", NULL);
    fold(t, "answer", "/z", V1, "answer", "00000000000000f9", "survey", "q",
         "metric", "nps", "score", "9", NULL);
    r = at(CX_DAY, t, "/z");
    ok(r->v[CX_R_SHOWN] == 1 && r->v[CX_R_DISMISSED] == 1
       && r->v[CX_R_ANSWERED] == 1 && r->v[CX_R_NPS_9] == 1
       && r->v[CX_R_VISITS] == 0 && r->patterns == 0,
       "surveys on a page that was never viewed count, but are no visit");
    fold(t, "view", "/z", V2, NULL);
    fold(t + 29 * 60000, "shown", "/z", V2, "survey", "q", NULL);
    fold(t + 58 * 60000, "signal", "/z", V2, "source", "browser", "name",
         "js_error", "seen", "1", NULL);
    ok(r->v[CX_R_VISITS] == 1 && kinds(r, "js_error=1") == 1,
       "but they keep a visit open");

    /* reports of a visit that is over do not end the present one */

    fold(t + 10 * 60000, "signal", "/z", V1, "source", "edge", "name",
         "reload", NULL);
    fold(t + 45 * 60000, "view", "/z", V1, NULL);
    fold(t + 12 * 60000, "signal", "/z", V1, "source", "edge", "name",
         "reload", NULL);
    fold(t + 46 * 60000, "signal", "/z", V1, "source", "edge", "name",
         "slow_page", NULL);
    ok(r->v[CX_R_VISITS] == 3 && kinds(r, "slow_page=1") == 1
       && r->v[CX_R_SIGNAL + CX_SIG_RELOAD] == 2,
       "a late report counts as a signal only");
    fold(t + 12 * 60000, "view", "/z", V1, NULL);
    ok(r->v[CX_R_VISITS] == 4 && r->v[CX_R_VIEWS] == 3,
       "a late view is a visit");

    cx_agg_site_free(site);
}


/* first reports count where the view did */

static void
test_reported(void)
{
    char          view[24];
    int64_t       ten = NOW - NOW % HOUR - 10 * 60000;   /* 20:50 */
    cx_rollup_t  *r, *later;

    begin();
    snprintf(view, sizeof(view), "%lld", (long long) ten);
    fold(ten, "view", "/a", V1, NULL);
    fold(NOW, "leave", "/a", V1, "seen", "1", "first", "1", "view_ts", view,
         NULL);
    fold(NOW, "leave", "/a", V1, "seen", "1", "first", "0", "view_ts", view,
         NULL);
    fold(NOW, "leave", "/a", V1, "seen", "1", NULL);
    r = at(CX_HOUR, ten, "/a");
    later = at(CX_HOUR, NOW, "/a");
    ok(r->v[CX_R_VIEWS_BROWSER] == 1 && r->v[CX_R_LEAVES] == 0
       && later->v[CX_R_VIEWS_BROWSER] == 0 && later->v[CX_R_LEAVES] == 3
       && at(CX_DAY, ten, "/a")->v[CX_R_VIEWS_BROWSER] == 1,
       "the first report counts in the hour of its view");
    ok(cx_agg_window(site, CX_HOUR, ten, NOW)->total->roll.v
       [CX_R_VIEWS_BROWSER] == 1, "and for the site");

    ok(fold(NOW, "leave", "/a", V1, "first", "1", "view_ts", "86400000",
            NULL) == NULL
       && site->life[CX_LIFE_LATE] == 1 && later->v[CX_R_LEAVES] == 4,
       "a view whose windows are gone: late");
    ok(fold(NOW, "leave", "/a", V1, "first", "1", "view_ts",
            "1795397683001", NULL) != NULL && later->v[CX_R_LEAVES] == 4,
       "a view of the day after tomorrow: refused");

    cx_agg_site_free(site);
}


static void
test_apdex(void)
{
    cx_rollup_t  *r;

    begin();
    fold(NOW, "view", "/a", "status", "200", "first_ms", "800", NULL);
    r = at(CX_HOUR, NOW, "/a");
    ok(r->v[CX_R_APDEX_SATISFIED] == 1 && r->v[CX_R_SLOW_EDGE] == 0
       && r->v[CX_R_SLOW_UPSTREAM] == 0, "T is satisfying");
    fold(NOW, "view", "/a", "status", "404", "first_ms", "801",
         "upstream_ms", "401", NULL);
    ok(r->v[CX_R_APDEX_TOLERATING] == 1 && r->v[CX_R_SLOW_UPSTREAM] == 1,
       "later than T, and more than half of it upstream");
    fold(NOW, "view", "/a", "status", "200", "first_ms", "3200",
         "upstream_ms", "1600", NULL);
    ok(r->v[CX_R_APDEX_TOLERATING] == 2 && r->v[CX_R_SLOW_EDGE] == 1,
       "4 T, half of it upstream");
    fold(NOW, "view", "/a", "status", "200", "first_ms", "3201", NULL);
    ok(r->v[CX_R_APDEX_FRUSTRATED] == 1 && r->v[CX_R_SLOW_EDGE] == 2,
       "later than 4 T, without upstream");
    fold(NOW, "view", "/a", "status", "500", "first_ms", "3",
         "upstream_ms", "3", NULL);
    ok(r->v[CX_R_APDEX_FRUSTRATED] == 2 && r->v[CX_R_SLOW_EDGE] == 2
       && r->v[CX_R_SLOW_UPSTREAM] == 1, "a quick 500");
    fold(NOW, "view", "/a", "status", "499", "request_ms", "9000", NULL);
    ok(r->v[CX_R_APDEX_FRUSTRATED] == 3 && r->v[CX_R_SLOW_EDGE] == 2,
       "no first byte");

    conf.tuning.t[CX_T_SLOW_PAGE_MS] = 100;
    fold(NOW, "view", "/a", "status", "200", "first_ms", "400", NULL);
    fold(NOW, "view", "/a", "status", "200", "first_ms", "401", NULL);
    ok(r->v[CX_R_APDEX_TOLERATING] == 3 && r->v[CX_R_APDEX_FRUSTRATED] == 4,
       "another T");

    cx_agg_site_free(site);
}


/* caps that are changed while visits are open */

static void
test_caps(void)
{
    cx_score_t    s;
    cx_rollup_t  *r;

#define RAGE(n)                                                               \
    fold(NOW, "signal", "/a", V1, "source", "browser", "name", "rage_click",  \
         "seen", "1", "count", n, NULL)

    begin();
    conf.tuning.cap[CX_SIG_RAGE_CLICK] = 5;
    RAGE("9");
    r = at(CX_HOUR, NOW, "/a");
    ok(kinds(r, "rage_click=5") == 1, "a higher cap");

    conf.tuning.cap[CX_SIG_RAGE_CLICK] = 2;
    RAGE("1");
    ok(kinds(r, "rage_click=5") == 1 && kinds(r, "rage_click=2") == 0,
       "lower later: what is stored stays");
    cx_score(&s, r, r, &conf.tuning);
    ok(fabs(s.v[CX_S_INFERRED] - 100 * (1 - exp(-1.8))) < 1e-9,
       "and counts as the cap");
    fold(NOW, "signal", "/a", V1, "source", "edge", "name", "reload", NULL);
    ok(kinds(r, "rage_click=5") == 0
       && kinds(r, "reload=1,rage_click=5") == 1, "moved as it is");

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
    ok(fold(NOW, "answer", "/a", "answer", "00000000000000f4", "survey", "q",
            "metric", "choice", "score", "1", NULL) != NULL
       && fold(NOW, "answer", "/a", "answer", "00000000000000f4", "survey",
               "q", "metric", "choice", "choice", "2,1", NULL) != NULL
       && fold(NOW, "answer", "/a", "answer", "00000000000000f4", "survey",
               "q", "metric", "csat7", NULL) != NULL,
       "a score of what has none, no choice, no score where there must be one");

    cx_agg_site_free(site);
}


/* what the edge knew of the view comes along, of one view at a time */

static void
test_joined(void)
{
    cx_str_t          id = { 16, (unsigned char *) "00000000000000f1" };
    cx_agg_answer_t  *a;

#define IS(field, text)                                                       \
    (a->v[CX_ANSWER_##field].len == strlen(text)                              \
     && memcmp(a->v[CX_ANSWER_##field].data, text, strlen(text)) == 0)

    begin();
    a = cx_agg_answer(site, &id);
    fold(NOW, "answer", "/a", ANSWER, "csat", "score", "2", NULL);
    ok(a->exists && a->v[CX_ANSWER_VIEW_TS].len == 0, "not joined");
    fold(NOW, "answer", "/a", ANSWER, "csat", "score", "2", "view_ts", "77",
         "status", "200", "request_ms", "9", "first_ms", "8", "cache", "HIT",
         "signals", "reload=1", NULL);
    ok(site->life[CX_LIFE_COMPLETED] == 1 && IS(VIEW_TS, "77")
       && IS(STATUS, "200") && IS(REQUEST_MS, "9") && IS(FIRST_MS, "8")
       && IS(CACHE, "HIT") && IS(UPSTREAM_MS, "")
       && IS(SIGNALS, "reload=1"), "joined later");
    fold(NOW, "answer", "/a", ANSWER, "csat", "score", "3", "view_ts", "99",
         "status", "503", "upstream_ms", "5", "signals", "reload=2", NULL);
    ok(IS(SCORE, "3") && IS(VIEW_TS, "77") && IS(STATUS, "200")
       && IS(UPSTREAM_MS, "") && IS(SIGNALS, "reload=1"),
       "and not mixed with another view");

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
    u.flags = 6;
    u.count[CX_SIG_JS_ERROR] = 3;
    s.data = (unsigned char *) text;
    s.len = cx_agg_unit_print(text, &u);
    ok(cx_agg_unit_parse(&v, &s) == 0 && memcmp(&u, &v, sizeof(u)) == 0,
       "an open visit as text: %.*s", (int) s.len, text);
    s.len--;
    ok(cx_agg_unit_parse(&v, &s) == -1, "cut short");

    s.data = (unsigned char *) "1795297683000 1795297683007 1 rage_click=2";
    s.len = strlen((char *) s.data);
    ok(cx_agg_unit_parse(&v, &s) == 0 && v.last == NOW + 7
       && v.flags / CX_UNIT_OTHER == 0 && v.count[CX_SIG_RAGE_CLICK] == 2,
       "one of version 0.1.0");
}


int
main(void)
{
    test_visits();
    test_seen();
    test_reported();
    test_apdex();
    test_caps();
    test_cap();
    test_answers();
    test_joined();
    test_time();
    test_unit_text();

    return tap_done();
}
