/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every window in a language whose translations all stand in [brackets] (tests/brackets.py, which
 * runs this test): a word outside of them, on a label, a tooltip, a list or a title, was not
 * translated, unless it is a name.
 */
#include "forms_fixture.h"

#include "dialogs/oriel-connect-dialog.h"
#include "dialogs/oriel-export-dialog.h"
#include "dialogs/oriel-name-dialog.h"
#include "dialogs/oriel-preferences-window.h"
#include "dialogs/oriel-shortcuts-window.h"
#include "disk/oriel-drives.h"
#include "library/oriel-host-banner.h"
#include "library/oriel-library-page.h"
#include "library/oriel-operations.h"
#include "machine/oriel-machine-actions.h"
#include "machine/page/oriel-machine-page.h"
#include "machine/windows/oriel-log-window.h"
#include "machine/windows/oriel-remote-window.h"
#include "new/oriel-new-machine-window.h"
#include "oriel-locale.h"
#include "settings/drives/oriel-disk-care-window.h"
#include "settings/oriel-settings-window.h"

jmp_buf test_failed;

#define NAME "Zebra"

/* --- Texts ------------------------------------------------------------------------------------ */

/* Said by GTK and libadwaita themselves, whose language this is not. */
static const char *const of_libraries[] = {
    "(None)",
    "Apply",
    "Caps Lock is on",
    "Clear entry",
    "Close",
    "No Results Found",
    "Preferences",
    "Search",
    "Search Results",
    "Search Shortcuts",
    "Search…",
    "Shortcuts",
    "Show All",
    "Show Text",
    "Try a different search",
    "Try a different search.",
    NULL,
};

/* Names of machines, systems and the like, units, paths, identities, times as libc has them, and
 * shortcuts as GTK has them. */
static const char names[] = "\\b(" NAME "(\\.ovf)?|[KMGT]iB|bytes?|UEFI|BIOS|SATA|NVMe|SCSI|IDE|"
                            "virtio|VMware|VirtualBox|Proxmox|Hyper-V|UUID|tcp|udp)\\b|/\\S+|"
                            "[0-9a-f]{8}-[0-9a-f-]{27}|([0-9a-f]{2}:){5}[0-9a-f]{2}|"
                            "Ctrl\\+\\S+|[A-Z][a-z]{2} [A-Z][a-z]{2} +\\d+ [0-9:]+ \\d{4}";

/* What stands in no brackets. */
static char *outside(const char *text)
{
    GString *found = g_string_new(NULL);
    guint depth = 0;

    for (const char *at = text; *at; at++) {
        if (*at == '[') {
            depth++;
        } else if (*at == ']') {
            depth -= depth > 0;
        } else if (depth == 0) {
            g_string_append_c(found, *at);
        }
    }
    return g_string_free(found, FALSE);
}

static gboolean is_translated(const char *text)
{
    static GRegex *allowed;
    g_autofree char *left = NULL;
    g_autofree char *rest = outside(text);

    if (!allowed) {
        allowed = g_regex_new(names, 0, 0, NULL);
        CHECK(allowed);
    }
    left = g_regex_replace_literal(allowed, rest, -1, 0, "", 0, NULL);
    return g_strv_contains(of_libraries, text) || !g_regex_match_simple("[A-Za-z]{2,}", left, 0, 0);
}

static guint n_texts, n_foreign;

static void text_check(GtkWidget *widget, const char *text)
{
    if (!text || !*text) {
        return;
    }
    n_texts++;
    if (!is_translated(text)) {
        n_foreign++;
        fprintf(stderr, "not translated: %s “%s” in %s\n", G_OBJECT_TYPE_NAME(widget), text,
                G_OBJECT_TYPE_NAME(gtk_widget_get_root(widget)));
    }
}

static void property_check(GtkWidget *widget, const char *property)
{
    g_autofree char *text = NULL;

    if (g_object_class_find_property(G_OBJECT_GET_CLASS(widget), property)) {
        g_object_get(widget, property, &text, NULL);
        text_check(widget, text);
    }
}

static void list_check(GtkWidget *widget)
{
    GListModel *model =
        ADW_IS_COMBO_ROW(widget) ? adw_combo_row_get_model(ADW_COMBO_ROW(widget)) : NULL;

    for (guint i = 0; GTK_IS_STRING_LIST(model) && i < g_list_model_get_n_items(model); i++) {
        text_check(widget, gtk_string_list_get_string(GTK_STRING_LIST(model), i));
    }
}

