/*
 * Masks card and phone numbers.
 *
 * Numbers are looked for in runs: groups of digits with at most three of
 * space, dash, "/", "(", ")" between them, or one dot.  Set aside before, as
 * they look alike: digits glued to a letter before them, dates (2024-11-21,
 * 21.11.2024, 1/2/24) and times (10:30:00).
 *
 * Card: whole groups of a run that make 13 to 19 digits, do not begin with 0
 * and pass Luhn, with spaces and dashes only between them.
 *
 * Phone: what is left of a run if it follows "+" and has at least 7 digits,
 * or has at least 9; but not years alone, "3.14159265", "1.234.567.890" and
 * four numbers with dots (versions, IPv4), unless written 1.555.123.4567.
 */

#include <string.h>
#include "cx_mask.h"


#define CX_MASK_GROUPS 32

#define CX_MASK_SPACE 1
#define CX_MASK_DASH  2
#define CX_MASK_DOT   4
#define CX_MASK_OTHER 8


typedef struct {
    size_t   from;
    size_t   to;
    unsigned sep; /* between the group before and this one */
} cx_mask_group_t;


static size_t cx_mask_aside(const cx_mask_t *m, size_t i);
static size_t cx_mask_date(const cx_mask_t *m, size_t i);
static int    cx_mask_day(const unsigned char *p, const size_t *len);
static size_t cx_mask_run(const cx_mask_t *m, size_t i, cx_mask_group_t *g,
                          size_t *n);
static size_t cx_mask_sep(const cx_mask_t *m, size_t i, unsigned *sep);
static void   cx_mask_groups(cx_mask_t *m, const cx_mask_group_t *g, size_t n);
static size_t cx_mask_card(const cx_mask_t *m, const cx_mask_group_t *g,
                           size_t n);
static void   cx_mask_phone(cx_mask_t *m, const cx_mask_group_t *g, size_t n);
static int    cx_mask_plain(const cx_mask_t *m, const cx_mask_group_t *g,
                            size_t n);
static int    cx_mask_dotted(const cx_mask_t *m, const cx_mask_group_t *g,
                             size_t n);
static size_t cx_mask_digits(const cx_mask_t *m, size_t i);
static unsigned cx_mask_value(const unsigned char *p, size_t len);


size_t
cx_mask_numbers(unsigned char *text, size_t len)
{
    size_t          i, n, to;
    cx_mask_t       m = { text, len, 0, 0 };
    cx_mask_group_t g[CX_MASK_GROUPS];

    i = 0;

    while (i < len) {
        if (!cx_mask_is_digit(text[i])) {
            i++;
            continue;
        }

        to = cx_mask_aside(&m, i);

        if (to) {
            i = to;
            continue;
        }

        i = cx_mask_run(&m, i, g, &n);

        cx_mask_groups(&m, g, n);
    }

    return cx_mask_end(&m);
}


/* behind the digits at i if they are not to be looked at, else 0 */

static size_t
cx_mask_aside(const cx_mask_t *m, size_t i)
{
    size_t        to;
    unsigned char prev;

    prev = (i > m->done) ? m->text[i - 1] : ' ';
    to = cx_mask_digits(m, i);

    if (cx_mask_is_letter(prev) || prev == '_') {
        return to;
    }

    if (prev == ':' && to - i <= 2 && i > m->done + 1
        && cx_mask_is_digit(m->text[i - 2]))
    {
        /* seconds may have a fraction */

        if (to + 1 < m->len && m->text[to] == '.'
            && cx_mask_is_digit(m->text[to + 1])) {
            to = cx_mask_digits(m, to + 1);
        }

        return to;
    }

    if (to - i <= 2 && to + 1 < m->len && m->text[to] == ':'
        && cx_mask_is_digit(m->text[to + 1]))
    {
        return to;
    }

    return cx_mask_date(m, i);
}


/* behind the date that begins at i, 0 if there is none */

