
/*
 * A connection from within: shared by conn*.c and tls.c.
 */


#ifndef NGX_HTTP_CX_CONN_H
#define NGX_HTTP_CX_CONN_H


#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_CONN_CONNECT  1000     /* ms */
#define NGX_HTTP_CX_CONN_REPLY    3000     /* also of a TLS handshake */
#define NGX_HTTP_CX_CONN_SLOW     1000     /* then a reply is overdue */
#define NGX_HTTP_CX_CONN_SCOUTS   1000     /* for both, of one who asks */

#define NGX_HTTP_CX_CONN_TEXT     256      /* bytes of what went wrong */


typedef enum {
    ngx_http_cx_conn_closed,
    ngx_http_cx_conn_resolving,
    ngx_http_cx_conn_connecting,
    ngx_http_cx_conn_handshaking,
    ngx_http_cx_conn_hello,                /* AUTH, SELECT, SCRIPT LOAD */
    ngx_http_cx_conn_usable
} ngx_http_cx_conn_state_e;


typedef struct {
    ngx_queue_t                     queue; /* of conn, or the free ones */
    ngx_chain_t                     link;
    ngx_buf_t                       buf;
    ngx_uint_t                      replies;    /* that must come */
    ngx_http_cx_reply_pt            handler;    /* NULL: nobody waits */
    void                           *data;
    unsigned                        own:1;      /* not of a channel */
} ngx_http_cx_command_t;


struct ngx_http_cx_conn_s {
    ngx_http_cx_redis_conf_t       *conf;
    ngx_uint_t                      kind;  /* NGX_HTTP_CX_CONN_* */
    ngx_pool_t                     *pool;
    ngx_http_cx_conn_handlers_t    *handlers;

    ngx_http_cx_redis_peer_t       *peer;
    ngx_http_cx_trouble_t           trouble;
    u_char                          name[CX_REDIS_HOST + 32];

    ngx_log_t                       log;   /* of the socket: what nginx would
                                              say, we say once */
    ngx_str_t                       said;  /* by nginx, since it connected */
    u_char                          said_text[NGX_HTTP_CX_CONN_TEXT];
    ngx_str_t                       error; /* what it failed with last */
    u_char                          error_text[NGX_HTTP_CX_CONN_TEXT];
    ngx_err_t                       err;

    ngx_http_cx_conn_state_e        state;
    ngx_uint_t                      generation; /* + 1 when it is closed */
    ngx_connection_t               *connection;
    ngx_resolver_ctx_t             *resolve;
    ngx_uint_t                      turn;  /* of the addresses */
    redisReader                    *reader;

    ngx_chain_t                    *out;   /* links of commands not written */
    ngx_chain_t                   **last;
    ngx_queue_t                     sent;  /* commands without all replies */
    ngx_queue_t                     lost;  /* to be answered with NULL */

    u_char                         *hello; /* first commands, and how many */
    u_char                         *hello_load; /* SCRIPT LOAD, the last */
    u_char                         *hello_last;
    ngx_uint_t                      nhello;

    ngx_event_t                     write; /* posted: out, lost */
    ngx_event_t                     timeout;
    ngx_uint_t                      overdue;    /* times it was */
    ngx_event_t                     retry;
    ngx_connection_t                dummy; /* of these events */
    ngx_msec_t                      delay;

    unsigned                        secret:1;   /* hello has a password */
    unsigned                        asking:1;
    unsigned                        loading:1;  /* script is on its way */
    unsigned                        reloaded:1; /* after NOSCRIPT, and nothing
                                                   was taken since */
};


/* conn.c */

/* of events: of sockets, and of a conn's own */
#define ngx_http_cx_conn_of(ev)                                               \
    ((ngx_http_cx_conn_t *) ((ngx_connection_t *) (ev)->data)->data)

/* 1 if the event only says that the worker begins to exit, which is told: conn
   may be closed */
ngx_uint_t ngx_http_cx_conn_quit(ngx_connection_t *c);
void ngx_http_cx_conn_timeout_handler(ngx_event_t *ev);
void ngx_http_cx_conn_retry_handler(ngx_event_t *ev);
/* it had nothing to do and is closed by Redis: no failure */
void ngx_http_cx_conn_idle(ngx_http_cx_conn_t *conn);
/* hello is answered */
void ngx_http_cx_conn_opened(ngx_http_cx_conn_t *conn);
/* (re)starts the clock of the next reply */
void ngx_http_cx_conn_await(ngx_http_cx_conn_t *conn);

/* conn_make.c */

/* ms that a reply may take */
ngx_msec_t ngx_http_cx_conn_patience(ngx_http_cx_conn_t *conn);

/* conn_io.c */

/* connected, TLS is done: says hello */
void ngx_http_cx_conn_greet(ngx_http_cx_conn_t *conn);
void ngx_http_cx_conn_write_handler(ngx_event_t *ev);
/* calls handlers of lost commands */
void ngx_http_cx_conn_lose(ngx_http_cx_conn_t *conn);
/* forgets what was lost */
void ngx_http_cx_conn_forget(ngx_http_cx_conn_t *conn);

/* tls.c */

#if (NGX_SSL)

/* when the configuration is read: makes conf->ssl */
ngx_int_t ngx_http_cx_tls_conf(ngx_conf_t *cf, ngx_http_cx_redis_conf_t *conf);

/* begins a handshake; ngx_http_cx_conn_greet() or _fail() follow */
void ngx_http_cx_tls_handshake(ngx_http_cx_conn_t *conn);
void ngx_http_cx_tls_close(ngx_connection_t *c);

/* why TLS failed, of what nginx said; len 0: it was not TLS */
void ngx_http_cx_tls_reason(ngx_http_cx_conn_t *conn, ngx_str_t *reason);

#endif


#endif /* NGX_HTTP_CX_CONN_H */
