/*
 * <prefix>survey/<id>: a survey as a plain form, for links in mails and for
 * browsers without scripts.  GET shows it, maybe with a score chosen, and
 * records nothing, as links are followed by machines, too; POST answers.
 *
 * Whoever fills in a form wants to be heard: under GPC and the like the answer
 * is taken, but not what visit it came from.
 */

#include "ngx_http_cx_collect.h"
#include "ngx_http_cx_form.h"


/* 2000 characters of 3 bytes, each as %E3, and the rest */
#define NGX_HTTP_CX_FORM_BODY_MAX  32768


static ngx_int_t ngx_http_cx_form_start(ngx_http_request_t *r,
    ngx_http_cx_form_t **form);
static ngx_uint_t ngx_http_cx_form_open(ngx_http_cx_form_t *form);
static ngx_int_t ngx_http_cx_form_get(ngx_http_cx_form_t *form);
static ngx_int_t ngx_http_cx_form_token(ngx_http_cx_form_t *form);
static void ngx_http_cx_form_post(ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_form_take(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_form_check(ngx_http_cx_form_t *form);


static ngx_str_t  ngx_http_cx_form_types[] = {
    ngx_string("application/x-www-form-urlencoded"),
    ngx_null_string
};

static ngx_http_cx_collect_body_t  ngx_http_cx_form_body = {
    ngx_http_cx_form_types,
    "application/x-www-form-urlencoded, not encoded",
    NGX_HTTP_CX_FORM_BODY_MAX
};


ngx_int_t
ngx_http_cx_form_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_cx_form_t     *form;
    ngx_http_cx_problem_t   p;

    rc = ngx_http_cx_form_start(r, &form);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? ngx_http_cx_ask_none(r)
                                  : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_cx_form_get(form);
    }

    rc = ngx_http_cx_collect_body_check(r, &ngx_http_cx_form_body, &p);

    if (rc != NGX_OK) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_cx_form_post);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/* NGX_DECLINED: there is no such survey */

static ngx_int_t
ngx_http_cx_form_start(ngx_http_request_t *r, ngx_http_cx_form_t **form)
{
    size_t                   len;
    ngx_str_t                id;
    ngx_http_cx_form_t      *f;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    f = ngx_pcalloc(r->pool, sizeof(ngx_http_cx_form_t));
    if (f == NULL) {
        return NGX_ERROR;
    }

    len = cxlcf->prefix.len + sizeof("survey/") - 1;

    id.data = r->uri.data + len;
    id.len = r->uri.len - len;

    f->request = r;
    f->cxlcf = cxlcf;
    f->score = -1;
    f->survey = ngx_http_cx_survey_get(r, &id, NULL, &f->set);

    *form = f;

    return f->survey ? NGX_OK : NGX_DECLINED;
}


/* 1 if it may be answered now */

static ngx_uint_t
ngx_http_cx_form_open(ngx_http_cx_form_t *form)
{
    ngx_http_cx_quota_t    quota;
    ngx_http_cx_survey_t  *survey;

    survey = form->survey;

    if (survey->retired
        || (survey->from && ngx_time() < survey->from)
        || (survey->until && ngx_time() >= survey->until))
    {
        return 0;
    }

    if (survey->daily == 0 && survey->total == 0) {
        return 1;
    }

    ngx_http_cx_quota(form->cxlcf->site, &survey->info.id, &quota);

    return !(survey->total && quota.total >= survey->total)
           && !(survey->daily && quota.today >= survey->daily);
}


