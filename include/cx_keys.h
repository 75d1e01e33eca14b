/*
 * The Redis key schema: every key that the aggregator writes or reads, and
 * every field of the hashes that analysts read.  Module, aggregator, cxctl and
 * conf/redis-keys.md are made from these tables or checked against them.
 *
 * All keys of a site share the hash tag {<site>}, so that they live in one
 * slot of a Redis Cluster and one transaction may change them together.
 */

#ifndef CX_KEYS_H
#define CX_KEYS_H

#include <stdint.h>
#include "cx_core.h"

/*
 * K(id, grammar after "cx:{<site>}:", Redis type, life, what it holds)
 *
 *   %g  granularity: h (hour) or d (day)
 *   %w  window in UTC: 2026112121 or 20261121
 *   %n  a name: page key, survey id, answer id, metric, shard
 */

#define CX_KEYS(K)                                                            \
    K(EVENTS, "events", "stream",                                             \
      "until counted; trimmed behind the checkpoint",                         \
      "one entry per event: type, then the fields of include/cx_schema.h")    \
    K(PRODUCER, "producer:%n", "string", "30 days after the last batch",      \
      "number of the last batch taken from a channel of an nginx worker: "    \
      "what is sent again is dropped, what overtakes is refused")             \
    K(CHECKPOINT, "checkpoint", "hash", "for good",                           \
      "id: the last entry that is counted; lifetime counters, see "           \
      "CX_LIFETIME below; updated: Unix time in ms of the last commit; "      \
      "base: what the stream had lost before the first commit; behind, "      \
      "before Redis 7: entries of a stream that fell back, left out; "        \
      "schema: version of the rollups, see CX_ROLLUP_SCHEMA below")           \
    K(LEASE, "lease", "string", "5 s, renewed each second",                   \
      "id of the aggregator that works on this site or shard; only saves "    \
      "work: what is counted is decided by the checkpoint alone")             \
    K(AGGREGATORS, "aggregators", "zset", "1 day after the last",             \
      "aggregator id -> Unix time in ms when it was last seen here")          \
    K(SHARDS, "shards", "set", "for good",                                    \
      "of a site that is split: numbers of the shards that there ever were, " \
      "each with keys of its own under {<site>/<number>}; scores and ranks "  \
      "stand under {<site>}, of the sums over all of them")                   \
    K(SCORED, "scored", "string", "for good",                                 \
      "of a site that is split: times that figures were written; whoever "    \
      "sees it change between reading counters and writing begins again")     \
    K(RATED, "rated:%g:%w", "set", "as the window",                           \
      "of a site that is split: pages with CSAT or PSAT answers, which lean " \
      "on the site's share; an empty member: all of them are there")          \
    K(REJECTED, "rejected", "stream",                                         \
      "newest 10000 or so, keep_answers at most",                             \
      "entries that could not be read: reason, id, then the entry's fields")  \
    K(PAGES, "pages:%g:%w", "zset", "as the window",                          \
      "page key -> views; the index of a window; beyond the cap on distinct " \
      "pages the page key is (other)")                                        \
    K(PAGE, "page:%g:%w:%n", "hash", "as the window",                         \
      "counters of a page, see CX_ROLLUP below")                              \
    K(TOTAL, "total:%g:%w", "hash", "as the window",                          \
      "the same counters summed over the pages of the site")                  \
    K(VISITORS, "visitors:%g:%w:%n", "HyperLogLog", "as the window",          \
      "distinct visit keys of a page")                                        \
    K(EVERYBODY, "everybody:%g:%w", "HyperLogLog", "as the window",           \
      "distinct visit keys of the site")                                      \
    K(SURVEYS, "surveys:%g:%w", "zset", "as the window",                      \
      "<survey>@<version> -> answers; days only")                             \
    K(SURVEY, "survey:%g:%w:%n", "hash", "as the window",                     \
      "counters of a version of a survey, %n is <survey>@<version>: those "   \
      "of CX_ROLLUP that surveys have; days only")                            \
    K(DEFINITIONS, "definitions", "hash", "for good",                         \
      "<survey>@<version> -> JSON: metric, language, question, options, "     \
      "owner, purpose, retired")                                              \
    K(QUOTA, "quota", "hash", "for good",                                     \
      "<survey> -> distinct answers of all its versions; <survey>:20261121 "  \
      "-> those given on that day in UTC, for a week")                        \
    K(SCORE, "score:%g:%w:%n", "hash", "as the window",                       \
      "figures of a page, see CX_SCORES below; derived, can be made again "   \
      "from the counters at any time")                                        \
    K(RANK, "rank:%n:%g:%w", "zset", "as the window",                         \
      "page key -> what the metric ranks by, see CX_RANKS below")             \
    K(ANSWER, "answer:%n", "hash", "keep_answers after it was given",         \
      "one answer: ts page survey version metric score choice text done "     \
      "lang touchpoint stage segment source trigger chance view view_ts "     \
      "status request_ms first_ms upstream_ms cache signals, as in the "      \
      "stream; view tells who completes an answer from who gives a second "   \
      "one, which is refused; said: ts of its latest event, as an earlier "   \
      "one that comes later corrects nothing; other: windows where its page " \
      "is (other), 1 hour, 2 day, 4 its survey")                              \
    K(VERBATIMS, "verbatims", "zset", "keep_answers",                         \
      "answer id -> ts in ms, of the answers that have text")                 \
    K(VISITS, "visits:%w:%n", "hash", "4 hours after the last write",         \
      "open visits by the stream's hour and the visit key's first hex "       \
      "digit.  To a page: '<visit> <page>' -> '<opened ms> <last ms> "        \
      "<flags> <pattern>', flags: 2 (other) in the hour, 4 (other) in the "   \
      "day.  To the site: '<visit>' -> '<opened ms> <last> <viewed> "         \
      "<friction> <since> <other> <friction> <since> <other>', a tab, the "   \
      "last page, a tab, the worst page: times in ms after opened, last to "  \
      "a minute, viewed: the last view; then for the last page and the "      \
      "worst one the friction x of the visit to it in thousandths, when "     \
      "that began, and 1 (other) in the hour, 2 (other) in the day; zeros "   \
      "and no worst page where there is no friction")                         \
    K(DIRTY, "dirty", "set", "until scored",                                  \
      "'<g>:<w>:<page>' whose figures are older than their counters")

