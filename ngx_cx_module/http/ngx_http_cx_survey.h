/* Surveys as survey_conf.c leaves them for survey.c. */

#ifndef NGX_HTTP_CX_SURVEY_H
#define NGX_HTTP_CX_SURVEY_H

#include "ngx_http_cx.h"


typedef struct {
    ngx_http_cx_survey_info_t    info;
    ngx_array_t                  pages;        /* ngx_str_t, all four; none: */
    ngx_array_t                  touchpoints;  /* everywhere */
    ngx_array_t                  stages;
    ngx_array_t                  segments;
    ngx_uint_t                   chance;       /* 1/100 % */
    ngx_str_t                    json;         /* as the browser gets it */
} ngx_http_cx_survey_t;


struct ngx_http_cx_surveys_s {
    ngx_str_t                    file;
    u_char                       key[8];       /* hex crc32 of the path: what
                                                  a page's tag says */
    ngx_array_t                  list;         /* ngx_http_cx_survey_t */
};


/* NULL: not in this file */
ngx_http_cx_survey_info_t *ngx_http_cx_survey_in(
    ngx_http_cx_surveys_t *surveys, ngx_str_t *id);

#endif /* NGX_HTTP_CX_SURVEY_H */
