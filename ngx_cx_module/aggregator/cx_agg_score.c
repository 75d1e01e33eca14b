/*
 * Step 7: from counters to effort, satisfaction and NPS with their intervals.
 *
 * Effort: a visit's friction is x = sum of b_k min(count_k, cap_k), its chance
 * of having been a struggle p = 1 - exp(-x).  I is 100 times the mean of p over
 * the visits, E = (k I + sum of answered effort) / (k + n).  The interval of E
 * follows from the variances of both parts (delta method).  Each variance is
 * taken with two more observations, one at either end of the scale, so that
 * three visits that look alike do not claim to be certain; the part that comes
 * from visits is widened by Student's t.
 *
 * Satisfaction: share satisfied, as if k answers of the site's share had been
 * given as well, where k is 20 but never more than other pages have answers;
 * the interval is Wilson's over the same counts.
 *
 * NPS: never shrunk nor mixed; 3/4 of a promoter and of a detractor and 3
 * answers are added for the interval.  Apdex is a mean of three values as well:
 * the same, halved.
 *
 * Peak and end: each histogram has the friction of a visit's worst page and of
 * its last, but not which belong together.  The mean of (peak + end) / 2 does
 * not need that; its standard error is at most the mean of both errors.
 */

#include <math.h>
#include <string.h>
#include "cx_score.h"

typedef struct {
    double n;
    double sum;
    double squares;
} cx_sample_t;


static void
cx_sample_add(cx_sample_t *s, double value, double n)
{
    s->n += n;
    s->sum += n * value;
    s->squares += n * value * value;
}


/* standard error of the mean, with two more observations: 0 and 100 */

static double
cx_sample_error(const cx_sample_t *s)
{
    double n, sum, squares;

    n = s->n + 2;
    sum = s->sum + 100;
    squares = s->squares + 100 * 100;

    return sqrt((squares - sum * sum / n) / (n - 1) / s->n);
}


double
cx_student(double df)
{
    double              z, z3, z5, z7;
    static const double exact[] = { 12.7062047, 4.30265273, 3.18244631,
                                    2.77644511, 2.57058184 };

    if (df < 6) {
        return exact[df < 1 ? 0 : (int) df - 1];
    }

    z = CX_Z;
    z3 = z * z * z;
    z5 = z3 * z * z;
    z7 = z5 * z * z;

    return z + (z3 + z) / (4 * df) + (5 * z5 + 16 * z3 + 3 * z) / (96 * df * df)
           + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * df * df * df);
}


void
cx_wilson(double x, double n, double *lo, double *hi)
{
    double centre, half, z2;

    z2 = CX_Z * CX_Z;
    centre = (x + z2 / 2) / (n + z2);
    half = CX_Z / (n + z2) * sqrt(x * (n - x) / n + z2 / 4);

    *lo = centre > half && x > 0 ? centre - half : 0;
    *hi = centre + half < 1 && x < n ? centre + half : 1;
}


static void
cx_score_set(cx_score_t *s, int figure, double v)
{
    s->v[figure] = v;
    s->has[figure] = 1;
}


static void
cx_score_interval(cx_score_t *s, int figure, double v, double lo, double hi,
                  double min, double max)
{
    lo = lo < min ? min : lo;
    hi = hi > max ? max : hi;

    /* _lo and _hi follow their figure in the table */

    cx_score_set(s, figure, v);
    cx_score_set(s, figure + 1, lo > v ? v : lo);
    cx_score_set(s, figure + 2, hi < v ? v : hi);
}


static void
cx_score_visits(cx_sample_t *s, const cx_rollup_t *r, const cx_tuning_t *t)
{
    double              x;
    unsigned            i;
    const cx_pattern_t *p;

    for (i = 0; i < r->patterns; i++) {
        p = &r->pattern[i];
        x = p->tenths ? p->tenths / 10.0 : cx_friction(p->count, t);
        cx_sample_add(s, 100 * (1 - exp(-x)), (double) p->visits);
    }
}


static void
cx_score_effort(cx_score_t *s, const cx_rollup_t *r, const cx_tuning_t *t)
{
    int         i;
    double      e, k, half, margin;
    cx_sample_t visit, ces;

    memset(&visit, 0, sizeof(cx_sample_t));
    memset(&ces, 0, sizeof(cx_sample_t));

    cx_score_visits(&visit, r, t);

    for (i = 1; i <= 7; i++) {
        cx_sample_add(&ces, (7 - i) / 6.0 * 100,
                      (double) r->v[CX_R_CES_1 + i - 1]);
    }

    cx_score_set(s, CX_S_INFERRED_N, visit.n);
    cx_score_set(s, CX_S_CES_N, ces.n);

    if (visit.n > 0) {
        cx_score_set(s, CX_S_INFERRED, visit.sum / visit.n);
    }

    if (ces.n > 0) {
        cx_score_set(s, CX_S_CES, ces.sum / ces.n);
    }

    if (visit.n <= 0 && ces.n <= 0) {
        return;
    }

    k = visit.n > 0 ? CX_PRIOR_K : 0;
    e = (k * s->v[CX_S_INFERRED] + ces.sum) / (k + ces.n);
    half = 0;

    if (visit.n > 0) {
        margin = k * cx_student(visit.n) * cx_sample_error(&visit);
        half += margin * margin;
    }

    if (ces.n > 0) {
        margin = ces.n * cx_sample_error(&ces)
                 * (k > 0 ? CX_Z : cx_student(ces.n));
        half += margin * margin;
    }

    half = sqrt(half) / (k + ces.n);

    cx_score_interval(s, CX_S_EFFORT, e, e - half, e + half, 0, 100);
    cx_score_set(s, CX_S_IMPACT,
                 s->v[CX_S_EFFORT_LO] / 100 * (double) r->v[CX_R_VIEWS]);
}


