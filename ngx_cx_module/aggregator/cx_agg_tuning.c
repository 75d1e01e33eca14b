/* The file of thresholds, strengths and caps that nginx reads as well. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_TUNING_FILE 1048576 /* bytes; no such file is longer */


/* the whole file, or NULL and why */

static char *
cx_tuning_load(const char *file, size_t *len, char *why, size_t size)
{
    int   err;
    char *text;
    FILE *f;

    f = fopen(file, "rb");

    if (f == NULL) {
        snprintf(why, size, "%s: %s", file, strerror(errno));
        return NULL;
    }

    text = cx_alloc(CX_TUNING_FILE);
    errno = 0;
    *len = fread(text, 1, CX_TUNING_FILE, f);
    err = ferror(f) ? errno : *len == CX_TUNING_FILE ? EFBIG : 0;
    fclose(f);

    if (err) {
        snprintf(why, size, "%s: %s", file, strerror(err));
        free(text);
        return NULL;
    }

    return text;
}


int
cx_agg_tuning(cx_tuning_t *t, const char *file, char *why, size_t size)
{
    int               rc;
    char             *text;
    size_t            len;
    cx_tuning_error_t e;

    text = cx_tuning_load(file, &len, why, size);

    if (text == NULL) {
        return -1;
    }

    rc = cx_tuning_read(t, text, len, &e);
    free(text);

    if (rc) {
        snprintf(why, size, "%s:%u: \"%s\": expected %s", file, e.line, e.text,
                 e.expected);
    }

    return rc;
}


void
cx_agg_tuning_show(const cx_tuning_t *t)
{
    int k;

    for (k = 0; k < CX_T_N; k++) {
        if (t->t[k] != cx_thresholds[k].value) {
            printf("#   %s %ld  (%ld)\n", cx_thresholds[k].name, t->t[k],
                   cx_thresholds[k].value);
        }
    }

    for (k = 0; k < CX_SIG_N; k++) {
        if (t->strength[k] < cx_signals[k].strength
            || t->strength[k] > cx_signals[k].strength)
        {
            printf("#   %s.strength %g  (%g)\n", cx_signals[k].name,
                   t->strength[k], cx_signals[k].strength);
        }

        if (t->cap[k] != cx_signals[k].cap) {
            printf("#   %s.cap %u  (%u)\n", cx_signals[k].name, t->cap[k],
                   cx_signals[k].cap);
        }
    }
}
