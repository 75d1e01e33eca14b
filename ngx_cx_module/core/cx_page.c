/*
 * Path -> page key.
 *
 * Whatever is cut or replaced is so before a segment is looked at, never
 * afterwards: this is what makes folding a key again change nothing.
 */

#include <string.h>
#include "cx_core.h"


/* what the bytes of a segment say about it */

typedef struct {
    size_t digits;
    size_t letters;
    size_t hex; /* digits and a-f, A-F */
    size_t dashes;
    size_t token;    /* letters, digits, "-", "_" */
    size_t switches; /* between classes, see cx_page_scan() */
} cx_page_stat_t;


static size_t cx_page_plain(const unsigned char *path, size_t len);
static size_t cx_page_segment(unsigned char *dst, size_t room,
                              const unsigned char *p, const unsigned char *end,
                              int *cut);
static size_t cx_page_clean(unsigned char *dst, size_t room,
                            const unsigned char *p, const unsigned char *end);
static size_t cx_page_char(const unsigned char *p, const unsigned char *end);
static size_t cx_page_class(unsigned char *dst, size_t room,
                            const unsigned char *seg, size_t len);
static int    cx_page_email(const unsigned char *p, size_t len);
static int    cx_page_domain(const unsigned char *p, size_t len);
static int    cx_page_id(const unsigned char *p, size_t len);
static int    cx_page_short_hex(const unsigned char *p, size_t len,
                                const cx_page_stat_t *st);
static int    cx_page_uuid(const unsigned char *p, size_t len,
                           const cx_page_stat_t *st);
static void   cx_page_scan(cx_page_stat_t *st, const unsigned char *p,
                           size_t len);
static int    cx_page_kind(unsigned char ch);


size_t
cx_page_fold(unsigned char *dst, const unsigned char *path, size_t len)
{
    int                  cut;
    size_t               n;
    const unsigned char *p, *end, *next, *last;

    n = cx_page_plain(path, len);

    if (n) {
        memcpy(dst, path, n);
        return n;
    }

    for (end = path; end < path + len; end++) {
        if (*end == '?' || *end == '#') {
            break;
        }
    }

    n = 0;
    p = path;
    cut = 0;

    while (p < end && n < CX_PAGE_MAX && !cut) {
        if (*p == '/') {
            if (n == 0 || dst[n - 1] != '/') {
                dst[n++] = '/';
            }

            p++;
            continue;
        }

        for (next = p; next < end && *next != '/'; next++) { /* void */
        }
        for (last = p; last < next && *last != ';'; last++) { /* void */
        }

        n += cx_page_segment(dst + n, CX_PAGE_MAX - n, p, last, &cut);
        p = next;
    }

    if (n == 0) {
        dst[n++] = '/';
    }

    return n;
}


/*
 * Most paths, told at a glance: length of the key if it is a copy of the path,
 * else 0.  An id has a digit, and nothing but letters, digits, "-" and "_" (a
 * mark is any other byte); addresses have "@" or "%40".
 */

static size_t
cx_page_plain(const unsigned char *path, size_t len)
{
    int           digit, mark;
    size_t        i;
    unsigned char ch;

    digit = 0;
    mark = 0;

    for (i = 0; i < len; i++) {
        ch = path[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '-'
            || ch == '_')
        {
            continue;
        }

        if (ch >= '0' && ch <= '9') {
            digit = 1;
            continue;
        }

        if (ch == '?' || ch == '#') {
            break;
        }

        if (ch < 0x20 || ch >= 0x7f || ch == ';' || ch == '@' || ch == '%') {
            return 0;
        }

        if (ch != '/') {
            mark = 1;
            continue;
        }

        if ((digit && !mark) || (i && path[i - 1] == '/')) {
            return 0;
        }

        digit = 0;
        mark = 0;
    }

    return ((digit && !mark) || i > CX_PAGE_MAX) ? 0 : i;
}


/* one segment without its parameters; returns bytes written, less if cut */

static size_t
cx_page_segment(unsigned char *dst, size_t room, const unsigned char *p,
                const unsigned char *end, int *cut)
{
    size_t        len, n;
    unsigned char seg[CX_PAGE_MAX];

    len = cx_page_clean(seg, CX_PAGE_MAX, p, end);

    n = cx_page_class(dst, room, seg, len);

    if (n || len == 0) {
        return n;
    }

    if (len > room) {
        /* what is left of it may look like an id */

        *cut = 1;
        len = cx_page_clean(seg, room, p, end);

        n = cx_page_class(dst, room, seg, len);

        if (n) {
            return n;
        }
    }

    memcpy(dst, seg, len);

    return len;
}


/*
 * Copies whole characters as long as they fit, with "_" for control and
 * invalid bytes.
 */

static size_t
cx_page_clean(unsigned char *dst, size_t room, const unsigned char *p,
              const unsigned char *end)
{
    size_t n, c;

    for (n = 0; p < end; p += c ? c : 1) {
        c = cx_page_char(p, end);

        if (n + (c ? c : 1) > room) {
            break;
        }

        if (c) {
            memcpy(dst + n, p, c);
            n += c;

        } else {
            dst[n++] = '_';
        }
    }

    return n;
}


/* length of the character at p, 0 if it is a control or invalid */