static size_t
cx_mask_date(const cx_mask_t *m, size_t i)
{
    size_t               k, from, len[3];
    unsigned char        sep;
    const unsigned char *p;

    p = m->text;
    from = i;
    sep = 0;

    for (k = 0; k < 3; k++) {
        if (k) {
            if (i + 1 >= m->len || !cx_mask_is_digit(p[i + 1])
                || (p[i] != '-' && p[i] != '.' && p[i] != '/')
                || (k == 2 && p[i] != sep))
            {
                return 0;
            }

            sep = p[i++];
        }

        len[k] = cx_mask_digits(m, i) - i;
        i += len[k];
    }

    if (!cx_mask_day(p + from, len)) {
        return 0;
    }

    if (i + 1 < m->len && (p[i] == '-' || p[i] == '.' || p[i] == '/')
        && cx_mask_is_digit(p[i + 1]))
    {
        return 0;
    }

    return i;
}


/* year, month and day, or day, month and year, or month, day and year */

static int
cx_mask_day(const unsigned char *p, const size_t *len)
{
    unsigned a, b, year;

    if (len[0] == 4 && len[1] <= 2 && len[2] <= 2) {
        year = cx_mask_value(p, 4);
        a = cx_mask_value(p + 5, len[1]);
        b = cx_mask_value(p + 6 + len[1], len[2]);

    } else if (len[0] <= 2 && len[1] <= 2 && (len[2] == 2 || len[2] == 4)) {
        a = cx_mask_value(p, len[0]);
        b = cx_mask_value(p + len[0] + 1, len[1]);
        year = cx_mask_value(p + len[0] + len[1] + 2, len[2]);
        year += (len[2] == 2) ? 2000 : 0;

    } else {
        return 0;
    }

    return year >= 1900 && year < 2100 && a && b && a <= 31 && b <= 31
           && (a <= 12 || b <= 12);
}


/* the groups of the run at i; returns where to go on */

static size_t
cx_mask_run(const cx_mask_t *m, size_t i, cx_mask_group_t *g, size_t *n)
{
    size_t   next, to;
    unsigned sep;

    sep = 0;
    *n = 0;

    for (;;) {
        to = cx_mask_digits(m, i);

        g[*n].from = i;
        g[*n].to = to;
        g[*n].sep = sep;
        (*n)++;

        next = cx_mask_sep(m, to, &sep);

        if (next == 0 || *n == CX_MASK_GROUPS) {
            return to;
        }

        if ((sep & CX_MASK_SPACE) && cx_mask_aside(m, next)) {
            return to;
        }

        i = next;
    }
}


/* behind what may stand between two groups, 0 if no group follows */

static size_t
cx_mask_sep(const cx_mask_t *m, size_t i, unsigned *sep)
{
    size_t               n, left;
    const unsigned char *p;

    *sep = 0;

    for (n = 0; n <= 3 && i < m->len; n++) {
        p = m->text + i;
        left = m->len - i;

        if (cx_mask_is_digit(*p)) {
            return n ? i : 0;
        }

        if (*p == ' ') {
            *sep |= CX_MASK_SPACE;
            i++;

        } else if (*p == '-') {
            *sep |= CX_MASK_DASH;
            i++;

        } else if (*p == '/' || *p == '(' || *p == ')') {
            *sep |= CX_MASK_OTHER;
            i++;

        } else if (*p == '.' && n == 0 && left > 1 && cx_mask_is_digit(p[1])) {
            *sep |= CX_MASK_DOT;
            i++;

        } else if (left > 2 && memcmp(p, "\xc2\xa0", 2) == 0) {
            /* no-break space */
            *sep |= CX_MASK_SPACE;
            i += 2;

        } else if (left > 3 && memcmp(p, "\xe2\x80\xaf", 3) == 0) {
            /* narrow no-break space */
            *sep |= CX_MASK_SPACE;
            i += 3;

        } else if (left > 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x90
                   && p[2] <= 0x95)
        {
            /* dashes of all lengths */
            *sep |= CX_MASK_DASH;
            i += 3;

        } else {
            return 0;
        }
    }

    return 0;
}


/* cards first, then what is left before, between and behind them */

static void
cx_mask_groups(cx_mask_t *m, const cx_mask_group_t *g, size_t n)
{
    size_t i, used, left;

    left = 0;
    i = 0;

    while (i < n) {
        used = cx_mask_card(m, g + i, n - i);

        if (used == 0) {
            i++;
            continue;
        }

        cx_mask_phone(m, g + left, i - left);
        cx_mask_put(m, g[i].from, g[i + used - 1].to, "[card]");

        i += used;
        left = i;
    }

    cx_mask_phone(m, g + left, n - left);
}


