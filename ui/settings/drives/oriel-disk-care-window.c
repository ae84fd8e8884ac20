/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-disk-care-window.h. The work is the item's operation (oriel-disk-care.c); what it ended
 * with is said below the rows. */
#include "oriel-disk-care-window.h"

#include <glib/gi18n.h>

#include "machine/oriel-operation-box.h"
#include "oriel-disk-care.h"
#include "oriel-drive-words.h"

struct _OrielDiskCareWindow {
    AdwWindow parent_instance;
    AdwWindowTitle *heading;
    AdwPreferencesGroup *tools;
    GtkWidget *check_row, *repair_row, *compact_row, *convert_row;
    GtkButton *convert;
    OrielOperationBox *work;
    GtkLabel *outcome;

    OrielMachineItem *item;
    char *drive;
};

G_DEFINE_FINAL_TYPE(OrielDiskCareWindow, oriel_disk_care_window, ADW_TYPE_WINDOW)

/* The disk as the settings have it now; NULL if it was removed. */
static const OrielDrive *drive_of(OrielDiskCareWindow *self)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);

    return config ? oriel_config_find_drive(config, self->drive) : NULL;
}

static gboolean is_busy(OrielDiskCareWindow *self)
{
    OrielOperation *operation = oriel_machine_item_get_operation(self->item);

    return operation && oriel_operation_is_active(operation);
}

/* Why not everything can be done, or NULL. */
static const char *hindrance(OrielDiskCareWindow *self)
{
    if (oriel_machine_item_get_state(self->item) == ORIEL_MACHINE_STATE_SAVED) {
        return _("The machine is saved: its disks can be checked, not changed. Start it and shut "
                 "it down first.");
    }
    return oriel_machine_item_is_active(self->item)
               ? _("Shut the machine down to work on its disks.")
               : NULL;
}

static void follow(OrielDiskCareWindow *self)
{
    const OrielDrive *drive = drive_of(self);
    gboolean free = drive && !is_busy(self) && !oriel_machine_item_is_active(self->item);
    gboolean changes =
        free && oriel_machine_item_get_state(self->item) != ORIEL_MACHINE_STATE_SAVED;
    gboolean raw = drive && drive->format == ORIEL_DISK_FORMAT_RAW;

    adw_preferences_group_set_description(self->tools, hindrance(self));
    gtk_widget_set_sensitive(self->check_row, free);
    gtk_widget_set_sensitive(self->repair_row, changes);
    gtk_widget_set_sensitive(self->compact_row, changes);
    gtk_widget_set_sensitive(self->convert_row, changes);
    gtk_widget_set_visible(self->repair_row, !raw);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(self->convert_row),
                                raw ? _("Raw: other programs read it as it is")
                                    : _("qcow2: the file grows as the disk is used"));
    gtk_button_set_label(self->convert, raw ? _("Convert to _qcow2") : _("Convert to _Raw"));
}

/* What the work said; also when nobody looks any more. */
static void care_done(GtkWidget *widget, const GError *error, const char *result)
{
    OrielDiskCareWindow *self = ORIEL_DISK_CARE_WINDOW(widget);
    const char *text = error ? error->message : result;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        text = _("Cancelled. The disk is as it was.");
    } else if (error && !gtk_widget_get_mapped(widget)) {
        GtkWidget *dialog =
            adw_message_dialog_new(NULL, _("Could Not Finish the Work on a Disk"), error->message);

        adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
        gtk_window_present(GTK_WINDOW(dialog));
    }
    gtk_label_set_text(self->outcome, text);
    gtk_widget_set_visible(GTK_WIDGET(self->outcome), TRUE);
    follow(self);
}

static void begin(OrielDiskCareWindow *self, DiskCare care)
{
    gtk_widget_set_visible(GTK_WIDGET(self->outcome), FALSE);
    disk_care_begin(GTK_WIDGET(self), self->item, self->drive, care, care_done);
    follow(self);
}

static void check_clicked(OrielDiskCareWindow *self)
{
    begin(self, DISK_CARE_CHECK);
}

static void repair_clicked(OrielDiskCareWindow *self)
{
    begin(self, DISK_CARE_REPAIR);
}

static void compact_clicked(OrielDiskCareWindow *self)
{
    begin(self, DISK_CARE_COMPACT);
}

static void convert_clicked(OrielDiskCareWindow *self)
{
    const OrielDrive *drive = drive_of(self);

    if (drive) {
        begin(self, drive->format == ORIEL_DISK_FORMAT_RAW ? DISK_CARE_TO_QCOW2 : DISK_CARE_TO_RAW);
    }
}

static void oriel_disk_care_window_dispose(GObject *object)
{
    OrielDiskCareWindow *self = ORIEL_DISK_CARE_WINDOW(object);

    if (self->item) {
        g_signal_handlers_disconnect_by_data(self->item, self);
    }
    g_clear_object(&self->item);
    G_OBJECT_CLASS(oriel_disk_care_window_parent_class)->dispose(object);
}

static void oriel_disk_care_window_finalize(GObject *object)
{
    g_free(ORIEL_DISK_CARE_WINDOW(object)->drive);
    G_OBJECT_CLASS(oriel_disk_care_window_parent_class)->finalize(object);
}

static void oriel_disk_care_window_class_init(OrielDiskCareWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_disk_care_window_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_disk_care_window_finalize;
    g_type_ensure(ORIEL_TYPE_OPERATION_BOX);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-disk-care-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, heading);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, tools);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, check_row);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, repair_row);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, compact_row);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, convert_row);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, convert);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, work);
    gtk_widget_class_bind_template_child(widget_class, OrielDiskCareWindow, outcome);
    gtk_widget_class_bind_template_callback(widget_class, check_clicked);
    gtk_widget_class_bind_template_callback(widget_class, repair_clicked);
    gtk_widget_class_bind_template_callback(widget_class, compact_clicked);
    gtk_widget_class_bind_template_callback(widget_class, convert_clicked);
}

static void oriel_disk_care_window_init(OrielDiskCareWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWindow *oriel_disk_care_window_new(OrielMachineItem *item, const char *drive, GtkWindow *parent)
{
    static const char *const properties[] = { "notify::config", "notify::state",
                                              "notify::operation" };
    OrielDiskCareWindow *self =
        g_object_new(ORIEL_TYPE_DISK_CARE_WINDOW, "transient-for", parent, NULL);
    g_autofree char *title = NULL, *whole = NULL;

    self->item = g_object_ref(item);
    self->drive = g_strdup(drive);
    title = drive_title(drive_of(self));
    /* Translators: "Disk 1 — Debian", the title of a window. */
    whole = g_strdup_printf(_("%s — %s"), title, oriel_machine_item_get_name(item));
    gtk_window_set_title(GTK_WINDOW(self), whole);
    adw_window_title_set_title(self->heading, title);
    adw_window_title_set_subtitle(self->heading, oriel_machine_item_get_name(item));
    oriel_operation_box_set_item(self->work, item);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++) {
        g_signal_connect_swapped(item, properties[i], G_CALLBACK(follow), self);
    }
    follow(self);
    return GTK_WINDOW(self);
}
