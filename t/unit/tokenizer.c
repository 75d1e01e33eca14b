/* cx_tokenizer: the insertion point, whole, split in two and byte by byte. */

#include <stdlib.h>
#include "tap.h"


/* "|" marks the insertion point; without one the answer is MORE */

static const char  *docs[] = {

    /* head */
    "<head>|<title>x</title>",
    "<!doctype html><html lang=en><head>|",
    "<!DOCTYPE html PUBLIC \"a\" 'b'>\n<HTML>\n<HEAD class=x>|\n",
    "<head/>|",
    "<head / >|",
    "<head a=\"x>y\" b='>' c=d/e>|<",
    "<head a = 'x>' =y>|",
    "<head a='x'b=\"y\"/c>|",
    "<head \">|\">",
    "<head a=>|x",
    "<head\ta\r\n=\f'>'>|",
    "<html>\f<head>|<head>",

    /* no head tag: before the first token that is something else */
    "|x",
    " \t\r\n\f|x",
    "|<title>x</title>",
    "<html>\n |<title>",
    "<!doctype html>\n|<p>",
    "<html>|<header>",
    "<html>|<headx>",
    "<html>|<hea>",
    "|<h1>",
    "|<htm >",
    "|<htmlx>",
    "|<html=>",
    "<html>|<body>",
    "<html>|<frameset>",
    "<html> |</head>",
    "|</body>",
    "|</HTML>",
    "|</br>",
    "|</br/>",
    "|<1",
    "|< p>",
    "|<<",
    "|&amp;",
    "\n|\x80",

    /* walked over */
    "</p> </b> </bra> </h> </header> </html5> </title x='>'>\n|<b>",
    "</p=\"a>|b\">",
    "</>|</br>",
    "</ p><?xml version='1.0'?><!x></1></->|x",
    "<![CDATA[x]]>|x",
    "<!>|x",
    "<!->|x",
    "<!doc>|x",
    "<!doctypehtml>|x",
    "<html a=1><html b=2><!doctype html> <head>|",

    /* comments */
    "<!-- <head> -->|x",
    "<!-->|x",
    "<!--->|x",
    "<!---->|x",
    "<!--x--!>|x",
    "<!--!>x-->|y",
    "<!---!>x-->|y",
    "<!----!>|x",
    "<!--x--->|x",
    "<!--x-- >-->|y",
    "<!--x--!-->|y",
    "<!--x->-->|y",
    "<!-- <!-- --> |x",
    "<!--a--><!--b-->|x",

    /* byte order mark */
    "\xef\xbb\xbf|x",
    "\xef\xbb\xbf <head>|",
    "|\xef\xbby",
    "|\xefx",
    "|\xfex",
    "|\xff\xff",
    " |\xef\xbb\xbfx",

    /* undecided to the end */
    "",
    " \n",
    "\xef\xbb",
    "<",
    "</",
    "<html",
    "<hea",
    "</bod",
    "<!doctype html><html><head",
    "<head a='>",
    "<!-- x --",
    "<!doctype html",
    "</p></b",
};


static const struct {
    const char  *doc;
    size_t       len;

} none[] = {
    { "\xfe\xff\0<", 4 },
    { "\xff\xfe<\0", 4 },
    { "\0", 1 },
    { "<\0h\0", 4 },
    { "<html \0>", 8 },
    { "<!-- \0 --><head>", 16 },
    { "<he\0ad>", 7 },
};


typedef struct {
    cx_tokenizer_t  t;
    cx_html_e       rc;
    size_t          hold;        /* the largest off while undecided */
} result_t;


static void
feed(result_t *r, const char *p, size_t len)
{
    /* a copy of its own, so that the sanitizer sees every byte too far */

    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    memcpy(copy, p, len);

    r->rc = cx_tokenizer_feed(&r->t, copy, len);

    if (r->rc == CX_HTML_MORE && r->t.off > r->hold) {
        r->hold = r->t.off;
    }

    free(copy);
}


