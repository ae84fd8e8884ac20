/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New disks of a machine. See drive.h. */
#include "config/config.h"

#include <glib/gi18n-lib.h>
#include "block/drive/drive.h"
#include "qcow2/qcow2.h"

enum {
    DISK_UNIT = 1 << 20,
};

#define DISK_BYTES_MAX (UINT64_C(64) << 40)

static bool size_round(uint64_t *bytes, GError **error)
{
    if (*bytes == 0 || *bytes > DISK_BYTES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A disk must have at least 1M and at most 64T."));
        return false;
    }
    *bytes = (*bytes + DISK_UNIT - 1) / DISK_UNIT * DISK_UNIT;
    return true;
}

bool drive_create_qcow2(const char *path, uint64_t bytes, GError **error)
{
    if (!size_round(&bytes, error)) {
        return false;
    }
    return qcow2_create_file(path, &(struct qcow2_options){ .size = bytes }, error);
}
