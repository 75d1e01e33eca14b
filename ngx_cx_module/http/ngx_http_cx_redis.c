
/*
 * The way to Redis: the one node, the master that Sentinels name, or the node
 * of a cluster that holds a slot.  What is not known is asked for by
 * redis_look.c; a node that is lost holds up nobody but its own slots.
 */


#include "ngx_http_cx_redis.h"


static ngx_http_cx_conn_t *ngx_http_cx_redis_route_cluster(ngx_uint_t slot);
static void ngx_http_cx_redis_opened(ngx_http_cx_conn_t *conn);
static void ngx_http_cx_redis_closed(ngx_http_cx_conn_t *conn,
    ngx_uint_t kind);
static void ngx_http_cx_redis_slow(ngx_http_cx_conn_t *conn);
static void ngx_http_cx_redis_role(void *data, redisReply *reply);
static void ngx_http_cx_redis_fill(ngx_http_cx_redis_node_t *node,
    ngx_str_t *host, in_port_t port);
static ngx_uint_t ngx_http_cx_redis_unused(void);


ngx_http_cx_redis_t  ngx_http_cx_redis;

static ngx_http_cx_conn_handlers_t  ngx_http_cx_redis_handlers = {
    ngx_http_cx_redis_opened,
    ngx_http_cx_redis_closed,
    ngx_http_cx_redis_slow
};

static u_char  ngx_http_cx_redis_role_text[] = "*1" CRLF "$4" CRLF "ROLE" CRLF;


