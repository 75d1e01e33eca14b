
/*
 * What goes over a connection: commands in a row, and their replies in the
 * same one.  Each command's handler is called once.
 */


#include "ngx_http_cx_conn.h"


#define NGX_HTTP_CX_CONN_READ      4096    /* bytes a recv() */
#define NGX_HTTP_CX_CONN_COMMANDS  16      /* allocated at once */


static ngx_http_cx_command_t *ngx_http_cx_conn_command(
    ngx_http_cx_conn_t *conn);
static void ngx_http_cx_conn_queue(ngx_http_cx_conn_t *conn, u_char *p,
    u_char *last, ngx_uint_t replies, ngx_http_cx_reply_pt handler,
    void *data, ngx_uint_t own);
static void ngx_http_cx_conn_read_handler(ngx_event_t *rev);
static void ngx_http_cx_conn_broken(ngx_http_cx_conn_t *conn, ngx_err_t err);
static ngx_int_t ngx_http_cx_conn_replies(ngx_http_cx_conn_t *conn);
static ngx_int_t ngx_http_cx_conn_reply(ngx_http_cx_conn_t *conn,
    redisReply *reply);
static void ngx_http_cx_conn_hello_reply(ngx_http_cx_conn_t *conn,
    redisReply *reply, ngx_uint_t rest);
static void ngx_http_cx_conn_loaded(void *data, redisReply *reply);


/* of all connections: as many as were ever on their way at a time */

static ngx_queue_t  ngx_http_cx_conn_free;

static u_char  ngx_http_cx_conn_asking_text[]
    = "*1" CRLF "$6" CRLF "ASKING" CRLF;


static ngx_http_cx_command_t *
ngx_http_cx_conn_command(ngx_http_cx_conn_t *conn)
{
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_http_cx_command_t  *cmd;

    if (ngx_http_cx_conn_free.next == NULL) {
        ngx_queue_init(&ngx_http_cx_conn_free);
    }

    if (ngx_queue_empty(&ngx_http_cx_conn_free)) {

        cmd = ngx_pcalloc(conn->pool, NGX_HTTP_CX_CONN_COMMANDS
                                      * sizeof(ngx_http_cx_command_t));
        if (cmd == NULL) {
            return NULL;
        }

        for (i = 0; i < NGX_HTTP_CX_CONN_COMMANDS; i++) {
            ngx_queue_insert_tail(&ngx_http_cx_conn_free, &cmd[i].queue);
        }
    }

    q = ngx_queue_head(&ngx_http_cx_conn_free);
    ngx_queue_remove(q);

    return ngx_queue_data(q, ngx_http_cx_command_t, queue);
}


/* into what goes out, or if it is closed into what is lost */

static void
ngx_http_cx_conn_queue(ngx_http_cx_conn_t *conn, u_char *p, u_char *last,
    ngx_uint_t replies, ngx_http_cx_reply_pt handler, void *data,
    ngx_uint_t own)
{
    ngx_http_cx_command_t  *cmd;

    cmd = ngx_http_cx_conn_command(conn);

    if (cmd == NULL) {
        if (handler) {
            handler(data, NULL);
        }

        if (own) {
            /* a channel sends again, but for these nobody would */
            ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                  "no memory for a command");
        }

        return;
    }

    ngx_memzero(&cmd->buf, sizeof(ngx_buf_t));

    cmd->buf.memory = 1;
    cmd->buf.start = p;
    cmd->buf.pos = p;
    cmd->buf.last = last;
    cmd->buf.end = last;

    cmd->link.buf = &cmd->buf;
    cmd->link.next = NULL;

    cmd->replies = replies;
    cmd->handler = handler;
    cmd->data = data;
    cmd->own = own;

    ngx_post_event(&conn->write, &ngx_posted_events);

    if (conn->state < ngx_http_cx_conn_hello) {
        ngx_queue_insert_tail(&conn->lost, &cmd->queue);
        return;
    }

    if (ngx_queue_empty(&conn->sent)) {
        ngx_http_cx_conn_await(conn);
    }

    ngx_queue_insert_tail(&conn->sent, &cmd->queue);

    *conn->last = &cmd->link;
    conn->last = &cmd->link.next;
}


void
ngx_http_cx_conn_send(ngx_http_cx_conn_t *conn, u_char *p, u_char *last,
    ngx_http_cx_reply_pt handler, void *data)
{
    u_char  *asking;

    if (conn->asking) {
        asking = ngx_http_cx_conn_asking_text;
        ngx_http_cx_conn_queue(conn, asking, asking
                               + sizeof(ngx_http_cx_conn_asking_text) - 1,
                               1, NULL, NULL, 1);
    }

    ngx_http_cx_conn_queue(conn, p, last, 1, handler, data, 0);
}


