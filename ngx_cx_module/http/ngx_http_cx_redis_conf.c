
/*
 * cx_redis url: taken apart when the configuration is read.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_REDIS_PORT  6379


static const char *ngx_http_cx_redis_parse_tcp(ngx_conf_t *cf,
    ngx_http_cx_redis_conf_t *rc, u_char *p, u_char *last);
static const char *ngx_http_cx_redis_parse_user(ngx_conf_t *cf,
    ngx_http_cx_redis_conf_t *rc, u_char *p, u_char *last);
static const char *ngx_http_cx_redis_parse_unix(ngx_conf_t *cf,
    ngx_http_cx_redis_conf_t *rc, ngx_str_t *url);
static const char *ngx_http_cx_redis_parse_db(ngx_http_cx_redis_conf_t *rc,
    u_char *p, u_char *last);
static const char *ngx_http_cx_redis_decode(ngx_conf_t *cf, ngx_str_t *dst,
    u_char *p, u_char *last);


static const char  ngx_http_cx_redis_memory[] = "out of memory";


char *
ngx_http_cx_redis_parse(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    u_char                    *last;
    ngx_str_t                 *url;
    const char                *err;
    ngx_http_cx_redis_conf_t  *rc;

    if (cxmcf->redis) {
        return "is duplicate";
    }

    rc = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_redis_conf_t));
    if (rc == NULL) {
        return NGX_CONF_ERROR;
    }

    cxmcf->redis = rc;

    url = cf->args->elts;
    url++;
    last = url->data + url->len;

    if (cf->args->nelts > 2) {
        err = "several urls (Redis Cluster) are not supported by this version";

    } else if (ngx_strncmp(url->data, "rediss://", 9) == 0) {
        err = "\"rediss://\" (TLS) is not supported by this version";

    } else if (ngx_strncmp(url->data, "redis://", 8) == 0) {
        err = ngx_http_cx_redis_parse_tcp(cf, rc, url->data + 8, last);

    } else if (ngx_strncmp(url->data, "unix:", 5) == 0) {
        err = ngx_http_cx_redis_parse_unix(cf, rc, url);

    } else {
        err = "expected \"redis://[[user]:password@]host[:port][/db]\" or "
              "\"unix:/path[?db=n]\"";
    }

    if (err) {
        /* without the url, which may show a password */
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "cx_redis: %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* [[user]:password@]host[:port][/db] */

