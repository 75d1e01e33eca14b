/*
 * Strict JSON (RFC 8259) from front to back, without memory of its own.
 *
 * Refused beyond the grammar: integers that do not fit into 64 bits, escaped
 * NULs and surrogates without their other half, as no value could hold them.
 */

#include <string.h>
#include "cx_core.h"


static cx_json_e cx_json_scalar(cx_json_t *j, cx_str_t *v);
static int       cx_json_text(cx_json_t *j, cx_str_t *v);
static int       cx_json_escaped(cx_json_t *j, cx_str_t *v,
                                 const unsigned char *start);
static size_t    cx_json_escape(const unsigned char *p, size_t len,
                                unsigned char **dst);
static size_t    cx_json_unicode(const unsigned char *p, size_t len,
                                 unsigned char **dst);
static int cx_json_hex(const unsigned char *p, size_t len, unsigned *code);
static unsigned char       *cx_json_utf8(unsigned char *p, unsigned code);
static cx_json_e            cx_json_number(cx_json_t *j, cx_str_t *v);
static const unsigned char *cx_json_digits(const unsigned char *p,
                                           const unsigned char *end);
static int                  cx_json_fits(const cx_str_t *v);
static cx_json_e            cx_json_word(cx_json_t *j);
static int                  cx_json_skip(cx_json_t *j);


void
cx_json_start(cx_json_t *j, const unsigned char *text, size_t len,
              unsigned char *room)
{
    j->p = text;
    j->end = text + len;
    j->room = room;
    j->depth = 0;
    j->deep = 0;
}


int
cx_json_peek(cx_json_t *j)
{
    const unsigned char *p;

    for (p = j->p; p < j->end; p++) {
        if (*p > ' ' || (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')) {
            j->p = p;
            return *p;
        }
    }

    j->p = p;

    return -1;
}


int
cx_json_byte(cx_json_t *j, int ch)
{
    if (cx_json_peek(j) != ch) {
        return 0;
    }

    j->p++;

    return 1;
}


int
cx_json_open(cx_json_t *j, int ch)
{
    if (cx_json_peek(j) != ch) {
        return 0;
    }

    if (j->depth == CX_JSON_DEPTH) {
        j->deep = 1;
        return 0;
    }

    /* "{" and "[" are two before "}" and "]" */

    j->close[j->depth++] = (unsigned char) (ch + 2);
    j->p++;

    return 1;
}


int
cx_json_close(cx_json_t *j)
{
    if (!cx_json_byte(j, j->close[j->depth - 1])) {
        return 0;
    }

    j->depth--;

    return 1;
}


int
cx_json_key(cx_json_t *j, cx_str_t *key)
{
    return cx_json_peek(j) == '"' && cx_json_text(j, key)
           && cx_json_byte(j, ':');
}


cx_json_e
cx_json_value(cx_json_t *j, cx_str_t *v)
{
    int ch;

    ch = cx_json_peek(j);

    if (ch == '{' || ch == '[') {
        return cx_json_skip(j) ? CX_JSON_OTHER : CX_JSON_BAD;
    }

    return cx_json_scalar(j, v);
}


int
cx_json_end(cx_json_t *j)
{
    return cx_json_peek(j) == -1;
}


static cx_json_e
cx_json_scalar(cx_json_t *j, cx_str_t *v)
{
    int ch;

    ch = cx_json_peek(j);

    if (ch == '"') {
        return cx_json_text(j, v) ? CX_JSON_STRING : CX_JSON_BAD;
    }

    if (ch == '-' || (ch >= '0' && ch <= '9')) {
        return cx_json_number(j, v);
    }

    return cx_json_word(j);
}


/* a string; most have no escapes, and stay where they are */

static int
cx_json_text(cx_json_t *j, cx_str_t *v)
{
    size_t               n;
    const unsigned char *p, *start;

    start = j->p + 1;

    for (p = start; p < j->end; p += n) {
        n = 1;

        if (*p == '"') {
            v->data = (unsigned char *) start;
            v->len = (size_t) (p - start);
            j->p = p + 1;
            return 1;
        }

        if (*p == '\\') {
            j->p = p;
            return cx_json_escaped(j, v, start);
        }

        if (*p >= 0x80) {
            n = cx_utf8_char(p, (size_t) (j->end - p));

        } else if (*p < 0x20) {
            return 0;
        }

        if (n == 0) {
            return 0;
        }
    }

    return 0;
}


/* a string from its first escape on: its text goes where there is room */

static int
cx_json_escaped(cx_json_t *j, cx_str_t *v, const unsigned char *start)
{
    size_t               n;
    unsigned char       *dst;
    const unsigned char *p;

    n = (size_t) (j->p - start);
    memcpy(j->room, start, n);
    dst = j->room + n;

    for (p = j->p; p < j->end; p += n) {
        if (*p == '"') {
            v->data = j->room;
            v->len = (size_t) (dst - j->room);
            j->room = dst;
            j->p = p + 1;
            return 1;
        }

        if (*p == '\\') {
            n = cx_json_escape(p, (size_t) (j->end - p), &dst);

        } else if (*p >= 0x80) {
            n = cx_utf8_char(p, (size_t) (j->end - p));
            memcpy(dst, p, n);
            dst += n;

        } else {
            n = (*p >= 0x20);
            *dst++ = *p;
        }

        if (n == 0) {
            return 0;
        }
    }

    return 0;
}


/* length of the escape at p, 0 if it is none */

static size_t
cx_json_escape(const unsigned char *p, size_t len, unsigned char **dst)
{
    unsigned char ch;

    if (len < 2) {
        return 0;
    }

    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
        ch = p[1];
        break;

    case 'b':
        ch = '\b';
        break;

    case 'f':
        ch = '\f';
        break;

    case 'n':
        ch = '\n';
        break;

    case 'r':
        ch = '\r';
        break;

    case 't':
        ch = '\t';
        break;

    case 'u':
        return cx_json_unicode(p, len, dst);

    default:
        return 0;
    }

    *(*dst)++ = ch;

    return 2;
}


