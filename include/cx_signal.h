/*
 * The one table of inferred signals: who sees each, its rule, default strength
 * and cap, and where the numbers come from; and the one table of thresholds
 * that the rules name.  Validation of beacons, edge rules, the widget's
 * constants, the aggregator's weights, "cxctl signals" and conf/signals.md are
 * made from these rows.
 */

#ifndef CX_SIGNAL_H
#define CX_SIGNAL_H

#define CX_SESSION_IDLE_S  1800      /* s idle that end a visit; PostHog,
                                        Clarity, Snowplow, Plausible */

/*
 * T(id, name, default, least, most, seen by, what it says and its unit,
 *   source)
 *
 * A file (cx_thresholds, and "thresholds" of cx-aggregator) can say others, by
 * name.  Rows that browsers use go to the widget by position among these.
 */

#define CX_THRESHOLDS(T)                                                      \
    T(SLOW_PAGE_MS, "slow_page_ms", 800, 20, 60000, EDGE,                     \
      "ms to the first byte: Apdex T, which is tolerated up to 4 T",          \
      "web-vitals TTFB, good up to 800 ms; Apdex")                            \
    T(ABORTED_WAIT_MS, "aborted_wait_ms", 1000, 0, 60000, EDGE,               \
      "ms waited before it counts as patience that ended: a double click on " \
      "a link gives up the first request at once",                            \
      "Nielsen 1993: 1 s keeps the flow of thought")                          \
    T(RELOAD_VIEWS, "reload_views", 3, 2, 6, EDGE,                            \
      "views of one address in a row",                                        \
      "our choice; no published standard")                                    \
    T(RELOAD_WINDOW_S, "reload_window_s", 60, 1, 1800, EDGE,                  \
      "s from the first of them to the last", "our choice")                   \
    T(RELOAD_POLL_MS, "reload_poll_ms", 3000, 500, 600000, EDGE,              \
      "ms: from here on equal intervals (to a tenth) are a machine's",        \
      "our choice")                                                           \
    T(RELOAD_WAIT_MS, "reload_wait_ms", 3000, 100, 60000, EDGE,               \
      "ms after a wait was given up in which the same page is asked again",   \
      "our choice")                                                           \
    T(QUICK_BACK_MS, "quick_back_ms", 10000, 500, 120000, BOTH,               \
      "ms that a page was looked at before the way back",                     \
      "Uxify U-turn, 5 s, and Clarity quick back (unpublished): between")     \
    T(NAVIGATION_LOOP_S, "navigation_loop_s", 120, 5, 1800, EDGE,             \
      "s from the first to the last view of A, B, A, B",                      \
      "Flusterduck loop_nav; window ours")                                    \
    T(FORM_RESUBMIT_S, "form_resubmit_s", 120, 5, 1800, EDGE,                 \
      "s between two posts of a form", "our choice")                          \
    T(SEARCH_REFINE_QUERIES, "search_refine_queries", 3, 2, 4, EDGE,          \
      "different queries in a row",                                           \
      "Feild, Allan and Jones, SIGIR 2010; number ours")                      \
    T(SEARCH_REFINE_S, "search_refine_s", 120, 5, 1800, EDGE,                 \
      "s from the first of them to the last", "our choice")                   \
    T(AUTH_LOOP_REFUSALS, "auth_loop_refusals", 3, 2, 4, EDGE,                \
      "pages refused with 401 or 403", "our choice")                          \
    T(AUTH_LOOP_S, "auth_loop_s", 60, 5, 1800, EDGE,                          \
      "s from the first of them to the last", "our choice")                   \
    T(REDIRECT_CHAIN_HOPS, "redirect_chain_hops", 4, 2, 19, EDGE,             \
      "redirects in a row before a page; a sign-in needs three",              \
      "our choice; Lighthouse warns from two on")                             \
    T(HELP_SEEK_S, "help_seek_s", 120, 5, 1800, EDGE,                         \
      "s from trouble to the view of a help page",                            \
      "failure demand, Seddon 2003; window ours")                             \
    T(RAGE_CLICKS, "rage_clicks", 4, 3, 20, BROWSER,                          \
      "unanswered clicks in one run", "Splunk RUM 2.1")                       \
    T(RAGE_RADIUS_PX, "rage_radius_px", 30, 1, 500, BROWSER,                  \
      "CSS px between clicks of a run", "PostHog")                            \
    T(RAGE_WINDOW_MS, "rage_window_ms", 1200, 100, 10000, BROWSER,            \
      "ms from the first click of a run to the last", "Splunk, Datadog: 1 s") \
    T(RAGE_ANSWER_MS, "rage_answer_ms", 350, 50, 5000, BROWSER,               \
      "ms a click may wait for its answer in a run", "our choice")            \
    T(DEAD_CLICK_MS, "dead_click_ms", 3000, 500, 30000, BROWSER,              \
      "ms without any answer", "Sentry slow click")                           \
    T(ERROR_CLICK_MS, "error_click_ms", 500, 50, 5000, BROWSER,               \
      "ms from a click to the error that follows",                            \
      "Datadog: during the action or at most 100 ms after; longer for slow "  \
      "machines")                                                             \
    T(JS_ERRORS, "js_errors", 5, 1, 50, BROWSER,                              \
      "errors that are counted of a page view", "our choice")                 \
    T(THRASH_TURNS, "thrash_turns", 8, 4, 50, BROWSER,                        \
      "turns back of the pointer, no button pressed",                         \
      "OpenReplay cursor shake; numbers ours")                                \
    T(THRASH_PX, "thrash_px", 100, 10, 1000, BROWSER,                         \
      "CSS px at least between two turns", "our choice")                      \
    T(THRASH_WINDOW_MS, "thrash_window_ms", 2000, 200, 20000, BROWSER,        \
      "ms from the first turn to the last", "our choice")                     \
    T(SCROLL_TURNS, "scroll_turns", 5, 3, 50, BROWSER,                        \
      "turns back of the scroll direction", "our choice")                     \
    T(SCROLL_TURN_PCT, "scroll_turn_pct", 40, 5, 1000, BROWSER,               \
      "percent of the window's height at least between two turns",            \
      "our choice")                                                           \
    T(SCROLL_WINDOW_MS, "scroll_window_ms", 6000, 500, 60000, BROWSER,        \
      "ms from the first turn to the last", "our choice")                     \
    T(EXCESSIVE_SCROLL_X, "excessive_scroll_x", 5, 2, 100, BROWSER,           \
      "times the page's scrollable height that was scrolled in a view",       \
      "Clarity: more than usual, unpublished; number ours")                   \
    T(EXCESSIVE_SCROLL_WINDOWS, "excessive_scroll_windows", 15, 2, 1000,      \
      BROWSER, "and windows full at least", "our choice")                     \
    T(FORM_ERRORS, "form_errors", 2, 2, 20, BROWSER,                          \
      "tries to send a form with the same field invalid",                     \
      "Zuko, Contentsquare: repeated validation errors")                      \
    T(INPUT_HESITATION_MS, "input_hesitation_ms", 10000, 1000, 120000,        \
      BROWSER, "ms from the focus on an empty field to its first character",  \
      "OpenReplay input hesitation; limit ours")                              \
    T(UNRESPONSIVE_MS, "unresponsive_ms", 500, 50, 60000, EDGE,               \
      "ms of INP that are poor", "web-vitals")                                \
    T(LATE_PAINT_MS, "late_paint_ms", 4000, 100, 60000, EDGE,                 \
      "ms of LCP that are poor", "web-vitals")                                \
    T(LAYOUT_SHIFT_MILLI, "layout_shift_milli", 250, 10, 10000, EDGE,         \
      "thousandths of CLS that are poor", "web-vitals")                       \
    T(PINCH_ZOOM_PCT, "pinch_zoom_pct", 120, 101, 1000, BROWSER,              \
      "percent that two fingers have made the page", "our choice")            \
    T(DEAD_SWIPE_PX, "dead_swipe_px", 60, 10, 1000, BROWSER,                  \
      "CSS px of a swipe to the side", "PostHog: 30 px in any direction")     \
    T(DEAD_SWIPE_MS, "dead_swipe_ms", 1000, 100, 10000, BROWSER,              \
      "ms without any answer", "our choice")

