/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings window: every row shows its key and saves it, follows changes from outside, says
 * what is wrong with a value, and marks what waits for a restart. */
#include "forms_fixture.h"

#include <glib/gstdio.h>

#include "disk/oriel-drives.h"
#include "library/oriel-operations.h"
#include "settings/pages/oriel-network-page.h"
#include "settings/oriel-settings-window.h"
#include "widgets/oriel-spin-row.h"

jmp_buf test_failed;

#define NAME "Debian <stable> & more, a machine with quite a long name"

/* --- One machine and its window --------------------------------------------------------------- */

struct scene {
    OrielMachineList *list;
    OrielMachineItem *item;
    GtkWindow *window;
};

static void window_open(struct scene *scene, int width)
{
    scene->window = forms_show(oriel_settings_window_new(scene->item, scene->list), width, 620);
}

/* A machine with two disks and two CD drives; its name is markup where it should not be. */
static void scene_open(struct scene *scene)
{
    const OrielCreateOptions options = { .name = NAME, .disk = "8G", .memory = "2G" };

    fixture_clear();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = oriel_create(&options, NULL, NULL, NULL, &error);

    CHECK_STR(error ? error->message : "", "");
    g_autoptr(OrielMachine) machine = oriel_machine_load(folder);
    g_autofree char *disk = oriel_add_disk(machine, "1G", NULL, NULL, NULL, &error);
    g_autofree char *cdrom = oriel_add_cdrom(machine, NULL, NULL);

    CHECK_STR(error ? error->message : "", "");
    CHECK_STR(disk, "disk1");
    CHECK_STR(cdrom, "cdrom1");
    scene->list = fixture_list();
    scene->item = g_object_ref(oriel_machine_list_find_name(scene->list, NAME));
    window_open(scene, 640);
}

static void scene_close(struct scene *scene)
{
    if (scene->window) {
        forms_close(scene->window);
    }
    g_clear_object(&scene->item);
    g_clear_object(&scene->list);
    fixture_clear();
}

static gboolean is_saved(const char *name, const char *key, const char *value)
{
    g_autofree char *folder = fixture_folder(name);
    g_autoptr(OrielConfig) config = oriel_config_load(folder, NULL);
    g_autofree char *text = config ? oriel_config_get(config, key, NULL) : NULL;

    return g_strcmp0(text, value) == 0;
}

static gboolean shows(GtkWidget *row, const char *text)
{
    g_autofree char *shown = forms_get(row);

    return g_strcmp0(shown, text) == 0;
}

static gboolean settings_set(OrielConfig *config, gpointer data, GError **error)
{
    const char **pair = data;

    return oriel_config_set(config, pair[0], pair[1], error);
}

/* As another program would. */
static void set_outside(const char *key, const char *value)
{
    const char *pair[] = { key, value };
    g_autofree char *folder = fixture_folder(NAME);

    CHECK(oriel_machine_edit(folder, settings_set, pair, NULL));
}

static void page_show(struct scene *scene, const char *page)
{
    adw_preferences_window_set_visible_page_name(ADW_PREFERENCES_WINDOW(scene->window), page);
}

/* --- Every key -------------------------------------------------------------------------------- */

