/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window for new machines with every kind of file, and the dialogs. */
#include "forms_fixture.h"

#include <glib/gstdio.h>

#include "dialogs/oriel-about.h"
#include "dialogs/oriel-connect-dialog.h"
#include "dialogs/oriel-export-dialog.h"
#include "dialogs/oriel-name-dialog.h"
#include "dialogs/oriel-preferences-window.h"
#include "dialogs/oriel-shortcuts-window.h"
#include "new/oriel-new-machine-window.h"
#include "disk/oriel-drives.h"
#include "library/oriel-operations.h"
#include "settings/oriel-machine-work.h"

jmp_buf test_failed;

enum { ISO_SECTOR = 2048, IMAGE = 64 * ISO_SECTOR };

/* --- Files ------------------------------------------------------------------------------------ */

/* A file of IMAGE bytes with some at an offset. Returns its path; g_free(). */
static char *file_make(const char *name, gsize offset, const char *bytes, gsize n)
{
    g_autofree char *content = g_malloc0(IMAGE);
    char *path = g_build_filename(fixture_data(), name, NULL);

    memcpy(content + offset, bytes, n);
    CHECK(g_file_set_contents(path, content, IMAGE, NULL));
    return path;
}

/* A CD image that starts a PC; it says that it has `sectors`. */
static char *iso_make(const char *name, const char *label, guint16 sectors)
{
    g_autofree char *iso = g_malloc0(IMAGE);
    char *primary = iso + 16 * ISO_SECTOR, *boot = iso + 17 * ISO_SECTOR;
    char *end = iso + 18 * ISO_SECTOR, *catalog = iso + 20 * ISO_SECTOR;
    char *path = g_build_filename(fixture_data(), name, NULL);

    memcpy(primary,
           "\x01"
           "CD001\x01",
           7);
    memset(primary + 40, ' ', 32);
    memcpy(primary + 40, label, strlen(label));
    primary[80] = (char)(sectors & 0xff);
    primary[81] = (char)(sectors >> 8);
    primary[129] = ISO_SECTOR >> 8;
    memcpy(boot,
           "\0CD001\x01"
           "EL TORITO SPECIFICATION",
           30);
    boot[0x47] = 20;
    memcpy(end,
           "\xff"
           "CD001\x01",
           7);
    catalog[0] = 1;
    catalog[30] = 0x55;
    catalog[31] = (char)0xaa;
    catalog[32] = (char)0x88;
    CHECK(g_file_set_contents(path, iso, IMAGE, NULL));
    return path;
}

/* --- The window for new machines -------------------------------------------------------------- */

struct scene {
    OrielMachineList *list;
    GtkWindow *window;
    OrielMachineItem *created;
    gboolean start, closed;
};

static void on_created(GtkWindow *window, OrielMachineItem *item, gboolean start,
                       struct scene *scene)
{
    scene->created = g_object_ref(item);
    scene->start = start;
}

static void on_destroy(GtkWindow *window, struct scene *scene)
{
    scene->closed = TRUE;
}

static void new_open(struct scene *scene, const char *path)
{
    memset(scene, 0, sizeof(*scene));
    scene->list = fixture_list();
    scene->window = oriel_new_machine_window_new(scene->list, forms_preferences());
    g_signal_connect(scene->window, "created", G_CALLBACK(on_created), scene);
    g_signal_connect(scene->window, "destroy", G_CALLBACK(on_destroy), scene);
    forms_show(scene->window, 0, 0);
    if (path) {
        oriel_new_machine_window_open_file(ORIEL_NEW_MACHINE_WINDOW(scene->window), path);
    }
}

static void new_close(struct scene *scene)
{
    if (!scene->closed) {
        forms_close(scene->window);
    }
    g_clear_object(&scene->created);
    g_clear_object(&scene->list);
}

static void do_action(struct scene *scene, const char *name)
{
    gtk_widget_activate_action(GTK_WIDGET(scene->window), name, NULL);
}

static gboolean is_reviewing(struct scene *scene)
{
    return forms_find_button(scene->window, "C_reate") != NULL;
}

/* What a row shows or says behind its title. */
static const char *subtitle(struct scene *scene, const char *title)
{
    return adw_action_row_get_subtitle(ADW_ACTION_ROW(forms_row(scene->window, title)));
}

