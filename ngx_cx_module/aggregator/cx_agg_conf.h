/* What the files of the configuration share. */

#ifndef CX_AGG_CONF_H
#define CX_AGG_CONF_H

#include "cx_agg.h"

enum {
    CX_SET_REDIS,
    CX_SET_SITE,
    CX_SET_FILE,
    CX_SET_LEVEL,
    CX_SET_NUMBER,
    CX_SET_TIME
};

typedef struct {
    const char *name; /* --log-level in a flag, CX_AGG_LOG_LEVEL */
    int         kind;
    size_t      offset;
    int64_t     value; /* default */
    int64_t     min;
    int64_t     max;
    const char *what;
} cx_setting_t;

#define CX_SETTINGS  13

extern const cx_setting_t  cx_settings[CX_SETTINGS];

typedef struct {
    cx_agg_conf_t *conf;
    const char    *source[CX_SETTINGS]; /* who set it last */
    char           where[300];          /* for messages */
    char           thresholds[300];     /* where they were set last */
} cx_conf_t;

#define CX_REDIS_DEFAULT  "redis://127.0.0.1:6379"

/* cx_agg_conf_show.c: --help and --check-config */
void cx_conf_help(void);
void cx_conf_show(const cx_conf_t *c);

#endif /* CX_AGG_CONF_H */
