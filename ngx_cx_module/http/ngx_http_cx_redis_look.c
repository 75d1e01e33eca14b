
/*
 * Asks for the way: Sentinels for their master, a cluster's nodes for their
 * slots.  One connection goes from one to the next until one answers.
 */


#include "ngx_http_cx_redis.h"


#define NGX_HTTP_CX_LOOK_EVERY  1000       /* ms, not more often */
#define NGX_HTTP_CX_LOOK_MAX    5000       /* where nobody answers */


typedef struct {
    ngx_http_cx_conn_t  *scout;
    ngx_str_t            command;
    ngx_uint_t           turn;             /* of those who can be asked */
    ngx_uint_t           left;             /* of them, in this round */
    ngx_uint_t           kind;             /* why the last did not answer */
    ngx_err_t            err;
    ngx_str_t            error;
    u_char               error_text[384];
    ngx_event_t          timer;
    ngx_event_t          next;             /* posted: ask the next one */
    ngx_connection_t     dummy;
    ngx_msec_t           last;             /* when the last round began */
    ngx_msec_t           delay;
    unsigned             asked:1;          /* last is set */
    unsigned             busy:1;
} ngx_http_cx_redis_look_t;


static ngx_int_t ngx_http_cx_redis_look_command(ngx_pool_t *pool);
static void ngx_http_cx_redis_look_begin(void);
static void ngx_http_cx_redis_look_timer_handler(ngx_event_t *ev);
static void ngx_http_cx_redis_look_next_handler(ngx_event_t *ev);
static void ngx_http_cx_redis_look_opened(ngx_http_cx_conn_t *conn);
static void ngx_http_cx_redis_look_closed(ngx_http_cx_conn_t *conn,
    ngx_uint_t kind);
static void ngx_http_cx_redis_look_reply(void *data, redisReply *reply);
static void ngx_http_cx_redis_look_useless(ngx_uint_t kind, ngx_err_t err,
    ngx_str_t *text);
static void ngx_http_cx_redis_look_failed(void);
static void ngx_http_cx_redis_look_done(void);
static ngx_int_t ngx_http_cx_redis_look_master(redisReply *reply,
    ngx_str_t *text);
static ngx_int_t ngx_http_cx_redis_look_slots(redisReply *reply,
    ngx_str_t *text);
static void ngx_http_cx_redis_look_note(redisReply *row, size_t k,
    ngx_str_t *asked);
static ngx_uint_t ngx_http_cx_redis_look_row(redisReply *row);
static void ngx_http_cx_redis_look_host(redisReply *node, cx_str_t *host);


static ngx_http_cx_redis_look_t  ngx_http_cx_redis_lookout;

static ngx_http_cx_conn_handlers_t  ngx_http_cx_redis_look_handlers = {
    ngx_http_cx_redis_look_opened,
    ngx_http_cx_redis_look_closed,
    NULL
};


