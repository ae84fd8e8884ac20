/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-drive-row.h. */
#include "oriel-drive-row.h"

#include <glib/gi18n.h>
#include <sys/stat.h>

#include "widgets/oriel-spin-row.h"

char *drive_row_subtitle(const OrielDrive *drive, const char *folder, const DiskSize *size)
{
    g_autofree char *path = NULL;
    struct stat status;

    if (drive->kind == ORIEL_DRIVE_CDROM) {
        g_autofree char *base = drive->path ? g_path_get_basename(drive->path) : NULL;

        return base ? g_steal_pointer(&base) : g_strdup(_("Empty"));
    }
    path = g_build_filename(folder, drive->path, NULL);
    if (stat(path, &status) < 0) {
        return g_strdup(_("The file of this disk is missing"));
    }
    g_autofree char *used =
        g_format_size_full((guint64)status.st_blocks * 512, G_FORMAT_SIZE_IEC_UNITS);

    if (!size) {
        /* Translators: the size of a disk's file. */
        return g_strdup_printf(_("Takes %s"), used);
    }
    g_autofree char *whole = g_format_size_full(size->size, G_FORMAT_SIZE_IEC_UNITS);

    /* Translators: the size of a disk, the format of its file, and what that takes so far. */
    return g_strdup_printf(_("%s (%s), takes %s so far"), whole, size->format, used);
}

GtkWidget *drive_icon_button_new(const char *icon, const char *label, const char *action,
                                 const char *id)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);

    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, label);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                   -1);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", id);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    return button;
}

static GtkWidget *button_row(const char *title, const char *subtitle, const char *label,
                             const char *action, const char *id)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *button = gtk_button_new_with_mnemonic(label);

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", id);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), button);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), button);
    return row;
}

static GtkWidget *switch_row(OrielSettingRows *settings, const char *title, const char *id,
                             const char *setting)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *toggle = gtk_switch_new();
    g_autofree char *key = g_strdup_printf("%s.%s", id, setting);

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    oriel_setting_rows_bind(settings, row, key, NULL);
    return row;
}

/* A setting of a drive with the values `choices`, which the user sees as `words`. */
static GtkWidget *choice_row(OrielSettingRows *settings, const char *title, const char *key,
                             const char *const *choices, const char *const *words)
{
    GtkWidget *row = adw_combo_row_new();
    g_autoptr(GtkStringList) model = gtk_string_list_new(words);

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(model));
    adw_combo_row_set_use_subtitle(ADW_COMBO_ROW(row), TRUE);
    oriel_setting_rows_bind(settings, row, key, choices);
    return row;
}

/* Which systems reach the disk, and how fast; in words that need no knowledge of controllers. */
static GtkWidget *controller_row(OrielSettingRows *settings, const char *id)
{
    static const char *const controllers[] = { "ahci", "virtio", "nvme", NULL };
    const char *const words[] = { _("Every system (SATA)"),
                                  _("Faster, for systems that know virtio"),
                                  _("Faster, for systems that know NVMe"), NULL };
    g_autofree char *key = g_strdup_printf("%s.controller", id);

    return choice_row(settings, _("Compatibility"), key, controllers, words);
}

static GtkWidget *cache_row(OrielSettingRows *settings, const char *id)
{
    static const char *const caches[] = { "writeback", "direct", NULL };
    const char *const words[] = { _("In this computer’s memory, too"),
                                  _("In the machine only (direct I/O)"), NULL };
    g_autofree char *key = g_strdup_printf("%s.cache", id);

    return choice_row(settings, _("Cache"), key, caches, words);
}

/* The most that the guest gets of a drive in a second. */
static GtkWidget *limit_row(OrielSettingRows *settings, const char *title, const char *id,
                            const char *setting, gboolean sizes)
{
    GtkWidget *row = g_object_new(ORIEL_TYPE_SPIN_ROW, "title", title, "subtitle",
                                  _("The most that the machine gets; 0 means no limit"), "sizes",
                                  sizes, "lower", 0.0, "upper", sizes ? 102400.0 : 1000000.0,
                                  "step", sizes ? 10.0 : 100.0, NULL);
    g_autofree char *key = g_strdup_printf("%s.%s", id, setting);

    oriel_setting_rows_bind(settings, row, key, NULL);
    return row;
}

static GtkWidget *removal_row(const OrielDrive *drive, DrivesNow now)
{
    const char *words;
    gboolean removable = drive_is_removable(drive, now, &words);
    GtkWidget *row = button_row(_("Remove"), words, _("_Remove"), "drives.remove", drive->id);

    gtk_widget_set_sensitive(row, removable);
    return row;
}

/* What can be done to a disk, inside its row. */
static void disk_rows_add(AdwExpanderRow *row, OrielSettingRows *settings, const OrielDrive *disk,
                          gboolean can_grow)
{
    const char *id = disk->id;
    GtkWidget *grow =
        button_row(_("Size"), _("A disk can grow, not shrink"), _("_Grow…"), "drives.grow", id);

    gtk_widget_set_sensitive(grow, can_grow);
    adw_expander_row_add_row(row, grow);
    adw_expander_row_add_row(row, button_row(_("Maintenance"), _("Check, repair, compact, convert"),
                                             _("_Maintain…"), "drives.care", id));
    adw_expander_row_add_row(row, controller_row(settings, id));
    adw_expander_row_add_row(row, cache_row(settings, id));
    adw_expander_row_add_row(
        row, limit_row(settings, _("Requests per Second"), id, "iops-limit", FALSE));
    adw_expander_row_add_row(
        row, limit_row(settings, _("Bytes per Second"), id, "bandwidth-limit", TRUE));
    adw_expander_row_add_row(row, switch_row(settings, _("Read-Only"), id, "read-only"));
}

static void cdrom_rows_add(AdwExpanderRow *row, const OrielDrive *cdrom)
{
    adw_expander_row_add_row(row, button_row(_("Medium"), cdrom->path ? cdrom->path : "",
                                             _("_Insert…"), "drives.insert", cdrom->id));
    if (cdrom->path) {
        adw_expander_row_add_action(row, drive_icon_button_new("media-eject-symbolic", _("Eject"),
                                                               "drives.eject", cdrom->id));
    }
}

GtkWidget *drive_row_new(OrielSettingRows *settings, const OrielDrive *drive, const char *subtitle,
                         DrivesNow now, gboolean can_grow)
{
    g_autofree char *title = drive_title(drive);
    AdwExpanderRow *row = ADW_EXPANDER_ROW(adw_expander_row_new());
    gboolean disk = drive->kind == ORIEL_DRIVE_DISK;

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_expander_row_set_subtitle(row, subtitle);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    adw_expander_row_set_icon_name(row,
                                   disk ? "drive-harddisk-symbolic" : "media-optical-cd-symbolic");
    if (disk) {
        disk_rows_add(row, settings, drive, can_grow);
    } else {
        cdrom_rows_add(row, drive);
    }
    adw_expander_row_add_row(row, removal_row(drive, now));
    return GTK_WIDGET(row);
}
