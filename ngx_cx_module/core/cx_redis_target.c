/* Where Redis is: the words of "cx_redis ...;" and "redis = ..." read. */

#include <stdio.h>
#include "cx_redis_url.h"

static const char cx_redis_expected[]
    = "expected redis://[[user]:password@]host[:port][/db], rediss://... "
      "(TLS), unix:/path[?db=n], or sentinel://host[:port] master=name";


static int
cx_redis_is(const cx_str_t *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->data, text, s->len) == 0;
}


/* name=value, each at most once */

static const char *
cx_redis_option(cx_redis_target_t *t, cx_redis_words_t *w, cx_str_t *s)
{
    size_t    i;
    cx_str_t *to;

    const struct {
        const char *prefix;
        cx_str_t   *to;
    } options[] = {
        { "master=", &t->master },   { "db=", &w->number },
        { "user=", &w->redis_user }, { "password=", &w->redis_password },
        { "ca=", &t->ca },           { "cert=", &t->cert },
        { "key=", &t->key },         { "name=", &t->name },
        { "verify=", &w->verify },
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (cx_redis_starts(s, options[i].prefix)) {
            to = options[i].to;
            cx_redis_skip(s, strlen(options[i].prefix));

            if (to->len || s->len == 0) {
                return "expected each of master= db= user= password= ca= "
                       "cert= key= name= verify= once, with a value";
            }

            *to = *s;

            return NULL;
        }
    }

    if (w->scheme == NULL) {
        return cx_redis_expected;
    }

    return "expected more urls, cluster, master= db= user= password= ca= "
           "cert= key= name= or verify= behind the first url";
}


static const char *
cx_redis_word(cx_redis_target_t *t, cx_redis_words_t *w, cx_str_t *s)
{
    const cx_redis_scheme_t *scheme;

    if (cx_redis_is(s, "cluster")) {
        w->cluster = 1;

        return NULL;
    }

    scheme = cx_redis_scheme(s);

    return scheme ? cx_redis_url(t, w, s, scheme) : cx_redis_option(t, w, s);
}


static const char *
cx_redis_sentinels(cx_redis_target_t *t, cx_redis_words_t *w)
{
    const char *err;

    if (w->cluster || w->db) {
        return "expected Sentinels without \"cluster\", and db=n instead of a "
               "database in the url";
    }

    if (t->master.len == 0) {
        return "expected the name that the Sentinels know Redis by, such as "
               "sentinel://10.0.0.1 sentinel://10.0.0.2 master=mymaster";
    }

    if (w->redis_user.len && w->redis_password.len == 0) {
        return "user without password: expected password= beside user=";
    }

    if (w->number.len) {
        err = cx_redis_db(t, &w->number);

        if (err) {
            return "database is no number: expected db=n, such as db=2";
        }
    }

    t->sentinel_user = w->user;
    t->sentinel_password = w->password;
    t->user = w->redis_user;
    t->password = w->redis_password;
    err = cx_redis_decode(&t->user);

    return err ? err : cx_redis_decode(&t->password);
}


static const char *
cx_redis_nodes(cx_redis_target_t *t, cx_redis_words_t *w)
{
    if (t->master.len || w->number.len || w->redis_user.len
        || w->redis_password.len)
    {
        return "expected master= db= user= password= only with sentinel://; "
               "of Redis they stand in the url: "
               "redis://[[user]:password@]host[:port][/db]";
    }

    t->user = w->user;
    t->password = w->password;

    if (t->n == 1 && !w->cluster) {
        return NULL;
    }

    if (w->scheme->local) {
        return "expected redis:// or rediss:// with \"cluster\", whose nodes "
               "are told by host and port";
    }

    if (t->db) {
        return "a Redis Cluster has only database 0: expected urls without "
               "\"/db\"";
    }

    t->mode = CX_REDIS_CLUSTER;

    return NULL;
}


static const char *
cx_redis_tls(cx_redis_target_t *t, cx_redis_words_t *w)
{
    t->tls = w->scheme->tls;
    t->verify = 1;

    if (!t->tls) {
        if (t->ca.len || t->cert.len || t->key.len || t->name.len
            || w->verify.len) {
            return "expected ca= cert= key= name= verify= only with TLS: "
                   "rediss:// or sentinels://";
        }

        return NULL;
    }

    if ((t->cert.len == 0) != (t->key.len == 0)) {
        return "expected cert=file and key=file together, or neither";
    }

    if (w->verify.len == 0 || cx_redis_is(&w->verify, "on")) {
        return NULL;
    }

    if (!cx_redis_is(&w->verify, "off")) {
        return "expected verify=off, or nothing";
    }

    if (t->ca.len || t->name.len) {
        return "expected ca= and name= without verify=off, which looks at "
               "neither";
    }

    t->verify = 0;

    return NULL;
}


/* all seeds, as far as there is room; "..." for the rest */

static void
cx_redis_label(cx_redis_target_t *t, const cx_redis_words_t *w)
{
    int              n, v6;
    char            *p, text[CX_REDIS_HOST + 32], tail[64];
    size_t           left;
    unsigned         i;
    cx_redis_addr_t *a;

    p = t->label;
    tail[0] = '\0';

    if (w->scheme->local) {
        a = &t->seed[0];
        n = snprintf(p, sizeof(t->label), "unix:%.*s", (int) a->path.len,
                     (char *) a->path.data);

        if (t->db) {
            snprintf(p + n, sizeof(t->label) - (size_t) n, "?db=%u", t->db);
        }

        return;
    }

    if (t->mode == CX_REDIS_SENTINEL) {
        snprintf(tail, sizeof(tail), " master=%.*s", (int) t->master.len,
                 (char *) t->master.data);

    } else if (t->db) {
        snprintf(tail, sizeof(tail), "/%u", t->db);
    }

    left = sizeof(t->label) - strlen(tail) - sizeof(" ...");

    for (i = 0; i < t->n; i++) {
        a = &t->seed[i];
        v6 = memchr(a->host.data, ':', a->host.len) != NULL;
        n = snprintf(text, sizeof(text), "%s%s%s%.*s%s:%u", i ? " " : "",
                     w->scheme->prefix, v6 ? "[" : "", (int) a->host.len,
                     (char *) a->host.data, v6 ? "]" : "", a->port);

        if ((size_t) n >= left) {
            p += sprintf(p, "%s...", i ? " " : "");
            break;
        }

        memcpy(p, text, (size_t) n);
        p += n;
        left -= (size_t) n;
    }

    memcpy(p, tail, strlen(tail) + 1);
}


const char *
cx_redis_target(cx_redis_target_t *t, cx_str_t *word, unsigned n)
{
    cx_str_t         s;
    unsigned         i;
    const char      *err;
    cx_redis_words_t w;

    memset(t, 0, sizeof(cx_redis_target_t));
    memset(&w, 0, sizeof(cx_redis_words_t));

    for (i = 0; i < n; i++) {
        s = word[i];
        err = cx_redis_word(t, &w, &s);

        if (err) {
            return err;
        }
    }

    if (w.scheme == NULL) {
        return cx_redis_expected;
    }

    t->mode = w.scheme->mode;
    err = t->mode == CX_REDIS_SENTINEL ? cx_redis_sentinels(t, &w)
                                       : cx_redis_nodes(t, &w);
    err = err ? err : cx_redis_tls(t, &w);

    if (err == NULL) {
        cx_redis_label(t, &w);
    }

    return err;
}