void
ngx_http_cx_conn_ask(ngx_http_cx_conn_t *conn, u_char *p, u_char *last,
    ngx_http_cx_reply_pt handler, void *data)
{
    ngx_http_cx_conn_queue(conn, p, last, 1, handler, data, 1);
}


void
ngx_http_cx_conn_asking(ngx_http_cx_conn_t *conn, ngx_uint_t on)
{
    conn->asking = on;
}


ngx_int_t
ngx_http_cx_conn_load(ngx_http_cx_conn_t *conn)
{
    if (conn->loading) {
        return NGX_OK;
    }

    ngx_http_cx_count(NGX_HTTP_CX_C_TROUBLE_NOSCRIPT, 1);

    if (conn->reloaded) {
        return NGX_DECLINED;
    }

    conn->reloaded = 1;
    conn->loading = 1;

    ngx_http_cx_conn_ask(conn, conn->hello_load, conn->hello_last,
                         ngx_http_cx_conn_loaded, conn);

    return NGX_OK;
}


static void
ngx_http_cx_conn_loaded(void *data, redisReply *reply)
{
    ngx_http_cx_conn_t *conn = data;

    conn->loading = 0;

    if (reply == NULL) {
        return;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_cx_conn_refused(conn, reply, 0);
        return;
    }

    ngx_http_cx_writer_route();
}


void
ngx_http_cx_conn_greet(ngx_http_cx_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->connection;

    c->read->handler = ngx_http_cx_conn_read_handler;
    c->write->handler = ngx_http_cx_conn_write_handler;

    ngx_del_timer(&conn->timeout);

    conn->state = ngx_http_cx_conn_hello;

    /* a handshake may have read what follows it */
    ngx_post_event(c->read, &ngx_posted_events);

    if (conn->nhello == 0) {
        ngx_http_cx_conn_opened(conn);
        return;
    }

    ngx_http_cx_conn_queue(conn, conn->hello, conn->hello_last, conn->nhello,
                           NULL, NULL, 1);
}


/* of the posted event and of the connection */

void
ngx_http_cx_conn_write_handler(ngx_event_t *ev)
{
    ngx_chain_t         *cl, *rest;
    ngx_connection_t    *c;
    ngx_http_cx_conn_t  *conn;

    conn = ngx_http_cx_conn_of(ev);

    ngx_http_cx_conn_lose(conn);

    c = conn->connection;

    if (c == NULL || conn->state < ngx_http_cx_conn_hello) {
        return;
    }

    if (conn->out && c->write->ready) {

        rest = c->send_chain(c, conn->out, 0);

        if (rest == NGX_CHAIN_ERROR) {
            ngx_http_cx_conn_broken(conn, ngx_socket_errno);
            return;
        }

        /* written links are not looked at any more */

        while (conn->out != rest) {
            cl = conn->out;
            conn->out = cl->next;
            cl->next = NULL;
        }

        if (conn->out == NULL) {
            conn->last = &conn->out;
        }
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                              "connection cannot be watched");
    }
}


static void
ngx_http_cx_conn_read_handler(ngx_event_t *rev)
{
    ssize_t              n;
    ngx_connection_t    *c;
    ngx_http_cx_conn_t  *conn;
    char                 buf[NGX_HTTP_CX_CONN_READ];

    c = rev->data;
    conn = c->data;

    if (ngx_http_cx_conn_quit(c)) {
        return;
    }

    do {
        n = c->recv(c, (u_char *) buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0 || n == NGX_ERROR) {

            if (n == 0 && ngx_queue_empty(&conn->sent)) {

                /* nothing is lost: a restart, or Redis's idle time-out */

                ngx_http_cx_conn_idle(conn);
                return;
            }

            ngx_http_cx_conn_broken(conn, n ? ngx_socket_errno : 0);
            return;
        }

        if (redisReaderFeed(conn->reader, buf, n) != REDIS_OK) {
            ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                  "no memory for a reply");
            return;
        }

        if (ngx_http_cx_conn_replies(conn) != NGX_OK) {
            return;
        }

    } while (rev->ready);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                              "connection cannot be watched");
    }
}


static void
ngx_http_cx_conn_broken(ngx_http_cx_conn_t *conn, ngx_err_t err)
{
#if (NGX_SSL)

    ngx_str_t  reason;

    ngx_http_cx_tls_reason(conn, &reason);

    if (reason.len) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, 0,
                              "TLS connection lost: %V", &reason);
        return;
    }

    /* since TLS 1.3 a client without certificate is told after its handshake,
       and what it is told may be lost with the connection */

    if (conn->conf->ssl && conn->state == ngx_http_cx_conn_hello
        && conn->conf->target.cert.len == 0)
    {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_TLS, err,
                              "TLS connection lost at once, maybe it wants a "
                              "client certificate (cert=, key=)");
        return;
    }

