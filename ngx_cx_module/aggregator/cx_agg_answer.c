/* Answers: the first event of an id counts, later ones correct it. */

#include <string.h>
#include "cx_agg_fold.h"

/* what an answer adds to the counters; nothing: -1, 0 */
typedef struct {
    int score;  /* CX_R_NPS_0 ..., or -1 */
    int choice; /* bits of options by position */
    int text;   /* CX_R_TEXT_EN ..., or -1 */
    int done;
} cx_answer_counts_t;

static const cx_str_t cx_asked = { 5, (unsigned char *) "asked" };
static const cx_str_t cx_nothing = { 0, (unsigned char *) "" };


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

    if (cx_fold_is(metric, "choice") || cx_fold_is(metric, "choices")
        || cx_fold_is(metric, "text"))
    {
        return score->len ? CX_AGG_SCORE_BAD : CX_AGG_SCORE_NONE;
    }

    n = cx_fold_int(score, -1);

    for (i = 0; i < rows; i++) {
        if (row[i].score == n && cx_fold_is(metric, row[i].metric)) {
            return CX_R_SCORE + i;
        }
    }

    return CX_AGG_SCORE_BAD;
}


/* text:<language> for the first part of a language tag */

static int
cx_answer_language(const cx_str_t *lang)
{
    int    i;
    size_t k, len;
#define CX_ROW(id, tag) tag,
    static const char *const tag[] = { CX_TEXTS(CX_ROW) };
#undef CX_ROW

    for (len = 0;
         len < lang->len && lang->data[len] != '-' && lang->data[len] != '_';
         len++)
    {
        /* void */
    }

    for (i = 0; CX_R_TEXTS + i < CX_R_TEXT_OTHER; i++) {
        for (k = 0; k < len && (lang->data[k] | 0x20) == tag[i][k]; k++) {
            /* void */
        }

        if (k == len && tag[i][k] == '\0') {
            break;
        }
    }

    return CX_R_TEXTS + i;
}


