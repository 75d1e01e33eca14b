/* cxctl: what the aggregator made of the events, for people and programs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cxctl.h"
#include "cx_version.h"

/* asks one site, every site if none is named, nothing or for itself */
enum { CX_ONE, CX_EVERY, CX_LOCAL };

#define CX_ANY 1000000

typedef struct {
    const char *name;
    const char *arg; /* name of its argument, NULL: none */
    int (*run)(cx_ctl_t *c);
    int         kind;  /* CX_ONE ... */
    long        limit; /* default */
    const char *what;
    unsigned    least; /* arguments it needs, */
    unsigned    most;  /* and takes, CX_ANY: any number */
} cx_ctl_command_t;

static const cx_ctl_command_t cx_commands[] = {
    { "pages", NULL, cx_ctl_cmd_pages, CX_ONE, 20,
      "pages of a window with effort, satisfaction, NPS; worst first", 0, 0 },
    { "page", "KEY", cx_ctl_cmd_page, CX_ONE, 0,
      "all figures and counters of one page", 1, 1 },
    { "surveys", NULL, cx_ctl_cmd_surveys, CX_LOCAL, 0,
      "surveys of a day: who could get them, who answered, result", 0, 2 },
    { "surveys why", "PAGE", cx_ctl_cmd_why, CX_LOCAL, 0,
      "which surveys of --file a page gets, why not the others", 0, 0 },
    { "link", "SURVEY RECIPIENT [SCORE]", cx_ctl_cmd_link, CX_LOCAL, 0,
      "address of a survey's form for an e-mail; needs no Redis", 2, 3 },
    { "verbatims", NULL, cx_ctl_cmd_verbatims, CX_ONE, 20,
      "what people wrote, newest first", 0, 0 },
    { "tail", NULL, cx_ctl_cmd_tail, CX_ONE, 0,
      "events as they arrive, until --limit or Ctrl-C", 0, 0 },
    { "lag", NULL, cx_ctl_cmd_lag, CX_EVERY, 0,
      "how far the aggregator is behind; status 1 if over a --max", 0, 0 },
    { "check", NULL, cx_ctl_cmd_check, CX_EVERY, 0,
      "whether counters, figures and ranks agree; status 1 if not", 0, 0 },
    { "signals", NULL, cx_ctl_cmd_signals, CX_LOCAL, 0,
      "the signals of struggle: rule, strength, source; needs no Redis", 0, 0 },
    { "replay", "FILE...", cx_ctl_cmd_replay, CX_LOCAL, 20,
      "pages of an access log, worst first; needs no Redis", 1, CX_ANY }
};

#define CX_CTL_TIMEOUT 10000 /* ms, of Redis */

#define CX_COMMANDS (sizeof(cx_commands) / sizeof(cx_commands[0]))


