/*
 * Who asks for surveys and where: the arguments of <prefix>surveys and of what
 * explains it.
 */

#include "ngx_http_cx_ask.h"


/* longest value of an argument before it is decoded */
#define NGX_HTTP_CX_ASK_ARG        2048

/* up to these widths, in CSS px, what has a touch screen is no desktop */
#define NGX_HTTP_CX_ASK_PHONE      600
#define NGX_HTTP_CX_ASK_TABLET     1100


static ngx_int_t ngx_http_cx_ask_place(ngx_http_request_t *r,
    ngx_http_cx_ask_t *ask, const char **wrong, const char **expected);
static ngx_int_t ngx_http_cx_ask_page(ngx_http_request_t *r,
    ngx_http_cx_ask_t *ask);
static ngx_int_t ngx_http_cx_ask_number(ngx_http_request_t *r,
    const char *name, ngx_int_t max);
static ngx_int_t ngx_http_cx_ask_person(ngx_http_request_t *r,
    ngx_http_cx_survey_place_t *place, const char **wrong);
static ngx_int_t ngx_http_cx_ask_decode(ngx_http_request_t *r,
    ngx_str_t *arg, ngx_str_t *value);
static void ngx_http_cx_ask_visit(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_ask_t *ask);


/* a language tag, and what else an attribute may hold in its place */
static cx_field_t  ngx_http_cx_ask_lang = {
    "lang", CX_KIND_LINE, 64, CX_FROM_MAY, ""
};


ngx_int_t
ngx_http_cx_ask(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask)
{
    ngx_int_t               rc;
    const char             *wrong, *expected;
    ngx_http_cx_problem_t   p;

    ngx_memzero(ask, offsetof(ngx_http_cx_ask_t, page_text));

    wrong = "page";
    expected = "\"page\", a page key, or \"path\", which starts with \"/\"";

    rc = ngx_http_cx_ask_page(r, ask);

    if (rc == NGX_OK) {
        rc = ngx_http_cx_ask_place(r, ask, &wrong, &expected);
    }

    if (rc == NGX_ABORT) {
        ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));
        p.status = NGX_HTTP_BAD_REQUEST;
        p.counter = NGX_HTTP_CX_C_REJECT_SCHEMA;
        p.error = "argument";
        p.expected = expected;
        p.field = wrong;
        p.event = -1;
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_cx_ask_accept(r, &ask->place.accept);
    ngx_http_cx_ask_visit(r, cxlcf, ask);

    ask->surveys = ngx_http_cx_ask_set(r, cxlcf);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cx_ask_place(ngx_http_request_t *r, ngx_http_cx_ask_t *ask,
    const char **wrong, const char **expected)
{
    ngx_int_t          rc;
    const cx_field_t  *fields;

    fields = cx_types[CX_VIEW].fields;

    *expected = "a name";
    *wrong = "touchpoint";

    rc = ngx_http_cx_ask_arg(r, *wrong, &fields[CX_VIEW_TOUCHPOINT],
                             &ask->place.touchpoint);
    if (rc != NGX_OK) {
        return rc;
    }

    *wrong = "stage";

    rc = ngx_http_cx_ask_arg(r, *wrong, &fields[CX_VIEW_STAGE],
                             &ask->place.stage);
    if (rc != NGX_OK) {
        return rc;
    }

    *expected = "a language tag";
    *wrong = "lang";

    rc = ngx_http_cx_ask_arg(r, *wrong, &ngx_http_cx_ask_lang,
                             &ask->place.lang);
    if (rc != NGX_OK) {
        return rc;
    }

    *expected = "a number";

    return ngx_http_cx_ask_person(r, &ask->place, wrong);
}


/* NGX_ABORT: neither page nor path, or not one */

