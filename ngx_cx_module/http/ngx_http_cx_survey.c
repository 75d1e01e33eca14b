/*
 * GET <prefix>surveys: the surveys that this visit may see on this page, and
 * the token that an answer needs.
 */

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_survey.h"


/* longest value of an argument before and after decoding */
#define NGX_HTTP_CX_SURVEY_ARG     2048


typedef struct {
    ngx_http_cx_surveys_t       *surveys;      /* NULL: none */
    ngx_str_t                    page;
    ngx_str_t                    touchpoint;
    ngx_str_t                    stage;
    ngx_str_t                    segment;
    ngx_str_t                    visit;
    u_char                       page_text[CX_PAGE_MAX];
    u_char                       segment_text[CX_NAME_MAX];
    u_char                       visit_text[NGX_HTTP_CX_VISIT_LEN];
} ngx_http_cx_survey_request_t;


static ngx_http_cx_surveys_t *ngx_http_cx_survey_set(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf);
static ngx_int_t ngx_http_cx_survey_request(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_survey_request_t *req);
static ngx_int_t ngx_http_cx_survey_page(ngx_http_request_t *r,
    ngx_http_cx_survey_request_t *req);
static ngx_int_t ngx_http_cx_survey_arg(ngx_http_request_t *r, char *name,
    const cx_field_t *field, ngx_str_t *value);
static ngx_int_t ngx_http_cx_survey_bad(ngx_http_request_t *r,
    const char *field, const char *expected);
static void ngx_http_cx_survey_visit(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_survey_request_t *req);
static ngx_int_t ngx_http_cx_survey_answer(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_survey_request_t *req);
static ngx_int_t ngx_http_cx_survey_send(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_uint_t ngx_http_cx_survey_matches(ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_request_t *req);
static ngx_uint_t ngx_http_cx_survey_place(ngx_http_cx_survey_t *survey,
    ngx_str_t *page, ngx_str_t *touchpoint, ngx_str_t *stage);
static ngx_uint_t ngx_http_cx_survey_drawn(ngx_http_cx_survey_t *survey,
    ngx_str_t *visit);
static ngx_uint_t ngx_http_cx_survey_listed(ngx_array_t *list,
    ngx_str_t *value);
static ngx_uint_t ngx_http_cx_survey_pattern(ngx_str_t *pattern,
    ngx_str_t *page);


ngx_int_t
ngx_http_cx_survey_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_str_t                      none =
                                   ngx_string("{\"v\":1,\"surveys\":[]}\n");
    ngx_http_cx_ctx_t             *ctx;
    ngx_http_cx_loc_conf_t        *cxlcf;
    ngx_http_cx_survey_request_t   req;

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    rc = ngx_http_cx_survey_request(r, cxlcf, &req);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* whose answers are not recorded is not asked */

    if (ngx_http_cx_request_unwanted(r, cxlcf, &ctx->facts) != -1) {
        return ngx_http_cx_survey_send(r, &none);
    }

    req.surveys = ngx_http_cx_survey_set(r, cxlcf);

    ngx_http_cx_survey_visit(r, cxlcf, &req);

    return ngx_http_cx_survey_answer(r, cxlcf, &req);
}


/*
 * The surveys of the page's location, which its tag names; a tag that is older
 * than the configuration, or none, gets those of the endpoint's location.
 */

static ngx_http_cx_surveys_t *
ngx_http_cx_survey_set(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_str_t                  key;
    ngx_uint_t                 i;
    ngx_http_cx_surveys_t    **sets;
    ngx_http_cx_main_conf_t   *cxmcf;

    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);
    sets = cxmcf->surveys.elts;

    if (ngx_http_arg(r, (u_char *) "surveys", 7, &key) == NGX_OK
        && key.len == sizeof(sets[0]->key))
    {
        for (i = 0; i < cxmcf->surveys.nelts; i++) {
            if (ngx_memcmp(sets[i]->key, key.data, key.len) == 0) {
                return sets[i];
            }
        }
    }

    return cxlcf->surveys;
}


/* NGX_DECLINED: the arguments are right; else what the handler returns */

