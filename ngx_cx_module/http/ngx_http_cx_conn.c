
/*
 * A connection to a node of Redis: hiredis formats and parses, nginx resolves,
 * connects, reads and writes.  Whatever goes wrong ends in
 * ngx_http_cx_conn_fail(): the connection is closed, its commands are answered
 * with NULL, and after a while it is made anew.
 */


#include "ngx_http_cx_conn.h"


#define NGX_HTTP_CX_CONN_DELAY_MIN  100    /* ms between attempts */
#define NGX_HTTP_CX_CONN_DELAY_MAX  5000


static void ngx_http_cx_conn_resolve(ngx_http_cx_conn_t *conn);
static void ngx_http_cx_conn_resolve_handler(ngx_resolver_ctx_t *ctx);
static void ngx_http_cx_conn_connect(ngx_http_cx_conn_t *conn,
    struct sockaddr *sockaddr, socklen_t socklen);
static void ngx_http_cx_conn_connect_handler(ngx_event_t *ev);
static void ngx_http_cx_conn_connected(ngx_http_cx_conn_t *conn);
static void ngx_http_cx_conn_shut(ngx_http_cx_conn_t *conn);


void
ngx_http_cx_conn_await(ngx_http_cx_conn_t *conn)
{
    conn->overdue = 0;

    ngx_add_timer(&conn->timeout,
                  conn->state == ngx_http_cx_conn_usable
                  && conn->kind == NGX_HTTP_CX_CONN_NODE
                  ? NGX_HTTP_CX_CONN_SLOW : ngx_http_cx_conn_patience(conn));
}


void
ngx_http_cx_conn_open(ngx_http_cx_conn_t *conn)
{
    ngx_addr_t                *addr;
    ngx_sockaddr_t             sockaddr;
    ngx_http_cx_redis_peer_t  *peer;

    if (conn->state != ngx_http_cx_conn_closed || conn->retry.timer_set) {
        return;
    }

    ngx_http_cx_trouble_attempt(&conn->trouble);

    peer = conn->peer;

    if (peer->naddrs == 0) {

        if (conn->conf->resolver) {
            ngx_http_cx_conn_resolve(conn);
            return;
        }

        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                              "no address for \"%V\", which needs a "
                              "\"resolver\" in the http block", &peer->host);
        return;
    }

    addr = &peer->addrs[conn->turn++ % peer->naddrs];

    ngx_memcpy(&sockaddr, addr->sockaddr, addr->socklen);

    if (peer->port) {
        ngx_inet_set_port(&sockaddr.sockaddr, peer->port);
    }

    ngx_http_cx_conn_connect(conn, &sockaddr.sockaddr, addr->socklen);
}


static void
ngx_http_cx_conn_resolve(ngx_http_cx_conn_t *conn)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(conn->conf->resolver, NULL);

    if (ctx && ctx != NGX_NO_RESOLVER) {
        ctx->name = conn->peer->host;
        ctx->handler = ngx_http_cx_conn_resolve_handler;
        ctx->data = conn;
        ctx->timeout = NGX_HTTP_CX_CONN_CONNECT;
        ctx->cancelable = 1;

        conn->state = ngx_http_cx_conn_resolving;
        conn->resolve = ctx;

        /* may call the handler at once, and frees ctx on errors */

        if (ngx_resolve_name(ctx) == NGX_OK) {
            return;
        }

        conn->resolve = NULL;
    }

    ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                          "could not ask for the address of \"%V\"",
                          &conn->peer->host);
}


static void
ngx_http_cx_conn_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    socklen_t             socklen;
    ngx_sockaddr_t        sockaddr;
    ngx_resolver_addr_t  *addr;
    ngx_http_cx_conn_t   *conn;

    conn = ctx->data;

    if (ctx->state) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                              "\"%V\" could not be resolved (%i: %s)",
                              &conn->peer->host, ctx->state,
                              ngx_resolver_strerror(ctx->state));
        return;
    }

    addr = &ctx->addrs[conn->turn++ % ctx->naddrs];

    socklen = addr->socklen;
    ngx_memcpy(&sockaddr, addr->sockaddr, socklen);
    ngx_inet_set_port(&sockaddr.sockaddr, conn->peer->port);

    conn->resolve = NULL;
    ngx_resolve_name_done(ctx);

    ngx_http_cx_conn_connect(conn, &sockaddr.sockaddr, socklen);
}


