/*
 * Tokens that let an answer in, see include/cx_token.h.
 */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include "cx_token.h"


#define CX_TOKEN_MAC  16  /* digits of a MAC */
#define CX_TOKEN_HASH 32  /* bytes of HMAC-SHA256 */
#define CX_TOKEN_TEXT 512 /* bytes of what is signed, but for the recipient */


static size_t cx_token_put(unsigned char *text, size_t len, const void *data,
                           size_t n);
static void   cx_token_hex(unsigned char *dst, const unsigned char *src,
                           size_t n);
static int    cx_token_hash(unsigned char *hash, const void *key, size_t len,
                            const unsigned char *text, size_t n);
static int    cx_token_mac(unsigned char *hex, const unsigned char *key,
                           const cx_str_t *site, const cx_str_t *survey,
                           const cx_str_t *version, const unsigned char *answer,
                           const unsigned char *expiry);


int
cx_token_key(unsigned char *key, const void *secret, size_t len)
{
    static const unsigned char what[] = "cx tokens";

    return cx_token_hash(key, secret, len, what, sizeof(what) - 1);
}


size_t
cx_token_id(unsigned char *dst, const unsigned char *key, const cx_str_t *site,
            const cx_str_t *survey, const cx_str_t *version,
            const cx_str_t *who, int64_t day)
{
    size_t        n, k;
    unsigned char text[CX_TOKEN_TEXT], hash[CX_TOKEN_HASH], digits[20];

    n = version ? cx_token_put(text, 0, "answer", 6)
                : cx_token_put(text, 0, "link", 4);
    n = cx_token_put(text, n, site->data, site->len);
    n = cx_token_put(text, n, survey->data, survey->len);

    if (version) {
        n = cx_token_put(text, n, version->data, version->len);
    }

    /* who may be of any length */

    if (!cx_token_hash(hash, key, CX_TOKEN_KEY, who->data, who->len)) {
        return 0;
    }

    n = cx_token_put(text, n, hash, sizeof(hash));

    if (version) {
        for (k = sizeof(digits); k > 0; day /= 10) {
            digits[--k] = (unsigned char) ('0' + day % 10);
        }

        n = cx_token_put(text, n, digits, sizeof(digits));
    }

    if (!cx_token_hash(hash, key, CX_TOKEN_KEY, text, n)) {
        return 0;
    }

    cx_token_hex(dst, hash, CX_TOKEN_ID / 2);

    return CX_TOKEN_ID;
}


size_t
cx_token_make(unsigned char *dst, const unsigned char *key,
              const cx_str_t *site, const cx_str_t *survey,
              const cx_str_t *version, const unsigned char *answer,
              int64_t expiry)
{
    unsigned char be[4];

    be[0] = (unsigned char) (expiry >> 24);
    be[1] = (unsigned char) (expiry >> 16);
    be[2] = (unsigned char) (expiry >> 8);
    be[3] = (unsigned char) expiry;

    cx_token_hex(dst, be, sizeof(be));
    dst[8] = '.';
    memcpy(dst + 9, answer, CX_TOKEN_ID);
    dst[9 + CX_TOKEN_ID] = '.';

    return cx_token_mac(dst + 10 + CX_TOKEN_ID, key, site, survey, version,
                        answer, dst)
               ? CX_TOKEN_LEN
               : 0;
}


cx_token_e
cx_token_check(const cx_str_t *token, const unsigned char *key,
               const cx_str_t *site, const cx_str_t *survey,
               const cx_str_t *version, int64_t now)
{
    size_t               i;
    int64_t              expiry;
    unsigned char        mac[CX_TOKEN_MAC], diff;
    const unsigned char *p;

    p = token->data;

    if (token->len != CX_TOKEN_LEN || p[8] != '.' || p[9 + CX_TOKEN_ID] != '.')
    {
        return CX_TOKEN_FORGED;
    }

    if (!cx_token_mac(mac, key, site, survey, version, p + 9, p)) {
        return CX_TOKEN_FORGED;
    }

    diff = 0;

    for (i = 0; i < CX_TOKEN_MAC; i++) {
        diff |= mac[i] ^ p[10 + CX_TOKEN_ID + i];
    }

    if (diff) {
        return CX_TOKEN_FORGED;
    }

    /* signed as it stands: these are digits */

    expiry = 0;

    for (i = 0; i < 8; i++) {
        expiry = expiry * 16 + (p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
    }

    return expiry >= now ? CX_TOKEN_OK : CX_TOKEN_EXPIRED;
}


/*
 * Each part with its line's end.  What does not fit is left out, and never is:
 * sites, surveys and versions are bounded.
 */

static size_t
cx_token_put(unsigned char *text, size_t len, const void *data, size_t n)
{
    if (n >= CX_TOKEN_TEXT - len) {
        return len;
    }

    if (n) {
        memcpy(text + len, data, n);
    }

    text[len + n] = '\n';

    return len + n + 1;
}


static void
cx_token_hex(unsigned char *dst, const unsigned char *src, size_t n)
{
    static const unsigned char hex[] = "0123456789abcdef";

    while (n--) {
        *dst++ = hex[*src >> 4];
        *dst++ = hex[*src++ & 15];
    }
}


/* 0 if there is none: what it would be is then not to be used */

static int
cx_token_hash(unsigned char *hash, const void *key, size_t len,
              const unsigned char *text, size_t n)
{
    unsigned int size;

    size = CX_TOKEN_HASH;
    memset(hash, 0, CX_TOKEN_HASH);

    return HMAC(EVP_sha256(), key, (int) len, text, n, hash, &size) != NULL;
}


static int
cx_token_mac(unsigned char *hex, const unsigned char *key, const cx_str_t *site,
             const cx_str_t *survey, const cx_str_t *version,
             const unsigned char *answer, const unsigned char *expiry)
{
    size_t        n;
    unsigned char text[CX_TOKEN_TEXT], hash[CX_TOKEN_HASH];

    n = cx_token_put(text, 0, "token", 5);
    n = cx_token_put(text, n, site->data, site->len);
    n = cx_token_put(text, n, survey->data, survey->len);
    n = cx_token_put(text, n, version ? version->data : NULL,
                     version ? version->len : 0);
    n = cx_token_put(text, n, answer, CX_TOKEN_ID);
    n = cx_token_put(text, n, expiry, 8);

    if (!cx_token_hash(hash, key, CX_TOKEN_KEY, text, n)) {
        return 0;
    }

    cx_token_hex(hex, hash, CX_TOKEN_MAC / 2);

    return 1;
}
