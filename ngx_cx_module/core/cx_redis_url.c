/* URLs of Redis and of Sentinels. */

#include "cx_redis_url.h"

#define CX_REDIS_PORT    6379
#define CX_SENTINEL_PORT 26379
#define CX_REDIS_SOCKET  107 /* bytes of a unix socket's path */
#define CX_REDIS_DB_MAX  999999999u

static const cx_redis_scheme_t cx_redis_schemes[] = {
    { "redis://", CX_REDIS_NODE, 0, 0 },
    { "rediss://", CX_REDIS_NODE, 1, 0 },
    { "sentinel://", CX_REDIS_SENTINEL, 0, 0 },
    { "sentinels://", CX_REDIS_SENTINEL, 1, 0 },
    { "unix:", CX_REDIS_NODE, 0, 1 },
};


static int
cx_redis_same(const cx_str_t *a, const cx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* a whole decimal number; 0, or -1 */

static int
cx_redis_number(unsigned *n, const cx_str_t *s, unsigned min, unsigned max)
{
    size_t   i;
    unsigned v;

    if (s->len == 0 || s->len > 9) {
        return -1;
    }

    for (i = 0, v = 0; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return -1;
        }

        v = v * 10 + (unsigned) (s->data[i] - '0');
    }

    if (v < min || v > max) {
        return -1;
    }

    *n = v;

    return 0;
}


static int
cx_redis_hex(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}


const char *
cx_redis_decode(cx_str_t *s)
{
    int            high, low;
    unsigned char *p, *q, *end;

    if (s->len == 0) {
        return NULL;
    }

    end = s->data + s->len;

    for (p = q = s->data; p < end; q++) {
        if (*p != '%') {
            *q = *p++;
            continue;
        }

        high = end - p < 3 ? -1 : cx_redis_hex(p[1]);
        low = end - p < 3 ? -1 : cx_redis_hex(p[2]);

        if (high < 0 || low < 0) {
            return "expected two hex digits after each \"%\" in user and "
                   "password; \"%\" itself is written as \"%25\"";
        }

        *q = (unsigned char) (high * 16 + low);
        p += 3;
    }

    s->len = (size_t) (q - s->data);

    return NULL;
}


const char *
cx_redis_db(cx_redis_target_t *t, const cx_str_t *s)
{
    if (cx_redis_number(&t->db, s, 0, CX_REDIS_DB_MAX)) {
        return "database is no number: expected one at the end, such as "
               "redis://127.0.0.1:6379/2 or unix:/path?db=2";
    }

    return NULL;
}


/* [user]:password; the same in all URLs that have it */

static const char *
cx_redis_login(cx_redis_words_t *w, cx_str_t *s)
{
    cx_str_t       user, password;
    const char    *err;
    unsigned char *colon;

    colon = s->len ? memchr(s->data, ':', s->len) : NULL;

    if (colon == NULL || colon + 1 == s->data + s->len) {
        return "user without password: expected a password before \"@\", "
               "\":password@host\" or \"user:password@host\"";
    }

    user.data = s->data;
    user.len = (size_t) (colon - s->data);
    password.data = colon + 1;
    password.len = s->len - user.len - 1;

    err = cx_redis_decode(&user);
    err = err ? err : cx_redis_decode(&password);

    if (err) {
        return err;
    }

    if (w->password.len
        && !(cx_redis_same(&user, &w->user)
             && cx_redis_same(&password, &w->password)))
    {
        return "two users or passwords: expected the same in each url, or "
               "only in the first";
    }

    w->user = user;
    w->password = password;

    return NULL;
}


static int
cx_redis_host_ok(const cx_str_t *s, int v6)
{
    size_t        i;
    unsigned char c;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (v6 ? cx_redis_hex(c) < 0 && c != ':' && c != '.'
               : !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                   || (c >= '0' && c <= '9') || c == '-' || c == '.'
                   || c == '_'))
        {
            return 0;
        }
    }

    return s->len < CX_REDIS_HOST;
}


/* host[:port] */

