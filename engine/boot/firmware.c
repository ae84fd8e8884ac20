/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding, reading and checking firmware. See firmware.h.
 *
 * UEFI: OVMF in its split form, code and variables apart. Images built to be protected by system
 * management mode stop early without it, so they are refused by name; the variable store is a
 * firmware volume (UEFI Platform Initialization 1.7, volume 3, section 3.2.1).
 */
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "config/firmware_files.h"

#define STORE_FOLDER "firmware"
#define STORE_NAME   "OVMF_VARS.fd"
#define STORE_NEW    "OVMF_VARS.fd.new"

enum {
    IMAGE_MIN = 64 << 10,
    IMAGE_MAX = 8 << 20,
    IMAGE_UNIT = 4096,
    OPTION_ROM_MAX = 128 << 10,

    VOLUME_GUID = 16,
    VOLUME_SIGNATURE = 40,
    VOLUME_HEADER = 56,
};

/* gEfiSystemNvDataFvGuid: the volume that holds variables. */
static const guint8 variables_guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                           0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };

/* --- Files ------------------------------------------------------------------------------------ */

static GBytes *read_whole(int fd, gsize limit, const char *what, const char *path, GError **error)
{
    struct stat status;
    g_autofree void *memory = NULL;
    guint8 *bytes;
    gsize at = 0, length;

    if (fstat(fd, &status) < 0) {
        oriel_error_set_errno(error, errno, "%s, “%s”, cannot be read", what, path);
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || status.st_size == 0 || (guint64)status.st_size > limit) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, "%s, “%s”, cannot be used: it is %s.",
                    what, path,
                    !S_ISREG(status.st_mode) ? "not a file"
                    : status.st_size == 0    ? "empty"
                                             : "too large");
        return NULL;
    }
    length = (gsize)status.st_size;
    /* In whole pages: the guest sees the image without a copy. */
    bytes = posix_memalign(&memory, IMAGE_UNIT, length) == 0 ? memory : NULL;
    while (bytes != NULL && at < length) {
        ssize_t n = read(fd, bytes + at, length - at);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            oriel_error_set_errno(error, n == 0 ? EIO : errno, "%s, “%s”, cannot be read", what,
                                  path);
            return NULL;
        }
        at += n > 0 ? (gsize)n : 0;
    }
    if (bytes == NULL) {
        oriel_error_set_errno(error, ENOMEM, "%s, “%s”, cannot be read", what, path);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&memory), length);
}

GBytes *boot_read_file(const char *what, const char *path, gsize limit, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    GBytes *bytes;

    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "%s, “%s”, is not there.", what,
                        path);
        } else {
            oriel_error_set_errno(error, errno, "%s, “%s”, cannot be opened", what, path);
        }
        return NULL;
    }
    bytes = read_whole(fd, limit, what, path, error);
    close(fd);
    return bytes;
}

static GBytes *read_packaged(OrielFirmwareFile file, const char *what, gsize limit, GError **error)
{
    g_autofree char *path = oriel_firmware_file_path(file);
    g_autoptr(GError) why = NULL;
    GBytes *bytes = boot_read_file(what, path, limit, &why);

    if (bytes == NULL && g_error_matches(why, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "%s, “%s”, is not there. Install the package “%s”.", what, path,
                    oriel_firmware_file_package(file));
    } else if (bytes == NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
    }
    return bytes;
}

/* --- UEFI ------------------------------------------------------------------------------------- */

static gboolean is_volume(GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    return size >= VOLUME_HEADER && memcmp(data + VOLUME_SIGNATURE, "_FVH", 4) == 0;
}

static gboolean is_variable_store(GBytes *bytes)
{
    return is_volume(bytes) && memcmp((const guint8 *)g_bytes_get_data(bytes, NULL) + VOLUME_GUID,
                                      variables_guid, sizeof(variables_guid)) == 0;
}

