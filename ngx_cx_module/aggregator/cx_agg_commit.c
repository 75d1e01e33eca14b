/*
 * Step 6: the commands that cx_agg_ops.c made, run as one transaction together
 * with the move of the checkpoint.
 *
 * WATCH on the checkpoint is the compare, MULTI ... EXEC the set: if anybody
 * touches the checkpoint between the look at it and EXEC, nothing is run.  The
 * same list through a script costs Redis twice as much (measured: 2.1 us an
 * event more), because Lua makes a string of its own of every argument.
 */

#include <stdio.h>
#include <string.h>
#include "cx_agg.h"


static void
cx_commit_key(cx_agg_site_t *s, cx_redis_t *r)
{
    char key[CX_KEY_MAX];

    cx_redis_arg(r, key, cx_key(key, CX_KEY_CHECKPOINT, &s->name, 0, 0, NULL));
}


/* 1 if a counter of the checkpoint is what we know, or neither is there */

static int
cx_commit_same(const cx_reply_t *reply, size_t i, int64_t known)
{
    int64_t n;

    return (cx_number(&n, &reply->s[i]) ? 0 : n) == known;
}


/*
 * Compare: from here on EXEC fails if anybody touches the checkpoint.  Whoever
 * has changed the version of the rollups has moved it as well.  The id alone
 * would not do: where a stream fell back it is an earlier one again, and who
 * slept meanwhile would write counters of that time.
 */

static int
cx_commit_watch(cx_redis_t *r, cx_agg_site_t *s, cx_reply_t *reply)
{
    int       fresh;
    cx_str_t *id;

    cx_redis_command(r, 2);
    cx_redis_text(r, "WATCH");
    cx_commit_key(s, r);
    cx_redis_command(r, 6);
    cx_redis_text(r, "HMGET");
    cx_commit_key(s, r);
    cx_redis_text(r, "id");
    cx_redis_text(r, "schema");
    cx_redis_text(r, cx_lifetime[CX_LIFE_ENTRIES]);
    cx_redis_text(r, cx_lifetime[CX_LIFE_GAPS]);

    if (cx_redis_get(r, reply) || cx_redis_get(r, reply)) {
        return CX_COMMIT_FAILED;
    }

    if (reply->type[0] != REDIS_REPLY_ARRAY || reply->n != 5) {
        snprintf(r->error, sizeof(r->error), "unexpected reply to HMGET");
        return CX_COMMIT_FAILED;
    }

    id = &reply->s[1];
    fresh = reply->type[1] == REDIS_REPLY_NIL;

    if (fresh) {
        return strcmp(s->id, "0-0") == 0 ? CX_COMMIT_OK : CX_COMMIT_CONFLICT;
    }

    return id->len == strlen(s->id) && memcmp(id->data, s->id, id->len) == 0
                   && cx_agg_schema_parse(&reply->s[2]) == s->schema
                   && cx_commit_same(reply, 3, s->counted)
                   && cx_commit_same(reply, 4, s->gaps)
               ? CX_COMMIT_OK
               : CX_COMMIT_CONFLICT;
}


void
cx_agg_commit_exec(cx_redis_t *r, const cx_agg_site_t *s)
{
    cx_buf_t *b;

    b = &r->out;
    cx_buf_need(b, s->ops.len);

    if (s->ops.len) {
        memcpy(b->data + b->len, s->ops.data, s->ops.len);
        b->len += s->ops.len;
        r->expect += s->commands;
    }

    cx_redis_words(r, "EXEC");
}


/* set: the checkpoint, then s->ops */

