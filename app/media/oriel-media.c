/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-media.h and oriel-media-private.h; oriel-media-identify.c starts it. Disk images are
 * known by the table of image.h, other things by a function each. The order matters where two would
 * fit: a CD image that also boots from a USB stick begins with the boot sector of a disk.
 */
#include "oriel-media.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/drive/drive.h"
#include "config/config.h"
#include "appliance/foreign/oriel-foreign.h"
#include "oriel-media-private.h"

enum {
    SECTOR = 512,
    TAR_MEMBERS_MAX = 64, /* members of a tar that are looked at for a description */
    NAME_MAX_LENGTH = 64,
    LABEL_MAX = 64, /* characters */
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

static gboolean file_look(int fd, OrielMedia *media, gboolean systems, GCancellable *cancellable,
                          GError **error)
{
    media_recognise(fd, media);
    if (media->kind == ORIEL_MEDIA_ISO) {
        if (!drive_check_medium(media->path, true, error)) {
            return FALSE;
        }
        if (systems) {
            iso_identify_system(fd, media, cancellable);
        }
    }
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
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

OrielMedia *media_look(const char *path, gboolean systems, GCancellable *cancellable,
                       GError **error)
{
    g_autoptr(OrielMedia) media = g_new0(OrielMedia, 1);
    struct stat status;
    gboolean known;
    int fd;

    media->path = g_canonicalize_filename(path, NULL);
    /* Not to wait for the other end of a pipe. */
    fd = open(media->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), media->path);
        known = FALSE;
    } else if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is neither a file nor a disk; choose an image file."), media->path);
        known = FALSE;
    } else {
        media->size = S_ISREG(status.st_mode) ? (guint64)status.st_size
                                              : (guint64)MAX(lseek(fd, 0, SEEK_END), 0);
        known = file_look(fd, media, systems, cancellable, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    return known ? g_steal_pointer(&media) : NULL;
}

/* --- From the worker to its caller ------------------------------------------------------------ */

GVariant *media_to_wire(const OrielMedia *media)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "kind", "u", (guint32)media->kind);
    g_variant_dict_insert(&dict, "size", "t", media->size);
    g_variant_dict_insert(&dict, "bootable", "b", media->bootable);
    g_variant_dict_insert(&dict, "uefi-only", "b", media->uefi_only);
    g_variant_dict_insert(&dict, "live", "b", media->live);
    if (media->format) {
        g_variant_dict_insert(&dict, "format", "s", media->format);
    }
    if (media->label) {
        g_variant_dict_insert(&dict, "label", "s", media->label);
    }
    if (media->system) {
        g_variant_dict_insert(&dict, "system", "s", media->system);
    }
    return g_variant_dict_end(&dict);
}

/* A short name of a format or a system, or NULL. */
static const char *wire_name(GVariantDict *dict, const char *key)
{
    const char *name = NULL;

    g_variant_dict_lookup(dict, key, "&s", &name);
    return name && strlen(name) <= NAME_MAX_LENGTH &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == strlen(name)
               ? name
               : NULL;
}

OrielMedia *media_from_wire(GVariant *wire, const char *path, GError **error)
{
    g_autoptr(GVariantDict) dict = g_variant_dict_new(wire);
    g_autoptr(OrielMedia) media = g_new0(OrielMedia, 1);
    const char *label = NULL;
    guint32 kind = G_MAXUINT32;

    g_variant_dict_lookup(dict, "kind", "u", &kind);
    g_variant_dict_lookup(dict, "size", "t", &media->size);
    g_variant_dict_lookup(dict, "bootable", "b", &media->bootable);
    g_variant_dict_lookup(dict, "uefi-only", "b", &media->uefi_only);
    g_variant_dict_lookup(dict, "live", "b", &media->live);
    g_variant_dict_lookup(dict, "label", "&s", &label);
    media->kind = (OrielMediaKind)kind;
    media->path = g_strdup(path);
    media->format = g_intern_string(wire_name(dict, "format"));
    media->system = g_strdup(wire_name(dict, "system"));
    media->label =
        label ? g_utf8_substring(label, 0, MIN(g_utf8_strlen(label, -1), LABEL_MAX)) : NULL;
    if (kind > ORIEL_MEDIA_KERNEL || kind == ORIEL_MEDIA_MACHINE ||
        (kind == ORIEL_MEDIA_DISK || kind == ORIEL_MEDIA_OVF) != (media->format != NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("What “%s” is could not be found out. Copy or download it again."), path);
        return NULL;
    }
    return g_steal_pointer(&media);
}
