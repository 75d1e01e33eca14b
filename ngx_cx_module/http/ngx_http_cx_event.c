/*
 * Values of events that the edge fills in, and its signals as events.
 */


#include "ngx_http_cx_deliver.h"


static void ngx_http_cx_event_place(cx_event_t *ev,
    ngx_http_cx_place_t *place);
static void ngx_http_cx_event_copy(ngx_http_cx_place_t *dst, uint32_t id);


#define ngx_http_cx_event_set(v, text, n)                                     \
    (v)->data = (u_char *) (text); (v)->len = n


void
ngx_http_cx_event_told(ngx_http_cx_told_t *told, cx_edge_signal_t *s)
{
    told->signal = *s;
    told->upstream_ms = -1;
    told->seen = '1';

    ngx_http_cx_event_copy(&told->place, s->page);
    ngx_http_cx_event_copy(&told->target, s->target);
}


static void
ngx_http_cx_event_copy(ngx_http_cx_place_t *dst, uint32_t id)
{
    ngx_http_cx_place_t  *place;

    place = id ? ngx_http_cx_place_find(id) : NULL;

    if (place) {
        *dst = *place;

    } else {
        dst->id = 0;
    }
}


ngx_int_t
ngx_http_cx_event_signal(ngx_http_cx_site_t *site, ngx_str_t *visit,
    ngx_str_t *segment, ngx_http_cx_told_t *told)
{
    cx_event_t          ev;
    const cx_signal_t  *signal;
    u_char              ts[NGX_INT64_LEN], count[NGX_INT64_LEN],
                        value[NGX_INT64_LEN], upstream[NGX_INT64_LEN];

    if (told->place.id == 0) {
        ngx_http_cx_count(NGX_HTTP_CX_C_PLACES_LOST, 1);
        return NGX_DECLINED;
    }

    signal = &cx_signals[told->signal.signal];

    ngx_http_cx_event_start(&ev, CX_SIGNAL, told->signal.at, ts);
    ngx_http_cx_event_place(&ev, &told->place);

    ngx_http_cx_event_text(&ev.v[CX_SIGNAL_VISIT], visit);
    ngx_http_cx_event_text(&ev.v[CX_SIGNAL_SEGMENT], segment);
    ngx_http_cx_event_set(&ev.v[CX_SIGNAL_SOURCE], "edge", 4);
    ngx_http_cx_event_set(&ev.v[CX_SIGNAL_NAME], signal->name,
                          ngx_strlen(signal->name));

    ngx_http_cx_event_number(&ev.v[CX_SIGNAL_COUNT], count,
                             told->signal.count);

    /* the two that have none: see include/cx_schema.h */

    if (told->signal.signal != CX_SIG_NAVIGATION_LOOP
        && told->signal.signal != CX_SIG_FORM_ABANDON)
    {
        ngx_http_cx_event_number(&ev.v[CX_SIGNAL_VALUE], value,
                                 told->signal.value);
    }

    if (told->target.id) {
        ngx_http_cx_event_set(&ev.v[CX_SIGNAL_TARGET], told->target.page,
                              told->target.page_len);
    }

    if (told->seen) {
        ngx_http_cx_event_set(&ev.v[CX_SIGNAL_SEEN], &told->seen, 1);
    }

    if (told->upstream_ms != -1) {
        ngx_http_cx_event_number(&ev.v[CX_SIGNAL_UPSTREAM_MS], upstream,
                                 told->upstream_ms);
    }

    if (ngx_http_cx_queue_push(site, &ev, NULL) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_http_cx_count_signal(told->signal.signal);

    return NGX_OK;
}


static void
ngx_http_cx_event_place(cx_event_t *ev, ngx_http_cx_place_t *place)
{
    ngx_http_cx_event_set(&ev->v[CX_COMMON_PAGE], place->page,
                          place->page_len);
    ngx_http_cx_event_set(&ev->v[CX_COMMON_TOUCHPOINT], place->touchpoint,
                          place->touchpoint_len);
    ngx_http_cx_event_set(&ev->v[CX_COMMON_STAGE], place->stage,
                          place->stage_len);
}


void
ngx_http_cx_event_start(cx_event_t *ev, ngx_uint_t type, uint64_t ts,
    u_char *buf)
{
    ngx_memzero(ev, sizeof(cx_event_t));

    ev->type = type;

    ngx_http_cx_event_number(&ev->v[CX_COMMON_TS], buf, ts);
}


void
ngx_http_cx_event_text(cx_str_t *v, ngx_str_t *text)
{
    v->data = text->data;
    v->len = text->len;
}


void
ngx_http_cx_event_number(cx_str_t *v, u_char *buf, off_t n)
{
    u_char  *p;

    p = buf + NGX_INT64_LEN;

    do {
        *--p = (u_char) (n % 10 + '0');
        n /= 10;
    } while (n);

    v->data = p;
    v->len = buf + NGX_INT64_LEN - p;
}
