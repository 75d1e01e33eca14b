/* What an error reply of Redis is about, and where it points. */

#include <string.h>
#include "cx_redis.h"


typedef struct {
    const char *word;
    int         about;
} cx_redis_error_row_t;


#define CX_ROW(id, word, about) { word, CX_REDIS_##about },
static const cx_redis_error_row_t cx_redis_errors[CX_REDIS_E_N] = {
    CX_REDIS_ERRORS(CX_ROW)
};
#undef CX_ROW


/* the error whose first word stands at p */

static cx_redis_error_e
cx_redis_error_word(const unsigned char *p, const unsigned char *end)
{
    int                  i;
    size_t               len;
    const unsigned char *q;

    for (q = p; q < end && *q != ' '; q++) {
        /* void */
    }

    len = (size_t) (q - p);

    for (i = 0; i < CX_REDIS_E_OTHER; i++) {
        if (strlen(cx_redis_errors[i].word) == len
            && memcmp(cx_redis_errors[i].word, p, len) == 0)
        {
            return (cx_redis_error_e) i;
        }
    }

    return CX_REDIS_E_OTHER;
}


cx_redis_error_e
cx_redis_error(const cx_str_t *reply)
{
    cx_redis_error_e     error;
    const unsigned char *p, *end;

    static const char script[] = "ERR Error running script";

    if (reply->len == 0) {
        return CX_REDIS_E_OTHER;
    }

    p = reply->data;
    end = p + reply->len;
    error = cx_redis_error_word(p, end);

    if (error != CX_REDIS_E_OTHER || reply->len < sizeof(script) - 1
        || memcmp(p, script, sizeof(script) - 1) != 0)
    {
        return error;
    }

    /* "... (call to f_<sha>): @user_script:1: -OOM command not allowed" */

    for (p += sizeof(script) - 1; end - p > 3; p++) {
        if (memcmp(p, ": -", 3) == 0) {
            error = cx_redis_error_word(p + 3, end);

            if (error != CX_REDIS_E_OTHER) {
                return error;
            }
        }
    }

    return CX_REDIS_E_OTHER;
}


int
cx_redis_error_about(cx_redis_error_e error)
{
    return cx_redis_errors[error].about;
}


/* a decimal number up to max at *p, which is moved behind it; 0, or -1 */

static int
cx_redis_error_number(unsigned *n, const unsigned char **p,
                      const unsigned char *end, unsigned max)
{
    const unsigned char *from;

    *n = 0;

    for (from = *p; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        *n = *n * 10 + (unsigned) (**p - '0');

        if (*n > max) {
            return -1;
        }
    }

    return *p > from ? 0 : -1;
}


int
cx_redis_redirect(const cx_str_t *reply, unsigned *slot, cx_str_t *host,
                  unsigned *port)
{
    cx_redis_error_e     error;
    const unsigned char *p, *end, *colon, *from;

    error = cx_redis_error(reply);

    if (error != CX_REDIS_E_MOVED && error != CX_REDIS_E_ASK) {
        return -1;
    }

    /* "MOVED 3999 host:port"; an IPv6 address comes without brackets */

    p = reply->data + strlen(cx_redis_errors[error].word);
    end = reply->data + reply->len;

    if (p == end || *p++ != ' '
        || cx_redis_error_number(slot, &p, end, CX_REDIS_SLOTS - 1) || p == end
        || *p++ != ' ')
    {
        return -1;
    }

    for (from = p, colon = NULL; p < end && *p != ' '; p++) {
        if (*p == ':') {
            colon = p;
        }
    }

    if (colon == NULL) {
        return -1;
    }

    end = p;
    p = colon + 1;

    if (cx_redis_error_number(port, &p, end, 65535) || p < end || *port == 0) {
        return -1;
    }

    host->data = (unsigned char *) from;
    host->len = (size_t) (colon - from);

    /* "?": a node whose name nobody knows */

    return host->len == 1 && *from == '?' ? -1 : 0;
}
