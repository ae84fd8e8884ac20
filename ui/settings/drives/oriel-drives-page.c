/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-drives-page.h. The rows are made anew whenever what they show changes; which of them
 * were open is remembered.
 */
#include "oriel-drives-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/oriel-message.h"
#include "oriel-disk-care-window.h"
#include "oriel-disk-size-dialog.h"
#include "oriel-drive-row.h"
#include "settings/oriel-machine-work.h"

enum {
    MIB_PER_GIB = 1024,
};

struct _OrielDrivesPage {
    AdwPreferencesPage parent_instance;
    AdwPreferencesGroup *drives_group, *order_group;
    GtkMenuButton *add_button;
    GtkWidget *hotplug_row;

    OrielMachineItem *item;
    OrielSettingRows *setting_rows;
    GPtrArray *rows;           /* GtkWidget, borrowed: those made by show() */
    GHashTable *open;          /* ids of drives whose row is expanded */
    char *chosen;              /* the drive that a file is being chosen for */
    char *shown;               /* what the rows were made of */
    GHashTable *sizes;         /* see oriel-disk-sizes.h */
    GCancellable *cancellable; /* of the reading of sizes under way */
};

G_DEFINE_FINAL_TYPE(OrielDrivesPage, oriel_drives_page, ADW_TYPE_PREFERENCES_PAGE)

static GtkWindow *window_of(gpointer page)
{
    return GTK_WINDOW(gtk_widget_get_root(page));
}

static void work_done(GtkWidget *page, const GError *error, const char *result)
{
    if (error) {
        oriel_setting_rows_tell(ORIEL_DRIVES_PAGE(page)->setting_rows, page,
                                _("Could Not Change the Drives"), error);
    }
}

/* --- Start order ------------------------------------------------------------------------------ */

/* The ids in the order in which the firmware tries them: those named, then disks, then CDs. */
static GPtrArray *order_list(const OrielConfig *config)
{
    GPtrArray *order = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) named = g_strsplit(config->boot_order ? config->boot_order : "", ",", -1);

    for (char **id = named; *id; id++) {
        if (oriel_config_find_drive(config, g_strstrip(*id))) {
            g_ptr_array_add(order, g_strdup(*id));
        }
    }
    for (int kind = ORIEL_DRIVE_DISK; kind <= ORIEL_DRIVE_CDROM; kind++) {
        for (guint i = 0; i < config->drives->len; i++) {
            const OrielDrive *drive = g_ptr_array_index(config->drives, i);

            if ((int)drive->kind == kind &&
                !g_ptr_array_find_with_equal_func(order, drive->id, g_str_equal, NULL)) {
                g_ptr_array_add(order, g_strdup(drive->id));
            }
        }
    }
    return order;
}

static void order_saved(GObject *item, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWidget) self = data;
    g_autoptr(GError) error = NULL;

    oriel_machine_item_set_finish(ORIEL_MACHINE_ITEM(item), result, &error);
    work_done(self, error, NULL);
}

static void action_earlier(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(widget);
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    g_autoptr(GPtrArray) order = order_list(config);
    guint i;

    if (!g_ptr_array_find_with_equal_func(order, g_variant_get_string(parameter, NULL), g_str_equal,
                                          &i) ||
        i == 0) {
        return;
    }
    gpointer moved = g_ptr_array_index(order, i);

    g_ptr_array_index(order, i) = g_ptr_array_index(order, i - 1);
    g_ptr_array_index(order, i - 1) = moved;
    g_ptr_array_add(order, NULL);
    g_autofree char *text = g_strjoinv(",", (char **)order->pdata);
    const char *pairs[] = { "boot-order", text, NULL };

    oriel_machine_item_set_async(self->item, pairs, NULL, order_saved, g_object_ref(self));
}

