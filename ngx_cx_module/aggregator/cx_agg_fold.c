/*
 * Step 5: one event into the counters.  Pure: no I/O, and time is an argument.
 * All that the event touches has been loaded before.
 */

#include <string.h>
#include "cx_agg_fold.h"

/* what an event may do to a visit */
enum { CX_FOLD_NONE, CX_FOLD_TOUCH, CX_FOLD_REPORT, CX_FOLD_VIEW };

/* an event, taken apart */
typedef struct {
    int64_t          ts;
    int64_t          now;
    int64_t          n;       /* how often a signal was seen */
    int64_t          view_ts; /* of the view that a first leave is of, or -1 */
    int              may;     /* CX_FOLD_* */
    int              signal;
    int              field;  /* of an answer's score */
    int              repeat; /* a second answer */
    cx_agg_answer_t *answer;
    cx_place_t       at;    /* its page at its time, if placed */
    unsigned         other; /* see cx_fold_place() */
    int              placed;
} cx_fold_t;

static const unsigned char cx_no_signal[CX_SIG_N];


/* the event's page at its own time, looked up once */

static void
cx_fold_here(cx_agg_site_t *s, cx_fold_t *f, const cx_event_t *ev)
{
    if (!f->placed) {
        f->placed = 1;
        cx_fold_place(&f->at, s, &ev->v[CX_COMMON_PAGE], f->ts, f->now,
                      &f->other, 0);
    }
}


/* ---- visits ---- */

