/*
 * However a document is cut, the tokenizer says the same, and never holds
 * back less than it needs.  The first byte seeds the cuts.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/tokenizer.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cx_core.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          i, n, hold;
    unsigned        seed;
    cx_html_e       rc, part;
    cx_tokenizer_t  whole, cut;

    if (size == 0) {
        return 0;
    }

    seed = *data++;
    size--;

    memset(&whole, 0, sizeof(whole));
    memset(&cut, 0, sizeof(cut));

    rc = cx_tokenizer_feed(&whole, data, size);

    hold = 0;
    part = CX_HTML_MORE;

    for (i = 0; i < size; i += n) {

        seed = seed * 1103515245 + 12345;
        n = 1 + (seed >> 16) % 5;

        if (n > size - i) {
            n = size - i;
        }

        part = cx_tokenizer_feed(&cut, data + i, n);

        if (part == CX_HTML_MORE) {

            if (cut.off < hold || cut.off > i + n) {
                abort();
            }

            hold = cut.off;
        }
    }

    if (part != rc || cut.seen != size || whole.seen != size
        || cut.off != whole.off || cut.document != whole.document
        || whole.off > size || hold > whole.off)
    {
        abort();
    }

    return 0;
}
