/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-media.h. Disk images are known by the table of image.h, other things by a function
 * each. The order matters where two would fit: a CD image that also boots from a USB stick begins
 * with the boot sector of a disk.
 */
#include "oriel-media.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/drive.h"
#include "config/config.h"
#include "appliance/foreign/oriel-foreign.h"
#include "oriel-media-private.h"

enum {
    SECTOR = 512,
    TAR_MEMBERS_MAX = 64, /* members of a tar that are looked at for a description */
};

gboolean media_read(int fd, guint64 offset, void *bytes, gsize length)
{
    gsize done = 0;

    while (done < length && offset + done <= G_MAXINT64) {
        ssize_t n = pread(fd, (char *)bytes + done, length - done, (off_t)(offset + done));

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return FALSE;
        }
        done += n > 0 ? (gsize)n : 0;
    }
    return done == length;
}

static gboolean has_bytes(int fd, guint64 offset, const char *bytes, gsize length)
{
    char found[32];

    g_assert(length <= sizeof(found));
    return media_read(fd, offset, found, length) && memcmp(found, bytes, length) == 0;
}

/* Disk images and what is packed, by the table that images are opened by. */
static gboolean image_find(int fd, OrielMedia *media)
{
    guint8 start[IMAGE_LOOK] = { 0 }, footer[IMAGE_SECTOR];
    gboolean whole = media->size >= sizeof(footer);
    const struct image_mark *mark;

    if (!media_read(fd, 0, start, MIN(media->size, sizeof(start))) ||
        (whole && !media_read(fd, media->size - sizeof(footer), footer, sizeof(footer)))) {
        return FALSE;
    }
    mark = image_mark_find(start, whole ? footer : NULL);
    if (mark) {
        media->kind = mark->name ? ORIEL_MEDIA_DISK : ORIEL_MEDIA_ARCHIVE;
        media->format = mark->name;
    }
    return mark != NULL;
}

/* The boot protocol of Linux's documentation, "HdrS". */
static gboolean kernel_find(int fd, OrielMedia *media)
{
    if (!has_bytes(fd, 514, "HdrS", 4)) {
        return FALSE;
    }
    media->kind = ORIEL_MEDIA_KERNEL;
    return TRUE;
}

/* The size of a tar member: octal digits, or big-endian with the top bit set (GNU). */
static gboolean tar_size(const guint8 *field, guint64 *size)
{
    *size = 0;
    if (field[0] & 0x80) {
        for (int i = 1; i < 12; i++) {
            if (*size >> 56) {
                return FALSE;
            }
            *size = *size << 8 | field[i];
        }
        return TRUE;
    }
    for (int i = 0; i < 12 && field[i] != '\0' && field[i] != ' '; i++) {
        if (field[i] < '0' || field[i] > '7') {
            return FALSE;
        }
        *size = *size << 3 | (guint64)(field[i] - '0');
    }
    return TRUE;
}

/* POSIX ustar: 512-byte headers, name at 0, size at 124, magic at 257. */
static gboolean tar_find(int fd, OrielMedia *media)
{
    guint8 header[SECTOR];
    guint64 offset = 0;

    if (!has_bytes(fd, 257, "ustar", 5)) {
        return FALSE;
    }
    media->kind = ORIEL_MEDIA_ARCHIVE;
    for (int i = 0; i < TAR_MEMBERS_MAX && media_read(fd, offset, header, sizeof(header)); i++) {
        g_autofree char *name = g_strndup((const char *)header, 100);
        g_autofree char *lower = g_ascii_strdown(name, -1);
        guint64 size;

        if (g_str_has_suffix(lower, ".ovf") || g_str_has_suffix(lower, ".vmx")) {
            media->kind = ORIEL_MEDIA_OVA;
            break;
        }
        if (!tar_size(header + 124, &size) || size > media->size) {
            break;
        }
        offset += SECTOR + (size + SECTOR - 1) / SECTOR * SECTOR;
    }
    return TRUE;
}

/* The description of a machine: OVF's, or that of another program. */
static gboolean description_find(int fd, OrielMedia *media)
{
    gsize length = MIN(media->size, ORIEL_FOREIGN_LOOK);
    g_autofree char *text = g_malloc(length + 1);

    if (!media_read(fd, 0, text, length)) {
        return FALSE;
    }
    media->format = oriel_foreign_name(oriel_foreign_recognise(text, length));
    media->kind = media->format ? ORIEL_MEDIA_OVF : media->kind;
    return media->format != NULL;
}

