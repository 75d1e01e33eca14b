
/*
 * The zone shared by the workers: counters, the day's salt, the signing key,
 * and what is remembered of each visit for a while: its last views and its
 * segment.  Bounded: the visit seen longest ago makes room.  Survives reload.
 *
 * A visit is told apart by a hash of site, address and user agent, keyed by
 * the salt.  Neither address nor agent is kept; the salt is drawn anew on each
 * UTC day and the old one is overwritten.
 */


#include <ngx_sha1.h>
#include "ngx_http_cx.h"


#define NGX_HTTP_CX_VISIT_VIEWS   4      /* last views kept: the node then
                                            fills a slab slot of 128 bytes */
#define NGX_HTTP_CX_ZONE_SIZE     (16 * 1024 * 1024)
#define NGX_HTTP_CX_SALT_LEN      16
#define NGX_HTTP_CX_KEY_LEN       32


typedef struct {
    uint32_t                     page;   /* crc32 of the page key; 0: none */
    uint32_t                     time;   /* s, low bits of Unix time */
} ngx_http_cx_visit_view_t;


typedef struct {
    ngx_rbtree_node_t            node;   /* key: the visit key's bits */
    ngx_queue_t                  queue;
    ngx_http_cx_visit_view_t     views[NGX_HTTP_CX_VISIT_VIEWS];
    u_char                       segment[CX_NAME_MAX];
    u_char                       segment_len;
    u_char                       next;   /* of views, to be overwritten */
} ngx_http_cx_visit_node_t;


typedef struct {
    ngx_rbtree_t                 rbtree;
    ngx_rbtree_node_t            sentinel;
    ngx_queue_t                  queue;  /* last seen first */
    time_t                       day;    /* of the salt; 0: none yet */
    u_char                       salt[NGX_HTTP_CX_SALT_LEN];
    u_char                       key[NGX_HTTP_CX_KEY_LEN];
    ngx_atomic_t                 counters[NGX_HTTP_CX_COUNTERS_ALL];
} ngx_http_cx_visit_shctx_t;


typedef struct {
    ngx_http_cx_visit_shctx_t   *sh;
    ngx_slab_pool_t             *shpool;
} ngx_http_cx_visit_ctx_t;


static ngx_shm_zone_t *ngx_http_cx_visit_add_zone(ngx_conf_t *cf,
    ngx_str_t *name, size_t size);
static ngx_int_t ngx_http_cx_visit_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static u_char *ngx_http_cx_visit_salt(void);
static ngx_http_cx_visit_node_t *ngx_http_cx_visit_lookup(
    ngx_rbtree_key_t key);
static ngx_http_cx_visit_node_t *ngx_http_cx_visit_add(ngx_rbtree_key_t key);
static ngx_rbtree_key_t ngx_http_cx_visit_bits(ngx_str_t *visit);


/* set when the zone is mapped, before the workers are forked */

static ngx_http_cx_visit_ctx_t  *ngx_http_cx_zone;


