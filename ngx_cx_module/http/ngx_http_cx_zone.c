/*
 * The zone shared by the workers: counters, gauges, the day's salt, the signing
 * key, and what is remembered of visits and pages.  All of it is laid out when
 * the zone is made: nothing is allocated in it later, so that a full zone costs
 * as little as an empty one.  Survives reload.
 */


#include "ngx_http_cx_zone.h"


#define NGX_HTTP_CX_ZONE_SIZE      (16 * 1024 * 1024)
#define NGX_HTTP_CX_ZONE_PAGES     16          /* the least */
#define NGX_HTTP_CX_ZONE_RESERVE   1           /* pages left to the slab */
#define NGX_HTTP_CX_ZONE_PLACES    8           /* one part of so many */
#define NGX_HTTP_CX_ZONE_GAUGES    256         /* pages to one of gauges, and
                                                  to one of quotas */
#define NGX_HTTP_CX_ZONE_QUOTA                                                \
    (sizeof(ngx_http_cx_quota_row_t)                                          \
     + NGX_HTTP_CX_QUOTA_TAKEN * sizeof(uint64_t))


typedef struct {
    ngx_http_cx_zone_t          *sh;
    ngx_slab_pool_t             *shpool;
} ngx_http_cx_zone_ctx_t;


static ngx_shm_zone_t *ngx_http_cx_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);
static ngx_int_t ngx_http_cx_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_http_cx_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_cx_zone_ctx_t *ctx);
static ngx_int_t ngx_http_cx_zone_carve(ngx_http_cx_zone_ctx_t *ctx);
static void ngx_http_cx_zone_reset(ngx_http_cx_zone_t *sh);


/*
 * Set in each worker and not when the zone is made: the master, from which a
 * worker that dies is forked anew, may give up a configuration after that.
 */

static ngx_http_cx_zone_ctx_t  *ngx_http_cx_zone;


char *
ngx_http_cx_zone_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cx_main_conf_t *cxmcf = conf;

    size_t      least;
    u_char     *p;
    ssize_t     size;
    ngx_str_t  *value, name, s;

    if (cxmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;
    least = NGX_HTTP_CX_ZONE_PAGES * ngx_pagesize;
    size = NGX_ERROR;

    name.data = value[1].data;
    p = (u_char *) ngx_strchr(name.data, ':');

    if (p) {
        name.len = p - name.data;
        s.data = p + 1;
        s.len = value[1].data + value[1].len - s.data;
        size = ngx_parse_size(&s);
    }

    if (p == NULL || name.len == 0 || size < (ssize_t) least) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"cx_zone %V\": expected name:size with a size of "
                           "at least %uzk, for example \"cx:16m\"", &value[1],
                           least / 1024);
        return NGX_CONF_ERROR;
    }

    cxmcf->zone = ngx_http_cx_zone_add(cf, &name, size);

    return cxmcf->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_cx_zone_default(ngx_conf_t *cf, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_str_t  name = ngx_string("cx");

    cxmcf->zone = ngx_http_cx_zone_add(cf, &name, NGX_HTTP_CX_ZONE_SIZE);

    return cxmcf->zone ? NGX_OK : NGX_ERROR;
}


static ngx_shm_zone_t *
ngx_http_cx_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_shm_zone_t          *zone;
    ngx_http_cx_zone_ctx_t  *ctx;

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_zone_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    zone = ngx_shared_memory_add(cf, name, size, &ngx_http_cx_module);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_http_cx_zone_init;
    zone->data = ctx;

    return zone;
}


static ngx_int_t
ngx_http_cx_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_cx_zone_ctx_t  *octx = data;

    ngx_http_cx_zone_ctx_t  *ctx;

    ctx = shm_zone->data;

    /* nginx keeps a zone only for a module at the same address, that is for
       this very code: the layout is the same */

    if (octx) {
        ctx->sh = octx->sh;
        ctx->shpool = octx->shpool;

        return NGX_OK;
    }

    ctx->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        ctx->sh = ctx->shpool->data;

        return NGX_OK;
    }

    return ngx_http_cx_zone_create(shm_zone, ctx);
}


void
ngx_http_cx_zone_use(ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_http_cx_zone = cxmcf->zone->data;
}


