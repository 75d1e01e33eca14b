/* Counters of a window in memory, and the text of visit patterns. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cx_rollup.h"

static const unsigned char cx_no_signal[CX_SIG_N];


int
cx_number(int64_t *n, const cx_str_t *s)
{
    int      minus;
    size_t   i;
    uint64_t v;

    minus = s->len > 0 && s->data[0] == '-';

    if (s->len == (size_t) minus || s->len > 18) {
        return -1;
    }

    v = 0;

    for (i = (size_t) minus; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return -1;
        }

        v = v * 10 + (s->data[i] - '0');
    }

    *n = minus ? -(int64_t) v : (int64_t) v;

    return 0;
}


double
cx_friction(const unsigned char *count, const cx_tuning_t *t)
{
    int      k;
    double   x;
    unsigned n;

    x = 0;

    for (k = 0; k < CX_SIG_N; k++) {
        n = count[k] < t->cap[k] ? count[k] : t->cap[k];
        x += t->strength[k] * n;
    }

    return x;
}


unsigned
cx_friction_tenths(const unsigned char *count, const cx_tuning_t *t)
{
    double x;

    x = ceil(cx_friction(count, t) * 10 - 1e-9);

    return x < CX_TENTHS_MAX ? (unsigned) x : CX_TENTHS_MAX;
}


size_t
cx_pattern_print(char *dst, const cx_pattern_t *p)
{
    int    k;
    char  *d;
    size_t len;

    if (p->tenths) {
        memcpy(dst, "other=", 6);
        d = dst + 6;

        for (k = 10000; k > 1 && p->tenths / k == 0; k /= 10) {
            /* void */
        }

        for (; k > 0; k /= 10) {
            *d++ = (char) ('0' + p->tenths / k % 10);
        }

        return (size_t) (d - dst);
    }

    d = dst;

    for (k = 0; k < CX_SIG_N; k++) {
        if (p->count[k] == 0) {
            continue;
        }

        if (d != dst) {
            *d++ = ',';
        }

        len = strlen(cx_signals[k].name);
        memcpy(d, cx_signals[k].name, len);
        d += len;
        *d++ = '=';

        if (p->count[k] >= 100) {
            *d++ = (char) ('0' + p->count[k] / 100);
        }

        if (p->count[k] >= 10) {
            *d++ = (char) ('0' + p->count[k] / 10 % 10);
        }

        *d++ = (char) ('0' + p->count[k] % 10);
    }

    if (d == dst) {
        memcpy(dst, "none", 4);
        d = dst + 4;
    }

    return (size_t) (d - dst);
}


int
cx_pattern_parse(cx_pattern_t *p, const unsigned char *s, size_t len)
{
    int                  k;
    int64_t              n;
    cx_str_t             v;
    const unsigned char *end, *eq, *comma;

    memset(p, 0, sizeof(cx_pattern_t));

    if (len == 4 && memcmp(s, "none", 4) == 0) {
        return 0;
    }

    for (end = s + len; s < end; s = comma + 1) {
        comma = memchr(s, ',', (size_t) (end - s));
        comma = comma ? comma : end;
        eq = memchr(s, '=', (size_t) (comma - s));

        if (eq == NULL) {
            return -1;
        }

        v.data = (unsigned char *) eq + 1;
        v.len = (size_t) (comma - eq - 1);

        if (cx_number(&n, &v) || n < 1) {
            return -1;
        }

        if (eq - s == 5 && memcmp(s, "other", 5) == 0) {
            p->tenths = (unsigned short) n;
            return n < 65536 && comma == end && len == 6 + v.len ? 0 : -1;
        }

        k = cx_signal_find(s, (size_t) (eq - s));

        if (k < 0 || n > 255 || p->count[k]) {
            return -1;
        }

        p->count[k] = (unsigned char) n;
    }

    return len ? 0 : -1;
}


void
cx_rollup_free(cx_rollup_t *r)
{
    free(r->pattern);
    memset(r, 0, sizeof(cx_rollup_t));
}


static cx_pattern_t *
cx_rollup_find(cx_rollup_t *r, const unsigned char *count, unsigned tenths)
{
    unsigned      i;
    cx_pattern_t *p;

    for (i = 0; i < r->patterns; i++) {
        p = &r->pattern[i];

        if (p->tenths == tenths && memcmp(p->count, count, CX_SIG_N) == 0) {
            return p;
        }
    }

    return NULL;
}


