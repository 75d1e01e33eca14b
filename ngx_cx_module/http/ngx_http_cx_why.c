/*
 * <prefix>why: of each survey of this page, why this visit gets it or not, in
 * one sentence.  Only for those whom cx_debug lets in.
 */

#include "ngx_http_cx_ask.h"


#define NGX_HTTP_CX_WHY_REASON     1000        /* bytes, before escaping */


static const char *ngx_http_cx_why_unwanted(ngx_int_t reason);
static ngx_int_t ngx_http_cx_why_answer(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask,
    const char *unwanted);
static u_char *ngx_http_cx_why_whole(u_char *p, u_char *end);
static u_char *ngx_http_cx_why_reason(u_char *p, u_char *last,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask,
    ngx_http_cx_survey_t *survey, ngx_uint_t *shows);
static u_char *ngx_http_cx_why_place(u_char *p, u_char *last,
    ngx_http_cx_survey_place_t *place, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_fit_e fit);
static u_char *ngx_http_cx_why_person(u_char *p, u_char *last,
    ngx_http_cx_survey_place_t *place, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_fit_e fit);
static u_char *ngx_http_cx_why_list(u_char *p, u_char *last,
    ngx_array_t *list);
static u_char *ngx_http_cx_why_languages(u_char *p, u_char *last,
    ngx_http_cx_survey_t *survey);
static u_char *ngx_http_cx_why_date(u_char *p, u_char *last, time_t t);
static u_char *ngx_http_cx_why_devices(u_char *p, u_char *last,
    ngx_uint_t devices);


ngx_int_t
ngx_http_cx_why_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_ask_t        ask;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (!ngx_http_cx_ask_debug(r, cxlcf)) {
        return ngx_http_cx_ask_none(r);
    }

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_cx_ask(r, cxlcf, &ask);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_cx_request_unwanted(r, cxlcf, &ctx->facts);

    return ngx_http_cx_why_answer(r, cxlcf, &ask,
                                  ngx_http_cx_why_unwanted(rc));
}


/* what holds for all surveys; NULL: nothing */

static const char *
ngx_http_cx_why_unwanted(ngx_int_t reason)
{
    switch (reason) {

    case -1:
        return NULL;

    case NGX_HTTP_CX_C_VIEWS_BOT:
        return "this is a bot or a headless browser, which is asked nothing";

    case NGX_HTTP_CX_C_VIEWS_HEALTH:
        return "this is a health check, which is asked nothing";

    case NGX_HTTP_CX_C_VIEWS_IGNORED:
        return "cx_ignore leaves this visitor out";

    case NGX_HTTP_CX_C_VIEWS_OPT_OUT:
        return "this browser has opted out";

    default:
        return "Sec-GPC or DNT is sent, or there is no consent";
    }
}


static ngx_int_t
ngx_http_cx_why_answer(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask, const char *unwanted)
{
    u_char                *p, *end;
    ngx_str_t              body, *page;
    ngx_uint_t             i, n, shows;
    ngx_http_cx_survey_t  *survey;
    u_char                 reason[NGX_HTTP_CX_WHY_REASON];

    n = ask->surveys ? ask->surveys->list.nelts : 0;
    survey = n ? ask->surveys->list.elts : NULL;
    page = &ask->place.page;

    /* an escaped byte takes 6 */

    p = ngx_pnalloc(r->pool, sizeof("{\"v\":1,\"page\":\"\",\"surveys\":[]}\n")
                             + 6 * page->len
                             + n * (sizeof("{\"id\":\"\",\"reason\":\"\","
                                           "\"shows\":0},")
                                    + CX_NAME_MAX
                                    + 6 * NGX_HTTP_CX_WHY_REASON));
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"v\":1,\"page\":\"");
    p = (u_char *) ngx_escape_json(p, page->data, page->len);
    p = ngx_sprintf(p, "\",\"surveys\":[");

    for (i = 0; i < n; i++) {

        if (unwanted) {
            shows = 0;
            end = ngx_slprintf(reason, reason + sizeof(reason), "%s", unwanted);

        } else {
            end = ngx_http_cx_why_reason(reason, reason + sizeof(reason),
                                         cxlcf, ask, &survey[i], &shows);
        }

        if (end == reason + sizeof(reason)) {
            end = ngx_http_cx_why_whole(reason, end);
        }

        p = ngx_sprintf(p, "%s{\"id\":\"%V\",\"reason\":\"", i ? "," : "",
                        &survey[i].info.id);
        p = (u_char *) ngx_escape_json(p, reason, end - reason);
        p = ngx_sprintf(p, "\",\"shows\":%ui}", shows);
    }

    p = ngx_sprintf(p, "]}\n");

    body.len = p - body.data;

    return ngx_http_cx_survey_send(r, &body);
}