static void
cx_ctl_help(void)
{
    char   name[48];
    size_t i;

    printf("cxctl " CX_VERSION ": reads what cx-aggregator made of the "
           "events of ngx_cx\n\nusage: cxctl COMMAND [options]\n\n");

    for (i = 0; i < CX_COMMANDS; i++) {
        snprintf(name, sizeof(name), "%s %s", cx_commands[i].name,
                 cx_commands[i].arg ? cx_commands[i].arg : "");
        printf("  %-15s%s%s\n", name,
               strlen(name) > 14 ? "\n                 " : "",
               cx_commands[i].what);
    }

    printf("\n"
           "  --redis WORDS    or CX_REDIS; one argument, in the words of "
           "nginx's cx_redis:\n"
           "                   redis://[[user]:password@]host[:port][/db], "
           "rediss://...,\n"
           "                   unix:/path[?db=n], several redis:// of a "
           "cluster, or\n"
           "                   sentinel://host[:port]... master=name\n"
           "                   (redis://127.0.0.1:6379)\n"
           "  --site NAME      or CX_SITE; not needed while there is one\n"
           "  --window WINDOW  d or h: today or this hour, in UTC; or which: "
           "20261121,\n"
           "                   2026112121, yesterday (d)\n"
           "  --by METRIC      pages: effort, satisfaction, nps, impact or "
           "views (impact)\n"
           "  --limit N        rows; 0: all\n"
           "  --max SECONDS    lag: how far behind is all right (60)\n"
           "  --max-entries N, --max-rejected N\n"
           "                   lag: so many unread, so many set aside are all "
           "right (any)\n"
           "  --thresholds FILE\n"
           "                   or CX_THRESHOLDS; the file that nginx and the "
           "aggregator read\n"
           "  --json           for programs\n"
           "  --prometheus     lag: for a textfile collector\n"
           "  --markdown       signals: for conf/signals.md\n"
           "  --file FILE      surveys why: the file of cx_surveys\n"
           "  --lang, --touchpoint, --stage, --segment, --device "
           "(phone, tablet, desktop),\n"
           "  --visitors (new, returning)\n"
           "                   surveys why: of the page and the visit; what "
           "is not said is\n"
           "                   told as a condition\n"
           "  --secret FILE    link: the file of cx_secret\n"
           "  --prefix URL     link: of the endpoint (/_cx/)\n"
           "  --days N         link: that it can be followed (30)\n"
           "  --version, --help\n\n"
           "cxctl replay --help says what a log must hold.\n\n"
           "Exit status: 0 fine, 1 lag or check found something, the page is "
           "not known or no\nline of the log is understood, 2 the question "
           "could not be answered.\n");
}


int
cx_ctl_bad(const char *what, const char *value, const char *expected)
{
    fprintf(stderr, "cxctl: %s \"%s\": %s\n", what, value, expected);

    return -1;
}


static int
cx_ctl_window(cx_ctl_t *c, const char *s)
{
    size_t   len;
    int64_t  now;
    cx_str_t text;

    now = (int64_t) time(NULL) * 1000;
    c->gran = *s == 'h' ? CX_HOUR : CX_DAY;

    if (strcmp(s, "h") == 0 || strcmp(s, "d") == 0) {
        c->window = cx_window(c->gran, now);
        return 0;
    }

    if (strcmp(s, "yesterday") == 0) {
        c->window = cx_window(CX_DAY, now - cx_window_len(CX_DAY));
        return 0;
    }

    s += (*s == 'h' || *s == 'd') && s[1] == ':' ? 2 : 0;
    len = strlen(s);
    c->gran = len == 10 ? CX_HOUR : CX_DAY;
    text.data = (unsigned char *) s;
    text.len = len;

    if ((len != 8 && len != 10) || cx_number(&c->window, &text)
        || cx_window_start(c->gran, c->window) < 0)
    {
        return cx_ctl_bad("--window", s,
                          "expected d, h, yesterday, a day "
                          "like 20261121 or an hour like 2026112121");
    }

    return 0;
}


static int
cx_ctl_by(cx_ctl_t *c, const char *s)
{
    int i;

    for (i = 0; i < CX_RANK_N; i++) {
        if (strcmp(s, cx_rank_names[i]) == 0) {
            c->by = i;
            return 0;
        }
    }

    c->by = -1;

    return strcmp(s, "views") == 0
               ? 0
               : cx_ctl_bad("--by", s,
                            "expected effort, satisfaction, nps, "
                            "impact or views");
}


static int
cx_ctl_count(long *n, const char *name, const char *s)
{
    char *end;

    *n = strtol(s, &end, 10);

    return *s >= '0' && *s <= '9' && *end == '\0' && *n <= 1000000000
               ? 0
               : cx_ctl_bad(name, s, "expected a number");
}


/* one site by name: --site, CX_SITE */

static int
cx_ctl_site(cx_ctl_t *c, const char *s)
{
    cx_str_t name;

    name.data = (unsigned char *) s;
    name.len = strlen(s);

    if (!cx_site_ok(&name)) {
        return cx_ctl_bad("--site", s,
                          "expected 1 to 64 of A-Z a-z 0-9 _ . "
                          ": - and /, without a shard's /number");
    }

    while (c->n_sites) {
        free(c->sites[--c->n_sites]);
    }

    cx_ctl_site_add(c, &name);

    return 0;
}