/*
 * S(id, name, seen by, strength b_k, cap, rule, source)
 *
 * seen by:   EDGE, BROWSER or BOTH; VITALS: measured by the browser, which
 *            sends the value with its leave, and judged by the edge
 * strength:  b_k in x = sum b_k * min(count_k, cap_k); the chance that a
 *            visit was a struggle is 1 - exp(-x)  (noisy-or)
 * cap:       the most counts of this signal that one visit to a page adds
 * rule:      {name} is a threshold of the table above
 *
 * Visits are read by order of these rows: new ones come last.
 */

#define CX_SIGNALS(S)                                                         \
    S(ERROR_PAGE, "error_page", EDGE, 0.9, 2,                                 \
      "a page answered 4xx or 5xx (not 401, 403, 422, 429, 499, and not what "\
      "broken_link counts)",                                                  \
      "OpenReplay networkIssue: status >= 400")                               \
    S(BROKEN_LINK, "broken_link", EDGE, 0.8, 2,                               \
      "a page answered 404 or 410, blamed on the page of this site that "     \
      "linked to it, target the page that is missing",                        \
      "server logs since 1994; blame by Referer")                             \
    S(BROKEN_ASSET, "broken_asset", EDGE, 0.2, 1,                             \
      "an image, script, style or font that a page of this site asked for "   \
      "answered 4xx or 5xx (not 401, 403, 429, 499; no favicon), blamed on "  \
      "that page, target the file",                                           \
      "our choice; browsers report it as a failed resource")                  \
    S(SLOW_PAGE, "slow_page", EDGE, 0.15, 6,                                  \
      "first byte later than T = {slow_page_ms} ms after the request "        \
      "arrived: counts 1 (tolerable), later than 4 T: counts 2 (frustrating)",\
      "Apdex: tolerating counts half of frustrated")                          \
    S(ABORTED_WAIT, "aborted_wait", EDGE, 0.7, 2,                             \
      "the client closed the connection before a page was complete, after "   \
      "{aborted_wait_ms} ms or more",                                         \
      "nginx status 499; no other tool reports it")                           \
    S(RELOAD, "reload", EDGE, 0.4, 2,                                         \
      "{reload_views} views of one address in a row within "                  \
      "{reload_window_s} s, half a second or more apart (a double click is "  \
      "one), no post between them, each view counted once; not if the "       \
      "browser says that no person asked (no Sec-Fetch-User) or two "         \
      "intervals are equal and {reload_poll_ms} ms or longer; or the page "   \
      "asked again within {reload_wait_ms} ms after an aborted_wait for it",  \
      "our choice; no published standard")                                    \
    S(QUICK_BACK, "quick_back", BOTH, 0.3, 3,                                 \
      "A, B and back to A, with B looked at for less than {quick_back_ms} "   \
      "ms; not if one of them failed, something was posted from B, a "        \
      "redirect led back, no person asked or only their queries differ; "     \
      "counts on B, target A.  The edge sees the request, the widget the "    \
      "return from the back-forward cache",                                   \
      "Clarity quick back, Uxify U-turn")                                     \
    S(NAVIGATION_LOOP, "navigation_loop", EDGE, 0.5, 2,                       \
      "A, B, A, B within {navigation_loop_s} s, each view counted once; not " \
      "if one of them failed, something was posted between them, no person "  \
      "asked or only their queries differ; counts on A, target B",            \
      "Flusterduck loop_nav")                                                 \
    S(FORM_RESUBMIT, "form_resubmit", EDGE, 0.6, 2,                           \
      "the same form posted again, half a second to {form_resubmit_s} s "     \
      "after it was answered 4xx or 5xx (not 401), or answered with a page "  \
      "and sent again with a body of the same length (not empty, no search)", \
      "Matomo and Zuko count re-submits")                                     \
    S(FORM_ABANDON, "form_abandon", BOTH, 0.5, 1,                             \
      "edge: a page with cx_role form was seen and the visit ended without "  \
      "a post, by the page or its scripts; browser: a form's field was "      \
      "changed and the page left without a submit, target: the field touched "\
      "last",                                                                 \
      "Zuko: starter without completion; field blamed: last one touched")     \
    S(SEARCH_REFINE, "search_refine", EDGE, 0.5, 2,                           \
      "{search_refine_queries} different queries on pages with cx_role "      \
      "search=... within {search_refine_s} s, no other post between them",    \
      "Feild, Allan and Jones, SIGIR 2010")                                   \
    S(AUTH_LOOP, "auth_loop", EDGE, 0.7, 1,                                   \
      "{auth_loop_refusals} pages that a person asked for refused with 401 "  \
      "or 403 within {auth_loop_s} s, no other page between them",            \
      "our choice; no published standard")                                    \
    S(REDIRECT_CHAIN, "redirect_chain", EDGE, 0.4, 1,                         \
      "{redirect_chain_hops} or more redirects before a page, each followed " \
      "within 2 s; 20 if none ever comes",                                    \
      "Lighthouse redirects; Fetch: 20 are the browser's limit")              \
    S(RATE_LIMITED, "rate_limited", EDGE, 0.9, 1,                             \
      "a page answered 429, or refused by limit_req or limit_conn",           \
      "RFC 6585")                                                             \
    S(HELP_SEEK, "help_seek", EDGE, 0.7, 1,                                   \
      "a person asked for a page with cx_role help within {help_seek_s} s "   \
      "after a signal that says failure (error_page, broken_link, reload, "   \
      "navigation_loop, form_resubmit, auth_loop, redirect_chain, "           \
      "rate_limited); counts on the page where that was, target the help "    \
      "page",                                                                 \
      "failure demand, Seddon 2003")                                          \
    S(REPEAT_FAILURE, "repeat_failure", EDGE, 0.6, 2,                         \
      "the same address fails with the same status again in a visit (not "    \
      "401, 422, 429, 499), after another page or post was answered well",    \
      "customer effort: the problem that comes back (Dixon 2010)")            \
    S(RAGE_CLICK, "rage_click", BROWSER, 0.9, 3,                              \
      "{rage_clicks} clicks within {rage_radius_px} px and {rage_window_ms} " \
      "ms, the pointer nowhere else between them, each without an answer "    \
      "for {rage_answer_ms} ms in which the page could give one",             \
      "Splunk RUM 2.1 (4 clicks), PostHog (30 px); unanswered: ours")         \
    S(DEAD_CLICK, "dead_click", BROWSER, 0.4, 3,                              \
      "a click on something that looks interactive, without any answer in "   \
      "{dead_click_ms} ms in which the page could give one; whatever the "    \
      "page changes is one, and a request that it makes is waited for",       \
      "Sentry slow click, 3 s")                                               \
    S(ERROR_CLICK, "error_click", BROWSER, 0.7, 2,                            \
      "a click followed by a js_error within {error_click_ms} ms",            \
      "Datadog frustration signals")                                          \
    S(THRASH_CURSOR, "thrash_cursor", BROWSER, 0.2, 2,                        \
      "the mouse turns back {thrash_turns} times within {thrash_window_ms} "  \
      "ms, {thrash_px} px or more each, no button pressed and nothing "       \
      "clicked",                                                              \
      "OpenReplay cursor shake")                                              \
    S(SCROLL_THRASH, "scroll_thrash", BROWSER, 0.2, 2,                        \
      "the scrolled page turns back {scroll_turns} times within "             \
      "{scroll_window_ms} ms, {scroll_turn_pct} % of the window or more each",\
      "our choice; Contentsquare: repeated scroll")                           \
    S(EXCESSIVE_SCROLL, "excessive_scroll", BROWSER, 0.2, 1,                  \
      "scrolled up and down {excessive_scroll_x} times the page's "           \
      "scrollable height and {excessive_scroll_windows} windows in a view",   \
      "Clarity excessive scrolling")                                          \
    S(FORM_ERROR, "form_error", BROWSER, 0.5, 3,                              \
      "the same field invalid, by the browser's own check, in {form_errors} " \
      "tries to send its form",                                               \
      "Zuko, Contentsquare: repeated validation errors")                      \
    S(INPUT_HESITATION, "input_hesitation", BROWSER, 0.1, 2,                  \
      "{input_hesitation_ms} ms or more from a person's focus on an empty "   \
      "field of one line to its first character, the page seen all the time", \
      "OpenReplay input hesitation")                                          \
    S(JS_ERROR, "js_error", BROWSER, 0.3, 3,                                  \
      "an uncaught error or unhandled rejection, {js_errors} a page view at " \
      "the most",                                                             \
      "Datadog frustration signals")                                          \
    S(UNRESPONSIVE, "unresponsive", VITALS, 0.4, 1,                          \
      "INP of a view above {unresponsive_ms} ms",                             \
      "web-vitals: poor")                                                     \
    S(LATE_PAINT, "late_paint", VITALS, 0.3, 1,                              \
      "LCP of a view above {late_paint_ms} ms",                               \
      "web-vitals: poor")                                                     \
    S(LAYOUT_SHIFT, "layout_shift", VITALS, 0.3, 1,                          \
      "CLS of a view above {layout_shift_milli} thousandths",                 \
      "web-vitals: poor")                                                     \
    S(PINCH_ZOOM, "pinch_zoom", BROWSER, 0.2, 1,                              \
      "two fingers on text or controls made the page {pinch_zoom_pct} % or "  \
      "more",                                                                 \
      "mobile friction: pinching")                                            \
    S(DEAD_SWIPE, "dead_swipe", BROWSER, 0.3, 2,                              \
      "a finger moved {dead_swipe_px} px to the side, in 800 ms at most, "    \
      "without any answer in {dead_swipe_ms} ms",                             \
      "PostHog dead swipe")