/* Creates the machine; its settings. */
static const OrielConfig *create(struct scene *scene)
{
    do_action(scene, "new.create");
    WAIT(scene->closed);
    CHECK(scene->created);
    WAIT(oriel_machine_item_get_state(scene->created) == ORIEL_MACHINE_STATE_STOPPED);
    WAIT(oriel_machine_item_get_config(scene->created));
    return oriel_machine_item_get_config(scene->created);
}

static void drives_are(const OrielConfig *config, const char *cdrom, gboolean disk)
{
    const OrielDrive *drive = oriel_config_find_drive(config, "cdrom0");

    CHECK(drive);
    CHECK(g_strcmp0(drive->path, cdrom) == 0);
    CHECK_EQ(oriel_config_find_drive(config, "disk0") != NULL, disk);
}

TEST(from_a_cd_image_to_a_machine)
{
    struct scene scene;
    g_autofree char *iso = iso_make("Some & <odd>.iso", "ARCH_202611", IMAGE / ISO_SECTOR);

    fixture_clear();
    new_open(&scene, iso);
    WAIT(is_reviewing(&scene));
    CHECK(strstr(subtitle(&scene, "Installer or live CD"), "Some & <odd>.iso"));
    CHECK(forms_says(scene.window, "Arch Linux"));
    CHECK(g_str_has_prefix(subtitle(&scene, "Memory"), "This computer has "));
    CHECK(strstr(subtitle(&scene, "Disk"), "are free"));
    forms_picture(scene.window, "new-iso");
    const OrielConfig *config = create(&scene);

    CHECK_STR(config->name, "Arch Linux");
    CHECK_STR(config->os, "archlinux");
    CHECK(scene.start);
    drives_are(config, iso, TRUE);
    new_close(&scene);
}

TEST(what_is_changed_on_the_way_counts)
{
    struct scene scene;
    g_autofree char *iso = iso_make("plain.iso", "NOBODY KNOWS", IMAGE / ISO_SECTOR);

    fixture_clear();
    fixture_machine("Taken", NULL);
    new_open(&scene, iso);
    WAIT(is_reviewing(&scene));
    CHECK(forms_says(scene.window, "Another system"));
    GtkWidget *name = forms_row(scene.window, "Name");
    GtkWidget *button = forms_find_button(scene.window, "C_reate");
    const char *wrong[] = { "Taken", "a/b", ".hidden", "" };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        gtk_editable_set_text(GTK_EDITABLE(name), wrong[i]);
        CHECK(!gtk_widget_get_sensitive(button));
    }
    gtk_editable_set_text(GTK_EDITABLE(name), " Mine & <yours> ");
    CHECK(gtk_widget_get_sensitive(button));
    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(forms_row(scene.window, "More Options")), TRUE);
    forms_set(forms_row(scene.window, "Memory"), "512 MiB");
    forms_set(forms_row(scene.window, "Processors"), "1");
    forms_set(forms_row(scene.window, "Firmware"), "UEFI");
    forms_set(forms_row(scene.window, "Start After Creating"), "false");
    forms_set(forms_row(scene.window, "New Disk"), "false");
    CHECK(!gtk_widget_get_visible(forms_row(scene.window, "Disk")));
    forms_picture(scene.window, "new-more");
    const OrielConfig *config = create(&scene);

    CHECK_STR(config->name, "Mine & <yours>");
    CHECK_EQ(config->memory, 512 << 20);
    CHECK_EQ(config->cpus, 1);
    CHECK_EQ(config->firmware, ORIEL_FIRMWARE_UEFI);
    CHECK(!scene.start);
    drives_are(config, iso, FALSE);
    new_close(&scene);
}

TEST(an_empty_machine_with_a_system_chosen)
{
    struct scene scene;

    fixture_clear();
    new_open(&scene, NULL);
    CHECK(gtk_window_get_focus(scene.window) == forms_row(scene.window, "A _File…"));
    forms_picture(scene.window, "new-choose");
    do_action(&scene, "new.empty");
    CHECK(is_reviewing(&scene));
    do_action(&scene, "new.choose-system");
    GtkWidget *search = forms_find(scene.window, GTK_TYPE_SEARCH_ENTRY);

    WAIT(forms_find(scene.window, GTK_TYPE_LIST_VIEW));
    forms_picture(scene.window, "new-systems");
    gtk_editable_set_text(GTK_EDITABLE(search), "no such system");
    WAIT(forms_says(scene.window, "No System Found"));
    gtk_editable_set_text(GTK_EDITABLE(search), "windows 11");
    g_signal_emit_by_name(search, "activate");
    WAIT(is_reviewing(&scene));
    CHECK(forms_says(scene.window, "Windows 11"));
    const OrielConfig *config = create(&scene);

    CHECK_STR(config->name, "New Machine");
    CHECK_STR(config->os, "win11");
    CHECK_EQ(config->firmware, ORIEL_FIRMWARE_UEFI);
    CHECK(config->clock_local);
    drives_are(config, NULL, TRUE);
    new_close(&scene);
}

