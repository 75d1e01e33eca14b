
/*
 * The way to Redis from within: shared by redis*.c.
 */


#ifndef NGX_HTTP_CX_REDIS_H
#define NGX_HTTP_CX_REDIS_H


#include "ngx_http_cx_deliver.h"


/* a node that batches go to: the one, the master, or a cluster's */
typedef struct {
    ngx_http_cx_conn_t         *conn;      /* NULL: not wanted yet */
    ngx_http_cx_redis_peer_t    peer;
    ngx_addr_t                  addr;      /* if peer's host is an address */
    ngx_sockaddr_t              sockaddr;
    ngx_str_t                   host;      /* as it was told, with a NUL */
    u_char                      host_text[CX_REDIS_HOST];
    unsigned                    master:1;  /* by its own word */
    unsigned                    holds:1;   /* slots, by the newest map, or was
                                              named for one since */
} ngx_http_cx_redis_node_t;


typedef struct {
    ngx_http_cx_redis_conf_t   *conf;      /* NULL: not configured */
    ngx_pool_t                 *pool;
    ngx_str_t                  *script;
    ngx_http_cx_redis_node_t    one;       /* if there is no cluster */

    /* of a cluster; nodes are numbered as the map does */
    ngx_http_cx_redis_node_t   *nodes;
    cx_redis_map_t             *map;
    short                      *ask;       /* by slot: node that ASK named */

    /* Sentinels, or the cluster as a whole */
    ngx_http_cx_trouble_t       trouble;
    ngx_array_t                 slots;     /* ngx_http_cx_redis_slot_t */
} ngx_http_cx_redis_t;


/* a slot whose commands are refused */
typedef struct {
    ngx_uint_t             slot;
    ngx_http_cx_trouble_t  trouble;
} ngx_http_cx_redis_slot_t;


extern ngx_http_cx_redis_t  ngx_http_cx_redis;


/* ---- redis.c ---- */

/* a node's connection, made when it is wanted first */
ngx_http_cx_conn_t *ngx_http_cx_redis_conn(ngx_http_cx_redis_node_t *node);
/* the Sentinels named a master */
void ngx_http_cx_redis_named(ngx_str_t *host, in_port_t port);
/* number of a cluster's node, new (maybe in the place of one without slots) or
   known, or -1; host len 0: asked */
ngx_int_t ngx_http_cx_redis_node(cx_str_t *host, ngx_uint_t port,
    ngx_str_t *asked);
/* the map is new */
void ngx_http_cx_redis_mapped(void);

/* ---- redis_look.c ---- */

ngx_int_t ngx_http_cx_redis_look_init(void);
/* asks Sentinels or a cluster for the way, at most once a second */
void ngx_http_cx_redis_look(void);
/* 1: it is being asked, or will be */
ngx_uint_t ngx_http_cx_redis_looking(void);
/* 1: this one is asked just now */
ngx_uint_t ngx_http_cx_redis_look_asks(ngx_http_cx_redis_peer_t *peer);
void ngx_http_cx_redis_look_close(void);

/* ---- redis_conf.c ---- */

/* an address in digits; NGX_DECLINED: it is a name */
ngx_int_t ngx_http_cx_redis_literal(ngx_str_t *host, in_port_t port,
    ngx_addr_t *addr, ngx_sockaddr_t *sockaddr);


#endif /* NGX_HTTP_CX_REDIS_H */
