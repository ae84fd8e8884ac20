/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request on one medium. See medium.h. */
#include "medium.h"

#include <errno.h>

#include "bytes.h"
#include "block/spans.h"

G_STATIC_ASSERT(sizeof(struct block_span) == sizeof(struct iovec));
G_STATIC_ASSERT(G_STRUCT_OFFSET(struct block_span, base) ==
                G_STRUCT_OFFSET(struct iovec, iov_base));
G_STATIC_ASSERT(G_STRUCT_OFFSET(struct block_span, length) ==
                G_STRUCT_OFFSET(struct iovec, iov_len));

static bool spans_check(const struct block_request *request)
{
    uint64_t sum = 0;

    if (request->n_spans > BLOCK_SPANS_MAX) {
        return false;
    }
    for (unsigned i = 0; i < request->n_spans; i++) {
        sum += request->spans[i].length;
    }
    return sum == request->length;
}

static int run_change(struct image *image, const struct block_request *request)
{
    int result;

    if (request->op == BLOCK_WRITE) {
        result = image_writev(image, request->offset, (const struct iovec *)request->spans,
                              request->n_spans, request->length);
    } else {
        result = image_zero(image, request->offset, request->length, request->op == BLOCK_DISCARD);
    }
    return result == 0 && request->fua ? image_flush(image) : result;
}

int medium_run(struct medium *medium, const struct block_request *request)
{
    struct image *image = medium->image;
    bool moves = request->op == BLOCK_READ || request->op == BLOCK_WRITE;

    if (request->op == BLOCK_FLUSH) {
        return image_flush(image);
    }
    if (!range_fits(request->offset, request->length, image->size) ||
        (moves && !spans_check(request))) {
        return -EINVAL;
    }
    if (request->op == BLOCK_READ) {
        return image_readv(image, request->offset, (const struct iovec *)request->spans,
                           request->n_spans, request->length);
    }
    return medium->read_only ? -EROFS : run_change(image, request);
}

bool medium_place(struct medium *medium, const struct block_request *request,
                  struct image_place *place)
{
    bool write = request->op == BLOCK_WRITE;

    return (request->op == BLOCK_READ || (write && !request->fua && !medium->read_only)) &&
           spans_check(request) &&
           image_place(medium->image, request->offset, request->length, write, place);
}
