/*
 * The one table of stream events: types, fields, order, units and limits.
 *
 * The module's writer, the beacon's validation, the aggregator's reader and
 * the documentation are made from it.  An entry of cx:{<site>}:events has
 * "type" and then every field of its type, always all of them and in this
 * order, empty where there is no value: Redis then stores the names once per
 * stream node.
 */

#ifndef CX_SCHEMA_H
#define CX_SCHEMA_H

#include <stddef.h>

#define CX_SCHEMA_V       1          /* "v" of a beacon */
#define CX_BODY_MAX       65536      /* bytes of a beacon; what sendBeacon
                                        can send */
#define CX_BATCH_EVENTS   100        /* events in a beacon */
#define CX_PAGE_MAX       200        /* bytes of a page key */
#define CX_SITE_MAX       64         /* bytes of a site name */
#define CX_NAME_MAX       32         /* bytes of a touchpoint, survey, ... */
#define CX_TEXT_MAX       2000       /* bytes of a verbatim */
#define CX_SIGNALS_MAX    800        /* bytes of a visit's signals as text */
#define CX_OFFERS_MAX     800        /* bytes of a list of surveys as text */
#define CX_DEFINITION_MAX 2000       /* bytes of a survey's definition */
#define CX_OPTIONS_MAX    12         /* options of a choice */
#define CX_AGE_MAX        86400000   /* ms, "age" of a beacon */

/*
 * Kinds of values, in a JSON beacon and in the stream:
 *
 *   INT   integer from 0 to max; JSON number, decimal digits
 *   NAME  1 to max bytes of A-Z a-z 0-9 _ . : -
 *   HEX   8 to max lower case hex digits
 *   LINE  1 to max bytes of UTF-8 without control characters
 *   TEXT  1 to max bytes of UTF-8, line feeds allowed, no other control
 *         character
 *
 * Where a value comes from:
 *
 *   EDGE  the module fills it; a beacon that has it is refused
 *   ASK   the beacon must have it; so must an entry of the stream, but for
 *         "version", which older modules do not know
 *   MAY   the beacon may have it
 *   TOP   once per beacon, beside "events"
 */

/* F(type id, field id, name, kind, max, from, what it says and its unit) */

#define CX_COMMON(F, T)                                                       \
    F(T, TS, "ts", INT, 9999999999999, EDGE,                                  \
      "Unix time in ms at the edge: of a view when its request began, else "  \
      "when the event was recorded")                                          \
    F(T, PAGE, "page", LINE, CX_PAGE_MAX, TOP,                                \
      "page key; never a query string")                                       \
    F(T, VISIT, "visit", HEX, 16, EDGE,                                       \
      "keyed daily hash of the visit; empty when visits are not told apart")  \
    F(T, TOUCHPOINT, "touchpoint", NAME, CX_NAME_MAX, TOP,                    \
      "cx_touchpoint of the page")                                            \
    F(T, STAGE, "stage", NAME, CX_NAME_MAX, TOP,                              \
      "cx_stage of the page")                                                 \
    F(T, SEGMENT, "segment", LINE, CX_NAME_MAX, EDGE,                         \
      "cx_segment of the visit")                                              \
    F(T, VIEW, "view", HEX, 16, TOP,                                          \
      "page view id, made by the browser; empty in events of the edge")

#define CX_FIELDS_VIEW(F, T)                                                  \
    CX_COMMON(F, T)                                                           \
    F(T, METHOD, "method", NAME, 16, EDGE, "request method")                  \
    F(T, STATUS, "status", INT, 999, EDGE, "HTTP status of the answer")       \
    F(T, REQUEST_MS, "request_ms", INT, 86400000, EDGE,                       \
      "ms from the request's first byte to the answer's last")                \
    F(T, FIRST_MS, "first_ms", INT, 86400000, EDGE,                           \
      "ms from the request's first byte to the answer's first; empty when "   \
      "there was no answer")                                                  \
    F(T, UPSTREAM_MS, "upstream_ms", INT, 86400000, EDGE,                     \
      "ms the upstreams took, all tries together; empty without upstream")    \
    F(T, CACHE, "cache", NAME, 16, EDGE,                                      \
      "nginx's cache status, as $upstream_cache_status")                      \
    F(T, BYTES, "bytes", INT, 9999999999999, EDGE,                            \
      "bytes sent to the client, head included")                              \
    F(T, REF, "ref", LINE, CX_PAGE_MAX, EDGE,                                 \
      "page key of the page of this site that linked here; else empty")

