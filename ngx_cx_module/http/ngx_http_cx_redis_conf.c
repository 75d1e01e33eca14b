
/*
 * cx_redis: its words, when the configuration is read.
 */


#include "ngx_http_cx_redis.h"
#include "ngx_http_cx_conn.h"


static char *ngx_http_cx_redis_seeds(ngx_conf_t *cf,
    ngx_http_cx_redis_conf_t *rc);
static ngx_int_t ngx_http_cx_redis_url(ngx_conf_t *cf, cx_redis_addr_t *addr,
    ngx_url_t *u);


char *
ngx_http_cx_redis_parse(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    cx_str_t                  *words;
    ngx_str_t                 *value;
    ngx_uint_t                 i, n;
    const char                *err;
    ngx_http_cx_redis_conf_t  *rc;

    if (cxmcf->redis) {
        return "is duplicate";
    }

    n = cf->args->nelts - 1;
    value = cf->args->elts;
    value++;

    rc = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_redis_conf_t));
    words = ngx_palloc(cf->pool, n * sizeof(cx_str_t));

    if (rc == NULL || words == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        words[i].len = value[i].len;
        words[i].data = value[i].data;
    }

    err = cx_redis_target(&rc->target, words, n);

    if (err) {
        /* without the words, which may show a password */
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "cx_redis: %s", err);
        return NGX_CONF_ERROR;
    }

    rc->label.data = (u_char *) rc->target.label;
    rc->label.len = ngx_strlen(rc->target.label);

    cxmcf->redis = rc;

    if (rc->target.tls) {

#if (NGX_SSL)
        if (ngx_http_cx_tls_conf(cf, rc) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
#else
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cx_redis: this nginx was built without OpenSSL, "
                           "expected \"redis://\" or \"sentinel://\"");
        return NGX_CONF_ERROR;
#endif
    }

    return ngx_http_cx_redis_seeds(cf, rc);
}


static char *
ngx_http_cx_redis_seeds(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *rc)
{
    ngx_url_t                  u;
    ngx_uint_t                 i;
    cx_redis_addr_t           *addr;
    ngx_http_cx_redis_peer_t  *peer;

    for (i = 0; i < rc->target.n; i++) {

        addr = &rc->target.seed[i];
        peer = &rc->seed[i];

        if (ngx_http_cx_redis_url(cf, addr, &u) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "cx_redis: %s in \"%V\"",
                               u.err ? u.err : "out of memory", &rc->label);
            return NGX_CONF_ERROR;
        }

        if (addr->host.len) {
            peer->name.len = addr->host.len;
            peer->name.data = addr->host.data;
            peer->port = addr->port;

        } else {
            peer->name.len = addr->path.len;
            peer->name.data = addr->path.data;
        }

        if (u.naddrs) {
            peer->addrs = u.addrs;
            peer->naddrs = u.naddrs;

        } else {
            peer->host = peer->name;
        }
    }

    return NGX_CONF_OK;
}


/* addresses, if no name has to be looked up */

static ngx_int_t
ngx_http_cx_redis_url(ngx_conf_t *cf, cx_redis_addr_t *addr, ngx_url_t *u)
{
    u_char      *p;
    size_t       len;
    const char  *format;

    ngx_memzero(u, sizeof(ngx_url_t));

    len = sizeof("unix:[]:65535") + addr->host.len + addr->path.len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (addr->host.len == 0) {
        u->url.len = ngx_snprintf(p, len, "unix:%*s", addr->path.len,
                                  addr->path.data) - p;

    } else {
        format = ngx_strlchr(addr->host.data, addr->host.data + addr->host.len,
                             ':')
                 ? "[%*s]:%ud" : "%*s:%ud";

        u->url.len = ngx_snprintf(p, len, format, addr->host.len,
                                  addr->host.data, addr->port) - p;
    }

    u->url.data = p;
    u->no_resolve = 1;

    return ngx_parse_url(cf->pool, u);
}


ngx_int_t
ngx_http_cx_redis_lookup(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *conf)
{
    ngx_url_t                  u;
    ngx_uint_t                 i;
    ngx_http_cx_redis_peer_t  *peer;

    if (conf->resolver) {
        return NGX_OK;
    }

    for (i = 0; i < conf->target.n; i++) {

        peer = &conf->seed[i];

        if (peer->naddrs) {
            continue;
        }

        ngx_memzero(&u, sizeof(ngx_url_t));

        u.url = peer->host;
        u.default_port = peer->port;

        if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "cx_redis: %s in \"%V\"; with a \"resolver\" in the "
                          "http block the name may be unknown when nginx "
                          "starts", u.err ? u.err : "out of memory",
                          &peer->host);
            return NGX_ERROR;
        }

        peer->addrs = u.addrs;
        peer->naddrs = u.naddrs;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_redis_literal(ngx_str_t *host, in_port_t port, ngx_addr_t *addr,
    ngx_sockaddr_t *sockaddr)
{
    in_addr_t  inaddr;

    ngx_memzero(sockaddr, sizeof(ngx_sockaddr_t));

    addr->name = *host;
    addr->sockaddr = &sockaddr->sockaddr;

    inaddr = ngx_inet_addr(host->data, host->len);

    if (inaddr != INADDR_NONE) {
        sockaddr->sockaddr_in.sin_family = AF_INET;
        sockaddr->sockaddr_in.sin_addr.s_addr = inaddr;
        addr->socklen = sizeof(struct sockaddr_in);

#if (NGX_HAVE_INET6)

    } else if (ngx_inet6_addr(host->data, host->len,
                              sockaddr->sockaddr_in6.sin6_addr.s6_addr)
               == NGX_OK)
    {
        sockaddr->sockaddr_in6.sin6_family = AF_INET6;
        addr->socklen = sizeof(struct sockaddr_in6);

#endif

    } else {
        return NGX_DECLINED;
    }

    ngx_inet_set_port(addr->sockaddr, port);

    return NGX_OK;
}
