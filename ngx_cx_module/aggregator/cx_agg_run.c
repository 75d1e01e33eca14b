/*
 * The loop: find sites, ask for leases, read on, commit, score.  What fails
 * stops alone and is tried again, see cx_agg_trouble.c.
 *
 * All spans of time are of the monotonic clock: the wall clock may be set, or
 * stand still, and only says which windows are over.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cx_agg.h"

#define CX_RUN_PAUSE   50    /* ms between reads while events trickle */
#define CX_RUN_GAP     10000 /* ms between looks for a gap */
#define CX_RUN_NEWER   60000 /* ms between looks at newer rollups */
#define CX_RUN_ALIVE   200   /* ms between signs of life amidst work */
#define CX_RUN_CLUSTER 2000  /* ms that a node may hold up the others */


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


static int
cx_run_alone(const cx_agg_t *a)
{
    return a->conf->once || a->conf->rebuild;
}


/* ---- one site ---- */

/* its rollups are of rules that we do not know: somebody newer must */

static void
cx_run_newer(cx_agg_t *a, cx_agg_site_t *s)
{
    if (!s->told) {
        cx_agg_log(CX_LOG_ERROR, "site %.*s: left alone: %s", (int) s->name.len,
                   (char *) s->name.data, cx_agg_redis(s)->error);
    }

    a->newer = 1;
    s->told = 1;
    s->retry_at = cx_monotonic() + CX_RUN_NEWER;

    if (!cx_run_alone(a)) {
        cx_agg_lease_give(a, s);
    }
}


static void
cx_run_load(cx_agg_t *a, cx_agg_site_t *s)
{
    int rc;

    rc = cx_agg_load_site(cx_agg_redis(s), s);

    if (rc < 0) {
        cx_agg_trouble(a, s->host, s);
        return;
    }

    if (rc > 0) {
        cx_run_newer(a, s);
        return;
    }

    cx_agg_log(CX_LOG_INFO, "site %.*s: %s %s", (int) s->name.len,
               (char *) s->name.data,
               s->lease.standby ? "taking over at" : "reading on from", s->id);
    s->lease.standby = 0;
    s->told = 0;
    s->retry_at = 0;
    s->scored_at = 0;
}


/* commits, scores and looks for gaps where it is time to; as a commit */

static int
cx_run_due(cx_agg_t *a, cx_agg_site_t *s)
{
    int         rc, last;
    int64_t     now, wall;
    cx_redis_t *r;

    rc = CX_COMMIT_OK;
    r = cx_agg_redis(s);
    now = cx_monotonic();
    wall = cx_agg_now();
    last = cx_agg_stop || (a->conf->once && s->drained)
           || cx_agg_lease_surplus(a, s, now);

    if (s->pending
        && (last || s->pending >= a->conf->batch || s->changes >= CX_AGG_OPS_MAX
            || now >= s->pending_since + a->conf->interval))
    {
        rc = cx_agg_commit(r, s, wall);
    }

    if (rc == CX_COMMIT_OK && s->pending == 0 && (s->dirty || s->stale)
        && (last || s->scored_at == 0 || now >= s->scored_at + a->conf->score))
    {
        rc = cx_agg_rank(a, s, wall);
        s->scored_at = now;
    }

    if (rc == CX_COMMIT_OK && s->pending == 0
        && (s->gap_at == 0 || now >= s->gap_at + CX_RUN_GAP))
    {
        rc = cx_agg_gap(a, s, now);
    }

    return rc;
}


static void
cx_run_site(cx_agg_t *a, cx_agg_site_t *s)
{
    int     rc;
    int64_t now;

    now = cx_monotonic();

    if (!s->lease.held || !cx_agg_usable(s, now)) {
        return;
    }

    if (!s->ready) {
        cx_run_load(a, s);
    }

    if (!s->ready) {
        return;
    }

    cx_agg_note_shard(a, s);
    rc = s->ready ? cx_run_due(a, s) : CX_COMMIT_OK;

    if (rc == CX_COMMIT_CONFLICT) {
        /* somebody else moved the checkpoint: on from where that is, and who
           owns the site is asked again */

        s->lease.at = 0;
        rc = cx_agg_load_site(cx_agg_redis(s), s);

        if (rc > 0) {
            cx_run_newer(a, s);
            return;
        }
    }

    if (rc != CX_COMMIT_OK) {
        cx_agg_trouble(a, s->host, s);
        return;
    }

    if (s->ready && s->pending == 0 && cx_agg_lease_surplus(a, s, now)) {
        cx_agg_lease_give(a, s);
    }
}


/* ---- the loop ---- */

void
cx_agg_alive(cx_agg_t *a)
{
    int64_t now;

    now = cx_monotonic();

    if (now >= a->alive_at + CX_RUN_ALIVE) {
        a->alive_at = now;
        cx_agg_lease_keep(a);
        cx_agg_notify(a);
    }
}


static void
cx_run_sites(cx_agg_t *a)
{
    cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        cx_run_site(a, s);

        /* much to do must not cost us leases, nor look like a hang */

        if (cx_monotonic() >= a->leased_at + CX_LEASE_MS / 4) {
            cx_agg_lease(a);
        }

        cx_agg_notify(a);
    }

    cx_agg_notify(a);
}


/* ms until there is something to do, at most CX_AGG_BLOCK */

