/*
 * A survey as HTML: all of its steps on one page, as nothing can be asked
 * later.  Of those that depend on the score there is what suits the one that
 * is chosen already.
 */

#include "ngx_http_cx_form.h"


#define NGX_HTTP_CX_FORM_POLICY                                               \
    "default-src 'none'; style-src 'self'; form-action 'self'; "              \
    "base-uri 'none'; frame-ancestors 'none'"


typedef struct {
    ngx_str_t                    metric;
    ngx_int_t                    middle;       /* first score of the bucket */
    ngx_int_t                    top;          /* ... and of the next one */
    const char                  *low, *mid, *high;
} ngx_http_cx_form_buckets_t;


static void ngx_http_cx_form_head(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page, ngx_str_t *title);
static void ngx_http_cx_form_hidden(ngx_http_cx_page_t *page,
    const char *name, ngx_str_t *value);
static void ngx_http_cx_form_piped(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page, ngx_str_t *text);
static void ngx_http_cx_form_missing(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page, ngx_uint_t asks);
static void ngx_http_cx_form_scale(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page);
static void ngx_http_cx_form_list(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page, ngx_uint_t asks, ngx_str_t *question,
    ngx_array_t *options);
static void ngx_http_cx_form_text(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page, ngx_str_t *question);
static void ngx_http_cx_form_steps(ngx_http_cx_form_t *form,
    ngx_http_cx_page_t *page);
static ngx_uint_t ngx_http_cx_form_shows(ngx_http_cx_form_t *form,
    ngx_http_cx_survey_step_t *step);
static ngx_http_cx_survey_step_t *ngx_http_cx_form_why(
    ngx_http_cx_form_t *form);
static const char *ngx_http_cx_form_bucket(ngx_http_cx_form_t *form);
static ngx_uint_t ngx_http_cx_form_named(ngx_str_t *buckets,
    const char *bucket);


static ngx_http_cx_form_buckets_t  ngx_http_cx_form_buckets[] = {
    { ngx_string("nps"), 7, 9, "detractor", "passive", "promoter" },
    { ngx_string("csat"), 3, 4, "dissatisfied", "neutral", "satisfied" },
    { ngx_string("csat7"), 4, 6, "dissatisfied", "neutral", "satisfied" },
    { ngx_string("psat5"), 3, 4, "dissatisfied", "neutral", "satisfied" },
    { ngx_string("ces"), 4, 5, "hard", "neutral", "easy" },
    { ngx_string("psat"), 1, 1, "down", "up", "up" },
    { ngx_null_string, 0, 0, NULL, NULL, NULL }
};


