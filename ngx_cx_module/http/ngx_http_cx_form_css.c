/*
 * <prefix>form.css: what form and preview look like.  Colours are those of the
 * theme.
 */

#include "cx_theme.h"
#include "ngx_http_cx_ask.h"


#define ngx_http_cx_form_light(id, name, light, dark)                         \
    "--cx-" name ":" light ";"
#define ngx_http_cx_form_dark(id, name, light, dark)                          \
    "--cx-" name ":" dark ";"
#define ngx_http_cx_form_px(n)      ngx_http_cx_form_text(n) "px"
#define ngx_http_cx_form_text(n)    #n


/* the built-in theme */

static const char  ngx_http_cx_form_css[] =
    ":root{color-scheme:light dark;"
    CX_THEME_COLOURS(ngx_http_cx_form_light)
    "--cx-on-accent:" CX_THEME_ON_LIGHT ";"
    "--cx-radius:" ngx_http_cx_form_px(CX_THEME_RADIUS) ";"
    "--cx-font:system-ui,sans-serif}\n"
    "@media(prefers-color-scheme:dark){:root{"
    CX_THEME_COLOURS(ngx_http_cx_form_dark)
    "--cx-on-accent:" CX_THEME_ON_DARK "}}\n";

static const char  ngx_http_cx_form_css_rules[] =
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:40rem;"
    "font:1.0625rem/1.5 var(--cx-font,system-ui,sans-serif);"
    "color:var(--cx-text);background:var(--cx-background);"
    "overflow-wrap:break-word}\n"
    "h1{font-size:1.375rem;line-height:1.3;margin:0 0 1rem}\n"
    "fieldset,.step{border:0;margin:0 0 1.5rem;padding:0;min-inline-size:0}\n"
    "legend,.step>label,.step>h1{display:block;padding:0;margin:0 0 .75rem;"
    "font-size:1.25rem;font-weight:600;line-height:1.35}\n"
    "legend h1{font:inherit;margin:0}\n"
    ".scale{display:flex;flex-wrap:wrap;gap:.375rem}\n"
    ".scale label{flex:1 0 2.5rem;position:relative;min-height:2.75rem;"
    "display:flex;align-items:center;justify-content:center;"
    "border:1px solid var(--cx-border);border-radius:calc(var(--cx-radius)/2);"
    "padding:.25rem .5rem;cursor:pointer}\n"
    ".scale input{position:absolute;inset:0;width:100%;height:100%;margin:0;"
    "opacity:0;cursor:pointer}\n"
    ".scale label:has(:checked){background:var(--cx-accent);"
    "color:var(--cx-on-accent);border-color:var(--cx-accent)}\n"
    ".scale label:focus-within{outline:3px solid var(--cx-accent);"
    "outline-offset:2px}\n"
    "@supports not selector(:has(a)){.scale input{position:static;opacity:1;"
    "width:auto;height:auto;margin-inline-end:.375rem}}\n"
    ".ends{display:flex;justify-content:space-between;gap:1rem;"
    "margin:.5rem 0 0;font-size:.875rem;color:var(--cx-muted)}\n"
    ".list label{display:flex;gap:.75rem;align-items:center;"
    "min-height:2.75rem;padding:.25rem 0;cursor:pointer}\n"
    ".list input{flex:none;width:1.5rem;height:1.5rem;margin:0;"
    "accent-color:var(--cx-accent)}\n"
    "textarea{display:block;width:100%;min-height:7rem;padding:.75rem;"
    "font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--cx-border);"
    "border-radius:calc(var(--cx-radius)/2);resize:vertical}\n"
    ".hint{margin:.5rem 0 0;font-size:.875rem;color:var(--cx-muted)}\n"
    ".missing{margin:0 0 1rem;padding-inline-start:.75rem;"
    "border-inline-start:.25rem solid var(--cx-accent);font-weight:600}\n"
    "button,.button{display:inline-block;font:inherit;font-weight:600;"
    "min-height:2.75rem;padding:.5rem 1.5rem;border:1px solid transparent;"
    "border-radius:var(--cx-radius);background:var(--cx-accent);"
    "color:var(--cx-on-accent);cursor:pointer;text-decoration:none}\n"
    "a{color:var(--cx-accent)}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.375rem .75rem .375rem 0;text-align:start;"
    "vertical-align:top;border-bottom:1px solid var(--cx-border)}\n"
    "input:focus-visible,textarea:focus-visible,button:focus-visible,"
    "a:focus-visible{outline:3px solid var(--cx-accent);outline-offset:2px}\n"
    "@media(forced-colors:active){.scale label:has(:checked){"
    "outline:3px solid Highlight}}\n";


ngx_int_t
ngx_http_cx_form_css_handler(ngx_http_request_t *r)
{
    u_char                  *p;
    ngx_str_t                body, css;
    ngx_str_t                type = ngx_string("text/css; charset=utf-8");
    ngx_http_cx_surveys_t   *set;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    ngx_str_null(&css);
    set = ngx_http_cx_ask_set(r, cxlcf);

    if (set) {
        css = set->css;
    }

    body.data = ngx_pnalloc(r->pool, sizeof(ngx_http_cx_form_css)
                            + sizeof(ngx_http_cx_form_css_rules) + css.len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(body.data, ngx_http_cx_form_css,
                   sizeof(ngx_http_cx_form_css) - 1);

    if (css.len) {
        p = ngx_cpymem(p, css.data, css.len);
    }

    p = ngx_cpymem(p, ngx_http_cx_form_css_rules,
                   sizeof(ngx_http_cx_form_css_rules) - 1);

    body.len = p - body.data;

    if (ngx_http_cx_endpoint_literal(r, "Cache-Control", "public, max-age=300")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cx_endpoint_send(r, &type, &body);
}
