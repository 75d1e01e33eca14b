/*
 * The token that a beacon with an answer must carry:
 *
 *   <expiry, Unix time in s, 8 hex digits>.<visit key or "-">.<40 hex digits>
 *
 * The last part is the HMAC of the rest and the site, so that an answer can
 * only come from who asked this site for its surveys within the last day.
 */

#include "ngx_http_cx.h"


#define NGX_HTTP_CX_TOKEN_TTL      86400       /* seconds */
#define NGX_HTTP_CX_TOKEN_MAC      20          /* bytes of HMAC-SHA1 */

/* what is signed: site '\n' expiry '.' visit */
#define NGX_HTTP_CX_TOKEN_TEXT                                                \
    (NGX_HTTP_CX_SITE_MAX + 1 + 8 + 1 + NGX_HTTP_CX_VISIT_LEN)


static void ngx_http_cx_token_mac(ngx_http_cx_site_t *site, u_char *claims,
    size_t len, u_char *hex);


ngx_int_t
ngx_http_cx_token_make(ngx_http_request_t *r, ngx_http_cx_site_t *site,
    ngx_str_t *visit, ngx_str_t *token)
{
    u_char     *p;
    ngx_str_t   none = ngx_string("-");

    if (visit->len == 0) {
        visit = &none;
    }

    token->data = ngx_pnalloc(r->pool, NGX_HTTP_CX_TOKEN_MAX);
    if (token->data == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_sprintf(token->data, "%08xD.%V",
                    (uint32_t) (ngx_time() + NGX_HTTP_CX_TOKEN_TTL), visit);

    ngx_http_cx_token_mac(site, token->data, p - token->data, p + 1);

    *p++ = '.';
    p += 2 * NGX_HTTP_CX_TOKEN_MAC;

    token->len = p - token->data;

    return NGX_OK;
}


/*
 * The token's visit is not compared with that of the request: the visit key
 * changes at midnight and with the network, and an answer must not be lost
 * for it.
 */

ngx_int_t
ngx_http_cx_token_check(ngx_http_cx_site_t *site, ngx_str_t *token)
{
    size_t      len;
    u_char     *p, hex[2 * NGX_HTTP_CX_TOKEN_MAC], diff;
    time_t      expiry;
    ngx_uint_t  i;

    if (token->len < sizeof("00000000.-.") - 1 + sizeof(hex)
        || token->len > sizeof("00000000..") - 1 + NGX_HTTP_CX_VISIT_LEN
                        + sizeof(hex))
    {
        return NGX_DECLINED;
    }

    len = token->len - sizeof(hex) - 1;
    p = token->data;

    if (p[8] != '.' || p[len] != '.') {
        return NGX_DECLINED;
    }

    ngx_http_cx_token_mac(site, p, len, hex);

    diff = 0;

    for (i = 0; i < sizeof(hex); i++) {
        diff |= hex[i] ^ p[len + 1 + i];
    }

    if (diff) {
        return NGX_DECLINED;
    }

    expiry = ngx_hextoi(p, 8);

    return expiry >= ngx_time() ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_cx_token_mac(ngx_http_cx_site_t *site, u_char *claims, size_t len,
    u_char *hex)
{
    u_char     *p, text[NGX_HTTP_CX_TOKEN_TEXT], mac[NGX_HTTP_CX_TOKEN_MAC];
    ngx_str_t   s;

    p = ngx_cpymem(text, site->name.data,
                   ngx_min(site->name.len, NGX_HTTP_CX_SITE_MAX));
    *p++ = '\n';
    p = ngx_cpymem(p, claims, len);

    s.data = text;
    s.len = p - text;

    ngx_http_cx_visit_sign(&s, mac);
    ngx_hex_dump(hex, mac, sizeof(mac));
}
