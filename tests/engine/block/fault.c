/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fault.h. */
#include "fault.h"

#include <errno.h>
#include <liburing.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <sys/uio.h>

static atomic_int numbers[FAULT_CALLS], remaining[FAULT_CALLS], counts[FAULT_CALLS];
static atomic_int short_bytes, interrupt;
static _Thread_local bool interrupted;

void fault_set(enum fault_call call, int number, int after)
{
    remaining[call] = after;
    numbers[call] = number;
}

void fault_short(int bytes)
{
    short_bytes = bytes;
}

void fault_interrupt(bool on)
{
    interrupt = on;
}

void fault_clear(void)
{
    for (int i = 0; i < FAULT_CALLS; i++) {
        numbers[i] = remaining[i] = counts[i] = 0;
    }
    short_bytes = interrupt = 0;
}

int fault_count(enum fault_call call)
{
    return counts[call];
}

static bool fails(enum fault_call call)
{
    counts[call]++;
    if (interrupt && !interrupted) {
        interrupted = true;
        errno = EINTR;
        return true;
    }
    interrupted = false;
    if (numbers[call] != 0 && atomic_fetch_sub(&remaining[call], 1) <= 0) {
        errno = numbers[call];
        return true;
    }
    return false;
}

/* The first span alone, cut, is a legal short transfer. */
static int shorten(const struct iovec *spans, int n, struct iovec *cut)
{
    int limit = short_bytes;

    if (limit == 0) {
        return n;
    }
    *cut = spans[0];
    if (cut->iov_len > (size_t)limit) {
        cut->iov_len = (size_t)limit;
    }
    return 1;
}

#define TRANSFER(name, call)                                                                       \
    ssize_t __real_##name(int fd, const struct iovec *spans, int n, off_t offset);                 \
    ssize_t __wrap_##name(int fd, const struct iovec *spans, int n, off_t offset);                 \
    ssize_t __wrap_##name(int fd, const struct iovec *spans, int n, off_t offset)                  \
    {                                                                                              \
        struct iovec cut;                                                                          \
        if (fails(call)) {                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        if (short_bytes == 0) {                                                                    \
            return __real_##name(fd, spans, n, offset);                                            \
        }                                                                                          \
        return __real_##name(fd, &cut, shorten(spans, n, &cut), offset);                           \
    }

TRANSFER(preadv64, FAULT_READ)
TRANSFER(pwritev64, FAULT_WRITE)

ssize_t __real_preadv64v2(int fd, const struct iovec *spans, int n, off_t offset, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *spans, int n, off_t offset, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *spans, int n, off_t offset, int flags)
{
    struct iovec cut;

    if (fails(FAULT_READ)) {
        return -1;
    }
    if (short_bytes == 0) {
        return __real_preadv64v2(fd, spans, n, offset, flags);
    }
    return __real_preadv64v2(fd, &cut, shorten(spans, n, &cut), offset, flags);
}

/* An entry of a ring that is about to be submitted: with a fault it gets a descriptor that is none,
 * or fewer spans. */
static void spoil(struct io_uring_sqe *entry)
{
    if (entry->opcode != IORING_OP_READV && entry->opcode != IORING_OP_WRITEV) {
        return;
    }
    counts[FAULT_RING]++;
    if (fails(entry->opcode == IORING_OP_READV ? FAULT_READ : FAULT_WRITE)) {
        entry->fd = -1;
    } else if (short_bytes != 0 && entry->len > 1) {
        entry->len = 1;
    }
}

int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n)
{
    for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
        spoil(&ring->sq.sqes[i & ring->sq.ring_mask]);
    }
    return __real_io_uring_submit_and_wait(ring, n);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : __real_fdatasync(fd);
}

int __real_fallocate64(int fd, int mode, off_t offset, off_t length);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t length);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t length)
{
    return fails(FAULT_ALLOCATE) ? -1 : __real_fallocate64(fd, mode, offset, length);
}
