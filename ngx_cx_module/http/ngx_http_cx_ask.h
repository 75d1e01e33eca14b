/* What the files share that offer surveys and take their answers. */

#ifndef NGX_HTTP_CX_ASK_H
#define NGX_HTTP_CX_ASK_H

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_survey.h"


/* who asks for surveys, and where */

typedef struct {
    ngx_http_cx_surveys_t       *surveys;      /* NULL: none */
    ngx_http_cx_survey_place_t   place;
    uint32_t                     told;         /* 1 << CX_SIG_*: on this page or
                                                  the one before */
    u_char                       page_text[CX_PAGE_MAX];
    u_char                       segment_text[CX_NAME_MAX];
    u_char                       visit_text[NGX_HTTP_CX_VISIT_LEN];
} ngx_http_cx_ask_t;


/* ---- ask.c: the arguments of a request ---- */

/* NGX_DECLINED: they are right; else what the handler returns */
ngx_int_t ngx_http_cx_ask(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask);

/* the set that "surveys" names, else that of the endpoint's location */
ngx_http_cx_surveys_t *ngx_http_cx_ask_set(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf);

/*
 * Decodes an argument; len 0 where it is not given.  NGX_ABORT: not a value
 * of the field (NULL: anything goes); NGX_ERROR: out of memory.
 */
ngx_int_t ngx_http_cx_ask_arg(ngx_http_request_t *r, const char *name,
    const cx_field_t *field, ngx_str_t *value);

/* "key=value&..." as a form sends it, one value: decoded in a copy; from: where
   to look from, set behind it.  NGX_DECLINED: no (more) such key */
ngx_int_t ngx_http_cx_ask_field(ngx_http_request_t *r, ngx_str_t *form,
    const char *name, u_char **from, ngx_str_t *value);

/* its Accept-Language; len 0: none */
void ngx_http_cx_ask_accept(ngx_http_request_t *r, ngx_str_t *accept);

/* 1 if cx_debug lets this request in */
ngx_uint_t ngx_http_cx_ask_debug(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf);

/* 404, as for what is not there */
ngx_int_t ngx_http_cx_ask_none(ngx_http_request_t *r);


/* ---- survey.c ---- */

/* a survey of this site with its set, by id: of this version (NULL: any will
   do), else of this location, else of any file; NULL: none */
ngx_http_cx_survey_t *ngx_http_cx_survey_get(ngx_http_request_t *r,
    ngx_str_t *id, cx_str_t *version, ngx_http_cx_surveys_t **set);

/* {"close":"...",...} of a language; dst NULL: the bytes it takes at most */
size_t ngx_http_cx_survey_ui(u_char *dst, const cx_language_t *words);

/* JSON that no cache keeps */
ngx_int_t ngx_http_cx_survey_send(ngx_http_request_t *r, ngx_str_t *body);


/* ---- page.c: HTML in a buffer that grows ---- */

typedef struct {
    ngx_http_request_t          *request;
    u_char                      *start;
    u_char                      *last;
    u_char                      *end;
    ngx_uint_t                   failed;       /* out of memory */
} ngx_http_cx_page_t;

void ngx_http_cx_page_start(ngx_http_cx_page_t *page, ngx_http_request_t *r);

/* as it is */
void ngx_http_cx_page_put(ngx_http_cx_page_t *page, const char *html);
void ngx_http_cx_page_raw(ngx_http_cx_page_t *page, ngx_str_t *html);
void ngx_http_cx_page_number(ngx_http_cx_page_t *page, ngx_uint_t n);

/* escaped, for text and attributes in double quotes */
void ngx_http_cx_page_text(ngx_http_cx_page_t *page, ngx_str_t *text);
void ngx_http_cx_page_words(ngx_http_cx_page_t *page, const char *text);

/* escaped for a value in a query string */
void ngx_http_cx_page_value(ngx_http_cx_page_t *page, ngx_str_t *text);

/* sends it as HTML with this policy, which no cache keeps and no frame shows */
ngx_int_t ngx_http_cx_page_send(ngx_http_cx_page_t *page, ngx_uint_t status,
    const char *policy);


/* ---- form.c: a survey as a plain form ---- */

ngx_int_t ngx_http_cx_form_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_cx_form_css_handler(ngx_http_request_t *r);

/* ---- why.c, preview.c: behind cx_debug ---- */

ngx_int_t ngx_http_cx_why_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_cx_preview_handler(ngx_http_request_t *r);

#endif /* NGX_HTTP_CX_ASK_H */