static const char *
cx_redis_host(cx_redis_addr_t *a, cx_str_t *s)
{
    int            v6;
    unsigned char *p;

    v6 = s->len && s->data[0] == '[';

    if (v6) {
        cx_redis_skip(s, 1);
    }

    p = s->len ? memchr(s->data, v6 ? ']' : ':', s->len) : NULL;

    if (p == NULL && v6) {
        return "\"]\" is missing: expected an IPv6 address in brackets, such "
               "as redis://[::1]:6379";
    }

    a->host.data = s->data;
    a->host.len = p ? (size_t) (p - s->data) : s->len;
    cx_redis_skip(s, a->host.len + (size_t) v6);

    if (a->host.len == 0) {
        return "host is missing: expected a host name or an address, such as "
               "redis://127.0.0.1:6379";
    }

    if (!cx_redis_host_ok(&a->host, v6) || (s->len && s->data[0] != ':')) {
        return "expected a host name, an IPv4 address or an IPv6 address in "
               "brackets, such as redis://127.0.0.1:6379";
    }

    if (s->len == 0) {
        return NULL;
    }

    cx_redis_skip(s, 1);

    if (cx_redis_number(&a->port, s, 1, 65535)) {
        return "port is no number from 1 to 65535: expected host:port, such "
               "as redis://127.0.0.1:6379";
    }

    return NULL;
}


/* [[user]:password@]host[:port][/db] */

static const char *
cx_redis_tcp(cx_redis_target_t *t, cx_redis_words_t *w, cx_str_t *s)
{
    size_t      i;
    cx_str_t    login, db;
    const char *err;

    cx_redis_addr_t *a = &t->seed[t->n];

    for (i = 0; i < s->len && s->data[i] != '/'; i++) {
        /* void */
    }

    db = *s;
    cx_redis_skip(&db, i);
    s->len = i;

    if (db.len && memchr(db.data, '@', db.len)) {
        return "expected special characters of user and password as \"%XX\", "
               "\"/\" as \"%2F\"";
    }

    if (db.len > 1) {
        cx_redis_skip(&db, 1);
        err = cx_redis_db(t, &db);

        if (err) {
            return err;
        }

        w->db = 1;
    }

    for (i = s->len; i > 0 && s->data[i - 1] != '@'; i--) {
        /* void */
    }

    if (i > 0) {
        login.data = s->data;
        login.len = i - 1;
        cx_redis_skip(s, i);
        err = cx_redis_login(w, &login);

        if (err) {
            return err;
        }
    }

    a->port = w->scheme->mode == CX_REDIS_SENTINEL ? CX_SENTINEL_PORT
                                                   : CX_REDIS_PORT;

    return cx_redis_host(a, s);
}


/* /path[?db=n] */

static const char *
cx_redis_unix(cx_redis_target_t *t, cx_str_t *s)
{
    size_t   i;
    cx_str_t args;

    for (i = 0; i < s->len && s->data[i] != '?'; i++) {
        /* void */
    }

    args = *s;
    cx_redis_skip(&args, i);
    s->len = i;

    if (s->len < 2 || s->data[0] != '/' || s->len > CX_REDIS_SOCKET) {
        return "unix: needs an absolute path, short enough for a socket, such "
               "as unix:/run/redis/redis.sock";
    }

    t->seed[t->n].path = *s;

    if (args.len == 0) {
        return NULL;
    }

    if (!cx_redis_starts(&args, "?db=")) {
        return "after \"?\" only db=<number> is known, such as "
               "unix:/path?db=2";
    }

    cx_redis_skip(&args, 4);

    return cx_redis_db(t, &args);
}


const cx_redis_scheme_t *
cx_redis_scheme(const cx_str_t *s)
{
    size_t i;

    for (i = 0; i < sizeof(cx_redis_schemes) / sizeof(cx_redis_scheme_t); i++) {
        if (cx_redis_starts(s, cx_redis_schemes[i].prefix)) {
            return &cx_redis_schemes[i];
        }
    }

    return NULL;
}


const char *
cx_redis_url(cx_redis_target_t *t, cx_redis_words_t *w, cx_str_t *s,
             const cx_redis_scheme_t *scheme)
{
    const char *err;

    if (w->scheme && w->scheme != scheme) {
        return "urls of two kinds: expected all to begin alike, such as "
               "redis://a redis://b";
    }

    if (t->n == CX_REDIS_SEEDS) {
        return "expected at most 16 urls";
    }

    w->scheme = scheme;
    cx_redis_skip(s, strlen(scheme->prefix));

    if (scheme->local) {
        err = t->n ? "expected one url where it is a unix socket"
                   : cx_redis_unix(t, s);

    } else {
        err = cx_redis_tcp(t, w, s);
    }

    t->n += err == NULL;

    return err;
}