/* In an order in which each is allowed. */
static const struct {
    const char *page, *title, *key;
    const char *typed, *saved;   /* what a user enters, and what is saved then */
    const char *outside, *shown; /* what another program saves, and what the row shows then */
} settings[] = {
    { "general", "Tags, Separated by Commas", "tags", "work, home", "work, home", "a & b <c>",
      "a & b <c>" },
    { "system", "Firmware", "firmware", "UEFI", "uefi", "bios", "BIOS" },
    { "system", "Boot Menu", "boot-menu", "true", "true", "false", "false" },
    { "system", "Clock", "clock", "Local time", "local", "utc", "Universal time" },
    { "system", "Kernel", "kernel", "/boot/vmlinuz", "/boot/vmlinuz", "/srv/<k> & k",
      "/srv/<k> & k" },
    { "system", "Initial RAM Disk", "initrd", "/boot/initrd", "/boot/initrd", "/i", "/i" },
    { "system", "Kernel Command Line", "append", "quiet", "quiet", "a=<b>", "a=<b>" },
    { "hardware", "Processors", "cpus", "1", "1", "200", "200" },
    { "hardware", "Memory", "memory", "1.5 GiB", "1536M", "512G", "512 GiB" },
    { "hardware", "Scaling", "display.scaling", "Actual size", "actual", "follow",
      "System follows window" },
    { "hardware", "Display Adapter", "video.model", "Virtual display, for Linux; VGA to others",
      "virtio-gpu", "stdvga", "VGA, for every system" },
    { "hardware", "Displays", "video.displays", "3", "3", "2", "2" },
    { "hardware", "Video Memory", "video-memory", "64 MiB", "64M", "8M", "8 MiB" },
    { "hardware", "Pointer", "input.pointer", "Mouse", "ps2", "virtio-tablet",
      "Mouse, and tablet that needs no grab" },
    { "hardware", "Memory Balloon", "balloon", "false", "false", "true", "true" },
    { "hardware", "Source of Random Numbers", "rng", "false", "false", "true", "true" },
    { "hardware", "Console", "console", "true", "true", "false", "false" },
    { "drives", "Compatibility", "disk0.controller", "Faster, for systems that know virtio",
      "virtio", "ahci", "Every system (SATA)" },
    { "drives", "Cache", "disk0.cache", "In the machine only (direct I/O)", "direct", "writeback",
      "In this computer’s memory, too" },
    { "drives", "Requests per Second", "disk0.iops-limit", "500", "500", "0", "0" },
    { "drives", "Bytes per Second", "disk0.bandwidth-limit", "512 MiB", "512M", "1G", "1 GiB" },
    { "connections", "Password, 8 Characters at Most", "vnc.password", "secret", "secret", "s<e>c&",
      "s<e>c&" },
    { "connections", "Address and Port", "vnc.listen", "127.0.0.1:5901", "127.0.0.1:5901",
      "[::1]:5902", "[::1]:5902" },
    { "connections", "Number", "serials", "2", "2", "0", "0" },
};

TEST(every_row_saves_its_key)
{
    struct scene scene;

    scene_open(&scene);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        GtkWidget *row = forms_row(scene.window, settings[i].title);

        page_show(&scene, settings[i].page);
        forms_set(row, settings[i].typed);
        WAIT(is_saved(NAME, settings[i].key, settings[i].saved));
        WAIT(shows(row, settings[i].typed));
        CHECK(!forms_problem(row));
    }
    scene_close(&scene);
}

TEST(every_row_follows_other_programs)
{
    struct scene scene;

    scene_open(&scene);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        GtkWidget *row = forms_row(scene.window, settings[i].title);

        set_outside(settings[i].key, settings[i].outside);
        WAIT(shows(row, settings[i].shown));
    }
    /* Showing a value is not changing it. */
    forms_close(scene.window);
    scene.window = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        CHECK(is_saved(NAME, settings[i].key, settings[i].outside));
    }
    /* Also values that this computer does not have: they are shown, and kept. */
    window_open(&scene, 640);
    CHECK(shows(forms_row(scene.window, "Memory"), "512 GiB"));
    CHECK(shows(forms_row(scene.window, "Processors"), "200"));
    scene_close(&scene);
}

TEST(a_wrong_value_is_told_at_its_row_and_changes_nothing)
{
    static const struct {
        const char *title, *key, *typed, *words;
    } wrong[] = {
        { "Kernel", "kernel", "not/absolute", "Kernel" },
        { "Initial RAM Disk", "initrd", "/boot/initrd", "“Kernel”" },
        { "Kernel Command Line", "append", "quiet", "“Kernel”" },
        { "Address and Port", "vnc.listen", "nowhere", "“Address and Port”" },
        { "Address and Port", "vnc.listen", "127.0.0.1:5900", "“Password, 8 Characters at Most”" },
        { "Password, 8 Characters at Most", "vnc.password", "123456789", "8" },
    };
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "system");
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        GtkWidget *row = forms_row(scene.window, wrong[i].title);

        forms_set(row, wrong[i].typed);
        WAIT(forms_problem(row) && strstr(forms_problem(row), wrong[i].words));
        CHECK(!strstr(forms_problem(row), "vnc."));
        CHECK(shows(row, wrong[i].typed));
        CHECK(is_saved(NAME, wrong[i].key, ""));
        if (i == 0) {
            forms_picture(scene.window, "settings-problem");
        }
        forms_set(row, "");
        WAIT(!forms_problem(row));
    }
    scene_close(&scene);
}

