/* Options of cxctl surveys why and cxctl link. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"

typedef struct {
    const char *name;
    size_t      off;      /* of its value in cx_ctl_t */
    const char *expected; /* one of these, joined by spaces; NULL: any */
} cx_survey_option_t;

static const cx_survey_option_t cx_survey_options[] = {
    { "--file", offsetof(cx_ctl_t, file), NULL },
    { "--lang", offsetof(cx_ctl_t, lang), NULL },
    { "--touchpoint", offsetof(cx_ctl_t, touchpoint), NULL },
    { "--stage", offsetof(cx_ctl_t, stage), NULL },
    { "--segment", offsetof(cx_ctl_t, segment), NULL },
    { "--device", offsetof(cx_ctl_t, device), "phone tablet desktop" },
    { "--visitors", offsetof(cx_ctl_t, visitors), "new returning" },
    { "--secret", offsetof(cx_ctl_t, secret), NULL },
    { "--prefix", offsetof(cx_ctl_t, prefix), NULL }
};

#define CX_SURVEY_OPTIONS \
    (sizeof(cx_survey_options) / sizeof(cx_survey_options[0]))


static int
cx_survey_word(const char *words, const char *word)
{
    size_t      len;
    const char *p;

    len = strlen(word);

    for (p = words; p; p = strchr(p, ' ')) {
        p += *p == ' ';

        if (strncmp(p, word, len) == 0 && (p[len] == ' ' || p[len] == '\0')) {
            return len > 0;
        }
    }

    return 0;
}


int
cx_survey_option(cx_ctl_t *c, const char *name, const char *value)
{
    char                     *end;
    size_t                    i;
    const cx_survey_option_t *o;

    if (strcmp(name, "--days") == 0) {
        c->days = strtol(value, &end, 10);

        return *value >= '0' && *value <= '9' && *end == '\0' && c->days > 0
                       && c->days <= 3650
                   ? 0
                   : cx_ctl_bad(name, value, "expected 1 to 3650 days");
    }

    for (i = 0; i < CX_SURVEY_OPTIONS; i++) {
        o = &cx_survey_options[i];

        if (strcmp(name, o->name) != 0) {
            continue;
        }

        if (o->expected && !cx_survey_word(o->expected, value)) {
            return cx_ctl_bad(name, value,
                              o->off == offsetof(cx_ctl_t, device)
                                  ? "expected phone, tablet or desktop"
                                  : "expected new or returning");
        }

        *(const char **) ((char *) c + o->off) = value;

        return 0;
    }

    return 1;
}
