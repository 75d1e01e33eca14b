/*
 * cxctl check of a split site: its figures and ranks against the sums of the
 * counters over its shards.  Those are checked one by one before.
 */

#include <stdio.h>
#include <string.h>
#include "cxctl_check.h"


int
cx_check_mark_sums(cx_check_t *k, char *dst, size_t size)
{
    int    i;
    char   key[CX_KEY_MAX + 1];
    size_t len;

    for (i = 0, len = 0; i < (int) k->ctl->parts; i++) {
        cx_ctl_part(k->ctl, i);

        if (cx_check_mark(k, dst + len, size - len)) {
            return -1;
        }

        len += strlen(dst + len);
    }

    cx_ctl_part(k->ctl, -1);
    cx_ctl_ask(k->ctl, 2, "GET",
               cx_ctl_key(k->ctl, key, CX_KEY_SCORED, 0, 0, NULL));

    if (cx_ctl_get(k->ctl)) {
        return -1;
    }

    if (k->ctl->reply.type[0] == REDIS_REPLY_STRING) {
        snprintf(dst + len, size - len, " %s",
                 (char *) k->ctl->reply.s[0].data);
    }

    return 0;
}


static int
cx_check_sum_page(cx_check_t *k, const cx_ctl_window_t *w,
                  const cx_ctl_page_t *p)
{
    int         i, rc, dirty;
    char        what[CX_PAGE_MAX + 32];
    cx_score_t  s;
    cx_rollup_t r;

    cx_check_what(what, sizeof(what), w, p);

    if (cx_ctl_sum(k->ctl, &r, CX_KEY_PAGE, w->gran, w->window, &p->name) < 0) {
        return -1;
    }

    for (i = 0; i < (int) k->ctl->parts; i++) {
        cx_ctl_part(k->ctl, i);
        cx_check_ask_dirty(k, w, p);
    }

    for (i = 0, rc = 0, dirty = 0; i < (int) k->ctl->parts && rc == 0; i++) {
        cx_ctl_part(k->ctl, i);
        rc = cx_ctl_get(k->ctl);
        dirty |= rc == 0 && k->ctl->reply.s[0].len != 0;
    }

    cx_ctl_part(k->ctl, -1);
    cx_score(&s, &r, &k->total, &k->ctl->tuning);
    cx_rollup_free(&r);

    if (rc) {
        return -1;
    }

    cx_check_ask_figures(k, w, p);

    return cx_check_figures(k, p, &s, dirty, what);
}


int
cx_check_read_sums(cx_check_t *k, const cx_ctl_window_t *w, size_t *pages)
{
    int            rc;
    size_t         i, n;
    cx_ctl_page_t *p;

    cx_rollup_free(&k->total);

    if (cx_ctl_sum(k->ctl, &k->total, CX_KEY_TOTAL, w->gran, w->window, NULL)
        < 0) {
        return -1;
    }

    p = cx_ctl_index(k->ctl, CX_KEY_PAGES, w->gran, w->window, 0, &n);

    if (p == NULL) {
        return -1;
    }

    for (i = 0, rc = 0; i < n && rc == 0; i++) {
        rc = cx_check_sum_page(k, w, &p[i]);
    }

    cx_ctl_pages_free(p, n);
    *pages = n;

    return rc;
}