static void
cx_commit_send(cx_redis_t *r, cx_agg_site_t *s, int64_t now)
{
    int  i, schema, len, fell;
    char text[32];

    /* who is older than what is there leaves the number as it is */

    schema = cx_agg_schema();
    schema = schema > s->schema ? schema : s->schema;
    len = snprintf(text, sizeof(text), "%d.%d", schema / 1000, schema % 1000);

    cx_redis_words(r, "MULTI");
    fell = s->behind >= 0;
    cx_redis_command(r, (size_t) (8 + 2 * s->based + 2 * fell + 2 * CX_LIFE_N));
    cx_redis_text(r, "HSET");
    cx_commit_key(s, r);
    cx_redis_text(r, "id");
    cx_redis_text(r, s->at);
    cx_redis_text(r, "updated");
    cx_redis_number(r, now);
    cx_redis_text(r, "schema");
    cx_redis_arg(r, text, (size_t) len);

    if (s->based) {
        cx_redis_text(r, "base");
        cx_redis_number(r, s->base);
    }

    if (fell) {
        cx_redis_text(r, "behind");
        cx_redis_number(r, s->behind);
    }

    for (i = 0; i < CX_LIFE_N; i++) {
        cx_redis_text(r, cx_lifetime[i]);
        cx_redis_number(r, s->life[i]);
    }

    cx_agg_commit_exec(r, s);
}


/*
 * Replies: OK, a QUEUED for each command, and what EXEC says: nil if the
 * checkpoint was touched, an error if a command was refused when it was queued
 * (READONLY, OOM: then none was run), else an array.
 */

int
cx_agg_commit_take(cx_redis_t *r, const cx_agg_site_t *s, cx_reply_t *reply)
{
    char   why[sizeof(r->error)];
    size_t i, failed, first;

    why[0] = '\0';

    while (r->expect > 1) {
        if (cx_redis_get(r, reply)) {
            if (!r->up) {
                return CX_COMMIT_FAILED;
            }

            if (why[0] == '\0') {
                memcpy(why, r->error, sizeof(why));
            }
        }
    }

    if (cx_redis_get(r, reply)) {
        if (r->up && why[0]) {
            memcpy(r->error, why, sizeof(why));
        }

        return CX_COMMIT_FAILED;
    }

    if (reply->type[0] != REDIS_REPLY_ARRAY) {
        return CX_COMMIT_CONFLICT;
    }

    failed = 0;
    first = 0;

    for (i = reply->n; i-- > 1;) {
        if (reply->type[i] == REDIS_REPLY_ERROR) {
            failed++;
            first = i;
        }
    }

    if (failed) {
        cx_agg_log(CX_LOG_ERROR,
                   "site %.*s: %zu of the commands of a commit "
                   "failed, the first: %.*s",
                   (int) s->name.len, (char *) s->name.data, failed,
                   (int) reply->s[first].len, (char *) reply->s[first].data);
    }

    return CX_COMMIT_OK;
}


static int
cx_commit_run(cx_redis_t *r, cx_agg_site_t *s, cx_reply_t *reply, int64_t now)
{
    int rc;

    rc = cx_commit_watch(r, s, reply);

    if (rc == CX_COMMIT_OK) {
        cx_commit_send(r, s, now);
        return cx_agg_commit_take(r, s, reply);
    }

    if (rc == CX_COMMIT_CONFLICT) {
        cx_redis_words(r, "UNWATCH");
        return cx_redis_get(r, reply) ? CX_COMMIT_FAILED : rc;
    }

    return rc;
}


int
cx_agg_commit_ops(cx_redis_t *r, cx_agg_site_t *s, int64_t now)
{
    int        rc;
    cx_reply_t reply;

    memset(&reply, 0, sizeof(cx_reply_t));
    rc = cx_commit_run(r, s, &reply, now);
    cx_reply_free(&reply);

    if (rc == CX_COMMIT_OK) {
        s->ops.len = 0;
        s->commands = 0;
        s->changes = 0;
        memcpy(s->id, s->at, sizeof(s->id));
        s->counted = s->life[CX_LIFE_ENTRIES];
        s->gaps = s->life[CX_LIFE_GAPS];
        s->schema = s->schema > cx_agg_schema() ? s->schema : cx_agg_schema();
        s->committed_at = cx_monotonic();
    }

    return rc;
}


int
cx_agg_commit(cx_redis_t *r, cx_agg_site_t *s, int64_t now)
{
    int rc;

    cx_agg_ops(s, now);
    rc = cx_agg_commit_ops(r, s, now);

    if (rc == CX_COMMIT_OK) {
        cx_agg_log(CX_LOG_DEBUG, "site %.*s: %lld entries counted, at %s",
                   (int) s->name.len, s->name.data, (long long) s->pending,
                   s->id);
        s->pending = 0;
        cx_agg_site_trim(s);
    }

    return rc;
}
