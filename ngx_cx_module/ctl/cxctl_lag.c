/* cxctl lag: how far the aggregator is behind the stream, for monitors. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"

#define CX_LAG_PAGES 20   /* reads of 1000 entries to count unread */
#define CX_LAG_ALIVE 5000 /* ms, as a lease lasts */

typedef struct {
    char    checkpoint[48];
    char    last[48]; /* "-": no stream */
    int64_t unread;   /* entries */
    int     more;     /* at least that many */
    int64_t behind;   /* ms, the oldest of these */
    int64_t updated;  /* Unix time in ms, 0: never */
    int64_t base;
    int64_t life[CX_LIFE_N];
    char    owner[80]; /* of the lease, "": nobody */
    int64_t seen;      /* ms since the owner was, -1: never */
    int64_t alive;     /* aggregators seen within CX_LAG_ALIVE */
    int     shard;     /* -1: is none */
    int     bad;       /* beyond a limit */
} cx_lag_t;


static int
cx_lag_now(cx_ctl_t *c, int64_t *now)
{
    cx_ctl_ask(c, 1, "TIME");

    if (cx_ctl_get(c) || c->reply.n < 3) {
        return -1;
    }

    *now = strtoll((char *) c->reply.s[1].data, NULL, 10) * 1000
           + strtoll((char *) c->reply.s[2].data, NULL, 10) / 1000;

    return 0;
}


/* the oldest entry that is not counted, and how many follow it */

static int
cx_lag_unread(cx_ctl_t *c, cx_lag_t *l, const cx_ctl_stream_t *s, int64_t now)
{
    int     i;
    char    key[CX_KEY_MAX + 1], from[56];
    size_t  k, n;
    int64_t left;

    cx_ctl_key(c, key, CX_KEY_EVENTS, 0, 0, NULL);
    snprintf(from, sizeof(from), "(%s", l->checkpoint);

    for (i = 0; i < CX_LAG_PAGES; i++) {
        cx_ctl_ask(c, 6, "XRANGE", key, from, "+", "COUNT", "1000");

        if (cx_ctl_get(c)) {
            return -1;
        }

        n = c->reply.s[0].len;

        if (n == 0) {
            return 0;
        }

        if (i == 0) {
            l->behind = now - strtoll((char *) c->reply.s[2].data, NULL, 10);
            l->behind = l->behind < 0 ? 0 : l->behind;
        }

        l->unread += (int64_t) n;

        if (n < 1000) {
            return 0;
        }

        for (k = 1; --n > 0; k = cx_reply_skip(&c->reply, k)) {
            /* void */
        }

        snprintf(from, sizeof(from), "(%s", (char *) c->reply.s[k + 1].data);
    }

    /* many: Redis 7 can say how many without reading them */

    left = s->added - l->base - l->life[CX_LIFE_ENTRIES]
           - l->life[CX_LIFE_LOST];
    l->more = left < l->unread;
    l->unread = l->more ? l->unread : left;

    return 0;
}


/* who works on it, and who could */

static int
cx_lag_lease(cx_ctl_t *c, cx_lag_t *l, int64_t now)
{
    char    key[CX_KEY_MAX + 1];
    size_t  i;
    int64_t ago;

    cx_ctl_ask(c, 2, "GET", cx_ctl_key(c, key, CX_KEY_LEASE, 0, 0, NULL));

    if (cx_ctl_get(c)) {
        return -1;
    }

    if (c->reply.type[0] == REDIS_REPLY_STRING) {
        snprintf(l->owner, sizeof(l->owner), "%s", (char *) c->reply.s[0].data);
    }

    cx_ctl_ask(c, 5, "ZRANGE",
               cx_ctl_key(c, key, CX_KEY_AGGREGATORS, 0, 0, NULL), "0", "-1",
               "WITHSCORES");

    if (cx_ctl_get(c)) {
        return -1;
    }

    for (i = 1; i + 1 < c->reply.n; i += 2) {
        ago = now - (int64_t) strtod((char *) c->reply.s[i + 1].data, NULL);
        ago = ago < 0 ? 0 : ago;
        l->alive += ago <= CX_LAG_ALIVE;

        if (strcmp((char *) c->reply.s[i].data, l->owner) == 0) {
            l->seen = ago;
        }
    }

    return 0;
}


