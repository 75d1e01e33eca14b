/*
 * What systemd wants to know, by its protocol: datagrams to the socket that
 * NOTIFY_SOCKET names.  READY=1 comes after the first turn of the loop, whether
 * or not Redis was there: an aggregator that waits for Redis does what it
 * should, and starting it anew would not help.  WATCHDOG=1 comes from the loop,
 * so that one that hangs is ended.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "cx_agg.h"

#define CX_NOTIFY_MS 5000 /* ms between messages at most */


void
cx_agg_notify_init(cx_agg_t *a)
{
    int64_t            ms;
    const char        *path, *usec, *pid;
    socklen_t          len;
    struct sockaddr_un sun;

    a->notify = -1;
    a->notify_ms = CX_NOTIFY_MS;
    path = getenv("NOTIFY_SOCKET");

    if (path == NULL || (path[0] != '/' && path[0] != '@')
        || strlen(path) >= sizeof(sun.sun_path))
    {
        return;
    }

    memset(&sun, 0, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;
    memcpy(sun.sun_path, path, strlen(path));
    len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path));

    if (path[0] == '@') {
        sun.sun_path[0] = '\0'; /* of the abstract name space */
    }

    a->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (a->notify >= 0
        && connect(a->notify, (struct sockaddr *) &sun, len) != 0) {
        cx_agg_log(CX_LOG_WARN, "NOTIFY_SOCKET %s: %s", path, strerror(errno));
        close(a->notify);
        a->notify = -1;
    }

    usec = getenv("WATCHDOG_USEC");
    pid = getenv("WATCHDOG_PID");
    ms = usec && (pid == NULL || atol(pid) == (long) getpid())
             ? atoll(usec) / 2000
             : 0;

    if (ms > 0 && ms < a->notify_ms) {
        a->notify_ms = ms;
    }
}


/* 0, or -1: nobody was told */

static int
cx_notify_send(cx_agg_t *a, const char *text)
{
    ssize_t n;

    do {
        n = send(a->notify, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);

    return n < 0 ? -1 : 0;
}


/* s that the site furthest behind is behind the clock of Redis, about: the age
   of what it counted last; one that never counted anything does not know */

static double
cx_notify_lag(const cx_agg_t *a)
{
    int64_t              at, worst, now;
    const cx_agg_site_t *s;

    worst = 0;
    now = cx_agg_now();

    for (s = a->site; s; s = s->next) {
        at = strtoll(s->id, NULL, 10);

        if (s->ready && !s->drained && at && strcmp(s->id, s->tip) != 0) {
            worst = now - at > worst ? now - at : worst;
        }
    }

    return (double) worst / 1000;
}


static int
cx_notify_trouble(const cx_agg_t *a)
{
    const cx_agg_host_t *h;

    for (h = a->host; h; h = h->next) {
        if (h->node->used && h->node->trouble_at) {
            return 1;
        }
    }

    return a->trouble_at != 0;
}


void
cx_agg_notify(cx_agg_t *a)
{
    char                 text[400];
    int64_t              now;
    unsigned             sites;
    const cx_agg_site_t *s;

    now = cx_monotonic();

    if (a->notify < 0 || (a->notified && now < a->notify_at + a->notify_ms)) {
        return;
    }

    sites = 0;

    for (s = a->site; s; s = s->next) {
        sites++;
    }

    snprintf(text, sizeof(text),
             "%sWATCHDOG=1\nSTATUS=%u of %u sites here, lag %.1f s%s",
             a->notified ? "" : "READY=1\n", a->held, sites, cx_notify_lag(a),
             cx_notify_trouble(a) ? ", waiting for Redis" : "");

    if (cx_notify_send(a, text) == 0) {
        a->notified = 1; /* else READY=1 comes again, with the next turn */
        a->notify_at = now;
    }
}


void
cx_agg_notify_stop(cx_agg_t *a)
{
    if (a->notify >= 0) {
        (void) cx_notify_send(a, "STOPPING=1\nSTATUS=counting what was read");
        close(a->notify);
        a->notify = -1;
    }
}
