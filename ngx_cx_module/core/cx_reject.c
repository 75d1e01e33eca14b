/*
 * Why a beacon is refused, in words for whoever sent it.
 */

#include <stdio.h>
#include <string.h>
#include "cx_core.h"


static void cx_reject_text(cx_reject_t *why, cx_reject_e code,
                           const unsigned char *field, size_t len,
                           const char *expected);
static void cx_reject_list(cx_reject_t *why, const char *name);


const char *
cx_reject_name(cx_reject_e code)
{
    static const char *names[] = { "none",          "bad_json",
                                   "bad_shape",     "unknown_version",
                                   "bad_count",     "unknown_type",
                                   "unknown_field", "missing_field",
                                   "bad_value" };

    return names[code];
}


void
cx_reject(cx_reject_t *why, cx_reject_e code, const char *field,
          const char *expected)
{
    cx_reject_text(why, code, (const unsigned char *) field, strlen(field),
                   expected);
}


void
cx_reject_value(cx_reject_t *why, cx_reject_e code, const cx_field_t *f)
{
    const char *format;

    switch (f->kind) {
    case CX_KIND_INT:
        format = "an integer from 0 to %lld";
        break;

    case CX_KIND_NAME:
        format = "a string of 1 to %lld characters A-Z a-z 0-9 _ . : -";
        break;

    case CX_KIND_HEX:
        format = "a string of 8 to %lld lower case hex digits";
        break;

    case CX_KIND_LINE:
        format = "a string of 1 to %lld bytes without control characters";
        break;

    default:
        format = "a string of 1 to %lld bytes, no control characters but "
                 "line feeds";
    }

    cx_reject(why, code, f->name, "");

    (void) snprintf(why->expected, sizeof(why->expected), format, f->max);
}


void
cx_reject_signal(cx_reject_t *why)
{
    int i;

    cx_reject(why, CX_REJECT_VALUE, "name", "");

    for (i = 0; i < CX_SIG_N; i++) {
        if (cx_signals[i].seen & CX_SEEN_BROWSER) {
            cx_reject_list(why, cx_signals[i].name);
        }
    }
}


void
cx_reject_field(cx_reject_t *why, const cx_str_t *key, const cx_type_t *t)
{
    unsigned k;

    if (t == NULL) {
        cx_reject_text(why, CX_REJECT_FIELD, key->data, key->len,
                       "v, page, path, view, touchpoint, stage, token, "
                       "age, events");
        return;
    }

    cx_reject_text(why, CX_REJECT_FIELD, key->data, key->len, "type");

    for (k = 0; k < t->n; k++) {
        if (t->fields[k].from == CX_FROM_ASK
            || t->fields[k].from == CX_FROM_MAY) {
            cx_reject_list(why, t->fields[k].name);
        }
    }
}


/* field may be a key of the client's: its name is made safe for JSON */

static void
cx_reject_text(cx_reject_t *why, cx_reject_e code, const unsigned char *field,
               size_t len, const char *expected)
{
    size_t   i;
    cx_str_t ch;

    static const cx_field_t name = { "", CX_KIND_NAME, 1, 0, "" };

    why->code = code;

    if (len > sizeof(why->field) - 1) {
        len = sizeof(why->field) - 1;
    }

    for (i = 0; i < len; i++) {
        ch.len = 1;
        ch.data = (unsigned char *) field + i;

        why->field[i] = cx_field_ok(&name, &ch) ? (char) field[i] : '?';
    }

    why->field[i] = '\0';

    (void) snprintf(why->expected, sizeof(why->expected), "%s", expected);
}


/* appends ", name", or ", ..." once there is no room for more than that */

static void
cx_reject_list(cx_reject_t *why, const char *name)
{
    size_t n, len;

    static const char more[] = ", ...";

    n = strlen(why->expected);
    len = sizeof(why->expected) - n;

    if (n >= sizeof(more) && memcmp(&why->expected[n - 3], "...", 3) == 0) {
        return;
    }

    if (strlen(name) + 2 + sizeof(more) > len) {
        (void) snprintf(why->expected + n, len, "%s", more);
        return;
    }

    (void) snprintf(why->expected + n, len, "%s%s", n ? ", " : "", name);
}
