/*
 * <prefix>preview: every survey in every language, as the widget shows it, for
 * those whom cx_debug lets in.  What the widget is given has neither answer id
 * nor token: nothing of it can be recorded.
 */

#include "ngx_http_cx_ask.h"


#define NGX_HTTP_CX_PREVIEW_POLICY                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; "               \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; "               \
    "frame-ancestors 'none'"


static ngx_int_t ngx_http_cx_preview_json(ngx_http_request_t *r,
    ngx_http_cx_surveys_t *set, ngx_http_cx_survey_text_t *text);
static ngx_int_t ngx_http_cx_preview_page(ngx_http_request_t *r,
    ngx_http_cx_surveys_t *set, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text);
static void ngx_http_cx_preview_tag(ngx_http_cx_page_t *page,
    ngx_http_cx_surveys_t *set, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text, ngx_uint_t dark);
static void ngx_http_cx_preview_list(ngx_http_cx_page_t *page,
    ngx_http_cx_surveys_t *set);
static void ngx_http_cx_preview_row(ngx_http_cx_page_t *page,
    ngx_http_cx_surveys_t *set, ngx_http_cx_survey_t *survey);
static void ngx_http_cx_preview_link(ngx_http_cx_page_t *page,
    ngx_http_cx_surveys_t *set, ngx_http_cx_survey_t *survey,
    ngx_http_cx_survey_text_t *text);
static ngx_http_cx_survey_text_t *ngx_http_cx_preview_text(
    ngx_http_cx_survey_t *survey, ngx_str_t *lang);


ngx_int_t
ngx_http_cx_preview_handler(ngx_http_request_t *r)
{
    ngx_str_t                   id, lang, json;
    ngx_http_cx_survey_t       *survey;
    ngx_http_cx_surveys_t      *set;
    ngx_http_cx_loc_conf_t     *cxlcf;
    ngx_http_cx_survey_text_t  *text;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (!ngx_http_cx_ask_debug(r, cxlcf)) {
        return ngx_http_cx_ask_none(r);
    }

    /* what is too long is none of them */

    if (ngx_http_cx_ask_arg(r, "survey", NULL, &id) == NGX_ERROR
        || ngx_http_cx_ask_arg(r, "lang", NULL, &lang) == NGX_ERROR
        || ngx_http_cx_ask_arg(r, "json", NULL, &json) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    survey = NULL;
    text = NULL;
    set = NULL;

    if (id.len) {
        survey = ngx_http_cx_survey_get(r, &id, NULL, &set);

        if (survey == NULL) {
            return ngx_http_cx_ask_none(r);
        }

        text = ngx_http_cx_preview_text(survey, &lang);
    }

    if (json.len && text) {
        return ngx_http_cx_preview_json(r, set, text);
    }

    return ngx_http_cx_preview_page(r, set, survey, text);
}


/* as <prefix>surveys answers */

static ngx_int_t
ngx_http_cx_preview_json(ngx_http_request_t *r, ngx_http_cx_surveys_t *set,
    ngx_http_cx_survey_text_t *text)
{
    u_char     *p;
    ngx_str_t   body;

    p = ngx_pnalloc(r->pool, sizeof("{\"v\":1,\"ui\":,\"theme\":,\"surveys\":"
                                    "[{,\"answer\":\"\",\"token\":\"\"}]}\n")
                             + ngx_http_cx_survey_ui(NULL, text->words)
                             + set->theme.len + text->json.len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"v\":1,\"ui\":");
    p += ngx_http_cx_survey_ui(p, text->words);

    if (set->theme.len) {
        p = ngx_sprintf(p, ",\"theme\":%V", &set->theme);
    }

    p = ngx_sprintf(p, ",\"surveys\":[{%V,\"answer\":\"\",\"token\":\"\"}]}\n",
                    &text->json);

    body.len = p - body.data;

    return ngx_http_cx_survey_send(r, &body);
}


static ngx_int_t
ngx_http_cx_preview_page(ngx_http_request_t *r, ngx_http_cx_surveys_t *set,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text)
{
    ngx_str_t                 theme, key;
    ngx_uint_t                i, dark;
    ngx_http_cx_page_t        page;
    ngx_http_cx_asked_t      *asked;
    ngx_http_cx_loc_conf_t   *cxlcf;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);
    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);

    if (ngx_http_cx_ask_arg(r, "theme", NULL, &theme) == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    dark = (theme.len == 4 && ngx_memcmp(theme.data, "dark", 4) == 0);

    ngx_http_cx_page_start(&page, r);

    ngx_http_cx_page_put(&page, "<!doctype html>\n<html lang=\"");

    if (text) {
        ngx_http_cx_page_text(&page, &text->tag);
        ngx_http_cx_page_put(&page, text->rtl ? "\" dir=\"rtl"
                                              : "\" dir=\"ltr");

    } else {
        ngx_http_cx_page_put(&page, "en");
    }

    ngx_http_cx_page_put(&page, dark ? "\" data-theme=\"dark\">\n" : "\">\n");
    ngx_http_cx_page_put(&page, "<head>\n");

    if (text) {
        ngx_http_cx_preview_tag(&page, set, survey, text, dark);
    }

    ngx_http_cx_page_put(&page, "<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" "
                         "content=\"width=device-width, initial-scale=1\">\n"
                         "<title>Preview of surveys</title>\n"
                         "<link rel=\"stylesheet\" href=\"");
    ngx_http_cx_page_text(&page, &cxlcf->prefix);
    ngx_http_cx_page_put(&page, "form.css");

    if (set) {
        key.len = sizeof(set->key);
        key.data = set->key;
        ngx_http_cx_page_put(&page, "?surveys=");
        ngx_http_cx_page_text(&page, &key);
    }

    ngx_http_cx_page_put(&page, "\">\n</head>\n<body>\n"
                         "<main lang=\"en\" dir=\"ltr\">\n"
                         "<h1>Preview of surveys</h1>\n"
                         "<p>Nothing of this is recorded.</p>\n");

    if (survey) {
        ngx_http_cx_page_put(&page, "<div data-cx-survey=\"");
        ngx_http_cx_page_text(&page, &survey->info.id);
        ngx_http_cx_page_put(&page, "\"></div>\n");
    }

    asked = cxmcf->asked.elts;

    for (i = 0; i < cxmcf->asked.nelts; i++) {
        if (asked[i].site == cxlcf->site) {
            ngx_http_cx_preview_list(&page, asked[i].surveys);
        }
    }

    ngx_http_cx_page_put(&page, "</main>\n</body>\n</html>\n");

    return ngx_http_cx_page_send(&page, NGX_HTTP_OK,
                                 NGX_HTTP_CX_PREVIEW_POLICY);
}


