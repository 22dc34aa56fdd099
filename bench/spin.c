// SPDX-License-Identifier: Apache-2.0
// Preloaded into a generator of load so that it spins instead of sleeping: otherwise each answer of
// the server pays for waking the other core, and the figure is of the kernel's scheduler.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/epoll.h>

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
    static int (*real)(int, struct epoll_event *, int, int);
    (void)milliseconds;
    if (!real) {
        real = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    }
    return real(epoll, events, most, 0);
}
