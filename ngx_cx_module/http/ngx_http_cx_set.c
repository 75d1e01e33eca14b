
/*
 * Setters of the directives that take more than nginx's own setters check.
 * Each mistake is one sentence that says what was expected.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_SET_FILE_MAX   65536       /* bytes of cx_thresholds */


static ngx_int_t ngx_http_cx_set_check(ngx_conf_t *cf, ngx_str_t *name,
    ngx_int_t max);
static ngx_int_t ngx_http_cx_set_read(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *name, ngx_str_t *text);


char *
ngx_http_cx_set_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    ssize_t      size;
    ngx_int_t    n;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (cxmcf->queue_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    cxmcf->queue_size = 8 * 1024 * 1024;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "size=", 5) == 0) {
            s.data = value[i].data + 5;
            s.len = value[i].len - 5;
            size = ngx_parse_size(&s);

            if (size < 512 * 1024) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\": expected a size of at least 512k",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            cxmcf->queue_size = size;
            continue;
        }

        if (ngx_strncmp(value[i].data, "batch=", 6) == 0) {
            n = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (n < 1 || n > 1000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\": expected 1 to 1000 events",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            cxmcf->queue_batch = n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "flush=", 6) == 0) {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;
            n = ngx_parse_time(&s, 0);

            if (n < 1 || n > 60000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\": expected a time from 1ms to 60s",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            cxmcf->queue_flush = n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "inflight=", 9) == 0) {
            n = ngx_atoi(value[i].data + 9, value[i].len - 9);

            if (n < 1 || n > 64) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\": expected 1 to 64 batches",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            cxmcf->queue_inflight = n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "stream=", 7) == 0) {
            n = ngx_atoi(value[i].data + 7, value[i].len - 7);

            if (n < 1000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\": expected at least 1000 entries",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            cxmcf->stream_max = n;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": expected size=, batch=, "
                           "flush=, inflight= or stream=", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* cx_site name [shards=N] */

char *
ngx_http_cx_set_site(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (cxlcf->site_name.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = 1;

    if (ngx_http_cx_set_check(cf, &value[1], NGX_HTTP_CX_SITE_MAX) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "shards=", 7) == 0) {
            n = ngx_atoi(value[2].data + 7, value[2].len - 7);

        } else {
            n = NGX_ERROR;
        }

        if (n < 1 || n > CX_SHARDS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\": expected shards=1 "
                               "to shards=%d", &value[2], CX_SHARDS_MAX);
            return NGX_CONF_ERROR;
        }
    }

    cxlcf->site_name = value[1];
    cxlcf->site_shards = n;

    return NGX_CONF_OK;
}


/* cx_touchpoint, cx_stage */

char *
ngx_http_cx_set_name(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t  *field, *value;

    field = (ngx_str_t *) (p + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_cx_set_check(cf, &value[1], CX_NAME_MAX) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


/* names that end in keys and attributes */

static ngx_int_t
ngx_http_cx_set_check(ngx_conf_t *cf, ngx_str_t *name, ngx_int_t max)
{
    cx_field_t  f;
    ngx_str_t  *directive;

    f.kind = CX_KIND_NAME;
    f.max = max;

    if (name->len && cx_field_ok(&f, (cx_str_t *) name)) {
        return NGX_OK;
    }

    directive = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V %V\": expected a name of 1 to %i letters, "
                       "digits, \"_\", \".\", \":\" or \"-\"",
                       directive, name, max);

    return NGX_ERROR;
}


char *
ngx_http_cx_set_sample(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    size_t      len;
    ngx_int_t   n;
    ngx_str_t  *value;

    if (cxlcf->sample != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    len = value[1].len;
    if (len && value[1].data[len - 1] == '%') {
        len--;
    }

    n = ngx_atofp(value[1].data, len, 2);

    if (n == NGX_ERROR || n > 10000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cx_sample %V\": expected a percentage from 0 to "
                           "100 with at most two decimals", &value[1]);
        return NGX_CONF_ERROR;
    }

    cxlcf->sample = n;

    return NGX_CONF_OK;
}


char *
ngx_http_cx_set_privacy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    ngx_str_t                         *value, s;
    ngx_uint_t                         i;
    ngx_http_compile_complex_value_t   ccv;

    if (cxlcf->privacy) {
        return "is duplicate";
    }

    value = cf->args->elts;
    cxlcf->privacy = NGX_HTTP_CX_PRIVACY_SET;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0 && cf->args->nelts == 2) {
            cxlcf->privacy |= NGX_HTTP_CX_PRIVACY_OFF;
            continue;
        }

        if (ngx_strcmp(value[i].data, "gpc") == 0) {
            cxlcf->privacy |= NGX_HTTP_CX_PRIVACY_GPC;
            continue;
        }

        if (ngx_strcmp(value[i].data, "dnt") == 0) {
            cxlcf->privacy |= NGX_HTTP_CX_PRIVACY_DNT;
            continue;
        }

        if (ngx_strncmp(value[i].data, "consent=$", 9) == 0) {
            s.data = value[i].data + 8;
            s.len = value[i].len - 8;

            ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

            ccv.cf = cf;
            ccv.value = &s;
            ccv.complex_value = ngx_palloc(cf->pool,
                                           sizeof(ngx_http_complex_value_t));
            if (ccv.complex_value == NULL) {
                return NGX_CONF_ERROR;
            }

            if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            cxlcf->consent = ccv.complex_value;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": expected \"off\" alone, "
                           "or \"gpc\", \"dnt\", \"consent=$variable\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cx_set_prefix(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    u_char      ch;
    size_t      i;
    ngx_str_t  *value;

    if (cxlcf->prefix.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].len > 64 || value[1].data[0] != '/'
        || value[1].data[value[1].len - 1] != '/')
    {
        goto invalid;
    }

    for (i = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || ch == '/' || ch == '_' || ch == '-' || ch == '.'))
        {
            goto invalid;
        }
    }

    cxlcf->prefix = value[1];

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"cx_prefix %V\": expected a path that starts and "
                       "ends with \"/\", of letters, digits, \"_\", \"-\", "
                       "\".\"", &value[1]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_cx_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    u_char      *host;
    ngx_str_t   *value, *origin;
    ngx_uint_t   i;

    if (cxlcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    cxlcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                      sizeof(ngx_str_t));
    if (cxlcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        ngx_strlow(value[i].data, value[i].data, value[i].len);

        host = NULL;

        if (ngx_strncmp(value[i].data, "https://", 8) == 0) {
            host = value[i].data + 8;

        } else if (ngx_strncmp(value[i].data, "http://", 7) == 0) {
            host = value[i].data + 7;
        }

        if (host == NULL || *host == '\0'
            || strcspn((char *) host, "/?#@* ") != ngx_strlen(host))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"cx_allowed_origins %V\": expected an origin "
                               "such as https://www.example.com, without a "
                               "path", &value[i]);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(cxlcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    return NGX_CONF_OK;
}


