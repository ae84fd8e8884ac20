/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-export-dialog.h. The dialog looks at the disks on a worker thread; a file chooser
 * follows, and then the item's own operation. */
#include "dialogs/oriel-export-dialog.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "appliance/export/oriel-export.h"
#include "base/oriel-message.h"
#include "settings/oriel-machine-work.h"

typedef struct {
    OrielMachineItem *item;
    GtkWindow *parent;
    AdwMessageDialog *dialog;  /* borrowed */
    AdwComboRow *profile;      /* borrowed */
    AdwComboRow *controller;   /* borrowed */
    GCancellable *cancellable; /* of the estimate that is under way */
} ExportDialog;

static void export_dialog_free(gpointer data, GClosure *closure)
{
    ExportDialog *self = data;

    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    g_object_unref(self->item);
    g_object_unref(self->parent);
    g_free(self);
}

static OrielOvfProfile profile_of(ExportDialog *self)
{
    return (OrielOvfProfile)adw_combo_row_get_selected(self->profile);
}

static OrielOvfController controller_of(ExportDialog *self)
{
    return (OrielOvfController)adw_combo_row_get_selected(self->controller);
}

/* --- How large -------------------------------------------------------------------------------- */

typedef struct {
    OrielMachine *machine;
    OrielExportOptions options;
} Estimate;

static void estimate_free(gpointer data)
{
    Estimate *estimate = data;

    oriel_machine_free(estimate->machine);
    g_free(estimate);
}

static void estimate_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Estimate *estimate = data;
    GError *error = NULL;
    OrielExportReport *report =
        oriel_export_estimate(estimate->machine, &estimate->options, cancellable, &error);

    if (report) {
        g_task_return_pointer(task, report, (GDestroyNotify)oriel_export_report_free);
    } else {
        g_task_return_error(task, error);
    }
}

static char *report_text(const OrielExportReport *report)
{
    g_autofree char *size = g_format_size_full(report->size, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *capacity = g_format_size_full(report->capacity, G_FORMAT_SIZE_IEC_UNITS);
    /* Translators: two sizes, "1.2 GiB". */
    g_autofree char *first = g_strdup_printf(_("About %s, for disks of %s."), size, capacity);
    GString *text = g_string_new(first);

    for (guint i = 0; i < report->notes->len; i++) {
        g_string_append_printf(text, "\n\n%s", (const char *)report->notes->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

static void estimated(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielExportReport) report = g_task_propagate_pointer(G_TASK(result), &error);
    g_autofree char *text = report ? report_text(report) : NULL;
    AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG(source);

    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        adw_message_dialog_set_body(dialog, report ? text : error->message);
        adw_message_dialog_set_response_enabled(dialog, "accept", report != NULL);
    }
}

static void estimate_start(ExportDialog *self)
{
    Estimate *estimate = g_new0(Estimate, 1);
    g_autoptr(GTask) task = NULL;

    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    estimate->machine = oriel_machine_item_dup_machine(self->item);
    estimate->options.profile = profile_of(self);
    estimate->options.controller = controller_of(self);
    adw_message_dialog_set_body(self->dialog, _("Looking at the disks…"));
    adw_message_dialog_set_response_enabled(self->dialog, "accept", FALSE);
    task = g_task_new(self->dialog, self->cancellable, estimated, NULL);
    g_task_set_task_data(task, estimate, estimate_free);
    g_task_run_in_thread(task, estimate_work);
}

/* --- Where to --------------------------------------------------------------------------------- */

static void export_ended(GtkWidget *parent, const GError *error, const char *result)
{
    if (error) {
        oriel_message_error(parent, _("Could Not Export the Machine"), error);
    } else {
        oriel_message_toast(parent, _("Machine exported"));
    }
}

/* What a file chooser has to know when the dialog is gone. */
typedef struct {
    OrielMachineItem *item;
    GtkWindow *parent;
    OrielOvfProfile profile;
    OrielOvfController controller;
} Choice;

static void choice_free(gpointer data, GClosure *closure)
{
    Choice *choice = data;

    g_object_unref(choice->item);
    g_object_unref(choice->parent);
    g_free(choice);
}

static void target_chosen(GtkNativeDialog *chooser, int response, Choice *choice)
{
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser))
                                : NULL;
    g_autofree char *path = file ? g_file_get_path(file) : NULL;

    if (path) {
        machine_work_export(GTK_WIDGET(choice->parent), choice->item, path, choice->profile,
                            choice->controller, export_ended);
    }
    gtk_native_dialog_destroy(chooser);
    g_object_unref(chooser);
}

