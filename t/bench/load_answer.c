
/*
 * HTTP/1.1 answers, as far as a load generator must read them: status, length
 * of the body, its end.
 */

#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


/* what the head says about the body; 1 if there is none */

static int
load_head(load_conn_t *c)
{
    char      *p;
    unsigned   length;

    c->status = atoi(c->line + sizeof("HTTP/1.1 ") - 1);
    c->chunked = 0;
    c->close = 0;
    c->left = 0;
    length = 0;

    for (p = strstr(c->line, "\r\n"); p; p = strstr(p, "\r\n")) {
        p += 2;

        if (strncasecmp(p, "content-length:", 15) == 0) {
            c->left = strtoull(p + 15, NULL, 10);
            length = 1;

        } else if (strncasecmp(p, "transfer-encoding:", 18) == 0) {
            c->chunked = 1;

        } else if (strncasecmp(p, "connection: close", 17) == 0) {
            c->close = 1;
        }
    }

    if (c->status == 204 || c->status == 304) {
        return 1;
    }

    if (c->chunked) {
        c->state = LOAD_CHUNK_SIZE;
        return 0;
    }

    if (!length) {
        fprintf(stderr, "load: an answer without length\n");
        exit(1);
    }

    c->state = LOAD_DATA;

    return c->left == 0;
}


/* a whole line of chunked framing; 1 if the body ends with it */

static int
load_line(load_conn_t *c)
{
    switch (c->state) {

    case LOAD_CHUNK_SIZE:
        c->left = strtoull(c->line, NULL, 16);
        c->state = c->left ? LOAD_DATA : LOAD_TRAILER;
        return 0;

    case LOAD_CHUNK_END:
        c->state = LOAD_CHUNK_SIZE;
        return 0;

    default:
        return c->line[0] == '\r';
    }
}


int
load_data(load_conn_t *c, uint64_t n)
{
    c->left -= n;
    c->body += n;

    if (c->left) {
        return 0;
    }

    c->state = LOAD_CHUNK_END;

    return !c->chunked;
}


int
load_feed(load_conn_t *c, const char *p, size_t len)
{
    size_t       n;
    const char  *last;

    for (last = p + len; p < last; /* void */ ) {

        if (c->state == LOAD_DATA) {
            n = (uint64_t) (last - p) < c->left ? (size_t) (last - p)
                                                : c->left;
            p += n;

            if (load_data(c, n)) {
                return 1;
            }

            continue;
        }

        if (c->len == LOAD_HEAD_MAX - 1) {
            fprintf(stderr, "load: a head or line is too long\n");
            exit(1);
        }

        c->line[c->len++] = *p;

        if (*p++ != '\n') {
            continue;
        }

        if (c->state == LOAD_HEAD
            && (c->len < 4 || memcmp(c->line + c->len - 4, "\r\n\r\n", 4) != 0))
        {
            continue;
        }

        c->line[c->len] = '\0';
        c->len = 0;

        if (c->state == LOAD_HEAD ? load_head(c) : load_line(c)) {
            return 1;
        }
    }

    return 0;
}
