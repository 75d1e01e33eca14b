/* What cxctl check says: the problems that it found, and the sums. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_check.h"


void
cx_check_problem(cx_check_t *k, const char *fmt, ...)
{
    char    text[512];
    size_t  i;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    cx_ctl_whole(text);

    i = k->problems + k->fresh++;

    if (i < CX_CHECK_KEPT) {
        free(k->text[i]);
        k->text[i] = cx_ctl_safe(text, strlen(text));
    }
}


void
cx_check_tell(cx_check_t *k, json_t *list)
{
    size_t  i;
    json_t *o, *problems;

    if (!k->ctl->json) {
        printf("site %s: %s: %zu windows, %zu pages, %zu problems",
               (char *) k->ctl->whole.data, k->problems ? "BAD" : "ok",
               k->windows - k->busy, k->pages, k->problems);

        if (k->unscored) {
            printf(", %zu not scored yet", k->unscored);
        }

        if (k->busy) {
            printf(", %zu windows changed too fast to check", k->busy);
        }

        putchar('\n');
    }

    problems = json_array();

    for (i = 0; i < k->problems && i < CX_CHECK_KEPT; i++) {
        json_array_append_new(problems,
                              cx_json_text(k->text[i], strlen(k->text[i])));

        if (!k->ctl->json) {
            printf("  %s\n", k->text[i]);
        }
    }

    o = json_object();
    json_object_set_new(o, "site", json_string((char *) k->ctl->whole.data));
    json_object_set_new(o, "ok", json_boolean(k->problems == 0));
    json_object_set_new(o, "windows",
                        json_integer((json_int_t) (k->windows - k->busy)));
    json_object_set_new(o, "windows_busy", json_integer((json_int_t) k->busy));
    json_object_set_new(o, "pages", json_integer((json_int_t) k->pages));
    json_object_set_new(o, "unscored", json_integer((json_int_t) k->unscored));
    json_object_set_new(o, "problem_count",
                        json_integer((json_int_t) k->problems));
    json_object_set_new(o, "problems", problems);
    json_array_append_new(list, o);
}