static void
ngx_http_cx_conn_connect(ngx_http_cx_conn_t *conn, struct sockaddr *sockaddr,
    socklen_t socklen)
{
    ngx_int_t               rc;
    ngx_err_t               err;
    ngx_connection_t       *c;
    ngx_peer_connection_t   pc;

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = sockaddr;
    pc.socklen = socklen;
    pc.name = &conn->peer->name;
    pc.get = ngx_event_get_peer;
    pc.log = &conn->log;
    pc.log_error = NGX_ERROR_ERR;
    pc.so_keepalive = (sockaddr->sa_family != AF_UNIX);

    conn->state = ngx_http_cx_conn_connecting;
    conn->said.len = 0;

    ngx_set_errno(0);

    rc = ngx_event_connect_peer(&pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        err = ngx_socket_errno;
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT, err,
                              err ? "connect() failed"
                                  : "no worker_connections left for it");
        return;
    }

    c = pc.connection;
    c->data = conn;
    c->idle = 1;
    c->read->handler = ngx_http_cx_conn_connect_handler;
    c->write->handler = ngx_http_cx_conn_connect_handler;

    conn->connection = c;
    conn->reader = redisReaderCreate();

    if (conn->reader == NULL) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                              "no memory for a connection");
        return;
    }

    ngx_add_timer(&conn->timeout, NGX_HTTP_CX_CONN_CONNECT);

    if (rc == NGX_OK) {
        ngx_http_cx_conn_connected(conn);
    }
}


static void
ngx_http_cx_conn_connect_handler(ngx_event_t *ev)
{
    int                  err;
    socklen_t            len;
    ngx_connection_t    *c;
    ngx_http_cx_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (ngx_http_cx_conn_quit(c)) {
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT, err,
                              "connect() failed");
        return;
    }

    if (ev->write) {
        ngx_http_cx_conn_connected(conn);
    }
}


static void
ngx_http_cx_conn_connected(ngx_http_cx_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->connection;

    if (conn->peer->port && c->tcp_nodelay != NGX_TCP_NODELAY_DISABLED
        && ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT,
                              ngx_socket_errno, "TCP_NODELAY failed");
        return;
    }

    ngx_add_timer(&conn->timeout, ngx_http_cx_conn_patience(conn));

#if (NGX_SSL)

    if (conn->conf->ssl) {
        conn->state = ngx_http_cx_conn_handshaking;
        ngx_http_cx_tls_handshake(conn);
        return;
    }

#endif

    ngx_http_cx_conn_greet(conn);
}


void
ngx_http_cx_conn_opened(ngx_http_cx_conn_t *conn)
{
    conn->state = ngx_http_cx_conn_usable;

    if (conn->kind == NGX_HTTP_CX_CONN_NODE) {
        ngx_http_cx_count(NGX_HTTP_CX_C_CONNECTS, 1);
    }

    conn->handlers->opened(conn);
}


ngx_uint_t
ngx_http_cx_conn_quit(ngx_connection_t *c)
{
    if (!c->close) {
        return 0;
    }

    c->close = 0;
    ngx_http_cx_writer_quit();

    return 1;
}


void
ngx_http_cx_conn_timeout_handler(ngx_event_t *ev)
{
    ngx_http_cx_conn_t  *conn;

    conn = ngx_http_cx_conn_of(ev);

    switch (conn->state) {

    case ngx_http_cx_conn_connecting:
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CONNECT,
                              NGX_ETIMEDOUT, "connect() failed");
        break;

    case ngx_http_cx_conn_handshaking:
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                              "no TLS handshake within %M ms",
                              ngx_http_cx_conn_patience(conn));
        break;

    case ngx_http_cx_conn_usable:

        if (conn->kind == NGX_HTTP_CX_CONN_NODE
            && ++conn->overdue * NGX_HTTP_CX_CONN_SLOW
               < NGX_HTTP_CX_CONN_REPLY)
        {
            ngx_add_timer(&conn->timeout, NGX_HTTP_CX_CONN_SLOW);
            conn->handlers->slow(conn);
            break;
        }

        /* fall through */

    default:
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TIMEOUT, 0,
                              "no reply within %M ms",
                              ngx_http_cx_conn_patience(conn));
    }
}


