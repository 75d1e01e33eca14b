/* Between those who take a form, and form_page.c, which writes it. */

#ifndef NGX_HTTP_CX_FORM_H
#define NGX_HTTP_CX_FORM_H

#include "ngx_http_cx_ask.h"


/* statuses that nginx has no names for */
#define NGX_HTTP_CX_FORM_CLOSED    410
#define NGX_HTTP_CX_FORM_MISSING   422

typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cx_loc_conf_t      *cxlcf;
    ngx_http_cx_survey_t        *survey;
    ngx_http_cx_surveys_t       *set;
    ngx_http_cx_survey_text_t   *text;
    ngx_str_t                    page;         /* key, that the answer is of */
    ngx_str_t                    token;
    ngx_uint_t                   link;         /* it is that of a link */

    /* what was filled in */
    ngx_int_t                    score;        /* -1: none */
    uint32_t                     choice;       /* 1 << position */
    ngx_str_t                    verbatim;
    ngx_uint_t                   missing;      /* NGX_HTTP_CX_ASKS_* */

    u_char                       token_text[NGX_HTTP_CX_TOKEN_LEN];
    u_char                       visit_text[NGX_HTTP_CX_VISIT_LEN];
    u_char                       page_text[CX_PAGE_MAX];
} ngx_http_cx_form_t;


/* ---- form_fields.c ---- */

/* unlike the widget it is shown in any language rather than not at all */
void ngx_http_cx_form_language(ngx_http_cx_form_t *form, ngx_str_t *lang);

/* the page of this site that led here, else the form itself */
void ngx_http_cx_form_place(ngx_http_cx_form_t *form);

/* NGX_DECLINED: not one of this survey's */
ngx_int_t ngx_http_cx_form_score(ngx_http_cx_form_t *form, ngx_str_t *value);

/* NGX_DECLINED: not what the form sends */
ngx_int_t ngx_http_cx_form_fields(ngx_http_cx_form_t *form, ngx_str_t *body);


/* ---- form_answer.c: NGX_DONE: the request waits for Redis ---- */

ngx_int_t ngx_http_cx_form_answer(ngx_http_cx_form_t *form);


/* ---- form_page.c ---- */

/* bits of what it asks of the first step: that must be answered */
ngx_uint_t ngx_http_cx_form_first(ngx_http_cx_form_t *form);

ngx_int_t ngx_http_cx_form_page(ngx_http_cx_form_t *form, ngx_uint_t status);
ngx_int_t ngx_http_cx_form_thanks(ngx_http_cx_form_t *form);
/* it is not to be answered (any more) */
ngx_int_t ngx_http_cx_form_closed(ngx_http_cx_form_t *form);

#endif /* NGX_HTTP_CX_FORM_H */