static ngx_int_t
ngx_http_cx_form_get(ngx_http_cx_form_t *form)
{
    ngx_str_t            lang, score;
    ngx_http_request_t  *r;

    r = form->request;

    if (ngx_http_cx_ask_arg(r, "lang", NULL, &lang) == NGX_ERROR
        || ngx_http_cx_ask_arg(r, "score", NULL, &score) == NGX_ERROR
        || ngx_http_cx_ask_arg(r, "t", NULL, &form->token) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_cx_form_language(form, &lang);

    if (!ngx_http_cx_form_open(form)) {
        return ngx_http_cx_form_closed(form);
    }

    /* whatever it is, it only chooses */
    (void) ngx_http_cx_form_score(form, &score);

    ngx_http_cx_form_place(form);

    if (ngx_http_cx_form_token(form) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cx_form_page(form, NGX_HTTP_OK);
}


/* keeps the token of a link that is good, else gives out one of its own */

static ngx_int_t
ngx_http_cx_form_token(ngx_http_cx_form_t *form)
{
    ngx_str_t                 visit;
    ngx_http_cx_ctx_t        *ctx;
    ngx_http_cx_main_conf_t  *cxmcf;
    u_char                    answer[NGX_HTTP_CX_ANSWER_LEN];

    cxmcf = ngx_http_get_module_main_conf(form->request, ngx_http_cx_module);

    if (cxmcf->secret && form->token.len
        && ngx_http_cx_token_link(form->cxlcf->site, &form->survey->info,
                                  &form->token)
           == NGX_OK)
    {
        form->link = 1;
        return NGX_OK;
    }

    ctx = ngx_http_cx_request_ctx(form->request);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    visit.len = 0;
    visit.data = form->visit_text;

    if (!ngx_http_cx_request_private(form->request, form->cxlcf, &ctx->facts)
        && ngx_http_cx_visit_key(form->request, form->cxlcf, visit.data)
           == NGX_OK)
    {
        visit.len = NGX_HTTP_CX_VISIT_LEN;
    }

    form->token.data = form->token_text;
    form->token.len = NGX_HTTP_CX_TOKEN_LEN;

    return ngx_http_cx_token_make(form->cxlcf->site, &form->survey->info,
                                  &visit, answer, form->token_text);
}


static void
ngx_http_cx_form_post(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_cx_form_take(r);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* NGX_DONE: the request waits for Redis */

static ngx_int_t
ngx_http_cx_form_take(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               body;
    ngx_uint_t              status;
    ngx_http_cx_form_t     *form;
    ngx_http_cx_problem_t   p;

    if (ngx_http_cx_form_start(r, &form) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_cx_collect_body_read(r, &ngx_http_cx_form_body, &body, &p);

    if (rc == NGX_OK) {
        rc = ngx_http_cx_form_fields(form, &body);

        ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));
        p.status = NGX_HTTP_BAD_REQUEST;
        p.counter = NGX_HTTP_CX_C_REJECT_SCHEMA;
        p.error = cx_reject_name(CX_REJECT_VALUE);
        p.expected = "the fields of the form";
        p.event = -1;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a form that was open when the survey was retired is still taken, as it
       has a token; nobody gets one later */

    status = ngx_http_cx_form_check(form);

    switch (status) {

    case NGX_HTTP_OK:
        return ngx_http_cx_form_answer(form);

    case NGX_HTTP_CX_FORM_CLOSED:
        return ngx_http_cx_form_closed(form);

    case NGX_HTTP_INTERNAL_SERVER_ERROR:
        return status;

    default:
        return ngx_http_cx_form_page(form, status);
    }
}


/* status of the answer: 200 if it is to be taken; the form lacks something, or
   its token is too old, and it gets a new one */

static ngx_uint_t
ngx_http_cx_form_check(ngx_http_cx_form_t *form)
{
    ngx_int_t                   rc;
    ngx_str_t                   answer;
    ngx_http_cx_main_conf_t    *cxmcf;
    ngx_http_cx_survey_info_t  *info;

    cxmcf = ngx_http_get_module_main_conf(form->request, ngx_http_cx_module);
    info = &form->survey->info;
    rc = NGX_ERROR;

    if (form->token.len == NGX_HTTP_CX_TOKEN_LEN) {

        answer.len = NGX_HTTP_CX_ANSWER_LEN;
        answer.data = form->token.data + 9;

        rc = ngx_http_cx_token_check(form->cxlcf->site, info, &answer,
                                     &form->token);

        if (rc == NGX_ERROR && cxmcf->secret) {
            rc = ngx_http_cx_token_link(form->cxlcf->site, info, &form->token);
            form->link = (rc == NGX_OK);
        }
    }

    /* a link is good for longer than the survey may be */

    if (form->link && !ngx_http_cx_form_open(form)) {
        return NGX_HTTP_CX_FORM_CLOSED;
    }

    if (rc == NGX_OK) {

        form->missing = ngx_http_cx_form_first(form);

        if (form->score >= 0) {
            form->missing &= ~NGX_HTTP_CX_ASKS_SCORE;
        }

        if (form->choice) {
            form->missing &= ~(NGX_HTTP_CX_ASKS_CHOICE
                               |NGX_HTTP_CX_ASKS_CHOICES);
        }

        if (form->verbatim.len) {
            form->missing &= ~NGX_HTTP_CX_ASKS_TEXT;
        }

        return form->missing ? NGX_HTTP_CX_FORM_MISSING : NGX_HTTP_OK;
    }

    ngx_http_cx_refused(form->cxlcf->site, &info->id, &info->version,
                        rc == NGX_DECLINED ? NGX_HTTP_CX_REFUSED_EXPIRED
                                           : NGX_HTTP_CX_REFUSED_TOKEN);

    if (!ngx_http_cx_form_open(form)) {
        return NGX_HTTP_CX_FORM_CLOSED;
    }

    /* whoever it is has only to press the button again */

    return (ngx_http_cx_form_token(form) == NGX_OK)
           ? NGX_HTTP_FORBIDDEN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
