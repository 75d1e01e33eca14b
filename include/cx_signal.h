/*
 * The one table of inferred signals: who sees each, its rule, thresholds,
 * default strength and cap, and where the numbers come from.  Validation of
 * beacons, edge rules, the widget's constants, the aggregator's weights and
 * the documentation are made from these rows.
 */

#ifndef CX_SIGNAL_H
#define CX_SIGNAL_H

/* thresholds, each with its unit and source */

#define CX_SLOW_PAGE_MS         1800   /* ms to first byte; web-vitals TTFB
                                          "poor" */
#define CX_RELOAD_VIEWS         3      /* views of one page ...            */
#define CX_RELOAD_WINDOW_S      60     /* ... in seconds; our choice, no
                                          published standard */
#define CX_RAGE_CLICKS          4      /* unanswered clicks in one run;
                                          Splunk RUM 2.1 */
#define CX_RAGE_RADIUS_PX       30     /* CSS px between clicks; PostHog */
#define CX_RAGE_WINDOW_MS       1200   /* ms, first to last click of a run */
#define CX_RAGE_ANSWER_MS       350    /* ms a click may wait for an answer
                                          before it counts as unanswered */
#define CX_DEAD_CLICK_MS        3000   /* ms without any answer; Sentry's
                                          slow-click limit */
#define CX_JS_ERRORS_MAX        5      /* errors reported per page view */
#define CX_SESSION_IDLE_S       1800   /* s idle that end a visit; PostHog,
                                          Clarity, Snowplow, Plausible */

/*
 * S(id, name, seen by, strength b_k, cap, rule, source)
 *
 * seen by:   EDGE or BROWSER
 * strength:  b_k in x = sum b_k * min(count_k, cap_k); the chance that a
 *            visit was a struggle is 1 - exp(-x)  (noisy-or)
 * cap:       the most counts of this signal that one visit to a page adds
 */

#define CX_SIGNALS(S)                                                         \
    S(ERROR_PAGE, "error_page", EDGE, 1.2, 2,                                 \
      "a page answered 4xx or 5xx (not 401, 429, 499), blamed on the page "   \
      "of this site that linked to it, else on itself",                       \
      "OpenReplay networkIssue: status >= 400")                               \
    S(SLOW_PAGE, "slow_page", EDGE, 0.5, 3,                                   \
      "first byte later than 1800 ms after the request arrived",              \
      "web-vitals onTTFB: poor above 1800 ms")                                \
    S(ABORTED_WAIT, "aborted_wait", EDGE, 0.7, 2,                             \
      "the client closed the connection before the response was complete",    \
      "nginx status 499; no other tool reports it")                           \
    S(RELOAD, "reload", EDGE, 0.4, 2,                                         \
      "the third view of one page in one visit within 60 s",                  \
      "our choice; no published standard")                                    \
    S(RAGE_CLICK, "rage_click", BROWSER, 0.9, 3,                              \
      "4 clicks within 30 px and 1200 ms, each without an answer for 350 ms", \
      "Splunk RUM 2.1 (4 clicks), PostHog (30 px); unanswered: ours")         \
    S(DEAD_CLICK, "dead_click", BROWSER, 0.4, 3,                              \
      "a click on something that looks interactive, without any answer in "   \
      "3000 ms",                                                              \
      "Sentry slow click, 3 s")                                               \
    S(JS_ERROR, "js_error", BROWSER, 0.3, 3,                                  \
      "an uncaught error or unhandled rejection, 5 a page view at the most",  \
      "Datadog frustration signals")

enum {
#define CX_SIGNAL_ID(id, name, seen, b, cap, rule, source)  CX_SIG_##id,
    CX_SIGNALS(CX_SIGNAL_ID)
#undef CX_SIGNAL_ID
    CX_SIG_N
};

enum { CX_SEEN_EDGE, CX_SEEN_BROWSER };

typedef struct {
    const char  *name;
    int          seen;           /* CX_SEEN_* */
    double       strength;       /* b_k */
    unsigned     cap;            /* counts */
    const char  *rule;
    const char  *source;
} cx_signal_t;

extern const cx_signal_t  cx_signals[CX_SIG_N];   /* core/cx_event.c */

/* name -> CX_SIG_*, or -1 */
int cx_signal_find(const unsigned char *name, unsigned long len);

#endif /* CX_SIGNAL_H */
