/* From counters to figures (step 7).  Pure: no clock, no I/O. */

#ifndef CX_SCORE_H
#define CX_SCORE_H

#include "cx_rollup.h"

#define CX_PRIOR_K  20       /* answers that behaviour, or the site's share
                                of satisfied, is worth */
#define CX_Z        1.959963984540054     /* normal quantile of 0.975 */

typedef struct {
    double         v[CX_S_N];
    unsigned char  has[CX_S_N];          /* 0: no data, the figure is absent */
} cx_score_t;

/*
 * The figures of a page, given the counters of its site in that window and the
 * strengths and caps in force.
 */
void cx_score(cx_score_t *s, const cx_rollup_t *page, const cx_rollup_t *site,
    const cx_tuning_t *t);

/*
 * Remembered friction (peak-end rule) of the visits to a site: the mean of
 * (peak + end) / 2 in percent and its 95 % interval, from the middle of each
 * bin, 0 for visits without friction.  The interval takes peak and end as fully
 * correlated, so it is rather too wide.  0 without visits to the site, else 1.
 */
int cx_peak_end(const cx_rollup_t *total, double *mean, double *lo,
    double *hi);

/* 1 and what the page is ranked by, or 0: too little is known to rank it */
int cx_score_rank(double *by, const cx_score_t *s, int rank);

/*
 * A figure as it is stored: fixed digits, no exponent, no "-0".  dst holds
 * 32 bytes; returns the length.
 */
size_t cx_score_print(char *dst, const cx_score_t *s, int figure);

/* Wilson interval of x out of n, as shares; n > 0, need not be whole */
void cx_wilson(double x, double n, double *lo, double *hi);

/* 0.975 quantile of Student's t, df >= 1 */
double cx_student(double df);

/* satisfied answers (csat and psat5 4 and 5, csat7 6 and 7, psat 1) and all
   CSAT and PSAT answers */
void cx_satisfied(const cx_rollup_t *r, int64_t *x, int64_t *n);

/*
 * Upper bound in ms of the bucket that holds the q-quantile of first_ms;
 * -1 without data, 0 for the open last bucket.
 */
long cx_first_quantile(const cx_rollup_t *r, double q);

#endif /* CX_SCORE_H */
