/* The steps of a survey behind the first one. */

#include "ngx_http_cx_survey_conf.h"


static ngx_int_t ngx_http_cx_survey_follow_up(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    json_t *steps);
static ngx_int_t ngx_http_cx_survey_by(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *texts, json_t *by);
static ngx_int_t ngx_http_cx_survey_more(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    json_t *steps);
static ngx_int_t ngx_http_cx_survey_step(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey, json_t *from,
    json_t *step);
static ngx_int_t ngx_http_cx_survey_if(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *list);


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_more_keys[] = {
    { "kind", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 1, "choice choices text" },
    { "if", NGX_HTTP_CX_SURVEY_LIST, 1, 3, 0, NULL },
    { "question", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 1, NULL },
    { "options", NGX_HTTP_CX_SURVEY_LIST, 2, CX_OPTIONS_MAX, 0, NULL },
    { "offer", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


ngx_int_t
ngx_http_cx_survey_steps(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    json_t  *steps;

    steps = json_array();

    if (json_object_set_new(d->asks, "steps", steps) != 0) {
        return ngx_http_cx_survey_memory(l);
    }

    if (ngx_http_cx_survey_follow_up(l, d, survey, steps) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_more(l, d, survey, steps);
}


/* true: the standard question behind any score */

static ngx_int_t
ngx_http_cx_survey_follow_up(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    json_t *steps)
{
    size_t   len, offset;
    json_t  *follow_up, *step, *by;

    follow_up = json_object_get(d->json, "follow_up");

    if (follow_up == NULL || json_is_false(follow_up)) {
        return NGX_OK;
    }

    len = ngx_http_cx_survey_enter(l, "follow_up");

    if (d->metric->asks == NGX_HTTP_CX_ASKS_TEXT) {
        return ngx_http_cx_survey_wrong(l, "no second text step");
    }

    by = json_object();
    step = json_pack("{s:s, s:o}", "kind", "text", "by", by);

    if (step == NULL || json_array_append_new(steps, step) != 0) {
        return ngx_http_cx_survey_memory(l);
    }

    survey->info.asks |= NGX_HTTP_CX_ASKS_TEXT;

    if (json_is_true(follow_up) && d->metric->wording != -1) {
        ngx_http_cx_survey_leave(l, len);

        offset = offsetof(cx_language_t, wording)
                 + d->metric->wording * sizeof(cx_wording_t)
                 + offsetof(cx_wording_t, why);

        return ngx_http_cx_survey_default(l, d, by, "any", offset);
    }

    if (json_object_size(follow_up) == 0) {
        return ngx_http_cx_survey_wrong(l, d->metric->wording == -1
                   ? "an object with the key any"
                   : "true, or an object of buckets and questions");
    }

    if (ngx_http_cx_survey_by(l, d, follow_up, by) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_by(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *texts, json_t *by)
{
    u_char      *p, text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t      *value;
    ngx_uint_t   n;
    const char  *key, *buckets;

    buckets = d->metric->buckets;

    json_object_foreach(texts, key, value) {
        if (ngx_strcmp(key, "any") != 0
            && (buckets == NULL || !ngx_http_cx_survey_word(buckets, key, &n)))
        {
            p = ngx_sprintf(text, "only the keys ");

            if (buckets) {
                ngx_http_cx_survey_words(p, buckets, ",");
                p = ngx_sprintf(p + ngx_strlen(p), ", ");
            }

            ngx_sprintf(p, "any%Z");

            return ngx_http_cx_survey_wrong_at(l, key, (char *) text);
        }

        if (ngx_http_cx_survey_put(l, d, texts, key,
                                   NGX_HTTP_CX_SURVEY_QUESTION, by, key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_more(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    json_t *steps)
{
    size_t       all, len;
    json_t      *more, *step;
    ngx_uint_t   i;

    more = json_object_get(d->json, "more");
    all = ngx_http_cx_survey_enter(l, "more");

    for (i = 0; i < json_array_size(more); i++) {
        len = ngx_http_cx_survey_enter_item(l, i);
        step = json_object();

        if (json_array_append_new(steps, step) != 0) {
            return ngx_http_cx_survey_memory(l);
        }

        if (ngx_http_cx_survey_step(l, d, survey, json_array_get(more, i),
                                    step)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    ngx_http_cx_survey_leave(l, all);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_step(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey, json_t *from,
    json_t *step)
{
    ngx_uint_t  n, asks, taken;

    if (ngx_http_cx_survey_object(l, from, ngx_http_cx_survey_more_keys)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_http_cx_survey_word("choice choices text",
                   json_string_value(json_object_get(from, "kind")), &n);

    asks = NGX_HTTP_CX_ASKS_CHOICE << n;
    taken = asks == NGX_HTTP_CX_ASKS_TEXT ? asks
            : NGX_HTTP_CX_ASKS_CHOICE|NGX_HTTP_CX_ASKS_CHOICES;

    if (survey->info.asks & taken) {
        return ngx_http_cx_survey_wrong_at(l, "kind",
                   asks == NGX_HTTP_CX_ASKS_TEXT
                       ? "another kind, as this survey asks for a text before"
                       : "text, as this survey has a choice before");
    }

    survey->info.asks |= asks;

    if (ngx_http_cx_survey_if(l, d, json_object_get(from, "if")) != NGX_OK) {
        return NGX_ERROR;
    }

    if (json_object_set(step, "kind", json_object_get(from, "kind")) != 0
        || (json_object_get(from, "if")
            && json_object_set(step, "if", json_object_get(from, "if")) != 0)
        || (!json_is_false(json_object_get(from, "offer"))
            && json_object_set_new(step, "offer", json_integer(1)) != 0))
    {
        return ngx_http_cx_survey_memory(l);
    }

    if (ngx_http_cx_survey_put(l, d, from, "question",
                               NGX_HTTP_CX_SURVEY_QUESTION, step, "question")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_options(l, d, from, step, asks, survey);
}


static ngx_int_t
ngx_http_cx_survey_if(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, json_t *list)
{
    size_t                    all, len;
    ngx_uint_t                i;
    ngx_http_cx_survey_key_t  bucket;

    if (list == NULL) {
        return NGX_OK;
    }

    all = ngx_http_cx_survey_enter(l, "if");

    if (d->metric->buckets == NULL) {
        return ngx_http_cx_survey_wrong(l, "no condition, as no score is "
                                        "asked for");
    }

    ngx_memzero(&bucket, sizeof(ngx_http_cx_survey_key_t));

    bucket.kind = NGX_HTTP_CX_SURVEY_WORD;
    bucket.words = d->metric->buckets;

    for (i = 0; i < json_array_size(list); i++) {
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_value(l, json_array_get(list, i), &bucket)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    ngx_http_cx_survey_leave(l, all);

    return NGX_OK;
}
