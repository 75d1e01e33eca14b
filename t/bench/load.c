
/*
 * HTTP/1.1 load over kept connections to 127.0.0.1, and what it costs the
 * server: CPU time of the processes watched, counted until they are quiet, so
 * that work they put off is paid for as well.
 *
 *   load -p port -f requests [-c connections] [-t ms] [-n requests]
 *        [-r requests/s] [-H header]... [-v requests] [-s status] [-x bytes]
 *        [-C cpu] [-w name:pid]... [-l]
 *
 *   -f  one request a line, taken in turn: "METHOD path", for a body a tab and
 *       the body
 *   -r  open loop with Poisson arrivals; without it every connection sends its
 *       next request when it has the answer
 *   -v  "@VISITOR" in a header becomes a new 8 digits after so many requests
 *   -s, -x  status and body length that are right; others count as bad
 *   -l  adds p50=, p99= and max= of the time to the end of an answer, in us;
 *       with -r from when its request was due
 *
 * Prints one line: requests=<n> bad=<n> secs=<s> cpu_<name>=<us, in all>
 */

#define _GNU_SOURCE

#include "bench_cpu.h"
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOAD_CONNS_MAX     256
#define LOAD_REQUESTS_MAX  20000
#define LOAD_MS_MAX        1000000
#define LOAD_READ          65536
#define LOAD_VISITOR       "@VISITOR"

/* quiet: so many checks in a row, so far apart, with no more CPU than this */
#define LOAD_QUIET_CHECKS  5
#define LOAD_QUIET_US      10000
#define LOAD_QUIET_CPU     150
#define LOAD_QUIET_MAX     300


typedef struct {
    char    *bytes;
    size_t   len;
    char    *visitor;                /* in bytes, or NULL */
} load_request_t;


static struct {
    int              port;
    int              conns;
    int              cpu;
    int              status;         /* 0: any */
    long             body;           /* -1: any */
    double           ms;
    double           rate;           /* 0: closed loop */
    uint64_t         max;
    uint64_t         same;           /* requests of a visitor */
    int              latency;
    char             headers[2048];
    const char      *file;
    int              watched;
    bench_watch_t    watch[BENCH_WATCH_MAX];
} load_conf = { .conns = 16, .cpu = -1, .body = -1, .ms = 1000,
                .max = UINT64_MAX, .same = 1 };

static load_request_t  load_request[LOAD_REQUESTS_MAX];
static size_t          load_requests;

static load_conn_t     load_conn[LOAD_CONNS_MAX];
static int             load_epoll;
static uint32_t        load_visitor;     /* the first one of this run */
static uint64_t        load_sent, load_done, load_bad;


static void
load_fail(const char *what)
{
    perror(what);
    exit(1);
}


/* ---- requests ---- */

static void
load_add(char *line)
{
    char            *path, *body, *bytes;
    size_t           size;
    load_request_t  *rq;

    path = strchr(line, ' ');

    if (path == NULL || load_requests == LOAD_REQUESTS_MAX) {
        fprintf(stderr, "load: bad line, or too many of them\n");
        exit(2);
    }

    *path++ = '\0';
    body = strchr(path, '\t');

    if (body) {
        *body++ = '\0';
    }

    size = strlen(line) + strlen(path) + strlen(load_conf.headers)
           + (body ? strlen(body) : 0) + 128;

    bytes = malloc(size);
    if (bytes == NULL) {
        load_fail("malloc");
    }

    rq = &load_request[load_requests++];
    rq->bytes = bytes;

    if (body) {
        rq->len = sprintf(bytes, "%s %s HTTP/1.1\r\n%sContent-Length: %zu\r\n"
                          "\r\n%s", line, path, load_conf.headers,
                          strlen(body), body);

    } else {
        rq->len = sprintf(bytes, "%s %s HTTP/1.1\r\n%s\r\n", line, path,
                          load_conf.headers);
    }

    rq->visitor = strstr(bytes, LOAD_VISITOR);
}


static void
load_read_requests(void)
{
    FILE    *f;
    char    *line;
    size_t   size;
    ssize_t  n;

    f = fopen(load_conf.file, "r");
    if (f == NULL) {
        load_fail(load_conf.file);
    }

    line = NULL;
    size = 0;

    while ((n = getline(&line, &size, f)) > 0) {
        if (line[n - 1] == '\n') {
            line[n - 1] = '\0';
        }

        load_add(line);
    }

    free(line);
    fclose(f);

    if (load_requests == 0) {
        fprintf(stderr, "load: no requests\n");
        exit(2);
    }
}


