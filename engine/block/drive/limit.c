/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See limit.h. Kept is not what is in the bucket, but when it will be full enough. */
#include "limit.h"

enum {
    SECOND = 1000000000, /* nanoseconds */
    BURST = SECOND / 10,
};

void limit_set(struct limit *limit, uint64_t rate)
{
    *limit = (struct limit){ .rate = rate };
}

/* Nanoseconds that tokens take, without an overflow: ages at most. */
static uint64_t duration(uint64_t tokens, uint64_t rate)
{
    uint64_t seconds = tokens / rate;
    unsigned __int128 rest = (unsigned __int128)(tokens % rate) * SECOND / rate;

    return seconds > UINT32_MAX ? (uint64_t)UINT32_MAX * SECOND : seconds * SECOND + (uint64_t)rest;
}

void limit_take(struct limit *limit, uint64_t now, uint64_t tokens)
{
    uint64_t full = now > BURST ? now - BURST : 0;

    if (limit->rate == 0) {
        return;
    }
    limit->next = (limit->next > full ? limit->next : full) + duration(tokens, limit->rate);
}
