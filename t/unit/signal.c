/* cx_signal: the tables, the file that says other numbers, the tag, rules. */

#include <stdlib.h>
#include "tap.h"


#define N(list)  (sizeof(list) / sizeof(list[0]))


/* a use of threshold i in the text of a rule */

static int
names(const char *rule, int i)
{
    char  use[40];

    (void) snprintf(use, sizeof(use), "{%s}", cx_thresholds[i].name);

    return strstr(rule, use) != NULL;
}


/* lower case words joined by "_", and no longer than the stream's field */

static int
good_name(const char *name, size_t max)
{
    return strlen(name) <= max && name[0] != '\0'
           && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name);
}


static void
test_signals(void)
{
    int                 i, k, same;
    const cx_signal_t  *s;

    for (i = 0; i < CX_SIG_N; i++) {

        s = &cx_signals[i];
        same = 0;

        for (k = 0; k < CX_SIG_N; k++) {
            same += (strcmp(cx_signals[k].name, s->name) == 0);
        }

        ok(same == 1 && good_name(s->name, 24)
           && cx_signal_find((const unsigned char *) s->name,
                             strlen(s->name)) == i,
           "signal %s: one of its name, and found", s->name);

        ok(s->strength > 0 && s->strength <= 1 && s->cap >= 1
           && s->cap <= CX_CAP_MAX
           && (s->seen == CX_SEEN_EDGE || s->seen == CX_SEEN_BROWSER
               || s->seen == CX_SEEN_BOTH || s->seen == CX_SEEN_VITALS)
           && s->rule[0] && s->source[0],
           "signal %s: strength %g, cap %u", s->name, s->strength, s->cap);
    }

    ok(cx_signal_find((const unsigned char *) "rage", 4) == -1
       && cx_signal_find((const unsigned char *) "reloads", 7) == -1
       && cx_signal_find((const unsigned char *) "", 0) == -1,
       "no such signals");

    /* visits are read by these positions */

    ok(CX_SIG_ERROR_PAGE == 0 && CX_SIG_REPEAT_FAILURE == 15
       && CX_SIG_RAGE_CLICK == 16 && CX_SIG_DEAD_SWIPE == CX_SIG_N - 1,
       "the edge's first, then the browser's");
}


static void
test_thresholds(void)
{
    int                    i, k, same, used, seen;
    const cx_threshold_t  *t;

    for (i = 0; i < CX_T_N; i++) {

        t = &cx_thresholds[i];
        same = 0;
        used = 0;
        seen = 0;

        for (k = 0; k < CX_T_N; k++) {
            same += (strcmp(cx_thresholds[k].name, t->name) == 0);
        }

        for (k = 0; k < CX_SIG_N; k++) {
            if (names(cx_signals[k].rule, i)) {
                used++;
                seen |= cx_signals[k].seen;
            }
        }

        ok(same == 1 && good_name(t->name, 32)
           && cx_signal_find((const unsigned char *) t->name,
                             strlen(t->name)) == -1,
           "threshold %s: one of its name", t->name);

        ok(t->min >= 0 && t->min <= t->value && t->value <= t->max
           && t->max < 1000000000 && t->what[0] && t->source[0],
           "threshold %s: %ld is from %ld to %ld", t->name, t->value, t->min,
           t->max);

        /* the edge judges vitals */

        ok(used && (!(t->seen & CX_SEEN_BROWSER) || (seen & CX_SEEN_BROWSER))
           && (!(t->seen & CX_SEEN_EDGE)
               || (seen & (CX_SEEN_EDGE | CX_SEEN_VITALS))),
           "threshold %s: named by a rule of who uses it", t->name);
    }
}


