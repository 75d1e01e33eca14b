/*
 * Whatever a visit does, its state stays within bounds and what comes of it is
 * a signal of the edge, on a page.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/edge.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cx_edge.h"


/* of one step, or of a report */
#define FUZZ_BYTES  16


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_step(cx_visit_t *v, const uint8_t *p, uint64_t now);
static void fuzz_report(cx_visit_t *v, const uint8_t *p, uint64_t now);
static void fuzz_visit(const cx_visit_t *v);


static cx_tuning_t  tuning;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i;
    uint64_t    now;
    cx_visit_t  v;

    static const uint32_t  units[] = { 1, 100, 1000, 60000 };

    cx_tuning_default(&tuning);
    memset(&v, 0, sizeof(v));
    now = 1795262400000;

    for (i = 0; i + FUZZ_BYTES <= size; i += FUZZ_BYTES) {

        now += data[i] * (uint64_t) units[data[i + 1] & 3];

        if (data[i + 1] & 4) {
            fuzz_report(&v, &data[i], now);

        } else {
            fuzz_step(&v, &data[i], now);
        }

        fuzz_visit(&v);
    }

    return 0;
}


static void
fuzz_step(cx_visit_t *v, const uint8_t *p, uint64_t now)
{
    unsigned          i, n;
    cx_step_t         s;
    cx_edge_signal_t  out[CX_EDGE_OUT];

    memset(&s, 0, sizeof(s));

    s.start = now - p[2];
    s.end = now + p[3] * 32;
    s.page = p[4] & 7;
    s.path = p[4] & 7;
    s.uri = p[4];
    s.ref = p[5] & 7;
    s.query = p[5] >> 3;
    s.first_ms = (p[6] == 255) ? CX_NO_MS : p[6] * 32u;
    s.upstream_ms = CX_NO_MS;
    s.body = p[7];
    s.status = (uint16_t) (p[8] | (p[9] & 3) << 8);
    s.cache = p[10];
    s.role = p[11];
    s.kind = p[12] & 3;
    s.post = p[12] >> 2 & 1;
    s.aborted = p[12] >> 3 & 1;
    s.limited = p[12] >> 4 & 1;
    s.told = p[12] >> 5 & 1;
    s.user = p[12] >> 6 & 1;
    s.pending = p[12] >> 7;

    n = cx_edge_step(v, &s, &tuning, out);

    if (n > CX_EDGE_OUT) {
        abort();
    }

    for (i = 0; i < n; i++) {
        if (out[i].page == 0 || out[i].signal < 0 || out[i].signal >= CX_SIG_N
            || !(cx_signals[out[i].signal].seen & CX_SEEN_EDGE))
        {
            abort();
        }
    }
}


static void
fuzz_report(cx_visit_t *v, const uint8_t *p, uint64_t now)
{
    uint32_t    page, back;
    cx_seen_t  *view;

    page = p[2] & 7;
    view = cx_edge_join(v, page, p[3], p[4] ? now - p[5] * 256u : 0);

    if (view) {
        if (view->page != page || view->view != p[3]) {
            abort();
        }

        if (view->flags & CX_VIEW_IS_PENDING) {
            cx_edge_show(v, view);
        }
    }

    back = cx_edge_back(v, page, p[6] * 256u, now);

    if (back && back == page) {
        abort();
    }

    cx_edge_count(v, p[7] % CX_SIG_N, p[8]);
}


static void
fuzz_visit(const cx_visit_t *v)
{
    char  text[CX_COUNTS_MAX];

    if (cx_edge_counts(text, v->count) > sizeof(text)
        || v->next >= CX_VIEWS_KEPT || v->queries > CX_SEARCH_KEPT
        || v->auths > CX_AUTH_KEPT || v->fail_next >= CX_FAIL_KEPT)
    {
        abort();
    }
}
