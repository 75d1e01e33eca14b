/*
 * $cx_page, $cx_visit, $cx_signals and $cx_injected.  All speak of the main
 * request and are empty where cx is off; $cx_visit and $cx_signals also where
 * nothing may be recorded.  None is cacheable: subrequests share the table of
 * variables, and what is known grows while the request runs.
 *
 * The page and visit are known at any time.  $cx_signals and $cx_injected
 * are final in the log phase, and so in any log_format, as the module's own
 * log handler is the first of that phase; asked for earlier they say what is
 * known so far.  No variable starts the evaluation itself: it notes the view,
 * which must happen once and with the final status.
 */

#include "ngx_http_cx.h"


static ngx_int_t ngx_http_cx_variable_page(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cx_variable_visit(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cx_variable_signals(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cx_variable_injected(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cx_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_cx_ctx_t **ctx);
static void ngx_http_cx_variable_set(ngx_http_variable_value_t *v,
    u_char *data, size_t len);


static ngx_http_variable_t  ngx_http_cx_vars[] = {

    { ngx_string("cx_page"), NULL, ngx_http_cx_variable_page, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cx_visit"), NULL, ngx_http_cx_variable_visit, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cx_signals"), NULL, ngx_http_cx_variable_signals, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cx_injected"), NULL, ngx_http_cx_variable_injected, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    ngx_http_null_variable
};


ngx_int_t
ngx_http_cx_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_cx_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_variable_page(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_int_t                rc;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_loc_conf_t  *cxlcf;

    rc = ngx_http_cx_variable_ctx(r, v, &ctx);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    cxlcf = ngx_http_get_module_loc_conf(r->main, ngx_http_cx_module);

    if (ngx_http_cx_request_page(r->main, cxlcf, ctx) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_cx_variable_set(v, ctx->page.data, ctx->page.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_variable_visit(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                  *p;
    ngx_int_t                rc;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_loc_conf_t  *cxlcf;

    rc = ngx_http_cx_variable_ctx(r, v, &ctx);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    if (ctx->visit.len) {
        ngx_http_cx_variable_set(v, ctx->visit.data, ctx->visit.len);
        return NGX_OK;
    }

    cxlcf = ngx_http_get_module_loc_conf(r->main, ngx_http_cx_module);

    if (ngx_http_cx_request_headers(r->main) == NULL
        || ngx_http_cx_request_private(r->main, cxlcf, &ctx->facts))
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_CX_VISIT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_cx_visit_key(r->main, cxlcf, p) == NGX_OK) {
        ngx_http_cx_variable_set(v, p, NGX_HTTP_CX_VISIT_LEN);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_variable_signals(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char             *p, *start;
    size_t              len;
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_http_cx_ctx_t  *ctx;

    rc = ngx_http_cx_variable_ctx(r, v, &ctx);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    len = 0;

    for (i = 0; i < CX_SIG_N; i++) {
        if (ctx->signals & ((ngx_uint_t) 1 << i)) {
            len += ngx_strlen(cx_signals[i].name) + 1;
        }
    }

    if (len == 0) {
        return NGX_OK;
    }

    start = ngx_pnalloc(r->pool, len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = start;

    for (i = 0; i < CX_SIG_N; i++) {
        if (ctx->signals & ((ngx_uint_t) 1 << i)) {
            p = ngx_cpymem(p, cx_signals[i].name,
                           ngx_strlen(cx_signals[i].name));
            *p++ = ',';
        }
    }

    ngx_http_cx_variable_set(v, start, len - 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_variable_injected(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t           rc;
    const ngx_str_t    *name;
    ngx_http_cx_ctx_t  *ctx;

    rc = ngx_http_cx_variable_ctx(r, v, &ctx);
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    name = &ngx_http_cx_outcome_names[ctx->outcome];

    ngx_http_cx_variable_set(v, name->data, name->len);

    return NGX_OK;
}


/* v is not found until a handler sets it; NGX_DECLINED: it stays so */

static ngx_int_t
ngx_http_cx_variable_ctx(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_http_cx_ctx_t **ctx)
{
    ngx_http_cx_loc_conf_t  *cxlcf;

    v->valid = 0;
    v->no_cacheable = 1;
    v->not_found = 1;

    cxlcf = ngx_http_get_module_loc_conf(r->main, ngx_http_cx_module);

    if (!cxlcf->on) {
        return NGX_DECLINED;
    }

    *ctx = ngx_http_cx_request_bare(r->main);

    return *ctx ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_cx_variable_set(ngx_http_variable_value_t *v, u_char *data,
    size_t len)
{
    v->data = data;
    v->len = len;
    v->valid = 1;
    v->not_found = 0;
}