#endif

    ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_CLOSED, err,
                          "connection lost");
}


/* NGX_ERROR: the connection is gone */

static ngx_int_t
ngx_http_cx_conn_replies(ngx_http_cx_conn_t *conn)
{
    void       *reply;
    ngx_int_t   rc;

    for ( ;; ) {

        if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK) {
            ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                  "it does not speak the protocol of Redis");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        rc = ngx_http_cx_conn_reply(conn, reply);

        freeReplyObject(reply);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_cx_conn_reply(ngx_http_cx_conn_t *conn, redisReply *reply)
{
    void                   *data;
    ngx_uint_t              generation;
    ngx_http_cx_reply_pt    handler;
    ngx_http_cx_command_t  *cmd;

    generation = conn->generation;

    cmd = ngx_queue_empty(&conn->sent)
          ? NULL
          : ngx_queue_data(ngx_queue_head(&conn->sent), ngx_http_cx_command_t,
                           queue);

    /* a hello's first commands may be answered before its last is written */

    if (cmd == NULL || (cmd->replies == 1 && cmd->buf.pos != cmd->buf.last)) {

        /* Redis says why it closes a connection at once, such as "max number
           of clients reached" */

        if (reply->type == REDIS_REPLY_ERROR) {
            ngx_http_cx_conn_hello_reply(conn, reply, 1);

        } else {
            ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_OTHER, 0,
                                  "unexpected reply");
        }

        return NGX_ERROR;
    }

    /* a master that hung may have been replaced by one without what it took
       just now */

    if (conn->overdue && conn->conf->target.mode != CX_REDIS_NODE) {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_SLOW, 0,
                              "it answers late and may have been replaced");
        return NGX_ERROR;
    }

    cmd->replies--;

    if (conn->state == ngx_http_cx_conn_hello) {
        ngx_http_cx_conn_await(conn);
        ngx_http_cx_conn_hello_reply(conn, reply, cmd->replies);

        return conn->generation == generation ? NGX_OK : NGX_ERROR;
    }

    ngx_queue_remove(&cmd->queue);

    if (ngx_queue_empty(&conn->sent)) {
        ngx_del_timer(&conn->timeout);

    } else {
        ngx_http_cx_conn_await(conn);
    }

    /* the script answers with two numbers, whatever others say */

    if (!cmd->own && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
    {
        ngx_http_cx_conn_well(conn);
    }

    handler = cmd->handler;
    data = cmd->data;

    ngx_queue_insert_head(&ngx_http_cx_conn_free, &cmd->queue);

    if (handler) {
        handler(data, reply);
    }

    return conn->generation == generation ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_cx_conn_hello_reply(ngx_http_cx_conn_t *conn, redisReply *reply,
    ngx_uint_t rest)
{
    ngx_queue_t  *q;

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_cx_conn_refused(conn, reply, conn->secret);
        return;
    }

    if (rest) {
        return;
    }

    q = ngx_queue_head(&conn->sent);
    ngx_queue_remove(q);
    ngx_queue_insert_head(&ngx_http_cx_conn_free, q);

    if (ngx_queue_empty(&conn->sent)) {
        ngx_del_timer(&conn->timeout);
    }

    ngx_http_cx_conn_opened(conn);
}


void
ngx_http_cx_conn_lose(ngx_http_cx_conn_t *conn)
{
    void                   *data;
    ngx_uint_t              n;
    ngx_queue_t            *q;
    ngx_http_cx_reply_pt    handler;
    ngx_http_cx_command_t  *cmd;

    n = 0;

    for (q = ngx_queue_head(&conn->lost);
         q != ngx_queue_sentinel(&conn->lost);
         q = ngx_queue_next(q))
    {
        n++;
    }

    /* what handlers send meanwhile waits for its own turn */

    for ( /* void */ ; n && !ngx_queue_empty(&conn->lost); n--) {

        q = ngx_queue_head(&conn->lost);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_http_cx_command_t, queue);
        handler = cmd->handler;
        data = cmd->data;

        ngx_queue_insert_head(&ngx_http_cx_conn_free, q);

        if (handler) {
            handler(data, NULL);
        }
    }

    if (!ngx_queue_empty(&conn->lost)) {
        ngx_post_event(&conn->write, &ngx_posted_events);
    }
}


void
ngx_http_cx_conn_forget(ngx_http_cx_conn_t *conn)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&conn->lost)) {
        q = ngx_queue_head(&conn->lost);
        ngx_queue_remove(q);
        ngx_queue_insert_head(&ngx_http_cx_conn_free, q);
    }
}