char *
ngx_http_cx_visit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    u_char     *p;
    ssize_t     size;
    ngx_str_t  *value, name, s;

    if (cxmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = NGX_ERROR;

    name.data = value[1].data;
    p = (u_char *) ngx_strchr(name.data, ':');

    if (p) {
        name.len = p - name.data;
        s.data = p + 1;
        s.len = value[1].data + value[1].len - s.data;
        size = ngx_parse_size(&s);
    }

    if (p == NULL || name.len == 0 || size < (ssize_t) (16 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cx_zone %V\": expected name:size with a size of "
                           "at least %uzk, for example \"cx:16m\"", &value[1],
                           (size_t) 16 * ngx_pagesize / 1024);
        return NGX_CONF_ERROR;
    }

    cxmcf->zone = ngx_http_cx_visit_add_zone(cf, &name, size);

    return cxmcf->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_cx_visit_default_zone(ngx_conf_t *cf, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_str_t  name = ngx_string("cx");

    cxmcf->zone = ngx_http_cx_visit_add_zone(cf, &name, NGX_HTTP_CX_ZONE_SIZE);

    return cxmcf->zone ? NGX_OK : NGX_ERROR;
}


static ngx_shm_zone_t *
ngx_http_cx_visit_add_zone(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_shm_zone_t           *zone;
    ngx_http_cx_visit_ctx_t  *ctx;

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_visit_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    zone = ngx_shared_memory_add(cf, name, size, &ngx_http_cx_module);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_http_cx_visit_init_zone;
    zone->data = ctx;

    return zone;
}


static ngx_int_t
ngx_http_cx_visit_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_cx_visit_ctx_t  *octx = data;

    size_t                    len;
    ngx_http_cx_visit_ctx_t  *ctx;

    ctx = shm_zone->data;

    if (octx) {
        ctx->sh = octx->sh;
        ctx->shpool = octx->shpool;
        ngx_http_cx_zone = ctx;

        return NGX_OK;
    }

    ctx->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        ctx->sh = ctx->shpool->data;
        ngx_http_cx_zone = ctx;

        return NGX_OK;
    }

    ctx->sh = ngx_slab_calloc(ctx->shpool, sizeof(ngx_http_cx_visit_shctx_t));
    if (ctx->sh == NULL) {
        return NGX_ERROR;
    }

    ctx->shpool->data = ctx->sh;

    ngx_rbtree_init(&ctx->sh->rbtree, &ctx->sh->sentinel,
                    ngx_rbtree_insert_value);
    ngx_queue_init(&ctx->sh->queue);

    if (ngx_http_cx_random(ctx->sh->key, NGX_HTTP_CX_KEY_LEN) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, ngx_errno,
                      "cx: no random bytes from /dev/urandom");
        return NGX_ERROR;
    }

    len = sizeof(" in cx zone \"\"") + shm_zone->shm.name.len;

    ctx->shpool->log_ctx = ngx_slab_alloc(ctx->shpool, len);
    if (ctx->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(ctx->shpool->log_ctx, " in cx zone \"%V\"%Z",
                &shm_zone->shm.name);

    /* a full zone evicts, which is counted and no reason to log */
    ctx->shpool->log_nomem = 0;

    ngx_http_cx_zone = ctx;

    return NGX_OK;
}


ngx_int_t
ngx_http_cx_random(u_char *dst, size_t len)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file("/dev/urandom", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, dst, len);

    (void) ngx_close_file(fd);

    return n == (ssize_t) len ? NGX_OK : NGX_ERROR;
}


/* the day's salt; NULL: there is none, so nobody is told apart */

static u_char *
ngx_http_cx_visit_salt(void)
{
    time_t                     day;
    ngx_int_t                  rc;
    ngx_http_cx_visit_shctx_t  *sh;

    static time_t              known;
    static u_char              salt[NGX_HTTP_CX_SALT_LEN];

    day = ngx_time() / 86400;

    if (day == known) {
        return salt;
    }

    sh = ngx_http_cx_zone->sh;
    rc = NGX_OK;

    ngx_shmtx_lock(&ngx_http_cx_zone->shpool->mutex);

    if (sh->day != day) {
        rc = ngx_http_cx_random(sh->salt, NGX_HTTP_CX_SALT_LEN);
        sh->day = (rc == NGX_OK) ? day : 0;
    }

    ngx_memcpy(salt, sh->salt, NGX_HTTP_CX_SALT_LEN);

    ngx_shmtx_unlock(&ngx_http_cx_zone->shpool->mutex);

    known = (rc == NGX_OK) ? day : 0;

    return rc == NGX_OK ? salt : NULL;
}