static void
test_rules(void)
{
    int          i, k, uses, known;
    char         rule[CX_RULE_MAX];
    size_t       open, close;
    const char  *p;
    cx_tuning_t  t;

    cx_tuning_default(&t);

    for (k = 0; k < CX_T_N; k++) {
        t.t[k] = cx_thresholds[k].max;
    }

    for (i = 0; i < CX_SIG_N; i++) {

        open = close = 0;

        for (p = cx_signals[i].rule; *p; p++) {
            open += (*p == '{');
            close += (*p == '}');
        }

        uses = 0;

        for (k = 0; k < CX_T_N; k++) {
            p = cx_signals[i].rule;

            while ((p = strchr(p, '{')) != NULL) {
                p++;
                known = (strncmp(p, cx_thresholds[k].name,
                                 strlen(cx_thresholds[k].name)) == 0
                         && p[strlen(cx_thresholds[k].name)] == '}');
                uses += known;
            }
        }

        ok(open == close && (size_t) uses == open,
           "%s: every threshold of its rule exists", cx_signals[i].name);

        memset(rule, 0xa5, sizeof(rule));
        cx_signal_rule(rule, i, &t);

        ok(memchr(rule, '\0', sizeof(rule)) && strlen(rule) < CX_RULE_MAX - 32
           && strpbrk(rule, "{}") == NULL,
           "%s: its rule has room for the longest", cx_signals[i].name);
    }

    cx_tuning_default(&t);
    cx_signal_rule(rule, CX_SIG_SLOW_PAGE, &t);
    ok(strstr(rule, "later than T = 800 ms after") != NULL, "%s", rule);

    t.t[CX_T_SLOW_PAGE_MS] = 1200;
    cx_signal_rule(rule, CX_SIG_SLOW_PAGE, &t);
    ok(strstr(rule, "later than T = 1200 ms after") != NULL, "%s", rule);

    cx_signal_rule(rule, CX_SIG_RATE_LIMITED, &t);
    ok(strcmp(rule, cx_signals[CX_SIG_RATE_LIMITED].rule) == 0, "%s", rule);
}


static int
tuned(cx_tuning_t *t, cx_tuning_error_t *e, const char *text, size_t len)
{
    int    rc;
    char  *copy;

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    memset(e, 0xa5, sizeof(*e));
    cx_tuning_default(t);
    rc = cx_tuning_read(t, copy, len, e);

    free(copy);

    return rc;
}


static void
test_file(void)
{
    char               text[256];
    int                i, wrong;
    cx_tuning_t        t, same;
    cx_tuning_error_t  e;

    static const char  good[] =
        "# our numbers\n"
        "\n"
        "slow_page_ms 1200\n"
        "\t rage_clicks\t5 # more patient\r\n"
        "reload_views  2\n"
        "dead_click.strength 0.25\n"
        "rage_click.strength 10\n"
        "js_error.strength 0\n"
        "reload.strength 00.5\n"
        "quick_back.cap 100#all of them\n"
        "   #\n"
        "aborted_wait_ms 0";

    cx_tuning_default(&same);
    wrong = 0;

    for (i = 0; i < CX_T_N; i++) {
        wrong += (same.t[i] != cx_thresholds[i].value);
    }

    for (i = 0; i < CX_SIG_N; i++) {
        wrong += (same.strength[i] != cx_signals[i].strength
                  || same.cap[i] != cx_signals[i].cap);
    }

    ok(wrong == 0, "the defaults are those of the tables");

    ok(tuned(&t, &e, "", 0) == 0 && memcmp(&t, &same, sizeof(t)) == 0
       && tuned(&t, &e, "\n\n#\n \t\r\n", 8) == 0
       && memcmp(&t, &same, sizeof(t)) == 0,
       "an empty file leaves them");

    ok(tuned(&t, &e, good, sizeof(good) - 1) == 0, "a file");

    ok(t.t[CX_T_SLOW_PAGE_MS] == 1200 && t.t[CX_T_RAGE_CLICKS] == 5
       && t.t[CX_T_RELOAD_VIEWS] == 2 && t.t[CX_T_ABORTED_WAIT_MS] == 0,
       "... its thresholds");

    ok(t.strength[CX_SIG_DEAD_CLICK] == 0.25
       && t.strength[CX_SIG_RAGE_CLICK] == 10
       && t.strength[CX_SIG_JS_ERROR] == 0
       && t.strength[CX_SIG_RELOAD] == 0.5 && t.cap[CX_SIG_QUICK_BACK] == 100,
       "... its strengths and caps");

    t.t[CX_T_SLOW_PAGE_MS] = 800;
    t.t[CX_T_RAGE_CLICKS] = 4;
    t.t[CX_T_RELOAD_VIEWS] = 3;
    t.t[CX_T_ABORTED_WAIT_MS] = 1000;
    t.strength[CX_SIG_DEAD_CLICK] = same.strength[CX_SIG_DEAD_CLICK];
    t.strength[CX_SIG_RAGE_CLICK] = same.strength[CX_SIG_RAGE_CLICK];
    t.strength[CX_SIG_JS_ERROR] = same.strength[CX_SIG_JS_ERROR];
    t.strength[CX_SIG_RELOAD] = same.strength[CX_SIG_RELOAD];
    t.cap[CX_SIG_QUICK_BACK] = same.cap[CX_SIG_QUICK_BACK];

    ok(memcmp(&t, &same, sizeof(t)) == 0, "... and nothing else");

    wrong = 0;

    for (i = 0; i < CX_T_N; i++) {
        int  len;

        len = sprintf(text, "%s %ld\n", cx_thresholds[i].name,
                      cx_thresholds[i].min);
        wrong += (tuned(&t, &e, text, (size_t) len) != 0
                  || t.t[i] != cx_thresholds[i].min);

        len = sprintf(text, "%s %ld\n", cx_thresholds[i].name,
                      cx_thresholds[i].max);
        wrong += (tuned(&t, &e, text, (size_t) len) != 0
                  || t.t[i] != cx_thresholds[i].max);

        len = sprintf(text, "%s %ld\n", cx_thresholds[i].name,
                      cx_thresholds[i].max + 1);
        wrong += (tuned(&t, &e, text, (size_t) len) != -1);

        len = sprintf(text, "%s %ld\n", cx_thresholds[i].name,
                      cx_thresholds[i].min - 1);
        wrong += (tuned(&t, &e, text, (size_t) len) != -1);
    }

    ok(wrong == 0, "each threshold from its least to its most, and no further");
}


