/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-new-machine-window.h. The window holds the state of the flow (what file, what system);
 * the rows hold what the user may change. Pages: choose -> looking -> review <-> systems,
 * or, for an appliance, -> import.
 */
#include "new/oriel-new-machine-window.h"

#include <glib/gi18n.h>
#include <string.h>

#include "new/oriel-import-page.h"
#include "new/oriel-media-words.h"
#include "new/oriel-system-chooser.h"
#include "library/oriel-plan.h"
#include "widgets/oriel-button-names.h"
#include "widgets/oriel-machine-name.h"
#include "widgets/oriel-spin-row.h"

enum {
    LOOKING_DELAY_MS = 300, /* a quick look needs no spinner */
    DISK_MIB_MAX = 64 * 1024 * 1024,
    MIB = 1024 * 1024,
};

struct _OrielNewMachineWindow {
    AdwWindow parent_instance;

    GtkButton *back_button, *cancel_button, *create_button;
    GtkRevealer *problem_revealer;
    GtkLabel *problem_label;
    GtkStack *stack;
    GtkSpinner *spinner;
    AdwActionRow *file_row, *source_row, *folder_row, *has_disk_row;
    GtkImage *source_icon;
    AdwEntryRow *name_row;
    GtkLabel *system_label;
    OrielSpinRow *memory_row, *cpus_row, *disk_row;
    GtkSwitch *start_switch, *disk_switch;
    AdwComboRow *firmware_row;
    OrielSystemChooser *chooser;
    OrielImportPage *import_page;

    OrielMachineList *list;
    GCancellable *cancellable; /* of what is under way; ended with the window */
    guint looking_source;
    OrielMedia *media; /* NULL: an empty machine */
    OrielPlan plan;    /* valid on the page for review and behind it */
    char *folder;      /* where the machine goes; NULL: the library's own, */
    char *own_folder;  /* which this is */
};

G_DEFINE_FINAL_TYPE(OrielNewMachineWindow, oriel_new_machine_window, ADW_TYPE_WINDOW)

enum {
    CREATED,
    TRY,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

/* --- Problems --------------------------------------------------------------------------------- */

static void problem_show(OrielNewMachineWindow *self, const char *message)
{
    g_autofree char *text = g_utf8_make_valid(message ? message : "", -1); /* of a path, perhaps */

    gtk_label_set_label(self->problem_label, text);
    gtk_revealer_set_reveal_child(self->problem_revealer, message != NULL);
}

static gboolean name_is_good(OrielNewMachineWindow *self)
{
    g_autofree char *name =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->name_row))));
    const char *problem = oriel_machine_name_problem(self->list, name, NULL);

    if (problem) {
        gtk_widget_add_css_class(GTK_WIDGET(self->name_row), "error");
    } else {
        gtk_widget_remove_css_class(GTK_WIDGET(self->name_row), "error");
    }
    problem_show(self, problem);
    return !problem && *name;
}

static void on_name_changed(OrielNewMachineWindow *self)
{
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "new.create", name_is_good(self));
}

static void on_name_activated(OrielNewMachineWindow *self)
{
    gtk_widget_activate_action(GTK_WIDGET(self), "new.create", NULL);
}

/* --- Review ----------------------------------------------------------------------------------- */

static void size_subtitle(OrielSpinRow *row, const char *format, guint64 bytes)
{
    g_autofree char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
    /* Both formats take one size. */
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_autofree char *text = g_strconcat(parts[0], size, parts[0] ? parts[1] : NULL, NULL);

    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), text);
}

static const char *place(OrielNewMachineWindow *self)
{
    return self->folder ? self->folder : self->own_folder;
}

static void free_space_show(OrielNewMachineWindow *self)
{
    g_autofree char *folder = g_filename_display_name(place(self));

    adw_action_row_set_subtitle(self->folder_row, folder);
    /* Translators: %s is the free space where machines are kept. */
    size_subtitle(self->disk_row, _("Grows as it is used; %s are free"), self->plan.host.disk_free);
}