/* takes off a character that was cut at the end */

static u_char *
ngx_http_cx_why_whole(u_char *p, u_char *end)
{
    u_char  *last;
    size_t   len;

    for (last = end; last > p && (last[-1] & 0xc0) == 0x80; last--) {
        /* void */
    }

    if (last == p || last[-1] < 0xc0) {
        return end;
    }

    last--;
    len = *last >= 0xf0 ? 4 : *last >= 0xe0 ? 3 : 2;

    return (size_t) (end - last) < len ? last : end;
}


static u_char *
ngx_http_cx_why_reason(u_char *p, u_char *last, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask, ngx_http_cx_survey_t *survey, ngx_uint_t *shows)
{
    ngx_uint_t                  drew;
    ngx_http_cx_survey_fit_e    fit;
    ngx_http_cx_survey_text_t  *text;

    fit = ngx_http_cx_survey_fit(cxlcf->site, survey, &ask->place, &text,
                                 &drew);

    *shows = (fit == NGX_HTTP_CX_SURVEY_FITS && !survey->dry_run);

    switch (fit) {

    case NGX_HTTP_CX_SURVEY_FITS:
        return ngx_slprintf(p, last, "%s%V%s%V",
                            survey->dry_run ? "dry run: it is only counted, in "
                                            : "it is offered in ",
                            &text->tag,
                            survey->when.len ? ", and waits for: " : "",
                            &survey->when);

    case NGX_HTTP_CX_SURVEY_SAMPLED_OUT:
        return ngx_slprintf(p, last, "sampled out: %ui.%02ui %% get it, and "
                            "this visit drew %ui.%02ui",
                            survey->chance / 100, survey->chance % 100,
                            drew / 100, drew % 100);

    case NGX_HTTP_CX_SURVEY_RETIRED:
        return ngx_slprintf(p, last, "it is retired");

    case NGX_HTTP_CX_SURVEY_EARLY:
        p = ngx_slprintf(p, last, "not before ");
        p = ngx_http_cx_why_date(p, last, survey->from);
        return ngx_slprintf(p, last, " (UTC)");

    case NGX_HTTP_CX_SURVEY_LATE:
        p = ngx_slprintf(p, last, "not after ");
        p = ngx_http_cx_why_date(p, last, survey->until - 1);
        return ngx_slprintf(p, last, " (UTC)");

    case NGX_HTTP_CX_SURVEY_BY_DAILY:
        return ngx_slprintf(p, last, "the daily quota of %ui answers is "
                            "reached", survey->daily);

    case NGX_HTTP_CX_SURVEY_BY_TOTAL:
        return ngx_slprintf(p, last, "the quota of %ui answers is reached",
                            survey->total);

    default:
        return ngx_http_cx_why_place(p, last, &ask->place, survey, fit);
    }
}


