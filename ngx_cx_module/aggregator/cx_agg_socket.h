/* Sockets of cx_agg_redis.c: never longer than their time-out. */

#ifndef CX_AGG_SOCKET_H
#define CX_AGG_SOCKET_H

#include <sys/types.h>
#include "cx_agg_redis.h"

/* waits for POLLIN or POLLOUT; 0, or -1 and errno, ETIMEDOUT after ms */
int cx_socket_wait(int fd, short events, int timeout);

/*
 * Connects to one address, over TLS if the target says so, within r->timeout
 * for each address of the name.  0, or -1 and r->error.
 */
int cx_socket_open(cx_redis_t *r, const cx_redis_target_t *t,
    const cx_redis_addr_t *addr);
void cx_socket_close(cx_redis_t *r);

/* at least one byte within r->timeout: how many, or -1 and r->error */
ssize_t cx_socket_recv(cx_redis_t *r, void *data, size_t len);
ssize_t cx_socket_send(cx_redis_t *r, const void *data, size_t len);


/* ---- cx_agg_tls.c: the same over a socket that is connected ---- */

int cx_tls_open(cx_redis_t *r, const cx_redis_target_t *t,
    const cx_redis_addr_t *addr);
void cx_tls_close(cx_tls_t *tls);

ssize_t cx_tls_recv(cx_redis_t *r, void *data, size_t len);
ssize_t cx_tls_send(cx_redis_t *r, const void *data, size_t len);

#endif /* CX_AGG_SOCKET_H */
