/* link: core/cx_signal.c core/cx_keys.c aggregator/cx_agg_rollup.c
 * aggregator/cx_agg_score.c -lm */

/* Scores against figures worked out by hand or taken from statistics tables. */

#include <math.h>
#include <stdlib.h>
#include "cx_score.h"
#include "tap.h"


static cx_tuning_t  tuning;


static void
near(double got, double want, double by, const char *what)
{
    ok(fabs(got - want) <= by, "%s: %.4f, want %.4f", what, got, want);
}


static void
visits(cx_rollup_t *r, int signal, int count, int n)
{
    unsigned char  c[CX_SIG_N];

    memset(c, 0, sizeof(c));

    if (count) {
        c[signal] = (unsigned char) count;
    }

    while (n--) {
        r->v[CX_R_VISITS]++;
        r->v[CX_R_VIEWS]++;
        cx_rollup_pattern(r, c, cx_friction_tenths(c, &tuning), 1);
    }
}


static void
test_tables(void)
{
    double  lo, hi;

    /* t quantiles of 0.975 from tables */

    near(cx_student(1), 12.706, 0.001, "t, 1 degree of freedom");
    near(cx_student(2), 4.303, 0.001, "t, 2");
    near(cx_student(5), 2.571, 0.001, "t, 5");
    near(cx_student(6), 2.447, 0.002, "t, 6");
    near(cx_student(10), 2.228, 0.001, "t, 10");
    near(cx_student(30), 2.042, 0.001, "t, 30");
    near(cx_student(1e6), 1.960, 0.001, "t, many");

    /* Wilson: 8 of 10 */

    cx_wilson(8, 10, &lo, &hi);
    near(lo, 0.4902, 0.0001, "Wilson 8/10, low");
    near(hi, 0.9433, 0.0001, "Wilson 8/10, high");
    cx_wilson(0, 1, &lo, &hi);
    near(lo, 0, 0, "Wilson 0/1, low");
    near(hi, 0.7935, 0.0001, "Wilson 0/1, high");
    cx_wilson(1, 1, &lo, &hi);
    near(lo, 0.2065, 0.0001, "Wilson 1/1, low");
    near(hi, 1, 0, "Wilson 1/1, high");
}


static void
test_effort(void)
{
    double       lo, p;
    cx_score_t   s;
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    cx_score(&s, &r, &r, &tuning);
    ok(!s.has[CX_S_EFFORT] && !s.has[CX_S_INFERRED] && !s.has[CX_S_COVERAGE]
       && !s.has[CX_S_SATISFACTION] && !s.has[CX_S_NPS] && !s.has[CX_S_CES],
       "without data every figure is absent");

    /* 3 quiet visits, 1 with one rage click: I = 100 (1 - e^-0.9) / 4 */

    visits(&r, 0, 0, 3);
    visits(&r, CX_SIG_RAGE_CLICK, 1, 1);
    r.v[CX_R_VIEWS_BROWSER] = 1;
    cx_score(&s, &r, &r, &tuning);
    p = 100 * (1 - exp(-0.9));
    near(s.v[CX_S_INFERRED], p / 4, 1e-9, "inferred effort");
    near(s.v[CX_S_EFFORT], p / 4, 1e-9, "is the effort while nobody answers");
    near(s.v[CX_S_COVERAGE], 25, 1e-9, "coverage");
    ok(s.v[CX_S_INFERRED_N] == 4 && s.v[CX_S_CES_N] == 0, "n");

    /* six observations 0 0 0 p 0 100; t of 4 degrees; 4 visits */

    {
        double  sum = p + 100, squares = p * p + 10000;
        double  half = 2.77644511
                       * sqrt((squares - sum * sum / 6) / 5 / 4);

        near(s.v[CX_S_EFFORT_HI], p / 4 + half, 1e-6, "effort, high");
        near(s.v[CX_S_EFFORT_LO], 0, 0, "effort, low");
    }

    /* CES answers 1 (100) and 4 (50): (20 I + 150) / 22 */

    r.v[CX_R_CES_1] = 1;
    r.v[CX_R_CES_4] = 1;
    cx_score(&s, &r, &r, &tuning);
    near(s.v[CX_S_EFFORT], (20 * p / 4 + 150) / 22, 1e-9,
         "effort with two answers");
    near(s.v[CX_S_CES], 75, 1e-9, "mean answered effort");
    ok(s.v[CX_S_CES_N] == 2, "n of answers");

    /* many answers win over behaviour */

    r.v[CX_R_CES_1] = 2000;
    r.v[CX_R_CES_4] = 0;
    cx_score(&s, &r, &r, &tuning);
    ok(s.v[CX_S_EFFORT] > 99, "2000 answers: %.2f", s.v[CX_S_EFFORT]);

    /* an answer that says the same as behaviour does not loosen the bound */

    cx_rollup_free(&r);
    visits(&r, CX_SIG_RAGE_CLICK, 3, 1000);
    cx_score(&s, &r, &r, &tuning);
    lo = s.v[CX_S_EFFORT_LO];
    r.v[CX_R_CES_1] = 1;
    cx_score(&s, &r, &r, &tuning);
    ok(lo - s.v[CX_S_EFFORT_LO] < 6, "one answer moves the low bound from "
       "%.1f to %.1f", lo, s.v[CX_S_EFFORT_LO]);

    /* answers alone, where visits are not told apart */

    cx_rollup_free(&r);
    r.v[CX_R_CES_4] = 3;
    cx_score(&s, &r, &r, &tuning);
    near(s.v[CX_S_EFFORT], 50, 1e-9, "answers alone");
    ok(!s.has[CX_S_INFERRED], "and nothing inferred");
    cx_rollup_free(&r);
}


