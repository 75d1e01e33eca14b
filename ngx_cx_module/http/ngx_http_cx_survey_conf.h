/* What survey_conf.c and survey_check.c share. */

#ifndef NGX_HTTP_CX_SURVEY_CONF_H
#define NGX_HTTP_CX_SURVEY_CONF_H

#include "ngx_http_cx_survey.h"
#include <jansson.h>


#define NGX_HTTP_CX_SURVEY_PATH_MAX  256


typedef enum {
    NGX_HTTP_CX_SURVEY_OBJECT,
    NGX_HTTP_CX_SURVEY_LIST,
    NGX_HTTP_CX_SURVEY_INT,                    /* min to max */
    NGX_HTTP_CX_SURVEY_NAME,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_LINE,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_PAGE,                   /* max bytes */
    NGX_HTTP_CX_SURVEY_BOOL,
    NGX_HTTP_CX_SURVEY_SHARE                   /* percent, two decimals */
} ngx_http_cx_survey_kind_e;


typedef struct {
    const char                  *name;
    ngx_http_cx_survey_kind_e    kind;
    ngx_int_t                    min;
    ngx_int_t                    max;
    ngx_uint_t                   required;
} ngx_http_cx_survey_key_t;


#define ngx_http_cx_survey_null_key                                           \
    { NULL, NGX_HTTP_CX_SURVEY_OBJECT, 0, 0, 0 }


typedef struct {
    ngx_conf_t                  *cf;
    ngx_http_cx_surveys_t       *surveys;
    ngx_str_t                    text;
    size_t                       len;          /* of path */
    char                         path[NGX_HTTP_CX_SURVEY_PATH_MAX];
} ngx_http_cx_survey_loader_t;


/* an object that has these keys, all that must be there, and no other */
ngx_int_t ngx_http_cx_survey_object(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_key_t *keys);

/* a value as key says; its name is not looked at */
ngx_int_t ngx_http_cx_survey_value(ngx_http_cx_survey_loader_t *l,
    json_t *json, ngx_http_cx_survey_key_t *key);

/* percent -> 1/100 %, or NGX_ERROR */
ngx_int_t ngx_http_cx_survey_share(json_t *json);

/*
 * The place in the file that a mistake is reported at, as cx_json_line() takes
 * it.  Entering returns what ngx_http_cx_survey_leave() takes.
 */
size_t ngx_http_cx_survey_enter(ngx_http_cx_survey_loader_t *l,
    const char *key);
size_t ngx_http_cx_survey_enter_item(ngx_http_cx_survey_loader_t *l,
    ngx_uint_t index);
void ngx_http_cx_survey_leave(ngx_http_cx_survey_loader_t *l, size_t len);

/* logs what is expected at this place; NGX_ERROR */
ngx_int_t ngx_http_cx_survey_wrong(ngx_http_cx_survey_loader_t *l,
    const char *expected);

#endif /* NGX_HTTP_CX_SURVEY_CONF_H */