static gboolean name_needs_smm(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);

    return strstr(name, ".secboot") != NULL || strstr(name, ".ms.") != NULL ||
           strstr(name, ".snakeoil") != NULL;
}

static gboolean check_uefi_image(const char *path, GBytes *image, GError **error)
{
    g_autofree char *target = realpath(path, NULL);

    if (name_needs_smm(path) || (target != NULL && name_needs_smm(target))) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The firmware “%s” needs system management mode, which this machine does not "
                    "have. Use the image without Secure Boot, OVMF_CODE_4M.fd.",
                    path);
        return FALSE;
    }
    if (!is_volume(image)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The firmware “%s” is no UEFI image. Use OVMF_CODE_4M.fd of the package ovmf.",
                    path);
        return FALSE;
    }
    if (is_variable_store(image)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The firmware “%s” begins with a variable store, but the machine keeps its "
                    "own. Use an image of code alone, such as OVMF_CODE_4M.fd.",
                    path);
        return FALSE;
    }
    return TRUE;
}

static int write_new(int directory, GBytes *bytes)
{
    gsize size, at = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    int number = 0;
    int fd =
        openat(directory, STORE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return errno;
    }
    while (at < size && number == 0) {
        ssize_t n = write(fd, data + at, size - at);

        at += n > 0 ? (gsize)n : 0;
        number = n < 0 && errno != EINTR ? errno : 0;
    }
    if (number == 0 && fsync(fd) < 0) {
        number = errno;
    }
    close(fd);
    if (number == 0 && renameat(directory, STORE_NEW, directory, STORE_NAME) < 0) {
        number = errno;
    }
    if (number != 0) {
        unlinkat(directory, STORE_NEW, 0);
    } else if (fsync(directory) < 0) {
        number = errno;
    }
    return number;
}

static gboolean check_store(int fd, const char *path, GBytes *template, GError **error)
{
    g_autoptr(GBytes) store =
        read_whole(fd, IMAGE_MAX, "The machine's UEFI variables", path, error);

    if (store == NULL) {
        return FALSE;
    }
    if (!is_variable_store(store)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    "The machine's UEFI variables, “%s”, are damaged. Remove the file to begin "
                    "with fresh ones; boot entries that systems have made are then lost.",
                    path);
        return FALSE;
    }
    if (g_bytes_get_size(store) != g_bytes_get_size(template)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The machine's UEFI variables, “%s”, belong to another firmware: they have "
                    "%zu bytes instead of %zu. Remove the file to begin with fresh ones.",
                    path, g_bytes_get_size(store), g_bytes_get_size(template));
        return FALSE;
    }
    return TRUE;
}

/* Opens the machine's store, made from the template if there is none, and checks it. */
static gboolean prepare_store(struct firmware *firmware, const char *folder, GBytes *template,
                              GError **error)
{
    g_autofree char *directory_path = g_build_filename(folder, STORE_FOLDER, NULL);
    g_autofree char *path = g_build_filename(directory_path, STORE_NAME, NULL);
    int directory, fd, number = 0;
    gboolean good = FALSE;

    if (mkdir(directory_path, 0700) < 0 && errno != EEXIST) {
        oriel_error_set_errno(error, errno, "The folder “%s” cannot be made", directory_path);
        return FALSE;
    }
    directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        oriel_error_set_errno(error, errno, "The folder “%s” cannot be opened", directory_path);
        return FALSE;
    }
    fd = openat(directory, STORE_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        number = write_new(directory, template);
        if (number == 0) {
            fd = openat(directory, STORE_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        }
    }
    if (fd >= 0) {
        good = check_store(fd, path, template, error);
        close(fd);
    } else {
        oriel_error_set_errno(error, number != 0 ? number : errno,
                              "The machine's UEFI variables, “%s”, cannot be opened or made", path);
    }
    close(directory);
    if (good) {
        firmware->variables = g_steal_pointer(&path);
        firmware->variables_size = g_bytes_get_size(template);
    }
    return good;
}

