/* cx_event: the tables, values, and both directions of the stream's format. */

#include <stdlib.h>
#include "tap.h"


#define STR(s)  { sizeof(s) - 1, (unsigned char *) s }


static const struct {
    int          kind;
    long long    max;
    int          good;
    cx_str_t     v;

} values[] = {
    { CX_KIND_INT, 10, 1, STR("0") },
    { CX_KIND_INT, 10, 1, STR("10") },
    { CX_KIND_INT, 10, 0, STR("11") },
    { CX_KIND_INT, 10, 0, STR("-1") },
    { CX_KIND_INT, 10, 0, STR("1.0") },
    { CX_KIND_INT, 10, 0, STR("1 ") },
    { CX_KIND_INT, 10, 0, STR("x") },
    { CX_KIND_INT, 9999999999999, 1, STR("9999999999999") },
    { CX_KIND_INT, 9999999999999, 0, STR("10000000000000") },
    { CX_KIND_INT, 9999999999999, 0, STR("18446744073709551617") },
    { CX_KIND_INT, 10, 1, STR("") },

    { CX_KIND_NAME, 4, 1, STR("aZ09") },
    { CX_KIND_NAME, 4, 1, STR("_.:-") },
    { CX_KIND_NAME, 4, 0, STR("abcde") },
    { CX_KIND_NAME, 4, 0, STR("a b") },
    { CX_KIND_NAME, 4, 0, STR("a;") },
    { CX_KIND_NAME, 4, 0, STR("a/") },
    { CX_KIND_NAME, 4, 0, STR("\xc3\xa9") },

    { CX_KIND_HEX, 16, 1, STR("0123abcd") },
    { CX_KIND_HEX, 16, 1, STR("0123456789abcdef") },
    { CX_KIND_HEX, 16, 0, STR("0123456") },
    { CX_KIND_HEX, 16, 0, STR("0123456789abcdef0") },
    { CX_KIND_HEX, 16, 0, STR("0123ABCD") },
    { CX_KIND_HEX, 16, 0, STR("0123abcg") },

    { CX_KIND_LINE, 8, 1, STR("a b~!") },
    { CX_KIND_LINE, 8, 0, STR("123456789") },
    { CX_KIND_LINE, 8, 0, STR("a\nb") },
    { CX_KIND_LINE, 8, 0, STR("a\tb") },
    { CX_KIND_LINE, 8, 0, STR("a\0b") },
    { CX_KIND_LINE, 8, 0, STR("a\x7f") },
    { CX_KIND_LINE, 8, 0, STR("\xc2\x80") },
    { CX_KIND_LINE, 8, 0, STR("\xc2\x9f") },
    { CX_KIND_LINE, 8, 1, STR("\xc2\xa0") },
    { CX_KIND_LINE, 8, 1, STR("\xdf\xbf\xe0\xa0\x80") },
    { CX_KIND_LINE, 8, 1, STR("\xed\x9f\xbf\xee\x80\x80") },
    { CX_KIND_LINE, 8, 1, STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
    { CX_KIND_LINE, 8, 0, STR("\x80") },
    { CX_KIND_LINE, 8, 0, STR("\xc1\xbf") },
    { CX_KIND_LINE, 8, 0, STR("\xe0\x9f\xbf") },
    { CX_KIND_LINE, 8, 0, STR("\xed\xa0\x80") },
    { CX_KIND_LINE, 8, 0, STR("\xf0\x8f\xbf\xbf") },
    { CX_KIND_LINE, 8, 0, STR("\xf4\x90\x80\x80") },
    { CX_KIND_LINE, 8, 0, STR("\xf5\x80\x80\x80") },
    { CX_KIND_LINE, 8, 0, STR("\xc3") },
    { CX_KIND_LINE, 8, 0, STR("\xe2\x82") },
    { CX_KIND_LINE, 8, 0, STR("\xe2\x82z") },
    { CX_KIND_LINE, 8, 0, STR("\xf0\x9f\x98") },

    { CX_KIND_TEXT, 8, 1, STR("a\nb") },
    { CX_KIND_TEXT, 8, 0, STR("a\rb") },
    { CX_KIND_TEXT, 8, 0, STR("a\tb") },
    { CX_KIND_TEXT, 8, 0, STR("\xc2\x85") },
};


static void
test_tables(void)
{
    int          i;
    unsigned     k;
    const char  *name;

    static const char  *common[] = {
        "ts", "page", "visit", "touchpoint", "stage", "segment", "view"
    };

    for (i = 0; i < CX_TYPES; i++) {

        name = cx_types[i].name;

        ok(cx_types[i].n <= CX_FIELDS_MAX, "%s: no more than %d fields", name,
           CX_FIELDS_MAX);

        ok(cx_type_find((const unsigned char *) name, strlen(name)) == i,
           "%s: found", name);

        for (k = 0; k < CX_COMMON_N; k++) {
            if (strcmp(cx_types[i].fields[k].name, common[k]) != 0) {
                break;
            }
        }

        ok(k == CX_COMMON_N, "%s: begins with the common fields", name);

        /* cx_event.c keeps "bad <name>" and the name's RESP in fixed room */

        for (k = 0; k < cx_types[i].n; k++) {
            if (strlen(cx_types[i].fields[k].name) > 11) {
                break;
            }
        }

        ok(k == cx_types[i].n, "%s: no name over 11 bytes", name);
    }

    ok(cx_type_find((const unsigned char *) "views", 5) == -1, "no such type");
    ok(cx_type_find((const unsigned char *) "view", 3) == -1, "half a type");
}


static void
test_values(void)
{
    size_t         i;
    cx_str_t       v;
    cx_field_t     f;

    memset(&f, 0, sizeof(f));

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        f.kind = values[i].kind;
        f.max = values[i].max;

        v.len = values[i].v.len;
        v.data = malloc(v.len ? v.len : 1);
        memcpy(v.data, values[i].v.data, v.len);

        ok(cx_field_ok(&f, &v) == values[i].good, "kind %d: %s is %s", f.kind,
           tap_show(v.data, v.len), values[i].good ? "good" : "bad");

        free(v.data);
    }
}