ngx_int_t
ngx_http_cx_redis_look_init(void)
{
    ngx_uint_t                 kind;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_look_t  *lk;

    rd = &ngx_http_cx_redis;
    lk = &ngx_http_cx_redis_lookout;

    lk->dummy.fd = (ngx_socket_t) -1;

    lk->timer.handler = ngx_http_cx_redis_look_timer_handler;
    lk->timer.data = &lk->dummy;
    lk->timer.log = ngx_cycle->log;
    lk->timer.cancelable = 1;

    lk->next.handler = ngx_http_cx_redis_look_next_handler;
    lk->next.data = &lk->dummy;
    lk->next.log = ngx_cycle->log;

    /* workers do not all ask the same one first */

    lk->turn = ngx_random() % rd->conf->target.n;

    kind = rd->map ? NGX_HTTP_CX_CONN_SCOUT : NGX_HTTP_CX_CONN_SENTINEL;

    lk->scout = ngx_http_cx_conn_create(rd->pool, rd->conf, kind, NULL,
                                        &ngx_http_cx_redis_look_handlers);
    if (lk->scout == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_cx_redis_look_command(rd->pool);
}


static ngx_int_t
ngx_http_cx_redis_look_command(ngx_pool_t *pool)
{
    size_t                     lens[3];
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_look_t  *lk;
    int                        argc, len;
    char                      *text;
    const char                *argv[3];

    rd = &ngx_http_cx_redis;
    lk = &ngx_http_cx_redis_lookout;

    if (rd->map) {
        argc = 2;
        argv[0] = "CLUSTER";
        argv[1] = "SLOTS";

    } else {
        argc = 3;
        argv[0] = "SENTINEL";
        argv[1] = "GET-MASTER-ADDR-BY-NAME";
        argv[2] = (const char *) rd->conf->target.master.data;
        lens[2] = rd->conf->target.master.len;
    }

    lens[0] = ngx_strlen(argv[0]);
    lens[1] = ngx_strlen(argv[1]);

    len = redisFormatCommandArgv(&text, argc, argv, lens);
    if (len < 0) {
        return NGX_ERROR;
    }

    lk->command.len = len;
    lk->command.data = ngx_pnalloc(pool, len);

    if (lk->command.data) {
        ngx_memcpy(lk->command.data, text, len);
    }

    redisFreeCommand(text);

    return lk->command.data ? NGX_OK : NGX_ERROR;
}


void
ngx_http_cx_redis_look(void)
{
    ngx_msec_t                 since;
    ngx_http_cx_redis_look_t  *lk;

    lk = &ngx_http_cx_redis_lookout;

    if (lk->busy || lk->timer.timer_set) {
        return;
    }

    since = ngx_current_msec - lk->last;

    if (lk->asked && since < NGX_HTTP_CX_LOOK_EVERY) {
        ngx_add_timer(&lk->timer, NGX_HTTP_CX_LOOK_EVERY - since
                                  + ngx_random() % 100);
        return;
    }

    ngx_http_cx_redis_look_begin();
}


static void
ngx_http_cx_redis_look_timer_handler(ngx_event_t *ev)
{
    ngx_http_cx_redis_look_begin();
}


static void
ngx_http_cx_redis_look_begin(void)
{
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_look_t  *lk;

    rd = &ngx_http_cx_redis;
    lk = &ngx_http_cx_redis_lookout;

    lk->busy = 1;
    lk->asked = 1;
    lk->last = ngx_current_msec;
    lk->left = rd->conf->target.n + (rd->map ? rd->map->n : 0);

    ngx_http_cx_trouble_attempt(&rd->trouble);

    ngx_post_event(&lk->next, &ngx_posted_events);
}


/* asks the next one: seeds, then nodes that were known before */

static void
ngx_http_cx_redis_look_next_handler(ngx_event_t *ev)
{
    ngx_str_t                  name;
    ngx_uint_t                 i, n;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_peer_t  *peer;
    ngx_http_cx_redis_look_t  *lk;
    u_char                     text[CX_REDIS_HOST + NGX_INT_T_LEN];

    rd = &ngx_http_cx_redis;
    lk = &ngx_http_cx_redis_lookout;

    if (lk->left == 0) {
        ngx_http_cx_redis_look_failed();
        return;
    }

    lk->left--;

    n = rd->conf->target.n + (rd->map ? rd->map->n : 0);
    i = lk->turn++ % n;

    peer = i < rd->conf->target.n ? &rd->conf->seed[i]
                                  : &rd->nodes[i - rd->conf->target.n].peer;

    name.data = text;
    name.len = ngx_snprintf(text, sizeof(text), "%V:%ui", &peer->name,
                            (ngx_uint_t) peer->port) - text;

    ngx_http_cx_conn_point(lk->scout, peer, &name);
    ngx_http_cx_conn_open(lk->scout);
}


static void
ngx_http_cx_redis_look_opened(ngx_http_cx_conn_t *conn)
{
    ngx_http_cx_redis_look_t  *lk;

    lk = &ngx_http_cx_redis_lookout;

    ngx_http_cx_conn_ask(conn, lk->command.data,
                         lk->command.data + lk->command.len,
                         ngx_http_cx_redis_look_reply, conn);
}


static void
ngx_http_cx_redis_look_closed(ngx_http_cx_conn_t *conn, ngx_uint_t kind)
{
    ngx_err_t   err;
    ngx_str_t  *text;

    text = ngx_http_cx_conn_error(conn, &err);

    ngx_http_cx_redis_look_useless(kind ? kind : NGX_HTTP_CX_C_TROUBLE_CLOSED,
                                   err, text);
}


static void
ngx_http_cx_redis_look_reply(void *data, redisReply *reply)
{
    ngx_http_cx_conn_t *scout = data;

    ngx_int_t             rc;
    ngx_str_t             text;
    ngx_uint_t            kind;
    ngx_http_cx_redis_t  *rd;

    if (reply == NULL) {
        /* closed() follows, or everything is closed */
        return;
    }

    rd = &ngx_http_cx_redis;

    if (reply->type == REDIS_REPLY_ERROR) {
        text.data = (u_char *) reply->str;
        text.len = reply->len;
        kind = ngx_http_cx_trouble_kind(&text, 0);

        ngx_http_cx_conn_close(scout);
        ngx_http_cx_redis_look_useless(kind, 0, &text);
        return;
    }

    /* a master that cannot be connected to has to be asked for again */

    ngx_http_cx_redis_lookout.busy = 0;

    rc = rd->map ? ngx_http_cx_redis_look_slots(reply, &text)
                 : ngx_http_cx_redis_look_master(reply, &text);

    ngx_http_cx_conn_close(scout);

    if (rc != NGX_OK) {
        ngx_http_cx_redis_look_useless(NGX_HTTP_CX_C_TROUBLE_CLUSTER, 0,
                                       &text);
        return;
    }

    ngx_http_cx_redis_look_done();
}


/* notes why, and goes on to the next one */

static void
ngx_http_cx_redis_look_useless(ngx_uint_t kind, ngx_err_t err, ngx_str_t *text)
{
    ngx_http_cx_redis_look_t  *lk;
    ngx_http_cx_redis_peer_t  *peer;

    lk = &ngx_http_cx_redis_lookout;
    peer = ngx_http_cx_conn_peer(lk->scout);

    lk->busy = 1;
    lk->kind = kind;
    lk->err = err;

    lk->error.data = lk->error_text;
    lk->error.len = ngx_snprintf(lk->error_text, sizeof(lk->error_text),
                                 "nobody tells the way, the last one asked is "
                                 "%V:%ui: %V", &peer->name,
                                 (ngx_uint_t) peer->port, text)
                    - lk->error_text;

    ngx_post_event(&lk->next, &ngx_posted_events);
}


static void
ngx_http_cx_redis_look_failed(void)
{
    ngx_http_cx_redis_look_t  *lk;

    lk = &ngx_http_cx_redis_lookout;

    lk->busy = 0;

    ngx_http_cx_trouble_begin(&ngx_http_cx_redis.trouble, lk->kind, lk->err,
                              &lk->error);

    lk->delay = lk->delay ? ngx_min(lk->delay * 2, NGX_HTTP_CX_LOOK_MAX)
                          : NGX_HTTP_CX_LOOK_EVERY;

    ngx_add_timer(&lk->timer, lk->delay / 2 + ngx_random() % lk->delay);
}


static void
ngx_http_cx_redis_look_done(void)
{
    ngx_uint_t                 down;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_look_t  *lk;

    rd = &ngx_http_cx_redis;
    lk = &ngx_http_cx_redis_lookout;

    lk->delay = 0;

    if (rd->map == NULL) {

        /* this Sentinel is asked first the next time */

        lk->turn--;
    }

    /* that of CLUSTERDOWN is over when a slot is served */

    down = (ngx_uint_t) 1 << (NGX_HTTP_CX_C_TROUBLE_CLUSTER
                              - NGX_HTTP_CX_C_TROUBLE_CONNECT);

    if (!(rd->trouble.kinds & down)) {
        ngx_http_cx_trouble_end(&rd->trouble);
    }

    if (rd->map) {
        ngx_http_cx_redis_mapped();
    }
}


/* [ host, port ], or nil */

static ngx_int_t
ngx_http_cx_redis_look_master(redisReply *reply, ngx_str_t *text)
{
    ngx_int_t    port;
    ngx_str_t    host;
    redisReply **e;

    if (reply->type == REDIS_REPLY_NIL) {
        ngx_str_set(text, "it knows no master of this name");
        return NGX_ERROR;
    }

    e = reply->element;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
        || e[0]->type != REDIS_REPLY_STRING || e[0]->len == 0
        || e[0]->len >= CX_REDIS_HOST || e[1]->type != REDIS_REPLY_STRING)
    {
        ngx_str_set(text, "it does not answer like a Sentinel");
        return NGX_ERROR;
    }

    port = ngx_atoi((u_char *) e[1]->str, e[1]->len);

    if (port < 1 || port > 65535) {
        ngx_str_set(text, "it does not know the master's port");
        return NGX_ERROR;
    }

    host.data = (u_char *) e[0]->str;
    host.len = e[0]->len;

    ngx_http_cx_redis_named(&host, (in_port_t) port);

    return NGX_OK;
}


