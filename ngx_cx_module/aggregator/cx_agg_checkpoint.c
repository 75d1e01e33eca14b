/* The checkpoint of a site, and what was there before us. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"


/* ---- the version of the rollups ---- */

int
cx_agg_schema_parse(const cx_str_t *text)
{
    int    major, minor;
    char   copy[24], *end;
    size_t len;

    if (text == NULL || text->len == 0 || text->len >= sizeof(copy)) {
        return CX_AGG_SCHEMA(1, 0);
    }

    len = text->len;
    memcpy(copy, text->data, len);
    copy[len] = '\0';
    major = (int) strtol(copy, &end, 10);
    minor = *end == '.' ? (int) strtol(end + 1, NULL, 10) : 0;

    return major < 1 || major > 1000 || minor < 0 || minor > 999
               ? CX_AGG_SCHEMA(1, 0)
               : CX_AGG_SCHEMA(major, minor);
}


int
cx_agg_schema(void)
{
    cx_str_t text;

    text.data = (unsigned char *) CX_ROLLUP_SCHEMA;
    text.len = sizeof(CX_ROLLUP_SCHEMA) - 1;

    return cx_agg_schema_parse(&text);
}


/* ---- the checkpoint ---- */

static int
cx_load_is(const cx_str_t *name, const char *text)
{
    return strlen(text) == name->len
           && memcmp(text, name->data, name->len) == 0;
}


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
    s->behind = -1;
    s->schema = reply->n > 1 ? cx_agg_schema_parse(NULL) : cx_agg_schema();

    for (i = 1; i + 1 < reply->n; i += 2) {
        name = &reply->s[i];
        value = &reply->s[i + 1];

        if (cx_load_is(name, "id") && value->len < sizeof(s->id)) {
            memcpy(s->id, value->data, value->len);
            s->id[value->len] = '\0';
        }

        if (cx_load_is(name, "schema")) {
            s->schema = cx_agg_schema_parse(value);
        }

        if (cx_number(&n, value)) {
            continue;
        }

        if (cx_load_is(name, "base")) {
            s->base = n;
            s->based = 1;
        }

        if (cx_load_is(name, "behind")) {
            s->behind = n;
        }

        for (k = 0; k < CX_LIFE_N; k++) {
            if (cx_load_is(name, cx_lifetime[k])) {
                s->life[k] = n;
            }
        }
    }

    s->counted = s->life[CX_LIFE_ENTRIES];
    s->gaps = s->life[CX_LIFE_GAPS];
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


/* 1 if what is there was written by rules that we do not know */

static int
cx_load_newer(cx_redis_t *r, cx_agg_site_t *s)
{
    s->newer = s->schema / 1000 > cx_agg_schema() / 1000;

    if (s->newer) {
        snprintf(r->error, sizeof(r->error),
                 "rollups are of version %d.%d, this aggregator knows "
                 "%s: it needs to be a newer one",
                 s->schema / 1000, s->schema % 1000, CX_ROLLUP_SCHEMA);
    }

    return s->newer;
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
        rc = cx_load_newer(r, s) ? 1 : cx_load_shards(r, s, &reply);
    }

    if (rc == 0) {
        rc = cx_agg_surveys_load(r, s, &reply);
    }

    cx_reply_free(&reply);
    s->ready = rc == 0;
    s->stale = 1;
    s->gap_at = 0;
    s->tip[0] = '\0'; /* it may be another Redis by now, which knows less */

    return rc;
}