/* an event of each type, every second field filled */

static void
fill(cx_event_t *ev, unsigned type)
{
    unsigned  k;

    static const cx_str_t  by_kind[] = {
        STR("1"), STR("name"), STR("0123456789abcdef"), STR("/page"),
        STR("a\n\xc3\xa9")
    };

    memset(ev, 0, sizeof(cx_event_t));
    ev->type = type;

    for (k = 0; k < cx_types[type].n; k++) {
        if (k % 2 || k == CX_COMMON_TS
            || cx_types[type].fields[k].from == CX_FROM_ASK)
        {
            ev->v[k] = by_kind[cx_types[type].fields[k].kind];

            if (ev->v[k].len > 8 && cx_types[type].fields[k].max == 8) {
                ev->v[k].len = 8;
            }
        }
    }
}


/* RESP bulk strings -> strings; returns how many, 0 if they are none */

static unsigned
parse(cx_str_t *out, unsigned max, const unsigned char *p, size_t len)
{
    char                 *after;
    size_t                n;
    unsigned              count;
    const unsigned char  *end;

    end = p + len;

    for (count = 0; p < end && count < max; count++) {

        if (*p++ != '$') {
            return 0;
        }

        n = strtoul((const char *) p, &after, 10);
        p = (const unsigned char *) after;

        if (end - p < 4 || memcmp(p, "\r\n", 2) != 0
            || (size_t) (end - p) - 4 < n || memcmp(p + 2 + n, "\r\n", 2) != 0)
        {
            return 0;
        }

        out[count].data = (unsigned char *) p + 2;
        out[count].len = n;
        p += n + 4;
    }

    return p == end ? count : 0;
}


static int
equal(const cx_event_t *a, const cx_event_t *b)
{
    unsigned  k;

    if (a->type != b->type) {
        return 0;
    }

    for (k = 0; k < CX_FIELDS_MAX; k++) {
        if (a->v[k].len != b->v[k].len
            || (a->v[k].len
                && memcmp(a->v[k].data, b->v[k].data, a->v[k].len) != 0))
        {
            return 0;
        }
    }

    return 1;
}


