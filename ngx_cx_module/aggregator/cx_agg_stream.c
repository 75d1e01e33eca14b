/*
 * Reads the streams on from where each site was folded up to, decodes the
 * entries where they lie in the reply, and hands them to load and fold.  Bad
 * ones are set aside.
 *
 * One node: one XREAD of all streams, which waits.  In a cluster streams are of
 * different slots: first a look at which of them have news, all at once, then
 * one after the other, as folding asks the same connection for more.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_STREAM_SAY   10000 /* ms between warnings of refused entries */
#define CX_STREAM_APART 10000 /* ms that streams are read one by one */


/* XREAD of one stream */

static void
cx_stream_ask(cx_redis_t *r, const cx_agg_site_t *s, int64_t count)
{
    char key[CX_KEY_MAX];

    cx_redis_command(r, 6);
    cx_redis_text(r, "XREAD");
    cx_redis_text(r, "COUNT");
    cx_redis_number(r, count);
    cx_redis_text(r, "STREAMS");
    cx_redis_arg(r, key, cx_key(key, CX_KEY_EVENTS, &s->name, 0, 0, NULL));
    cx_redis_text(r, s->at);
}


/* XREAD of all streams that are ready; 0: there are none */

static int
cx_stream_ask_all(cx_agg_t *a, cx_redis_t *r, int block)
{
    char           key[CX_KEY_MAX];
    size_t         n;
    cx_agg_site_t *s;

    n = 0;

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
cx_stream_refuse(cx_agg_site_t *s, const cx_str_t *id, const char *why)
{
    int     level;
    int64_t now;

    now = cx_monotonic();
    level = CX_LOG_DEBUG;

    if (s->refused_at == 0 || now >= s->refused_at + CX_STREAM_SAY) {
        s->refused_at = now;
        level = CX_LOG_WARN;
    }

    cx_agg_log(level, "site %.*s: entry %s set aside: %s (%lld so far)",
               (int) s->name.len, (char *) s->name.data, (char *) id->data, why,
               (long long) s->life[CX_LIFE_REJECTED] + 1);
}


/*
 * Whether n entries stand from token i on: each is an array of an id and an
 * array of names and values.  0, or -1 if this is no reply to XREAD.
 */

static int
cx_stream_entries(const cx_reply_t *b, size_t i, size_t n)
{
    size_t k, pairs;

    if (n > CX_AGG_COUNT) {
        return -1;
    }

    for (; n > 0; n--) {
        if (i + 2 >= b->n || b->type[i] != REDIS_REPLY_ARRAY || b->s[i].len != 2
            || b->type[i + 1] != REDIS_REPLY_STRING
            || b->type[i + 2] != REDIS_REPLY_ARRAY
            || b->s[i + 2].len > b->n - i - 3)
        {
            return -1;
        }

        pairs = b->s[i + 2].len;
        i += 3;

        for (k = 0; k < pairs; k++) {
            if (b->type[i + k] != REDIS_REPLY_STRING) {
                return -1;
            }
        }

        i += pairs;
    }

    return 0;
}


/* n entries from token i, see above.  Moves i behind them. */

static int
cx_stream_fold(cx_agg_t *a, cx_agg_site_t *s, size_t *token, size_t n)
{
    size_t      i, k, pairs;
    int64_t     now, ms;
    cx_str_t   *id, *v;
    cx_redis_t *r;
    const char *why;

    r = cx_agg_redis(s);
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
        snprintf(r->error, sizeof(r->error), "unexpected reply to XREAD");
        return -1;
    }

    /* by Redis's clock it is at least that late, whatever ours says */

    ms = strtoll((char *) id->data, NULL, 10);
    now = cx_agg_now();
    now = now > ms ? now : ms;
    s->hour = ms / cx_window_len(CX_HOUR);

    if (cx_agg_load(r, s, a->event, a->refused, n, now)) {
        return -1;
    }

    for (k = 0; k < n; k++) {
        i = a->token[k];
        why = a->refused[k];
        why = why ? why : cx_agg_fold(s, &a->event[k], now);

        if (why) {
            cx_stream_refuse(s, &v[i + 1], why);
            cx_agg_reject(s, why, &v[i + 1], &v[i + 3], v[i + 2].len);
        }
    }

    memcpy(s->at, id->data, id->len);
    s->at[id->len] = '\0';
    s->life[CX_LIFE_ENTRIES] += (int64_t) n;
    s->pending_since = s->pending ? s->pending_since : cx_monotonic();
    s->pending += (int64_t) n;
    s->drained = n < CX_AGG_COUNT;

    return 0;
}