/* What the machine gets by the system and the host. */
static void plan_show(OrielNewMachineWindow *self)
{
    const OrielDefaults *defaults = &self->plan.defaults;
    const OrielHostResources *host = &self->plan.host;
    g_autofree char *cpus = g_strdup_printf(
        ngettext("This computer has %u", "This computer has %u", host->cpus), host->cpus);

    oriel_spin_row_set_range(self->memory_row, CONFIG_MEMORY_MIN / MIB,
                             (double)MAX(host->memory, defaults->memory) / MIB);
    oriel_spin_row_set_value(self->memory_row, (double)(defaults->memory / MIB));
    /* Translators: %s is all the memory of the computer. */
    size_subtitle(self->memory_row, _("This computer has %s"), host->memory);
    oriel_spin_row_set_range(self->cpus_row, 1, host->cpus);
    oriel_spin_row_set_value(self->cpus_row, defaults->cpus);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(self->cpus_row), cpus);
    oriel_spin_row_set_range(self->disk_row, 1, DISK_MIB_MAX);
    oriel_spin_row_set_value(self->disk_row, (double)(defaults->disk / MIB));
    free_space_show(self);
    adw_combo_row_set_selected(self->firmware_row, defaults->uefi);
    gtk_label_set_label(self->system_label, self->plan.system->name);
    gtk_image_set_from_icon_name(self->source_icon, self->plan.system->icon);
}

/* By the system with this id; NULL: that of the file. */
static void plan_make(OrielNewMachineWindow *self, const char *system)
{
    oriel_plan_make(&self->plan, self->media, system, place(self));
    plan_show(self);
}

/* What the machine could be called. */
static char *name_suggest(OrielNewMachineWindow *self)
{
    g_autofree char *wish = self->media ? media_machine_name(self->media, self->plan.system->name)
                                        : g_strdup(_("New Machine"));

    return oriel_machine_list_free_name(self->list, wish);
}

static void source_show(OrielNewMachineWindow *self)
{
    g_autofree char *base = self->media ? g_filename_display_basename(self->media->path) : NULL;
    g_autofree char *size =
        self->media ? g_format_size_full(self->media->size, G_FORMAT_SIZE_IEC_UNITS) : NULL;
    /* Translators: the name of a file and its size. */
    g_autofree char *subtitle = base ? g_strdup_printf(_("%s, %s"), base, size) : NULL;

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->source_row),
                                  self->media ? media_title(self->media) : _("Empty machine"));
    adw_action_row_set_subtitle(self->source_row, subtitle ? subtitle : _("Starts without a CD"));
}

static void review(OrielNewMachineWindow *self)
{
    source_show(self);
    plan_make(self, NULL);
    gtk_widget_set_visible(GTK_WIDGET(self->has_disk_row), self->plan.makes_disk);
    gtk_switch_set_active(self->disk_switch,
                          self->plan.makes_disk && !(self->media && self->media->live));
    g_autofree char *name = name_suggest(self);

    gtk_editable_set_text(GTK_EDITABLE(self->name_row), name);
    gtk_stack_set_visible_child_name(self->stack, "review");
    gtk_widget_grab_focus(GTK_WIDGET(self->create_button));
}

/* --- Files ------------------------------------------------------------------------------------ */

static void finish(OrielNewMachineWindow *self, OrielMachineItem *item, gboolean start)
{
    g_signal_emit(self, signals[CREATED], 0, item, start);
    gtk_window_close(GTK_WINDOW(self));
}

static void machine_added(GObject *list, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielNewMachineWindow) self = data;
    g_autoptr(GError) error = NULL;
    OrielMachineItem *item =
        oriel_machine_list_add_folder_finish(ORIEL_MACHINE_LIST(list), result, &error);

    if (item) {
        finish(self, item, FALSE);
    } else {
        problem_show(self, error->message);
        gtk_stack_set_visible_child_name(self->stack, "choose");
    }
}

static void looking_end(OrielNewMachineWindow *self)
{
    g_clear_handle_id(&self->looking_source, g_source_remove);
    gtk_spinner_stop(self->spinner);
}

static gboolean looking_takes_long(gpointer data)
{
    OrielNewMachineWindow *self = data;

    self->looking_source = 0;
    gtk_stack_set_visible_child_name(self->stack, "looking");
    gtk_spinner_start(self->spinner);
    return G_SOURCE_REMOVE;
}

