/* One survey of the file: its keys, and for whom, where and when it is. */

#include "ngx_http_cx_survey_conf.h"


static ngx_int_t ngx_http_cx_survey_keys_ok(ngx_http_cx_survey_loader_t *l,
    json_t *json);
static ngx_int_t ngx_http_cx_survey_when_ok(ngx_http_cx_survey_loader_t *l,
    json_t *when);
static ngx_int_t ngx_http_cx_survey_fill(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_dates(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_where(ngx_http_cx_survey_loader_t *l,
    json_t *where, ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_list(ngx_http_cx_survey_loader_t *l,
    json_t *array, ngx_http_cx_survey_key_t *item, ngx_array_t *list);
static ngx_int_t ngx_http_cx_survey_devices(ngx_http_cx_survey_loader_t *l,
    json_t *where, ngx_http_cx_survey_t *survey);


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_keys[] = {
    { "id", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 1, NULL },
    { "metric", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 1, NULL },
    { "look", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 0, NULL },
    { "language", NGX_HTTP_CX_SURVEY_TAG, 0, 0, 0, NULL },
    { "question", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "name", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "task", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "labels", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    { "options", NGX_HTTP_CX_SURVEY_LIST, 2, CX_OPTIONS_MAX, 0, NULL },
    { "follow_up", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "more", NGX_HTTP_CX_SURVEY_LIST, 0, 2, 0, NULL },
    { "thanks", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "where", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    { "when", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    { "often", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    { "sample", NGX_HTTP_CX_SURVEY_SHARE, 0, 100, 0, NULL },
    { "from", NGX_HTTP_CX_SURVEY_DATE, 0, 0, 0, NULL },
    { "until", NGX_HTTP_CX_SURVEY_DATE, 0, 0, 0, NULL },
    { "daily", NGX_HTTP_CX_SURVEY_INT, 1, 1000000, 0, NULL },
    { "total", NGX_HTTP_CX_SURVEY_INT, 1, 1000000000, 0, NULL },
    { "priority", NGX_HTTP_CX_SURVEY_INT, 0, 100, 0, NULL },
    { "place", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 0, "card inline tab" },
    { "corner", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 0, "right left" },
    { "tab", NGX_HTTP_CX_SURVEY_LATER, 0, 0, 0, NULL },
    { "owner", NGX_HTTP_CX_SURVEY_LINE, 1, 100, 0, NULL },
    { "purpose", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0, NULL },
    { "dry_run", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0, NULL },
    { "retired", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_where_keys[] = {
    { "pages", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0, NULL },
    { "touchpoints", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0, NULL },
    { "stages", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0, NULL },
    { "segments", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0, NULL },
    { "devices", NGX_HTTP_CX_SURVEY_LIST, 0, 3, 0, NULL },
    { "visitors", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 0, "new returning" },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_when_keys[] = {
    { "delay", NGX_HTTP_CX_SURVEY_INT, 0, 3600, 0, NULL },
    { "dwell", NGX_HTTP_CX_SURVEY_INT, 1, 3600, 0, NULL },
    { "scroll", NGX_HTTP_CX_SURVEY_INT, 1, 100, 0, NULL },
    { "exit", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0, NULL },
    { "idle", NGX_HTTP_CX_SURVEY_INT, 1, 3600, 0, NULL },
    { "click", NGX_HTTP_CX_SURVEY_LINE, 1, 200, 0, NULL },
    { "after", NGX_HTTP_CX_SURVEY_LIST, 1, CX_SIG_N, 0, NULL },
    { "views", NGX_HTTP_CX_SURVEY_INT, 1, 1000, 0, NULL },
    { "visits", NGX_HTTP_CX_SURVEY_INT, 1, 1000, 0, NULL },
    { "ask", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0, NULL },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_often_keys[] = {
    { "answered_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0, NULL },
    { "dismissed_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0, NULL },
    { "showings", NGX_HTTP_CX_SURVEY_INT, 1, 1000, 0, NULL },
    { "between_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0, NULL },
    ngx_http_cx_survey_null_key
};


ngx_int_t
ngx_http_cx_survey_one(ngx_http_cx_survey_loader_t *l, json_t *json)
{
    json_t                      *language;
    ngx_int_t                    rc;
    ngx_http_cx_survey_t        *survey;
    ngx_http_cx_survey_draft_t   d;

    if (ngx_http_cx_survey_keys_ok(l, json) != NGX_OK) {
        return NGX_ERROR;
    }

    survey = ngx_array_push(&l->surveys->list);
    if (survey == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(survey, sizeof(ngx_http_cx_survey_t));
    ngx_memzero(&d, sizeof(ngx_http_cx_survey_draft_t));

    language = json_object_get(json, "language");

    d.json = json;
    d.language = language ? json_string_value(language) : "en";
    d.asks = json_object();
    d.says = json_object();
    d.own = json_array();
    d.standard = json_array();

    if (d.asks && d.says && d.own && d.standard) {
        rc = ngx_http_cx_survey_fill(l, &d, survey);

    } else {
        rc = ngx_http_cx_survey_memory(l);
    }

    json_decref(d.name);
    json_decref(d.task);
    json_decref(d.asks);
    json_decref(d.says);
    json_decref(d.own);
    json_decref(d.standard);

    return rc;
}


static ngx_int_t
ngx_http_cx_survey_keys_ok(ngx_http_cx_survey_loader_t *l, json_t *json)
{
    ngx_str_t    id;
    const char  *place;

    if (ngx_http_cx_survey_object(l, json, ngx_http_cx_survey_keys) != NGX_OK
        || ngx_http_cx_survey_member(l, json, "where",
                                     ngx_http_cx_survey_where_keys) != NGX_OK
        || ngx_http_cx_survey_member(l, json, "when",
                                     ngx_http_cx_survey_when_keys) != NGX_OK
        || ngx_http_cx_survey_member(l, json, "often",
                                     ngx_http_cx_survey_often_keys) != NGX_OK
        || ngx_http_cx_survey_when_ok(l, json_object_get(json, "when"))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    id.data = (u_char *) json_string_value(json_object_get(json, "id"));
    id.len = ngx_strlen(id.data);

    if (ngx_http_cx_survey_in(l->surveys, &id)) {
        return ngx_http_cx_survey_wrong_at(l, "id",
                                           "an id that no other survey has");
    }

    place = json_string_value(json_object_get(json, "place"));

    if (json_object_get(json, "tab")
        && (place == NULL || ngx_strcmp(place, "tab") != 0))
    {
        return ngx_http_cx_survey_wrong_at(l, "tab",
                                   "it only where \"place\" is \"tab\"");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_when_ok(ngx_http_cx_survey_loader_t *l, json_t *when)
{
    size_t       all, list, len;
    json_t      *after;
    ngx_uint_t   i;

    static ngx_http_cx_survey_key_t  signal =
        { "", NGX_HTTP_CX_SURVEY_SIGNAL, 0, 0, 0, NULL };

    static const char  *others[] = {
        "delay", "dwell", "scroll", "exit", "idle", "click", "after"
    };

    all = ngx_http_cx_survey_enter(l, "when");
    list = ngx_http_cx_survey_enter(l, "after");
    after = json_object_get(when, "after");

    for (i = 0; i < json_array_size(after); i++) {
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_value(l, json_array_get(after, i), &signal)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    ngx_http_cx_survey_leave(l, list);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (json_is_true(json_object_get(when, "ask"))
            && json_object_get(when, others[i]))
        {
            return ngx_http_cx_survey_wrong_at(l, others[i],
                                   "nothing that shows it beside \"ask\"");
        }
    }

    ngx_http_cx_survey_leave(l, all);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_fill(ngx_http_cx_survey_loader_t *l,
    ngx_http_cx_survey_draft_t *d, ngx_http_cx_survey_t *survey)
{
    json_t  *json, *sample, *place;

    json = d->json;

    if (ngx_http_cx_survey_copy(l,
                                json_string_value(json_object_get(json, "id")),
                                &survey->info.id)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sample = json_object_get(json, "sample");
    survey->chance = sample ? ngx_http_cx_survey_share(sample) : 10000;

    survey->daily = json_integer_value(json_object_get(json, "daily"));
    survey->total = json_integer_value(json_object_get(json, "total"));
    survey->priority = json_integer_value(json_object_get(json, "priority"));
    survey->dry_run = json_is_true(json_object_get(json, "dry_run"));
    survey->retired = json_is_true(json_object_get(json, "retired"));
    survey->after = json_object_get(json_object_get(json, "when"), "after")
                    != NULL;

    place = json_object_get(json, "place");
    survey->tab = place && ngx_strcmp(json_string_value(place), "tab") == 0;

    if (ngx_http_cx_survey_dates(l, json, survey) != NGX_OK
        || ngx_http_cx_survey_where(l, json_object_get(json, "where"), survey)
           != NGX_OK
        || ngx_http_cx_survey_ask(l, d, survey) != NGX_OK
        || ngx_http_cx_survey_texts(l, d, survey) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_render(l, d, survey);
}


static ngx_int_t
ngx_http_cx_survey_dates(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_t *survey)
{
    json_t  *from, *until;

    from = json_object_get(json, "from");
    until = json_object_get(json, "until");

    if (from) {
        survey->from = ngx_http_cx_survey_date(json_string_value(from));
    }

    if (until) {
        survey->until = ngx_http_cx_survey_date(json_string_value(until))
                        + 86400;
    }

    if (from && until && survey->until <= survey->from) {
        return ngx_http_cx_survey_wrong_at(l, "until",
                                           "a day not before \"from\"");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_where(ngx_http_cx_survey_loader_t *l, json_t *where,
    ngx_http_cx_survey_t *survey)
{
    size_t       len, list;
    json_t      *array;
    ngx_uint_t   i;

    static ngx_http_cx_survey_key_t  page =
        { "", NGX_HTTP_CX_SURVEY_PAGE, 1, CX_PAGE_MAX, 0, NULL };
    static ngx_http_cx_survey_key_t  name =
        { "", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 0, NULL };
    static ngx_http_cx_survey_key_t  line =
        { "", NGX_HTTP_CX_SURVEY_LINE, 1, CX_NAME_MAX, 0, NULL };

    struct {
        const char                *key;
        ngx_http_cx_survey_key_t  *item;
        ngx_array_t               *list;
    } lists[] = {
        { "pages", &page, &survey->pages },
        { "touchpoints", &name, &survey->touchpoints },
        { "stages", &name, &survey->stages },
        { "segments", &line, &survey->segments }
    };

    if (where == NULL) {
        return NGX_OK;
    }

    len = ngx_http_cx_survey_enter(l, "where");

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        array = json_object_get(where, lists[i].key);

        if (json_array_size(array) == 0) {
            continue;
        }

        list = ngx_http_cx_survey_enter(l, lists[i].key);

        if (ngx_http_cx_survey_list(l, array, lists[i].item, lists[i].list)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, list);
    }

    if (ngx_http_cx_survey_devices(l, where, survey) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_list(ngx_http_cx_survey_loader_t *l, json_t *array,
    ngx_http_cx_survey_key_t *item, ngx_array_t *list)
{
    size_t       len;
    json_t      *value;
    ngx_str_t   *s;
    ngx_uint_t   i, n;

    n = json_array_size(array);

    if (ngx_array_init(list, l->cf->pool, n, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        value = json_array_get(array, i);
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_value(l, value, item) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);

        s = ngx_array_push(list);

        if (s == NULL
            || ngx_http_cx_survey_copy(l, json_string_value(value), s)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_devices(ngx_http_cx_survey_loader_t *l, json_t *where,
    ngx_http_cx_survey_t *survey)
{
    size_t       all, len;
    json_t      *list, *value;
    ngx_uint_t   i, n;

    static ngx_http_cx_survey_key_t  device =
        { "", NGX_HTTP_CX_SURVEY_WORD, 0, 0, 0, "phone tablet desktop" };

    list = json_object_get(where, "devices");
    all = ngx_http_cx_survey_enter(l, "devices");

    for (i = 0; i < json_array_size(list); i++) {
        value = json_array_get(list, i);
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_value(l, value, &device) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);

        (void) ngx_http_cx_survey_word(device.words, json_string_value(value),
                                       &n);
        survey->devices |= NGX_HTTP_CX_DEVICE_PHONE << n;
    }

    ngx_http_cx_survey_leave(l, all);

    value = json_object_get(where, "visitors");

    if (value) {
        survey->visitors = ngx_strcmp(json_string_value(value), "new") == 0
                               ? NGX_HTTP_CX_VISITOR_NEW
                               : NGX_HTTP_CX_VISITOR_KNOWN;
    }

    return NGX_OK;
}
