/*
 * The loop: find sites, read on, commit, score; connect again when Redis went
 * away, stand by while another aggregator works on a site.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cx_agg.h"

#define CX_RUN_BLOCK   500   /* ms that a read waits; bounds SIGTERM, too */
#define CX_RUN_PAUSE   50    /* ms between reads while events trickle */
#define CX_RUN_SEARCH  1000  /* ms between steps of the search for sites */
#define CX_RUN_GAP     10000 /* ms between looks for a gap */
#define CX_RUN_BACKOFF 5000  /* ms, the longest */

enum { CX_RUN_GO, CX_RUN_DONE, CX_RUN_TROUBLE = -1 };


static void
cx_run_sleep(int64_t ms)
{
    struct timespec ts;

    if (ms > 0 && !cx_agg_stop) {
        ts.tv_sec = ms / 1000;
        ts.tv_nsec = ms % 1000 * 1000000;
        nanosleep(&ts, NULL); /* a signal ends it */
    }
}


static cx_agg_site_t *
cx_run_site(cx_agg_t *a, const cx_str_t *name)
{
    cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        if (s->name.len == name->len
            && memcmp(s->name.data, name->data, name->len) == 0)
        {
            return s;
        }
    }

    s = cx_agg_site(a->conf, name);
    s->next = a->site;
    a->site = s;

    return s;
}


/* ---- which sites ---- */

/* one step of SCAN; 1 when the whole key space was seen, -1 on trouble */

static int
cx_run_search(cx_agg_t *a)
{
    size_t         i;
    cx_reply_t    *r;
    cx_key_parts_t p;

    r = &a->reply;
    cx_redis_command(&a->redis, 8);
    cx_redis_text(&a->redis, "SCAN");
    cx_redis_text(&a->redis, a->cursor[0] ? a->cursor : "0");
    cx_redis_text(&a->redis, "MATCH");
    cx_redis_text(&a->redis, "cx:{*}:events");
    cx_redis_text(&a->redis, "COUNT");
    cx_redis_text(&a->redis, "1000");
    cx_redis_text(&a->redis, "TYPE");
    cx_redis_text(&a->redis, "stream");

    if (cx_redis_get(&a->redis, r) || r->n < 3) {
        return -1;
    }

    snprintf(a->cursor, sizeof(a->cursor), "%s", (char *) r->s[1].data);

    for (i = 3; i < r->n; i++) {
        if (cx_key_parse(&p, &r->s[i]) == 0 && p.key == CX_KEY_EVENTS) {
            (void) cx_run_site(a, &p.site);
        }
    }

    return strcmp(a->cursor, "0") == 0;
}


static int
cx_run_find(cx_agg_t *a, int64_t now)
{
    int      rc;
    unsigned i;
    cx_str_t name;

    for (i = 0; i < a->conf->sites; i++) {
        name.data = (unsigned char *) a->conf->site[i];
        name.len = strlen(a->conf->site[i]);
        (void) cx_run_site(a, &name);
    }

    if (a->conf->sites
        || (a->searched_at && now < a->searched_at + CX_RUN_SEARCH)) {
        return 0;
    }

    /* the first time all of it, then a step now and then */

    do {
        rc = cx_run_search(a);
    } while (rc == 0 && a->searched_at == 0);

    a->searched_at = now;

    return rc < 0 ? -1 : 0;
}


/* ---- one site ---- */

/* somebody else moved the checkpoint: whoever works on, one of us is enough */

static int
cx_run_conflict(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    if (cx_agg_load_site(&a->redis, s)) {
        return CX_RUN_TROUBLE;
    }

    if (a->conf->once || a->conf->rebuild) {
        return CX_RUN_GO;
    }

    if (!s->standby) {
        cx_agg_log(CX_LOG_INFO,
                   "site %.*s: another aggregator is at work, "
                   "standing by",
                   (int) s->name.len, (char *) s->name.data);
    }

    s->standby = 1;
    s->ready = 0;
    s->read_again = now + 4 * a->conf->interval;
    memcpy(s->seen, s->id, sizeof(s->seen));

    return CX_RUN_GO;
}


/* makes a site ready, unless somebody else goes on with it */