static void looking_begin(OrielNewMachineWindow *self)
{
    looking_end(self);
    self->looking_source = g_timeout_add(LOOKING_DELAY_MS, looking_takes_long, self);
}

static void on_import_changed(OrielNewMachineWindow *self)
{
    const char *problem;
    gboolean ready = oriel_import_page_is_ready(self->import_page, &problem);

    if (media_is_appliance(self->media)) {
        problem_show(self, problem);
        gtk_widget_action_set_enabled(GTK_WIDGET(self), "new.create", ready);
        gtk_widget_action_set_enabled(GTK_WIDGET(self), "new.try", ready);
    }
}

static void on_import_opened(OrielNewMachineWindow *self, const char *problem)
{
    looking_end(self);
    gtk_stack_set_visible_child_name(self->stack, problem ? "choose" : "import");
    if (problem) {
        g_clear_pointer(&self->media, oriel_media_free);
        problem_show(self, problem);
    }
}

static void media_use(OrielNewMachineWindow *self, OrielMedia *media)
{
    g_autofree char *problem = media_problem(media);

    g_clear_pointer(&self->media, oriel_media_free);
    self->media = media;
    if (problem) {
        problem_show(self, problem);
        gtk_stack_set_visible_child_name(self->stack, "choose");
    } else if (media->kind == ORIEL_MEDIA_MACHINE) {
        oriel_machine_list_add_folder_async(self->list, media->path, machine_added,
                                            g_object_ref(self));
    } else if (media_is_appliance(media)) {
        looking_begin(self);
        oriel_import_page_open(self->import_page, self->list, media->path, self->folder);
    } else {
        review(self);
    }
}

static void identified(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielNewMachineWindow) self = data;
    g_autoptr(GError) error = NULL;
    OrielMedia *media = oriel_media_identify_finish(result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* another file was chosen, or the window closed */
    }
    looking_end(self);
    if (media) {
        media_use(self, media);
    } else {
        problem_show(self, error->message);
        gtk_stack_set_visible_child_name(self->stack, "choose");
    }
}

void oriel_new_machine_window_open_file(OrielNewMachineWindow *window, const char *path)
{
    g_cancellable_cancel(window->cancellable);
    g_object_unref(window->cancellable);
    window->cancellable = g_cancellable_new();
    problem_show(window, NULL);
    looking_begin(window);
    oriel_media_identify_async(path, window->cancellable, identified, g_object_ref(window));
}

static void file_chosen(GtkNativeDialog *dialog, int response, OrielNewMachineWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);

        if (path) {
            oriel_new_machine_window_open_file(self, path);
        } else {
            problem_show(self, _("This file is not on this computer. Copy it here first."));
        }
    }
    g_object_unref(dialog);
}

/* Shows a native chooser; `done` unrefs it. */
static void chooser_show(OrielNewMachineWindow *self, const char *title,
                         GtkFileChooserAction action, GCallback done)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(title, GTK_WINDOW(self), action, NULL, NULL);

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", done, self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        OrielNewMachineWindow *self)
{
    const GSList *files = gdk_file_list_get_files(g_value_get_boxed(value));
    g_autofree char *path = files ? g_file_get_path(files->data) : NULL;

    if (path) {
        oriel_new_machine_window_open_file(self, path);
    }
    return path != NULL;
}

/* --- Actions ---------------------------------------------------------------------------------- */

static void action_choose_file(GtkWidget *widget, const char *name, GVariant *parameter)
{
    chooser_show(ORIEL_NEW_MACHINE_WINDOW(widget), _("Choose a File"), GTK_FILE_CHOOSER_ACTION_OPEN,
                 G_CALLBACK(file_chosen));
}

static void action_choose_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
    chooser_show(ORIEL_NEW_MACHINE_WINDOW(widget), _("Choose a Machine’s Folder"),
                 GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, G_CALLBACK(file_chosen));
}

static void action_empty(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(widget);

    problem_show(self, NULL);
    g_clear_pointer(&self->media, oriel_media_free);
    review(self);
}

