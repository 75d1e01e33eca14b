/*
 * A beacon and what the edge saw of the page view that it is about: one look
 * into the zone, by visit, page, view id and time.  What the beacon says of
 * the visit stays there: its signals, its first leave, its judged vitals.
 */

#include "ngx_http_cx_collect.h"


/* what a beacon adds up to, found before the zone is locked */

typedef struct {
    uint32_t                     page;         /* place */
    uint32_t                     view;         /* 0: no view id */
    uint64_t                     now;
    uint64_t                     began;        /* 0: by no request */
    ngx_uint_t                   leaves;
    ngx_int_t                    back;         /* quick_back's ms, -1: none */
    ngx_uint_t                   n[CX_SIG_N];
} ngx_http_cx_join_sum_t;


static void ngx_http_cx_join_sum(cx_batch_t *b, ngx_http_cx_join_sum_t *sum);
static void ngx_http_cx_join_judge(cx_batch_t *b, cx_tuning_t *tuning,
    ngx_http_cx_join_t *j);
static void ngx_http_cx_join_visit(ngx_http_cx_visit_t *v,
    ngx_http_cx_join_sum_t *sum, ngx_http_cx_join_t *j);
static void ngx_http_cx_join_view(cx_visit_t *visit, cx_seen_t *view,
    ngx_http_cx_join_sum_t *sum, ngx_http_cx_join_t *j);
static void ngx_http_cx_join_back(cx_visit_t *visit,
    ngx_http_cx_join_sum_t *sum, ngx_http_cx_join_t *j);
static uint32_t ngx_http_cx_join_view_id(cx_str_t *view);
static void ngx_http_cx_join_undo_event(cx_visit_t *visit, cx_event_t *ev);
static void ngx_http_cx_join_undo_flag(cx_visit_t *visit, cx_str_t *view,
    ngx_uint_t flag);


const ngx_http_cx_vital_t  ngx_http_cx_vitals[NGX_HTTP_CX_VITALS] = {

    { CX_LEAVE_INP_MS, CX_SIG_UNRESPONSIVE, CX_T_UNRESPONSIVE_MS,
      CX_VIEW_IS_SLOW },

    { CX_LEAVE_LCP_MS, CX_SIG_LATE_PAINT, CX_T_LATE_PAINT_MS,
      CX_VIEW_IS_LATE },

    { CX_LEAVE_CLS_MILLI, CX_SIG_LAYOUT_SHIFT, CX_T_LAYOUT_SHIFT_MILLI,
      CX_VIEW_IS_SHIFTED }
};


void
ngx_http_cx_join(ngx_http_cx_main_conf_t *cxmcf, ngx_http_cx_site_t *site,
    ngx_str_t *visit, ngx_str_t *page, cx_batch_t *b, ngx_http_cx_join_t *j)
{
    uint8_t                  count[CX_SIG_N];
    ngx_time_t              *tp;
    ngx_uint_t               known;
    ngx_http_cx_visit_t     *v;
    ngx_http_cx_join_sum_t   sum;

    ngx_memzero(j, offsetof(ngx_http_cx_join_t, back_text));
    ngx_str_null(&j->signals);

    ngx_http_cx_join_judge(b, &cxmcf->tuning, j);

    if (visit->len == 0) {
        ngx_http_cx_count(NGX_HTTP_CX_C_JOINED_NOT, 1);
        return;
    }

    j->told = 1;

    ngx_http_cx_join_sum(b, &sum);

    tp = ngx_timeofday();
    sum.now = (uint64_t) tp->sec * 1000 + tp->msec;
    sum.began = (b->age >= 0) ? sum.now - b->age : 0;
    sum.page = ngx_http_cx_place_id(site, page);

    known = 0;

    ngx_http_cx_zone_lock();

    v = ngx_http_cx_visit_find(visit, 0);

    /* one that has ended is not begun again by a page left open */

    if (v && v->state.opened && !cx_edge_idle(&v->state, sum.now)) {
        ngx_http_cx_join_visit(v, &sum, j);
        ngx_memcpy(count, v->state.count, CX_SIG_N);
        known = 1;
    }

    ngx_http_cx_zone_unlock();

    if (known) {
        j->signals.data = j->signals_text;
        j->signals.len = cx_edge_counts((char *) j->signals_text, count);
    }

    ngx_http_cx_count(j->joined ? NGX_HTTP_CX_C_JOINED
                                : NGX_HTTP_CX_C_JOINED_NOT, 1);
}


