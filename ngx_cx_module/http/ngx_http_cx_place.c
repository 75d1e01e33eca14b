/*
 * Pages by checksum, in the zone: page key, touchpoint and stage of the pages
 * seen lately, for signals about another page than the one just asked for.
 * Each page may stand in two places; of these the one seen longer ago makes
 * room.
 */


#include "ngx_http_cx_zone.h"


static ngx_http_cx_place_t *ngx_http_cx_place_pair(uint32_t id);


uint32_t
ngx_http_cx_place_id(ngx_http_cx_site_t *site, ngx_str_t *page)
{
    return cx_edge_id(site->id, page->data, page->len);
}


void
ngx_http_cx_place_note(uint32_t id, ngx_str_t *page, ngx_str_t *touchpoint,
    ngx_str_t *stage)
{
    ngx_http_cx_place_t  *p;

    p = ngx_http_cx_place_pair(id);

    if (p[0].id != id && (p[1].id == id || p[1].used < p[0].used)) {
        p++;
    }

    p->id = id;
    p->used = (uint32_t) ngx_time();

    p->page_len = (u_char) ngx_min(page->len, CX_PAGE_MAX);
    p->touchpoint_len = (u_char) ngx_min(touchpoint->len, CX_NAME_MAX);
    p->stage_len = (u_char) ngx_min(stage->len, CX_NAME_MAX);

    ngx_memcpy(p->page, page->data, p->page_len);
    ngx_memcpy(p->touchpoint, touchpoint->data, p->touchpoint_len);
    ngx_memcpy(p->stage, stage->data, p->stage_len);
}


ngx_http_cx_place_t *
ngx_http_cx_place_find(uint32_t id)
{
    ngx_http_cx_place_t  *p;

    p = ngx_http_cx_place_pair(id);

    if (p[0].id == id) {
        return &p[0];
    }

    return p[1].id == id ? &p[1] : NULL;
}


static ngx_http_cx_place_t *
ngx_http_cx_place_pair(uint32_t id)
{
    ngx_http_cx_zone_t  *sh;

    sh = ngx_http_cx_zone_data();

    return &sh->places[2 * (size_t) (id % sh->place_pairs)];
}
