/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-drive-words.h. */
#include "oriel-drive-words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "oriel-system.h"

char *drive_title(const OrielDrive *drive)
{
    guint64 number = g_ascii_strtoull(drive->id + strcspn(drive->id, "0123456789"), NULL, 10) + 1;

    /* Translators: %u is the number of a disk or drive, from 1. */
    return g_strdup_printf(drive->kind == ORIEL_DRIVE_DISK ? _("Disk %u") : _("CD Drive %u"),
                           (guint)number);
}

/* A setting of a drive: "disk0.read-only", "cdrom0.path". */
static char *drive_setting_text(const OrielDrive *drive, const char *setting, const char *value)
{
    g_autofree char *title = drive_title(drive);

    if (g_str_equal(setting, "read-only")) {
        return g_strdup_printf(
            g_str_equal(value, "true") ? _("%s is read-only") : _("%s can be written"), title);
    }
    if (drive->kind == ORIEL_DRIVE_CDROM && g_str_equal(setting, "path")) {
        g_autofree char *base = *value ? g_path_get_basename(value) : NULL;

        /* Translators: a CD drive, and the file that is in it. */
        return base ? g_strdup_printf(_("“%2$s” in %1$s"), title, base)
                    : g_strdup_printf(_("%s is empty"), title);
    }
    if (g_str_equal(setting, "controller")) {
        return g_strdup_printf(g_str_equal(value, "virtio") ? _("%s by virtio")
                               : g_str_equal(value, "nvme") ? _("%s by NVMe")
                                                            : _("%s by SATA"),
                               title);
    }
    if (g_str_equal(setting, "cache")) {
        return g_strdup_printf(g_str_equal(value, "direct") ? _("%s by direct I/O")
                                                            : _("%s through this computer’s cache"),
                               title);
    }
    if (g_str_equal(setting, "iops-limit")) {
        return g_str_equal(value, "0")
                   ? g_strdup_printf(_("%s with any number of requests"), title)
                   : g_strdup_printf(_("%s with at most %s requests a second"), title, value);
    }
    if (g_str_equal(setting, "bandwidth-limit")) {
        return g_str_equal(value, "0") ? g_strdup_printf(_("%s at any speed"), title)
                                       : g_strdup_printf(_("%s at most %s a second"), title, value);
    }
    return g_strdup_printf(_("%s: %s"), title, value);
}

static char *order_text(const OrielConfig *config, const char *value)
{
    g_auto(GStrv) ids = g_strsplit(value, ",", -1);
    g_autoptr(GString) text = g_string_new(NULL);

    for (char **id = ids; *id; id++) {
        const OrielDrive *drive = oriel_config_find_drive(config, *id);
        g_autofree char *title = drive ? drive_title(drive) : g_strdup(*id);

        g_string_append_printf(text, "%s%s", text->len ? ", " : "", title);
    }
    /* Translators: the drives that a machine starts from, in their order. */
    return g_strdup_printf(_("Boot order: %s"), *value ? text->str : _("disks, then CDs"));
}

/* Settings that have no row, or one of their own kind. */
static char *special_text(const OrielConfig *config, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');
    g_autofree char *id = dot ? g_strndup(key, (gsize)(dot - key)) : NULL;
    const OrielDrive *drive = id ? oriel_config_find_drive(config, id) : NULL;

    if (drive) {
        return drive_setting_text(drive, dot + 1, value);
    }
    if (g_str_equal(key, "notes")) {
        return g_strdup(_("other notes"));
    }
    if (g_str_equal(key, "os")) {
        return g_strdup_printf(_("System: %s"), oriel_system_find(value)->name);
    }
    if (g_str_equal(key, "boot-order")) {
        return order_text(config, value);
    }
    return NULL;
}

/* The id of a drive that only one of the two has. */
static char *drive_text(const OrielConfig *config, const OrielConfig *other, const char *id)
{
    const OrielDrive *here = oriel_config_find_drive(config, id);
    const OrielDrive *there = oriel_config_find_drive(other, id);
    g_autofree char *title = here || there ? drive_title(here ? here : there) : NULL;

    return title ? g_strdup_printf(here ? _("with %s") : _("without %s"), title) : NULL;
}

static char *difference_text(const OrielConfig *config, const OrielConfig *other, const char *key,
                             char *(*describe)(gpointer data, const char *key, const char *value),
                             gpointer data)
{
    g_autofree char *value = oriel_config_get(config, key, NULL);
    char *text = value ? special_text(config, key, value) : drive_text(config, other, key);

    if (!text && value) {
        text = describe(data, key, value);
    }
    return text ? text : g_strdup_printf(_("%s: %s"), key, value && *value ? value : "–");
}

char *settings_difference(const OrielConfig *config, const OrielConfig *other,
                          char *(*describe)(gpointer data, const char *key, const char *value),
                          gpointer data)
{
    g_auto(GStrv) keys = oriel_config_differences(config, other);
    g_autoptr(GString) all = g_string_new(NULL);

    for (char **key = keys; *key; key++) {
        g_autofree char *text = NULL;

        if (g_str_equal(*key, "name") || g_str_equal(*key, "generation-id") ||
            g_str_equal(*key, "uuid")) {
            continue; /* going back leaves them as they are */
        }
        text = difference_text(config, other, *key, describe, data);
        g_string_append_printf(all, "%s%s", all->len ? " · " : "", text);
    }
    return g_strdup(all->str);
}

DrivesNow drives_now(OrielMachineItem *item)
{
    if (!oriel_machine_item_is_active(item)) {
        return DRIVES_NOW_ALL;
    }
    return oriel_machine_item_can_plug(item) ? DRIVES_NOW_SLOTS : DRIVES_NOW_MEDIA;
}

const char *drives_now_words(DrivesNow now)
{
    switch (now) {
    case DRIVES_NOW_ALL:
        return NULL;
    case DRIVES_NOW_SLOTS:
        return _("Disks come and go while the machine runs. CDs can be changed, too.");
    case DRIVES_NOW_MEDIA:
        break;
    }
    return _("Shut the machine down to add or remove drives. CDs can be changed now.");
}

gboolean drive_is_removable(const OrielDrive *drive, DrivesNow now, const char **words)
{
    gboolean disk = drive->kind == ORIEL_DRIVE_DISK;

    *words = disk ? _("Its file goes to the trash") : _("The image file stays where it is");
    if (now == DRIVES_NOW_SLOTS && drive->port == 0) {
        *words = _("It is built in: shut the machine down first");
    } else if (now == DRIVES_NOW_SLOTS) {
        *words = _("The system is asked first; its file goes to the trash");
        return TRUE;
    }
    return now == DRIVES_NOW_ALL;
}