enum {
#define CX_SIGNAL_ID(id, name, seen, b, cap, rule, source)  CX_SIG_##id,
    CX_SIGNALS(CX_SIGNAL_ID)
#undef CX_SIGNAL_ID
    CX_SIG_N
};

enum {
#define CX_THRESHOLD_ID(id, name, value, min, max, seen, what, source)        \
    CX_T_##id,
    CX_THRESHOLDS(CX_THRESHOLD_ID)
#undef CX_THRESHOLD_ID
    CX_T_N
};

/* bits */
enum {
    CX_SEEN_EDGE = 1,
    CX_SEEN_BROWSER = 2,                 /* a beacon may say so */
    CX_SEEN_BOTH = 3,
    CX_SEEN_VITALS = 4
};

typedef struct {
    const char  *name;
    int          seen;           /* CX_SEEN_* */
    double       strength;       /* default b_k */
    unsigned     cap;            /* default, counts */
    const char  *rule;
    const char  *source;
} cx_signal_t;

typedef struct {
    const char  *name;
    long         value;          /* default */
    long         min, max;
    int          seen;           /* CX_SEEN_*: who uses it */
    const char  *what;
    const char  *source;
} cx_threshold_t;

extern const cx_signal_t     cx_signals[CX_SIG_N];       /* core/cx_signal.c */
extern const cx_threshold_t  cx_thresholds[CX_T_N];

