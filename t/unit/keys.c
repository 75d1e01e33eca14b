/* Names of sites and their shards; keys of both. */

#include "cx_keys.h"
#include "tap.h"


#define VISITS  100000


static cx_str_t
str(const char *text)
{
    cx_str_t  s;

    s.data = (unsigned char *) text;
    s.len = strlen(text);

    return s;
}


static void
test_sites(void)
{
    char      name[CX_SITE_MAX + 2];
    size_t    i;
    cx_str_t  s;

    static const char  *good[] = {
        "shop", "www.example.com:8080", "a/b", "a_b-C", "42", "/3", "a/3b",
        "a/b3", "a/3/", "a/3/b", "a3",
    };

    static const char  *bad[] = {
        "", "a b", "a{b}", "a\n", "\xc3\xa4", "a/3", "a/0", "a/007", "a//1",
        "a/b/12", "a/2026", "a/1/2",
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = str(good[i]);
        ok(cx_site_ok(&s) == 1, "a site: '%s'", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = str(bad[i]);
        ok(cx_site_ok(&s) == 0, "not a site: '%s'",
           tap_show(s.data, s.len));
    }

    memset(name, 'x', sizeof(name));
    s.data = (unsigned char *) name;
    s.len = CX_SITE_MAX;
    ok(cx_site_ok(&s) == 1, "the longest");
    s.len++;
    ok(cx_site_ok(&s) == 0, "too long");
}


static void
test_names(void)
{
    int             k, good;
    char            name[CX_SHARD_MAX], longest[CX_SITE_MAX],
                    key[CX_KEY_MAX], page[CX_PAGE_MAX];
    size_t          i;
    cx_str_t        s, site, back, p, n;
    cx_key_parts_t  parts;

    static const struct {
        int          shard;
        const char  *site;
        const char  *name;
    } names[] = {
        { 3, "shop", "shop/3" }, { 0, "shop", "shop/0" },
        { 255, "a/b", "a/b/255" }, { 10, "42", "42/10" },
        { -1, "shop", "shop" }, { -1, "shop/256", "shop/256" },
        { -1, "shop/03", "shop/03" }, { -1, "shop/1000", "shop/1000" },
        { -1, "shop/", "shop/" }, { -1, "/3", "/3" }, { -1, "3", "3" },
        { -1, "", "" }, { -1, "a b/3", "a b/3" }, { -1, "a/1/2", "a/1/2" },
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        s = str(names[i].name);
        ok(cx_shard_parse(&site, &s) == names[i].shard, "shard of '%s'",
           names[i].name);
        is_bytes(site.data, site.len, names[i].site, strlen(names[i].site),
                 "... and its site");
    }

    site = str("shop");
    s.data = (unsigned char *) name;
    s.len = cx_shard_name(name, &site, 0, 1);
    is_bytes(name, s.len, "shop", 4, "a site that is not split");
    s.len = cx_shard_name(name, &site, 0, 2);
    is_bytes(name, s.len, "shop/0", 6, "one that is");

    memset(longest, 'x', sizeof(longest));
    memset(page, 'y', sizeof(page));
    site.data = (unsigned char *) longest;
    site.len = sizeof(longest);
    p.data = (unsigned char *) page;
    p.len = sizeof(page);

    for (k = 0, good = 1; k < CX_SHARDS_MAX; k++) {
        s.len = cx_shard_name(name, &site, (unsigned) k, CX_SHARDS_MAX);
        n.data = (unsigned char *) key;
        n.len = cx_key(key, CX_KEY_VISITORS, &s, CX_HOUR, 2026112121, &p);
        good = good && s.len <= CX_SHARD_MAX && n.len > 0
               && cx_shard_parse(&back, &s) == k && back.len == site.len
               && cx_key_parse(&parts, &n) == 0
               && parts.site.len == s.len
               && memcmp(parts.site.data, name, s.len) == 0;
    }

    ok(good, "there and back, with the longest key");

    n = str("cx:{shop/256}:events");
    ok(cx_key_parse(&parts, &n) == -1, "no key of a shard that cannot be");
    n = str("cx:{shop/3}:lease");
    ok(cx_key_parse(&parts, &n) == 0 && parts.key == CX_KEY_LEASE,
       "lease of a shard");
    n = str("cx:{shop}:producer:0123456789abcdefa");
    ok(cx_key_parse(&parts, &n) == 0 && parts.key == CX_KEY_PRODUCER
       && parts.name.len == 17, "a producer's mark");
}


/* these never change: a visit would be in two shards */

static void
test_constant(void)
{
    size_t    i;
    cx_str_t  s;

    static const struct {
        const char  *visit;
        unsigned     of[4];          /* 2, 7, 16, 256 */
    } visits[] = {
        { "", { 1, 4, 10, 171 } },
        { "0123456789abcdef", { 1, 4, 10, 164 } },
        { "0123456789abcdee", { 1, 4, 10, 175 } },
        { "b4ea0c1d2f3e4a5b", { 0, 2, 4, 74 } },
        { "7777777777777777", { 0, 2, 6, 102 } },
        { "/page", { 1, 3, 8, 129 } },
    };

    static const unsigned  n[] = { 2, 7, 16, 256 };

    for (i = 0; i < 4 * sizeof(visits) / sizeof(visits[0]); i++) {
        s = str(visits[i / 4].visit);

        if (!ok(cx_shard(&s, n[i % 4]) == visits[i / 4].of[i % 4],
                "'%s' of %u", visits[i / 4].visit, n[i % 4]))
        {
            printf("# got %u\n", cx_shard(&s, n[i % 4]));
        }
    }

    s = str("0123456789abcdef");
    ok(cx_shard(&s, 1) == 0, "the only one");
}


/*
 * Chi squared of 100000 visit keys that differ as little as they can: counted
 * up, with n - 1 degrees of freedom, so within 6 standard deviations of n - 1.
 */

static void
test_spread(void)
{
    int           i;
    char          visit[17];
    double        chi, expect, d;
    cx_str_t      s;
    unsigned      k, n;

    static unsigned  count[CX_SHARDS_MAX];

    for (n = 2; n <= CX_SHARDS_MAX; n = n < 8 ? n + 1 : n * 2) {
        memset(count, 0, sizeof(count));

        for (i = 0; i < VISITS; i++) {
            sprintf(visit, "%016x", (unsigned) i);
            s = str(visit);
            k = cx_shard(&s, n);

            if (k >= n) {
                break;
            }

            count[k]++;
        }

        expect = (double) VISITS / n;

        for (k = 0, chi = 0; k < n; k++) {
            d = count[k] - expect;
            chi += d * d / expect;
        }

        d = chi - (n - 1);
        ok(i == VISITS && d * d < 36 * 2.0 * (n - 1), "evenly over %u: %.1f",
           n, chi);
    }
}


int
main(void)
{
    test_sites();
    test_names();
    test_constant();
    test_spread();

    return tap_done();
}
