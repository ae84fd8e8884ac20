/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a program: for how long its main thread is busy between two looks at its events,
 * that is from the end of one poll(2) of GLib's to the beginning of the next. The file that
 * LOOP_WATCH names is a struct watch, which who reads it may set to zero at any time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds. bench_ui.py knows this layout. */
struct watch {
    _Atomic uint64_t turns;
    _Atomic uint64_t longest;        /* by the clock: other programs' time is in it */
    _Atomic uint64_t longest_worked; /* of the processor's time that the thread had */
    _Atomic uint64_t over;           /* turns that worked for more than a frame of 60 a second */
};

enum {
    FRAME_NS = 16666667,
};

static struct watch *watch;
static int (*poll_next)(struct pollfd *fds, nfds_t n, int timeout);
static uintptr_t glib_start,
    glib_end; /* code that waits for events; Xlib's waits are part of the work */
static uint64_t left, left_worked; /* when the last poll ended; 0: there was none */

static uint64_t now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void raise_to(_Atomic uint64_t *value, uint64_t to)
{
    if (atomic_load(value) < to) {
        atomic_store(value, to);
    }
}

static int find_glib(struct dl_phdr_info *info, size_t size, void *data)
{
    for (int i = 0; strstr(info->dlpi_name, "libglib-2.0") && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_X)) {
            glib_start = info->dlpi_addr + header->p_vaddr;
            glib_end = glib_start + header->p_memsz;
        }
    }
    return 0;
}

static __attribute__((constructor)) void start(void)
{
    const char *path = getenv("LOOP_WATCH");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0
                    ? MAP_FAILED
                    : mmap(NULL, sizeof(struct watch), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0) {
        close(fd);
    }
    watch = map == MAP_FAILED ? NULL : map;
    poll_next = dlsym(RTLD_NEXT, "poll");
    dl_iterate_phdr(find_glib, NULL);
}

static void turn_end(void)
{
    uint64_t worked = now(CLOCK_THREAD_CPUTIME_ID) - left_worked;

    atomic_fetch_add(&watch->turns, 1);
    raise_to(&watch->longest, now(CLOCK_MONOTONIC) - left);
    raise_to(&watch->longest_worked, worked);
    if (worked > FRAME_NS) {
        atomic_fetch_add(&watch->over, 1);
    }
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    int result;

    if (!watch || caller < glib_start || caller >= glib_end || gettid() != getpid()) {
        return poll_next(fds, n, timeout);
    }
    if (left > 0) {
        turn_end();
    }
    result = poll_next(fds, n, timeout);
    left = now(CLOCK_MONOTONIC);
    left_worked = now(CLOCK_THREAD_CPUTIME_ID);
    return result;
}
