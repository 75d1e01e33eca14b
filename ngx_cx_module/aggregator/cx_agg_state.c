/* The model of a site in memory: windows, cells, open visits, answers. */

#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_AGG_UNITS_MAX   200000 /* open visits, twice that at most */
#define CX_AGG_ANSWERS_MAX 20000
#define CX_AGG_CELLS_MAX   50000 /* pages in cached windows */

static const cx_str_t cx_agg_other = { sizeof(CX_OTHER) - 1,
                                       (unsigned char *) CX_OTHER };

static const cx_str_t cx_agg_none = { 0, (unsigned char *) "" };


cx_agg_site_t *
cx_agg_site(const cx_agg_conf_t *conf, const cx_str_t *name)
{
    cx_agg_site_t *s;

    s = cx_alloc(sizeof(cx_agg_site_t) + name->len + 1);
    s->conf = conf;
    s->name.data = (unsigned char *) (s + 1);
    s->name.len = name->len;
    memcpy(s->name.data, name->data, name->len);
    s->parent = s->name;
    s->shard = -1;

    return s;
}


static void
cx_agg_cell_free(cx_agg_node_t *n)
{
    cx_agg_cell_t *c;

    c = (cx_agg_cell_t *) n;
    cx_rollup_free(&c->roll);
    free(c->visitor);
    free(c);
}


static void
cx_agg_unit_free(cx_agg_node_t *n)
{
    free(n);
}


static void
cx_agg_session_free(cx_agg_node_t *n)
{
    cx_agg_session_t *v;

    v = (cx_agg_session_t *) n;
    free(v->end.page.data);
    free(v->peak.page.data);
    free(v);
}


static void
cx_agg_answer_free(cx_agg_node_t *n)
{
    int              i;
    cx_agg_answer_t *a;

    a = (cx_agg_answer_t *) n;

    for (i = 0; i < CX_ANSWER_N; i++) {
        free(a->v[i].data);
    }

    free(a);
}


static void
cx_agg_window_free(cx_agg_window_t *w)
{
    cx_agg_map_clear(&w->page, cx_agg_cell_free);
    cx_agg_map_clear(&w->survey, cx_agg_cell_free);
    cx_agg_cell_free(&w->total->node);
    free(w);
}


void
cx_agg_site_reset(cx_agg_site_t *s)
{
    cx_agg_window_t *w, *next;

    for (w = s->window; w; w = next) {
        next = w->next;
        cx_agg_window_free(w);
    }

    cx_agg_map_clear(&s->unit, cx_agg_unit_free);
    cx_agg_map_clear(&s->old_unit, cx_agg_unit_free);
    cx_agg_map_clear(&s->session, cx_agg_session_free);
    cx_agg_map_clear(&s->old_session, cx_agg_session_free);
    cx_agg_map_clear(&s->answer, cx_agg_answer_free);
    cx_agg_surveys_reset(s);

    s->window = NULL;
    s->units_changed = NULL;
    s->sessions_changed = NULL;
    s->answers_changed = NULL;
    s->dirty = NULL;
    s->ops.len = 0;
    s->commands = 0;
    s->changes = 0;
    s->pending = 0;
    s->shard_hour = 0;
    s->refused = 0;
    s->ready = 0;
    s->drained = 0;
}


void
cx_agg_site_free(cx_agg_site_t *s)
{
    cx_agg_site_reset(s);
    free(s->ops.data);
    free(s);
}


cx_agg_window_t *
cx_agg_window(cx_agg_site_t *s, int gran, int64_t ms, int64_t now)
{
    int64_t          start, expires;
    cx_agg_window_t *w;

    start = ms - ms % cx_window_len(gran);
    expires = start + cx_window_len(gran)
              + (gran == CX_HOUR ? s->conf->keep_hours : s->conf->keep_days);

    if (expires <= now) {
        return NULL;
    }

    for (w = s->window; w; w = w->next) {
        if (w->start == start && w->gran == gran) {
            w->used = s->tick;
            return w;
        }
    }

    w = cx_alloc(sizeof(cx_agg_window_t));
    w->gran = gran;
    w->start = start;
    w->window = cx_window(gran, start);
    w->expires = expires;
    w->used = s->tick;
    w->next = s->window;
    s->window = w;
    w->total = cx_agg_cell_add(w, CX_KEY_TOTAL, &cx_agg_none);
    cx_agg_cell_add(w, CX_KEY_PAGE, &cx_agg_other);
    cx_agg_cell_add(w, CX_KEY_SURVEY, &cx_agg_other);

    return w;
}


cx_agg_cell_t *
cx_agg_cell_find(cx_agg_window_t *w, int kind, const cx_str_t *name)
{
    cx_agg_cell_t *c;

    /* an event asks for its page several times */

    c = w->recent;

    if (c && c->kind == kind && c->node.key.len == name->len
        && memcmp(c->node.key.data, name->data, name->len) == 0)
    {
        return c;
    }

    c = (cx_agg_cell_t *) cx_agg_map_find(kind == CX_KEY_PAGE ? &w->page
                                                              : &w->survey,
                                          name,
                                          cx_agg_hash(name->data, name->len));
    w->recent = c;

    return c;
}