ngx_int_t
ngx_http_cx_visit_key(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    u_char *dst)
{
    u_char                *salt, hash[20];
    ngx_sha1_t             sha1;
    struct sockaddr_in    *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6   *sin6;
#endif

    if (cxlcf->visitor == NGX_HTTP_CX_VISITOR_OFF) {
        return NGX_DECLINED;
    }

    salt = ngx_http_cx_visit_salt();
    if (salt == NULL) {
        return NGX_DECLINED;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, salt, NGX_HTTP_CX_SALT_LEN);
    ngx_sha1_update(&sha1, cxlcf->site->name.data, cxlcf->site->name.len);
    ngx_sha1_update(&sha1, "/", 1);

    switch (r->connection->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        ngx_sha1_update(&sha1, &sin6->sin6_addr, 16);
        break;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        ngx_sha1_update(&sha1, &sin->sin_addr, 4);
        break;

    default: /* unix: the address is the proxy's, the agent must do */
        break;
    }

    if (r->headers_in.user_agent) {
        ngx_sha1_update(&sha1, r->headers_in.user_agent->value.data,
                        r->headers_in.user_agent->value.len);
    }

    ngx_sha1_final(hash, &sha1);

    ngx_hex_dump(dst, hash, NGX_HTTP_CX_VISIT_LEN / 2);

    return NGX_OK;
}


ngx_uint_t
ngx_http_cx_visit_view(ngx_str_t *visit, ngx_str_t *page, ngx_str_t *segment)
{
    uint32_t                    crc, now;
    ngx_uint_t                  i, n;
    ngx_rbtree_key_t            key;
    ngx_http_cx_visit_node_t   *vn;
    ngx_http_cx_visit_view_t   *view;
    ngx_http_cx_visit_shctx_t  *sh;

    sh = ngx_http_cx_zone->sh;
    key = ngx_http_cx_visit_bits(visit);
    crc = ngx_crc32_short(page->data, page->len);
    crc = crc ? crc : 1;
    now = (uint32_t) ngx_time();
    n = 1;

    ngx_shmtx_lock(&ngx_http_cx_zone->shpool->mutex);

    vn = ngx_http_cx_visit_lookup(key);

    if (vn) {
        ngx_queue_remove(&vn->queue);
        ngx_queue_insert_head(&sh->queue, &vn->queue);

    } else {
        vn = ngx_http_cx_visit_add(key);

        if (vn == NULL) {
            ngx_shmtx_unlock(&ngx_http_cx_zone->shpool->mutex);
            ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_LOST, 1);
            return n;
        }
    }

    for (i = 0; i < NGX_HTTP_CX_VISIT_VIEWS; i++) {
        view = &vn->views[i];

        if (view->page == crc && now - view->time < CX_RELOAD_WINDOW_S) {
            n++;
        }
    }

    if (n >= CX_RELOAD_VIEWS) {

        /* told once; the next one needs as many views again */

        for (i = 0; i < NGX_HTTP_CX_VISIT_VIEWS; i++) {
            if (vn->views[i].page == crc) {
                vn->views[i].page = 0;
            }
        }

    } else {
        view = &vn->views[vn->next];
        view->page = crc;
        view->time = now;
        vn->next = (vn->next + 1) % NGX_HTTP_CX_VISIT_VIEWS;
    }

    if (segment->len) {
        vn->segment_len = (u_char) segment->len;
        ngx_memcpy(vn->segment, segment->data, segment->len);
    }

    ngx_shmtx_unlock(&ngx_http_cx_zone->shpool->mutex);

    return n;
}


size_t
ngx_http_cx_visit_segment(ngx_str_t *visit, u_char *dst)
{
    size_t                     len;
    ngx_http_cx_visit_node_t  *vn;

    len = 0;

    ngx_shmtx_lock(&ngx_http_cx_zone->shpool->mutex);

    vn = ngx_http_cx_visit_lookup(ngx_http_cx_visit_bits(visit));

    if (vn) {
        len = vn->segment_len;
        ngx_memcpy(dst, vn->segment, len);
    }

    ngx_shmtx_unlock(&ngx_http_cx_zone->shpool->mutex);

    return len;
}


