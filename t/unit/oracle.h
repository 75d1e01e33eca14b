/*
 * What jansson makes of a beacon, against cx_batch_parse(): for the unit test
 * of mutated beacons and the fuzzer.
 */

#ifndef ORACLE_H
#define ORACLE_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "cx_core.h"


/* what may stand beside "v" and "events" */

static const struct {
    const char  *name;
    size_t       off;
    cx_field_t   f;

} oracle_top[] = {
    { "page", offsetof(cx_batch_t, page),
      { "", CX_KIND_LINE, CX_PAGE_MAX, 0, "" } },
    { "path", offsetof(cx_batch_t, path),
      { "", CX_KIND_LINE, 2048, 0, "" } },
    { "view", offsetof(cx_batch_t, view),
      { "", CX_KIND_HEX, 16, 0, "" } },
    { "touchpoint", offsetof(cx_batch_t, touchpoint),
      { "", CX_KIND_NAME, CX_NAME_MAX, 0, "" } },
    { "stage", offsetof(cx_batch_t, stage),
      { "", CX_KIND_NAME, CX_NAME_MAX, 0, "" } },
    { "token", offsetof(cx_batch_t, token),
      { "", CX_KIND_LINE, 160, 0, "" } }
};

#define ORACLE_TOP  (sizeof(oracle_top) / sizeof(oracle_top[0]))


/* nested deeper than a beacon may be; brackets in strings do not count */

static int
oracle_deep(const unsigned char *p, size_t len)
{
    int     quoted, depth;
    size_t  i;

    quoted = 0;
    depth = 0;

    for (i = 0; i < len; i++) {

        if (p[i] == '\\' && quoted) {
            i++;

        } else if (p[i] == '"') {
            quoted = !quoted;

        } else if (!quoted && (p[i] == '{' || p[i] == '[')) {
            if (++depth > CX_JSON_DEPTH) {
                return 1;
            }

        } else if (!quoted && (p[i] == '}' || p[i] == ']')) {
            depth--;
        }
    }

    return 0;
}


/* a value as its field in the stream; 0 if it is not of the field's kind */

static int
oracle_text(cx_str_t *v, char *num, const cx_field_t *f, const json_t *value)
{
    if (f->kind == CX_KIND_INT) {

        if (!json_is_integer(value)) {
            return 0;
        }

        v->len = (size_t) sprintf(num, "%lld",
                                  (long long) json_integer_value(value));
        v->data = (unsigned char *) num;

    } else {

        if (!json_is_string(value)) {
            return 0;
        }

        v->len = json_string_length(value);
        v->data = (unsigned char *) json_string_value(value);
    }

    return cx_field_ok(f, v);
}


