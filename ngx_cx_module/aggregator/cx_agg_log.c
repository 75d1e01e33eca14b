/* Messages: one line each on stderr. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cx_agg.h"

int cx_agg_log_level = CX_LOG_INFO;

static const char *const cx_log_names[] = { "error", "warn", "info", "debug" };


int
cx_agg_log_find(const char *name)
{
    int i;

    for (i = CX_LOG_ERROR; i <= CX_LOG_DEBUG; i++) {
        if (strcmp(name, cx_log_names[i]) == 0) {
            return i;
        }
    }

    return -1;
}


void
cx_agg_log(int level, const char *fmt, ...)
{
    int     i;
    char    line[1024];
    va_list args;

    if (level > cx_agg_log_level) {
        return;
    }

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);

    /* text of visitors must not write lines of its own */

    for (i = 0; line[i]; i++) {
        if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }

    fprintf(stderr, "cx-aggregator: %s: %s\n", cx_log_names[level], line);
}
