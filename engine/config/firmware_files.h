/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The firmware images that machines need and the host's packages bring. They are looked for where
 * Debian's packages put them, or, if the environment variable ORIEL_FIRMWARE_DIR is set, all in
 * that folder.
 */
#ifndef ENGINE_CONFIG_FIRMWARE_FILES_H
#define ENGINE_CONFIG_FIRMWARE_FILES_H

#include <glib.h>

typedef enum {
    ORIEL_FIRMWARE_FILE_BIOS,             /* SeaBIOS */
    ORIEL_FIRMWARE_FILE_VIDEO_ROM,        /* its part for the display adapter */
    ORIEL_FIRMWARE_FILE_VIDEO_ROM_VIRTIO, /* the same for the virtio display adapter */
    ORIEL_FIRMWARE_FILE_UEFI_CODE,        /* OVMF */
    ORIEL_FIRMWARE_FILE_UEFI_VARIABLES,   /* template of the variable store */
    ORIEL_FIRMWARE_FILES,
} OrielFirmwareFile;

/* Where the file is or should be. g_free(). */
char *oriel_firmware_file_path(OrielFirmwareFile file);
/* The Debian package that brings it. */
const char *oriel_firmware_file_package(OrielFirmwareFile file);

#endif
