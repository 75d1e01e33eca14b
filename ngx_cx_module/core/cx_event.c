/*
 * One event by the schema table: the tables themselves, what a value may be,
 * and the two directions of the stream's format.
 */

#include <string.h>
#include "cx_core.h"


#define CX_FIELD_ROW(T, id, name, kind, max, from, what) \
    { name, CX_KIND_##kind, max, CX_FROM_##from, what },

#define CX_TYPE_FIELDS(id, name, what)                                        \
    static const cx_field_t cx_fields_##id[] = { CX_FIELDS_##id(CX_FIELD_ROW, \
                                                                id) };

CX_EVENTS(CX_TYPE_FIELDS)


#define CX_TYPE_ROW(id, name, what) { name, what, cx_fields_##id, CX_##id##_N },

const cx_type_t cx_types[CX_TYPES] = { CX_EVENTS(CX_TYPE_ROW) };


/* what the table says, as bytes ready to be copied or compared */

typedef struct {
    unsigned char wire[20]; /* "$4\r\npage\r\n" */
    size_t        wire_len;
    size_t        name_len;
    char          no[16];  /* "no page" */
    char          bad[20]; /* "bad page" */
} cx_ready_field_t;

typedef struct {
    unsigned char    wire[24]; /* code and type's name: an event's beginning */
    size_t           wire_len;
    unsigned char    head[32]; /* code, count of names, "type" */
    size_t           head_len;
    size_t           names_len; /* of all fields' wire */
    cx_ready_field_t f[CX_FIELDS_MAX];
    unsigned         ask; /* bits of fields that an entry must have */
} cx_ready_t;

static cx_ready_t cx_ready[CX_TYPES];
static int        cx_ready_done;


static void           cx_event_ready(void);
static int            cx_event_asked(unsigned type, unsigned k);
static unsigned char *cx_event_bulk(unsigned char *p, const char *s,
                                    size_t len);
static unsigned char *cx_event_number(unsigned char *p, size_t n);
static size_t         cx_event_digits(size_t n);
static const char    *cx_event_check(const cx_event_t *ev);
static int            cx_value_int(const cx_str_t *v, long long max);
static int            cx_value_name(const cx_str_t *v);
static int            cx_value_hex(const cx_str_t *v);
static int            cx_value_text(const cx_str_t *v, int lines);


int
cx_type_find(const unsigned char *name, size_t len)
{
    int i;

    for (i = 0; i < CX_TYPES; i++) {
        if (strlen(cx_types[i].name) == len
            && memcmp(cx_types[i].name, name, len) == 0) {
            return i;
        }
    }

    return -1;
}


int
cx_field_ok(const cx_field_t *f, const cx_str_t *v)
{
    if (v->len == 0) {
        return 1;
    }

    if (f->kind == CX_KIND_INT) {
        return cx_value_int(v, f->max);
    }

    if (v->len > (size_t) f->max) {
        return 0;
    }

    switch (f->kind) {
    case CX_KIND_NAME:
        return cx_value_name(v);

    case CX_KIND_HEX:
        return cx_value_hex(v);

    default:
        return cx_value_text(v, f->kind == CX_KIND_TEXT);
    }
}


int
cx_field_find(unsigned type, const cx_str_t *name, unsigned from)
{
    unsigned                i, k, n;
    const cx_type_t        *t;
    const cx_ready_field_t *rf;

    if (!cx_ready_done) {
        cx_event_ready();
    }

    t = &cx_types[type];
    rf = cx_ready[type].f;
    n = t->n;
    k = from;

    for (i = 0; i < n; i++, k++) {
        if (k >= n) {
            k = 0;
        }

        if (rf[k].name_len == name->len
            && memcmp(t->fields[k].name, name->data, name->len) == 0)
        {
            return (int) k;
        }
    }

    return -1;
}


