/* cxctl surveys: what came of each version of each survey on a day. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_survey.h"


/* ---- definitions ---- */

/* <survey>@<version> -> what it asks; NULL on error (said).  It stands in one
   part, but in more where the number of shards has changed: then in the last */

static json_t *
cx_surveys_definitions(cx_ctl_t *c)
{
    int     i;
    char    key[CX_KEY_MAX + 1];
    size_t  k;
    json_t *all, *one;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_ask(c, 2, "HGETALL",
                   cx_ctl_key(c, key, CX_KEY_DEFINITIONS, 0, 0, NULL));
    }

    all = json_object();

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            json_decref(all);
            return NULL;
        }

        for (k = 1; k + 1 < c->reply.n; k += 2) {
            one = json_loadb((char *) c->reply.s[k + 1].data,
                             c->reply.s[k + 1].len, 0, NULL);

            if (json_is_object(one)) {
                json_object_set(all, (char *) c->reply.s[k].data, one);
            }

            json_decref(one);
        }
    }

    cx_ctl_part(c, -1);

    return all;
}


/* ---- a survey ---- */

/* metric by what was answered, where no definition says it */

static void
cx_survey_guess(cx_ctl_survey_t *s)
{
    int         i;
    size_t      len;
    const char *name;

    for (i = CX_R_SCORE; i < CX_R_CHOICE + CX_OPTIONS_MAX; i++) {
        if (s->roll.v[i]) {
            name = cx_rollup_names[i];
            len = strcspn(name, ":");
            memcpy(s->metric, name, len);
            s->metric[len] = '\0';
            return;
        }
    }
}


static int
cx_survey_load(cx_ctl_t *c, cx_ctl_survey_t *s, const cx_str_t *name,
               json_t *definitions)
{
    memset(s, 0, sizeof(cx_ctl_survey_t));
    s->name = *name;

    if (cx_ctl_sum(c, &s->roll, CX_KEY_SURVEY, c->gran, c->window, name) < 0) {
        return -1;
    }

    cx_score(&s->score, &s->roll, &s->roll, &c->tuning);
    s->definition = json_object_get(definitions, (char *) name->data);
    snprintf(s->metric, sizeof(s->metric), "%s", cx_ctl_said(s, "metric"));

    if (s->metric[0] == '\0') {
        cx_survey_guess(s);
    }

    return 0;
}


static void
cx_survey_row(cx_table_t *t, const cx_ctl_survey_t *s)
{
    int              i;
    char             text[96];
    cx_ctl_share_t   answered, refused;
    const int64_t   *v;
    static const int counts[] = { CX_R_ELIGIBLE, CX_R_SAMPLED, CX_R_SHOWN,
                                  CX_R_STARTED, CX_R_ANSWERED };

    v = s->roll.v;
    cx_table_add(t, "%s", (char *) s->name.data);
    cx_table_add(t, "%s", s->metric[0] ? s->metric : "-");

    for (i = 0; i < 5; i++) {
        cx_table_add(t, "%lld", (long long) v[counts[i]]);
    }

    cx_ctl_share(&answered, v[CX_R_ASKED], v[CX_R_SHOWN]);
    cx_ctl_refused(&refused, &s->roll);

    if (answered.known) {
        cx_table_add(t, "%.1f%%", answered.rate);
    } else {
        cx_table_add(t, "-");
    }

    cx_table_add(t, "%lld", (long long) v[CX_R_TEXT]);
    cx_table_add(t, "%lld", (long long) v[CX_R_DISMISSED]);

    if (refused.known) {
        cx_table_add(t, "%.1f%%", refused.rate);
    } else {
        cx_table_add(t, "-");
    }

    cx_table_add(t, "%s", cx_ctl_result(text, s));
}


/* ---- all of them ---- */

/* refusals of the site on that day, also where no survey is known */

static json_t *
cx_surveys_refused(const cx_rollup_t *total)
{
    int     i;
    json_t *o;

    o = json_object();

    for (i = CX_R_REFUSED_TOKEN; i <= CX_R_REFUSED_FLOOD; i++) {
        json_object_set_new(o, strchr(cx_rollup_names[i], ':') + 1,
                            json_integer(total->v[i]));
    }

    return o;
}