static void place_chosen(GtkNativeDialog *dialog, int response, OrielNewMachineWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));

        g_free(self->folder);
        self->folder = g_file_get_path(file);
        if (media_is_appliance(self->media)) {
            oriel_import_page_open(self->import_page, self->list, self->media->path, self->folder);
        } else {
            oriel_host_resources(place(self), &self->plan.host);
            free_space_show(self);
        }
    }
    g_object_unref(dialog);
}

static void action_choose_place(GtkWidget *widget, const char *name, GVariant *parameter)
{
    chooser_show(ORIEL_NEW_MACHINE_WINDOW(widget), _("Choose a Location"),
                 GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, G_CALLBACK(place_chosen));
}

static void action_choose_system(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(widget);

    gtk_stack_set_visible_child_name(self->stack, "systems");
    oriel_system_chooser_open(self->chooser);
}

static void on_system_chosen(OrielNewMachineWindow *self, const char *id)
{
    plan_make(self, id);
    gtk_stack_set_visible_child_name(self->stack, "review");
}

static void action_back(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(widget);
    const char *page = gtk_stack_get_visible_child_name(self->stack);

    problem_show(self, NULL);
    gtk_stack_set_visible_child_name(self->stack,
                                     g_strcmp0(page, "systems") == 0 ? "review" : "choose");
}

static void create(OrielNewMachineWindow *self)
{
    g_autofree char *title =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->name_row))));
    g_autofree char *memory = g_strdup_printf("%.0fM", oriel_spin_row_get_value(self->memory_row));
    g_autofree char *cpus = g_strdup_printf("%.0f", oriel_spin_row_get_value(self->cpus_row));
    g_autofree char *disk = g_strdup_printf("%.0fM", oriel_spin_row_get_value(self->disk_row));
    OrielMediaKind kind = self->media ? self->media->kind : ORIEL_MEDIA_UNKNOWN;
    const char *path = self->media ? self->media->path : NULL;
    OrielPlanTexts texts;
    OrielCreateOptions options = {
        .name = title,
        .cdrom = kind == ORIEL_MEDIA_ISO ? path : NULL,
        .disk = kind == ORIEL_MEDIA_DISK                   ? path
                : gtk_switch_get_active(self->disk_switch) ? disk
                                                           : NULL,
        .kernel = kind == ORIEL_MEDIA_KERNEL ? path : NULL,
        .memory = memory,
        .cpus = cpus,
        .firmware = adw_combo_row_get_selected(self->firmware_row) ? "uefi" : "bios",
        .folder = self->folder,
    };

    oriel_plan_fill(&self->plan, &options, &texts);
    if (name_is_good(self)) {
        finish(self, oriel_machine_list_create(self->list, &options),
               gtk_switch_get_active(self->start_switch));
    }
}

static void action_create(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(widget);
    const char *problem;

    if (!media_is_appliance(self->media)) {
        create(self);
    } else if (oriel_import_page_is_ready(self->import_page, &problem)) {
        g_autoptr(OrielImport) import = oriel_import_page_take(self->import_page);

        finish(self, oriel_machine_list_import(self->list, import),
               oriel_import_page_get_start(self->import_page));
    }
}

static void action_try(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(widget);
    const char *problem;

    if (oriel_import_page_is_ready(self->import_page, &problem)) {
        g_autoptr(OrielImport) import = oriel_import_page_take(self->import_page);

        g_signal_emit(self, signals[TRY], 0, import,
                      oriel_import_page_get_start(self->import_page));
        gtk_window_close(GTK_WINDOW(self));
    }
}

static void on_page_changed(OrielNewMachineWindow *self)
{
    const char *page = gtk_stack_get_visible_child_name(self->stack);
    gboolean imports = g_strcmp0(page, "import") == 0;
    gboolean reviews = imports || g_strcmp0(page, "review") == 0;
    gboolean deeper = reviews || g_strcmp0(page, "systems") == 0;

    gtk_button_set_label(self->create_button, imports ? _("_Import") : _("C_reate"));
    gtk_widget_set_visible(GTK_WIDGET(self->create_button), reviews);
    gtk_widget_set_visible(GTK_WIDGET(self->back_button), deeper);
    gtk_widget_set_visible(GTK_WIDGET(self->cancel_button), !deeper);
}

/* --- The object ------------------------------------------------------------------------------- */

