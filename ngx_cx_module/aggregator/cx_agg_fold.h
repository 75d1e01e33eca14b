/* What the files of step 5 share. */

#ifndef CX_AGG_FOLD_H
#define CX_AGG_FOLD_H

#include "cx_agg.h"

#define CX_IDLE_MS  (CX_SESSION_IDLE_S * 1000LL)

/* where something counts: the page in an hour and a day, and the survey */
typedef struct {
    cx_agg_cell_t  *page[CX_GRANS];      /* NULL: no longer kept */
    cx_agg_cell_t  *survey;              /* NULL: none, or not kept */
} cx_place_t;

/* an INT of an event, or none where it is empty */
int64_t cx_fold_int(const cx_str_t *v, int64_t none);

int cx_fold_same(const cx_str_t *a, const cx_str_t *b);
int cx_fold_is(const cx_str_t *v, const char *text);

/*
 * The cells of a page at a time.  Bits of other say where it is (other); with
 * known they are what an earlier event of the same visit or answer found, and
 * stay true whatever the cap is now; without, they are found and set.
 */
void cx_fold_place(cx_place_t *at, cx_agg_site_t *s, const cx_str_t *page,
    int64_t ms, int64_t now, unsigned *other, int known);

/* the same for a survey, in the day of that time */
void cx_fold_survey(cx_place_t *at, cx_agg_site_t *s, const cx_str_t *survey,
    int64_t ms, int64_t now, unsigned *other, int known);

/* cx_agg_survey.c: a survey that was shown, begun or closed at a place */
void cx_fold_prompt(cx_agg_site_t *s, cx_place_t *at, const cx_event_t *ev,
    int64_t ts, int64_t now);

/* an event of the edge, of no page: offer, refused or survey; NULL, or why it
   is refused; and what it means */
const char *cx_fold_survey_check(const cx_event_t *ev);
void cx_fold_survey_event(cx_agg_site_t *s, const cx_event_t *ev, int64_t ts,
    int64_t now);

/* n answers that were refused, for a reason CX_R_REFUSED_..., to the survey of
   an event, or to none */
void cx_fold_refused(cx_agg_site_t *s, const cx_event_t *ev, int field,
    int64_t n, int64_t ts, int64_t now);

/* adds to a counter of the place, and of the site */
void cx_fold_add(cx_agg_site_t *s, const cx_place_t *at, int field,
    int64_t n);

/* adds to a counter that only the site has, in the windows of a time */
void cx_fold_add_site(cx_agg_site_t *s, int field, int64_t n, int64_t ms,
    int64_t now);

/* moves a visit into or out of a pattern there */
void cx_fold_pattern(cx_agg_site_t *s, const cx_place_t *at,
    const unsigned char *count, int delta);

/*
 * What an event means for the visit to the site: touched only, for one that
 * shows or answers a survey; opened if need be and its last and worst page
 * looked after, for all others.  u is the open visit to the event's page.
 */
void cx_fold_session(cx_agg_site_t *s, cx_agg_unit_t *u, const cx_event_t *ev,
    int64_t ts, int64_t now);

/*
 * What an answer counts as; NULL, or why its entry is refused.  Sets *repeat if
 * it comes from another page view than the one that is known, or to another
 * version of the survey: a second answer.
 */
const char *cx_fold_answer_check(cx_agg_site_t *s, cx_agg_answer_t **answer,
    int *field, int *repeat, const cx_event_t *ev);

void cx_fold_answer(cx_agg_site_t *s, cx_agg_answer_t *a,
    const cx_event_t *ev, int field, int64_t ts, int64_t now);

#endif /* CX_AGG_FOLD_H */
