/* cx_redis_target: what is right, what it says, and what is wrong. */

#include <stdlib.h>
#include "cx_redis.h"
#include "tap.h"


#define WORDS  24

static char       text[4096];
static cx_str_t   words[WORDS];


/* words of a line, each of them a copy of its own */

static unsigned
split(const char *line)
{
    char      *p, *save;
    unsigned   n;

    snprintf(text, sizeof(text), "%s", line);

    for (n = 0; n < WORDS; n++) {
        free(words[n].data);
        words[n].data = NULL;
        words[n].len = 0;
    }

    n = 0;

    for (p = strtok_r(text, " ", &save); p && n < WORDS;
         p = strtok_r(NULL, " ", &save))
    {
        words[n].len = strlen(p);
        words[n].data = malloc(words[n].len);
        memcpy(words[n].data, p, words[n].len);
        n++;
    }

    return n;
}


/* all that a target says but what its label does, in one line */

static const char *
show(const cx_redis_target_t *t)
{
    char      *p;
    size_t     i;
    unsigned   k;

    static char  out[2048];

    static const char  *modes[] = { "node", "sentinel", "cluster" };

    const struct {
        const char      *name;
        const cx_str_t  *value;
    } parts[] = {
        { "user", &t->user }, { "password", &t->password },
        { "suser", &t->sentinel_user }, { "spassword", &t->sentinel_password },
        { "master", &t->master }, { "ca", &t->ca }, { "cert", &t->cert },
        { "key", &t->key }, { "name", &t->name },
    };

    p = out + sprintf(out, "%s%s%s", modes[t->mode], t->tls ? " tls" : "",
                      t->verify ? "" : " unverified");

    for (k = 0; k < t->n; k++) {
        p += sprintf(p, " %.*s%.*s:%u", (int) t->seed[k].host.len,
                     (char *) t->seed[k].host.data,
                     (int) t->seed[k].path.len, (char *) t->seed[k].path.data,
                     t->seed[k].port);
    }

    if (t->db) {
        p += sprintf(p, " db=%u", t->db);
    }

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].value->len) {
            p += sprintf(p, " %s=%.*s", parts[i].name,
                         (int) parts[i].value->len,
                         (char *) parts[i].value->data);
        }
    }

    return out;
}


static const struct {
    const char  *line;
    const char  *what;
    const char  *label;

} good[] = {
    { "redis://127.0.0.1", "node 127.0.0.1:6379", "redis://127.0.0.1:6379" },
    { "redis://127.0.0.1/", "node 127.0.0.1:6379", "redis://127.0.0.1:6379" },
    { "redis://localhost:1/3", "node localhost:1 db=3",
      "redis://localhost:1/3" },
    { "redis://127.0.0.1/0", "node 127.0.0.1:6379", "redis://127.0.0.1:6379" },
    { "redis://:secret@h", "node h:6379 password=secret", "redis://h:6379" },
    { "redis://me:s@e:c%2fr%40t%25@h:7", "node h:7 user=me "
      "password=s@e:c/r@t%", "redis://h:7" },
    { "redis://m%65:x@h", "node h:6379 user=me password=x",
      "redis://h:6379" },
    { "redis://[::1]", "node ::1:6379", "redis://[::1]:6379" },
    { "redis://a:b@[fe80::1]:7000/2",
      "node fe80::1:7000 db=2 user=a password=b", "redis://[fe80::1]:7000/2" },
    { "unix:/tmp/redis.sock", "node /tmp/redis.sock:0",
      "unix:/tmp/redis.sock" },
    { "unix:/tmp/redis.sock?db=2", "node /tmp/redis.sock:0 db=2",
      "unix:/tmp/redis.sock?db=2" },

    { "rediss://h", "node tls h:6379", "rediss://h:6379" },
    { "rediss://h verify=off", "node tls unverified h:6379",
      "rediss://h:6379" },
    { "rediss://h verify=on", "node tls h:6379", "rediss://h:6379" },
    { "rediss://:p@h:1/1 ca=/ca.pem cert=c.pem key=k.pem name=redis.example",
      "node tls h:1 db=1 password=p ca=/ca.pem cert=c.pem key=k.pem "
      "name=redis.example", "rediss://h:1/1" },
    { "name=x rediss://h", "node tls h:6379 name=x", "rediss://h:6379" },

    { "redis://a redis://b:2", "cluster a:6379 b:2",
      "redis://a:6379 redis://b:2" },
    { "redis://a cluster", "cluster a:6379", "redis://a:6379" },
    { "cluster redis://:p@a redis://b/0 redis://:p@c",
      "cluster a:6379 b:6379 c:6379 password=p",
      "redis://a:6379 redis://b:6379 redis://c:6379" },
    { "rediss://a rediss://b verify=off cluster",
      "cluster tls unverified a:6379 b:6379",
      "rediss://a:6379 rediss://b:6379" },
    { "redis://1 redis://2 redis://3 redis://4 redis://5 redis://6 redis://7 "
      "redis://8 redis://9 redis://a redis://b redis://c redis://d redis://e "
      "redis://f redis://g",
      "cluster 1:6379 2:6379 3:6379 4:6379 5:6379 6:6379 7:6379 8:6379 9:6379 "
      "a:6379 b:6379 c:6379 d:6379 e:6379 f:6379 g:6379",
      "redis://1:6379 redis://2:6379 redis://3:6379 redis://4:6379 "
      "redis://5:6379 redis://6:6379 redis://7:6379 redis://8:6379 "
      "redis://9:6379 redis://a:6379 ..." },

    { "sentinel://a sentinel://b:1 master=mymaster",
      "sentinel a:26379 b:1 master=mymaster",
      "sentinel://a:26379 sentinel://b:1 master=mymaster" },
    { "sentinel://su:sp@a master=m db=4 user=u%20 password=p%25",
      "sentinel a:26379 db=4 user=u  password=p% suser=su spassword=sp "
      "master=m", "sentinel://a:26379 master=m" },
    { "sentinels://[::1] master=m password=redis://x",
      "sentinel tls ::1:26379 password=redis://x master=m",
      "sentinels://[::1]:26379 master=m" },
};