/* ---- connections ---- */

static void
load_connect(load_conn_t *c)
{
    int                 one;
    struct sockaddr_in  sin;
    struct epoll_event  ev;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(load_conf.port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->busy = 0;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0)
    {
        load_fail("connect");
    }

    one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);

    ev.events = EPOLLIN;
    ev.data.ptr = c;

    if (epoll_ctl(load_epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        load_fail("epoll_ctl");
    }
}


static void
load_send(load_conn_t *c)
{
    char             digits[16];
    load_request_t  *rq;

    rq = &load_request[load_sent % load_requests];

    if (rq->visitor) {
        snprintf(digits, sizeof(digits), "%08x",
                 (uint32_t) (load_visitor + load_sent / load_conf.same));
        memcpy(rq->visitor, digits, sizeof(LOAD_VISITOR) - 1);
    }

    if (load_conf.latency) {
        c->due = load_conf.rate ? load_latency_next()
                                : bench_clock_us(CLOCK_MONOTONIC);
    }

    c->busy = 1;
    c->state = LOAD_HEAD;
    c->len = 0;
    c->body = 0;

    load_sent++;

    if (send(c->fd, rq->bytes, rq->len, MSG_NOSIGNAL) != (ssize_t) rq->len) {
        load_fail("send");
    }
}


/* 1: complete, 0: more will come, -1: the connection is lost */

static int
load_recv(load_conn_t *c)
{
    int          done;
    ssize_t      n;
    static char  buf[LOAD_READ];

    for ( ;; ) {

        if (c->state == LOAD_DATA && c->left > LOAD_READ) {
            /* thrown away without a copy */
            n = recv(c->fd, NULL, c->left, MSG_TRUNC);
            done = n > 0 ? load_data(c, n) : 0;

        } else {
            n = recv(c->fd, buf, sizeof(buf), 0);
            done = n > 0 ? load_feed(c, buf, n) : 0;
        }

        if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
            return -1;
        }

        if (n == -1 || done) {
            return done;
        }
    }
}


static void
load_finish(load_conn_t *c, int ok)
{
    load_done++;

    if (load_conf.latency) {
        load_latency_add(bench_clock_us(CLOCK_MONOTONIC) - c->due);
    }

    if (!ok
        || (load_conf.status && c->status != load_conf.status)
        || (load_conf.body >= 0 && c->body != (uint64_t) load_conf.body))
    {
        load_bad++;
    }

    c->busy = 0;

    if (!ok || c->close) {
        close(c->fd);
        load_connect(c);
    }
}


/* ---- the run ---- */

static double
load_pause_us(void)
{
    static uint64_t  x = 88172645463325252u;

    /* xorshift: the same arrivals in every run */

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return -log(((x >> 11) + 1) / 9007199254740993.0) * 1e6 / load_conf.rate;
}


static void
load_wait(double us)
{
    int                 i, n, rc;
    load_conn_t        *c;
    struct timespec     ts;
    struct epoll_event  ev[LOAD_CONNS_MAX];

    us = us < 0 ? 0 : us > 50000 ? 50000 : us;

    ts.tv_sec = 0;
    ts.tv_nsec = us * 1e3;

    n = epoll_pwait2(load_epoll, ev, LOAD_CONNS_MAX, &ts, NULL);

    for (i = 0; i < n; i++) {
        c = ev[i].data.ptr;

        if (!c->busy) {
            /* closed between two requests, as servers may */
            close(c->fd);
            load_connect(c);
            continue;
        }

        rc = load_recv(c);

        if (rc != 0) {
            load_finish(c, rc > 0);
        }
    }
}


/* sends on idle connections, as many as due */

static uint64_t
load_send_due(uint64_t due)
{
    int  i;

    for (i = 0; i < load_conf.conns && due; i++) {
        if (!load_conn[i].busy) {
            load_send(&load_conn[i]);
            due--;
        }
    }

    return due;
}


