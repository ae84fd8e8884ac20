/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Firmware images and the UEFI variable store: found, refused, made for each machine. */
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_place.h"
#include "test.h"

static char *get_file(const char *folder, const char *name, gsize *size)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *bytes = NULL;

    g_file_get_contents(path, &bytes, size, NULL);
    return bytes;
}

static void remove_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    CHECK(g_unlink(path) == 0);
}

static void check_refused(const struct place *place, OrielError code, const char *part)
{
    g_autoptr(GError) error = NULL;

    CHECK(boot_prepare(place->config, place->machine, &error) == NULL);
    if (error->domain != ORIEL_ERROR || error->code != (int)code ||
        strstr(error->message, part) == NULL) {
        test_fail(__FILE__, __LINE__, "code %d: %s", error->code, error->message);
    }
}

TEST(bios_is_found)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    struct boot *boot = boot_prepare(place.config, place.machine, NULL);
    size_t size;

    CHECK(boot != NULL);
    CHECK_EQ(((const uint8_t *)boot_firmware(boot, &size))[0], 0xb1);
    CHECK_EQ(size, BIOS_SIZE);
    CHECK(boot_variables(boot, &size) == NULL);
    boot_free(boot);
    place_free(&place);
}

TEST(missing_files_are_named_with_their_package)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);

    remove_file(place.firmware, "vgabios-stdvga.bin");
    check_refused(&place, ORIEL_ERROR_NOT_FOUND, "Install the package “seabios”");
    remove_file(place.firmware, "bios-256k.bin");
    check_refused(&place, ORIEL_ERROR_NOT_FOUND, "bios-256k.bin”, is not there. Install");
    place.config->firmware = ORIEL_FIRMWARE_UEFI;
    remove_file(place.firmware, "OVMF_VARS_4M.fd");
    check_refused(&place, ORIEL_ERROR_NOT_FOUND, "Install the package “ovmf”");
    place_free(&place);
}

TEST(unusable_images_are_refused)
{
    struct place place = place_new(ORIEL_FIRMWARE_BIOS);
    g_autofree char *large = g_malloc0((8 << 20) + 1);
    g_autofree char *link = NULL;

    put_file(place.firmware, "bios-256k.bin", large, 1000);
    check_refused(&place, ORIEL_ERROR_INVALID, "it has 1000 bytes");
    put_file(place.firmware, "bios-256k.bin", large, (8 << 20) + 1);
    check_refused(&place, ORIEL_ERROR_INVALID, "too large");
    put_file(place.firmware, "bios-256k.bin", large, 0);
    check_refused(&place, ORIEL_ERROR_INVALID, "empty");
    place.config->firmware_path = g_strdup("/nonexistent/bios.bin");
    check_refused(&place, ORIEL_ERROR_NOT_FOUND, "/nonexistent/bios.bin”, is not there.");

    place.config->firmware = ORIEL_FIRMWARE_UEFI;
    g_free(place.config->firmware_path);
    put_volume(place.firmware, "OVMF_CODE_4M.secboot.fd", CODE_SIZE, false);
    place.config->firmware_path = g_build_filename(place.firmware, "OVMF_CODE_4M.secboot.fd", NULL);
    check_refused(&place, ORIEL_ERROR_INVALID, "needs system management mode");
    link = g_build_filename(place.firmware, "plain.fd", NULL);
    CHECK(symlink("OVMF_CODE_4M.secboot.fd", link) == 0);
    g_free(place.config->firmware_path);
    place.config->firmware_path = g_strdup(link);
    check_refused(&place, ORIEL_ERROR_INVALID, "needs system management mode");
    g_free(place.config->firmware_path);
    place.config->firmware_path = g_build_filename(place.firmware, "OVMF_VARS_4M.fd", NULL);
    check_refused(&place, ORIEL_ERROR_INVALID, "begins with a variable store");
    g_free(place.config->firmware_path);
    place.config->firmware_path = g_build_filename(place.firmware, "vgabios-stdvga.bin", NULL);
    check_refused(&place, ORIEL_ERROR_INVALID, "no size of a firmware image");
    place_free(&place);
}

TEST(every_machine_has_variables_of_its_own)
{
    struct place place = place_new(ORIEL_FIRMWARE_UEFI);
    struct boot *boot = boot_prepare(place.config, place.machine, NULL);
    const char *path;
    g_autofree char *bytes = NULL;
    gsize length;
    size_t size;
    struct stat status;

    CHECK(boot != NULL);
    path = boot_variables(boot, &size);
    CHECK_EQ(size, VARIABLES_SIZE);
    CHECK(g_str_has_prefix(path, place.machine) && stat(path, &status) == 0);
    CHECK_EQ(status.st_size, VARIABLES_SIZE);
    CHECK_EQ(status.st_mode & 0777, 0600);
    bytes = get_file(place.machine, "firmware/OVMF_VARS.fd", &length);
    bytes[1000] = 0x42; /* the guest has set a variable */
    put_file(place.machine, "firmware/OVMF_VARS.fd", bytes, length);
    boot_free(boot);

    boot = boot_prepare(place.config, place.machine, NULL);
    CHECK(boot != NULL);
    g_free(bytes);
    bytes = get_file(place.machine, "firmware/OVMF_VARS.fd", &length);
    CHECK_EQ((uint8_t)bytes[1000], 0x42);
    boot_free(boot);
    place_free(&place);
}

TEST(bad_variables_are_refused_and_kept)
{
    struct place place = place_new(ORIEL_FIRMWARE_UEFI);
    g_autofree char *path = g_build_filename(place.machine, "firmware/OVMF_VARS.fd", NULL);
    g_autofree char *left = NULL;
    gsize size;

    boot_free(boot_prepare(place.config, place.machine, NULL));
    put_file(place.machine, "firmware/OVMF_VARS.fd", "rubbish", 7);
    check_refused(&place, ORIEL_ERROR_CORRUPT, "are damaged");
    left = get_file(place.machine, "firmware/OVMF_VARS.fd", &size);
    CHECK_EQ(size, 7);
    put_volume(place.machine, "firmware/OVMF_VARS.fd", 64 << 10, true);
    check_refused(&place, ORIEL_ERROR_INVALID, "belong to another firmware");
    CHECK(g_unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
    check_refused(&place, ORIEL_ERROR_HOST, "cannot be opened");
    CHECK(g_unlink(path) == 0 && mkfifo(path, 0600) == 0);
    check_refused(&place, ORIEL_ERROR_INVALID, "not a file");
    place_free(&place);
}

TEST(an_own_image_brings_its_own_template)
{
    struct place place = place_new(ORIEL_FIRMWARE_UEFI);
    struct boot *boot;
    size_t size;

    put_volume(place.root, "MY_CODE.fd", CODE_SIZE, false);
    put_volume(place.root, "MY_VARS.fd", 64 << 10, true);
    place.config->firmware_path = g_build_filename(place.root, "MY_CODE.fd", NULL);
    boot = boot_prepare(place.config, place.machine, NULL);
    CHECK(boot != NULL);
    boot_variables(boot, &size);
    CHECK_EQ(size, 64 << 10);
    boot_free(boot);
    place_free(&place);
}

TEST_MAIN(T(bios_is_found), T(missing_files_are_named_with_their_package),
          T(unusable_images_are_refused), T(every_machine_has_variables_of_its_own),
          T(bad_variables_are_refused_and_kept), T(an_own_image_brings_its_own_template))
