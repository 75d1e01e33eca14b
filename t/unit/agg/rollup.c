/* link: core/cx_signal.c core/cx_keys.c aggregator/cx_agg_rollup.c -lm */

/* Keys, windows, patterns of visits. */

#include <stdlib.h>
#include "cx_rollup.h"
#include "tap.h"

#define STR(s)  { sizeof(s) - 1, (unsigned char *) s }


static void
test_windows(void)
{
    int64_t  day, ms;

    ok(cx_window(CX_DAY, 0) == 19700101, "the first day");
    ok(cx_window(CX_HOUR, 1795297683000) == 2026112121, "an hour");
    ok(cx_window(CX_DAY, 1709164800000) == 20240229, "a leap day");
    ok(cx_window_start(CX_DAY, 20240229) == 1709164800000, "where it starts");
    ok(cx_window_start(CX_DAY, 20230229) == -1, "not a day");
    ok(cx_window_start(CX_HOUR, 2023022824) == -1, "not an hour");

    for (day = 0; day < 60000; day++) {
        ms = day * 86400000 + 7 * 3600000 + 1;

        if (cx_window_start(CX_HOUR, cx_window(CX_HOUR, ms)) != ms - 1
            || cx_window_start(CX_DAY, cx_window(CX_DAY, ms))
               != day * 86400000)
        {
            break;
        }
    }

    ok(day == 60000, "there and back for 164 years");
}


static void
test_keys(void)
{
    int             i;
    char            key[CX_KEY_MAX], page[CX_PAGE_MAX];
    cx_str_t        site = STR("shop/3"), name = STR("/a:b {c}"), k;
    cx_key_parts_t  p;

    for (i = 0; i < CX_KEY_N; i++) {
        cx_str_t  n = name;

        if (i == CX_KEY_RANK) {
            n.len = 2;
        }

        k.data = (unsigned char *) key;
        k.len = cx_key(key, i, &site, CX_HOUR, 2026112121, &n);
        ok(cx_key_parse(&p, &k) == 0 && p.key == i
           && p.site.len == site.len
           && memcmp(p.site.data, site.data, site.len) == 0,
           "%.*s", (int) k.len, key);

        if (strchr(cx_keys[i].grammar, 'n')
            && strstr(cx_keys[i].grammar, "%n"))
        {
            ok(p.name.len == n.len && memcmp(p.name.data, n.data, n.len) == 0,
               "with its name");
        }
    }

    memset(page, 'x', sizeof(page));
    name.data = (unsigned char *) page;
    name.len = sizeof(page);
    site.data = (unsigned char *) "abcdefghijklmnopqrstuvwxyz012345";
    site.len = CX_NAME_MAX;
    ok(cx_key(key, CX_KEY_VISITORS, &site, 1, 20261121, &name) > 240,
       "the longest fits");

    k.data = (unsigned char *) "cx:{a}:pages:h:20";
    k.len = 17;
    ok(cx_key_parse(&p, &k) == -1, "not a window");
    k.data = (unsigned char *) "cx:{}:events";
    k.len = 12;
    ok(cx_key_parse(&p, &k) == -1, "no site");
}


