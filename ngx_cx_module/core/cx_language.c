/* Languages that are built in, and which of some suits a visitor. */

#include <string.h>
#include <strings.h>
#include "cx_language.h"
#include "cx_languages.h"


/* of a list; what comes behind so many, or so far behind, is nobody's */
#define CX_LANGUAGE_WISHES 16
#define CX_LANGUAGE_LIST   1024


typedef struct {
    cx_str_t tag;
    int      q; /* thousandths */
} cx_wish_t;


static unsigned cx_language_read(cx_wish_t *wish, const cx_str_t *wishes);
static const unsigned char *cx_language_wish(cx_wish_t           *wish,
                                             const unsigned char *p,
                                             const unsigned char *end);
static int    cx_language_q(const unsigned char *p, const unsigned char *end);
static int    cx_language_find(const cx_str_t *tags, unsigned n,
                               const cx_str_t *tag);
static int    cx_language_any(const cx_str_t *tags, unsigned n,
                              const cx_wish_t *wish, unsigned wishes);
static int    cx_language_same(const cx_str_t *a, const cx_str_t *b);
static size_t cx_language_first(const cx_str_t *tag);


const char *const cx_word_keys[CX_WORD_N] = {
#define CX_WORD_KEY(id, key) key,
    CX_WORDS(CX_WORD_KEY)
#undef CX_WORD_KEY
};


/* RFC 9110, 12.5.4: "da, en-gb;q=0.8, en;q=0.7"; wishes are looked up as in
   RFC 4647, 3.4, with the first part as the one fallback */

int
cx_language_choose(const cx_str_t *tags, unsigned n, const cx_str_t *wishes)
{
    int       at, any;
    unsigned  i, all;
    cx_wish_t wish[CX_LANGUAGE_WISHES];

    any = 0;
    all = cx_language_read(wish, wishes);

    for (i = 0; i < all && wish[i].q; i++) {
        if (wish[i].tag.len == 1 && wish[i].tag.data[0] == '*') {
            /* a second one is as good as the first */
            at = any ? -1 : cx_language_any(tags, n, wish, all);
            any = 1;

        } else {
            at = cx_language_find(tags, n, &wish[i].tag);
        }

        if (at >= 0) {
            return at;
        }
    }

    return -1;
}


/* by q, those of the same q as they stand in the list; returns how many */

static unsigned
cx_language_read(cx_wish_t *wish, const cx_str_t *wishes)
{
    unsigned             i, n;
    cx_wish_t            next;
    const unsigned char *p, *end;

    n = 0;
    p = wishes->data;
    end = p + (wishes->len < CX_LANGUAGE_LIST ? wishes->len : CX_LANGUAGE_LIST);

    while (p < end && n < CX_LANGUAGE_WISHES) {
        p = cx_language_wish(&next, p, end);

        if (next.tag.len == 0) {
            continue;
        }

        for (i = n++; i > 0 && wish[i - 1].q < next.q; i--) {
            wish[i] = wish[i - 1];
        }

        wish[i] = next;
    }

    return n;
}


/* one element of the list; returns where the next begins */

static const unsigned char *
cx_language_wish(cx_wish_t *wish, const unsigned char *p,
                 const unsigned char *end)
{
    const unsigned char *stop, *q;

    stop = memchr(p, ',', (size_t) (end - p));

    if (stop == NULL) {
        stop = end;
    }

    while (p < stop && (*p == ' ' || *p == '\t')) {
        p++;
    }

    wish->tag.data = (unsigned char *) p;

    while (p < stop && *p != ';' && *p != ' ' && *p != '\t') {
        p++;
    }

    wish->tag.len = (size_t) (p - wish->tag.data);
    wish->q = 1000;

    q = memchr(p, ';', (size_t) (stop - p));

    if (q) {
        wish->q = cx_language_q(q + 1, stop);
    }

    return stop < end ? stop + 1 : end;
}


/* " q=0.8": thousandths; 0 where it is not understood */

static int
cx_language_q(const unsigned char *p, const unsigned char *end)
{
    int q, unit;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (end - p < 3 || (*p | 0x20) != 'q' || p[1] != '='
        || (p[2] != '0' && p[2] != '1'))
    {
        return 0;
    }

    q = (p[2] - '0') * 1000;
    p += 3;

    if (p < end && *p == '.') {
        for (p++, unit = 100; unit && p < end && *p >= '0' && *p <= '9'; p++) {
            q += (*p - '0') * unit;
            unit /= 10;
        }
    }

    return q > 1000 ? 1000 : q;
}


static int
cx_language_find(const cx_str_t *tags, unsigned n, const cx_str_t *tag)
{
    unsigned i;
    cx_str_t first;

    for (i = 0; i < n; i++) {
        if (cx_language_same(&tags[i], tag)) {
            return (int) i;
        }
    }

    first.data = tag->data;
    first.len = cx_language_first(tag);

    for (i = 0; i < n; i++) {
        if (cx_language_same(&tags[i], &first)) {
            return (int) i;
        }
    }

    for (i = 0; i < n; i++) {
        if (cx_language_first(&tags[i]) == first.len
            && strncasecmp((char *) tags[i].data, (char *) first.data,
                           first.len)
                   == 0)
        {
            return (int) i;
        }
    }

    return -1;
}


/* "*" is what is not in the list: neither wanted more, nor not at all */

static int
cx_language_any(const cx_str_t *tags, unsigned n, const cx_wish_t *wish,
                unsigned wishes)
{
    unsigned i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < wishes; k++) {
            if (cx_language_same(&wish[k].tag, &tags[i])) {
                break;
            }
        }

        if (k == wishes) {
            return (int) i;
        }
    }

    return -1;
}


static int
cx_language_same(const cx_str_t *a, const cx_str_t *b)
{
    return a->len == b->len
           && strncasecmp((char *) a->data, (char *) b->data, a->len) == 0;
}


/* up to the first "-", or "_", as some pages have it */

static size_t
cx_language_first(const cx_str_t *tag)
{
    size_t i;

    for (i = 0; i < tag->len; i++) {
        if (tag->data[i] == '-' || tag->data[i] == '_') {
            break;
        }
    }

    return i;
}
