/*
 * Languages that surveys speak without being told: wording of the widget and
 * the form, and standard wording of the metrics.  Made from
 * ngx_cx_module/languages.json.
 */

#ifndef CX_LANGUAGE_H
#define CX_LANGUAGE_H

#include "cx_core.h"

/*
 * W(id, key in languages.json): words of the widget and the form, then those
 * that only the form has
 */
#define CX_WORDS(W)                                                           \
    W(CLOSE, "close") W(NEXT, "next") W(SKIP, "skip") W(SEND, "send")         \
    W(NEVER, "never") W(OPTIONAL, "optional") W(PRIVACY, "privacy")           \
    W(ONE_MORE, "one_more") W(YES, "yes") W(NO, "no")                         \
    W(FEEDBACK, "feedback") W(THANKS, "thanks") W(ANNOUNCE, "announce")       \
    W(UP, "up") W(DOWN, "down") W(THIS_SITE, "this_site")                     \
    W(MISSING, "missing") W(OF, "of")                                         \
    W(CLOSED, "closed") W(AGAIN, "again")

#define CX_WORD_WIDGET  CX_WORD_CLOSED   /* so many of them */

enum {
#define CX_WORD_ID(id, key)  CX_WORD_##id,
    CX_WORDS(CX_WORD_ID)
#undef CX_WORD_ID
    CX_WORD_N
};

extern const char *const  cx_word_keys[CX_WORD_N];

/*
 * Standard wording of one metric in one language.  Where no name is given the
 * sentence is another: most languages decline "this site".
 */
typedef struct {
    const char  *question;       /* with {name}, and for ces {task} */
    const char  *question_bare;  /* ces without a task; else NULL */
    const char  *here;           /* without a name; for ces with {task} */
    const char  *here_bare;      /* ces without either; else NULL */
    const char  *low;
    const char  *high;
    const char  *why;            /* follow-up that suits any score */
} cx_wording_t;

enum {
    CX_WORDING_NPS, CX_WORDING_CSAT, CX_WORDING_CES, CX_WORDING_PSAT,
    CX_WORDING_PSAT5,            /* csat's, about "this feature" */
    CX_WORDING_N
};

typedef struct {
    const char    *tag;          /* "de", lower case; "pt-br" */
    unsigned       rtl;
    const char    *words[CX_WORD_N];
    cx_wording_t   wording[CX_WORDING_N];
} cx_language_t;

extern const cx_language_t  cx_languages[];
extern const unsigned       cx_languages_n;

/*
 * Which of n tags suits a list of wishes best: an Accept-Language header, or
 * one tag.  In the order of the wishes (and their q); a tag suits that is the
 * same, else one with the same first part.  -1: none.
 */
int cx_language_choose(const cx_str_t *tags, unsigned n,
    const cx_str_t *wishes);

#endif /* CX_LANGUAGE_H */
