/*
 * Reads the streams on from where each site was folded up to, decodes the
 * entries where they lie in the reply, and hands them to load and fold.  Bad
 * ones are set aside.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_STREAM_SAY 10000 /* ms between warnings of refused entries */


static int
cx_stream_send(cx_agg_t *a, int block)
{
    char           key[CX_KEY_MAX];
    size_t         n;
    cx_redis_t    *r;
    cx_agg_site_t *s;

    n = 0;
    r = &a->redis;

    for (s = a->site; s; s = s->next) {
        n += s->ready;
    }

    if (n == 0) {
        return 0;
    }

    cx_redis_command(r, 4 + 2 * n + (block ? 2 : 0));
    cx_redis_text(r, "XREAD");
    cx_redis_text(r, "COUNT");
    cx_redis_number(r, CX_AGG_COUNT);

    if (block) {
        cx_redis_text(r, "BLOCK");
        cx_redis_number(r, block);
    }

    cx_redis_text(r, "STREAMS");

    for (s = a->site; s; s = s->next) {
        if (s->ready) {
            cx_redis_arg(r, key,
                         cx_key(key, CX_KEY_EVENTS, &s->name, 0, 0, NULL));
        }
    }

    for (s = a->site; s; s = s->next) {
        if (s->ready) {
            cx_redis_text(r, s->at);
            s->drained = 1;
        }
    }

    return 1;
}


/* NULL: we did not ask for it */

static cx_agg_site_t *
cx_stream_site(cx_agg_t *a, const cx_str_t *key)
{
    cx_agg_site_t *s;
    cx_key_parts_t p;

    if (cx_key_parse(&p, key)) {
        return NULL;
    }

    for (s = a->site; s; s = s->next) {
        if (s->name.len == p.site.len
            && memcmp(s->name.data, p.site.data, p.site.len) == 0)
        {
            break;
        }
    }

    return s;
}


/* says that entries were set aside, but not for each of a flood of them */

static void
cx_stream_refuse(cx_agg_site_t *s, const cx_str_t *id, const char *why,
                 int64_t now)
{
    int level;

    level = CX_LOG_DEBUG;

    if (now >= s->refused_at + CX_STREAM_SAY) {
        s->refused_at = now;
        level = CX_LOG_WARN;
    }

    cx_agg_log(level, "site %.*s: entry %s set aside: %s (%lld so far)",
               (int) s->name.len, (char *) s->name.data, (char *) id->data, why,
               (long long) s->life[CX_LIFE_REJECTED] + 1);
}


/*
 * n entries from token i: each is an array of an id and an array of pairs.
 * Moves i behind them.
 */

static int
cx_stream_fold(cx_agg_t *a, cx_agg_site_t *s, size_t *token, size_t n)
{
    size_t      i;
    size_t      k, pairs;
    int64_t     now;
    cx_str_t   *id, *v;
    const char *why;

    now = cx_agg_now();
    v = a->batch.s;
    i = *token;
    id = NULL;

    for (k = 0; k < n; k++) {
        a->token[k] = i;
        pairs = v[i + 2].len;
        a->refused[k] = cx_event_decode(&a->event[k], &v[i + 3], pairs);
        id = &v[i + 1];
        i += 3 + pairs;
    }

    *token = i;

    if (id == NULL || id->len >= sizeof(s->at)) {
        snprintf(a->redis.error, sizeof(a->redis.error),
                 "unexpected reply to XREAD");
        return -1;
    }

    s->hour = strtoll((char *) id->data, NULL, 10) / cx_window_len(CX_HOUR);

    if (cx_agg_load(&a->redis, s, a->event, a->refused, n, now)) {
        return -1;
    }

    for (k = 0; k < n; k++) {
        i = a->token[k];
        why = a->refused[k];
        why = why ? why : cx_agg_fold(s, &a->event[k], now);

        if (why) {
            cx_stream_refuse(s, &v[i + 1], why, now);
            cx_agg_reject(s, why, &v[i + 1], &v[i + 3], v[i + 2].len);
        }
    }

    memcpy(s->at, id->data, id->len);
    s->at[id->len] = '\0';
    s->life[CX_LIFE_ENTRIES] += (int64_t) n;
    s->pending_since = s->pending ? s->pending_since : now;
    s->pending += (int64_t) n;
    s->drained = n < CX_AGG_COUNT;

    return 0;
}


