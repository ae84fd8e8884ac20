/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Another size for a disk, and for its last partition; see disk-work.h. */
#include <glib/gi18n-lib.h>

#include "block/partitions/partitions.h"
#include "config/config.h"
#include "worker/disk-work.h"

static gboolean size_wanted(const struct image *image, const OrielDiskResize *resize, guint64 *size,
                            GError **error)
{
    gboolean more = resize->size[0] == '+';

    if (!oriel_size_parse(resize->size + more, size, error)) {
        return FALSE;
    }
    if (*size > IMAGE_BYTES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("A disk has at most 64P."));
        return FALSE;
    }
    *size = (*size + (more ? image->size : 0) + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    if (*size < image->size && (!resize->shrink || resize->grow_partition)) {
        g_autofree char *present = oriel_size_text(image->size);

        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            resize->grow_partition
                ? _("“%s” has %s now; its partition can only grow when the disk does not shrink.")
                : _("“%s” has %s now; to make it smaller, and lose what lies behind, say "
                    "--shrink."),
            image->storage->name, present);
        return FALSE;
    }
    return TRUE;
}

/* --- What is left to do ----------------------------------------------------------------------- */

/* How a system takes space that its partition, or its disk without partitions, has now. */
static const char *way_inside(enum partition_content content)
{
    switch (content) {
    case PARTITION_EXT:
        return _("Its file system is ext: “resize2fs” with the name of its device lets it take "
                 "the space.");
    case PARTITION_XFS:
        return _("Its file system is XFS: “xfs_growfs” with the folder at which it is mounted lets "
                 "it take the space.");
    case PARTITION_BTRFS:
        return _("Its file system is Btrfs: “btrfs filesystem resize max” with the folder at which "
                 "it is mounted lets it take the space.");
    case PARTITION_NTFS:
        return _("Its file system is NTFS: in Windows, “extend filesystem” of the program diskpart "
                 "lets it take the space, after “select volume” with its letter.");
    case PARTITION_UFS:
        return _("Its file system is UFS: “growfs” with the name of its device lets it take the "
                 "space.");
    case PARTITION_LVM:
        return _("It belongs to LVM: “pvresize” with the name of its device takes the space, and "
                 "“lvextend --resizefs” gives it to a volume.");
    case PARTITION_LUKS:
        return _("It is encrypted with LUKS: “cryptsetup resize” lets it take the space; then do "
                 "the same for what is in it.");
    default:
        return NULL;
    }
}

/* Why a partition stays as it is although it was to grow. g_free(). */
static char *why_kept(const struct partition_last *last)
{
    switch (last->content) {
    case PARTITION_FAT:
        return g_strdup_printf(_("The last partition, %u, stays as it is, because file systems of "
                                 "the kind FAT do not grow. The new space lies behind it, for "
                                 "another partition."),
                               last->number);
    case PARTITION_SWAP:
        return g_strdup_printf(_("The last partition, %u, stays as it is, because it is swap "
                                 "space. The new space lies behind it: to give it to the partition "
                                 "in front, delete the swap partition in the system first and make "
                                 "it anew at the end."),
                               last->number);
    case PARTITION_RAID:
        return g_strdup_printf(_("The last partition, %u, stays as it is, because it belongs to a "
                                 "RAID. The new space lies behind it, for another partition."),
                               last->number);
    case PARTITION_RESERVED:
        return g_strdup_printf(_("The last partition, %u, stays as it is, because it is one for "
                                 "starting or repairing the system. The new space lies behind it, "
                                 "for another partition."),
                               last->number);
    default:
        return g_strdup_printf(_("The last partition, %u, stays as it is, because its content is "
                                 "not known here. The new space lies behind it; its system may be "
                                 "able to grow it."),
                               last->number);
    }
}

static char *next_of_partition(const struct partition_last *last, gboolean asked, gboolean grown)
{
    g_autofree char *size = g_format_size_full(last->length, G_FORMAT_SIZE_IEC_UNITS);
    const char *way = way_inside(last->content);

    if (grown && way) {
        g_autofree char *first =
            g_strdup_printf(_("The last partition, %u, has %s now."), last->number, size);

        return g_strdup_printf("%s %s", first, way);
    }
    if (!asked) {
        return g_strdup_printf(_("The last partition, %u, stays as it is. The new space lies "
                                 "behind it, for another partition."),
                               last->number);
    }
    if (way) {
        return g_strdup_printf(_("The last partition, %u, already ends where it can."),
                               last->number);
    }
    return why_kept(last);
}

static char *next_words(const struct partition_last *last, gboolean asked, gboolean grown)
{
    const char *way = way_inside(last->content);

    if (last->number > 0) {
        return next_of_partition(last, asked, grown);
    }
    switch (last->table) {
    case PARTITION_TABLE_NONE:
        return way ? g_strdup_printf(_("The disk has no partitions. %s"), way) : NULL;
    case PARTITION_TABLE_UNKNOWN:
        return g_strdup(_("The disk’s partition table stays as it is, because it is damaged or of "
                          "a kind that is not known here. Its system can grow its partitions, or "
                          "a partition editor that is started in the machine."));
    default:
        return g_strdup(_("The disk’s partition table has no partition; its new space is free."));
    }
}

static void partition_told(JsonObject *object, const struct partition_last *last, gboolean asked,
                           gboolean grown)
{
    g_autofree char *next = next_words(last, asked, grown);

    json_object_set_string_member(object, "partition-table", partition_table_name(last->table));
    json_object_set_int_member(object, "partition", last->number);
    json_object_set_string_member(object, "content", partition_content_name(last->content));
    json_object_set_int_member(object, "partition-size", (gint64)last->length);
    json_object_set_boolean_member(object, "partition-grown", grown);
    if (next) {
        json_object_set_string_member(object, "next", next);
    }
}

/* --- Resize ----------------------------------------------------------------------------------- */

/* Grows the last partition, or only says which it is. */
static gboolean partition_care(struct image *image, gboolean grow, JsonObject *object,
                               GError **error)
{
    struct partition_last last;
    int result = partitions_look(image, &last);
    gboolean grown = grow && partition_can_grow(&last);
    GError *cause = NULL;

    if (result == 0 && grown) {
        result = partitions_grow(image, &last);
    }
    if (result < 0) {
        image_set_error(image, result, &cause);
        g_set_error(error, cause->domain, cause->code,
                    _("%s “%s” has its new size, but its partitions may have their old one. Do it "
                      "again once this is mended."),
                    cause->message, image->storage->name);
        g_error_free(cause);
        return FALSE;
    }
    partition_told(object, &last, grow, grown);
    return TRUE;
}

static JsonNode *resize_image(struct image *image, const OrielDiskResize *resize, GError **error)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    guint64 before = image->size, size;

    json_node_take_object(node, object);
    if (!size_wanted(image, resize, &size, error) || !image_resize(image, size, error)) {
        return NULL;
    }
    json_object_set_int_member(object, "disk-size", (gint64)image->size);
    /* What it builds on is not there unless partitions are to grow: most of it would be missing. */
    if (size >= before && (!image->backing_name || image->backing) &&
        !partition_care(image, resize->grow_partition, object, error)) {
        return NULL;
    }
    return g_steal_pointer(&node);
}

JsonNode *disk_work_resize(const char *path, const char *format, const OrielDiskResize *resize,
                           GError **error)
{
    enum chain_follow follow = resize->grow_partition ? CHAIN_STATED : CHAIN_ALONE;
    struct image *image = disk_work_open(path, format, follow, error);
    JsonNode *node = image ? resize_image(image, resize, error) : NULL;

    image_free(image);
    return node;
}
