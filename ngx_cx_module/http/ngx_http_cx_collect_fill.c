/*
 * The events of a beacon, once it is joined: what the edge adds to each, and
 * the events that the edge makes of it.  What is the same in all of them is
 * put together once.
 */

#include "ngx_http_cx_collect.h"


static void ngx_http_cx_collect_fill_common(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_server(ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_ms(cx_str_t *v, u_char *buf, uint32_t ms);
static ngx_int_t ngx_http_cx_collect_fill_event(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_signal(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_back(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_view(ngx_http_cx_collect_edge_t *edge);
static void ngx_http_cx_collect_fill_vitals(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge);
static cx_str_t *ngx_http_cx_collect_fill_worst(cx_batch_t *b,
    ngx_uint_t field);


#define ngx_http_cx_collect_literal(v, text)                                  \
    (v)->data = (u_char *) text;                                              \
    (v)->len = sizeof(text) - 1


ngx_int_t
ngx_http_cx_collect_fill(cx_batch_t *b, ngx_http_cx_collect_edge_t *edge)
{
    ngx_uint_t  i;

    ngx_http_cx_collect_fill_common(b, edge);
    ngx_http_cx_collect_fill_server(edge);

    for (i = 0; i < b->n; i++) {
        if (ngx_http_cx_collect_fill_event(&b->ev[i], edge) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (edge->join.shown) {
        ngx_http_cx_collect_fill_view(edge);
    }

    edge->vitals = 0;

    if (edge->join.vitals) {
        ngx_http_cx_collect_fill_vitals(b, edge);
    }

    return NGX_OK;
}


static void
ngx_http_cx_collect_fill_common(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge)
{
    cx_str_t   *v;
    ngx_str_t   segment;

    v = edge->common;

    ngx_http_cx_event_number(&v[CX_COMMON_TS], edge->ts_text, edge->now);

    v[CX_COMMON_PAGE].len = edge->page.len;
    v[CX_COMMON_PAGE].data = edge->page.data;
    v[CX_COMMON_VISIT].len = edge->visit.len;
    v[CX_COMMON_VISIT].data = edge->visit.data;
    v[CX_COMMON_TOUCHPOINT] = b->touchpoint;
    v[CX_COMMON_STAGE] = b->stage;
    v[CX_COMMON_VIEW] = b->view;

    /* a visit keeps the segment of its page, which these requests may lack */

    segment = edge->join.segment;

    if (segment.len == 0) {
        ngx_http_cx_request_segment(edge->request, edge->cxlcf, &segment);
    }

    v[CX_COMMON_SEGMENT].len = segment.len;
    v[CX_COMMON_SEGMENT].data = segment.data;

    v = &edge->seen;

    if (!edge->join.told) {
        ngx_http_cx_collect_literal(v, "");

    } else if (edge->join.seen) {
        ngx_http_cx_collect_literal(v, "1");

    } else {
        ngx_http_cx_collect_literal(v, "0");
    }
}


/* as CX_SERVER says; signals are known without a view, too */

static void
ngx_http_cx_collect_fill_server(ngx_http_cx_collect_edge_t *edge)
{
    cx_str_t   *v;
    cx_seen_t  *view;
    u_char    (*text)[NGX_INT64_LEN];
#if (NGX_HTTP_CACHE)
    ngx_str_t  *cache;
#endif

    v = edge->server;
    text = edge->server_text;
    view = &edge->join.view;

    ngx_memzero(v, sizeof(edge->server));

    v[CX_LEAVE_SIGNALS - CX_LEAVE_VIEW_TS].len = edge->join.signals.len;
    v[CX_LEAVE_SIGNALS - CX_LEAVE_VIEW_TS].data = edge->join.signals.data;

    if (!edge->join.joined) {
        return;
    }

    ngx_http_cx_event_number(&v[0], text[0], edge->join.view_ts);
    ngx_http_cx_event_number(&v[CX_LEAVE_STATUS - CX_LEAVE_VIEW_TS], text[1],
                             view->status);
    ngx_http_cx_event_number(&v[CX_LEAVE_REQUEST_MS - CX_LEAVE_VIEW_TS],
                             text[2], view->request_ms);
    ngx_http_cx_collect_fill_ms(&v[CX_LEAVE_FIRST_MS - CX_LEAVE_VIEW_TS],
                                text[3], view->first_ms);
    ngx_http_cx_collect_fill_ms(&v[CX_LEAVE_UPSTREAM_MS - CX_LEAVE_VIEW_TS],
                                text[4], view->upstream_ms);

#if (NGX_HTTP_CACHE)
    if (view->cache) {
        cache = &ngx_http_cache_status[view->cache - 1];
        v[CX_LEAVE_CACHE - CX_LEAVE_VIEW_TS].len = cache->len;
        v[CX_LEAVE_CACHE - CX_LEAVE_VIEW_TS].data = cache->data;
    }
#endif
}


static void
ngx_http_cx_collect_fill_ms(cx_str_t *v, u_char *buf, uint32_t ms)
{
    if (ms != CX_NO_MS) {
        ngx_http_cx_event_number(v, buf, ms);
    }
}


static ngx_int_t
ngx_http_cx_collect_fill_event(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge)
{
    ngx_memcpy(ev->v, edge->common, sizeof(edge->common));

    switch (ev->type) {

    case CX_SIGNAL:
        ngx_http_cx_collect_fill_signal(ev, edge);
        break;

    case CX_LEAVE:
        ev->v[CX_LEAVE_SEEN] = edge->seen;

        if (edge->join.first) {
            ngx_http_cx_collect_literal(&ev->v[CX_LEAVE_FIRST], "1");
            edge->join.first = 0;
        }

        ngx_memcpy(&ev->v[CX_LEAVE_VIEW_TS], edge->server,
                   sizeof(edge->server));
        break;

    case CX_ANSWER:
        ngx_memcpy(&ev->v[CX_ANSWER_VIEW_TS], edge->server,
                   sizeof(edge->server));

        return ngx_http_cx_collect_fill_mask(edge->request,
                                             &ev->v[CX_ANSWER_TEXT]);
    }

    return NGX_OK;
}


static void
ngx_http_cx_collect_fill_signal(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge)
{
    cx_str_t  *name;

    ngx_http_cx_collect_literal(&ev->v[CX_SIGNAL_SOURCE], "browser");
    ev->v[CX_SIGNAL_SEEN] = edge->seen;

    name = &ev->v[CX_SIGNAL_NAME];

    if (name->len == sizeof("quick_back") - 1
        && ngx_memcmp(name->data, "quick_back", name->len) == 0)
    {
        ngx_http_cx_collect_fill_back(ev, edge);
    }
}


/*
 * The browser says it on the page that it has come back to; it happened on the
 * one before, which the edge served, and in a view whose id is not known here.
 */

static void
ngx_http_cx_collect_fill_back(cx_event_t *ev,
    ngx_http_cx_collect_edge_t *edge)
{
    cx_str_t             *v;
    ngx_str_t            *back;
    ngx_http_cx_place_t  *place;

    v = ev->v;
    back = &edge->join.back;

    v[CX_SIGNAL_TARGET].len = 0;

    if (back->len == 0) {
        return;
    }

    v[CX_SIGNAL_TARGET] = v[CX_COMMON_PAGE];
    v[CX_COMMON_PAGE].len = back->len;
    v[CX_COMMON_PAGE].data = back->data;
    v[CX_COMMON_VIEW].len = 0;
    v[CX_COMMON_TOUCHPOINT].len = 0;
    v[CX_COMMON_STAGE].len = 0;
    ngx_http_cx_collect_literal(&v[CX_SIGNAL_SEEN], "1");

    ngx_http_cx_zone_lock();

    place = ngx_http_cx_place_find(
                        ngx_http_cx_place_id(edge->cxlcf->site, back));

    if (place) {
        v[CX_COMMON_TOUCHPOINT].len = place->touchpoint_len;
        v[CX_COMMON_TOUCHPOINT].data = edge->touchpoint_text;
        ngx_memcpy(edge->touchpoint_text, place->touchpoint,
                   place->touchpoint_len);

        v[CX_COMMON_STAGE].len = place->stage_len;
        v[CX_COMMON_STAGE].data = edge->stage_text;
        ngx_memcpy(edge->stage_text, place->stage, place->stage_len);
    }

    ngx_http_cx_zone_unlock();
}


/* what was prefetched is a view, and has been since the browser shows it */

static void
ngx_http_cx_collect_fill_view(ngx_http_cx_collect_edge_t *edge)
{
    cx_event_t  *ev;

    ev = &edge->view;

    ngx_memzero(ev, sizeof(cx_event_t));
    ev->type = CX_VIEW;

    ngx_memcpy(ev->v, edge->common, sizeof(edge->common));
    ev->v[CX_COMMON_TS] = edge->server[0];
    ev->v[CX_COMMON_VIEW].len = 0;

    ngx_http_cx_collect_literal(&ev->v[CX_VIEW_METHOD], "GET");

    ngx_memcpy(&ev->v[CX_VIEW_STATUS], &edge->server[1],
               (CX_VIEW_CACHE - CX_VIEW_STATUS + 1) * sizeof(cx_str_t));
}


static void
ngx_http_cx_collect_fill_vitals(cx_batch_t *b,
    ngx_http_cx_collect_edge_t *edge)
{
    cx_str_t    *name;
    ngx_uint_t   i;
    cx_event_t  *ev;

    for (i = 0; i < NGX_HTTP_CX_VITALS; i++) {

        if (!(edge->join.vitals
              & ((ngx_uint_t) 1 << ngx_http_cx_vitals[i].signal)))
        {
            continue;
        }

        ev = &edge->vital[edge->vitals++];

        ngx_memzero(ev, sizeof(cx_event_t));
        ev->type = CX_SIGNAL;

        ngx_memcpy(ev->v, edge->common, sizeof(edge->common));

        ngx_http_cx_collect_literal(&ev->v[CX_SIGNAL_SOURCE], "browser");
        ngx_http_cx_collect_literal(&ev->v[CX_SIGNAL_COUNT], "1");
        ev->v[CX_SIGNAL_SEEN] = edge->seen;
        ev->v[CX_SIGNAL_VALUE] = *ngx_http_cx_collect_fill_worst(b,
                                                ngx_http_cx_vitals[i].field);

        name = &ev->v[CX_SIGNAL_NAME];
        name->data = (u_char *) cx_signals[ngx_http_cx_vitals[i].signal].name;
        name->len = ngx_strlen(name->data);
    }
}


/* the largest value of that field of the leaves, one of which has it */

static cx_str_t *
ngx_http_cx_collect_fill_worst(cx_batch_t *b, ngx_uint_t field)
{
    cx_str_t    *v, *worst;
    ngx_uint_t   i;

    worst = NULL;

    for (i = 0; i < b->n; i++) {

        if (b->ev[i].type != CX_LEAVE || b->ev[i].v[field].len == 0) {
            continue;
        }

        v = &b->ev[i].v[field];

        if (worst == NULL
            || ngx_atoi(v->data, v->len) > ngx_atoi(worst->data, worst->len))
        {
            worst = v;
        }
    }

    return worst;
}


/* in a copy: other modules may still want the body as it came */

ngx_int_t
ngx_http_cx_collect_fill_mask(ngx_http_request_t *r, cx_str_t *v)
{
    u_char  *p;

    if (v->len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, v->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, v->data, v->len);

    v->data = p;
    v->len = cx_mask(p, v->len);

    return NGX_OK;
}
