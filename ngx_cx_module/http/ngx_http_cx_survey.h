/* Surveys as survey_conf.c leaves them for those who offer and take them. */

#ifndef NGX_HTTP_CX_SURVEY_H
#define NGX_HTTP_CX_SURVEY_H

#include "ngx_http_cx.h"


/* what a survey asks for: bits of info.asks */
#define NGX_HTTP_CX_ASKS_SCORE     1
#define NGX_HTTP_CX_ASKS_CHOICE    2           /* one of the options */
#define NGX_HTTP_CX_ASKS_CHOICES   4           /* some of them */
#define NGX_HTTP_CX_ASKS_TEXT      8

#define NGX_HTTP_CX_DEVICE_PHONE   1
#define NGX_HTTP_CX_DEVICE_TABLET  2
#define NGX_HTTP_CX_DEVICE_DESKTOP 4

#define NGX_HTTP_CX_VISITOR_NEW    1
#define NGX_HTTP_CX_VISITOR_KNOWN  2


/* most languages of a survey */
#define NGX_HTTP_CX_SURVEY_LANGUAGES  64


/* a step behind the first one, in one language */
typedef struct {
    ngx_uint_t                   asks;         /* one of NGX_HTTP_CX_ASKS_* */
    ngx_str_t                    buckets;      /* "detractor passive"; len 0:
                                                  any */
    ngx_str_t                    question;
    ngx_array_t                  options;      /* ngx_str_t */
} ngx_http_cx_survey_step_t;


/* a survey in one language, with standard wording put in */
typedef struct {
    ngx_str_t                    tag;          /* "de" */
    ngx_uint_t                   rtl;
    const cx_language_t         *words;        /* of the nearest language that
                                                  is built in; never NULL */
    ngx_str_t                    question;
    ngx_str_t                    low;
    ngx_str_t                    high;
    ngx_str_t                    thanks;
    ngx_str_t                    link_url;     /* len 0: none */
    ngx_str_t                    link_label;
    ngx_str_t                    tab;          /* len 0: it is none */
    ngx_array_t                  options;      /* ngx_str_t, of the first
                                                  step */
    ngx_array_t                  steps;        /* ngx_http_cx_survey_step_t */
    ngx_str_t                    json;         /* members of the object that
                                                  the browser gets, without
                                                  braces, token and answer */
} ngx_http_cx_survey_text_t;


typedef struct {
    ngx_http_cx_survey_info_t    info;
    ngx_array_t                  texts;        /* ngx_http_cx_survey_text_t;
                                                  at least one */
    ngx_array_t                  pages;        /* ngx_str_t, all four; none: */
    ngx_array_t                  touchpoints;  /* everywhere */
    ngx_array_t                  stages;
    ngx_array_t                  segments;
    ngx_uint_t                   devices;      /* bits; 0: all */
    ngx_uint_t                   visitors;     /* bits; 0: all */
    ngx_uint_t                   after;        /* 1: may wait for a signal */
    ngx_uint_t                   chance;       /* 1/100 % */
    time_t                       from;         /* 0: no bound */
    time_t                       until;        /* the first second after it */
    ngx_uint_t                   daily;        /* 0: no bound */
    ngx_uint_t                   total;
    ngx_uint_t                   priority;
    ngx_str_t                    when;         /* in words, for "why" */
    ngx_str_t                    definition;   /* JSON, see cx_schema.h */
    unsigned                     dry_run:1;
    unsigned                     retired:1;
    unsigned                     tab:1;        /* always there */
} ngx_http_cx_survey_t;


struct ngx_http_cx_surveys_s {
    ngx_str_t                    file;
    u_char                       key[8];       /* hex crc32 of the path: what
                                                  a page's tag says */
    ngx_str_t                    theme;        /* JSON object for the browser;
                                                  len 0: the built-in one */
    ngx_str_t                    css;          /* the same as a style sheet's
                                                  rules, for form and preview */
    ngx_array_t                  list;         /* ngx_http_cx_survey_t, highest
                                                  priority first */
};


/* NULL: not in this file */
ngx_http_cx_survey_info_t *ngx_http_cx_survey_in(
    ngx_http_cx_surveys_t *surveys, ngx_str_t *id);


/*
 * survey_match.c: may this visit get it here?  What is asked for:
 */

typedef struct {
    ngx_str_t                    page;
    ngx_str_t                    touchpoint;
    ngx_str_t                    stage;
    ngx_str_t                    segment;
    ngx_str_t                    visit;        /* len 0: not told apart */
    ngx_str_t                    lang;         /* of the page */
    ngx_str_t                    accept;       /* Accept-Language */
    ngx_uint_t                   device;       /* one of the bits; 0: unknown */
    ngx_uint_t                   visitor;
} ngx_http_cx_survey_place_t;

typedef enum {
    NGX_HTTP_CX_SURVEY_FITS,                   /* and is drawn */
    NGX_HTTP_CX_SURVEY_SAMPLED_OUT,            /* eligible, not drawn */
    NGX_HTTP_CX_SURVEY_RETIRED,
    NGX_HTTP_CX_SURVEY_BY_PAGE,
    NGX_HTTP_CX_SURVEY_BY_TOUCHPOINT,
    NGX_HTTP_CX_SURVEY_BY_STAGE,
    NGX_HTTP_CX_SURVEY_BY_SEGMENT,
    NGX_HTTP_CX_SURVEY_BY_DEVICE,
    NGX_HTTP_CX_SURVEY_BY_VISITOR,
    NGX_HTTP_CX_SURVEY_BY_LANGUAGE,
    NGX_HTTP_CX_SURVEY_EARLY,
    NGX_HTTP_CX_SURVEY_LATE,
    NGX_HTTP_CX_SURVEY_BY_DAILY,
    NGX_HTTP_CX_SURVEY_BY_TOTAL
} ngx_http_cx_survey_fit_e;

/* *text: in which language; *drew: in 1/100 %, what was drawn against chance */
ngx_http_cx_survey_fit_e ngx_http_cx_survey_fit(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_place_t *place,
    ngx_http_cx_survey_text_t **text, ngx_uint_t *drew);


/*
 * quota.c: distinct answers of a survey, as Redis knows and with those that
 * were taken here since
 */

typedef struct {
    ngx_uint_t                   today;
    ngx_uint_t                   total;
} ngx_http_cx_quota_t;

void ngx_http_cx_quota(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_http_cx_quota_t *quota);
void ngx_http_cx_quota_taken(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_str_t *answer);

#endif /* NGX_HTTP_CX_SURVEY_H */
