/*
 * Host names.  getaddrinfo() waits for name servers as long as it likes, which
 * leases, the watchdog and sites at other nodes cannot: a thread asks.  It ends
 * with its answer, there is one per name at most and a few in all.  A child
 * would do as well, but be forked from a process that may hold a large model,
 * and reaped.
 *
 * While no answer comes the last good one serves: it is also what connections
 * that last have been using all the time.
 */

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "cx_agg_socket.h"

#define CX_NAME_THREADS 4     /* at the same time */
#define CX_NAME_FRESH   10000 /* ms that an answer nobody waited for lasts */

typedef struct cx_name_s cx_name_t;

struct cx_name_s {
    cx_name_t       *next;
    char             host[CX_REDIS_HOST];
    struct addrinfo *good; /* the last good answer */
    int              numeric;

    /* under the lock */
    struct addrinfo *list; /* an answer */
    int              rc;   /* of getaddrinfo() */
    int              err;  /* errno of EAI_SYSTEM */
    int64_t          at;   /* it came */
    int              busy;
    int              answered;
};

static cx_name_t      *cx_names; /* as long as the process: threads use them */
static int             cx_name_threads;
static pthread_mutex_t cx_name_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  cx_name_news;
static pthread_once_t  cx_name_once = PTHREAD_ONCE_INIT;


static int
cx_name_ask(const char *host, int flags, struct addrinfo **list)
{
    struct addrinfo hints;

    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    *list = NULL;

    return getaddrinfo(host, NULL, &hints, list);
}


static void *
cx_name_thread(void *data)
{
    int              rc, err;
    cx_name_t       *n;
    struct addrinfo *list;

    n = data;
    rc = cx_name_ask(n->host, 0, &list);
    err = errno;

    pthread_mutex_lock(&cx_name_lock);
    n->rc = rc;
    n->err = err;
    n->list = list;
    n->at = cx_monotonic();
    n->busy = 0;
    n->answered = 1;
    cx_name_threads--;
    pthread_cond_broadcast(&cx_name_news);
    pthread_mutex_unlock(&cx_name_lock);

    return NULL;
}


static void
cx_name_init(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&cx_name_news, &attr);
    pthread_condattr_destroy(&attr);
}


/* 0, or why there is no thread */

static int
cx_name_start(cx_name_t *n)
{
    int            rc;
    sigset_t       all, old;
    pthread_t      thread;
    pthread_attr_t attr;

    if (cx_name_threads == CX_NAME_THREADS) {
        return EAGAIN;
    }

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals end waits of ours */
    rc = pthread_create(&thread, &attr, cx_name_thread, n);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);

    if (rc == 0) {
        cx_name_threads++;
        n->busy = 1;
    }

    return rc;
}


/* until the answer is there, or it is too late */

static void
cx_name_wait(const cx_name_t *n, int timeout)
{
    int64_t         end;
    struct timespec ts;

    end = cx_monotonic() + timeout;
    ts.tv_sec = (time_t) (end / 1000);
    ts.tv_nsec = (long) (end % 1000) * 1000000;

    while (n->busy
           && pthread_cond_timedwait(&cx_name_news, &cx_name_lock, &ts) == 0)
    {
        /* void */
    }
}


/* an answer that nobody has had yet; asks if there is none.  0, or -1: none
   came, *why says why */

static int
cx_name_answer(cx_name_t *n, int timeout, int *why)
{
    *why = ETIMEDOUT;

    if (n->answered && cx_monotonic() > n->at + CX_NAME_FRESH) {
        if (n->list) {
            freeaddrinfo(n->list);
            n->list = NULL;
        }

        n->answered = 0;
    }

    /* who finds a question under way knows that it takes too long */

    if (!n->answered && !n->busy) {
        *why = cx_name_start(n);

        if (*why) {
            return -1;
        }

        cx_name_wait(n, timeout);
        *why = ETIMEDOUT;
    }

    if (!n->answered) {
        return -1;
    }

    n->answered = 0;

    return 0;
}


static cx_name_t *
cx_name(const char *host)
{
    cx_name_t *n;

    for (n = cx_names; n; n = n->next) {
        if (strcmp(n->host, host) == 0) {
            return n;
        }
    }

    n = cx_alloc(sizeof(cx_name_t));
    snprintf(n->host, sizeof(n->host), "%s", host);
    n->numeric = cx_name_ask(n->host, AI_NUMERICHOST, &n->good) == 0;
    n->next = cx_names;
    cx_names = n;

    return n;
}


static int
cx_name_error(cx_redis_t *r, const char *why)
{
    snprintf(r->error, sizeof(r->error), "host not found: %s", why);

    return -1;
}


/* takes the answer; a name that is gone is gone, other failures pass */

static int
cx_name_take(cx_redis_t *r, cx_name_t *n)
{
    if (n->rc == 0) {
        if (n->good) {
            freeaddrinfo(n->good);
        }

        n->good = n->list;
        n->list = NULL;
        return 0;
    }

    return n->good && n->rc != EAI_NONAME
               ? 0
               : cx_name_error(r, n->rc == EAI_SYSTEM ? strerror(n->err)
                                                      : gai_strerror(n->rc));
}


int
cx_resolve(cx_redis_t *r, const char *host, int timeout,
           const struct addrinfo **list)
{
    int        rc, why;
    cx_name_t *n;

    pthread_once(&cx_name_once, cx_name_init);
    n = cx_name(host);

    if (n->numeric) {
        *list = n->good;
        return 0;
    }

    pthread_mutex_lock(&cx_name_lock);

    if (cx_name_answer(n, n->good ? timeout / 2 : timeout, &why) == 0) {
        rc = cx_name_take(r, n);

    } else if (n->good) {
        rc = 0;

    } else {
        rc = cx_name_error(r, why == ETIMEDOUT ? "timed out" : strerror(why));
    }

    pthread_mutex_unlock(&cx_name_lock);
    *list = n->good;

    return rc;
}
