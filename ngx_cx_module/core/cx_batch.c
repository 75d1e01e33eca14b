/*
 * POST body -> validated events.
 *
 * The body is read once, from front to back.  The first mistake is kept, and
 * the rest still read: what is not JSON is refused as such.  Mistakes beside
 * the events are told before mistakes in them, wherever "events" stands.
 */

#include <string.h>
#include "cx_token.h"


#define CX_PATH_MAX 2048 /* bytes of a raw path */

/* bytes of the tokens of a beacon's answers, with a space between them */
#define CX_TOKEN_MAX (CX_TOKENS * (CX_TOKEN_LEN + 1) - 1)


/* what stands beside "events"; what a value may be, and where it goes */

typedef struct {
    cx_field_t f;
    size_t     len; /* of the name */
    size_t     off;
} cx_batch_top_t;

#define CX_TOP_ROW(name, kind, max)                                         \
    {                                                                       \
        { #name, CX_KIND_##kind, max, CX_FROM_TOP, "" }, sizeof(#name) - 1, \
            offsetof(cx_batch_t, name)                                      \
    }

static const cx_batch_top_t cx_batch_top[] = {
    CX_TOP_ROW(page, LINE, CX_PAGE_MAX),
    CX_TOP_ROW(path, LINE, CX_PATH_MAX),
    CX_TOP_ROW(view, HEX, 16),
    CX_TOP_ROW(touchpoint, NAME, CX_NAME_MAX),
    CX_TOP_ROW(stage, NAME, CX_NAME_MAX),
    CX_TOP_ROW(token, LINE, CX_TOKEN_MAX),
    CX_TOP_ROW(age, INT, CX_AGE_MAX)
};

#define CX_TOP_ROWS   (sizeof(cx_batch_top) / sizeof(cx_batch_top[0]))
#define CX_TOP_V      CX_TOP_ROWS
#define CX_TOP_EVENTS (CX_TOP_ROWS + 1)
#define CX_TOP_NONE   (CX_TOP_ROWS + 2)


typedef struct {
    cx_batch_t *b;
    cx_json_t   j;
    unsigned    seen;        /* bits by position in cx_batch_top */
    unsigned    version : 1; /* "v" is right */
    cx_reject_t beside;      /* the first mistake beside the events, */
    cx_reject_t within;      /* and in them */
} cx_batch_read_t;


static int    cx_batch_root(cx_batch_read_t *rd);
static int    cx_batch_member(cx_batch_read_t *rd, const cx_str_t *key);
static size_t cx_batch_top_find(const cx_str_t *key);
static void   cx_batch_beside(cx_batch_read_t *rd, size_t row,
                              const cx_str_t *key, cx_json_e kind,
                              const cx_str_t *v);
static long   cx_batch_number(const cx_str_t *v);
static int    cx_batch_events(cx_batch_read_t *rd);
static int    cx_batch_is(const cx_str_t *v, const char *name, size_t len);
static void   cx_batch_verdict(cx_batch_read_t *rd, cx_reject_t *why);
static void   cx_batch_page(const cx_batch_t *b, cx_reject_t *why);


cx_reject_e
cx_batch_parse(cx_batch_t *b, const unsigned char *body, size_t len,
               cx_reject_t *why)
{
    cx_batch_read_t rd;

    why->code = CX_REJECT_NONE;
    why->event = -1;
    why->field[0] = '\0';
    why->expected[0] = '\0';

    if (len > CX_BODY_MAX) {
        cx_reject(why, CX_REJECT_SHAPE, "", "at most 65536 bytes");
        return why->code;
    }

    memset(b, 0, offsetof(cx_batch_t, ev));
    b->age = -1;

    rd.b = b;
    rd.seen = 0;
    rd.version = 0;
    rd.beside.code = CX_REJECT_NONE;
    rd.beside.event = -1;
    rd.within.code = CX_REJECT_NONE;

    cx_json_start(&rd.j, body, len, b->text);

    if (cx_batch_root(&rd)) {
        cx_batch_verdict(&rd, why);

    } else if (rd.j.deep) {
        cx_reject(why, CX_REJECT_SHAPE, "", "an object with a list of events");

    } else {
        cx_reject(why, CX_REJECT_JSON, "",
                  "JSON in UTF-8, without NUL and doubled keys");
    }

    return why->code;
}


/* the readers return 0 if the body is not JSON, or a key is doubled */

static int
cx_batch_root(cx_batch_read_t *rd)
{
    cx_str_t   key;
    cx_json_t *j;

    j = &rd->j;

    if (cx_json_peek(j) == '[') {
        cx_reject(&rd->beside, CX_REJECT_SHAPE, "",
                  "an object with a list of events");

        return cx_json_value(j, &key) != CX_JSON_BAD && cx_json_end(j);
    }

    if (!cx_json_open(j, '{')) {
        return 0;
    }

    if (cx_json_close(j)) {
        return cx_json_end(j);
    }

    do {
        if (!cx_json_key(j, &key) || !cx_batch_member(rd, &key)) {
            return 0;
        }

    } while (cx_json_byte(j, ','));

    return cx_json_close(j) && cx_json_end(j);
}


static int
cx_batch_member(cx_batch_read_t *rd, const cx_str_t *key)
{
    size_t    row;
    cx_str_t  v;
    cx_json_e kind;

    row = cx_batch_top_find(key);

    if (row != CX_TOP_NONE) {
        if (rd->seen & (1u << row)) {
            return 0;
        }

        rd->seen |= 1u << row;
    }

    if (row == CX_TOP_EVENTS && cx_json_peek(&rd->j) == '[') {
        return cx_batch_events(rd);
    }

    kind = cx_json_value(&rd->j, &v);

    if (kind == CX_JSON_BAD) {
        return 0;
    }

    if (row == CX_TOP_EVENTS) {
        cx_reject(&rd->within, CX_REJECT_SHAPE, "events", "a list of events");
        rd->within.event = -1;

    } else if (row == CX_TOP_V) {
        rd->version = (kind == CX_JSON_INT && cx_batch_is(&v, "1", 1));

    } else if (rd->beside.code == CX_REJECT_NONE) {
        cx_batch_beside(rd, row, key, kind, &v);
    }

    return 1;
}


static size_t
cx_batch_top_find(const cx_str_t *key)
{
    size_t i;

    for (i = 0; i < CX_TOP_ROWS; i++) {
        if (cx_batch_is(key, cx_batch_top[i].f.name, cx_batch_top[i].len)) {
            return i;
        }
    }

    if (cx_batch_is(key, "v", 1)) {
        return CX_TOP_V;
    }

    return cx_batch_is(key, "events", 6) ? CX_TOP_EVENTS : CX_TOP_NONE;
}


static void
cx_batch_beside(cx_batch_read_t *rd, size_t row, const cx_str_t *key,
                cx_json_e kind, const cx_str_t *v)
{
    void             *to;
    cx_json_e         right;
    const cx_field_t *f;

    if (row == CX_TOP_NONE) {
        cx_reject_field(&rd->beside, key, NULL);
        return;
    }

    f = &cx_batch_top[row].f;
    right = (f->kind == CX_KIND_INT) ? CX_JSON_INT : CX_JSON_STRING;

    if (kind != right || !cx_field_ok(f, v)) {
        cx_reject_value(&rd->beside, CX_REJECT_VALUE, f);
        return;
    }

    to = (char *) rd->b + cx_batch_top[row].off;

    if (f->kind == CX_KIND_INT) {
        *(long *) to = cx_batch_number(v);

    } else {
        *(cx_str_t *) to = *v;
    }
}


/* of digits that a field's limit has checked */

static long
cx_batch_number(const cx_str_t *v)
{
    long   n;
    size_t i;

    n = 0;

    for (i = 0; i < v->len; i++) {
        n = n * 10 + (v->data[i] - '0');
    }

    return n;
}


static int
cx_batch_events(cx_batch_read_t *rd)
{
    unsigned    n;
    cx_str_t    v;
    cx_json_t  *j;
    cx_event_t *ev;

    n = 0;
    j = &rd->j;

    if (!cx_json_open(j, '[')) {
        return 0;
    }

    if (!cx_json_close(j)) {
        do {
            if (n < CX_BATCH_EVENTS && rd->within.code == CX_REJECT_NONE) {
                rd->within.event = (int) n;
                ev = &rd->b->ev[n];

                if (!cx_batch_event(j, ev, &rd->within)) {
                    return 0;
                }

                rd->b->answers += (rd->within.code == CX_REJECT_NONE
                                   && ev->type == CX_ANSWER);

            } else if (cx_json_value(j, &v) == CX_JSON_BAD) {
                return 0;
            }

            n++;

        } while (cx_json_byte(j, ','));

        if (!cx_json_close(j)) {
            return 0;
        }
    }

    rd->b->n = n;

    if (n == 0 || n > CX_BATCH_EVENTS) {
        cx_reject(&rd->within, CX_REJECT_COUNT, "events", "1 to 100 events");
        rd->within.event = -1;
    }

    return 1;
}


static int
cx_batch_is(const cx_str_t *v, const char *name, size_t len)
{
    return v->len == len && memcmp(v->data, name, len) == 0;
}


/* of all that is wrong with JSON that is right, what is told first */

static void
cx_batch_verdict(cx_batch_read_t *rd, cx_reject_t *why)
{
    const cx_batch_t *b;

    b = rd->b;

    if (rd->beside.code == CX_REJECT_SHAPE) {
        *why = rd->beside;
        return;
    }

    /* first, as the rest is this version's */

    if (!(rd->seen & (1u << CX_TOP_V))) {
        cx_reject(why, CX_REJECT_SHAPE, "v", "1");
        return;
    }

    if (!rd->version) {
        cx_reject(why, CX_REJECT_VERSION, "v", "1");
        return;
    }

    if (rd->beside.code != CX_REJECT_NONE) {
        *why = rd->beside;
        return;
    }

    cx_batch_page(b, why);

    if (why->code != CX_REJECT_NONE) {
        return;
    }

    if (!(rd->seen & (1u << CX_TOP_EVENTS))) {
        cx_reject(why, CX_REJECT_SHAPE, "events", "a list of events");
        return;
    }

    if (rd->within.code != CX_REJECT_NONE) {
        *why = rd->within;
        return;
    }

    if (b->answers && b->token.len == 0) {
        cx_reject(why, CX_REJECT_MISSING, "token",
                  "with an answer, the token that came with its survey");
    }
}


static void
cx_batch_page(const cx_batch_t *b, cx_reject_t *why)
{
    if (b->page.len == 0 && b->path.len == 0) {
        cx_reject(why, CX_REJECT_MISSING, "page", "page or path");
        return;
    }

    if (b->page.len && b->path.len) {
        cx_reject(why, CX_REJECT_FIELD, "path", "page or path, not both");
        return;
    }

    if (b->page.len
        && (memchr(b->page.data, '?', b->page.len)
            || memchr(b->page.data, '#', b->page.len)))
    {
        cx_reject(why, CX_REJECT_VALUE, "page",
                  "a page key, without query and fragment");
        return;
    }

    if (b->path.len && b->path.data[0] != '/') {
        cx_reject(why, CX_REJECT_VALUE, "path",
                  "a path that begins with a slash");
    }
}
