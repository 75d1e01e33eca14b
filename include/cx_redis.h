/*
 * What module, aggregator and cxctl all know of Redis: where it is, which node
 * holds a key, what its errors mean.  Pure C: no sockets, no clock.
 */

#ifndef CX_REDIS_H
#define CX_REDIS_H

#include "cx_core.h"


/* ---- cx_redis_target.c: where Redis is ---- */

/*
 * The words of "cx_redis ...;" in nginx.conf and of "redis = ..." in the
 * aggregator's file, which are the same:
 *
 *   redis://[[user]:password@]host[:port][/db]     one node
 *   rediss://...                                   the same over TLS
 *   unix:/path[?db=n]
 *   redis://a redis://b ... [cluster]              seeds of a Redis Cluster;
 *                                                  "cluster" with one seed
 *   sentinel://[[user]:password@]host[:port]       Sentinels (sentinels://:
 *     ... master=name [db=n]                       they and Redis over TLS);
 *     [user=name] [password=secret]                user and password of Redis
 *
 * and with TLS: ca=file (default: the system's), cert=file key=file (of the
 * client), name=host (expected in the server's certificate, default: the
 * host), verify=off.
 */

typedef enum {
    CX_REDIS_NODE,
    CX_REDIS_SENTINEL,
    CX_REDIS_CLUSTER
} cx_redis_mode_e;

#define CX_REDIS_SEEDS  16

typedef struct {
    cx_str_t         host;               /* without brackets; len 0: path */
    cx_str_t         path;               /* of a unix socket */
    unsigned         port;
} cx_redis_addr_t;

typedef struct {
    cx_redis_mode_e  mode;
    unsigned         tls:1;
    unsigned         verify:1;
    unsigned         n;                  /* seeds, at least one */
    unsigned         db;
    cx_redis_addr_t  seed[CX_REDIS_SEEDS];
    cx_str_t         user, password;     /* of Redis; len 0: none */
    cx_str_t         sentinel_user, sentinel_password;
    cx_str_t         master;             /* its name among the Sentinels */
    cx_str_t         ca, cert, key, name;
    char             label[160];         /* for messages: no password */
} cx_redis_target_t;

/*
 * Takes words apart.  Values point into the words, which are decoded in place
 * (%XX in user and password).  Returns NULL, or what was expected; the message
 * never repeats what may be a password.
 */
const char *cx_redis_target(cx_redis_target_t *t, cx_str_t *word, unsigned n);


/* ---- cx_redis_slot.c: which node of a cluster holds a key ---- */

#define CX_REDIS_SLOTS  16384
#define CX_REDIS_NODES  256              /* of a cluster: masters, and as many
                                            replicas as there is room for */
#define CX_REDIS_HOST   256

/* slot of a key: CRC16 of its hash tag, or of all of it; by the Redis Cluster
   specification */
unsigned cx_redis_slot(const cx_str_t *key);

typedef struct {
    char             host[CX_REDIS_HOST];
    unsigned         port;
} cx_redis_node_t;

typedef struct {
    unsigned         n;
    cx_redis_node_t  node[CX_REDIS_NODES];
    short            slot[CX_REDIS_SLOTS];       /* index of node, or -1 */
} cx_redis_map_t;

/* forgets slots; nodes keep their index as long as the map lives */
void cx_redis_map_clear(cx_redis_map_t *map);

/* index of a node, added if it is new; -1: no room or no host */
int cx_redis_map_node(cx_redis_map_t *map, const cx_str_t *host,
    unsigned port);

/* puts a node that is new in the place of number i, which no slot may name;
   i, or -1: no host */
int cx_redis_map_replace(cx_redis_map_t *map, unsigned i, const cx_str_t *host,
    unsigned port);

/* notes who has the slots from first to last, as a row of CLUSTER SLOTS says;
   0, or -1 if that cannot be */
int cx_redis_map_range(cx_redis_map_t *map, unsigned first, unsigned last,
    const cx_str_t *host, unsigned port);


/* ---- cx_redis_error.c: error replies ---- */

/*
 * E(id, first word, what it is about)
 *
 *   LINK     nobody gets further on this connection: wait, connect again,
 *            maybe elsewhere
 *   ROUTE    the key is elsewhere, or soon
 *   SCRIPT   bring the script
 *   KEY      this key or command only; others go on
 */

enum { CX_REDIS_LINK, CX_REDIS_ROUTE, CX_REDIS_SCRIPT, CX_REDIS_KEY };

#define CX_REDIS_ERRORS(E)                                                    \
    E(NOAUTH, "NOAUTH", LINK)                                                 \
    E(WRONGPASS, "WRONGPASS", LINK)                                           \
    E(NOPERM, "NOPERM", LINK)                                                 \
    E(LOADING, "LOADING", LINK)                                               \
    E(READONLY, "READONLY", LINK)                                             \
    E(OOM, "OOM", LINK)                                                       \
    E(MISCONF, "MISCONF", LINK)                                               \
    E(MASTERDOWN, "MASTERDOWN", LINK)                                         \
    E(NOREPLICAS, "NOREPLICAS", LINK)                                         \
    E(BUSY, "BUSY", LINK)                                                     \
    E(MOVED, "MOVED", ROUTE)                                                  \
    E(ASK, "ASK", ROUTE)                                                      \
    E(TRYAGAIN, "TRYAGAIN", ROUTE)                                            \
    E(CLUSTERDOWN, "CLUSTERDOWN", ROUTE)                                      \
    E(NOSCRIPT, "NOSCRIPT", SCRIPT)                                           \
    E(WRONGTYPE, "WRONGTYPE", KEY)                                            \
    E(OTHER, "", KEY)

typedef enum {
#define CX_REDIS_ERROR_ID(id, word, about)  CX_REDIS_E_##id,
    CX_REDIS_ERRORS(CX_REDIS_ERROR_ID)
#undef CX_REDIS_ERROR_ID
    CX_REDIS_E_N
} cx_redis_error_e;

/*
 * Cuts off which script met the error, and where: Redis 7 says so at the end,
 * up to 6.2 "ERR Error running script (call to f_<sha>): @user_script:1: " and
 * the like stand in front.  What is left is the same on all.
 */
void cx_redis_error_text(cx_str_t *reply);

/* which one an error reply is, also that of a script */
cx_redis_error_e cx_redis_error(const cx_str_t *reply);

/* CX_REDIS_LINK ... CX_REDIS_KEY */
int cx_redis_error_about(cx_redis_error_e error);

/*
 * Slot and node of "MOVED 3999 127.0.0.1:6381" and "ASK ..."; host points into
 * the reply, len 0: the host that answered.  0, or -1 if it says neither.
 */
int cx_redis_redirect(const cx_str_t *reply, unsigned *slot, cx_str_t *host,
    unsigned *port);

#endif /* CX_REDIS_H */
