/*
 * Step 5 for what is of a survey but no answer: the funnel, refusals, and what
 * it asks.
 */

#include <stdlib.h>
#include <string.h>
#include "cx_agg_fold.h"

static const cx_str_t cx_no_version = { 0, (unsigned char *) "" };


cx_str_t
cx_agg_survey(char *dst, const cx_str_t *survey, const cx_str_t *version)
{
    cx_str_t name;

    name.data = (unsigned char *) dst;
    name.len = survey->len;
    memcpy(dst, survey->data, survey->len);

    if (survey->len && version->len) {
        dst[name.len++] = '@';
        memcpy(dst + name.len, version->data, version->len);
        name.len += version->len;
    }

    return name;
}


cx_str_t
cx_agg_survey_of(char *dst, const cx_event_t *ev)
{
    switch (ev->type) {
    case CX_ANSWER:
        return cx_agg_survey(dst, &ev->v[CX_ANSWER_SURVEY],
                             &ev->v[CX_ANSWER_VERSION]);

    case CX_SHOWN:
    case CX_START:
    case CX_DISMISS:
    case CX_REFUSED:
    case CX_SURVEY: /* all of them begin with these two */
        return cx_agg_survey(dst, &ev->v[CX_SHOWN_SURVEY],
                             &ev->v[CX_SHOWN_VERSION]);

    default:
        return cx_no_version;
    }
}


int
cx_agg_offer(cx_str_t *name, const cx_str_t *list, size_t *at)
{
    cx_str_t       part;
    unsigned char *s, *end, *comma, *sign;

    s = list->data + *at;
    end = list->data + list->len;

    if (s >= end) {
        return CX_AGG_OFFER_END;
    }

    comma = memchr(s, ',', (size_t) (end - s));
    comma = comma ? comma : end;
    *at = (size_t) (comma - list->data) + 1;

    if (comma - s < 3 || comma[-2] != '=' || (comma[-1] | 1) != '1'
        || comma + 1 == end)
    {
        return CX_AGG_OFFER_BAD;
    }

    name->data = s;
    name->len = (size_t) (comma - s) - 2;

    sign = memchr(s, '@', name->len);
    part.data = s;
    part.len = sign ? (size_t) (sign - s) : name->len;

    if (part.len == 0
        || !cx_field_ok(&cx_types[CX_SHOWN].fields[CX_SHOWN_SURVEY], &part))
    {
        return CX_AGG_OFFER_BAD;
    }

    if (sign) {
        part.data = sign + 1;
        part.len = name->len - part.len - 1;

        if (part.len == 0
            || !cx_field_ok(&cx_types[CX_SHOWN].fields[CX_SHOWN_VERSION],
                            &part))
        {
            return CX_AGG_OFFER_BAD;
        }
    }

    return comma[-1] - '0';
}


/* ---- what is wrong with an event ---- */

static int
cx_survey_reason(const cx_event_t *ev)
{
    const cx_str_t *reason;

    reason = &ev->v[CX_REFUSED_REASON];

    return cx_fold_is(reason, "token")     ? CX_R_REFUSED_TOKEN
           : cx_fold_is(reason, "expired") ? CX_R_REFUSED_EXPIRED
           : cx_fold_is(reason, "flood")   ? CX_R_REFUSED_FLOOD
                                           : -1;
}


const char *
cx_fold_survey_check(const cx_event_t *ev)
{
    int      rc;
    size_t   at;
    cx_str_t name;

    if (ev->type == CX_REFUSED) {
        return cx_survey_reason(ev) < 0 ? "unknown reason" : NULL;
    }

    if (ev->type == CX_SURVEY) {
        return ev->v[CX_SURVEY_SURVEY].len ? NULL : "no survey";
    }

    at = 0;

    do {
        rc = cx_agg_offer(&name, &ev->v[CX_OFFER_SURVEYS], &at);
    } while (rc >= 0);

    return rc == CX_AGG_OFFER_BAD ? "bad surveys" : NULL;
}


/* ---- counting ---- */

void
cx_fold_prompt(cx_agg_site_t *s, cx_place_t *at, const cx_event_t *ev,
               int64_t ts, int64_t now)
{
    char     room[CX_AGG_SURVEY_LEN];
    cx_str_t survey;
    unsigned other;

    other = 0;
    survey = cx_agg_survey_of(room, ev);
    cx_fold_survey(at, s, &survey, ts, now, &other, 0);

    switch (ev->type) {
    case CX_SHOWN:
        cx_fold_add(s, at,
                    cx_fold_is(&ev->v[CX_SHOWN_DRY], "1") ? CX_R_WOULD_SHOW
                                                          : CX_R_SHOWN,
                    1);
        return;

    case CX_START:
        cx_fold_add(s, at, CX_R_STARTED, 1);
        return;

    default: /* CX_DISMISS */
        cx_fold_add(s, at, CX_R_DISMISSED, 1);

        if (cx_fold_is(&ev->v[CX_DISMISS_HOW], "never")) {
            cx_fold_add(s, at, CX_R_NEVER, 1);
        }
    }
}


/* counts at a survey, and at no page nor the site */

static void
cx_survey_add(cx_agg_site_t *s, const cx_str_t *survey, int field, int64_t n,
              int64_t ts, int64_t now)
{
    unsigned   other;
    cx_place_t at;

    memset(&at, 0, sizeof(cx_place_t));
    other = 0;
    cx_fold_survey(&at, s, survey, ts, now, &other, 0);
    cx_fold_add(s, &at, field, n);
}


void
cx_fold_refused(cx_agg_site_t *s, const cx_event_t *ev, int field, int64_t n,
                int64_t ts, int64_t now)
{
    char     room[CX_AGG_SURVEY_LEN];
    cx_str_t survey;

    survey = cx_agg_survey_of(room, ev);
    cx_fold_add_site(s, field, n, ts, now);

    if (survey.len) {
        cx_survey_add(s, &survey, field, n, ts, now);
    }
}


static void
cx_fold_offer(cx_agg_site_t *s, const cx_event_t *ev, int64_t ts, int64_t now)
{
    int      drawn;
    size_t   at;
    cx_str_t name;

    at = 0;

    for (;;) {
        drawn = cx_agg_offer(&name, &ev->v[CX_OFFER_SURVEYS], &at);

        if (drawn < 0) {
            return;
        }

        cx_survey_add(s, &name, CX_R_ELIGIBLE, 1, ts, now);

        if (drawn) {
            cx_survey_add(s, &name, CX_R_SAMPLED, 1, ts, now);
        }
    }
}


static void
cx_fold_definition(cx_agg_site_t *s, const cx_event_t *ev)
{
    char     room[CX_AGG_SURVEY_LEN];
    cx_str_t name;

    name = cx_agg_survey_of(room, ev);

    if (cx_agg_definition(s, &name, &ev->v[CX_SURVEY_DEFINITION])) {
        s->changes += 4;
    }
}


void
cx_fold_survey_event(cx_agg_site_t *s, const cx_event_t *ev, int64_t ts,
                     int64_t now)
{
    switch (ev->type) {
    case CX_OFFER:
        cx_fold_offer(s, ev, ts, now);
        return;

    case CX_REFUSED:
        cx_fold_refused(s, ev, cx_survey_reason(ev),
                        cx_fold_int(&ev->v[CX_REFUSED_COUNT], 1), ts, now);
        return;

    default: /* CX_SURVEY */
        cx_fold_definition(s, ev);
    }
}
