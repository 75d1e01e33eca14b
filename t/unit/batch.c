/* cx_batch: beacons, good and refused. */

#include <stdlib.h>
#include "tap.h"


#define TOP      "\"v\":1,\"page\":\"/p\""
#define ONE      "\"events\":[{\"type\":\"leave\"}]"
#define EV(e)    "{" TOP ",\"events\":[" e "]}"
#define LEAVE    "{\"type\":\"leave\"}"
#define SIGNAL   "{\"type\":\"signal\",\"name\":\"rage_click\""
#define ANSWER   "\"type\":\"answer\",\"answer\":\"0123456789abcdef\"," \
                 "\"survey\":\"nps\",\"version\":\"1a2b3c4d\""
#define SHOWN    "\"survey\":\"s-1\",\"version\":\"1a2b3c4d\""


/* 16 tokens of 42 bytes, with a space between them */
#define TOKEN    "6b1c8f00.f2387311b400699e.4047f75242f00c38"
#define FOUR     TOKEN " " TOKEN " " TOKEN " " TOKEN
#define TOKENS   FOUR " " FOUR " " FOUR " " FOUR


static const struct {
    cx_reject_e  code;
    int          event;
    const char  *field;
    const char  *expected;       /* NULL: anything but nothing */
    const char  *body;

} refused[] = {

    { CX_REJECT_JSON, -1, "", NULL, "" },
    { CX_REJECT_JSON, -1, "", NULL, "{" TOP "," ONE },
    { CX_REJECT_JSON, -1, "", NULL, "{" TOP "," ONE "} x" },
    { CX_REJECT_JSON, -1, "", NULL, "{" TOP ",\"v\":1," ONE "}" },
    { CX_REJECT_JSON, -1, "", NULL, "{\"v\":1,\"page\":\"\\u0000\"," ONE "}" },
    { CX_REJECT_JSON, -1, "", NULL, "{\"v\":1,\"page\":\"/\xff\"," ONE "}" },
    { CX_REJECT_JSON, -1, "", NULL,
      "{\"v\":1,\"page\":\"/\\ud800\"," ONE "}" },
    { CX_REJECT_JSON, -1, "", NULL,
      EV("{\"type\":\"leave\",\"lcp_ms\":99999999999999999999}") },
    { CX_REJECT_JSON, -1, "", NULL, "]]]]]" },
    { CX_REJECT_JSON, -1, "", NULL, "{\"x\":1," TOP "," ONE ",}" },
    { CX_REJECT_JSON, -1, "", NULL, "{\"v\":2,\"page\":1," ONE "}\"" },
    { CX_REJECT_JSON, -1, "", NULL, EV("{\"type\":\"x\",\"y\":01}") },
    { CX_REJECT_JSON, -1, "", NULL, EV(SIGNAL ",\"n\\u0061me\":\"x\"}") },
    { CX_REJECT_JSON, -1, "", NULL, EV(SIGNAL ",\"type\":\"leave\"}") },

    { CX_REJECT_SHAPE, -1, "", NULL, "[]" },
    { CX_REJECT_SHAPE, -1, "", NULL, "[[[[[[[[[[" },
    { CX_REJECT_SHAPE, -1, "v", "1", "{}" },
    { CX_REJECT_SHAPE, -1, "events", NULL, "{" TOP "}" },
    { CX_REJECT_SHAPE, -1, "events", NULL, "{" TOP ",\"events\":{}}" },
    { CX_REJECT_SHAPE, 1, "events", NULL, EV(LEAVE ",1") },

    { CX_REJECT_VERSION, -1, "v", "1", "{\"v\":2,\"x\":1}" },
    { CX_REJECT_VERSION, -1, "v", "1", "{\"v\":\"1\"}" },
    { CX_REJECT_VERSION, -1, "v", "1", "{\"v\":1.0}" },

    { CX_REJECT_COUNT, -1, "events", "1 to 100 events", EV("") },

    { CX_REJECT_MISSING, -1, "page", "page or path", "{\"v\":1," ONE "}" },
    { CX_REJECT_MISSING, -1, "page", "page or path",
      "{\"v\":1,\"page\":\"\"," ONE "}" },
    { CX_REJECT_FIELD, -1, "path", "page or path, not both",
      "{" TOP ",\"path\":\"/\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "page", NULL, "{\"v\":1,\"page\":\"/?a\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "page", NULL, "{\"v\":1,\"page\":\"/#a\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "page", NULL, "{\"v\":1,\"page\":null," ONE "}" },
    { CX_REJECT_VALUE, -1, "page",
      "a string of 1 to 200 bytes without control characters",
      "{\"v\":1,\"page\":\"/\\n\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "path", NULL, "{\"v\":1,\"path\":\"a\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "view",
      "a string of 8 to 16 lower case hex digits",
      "{" TOP ",\"view\":\"0123\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "touchpoint",
      "a string of 1 to 32 characters A-Z a-z 0-9 _ . : -",
      "{" TOP ",\"touchpoint\":\"a b\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "stage", NULL, "{" TOP ",\"stage\":1," ONE "}" },
    { CX_REJECT_VALUE, -1, "token", NULL, "{" TOP ",\"token\":[]," ONE "}" },
    { CX_REJECT_VALUE, -1, "age", "an integer from 0 to 86400000",
      "{" TOP ",\"age\":86400001," ONE "}" },
    { CX_REJECT_VALUE, -1, "age", NULL, "{" TOP ",\"age\":-1," ONE "}" },
    { CX_REJECT_VALUE, -1, "age", NULL, "{" TOP ",\"age\":\"1\"," ONE "}" },
    { CX_REJECT_VALUE, -1, "age", NULL, "{" TOP ",\"age\":1.5," ONE "}" },
    { CX_REJECT_VALUE, -1, "age", NULL, "{" TOP ",\"age\":null," ONE "}" },
    { CX_REJECT_JSON, -1, "", NULL,
      "{" TOP ",\"age\":1,\"age\":1," ONE "}" },
    { CX_REJECT_FIELD, -1, "visit",
      "v, page, path, view, touchpoint, stage, token, age, events",
      "{" TOP ",\"visit\":\"\"," ONE "}" },
    { CX_REJECT_FIELD, -1, "a??b?", NULL,
      "{" TOP ",\"a\\\"\\nb \":1," ONE "}" },
    { CX_REJECT_FIELD, -1, "abcdefghijklmnopqrstuvwxyz012345", NULL,
      "{" TOP ",\"abcdefghijklmnopqrstuvwxyz0123456789\":1," ONE "}" },

    { CX_REJECT_MISSING, 0, "type", NULL, EV("{}") },
    { CX_REJECT_TYPE, 0, "type",
      "signal, leave, shown, start, dismiss or answer",
      EV("{\"type\":\"view\"}") },
    { CX_REJECT_TYPE, 0, "type", NULL,
      EV("{\"type\":\"offer\",\"surveys\":\"a@1a2b3c4d=1\"}") },
    { CX_REJECT_TYPE, 0, "type", NULL,
      EV("{\"type\":\"refused\",\"reason\":\"token\"}") },
    { CX_REJECT_TYPE, 0, "type", NULL, EV("{\"type\":\"survey\"," SHOWN "}") },
    { CX_REJECT_TYPE, 1, "type", NULL, EV(LEAVE ",{\"type\":\"x\"}") },
    { CX_REJECT_TYPE, 0, "type", NULL, EV("{\"type\":1}") },

    { CX_REJECT_FIELD, 2, "foo", "type, name, count, target, value",
      EV(LEAVE "," LEAVE "," SIGNAL ",\"foo\":1}") },
    { CX_REJECT_FIELD, -1, "x", NULL,
      "{\"v\":1,\"events\":[1],\"page\":\"/\",\"x\":1}" },
    { CX_REJECT_FIELD, 0, "f", "type, visible_ms, scroll_pct, lcp_ms, "
      "inp_ms, cls_milli",
      EV("{\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,"
         "\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,\"u\":1,"
         "\"w\":1,\"x\":1,\"y\":1,\"z\":1,\"type\":\"leave\"}") },
    { CX_REJECT_FIELD, 0, "ts", "filled by the server",
      EV(SIGNAL ",\"ts\":1}") },
    { CX_REJECT_FIELD, 0, "seen", "filled by the server",
      EV(SIGNAL ",\"seen\":1}") },
    { CX_REJECT_FIELD, 0, "age", NULL, EV("{\"type\":\"leave\",\"age\":1}") },
    { CX_REJECT_FIELD, 0, "source", "filled by the server",
      EV(SIGNAL ",\"source\":\"edge\"}") },
    { CX_REJECT_FIELD, 0, "metric", "filled by the server",
      EV("{" ANSWER ",\"score\":1,\"metric\":\"nps\"}") },
    { CX_REJECT_FIELD, 0, "page", "it goes beside events",
      EV(SIGNAL ",\"page\":\"/\"}") },

    { CX_REJECT_MISSING, 0, "name", NULL, EV("{\"type\":\"signal\"}") },
    { CX_REJECT_MISSING, 0, "name", NULL,
      EV("{\"type\":\"signal\",\"name\":\"\"}") },
    { CX_REJECT_MISSING, -1, "token", NULL, EV("{" ANSWER "}") },
    { CX_REJECT_MISSING, 0, "survey", NULL, EV("{\"type\":\"shown\"}") },
    { CX_REJECT_MISSING, 0, "version",
      "a string of 8 to 8 lower case hex digits",
      EV("{\"type\":\"start\",\"survey\":\"s-1\"}") },
    { CX_REJECT_VALUE, 0, "version", NULL,
      EV("{\"type\":\"start\",\"survey\":\"s-1\",\"version\":\"1A2B3C4D\"}") },
    { CX_REJECT_VALUE, 0, "dry", NULL,
      EV("{\"type\":\"shown\"," SHOWN ",\"dry\":2}") },
    { CX_REJECT_VALUE, 0, "choice",
      "positions from 0 to 11, rising, joined by commas",
      EV("{" ANSWER ",\"choice\":\"1,0\"}") },
    { CX_REJECT_VALUE, 0, "choice", NULL,
      EV("{" ANSWER ",\"choice\":\"12\"}") },
    { CX_REJECT_VALUE, 0, "choice", NULL, EV("{" ANSWER ",\"choice\":1}") },
    { CX_REJECT_VALUE, -1, "token", NULL,
      "{" TOP ",\"token\":\"" TOKENS "x\"," ONE "}" },
    { CX_REJECT_MISSING, -1, "token", NULL, EV("{" ANSWER ",\"score\":1}") },

    { CX_REJECT_VALUE, 0, "name", "quick_back, form_abandon, rage_click, "
      "dead_click, error_click, thrash_cursor, ...",
      EV("{\"type\":\"signal\",\"name\":\"reload\"}") },
    { CX_REJECT_VALUE, 0, "name", NULL,
      EV("{\"type\":\"signal\",\"name\":\"unresponsive\"}") },
    { CX_REJECT_VALUE, 0, "name", NULL,
      EV("{\"type\":\"signal\",\"name\":\"nope\"}") },
    { CX_REJECT_VALUE, 0, "count", "an integer from 0 to 1000",
      EV(SIGNAL ",\"count\":1001}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":-1}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":-0}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":1e2}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":1.0}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":\"1\"}") },
    { CX_REJECT_VALUE, 0, "count", NULL, EV(SIGNAL ",\"count\":true}") },
    { CX_REJECT_VALUE, 0, "target", NULL, EV(SIGNAL ",\"target\":{}}") },
    { CX_REJECT_VALUE, 0, "text",
      "a string of 1 to 2000 bytes, no control characters but line feeds",
      EV("{" ANSWER ",\"score\":1,\"text\":\"a\\tb\"}") },
};


static cx_batch_t   batch;
static cx_reject_t  why;


static cx_reject_e
parse(const char *body, size_t len)
{
    static unsigned char  *copy;

    /* garbage, as the last beacon left some */

    memset(&batch, 0xa5, sizeof(batch));
    memset(&why, 0xa5, sizeof(why));

    /* to the byte, and kept: strings point into it */

    free(copy);
    copy = malloc(len ? len : 1);
    memcpy(copy, body, len);

    return cx_batch_parse(&batch, copy, len, &why);
}


static int
is(const cx_str_t *v, const char *want)
{
    return v->len == strlen(want)
           && (v->len == 0 || memcmp(v->data, want, v->len) == 0);
}


static void
test_refused(void)
{
    size_t       i;
    cx_reject_e  rc;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {

        rc = parse(refused[i].body, strlen(refused[i].body));

        ok(rc == refused[i].code && why.code == rc, "%s: %s",
           cx_reject_name(refused[i].code),
           tap_show(refused[i].body, strlen(refused[i].body)));

        ok(rc != CX_REJECT_NONE
           && why.event == refused[i].event
           && strcmp(why.field, refused[i].field) == 0
           && why.expected[0] != '\0'
           && strpbrk(why.expected, "\"\\\n") == NULL
           && (refused[i].expected == NULL
               || strcmp(why.expected, refused[i].expected) == 0),
           "... event %d, field \"%s\", expected \"%s\"", why.event,
           why.field, why.expected);
    }
}


/* n events, and pad bytes of white space */

static cx_reject_e
parse_many(unsigned n, size_t pad)
{
    char         *body;
    size_t        len;
    unsigned      i;
    cx_reject_e   rc;

    body = malloc(100 + n * sizeof(LEAVE) + pad);
    len = (size_t) sprintf(body, "{" TOP ",\"events\":[");

    for (i = 0; i < n; i++) {
        len += (size_t) sprintf(body + len, "%s" LEAVE, i ? "," : "");
    }

    len += (size_t) sprintf(body + len, "]}");

    if (pad > len) {
        memset(body + len, ' ', pad - len);
        len = pad;
    }

    rc = parse(body, len);
    free(body);

    if (rc == CX_REJECT_NONE) {
        ok(batch.n == n, "%u events counted", n);
    }

    return rc;
}


static void
test_good(void)
{
    const cx_event_t  *ev;

    static const char  body[] =
        "{\"v\":1, \"path\":\"/a/8123\", \"view\":\"0123456789abcdef\","
        "\"touchpoint\":\"pay\",\"stage\":\"buy\",\"token\":\"" TOKENS "\","
        "\"age\":86400000,\"events\":["
        "{\"count\":1000,\"name\":\"dead_click\",\"type\":\"signal\","
        "\"target\":\"a{}[].b\\\"\\\\\"},"
        "{\"type\":\"leave\",\"visible_ms\":86400000,\"scroll_pct\":0},"
        "{\"type\":\"shown\"," SHOWN ",\"trigger\":\"\",\"dry\":1},"
        "{\"type\":\"dismiss\"," SHOWN ",\"how\":\"never\"},"
        "{" ANSWER ",\"score\":10,\"choice\":\"0,9,11\",\"done\":1,"
        "\"text\":\"gr\\u00fc\\u00dfe\\n\","
        "\"source\":\"volunteered\"}]}";

    if (!ok(parse(body, sizeof(body) - 1) == CX_REJECT_NONE,
            "a beacon with an event of each type"))
    {
        printf("# %s: event %d, field %s\n", cx_reject_name(why.code),
               why.event, why.field);
        return;
    }

    ok(is(&batch.path, "/a/8123") && is(&batch.page, "")
       && is(&batch.view, "0123456789abcdef") && is(&batch.touchpoint, "pay")
       && is(&batch.stage, "buy") && is(&batch.token, TOKENS)
       && batch.age == 86400000,
       "what stands beside the events");

    ok(batch.n == 5 && batch.answers == 1, "five events, one an answer");

    ev = &batch.ev[0];
    ok(ev->type == CX_SIGNAL && is(&ev->v[CX_SIGNAL_NAME], "dead_click")
       && is(&ev->v[CX_SIGNAL_COUNT], "1000")
       && is(&ev->v[CX_SIGNAL_TARGET], "a{}[].b\"\\")
       && is(&ev->v[CX_SIGNAL_VALUE], "") && is(&ev->v[CX_SIGNAL_TS], "")
       && is(&ev->v[CX_SIGNAL_VIEW], ""),
       "signal");

    ev = &batch.ev[1];
    ok(ev->type == CX_LEAVE && is(&ev->v[CX_LEAVE_VISIBLE_MS], "86400000")
       && is(&ev->v[CX_LEAVE_SCROLL_PCT], "0")
       && is(&ev->v[CX_LEAVE_LCP_MS], ""),
       "leave");

    ev = &batch.ev[2];
    ok(ev->type == CX_SHOWN && is(&ev->v[CX_SHOWN_SURVEY], "s-1")
       && is(&ev->v[CX_SHOWN_VERSION], "1a2b3c4d")
       && is(&ev->v[CX_SHOWN_TRIGGER], "") && is(&ev->v[CX_SHOWN_DRY], "1"),
       "shown, an empty string is none");

    ev = &batch.ev[3];
    ok(ev->type == CX_DISMISS && is(&ev->v[CX_DISMISS_HOW], "never"),
       "dismiss");

    ev = &batch.ev[4];
    ok(ev->type == CX_ANSWER && is(&ev->v[CX_ANSWER_SCORE], "10")
       && is(&ev->v[CX_ANSWER_CHOICE], "0,9,11")
       && is(&ev->v[CX_ANSWER_DONE], "1")
       && is(&ev->v[CX_ANSWER_TEXT], "gr\xc3\xbc\xc3\x9f" "e\n")
       && is(&ev->v[CX_ANSWER_SOURCE], "volunteered"),
       "answer");
}


/* by the table: every signal, and every age */

static void
test_signals(void)
{
    int          i, good;
    char         body[256];
    size_t       len;

    for (i = 0; i < CX_SIG_N; i++) {

        len = (size_t) sprintf(body, EV("{\"type\":\"signal\",\"name\":"
                                        "\"%s\"}"), cx_signals[i].name);
        good = (cx_signals[i].seen & CX_SEEN_BROWSER) != 0;

        ok((parse(body, len) == CX_REJECT_NONE) == good, "%s is %s",
           cx_signals[i].name, good ? "a browser's to say" : "not");
    }
}


static void
test_age(void)
{
    size_t    i, len;
    char      body[128];

    static const struct {
        const char  *text;
        long         age;

    } ages[] = {
        { "", -1 }, { ",\"age\":0", 0 }, { ",\"age\":1", 1 },
        { ",\"age\": 1234567 ", 1234567 }, { ",\"age\":86400000", 86400000 }
    };

    for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {

        len = (size_t) sprintf(body, "{" TOP "%s," ONE "}", ages[i].text);

        ok(parse(body, len) == CX_REJECT_NONE && batch.age == ages[i].age,
           "age %ld%s", ages[i].age, ages[i].text[0] ? "" : ": none told");
    }
}


/* strings with escapes need room: the most that a body can have of them */

static void
test_escapes(void)
{
    char         *body;
    size_t        len;
    cx_reject_e   rc;

    body = malloc(CX_BODY_MAX + 16);
    len = (size_t) sprintf(body, "{" TOP "," ONE ",\"x\":[\"\\n\"");

    while (len + 9 < CX_BODY_MAX) {
        len += (size_t) sprintf(body + len, ",\"\\nab\"");
    }

    len += (size_t) sprintf(body + len, "]}");

    rc = parse(body, len);
    ok(rc == CX_REJECT_FIELD && strcmp(why.field, "x") == 0,
       "%zu bytes, nearly all of them in strings with escapes", len);

    free(body);
}


int
main(void)
{
    ok(strcmp(cx_reject_name(CX_REJECT_NONE), "none") == 0
       && strcmp(cx_reject_name(CX_REJECT_FIELD), "unknown_field") == 0
       && strcmp(cx_reject_name(CX_REJECT_VALUE), "bad_value") == 0,
       "names of the reasons");

    test_refused();
    test_good();
    test_signals();
    test_age();
    test_escapes();

    ok(parse_many(1, 0) == CX_REJECT_NONE, "one event");
    ok(parse_many(100, 0) == CX_REJECT_NONE, "100 events");
    ok(parse_many(101, 0) == CX_REJECT_COUNT, "101 events");
    ok(parse_many(1000, 0) == CX_REJECT_COUNT, "1000 events");
    ok(parse_many(1, CX_BODY_MAX) == CX_REJECT_NONE, "a beacon of 64 KB");
    ok(parse_many(1, CX_BODY_MAX + 1) == CX_REJECT_SHAPE, "one byte more");

    return tap_done();
}