static int64_t
cx_run_wait(const cx_agg_t *a)
{
    int64_t              now, due, at;
    const cx_agg_host_t *h;
    const cx_agg_site_t *s;

    now = cx_monotonic();
    due = now + CX_AGG_BLOCK;

    for (h = a->host; h; h = h->next) {
        if (h->node->used) {
            at = !h->node->redis.up ? h->node->retry_at
                 : !h->searched     ? now
                                    : due;
            due = at < due ? at : due;
        }
    }

    for (s = a->site; s; s = s->next) {
        if (!cx_agg_usable(s, now)) {
            at = s->retry_at > now ? s->retry_at : due;

        } else {
            at = cx_agg_lease_due(s);

            if (s->ready && s->pending) {
                at = s->pending_since + a->conf->interval;

            } else if (s->ready && (s->dirty || s->stale)) {
                at = s->scored_at + a->conf->score;

            } else if (s->lease.held && !s->ready) {
                at = now;
            }
        }

        due = at < due ? at : due;
    }

    return due > now ? due - now : 0;
}


/* 1 if all that came is counted and scored */

static int
cx_run_idle(const cx_agg_t *a)
{
    const cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        if (!s->newer
            && (!s->ready || !s->drained || s->pending || s->dirty || s->stale))
        {
            return 0;
        }
    }

    return cx_agg_found(a);
}


/* how long the next read may wait; sleeps where it cannot */

static int
cx_run_pause(const cx_agg_t *a)
{
    int64_t              due;
    unsigned             ready, pending, busy;
    const cx_agg_site_t *s;

    ready = 0;
    pending = 0;
    busy = 0;

    for (s = a->site; s; s = s->next) {
        ready += s->ready;
        pending |= s->pending > 0;
        busy |= s->ready && !s->drained;
    }

    if (a->conf->once || busy) {
        return 0;
    }

    due = cx_run_wait(a);

    if (ready && !pending && a->nodes.target->mode != CX_REDIS_CLUSTER) {
        return (int) due;
    }

    cx_run_sleep(ready && due > CX_RUN_PAUSE ? CX_RUN_PAUSE : due);

    return 0;
}


/* one turn: wait as long as there is nothing to do, read, work */

static int
cx_run_turn(cx_agg_t *a)
{
    int block;

    cx_agg_find(a);
    cx_agg_lease(a);
    cx_run_sites(a);

    if (a->conf->once && (a->failed || cx_run_idle(a))) {
        return 0;
    }

    block = cx_run_pause(a);

    if (cx_agg_stop) {
        return 0;
    }

    cx_agg_read(a, block);
    cx_run_sites(a);
    cx_agg_works(a);

    return !a->conf->once || !a->failed;
}


/* --rebuild-scores */

static void
cx_run_rebuild(cx_agg_t *a)
{
    int            rc;
    cx_agg_site_t *s;

    cx_agg_find(a);

    for (s = a->site; s && !a->failed; s = s->next) {
        if (!cx_agg_usable(s, cx_monotonic())) {
            a->failed = 1;
            break;
        }

        do {
            rc = cx_agg_rebuild(a, s, cx_agg_now());
        } while (rc == CX_COMMIT_CONFLICT && !cx_agg_stop);

        if (s->newer) {
            cx_run_newer(a, s);

        } else if (rc == CX_COMMIT_FAILED) {
            cx_agg_trouble(a, s->host, s);
        }
    }
}


static void
cx_run_end(cx_agg_t *a)
{
    cx_agg_host_t *h;
    cx_agg_site_t *s;

    while ((s = a->site) != NULL) {
        a->site = s->next;

        if (s->ready || a->conf->once) {
            cx_agg_log(CX_LOG_INFO,
                       "site %.*s: ends at %s, %lld entries since the first",
                       (int) s->name.len, (char *) s->name.data, s->id,
                       (long long) s->life[CX_LIFE_ENTRIES]);
        }

        cx_agg_site_free(s);
    }

    while ((h = a->host) != NULL) {
        a->host = h->next;
        free(h);
    }

    cx_nodes_free(&a->nodes);
    cx_reply_free(&a->batch);
    cx_reply_free(&a->reply);
    free(a->event);
    free(a->refused);
    free(a->token);
}


int
cx_agg_run(cx_agg_t *a)
{
    int timeout;

    a->event = cx_alloc(CX_AGG_COUNT * sizeof(cx_event_t));
    a->refused = cx_alloc(CX_AGG_COUNT * sizeof(char *));
    a->token = cx_alloc(CX_AGG_COUNT * sizeof(size_t));
    timeout = (int) a->conf->timeout;

    if (a->conf->redis.mode == CX_REDIS_CLUSTER && timeout > CX_RUN_CLUSTER) {
        timeout = CX_RUN_CLUSTER;
    }

    cx_agg_lease_init(a);
    cx_agg_notify_init(a);
    cx_nodes_init(&a->nodes, &a->conf->redis, timeout);

    if (a->conf->rebuild) {
        cx_run_rebuild(a);

    } else {
        while (!cx_agg_stop && cx_run_turn(a)) {
            /* void */
        }
    }

    cx_agg_notify_stop(a);

    if (cx_agg_stop && !a->conf->rebuild) {
        cx_run_sites(a);
    }

    cx_agg_lease_end(a);
    cx_run_end(a);

    return cx_run_alone(a) && (a->failed || a->newer);
}
