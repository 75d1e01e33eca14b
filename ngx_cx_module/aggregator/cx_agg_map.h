/* Chained hash table of nodes that embed their link. */

#ifndef CX_AGG_MAP_H
#define CX_AGG_MAP_H

#include "cx_core.h"
#include <stdint.h>

typedef struct cx_agg_node_s  cx_agg_node_t;

struct cx_agg_node_s {
    cx_agg_node_t  *next;
    uint32_t        hash;
    cx_str_t        key;
};

typedef struct {
    cx_agg_node_t  **bucket;
    size_t           mask;
    size_t           n;
} cx_agg_map_t;                          /* zeroed: empty */

/* goes on from h, 0 at first */
uint64_t cx_agg_hash64(uint64_t h, const void *data, size_t len);
uint32_t cx_agg_hash(const unsigned char *key, size_t len);
cx_agg_node_t *cx_agg_map_find(const cx_agg_map_t *m, const cx_str_t *key,
    uint32_t hash);
void cx_agg_map_add(cx_agg_map_t *m, cx_agg_node_t *node);
void cx_agg_map_remove(cx_agg_map_t *m, cx_agg_node_t *node);

/* forgets the nodes, freeing each by fn */
void cx_agg_map_clear(cx_agg_map_t *m, void (*fn)(cx_agg_node_t *));

#endif /* CX_AGG_MAP_H */
