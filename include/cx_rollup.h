/* Counters of one page, survey or site in one window, in memory. */

#ifndef CX_ROLLUP_H
#define CX_ROLLUP_H

#include "cx_keys.h"

#define CX_PATTERN_LEN  (CX_SIG_N * 28 + 8)  /* bytes of a pattern's text */
#define CX_TENTHS_MAX   100                  /* highest friction class */

typedef struct {
    unsigned char   count[CX_SIG_N];     /* by CX_SIG_*, capped when counted */
    unsigned char   changed;             /* since it was last written */
    unsigned short  tenths;              /* 0: exact; else friction class */
    int64_t         visits;
} cx_pattern_t;

typedef struct {
    int64_t        v[CX_R_N];
    unsigned char  changed[CX_R_N];      /* since it was last written */
    cx_pattern_t  *pattern;
    unsigned       patterns;             /* in use */
    unsigned       exact;                /* of these, not a class */
} cx_rollup_t;                           /* zeroed: empty */

void cx_rollup_free(cx_rollup_t *r);

/* adds to a counter and marks it */
#define cx_rollup_add(r, field, n)                                            \
    ((r)->v[field] += (n), (r)->changed[field] = 1)

/*
 * Moves delta visits into or out of the row for these capped counts.  Beyond
 * CX_PATTERNS_MAX rows visits go to classes of their friction, tenths as
 * cx_friction_tenths() says; they are taken out where they were put in, or, if
 * strengths were changed between the two, out of another class.  0, or -1
 * without memory.
 */
int cx_rollup_pattern(cx_rollup_t *r, const unsigned char *count,
    unsigned tenths, int delta);

/*
 * Takes one field and value of a stored hash.  Returns 0; 1 for a field that
 * this version does not know; -1 without memory.
 */
int cx_rollup_read(cx_rollup_t *r, const cx_str_t *name,
    const cx_str_t *value);

/* dst += src, field by field; 0, or -1 without memory */
int cx_rollup_sum(cx_rollup_t *dst, const cx_rollup_t *src);

/*
 * Text of capped counts: "rage_click=2,slow_page=1", "none", "other=15".
 * dst holds CX_PATTERN_LEN bytes; returns the length.
 */
size_t cx_pattern_print(char *dst, const cx_pattern_t *p);

/* reads it back; 0, or -1 if it is none of this version */
int cx_pattern_parse(cx_pattern_t *p, const unsigned char *s, size_t len);

/* friction x = sum b_k min(count_k, cap_k) by the strengths and caps of t */
double cx_friction(const unsigned char *count, const cx_tuning_t *t);

/* in tenths, rounded up, at most CX_TENTHS_MAX */
unsigned cx_friction_tenths(const unsigned char *count, const cx_tuning_t *t);

/* decimal digits, with or without a minus: 0, or -1 */
int cx_number(int64_t *n, const cx_str_t *s);

#endif /* CX_ROLLUP_H */
