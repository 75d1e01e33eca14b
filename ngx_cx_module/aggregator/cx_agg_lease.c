/*
 * Who works on which site: a lease per site or shard, so that many aggregators
 * share the work and none does it in vain.  Nothing here keeps the counters
 * right: that is done by the checkpoint alone, also when two believe that they
 * own the same lease.
 *
 * All of it is one small script, sent whole each time.  A compare-and-extend of
 * WATCH, GET, MULTI and EXEC takes two round trips, and in a cluster that for
 * each site; the script takes one for all sites of a node, needs nothing that
 * SCRIPT FLUSH could take away, and has Redis's clock: those of the aggregators
 * need not agree.  A lease without an end, or with one far away, is of somebody
 * who set it by hand, or the clock went back: it counts as free.
 *
 * Fair share: each site is worth one part of as many aggregators as are seen
 * there; we hold no more sites than our parts add up to, rounded up.  What is
 * too much for some seconds is given back; what nobody takes for some seconds
 * is taken in spite of it, and then kept for a while, so that nothing goes to
 * and fro.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "cx_agg.h"

#define CX_LEASE_RENEW  1000  /* ms between renewals of ours */
#define CX_LEASE_LOOK   500   /* ms between looks at those of others */
#define CX_LEASE_SETTLE 3000  /* ms that a surplus or an orphan lasts first */
#define CX_LEASE_KEEP   60000 /* ms that an orphan is kept */

/* KEYS: lease, aggregators.  ARGV: id, ms, what to do.  Who has it now, and how
   many aggregators were seen there within ms */

static const char cx_lease_script[]
    = "local id, ms, what = ARGV[1], tonumber(ARGV[2]), ARGV[3] "
      "local owner = redis.call('GET', KEYS[1]) or '' "
      "local left = redis.call('PTTL', KEYS[1]) "
      "if owner ~= id and (left < 0 or left > 2 * ms) then owner = '' end "
      "if what == 'give' or what == 'end' then "
      "  if owner == id then redis.call('DEL', KEYS[1]) owner = '' end "
      "elseif owner == id then redis.call('PEXPIRE', KEYS[1], ms) "
      "elseif owner == '' and what == 'take' then "
      "  redis.call('SET', KEYS[1], id, 'PX', ms) owner = id "
      "end "
      "if what == 'end' then "
      "  redis.call('ZREM', KEYS[2], id) return {owner, 0} "
      "end "
      "local t = redis.call('TIME') "
      "local now = t[1] * 1000 + math.floor(t[2] / 1000) "
      "local seen = tonumber(redis.call('ZSCORE', KEYS[2], id) or 0) "
      "if seen > now or seen < now - 900 then "
      "  redis.call('ZADD', KEYS[2], now, id) "
      "end "
      "if redis.call('TTL', KEYS[2]) < 43200 then "
      "  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 86400000) "
      "  redis.call('EXPIRE', KEYS[2], 86400) "
      "end "
      "return {owner, redis.call('ZCOUNT', KEYS[2], now - ms, now + ms)}";


void
cx_agg_lease_init(cx_agg_t *a)
{
    char     host[64];
    uint32_t n;

    if (gethostname(host, sizeof(host)) != 0) {
        memcpy(host, "localhost", 10);
    }

    host[sizeof(host) - 1] = '\0';

    if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t) sizeof(n)) {
        n = (uint32_t) cx_agg_now() ^ (uint32_t) cx_monotonic() << 16;
    }

    srand(n);
    snprintf(a->id, sizeof(a->id), "%.48s:%ld:%08x", host, (long) getpid(), n);
}


static void
cx_lease_send(const cx_agg_t *a, const cx_agg_site_t *s, const char *what)
{
    char        key[CX_KEY_MAX];
    cx_redis_t *r;

    r = cx_agg_redis(s);
    cx_redis_command(r, 8);
    cx_redis_text(r, "EVAL");
    cx_redis_text(r, cx_lease_script);
    cx_redis_text(r, "2");
    cx_redis_arg(r, key, cx_key(key, CX_KEY_LEASE, &s->name, 0, 0, NULL));
    cx_redis_arg(r, key, cx_key(key, CX_KEY_AGGREGATORS, &s->name, 0, 0, NULL));
    cx_redis_text(r, a->id);
    cx_redis_number(r, CX_LEASE_MS);
    cx_redis_text(r, what);
}