static int
cx_run_ready(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    if (s->ready || s->read_again > now) {
        return CX_RUN_GO;
    }

    if (cx_agg_load_site(&a->redis, s)) {
        return CX_RUN_TROUBLE;
    }

    if (!s->standby) {
        cx_agg_log(CX_LOG_INFO, "site %.*s: reading on from %s",
                   (int) s->name.len, (char *) s->name.data, s->id);
        return CX_RUN_GO;
    }

    if (strcmp(s->seen, s->id) != 0) {
        memcpy(s->seen, s->id, sizeof(s->seen));
        s->read_again = now + 4 * a->conf->interval;
        s->ready = 0;
        return CX_RUN_GO;
    }

    s->standby = 0;
    cx_agg_log(CX_LOG_INFO, "site %.*s: taking over at %s", (int) s->name.len,
               (char *) s->name.data, s->id);

    return CX_RUN_GO;
}


/* commits, scores and looks for gaps where it is time to */

static int
cx_run_work(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int rc, last;

    if (!s->ready) {
        return CX_RUN_GO;
    }

    rc = CX_COMMIT_OK;
    last = cx_agg_stop || (a->conf->once && s->drained);

    if (s->pending
        && (last || s->pending >= a->conf->batch || s->changes >= CX_AGG_OPS_MAX
            || now >= s->pending_since + a->conf->interval))
    {
        rc = cx_agg_commit(&a->redis, s, now);
    }

    if (rc == CX_COMMIT_OK && s->pending == 0 && (s->dirty || s->stale)
        && (last || now >= s->scored_at + a->conf->score))
    {
        rc = cx_agg_rank(&a->redis, s, now);
    }

    if (rc == CX_COMMIT_OK && s->pending == 0
        && (s->gap_at == 0 || now >= s->gap_at + CX_RUN_GAP))
    {
        rc = cx_agg_gap(a, s, now);
    }

    return rc == CX_COMMIT_CONFLICT ? cx_run_conflict(a, s, now)
           : rc == CX_COMMIT_OK     ? CX_RUN_GO
                                    : CX_RUN_TROUBLE;
}


/* ---- the loop ---- */

static int
cx_run_sites(cx_agg_t *a, int64_t now)
{
    cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        if (cx_run_ready(a, s, now) || cx_run_work(a, s, now)) {
            return CX_RUN_TROUBLE;
        }
    }

    return CX_RUN_GO;
}


/* ms until a site has something to do, at most CX_RUN_BLOCK */

static int64_t
cx_run_due(const cx_agg_t *a, int64_t now)
{
    int64_t              due, at;
    const cx_agg_site_t *s;

    due = now + CX_RUN_BLOCK;

    for (s = a->site; s; s = s->next) {
        at = due;

        if (!s->ready) {
            at = s->read_again;

        } else if (s->pending) {
            at = s->pending_since + a->conf->interval;

        } else if (s->dirty || s->stale) {
            at = s->scored_at + a->conf->score;
        }

        due = at < due ? at : due;
    }

    return due > now ? due - now : 0;
}


static int
cx_run_busy(const cx_agg_t *a, unsigned *ready)
{
    const cx_agg_site_t *s;

    *ready = 0;

    for (s = a->site; s; s = s->next) {
        *ready += s->ready;

        if (s->ready && !s->drained) {
            return 1;
        }
    }

    return 0;
}


/* 1 if all that came is counted and scored */

static int
cx_run_idle(const cx_agg_t *a)
{
    const cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        if ((!s->ready && !s->standby) || (s->ready && !s->drained)
            || s->pending || s->dirty || s->stale)
        {
            return 0;
        }
    }

    return 1;
}


/* one turn: wait as long as there is nothing to do, read, work */

static int
cx_run_turn(cx_agg_t *a)
{
    int            busy;
    int64_t        now, due;
    unsigned       ready, pending;
    cx_agg_site_t *s;

    now = cx_agg_now();

    if (cx_run_find(a, now) || cx_run_sites(a, now)) {
        return CX_RUN_TROUBLE;
    }

    busy = cx_run_busy(a, &ready);
    pending = 0;

    for (s = a->site; s; s = s->next) {
        pending |= s->pending > 0;
    }

    if (a->conf->once) {
        due = 0;

        if (cx_run_idle(a)) {
            return CX_RUN_DONE;
        }

    } else {
        due = busy ? 0 : cx_run_due(a, now);

        if (ready == 0 || pending) {
            cx_run_sleep(pending && due > CX_RUN_PAUSE ? CX_RUN_PAUSE : due);
            due = 0;
        }
    }

    if (cx_agg_stop) {
        return CX_RUN_DONE;
    }

    if (cx_agg_read(a, (int) due)) {
        return CX_RUN_TROUBLE;
    }

    return cx_run_sites(a, cx_agg_now());
}


