/* Chained hash table of nodes that embed their link. */

#include <stdlib.h>
#include <string.h>
#include "cx_agg_map.h"
#include "cx_agg_redis.h"


/*
 * FNV-1a over words of 8 bytes, mixed at the end.  Page keys come from
 * visitors: one who floods a bucket only slows down up to the cap on pages.
 */

uint64_t
cx_agg_hash64(uint64_t h, const void *data, size_t len)
{
    uint64_t             word;
    const unsigned char *p;

    h ^= 0xcbf29ce484222325ULL ^ len;

    for (p = data; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 32;
    }

    for (; len > 0; p++, len--) {
        h = (h ^ *p) * 0x100000001b3ULL;
    }

    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ULL;

    return h ^ (h >> 32);
}


uint32_t
cx_agg_hash(const unsigned char *key, size_t len)
{
    return (uint32_t) cx_agg_hash64(0, key, len);
}


cx_agg_node_t *
cx_agg_map_find(const cx_agg_map_t *m, const cx_str_t *key, uint32_t hash)
{
    cx_agg_node_t *n;

    if (m->bucket == NULL) {
        return NULL;
    }

    for (n = m->bucket[hash & m->mask]; n; n = n->next) {
        if (n->hash == hash && n->key.len == key->len
            && memcmp(n->key.data, key->data, key->len) == 0)
        {
            return n;
        }
    }

    return NULL;
}


static void
cx_agg_map_grow(cx_agg_map_t *m)
{
    size_t          i, mask;
    cx_agg_node_t **bucket, *n, *next;

    mask = m->bucket ? 2 * m->mask + 1 : 15;
    bucket = cx_alloc((mask + 1) * sizeof(cx_agg_node_t *));

    for (i = 0; m->bucket && i <= m->mask; i++) {
        for (n = m->bucket[i]; n; n = next) {
            next = n->next;
            n->next = bucket[n->hash & mask];
            bucket[n->hash & mask] = n;
        }
    }

    free(m->bucket);
    m->bucket = bucket;
    m->mask = mask;
}


void
cx_agg_map_add(cx_agg_map_t *m, cx_agg_node_t *node)
{
    if (m->bucket == NULL || m->n > m->mask) {
        cx_agg_map_grow(m);
    }

    node->next = m->bucket[node->hash & m->mask];
    m->bucket[node->hash & m->mask] = node;
    m->n++;
}


void
cx_agg_map_remove(cx_agg_map_t *m, cx_agg_node_t *node)
{
    cx_agg_node_t **p;

    for (p = &m->bucket[node->hash & m->mask]; *p != node; p = &(*p)->next) {
        /* void */
    }

    *p = node->next;
    m->n--;
}


void
cx_agg_map_clear(cx_agg_map_t *m, void (*fn)(cx_agg_node_t *))
{
    size_t         i;
    cx_agg_node_t *n, *next;

    for (i = 0; m->bucket && i <= m->mask; i++) {
        for (n = m->bucket[i]; n; n = next) {
            next = n->next;
            fn(n);
        }
    }

    free(m->bucket);
    memset(m, 0, sizeof(cx_agg_map_t));
}