static int
oracle_same(const cx_str_t *a, const cx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/*
 * 1 if the event is one that a beacon may have; ev, if not NULL, is what
 * cx_batch_parse() made of it, and must be the same.
 */

static int
oracle_event(json_t *object, const cx_event_t *ev, int *differs)
{
    int                type, signal;
    char               num[32];
    json_t            *value;
    cx_str_t           v;
    unsigned           k, found;
    const cx_field_t  *f;

    static const cx_str_t  none = { 0, NULL };

    value = json_object_get(object, "type");
    type = json_is_string(value)
           ? cx_type_find((const unsigned char *) json_string_value(value),
                          json_string_length(value))
           : -1;

    if (type == -1 || type == CX_VIEW) {
        return 0;
    }

    *differs |= (ev && ev->type != (unsigned) type);
    found = 1;

    for (k = 0; k < cx_types[type].n; k++) {

        f = &cx_types[type].fields[k];
        value = json_object_get(object, f->name);
        v = none;

        if (value) {
            found++;

            if (f->from == CX_FROM_EDGE || f->from == CX_FROM_TOP
                || !oracle_text(&v, num, f, value))
            {
                return 0;
            }
        }

        if (f->from == CX_FROM_ASK && v.len == 0) {
            return 0;
        }

        *differs |= (ev && !oracle_same(&ev->v[k], &v));

        if (type == CX_SIGNAL && k == CX_SIGNAL_NAME) {
            signal = cx_signal_find(v.data, v.len);

            if (signal == -1
                || !(cx_signals[signal].seen & CX_SEEN_BROWSER))
            {
                return 0;
            }
        }
    }

    return found == json_object_size(object);
}


/* 1 if it is an age, or none is given */

static int
oracle_age(const json_t *value, const cx_batch_t *b, int *differs)
{
    char      num[32];
    cx_str_t  v;

    static const cx_field_t  f = { "", CX_KIND_INT, CX_AGE_MAX, 0, "" };

    if (value && !oracle_text(&v, num, &f, value)) {
        return 0;
    }

    *differs |= (b && b->age != (value ? json_integer_value(value) : -1));

    return 1;
}


/* 1 if it is a beacon; b, if not NULL, is what is compared with it */

static int
oracle_beacon(json_t *root, const cx_batch_t *b, int *differs)
{
    size_t           i, found, answers;
    json_t          *value, *events;
    cx_str_t         v[ORACLE_TOP];
    const cx_str_t  *page, *path, *token;

    events = json_object_get(root, "events");
    value = json_object_get(root, "v");

    if (!json_is_integer(value) || json_integer_value(value) != 1
        || !json_is_array(events) || json_array_size(events) == 0
        || json_array_size(events) > CX_BATCH_EVENTS)
    {
        return 0;
    }

    memset(v, 0, sizeof(v));
    found = 2;

    for (i = 0; i < ORACLE_TOP; i++) {

        value = json_object_get(root, oracle_top[i].name);

        if (value) {
            found++;

            if (!oracle_text(&v[i], NULL, &oracle_top[i].f, value)) {
                return 0;
            }
        }

        *differs |= (b
                     && !oracle_same((const cx_str_t *) (const void *)
                                     ((const char *) b + oracle_top[i].off),
                                     &v[i]));
    }

    value = json_object_get(root, "age");
    found += (value != NULL);

    if (!oracle_age(value, b, differs)) {
        return 0;
    }

    page = &v[0];
    path = &v[1];
    token = &v[ORACLE_TOP - 1];

    if (found != json_object_size(root)
        || (page->len == 0) == (path->len == 0)
        || (page->len && (memchr(page->data, '?', page->len)
                          || memchr(page->data, '#', page->len)))
        || (path->len && path->data[0] != '/'))
    {
        return 0;
    }

    *differs |= (b && b->n != json_array_size(events));
    answers = 0;

    for (i = 0; i < json_array_size(events); i++) {

        value = json_array_get(events, i);

        if (!oracle_event(value, b ? &b->ev[i] : NULL, differs)) {
            return 0;
        }

        value = json_object_get(value, "type");
        answers += (strcmp(json_string_value(value), "answer") == 0);
    }

    *differs |= (b && b->answers != answers);

    return answers == 0 || token->len;
}


/* NULL if cx_batch_parse() did right to answer rc; else in what it did not */

static const char *
oracle_differs(const cx_batch_t *b, cx_reject_e rc, const unsigned char *body,
    size_t len)
{
    int                     differs, beacon, lost;
    size_t                  i;
    json_t                 *root;
    json_error_t            error;
    enum json_error_code    code;

    if (len > CX_BODY_MAX || oracle_deep(body, len)) {
        return (rc == CX_REJECT_NONE) ? "too large or deep, but taken" : NULL;
    }

    /* nowhere in JSON; but jansson overlooks it behind a number or a word */

    if (memchr(body, '\0', len)) {
        return (rc != CX_REJECT_JSON) ? "NUL, but taken for JSON" : NULL;
    }

    root = json_loadb((const char *) body, len, JSON_REJECT_DUPLICATES,
                      &error);

    if (root == NULL) {

        /*
         * A doubled key and a number that no double can hold may be refused
         * for another mistake: there jansson does not look further.
         */

        code = json_error_code(&error);
        lost = (code == json_error_duplicate_key
                || code == json_error_numeric_overflow);

        if (rc == CX_REJECT_JSON || (lost && rc != CX_REJECT_NONE)) {
            return NULL;
        }

        return "not JSON, but taken for it";
    }

    differs = 0;
    beacon = oracle_beacon(root, (rc == CX_REJECT_NONE) ? b : NULL, &differs);

    json_decref(root);

    if (rc == CX_REJECT_JSON) {
        return "JSON, but not taken for it";
    }

    if (rc == CX_REJECT_NONE) {
        return !beacon ? "a bad beacon, but taken"
                       : differs ? "values differ" : NULL;
    }

    if (!beacon) {
        return NULL;
    }

    /* jansson reads "-0" as 0 */

    for (i = 0; i + 1 < len; i++) {
        if (body[i] == '-' && body[i + 1] == '0') {
            return NULL;
        }
    }

    return "a good beacon, but refused";
}

#endif /* ORACLE_H */