static int
cx_lag_read(cx_ctl_t *c, cx_lag_t *l)
{
    int             k, rc;
    char            key[CX_KEY_MAX + 1];
    int64_t         now;
    const char     *id;
    cx_ctl_stream_t stream;

    memset(l, 0, sizeof(cx_lag_t));
    l->seen = -1;

    if (cx_lag_now(c, &now) || cx_lag_lease(c, l, now)) {
        return -1;
    }

    /* checkpoint first: what is added meanwhile is behind it, not before */

    cx_ctl_ask(c, 2, "HGETALL",
               cx_ctl_key(c, key, CX_KEY_CHECKPOINT, 0, 0, NULL));
    if (cx_ctl_get(c)) {
        return -1;
    }

    id = cx_ctl_field(c, "id");
    snprintf(l->checkpoint, sizeof(l->checkpoint), "%s", *id ? id : "0-0");
    l->updated = cx_ctl_number(c, "updated");
    l->base = cx_ctl_number(c, "base");

    for (k = 0; k < CX_LIFE_N; k++) {
        l->life[k] = cx_ctl_number(c, cx_lifetime[k]);
    }

    rc = cx_ctl_stream(c, &stream);

    if (rc < 0) {
        return -1;
    }

    snprintf(l->last, sizeof(l->last), "%s", rc ? "-" : stream.last);

    if (rc || cx_ctl_id_order(stream.last, l->checkpoint) <= 0) {
        return 0;
    }

    return cx_lag_unread(c, l, &stream, now);
}


/* ---- what is told ---- */

static json_t *
cx_lag_json(cx_ctl_t *c, const cx_lag_t *l)
{
    int     k;
    json_t *o;

    o = json_object();
    json_object_set_new(o, "site", json_string((char *) c->whole.data));
    json_object_set_new(o, "shard",
                        l->shard < 0 ? json_null() : json_integer(l->shard));
    json_object_set_new(o, "unread", json_integer(l->unread));
    json_object_set_new(o, "unread_more", json_boolean(l->more));
    json_object_set_new(o, "behind_ms", json_integer(l->behind));
    json_object_set_new(o, "ok", json_boolean(!l->bad));
    json_object_set_new(o, "checkpoint", json_string(l->checkpoint));
    json_object_set_new(o, "last", json_string(l->last));
    json_object_set_new(o, "updated",
                        l->updated ? json_integer(l->updated) : json_null());
    json_object_set_new(o, "lease",
                        l->owner[0] ? cx_json_text(l->owner, strlen(l->owner))
                                    : json_null());
    json_object_set_new(o, "lease_seen_ms",
                        l->seen < 0 ? json_null() : json_integer(l->seen));
    json_object_set_new(o, "aggregators", json_integer(l->alive));

    for (k = 0; k < CX_LIFE_N; k++) {
        json_object_set_new(o, cx_lifetime[k], json_integer(l->life[k]));
    }

    return o;
}


static void
cx_lag_row(cx_ctl_t *c, cx_table_t *t, const cx_lag_t *l)
{
    char when[32];

    cx_table_add(t, "%.*s", (int) c->site.len, (char *) c->site.data);
    cx_table_add(t, "%lld%s", (long long) l->unread, l->more ? "+" : "");
    cx_table_add(t, "%.1f s", (double) l->behind / 1000);
    cx_table_add(t, "%s", l->updated ? cx_ctl_time(when, l->updated) : "never");
    cx_table_add(t, "%s", l->checkpoint);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_ENTRIES]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_REJECTED]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_LATE]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_LOST]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_GAPS]);
    cx_table_add(t, "%lld", (long long) l->alive);

    if (l->seen >= 0) {
        cx_table_add(t, "%s, seen %.1f s ago", l->owner,
                     (double) l->seen / 1000);
    } else {
        cx_table_add(t, "%s", l->owner[0] ? l->owner : "-");
    }
}


/* M(name, type, what, format, value of l): one metric family */

#define CX_LAG_METRICS(M)                                                     \
    M("lag_entries", "gauge", "Entries not counted yet.", "%.0f", l->unread)  \
    M("lag_seconds", "gauge", "Age of the oldest entry not counted.", "%.3f", \
      (double) l->behind / 1000)                                              \
    M("updated_timestamp_seconds", "gauge",                                   \
      "Unix time of the last commit, 0: never.", "%.3f",                      \
      (double) l->updated / 1000)                                             \
    M("instances", "gauge", "Aggregators seen within 5 s.", "%.0f", l->alive) \
    M("lease_held", "gauge", "1 if an aggregator works on it.", "%.0f",       \
      l->owner[0] != '\0')                                                    \
    M("entries_total", "counter", "Entries read.", "%.0f",                    \
      l->life[CX_LIFE_ENTRIES])                                               \
    M("rejected_total", "counter",                                            \
      "Entries that could not be read, set aside.", "%.0f",                   \
      l->life[CX_LIFE_REJECTED])                                              \
    M("late_total", "counter", "Entries older than every window kept.",       \
      "%.0f", l->life[CX_LIFE_LATE])                                          \
    M("lost_total", "counter", "Entries trimmed before they were read.",      \
      "%.0f", l->life[CX_LIFE_LOST])                                          \
    M("gaps_total", "counter", "Times that such a loss was noticed.", "%.0f", \
      l->life[CX_LIFE_GAPS])


