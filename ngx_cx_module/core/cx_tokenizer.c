/*
 * First bytes of HTML -> insertion point.
 *
 * States and transitions are those of the WHATWG tokenizer, those that end
 * up in the same place folded into one: what happens behind a closing quote,
 * a "/" or white space in a tag is the same, a doctype ends where a bogus
 * comment does, and "<" in a comment only changes which errors are reported.
 *
 * One difference: white space written as a character reference ("&#32;") is
 * text here, so the parser keeps it, behind the insertion.
 */

#include <string.h>
#include "cx_core.h"


enum {
    CX_ST_START = 0, /* first byte, or inside a byte order mark */
    CX_ST_DATA,
    CX_ST_LT,            /* < */
    CX_ST_LT_SLASH,      /* </ */
    CX_ST_NAME,          /* a name that may still matter */
    CX_ST_STRAY,         /* the name of an end tag that is ignored */
    CX_ST_DECL,          /* <! */
    CX_ST_DECL_DASH,     /* <!- */
    CX_ST_BOGUS,         /* bogus comment, or doctype */
    CX_ST_COMMENT_START, /* <!-- */
    CX_ST_COMMENT_START_DASH,
    CX_ST_COMMENT,
    CX_ST_COMMENT_DASH,
    CX_ST_COMMENT_END,  /* -- */
    CX_ST_COMMENT_BANG, /* --! */
    CX_ST_ATTRS,        /* between attributes */
    CX_ST_ATTR,         /* attribute name */
    CX_ST_ATTR_AFTER,   /* white space behind an attribute name */
    CX_ST_VALUE_BEFORE, /* = */
    CX_ST_VALUE_QUOTED,
    CX_ST_VALUE,
    CX_ST_FOUND,
    CX_ST_NONE
};