TEST(what_is_being_typed_is_not_lost)
{
    struct scene scene;

    scene_open(&scene);
    GtkWidget *kernel = forms_row(scene.window, "Kernel");
    GtkWidget *clock = forms_row(scene.window, "Clock");

    gtk_editable_set_text(GTK_EDITABLE(kernel), "/boot/vm");
    forms_set(clock, "Local time");
    WAIT(is_saved(NAME, "clock", "local"));
    set_outside("clock", "utc");
    WAIT(shows(clock, "Universal time"));
    CHECK(shows(kernel, "/boot/vm"));
    set_outside("kernel", "/other");
    WAIT(shows(kernel, "/other"));
    scene_close(&scene);
}

/* --- Network ---------------------------------------------------------------------------------- */

TEST(network_cards_and_port_forwards)
{
    const char *entry = "Add a Port Forward, Such as tcp:2222:22";
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "network");
    GtkWidget *page = forms_find(scene.window, ORIEL_TYPE_NETWORK_PAGE);

    /* The card that every new machine has. */
    WAIT(forms_find_row(page, "Cable") && !oriel_machine_item_get_operation(scene.item));
    forms_click(page, "Remove This Network Card");
    WAIT(!forms_find_row(page, "Cable") && !oriel_machine_item_get_operation(scene.item));
    CHECK(!is_saved(NAME, "net0.mode", "user"));
    forms_click(page, "Add a Network Card");
    WAIT(is_saved(NAME, "net0.mode", "user"));
    WAIT(forms_find_row(page, entry) && !oriel_machine_item_get_operation(scene.item));
    forms_set(forms_row(page, entry), "nonsense");
    WAIT(forms_problem(forms_row(page, entry)) &&
         strstr(forms_problem(forms_row(page, entry)), "not a port forward"));
    CHECK(is_saved(NAME, "net0.forwards", ""));
    WAIT(!oriel_machine_item_get_operation(scene.item));
    forms_set(forms_row(page, entry), "udp:[::1]:5353:53");
    WAIT(is_saved(NAME, "net0.forwards", "udp:[::1]:5353:53"));
    WAIT(forms_find_row(page, "UDP port 5353 of ::1"));
    CHECK(forms_says(forms_row(page, "UDP port 5353 of ::1"), "Leads to port 53 of the machine"));
    forms_picture(scene.window, "settings-network");
    WAIT(!oriel_machine_item_get_operation(scene.item));
    forms_click(page, "Remove This Port Forward");
    WAIT(is_saved(NAME, "net0.forwards", ""));
    WAIT(!forms_find_row(page, "UDP port 5353 of ::1"));
    forms_set(forms_row(page, "Cable"), "Unplugged");
    WAIT(is_saved(NAME, "net0.link", "down"));
    forms_set(forms_row(page, "Reach This Computer"), "true");
    WAIT(is_saved(NAME, "net0.host-access", "true"));
    forms_set(forms_row(page, "Hardware Address"), "02:00:00:00:00:77");
    WAIT(is_saved(NAME, "net0.mac", "02:00:00:00:00:77"));
    /* A private network needs a name first. */
    forms_set(forms_row(page, "Name of the Private Network"), "lab");
    WAIT(is_saved(NAME, "net0.network", "lab"));
    forms_set(forms_row(page, "Connected To"), "A private network of machines");
    WAIT(is_saved(NAME, "net0.mode", "private"));
    WAIT(!forms_find_row(page, entry));
    WAIT(!oriel_machine_item_get_operation(scene.item));
    forms_click(page, "Remove This Network Card");
    WAIT(!is_saved(NAME, "net0.mode", "private"));
    WAIT(!forms_find_row(page, "Cable"));
    scene_close(&scene);
}

/* --- Sizes that are typed --------------------------------------------------------------------- */