enum {
#define CX_KEY_ID(id, grammar, type, life, what)  CX_KEY_##id,
    CX_KEYS(CX_KEY_ID)
#undef CX_KEY_ID
    CX_KEY_N
};

typedef struct {
    const char  *grammar;
    const char  *type;
    const char  *life;
    const char  *what;
} cx_key_t;

extern const cx_key_t  cx_keys[CX_KEY_N];


/* L(id, field of the checkpoint, what it counts since the first entry) */

#define CX_LIFETIME(L)                                                        \
    L(ENTRIES, "entries", "entries read; rejected and late ones too")         \
    L(REJECTED, "rejected", "entries that could not be read, set aside")      \
    L(LATE, "late", "entries older than every window that is still kept")     \
    L(ANSWERS, "answers", "distinct answers")                                 \
    L(COMPLETED, "completed", "later events that changed or completed one")   \
    L(DUPLICATES, "duplicates", "later events of an answer without news")     \
    L(LOST, "lost", "entries trimmed by somebody else before they were "      \
      "read, or left out where nobody can tell whether they are counted")     \
    L(GAPS, "gaps", "times that such a loss was noticed, also without number")

enum {
#define CX_LIFE_ID(id, name, what)  CX_LIFE_##id,
    CX_LIFETIME(CX_LIFE_ID)
#undef CX_LIFE_ID
    CX_LIFE_N
};

extern const char *const  cx_lifetime[CX_LIFE_N];


