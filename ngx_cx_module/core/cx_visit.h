/* What the rules share: one request beside the visit that it belongs to. */

#ifndef CX_VISIT_H
#define CX_VISIT_H

#include "cx_edge.h"

/* a second click of a double click comes sooner */
#define CX_DOUBLE_MS  500

typedef struct {
    cx_visit_t         *v;
    const cx_step_t    *s;
    const cx_tuning_t  *t;
    cx_edge_signal_t   *out;
    unsigned            n;               /* signals in out */
    uint32_t            start, end;      /* of s, on the clock of v */
    unsigned            flags;           /* CX_VIEW_IS_* that s will have */
    unsigned            well:1;          /* answered, not 4xx or 5xx */
    unsigned            redirected:1;    /* s follows a redirect */
} cx_edge_t;


/* ---- cx_visit.c ---- */

/* Unix time as ms since the visit was opened; before that: 0 */
uint32_t cx_visit_ms(const cx_visit_t *v, uint64_t at);

/* room for one more view, the oldest one's; or, if pending, that of an older
   pending one where there are some */
cx_seen_t *cx_visit_push(cx_visit_t *v, int pending);

/* the i-th view from the newest, 0 to CX_VIEWS_KEPT - 1; page 0: no more */
cx_seen_t *cx_visit_view(cx_visit_t *v, unsigned i);

void cx_visit_served(cx_visit_t *v, uint32_t page);


/* ---- cx_edge.c ---- */

void cx_edge_signal(cx_edge_t *e, int signal, unsigned count, uint32_t page,
    uint32_t target, uint32_t value);


/* ---- cx_edge_path.c: rules about the way from view to view ---- */

/* s is a page, not yet among the views; may add to e->flags */
void cx_edge_path(cx_edge_t *e);


/* ---- cx_edge_form.c: rules about posts, forms and searches ---- */

/* s is a post that was answered with a page or a redirect */
void cx_edge_post(cx_edge_t *e);

/* s is a page */
void cx_edge_form(cx_edge_t *e);
void cx_edge_search(cx_edge_t *e);

#endif /* CX_VISIT_H */
