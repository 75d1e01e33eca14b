/*
 * A page key is a value of the schema's field, has no query, and folding it
 * again changes nothing.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/page.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cx_core.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         n;
    cx_str_t       v;
    unsigned char  page[CX_PAGE_MAX], again[CX_PAGE_MAX];

    n = cx_page_fold(page, data, size);

    v.data = page;
    v.len = n;

    if (n == 0 || n > CX_PAGE_MAX || memchr(page, '?', n)
        || memchr(page, '#', n)
        || !cx_field_ok(&cx_types[CX_VIEW].fields[CX_VIEW_PAGE], &v))
    {
        abort();
    }

    if (cx_page_fold(again, page, n) != n || memcmp(again, page, n) != 0) {
        abort();
    }

    return 0;
}