static void
cx_answer_counts(cx_answer_counts_t *n, const cx_agg_answer_t *a)
{
    n->score = a->field;
    n->text = -1;
    n->choice = 0;
    n->done = a->v[CX_ANSWER_DONE].len > 0;

    if (a->v[CX_ANSWER_TEXT].len) {
        n->text = cx_answer_language(&a->v[CX_ANSWER_LANG]);
    }

    if (a->v[CX_ANSWER_CHOICE].len) {
        n->choice = cx_survey_choice(&a->v[CX_ANSWER_CHOICE]);
        n->choice = n->choice < 0 ? 0 : n->choice;
    }
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


/* one counter's answer to another one; -1: there is none */

static void
cx_answer_swap(cx_agg_site_t *s, const cx_place_t *at, int from, int to)
{
    if (from == to) {
        return;
    }

    if (from >= 0) {
        cx_fold_add(s, at, from, -1);
    }

    if (to >= 0) {
        cx_fold_add(s, at, to, 1);
    }
}


static void
cx_answer_move(cx_agg_site_t *s, const cx_place_t *at,
               const cx_answer_counts_t *from, const cx_answer_counts_t *to)
{
    int i, bit;

    if (from->score != to->score) {
        cx_answer_swap(s, at, from->score, to->score);
        cx_fold_satisfied(at, to->score);
    }

    cx_answer_swap(s, at, from->text, to->text);

    if (from->text < 0 && to->text >= 0) {
        cx_fold_add(s, at, CX_R_TEXT, 1);
    }

    if (!from->done && to->done) {
        cx_fold_add(s, at, CX_R_DONE, 1);
    }

    for (i = 0; i < CX_OPTIONS_MAX; i++) {
        bit = 1 << i;

        if ((from->choice ^ to->choice) & bit) {
            cx_fold_add(s, at, CX_R_CHOICE + i, to->choice & bit ? 1 : -1);
        }
    }
}


/* the counter of a source */

static int
cx_answer_source(const cx_str_t *source)
{
    if (cx_fold_is(source, "volunteered")) {
        return CX_R_VOLUNTEERED;
    }

    return cx_fold_is(source, "invited") ? CX_R_INVITED : CX_R_ASKED;
}


static void
cx_answer_place(cx_place_t *at, cx_agg_site_t *s, const cx_agg_answer_t *a,
                int64_t now, unsigned *other, int known)
{
    char     room[CX_AGG_SURVEY_LEN];
    cx_str_t survey;

    survey = cx_agg_survey(room, &a->v[CX_ANSWER_SURVEY],
                           &a->v[CX_ANSWER_VERSION]);
    cx_fold_place(at, s, &a->v[CX_COMMON_PAGE], a->ts, now, other, known);
    cx_fold_survey(at, s, &survey, a->ts, now, other, known);
}


static void
cx_fold_answer_new(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
                   int field, int64_t ts, int64_t now)
{
    int                i;
    unsigned           other;
    cx_place_t         at;
    cx_answer_counts_t none, n;

    for (i = 0; i < CX_ANSWER_N; i++) {
        if (i != CX_ANSWER_VISIT && i != CX_ANSWER_ANSWER) {
            cx_agg_answer_set(a, i, &ev->v[i]);
        }
    }

    if (ev->v[CX_ANSWER_SOURCE].len == 0) {
        cx_agg_answer_set(a, CX_ANSWER_SOURCE, &cx_asked);
    }

    if (!cx_fold_is(&ev->v[CX_ANSWER_DONE], "1")) {
        cx_agg_answer_set(a, CX_ANSWER_DONE, &cx_nothing);
    }

    a->exists = 1;
    a->fresh = 1;
    a->ts = ts;
    a->said = ts;
    a->field = field;
    a->text = ev->v[CX_ANSWER_TEXT].len > 0;

    other = 0;
    cx_answer_place(&at, s, a, now, &other, 0);
    a->other = (unsigned char) other;

    cx_fold_add(s, &at, CX_R_ANSWERED, 1);
    cx_fold_add(s, &at, cx_answer_source(&ev->v[CX_ANSWER_SOURCE]), 1);

    none.score = -1;
    none.choice = 0;
    none.text = -1;
    none.done = 0;
    cx_answer_counts(&n, a);
    cx_answer_move(s, &at, &none, &n);

    s->life[CX_LIFE_ANSWERS]++;
}


/* 1 if a field is not known yet, and the later event may say it */

static int
cx_fold_answer_open(const cx_agg_answer_t *a, int field, int joined)
{
    switch (field) {
    case CX_ANSWER_ANSWER:
    case CX_ANSWER_VERSION: /* it counts where it was first given */
    case CX_ANSWER_DONE:    /* 0 says nothing */
        return 0;

    default:
        break;
    }

    /* what belongs to one view of a page is not mixed with another's */

    if (field >= CX_ANSWER_VIEW_TS && field <= CX_ANSWER_CACHE) {
        return !joined;
    }

    return a->v[field].len == 0;
}


/* 1 if the event says a field, and other than it was */

static int
cx_fold_answer_news(cx_agg_answer_t *a, const cx_event_t *ev, int field,
                    int64_t ts)
{
    if (ev->v[field].len == 0 || cx_fold_same(&ev->v[field], &a->v[field])) {
        return 0;
    }

    /* out of another worker's spool, and corrected since */

    if (a->v[field].len && ts < a->said) {
        return 0;
    }

    cx_agg_answer_set(a, field, &ev->v[field]);

    return 1;
}


/* 1 if the event had news */

static int
cx_fold_answer_again(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
                     int64_t ts, int64_t now)
{
    int                i, news, joined;
    unsigned           other;
    cx_place_t         at;
    cx_answer_counts_t before, after;

    other = a->other;
    cx_answer_place(&at, s, a, now, &other, 1);
    cx_answer_counts(&before, a);

    a->text |= ev->v[CX_ANSWER_TEXT].len && a->v[CX_ANSWER_TEXT].len == 0;
    news = cx_fold_answer_news(a, ev, CX_ANSWER_SCORE, ts);
    news |= cx_fold_answer_news(a, ev, CX_ANSWER_CHOICE, ts);
    news |= cx_fold_answer_news(a, ev, CX_ANSWER_TEXT, ts);
    a->field = cx_agg_score_field(&a->v[CX_ANSWER_METRIC],
                                  &a->v[CX_ANSWER_SCORE]);

    if (cx_fold_is(&ev->v[CX_ANSWER_DONE], "1")) {
        news |= cx_fold_answer_news(a, ev, CX_ANSWER_DONE, ts);
    }

    joined = a->v[CX_ANSWER_VIEW_TS].len > 0;

    for (i = CX_COMMON_TOUCHPOINT; i < CX_ANSWER_N; i++) {
        if (ev->v[i].len && cx_fold_answer_open(a, i, joined)) {
            cx_agg_answer_set(a, i, &ev->v[i]);
            news = 1;
        }
    }

    a->said = ts > a->said ? ts : a->said;
    cx_answer_counts(&after, a);
    cx_answer_move(s, &at, &before, &after);

    return news;
}


void
cx_fold_answer(cx_agg_site_t *s, cx_agg_answer_t *a, const cx_event_t *ev,
               int field, int64_t ts, int64_t now)
{
    int64_t said;

    said = a->said;

    if (!a->exists) {
        cx_fold_answer_new(s, a, ev, field, ts, now);

    } else if (cx_fold_answer_again(s, a, ev, ts, now)) {
        s->life[CX_LIFE_COMPLETED]++;

    } else {
        s->life[CX_LIFE_DUPLICATES]++;

        if (a->said == said) {
            return;
        }
    }

    if (!a->changed) {
        a->changed = 1;
        a->next_changed = s->answers_changed;
        s->answers_changed = a;
        s->changes += 60;
    }
}


/* 1 if both say something, and not the same */

static int
cx_fold_answer_differs(const cx_agg_answer_t *a, const cx_event_t *ev,
                       int field)
{
    return a->v[field].len && ev->v[field].len
           && !cx_fold_same(&a->v[field], &ev->v[field]);
}


const char *
cx_fold_answer_check(cx_agg_site_t *s, cx_agg_answer_t **answer, int *field,
                     int *repeat, const cx_event_t *ev)
{
    cx_agg_answer_t *a;

    *field = cx_agg_score_field(&ev->v[CX_ANSWER_METRIC],
                                &ev->v[CX_ANSWER_SCORE]);
    if (*field == CX_AGG_SCORE_BAD) {
        return "bad metric or score";
    }

    if (ev->v[CX_ANSWER_CHOICE].len
        && cx_survey_choice(&ev->v[CX_ANSWER_CHOICE]) < 0)
    {
        return "bad choice";
    }

    a = cx_agg_answer(s, &ev->v[CX_ANSWER_ANSWER]);
    *answer = a;

    if (!a->exists) {
        return NULL;
    }

    if (cx_fold_answer_differs(a, ev, CX_ANSWER_SURVEY)) {
        return "answer of another survey";
    }

    /* who follows a link again finds another wording, may be another metric;
       older modules know of no versions */

    if (cx_fold_answer_differs(a, ev, CX_ANSWER_VERSION)) {
        *repeat = 1;
        return NULL;
    }

    if (cx_fold_answer_differs(a, ev, CX_ANSWER_METRIC)) {
        return "answer of another survey";
    }

    *repeat = cx_fold_answer_differs(a, ev, CX_ANSWER_VIEW);

    return NULL;
}
