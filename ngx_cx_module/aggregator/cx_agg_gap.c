/*
 * What somebody else did to a stream: trimmed it before it was read, deleted
 * it, put an old one in its place.  Found by comparing what Redis says of the
 * stream with what the checkpoint says:
 *
 *   entries ever added = base + entries counted + lost + still unread
 *
 * Redis before 7 does not tell how many were ever added: there only that
 * something happened is known, by a first entry behind the checkpoint, as the
 * entry of the checkpoint itself is never trimmed by us.  Once we have read on
 * behind a gap it cannot be seen any more.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_GAP_COUNT 1000 /* unread entries that are looked at */

typedef struct {
    int     missing; /* there is no stream */
    int64_t length;
    int64_t added;  /* -1: Redis before 7 */
    int64_t unread; /* behind the checkpoint; -1: many */
    int64_t clock;  /* of Redis, ms */
    char    first[48];
    char    last[48];
} cx_gap_t;


int
cx_agg_compare(const char *a, const char *b)
{
    char              *ea, *eb;
    unsigned long long ma, mb, sa, sb;

    ma = strtoull(a, &ea, 10);
    mb = strtoull(b, &eb, 10);
    sa = *ea == '-' ? strtoull(ea + 1, NULL, 10) : 0;
    sb = *eb == '-' ? strtoull(eb + 1, NULL, 10) : 0;

    return ma != mb ? (ma > mb) - (ma < mb) : (sa > sb) - (sa < sb);
}


/* the last id that is before this one */

static void
cx_gap_before(char *dst, size_t size, const char *id)
{
    char              *end;
    unsigned long long ms, seq;

    ms = strtoull(id, &end, 10);
    seq = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;

    if (seq > 0) {
        snprintf(dst, size, "%llu-%llu", ms, seq - 1);

    } else {
        snprintf(dst, size, "%llu-%llu", ms ? ms - 1 : 0,
                 ms ? (unsigned long long) -1 : 0);
    }
}


/* ---- what Redis says ---- */

static void
cx_gap_copy(char dst[48], const cx_reply_t *r, size_t i)
{
    size_t len;

    len = r->s[i].data && r->s[i].len < 48 ? r->s[i].len : 0;

    if (len) {
        memcpy(dst, r->s[i].data, len);
    }

    dst[len] = '\0';
}


/* names and values of XINFO STREAM from token i; the one behind them */

static size_t
cx_gap_info(cx_gap_t *g, const cx_reply_t *r, size_t i)
{
    size_t      k, end;
    const char *name;

    end = cx_reply_skip(r, i);

    for (k = i + 1; k + 1 < end; k = cx_reply_skip(r, k + 1)) {
        name = r->s[k].data ? (char *) r->s[k].data : "";

        if (strcmp(name, "length") == 0) {
            g->length = (int64_t) r->s[k + 1].len;

        } else if (strcmp(name, "entries-added") == 0) {
            g->added = (int64_t) r->s[k + 1].len;

        } else if (strcmp(name, "last-generated-id") == 0) {
            cx_gap_copy(g->last, r, k + 1);

        } else if (strcmp(name, "first-entry") == 0
                   && r->type[k + 1] == REDIS_REPLY_ARRAY && k + 2 < end)
        {
            cx_gap_copy(g->first, r, k + 2);
        }
    }

    return end;
}


/* the stream and what is unread of it, at one moment; 0, or -1 */