static void
cx_fold_open(cx_agg_site_t *s, cx_agg_unit_t *u, cx_fold_t *f,
             const cx_event_t *ev, cx_place_t *at)
{
    int g;

    cx_fold_here(s, f, ev);
    *at = f->at;
    u->opened = f->ts;
    u->last = f->ts;
    u->flags = (unsigned char) (f->other * CX_UNIT_OTHER);
    memset(u->count, 0, CX_SIG_N);

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


/*
 * The visit to the page that an event belongs to, or NULL.  After 30 minutes'
 * silence views and reports open one.  What is older than the visit that we
 * know of belongs to one that is over: only a view opens it once more, a report
 * must not end the present one.
 */

static cx_agg_unit_t *
cx_fold_visit(cx_agg_site_t *s, const cx_event_t *ev, cx_fold_t *f,
              cx_place_t *at)
{
    int             old, over;
    unsigned        other;
    const cx_str_t *page;
    cx_agg_unit_t  *u;

    page = &ev->v[CX_COMMON_PAGE];
    u = cx_agg_unit(s, &ev->v[CX_COMMON_VISIT], page);
    old = u->opened && f->ts < u->opened - CX_IDLE_MS;
    over = u->opened == 0 || f->ts > u->last + CX_IDLE_MS;

    if (old ? f->may < CX_FOLD_VIEW : over && f->may < CX_FOLD_REPORT) {
        return NULL;
    }

    other = u->flags / CX_UNIT_OTHER;

    if (old || over) {
        cx_fold_open(s, u, f, ev, at);

    } else if (f->placed && f->other == other
               && cx_window_same(f->ts, u->opened)) {
        *at = f->at;

    } else {
        cx_fold_place(at, s, page, u->opened, f->now, &other, 1);
    }

    u->last = f->ts > u->last ? f->ts : u->last;
    cx_agg_unit_change(s, u);

    return u;
}


static void
cx_fold_struggle(cx_agg_site_t *s, cx_agg_unit_t *u, const cx_place_t *at,
                 int signal, int64_t n)
{
    int64_t       cap;
    unsigned char before[CX_SIG_N];

    memcpy(before, u->count, CX_SIG_N);
    cap = s->conf->tuning.cap[signal];
    n += u->count[signal];
    n = n > cap ? cap : n;

    if (n <= before[signal]) {
        return; /* less, where the cap was higher once */
    }

    u->count[signal] = (unsigned char) n;
    cx_fold_pattern(s, at, before, -1);
    cx_fold_pattern(s, at, u->count, 1);

    if (before[signal] == 0) {
        cx_fold_add(s, at, CX_R_VISITS_SIGNAL + signal, 1);
    }
}


/* ---- events of each type ---- */

/* by the time to the first byte; -1: there was no answer */

static void
cx_fold_apdex(cx_agg_site_t *s, const cx_place_t *at, const cx_event_t *ev,
              int64_t status, int64_t ms)
{
    int     field;
    int64_t t;

    t = s->conf->tuning.t[CX_T_SLOW_PAGE_MS];

    field = ms < 0 || ms > 4 * t || status >= 500 ? CX_R_APDEX_FRUSTRATED
            : ms > t                              ? CX_R_APDEX_TOLERATING
                                                  : CX_R_APDEX_SATISFIED;
    cx_fold_add(s, at, field, 1);

    if (ms > t) {
        field = 2 * cx_fold_int(&ev->v[CX_VIEW_UPSTREAM_MS], 0) > ms
                    ? CX_R_SLOW_UPSTREAM
                    : CX_R_SLOW_EDGE;
        cx_fold_add(s, at, field, 1);
    }
}


static void
cx_fold_view(cx_agg_site_t *s, const cx_place_t *at, const cx_event_t *ev)
{
    int     i;
    int64_t status, ms, bytes;

    cx_fold_add(s, at, CX_R_VIEWS, 1);

    if (ev->v[CX_COMMON_VISIT].len == 0) {
        cx_fold_add(s, at, CX_R_VIEWS_UNTOLD, 1);
    }

    status = cx_fold_int(&ev->v[CX_VIEW_STATUS], 0);

    if (status >= 100 && status < 600) {
        cx_fold_add(s, at, CX_R_STATUS_1XX + (int) (status / 100) - 1, 1);
    }

    bytes = cx_fold_int(&ev->v[CX_VIEW_BYTES], 0);

    if (bytes) {
        cx_fold_add(s, at, CX_R_BYTES, bytes);
    }

    ms = cx_fold_int(&ev->v[CX_VIEW_FIRST_MS], -1);
    cx_fold_apdex(s, at, ev, status, ms);

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


/* the first report of a view that the edge saw, where the view counted */

static void
cx_fold_reported(cx_agg_site_t *s, const cx_place_t *leave,
                 const cx_event_t *ev, int64_t ts, int64_t view_ts, int64_t now)
{
    unsigned   other;
    cx_place_t at;

    at = *leave;
    other = 0;

    if (!cx_window_same(ts, view_ts)) {
        cx_fold_place(&at, s, &ev->v[CX_COMMON_PAGE], view_ts, now, &other, 0);
    }

    cx_fold_add(s, &at, CX_R_VIEWS_BROWSER, 1);

    if (at.page[CX_HOUR] == NULL && at.page[CX_DAY] == NULL) {
        s->life[CX_LIFE_LATE]++;
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
cx_fold_signal(cx_agg_site_t *s, const cx_place_t *at, cx_agg_unit_t *u,
               const cx_place_t *visit, const cx_fold_t *f)
{
    if (f->n <= 0) {
        return;
    }

    cx_fold_add(s, at,
                (f->may == CX_FOLD_NONE ? CX_R_UNSEEN : CX_R_SIGNAL)
                    + f->signal,
                f->n);

    if (u) {
        cx_fold_struggle(s, u, visit, f->signal, f->n);
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
    f->view_ts = -1;
    f->may = CX_FOLD_TOUCH;

    if (f->ts > f->now + CX_AGG_FUTURE_MS) {
        return "ts in the future";
    }

    switch (ev->type) {
    case CX_VIEW:
        f->may = CX_FOLD_VIEW;
        return NULL;

    case CX_SIGNAL:
        f->may = cx_fold_is(&ev->v[CX_SIGNAL_SEEN], "0") ? CX_FOLD_NONE
                                                         : CX_FOLD_REPORT;
        f->n = cx_fold_int(&ev->v[CX_SIGNAL_COUNT], 1);
        f->signal = cx_signal_find(ev->v[CX_SIGNAL_NAME].data,
                                   ev->v[CX_SIGNAL_NAME].len);
        return f->signal < 0 ? "unknown signal" : NULL;

    case CX_LEAVE:
        f->may = cx_fold_is(&ev->v[CX_LEAVE_SEEN], "0") ? CX_FOLD_NONE
                                                        : CX_FOLD_REPORT;

        if (cx_fold_is(&ev->v[CX_LEAVE_FIRST], "1")) {
            f->view_ts = cx_fold_int(&ev->v[CX_LEAVE_VIEW_TS], -1);
        }

        return f->view_ts > f->now + CX_AGG_FUTURE_MS ? "view_ts in the future"
                                                      : NULL;

    case CX_ANSWER:
        return cx_fold_answer_check(s, &f->answer, &f->field, &f->repeat, ev);

    case CX_OFFER:
    case CX_REFUSED:
    case CX_SURVEY:
        return cx_fold_survey_check(ev);

    default:
        return NULL;
    }
}


/* 1 if the event was of no page and no visit, and is done with */

static int
cx_fold_aside(cx_agg_site_t *s, const cx_fold_t *f, const cx_event_t *ev)
{
    switch (ev->type) {
    case CX_OFFER:
    case CX_REFUSED:
    case CX_SURVEY:
        cx_fold_survey_event(s, ev, f->ts, f->now);
        return 1;

    case CX_ANSWER:
        if (f->repeat) {
            cx_fold_refused(s, ev, CX_R_REFUSED_REPEAT, 1, f->ts, f->now);
        }

        return f->repeat;

    default:
        return 0;
    }
}


const char *
cx_agg_fold(cx_agg_site_t *s, const cx_event_t *ev, int64_t now)
{
    cx_fold_t      f;
    cx_place_t     visit;
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

    if (cx_fold_aside(s, &f, ev)) {
        return NULL;
    }

    /* a place that nothing is counted at must not take a page's slot */

    if (ev->type != CX_ANSWER && f.n > 0) {
        cx_fold_here(s, &f, ev);
    }

    u = NULL;

    if (ev->v[CX_COMMON_VISIT].len) {
        u = f.may == CX_FOLD_NONE ? NULL : cx_fold_visit(s, ev, &f, &visit);

    } else if (ev->type == CX_VIEW) {
        cx_fold_add(s, &f.at, CX_R_VISITS, 1);
        cx_fold_pattern(s, &f.at, cx_no_signal, 1);
    }

    switch (ev->type) {
    case CX_VIEW:
        cx_fold_view(s, &f.at, ev);
        break;

    case CX_SIGNAL:
        cx_fold_signal(s, &f.at, u, &visit, &f);
        break;

    case CX_LEAVE:
        cx_fold_leave(s, &f.at, ev);

        if (f.view_ts >= 0) {
            cx_fold_reported(s, &f.at, ev, f.ts, f.view_ts, now);
        }

        break;

    case CX_ANSWER:
        cx_fold_answer(s, f.answer, ev, f.field, f.ts, now);
        break;

    default: /* CX_SHOWN, CX_START, CX_DISMISS */
        cx_fold_prompt(s, &f.at, ev, f.ts, now);
    }

    if (u) {
        cx_fold_session(s, u, ev, f.ts, now);
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
