/*
 * cxctl link: the address of a survey for an e-mail or an SMS, with a token
 * that lets one answer of its recipient in, whoever follows it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cx_token.h"
#include "cxctl.h"

#define CX_LINK_DAYS 30 /* that it can be followed */
#define CX_LINK_DAY  86400


/* the key from a file as cx_secret reads it; 0, or -1 (said) */

static int
cx_link_key(unsigned char *key, const char *file)
{
    int           ok;
    FILE         *f;
    size_t        n;
    unsigned char secret[CX_SECRET_MAX + 1];

    f = fopen(file, "rb");

    if (f == NULL) {
        fprintf(stderr, "cxctl: cannot read %s\n", file);
        return -1;
    }

    n = fread(secret, 1, sizeof(secret), f);
    fclose(f);

    if (n < CX_SECRET_MIN || n > CX_SECRET_MAX) {
        fprintf(stderr,
                "cxctl: %s: expected a file of %d to %d bytes, the one "
                "of cx_secret\n",
                file, CX_SECRET_MIN, CX_SECRET_MAX);
        return -1;
    }

    ok = cx_token_key(key, secret, n);
    memset(secret, 0, sizeof(secret));

    if (!ok) {
        fprintf(stderr, "cxctl: no HMAC-SHA256 here\n");
    }

    return ok ? 0 : -1;
}


/* what a link says; score stays as it is without one; 0, or -1 (said) */

static int
cx_link_args(const cx_ctl_t *c, cx_str_t *site, cx_str_t *survey, long *score)
{
    char *end;

    if (c->n_sites != 1) {
        return cx_ctl_bad("option", "--site", "say of which site it is");
    }

    if (c->secret == NULL) {
        return cx_ctl_bad("option", "--secret",
                          "say which file cx_secret of nginx.conf names");
    }

    site->data = (unsigned char *) c->sites[0];
    site->len = strlen(c->sites[0]);
    survey->data = (unsigned char *) c->args[0];
    survey->len = strlen(c->args[0]);

    if (survey->len == 0
        || !cx_field_ok(&cx_types[CX_SHOWN].fields[CX_SHOWN_SURVEY], survey))
    {
        return cx_ctl_bad("survey", c->args[0],
                          "expected 1 to 32 of A-Z a-z 0-9 _ . : -");
    }

    if (c->n_args < 3) {
        return 0;
    }

    *score = strtol(c->args[2], &end, 10);

    return c->args[2][0] >= '0' && c->args[2][0] <= '9' && *end == '\0'
                   && *score <= 10
               ? 0
               : cx_ctl_bad("score", c->args[2],
                            "expected a number from 0 to 10");
}


int
cx_ctl_cmd_link(cx_ctl_t *c)
{
    char          token[CX_TOKEN_LEN + 1];
    long          score;
    size_t        len;
    time_t        expiry;
    cx_str_t      site, survey, who;
    const char   *prefix;
    unsigned char key[CX_TOKEN_KEY], id[CX_TOKEN_ID];

    score = -1;

    if (cx_link_args(c, &site, &survey, &score) || cx_link_key(key, c->secret))
    {
        return CX_CTL_ERROR;
    }

    who.data = (unsigned char *) c->args[1];
    who.len = strlen(c->args[1]);
    expiry = time(NULL) + (c->days ? c->days : CX_LINK_DAYS) * CX_LINK_DAY;

    len = 0;

    if (cx_token_id(id, key, &site, &survey, NULL, &who, 0)) {
        len = cx_token_make((unsigned char *) token, key, &site, &survey, NULL,
                            id, expiry);
    }

    if (len == 0) {
        fprintf(stderr, "cxctl: no HMAC-SHA256 here\n");
        return CX_CTL_ERROR;
    }

    token[len] = '\0';

    prefix = c->prefix ? c->prefix : "/_cx/";
    len = strlen(prefix);
    printf("%s%ssurvey/%s?", prefix, len && prefix[len - 1] == '/' ? "" : "/",
           (char *) survey.data);

    if (score >= 0) {
        printf("score=%ld&", score);
    }

    printf("t=%s\n", token);

    return CX_CTL_OK;
}
