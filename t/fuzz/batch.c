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


/* RESP bulk strings -> strings */

static size_t
fuzz_strings(cx_str_t *s, unsigned char *p, size_t n)
{
    char           *after;
    size_t          count;
    unsigned char  *end;

    end = p + n;

    for (count = 0; p < end; count++) {
        s[count].len = strtoul((char *) p + 1, &after, 10);
        s[count].data = (unsigned char *) after + 2;
        p = s[count].data + s[count].len + 2;
    }

    if (p != end) {
        abort();
    }

    return count;
}


static void
fuzz_event(cx_event_t *ev)
{
    size_t          i, n, k;
    unsigned        args;
    cx_str_t        name[4 + CX_FIELDS_MAX], value[2 + CX_FIELDS_MAX],
                    pair[2 + 2 * CX_FIELDS_MAX];
    cx_event_t      back;
    unsigned char   names[1024], out[8192];

    ev->v[CX_COMMON_TS].data = (unsigned char *) "1700000000000";
    ev->v[CX_COMMON_TS].len = 13;
    ev->v[CX_COMMON_PAGE].data = (unsigned char *) "/";
    ev->v[CX_COMMON_PAGE].len = 1;

    k = 1 + cx_types[ev->type].n;

    n = cx_event_names(1u << ev->type, names, sizeof(names), &args);

    if (n == 0 || fuzz_strings(name, names, n) != args || args != 3 + k) {
        abort();
    }

    n = cx_event_encode(ev, out, sizeof(out));

    if (n == 0 || fuzz_strings(value, out, n) != cx_event_args(ev->type)
        || cx_event_args(ev->type) != 1 + k)
    {
        abort();
    }

    for (i = 0; i < k; i++) {
        pair[2 * i] = name[3 + i];
        pair[2 * i + 1] = value[1 + i];
    }

    if (cx_event_decode(&back, pair, 2 * k) != NULL || back.type != ev->type) {
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
