/* Sockets of cx_agg_redis.c: never longer than their time-out. */

#ifndef CX_AGG_SOCKET_H
#define CX_AGG_SOCKET_H

#include <sys/types.h>
#include "cx_agg_redis.h"

/* waits for POLLIN or POLLOUT; 0, or -1 and errno, ETIMEDOUT after ms */
int cx_socket_wait(int fd, short events, int timeout);

/* ms that the next step may take: r->timeout, and no longer than r->until */
int cx_socket_left(const cx_redis_t *r);

/*
 * Connects to one address, over TLS if the target says so.  What is left is
 * shared by the addresses of a name, so that one that drops packets does not
 * keep us from the next.  0, or -1 and r->error.
 */
int cx_socket_open(cx_redis_t *r, const cx_redis_target_t *t,
    const cx_redis_addr_t *addr);
void cx_socket_close(cx_redis_t *r);

/* at least one byte within cx_socket_left() ms; how many, or -1 and
   r->error */
ssize_t cx_socket_recv(cx_redis_t *r, void *data, size_t len);
ssize_t cx_socket_send(cx_redis_t *r, const void *data, size_t len);


/* ---- cx_agg_resolve.c ---- */

struct addrinfo;

/*
 * Addresses of a name, within timeout ms; the last good ones where no answer
 * comes within half of it.  They last until the next call with this name.  0,
 * or -1 and r->error.
 */
int cx_resolve(cx_redis_t *r, const char *host, int timeout,
    const struct addrinfo **list);


/* ---- cx_agg_tls.c: the same over a socket that is connected ---- */

int cx_tls_open(cx_redis_t *r, const cx_redis_target_t *t,
    const cx_redis_addr_t *addr);
void cx_tls_close(cx_tls_t *tls);

ssize_t cx_tls_recv(cx_redis_t *r, void *data, size_t len);
ssize_t cx_tls_send(cx_redis_t *r, const void *data, size_t len);

#endif /* CX_AGG_SOCKET_H */