static void oriel_new_machine_window_dispose(GObject *object)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_handle_id(&self->looking_source, g_source_remove);
    g_clear_object(&self->list);
    G_OBJECT_CLASS(oriel_new_machine_window_parent_class)->dispose(object);
}

static void oriel_new_machine_window_finalize(GObject *object)
{
    OrielNewMachineWindow *self = ORIEL_NEW_MACHINE_WINDOW(object);

    oriel_media_free(self->media);
    g_free(self->folder);
    g_free(self->own_folder);
    G_OBJECT_CLASS(oriel_new_machine_window_parent_class)->finalize(object);
}

static void template_bind(GtkWidgetClass *class)
{
    gtk_widget_class_set_template_from_resource(
        class, "/io/github/oriel_vm/Oriel/new/oriel-new-machine-window.ui");
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, back_button);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, cancel_button);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, create_button);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, problem_revealer);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, problem_label);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, stack);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, spinner);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, file_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, source_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, source_icon);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, name_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, system_label);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, memory_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, cpus_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, disk_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, start_switch);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, disk_switch);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, has_disk_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, firmware_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, folder_row);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, chooser);
    gtk_widget_class_bind_template_child(class, OrielNewMachineWindow, import_page);
    gtk_widget_class_bind_template_callback(class, on_import_opened);
    gtk_widget_class_bind_template_callback(class, on_import_changed);
    gtk_widget_class_bind_template_callback(class, on_page_changed);
    gtk_widget_class_bind_template_callback(class, on_name_changed);
    gtk_widget_class_bind_template_callback(class, on_name_activated);
    gtk_widget_class_bind_template_callback(class, on_system_chosen);
}

static void oriel_new_machine_window_class_init(OrielNewMachineWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_new_machine_window_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_new_machine_window_finalize;
    signals[CREATED] =
        g_signal_new("created", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, ORIEL_TYPE_MACHINE_ITEM, G_TYPE_BOOLEAN);
    signals[TRY] = g_signal_new("try", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_BOOLEAN);
    g_type_ensure(ORIEL_TYPE_SPIN_ROW);
    g_type_ensure(ORIEL_TYPE_SYSTEM_CHOOSER);
    g_type_ensure(ORIEL_TYPE_IMPORT_PAGE);
    template_bind(widget_class);
    gtk_widget_class_install_action(widget_class, "new.choose-file", NULL, action_choose_file);
    gtk_widget_class_install_action(widget_class, "new.choose-folder", NULL, action_choose_folder);
    gtk_widget_class_install_action(widget_class, "new.choose-place", NULL, action_choose_place);
    gtk_widget_class_install_action(widget_class, "new.choose-system", NULL, action_choose_system);
    gtk_widget_class_install_action(widget_class, "new.empty", NULL, action_empty);
    gtk_widget_class_install_action(widget_class, "new.back", NULL, action_back);
    gtk_widget_class_install_action(widget_class, "new.create", NULL, action_create);
    gtk_widget_class_install_action(widget_class, "new.try", NULL, action_try);
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Left, GDK_ALT_MASK, "new.back", NULL);
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void oriel_new_machine_window_init(OrielNewMachineWindow *self)
{
    GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    gtk_widget_init_template(GTK_WIDGET(self));
    /* Not on “Cancel”, which is first: Return leads on. */
    gtk_widget_grab_focus(GTK_WIDGET(self->file_row));
    oriel_button_names_add(GTK_WIDGET(self));
    self->cancellable = g_cancellable_new();
    g_object_bind_property(self->disk_switch, "active", self->disk_row, "visible",
                           G_BINDING_SYNC_CREATE);
    g_signal_connect_object(drop, "drop", G_CALLBACK(on_drop), self, 0);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
}

GtkWindow *oriel_new_machine_window_new(OrielMachineList *list, OrielPreferences *preferences)
{
    OrielNewMachineWindow *self = g_object_new(ORIEL_TYPE_NEW_MACHINE_WINDOW, NULL);
    g_autofree char *folder = oriel_preferences_dup_string(preferences, "default-folder");

    self->list = g_object_ref(list);
    self->own_folder = oriel_library_folder(FALSE, NULL);
    self->folder = *folder ? g_steal_pointer(&folder) : NULL;
    return GTK_WINDOW(self);
}