/*
 * What the server knew of the page view and of the visit, put in where the
 * edge has seen both: a browser's report and the view it is about are joined
 * by view id, page and time.
 */
#define CX_SERVER(F, T)                                                       \
    F(T, VIEW_TS, "view_ts", INT, 9999999999999, EDGE,                        \
      "ts of the view, ms; empty, as all of these, when the edge did not "    \
      "see it: cached by the browser, single-page navigation, evicted")       \
    F(T, STATUS, "status", INT, 999, EDGE, "of the view")                     \
    F(T, REQUEST_MS, "request_ms", INT, 86400000, EDGE, "of the view")        \
    F(T, FIRST_MS, "first_ms", INT, 86400000, EDGE, "of the view")            \
    F(T, UPSTREAM_MS, "upstream_ms", INT, 86400000, EDGE, "of the view")      \
    F(T, CACHE, "cache", NAME, 16, EDGE, "of the view")                       \
    F(T, SIGNALS, "signals", LINE, CX_SIGNALS_MAX, EDGE,                      \
      "the visit's signals so far, on all its pages: name=count, joined by "  \
      "commas")

#define CX_FIELDS_SIGNAL(F, T)                                                \
    CX_COMMON(F, T)                                                           \
    F(T, SOURCE, "source", NAME, 16, EDGE, "who saw it: edge or browser")     \
    F(T, NAME, "name", NAME, 24, ASK, "a signal of include/cx_signal.h")      \
    F(T, COUNT, "count", INT, 1000, MAY,                                      \
      "how often in this page view; 1 when left out")                         \
    F(T, TARGET, "target", LINE, CX_PAGE_MAX, MAY,                            \
      "browser: element, tag and id, test attribute, class or role, never "   \
      "text; edge: page key that says more, see the signal's rule")           \
    F(T, VALUE, "value", INT, 999999999, MAY,                                 \
      "error_page, broken_link, broken_asset, repeat_failure, auth_loop, "    \
      "rate_limited: HTTP status; slow_page, aborted_wait, quick_back, "      \
      "input_hesitation, unresponsive, late_paint: ms; layout_shift: "        \
      "thousandths; reload: views, or 1 after a wait; redirect_chain: "       \
      "redirects; search_refine: queries; help_seek: s since the failure; "   \
      "form_resubmit: HTTP status of the post before")                        \
    F(T, UPSTREAM_MS, "upstream_ms", INT, 86400000, EDGE,                     \
      "slow_page, aborted_wait: ms of the value that upstreams took; empty "  \
      "without upstream")                                                     \
    F(T, SEEN, "seen", INT, 1, EDGE,                                          \
      "1 if the edge served this page in this visit, 0 if it did not, which " \
      "counts apart; empty where visits are not told apart")

#define CX_FIELDS_LEAVE(F, T)                                                 \
    CX_COMMON(F, T)                                                           \
    F(T, VISIBLE_MS, "visible_ms", INT, 86400000, MAY,                        \
      "ms the page was visible since the last leave of this view")            \
    F(T, SCROLL_PCT, "scroll_pct", INT, 100, MAY,                             \
      "deepest part of the page seen, percent")                               \
    F(T, LCP_MS, "lcp_ms", INT, 3600000, MAY, "largest contentful paint, ms") \
    F(T, INP_MS, "inp_ms", INT, 3600000, MAY,                                 \
      "interaction to next paint, ms")                                        \
    F(T, CLS_MILLI, "cls_milli", INT, 1000000, MAY,                           \
      "cumulative layout shift, thousandths")                                 \
    F(T, SEEN, "seen", INT, 1, EDGE, "as in signal")                          \
    F(T, FIRST, "first", INT, 1, EDGE,                                        \
      "1: the first leave of a view that the edge saw")                       \
    CX_SERVER(F, T)

