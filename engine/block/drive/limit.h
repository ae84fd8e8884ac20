/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A token bucket: so much a second, with a burst of a tenth of a second's worth after a rest. What
 * is larger than the bucket is let through when that is full, and what follows pays for it.
 *
 * Threads: the caller's lock.
 */
#ifndef ENGINE_BLOCK_LIMIT_H
#define ENGINE_BLOCK_LIMIT_H

#include <stdint.h>

struct limit {
    uint64_t rate; /* tokens a second, 0: no limit */
    uint64_t next; /* nanoseconds: from then on the next one may go */
};

/* A new rate; what was to be paid is forgotten. */
void limit_set(struct limit *limit, uint64_t rate);
/* Takes `tokens`, at time `now`, which must not be before limit->next. */
void limit_take(struct limit *limit, uint64_t now, uint64_t tokens);

#endif
