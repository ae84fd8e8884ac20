/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disk faults for tests: the linker leads the system calls of the code under test here (--wrap of
 * preadv64, pwritev64, preadv64v2, fdatasync, fallocate64, io_uring_submit_and_wait), and these do
 * as they are told. Any thread; the settings are atomic.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>

enum fault_call {
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_ALLOCATE,
    FAULT_RING, /* only counted: reads and writes through io_uring, which fail as FAULT_READ, _WRITE
                 */
    FAULT_CALLS,
};

/* After `after` more calls that work, every call fails with errno `number`; 0 ends it. */
void fault_set(enum fault_call call, int number, int after);
/* Reads and writes move at most this many bytes a call; 0: as many as there are. */
void fault_short(int bytes);
/* Every call is interrupted (EINTR) before it works, once. */
void fault_interrupt(bool on);
void fault_clear(void);
/* Calls since fault_clear(). */
int fault_count(enum fault_call call);

#endif
