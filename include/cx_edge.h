/*
 * Edge signals: what the requests of one visit say, without JavaScript.  Pure:
 * no nginx, no clock, no I/O, no allocation.  The module runs the rules in the
 * log phase, on state in shared memory; "cxctl replay" runs the same on the
 * lines of an access log.  O(1) a request.
 */

#ifndef CX_EDGE_H
#define CX_EDGE_H

#include <stdint.h>
#include "cx_signal.h"

#define CX_VIEWS_KEPT   6            /* last page views of a visit */
#define CX_EDGE_OUT     8            /* most signals of one request */
#define CX_SEARCH_KEPT  3            /* queries before the current one */
#define CX_AUTH_KEPT    3
#define CX_FAIL_KEPT    4

/*
 * Pages and addresses are told apart by 32-bit checksums, 0 for none: the
 * text of an address or a query is never kept.  Times are ms since the visit
 * was opened.
 */

/* a page view as the edge saw it */
typedef struct {
    uint32_t  at;                    /* request's first byte */
    uint32_t  page;                  /* page key; 0: empty slot */
    uint32_t  uri;                   /* address with query */
    uint32_t  path;                  /* address without query */
    uint32_t  view;                  /* start of the browser's view id; 0: the
                                        browser has not reported yet */
    uint32_t  request_ms;
    uint32_t  first_ms;              /* CX_NO_MS: no answer */
    uint32_t  upstream_ms;           /* CX_NO_MS: no upstream */
    unsigned  status:16;
    unsigned  cache:4;               /* nginx's cache status, 0: none */
    unsigned  flags:12;              /* CX_VIEW_IS_* */
} cx_seen_t;

#define CX_NO_MS  0xffffffff

enum {
    CX_VIEW_IS_POST    = 0x001,
    CX_VIEW_IS_ABORTED = 0x002,      /* an aborted_wait */
    CX_VIEW_IS_PENDING = 0x004,      /* prefetched: no view until the browser
                                        shows it */
    CX_VIEW_IS_AUTO    = 0x008,      /* no person asked for it */
    CX_VIEW_IS_LEFT    = 0x010,      /* its first leave was taken */
    CX_VIEW_IS_SLOW    = 0x020,      /* unresponsive was told */
    CX_VIEW_IS_LATE    = 0x040,      /* late_paint was told */
    CX_VIEW_IS_SHIFTED = 0x080,      /* layout_shift was told */
    CX_VIEW_IS_CUT     = 0x100,      /* given up at once: a double click */
    CX_VIEW_IS_USED    = 0x200,      /* counted by a reload or a loop, or left
                                        for a page that no request tells of */
    CX_VIEW_IS_BACK    = 0x400       /* the way back of A, B, A */
};

/* what is remembered of a visit */
typedef struct {
    uint64_t   opened;               /* Unix time in ms; 0: never used */
    uint64_t   pages;                /* set of pages it was served, by hash:
                                        may say yes too often, never no */
    uint32_t   last;                 /* last request or beacon */
    cx_seen_t  view[CX_VIEWS_KEPT];  /* ring, by next */
    uint32_t   post_uri;             /* the last post; 0: none that was
                                        answered */
    uint32_t   post_at;              /* when it was finished */
    uint32_t   post_len;             /* bytes of its body */
    uint32_t   query[CX_SEARCH_KEPT], query_at[CX_SEARCH_KEPT];
    uint32_t   auth_at[CX_AUTH_KEPT];
    uint32_t   failure[CX_FAIL_KEPT];  /* address ^ status; 0: none */
    uint32_t   form, form_at;        /* page with a form that waits for its
                                        post */
    uint32_t   trouble, trouble_at;  /* page of the last failure */
    uint32_t   redirect_at;          /* end of the last redirect */
    uint16_t   post_status;
    uint8_t    next;                 /* of view, to be overwritten */
    uint8_t    queries, auths;       /* in use */
    uint8_t    fail_next, redirects;
    uint8_t    fail_well;            /* bits of failure[]: something went well
                                        since */
    uint8_t    count[CX_SIG_N];      /* of the visit so far; stays at 255 */
} cx_visit_t;

