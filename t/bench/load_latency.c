
/*
 * How long answers took, counted from when they were due to be asked for and
 * not from when a connection was free for it: a server that stalls is charged
 * for all that waits.
 */

#include "load.h"
#include <stdio.h>
#include <stdlib.h>

#define LOAD_LATENCY_DUE  (1 << 18)      /* requests that wait to be sent */
#define LOAD_LATENCY_MAX  (1 << 20)      /* answers */


static double    load_latency_due[LOAD_LATENCY_DUE];
static uint64_t  load_latency_in, load_latency_out;

static float     load_latency[LOAD_LATENCY_MAX];
static size_t    load_latencies;


void
load_latency_plan(double us)
{
    if (load_latency_in - load_latency_out == LOAD_LATENCY_DUE) {
        fprintf(stderr, "load: too many requests wait to be sent\n");
        exit(1);
    }

    load_latency_due[load_latency_in++ % LOAD_LATENCY_DUE] = us;
}


double
load_latency_next(void)
{
    return load_latency_due[load_latency_out++ % LOAD_LATENCY_DUE];
}


void
load_latency_add(double us)
{
    if (load_latencies == LOAD_LATENCY_MAX) {
        fprintf(stderr, "load: too many answers to know all latencies\n");
        exit(1);
    }

    load_latency[load_latencies++] = us;
}


static int
load_latency_order(const void *one, const void *two)
{
    float  a, b;

    a = *(const float *) one;
    b = *(const float *) two;

    return (a > b) - (a < b);
}


void
load_latency_print(void)
{
    size_t  n;

    n = load_latencies;

    if (n == 0) {
        return;
    }

    qsort(load_latency, n, sizeof(float), load_latency_order);

    printf(" p50=%.1f p99=%.1f max=%.1f", load_latency[n / 2],
           load_latency[n - 1 - n / 100], load_latency[n - 1]);
}
