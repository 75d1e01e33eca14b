/*
 * The rules of the edge's signals, as include/cx_signal.h words them: one
 * finished request of a visit at a time.  Here those about an answer; the way
 * from view to view is in cx_edge_path.c, forms and searches are in
 * cx_edge_form.c.
 */

#include <string.h>
#include "cx_visit.h"


#define CX_REDIRECTS_MAX   20   /* where browsers give up */
#define CX_REDIRECT_GAP_MS 2000 /* a browser follows at once */
#define CX_CLOCKS_MS       50   /* between those of two workers */
#define CX_STATUS_BITS     10   /* of failure[] */


static void     cx_edge_page(cx_edge_t *e);
static void     cx_edge_pending(cx_edge_t *e);
static void     cx_edge_keep(cx_edge_t *e, unsigned flags);
static void     cx_edge_asset(cx_edge_t *e);
static void     cx_edge_script(cx_edge_t *e);
static void     cx_edge_redirect(cx_edge_t *e);
static int      cx_edge_follows(const cx_edge_t *e);
static void     cx_edge_arrived(cx_edge_t *e);
static void     cx_edge_help(cx_edge_t *e);
static void     cx_edge_failure(cx_edge_t *e);
static void     cx_edge_repeat(cx_edge_t *e, uint32_t blamed);
static void     cx_edge_went_well(cx_edge_t *e);
static void     cx_edge_auth(cx_edge_t *e);
static void     cx_edge_wait(cx_edge_t *e);
static int      cx_edge_is_failure(int signal);
static unsigned cx_edge_request_ms(const cx_step_t *s);


unsigned
cx_edge_step(cx_visit_t *v, const cx_step_t *s, const cx_tuning_t *t,
             cx_edge_signal_t *out)
{
    cx_edge_t e;

    memset(&e, 0, sizeof(e));

    if (cx_edge_idle(v, s->start)) {
        e.n = cx_edge_close(v, t, out);
    }

    if (v->opened == 0) {
        v->opened = s->start ? s->start : 1;
    }

    e.v = v;
    e.s = s;
    e.t = t;
    e.out = out;
    e.start = cx_visit_ms(v, s->start);
    e.end = e.start + cx_edge_request_ms(s);
    e.well = (s->status < 400 && !s->aborted);

    if (e.end > v->last) {
        v->last = e.end;
    }

    switch (s->kind) {
    case CX_STEP_PAGE:
        cx_edge_page(&e);
        break;

    case CX_STEP_REDIRECT:
        cx_edge_redirect(&e);
        break;

    case CX_STEP_ASSET:
        cx_edge_asset(&e);
        break;

    default:
        cx_edge_script(&e);
    }

    return e.n;
}


void
cx_edge_signal(cx_edge_t *e, int signal, unsigned count, uint32_t page,
               uint32_t target, uint32_t value)
{
    cx_edge_signal_t *out;

    if (page == 0 || e->n == CX_EDGE_OUT) {
        return;
    }

    out = &e->out[e->n++];

    out->signal = signal;
    out->count = count;
    out->page = page;
    out->target = target;
    out->value = value;
    out->at = e->s->end;

    cx_edge_count(e->v, signal, count);

    if (cx_edge_is_failure(signal)) {
        e->v->trouble = page;
        e->v->trouble_at = e->end;
    }
}


static int
cx_edge_is_failure(int signal)
{
    switch (signal) {
    case CX_SIG_ERROR_PAGE:
    case CX_SIG_BROKEN_LINK:
    case CX_SIG_RELOAD:
    case CX_SIG_NAVIGATION_LOOP:
    case CX_SIG_FORM_RESUBMIT:
    case CX_SIG_AUTH_LOOP:
    case CX_SIG_REDIRECT_CHAIN:
    case CX_SIG_RATE_LIMITED:
        return 1;

    default:
        return 0;
    }
}


/* a day at most, as the stream's field */

static unsigned
cx_edge_request_ms(const cx_step_t *s)
{
    uint64_t ms;

    ms = (s->end > s->start) ? s->end - s->start : 0;

    return (ms < 86400000) ? (unsigned) ms : 86400000;
}


