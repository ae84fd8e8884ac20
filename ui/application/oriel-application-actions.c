/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the application is asked to do: command line, actions (also from other processes over
 * D-Bus), keyboard shortcuts. */
#include <glib/gi18n.h>

#include "oriel-application-private.h"
#include "running/oriel-session.h"

void oriel_application_add_options(OrielApplication *application)
{
    const GOptionEntry entries[] = {
        { "start", 's', 0, G_OPTION_ARG_STRING, NULL, N_("Start a machine and show it"),
          N_("NAME") },
        { "list", 'l', 0, G_OPTION_ARG_NONE, NULL, N_("List the machines and their states"), NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Show the version"), NULL },
        { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
    };

    g_application_add_main_option_entries(G_APPLICATION(application), entries);
    g_application_set_option_context_summary(
        G_APPLICATION(application),
        _("Runs other operating systems in a window. FILE is an installer image, a disk image, an "
          "appliance or a machine’s folder."));
}

/* Before there is a window: the files are read here and now. */
static int list_print(void)
{
    g_autoptr(GPtrArray) machines = oriel_library_list();

    for (guint i = 0; i < machines->len; i++) {
        const OrielMachine *machine = g_ptr_array_index(machines, i);

        g_print("%s\t%s\n", machine->name, oriel_session_state(machine, NULL));
    }
    return 0;
}

int oriel_application_local_options(GApplication *base, GVariantDict *options)
{
    g_autoptr(GError) error = NULL;
    const char *name;

    if (g_variant_dict_contains(options, "version")) {
        g_print("oriel %s\n", ORIEL_VERSION);
        return 0;
    }
    if (g_variant_dict_contains(options, "list")) {
        return list_print();
    }
    if (!ORIEL_APPLICATION(base)->preferences) {
        g_printerr(_("oriel: Its settings schema is not installed; install Oriel again.\n"));
        return 1;
    }
    if (g_variant_dict_lookup(options, "start", "&s", &name)) {
        g_autoptr(OrielMachine) machine = oriel_library_find(name, &error);

        if (!machine) {
            g_printerr("oriel: %s\n", error->message);
            return oriel_error_exit_code(error);
        }
        if (!g_application_register(base, NULL, &error)) {
            g_printerr("oriel: %s\n", error->message);
            return 1;
        }
        g_action_group_activate_action(G_ACTION_GROUP(base), "start-machine",
                                       g_variant_new_string(machine->folder));
    }
    return -1;
}

static void act_open_machine(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    OrielWindow *window = oriel_application_main_window(data);

    gtk_window_present(GTK_WINDOW(window));
    oriel_window_show_folder(window, g_variant_get_string(parameter, NULL), FALSE);
}

static void act_start_machine(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    OrielWindow *window = oriel_application_main_window(data);

    gtk_window_present(GTK_WINDOW(window));
    oriel_window_show_folder(window, g_variant_get_string(parameter, NULL), TRUE);
}

/* Closes the windows; each asks what it has to ask. Machines go on running. */
static void act_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(GList) windows = g_list_copy(gtk_application_get_windows(data));

    g_list_foreach(windows, (GFunc)(void (*)(void))g_object_ref, NULL);
    for (GList *link = windows; link; link = link->next) {
        gtk_window_close(link->data);
        g_object_unref(link->data);
    }
}

void oriel_application_add_actions(OrielApplication *application)
{
    const GActionEntry entries[] = {
        { .name = "open-machine", .activate = act_open_machine, .parameter_type = "s" },
        { .name = "start-machine", .activate = act_start_machine, .parameter_type = "s" },
        { .name = "quit", .activate = act_quit },
    };

    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                    application);
}

static const struct {
    const char *action;
    const char *keys[3];
} shortcuts[] = {
    { "app.quit", { "<Control>q", NULL } },
    { "window.close", { "<Control>w", NULL } },
    { "win.new-machine", { "<Control>n", NULL } },
    { "win.search", { "<Control>f", NULL } },
    { "win.preferences", { "<Control>comma", NULL } },
    { "win.show-help-overlay", { "<Control>question", NULL } },
    { "win.back", { "<Alt>Left", NULL } },
    { "win.fullscreen", { "F11", NULL } },
    { "win.menu", { "F10", NULL } },
    { "win.machine-menu", { "F9", NULL } },
};

void oriel_application_set_shortcuts(OrielApplication *application, gboolean on)
{
    const char *const none[] = { NULL };

    if (application->shortcuts == on) {
        return;
    }
    application->shortcuts = on;
    for (guint i = 0; i < G_N_ELEMENTS(shortcuts); i++) {
        gtk_application_set_accels_for_action(GTK_APPLICATION(application), shortcuts[i].action,
                                              on ? shortcuts[i].keys : none);
    }
}
