/* Sockets that never block: each step waits in poll() with a time-out. */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "cx_agg_socket.h"

#define CX_KEEPALIVE 15 /* s of silence, then three questions */


int
cx_socket_wait(int fd, short events, int timeout)
{
    int           rc;
    int64_t       end, left;
    struct pollfd p;

    p.fd = fd;
    p.events = events;
    end = cx_monotonic() + timeout;

    for (;;) {
        left = end - cx_monotonic();
        rc = poll(&p, 1, left > 0 ? (int) left : 0);

        if (rc > 0) {
            return 0;
        }

        if (rc == 0) {
            errno = ETIMEDOUT;
            return -1;
        }

        if (errno != EINTR) {
            return -1;
        }
    }
}


int
cx_socket_left(const cx_redis_t *r)
{
    int64_t left;

    if (r->until == 0) {
        return r->timeout;
    }

    left = r->until - cx_monotonic();

    return left < 0 ? 0 : left < r->timeout ? (int) left : r->timeout;
}


/* errno in words; always -1 */

static int
cx_socket_error(cx_redis_t *r)
{
    snprintf(r->error, sizeof(r->error), "%s",
             errno == ETIMEDOUT ? "timed out" : strerror(errno));

    return -1;
}


/* a connected socket in r->fd within timeout ms; 0, or -1 and errno */

static int
cx_socket_connect(cx_redis_t *r, const struct sockaddr *sa, socklen_t len,
                  int timeout)
{
    int       err;
    socklen_t size;

    r->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   0);

    if (r->fd < 0) {
        return -1;
    }

    if (connect(r->fd, sa, len) == 0) {
        return 0;
    }

    err = errno;

    if (err == EINPROGRESS || err == EINTR) {
        size = sizeof(err);

        if (cx_socket_wait(r->fd, POLLOUT, timeout)
            || getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &err, &size))
        {
            err = errno;
        }
    }

    if (err == 0) {
        return 0;
    }

    close(r->fd);
    r->fd = -1;
    errno = err;

    return -1;
}


static int
cx_socket_unix(cx_redis_t *r, const cx_str_t *path)
{
    struct sockaddr_un sun;

    memset(&sun, 0, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;

    if (path->len >= sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return cx_socket_error(r);
    }

    memcpy(sun.sun_path, path->data, path->len);

    return cx_socket_connect(r, (struct sockaddr *) &sun,
                             sizeof(struct sockaddr_un), cx_socket_left(r))
               ? cx_socket_error(r)
               : 0;
}


/* replies come in one piece and are waited for; a peer that vanished without
   a word is to be noticed */

static void
cx_socket_options(int fd)
{
    int on, idle, tries;

    on = 1;
    idle = CX_KEEPALIVE;
    tries = 3;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    idle /= 3;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
}


/* an address of a name, with the port; n are left to be tried, this one too */

static int
cx_socket_address(cx_redis_t *r, const struct addrinfo *ai, unsigned port,
                  int n)
{
    struct sockaddr_in     *sin;
    struct sockaddr_in6    *sin6;
    struct sockaddr_storage sa;

    memset(&sa, 0, sizeof(struct sockaddr_storage));
    memcpy(&sa, ai->ai_addr, ai->ai_addrlen);

    if (sa.ss_family == AF_INET6) {
        sin6 = (struct sockaddr_in6 *) &sa;
        sin6->sin6_port = htons((uint16_t) port);

    } else {
        sin = (struct sockaddr_in *) &sa;
        sin->sin_port = htons((uint16_t) port);
    }

    return cx_socket_connect(r, (struct sockaddr *) &sa, ai->ai_addrlen,
                             cx_socket_left(r) / n);
}


static int
cx_socket_tcp(cx_redis_t *r, const cx_redis_addr_t *addr)
{
    int                    rc, n;
    char                   host[CX_REDIS_HOST];
    const struct addrinfo *list, *ai;

    snprintf(host, sizeof(host), "%.*s", (int) addr->host.len,
             (char *) addr->host.data);

    /* something must be left to connect */

    if (cx_resolve(r, host, cx_socket_left(r) * 4 / 5, &list)) {
        return -1;
    }

    for (n = 0, ai = list; ai; ai = ai->ai_next) {
        n++;
    }

    for (rc = -1, ai = list; ai && rc; ai = ai->ai_next, n--) {
        rc = cx_socket_address(r, ai, addr->port, n);
    }

    if (rc) {
        return cx_socket_error(r);
    }

    cx_socket_options(r->fd);

    return 0;
}


int
cx_socket_open(cx_redis_t *r, const cx_redis_target_t *t,
               const cx_redis_addr_t *addr)
{
    int rc;

    rc = addr->host.len ? cx_socket_tcp(r, addr)
                        : cx_socket_unix(r, &addr->path);

    if (rc == 0 && t->tls) {
        rc = cx_tls_open(r, t, addr);
    }

    return rc;
}


void
cx_socket_close(cx_redis_t *r)
{
    if (r->tls) {
        cx_tls_close(r->tls);
        r->tls = NULL;
    }

    if (r->fd >= 0) {
        close(r->fd);
        r->fd = -1;
    }
}


ssize_t
cx_socket_recv(cx_redis_t *r, void *data, size_t len)
{
    ssize_t n;

    if (r->tls) {
        return cx_tls_recv(r, data, len);
    }

    for (;;) {
        n = recv(r->fd, data, len, 0);

        if (n > 0) {
            return n;
        }

        if (n == 0) {
            snprintf(r->error, sizeof(r->error),
                     "Server closed the connection");
            return -1;
        }

        if (errno == EINTR) {
            continue;
        }

        if ((errno != EAGAIN && errno != EWOULDBLOCK)
            || cx_socket_wait(r->fd, POLLIN, cx_socket_left(r)))
        {
            return cx_socket_error(r);
        }
    }
}


ssize_t
cx_socket_send(cx_redis_t *r, const void *data, size_t len)
{
    ssize_t n;

    if (r->tls) {
        return cx_tls_send(r, data, len);
    }

    for (;;) {
        n = send(r->fd, data, len, MSG_NOSIGNAL);

        if (n >= 0) {
            return n;
        }

        if (errno == EINTR) {
            continue;
        }

        if ((errno != EAGAIN && errno != EWOULDBLOCK)
            || cx_socket_wait(r->fd, POLLOUT, cx_socket_left(r)))
        {
            return cx_socket_error(r);
        }
    }
}
