/*
 * Step 5: one event into the counters.  Pure: no I/O, and time is an argument.
 * All that the event touches has been loaded before.
 */

#include <string.h>
#include "cx_agg_fold.h"

#define CX_IDLE_MS (CX_SESSION_IDLE_S * 1000LL)

/* an event, taken apart */
typedef struct {
    int64_t          ts;
    int64_t          now;
    int64_t          n; /* how often a signal was seen */
    int              signal;
    int              field;   /* of an answer's score */
    int              browser; /* the browser reported it */
    cx_agg_answer_t *answer;
} cx_fold_t;

static const unsigned char cx_no_signal[CX_SIG_N];


/* ---- visits ---- */

static void
cx_fold_open(cx_agg_site_t *s, cx_agg_unit_t *u, cx_place_t *at,
             const cx_str_t *page, int64_t ts, int64_t now)
{
    int      g;
    unsigned other;

    u->opened = ts;
    u->last = ts;
    u->flags = 0;
    memset(u->count, 0, CX_SIG_N);

    other = 0;
    cx_fold_place(at, s, page, ts, now, &other, 0);
    u->flags = (unsigned char) (other * CX_UNIT_OTHER);

    cx_fold_add(s, at, CX_R_VISITS, 1);
    cx_fold_pattern(s, at, u->count, 1);

    for (g = 0; g < CX_GRANS; g++) {
        if (at->page[g]) {
            cx_agg_cell_visitor(at->page[g], u);
            cx_agg_cell_visitor(at->page[g]->window->total, u);
            s->changes += 4;
        }
    }
}


/* the visit that an event belongs to; opens one after 30 minutes' silence */

static cx_agg_unit_t *
cx_fold_visit(cx_agg_site_t *s, const cx_event_t *ev, cx_place_t *at,
              int64_t ts, int64_t now, int browser)
{
    unsigned        other;
    const cx_str_t *page;
    cx_agg_unit_t  *u;

    page = &ev->v[CX_COMMON_PAGE];
    u = cx_agg_unit(s, &ev->v[CX_COMMON_VISIT], page);

    if (u->opened == 0 || ts > u->last + CX_IDLE_MS
        || ts < u->opened - CX_IDLE_MS) {
        cx_fold_open(s, u, at, page, ts, now);

    } else {
        other = u->flags / CX_UNIT_OTHER;
        cx_fold_place(at, s, page, u->opened, now, &other, 1);
    }

    u->last = ts > u->last ? ts : u->last;

    if (browser && !(u->flags & CX_UNIT_BROWSER)) {
        u->flags |= CX_UNIT_BROWSER;
        cx_fold_add(s, at, CX_R_VISITS_BROWSER, 1);
    }

    cx_agg_unit_change(s, u);

    return u;
}


static void
cx_fold_struggle(cx_agg_site_t *s, cx_agg_unit_t *u, const cx_place_t *at,
                 int signal, int64_t n)
{
    unsigned char before[CX_SIG_N];

    memcpy(before, u->count, CX_SIG_N);
    n += u->count[signal];
    n = n > (int64_t) cx_signals[signal].cap ? cx_signals[signal].cap : n;

    if (n == before[signal]) {
        return;
    }

    u->count[signal] = (unsigned char) n;
    cx_fold_pattern(s, at, before, -1);
    cx_fold_pattern(s, at, u->count, 1);

    if (before[signal] == 0) {
        cx_fold_add(s, at, CX_R_VISITS_SIGNAL + signal, 1);
    }
}


/* ---- events of each type ---- */

