/* One version of a survey: its funnel, its result, what was chosen. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_survey.h"

/*
 * Who was shown a survey may begin and answer it, close it or do nothing.  What
 * stands in a page, a form or behind a tab is shown without having been drawn.
 */
const cx_ctl_step_t cx_ctl_steps[CX_CTL_STEPS] = {
    { "eligible", CX_R_ELIGIBLE, CX_R_ELIGIBLE, -1, NULL },
    { "sampled", CX_R_SAMPLED, CX_R_SAMPLED, CX_R_ELIGIBLE, "eligible" },
    { "would_show", CX_R_WOULD_SHOW, CX_R_WOULD_SHOW, CX_R_SAMPLED, "sampled" },
    { "shown", CX_R_SHOWN, CX_R_SHOWN, CX_R_SAMPLED, "sampled" },
    { "started", CX_R_STARTED, CX_R_STARTED, CX_R_SHOWN, "shown" },
    { "answered", CX_R_ANSWERED, CX_R_ASKED, CX_R_SHOWN, "shown" },
    { "text", CX_R_TEXT, CX_R_TEXT, CX_R_ANSWERED, "answered" },
    { "done", CX_R_DONE, CX_R_DONE, CX_R_ANSWERED, "answered" },
    { "dismissed", CX_R_DISMISSED, CX_R_DISMISSED, CX_R_SHOWN, "shown" }
};


void
cx_ctl_share(cx_ctl_share_t *s, int64_t x, int64_t n)
{
    memset(s, 0, sizeof(cx_ctl_share_t));
    s->x = x;
    s->n = n;

    if (n <= 0 || x < 0 || x > n) {
        return;
    }

    s->known = 1;
    s->rate = 100 * (double) x / (double) n;
    cx_wilson((double) x, (double) n, &s->lo, &s->hi);
    s->lo *= 100;
    s->hi *= 100;
}


void
cx_ctl_refused(cx_ctl_share_t *s, const cx_rollup_t *r)
{
    int     i;
    int64_t n;

    n = 0;

    for (i = CX_R_REFUSED_TOKEN; i <= CX_R_REFUSED_FLOOD; i++) {
        n += r->v[i];
    }

    cx_ctl_share(s, n, n + r->v[CX_R_ANSWERED]);
}


const char *
cx_ctl_option_label(const cx_ctl_survey_t *s, int position)
{
    const char *label;

    label = json_string_value(
        json_array_get(json_object_get(s->definition, "options"),
                       (size_t) position));

    return label ? label : "";
}


const char *
cx_ctl_said(const cx_ctl_survey_t *s, const char *key)
{
    const char *text;

    text = json_string_value(json_object_get(s->definition, key));

    return text ? text : "";
}


int
cx_ctl_of_metric(const char *metric, int field)
{
    size_t len;

    len = strlen(metric);

    return len && strncmp(cx_rollup_names[field], metric, len) == 0
           && cx_rollup_names[field][len] == ':';
}


char *
cx_ctl_result(char *dst, const cx_ctl_survey_t *s)
{
    char text[64];

    /* of a survey, which has no visits, it is what was answered */

    if (strcmp(s->metric, "ces") == 0) {
        snprintf(dst, 96, "effort %s",
                 cx_ctl_figure(text, &s->score, CX_S_EFFORT));

    } else if (strcmp(s->metric, "nps") == 0) {
        snprintf(dst, 96, "NPS %s", cx_ctl_figure(text, &s->score, CX_S_NPS));

    } else if (strncmp(s->metric, "csat", 4) == 0
               || strncmp(s->metric, "psat", 4) == 0)
    {
        snprintf(dst, 96, "satisfied %% %s",
                 cx_ctl_figure(text, &s->score, CX_S_SATISFACTION));

    } else {
        memcpy(dst, "-", 2);
    }

    return dst;
}


/* ---- for people ---- */

/* text that somebody wrote into a file, made harmless */

static void
cx_survey_say(const char *before, const char *text)
{
    char *s;

    s = cx_ctl_safe(text, strlen(text));
    printf("%s%s", before, s);
    free(s);
}


static void
cx_survey_head(const cx_ctl_survey_t *s)
{
    cx_survey_say("\n", (char *) s->name.data);

    if (*cx_ctl_said(s, "question")) {
        cx_survey_say(": ", cx_ctl_said(s, "question"));
    }

    if (json_is_true(json_object_get(s->definition, "retired"))) {
        fputs(" (retired)", stdout);
    }

    putchar('\n');

    if (*cx_ctl_said(s, "owner")) {
        cx_survey_say("  owner: ", cx_ctl_said(s, "owner"));
        putchar('\n');
    }

    if (*cx_ctl_said(s, "purpose")) {
        cx_survey_say("  purpose: ", cx_ctl_said(s, "purpose"));
        putchar('\n');
    }
}


