/* What the files of cxctl check share. */

#ifndef CXCTL_CHECK_H
#define CXCTL_CHECK_H

#include "cxctl.h"

#define CX_CHECK_KEPT  50            /* problems that are told, of a site */

typedef struct {
    cx_ctl_t         *ctl;
    cx_ctl_window_t  *window;
    size_t            n;
    size_t            windows;
    size_t            pages;
    size_t            unscored;      /* changed since they were scored */
    size_t            busy;          /* windows that would not hold still */
    size_t            problems;
    size_t            fresh;         /* of the window being read */
    char             *text[CX_CHECK_KEPT];
    cx_rollup_t       total;         /* as stored, of the window */
    cx_rollup_t       sum;           /* of its pages, or hours */
    unsigned          sums:1;        /* figures are checked, of sums */
} cx_check_t;

/* ---- cxctl_check_tell.c ---- */

void cx_check_problem(cx_check_t *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* all that was found on a site: to stdout, or appended to a list for --json */
void cx_check_tell(cx_check_t *k, json_t *list);


/* ---- cxctl_check.c ---- */

/* "id updated" of the checkpoint of the site in hand; 0, or -1 (said) */
int cx_check_mark(cx_check_t *k, char *dst, size_t size);

/* "<g> <w> <page>" */
void cx_check_what(char *dst, size_t size, const cx_ctl_window_t *w,
    const cx_ctl_page_t *p);

/* whether a page has to be scored, by the site or shard in hand */
void cx_check_ask_dirty(cx_check_t *k, const cx_ctl_window_t *w,
    const cx_ctl_page_t *p);

/* figures and ranks, and the replies, told unless they are out of date */
void cx_check_ask_figures(cx_check_t *k, const cx_ctl_window_t *w,
    const cx_ctl_page_t *p);
int cx_check_figures(cx_check_t *k, const cx_ctl_page_t *p,
    const cx_score_t *s, int dirty, const char *what);


/* ---- cxctl_check_sums.c: of a split site ---- */

/* what must not change while we read: all checkpoints, and the count of writes
   of figures; 0, or -1 (said) */
int cx_check_mark_sums(cx_check_t *k, char *dst, size_t size);

/* a window; how many pages it has; 0, or -1 (said) */
int cx_check_read_sums(cx_check_t *k, const cx_ctl_window_t *w,
    size_t *pages);

/* cxctl_check_surveys.c: a day's surveys against k->total; 0, or -1 (said) */
int cx_check_surveys(cx_check_t *k, const cx_ctl_window_t *w);

/* cxctl_check_rules.c: do the counters of a page or site agree? */
void cx_check_rollup(cx_check_t *k, const cx_rollup_t *r, const char *what);

#endif /* CXCTL_CHECK_H */
