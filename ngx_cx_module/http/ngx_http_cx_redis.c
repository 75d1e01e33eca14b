
/*
 * The worker's one connection to Redis: hiredis formats and parses, nginx
 * resolves, connects, reads and writes.  Whatever goes wrong ends in
 * ngx_http_cx_redis_fail(): the connection is closed and, after a while, made
 * anew.
 */


#include "ngx_http_cx.h"
#include <hiredis/hiredis.h>


#define NGX_HTTP_CX_REDIS_CONNECT    1000  /* ms */
#define NGX_HTTP_CX_REDIS_REPLY      3000
#define NGX_HTTP_CX_REDIS_DELAY_MIN  100   /* between attempts */
#define NGX_HTTP_CX_REDIS_DELAY_MAX  5000

#define NGX_HTTP_CX_REDIS_READ       4096  /* bytes a recv() */
#define NGX_HTTP_CX_REDIS_TEXT       256   /* bytes of what went wrong */


typedef enum {
    ngx_http_cx_redis_closed,
    ngx_http_cx_redis_resolving,
    ngx_http_cx_redis_connecting,
    ngx_http_cx_redis_hello,               /* AUTH, SELECT, SCRIPT LOAD */
    ngx_http_cx_redis_open
} ngx_http_cx_redis_state_e;


typedef struct {
    ngx_http_cx_redis_conf_t       *conf;
    ngx_http_cx_redis_handlers_t   *handlers;
    ngx_log_t                       log;
    ngx_log_t                       quiet; /* of the connection: what core
                                              would say, we say once */
    ngx_http_cx_redis_state_e       state;
    ngx_connection_t               *connection;
    ngx_resolver_ctx_t             *resolve;
    ngx_uint_t                      turn;  /* of the addresses */
    redisReader                    *reader;
    ngx_uint_t                      waiting;  /* replies that must come */

    ngx_chain_t                    *out;
    ngx_chain_t                   **last;
    ngx_chain_t                    *free;

    u_char                         *hello; /* first commands, and how many */
    u_char                         *hello_last;
    ngx_uint_t                      nhello;

    ngx_event_t                     write; /* posted: out is to be written */
    ngx_event_t                     timeout;
    ngx_event_t                     retry;
    ngx_connection_t                dummy;
    ngx_msec_t                      delay;

    unsigned                        reloaded:1; /* after NOSCRIPT, no ack yet */
} ngx_http_cx_redis_t;


static ngx_int_t ngx_http_cx_redis_make_hello(ngx_pool_t *pool,
    ngx_str_t *script);
static ngx_int_t ngx_http_cx_redis_add_hello(ngx_pool_t *pool, int argc,
    ngx_str_t *args);
static void ngx_http_cx_redis_resolve(void);
static void ngx_http_cx_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static void ngx_http_cx_redis_connect_to(struct sockaddr *sockaddr,
    socklen_t socklen);
static void ngx_http_cx_redis_connect_handler(ngx_event_t *ev);
static void ngx_http_cx_redis_connected(void);
static void ngx_http_cx_redis_read_handler(ngx_event_t *rev);
static void ngx_http_cx_redis_write_handler(ngx_event_t *ev);
static void ngx_http_cx_redis_timeout_handler(ngx_event_t *ev);
static void ngx_http_cx_redis_retry_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_cx_redis_quit(ngx_connection_t *c);
static ngx_int_t ngx_http_cx_redis_replies(void);
static ngx_int_t ngx_http_cx_redis_reply(redisReply *reply);
static void ngx_http_cx_redis_error(redisReply *reply);
static void ngx_http_cx_redis_fail(ngx_uint_t kind, ngx_err_t err,
    const char *fmt, ...);
static void ngx_http_cx_redis_shut(void);
static u_char *ngx_http_cx_redis_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


static ngx_http_cx_redis_t  ngx_http_cx_redis;


