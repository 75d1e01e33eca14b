/* Whether Redis may throw keys away when its memory is full. */

#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

typedef struct {
    long long memory;
    char      policy[32];
} cx_policy_t;


static void
cx_policy_copy(cx_policy_t *p, const char *text, size_t len)
{
    len = len < sizeof(p->policy) ? len : sizeof(p->policy) - 1;
    memcpy(p->policy, text, len);
    p->policy[len] = '\0';
}


/* from the lines of INFO: a user may be kept from CONFIG */

static void
cx_policy_info(cx_policy_t *p, const char *info)
{
    const char *s;

    s = strstr(info, "\nmaxmemory:");
    p->memory = s ? atoll(s + 11) : 0;
    s = strstr(info, "\nmaxmemory_policy:");

    if (s) {
        s += 18;
        cx_policy_copy(p, s, strcspn(s, "\r\n"));
    }
}


static int
cx_policy_read(cx_redis_t *r, cx_reply_t *reply, cx_policy_t *p)
{
    size_t i;

    memset(p, 0, sizeof(cx_policy_t));
    cx_redis_words(r, "CONFIG GET maxmemory*");

    if (cx_redis_get(r, reply) == 0) {
        for (i = 1; i + 1 < reply->n; i += 2) {
            if (reply->type[i] != REDIS_REPLY_STRING
                || reply->type[i + 1] != REDIS_REPLY_STRING)
            {
                break;
            }

            if (strcmp((char *) reply->s[i].data, "maxmemory") == 0) {
                p->memory = atoll((char *) reply->s[i + 1].data);

            } else if (strcmp((char *) reply->s[i].data, "maxmemory-policy")
                       == 0) {
                cx_policy_copy(p, (char *) reply->s[i + 1].data,
                               reply->s[i + 1].len);
            }
        }

        return 0;
    }

    if (!r->up) {
        return -1;
    }

    cx_redis_words(r, "INFO memory");

    if (cx_redis_get(r, reply) == 0 && reply->type[0] == REDIS_REPLY_STRING) {
        cx_policy_info(p, (char *) reply->s[0].data);
    }

    return r->up ? 0 : -1;
}


int
cx_agg_policy(cx_redis_t *r, cx_reply_t *reply)
{
    cx_policy_t p;

    if (cx_policy_read(r, reply, &p)) {
        return -1;
    }

    if (p.memory > 0 && p.policy[0] && strcmp(p.policy, "noeviction") != 0) {
        cx_agg_log(CX_LOG_WARN,
                   "%s: maxmemory-policy is %s: when its %lld MB are full "
                   "Redis throws away events, counters and answers; set "
                   "noeviction, then writers wait instead",
                   r->label, p.policy, p.memory / 1048576);
    }

    return 0;
}
