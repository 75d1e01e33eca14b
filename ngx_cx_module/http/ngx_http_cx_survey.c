/*
 * GET <prefix>surveys: the surveys that this visit may see on this page, each
 * with the token that an answer needs, and the wording of the widget.
 */

#include "ngx_http_cx_ask.h"
#include "ngx_http_cx_deliver.h"


/* a survey that the visit gets */

typedef struct {
    ngx_http_cx_survey_t        *survey;
    ngx_http_cx_survey_text_t   *text;
} ngx_http_cx_survey_given_t;


static ngx_uint_t ngx_http_cx_survey_offer(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask,
    ngx_http_cx_survey_given_t *given);
static void ngx_http_cx_survey_told(ngx_http_request_t *r,
    ngx_http_cx_site_t *site, ngx_http_cx_ask_t *ask, ngx_str_t *list);
static ngx_int_t ngx_http_cx_survey_answer(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask,
    ngx_http_cx_survey_given_t *given, ngx_uint_t n);
static u_char *ngx_http_cx_survey_head(u_char *p, ngx_http_cx_ask_t *ask,
    ngx_http_cx_survey_given_t *given, ngx_uint_t n);
static u_char *ngx_http_cx_survey_signals(u_char *p, uint32_t told);
static ngx_uint_t ngx_http_cx_survey_is(ngx_http_cx_survey_info_t *info,
    cx_str_t *version);
static ngx_http_cx_survey_t *ngx_http_cx_survey_by_id(
    ngx_http_cx_surveys_t *surveys, ngx_str_t *id);


#define NGX_HTTP_CX_SURVEY_OFFER_MAX                                          \
    (sizeof(",@=1") - 1 + CX_NAME_MAX + 8)
#define NGX_HTTP_CX_SURVEY_HEAD                                               \
    "{\"v\":1,\"ui\":,\"theme\":,\"signals\":[],\"surveys\":[]}\n"
#define NGX_HTTP_CX_SURVEY_ITEM                                               \
    "{,\"answer\":\"\",\"token\":\"\",\"ui\":},"


ngx_int_t
ngx_http_cx_survey_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_str_t                    none =
                                 ngx_string("{\"v\":1,\"surveys\":[]}\n");
    ngx_uint_t                   n;
    ngx_http_cx_ctx_t           *ctx;
    ngx_http_cx_ask_t            ask;
    ngx_http_cx_loc_conf_t      *cxlcf;
    ngx_http_cx_survey_given_t  *given;

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    rc = ngx_http_cx_ask(r, cxlcf, &ask);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* whose answers are not recorded is not asked */

    if (ask.surveys == NULL
        || ngx_http_cx_request_unwanted(r, cxlcf, &ctx->facts) != -1)
    {
        return ngx_http_cx_survey_send(r, &none);
    }

    given = ngx_palloc(r->pool, ask.surveys->list.nelts
                                * sizeof(ngx_http_cx_survey_given_t));
    if (given == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = ngx_http_cx_survey_offer(r, cxlcf, &ask, given);

    if (n == 0) {
        return ngx_http_cx_survey_send(r, &none);
    }

    return ngx_http_cx_survey_answer(r, cxlcf, &ask, given, n);
}


/* how many the visit gets; those that it could get are told */

static ngx_uint_t
ngx_http_cx_survey_offer(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask, ngx_http_cx_survey_given_t *given)
{
    u_char                     *p;
    ngx_str_t                   list;
    ngx_uint_t                  i, n, drew;
    ngx_http_cx_survey_t       *survey;
    ngx_http_cx_survey_fit_e    fit;
    ngx_http_cx_survey_text_t  *text;
    u_char                      offers[CX_OFFERS_MAX];

    n = 0;
    list.len = 0;
    list.data = offers;
    survey = ask->surveys->list.elts;

    for (i = 0; i < ask->surveys->list.nelts; i++, survey++) {

        fit = ngx_http_cx_survey_fit(cxlcf->site, survey, &ask->place, &text,
                                     &drew);

        if (fit == NGX_HTTP_CX_SURVEY_FITS) {
            given[n].survey = survey;
            given[n].text = text;
            n++;

        } else if (fit != NGX_HTTP_CX_SURVEY_SAMPLED_OUT) {
            continue;
        }

        if (CX_OFFERS_MAX - list.len < NGX_HTTP_CX_SURVEY_OFFER_MAX) {
            ngx_http_cx_survey_told(r, cxlcf->site, ask, &list);
            list.len = 0;
        }

        p = ngx_sprintf(list.data + list.len, "%s%V@%V=%d",
                        list.len ? "," : "", &survey->info.id,
                        &survey->info.version, fit == NGX_HTTP_CX_SURVEY_FITS);
        list.len = p - list.data;
    }

    if (list.len) {
        ngx_http_cx_survey_told(r, cxlcf->site, ask, &list);
    }

    return n;
}


