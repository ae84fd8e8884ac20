/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-application.h. */
#include "oriel-application.h"

#include <glib/gi18n.h>
#include <malloc.h>

#include "oriel-application-private.h"

#define APPLICATION_ID "io.github.oriel_vm.Oriel"

enum {
    STARTED_SECONDS = 3, /* by then the first window is there */
};

G_DEFINE_FINAL_TYPE(OrielApplication, oriel_application, ADW_TYPE_APPLICATION)

OrielWindow *oriel_application_main_window(OrielApplication *application)
{
    GList *windows = gtk_application_get_windows(GTK_APPLICATION(application));

    for (GList *link = windows; link; link = link->next) {
        if (ORIEL_IS_WINDOW(link->data) && !oriel_window_is_of_one_machine(link->data)) {
            return link->data;
        }
    }
    return oriel_window_new(application, NULL);
}

void oriel_application_open_machine(OrielApplication *application, OrielMachineItem *item)
{
    GList *windows = gtk_application_get_windows(GTK_APPLICATION(application));
    OrielWindow *window = NULL;

    for (GList *link = windows; link && !window; link = link->next) {
        if (ORIEL_IS_WINDOW(link->data) && oriel_window_get_machine(link->data) == item) {
            window = link->data;
        }
    }
    if (!window) {
        window = oriel_application_main_window(application);
        oriel_window_show_machine(window, item);
    }
    gtk_window_present(GTK_WINDOW(window));
}

void oriel_application_import(OrielApplication *application, OrielImport *import, gboolean start)
{
    OrielWindow *window = oriel_application_main_window(application);

    gtk_window_present(GTK_WINDOW(window));
    oriel_window_import(window, import, start);
}

static void oriel_application_activate(GApplication *base)
{
    OrielApplication *application = ORIEL_APPLICATION(base);

    gtk_window_present(GTK_WINDOW(oriel_application_main_window(application)));
}

static void oriel_application_open(GApplication *base, GFile **files, int n_files, const char *hint)
{
    OrielWindow *window = oriel_application_main_window(ORIEL_APPLICATION(base));

    gtk_window_present(GTK_WINDOW(window));
    oriel_window_open_files(window, files, (guint)n_files);
}

/* A third of the heap is what only the start needed: styles, icons, files that were parsed. */
static gboolean memory_return(gpointer data)
{
    ORIEL_APPLICATION(data)->started = 0;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return G_SOURCE_REMOVE;
}

static void oriel_application_startup(GApplication *base)
{
    OrielApplication *application = ORIEL_APPLICATION(base);

    G_APPLICATION_CLASS(oriel_application_parent_class)->startup(base);
    gtk_window_set_default_icon_name(APPLICATION_ID);
    application->list = oriel_machine_list_new();
    application->notifications = oriel_notifications_new(
        GTK_APPLICATION(application), application->list, application->preferences);
    application->guard = oriel_session_guard_new(GTK_APPLICATION(application), application->list);
    oriel_application_add_actions(application);
    oriel_application_set_shortcuts(application, TRUE);
    application->started = g_timeout_add_seconds(STARTED_SECONDS, memory_return, application);
}

static void oriel_application_shutdown(GApplication *base)
{
    OrielApplication *application = ORIEL_APPLICATION(base);

    g_clear_handle_id(&application->started, g_source_remove);
    g_clear_object(&application->guard);
    g_clear_object(&application->notifications);
    g_clear_object(&application->list);
    G_APPLICATION_CLASS(oriel_application_parent_class)->shutdown(base);
}

OrielMachineList *oriel_application_get_list(OrielApplication *application)
{
    return application->list;
}

OrielPreferences *oriel_application_get_preferences(OrielApplication *application)
{
    return application->preferences;
}

static void oriel_application_dispose(GObject *object)
{
    g_clear_object(&ORIEL_APPLICATION(object)->preferences);
    G_OBJECT_CLASS(oriel_application_parent_class)->dispose(object);
}

static void oriel_application_class_init(OrielApplicationClass *class)
{
    GApplicationClass *application_class = G_APPLICATION_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_application_dispose;
    application_class->startup = oriel_application_startup;
    application_class->shutdown = oriel_application_shutdown;
    application_class->activate = oriel_application_activate;
    application_class->open = oriel_application_open;
    application_class->handle_local_options = oriel_application_local_options;
}

static void oriel_application_init(OrielApplication *application)
{
    g_application_set_option_context_parameter_string(G_APPLICATION(application), _("[FILE…]"));
    oriel_application_add_options(application);
    application->preferences = oriel_preferences_new();
}

OrielApplication *oriel_application_new(void)
{
    return g_object_new(ORIEL_TYPE_APPLICATION, "application-id", APPLICATION_ID, "flags",
                        G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                        "/io/github/oriel_vm/Oriel", "register-session", TRUE, NULL);
}
