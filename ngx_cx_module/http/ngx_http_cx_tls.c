
/*
 * TLS to Redis, by what nginx has for upstreams.
 */


#include "ngx_http_cx_conn.h"


#if (NGX_SSL)

#define NGX_HTTP_CX_TLS_DEPTH  9           /* certificates in a chain */


static void ngx_http_cx_tls_handler(ngx_connection_t *c);
static ngx_int_t ngx_http_cx_tls_check(ngx_http_cx_conn_t *conn,
    ngx_connection_t *c);
static void ngx_http_cx_tls_name(ngx_http_cx_conn_t *conn, ngx_str_t *name);
static ngx_uint_t ngx_http_cx_tls_address(ngx_str_t *name);


ngx_int_t
ngx_http_cx_tls_conf(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *conf)
{
    ngx_ssl_t           *ssl;
    ngx_str_t            ca, cert, key;
    cx_redis_target_t   *target;
    ngx_pool_cleanup_t  *cln;

    target = &conf->target;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (target->cert.len) {
        cert.len = target->cert.len;
        cert.data = target->cert.data;
        key.len = target->key.len;
        key.data = target->key.data;

        if (ngx_ssl_certificate(cf, ssl, &cert, &key, NULL) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (target->verify && target->ca.len) {
        ca.len = target->ca.len;
        ca.data = target->ca.data;

        if (ngx_ssl_trusted_certificate(cf, ssl, &ca, NGX_HTTP_CX_TLS_DEPTH)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (target->verify
               && SSL_CTX_set_default_verify_paths(ssl->ctx) != 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cx_redis: the system's certificates could not be "
                           "loaded, expected ca=file");
        return NGX_ERROR;
    }

    /* no callback: a handshake with an untrusted server fails */

    SSL_CTX_set_verify(ssl->ctx, target->verify ? SSL_VERIFY_PEER
                                                : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(ssl->ctx, SSL_SESS_CACHE_OFF);

    conf->ssl = ssl;

    return NGX_OK;
}


void
ngx_http_cx_tls_handshake(ngx_http_cx_conn_t *conn)
{
    ngx_int_t          rc;
    ngx_str_t          name;
    ngx_connection_t  *c;
    char               text[CX_REDIS_HOST];

    c = conn->connection;

    c->pool = ngx_create_pool(256, c->log);

    if (c->pool == NULL
        || ngx_ssl_create_connection(conn->conf->ssl, c, NGX_SSL_CLIENT)
           != NGX_OK)
    {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                              "no memory for TLS");
        return;
    }

    ngx_http_cx_tls_name(conn, &name);

    if (name.len && name.len < sizeof(text)
        && !ngx_http_cx_tls_address(&name))
    {
        ngx_cpystrn((u_char *) text, name.data, name.len + 1);

        if (SSL_set_tlsext_host_name(c->ssl->connection, text) != 1) {
            ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                                  "no memory for TLS");
            return;
        }
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_http_cx_tls_handler;
        return;
    }

    ngx_http_cx_tls_handler(c);
}


static void
ngx_http_cx_tls_handler(ngx_connection_t *c)
{
    long                 rc;
    ngx_str_t            reason;
    ngx_http_cx_conn_t  *conn;

    conn = c->data;

    if (c->ssl->handshaked) {

        if (!conn->conf->target.verify
            || ngx_http_cx_tls_check(conn, c) == NGX_OK)
        {
            ngx_http_cx_conn_greet(conn);
        }

        return;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (conn->conf->target.verify && rc != X509_V_OK) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                              "certificate verify failed: %s",
                              X509_verify_cert_error_string(rc));
        return;
    }

    ngx_http_cx_tls_reason(conn, &reason);

    if (reason.len == 0) {
        reason = conn->said;
    }

    ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                          "TLS handshake failed: %V", &reason);
}


/* whether a certificate that can be trusted is this server's; NGX_ERROR: conn
   is closed */

static ngx_int_t
ngx_http_cx_tls_check(ngx_http_cx_conn_t *conn, ngx_connection_t *c)
{
    int         rc;
    X509       *cert;
    ngx_str_t   name;
    char        text[CX_REDIS_HOST];

    ngx_http_cx_tls_name(conn, &name);

    if (ngx_http_cx_tls_address(&name)) {
        ngx_cpystrn((u_char *) text, name.data,
                    ngx_min(name.len + 1, sizeof(text)));

        cert = SSL_get_peer_certificate(c->ssl->connection);
        rc = cert && X509_check_ip_asc(cert, text, 0) == 1;

        X509_free(cert);

    } else {
        rc = (ngx_ssl_check_host(c, &name) == NGX_OK);
    }

    if (rc) {
        return NGX_OK;
    }

    ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                          "certificate verify failed: it is not for \"%V\"",
                          &name);

    return NGX_ERROR;
}


static void
ngx_http_cx_tls_name(ngx_http_cx_conn_t *conn, ngx_str_t *name)
{
    if (conn->conf->target.name.len) {
        name->len = conn->conf->target.name.len;
        name->data = conn->conf->target.name.data;
        return;
    }

    *name = conn->peer->name;
}


static ngx_uint_t
ngx_http_cx_tls_address(ngx_str_t *name)
{
    return ngx_strlchr(name->data, name->data + name->len, ':') != NULL
           || ngx_inet_addr(name->data, name->len) != INADDR_NONE;
}


void
ngx_http_cx_tls_close(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

    pool = c->pool;

    if (pool) {
        c->pool = NULL;
        ngx_destroy_pool(pool);
    }
}


/*
 * Of "SSL_read() failed (SSL: error:0A00045C:SSL routines::tlsv13 alert
 * certificate required:SSL alert number 116)" the part before the last colon.
 */

void
ngx_http_cx_tls_reason(ngx_http_cx_conn_t *conn, ngx_str_t *reason)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    reason->len = 0;

    last = conn->said.data + conn->said.len;
    p = conn->said.len
        ? ngx_strnstr(conn->said.data, "(SSL: error:", conn->said.len)
        : NULL;

    if (p == NULL) {
        return;
    }

    p += sizeof("(SSL: error:") - 1;

    for (n = 0; n < 3; n++) {
        p = ngx_strlchr(p, last, ':');
        if (p == NULL) {
            return;
        }

        p++;
    }

    reason->data = p;

    while (p < last && *p != ':' && *p != ')') {
        p++;
    }

    reason->len = p - reason->data;
}

#endif
