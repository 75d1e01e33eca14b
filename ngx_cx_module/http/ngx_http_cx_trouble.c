
/*
 * What is wrong, said once: each kind of trouble is logged and counted when it
 * begins, and one line tells when all is well again.
 */


#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_TROUBLE_REPLY  128     /* bytes of a reply in the log */
#define NGX_HTTP_CX_TROUBLE_TEXT   256     /* for the status page */


static void ngx_http_cx_trouble_cut(ngx_str_t *reply);


static ngx_log_t  *ngx_http_cx_trouble_log;


/* counters of error replies; what is not here is "other" */

static const struct {
    cx_redis_error_e   error;
    ngx_uint_t         kind;               /* NGX_HTTP_CX_C_TROUBLE_* */
} ngx_http_cx_trouble_kinds[] = {
    { CX_REDIS_E_NOAUTH, NGX_HTTP_CX_C_TROUBLE_AUTH },
    { CX_REDIS_E_WRONGPASS, NGX_HTTP_CX_C_TROUBLE_AUTH },
    { CX_REDIS_E_NOPERM, NGX_HTTP_CX_C_TROUBLE_AUTH },
    { CX_REDIS_E_LOADING, NGX_HTTP_CX_C_TROUBLE_LOADING },
    { CX_REDIS_E_READONLY, NGX_HTTP_CX_C_TROUBLE_READONLY },
    { CX_REDIS_E_MASTERDOWN, NGX_HTTP_CX_C_TROUBLE_READONLY },
    { CX_REDIS_E_OOM, NGX_HTTP_CX_C_TROUBLE_OOM },
    { CX_REDIS_E_MISCONF, NGX_HTTP_CX_C_TROUBLE_REFUSED },
    { CX_REDIS_E_NOREPLICAS, NGX_HTTP_CX_C_TROUBLE_REFUSED },
    { CX_REDIS_E_WRONGTYPE, NGX_HTTP_CX_C_TROUBLE_REFUSED },
    { CX_REDIS_E_BUSY, NGX_HTTP_CX_C_TROUBLE_SLOW },
    { CX_REDIS_E_MOVED, NGX_HTTP_CX_C_TROUBLE_CLUSTER },
    { CX_REDIS_E_ASK, NGX_HTTP_CX_C_TROUBLE_CLUSTER },
    { CX_REDIS_E_TRYAGAIN, NGX_HTTP_CX_C_TROUBLE_CLUSTER },
    { CX_REDIS_E_CLUSTERDOWN, NGX_HTTP_CX_C_TROUBLE_CLUSTER },
    { CX_REDIS_E_NOSCRIPT, NGX_HTTP_CX_C_TROUBLE_NOSCRIPT }
};

#define NGX_HTTP_CX_TROUBLE_KINDS                                             \
    (sizeof(ngx_http_cx_trouble_kinds) / sizeof(ngx_http_cx_trouble_kinds[0]))


void
ngx_http_cx_trouble_init(ngx_log_t *log)
{
    ngx_http_cx_trouble_log = log;
}


ngx_uint_t
ngx_http_cx_trouble_kind(ngx_str_t *reply, ngx_uint_t secret)
{
    u_char            *last;
    cx_str_t           text;
    ngx_uint_t         i;
    cx_redis_error_e   error;

    text.len = reply->len;
    text.data = reply->data;

    error = cx_redis_error(&text);
    last = reply->data + reply->len;

    if (error == CX_REDIS_E_OTHER && secret
        && (ngx_strlcasestrn(reply->data, last, (u_char *) "auth", 3)
            || ngx_strlcasestrn(reply->data, last, (u_char *) "password", 7)))
    {
        /* this text may repeat what was sent */

        ngx_str_set(reply, "AUTH was refused");
        return NGX_HTTP_CX_C_TROUBLE_AUTH;
    }

    ngx_http_cx_trouble_cut(reply);

    /* what a script may not do has no word of its own */

    if (error == CX_REDIS_E_OTHER
        && (ngx_strnstr(reply->data, "user executing the script", reply->len)
            || ngx_strnstr(reply->data, "ACL failure", reply->len)))
    {
        return NGX_HTTP_CX_C_TROUBLE_AUTH;
    }

    for (i = 0; i < NGX_HTTP_CX_TROUBLE_KINDS; i++) {

        if (ngx_http_cx_trouble_kinds[i].error == error) {
            return ngx_http_cx_trouble_kinds[i].kind;
        }
    }

    return NGX_HTTP_CX_C_TROUBLE_OTHER;
}


/* one line of what it says, without which script it was, and where */

static void
ngx_http_cx_trouble_cut(ngx_str_t *reply)
{
    u_char    *p, *last;
    cx_str_t   text;

    text.len = reply->len;
    text.data = reply->data;

    cx_redis_error_text(&text);

    last = text.data + text.len;

    for (p = text.data; p < last && *p >= ' '; p++) { /* void */ }

    reply->data = text.data;
    reply->len = ngx_min(p - text.data, NGX_HTTP_CX_TROUBLE_REPLY);
}


void
ngx_http_cx_trouble_begin(ngx_http_cx_trouble_t *t, ngx_uint_t kind,
    ngx_err_t err, ngx_str_t *text)
{
    u_char     *p, *end;
    u_char      buf[NGX_HTTP_CX_TROUBLE_TEXT];
    ngx_str_t   last;
    ngx_uint_t  bit;

    bit = (ngx_uint_t) 1 << (kind - NGX_HTTP_CX_C_TROUBLE_CONNECT);

    if (t->kinds & bit) {
        return;
    }

    if (t->kinds == 0) {
        t->since = ngx_current_msec;
        t->attempts = 0;
    }

    t->kinds |= bit;

    ngx_http_cx_count(kind, 1);

    end = buf + sizeof(buf);
    p = ngx_slprintf(buf, end, "%V: %V", &t->name, text);

    if (err) {
        p = ngx_log_errno(p, end, err);
    }

    last.data = buf;
    last.len = p - buf;

    ngx_http_cx_gauge_error(&last);

    ngx_log_error(NGX_LOG_ERR, ngx_http_cx_trouble_log, err,
                  "cx: %V: %V", &t->name, text);
}


void
ngx_http_cx_trouble_attempt(ngx_http_cx_trouble_t *t)
{
    t->attempts++;
}


void
ngx_http_cx_trouble_end(ngx_http_cx_trouble_t *t)
{
    if (t->kinds == 0) {
        return;
    }

    if (t->attempts) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_trouble_log, 0,
                      "cx: %V is back after %M ms and %ui attempts",
                      &t->name, ngx_current_msec - t->since, t->attempts);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_trouble_log, 0,
                      "cx: %V is back after %M ms",
                      &t->name, ngx_current_msec - t->since);
    }

    t->kinds = 0;
}


void
ngx_http_cx_trouble_forget(ngx_http_cx_trouble_t *t)
{
    if (t->kinds == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_http_cx_trouble_log, 0,
                  "cx: %V is not needed any more, %M ms after its trouble "
                  "began", &t->name, ngx_current_msec - t->since);

    t->kinds = 0;
}