/* how many groups from g on are a card's number, 0 if none are */

static size_t
cx_mask_card(const cx_mask_t *m, const cx_mask_group_t *g, size_t n)
{
    size_t   i, k, digits, best;
    unsigned d, sum, plain, doubled;

    if (m->text[g[0].from] == '0'
        || (g[0].from > m->done && m->text[g[0].from - 1] == '+'))
    {
        return 0;
    }

    best = 0;
    digits = 0;

    /* Luhn sums, if the last digit so far counts once or twice */

    plain = 0;
    doubled = 0;

    for (i = 0; i < n; i++) {
        if (i && (g[i].sep & ~(unsigned) (CX_MASK_SPACE | CX_MASK_DASH))) {
            break;
        }

        digits += g[i].to - g[i].from;

        if (digits > 19) {
            break;
        }

        for (k = g[i].from; k < g[i].to; k++) {
            d = (unsigned) (m->text[k] - '0');
            sum = doubled + d;
            doubled = plain + ((d > 4) ? 2 * d - 9 : 2 * d);
            plain = sum;
        }

        if (digits >= 13 && plain % 10 == 0) {
            best = i + 1;
        }
    }

    return best;
}


static void
cx_mask_phone(cx_mask_t *m, const cx_mask_group_t *g, size_t n)
{
    int            plus;
    size_t         i, from, to, digits;
    unsigned char *p;

    if (n == 0) {
        return;
    }

    p = m->text;
    from = g[0].from;
    to = g[n - 1].to;
    digits = 0;

    for (i = 0; i < n; i++) {
        digits += g[i].to - g[i].from;
    }

    /* "+49", "(030)", "(+49)", "+(49)" */

    plus = 0;

    for (i = 0; i < 2 && from > m->done; i++) {
        if (p[from - 1] == '+') {
            plus = 1;

        } else if (p[from - 1] != '(') {
            break;
        }

        from--;
    }

    if (p[from] == '(' && memchr(p + from, ')', to - from) == NULL) {
        from++;
    }

    if (digits < (plus ? 7 : 9) || (!plus && cx_mask_plain(m, g, n))) {
        return;
    }

    cx_mask_put(m, from, to, "[phone]");
}


/* numbers that are no phone numbers though they have enough digits */

static int
cx_mask_plain(const cx_mask_t *m, const cx_mask_group_t *g, size_t n)
{
    size_t   i, dots, years;
    unsigned year;

    dots = 0;
    years = 0;

    for (i = 0; i < n; i++) {
        dots += (i && g[i].sep == CX_MASK_DOT);

        if (g[i].to - g[i].from == 4) {
            year = cx_mask_value(m->text + g[i].from, 4);
            years += (year >= 1900 && year < 2100);
        }
    }

    if (years == n) {
        return 1;
    }

    return n > 1 && dots == n - 1 && cx_mask_dotted(m, g, n);
}


/* decimals, thousands, versions and addresses */

static int
cx_mask_dotted(const cx_mask_t *m, const cx_mask_group_t *g, size_t n)
{
    size_t i, len, first, threes, zeros;

    threes = 0;
    zeros = 0;
    first = g[0].to - g[0].from;

    for (i = 0; i < n; i++) {
        len = g[i].to - g[i].from;
        threes += (i && len == 3);
        zeros += (len > 1 && m->text[g[i].from] == '0');
    }

    if (first > 1 && m->text[g[0].from] == '0') {
        return 0;
    }

    if (n == 2) {
        return first <= 3;
    }

    if (threes == n - 1) {
        return first <= 2 || n == 4;
    }

    /* 1.555.123.4567 */

    return n == 4 && zeros == 0 && !(first == 1 && threes == 2);
}


/* behind the digits at i */

static size_t
cx_mask_digits(const cx_mask_t *m, size_t i)
{
    while (i < m->len && cx_mask_is_digit(m->text[i])) {
        i++;
    }

    return i;
}


static unsigned
cx_mask_value(const unsigned char *p, size_t len)
{
    unsigned n;

    for (n = 0; len; len--) {
        n = n * 10 + (unsigned) (*p++ - '0');
    }

    return n;
}
