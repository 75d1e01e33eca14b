/* Where an event counts: its page in an hour and a day, and the site. */

#include <string.h>
#include "cx_agg_fold.h"


int64_t
cx_fold_int(const cx_str_t *v, int64_t none)
{
    int64_t n;

    return v->len == 0 || cx_number(&n, v) ? none : n;
}


int
cx_fold_same(const cx_str_t *a, const cx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


int
cx_fold_is(const cx_str_t *v, const char *text)
{
    return v->len > 0 && v->len == strlen(text)
           && memcmp(v->data, text, v->len) == 0;
}


void
cx_fold_place(cx_place_t *at, cx_agg_site_t *s, const cx_str_t *page,
              int64_t ms, int64_t now, unsigned *other, int known)
{
    int              g;
    cx_agg_cell_t   *c;
    cx_agg_window_t *w;

    at->survey = NULL;

    for (g = 0; g < CX_GRANS; g++) {
        w = cx_agg_window(s, g, ms, now);

        if (w == NULL) {
            at->page[g] = NULL;
            continue;
        }

        if (known && (*other & 1u << g)) {
            at->page[g] = cx_agg_cell_other(w, CX_KEY_PAGE);
            continue;
        }

        c = cx_agg_cell(s, w, CX_KEY_PAGE, page);
        at->page[g] = c;

        if (!known && !cx_fold_same(&c->node.key, page)) {
            *other |= 1u << g;
        }
    }
}


void
cx_fold_survey(cx_place_t *at, cx_agg_site_t *s, const cx_str_t *survey,
               int64_t ms, int64_t now, unsigned *other, int known)
{
    cx_agg_window_t *w;

    w = cx_agg_window(s, CX_DAY, ms, now);

    if (w == NULL) {
        return;
    }

    if (known && (*other & CX_ANSWER_OTHER_SURVEY)) {
        at->survey = cx_agg_cell_other(w, CX_KEY_SURVEY);
        return;
    }

    at->survey = cx_agg_cell(s, w, CX_KEY_SURVEY, survey);

    if (!known && !cx_fold_same(&at->survey->node.key, survey)) {
        *other |= CX_ANSWER_OTHER_SURVEY;
    }
}


void
cx_fold_add(cx_agg_site_t *s, const cx_place_t *at, int field, int64_t n)
{
    int            g;
    cx_agg_cell_t *c;

    for (g = 0; g < CX_GRANS; g++) {
        c = at->page[g];

        if (c == NULL) {
            continue;
        }

        if (!c->changed) {
            cx_agg_cell_change(s, c);
        }

        cx_rollup_add(&c->roll, field, n);
        c = c->window->total;

        if (!c->changed) {
            cx_agg_cell_change(s, c);
        }

        cx_rollup_add(&c->roll, field, n);
    }

    if (at->survey) {
        cx_agg_cell_change(s, at->survey);
        cx_rollup_add(&at->survey->roll, field, n);
    }
}


void
cx_fold_add_site(cx_agg_site_t *s, int field, int64_t n, int64_t ms,
                 int64_t now)
{
    int              g;
    cx_agg_window_t *w;

    for (g = 0; g < CX_GRANS; g++) {
        w = cx_agg_window(s, g, ms, now);

        if (w) {
            cx_agg_cell_change(s, w->total);
            cx_rollup_add(&w->total->roll, field, n);
        }
    }
}


void
cx_fold_pattern(cx_agg_site_t *s, const cx_place_t *at,
                const unsigned char *count, int delta)
{
    int            g;
    unsigned       tenths;
    cx_agg_cell_t *c;

    tenths = cx_friction_tenths(count, &s->conf->tuning);

    for (g = 0; g < CX_GRANS; g++) {
        c = at->page[g];

        if (c == NULL) {
            continue;
        }

        cx_agg_cell_change(s, c);
        cx_agg_cell_change(s, c->window->total);

        if (cx_rollup_pattern(&c->roll, count, tenths, delta)
            || cx_rollup_pattern(&c->window->total->roll, count, tenths, delta))
        {
            cx_realloc(NULL, SIZE_MAX); /* says it, and ends */
        }
    }
}