cx_agg_cell_t *
cx_agg_cell_add(cx_agg_window_t *w, int kind, const cx_str_t *name)
{
    int            other;
    cx_agg_cell_t *c;

    c = cx_alloc(sizeof(cx_agg_cell_t) + name->len + 1);
    c->window = w;
    c->kind = (unsigned char) kind;
    c->node.key.data = (unsigned char *) (c + 1);
    c->node.key.len = name->len;
    memcpy(c->node.key.data, name->data, name->len);
    c->node.hash = cx_agg_hash(name->data, name->len);

    other = name->len == cx_agg_other.len
            && memcmp(name->data, cx_agg_other.data, name->len) == 0;

    if (kind == CX_KEY_PAGE) {
        cx_agg_map_add(&w->page, &c->node);
        w->pages += !other;

    } else if (kind == CX_KEY_SURVEY) {
        cx_agg_map_add(&w->survey, &c->node);
        w->surveys += !other;
    }

    return c;
}


cx_agg_cell_t *
cx_agg_cell_other(cx_agg_window_t *w, int kind)
{
    return cx_agg_cell_find(w, kind, &cx_agg_other);
}


cx_agg_cell_t *
cx_agg_cell(cx_agg_site_t *s, cx_agg_window_t *w, int kind,
            const cx_str_t *name)
{
    int            full;
    cx_agg_cell_t *c;

    c = cx_agg_cell_find(w, kind, name);

    if (c) {
        return c;
    }

    full = kind == CX_KEY_PAGE ? w->pages >= (size_t) s->conf->pages
                               : w->surveys >= CX_AGG_SURVEYS_MAX;
    if (full) {
        return cx_agg_cell_other(w, kind);
    }

    c = cx_agg_cell_add(w, kind, name);
    c->loaded = 1;

    return c;
}


void
cx_agg_cell_dirty(cx_agg_site_t *s, cx_agg_cell_t *c)
{
    if (!c->dirty) {
        c->dirty = 1;
        c->next_dirty = s->dirty;
        s->dirty = c;
        c->window->dirty++;
    }
}


void
cx_agg_cell_change(cx_agg_site_t *s, cx_agg_cell_t *c)
{
    if (c->changed) {
        return;
    }

    c->changed = 1;
    c->next_changed = c->window->changed;
    c->window->changed = c;
    s->changes += 32;

    if (c->kind == CX_KEY_PAGE) {
        cx_agg_cell_dirty(s, c);
    }
}


void
cx_agg_cell_visitor(cx_agg_cell_t *c, cx_agg_unit_t *u)
{
    if ((c->visitors & (c->visitors - 1)) == 0) {
        c->visitor = cx_realloc(c->visitor,
                                sizeof(cx_agg_unit_t *)
                                    * (c->visitors ? 2 * c->visitors : 1));
    }

    c->visitor[c->visitors++] = u;
}


/* found in the younger map, or moved there from the older one; else NULL */

static cx_agg_node_t *
cx_agg_visit_find(cx_agg_map_t *young, cx_agg_map_t *old, const cx_str_t *key,
                  uint32_t hash)
{
    cx_agg_node_t *n;

    n = cx_agg_map_find(young, key, hash);

    if (n) {
        return n;
    }

    n = cx_agg_map_find(old, key, hash);

    if (n) {
        cx_agg_map_remove(old, n);
        cx_agg_map_add(young, n);
    }

    return n;
}


cx_agg_unit_t *
cx_agg_unit(cx_agg_site_t *s, const cx_str_t *visit, const cx_str_t *page)
{
    uint32_t       hash;
    cx_str_t       key;
    cx_agg_unit_t *u;
    unsigned char  text[16 + 1 + CX_PAGE_MAX];

    memcpy(text, visit->data, visit->len);
    text[visit->len] = ' ';
    memcpy(text + visit->len + 1, page->data, page->len);
    key.data = text;
    key.len = visit->len + 1 + page->len;
    hash = cx_agg_hash(key.data, key.len);

    u = (cx_agg_unit_t *) cx_agg_visit_find(&s->unit, &s->old_unit, &key, hash);

    if (u) {
        return u;
    }

    u = cx_alloc(sizeof(cx_agg_unit_t) + key.len);
    u->node.key.data = (unsigned char *) (u + 1);
    u->node.key.len = key.len;
    memcpy(u->node.key.data, key.data, key.len);
    u->node.hash = hash;
    u->visit_len = (unsigned char) visit->len;
    u->shard = (unsigned char) (text[0] <= '9' ? text[0] - '0'
                                               : text[0] - 'a' + 10);
    cx_agg_map_add(&s->unit, &u->node);

    return u;
}


