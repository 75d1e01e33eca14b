
/*
 * Runs a command to its end and says what it cost: its own CPU time and that
 * of the processes watched meanwhile.
 *
 *   price [-C cpu] [-w name:pid]... -- command args...
 *
 * Prints one line: status=0 secs=1.234 cpu_client=<us> cpu_<name>=<us>
 */

#define _GNU_SOURCE

#include "bench_cpu.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>


static double
price_us(const struct timeval *tv)
{
    return tv->tv_sec * 1e6 + tv->tv_usec;
}


int
main(int argc, char **argv)
{
    int              opt, i, n, cpu, status;
    pid_t            pid;
    double           start, secs;
    bench_watch_t    watch[BENCH_WATCH_MAX];
    struct rusage    used;

    n = 0;
    cpu = -1;

    while ((opt = getopt(argc, argv, "C:w:")) != -1) {
        if (opt == 'C') {
            cpu = atoi(optarg);

        } else if (opt != 'w' || n == BENCH_WATCH_MAX
                   || bench_watch(&watch[n++], optarg) != 0)
        {
            return 2;
        }
    }

    if (optind == argc) {
        return 2;
    }

    start = bench_clock_us(CLOCK_MONOTONIC);
    pid = fork();

    if (pid == -1) {
        perror("fork");
        return 1;
    }

    if (pid == 0) {
        if (cpu >= 0) {
            bench_pin(cpu);
        }

        /* the result line is the only thing on standard output */
        dup2(STDERR_FILENO, STDOUT_FILENO);

        execvp(argv[optind], argv + optind);
        perror(argv[optind]);
        _exit(127);
    }

    if (wait4(pid, &status, 0, &used) != pid) {
        perror("wait4");
        return 1;
    }

    secs = (bench_clock_us(CLOCK_MONOTONIC) - start) / 1e6;

    printf("status=%d secs=%.3f cpu_client=%.1f",
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           secs, price_us(&used.ru_utime) + price_us(&used.ru_stime));

    for (i = 0; i < n; i++) {
        printf(" cpu_%s=%.1f", watch[i].name,
               bench_clock_us(watch[i].clock) - watch[i].start);
    }

    printf("\n");

    return 0;
}
