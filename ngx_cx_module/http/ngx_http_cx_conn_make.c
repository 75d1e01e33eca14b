
/*
 * A connection's parts, before it goes anywhere: events, log, and what it says
 * first.
 */


#include "ngx_http_cx_conn.h"


static ngx_int_t ngx_http_cx_conn_make_hello(ngx_http_cx_conn_t *conn,
    ngx_str_t *script);
static ngx_int_t ngx_http_cx_conn_add_hello(ngx_http_cx_conn_t *conn, int argc,
    ngx_str_t *args);
static void ngx_http_cx_conn_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len);


ngx_http_cx_conn_t *
ngx_http_cx_conn_create(ngx_pool_t *pool, ngx_http_cx_redis_conf_t *conf,
    ngx_uint_t kind, ngx_str_t *script, ngx_http_cx_conn_handlers_t *handlers)
{
    ngx_http_cx_conn_t  *conn;

    conn = ngx_pcalloc(pool, sizeof(ngx_http_cx_conn_t));
    if (conn == NULL) {
        return NULL;
    }

    conn->conf = conf;
    conn->kind = kind;
    conn->pool = pool;
    conn->handlers = handlers;

    conn->last = &conn->out;
    ngx_queue_init(&conn->sent);
    ngx_queue_init(&conn->lost);

    conn->log = *ngx_cycle->log;
    conn->log.handler = NULL;
    conn->log.writer = ngx_http_cx_conn_log;
    conn->log.wdata = conn;
    conn->log.next = NULL;

    if (conn->log.log_level < NGX_LOG_INFO) {
        conn->log.log_level = NGX_LOG_INFO;
    }

    conn->dummy.fd = (ngx_socket_t) -1;
    conn->dummy.data = conn;

    conn->write.handler = ngx_http_cx_conn_write_handler;
    conn->write.data = &conn->dummy;
    conn->write.log = ngx_cycle->log;

    /* it is the writer who decides how long an exiting worker waits */

    conn->timeout.handler = ngx_http_cx_conn_timeout_handler;
    conn->timeout.data = &conn->dummy;
    conn->timeout.log = ngx_cycle->log;
    conn->timeout.cancelable = 1;

    conn->retry.handler = ngx_http_cx_conn_retry_handler;
    conn->retry.data = &conn->dummy;
    conn->retry.log = ngx_cycle->log;
    conn->retry.cancelable = 1;

    if (ngx_http_cx_conn_make_hello(conn, script) != NGX_OK) {
        return NULL;
    }

    return conn;
}


