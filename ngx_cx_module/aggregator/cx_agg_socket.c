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


/* errno in words; always -1 */

static int
cx_socket_error(cx_redis_t *r)
{
    snprintf(r->error, sizeof(r->error), "%s",
             errno == ETIMEDOUT ? "timed out" : strerror(errno));

    return -1;
}


/* a connected socket in r->fd; 0, or -1 and errno */

static int
cx_socket_connect(cx_redis_t *r, const struct sockaddr *sa, socklen_t len)
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

        if (cx_socket_wait(r->fd, POLLOUT, r->timeout)
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
                             sizeof(struct sockaddr_un))
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


static int
cx_socket_tcp(cx_redis_t *r, const cx_redis_addr_t *addr)
{
    int             rc;
    char            host[CX_REDIS_HOST], port[8];
    struct addrinfo hints, *list, *ai;

    snprintf(host, sizeof(host), "%.*s", (int) addr->host.len,
             (char *) addr->host.data);
    snprintf(port, sizeof(port), "%u", addr->port % 65536);
    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    rc = getaddrinfo(host, port, &hints, &list);

    if (rc) {
        snprintf(r->error, sizeof(r->error), "host not found: %s",
                 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return -1;
    }

    rc = -1;

    for (ai = list; ai && rc; ai = ai->ai_next) {
        rc = cx_socket_connect(r, ai->ai_addr, ai->ai_addrlen);
    }

    if (rc) {
        (void) cx_socket_error(r);

    } else {
        cx_socket_options(r->fd);
    }

    freeaddrinfo(list);

    return rc;
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
            || cx_socket_wait(r->fd, POLLIN, r->timeout))
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
            || cx_socket_wait(r->fd, POLLOUT, r->timeout))
        {
            return cx_socket_error(r);
        }
    }
}
