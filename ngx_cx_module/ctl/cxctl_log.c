/* Lines of a log: a file, standard input, or what gzip makes of a file. */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cxctl.h"
#include "cxctl_log.h"

extern char **environ;


static int
cx_log_error(const cx_log_t *l, const char *what, int err)
{
    fprintf(stderr, "cxctl: %s: %s%s%s\n", l->name, what, err ? ": " : "",
            err ? strerror(err) : "");

    return -1;
}


/* gzip reads the open file and writes into a pipe: no shell, no file name */

static int
cx_log_gzip(cx_log_t *l)
{
    int                        err, fds[2];
    pid_t                      pid;
    posix_spawn_file_actions_t actions;
    static char *args[] = { (char *) "gzip", (char *) "-dc", NULL };

    if (pipe(fds)) {
        return cx_log_error(l, "pipe", errno);
    }

    (void) fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, l->fd, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    posix_spawn_file_actions_addclose(&actions, fds[1]);
    err = posix_spawnp(&pid, "gzip", &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);

    if (err) {
        close(fds[0]);
        return cx_log_error(l, "gzip", err);
    }

    close(l->fd);
    l->fd = fds[0];
    l->pid = pid;

    return 0;
}


int
cx_log_open(cx_log_t *l, const char *name)
{
    size_t len;

    memset(l, 0, sizeof(cx_log_t));
    l->name = name;
    len = strlen(name);

    if (strcmp(name, "-") != 0) {
        l->fd = open(name, O_RDONLY | O_CLOEXEC);

        if (l->fd < 0) {
            return cx_log_error(l, "cannot be opened", errno);
        }

        if (len > 3 && strcmp(name + len - 3, ".gz") == 0 && cx_log_gzip(l)) {
            close(l->fd);
            return -1;
        }
    }

    l->buf = cx_alloc(CX_LOG_BUFFER);

    return 0;
}


/* reads on; 0, or -1 */

static int
cx_log_read(cx_log_t *l)
{
    ssize_t n;

    if (l->start) {
        memmove(l->buf, l->buf + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }

    do {
        n = read(l->fd, l->buf + l->end, CX_LOG_BUFFER - l->end);
    } while (n < 0 && errno == EINTR);

    if (n < 0) {
        return cx_log_error(l, "cannot be read", errno);
    }

    l->end += (size_t) n;
    l->eof = n == 0;

    return 0;
}


int
cx_log_peek(cx_log_t *l)
{
    while (!l->eof && l->end - l->start < CX_LOG_BUFFER) {
        if (cx_log_read(l)) {
            return -1;
        }
    }

    return 0;
}


/* where the line ends that begins at l->start; NULL: it has none yet */

static unsigned char *
cx_log_end(cx_log_t *l)
{
    size_t         seen;
    unsigned char *nl;

    seen = 0;

    for (;;) {
        nl = memchr(l->buf + l->start + seen, '\n', l->end - l->start - seen);

        if (nl || l->eof) {
            return nl;
        }

        seen = l->end - l->start;

        if (seen == CX_LOG_BUFFER) {
            return NULL;
        }

        if (cx_log_read(l)) {
            l->failed = 1;
            return NULL;
        }
    }
}


int
cx_log_next(cx_log_t *l, cx_str_t *line)
{
    int            cut;
    unsigned char *nl;

    for (;;) {
        nl = cx_log_end(l);

        if (l->failed) {
            return -1;
        }

        line->data = l->buf + l->start;
        line->len = nl ? (size_t) (nl - line->data) : l->end - l->start;

        if (nl == NULL && line->len == 0) {
            return 0;
        }

        l->start += line->len + (nl != NULL);
        cut = l->cut;
        l->cut = nl == NULL && !l->eof;

        if (cut) { /* the rest of one that was told already */
            continue;
        }

        l->line++;

        if (l->cut) {
            line->data = NULL;

        } else if (line->len && line->data[line->len - 1] == '\r') {
            line->len--;
        }

        return 1;
    }
}


int
cx_log_close(cx_log_t *l)
{
    int status;

    if (l->fd > 0) {
        close(l->fd);
    }

    free(l->buf);
    l->buf = NULL;

    if (l->pid == 0) {
        return 0;
    }

    while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR) {
        /* void */
    }

    /* what nobody read to the end is no damage, nor is a warning: 2 */

    if (!l->eof
        || (WIFEXITED(status)
            && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2)))
    {
        return 0;
    }

    return cx_log_error(l, "gzip could not read it to the end", 0);
}