static int
same(const result_t *a, const result_t *b)
{
    return a->rc == b->rc && a->t.off == b->t.off && a->t.seen == b->t.seen
           && a->t.document == b->t.document
           && (a->rc != CX_HTML_FOUND || b->hold <= a->t.off);
}


static int
splits(const result_t *whole, const char *p, size_t len)
{
    size_t    i;
    result_t  r;

    for (i = 0; i <= len; i++) {
        memset(&r, 0, sizeof(r));
        feed(&r, p, i);
        feed(&r, p + i, len - i);

        if (!same(whole, &r)) {
            printf("# split at %zu: rc %d off %zu\n", i, r.rc, r.t.off);
            return 0;
        }
    }

    memset(&r, 0, sizeof(r));

    for (i = 0; i < len; i++) {
        feed(&r, p + i, 1);
    }

    return len == 0 || same(whole, &r);
}


static void
test_doc(const char *doc)
{
    char        buf[256];
    size_t      len, point;
    result_t    r;
    const char *bar;

    bar = strchr(doc, '|');
    len = strlen(doc);

    memcpy(buf, doc, len + 1);

    if (bar) {
        point = (size_t) (bar - doc);
        memmove(buf + point, buf + point + 1, len - point);
        len--;
    }

    memset(&r, 0, sizeof(r));
    feed(&r, buf, len);

    if (bar) {
        ok(r.rc == CX_HTML_FOUND && r.t.off == point, "found: %s (%d, %zu)",
           tap_show(doc, strlen(doc)), r.rc, r.t.off);

    } else {
        ok(r.rc == CX_HTML_MORE, "undecided: %s", tap_show(doc, len));
    }

    ok(splits(&r, buf, len), "split: %s", tap_show(doc, strlen(doc)));
}


static void
test_hold(const char *doc, size_t off)
{
    result_t  r;

    memset(&r, 0, sizeof(r));
    feed(&r, doc, strlen(doc));

    ok(r.rc == CX_HTML_MORE && r.t.off == off && r.t.seen == strlen(doc),
       "held back from %zu: %s (%d, %zu)", off, tap_show(doc, strlen(doc)),
       r.rc, r.t.off);
}


static void
test_document(const char *doc, unsigned document)
{
    result_t  r;

    memset(&r, 0, sizeof(r));
    feed(&r, doc, strlen(doc));

    ok(r.t.document == document, "document %u: %s", document,
       tap_show(doc, strlen(doc)));
}


int
main(void)
{
    size_t    i;
    result_t  r;

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        test_doc(docs[i]);
    }

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        memset(&r, 0, sizeof(r));
        feed(&r, none[i].doc, none[i].len);

        ok(r.rc == CX_HTML_NONE && splits(&r, none[i].doc, none[i].len),
           "none: %s", tap_show(none[i].doc, none[i].len));
    }

    test_hold("<!doctype html>", 15);
    test_hold("  \n", 3);
    test_hold("\xef\xbb", 0);
    test_hold("\xef\xbb\xbf", 3);
    test_hold("  <", 2);
    test_hold("  </", 2);
    test_hold("  <h", 2);
    test_hold("  <html", 2);
    test_hold("  </bod", 2);
    test_hold("  </p", 5);
    test_hold("<html ", 6);
    test_hold("<html><head a", 13);
    test_hold("<!", 2);
    test_hold("<!-- <html", 10);
    test_hold("<html a='<head", 14);

    test_document("<p>", 0);
    test_document("<!-- html --><p>", 0);
    test_document("<!doc><p>", 0);
    test_document("</head>", 0);
    test_document("</html>", 0);
    test_document("<!dOcTyPe html><p>", 1);
    test_document("<html ><p>", 1);
    test_document("<head>", 1);

    /* decided once, whatever follows */

    memset(&r, 0, sizeof(r));
    feed(&r, "<head>", 6);
    feed(&r, "\0<head>", 7);

    ok(r.rc == CX_HTML_FOUND && r.t.off == 6 && r.t.seen == 13,
       "nothing changes an insertion point that was found");

    return tap_done();
}
