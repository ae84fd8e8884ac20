/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-import-page.h. */
#include "new/oriel-import-page.h"

#include <glib/gi18n.h>

#include "library/oriel-library.h"
#include "oriel-system.h"
#include "widgets/oriel-machine-name.h"

struct _OrielImportPage {
    GtkWidget parent_instance;
    GtkWidget *box;
    AdwActionRow *source_row, *folder_row;
    AdwComboRow *machine_row;
    AdwEntryRow *name_row;
    AdwPreferencesGroup *licence_group, *machine_group, *notes_group;
    GtkTextView *licence_view;
    GtkCheckButton *accept_button;
    GtkSwitch *start_switch, *ignore_switch;

    GPtrArray *rows; /* that the report made, in both groups */
    OrielMachineList *list;
    char *path, *folder;
    OrielImport *import;       /* NULL: none is open */
    GCancellable *cancellable; /* of the reading that is under way */
    gboolean filling, reading;
};

G_DEFINE_FINAL_TYPE(OrielImportPage, oriel_import_page, GTK_TYPE_WIDGET)

enum {
    OPENED,
    CHANGED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

/* --- The report ------------------------------------------------------------------------------- */

static void row_add(OrielImportPage *self, AdwPreferencesGroup *group, const char *title,
                    const char *subtitle)
{
    GtkWidget *row = adw_action_row_new();

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 0);
    if (subtitle) {
        adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
        adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
    }
    adw_preferences_group_add(group, row);
    g_ptr_array_add(self->rows, row);
}

static void rows_clear(OrielImportPage *self)
{
    for (guint i = 0; i < self->rows->len; i++) {
        GtkWidget *row = self->rows->pdata[i];
        gboolean note = gtk_widget_is_ancestor(row, GTK_WIDGET(self->notes_group));

        adw_preferences_group_remove(note ? self->notes_group : self->machine_group, row);
    }
    g_ptr_array_set_size(self->rows, 0);
}

static void source_show(OrielImportPage *self, const OrielImportReport *report)
{
    g_autofree char *base = g_filename_display_basename(self->path);
    const OrielOvfMachine *machine = report->machine;
    const char *more = machine->os_text ? machine->os_text : machine->hardware;
    /* Translators: the name of a file, and what it says that is in it. */
    g_autofree char *subtitle = more ? g_strdup_printf(_("%s, %s"), base, more) : NULL;

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->source_row),
                                  machine->product ? machine->product : _("Appliance"));
    adw_action_row_set_subtitle(self->source_row, subtitle ? subtitle : base);
}

static void hardware_show(OrielImportPage *self, const OrielImportReport *report)
{
    g_autofree char *memory = g_format_size_full(report->memory, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *cpus =
        g_strdup_printf(ngettext("%u processor", "%u processors", report->cpus), report->cpus);
    g_autofree char *space = g_format_size_full(report->space, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *most = g_format_size_full(report->disks_size, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *there = g_format_size_full(report->space_free, G_FORMAT_SIZE_IEC_UNITS);
    /* Translators: processors and memory. */
    g_autofree char *hardware = g_strdup_printf(_("%s, %s of memory"), cpus, memory);
    /* Translators: three sizes, "1.2 GiB". */
    g_autofree char *spaces =
        g_strdup_printf(_("About %s now, at most %s; %s are free"), space, most, there);

    row_add(self, self->machine_group, _("System"), oriel_system_find(report->os)->name);
    row_add(self, self->machine_group, _("Hardware"), hardware);
    row_add(self, self->machine_group, _("Firmware"), report->uefi ? _("UEFI") : _("BIOS"));
    for (guint i = 0; i < report->drives->len; i++) {
        g_autofree char *line = g_strdup(report->drives->pdata[i]);

        line[0] = g_ascii_toupper(line[0]);
        row_add(self, self->machine_group, _("Drive"), line);
    }
    row_add(self, self->machine_group, _("Space"), spaces);
}

static void licence_show(OrielImportPage *self, const GPtrArray *eulas)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < eulas->len; i++) {
        g_string_append_printf(text, "%s%s", i > 0 ? "\n\n" : "", (const char *)eulas->pdata[i]);
    }
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->licence_view), text->str,
                             (int)text->len);
    gtk_check_button_set_active(self->accept_button, FALSE);
    gtk_widget_set_visible(GTK_WIDGET(self->licence_group), eulas->len > 0);
}