/* All below a widget, whether it is on the page that is shown or not. */
static void widget_check(GtkWidget *widget)
{
    if (GTK_IS_SHORTCUT_LABEL(widget)) {
        return; /* names of keys, which are GTK's */
    }
    if (GTK_IS_LABEL(widget)) {
        text_check(widget, gtk_label_get_text(GTK_LABEL(widget)));
    }
    text_check(widget, gtk_widget_get_tooltip_text(widget));
    if (GTK_IS_INSCRIPTION(widget)) {
        text_check(widget, gtk_inscription_get_text(GTK_INSCRIPTION(widget)));
    }
    property_check(widget, "placeholder-text");
    list_check(widget);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        widget_check(child);
    }
}

/* A window that must have at least so many texts, as a window that shows nothing has no mistakes.
 */
static void window_check(GtkWindow *window, guint texts)
{
    n_texts = n_foreign = 0;
    text_check(GTK_WIDGET(window), gtk_window_get_title(window));
    widget_check(GTK_WIDGET(window));
    CHECK_EQ(n_foreign, 0);
    CHECK(n_texts >= texts);
}

TEST(brackets_show_what_is_not_translated)
{
    CHECK(is_translated("[Open “" NAME "”]"));
    CHECK(is_translated("[_Open], [%s of [memory]] " NAME " 8.0 GiB"));
    CHECK(!is_translated("Open"));
    CHECK(!is_translated("[Open] all"));
}

/* --- Windows ---------------------------------------------------------------------------------- */

/* The library has one machine, with two disks, a CD drive and two network cards. */
static OrielMachineItem *machine_make(OrielMachineList **list)
{
    const OrielCreateOptions options = { .name = NAME, .disk = "8G", .memory = "2G" };

    fixture_clear();
    g_autofree char *folder = oriel_create(&options, NULL, NULL, NULL, NULL);
    g_autoptr(OrielMachine) machine = oriel_machine_load(folder);
    g_autofree char *disk = oriel_add_disk(machine, "1G", NULL, NULL, NULL, NULL);
    g_autofree char *cdrom = oriel_add_cdrom(machine, NULL, NULL);

    CHECK(disk && cdrom);
    *list = fixture_list();
    return oriel_machine_list_find_name(*list, NAME);
}

static GtkWindow *dialog_above(GtkWindow *parent)
{
    GtkWindow *dialog = NULL;

    WAIT((dialog = forms_window_above(parent)));
    return forms_show(dialog, 0, 0);
}

/* The dialog that has come; closes it. */
static void dialog_check(GtkWindow *parent, guint texts)
{
    GtkWindow *dialog = dialog_above(parent);

    window_check(dialog, texts);
    forms_close(dialog);
}

TEST(new_machines)
{
    g_autofree char *path = g_build_filename(fixture_data(), "letter.txt", NULL);
    g_autoptr(OrielMachineList) list = NULL;
    GtkWindow *window;

    fixture_clear();
    list = fixture_list();
    window = forms_show(oriel_new_machine_window_new(list, forms_preferences()), 0, 0);
    window_check(window, 8);
    CHECK(g_file_set_contents(path, "Dear reader, this is no image.", -1, NULL));
    oriel_new_machine_window_open_file(ORIEL_NEW_MACHINE_WINDOW(window), path);
    WAIT(forms_says(window, "letter.txt"));
    window_check(window, 8);
    gtk_widget_activate_action(GTK_WIDGET(window), "new.empty", NULL);
    WAIT(forms_find_button(window, "[C_reate]"));
    window_check(window, 20);
    forms_picture(window, "words-new");
    forms_close(window);
}

/* A machine with a floppy drive, a network card of another kind, and no disk. */
static const char appliance[] =
    "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' "
    "xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1' xmlns:rasd='http://schemas.dmtf.org/wbem/"
    "wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData'>"
    "<References/><VirtualSystem ovf:id='" NAME "'><Info/><Name>" NAME "</Name>"
    "<VirtualHardwareSection><Info/>"
    "<Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>14</rasd:ResourceType></Item>"
    "<Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>10</rasd:ResourceType>"
    "<rasd:ResourceSubType>PCNet32</rasd:ResourceSubType></Item>"
    "<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>15</rasd:ResourceType></Item>"
    "</VirtualHardwareSection></VirtualSystem></Envelope>";

TEST(an_appliance)
{
    g_autofree char *path = g_build_filename(fixture_data(), NAME ".ovf", NULL);
    g_autoptr(OrielMachineList) list = NULL;
    GtkWindow *window;

    fixture_clear();
    list = fixture_list();
    CHECK(g_file_set_contents(path, appliance, -1, NULL));
    window = forms_show(oriel_new_machine_window_new(list, forms_preferences()), 0, 0);
    oriel_new_machine_window_open_file(ORIEL_NEW_MACHINE_WINDOW(window), path);
    WAIT(forms_find_button(window, "[_Import]"));
    CHECK(forms_says(window, "[It has a floppy drive"));
    window_check(window, 20);
    forms_picture(window, "words-appliance");
    forms_close(window);
}