/* an event as the script puts it into the stream: names and values in turn;
   returns how many, 0 if names or values are not as they should be */

static unsigned
entry(cx_str_t *pairs, const cx_event_t *ev)
{
    size_t                n, m;
    unsigned              i, k, args;
    cx_str_t              names[64], given[64];
    static unsigned char  dict[4096], out[8192];

    k = cx_types[ev->type].n + 1;

    n = cx_event_names(1u << ev->type, dict, sizeof(dict), &args);
    m = cx_event_encode(ev, out, sizeof(out));

    if (parse(names, 64, dict, n) != args || args != 3 + k
        || parse(given, 64, out, m) != cx_event_args(ev->type)
        || cx_event_args(ev->type) != 1 + k
        || atoi((const char *) names[0].data) != 1
        || names[1].len != given[0].len
        || memcmp(names[1].data, given[0].data, names[1].len) != 0
        || (unsigned) atoi((const char *) names[2].data) != k)
    {
        return 0;
    }

    for (i = 0; i < k; i++) {
        pairs[2 * i] = names[3 + i];
        pairs[2 * i + 1] = given[1 + i];
    }

    return 2 * k;
}


static void
test_type(unsigned type)
{
    size_t          n, size;
    unsigned        k, count, wrong;
    cx_str_t        s[64], swap;
    cx_event_t      ev, back;
    const char     *name, *error;
    unsigned char   out[4096], *small;

    name = cx_types[type].name;

    fill(&ev, type);
    count = entry(s, &ev);

    if (!ok(count == 2 + 2 * cx_types[type].n, "%s: %u names and values", name,
            count))
    {
        return;
    }

    wrong = (s[0].len != 4 || memcmp(s[0].data, "type", 4) != 0
             || s[1].len != strlen(name)
             || memcmp(s[1].data, name, s[1].len) != 0);

    for (k = 0; k < cx_types[type].n; k++) {
        wrong += (s[2 + 2 * k].len != strlen(cx_types[type].fields[k].name)
                  || memcmp(s[2 + 2 * k].data, cx_types[type].fields[k].name,
                            s[2 + 2 * k].len) != 0);
    }

    ok(wrong == 0, "%s: type and all fields in the order of the schema", name);

    error = cx_event_decode(&back, s, count);
    ok(error == NULL && equal(&ev, &back), "%s: there and back (%s)", name,
       error ? error : "ok");

    /* the other way round, pair by pair */

    for (k = 0; k < count / 2; k += 2) {
        swap = s[k];
        s[k] = s[count - 2 - k];
        s[count - 2 - k] = swap;

        swap = s[k + 1];
        s[k + 1] = s[count - 1 - k];
        s[count - 1 - k] = swap;
    }

    error = cx_event_decode(&back, s, count);
    ok(error == NULL && equal(&ev, &back), "%s: in any order (%s)", name,
       error ? error : "ok");

    /* fits to the byte, or not at all */

    n = cx_event_encode(&ev, out, sizeof(out));
    wrong = 0;

    for (size = 0; size <= n; size++) {
        small = malloc(size ? size : 1);
        wrong += (cx_event_encode(&ev, small, size) != (size == n ? n : 0));
        free(small);
    }

    ok(wrong == 0, "%s: needs %zu bytes, and writes none too many", name, n);
}


/* of all types together: how a batch begins */

