/*
 * cxctl check of a day's surveys: the counters of each, and all of them
 * together against the site's.
 */

#include <stdio.h>
#include <string.h>
#include "cxctl_check.h"


/* what surveys have in common with pages: the sum is the site's */

static int
cx_check_shared(int field)
{
    return (field >= CX_R_WOULD_SHOW && field <= CX_R_VOLUNTEERED)
           || field >= CX_R_SCORE;
}


static void
cx_check_surveys_sum(cx_check_t *k, const cx_ctl_window_t *w,
                     const cx_rollup_t *sum)
{
    int i, refused;

    for (i = 0; i < CX_R_N; i++) {
        refused = i >= CX_R_REFUSED_TOKEN && i <= CX_R_REFUSED_FLOOD;

        /* of some that were refused no survey is known */

        if ((cx_check_shared(i) && sum->v[i] != k->total.v[i])
            || (refused && sum->v[i] > k->total.v[i]))
        {
            cx_check_problem(k,
                             "d %lld: %s of the site is %lld, its surveys add "
                             "up to %lld",
                             (long long) w->window, cx_rollup_names[i],
                             (long long) k->total.v[i], (long long) sum->v[i]);
        }
    }
}


static int
cx_check_survey(cx_check_t *k, const cx_ctl_window_t *w, const cx_ctl_page_t *p,
                cx_rollup_t *sum)
{
    char        what[CX_PAGE_MAX + 32];
    cx_rollup_t r;

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    snprintf(what, sizeof(what), "d %lld survey %.64s", (long long) w->window,
             (char *) p->name.data);
    cx_ctl_rollup(k->ctl, &r);
    cx_check_rollup(k, &r, what);

    if (r.v[CX_R_ANSWERED] != p->views) {
        cx_check_problem(k, "%s: %lld answers, the index says %lld", what,
                         (long long) r.v[CX_R_ANSWERED], (long long) p->views);
    }

    (void) cx_rollup_sum(sum, &r);
    cx_rollup_free(&r);

    return 0;
}


int
cx_check_surveys(cx_check_t *k, const cx_ctl_window_t *w)
{
    int            rc;
    char           key[CX_KEY_MAX + 1];
    size_t         i, n;
    cx_rollup_t    sum;
    cx_ctl_page_t *p;

    cx_ctl_ask(k->ctl, 5, "ZRANGE",
               cx_ctl_key(k->ctl, key, CX_KEY_SURVEYS, w->gran, w->window,
                          NULL),
               "0", "-1", "WITHSCORES");

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    p = cx_ctl_pages(k->ctl, &n);
    memset(&sum, 0, sizeof(cx_rollup_t));
    rc = 0;

    for (i = 0; i < n; i++) {
        cx_ctl_ask(k->ctl, 2, "HGETALL",
                   cx_ctl_key(k->ctl, key, CX_KEY_SURVEY, w->gran, w->window,
                              &p[i].name));
    }

    for (i = 0; i < n && rc == 0; i++) {
        rc = cx_check_survey(k, w, &p[i], &sum);
    }

    if (rc == 0) {
        cx_check_surveys_sum(k, w, &sum);
    }

    cx_ctl_pages_free(p, n);
    cx_rollup_free(&sum);

    return rc;
}