/* never a page ranked worst on one angry click, or one angry answer */

static void
test_angry(void)
{
    double       bad, by;
    cx_score_t   s;
    cx_rollup_t  page, site;

    memset(&page, 0, sizeof(page));
    memset(&site, 0, sizeof(site));

    /* a mildly troubled page that many people saw */

    visits(&page, CX_SIG_SLOW_PAGE, 1, 30);
    visits(&page, 0, 0, 270);
    cx_score(&s, &page, &site, &tuning);
    ok(cx_score_rank(&bad, &s, CX_RANK_EFFORT) && bad > 0,
       "a page with 10 %% slow views is ranked by %.2f", bad);
    cx_rollup_free(&page);

    /* one visit, everything at its cap */

    visits(&page, CX_SIG_RAGE_CLICK, 3, 1);
    cx_score(&s, &page, &site, &tuning);
    ok(s.v[CX_S_EFFORT] > 90, "one angry visit has effort %.1f",
       s.v[CX_S_EFFORT]);
    ok(s.v[CX_S_EFFORT_LO] == 0, "but its low bound is 0");
    ok(!cx_score_rank(&by, &s, CX_RANK_EFFORT)
       && !cx_score_rank(&by, &s, CX_RANK_IMPACT), "and it is not ranked");

    /* one angry visit among five: ranked, but better than the first page */

    visits(&page, 0, 0, 4);
    cx_score(&s, &page, &site, &tuning);
    ok(cx_score_rank(&by, &s, CX_RANK_EFFORT) && by < bad,
       "one of five: %.2f, less than %.2f", by, bad);

    /* one answer of no satisfaction on a happy site */

    site.v[CX_R_CSAT_5] = 1000;
    site.v[CX_R_CSAT_1] = 1;
    page.v[CX_R_CSAT_1] = 1;
    cx_score(&s, &page, &site, &tuning);
    ok(!cx_score_rank(&by, &s, CX_RANK_SATISFACTION),
       "one bad answer is not ranked");
    ok(s.v[CX_S_SATISFACTION] > 90, "and shrunk: %.1f",
       s.v[CX_S_SATISFACTION]);
    page.v[CX_R_NPS_0] = 1;
    cx_score(&s, &page, &site, &tuning);
    ok(s.has[CX_S_NPS] && !cx_score_rank(&by, &s, CX_RANK_NPS),
       "nor one detractor");

    cx_rollup_free(&page);
}


