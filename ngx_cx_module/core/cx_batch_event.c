/*
 * One event of a beacon.
 *
 * "type" may come last, and says what the rest may be: the members are
 * collected before they are looked at.
 */

#include <string.h>
#include "cx_core.h"


/* "type", all fields of a type, and one more that cannot be right */

#define CX_BATCH_MEMBERS (CX_FIELDS_MAX + 2)

typedef struct {
    cx_str_t  key;
    cx_str_t  v;
    cx_json_e kind;
} cx_batch_member_t;


static int cx_batch_members(cx_json_t *j, cx_batch_member_t *m, size_t *n);
static int cx_batch_fields(cx_event_t *ev, const cx_batch_member_t *m, size_t n,
                           cx_reject_t *why);
static int cx_batch_type(cx_event_t *ev, const cx_batch_member_t *m, size_t n,
                         cx_reject_t *why);
static int cx_batch_is_type(const cx_str_t *key);
static void cx_batch_field(cx_event_t *ev, int k, const cx_batch_member_t *m,
                           cx_reject_t *why);
static void cx_batch_complete(const cx_event_t *ev, cx_reject_t *why);


int
cx_batch_event(cx_json_t *j, cx_event_t *ev, cx_reject_t *why)
{
    size_t            n;
    cx_str_t          v;
    cx_batch_member_t m[CX_BATCH_MEMBERS];

    if (cx_json_peek(j) != '{') {
        cx_reject(why, CX_REJECT_SHAPE, "events", "an object for each event");

        return cx_json_value(j, &v) != CX_JSON_BAD;
    }

    if (!cx_batch_members(j, m, &n) || !cx_batch_fields(ev, m, n, why)) {
        return 0;
    }

    if (why->code == CX_REJECT_NONE) {
        cx_batch_complete(ev, why);
    }

    return 1;
}


/*
 * Of members that are too many only "type" is kept, in place of the last one:
 * the others suffice to find one that is unknown or doubled.
 */

static int
cx_batch_members(cx_json_t *j, cx_batch_member_t *m, size_t *n)
{
    cx_batch_member_t one;

    *n = 0;

    if (!cx_json_open(j, '{')) {
        return 0;
    }

    if (cx_json_close(j)) {
        return 1;
    }

    do {
        if (!cx_json_key(j, &one.key)) {
            return 0;
        }

        one.kind = cx_json_value(j, &one.v);

        if (one.kind == CX_JSON_BAD) {
            return 0;
        }

        if (*n < CX_BATCH_MEMBERS) {
            m[(*n)++] = one;

        } else if (cx_batch_is_type(&one.key)) {
            m[*n - 1] = one;
        }

    } while (cx_json_byte(j, ','));

    return cx_json_close(j);
}


static int
cx_batch_fields(cx_event_t *ev, const cx_batch_member_t *m, size_t n,
                cx_reject_t *why)
{
    int      k, type;
    size_t   i;
    unsigned next, seen;

    type = cx_batch_type(ev, m, n, why);

    if (type == -1 || why->code != CX_REJECT_NONE) {
        return type != -1;
    }

    memset(ev->v, 0, sizeof(ev->v));

    seen = 0;
    next = CX_COMMON_N;

    for (i = 0; i < n; i++) {
        if (i == (size_t) type) {
            continue;
        }

        k = cx_field_find(ev->type, &m[i].key, next);

        if (k != -1) {
            if (seen & (1u << k)) {
                return 0;
            }

            seen |= 1u << k;
            next = (unsigned) k + 1;
        }

        if (why->code == CX_REJECT_NONE) {
            cx_batch_field(ev, k, &m[i], why);
        }
    }

    return 1;
}


/* which member is the type, -1 if there are two */

static int
cx_batch_type(cx_event_t *ev, const cx_batch_member_t *m, size_t n,
              cx_reject_t *why)
{
    int    at, type;
    size_t i;

    static const char expected[]
        = "signal, leave, shown, start, dismiss or answer";

    at = -1;

    for (i = 0; i < n; i++) {
        if (!cx_batch_is_type(&m[i].key)) {
            continue;
        }

        if (at != -1) {
            return -1;
        }

        at = (int) i;
    }

    if (at == -1) {
        cx_reject(why, CX_REJECT_MISSING, "type", expected);
        return 0;
    }

    type = -1;

    if (m[at].kind == CX_JSON_STRING) {
        type = cx_type_find(m[at].v.data, m[at].v.len);
    }

    /* views, offers, refusals and definitions are the edge's own */

    if (type == -1 || !CX_BROWSER(type)) {
        cx_reject(why, CX_REJECT_TYPE, "type", expected);
        return at;
    }

    ev->type = (unsigned) type;

    return at;
}


static int
cx_batch_is_type(const cx_str_t *key)
{
    return key->len == 4 && memcmp(key->data, "type", 4) == 0;
}


static void
cx_batch_field(cx_event_t *ev, int k, const cx_batch_member_t *m,
               cx_reject_t *why)
{
    cx_json_e         kind;
    const cx_type_t  *t;
    const cx_field_t *f;

    t = &cx_types[ev->type];

    if (k == -1) {
        cx_reject_field(why, &m->key, t);
        return;
    }

    f = &t->fields[k];

    if (f->from == CX_FROM_EDGE) {
        cx_reject(why, CX_REJECT_FIELD, f->name, "filled by the server");
        return;
    }

    if (f->from == CX_FROM_TOP) {
        cx_reject(why, CX_REJECT_FIELD, f->name, "it goes beside events");
        return;
    }

    kind = (f->kind == CX_KIND_INT) ? CX_JSON_INT : CX_JSON_STRING;

    if (m->kind != kind || !cx_field_ok(f, &m->v)) {
        cx_reject_value(why, CX_REJECT_VALUE, f);
        return;
    }

    ev->v[k] = m->v;
}


/* nothing missing, a signal that browsers see, a choice of options */

static void
cx_batch_complete(const cx_event_t *ev, cx_reject_t *why)
{
    int              i;
    unsigned         k;
    const cx_str_t  *name;
    const cx_type_t *t;

    t = &cx_types[ev->type];

    for (k = CX_COMMON_N; k < t->n; k++) {
        if (t->fields[k].from == CX_FROM_ASK && ev->v[k].len == 0) {
            cx_reject_value(why, CX_REJECT_MISSING, &t->fields[k]);
            return;
        }
    }

    if (ev->type == CX_ANSWER && ev->v[CX_ANSWER_CHOICE].len
        && cx_survey_choice(&ev->v[CX_ANSWER_CHOICE]) < 0)
    {
        cx_reject(why, CX_REJECT_VALUE, "choice",
                  "positions from 0 to 11, rising, joined by commas");
        return;
    }

    if (ev->type != CX_SIGNAL) {
        return;
    }

    name = &ev->v[CX_SIGNAL_NAME];
    i = cx_signal_find(name->data, name->len);

    if (i == -1 || !(cx_signals[i].seen & CX_SEEN_BROWSER)) {
        cx_reject_signal(why);
    }
}