static void
ngx_http_cx_join_sum(cx_batch_t *b, ngx_http_cx_join_sum_t *sum)
{
    int          signal;
    cx_str_t    *v;
    ngx_uint_t   i;
    cx_event_t  *ev;

    ngx_memzero(sum, sizeof(ngx_http_cx_join_sum_t));

    sum->back = -1;
    sum->view = ngx_http_cx_join_view_id(&b->view);

    for (i = 0; i < b->n; i++) {
        ev = &b->ev[i];

        if (ev->type == CX_LEAVE) {
            sum->leaves++;
        }

        if (ev->type != CX_SIGNAL) {
            continue;
        }

        v = &ev->v[CX_SIGNAL_NAME];
        signal = cx_signal_find(v->data, v->len);

        if (signal < 0) {
            continue;
        }

        v = &ev->v[CX_SIGNAL_COUNT];
        sum->n[signal] += v->len ? ngx_atoi(v->data, v->len) : 1;

        v = &ev->v[CX_SIGNAL_VALUE];

        if (signal == CX_SIG_QUICK_BACK && sum->back == -1 && v->len) {
            sum->back = ngx_atoi(v->data, v->len);
        }
    }
}


static void
ngx_http_cx_join_judge(cx_batch_t *b, cx_tuning_t *tuning,
    ngx_http_cx_join_t *j)
{
    cx_str_t    *v;
    ngx_uint_t   i, k;

    const ngx_http_cx_vital_t  *vital;

    for (i = 0; i < b->n; i++) {

        if (b->ev[i].type != CX_LEAVE) {
            continue;
        }

        for (k = 0; k < NGX_HTTP_CX_VITALS; k++) {
            vital = &ngx_http_cx_vitals[k];
            v = &b->ev[i].v[vital->field];

            if (v->len && ngx_atoi(v->data, v->len)
                          > tuning->t[vital->threshold])
            {
                j->vitals |= (ngx_uint_t) 1 << vital->signal;
            }
        }
    }
}


/* with the zone locked, as the next two */

static void
ngx_http_cx_join_visit(ngx_http_cx_visit_t *v, ngx_http_cx_join_sum_t *sum,
    ngx_http_cx_join_t *j)
{
    cx_seen_t   *view;
    cx_visit_t  *visit;
    ngx_uint_t   i;

    visit = &v->state;

    view = sum->view ? cx_edge_join(visit, sum->page, sum->view, sum->began)
                     : NULL;

    if (view) {
        ngx_http_cx_join_view(visit, view, sum, j);
    }

    j->seen = j->joined || cx_edge_saw(visit, sum->page);

    if (sum->back != -1) {
        ngx_http_cx_join_back(visit, sum, j);
    }

    for (i = 0; i < CX_SIG_N; i++) {
        if (sum->n[i]) {
            cx_edge_count(visit, i, sum->n[i]);
            v->told[0] |= (uint32_t) 1 << i;
        }
    }

    v->told[0] |= (uint32_t) j->vitals;

    for (i = 0; j->vitals && i < NGX_HTTP_CX_VITALS; i++) {
        if (j->vitals & ((ngx_uint_t) 1 << ngx_http_cx_vitals[i].signal)) {
            cx_edge_count(visit, ngx_http_cx_vitals[i].signal, 1);
        }
    }

    if (sum->now > visit->opened + visit->last) {
        visit->last = (uint32_t) (sum->now - visit->opened);
    }

    j->segment.data = j->segment_text;
    j->segment.len = v->segment_len;
    ngx_memcpy(j->segment_text, v->segment, v->segment_len);
}


