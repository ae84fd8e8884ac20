/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel image from any bytes: what is accepted lies inside the file and below the command line.
 */
#include <glib.h>
#include <stdint.h>

#include "boot/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    struct kernel_header header;

    if (!kernel_parse(data, size, "input", &header, &error)) {
        g_assert_true(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
        return 0;
    }
    g_assert_cmpuint(header.setup_size, >=, 2 * 512);
    g_assert_cmpuint(header.setup_size + header.code_size, ==, size);
    g_assert_cmpuint(KERNEL_SETUP_ADDRESS + header.setup_size, <, KERNEL_COMMAND_LINE_ADDRESS);
    g_assert_cmpuint(header.running_end, >=, KERNEL_CODE_ADDRESS + header.code_size);
    g_assert_cmpuint(header.running_end, <, UINT64_C(1) << 34);
    return 0;
}
