/* All texts of a survey, by language. */

#include "ngx_http_cx_survey_conf.h"


static ngx_int_t ngx_http_cx_survey_add_tag(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    const char *tag);
static ngx_int_t ngx_http_cx_survey_speechless(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d);
static ngx_uint_t ngx_http_cx_survey_has_tag(json_t *texts, const char *tag);
static ngx_int_t ngx_http_cx_survey_speak(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_text_t *text);
static ngx_int_t ngx_http_cx_survey_speak_options(
    ngx_http_cx_survey_loader_t *l, json_t *from, const char *tag,
    ngx_array_t *options);
static ngx_int_t ngx_http_cx_survey_speak_steps(
    ngx_http_cx_survey_loader_t *l, json_t *steps, const char *tag,
    ngx_array_t *list);
static ngx_int_t ngx_http_cx_survey_speak_step(ngx_http_cx_survey_loader_t *l,
    json_t *step, json_t *question, ngx_str_t *buckets, const char *tag,
    ngx_array_t *list);
static ngx_int_t ngx_http_cx_survey_buckets(ngx_http_cx_survey_loader_t *l,
    json_t *list, ngx_str_t *dst);
static ngx_int_t ngx_http_cx_survey_say(ngx_http_cx_survey_loader_t *l,
    json_t *texts, const char *key, const char *tag, ngx_str_t *dst);
static void ngx_http_cx_survey_words_of(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_text_t *text);


