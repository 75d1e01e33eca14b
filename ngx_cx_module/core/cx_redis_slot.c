/* Which slot of a Redis Cluster a key has, and who holds it. */

#include <string.h>
#include "cx_redis.h"


/* CRC16 with the polynomial 1021, four bits at a time */

static unsigned
cx_redis_crc16(const unsigned char *p, size_t len)
{
    unsigned crc;

    static const unsigned short table[16] = { 0x0000, 0x1021, 0x2042, 0x3063,
                                              0x4084, 0x50a5, 0x60c6, 0x70e7,
                                              0x8108, 0x9129, 0xa14a, 0xb16b,
                                              0xc18c, 0xd1ad, 0xe1ce, 0xf1ef };

    for (crc = 0; len > 0; len--, p++) {
        crc = (crc << 4 & 0xffff) ^ table[crc >> 12 ^ *p >> 4];
        crc = (crc << 4 & 0xffff) ^ table[crc >> 12 ^ (*p & 15)];
    }

    return crc;
}


unsigned
cx_redis_slot(const cx_str_t *key)
{
    const unsigned char *p, *open, *close, *end;

    if (key->len == 0) {
        return 0;
    }

    p = key->data;
    end = p + key->len;
    open = memchr(p, '{', key->len);

    if (open) {
        close = memchr(open, '}', (size_t) (end - open));

        /* "{}" is no tag */

        if (close && close > open + 1) {
            p = open + 1;
            end = close;
        }
    }

    return cx_redis_crc16(p, (size_t) (end - p)) % CX_REDIS_SLOTS;
}


void
cx_redis_map_clear(cx_redis_map_t *map)
{
    unsigned i;

    for (i = 0; i < CX_REDIS_SLOTS; i++) {
        map->slot[i] = -1;
    }
}


/* "?" is what a node says of one that has not told its name yet */

static int
cx_redis_map_is_node(const cx_str_t *host, unsigned port)
{
    return host->len && host->len < CX_REDIS_HOST && port >= 1 && port <= 65535
           && memchr(host->data, '\0', host->len) == NULL
           && !(host->len == 1 && host->data[0] == '?');
}


static int
cx_redis_map_set(cx_redis_map_t *map, unsigned i, const cx_str_t *host,
                 unsigned port)
{
    memcpy(map->node[i].host, host->data, host->len);
    map->node[i].host[host->len] = '\0';
    map->node[i].port = port;

    return (int) i;
}


int
cx_redis_map_node(cx_redis_map_t *map, const cx_str_t *host, unsigned port)
{
    unsigned         i;
    cx_redis_node_t *node;

    if (!cx_redis_map_is_node(host, port)) {
        return -1;
    }

    for (i = 0; i < map->n; i++) {
        node = &map->node[i];

        if (node->port == port && strlen(node->host) == host->len
            && memcmp(node->host, host->data, host->len) == 0)
        {
            return (int) i;
        }
    }

    if (map->n == CX_REDIS_NODES) {
        return -1;
    }

    return cx_redis_map_set(map, map->n++, host, port);
}


int
cx_redis_map_replace(cx_redis_map_t *map, unsigned i, const cx_str_t *host,
                     unsigned port)
{
    if (i >= map->n || !cx_redis_map_is_node(host, port)) {
        return -1;
    }

    return cx_redis_map_set(map, i, host, port);
}


int
cx_redis_map_range(cx_redis_map_t *map, unsigned first, unsigned last,
                   const cx_str_t *host, unsigned port)
{
    int      node;
    unsigned i;

    if (first > last || last >= CX_REDIS_SLOTS) {
        return -1;
    }

    node = cx_redis_map_node(map, host, port);

    if (node == -1) {
        return -1;
    }

    for (i = first; i <= last; i++) {
        map->slot[i] = (short) node;
    }

    return 0;
}
