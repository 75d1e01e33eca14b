/*
 * What a survey asks: its metric and look, the texts of its first step, and
 * the thanks.
 */

#include "ngx_http_cx_survey_conf.h"


static ngx_int_t ngx_http_cx_survey_metric(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);
static void ngx_http_cx_survey_measure(ngx_http_cx_survey_metric_t *metric,
    ngx_http_cx_survey_info_t *info);
static ngx_int_t ngx_http_cx_survey_look(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_int_t ngx_http_cx_survey_nouns(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_int_t ngx_http_cx_survey_question(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_int_t ngx_http_cx_survey_labels(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_int_t ngx_http_cx_survey_thanks(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_int_t ngx_http_cx_survey_link(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *link);


/* scores, what is asked, wording, buckets from low to high, looks; versions
   have the position in it: others go behind */

static ngx_http_cx_survey_metric_t  ngx_http_cx_survey_metrics[] = {
    { ngx_string("nps"), 0, 10, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_NPS,
      "detractor passive promoter", NULL },
    { ngx_string("csat"), 1, 5, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_CSAT,
      "dissatisfied neutral satisfied", "numbers stars faces" },
    { ngx_string("csat7"), 1, 7, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_CSAT,
      "dissatisfied neutral satisfied", "numbers stars" },
    { ngx_string("ces"), 1, 7, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_CES,
      "hard neutral easy", NULL },
    { ngx_string("psat"), 0, 1, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_PSAT,
      "down up", "thumbs" },
    { ngx_string("psat5"), 1, 5, NGX_HTTP_CX_ASKS_SCORE, CX_WORDING_PSAT5,
      "dissatisfied neutral satisfied", "numbers stars faces" },
    { ngx_string("choice"), 0, 0, NGX_HTTP_CX_ASKS_CHOICE, -1, NULL, NULL },
    { ngx_string("choices"), 0, 0, NGX_HTTP_CX_ASKS_CHOICES, -1, NULL, NULL },
    { ngx_string("text"), 0, 0, NGX_HTTP_CX_ASKS_TEXT, -1, NULL, NULL },
    { ngx_null_string, 0, 0, 0, -1, NULL, NULL }
};

#define NGX_HTTP_CX_SURVEY_METRICS                                            \
    (ngx_int_t) (sizeof(ngx_http_cx_survey_metrics)                           \
                 / sizeof(ngx_http_cx_survey_metrics[0]) - 1)


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_label_keys[] = {
    { "low", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "high", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_thanks_keys[] = {
    { "text", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "link", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_link_keys[] = {
    { "url", NGX_HTTP_CX_SURVEY_URL, 1, 500, 1, NULL },
    { "label", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 1, NULL },
    ngx_http_cx_survey_null_key
};


ngx_int_t
ngx_http_cx_survey_ask(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    if (ngx_http_cx_survey_metric(l, d, survey) != NGX_OK
        || ngx_http_cx_survey_look(l, d) != NGX_OK
        || ngx_http_cx_survey_nouns(l, d) != NGX_OK
        || ngx_http_cx_survey_question(l, d) != NGX_OK
        || ngx_http_cx_survey_labels(l, d) != NGX_OK
        || ngx_http_cx_survey_options(l, d, d->json, d->asks,
                                      d->metric->asks, survey) != NGX_OK
        || ngx_http_cx_survey_steps(l, d, survey) != NGX_OK
        || ngx_http_cx_survey_thanks(l, d) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (json_object_get(d->json, "tab")) {
        return ngx_http_cx_survey_put(l, d, d->json, "tab",
                                      NGX_HTTP_CX_SURVEY_LABEL, d->says,
                                      "tab");
    }

    return survey->tab ? ngx_http_cx_survey_default(l, d, d->says, "tab",
                            offsetof(cx_language_t, words[CX_WORD_FEEDBACK]))
                       : NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_metric(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    const char                   *name;
    ngx_http_cx_survey_metric_t  *metric;

    name = json_string_value(json_object_get(d->json, "metric"));

    for (metric = ngx_http_cx_survey_metrics; metric->name.len; metric++) {
        if (ngx_strcmp(name, metric->name.data) == 0) {
            break;
        }
    }

    if (metric->name.len == 0) {
        return ngx_http_cx_survey_wrong_at(l, "metric",
                                   "nps, csat, csat7, ces, psat, psat5, "
                                   "choice, choices or text");
    }

    d->metric = metric;
    d->kind = metric - ngx_http_cx_survey_metrics;

    ngx_http_cx_survey_measure(metric, &survey->info);

    return NGX_OK;
}


static void
ngx_http_cx_survey_measure(ngx_http_cx_survey_metric_t *metric,
    ngx_http_cx_survey_info_t *info)
{
    info->metric = metric->name;
    info->score_min = metric->min;
    info->score_max = metric->max;
    info->asks = metric->asks;
}


ngx_uint_t
ngx_http_cx_survey_was(cx_str_t *version, ngx_http_cx_survey_info_t *info)
{
    ngx_int_t  n;

    n = version->len ? ngx_hextoi(version->data, 1) : NGX_ERROR;

    if (n < 0 || n >= NGX_HTTP_CX_SURVEY_METRICS) {
        return 0;
    }

    ngx_http_cx_survey_measure(&ngx_http_cx_survey_metrics[n], info);

    return 1;
}


static ngx_int_t
ngx_http_cx_survey_look(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    u_char       text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t      *look;
    ngx_uint_t   n;
    const char  *looks;

    looks = d->metric->looks;
    look = json_object_get(d->json, "look");

    if (look == NULL) {
        if (looks == NULL) {
            return NGX_OK;
        }

        d->look = looks[0] == 't' ? "thumbs" : "numbers";

        return NGX_OK;
    }

    if (looks == NULL) {
        ngx_sprintf(text, "no look, as %V has only one%Z", &d->metric->name);
        return ngx_http_cx_survey_wrong_at(l, "look", (char *) text);
    }

    d->look = json_string_value(look);

    if (!ngx_http_cx_survey_word(looks, d->look, &n)) {
        ngx_http_cx_survey_words(text, looks, "or");
        return ngx_http_cx_survey_wrong_at(l, "look", (char *) text);
    }

    return NGX_OK;
}


/* what {name} and {task} stand for in the other texts */

static ngx_int_t
ngx_http_cx_survey_nouns(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    size_t    len;
    json_t   *json;

    json = json_object_get(d->json, "name");

    if (json) {
        len = ngx_http_cx_survey_enter(l, "name");
        d->name = ngx_http_cx_survey_noun(l, d, json,
                                          NGX_HTTP_CX_SURVEY_NOUN);
        if (d->name == NULL) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    json = json_object_get(d->json, "task");

    if (json) {
        len = ngx_http_cx_survey_enter(l, "task");
        d->task = ngx_http_cx_survey_noun(l, d, json,
                                          NGX_HTTP_CX_SURVEY_NOUN);
        if (d->task == NULL) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_question(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    if (json_object_get(d->json, "question")) {
        return ngx_http_cx_survey_put(l, d, d->json, "question",
                                      NGX_HTTP_CX_SURVEY_QUESTION, d->asks,
                                      "question");
    }

    if (d->metric->wording == -1) {
        return ngx_http_cx_survey_wrong(l, "a key \"question\", as only scores"
                                        " have standard wording");
    }

    return ngx_http_cx_survey_keep(l, d->own, d->asks, "question",
                                   ngx_http_cx_survey_standard_question(d));
}


static ngx_int_t
ngx_http_cx_survey_labels(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    size_t       len, offset;
    json_t      *labels;
    ngx_int_t    rc;
    ngx_uint_t   i;

    static struct {
        const char  *key;
        size_t       offset;
    } ends[] = {
        { "low", offsetof(cx_wording_t, low) },
        { "high", offsetof(cx_wording_t, high) }
    };

    labels = json_object_get(d->json, "labels");

    if (d->metric->wording == -1) {
        return labels == NULL ? NGX_OK
                   : ngx_http_cx_survey_wrong_at(l, "labels",
                                   "labels only where a score is asked for");
    }

    if (ngx_http_cx_survey_member(l, d->json, "labels",
                                  ngx_http_cx_survey_label_keys)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = ngx_http_cx_survey_enter(l, "labels");

    for (i = 0; i < 2; i++) {

        if (json_object_get(labels, ends[i].key)) {
            rc = ngx_http_cx_survey_put(l, d, labels, ends[i].key,
                                        NGX_HTTP_CX_SURVEY_LABEL, d->asks,
                                        ends[i].key);

        } else {
            offset = offsetof(cx_language_t, wording)
                     + d->metric->wording * sizeof(cx_wording_t)
                     + ends[i].offset;
            rc = ngx_http_cx_survey_default(l, d, d->asks, ends[i].key,
                                            offset);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}


/* of the survey, or of one of its steps */

ngx_int_t
ngx_http_cx_survey_options(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *from, json_t *to, ngx_uint_t asks,
    ngx_http_cx_survey_t *survey)
{
    size_t       all, len;
    json_t      *options, *list, *text;
    ngx_uint_t   i;

    options = json_object_get(from, "options");

    if (!(asks & (NGX_HTTP_CX_ASKS_CHOICE|NGX_HTTP_CX_ASKS_CHOICES))) {
        return options == NULL ? NGX_OK
                   : ngx_http_cx_survey_wrong_at(l, "options",
                                   "options only of choice and choices");
    }

    if (options == NULL) {
        return ngx_http_cx_survey_wrong(l, "a key \"options\"");
    }

    list = json_array();

    if (json_object_set_new(to, "options", list) != 0) {
        return ngx_http_cx_survey_memory(l);
    }

    all = ngx_http_cx_survey_enter(l, "options");

    for (i = 0; i < json_array_size(options); i++) {
        len = ngx_http_cx_survey_enter_item(l, i);

        text = ngx_http_cx_survey_text(l, d, json_array_get(options, i),
                                       NGX_HTTP_CX_SURVEY_OPTION);
        if (text == NULL) {
            return NGX_ERROR;
        }

        if (json_array_append_new(list, text) != 0
            || json_array_append(d->own, text) != 0)
        {
            return ngx_http_cx_survey_memory(l);
        }

        ngx_http_cx_survey_leave(l, len);
    }

    ngx_http_cx_survey_leave(l, all);

    survey->info.options = i;

    return NGX_OK;
}


/* a text, or an object that may have a link too */

static ngx_int_t
ngx_http_cx_survey_thanks(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    size_t      len;
    json_t     *thanks;
    ngx_int_t   rc;

    thanks = json_object_get(d->json, "thanks");

    if (thanks && !json_object_get(thanks, "text")
        && !json_object_get(thanks, "link"))
    {
        return ngx_http_cx_survey_put(l, d, d->json, "thanks",
                                      NGX_HTTP_CX_SURVEY_QUESTION, d->says,
                                      "thanks");
    }

    len = ngx_http_cx_survey_enter(l, "thanks");

    if (thanks
        && ngx_http_cx_survey_object(l, thanks, ngx_http_cx_survey_thanks_keys)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (json_object_get(thanks, "text")) {
        rc = ngx_http_cx_survey_put(l, d, thanks, "text",
                                    NGX_HTTP_CX_SURVEY_QUESTION, d->says,
                                    "thanks");
    } else {
        rc = ngx_http_cx_survey_default(l, d, d->says, "thanks",
                            offsetof(cx_language_t, words[CX_WORD_THANKS]));
    }

    if (rc != NGX_OK
        || ngx_http_cx_survey_link(l, d, json_object_get(thanks, "link"))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_link(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *link)
{
    size_t  len;

    if (link == NULL) {
        return NGX_OK;
    }

    len = ngx_http_cx_survey_enter(l, "link");

    if (ngx_http_cx_survey_object(l, link, ngx_http_cx_survey_link_keys)
        != NGX_OK
        || ngx_http_cx_survey_put(l, d, link, "label",
                                  NGX_HTTP_CX_SURVEY_LABEL, d->says, "label")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}
