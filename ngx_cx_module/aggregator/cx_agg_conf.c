/*
 * Configuration: defaults, then the file, then the environment, then flags;
 * the later one wins.  "site" is a list: a later source replaces it.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cx_agg_conf.h"
#include "cx_version.h"

#define CX_DAY_MS 86400000LL

#define CX_AT(field) offsetof(cx_agg_conf_t, field)

const cx_setting_t cx_settings[CX_SETTINGS] = {
    { "redis", CX_SET_REDIS, CX_AT(redis), 0, 0, 0,
      "where the streams and rollups are, in the words of nginx's cx_redis: "
      "redis://[[user]:password@]host[:port][/db], rediss://..., unix:/path"
      "[?db=n], several redis:// of a cluster, or sentinel://host[:port]... "
      "master=name (redis://127.0.0.1:6379)" },
    { "site", CX_SET_SITE, CX_AT(site), 0, 0, 0,
      "a site to aggregate, may be repeated; none: every site that has a "
      "stream" },
    { "thresholds", CX_SET_FILE, CX_AT(thresholds), 0, 0, 0,
      "file of thresholds, strengths and caps, the one that nginx reads "
      "(cx_thresholds); none: the defaults" },
    { "interval", CX_SET_TIME, CX_AT(interval), 250, 10, 60000,
      "how long events gather before a commit (250ms)" },
    { "score-interval", CX_SET_TIME, CX_AT(score), 1000, 10, 3600000,
      "how often changed pages are scored (1s)" },
    { "batch", CX_SET_NUMBER, CX_AT(batch), 20000, 1, 200000,
      "entries of a commit at most (20000)" },
    { "pages", CX_SET_NUMBER, CX_AT(pages), 5000, 1, 100000,
      "distinct pages in a window; more count as (other) (5000)" },
    { "keep-hours", CX_SET_TIME, CX_AT(keep_hours), 8 * CX_DAY_MS, 3600000,
      4000 * CX_DAY_MS, "how long windows of an hour are kept (8d)" },
    { "keep-days", CX_SET_TIME, CX_AT(keep_days), 400 * CX_DAY_MS, CX_DAY_MS,
      40000 * CX_DAY_MS, "how long windows of a day are kept (400d)" },
    { "keep-answers", CX_SET_TIME, CX_AT(keep_answers), 90 * CX_DAY_MS, 3600000,
      4000 * CX_DAY_MS,
      "how long single answers and verbatims are kept (90d)" },
    { "keep-stream", CX_SET_TIME, CX_AT(keep_stream), 0, 0, 400 * CX_DAY_MS,
      "how long entries stay in the stream once counted (0)" },
    { "timeout", CX_SET_TIME, CX_AT(timeout), 5000, 100, 600000,
      "how long Redis may take to answer (5s)" },
    { "log-level", CX_SET_LEVEL, CX_AT(log_level), CX_LOG_INFO, 0, 0,
      "error, warn, info or debug (info)" }
};


static int
cx_conf_error(const cx_conf_t *c, const char *name, const char *value,
              const char *expected)
{
    fprintf(stderr, "cx-aggregator: %s: %s \"%s\": %s\n", c->where, name, value,
            expected);

    return -1;
}


/* 250ms 5s 10m 8h 90d, or a number of seconds -> ms; -1 if it is none */

static int64_t
cx_conf_time(const char *s)
{
    size_t    i;
    char     *end;
    long long n;
    static const struct {
        const char *name;
        int64_t     ms;
    } unit[] = { { "ms", 1 },    { "", 1000 },     { "s", 1000 },
                 { "m", 60000 }, { "h", 3600000 }, { "d", CX_DAY_MS } };

    if (*s < '0' || *s > '9') {
        return -1;
    }

    errno = 0;
    n = strtoll(s, &end, 10);

    for (i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
        if (strcmp(end, unit[i].name) == 0) {
            return errno || n > INT64_MAX / unit[i].ms ? -1 : n * unit[i].ms;
        }
    }

    return -1;
}


static int
cx_conf_site(cx_conf_t *c, const cx_setting_t *set, const char *value,
             int fresh)
{
    unsigned i;
    cx_str_t name;

    name.data = (unsigned char *) value;
    name.len = strlen(value);

    if (!cx_site_ok(&name)) {
        return cx_conf_error(c, set->name, value,
                             "expected 1 to 64 of "
                             "A-Z a-z 0-9 _ . : - and /, without a "
                             "shard's /number");
    }

    for (i = 0; fresh && i < c->conf->sites; i++) {
        free(c->conf->site[i]);
    }

    c->conf->sites = fresh ? 0 : c->conf->sites;

    for (i = 0; i < c->conf->sites; i++) {
        if (strcmp(c->conf->site[i], value) == 0) {
            return 0;
        }
    }

    c->conf->site = cx_realloc(c->conf->site,
                               (c->conf->sites + 1) * sizeof(char *));
    c->conf->site[c->conf->sites] = cx_alloc(name.len + 1);
    memcpy(c->conf->site[c->conf->sites++], value, name.len);

    return 0;
}


