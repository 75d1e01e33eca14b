/*
 * Internals of cx-aggregator.
 *
 *   stream -> load -> fold -> ops -> commit -> rank
 *
 * One model per site in memory: open visits, windows with their pages, recent
 * answers.  It says what Redis holds at the committed checkpoint plus what was
 * folded since; a commit writes the difference and moves the checkpoint in one
 * transaction, if nobody else moved it.  Whenever anything fails, the model is
 * thrown away and made again from Redis.
 */

#ifndef CX_AGG_H
#define CX_AGG_H

#include "cx_agg_map.h"
#include "cx_agg_redis.h"
#include "cx_keys.h"
#include "cx_rollup.h"
#include "cx_score.h"

#define CX_AGG_REJECTED_MAX    10000     /* entries kept in cx:{}:rejected */
#define CX_AGG_SURVEYS_MAX     200       /* distinct surveys in a window */
#define CX_AGG_FUTURE_MS       86400000  /* a clock may be ahead that much */
#define CX_AGG_SHARDS          16        /* of the open visits */
#define CX_AGG_VISITS_HOURS    3         /* hours of them that are read */
#define CX_AGG_VISITS_TTL      14400     /* s, after the last write */
#define CX_AGG_OPS_MAX         60000     /* arguments of a commit, about: Redis
                                            is busy with them for 10 ms */


/* ---- cx_agg_log.c ---- */

enum { CX_LOG_ERROR, CX_LOG_WARN, CX_LOG_INFO, CX_LOG_DEBUG };

extern int  cx_agg_log_level;

