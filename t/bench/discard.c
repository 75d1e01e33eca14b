
/*
 * The measuring stick of the aggregator: the usual consumer of a stream,
 * XREADGROUP and XACK by hiredis, that throws everything away.
 *
 *   discard socket stream group
 *
 * Ends when the stream has nothing new; prints entries=<n> to standard error.
 */

#include <stdio.h>
#include <string.h>
#include <hiredis/hiredis.h>

#define DISCARD_COUNT  1000


/* acknowledges the entries of a reply; their number, or -1 */

static long
discard_ack(redisContext *c, char *stream, char *group, redisReply *entries)
{
    size_t       i, len[DISCARD_COUNT + 3];
    redisReply  *reply, *id;
    const char  *arg[DISCARD_COUNT + 3];

    arg[0] = "XACK";
    arg[1] = stream;
    arg[2] = group;

    for (i = 0; i < 3; i++) {
        len[i] = strlen(arg[i]);
    }

    for (i = 0; i < entries->elements; i++) {
        id = entries->element[i]->element[0];
        arg[i + 3] = id->str;
        len[i + 3] = id->len;
    }

    reply = redisCommandArgv(c, entries->elements + 3, arg, len);

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || reply->integer != (long long) entries->elements)
    {
        return -1;
    }

    freeReplyObject(reply);

    return entries->elements;
}


int
main(int argc, char **argv)
{
    long           n, total;
    redisReply    *reply;
    redisContext  *c;

    if (argc != 4) {
        return 2;
    }

    c = redisConnectUnix(argv[1]);

    if (c == NULL || c->err) {
        fprintf(stderr, "discard: %s\n", c ? c->errstr : "no memory");
        return 1;
    }

    for (total = 0; /* void */ ; total += n) {

        reply = redisCommand(c, "XREADGROUP GROUP %s one COUNT %d STREAMS %s >",
                             argv[3], DISCARD_COUNT, argv[2]);

        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
            fprintf(stderr, "discard: %s\n", reply ? reply->str : c->errstr);
            return 1;
        }

        if (reply->type == REDIS_REPLY_NIL) {
            freeReplyObject(reply);
            break;
        }

        n = discard_ack(c, argv[2], argv[3], reply->element[0]->element[1]);

        if (n < 0) {
            fprintf(stderr, "discard: XACK failed\n");
            return 1;
        }

        freeReplyObject(reply);
    }

    fprintf(stderr, "entries=%ld\n", total);
    redisFree(c);

    return 0;
}