static int
cx_conf_redis(cx_conf_t *c, const cx_setting_t *set, const char *value)
{
    const char *err;

    err = cx_redis_line(&c->conf->redis, &c->conf->redis_words, value);

    /* not the value: it may have a password */

    return err ? cx_conf_error(c, set->name, "...", err) : 0;
}


/* only noted: a later source may name another file */

static int
cx_conf_thresholds(cx_conf_t *c, const char *value)
{
    free(c->conf->thresholds);
    c->conf->thresholds = NULL;

    if (*value) {
        c->conf->thresholds = cx_alloc(strlen(value) + 1);
        memcpy(c->conf->thresholds, value, strlen(value));
        memcpy(c->thresholds, c->where, sizeof(c->where));
    }

    return 0;
}


static int
cx_conf_tuning(cx_conf_t *c)
{
    char why[600];

    cx_tuning_default(&c->conf->tuning);

    if (c->conf->thresholds == NULL
        || cx_agg_tuning(&c->conf->tuning, c->conf->thresholds, why,
                         sizeof(why))
               == 0)
    {
        return 0;
    }

    fprintf(stderr, "cx-aggregator: %s: thresholds %s\n", c->thresholds, why);

    return -1;
}


static int
cx_conf_set(cx_conf_t *c, size_t i, const char *value, const char *source)
{
    int                 fresh, level;
    int64_t             n;
    char                expected[120], *end;
    const cx_setting_t *set;

    set = &cx_settings[i];
    fresh = c->source[i] != source;
    c->source[i] = source;

    switch (set->kind) {
    case CX_SET_REDIS:
        return cx_conf_redis(c, set, value);

    case CX_SET_SITE:
        return cx_conf_site(c, set, value, fresh);

    case CX_SET_FILE:
        return cx_conf_thresholds(c, value);

    case CX_SET_LEVEL:
        level = cx_agg_log_find(value);

        if (level < 0) {
            return cx_conf_error(c, set->name, value,
                                 "expected error, warn, info or debug");
        }

        c->conf->log_level = level;
        return 0;

    case CX_SET_TIME:
        n = cx_conf_time(value);
        snprintf(expected, sizeof(expected),
                 "expected a time like 250ms, "
                 "5s, 10m, 8h or 90d, from %lldms to %lldms",
                 (long long) set->min, (long long) set->max);
        break;

    default:
        errno = 0;
        n = strtoll(value, &end, 10);
        n = errno || *end || *value < '0' || *value > '9' ? -1 : n;
        snprintf(expected, sizeof(expected),
                 "expected a number from %lld "
                 "to %lld",
                 (long long) set->min, (long long) set->max);
    }

    if (n < set->min || n > set->max) {
        return cx_conf_error(c, set->name, value, expected);
    }

    *(int64_t *) ((char *) c->conf + set->offset) = n;

    return 0;
}


/* position of a setting, '_' being as good as '-'; -1 if there is none */

static int
cx_conf_find(const char *name, size_t len)
{
    size_t      i, k;
    const char *s;

    for (i = 0; i < CX_SETTINGS; i++) {
        s = cx_settings[i].name;

        for (k = 0; k < len && s[k]; k++) {
            if (s[k] != name[k] && !(s[k] == '-' && name[k] == '_')) {
                break;
            }
        }

        if (k == len && s[k] == '\0') {
            return (int) i;
        }
    }

    return -1;
}


/* "name = value", blank, or a comment; changes the line */

static int
cx_conf_line(cx_conf_t *c, char *line)
{
    int    i;
    char  *name, *value, *end;
    size_t len;

    name = line + strspn(line, " \t");

    if (*name == '\0' || *name == '#') {
        return 0;
    }

    len = strcspn(name, " \t=");
    value = name + len + strspn(name + len, " \t");

    if (*value++ != '=') {
        name[len] = '\0';
        return cx_conf_error(c, "setting", name, "expected \"name = value\"");
    }

    value += strspn(value, " \t");
    end = value + strlen(value);

    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        *--end = '\0';
    }

    i = cx_conf_find(name, len);
    name[len] = '\0';

    if (i < 0) {
        return cx_conf_error(c, "setting", name, "is not known");
    }

    return cx_conf_set(c, (size_t) i, value, "file");
}


static int
cx_conf_file(cx_conf_t *c, const char *path)
{
    int      rc;
    char     line[4096];
    FILE    *f;
    size_t   len;
    unsigned n;

    snprintf(c->where, sizeof(c->where), "%s", path);
    f = fopen(path, "r");

    if (f == NULL) {
        fprintf(stderr, "cx-aggregator: %s: %s\n", path, strerror(errno));
        return -1;
    }

    rc = 0;

    for (n = 1; rc == 0 && fgets(line, sizeof(line), f); n++) {
        snprintf(c->where, sizeof(c->where), "%.250s:%u", path, n);
        len = strlen(line);

        if (len == sizeof(line) - 1 && line[len - 1] != '\n') {
            fprintf(stderr, "cx-aggregator: %s: line is too long\n", c->where);
            rc = -1;
            break;
        }

        line[strcspn(line, "\r\n")] = '\0';
        rc = cx_conf_line(c, line);
    }

    fclose(f);

    return rc;
}


