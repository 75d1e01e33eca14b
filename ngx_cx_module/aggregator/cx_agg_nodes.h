/* What cx_agg_nodes.c and cx_agg_discover.c share. */

#ifndef CX_AGG_NODES_H
#define CX_AGG_NODES_H

#include "cx_agg_redis.h"

/* ---- cx_agg_nodes.c ---- */

/* found or made; a host of no length is a unix socket */
cx_node_t *cx_nodes_add(cx_nodes_t *n, const cx_redis_addr_t *addr);

/* ms that one of several nodes may hold up the others */
int cx_nodes_patience(const cx_nodes_t *n);

/* of a round of questions that ends then, for one of those still to be asked */
int cx_nodes_share(cx_nodes_t *n, int64_t end, unsigned left);

/* keeps why a question was not answered in n->error; -1 */
int cx_nodes_why(cx_nodes_t *n, const cx_redis_t *r);


/* ---- cx_agg_discover.c: one round of questions ---- */

/* to be over at end, about; 0, or -1 and n->error */
int cx_sentinel_find(cx_nodes_t *n, int64_t end);
int cx_cluster_find(cx_nodes_t *n, int64_t end);

/* a Sentinel may be behind: whether the node itself says that it is master;
   0, or -1 and r->error */
int cx_sentinel_role(cx_nodes_t *n, cx_redis_t *r);

#endif /* CX_AGG_NODES_H */