/* "\u20ac", or "\ud83d\ude00" */

static size_t
cx_json_unicode(const unsigned char *p, size_t len, unsigned char **dst)
{
    unsigned code, low;

    if (!cx_json_hex(p, len, &code) || code == 0
        || (code >= 0xdc00 && code <= 0xdfff))
    {
        return 0;
    }

    if (code < 0xd800 || code > 0xdfff) {
        *dst = cx_json_utf8(*dst, code);
        return 6;
    }

    if (!cx_json_hex(p + 6, len - 6, &low) || low < 0xdc00 || low > 0xdfff) {
        return 0;
    }

    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    *dst = cx_json_utf8(*dst, code);

    return 12;
}


static int
cx_json_hex(const unsigned char *p, size_t len, unsigned *code)
{
    size_t        i;
    unsigned char ch;

    if (len < 6 || p[0] != '\\' || p[1] != 'u') {
        return 0;
    }

    *code = 0;

    for (i = 2; i < 6; i++) {
        ch = p[i];

        if (ch >= '0' && ch <= '9') {
            *code = *code * 16 + (unsigned) (ch - '0');
            continue;
        }

        ch |= 0x20;

        if (ch < 'a' || ch > 'f') {
            return 0;
        }

        *code = *code * 16 + (unsigned) (ch - 'a') + 10;
    }

    return 1;
}


static unsigned char *
cx_json_utf8(unsigned char *p, unsigned code)
{
    if (code < 0x80) {
        *p++ = (unsigned char) code;
        return p;
    }

    if (code < 0x800) {
        *p++ = (unsigned char) (0xc0 | (code >> 6));

    } else {
        if (code < 0x10000) {
            *p++ = (unsigned char) (0xe0 | (code >> 12));

        } else {
            *p++ = (unsigned char) (0xf0 | (code >> 18));
            *p++ = (unsigned char) (0x80 | ((code >> 12) & 0x3f));
        }

        *p++ = (unsigned char) (0x80 | ((code >> 6) & 0x3f));
    }

    *p++ = (unsigned char) (0x80 | (code & 0x3f));

    return p;
}


static cx_json_e
cx_json_number(cx_json_t *j, cx_str_t *v)
{
    const unsigned char *p, *start;

    start = j->p;
    p = start + (*start == '-');

    /* nothing follows a leading zero */

    if (p < j->end && *p == '0') {
        p++;

    } else {
        p = cx_json_digits(p, j->end);

        if (p == NULL) {
            return CX_JSON_BAD;
        }
    }

    v->data = (unsigned char *) start;
    v->len = (size_t) (p - start);

    if (p == j->end || (*p != '.' && *p != 'e' && *p != 'E')) {
        j->p = p;
        return cx_json_fits(v) ? CX_JSON_INT : CX_JSON_BAD;
    }

    if (*p == '.') {
        p = cx_json_digits(p + 1, j->end);
    }

    if (p && p < j->end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < j->end && (*p == '+' || *p == '-')) {
            p++;
        }

        p = cx_json_digits(p, j->end);
    }

    if (p == NULL) {
        return CX_JSON_BAD;
    }

    j->p = p;

    return CX_JSON_OTHER;
}


/* behind the digits at p, NULL if there are none */

static const unsigned char *
cx_json_digits(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *start;

    for (start = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */
    }

    return p > start ? p : NULL;
}


/* an integer of 64 bits */

static int
cx_json_fits(const cx_str_t *v)
{
    size_t      len;
    const char *most;

    most = (v->data[0] == '-') ? "-9223372036854775808" : "9223372036854775807";
    len = strlen(most);

    return v->len < len || (v->len == len && memcmp(v->data, most, len) <= 0);
}


static cx_json_e
cx_json_word(cx_json_t *j)
{
    size_t i, len;

    static const char *words[] = { "true", "false", "null" };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        len = strlen(words[i]);

        if ((size_t) (j->end - j->p) >= len && memcmp(j->p, words[i], len) == 0)
        {
            j->p += len;
            return CX_JSON_OTHER;
        }
    }

    return CX_JSON_BAD;
}


/* an object or array, whatever is in it */

static int
cx_json_skip(cx_json_t *j)
{
    int      ch;
    cx_str_t v;
    unsigned depth;

    depth = j->depth;

    do {
        ch = cx_json_peek(j);

        if (ch == '{' || ch == '[') {
            if (!cx_json_open(j, ch)) {
                return 0;
            }

            if (!cx_json_close(j)) {
                if (ch == '{' && !cx_json_key(j, &v)) {
                    return 0;
                }

                continue;
            }

        } else if (cx_json_scalar(j, &v) == CX_JSON_BAD) {
            return 0;
        }

        while (j->depth > depth && !cx_json_byte(j, ',')) {
            if (!cx_json_close(j)) {
                return 0;
            }
        }

        if (j->depth > depth && j->close[j->depth - 1] == '}'
            && !cx_json_key(j, &v)) {
            return 0;
        }

    } while (j->depth > depth);

    return 1;
}