/* a survey and its version, which changes with its wording */
#define CX_SURVEY(F, T)                                                       \
    F(T, SURVEY, "survey", NAME, CX_NAME_MAX, ASK, "survey id")               \
    F(T, VERSION, "version", HEX, 8, ASK,                                     \
      "of its wording, scale and options: figures of two are never mixed")

#define CX_FIELDS_SHOWN(F, T)                                                 \
    CX_COMMON(F, T)                                                           \
    CX_SURVEY(F, T)                                                           \
    F(T, TRIGGER, "trigger", NAME, 24, MAY,                                   \
      "what showed it: load, delay, dwell, scroll, exit, idle, click, views, "\
      "visits, api, tab, inline, form, link, or the signal it came after")    \
    F(T, CHANCE, "chance", INT, 10000, MAY,                                   \
      "sampling probability of the prompt, hundredths of a percent")          \
    F(T, DRY, "dry", INT, 1, MAY,                                             \
      "1: a dry run, it would have been shown")

#define CX_FIELDS_START(F, T)                                                 \
    CX_COMMON(F, T)                                                           \
    CX_SURVEY(F, T)

#define CX_FIELDS_DISMISS(F, T)                                               \
    CX_COMMON(F, T)                                                           \
    CX_SURVEY(F, T)                                                           \
    F(T, HOW, "how", NAME, 16, MAY, "close, escape or never")

#define CX_FIELDS_ANSWER(F, T)                                                \
    CX_COMMON(F, T)                                                           \
    F(T, ANSWER, "answer", HEX, 32, ASK,                                      \
      "answer id, made by the browser; a later event of the same id "         \
      "completes or corrects the earlier one, and never counts twice")        \
    CX_SURVEY(F, T)                                                           \
    F(T, METRIC, "metric", NAME, 8, EDGE,                                     \
      "nps, csat, csat7, ces, psat, psat5; choice, choices or text where no " \
      "score is asked for")                                                   \
    F(T, SCORE, "score", INT, 10, MAY,                                        \
      "nps 0-10, csat 1-5, csat7 1-7, ces 1-7 (7 is easiest), psat 0 or 1, "  \
      "psat5 1-5; must be there for these, must not for others")              \
    F(T, CHOICE, "choice", LINE, 40, MAY,                                     \
      "options chosen: positions from 0 to 11, rising, joined by commas")     \
    F(T, TEXT, "text", TEXT, CX_TEXT_MAX, MAY,                                \
      "verbatim; e-mail addresses, card and phone numbers masked")            \
    F(T, DONE, "done", INT, 1, MAY, "1: the last step was reached")           \
    F(T, LANG, "lang", NAME, 16, MAY, "language the survey was shown in")     \
    F(T, SOURCE, "source", NAME, 16, MAY,                                     \
      "asked, invited (by a link) or volunteered; asked when left out")       \
    F(T, TRIGGER, "trigger", NAME, 24, MAY, "as in shown")                    \
    F(T, CHANCE, "chance", INT, 10000, MAY, "as in shown")                    \
    CX_SERVER(F, T)

/* made by the edge when a browser asks for surveys: the head of the funnel */
#define CX_FIELDS_OFFER(F, T)                                                 \
    CX_COMMON(F, T)                                                           \
    F(T, SURVEYS, "surveys", LINE, CX_OFFERS_MAX, EDGE,                       \
      "eligible for this visit here: <survey>@<version>=1 if it was drawn "   \
      "into the sample, else =0, joined by commas")

/* made by the edge: answers that were refused, in a few seconds */
#define CX_FIELDS_REFUSED(F, T)                                               \
    CX_COMMON(F, T)                                                           \
    F(T, SURVEY, "survey", NAME, CX_NAME_MAX, EDGE,                           \
      "survey id; empty where it is not known")                               \
    F(T, VERSION, "version", HEX, 8, EDGE, "as in shown; or empty")           \
    F(T, REASON, "reason", NAME, 16, EDGE,                                    \
      "token: forged or of another survey; expired; flood: over a rate")      \
    F(T, COUNT, "count", INT, 1000000, EDGE, "how many")

