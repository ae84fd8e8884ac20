/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "boot_place.h"

#include <glib/gstdio.h>

#include "test.h"

void put_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    CHECK(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

void put_volume(const char *folder, const char *name, size_t size, bool variables)
{
    static const uint8_t guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                      0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
    g_autofree uint8_t *bytes = g_malloc0(size);

    memset(bytes + 64, variables ? 0xff : 0x11, size - 64);
    memcpy(bytes + 40, "_FVH", 4);
    if (variables) {
        memcpy(bytes + 16, guid, 16);
    }
    put_file(folder, name, bytes, size);
}

struct place place_new(OrielFirmware firmware)
{
    struct place place = { .root = g_dir_make_tmp("oriel-boot-XXXXXX", NULL) };
    g_autofree uint8_t *bios = g_malloc(BIOS_SIZE), *rom = g_malloc(ROM_SIZE);

    CHECK(place.root != NULL);
    place.firmware = g_build_filename(place.root, "firmware", NULL);
    place.machine = g_build_filename(place.root, "machine", NULL);
    CHECK(g_mkdir(place.firmware, 0700) == 0 && g_mkdir(place.machine, 0700) == 0);
    memset(bios, 0xb1, BIOS_SIZE);
    memset(rom, 0x55, ROM_SIZE);
    put_file(place.firmware, "bios-256k.bin", bios, BIOS_SIZE);
    put_file(place.firmware, "vgabios-stdvga.bin", rom, ROM_SIZE);
    put_volume(place.firmware, "OVMF_CODE_4M.fd", CODE_SIZE, false);
    put_volume(place.firmware, "OVMF_VARS_4M.fd", VARIABLES_SIZE, true);
    CHECK(g_setenv("ORIEL_FIRMWARE_DIR", place.firmware, TRUE));
    place.config = oriel_config_new("a");
    place.config->firmware = firmware;
    return place;
}

void place_free(struct place *place)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", place->root);

    CHECK(system(command) == 0);
    g_unsetenv("ORIEL_FIRMWARE_DIR");
    oriel_config_free(place->config);
    g_free(place->root);
    g_free(place->firmware);
    g_free(place->machine);
}