static int
cx_gap_read(cx_agg_t *a, cx_agg_site_t *s, cx_gap_t *g)
{
    char        key[CX_KEY_MAX], from[50];
    size_t      i, len;
    cx_redis_t *r;

    r = cx_agg_redis(s);
    len = cx_key(key, CX_KEY_EVENTS, &s->name, 0, 0, NULL);
    snprintf(from, sizeof(from), "(%s", s->id);

    cx_redis_words(r, "MULTI");
    cx_redis_command(r, 3);
    cx_redis_text(r, "XINFO");
    cx_redis_text(r, "STREAM");
    cx_redis_arg(r, key, len);
    cx_redis_command(r, 6);
    cx_redis_text(r, "XRANGE");
    cx_redis_arg(r, key, len);
    cx_redis_text(r, from);
    cx_redis_text(r, "+");
    cx_redis_text(r, "COUNT");
    cx_redis_number(r, CX_GAP_COUNT);
    cx_redis_words(r, "TIME");
    cx_redis_words(r, "EXEC");

    while (r->expect) {
        if (cx_redis_get(r, &a->reply)) {
            return -1;
        }
    }

    memset(g, 0, sizeof(cx_gap_t));
    g->added = -1;

    if (a->reply.n < 3 || a->reply.type[0] != REDIS_REPLY_ARRAY) {
        snprintf(r->error, sizeof(r->error), "unexpected reply to XINFO");
        return -1;
    }

    if (a->reply.type[1] == REDIS_REPLY_ERROR) {
        g->missing = 1;
        return 0;
    }

    i = cx_gap_info(g, &a->reply, 1);
    g->unread = i < a->reply.n ? (int64_t) a->reply.s[i].len : 0;
    i = cx_reply_skip(&a->reply, i) + 1;

    if (i + 1 < a->reply.n && a->reply.type[i] == REDIS_REPLY_STRING
        && a->reply.type[i + 1] == REDIS_REPLY_STRING)
    {
        g->clock = strtoll((char *) a->reply.s[i].data, NULL, 10) * 1000
                   + strtoll((char *) a->reply.s[i + 1].data, NULL, 10) / 1000;
    }

    if (g->unread == CX_GAP_COUNT) {
        g->unread = g->first[0] && cx_agg_compare(g->first, s->id) > 0
                        ? g->length
                        : -1;
    }

    return 0;
}


/* ---- what it means ---- */

/* moves the checkpoint, so that the same is not found again */

static int
cx_gap_commit(cx_agg_t *a, cx_agg_site_t *s, const char *id)
{
    int rc;

    (void) a;
    s->life[CX_LIFE_GAPS]++;
    snprintf(s->at, sizeof(s->at), "%s", id);
    rc = cx_agg_commit_ops(cx_agg_redis(s), s, cx_agg_now());

    if (rc == CX_COMMIT_OK) {
        s->gap_at = cx_monotonic();
    }

    return rc;
}


/* how many entries of a stream that fell back were not left out before */

static int64_t
cx_gap_left(const cx_agg_site_t *s, const cx_gap_t *g)
{
    int64_t more;

    if (g->added < 0) {
        return s->behind > 0 && s->behind <= g->length ? g->length - s->behind
                                                       : g->length;
    }

    if (!s->based) {
        return strcmp(g->last, s->tip) == 0 ? 0 : g->length;
    }

    more = g->added - s->life[CX_LIFE_ENTRIES] - s->life[CX_LIFE_LOST]
           - s->base;

    return more >= 0 && more < g->length ? more : g->length;
}


/*
 * The stream ends before the checkpoint.  What is in it now may be counted
 * already (an old copy was restored) or not (begun anew while Redis's clock
 * was behind): nobody can tell, and nothing may count twice.  So it is left out
 * and counted as lost.
 *
 * By Redis's clock what is added from now on comes behind the checkpoint.  Only
 * if that is behind, too, reading goes on from the end of the stream, or else
 * all that comes would be ignored until the clock has passed the checkpoint.
 * Otherwise the checkpoint stays: somebody may be putting an old copy back
 * entry by entry.
 */

static int
cx_gap_behind(cx_agg_t *a, cx_agg_site_t *s, const cx_gap_t *g)
{
    int     rc, back;
    int64_t left;

    back = g->clock <= strtoll(s->id, NULL, 10);
    left = back ? g->length : cx_gap_left(s, g);

    if (left == 0 && !back) {
        return CX_COMMIT_OK;
    }

    cx_agg_log(CX_LOG_ERROR,
               "site %.*s: the stream ends at %s, before the checkpoint %s: an "
               "old one was restored, or it was begun anew with the clock set "
               "back; its %lld entries may be counted already and are left "
               "out, what comes from now on counts",
               (int) s->name.len, (char *) s->name.data, g->last, s->id,
               (long long) left);

    s->life[CX_LIFE_LOST] += left;
    s->base = g->added < 0
                  ? 0
                  : g->added - s->life[CX_LIFE_ENTRIES] - s->life[CX_LIFE_LOST];
    s->based = g->added >= 0;
    s->behind = g->added >= 0 ? s->behind : back ? 0 : g->length;
    rc = cx_gap_commit(a, s, back ? g->last : s->id);

    if (rc == CX_COMMIT_OK && back) {
        cx_agg_site_reset(s); /* visits are looked up by the checkpoint */
    }

    return rc;
}


