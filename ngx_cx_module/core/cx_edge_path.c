/*
 * Rules about the way from view to view: reload, quick_back, navigation_loop.
 *
 * Views are compared by address and blamed by page.  Those that differ in the
 * query only are pages, sorts or tabs of one list: no way back, and no loop.
 */

#include <stddef.h>
#include "cx_visit.h"


/* views of one address, one right after the other */

typedef struct {
    cx_seen_t *last;
    cx_seen_t *first;
    unsigned   flags;    /* of any of them */
    unsigned   well : 1; /* all were answered, not 4xx or 5xx */
} cx_run_t;


static void       cx_edge_poll(cx_edge_t *e);
static int        cx_edge_again(cx_edge_t *e);
static void       cx_edge_reload(cx_edge_t *e);
static void       cx_edge_way_back(cx_edge_t *e, const cx_run_t *b,
                                   const cx_run_t *a);
static void       cx_edge_loop(cx_edge_t *e, cx_run_t *run);
static cx_seen_t *cx_edge_person(const cx_edge_t *e, unsigned *i);
static unsigned   cx_edge_run(const cx_edge_t *e, unsigned i, cx_run_t *run);
static int        cx_edge_posted(const cx_edge_t *e, const cx_seen_t *view);


void
cx_edge_path(cx_edge_t *e)
{
    unsigned i, k;
    cx_run_t run[3];

    if (e->flags & CX_VIEW_IS_CUT) {
        return;
    }

    cx_edge_poll(e);

    if ((e->flags & CX_VIEW_IS_AUTO) || cx_edge_again(e) || e->s->post
        || e->s->status == 401)
    {
        return;
    }

    cx_edge_reload(e);

    /* before this A: B and A; before this B: A, B and A */

    for (i = 0, k = 0; k < 3; k++) {
        i = cx_edge_run(e, i, &run[k]);

        if (run[k].last == NULL) {
            break;
        }
    }

    if (k < 2 || run[0].last->path == e->s->path
        || run[1].last->uri != e->s->uri) {
        return;
    }

    e->flags |= CX_VIEW_IS_BACK;

    cx_edge_way_back(e, &run[0], &run[1]);

    if (k == 3 && run[2].last->uri == run[0].last->uri) {
        cx_edge_loop(e, run);
    }
}


/*
 * A machine asks at equal intervals, whatever the visitor looks at meanwhile.
 * Browsers that say who asks need not be guessed at, but where one address is
 * asked for in a row: extensions ask as a person would.
 */

static void
cx_edge_poll(cx_edge_t *e)
{
    unsigned   i, n;
    uint32_t   last, before, differ;
    cx_seen_t *view, *same[2];

    for (i = 0, n = 0; i < CX_VIEWS_KEPT && n < 2; i++) {
        view = cx_visit_view(e->v, i);

        if (view->page == 0
            || (view->flags & (CX_VIEW_IS_PENDING | CX_VIEW_IS_CUT))) {
            continue;
        }

        if (view->uri == e->s->uri) {
            same[n++] = view;

        } else if (e->s->told && !(view->flags & CX_VIEW_IS_AUTO)) {
            return;
        }
    }

    if (n < 2 || e->start < same[0]->at || same[0]->at < same[1]->at) {
        return;
    }

    last = e->start - same[0]->at;
    before = same[0]->at - same[1]->at;
    differ = (last > before) ? last - before : before - last;

    if (last < (uint32_t) e->t->t[CX_T_RELOAD_POLL_MS]
        || before < (uint32_t) e->t->t[CX_T_RELOAD_POLL_MS]
        || differ > (last > before ? last : before) / 10)
    {
        return;
    }

    same[0]->flags |= CX_VIEW_IS_USED;
    same[1]->flags |= CX_VIEW_IS_USED;
    e->flags |= CX_VIEW_IS_USED;

    if (!e->s->told) {
        e->flags |= CX_VIEW_IS_AUTO;
    }
}


/* a wait was given up, and the page asked for again */

static int
cx_edge_again(cx_edge_t *e)
{
    unsigned   i;
    uint32_t   given_up;
    cx_seen_t *view;

    i = 0;
    view = cx_edge_person(e, &i);

    if (view == NULL || view->uri != e->s->uri
        || (view->flags & (CX_VIEW_IS_ABORTED | CX_VIEW_IS_USED))
               != CX_VIEW_IS_ABORTED
        || ((view->flags & CX_VIEW_IS_POST) != 0) != e->s->post)
    {
        return 0;
    }

    given_up = view->at + view->request_ms;

    if (e->start > given_up
        && e->start - given_up > (uint32_t) e->t->t[CX_T_RELOAD_WAIT_MS])
    {
        return 0;
    }

    view->flags |= CX_VIEW_IS_USED;
    cx_edge_signal(e, CX_SIG_RELOAD, 1, e->s->page, 0, 1);

    return 1;
}