static void
cx_surveys_tell(cx_ctl_t *c, const cx_ctl_survey_t *s, size_t n,
                const cx_rollup_t *total)
{
    size_t                   i;
    cx_table_t               t;
    static const char *const head[] = { "<SURVEY",    "<METRIC",  ">ELIGIBLE",
                                        ">SAMPLED",   ">SHOWN",   ">STARTED",
                                        ">ANSWERED",  ">RATE",    ">TEXT",
                                        ">DISMISSED", ">REFUSED", "<RESULT" };

    printf("site %s, day %lld UTC\n\n", (char *) c->whole.data,
           (long long) c->window);
    cx_table_begin(&t, 12, head);

    for (i = 0; i < n; i++) {
        cx_survey_row(&t, &s[i]);
    }

    cx_table_print(&t);

    for (i = 0; i < n; i++) {
        cx_ctl_survey_print(&s[i]);
    }

    if (total->v[CX_R_REFUSED_TOKEN] + total->v[CX_R_REFUSED_EXPIRED]
            + total->v[CX_R_REFUSED_REPEAT] + total->v[CX_R_REFUSED_FLOOD]
        > 0)
    {
        printf("\nrefused on the site: %lld with a forged token, %lld with an "
               "old one, %lld second ones,\n%lld requests over a rate\n",
               (long long) total->v[CX_R_REFUSED_TOKEN],
               (long long) total->v[CX_R_REFUSED_EXPIRED],
               (long long) total->v[CX_R_REFUSED_REPEAT],
               (long long) total->v[CX_R_REFUSED_FLOOD]);
    }
}


static void
cx_surveys_json(cx_ctl_t *c, const cx_ctl_survey_t *s, size_t n,
                const cx_rollup_t *total)
{
    size_t  i;
    json_t *o, *list;

    list = json_array();

    for (i = 0; i < n; i++) {
        json_array_append_new(list, cx_ctl_survey_json(&s[i]));
    }

    o = json_object();
    json_object_set_new(o, "site", json_string((char *) c->whole.data));
    json_object_set_new(o, "window", json_integer(c->window));
    json_object_set_new(o, "surveys", list);
    json_object_set_new(o, "refused", cx_surveys_refused(total));
    cx_json_print(o);
}


static int
cx_surveys_day(cx_ctl_t *c, const cx_ctl_page_t *p, size_t n,
               json_t *definitions)
{
    int              rc;
    size_t           i, loaded;
    cx_rollup_t      total;
    cx_ctl_survey_t *s;

    if (cx_ctl_sum(c, &total, CX_KEY_TOTAL, c->gran, c->window, NULL) < 0) {
        return CX_CTL_ERROR;
    }

    s = cx_alloc((n + 1) * sizeof(cx_ctl_survey_t));
    rc = CX_CTL_OK;

    for (loaded = 0; loaded < n && rc == CX_CTL_OK; loaded++) {
        if (cx_survey_load(c, &s[loaded], &p[loaded].name, definitions)) {
            rc = CX_CTL_ERROR;
        }
    }

    if (rc == CX_CTL_OK && c->json) {
        cx_surveys_json(c, s, n, &total);

    } else if (rc == CX_CTL_OK) {
        cx_surveys_tell(c, s, n, &total);
    }

    for (i = 0; i < loaded; i++) {
        cx_rollup_free(&s[i].roll);
    }

    cx_rollup_free(&total);
    free(s);

    return rc;
}


int
cx_ctl_cmd_surveys(cx_ctl_t *c)
{
    int            rc;
    size_t         n;
    json_t        *definitions;
    cx_ctl_page_t *p;

    if (c->n_args && strcmp(c->args[0], "why") == 0) {
        return cx_ctl_cmd_why(c);
    }

    if (c->n_args) {
        (void) cx_ctl_bad("argument", c->args[0], "expected why, or none");
        return CX_CTL_ERROR;
    }

    if (cx_ctl_open(c, 1)) {
        return CX_CTL_ERROR;
    }

    if (!c->known) {
        fprintf(stderr, "cxctl: site %s has no events, nor ever had\n",
                (char *) c->whole.data);
        return CX_CTL_ERROR;
    }

    if (c->gran != CX_DAY) {
        fputs("cxctl: surveys are counted by day, see --window\n", stderr);
        return CX_CTL_ERROR;
    }

    p = cx_ctl_index(c, CX_KEY_SURVEYS, c->gran, c->window, 0, &n);

    if (p == NULL) {
        return CX_CTL_ERROR;
    }

    definitions = cx_surveys_definitions(c);
    rc = definitions ? cx_surveys_day(c, p, n, definitions) : CX_CTL_ERROR;

    json_decref(definitions);
    cx_ctl_pages_free(p, n);

    return rc;
}