void
ngx_http_cx_conn_retry_handler(ngx_event_t *ev)
{
    ngx_http_cx_conn_open(ngx_http_cx_conn_of(ev));
}


void
ngx_http_cx_conn_well(ngx_http_cx_conn_t *conn)
{
    conn->delay = 0;
    conn->reloaded = 0;

    ngx_http_cx_trouble_end(&conn->trouble);
}


void
ngx_http_cx_conn_fail(ngx_http_cx_conn_t *conn, ngx_uint_t kind, ngx_err_t err,
    const char *fmt, ...)
{
    va_list     args;
    ngx_uint_t  generation;

    va_start(args, fmt);
    conn->error.data = conn->error_text;
    conn->error.len = ngx_vslprintf(conn->error_text, conn->error_text
                                    + sizeof(conn->error_text), fmt, args)
                      - conn->error_text;
    va_end(args);

    conn->err = err;

    ngx_http_cx_conn_shut(conn);
    generation = conn->generation;

    if (conn->kind == NGX_HTTP_CX_CONN_NODE) {

        ngx_http_cx_trouble_begin(&conn->trouble, kind, err, &conn->error);

        conn->delay = conn->delay
                      ? ngx_min(conn->delay * 2, NGX_HTTP_CX_CONN_DELAY_MAX)
                      : NGX_HTTP_CX_CONN_DELAY_MIN;

        /* half to one and a half of it, so that workers come one by one */

        ngx_add_timer(&conn->retry,
                      conn->delay / 2 + ngx_random() % conn->delay);
    }

    ngx_http_cx_conn_lose(conn);

    /* a handler may have closed or opened it */

    if (conn->generation == generation
        && conn->state == ngx_http_cx_conn_closed)
    {
        conn->handlers->closed(conn, kind);
    }
}


void
ngx_http_cx_conn_refused(ngx_http_cx_conn_t *conn, redisReply *reply,
    ngx_uint_t secret)
{
    ngx_str_t   text;
    ngx_uint_t  kind;

    text.data = (u_char *) reply->str;
    text.len = reply->len;

    kind = ngx_http_cx_trouble_kind(&text, secret);
    ngx_http_cx_conn_fail(conn, kind, 0, "%V", &text);
}


void
ngx_http_cx_conn_idle(ngx_http_cx_conn_t *conn)
{
    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "cx: %V closed an idle connection", &conn->trouble.name);

    ngx_http_cx_conn_shut(conn);
    ngx_http_cx_conn_lose(conn);

    if (conn->state == ngx_http_cx_conn_closed) {
        conn->handlers->closed(conn, 0);
    }
}


void
ngx_http_cx_conn_close(ngx_http_cx_conn_t *conn)
{
    ngx_http_cx_conn_shut(conn);

    if (conn->retry.timer_set) {
        ngx_del_timer(&conn->retry);
    }

    conn->delay = 0;

    ngx_http_cx_conn_lose(conn);
}


void
ngx_http_cx_conn_drop(ngx_http_cx_conn_t *conn)
{
    ngx_http_cx_conn_shut(conn);
    ngx_http_cx_conn_forget(conn);

    if (conn->retry.timer_set) {
        ngx_del_timer(&conn->retry);
    }

    conn->delay = 0;
}


/* closes the socket; commands are lost, but nobody is told yet */

static void
ngx_http_cx_conn_shut(ngx_http_cx_conn_t *conn)
{
    ngx_connection_t  *c;

    if (conn->timeout.timer_set) {
        ngx_del_timer(&conn->timeout);
    }

    if (conn->write.posted) {
        ngx_delete_posted_event(&conn->write);
    }

    if (conn->resolve) {
        ngx_resolve_name_done(conn->resolve);
        conn->resolve = NULL;
    }

    conn->out = NULL;
    conn->last = &conn->out;

    if (!ngx_queue_empty(&conn->sent)) {
        ngx_queue_add(&conn->lost, &conn->sent);
        ngx_queue_init(&conn->sent);
    }

    if (conn->reader) {
        redisReaderFree(conn->reader);
        conn->reader = NULL;
    }

    c = conn->connection;

    if (c) {
        conn->connection = NULL;

#if (NGX_SSL)
        ngx_http_cx_tls_close(c);
#endif

        ngx_close_connection(c);
    }

    conn->state = ngx_http_cx_conn_closed;
    conn->loading = 0;
    conn->generation++;
}
