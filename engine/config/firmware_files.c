/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See firmware_files.h. */
#include "firmware_files.h"

static const struct {
    const char *name, *folder, *package;
} files[ORIEL_FIRMWARE_FILES] = {
    [ORIEL_FIRMWARE_FILE_BIOS] = { "bios-256k.bin", "/usr/share/seabios", "seabios" },
    [ORIEL_FIRMWARE_FILE_VIDEO_ROM] = { "vgabios-stdvga.bin", "/usr/share/seabios", "seabios" },
    [ORIEL_FIRMWARE_FILE_VIDEO_ROM_VIRTIO] = { "vgabios-virtio.bin", "/usr/share/seabios",
                                               "seabios" },
    [ORIEL_FIRMWARE_FILE_UEFI_CODE] = { "OVMF_CODE_4M.fd", "/usr/share/OVMF", "ovmf" },
    [ORIEL_FIRMWARE_FILE_UEFI_VARIABLES] = { "OVMF_VARS_4M.fd", "/usr/share/OVMF", "ovmf" },
};

char *oriel_firmware_file_path(OrielFirmwareFile file)
{
    const char *own = g_getenv("ORIEL_FIRMWARE_DIR");

    return g_build_filename(own != NULL && own[0] != '\0' ? own : files[file].folder,
                            files[file].name, NULL);
}

const char *oriel_firmware_file_package(OrielFirmwareFile file)
{
    return files[file].package;
}
