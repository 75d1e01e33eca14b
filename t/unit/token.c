/* cx_token: against figures of another HMAC (perl's Digest::SHA). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/hmac.h>
#include "cx_token.h"
#include "tap.h"

#define EXPIRY  1797033728               /* 6b1c8f00 */
#define DAY     20778

static unsigned char   key[CX_TOKEN_KEY];
static const cx_str_t  site = { 4, (unsigned char *) "shop" };
static const cx_str_t  other = { 5, (unsigned char *) "shops" };
static const cx_str_t  survey = { 8, (unsigned char *) "docs-nps" };
static const cx_str_t  version = { 8, (unsigned char *) "1a2b3c4d" };
static const cx_str_t  newer = { 8, (unsigned char *) "1a2b3c4e" };
static const cx_str_t  visit = { 16, (unsigned char *) "00c0ffee00c0ffee" };
static const cx_str_t  ann = { 15, (unsigned char *) "ann@example.org" };


static int
is(const unsigned char *got, size_t len, const char *want)
{
    return len == strlen(want) && memcmp(got, want, len) == 0;
}


static void
test_made(void)
{
    size_t         n;
    unsigned char  id[CX_TOKEN_ID], dst[CX_TOKEN_LEN];

    n = cx_token_id(id, key, &site, &survey, &version, &visit, DAY);
    ok(is(id, n, "f2387311b400699e"), "answer id of a visit");

    n = cx_token_make(dst, key, &site, &survey, &version, id, EXPIRY);
    ok(is(dst, n, "6b1c8f00.f2387311b400699e.4047f75242f00c38"), "its token");

    n = cx_token_id(id, key, &site, &survey, NULL, &ann, 0);
    ok(is(id, n, "33e08fd6e50947e4"), "answer id of a recipient");

    n = cx_token_make(dst, key, &site, &survey, NULL, id, EXPIRY);
    ok(is(dst, n, "6b1c8f00.33e08fd6e50947e4.b703a41c94e83961"), "its token");

    (void) cx_token_id(id, key, &site, &survey, &version, &visit, DAY + 1);
    ok(memcmp(id, "f2387311b400699e", CX_TOKEN_ID) != 0, "another day");
    (void) cx_token_id(id, key, &site, &survey, &newer, &visit, DAY);
    ok(memcmp(id, "f2387311b400699e", CX_TOKEN_ID) != 0, "another version");
    (void) cx_token_id(id, key, &other, &survey, &version, &visit, DAY);
    ok(memcmp(id, "f2387311b400699e", CX_TOKEN_ID) != 0, "another site");
}


static void
test_checked(void)
{
    size_t         i, bad;
    cx_str_t       token;
    unsigned char  text[CX_TOKEN_LEN + 1], wrong[CX_TOKEN_KEY];

    memcpy(text, "6b1c8f00.f2387311b400699e.4047f75242f00c38",
           CX_TOKEN_LEN + 1);
    token.data = text;
    token.len = CX_TOKEN_LEN;

#define CHECK(key, site, survey, version, now)                                \
    cx_token_check(&token, key, site, survey, version, now)

    ok(CHECK(key, &site, &survey, &version, EXPIRY) == CX_TOKEN_OK,
       "good to the last second");
    ok(CHECK(key, &site, &survey, &version, EXPIRY + 1) == CX_TOKEN_EXPIRED,
       "and then expired");
    ok(CHECK(key, &other, &survey, &version, 0) == CX_TOKEN_FORGED
       && CHECK(key, &site, &other, &version, 0) == CX_TOKEN_FORGED
       && CHECK(key, &site, &survey, &newer, 0) == CX_TOKEN_FORGED,
       "not of another site, survey or version");
    ok(CHECK(key, &site, &survey, NULL, 0) == CX_TOKEN_FORGED,
       "nor that of a link");

    cx_token_key(wrong, "another secret of thirty-two bytes", 34);
    ok(CHECK(wrong, &site, &survey, &version, 0) == CX_TOKEN_FORGED,
       "nor of another secret");

    bad = 0;

    for (i = 0; i < CX_TOKEN_LEN; i++) {
        text[i] ^= 1;
        bad += CHECK(key, &site, &survey, &version, 0) != CX_TOKEN_FORGED;
        text[i] ^= 1;
    }

    ok(bad == 0, "nor with any bit turned");

    for (token.len = 0, bad = 0; token.len < CX_TOKEN_LEN; token.len++) {
        bad += CHECK(key, &site, &survey, &version, 0) != CX_TOKEN_FORGED;
    }

    token.len = CX_TOKEN_LEN + 1;
    bad += CHECK(key, &site, &survey, &version, 0) != CX_TOKEN_FORGED;
    ok(bad == 0, "nor of another length");

    memcpy(text, "6b1c8f00.33e08fd6e50947e4.b703a41c94e83961", CX_TOKEN_LEN);
    token.len = CX_TOKEN_LEN;
    ok(CHECK(key, &site, &survey, NULL, 0) == CX_TOKEN_OK
       && CHECK(key, &site, &survey, &version, 0) == CX_TOKEN_FORGED,
       "that of a link");
}


/* stands before that of the library, as one without SHA-256 would */

static int  failing;              /* 1: this call, 2: the next one */

unsigned char *
HMAC(const EVP_MD *md, const void *k, int k_len, const unsigned char *d,
    size_t n, unsigned char *out, unsigned int *len)
{
    static unsigned char *(*hmac)(const EVP_MD *, const void *, int,
                                  const unsigned char *, size_t,
                                  unsigned char *, unsigned int *);

    if (hmac == NULL) {
        *(void **) &hmac = dlsym(RTLD_NEXT, "HMAC");
    }

    if (failing && --failing == 0) {
        return NULL;
    }

    return hmac(md, k, k_len, d, n, out, len);
}


static void
test_failing(void)
{
    cx_str_t       token;
    unsigned char  id[CX_TOKEN_ID], dst[CX_TOKEN_LEN], none[CX_TOKEN_KEY];

    failing = 1;
    ok(cx_token_key(none, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", 32) == 0,
       "no HMAC: no key");

    failing = 1;
    ok(cx_token_id(id, key, &site, &survey, &version, &visit, DAY) == 0,
       "no answer id");

    failing = 2;
    ok(cx_token_id(id, key, &site, &survey, &version, &visit, DAY) == 0,
       "nor of half of it");

    failing = 1;
    memcpy(id, "f2387311b400699e", CX_TOKEN_ID);
    ok(cx_token_make(dst, key, &site, &survey, &version, id, EXPIRY) == 0,
       "no token");

    /* what a MAC is where nothing was written */

    failing = 1;
    token.data = (unsigned char *) "6b1c8f00.f2387311b400699e.0000000000000000";
    token.len = CX_TOKEN_LEN;
    ok(cx_token_check(&token, key, &site, &survey, &version, 0)
       == CX_TOKEN_FORGED, "and none is good");

    failing = 0;
}


int
main(void)
{
    ok(cx_token_key(key, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", 32) == 1,
       "a key");

    test_made();
    test_checked();
    test_failing();

    return tap_done();
}