TEST(sizes_are_read_as_people_write_them)
{
    static const struct {
        const char *typed, *shown, *saved;
    } sizes[] = {
        { "512M", "512 MiB", "512M" },     { "2", "2 GiB", "2G" },
        { "1,5 GB", "2 GiB", "2G" }, /* no number here: what was stays */
        { "0.5g", "512 MiB", "512M" },     { "768 MiB", "768 MiB", "768M" },
        { "nonsense", "768 MiB", "768M" }, { "1 MiB", "16 MiB", "16M" },
    };
    struct scene scene;

    scene_open(&scene);
    GtkWidget *row = forms_row(scene.window, "Memory");

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        forms_set(row, sizes[i].typed);
        g_autofree char *shown = forms_get(row);

        CHECK_STR(shown, sizes[i].shown);
        WAIT(is_saved(NAME, "memory", sizes[i].saved));
    }
    scene_close(&scene);
}

TEST(what_is_typed_counts_when_the_window_closes)
{
    struct scene scene;

    scene_open(&scene);
    GtkWidget *notes = forms_find(scene.window, GTK_TYPE_TEXT_VIEW);

    page_show(&scene, "hardware");
    GtkWidget *spin = NULL;

    WAIT((spin = forms_find(forms_row(scene.window, "Memory"), GTK_TYPE_SPIN_BUTTON)));

    gtk_editable_set_text(GTK_EDITABLE(spin), "640M");
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(notes)), "Two\nlines", -1);
    gtk_window_close(scene.window);
    scene.window = NULL;
    WAIT(is_saved(NAME, "memory", "640M"));
    WAIT(is_saved(NAME, "notes", "Two\nlines"));
    scene_close(&scene);
}

/* --- Name and notes --------------------------------------------------------------------------- */

TEST(name_and_notes)
{
    struct scene scene;

    scene_open(&scene);
    GtkWidget *row = forms_row(scene.window, "Name");
    GtkWidget *notes = forms_find(scene.window, GTK_TYPE_TEXT_VIEW);
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(notes));

    CHECK(shows(row, NAME));
    forms_set(row, "a/b");
    WAIT(forms_problem(row) && strstr(forms_problem(row), "slash"));
    CHECK_STR(oriel_machine_item_get_name(scene.item), NAME);
    forms_set(row, "Other & <new>");
    WAIT(strcmp(oriel_machine_item_get_name(scene.item), "Other & <new>") == 0);
    WAIT(!forms_problem(row));
    CHECK(shows(row, "Other & <new>"));
    CHECK(strstr(gtk_window_get_title(scene.window), "Other & <new>"));
    gtk_text_buffer_set_text(buffer, "Some notes", -1);
    WAIT(is_saved("Other & <new>", "notes", "Some notes"));
    g_autofree char *folder = fixture_folder("Other & <new>");

    CHECK_STR(oriel_machine_item_get_folder(scene.item), folder);
    CHECK(forms_row(scene.window, folder));
    scene_close(&scene);
}

/* --- Restart ---------------------------------------------------------------------------------- */

static gboolean is_waiting_mark(GtkWidget *widget)
{
    return GTK_IS_IMAGE(widget) && gtk_widget_is_visible(widget) &&
           g_strcmp0(gtk_widget_get_tooltip_text(widget),
                     "Takes effect when the machine is restarted") == 0;
}

static gboolean waits(GtkWidget *widget)
{
    gboolean found = is_waiting_mark(widget);

    for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
         child = gtk_widget_get_next_sibling(child)) {
        found = waits(child);
    }
    return found;
}

TEST(rows_that_wait_for_a_restart_are_marked)
{
    struct scene scene;
    g_autoptr(GAsyncResult) started = NULL, stopped = NULL;

    scene_open(&scene);
    GtkWidget *memory = forms_row(scene.window, "Memory");
    GtkWidget *scaling = forms_row(scene.window, "Scaling");
    GtkWidget *clock = forms_row(scene.window, "Clock");

    oriel_machine_item_start_async(scene.item, FALSE, NULL, fixture_result, &started);
    WAIT(started);
    CHECK(oriel_machine_item_start_finish(scene.item, started, NULL));
    CHECK(!gtk_widget_get_sensitive(forms_row(scene.window, "Name")));
    CHECK(!waits(memory));
    forms_set(memory, "1 GiB");
    WAIT(waits(memory));
    forms_set(scaling, "Actual size");
    WAIT(is_saved(NAME, "display.scaling", "actual"));
    CHECK(!waits(scaling) && !waits(clock));
    page_show(&scene, "hardware");
    forms_picture(scene.window, "settings-waiting");
    page_show(&scene, "drives");
    forms_picture(scene.window, "settings-drives-running");
    CHECK(forms_says(scene.window, "Shut the machine down to add or remove drives."));
    forms_set(memory, "2 GiB");
    WAIT(!waits(memory));
    forms_set(clock, "Local time");
    WAIT(waits(clock));
    oriel_machine_item_command_async(scene.item, ORIEL_COMMAND_POWER_OFF, NULL, fixture_result,
                                     &stopped);
    WAIT(stopped);
    WAIT(!waits(clock));
    CHECK(gtk_widget_get_sensitive(forms_row(scene.window, "Name")));
    scene_close(&scene);
}