static int
cx_ctl_redis(cx_ctl_t *c, const char *s)
{
    const char *err;

    err = cx_redis_line(&c->target, &c->words, s);

    return err ? cx_ctl_bad("--redis", "...", err) : 0;
}


static int
cx_ctl_option(cx_ctl_t *c, const char *name, char *value)
{
    int rc;

    if (strcmp(name, "--redis") == 0) {
        return cx_ctl_redis(c, value);
    }

    if (strcmp(name, "--site") == 0) {
        return cx_ctl_site(c, value);
    }

    if (strcmp(name, "--window") == 0) {
        return cx_ctl_window(c, value);
    }

    if (strcmp(name, "--by") == 0) {
        return cx_ctl_by(c, value);
    }

    if (strcmp(name, "--limit") == 0) {
        return cx_ctl_count(&c->limit, name, value);
    }

    if (strcmp(name, "--max") == 0) {
        return cx_ctl_count(&c->max, name, value);
    }

    if (strcmp(name, "--max-entries") == 0) {
        return cx_ctl_count(&c->max_entries, name, value);
    }

    if (strcmp(name, "--max-rejected") == 0) {
        return cx_ctl_count(&c->max_rejected, name, value);
    }

    if (strcmp(name, "--thresholds") == 0) {
        return cx_ctl_tuning(c, value);
    }

    rc = cx_replay_option(c, name, value);
    rc = rc == 1 ? cx_survey_option(c, name, value) : rc;

    return rc <= 0 ? rc
                   : cx_ctl_bad("unknown option", name, "see cxctl --help");
}


static const cx_ctl_command_t *
cx_ctl_command(const char *name)
{
    size_t i;

    for (i = 0; i < CX_COMMANDS; i++) {
        if (strcmp(name, cx_commands[i].name) == 0) {
            return &cx_commands[i];
        }
    }

    fprintf(stderr, "cxctl: unknown command \"%s\", see cxctl --help\n", name);

    return NULL;
}


/* an option, maybe with the next argument as its value; 0, or -1 */

static int
cx_ctl_flag(cx_ctl_t *c, int argc, char **argv, int *i)
{
    char *value, name[64];

    if (strcmp(argv[*i], "--json") == 0) {
        c->json = 1;
        return 0;
    }

    if (strcmp(argv[*i], "--prometheus") == 0) {
        c->prometheus = 1;
        return 0;
    }

    if (strcmp(argv[*i], "--markdown") == 0) {
        c->markdown = 1;
        return 0;
    }

    value = strchr(argv[*i], '=');
    snprintf(name, sizeof(name), "%.*s", (int) (value ? value - argv[*i] : 60),
             argv[*i]);
    value = value ? value + 1 : *i + 1 < argc ? argv[++*i] : NULL;

    return value ? cx_ctl_option(c, name, value)
                 : cx_ctl_bad("option", name, "needs a value");
}


/* the command, a page key, or a file; 0, or -1 */

static int
cx_ctl_word(cx_ctl_t *c, char *word, const cx_ctl_command_t **cmd)
{
    if (*cmd == NULL) {
        *cmd = cx_ctl_command(word);
        return *cmd ? 0 : -1;
    }

    if (c->n_args >= (*cmd)->most) {
        return cx_ctl_bad("argument", word, "is one too many");
    }

    c->arg = c->arg ? c->arg : word;
    c->args[c->n_args++] = word;

    return 0;
}


/* 1: done, 0: go on, -1: bad */

static int
cx_ctl_args(cx_ctl_t *c, int argc, char **argv, const cx_ctl_command_t **cmd)
{
    int i, rc;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            if (*cmd && (*cmd)->run == cx_ctl_cmd_replay) {
                cx_replay_help();

            } else {
                cx_ctl_help();
            }

            return 1;
        }

        if (strcmp(argv[i], "--version") == 0) {
            printf("cxctl " CX_VERSION "\n");
            return 1;
        }

        rc = strncmp(argv[i], "--", 2) == 0 ? cx_ctl_flag(c, argc, argv, &i)
                                            : cx_ctl_word(c, argv[i], cmd);

        if (rc) {
            return -1;
        }
    }

    if (*cmd == NULL) {
        cx_ctl_help();
        return -1;
    }

    if (c->n_args < (*cmd)->least) {
        return cx_ctl_bad("command", (*cmd)->name,
                          (*cmd)->run == cx_ctl_cmd_page ? "needs a page key"
                          : (*cmd)->run == cx_ctl_cmd_link
                              ? "needs a survey and a recipient"
                              : "needs files, or - for standard input");
    }

    return 0;
}


