/* cxctl replay: the edge's rules on the lines of an access log. */

#ifndef CXCTL_REPLAY_H
#define CXCTL_REPLAY_H

#include "cx_agg_map.h"
#include "cxctl.h"
#include "cxctl_log.h"
#include "cx_edge.h"

#define CX_REPLAY_PAGES   20000          /* distinct; more are (other) */
#define CX_REPLAY_VISITS  500000         /* open at a time */
#define CX_REPLAY_TOLD    5              /* lines not understood that are
                                            shown */

/* ---- cxctl_map.c: things by 64-bit keys ---- */

typedef struct {
    cx_agg_node_t  node;
    uint64_t       key;
} cx_item_t;

cx_item_t *cx_map_find(const cx_agg_map_t *m, uint64_t key);
void cx_map_add(cx_agg_map_t *m, cx_item_t *item);
void cx_map_free(cx_agg_map_t *m);


/* ---- what comes of the log ---- */

typedef struct {
    cx_item_t    item;                   /* by the page's checksum */
    cx_str_t     name;
    cx_rollup_t  sum;
    cx_score_t   score;
    double       by;
    int          ranked;
} cx_rpage_t;

typedef struct cx_rvisit_s  cx_rvisit_t;
typedef struct cx_runit_s   cx_runit_t;

/* an open visit to the site */
struct cx_rvisit_s {
    cx_item_t     item;                  /* by address, user agent and host */
    cx_rvisit_t  *older, *newer;
    int64_t       last;
    uint32_t      serial;
    int           paged;                 /* not only assets */
    cx_runit_t   *units;
    cx_visit_t    state;
};

/* an open visit to a page */
struct cx_runit_s {
    cx_item_t      item;                 /* by the visit's serial and page */
    cx_runit_t    *next;                 /* of the same visit */
    cx_rpage_t    *page;
    int64_t        last;
    unsigned char  count[CX_SIG_N];      /* capped */
};

/* L(id, name in JSON, what, as the text has it) */

#define CX_REPLAY_LINES(L)                                                    \
    L(READ, "read", "lines")                                                  \
    L(BAD, "not_understood", "not understood")                                \
    L(VIEW, "views", "page views")                                            \
    L(REDIRECT, "redirects", "redirects")                                     \
    L(ASSET, "assets", "images, scripts, styles and fonts")                   \
    L(OTHER, "other", "other files, methods and answers")                     \
    L(NONE, "no_request", "without a request")                                \
    L(PREFETCH, "prefetched", "prefetched")                                   \
    L(BOT, "bots", "by bots")                                                 \
    L(HEALTH, "health_checks", "by health checks")                            \
    L(IGNORED, "ignored", "ignored")

enum {
#define CX_REPLAY_ID(id, name, what)  CX_REPLAY_##id,
    CX_REPLAY_LINES(CX_REPLAY_ID)
#undef CX_REPLAY_ID
    CX_REPLAY_N
};

typedef struct {
    const char  *file;
    uint64_t     line;
    const char  *why;
} cx_replay_bad_t;

typedef struct {
    cx_ctl_t         *ctl;
    cx_tuning_t       tuning;
    unsigned          has;               /* CX_LOG_*, of any line */
    uint64_t          lines[CX_REPLAY_N];
    cx_replay_bad_t   bad[CX_REPLAY_TOLD];
    uint64_t          backwards;         /* times that time went back */
    uint64_t          visits;            /* to the site */
    uint64_t          evicted;           /* of these, closed for want of room */
    int64_t           first, last, now;  /* Unix ms */
    const char       *host;              /* own one, guessed */
    uint32_t          serial;
    cx_agg_map_t      by_visitor;
    cx_agg_map_t      units;
    cx_agg_map_t      pages;
    cx_rpage_t       *other;             /* NULL: not needed yet */
    cx_rvisit_t      *oldest, *newest;
    cx_rollup_t       total;
} cx_replay_t;


/* ---- cxctl_replay_guess.c ---- */

/* finds the own host from the beginning of logs: referers whose page is
   asked for there */
typedef struct cx_guess_s  cx_guess_t;

cx_guess_t *cx_guess_begin(void);
/* takes the lines in the log's buffer, which stay; returns Unix ms of the
   first one that is understood, -1: none is */
int64_t cx_guess_take(cx_guess_t *g, const cx_log_t *l, int format);
/* a copy, or NULL: no referer says; frees g */
char *cx_guess_end(cx_guess_t *g);


/* ---- cxctl_replay_step.c: a line as the module would have seen it ---- */

/* CX_STEP_*, or -1: what the module does not look at */
int cx_replay_kind(const cx_line_t *f);

/* page key of an address, CX_PAGE_MAX bytes; returns the length */
size_t cx_replay_fold(unsigned char *dst, const cx_str_t *uri);

/* host[:port] of an http or https address, else len 0; *path begins behind */
void cx_replay_host(const cx_str_t *url, cx_str_t *host, cx_str_t *path);

/* a host without "www." */
cx_str_t cx_replay_bare(const cx_str_t *host);

/* s, page and ref (both CX_PAGE_MAX bytes) from f; len 0: no such page */
void cx_replay_facts(const cx_replay_t *p, cx_step_t *s, const cx_line_t *f,
    int kind, cx_str_t *page, cx_str_t *ref);

/* 1 if the pattern, in which * stands for any text, is all of s */
int cx_replay_glob(const char *pattern, const unsigned char *s, size_t len);

/* ---- cxctl_replay_visit.c ---- */

/* a step of the visit that the line belongs to */
void cx_replay_take(cx_replay_t *p, const cx_line_t *f, int kind);

/* closes visits that nothing came of for 30 minutes before now; all: any */
void cx_replay_idle(cx_replay_t *p, int64_t now, int all);

void cx_replay_free(cx_replay_t *p);

/* ---- cxctl_replay_out.c ---- */

void cx_replay_print(cx_replay_t *p);

#endif /* CXCTL_REPLAY_H */
