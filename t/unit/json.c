/* cx_json, and cx_batch on top of it, against jansson. */

#include <stdlib.h>
#include "tap.h"
#include "oracle.h"


#define MUTATIONS  200000


/* each is tried as a value of its own, in an array and behind a key */

static const char  *values[] = {
    "0", "-0", "1", "-1", "10", "01", "-01", "00", "-", "+1", "1.", ".1",
    "1.0", "-1.5", "1.e1", "1e", "1e+", "1e5", "1E-5", "0e0", "0.0e+0", "1e5.",
    "1a", "0x1", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "1000000000000000000",
    "10000000000000000000", "NaN", "Infinity",

    "true", "false", "null", "True", "tru", "truee", "nul", "true1",

    "\"\"", "\"a\"", "\"", "\"a", "'a'", "\"\\\"\"", "\"\\\\\"", "\"\\/\"",
    "\"\\b\\f\\n\\r\\t\"", "\"\\a\"", "\"\\'\"", "\"\\", "\"\\\"",
    "\"a\nb\"", "\"a\tb\"", "\"\x1f\"", "\"\x7f\"",

    "\"\\u0041\"", "\"\\u00e9\"", "\"\\u20AC\"", "\"\\uFFFF\"", "\"\\u0000\"",
    "\"\\u004\"", "\"\\u004g\"", "\"\\U0041\"", "\"\\u007f\\u0080\"",
    "\"\\u07ff\\u0800\"", "\"\\u0001\"",
    "\"\\ud83d\\ude00\"", "\"\\ud800\\udc00\"", "\"\\udbff\\udfff\"",
    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\u0041\"", "\"\\ud83dx\"",
    "\"\\ud83d\\n\"", "\"\\ude00\\ud83d\"", "\"\\ud83d\\ude0\"",
    "\"\\ud83d\\ud83d\"",

    "\"\xc3\xa9\"", "\"\xe2\x82\xac\"", "\"\xf0\x9f\x98\x80\"",
    "\"\xc2\x80\"", "\"\xef\xbb\xbf\"", "\xef\xbb\xbf" "1",
    "\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x9f\xbf\"",
    "\"\xed\xa0\x80\"", "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\xe2\x82z\"",
    "\"\\n\xc3\xa9\"", "\"\\n\xc3\"", "\"\\n\x80\"", "\"\\n\n\"",

    "{}", "[]", "{]", "[}", "{,}", "[,]", "[1,]", "{\"a\":1,}", "[1 2]",
    "{\"a\"}", "{\"a\":}", "{\"a\",1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}",
    "[1,2,[3,{\"a\":[]}]]", "{\"a\":{\"b\":{}},\"c\":[{},[]]}", "[[]", "[]]",
    "{\"a\\n\":\"\\u0041\"}", "{\"a\":1,\"b\":[true,false,null]}",

    " 1 ", "\t\r\n1\n", "\v1", "\f1", "\xc2\xa0" "1", "1 1", "1,", "", " ",
    "/**/1", "1//", "#"
};


/* what mutations are made of, and what they put in */

static const char  *seeds[] = {

    "{\"v\":1,\"page\":\"/p\",\"view\":\"0123456789abcdef\",\"touchpoint\":"
    "\"pay\",\"stage\":\"buy\",\"age\":86400000,\"events\":[{\"type\":"
    "\"signal\",\"name\":\"rage_click\",\"count\":2,\"target\":\"a#b > c\"},"
    "{\"type\":\"leave\",\"visible_ms\":12,\"scroll_pct\":80,\"lcp_ms\":1,"
    "\"inp_ms\":2,\"cls_milli\":3}]}",

    "{ \"events\" : [ { \"survey\" : \"s\" , \"trigger\" : \"exit\" , "
    "\"chance\" : 10000 , \"type\" : \"shown\" } , {\"how\":\"never\","
    "\"survey\":\"s\",\"type\":\"dismiss\"} , {\"type\":\"answer\","
    "\"answer\":\"0123456789abcdef\",\"survey\":\"s\",\"score\":10,"
    "\"text\":\"gr\\u00fc\\n \\ud83d\\ude00 \xe2\x82\xac \\\"\",\"lang\":"
    "\"de\"}],\n\"token\":\"t.1\",\r\n\t\"path\":\"/a/1\\/2\",\"v\":1}",

    "{\"v\":1,\"p\\u0061ge\":\"/\xc3\xa9\\t\",\"events\":[{\"\\u0074ype\":"
    "\"leave\"},{\"type\":\"signal\",\"name\":\"js_error\",\"value\":-1}]}",

    "{\"v\":1,\"page\":\"/\",\"x\":[{\"a\":[1.5e3,null,{}]},true],\"events\":"
    "[{\"type\":\"leave\",\"lcp_ms\":9223372036854775807}]}"
};

static const char  *pieces[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "\t", "0", "1", "-",
    ".", "e", "\\u", "\\u0041", "\\u0000", "\\ud83d", "\\ude00", "\\n", "\\/",
    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\x80",
    "\x01", "\x7f", "true", "null", "1.0", "-0", "1e400", "{}", "[]", "\"\"",
    "99999999999999999999", "\"v\":1", ",\"count\":3", ",\"page\":\"/\"",
    ",\"type\":\"leave\"", "{\"type\":\"leave\"},", ",\"a\":{\"a\":1,\"a\":2}",
    ",\"text\":\"\\u20ac\"", "[[[[[[[[", ",\"token\":\"t\"", ",\"ts\":1",
    ",\"age\":0", "\"name\":\"quick_back\""
};

#define N(list)  ((unsigned) (sizeof(list) / sizeof(list[0])))


/* exactly as long as it is for the sanitizers, whatever is before and behind */