TEST(from_a_disk_image_and_a_kernel)
{
    struct scene scene;
    g_autofree char *disk = file_make("old disk.img", 510, "\x55\xaa", 2);
    g_autofree char *kernel = file_make("vmlinuz", 514, "HdrS", 4);

    fixture_clear();
    new_open(&scene, disk);
    WAIT(is_reviewing(&scene));
    CHECK(!gtk_widget_get_visible(forms_row(scene.window, "New Disk")));
    const OrielConfig *config = create(&scene);

    CHECK_STR(config->name, "old disk");
    drives_are(config, NULL, TRUE);
    new_close(&scene);

    new_open(&scene, kernel);
    WAIT(is_reviewing(&scene));
    config = create(&scene);
    CHECK_STR(config->kernel, kernel);
    CHECK_STR(config->os, "linux");
    new_close(&scene);
}

TEST(a_machine_from_elsewhere)
{
    struct scene scene;
    g_autofree char *elsewhere = g_dir_make_tmp("oriel-XXXXXX", NULL);
    const OrielCreateOptions options = { .name = "Guest", .folder = elsewhere };

    fixture_clear();
    g_autofree char *folder = oriel_create(&options, NULL, NULL, NULL, NULL);

    CHECK(folder);
    CHECK(oriel_library_forget(folder, NULL));
    new_open(&scene, folder);
    WAIT(scene.closed);
    CHECK(scene.created && !scene.start);
    CHECK_STR(oriel_machine_item_get_folder(scene.created), folder);
    new_close(&scene);
    CHECK(oriel_folder_remove(elsewhere, NULL));
}

TEST(files_of_which_no_machine_can_be_made)
{
    const struct {
        char *path;
        const char *words;
    } files[] = {
        { file_make("a.ova", 0, "", 0), "is not an OVA archive" },
        { file_make("disk.hds", 0, "WithoutFreeSpace", 16), "format parallels" },
        { file_make("packed.img.xz", 0,
                    "\xfd"
                    "7zXZ",
                    5),
          "cannot be unpacked" },
        { file_make("garbage & <more>.iso", 0, "garbage", 7),
          "“garbage & <more>.iso” is not a CD image, disk image or machine" },
        { iso_make("short.iso", "CUT", 10000), "cut short" },
        { g_build_filename(fixture_data(), "absent.iso", NULL), "absent.iso" },
    };
    struct scene scene;
    char tar[1024] = "machine.ovf";

    memcpy(tar + 124, "00000000001", 11);
    memcpy(tar + 257, "ustar", 5);
    CHECK(g_file_set_contents(files[0].path, tar, sizeof(tar), NULL));
    fixture_clear();
    new_open(&scene, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        oriel_new_machine_window_open_file(ORIEL_NEW_MACHINE_WINDOW(scene.window), files[i].path);
        WAIT(forms_says(scene.window, files[i].words));
        CHECK(!is_reviewing(&scene));
        if (i == 0) {
            forms_picture(scene.window, "new-refused");
        }
        g_free(files[i].path);
    }
    CHECK_EQ(g_list_model_get_n_items(G_LIST_MODEL(scene.list)), 0);
    new_close(&scene);
}

/* --- Dialogs ---------------------------------------------------------------------------------- */

static GtkWindow *dialog_above(GtkWindow *parent)
{
    GtkWindow *dialog = NULL;

    WAIT((dialog = forms_window_above(parent)));
    return forms_show(dialog, 0, 0);
}

static void answer(GtkWindow *dialog, const char *response)
{
    adw_message_dialog_response(ADW_MESSAGE_DIALOG(dialog), response);
    forms_close(dialog);
}

static gboolean can(GtkWindow *dialog, const char *response)
{
    return adw_message_dialog_get_response_enabled(ADW_MESSAGE_DIALOG(dialog), response);
}

