/* cxctl lag: how far the aggregator is behind the stream, for monitors. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"

#define CX_LAG_PAGES 20 /* reads of 1000 entries to count unread */

typedef struct {
    char    checkpoint[48];
    char    last[48]; /* "-": no stream */
    int64_t unread;   /* entries */
    int     more;     /* at least that many */
    int64_t behind;   /* ms, the oldest of these */
    int64_t updated;  /* Unix time in ms, 0: never */
    int64_t entries;
    int64_t base;
    int64_t life[CX_LIFE_N];
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


static int
cx_lag_read(cx_ctl_t *c, cx_lag_t *l)
{
    int             k, rc;
    char            key[CX_KEY_MAX + 1];
    int64_t         now;
    const char     *id;
    cx_ctl_stream_t stream;

    memset(l, 0, sizeof(cx_lag_t));

    if (cx_lag_now(c, &now)) {
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


static json_t *
cx_lag_json(cx_ctl_t *c, const cx_lag_t *l, int bad)
{
    int     k;
    json_t *o;

    o = json_object();
    json_object_set_new(o, "site", json_string((char *) c->site.data));
    json_object_set_new(o, "unread", json_integer(l->unread));
    json_object_set_new(o, "unread_more", json_boolean(l->more));
    json_object_set_new(o, "behind_ms", json_integer(l->behind));
    json_object_set_new(o, "ok", json_boolean(!bad));
    json_object_set_new(o, "checkpoint", json_string(l->checkpoint));
    json_object_set_new(o, "last", json_string(l->last));
    json_object_set_new(o, "updated",
                        l->updated ? json_integer(l->updated) : json_null());

    for (k = 0; k < CX_LIFE_N; k++) {
        json_object_set_new(o, cx_lifetime[k], json_integer(l->life[k]));
    }

    return o;
}


static void
cx_lag_row(cx_ctl_t *c, cx_table_t *t, const cx_lag_t *l)
{
    char when[32];

    cx_table_add(t, "%s", (char *) c->site.data);
    cx_table_add(t, "%lld%s", (long long) l->unread, l->more ? "+" : "");
    cx_table_add(t, "%.1f s", (double) l->behind / 1000);
    cx_table_add(t, "%s", l->updated ? cx_ctl_time(when, l->updated) : "never");
    cx_table_add(t, "%s", l->checkpoint);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_ENTRIES]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_REJECTED]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_LATE]);
    cx_table_add(t, "%lld", (long long) l->life[CX_LIFE_LOST]);
}


int
cx_ctl_cmd_lag(cx_ctl_t *c)
{
    int                      rc, bad;
    json_t                  *list;
    unsigned                 i;
    cx_lag_t                 l;
    cx_table_t               t;
    static const char *const head[] = {
        "<SITE",    ">UNREAD",   ">BEHIND", "<COUNTED (UTC)", "<CHECKPOINT",
        ">ENTRIES", ">REJECTED", ">LATE",   ">LOST"
    };

    cx_table_begin(&t, 9, head);
    list = json_array();
    rc = CX_CTL_OK;

    for (i = 0; i < c->n_sites; i++) {
        c->site.data = (unsigned char *) c->sites[i];
        c->site.len = strlen(c->sites[i]);

        if (cx_lag_read(c, &l)) {
            rc = CX_CTL_ERROR;
            break;
        }

        bad = l.behind > (int64_t) c->max * 1000;
        rc = bad ? CX_CTL_BAD : rc;
        cx_lag_row(c, &t, &l);
        json_array_append_new(list, cx_lag_json(c, &l, bad));
    }

    if (c->json) {
        cx_json_print(json_incref(list));

    } else {
        cx_table_print(&t);
    }

    cx_table_free(&t);
    json_decref(list);

    return rc;
}
