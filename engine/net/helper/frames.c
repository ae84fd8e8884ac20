/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames to the engine, and limits of bandwidth. See helper.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "helper.h"

enum {
    WAITING_MAX = 8 << 20, /* bytes kept while the guest has no buffers */
    BURST_MS = 50,         /* of the rate may go at once */
};

/* --- Limits ----------------------------------------------------------------------------------- */

void bucket_set(struct bucket *bucket, uint64_t rate)
{
    *bucket = (struct bucket){ .rate = MIN(rate, (uint64_t)G_MAXINT64 / G_USEC_PER_SEC / 60),
                               .filled_at = g_get_monotonic_time() };
}

static void bucket_fill(struct bucket *bucket)
{
    gint64 now = g_get_monotonic_time();
    gint64 past = MIN(now - bucket->filled_at, 60 * G_USEC_PER_SEC);

    int64_t earned = (int64_t)(bucket->rate * (uint64_t)past / G_USEC_PER_SEC);

    if (earned > 0) { /* else what is less than a byte counts the next time */
        bucket->tokens = MIN(bucket->tokens + earned, (int64_t)(bucket->rate * BURST_MS / 1000));
        bucket->filled_at = now;
    }
}

void bucket_take(struct bucket *bucket, uint32_t bytes)
{
    if (bucket->rate != 0) {
        bucket->tokens -= bytes;
    }
}

int bucket_wait(struct bucket *bucket)
{
    if (bucket->rate == 0) {
        return 0;
    }
    bucket_fill(bucket);
    return bucket->tokens >= 0 ? 0
                               : (int)MIN(-bucket->tokens * 1000 / (int64_t)bucket->rate + 1, 1000);
}

/* --- To the engine ---------------------------------------------------------------------------- */

static bool message_send(const struct frames *frames, const void *bytes, gsize length)
{
    ssize_t n;

    do {
        n = send(frames->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    /* What fails otherwise is lost: the end of the engine shows in the loop. */
    return n >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

void frames_give(struct frames *frames, const struct net_offload *offload, uint8_t *bytes,
                 uint32_t length)
{
    struct wire_frame header = { .offload = *offload };
    uint8_t *message = bytes - sizeof(header);
    gsize size = sizeof(header) + length;

    flows_note(frames->flows, true, bytes, length);
    capture_note(frames->capture, true, bytes, length);
    bucket_take(&frames->to_guest, length);
    memcpy(message, &header, sizeof(header));
    if (!frames_wait(frames) && message_send(frames, message, size)) {
        return;
    }
    if (frames->waiting_bytes + size > WAITING_MAX) {
        frames->dropped++;
        return;
    }
    g_queue_push_tail(&frames->waiting, g_bytes_new(message, size));
    frames->waiting_bytes += size;
}

void frames_flush(struct frames *frames)
{
    GBytes *message;

    while ((message = g_queue_peek_head(&frames->waiting))) {
        gsize size;
        const void *bytes = g_bytes_get_data(message, &size);

        if (!message_send(frames, bytes, size)) {
            return;
        }
        frames->waiting_bytes -= size;
        g_bytes_unref(g_queue_pop_head(&frames->waiting));
    }
}