void
cx_satisfied(const cx_rollup_t *r, int64_t *x, int64_t *n)
{
    int i;

    /* the top two boxes of each scale, the better one of two */

    *x = r->v[CX_R_CSAT_4] + r->v[CX_R_CSAT_5] + r->v[CX_R_CSAT7_6]
         + r->v[CX_R_CSAT7_7] + r->v[CX_R_PSAT_1] + r->v[CX_R_PSAT5_4]
         + r->v[CX_R_PSAT5_5];
    *n = 0;

    for (i = CX_R_CSAT_1; i <= CX_R_PSAT5_5; i++) {
        if (i < CX_R_CES_1 || i > CX_R_CES_7) {
            *n += r->v[i];
        }
    }
}


static void
cx_score_satisfaction(cx_score_t *s, const cx_rollup_t *r,
                      const cx_rollup_t *site)
{
    double  prior, k, x, n, lo, hi;
    int64_t px, pn, sx, sn;

    cx_satisfied(r, &px, &pn);
    cx_satisfied(site, &sx, &sn);
    cx_score_set(s, CX_S_SATISFACTION_N, (double) pn);

    if (pn <= 0) {
        return;
    }

    prior = sn > 0 ? (double) sx / (double) sn : 0;
    k = sn - pn < CX_PRIOR_K ? (double) (sn - pn) : CX_PRIOR_K;
    k = k < 0 ? 0 : k;

    x = (double) px + k * prior;
    n = (double) pn + k;
    cx_wilson(x, n, &lo, &hi);

    cx_score_interval(s, CX_S_SATISFACTION, 100 * x / n, 100 * lo, 100 * hi, 0,
                      100);
    cx_score_set(s, CX_S_PRIOR, 100 * prior);
    cx_score_set(s, CX_S_PRIOR_K, k);
}


/*
 * Adjusted interval of the mean of n values, pro of them 1, con -1, the rest 0
 */

static void
cx_score_three(double pro, double con, double n, double *lo, double *hi)
{
    double m, p, d, half;

    m = n + 3;
    p = (pro + 0.75) / m;
    d = (con + 0.75) / m;
    half = CX_Z * sqrt((p + d - (p - d) * (p - d)) / m);

    *lo = p - d - half;
    *hi = p - d + half;
}


static void
cx_score_nps(cx_score_t *s, const cx_rollup_t *r)
{
    int    i;
    double n, pro, con, lo, hi;

    pro = (double) (r->v[CX_R_NPS_9] + r->v[CX_R_NPS_10]);
    con = 0;

    for (i = CX_R_NPS_0; i <= CX_R_NPS_6; i++) {
        con += (double) r->v[i];
    }

    n = pro + con + (double) (r->v[CX_R_NPS_7] + r->v[CX_R_NPS_8]);
    cx_score_set(s, CX_S_NPS_N, n);

    if (n <= 0) {
        return;
    }

    cx_score_three(pro, con, n, &lo, &hi);
    cx_score_interval(s, CX_S_NPS, 100 * (pro - con) / n, 100 * lo, 100 * hi,
                      -100, 100);
}


static void
cx_score_apdex(cx_score_t *s, const cx_rollup_t *r)
{
    double n, good, bad, lo, hi;

    good = (double) r->v[CX_R_APDEX_SATISFIED];
    bad = (double) r->v[CX_R_APDEX_FRUSTRATED];
    n = good + bad + (double) r->v[CX_R_APDEX_TOLERATING];
    cx_score_set(s, CX_S_APDEX_N, n);

    if (n <= 0) {
        return;
    }

    /* 1, 1/2 and 0 in place of 1, 0 and -1 */

    cx_score_three(good, bad, n, &lo, &hi);
    cx_score_interval(s, CX_S_APDEX, ((good - bad) / n + 1) / 2, (lo + 1) / 2,
                      (hi + 1) / 2, 0, 1);
}


/* views that browsers reported of, of those that can be joined */