ngx_int_t
ngx_http_cx_survey_texts(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    size_t       i;
    u_char       own[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t      *text, *value;
    const char  *tag;

    if (ngx_array_init(&survey->texts, l->cf->pool, 4,
                       sizeof(ngx_http_cx_survey_text_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the survey's own language is the first: all else falls back on it */

    ngx_strlow(own, (u_char *) d->language, ngx_strlen(d->language) + 1);

    if (ngx_http_cx_survey_add_tag(l, d, survey, (char *) own) != NGX_OK) {
        return NGX_ERROR;
    }

    json_array_foreach(d->own, i, text) {
        json_object_foreach(text, tag, value) {
            if (ngx_http_cx_survey_add_tag(l, d, survey, tag) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return survey->texts.nelts ? NGX_OK
                               : ngx_http_cx_survey_speechless(l, d);
}


/* says what the survey's own language lacks */

static ngx_int_t
ngx_http_cx_survey_speechless(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d)
{
    u_char       text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t      *value;
    ngx_uint_t   i;
    const char  *lacks, *part;

    static const char  *parts[] = {
        "question", "low", "high", "thanks", "label", "tab"
    };

    lacks = "text for all of its steps";

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        part = parts[i];
        value = json_object_get(i < 3 ? d->asks : d->says, part);

        if (value && !ngx_http_cx_survey_in_language(value, d->language)) {
            lacks = part;
            break;
        }
    }

    ngx_sprintf(text, "one language at least that all its texts have (%s has "
                "no %s)%Z", d->language, lacks);

    return ngx_http_cx_survey_wrong(l, (char *) text);
}


/* a language that lacks a text is left out */

static ngx_int_t
ngx_http_cx_survey_add_tag(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    const char *tag)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    text = survey->texts.elts;

    for (i = 0; i < survey->texts.nelts; i++) {
        if (ngx_strcmp(text[i].tag.data, tag) == 0) {
            return NGX_OK;
        }
    }

    if (!ngx_http_cx_survey_has_tag(d->own, tag)
        || !ngx_http_cx_survey_has_tag(d->standard, tag))
    {
        return NGX_OK;
    }

    if (survey->texts.nelts == NGX_HTTP_CX_SURVEY_LANGUAGES) {
        return ngx_http_cx_survey_wrong(l, "at most 64 languages");
    }

    text = ngx_array_push(&survey->texts);
    if (text == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(text, sizeof(ngx_http_cx_survey_text_t));

    if (ngx_http_cx_survey_copy(l, tag, &text->tag) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_words_of(d, text);

    return ngx_http_cx_survey_speak(l, d, text);
}


static ngx_uint_t
ngx_http_cx_survey_has_tag(json_t *texts, const char *tag)
{
    size_t   i;
    json_t  *text;

    json_array_foreach(texts, i, text) {
        if (ngx_http_cx_survey_in_language(text, tag) == NULL) {
            return 0;
        }
    }

    return 1;
}


/* of the nearest language that is built in: this, the survey's own, English */

static void
ngx_http_cx_survey_words_of(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_text_t *text)
{
    int         i;
    char        first[NGX_HTTP_CX_SURVEY_PATH_MAX];
    cx_str_t    own;
    ngx_uint_t  n;

    own.data = (u_char *) d->language;
    own.len = ngx_strlen(d->language);

    i = ngx_http_cx_survey_built_in((cx_str_t *) &text->tag);

    if (i >= 0) {
        text->rtl = cx_languages[i].rtl;

    } else {
        ngx_cpystrn((u_char *) first, text->tag.data,
                    strcspn((char *) text->tag.data, "-") + 1);

        text->rtl = ngx_http_cx_survey_word("ckb dv fa ks ps sd ug ur yi",
                                            first, &n);

        i = ngx_http_cx_survey_built_in(&own);
    }

    text->words = &cx_languages[ngx_max(i, 0)];
}


static ngx_int_t
ngx_http_cx_survey_speak(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_text_t *text)
{
    json_t      *url;
    const char  *tag;

    tag = (char *) text->tag.data;

    url = json_object_get(json_object_get(json_object_get(d->json, "thanks"),
                                          "link"), "url");

    if (url
        && ngx_http_cx_survey_copy(l, json_string_value(url), &text->link_url)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_cx_survey_say(l, d->asks, "question", tag, &text->question)
        != NGX_OK
        || ngx_http_cx_survey_say(l, d->asks, "low", tag, &text->low)
           != NGX_OK
        || ngx_http_cx_survey_say(l, d->asks, "high", tag, &text->high)
           != NGX_OK
        || ngx_http_cx_survey_say(l, d->says, "thanks", tag, &text->thanks)
           != NGX_OK
        || ngx_http_cx_survey_say(l, d->says, "label", tag, &text->link_label)
           != NGX_OK
        || ngx_http_cx_survey_say(l, d->says, "tab", tag, &text->tab)
           != NGX_OK
        || ngx_http_cx_survey_speak_options(l, d->asks, tag, &text->options)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_speak_steps(l, json_object_get(d->asks, "steps"),
                                          tag, &text->steps);
}


static ngx_int_t
ngx_http_cx_survey_speak_options(ngx_http_cx_survey_loader_t *l, json_t *from,
    const char *tag, ngx_array_t *options)
{
    size_t      i;
    json_t     *list, *text;
    ngx_str_t  *option;

    list = json_object_get(from, "options");

    if (ngx_array_init(options, l->cf->pool, ngx_max(json_array_size(list), 1),
                       sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_array_foreach(list, i, text) {
        option = ngx_array_push(options);

        if (option == NULL
            || ngx_http_cx_survey_copy(l,
                                ngx_http_cx_survey_in_language(text, tag),
                                option)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a follow-up by bucket is a step for each of them, "any" the last */

static ngx_int_t
ngx_http_cx_survey_speak_steps(ngx_http_cx_survey_loader_t *l, json_t *steps,
    const char *tag, ngx_array_t *list)
{
    size_t       i;
    json_t      *step, *by, *question;
    ngx_str_t    buckets;
    const char  *bucket;

    if (ngx_array_init(list, l->cf->pool, 4,
                       sizeof(ngx_http_cx_survey_step_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_array_foreach(steps, i, step) {
        by = json_object_get(step, "by");

        json_object_foreach(by, bucket, question) {
            if (ngx_strcmp(bucket, "any") == 0) {
                continue;
            }

            if (ngx_http_cx_survey_copy(l, bucket, &buckets) != NGX_OK
                || ngx_http_cx_survey_speak_step(l, step, question, &buckets,
                                                 tag, list)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        question = json_object_get(by ? by : step, by ? "any" : "question");

        if (question
            && (ngx_http_cx_survey_buckets(l, json_object_get(step, "if"),
                                           &buckets) != NGX_OK
                || ngx_http_cx_survey_speak_step(l, step, question, &buckets,
                                                 tag, list) != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_speak_step(ngx_http_cx_survey_loader_t *l, json_t *step,
    json_t *question, ngx_str_t *buckets, const char *tag, ngx_array_t *list)
{
    ngx_uint_t                  n;
    ngx_http_cx_survey_step_t  *s;

    s = ngx_array_push(list);
    if (s == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_http_cx_survey_word("choice choices text",
                   json_string_value(json_object_get(step, "kind")), &n);

    s->asks = NGX_HTTP_CX_ASKS_CHOICE << n;
    s->buckets = *buckets;

    if (ngx_http_cx_survey_copy(l,
                                ngx_http_cx_survey_in_language(question, tag),
                                &s->question)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_speak_options(l, step, tag, &s->options);
}


static ngx_int_t
ngx_http_cx_survey_buckets(ngx_http_cx_survey_loader_t *l, json_t *list,
    ngx_str_t *dst)
{
    size_t   i;
    u_char  *p, text[NGX_HTTP_CX_SURVEY_PATH_MAX];
    json_t  *bucket;

    p = text;

    json_array_foreach(list, i, bucket) {
        p = ngx_slprintf(p, text + sizeof(text) - 1, "%s%s", i ? " " : "",
                         json_string_value(bucket));
    }

    *p = '\0';

    return ngx_http_cx_survey_copy(l, (char *) text, dst);
}


/* nothing where this is none of the survey's texts */

static ngx_int_t
ngx_http_cx_survey_say(ngx_http_cx_survey_loader_t *l, json_t *texts,
    const char *key, const char *tag, ngx_str_t *dst)
{
    json_t  *text;

    text = json_object_get(texts, key);

    if (text == NULL) {
        return NGX_OK;
    }

    return ngx_http_cx_survey_copy(l,
                                   ngx_http_cx_survey_in_language(text, tag),
                                   dst);
}