ngx_int_t
ngx_http_cx_redis_init(ngx_cycle_t *cycle, ngx_http_cx_redis_conf_t *conf,
    ngx_str_t *script, ngx_uint_t requests,
    ngx_http_cx_redis_handlers_t *handlers)
{
    ngx_chain_t          *cl;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    rd->conf = conf;
    rd->handlers = handlers;
    rd->last = &rd->out;

    rd->log = *cycle->log;
    rd->log.handler = ngx_http_cx_redis_log_error;
    rd->log.data = NULL;

    ngx_http_cx_trouble_init(&rd->log, &conf->url);

    rd->quiet = rd->log;
    if (rd->quiet.log_level <= NGX_LOG_DEBUG) {
        rd->quiet.log_level = ngx_min(rd->log.log_level, NGX_LOG_ALERT);
    }

    rd->dummy.fd = (ngx_socket_t) -1;

    rd->write.handler = ngx_http_cx_redis_write_handler;
    rd->write.data = &rd->dummy;
    rd->write.log = cycle->log;

    /* it is the writer who decides how long an exiting worker waits */

    rd->timeout.handler = ngx_http_cx_redis_timeout_handler;
    rd->timeout.data = &rd->dummy;
    rd->timeout.log = cycle->log;
    rd->timeout.cancelable = 1;

    rd->retry.handler = ngx_http_cx_redis_retry_handler;
    rd->retry.data = &rd->dummy;
    rd->retry.log = cycle->log;
    rd->retry.cancelable = 1;

    /* one for the hello */

    for (requests++; requests; requests--) {

        cl = ngx_alloc_chain_link(cycle->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        cl->buf = ngx_calloc_buf(cycle->pool);
        if (cl->buf == NULL) {
            return NGX_ERROR;
        }

        cl->buf->memory = 1;
        cl->next = rd->free;
        rd->free = cl;
    }

    return ngx_http_cx_redis_make_hello(cycle->pool, script);
}


static ngx_int_t
ngx_http_cx_redis_make_hello(ngx_pool_t *pool, ngx_str_t *script)
{
    int                        argc;
    ngx_str_t                  args[3];
    ngx_http_cx_redis_conf_t  *conf;

    conf = ngx_http_cx_redis.conf;

    if (conf->password.len) {
        ngx_str_set(&args[0], "AUTH");
        argc = 1;

        if (conf->user.len) {
            args[argc++] = conf->user;
        }

        args[argc++] = conf->password;

        if (ngx_http_cx_redis_add_hello(pool, argc, args) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->db.len) {
        ngx_str_set(&args[0], "SELECT");
        args[1] = conf->db;

        if (ngx_http_cx_redis_add_hello(pool, 2, args) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&args[0], "SCRIPT");
    ngx_str_set(&args[1], "LOAD");
    args[2] = *script;

    return ngx_http_cx_redis_add_hello(pool, 3, args);
}


static ngx_int_t
ngx_http_cx_redis_add_hello(ngx_pool_t *pool, int argc, ngx_str_t *args)
{
    int                   i, len;
    char                 *text;
    size_t                had, lens[3];
    u_char               *p;
    const char           *argv[3];
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    for (i = 0; i < argc; i++) {
        argv[i] = (const char *) args[i].data;
        lens[i] = args[i].len;
    }

    len = redisFormatCommandArgv(&text, argc, argv, lens);
    if (len < 0) {
        return NGX_ERROR;
    }

    had = rd->hello_last - rd->hello;

    p = ngx_pnalloc(pool, had + len);

    if (p) {
        if (had) {
            ngx_memcpy(p, rd->hello, had);
        }

        rd->hello_last = ngx_cpymem(p + had, text, len);
        rd->hello = p;
        rd->nhello++;
    }

    redisFreeCommand(text);

    return p ? NGX_OK : NGX_ERROR;
}


void
ngx_http_cx_redis_connect(void)
{
    ngx_addr_t           *addr;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (rd->state != ngx_http_cx_redis_closed || rd->retry.timer_set) {
        return;
    }

    ngx_http_cx_trouble_attempt();

    if (rd->conf->host.len && rd->conf->resolver) {
        ngx_http_cx_redis_resolve();
        return;
    }

    if (rd->conf->naddrs == 0) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                               "no address for \"%V\"", &rd->conf->host);
        return;
    }

    addr = &rd->conf->addrs[rd->turn++ % rd->conf->naddrs];

    ngx_http_cx_redis_connect_to(addr->sockaddr, addr->socklen);
}


static void
ngx_http_cx_redis_resolve(void)
{
    ngx_resolver_ctx_t   *ctx;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    ctx = ngx_resolve_start(rd->conf->resolver, NULL);

    if (ctx && ctx != NGX_NO_RESOLVER) {
        ctx->name = rd->conf->host;
        ctx->handler = ngx_http_cx_redis_resolve_handler;
        ctx->timeout = NGX_HTTP_CX_REDIS_CONNECT;
        ctx->cancelable = 1;

        rd->state = ngx_http_cx_redis_resolving;
        rd->resolve = ctx;

        /* may call the handler at once, and frees ctx on errors */

        if (ngx_resolve_name(ctx) == NGX_OK) {
            return;
        }

        rd->resolve = NULL;
    }

    ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                           "could not ask for the address of \"%V\"",
                           &rd->conf->host);
}