#define ngx_http_cx_form_word(form, id)                                       \
    ((form)->text->words->words[CX_WORD_##id])


ngx_uint_t
ngx_http_cx_form_first(ngx_http_cx_form_t *form)
{
    ngx_uint_t  asks;

    asks = form->survey->info.asks;

    if (asks & NGX_HTTP_CX_ASKS_SCORE) {
        return NGX_HTTP_CX_ASKS_SCORE;
    }

    /* a list of its own, not one of a further step */

    if (form->text->options.nelts) {
        return asks & (NGX_HTTP_CX_ASKS_CHOICE|NGX_HTTP_CX_ASKS_CHOICES);
    }

    return NGX_HTTP_CX_ASKS_TEXT;
}


ngx_int_t
ngx_http_cx_form_page(ngx_http_cx_form_t *form, ngx_uint_t status)
{
    ngx_uint_t          first;
    ngx_http_cx_page_t  page;

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_cx_endpoint_literal(form->request, "Retry-After",
                                        NGX_HTTP_CX_RETRY_AFTER)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_cx_form_head(form, &page, &form->text->question);

    /* refused, or not yet stored: to press the button again is enough */

    if (status == NGX_HTTP_FORBIDDEN || status == NGX_HTTP_SERVICE_UNAVAILABLE)
    {
        ngx_http_cx_page_put(&page, "<p class=\"missing\" role=\"alert\">");
        ngx_http_cx_page_words(&page, ngx_http_cx_form_word(form, AGAIN));
        ngx_http_cx_page_put(&page, "</p>\n");
    }

    ngx_http_cx_page_put(&page, "<form method=\"post\" action=\"");
    ngx_http_cx_page_text(&page, &form->request->uri);
    ngx_http_cx_page_put(&page, "\">\n");

    ngx_http_cx_form_hidden(&page, "t", &form->token);
    ngx_http_cx_form_hidden(&page, "lang", &form->text->tag);
    ngx_http_cx_form_hidden(&page, "page", &form->page);

    first = ngx_http_cx_form_first(form);

    if (first == NGX_HTTP_CX_ASKS_SCORE) {
        ngx_http_cx_form_scale(form, &page);

    } else if (first == NGX_HTTP_CX_ASKS_TEXT) {
        ngx_http_cx_form_text(form, &page, &form->text->question);

    } else {
        ngx_http_cx_form_list(form, &page, first, &form->text->question,
                              &form->text->options);
    }

    ngx_http_cx_form_steps(form, &page);

    ngx_http_cx_page_put(&page, "<button type=\"submit\">");
    ngx_http_cx_page_words(&page, ngx_http_cx_form_word(form, SEND));
    ngx_http_cx_page_put(&page, "</button>\n</form>\n</main>\n</body>\n"
                         "</html>\n");

    return ngx_http_cx_page_send(&page, status, NGX_HTTP_CX_FORM_POLICY);
}


ngx_int_t
ngx_http_cx_form_thanks(ngx_http_cx_form_t *form)
{
    ngx_str_t                   thanks;
    ngx_http_cx_page_t          page;
    ngx_http_cx_survey_text_t  *text;

    text = form->text;
    thanks = text->thanks;

    if (thanks.len == 0) {
        thanks.data = (u_char *) ngx_http_cx_form_word(form, THANKS);
        thanks.len = ngx_strlen(thanks.data);
    }

    ngx_http_cx_form_head(form, &page, &thanks);

    ngx_http_cx_page_put(&page, "<div role=\"status\"><h1>");
    ngx_http_cx_form_piped(form, &page, &thanks);
    ngx_http_cx_page_put(&page, "</h1></div>\n");

    if (text->link_url.len) {
        ngx_http_cx_page_put(&page, "<p><a class=\"button\" href=\"");
        ngx_http_cx_page_text(&page, &text->link_url);
        ngx_http_cx_page_put(&page, "\">");
        ngx_http_cx_form_piped(form, &page, &text->link_label);
        ngx_http_cx_page_put(&page, "</a></p>\n");
    }

    ngx_http_cx_page_put(&page, "</main>\n</body>\n</html>\n");

    return ngx_http_cx_page_send(&page, NGX_HTTP_OK, NGX_HTTP_CX_FORM_POLICY);
}


ngx_int_t
ngx_http_cx_form_closed(ngx_http_cx_form_t *form)
{
    ngx_http_cx_page_t  page;

    ngx_http_cx_form_head(form, &page, &form->text->question);

    ngx_http_cx_page_put(&page, "<h1>");
    ngx_http_cx_page_words(&page, ngx_http_cx_form_word(form, CLOSED));
    ngx_http_cx_page_put(&page, "</h1>\n</main>\n</body>\n</html>\n");

    return ngx_http_cx_page_send(&page, NGX_HTTP_CX_FORM_CLOSED,
                                 NGX_HTTP_CX_FORM_POLICY);
}


static void
ngx_http_cx_form_head(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_str_t *title)
{
    ngx_str_t  key;

    ngx_http_cx_page_start(page, form->request);

    ngx_http_cx_page_put(page, "<!doctype html>\n<html lang=\"");
    ngx_http_cx_page_text(page, &form->text->tag);
    ngx_http_cx_page_put(page, form->text->rtl ? "\" dir=\"rtl\">\n"
                                               : "\" dir=\"ltr\">\n");

    ngx_http_cx_page_put(page,
                         "<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" "
                         "content=\"width=device-width, initial-scale=1\">\n"
                         "<title>");
    ngx_http_cx_form_piped(form, page, title);

    ngx_http_cx_page_put(page, "</title>\n<link rel=\"stylesheet\" href=\"");
    ngx_http_cx_page_text(page, &form->cxlcf->prefix);
    ngx_http_cx_page_put(page, "form.css?surveys=");

    key.len = sizeof(form->set->key);
    key.data = form->set->key;
    ngx_http_cx_page_text(page, &key);

    ngx_http_cx_page_put(page, "\">\n</head>\n<body>\n<main>\n");
}


static void
ngx_http_cx_form_hidden(ngx_http_cx_page_t *page, const char *name,
    ngx_str_t *value)
{
    ngx_http_cx_page_put(page, "<input type=\"hidden\" name=\"");
    ngx_http_cx_page_put(page, name);
    ngx_http_cx_page_put(page, "\" value=\"");
    ngx_http_cx_page_text(page, value);
    ngx_http_cx_page_put(page, "\">\n");
}


/* {title} and {touchpoint} are the site here */

static void
ngx_http_cx_form_piped(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_str_t *text)
{
    u_char      *p, *end, *brace;
    size_t       len;
    ngx_str_t    part;
    ngx_uint_t   i;

    static ngx_str_t  names[] = {
        ngx_string("{title}"),
        ngx_string("{touchpoint}"),
        ngx_null_string
    };

    p = text->data;
    end = text->data + text->len;

    while (p < end) {

        brace = ngx_strlchr(p, end, '{');
        if (brace == NULL) {
            brace = end;
        }

        part.data = p;
        part.len = brace - p;
        p = brace;

        ngx_http_cx_page_text(page, &part);

        if (p == end) {
            return;
        }

        for (i = 0; names[i].len; i++) {
            len = names[i].len;

            if ((size_t) (end - p) >= len
                && ngx_memcmp(p, names[i].data, len) == 0)
            {
                break;
            }
        }

        if (names[i].len) {
            ngx_http_cx_page_text(page, &form->cxlcf->site->name);
            p += names[i].len;

        } else {
            ngx_http_cx_page_put(page, "{");
            p++;
        }
    }
}


static void
ngx_http_cx_form_missing(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_uint_t asks)
{
    if (form->missing & asks) {
        ngx_http_cx_page_put(page, "<p class=\"missing\" id=\"missing\" "
                             "role=\"alert\">");
        ngx_http_cx_page_words(page, ngx_http_cx_form_word(form, MISSING));
        ngx_http_cx_page_put(page, "</p>\n");
    }
}


/* the legend of a group; the first one is the page's heading */

static void
ngx_http_cx_form_legend(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_uint_t asks, ngx_str_t *question)
{
    ngx_uint_t  first;

    first = (ngx_http_cx_form_first(form) == asks);

    ngx_http_cx_page_put(page, first ? "<legend><h1>" : "<legend>");
    ngx_http_cx_form_piped(form, page, question);
    ngx_http_cx_page_put(page, first ? "</h1></legend>\n" : "</legend>\n");
}


static void
ngx_http_cx_form_scale(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page)
{
    ngx_int_t                   n;
    ngx_uint_t                  thumbs;
    ngx_http_cx_survey_info_t  *info;
    ngx_http_cx_survey_text_t  *text;

    text = form->text;
    info = &form->survey->info;
    thumbs = (info->score_max == 1);

    ngx_http_cx_page_put(page, "<fieldset");

    if (text->low.len || text->high.len) {
        ngx_http_cx_page_put(page, " aria-describedby=\"ends\"");
    }

    ngx_http_cx_page_put(page, ">\n");

    ngx_http_cx_form_legend(form, page, NGX_HTTP_CX_ASKS_SCORE,
                            &text->question);
    ngx_http_cx_form_missing(form, page, NGX_HTTP_CX_ASKS_SCORE);

    ngx_http_cx_page_put(page, "<div class=\"scale\">\n");

    for (n = info->score_min; n <= (ngx_int_t) info->score_max; n++) {

        ngx_http_cx_page_put(page, "<label><input type=\"radio\" "
                             "name=\"score\" required value=\"");
        ngx_http_cx_page_number(page, n);
        ngx_http_cx_page_put(page, n == form->score ? "\" checked><span>"
                                                    : "\"><span>");

        if (thumbs) {
            ngx_http_cx_page_words(page, n ? ngx_http_cx_form_word(form, UP)
                                         : ngx_http_cx_form_word(form, DOWN));
        } else {
            ngx_http_cx_page_number(page, n);
        }

        ngx_http_cx_page_put(page, "</span></label>\n");
    }

    ngx_http_cx_page_put(page, "</div>\n");

    if (text->low.len || text->high.len) {
        ngx_http_cx_page_put(page, "<p class=\"ends\" id=\"ends\"><span>");
        ngx_http_cx_form_piped(form, page, &text->low);
        ngx_http_cx_page_put(page, "</span> <span>");
        ngx_http_cx_form_piped(form, page, &text->high);
        ngx_http_cx_page_put(page, "</span></p>\n");
    }

    ngx_http_cx_page_put(page, "</fieldset>\n");
}


static void
ngx_http_cx_form_list(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_uint_t asks, ngx_str_t *question, ngx_array_t *options)
{
    ngx_str_t   *option;
    ngx_uint_t   i, many, must;

    many = (asks == NGX_HTTP_CX_ASKS_CHOICES);
    must = !many && ngx_http_cx_form_first(form) == asks;
    option = options->elts;

    ngx_http_cx_page_put(page, "<fieldset>\n");

    ngx_http_cx_form_legend(form, page, asks, question);
    ngx_http_cx_form_missing(form, page, asks);

    ngx_http_cx_page_put(page, "<div class=\"list\">\n");

    for (i = 0; i < options->nelts; i++) {

        ngx_http_cx_page_put(page, many
                             ? "<label><input type=\"checkbox\" "
                               "name=\"choice\" value=\""
                             : "<label><input type=\"radio\" "
                               "name=\"choice\" value=\"");
        ngx_http_cx_page_number(page, i);
        ngx_http_cx_page_put(page, "\"");

        if (must) {
            ngx_http_cx_page_put(page, " required");
        }

        if (form->choice & ((uint32_t) 1 << i)) {
            ngx_http_cx_page_put(page, " checked");
        }

        ngx_http_cx_page_put(page, "><span>");
        ngx_http_cx_form_piped(form, page, &option[i]);
        ngx_http_cx_page_put(page, "</span></label>\n");
    }

    ngx_http_cx_page_put(page, "</div>\n</fieldset>\n");
}


static void
ngx_http_cx_form_text(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page,
    ngx_str_t *question)
{
    ngx_uint_t  must;

    must = (ngx_http_cx_form_first(form) == NGX_HTTP_CX_ASKS_TEXT);

    ngx_http_cx_page_put(page, must
                         ? "<div class=\"step\">\n<h1><label for=\"text\">"
                         : "<div class=\"step\">\n<label for=\"text\">");
    ngx_http_cx_form_piped(form, page, question);
    ngx_http_cx_page_put(page, must ? "</label></h1>\n" : "</label>\n");

    ngx_http_cx_form_missing(form, page, NGX_HTTP_CX_ASKS_TEXT);

    ngx_http_cx_page_put(page, "<textarea id=\"text\" name=\"text\" rows=\"4\" "
                         "maxlength=\"");
    ngx_http_cx_page_number(page, CX_TEXT_MAX);
    ngx_http_cx_page_put(page, "\" aria-describedby=\"hint\"");
    ngx_http_cx_page_put(page, must ? " required>\n" : ">\n");

    /* the line feed above is not of the text */

    ngx_http_cx_page_text(page, &form->verbatim);

    ngx_http_cx_page_put(page, "</textarea>\n<p class=\"hint\" id=\"hint\">");
    ngx_http_cx_page_words(page, ngx_http_cx_form_word(form, PRIVACY));
    ngx_http_cx_page_put(page, "</p>\n</div>\n");
}


static void
ngx_http_cx_form_steps(ngx_http_cx_form_t *form, ngx_http_cx_page_t *page)
{
    ngx_uint_t                  i;
    ngx_http_cx_survey_step_t  *step, *why;

    step = form->text->steps.elts;
    why = ngx_http_cx_form_why(form);

    for (i = 0; i < form->text->steps.nelts; i++) {

        if (step[i].asks == NGX_HTTP_CX_ASKS_TEXT) {

            if (&step[i] == why) {
                ngx_http_cx_form_text(form, page, &why->question);
            }

        } else if (ngx_http_cx_form_shows(form, &step[i])) {
            ngx_http_cx_form_list(form, page, step[i].asks,
                                  &step[i].question, &step[i].options);
        }
    }
}


static ngx_uint_t
ngx_http_cx_form_shows(ngx_http_cx_form_t *form,
    ngx_http_cx_survey_step_t *step)
{
    const char  *bucket;

    if (step->buckets.len == 0) {
        return 1;
    }

    bucket = ngx_http_cx_form_bucket(form);

    return bucket && ngx_http_cx_form_named(&step->buckets, bucket);
}


/* one of the wordings of the step that asks for text: that of the bucket, that
   of any; NULL: there is none */

static ngx_http_cx_survey_step_t *
ngx_http_cx_form_why(ngx_http_cx_form_t *form)
{
    ngx_uint_t                  i;
    const char                 *bucket;
    ngx_http_cx_survey_step_t  *step, *any;

    any = NULL;
    step = form->text->steps.elts;
    bucket = ngx_http_cx_form_bucket(form);

    for (i = 0; i < form->text->steps.nelts; i++) {

        if (step[i].asks != NGX_HTTP_CX_ASKS_TEXT) {
            continue;
        }

        if (step[i].buckets.len == 0) {
            any = &step[i];

        } else if (bucket && ngx_http_cx_form_named(&step[i].buckets, bucket)) {
            return &step[i];
        }
    }

    return any;
}


/* NULL: no score is chosen */

static const char *
ngx_http_cx_form_bucket(ngx_http_cx_form_t *form)
{
    ngx_str_t                   *metric;
    ngx_http_cx_form_buckets_t  *b;

    if (form->score < 0) {
        return NULL;
    }

    metric = &form->survey->info.metric;

    for (b = ngx_http_cx_form_buckets; b->metric.len; b++) {

        if (b->metric.len == metric->len
            && ngx_memcmp(b->metric.data, metric->data, metric->len) == 0)
        {
            return form->score < b->middle ? b->low
                   : form->score < b->top ? b->mid : b->high;
        }
    }

    return NULL;
}


/* buckets are joined by spaces */

static ngx_uint_t
ngx_http_cx_form_named(ngx_str_t *buckets, const char *bucket)
{
    u_char  *p, *end, *next;
    size_t   len;

    len = ngx_strlen(bucket);
    end = buckets->data + buckets->len;

    for (p = buckets->data; p < end; p = next + 1) {

        next = ngx_strlchr(p, end, ' ');
        if (next == NULL) {
            next = end;
        }

        if ((size_t) (next - p) == len && ngx_memcmp(p, bucket, len) == 0) {
            return 1;
        }
    }

    return 0;
}
