/*
 * Visits of a log: their state for the rules of core/cx_edge.c, and what they
 * were like on each page.  A visit that nothing came of for 30 minutes is
 * closed, so memory is bounded by what half an hour holds.
 */

#include <stdlib.h>
#include <string.h>
#include "cxctl_replay.h"

#define CX_IDLE_MS (CX_SESSION_IDLE_S * 1000LL)


/* ---- pages ---- */

static cx_rpage_t *
cx_replay_page_new(const char *name, size_t len)
{
    cx_rpage_t *page;

    page = cx_alloc(sizeof(cx_rpage_t));
    page->name.data = cx_alloc(len + 1);
    page->name.len = len;
    memcpy(page->name.data, name, len);

    return page;
}


/* name NULL: it is known by now, or has none any more */

static cx_rpage_t *
cx_replay_page(cx_replay_t *p, uint32_t id, const cx_str_t *name)
{
    cx_rpage_t *page;

    page = (cx_rpage_t *) cx_map_find(&p->pages, id);

    if (page) {
        return page;
    }

    if (name == NULL || p->pages.n >= CX_REPLAY_PAGES) {
        if (p->other == NULL) {
            p->other = cx_replay_page_new(CX_OTHER, strlen(CX_OTHER));
        }

        return p->other;
    }

    page = cx_replay_page_new((char *) name->data, name->len);
    page->item.key = id;
    cx_map_add(&p->pages, &page->item);

    return page;
}


static void
cx_replay_add(cx_replay_t *p, cx_rpage_t *page, int field, int64_t n)
{
    page->sum.v[field] += n;
    p->total.v[field] += n;
}


/* ---- visits to a page ---- */

/* what it was like is known now */

static void
cx_replay_unit_end(cx_replay_t *p, cx_runit_t *u)
{
    unsigned tenths;

    tenths = cx_friction_tenths(u->count, &p->tuning);

    if (cx_rollup_pattern(&u->page->sum, u->count, tenths, 1)
        || cx_rollup_pattern(&p->total, u->count, tenths, 1))
    {
        cx_realloc(NULL, SIZE_MAX);
    }

    memset(u->count, 0, CX_SIG_N);
}


static cx_runit_t *
cx_replay_unit(cx_replay_t *p, cx_rvisit_t *v, cx_rpage_t *page, int64_t now)
{
    uint64_t    key;
    cx_runit_t *u;

    key = ((uint64_t) v->serial << 32) | (uint32_t) page->item.key;
    u = (cx_runit_t *) cx_map_find(&p->units, key);

    if (u == NULL) {
        u = cx_alloc(sizeof(cx_runit_t));
        u->item.key = key;
        u->page = page;
        u->next = v->units;
        v->units = u;
        cx_map_add(&p->units, &u->item);
        cx_replay_add(p, page, CX_R_VISITS, 1);

    } else if (now > u->last + CX_IDLE_MS) {
        cx_replay_unit_end(p, u);
        cx_replay_add(p, page, CX_R_VISITS, 1);
    }

    u->last = now;

    return u;
}


static void
cx_replay_signal(cx_replay_t *p, cx_rvisit_t *v, const cx_edge_signal_t *s,
                 const cx_str_t *name, int64_t now)
{
    unsigned    n;
    cx_rpage_t *page;
    cx_runit_t *u;

    page = cx_replay_page(p, s->page, name);
    u = cx_replay_unit(p, v, page, now);
    cx_replay_add(p, page, CX_R_SIGNAL + s->signal, s->count);

    if (u->count[s->signal] == 0) {
        cx_replay_add(p, page, CX_R_VISITS_SIGNAL + s->signal, 1);
    }

    n = u->count[s->signal] + s->count;
    u->count[s->signal] = (unsigned char) (n > p->tuning.cap[s->signal]
                                               ? p->tuning.cap[s->signal]
                                               : n);
}


/* ---- visits to the site ---- */

static void
cx_replay_unlink(cx_replay_t *p, cx_rvisit_t *v)
{
    *(v->older ? &v->older->newer : &p->oldest) = v->newer;
    *(v->newer ? &v->newer->older : &p->newest) = v->older;
}


static void
cx_replay_newest(cx_replay_t *p, cx_rvisit_t *v)
{
    v->older = p->newest;
    v->newer = NULL;
    *(p->newest ? &p->newest->newer : &p->oldest) = v;
    p->newest = v;
}


