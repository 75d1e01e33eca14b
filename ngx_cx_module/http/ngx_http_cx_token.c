/*
 * Answer ids and the tokens that let them in, see include/cx_token.h: given
 * out with each survey, so that an answer can only come from who asked this
 * site for this survey within the last day, and only once.
 */

#include "ngx_http_cx.h"


#define NGX_HTTP_CX_TOKEN_TTL      86400       /* seconds */


static ngx_int_t ngx_http_cx_token_try(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *version, ngx_str_t *token);


#define ngx_http_cx_token_str(s)   ((const cx_str_t *) (s))


/* without a visit nobody is told apart, and so no answer */

ngx_int_t
ngx_http_cx_token_make(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *visit, u_char *answer,
    u_char *token)
{
    u_char         random[NGX_HTTP_CX_ANSWER_LEN / 2];
    const u_char  *key;

    key = ngx_http_cx_secret();

    if (visit->len) {
        if (cx_token_id(answer, key, ngx_http_cx_token_str(&site->name),
                        ngx_http_cx_token_str(&survey->id),
                        ngx_http_cx_token_str(&survey->version),
                        ngx_http_cx_token_str(visit), ngx_time() / 86400)
            == 0)
        {
            return NGX_ERROR;
        }

    } else if (ngx_http_cx_random(random, sizeof(random)) == NGX_OK) {
        ngx_hex_dump(answer, random, sizeof(random));

    } else {
        return NGX_ERROR;
    }

    return cx_token_make(token, key, ngx_http_cx_token_str(&site->name),
                         ngx_http_cx_token_str(&survey->id),
                         ngx_http_cx_token_str(&survey->version), answer,
                         ngx_time() + NGX_HTTP_CX_TOKEN_TTL)
           ? NGX_OK : NGX_ERROR;
}


/*
 * The visit is not compared with that of the request: the visit key changes
 * at midnight and with the network, and an answer must not be lost for it.
 */

ngx_int_t
ngx_http_cx_token_check(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *answer, ngx_str_t *token)
{
    if (token->len != NGX_HTTP_CX_TOKEN_LEN
        || answer->len != NGX_HTTP_CX_ANSWER_LEN
        || ngx_memcmp(token->data + 9, answer->data, NGX_HTTP_CX_ANSWER_LEN)
           != 0)
    {
        return NGX_ERROR;
    }

    return ngx_http_cx_token_try(site, survey, &survey->version, token);
}


ngx_int_t
ngx_http_cx_token_link(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *token)
{
    return ngx_http_cx_token_try(site, survey, NULL, token);
}


static ngx_int_t
ngx_http_cx_token_try(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_info_t *survey, ngx_str_t *version, ngx_str_t *token)
{
    switch (cx_token_check(ngx_http_cx_token_str(token), ngx_http_cx_secret(),
                           ngx_http_cx_token_str(&site->name),
                           ngx_http_cx_token_str(&survey->id),
                           ngx_http_cx_token_str(version), ngx_time()))
    {
    case CX_TOKEN_OK:
        return NGX_OK;

    case CX_TOKEN_EXPIRED:
        return NGX_DECLINED;

    default:
        return NGX_ERROR;
    }
}
