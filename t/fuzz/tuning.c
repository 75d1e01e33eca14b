/*
 * Whatever a file of thresholds says, it is refused with a line and words that
 * are safe to print, or every number is within its limits, and the tag and the
 * rules have room for it.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude \
 *       -Ibuild/gen t/fuzz/tuning.c ngx_cx_module/core/cx_*.c -ljansson -lm
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "cx_signal.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_refused(const cx_tuning_error_t *e);
static void fuzz_taken(const cx_tuning_t *t);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cx_tuning_t        t;
    cx_tuning_error_t  e;

    memset(&e, 0xa5, sizeof(e));
    cx_tuning_default(&t);

    if (cx_tuning_read(&t, (const char *) data, size, &e) != 0) {
        fuzz_refused(&e);

    } else {
        fuzz_taken(&t);
    }

    return 0;
}


static void
fuzz_refused(const cx_tuning_error_t *e)
{
    const char  *p;

    if (e->line == 0 || memchr(e->text, '\0', sizeof(e->text)) == NULL
        || memchr(e->expected, '\0', sizeof(e->expected)) == NULL
        || e->expected[0] == '\0')
    {
        abort();
    }

    for (p = e->text; *p; p++) {
        if (*p <= ' ' || *p > '~') {
            abort();
        }
    }
}


static void
fuzz_taken(const cx_tuning_t *t)
{
    int   i;
    char  tag[CX_TUNING_TAG], rule[CX_RULE_MAX];

    for (i = 0; i < CX_T_N; i++) {
        if (t->t[i] < cx_thresholds[i].min || t->t[i] > cx_thresholds[i].max) {
            abort();
        }
    }

    for (i = 0; i < CX_SIG_N; i++) {

        cx_signal_rule(rule, i, t);

        if (!(t->strength[i] >= 0 && t->strength[i] <= 10)
            || t->cap[i] < 1 || t->cap[i] > CX_CAP_MAX
            || memchr(rule, '\0', sizeof(rule)) == NULL)
        {
            abort();
        }
    }

    if (cx_tuning_tag(tag, t) > sizeof(tag)) {
        abort();
    }
}
