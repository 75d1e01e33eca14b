/*
 * cx_surveys: reads a surveys file when nginx starts.  Every mistake is an
 * error that says where it stands and what would have been right.  What the
 * browser gets of a survey is rendered here, once.
 */

#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_FILE_MAX  1048576   /* bytes */
#define NGX_HTTP_CX_SURVEYS_MAX      100       /* in a file */


typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   min;
    ngx_uint_t                   max;
    ngx_http_cx_survey_key_t    *follow_up;
} ngx_http_cx_survey_metric_t;


static ngx_http_cx_surveys_t *ngx_http_cx_survey_known(ngx_conf_t *cf,
    ngx_str_t *file);
static ngx_http_cx_surveys_t *ngx_http_cx_survey_add(ngx_conf_t *cf,
    ngx_str_t *file);
static ngx_int_t ngx_http_cx_survey_read(ngx_http_cx_survey_loader_t *l);
static ngx_int_t ngx_http_cx_survey_parse(ngx_http_cx_survey_loader_t *l);
static ngx_int_t ngx_http_cx_survey_file(ngx_http_cx_survey_loader_t *l,
    json_t *root);
static ngx_int_t ngx_http_cx_survey_one(ngx_http_cx_survey_loader_t *l,
    json_t *json);
static ngx_int_t ngx_http_cx_survey_parts(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_metric_t *metric);
static ngx_http_cx_survey_metric_t *ngx_http_cx_survey_metric(
    ngx_http_cx_survey_loader_t *l, json_t *json);
static ngx_int_t ngx_http_cx_survey_where(ngx_http_cx_survey_loader_t *l,
    json_t *where, ngx_http_cx_survey_t *survey);
static ngx_int_t ngx_http_cx_survey_list(ngx_http_cx_survey_loader_t *l,
    json_t *where, const char *key, ngx_http_cx_survey_key_t *item,
    ngx_array_t *list);
