/*
 * Tokens that let an answer in: one is given out with each survey that is
 * served, one stands in each link that cxctl makes.  Neither clock nor
 * randomness here.
 *
 *   <expiry, Unix time in s, 8 hex digits>.<answer id, 16>.<MAC, 16>
 *
 * The MAC is the first half of HMAC-SHA256 over
 *
 *   "token\n" site "\n" survey "\n" version "\n" answer id "\n" expiry
 *
 * with the expiry as it stands in the token.  The token of a link has no
 * version, as the wording may change before it is followed: so it is none of a
 * survey that was served, and the other way round.
 */

#ifndef CX_TOKEN_H
#define CX_TOKEN_H

#include <stdint.h>
#include "cx_core.h"

#define CX_TOKEN_KEY      32         /* bytes of a key */
#define CX_TOKEN_ID       16         /* digits of an answer id */
#define CX_TOKEN_LEN      (8 + 1 + CX_TOKEN_ID + 1 + 16)
#define CX_TOKENS         16         /* in a beacon, at most */
#define CX_SECRET_MIN     32         /* bytes of what keys are made of */
#define CX_SECRET_MAX     4096

typedef enum {
    CX_TOKEN_OK,
    CX_TOKEN_FORGED,             /* or of another site, survey, version */
    CX_TOKEN_EXPIRED             /* it was right */
} cx_token_e;

/*
 * The key, CX_TOKEN_KEY bytes, from key material of any length.  0: there is no
 * HMAC-SHA256 here, as below.
 */
int cx_token_key(unsigned char *key, const void *secret, size_t len);

/*
 * The answer id, an HMAC too.  Of a survey that is served:
 *   "answer\n" site "\n" survey "\n" version "\n" visit "\n" day
 * and of a link, where version is NULL and day is not looked at:
 *   "link\n" site "\n" survey "\n" recipient
 *
 * each part with its line's end, visit and recipient as their own HMAC.
 *
 * who: visit key or recipient, of any length; day: days since 1970 in UTC.
 * Writes CX_TOKEN_ID hex digits to dst, without a NUL, and returns that, or 0.
 */
size_t cx_token_id(unsigned char *dst, const unsigned char *key,
    const cx_str_t *site, const cx_str_t *survey, const cx_str_t *version,
    const cx_str_t *who, int64_t day);

/*
 * A token; version is NULL or empty for a link, answer has CX_TOKEN_ID digits.
 * Writes CX_TOKEN_LEN bytes to dst, without a NUL, and returns that, or 0.
 */
size_t cx_token_make(unsigned char *dst, const unsigned char *key,
    const cx_str_t *site, const cx_str_t *survey, const cx_str_t *version,
    const unsigned char *answer, int64_t expiry);

/*
 * What a token is worth at now, Unix time in s, for an answer to this version
 * of a survey; version is NULL or empty to ask for that of a link.  In constant
 * time.  The answer id it is good for is at token->data + 9, to be compared
 * where the event has one of its own.
 */
cx_token_e cx_token_check(const cx_str_t *token, const unsigned char *key,
    const cx_str_t *site, const cx_str_t *survey, const cx_str_t *version,
    int64_t now);

#endif /* CX_TOKEN_H */