static void on_response(AdwMessageDialog *dialog, const char *response, ExportDialog *self)
{
    GtkFileChooserNative *chooser;
    g_autofree char *name = NULL;
    Choice *choice;

    g_signal_handlers_disconnect_by_data(self->profile, self);
    g_signal_handlers_disconnect_by_data(self->controller, self);
    if (!g_str_equal(response, "accept")) {
        return;
    }
    choice = g_new0(Choice, 1);
    choice->item = g_object_ref(self->item);
    choice->parent = g_object_ref(self->parent);
    choice->profile = profile_of(self);
    choice->controller = controller_of(self);
    name = g_strconcat(oriel_machine_item_get_name(self->item),
                       choice->profile == ORIEL_OVF_HYPER_V ? " (Hyper-V)" : ".ova", NULL);
    g_strdelimit(name, "/", '-');
    chooser = gtk_file_chooser_native_new(_("Export the Machine"), self->parent,
                                          GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), _("_Cancel"));
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(chooser), name);
    g_signal_connect_data(chooser, "response", G_CALLBACK(target_chosen), choice, choice_free, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

/* --- The dialog ------------------------------------------------------------------------------- */

static AdwComboRow *row_add(ExportDialog *self, GtkWidget *list_box, const char *title,
                            const char *const *texts)
{
    GtkWidget *row = adw_combo_row_new();
    g_autoptr(GtkStringList) model = gtk_string_list_new(texts);

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(model));
    gtk_list_box_append(GTK_LIST_BOX(list_box), row);
    g_signal_connect_swapped(row, "notify::selected", G_CALLBACK(estimate_start), self);
    return ADW_COMBO_ROW(row);
}

void oriel_export_dialog_show(GtkWindow *parent, OrielMachineItem *item)
{
    /* In the order of OrielOvfProfile. */
    const char *const profiles[] = { _("VMware and others"), _("VirtualBox"), _("Proxmox"),
                                     _("Hyper-V"), NULL };
    /* In the order of OrielOvfController. */
    const char *const controllers[] = { _("Automatic"), "SCSI", "SATA", "IDE", NULL };
    ExportDialog *self = g_new0(ExportDialog, 1);
    /* Translators: %s is the name of a machine. */
    g_autofree char *heading = g_strdup_printf(_("Export “%s”"), oriel_machine_item_get_name(item));
    GtkWidget *list_box = gtk_list_box_new();

    self->item = g_object_ref(item);
    self->parent = g_object_ref(parent);
    self->cancellable = g_cancellable_new();
    self->dialog = ADW_MESSAGE_DIALOG(adw_message_dialog_new(parent, heading, NULL));
    self->profile = row_add(self, list_box, _("Export For"), profiles);
    self->controller = row_add(self, list_box, _("Disk Controller"), controllers);
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list_box), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list_box, "boxed-list");
    adw_message_dialog_set_extra_child(self->dialog, list_box);
    adw_message_dialog_add_responses(self->dialog, "cancel", _("_Cancel"), "accept", _("_Export…"),
                                     NULL);
    adw_message_dialog_set_response_appearance(self->dialog, "accept", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(self->dialog, "accept");
    g_signal_connect_data(self->dialog, "response", G_CALLBACK(on_response), self,
                          export_dialog_free, 0);
    estimate_start(self);
    gtk_window_present(GTK_WINDOW(self->dialog));
}