static void
test_names(void)
{
    size_t          n, size;
    unsigned        all, args, count, i, k, at, wrong;
    cx_str_t        s[256];
    unsigned char   out[4096], *small;

    /* of NGX_HTTP_CX_BATCH_HEAD, 512 bytes are the command's */

    all = (1u << CX_TYPES) - 1;
    n = cx_event_names(all, out, sizeof(out), &args);

    ok(n > 0 && n <= 4096 - 512, "names of all types: %zu bytes", n);

    count = parse(s, 256, out, n);
    ok(count == args, "names of all types: %u strings", count);

    ok(count && (unsigned) atoi((const char *) s[0].data) == CX_TYPES,
       "as many types as there are");

    wrong = 0;
    at = 1;

    for (i = 0; i < CX_TYPES && at + 2 < count; i++) {
        k = (unsigned) atoi((const char *) s[at + 1].data);
        wrong += (k != cx_types[i].n + 1);
        at += 2 + k;
    }

    ok(i == CX_TYPES && at == count && wrong == 0, "each with its names");

    wrong = 0;

    for (size = 0; size <= n; size++) {
        small = malloc(size ? size : 1);
        wrong += (cx_event_names(all, small, size, &args)
                  != (size == n ? n : 0));
        free(small);
    }

    ok(wrong == 0, "they fit to the byte, or not at all");
}


static void
test_lengths(void)
{
    size_t          i, n;
    cx_str_t        s[64];
    cx_event_t      ev;
    unsigned char   text[2000], out[4096];

    static const size_t  lengths[] = { 0, 9, 10, 99, 100, 999, 1000, 2000 };

    memset(text, 'x', sizeof(text));

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {

        fill(&ev, CX_ANSWER);
        ev.v[CX_ANSWER_TEXT].data = text;
        ev.v[CX_ANSWER_TEXT].len = lengths[i];

        n = cx_event_encode(&ev, out, sizeof(out));

        ok(parse(s, 64, out, n) == cx_event_args(CX_ANSWER)
           && s[2 + CX_ANSWER_TEXT].len == lengths[i],
           "a text of %zu bytes", lengths[i]);
    }
}


static void
test_decode(const char *want, const cx_str_t *pairs, size_t n,
    const char *name)
{
    cx_event_t   ev;
    const char  *error;

    error = cx_event_decode(&ev, pairs, n);

    ok(want ? error && strcmp(error, want) == 0 : error == NULL,
       "%s (%s)", name, error ? error : "ok");
}


static void
test_entries(void)
{
    cx_str_t  p[] = {
        STR("type"), STR("signal"), STR("ts"), STR("1"), STR("page"),
        STR("/"), STR("name"), STR("reload"), STR("new"), STR("\xff")
    };

    static const cx_str_t  empty = STR(""), bad = STR("x\n"),
                           type = STR("type"), other = STR("other"),
                           big = STR("99999999999999");

    test_decode(NULL, p, 10, "a field of a newer writer is ignored");
    test_decode(NULL, p, 8, "fields may be missing");
    test_decode("name without value", p, 7, "half a pair");
    test_decode("no name", p, 6, "no signal's name");
    test_decode("no page", p, 4, "no page");
    test_decode("no ts", p, 2, "no time");
    test_decode("no type", p + 2, 6, "no type");
    test_decode("no type", p, 0, "nothing");

    p[3] = big;
    test_decode("bad ts", p, 8, "time too big");
    p[3] = bad;
    test_decode("bad ts", p, 8, "time no number");
    p[3] = empty;
    test_decode("no ts", p, 8, "time empty");
    p[3] = p[9];
    p[3].data = (unsigned char *) "1";

    p[5] = bad;
    test_decode("bad page", p, 8, "page with a control character");
    p[5] = empty;
    test_decode("no page", p, 8, "page empty");
    p[5] = other;

    p[7] = bad;
    test_decode("bad name", p, 8, "bad name");
    p[7] = other;
    test_decode(NULL, p, 8, "a signal of a newer writer");

    p[1] = other;
    test_decode("unknown type", p, 8, "unknown type");
    p[1] = empty;
    test_decode("unknown type", p, 8, "empty type");

    p[0] = other;
    p[9] = type;
    test_decode("no type", p, 10, "the value \"type\" is no name");
}


int
main(void)
{
    unsigned  type;

    test_tables();
    test_values();

    for (type = 0; type < CX_TYPES; type++) {
        test_type(type);
    }

    test_names();
    test_lengths();
    test_entries();

    return tap_done();
}
