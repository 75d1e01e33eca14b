/* What the files of cxctl surveys share. */

#ifndef CXCTL_SURVEY_H
#define CXCTL_SURVEY_H

#include "cxctl.h"

/* a version of a survey in the window */
typedef struct {
    cx_str_t      name;              /* <survey>@<version>, NUL after it */
    cx_rollup_t   roll;
    cx_score_t    score;
    char          metric[16];        /* "": unknown */
    json_t       *definition;        /* borrowed; NULL: none */
} cx_ctl_survey_t;

/* x of n; rate is not known where x is no part of n */
typedef struct {
    int64_t       x;
    int64_t       n;
    double        rate;              /* percent, as what follows */
    double        lo;
    double        hi;
    unsigned      known:1;
} cx_ctl_share_t;

void cx_ctl_share(cx_ctl_share_t *s, int64_t x, int64_t n);

/* a step of the funnel, and what it is a share of; -1: nothing */
typedef struct {
    const char   *name;
    int           field;             /* CX_R_* */
    int           part;              /* of it that is the share: CX_R_* */
    int           of;                /* CX_R_*, or -1 */
    const char   *whole;             /* its name */
} cx_ctl_step_t;

#define CX_CTL_STEPS  9

extern const cx_ctl_step_t  cx_ctl_steps[CX_CTL_STEPS];

/* refused answers, as a share of all that came */
void cx_ctl_refused(cx_ctl_share_t *s, const cx_rollup_t *r);

/* label of an option, "" if it is not known */
const char *cx_ctl_option_label(const cx_ctl_survey_t *s, int position);

/* a line of the definition, "" if there is none */
const char *cx_ctl_said(const cx_ctl_survey_t *s, const char *key);

/* "NPS 34 (12..55)" or "-", dst 96 bytes */
char *cx_ctl_result(char *dst, const cx_ctl_survey_t *s);

/* 1 if a score's counter is of a metric */
int cx_ctl_of_metric(const char *metric, int field);

void cx_ctl_survey_print(const cx_ctl_survey_t *s);
json_t *cx_ctl_survey_json(const cx_ctl_survey_t *s);

#endif /* CXCTL_SURVEY_H */