static void
cx_fold_view(cx_agg_site_t *s, const cx_place_t *at, const cx_event_t *ev)
{
    int     i;
    int64_t status, ms, bytes;

    cx_fold_add(s, at, CX_R_VIEWS, 1);

    status = cx_fold_int(&ev->v[CX_VIEW_STATUS], 0);

    if (status >= 100 && status < 600) {
        cx_fold_add(s, at, CX_R_STATUS_1XX + (int) (status / 100) - 1, 1);
    }

    bytes = cx_fold_int(&ev->v[CX_VIEW_BYTES], 0);

    if (bytes) {
        cx_fold_add(s, at, CX_R_BYTES, bytes);
    }

    ms = cx_fold_int(&ev->v[CX_VIEW_FIRST_MS], -1);

    if (ms < 0) {
        return;
    }

    for (i = CX_R_FIRST;
         i < CX_R_FIRST_MORE && ms > cx_first_ms[i - CX_R_FIRST]; i++)
    {
        /* void */
    }

    cx_fold_add(s, at, i, 1);
}


/* good, needs improvement or poor */

static void
cx_fold_vital(cx_agg_site_t *s, const cx_place_t *at, const cx_str_t *v,
              int good, int64_t needs, int64_t poor)
{
    int64_t n;

    n = cx_fold_int(v, -1);

    if (n >= 0) {
        cx_fold_add(s, at, good + (n > needs) + (n > poor), 1);
    }
}


static void
cx_fold_leave(cx_agg_site_t *s, const cx_place_t *at, const cx_event_t *ev)
{
    int64_t ms, scroll;

    cx_fold_add(s, at, CX_R_LEAVES, 1);

    ms = cx_fold_int(&ev->v[CX_LEAVE_VISIBLE_MS], 0);

    if (ms) {
        cx_fold_add(s, at, CX_R_VISIBLE_MS, ms);
    }

    scroll = cx_fold_int(&ev->v[CX_LEAVE_SCROLL_PCT], -1);

    if (scroll >= 0) {
        cx_fold_add(s, at,
                    CX_R_SCROLL_25 + (scroll > 25) + (scroll > 50)
                        + (scroll > 75),
                    1);
    }

    cx_fold_vital(s, at, &ev->v[CX_LEAVE_LCP_MS], CX_R_LCP_GOOD, 2500, 4000);
    cx_fold_vital(s, at, &ev->v[CX_LEAVE_INP_MS], CX_R_INP_GOOD, 200, 500);
    cx_fold_vital(s, at, &ev->v[CX_LEAVE_CLS_MILLI], CX_R_CLS_GOOD, 100, 250);
}


static void
cx_fold_prompt(cx_agg_site_t *s, cx_place_t *at, const cx_event_t *ev,
               int64_t ts, int64_t now)
{
    unsigned other;

    other = 0;
    cx_fold_survey(at, s, &ev->v[CX_SHOWN_SURVEY], ts, now, &other, 0);

    if (ev->type == CX_SHOWN) {
        cx_fold_add(s, at, CX_R_SHOWN, 1);
        return;
    }

    cx_fold_add(s, at, CX_R_DISMISSED, 1);

    if (cx_fold_is(&ev->v[CX_DISMISS_HOW], "never")) {
        cx_fold_add(s, at, CX_R_NEVER, 1);
    }
}


static void
cx_fold_signal(cx_agg_site_t *s, const cx_place_t *at, cx_agg_unit_t *u,
               const cx_place_t *visit, int signal, int64_t n)
{
    if (n > 0) {
        cx_fold_add(s, at, CX_R_SIGNAL + signal, n);

        if (u) {
            cx_fold_struggle(s, u, visit, signal, n);
        }
    }
}


/* 1 if the event is older than all that it would count in */

static int
cx_fold_late(cx_agg_site_t *s, const cx_event_t *ev, int64_t ts, int64_t now)
{
    if (ev->type == CX_ANSWER) {
        return ts < now - s->conf->keep_answers;
    }

    return cx_agg_window(s, CX_HOUR, ts, now) == NULL
           && cx_agg_window(s, CX_DAY, ts, now) == NULL;
}


/* what the event says; NULL, or why it is refused */

