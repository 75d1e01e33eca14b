/*
 * cx_surveys: reads a surveys file when nginx starts.  Every mistake is an
 * error that says where it stands and what would have been right.
 */

#include "ngx_http_cx_survey_conf.h"


#define NGX_HTTP_CX_SURVEY_FILE_MAX  1048576   /* bytes */
#define NGX_HTTP_CX_SURVEYS_MAX      100       /* in a file */


static ngx_http_cx_surveys_t *ngx_http_cx_survey_known(ngx_conf_t *cf,
    ngx_str_t *file);
static ngx_http_cx_surveys_t *ngx_http_cx_survey_add(ngx_conf_t *cf,
    ngx_str_t *file);
static ngx_int_t ngx_http_cx_survey_read(ngx_http_cx_survey_loader_t *l);
static ngx_int_t ngx_http_cx_survey_parse(ngx_http_cx_survey_loader_t *l);
static ngx_int_t ngx_http_cx_survey_file(ngx_http_cx_survey_loader_t *l,
    json_t *root);
static ngx_int_t ngx_libc_cdecl ngx_http_cx_survey_order(const void *one,
    const void *two);


static ngx_http_cx_survey_key_t  ngx_http_cx_survey_file_keys[] = {
    { "version", NGX_HTTP_CX_SURVEY_INT, 1, 1, 1, NULL },
    { "theme", NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0, NULL },
    { "surveys", NGX_HTTP_CX_SURVEY_LIST, 0, NGX_HTTP_CX_SURVEYS_MAX, 1,
      NULL },
    ngx_http_cx_survey_null_key
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

    if (ngx_http_cx_survey_theme(l, json_object_get(root, "theme")) != NGX_OK)
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

    ngx_sort(l->surveys->list.elts, l->surveys->list.nelts,
             sizeof(ngx_http_cx_survey_t), ngx_http_cx_survey_order);

    return NGX_OK;
}


/* what is of equal priority stays in the order of the file */

static ngx_int_t ngx_libc_cdecl
ngx_http_cx_survey_order(const void *one, const void *two)
{
    const ngx_http_cx_survey_t  *a = one;
    const ngx_http_cx_survey_t  *b = two;

    return (ngx_int_t) b->priority - (ngx_int_t) a->priority;
}
