/*
 * The requests below cx_prefix: route, method, same origin.  What the routes
 * answer stands in widget.c, survey.c, form.c, collect.c, optout.c, why.c and
 * preview.c.
 */

#include "ngx_http_cx_ask.h"


#define NGX_HTTP_CX_SAME_ORIGIN    0           /* of this host, or no browser */
#define NGX_HTTP_CX_CROSS_ORIGIN   1           /* of cx_allowed_origins */

#define NGX_HTTP_CX_ALL_METHODS    ((ngx_uint_t) -1)


typedef struct {
    ngx_str_t                name;
    ngx_uint_t               methods;
    const char              *allow;
    ngx_uint_t               same_origin;      /* methods of which others are
                                                  refused */
    ngx_http_handler_pt      handler;
} ngx_http_cx_endpoint_route_t;


static ngx_int_t ngx_http_cx_endpoint_handler(ngx_http_request_t *r);
static ngx_http_cx_endpoint_route_t *ngx_http_cx_endpoint_find(
    ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf);
static ngx_int_t ngx_http_cx_endpoint_origin(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);
static ngx_uint_t ngx_http_cx_endpoint_same_host(ngx_http_request_t *r,
    ngx_str_t *origin);
static void ngx_http_cx_endpoint_default_port(ngx_str_t *host);
static ngx_int_t ngx_http_cx_endpoint_cors(ngx_http_request_t *r,
    ngx_str_t *origin);
static ngx_int_t ngx_http_cx_endpoint_preflight(ngx_http_request_t *r,
    ngx_http_cx_endpoint_route_t *route, ngx_uint_t cross);
static ngx_int_t ngx_http_cx_endpoint_refused(ngx_http_request_t *r);
static char *ngx_http_cx_endpoint_error_pages(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf);