/*
 * Rows of [ first, last, master, replica, ... ], each of these [ host, port,
 * id, more ].  Replicas are noted as well: if all masters are gone, they know
 * the way.  Masters come first, as there may not be room for all.
 */

static ngx_int_t
ngx_http_cx_redis_look_slots(redisReply *reply, ngx_str_t *text)
{
    size_t                i, k;
    ngx_str_t             asked;
    ngx_uint_t            more;
    redisReply           *row;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        ngx_str_set(text, "it knows no slots");
        return NGX_ERROR;
    }

    for (i = 0; i < reply->elements; i++) {
        if (!ngx_http_cx_redis_look_row(reply->element[i])) {
            ngx_str_set(text, "it does not answer like a node of a cluster");
            return NGX_ERROR;
        }
    }

    asked = ngx_http_cx_conn_peer(ngx_http_cx_redis_lookout.scout)->name;

    cx_redis_map_clear(rd->map);

    for (k = 2, more = 1; more; k++) {
        more = 0;

        for (i = 0; i < reply->elements; i++) {
            row = reply->element[i];

            if (k < row->elements) {
                more = 1;
                ngx_http_cx_redis_look_note(row, k, &asked);
            }
        }
    }

    return NGX_OK;
}


/* node k of a row: the slots are those of the first, its master */

