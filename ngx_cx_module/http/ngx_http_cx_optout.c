/*
 * <prefix>opt-out: a page that says what is recorded and whether this browser
 * is, with a button that changes it.  Works without script and loads nothing.
 * Only a POST changes anything, as links are followed by machines, too.
 */

#include "ngx_http_cx_collect.h"


#define NGX_HTTP_CX_OPTOUT_BODY_MAX  1024

/* Content-Security-Policy allows this one style, by its SHA-256 */

#define NGX_HTTP_CX_OPTOUT_STYLE                                              \
    ":root{color-scheme:light dark;--a:#1a5fb4;--b:#fff}"                     \
    "@media(prefers-color-scheme:dark){:root{--a:#99c1f1;--b:#111}}"          \
    "body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:40rem;"           \
    "margin:0 auto;padding:1rem 1.25rem 3rem;color:#1a1a1a;"                  \
    "background:#fff;overflow-wrap:break-word}"                               \
    "h1{font-size:1.75rem;line-height:1.25}"                                  \
    "h2{font-size:1.25rem;margin-top:2rem}"                                   \
    ".now{border-inline-start:.3rem solid var(--a);padding-inline-start:1rem}"\
    "button{font:inherit;font-weight:600;min-height:2.75rem;"                 \
    "padding:.5rem 1.25rem;border:2px solid var(--a);border-radius:.5rem;"    \
    "background:var(--a);color:var(--b);cursor:pointer}"                      \
    "button:focus-visible{outline:3px solid var(--a);outline-offset:3px}"     \
    "@media(prefers-color-scheme:dark){"                                      \
    "body{color:#eee;background:#161616}}"

#define NGX_HTTP_CX_OPTOUT_STYLE_HASH                                         \
    "sha256-BffvuZay9y1F1cFPCNnSmqqrgJ3CLuTXFiV/zvxaK8o="


