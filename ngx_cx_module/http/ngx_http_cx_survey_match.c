/* May this visit get this survey here, and if not, why. */

#include "ngx_http_cx_survey.h"


static ngx_uint_t ngx_http_cx_survey_paged(ngx_http_cx_survey_t *survey,
    ngx_str_t *page);
static ngx_uint_t ngx_http_cx_survey_listed(ngx_array_t *list,
    ngx_str_t *value);
static ngx_http_cx_survey_fit_e ngx_http_cx_survey_where(
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_place_t *place);
static ngx_http_cx_survey_fit_e ngx_http_cx_survey_left(
    ngx_http_cx_site_t *site, ngx_http_cx_survey_t *survey);
static ngx_http_cx_survey_text_t *ngx_http_cx_survey_language(
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_place_t *place);
static ngx_uint_t ngx_http_cx_survey_draw(ngx_http_cx_survey_t *survey,
    ngx_str_t *visit);


ngx_http_cx_survey_fit_e
ngx_http_cx_survey_fit(ngx_http_cx_site_t *site, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_place_t *place, ngx_http_cx_survey_text_t **text,
    ngx_uint_t *drew)
{
    ngx_http_cx_survey_fit_e  fit;

    *text = NULL;
    *drew = 0;

    if (survey->retired) {
        return NGX_HTTP_CX_SURVEY_RETIRED;
    }

    fit = ngx_http_cx_survey_where(survey, place);

    if (fit != NGX_HTTP_CX_SURVEY_FITS) {
        return fit;
    }

    *text = ngx_http_cx_survey_language(survey, place);

    if (*text == NULL) {
        return NGX_HTTP_CX_SURVEY_BY_LANGUAGE;
    }

    fit = ngx_http_cx_survey_left(site, survey);

    if (fit != NGX_HTTP_CX_SURVEY_FITS) {
        return fit;
    }

    *drew = ngx_http_cx_survey_draw(survey, &place->visit);

    return *drew < survey->chance ? NGX_HTTP_CX_SURVEY_FITS
                                  : NGX_HTTP_CX_SURVEY_SAMPLED_OUT;
}


static ngx_http_cx_survey_fit_e
ngx_http_cx_survey_where(ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_place_t *place)
{
    if (!ngx_http_cx_survey_paged(survey, &place->page)) {
        return NGX_HTTP_CX_SURVEY_BY_PAGE;
    }

    if (!ngx_http_cx_survey_listed(&survey->touchpoints, &place->touchpoint)) {
        return NGX_HTTP_CX_SURVEY_BY_TOUCHPOINT;
    }

    if (!ngx_http_cx_survey_listed(&survey->stages, &place->stage)) {
        return NGX_HTTP_CX_SURVEY_BY_STAGE;
    }

    if (!ngx_http_cx_survey_listed(&survey->segments, &place->segment)) {
        return NGX_HTTP_CX_SURVEY_BY_SEGMENT;
    }

    if (survey->devices && !(survey->devices & place->device)) {
        return NGX_HTTP_CX_SURVEY_BY_DEVICE;
    }

    if (survey->visitors && !(survey->visitors & place->visitor)) {
        return NGX_HTTP_CX_SURVEY_BY_VISITOR;
    }

    return NGX_HTTP_CX_SURVEY_FITS;
}


/* dates and quotas */

static ngx_http_cx_survey_fit_e
ngx_http_cx_survey_left(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_t *survey)
{
    ngx_http_cx_quota_t  quota;

    if (survey->from && ngx_time() < survey->from) {
        return NGX_HTTP_CX_SURVEY_EARLY;
    }

    if (survey->until && ngx_time() >= survey->until) {
        return NGX_HTTP_CX_SURVEY_LATE;
    }

    if (survey->daily == 0 && survey->total == 0) {
        return NGX_HTTP_CX_SURVEY_FITS;
    }

    ngx_http_cx_quota(site, &survey->info.id, &quota);

    if (survey->total && quota.total >= survey->total) {
        return NGX_HTTP_CX_SURVEY_BY_TOTAL;
    }

    if (survey->daily && quota.today >= survey->daily) {
        return NGX_HTTP_CX_SURVEY_BY_DAILY;
    }

    return NGX_HTTP_CX_SURVEY_FITS;
}


/*
 * The page's language, else the first wish of the browser that there is; the
 * survey's own where nobody says anything.  NULL: none of these.
 */

static ngx_http_cx_survey_text_t *
ngx_http_cx_survey_language(ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_place_t *place)
{
    int                         i;
    cx_str_t                   *tag;
    ngx_uint_t                  n;
    ngx_http_cx_survey_text_t  *text;
    cx_str_t                    tags[NGX_HTTP_CX_SURVEY_LANGUAGES];

    text = survey->texts.elts;
    tag = tags;

    for (n = 0; n < survey->texts.nelts; n++) {
        tag->len = text[n].tag.len;
        tag->data = text[n].tag.data;
        tag++;
    }

    if (place->lang.len == 0 && place->accept.len == 0) {
        return text;
    }

    i = cx_language_choose(tags, n, (cx_str_t *) &place->lang);

    if (i < 0) {
        i = cx_language_choose(tags, n, (cx_str_t *) &place->accept);
    }

    return i < 0 ? NULL : &text[i];
}


/* the same for all requests of a visit, so that no reload draws again */

static ngx_uint_t
ngx_http_cx_survey_draw(ngx_http_cx_survey_t *survey, ngx_str_t *visit)
{
    if (visit->len) {
        return ngx_http_cx_visit_draw(visit, &survey->info.id);
    }

    return (ngx_uint_t) ngx_random() % 10000;
}


static ngx_uint_t
ngx_http_cx_survey_paged(ngx_http_cx_survey_t *survey, ngx_str_t *page)
{
    ngx_str_t   *pattern;
    ngx_uint_t   i;

    if (survey->pages.nelts == 0) {
        return 1;
    }

    pattern = survey->pages.elts;

    for (i = 0; i < survey->pages.nelts; i++) {
        if (cx_survey_pattern((cx_str_t *) &pattern[i], (cx_str_t *) page)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_cx_survey_listed(ngx_array_t *list, ngx_str_t *value)
{
    ngx_str_t   *item;
    ngx_uint_t   i;

    if (list->nelts == 0) {
        return 1;
    }

    item = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (item[i].len == value->len
            && ngx_memcmp(item[i].data, value->data, value->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_cx_survey_possible(ngx_http_cx_surveys_t *surveys, ngx_str_t *page,
    ngx_str_t *touchpoint, ngx_str_t *stage)
{
    ngx_uint_t             i;
    ngx_http_cx_survey_t  *survey;

    if (surveys == NULL) {
        return 0;
    }

    survey = surveys->list.elts;

    for (i = 0; i < surveys->list.nelts; i++) {
        if (survey[i].chance
            && !survey[i].retired
            && ngx_http_cx_survey_listed(&survey[i].touchpoints, touchpoint)
            && ngx_http_cx_survey_listed(&survey[i].stages, stage)
            && ngx_http_cx_survey_paged(&survey[i], page))
        {
            return 1;
        }
    }

    return 0;
}
