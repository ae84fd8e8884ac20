/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing what an image has into the image that it builds on.
 *
 * The image itself is not changed, so that at every moment, also after a kill, it reads through its
 * backing image as it did before: a commit that was not finished is simply done again. Only the
 * backing image alone is a mixture until then.
 *
 * Threads: any; a commit blocks its caller and uses both images alone.
 */
#ifndef ENGINE_BLOCK_COMMIT_H
#define ENGINE_BLOCK_COMMIT_H

#include "../image.h"

/*
 * The backing image must be attached and writable; it grows to the image's size, and is durable on
 * success. `progress` (or NULL) is called now and then from the calling thread with bytes of the
 * disk; false: stop. Errors: INVALID, NO_SPACE, HOST; G_IO_ERROR_CANCELLED when progress said stop.
 */
bool image_commit(struct image *image, bool (*progress)(uint64_t, uint64_t, void *), void *context,
                  GError **error);

#endif
