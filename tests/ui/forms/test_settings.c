/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings window and its rows: every row shows its key and saves it, follows changes from
 * outside, says what is wrong with a value, and marks what waits for a restart. */
#include "settings_scene.h"

#include <glib/gstdio.h>

jmp_buf test_failed;

/* --- Every key -------------------------------------------------------------------------------- */

/* In an order in which each is allowed. */
static const struct {
    const char *page, *title, *key;
    const char *typed, *saved;   /* what a user enters, and what is saved then */
    const char *outside, *shown; /* what another program saves, and what the row shows then */
} settings[] = {
    { "General", "Tags, Separated by Commas", "tags", "work, home", "work, home", "a & b <c>",
      "a & b <c>" },
    { "System", "Firmware", "firmware", "UEFI", "uefi", "bios", "BIOS" },
    { "System", "Boot Menu", "boot-menu", "true", "true", "false", "false" },
    { "System", "Clock", "clock", "Local time", "local", "utc", "Universal time" },
    { "System", "Kernel", "kernel", "/boot/vmlinuz", "/boot/vmlinuz", "/srv/<k> & k",
      "/srv/<k> & k" },
    { "System", "Initial RAM Disk", "initrd", "/boot/initrd", "/boot/initrd", "/i", "/i" },
    { "System", "Kernel Command Line", "append", "quiet", "quiet", "a=<b>", "a=<b>" },
    { "Hardware", "Processors", "cpus", "1", "1", "200", "200" },
    { "Hardware", "Memory", "memory", "1.5 GiB", "1536M", "512G", "512 GiB" },
    { "Hardware", "Scaling", "display.scaling", "Actual size", "actual", "follow",
      "System follows window" },
    { "Hardware", "Display Adapter", "video.model", "Virtual display, for Linux; VGA to others",
      "virtio-gpu", "stdvga", "VGA, for every system" },
    { "Hardware", "Displays", "video.displays", "3", "3", "2", "2" },
    { "Hardware", "Video Memory", "video-memory", "64 MiB", "64M", "8M", "8 MiB" },
    { "Hardware", "Pointer", "input.pointer", "Mouse", "ps2", "virtio-tablet",
      "Mouse, and tablet that needs no grab" },
    { "Hardware", "Memory Balloon", "balloon", "false", "false", "true", "true" },
    { "Hardware", "Source of Random Numbers", "rng", "false", "false", "true", "true" },
    { "Hardware", "Console", "console", "true", "true", "false", "false" },
    { "Drives", "Compatibility", "disk0.controller", "Faster, for systems that know virtio",
      "virtio", "ahci", "Every system (SATA)" },
    { "Drives", "Cache", "disk0.cache", "In the machine only (direct I/O)", "direct", "writeback",
      "In this computer’s memory, too" },
    { "Drives", "Requests per Second", "disk0.iops-limit", "500", "500", "0", "0" },
    { "Drives", "Bytes per Second", "disk0.bandwidth-limit", "512 MiB", "512M", "1G", "1 GiB" },
    { "Ports", "Password, 8 Characters at Most", "vnc.password", "secret", "secret", "s<e>c&",
      "s<e>c&" },
    { "Ports", "Address and Port", "vnc.listen", "127.0.0.1:5901", "127.0.0.1:5901", "[::1]:5902",
      "[::1]:5902" },
    { "Ports", "Number", "serials", "2", "2", "0", "0" },
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
    page_show(&scene, "System");
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

    page_show(&scene, "Hardware");
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
    page_show(&scene, "Hardware");
    forms_picture(scene.window, "settings-waiting");
    page_show(&scene, "Drives");
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
    page_show(&scene, "System");
    forms_picture(scene.window, "settings-saved");
    scene_close(&scene);
}

/* --- How it looks ----------------------------------------------------------------------------- */

static const char *const pages[] = { "General", "System", "Hardware", "Drives",
                                     "Network", "Ports",  "History" };