static ngx_http_cx_endpoint_route_t  ngx_http_cx_endpoint_routes[] = {

    { ngx_string("events"),
      NGX_HTTP_POST, "POST", NGX_HTTP_CX_ALL_METHODS,
      ngx_http_cx_collect_handler },

    { ngx_string("surveys"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", NGX_HTTP_CX_ALL_METHODS,
      ngx_http_cx_survey_handler },

    { ngx_string("cx.js"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", 0,
      ngx_http_cx_widget_handler },

    /* with the name of a part behind it */

    { ngx_string("cx-"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", 0,
      ngx_http_cx_widget_handler },

    /* with the id of a survey behind it */

    { ngx_string("survey/"),
      NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST, "GET, HEAD, POST",
      NGX_HTTP_POST,
      ngx_http_cx_form_handler },

    { ngx_string("form.css"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", 0,
      ngx_http_cx_form_css_handler },

    { ngx_string("why"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", NGX_HTTP_CX_ALL_METHODS,
      ngx_http_cx_why_handler },

    { ngx_string("preview"),
      NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD", 0,
      ngx_http_cx_preview_handler },

    /* anybody may link to the page, but not press its button */

    { ngx_string("opt-out"),
      NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST, "GET, HEAD, POST",
      NGX_HTTP_POST,
      ngx_http_cx_optout_handler },

    { ngx_null_string, 0, NULL, 0, NULL }
};


static ngx_int_t
ngx_http_cx_endpoint_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_cx_ctx_t             *ctx;
    ngx_http_cx_problem_t          p;
    ngx_http_cx_loc_conf_t        *cxlcf;
    ngx_http_cx_endpoint_route_t  *route;

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* whatever is answered here is no page of the site's */
    ctx->logged = 1;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));
    p.event = -1;

    rc = ngx_http_cx_endpoint_origin(r, cxlcf, &ctx->facts);

    if (rc == NGX_HTTP_CX_CROSS_ORIGIN
        && ngx_http_cx_endpoint_cors(r, &ctx->facts.origin) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->error_page && r->err_status) {
        return ngx_http_cx_endpoint_refused(r);
    }

    route = ngx_http_cx_endpoint_find(r, cxlcf);

    if (route == NULL) {
        p.status = NGX_HTTP_NOT_FOUND;
        p.counter = NGX_HTTP_CX_NOT_COUNTED;
        p.error = "not_found";
        p.expected = "events, surveys, survey/<id>, cx.js or opt-out";
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (rc == NGX_DECLINED && (r->method & route->same_origin)) {
        p.status = NGX_HTTP_FORBIDDEN;
        p.counter = NGX_HTTP_CX_C_REJECT_ORIGIN;
        p.error = "origin";
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (r->method == NGX_HTTP_OPTIONS
        && (route->same_origin & NGX_HTTP_OPTIONS))
    {
        return ngx_http_cx_endpoint_preflight(r, route,
                                              rc == NGX_HTTP_CX_CROSS_ORIGIN);
    }

    if (!(r->method & route->methods)) {
        p.status = NGX_HTTP_NOT_ALLOWED;
        p.counter = NGX_HTTP_CX_C_REJECT_METHOD;
        p.error = "method";
        p.expected = route->allow;
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    return route->handler(r);
}


static ngx_http_cx_endpoint_route_t *
ngx_http_cx_endpoint_find(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf)
{
    size_t                         len, part;
    u_char                        *p, last;
    ngx_http_cx_endpoint_route_t  *route;

    if (r->uri.len <= cxlcf->prefix.len
        || ngx_strncmp(r->uri.data, cxlcf->prefix.data, cxlcf->prefix.len) != 0)
    {
        return NULL;
    }

    p = r->uri.data + cxlcf->prefix.len;
    len = r->uri.len - cxlcf->prefix.len;

    for (route = ngx_http_cx_endpoint_routes; route->name.len; route++) {
        part = route->name.len;
        last = route->name.data[part - 1];

        /* a name that ends so is the beginning of more */

        if ((len == part || (len > part && (last == '/' || last == '-')))
            && ngx_memcmp(p, route->name.data, part) == 0)
        {
            return route;
        }
    }

    return NULL;
}


/*
 * A post that text/plain makes "simple" needs no preflight, so the origin is
 * checked here and not left to the browser.  Scripts cannot set Origin nor
 * Sec-Fetch-Site; whoever sends neither is no browser of today, or a beacon
 * of the same origin.  NGX_DECLINED: to be refused.
 */

static ngx_int_t
ngx_http_cx_endpoint_origin(ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts)
{
    ngx_str_t   *allowed, *site;
    ngx_uint_t   i;

    if (facts->origin.len && cxlcf->origins) {
        allowed = cxlcf->origins->elts;

        for (i = 0; i < cxlcf->origins->nelts; i++) {
            if (allowed[i].len == facts->origin.len
                && ngx_strncasecmp(allowed[i].data, facts->origin.data,
                                   allowed[i].len)
                   == 0)
            {
                return NGX_HTTP_CX_CROSS_ORIGIN;
            }
        }
    }

    site = &facts->fetch_site;

    /* a sibling host is same-site, and shows itself by its Origin */

    if (site->len == sizeof("cross-site") - 1
        && ngx_memcmp(site->data, "cross-site", site->len) == 0)
    {
        return NGX_DECLINED;
    }

    if (facts->origin.len
        && !ngx_http_cx_endpoint_same_host(r, &facts->origin))
    {
        return NGX_DECLINED;
    }

    return NGX_HTTP_CX_SAME_ORIGIN;
}


/*
 * Compares host and port only: behind a proxy that ends TLS the scheme of the
 * connection is not that of the page.  For the same reason the default port
 * of either scheme is as good as none.
 */

static ngx_uint_t
ngx_http_cx_endpoint_same_host(ngx_http_request_t *r, ngx_str_t *origin)
{
    u_char     *p, *end;
    ngx_str_t   host, page;

    end = origin->data + origin->len;
    p = ngx_strlchr(origin->data, end, ':');

    if (p == NULL || end - p <= 3 || p[1] != '/' || p[2] != '/') {
        return 0;                              /* "null" above all */
    }

    page.data = p + 3;
    page.len = end - page.data;

    host = r->headers_in.host ? r->headers_in.host->value
                              : r->headers_in.server;

    ngx_http_cx_endpoint_default_port(&page);
    ngx_http_cx_endpoint_default_port(&host);

    return host.len && host.len == page.len
           && ngx_strncasecmp(host.data, page.data, host.len) == 0;
}


static void
ngx_http_cx_endpoint_default_port(ngx_str_t *host)
{
    if (host->len > 3
        && ngx_memcmp(host->data + host->len - 3, ":80", 3) == 0)
    {
        host->len -= 3;

    } else if (host->len > 4
               && ngx_memcmp(host->data + host->len - 4, ":443", 4) == 0)
    {
        host->len -= 4;
    }
}


/* never with credentials: nothing here depends on a login */

static ngx_int_t
ngx_http_cx_endpoint_cors(ngx_http_request_t *r, ngx_str_t *origin)
{
    if (ngx_http_cx_endpoint_header(r, "Access-Control-Allow-Origin", origin)
        == NULL
        || ngx_http_cx_endpoint_literal(r, "Vary", "Origin") != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return NGX_OK;
    }

    return ngx_http_cx_endpoint_literal(r, "Access-Control-Expose-Headers",
                                        "Retry-After");
}


static ngx_int_t
ngx_http_cx_endpoint_preflight(ngx_http_request_t *r,
    ngx_http_cx_endpoint_route_t *route, ngx_uint_t cross)
{
    if (!cross) {
        if (ngx_http_cx_endpoint_literal(r, "Allow", route->allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_cx_endpoint_empty(r);
    }

    if (ngx_http_cx_endpoint_literal(r, "Access-Control-Allow-Methods",
                                     route->allow)
        != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Access-Control-Allow-Headers",
                                        "content-type")
           != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Access-Control-Max-Age", "3600")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cx_endpoint_empty(r);
}


/* nginx itself refused the request, see ngx_http_cx_endpoint_error_pages() */

static ngx_int_t
ngx_http_cx_endpoint_refused(ngx_http_request_t *r)
{
    ngx_http_cx_problem_t  p;

    ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));

    p.event = -1;
    p.status = r->err_status;
    p.counter = NGX_HTTP_CX_NOT_COUNTED;

    switch (r->err_status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        p.counter = NGX_HTTP_CX_C_REJECT_SIZE;
        p.error = "size";
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        p.error = "too_many_requests";
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        p.error = "busy";
        break;

    default:
        p.error = "refused";
    }

    return ngx_http_cx_endpoint_problem(r, &p);
}


char *
ngx_http_cx_endpoint(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t   *cxmcf;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_cx_endpoint_handler) {
        return "is duplicate";
    }

    clcf->handler = ngx_http_cx_endpoint_handler;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);
    cxmcf->endpoint = 1;

    return ngx_http_cx_endpoint_error_pages(cf, clcf);
}


/*
 * limit_req, limit_conn and client_max_body_size answer before the handler is
 * asked, and with HTML.  Sending these statuses to the location once more
 * gives them the shape of all other errors.  An error_page of the user's own
 * that stands before wins; a regex location has no name to send them to.
 */

static char *
ngx_http_cx_endpoint_error_pages(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    ngx_uint_t            i;
    ngx_http_err_page_t  *page;

    static ngx_int_t  statuses[] = {
        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
        NGX_HTTP_TOO_MANY_REQUESTS,
        NGX_HTTP_SERVICE_UNAVAILABLE
    };

    if (clcf->name.len == 0 || clcf->name.data[0] != '/') {
        return NGX_CONF_OK;
    }

#if (NGX_PCRE)
    if (clcf->regex) {
        return NGX_CONF_OK;
    }
#endif

    if (clcf->error_pages == NULL) {
        clcf->error_pages = ngx_array_create(cf->pool, 3,
                                             sizeof(ngx_http_err_page_t));
        if (clcf->error_pages == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        page = ngx_array_push(clcf->error_pages);
        if (page == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(page, sizeof(ngx_http_err_page_t));

        page->status = statuses[i];
        page->overwrite = -1;
        page->value.value = clcf->name;
    }

    return NGX_CONF_OK;
}