static void
ngx_http_cx_redis_look_note(redisReply *row, size_t k, ngx_str_t *asked)
{
    cx_str_t              host;
    long long             port;
    ngx_int_t             n;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    ngx_http_cx_redis_look_host(row->element[k], &host);

    if (host.len == 0) {
        host.len = asked->len;
        host.data = asked->data;
    }

    port = row->element[k]->element[1]->integer;
    n = ngx_http_cx_redis_node(&host, port, asked);

    if (n < 0 || k > 2) {
        return;
    }

    rd->nodes[n].holds = 1;

    (void) cx_redis_map_range(rd->map, row->element[0]->integer,
                              row->element[1]->integer, &host, port);
}


static ngx_uint_t
ngx_http_cx_redis_look_row(redisReply *row)
{
    size_t       k;
    redisReply **e;

    e = row->element;

    if (row->type != REDIS_REPLY_ARRAY || row->elements < 3
        || e[0]->type != REDIS_REPLY_INTEGER || e[0]->integer < 0
        || e[1]->type != REDIS_REPLY_INTEGER
        || e[1]->integer >= CX_REDIS_SLOTS)
    {
        return 0;
    }

    for (k = 2; k < row->elements; k++) {

        if (e[k]->type != REDIS_REPLY_ARRAY || e[k]->elements < 2
            || (e[k]->element[0]->type != REDIS_REPLY_STRING
                && e[k]->element[0]->type != REDIS_REPLY_NIL)
            || e[k]->element[1]->type != REDIS_REPLY_INTEGER)
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Empty or nil: the node that was asked.  "?": it has not told its name, but
 * its address may stand in what follows: [ "ip", "10.0.0.1" ].
 */

static void
ngx_http_cx_redis_look_host(redisReply *node, cx_str_t *host)
{
    size_t       i;
    redisReply  *e, *more;

    e = node->element[0];

    host->len = 0;
    host->data = NULL;

    if (e->type != REDIS_REPLY_STRING) {
        return;
    }

    if (e->len == 1 && e->str[0] == '?' && node->elements > 3
        && node->element[3]->type == REDIS_REPLY_ARRAY)
    {
        more = node->element[3];

        for (i = 0; i + 1 < more->elements; i += 2) {

            if (more->element[i]->type == REDIS_REPLY_STRING
                && more->element[i + 1]->type == REDIS_REPLY_STRING
                && ngx_strcmp(more->element[i]->str, "ip") == 0)
            {
                e = more->element[i + 1];
                break;
            }
        }
    }

    host->len = e->len;
    host->data = (u_char *) e->str;
}


ngx_uint_t
ngx_http_cx_redis_looking(void)
{
    ngx_http_cx_redis_look_t  *lk;

    lk = &ngx_http_cx_redis_lookout;

    return lk->busy || lk->timer.timer_set;
}


ngx_uint_t
ngx_http_cx_redis_look_asks(ngx_http_cx_redis_peer_t *peer)
{
    ngx_http_cx_conn_t  *scout;

    scout = ngx_http_cx_redis_lookout.scout;

    return ngx_http_cx_conn_wanted(scout)
           && ngx_http_cx_conn_peer(scout) == peer;
}


void
ngx_http_cx_redis_look_close(void)
{
    ngx_http_cx_redis_look_t  *lk;

    lk = &ngx_http_cx_redis_lookout;

    if (lk->scout) {
        ngx_http_cx_conn_drop(lk->scout);
    }

    if (lk->timer.timer_set) {
        ngx_del_timer(&lk->timer);
    }

    if (lk->next.posted) {
        ngx_delete_posted_event(&lk->next);
    }

    lk->busy = 0;
    lk->asked = 0;
    lk->delay = 0;
}
