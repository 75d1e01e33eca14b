/*
 * What a beacon says of surveys: which, and with answers whether they fit and
 * have their tokens.
 */

#include "ngx_http_cx_collect.h"
#include "ngx_http_cx_survey.h"


static ngx_int_t ngx_http_cx_check_event(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge, ngx_http_cx_problem_t *p);
static ngx_int_t ngx_http_cx_check_value(const char *field,
    const char *expected, ngx_http_cx_problem_t *p);
static ngx_int_t ngx_http_cx_check_score(cx_str_t *v,
    ngx_http_cx_survey_info_t *survey, ngx_http_cx_problem_t *p);
static ngx_int_t ngx_http_cx_check_choice(cx_str_t *v,
    ngx_http_cx_survey_info_t *survey, ngx_http_cx_problem_t *p);
static ngx_int_t ngx_http_cx_check_source(cx_str_t *v,
    ngx_http_cx_problem_t *p);
static ngx_int_t ngx_http_cx_check_token(cx_event_t *ev, cx_str_t *tokens,
    ngx_http_cx_collect_edge_t *edge, ngx_http_cx_problem_t *p);
static ngx_http_cx_survey_info_t *ngx_http_cx_check_survey(cx_event_t *ev,
    ngx_http_request_t *r);
static cx_str_t *ngx_http_cx_check_version(cx_event_t *ev);
static ngx_uint_t ngx_http_cx_check_is(cx_str_t *v, ngx_str_t *text);