static void
cx_survey_steps(const cx_ctl_survey_t *s)
{
    int                  i;
    cx_ctl_share_t       share;
    const cx_ctl_step_t *step;

    for (i = 0; i < CX_CTL_STEPS; i++) {
        step = &cx_ctl_steps[i];

        if (s->roll.v[step->field] == 0) {
            continue;
        }

        printf("  %-10s  %8lld", step->name,
               (long long) s->roll.v[step->field]);

        if (step->of >= 0) {
            cx_ctl_share(&share, s->roll.v[step->part], s->roll.v[step->of]);

            if (share.known) {
                printf("  %5.1f %% of %s (%.1f..%.1f)", share.rate, step->whole,
                       share.lo, share.hi);
            }
        }

        if (step->field == CX_R_ANSWERED && s->roll.v[CX_R_INVITED]) {
            printf(", %lld of them by a link",
                   (long long) s->roll.v[CX_R_INVITED]);
        }

        if (step->field == CX_R_ANSWERED && s->roll.v[CX_R_VOLUNTEERED]) {
            printf(", %lld of them volunteered",
                   (long long) s->roll.v[CX_R_VOLUNTEERED]);
        }

        if (step->field == CX_R_DISMISSED && s->roll.v[CX_R_NEVER]) {
            printf(", %lld for good", (long long) s->roll.v[CX_R_NEVER]);
        }

        putchar('\n');
    }
}


static void
cx_survey_refusals(const cx_ctl_survey_t *s)
{
    int            i;
    char           sign;
    cx_ctl_share_t share;

    cx_ctl_refused(&share, &s->roll);

    if (share.x <= 0) {
        return;
    }

    printf("  %-10s  %8lld  %5.1f %% of answers that came (%.1f..%.1f)",
           "refused", (long long) share.x, share.rate, share.lo, share.hi);
    sign = ':';

    for (i = CX_R_REFUSED_TOKEN; i <= CX_R_REFUSED_FLOOD; i++) {
        if (s->roll.v[i]) {
            printf("%c %s %lld", sign, strchr(cx_rollup_names[i], ':') + 1,
                   (long long) s->roll.v[i]);
            sign = ',';
        }
    }

    putchar('\n');
}


static void
cx_survey_choices(const cx_ctl_survey_t *s)
{
    int            i;
    cx_ctl_share_t share;

    for (i = 0; i < CX_OPTIONS_MAX; i++) {
        if (s->roll.v[CX_R_CHOICE + i] == 0
            && *cx_ctl_option_label(s, i) == '\0') {
            continue;
        }

        cx_ctl_share(&share, s->roll.v[CX_R_CHOICE + i],
                     s->roll.v[CX_R_ANSWERED]);
        printf("  option %-3d  %8lld", i, (long long) share.x);

        if (share.known) {
            printf("  %5.1f %% of answered (%.1f..%.1f)", share.rate, share.lo,
                   share.hi);
        }

        cx_survey_say("  ", cx_ctl_option_label(s, i));
        putchar('\n');
    }
}


static void
cx_survey_languages(const cx_ctl_survey_t *s)
{
    int         i;
    const char *before;

    before = "  text by language: ";

    for (i = CX_R_TEXTS; i <= CX_R_TEXT_OTHER; i++) {
        if (s->roll.v[i]) {
            printf("%s%s %lld", before, strchr(cx_rollup_names[i], ':') + 1,
                   (long long) s->roll.v[i]);
            before = ", ";
        }
    }

    if (*before == ',') {
        putchar('\n');
    }
}


void
cx_ctl_survey_print(const cx_ctl_survey_t *s)
{
    cx_survey_head(s);
    cx_survey_steps(s);
    cx_survey_refusals(s);
    cx_survey_choices(s);
    cx_survey_languages(s);
}


/* ---- for programs ---- */

static void
cx_survey_rate(json_t *o, const cx_ctl_share_t *s)
{
    json_object_set_new(o, "rate", s->known ? json_real(s->rate) : json_null());
    json_object_set_new(o, "rate_lo",
                        s->known ? json_real(s->lo) : json_null());
    json_object_set_new(o, "rate_hi",
                        s->known ? json_real(s->hi) : json_null());
}