static unsigned char *
copy_of(const char *text, size_t len)
{
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    return copy;
}


static int
agrees(const unsigned char *text, size_t len)
{
    int         good;
    json_t     *root;
    cx_str_t    v;
    cx_json_t   j;
    cx_json_e   kind;

    unsigned char  room[256];

    cx_json_start(&j, text, len, room);
    kind = cx_json_value(&j, &v);

    if (kind != CX_JSON_BAD && !cx_json_end(&j)) {
        kind = CX_JSON_BAD;
    }

    root = json_loadb((const char *) text, len,
                      JSON_DECODE_ANY|JSON_REJECT_DUPLICATES, NULL);

    good = (kind == CX_JSON_BAD) == (root == NULL);

    if (good && kind == CX_JSON_STRING) {
        good = (json_is_string(root) && json_string_length(root) == v.len
                && memcmp(json_string_value(root), v.data, v.len) == 0);

    } else if (good && kind == CX_JSON_INT) {
        good = (json_is_integer(root)
                && json_integer_value(root)
                   == strtoll((const char *) v.data, NULL, 10));

    } else if (good && root) {
        good = !json_is_string(root) && !json_is_integer(root);
    }

    json_decref(root);

    return good;
}


static void
test_values(void)
{
    int             good;
    char            text[256];
    size_t          len;
    unsigned        i, k;
    unsigned char  *copy;

    static const char  *around[] = { "%s ", "[%s]", "[1,%s,{}]", "{\"a\":%s}",
                                     "{\"a\" : [ %s ] , \"b\" : %s}" };

    for (i = 0; i < N(values); i++) {

        good = 1;

        for (k = 0; k < N(around); k++) {

            len = (size_t) snprintf(text, sizeof(text), around[k], values[i],
                                    values[i]);
            copy = copy_of(text, len);

            good &= agrees(copy, len);

            free(copy);
        }

        ok(good, "as jansson: %s", tap_show(values[i], strlen(values[i])));
    }
}


/* jansson takes the first two */

static void
test_nul(void)
{
    unsigned    i;
    cx_str_t    v;
    cx_json_t   j;

    static const cx_str_t  bad[] = {
        { 6, (unsigned char *) "[1\0,2]" },
        { 7, (unsigned char *) "[true\0]" },
        { 5, (unsigned char *) "[\"\0\"]" },
        { 3, (unsigned char *) "{}\0" }
    };

    for (i = 0; i < N(bad); i++) {

        cx_json_start(&j, bad[i].data, bad[i].len, NULL);

        ok(cx_json_value(&j, &v) == CX_JSON_BAD || !cx_json_end(&j),
           "a NUL byte: %s", tap_show(bad[i].data, bad[i].len));
    }
}


static void
test_depth(void)
{
    unsigned    n;
    cx_str_t    v;
    cx_json_t   j;

    static const unsigned char  text[] = "[[[[[[[[[]]]]]]]]]";

    for (n = CX_JSON_DEPTH; n <= CX_JSON_DEPTH + 1; n++) {

        cx_json_start(&j, text + CX_JSON_DEPTH + 1 - n, 2 * n, NULL);

        ok((cx_json_value(&j, &v) == CX_JSON_OTHER) == (n == CX_JSON_DEPTH)
           && j.deep == (n > CX_JSON_DEPTH), "%u deep", n);
    }
}


static unsigned
number(unsigned below)
{
    static unsigned long long  state = 20241121;

    state = state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (state >> 33) % below;
}


/* takes bytes out, and puts bytes of its own or a piece in their place */

static size_t
mutate(char *text, size_t len, size_t size)
{
    char         own[24];
    size_t       at, from, out, in;
    const char  *piece;

    at = number((unsigned) len + 1);
    out = number(4) ? number(3) : number(40);
    out = (out < len - at) ? out : len - at;

    if (number(3) && len) {
        piece = pieces[number(N(pieces))];
        in = strlen(piece);

    } else {
        from = number((unsigned) len + 1);
        in = number(sizeof(own));
        in = (in < len - from) ? in : len - from;
        memcpy(own, text + from, in);
        piece = own;
    }

    if (len - out + in > size) {
        return len;
    }

    memmove(text + at + in, text + at + out, len - at - out);
    memcpy(text + at, piece, in);

    return len - out + in;
}


static void
test_mutations(void)
{
    char            text[2048];
    size_t          len, changes;
    unsigned        i, good, bad, refused, wrong;
    cx_reject_e     rc;
    const char     *differs;
    cx_reject_t     why;
    unsigned char  *copy;

    static cx_batch_t  batch;

    good = bad = refused = wrong = 0;

    for (i = 0; i < MUTATIONS; i++) {

        strcpy(text, seeds[i % N(seeds)]);
        len = strlen(text);

        for (changes = number(4); changes; changes--) {
            len = mutate(text, len, sizeof(text));
        }

        copy = copy_of(text, len);

        rc = cx_batch_parse(&batch, copy, len, &why);
        differs = oracle_differs(&batch, rc, copy, len);

        free(copy);

        good += (rc == CX_REJECT_NONE);
        bad += (rc == CX_REJECT_JSON);
        refused += (rc != CX_REJECT_NONE && rc != CX_REJECT_JSON);

        if (differs && wrong++ < 10) {
            printf("# %s: %s\n", differs, tap_show(text, len));
        }
    }

    ok(wrong == 0, "%u mutated beacons as jansson has them", i);
    ok(good > MUTATIONS / 20 && bad > MUTATIONS / 20
       && refused > MUTATIONS / 20,
       "%u of them taken, %u not JSON, %u refused for other reasons", good,
       bad, refused);
}


int
main(void)
{
    test_values();
    test_nul();
    test_depth();
    test_mutations();

    return tap_done();
}