/* Filled once, when the appliance is opened: choosing one of them reads it again. */
static void machines_show(OrielImportPage *self, const GPtrArray *systems)
{
    g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);

    if (adw_combo_row_get_model(self->machine_row)) {
        return;
    }
    for (guint i = 0; i < systems->len; i++) {
        gtk_string_list_append(names, ((const OrielOvfMachine *)systems->pdata[i])->name);
    }
    adw_combo_row_set_model(self->machine_row, G_LIST_MODEL(names));
    gtk_widget_set_visible(GTK_WIDGET(self->machine_row), systems->len > 1);
}

static void folder_show(OrielImportPage *self)
{
    g_autofree char *own = self->folder ? NULL : oriel_library_folder(FALSE, NULL);
    g_autofree char *text = g_filename_display_name(self->folder ? self->folder : own);

    adw_action_row_set_subtitle(self->folder_row, text);
}

static void report_show(OrielImportPage *self)
{
    const OrielImportReport *report = oriel_import_report(self->import);
    g_autofree char *name = oriel_machine_list_free_name(self->list, report->name);

    self->filling = TRUE;
    rows_clear(self);
    source_show(self, report);
    machines_show(self, report->appliance->systems);
    hardware_show(self, report);
    for (guint i = 0; i < report->notes->len; i++) {
        row_add(self, self->notes_group, report->notes->pdata[i], NULL);
    }
    gtk_widget_set_visible(GTK_WIDGET(self->notes_group), report->notes->len > 0);
    licence_show(self, report->appliance->eulas);
    folder_show(self);
    gtk_editable_set_text(GTK_EDITABLE(self->name_row), name);
    self->filling = FALSE;
}

/* --- Reading it ------------------------------------------------------------------------------- */

typedef struct {
    char *path, *folder, *machine;
    OrielImport *before;
} Reading;

static void reading_free(gpointer data)
{
    Reading *reading = data;

    g_free(reading->path);
    g_free(reading->folder);
    g_free(reading->machine);
    oriel_import_free(reading->before);
    g_free(reading);
}

/* The manifest is looked at while the disks are copied. */
static void read_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Reading *reading = data;
    const OrielImportOptions options = {
        .machine = reading->machine,
        .folder = reading->folder,
        .first_machine = TRUE,
        .ignore_manifest = TRUE,
        .before = reading->before,
    };
    GError *error = NULL;
    OrielImport *import = oriel_import_open(reading->path, &options, cancellable, &error);

    if (import) {
        g_task_return_pointer(task, import, (GDestroyNotify)oriel_import_free);
    } else {
        g_task_return_error(task, error);
    }
}

