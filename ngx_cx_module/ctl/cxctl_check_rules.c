/* What must hold among the counters of one page, or site, in one window. */

#include "cxctl_check.h"

/* counters first to last add up to another, or to no more than it */
typedef struct {
    int first, last;
    int of;
    int exact;
} cx_rule_t;

static const cx_rule_t cx_rules[] = {
    { CX_R_APDEX_SATISFIED, CX_R_APDEX_FRUSTRATED, CX_R_VIEWS, 1 },
    { CX_R_VIEWS_BROWSER, CX_R_VIEWS_UNTOLD, CX_R_VIEWS, 0 },
    { CX_R_STATUS_1XX, CX_R_STATUS_5XX, CX_R_VIEWS, 0 },
    { CX_R_FIRST, CX_R_FIRST_MORE, CX_R_VIEWS, 0 },
    { CX_R_SLOW_UPSTREAM, CX_R_SLOW_EDGE, CX_R_VIEWS, 0 },
    { CX_R_PEAKS, CX_R_PEAKS, CX_R_VISITS, 0 },
    { CX_R_ENDS, CX_R_ENDS, CX_R_VISITS, 0 },
    { CX_R_SCROLL_25, CX_R_SCROLL_100, CX_R_LEAVES, 0 },
    { CX_R_LCP_GOOD, CX_R_LCP_POOR, CX_R_LEAVES, 0 },
    { CX_R_INP_GOOD, CX_R_INP_POOR, CX_R_LEAVES, 0 },
    { CX_R_CLS_GOOD, CX_R_CLS_POOR, CX_R_LEAVES, 0 },
    { CX_R_NEVER, CX_R_NEVER, CX_R_DISMISSED, 0 },
    { CX_R_SAMPLED, CX_R_SAMPLED, CX_R_ELIGIBLE, 0 },
    { CX_R_SCORE, CX_R_SCORE_LAST, CX_R_ANSWERED, 0 },
    { CX_R_ASKED, CX_R_VOLUNTEERED, CX_R_ANSWERED, 1 },
    { CX_R_TEXT, CX_R_TEXT, CX_R_ANSWERED, 0 },
    { CX_R_DONE, CX_R_DONE, CX_R_ANSWERED, 0 },
    { CX_R_TEXTS, CX_R_TEXT_OTHER, CX_R_TEXT, 0 }
};

#define CX_RULES (sizeof(cx_rules) / sizeof(cx_rules[0]))


static int64_t
cx_rule_sum(const cx_rollup_t *r, int first, int last)
{
    int     i;
    int64_t n;

    for (n = 0, i = first; i <= last; i++) {
        n += r->v[i];
    }

    return n;
}


static void
cx_rules_check(cx_check_t *k, const cx_rollup_t *r, const char *what)
{
    size_t           i;
    int64_t          n, of;
    const cx_rule_t *u;

    for (i = 0; i < CX_RULES; i++) {
        u = &cx_rules[i];
        n = cx_rule_sum(r, u->first, u->last);
        of = r->v[u->of];

        if (u->exact ? n == of : n <= of) {
            continue;
        }

        if (u->first == u->last) {
            cx_check_problem(k, "%s: %s is %lld, %s only %lld", what,
                             cx_rollup_names[u->first], (long long) n,
                             cx_rollup_names[u->of], (long long) of);

        } else {
            cx_check_problem(k, "%s: %s to %s add up to %lld of %lld %s", what,
                             cx_rollup_names[u->first],
                             cx_rollup_names[u->last], (long long) n,
                             (long long) of, cx_rollup_names[u->of]);
        }
    }
}


/*
 * Kinds of visits: they add up to the visits, and those with a signal to the
 * visits that had it, as far as no friction class hides which signals it has.
 */

static void
cx_rules_patterns(cx_check_t *k, const cx_rollup_t *r, const char *what)
{
    int      i;
    int64_t  n, hidden, with[CX_SIG_N];
    unsigned p;

    n = 0;
    hidden = 0;

    for (i = 0; i < CX_SIG_N; i++) {
        with[i] = 0;
    }

    for (p = 0; p < r->patterns; p++) {
        n += r->pattern[p].visits;
        hidden += r->pattern[p].tenths ? r->pattern[p].visits : 0;

        if (r->pattern[p].visits < 0) {
            cx_check_problem(k, "%s: a pattern has %lld visits", what,
                             (long long) r->pattern[p].visits);
        }

        for (i = 0; i < CX_SIG_N; i++) {
            with[i] += r->pattern[p].count[i] ? r->pattern[p].visits : 0;
        }
    }

    if (n != r->v[CX_R_VISITS]) {
        cx_check_problem(k, "%s: patterns add up to %lld of %lld visits", what,
                         (long long) n, (long long) r->v[CX_R_VISITS]);
    }

    for (i = 0; i < CX_SIG_N; i++) {
        n = r->v[CX_R_VISITS_SIGNAL + i];

        if (n < with[i] || n > with[i] + hidden) {
            cx_check_problem(k, "%s: %s is %lld, patterns say %lld", what,
                             cx_rollup_names[CX_R_VISITS_SIGNAL + i],
                             (long long) n, (long long) with[i]);
        }
    }
}


/* no option is chosen by more than there are answers */

static void
cx_rules_choices(cx_check_t *k, const cx_rollup_t *r, const char *what)
{
    int i;

    for (i = CX_R_CHOICE; i < CX_R_CHOICE + CX_OPTIONS_MAX; i++) {
        if (r->v[i] > r->v[CX_R_ANSWERED]) {
            cx_check_problem(k, "%s: %s is %lld of %lld answered", what,
                             cx_rollup_names[i], (long long) r->v[i],
                             (long long) r->v[CX_R_ANSWERED]);
        }
    }
}


/* of a site: a visit to it has one worst page and one last page at most */

static void
cx_rules_sessions(cx_check_t *k, const cx_rollup_t *r, const char *what)
{
    int64_t peaks, ends;

    peaks = cx_rule_sum(r, CX_R_PEAK, CX_R_PEAK + CX_PEAK_END_BINS - 1);
    ends = cx_rule_sum(r, CX_R_END, CX_R_END + CX_PEAK_END_BINS - 1);

    if (peaks > r->v[CX_R_SESSIONS] || ends > peaks) {
        cx_check_problem(k,
                         "%s: of %lld sessions %lld have a peak, and %lld an "
                         "end with friction",
                         what, (long long) r->v[CX_R_SESSIONS],
                         (long long) peaks, (long long) ends);
    }
}


void
cx_check_rollup(cx_check_t *k, const cx_rollup_t *r, const char *what)
{
    int i;

    cx_rules_check(k, r, what);
    cx_rules_choices(k, r, what);
    cx_rules_patterns(k, r, what);
    cx_rules_sessions(k, r, what);

    for (i = 0; i < CX_R_N; i++) {
        if (r->v[i] < 0) {
            cx_check_problem(k, "%s: %s is %lld", what, cx_rollup_names[i],
                             (long long) r->v[i]);
        }
    }
}
