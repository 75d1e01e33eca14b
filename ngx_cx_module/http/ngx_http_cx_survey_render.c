/* What others get of a survey: version, definition, the browser's JSON. */

#include "ngx_http_cx_survey_conf.h"


static ngx_int_t ngx_http_cx_survey_version(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_define(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);
static json_t *ngx_http_cx_survey_definition(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_when_words(
    ngx_http_cx_survey_loader_t *l, json_t *when, ngx_http_cx_survey_t *survey);
static u_char *ngx_http_cx_survey_when_after(u_char *p, json_t *after);
static ngx_int_t ngx_http_cx_survey_browser(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text);
static json_t *ngx_http_cx_survey_browser_json(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text);
static int ngx_http_cx_survey_steps_json(json_t *out, json_t *steps,
    const char *tag);
static int ngx_http_cx_survey_list_json(json_t *out, json_t *list,
    const char *tag);
static int ngx_http_cx_survey_settings(json_t *out,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text);
static json_t *ngx_http_cx_survey_when(json_t *when);
static json_t *ngx_http_cx_survey_often(json_t *often);
static int ngx_http_cx_survey_set(json_t *out, const char *key,
    ngx_str_t *text);
static ngx_int_t ngx_http_cx_survey_dump(ngx_http_cx_survey_loader_t *l,
    json_t *json, size_t flags, ngx_str_t *dst);


/* in the browser's words, and the defaults */

static struct {
    const char  *file;
    const char  *browser;
    json_int_t   value;
} ngx_http_cx_survey_often_defaults[] = {
    { "answered_days", "answered", 90 },
    { "dismissed_days", "dismissed", 30 },
    { "showings", "showings", 2 },
    { "between_days", "between", 7 },
    { NULL, NULL, 0 }
};


ngx_int_t
ngx_http_cx_survey_render(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    if (ngx_http_cx_survey_version(l, d, survey) != NGX_OK
        || ngx_http_cx_survey_define(l, d, survey) != NGX_OK
        || ngx_http_cx_survey_when_words(l, json_object_get(d->json, "when"),
                                         survey) != NGX_OK)
    {
        return NGX_ERROR;
    }

    text = survey->texts.elts;

    for (i = 0; i < survey->texts.nelts; i++) {
        if (ngx_http_cx_survey_browser(l, d, survey, &text[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Of all that an answer depends on, in all languages.  The first digit is that
 * of the metric: an answer to an older wording must not be taken for one of
 * the metric that the survey has now.
 */

static ngx_int_t
ngx_http_cx_survey_version(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    json_t                     *json;
    uint32_t                    crc;
    ngx_int_t                   rc;
    ngx_str_t                   text;
    ngx_http_cx_survey_info_t  *info;

    info = &survey->info;

    json = json_pack("{s:s, s:s, s:[i, i], s:O}",
                     "metric", info->metric.data,
                     "look", d->look ? d->look : "",
                     "scale", (int) info->score_min, (int) info->score_max,
                     "asks", d->asks);

    rc = ngx_http_cx_survey_dump(l, json, JSON_SORT_KEYS, &text);

    if (rc != NGX_OK) {
        return rc;
    }

    info->version.len = 8;
    info->version.data = ngx_pnalloc(l->cf->pool, 8);
    if (info->version.data == NULL) {
        return NGX_ERROR;
    }

    crc = ngx_crc32_long(text.data, text.len);
    crc = (crc & 0x0fffffff) | (uint32_t) d->kind << 28;

    ngx_sprintf(info->version.data, "%08xD", crc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_define(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    u_char  text[NGX_HTTP_CX_SURVEY_PATH_MAX];

    if (ngx_http_cx_survey_dump(l, ngx_http_cx_survey_definition(d, survey), 0,
                                &survey->definition)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (survey->definition.len > CX_DEFINITION_MAX) {
        ngx_sprintf(text, "question, options, owner and purpose to have less "
                    "text: as JSON %uz bytes, at most %d%Z",
                    survey->definition.len, CX_DEFINITION_MAX);
        return ngx_http_cx_survey_wrong(l, (char *) text);
    }

    return NGX_OK;
}


/* in the first of its languages */

static json_t *
ngx_http_cx_survey_definition(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_t *survey)
{
    int                         failed;
    json_t                     *out, *value;
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    static const char  *lines[] = { "owner", "purpose" };

    text = survey->texts.elts;

    out = json_pack("{s:s, s:s, s:s}",
                    "metric", survey->info.metric.data,
                    "language", text->tag.data,
                    "question", text->question.data);

    failed = ngx_http_cx_survey_list_json(out, d->asks,
                                          (char *) text->tag.data);

    for (i = 0; i < 2; i++) {
        value = json_object_get(d->json, lines[i]);

        if (value) {
            failed |= json_object_set(out, lines[i], value);
        }
    }

    if (survey->retired) {
        failed |= json_object_set_new(out, "retired", json_true());
    }

    if (failed) {
        json_decref(out);
        return NULL;
    }

    return out;
}


/* "20 s delay, 50 % scrolled or exit; from view 2 on" */

static ngx_int_t
ngx_http_cx_survey_when_words(ngx_http_cx_survey_loader_t *l, json_t *when,
    ngx_http_cx_survey_t *survey)
{
    u_char      *p, *last, text[2048];
    json_t      *value;
    ngx_uint_t   i;

    static struct {
        const char  *key;
        const char  *words;
    } kinds[] = {
        { "delay", "%sdelay of %L s" },
        { "dwell", "%s%L s in view" },
        { "scroll", "%s%L %% scrolled" },
        { "exit", "%sexit" },
        { "idle", "%s%L s idle" },
        { "click", "%sclick on %s" },
        { "after", "%ssignal" },
        { "ask", "%scx.ask()" },
        { "views", "%sfrom view %L on" },
        { "visits", "%sfrom visit %L on" }
    };

    p = text;
    last = text + sizeof(text);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        value = json_object_get(when, kinds[i].key);

        if (value == NULL || json_is_false(value)) {
            continue;
        }

        if (json_is_string(value)) {
            p = ngx_slprintf(p, last, kinds[i].words, p == text ? "" : ", ",
                             json_string_value(value));

        } else {
            p = ngx_slprintf(p, last, kinds[i].words, p == text ? "" : ", ",
                             (int64_t) json_integer_value(value));
        }

        if (json_is_array(value)) {
            p = ngx_http_cx_survey_when_after(p, value);
        }
    }

    if (p == text) {
        return NGX_OK;
    }

    *p = '\0';

    return ngx_http_cx_survey_copy(l, (char *) text, &survey->when);
}


static u_char *
ngx_http_cx_survey_when_after(u_char *p, json_t *after)
{
    size_t   i;
    json_t  *signal;

    json_array_foreach(after, i, signal) {
        p = ngx_sprintf(p, "%s%s", i ? " or " : " ",
                        json_string_value(signal));
    }

    return p;
}


static ngx_int_t
ngx_http_cx_survey_browser(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text)
{
    ngx_int_t  rc;

    rc = ngx_http_cx_survey_dump(l,
                        ngx_http_cx_survey_browser_json(d, survey, text),
                        JSON_ENSURE_ASCII, &text->json);

    if (rc == NGX_OK) {
        text->json.data++;
        text->json.len -= 2;
    }

    return rc;
}


static json_t *
ngx_http_cx_survey_browser_json(ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text)
{
    int          failed;
    json_t      *out;
    const char  *tag;

    out = json_object();
    tag = (char *) text->tag.data;

    failed = ngx_http_cx_survey_set(out, "id", &survey->info.id)
             | ngx_http_cx_survey_set(out, "version", &survey->info.version)
             | ngx_http_cx_survey_set(out, "metric", &survey->info.metric);

    if (d->look) {
        failed |= json_object_set_new(out, "look", json_string(d->look));
    }

    failed |= ngx_http_cx_survey_set(out, "lang", &text->tag);

    if (text->rtl) {
        failed |= json_object_set_new(out, "dir", json_string("rtl"));
    }

    failed |= ngx_http_cx_survey_set(out, "question", &text->question)
              | ngx_http_cx_survey_set(out, "low", &text->low)
              | ngx_http_cx_survey_set(out, "high", &text->high)
              | ngx_http_cx_survey_list_json(out, d->asks, tag)
              | ngx_http_cx_survey_steps_json(out,
                                       json_object_get(d->asks, "steps"), tag)
              | ngx_http_cx_survey_set(out, "thanks", &text->thanks);

    if (text->link_url.len) {
        failed |= json_object_set_new(out, "link",
                      json_pack("{s:s, s:s}", "url", text->link_url.data,
                                "label", text->link_label.data));
    }

    failed |= ngx_http_cx_survey_settings(out, d, survey, text);

    if (failed) {
        json_decref(out);
        return NULL;
    }

    return out;
}


static int
ngx_http_cx_survey_steps_json(json_t *out, json_t *steps, const char *tag)
{
    int          failed;
    size_t       i;
    json_t      *list, *step, *to, *by, *texts, *value;
    const char  *key;

    if (json_array_size(steps) == 0) {
        return 0;
    }

    list = json_array();
    failed = json_object_set_new(out, "steps", list);

    json_array_foreach(steps, i, step) {
        to = json_object();
        failed |= json_array_append_new(list, to);

        json_object_foreach(step, key, value) {

            if (ngx_strcmp(key, "by") == 0) {
                texts = json_object();
                failed |= json_object_set_new(to, "by", texts);

                json_object_foreach(value, key, by) {
                    failed |= json_object_set_new(texts, key,
                                  json_string(
                                      ngx_http_cx_survey_in_language(by,
                                                                     tag)));
                }

                break;
            }

            if (ngx_strcmp(key, "options") == 0) {
                failed |= ngx_http_cx_survey_list_json(to, step, tag);

            } else if (ngx_strcmp(key, "question") == 0) {
                failed |= json_object_set_new(to, key,
                              json_string(
                                  ngx_http_cx_survey_in_language(value, tag)));

            } else {
                failed |= json_object_set(to, key, value);
            }
        }
    }

    return failed;
}


/* its options */

static int
ngx_http_cx_survey_list_json(json_t *out, json_t *from, const char *tag)
{
    int      failed;
    size_t   i;
    json_t  *list, *options, *text;

    options = json_object_get(from, "options");

    if (options == NULL) {
        return 0;
    }

    list = json_array();
    failed = json_object_set_new(out, "options", list);

    json_array_foreach(options, i, text) {
        failed |= json_array_append_new(list,
                      json_string(ngx_http_cx_survey_in_language(text, tag)));
    }

    return failed;
}


/* when, how often and where it appears; what is usual is left out */

static int
ngx_http_cx_survey_settings(json_t *out, ngx_http_cx_survey_draft_t *d,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text)
{
    int          failed;
    json_t      *when, *place, *corner;

    failed = 0;
    when = ngx_http_cx_survey_when(json_object_get(d->json, "when"));

    if (json_object_size(when)) {
        failed |= json_object_set(out, "when", when);
    }

    json_decref(when);

    failed |= json_object_set_new(out, "often",
                  ngx_http_cx_survey_often(json_object_get(d->json, "often")))
              | json_object_set_new(out, "chance",
                                    json_integer(survey->chance));

    place = json_object_get(d->json, "place");

    if (place && ngx_strcmp(json_string_value(place), "card") != 0) {
        failed |= json_object_set(out, "place", place);
    }

    corner = json_object_get(d->json, "corner");

    if (corner && ngx_strcmp(json_string_value(corner), "right") != 0) {
        failed |= json_object_set(out, "corner", corner);
    }

    failed |= ngx_http_cx_survey_set(out, "tab", &text->tab);

    if (survey->dry_run) {
        failed |= json_object_set_new(out, "dry", json_integer(1));
    }

    return failed;
}


static json_t *
ngx_http_cx_survey_when(json_t *when)
{
    json_t      *out, *value;
    const char  *key;

    out = json_object();

    json_object_foreach(when, key, value) {
        if (!json_is_false(value) && json_object_set(out, key, value) != 0) {
            json_decref(out);
            return NULL;
        }
    }

    return out;
}


static json_t *
ngx_http_cx_survey_often(json_t *often)
{
    json_t      *out, *value;
    json_int_t   n;
    ngx_uint_t   i;

    out = json_object();

    for (i = 0; ngx_http_cx_survey_often_defaults[i].file; i++) {
        n = ngx_http_cx_survey_often_defaults[i].value;

        value = json_object_get(often,
                                ngx_http_cx_survey_often_defaults[i].file);
        if (value) {
            n = json_integer_value(value);
        }

        if (json_object_set_new(out,
                                ngx_http_cx_survey_often_defaults[i].browser,
                                json_integer(n)))
        {
            json_decref(out);
            return NULL;
        }
    }

    return out;
}


static int
ngx_http_cx_survey_set(json_t *out, const char *key, ngx_str_t *text)
{
    if (text->len == 0) {
        return 0;
    }

    return json_object_set_new(out, key,
                               json_stringn((char *) text->data, text->len));
}


/* takes json, which may be NULL: memory is out */

static ngx_int_t
ngx_http_cx_survey_dump(ngx_http_cx_survey_loader_t *l, json_t *json,
    size_t flags, ngx_str_t *dst)
{
    char       *text;
    ngx_int_t   rc;

    text = json ? json_dumps(json, JSON_COMPACT|flags) : NULL;

    json_decref(json);

    if (text == NULL) {
        return ngx_http_cx_survey_memory(l);
    }

    rc = ngx_http_cx_survey_copy(l, text, dst);

    free(text);

    return rc;
}
