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


static int
cx_redis_error_at(const unsigned char *p, const unsigned char *end,
                  const char *text, size_t len)
{
    return (size_t) (end - p) >= len && memcmp(p, text, len) == 0;
}


/* behind all of ": @user_script:1: @user_script: 1: -" */

static const unsigned char *
cx_redis_error_script(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *q, *from;

    static const char where[] = ": @user_script:";

    for (from = q = p; q < end;) {
        if (!cx_redis_error_at(q, end, where, sizeof(where) - 1)) {
            q++;
            continue;
        }

        q += sizeof(where) - 1;

        while (q < end && (*q == ' ' || (*q >= '0' && *q <= '9'))) {
            q++;
        }

        from = cx_redis_error_at(q, end, ": ", 2) ? q + 2 : from;
    }

    return from > p && from < end && *from == '-' ? from + 1 : from;
}


void
cx_redis_error_text(cx_str_t *reply)
{
    const unsigned char *p, *q, *end;

    static const char running[] = "ERR Error running script";
    static const char script[] = " script: ";
    static const char on[] = ", on @user_script";

    p = reply->data;
    end = p + reply->len;

    if (cx_redis_error_at(p, end, running, sizeof(running) - 1)) {
        p = cx_redis_error_script(p, end);
    }

    for (q = p; q < end; q++) {
        if (cx_redis_error_at(q, end, on, sizeof(on) - 1)) {
            break;
        }
    }

    if (q < end) {
        for (end = q; q > p; q--) {
            if (cx_redis_error_at(q, end, script, sizeof(script) - 1)) {
                break;
            }
        }

        end = q > p ? q : end;
    }

    reply->data = (unsigned char *) p;
    reply->len = (size_t) (end - p);
}


cx_redis_error_e
cx_redis_error(const cx_str_t *reply)
{
    cx_str_t text;

    text = *reply;
    cx_redis_error_text(&text);

    return cx_redis_error_word(text.data, text.data + text.len);
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