static ngx_int_t
ngx_http_cx_survey_request(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_survey_request_t *req)
{
    ngx_int_t          rc;
    const cx_field_t  *fields;

    fields = cx_types[CX_VIEW].fields;

    rc = ngx_http_cx_survey_page(r, req);

    if (rc == NGX_ABORT) {
        return ngx_http_cx_survey_bad(r, "page", "\"page\", a page key, or "
                                      "\"path\", which starts with \"/\"");
    }

    if (rc == NGX_OK) {
        rc = ngx_http_cx_survey_arg(r, "touchpoint",
                                    &fields[CX_VIEW_TOUCHPOINT],
                                    &req->touchpoint);

        if (rc == NGX_ABORT) {
            return ngx_http_cx_survey_bad(r, "touchpoint", "a name");
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_cx_survey_arg(r, "stage", &fields[CX_VIEW_STAGE],
                                    &req->stage);

        if (rc == NGX_ABORT) {
            return ngx_http_cx_survey_bad(r, "stage", "a name");
        }
    }

    return rc == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* NGX_ABORT: neither page nor path, or not one */

static ngx_int_t
ngx_http_cx_survey_page(ngx_http_request_t *r,
    ngx_http_cx_survey_request_t *req)
{
    ngx_int_t  rc;
    ngx_str_t  path;

    rc = ngx_http_cx_survey_arg(r, "page",
                                &cx_types[CX_VIEW].fields[CX_VIEW_PAGE],
                                &req->page);

    if (rc != NGX_OK || req->page.len) {
        return rc;
    }

    rc = ngx_http_cx_survey_arg(r, "path", NULL, &path);

    if (rc != NGX_OK) {
        return rc;
    }

    if (path.len == 0 || path.data[0] != '/') {
        return NGX_ABORT;
    }

    req->page.data = req->page_text;
    req->page.len = ngx_http_cx_request_fold(req->page_text, path.data,
                                             path.len);

    return NGX_OK;
}


/*
 * Decodes an argument; len 0 where it is not given.  NGX_ABORT: not a value
 * of the field.
 */

static ngx_int_t
ngx_http_cx_survey_arg(ngx_http_request_t *r, char *name,
    const cx_field_t *field, ngx_str_t *value)
{
    u_char     *dst, *src, *p;
    cx_str_t    v;
    ngx_str_t   arg;

    ngx_str_null(value);

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK
        || arg.len == 0)
    {
        return NGX_OK;
    }

    if (arg.len > NGX_HTTP_CX_SURVEY_ARG) {
        return NGX_ABORT;
    }

    dst = ngx_pnalloc(r->pool, arg.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst, arg.data, arg.len);

    /* URLSearchParams writes a space so */

    for (p = dst; p < dst + arg.len; p++) {
        if (*p == '+') {
            *p = ' ';
        }
    }

    value->data = dst;

    src = dst;
    ngx_unescape_uri(&dst, &src, arg.len, 0);

    value->len = dst - value->data;

    if (field == NULL) {
        return NGX_OK;
    }

    v.len = value->len;
    v.data = value->data;

    return cx_field_ok(field, &v) ? NGX_OK : NGX_ABORT;
}


static ngx_int_t
ngx_http_cx_survey_bad(ngx_http_request_t *r, const char *field,
    const char *expected)
{
    ngx_http_cx_problem_t  p;

    p.status = NGX_HTTP_BAD_REQUEST;
    p.counter = NGX_HTTP_CX_C_REJECT_SCHEMA;
    p.error = "argument";
    p.expected = expected;
    p.field = field;
    p.event = -1;

    return ngx_http_cx_endpoint_problem(r, &p);
}


static void
ngx_http_cx_survey_visit(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_survey_request_t *req)
{
    req->visit.data = req->visit_text;
    req->visit.len = 0;

    req->segment.data = req->segment_text;
    req->segment.len = 0;

    if (ngx_http_cx_visit_key(r, cxlcf, req->visit_text) == NGX_OK) {
        req->visit.len = NGX_HTTP_CX_VISIT_LEN;
        req->segment.len = ngx_http_cx_visit_segment(&req->visit,
                                                     req->segment_text);
    }

    if (req->segment.len == 0) {
        ngx_http_cx_request_segment(r, cxlcf, &req->segment);
    }
}


static ngx_int_t
ngx_http_cx_survey_answer(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_survey_request_t *req)
{
    u_char                *p;
    size_t                 len;
    ngx_str_t              token, body;
    ngx_uint_t             i, n;
    ngx_http_cx_survey_t  *survey, **shown;

    if (ngx_http_cx_token_make(r, cxlcf->site, &req->visit, &token) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = req->surveys ? req->surveys->list.nelts : 0;
    survey = n ? req->surveys->list.elts : NULL;

    shown = ngx_palloc(r->pool, (n + 1) * sizeof(ngx_http_cx_survey_t *));
    if (shown == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = sizeof("{\"v\":1,\"token\":\"\",\"surveys\":[]}\n") + token.len;

    for (i = 0; n; n--, survey++) {
        if (ngx_http_cx_survey_matches(survey, req)
            && ngx_http_cx_survey_drawn(survey, &req->visit))
        {
            shown[i++] = survey;
            len += survey->json.len + 1;
        }
    }

    shown[i] = NULL;

    body.data = ngx_pnalloc(r->pool, len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(body.data, "{\"v\":1,\"token\":\"%V\",\"surveys\":[",
                    &token);

    for (i = 0; shown[i]; i++) {
        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, shown[i]->json.data, shown[i]->json.len);
    }

    p = ngx_cpymem(p, "]}\n", sizeof("]}\n") - 1);

    body.len = p - body.data;

    return ngx_http_cx_survey_send(r, &body);
}


static ngx_int_t
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


static ngx_uint_t
ngx_http_cx_survey_matches(ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_request_t *req)
{
    return ngx_http_cx_survey_place(survey, &req->page, &req->touchpoint,
                                    &req->stage)
           && ngx_http_cx_survey_listed(&survey->segments, &req->segment);
}


static ngx_uint_t
ngx_http_cx_survey_place(ngx_http_cx_survey_t *survey, ngx_str_t *page,
    ngx_str_t *touchpoint, ngx_str_t *stage)
{
    ngx_str_t   *pattern;
    ngx_uint_t   i;

    if (!ngx_http_cx_survey_listed(&survey->touchpoints, touchpoint)
        || !ngx_http_cx_survey_listed(&survey->stages, stage))
    {
        return 0;
    }

    if (survey->pages.nelts == 0) {
        return 1;
    }

    pattern = survey->pages.elts;

    for (i = 0; i < survey->pages.nelts; i++) {
        if (ngx_http_cx_survey_pattern(&pattern[i], page)) {
            return 1;
        }
    }

    return 0;
}


/* the same for all requests of a visit, so that no reload draws again */

static ngx_uint_t
ngx_http_cx_survey_drawn(ngx_http_cx_survey_t *survey, ngx_str_t *visit)
{
    ngx_uint_t  draw;

    if (visit->len) {
        draw = ngx_http_cx_visit_draw(visit, &survey->info.id);

    } else {
        draw = (ngx_uint_t) ngx_random() % 10000;
    }

    return draw < survey->chance;
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


/*
 * "*" stands for any bytes, none included.  When what follows a star does not
 * fit, only the last star takes one byte more: time is len * len at most.
 */

static ngx_uint_t
ngx_http_cx_survey_pattern(ngx_str_t *pattern, ngx_str_t *page)
{
    u_char  *p, *s, *pend, *send, *star, *mark;

    p = pattern->data;
    pend = p + pattern->len;

    s = page->data;
    send = s + page->len;

    star = NULL;
    mark = NULL;

    while (s < send) {

        if (p < pend && *p == '*') {
            star = p++;
            mark = s;

        } else if (p < pend && *p == *s) {
            p++;
            s++;

        } else if (star) {
            p = star + 1;
            s = ++mark;

        } else {
            return 0;
        }
    }

    while (p < pend && *p == '*') {
        p++;
    }

    return p == pend;
}


ngx_http_cx_survey_info_t *
ngx_http_cx_survey_find(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_uint_t                   i;
    ngx_http_cx_surveys_t      **sets;
    ngx_http_cx_loc_conf_t      *cxlcf;
    ngx_http_cx_main_conf_t     *cxmcf;
    ngx_http_cx_survey_info_t   *info;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);
    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);

    info = cxlcf->surveys ? ngx_http_cx_survey_in(cxlcf->surveys, id) : NULL;
    sets = cxmcf->surveys.elts;

    for (i = 0; info == NULL && i < cxmcf->surveys.nelts; i++) {
        info = ngx_http_cx_survey_in(sets[i], id);
    }

    return info;
}


ngx_http_cx_survey_info_t *
ngx_http_cx_survey_in(ngx_http_cx_surveys_t *surveys, ngx_str_t *id)
{
    ngx_uint_t             i;
    ngx_http_cx_survey_t  *survey;

    survey = surveys->list.elts;

    for (i = 0; i < surveys->list.nelts; i++) {
        if (survey[i].info.id.len == id->len
            && ngx_memcmp(survey[i].info.id.data, id->data, id->len) == 0)
        {
            return &survey[i].info;
        }
    }

    return NULL;
}


const u_char *
ngx_http_cx_survey_key(ngx_http_cx_surveys_t *surveys)
{
    return surveys->key;
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
            && ngx_http_cx_survey_place(&survey[i], page, touchpoint, stage))
        {
            return 1;
        }
    }

    return 0;
}