ngx_int_t
ngx_http_cx_collect_check(cx_batch_t *b, ngx_http_cx_collect_edge_t *edge,
    ngx_http_cx_problem_t *p)
{
    ngx_uint_t  i;

    ngx_memzero(p, sizeof(ngx_http_cx_problem_t));

    for (i = 0; i < b->n; i++) {
        p->event = i;

        if (ngx_http_cx_check_event(&b->ev[i], edge, p) != NGX_OK) {
            p->status = NGX_HTTP_BAD_REQUEST;
            return NGX_DECLINED;
        }
    }

    for (i = 0; b->answers && i < b->n; i++) {
        p->event = i;

        if (b->ev[i].type == CX_ANSWER
            && ngx_http_cx_check_token(&b->ev[i], &b->token, edge, p)
               != NGX_OK)
        {
            p->status = NGX_HTTP_FORBIDDEN;
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_check_event(cx_event_t *ev, ngx_http_cx_collect_edge_t *edge,
    ngx_http_cx_problem_t *p)
{
    ngx_http_cx_survey_info_t   other;
    ngx_http_cx_survey_info_t  *survey;

    if (ev->type == CX_SIGNAL || ev->type == CX_LEAVE) {
        return NGX_OK;
    }

    survey = ngx_http_cx_check_survey(ev, edge->request);

    if (survey == NULL) {
        p->counter = NGX_HTTP_CX_C_REJECT_SURVEY;
        p->error = "survey";
        p->field = "survey";
        p->expected = "the id of a survey of this site";
        return NGX_DECLINED;
    }

    if (ev->type != CX_ANSWER) {
        return NGX_OK;
    }

    /* what else an older wording asked for is not known any more */

    if (!ngx_http_cx_check_is(&ev->v[CX_ANSWER_VERSION], &survey->version)) {
        other = *survey;
        (void) ngx_http_cx_survey_was(&ev->v[CX_ANSWER_VERSION], &other);
        other.asks |= NGX_HTTP_CX_ASKS_CHOICES|NGX_HTTP_CX_ASKS_TEXT;
        other.options = CX_OPTIONS_MAX;
        survey = &other;
    }

    return ngx_http_cx_collect_check_answer(ev, survey, p);
}


/* the survey of an event that is about one; NULL: there is none */

static ngx_http_cx_survey_info_t *
ngx_http_cx_check_survey(cx_event_t *ev, ngx_http_request_t *r)
{
    ngx_uint_t  id;

    switch (ev->type) {

    case CX_SHOWN:
        id = CX_SHOWN_SURVEY;
        break;

    case CX_START:
        id = CX_START_SURVEY;
        break;

    case CX_DISMISS:
        id = CX_DISMISS_SURVEY;
        break;

    default: /* CX_ANSWER */
        id = CX_ANSWER_SURVEY;
        break;
    }

    return ngx_http_cx_survey_find(r, &ev->v[id],
                                   ngx_http_cx_check_version(ev));
}


static cx_str_t *
ngx_http_cx_check_version(cx_event_t *ev)
{
    switch (ev->type) {

    case CX_SHOWN:
        return &ev->v[CX_SHOWN_VERSION];

    case CX_START:
        return &ev->v[CX_START_VERSION];

    case CX_DISMISS:
        return &ev->v[CX_DISMISS_VERSION];

    default: /* CX_ANSWER */
        return &ev->v[CX_ANSWER_VERSION];
    }
}


ngx_uint_t
ngx_http_cx_collect_current(cx_event_t *ev, ngx_http_request_t *r)
{
    ngx_http_cx_survey_info_t  *survey;

    if (ev->type == CX_ANSWER) {
        return 1;                              /* it has a token */
    }

    survey = ngx_http_cx_check_survey(ev, r);

    return survey && ngx_http_cx_check_is(ngx_http_cx_check_version(ev),
                                          &survey->version);
}


ngx_int_t
ngx_http_cx_collect_check_answer(cx_event_t *ev,
    ngx_http_cx_survey_info_t *survey, ngx_http_cx_problem_t *p)
{
    ngx_int_t   rc;
    cx_str_t   *v;

    p->counter = NGX_HTTP_CX_C_REJECT_SCHEMA;
    p->error = cx_reject_name(CX_REJECT_VALUE);

    v = ev->v;

    rc = ngx_http_cx_check_score(&v[CX_ANSWER_SCORE], survey, p);

    if (rc == NGX_OK) {
        rc = ngx_http_cx_check_choice(&v[CX_ANSWER_CHOICE], survey, p);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_cx_check_source(&v[CX_ANSWER_SOURCE], p);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (v[CX_ANSWER_TEXT].len && !(survey->asks & NGX_HTTP_CX_ASKS_TEXT)) {
        return ngx_http_cx_check_value("text", "none: this survey does not "
                                       "ask for text", p);
    }

    if (v[CX_ANSWER_SCORE].len == 0 && v[CX_ANSWER_CHOICE].len == 0
        && v[CX_ANSWER_TEXT].len == 0)
    {
        return ngx_http_cx_check_value(
                               (survey->asks & (NGX_HTTP_CX_ASKS_CHOICE
                                                |NGX_HTTP_CX_ASKS_CHOICES))
                               ? "choice" : "text", "an answer", p);
    }

    v[CX_ANSWER_METRIC].data = survey->metric.data;
    v[CX_ANSWER_METRIC].len = survey->metric.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_check_value(const char *field, const char *expected,
    ngx_http_cx_problem_t *p)
{
    p->field = field;
    p->expected = expected;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cx_check_score(cx_str_t *v, ngx_http_cx_survey_info_t *survey,
    ngx_http_cx_problem_t *p)
{
    ngx_int_t  score;

    static char  expected[2 * NGX_INT_T_LEN + sizeof(" to ")];

    if (!(survey->asks & NGX_HTTP_CX_ASKS_SCORE)) {

        if (v->len) {
            return ngx_http_cx_check_value("score", "none: this survey does "
                                           "not ask for a score", p);
        }

        return NGX_OK;
    }

    score = v->len ? ngx_atoi(v->data, v->len) : NGX_ERROR;

    if (score < (ngx_int_t) survey->score_min
        || score > (ngx_int_t) survey->score_max)
    {
        ngx_sprintf((u_char *) expected, "%ui to %ui%Z",
                    survey->score_min, survey->score_max);

        return ngx_http_cx_check_value("score", expected, p);
    }

    return NGX_OK;
}


/* positions from 0, rising, joined by commas */

static ngx_int_t
ngx_http_cx_check_choice(cx_str_t *v, ngx_http_cx_survey_info_t *survey,
    ngx_http_cx_problem_t *p)
{
    u_char     *q, *end, *next;
    ngx_int_t   n, last;

    static char  expected[sizeof("positions from 0 to , rising, joined by "
                                 "commas") + NGX_INT_T_LEN];

    if (v->len == 0) {
        return NGX_OK;
    }

    if (!(survey->asks & (NGX_HTTP_CX_ASKS_CHOICE|NGX_HTTP_CX_ASKS_CHOICES))) {
        return ngx_http_cx_check_value("choice", "none: this survey has no "
                                       "options", p);
    }

    last = -1;
    end = v->data + v->len;

    for (q = v->data; q <= end; q = next + 1) {

        next = ngx_strlchr(q, end, ',');
        if (next == NULL) {
            next = end;
        }

        n = ngx_atoi(q, next - q);

        if (n <= last || n >= (ngx_int_t) survey->options
            || (next - q > 1 && *q == '0')
            || (last >= 0 && !(survey->asks & NGX_HTTP_CX_ASKS_CHOICES)))
        {
            ngx_sprintf((u_char *) expected,
                        (survey->asks & NGX_HTTP_CX_ASKS_CHOICES)
                        ? "positions from 0 to %ui, rising, joined by "
                          "commas%Z"
                        : "a position from 0 to %ui%Z", survey->options - 1);

            return ngx_http_cx_check_value("choice", expected, p);
        }

        last = n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_check_source(cx_str_t *v, ngx_http_cx_problem_t *p)
{
    ngx_str_t  asked = ngx_string("asked");
    ngx_str_t  volunteered = ngx_string("volunteered");

    if (v->len == 0) {
        v->data = asked.data;
        v->len = asked.len;
        return NGX_OK;
    }

    if (ngx_http_cx_check_is(v, &asked)
        || ngx_http_cx_check_is(v, &volunteered))
    {
        return NGX_OK;
    }

    return ngx_http_cx_check_value("source", "asked or volunteered", p);
}


/* one of the tokens is good for this answer to this wording of the survey */

static ngx_int_t
ngx_http_cx_check_token(cx_event_t *ev, cx_str_t *tokens,
    ngx_http_cx_collect_edge_t *edge, ngx_http_cx_problem_t *p)
{
    u_char                     *q, *end, *next;
    ngx_int_t                   rc;
    ngx_str_t                   answer, token;
    ngx_uint_t                  n, expired;
    ngx_http_cx_survey_info_t   survey, *now;

    ngx_memzero(&survey, sizeof(ngx_http_cx_survey_info_t));

    survey.id.len = ev->v[CX_ANSWER_SURVEY].len;
    survey.id.data = ev->v[CX_ANSWER_SURVEY].data;
    survey.version.len = ev->v[CX_ANSWER_VERSION].len;
    survey.version.data = ev->v[CX_ANSWER_VERSION].data;

    answer.len = ev->v[CX_ANSWER_ANSWER].len;
    answer.data = ev->v[CX_ANSWER_ANSWER].data;

    expired = 0;
    end = tokens->data + tokens->len;

    for (q = tokens->data, n = 0;
         q < end && n < CX_TOKENS;
         q = next + 1, n++)
    {
        next = ngx_strlchr(q, end, ' ');
        if (next == NULL) {
            next = end;
        }

        token.data = q;
        token.len = next - q;

        rc = ngx_http_cx_token_check(edge->cxlcf->site, &survey, &answer,
                                     &token);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            expired = 1;
        }
    }

    /* a version that nobody vouches for is none: there are as many as one
       likes, and each would take a place among the surveys that are counted */

    now = ngx_http_cx_check_survey(ev, edge->request);

    if (!expired
        && (now == NULL
            || !ngx_http_cx_check_is(&ev->v[CX_ANSWER_VERSION], &now->version)))
    {
        survey.version.len = 0;
    }

    ngx_http_cx_refused(edge->cxlcf->site, &survey.id, &survey.version,
                        expired ? NGX_HTTP_CX_REFUSED_EXPIRED
                                : NGX_HTTP_CX_REFUSED_TOKEN);

    p->counter = NGX_HTTP_CX_NOT_COUNTED;      /* it is already */
    p->field = NULL;
    p->error = expired ? "expired" : "token";
    p->expected = "the token that came with this survey, in the last 24 hours";

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_cx_check_is(cx_str_t *v, ngx_str_t *text)
{
    return v->len == text->len
           && ngx_memcmp(v->data, text->data, text->len) == 0;
}