static void pages_show(struct scene *scene, int width, const char *what)
{
    window_open(scene, width);
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *name = g_strdup_printf("settings-%s-%s", pages[i], what);

        page_show(scene, pages[i]);
        forms_picture(scene->window, name);
        CHECK(gtk_widget_get_width(GTK_WIDGET(scene->window)) <= width);
    }
    forms_close(scene->window);
    scene->window = NULL;
}

TEST(pages_fit_small_windows)
{
    struct scene scene;

    scene_open(&scene);
    forms_close(scene.window);
    pages_show(&scene, 640, "wide");
    pages_show(&scene, 360, "narrow");
    forms_scale_text(1.5);
    pages_show(&scene, 840, "wide-large-text");
    pages_show(&scene, 360, "narrow-large-text");
    forms_scale_text(1);
    scene_close(&scene);
}

static gboolean is_mapped(gpointer widget)
{
    return widget && gtk_widget_get_mapped(widget);
}

static gboolean has_focus_in(GtkWindow *window, GtkWidget *widget)
{
    GtkWidget *focus = gtk_window_get_focus(window);

    return focus && (focus == widget || gtk_widget_is_ancestor(focus, widget));
}

TEST(every_page_is_reached_in_a_narrow_window)
{
    struct scene scene;

    scene_open(&scene);
    forms_close(scene.window);
    window_open(&scene, 360);
    forms_picture(scene.window, "settings-list-narrow");
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
        GtkWidget *line = forms_line(scene.window, pages[i]);

        /* Either the list or a page; the keyboard is in what is seen. */
        WAIT(is_mapped(line) && !is_mapped(forms_find_button(scene.window, "Back")));
        gtk_widget_grab_focus(line);
        gtk_widget_activate(line);
        WAIT(!is_mapped(line) && is_mapped(forms_find_button(scene.window, "Back")));
        CHECK(has_focus_in(scene.window, forms_find(scene.window, GTK_TYPE_STACK)));
        CHECK(forms_says(scene.window, pages[i]));
        forms_click(scene.window, "Back");
        WAIT(is_mapped(line));
        CHECK(has_focus_in(scene.window, line));
    }
    scene_close(&scene);
}

TEST(search_leads_to_a_setting)
{
    struct scene scene;

    scene_open(&scene);
    GtkWidget *search = forms_find(scene.window, GTK_TYPE_SEARCH_ENTRY);
    GtkWidget *general = forms_line(scene.window, "General");

    WAIT(is_mapped(general));
    gtk_editable_set_text(GTK_EDITABLE(search), " hardware ADDR ");
    WAIT(!is_mapped(general) && is_mapped(forms_line(scene.window, "Network")));
    forms_picture(scene.window, "settings-search");
    g_signal_emit_by_name(search, "activate");
    WAIT(has_focus_in(scene.window, forms_row(scene.window, "Hardware Address")));
    /* In a row that is shut, too. */
    gtk_editable_set_text(GTK_EDITABLE(search), "read-only");
    WAIT(is_mapped(forms_line(scene.window, "Drives")));
    g_signal_emit_by_name(search, "activate");
    WAIT(is_mapped(forms_row(forms_row(scene.window, "Disk 1"), "Read-Only")));
    gtk_editable_set_text(GTK_EDITABLE(search), "nothing of that kind");
    WAIT(forms_says(scene.window, "No setting has that in its name."));
    g_signal_emit_by_name(search, "stop-search");
    WAIT(is_mapped(general));
    scene_close(&scene);
}

int main(void)
{
    static const struct test tests[] = {
        T(every_row_saves_its_key),
        T(every_row_follows_other_programs),
        T(a_wrong_value_is_told_at_its_row_and_changes_nothing),
        T(what_is_being_typed_is_not_lost),
        T(sizes_are_read_as_people_write_them),
        T(what_is_typed_counts_when_the_window_closes),
        T(rows_that_wait_for_a_restart_are_marked),
        T(a_saved_machine_keeps_what_its_guest_sees),
        T(pages_fit_small_windows),
        T(every_page_is_reached_in_a_narrow_window),
        T(search_leads_to_a_setting),
    };
    int result;

    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