static void
cx_edge_page(cx_edge_t *e)
{
    const cx_step_t *s;

    s = e->s;

    if (s->pending) {
        cx_edge_pending(e);
        return;
    }

    e->flags = s->post ? CX_VIEW_IS_POST : 0;

    if (s->told && !s->user) {
        e->flags |= CX_VIEW_IS_AUTO;
    }

    if (s->aborted) {
        e->flags |= (e->end - e->start
                     >= (uint32_t) e->t->t[CX_T_ABORTED_WAIT_MS])
                        ? CX_VIEW_IS_ABORTED
                        : CX_VIEW_IS_CUT;
    }

    cx_edge_help(e);
    cx_edge_arrived(e);
    cx_edge_failure(e);
    cx_edge_auth(e);
    cx_edge_wait(e);
    cx_edge_path(e);

    if (s->post) {
        cx_edge_post(e);
    }

    cx_edge_form(e);
    cx_edge_search(e);

    if (e->well && !(e->flags & CX_VIEW_IS_AUTO)) {
        cx_edge_went_well(e);
    }

    cx_edge_keep(e, e->flags);
}


/* what is prefetched is no history, and of use only if it is a page */

static void
cx_edge_pending(cx_edge_t *e)
{
    if (e->well) {
        cx_edge_keep(e, CX_VIEW_IS_PENDING);
    }
}


/* nobody has seen what was given up before any answer came */

static void
cx_edge_keep(cx_edge_t *e, unsigned flags)
{
    cx_seen_t       *view;
    const cx_step_t *s;

    s = e->s;

    if (s->page == 0) {
        return;
    }

    if (!s->aborted || s->first_ms != CX_NO_MS) {
        cx_visit_served(e->v, s->page);

    } else if (flags & CX_VIEW_IS_CUT) {
        return;
    }

    view = cx_visit_push(e->v, (flags & CX_VIEW_IS_PENDING) != 0);

    view->at = e->start;
    view->page = s->page;
    view->uri = s->uri;
    view->path = s->path;
    view->request_ms = e->end - e->start;
    view->first_ms = s->first_ms;
    view->upstream_ms = s->upstream_ms;
    view->status = s->status;
    view->cache = s->cache & 0xf;
    view->flags = flags & 0xfff;
}


static void
cx_edge_asset(cx_edge_t *e)
{
    const cx_step_t *s;

    s = e->s;

    if (s->status < 400 || s->status == 401 || s->status == 403
        || s->status == 429 || s->status == 499 || s->limited || s->pending
        || s->aborted)
    {
        return;
    }

    cx_edge_signal(e, CX_SIG_BROKEN_ASSET, 1, s->ref, s->page, s->status);
}


static void
cx_edge_script(cx_edge_t *e)
{
    /* of another page, if it says so: another form, or none */

    if (e->well && (e->s->ref == 0 || e->s->ref == e->v->form)) {
        e->v->form = 0;
    }
}


static void
cx_edge_redirect(cx_edge_t *e)
{
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (s->pending) {
        return;
    }

    e->flags = (s->told && !s->user) ? CX_VIEW_IS_AUTO : 0;

    if (!cx_edge_follows(e)) {
        v->redirects = 0;
    }

    v->redirects++;
    v->redirect_at = e->end;

    if (v->redirects >= CX_REDIRECTS_MAX) {
        cx_edge_signal(e, CX_SIG_REDIRECT_CHAIN, 1, s->page, 0, v->redirects);
        v->redirects = 0;
    }

    if (s->post) {
        cx_edge_post(e);
        cx_edge_went_well(e);
    }
}


/*
 * What begins before a redirect is answered belongs to another tab; what
 * begins later, to another click.
 */

static int
cx_edge_follows(const cx_edge_t *e)
{
    return e->start + CX_CLOCKS_MS >= e->v->redirect_at
           && e->start <= e->v->redirect_at + CX_REDIRECT_GAP_MS;
}


/* a page, maybe at the end of redirects */

static void
cx_edge_arrived(cx_edge_t *e)
{
    uint32_t    n;
    cx_visit_t *v;

    v = e->v;
    n = v->redirects;

    if (n == 0 || !cx_edge_follows(e)) {
        return;
    }

    v->redirects = 0;
    e->redirected = 1;

    if (n >= (uint32_t) e->t->t[CX_T_REDIRECT_CHAIN_HOPS]
        && !(e->flags & CX_VIEW_IS_CUT))
    {
        cx_edge_signal(e, CX_SIG_REDIRECT_CHAIN, 1, e->s->page, 0, n);
    }
}


/* before this page's own trouble is known */

