/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of the settings window that are more than rows for settings: name and notes, drives,
 * networks, history. */
#include "settings_scene.h"

#include "disk/oriel-drives.h"
#include "library/oriel-operations.h"
#include "settings/pages/oriel-network-page.h"

jmp_buf test_failed;

/* --- Network ---------------------------------------------------------------------------------- */

TEST(network_cards_and_port_forwards)
{
    const char *entry = "Add a Port Forward, Such as tcp:2222:22";
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "Network");
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
    WAIT(!oriel_machine_item_get_operation(scene.item));
    forms_click(page, "Remove This Network Card");
    WAIT(!is_saved(NAME, "net0.mode", "user"));
    WAIT(!forms_find_row(page, "Cable"));
    scene_close(&scene);
}

/* Whether the row can be seen by scrolling. */
static gboolean is_offered(gpointer page, const char *title)
{
    GtkWidget *row = forms_find_row(page, title);

    return row && gtk_widget_get_visible(row);
}

/* Whether the library knows that the machine has this value. */
static gboolean is_known(struct scene *scene, const char *name, const char *key, const char *value)
{
    OrielMachineItem *item = oriel_machine_list_find_name(scene->list, name);
    const OrielConfig *config = item ? oriel_machine_item_get_config(item) : NULL;
    g_autofree char *known = config ? oriel_config_get(config, key, NULL) : NULL;

    return g_strcmp0(known, value) == 0;
}

TEST(a_private_network_has_a_name_from_the_start)
{
    const char *name = "Name of the Private Network", *mode = "Connected To";
    const OrielCreateOptions options = { .name = "Other" };
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "Network");
    GtkWidget *page = forms_find(scene.window, ORIEL_TYPE_NETWORK_PAGE);

    WAIT(forms_find_row(page, mode) && !oriel_machine_item_get_operation(scene.item));
    CHECK(!is_offered(page, name) && is_offered(page, "Reach This Computer"));
    forms_set(forms_row(page, mode), "A private network of machines");
    WAIT(is_saved(NAME, "net0.mode", "private") && is_saved(NAME, "net0.network", "private"));
    WAIT(is_offered(page, name) && !is_offered(page, "Reach This Computer"));
    CHECK(shows(forms_row(page, name), "private"));
    CHECK(!forms_find_button(page, "Networks of Other Machines"));
    /* Back, and empty again: now another machine is in one. */
    forms_set(forms_row(page, mode), "The networks of this computer");
    WAIT(is_saved(NAME, "net0.mode", "user") && !is_offered(page, name));
    set_outside("net0.network", "");
    g_autofree char *other = oriel_create(&options, NULL, NULL, NULL, NULL);

    CHECK(set_in("Other", "net0.network", "lab") && set_in("Other", "net0.mode", "private"));
    oriel_machine_list_reload(scene.list);
    WAIT(is_known(&scene, "Other", "net0.mode", "private"));
    WAIT(is_known(&scene, NAME, "net0.network", ""));
    forms_set(forms_row(page, mode), "A private network of machines");
    WAIT(is_saved(NAME, "net0.mode", "private") && is_saved(NAME, "net0.network", "lab"));
    /* A name of one's own, and that of the others from the menu. */
    WAIT(is_offered(page, name));
    forms_set(forms_row(page, name), "mine");
    WAIT(is_saved(NAME, "net0.network", "mine"));
    gtk_widget_activate_action(page, "network.join", "(ss)", "net0", "lab");
    WAIT(is_saved(NAME, "net0.network", "lab") && shows(forms_row(page, name), "lab"));
    page_show(&scene, "Network");
    forms_picture(scene.window, "settings-network-private");
    forms_set(forms_row(page, name), "");
    WAIT(forms_problem(forms_row(page, name)));
    CHECK(is_saved(NAME, "net0.network", "lab"));
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

/* --- Drives ----------------------------------------------------------------------------------- */

TEST(drives)
{
    struct scene scene;

    scene_open(&scene);
    page_show(&scene, "Drives");
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
    page_show(&scene, "Drives");
    WAIT(forms_says(scene.window, "8.0\u00a0GiB (qcow2), takes "));
    GtkWidget *disk = forms_row(scene.window, "Disk 1");

    adw_expander_row_set_expanded(ADW_EXPANDER_ROW(disk), TRUE);
    WAIT(gtk_widget_get_sensitive(forms_find_button(disk, "_Grow…")));
    forms_click(disk, "_Grow…");
    GtkWindow *dialog = forms_window_above(scene.window);

    g_object_get(forms_row(dialog, "Size"), "lower", &lower, "value", &value, NULL);
    CHECK_EQ(lower, 8 * 1024 + 1);
    CHECK_EQ(value, 9 * 1024);
    g_autofree char *partition = forms_get(forms_row(dialog, "Grow the Last Partition"));

    CHECK_STR(partition, "true");
    forms_picture(dialog, "settings-grow");
    adw_message_dialog_response(ADW_MESSAGE_DIALOG(dialog), "accept");
    WAIT(forms_says(scene.window, "9.0\u00a0GiB (qcow2), takes "));
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
    page_show(&scene, "History");
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

int main(void)
{
    static const struct test tests[] = {
        T(network_cards_and_port_forwards),
        T(a_private_network_has_a_name_from_the_start),
        T(name_and_notes),
        T(drives),
        T(a_disk_is_never_asked_to_shrink),
        T(a_drive_that_goes_while_its_setting_is_saved),
        T(earlier_settings_are_told_in_the_words_of_the_pages),
    };
    int result;

    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
