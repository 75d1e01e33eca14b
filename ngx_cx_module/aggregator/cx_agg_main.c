/* cx-aggregator: signals, and one run over all sites. */

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include "cx_agg.h"

volatile int cx_agg_stop;


static void
cx_agg_signal(int signo)
{
    (void) signo;
    cx_agg_stop = 1;
}


int64_t
cx_agg_now(void)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);

    return (int64_t) tv.tv_sec * 1000 + tv.tv_usec / 1000;
}


int
main(int argc, char **argv)
{
    int              rc;
    cx_agg_t         agg;
    cx_agg_conf_t    conf;
    struct sigaction sa;

    rc = cx_agg_conf(&conf, argc, argv);

    if (rc == 0) {
        memset(&sa, 0, sizeof(struct sigaction));
        sa.sa_handler = cx_agg_signal; /* no SA_RESTART: ends a sleep */
        sigaction(SIGTERM, &sa, NULL);
        sigaction(SIGINT, &sa, NULL);
        sa.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &sa, NULL);

        memset(&agg, 0, sizeof(cx_agg_t));
        agg.conf = &conf;
        rc = cx_agg_run(&agg);

    } else {
        rc = rc < 0 ? 2 : 0;
    }

    cx_agg_conf_free(&conf);

    return rc;
}
