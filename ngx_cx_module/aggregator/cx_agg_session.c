/*
 * Visits to the site, for the peak-end rule: the friction of the worst page and
 * of the last one.  Both are counted as soon as they are known and moved when
 * they change, so that the counters are right at every commit and a visit never
 * has to be closed.
 */

#include <math.h>
#include <string.h>
#include "cx_agg_fold.h"

enum { CX_SESSION_OPENED, CX_SESSION_LAST, CX_SESSION_VIEWED, CX_SESSION_END };

#define CX_SESSION_NUMBERS (CX_SESSION_END + 6)


/* bin of CX_PEAK_ENDS for a friction in thousandths, above 0 */

static int
cx_session_bin(int friction)
{
    int    i;
    double pct;

    pct = 100 * (1 - exp(-friction / 1000.0));

    for (i = 0; i < CX_PEAK_END_BINS - 1 && pct > cx_peak_end_pct[i]; i++) {
        /* void */
    }

    return i;
}


static void
cx_session_count(cx_agg_site_t *s, const cx_agg_session_t *v,
                 const cx_agg_moment_t *m, int64_t now, int n)
{
    int        peak;
    unsigned   other;
    cx_place_t at;

    if (m->friction == 0) {
        return;
    }

    peak = m == &v->peak;
    cx_fold_add_site(s,
                     (peak ? CX_R_PEAK : CX_R_END)
                         + cx_session_bin(m->friction),
                     n, v->opened, now);

    other = m->other;
    cx_fold_place(&at, s, &m->page, m->opened, now, &other, 1);
    cx_fold_add(s, &at, peak ? CX_R_PEAKS : CX_R_ENDS, n);
}


static void
cx_session_page(cx_agg_moment_t *m, const cx_str_t *page)
{
    if (!cx_fold_same(&m->page, page)) {
        m->page.data = cx_realloc(m->page.data, page->len + 1);
        memcpy(m->page.data, page->data, page->len);
        m->page.len = page->len;
    }
}


/* makes the visit u to the page a moment of v, as bad as it is now */

static void
cx_session_move(cx_agg_site_t *s, cx_agg_session_t *v, cx_agg_moment_t *m,
                const cx_agg_unit_t *u, const cx_str_t *page, int friction,
                int64_t now)
{
    int same;

    if (m->friction == friction && cx_fold_same(&m->page, page)
        && (friction == 0 || m->opened == u->opened))
    {
        return;
    }

    cx_agg_session_change(s, v);
    same = m->friction && friction && m->opened == u->opened
           && cx_fold_same(&m->page, page)
           && cx_session_bin(m->friction) == cx_session_bin(friction);

    if (same) {
        m->friction = friction;
        return;
    }

    cx_session_count(s, v, m, now, -1);
    cx_session_page(m, page);
    m->friction = friction;
    m->opened = friction ? u->opened : 0;
    m->other = friction ? u->flags / CX_UNIT_OTHER : 0;
    cx_session_count(s, v, m, now, 1);
}


static void
cx_session_open(cx_agg_site_t *s, cx_agg_session_t *v, const cx_str_t *page,
                int64_t ts, int64_t now)
{
    v->opened = ts;
    v->last = ts;
    v->viewed = ts - CX_IDLE_MS; /* before any view that may still come */
    v->end.friction = 0;
    v->end.opened = 0;
    v->end.other = 0;
    v->peak.friction = 0;
    v->peak.opened = 0;
    v->peak.other = 0;
    v->peak.page.len = 0;
    cx_session_page(&v->end, page);
    cx_fold_add_site(s, CX_R_SESSIONS, 1, ts, now);
    cx_agg_session_change(s, v);
}


/* x of a visit to a page, in thousandths; any friction at all is not 0 */

static int
cx_session_friction(const cx_agg_site_t *s, const cx_agg_unit_t *u)
{
    return (int) ceil(cx_friction(u->count, &s->conf->tuning) * 1000 - 1e-6);
}