static const char *
cx_fold_parse(cx_agg_site_t *s, cx_fold_t *f, const cx_event_t *ev)
{
    f->ts = cx_fold_int(&ev->v[CX_COMMON_TS], 0);
    f->n = 1;
    f->browser = ev->type != CX_VIEW;

    if (f->ts > f->now + CX_AGG_FUTURE_MS) {
        return "ts in the future";
    }

    if (ev->type == CX_ANSWER) {
        return cx_fold_answer_check(s, &f->answer, &f->field, ev);
    }

    if (ev->type == CX_SIGNAL) {
        f->signal = cx_signal_find(ev->v[CX_SIGNAL_NAME].data,
                                   ev->v[CX_SIGNAL_NAME].len);
        if (f->signal < 0) {
            return "unknown signal";
        }

        f->n = cx_fold_int(&ev->v[CX_SIGNAL_COUNT], 1);
        f->browser = !cx_fold_is(&ev->v[CX_SIGNAL_SOURCE], "edge");
    }

    return NULL;
}


const char *
cx_agg_fold(cx_agg_site_t *s, const cx_event_t *ev, int64_t now)
{
    unsigned       other;
    cx_fold_t      f;
    cx_place_t     at, visit;
    const char    *err;
    cx_agg_unit_t *u;

    memset(&f, 0, sizeof(cx_fold_t));
    f.now = now;
    err = cx_fold_parse(s, &f, ev);

    if (err) {
        return err;
    }

    if (cx_fold_late(s, ev, f.ts, now)) {
        s->life[CX_LIFE_LATE]++;
        return NULL;
    }

    /* a place that nothing is counted at must not take a page's slot */

    if (ev->type != CX_ANSWER && f.n > 0) {
        other = 0;
        cx_fold_place(&at, s, &ev->v[CX_COMMON_PAGE], f.ts, now, &other, 0);
    }

    u = NULL;

    if (ev->v[CX_COMMON_VISIT].len) {
        u = cx_fold_visit(s, ev, &visit, f.ts, now, f.browser);

    } else if (ev->type == CX_VIEW) {
        cx_fold_add(s, &at, CX_R_VISITS, 1);
        cx_fold_pattern(s, &at, cx_no_signal, 1);
    }

    switch (ev->type) {
    case CX_VIEW:
        cx_fold_view(s, &at, ev);
        break;

    case CX_SIGNAL:
        cx_fold_signal(s, &at, u, &visit, f.signal, f.n);
        break;

    case CX_LEAVE:
        cx_fold_leave(s, &at, ev);
        break;

    case CX_ANSWER:
        cx_fold_answer(s, f.answer, ev, f.field, f.ts, now);
        break;

    default: /* CX_SHOWN, CX_DISMISS */
        cx_fold_prompt(s, &at, ev, f.ts, now);
    }

    return NULL;
}


/* ---- open visits as text ---- */

size_t
cx_agg_unit_print(char *dst, const cx_agg_unit_t *u)
{
    char        *d;
    cx_pattern_t p;

    memset(&p, 0, sizeof(cx_pattern_t));
    memcpy(p.count, u->count, CX_SIG_N);

    d = dst;
    d += cx_digits(d, (uint64_t) u->opened);
    *d++ = ' ';
    d += cx_digits(d, (uint64_t) u->last);
    *d++ = ' ';
    d += cx_digits(d, u->flags);
    *d++ = ' ';
    d += cx_pattern_print(d, &p);

    return (size_t) (d - dst);
}


int
cx_agg_unit_parse(cx_agg_unit_t *u, const cx_str_t *text)
{
    int            i;
    int64_t        n[3];
    cx_str_t       v;
    cx_pattern_t   p;
    unsigned char *s, *end, *space;

    s = text->data;
    end = s + text->len;

    for (i = 0; i < 3; i++) {
        space = memchr(s, ' ', (size_t) (end - s));

        if (space == NULL) {
            return -1;
        }

        v.data = s;
        v.len = (size_t) (space - s);

        if (cx_number(&n[i], &v)) {
            return -1;
        }

        s = space + 1;
    }

    if (cx_pattern_parse(&p, s, (size_t) (end - s))) {
        return -1;
    }

    u->opened = n[0];
    u->last = n[1];
    u->flags = (unsigned char) n[2];
    memcpy(u->count, p.count, CX_SIG_N);

    return 0;
}
