/* cx_redis_error, cx_redis_error_text, cx_redis_redirect. */

#include "cx_redis.h"
#include "tap.h"


#define SHA  "f_2c5b9d1e8a6d3f0b7c4e5a6f7b8c9d0e1f2a3b4c"

static const struct {
    cx_redis_error_e  error;
    int               about;
    const char       *reply;

} replies[] = {
    { CX_REDIS_E_NOAUTH, CX_REDIS_LINK, "NOAUTH Authentication required." },
    { CX_REDIS_E_WRONGPASS, CX_REDIS_LINK,
      "WRONGPASS invalid username-password pair or user is disabled." },
    { CX_REDIS_E_NOPERM, CX_REDIS_LINK,
      "NOPERM this user has no permissions to run the 'evalsha' command" },
    { CX_REDIS_E_LOADING, CX_REDIS_LINK,
      "LOADING Redis is loading the dataset in memory" },
    { CX_REDIS_E_READONLY, CX_REDIS_LINK,
      "READONLY You can't write against a read only replica." },
    { CX_REDIS_E_OOM, CX_REDIS_LINK,
      "OOM command not allowed when used memory > 'maxmemory'." },
    { CX_REDIS_E_OOM, CX_REDIS_LINK,
      "OOM command not allowed when used memory > 'maxmemory'. script: "
      "2c5b9d1e, on @user_script:1." },
    { CX_REDIS_E_MISCONF, CX_REDIS_LINK, "MISCONF Redis is configured to" },
    { CX_REDIS_E_MASTERDOWN, CX_REDIS_LINK, "MASTERDOWN Link with MASTER" },
    { CX_REDIS_E_NOREPLICAS, CX_REDIS_LINK, "NOREPLICAS Not enough good" },
    { CX_REDIS_E_BUSY, CX_REDIS_LINK, "BUSY Redis is busy running a script" },
    { CX_REDIS_E_MOVED, CX_REDIS_ROUTE, "MOVED 3999 127.0.0.1:6381" },
    { CX_REDIS_E_ASK, CX_REDIS_ROUTE, "ASK 3999 127.0.0.1:6381" },
    { CX_REDIS_E_TRYAGAIN, CX_REDIS_ROUTE, "TRYAGAIN Multiple keys request" },
    { CX_REDIS_E_CLUSTERDOWN, CX_REDIS_ROUTE,
      "CLUSTERDOWN Hash slot not served" },
    { CX_REDIS_E_NOSCRIPT, CX_REDIS_SCRIPT, "NOSCRIPT No matching script." },
    { CX_REDIS_E_WRONGTYPE, CX_REDIS_KEY,
      "WRONGTYPE Operation against a key holding the wrong kind of value" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR syntax error" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR max number of clients reached" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, " OOM" },
    { CX_REDIS_E_OOM, CX_REDIS_LINK, "OOM" },

    /* whole words only */
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "BUSYGROUP Consumer Group name" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "OO" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "oom command" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR OOM" },

    /* up to Redis 6.2 */
    { CX_REDIS_E_OOM, CX_REDIS_LINK, "ERR Error running script (call to " SHA
      "): @user_script:1: @user_script: 1: -OOM command not allowed when used "
      "memory > 'maxmemory'." },
    { CX_REDIS_E_READONLY, CX_REDIS_LINK, "ERR Error running script (call to "
      SHA "): @user_script:3: -READONLY You can't write against a read" },
    { CX_REDIS_E_WRONGTYPE, CX_REDIS_KEY, "ERR Error running script (call to "
      SHA "): @user_script:3: @user_script: 3: -WRONGTYPE Operation" },
    { CX_REDIS_E_OOM, CX_REDIS_LINK,
      "ERR Error running script (call to " SHA "): @user_script:1: -OOM" },
    { CX_REDIS_E_WRONGTYPE, CX_REDIS_KEY, "ERR Error running script (call to "
      SHA "): @user_script:3: WRONGTYPE Operation" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR Error running script (call to "
      SHA "): @user_script:3: attempt to index a nil value" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR Error running script: -" },
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR Error running script" },

    /* not what stands in any other error */
    { CX_REDIS_E_OTHER, CX_REDIS_KEY, "ERR wrong value: -OOM" },
};


#define WRONG                                                                 \
    "WRONGTYPE Operation against a key holding the wrong kind of value"

static const struct {
    const char  *text;
    const char  *reply;

} texts[] = {
    { "", "" },
    { "ERR syntax error", "ERR syntax error" },
    { WRONG, WRONG },
    { WRONG, WRONG " script: 2c5b9d1e, on @user_script:1." },
    { WRONG, "ERR Error running script (call to " SHA "): @user_script:1: "
      WRONG },
    { WRONG, "ERR Error running script (call to " SHA "): @user_script:12: "
      "@user_script: 12: -" WRONG },
    { "The user may not", "ERR Error running script (call to " SHA
      "): @user_script:1: @user_script: 1: The user may not" },
    { "", "ERR Error running script (call to " SHA "): @user_script:1: " },
    { "-", "ERR Error running script (call to " SHA "): @user_script:1: --" },

    /* not what only looks like it */
    { "ERR Error running script", "ERR Error running script" },
    { "ERR Error running script: @user_script:",
      "ERR Error running script: @user_script:" },
    { "ERR Error running script: @user_script:1:",
      "ERR Error running script: @user_script:1:" },
    { "ERR x: @user_script:1: OOM", "ERR x: @user_script:1: OOM" },
    { "ERR no script: 2c5b9d1e", "ERR no script: 2c5b9d1e" },
    { "ERR no", "ERR no, on @user_script" },
};


static const struct {
    int          status;
    unsigned     slot;
    const char  *host;
    unsigned     port;
    const char  *reply;

} redirects[] = {
    { 0, 3999, "127.0.0.1", 6381, "MOVED 3999 127.0.0.1:6381" },
    { 0, 3999, "127.0.0.1", 6381, "ASK 3999 127.0.0.1:6381" },
    { 0, 16383, "::1", 1, "MOVED 16383 ::1:1" },
    { 0, 0, "", 6381, "MOVED 0 :6381" },
    { 0, 0, "redis-1.example.com", 65535,
      "MOVED 0 redis-1.example.com:65535" },
    { 0, 7, "a", 1, "MOVED 7 a:1 and what a later version may add" },
    { -1, 0, NULL, 0, "MOVED 16384 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "MOVED -1 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "MOVED 99999999999 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "MOVED 3999 127.0.0.1:" },
    { -1, 0, NULL, 0, "MOVED 3999 127.0.0.1:0" },
    { -1, 0, NULL, 0, "MOVED 3999 127.0.0.1:65536" },
    { -1, 0, NULL, 0, "MOVED 3999 127.0.0.1:6381x" },
    { -1, 0, NULL, 0, "MOVED 3999 127.0.0.1" },
    { -1, 0, NULL, 0, "MOVED 3999 ?:6381" },
    { -1, 0, NULL, 0, "MOVED 3999 " },
    { -1, 0, NULL, 0, "MOVED 3999" },
    { -1, 0, NULL, 0, "MOVED " },
    { -1, 0, NULL, 0, "MOVED" },
    { -1, 0, NULL, 0, "MOVED3999 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "TRYAGAIN 3999 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "ERR 3999 127.0.0.1:6381" },
    { -1, 0, NULL, 0, "" },
};


/* no byte more, so that a sanitizer sees what is read beyond */

static cx_str_t
str(const char *text)
{
    cx_str_t  s;

    static unsigned char  copy[512];

    s.len = strlen(text);
    s.data = copy + sizeof(copy) - s.len;
    memcpy(s.data, text, s.len);

    return s;
}


int
main(void)
{
    int               status;
    size_t            i;
    cx_str_t          s, host;
    unsigned          slot, port;
    cx_redis_error_e  error;

    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        s = str(replies[i].reply);
        error = cx_redis_error(&s);
        ok(error == replies[i].error, "'%.100s'", replies[i].reply);
        ok(cx_redis_error_about(error) == replies[i].about,
           "... is about %d", replies[i].about);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        s = str(texts[i].reply);
        cx_redis_error_text(&s);
        is_bytes(s.data, s.len, texts[i].text, strlen(texts[i].text),
                 texts[i].reply);
    }

    for (i = 0; i < sizeof(redirects) / sizeof(redirects[0]); i++) {
        s = str(redirects[i].reply);
        status = cx_redis_redirect(&s, &slot, &host, &port);
        ok(status == redirects[i].status, "'%s'", redirects[i].reply);

        if (status == 0 && redirects[i].status == 0) {
            ok(slot == redirects[i].slot && port == redirects[i].port,
               "... slot and port");
            is_bytes(host.data, host.len, redirects[i].host,
                     strlen(redirects[i].host), "... host");
        }
    }

    return tap_done();
}
