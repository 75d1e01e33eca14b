/*
 * Whatever stands in a segment file: only what was written as it is read is
 * taken, and goes to Redis as exactly the strings that it says.  As checksums
 * are not guessed, those of records are made right first if the first byte says
 * so.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/spool.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdlib.h>
#include <string.h>
#include "cx_spool.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_repair(unsigned char *p, size_t len);
static void fuzz_segment(unsigned char *p, size_t len);
static void fuzz_record(cx_spool_record_t *rec, const unsigned char *p);
static void fuzz_head(cx_spool_head_t *h, const unsigned char *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           len;
    unsigned char   *p;
    cx_spool_head_t  h;

    if (size < 2) {
        return 0;
    }

    p = malloc(size + CX_SPOOL_HEAD_MAX);

    if (data[0] & 2) {
        memcpy(p, data + 1, size - 1);
        len = size - 1;

    } else {
        h.producer.data = (unsigned char *) "0123456789abcdef";
        h.producer.len = 16;
        h.lane = 0;
        h.stream.data = (unsigned char *) "shop";
        h.stream.len = 4;
        h.number = 1;

        len = cx_spool_head_write(p, &h);
        memcpy(p + len, data + 1, size - 1);

        if (data[0] & 1) {
            fuzz_repair(p + len, size - 1);
        }

        len += size - 1;
    }

    /* of its own size, for the sanitizer */

    p = realloc(p, len);
    fuzz_segment(p, len);
    free(p);

    return 0;
}


static void
fuzz_repair(unsigned char *p, size_t len)
{
    size_t               n;
    cx_spool_record_t    rec;

    while (len > CX_SPOOL_RECORD) {

        /* lengths that fit come up often enough */

        p[2] = 0;
        p[3] = 0;
        n = cx_spool_record_peek(&rec, p);

        if (n > len) {
            return;
        }

        rec.payload.data = p + CX_SPOOL_RECORD;
        cx_spool_record_write(p, &rec);

        p += n;
        len -= n;
    }
}


static void
fuzz_segment(unsigned char *p, size_t len)
{
    size_t               size;
    cx_spool_e           rc;
    unsigned char       *end;
    cx_spool_head_t      h;
    cx_spool_record_t    rec;

    end = p + len;

    rc = cx_spool_head_read(&h, p, len, &size);

    if (rc != CX_SPOOL_OK) {
        return;
    }

    fuzz_head(&h, p, size);

    for (p += size; p < end; p += size) {

        rc = cx_spool_record_read(&rec, p, (size_t) (end - p), &size);

        if ((rc == CX_SPOOL_OK) != (cx_spool_damage(p, (size_t) (end - p))
                                    == CX_SPOOL_OK))
        {
            abort();
        }

        if (rc != CX_SPOOL_OK) {
            return;
        }

        if (size > (size_t) (end - p)
            || size != CX_SPOOL_RECORD + rec.payload.len)
        {
            abort();
        }

        fuzz_record(&rec, p);
    }
}


static void
fuzz_record(cx_spool_record_t *rec, const unsigned char *p)
{
    char           *after;
    size_t          n;
    unsigned        count;
    unsigned char  *s, *end, again[CX_SPOOL_RECORD];

    cx_spool_record_write(again, rec);

    if (memcmp(again, p, CX_SPOOL_RECORD) != 0 || rec->seq == 0) {
        abort();
    }

    s = rec->payload.data;
    end = s + rec->payload.len;

    for (count = 0; s < end; count++) {

        if (*s != '$') {
            abort();
        }

        n = strtoul((char *) s + 1, &after, 10);
        s = (unsigned char *) after + 2 + n + 2;

        if (s > end || s[-2] != '\r' || s[-1] != '\n') {
            abort();
        }
    }

    if (count != rec->args) {
        abort();
    }
}


static void
fuzz_head(cx_spool_head_t *h, const unsigned char *p, size_t len)
{
    unsigned char  again[CX_SPOOL_HEAD_MAX];

    if (len > CX_SPOOL_HEAD_MAX || cx_spool_head_write(again, h) != len
        || memcmp(again, p, len) != 0)
    {
        abort();
    }
}
