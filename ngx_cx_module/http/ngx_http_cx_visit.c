/*
 * What is remembered of each visit, in the zone: a fixed number of nodes, found
 * by hash, in the order of their last use.  The visit idle longest makes room.
 * Nothing here allocates, and all takes the same time however full it is.
 */


#include "ngx_http_cx_zone.h"


static ngx_http_cx_visit_t *ngx_http_cx_visit_add(ngx_http_cx_zone_t *sh,
    uint64_t key);
static uint32_t ngx_http_cx_visit_room(ngx_http_cx_zone_t *sh);
static void ngx_http_cx_visit_link(ngx_http_cx_zone_t *sh, uint32_t n);
static void ngx_http_cx_visit_unlink(ngx_http_cx_zone_t *sh, uint32_t n);
static uint64_t ngx_http_cx_visit_bits(ngx_str_t *visit);


#define ngx_http_cx_visit_node(sh, n)  (&(sh)->visits[(n) - 1])
#define ngx_http_cx_visit_bucket(sh, key)                                     \
    (&(sh)->buckets[(uint32_t) (key) & (sh)->bucket_mask])


ngx_http_cx_visit_t *
ngx_http_cx_visit_find(ngx_str_t *visit, ngx_uint_t create)
{
    uint32_t              n;
    uint64_t              key;
    ngx_http_cx_zone_t   *sh;
    ngx_http_cx_visit_t  *v;

    sh = ngx_http_cx_zone_data();
    key = ngx_http_cx_visit_bits(visit);

    for (n = *ngx_http_cx_visit_bucket(sh, key); n; n = v->hash_next) {
        v = ngx_http_cx_visit_node(sh, n);

        if (v->key != key) {
            continue;
        }

        if (n != sh->newest) {
            ngx_http_cx_visit_unlink(sh, n);
            ngx_http_cx_visit_link(sh, n);
        }

        return v;
    }

    return create ? ngx_http_cx_visit_add(sh, key) : NULL;
}


ngx_http_cx_visit_t *
ngx_http_cx_visit_ended(uint64_t now)
{
    ngx_http_cx_zone_t   *sh;
    ngx_http_cx_visit_t  *v;

    sh = ngx_http_cx_zone_data();

    if (sh->oldest == 0) {
        return NULL;
    }

    v = ngx_http_cx_visit_node(sh, sh->oldest);

    return (v->state.opened == 0 || cx_edge_idle(&v->state, now)) ? v : NULL;
}


void
ngx_http_cx_visit_forget(ngx_http_cx_visit_t *visit)
{
    uint32_t             n, *p;
    ngx_http_cx_zone_t  *sh;

    sh = ngx_http_cx_zone_data();
    n = (uint32_t) (visit - sh->visits) + 1;

    p = ngx_http_cx_visit_bucket(sh, visit->key);

    while (*p != n) {
        p = &ngx_http_cx_visit_node(sh, *p)->hash_next;
    }

    *p = visit->hash_next;

    ngx_http_cx_visit_unlink(sh, n);

    visit->hash_next = sh->visits_free;
    sh->visits_free = n;
}


size_t
ngx_http_cx_visit_segment(ngx_str_t *visit, u_char *dst)
{
    size_t                len;
    ngx_http_cx_visit_t  *v;

    len = 0;

    ngx_http_cx_zone_lock();

    v = ngx_http_cx_visit_find(visit, 0);

    if (v) {
        len = v->segment_len;
        ngx_memcpy(dst, v->segment, len);
    }

    ngx_http_cx_zone_unlock();

    return len;
}


static ngx_http_cx_visit_t *
ngx_http_cx_visit_add(ngx_http_cx_zone_t *sh, uint64_t key)
{
    uint32_t              n, *bucket;
    ngx_http_cx_visit_t  *v;

    n = ngx_http_cx_visit_room(sh);
    v = ngx_http_cx_visit_node(sh, n);
    bucket = ngx_http_cx_visit_bucket(sh, key);

    ngx_memzero(v, sizeof(ngx_http_cx_visit_t));

    v->key = key;
    v->hash_next = *bucket;
    *bucket = n;

    ngx_http_cx_visit_link(sh, n);

    ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_NEW, 1);

    return v;
}


/* a node that was given back, a new one, or that of the visit idle longest */

static uint32_t
ngx_http_cx_visit_room(ngx_http_cx_zone_t *sh)
{
    uint32_t              n;
    ngx_time_t           *tp;
    ngx_http_cx_visit_t  *v;

    if (sh->visits_free == 0) {

        if (sh->visits_used < sh->visits_max) {
            return ++sh->visits_used;
        }

        tp = ngx_timeofday();
        v = ngx_http_cx_visit_node(sh, sh->oldest);

        ngx_http_cx_count(cx_edge_idle(&v->state,
                                       (uint64_t) tp->sec * 1000 + tp->msec)
                          ? NGX_HTTP_CX_C_VISITS_ENDED
                          : NGX_HTTP_CX_C_VISITS_EVICTED, 1);

        ngx_http_cx_visit_forget(v);
    }

    n = sh->visits_free;
    sh->visits_free = ngx_http_cx_visit_node(sh, n)->hash_next;

    return n;
}


static void
ngx_http_cx_visit_link(ngx_http_cx_zone_t *sh, uint32_t n)
{
    ngx_http_cx_visit_t  *v;

    v = ngx_http_cx_visit_node(sh, n);

    v->newer = 0;
    v->older = sh->newest;

    if (sh->newest) {
        ngx_http_cx_visit_node(sh, sh->newest)->newer = n;

    } else {
        sh->oldest = n;
    }

    sh->newest = n;
}


static void
ngx_http_cx_visit_unlink(ngx_http_cx_zone_t *sh, uint32_t n)
{
    ngx_http_cx_visit_t  *v;

    v = ngx_http_cx_visit_node(sh, n);

    if (v->newer) {
        ngx_http_cx_visit_node(sh, v->newer)->older = v->older;

    } else {
        sh->newest = v->older;
    }

    if (v->older) {
        ngx_http_cx_visit_node(sh, v->older)->newer = v->newer;

    } else {
        sh->oldest = v->newer;
    }
}


static uint64_t
ngx_http_cx_visit_bits(ngx_str_t *visit)
{
    u_char    c;
    size_t    i;
    uint64_t  key;

    key = 0;

    for (i = 0; i < visit->len; i++) {
        c = visit->data[i];
        key = (key << 4) | (c <= '9' ? c - '0' : c - 'a' + 10);
    }

    return key;
}