TEST(clone_and_rename)
{
    fixture_clear();
    fixture_machine("One & <only>", NULL);
    fixture_machine("Two", NULL);
    g_autoptr(OrielMachineList) list = fixture_list();
    OrielMachineItem *item = oriel_machine_list_find_name(list, "One & <only>");
    GtkWindow *parent = forms_show(GTK_WINDOW(gtk_window_new()), 400, 300);
    GtkWindow *dialog;

    oriel_clone_dialog_show(parent, list, item);
    dialog = dialog_above(parent);
    forms_picture(dialog, "clone");
    CHECK(can(dialog, "accept"));
    g_autofree char *suggested = forms_get(forms_row(dialog, "Name"));

    CHECK_STR(suggested, "One & <only> 2");
    gtk_editable_set_text(GTK_EDITABLE(forms_row(dialog, "Name")), "Two");
    CHECK(!can(dialog, "accept"));
    CHECK(forms_says(dialog, "Another machine has this name."));
    gtk_editable_set_text(GTK_EDITABLE(forms_row(dialog, "Name")), "Three");
    answer(dialog, "accept");
    WAIT(oriel_machine_list_find_name(list, "Three"));
    WAIT(oriel_machine_item_get_state(oriel_machine_list_find_name(list, "Three")) ==
         ORIEL_MACHINE_STATE_STOPPED);

    oriel_rename_dialog_show(parent, item, list);
    dialog = dialog_above(parent);
    CHECK(can(dialog, "accept"));
    gtk_editable_set_text(GTK_EDITABLE(forms_row(dialog, "Name")), "a/b");
    CHECK(!can(dialog, "accept"));
    gtk_editable_set_text(GTK_EDITABLE(forms_row(dialog, "Name")), "Four");
    answer(dialog, "accept");
    WAIT(oriel_machine_list_find_name(list, "Four") == item);
    forms_close(parent);
}

static char *export_problem; /* NULL: not ended; "": well */

static void export_ended(GtkWidget *widget, const GError *error, const char *result)
{
    export_problem = g_strdup(error ? error->message : result);
}

TEST(export)
{
    fixture_clear();
    fixture_machine("One", NULL);
    fixture_machine("Two", NULL);
    g_autoptr(OrielMachine) machine = oriel_library_find("Two", NULL);
    g_autofree char *id = oriel_add_disk(machine, "1M", NULL, NULL, NULL, NULL);
    g_autofree char *target = g_build_filename(fixture_data(), "two", NULL);
    g_autofree char *archive = g_strconcat(target, ".ova", NULL);
    g_autoptr(OrielMachineList) list = fixture_list();
    OrielMachineItem *item = oriel_machine_list_find_name(list, "Two");
    GtkWindow *parent = forms_show(GTK_WINDOW(gtk_window_new()), 400, 300);
    GtkWindow *dialog;

    CHECK(id);
    oriel_export_dialog_show(parent, oriel_machine_list_find_name(list, "One"));
    dialog = dialog_above(parent);
    WAIT(forms_says(dialog, "no disk"));
    CHECK(!can(dialog, "accept"));
    answer(dialog, "cancel");

    oriel_export_dialog_show(parent, item);
    dialog = dialog_above(parent);
    WAIT(can(dialog, "accept"));
    CHECK(forms_says(dialog, "for disks of 1.0"));
    CHECK(forms_says(dialog, "LSI Logic"));
    forms_picture(dialog, "export");
    forms_set(forms_row(dialog, "Export For"), "VirtualBox");
    CHECK(!can(dialog, "accept"));
    WAIT(can(dialog, "accept"));
    CHECK(!forms_says(dialog, "LSI Logic"));
    forms_set(forms_row(dialog, "Disk Controller"), "SCSI");
    WAIT(forms_says(dialog, "LSI Logic"));
    answer(dialog, "cancel");

    machine_work_export(GTK_WIDGET(parent), item, target, ORIEL_OVF_PROXMOX,
                        ORIEL_OVF_CONTROLLER_IDE, export_ended);
    WAIT(export_problem);
    CHECK_STR(export_problem, "");
    CHECK(g_file_test(archive, G_FILE_TEST_IS_REGULAR));
    g_clear_pointer(&export_problem, g_free);
    machine_work_export(GTK_WIDGET(parent), item, target, ORIEL_OVF_PROXMOX,
                        ORIEL_OVF_CONTROLLER_IDE, export_ended);
    WAIT(export_problem);
    CHECK(strstr(export_problem, "two.ova"));
    g_clear_pointer(&export_problem, g_free);
    forms_close(parent);
}

static void on_connect(GtkWindow *dialog, const char *address, char **connected)
{
    *connected = g_strdup(address);
}

