/* The checkpoint of a site, and what was there before us. */

#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"


static void
cx_load_checkpoint(cx_agg_site_t *s, const cx_reply_t *reply)
{
    int       k;
    size_t    i;
    int64_t   n;
    cx_str_t *name, *value;

    memcpy(s->id, "0-0", 4);
    memset(s->life, 0, sizeof(s->life));
    s->base = 0;
    s->based = 0;

    for (i = 1; i + 1 < reply->n; i += 2) {
        name = &reply->s[i];
        value = &reply->s[i + 1];

        if (name->len == 2 && memcmp(name->data, "id", 2) == 0
            && value->len < sizeof(s->id))
        {
            memcpy(s->id, value->data, value->len);
            s->id[value->len] = '\0';
        }

        if (cx_number(&n, value)) {
            continue;
        }

        if (name->len == 4 && memcmp(name->data, "base", 4) == 0) {
            s->base = n;
            s->based = 1;
        }

        for (k = 0; k < CX_LIFE_N; k++) {
            if (strlen(cx_lifetime[k]) == name->len
                && memcmp(cx_lifetime[k], name->data, name->len) == 0)
            {
                s->life[k] = n;
            }
        }
    }
}


/* which shards of open visits there are */

static int
cx_load_shards(cx_redis_t *r, cx_agg_site_t *s, cx_reply_t *reply)
{
    int      i, k;
    char     key[CX_KEY_MAX];
    size_t   len;
    int64_t  ms;
    cx_str_t name;

    s->pre_hour = atoll(s->id) / cx_window_len(CX_HOUR);
    s->hour = s->pre_hour;
    memset(s->pre, 0, sizeof(s->pre));

    if (s->pre_hour == 0) {
        return 0;
    }

    for (i = 0; i < CX_AGG_VISITS_HOURS * CX_AGG_SHARDS; i++) {
        ms = (s->pre_hour - i / CX_AGG_SHARDS) * cx_window_len(CX_HOUR);
        name = cx_agg_shard(i % CX_AGG_SHARDS);
        len = cx_key(key, CX_KEY_VISITS, &s->name, CX_HOUR,
                     cx_window(CX_HOUR, ms), &name);
        cx_redis_command(r, 2);
        cx_redis_text(r, "EXISTS");
        cx_redis_arg(r, key, len);
    }

    for (i = 0; i < CX_AGG_VISITS_HOURS; i++) {
        for (k = 0; k < CX_AGG_SHARDS; k++) {
            if (cx_redis_get(r, reply)) {
                return -1;
            }

            s->pre[i][k] = reply->s[0].len != 0;
        }
    }

    return 0;
}


int
cx_agg_load_site(cx_redis_t *r, cx_agg_site_t *s)
{
    int        rc;
    char       key[CX_KEY_MAX];
    size_t     len;
    cx_reply_t reply;

    cx_agg_site_reset(s);
    memset(&reply, 0, sizeof(cx_reply_t));

    len = cx_key(key, CX_KEY_CHECKPOINT, &s->name, 0, 0, NULL);
    cx_redis_command(r, 2);
    cx_redis_text(r, "HGETALL");
    cx_redis_arg(r, key, len);
    rc = cx_redis_get(r, &reply);

    if (rc == 0) {
        cx_load_checkpoint(s, &reply);
        memcpy(s->at, s->id, sizeof(s->at));
        rc = cx_load_shards(r, s, &reply);
    }

    cx_reply_free(&reply);
    s->ready = rc == 0;
    s->stale = 1;
    s->gap_at = 0;

    return rc;
}
