/*
 * The tables of include/cx_signal.h, and what a site has made of them: the
 * file that says other numbers, and what the browser is told of it.
 */

#include <stdio.h>
#include <string.h>
#include "cx_signal.h"


#define CX_STRENGTH_MAX 10
#define CX_NUMBER_MAX   9 /* digits */

#define CX_SIGNAL_ROW(id, name, seen, b, cap, rule, source) \
    { name, CX_SEEN_##seen, b, cap, rule, source },

const cx_signal_t cx_signals[CX_SIG_N] = { CX_SIGNALS(CX_SIGNAL_ROW) };


#define CX_THRESHOLD_ROW(id, name, value, min, max, seen, what, source) \
    { name, value, min, max, CX_SEEN_##seen, what, source },

const cx_threshold_t cx_thresholds[CX_T_N] = { CX_THRESHOLDS(
    CX_THRESHOLD_ROW) };


typedef struct {
    const char   *p;
    unsigned long len;
} cx_word_t;

/* what may stand in a file, by position: once each */

#define CX_TUNING_STRENGTH CX_T_N
#define CX_TUNING_CAP      (CX_T_N + CX_SIG_N)
#define CX_TUNING_NAMES    (CX_T_N + 2 * CX_SIG_N)


static int cx_tuning_line(cx_tuning_t *t, unsigned char *seen, const char *line,
                          unsigned long len, cx_tuning_error_t *e);
static cx_word_t cx_tuning_word(const char **p, const char *end);
static int       cx_tuning_name(const cx_word_t *name);
static int       cx_tuning_suffix(const cx_word_t *name, const char *suffix,
                                  int first);
static int cx_tuning_value(cx_tuning_t *t, int name, const cx_word_t *value,
                           cx_tuning_error_t *e);
static int cx_tuning_integer(const cx_word_t *value, long min, long max,
                             long *n, cx_tuning_error_t *e);
static int cx_tuning_decimal(const cx_word_t *value, double *n);
static int cx_tuning_bad(cx_tuning_error_t *e, const cx_word_t *text,
                         const char *expected);
static int cx_threshold_find(const char *name, unsigned long len);


int
cx_signal_find(const unsigned char *name, unsigned long len)
{
    int i;

    for (i = 0; i < CX_SIG_N; i++) {
        if (strlen(cx_signals[i].name) == len
            && memcmp(cx_signals[i].name, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


static int
cx_threshold_find(const char *name, unsigned long len)
{
    int i;

    for (i = 0; i < CX_T_N; i++) {
        if (strlen(cx_thresholds[i].name) == len
            && memcmp(cx_thresholds[i].name, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


void
cx_tuning_default(cx_tuning_t *t)
{
    int i;

    for (i = 0; i < CX_T_N; i++) {
        t->t[i] = cx_thresholds[i].value;
    }

    for (i = 0; i < CX_SIG_N; i++) {
        t->strength[i] = cx_signals[i].strength;
        t->cap[i] = cx_signals[i].cap;
    }
}


int
cx_tuning_read(cx_tuning_t *t, const char *text, unsigned long len,
               cx_tuning_error_t *e)
{
    const char   *p, *end, *last;
    unsigned char seen[CX_TUNING_NAMES];

    memset(seen, 0, sizeof(seen));

    e->line = 0;
    end = text + len;

    for (p = text; p < end; p = last + 1) {
        e->line++;
        last = memchr(p, '\n', (size_t) (end - p));

        if (last == NULL) {
            last = end;
        }

        if (cx_tuning_line(t, seen, p, (unsigned long) (last - p), e) != 0) {
            return -1;
        }

        if (last == end) {
            break;
        }
    }

    return 0;
}


static int
cx_tuning_line(cx_tuning_t *t, unsigned char *seen, const char *line,
               unsigned long len, cx_tuning_error_t *e)
{
    int         i;
    cx_word_t   name, value, more;
    const char *p, *end;

    p = line;
    end = memchr(line, '#', len);

    if (end == NULL) {
        end = line + len;
    }

    name = cx_tuning_word(&p, end);

    if (name.len == 0) {
        return 0;
    }

    i = cx_tuning_name(&name);

    if (i == -1) {
        return cx_tuning_bad(e, &name,
                             "a threshold, <signal>.strength or <signal>.cap, "
                             "as in conf/signals.md");
    }

    if (seen[i]) {
        return cx_tuning_bad(e, &name, "each name once");
    }

    seen[i] = 1;
    value = cx_tuning_word(&p, end);

    if (cx_tuning_value(t, i, &value, e) != 0) {
        return -1;
    }

    more = cx_tuning_word(&p, end);

    if (more.len) {
        return cx_tuning_bad(e, &more, "one name and one number a line");
    }

    return 0;
}


static cx_word_t
cx_tuning_word(const char **p, const char *end)
{
    cx_word_t word;

    while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r')) {
        (*p)++;
    }

    word.p = *p;

    while (*p < end && **p != ' ' && **p != '\t' && **p != '\r') {
        (*p)++;
    }

    word.len = (unsigned long) (*p - word.p);

    return word;
}


/* position of a name that may stand in a file, or -1 */

static int
cx_tuning_name(const cx_word_t *name)
{
    int i;

    i = cx_threshold_find(name->p, name->len);

    if (i == -1) {
        i = cx_tuning_suffix(name, ".strength", CX_TUNING_STRENGTH);
    }

    if (i == -1) {
        i = cx_tuning_suffix(name, ".cap", CX_TUNING_CAP);
    }

    return i;
}


static int
cx_tuning_suffix(const cx_word_t *name, const char *suffix, int first)
{
    int           i;
    unsigned long len;

    len = strlen(suffix);

    if (name->len < len || memcmp(name->p + name->len - len, suffix, len) != 0)
    {
        return -1;
    }

    i = cx_signal_find((const unsigned char *) name->p, name->len - len);

    return (i == -1) ? -1 : first + i;
}


static int
cx_tuning_value(cx_tuning_t *t, int name, const cx_word_t *value,
                cx_tuning_error_t *e)
{
    long n;

    if (name < CX_TUNING_STRENGTH) {
        return cx_tuning_integer(value, cx_thresholds[name].min,
                                 cx_thresholds[name].max, &t->t[name], e);
    }

    if (name >= CX_TUNING_CAP) {
        if (cx_tuning_integer(value, 1, CX_CAP_MAX, &n, e) != 0) {
            return -1;
        }

        t->cap[name - CX_TUNING_CAP] = (unsigned) n;

        return 0;
    }

    if (!cx_tuning_decimal(value, &t->strength[name - CX_TUNING_STRENGTH])) {
        return cx_tuning_bad(e, value, "a decimal from 0 to 10");
    }

    return 0;
}


static int
cx_tuning_integer(const cx_word_t *value, long min, long max, long *n,
                  cx_tuning_error_t *e)
{
    long          number;
    unsigned long i;

    number = 0;

    for (i = 0; i < value->len && i <= CX_NUMBER_MAX; i++) {
        if (value->p[i] < '0' || value->p[i] > '9') {
            break;
        }

        number = number * 10 + (value->p[i] - '0');
    }

    if (value->len == 0 || i < value->len || number < min || number > max) {
        (void) cx_tuning_bad(e, value, "");
        (void) snprintf(e->expected, sizeof(e->expected),
                        "an integer from %ld to %ld", min, max);
        return -1;
    }

    *n = number;

    return 0;
}


/* digits, maybe with a point among or after them; in no locale but C */

static int
cx_tuning_decimal(const cx_word_t *value, double *n)
{
    int           digits, point;
    char          ch;
    double        number, unit;
    unsigned long i;

    digits = 0;
    point = 0;
    number = 0;
    unit = 1;

    for (i = 0; i < value->len; i++) {
        ch = value->p[i];

        if (ch == '.' && !point && digits) {
            point = 1;
            continue;
        }

        if (ch < '0' || ch > '9' || ++digits > CX_NUMBER_MAX) {
            return 0;
        }

        number = number * 10 + (ch - '0');
        unit = point ? unit * 10 : 1;
    }

    number /= unit;

    if (digits == 0 || value->p[value->len - 1] == '.'
        || number > CX_STRENGTH_MAX) {
        return 0;
    }

    *n = number;

    return 1;
}


static int
cx_tuning_bad(cx_tuning_error_t *e, const cx_word_t *text, const char *expected)
{
    char          ch;
    unsigned long i;

    for (i = 0; i < text->len && i < sizeof(e->text) - 1; i++) {
        ch = text->p[i];
        e->text[i] = (ch > ' ' && ch < 0x7f) ? ch : '?';
    }

    e->text[i] = '\0';

    (void) snprintf(e->expected, sizeof(e->expected), "%s", expected);

    return -1;
}


unsigned long
cx_tuning_tag(char *dst, const cx_tuning_t *t)
{
    int           i, n;
    unsigned long len;

    n = 0;
    len = 0;

    for (i = 0; i < CX_T_N; i++) {
        if (!(cx_thresholds[i].seen & CX_SEEN_BROWSER)) {
            continue;
        }

        if (t->t[i] != cx_thresholds[i].value) {
            len += (unsigned long) snprintf(dst + len, CX_TUNING_TAG - len,
                                            "%s%d=%ld", len ? " " : "", n,
                                            t->t[i]);
        }

        n++;
    }

    return len;
}


void
cx_signal_rule(char *dst, int signal, const cx_tuning_t *t)
{
    int         i;
    size_t      len;
    const char *p, *name;

    len = 0;
    name = NULL;

    for (p = cx_signals[signal].rule; *p && len < CX_RULE_MAX - 1; p++) {
        if (*p == '{') {
            name = p + 1;

        } else if (*p == '}' && name) {
            i = cx_threshold_find(name, (unsigned long) (p - name));
            name = NULL;

            if (i != -1) {
                len += (size_t) snprintf(dst + len, CX_RULE_MAX - len, "%ld",
                                         t->t[i]);
            }

        } else if (name == NULL) {
            dst[len++] = *p;
        }
    }

    /* snprintf() says what it would have written */

    dst[len < CX_RULE_MAX ? len : CX_RULE_MAX - 1] = '\0';
}
