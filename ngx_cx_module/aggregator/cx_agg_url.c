/* Redis urls: redis://[user:pass@]host[:port][/db] and unix:/path[?db=n]. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_redis.h"


static int
cx_url_hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}


/* percent-decodes in place; 0, or -1 */

static int
cx_url_decode(char *s)
{
    char *d;

    for (d = s; *s; s++, d++) {
        if (*s != '%') {
            *d = *s;
            continue;
        }

        if (cx_url_hex(s[1]) < 0 || cx_url_hex(s[2]) < 0) {
            return -1;
        }

        *d = (char) (cx_url_hex(s[1]) * 16 + cx_url_hex(s[2]));
        s += 2;
    }

    *d = '\0';

    return 0;
}


/* whole decimal number from min to max; 0, or -1 */

static int
cx_url_number(int *n, const char *s, int min, int max)
{
    char *end;
    long  v;

    if (*s < '0' || *s > '9') {
        return -1;
    }

    v = strtol(s, &end, 10);

    if (*end || v < min || v > max) {
        return -1;
    }

    *n = (int) v;

    return 0;
}


static const char *
cx_url_unix(cx_redis_url_t *u, char *s)
{
    char *q;

    q = strchr(s, '?');

    if (q) {
        *q++ = '\0';

        if (strncmp(q, "db=", 3) != 0 || cx_url_number(&u->db, q + 3, 0, 9999))
        {
            return "after \"?\" only db=<number> is known";
        }
    }

    if (*s != '/') {
        return "unix: needs an absolute path";
    }

    u->path = s;
    snprintf(u->label, sizeof(u->label), "unix:%s", s);

    return NULL;
}


static const char *
cx_url_login(cx_redis_url_t *u, char *s)
{
    char *colon;

    colon = strchr(s, ':');

    if (colon == NULL) {
        return "user without password, expected user:pass@host";
    }

    *colon++ = '\0';

    if (cx_url_decode(s) || cx_url_decode(colon)) {
        return "broken %-escape in user or password";
    }

    u->user = *s ? s : NULL;
    u->pass = colon;

    return NULL;
}


static const char *
cx_url_tcp(cx_redis_url_t *u, char *s)
{
    char       *p;
    const char *err;

    p = strrchr(s, '@');

    if (p) {
        *p = '\0';
        err = cx_url_login(u, s);

        if (err) {
            return err;
        }

        s = p + 1;
    }

    p = strchr(s, '/');

    if (p) {
        *p++ = '\0';

        if (*p && cx_url_number(&u->db, p, 0, 9999)) {
            return "database is no number";
        }
    }

    if (*s == '[') {
        p = strchr(++s, ']');

        if (p == NULL) {
            return "\"]\" is missing";
        }

        *p++ = '\0';

    } else {
        p = strchr(s, ':');
        p = p ? p : s + strlen(s);
    }

    u->port = 6379;

    if (*p == ':') {
        *p++ = '\0';

        if (cx_url_number(&u->port, p, 1, 65535)) {
            return "port is no number from 1 to 65535";
        }

    } else if (*p) {
        return "expected \":port\" or \"/db\" after \"]\"";
    }

    if (*s == '\0') {
        return "host is missing";
    }

    u->host = s;
    snprintf(u->label, sizeof(u->label), "redis://%s:%d", s, u->port);

    return NULL;
}


const char *
cx_redis_url(cx_redis_url_t *u, const char *text)
{
    char       *s;
    const char *err;

    memset(u, 0, sizeof(cx_redis_url_t));
    u->text = strdup(text);

    if (u->text == NULL) {
        return "no memory";
    }

    s = u->text;

    if (strpbrk(s, ", \t")) {
        err = "one url is expected, Redis Cluster is not supported";

    } else if (strncmp(s, "rediss://", 9) == 0) {
        err = "rediss:// (TLS) is not supported by this version";

    } else if (strncmp(s, "unix:", 5) == 0) {
        err = cx_url_unix(u, s + 5);

    } else if (strncmp(s, "redis://", 8) == 0) {
        err = cx_url_tcp(u, s + 8);

    } else {
        err = "expected redis://[user:pass@]host[:port][/db] "
              "or unix:/path[?db=n]";
    }

    if (err) {
        cx_redis_url_free(u);
    }

    return err;
}


void
cx_redis_url_free(cx_redis_url_t *u)
{
    free(u->text);
    memset(u, 0, sizeof(cx_redis_url_t));
}