static ngx_int_t
ngx_http_cx_ask_page(ngx_http_request_t *r, ngx_http_cx_ask_t *ask)
{
    ngx_int_t   rc;
    ngx_str_t   path;
    ngx_str_t  *page;

    page = &ask->place.page;

    rc = ngx_http_cx_ask_arg(r, "page",
                             &cx_types[CX_VIEW].fields[CX_VIEW_PAGE], page);

    if (rc != NGX_OK || page->len) {
        return rc;
    }

    rc = ngx_http_cx_ask_arg(r, "path", NULL, &path);

    if (rc != NGX_OK) {
        return rc;
    }

    if (path.len == 0 || path.data[0] != '/') {
        return NGX_ABORT;
    }

    page->data = ask->page_text;
    page->len = ngx_http_cx_request_fold(ask->page_text, path.data, path.len);

    return NGX_OK;
}


/* device by touch and width, and whether the browser has been here before */

static ngx_int_t
ngx_http_cx_ask_person(ngx_http_request_t *r,
    ngx_http_cx_survey_place_t *place, const char **wrong)
{
    ngx_int_t  touch, width, fresh;

    *wrong = "touch";
    touch = ngx_http_cx_ask_number(r, *wrong, 1);

    if (touch == NGX_ABORT) {
        return NGX_ABORT;
    }

    *wrong = "width";
    width = ngx_http_cx_ask_number(r, *wrong, 100000);

    if (width == NGX_ABORT) {
        return NGX_ABORT;
    }

    *wrong = "new";
    fresh = ngx_http_cx_ask_number(r, *wrong, 1);

    if (fresh == NGX_ABORT) {
        return NGX_ABORT;
    }

    if (touch == 0) {
        place->device = NGX_HTTP_CX_DEVICE_DESKTOP;

    } else if (touch == 1 && width >= 0) {
        place->device = (width < NGX_HTTP_CX_ASK_PHONE)
                        ? NGX_HTTP_CX_DEVICE_PHONE
                        : (width < NGX_HTTP_CX_ASK_TABLET)
                          ? NGX_HTTP_CX_DEVICE_TABLET
                          : NGX_HTTP_CX_DEVICE_DESKTOP;
    }

    if (fresh >= 0) {
        place->visitor = fresh ? NGX_HTTP_CX_VISITOR_NEW
                               : NGX_HTTP_CX_VISITOR_KNOWN;
    }

    return NGX_OK;
}


/* NGX_DECLINED: not given; NGX_ABORT: not from 0 to max */

static ngx_int_t
ngx_http_cx_ask_number(ngx_http_request_t *r, const char *name, ngx_int_t max)
{
    ngx_int_t  n;
    ngx_str_t  arg;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK
        || arg.len == 0)
    {
        return NGX_DECLINED;
    }

    n = ngx_atoi(arg.data, arg.len);

    return (n == NGX_ERROR || n > max) ? NGX_ABORT : n;
}


ngx_int_t
ngx_http_cx_ask_arg(ngx_http_request_t *r, const char *name,
    const cx_field_t *field, ngx_str_t *value)
{
    ngx_int_t  rc;
    ngx_str_t  arg;

    ngx_str_null(value);

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK
        || arg.len == 0)
    {
        return NGX_OK;
    }

    if (arg.len > NGX_HTTP_CX_ASK_ARG) {
        return NGX_ABORT;
    }

    rc = ngx_http_cx_ask_decode(r, &arg, value);

    if (rc != NGX_OK || field == NULL) {
        return rc;
    }

    return cx_field_ok(field, (cx_str_t *) value) ? NGX_OK : NGX_ABORT;
}


