
/*
 * What is wrong with Redis, said once: each kind of trouble is logged and
 * counted when it begins, and one line tells when all is well again.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_TROUBLE_TEXT  128      /* bytes of a reply in the log */


typedef struct {
    ngx_log_t     *log;
    ngx_str_t     *url;
    ngx_uint_t     kinds;                  /* that last, as bits */
    ngx_msec_t     since;
    ngx_uint_t     attempts;               /* to connect, since then */
} ngx_http_cx_trouble_t;


static ngx_http_cx_trouble_t  ngx_http_cx_trouble;


/* first words of error replies */

static struct {
    const char    *word;
    ngx_uint_t     kind;                   /* NGX_HTTP_CX_C_TROUBLE_* */
} ngx_http_cx_trouble_words[] = {
    { "NOAUTH", NGX_HTTP_CX_C_TROUBLE_AUTH },
    { "WRONGPASS", NGX_HTTP_CX_C_TROUBLE_AUTH },
    { "NOPERM", NGX_HTTP_CX_C_TROUBLE_AUTH },
    { "LOADING", NGX_HTTP_CX_C_TROUBLE_LOADING },
    { "READONLY", NGX_HTTP_CX_C_TROUBLE_READONLY },
    { "OOM", NGX_HTTP_CX_C_TROUBLE_OOM },
    { "NOSCRIPT", NGX_HTTP_CX_C_TROUBLE_NOSCRIPT },
    { NULL, NGX_HTTP_CX_C_TROUBLE_OTHER }
};


void
ngx_http_cx_trouble_init(ngx_log_t *log, ngx_str_t *url)
{
    ngx_http_cx_trouble.log = log;
    ngx_http_cx_trouble.url = url;
}


ngx_uint_t
ngx_http_cx_trouble_kind(ngx_str_t *reply, ngx_uint_t secret)
{
    char        *p, *where;
    size_t       len;
    ngx_uint_t   i, kind;

    p = (char *) reply->data;

    /* up to 6.2 scripts answer "ERR Error running script ...: -OOM ..." */

    if (ngx_strncmp(p, "ERR Error running script", 24) == 0) {
        where = strstr(p, ": -");
        p = where ? where + 3 : p;
    }

    for (i = 0; ngx_http_cx_trouble_words[i].word; i++) {
        len = ngx_strlen(ngx_http_cx_trouble_words[i].word);

        if (ngx_strncmp(p, ngx_http_cx_trouble_words[i].word, len) == 0
            && p[len] == ' ')
        {
            break;
        }
    }

    kind = ngx_http_cx_trouble_words[i].kind;

    if (kind == NGX_HTTP_CX_C_TROUBLE_OTHER && secret
        && (strstr(p, "AUTH") || strstr(p, "auth") || strstr(p, "password")))
    {
        /* this text may repeat what was sent */

        ngx_str_set(reply, "AUTH was refused");
        return NGX_HTTP_CX_C_TROUBLE_AUTH;
    }

    if (ngx_strncmp(p, "MOVED ", 6) == 0 || ngx_strncmp(p, "ASK ", 4) == 0) {
        ngx_str_set(reply, "it is a node of a Redis Cluster, which needs a "
                           "later version of this module");
        return kind;
    }

    /* Redis 7 adds which script it was, and where */

    where = strstr((char *) reply->data, " script: ");

    if (where) {
        reply->len = (u_char *) where - reply->data;
    }

    reply->len = ngx_min(reply->len, NGX_HTTP_CX_TROUBLE_TEXT);

    return kind;
}


void
ngx_http_cx_trouble_begin(ngx_uint_t kind, ngx_err_t err, ngx_str_t *text)
{
    ngx_uint_t              bit;
    ngx_http_cx_trouble_t  *t;

    t = &ngx_http_cx_trouble;
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

    ngx_log_error(NGX_LOG_ERR, t->log, err,
                  "cx: redis \"%V\": %V, events wait in the queue",
                  t->url, text);
}


void
ngx_http_cx_trouble_attempt(void)
{
    ngx_http_cx_trouble.attempts++;
}


void
ngx_http_cx_trouble_end(void)
{
    ngx_http_cx_trouble_t  *t;

    t = &ngx_http_cx_trouble;

    if (t->kinds == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, t->log, 0,
                  "cx: redis \"%V\" is back after %M ms and %ui attempts",
                  t->url, ngx_current_msec - t->since, t->attempts);

    t->kinds = 0;
}