size_t
cx_event_names(unsigned types, unsigned char *dst, size_t size, unsigned *args)
{
    size_t            need;
    unsigned          i, k, n;
    unsigned char    *p;
    const cx_ready_t *rt;

    if (!cx_ready_done) {
        cx_event_ready();
    }

    need = 0;
    n = 0;

    for (i = 0; i < CX_TYPES; i++) {
        if (types & (1u << i)) {
            need += cx_ready[i].head_len + cx_ready[i].names_len;
            n++;
        }
    }

    /* the number of types, with the line of its length */

    if (need + 4 + cx_event_digits(n) + 2 > size) {
        return 0;
    }

    p = dst;
    *p++ = '$';
    p = cx_event_number(p, cx_event_digits(n));
    p = cx_event_number(p, n);
    *args = 1;

    for (i = 0; i < CX_TYPES; i++) {
        if (!(types & (1u << i))) {
            continue;
        }

        rt = &cx_ready[i];
        memcpy(p, rt->head, rt->head_len);
        p += rt->head_len;

        for (k = 0; k < cx_types[i].n; k++) {
            memcpy(p, rt->f[k].wire, rt->f[k].wire_len);
            p += rt->f[k].wire_len;
        }

        *args += 3 + cx_types[i].n;
    }

    return (size_t) (p - dst);
}


size_t
cx_event_encode(const cx_event_t *ev, unsigned char *dst, size_t size)
{
    size_t            len;
    unsigned          i;
    unsigned char    *p, *end;
    const cx_ready_t *rt;

    if (!cx_ready_done) {
        cx_event_ready();
    }

    p = dst;
    end = dst + size;
    rt = &cx_ready[ev->type];

    if (size < rt->wire_len) {
        return 0;
    }

    memcpy(p, rt->wire, rt->wire_len);
    p += rt->wire_len;

    for (i = 0; i < cx_types[ev->type].n; i++) {
        len = ev->v[i].len;

        if (len == 0) {
            if (end - p < 6) {
                return 0;
            }

            memcpy(p, "$0\r\n\r\n", 6);
            p += 6;
            continue;
        }

        if ((size_t) (end - p) < 1 + cx_event_digits(len) + 2 + len + 2) {
            return 0;
        }

        *p++ = '$';
        p = cx_event_number(p, len);
        memcpy(p, ev->v[i].data, len);
        p += len;
        *p++ = '\r';
        *p++ = '\n';
    }

    return (size_t) (p - dst);
}


unsigned
cx_event_args(unsigned type)
{
    /* code, type, values */

    return 2 + cx_types[type].n;
}


const char *
cx_event_decode(cx_event_t *ev, const cx_str_t *pairs, size_t n)
{
    int      k, type;
    size_t   i, at;
    unsigned next;

    if (!cx_ready_done) {
        cx_event_ready();
    }

    if (n % 2) {
        return "name without value";
    }

    for (at = 0; at < n; at += 2) {
        if (pairs[at].len == 4 && memcmp(pairs[at].data, "type", 4) == 0) {
            break;
        }
    }

    if (at == n) {
        return "no type";
    }

    type = cx_type_find(pairs[at + 1].data, pairs[at + 1].len);

    if (type == -1) {
        return "unknown type";
    }

    ev->type = (unsigned) type;
    memset(ev->v, 0, sizeof(ev->v));

    next = 0;

    for (i = 0; i < n; i += 2) {
        if (i == at) {
            continue;
        }

        k = cx_field_find(ev->type, &pairs[i], next);

        if (k != -1) {
            ev->v[k] = pairs[i + 1];
            next = (unsigned) k + 1;
        }
    }

    return cx_event_check(ev);
}


/* the values of an entry */

static const char *
cx_event_check(const cx_event_t *ev)
{
    unsigned                i;
    const cx_type_t        *t;
    const cx_ready_field_t *rf;

    t = &cx_types[ev->type];
    rf = cx_ready[ev->type].f;

    for (i = 0; i < t->n; i++) {
        if (ev->v[i].len == 0) {
            if (cx_ready[ev->type].ask & (1u << i)) {
                return rf[i].no;
            }

            continue;
        }

        if (!cx_field_ok(&t->fields[i], &ev->v[i])) {
            return rf[i].bad;
        }
    }

    return NULL;
}


/* on first use; nothing here has threads */