TEST(dialogs)
{
    g_autoptr(OrielMachineList) list = NULL;
    OrielMachineItem *item = machine_make(&list);
    GtkWindow *parent = forms_show(GTK_WINDOW(gtk_window_new()), 400, 300), *dialog;

    oriel_clone_dialog_show(parent, list, item);
    dialog_check(parent, 3);
    oriel_rename_dialog_show(parent, item, list);
    dialog = dialog_above(parent);
    gtk_editable_set_text(GTK_EDITABLE(forms_row(dialog, "[Name]")), "a/b");
    window_check(dialog, 4);
    forms_close(dialog);
    oriel_export_dialog_show(parent, item);
    dialog = dialog_above(parent);
    WAIT(adw_message_dialog_get_response_enabled(ADW_MESSAGE_DIALOG(dialog), "accept"));
    window_check(dialog, 6);
    forms_close(dialog);
    forms_close(forms_show(oriel_connect_dialog_new(parent), 0, 0));
    forms_close(parent);
}

TEST(preferences_and_shortcuts)
{
    GtkWindow *window = forms_show(oriel_preferences_window_new(forms_preferences()), 0, 0);

    window_check(window, 15);
    forms_close(window);
    window = forms_show(oriel_shortcuts_window_new(forms_preferences()), 0, 0);
    window_check(window, 15);
    forms_close(window);
}

TEST(settings)
{
    g_autoptr(OrielMachineList) list = NULL;
    OrielMachineItem *item = machine_make(&list);
    GtkWindow *window = forms_show(oriel_settings_window_new(item, list), 0, 0);

    window_check(window, 80);
    forms_picture(window, "words-settings");
    forms_close(window);
    window = forms_show(oriel_disk_care_window_new(item, "disk0", NULL), 0, 0);
    window_check(window, 8);
    forms_close(window);
}

TEST(the_library)
{
    g_autoptr(OrielMachineList) list = NULL;
    GtkWindow *window = GTK_WINDOW(adw_window_new());
    OrielLibraryPage *page = g_object_new(ORIEL_TYPE_LIBRARY_PAGE, NULL);

    machine_make(&list);
    adw_window_set_content(ADW_WINDOW(window), GTK_WIDGET(page));
    gtk_widget_set_size_request(GTK_WIDGET(window), 360, 294);
    oriel_library_page_set_up(page, list, forms_preferences());
    forms_show(window, 900, 600);
    window_check(window, 15);
    oriel_library_page_show_host(page);
    dialog_check(window, 2);
    forms_close(window);
}

TEST(the_page_of_a_machine)
{
    g_autoptr(OrielMachineList) list = NULL;
    OrielMachineItem *item = machine_make(&list);
    OrielMachinePage *page = g_object_new(ORIEL_TYPE_MACHINE_PAGE, NULL);
    GtkWindow *window = GTK_WINDOW(gtk_window_new());

    gtk_window_set_child(window, GTK_WIDGET(page));
    oriel_machine_page_set_up(page, forms_preferences(), FALSE);
    oriel_machine_page_set_item(page, item);
    forms_show(window, 900, 600);
    window_check(window, 40);
    gtk_widget_activate_action(GTK_WIDGET(page), "machine.start", NULL);
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_RUNNING);
    window_check(window, 40);
    for (const char *const *action =
             (const char *const[]){ "machine.reset", "machine.power-off", NULL };
         *action; action++) {
        gtk_widget_activate_action(GTK_WIDGET(page), *action, NULL);
        dialog_check(window, 4);
    }
    oriel_machine_page_set_item(page, NULL);
    forms_close(window);
    window = forms_show(oriel_log_window_new(item), 0, 0);
    window_check(window, 4);
    forms_close(window);
    fixture_clear();
}

TEST(a_remote_screen)
{
    GtkWindow *window =
        forms_show(oriel_remote_window_new(NULL, forms_preferences(), "127.0.0.1:1"), 0, 0);

    WAIT(forms_find_button(window, "[_Try Again]"));
    window_check(window, 10);
    forms_close(window);
}

int main(void)
{
    static const struct test tests[] = {
        T(brackets_show_what_is_not_translated),
        T(new_machines),
        T(an_appliance),
        T(dialogs),
        T(preferences_and_shortcuts),
        T(settings),
        T(the_library),
        T(the_page_of_a_machine),
        T(a_remote_screen),
    };
    int result;

    oriel_locale_start(TRUE);
    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