static void
ngx_http_cx_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    socklen_t              socklen;
    ngx_sockaddr_t         sockaddr;
    ngx_resolver_addr_t   *addr;
    ngx_http_cx_redis_t   *rd;

    rd = &ngx_http_cx_redis;

    if (ctx->state) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, 0,
                               "\"%V\" could not be resolved (%i: %s)",
                               &rd->conf->host, ctx->state,
                               ngx_resolver_strerror(ctx->state));
        return;
    }

    addr = &ctx->addrs[rd->turn++ % ctx->naddrs];

    socklen = addr->socklen;
    ngx_memcpy(&sockaddr, addr->sockaddr, socklen);
    ngx_inet_set_port(&sockaddr.sockaddr, rd->conf->port);

    rd->resolve = NULL;
    ngx_resolve_name_done(ctx);

    ngx_http_cx_redis_connect_to(&sockaddr.sockaddr, socklen);
}


static void
ngx_http_cx_redis_connect_to(struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_http_cx_redis_t    *rd;
    ngx_peer_connection_t   pc;

    rd = &ngx_http_cx_redis;

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = sockaddr;
    pc.socklen = socklen;
    pc.name = &rd->conf->url;
    pc.get = ngx_event_get_peer;
    pc.log = &rd->quiet;
    pc.log_error = NGX_ERROR_ERR;
    pc.so_keepalive = (sockaddr->sa_family != AF_UNIX);

    rd->state = ngx_http_cx_redis_connecting;

    ngx_set_errno(0);

    rc = ngx_event_connect_peer(&pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, ngx_socket_errno,
                               "connect() failed");
        return;
    }

    c = pc.connection;
    c->idle = 1;
    c->read->handler = ngx_http_cx_redis_connect_handler;
    c->write->handler = ngx_http_cx_redis_connect_handler;

    rd->connection = c;
    rd->reader = redisReaderCreate();

    if (rd->reader == NULL) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                               "no memory for a connection");
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_cx_redis_connected();
        return;
    }

    ngx_add_timer(&rd->timeout, NGX_HTTP_CX_REDIS_CONNECT);
}


static void
ngx_http_cx_redis_connect_handler(ngx_event_t *ev)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    c = ev->data;

    if (ngx_http_cx_redis_quit(c)) {
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, err,
                               "connect() failed");
        return;
    }

    if (ev->write) {
        ngx_http_cx_redis_connected();
    }
}


static void
ngx_http_cx_redis_connected(void)
{
    ngx_connection_t     *c;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;
    c = rd->connection;

    if (c->tcp_nodelay != NGX_TCP_NODELAY_DISABLED
        && ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, ngx_socket_errno,
                               "TCP_NODELAY failed");
        return;
    }

    c->read->handler = ngx_http_cx_redis_read_handler;
    c->write->handler = ngx_http_cx_redis_write_handler;

    rd->state = ngx_http_cx_redis_hello;

    ngx_http_cx_redis_send(rd->hello, rd->hello_last);
    rd->waiting = rd->nhello;
}