/* the widget, and what it is to show */

static void
ngx_http_cx_preview_tag(ngx_http_cx_page_t *page, ngx_http_cx_surveys_t *set,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text,
    ngx_uint_t dark)
{
    ngx_str_t                hash;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(page->request, ngx_http_cx_module);
    hash = ngx_http_cx_widget_hash;

    ngx_http_cx_page_put(page, "<script async src=\"");
    ngx_http_cx_page_text(page, &cxlcf->prefix);
    ngx_http_cx_page_put(page, "cx.js?");
    ngx_http_cx_page_text(page, &hash);
    ngx_http_cx_page_put(page, "\" data-page=\"/preview\" data-preview=\"");
    ngx_http_cx_preview_link(page, set, survey, text);
    ngx_http_cx_page_put(page, "&amp;json=1\"");

    if (dark) {
        ngx_http_cx_page_put(page, " data-theme=\"dark\"");
    }

    ngx_http_cx_page_put(page, "></script>\n");
}


static void
ngx_http_cx_preview_list(ngx_http_cx_page_t *page, ngx_http_cx_surveys_t *set)
{
    u_char                *name;
    ngx_str_t              file;
    ngx_uint_t             i;
    ngx_http_cx_survey_t  *survey;

    /* the path is nobody's business */

    name = set->file.data + set->file.len;

    while (name > set->file.data && name[-1] != '/') {
        name--;
    }

    file.data = name;
    file.len = set->file.data + set->file.len - name;

    ngx_http_cx_page_put(page, "<h2>");
    ngx_http_cx_page_text(page, &file);
    ngx_http_cx_page_put(page, "</h2>\n<table>\n");

    survey = set->list.elts;

    for (i = 0; i < set->list.nelts; i++) {
        ngx_http_cx_preview_row(page, set, &survey[i]);
    }

    ngx_http_cx_page_put(page, "</table>\n");
}


static void
ngx_http_cx_preview_row(ngx_http_cx_page_t *page, ngx_http_cx_surveys_t *set,
    ngx_http_cx_survey_t *survey)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    ngx_http_cx_page_put(page, "<tr><th scope=\"row\">");
    ngx_http_cx_page_text(page, &survey->info.id);
    ngx_http_cx_page_put(page, "</th><td>");
    ngx_http_cx_page_text(page, &survey->info.metric);
    ngx_http_cx_page_put(page, survey->retired ? ", retired</td><td>"
                         : survey->dry_run ? ", dry run</td><td>"
                                           : "</td><td>");

    text = survey->texts.elts;

    for (i = 0; i < survey->texts.nelts; i++) {

        if (i) {
            ngx_http_cx_page_put(page, " \n");
        }

        ngx_http_cx_page_put(page, "<a href=\"");
        ngx_http_cx_preview_link(page, set, survey, &text[i]);
        ngx_http_cx_page_put(page, "\">");
        ngx_http_cx_page_text(page, &text[i].tag);
        ngx_http_cx_page_put(page, "</a> (<a href=\"");
        ngx_http_cx_preview_link(page, set, survey, &text[i]);
        ngx_http_cx_page_put(page, "&amp;theme=dark\">dark</a>)");
    }

    ngx_http_cx_page_put(page, "</td></tr>\n");
}


static void
ngx_http_cx_preview_link(ngx_http_cx_page_t *page, ngx_http_cx_surveys_t *set,
    ngx_http_cx_survey_t *survey, ngx_http_cx_survey_text_t *text)
{
    ngx_str_t                key;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(page->request, ngx_http_cx_module);

    key.len = sizeof(set->key);
    key.data = set->key;

    ngx_http_cx_page_text(page, &cxlcf->prefix);
    ngx_http_cx_page_put(page, "preview?survey=");
    ngx_http_cx_page_value(page, &survey->info.id);
    ngx_http_cx_page_put(page, "&amp;lang=");
    ngx_http_cx_page_value(page, &text->tag);
    ngx_http_cx_page_put(page, "&amp;surveys=");
    ngx_http_cx_page_value(page, &key);
}


/* of exactly this tag, else the first */

static ngx_http_cx_survey_text_t *
ngx_http_cx_preview_text(ngx_http_cx_survey_t *survey, ngx_str_t *lang)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_text_t  *text;

    text = survey->texts.elts;

    for (i = 0; i < survey->texts.nelts; i++) {
        if (text[i].tag.len == lang->len
            && ngx_memcmp(text[i].tag.data, lang->data, lang->len) == 0)
        {
            return &text[i];
        }
    }

    return text;
}
