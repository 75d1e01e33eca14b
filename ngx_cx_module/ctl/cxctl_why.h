/* What the files of cxctl surveys why share. */

#ifndef CXCTL_WHY_H
#define CXCTL_WHY_H

#include "cxctl.h"

#define CX_WHY_LANGUAGES  64
#define CX_WHY_TAG        40             /* bytes of a language tag */
#define CX_WHY_TEXT       1001           /* the module says as much */

/* one survey being explained */
typedef struct {
    cx_ctl_t    *ctl;
    const char  *page;
    char         today[32];              /* 2026-11-21 */
    json_t      *json;                   /* the survey */
    char         language[CX_WHY_TAG];   /* of its plain texts, lower case */
    json_t      *own;                    /* texts whose languages it may have */
    json_t      *standard;               /* and those that it does not have its
                                            languages by */
    const char  *tag[CX_WHY_LANGUAGES];  /* that all of them have */
    unsigned     tags;
    char         only[CX_WHY_TEXT];      /* what is left to be so, or "" */
    char         why[CX_WHY_TEXT];       /* why it is not shown, or "" */
    const char  *lang;                   /* chosen, or NULL */
} cx_why_t;

/* a line of the survey, "" if it has none */
const char *cx_why_line(const cx_why_t *w, const char *key);

/* text to the end of dst, which has CX_WHY_TEXT bytes; what is too long is cut,
   maybe within a character */
void cx_why_add(char *dst, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cxctl_why_texts.c: which languages all texts of a survey are in; the texts
   last until it is freed */
void cx_why_languages(cx_why_t *w);
void cx_why_free(cx_why_t *w);

/* cxctl_why_where.c: where and for whom it is; what is not said on the command
   line is told as a condition */
void cx_why_where(cx_why_t *w);

#endif /* CXCTL_WHY_H */
