/* Settings as --help and --check-config say them. */

#include <stdio.h>
#include "cx_agg_conf.h"
#include "cx_version.h"


void
cx_conf_help(void)
{
    size_t i;

    printf("cx-aggregator " CX_VERSION ": folds the event streams of ngx_cx "
           "into rollups and scores\n\n"
           "  --config FILE         settings, one \"name = value\" a line\n"
           "  --once                count what is there, score it, end\n"
           "  --rebuild-scores      make all scores again from the counters, "
           "end\n"
           "  --check-config        say what is set and by whom, end\n"
           "  --version, --help\n\n"
           "Settings, as --name value, CX_AGG_NAME in the environment or a "
           "line of the file;\nflags win over the environment, that over the "
           "file (default):\n\n");

    for (i = 0; i < CX_SETTINGS; i++) {
        printf("  --%-20s%s\n", cx_settings[i].name, cx_settings[i].what);
    }
}


void
cx_conf_show(const cx_conf_t *c)
{
    size_t              i;
    unsigned            k;
    const char         *by;
    const cx_setting_t *set;

    for (i = 0; i < CX_SETTINGS; i++) {
        set = &cx_settings[i];
        by = c->source[i] ? c->source[i] : "default";

        switch (set->kind) {
        case CX_SET_URL:
            printf("redis = %s  # %s\n", c->conf->url.label, by);
            break;

        case CX_SET_SITE:
            for (k = 0; k < c->conf->sites; k++) {
                printf("site = %s  # %s\n", c->conf->site[k], by);
            }
            break;

        case CX_SET_FILE:
            if (c->conf->thresholds) {
                printf("%s = %s  # %s\n", set->name, c->conf->thresholds, by);
                cx_agg_tuning_show(&c->conf->tuning);
            }
            break;

        case CX_SET_LEVEL:
            printf("log-level = %s  # %s\n",
                   c->conf->log_level == CX_LOG_ERROR  ? "error"
                   : c->conf->log_level == CX_LOG_WARN ? "warn"
                   : c->conf->log_level == CX_LOG_INFO ? "info"
                                                       : "debug",
                   by);
            break;

        default:
            printf("%s = %lld%s  # %s\n", set->name,
                   (long long) *(int64_t *) ((char *) c->conf + set->offset),
                   set->kind == CX_SET_TIME ? "ms" : "", by);
        }
    }
}