/* the head of the funnel: may be lost where there is no room */

static void
ngx_http_cx_survey_told(ngx_http_request_t *r, ngx_http_cx_site_t *site,
    ngx_http_cx_ask_t *ask, ngx_str_t *list)
{
    ngx_str_t                    again;
    ngx_time_t                  *tp;
    cx_event_t                   ev;
    ngx_http_cx_survey_place_t  *place;
    u_char                       ts[NGX_INT64_LEN];

    /* nor who only wants another token for an answer */

    if (r->method != NGX_HTTP_GET
        || ngx_http_arg(r, (u_char *) "again", 5, &again) == NGX_OK)
    {
        return;
    }

    tp = ngx_timeofday();
    place = &ask->place;

    ngx_http_cx_event_start(&ev, CX_OFFER,
                            (uint64_t) tp->sec * 1000 + tp->msec, ts);

    ngx_http_cx_event_text(&ev.v[CX_COMMON_PAGE], &place->page);
    ngx_http_cx_event_text(&ev.v[CX_COMMON_VISIT], &place->visit);
    ngx_http_cx_event_text(&ev.v[CX_COMMON_TOUCHPOINT], &place->touchpoint);
    ngx_http_cx_event_text(&ev.v[CX_COMMON_STAGE], &place->stage);
    ngx_http_cx_event_text(&ev.v[CX_COMMON_SEGMENT], &place->segment);
    ngx_http_cx_event_text(&ev.v[CX_OFFER_SURVEYS], list);

    (void) ngx_http_cx_queue_push(site, &ev, NULL);
}


