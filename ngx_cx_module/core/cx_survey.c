/* What module and cxctl must say alike of a survey. */

#include "cx_core.h"


static int cx_survey_digit(unsigned char ch);


int
cx_survey_pattern(const cx_str_t *pattern, const cx_str_t *page)
{
    const unsigned char *p, *s, *pend, *send, *star, *mark;

    p = pattern->data;
    pend = p + pattern->len;

    s = page->data;
    send = s + page->len;

    star = NULL;
    mark = NULL;

    while (s < send) {
        if (p < pend && *p == '*') {
            star = p++;
            mark = s;

        } else if (p < pend && *p == *s) {
            p++;
            s++;

        } else if (star) {
            /* the last star takes one byte more; none before it has to */

            p = star + 1;
            s = ++mark;

        } else {
            return 0;
        }
    }

    while (p < pend && *p == '*') {
        p++;
    }

    return p == pend;
}


int
cx_survey_choice(const cx_str_t *v)
{
    int    n, last, bits;
    size_t i;

    bits = 0;
    last = -1;

    for (i = 0; i < v->len; i++) {
        if (!cx_survey_digit(v->data[i])) {
            return -1;
        }

        n = v->data[i] - '0';

        /* no zero in front */

        if (n && i + 1 < v->len && cx_survey_digit(v->data[i + 1])) {
            n = n * 10 + v->data[++i] - '0';
        }

        if (n <= last || n >= CX_OPTIONS_MAX) {
            return -1;
        }

        bits |= 1 << n;
        last = n;

        /* then a comma and one more, or the end */

        if (++i < v->len && (v->data[i] != ',' || i + 1 == v->len)) {
            return -1;
        }
    }

    return bits ? bits : -1;
}


static int
cx_survey_digit(unsigned char ch)
{
    return ch >= '0' && ch <= '9';
}
