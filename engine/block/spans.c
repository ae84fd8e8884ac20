/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See spans.h. */
#include "spans.h"

#include <string.h>

/* The next piece of at most `length` bytes, moving past it. */
static struct iovec piece_next(struct spans *spans, size_t length)
{
    struct iovec piece;

    while (spans->used == spans->at->iov_len) {
        spans->at++;
        spans->left--;
        spans->used = 0;
    }
    piece.iov_base = (char *)spans->at->iov_base + spans->used;
    piece.iov_len = spans->at->iov_len - spans->used;
    if (piece.iov_len > length) {
        piece.iov_len = length;
    }
    spans->used += piece.iov_len;
    return piece;
}

unsigned spans_take(struct spans *spans, size_t length, struct iovec *part)
{
    unsigned n = 0;

    for (; length > 0; n++) {
        part[n] = piece_next(spans, length);
        length -= part[n].iov_len;
    }
    return n;
}

void spans_fill(struct spans *spans, const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length > 0) {
        struct iovec piece = piece_next(spans, length);

        memcpy(piece.iov_base, from, piece.iov_len);
        from += piece.iov_len;
        length -= piece.iov_len;
    }
}

void spans_zero(struct spans *spans, size_t length)
{
    while (length > 0) {
        struct iovec piece = piece_next(spans, length);

        memset(piece.iov_base, 0, piece.iov_len);
        length -= piece.iov_len;
    }
}