static const char *
ngx_http_cx_redis_parse_tcp(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *rc,
    u_char *p, u_char *last)
{
    u_char      *q, *end, *at;
    ngx_url_t    u;
    const char  *err;

    end = ngx_strlchr(p, last, '/');

    if (end == NULL) {
        end = last;

    } else if (ngx_strlchr(end, last, '@')) {
        return "expected special characters of user and password as \"%XX\", "
               "\"/\" as \"%2F\"";

    } else if (end + 1 < last) {
        err = ngx_http_cx_redis_parse_db(rc, end + 1, last);
        if (err) {
            return err;
        }
    }

    at = NULL;

    for (q = p; q < end; q++) {
        if (*q == '@') {
            at = q;
        }
    }

    if (at) {
        err = ngx_http_cx_redis_parse_user(cf, rc, p, at);
        if (err) {
            return err;
        }

        p = at + 1;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.data = p;
    u.url.len = end - p;
    u.default_port = NGX_HTTP_CX_REDIS_PORT;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {

        if (u.err && ngx_strcmp(u.err, "invalid port") == 0) {
            return "expected a port from 1 to 65535 after \"host:\"";
        }

        return "expected a host name, an IPv4 address or an IPv6 address in "
               "brackets, such as \"redis://127.0.0.1:6379\"";
    }

    if (u.naddrs) {
        rc->addrs = u.addrs;
        rc->naddrs = u.naddrs;

    } else {
        rc->host = u.host;
        rc->port = u.port;
    }

    rc->url.data = ngx_pnalloc(cf->pool, sizeof("redis://") + (last - p));
    if (rc->url.data == NULL) {
        return ngx_http_cx_redis_memory;
    }

    rc->url.len = ngx_sprintf(rc->url.data, "redis://%*s", last - p, p)
                  - rc->url.data;

    return NULL;
}


/* [user]:password */

static const char *
ngx_http_cx_redis_parse_user(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *rc,
    u_char *p, u_char *last)
{
    u_char      *colon;
    const char  *err;

    colon = ngx_strlchr(p, last, ':');

    if (colon == NULL || colon + 1 == last) {
        return "expected a password before \"@\": \":password@host\" or "
               "\"user:password@host\"";
    }

    err = ngx_http_cx_redis_decode(cf, &rc->user, p, colon);
    if (err) {
        return err;
    }

    return ngx_http_cx_redis_decode(cf, &rc->password, colon + 1, last);
}


/* unix:/path[?db=n] */

static const char *
ngx_http_cx_redis_parse_unix(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *rc,
    ngx_str_t *url)
{
    u_char      *last, *args;
    ngx_url_t    u;
    const char  *err;

    last = url->data + url->len;
    args = ngx_strlchr(url->data, last, '?');

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.data = url->data;
    u.url.len = (args ? args : last) - url->data;

    if (u.url.len < sizeof("unix:/x") - 1 || u.url.data[5] != '/'
        || ngx_parse_url(cf->pool, &u) != NGX_OK)
    {
        return "expected an absolute path after \"unix:\", short enough for a "
               "socket";
    }

    if (args) {

        if (last - args < 4 || ngx_strncmp(args, "?db=", 4) != 0) {
            return "expected \"?db=n\" or nothing after the path of the socket";
        }

        err = ngx_http_cx_redis_parse_db(rc, args + 4, last);
        if (err) {
            return err;
        }
    }

    rc->addrs = u.addrs;
    rc->naddrs = u.naddrs;
    rc->url = *url;

    return NULL;
}


static const char *
ngx_http_cx_redis_parse_db(ngx_http_cx_redis_conf_t *rc, u_char *p,
    u_char *last)
{
    if (last - p > 9 || ngx_atoi(p, last - p) == NGX_ERROR) {
        return "expected the number of a database at the end, such as "
               "\"redis://127.0.0.1:6379/2\" or \"unix:/path?db=2\"";
    }

    rc->db.data = p;
    rc->db.len = last - p;

    return NULL;
}


static const char *
ngx_http_cx_redis_decode(ngx_conf_t *cf, ngx_str_t *dst, u_char *p,
    u_char *last)
{
    u_char     *q;
    ngx_int_t   n;

    q = ngx_pnalloc(cf->pool, last - p + 1);
    if (q == NULL) {
        return ngx_http_cx_redis_memory;
    }

    dst->data = q;

    while (p < last) {

        if (*p != '%') {
            *q++ = *p++;
            continue;
        }

        n = (last - p < 3) ? NGX_ERROR : ngx_hextoi(p + 1, 2);

        if (n == NGX_ERROR) {
            return "expected two hex digits after each \"%\" in user and "
                   "password; \"%\" itself is written as \"%25\"";
        }

        *q++ = (u_char) n;
        p += 3;
    }

    dst->len = q - dst->data;

    return NULL;
}


ngx_int_t
ngx_http_cx_redis_lookup(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *conf)
{
    ngx_url_t  u;

    if (conf->naddrs || conf->resolver) {
        return NGX_OK;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = conf->host;
    u.default_port = conf->port;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "cx_redis: %s in \"%V\"; with a \"resolver\" in the http "
                      "block the name may be unknown when nginx starts",
                      u.err ? u.err : "out of memory", &conf->url);
        return NGX_ERROR;
    }

    conf->addrs = u.addrs;
    conf->naddrs = u.naddrs;

    return NGX_OK;
}