static ngx_int_t
ngx_http_cx_zone_create(ngx_shm_zone_t *shm_zone, ngx_http_cx_zone_ctx_t *ctx)
{
    size_t  len;

    len = sizeof(" in cx zone \"\"") + shm_zone->shm.name.len;

    ctx->shpool->log_ctx = ngx_slab_alloc(ctx->shpool, len);
    if (ctx->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(ctx->shpool->log_ctx, " in cx zone \"%V\"%Z",
                &shm_zone->shm.name);

    ctx->sh = ngx_slab_calloc(ctx->shpool, sizeof(ngx_http_cx_zone_t));
    if (ctx->sh == NULL) {
        return NGX_ERROR;
    }

    ctx->shpool->data = ctx->sh;

    if (ngx_http_cx_random(ctx->sh->key, NGX_HTTP_CX_KEY_LEN) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, ngx_errno,
                      "cx: no random bytes from /dev/urandom");
        return NGX_ERROR;
    }

    if (ngx_http_cx_zone_carve(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, shm_zone->shm.log, 0,
                  "cx zone \"%V\" has room for %uD visits and %uD pages",
                  &shm_zone->shm.name, ctx->sh->visits_max,
                  ctx->sh->place_pairs * 2);

    return NGX_OK;
}


/*
 * All free pages become gauges of workers, quotas, places, visits and the
 * buckets that find them.
 */

static ngx_int_t
ngx_http_cx_zone_carve(ngx_http_cx_zone_ctx_t *ctx)
{
    size_t               pages, places, size;
    uint32_t             buckets;
    ngx_http_cx_zone_t  *sh;

    sh = ctx->sh;

    /* one page is enough for 50 workers, and old ones during a reload */

    size = (1 + ctx->shpool->pfree / NGX_HTTP_CX_ZONE_GAUGES) * ngx_pagesize;

    sh->gauges_max = (uint32_t) (size / sizeof(ngx_http_cx_gauges_t));
    sh->gauges = ngx_slab_calloc(ctx->shpool, size);
    if (sh->gauges == NULL) {
        return NGX_ERROR;
    }

    /* all of them are looked at, and the zone is locked meanwhile */

    sh->quotas_max = (uint32_t) ngx_min(size / NGX_HTTP_CX_ZONE_QUOTA,
                                        NGX_HTTP_CX_QUOTAS_MAX);
    sh->quotas = ngx_slab_calloc(ctx->shpool,
                                 sh->quotas_max * NGX_HTTP_CX_ZONE_QUOTA);
    if (sh->quotas == NULL) {
        return NGX_ERROR;
    }

    sh->taken = (uint64_t *) (sh->quotas + sh->quotas_max);

    pages = ctx->shpool->pfree - NGX_HTTP_CX_ZONE_RESERVE;
    places = pages / NGX_HTTP_CX_ZONE_PLACES;

    /* two pages may be lost to rounding; a visit has one to two buckets */

    size = (pages - places - 2) * ngx_pagesize;
    size = ngx_min(size / (sizeof(ngx_http_cx_visit_t)
                           + 2 * sizeof(uint32_t)), 0x40000000);

    for (buckets = 1; buckets < size; buckets *= 2) { /* void */ }

    sh->visits_max = (uint32_t) size;
    sh->bucket_mask = buckets - 1;
    sh->place_pairs = (uint32_t) (places * ngx_pagesize
                                  / (2 * sizeof(ngx_http_cx_place_t)));

    sh->places = ngx_slab_calloc(ctx->shpool, sh->place_pairs * 2
                                              * sizeof(ngx_http_cx_place_t));
    sh->buckets = ngx_slab_calloc(ctx->shpool, buckets * sizeof(uint32_t));
    sh->visits = ngx_slab_alloc(ctx->shpool,
                                size * sizeof(ngx_http_cx_visit_t));

    return (sh->places && sh->buckets && sh->visits) ? NGX_OK : NGX_ERROR;
}


ngx_http_cx_zone_t *
ngx_http_cx_zone_data(void)
{
    return ngx_http_cx_zone ? ngx_http_cx_zone->sh : NULL;
}


void
ngx_http_cx_zone_lock(void)
{
    ngx_http_cx_zone_t  *sh;

    sh = ngx_http_cx_zone->sh;

    ngx_shmtx_lock(&ngx_http_cx_zone->shpool->mutex);

    /* the master unlocks what a worker had locked that was killed */

    if (sh->busy) {
        ngx_http_cx_zone_reset(sh);
    }

    sh->busy = 1;

    ngx_memory_barrier();
}


void
ngx_http_cx_zone_unlock(void)
{
    ngx_memory_barrier();

    ngx_http_cx_zone->sh->busy = 0;

    ngx_shmtx_unlock(&ngx_http_cx_zone->shpool->mutex);
}


/* lists that were left half changed would lead all workers astray */

static void
ngx_http_cx_zone_reset(ngx_http_cx_zone_t *sh)
{
    sh->visits_used = 0;
    sh->visits_free = 0;
    sh->newest = 0;
    sh->oldest = 0;

    ngx_memzero(sh->buckets,
                ((size_t) sh->bucket_mask + 1) * sizeof(uint32_t));
    ngx_memzero(sh->places,
                2 * (size_t) sh->place_pairs * sizeof(ngx_http_cx_place_t));
    ngx_memzero(sh->quotas, sh->quotas_max * NGX_HTTP_CX_ZONE_QUOTA);

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "cx: a worker died while it changed the zone: what it "
                  "knew of visits and pages is forgotten");
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