/* ---- what we want ---- */

int64_t
cx_agg_lease_due(const cx_agg_site_t *s)
{
    return s->lease.at == 0 || s->lease.soon ? 0
           : s->lease.held                   ? s->lease.at + CX_LEASE_RENEW
                                             : s->lease.at + CX_LEASE_LOOK;
}


/* what we hold, and what we should */

static void
cx_lease_share(cx_agg_t *a, int64_t now)
{
    double         sum;
    cx_agg_site_t *s;

    sum = 0;
    a->held = 0;

    for (s = a->site; s; s = s->next) {
        if (!s->host || !s->host->node->redis.up || s->newer) {
            continue;
        }

        a->held += s->lease.held;
        sum += 1.0 / (s->lease.alive ? s->lease.alive : 1);
    }

    a->share = (unsigned) sum;
    a->share += sum - a->share > 1e-6;

    if (a->held <= a->share) {
        a->surplus_at = 0;

    } else if (a->surplus_at == 0) {
        a->surplus_at = now;
    }
}


/* which of them to take: first what is free or was never asked for */

static void
cx_lease_want(cx_agg_t *a, int64_t now)
{
    int             pass, first;
    unsigned        room;
    cx_agg_site_t  *s;
    cx_agg_lease_t *l;

    room = a->held < a->share ? a->share - a->held : 0;

    for (pass = 0; pass < 2; pass++) {
        for (s = a->site; s; s = s->next) {
            l = &s->lease;
            first = l->at == 0 || l->free_at;

            if (l->held || first == pass || !cx_agg_usable(s, now)) {
                continue;
            }

            l->want = room > 0
                      || (l->free_at && now >= l->free_at + CX_LEASE_SETTLE);
            room -= room > 0;
        }
    }
}


/* ---- what Redis says ---- */

static void
cx_lease_reply(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    cx_str_t       *owner;
    cx_agg_lease_t *l;

    l = &s->lease;
    l->at = now;
    l->soon = 0;

    if (a->reply.type[0] != REDIS_REPLY_ARRAY || a->reply.n != 3) {
        return;
    }

    owner = &a->reply.s[1];
    l->alive = a->reply.s[2].len ? (unsigned) a->reply.s[2].len : 1;

    if (owner->len == strlen(a->id)
        && memcmp(owner->data, a->id, owner->len) == 0) {
        if (!l->held) {
            l->held = 1;
            l->kept_at = l->free_at && now >= l->free_at + CX_LEASE_SETTLE ? now
                                                                           : 0;
        }

        l->free_at = 0;
        return;
    }

    if (l->held) {
        l->held = 0;
        cx_agg_site_reset(s);
    }

    if (owner->len == 0) {
        l->soon = l->free_at == 0;
        l->free_at = l->free_at ? l->free_at : now;
        return;
    }

    l->free_at = 0;

    if (!l->standby) {
        l->standby = 1;
        cx_agg_log(CX_LOG_INFO,
                   "site %.*s: another aggregator is at work (%.*s), "
                   "standing by",
                   (int) s->name.len, (char *) s->name.data, (int) owner->len,
                   (char *) owner->data);
    }
}


/* all sites of a node whose time has come, in one round trip */

static void
cx_lease_ask(cx_agg_t *a, cx_agg_host_t *h, int64_t now)
{
    char           why[200];
    cx_redis_t    *r;
    cx_agg_site_t *s, *failed;

    r = &h->node->redis;
    failed = NULL;

    for (s = a->site; s; s = s->next) {
        s->lease.asked = s->host == h && cx_agg_usable(s, now)
                         && now >= cx_agg_lease_due(s);

        if (s->lease.asked) {
            /* ours may have run out while we waited, and be nobody's */

            cx_lease_send(a, s,
                          s->lease.held || s->lease.want ? "take" : "look");
        }
    }

    for (s = a->site; s; s = s->next) {
        if (!s->lease.asked) {
            continue;
        }

        if (cx_redis_get(r, &a->reply) == 0) {
            cx_lease_reply(a, s, now);

        } else if (!r->up) {
            cx_agg_trouble(a, h, NULL);
            return;

        } else if (failed == NULL) {
            failed = s;
            memcpy(why, r->error, sizeof(why));
        }
    }

    if (failed) {
        memcpy(r->error, why, sizeof(why));
        cx_agg_trouble(a, h, failed);
    }
}


