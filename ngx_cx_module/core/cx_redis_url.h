/*
 * What the files that take the words of a target apart share.
 */

#ifndef CX_REDIS_URL_H
#define CX_REDIS_URL_H

#include <string.h>
#include "cx_redis.h"


typedef struct {
    const char       *prefix;
    cx_redis_mode_e   mode;              /* never CX_REDIS_CLUSTER */
    unsigned          tls:1;
    unsigned          local:1;           /* a unix socket */
} cx_redis_scheme_t;

/* what the words have said so far, beside the target */
typedef struct {
    const cx_redis_scheme_t  *scheme;    /* of all URLs */
    cx_str_t                  user, password;        /* in a URL */
    cx_str_t                  redis_user, redis_password;
    cx_str_t                  verify, number;
    unsigned                  cluster:1;
    unsigned                  db:1;      /* in a URL */
} cx_redis_words_t;


/* NULL: s is no URL */
const cx_redis_scheme_t *cx_redis_scheme(const cx_str_t *s);

/* a URL of this scheme, one more seed; as the next two, NULL or what was
   expected */
const char *cx_redis_url(cx_redis_target_t *t, cx_redis_words_t *w,
    cx_str_t *s, const cx_redis_scheme_t *scheme);

const char *cx_redis_db(cx_redis_target_t *t, const cx_str_t *s);

/* percent-decodes in place */
const char *cx_redis_decode(cx_str_t *s);


static inline int
cx_redis_starts(const cx_str_t *s, const char *prefix)
{
    size_t  len = strlen(prefix);

    return s->len >= len && memcmp(s->data, prefix, len) == 0;
}


static inline void
cx_redis_skip(cx_str_t *s, size_t n)
{
    s->data += n;
    s->len -= n;
}

#endif /* CX_REDIS_URL_H */