/*
 * Counters of a page, survey or site in one window.  All of them are integers
 * that add up: a week is the sum of seven days, field by field.
 *
 * A visit here is a visit to a page: one visit key on one page, from its first
 * view, or report of a page that the edge has served in this visit, until 30
 * minutes passed without an event.  It counts in the window where it began;
 * whatever is "visits" below counts there, peaks and ends, too.  The rest
 * counts in the window of the event's own time, views_browser in that of the
 * view.
 *
 * A visit to the site is one visit key on any page, until 30 minutes passed
 * without an event; 31 may pass where that is not seen to the minute.
 *
 * Beside these fields there is, per kind of visit,
 *
 *   pattern:<signal>=<count>,...   visits with exactly these signals, in the
 *                                  order of cx_signal.h, counts up to the cap
 *                                  that was in force
 *   pattern:none                   visits without any signal
 *   pattern:other=<tenths>         where over CX_PATTERNS_MAX kinds came: the
 *                                  visit's friction x, in tenths, rounded up,
 *                                  at most 100; without friction: none
 *
 * They add up to "visits", and any other strengths b_k can be applied to them.
 *
 * R(id, name, what)
 */

#define CX_PATTERN         "pattern:"
#define CX_PATTERNS_MAX    64        /* kinds of visits told apart per hash */
#define CX_OTHER           "(other)" /* pages beyond the cap of a window */

/* B(bound): ms, upper and inclusive; the last bucket is first_ms:more */
#define CX_FIRST_MS(B)                                                        \
    B(10) B(20) B(30) B(50) B(80) B(120) B(200) B(300) B(500) B(800) B(1200)  \
    B(1800) B(3000) B(5000) B(8000) B(12000) B(30000)