static double
load_run(void)
{
    double    now, next, start, end;
    uint64_t  due, planned;

    start = bench_clock_us(CLOCK_MONOTONIC);
    end = start + load_conf.ms * 1e3;
    next = start;
    due = 0;
    planned = 0;

    for ( ;; ) {
        now = bench_clock_us(CLOCK_MONOTONIC);

        if (load_conf.rate == 0) {
            due = now < end ? load_conf.max - load_sent : 0;

        } else {
            while (next <= now && next < end && planned < load_conf.max) {
                if (load_conf.latency) {
                    load_latency_plan(next);
                }

                next += load_pause_us();
                planned++;
                due++;
            }
        }

        due = load_send_due(due);

        if (load_sent == load_done && due == 0
            && (now >= end || load_sent >= load_conf.max))
        {
            break;
        }

        if (now > end + 10e6) {
            fprintf(stderr, "load: %lu of %lu requests unanswered 10 s after "
                    "the end\n", (unsigned long) (load_sent - load_done),
                    (unsigned long) load_sent);
            exit(1);
        }

        load_wait(load_conf.rate && next < end ? next - now : 50000);
    }

    return (bench_clock_us(CLOCK_MONOTONIC) - start) / 1e6;
}


static double
load_watched_us(void)
{
    int     i;
    double  us;

    us = 0;

    for (i = 0; i < load_conf.watched; i++) {
        us += bench_clock_us(load_conf.watch[i].clock);
    }

    return us;
}


static void
load_until_quiet(void)
{
    int     i, quiet;
    double  us, last;

    quiet = 0;
    last = load_watched_us();

    for (i = 0; i < LOAD_QUIET_MAX && quiet < LOAD_QUIET_CHECKS; i++) {
        usleep(LOAD_QUIET_US);
        us = load_watched_us();
        quiet = us - last < LOAD_QUIET_CPU ? quiet + 1 : 0;
        last = us;
    }
}


static int
load_options(int argc, char **argv)
{
    int  opt;

    while ((opt = getopt(argc, argv, "p:f:c:t:n:r:H:v:s:x:C:w:l")) != -1) {
        switch (opt) {
        case 'p': load_conf.port = atoi(optarg); break;
        case 'f': load_conf.file = optarg; break;
        case 'c': load_conf.conns = atoi(optarg); break;
        case 't': load_conf.ms = atof(optarg); break;
        case 'n': load_conf.max = strtoull(optarg, NULL, 10); break;
        case 'r': load_conf.rate = atof(optarg); break;
        case 'v': load_conf.same = strtoull(optarg, NULL, 10); break;
        case 's': load_conf.status = atoi(optarg); break;
        case 'x': load_conf.body = atol(optarg); break;
        case 'C': load_conf.cpu = atoi(optarg); break;
        case 'l': load_conf.latency = 1; break;

        case 'H':
            if (strlen(load_conf.headers) + strlen(optarg) + 3
                > sizeof(load_conf.headers))
            {
                return -1;
            }

            strcat(strcat(load_conf.headers, optarg), "\r\n");
            break;

        case 'w':
            if (load_conf.watched == BENCH_WATCH_MAX
                || bench_watch(&load_conf.watch[load_conf.watched++], optarg))
            {
                return -1;
            }

            break;

        default:
            return -1;
        }
    }

    return load_conf.port > 0 && load_conf.file && load_conf.conns > 0
           && load_conf.conns <= LOAD_CONNS_MAX && load_conf.same > 0
           && load_conf.ms <= LOAD_MS_MAX ? 0 : -1;
}


int
main(int argc, char **argv)
{
    int             i;
    double          secs;
    bench_watch_t  *w;

    if (load_options(argc, argv) != 0) {
        fprintf(stderr, "load: wrong options, see the source\n");
        return 2;
    }

    if (load_conf.cpu >= 0) {
        bench_pin(load_conf.cpu);
    }

    load_read_requests();

    /* visitors of this run are not those of the last one */
    load_visitor = (uint64_t) bench_clock_us(CLOCK_REALTIME) / 20;

    load_epoll = epoll_create1(0);

    for (i = 0; i < load_conf.conns; i++) {
        load_connect(&load_conn[i]);
    }

    /* the server has accepted them all before the clock starts */
    usleep(10000);

    for (i = 0; i < load_conf.watched; i++) {
        w = &load_conf.watch[i];
        w->start = bench_clock_us(w->clock);
    }

    secs = load_run();
    load_until_quiet();

    printf("requests=%lu bad=%lu secs=%.4f", (unsigned long) load_done,
           (unsigned long) load_bad, secs);

    for (i = 0; i < load_conf.watched; i++) {
        w = &load_conf.watch[i];
        printf(" cpu_%s=%.1f", w->name, bench_clock_us(w->clock) - w->start);
    }

    load_latency_print();
    printf("\n");

    return 0;
}
