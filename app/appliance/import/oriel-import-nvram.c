/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The variables of UEFI firmware that come with an appliance. They are carried over if they are
 * what our own firmware, OVMF, keeps, and as large: QEMU's programs have the same. VMware's and
 * VirtualBox's own are not.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/firmware_files.h"
#include "oriel-import-private.h"

enum {
    VOLUME_GUID = 16,
    VOLUME_SIGNATURE = 40,
    VOLUME_HEADER = 56,
};

/* gEfiSystemNvDataFvGuid: the volume that holds variables. */
static const guint8 variables_guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                           0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };

gboolean import_nvram_fits(GBytes *nvram)
{
    g_autofree char *template = oriel_firmware_file_path(ORIEL_FIRMWARE_FILE_UEFI_VARIABLES);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(nvram, &size);
    struct stat status;

    return g_stat(template, &status) == 0 && (guint64)status.st_size == size &&
           size >= VOLUME_HEADER && memcmp(bytes + VOLUME_SIGNATURE, "_FVH", 4) == 0 &&
           memcmp(bytes + VOLUME_GUID, variables_guid, sizeof(variables_guid)) == 0;
}

gboolean import_nvram_write(const OrielImport *import, const char *folder, GError **error)
{
    g_autofree char *store = g_build_filename(folder, "firmware", NULL);
    g_autofree char *path = g_build_filename(store, "OVMF_VARS.fd", NULL);
    gsize size;
    const char *bytes;

    if (!import->nvram) {
        return TRUE;
    }
    g_mkdir(store, 0700);
    bytes = g_bytes_get_data(import->nvram, &size);
    return g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_DURABLE, 0600,
                                    error);
}