void
cx_agg_lease(cx_agg_t *a)
{
    int64_t        now;
    cx_agg_host_t *h;
    cx_agg_site_t *s;

    now = cx_monotonic();
    a->leased_at = now;

    if (a->conf->once || a->conf->rebuild) {
        /* does not last: whatever the leases say, both stay exact */

        for (s = a->site; s; s = s->next) {
            s->lease.held = 1;
            s->lease.at = now;
        }

        return;
    }

    cx_lease_share(a, now);
    cx_lease_want(a, now);

    for (h = a->host; h; h = h->next) {
        if (h->node->redis.up) {
            cx_lease_ask(a, h, cx_monotonic());
        }
    }

    cx_lease_share(a, cx_monotonic());
}


/* what the reply says is left to the next cx_agg_lease(): a site that is in
   use cannot be thrown away here, and its commits find out by themselves */

static void
cx_lease_kept(cx_agg_t *a, cx_agg_site_t *s, int64_t now)
{
    cx_str_t *owner;

    s->lease.at = 0;

    if (cx_redis_get(cx_agg_redis(s), &a->reply) == 0
        && a->reply.type[0] == REDIS_REPLY_ARRAY && a->reply.n == 3)
    {
        owner = &a->reply.s[1];

        if (owner->len == strlen(a->id)
            && memcmp(owner->data, a->id, owner->len) == 0) {
            s->lease.at = now;
        }
    }
}


void
cx_agg_lease_keep(cx_agg_t *a)
{
    int64_t        now;
    cx_agg_site_t *s;

    if (a->conf->once || a->conf->rebuild) {
        return;
    }

    now = cx_monotonic();

    for (s = a->site; s; s = s->next) {
        s->lease.asked = s->lease.held && s->lease.at && cx_agg_usable(s, now)
                         && now >= s->lease.at + CX_LEASE_RENEW;

        if (s->lease.asked) {
            cx_lease_send(a, s, "take");
        }
    }

    for (s = a->site; s; s = s->next) {
        if (s->lease.asked) {
            cx_lease_kept(a, s, now);
        }
    }
}


/* ---- giving back ---- */

int
cx_agg_lease_surplus(const cx_agg_t *a, const cx_agg_site_t *s, int64_t now)
{
    return s->lease.held && a->held > a->share && a->surplus_at
           && now >= a->surplus_at + CX_LEASE_SETTLE && s->lease.alive > 1
           && (s->lease.kept_at == 0
               || now >= s->lease.kept_at + CX_LEASE_KEEP);
}


void
cx_agg_lease_give(cx_agg_t *a, cx_agg_site_t *s)
{
    cx_lease_send(a, s, "give");

    if (cx_redis_get(cx_agg_redis(s), &a->reply)) {
        cx_agg_trouble(a, s->host, s);
        return;
    }

    cx_agg_log(CX_LOG_INFO,
               "site %.*s: given to another aggregator at %s: there are "
               "%u, and our share of the sites is %u",
               (int) s->name.len, (char *) s->name.data, s->id, s->lease.alive,
               a->share);
    cx_agg_site_reset(s);
    s->lease.held = 0;
    s->lease.at = cx_monotonic();
    s->lease.free_at = s->lease.at;
    s->lease.standby = 1;
    a->held--;
}


void
cx_agg_lease_end(cx_agg_t *a)
{
    cx_agg_site_t *s;

    if (a->conf->once || a->conf->rebuild) {
        return;
    }

    for (s = a->site; s; s = s->next) {
        s->lease.asked = s->host && s->host->node->redis.up;

        if (s->lease.asked) {
            cx_lease_send(a, s, "end");
        }
    }

    for (s = a->site; s; s = s->next) {
        if (s->lease.asked && cx_redis_get(cx_agg_redis(s), &a->reply)
            && cx_agg_redis(s)->up)
        {
            cx_agg_log(CX_LOG_WARN,
                       "site %.*s: its lease is not given back: %s",
                       (int) s->name.len, (char *) s->name.data,
                       cx_agg_redis(s)->error);
        }
    }
}