static void read_done(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielImportPage *self = ORIEL_IMPORT_PAGE(source);
    g_autoptr(GError) error = NULL;
    OrielImport *import = g_task_propagate_pointer(G_TASK(result), &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* another one was chosen, or the page is gone */
    }
    g_clear_pointer(&self->import, oriel_import_free);
    self->import = import;
    self->reading = FALSE;
    if (import) {
        report_show(self);
    }
    g_signal_emit(self, signals[OPENED], 0, error ? error->message : NULL);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void read_start(OrielImportPage *self, const char *machine)
{
    Reading *reading = g_new0(Reading, 1);
    g_autoptr(GTask) task = NULL;

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->cancellable = g_cancellable_new();
    reading->path = g_strdup(self->path);
    reading->folder = g_strdup(self->folder);
    reading->machine = g_strdup(machine);
    reading->before = self->import ? oriel_import_ref(self->import) : NULL;
    task = g_task_new(self, self->cancellable, read_done, NULL);
    g_task_set_task_data(task, reading, reading_free);
    g_task_run_in_thread(task, read_work);
    self->reading = TRUE;
    g_signal_emit(self, signals[CHANGED], 0);
}

static char *machine_chosen(OrielImportPage *self)
{
    GtkStringObject *chosen = adw_combo_row_get_selected_item(self->machine_row);

    return chosen ? g_strdup(gtk_string_object_get_string(chosen)) : NULL;
}

static void on_machine_chosen(OrielImportPage *self)
{
    g_autofree char *machine = machine_chosen(self);

    if (machine && self->import && !self->filling) {
        read_start(self, machine);
    }
}

void oriel_import_page_open(OrielImportPage *page, OrielMachineList *list, const char *path,
                            const char *folder)
{
    g_autofree char *machine = NULL;
    gboolean again = g_strcmp0(page->path, path) == 0;

    g_set_object(&page->list, list);
    if (again) { /* into another folder */
        machine = machine_chosen(page);
    } else {
        adw_combo_row_set_model(page->machine_row, NULL);
        g_clear_pointer(&page->import, oriel_import_free);
    }
    g_autofree char *old_path = page->path, *old_folder = page->folder;

    page->path = g_strdup(path);
    page->folder = g_strdup(folder);
    read_start(page, machine);
}

/* --- What is filled in ------------------------------------------------------------------------ */

static char *name_of(OrielImportPage *self)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->name_row))));
}

static void on_changed(OrielImportPage *self)
{
    if (!self->filling) {
        g_signal_emit(self, signals[CHANGED], 0);
    }
}

static void on_name_activated(OrielImportPage *self)
{
    gtk_widget_activate_action(GTK_WIDGET(self), "new.create", NULL);
}

gboolean oriel_import_page_is_ready(OrielImportPage *page, const char **problem)
{
    g_autofree char *name = name_of(page);

    *problem = page->list ? oriel_machine_name_problem(page->list, name, NULL) : NULL;
    if (*problem) {
        gtk_widget_add_css_class(GTK_WIDGET(page->name_row), "error");
    } else {
        gtk_widget_remove_css_class(GTK_WIDGET(page->name_row), "error");
    }
    return page->import && !page->reading && !*problem && *name &&
           (!gtk_widget_get_visible(GTK_WIDGET(page->licence_group)) ||
            gtk_check_button_get_active(page->accept_button));
}

OrielImport *oriel_import_page_take(OrielImportPage *page)
{
    g_autofree char *name = name_of(page);

    oriel_import_decide(page->import, name, gtk_check_button_get_active(page->accept_button),
                        gtk_switch_get_active(page->ignore_switch));
    return g_steal_pointer(&page->import);
}

gboolean oriel_import_page_get_start(OrielImportPage *page)
{
    return gtk_switch_get_active(page->start_switch);
}

/* --- The object ------------------------------------------------------------------------------- */

static void oriel_import_page_dispose(GObject *object)
{
    OrielImportPage *self = ORIEL_IMPORT_PAGE(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->list);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    G_OBJECT_CLASS(oriel_import_page_parent_class)->dispose(object);
}

static void oriel_import_page_finalize(GObject *object)
{
    OrielImportPage *self = ORIEL_IMPORT_PAGE(object);

    g_clear_pointer(&self->import, oriel_import_free);
    g_ptr_array_unref(self->rows);
    g_free(self->path);
    g_free(self->folder);
    G_OBJECT_CLASS(oriel_import_page_parent_class)->finalize(object);
}

static void oriel_import_page_class_init(OrielImportPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_import_page_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_import_page_finalize;
    signals[OPENED] = g_signal_new("opened", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/new/oriel-import-page.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, box);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, source_row);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, folder_row);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, machine_row);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, name_row);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, licence_group);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, machine_group);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, notes_group);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, licence_view);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, accept_button);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, start_switch);
    gtk_widget_class_bind_template_child(widget_class, OrielImportPage, ignore_switch);
    gtk_widget_class_bind_template_callback(widget_class, on_machine_chosen);
    gtk_widget_class_bind_template_callback(widget_class, on_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_name_activated);
}

static void oriel_import_page_init(OrielImportPage *self)
{
    self->rows = g_ptr_array_new();
    gtk_widget_init_template(GTK_WIDGET(self));
}