TEST(a_saved_machine_keeps_what_its_guest_sees)
{
    struct scene scene;

    scene_open(&scene);
    g_autofree char *folder = fixture_folder(NAME);
    g_autofree char *state = g_build_filename(folder, "saved", NULL);

    CHECK(g_mkdir(state, 0700) == 0);
    oriel_machine_item_reload(scene.item);
    WAIT(oriel_machine_item_get_state(scene.item) == ORIEL_MACHINE_STATE_SAVED);
    GtkWidget *memory = forms_row(scene.window, "Memory");
    GtkWidget *clock = forms_row(scene.window, "Clock");
    GtkWidget *menu = forms_row(scene.window, "Boot Menu");

    forms_set(memory, "1 GiB");
    WAIT(forms_problem(memory) && strstr(forms_problem(memory), "is saved, so its “Memory”"));
    CHECK(shows(memory, "2 GiB"));
    forms_set(clock, "Local time");
    WAIT(forms_problem(clock) && strstr(forms_problem(clock), "is saved"));
    CHECK(shows(clock, "Universal time"));
    forms_set(menu, "true");
    WAIT(forms_problem(menu) && shows(menu, "false"));
    CHECK(is_saved(NAME, "memory", "2G") && is_saved(NAME, "clock", "utc"));
    forms_set(forms_row(scene.window, "Tags, Separated by Commas"), "kept");
    WAIT(is_saved(NAME, "tags", "kept"));
    page_show(&scene, "system");
    forms_picture(scene.window, "settings-saved");
    scene_close(&scene);
}

/* --- Drives ----------------------------------------------------------------------------------- */

TEST(drives)
{
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "drives");
    WAIT(forms_says(scene.window, "8.0\u00a0GiB (qcow2), takes "));
    WAIT(forms_says(scene.window, "1.0\u00a0GiB (qcow2), takes "));
    GtkWidget *disk = forms_row(scene.window, "Disk 2");

    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(disk), TRUE);
    GtkWidget *read_only = forms_row(disk, "Read-Only");

    forms_set(read_only, "true");
    WAIT(is_saved(NAME, "disk1.read-only", "true"));
    CHECK(forms_row(scene.window, "Disk 2") == disk); /* the focus stays where it was */
    set_outside("disk1.read-only", "false");
    WAIT(shows(read_only, "false"));
    forms_picture(scene.window, "settings-drives-open");

    g_autofree char *iso = g_build_filename(g_get_tmp_dir(), "a & <b>.iso", NULL);

    set_outside("cdrom0.path", iso);
    WAIT(strcmp(
             adw_expander_row_get_subtitle(ADW_EXPANDER_ROW(forms_row(scene.window, "CD Drive 1"))),
             "a & <b>.iso") == 0);
    CHECK(adw_expander_row_get_expanded(ADW_EXPANDER_ROW(forms_row(scene.window, "Disk 2"))));
    gtk_widget_activate_action(forms_row(scene.window, "Disk 2"), "drives.earlier", "s", "disk1");
    WAIT(is_saved(NAME, "boot-order", "disk1,disk0,cdrom0,cdrom1"));
    scene_close(&scene);
}