static ngx_http_cx_visit_node_t *
ngx_http_cx_visit_lookup(ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = ngx_http_cx_zone->sh->rbtree.root;
    sentinel = ngx_http_cx_zone->sh->rbtree.sentinel;

    while (node != sentinel) {

        if (key == node->key) {
            return ngx_rbtree_data(node, ngx_http_cx_visit_node_t, node);
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_cx_visit_node_t *
ngx_http_cx_visit_add(ngx_rbtree_key_t key)
{
    ngx_uint_t                  i;
    ngx_queue_t                *q;
    ngx_http_cx_visit_node_t   *vn;
    ngx_http_cx_visit_shctx_t  *sh;

    sh = ngx_http_cx_zone->sh;

    for (i = 0; /* void */ ; i++) {

        vn = ngx_slab_calloc_locked(ngx_http_cx_zone->shpool,
                                    sizeof(ngx_http_cx_visit_node_t));

        if (vn || i == 2 || ngx_queue_empty(&sh->queue)) {
            break;
        }

        q = ngx_queue_last(&sh->queue);
        vn = ngx_queue_data(q, ngx_http_cx_visit_node_t, queue);

        ngx_queue_remove(q);
        ngx_rbtree_delete(&sh->rbtree, &vn->node);
        ngx_slab_free_locked(ngx_http_cx_zone->shpool, vn);

        ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_EVICTED, 1);
    }

    if (vn == NULL) {
        return NULL;
    }

    vn->node.key = key;
    ngx_rbtree_insert(&sh->rbtree, &vn->node);
    ngx_queue_insert_head(&sh->queue, &vn->queue);

    ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_NEW, 1);

    return vn;
}


static ngx_rbtree_key_t
ngx_http_cx_visit_bits(ngx_str_t *visit)
{
    u_char            c;
    size_t            i;
    ngx_rbtree_key_t  key;

    key = 0;

    for (i = 0; i < visit->len; i++) {
        c = visit->data[i];
        key = (key << 4) | (c <= '9' ? c - '0' : c - 'a' + 10);
    }

    return key;
}


ngx_uint_t
ngx_http_cx_visit_draw(ngx_str_t *visit, ngx_str_t *name)
{
    uint32_t  crc;

    if (visit->len == 0) {
        return ngx_random() % 10000;
    }

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, name->data, name->len);
    ngx_crc32_update(&crc, visit->data, visit->len);
    ngx_crc32_final(crc);

    return crc % 10000;
}


ngx_uint_t
ngx_http_cx_visit_sampled(ngx_str_t *visit, ngx_uint_t sample)
{
    ngx_str_t  name = ngx_string("cx_sample");

    return sample >= 10000 || ngx_http_cx_visit_draw(visit, &name) < sample;
}


void
ngx_http_cx_visit_sign(ngx_str_t *text, u_char *mac)
{
    u_char      pad[64], hash[20];
    ngx_uint_t  i;
    ngx_sha1_t  sha1;

    ngx_memset(pad, 0x36, sizeof(pad));

    for (i = 0; i < NGX_HTTP_CX_KEY_LEN; i++) {
        pad[i] ^= ngx_http_cx_zone->sh->key[i];
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, pad, sizeof(pad));
    ngx_sha1_update(&sha1, text->data, text->len);
    ngx_sha1_final(hash, &sha1);

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, pad, sizeof(pad));
    ngx_sha1_update(&sha1, hash, sizeof(hash));
    ngx_sha1_final(mac, &sha1);
}


ngx_atomic_t *
ngx_http_cx_counters(void)
{
    return ngx_http_cx_zone ? ngx_http_cx_zone->sh->counters : NULL;
}


void
ngx_http_cx_count(ngx_uint_t counter, ngx_int_t n)
{
    (void) ngx_atomic_fetch_add(&ngx_http_cx_zone->sh->counters[counter], n);
}


void
ngx_http_cx_count_outcome(ngx_uint_t outcome)
{
    ngx_http_cx_count(NGX_HTTP_CX_COUNTER_N + outcome, 1);
}


void
ngx_http_cx_count_signal(ngx_uint_t signal)
{
    ngx_http_cx_count(NGX_HTTP_CX_COUNTER_N + NGX_HTTP_CX_OUTCOME_N + signal,
                      1);
}