ngx_int_t
ngx_http_cx_redis_init(ngx_cycle_t *cycle, ngx_http_cx_redis_conf_t *conf,
    ngx_str_t *script)
{
    u_char               *p;
    ngx_uint_t            i;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    rd->conf = conf;
    rd->pool = cycle->pool;
    rd->script = script;

    ngx_http_cx_trouble_init(cycle->log);

    p = ngx_pnalloc(cycle->pool, conf->label.len + sizeof("redis \"\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    rd->trouble.name.data = p;
    rd->trouble.name.len = ngx_sprintf(p, "redis \"%V\"", &conf->label) - p;

    if (ngx_array_init(&rd->slots, cycle->pool, 1,
                       sizeof(ngx_http_cx_redis_slot_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (conf->target.mode == CX_REDIS_NODE) {
        rd->one.peer = conf->seed[0];

        return ngx_http_cx_redis_conn(&rd->one) ? NGX_OK : NGX_ERROR;
    }

    if (conf->target.mode == CX_REDIS_CLUSTER) {
        rd->nodes = ngx_pcalloc(cycle->pool, CX_REDIS_NODES
                                * sizeof(ngx_http_cx_redis_node_t));
        rd->map = ngx_pcalloc(cycle->pool, sizeof(cx_redis_map_t));
        rd->ask = ngx_palloc(cycle->pool, CX_REDIS_SLOTS * sizeof(short));

        if (rd->nodes == NULL || rd->map == NULL || rd->ask == NULL) {
            return NGX_ERROR;
        }

        cx_redis_map_clear(rd->map);

        for (i = 0; i < CX_REDIS_SLOTS; i++) {
            rd->ask[i] = -1;
        }
    }

    return ngx_http_cx_redis_look_init();
}


ngx_http_cx_conn_t *
ngx_http_cx_redis_conn(ngx_http_cx_redis_node_t *node)
{
    ngx_str_t             name;
    ngx_http_cx_redis_t  *rd;
    u_char                text[CX_REDIS_HOST + NGX_INT_T_LEN];

    rd = &ngx_http_cx_redis;

    if (node->conn) {
        return node->conn;
    }

    node->conn = ngx_http_cx_conn_create(rd->pool, rd->conf,
                                         NGX_HTTP_CX_CONN_NODE, rd->script,
                                         &ngx_http_cx_redis_handlers);
    if (node->conn == NULL) {
        return NULL;
    }

    name.data = text;

    switch (rd->conf->target.mode) {

    case CX_REDIS_SENTINEL:
        name.len = ngx_snprintf(text, sizeof(text), "%*s",
                                rd->conf->target.master.len,
                                rd->conf->target.master.data) - text;
        break;

    case CX_REDIS_CLUSTER:
        name.len = ngx_snprintf(text, sizeof(text), "%V:%ui", &node->peer.name,
                                (ngx_uint_t) node->peer.port) - text;
        break;

    default:
        name = rd->conf->label;
    }

    ngx_http_cx_conn_point(node->conn, &node->peer, &name);

    return node->conn;
}


ngx_http_cx_conn_t *
ngx_http_cx_redis_route(ngx_uint_t slot)
{
    ngx_http_cx_conn_t   *conn;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (rd->conf == NULL) {
        return NULL;
    }

    conn = rd->one.conn;

    switch (rd->conf->target.mode) {

    case CX_REDIS_CLUSTER:
        return ngx_http_cx_redis_route_cluster(slot);

    case CX_REDIS_SENTINEL:

        if (conn && rd->one.master && ngx_http_cx_conn_ready(conn)) {
            return conn;
        }

        if (conn == NULL || !ngx_http_cx_conn_wanted(conn)) {
            ngx_http_cx_redis_look();
        }

        return NULL;

    default:

        if (ngx_http_cx_conn_ready(conn)) {
            return conn;
        }

        ngx_http_cx_conn_open(conn);

        return NULL;
    }
}


static ngx_http_cx_conn_t *
ngx_http_cx_redis_route_cluster(ngx_uint_t slot)
{
    ngx_int_t             n;
    ngx_http_cx_conn_t   *conn;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    n = rd->ask[slot] >= 0 ? rd->ask[slot] : rd->map->slot[slot];

    if (n < 0) {
        ngx_http_cx_redis_look();
        return NULL;
    }

    conn = ngx_http_cx_redis_conn(&rd->nodes[n]);

    if (conn == NULL || ngx_http_cx_conn_ready(conn)) {
        return conn;
    }

    ngx_http_cx_conn_open(conn);

    if (ngx_http_cx_conn_trouble(conn)->kinds) {

        /* another one may have its slots meanwhile */

        ngx_http_cx_redis_look();
    }

    return NULL;
}


static void
ngx_http_cx_redis_opened(ngx_http_cx_conn_t *conn)
{
    u_char  *role;

    if (ngx_http_cx_redis.conf->target.mode == CX_REDIS_SENTINEL) {
        role = ngx_http_cx_redis_role_text;
        ngx_http_cx_conn_ask(conn, role,
                             role + sizeof(ngx_http_cx_redis_role_text) - 1,
                             ngx_http_cx_redis_role, conn);
        return;
    }

    ngx_http_cx_writer_route();
}


static void
ngx_http_cx_redis_closed(ngx_http_cx_conn_t *conn, ngx_uint_t kind)
{
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (rd->conf->target.mode == CX_REDIS_SENTINEL) {

        /* not there again before the Sentinels were asked: what came back
           may not be the master any more, and would lose what it takes */

        rd->one.master = 0;
        ngx_http_cx_conn_close(conn);
    }

    if (kind && rd->conf->target.mode != CX_REDIS_NODE) {
        ngx_http_cx_redis_look();
    }
}


/* one that hangs may have been replaced: what it takes when it wakes up would
   be lost */

static void
ngx_http_cx_redis_slow(ngx_http_cx_conn_t *conn)
{
    if (ngx_http_cx_redis.conf->target.mode != CX_REDIS_NODE) {
        ngx_http_cx_redis_look();
    }
}


static void
ngx_http_cx_redis_role(void *data, redisReply *reply)
{
    ngx_http_cx_conn_t *conn = data;

    if (reply == NULL) {
        return;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_http_cx_conn_refused(conn, reply, 0);
        return;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0
        || reply->element[0]->type != REDIS_REPLY_STRING
        || ngx_strcmp(reply->element[0]->str, "master") != 0)
    {
        ngx_http_cx_conn_fail(conn, NGX_HTTP_CX_C_TROUBLE_READONLY, 0,
                              "it is no master, but the Sentinels know no "
                              "other one yet");
        return;
    }

    ngx_http_cx_redis.one.master = 1;

    ngx_http_cx_writer_route();
}


void
ngx_http_cx_redis_named(ngx_str_t *host, in_port_t port)
{
    ngx_str_t                  name;
    ngx_http_cx_conn_t        *conn;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_node_t  *node;
    u_char                     text[CX_REDIS_HOST + NGX_INT_T_LEN];

    rd = &ngx_http_cx_redis;
    node = &rd->one;

    conn = ngx_http_cx_redis_conn(node);

    if (conn == NULL) {
        return;
    }

    if (ngx_http_cx_conn_wanted(conn)) {

        if (node->peer.port == port && node->host.len == host->len
            && ngx_strncmp(node->host.data, host->data, host->len) == 0)
        {
            return;
        }

        node->master = 0;
        ngx_http_cx_conn_close(conn);
    }

    ngx_http_cx_redis_fill(node, host, port);

    name.data = text;
    name.len = ngx_snprintf(text, sizeof(text), "%*s %V:%ui",
                            rd->conf->target.master.len,
                            rd->conf->target.master.data,
                            &node->peer.name, (ngx_uint_t) port) - text;

    ngx_http_cx_conn_point(conn, &node->peer, &name);
    ngx_http_cx_conn_open(conn);
}


/* what is known of a node by the name it was told by, which fits */

static void
ngx_http_cx_redis_fill(ngx_http_cx_redis_node_t *node, ngx_str_t *host,
    in_port_t port)
{
    ngx_uint_t                 i;
    ngx_http_cx_redis_peer_t  *peer, *seed;
    ngx_http_cx_redis_conf_t  *conf;

    conf = ngx_http_cx_redis.conf;
    peer = &node->peer;

    ngx_memzero(peer, sizeof(ngx_http_cx_redis_peer_t));

    node->host.data = node->host_text;
    node->host.len = host->len;
    (void) ngx_cpystrn(node->host_text, host->data, host->len + 1);

    peer->name = node->host;
    peer->port = port;

    if (ngx_http_cx_redis_literal(&node->host, port, &node->addr,
                                  &node->sockaddr)
        == NGX_OK)
    {
        peer->addrs = &node->addr;
        peer->naddrs = 1;
        return;
    }

    peer->host = node->host;

    /* without a resolver: names that were looked up when nginx started */

    for (i = 0; i < conf->target.n; i++) {
        seed = &conf->seed[i];

        if (seed->naddrs && seed->name.len == host->len
            && ngx_strncasecmp(seed->name.data, host->data, host->len) == 0)
        {
            peer->addrs = seed->addrs;
            peer->naddrs = seed->naddrs;
            return;
        }
    }
}


/* a node that holds no slots and is not being asked; what is no number: none */

static ngx_uint_t
ngx_http_cx_redis_unused(void)
{
    ngx_uint_t            i;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    for (i = 0; i < rd->map->n; i++) {

        if (!rd->nodes[i].holds
            && !ngx_http_cx_redis_look_asks(&rd->nodes[i].peer))
        {
            break;
        }
    }

    return i;
}


ngx_int_t
ngx_http_cx_redis_node(cx_str_t *host, ngx_uint_t port, ngx_str_t *asked)
{
    int                        i;
    cx_str_t                   text;
    ngx_str_t                  name;
    ngx_uint_t                 known;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_node_t  *node;
    u_char                     buf[CX_REDIS_HOST + NGX_INT_T_LEN];

    rd = &ngx_http_cx_redis;

    if (host->len) {
        text = *host;

    } else {
        text.len = asked->len;
        text.data = asked->data;
    }

    known = rd->map->n;
    i = cx_redis_map_node(rd->map, &text, port);

    if (i >= 0 && (ngx_uint_t) i < known) {
        return i;
    }

    if (i < 0) {
        i = cx_redis_map_replace(rd->map, ngx_http_cx_redis_unused(), &text,
                                 port);
        if (i < 0) {
            return -1;
        }
    }

    node = &rd->nodes[i];

    name.len = text.len;
    name.data = text.data;

    ngx_http_cx_redis_fill(node, &name, port);

    if (node->conn) {
        /* closed, of the one that was here before */
        name.data = buf;
        name.len = ngx_snprintf(buf, sizeof(buf), "%V:%ui", &node->peer.name,
                                port) - buf;
        ngx_http_cx_conn_point(node->conn, &node->peer, &name);
    }

    return i;
}


void
ngx_http_cx_redis_mapped(void)
{
    ngx_int_t                  n;
    ngx_uint_t                 i;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_node_t  *node;

    rd = &ngx_http_cx_redis;

    for (i = 0; i < rd->map->n; i++) {
        rd->nodes[i].holds = 0;
    }

    for (i = 0; i < CX_REDIS_SLOTS; i++) {
        n = rd->map->slot[i];
        rd->ask[i] = -1;

        if (n >= 0) {
            rd->nodes[n].holds = 1;
        }
    }

    for (i = 0; i < rd->map->n; i++) {
        node = &rd->nodes[i];

        if (node->conn == NULL) {
            continue;
        }

        ngx_http_cx_conn_asking(node->conn, 0);

        if (!node->holds) {
            ngx_http_cx_conn_close(node->conn);
            ngx_http_cx_trouble_forget(ngx_http_cx_conn_trouble(node->conn));
        }
    }

    ngx_http_cx_writer_route();
}


void
ngx_http_cx_redis_links(ngx_uint_t *open, ngx_uint_t *wanted)
{
    ngx_uint_t                 i, n;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_node_t  *node;

    rd = &ngx_http_cx_redis;

    *open = 0;
    *wanted = 0;

    if (rd->conf == NULL) {
        return;
    }

    node = rd->map ? rd->nodes : &rd->one;
    n = rd->map ? rd->map->n : 1;

    for (i = 0; i < n; i++) {

        if (node[i].conn) {
            *open += ngx_http_cx_conn_ready(node[i].conn);
            *wanted += ngx_http_cx_conn_wanted(node[i].conn);
        }
    }

    if (*wanted == 0 && ngx_http_cx_redis_looking()) {
        *wanted = 1;
    }
}


void
ngx_http_cx_redis_close(void)
{
    ngx_uint_t            i;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (rd->conf == NULL) {
        return;
    }

    ngx_http_cx_redis_look_close();

    if (rd->one.conn) {
        rd->one.master = 0;
        ngx_http_cx_conn_drop(rd->one.conn);
    }

    for (i = 0; rd->map && i < rd->map->n; i++) {

        if (rd->nodes[i].conn) {
            ngx_http_cx_conn_drop(rd->nodes[i].conn);
        }
    }
}