static void order_show(OrielDrivesPage *self, const OrielConfig *config)
{
    g_autoptr(GPtrArray) order = order_list(config);

    for (guint i = 0; i < order->len; i++) {
        const char *id = g_ptr_array_index(order, i);
        g_autofree char *title = drive_title(oriel_config_find_drive(config, id));
        GtkWidget *row = adw_action_row_new();

        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
        if (i > 0) {
            adw_action_row_add_suffix(
                ADW_ACTION_ROW(row),
                drive_icon_button_new("go-up-symbolic", _("Move Up"), "drives.earlier", id));
        }
        adw_preferences_group_add(self->order_group, row);
        g_ptr_array_add(self->rows, row);
    }
    gtk_widget_set_visible(GTK_WIDGET(self->order_group), order->len > 1);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static void expanded(AdwExpanderRow *row, GParamSpec *spec, OrielDrivesPage *self)
{
    char *id = g_object_get_data(G_OBJECT(row), "drive");

    if (adw_expander_row_get_expanded(row)) {
        g_hash_table_add(self->open, g_strdup(id));
    } else {
        g_hash_table_remove(self->open, id);
    }
}

static char *subtitle_of(OrielDrivesPage *self, const OrielDrive *drive)
{
    return drive_row_subtitle(drive, oriel_machine_item_get_folder(self->item),
                              g_hash_table_lookup(self->sizes, drive->id));
}

static void drive_show(OrielDrivesPage *self, const OrielDrive *drive, DrivesNow now)
{
    g_autofree char *subtitle = subtitle_of(self, drive);
    gboolean can_grow = now == DRIVES_NOW_ALL && g_hash_table_contains(self->sizes, drive->id);
    GtkWidget *row = drive_row_new(self->setting_rows, drive, subtitle, now, can_grow);

    g_object_set_data_full(G_OBJECT(row), "drive", g_strdup(drive->id), g_free);
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(row),
                                  g_hash_table_contains(self->open, drive->id));
    g_signal_connect_object(row, "notify::expanded", G_CALLBACK(expanded), self, 0);
    adw_preferences_group_add(self->drives_group, row);
    g_ptr_array_add(self->rows, row);
}

/* All that the rows show but what is tied to settings. */
static char *content(OrielDrivesPage *self, const OrielConfig *config, DrivesNow now)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%d", now);

    for (guint i = 0; config && i < config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(config->drives, i);
        g_autofree char *subtitle = subtitle_of(self, drive);

        g_string_append_printf(text, "\n%s\n%u\n%s\n%s", drive->id, drive->port,
                               drive->path ? drive->path : "", subtitle);
    }
    g_string_append_printf(text, "\n%s", config && config->boot_order ? config->boot_order : "");
    return g_strdup(text->str);
}

/* What the group says of changes that cannot be made, or have not been taken yet. */
static void descriptions_show(OrielDrivesPage *self, DrivesNow now)
{
    const char *const *waiting = oriel_machine_item_get_waiting_keys(self->item);
    gboolean waits = waiting && g_strv_contains(waiting, "boot-order");

    adw_preferences_group_set_description(self->drives_group, drives_now_words(now));
    adw_preferences_group_set_description(
        self->order_group, waits ? _("Takes effect when the machine is restarted.")
                                 : _("The first drive with something to start from is taken."));
}

static void show(OrielDrivesPage *self);

static void sizes_read(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(source);

    if (disk_sizes_read_finish(result, self->sizes) && self->item) {
        show(self);
    }
}

/* Another file may be behind a name. */
static void sizes_read_again(OrielDrivesPage *self)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    self->cancellable = g_cancellable_new();
    disk_sizes_read_async(G_OBJECT(self), self->item, self->cancellable, sizes_read);
}

static void show(OrielDrivesPage *self)
{
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    DrivesNow may = drives_now(self->item);
    g_autofree char *shown = content(self, config, may);

    descriptions_show(self, may);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "drives.add-cdrom", may == DRIVES_NOW_ALL);
    sizes_read_again(self);
    if (g_strcmp0(shown, self->shown) == 0) {
        return;
    }
    g_free(self->shown);
    self->shown = g_steal_pointer(&shown);
    for (guint i = 0; i < self->rows->len; i++) {
        GtkWidget *row = g_ptr_array_index(self->rows, i);

        adw_preferences_group_remove(
            ADW_IS_EXPANDER_ROW(row) ? self->drives_group : self->order_group, row);
    }
    g_ptr_array_set_size(self->rows, 0);
    for (guint i = 0; config && i < config->drives->len; i++) {
        drive_show(self, g_ptr_array_index(config->drives, i), may);
    }
    if (config) {
        order_show(self, config);
    }
    gtk_widget_set_sensitive(GTK_WIDGET(self->add_button), config && may != DRIVES_NOW_MEDIA);
}