#define CX_ROLLUP_HEAD(R)                                                     \
    R(VIEWS, "views", "pages asked for")                                      \
    R(VISITS, "visits", "visits to the page; a view without a visit key "     \
      "is one visit")                                                         \
    R(VIEWS_BROWSER, "views_browser",                                         \
      "those views of which the browser reported, joined by the edge")        \
    R(VIEWS_UNTOLD, "views_untold",                                           \
      "views of visits that are not told apart, which cannot be joined")      \
    R(STATUS_1XX, "status:1xx", "views by HTTP status")                       \
    R(STATUS_2XX, "status:2xx", "views by HTTP status")                       \
    R(STATUS_3XX, "status:3xx", "views by HTTP status")                       \
    R(STATUS_4XX, "status:4xx", "views by HTTP status")                       \
    R(STATUS_5XX, "status:5xx", "views by HTTP status")                       \
    R(BYTES, "bytes", "bytes sent for views")                                 \
    R(APDEX_SATISFIED, "apdex:satisfied",                                     \
      "views with the first byte within T = slow_page_ms, and no 5xx")        \
    R(APDEX_TOLERATING, "apdex:tolerating", "within 4 T")                     \
    R(APDEX_FRUSTRATED, "apdex:frustrated", "later, 5xx or no answer")        \
    R(SLOW_UPSTREAM, "slow:upstream",                                         \
      "views later than T, of which the upstreams took more than half")       \
    R(SLOW_EDGE, "slow:edge", "views later than T, the rest")                 \
    R(SESSIONS, "sessions", "visits to the site that began; total only")      \
    R(PEAKS, "peaks", "visits to the page that were the worst moment of a "   \
      "visit to the site")                                                    \
    R(ENDS, "ends", "visits to the page that were the last of a visit to "    \
      "the site, with friction on it")                                        \
    R(LEAVES, "leaves", "leave reports")                                      \
    R(VISIBLE_MS, "visible_ms", "ms visible, summed over leave reports")      \
    R(SCROLL_25, "scroll:25", "leave reports that saw at most a quarter")     \
    R(SCROLL_50, "scroll:50", "more than a quarter, at most half")            \
    R(SCROLL_75, "scroll:75", "more than half, at most three quarters")       \
    R(SCROLL_100, "scroll:100", "more than three quarters")                   \
    R(LCP_GOOD, "lcp:good", "reports with LCP up to 2500 ms")                 \
    R(LCP_NEEDS, "lcp:needs", "up to 4000 ms")                                \
    R(LCP_POOR, "lcp:poor", "above")                                          \
    R(INP_GOOD, "inp:good", "reports with INP up to 200 ms")                  \
    R(INP_NEEDS, "inp:needs", "up to 500 ms")                                 \
    R(INP_POOR, "inp:poor", "above")                                          \
    R(CLS_GOOD, "cls:good", "reports with CLS up to 0.1")                     \
    R(CLS_NEEDS, "cls:needs", "up to 0.25")                                   \
    R(CLS_POOR, "cls:poor", "above")                                          \
    R(ELIGIBLE, "eligible", "page views that could get the survey: page, "    \
      "audience, dates, language and quotas are right; surveys only")         \
    R(SAMPLED, "sampled", "of these, drawn into the sample; surveys only")    \
    R(WOULD_SHOW, "would_show", "dry runs that would have shown it")          \
    R(SHOWN, "shown", "surveys that became visible")                          \
    R(STARTED, "started", "somebody began to answer")                         \
    R(DISMISSED, "dismissed", "surveys closed without an answer")             \
    R(NEVER, "never", "of these, with 'do not ask again'")                    \
    R(ANSWERED, "answered", "distinct answers")                               \
    R(TEXT, "text", "of these, with text")                                    \
    R(DONE, "done", "of these, to the last step")                             \
    R(ASKED, "answers:asked", "answers to a prompt")                          \
    R(INVITED, "answers:invited", "answers by a link that was sent")          \
    R(VOLUNTEERED, "answers:volunteered", "answers nobody asked for")         \
    R(REFUSED_TOKEN, "refused:token", "answers refused, of which no page "    \
      "counts any: no token that was given out for them")                     \
    R(REFUSED_EXPIRED, "refused:expired", "with a token older than a day")    \
    R(REFUSED_REPEAT, "refused:repeat", "a second answer of the same visit")  \
    R(REFUSED_FLOOD, "refused:flood", "over the rate of an address")

/* answers that chose an option: CX_R_CHOICE and following, by position */
#define CX_CHOICES(C)                                                         \
    C(0) C(1) C(2) C(3) C(4) C(5) C(6) C(7) C(8) C(9) C(10) C(11)

/*
 * Answers with text, by the language that the survey was shown in: CX_R_TEXT_EN
 * and following, those of ngx_cx_module/languages.json, then the rest.
 *
 * T(id, first part of the language tag)
 */
#define CX_TEXTS(T)                                                           \
    T(EN, "en") T(DE, "de") T(FR, "fr") T(ES, "es") T(IT, "it") T(PT, "pt")   \
    T(NL, "nl") T(PL, "pl") T(SV, "sv") T(JA, "ja") T(ZH, "zh") T(AR, "ar")   \
    T(HE, "he") T(TR, "tr") T(OTHER, "other")

/*
 * Peak-end rule (Fredrickson and Kahneman 1993): what is remembered of a visit
 * is the mean of its worst moment and its last.  Visits to the site by the
 * chance of a struggle, 1 - exp(-x), of their worst page (peak) and their last
 * (end), in percent, upper and inclusive; those without friction are the rest
 * of "sessions".  In the total of the window where the visit to the site
 * began.  The last page is the one viewed last; a report of an earlier page
 * that comes later does not change that.
 */
#define CX_PEAK_ENDS(P)                                                       \
    P(10) P(20) P(30) P(40) P(50) P(60) P(70) P(80) P(90) P(100)

