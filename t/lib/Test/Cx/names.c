/*
 * Preloaded into a program: all names that end in .test are 127.0.0.1.  While
 * the directory CX_NAMES holds a file "hang", no answer about them comes, and
 * then none at all; while it holds "gone", there is no such name.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int (*names_next)(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);


static int
names_flag(const char *name)
{
    char         path[512];
    const char  *dir;

    dir = getenv("CX_NAMES");

    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/nonexistent", name);

    return access(path, F_OK) == 0;
}


int
getaddrinfo(const char *restrict host, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    size_t           len;
    names_next       next;
    struct timespec  ts = { 0, 20000000 };

    *(void **) &next = dlsym(RTLD_NEXT, "getaddrinfo");
    len = host ? strlen(host) : 0;

    if (len < 5 || strcmp(host + len - 5, ".test") != 0
        || (hints && (hints->ai_flags & AI_NUMERICHOST)))
    {
        return next(host, service, hints, list);
    }

    if (names_flag("hang")) {
        while (names_flag("hang")) {
            nanosleep(&ts, NULL);
        }

        return EAI_AGAIN;
    }

    return names_flag("gone") ? EAI_NONAME
                              : next("127.0.0.1", service, hints, list);
}