ngx_uint_t
ngx_http_cx_redis_ready(void)
{
    return ngx_http_cx_redis.state == ngx_http_cx_redis_open;
}


void
ngx_http_cx_redis_send(u_char *p, u_char *last)
{
    ngx_chain_t          *cl;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    /* there is a link for each request that may be on its way */

    cl = rd->free;
    rd->free = cl->next;

    cl->buf->pos = p;
    cl->buf->last = last;
    cl->next = NULL;

    *rd->last = cl;
    rd->last = &cl->next;

    if (rd->waiting++ == 0) {
        ngx_add_timer(&rd->timeout, NGX_HTTP_CX_REDIS_REPLY);
    }

    ngx_post_event(&rd->write, &ngx_posted_events);
}


/* of the posted event and of the connection */

static void
ngx_http_cx_redis_write_handler(ngx_event_t *ev)
{
    ngx_chain_t          *cl, *rest;
    ngx_connection_t     *c;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;
    c = rd->connection;

    if (rd->out && c->write->ready) {

        rest = c->send_chain(c, rd->out, 0);

        if (rest == NGX_CHAIN_ERROR) {
            ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CLOSED,
                                   ngx_socket_errno, "connection lost");
            return;
        }

        while (rd->out != rest) {
            cl = rd->out;
            rd->out = cl->next;

            cl->next = rd->free;
            rd->free = cl;
        }

        if (rd->out == NULL) {
            rd->last = &rd->out;
        }
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                               "connection cannot be watched");
    }
}


static void
ngx_http_cx_redis_read_handler(ngx_event_t *rev)
{
    ssize_t               n;
    ngx_connection_t     *c;
    ngx_http_cx_redis_t  *rd;
    char                  buf[NGX_HTTP_CX_REDIS_READ];

    c = rev->data;
    rd = &ngx_http_cx_redis;

    if (ngx_http_cx_redis_quit(c)) {
        return;
    }

    do {
        n = c->recv(c, (u_char *) buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0 || n == NGX_ERROR) {

            if (rd->waiting == 0) {

                /* nothing is lost: a restart, or Redis's idle time-out */

                ngx_log_error(NGX_LOG_INFO, &rd->log, 0,
                              "cx: redis \"%V\" closed an idle connection",
                              &rd->conf->url);
                ngx_http_cx_redis_shut();
                return;
            }

            ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CLOSED,
                                   n ? ngx_socket_errno : 0,
                                   "connection lost");
            return;
        }

        if (redisReaderFeed(rd->reader, buf, n) != REDIS_OK) {
            ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                   "no memory for a reply");
            return;
        }

        if (ngx_http_cx_redis_replies() != NGX_OK) {
            return;
        }

    } while (rev->ready);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                               "connection cannot be watched");
    }
}


/* 1 if the event only says that the worker begins to exit */

static ngx_uint_t
ngx_http_cx_redis_quit(ngx_connection_t *c)
{
    if (!c->close) {
        return 0;
    }

    c->close = 0;
    ngx_http_cx_redis.handlers->quit();

    return 1;
}


/* NGX_ERROR: the connection is gone */

static ngx_int_t
ngx_http_cx_redis_replies(void)
{
    void                 *reply;
    ngx_int_t             rc;
    redisReader          *reader;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;
    reader = rd->reader;

    for ( ;; ) {

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                   "it does not speak the protocol of Redis");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        rc = ngx_http_cx_redis_reply(reply);

        freeReplyObject(reply);

        if (rc != NGX_OK || rd->reader != reader) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_cx_redis_reply(redisReply *reply)
{
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_cx_redis_error(reply);
        return NGX_ERROR;
    }

    if (rd->waiting == 0
        || (rd->state == ngx_http_cx_redis_open
            && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
                || reply->element[0]->type != REDIS_REPLY_INTEGER
                || reply->element[1]->type != REDIS_REPLY_INTEGER)))
    {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                               "unexpected reply");
        return NGX_ERROR;
    }

    rd->waiting--;

    if (rd->waiting) {
        ngx_add_timer(&rd->timeout, NGX_HTTP_CX_REDIS_REPLY);

    } else {
        ngx_del_timer(&rd->timeout);
    }

    if (rd->state == ngx_http_cx_redis_open) {
        rd->delay = 0;
        rd->reloaded = 0;
        ngx_http_cx_trouble_end();

        rd->handlers->acked(reply->element[0]->integer,
                            reply->element[1]->integer);

    } else if (rd->waiting == 0) {
        rd->state = ngx_http_cx_redis_open;
        ngx_http_cx_count(NGX_HTTP_CX_C_CONNECTS, 1);
        rd->handlers->ready();
    }

    return NGX_OK;
}