static void
cx_edge_help(cx_edge_t *e)
{
    uint32_t         ms;
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (!(s->role & CX_ROLE_HELP) || !e->well || s->post
        || (e->flags & CX_VIEW_IS_AUTO) || v->trouble == 0
        || v->trouble == s->page)
    {
        return;
    }

    ms = (e->start > v->trouble_at) ? e->start - v->trouble_at : 0;

    if (ms <= (uint32_t) e->t->t[CX_T_HELP_SEEK_S] * 1000) {
        cx_edge_signal(e, CX_SIG_HELP_SEEK, 1, v->trouble, s->page, ms / 1000);
    }

    v->trouble = 0;
}


static void
cx_edge_failure(cx_edge_t *e)
{
    uint32_t         blamed;
    const cx_step_t *s;

    s = e->s;

    if (s->aborted || s->status < 400) {
        return;
    }

    if (s->limited || s->status == 429) {
        cx_edge_signal(e, CX_SIG_RATE_LIMITED, 1, s->page, 0, s->status);
        return;
    }

    switch (s->status) {
    case 401:
    case 422:
    case 499:
        return;

    case 403:
        cx_edge_repeat(e, s->page);
        return;

    case 404:
    case 410:
        blamed = s->ref ? s->ref : s->page;
        break;

    default:
        blamed = s->page;
    }

    if (blamed == s->ref) {
        cx_edge_signal(e, CX_SIG_BROKEN_LINK, 1, blamed, s->page, s->status);

    } else {
        cx_edge_signal(e, CX_SIG_ERROR_PAGE, 1, blamed, 0, s->status);
    }

    cx_edge_repeat(e, blamed);
}


/* a failure is kept as address ^ status: the same address differs below */

static void
cx_edge_repeat(cx_edge_t *e, uint32_t blamed)
{
    unsigned         i, bit;
    uint32_t         failure;
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (e->flags & CX_VIEW_IS_AUTO) {
        return;
    }

    failure = s->uri ^ (s->status & ((1u << CX_STATUS_BITS) - 1));

    for (i = 0; i < CX_FAIL_KEPT; i++) {
        if (v->failure[i] != failure) {
            continue;
        }

        bit = 1u << i;

        if (v->fail_well & bit) {
            v->fail_well &= (uint8_t) ~bit;
            cx_edge_signal(e, CX_SIG_REPEAT_FAILURE, 1, blamed,
                           blamed != s->page ? s->page : 0, s->status);
        }

        return;
    }

    i = v->fail_next;

    v->failure[i] = failure;
    v->fail_well &= (uint8_t) ~(1u << i);
    v->fail_next = (uint8_t) ((i + 1) % CX_FAIL_KEPT);
}


/* the same address that answers again is no other one */

static void
cx_edge_went_well(cx_edge_t *e)
{
    unsigned    i;
    cx_visit_t *v;

    v = e->v;

    if (!e->well) {
        return;
    }

    for (i = 0; i < CX_FAIL_KEPT; i++) {
        if (v->failure[i] && (v->failure[i] ^ e->s->uri) >> CX_STATUS_BITS) {
            v->fail_well |= (uint8_t) (1u << i);
        }
    }
}


static void
cx_edge_auth(cx_edge_t *e)
{
    unsigned         i, n;
    uint32_t         window;
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (s->aborted || (e->flags & CX_VIEW_IS_AUTO)) {
        return;
    }

    if (s->status != 401 && s->status != 403) {
        v->auths = 0;
        return;
    }

    window = (uint32_t) e->t->t[CX_T_AUTH_LOOP_S] * 1000;
    n = 0;

    for (i = 0; i < v->auths; i++) {
        if (v->auth_at[i] + window >= e->start) {
            v->auth_at[n++] = v->auth_at[i];
        }
    }

    v->auths = (uint8_t) n;

    if (n + 1 >= (unsigned) e->t->t[CX_T_AUTH_LOOP_REFUSALS]) {
        v->auths = 0;
        cx_edge_signal(e, CX_SIG_AUTH_LOOP, 1, s->page, 0, s->status);
        return;
    }

    v->auth_at[v->auths++] = e->start;
}


static void
cx_edge_wait(cx_edge_t *e)
{
    uint32_t         slow;
    const cx_step_t *s;

    s = e->s;
    slow = (uint32_t) e->t->t[CX_T_SLOW_PAGE_MS];

    if (s->first_ms != CX_NO_MS && s->first_ms > slow) {
        cx_edge_signal(e, CX_SIG_SLOW_PAGE, s->first_ms > 4 * slow ? 2 : 1,
                       s->page, 0, s->first_ms);
    }

    if (e->flags & CX_VIEW_IS_ABORTED) {
        cx_edge_signal(e, CX_SIG_ABORTED_WAIT, 1, s->page, 0,
                       e->end - e->start);
    }
}
