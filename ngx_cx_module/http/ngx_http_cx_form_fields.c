/* What a form sends, or the link that leads to it, into what it is made of. */

#include "ngx_http_cx_form.h"


#define NGX_HTTP_CX_FORM_LANG_MAX  64


static ngx_int_t ngx_http_cx_form_choices(ngx_http_cx_form_t *form,
    ngx_str_t *body);
static ngx_int_t ngx_http_cx_form_verbatim(ngx_http_cx_form_t *form,
    ngx_str_t *value);


/* unlike the widget it is shown in any language rather than not at all */

void
ngx_http_cx_form_language(ngx_http_cx_form_t *form, ngx_str_t *lang)
{
    int                         i;
    cx_str_t                   *tags;
    ngx_str_t                   accept;
    ngx_uint_t                  n;
    ngx_http_cx_survey_text_t  *text;

    text = form->survey->texts.elts;
    form->text = text;

    if (lang->len > NGX_HTTP_CX_FORM_LANG_MAX) {
        lang->len = 0;
    }

    tags = ngx_palloc(form->request->pool,
                      form->survey->texts.nelts * sizeof(cx_str_t));
    if (tags == NULL) {
        return;
    }

    for (n = 0; n < form->survey->texts.nelts; n++) {
        tags[n].len = text[n].tag.len;
        tags[n].data = text[n].tag.data;
    }

    i = cx_language_choose(tags, n, (cx_str_t *) lang);

    if (i < 0) {
        ngx_http_cx_ask_accept(form->request, &accept);
        i = cx_language_choose(tags, n, (cx_str_t *) &accept);
    }

    if (i >= 0) {
        form->text = &text[i];
    }
}


/* the page of this site that led here, else the form itself */

void
ngx_http_cx_form_place(ngx_http_cx_form_t *form)
{
    ngx_str_t           *prefix;
    ngx_http_request_t  *r;

    r = form->request;
    prefix = &form->cxlcf->prefix;

    form->page.data = form->page_text;
    form->page.len = ngx_http_cx_request_referer(r, form->page_text);

    if (form->page.len == 0
        || (form->page.len >= prefix->len
            && ngx_memcmp(form->page.data, prefix->data, prefix->len) == 0))
    {
        form->page.len = ngx_http_cx_request_fold(form->page_text,
                                                  r->uri.data, r->uri.len);
    }
}


ngx_int_t
ngx_http_cx_form_score(ngx_http_cx_form_t *form, ngx_str_t *value)
{
    ngx_int_t                   n;
    ngx_http_cx_survey_info_t  *info;

    info = &form->survey->info;

    if (value->len == 0) {
        return NGX_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (!(info->asks & NGX_HTTP_CX_ASKS_SCORE)
        || n < (ngx_int_t) info->score_min || n > (ngx_int_t) info->score_max)
    {
        return NGX_DECLINED;
    }

    form->score = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_form_fields(ngx_http_cx_form_t *form, ngx_str_t *body)
{
    u_char              *from;
    ngx_int_t            rc;
    ngx_str_t            value;
    ngx_http_request_t  *r;

    r = form->request;

    from = NULL;
    rc = ngx_http_cx_ask_field(r, body, "lang", &from, &value);

    if (rc == NGX_ERROR) {
        return rc;
    }

    ngx_http_cx_form_language(form, &value);

    from = NULL;

    if (ngx_http_cx_ask_field(r, body, "t", &from, &form->token) == NGX_ERROR) {
        return NGX_ERROR;
    }

    from = NULL;
    rc = ngx_http_cx_ask_field(r, body, "page", &from, &form->page);

    if (rc == NGX_ERROR) {
        return rc;
    }

    if (form->page.len == 0) {
        ngx_http_cx_form_place(form);

    } else if (!cx_field_ok(&cx_types[CX_ANSWER].fields[CX_ANSWER_PAGE],
                            (cx_str_t *) &form->page))
    {
        return NGX_DECLINED;
    }

    from = NULL;
    rc = ngx_http_cx_ask_field(r, body, "score", &from, &value);

    if (rc == NGX_ERROR || ngx_http_cx_form_score(form, &value) != NGX_OK) {
        return rc == NGX_ERROR ? rc : NGX_DECLINED;
    }

    rc = ngx_http_cx_form_choices(form, body);

    if (rc != NGX_OK) {
        return rc;
    }

    from = NULL;

    if (ngx_http_cx_ask_field(r, body, "text", &from, &value) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_cx_form_verbatim(form, &value);
}


static ngx_int_t
ngx_http_cx_form_choices(ngx_http_cx_form_t *form, ngx_str_t *body)
{
    u_char                     *from;
    ngx_int_t                   rc, n;
    ngx_str_t                   value;
    ngx_http_cx_survey_info_t  *info;

    info = &form->survey->info;
    from = NULL;

    for ( ;; ) {
        rc = ngx_http_cx_ask_field(form->request, body, "choice", &from,
                                   &value);
        if (rc != NGX_OK) {
            return rc == NGX_ERROR ? rc : NGX_OK;
        }

        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR || n >= (ngx_int_t) info->options
            || (form->choice && !(info->asks & NGX_HTTP_CX_ASKS_CHOICES)))
        {
            return NGX_DECLINED;
        }

        form->choice |= (uint32_t) 1 << n;
    }
}


/* line ends as in beacons; what is too long is cut, and what is pasted from a
   word processor loses its control characters, as nobody may lose what was
   written without a script to tell; NGX_DECLINED: not text */

static ngx_int_t
ngx_http_cx_form_verbatim(ngx_http_cx_form_t *form, ngx_str_t *value)
{
    u_char  *p, *dst, *end;
    size_t   n;

    if (value->len == 0) {
        return NGX_OK;
    }

    dst = value->data;
    end = value->data + value->len;

    for (p = value->data; p < end; p++) {
        if (*p == CR) {
            continue;
        }

        /* C1, in UTF-8 */

        if (*p == 0xc2 && p + 1 < end && p[1] >= 0x80 && p[1] < 0xa0) {
            *dst++ = ' ';
            p++;
            continue;
        }

        *dst++ = ((*p < ' ' && *p != LF) || *p == 0x7f) ? ' ' : *p;
    }

    value->len = dst - value->data;

    while (value->len && (value->data[0] == ' ' || value->data[0] == LF)) {
        value->data++;
        value->len--;
    }

    while (value->len && (value->data[value->len - 1] == ' '
                          || value->data[value->len - 1] == LF))
    {
        value->len--;
    }

    if (value->len > CX_TEXT_MAX) {
        n = CX_TEXT_MAX;

        while (n && (value->data[n] & 0xc0) == 0x80) {
            n--;
        }

        value->len = n;
    }

    if (value->len == 0) {
        return NGX_OK;
    }

    if (!(form->survey->info.asks & NGX_HTTP_CX_ASKS_TEXT)
        || !cx_field_ok(&cx_types[CX_ANSWER].fields[CX_ANSWER_TEXT],
                        (cx_str_t *) value))
    {
        return NGX_DECLINED;
    }

    form->verbatim = *value;

    return NGX_OK;
}