static int
cx_run_rebuild(cx_agg_t *a)
{
    int            rc;
    cx_agg_site_t *s;

    if (cx_run_find(a, cx_agg_now())) {
        return CX_RUN_TROUBLE;
    }

    for (s = a->site; s; s = s->next) {
        do {
            rc = cx_agg_rebuild(&a->redis, s, cx_agg_now());
        } while (rc == CX_COMMIT_CONFLICT && !cx_agg_stop);

        if (rc == CX_COMMIT_FAILED) {
            return CX_RUN_TROUBLE;
        }
    }

    return CX_RUN_DONE;
}


/* from connect to trouble or the end */

static int
cx_run_session(cx_agg_t *a)
{
    int            rc;
    cx_agg_site_t *s;

    if (cx_redis_connect(&a->redis, &a->conf->url, (int) a->conf->timeout)
        || cx_redis_timeout(&a->redis, (int) a->conf->timeout + CX_RUN_BLOCK))
    {
        return CX_RUN_TROUBLE;
    }

    for (s = a->site; s; s = s->next) {
        cx_agg_site_reset(s);
    }

    a->cursor[0] = '\0';
    rc = a->conf->rebuild ? cx_run_rebuild(a) : CX_RUN_GO;

    while (rc == CX_RUN_GO && !cx_agg_stop) {
        rc = cx_run_turn(a);

        if (rc == CX_RUN_GO && a->trouble_at && cx_run_idle(a)) {
            cx_agg_log(CX_LOG_WARN, "%s: works again after %lld s",
                       a->conf->url.label,
                       (long long) (cx_agg_now() - a->trouble_at) / 1000);
            a->trouble_at = 0;
            a->backoff = 0;
        }
    }

    if (cx_agg_stop && rc != CX_RUN_TROUBLE && !a->conf->rebuild) {
        rc = cx_run_sites(a, cx_agg_now()) ? CX_RUN_TROUBLE : CX_RUN_DONE;
    }

    return rc;
}


static void
cx_run_trouble(cx_agg_t *a)
{
    if (a->trouble_at == 0) {
        a->trouble_at = cx_agg_now();
        cx_agg_log(CX_LOG_ERROR, "%s: %s%s", a->conf->url.label, a->redis.error,
                   a->conf->once || a->conf->rebuild ? "" : ", trying again");
    }

    cx_redis_close(&a->redis);
    a->backoff = a->backoff ? 2 * a->backoff : 100;
    a->backoff = a->backoff > CX_RUN_BACKOFF ? CX_RUN_BACKOFF : a->backoff;
}


static void
cx_run_end(cx_agg_t *a)
{
    cx_agg_site_t *s, *next;

    for (s = a->site; s; s = next) {
        next = s->next;
        cx_agg_log(CX_LOG_INFO,
                   "site %.*s: ends at %s, %lld entries since "
                   "the first",
                   (int) s->name.len, (char *) s->name.data, s->id,
                   (long long) s->life[CX_LIFE_ENTRIES]);
        cx_agg_site_free(s);
    }

    cx_redis_free(&a->redis);
    cx_reply_free(&a->batch);
    cx_reply_free(&a->reply);
    free(a->event);
    free(a->refused);
    free(a->token);
}


int
cx_agg_run(cx_agg_t *a)
{
    int rc;

    a->event = cx_alloc(CX_AGG_COUNT * sizeof(cx_event_t));
    a->refused = cx_alloc(CX_AGG_COUNT * sizeof(char *));
    a->token = cx_alloc(CX_AGG_COUNT * sizeof(size_t));
    srand((unsigned) cx_agg_now());

    do {
        rc = cx_run_session(a);

        if (rc == CX_RUN_TROUBLE) {
            cx_run_trouble(a);

            if (a->conf->once || a->conf->rebuild) {
                break;
            }

            cx_run_sleep(a->backoff / 2 + rand() % (a->backoff / 2 + 1));
        }
    } while (rc == CX_RUN_TROUBLE && !cx_agg_stop);

    cx_run_end(a);

    return rc == CX_RUN_TROUBLE && (a->conf->once || a->conf->rebuild);
}