TEST(connect_to_a_remote_screen)
{
    static const char *const good[] = { "office.example:1", "192.0.2.7:5901", "[::1]:5901" };
    static const char *const bad[] = { "", " ", "host:port:more", "host:99999999" };
    g_autofree char *connected = NULL;
    GtkWindow *parent = forms_show(GTK_WINDOW(gtk_window_new()), 400, 300);
    GtkWindow *dialog = forms_show(oriel_connect_dialog_new(parent), 0, 0);
    GtkEditable *entry = GTK_EDITABLE(forms_row(dialog, "Address"));

    g_signal_connect(dialog, "connect", G_CALLBACK(on_connect), &connected);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        gtk_editable_set_text(entry, bad[i]);
        CHECK(!can(dialog, "connect"));
    }
    forms_picture(dialog, "connect");
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        gtk_editable_set_text(entry, good[i]);
        CHECK(can(dialog, "connect"));
    }
    gtk_editable_set_text(entry, " office.example:1 ");
    answer(dialog, "connect");
    CHECK_STR(connected, "office.example:1");
    forms_close(parent);
}

TEST(preferences)
{
    OrielPreferences *preferences = forms_preferences();

    for (int width = 640; width >= 360; width -= 280) {
        GtkWindow *window = forms_show(oriel_preferences_window_new(preferences), width, 560);

        CHECK(gtk_widget_get_width(GTK_WIDGET(window)) <= width);
        forms_picture(window, width < 400 ? "preferences-narrow" : "preferences");
        forms_close(window);
    }
    GtkWindow *window = forms_show(oriel_preferences_window_new(preferences), 0, 0);

    forms_set(forms_row(window, "When Closing the Window of a Running Machine"), "Save it");
    CHECK_EQ(oriel_preferences_get_close_action(preferences), ORIEL_CLOSE_SAVE);
    forms_set(forms_row(window, "Default Scaling"), "Actual size");
    CHECK_EQ(oriel_preferences_get_scaling(preferences), ORIEL_SCALING_ACTUAL);
    forms_set(forms_row(window, "Send Keys Such as Alt+Tab to the Machine"), "Never");
    CHECK_EQ(oriel_preferences_get_grab_policy(preferences), ORIEL_GRAB_NEVER);
    forms_set(forms_row(window, "Notifications"), "false");
    CHECK(!oriel_preferences_get_notifications(preferences));
    forms_set(forms_row(window, "Keys to Leave the Screen"), "Right Ctrl");
    g_autofree char *chord = oriel_preferences_dup_string(preferences, "release-chord");

    CHECK_STR(chord, "rightctrl");
    oriel_preferences_set_string(preferences, "default-folder", "/srv/a & <b>");
    forms_close(window);
    window = forms_show(oriel_preferences_window_new(preferences), 0, 0);
    CHECK(forms_says(window, "/srv/a & <b>"));
    gtk_widget_activate_action(GTK_WIDGET(window), "preferences.reset-folder", NULL);
    CHECK(!forms_says(window, "/srv/a & <b>"));
    forms_close(window);
}

TEST(shortcuts_and_about)
{
    GtkWindow *parent = forms_show(GTK_WINDOW(gtk_window_new()), 800, 600);
    OrielPreferences *preferences = forms_preferences();

    oriel_preferences_set_string(preferences, "release-chord", "ctrl+alt+shift");
    GtkWindow *window = forms_show(oriel_shortcuts_window_new(preferences), 0, 0);

    CHECK(forms_says(window, "Fullscreen"));
    CHECK(forms_says(window, "Shift"));
    forms_picture(window, "shortcuts");
    forms_close(window);
    oriel_about_show(parent);
    window = dialog_above(parent);
    WAIT(strstr(adw_about_window_get_debug_info(ADW_ABOUT_WINDOW(window)), "Host check: "));
    CHECK(strstr(adw_about_window_get_debug_info(ADW_ABOUT_WINDOW(window)), "GTK 4."));
    forms_picture(window, "about");
    forms_close(window);
    forms_close(parent);
}

int main(void)
{
    static const struct test tests[] = {
        T(from_a_cd_image_to_a_machine),
        T(what_is_changed_on_the_way_counts),
        T(an_empty_machine_with_a_system_chosen),
        T(from_a_disk_image_and_a_kernel),
        T(a_machine_from_elsewhere),
        T(files_of_which_no_machine_can_be_made),
        T(clone_and_rename),
        T(export),
        T(connect_to_a_remote_screen),
        T(preferences),
        T(shortcuts_and_about),
    };
    int result;

    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
