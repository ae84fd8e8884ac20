/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a virtual machine monitor: writes the monotonic time of its first KVM_RUN, in
 * nanoseconds, to the file that ORIEL_BENCH_FIRST_RUN names. The same for ours and for QEMU, and
 * outside of both.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

static void note(void)
{
    const char *path = getenv("ORIEL_BENCH_FIRST_RUN");
    struct timespec now;
    char text[32];
    int fd, n;

    clock_gettime(CLOCK_MONOTONIC, &now);
    fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        return;
    }
    n = snprintf(text, sizeof(text), "%lld", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    if (write(fd, text, (size_t)n) != n) {
        abort();
    }
    close(fd);
}

int ioctl(int fd, unsigned long request, ...)
{
    static atomic_flag noted = ATOMIC_FLAG_INIT;
    static int (*next)(int, unsigned long, ...);
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!next) {
        *(void **)&next = dlsym(RTLD_NEXT, "ioctl");
    }
    if (request == KVM_RUN && !atomic_flag_test_and_set(&noted)) {
        note();
    }
    return next(fd, request, argument);
}
