/* Rules about posts, forms and searches. */

#include "cx_visit.h"


static int  cx_edge_resubmitted(const cx_edge_t *e);
static void cx_edge_searches_since(cx_visit_t *v, uint32_t since);


void
cx_edge_post(cx_edge_t *e)
{
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (cx_edge_resubmitted(e)) {
        cx_edge_signal(e, CX_SIG_FORM_RESUBMIT, 1, s->page, 0, v->post_status);
    }

    v->form = 0;

    if (!(s->role & CX_ROLE_SEARCH)) {
        v->queries = 0;
    }

    if (e->flags & CX_VIEW_IS_CUT) {
        return;
    }

    /* nothing is known of how a post was answered that was given up */

    v->post_uri = s->aborted ? 0 : s->uri;
    v->post_at = e->end;
    v->post_len = s->body;
    v->post_status = s->status;
}


/*
 * A double click sends twice, and nobody has read the answer to the first; a
 * challenge for a password is answered by the browser; a button without fields
 * sends the same whenever it is pressed, and so does a search of the same
 * length.
 */

static int
cx_edge_resubmitted(const cx_edge_t *e)
{
    uint32_t          window;
    const cx_step_t  *s;
    const cx_visit_t *v;

    v = e->v;
    s = e->s;
    window = (uint32_t) e->t->t[CX_T_FORM_RESUBMIT_S] * 1000;

    if (s->aborted || (e->flags & CX_VIEW_IS_AUTO) || v->post_uri != s->uri
        || e->start < v->post_at + CX_DOUBLE_MS
        || e->start - v->post_at > window)
    {
        return 0;
    }

    if (v->post_status >= 400) {
        return v->post_status != 401;
    }

    return (v->post_status < 300 || v->post_status == 304) && s->body
           && v->post_len == s->body && !(s->role & CX_ROLE_SEARCH);
}


void
cx_edge_form(cx_edge_t *e)
{
    const cx_step_t *s;

    s = e->s;

    if ((s->role & CX_ROLE_FORM) && e->well && !s->post) {
        e->v->form = s->page;
        e->v->form_at = e->start;
    }
}


void
cx_edge_search(cx_edge_t *e)
{
    unsigned         i, n;
    uint32_t         window;
    cx_visit_t      *v;
    const cx_step_t *s;

    v = e->v;
    s = e->s;

    if (!(s->role & CX_ROLE_SEARCH) || s->query == 0 || !e->well
        || (e->flags & CX_VIEW_IS_AUTO))
    {
        return;
    }

    window = (uint32_t) e->t->t[CX_T_SEARCH_REFINE_S] * 1000;
    n = (unsigned) e->t->t[CX_T_SEARCH_REFINE_QUERIES];

    cx_edge_searches_since(v, e->start > window ? e->start - window : 0);

    for (i = 0; i < v->queries; i++) {
        if (v->query[i] == s->query) {
            return;
        }
    }

    if (i + 1 >= n) {
        v->queries = 0;
        cx_edge_signal(e, CX_SIG_SEARCH_REFINE, 1, s->page, 0, i + 1);
        return;
    }

    v->query[i] = s->query;
    v->query_at[i] = e->start;
    v->queries++;
}


/* forgets queries from before that time */

static void
cx_edge_searches_since(cx_visit_t *v, uint32_t since)
{
    unsigned i, n;

    n = 0;

    for (i = 0; i < v->queries; i++) {
        if (v->query_at[i] >= since) {
            v->query[n] = v->query[i];
            v->query_at[n] = v->query_at[i];
            n++;
        }
    }

    v->queries = (uint8_t) n;
}