/* The template that belongs to an image of the user's: its sibling with VARS for CODE, else the
 * packaged one. */
static GBytes *read_template(const char *image_path, GError **error)
{
    g_autofree char *name = image_path != NULL ? g_path_get_basename(image_path) : NULL;
    const char *code = name != NULL ? strstr(name, "CODE") : NULL;
    GBytes *template = NULL;

    if (code != NULL) {
        g_autofree char *folder = g_path_get_dirname(image_path);
        g_autofree char *sibling =
            g_strdup_printf("%s/%.*sVARS%s", folder, (int)(code - name), name, code + 4);

        if (access(sibling, R_OK) == 0) {
            template = boot_read_file("The template of UEFI variables", sibling, IMAGE_MAX, error);
            if (template == NULL) {
                return NULL;
            }
        }
    }
    if (template == NULL) {
        template = read_packaged(ORIEL_FIRMWARE_FILE_UEFI_VARIABLES,
                                 "The template of UEFI variables", IMAGE_MAX, error);
    }
    if (template != NULL && !is_variable_store(template)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The template of UEFI variables is damaged. Reinstall the package “%s”.",
                    oriel_firmware_file_package(ORIEL_FIRMWARE_FILE_UEFI_VARIABLES));
        g_clear_pointer(&template, g_bytes_unref);
    }
    return template;
}

static gboolean load_uefi(struct firmware *firmware, const char *image_path, const char *own_path,
                          const char *folder, GError **error)
{
    g_autoptr(GBytes) template = NULL;

    if (!check_uefi_image(image_path, firmware->image, error)) {
        return FALSE;
    }
    template = read_template(own_path, error);
    if (template == NULL) {
        return FALSE;
    }
    if (g_bytes_get_size(template) % IMAGE_UNIT != 0 ||
        g_bytes_get_size(template) + g_bytes_get_size(firmware->image) > IMAGE_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The firmware “%s” and its variables do not fit into the flash memory.",
                    image_path);
        return FALSE;
    }
    return prepare_store(firmware, folder, template, error);
}

/* --- All -------------------------------------------------------------------------------------- */

gboolean firmware_load(struct firmware *firmware, const OrielConfig *config, const char *folder,
                       GError **error)
{
    gboolean uefi = config->firmware == ORIEL_FIRMWARE_UEFI;
    OrielFirmwareFile file = uefi ? ORIEL_FIRMWARE_FILE_UEFI_CODE : ORIEL_FIRMWARE_FILE_BIOS;
    g_autofree char *path = config->firmware_path != NULL ? g_strdup(config->firmware_path)
                                                          : oriel_firmware_file_path(file);
    gsize size;

    firmware->image = config->firmware_path != NULL
                          ? boot_read_file("The firmware", path, IMAGE_MAX, error)
                          : read_packaged(file, "The firmware", IMAGE_MAX, error);
    if (firmware->image == NULL) {
        return FALSE;
    }
    size = g_bytes_get_size(firmware->image);
    if (size < IMAGE_MIN || size % IMAGE_UNIT != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The firmware “%s” cannot be used: it has %zu bytes, which is no size of a "
                    "firmware image.",
                    path, size);
        return FALSE;
    }
    if (uefi) {
        return load_uefi(firmware, path, config->firmware_path, folder, error);
    }
    firmware->video_rom =
        read_packaged(config->video == ORIEL_VIDEO_VIRTIO_GPU ? ORIEL_FIRMWARE_FILE_VIDEO_ROM_VIRTIO
                                                              : ORIEL_FIRMWARE_FILE_VIDEO_ROM,
                      "The firmware of the display adapter", OPTION_ROM_MAX, error);
    return firmware->video_rom != NULL;
}

void firmware_clear(struct firmware *firmware)
{
    g_clear_pointer(&firmware->image, g_bytes_unref);
    g_clear_pointer(&firmware->video_rom, g_bytes_unref);
    g_clear_pointer(&firmware->variables, g_free);
}