void
cx_fold_session(cx_agg_site_t *s, cx_agg_unit_t *u, const cx_event_t *ev,
                int64_t ts, int64_t now)
{
    int               report, view, old, over, friction;
    const cx_str_t   *page;
    cx_agg_session_t *v;

    page = &ev->v[CX_COMMON_PAGE];
    view = ev->type == CX_VIEW;
    report = ev->type == CX_SIGNAL || ev->type == CX_LEAVE;

    v = cx_agg_session(s, u);
    old = v->opened && ts < v->opened - CX_IDLE_MS;
    over = v->opened == 0 || ts > v->last + CX_IDLE_MS + CX_AGG_COARSE_MS;

    if (old ? !view : over && !view && !report) {
        return;
    }

    if (old || over) {
        cx_session_open(s, v, page, ts, now);

    } else if (ts >= v->last + CX_AGG_COARSE_MS) {
        v->last = ts;
        cx_agg_session_change(s, v);
    }

    if (!view && ev->type != CX_SIGNAL) {
        return; /* changes no friction */
    }

    friction = cx_session_friction(s, u);

    if (view && ts >= v->viewed) {
        v->viewed = ts;
        cx_agg_session_change(s, v);
        cx_session_move(s, v, &v->end, u, page, friction, now);

    } else if (cx_fold_same(&v->end.page, page)) {
        cx_session_move(s, v, &v->end, u, page, friction, now);
    }

    if (friction > v->peak.friction) {
        cx_session_move(s, v, &v->peak, u, page, friction, now);
    }
}


/* ---- as text ---- */

static size_t
cx_session_number(char *dst, int64_t n, int end)
{
    char *d;

    d = dst;

    if (n < 0) {
        *d++ = '-';
        n = -n;
    }

    d += cx_digits(d, (uint64_t) n);
    *d++ = (char) end;

    return (size_t) (d - dst);
}


size_t
cx_agg_session_print(char *dst, const cx_agg_session_t *v)
{
    int     i;
    char   *d;
    int64_t n[CX_SESSION_NUMBERS];

    const cx_agg_moment_t *m;

    n[CX_SESSION_OPENED] = v->opened;
    n[CX_SESSION_LAST] = v->last - v->opened;
    n[CX_SESSION_VIEWED] = v->viewed - v->opened;

    for (i = 0; i < 2; i++) {
        m = i ? &v->peak : &v->end;
        n[CX_SESSION_END + 3 * i] = m->friction;
        n[CX_SESSION_END + 3 * i + 1] = m->friction ? m->opened - v->opened : 0;
        n[CX_SESSION_END + 3 * i + 2] = m->other;
    }

    d = dst;

    for (i = 0; i < CX_SESSION_NUMBERS; i++) {
        d += cx_session_number(d, n[i],
                               i < CX_SESSION_NUMBERS - 1 ? ' ' : '\t');
    }

    memcpy(d, v->end.page.data, v->end.page.len);
    d += v->end.page.len;
    *d++ = '\t';

    if (v->peak.page.len) {
        memcpy(d, v->peak.page.data, v->peak.page.len);
        d += v->peak.page.len;
    }

    return (size_t) (d - dst);
}


int
cx_agg_session_parse(cx_agg_session_t *v, const cx_str_t *text)
{
    int              i;
    int64_t          n[CX_SESSION_NUMBERS];
    cx_str_t         word;
    unsigned char   *s, *end, *stop;
    cx_agg_moment_t *m;

    s = text->data;
    end = s + text->len;

    for (i = 0; i < CX_SESSION_NUMBERS + 1; i++) {
        stop = memchr(s, i < CX_SESSION_NUMBERS - 1 ? ' ' : '\t',
                      (size_t) (end - s));

        if (stop == NULL) {
            return -1;
        }

        word.data = s;
        word.len = (size_t) (stop - s);
        s = stop + 1;

        if (i == CX_SESSION_NUMBERS) {
            break;
        }

        if (cx_number(&n[i], &word)) {
            return -1;
        }
    }

    v->opened = n[CX_SESSION_OPENED];
    v->last = v->opened + n[CX_SESSION_LAST];
    v->viewed = v->opened + n[CX_SESSION_VIEWED];

    for (i = 0; i < 2; i++) {
        m = i ? &v->peak : &v->end;
        m->friction = (int) n[CX_SESSION_END + 3 * i];
        m->opened = m->friction ? v->opened + n[CX_SESSION_END + 3 * i + 1] : 0;
        m->other = (unsigned char) n[CX_SESSION_END + 3 * i + 2];
    }

    cx_session_page(&v->end, &word);
    word.data = s;
    word.len = (size_t) (end - s);
    cx_session_page(&v->peak, &word);

    return 0;
}
