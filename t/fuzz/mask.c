/*
 * Masked text is not longer than it was, and still a value of its field if it
 * was one.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/mask.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cx_core.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                good;
    size_t             n;
    cx_str_t           v;
    const cx_field_t  *text;

    text = &cx_types[CX_ANSWER].fields[CX_ANSWER_TEXT];

    v.len = size;
    v.data = malloc(size ? size : 1);
    memcpy(v.data, data, size);

    good = cx_field_ok(text, &v);
    n = cx_mask(v.data, size);

    if (n > size || (size && n == 0)) {
        abort();
    }

    v.len = n;

    if (good && !cx_field_ok(text, &v)) {
        abort();
    }

    free(v.data);

    return 0;
}
