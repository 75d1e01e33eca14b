/* Settings as --help and --check-config say them. */

#include <stdio.h>
#include <string.h>
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


static void
cx_conf_show_word(const char *name, const cx_str_t *value)
{
    if (value->len) {
        printf(" %s=%.*s", name, (int) value->len, (char *) value->data);
    }
}


/* the words again; of a password only that there is one */

static void
cx_conf_show_redis(const cx_redis_target_t *t)
{
    unsigned               i;
    cx_str_t               secret;
    const cx_str_t        *user, *password;
    const cx_redis_addr_t *a;

    user = t->mode == CX_REDIS_SENTINEL ? &t->sentinel_user : &t->user;
    password = t->mode == CX_REDIS_SENTINEL ? &t->sentinel_password
                                            : &t->password;

    for (i = 0; i < t->n; i++) {
        a = &t->seed[i];

        if (a->host.len == 0) {
            printf(" unix:%.*s", (int) a->path.len, (char *) a->path.data);
            continue;
        }

        printf(" %s%s://%.*s%s",
               t->mode == CX_REDIS_SENTINEL ? "sentinel" : "redis",
               t->tls ? "s" : "", (int) user->len, (char *) user->data,
               password->len ? ":...@" : "");
        printf(memchr(a->host.data, ':', a->host.len) ? "[%.*s]:%u" : "%.*s:%u",
               (int) a->host.len, (char *) a->host.data, a->port);
    }

    if (t->mode == CX_REDIS_CLUSTER) {
        printf(" cluster");

    } else if (t->mode == CX_REDIS_SENTINEL) {
        cx_conf_show_word("master", &t->master);
        cx_conf_show_word("user", &t->user);
        secret.data = (unsigned char *) "...";
        secret.len = t->password.len ? 3 : 0;
        cx_conf_show_word("password", &secret);

        if (t->db) {
            printf(" db=%u", t->db);
        }

    } else if (t->db) {
        printf("%s%u", t->seed[0].host.len ? "/" : "?db=", t->db);
    }

    cx_conf_show_word("ca", &t->ca);
    cx_conf_show_word("cert", &t->cert);
    cx_conf_show_word("key", &t->key);
    cx_conf_show_word("name", &t->name);

    if (t->tls && !t->verify) {
        printf(" verify=off");
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
        case CX_SET_REDIS:
            printf("redis =");
            cx_conf_show_redis(&c->conf->redis);
            printf("  # %s\n", by);
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