/* who is there; connecting waits until something is asked */

static int
cx_ctl_connect(cx_ctl_t *c)
{
    cx_nodes_init(&c->nodes, &c->target, CX_CTL_TIMEOUT);

    if (cx_nodes_find(&c->nodes)) {
        fprintf(stderr, "cxctl: %s\n", c->nodes.error);
        return -1;
    }

    return 0;
}


/* which site, when none was named */

static int
cx_ctl_choose(cx_ctl_t *c, int one)
{
    unsigned i;

    if (c->n_sites == 0 && cx_ctl_find_sites(c)) {
        return -1;
    }

    if (c->n_sites == 0) {
        fprintf(stderr, "cxctl: %s: no site has any events\n", c->target.label);
        return -1;
    }

    if (c->n_sites > 1 && one) {
        fprintf(stderr, "cxctl: which --site:");

        for (i = 0; i < c->n_sites; i++) {
            fprintf(stderr, " %s", c->sites[i]);
        }

        fputc('\n', stderr);
        return -1;
    }

    return one ? cx_ctl_parts(c, c->sites[0]) : 0;
}


int
cx_ctl_open(cx_ctl_t *c, int one)
{
    return cx_ctl_connect(c) || cx_ctl_choose(c, one) ? -1 : 0;
}


int
main(int argc, char **argv)
{
    int                     rc;
    cx_ctl_t                c;
    const char             *env;
    const cx_ctl_command_t *cmd;

    memset(&c, 0, sizeof(cx_ctl_t));
    c.none.fd = -1;
    c.away.redis.fd = -1;
    c.failed = &c.none;
    c.limit = -1;
    c.max = 60;
    c.max_entries = -1;
    c.max_rejected = -1;
    c.by = CX_RANK_IMPACT;
    c.args = cx_alloc((size_t) (argc + 1) * sizeof(char *));
    cx_tuning_default(&c.tuning);
    cmd = NULL;
    (void) cx_ctl_window(&c, "d");
    env = getenv("CX_REDIS");
    rc = cx_ctl_redis(&c, env ? env : "redis://127.0.0.1:6379");
    env = getenv("CX_SITE");

    if (rc == 0 && env && *env) {
        rc = cx_ctl_site(&c, env);
    }

    env = getenv("CX_THRESHOLDS");

    if (rc == 0 && env && *env) {
        rc = cx_ctl_tuning(&c, env);
    }

    rc = rc ? -1 : cx_ctl_args(&c, argc, argv, &cmd);

    if (rc) {
        rc = rc < 0 ? CX_CTL_ERROR : CX_CTL_OK;

    } else if (cmd->kind != CX_LOCAL && cx_ctl_open(&c, cmd->kind == CX_ONE)) {
        rc = CX_CTL_ERROR;

    } else {
        c.limit = c.limit < 0 ? cmd->limit : c.limit;
        rc = cmd->run(&c);
    }

    while (c.n_sites) {
        free(c.sites[--c.n_sites]);
    }

    while (c.n_roles) {
        free(c.role[--c.n_roles].pattern);
    }

    /* a disk that is full, a reader that is gone */

    if (fflush(stdout) || ferror(stdout)) {
        fputs("cxctl: what it says could not be written\n", stderr);
        rc = CX_CTL_ERROR;
    }

    free(c.args);
    free(c.sites);
    cx_ctl_drop(&c);
    cx_nodes_free(&c.nodes);
    cx_redis_free(&c.none);
    cx_redis_free(&c.away.redis);
    cx_reply_free(&c.reply);
    free(c.words);

    return rc;
}