/* --- Actions ---------------------------------------------------------------------------------- */

static void chosen_set(OrielDrivesPage *self, GVariant *parameter)
{
    g_free(self->chosen);
    self->chosen = g_variant_dup_string(parameter, NULL);
}

static void chooser_show(OrielDrivesPage *self, const char *title, GCallback done)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        title, window_of(self), GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", done, self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* The path of the file chosen, or NULL; ends the dialog. */
static char *chooser_path(GtkNativeDialog *dialog, int response)
{
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                                : NULL;

    g_object_unref(dialog);
    return file ? g_file_get_path(file) : NULL;
}

static void image_chosen(GtkNativeDialog *dialog, int response, OrielDrivesPage *self)
{
    g_autofree char *path = chooser_path(dialog, response);

    if (path) {
        machine_work_add_disk(GTK_WIDGET(self), self->item, path, work_done);
    }
}

static void medium_chosen(GtkNativeDialog *dialog, int response, OrielDrivesPage *self)
{
    g_autofree char *path = chooser_path(dialog, response);

    if (path) {
        machine_work_change_medium(GTK_WIDGET(self), self->item, self->chosen, path, work_done);
    }
}

static void action_add_image(GtkWidget *widget, const char *name, GVariant *parameter)
{
    chooser_show(ORIEL_DRIVES_PAGE(widget), _("Choose a Disk Image"), G_CALLBACK(image_chosen));
}

static void action_insert(GtkWidget *widget, const char *name, GVariant *parameter)
{
    chosen_set(ORIEL_DRIVES_PAGE(widget), parameter);
    chooser_show(ORIEL_DRIVES_PAGE(widget), _("Choose a CD Image"), G_CALLBACK(medium_chosen));
}

static void action_eject(GtkWidget *widget, const char *name, GVariant *parameter)
{
    machine_work_change_medium(widget, ORIEL_DRIVES_PAGE(widget)->item,
                               g_variant_get_string(parameter, NULL), NULL, work_done);
}

static void action_add_cdrom(GtkWidget *widget, const char *name, GVariant *parameter)
{
    machine_work_add_cdrom(widget, ORIEL_DRIVES_PAGE(widget)->item, work_done);
}

static void add_disk_answered(GtkWidget *page, const char *size, gboolean more)
{
    machine_work_add_disk(page, ORIEL_DRIVES_PAGE(page)->item, size, work_done);
}

static void action_add_disk(GtkWidget *widget, const char *name, GVariant *parameter)
{
    const DiskSizeQuestion question = {
        .heading = _("New Disk"),
        .body = _("The disk’s file grows as the disk is used."),
        .accept = _("_Add"),
        .lower = 1,
        .value = 20.0 * MIB_PER_GIB,
    };

    disk_size_dialog_show(widget, &question, add_disk_answered);
}

static void grow_done(GtkWidget *page, const GError *error, const char *result)
{
    work_done(page, error, result);
    if (ORIEL_DRIVES_PAGE(page)->item) { /* the settings are what they were, the size is another */
        show(ORIEL_DRIVES_PAGE(page));
    }
    if (result && *result) { /* what is left to do in the machine */
        oriel_message_tell(page, _("The Disk Has Grown"), result);
    }
}

static void grow_answered(GtkWidget *page, const char *size, gboolean partition)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(page);

    machine_work_grow(page, self->item, self->chosen, size, partition, grow_done);
}

static void action_grow(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(widget);
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    const OrielDrive *drive;

    chosen_set(self, parameter);
    drive = config ? oriel_config_find_drive(config, self->chosen) : NULL;
    const DiskSize *size = drive ? g_hash_table_lookup(self->sizes, drive->id) : NULL;

    if (size) {
        const DiskSizeQuestion question = {
            .heading = _("Grow the Disk"),
            .body = _("What is on the disk stays. Its system then has to take the new space."),
            .accept = _("_Grow"),
            .lower = (double)(size->size >> 20) + 1,
            .value = (double)((size->size >> 30) + 1) * MIB_PER_GIB,
            .more = _("Grow the Last Partition"),
            .more_subtitle = _("Otherwise the new space lies free behind it"),
        };

        disk_size_dialog_show(widget, &question, grow_answered);
    }
}

