/* UTF-8 text on a terminal: how wide it is, and where it may end. */

#include <stdint.h>
#include <string.h>
#include "cxctl.h"

typedef struct {
    uint32_t first;
    uint32_t last;
} cx_range_t;

/* characters of no width: accents, points and marks on others, joiners,
   variants, marks of direction */

static const cx_range_t cx_width_none[] = {
    { 0x300, 0x36f },   { 0x483, 0x489 },     { 0x591, 0x5bd },
    { 0x5bf, 0x5bf },   { 0x5c1, 0x5c2 },     { 0x5c4, 0x5c5 },
    { 0x5c7, 0x5c7 },   { 0x610, 0x61a },     { 0x61c, 0x61c },
    { 0x64b, 0x65f },   { 0x670, 0x670 },     { 0x6d6, 0x6dc },
    { 0x6df, 0x6e4 },   { 0x6e7, 0x6e8 },     { 0x6ea, 0x6ed },
    { 0x900, 0x902 },   { 0x93a, 0x93a },     { 0x93c, 0x93c },
    { 0x941, 0x948 },   { 0x94d, 0x94d },     { 0x951, 0x957 },
    { 0xe31, 0xe31 },   { 0xe34, 0xe3a },     { 0xe47, 0xe4e },
    { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },   { 0x200b, 0x200f },
    { 0x2060, 0x2064 }, { 0x20d0, 0x20ff },   { 0x302a, 0x302d },
    { 0x3099, 0x309a }, { 0xfe00, 0xfe0f },   { 0xfe20, 0xfe2f },
    { 0xfeff, 0xfeff }, { 0x1f3fb, 0x1f3ff }, { 0xe0100, 0xe01ef }
};

/* of two columns: Chinese, Japanese, Korean, full width, emoji */

static const cx_range_t cx_width_two[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },
    { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },
    { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },
    { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
    { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
    { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd }
};

#define CX_RANGES(r) (sizeof(r) / sizeof((r)[0]))


static int
cx_width_in(uint32_t ch, const cx_range_t *r, size_t n)
{
    size_t low, high, k;

    low = 0;
    high = n;

    while (low < high) {
        k = (low + high) / 2;

        if (ch > r[k].last) {
            low = k + 1;

        } else if (ch < r[k].first) {
            high = k;

        } else {
            return 1;
        }
    }

    return 0;
}


/* bytes of a character by its first one */

static size_t
cx_width_bytes(unsigned char first)
{
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}


size_t
cx_ctl_width(const char *text)
{
    size_t               i, n, columns;
    uint32_t             ch;
    const unsigned char *s;

    columns = 0;

    for (s = (const unsigned char *) text; *s; s += i) {
        n = cx_width_bytes(*s);
        ch = n == 1 ? *s : *s & (0x7fu >> n);

        for (i = 1; i < n && (s[i] & 0xc0) == 0x80; i++) {
            ch = ch << 6 | (s[i] & 0x3f);
        }

        if (!cx_width_in(ch, cx_width_none, CX_RANGES(cx_width_none))) {
            columns += 1
                       + (size_t) cx_width_in(ch, cx_width_two,
                                              CX_RANGES(cx_width_two));
        }
    }

    return columns;
}


void
cx_ctl_whole(char *text)
{
    size_t len, k;

    len = strlen(text);

    for (k = 1; k <= 4 && k <= len; k++) {
        if ((text[len - k] & 0xc0) != 0x80) {
            if (cx_width_bytes((unsigned char) text[len - k]) > k) {
                text[len - k] = '\0';
            }

            return;
        }
    }
}