/* made by one worker when nginx starts: what a survey asks, and why */
#define CX_FIELDS_SURVEY(F, T)                                                \
    CX_COMMON(F, T)                                                           \
    F(T, SURVEY, "survey", NAME, CX_NAME_MAX, EDGE, "survey id")              \
    F(T, VERSION, "version", HEX, 8, EDGE, "as in shown")                     \
    F(T, DEFINITION, "definition", LINE, CX_DEFINITION_MAX, EDGE,             \
      "JSON: metric, language, question, options, owner, purpose, retired")

#define CX_EVENTS(T)                                                          \
    T(VIEW, "view", "an HTML page was asked for; recorded by the edge")       \
    T(SIGNAL, "signal", "evidence of struggle, as counts per page view")      \
    T(LEAVE, "leave", "summary of a page view when the page is hidden")       \
    T(SHOWN, "shown", "a survey became visible")                              \
    T(START, "start", "somebody began to answer a survey")                    \
    T(DISMISS, "dismiss", "a survey was closed without an answer")            \
    T(ANSWER, "answer", "a survey was answered")                              \
    T(OFFER, "offer", "surveys that a visit could get; made by the edge")     \
    T(REFUSED, "refused", "answers were refused; made by the edge")           \
    T(SURVEY, "survey", "what a survey asks; made by the edge")

enum {
#define CX_TYPE_ID(id, name, what)  CX_##id,
    CX_EVENTS(CX_TYPE_ID)
#undef CX_TYPE_ID
    CX_TYPES
};

/* types that a beacon may have */
#define CX_BROWSER(type)  ((type) >= CX_SIGNAL && (type) <= CX_ANSWER)

/* positions of the fields of each type: CX_VIEW_TS, CX_ANSWER_SCORE, ... */

#define CX_FIELD_ID(T, id, name, kind, max, from, what)  CX_##T##_##id,
enum { CX_FIELDS_VIEW(CX_FIELD_ID, VIEW) CX_VIEW_N };
enum { CX_FIELDS_SIGNAL(CX_FIELD_ID, SIGNAL) CX_SIGNAL_N };
enum { CX_FIELDS_LEAVE(CX_FIELD_ID, LEAVE) CX_LEAVE_N };
enum { CX_FIELDS_SHOWN(CX_FIELD_ID, SHOWN) CX_SHOWN_N };
enum { CX_FIELDS_START(CX_FIELD_ID, START) CX_START_N };
enum { CX_FIELDS_DISMISS(CX_FIELD_ID, DISMISS) CX_DISMISS_N };
enum { CX_FIELDS_ANSWER(CX_FIELD_ID, ANSWER) CX_ANSWER_N };
enum { CX_FIELDS_OFFER(CX_FIELD_ID, OFFER) CX_OFFER_N };
enum { CX_FIELDS_REFUSED(CX_FIELD_ID, REFUSED) CX_REFUSED_N };
enum { CX_FIELDS_SURVEY(CX_FIELD_ID, SURVEY) CX_SURVEY_N };
enum { CX_COMMON(CX_FIELD_ID, COMMON) CX_COMMON_N };
#undef CX_FIELD_ID

#define CX_FIELDS_MAX  28            /* most fields of one type, "type" not
                                        counted; checked by the unit tests */

enum { CX_KIND_INT, CX_KIND_NAME, CX_KIND_HEX, CX_KIND_LINE, CX_KIND_TEXT };
enum { CX_FROM_EDGE, CX_FROM_ASK, CX_FROM_MAY, CX_FROM_TOP };

typedef struct {
    const char  *name;
    int          kind;           /* CX_KIND_* */
    long long    max;            /* INT: value; else bytes */
    int          from;           /* CX_FROM_* */
    const char  *what;
} cx_field_t;

typedef struct {
    const char        *name;
    const char        *what;
    const cx_field_t  *fields;
    unsigned           n;
} cx_type_t;

extern const cx_type_t  cx_types[CX_TYPES];          /* core/cx_event.c */

#endif /* CX_SCHEMA_H */