static void
test_satisfaction(void)
{
    double       lo, hi;
    cx_score_t   s;
    cx_rollup_t  page, site;

    memset(&page, 0, sizeof(page));
    memset(&site, 0, sizeof(site));
    page.v[CX_R_CSAT_4] = 2;
    page.v[CX_R_CSAT_5] = 1;
    page.v[CX_R_CSAT_3] = 4;
    page.v[CX_R_PSAT_1] = 1;
    page.v[CX_R_PSAT_0] = 2;

    /* 4 of 10, alone on its site: not shrunk to itself */

    cx_score(&s, &page, &page, &tuning);
    cx_wilson(4, 10, &lo, &hi);
    near(s.v[CX_S_SATISFACTION], 40, 1e-9, "satisfaction, alone");
    near(s.v[CX_S_SATISFACTION_LO], 100 * lo, 1e-9, "low");
    near(s.v[CX_S_SATISFACTION_HI], 100 * hi, 1e-9, "high");
    ok(s.v[CX_S_PRIOR_K] == 0 && s.v[CX_S_SATISFACTION_N] == 10, "n");

    /* site 84 of 110: prior of 20 answers at 84/110 */

    site.v[CX_R_CSAT_5] = 84;
    site.v[CX_R_CSAT_1] = 26;
    cx_score(&s, &page, &site, &tuning);
    near(s.v[CX_S_SATISFACTION], 100 * (4 + 20 * 84 / 110.0) / 30, 1e-9,
         "shrunk to the site");
    ok(s.v[CX_S_PRIOR_K] == 20, "by 20 answers");

    /* other pages have but 3 answers */

    site.v[CX_R_CSAT_5] = 7;
    site.v[CX_R_CSAT_1] = 6;
    cx_score(&s, &page, &site, &tuning);
    ok(s.v[CX_S_PRIOR_K] == 3, "or as many as the site has elsewhere");
}


static void
test_nps(void)
{
    double       p, d, half;
    cx_score_t   s;
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    r.v[CX_R_NPS_10] = 4;
    r.v[CX_R_NPS_9] = 1;
    r.v[CX_R_NPS_8] = 2;
    r.v[CX_R_NPS_7] = 1;
    r.v[CX_R_NPS_6] = 1;
    r.v[CX_R_NPS_0] = 1;
    cx_score(&s, &r, &r, &tuning);
    near(s.v[CX_S_NPS], 30, 1e-9, "NPS 5 - 2 of 10");

    p = 5.75 / 13;
    d = 2.75 / 13;
    half = 1.959964 * sqrt((p + d - (p - d) * (p - d)) / 13);
    near(s.v[CX_S_NPS_LO], 100 * (p - d - half), 1e-4, "low");
    near(s.v[CX_S_NPS_HI], 100 * (p - d + half), 1e-4, "high");

    memset(&r, 0, sizeof(r));
    r.v[CX_R_NPS_10] = 1;
    cx_score(&s, &r, &r, &tuning);
    ok(s.v[CX_S_NPS] == 100 && s.v[CX_S_NPS_HI] == 100
       && s.v[CX_S_NPS_LO] < 0, "one promoter: 100, from %.1f",
       s.v[CX_S_NPS_LO]);
}


static void
test_print(void)
{
    char        text[32];
    cx_score_t  s;

    memset(&s, 0, sizeof(s));
    s.v[CX_S_NPS] = -0.001;
    text[cx_score_print(text, &s, CX_S_NPS)] = '\0';
    ok(strcmp(text, "0.00") == 0, "no negative zero: %s", text);
    s.v[CX_S_VIEWS] = 1e12;
    text[cx_score_print(text, &s, CX_S_VIEWS)] = '\0';
    ok(strcmp(text, "1000000000000") == 0, "no exponent: %s", text);
}


static void
test_first(void)
{
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    ok(cx_first_quantile(&r, 0.5) == -1, "no quantile without data");
    r.v[CX_R_FIRST_10] = 5;
    r.v[CX_R_FIRST_200] = 5;
    ok(cx_first_quantile(&r, 0.5) == 10, "median");
    ok(cx_first_quantile(&r, 0.75) == 200, "third quartile");
    r.v[CX_R_FIRST_MORE] = 30;
    ok(cx_first_quantile(&r, 0.75) == 0, "beyond the last bound");
}