cx_agg_session_t *
cx_agg_session(cx_agg_site_t *s, cx_agg_unit_t *u)
{
    uint32_t          hash;
    cx_str_t          visit;
    cx_agg_session_t *v;

    v = u->session;

    if (v && v->generation == s->generation) {
        return v;
    }

    visit.data = u->node.key.data;
    visit.len = u->visit_len;
    hash = cx_agg_hash(visit.data, visit.len);
    v = (cx_agg_session_t *) cx_agg_visit_find(&s->session, &s->old_session,
                                               &visit, hash);

    if (v == NULL) {
        v = cx_alloc(sizeof(cx_agg_session_t) + visit.len);
        v->node.key.data = (unsigned char *) (v + 1);
        v->node.key.len = visit.len;
        memcpy(v->node.key.data, visit.data, visit.len);
        v->node.hash = hash;
        v->shard = u->shard;
        cx_agg_map_add(&s->session, &v->node);
    }

    v->generation = s->generation;
    u->session = v;

    return v;
}


cx_str_t
cx_agg_shard(unsigned shard)
{
    cx_str_t name;

    name.data = (unsigned char *) "0123456789abcdef" + shard;
    name.len = 1;

    return name;
}


int
cx_agg_visits_before(const cx_agg_site_t *s, unsigned shard, int64_t hour)
{
    return hour <= s->pre_hour && hour > s->pre_hour - CX_AGG_VISITS_HOURS
           && s->pre[s->pre_hour - hour][shard];
}


void
cx_agg_unit_change(cx_agg_site_t *s, cx_agg_unit_t *u)
{
    if (!u->changed) {
        u->changed = 1;
        u->next_changed = s->units_changed;
        s->units_changed = u;
        s->changes += 4;
    }
}


void
cx_agg_session_change(cx_agg_site_t *s, cx_agg_session_t *v)
{
    if (!v->changed) {
        v->changed = 1;
        v->next_changed = s->sessions_changed;
        s->sessions_changed = v;
        s->changes += 4;
    }
}


cx_agg_answer_t *
cx_agg_answer(cx_agg_site_t *s, const cx_str_t *id)
{
    uint32_t         hash;
    cx_agg_answer_t *a;

    hash = cx_agg_hash(id->data, id->len);
    a = (cx_agg_answer_t *) cx_agg_map_find(&s->answer, id, hash);

    if (a) {
        return a;
    }

    a = cx_alloc(sizeof(cx_agg_answer_t) + id->len);
    a->node.key.data = (unsigned char *) (a + 1);
    a->node.key.len = id->len;
    memcpy(a->node.key.data, id->data, id->len);
    a->node.hash = hash;
    cx_agg_map_add(&s->answer, &a->node);

    return a;
}


void
cx_agg_answer_set(cx_agg_answer_t *a, int field, const cx_str_t *v)
{
    free(a->v[field].data);
    a->v[field].data = cx_alloc(v->len + 1);
    a->v[field].len = v->len;

    if (v->len) {
        memcpy(a->v[field].data, v->data, v->len);
    }
}


/* drops the window that was not used for longest; 0 if none may go */

static int
cx_agg_window_drop(cx_agg_site_t *s, size_t *cells)
{
    cx_agg_window_t **p, **oldest, *w;

    oldest = NULL;

    for (p = &s->window; *p; p = &(*p)->next) {
        w = *p;

        if (w->dirty == 0 && !w->satisfied && w->changed == NULL
            && w->used + 2 < s->tick
            && (oldest == NULL || w->used < (*oldest)->used))
        {
            oldest = p;
        }
    }

    if (oldest == NULL) {
        return 0;
    }

    w = *oldest;
    *oldest = w->next;
    *cells -= w->page.n + w->survey.n;
    cx_agg_window_free(w);

    return 1;
}


void
cx_agg_site_trim(cx_agg_site_t *s)
{
    int              i;
    size_t           cells, windows;
    cx_agg_window_t *w;

    s->tick++;
    cells = 0;
    windows = 0;

    for (w = s->window; w; w = w->next) {
        cells += w->page.n + w->survey.n;
        windows++;
    }

    while ((cells > CX_AGG_CELLS_MAX || windows > 16)
           && cx_agg_window_drop(s, &cells))
    {
        windows--;
    }

    if (s->unit.n > CX_AGG_UNITS_MAX) {
        /* what is dropped has to be looked up again in Redis */

        if (s->old_unit.n || s->old_session.n) {
            s->pre_hour = s->hour;

            for (i = 0; i < CX_AGG_VISITS_HOURS; i++) {
                memset(s->pre[i], 1, CX_AGG_SHARDS);
            }
        }

        cx_agg_map_clear(&s->old_unit, cx_agg_unit_free);
        s->old_unit = s->unit;
        memset(&s->unit, 0, sizeof(cx_agg_map_t));

        /* each of them has a visit to a page: there are fewer */

        cx_agg_map_clear(&s->old_session, cx_agg_session_free);
        s->old_session = s->session;
        memset(&s->session, 0, sizeof(cx_agg_map_t));
        s->generation++;
    }

    if (s->answer.n > CX_AGG_ANSWERS_MAX) {
        cx_agg_map_clear(&s->answer, cx_agg_answer_free);
    }
}
