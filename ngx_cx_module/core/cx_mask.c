/*
 * Masks personal data in verbatims.
 *
 * E-mail: local part, "@", and a domain with a dot whose last label has at
 * least two characters and does not begin with a digit.  Numbers have a file
 * of their own.
 */

#include <string.h>
#include "cx_mask.h"


static size_t cx_mask_fold(unsigned char *text, size_t len);
static size_t cx_mask_emails(unsigned char *text, size_t len);
static size_t cx_mask_local(const cx_mask_t *m, size_t at);
static size_t cx_mask_domain(const cx_mask_t *m, size_t i);


size_t
cx_mask(unsigned char *text, size_t len)
{
    if (len == 0) {
        return 0;
    }

    len = cx_mask_fold(text, len);

    /* addresses first: there are digits in them */

    len = cx_mask_emails(text, len);

    return cx_mask_numbers(text, len);
}


/* full-width digits and "@+-.", Arabic and Persian digits, become ASCII: what
   is not masked reads the same */

static size_t
cx_mask_fold(unsigned char *text, size_t len)
{
    size_t               w, left;
    const unsigned char *p;

    w = 0;

    for (p = text; p < text + len;) {
        left = (size_t) (text + len - p);

        if (left > 2 && p[0] == 0xef && p[1] == 0xbc
            && ((p[2] >= 0x90 && p[2] <= 0x99) || p[2] == 0xa0 || p[2] == 0x8b
                || p[2] == 0x8d || p[2] == 0x8e))
        {
            text[w++] = (unsigned char) (p[2] - 0x60);
            p += 3;

        } else if (left > 1 && p[0] == 0xd9 && p[1] >= 0xa0 && p[1] <= 0xa9) {
            text[w++] = (unsigned char) (p[1] - 0x70);
            p += 2;

        } else if (left > 1 && p[0] == 0xdb && p[1] >= 0xb0 && p[1] <= 0xb9) {
            text[w++] = (unsigned char) (p[1] - 0x80);
            p += 2;

        } else {
            text[w++] = *p++;
        }
    }

    return w;
}


static size_t
cx_mask_emails(unsigned char *text, size_t len)
{
    size_t    i, from, to;
    cx_mask_t m = { text, len, 0, 0 };

    for (i = 0; i < len; i++) {
        if (text[i] != '@') {
            continue;
        }

        from = cx_mask_local(&m, i);
        to = cx_mask_domain(&m, i + 1);

        if (from < i && to) {
            cx_mask_put(&m, from, to, "[email]");
            i = to - 1;
        }
    }

    return cx_mask_end(&m);
}


/* where the local part before "@" begins */

static size_t
cx_mask_local(const cx_mask_t *m, size_t at)
{
    size_t        i;
    unsigned char ch;

    for (i = at; i > m->done; i--) {
        ch = m->text[i - 1];

        if (cx_mask_is_letter(ch) || cx_mask_is_digit(ch)
            || (ch && strchr(".+-_%~", ch)))
        {
            continue;
        }

        /* Latin letters with accents; other scripts have no word spaces */

        if (ch >= 0x80 && ch < 0xc0 && i - 1 > m->done && m->text[i - 2] >= 0xc3
            && m->text[i - 2] <= 0xc9)
        {
            i--;
            continue;
        }

        break;
    }

    return i;
}


/* behind the domain at i, 0 if there is none */

static size_t
cx_mask_domain(const cx_mask_t *m, size_t i)
{
    size_t               end, label, dots;
    const unsigned char *p;

    p = m->text;
    end = 0;

    for (dots = 0; /* void */; dots++) {
        for (label = i; i < m->len; i++) {
            if (p[i] >= 0xc3 && p[i] <= 0xc9 && i + 1 < m->len) {
                i++;
                continue;
            }

            if (!cx_mask_is_letter(p[i]) && !cx_mask_is_digit(p[i])
                && p[i] != '-') {
                break;
            }
        }

        if (dots && i > label + 1 && !cx_mask_is_digit(p[label])) {
            end = i;
        }

        if (i == label || i == m->len || p[i] != '.') {
            return end;
        }

        i++;
    }
}


void
cx_mask_put(cx_mask_t *m, size_t from, size_t to, const char *label)
{
    size_t n;

    n = from - m->done;
    memmove(m->text + m->w, m->text + m->done, n);
    m->w += n;

    n = strlen(label);

    if (n > to - from) {
        /* only "a@b.cd": must not grow */

        n = to - from;
        label = "******";
    }

    memcpy(m->text + m->w, label, n);
    m->w += n;
    m->done = to;
}


size_t
cx_mask_end(cx_mask_t *m)
{
    memmove(m->text + m->w, m->text + m->done, m->len - m->done);

    return m->w + m->len - m->done;
}