static void
test_coverage(void)
{
    cx_score_t   s;
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    r.v[CX_R_VIEWS] = 10;
    r.v[CX_R_VIEWS_UNTOLD] = 2;
    r.v[CX_R_VIEWS_BROWSER] = 6;
    cx_score(&s, &r, &r, &tuning);
    near(s.v[CX_S_COVERAGE], 75, 1e-9, "coverage of what can be joined");
    r.v[CX_R_VIEWS_UNTOLD] = 10;
    cx_score(&s, &r, &r, &tuning);
    ok(!s.has[CX_S_COVERAGE], "absent where nothing can be");
}


static void
test_apdex(void)
{
    double       p, d, half;
    char         text[32];
    cx_score_t   s;
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    cx_score(&s, &r, &r, &tuning);
    ok(!s.has[CX_S_APDEX] && s.v[CX_S_APDEX_N] == 0, "no views, no Apdex");

    /* 60 satisfied, 30 tolerating, 10 frustrated: (60 + 15) / 100 */

    r.v[CX_R_APDEX_SATISFIED] = 60;
    r.v[CX_R_APDEX_TOLERATING] = 30;
    r.v[CX_R_APDEX_FRUSTRATED] = 10;
    cx_score(&s, &r, &r, &tuning);
    near(s.v[CX_S_APDEX], 0.75, 1e-12, "Apdex");
    p = 60.75 / 103;
    d = 10.75 / 103;
    half = 1.959964 * sqrt((p + d - (p - d) * (p - d)) / 103);
    near(s.v[CX_S_APDEX_LO], (1 + p - d - half) / 2, 1e-6, "low");
    near(s.v[CX_S_APDEX_HI], (1 + p - d + half) / 2, 1e-6, "high");
    ok(s.v[CX_S_APDEX_N] == 100, "n");
    text[cx_score_print(text, &s, CX_S_APDEX)] = '\0';
    ok(strcmp(text, "0.750") == 0, "three digits: %s", text);

    memset(&r, 0, sizeof(r));
    r.v[CX_R_APDEX_SATISFIED] = 2;
    cx_score(&s, &r, &r, &tuning);
    ok(s.v[CX_S_APDEX] == 1 && s.v[CX_S_APDEX_HI] == 1
       && s.v[CX_S_APDEX_LO] < 0.8, "two views: 1, from %.3f",
       s.v[CX_S_APDEX_LO]);
}


static void
test_peak_end(void)
{
    double       mean, lo, hi, ep, ee;
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    ok(cx_peak_end(&r, &mean, &lo, &hi) == 0, "no visits to the site");
    r.v[CX_R_SESSIONS] = 4;
    ok(cx_peak_end(&r, &mean, &lo, &hi) == 1 && mean == 0 && lo == 0
       && hi > 0, "four without friction: 0 to %.1f", hi);

    /* peaks 15 95 0 0, ends 5 0 0 0: means 27.5 and 1.25 */

    r.v[CX_R_PEAK_20] = 1;
    r.v[CX_R_PEAK_100] = 1;
    r.v[CX_R_END_10] = 1;
    cx_peak_end(&r, &mean, &lo, &hi);
    near(mean, (27.5 + 1.25) / 2, 1e-9, "mean of peak and end");

    /* with 0 and 100 as well: six observations each, four visits */

    ep = sqrt((15 * 15 + 95 * 95 + 10000 - 210. * 210 / 6) / 5 / 4);
    ee = sqrt((5 * 5 + 10000 - 105. * 105 / 6) / 5 / 4);
    near(hi, mean + 2.77644511 * (ep + ee) / 2, 1e-6, "high");
    near(lo, 0, 0, "low");

    r.v[CX_R_SESSIONS] = 4000;
    r.v[CX_R_PEAK_20] = 1000;
    r.v[CX_R_PEAK_100] = 1000;
    r.v[CX_R_END_10] = 1000;
    cx_peak_end(&r, &mean, &lo, &hi);
    ok(fabs(mean - 14.375) < 1e-9 && lo > 13 && hi < 16,
       "of 4000: %.2f, %.2f to %.2f", mean, lo, hi);
}


int
main(void)
{
    cx_tuning_default(&tuning);
    test_tables();
    test_effort();
    test_angry();
    test_satisfaction();
    test_nps();
    test_coverage();
    test_apdex();
    test_peak_end();
    test_print();
    test_first();

    return tap_done();
}
