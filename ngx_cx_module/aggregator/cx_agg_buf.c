/* Memory, and bytes that grow: commands as Redis reads them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_redis.h"
#include "cx_keys.h"


void *
cx_alloc(size_t size)
{
    void *p;

    p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory (%zu bytes)\n", size);
        exit(1);
    }

    return p;
}


void *
cx_realloc(void *p, size_t size)
{
    p = realloc(p, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory (%zu bytes)\n", size);
        exit(1);
    }

    return p;
}


void
cx_buf_need(cx_buf_t *b, size_t len)
{
    if (b->size - b->len < len) {
        b->size = b->size * 2 + len + 1024;
        b->data = cx_realloc(b->data, b->size);
    }
}


void
cx_buf_head(cx_buf_t *b, char mark, size_t n)
{
    unsigned char *p;

    cx_buf_need(b, 24);
    p = b->data + b->len;
    *p++ = (unsigned char) mark;

    if (n < 10) {
        *p++ = (unsigned char) ('0' + n);

    } else if (n < 100) {
        *p++ = (unsigned char) ('0' + n / 10);
        *p++ = (unsigned char) ('0' + n % 10);

    } else {
        p += cx_digits((char *) p, n);
    }

    *p++ = '\r';
    *p++ = '\n';
    b->len = (size_t) (p - b->data);
}


void
cx_buf_bulk(cx_buf_t *b, const void *data, size_t len)
{
    cx_buf_head(b, '$', len);
    cx_buf_need(b, len + 2);

    if (len) {
        memcpy(b->data + b->len, data, len);
    }

    memcpy(b->data + b->len + len, "\r\n", 2);
    b->len += len + 2;
}


void
cx_buf_bulk_number(cx_buf_t *b, int64_t n)
{
    char   text[24];
    size_t len;

    text[0] = '-';
    len = cx_digits(text + (n < 0), n < 0 ? -(uint64_t) n : (uint64_t) n);
    cx_buf_bulk(b, text, len + (n < 0));
}