/* answers by score: A(metric id, name, score) */
#define CX_ROLLUP_SCORES(A)                                                   \
    A(NPS, "nps", 0) A(NPS, "nps", 1) A(NPS, "nps", 2) A(NPS, "nps", 3)       \
    A(NPS, "nps", 4) A(NPS, "nps", 5) A(NPS, "nps", 6) A(NPS, "nps", 7)       \
    A(NPS, "nps", 8) A(NPS, "nps", 9) A(NPS, "nps", 10)                       \
    A(CSAT, "csat", 1) A(CSAT, "csat", 2) A(CSAT, "csat", 3)                  \
    A(CSAT, "csat", 4) A(CSAT, "csat", 5)                                     \
    A(CSAT7, "csat7", 1) A(CSAT7, "csat7", 2) A(CSAT7, "csat7", 3)            \
    A(CSAT7, "csat7", 4) A(CSAT7, "csat7", 5) A(CSAT7, "csat7", 6)            \
    A(CSAT7, "csat7", 7)                                                      \
    A(CES, "ces", 1) A(CES, "ces", 2) A(CES, "ces", 3) A(CES, "ces", 4)       \
    A(CES, "ces", 5) A(CES, "ces", 6) A(CES, "ces", 7)                        \
    A(PSAT, "psat", 0) A(PSAT, "psat", 1)                                     \
    A(PSAT5, "psat5", 1) A(PSAT5, "psat5", 2) A(PSAT5, "psat5", 3)            \
    A(PSAT5, "psat5", 4) A(PSAT5, "psat5", 5)