static void action_care(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(widget);
    const char *id = g_variant_get_string(parameter, NULL);
    const OrielConfig *config = oriel_machine_item_get_config(self->item);

    if (config && oriel_config_find_drive(config, id)) { /* it may be gone, and its row not yet */
        gtk_window_present(oriel_disk_care_window_new(self->item, id, window_of(self)));
    }
}

static void remove_confirmed(gpointer data)
{
    OrielDrivesPage *self = data;

    machine_work_remove_drive(data, self->item, self->chosen, work_done);
}

static void action_remove(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(widget);
    const OrielConfig *config = oriel_machine_item_get_config(self->item);
    const OrielDrive *drive;

    chosen_set(self, parameter);
    drive = config ? oriel_config_find_drive(config, self->chosen) : NULL;
    if (!drive || drive->kind == ORIEL_DRIVE_CDROM) {
        machine_work_remove_drive(widget, self->item, self->chosen, work_done);
        return;
    }
    g_autofree char *title = drive_title(drive);
    /* Translators: %s is "Disk 1". */
    g_autofree char *heading = g_strdup_printf(_("Remove %s?"), title);
    const char *body =
        drives_now(self->item) == DRIVES_NOW_SLOTS
            ? _("What is on it goes to the trash, once the running system has let go of it.")
            : _("What is on it goes to the trash. Systems that are installed on it do not start "
                "any more.");

    oriel_message_confirm(widget, heading, body, _("_Remove"), remove_confirmed, g_object_ref(self),
                          g_object_unref);
}

/* --- The object ------------------------------------------------------------------------------- */

static void oriel_drives_page_dispose(GObject *object)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->item);
    g_clear_object(&self->setting_rows);
    G_OBJECT_CLASS(oriel_drives_page_parent_class)->dispose(object);
}

static void oriel_drives_page_finalize(GObject *object)
{
    OrielDrivesPage *self = ORIEL_DRIVES_PAGE(object);

    g_ptr_array_unref(self->rows);
    g_hash_table_unref(self->open);
    g_hash_table_unref(self->sizes);
    g_free(self->chosen);
    g_free(self->shown);
    G_OBJECT_CLASS(oriel_drives_page_parent_class)->finalize(object);
}

static void oriel_drives_page_class_init(OrielDrivesPageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_drives_page_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_drives_page_finalize;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/settings/oriel-drives-page.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielDrivesPage, drives_group);
    gtk_widget_class_bind_template_child(widget_class, OrielDrivesPage, order_group);
    gtk_widget_class_bind_template_child(widget_class, OrielDrivesPage, add_button);
    gtk_widget_class_bind_template_child(widget_class, OrielDrivesPage, hotplug_row);
    gtk_widget_class_install_action(widget_class, "drives.add-disk", NULL, action_add_disk);
    gtk_widget_class_install_action(widget_class, "drives.add-image", NULL, action_add_image);
    gtk_widget_class_install_action(widget_class, "drives.add-cdrom", NULL, action_add_cdrom);
    gtk_widget_class_install_action(widget_class, "drives.insert", "s", action_insert);
    gtk_widget_class_install_action(widget_class, "drives.eject", "s", action_eject);
    gtk_widget_class_install_action(widget_class, "drives.grow", "s", action_grow);
    gtk_widget_class_install_action(widget_class, "drives.care", "s", action_care);
    gtk_widget_class_install_action(widget_class, "drives.remove", "s", action_remove);
    gtk_widget_class_install_action(widget_class, "drives.earlier", "s", action_earlier);
}

static void oriel_drives_page_init(OrielDrivesPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->rows = g_ptr_array_new();
    self->sizes = disk_sizes_new();
    self->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

AdwPreferencesPage *oriel_drives_page_new(OrielMachineItem *item, OrielSettingRows *rows)
{
    OrielDrivesPage *self = g_object_new(ORIEL_TYPE_DRIVES_PAGE, NULL);

    self->item = g_object_ref(item);
    self->setting_rows = g_object_ref(rows);
    oriel_setting_rows_bind(rows, self->hotplug_row, "hotplug", NULL);
    g_signal_connect_object(item, "notify::config", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(item, "notify::state", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(item, "notify::waiting-keys", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    show(self);
    return ADW_PREFERENCES_PAGE(self);
}
