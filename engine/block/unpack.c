/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See unpack.h. */
#include "unpack.h"

#include <glib.h>

static void free_deflater(gpointer data)
{
    libdeflate_free_decompressor(data);
}

struct libdeflate_decompressor *unpack_deflater(void)
{
    static GPrivate deflater = G_PRIVATE_INIT(free_deflater);

    if (g_private_get(&deflater) == NULL) {
        g_private_set(&deflater, libdeflate_alloc_decompressor());
    }
    return g_private_get(&deflater);
}