/* CX_R_VIEWS, CX_R_FIRST_10, CX_R_SIGNAL_RAGE_CLICK, CX_R_NPS_9, ... */
enum {
#define CX_R_ID(id, name, what)  CX_R_##id,
    CX_ROLLUP_HEAD(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(bound)  CX_R_FIRST_##bound,
    CX_FIRST_MS(CX_R_ID)
#undef CX_R_ID
    CX_R_FIRST_MORE,
#define CX_R_ID(id, name, seen, b, cap, rule, source)  CX_R_SIGNAL_##id,
    CX_SIGNALS(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(id, name, seen, b, cap, rule, source)  CX_R_VISITS_##id##_,
    CX_SIGNALS(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(id, name, seen, b, cap, rule, source)  CX_R_UNSEEN_##id,
    CX_SIGNALS(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(pct)  CX_R_PEAK_##pct,
    CX_PEAK_ENDS(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(pct)  CX_R_END_##pct,
    CX_PEAK_ENDS(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(id, name, score)  CX_R_##id##_##score,
    CX_ROLLUP_SCORES(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(position)  CX_R_CHOICE_##position,
    CX_CHOICES(CX_R_ID)
#undef CX_R_ID
#define CX_R_ID(id, tag)  CX_R_TEXT_##id,
    CX_TEXTS(CX_R_ID)
#undef CX_R_ID
    CX_R_N
};

#define CX_R_FIRST         CX_R_FIRST_10     /* first of the histogram */
#define CX_R_SIGNAL        (CX_R_FIRST_MORE + 1)
#define CX_R_VISITS_SIGNAL (CX_R_SIGNAL + CX_SIG_N)
#define CX_R_UNSEEN        (CX_R_VISITS_SIGNAL + CX_SIG_N)
#define CX_R_PEAK          CX_R_PEAK_10
#define CX_R_END           CX_R_END_10
#define CX_R_SCORE         CX_R_NPS_0        /* first answer by score, */
#define CX_R_SCORE_LAST    CX_R_PSAT5_5      /* last one */
#define CX_R_CHOICE        CX_R_CHOICE_0
#define CX_R_TEXTS         CX_R_TEXT_EN
#define CX_PEAK_END_BINS   10

/* 1 for those that the total of a site has, but not its pages */
#define CX_R_SITE_ONLY(field)                                                 \
    ((field) == CX_R_SESSIONS                                                 \
     || ((field) >= CX_R_REFUSED_TOKEN && (field) <= CX_R_REFUSED_FLOOD)      \
     || ((field) >= CX_R_PEAK && (field) < CX_R_END + CX_PEAK_END_BINS))

/* names of the counters by CX_R_* */
extern const char *const  cx_rollup_names[CX_R_N];

/* upper bounds in ms of CX_R_FIRST and following, without the last one */
extern const unsigned  cx_first_ms[CX_R_FIRST_MORE - CX_R_FIRST];

/* upper bounds in percent of CX_R_PEAK and CX_R_END and following */
extern const unsigned  cx_peak_end_pct[CX_PEAK_END_BINS];


/*
 * Figures of a page in one window.  One that has no data is absent, never 0.
 *
 * S(id, name, digits after the point, what)
 */

#define CX_SCORES(S)                                                          \
    S(VIEWS, "views", 0, "views of the page when it was scored")              \
    S(EFFORT, "effort", 2, "0 easy ... 100 hard: (k I + sum of answered "     \
      "effort) / (k + ces_n), k = 20; without visits the mean answer")        \
    S(EFFORT_LO, "effort_lo", 2, "95 % interval of effort")                   \
    S(EFFORT_HI, "effort_hi", 2, "95 % interval of effort")                   \
    S(INFERRED, "inferred", 2, "I: 100 times the mean chance that a visit "   \
      "was a struggle")                                                       \
    S(INFERRED_N, "inferred_n", 0, "visits that I rests on")                  \
    S(CES, "ces", 2, "mean answered effort, 0 easy ... 100 hard")             \
    S(CES_N, "ces_n", 0, "CES answers")                                       \
    S(SATISFACTION, "satisfaction", 2, "percent satisfied (csat and psat5 4 " \
      "and 5, csat7 6 and 7, psat 1), shrunk to the site's share")            \
    S(SATISFACTION_LO, "satisfaction_lo", 2, "95 % Wilson interval of it")    \
    S(SATISFACTION_HI, "satisfaction_hi", 2, "95 % Wilson interval of it")    \
    S(SATISFACTION_N, "satisfaction_n", 0, "CSAT and PSAT answers")           \
    S(PRIOR, "satisfaction_prior", 2, "percent satisfied on the site")        \
    S(PRIOR_K, "satisfaction_prior_k", 0, "answers the prior is worth: 20, "  \
      "but no more than other pages of the site have")                        \
    S(NPS, "nps", 2, "net promoter score, -100 ... 100")                      \
    S(NPS_LO, "nps_lo", 2, "95 % adjusted interval of it")                    \
    S(NPS_HI, "nps_hi", 2, "95 % adjusted interval of it")                    \
    S(NPS_N, "nps_n", 0, "NPS answers")                                       \
    S(COVERAGE, "coverage", 2, "percent of the views that browsers reported " \
      "of, of those that can be joined")                                      \
    S(APDEX, "apdex", 3, "0 ... 1: satisfied views and half of the "          \
      "tolerating, by views")                                                 \
    S(APDEX_LO, "apdex_lo", 3, "95 % adjusted interval of it")                \
    S(APDEX_HI, "apdex_hi", 3, "95 % adjusted interval of it")                \
    S(APDEX_N, "apdex_n", 0, "views it rests on")                             \
    S(ASKED_N, "asked_n", 0, "answers to a prompt, of any metric")            \
    S(INVITED_N, "invited_n", 0, "answers by a link that was sent")           \
    S(VOLUNTEERED_N, "volunteered_n", 0, "answers nobody asked for")          \
    S(IMPACT, "impact", 2, "effort_lo / 100 * views: struggling views, at "   \
      "least")

enum {
#define CX_S_ID(id, name, digits, what)  CX_S_##id,
    CX_SCORES(CX_S_ID)
#undef CX_S_ID
    CX_S_N
};

extern const char *const    cx_score_names[CX_S_N];
extern const unsigned char  cx_score_digits[CX_S_N];

/*
 * Rank sets.  A page is ranked by the bound of its interval that speaks for
 * it, and only with CX_RANK_MIN visits (effort, impact) or answers (the rest,
 * or CES answers), so that no page is worst on one angry click.
 *
 * M(id, name, worst end, ranked by)
 */

#define CX_RANK_MIN  5

#define CX_RANKS(M)                                                           \
    M(EFFORT, "effort", "highest", EFFORT_LO)                                 \
    M(SATISFACTION, "satisfaction", "lowest", SATISFACTION_HI)                \
    M(NPS, "nps", "lowest", NPS_HI)                                           \
    M(IMPACT, "impact", "highest", IMPACT)

enum {
#define CX_RANK_ID(id, name, worst, by)  CX_RANK_##id,
    CX_RANKS(CX_RANK_ID)
#undef CX_RANK_ID
    CX_RANK_N
};

extern const char *const  cx_rank_names[CX_RANK_N];


/* granularities */

enum { CX_HOUR, CX_DAY, CX_GRANS };

#define CX_GRAN(g)  ((g) == CX_HOUR ? 'h' : 'd')

/* window of a Unix time in ms: 2026112121 or 20261121 */
int64_t cx_window(int gran, int64_t ms);

/* Unix time in ms where a window begins, or -1 if it is none */
int64_t cx_window_start(int gran, int64_t window);

/* 1 if two times are in the same hour, and so in the same day */
int cx_window_same(int64_t a, int64_t b);

/* ms that a window of this granularity lasts */
int64_t cx_window_len(int gran);


/*
 * Version of the keys and fields above, "<major>.<minor>", in the field schema
 * of a checkpoint; without one: 1.0.  Fields and keys are only ever added,
 * which moves the minor: older readers keep working, and the next commit
 * writes the number of whoever is newer.  Where the meaning of one changes,
 * the major moves, and an aggregator that is older leaves the site alone.
 */
#define CX_ROLLUP_SCHEMA  "1.2"


#define CX_KEY_MAX  (CX_SITE_MAX + CX_PAGE_MAX + 72)

/*
 * Writes a key into dst, CX_KEY_MAX bytes; what the grammar does not mention
 * is ignored and may be 0 or NULL.  No NUL follows.  Returns the length, 0 if
 * it does not fit.
 */
size_t cx_key(char *dst, int key, const cx_str_t *site, int gran,
    int64_t window, const cx_str_t *name);

typedef struct {
    int       key;                   /* CX_KEY_* */
    int       gran;
    int64_t   window;
    cx_str_t  site;                  /* these point into the key */
    cx_str_t  name;
} cx_key_parts_t;

/* takes a key apart; 0, or -1 if the schema has no such key */
int cx_key_parse(cx_key_parts_t *p, const cx_str_t *key);

/* writes n in decimal, at most 20 bytes, without a NUL; returns the length */
size_t cx_digits(char *dst, uint64_t n);

/* 1 if s may name a site: 1 to CX_SITE_MAX of A-Z a-z 0-9 _ . : - and /, and
   does not look like a shard's name */
int cx_site_ok(const cx_str_t *s);

/*
 * A site may be split into shards, each with its own hash tag and so its own
 * slot of a Redis Cluster.  A visit is always in the same one, and so is an
 * answer, by its id.
 */

#define CX_SHARDS_MAX  256
#define CX_SHARD_MAX   (CX_SITE_MAX + 4)     /* bytes of "<site>/<shard>" */

/* shard of a visit key, an answer id or any other text; 0 ... n - 1 */
unsigned cx_shard(const cx_str_t *key, unsigned n);

/* name of shard k of n into dst, CX_SHARD_MAX bytes; of one: the site's */
size_t cx_shard_name(char *dst, const cx_str_t *site, unsigned k, unsigned n);

/* takes "<site>/<shard>" apart: the shard, or -1 and the site as it is */
int cx_shard_parse(cx_str_t *site, const cx_str_t *name);

#endif /* CX_KEYS_H */
