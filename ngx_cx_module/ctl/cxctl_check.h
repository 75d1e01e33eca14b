/* What the files of cxctl check share. */

#ifndef CXCTL_CHECK_H
#define CXCTL_CHECK_H

#include "cxctl.h"

#define CX_CHECK_KEPT  50            /* problems that are told, of a site */

typedef struct {
    cx_ctl_t         *ctl;
    cx_ctl_window_t  *window;
    size_t            n;
    size_t            pages;
    size_t            unscored;      /* changed since they were scored */
    size_t            busy;          /* windows that would not hold still */
    size_t            problems;
    size_t            fresh;         /* of the window being read */
    char             *text[CX_CHECK_KEPT];
    cx_rollup_t       total;         /* as stored, of the window */
    cx_rollup_t       sum;           /* of its pages, or hours */
} cx_check_t;

void cx_check_problem(cx_check_t *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cxctl_check_rules.c: do the counters of a page or site agree? */
void cx_check_rollup(cx_check_t *k, const cx_rollup_t *r, const char *what);

#endif /* CXCTL_CHECK_H */
