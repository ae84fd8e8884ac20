/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking through scattered memory: a request's spans are handed on in parts, as an image's map
 * tells. No allocation, no errors; one cursor is used by one thread.
 */
#ifndef ENGINE_BLOCK_SPANS_H
#define ENGINE_BLOCK_SPANS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    SPANS_MAX = 1024, /* what one system call takes, and the most a request has */
};

/* A place in a list of spans that the caller keeps. */
struct spans {
    const struct iovec *at;
    unsigned left; /* spans from `at` on */
    size_t used;   /* bytes of *at that lie behind */
};

static inline struct spans spans_start(const struct iovec *list, unsigned n)
{
    return (struct spans){ list, n, 0 };
}

/*
 * Moves on by `length` bytes, which must be there, and writes what was passed to `part` (of
 * SPANS_MAX entries); returns how many entries that took.
 */
unsigned spans_take(struct spans *spans, size_t length, struct iovec *part);
/* Moves on by `length` bytes, filling them from `bytes`, with zeroes, or copying them to `bytes`.
 */
void spans_fill(struct spans *spans, const void *bytes, size_t length);
void spans_zero(struct spans *spans, size_t length);

#endif