/* how many of the old one were not read is not known */

static int
cx_gap_anew(cx_agg_t *a, cx_agg_site_t *s, const cx_gap_t *g)
{
    cx_agg_log(CX_LOG_ERROR,
               "site %.*s: the stream was deleted and begun anew by somebody "
               "else; what came behind %s and was not read is lost, nobody "
               "knows how much",
               (int) s->name.len, (char *) s->name.data, s->id);

    if (g->added >= 0 && g->unread >= 0) {
        s->base = g->added - g->unread - s->life[CX_LIFE_ENTRIES]
                  - s->life[CX_LIFE_LOST];
        s->based = 1;
    }

    return cx_gap_commit(a, s, s->id);
}


static int
cx_gap_lost(cx_agg_t *a, cx_agg_site_t *s, int64_t lost)
{
    cx_agg_log(CX_LOG_ERROR,
               "site %.*s: %lld entries about %s were trimmed by "
               "somebody else before they were read",
               (int) s->name.len, (char *) s->name.data, (long long) lost,
               s->id);
    s->life[CX_LIFE_LOST] += lost;

    return cx_gap_commit(a, s, s->id);
}


/* Redis before 7 */

static int
cx_gap_first(cx_agg_t *a, cx_agg_site_t *s, const cx_gap_t *g)
{
    char before[48];

    if (g->first[0]) {
        cx_gap_before(before, sizeof(before), g->first);

    } else {
        memcpy(before, g->last, sizeof(before));
    }

    if (strcmp(s->id, "0-0") == 0 || cx_agg_compare(before, s->id) <= 0) {
        return CX_COMMIT_OK;
    }

    cx_agg_log(CX_LOG_ERROR,
               "site %.*s: entries behind %s were trimmed by somebody else "
               "before they were read; how many, only Redis 7 and later know",
               (int) s->name.len, (char *) s->name.data, s->id);

    return cx_gap_commit(a, s, before);
}


static int
cx_gap_look(cx_agg_t *a, cx_agg_site_t *s, const cx_gap_t *g, int anew)
{
    int64_t lost;

    if (strcmp(s->id, "0-0") != 0 && cx_agg_compare(g->last, s->id) < 0) {
        return cx_gap_behind(a, s, g);
    }

    if (g->added < 0) {
        s->behind = s->behind > 0 ? 0 : s->behind;
        return anew ? cx_gap_anew(a, s, g) : cx_gap_first(a, s, g);
    }

    if (g->unread < 0) {
        return CX_COMMIT_OK; /* another time: much is to be read */
    }

    lost = g->added - g->unread - s->life[CX_LIFE_ENTRIES]
           - s->life[CX_LIFE_LOST];

    if (!s->based) {
        s->base = lost;
        s->based = 1;
        return CX_COMMIT_OK;
    }

    lost -= s->base;

    return lost < 0 || anew ? cx_gap_anew(a, s, g)
           : lost > 0       ? cx_gap_lost(a, s, lost)
                            : CX_COMMIT_OK;
}


int
cx_agg_gap(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int      rc, anew;
    cx_gap_t g;

    s->gap_at = now;

    if (cx_gap_read(a, s, &g)) {
        return CX_COMMIT_FAILED;
    }

    /* the tip of the stream goes back only when it is another one */

    anew = s->tip[0] && (g.missing || cx_agg_compare(g.last, s->tip) < 0)
           && cx_agg_compare(s->tip, s->id) > 0;
    rc = CX_COMMIT_OK;

    if (!g.missing) {
        rc = cx_gap_look(a, s, &g, anew);

    } else if (anew) {
        rc = cx_gap_anew(a, s, &g);
    }

    if (g.missing) { /* the next one begins to count anew */
        s->based = 0;
        s->behind = s->behind > 0 ? 0 : s->behind;
    }

    memcpy(s->tip, g.last, sizeof(s->tip));

    return rc;
}
