/* Output of cxctl: tables for people, JSON for programs. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cxctl.h"

#define CX_WIDTH 80


static void
cx_table_push(cx_table_t *t, char *text)
{
    if (t->rows == t->size) {
        t->size = 2 * t->size + 64;
        t->cell = cx_realloc(t->cell, t->size * sizeof(char *));
    }

    t->cell[t->rows++] = text;
}


void
cx_table_begin(cx_table_t *t, unsigned columns, const char *const *head)
{
    unsigned i;

    memset(t, 0, sizeof(cx_table_t));
    t->columns = columns;

    for (i = 0; i < columns; i++) {
        cx_table_push(t, NULL);
        t->cell[i] = cx_ctl_safe(head[i], strlen(head[i]));
    }
}


void
cx_table_add(cx_table_t *t, const char *fmt, ...)
{
    char    text[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    cx_ctl_whole(text);

    cx_table_push(t, cx_ctl_safe(text, strlen(text)));
}


void
cx_table_print(cx_table_t *t)
{
    char    *s;
    size_t   w, width[32];
    unsigned i, k;

    memset(width, 0, sizeof(width));

    for (i = 0; i < t->rows; i++) {
        s = t->cell[i] + (i < t->columns);
        w = cx_ctl_width(s);
        k = i % t->columns;
        width[k] = w > width[k] ? w : width[k];
    }

    for (i = 0; i < t->rows; i++) {
        s = t->cell[i] + (i < t->columns);
        k = i % t->columns;
        w = width[k] - cx_ctl_width(s);

        if (t->cell[k][0] == '>') {
            printf("%*s%s", (int) w, "", s);

        } else {
            printf("%s%*s", s, k + 1 < t->columns ? (int) w : 0, "");
        }

        fputs(k + 1 < t->columns ? "  " : "\n", stdout);
    }

    cx_table_free(t);
}


void
cx_table_free(cx_table_t *t)
{
    unsigned i;

    for (i = 0; i < t->rows; i++) {
        free(t->cell[i]);
    }

    free(t->cell);
    memset(t, 0, sizeof(cx_table_t));
}


/*
 * Control bytes, C1 controls and the marks that turn the direction of text
 * around become \xNN: a verbatim cannot move the cursor, colour the screen or
 * pass for another column.
 */

char *
cx_ctl_safe(const char *s, size_t len)
{
    int                  bad, n;
    char                *dst, *d;
    const unsigned char *p, *end;

    dst = cx_alloc(4 * len + 1);
    d = dst;
    p = (const unsigned char *) s;

    for (end = p + len; p < end;) {
        bad = *p < 0x20 || *p == 0x7f;
        n = 1;

        if (*p == 0xc2 && end - p > 1 && p[1] < 0xa0) {
            bad = 1;
            n = 2;

        } else if (*p == 0xe2 && end - p > 2
                   && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae)
                       || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
        {
            bad = 1;
            n = 3;
        }

        for (; n > 0; n--, p++) {
            if (bad && *p == '\n') {
                *d++ = '\\';
                *d++ = 'n';

            } else if (bad) {
                d += sprintf(d, "\\x%02x", *p);

            } else {
                *d++ = (char) *p;
            }
        }
    }

    return dst;
}


void
cx_ctl_wrap(const char *text)
{
    size_t      n, column;
    const char *end;

    column = 0;

    for (; *text; text = *end ? end + 1 : end) {
        end = strchr(text, ' ');
        end = end ? end : text + strlen(text);
        n = (size_t) (end - text);

        if (n == 0) {
            continue;
        }

        if (column + n + 1 > CX_WIDTH) {
            putchar('\n');
            column = 0;
        }

        if (column) {
            column += (size_t) printf(" %.*s", (int) n, text);

        } else {
            column = (size_t) printf("    %.*s", (int) n, text);
        }
    }

    putchar('\n');
}


char *
cx_ctl_time(char *dst, int64_t ms)
{
    time_t    t;
    struct tm tm;

    t = (time_t) (ms / 1000);

    if (gmtime_r(&t, &tm) == NULL
        || strftime(dst, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
    {
        memcpy(dst, "-", 2);
    }

    return dst;
}


char *
cx_ctl_plain(char *dst, const cx_score_t *s, int figure)
{
    if (s->has[figure]) {
        snprintf(dst, 64, "%.0f", s->v[figure] + 0.0);

    } else {
        memcpy(dst, "-", 2);
    }

    return dst;
}


char *
cx_ctl_figure(char *dst, const cx_score_t *s, int figure)
{
    if (s->has[figure]) {
        snprintf(dst, 64, "%.0f (%.0f..%.0f)", s->v[figure], s->v[figure + 1],
                 s->v[figure + 2]);

    } else {
        memcpy(dst, "-", 2);
    }

    return dst;
}


/* figures that are absent are null: a program sees what there could be */

void
cx_json_score(json_t *o, const cx_score_t *s)
{
    int  k;
    char text[32];

    for (k = 0; k < CX_S_N; k++) {
        if (!s->has[k]) {
            json_object_set_new(o, cx_score_names[k], json_null());
            continue;
        }

        text[cx_score_print(text, s, k)] = '\0';
        json_object_set_new(o, cx_score_names[k],
                            cx_score_digits[k]
                                ? json_real(strtod(text, NULL))
                                : json_integer(strtoll(text, NULL, 10)));
    }
}


json_t *
cx_json_text(const char *s, size_t len)
{
    json_t *v;

    v = json_stringn(s, len);

    return v ? v : json_string("(not UTF-8)");
}


static void
cx_json_dump(json_t *o, size_t flags)
{
    if (json_dumpf(o, stdout, flags | JSON_REAL_PRECISION(12))) {
        fputs("cxctl: cannot write JSON\n", stderr);
    }

    fputc('\n', stdout);
    fflush(stdout);
    json_decref(o);
}


void
cx_json_print(json_t *o)
{
    cx_json_dump(o, JSON_INDENT(2));
}


void
cx_json_print_line(json_t *o)
{
    cx_json_dump(o, JSON_COMPACT);
}
