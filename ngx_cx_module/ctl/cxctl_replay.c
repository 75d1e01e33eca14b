/* cxctl replay: what the edge would have seen in an access log. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_replay.h"

#define CX_BACK_MS 600000 /* that a line may be older than those before it */

typedef struct {
    char    *name;
    int64_t  first; /* Unix ms of its first line */
    unsigned at;    /* as it was named */
} cx_replay_file_t;


static void
cx_replay_bad(cx_replay_t *p, const cx_log_t *l, const char *why)
{
    cx_replay_bad_t *bad;

    if (p->lines[CX_REPLAY_BAD] < CX_REPLAY_TOLD) {
        bad = &p->bad[p->lines[CX_REPLAY_BAD]];
        bad->file = l->name;
        bad->line = l->line;
        bad->why = why;
    }

    p->lines[CX_REPLAY_BAD]++;
}


/* the time of a line, and what it ends */

static void
cx_replay_clock(cx_replay_t *p, const cx_line_t *f)
{
    p->first = p->first < 0 || f->end < p->first ? f->end : p->first;
    p->last = f->end > p->last ? f->end : p->last;

    /* another log, from the beginning: no visit goes on there */

    if (f->end < p->now - CX_BACK_MS) {
        p->backwards++;
        cx_replay_idle(p, p->now, 1);
        p->now = f->end;
    }

    p->now = f->end > p->now ? f->end : p->now;
    cx_replay_idle(p, p->now, 0);
}


static int
cx_replay_ignored(const cx_ctl_t *c, const cx_line_t *f)
{
    size_t         len;
    unsigned       i;
    unsigned char *p;

    p = memchr(f->uri.data, '?', f->uri.len);
    len = p ? (size_t) (p - f->uri.data) : f->uri.len;

    for (i = 0; i < c->n_roles; i++) {
        if (c->role[i].role == 0
            && cx_replay_glob(c->role[i].pattern, f->uri.data, len))
        {
            return 1;
        }
    }

    return 0;
}


/* CX_REPLAY_*, and the edge's rules are asked */

static int
cx_replay_sort(cx_replay_t *p, const cx_line_t *f)
{
    int kind;

    if (f->uri.len == 0) {
        return CX_REPLAY_NONE;
    }

    if (f->has & CX_LOG_AGENT) {
        switch (cx_agent(f->agent.data, f->agent.len)) {
        case CX_AGENT_BOT:
            return CX_REPLAY_BOT;

        case CX_AGENT_HEALTH:
            return CX_REPLAY_HEALTH;

        default: /* CX_AGENT_PERSON */
            break;
        }
    }

    if (p->ctl->n_roles && cx_replay_ignored(p->ctl, f)) {
        return CX_REPLAY_IGNORED;
    }

    kind = cx_replay_kind(f);

    if (kind == CX_STEP_ASSET && f->status < 400) {
        return CX_REPLAY_ASSET;
    }

    if (kind >= 0) {
        cx_replay_take(p, f, kind);
    }

    return kind < 0 || kind == CX_STEP_POST ? CX_REPLAY_OTHER
           : kind == CX_STEP_ASSET          ? CX_REPLAY_ASSET
           : f->purpose.len                 ? CX_REPLAY_PREFETCH
           : kind == CX_STEP_REDIRECT       ? CX_REPLAY_REDIRECT
                                            : CX_REPLAY_VIEW;
}


static int
cx_replay_log(cx_replay_t *p, cx_log_t *l)
{
    int         rc;
    cx_str_t    line;
    cx_line_t   f;
    const char *why;

    for (;;) {
        rc = cx_log_next(l, &line);

        if (rc <= 0) {
            return rc;
        }

        p->lines[CX_REPLAY_READ]++;
        why = line.data ? cx_log_parse(&f, &line, p->ctl->format)
                        : "longer than 1 MB";

        if (why) {
            cx_replay_bad(p, l, why);
            continue;
        }

        p->has |= f.has;
        cx_replay_clock(p, &f);
        p->lines[cx_replay_sort(p, &f)]++;
    }
}


/* ---- files ---- */

static int
cx_replay_order(const void *a, const void *b)
{
    const cx_replay_file_t *f, *g;

    f = a;
    g = b;

    if (f->first != g->first) {
        return f->first < g->first ? -1 : 1;
    }

    return f->at < g->at ? -1 : 1;
}


/* the beginning of each file says in which order they were written */

static int
cx_replay_look(cx_replay_t *p, cx_replay_file_t *file, unsigned n,
               cx_log_t *input)
{
    unsigned    i;
    cx_log_t    l, *log;
    cx_guess_t *g;

    g = cx_guess_begin();

    for (i = 0; i < n; i++) {
        log = strcmp(file[i].name, "-") == 0 ? input : &l;

        if (log == input && input->buf) {
            fputs("cxctl: \"-\" is there twice\n", stderr);
            free(cx_guess_end(g));
            return -1;
        }

        if (cx_log_open(log, file[i].name) || cx_log_peek(log)) {
            free(cx_guess_end(g));
            return -1;
        }

        file[i].first = cx_guess_take(g, log, p->ctl->format);

        if (log == &l) {
            l.eof = 0; /* it is read again, and damage is told then */
            (void) cx_log_close(&l);
        }
    }

    p->host = cx_guess_end(g);
    qsort(file, n, sizeof(cx_replay_file_t), cx_replay_order);

    return 0;
}


static int
cx_replay_files(cx_replay_t *p)
{
    int               rc;
    unsigned          i;
    cx_log_t          l, input, *log;
    cx_replay_file_t *file;

    memset(&input, 0, sizeof(cx_log_t));
    file = cx_alloc((p->ctl->n_args + 1) * sizeof(cx_replay_file_t));

    for (i = 0; i < p->ctl->n_args; i++) {
        file[i].name = p->ctl->args[i];
        file[i].at = i;
    }

    rc = cx_replay_look(p, file, p->ctl->n_args, &input);

    for (i = 0; i < p->ctl->n_args && rc == 0; i++) {
        log = strcmp(file[i].name, "-") == 0 ? &input : &l;
        rc = log == &l ? cx_log_open(&l, file[i].name) : 0;

        if (rc == 0) {
            rc = cx_replay_log(p, log);
            rc = cx_log_close(log) || rc ? -1 : 0;
        }
    }

    free(input.buf);
    free(file);

    return rc;
}


int
cx_ctl_cmd_replay(cx_ctl_t *c)
{
    int         rc;
    cx_replay_t p;

    memset(&p, 0, sizeof(cx_replay_t));
    p.ctl = c;
    p.tuning = c->tuning;
    p.first = -1;

    if (cx_replay_files(&p)) {
        rc = CX_CTL_ERROR;

    } else {
        cx_replay_idle(&p, 0, 1);
        cx_replay_print(&p);
        rc = p.lines[CX_REPLAY_READ] > p.lines[CX_REPLAY_BAD] ? CX_CTL_OK
                                                              : CX_CTL_BAD;
    }

    free((char *) p.host);
    cx_replay_free(&p);

    return rc;
}
