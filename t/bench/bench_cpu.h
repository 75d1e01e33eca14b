
/*
 * CPU clocks of other processes, all their threads together, and where one
 * runs.  Shared by the bench's programs.
 */

#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_WATCH_MAX  4


typedef struct {
    char       name[16];
    clockid_t  clock;
    double     start;                /* microseconds */
} bench_watch_t;


static inline double
bench_clock_us(clockid_t clock)
{
    struct timespec  ts;

    if (clock_gettime(clock, &ts) != 0) {
        return 0;
    }

    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}


/* "name:pid"; 0, or -1 if there is no such process */

static inline int
bench_watch(bench_watch_t *w, const char *arg)
{
    const char  *colon;

    colon = strchr(arg, ':');

    if (colon == NULL || colon == arg
        || (size_t) (colon - arg) >= sizeof(w->name)
        || clock_getcpuclockid(atoi(colon + 1), &w->clock) != 0)
    {
        fprintf(stderr, "cannot watch \"%s\"\n", arg);
        return -1;
    }

    memcpy(w->name, arg, colon - arg);
    w->name[colon - arg] = '\0';
    w->start = bench_clock_us(w->clock);

    return 0;
}


static inline void
bench_pin(int cpu)
{
    cpu_set_t  set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);

    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        perror("sched_setaffinity");
    }
}

#endif /* BENCH_CPU_H */