/* A boot sector, or a GUID partition table behind sectors of 512 or 4096 bytes, or ext2/3/4. */
static gboolean raw_disk_find(int fd, OrielMedia *media)
{
    media->bootable = has_bytes(fd, 510, "\x55\xaa", 2) || has_bytes(fd, 512, "EFI PART", 8) ||
                      has_bytes(fd, 4096, "EFI PART", 8);
    if (!media->bootable && !has_bytes(fd, 1080, "\x53\xef", 2)) {
        return FALSE;
    }
    media->kind = ORIEL_MEDIA_DISK;
    media->format = "raw";
    return TRUE;
}

void media_recognise(int fd, OrielMedia *media)
{
    if (iso_recognise(fd)) {
        media->kind = ORIEL_MEDIA_ISO;
        iso_describe(fd, media);
    } else if (!image_find(fd, media) && !kernel_find(fd, media) && !tar_find(fd, media) &&
               !raw_disk_find(fd, media)) {
        description_find(fd, media);
    }
}

static gboolean file_identify(int fd, OrielMedia *media, GCancellable *cancellable, GError **error)
{
    media_recognise(fd, media);
    if (media->kind == ORIEL_MEDIA_ISO) {
        if (!drive_check_medium(media->path, true, error)) {
            return FALSE;
        }
        iso_identify_system(fd, media, cancellable);
    }
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

/* A folder with a machine.json, or that file itself. */
static gboolean machine_identify(OrielMedia *media)
{
    g_autofree char *base = g_path_get_basename(media->path);
    g_autofree char *inside = g_build_filename(media->path, "machine.json", NULL);

    if (strcmp(base, "machine.json") == 0 && g_file_test(media->path, G_FILE_TEST_IS_REGULAR)) {
        char *folder = g_path_get_dirname(media->path);

        g_free(media->path);
        media->path = folder;
    } else if (!g_file_test(inside, G_FILE_TEST_IS_REGULAR)) {
        return FALSE;
    }
    media->kind = ORIEL_MEDIA_MACHINE;
    return TRUE;
}

gboolean oriel_disk_format_runs(const char *format)
{
    enum image_format known;

    return format && image_format_parse(format, &known);
}

void oriel_media_free(OrielMedia *media)
{
    if (media) {
        g_free(media->path);
        g_free(media->label);
        g_free(media->system);
        g_free(media);
    }
}

OrielMedia *oriel_media_identify(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(OrielMedia) media = g_new0(OrielMedia, 1);
    struct stat status;
    gboolean known;
    int fd;

    media->path = g_canonicalize_filename(path, NULL);
    if (machine_identify(media)) {
        return g_steal_pointer(&media);
    }
    /* Not to wait for the other end of a pipe. */
    fd = open(media->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) < 0) {
        oriel_error_set_errno(error, errno, "“%s” cannot be opened", media->path);
        known = FALSE;
    } else if (S_ISDIR(status.st_mode)) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            "The folder “%s” is not a machine; choose a file, or a folder that ends in “.oriel”.",
            media->path);
        known = FALSE;
    } else if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” is neither a file nor a disk; choose an image file.", media->path);
        known = FALSE;
    } else {
        media->size = S_ISREG(status.st_mode) ? (guint64)status.st_size
                                              : (guint64)MAX(lseek(fd, 0, SEEK_END), 0);
        known = file_identify(fd, media, cancellable, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    return known ? g_steal_pointer(&media) : NULL;
}

static void identify_in_thread(GTask *task, gpointer source, gpointer path,
                               GCancellable *cancellable)
{
    GError *error = NULL;
    OrielMedia *media = oriel_media_identify(path, cancellable, &error);

    if (media) {
        g_task_return_pointer(task, media, (GDestroyNotify)oriel_media_free);
    } else {
        g_task_return_error(task, error);
    }
}

void oriel_media_identify_async(const char *path, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, data);

    g_task_set_source_tag(task, oriel_media_identify_async);
    g_task_set_task_data(task, g_strdup(path), g_free);
    g_task_run_in_thread(task, identify_in_thread);
}

OrielMedia *oriel_media_identify_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
