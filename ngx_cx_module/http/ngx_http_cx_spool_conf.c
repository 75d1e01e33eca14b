
/*
 * cx_spool path [max_size=64m] [sync=off|interval|always]
 *
 * nginx makes the directory, and gives it to the workers' user, when it
 * starts; workers open it.
 */


#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_SPOOL_MAX_SIZE  (64 * 1024 * 1024)
#define NGX_HTTP_CX_SPOOL_MIN_SIZE  (1024 * 1024)


static ngx_int_t ngx_http_cx_spool_conf_path(ngx_conf_t *cf,
    ngx_http_cx_spool_conf_t *sc, ngx_str_t *name);
static ngx_int_t ngx_http_cx_spool_conf_option(ngx_conf_t *cf,
    ngx_http_cx_spool_conf_t *sc, ngx_str_t *option);
static ngx_int_t ngx_http_cx_spool_conf_sync(ngx_http_cx_spool_conf_t *sc,
    ngx_str_t *name);


static const ngx_str_t  ngx_http_cx_spool_syncs[] = {
    ngx_string("off"),                         /* NGX_HTTP_CX_SYNC_OFF */
    ngx_string("interval"),
    ngx_string("always"),
    ngx_null_string
};


char *
ngx_http_cx_spool_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_cx_spool_conf_t  *sc;

    if (cxmcf->spool) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    sc = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_spool_conf_t));
    if (sc == NULL) {
        return NGX_CONF_ERROR;
    }

    sc->max_size = NGX_HTTP_CX_SPOOL_MAX_SIZE;
    sc->sync = NGX_HTTP_CX_SYNC_INTERVAL;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_cx_spool_conf_option(cf, sc, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_cx_spool_conf_path(cf, sc, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)

    sc->pool = ngx_thread_pool_add(cf, NULL);
    if (sc->pool == NULL) {
        return NGX_CONF_ERROR;
    }

#endif

    cxmcf->spool = sc;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cx_spool_conf_path(ngx_conf_t *cf, ngx_http_cx_spool_conf_t *sc,
    ngx_str_t *name)
{
    ngx_path_t  *path;

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_ERROR;
    }

    path->name = *name;

    while (path->name.len > 1 && path->name.data[path->name.len - 1] == '/') {
        path->name.data[--path->name.len] = '\0';
    }

    if (path->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cx_spool\": expected a directory");
        return NGX_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &path->name, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    sc->path = path;

    return ngx_add_path(cf, &sc->path);
}


static ngx_int_t
ngx_http_cx_spool_conf_option(ngx_conf_t *cf, ngx_http_cx_spool_conf_t *sc,
    ngx_str_t *option)
{
    ngx_str_t  s;

    if (ngx_strncmp(option->data, "max_size=", 9) == 0) {
        s.data = option->data + 9;
        s.len = option->len - 9;
        sc->max_size = ngx_parse_offset(&s);

        if (sc->max_size >= NGX_HTTP_CX_SPOOL_MIN_SIZE) {
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": expected a size of at least 1m", option);
        return NGX_ERROR;
    }

    if (ngx_strncmp(option->data, "sync=", 5) == 0) {
        s.data = option->data + 5;
        s.len = option->len - 5;

        if (ngx_http_cx_spool_conf_sync(sc, &s) == NGX_OK) {
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": expected sync=off, sync=interval or "
                           "sync=always", option);
        return NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\": expected max_size= or sync=", option);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_cx_spool_conf_sync(ngx_http_cx_spool_conf_t *sc, ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_cx_spool_syncs[i].len; i++) {
        if (name->len == ngx_http_cx_spool_syncs[i].len
            && ngx_strncmp(name->data, ngx_http_cx_spool_syncs[i].data,
                           name->len) == 0)
        {
            sc->sync = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
