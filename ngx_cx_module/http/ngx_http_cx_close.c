/*
 * Once a second each worker looks for visits that have ended, and says what
 * only their end says.  Whoever comes first closes a visit; a few at a time,
 * so that no request waits long for the zone.
 */


#include "ngx_http_cx.h"


#define NGX_HTTP_CX_CLOSE_TURN     1000        /* ms */
#define NGX_HTTP_CX_CLOSE_SOON     100         /* ms, there are more */
#define NGX_HTTP_CX_CLOSE_MAX      200         /* visits a turn */
#define NGX_HTTP_CX_CLOSE_LOCKED   10          /* of these while locked */


typedef struct {
    ngx_connection_t             dummy;
    ngx_event_t                  turn;
    ngx_http_cx_main_conf_t     *conf;
} ngx_http_cx_close_t;


/* a visit that had something to say */

typedef struct {
    uint64_t                     key;
    uint32_t                     site;
    size_t                       segment_len;
    u_char                       segment[CX_NAME_MAX];
    ngx_http_cx_told_t           told;
} ngx_http_cx_closed_t;


static void ngx_http_cx_close_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_cx_close_some(uint64_t now,
    ngx_http_cx_closed_t *closed, ngx_uint_t *n);
static void ngx_http_cx_close_push(ngx_http_cx_closed_t *c);


static ngx_http_cx_close_t  ngx_http_cx_close;


void
ngx_http_cx_close_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_http_cx_close_t  *cl;

    cl = &ngx_http_cx_close;

    cl->conf = cxmcf;
    cl->dummy.fd = (ngx_socket_t) -1;

    cl->turn.handler = ngx_http_cx_close_handler;
    cl->turn.data = &cl->dummy;
    cl->turn.log = cycle->log;
    cl->turn.cancelable = 1;

    ngx_add_timer(&cl->turn, NGX_HTTP_CX_CLOSE_TURN);
}


static void
ngx_http_cx_close_handler(ngx_event_t *ev)
{
    uint64_t               now;
    ngx_uint_t             i, n, some, total;
    ngx_time_t            *tp;
    ngx_http_cx_closed_t   closed[NGX_HTTP_CX_CLOSE_LOCKED];

    /* the workers of the next configuration go on with it */

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;
    total = 0;

    do {
        some = ngx_http_cx_close_some(now, closed, &n);

        for (i = 0; i < n; i++) {
            ngx_http_cx_close_push(&closed[i]);
        }

        total += some;

    } while (some == NGX_HTTP_CX_CLOSE_LOCKED
             && total < NGX_HTTP_CX_CLOSE_MAX);

    if (total) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_ENDED, total);
    }

    ngx_add_timer(ev, (total < NGX_HTTP_CX_CLOSE_MAX)
                      ? NGX_HTTP_CX_CLOSE_TURN : NGX_HTTP_CX_CLOSE_SOON);
}


/* returns the number of visits closed; n of them had something to say */

static ngx_uint_t
ngx_http_cx_close_some(uint64_t now, ngx_http_cx_closed_t *closed,
    ngx_uint_t *n)
{
    ngx_uint_t             some;
    cx_edge_signal_t       out[CX_EDGE_OUT];
    ngx_http_cx_visit_t   *v;
    ngx_http_cx_closed_t  *c;

    *n = 0;

    ngx_http_cx_zone_lock();

    for (some = 0; some < NGX_HTTP_CX_CLOSE_LOCKED; some++) {

        v = ngx_http_cx_visit_ended(now);
        if (v == NULL) {
            break;
        }

        if (cx_edge_close(&v->state, &ngx_http_cx_close.conf->tuning, out)) {
            c = &closed[(*n)++];

            c->key = v->key;
            c->site = v->site;
            c->segment_len = v->segment_len;
            ngx_memcpy(c->segment, v->segment, CX_NAME_MAX);

            ngx_http_cx_event_told(&c->told, &out[0]);
        }

        ngx_http_cx_visit_forget(v);
    }

    ngx_http_cx_zone_unlock();

    return some;
}


static void
ngx_http_cx_close_push(ngx_http_cx_closed_t *c)
{
    ngx_str_t             visit, segment;
    ngx_uint_t            i;
    ngx_http_cx_site_t  **sites;
    u_char                key[NGX_HTTP_CX_VISIT_LEN];

    sites = ngx_http_cx_close.conf->sites.elts;

    visit.data = key;
    visit.len = ngx_sprintf(key, "%016xL", c->key) - key;

    segment.data = c->segment;
    segment.len = c->segment_len;

    for (i = 0; i < ngx_http_cx_close.conf->sites.nelts; i++) {

        if (sites[i]->id == c->site) {
            (void) ngx_http_cx_event_signal(sites[i], &visit, &segment,
                                            &c->told);
            return;
        }
    }

    /* its site left the configuration */
}