/* cx_role form | help | search=argument ... | off */

char *
ngx_http_cx_set_role(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_loc_conf_t *cxlcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, role;

    if (cxlcf->role != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    cxlcf->role = 0;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0 && cf->args->nelts == 2) {
            return NGX_CONF_OK;
        }

        role = 0;

        if (ngx_strcmp(value[i].data, "form") == 0) {
            role = CX_ROLE_FORM;

        } else if (ngx_strcmp(value[i].data, "help") == 0) {
            role = CX_ROLE_HELP;

        } else if (value[i].len > 7
                   && ngx_strncmp(value[i].data, "search=", 7) == 0
                   && strcspn((char *) value[i].data + 7, "&=?# ")
                      == value[i].len - 7)
        {
            role = CX_ROLE_SEARCH;
            cxlcf->search.data = value[i].data + 7;
            cxlcf->search.len = value[i].len - 7;
        }

        if (role == 0 || (cxlcf->role & role)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\": expected \"off\" "
                               "alone, or \"form\", \"help\", "
                               "\"search=argument\", each once", &value[i]);
            return NGX_CONF_ERROR;
        }

        cxlcf->role |= role;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cx_set_thresholds(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    ngx_str_t          *value, text;
    cx_tuning_error_t   e;

    if (cxmcf->thresholds.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    cxmcf->thresholds = value[1];

    if (ngx_strcmp(value[1].data, "off") == 0) {
        cxmcf->thresholds.len = 0;
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &cxmcf->thresholds, 1) != NGX_OK
        || ngx_http_cx_set_read(cf, &cmd->name, &cxmcf->thresholds, &text)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cx_tuning_read(&cxmcf->tuning, (char *) text.data, text.len, &e) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cx_thresholds: \"%V\":%ud: \"%s\": expected %s",
                           &cxmcf->thresholds, e.line, e.text, e.expected);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* cx_secret file: what the keys of tokens are made of */

char *
ngx_http_cx_set_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    int         rc;
    ngx_str_t  *value, text;

    if (cxmcf->secret) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, &value[1], 1) != NGX_OK
        || ngx_http_cx_set_read(cf, &cmd->name, &value[1], &text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (text.len < CX_SECRET_MIN || text.len > CX_SECRET_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cx_secret: \"%V\" has %uz bytes: expected a file "
                           "of %d to %d random bytes", &value[1], text.len,
                           CX_SECRET_MIN, CX_SECRET_MAX);
        return NGX_CONF_ERROR;
    }

    cxmcf->secret = ngx_pnalloc(cf->pool, CX_TOKEN_KEY);
    if (cxmcf->secret == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = cx_token_key(cxmcf->secret, text.data, text.len);
    ngx_explicit_memzero(text.data, text.len);

    return rc ? NGX_CONF_OK : "cannot be used: no HMAC-SHA256 here";
}


/* a small file of a directive */

static ngx_int_t
ngx_http_cx_set_read(ngx_conf_t *cf, ngx_str_t *directive, ngx_str_t *name,
    ngx_str_t *text)
{
    ssize_t   n;
    ngx_fd_t  fd;

    text->data = ngx_pnalloc(cf->temp_pool, NGX_HTTP_CX_SET_FILE_MAX + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_open_file_n " \"%V\" failed", directive,
                           name);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, NGX_HTTP_CX_SET_FILE_MAX + 1);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "%V: " ngx_read_fd_n " \"%V\" failed", directive,
                           name);

    } else if (n > NGX_HTTP_CX_SET_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%V: \"%V\": expected a file of at most %d KiB",
                           directive, name, NGX_HTTP_CX_SET_FILE_MAX / 1024);
        n = -1;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    text->len = n;

    return n == -1 ? NGX_ERROR : NGX_OK;
}