static void
ngx_http_cx_join_view(cx_visit_t *visit, cx_seen_t *view,
    ngx_http_cx_join_sum_t *sum, ngx_http_cx_join_t *j)
{
    ngx_uint_t                  i, bit;
    const ngx_http_cx_vital_t  *vital;

    j->joined = 1;

    /* for a page that was prefetched, since the browser shows it */

    j->view_ts = visit->opened + view->at;

    if (view->flags & CX_VIEW_IS_PENDING) {
        cx_edge_show(visit, view);
        j->shown = 1;
    }

    if (sum->leaves && !(view->flags & CX_VIEW_IS_LEFT)) {
        view->flags |= CX_VIEW_IS_LEFT;
        j->first = 1;
    }

    for (i = 0; j->vitals && i < NGX_HTTP_CX_VITALS; i++) {
        vital = &ngx_http_cx_vitals[i];
        bit = (ngx_uint_t) 1 << vital->signal;

        if (view->flags & vital->flag) {
            j->vitals &= ~bit;

        } else if (j->vitals & bit) {
            view->flags |= vital->flag;
        }
    }

    j->view = *view;
}


static void
ngx_http_cx_join_back(cx_visit_t *visit, ngx_http_cx_join_sum_t *sum,
    ngx_http_cx_join_t *j)
{
    uint32_t              page;
    ngx_http_cx_place_t  *place;

    page = cx_edge_back(visit, sum->page, (uint32_t) sum->back, sum->now);

    if (page == 0) {
        return;
    }

    place = ngx_http_cx_place_find(page);

    if (place == NULL) {
        ngx_http_cx_count(NGX_HTTP_CX_C_PLACES_LOST, 1);
        return;
    }

    j->back.data = j->back_text;
    j->back.len = place->page_len;
    ngx_memcpy(j->back_text, place->page, place->page_len);
}


/* 0: none */

static uint32_t
ngx_http_cx_join_view_id(cx_str_t *view)
{
    uint32_t  id;

    if (view->len == 0) {
        return 0;
    }

    id = (uint32_t) ngx_hextoi(view->data, 8);

    return id ? id : 1;
}


void
ngx_http_cx_join_undo(cx_event_t *ev, ngx_uint_t n)
{
    ngx_str_t             visit;
    ngx_uint_t            i;
    ngx_http_cx_visit_t  *v;

    if (n == 0 || ev[0].v[CX_COMMON_VISIT].len == 0) {
        return;
    }

    visit.len = ev[0].v[CX_COMMON_VISIT].len;
    visit.data = ev[0].v[CX_COMMON_VISIT].data;

    ngx_http_cx_zone_lock();

    v = ngx_http_cx_visit_find(&visit, 0);

    for (i = 0; v && i < n; i++) {
        ngx_http_cx_join_undo_event(&v->state, &ev[i]);
    }

    ngx_http_cx_zone_unlock();
}


static void
ngx_http_cx_join_undo_event(cx_visit_t *visit, cx_event_t *ev)
{
    int         signal;
    cx_str_t   *v;
    ngx_uint_t  i, n;

    if (ev->type == CX_LEAVE) {

        if (ev->v[CX_LEAVE_FIRST].len) {
            ngx_http_cx_join_undo_flag(visit, &ev->v[CX_COMMON_VIEW],
                                       CX_VIEW_IS_LEFT);
        }

        return;
    }

    if (ev->type != CX_SIGNAL) {
        return;
    }

    v = &ev->v[CX_SIGNAL_NAME];
    signal = cx_signal_find(v->data, v->len);

    if (signal < 0) {
        return;
    }

    v = &ev->v[CX_SIGNAL_COUNT];
    n = v->len ? ngx_atoi(v->data, v->len) : 1;

    visit->count[signal] -= ngx_min(n, visit->count[signal]);

    for (i = 0; i < NGX_HTTP_CX_VITALS; i++) {
        if (ngx_http_cx_vitals[i].signal == (ngx_uint_t) signal) {
            ngx_http_cx_join_undo_flag(visit, &ev->v[CX_COMMON_VIEW],
                                       ngx_http_cx_vitals[i].flag);
        }
    }
}


static void
ngx_http_cx_join_undo_flag(cx_visit_t *visit, cx_str_t *view, ngx_uint_t flag)
{
    uint32_t    id;
    ngx_uint_t  i;

    id = ngx_http_cx_join_view_id(view);

    for (i = 0; id && i < CX_VIEWS_KEPT; i++) {
        if (visit->view[i].view == id) {
            visit->view[i].flags &= ~flag;
        }
    }
}
