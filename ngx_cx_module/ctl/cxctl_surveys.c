/* cxctl surveys. */

#include <stdio.h>
#include <string.h>
#include "cxctl.h"


/* metric of a survey, by what was answered; NULL while nothing was */

static const char *
cx_survey_metric(const cx_rollup_t *r)
{
    int         i;
    const char *metric;

    for (i = CX_R_NPS_0; i <= CX_R_PSAT_1; i++) {
        if (r->v[i]) {
            metric = i < CX_R_CSAT_1   ? "nps"
                     : i < CX_R_CES_1  ? "csat"
                     : i < CX_R_PSAT_0 ? "ces"
                                       : "psat";
            return metric;
        }
    }

    return NULL;
}


static void
cx_survey_row(const cx_ctl_t *c, cx_table_t *t, const char *name,
              const cx_rollup_t *r)
{
    char        text[64];
    const char *metric;
    cx_score_t  s;

    cx_score(&s, r, r, &c->tuning);
    metric = cx_survey_metric(r);

    cx_table_add(t, "%s", name);
    cx_table_add(t, "%s", metric ? metric : "-");
    cx_table_add(t, "%lld", (long long) r->v[CX_R_SHOWN]);
    cx_table_add(t, "%lld", (long long) r->v[CX_R_DISMISSED]);
    cx_table_add(t, "%lld", (long long) r->v[CX_R_ANSWERED]);

    if (r->v[CX_R_SHOWN]) {
        cx_table_add(t, "%.1f%%",
                     100.0 * (double) r->v[CX_R_ASKED]
                         / (double) r->v[CX_R_SHOWN]);
    } else {
        cx_table_add(t, "-");
    }

    cx_table_add(t, "%lld", (long long) r->v[CX_R_TEXT]);

    if (metric == NULL) {
        cx_table_add(t, "-");

    } else if (strcmp(metric, "ces") == 0) {
        cx_table_add(t, "effort %s", cx_ctl_plain(text, &s, CX_S_CES));

    } else if (strcmp(metric, "nps") == 0) {
        cx_table_add(t, "NPS %s", cx_ctl_figure(text, &s, CX_S_NPS));

    } else {
        cx_table_add(t, "satisfied %% %s",
                     cx_ctl_figure(text, &s, CX_S_SATISFACTION));
    }
}


static json_t *
cx_survey_json(const cx_ctl_t *c, const cx_ctl_page_t *p, const cx_rollup_t *r)
{
    int         i;
    json_t     *o, *scores;
    cx_score_t  s;
    const char *metric;

    cx_score(&s, r, r, &c->tuning);
    metric = cx_survey_metric(r);
    o = json_object();
    scores = json_object();
    json_object_set_new(o, "survey",
                        cx_json_text((char *) p->name.data, p->name.len));
    json_object_set_new(o, "metric",
                        metric ? json_string(metric) : json_null());

    for (i = CX_R_SHOWN; i <= CX_R_VOLUNTEERED; i++) {
        json_object_set_new(o, cx_rollup_names[i], json_integer(r->v[i]));
    }

    for (i = CX_R_NPS_0; i <= CX_R_PSAT_1; i++) {
        if (metric && strncmp(cx_rollup_names[i], metric, strlen(metric)) == 0)
        {
            json_object_set_new(scores, strchr(cx_rollup_names[i], ':') + 1,
                                json_integer(r->v[i]));
        }
    }

    json_object_set_new(o, "scores", scores);
    scores = json_object();
    cx_json_score(scores, &s);
    json_object_set_new(o, "figures", scores);

    return o;
}


int
cx_ctl_cmd_surveys(cx_ctl_t *c)
{
    int                      rc;
    size_t                   i, n;
    json_t                  *o, *list;
    cx_table_t               t;
    cx_rollup_t              r;
    cx_ctl_page_t           *p;
    static const char *const head[] = { "<SURVEY",    "<METRIC",   ">SHOWN",
                                        ">DISMISSED", ">ANSWERED", ">RATE",
                                        ">TEXT",      "<FIGURE" };

    if (c->gran != CX_DAY) {
        fputs("cxctl: surveys are counted by day, see --window\n", stderr);
        return CX_CTL_ERROR;
    }

    p = cx_ctl_index(c, CX_KEY_SURVEYS, c->gran, c->window, 0, &n);

    if (p == NULL) {
        return CX_CTL_ERROR;
    }

    cx_table_begin(&t, 8, head);
    list = json_array();
    rc = CX_CTL_OK;

    for (i = 0; i < n && rc == CX_CTL_OK; i++) {
        if (cx_ctl_sum(c, &r, CX_KEY_SURVEY, c->gran, c->window, &p[i].name)
            < 0) {
            rc = CX_CTL_ERROR;
            break;
        }

        cx_survey_row(c, &t, (char *) p[i].name.data, &r);
        json_array_append_new(list, cx_survey_json(c, &p[i], &r));
        cx_rollup_free(&r);
    }

    if (c->json) {
        o = json_object();
        json_object_set_new(o, "site", json_string((char *) c->whole.data));
        json_object_set_new(o, "window", json_integer(c->window));
        json_object_set(o, "surveys", list);
        cx_json_print(o);

    } else {
        printf("site %s, day %lld UTC\n\n", (char *) c->whole.data,
               (long long) c->window);
        cx_table_print(&t);
    }

    cx_table_free(&t);
    json_decref(list);
    cx_ctl_pages_free(p, n);

    return rc;
}