TEST(a_disk_is_never_asked_to_shrink)
{
    struct scene scene;
    double lower, value;

    scene_open(&scene);
    page_show(&scene, "drives");
    WAIT(forms_says(scene.window, "8.0\u00a0GiB (qcow2), takes "));
    GtkWidget *disk = forms_row(scene.window, "Disk 1");

    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(disk), TRUE);
    WAIT(gtk_widget_get_sensitive(forms_find_button(disk, "_Grow…")));
    forms_click(disk, "_Grow…");
    GtkWindow *dialog = forms_window_above(scene.window);

    g_object_get(forms_row(dialog, "Size"), "lower", &lower, "value", &value, NULL);
    CHECK_EQ(lower, 8 * 1024 + 1);
    CHECK_EQ(value, 9 * 1024);
    forms_picture(dialog, "settings-grow");
    forms_close(dialog);
    scene_close(&scene);
}

TEST(a_drive_that_goes_while_its_setting_is_saved)
{
    struct scene scene;

    scene_open(&scene);
    g_autofree char *folder = fixture_folder(NAME);
    g_autoptr(OrielMachine) machine = oriel_machine_load(folder);

    for (int i = 0; i < 2; i++) {
        GtkWidget *row = forms_row(forms_row(scene.window, i ? "Disk 1" : "Disk 2"), "Read-Only");

        forms_set(row, "true"); /* the answer comes when the row is gone */
        CHECK(oriel_remove_drive(machine, i ? "disk0" : "disk1", FALSE, NULL));
        WAIT(!forms_find_row(scene.window, i ? "Disk 1" : "Disk 2"));
    }
    CHECK(forms_find_row(scene.window, "CD Drive 1"));
    scene_close(&scene);
}

/* --- History ---------------------------------------------------------------------------------- */

TEST(earlier_settings_are_told_in_the_words_of_the_pages)
{
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "history");
    set_outside("memory", "1536M");
    set_outside("clock", "local");
    set_outside("boot-order", "cdrom0,disk1");
    set_outside("disk1.read-only", "true");
    set_outside("disk0.controller", "virtio");
    set_outside("vnc.password", "hush");
    set_outside("append", "");
    WAIT(forms_says(scene.window, "Memory: 2 GiB · Boot order: disks, then CDs · Clock: Universal "
                                  "time · Password, 8 Characters at Most: none · Disk 1 by SATA · "
                                  "Disk 2 can be written"));
    WAIT(forms_says(scene.window, "without Disk 2"));
    CHECK(!forms_says(scene.window, "hush"));
    forms_picture(scene.window, "settings-history-full");
    gtk_widget_activate_action(forms_row(scene.window, "UUID"), "history.restore", "u", 3);
    WAIT(is_saved(NAME, "memory", "2G"));
    scene_close(&scene);
}

/* --- How it looks ----------------------------------------------------------------------------- */

static void pages_show(struct scene *scene, const char *what)
{
    static const char *const pages[] = { "general", "system",      "hardware", "drives",
                                         "network", "connections", "history" };

    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *name = g_strdup_printf("settings-%s-%s", pages[i], what);

        page_show(scene, pages[i]);
        forms_picture(scene->window, name);
        CHECK(gtk_widget_get_width(GTK_WIDGET(scene->window)) <= 640);
    }
}

TEST(pages_fit_small_windows)
{
    struct scene scene;

    scene_open(&scene);
    pages_show(&scene, "wide");
    forms_close(scene.window);
    window_open(&scene, 360);
    pages_show(&scene, "narrow");
    CHECK(gtk_widget_get_width(GTK_WIDGET(scene.window)) <= 360);
    scene_close(&scene);
}

int main(void)
{
    static const struct test tests[] = {
        T(every_row_saves_its_key),
        T(every_row_follows_other_programs),
        T(a_wrong_value_is_told_at_its_row_and_changes_nothing),
        T(what_is_being_typed_is_not_lost),
        T(network_cards_and_port_forwards),
        T(sizes_are_read_as_people_write_them),
        T(what_is_typed_counts_when_the_window_closes),
        T(name_and_notes),
        T(rows_that_wait_for_a_restart_are_marked),
        T(a_saved_machine_keeps_what_its_guest_sees),
        T(drives),
        T(a_disk_is_never_asked_to_shrink),
        T(a_drive_that_goes_while_its_setting_is_saved),
        T(earlier_settings_are_told_in_the_words_of_the_pages),
        T(pages_fit_small_windows),
    };
    int result;

    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
