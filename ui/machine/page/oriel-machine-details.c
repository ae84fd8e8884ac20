/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-details.h. */
#include "oriel-machine-details.h"

#include <glib/gi18n.h>

#include "machine/oriel-operation-box.h"
#include "machine/oriel-thumbnail.h"
#include "media/oriel-system.h"
#include "base/oriel-state.h"

struct _OrielMachineDetails {
    GtkWidget parent_instance;
    GtkWidget *scroller;
    OrielThumbnail *thumbnail;
    GtkLabel *name, *message, *notes;
    GtkWidget *start, *discard, *folder, *log, *forget;
    OrielOperationBox *work;
    GtkWidget *facts, *notes_group, *eject;
    AdwActionRow *system, *hardware, *disks, *medium;
    OrielMachineItem *item;
};

G_DEFINE_FINAL_TYPE(OrielMachineDetails, oriel_machine_details, GTK_TYPE_WIDGET)

/* "2 processors, 4.0 GiB of memory". g_free(). */
static char *hardware_text(const OrielConfig *config)
{
    g_autofree char *memory = g_format_size_full(config->memory, G_FORMAT_SIZE_IEC_UNITS);

    /* Translators: %2$s is a size of memory. */
    return g_strdup_printf(
        ngettext("%1$u processor, %2$s of memory", "%1$u processors, %2$s of memory", config->cpus),
        config->cpus, memory);
}

static guint n_drives(const OrielConfig *config, OrielDriveKind kind)
{
    guint number = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        number += ((OrielDrive *)g_ptr_array_index(config->drives, i))->kind == kind;
    }
    return number;
}

/* The file in the first CD drive, or NULL. */
static const char *medium_path(const OrielConfig *config)
{
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(config->drives, i);

        if (drive->kind == ORIEL_DRIVE_CDROM) {
            return drive->path;
        }
    }
    return NULL;
}

static void facts_follow(OrielMachineDetails *details, const OrielConfig *config)
{
    g_autofree char *os = oriel_state_setting(details->item, "os");
    g_autofree char *hardware = hardware_text(config);
    guint n_disks = n_drives(config, ORIEL_DRIVE_DISK);
    g_autofree char *disks =
        n_disks ? g_strdup_printf(ngettext("%u disk", "%u disks", n_disks), n_disks)
                : g_strdup(_("None"));
    const char *path = medium_path(config);
    g_autofree char *medium = path ? g_path_get_basename(path) : g_strdup(_("Empty"));

    adw_action_row_set_subtitle(details->system, oriel_system_find(*os ? os : NULL)->name);
    adw_action_row_set_subtitle(details->hardware, hardware);
    adw_action_row_set_subtitle(details->disks, disks);
    adw_action_row_set_subtitle(details->medium, medium);
    gtk_widget_set_visible(GTK_WIDGET(details->medium), n_drives(config, ORIEL_DRIVE_CDROM) > 0);
    gtk_widget_set_visible(details->eject, path != NULL);
}

static void follow(OrielMachineDetails *details)
{
    const OrielConfig *config = oriel_machine_item_get_config(details->item);
    OrielMachineState state = oriel_machine_item_get_state(details->item);
    const char *message = oriel_machine_item_get_message(details->item);
    gboolean saved = state == ORIEL_MACHINE_STATE_SAVED;
    gboolean off = saved || state == ORIEL_MACHINE_STATE_STOPPED;
    g_autofree char *notes = oriel_state_setting(details->item, "notes");

    gtk_label_set_text(details->name, oriel_machine_item_get_name(details->item));
    if (saved && (!message || !*message)) {
        message = _("Saved: it goes on where it was.");
    }
    gtk_label_set_text(details->message, message ? message : "");
    gtk_widget_set_visible(GTK_WIDGET(details->message), message && *message);
    gtk_button_set_label(GTK_BUTTON(details->start), saved ? _("_Resume") : _("_Start"));
    gtk_widget_set_visible(details->start, off);
    gtk_widget_set_visible(details->discard, saved);
    /* What stopped by itself left word of it. */
    gtk_widget_set_visible(details->log,
                           state == ORIEL_MACHINE_STATE_STOPPED && message && *message);
    gtk_widget_set_visible(details->folder, state == ORIEL_MACHINE_STATE_DAMAGED);
    gtk_widget_set_visible(details->forget, state == ORIEL_MACHINE_STATE_UNAVAILABLE);
    gtk_widget_set_visible(details->facts, config != NULL);
    gtk_widget_set_visible(details->notes_group, *notes != 0);
    gtk_label_set_text(details->notes, notes);
    if (config) {
        facts_follow(details, config);
    }
}

void oriel_machine_details_set_item(OrielMachineDetails *details, OrielMachineItem *item)
{
    static const char *const followed[] = { "notify::name", "notify::state", "notify::message",
                                            "notify::config" };

    if (details->item == item) {
        return;
    }
    if (details->item) {
        g_signal_handlers_disconnect_by_data(details->item, details);
    }
    g_set_object(&details->item, item);
    oriel_thumbnail_set_item(details->thumbnail, item);
    oriel_operation_box_set_item(details->work, item);
    if (item) {
        for (guint i = 0; i < G_N_ELEMENTS(followed); i++) {
            g_signal_connect_swapped(item, followed[i], G_CALLBACK(follow), details);
        }
        follow(details);
    }
}

static void oriel_machine_details_dispose(GObject *object)
{
    OrielMachineDetails *details = ORIEL_MACHINE_DETAILS(object);

    if (details->scroller) {
        oriel_machine_details_set_item(details, NULL);
    }
    gtk_widget_dispose_template(GTK_WIDGET(details), ORIEL_TYPE_MACHINE_DETAILS);
    G_OBJECT_CLASS(oriel_machine_details_parent_class)->dispose(object);
}

static void oriel_machine_details_class_init(OrielMachineDetailsClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_machine_details_dispose;
    g_type_ensure(ORIEL_TYPE_OPERATION_BOX);
    g_type_ensure(ORIEL_TYPE_THUMBNAIL);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-machine-details.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, scroller);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, thumbnail);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, name);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, message);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, notes);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, start);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, discard);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, folder);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, log);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, forget);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, work);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, facts);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, notes_group);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, eject);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, system);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, hardware);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, disks);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineDetails, medium);
}

static void oriel_machine_details_init(OrielMachineDetails *details)
{
    gtk_widget_init_template(GTK_WIDGET(details));
}
