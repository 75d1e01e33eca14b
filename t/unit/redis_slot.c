/* cx_redis_slot, the map of a cluster. */

#include "cx_redis.h"
#include "tap.h"


static const struct {
    unsigned     slot;
    const char  *key;

} keys[] = {
    { 12739, "123456789" },          /* of the specification: CRC16 31C3 */
    { 0, "" },
    { 12182, "foo" },
    { 5061, "bar" },
    { 3443, "{user1000}.following" },
    { 3443, "{user1000}.followers" },
    { 3443, "user1000" },
    { 8363, "foo{}{bar}" },          /* an empty tag is none */
    { 4015, "foo{{bar}}zap" },       /* tag: {bar */
    { 4015, "{bar" },                /* never closed: all of it */
    { 5061, "foo{bar}{zap}" },
    { 5061, "cx:{bar}:events" },
    { 5061, "cx:{bar}:producer:0123456789abcdefa" },
    { 15495, "a" },
    { 12369, "\xff\xfe{" },
};


static cx_str_t
str(const char *text)
{
    cx_str_t  s;

    s.data = (unsigned char *) text;
    s.len = strlen(text);

    return s;
}


static void
test_slots(void)
{
    size_t    i;
    unsigned  slot;
    cx_str_t  key;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        key = str(keys[i].key);
        slot = cx_redis_slot(&key);

        if (!ok(slot == keys[i].slot, "slot of '%s'",
                tap_show(key.data, key.len)))
        {
            printf("# got %u\n", slot);
        }
    }

    key.data = NULL;
    key.len = 0;
    ok(cx_redis_slot(&key) == 0, "slot of nothing");
}


static void
test_map(void)
{
    int       i, good;
    char      name[CX_REDIS_HOST + 1];
    cx_str_t  a = str("10.0.0.1"), b = str("::1"), none = str(""),
              unknown = str("?"), s;

    static cx_redis_map_t  map;

    cx_redis_map_clear(&map);
    ok(map.slot[0] == -1 && map.slot[CX_REDIS_SLOTS - 1] == -1,
       "nobody has a slot at first");

    ok(cx_redis_map_range(&map, 0, 8191, &a, 6379) == 0, "a range");
    ok(cx_redis_map_range(&map, 8192, 16383, &b, 6379) == 0, "the rest");
    ok(map.slot[0] == 0 && map.slot[8191] == 0 && map.slot[8192] == 1
       && map.slot[16383] == 1, "by both ends");
    ok(map.n == 2 && strcmp(map.node[0].host, "10.0.0.1") == 0
       && map.node[1].port == 6379, "two nodes");

    ok(cx_redis_map_range(&map, 100, 100, &b, 6379) == 0
       && map.slot[99] == 0 && map.slot[100] == 1 && map.slot[101] == 0,
       "one slot has moved");
    ok(cx_redis_map_node(&map, &a, 6379) == 0 && map.n == 2, "known");
    ok(cx_redis_map_node(&map, &a, 6380) == 2 && map.n == 3,
       "another port is another node");

    ok(cx_redis_map_range(&map, 5, 4, &a, 6379) == -1, "no range");
    ok(cx_redis_map_range(&map, 0, 16384, &a, 6379) == -1, "too far");
    ok(cx_redis_map_range(&map, 0, 1, &none, 6379) == -1, "no host");
    ok(cx_redis_map_range(&map, 0, 1, &unknown, 6379) == -1, "host unknown");
    ok(cx_redis_map_range(&map, 0, 1, &a, 0) == -1, "no port");
    ok(cx_redis_map_range(&map, 0, 1, &a, 65536) == -1, "not a port");
    ok(map.n == 3 && map.slot[0] == 0, "which change nothing");

    memset(name, 'a', sizeof(name));
    s = str("");
    s.data = (unsigned char *) name;
    s.len = CX_REDIS_HOST;
    ok(cx_redis_map_node(&map, &s, 1) == -1, "host too long");
    s.len--;
    ok(cx_redis_map_node(&map, &s, 1) == 3
       && strlen(map.node[3].host) == CX_REDIS_HOST - 1, "the longest");

    cx_redis_map_clear(&map);
    ok(map.n == 4 && map.slot[0] == -1 && cx_redis_map_node(&map, &b, 6379)
       == 1, "cleared: nodes keep their places");

    for (i = 4, good = 1; i < CX_REDIS_NODES; i++) {
        good = good && cx_redis_map_node(&map, &a, 7000 + i) == i;
    }

    ok(good && map.n == CX_REDIS_NODES, "up to the limit");
    ok(cx_redis_map_node(&map, &a, 1) == -1
       && cx_redis_map_range(&map, 0, 1, &a, 1) == -1 && map.slot[0] == -1,
       "and not beyond it");
    ok(cx_redis_map_node(&map, &a, 7000 + CX_REDIS_NODES - 1)
       == CX_REDIS_NODES - 1, "the known ones still are");

    ok(cx_redis_map_replace(&map, 5, &a, 1) == 5
       && cx_redis_map_node(&map, &a, 1) == 5
       && cx_redis_map_node(&map, &a, 7005) == -1
       && map.n == CX_REDIS_NODES, "one in the place of another");
    ok(cx_redis_map_replace(&map, CX_REDIS_NODES, &a, 2) == -1
       && cx_redis_map_replace(&map, 5, &unknown, 2) == -1
       && cx_redis_map_node(&map, &a, 1) == 5, "or not");
}


int
main(void)
{
    test_slots();
    test_map();

    return tap_done();
}