static void
test_patterns(void)
{
    int             i;
    char            text[CX_PATTERN_LEN];
    size_t          len;
    unsigned        k;
    int64_t         sum;
    cx_rollup_t     r, back;
    cx_tuning_t     tuning;
    cx_pattern_t    p, q;
    unsigned char   c[CX_SIG_N];

    cx_tuning_default(&tuning);
    memset(&p, 0, sizeof(p));
    len = cx_pattern_print(text, &p);
    ok(len == 4 && memcmp(text, "none", 4) == 0, "no signal");

    p.count[CX_SIG_RAGE_CLICK] = 2;
    p.count[CX_SIG_SLOW_PAGE] = 1;
    len = cx_pattern_print(text, &p);
    ok(len == 24 && memcmp(text, "slow_page=1,rage_click=2", 24) == 0,
       "in the table's order: %.*s", (int) len, text);
    ok(cx_pattern_parse(&q, (unsigned char *) text, len) == 0
       && memcmp(&p, &q, sizeof(p)) == 0, "and read back");

    for (i = 0; i < CX_SIG_N; i++) {
        p.count[i] = 255;
    }

    ok(cx_pattern_print(text, &p) < CX_PATTERN_LEN, "the longest fits");

    memset(&p, 0, sizeof(p));
    p.tenths = 15;
    len = cx_pattern_print(text, &p);
    ok(len == 8 && memcmp(text, "other=15", 8) == 0, "a class");
    ok(cx_pattern_parse(&q, (unsigned char *) text, len) == 0
       && q.tenths == 15, "and read back");

    ok(cx_pattern_parse(&q, (unsigned char *) "what=1", 6) == -1
       && cx_pattern_parse(&q, (unsigned char *) "rage_click=0", 12) == -1
       && cx_pattern_parse(&q, (unsigned char *) "", 0) == -1
       && cx_pattern_parse(&q, (unsigned char *) "rage_click=1,", 13) == 0
       && cx_pattern_parse(&q, (unsigned char *) "other=1,none", 12) == -1,
       "what is none");

    /* 300 visits of different kinds: 64 rows and classes, nothing lost */

    memset(&r, 0, sizeof(r));

    for (i = 0; i < 300; i++) {
        memset(c, 0, sizeof(c));
        c[0] = (unsigned char) (i % 3);
        c[1] = (unsigned char) (i / 3 % 4);
        c[4] = (unsigned char) (i / 12 % 4);
        c[5] = (unsigned char) (i / 48 % 4);
        c[6] = (unsigned char) (i / 192 % 4);
        cx_rollup_pattern(&r, c, cx_friction_tenths(c, &tuning), 1);
    }

    sum = 0;

    for (k = 0; k < r.patterns; k++) {
        sum += r.pattern[k].visits;
    }

    ok(sum == 300 && r.exact == CX_PATTERNS_MAX,
       "%u rows for 300 visits, %u exact", r.patterns, r.exact);

    /* each taken out where it was put */

    for (i = 0; i < 300; i++) {
        memset(c, 0, sizeof(c));
        c[0] = (unsigned char) (i % 3);
        c[1] = (unsigned char) (i / 3 % 4);
        c[4] = (unsigned char) (i / 12 % 4);
        c[5] = (unsigned char) (i / 48 % 4);
        c[6] = (unsigned char) (i / 192 % 4);
        cx_rollup_pattern(&r, c, cx_friction_tenths(c, &tuning), -1);
    }

    for (k = 0; k < r.patterns && r.pattern[k].visits == 0; k++) {
        /* void */
    }

    ok(k == r.patterns, "all taken out again");

    /* stored and read back, it goes on the same way */

    memset(&back, 0, sizeof(back));

    for (k = 0; k < r.patterns; k++) {
        char      name[sizeof(CX_PATTERN) + CX_PATTERN_LEN];
        cx_str_t  n, v = STR("7");

        memcpy(name, CX_PATTERN, sizeof(CX_PATTERN) - 1);
        n.data = (unsigned char *) name;
        n.len = sizeof(CX_PATTERN) - 1
                + cx_pattern_print(name + sizeof(CX_PATTERN) - 1,
                                   &r.pattern[k]);
        cx_rollup_read(&back, &n, &v);
    }

    ok(back.patterns == r.patterns && back.exact == r.exact,
       "read back: %u rows", back.patterns);

    cx_rollup_free(&r);
    cx_rollup_free(&back);
}


/* strengths and caps that were changed while visits were open */