static ngx_int_t
ngx_http_cx_survey_answer(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask, ngx_http_cx_survey_given_t *given, ngx_uint_t n)
{
    size_t                       len;
    u_char                      *p;
    ngx_str_t                    body;
    ngx_uint_t                   i;
    u_char                       answer[NGX_HTTP_CX_ANSWER_LEN];
    u_char                       token[NGX_HTTP_CX_TOKEN_LEN];

    len = sizeof(NGX_HTTP_CX_SURVEY_HEAD) + ask->surveys->theme.len
          + CX_COUNTS_MAX;

    for (i = 0; i < n; i++) {
        len += sizeof(NGX_HTTP_CX_SURVEY_ITEM) + given[i].text->json.len
               + ngx_http_cx_survey_ui(NULL, given[i].text->words)
               + NGX_HTTP_CX_ANSWER_LEN + NGX_HTTP_CX_TOKEN_LEN;
    }

    body.data = ngx_pnalloc(r->pool, len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_http_cx_survey_head(body.data, ask, given, n);

    for (i = 0; i < n; i++) {

        if (ngx_http_cx_token_make(cxlcf->site, &given[i].survey->info,
                                   &ask->place.visit, answer, token)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        p = ngx_sprintf(p, "%s{%V,\"answer\":\"%*s\",\"token\":\"%*s\"",
                        i ? "," : "", &given[i].text->json,
                        (size_t) NGX_HTTP_CX_ANSWER_LEN, answer,
                        (size_t) NGX_HTTP_CX_TOKEN_LEN, token);

        if (given[i].text->words != given[0].text->words) {
            p = ngx_sprintf(p, ",\"ui\":");
            p += ngx_http_cx_survey_ui(p, given[i].text->words);
        }

        *p++ = '}';
    }

    p = ngx_sprintf(p, "]}\n");

    body.len = p - body.data;

    return ngx_http_cx_survey_send(r, &body);
}


static u_char *
ngx_http_cx_survey_head(u_char *p, ngx_http_cx_ask_t *ask,
    ngx_http_cx_survey_given_t *given, ngx_uint_t n)
{
    ngx_uint_t  i, after;

    p = ngx_sprintf(p, "{\"v\":1,\"ui\":");
    p += ngx_http_cx_survey_ui(p, given[0].text->words);

    if (ask->surveys->theme.len) {
        p = ngx_sprintf(p, ",\"theme\":%V", &ask->surveys->theme);
    }

    after = 0;

    for (i = 0; i < n; i++) {
        after |= given[i].survey->after;
    }

    if (after && ask->told) {
        p = ngx_http_cx_survey_signals(p, ask->told);
    }

    return ngx_sprintf(p, ",\"surveys\":[");
}


static u_char *
ngx_http_cx_survey_signals(u_char *p, uint32_t told)
{
    ngx_uint_t   i;
    const char  *comma;

    comma = "";
    p = ngx_sprintf(p, ",\"signals\":[");

    for (i = 0; i < CX_SIG_N; i++) {
        if (told & ((uint32_t) 1 << i)) {
            p = ngx_sprintf(p, "%s\"%s\"", comma, cx_signals[i].name);
            comma = ",";
        }
    }

    *p++ = ']';

    return p;
}


size_t
ngx_http_cx_survey_ui(u_char *dst, const cx_language_t *words)
{
    size_t       len;
    u_char      *p, *text;
    ngx_uint_t   i;

    if (dst == NULL) {

        len = sizeof("{}");

        for (i = 0; i < CX_WORD_WIDGET; i++) {
            text = (u_char *) words->words[i];
            len += sizeof(",\"\":\"\"") + ngx_strlen(cx_word_keys[i])
                   + ngx_strlen(text)
                   + ngx_escape_json(NULL, text, ngx_strlen(text));
        }

        return len;
    }

    p = dst;

    for (i = 0; i < CX_WORD_WIDGET; i++) {
        text = (u_char *) words->words[i];
        p = ngx_sprintf(p, "%s\"%s\":\"", i ? "," : "{", cx_word_keys[i]);
        p = (u_char *) ngx_escape_json(p, text, ngx_strlen(text));
        *p++ = '"';
    }

    *p++ = '}';

    return p - dst;
}


ngx_int_t
ngx_http_cx_survey_send(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_str_t  type = ngx_string("application/json");

    if (ngx_http_cx_endpoint_literal(r, "Cache-Control", "private, no-store")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cx_endpoint_send(r, &type, body);
}


/*
 * Each location may have a file of its own, and one id may stand in several of
 * them: version NULL is that of this location, or the first one.
 */

ngx_http_cx_survey_t *
ngx_http_cx_survey_get(ngx_http_request_t *r, ngx_str_t *id, cx_str_t *version,
    ngx_http_cx_surveys_t **set)
{
    ngx_uint_t                i;
    ngx_http_cx_asked_t      *asked;
    ngx_http_cx_survey_t     *survey, *other;
    ngx_http_cx_loc_conf_t   *cxlcf;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);
    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);

    *set = ngx_http_cx_ask_set(r, cxlcf);
    survey = *set ? ngx_http_cx_survey_by_id(*set, id) : NULL;
    asked = cxmcf->asked.elts;

    for (i = 0; i < cxmcf->asked.nelts; i++) {

        if (survey && ngx_http_cx_survey_is(&survey->info, version)) {
            break;
        }

        if (asked[i].site != cxlcf->site) {
            continue;
        }

        other = ngx_http_cx_survey_by_id(asked[i].surveys, id);

        if (other && (survey == NULL
                      || ngx_http_cx_survey_is(&other->info, version)))
        {
            survey = other;
            *set = asked[i].surveys;
        }
    }

    return survey;
}


/* 1 if it is of this version, or if any will do */

static ngx_uint_t
ngx_http_cx_survey_is(ngx_http_cx_survey_info_t *info, cx_str_t *version)
{
    return version == NULL
           || (version->len == info->version.len
               && ngx_memcmp(version->data, info->version.data, version->len)
                  == 0);
}


ngx_http_cx_survey_info_t *
ngx_http_cx_survey_find(ngx_http_request_t *r, cx_str_t *id, cx_str_t *version)
{
    ngx_http_cx_survey_t   *survey;
    ngx_http_cx_surveys_t  *set;

    survey = ngx_http_cx_survey_get(r, (ngx_str_t *) id, version, &set);

    return survey ? &survey->info : NULL;
}


ngx_http_cx_survey_info_t *
ngx_http_cx_survey_in(ngx_http_cx_surveys_t *surveys, ngx_str_t *id)
{
    ngx_http_cx_survey_t  *survey;

    survey = ngx_http_cx_survey_by_id(surveys, id);

    return survey ? &survey->info : NULL;
}


static ngx_http_cx_survey_t *
ngx_http_cx_survey_by_id(ngx_http_cx_surveys_t *surveys, ngx_str_t *id)
{
    ngx_uint_t             i;
    ngx_http_cx_survey_t  *survey;

    survey = surveys->list.elts;

    for (i = 0; i < surveys->list.nelts; i++) {
        if (survey[i].info.id.len == id->len
            && ngx_memcmp(survey[i].info.id.data, id->data, id->len) == 0)
        {
            return &survey[i];
        }
    }

    return NULL;
}


const u_char *
ngx_http_cx_survey_key(ngx_http_cx_surveys_t *surveys)
{
    return surveys->key;
}
