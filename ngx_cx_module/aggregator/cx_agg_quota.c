/*
 * What a site keeps of its surveys beside the rollups: their definitions, and
 * how many answers each has, in all and by day, for those who must stop asking.
 */

#include <stdlib.h>
#include <string.h>
#include "cx_agg_quota.h"

#define CX_QUOTA_DAYS 7 /* that fields of days are kept, and today */


/* ---- definitions ---- */

static void
cx_commit_definitions(cx_agg_site_t *s)
{
    cx_agg_definition_t *d;

    for (d = s->definitions_changed; d; d = d->next_changed) {
        cx_agg_op(s, "HSET", 3);
        cx_agg_op_key(s, CX_KEY_DEFINITIONS, NULL, NULL);
        cx_agg_op_arg(s, d->node.key.data, d->node.key.len);
        cx_agg_op_arg(s, d->text.data, d->text.len);
        d->changed = 0;
    }

    s->definitions_changed = NULL;
}


/* ---- quotas ---- */

/* "<survey>:20261121"; dst has CX_NAME_MAX + 24 bytes */

static cx_str_t
cx_quota_field(char *dst, const cx_str_t *survey, int64_t ms)
{
    cx_str_t field;

    memcpy(dst, survey->data, survey->len);
    dst[survey->len] = ':';
    field.data = (unsigned char *) dst;
    field.len = survey->len + 1;
    field.len += cx_digits(dst + field.len, (uint64_t) cx_window(CX_DAY, ms));

    return field;
}


static void
cx_quota_add(cx_agg_site_t *s, const cx_str_t *field)
{
    cx_agg_op(s, "HINCRBY", 3);
    cx_agg_op_key(s, CX_KEY_QUOTA, NULL, NULL);
    cx_agg_op_arg(s, field->data, field->len);
    cx_agg_op_number(s, 1);
}


static int64_t
cx_quota_start(int64_t ms)
{
    return ms - ms % cx_window_len(CX_DAY);
}


/* one more answer to a survey, in all and on the day that it was given */

static void
cx_quota_count(cx_agg_site_t *s, const cx_agg_answer_t *a, int64_t oldest)
{
    char            room[CX_NAME_MAX + 24];
    cx_str_t        field;
    const cx_str_t *survey;
    cx_quota_day_t *day;

    survey = &a->v[CX_ANSWER_SURVEY];
    cx_quota_add(s, survey);

    if (cx_quota_start(a->ts) < oldest) {
        return;
    }

    field = cx_quota_field(room, survey, a->ts);
    cx_quota_add(s, &field);
    day = (cx_quota_day_t *) cx_quota_node(&s->quota, &field,
                                           sizeof(cx_quota_day_t));
    day->start = cx_quota_start(a->ts);
}


static void
cx_quota_drop(cx_agg_site_t *s, int64_t oldest)
{
    size_t         i;
    cx_agg_node_t *n, *next;

    for (i = 0; s->quota.bucket && i <= s->quota.mask; i++) {
        for (n = s->quota.bucket[i]; n; n = next) {
            next = n->next;

            if (((cx_quota_day_t *) n)->start < oldest) {
                cx_agg_op(s, "HDEL", 2);
                cx_agg_op_key(s, CX_KEY_QUOTA, NULL, NULL);
                cx_agg_op_arg(s, n->key.data, n->key.len);
                cx_agg_map_remove(&s->quota, n);
                free(n);
            }
        }
    }
}


void
cx_agg_surveys_ops(cx_agg_site_t *s, int64_t now)
{
    int64_t          today, oldest;
    cx_agg_answer_t *a;

    today = cx_quota_start(now);
    oldest = today - CX_QUOTA_DAYS * cx_window_len(CX_DAY);

    for (a = s->answers_changed; a; a = a->next_changed) {
        if (a->fresh) {
            a->fresh = 0;
            cx_quota_count(s, a, oldest);
        }
    }

    if (today != s->quota_day) {
        s->quota_day = today;
        cx_quota_drop(s, oldest);
    }

    cx_commit_definitions(s);
}


/* ---- from Redis ---- */

/* 1 if the first n bytes of a field are a field */

static int
cx_quota_has(const cx_reply_t *reply, const cx_str_t *field, size_t n)
{
    size_t i;

    for (i = 1; i < reply->n; i++) {
        if (reply->s[i].len == n
            && memcmp(reply->s[i].data, field->data, n) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * A field is of a day if it ends with one and what is before that has a field,
 * too: a survey's id may have a colon, and end with a date.
 */

static void
cx_quota_take(cx_agg_site_t *s, const cx_reply_t *reply, const cx_str_t *field)
{
    int64_t         day, start;
    cx_str_t        text;
    cx_quota_day_t *q;

    if (field->len < 10 || field->data[field->len - 9] != ':') {
        return;
    }

    text.data = field->data + field->len - 8;
    text.len = 8;

    if (cx_number(&day, &text) || !cx_quota_has(reply, field, field->len - 9)) {
        return;
    }

    start = cx_window_start(CX_DAY, day);

    if (start >= 0) {
        q = (cx_quota_day_t *) cx_quota_node(&s->quota, field,
                                             sizeof(cx_quota_day_t));
        q->start = start;
    }
}


int
cx_agg_surveys_load(cx_redis_t *r, cx_agg_site_t *s, cx_reply_t *reply)
{
    char                 key[CX_KEY_MAX];
    size_t               i;
    cx_agg_definition_t *d;

    cx_redis_command(r, 2);
    cx_redis_text(r, "HGETALL");
    cx_redis_arg(r, key, cx_key(key, CX_KEY_DEFINITIONS, &s->name, 0, 0, NULL));
    cx_redis_command(r, 2);
    cx_redis_text(r, "HKEYS");
    cx_redis_arg(r, key, cx_key(key, CX_KEY_QUOTA, &s->name, 0, 0, NULL));

    if (cx_redis_get(r, reply)) {
        return -1;
    }

    for (i = 1; i + 1 < reply->n; i += 2) {
        d = (cx_agg_definition_t *) cx_quota_node(&s->definition, &reply->s[i],
                                                  sizeof(cx_agg_definition_t));
        (void) cx_definition_set(d, &reply->s[i + 1]);
    }

    if (cx_redis_get(r, reply)) {
        return -1;
    }

    for (i = 1; i < reply->n; i++) {
        cx_quota_take(s, reply, &reply->s[i]);
    }

    return 0;
}
