/*
 * Masks personal data in verbatims.
 *
 * E-mail: local part, "@", and a domain with a dot whose last label has at
 * least two characters and does not begin with a digit.  Numbers have a file
 * of their own.
 */

#include <string.h>
#include "cx_mask.h"


static size_t cx_mask_emails(unsigned char *text, size_t len);
static size_t cx_mask_local(const cx_mask_t *m, size_t at);
static size_t cx_mask_domain(const cx_mask_t *m, size_t i);


size_t
cx_mask(unsigned char *text, size_t len)
{
    if (len == 0) {
        return 0;
    }

    /* addresses first: there are digits in them */

    len = cx_mask_emails(text, len);

    return cx_mask_numbers(text, len);
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
