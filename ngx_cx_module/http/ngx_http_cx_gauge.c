/*
 * What each worker holds now: events in memory and in the spool, batches on
 * their way, connections.  Each worker has a place in the zone and writes to
 * no other, so that a worker that is killed takes its figures with it.
 */


#include "ngx_http_cx_zone.h"


static ngx_uint_t ngx_http_cx_gauge_lives(ngx_atomic_t *pid);


/* where there is no place in the zone: not seen by anybody */

static ngx_http_cx_gauges_t   ngx_http_cx_gauge_own;
static ngx_http_cx_gauges_t  *ngx_http_cx_gauge = &ngx_http_cx_gauge_own;


void
ngx_http_cx_gauge_init(ngx_cycle_t *cycle)
{
    uint32_t               i;
    ngx_uint_t             n;
    ngx_http_cx_zone_t    *sh;
    ngx_http_cx_gauges_t  *g;

    ngx_http_cx_gauge = &ngx_http_cx_gauge_own;
    ngx_memzero(ngx_http_cx_gauge, sizeof(ngx_http_cx_gauges_t));

    sh = ngx_http_cx_zone_data();

    if (sh == NULL) {
        return;
    }

    ngx_http_cx_zone_lock();

    for (i = 0; i < sh->gauges_max; i++) {
        g = &sh->gauges[i];

        /* one process, on a reload: its own; a worker: a dead one's */

        if (g->pid == (ngx_atomic_uint_t) ngx_pid
            || !ngx_http_cx_gauge_lives(&g->pid))
        {
            for (n = 0; n < NGX_HTTP_CX_GAUGE_N; n++) {
                g->value[n] = 0;
            }

            g->pid = ngx_pid;
            ngx_http_cx_gauge = g;

            break;
        }
    }

    ngx_http_cx_zone_unlock();

    if (i == sh->gauges_max) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "cx: the zone has room for the gauges of %uD workers: "
                      "the status page leaves out those of this one",
                      sh->gauges_max);
    }
}


void
ngx_http_cx_gauge_exit(void)
{
    ngx_http_cx_gauge->pid = 0;
    ngx_http_cx_gauge = &ngx_http_cx_gauge_own;
}


/* EPERM: a worker of another user, before "user" was changed */

static ngx_uint_t
ngx_http_cx_gauge_lives(ngx_atomic_t *pid)
{
    return *pid && (kill((ngx_pid_t) *pid, 0) == 0 || ngx_errno != NGX_ESRCH);
}


void
ngx_http_cx_gauge_set(ngx_uint_t gauge, uint64_t value)
{
    ngx_http_cx_gauge->value[gauge] = value;
}


void
ngx_http_cx_gauge_read(uint64_t value[NGX_HTTP_CX_GAUGE_N])
{
    uint32_t               i;
    uint64_t               first, since;
    ngx_uint_t             n;
    ngx_http_cx_zone_t    *sh;
    ngx_http_cx_gauges_t  *g;

    ngx_memzero(value, NGX_HTTP_CX_GAUGE_N * sizeof(uint64_t));

    sh = ngx_http_cx_zone_data();

    if (sh == NULL) {
        return;
    }

    first = 0;

    for (i = 0; i < sh->gauges_max; i++) {
        g = &sh->gauges[i];

        if (!ngx_http_cx_gauge_lives(&g->pid)) {
            continue;
        }

        for (n = 0; n < NGX_HTTP_CX_GAUGE_N; n++) {
            if (n != NGX_HTTP_CX_G_SPOOL_SINCE) {
                value[n] += g->value[n];
            }
        }

        since = g->value[NGX_HTTP_CX_G_SPOOL_SINCE];

        if (since && (first == 0 || since < first)) {
            first = since;
        }
    }

    value[NGX_HTTP_CX_G_SPOOL_SINCE] = first;
}


void
ngx_http_cx_gauge_error(ngx_str_t *text)
{
    u_char               c;
    size_t               i;
    ngx_time_t          *tp;
    ngx_http_cx_zone_t  *sh;

    sh = ngx_http_cx_zone_data();

    if (sh == NULL) {
        return;
    }

    tp = ngx_timeofday();

    ngx_http_cx_zone_lock();

    sh->error_len = ngx_min(text->len, NGX_HTTP_CX_ERROR_LEN);
    sh->error_ms = (uint64_t) tp->sec * 1000 + tp->msec;

    for (i = 0; i < sh->error_len; i++) {
        c = text->data[i];
        sh->error[i] = (c < 0x20 || c > 0x7e) ? '?' : c;
    }

    ngx_http_cx_zone_unlock();
}


size_t
ngx_http_cx_gauge_last_error(u_char *dst, uint64_t *ms)
{
    size_t               len;
    ngx_http_cx_zone_t  *sh;

    sh = ngx_http_cx_zone_data();

    ngx_http_cx_zone_lock();

    len = sh->error_len;
    *ms = sh->error_ms;
    ngx_memcpy(dst, sh->error, len);

    ngx_http_cx_zone_unlock();

    return len;
}
