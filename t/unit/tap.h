/* TAP for the unit programs. */

#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cx_core.h"


static int  tap_count;
static int  tap_failed;


__attribute__((format(printf, 2, 3)))
static int
ok(int good, const char *format, ...)
{
    va_list  args;

    tap_count++;
    tap_failed += !good;

    printf("%sok %d - ", good ? "" : "not ", tap_count);

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");

    return good;
}


/* bytes for a test's name: printable, on one line, without "#" */

static const char *
tap_show(const void *data, size_t len)
{
    size_t                i, n;
    const unsigned char  *p;

    static char      out[4][512];
    static unsigned  which;

    char  *dst = out[which++ % 4];

    p = data;

    for (i = 0, n = 0; i < len && n < sizeof(out[0]) - 5; i++) {

        if (p[i] < 0x20 || p[i] >= 0x7f || p[i] == '#' || p[i] == '\\') {
            n += (size_t) sprintf(dst + n, "\\x%02x", p[i]);

        } else {
            dst[n++] = (char) p[i];
        }
    }

    dst[n] = '\0';

    return dst;
}


static inline int
is_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
    const char *name)
{
    int  good;

    good = (got_len == want_len && memcmp(got, want, got_len) == 0);

    ok(good, "%s", name);

    if (!good) {
        printf("# got:  '%s'\n", tap_show(got, got_len));
        printf("# want: '%s'\n", tap_show(want, want_len));
    }

    return good;
}


static int
tap_done(void)
{
    printf("1..%d\n", tap_count);

    return tap_failed != 0;
}

#endif /* TAP_H */