static cx_html_e     cx_html_byte(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_start(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_data(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_lt(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_name(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_name_end(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_decl(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_comment(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_attr(cx_tokenizer_t *t, unsigned char ch);
static cx_html_e     cx_html_tag_end(cx_tokenizer_t *t);
static cx_html_e     cx_html_found(cx_tokenizer_t *t, size_t off);
static cx_html_e     cx_html_none(cx_tokenizer_t *t);
static int           cx_html_name_known(cx_tokenizer_t *t, int whole);
static int           cx_html_space(unsigned char ch);
static unsigned char cx_html_lower(unsigned char ch);


cx_html_e
cx_tokenizer_feed(cx_tokenizer_t *t, const unsigned char *p, size_t len)
{
    size_t    i;
    cx_html_e rc;

    if (t->state == CX_ST_FOUND || t->state == CX_ST_NONE) {
        t->seen += len;
        return t->state == CX_ST_FOUND ? CX_HTML_FOUND : CX_HTML_NONE;
    }

    for (i = 0; i < len; i++) {
        rc = cx_html_byte(t, p[i]);

        if (rc != CX_HTML_MORE) {
            t->seen += len - i;
            return rc;
        }

        t->seen++;
    }

    switch (t->state) {
    case CX_ST_LT:
    case CX_ST_LT_SLASH:
    case CX_ST_NAME:
        /* off is the "<" */
        break;

    case CX_ST_START:
        /* half a mark may turn out to be text */
        t->off = 0;
        break;

    default:
        t->off = t->seen;
    }

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_byte(cx_tokenizer_t *t, unsigned char ch)
{
    if (ch == '\0') {
        return cx_html_none(t);
    }

    switch (t->state) {
    case CX_ST_START:
        return cx_html_start(t, ch);

    case CX_ST_DATA:
        return cx_html_data(t, ch);

    case CX_ST_LT:
    case CX_ST_LT_SLASH:
        return cx_html_lt(t, ch);

    case CX_ST_NAME:
    case CX_ST_STRAY:
        return cx_html_name(t, ch);

    case CX_ST_DECL:
    case CX_ST_DECL_DASH:
        return cx_html_decl(t, ch);

    case CX_ST_BOGUS:
        if (ch == '>') {
            t->state = CX_ST_DATA;
        }

        return CX_HTML_MORE;

    case CX_ST_COMMENT_START:
    case CX_ST_COMMENT_START_DASH:
    case CX_ST_COMMENT:
    case CX_ST_COMMENT_DASH:
    case CX_ST_COMMENT_END:
    case CX_ST_COMMENT_BANG:
        return cx_html_comment(t, ch);

    default:
        return cx_html_attr(t, ch);
    }
}


static cx_html_e
cx_html_start(cx_tokenizer_t *t, unsigned char ch)
{
    /* the bytes so far are kept in tag[] */

    if (t->bom == 0) {
        if (ch == 0xef || ch == 0xfe || ch == 0xff) {
            t->tag[0] = ch;
            t->bom = 1;
            return CX_HTML_MORE;
        }

        t->state = CX_ST_DATA;
        return cx_html_data(t, ch);
    }

    if (t->bom == 1) {
        if (t->tag[0] + ch == 0xfe + 0xff) {
            /* UTF-16, one way round or the other */
            return cx_html_none(t);
        }

        if (t->tag[0] == 0xef && ch == 0xbb) {
            t->bom = 2;
            return CX_HTML_MORE;
        }

        return cx_html_found(t, 0);
    }

    if (ch != 0xbf) {
        return cx_html_found(t, 0);
    }

    t->state = CX_ST_DATA;

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_data(cx_tokenizer_t *t, unsigned char ch)
{
    if (cx_html_space(ch)) {
        return CX_HTML_MORE;
    }

    if (ch != '<') {
        return cx_html_found(t, t->seen);
    }

    t->off = t->seen;
    t->state = CX_ST_LT;

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_lt(cx_tokenizer_t *t, unsigned char ch)
{
    unsigned char lower;

    lower = cx_html_lower(ch);

    if (lower >= 'a' && lower <= 'z') {
        t->end_tag = (t->state == CX_ST_LT_SLASH);
        t->tag_len = 0;
        t->state = CX_ST_NAME;
        return cx_html_name(t, ch);
    }

    if (t->state == CX_ST_LT_SLASH) {
        /* "</>" is nothing at all */
        t->state = (ch == '>') ? CX_ST_DATA : CX_ST_BOGUS;
        return CX_HTML_MORE;
    }

    switch (ch) {
    case '/':
        t->state = CX_ST_LT_SLASH;
        return CX_HTML_MORE;

    case '!':
        t->tag_len = 0;
        t->state = CX_ST_DECL;
        return CX_HTML_MORE;

    case '?':
        t->state = CX_ST_BOGUS;
        return CX_HTML_MORE;

    default:
        /* "<" is text */
        return cx_html_found(t, t->off);
    }
}


static cx_html_e
cx_html_name(cx_tokenizer_t *t, unsigned char ch)
{
    if (cx_html_space(ch) || ch == '/' || ch == '>') {
        return cx_html_name_end(t, ch);
    }

    if (t->state == CX_ST_STRAY) {
        return CX_HTML_MORE;
    }

    t->tag[t->tag_len++] = cx_html_lower(ch);

    if (cx_html_name_known(t, 0)) {
        return CX_HTML_MORE;
    }

    if (!t->end_tag) {
        return cx_html_found(t, t->off);
    }

    t->state = CX_ST_STRAY;

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_name_end(cx_tokenizer_t *t, unsigned char ch)
{
    int known;

    known = (t->state == CX_ST_NAME && cx_html_name_known(t, 1));

    /*
     * Other start tags open the body or belong into a head; the end tags of
     * head, body, html and br do as well, all others are ignored.
     */

    if (known == (int) t->end_tag) {
        return cx_html_found(t, t->off);
    }

    if (known) {
        t->document = 1;
    }

    t->state = CX_ST_ATTRS;

    return cx_html_attr(t, ch);
}


static cx_html_e
cx_html_decl(cx_tokenizer_t *t, unsigned char ch)
{
    static const unsigned char doctype[] = "doctype";

    if (t->state == CX_ST_DECL_DASH) {
        if (ch == '-') {
            t->state = CX_ST_COMMENT_START;
            return CX_HTML_MORE;
        }

    } else if (t->tag_len == 0 && ch == '-') {
        t->state = CX_ST_DECL_DASH;
        return CX_HTML_MORE;

    } else if (cx_html_lower(ch) == doctype[t->tag_len]) {
        if (++t->tag_len == sizeof(doctype) - 1) {
            t->document = 1;
            t->state = CX_ST_BOGUS;
        }

        return CX_HTML_MORE;
    }

    t->state = (ch == '>') ? CX_ST_DATA : CX_ST_BOGUS;

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_comment(cx_tokenizer_t *t, unsigned char ch)
{
    unsigned char state;

    state = t->state;
    t->state = CX_ST_COMMENT;

    switch (ch) {
    case '-':
        if (state == CX_ST_COMMENT_START) {
            t->state = CX_ST_COMMENT_START_DASH;

        } else if (state == CX_ST_COMMENT || state == CX_ST_COMMENT_BANG) {
            t->state = CX_ST_COMMENT_DASH;

        } else {
            t->state = CX_ST_COMMENT_END;
        }

        break;

    case '!':
        if (state == CX_ST_COMMENT_END) {
            t->state = CX_ST_COMMENT_BANG;
        }

        break;

    case '>':
        if (state != CX_ST_COMMENT && state != CX_ST_COMMENT_DASH) {
            t->state = CX_ST_DATA;
        }

        break;
    }

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_attr(cx_tokenizer_t *t, unsigned char ch)
{
    if (t->state == CX_ST_VALUE_QUOTED) {
        if (ch == t->quote) {
            t->state = CX_ST_ATTRS;
        }

        return CX_HTML_MORE;
    }

    if (ch == '>') {
        return cx_html_tag_end(t);
    }

    if (cx_html_space(ch)) {
        if (t->state == CX_ST_ATTR) {
            t->state = CX_ST_ATTR_AFTER;

        } else if (t->state == CX_ST_VALUE) {
            t->state = CX_ST_ATTRS;
        }

        return CX_HTML_MORE;
    }

    switch (t->state) {
    case CX_ST_ATTR:
    case CX_ST_ATTR_AFTER:
        if (ch == '=') {
            t->state = CX_ST_VALUE_BEFORE;
            break;
        }

        /* fall through */

    case CX_ST_ATTRS:
        /* here "=" begins a name */
        t->state = (ch == '/') ? CX_ST_ATTRS : CX_ST_ATTR;
        break;

    case CX_ST_VALUE_BEFORE:
        if (ch == '"' || ch == '\'') {
            t->quote = ch;
            t->state = CX_ST_VALUE_QUOTED;

        } else {
            t->state = CX_ST_VALUE;
        }

        break;
    }

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_tag_end(cx_tokenizer_t *t)
{
    if (!t->end_tag && t->tag[1] == 'e') {
        /* <head> */
        return cx_html_found(t, t->seen + 1);
    }

    t->state = CX_ST_DATA;

    return CX_HTML_MORE;
}


static cx_html_e
cx_html_found(cx_tokenizer_t *t, size_t off)
{
    t->off = off;
    t->state = CX_ST_FOUND;

    return CX_HTML_FOUND;
}


static cx_html_e
cx_html_none(cx_tokenizer_t *t)
{
    /* nothing needs to be held back */

    t->off = t->seen;
    t->state = CX_ST_NONE;

    return CX_HTML_NONE;
}


/*
 * Is the name so far (whole: the whole name) one that matters?  Start tags:
 * html and head; end tags: body and br as well.  The name has no more than
 * one byte over the longest of these, since it is given up at the first byte
 * that does not fit.
 */

static int
cx_html_name_known(cx_tokenizer_t *t, int whole)
{
    unsigned i, n;
    size_t   len;

    static const char *names[] = { "html", "head", "body", "br" };

    n = t->end_tag ? 4 : 2;

    for (i = 0; i < n; i++) {
        len = strlen(names[i]);

        if ((whole ? t->tag_len == len : t->tag_len <= len)
            && memcmp(names[i], t->tag, t->tag_len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static int
cx_html_space(unsigned char ch)
{
    return ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r' || ch == '\f';
}


static unsigned char
cx_html_lower(unsigned char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? (unsigned char) (ch | 0x20) : ch;
}
