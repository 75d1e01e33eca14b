/*
 * Preloaded into nginx: a disk that is slow, fails or is full but for what is
 * small, as long as a file of that name (slow, fails, full) is in the directory
 * CX_DISK.  Only files there below are concerned.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


static int
disk_flag(const char *name)
{
    char         path[512];
    const char  *dir;

    dir = getenv("CX_DISK");

    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/nonexistent", name);

    return access(path, F_OK) == 0;
}


static void
disk_note(const char *name)
{
    int          fd;
    char         path[512];
    const char  *dir;

    dir = getenv("CX_DISK");

    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/nonexistent", name);
    fd = open(path, O_CREAT|O_WRONLY|O_APPEND|O_CLOEXEC, 0600);

    if (fd != -1) {
        if (write(fd, ".", 1) != 1) {
            perror(path);
        }

        close(fd);
    }
}


static void
disk_slow(void)
{
    struct timespec  ts = { 1, 200000000 };

    if (disk_flag("slow")) {
        nanosleep(&ts, NULL);
    }
}


ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    int      i;
    size_t   size;

    static ssize_t (*next)(int, const struct iovec *, int, off_t);

    for (i = 0, size = 0; i < n; i++) {
        size += iov[i].iov_len;
    }

    if (size > 1500 && disk_flag("full")) {
        errno = ENOSPC;
        return -1;
    }

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "pwritev");
    }

    disk_slow();

    return next(fd, iov, n, offset);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off_t offset)
{
    return pwritev(fd, iov, n, offset);
}


int
fdatasync(int fd)
{
    static int (*next)(int);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "fdatasync");
    }

    disk_note("synced");

    if (disk_flag("fails")) {
        errno = EIO;
        return -1;
    }

    return next(fd);
}