static void
ngx_http_cx_redis_error(redisReply *reply)
{
    ngx_str_t             text;
    ngx_uint_t            kind;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    text.data = (u_char *) reply->str;
    text.len = reply->len;

    kind = ngx_http_cx_trouble_kind(&text, rd->conf->password.len
                                    && rd->state == ngx_http_cx_redis_hello);

    ngx_http_cx_redis_fail(kind, 0, "%V", &text);
}


static void
ngx_http_cx_redis_timeout_handler(ngx_event_t *ev)
{
    if (ngx_http_cx_redis.state == ngx_http_cx_redis_connecting) {
        ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_CONNECT, NGX_ETIMEDOUT,
                               "connect() failed");
        return;
    }

    ngx_http_cx_redis_fail(NGX_HTTP_CX_C_TROUBLE_TIMEOUT, 0,
                           "no reply within %d ms", NGX_HTTP_CX_REDIS_REPLY);
}


static void
ngx_http_cx_redis_retry_handler(ngx_event_t *ev)
{
    ngx_http_cx_redis_connect();
}


static void
ngx_http_cx_redis_fail(ngx_uint_t kind, ngx_err_t err, const char *fmt, ...)
{
    u_char                buf[NGX_HTTP_CX_REDIS_TEXT];
    va_list               args;
    ngx_str_t             text;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    ngx_http_cx_trouble_begin(kind, err, &text);
    ngx_http_cx_redis_shut();

    if (kind == NGX_HTTP_CX_C_TROUBLE_NOSCRIPT && !rd->reloaded) {

        /* Redis forgot the script: the next hello brings it */

        rd->reloaded = 1;
        ngx_http_cx_redis_connect();
        return;
    }

    rd->delay = rd->delay ? ngx_min(rd->delay * 2, NGX_HTTP_CX_REDIS_DELAY_MAX)
                          : NGX_HTTP_CX_REDIS_DELAY_MIN;

    /* half to one and a half of it, so that workers do not come together */

    ngx_add_timer(&rd->retry, rd->delay / 2 + ngx_random() % rd->delay);
}


static void
ngx_http_cx_redis_shut(void)
{
    ngx_chain_t          *cl;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (rd->timeout.timer_set) {
        ngx_del_timer(&rd->timeout);
    }

    if (rd->write.posted) {
        ngx_delete_posted_event(&rd->write);
    }

    if (rd->resolve) {
        ngx_resolve_name_done(rd->resolve);
        rd->resolve = NULL;
    }

    while (rd->out) {
        cl = rd->out;
        rd->out = cl->next;

        cl->next = rd->free;
        rd->free = cl;
    }

    rd->last = &rd->out;

    if (rd->reader) {
        redisReaderFree(rd->reader);
        rd->reader = NULL;
    }

    if (rd->connection) {
        ngx_close_connection(rd->connection);
        rd->connection = NULL;
    }

    rd->state = ngx_http_cx_redis_closed;
    rd->waiting = 0;
}


void
ngx_http_cx_redis_close(void)
{
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    ngx_http_cx_redis_shut();

    if (rd->retry.timer_set) {
        ngx_del_timer(&rd->retry);
    }

    rd->delay = 0;
}


static u_char *
ngx_http_cx_redis_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    static const char *actions[] = {
        "delivering events",
        "resolving its name",
        "connecting to it",
        "greeting it",
        "delivering events"
    };

    return ngx_snprintf(buf, len, " while %s",
                        actions[ngx_http_cx_redis.state]);
}
