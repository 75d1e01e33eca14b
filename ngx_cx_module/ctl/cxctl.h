/* Internals of cxctl: read-only questions to what the aggregator made. */

#ifndef CXCTL_H
#define CXCTL_H

#include <jansson.h>
#include "cx_agg_redis.h"
#include "cx_score.h"
#include "cx_signal.h"

enum { CX_CTL_OK, CX_CTL_BAD, CX_CTL_ERROR };    /* exit status */

#define CX_CTL_ROLES  64             /* --form, --search, ...; --site-host */

/* pages that an option names: CX_ROLE_*, 0 for --ignore */
typedef struct {
    char        *pattern;
    const char  *arg;                    /* of a search */
    int          role;
} cx_ctl_role_t;

/* a shard, or the site itself as far as it was not split */
typedef struct {
    char             text[CX_SHARD_MAX + 1];
    cx_str_t         name;
    int              shard;              /* -1: the site itself */
} cx_ctl_part_t;

typedef struct cx_ctl_sent_s  cx_ctl_sent_t;     /* cxctl_ask.c */

typedef struct {
    cx_redis_t      *redis;              /* whom the last command went to */
    cx_node_t       *node;               /* its node; NULL: there is none */
    cx_redis_t       none;               /* instead, if there is none */
    cx_node_t        away;               /* where a slot has moved to */
    cx_redis_t      *failed;             /* whose error the last one is */
    cx_ctl_sent_t   *sent;               /* not answered yet, in order */
    cx_ctl_sent_t  **sent_last;
    unsigned         moved:1;            /* a slot has: ask who has which */
    cx_reply_t       reply;
    cx_nodes_t       nodes;
    cx_redis_target_t target;
    char            *words;              /* that the target points into */
    cx_str_t         site;               /* in hand: keys are of it */
    cx_str_t         whole;              /* the one that is asked about */
    cx_ctl_part_t    part[CX_SHARDS_MAX + 1];
    unsigned         parts;
    unsigned         split:1;            /* into shards */
    unsigned         known:1;            /* has a stream, or was counted */
    char           **sites;
    unsigned         n_sites;
    int              gran;
    int64_t          window;
    const char      *arg;                /* the first, of "page" */
    char           **args;               /* all of them */
    unsigned         n_args;
    cx_tuning_t      tuning;
    cx_ctl_role_t    role[CX_CTL_ROLES]; /* of "replay" */
    unsigned         n_roles;
    const char      *host[CX_CTL_ROLES];
    unsigned         n_hosts;
    const char      *file;               /* of "surveys why"; NULL: not said,
                                            as all that follow */
    const char      *lang;
    const char      *touchpoint;
    const char      *stage;
    const char      *segment;
    const char      *device;
    const char      *visitors;
    const char      *secret;             /* of "link" */
    const char      *prefix;
    long             days;               /* 0: not said */
    int              format;             /* CX_LOG_* */
    long             limit;              /* 0: all */
    long             max;                /* s, of "lag" */
    long             max_entries;        /* of "lag"; -1: any */
    long             max_rejected;
    int              by;                 /* CX_RANK_*, or -1: views */
    unsigned         json:1;
    unsigned         markdown:1;
    unsigned         prometheus:1;
} cx_ctl_t;

/* a page with all that is stored about it in the window */
typedef struct {
    cx_str_t         name;               /* a copy */
    int64_t          views;              /* of the index */
    int              part;               /* that has it, or one of them */
    int64_t          visitors;
    cx_score_t       score;
    int              ranked;
    double           by;
} cx_ctl_page_t;


/* ---- cxctl_ask.c: questions to Redis; -1 has been said on stderr ---- */

/* later commands go to this node, until they are about a site */
void cx_ctl_use(cx_ctl_t *c, cx_node_t *node);

/* to the node of the site in hand, for cx_ctl_get() */
void cx_ctl_node(cx_ctl_t *c);

/* reads what is still to come, after an error; or does without it */
void cx_ctl_drain(cx_ctl_t *c);
void cx_ctl_drop(cx_ctl_t *c);

/* queues a command: an argument count, then strings; for the node of the site
   in hand.  That none is there is said by cx_ctl_get() */
void cx_ctl_ask(cx_ctl_t *c, unsigned args, ...);

/* the next reply, in c->reply; a slot that moves is followed */
int cx_ctl_get(cx_ctl_t *c);

/* the same, but -1 is not said; and saying it, -1 */
int cx_ctl_take(cx_ctl_t *c);
int cx_ctl_say(const cx_ctl_t *c);


/* ---- cxctl_read.c: what they say; -1 has been said on stderr ---- */

/* a key of the site, with a NUL, in a buffer of CX_KEY_MAX + 1 bytes */
char *cx_ctl_key(cx_ctl_t *c, char *dst, int key, int gran, int64_t window,
    const cx_str_t *name);

/* c->reply, a hash, as counters or figures; unknown fields are left out */
void cx_ctl_rollup(cx_ctl_t *c, cx_rollup_t *r);
void cx_ctl_score(cx_ctl_t *c, cx_score_t *s);

/* value of a field of the hash in c->reply, "" if it has none */
const char *cx_ctl_field(cx_ctl_t *c, const char *name);
int64_t cx_ctl_number(cx_ctl_t *c, const char *name);

/* c->reply is the index with scores; a list, its pages named; free by _free */
cx_ctl_page_t *cx_ctl_pages(cx_ctl_t *c, size_t *n);
void cx_ctl_pages_free(cx_ctl_page_t *p, size_t n);

