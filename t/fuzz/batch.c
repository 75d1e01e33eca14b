/*
 * Whatever is sent, it is refused with a reason that is safe to send back, or
 * every event of it goes into the stream's format and back.  And jansson reads
 * the same from it.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/batch.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "../unit/oracle.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_refused(const cx_reject_t *why);
static void fuzz_event(cx_event_t *ev);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned            i;
    cx_reject_e         rc;
    cx_reject_t         why;

    static cx_batch_t  batch;

    memset(&why, 0xa5, sizeof(why));

    rc = cx_batch_parse(&batch, data, size, &why);

    if (rc != why.code || oracle_differs(&batch, rc, data, size)) {
        abort();
    }

    if (rc != CX_REJECT_NONE) {
        fuzz_refused(&why);
        return 0;
    }

    if (batch.n == 0 || batch.n > CX_BATCH_EVENTS
        || (batch.page.len == 0) == (batch.path.len == 0))
    {
        abort();
    }

    for (i = 0; i < batch.n; i++) {
        fuzz_event(&batch.ev[i]);
    }

    return 0;
}


static void
fuzz_refused(const cx_reject_t *why)
{
    const char  *p;

    if (why->code == CX_REJECT_NONE || why->expected[0] == '\0'
        || strlen(why->field) >= sizeof(why->field)
        || strlen(why->expected) >= sizeof(why->expected)
        || why->event < -1 || why->event >= CX_BATCH_EVENTS)
    {
        abort();
    }

    for (p = why->field; *p; p++) {
        if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\') {
            abort();
        }
    }
}


static void
fuzz_event(cx_event_t *ev)
{
    char           *after;
    size_t          n, len, count;
    cx_str_t        s[3 + 2 * CX_FIELDS_MAX];
    cx_event_t      back;
    unsigned char  *p, *end, out[8192];

    ev->v[CX_COMMON_TS].data = (unsigned char *) "1700000000000";
    ev->v[CX_COMMON_TS].len = 13;
    ev->v[CX_COMMON_PAGE].data = (unsigned char *) "/";
    ev->v[CX_COMMON_PAGE].len = 1;

    n = cx_event_encode(ev, out, sizeof(out));
    end = out + n;

    for (p = out, count = 0; p < end; count++) {
        len = strtoul((char *) p + 1, &after, 10);
        s[count].data = (unsigned char *) after + 2;
        s[count].len = len;
        p = s[count].data + len + 2;
    }

    if (n == 0 || p != end || count != cx_event_args(ev->type)
        || cx_event_decode(&back, s + 1, count - 1) != NULL
        || back.type != ev->type)
    {
        abort();
    }

    for (n = 0; n < cx_types[ev->type].n; n++) {
        if (back.v[n].len != ev->v[n].len
            || (back.v[n].len
                && memcmp(back.v[n].data, ev->v[n].data, back.v[n].len) != 0))
        {
            abort();
        }
    }
}