static void
cx_replay_close(cx_replay_t *p, cx_rvisit_t *v)
{
    unsigned         i, n;
    cx_runit_t      *u, *next;
    cx_edge_signal_t out[CX_EDGE_OUT];

    n = cx_edge_close(&v->state, &p->tuning, out);

    for (i = 0; i < n; i++) {
        cx_replay_signal(p, v, &out[i], NULL, (int64_t) out[i].at);
    }

    for (u = v->units; u; u = next) {
        next = u->next;
        cx_replay_unit_end(p, u);
        cx_agg_map_remove(&p->units, &u->item.node);
        free(u);
    }

    cx_replay_unlink(p, v);
    cx_agg_map_remove(&p->by_visitor, &v->item.node);
    free(v);
}


void
cx_replay_idle(cx_replay_t *p, int64_t now, int all)
{
    while (p->oldest && (all || now > p->oldest->last + CX_IDLE_MS)) {
        cx_replay_close(p, p->oldest);
    }
}


static cx_rvisit_t *
cx_replay_visit(cx_replay_t *p, const cx_line_t *f)
{
    uint64_t     key;
    cx_rvisit_t *v;

    key = cx_agg_hash64(0, f->addr.data, f->addr.len);
    key = cx_agg_hash64(key, f->agent.data, f->agent.len);
    key = cx_agg_hash64(key, f->host.data, f->host.len);
    v = (cx_rvisit_t *) cx_map_find(&p->by_visitor, key);

    if (v) {
        cx_replay_unlink(p, v);
        cx_replay_newest(p, v);
        return v;
    }

    if (p->by_visitor.n >= CX_REPLAY_VISITS) {
        p->evicted++;
        cx_replay_close(p, p->oldest);
    }

    v = cx_alloc(sizeof(cx_rvisit_t));
    v->item.key = key;
    v->serial = ++p->serial;
    cx_map_add(&p->by_visitor, &v->item);
    cx_replay_newest(p, v);

    return v;
}


/* ---- a request ---- */

static void
cx_replay_view(cx_replay_t *p, cx_rpage_t *page, const cx_step_t *s)
{
    cx_replay_add(p, page, CX_R_VIEWS, 1);

    if (s->status >= 100 && s->status < 600) {
        cx_replay_add(p, page, CX_R_STATUS_1XX + s->status / 100 - 1, 1);
    }
}


void
cx_replay_take(cx_replay_t *p, const cx_line_t *f, int kind)
{
    unsigned         i, n;
    cx_str_t         page, ref;
    cx_step_t        s;
    cx_rpage_t      *at;
    cx_rvisit_t     *v;
    const cx_str_t  *name;
    cx_edge_signal_t out[CX_EDGE_OUT];
    cx_visit_t       alone;
    unsigned char    page_text[CX_PAGE_MAX], ref_text[CX_PAGE_MAX];

    page.data = page_text;
    ref.data = ref_text;
    cx_replay_facts(p, &s, f, kind, &page, &ref);

    v = cx_replay_visit(p, f);
    v->last = p->now;

    /* an asset is no reason to remember somebody who saw no page */

    if (kind == CX_STEP_ASSET && !v->paged) {
        memset(&alone, 0, sizeof(cx_visit_t));
        n = cx_edge_step(&alone, &s, &p->tuning, out);

    } else {
        p->visits += !v->paged;
        v->paged = 1;
        n = cx_edge_step(&v->state, &s, &p->tuning, out);
    }

    if (kind == CX_STEP_PAGE && !s.pending) {
        at = cx_replay_page(p, s.page, &page);
        cx_replay_view(p, at, &s);
        (void) cx_replay_unit(p, v, at, p->now);
    }

    for (i = 0; i < n; i++) {
        name = out[i].page == s.page  ? &page
               : out[i].page == s.ref ? &ref
                                      : NULL;
        cx_replay_signal(p, v, &out[i], name, p->now);
    }
}


/* ---- the end ---- */

static void
cx_replay_page_free(cx_agg_node_t *node)
{
    cx_rpage_t *page;

    page = (cx_rpage_t *) node;

    cx_rollup_free(&page->sum);
    free(page->name.data);
    free(page);
}


void
cx_replay_free(cx_replay_t *p)
{
    cx_replay_idle(p, 0, 1);
    cx_map_free(&p->by_visitor);
    cx_map_free(&p->units);
    cx_agg_map_clear(&p->pages, cx_replay_page_free);

    if (p->other) {
        cx_replay_page_free(&p->other->item.node);
    }

    cx_rollup_free(&p->total);
}
