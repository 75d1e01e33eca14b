/* The aggregator's hash table with 64-bit keys. */

#include <stdlib.h>
#include "cxctl_replay.h"


cx_item_t *
cx_map_find(const cx_agg_map_t *m, uint64_t key)
{
    cx_str_t text;

    text.data = (unsigned char *) &key;
    text.len = sizeof(uint64_t);

    return (cx_item_t *) cx_agg_map_find(m, &text,
                                         cx_agg_hash(text.data, text.len));
}


void
cx_map_add(cx_agg_map_t *m, cx_item_t *item)
{
    item->node.key.data = (unsigned char *) &item->key;
    item->node.key.len = sizeof(uint64_t);
    item->node.hash = cx_agg_hash(item->node.key.data, item->node.key.len);

    cx_agg_map_add(m, &item->node);
}


static void
cx_map_item_free(cx_agg_node_t *node)
{
    free(node);
}


void
cx_map_free(cx_agg_map_t *m)
{
    cx_agg_map_clear(m, cx_map_item_free);
}