#define NAMES  "a threshold, <signal>.strength or <signal>.cap, as in " \
               "conf/signals.md"

static const struct {
    unsigned     line;
    const char  *text;
    const char  *expected;
    const char  *file;

} errors[] = {
    { 1, "slow_page", NAMES, "slow_page 800\n" },
    { 3, "slow_pages_ms", NAMES, "\n# x\nslow_pages_ms 800\n" },
    { 1, "slow_page_ms=900", NAMES, "slow_page_ms=900" },
    { 1, "SLOW_PAGE_MS", NAMES, "SLOW_PAGE_MS 900" },
    { 1, "800", NAMES, "800 slow_page_ms" },
    { 1, ".cap", NAMES, ".cap 1" },
    { 1, "cap", NAMES, "cap 1" },
    { 1, "slow_page_ms.cap", NAMES, "slow_page_ms.cap 1" },
    { 1, "reload.weight", NAMES, "reload.weight 1" },
    { 1, "a??b", NAMES, "a\xc3\xa9" "b 1" },
    { 1, "?", NAMES, "\v 1" },

    { 1, "", "an integer from 20 to 60000", "slow_page_ms" },
    { 1, "", "an integer from 20 to 60000", "slow_page_ms # 900" },
    { 2, "19", "an integer from 20 to 60000", "\nslow_page_ms 19\n" },
    { 1, "60001", "an integer from 20 to 60000", "slow_page_ms 60001" },
    { 1, "-1", "an integer from 20 to 60000", "slow_page_ms -1" },
    { 1, "1.5", "an integer from 20 to 60000", "slow_page_ms 1.5" },
    { 1, "800ms", "an integer from 20 to 60000", "slow_page_ms 800ms" },
    { 1, "0x320", "an integer from 20 to 60000", "slow_page_ms 0x320" },
    { 1, "99999999999999999999", "an integer from 20 to 60000",
      "slow_page_ms 99999999999999999999" },

    { 1, "0", "an integer from 1 to 100", "reload.cap 0" },
    { 1, "101", "an integer from 1 to 100", "reload.cap 101" },
    { 1, "1.0", "an integer from 1 to 100", "reload.cap 1.0" },

    { 1, "", "a decimal from 0 to 10", "reload.strength" },
    { 1, "10.1", "a decimal from 0 to 10", "reload.strength 10.1" },
    { 1, "-1", "a decimal from 0 to 10", "reload.strength -1" },
    { 1, "1e1", "a decimal from 0 to 10", "reload.strength 1e1" },
    { 1, "1,5", "a decimal from 0 to 10", "reload.strength 1,5" },
    { 1, ".5", "a decimal from 0 to 10", "reload.strength .5" },
    { 1, "5.", "a decimal from 0 to 10", "reload.strength 5." },
    { 1, "1.2.3", "a decimal from 0 to 10", "reload.strength 1.2.3" },
    { 1, "nan", "a decimal from 0 to 10", "reload.strength nan" },
    { 1, ".", "a decimal from 0 to 10", "reload.strength ." },
    { 1, "0.1234567890", "a decimal from 0 to 10",
      "reload.strength 0.1234567890" },

    { 4, "rage_clicks", "each name once",
      "rage_clicks 5\nslow_page_ms 900\n\nrage_clicks 5\n" },
    { 2, "reload.cap", "each name once", "reload.cap 5\nreload.cap 6" },
    { 1, "x", "one name and one number a line", "rage_clicks 5 x" },
    { 1, "slow_page_ms", "one name and one number a line",
      "rage_clicks 5 slow_page_ms 900" },
};