static size_t
cx_page_char(const unsigned char *p, const unsigned char *end)
{
    size_t   n;
    cx_str_t v;

    static const cx_field_t line = { "", CX_KIND_LINE, 4, 0, "" };

    if (*p < 0x80) {
        return *p >= 0x20 && *p != 0x7f;
    }

    n = (*p >= 0xf0) ? 4 : (*p >= 0xe0) ? 3 : 2;

    if ((size_t) (end - p) < n) {
        return 0;
    }

    v.data = (unsigned char *) p;
    v.len = n;

    return cx_field_ok(&line, &v) ? n : 0;
}


/* writes ":email" or ":id", as much as there is room for; 0: is neither */

static size_t
cx_page_class(unsigned char *dst, size_t room, const unsigned char *seg,
              size_t len)
{
    size_t      n;
    const char *name;

    if (cx_page_email(seg, len)) {
        name = ":email";

    } else if (cx_page_id(seg, len)) {
        name = ":id";

    } else {
        return 0;
    }

    n = strlen(name);

    if (n > room) {
        n = room;
    }

    memcpy(dst, name, n);

    return n;
}


static int
cx_page_email(const unsigned char *p, size_t len)
{
    size_t i;

    /* a handle ("@jane.doe") has nothing before its "@" */

    for (i = 1; i < len; i++) {
        if (p[i] == '@' && cx_page_domain(p + i + 1, len - i - 1)) {
            return 1;
        }

        if (p[i] == '%' && len - i > 3 && p[i + 1] == '4' && p[i + 2] == '0'
            && cx_page_domain(p + i + 3, len - i - 3))
        {
            /* encoded twice */
            return 1;
        }
    }

    return 0;
}


/* "example.com", whatever follows; but not "4.17.21" */

static int
cx_page_domain(const unsigned char *p, size_t len)
{
    int    dot;
    size_t i, letters;

    dot = 0;
    letters = 0;

    for (i = 0; i < len; i++) {
        if (p[i] == '.') {
            dot = (i > 0);
            letters = 0;
            continue;
        }

        if (p[i] < 0x80 && p[i] != '-' && cx_page_kind(p[i]) == 0) {
            break;
        }

        if (p[i] >= 0x80 || cx_page_kind(p[i]) > '9') {
            letters++;

            if (dot && letters == 2) {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * Ids: all digits; digits and dashes with at least 9 digits (a date has 8);
 * a UUID; hex of at least 16 bytes with a digit in it, or shorter if it is
 * not like a word; and tokens of at least 16 letters, digits, "-" and "_"
 * that change between upper case, lower case and digits more often than
 * every sixth byte.  Half of the neighbours in a random token do; words with
 * numbers in them do so once per number.
 */

static int
cx_page_id(const unsigned char *p, size_t len)
{
    cx_page_stat_t st;

    if (len == 0) {
        return 0;
    }

    cx_page_scan(&st, p, len);

    if (st.digits == 0) {
        return 0;
    }

    if (st.digits == len || (st.digits + st.dashes == len && st.digits >= 9)) {
        return 1;
    }

    if (st.hex == len && len >= 8) {
        return len >= 16 || cx_page_short_hex(p, len, &st);
    }

    if (cx_page_uuid(p, len, &st)) {
        return 1;
    }

    return len >= 16 && st.token == len && st.letters
           && st.switches >= len / 6 + 1;
}


/* "3f2a9c1b", but not "face2face" or "feed2024" */

static int
cx_page_short_hex(const unsigned char *p, size_t len, const cx_page_stat_t *st)
{
    size_t i;

    if (st->digits < 2) {
        return 0;
    }

    for (i = 0; i < len && cx_page_kind(p[i]) != '9'; i++) { /* void */
    }

    return i < 4 || st->digits != len - i || st->digits > 4;
}


/* 8-4-4-4-12 */

static int
cx_page_uuid(const unsigned char *p, size_t len, const cx_page_stat_t *st)
{
    size_t i;

    if (len != 36 || st->dashes != 4 || st->hex != 32) {
        return 0;
    }

    for (i = 8; i < 24; i += 5) {
        if (p[i] != '-') {
            return 0;
        }
    }

    return 1;
}


/*
 * A switch is a change between lower case, upper case and digits among
 * neighbours, but for the ways in which words are written: a capital followed
 * by lower case, at the beginning of a word ("PythonTutorial") or alone.
 */

static void
cx_page_scan(cx_page_stat_t *st, const unsigned char *p, size_t len)
{
    int    prev, kind;
    size_t i;

    memset(st, 0, sizeof(cx_page_stat_t));

    prev = 0;

    for (i = 0; i < len; i++) {
        kind = cx_page_kind(p[i]);

        if (kind == '9') {
            st->digits++;
            st->hex++;

        } else if (kind) {
            st->letters++;
            st->hex += ((p[i] | 0x20) <= 'f');

        } else {
            st->dashes += (p[i] == '-');
            st->token += (p[i] == '-' || p[i] == '_');
        }

        if (prev && kind && prev != kind && !(prev == 'A' && kind == 'a')
            && !(kind == 'A' && i + 2 < len && cx_page_kind(p[i + 1]) == 'a'
                 && cx_page_kind(p[i + 2]) == 'a'))
        {
            st->switches++;
        }

        prev = kind;
    }

    st->token += st->digits + st->letters;
}


/* 'a' lower case, 'A' upper case, '9' digit, 0 anything else */

static int
cx_page_kind(unsigned char ch)
{
    if (ch >= 'a' && ch <= 'z') {
        return 'a';
    }

    if (ch >= 'A' && ch <= 'Z') {
        return 'A';
    }

    return (ch >= '0' && ch <= '9') ? '9' : 0;
}