static void
test_tuning(void)
{
    int            i;
    unsigned       k;
    int64_t        sum, least;
    cx_rollup_t    r;
    cx_tuning_t    before, after;
    unsigned char  c[CX_SIG_N];

    cx_tuning_default(&before);
    after = before;
    memset(c, 0, sizeof(c));
    c[CX_SIG_RAGE_CLICK] = 200;
    ok(cx_friction_tenths(c, &before) == 27, "above the cap is the cap");
    after.cap[CX_SIG_RAGE_CLICK] = CX_CAP_MAX;
    ok(cx_friction_tenths(c, &after) == CX_TENTHS_MAX, "the highest class");
    after.strength[CX_SIG_RAGE_CLICK] = 0.0001;
    after.cap[CX_SIG_RAGE_CLICK] = 1;
    ok(cx_friction_tenths(c, &after) == 1, "any friction is a class");

    /* 200 kinds put in by one table, taken out by another */

    after = before;
    after.cap[CX_SIG_ERROR_PAGE] = 1;
    after.strength[CX_SIG_SLOW_PAGE] = 3;
    after.strength[CX_SIG_RELOAD] = 0;
    memset(&r, 0, sizeof(r));

#define KIND(i)                                                               \
    (memset(c, 0, sizeof(c)), c[CX_SIG_ERROR_PAGE] = (unsigned char) (i % 5), \
     c[CX_SIG_SLOW_PAGE] = (unsigned char) (i / 5 % 5),                       \
     c[CX_SIG_RELOAD] = (unsigned char) (i / 25))

    for (i = 0; i < 200; i++) {
        KIND(i);
        cx_rollup_pattern(&r, c, cx_friction_tenths(c, &before), 1);
    }

    for (i = 0; i < 150; i++) {
        KIND(i);
        cx_rollup_pattern(&r, c, cx_friction_tenths(c, &after), -1);
    }

    sum = 0;
    least = 0;

    for (k = 0; k < r.patterns; k++) {
        sum += r.pattern[k].visits;
        least = r.pattern[k].visits < least ? r.pattern[k].visits : least;
    }

    ok(sum == 50 && least == 0, "none is lost, no row below 0");
    cx_rollup_free(&r);

    /* signals without any strength: still no more rows than allowed */

    for (k = 0; k < CX_SIG_N; k++) {
        before.strength[k] = 0;
    }

    memset(&r, 0, sizeof(r));

    for (i = 1; i < 200; i++) {
        KIND(i);
        cx_rollup_pattern(&r, c, cx_friction_tenths(c, &before), 1);
    }

    ok(r.patterns == CX_PATTERNS_MAX + 1 && r.pattern[r.patterns - 1].visits
       == 199 - CX_PATTERNS_MAX, "without friction they are none");
    cx_rollup_free(&r);
}


static void
test_read(void)
{
    int          i, bad;
    cx_str_t     n, v = STR("-12"), no = STR("1x");
    cx_rollup_t  r;

    memset(&r, 0, sizeof(r));
    bad = 0;

    for (i = 0; i < CX_R_N; i++) {
        n.data = (unsigned char *) cx_rollup_names[i];
        n.len = strlen(cx_rollup_names[i]);
        bad += cx_rollup_read(&r, &n, &v) != 0 || r.v[i] != -12;
    }

    ok(bad == 0, "every counter is read by its name");
    ok(cx_rollup_read(&r, &n, &no) == 1, "not a number");
    ok(cx_rollup_read(&r, &v, &v) == 1, "not a counter");
    ok(strcmp(cx_rollup_names[CX_R_FIRST_MORE], "first_ms:more") == 0
       && strcmp(cx_rollup_names[CX_R_SIGNAL + CX_SIG_RELOAD],
                 "signal:reload") == 0
       && strcmp(cx_rollup_names[CX_R_VISITS_SIGNAL + CX_SIG_N - 1],
                 "visits_signal:dead_swipe") == 0
       && strcmp(cx_rollup_names[CX_R_UNSEEN], "unseen:error_page") == 0
       && strcmp(cx_rollup_names[CX_R_UNSEEN + CX_SIG_N - 1],
                 "unseen:dead_swipe") == 0
       && strcmp(cx_rollup_names[CX_R_PEAK], "peak:10") == 0
       && strcmp(cx_rollup_names[CX_R_PEAK + CX_PEAK_END_BINS - 1],
                 "peak:100") == 0
       && strcmp(cx_rollup_names[CX_R_END], "end:10") == 0
       && strcmp(cx_rollup_names[CX_R_END_100], "end:100") == 0
       && strcmp(cx_rollup_names[CX_R_PSAT_1], "psat:1") == 0,
       "names and positions agree");

    n.data = (unsigned char *) "visits_browser";
    n.len = 14;
    ok(cx_rollup_read(&r, &n, &v) == 1, "a counter of version 0.1.0");
    ok(CX_R_SITE_ONLY(CX_R_SESSIONS) && CX_R_SITE_ONLY(CX_R_PEAK_10)
       && CX_R_SITE_ONLY(CX_R_END_100) && !CX_R_SITE_ONLY(CX_R_PEAKS)
       && !CX_R_SITE_ONLY(CX_R_NPS_0) && !CX_R_SITE_ONLY(CX_R_PEAK - 1),
       "which only the site has");
}


int
main(void)
{
    test_windows();
    test_keys();
    test_patterns();
    test_tuning();
    test_read();

    return tap_done();
}