static ngx_int_t ngx_http_cx_optout_page(ngx_http_request_t *r);
static u_char *ngx_http_cx_optout_state(u_char *p, ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts);
static void ngx_http_cx_optout_post(ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_optout_change(ngx_http_request_t *r);
static ngx_int_t ngx_http_cx_optout_cookie(ngx_http_request_t *r,
    ngx_uint_t out);
static void ngx_http_cx_optout_forget(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cx_optout_is(ngx_str_t *body, const char *text);


static ngx_str_t  ngx_http_cx_optout_types[] = {
    ngx_string("application/x-www-form-urlencoded"),
    ngx_null_string
};

static ngx_http_cx_collect_body_t  ngx_http_cx_optout_body = {
    ngx_http_cx_optout_types,
    "application/x-www-form-urlencoded, not encoded",
    NGX_HTTP_CX_OPTOUT_BODY_MAX
};


/* no-referrer would take the origin from the post of the form, too */

static const char  *ngx_http_cx_optout_headers[][2] = {
    { "Cache-Control", "no-store, no-transform" },
    { "Content-Security-Policy",
      "default-src 'none'; style-src '" NGX_HTTP_CX_OPTOUT_STYLE_HASH "'; "
      "form-action 'self'; base-uri 'none'; frame-ancestors 'self'" },
    { "Referrer-Policy", "same-origin" },
    { "X-Robots-Tag", "noindex" },
    { NULL, NULL }
};


static const char  ngx_http_cx_optout_head[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<title>Recording is %s in this browser</title>\n"
    "<style>" NGX_HTTP_CX_OPTOUT_STYLE "</style>\n"
    "</head>\n"
    "<body>\n"
    "<main>\n"
    "<h1>What this site records of your visits</h1>\n"
    "<div class=\"now\">\n"
    "<p><strong>Recording is %s in this browser.</strong></p>\n";

static const char  ngx_http_cx_optout_form[] =
    "<form method=\"post\">"
    "<button type=\"submit\" name=\"choice\" value=\"%s\">%s</button>"
    "</form>\n"
    "</div>\n";

static const char  ngx_http_cx_optout_text[] =
    "<h2>What it is for</h2>\n"
    "<p>To find out which pages of this site are hard to use, and to make "
    "them better.</p>\n"
    "<h2>What is recorded</h2>\n"
    "<ul>\n"
    "<li>Which page was asked for and when, how long the answer took, and "
    "whether it failed.</li>\n"
    "<li>Signs of trouble, as counts: clicks that nothing answers, reloads, "
    "quick ways back, waits that were given up, errors in the page, fields "
    "of a form that were refused.</li>\n"
    "<li>How long a page was looked at, how far it was scrolled, and how fast "
    "it was shown and reacted.</li>\n"
    "<li>What you answer when the site asks you something. E-mail addresses, "
    "card numbers and phone numbers are taken out of comments before they "
    "are kept.</li>\n"
    "</ul>\n"
    "<h2>What is not</h2>\n"
    "<p>Not your network address, not the name of your browser, not what you "
    "type into forms, and nothing that stands behind the question mark of an "
    "address. Your browser sends none of this to other "
    "sites.</p>\n";

static const char  ngx_http_cx_optout_hash[] =
    "<p>To tell visits apart, a code is made of your network address and the "
    "name of your browser with a secret that is thrown away every day. "
    "Neither can be read from the code, nor can you be recognised by it on "
    "another day. No cookie is set for it.</p>\n";

static const char  ngx_http_cx_optout_none[] =
    "<p>Visits are not told apart, and no cookie is set.</p>\n";

static const char  ngx_http_cx_optout_foot[] =
    "<h2>What the button does</h2>\n"
    "<p>It sets one cookie, <code>" NGX_HTTP_CX_OPT_OUT_COOKIE "=1</code>, "
    "for a year. The cookie is the same for everybody and says only that "
    "nothing is to be recorded; what is remembered of the visit you are on "
    "is forgotten at once. It holds for this browser and this site, until "
    "you press the button again or delete your cookies.</p>\n"
    "</main>\n"
    "</body>\n"
    "</html>\n";

/* why recording is off */

static const char  ngx_http_cx_optout_chosen[] =
    "<p>You have opted out.</p>\n";

static const char  ngx_http_cx_optout_gpc[] =
    "<p>Your browser sends Global Privacy Control, and this site honours it: "
    "recording is off already, without the button.</p>\n";

static const char  ngx_http_cx_optout_dnt[] =
    "<p>Your browser sends Do Not Track, and this site honours it: recording "
    "is off already, without the button.</p>\n";

static const char  ngx_http_cx_optout_consent[] =
    "<p>This site records only with your consent, and does not have it."
    "</p>\n";


/* room for all of it at once */

#define NGX_HTTP_CX_OPTOUT_PAGE_MAX                                           \
    (sizeof(ngx_http_cx_optout_head) + sizeof(ngx_http_cx_optout_chosen)      \
     + sizeof(ngx_http_cx_optout_gpc) + sizeof(ngx_http_cx_optout_dnt)        \
     + sizeof(ngx_http_cx_optout_consent) + sizeof(ngx_http_cx_optout_form)   \
     + sizeof("Do not record my visits") + sizeof(ngx_http_cx_optout_text)    \
     + sizeof(ngx_http_cx_optout_hash) + sizeof(ngx_http_cx_optout_foot))


ngx_int_t
ngx_http_cx_optout_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_http_cx_problem_t  p;

    if (r->method == NGX_HTTP_POST) {

        rc = ngx_http_cx_collect_body_check(r, &ngx_http_cx_optout_body, &p);

        if (rc != NGX_OK) {
            return ngx_http_cx_endpoint_problem(r, &p);
        }

        r->request_body_in_single_buf = 1;

        rc = ngx_http_read_client_request_body(r, ngx_http_cx_optout_post);

        return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
    }

    for (i = 0; ngx_http_cx_optout_headers[i][0]; i++) {
        if (ngx_http_cx_endpoint_literal(r, ngx_http_cx_optout_headers[i][0],
                                         ngx_http_cx_optout_headers[i][1])
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_cx_optout_page(r);
}


static ngx_int_t
ngx_http_cx_optout_page(ngx_http_request_t *r)
{
    u_char                  *p;
    ngx_str_t                body;
    ngx_str_t                type = ngx_string("text/html; charset=utf-8");
    const char              *visits;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_loc_conf_t  *cxlcf;

    ctx = ngx_http_cx_request_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    body.data = ngx_pnalloc(r->pool, NGX_HTTP_CX_OPTOUT_PAGE_MAX);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    visits = (cxlcf->visitor == NGX_HTTP_CX_VISITOR_OFF)
             ? ngx_http_cx_optout_none : ngx_http_cx_optout_hash;

    p = ngx_http_cx_optout_state(body.data, r, cxlcf, &ctx->facts);

    p = ngx_sprintf(p, ngx_http_cx_optout_form,
                    ctx->facts.opt_out ? "in" : "out",
                    ctx->facts.opt_out ? "Record my visits again"
                                       : "Do not record my visits");

    p = ngx_sprintf(p, "%s%s%s", ngx_http_cx_optout_text, visits,
                    ngx_http_cx_optout_foot);

    body.len = p - body.data;

    return ngx_http_cx_endpoint_send(r, &type, &body);
}


/* the page's head, whether recording is on, and all reasons why it is not */

static u_char *
ngx_http_cx_optout_state(u_char *p, ngx_http_request_t *r,
    ngx_http_cx_loc_conf_t *cxlcf, ngx_http_cx_facts_t *facts)
{
    ngx_uint_t   gpc, dnt, off;
    const char  *state;

    gpc = (cxlcf->privacy & NGX_HTTP_CX_PRIVACY_GPC) && facts->gpc;
    dnt = (cxlcf->privacy & NGX_HTTP_CX_PRIVACY_DNT) && facts->dnt;
    off = ngx_http_cx_request_private(r, cxlcf, facts);

    state = off ? "off" : "on";

    p = ngx_sprintf(p, ngx_http_cx_optout_head, state, state);

    if (facts->opt_out) {
        p = ngx_sprintf(p, "%s", ngx_http_cx_optout_chosen);
    }

    if (gpc) {
        p = ngx_sprintf(p, "%s", ngx_http_cx_optout_gpc);
    }

    if (dnt) {
        p = ngx_sprintf(p, "%s", ngx_http_cx_optout_dnt);
    }

    if (off && !facts->opt_out && !gpc && !dnt) {
        p = ngx_sprintf(p, "%s", ngx_http_cx_optout_consent);
    }

    return p;
}


static void
ngx_http_cx_optout_post(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_http_cx_optout_change(r));
}


static ngx_int_t
ngx_http_cx_optout_change(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_str_t              body;
    ngx_uint_t             out;
    ngx_http_cx_problem_t  p;

    rc = ngx_http_cx_collect_body_read(r, &ngx_http_cx_optout_body, &body, &p);

    if (rc == NGX_DECLINED) {
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out = ngx_http_cx_optout_is(&body, "choice=out");

    if (!out && !ngx_http_cx_optout_is(&body, "choice=in")) {
        ngx_memzero(&p, sizeof(ngx_http_cx_problem_t));
        p.status = NGX_HTTP_BAD_REQUEST;
        p.counter = NGX_HTTP_CX_C_REJECT_SCHEMA;
        p.error = cx_reject_name(CX_REJECT_VALUE);
        p.field = "choice";
        p.expected = "choice=out or choice=in";
        p.event = -1;
        return ngx_http_cx_endpoint_problem(r, &p);
    }

    if (ngx_http_cx_optout_cookie(r, out) != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Location", "opt-out") != NGX_OK
        || ngx_http_cx_endpoint_literal(r, "Cache-Control", "no-store")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (out) {
        ngx_http_cx_optout_forget(r);
    }

    ngx_http_cx_count(out ? NGX_HTTP_CX_C_OPTED_OUT : NGX_HTTP_CX_C_OPTED_IN,
                      1);

    r->headers_out.status = NGX_HTTP_SEE_OTHER;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


/* scripts may read it: the widget of a page from a cache looks for it */

static ngx_int_t
ngx_http_cx_optout_cookie(ngx_http_request_t *r, ngx_uint_t out)
{
    u_char      *p;
    ngx_str_t    value;
    const char  *secure;

    secure = "";

#if (NGX_SSL || NGX_COMPAT)
    if (r->connection->ssl) {
        secure = "; Secure";
    }
#endif

    value.data = ngx_pnalloc(r->pool, sizeof(NGX_HTTP_CX_OPT_OUT_COOKIE
                             "=1; Path=/; Max-Age=31536000; SameSite=Lax"
                             "; Secure"));
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(value.data,
                    NGX_HTTP_CX_OPT_OUT_COOKIE
                    "=%s; Path=/; Max-Age=%s; SameSite=Lax%s",
                    out ? "1" : "", out ? "31536000" : "0", secure);

    value.len = p - value.data;

    return ngx_http_cx_endpoint_header(r, "Set-Cookie", &value)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_cx_optout_forget(ngx_http_request_t *r)
{
    u_char                   text[NGX_HTTP_CX_VISIT_LEN];
    ngx_str_t                key;
    ngx_http_cx_visit_t     *visit;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (ngx_http_cx_visit_key(r, cxlcf, text) != NGX_OK) {
        return;
    }

    key.len = NGX_HTTP_CX_VISIT_LEN;
    key.data = text;

    ngx_http_cx_zone_lock();

    visit = ngx_http_cx_visit_find(&key, 0);

    if (visit) {
        ngx_http_cx_visit_forget(visit);
    }

    ngx_http_cx_zone_unlock();
}


static ngx_uint_t
ngx_http_cx_optout_is(ngx_str_t *body, const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    return body->len == len && ngx_memcmp(body->data, text, len) == 0;
}
