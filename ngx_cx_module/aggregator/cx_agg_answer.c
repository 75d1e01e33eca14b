/* Answers: the first event of an id counts, later ones correct it. */

#include <string.h>
#include "cx_agg_fold.h"

static const cx_str_t cx_asked = { 5, (unsigned char *) "asked" };


int
cx_agg_score_field(const cx_str_t *metric, const cx_str_t *score)
{
    int64_t n;
#define CX_ROW(id, name, score) +(sizeof(name) > 1)
    enum { rows = 0 CX_ROLLUP_SCORES(CX_ROW) };
#undef CX_ROW
#define CX_ROW(id, name, score) { name, score },
    static const struct {
        const char *metric;
        int         score;
    } row[rows] = { CX_ROLLUP_SCORES(CX_ROW) };
#undef CX_ROW
    int i;

    n = cx_fold_int(score, -1);

    for (i = 0; i < rows; i++) {
        if (row[i].score == n && cx_fold_is(metric, row[i].metric)) {
            return CX_R_NPS_0 + i;
        }
    }

    return -1;
}


/* notes that the site's share of satisfied moved: all pages lean on it */

static void
cx_fold_satisfied(const cx_place_t *at, int field)
{
    int g;

    for (g = 0; g < CX_GRANS; g++) {
        if (at->page[g] && field >= CX_R_CSAT_1
            && !(field >= CX_R_CES_1 && field <= CX_R_CES_7))
        {
            at->page[g]->window->satisfied = 1;
        }
    }
}


static void
cx_fold_answer_new(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
                   int field, int64_t ts, int64_t now)
{
    int        i;
    unsigned   other;
    cx_place_t at;

    for (i = 0; i < CX_ANSWER_N; i++) {
        if (i != CX_ANSWER_VISIT && i != CX_ANSWER_VIEW
            && i != CX_ANSWER_ANSWER) {
            cx_agg_answer_set(a, i, &ev->v[i]);
        }
    }

    if (ev->v[CX_ANSWER_SOURCE].len == 0) {
        cx_agg_answer_set(a, CX_ANSWER_SOURCE, &cx_asked);
    }

    other = 0;
    cx_fold_place(&at, s, &ev->v[CX_COMMON_PAGE], ts, now, &other, 0);
    cx_fold_survey(&at, s, &ev->v[CX_ANSWER_SURVEY], ts, now, &other, 0);

    a->exists = 1;
    a->ts = ts;
    a->field = field;
    a->other = (unsigned char) other;
    a->text = ev->v[CX_ANSWER_TEXT].len > 0;

    cx_fold_add(s, &at, CX_R_ANSWERED, 1);
    cx_fold_add(s, &at,
                cx_fold_is(&ev->v[CX_ANSWER_SOURCE], "volunteered")
                    ? CX_R_VOLUNTEERED
                    : CX_R_ASKED,
                1);
    cx_fold_add(s, &at, field, 1);
    cx_fold_satisfied(&at, field);

    if (a->text) {
        cx_fold_add(s, &at, CX_R_TEXT, 1);
    }

    s->life[CX_LIFE_ANSWERS]++;
}


/* 1 if a field is not known yet, and the later event may say it */

static int
cx_fold_answer_open(const cx_agg_answer_t *a, int field, int joined)
{
    if (field == CX_ANSWER_VIEW || field == CX_ANSWER_ANSWER) {
        return 0;
    }

    /* what belongs to one view of a page is not mixed with another's */

    if (field >= CX_ANSWER_VIEW_TS && field <= CX_ANSWER_CACHE) {
        return !joined;
    }

    return a->v[field].len == 0;
}


/* 1 if the event had news */

static int
cx_fold_answer_again(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
                     int field, int64_t now)
{
    int             i, news, joined;
    unsigned        other;
    cx_place_t      at;
    const cx_str_t *text;

    other = a->other;
    cx_fold_place(&at, s, &a->v[CX_COMMON_PAGE], a->ts, now, &other, 1);
    cx_fold_survey(&at, s, &a->v[CX_ANSWER_SURVEY], a->ts, now, &other, 1);
    news = 0;

    if (field != a->field) {
        cx_fold_add(s, &at, a->field, -1);
        cx_fold_add(s, &at, field, 1);
        cx_fold_satisfied(&at, field);
        cx_agg_answer_set(a, CX_ANSWER_SCORE, &ev->v[CX_ANSWER_SCORE]);
        a->field = field;
        news = 1;
    }

    text = &ev->v[CX_ANSWER_TEXT];

    if (text->len && !cx_fold_same(text, &a->v[CX_ANSWER_TEXT])) {
        if (a->v[CX_ANSWER_TEXT].len == 0) {
            cx_fold_add(s, &at, CX_R_TEXT, 1);
            a->text = 1;
        }

        cx_agg_answer_set(a, CX_ANSWER_TEXT, text);
        news = 1;
    }

    joined = a->v[CX_ANSWER_VIEW_TS].len > 0;

    for (i = CX_COMMON_TOUCHPOINT; i < CX_ANSWER_N; i++) {
        if (ev->v[i].len && cx_fold_answer_open(a, i, joined)) {
            cx_agg_answer_set(a, i, &ev->v[i]);
            news = 1;
        }
    }

    return news;
}


void
cx_fold_answer(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
               int field, int64_t ts, int64_t now)
{
    if (!a->exists) {
        cx_fold_answer_new(s, a, ev, field, ts, now);

    } else if (cx_fold_answer_again(s, a, ev, field, now)) {
        s->life[CX_LIFE_COMPLETED]++;

    } else {
        s->life[CX_LIFE_DUPLICATES]++;
        return;
    }

    if (!a->changed) {
        a->changed = 1;
        a->next_changed = s->answers_changed;
        s->answers_changed = a;
        s->changes += 60;
    }
}


const char *
cx_fold_answer_check(cx_agg_site_t *s, cx_agg_answer_t **answer, int *field,
                     const cx_event_t *ev)
{
    cx_agg_answer_t *a;

    *field = cx_agg_score_field(&ev->v[CX_ANSWER_METRIC],
                                &ev->v[CX_ANSWER_SCORE]);
    if (*field < 0) {
        return "bad metric or score";
    }

    a = cx_agg_answer(s, &ev->v[CX_ANSWER_ANSWER]);
    *answer = a;

    if (a->exists
        && (!cx_fold_same(&a->v[CX_ANSWER_SURVEY], &ev->v[CX_ANSWER_SURVEY])
            || !cx_fold_same(&a->v[CX_ANSWER_METRIC],
                             &ev->v[CX_ANSWER_METRIC])))
    {
        return "answer of another survey";
    }

    return NULL;
}
