/*
 * What the files that mask share.
 */

#ifndef CX_MASK_H
#define CX_MASK_H

#include "cx_core.h"


/* what is before done is final, and w bytes long */

typedef struct {
    unsigned char  *text;
    size_t          len;
    size_t          done;
    size_t          w;
} cx_mask_t;


/* label in place of a range that begins at done or behind it */
void cx_mask_put(cx_mask_t *m, size_t from, size_t to, const char *label);

/* what is left as it is; returns the text's length */
size_t cx_mask_end(cx_mask_t *m);

/* cx_mask_number.c: cards and phones in place; returns the new length */
size_t cx_mask_numbers(unsigned char *text, size_t len);


static inline int
cx_mask_is_digit(unsigned char ch)
{
    return ch >= '0' && ch <= '9';
}


static inline int
cx_mask_is_letter(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

#endif /* CX_MASK_H */