int
cx_agg_read(cx_agg_t *a, int block)
{
    size_t         i, n, streams;
    cx_reply_t    *r;
    cx_agg_site_t *s;

    if (!cx_stream_send(a, block)) {
        return 0;
    }

    r = &a->batch;

    if (cx_redis_get(&a->redis, r)) {
        return -1;
    }

    if (r->type[0] != REDIS_REPLY_ARRAY) {
        return 0;
    }

    i = 1;

    for (streams = r->s[0].len; streams > 0; streams--) {
        s = cx_stream_site(a, &r->s[i + 1]);
        n = r->s[i + 2].len;
        i += 3;

        if (s == NULL || cx_stream_fold(a, s, &i, n)) {
            return -1;
        }
    }

    return 0;
}


/* ---- gaps ---- */

typedef struct {
    int64_t  length;
    int64_t  added; /* -1: Redis before 7 does not say */
    cx_str_t first;
    cx_str_t last;
} cx_stream_info_t;


/* XINFO STREAM; 1: there is no stream */

static int
cx_stream_info(cx_agg_t *a, cx_agg_site_t *s, cx_stream_info_t *info)
{
    char        key[CX_KEY_MAX];
    size_t      i;
    cx_str_t   *name;
    cx_reply_t *r;

    r = &a->reply;
    cx_redis_command(&a->redis, 3);
    cx_redis_text(&a->redis, "XINFO");
    cx_redis_text(&a->redis, "STREAM");
    cx_redis_arg(&a->redis, key,
                 cx_key(key, CX_KEY_EVENTS, &s->name, 0, 0, NULL));

    if (cx_redis_get(&a->redis, r)) {
        return a->redis.c && strstr(a->redis.error, "no such key") ? 1 : -1;
    }

    memset(info, 0, sizeof(cx_stream_info_t));
    info->added = -1;

    for (i = 1; i + 1 < r->n; i = cx_reply_skip(r, i + 1)) {
        name = &r->s[i];

        if (strcmp((char *) name->data, "length") == 0) {
            info->length = (int64_t) r->s[i + 1].len;

        } else if (strcmp((char *) name->data, "entries-added") == 0) {
            info->added = (int64_t) r->s[i + 1].len;

        } else if (strcmp((char *) name->data, "last-generated-id") == 0) {
            info->last = r->s[i + 1];

        } else if (strcmp((char *) name->data, "first-entry") == 0
                   && r->type[i + 1] == REDIS_REPLY_ARRAY && i + 2 < r->n)
        {
            info->first = r->s[i + 2];
        }
    }

    return 0;
}


static int
cx_stream_compare(const char *a, const char *b)
{
    char     *ea, *eb;
    long long ma, mb, sa, sb;

    ma = strtoll(a, &ea, 10);
    mb = strtoll(b, &eb, 10);
    sa = *ea == '-' ? strtoll(ea + 1, NULL, 10) : 0;
    sb = *eb == '-' ? strtoll(eb + 1, NULL, 10) : 0;

    return ma != mb ? (ma > mb) - (ma < mb) : (sa > sb) - (sa < sb);
}


/*
 * The entry of the checkpoint itself is never trimmed by us.  If the stream
 * now begins behind it, somebody else trimmed, and whatever is gone and was
 * not read is lost.  Redis 7 counts what was ever added; before, only that it
 * happened is known.
 */

int
cx_agg_gap(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    int              rc, behind;
    int64_t          lost;
    cx_stream_info_t info;

    s->gap_at = now;
    rc = cx_stream_info(a, s, &info);

    if (rc) {
        s->based = 1;
        return rc < 0 ? CX_COMMIT_FAILED : CX_COMMIT_OK;
    }

    if (!s->based) {
        s->base = info.added < 0
                      ? 0
                      : info.added - info.length - s->life[CX_LIFE_ENTRIES];
        s->based = 1;
        return CX_COMMIT_OK;
    }

    if (strcmp(s->id, "0-0") == 0) {
        return CX_COMMIT_OK;
    }

    behind = info.first.len
                 ? cx_stream_compare((char *) info.first.data, s->id) > 0
                 : cx_stream_compare((char *) info.last.data, s->id) > 0;

    if (!behind) {
        return CX_COMMIT_OK;
    }

    lost = info.added < 0
               ? 0
               : info.added - info.length - s->base - s->life[CX_LIFE_ENTRIES]
                     - s->life[CX_LIFE_LOST];

    if (lost < 0) {
        s->base += lost; /* the stream was begun anew */
        return CX_COMMIT_OK;
    }

    if (lost == 0 && (info.added >= 0 || s->gap)) {
        return CX_COMMIT_OK;
    }

    s->gap = 1;
    s->life[CX_LIFE_LOST] += lost;
    s->life[CX_LIFE_GAPS]++;
    cx_agg_log(CX_LOG_ERROR,
               "site %.*s: %lld entries behind %s were trimmed "
               "by somebody else before they were read",
               (int) s->name.len, (char *) s->name.data, (long long) lost,
               s->id);

    return cx_agg_commit_ops(&a->redis, s, now);
}