/* name -> CX_SIG_*, or -1 */
int cx_signal_find(const unsigned char *name, unsigned long len);


/* ---- what a site has made of the tables ---- */

#define CX_CAP_MAX  100

typedef struct {
    long      t[CX_T_N];                 /* by CX_T_* */
    double    strength[CX_SIG_N];
    unsigned  cap[CX_SIG_N];             /* 1 to CX_CAP_MAX */
} cx_tuning_t;

typedef struct {
    unsigned  line;                      /* from 1 */
    char      text[64];                  /* what stands there, printable */
    char      expected[128];             /* what would have been right */
} cx_tuning_error_t;

void cx_tuning_default(cx_tuning_t *t);

/*
 * Reads a file's text into t, which holds the defaults.  A line is empty, a
 * comment from # on, or one of
 *
 *   <threshold> <integer>
 *   <signal>.strength <decimal from 0 to 10>
 *   <signal>.cap <integer from 1 to CX_CAP_MAX>
 *
 * with a name once at most.  0, or -1 and e says where and what was expected.
 */
int cx_tuning_read(cx_tuning_t *t, const char *text, unsigned long len,
    cx_tuning_error_t *e);

/*
 * Thresholds of the browser that are not the default, as the tag carries them:
 * "<position among the browser's rows>=<value>", joined by spaces.  dst holds
 * CX_TUNING_TAG bytes.  Returns the length, 0: all are.
 */
#define CX_TUNING_TAG  (CX_T_N * 16)
unsigned long cx_tuning_tag(char *dst, const cx_tuning_t *t);

/*
 * A signal's rule with its thresholds filled in.  dst holds CX_RULE_MAX bytes,
 * NUL included.
 */
#define CX_RULE_MAX  512
void cx_signal_rule(char *dst, int signal, const cx_tuning_t *t);

#endif /* CX_SIGNAL_H */