static const struct {
    const char  *line;
    const char  *what;           /* part of the message */

} bad[] = {
    { "", "expected redis://" },
    { "localhost", "expected redis://" },
    { "127.0.0.1:6379", "expected redis://" },
    { "http://127.0.0.1", "expected redis://" },
    { "cluster", "expected redis://" },
    { "REDIS://h", "expected redis://" },
    { "redis://", "host is missing" },
    { "redis://:6379", "host is missing" },
    { "redis:///2", "host is missing" },
    { "redis://:secret@", "host is missing" },
    { "redis://[]", "host is missing" },
    { "redis://[::1", "\"]\" is missing" },
    { "redis://[::1]6379", "expected a host name" },
    { "redis://[localhost]", "expected a host name" },
    { "redis://a,b", "expected a host name" },
    { "redis://a, redis://b", "expected a host name" },
    { "redis://::1", "host is missing" },
    { "redis://h:", "port is no number from 1 to 65535" },
    { "redis://h:0", "port is no number from 1 to 65535" },
    { "redis://h:65536", "port is no number from 1 to 65535" },
    { "redis://h:99999999999999999999", "port is no number" },
    { "redis://h:6379x", "port is no number" },
    { "redis://h/x", "database is no number" },
    { "redis://h/-1", "database is no number" },
    { "redis://h/1/2", "database is no number" },
    { "redis://h/9999999999", "database is no number" },
    { "redis://secret@h", "user without password" },
    { "redis://secret:@h", "user without password" },
    { "redis://:@h", "user without password" },
    { "redis://:secret%@h", "two hex digits after each \"%\"" },
    { "redis://:secret%4@h", "two hex digits after each \"%\"" },
    { "redis://secret%zz:a@h", "two hex digits after each \"%\"" },
    { "redis://:secret/b@h", "\"/\" as \"%2F\"" },
    { "unix:", "unix: needs an absolute path" },
    { "unix:/", "unix: needs an absolute path" },
    { "unix:rel", "unix: needs an absolute path" },
    { "unix:?db=1", "unix: needs an absolute path" },
    { "unix:/0123456789012345678901234567890123456789012345678901234567890123"
      "4567890123456789012345678901234567890123456", "short enough" },
    { "unix:/s?x=1", "only db=<number> is known" },
    { "unix:/s?db=", "database is no number" },
    { "unix:/s?db=x", "database is no number" },

    { "redis://a unix:/s", "urls of two kinds" },
    { "redis://a rediss://b", "urls of two kinds" },
    { "unix:/a unix:/b", "one url where it is a unix socket" },
    { "unix:/a cluster", "expected redis:// or rediss://" },
    { "redis://a/1 redis://b", "only database 0" },
    { "redis://:secret@a redis://:other@b", "two users or passwords" },
    { "redis://u:secret@a redis://:secret@b", "two users or passwords" },
    { "redis://1 redis://2 redis://3 redis://4 redis://5 redis://6 redis://7 "
      "redis://8 redis://9 redis://a redis://b redis://c redis://d redis://e "
      "redis://f redis://g redis://h", "at most 16" },
    { "redis://h clutser", "behind the first url" },
    { "redis://h secret", "behind the first url" },

    { "sentinel://a", "expected the name that the Sentinels know" },
    { "sentinel://a master=", "once, with a value" },
    { "sentinel://a master=m master=n", "once, with a value" },
    { "sentinel://a/2 master=m", "db=n instead" },
    { "sentinel://a cluster master=m", "without \"cluster\"" },
    { "sentinel://a master=m db=x", "expected db=n" },
    { "sentinel://a master=m user=secret", "user without password" },
    { "sentinel://a master=m password=secret%", "two hex digits" },
    { "sentinel://a sentinels://b master=m", "urls of two kinds" },
    { "redis://h master=m", "only with sentinel://" },
    { "redis://h password=secret", "only with sentinel://" },
    { "redis://h db=1", "only with sentinel://" },

    { "redis://h ca=/x", "only with TLS" },
    { "redis://h verify=off", "only with TLS" },
    { "unix:/s name=x", "only with TLS" },
    { "rediss://h cert=x", "together" },
    { "rediss://h key=x", "together" },
    { "rediss://h verify=no", "expected verify=off" },
    { "rediss://h verify=off ca=x", "without verify=off" },
    { "rediss://h verify=off name=x", "without verify=off" },
};


int
main(void)
{
    size_t             i;
    unsigned           n;
    const char        *err;
    cx_redis_target_t  t;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        n = split(good[i].line);
        err = cx_redis_target(&t, words, n);

        if (!ok(err == NULL, "%s", good[i].line)) {
            printf("# %s\n", err);
            continue;
        }

        is_bytes(show(&t), strlen(show(&t)), good[i].what,
                 strlen(good[i].what), "... is what it says");
        is_bytes(t.label, strlen(t.label), good[i].label,
                 strlen(good[i].label), "... label");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        n = split(bad[i].line);
        err = cx_redis_target(&t, words, n);

        ok(err && strstr(err, bad[i].what), "%s: %s", bad[i].line,
           err ? err : "taken");
        ok(err && strstr(err, "secret") == NULL, "... no password");
        ok(err && (strstr(err, "expected") || strstr(err, "such as")),
           "... what was expected");
    }

    (void) split("");

    return tap_done();
}