static ngx_int_t ngx_http_cx_survey_render(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_t *survey);
static json_t *ngx_http_cx_survey_browser(json_t *json, ngx_uint_t chance);
static json_t *ngx_http_cx_survey_often(json_t *often);
static ngx_int_t ngx_http_cx_survey_copy(ngx_conf_t *cf, json_t *json,
    ngx_str_t *dst);


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_file_keys[] = {
    { "version", NGX_HTTP_CX_SURVEY_INT, 1, 1, 1 },
    { "surveys", NGX_HTTP_CX_SURVEY_LIST, 0, NGX_HTTP_CX_SURVEYS_MAX, 1 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_keys[] = {
    { "id", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 1 },
    { "metric", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 1 },
    { "question", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 1 },
    { "labels", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 },
    { "follow_up", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 },
    { "thanks", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "where", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 },
    { "when", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 },
    { "often", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 },
    { "sample", NGX_HTTP_CX_SURVEY_SHARE, 0, 100, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_label_keys[] = {
    { "low", NGX_HTTP_CX_SURVEY_LINE, 1, 60, 0 },
    { "high", NGX_HTTP_CX_SURVEY_LINE, 1, 60, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_where_keys[] = {
    { "pages", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0 },
    { "touchpoints", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0 },
    { "stages", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0 },
    { "segments", NGX_HTTP_CX_SURVEY_LIST, 0, 100, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_when_keys[] = {
    { "delay", NGX_HTTP_CX_SURVEY_INT, 0, 3600, 0 },
    { "scroll", NGX_HTTP_CX_SURVEY_INT, 1, 100, 0 },
    { "exit", NGX_HTTP_CX_SURVEY_BOOL, 0, 0, 0 },
    { "views", NGX_HTTP_CX_SURVEY_INT, 1, 1000, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_often_keys[] = {
    { "answered_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0 },
    { "dismissed_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0 },
    { "showings", NGX_HTTP_CX_SURVEY_INT, 1, 1000, 0 },
    { "between_days", NGX_HTTP_CX_SURVEY_INT, 0, 3650, 0 },
    ngx_http_cx_survey_null_key
};


/* the same in the browser's words, and the defaults */

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


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_nps_keys[] = {
    { "detractor", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "passive", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "promoter", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "any", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_csat_keys[] = {
    { "dissatisfied", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "neutral", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "satisfied", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "any", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_ces_keys[] = {
    { "hard", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "neutral", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "easy", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "any", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_psat_keys[] = {
    { "down", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "up", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    { "any", NGX_HTTP_CX_SURVEY_LINE, 1, 300, 0 },
    ngx_http_cx_survey_null_key
};


static ngx_http_cx_survey_metric_t  ngx_http_cx_survey_metrics[] = {
    { ngx_string("nps"), 0, 10, ngx_http_cx_survey_nps_keys },
    { ngx_string("csat"), 1, 5, ngx_http_cx_survey_csat_keys },
    { ngx_string("ces"), 1, 7, ngx_http_cx_survey_ces_keys },
    { ngx_string("psat"), 0, 1, ngx_http_cx_survey_psat_keys },
    { ngx_null_string, 0, 0, NULL }
};


char *
ngx_http_cx_survey_load(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                    *value;
    ngx_http_cx_surveys_t       **slot;
    ngx_http_cx_survey_loader_t   l;

    slot = (ngx_http_cx_surveys_t **) (p + cmd->offset);

    if (*slot != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *slot = NULL;
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &value[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *slot = ngx_http_cx_survey_known(cf, &value[1]);

    if (*slot) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&l, sizeof(ngx_http_cx_survey_loader_t));

    l.cf = cf;
    l.surveys = ngx_http_cx_survey_add(cf, &value[1]);

    if (l.surveys == NULL
        || ngx_http_cx_survey_read(&l) != NGX_OK
        || ngx_http_cx_survey_parse(&l) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *slot = l.surveys;

    return NGX_CONF_OK;
}


/* a file named twice is read once */

static ngx_http_cx_surveys_t *
ngx_http_cx_survey_known(ngx_conf_t *cf, ngx_str_t *file)
{
    ngx_uint_t                 i;
    ngx_http_cx_surveys_t    **sets;
    ngx_http_cx_main_conf_t   *cxmcf;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);
    sets = cxmcf->surveys.elts;

    for (i = 0; i < cxmcf->surveys.nelts; i++) {
        if (sets[i]->file.len == file->len
            && ngx_strncmp(sets[i]->file.data, file->data, file->len) == 0)
        {
            return sets[i];
        }
    }

    return NULL;
}


static ngx_http_cx_surveys_t *
ngx_http_cx_survey_add(ngx_conf_t *cf, ngx_str_t *file)
{
    ngx_http_cx_surveys_t    *surveys, **set;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);

    surveys = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_surveys_t));
    if (surveys == NULL) {
        return NULL;
    }

    if (ngx_array_init(&surveys->list, cf->pool, 4,
                       sizeof(ngx_http_cx_survey_t))
        != NGX_OK)
    {
        return NULL;
    }

    surveys->file = *file;
    ngx_sprintf(surveys->key, "%08xD",
                ngx_crc32_long(file->data, file->len));

    set = ngx_array_push(&cxmcf->surveys);
    if (set == NULL) {
        return NULL;
    }

    *set = surveys;

    return surveys;
}


static ngx_int_t
ngx_http_cx_survey_read(ngx_http_cx_survey_loader_t *l)
{
    off_t             size;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_str_t        *name;
    ngx_file_info_t   fi;

    name = &l->surveys->file;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, ngx_errno,
                           "cx_surveys: " ngx_open_file_n " \"%V\" failed",
                           name);
        return NGX_ERROR;
    }

    n = -1;
    size = 0;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, ngx_errno,
                           "cx_surveys: " ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    size = ngx_file_size(&fi);

    if (!ngx_is_file(&fi) || size > NGX_HTTP_CX_SURVEY_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, 0,
                           "cx_surveys: \"%V\": expected a file of at most "
                           "1 MiB", name);
        goto done;
    }

    l->text.data = ngx_pnalloc(l->cf->temp_pool, size + 1);
    if (l->text.data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, l->text.data, size);

    if (n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, n == -1 ? ngx_errno : 0,
                           "cx_surveys: " ngx_read_fd_n " \"%V\" failed", name);
        n = -1;
    }

    l->text.len = size;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, l->cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return n == -1 ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_parse(ngx_http_cx_survey_loader_t *l)
{
    json_t        *root;
    ngx_int_t      rc;
    json_error_t   error;

    root = json_loadb((char *) l->text.data, l->text.len,
                      JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, 0,
                           "cx_surveys: \"%V\":%d: expected JSON: %s",
                           &l->surveys->file, ngx_max(error.line, 1),
                           error.text);
        return NGX_ERROR;
    }

    rc = ngx_http_cx_survey_file(l, root);

    json_decref(root);

    return rc;
}


static ngx_int_t
ngx_http_cx_survey_file(ngx_http_cx_survey_loader_t *l, json_t *root)
{
    size_t       len, all;
    json_t      *list;
    ngx_uint_t   i;

    if (ngx_http_cx_survey_object(l, root, ngx_http_cx_survey_file_keys)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    list = json_object_get(root, "surveys");
    all = ngx_http_cx_survey_enter(l, "surveys");

    for (i = 0; i < json_array_size(list); i++) {
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_one(l, json_array_get(list, i)) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    ngx_http_cx_survey_leave(l, all);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_one(ngx_http_cx_survey_loader_t *l, json_t *json)
{
    json_t                       *sample;
    ngx_str_t                     id;
    ngx_http_cx_survey_t         *survey;
    ngx_http_cx_survey_metric_t  *metric;

    if (ngx_http_cx_survey_object(l, json, ngx_http_cx_survey_keys) != NGX_OK) {
        return NGX_ERROR;
    }

    metric = ngx_http_cx_survey_metric(l, json_object_get(json, "metric"));

    if (metric == NULL
        || ngx_http_cx_survey_parts(l, json, metric) != NGX_OK
        || ngx_http_cx_survey_copy(l->cf, json_object_get(json, "id"), &id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_cx_survey_in(l->surveys, &id)) {
        (void) ngx_http_cx_survey_enter(l, "id");
        return ngx_http_cx_survey_wrong(l, "an id that no other survey has");
    }

    survey = ngx_array_push(&l->surveys->list);
    if (survey == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(survey, sizeof(ngx_http_cx_survey_t));

    survey->info.id = id;
    survey->info.metric = metric->name;
    survey->info.score_min = metric->min;
    survey->info.score_max = metric->max;

    sample = json_object_get(json, "sample");
    survey->chance = sample ? ngx_http_cx_survey_share(sample) : 10000;

    if (ngx_http_cx_survey_where(l, json_object_get(json, "where"), survey)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_survey_render(l, json, survey);
}


/* the objects in a survey, but for "where" */

static ngx_int_t
ngx_http_cx_survey_parts(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_metric_t *metric)
{
    size_t       len;
    json_t      *part;
    ngx_uint_t   i;

    struct {
        const char                *name;
        ngx_http_cx_survey_key_t  *keys;
    } parts[] = {
        { "labels", ngx_http_cx_survey_label_keys },
        { "follow_up", metric->follow_up },
        { "when", ngx_http_cx_survey_when_keys },
        { "often", ngx_http_cx_survey_often_keys }
    };

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        part = json_object_get(json, parts[i].name);

        if (part == NULL) {
            continue;
        }

        len = ngx_http_cx_survey_enter(l, parts[i].name);

        if (ngx_http_cx_survey_object(l, part, parts[i].keys) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);
    }

    return NGX_OK;
}


static ngx_http_cx_survey_metric_t *
ngx_http_cx_survey_metric(ngx_http_cx_survey_loader_t *l, json_t *json)
{
    ngx_http_cx_survey_metric_t  *metric;

    for (metric = ngx_http_cx_survey_metrics; metric->name.len; metric++) {
        if (ngx_strcmp(json_string_value(json), metric->name.data) == 0) {
            return metric;
        }
    }

    (void) ngx_http_cx_survey_enter(l, "metric");
    (void) ngx_http_cx_survey_wrong(l, "nps, csat, ces or psat");

    return NULL;
}


static ngx_int_t
ngx_http_cx_survey_where(ngx_http_cx_survey_loader_t *l, json_t *where,
    ngx_http_cx_survey_t *survey)
{
    size_t  len;

    static ngx_http_cx_survey_key_t  page =
        { "", NGX_HTTP_CX_SURVEY_PAGE, 1, CX_PAGE_MAX, 0 };
    static ngx_http_cx_survey_key_t  name =
        { "", NGX_HTTP_CX_SURVEY_NAME, 1, CX_NAME_MAX, 0 };
    static ngx_http_cx_survey_key_t  line =
        { "", NGX_HTTP_CX_SURVEY_LINE, 1, CX_NAME_MAX, 0 };

    if (where == NULL) {
        return NGX_OK;
    }

    len = ngx_http_cx_survey_enter(l, "where");

    if (ngx_http_cx_survey_object(l, where, ngx_http_cx_survey_where_keys)
        != NGX_OK
        || ngx_http_cx_survey_list(l, where, "pages", &page, &survey->pages)
           != NGX_OK
        || ngx_http_cx_survey_list(l, where, "touchpoints", &name,
                                   &survey->touchpoints)
           != NGX_OK
        || ngx_http_cx_survey_list(l, where, "stages", &name, &survey->stages)
           != NGX_OK
        || ngx_http_cx_survey_list(l, where, "segments", &line,
                                   &survey->segments)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cx_survey_leave(l, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_list(ngx_http_cx_survey_loader_t *l, json_t *where,
    const char *key, ngx_http_cx_survey_key_t *item, ngx_array_t *list)
{
    size_t       len, n, all;
    json_t      *array, *value;
    ngx_str_t   *s;
    ngx_uint_t   i;

    array = json_object_get(where, key);
    n = json_array_size(array);

    if (n == 0) {
        return NGX_OK;
    }

    if (ngx_array_init(list, l->cf->pool, n, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    all = ngx_http_cx_survey_enter(l, key);

    for (i = 0; i < n; i++) {
        value = json_array_get(array, i);
        len = ngx_http_cx_survey_enter_item(l, i);

        if (ngx_http_cx_survey_value(l, value, item) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cx_survey_leave(l, len);

        s = ngx_array_push(list);

        if (s == NULL
            || ngx_http_cx_survey_copy(l->cf, value, s) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_http_cx_survey_leave(l, all);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_survey_render(ngx_http_cx_survey_loader_t *l, json_t *json,
    ngx_http_cx_survey_t *survey)
{
    char    *text;
    json_t  *browser;

    text = NULL;

    browser = ngx_http_cx_survey_browser(json, survey->chance);

    if (browser) {
        text = json_dumps(browser, JSON_COMPACT|JSON_ENSURE_ASCII);
        json_decref(browser);
    }

    if (text == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, l->cf, 0,
                           "cx_surveys: \"%V\": out of memory",
                           &l->surveys->file);
        return NGX_ERROR;
    }

    survey->json.len = ngx_strlen(text);
    survey->json.data = ngx_pnalloc(l->cf->pool, survey->json.len);

    if (survey->json.data) {
        ngx_memcpy(survey->json.data, text, survey->json.len);
    }

    free(text);

    return survey->json.data ? NGX_OK : NGX_ERROR;
}


/* what the browser needs to know; where it is shown is the server's business */

static json_t *
ngx_http_cx_survey_browser(json_t *json, ngx_uint_t chance)
{
    int          failed;
    json_t      *out, *value, *labels;
    ngx_uint_t   i;

    static const char  *copied[] = {
        "id", "metric", "question", "follow_up", "thanks", "when"
    };

    out = json_object();
    if (out == NULL) {
        return NULL;
    }

    failed = 0;

    for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        value = json_object_get(json, copied[i]);

        if (value) {
            failed |= json_object_set(out, copied[i], value);
        }
    }

    labels = json_object_get(json, "labels");

    if (labels) {
        failed |= json_object_update(out, labels);
    }

    failed |= json_object_set_new(out, "often",
                     ngx_http_cx_survey_often(json_object_get(json, "often")));
    failed |= json_object_set_new(out, "chance", json_integer(chance));

    if (failed) {
        json_decref(out);
        return NULL;
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


static ngx_int_t
ngx_http_cx_survey_copy(ngx_conf_t *cf, json_t *json, ngx_str_t *dst)
{
    dst->len = json_string_length(json);

    dst->data = ngx_pnalloc(cf->pool, dst->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, json_string_value(json), dst->len);

    return NGX_OK;
}