static cx_pattern_t *
cx_rollup_push(cx_rollup_t *r, const unsigned char *count, unsigned tenths)
{
    cx_pattern_t *p;

    if ((r->patterns & (r->patterns - 1)) == 0) {
        p = realloc(r->pattern,
                    sizeof(cx_pattern_t) * (r->patterns ? 2 * r->patterns : 1));
        if (p == NULL) {
            return NULL;
        }

        r->pattern = p;
    }

    p = &r->pattern[r->patterns++];
    memset(p, 0, sizeof(cx_pattern_t));
    memcpy(p->count, count, CX_SIG_N);
    p->tenths = (unsigned short) tenths;
    r->exact += tenths == 0;

    return p;
}


/*
 * The row that visits are taken out of where their class has none: they were
 * put in by other strengths.  The fullest class can spare them best.
 */

static cx_pattern_t *
cx_rollup_class(cx_rollup_t *r, cx_pattern_t *p)
{
    unsigned      i;
    cx_pattern_t *q;

    if (p && p->visits > 0) {
        return p;
    }

    for (i = 0; i < r->patterns; i++) {
        q = &r->pattern[i];

        if (q->tenths && q->visits > 0 && (p == NULL || q->visits > p->visits))
        {
            p = q;
        }
    }

    return p;
}


int
cx_rollup_pattern(cx_rollup_t *r, const unsigned char *count, unsigned tenths,
                  int delta)
{
    cx_pattern_t *p;

    p = cx_rollup_find(r, count, 0);

    /*
     * Rows are never removed, so a pattern that has none once they ran out
     * never gets one: a visit is always found where it was put.
     */

    if (p == NULL
        && (r->exact < CX_PATTERNS_MAX
            || memcmp(count, cx_no_signal, CX_SIG_N) == 0))
    {
        p = cx_rollup_push(r, count, 0);

    } else if (p == NULL || (delta < 0 && p->visits == 0)) {
        p = cx_rollup_find(r, cx_no_signal, tenths);
        p = delta < 0 ? cx_rollup_class(r, p) : p;
        p = p ? p : cx_rollup_push(r, cx_no_signal, tenths);
    }

    if (p == NULL) {
        return -1;
    }

    p->visits += delta;
    p->changed = 1;

    return 0;
}


int
cx_rollup_read(cx_rollup_t *r, const cx_str_t *name, const cx_str_t *value)
{
    int          i;
    int64_t      n;
    cx_pattern_t pattern, *p;
    const size_t prefix = sizeof(CX_PATTERN) - 1;

    if (cx_number(&n, value)) {
        return 1;
    }

    if (name->len > prefix && memcmp(name->data, CX_PATTERN, prefix) == 0) {
        if (cx_pattern_parse(&pattern, name->data + prefix, name->len - prefix))
        {
            return 1;
        }

        p = cx_rollup_find(r, pattern.count, pattern.tenths);
        p = p ? p : cx_rollup_push(r, pattern.count, pattern.tenths);

        if (p == NULL) {
            return -1;
        }

        p->visits = n;

        return 0;
    }

    for (i = 0; i < CX_R_N; i++) {
        if (cx_rollup_names[i][0] == (char) name->data[0]
            && strlen(cx_rollup_names[i]) == name->len
            && memcmp(cx_rollup_names[i], name->data, name->len) == 0)
        {
            r->v[i] = n;
            return 0;
        }
    }

    return 1;
}


int
cx_rollup_sum(cx_rollup_t *dst, const cx_rollup_t *src)
{
    int                 i;
    cx_pattern_t       *p;
    const cx_pattern_t *q;

    for (i = 0; i < CX_R_N; i++) {
        dst->v[i] += src->v[i];
    }

    for (i = 0; i < (int) src->patterns; i++) {
        q = &src->pattern[i];
        p = cx_rollup_find(dst, q->count, q->tenths);
        p = p ? p : cx_rollup_push(dst, q->count, q->tenths);

        if (p == NULL) {
            return -1;
        }

        p->visits += q->visits;
    }

    return 0;
}