static ngx_int_t
ngx_http_cx_conn_make_hello(ngx_http_cx_conn_t *conn, ngx_str_t *script)
{
    int                 argc;
    cx_str_t           *user, *password;
    u_char              db[NGX_INT_T_LEN];
    ngx_str_t           args[3];
    cx_redis_target_t  *target;

    target = &conn->conf->target;

    if (conn->kind == NGX_HTTP_CX_CONN_SENTINEL) {
        user = &target->sentinel_user;
        password = &target->sentinel_password;

    } else {
        user = &target->user;
        password = &target->password;
    }

    if (password->len) {
        conn->secret = 1;

        ngx_str_set(&args[0], "AUTH");
        argc = 1;

        if (user->len) {
            args[argc].len = user->len;
            args[argc++].data = user->data;
        }

        args[argc].len = password->len;
        args[argc++].data = password->data;

        if (ngx_http_cx_conn_add_hello(conn, argc, args) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (target->db && conn->kind == NGX_HTTP_CX_CONN_NODE) {
        ngx_str_set(&args[0], "SELECT");
        args[1].data = db;
        args[1].len = ngx_sprintf(db, "%ud", target->db) - db;

        if (ngx_http_cx_conn_add_hello(conn, 2, args) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (script == NULL) {
        return NGX_OK;
    }

    ngx_str_set(&args[0], "SCRIPT");
    ngx_str_set(&args[1], "LOAD");
    args[2] = *script;

    return ngx_http_cx_conn_add_hello(conn, 3, args);
}


static ngx_int_t
ngx_http_cx_conn_add_hello(ngx_http_cx_conn_t *conn, int argc, ngx_str_t *args)
{
    int          i, len;
    char        *text;
    size_t       had, lens[3];
    u_char      *p;
    const char  *argv[3];

    for (i = 0; i < argc; i++) {
        argv[i] = (const char *) args[i].data;
        lens[i] = args[i].len;
    }

    len = redisFormatCommandArgv(&text, argc, argv, lens);
    if (len < 0) {
        return NGX_ERROR;
    }

    had = conn->hello_last - conn->hello;

    p = ngx_pnalloc(conn->pool, had + len);

    if (p) {
        if (had) {
            ngx_memcpy(p, conn->hello, had);
        }

        conn->hello_load = p + had;
        conn->hello_last = ngx_cpymem(p + had, text, len);
        conn->hello = p;
        conn->nhello++;
    }

    redisFreeCommand(text);

    return p ? NGX_OK : NGX_ERROR;
}


void
ngx_http_cx_conn_point(ngx_http_cx_conn_t *conn,
    ngx_http_cx_redis_peer_t *peer, ngx_str_t *name)
{
    conn->peer = peer;
    conn->delay = 0;

    conn->trouble.name.data = conn->name;
    conn->trouble.name.len = ngx_snprintf(conn->name, sizeof(conn->name),
                                          "redis \"%V\"", name) - conn->name;
}


ngx_uint_t
ngx_http_cx_conn_ready(ngx_http_cx_conn_t *conn)
{
    return conn->state == ngx_http_cx_conn_usable;
}


ngx_uint_t
ngx_http_cx_conn_wanted(ngx_http_cx_conn_t *conn)
{
    return conn->state != ngx_http_cx_conn_closed || conn->retry.timer_set;
}


ngx_http_cx_redis_peer_t *
ngx_http_cx_conn_peer(ngx_http_cx_conn_t *conn)
{
    return conn->peer;
}


ngx_http_cx_trouble_t *
ngx_http_cx_conn_trouble(ngx_http_cx_conn_t *conn)
{
    return &conn->trouble;
}


ngx_str_t *
ngx_http_cx_conn_error(ngx_http_cx_conn_t *conn, ngx_err_t *err)
{
    *err = conn->err;

    return &conn->error;
}


ngx_msec_t
ngx_http_cx_conn_patience(ngx_http_cx_conn_t *conn)
{
    return conn->kind == NGX_HTTP_CX_CONN_NODE ? NGX_HTTP_CX_CONN_REPLY
                                               : NGX_HTTP_CX_CONN_SCOUTS;
}


/*
 * Writer of the socket's log.  What nginx says of it is kept for our one line;
 * what is for debugging, or about a bug, goes on to the error log, but for
 * "worker_connections are not enough" at each attempt to connect.
 */

static void
ngx_http_cx_conn_log(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    u_char              *p, *last;
    ngx_http_cx_conn_t  *conn;

    conn = log->wdata;

    /* without date, "[level] pid#tid: " and "*number " */

    last = buf + len - NGX_LINEFEED_SIZE;
    p = ngx_strlchr(buf, last, '#');
    p = p ? ngx_strlchr(p, last, ' ') : NULL;
    p = p ? p + 1 : buf;

    if (p < last && *p == '*') {
        buf = ngx_strlchr(p, last, ' ');
        p = buf ? buf + 1 : p;
    }

    if (level >= NGX_LOG_DEBUG || (level <= NGX_LOG_ALERT && conn->connection))
    {
        ngx_log_error_core(level, ngx_cycle->log, 0, "%*s",
                           (size_t) (last - p), p);
        return;
    }

    conn->said.data = conn->said_text;
    conn->said.len = ngx_min((size_t) (last - p), sizeof(conn->said_text));
    ngx_memcpy(conn->said_text, p, conn->said.len);
}
