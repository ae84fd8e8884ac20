/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volume descriptor of a CD image from any bytes; the input stands at the descriptor's place.
 */
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block/drive/medium.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { DESCRIPTOR = 16 * 2048 };
    g_autoptr(GError) error = NULL;
    int fd = memfd_create("iso", MFD_CLOEXEC);

    g_assert_true(fd >= 0);
    g_assert_true(pwrite(fd, data, size, DESCRIPTOR) == (ssize_t)size);
    if (!iso_check(fd, "input", DESCRIPTOR + size, &error)) {
        g_assert_true(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    }
    close(fd);
    return 0;
}
