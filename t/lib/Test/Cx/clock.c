/*
 * The wall clock of a program under test, by LD_PRELOAD: what the file named
 * by CX_CLOCK holds, 8 bytes of Unix time in ms.  nginx and the aggregator take
 * the time of day from gettimeofday() and their timers from the monotonic
 * clock, which goes on.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>


static volatile const int64_t  *cx_clock;


__attribute__((constructor)) static void
cx_clock_open(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("CX_CLOCK");
    fd = name ? open(name, O_RDONLY) : -1;

    if (fd == -1) {
        abort();
    }

    p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);

    if (p == MAP_FAILED) {
        abort();
    }

    cx_clock = p;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    int64_t  ms;

    (void) tz;

    ms = *cx_clock;

    tv->tv_sec = ms / 1000;
    tv->tv_usec = ms % 1000 * 1000;

    return 0;
}