typedef struct {
    char  *text;
    size_t len;
    FILE  *out;
} cx_lag_family_t;

enum {
#define CX_LAG_ID(name, type, what, format, value) +1
    CX_LAG_FAMILIES = CX_LAG_METRICS(CX_LAG_ID)
#undef CX_LAG_ID
};


static FILE *
cx_lag_stream(cx_lag_family_t *f)
{
    FILE *out;

    out = open_memstream(&f->text, &f->len);

    if (out == NULL) {
        cx_realloc(NULL, SIZE_MAX); /* says it, and ends */
    }

    return out;
}


/* all samples of a family stand together */

static void
cx_lag_sample(cx_ctl_t *c, cx_lag_family_t *family, const cx_lag_t *l)
{
    char             shard[16];
    cx_lag_family_t *f;

    f = family;
    shard[0] = '\0';

    if (l->shard >= 0) {
        snprintf(shard, sizeof(shard), "%d", l->shard);
    }

#define CX_LAG_SAMPLE(name, type, what, format, value)                       \
    if (f->out == NULL) {                                                    \
        f->out = cx_lag_stream(f);                                           \
        fprintf(f->out, "# HELP cx_aggregator_" name " " what                \
                        "\n# TYPE cx_aggregator_" name " " type "\n");       \
    }                                                                        \
    fprintf(f->out,                                                          \
            "cx_aggregator_" name "{site=\"%s\",shard=\"%s\"} " format "\n", \
            (char *) c->whole.data, shard, (double) (value));                \
    f++;

    CX_LAG_METRICS(CX_LAG_SAMPLE)
#undef CX_LAG_SAMPLE
}


static void
cx_lag_print(cx_lag_family_t *f)
{
    int i;

    for (i = 0; i < CX_LAG_FAMILIES; i++) {
        if (f[i].out) {
            fclose(f[i].out);
            fputs(f[i].text, stdout);
            free(f[i].text);
        }
    }
}


/* ---- all sites ---- */

typedef struct {
    cx_ctl_t       *ctl;
    json_t         *list;
    cx_table_t      table;
    cx_lag_family_t family[CX_LAG_FAMILIES];
} cx_lag_out_t;


static void
cx_lag_tell(cx_lag_out_t *o, const cx_lag_t *l)
{
    if (o->ctl->json) {
        json_array_append_new(o->list, cx_lag_json(o->ctl, l));

    } else if (o->ctl->prometheus) {
        cx_lag_sample(o->ctl, o->family, l);

    } else {
        cx_lag_row(o->ctl, &o->table, l);
    }
}


/* its shards, a row each; the worst of them decides */

static int
cx_lag_site(cx_lag_out_t *o, const char *site)
{
    int       i, rc;
    cx_ctl_t *c;
    cx_lag_t  l;

    c = o->ctl;
    rc = CX_CTL_OK;

    if (cx_ctl_parts(c, site)) {
        cx_ctl_drain(c);
        return CX_CTL_ERROR;
    }

    if (!c->known) {
        fprintf(stderr, "cxctl: site %s has no events, nor ever had\n", site);
        return CX_CTL_ERROR;
    }

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_lag_read(c, &l)) {
            cx_ctl_drain(c);
            rc = CX_CTL_ERROR;
            continue;
        }

        l.shard = c->part[i].shard;
        l.bad = l.behind > (int64_t) c->max * 1000
                || (c->max_entries >= 0 && l.unread > c->max_entries)
                || (c->max_rejected >= 0
                    && l.life[CX_LIFE_REJECTED] > c->max_rejected);
        rc = l.bad && rc == CX_CTL_OK ? CX_CTL_BAD : rc;
        cx_lag_tell(o, &l);
    }

    return rc;
}


int
cx_ctl_cmd_lag(cx_ctl_t *c)
{
    int                      rc, one;
    unsigned                 i;
    cx_lag_out_t             o;
    static const char *const head[] = {
        "<SITE",       ">UNREAD",  ">BEHIND",   "<COUNTED (UTC)",
        "<CHECKPOINT", ">ENTRIES", ">REJECTED", ">LATE",
        ">LOST",       ">GAPS",    ">ALIVE",    "<AT WORK"
    };

    memset(&o, 0, sizeof(cx_lag_out_t));
    o.ctl = c;
    o.list = json_array();
    cx_table_begin(&o.table, 12, head);
    rc = CX_CTL_OK;

    for (i = 0; i < c->n_sites; i++) {
        one = cx_lag_site(&o, c->sites[i]);
        rc = one > rc ? one : rc;
    }

    if (c->json) {
        cx_json_print(json_incref(o.list));

    } else if (c->prometheus) {
        cx_lag_print(o.family);

    } else {
        cx_table_print(&o.table);
    }

    cx_table_free(&o.table);
    json_decref(o.list);

    return rc;
}