static json_t *
cx_survey_json_steps(const cx_ctl_survey_t *s)
{
    int                  i;
    json_t              *list, *o;
    cx_ctl_share_t       share;
    const cx_ctl_step_t *step;

    list = json_array();

    for (i = 0; i < CX_CTL_STEPS; i++) {
        step = &cx_ctl_steps[i];
        o = json_object();
        json_object_set_new(o, "step", json_string(step->name));
        json_object_set_new(o, "n", json_integer(s->roll.v[step->field]));
        json_object_set_new(o, "of",
                            step->whole ? json_string(step->whole)
                                        : json_null());
        cx_ctl_share(&share, s->roll.v[step->part],
                     step->of < 0 ? 0 : s->roll.v[step->of]);
        cx_survey_rate(o, &share);
        json_array_append_new(list, o);
    }

    return list;
}


static json_t *
cx_survey_json_refused(const cx_ctl_survey_t *s)
{
    int            i;
    json_t        *o;
    cx_ctl_share_t share;

    o = json_object();
    cx_ctl_refused(&share, &s->roll);
    json_object_set_new(o, "n", json_integer(share.x));

    for (i = CX_R_REFUSED_TOKEN; i <= CX_R_REFUSED_FLOOD; i++) {
        json_object_set_new(o, strchr(cx_rollup_names[i], ':') + 1,
                            json_integer(s->roll.v[i]));
    }

    cx_survey_rate(o, &share);

    return o;
}


static json_t *
cx_survey_json_choices(const cx_ctl_survey_t *s)
{
    int            i;
    json_t        *list, *o;
    const char    *label;
    cx_ctl_share_t share;

    list = json_array();

    for (i = 0; i < CX_OPTIONS_MAX; i++) {
        label = cx_ctl_option_label(s, i);
        cx_ctl_share(&share, s->roll.v[CX_R_CHOICE + i],
                     s->roll.v[CX_R_ANSWERED]);

        if (share.x == 0 && *label == '\0') {
            continue;
        }

        o = json_object();
        json_object_set_new(o, "position", json_integer(i));
        json_object_set_new(o, "label",
                            *label ? json_string(label) : json_null());
        json_object_set_new(o, "n", json_integer(share.x));
        cx_survey_rate(o, &share);
        json_array_append_new(list, o);
    }

    return list;
}


/* counters whose names go on with a value, by that value; 0 are left out */

static json_t *
cx_survey_json_counts(const cx_ctl_survey_t *s, int first, int last)
{
    int     i;
    json_t *o;

    o = json_object();

    for (i = first; i <= last; i++) {
        if (s->roll.v[i]) {
            json_object_set_new(o, strchr(cx_rollup_names[i], ':') + 1,
                                json_integer(s->roll.v[i]));
        }
    }

    return o;
}


json_t *
cx_ctl_survey_json(const cx_ctl_survey_t *s)
{
    int         i;
    json_t     *o, *part;
    const char *name, *sign;

    o = json_object();
    name = (char *) s->name.data;
    sign = strchr(name, '@');
    json_object_set_new(o, "survey", cx_json_text(name, s->name.len));
    json_object_set_new(o, "id",
                        cx_json_text(name, sign ? (size_t) (sign - name)
                                                : s->name.len));
    json_object_set_new(o, "version",
                        sign ? cx_json_text(sign + 1, strlen(sign + 1))
                             : json_null());
    json_object_set_new(o, "metric",
                        s->metric[0] ? json_string(s->metric) : json_null());

    for (i = CX_R_ELIGIBLE; i <= CX_R_VOLUNTEERED; i++) {
        json_object_set_new(o, cx_rollup_names[i], json_integer(s->roll.v[i]));
    }

    json_object_set_new(o, "funnel", cx_survey_json_steps(s));
    json_object_set_new(o, "refused", cx_survey_json_refused(s));
    json_object_set_new(o, "choices", cx_survey_json_choices(s));
    json_object_set_new(o, "text_by_language",
                        cx_survey_json_counts(s, CX_R_TEXTS, CX_R_TEXT_OTHER));
    part = json_object();

    for (i = CX_R_SCORE; i <= CX_R_SCORE_LAST; i++) {
        if (cx_ctl_of_metric(s->metric, i)) {
            json_object_set_new(part, strchr(cx_rollup_names[i], ':') + 1,
                                json_integer(s->roll.v[i]));
        }
    }

    json_object_set_new(o, "scores", part);
    part = json_object();
    cx_json_score(part, &s->score);
    json_object_set_new(o, "figures", part);

    if (s->definition) {
        json_object_set(o, "definition", s->definition);

    } else {
        json_object_set_new(o, "definition", json_null());
    }

    return o;
}