/* a name into c->sites, once */
void cx_ctl_site_add(cx_ctl_t *c, const cx_str_t *name);

/* sites that have a stream or a checkpoint, sorted, into c->sites */
int cx_ctl_find_sites(cx_ctl_t *c);

typedef struct {
    int      gran;
    int64_t  window;
} cx_ctl_window_t;

/* windows of the site in hand that have counters, appended to a list */
int cx_ctl_windows(cx_ctl_t *c, cx_ctl_window_t **list, size_t *n);

/* XINFO STREAM: 0, 1 there is none, -1 */
typedef struct {
    int64_t  length;
    int64_t  added;              /* -1: not told */
    char     first[48];          /* "": no entry */
    char     last[48];
} cx_ctl_stream_t;

int cx_ctl_stream(cx_ctl_t *c, cx_ctl_stream_t *s);

/* -1, 0, 1: order of two entry ids */
int cx_ctl_id_order(const char *a, const char *b);


/* ---- cxctl_site.c: a site of many shards as if it were one ---- */

/* finds the parts of a site and takes it in hand; 0, or -1 (said) */
int cx_ctl_parts(cx_ctl_t *c, const char *site);

/* takes a part in hand, -1: the whole, which has figures and ranks */
void cx_ctl_part(cx_ctl_t *c, int i);

/* counters summed over the parts: how many have any, or -1; to be freed */
int cx_ctl_sum(cx_ctl_t *c, cx_rollup_t *sum, int key, int gran,
    int64_t window, const cx_str_t *name);

/* distinct visits of a page or, with CX_KEY_EVERYBODY, the site; or -1 */
void cx_ctl_ask_visitors(cx_ctl_t *c, int key, const cx_str_t *name);
int64_t cx_ctl_get_visitors(cx_ctl_t *c);

/*
 * A list of names with numbers, added up over the parts, highest first, at
 * most limit, 0: all; to be freed by cx_ctl_pages_free(), NULL on error.
 */
cx_ctl_page_t *cx_ctl_index(cx_ctl_t *c, int key, int gran, int64_t window,
    long limit, size_t *n);


/* ---- cxctl_out.c: tables and JSON ---- */

typedef struct {
    unsigned   columns;
    unsigned   rows;
    char     **cell;             /* row by row, the first are the heads */
    unsigned   size;
} cx_table_t;

/* "<" or ">" before each head: text, number */
void cx_table_begin(cx_table_t *t, unsigned columns, const char *const *head);
void cx_table_add(cx_table_t *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cx_table_print(cx_table_t *t);      /* and frees */
void cx_table_free(cx_table_t *t);

/* text of visitors made harmless for a terminal; freed by the caller */
char *cx_ctl_safe(const char *s, size_t len);

/* cxctl_width.c: columns of UTF-8 text on a terminal */
size_t cx_ctl_width(const char *text);

/* the same: takes off a character that was cut at the end */
void cx_ctl_whole(char *text);

/* words in lines of 80 columns, indented by four */
void cx_ctl_wrap(const char *text);

/* "2026-11-21 21:48:03" in UTC, dst 32 bytes */
char *cx_ctl_time(char *dst, int64_t ms);

/* "62 (55..70)" or "-", dst 64 bytes; figure's bounds follow it */
char *cx_ctl_figure(char *dst, const cx_score_t *s, int figure);
char *cx_ctl_plain(char *dst, const cx_score_t *s, int figure);

void cx_json_score(json_t *o, const cx_score_t *s);
json_t *cx_json_text(const char *s, size_t len);
void cx_json_print(json_t *o);           /* and frees */
void cx_json_print_line(json_t *o);      /* the same, on one line */


/* ---- cxctl_signals.c ---- */

/* reads a file of thresholds into c->tuning; 0, or -1 (said) */
int cx_ctl_tuning(cx_ctl_t *c, const char *file);


/* ---- cxctl_replay_args.c: options of "replay" ---- */

/* 0, -1 (said), or 1: it is another command's */
int cx_replay_option(cx_ctl_t *c, const char *name, char *value);
void cx_replay_help(void);


/* ---- cxctl_survey_args.c: options of "surveys why" and "link" ---- */

/* 0, -1 (said), or 1: it is another command's */
int cx_survey_option(cx_ctl_t *c, const char *name, const char *value);


/* ---- cxctl.c ---- */

/* connects; with one, takes the site in hand that is named, or the only one
   that there is; 0, or -1 (said) */
int cx_ctl_open(cx_ctl_t *c, int one);


/* ---- commands: exit status ---- */

int cx_ctl_cmd_pages(cx_ctl_t *c);
int cx_ctl_cmd_page(cx_ctl_t *c);
int cx_ctl_cmd_surveys(cx_ctl_t *c);
int cx_ctl_cmd_why(cx_ctl_t *c);
int cx_ctl_cmd_link(cx_ctl_t *c);
int cx_ctl_cmd_verbatims(cx_ctl_t *c);
int cx_ctl_cmd_tail(cx_ctl_t *c);
int cx_ctl_cmd_lag(cx_ctl_t *c);
int cx_ctl_cmd_check(cx_ctl_t *c);
int cx_ctl_cmd_signals(cx_ctl_t *c);
int cx_ctl_cmd_replay(cx_ctl_t *c);

/* says what is wrong with an option or argument; -1 */
int cx_ctl_bad(const char *what, const char *value, const char *expected);

#endif /* CXCTL_H */