static u_char *
ngx_http_cx_why_place(u_char *p, u_char *last,
    ngx_http_cx_survey_place_t *place, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_fit_e fit)
{
    switch (fit) {

    case NGX_HTTP_CX_SURVEY_BY_PAGE:
        p = ngx_slprintf(p, last, "not on this page, only on ");
        return ngx_http_cx_why_list(p, last, &survey->pages);

    case NGX_HTTP_CX_SURVEY_BY_TOUCHPOINT:
        p = ngx_slprintf(p, last, "the touchpoint is \"%V\", not ",
                         &place->touchpoint);
        return ngx_http_cx_why_list(p, last, &survey->touchpoints);

    case NGX_HTTP_CX_SURVEY_BY_STAGE:
        p = ngx_slprintf(p, last, "the stage is \"%V\", not ", &place->stage);
        return ngx_http_cx_why_list(p, last, &survey->stages);

    case NGX_HTTP_CX_SURVEY_BY_SEGMENT:
        p = ngx_slprintf(p, last, "the segment is \"%V\", not ",
                         &place->segment);
        return ngx_http_cx_why_list(p, last, &survey->segments);

    default:
        return ngx_http_cx_why_person(p, last, place, survey, fit);
    }
}


static u_char *
ngx_http_cx_why_person(u_char *p, u_char *last,
    ngx_http_cx_survey_place_t *place, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_fit_e fit)
{
    switch (fit) {

    case NGX_HTTP_CX_SURVEY_BY_DEVICE:
        p = ngx_slprintf(p, last, "the device is ");
        p = ngx_http_cx_why_devices(p, last, place->device);
        p = ngx_slprintf(p, last, ", not ");
        return ngx_http_cx_why_devices(p, last, survey->devices);

    case NGX_HTTP_CX_SURVEY_BY_VISITOR:
        return ngx_slprintf(p, last, "only for %s visitors",
                            survey->visitors & NGX_HTTP_CX_VISITOR_NEW
                            ? "new" : "returning");

    default: /* NGX_HTTP_CX_SURVEY_BY_LANGUAGE */
        p = ngx_slprintf(p, last, "not in the language of page or browser "
                         "(\"%V\", \"%V\"); it has ", &place->lang,
                         &place->accept);
        return ngx_http_cx_why_languages(p, last, survey);
    }
}


static u_char *
ngx_http_cx_why_list(u_char *p, u_char *last, ngx_array_t *list)
{
    ngx_str_t   *item;
    ngx_uint_t   i;

    item = list->elts;

    for (i = 0; i < list->nelts; i++) {
        p = ngx_slprintf(p, last, "%s%V", i == 0 ? ""
                         : i == list->nelts - 1 ? " or " : ", ", &item[i]);
    }

    return p;
}


static u_char *
ngx_http_cx_why_languages(u_char *p, u_char *last,
    ngx_http_cx_survey_t *survey)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    text = survey->texts.elts;

    for (i = 0; i < survey->texts.nelts; i++) {
        p = ngx_slprintf(p, last, "%s%V", i ? ", " : "", &text[i].tag);
    }

    return p;
}


static u_char *
ngx_http_cx_why_date(u_char *p, u_char *last, time_t t)
{
    ngx_tm_t  tm;

    ngx_gmtime(t, &tm);

    return ngx_slprintf(p, last, "%04d-%02d-%02d", tm.ngx_tm_year,
                        tm.ngx_tm_mon, tm.ngx_tm_mday);
}


static u_char *
ngx_http_cx_why_devices(u_char *p, u_char *last, ngx_uint_t devices)
{
    const char  *comma;

    if (devices == 0) {
        return ngx_slprintf(p, last, "not known");
    }

    comma = "";

    if (devices & NGX_HTTP_CX_DEVICE_PHONE) {
        p = ngx_slprintf(p, last, "phone");
        comma = ", ";
    }

    if (devices & NGX_HTTP_CX_DEVICE_TABLET) {
        p = ngx_slprintf(p, last, "%stablet", comma);
        comma = ", ";
    }

    if (devices & NGX_HTTP_CX_DEVICE_DESKTOP) {
        p = ngx_slprintf(p, last, "%sdesktop", comma);
    }

    return p;
}
