
/*
 * What Redis refuses, and what that means: another way, a wait, or trouble of
 * one slot only.
 */


#include "ngx_http_cx_redis.h"


static ngx_int_t ngx_http_cx_redis_redirected(ngx_http_cx_conn_t *conn,
    ngx_uint_t slot, cx_str_t *reply);
static void ngx_http_cx_redis_trouble(ngx_uint_t slot, ngx_uint_t kind,
    ngx_str_t *text);
static ngx_str_t *ngx_http_cx_redis_slot_name(ngx_uint_t slot,
    ngx_str_t *name);


ngx_int_t
ngx_http_cx_redis_refused(ngx_http_cx_conn_t *conn, ngx_uint_t slot,
    redisReply *reply)
{
    cx_str_t          text;
    ngx_str_t         said;
    ngx_uint_t        kind;
    cx_redis_error_e  error;

    said.len = text.len = reply->len;
    said.data = text.data = (u_char *) reply->str;

    error = cx_redis_error(&text);
    kind = ngx_http_cx_trouble_kind(&said, 0);

    if (error == CX_REDIS_E_MOVED || error == CX_REDIS_E_ASK
        || error == CX_REDIS_E_TRYAGAIN)
    {
        ngx_http_cx_count(NGX_HTTP_CX_C_REDIRECTS, 1);
    }

    switch (cx_redis_error_about(error)) {

    case CX_REDIS_SCRIPT:

        /* Redis forgot it: no trouble unless it goes on */

        if (ngx_http_cx_conn_load(conn) == NGX_OK) {
            return NGX_AGAIN;
        }

        break;

    case CX_REDIS_ROUTE:

        if (ngx_http_cx_redis.conf->target.mode == CX_REDIS_CLUSTER) {
            return ngx_http_cx_redis_redirected(conn, slot, &text);
        }

        if (error != CX_REDIS_E_CLUSTERDOWN) {
            ngx_str_set(&said, "it is a node of a Redis Cluster, expected "
                               "several urls or the word \"cluster\" in "
                               "cx_redis");
        }

        break;

    case CX_REDIS_KEY:
        ngx_http_cx_conn_well(conn);
        ngx_http_cx_redis_trouble(slot, kind, &said);

        return NGX_DECLINED;
    }

    ngx_http_cx_conn_fail(conn, kind, 0, "%V", &said);

    return NGX_ABORT;
}


/* a cluster's node says where else a slot is, or that it is nowhere */

static ngx_int_t
ngx_http_cx_redis_redirected(ngx_http_cx_conn_t *conn, ngx_uint_t slot,
    cx_str_t *reply)
{
    cx_str_t              host;
    ngx_int_t             n;
    unsigned              moved, port;
    ngx_str_t             text;
    cx_redis_error_e      error;
    ngx_http_cx_redis_t  *rd;

    rd = &ngx_http_cx_redis;

    ngx_http_cx_conn_well(conn);

    error = cx_redis_error(reply);
    n = -1;

    if (cx_redis_redirect(reply, &moved, &host, &port) == 0 && moved == slot) {
        n = ngx_http_cx_redis_node(&host, port,
                                   &ngx_http_cx_conn_peer(conn)->name);
    }

    if (n >= 0) {
        rd->nodes[n].holds = 1;
    }

    rd->ask[slot] = -1;

    if (error == CX_REDIS_E_TRYAGAIN) {

        /* half of the keys are on their way */

        return NGX_AGAIN;
    }

    if (error == CX_REDIS_E_ASK) {

        if (n >= 0 && ngx_http_cx_redis_conn(&rd->nodes[n])) {
            rd->ask[slot] = n;
            ngx_http_cx_conn_asking(rd->nodes[n].conn, 1);
        }

        return NGX_AGAIN;
    }

    if (error == CX_REDIS_E_CLUSTERDOWN) {
        text.len = reply->len;
        text.data = reply->data;

        if (ngx_strlcasestrn(text.data, text.data + text.len,
                             (u_char *) "not served", 9))
        {
            ngx_http_cx_redis_trouble(slot, NGX_HTTP_CX_C_TROUBLE_CLUSTER,
                                      &text);

        } else {
            ngx_http_cx_trouble_begin(&rd->trouble,
                                      NGX_HTTP_CX_C_TROUBLE_CLUSTER, 0, &text);
        }

    } else if (n >= 0) {
        rd->map->slot[slot] = n;
    }

    ngx_http_cx_redis_look();

    return NGX_AGAIN;
}


static void
ngx_http_cx_redis_trouble(ngx_uint_t slot, ngx_uint_t kind, ngx_str_t *text)
{
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_slot_t  *s;

    rd = &ngx_http_cx_redis;

    s = rd->slots.elts;

    for (i = 0; i < rd->slots.nelts; i++) {

        if (s[i].slot == slot) {
            ngx_http_cx_trouble_begin(&s[i].trouble, kind, 0, text);
            return;
        }
    }

    if (ngx_http_cx_redis_slot_name(slot, &name) == NULL) {
        return;
    }

    s = ngx_array_push(&rd->slots);
    if (s == NULL) {
        return;
    }

    ngx_memzero(s, sizeof(ngx_http_cx_redis_slot_t));

    s->slot = slot;
    s->trouble.name = name;

    ngx_http_cx_trouble_begin(&s->trouble, kind, 0, text);
}


/* in a pool: the stream's key if it is configured */

static ngx_str_t *
ngx_http_cx_redis_slot_name(ngx_uint_t slot, ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_stream_t     **stream;
    ngx_http_cx_main_conf_t   *cxmcf;

    rd = &ngx_http_cx_redis;

    cxmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_cx_module);
    stream = cxmcf->streams.elts;

    for (i = 0; i < cxmcf->streams.nelts; i++) {
        if (stream[i]->slot == slot) {
            break;
        }
    }

    name->len = rd->trouble.name.len + sizeof(", slot 16383") - 1;

    if (i < cxmcf->streams.nelts) {
        name->len = rd->trouble.name.len + 2 + stream[i]->key.len;
    }

    name->data = ngx_pnalloc(rd->pool, name->len);
    if (name->data == NULL) {
        return NULL;
    }

    if (i < cxmcf->streams.nelts) {
        ngx_sprintf(name->data, "%V, %V", &rd->trouble.name, &stream[i]->key);

    } else {
        name->len = ngx_sprintf(name->data, "%V, slot %ui", &rd->trouble.name,
                                slot) - name->data;
    }

    return name;
}


void
ngx_http_cx_redis_taken(ngx_uint_t slot)
{
    ngx_uint_t                 i;
    ngx_http_cx_redis_t       *rd;
    ngx_http_cx_redis_slot_t  *s;

    rd = &ngx_http_cx_redis;

    ngx_http_cx_trouble_end(&rd->trouble);

    s = rd->slots.elts;

    for (i = 0; i < rd->slots.nelts; i++) {

        if (s[i].slot == slot) {
            ngx_http_cx_trouble_end(&s[i].trouble);
        }
    }
}