/* CX_AGG_LOG_LEVEL=debug, CX_AGG_SITE="a b" */

static int
cx_conf_environment(cx_conf_t *c)
{
    char   name[64], *value, *word, *save;
    size_t i, k;

    for (i = 0; i < CX_SETTINGS; i++) {
        snprintf(name, sizeof(name), "CX_AGG_%s", cx_settings[i].name);

        for (k = 7; name[k]; k++) {
            name[k] = name[k] == '-'   ? '_'
                      : name[k] >= 'a' ? (char) (name[k] - 'a' + 'A')
                                       : name[k];
        }

        if (getenv(name) == NULL) {
            continue;
        }

        value = strdup(getenv(name));
        snprintf(c->where, sizeof(c->where), "environment %s", name);

        if (value == NULL) {
            return -1;
        }

        word = cx_settings[i].kind == CX_SET_SITE ? strtok_r(value, " ,", &save)
                                                  : value;

        while (word) {
            if (cx_conf_set(c, i, word, "environment")) {
                free(value);
                return -1;
            }

            word = cx_settings[i].kind == CX_SET_SITE
                       ? strtok_r(NULL, " ,", &save)
                       : NULL;
        }

        free(value);
    }

    return 0;
}


/* flags that take no setting: 1 done, 0 go on, -1 unknown */

static int
cx_conf_switch(cx_conf_t *c, const char *arg, int *check)
{
    if (strcmp(arg, "--help") == 0) {
        cx_conf_help();
        return 1;
    }

    if (strcmp(arg, "--version") == 0) {
        printf("cx-aggregator " CX_VERSION "\n");
        return 1;
    }

    if (strcmp(arg, "--once") == 0) {
        c->conf->once = 1;

    } else if (strcmp(arg, "--rebuild-scores") == 0) {
        c->conf->rebuild = 1;

    } else if (strcmp(arg, "--check-config") == 0) {
        *check = 1;

    } else {
        return -1;
    }

    return 0;
}


/*
 * One walk over the flags: with only set, for --config alone, which has to be
 * read before the environment.
 */

static int
cx_conf_flags(cx_conf_t *c, int argc, char **argv, const char **file,
              int *check)
{
    int   i, k, rc;
    char *name, *value;

    for (i = 1; i < argc; i++) {
        snprintf(c->where, sizeof(c->where), "command line");
        rc = file ? -1 : cx_conf_switch(c, argv[i], check);

        if (rc > 0) {
            return 1;
        }

        if (rc == 0) {
            continue;
        }

        name = argv[i] + (strncmp(argv[i], "--", 2) == 0 ? 2 : 0);
        value = strchr(name, '=');
        k = cx_conf_find(name, value ? (size_t) (value - name) : strlen(name));

        if (name == argv[i] || (k < 0 && strncmp(name, "config", 6) != 0)) {
            if (file) {
                continue;
            }

            fprintf(stderr,
                    "cx-aggregator: unknown argument \"%s\", see "
                    "--help\n",
                    argv[i]);
            return -1;
        }

        value = value ? value + 1 : i + 1 < argc ? argv[++i] : NULL;

        if (value == NULL) {
            fprintf(stderr, "cx-aggregator: --%s needs a value\n", name);
            return -1;
        }

        if (k < 0 && file) {
            *file = value;

        } else if (k >= 0 && !file && cx_conf_set(c, (size_t) k, value, "flag"))
        {
            return -1;
        }
    }

    return 0;
}


int
cx_agg_conf(cx_agg_conf_t *conf, int argc, char **argv)
{
    int         rc, check;
    size_t      i;
    cx_conf_t   c;
    const char *file;

    memset(conf, 0, sizeof(cx_agg_conf_t));
    memset(&c, 0, sizeof(cx_conf_t));
    c.conf = conf;
    check = 0;
    file = NULL;

    for (i = 0; i < CX_SETTINGS; i++) {
        if (cx_settings[i].kind >= CX_SET_LEVEL) {
            *(int64_t *) ((char *) conf + cx_settings[i].offset)
                = cx_settings[i].value;
        }
    }

    (void) cx_redis_line(&conf->redis, &conf->redis_words, CX_REDIS_DEFAULT);

    rc = cx_conf_flags(&c, argc, argv, &file, &check);

    if (rc == 0 && file) {
        rc = cx_conf_file(&c, file);
    }

    if (rc == 0) {
        rc = cx_conf_environment(&c);
    }

    if (rc == 0) {
        rc = cx_conf_flags(&c, argc, argv, NULL, &check);
    }

    if (rc == 0) {
        rc = cx_conf_tuning(&c);
    }

    if (rc == 0 && check) {
        cx_conf_show(&c);
        rc = 1;
    }

    cx_agg_log_level = (int) conf->log_level;

    return rc;
}


void
cx_agg_conf_free(cx_agg_conf_t *conf)
{
    unsigned i;

    for (i = 0; i < conf->sites; i++) {
        free(conf->site[i]);
    }

    free(conf->site);
    free(conf->thresholds);
    free(conf->redis_words);
}