/* what a reply to XREAD brought; 0, or -1 and r->error, of a site if known */

static int
cx_stream_take(cx_agg_t *a, cx_redis_t *r, cx_agg_site_t **site)
{
    size_t      i, n, streams;
    cx_reply_t *b;

    b = &a->batch;
    *site = NULL;

    if (cx_redis_get(r, b)) {
        return -1;
    }

    if (b->type[0] != REDIS_REPLY_ARRAY) {
        return 0;
    }

    i = 1;

    for (streams = b->s[0].len; streams > 0; streams--) {
        n = 0;

        if (i + 2 < b->n && b->type[i + 1] == REDIS_REPLY_STRING
            && b->type[i + 2] == REDIS_REPLY_ARRAY)
        {
            *site = cx_stream_site(a, &b->s[i + 1]);
            n = b->s[i + 2].len;
        }

        i += 3;

        if (n == 0 || *site == NULL || !(*site)->ready
            || cx_stream_entries(b, i, n)) {
            snprintf(r->error, sizeof(r->error), "unexpected reply to XREAD");
            return -1;
        }

        if (cx_stream_fold(a, *site, &i, n)) {
            return -1;
        }
    }

    return 0;
}


/* which of the sites of a node have news: their drained becomes 0 */

static int
cx_stream_look(cx_agg_t *a, cx_agg_host_t *h)
{
    char           why[200];
    cx_redis_t    *r;
    cx_agg_site_t *s, *failed;

    r = &h->node->redis;
    failed = NULL;

    for (s = a->site; s; s = s->next) {
        if (s->host == h && s->ready && s->drained) {
            cx_stream_ask(r, s, 1);
        }
    }

    for (s = a->site; s && r->expect; s = s->next) {
        if (s->host != h || !s->ready || !s->drained) {
            continue;
        }

        if (cx_redis_get(r, &a->reply) == 0) {
            s->drained = a->reply.type[0] != REDIS_REPLY_ARRAY;

        } else if (!r->up) {
            cx_agg_trouble(a, h, NULL);
            return -1;

        } else if (failed == NULL) {
            failed = s;
            memcpy(why, r->error, sizeof(why));
        }
    }

    if (failed) {
        memcpy(r->error, why, sizeof(why));
        cx_agg_trouble(a, h, failed);
        return -1;
    }

    return 0;
}


static void
cx_stream_apart(cx_agg_t *a, cx_agg_host_t *h)
{
    cx_redis_t    *r;
    cx_agg_site_t *s, *site;

    if (cx_stream_look(a, h)) {
        return;
    }

    r = &h->node->redis;

    for (s = a->site; s; s = s->next) {
        if (s->host != h || !s->ready || s->drained) {
            continue;
        }

        s->drained = 1;
        cx_stream_ask(r, s, CX_AGG_COUNT);

        if (cx_stream_take(a, r, &site)) {
            cx_agg_trouble(a, h, s);
            return;
        }
    }
}


static void
cx_stream_together(cx_agg_t *a, cx_agg_host_t *h, int block)
{
    cx_redis_t    *r;
    cx_agg_site_t *s, *site;

    r = &h->node->redis;

    if (!cx_stream_ask_all(a, r, block) || cx_stream_take(a, r, &site) == 0) {
        return;
    }

    if (r->up && site == NULL) {
        /* one of the streams is to blame; which one is found soon */

        h->apart_at = cx_monotonic();
        cx_redis_close(r);

        for (s = a->site; s; s = s->next) {
            s->drained = 0; /* none was read */
        }

        return;
    }

    cx_agg_trouble(a, h, site);
}


void
cx_agg_read(cx_agg_t *a, int block)
{
    int64_t        now;
    cx_agg_host_t *h;

    now = cx_monotonic();

    for (h = a->host; h; h = h->next) {
        if (!h->node->redis.up || !h->node->used) {
            continue;
        }

        if (a->nodes.target->mode == CX_REDIS_CLUSTER
            || (h->apart_at && now < h->apart_at + CX_STREAM_APART))
        {
            cx_stream_apart(a, h);

        } else {
            cx_stream_together(a, h, block);
        }
    }
}