static void
cx_score_coverage(cx_score_t *s, const cx_rollup_t *r)
{
    double share;

    if (r->v[CX_R_VIEWS] <= r->v[CX_R_VIEWS_UNTOLD]) {
        return;
    }

    share = (double) r->v[CX_R_VIEWS_BROWSER]
            / (double) (r->v[CX_R_VIEWS] - r->v[CX_R_VIEWS_UNTOLD]);
    cx_score_set(s, CX_S_COVERAGE, share < 1 ? 100 * share : 100);
}


void
cx_score(cx_score_t *s, const cx_rollup_t *page, const cx_rollup_t *site,
         const cx_tuning_t *t)
{
    memset(s, 0, sizeof(cx_score_t));

    cx_score_set(s, CX_S_VIEWS, (double) page->v[CX_R_VIEWS]);
    cx_score_set(s, CX_S_ASKED_N, (double) page->v[CX_R_ASKED]);
    cx_score_set(s, CX_S_INVITED_N, (double) page->v[CX_R_INVITED]);
    cx_score_set(s, CX_S_VOLUNTEERED_N, (double) page->v[CX_R_VOLUNTEERED]);

    cx_score_coverage(s, page);
    cx_score_apdex(s, page);
    cx_score_effort(s, page, t);
    cx_score_satisfaction(s, page, site);
    cx_score_nps(s, page);
}


/* friction of the visits to a site by one of the histograms, in percent */

static void
cx_score_bins(cx_sample_t *s, const cx_rollup_t *r, int first)
{
    int    i;
    double from;

    memset(s, 0, sizeof(cx_sample_t));
    from = 0;

    for (i = 0; i < CX_PEAK_END_BINS; i++) {
        cx_sample_add(s, (from + cx_peak_end_pct[i]) / 2,
                      (double) r->v[first + i]);
        from = cx_peak_end_pct[i];
    }

    if (s->n < (double) r->v[CX_R_SESSIONS]) {
        cx_sample_add(s, 0, (double) r->v[CX_R_SESSIONS] - s->n);
    }
}


int
cx_peak_end(const cx_rollup_t *total, double *mean, double *lo, double *hi)
{
    double      half;
    cx_sample_t peak, end;

    if (total->v[CX_R_SESSIONS] <= 0) {
        return 0;
    }

    cx_score_bins(&peak, total, CX_R_PEAK);
    cx_score_bins(&end, total, CX_R_END);

    *mean = (peak.sum / peak.n + end.sum / end.n) / 2;
    half = cx_student(peak.n) * (cx_sample_error(&peak) + cx_sample_error(&end))
           / 2;
    *lo = *mean > half ? *mean - half : 0;
    *hi = *mean + half < 100 ? *mean + half : 100;

    return 1;
}


int
cx_score_rank(double *by, const cx_score_t *s, int rank)
{
    double                     n;
    static const unsigned char bound[CX_RANK_N] = {
#define CX_ROW(id, name, worst, by) CX_S_##by,
        CX_RANKS(CX_ROW)
#undef CX_ROW
    };

    if (!s->has[bound[rank]]) {
        return 0;
    }

    *by = s->v[bound[rank]];

    switch (rank) {
    case CX_RANK_SATISFACTION:
        n = s->v[CX_S_SATISFACTION_N];
        break;

    case CX_RANK_NPS:
        n = s->v[CX_S_NPS_N];
        break;

    default:
        n = s->v[CX_S_INFERRED_N];
        n = n < s->v[CX_S_CES_N] ? s->v[CX_S_CES_N] : n;
    }

    return n >= CX_RANK_MIN;
}


size_t
cx_score_print(char *dst, const cx_score_t *s, int figure)
{
    char    *d;
    double   v;
    uint64_t n, scale;
    unsigned i;

    v = s->v[figure];
    d = dst;
    scale = 1;

    for (i = 0; i < cx_score_digits[figure]; i++) {
        scale *= 10;
    }

    if (scale == 1) {
        return cx_digits(dst, v > 0 ? (uint64_t) llround(v) : 0);
    }

    n = (uint64_t) llround(fabs(v) * (double) scale);

    if (v < 0 && n) {
        *d++ = '-';
    }

    d += cx_digits(d, n / scale);
    *d++ = '.';

    for (n %= scale; i > 0; i--) {
        n *= 10;
        *d++ = (char) ('0' + n / scale);
        n %= scale;
    }

    return (size_t) (d - dst);
}


long
cx_first_quantile(const cx_rollup_t *r, double q)
{
    int     i;
    int64_t n, below;

    n = 0;

    for (i = CX_R_FIRST; i <= CX_R_FIRST_MORE; i++) {
        n += r->v[i];
    }

    if (n == 0) {
        return -1;
    }

    below = 0;

    for (i = CX_R_FIRST; i < CX_R_FIRST_MORE; i++) {
        below += r->v[i];

        if ((double) below >= q * (double) n) {
            return cx_first_ms[i - CX_R_FIRST];
        }
    }

    return 0;
}