ngx_int_t
ngx_http_cx_ask_field(ngx_http_request_t *r, ngx_str_t *form,
    const char *name, u_char **from, ngx_str_t *value)
{
    u_char     *p, *end, *next;
    size_t      len;
    ngx_str_t   arg;

    len = ngx_strlen(name);
    end = form->data + form->len;

    ngx_str_null(value);

    for (p = *from ? *from : form->data; p < end; p = next + 1) {

        next = ngx_strlchr(p, end, '&');
        if (next == NULL) {
            next = end;
        }

        if ((size_t) (next - p) > len && p[len] == '='
            && ngx_memcmp(p, name, len) == 0)
        {
            *from = next + 1;

            arg.data = p + len + 1;
            arg.len = next - arg.data;

            return ngx_http_cx_ask_decode(r, &arg, value);
        }
    }

    *from = end;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cx_ask_decode(ngx_http_request_t *r, ngx_str_t *arg, ngx_str_t *value)
{
    u_char  *dst, *src, *p;

    dst = ngx_pnalloc(r->pool, arg->len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst, arg->data, arg->len);

    /* forms and URLSearchParams write a space so */

    for (p = dst; p < dst + arg->len; p++) {
        if (*p == '+') {
            *p = ' ';
        }
    }

    value->data = dst;

    src = dst;
    ngx_unescape_uri(&dst, &src, arg->len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


static void
ngx_http_cx_ask_visit(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    ngx_http_cx_ask_t *ask)
{
    ngx_str_t            *visit, *segment;
    ngx_http_cx_visit_t  *v;

    visit = &ask->place.visit;
    segment = &ask->place.segment;

    if (ngx_http_cx_visit_key(r, cxlcf, ask->visit_text) == NGX_OK) {
        visit->data = ask->visit_text;
        visit->len = NGX_HTTP_CX_VISIT_LEN;

        ngx_http_cx_zone_lock();

        v = ngx_http_cx_visit_find(visit, 0);

        if (v) {
            segment->data = ask->segment_text;
            segment->len = v->segment_len;
            ngx_memcpy(segment->data, v->segment, v->segment_len);

            ask->told = v->told[0] | v->told[1];
        }

        ngx_http_cx_zone_unlock();
    }

    if (segment->len == 0) {
        ngx_http_cx_request_segment(r, cxlcf, segment);
    }
}


/*
 * The surveys of the page's location, which its tag names, if it is of this
 * site; a tag that is older than the configuration, or none, gets those of the
 * endpoint's location.
 */

ngx_http_cx_surveys_t *
ngx_http_cx_ask_set(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_str_t                 key;
    ngx_uint_t                i;
    ngx_http_cx_asked_t      *asked;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_http_get_module_main_conf(r, ngx_http_cx_module);
    asked = cxmcf->asked.elts;

    if (ngx_http_arg(r, (u_char *) "surveys", 7, &key) == NGX_OK
        && key.len == sizeof(asked[0].surveys->key))
    {
        for (i = 0; i < cxmcf->asked.nelts; i++) {
            if (asked[i].site == cxlcf->site
                && ngx_memcmp(asked[i].surveys->key, key.data, key.len) == 0)
            {
                return asked[i].surveys;
            }
        }
    }

    return cxlcf->surveys;
}


/* nginx itself keeps this header only where some of its modules want it */

void
ngx_http_cx_ask_accept(ngx_http_request_t *r, ngx_str_t *accept)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_str_null(accept);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("Accept-Language") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept-Language",
                                   h[i].key.len)
                   == 0)
            {
                *accept = h[i].value;
                return;
            }
        }
    }
}


ngx_uint_t
ngx_http_cx_ask_debug(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_str_t  value;

    if (cxlcf->debug == NULL
        || ngx_http_complex_value(r, cxlcf->debug, &value) != NGX_OK)
    {
        return 0;
    }

    return value.len != 0
           && !(value.len == 1 && value.data[0] == '0')
           && !(value.len == 3 && ngx_memcmp(value.data, "off", 3) == 0);
}


ngx_int_t
ngx_http_cx_ask_none(ngx_http_request_t *r)
{
    ngx_http_cx_problem_t  p;

    ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));

    p.status = NGX_HTTP_NOT_FOUND;
    p.counter = NGX_HTTP_CX_NOT_COUNTED;
    p.error = "not_found";
    p.event = -1;

    return ngx_http_cx_endpoint_problem(r, &p);
}