/* one finished request */
typedef struct {
    uint64_t  start;                 /* Unix time in ms of its first byte */
    uint64_t  end;                   /* ... and when it was finished */
    uint32_t  page;                  /* its page key */
    uint32_t  uri;                   /* its address with query, host left out */
    uint32_t  path;                  /* its address without query */
    uint32_t  ref;                   /* page key of the page of this site that
                                        linked to it or uses it; 0: none */
    uint32_t  query;                 /* CX_ROLE_SEARCH: what was asked for, in
                                        lower case; 0: nothing */
    uint32_t  first_ms;              /* CX_NO_MS: no answer */
    uint32_t  upstream_ms;           /* CX_NO_MS: none */
    uint32_t  body;                  /* bytes of the request's body */
    uint16_t  status;
    uint8_t   cache;
    uint8_t   role;                  /* CX_ROLE_* of its page */
    unsigned  kind:2;                /* CX_STEP_* */
    unsigned  post:1;                /* else GET */
    unsigned  aborted:1;             /* closed before it was complete */
    unsigned  limited:1;             /* refused by limit_req or limit_conn */
    unsigned  told:1;                /* the browser sends Sec-Fetch-* */
    unsigned  user:1;                /* Sec-Fetch-User: ?1 */
    unsigned  pending:1;             /* prefetch or prerender */
} cx_step_t;

enum {
    CX_STEP_PAGE,                    /* a page, or an error instead of one */
    CX_STEP_REDIRECT,                /* 3xx instead of a page (not 304) */
    CX_STEP_ASSET,                   /* image, script, style, font: told only
                                        when it failed */
    CX_STEP_POST                     /* a post by a script that went well: says
                                        only that a form was sent */
};

enum { CX_ROLE_FORM = 1, CX_ROLE_HELP = 2, CX_ROLE_SEARCH = 4 };

/* a signal that came of it */
typedef struct {
    int       signal;                /* CX_SIG_* */
    unsigned  count;
    uint32_t  page;                  /* where the effort was; never 0 */
    uint32_t  target;                /* another page that says more; 0: none */
    uint32_t  value;                 /* by signal, see cx_schema.h; none in
                                        navigation_loop and form_abandon */
    uint64_t  at;                    /* Unix time in ms it belongs to */
} cx_edge_signal_t;

/* checksum for the fields above: never 0 unless both are; h: 0, or another
   one that goes before it, which stays as it is if len is 0 */
uint32_t cx_edge_id(uint32_t h, const void *data, unsigned long len);

/*
 * Takes one finished request of a visit into v, zeroed: a new one.  Requests
 * come in the order they finished.  After CX_SESSION_IDLE_S the visit is
 * closed and v begins a new one.  Returns the number of signals in out, at
 * most CX_EDGE_OUT; all are counted in v->count.
 */
unsigned cx_edge_step(cx_visit_t *v, const cx_step_t *s,
    const cx_tuning_t *t, cx_edge_signal_t *out);

/* 1 if nothing came of the visit for CX_SESSION_IDLE_S */
int cx_edge_idle(const cx_visit_t *v, uint64_t now);

/*
 * The visit has ended: what only its end says (form_abandon).  Returns 0 or 1
 * signals; v is then as new.
 */
unsigned cx_edge_close(cx_visit_t *v, const cx_tuning_t *t,
    cx_edge_signal_t *out);

/*
 * The view that a browser's report is about: the one already bound to this
 * view id, else the nearest one of this page that is not bound and was asked
 * for within 30 s of began (Unix ms; 0: by no request, so none), or up to 5 min
 * before it if it is PENDING; bound from now on.  NULL: the edge has not seen
 * it, or no more knows.  Valid until the next step or join.
 *
 * A view by no request, as from the back-forward cache, also ends what was
 * asked for in a row.
 */
cx_seen_t *cx_edge_join(cx_visit_t *v, uint32_t page, uint32_t view,
    uint64_t began);

/* the browser shows a PENDING view: from now on it is one like others */
void cx_edge_show(cx_visit_t *v, cx_seen_t *view);

/* 1 if the edge has served this page in this visit (or, rarely, another) */
int cx_edge_saw(const cx_visit_t *v, uint32_t page);

/*
 * The browser came back to page a from the back-forward cache after ms: page b
 * that it came back from, the last one asked for since.  0: none of this site.
 */
uint32_t cx_edge_back(const cx_visit_t *v, uint32_t a, uint32_t ms,
    uint64_t now);

/* n more of a signal in this visit */
void cx_edge_count(cx_visit_t *v, int signal, unsigned long n);

/*
 * The visit's signals as text, "rage_click=2,slow_page=1", by order of the
 * table; "" without any.  dst holds CX_COUNTS_MAX bytes.  Returns the length.
 */
#define CX_COUNTS_MAX  (CX_SIG_N * 24)
unsigned long cx_edge_counts(char *dst, const uint8_t *count);

#endif /* CX_EDGE_H */