static void
cx_edge_reload(cx_edge_t *e)
{
    unsigned   i, n, counted;
    uint32_t   at;
    cx_seen_t *view, *row[CX_VIEWS_KEPT];

    if (e->flags & CX_VIEW_IS_USED) {
        return;
    }

    n = 0;
    counted = 1;
    at = e->start;

    for (i = 0; (view = cx_edge_person(e, &i)) != NULL; i++) {
        if (view->uri != e->s->uri || view->at > at
            || (view->flags & (CX_VIEW_IS_POST | CX_VIEW_IS_USED))
            || cx_edge_posted(e, view)
            || e->start - view->at
                   > (uint32_t) e->t->t[CX_T_RELOAD_WINDOW_S] * 1000)
        {
            return;
        }

        row[n++] = view;

        if (at - view->at < CX_DOUBLE_MS) {
            continue;
        }

        at = view->at;

        if (++counted == (unsigned) e->t->t[CX_T_RELOAD_VIEWS]) {
            break;
        }
    }

    if (view == NULL) {
        return;
    }

    while (n) {
        row[--n]->flags |= CX_VIEW_IS_USED;
    }

    e->flags |= CX_VIEW_IS_USED;
    cx_edge_signal(e, CX_SIG_RELOAD, 1, e->s->page, 0, counted);
}


/* A, B, and this is A; one that was come back to itself is no B */

static void
cx_edge_way_back(cx_edge_t *e, const cx_run_t *b, const cx_run_t *a)
{
    uint32_t   shown;
    cx_seen_t *view;

    view = b->first;
    shown = view->at + view->request_ms;

    if (!e->well || !a->well || !b->well || e->redirected
        || view->at < a->last->at || ((a->flags | b->flags) & CX_VIEW_IS_POST)
        || (b->flags & CX_VIEW_IS_BACK) || cx_edge_posted(e, view)
        || e->start < shown
        || e->start - shown >= (uint32_t) e->t->t[CX_T_QUICK_BACK_MS])
    {
        return;
    }

    cx_edge_signal(e, CX_SIG_QUICK_BACK, 1, view->page, e->s->page,
                   e->start - shown);
}


/* A, B, A, and this is B; the runs from the newest */

static void
cx_edge_loop(cx_edge_t *e, cx_run_t *run)
{
    unsigned   i;
    cx_seen_t *first;

    first = run[2].last;

    if (!e->well || e->start < first->at
        || e->start - first->at
               > (uint32_t) e->t->t[CX_T_NAVIGATION_LOOP_S] * 1000
        || cx_edge_posted(e, first))
    {
        return;
    }

    for (i = 0; i < 3; i++) {
        if (!run[i].well
            || (run[i].flags & (CX_VIEW_IS_POST | CX_VIEW_IS_USED))) {
            return;
        }
    }

    for (i = 0; i < 3; i++) {
        run[i].last->flags |= CX_VIEW_IS_USED;
    }

    e->flags |= CX_VIEW_IS_USED;
    cx_edge_signal(e, CX_SIG_NAVIGATION_LOOP, 1, run[0].last->page, e->s->page,
                   0);
}


/*
 * The i-th view from the newest on that a person asked for and saw, or NULL;
 * a challenge for a password shows nothing.
 */

static cx_seen_t *
cx_edge_person(const cx_edge_t *e, unsigned *i)
{
    cx_seen_t *view;

    for (/* void */; *i < CX_VIEWS_KEPT; (*i)++) {
        view = cx_visit_view(e->v, *i);

        if (view->page && view->status != 401
            && !(view->flags
                 & (CX_VIEW_IS_PENDING | CX_VIEW_IS_CUT | CX_VIEW_IS_AUTO)))
        {
            return view;
        }
    }

    return NULL;
}


/*
 * The run of views that begins with the i-th; last is NULL if there is none.
 * Returns where the next one begins.
 */

static unsigned
cx_edge_run(const cx_edge_t *e, unsigned i, cx_run_t *run)
{
    cx_seen_t *view;

    run->last = NULL;
    run->first = NULL;
    run->flags = 0;
    run->well = 1;

    for (/* void */; (view = cx_edge_person(e, &i)) != NULL; i++) {
        if (run->last == NULL) {
            run->last = view;

        } else if (view->uri != run->last->uri) {
            break;
        }

        run->first = view;
        run->flags |= view->flags;

        if (view->status >= 400 || (view->flags & CX_VIEW_IS_ABORTED)) {
            run->well = 0;
        }
    }

    return i;
}


/* 1 if something was posted since that view was asked for */

static int
cx_edge_posted(const cx_edge_t *e, const cx_seen_t *view)
{
    return e->v->post_at > view->at;
}
