/* An answer that a form has sent, and what whoever sent it gets. */

#include "ngx_http_cx_collect.h"
#include "ngx_http_cx_form.h"


static void ngx_http_cx_form_event(ngx_http_cx_form_t *form, cx_event_t *ev,
    u_char *visit, u_char *numbers);
static void ngx_http_cx_form_person(ngx_http_cx_form_t *form, cx_event_t *ev,
    u_char *visit);
static ngx_int_t ngx_http_cx_form_answered(ngx_http_cx_collect_wait_t *wait);


ngx_int_t
ngx_http_cx_form_answer(ngx_http_cx_form_t *form)
{
    ngx_int_t                    rc;
    cx_event_t                   ev;
    ngx_http_cx_ctx_t           *ctx;
    ngx_http_request_t          *r;
    ngx_http_cx_collect_wait_t  *wait;
    u_char                       visit[NGX_HTTP_CX_VISIT_LEN];
    u_char                       numbers[2 * NGX_INT64_LEN
                                         + 3 * CX_OPTIONS_MAX];

    r = form->request;

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_cx_request_unwanted(r, form->cxlcf, &ctx->facts);

    if (rc == NGX_HTTP_CX_C_VIEWS_BOT || rc == NGX_HTTP_CX_C_VIEWS_HEALTH
        || rc == NGX_HTTP_CX_C_VIEWS_IGNORED)
    {
        return ngx_http_cx_form_thanks(form);
    }

    ngx_http_cx_form_event(form, &ev, rc == -1 ? visit : NULL, numbers);

    if (ngx_http_cx_collect_fill_mask(r, &ev.v[CX_ANSWER_TEXT]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wait = ngx_http_cx_collect_wait_create(r, form->cxlcf->site, 1);
    if (wait == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wait->answer = ngx_http_cx_form_answered;
    wait->data = form;

    if (ngx_http_cx_collect_wait_push(wait, &ev) != NGX_OK) {
        ngx_http_cx_count(NGX_HTTP_CX_C_REJECT_FULL, 1);
        return ngx_http_cx_form_page(form, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    return ngx_http_cx_collect_wait_start(wait);
}


/* visit: room for its key; NULL: it is nobody's business */

static void
ngx_http_cx_form_event(ngx_http_cx_form_t *form, cx_event_t *ev,
    u_char *visit, u_char *numbers)
{
    u_char                     *p;
    ngx_str_t                   s;
    ngx_str_t                   invited = ngx_string("invited");
    ngx_str_t                   volunteered = ngx_string("volunteered");
    ngx_str_t                   by_link = ngx_string("link");
    ngx_str_t                   by_form = ngx_string("form");
    ngx_str_t                   done = ngx_string("1");
    ngx_time_t                 *tp;
    ngx_uint_t                  i;
    ngx_http_cx_survey_info_t  *info;

    info = &form->survey->info;
    tp = ngx_timeofday();

    ngx_http_cx_event_start(ev, CX_ANSWER,
                            (uint64_t) tp->sec * 1000 + tp->msec, numbers);

    /* one link, one page */

    if (form->link) {
        form->page.data = form->page_text;
        form->page.len = ngx_http_cx_request_fold(form->page_text,
                                                  form->request->uri.data,
                                                  form->request->uri.len);
    }

    ngx_http_cx_event_text(&ev->v[CX_COMMON_PAGE], &form->page);

    if (visit) {
        ngx_http_cx_form_person(form, ev, visit);
    }

    s.len = NGX_HTTP_CX_ANSWER_LEN;
    s.data = form->token.data + 9;

    ngx_http_cx_event_text(&ev->v[CX_ANSWER_ANSWER], &s);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_SURVEY], &info->id);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_VERSION], &info->version);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_METRIC], &info->metric);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_TEXT], &form->verbatim);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_DONE], &done);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_LANG], &form->text->tag);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_SOURCE],
                           form->link ? &invited : &volunteered);
    ngx_http_cx_event_text(&ev->v[CX_ANSWER_TRIGGER],
                           form->link ? &by_link : &by_form);

    if (form->score >= 0) {
        ngx_http_cx_event_number(&ev->v[CX_ANSWER_SCORE],
                                 numbers + NGX_INT64_LEN, form->score);
    }

    s.data = numbers + 2 * NGX_INT64_LEN;
    p = s.data;

    for (i = 0; i < CX_OPTIONS_MAX; i++) {
        if (form->choice & ((uint32_t) 1 << i)) {
            p = ngx_sprintf(p, "%s%ui", p == s.data ? "" : ",", i);
        }
    }

    s.len = p - s.data;

    ngx_http_cx_event_text(&ev->v[CX_ANSWER_CHOICE], &s);
}


static void
ngx_http_cx_form_person(ngx_http_cx_form_t *form, cx_event_t *ev,
    u_char *visit)
{
    ngx_str_t  s;

    ngx_http_cx_request_segment(form->request, form->cxlcf, &s);
    ngx_http_cx_event_text(&ev->v[CX_COMMON_SEGMENT], &s);

    /* who follows a link is known by it, on whatever device */

    if (!form->link
        && ngx_http_cx_visit_key(form->request, form->cxlcf, visit) == NGX_OK)
    {
        s.len = NGX_HTTP_CX_VISIT_LEN;
        s.data = visit;
        ngx_http_cx_event_text(&ev->v[CX_COMMON_VISIT], &s);
    }
}


static ngx_int_t
ngx_http_cx_form_answered(ngx_http_cx_collect_wait_t *wait)
{
    ngx_http_cx_form_t *form = wait->data;

    if (!wait->taken) {
        ngx_http_cx_count(NGX_HTTP_CX_C_ANSWERS_LATE, 1);
        return ngx_http_cx_form_page(form, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_EVENTS, 1);
    ngx_http_cx_count(NGX_HTTP_CX_C_ANSWERS, 1);

    return ngx_http_cx_form_thanks(form);
}