static void
cx_event_ready(void)
{
    char              code;
    size_t            len;
    unsigned          i, k;
    unsigned char    *p;
    cx_ready_t       *rt;
    const cx_type_t  *t;
    cx_ready_field_t *rf;

    for (i = 0; i < CX_TYPES; i++) {
        t = &cx_types[i];
        rt = &cx_ready[i];
        code = (char) ('0' + i);

        p = cx_event_bulk(rt->wire, &code, 1);
        p = cx_event_bulk(p, t->name, strlen(t->name));
        rt->wire_len = (size_t) (p - rt->wire);

        p = cx_event_bulk(rt->head, &code, 1);
        *p++ = '$';
        p = cx_event_number(p, cx_event_digits(1 + t->n));
        p = cx_event_number(p, 1 + t->n);
        p = cx_event_bulk(p, "type", 4);
        rt->head_len = (size_t) (p - rt->head);

        for (k = 0; k < t->n; k++) {
            rf = &rt->f[k];
            len = strlen(t->fields[k].name);

            p = cx_event_bulk(rf->wire, t->fields[k].name, len);

            rf->wire_len = (size_t) (p - rf->wire);
            rf->name_len = len;
            rt->names_len += rf->wire_len;

            if (cx_event_asked(i, k)) {
                rt->ask |= 1u << k;
            }

            memcpy(rf->no, "no ", 3);
            memcpy(rf->no + 3, t->fields[k].name, len + 1);
            memcpy(rf->bad, "bad ", 4);
            memcpy(rf->bad + 4, t->fields[k].name, len + 1);
        }
    }

    cx_ready_done = 1;
}


/* whether an entry of a type must have a field */

static int
cx_event_asked(unsigned type, unsigned k)
{
    const cx_field_t *f;

    if (k == CX_COMMON_TS) {
        return 1;
    }

    /* refusals and definitions are of no page */

    if (k == CX_COMMON_PAGE) {
        return type != CX_REFUSED && type != CX_SURVEY;
    }

    /* older modules know of no versions */

    f = &cx_types[type].fields[k];

    return f->from == CX_FROM_ASK && strcmp(f->name, "version") != 0;
}


static unsigned char *
cx_event_bulk(unsigned char *p, const char *s, size_t len)
{
    *p++ = '$';
    p = cx_event_number(p, len);
    memcpy(p, s, len);
    p += len;
    *p++ = '\r';
    *p++ = '\n';

    return p;
}


/* n and a line's end */

static unsigned char *
cx_event_number(unsigned char *p, size_t n)
{
    size_t i, len;

    len = cx_event_digits(n);

    for (i = len; i; i--, n /= 10) {
        p[i - 1] = (unsigned char) ('0' + n % 10);
    }

    p += len;
    *p++ = '\r';
    *p++ = '\n';

    return p;
}


static size_t
cx_event_digits(size_t n)
{
    size_t len;

    for (len = 1; n >= 10; n /= 10) {
        len++;
    }

    return len;
}


static int
cx_value_int(const cx_str_t *v, long long max)
{
    size_t    i;
    long long n;

    /* 18 digits cannot overflow, and no field has more */

    if (v->len > 18) {
        return 0;
    }

    n = 0;

    for (i = 0; i < v->len; i++) {
        if (v->data[i] < '0' || v->data[i] > '9') {
            return 0;
        }

        n = n * 10 + (v->data[i] - '0');
    }

    return n <= max;
}


static int
cx_value_name(const cx_str_t *v)
{
    size_t        i;
    unsigned char ch;

    for (i = 0; i < v->len; i++) {
        ch = v->data[i];

        /* ":" is right behind the digits */

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= ':')
            || (ch >= 'A' && ch <= 'Z') || ch == '_' || ch == '-' || ch == '.')
        {
            continue;
        }

        return 0;
    }

    return 1;
}


static int
cx_value_hex(const cx_str_t *v)
{
    size_t        i;
    unsigned char ch;

    if (v->len < 8) {
        return 0;
    }

    for (i = 0; i < v->len; i++) {
        ch = v->data[i];

        if ((ch < '0' || ch > '9') && (ch < 'a' || ch > 'f')) {
            return 0;
        }
    }

    return 1;
}


static int
cx_value_text(const cx_str_t *v, int lines)
{
    size_t        i, n;
    unsigned char ch;

    for (i = 0; i < v->len; i += n) {
        ch = v->data[i];

        if ((ch >= 0x20 && ch < 0x7f) || (ch == '\n' && lines)) {
            n = 1;
            continue;
        }

        n = cx_utf8_char(v->data + i, v->len - i);

        /* C1 controls */

        if (n == 0 || (ch == 0xc2 && v->data[i + 1] < 0xa0)) {
            return 0;
        }
    }

    return 1;
}


size_t
cx_utf8_char(const unsigned char *p, size_t len)
{
    size_t        i, n;
    unsigned char low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;

    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = (p[0] == 0xe0) ? 0xa0 : 0x80;
        high = (p[0] == 0xed) ? 0x9f : 0xbf;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = (p[0] == 0xf0) ? 0x90 : 0x80;
        high = (p[0] == 0xf4) ? 0x8f : 0xbf;

    } else {
        return 0;
    }

    if (len < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}