void cx_agg_log(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* level by name, or -1 */
int cx_agg_log_find(const char *name);


/* ---- cx_agg_conf.c ---- */

typedef struct {
    char           **site;       /* none: discovered */
    unsigned         sites;
    int64_t          batch;      /* entries a commit */
    int64_t          interval;   /* ms between commits */
    int64_t          score;      /* ms between scorings */
    int64_t          keep_hours; /* ms, as all that follow */
    int64_t          keep_days;
    int64_t          keep_answers;
    int64_t          keep_stream;
    int64_t          pages;      /* distinct pages in a window */
    int64_t          timeout;    /* ms, of Redis */
    int64_t          log_level;
    unsigned         once:1;
    unsigned         rebuild:1;
    cx_redis_target_t redis;     /* points into redis_words */
    char            *redis_words;
    char            *thresholds; /* file; NULL: none */
    cx_tuning_t      tuning;     /* what it says, or the defaults */
} cx_agg_conf_t;

/*
 * Defaults, file, environment, flags.  0: go on; 1: done, end with status 0
 * (--help, --version, --check-config); -1: said what is wrong.
 */
int cx_agg_conf(cx_agg_conf_t *conf, int argc, char **argv);
void cx_agg_conf_free(cx_agg_conf_t *conf);


/* ---- cx_agg_tuning.c: the file of thresholds that nginx reads, too ---- */

/*
 * Reads a file into t, which holds the defaults.  0, or -1 and why: file,
 * line, what stands there and what was expected.
 */
int cx_agg_tuning(cx_tuning_t *t, const char *file, char *why, size_t size);

/* what differs from the defaults, a line each, to stdout */
void cx_agg_tuning_show(const cx_tuning_t *t);


/* ---- cx_agg_state.c: the model of a site ---- */

typedef struct cx_agg_window_s  cx_agg_window_t;
typedef struct cx_agg_cell_s  cx_agg_cell_t;
typedef struct cx_agg_unit_s  cx_agg_unit_t;

/* one rollup hash: of a page, a survey or the site */
struct cx_agg_cell_s {
    cx_agg_node_t     node;              /* key: page or survey */
    cx_agg_window_t  *window;
    cx_rollup_t       roll;
    cx_agg_cell_t    *next_changed;
    cx_agg_cell_t    *next_dirty;
    cx_agg_unit_t   **visitor;           /* new since the last commit */
    unsigned          visitors;
    unsigned char     kind;              /* CX_KEY_PAGE, _SURVEY, _TOTAL */
    unsigned          loaded:1;          /* roll is what Redis has, or more */
    unsigned          asked:1;           /* loading */
    unsigned          stored:1;          /* the hash exists and expires */
    unsigned          scored:1;          /* the same of its score */
    unsigned          visited:1;         /* the same of its HyperLogLog */
    unsigned          changed:1;         /* in the window's list */
    unsigned          dirty:1;           /* in the site's list */
    unsigned          marked:1;          /* in cx:{}:dirty */
};

struct cx_agg_window_s {
    cx_agg_window_t  *next;
    int               gran;
    int64_t           window;
    int64_t           start;             /* Unix time in ms */
    int64_t           expires;           /* Unix time in ms */
    uint64_t          used;              /* tick of the last use */
    cx_agg_map_t      page;
    cx_agg_map_t      survey;
    size_t            pages;             /* without (other) */
    size_t            surveys;
    cx_agg_cell_t    *total;
    cx_agg_cell_t    *changed;
    cx_agg_cell_t    *recent;            /* found last */
    unsigned          dirty;             /* cells to be scored */
    unsigned          loaded:1;
    unsigned          asked:1;
    unsigned          stored:1;          /* its index exists and expires */
    unsigned char     ranked;            /* the same of its ranks, by bit */
    unsigned          satisfied:1;       /* the site's share has changed */
};

typedef struct cx_agg_session_s  cx_agg_session_t;

/* a visit to a page */
struct cx_agg_unit_s {
    cx_agg_node_t      node;             /* key: "<visit> <page>" */
    int64_t            opened;           /* ms; 0: never seen */
    int64_t            last;             /* ms */
    cx_agg_unit_t     *next_changed;
    cx_agg_session_t  *session;          /* see cx_agg_session() */
    unsigned char      visit_len;
    unsigned char      shard;
    unsigned char      flags;
    unsigned char      count[CX_SIG_N];  /* capped */
    unsigned           loaded:1;
    unsigned           asked:1;
    unsigned           changed:1;
};

#define CX_UNIT_OTHER    2               /* << CX_HOUR or CX_DAY */

/* the last or the worst page of a visit to the site */
typedef struct {
    cx_str_t       page;                 /* copy */
    int            friction;             /* x of the visit to the page, in
                                            thousandths; 0: not counted */
    int64_t        opened;               /* when that began, ms */
    unsigned char  other;                /* where it is (other), 1 << gran */
} cx_agg_moment_t;

/* a visit to the site */
struct cx_agg_session_s {
    cx_agg_node_t      node;             /* key: "<visit>" */
    int64_t            opened;           /* ms; 0: never seen */
    int64_t            last;             /* ms, up to CX_AGG_COARSE_MS old */
    int64_t            viewed;           /* ms, ts of the last view */
    cx_agg_moment_t    end;
    cx_agg_moment_t    peak;
    cx_agg_session_t  *next_changed;
    unsigned           generation;       /* of the site, when last used */
    unsigned char      shard;
    unsigned           loaded:1;
    unsigned           asked:1;
    unsigned           changed:1;
};

/* so that an event that changes nothing else is not written */
#define CX_AGG_COARSE_MS  60000

typedef struct cx_agg_answer_s  cx_agg_answer_t;

struct cx_agg_answer_s {
    cx_agg_node_t     node;              /* key: answer id */
    cx_str_t          v[CX_ANSWER_N];    /* copies, by field position */
    int64_t           ts;
    int64_t           said;              /* ts of its latest event */
    int               field;             /* CX_R_NPS_0 ... of its score, or
                                            CX_AGG_SCORE_NONE */
    unsigned char     other;             /* 1 << CX_HOUR, CX_DAY, 4 survey */
    cx_agg_answer_t  *next_changed;
    unsigned          loaded:1;
    unsigned          asked:1;
    unsigned          exists:1;
    unsigned          changed:1;
    unsigned          text:1;            /* has got text since the commit */
    unsigned          fresh:1;           /* was given since the commit */
};

#define CX_ANSWER_OTHER_SURVEY  4

typedef struct cx_agg_definition_s  cx_agg_definition_t;

typedef struct cx_agg_site_s  cx_agg_site_t;
typedef struct cx_agg_host_s  cx_agg_host_t;

/* who works on a site or shard; times are of cx_monotonic() */
typedef struct {
    int64_t               at;            /* asked last; 0: never */
    int64_t               free_at;       /* nobody's since then; 0: it is */
    int64_t               kept_at;       /* taken as nobody else did; or 0 */
    unsigned              alive;         /* aggregators seen there, with us;
                                            0: unknown */
    unsigned              held:1;        /* ours, as far as we know */
    unsigned              want:1;        /* to be taken if it is free */
    unsigned              soon:1;        /* ask at once */
    unsigned              asked:1;       /* a reply is to come */
    unsigned              standby:1;     /* said that another one has it */
} cx_agg_lease_t;

/* a site, or a shard of one, which is a site of its own to all but scores */
struct cx_agg_site_s {
    cx_agg_site_t        *next;
    const cx_agg_conf_t  *conf;
    cx_str_t              name;
    cx_str_t              parent;        /* the site of a shard; else: name */
    int                   shard;         /* its number; -1: is no shard */
    cx_agg_host_t        *host;          /* where it is now; NULL: unknown */
    cx_agg_lease_t        lease;
    char                  id[48];        /* committed checkpoint */
    char                  at[48];        /* last entry folded */
    char                  tip[48];       /* last one of the stream, as seen */
    int64_t               life[CX_LIFE_N];
    int64_t               counted;       /* entries of life, as committed */
    int64_t               gaps;          /* the same of gaps */
    int64_t               base;          /* gone before the first commit */
    int64_t               behind;        /* left out of a stream that fell back,
                                            if only its length is known; -1:
                                            never */
    int64_t               hour;          /* of the stream, ms / 3600000 */
    int                   schema;        /* of the rollups, CX_AGG_SCHEMA() */

    cx_agg_window_t      *window;
    uint64_t              tick;
    cx_agg_map_t          unit;
    cx_agg_map_t          old_unit;      /* dropped when unit is full */
    cx_agg_map_t          session;
    cx_agg_map_t          old_session;   /* together with old_unit */
    unsigned              generation;    /* times that they were dropped */
    cx_agg_map_t          answer;
    cx_agg_unit_t        *units_changed;
    cx_agg_session_t     *sessions_changed;
    cx_agg_answer_t      *answers_changed;
    cx_agg_map_t          definition;    /* see cx_agg_quota.h */
    cx_agg_definition_t  *definitions_changed;
    cx_agg_map_t          quota;         /* its fields that are of a day */
    int64_t               quota_day;     /* ms, begin of the day when old ones
                                            were removed; 0: not yet */
    cx_agg_cell_t        *dirty;

    /* shards of open visits that were there before us */
    int64_t               pre_hour;
    unsigned char         pre[CX_AGG_VISITS_HOURS][CX_AGG_SHARDS];
    int64_t               shard_hour;    /* of shard_at */
    int64_t               shard_at[CX_AGG_SHARDS];   /* EXPIRE was set, by
                                            cx_monotonic(); 0: never */

    cx_buf_t              ops;           /* commands of the next commit */
    unsigned              commands;      /* in ops */
    unsigned              changes;       /* rough number of arguments */
    int64_t               pending;       /* entries folded, uncommitted */

    /* of cx_monotonic() */
    int64_t               pending_since;
    int64_t               committed_at;
    int64_t               scored_at;
    int64_t               gap_at;        /* looked for a gap; 0: do */
    int64_t               refused_at;    /* said that an entry was refused */
    int64_t               noted_at;      /* tried to note the shard */
    int64_t               waits_at;      /* figures of a split site could not
                                            be made since then; 0: can */
    int64_t               retry_at;      /* not before, after trouble */
    int64_t               trouble_at;    /* 0: none */
    int64_t               backoff;       /* ms */

    unsigned              based:1;       /* base is known */
    unsigned              ready:1;       /* the model is loaded */
    unsigned              stale:1;       /* cx:{}:dirty was not read yet */
    unsigned              drained:1;     /* less came than was asked for */
    unsigned              newer:1;       /* schema is not ours: left alone */
    unsigned              told:1;        /* that it is */
    unsigned              noted:1;       /* the shard, in cx:{site}:shards */
    unsigned              complained:1;  /* of its trouble */
    unsigned              split:1;       /* or a shard: figures are of sums */
    unsigned              refused:1;     /* entries, since the commit */
    unsigned              told_waits:1;  /* that figures wait */
};

cx_agg_site_t *cx_agg_site(const cx_agg_conf_t *conf, const cx_str_t *name);

/* throws the model away */
void cx_agg_site_reset(cx_agg_site_t *s);
void cx_agg_site_free(cx_agg_site_t *s);

/* the window of a time, created unloaded; NULL: no longer kept at now */
cx_agg_window_t *cx_agg_window(cx_agg_site_t *s, int gran, int64_t ms,
    int64_t now);

/* a cell of a window if it is known there, else NULL */
cx_agg_cell_t *cx_agg_cell_find(cx_agg_window_t *w, int kind,
    const cx_str_t *name);
cx_agg_cell_t *cx_agg_cell_add(cx_agg_window_t *w, int kind,
    const cx_str_t *name);

/* found or made; beyond the cap the (other) one */
cx_agg_cell_t *cx_agg_cell(cx_agg_site_t *s, cx_agg_window_t *w, int kind,
    const cx_str_t *name);
cx_agg_cell_t *cx_agg_cell_other(cx_agg_window_t *w, int kind);

/* puts a cell on the list of those that the next commit writes */
void cx_agg_cell_change(cx_agg_site_t *s, cx_agg_cell_t *c);
void cx_agg_cell_dirty(cx_agg_site_t *s, cx_agg_cell_t *c);
void cx_agg_cell_visitor(cx_agg_cell_t *c, cx_agg_unit_t *u);

/* found or made, not loaded if new */
cx_agg_unit_t *cx_agg_unit(cx_agg_site_t *s, const cx_str_t *visit,
    const cx_str_t *page);
cx_agg_answer_t *cx_agg_answer(cx_agg_site_t *s, const cx_str_t *id);
void cx_agg_unit_change(cx_agg_site_t *s, cx_agg_unit_t *u);
/*
 * The visit to the site that a visit to a page belongs to, found or made.  To
 * be asked for whenever the unit is: so it outlives all units that know it.
 */
cx_agg_session_t *cx_agg_session(cx_agg_site_t *s, cx_agg_unit_t *u);
void cx_agg_session_change(cx_agg_site_t *s, cx_agg_session_t *v);
void cx_agg_answer_set(cx_agg_answer_t *a, int field, const cx_str_t *v);

/* a shard's name in its key: the first hex digit of its visit keys */
cx_str_t cx_agg_shard(unsigned shard);

/* 1 if Redis may hold visits of this shard that are not in memory, in the
   bucket of that hour */
int cx_agg_visits_before(const cx_agg_site_t *s, unsigned shard,
    int64_t hour);

/* keeps the model bounded; only right after a commit */
void cx_agg_site_trim(cx_agg_site_t *s);


/* ---- cx_agg_fold.c: step 5, pure ---- */

/*
 * Counts one event.  All that it touches is loaded.  Returns NULL, or why the
 * entry is refused, and then nothing has changed.
 */
const char *cx_agg_fold(cx_agg_site_t *s, const cx_event_t *ev, int64_t now);

/* cx_agg_answer.c: CX_R_NPS_0 ... of an answer's score */
enum {
    CX_AGG_SCORE_NONE = -1,              /* its metric has none */
    CX_AGG_SCORE_BAD = -2                /* there is no such metric or score */
};

int cx_agg_score_field(const cx_str_t *metric, const cx_str_t *score);

/*
 * cx_agg_survey.c: "<survey>@<version>" as the rollups have it, "<survey>"
 * without a version, written to dst, CX_AGG_SURVEY_LEN bytes.  Of an event:
 * none if that is of no survey, or of several.
 */
#define CX_AGG_SURVEY_LEN  (CX_NAME_MAX + 1 + 8)

cx_str_t cx_agg_survey(char *dst, const cx_str_t *survey,
    const cx_str_t *version);
cx_str_t cx_agg_survey_of(char *dst, const cx_event_t *ev);

/*
 * The next survey of an offer's list, *at 0 at first: 1 if it was drawn into
 * the sample, 0 if not, or
 */
enum { CX_AGG_OFFER_END = -1, CX_AGG_OFFER_BAD = -2 };

int cx_agg_offer(cx_str_t *name, const cx_str_t *list, size_t *at);

/* text of an open visit in cx:{}:visits, dst 64 + CX_PATTERN_LEN bytes */
size_t cx_agg_unit_print(char *dst, const cx_agg_unit_t *u);
int cx_agg_unit_parse(cx_agg_unit_t *u, const cx_str_t *text);

/* cx_agg_session.c: the same of a visit to the site, CX_AGG_SESSION_LEN */
#define CX_AGG_SESSION_LEN  (9 * 21 + 2 * (CX_PAGE_MAX + 1))
size_t cx_agg_session_print(char *dst, const cx_agg_session_t *v);
int cx_agg_session_parse(cx_agg_session_t *v, const cx_str_t *text);


/* ---- cx_agg_quota.c: definitions and quotas of surveys ---- */

/* what a site's hashes say; 0, or -1 and r->error */
int cx_agg_surveys_load(cx_redis_t *r, cx_agg_site_t *s, cx_reply_t *reply);

/* both, as commands of the next commit; before the answers' own */
void cx_agg_surveys_ops(cx_agg_site_t *s, int64_t now);

/* cx_agg_survey_state.c: takes a definition for the next commit; 1 if it is
   news; and forgets all of them */
int cx_agg_definition(cx_agg_site_t *s, const cx_str_t *name,
    const cx_str_t *text);
void cx_agg_surveys_reset(cx_agg_site_t *s);


/* ---- cx_agg_load.c: what a batch touches, from Redis ---- */

/* 0, or -1 and r->error */
int cx_agg_load(cx_redis_t *r, cx_agg_site_t *s, const cx_event_t *ev,
    const char *const *refused, size_t n, int64_t now);

/* all pages of a window */
int cx_agg_load_pages(cx_redis_t *r, cx_agg_site_t *s, cx_agg_window_t *w);

/* index and total of a window */
int cx_agg_load_window(cx_redis_t *r, cx_agg_site_t *s, cx_agg_window_t *w);


/* ---- cx_agg_checkpoint.c ---- */

/* a version of the rollups as a number that can be compared */
#define CX_AGG_SCHEMA(major, minor)  ((major) * 1000 + (minor))

/* ours */
int cx_agg_schema(void);

/* of the text in a checkpoint; NULL or none: 1.0 */
int cx_agg_schema_parse(const cx_str_t *text);

/*
 * Reads the checkpoint and makes the site ready; 0, or -1 and r->error, or 1
 * if its rollups are of a newer major version, s->newer: we must not write.
 */
int cx_agg_load_site(cx_redis_t *r, cx_agg_site_t *s);


/* ---- cx_agg_ops.c: what differs, as commands ---- */

/* an operation of the next commit, and then its arguments */
void cx_agg_op(cx_agg_site_t *s, const char *command, size_t args);
void cx_agg_op_arg(cx_agg_site_t *s, const void *data, size_t len);
void cx_agg_op_text(cx_agg_site_t *s, const char *text);
void cx_agg_op_number(cx_agg_site_t *s, int64_t n);
void cx_agg_op_key(cx_agg_site_t *s, int key, const cx_agg_window_t *w,
    const cx_str_t *name);
void cx_agg_op_expire(cx_agg_site_t *s, int key, const cx_agg_window_t *w,
    const cx_str_t *name);

/* a member of cx:{}:dirty, dst CX_PAGE_MAX + 32 bytes; the length */
size_t cx_agg_dirty_print(char *dst, const cx_agg_cell_t *c);

/* sets an entry aside */
void cx_agg_reject(cx_agg_site_t *s, const char *why, const cx_str_t *id,
    const cx_str_t *pairs, size_t n);

/* everything that was changed since the last commit */
void cx_agg_ops(cx_agg_site_t *s, int64_t now);


/* ---- cx_agg_commit.c: step 6 ---- */

enum { CX_COMMIT_OK, CX_COMMIT_CONFLICT, CX_COMMIT_FAILED = -1 };

/* writes all that was folded and moves the checkpoint to s->at */
int cx_agg_commit(cx_redis_t *r, cx_agg_site_t *s, int64_t now);

/* only s->ops, under the same condition; moves nothing */
int cx_agg_commit_ops(cx_redis_t *r, cx_agg_site_t *s, int64_t now);

/* s->ops and EXEC, after a MULTI of the caller's */
void cx_agg_commit_exec(cx_redis_t *r, const cx_agg_site_t *s);

/* replies to MULTI ... EXEC, the only ones to come; as a commit */
int cx_agg_commit_take(cx_redis_t *r, const cx_agg_site_t *s,
    cx_reply_t *reply);


/* ---- cx_agg_rank.c: scores and ranks of dirty pages, step 7 ---- */

typedef struct cx_agg_run_s  cx_agg_t;

/* as a commit; a pass that lasts keeps leases meanwhile, and says that it is
   alive */
int cx_agg_rank(cx_agg_t *a, cx_agg_site_t *s, int64_t now);
int cx_agg_rebuild(cx_agg_t *a, cx_agg_site_t *s, int64_t now);

/* figures and ranks of a page whose counters are all loaded; off the dirty */
void cx_agg_rank_cell(cx_agg_site_t *s, cx_agg_cell_t *c);

/* what a predecessor left unscored, into s->dirty; 0, or -1 and r->error */
int cx_agg_rank_left(cx_agg_t *a, cx_agg_site_t *s, int64_t now);


/* ---- cx_agg_sum.c: the same of a split site, over all of its shards ---- */

/* 1 if the figures of a loaded site are made of sums; -1 and r->error */
int cx_agg_sum_is(cx_agg_t *a, cx_agg_site_t *s);

/*
 * Scores what is dirty in s and in all other shards of its site that we work
 * on, after a commit of those.  As a commit; where another node is in trouble
 * all of it stays dirty, and CX_COMMIT_OK.
 */
int cx_agg_sum(cx_agg_t *a, cx_agg_site_t *s, int64_t now);
int cx_agg_sum_rebuild(cx_agg_t *a, cx_agg_site_t *s, int64_t now);


/* ---- cx_agg_run.c: the loop ---- */

#define CX_AGG_COUNT  1000               /* entries of a site per read */
#define CX_AGG_BLOCK  500                /* ms that a read waits at most */

/* what the loop knows of a node of Redis; times are of cx_monotonic() */
struct cx_agg_host_s {
    cx_agg_host_t        *next;
    cx_node_t            *node;
    char                  cursor[24];    /* of the search for sites */
    int64_t               searched_at;
    int64_t               apart_at;      /* a read of all sites was refused */
    unsigned              searched:1;    /* all of it once */
    unsigned              checked:1;     /* its policy */
};

struct cx_agg_run_s {
    const cx_agg_conf_t  *conf;
    cx_nodes_t            nodes;
    cx_agg_host_t        *host;          /* all that were ever used */
    cx_agg_site_t        *site;
    char                  id[80];        /* of this process, in leases */
    cx_reply_t            batch;         /* entries being folded */
    cx_reply_t            reply;
    cx_event_t           *event;         /* CX_AGG_COUNT of each */
    const char          **refused;
    size_t               *token;
    unsigned              held;          /* leases */
    unsigned              share;         /* that we should hold at most */
    int64_t               surplus_at;    /* held > share since; 0: is not */
    int64_t               leased_at;     /* leases were looked after */
    int64_t               alive_at;      /* the same amidst work that lasts */
    int64_t               trouble_at;    /* of finding nodes; 0: none */
    unsigned              failed:1;      /* there was trouble */
    unsigned              newer:1;       /* a site was left alone */

    int                   notify;        /* socket to systemd, or -1 */
    int64_t               notify_ms;     /* between messages */
    int64_t               notify_at;
    unsigned              notified:1;    /* READY=1 */
};

extern volatile int  cx_agg_stop;        /* set by signals */

/*
 * To be called now and then by work that lasts, where no reply is to come and
 * nothing is watched: renews the leases that we hold, tells that we are alive.
 * Changes nothing else: what it finds lost is found again by the loop.
 */
void cx_agg_alive(cx_agg_t *a);

/* until stopped or, with --once, drained; exit status */
int cx_agg_run(cx_agg_t *a);


/* ---- cx_agg_sites.c: which sites there are, and where ---- */

/* nodes, connections and sites as they are now; a step of the search */
void cx_agg_find(cx_agg_t *a);

/* 1 if all nodes were searched, and answer */
int cx_agg_found(const cx_agg_t *a);

/* its node is connected and it is not to be left alone */
int cx_agg_usable(const cx_agg_site_t *s, int64_t now);

/* the connection to a site's node; only of one that is usable */
cx_redis_t *cx_agg_redis(const cx_agg_site_t *s);

/* notes a shard in its site's list, once */
void cx_agg_note_shard(cx_agg_t *a, cx_agg_site_t *s);


/* ---- cx_agg_trouble.c: what stops when something fails ---- */

/*
 * A call on this node failed and the reason is in its redis.error: by what
 * that is about the site stops, if one is given, or the node with all of its
 * sites.  Models are thrown away, the connection is closed.
 */
void cx_agg_trouble(cx_agg_t *a, cx_agg_host_t *h, cx_agg_site_t *s);

/* no node of the cluster holds a site's slot, for the reason in nodes.error */
void cx_agg_nowhere(cx_agg_t *a, cx_agg_site_t *s);

/* says what works again */
void cx_agg_works(cx_agg_t *a);


/* ---- cx_agg_lease.c: who works on what ---- */

#define CX_LEASE_MS  5000                /* a lease lasts */

void cx_agg_lease_init(cx_agg_t *a);

/* asks for leases, renews ours, where it is time to */
void cx_agg_lease(cx_agg_t *a);

/* 1 if others should have this one; then to be given right after a commit */
int cx_agg_lease_surplus(const cx_agg_t *a, const cx_agg_site_t *s,
    int64_t now);
void cx_agg_lease_give(cx_agg_t *a, cx_agg_site_t *s);

/* renews what we hold and is due, and no more */
void cx_agg_lease_keep(cx_agg_t *a);

/* gives all back: the end */
void cx_agg_lease_end(cx_agg_t *a);

/* cx_monotonic() when a site's lease is due */
int64_t cx_agg_lease_due(const cx_agg_site_t *s);


/* ---- cx_agg_stream.c: reading on from the checkpoint ---- */

/*
 * Reads on for all sites that are ready and folds what comes; waits block ms
 * at most, which only a read of one node can.  Sets s->drained where less than
 * CX_AGG_COUNT came.
 */
void cx_agg_read(cx_agg_t *a, int block);

/* orders ids of entries as strcmp() */
int cx_agg_compare(const char *a, const char *b);


/* ---- cx_agg_gap.c ---- */

/*
 * Entries that were trimmed unread by others, streams that were begun anew or
 * fell back: found, counted, said; as a commit.  Only where nothing is pending.
 */
int cx_agg_gap(cx_agg_t *a, cx_agg_site_t *s, int64_t now);


/* ---- cx_agg_policy.c ---- */

/* warns if Redis may evict keys; 0, or -1 and r->error if it is lost */
int cx_agg_policy(cx_redis_t *r, cx_reply_t *reply);


/* ---- cx_agg_notify.c: what systemd wants to know ---- */

void cx_agg_notify_init(cx_agg_t *a);

/* that we are alive, and how far; when it is time to */
void cx_agg_notify(cx_agg_t *a);
void cx_agg_notify_stop(cx_agg_t *a);


/* ---- cx_agg_main.c ---- */

int64_t cx_agg_now(void);                /* Unix time in ms */

#endif /* CX_AGG_H */