static void
test_errors(void)
{
    char               big[400];
    size_t             i;
    cx_tuning_t        t;
    cx_tuning_error_t  e;

    for (i = 0; i < N(errors); i++) {

        ok(tuned(&t, &e, errors[i].file, strlen(errors[i].file)) == -1
           && e.line == errors[i].line && strcmp(e.text, errors[i].text) == 0
           && strcmp(e.expected, errors[i].expected) == 0,
           "line %u: \"%s\", expected %s", e.line, e.text, e.expected);
    }

    memset(big, 'x', sizeof(big));

    ok(tuned(&t, &e, big, sizeof(big)) == -1 && strlen(e.text) == 63,
       "a long word is cut");

    ok(tuned(&t, &e, "reload_views\0 2", 15) == -1 && e.line == 1
       && strcmp(e.text, "reload_views?") == 0, "a NUL");
}


static void
test_tag(void)
{
    int                i, n, wrong;
    char               tag[CX_TUNING_TAG], text[64];
    size_t             len;
    cx_tuning_t        t;
    unsigned long      got;

    cx_tuning_default(&t);

    t.strength[CX_SIG_RELOAD] = 1;
    t.cap[CX_SIG_RELOAD] = 9;
    t.t[CX_T_SLOW_PAGE_MS] = 900;
    ok(cx_tuning_tag(tag, &t) == 0, "nothing that browsers use was changed");

    wrong = 0;
    n = 0;

    for (i = 0; i < CX_T_N; i++) {

        cx_tuning_default(&t);
        t.t[i] = cx_thresholds[i].max;
        got = cx_tuning_tag(tag, &t);

        if (!(cx_thresholds[i].seen & CX_SEEN_BROWSER)) {
            wrong += (got != 0);
            continue;
        }

        len = (size_t) sprintf(text, "%d=%ld", n++, cx_thresholds[i].max);
        wrong += (got != len || memcmp(tag, text, len) != 0);
    }

    ok(wrong == 0 && n > 1, "each of %d by its position", n);

    cx_tuning_default(&t);
    t.t[CX_T_QUICK_BACK_MS] = 5000;
    t.t[CX_T_RAGE_CLICKS] = 3;
    t.t[CX_T_DEAD_SWIPE_MS] = 999;
    got = cx_tuning_tag(tag, &t);
    len = (size_t) sprintf(text, "0=5000 1=3 %d=999", n - 1);
    is_bytes(tag, got, text, len, "several, joined by spaces");

    for (i = 0; i < CX_T_N; i++) {
        t.t[i] = cx_thresholds[i].max;
    }

    ok(cx_tuning_tag(tag, &t) < CX_TUNING_TAG, "all of them have room");
}


int
main(void)
{
    test_signals();
    test_thresholds();
    test_rules();
    test_file();
    test_errors();
    test_tag();

    return tap_done();
}
