/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-about.h. */
#include "dialogs/oriel-about.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <sys/utsname.h>

#include "oriel-host.h"
#include "library/oriel-library.h"
#include "oriel-system.h"

/* Versions, the host, and what the host check found: text for a bug report, not translated. */
static char *debug_information(void)
{
    GString *text = g_string_new(NULL);
    g_autofree char *library = oriel_library_folder(FALSE, NULL);
    g_autoptr(GPtrArray) findings = oriel_host_check(library ? library : "/");
    g_autofree char *os = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    OrielHostResources host;
    struct utsname kernel;

    oriel_host_resources(library ? library : "/", &host);
    uname(&kernel);
    g_string_append_printf(text, "Oriel %s\n", ORIEL_VERSION);
    g_string_append_printf(text, "System: %s, Linux %s\n", os ? os : "unknown", kernel.release);
    g_string_append_printf(text, "GTK %u.%u.%u, libadwaita %u.%u.%u, GLib %u.%u.%u\n",
                           gtk_get_major_version(), gtk_get_minor_version(),
                           gtk_get_micro_version(), adw_get_major_version(),
                           adw_get_minor_version(), adw_get_micro_version(), glib_major_version,
                           glib_minor_version, glib_micro_version);
    g_string_append_printf(text, "Display: %s\n", G_OBJECT_TYPE_NAME(gdk_display_get_default()));
    g_string_append_printf(text, "Flatpak: %s\n",
                           g_file_test("/.flatpak-info", G_FILE_TEST_EXISTS) ? "yes" : "no");
    g_string_append_printf(text, "Host: %u CPUs, %" G_GUINT64_FORMAT " MiB of memory\n", host.cpus,
                           host.memory >> 20);
    for (guint i = 0; i < findings->len; i++) {
        const OrielFinding *finding = g_ptr_array_index(findings, i);

        g_string_append_printf(text, "Host check: %s: %s\n", finding->id, finding->what);
    }
    if (findings->len == 0) {
        g_string_append(text, "Host check: nothing found\n");
    }
    return g_string_free(text, FALSE);
}

static void information_in_thread(GTask *task, gpointer source, gpointer data,
                                  GCancellable *cancellable)
{
    g_task_return_pointer(task, debug_information(), g_free);
}

static void information_ready(GObject *window, GAsyncResult *result, gpointer data)
{
    g_autofree char *text = g_task_propagate_pointer(G_TASK(result), NULL);

    adw_about_window_set_debug_info(ADW_ABOUT_WINDOW(window), text);
}

void oriel_about_show(GtkWindow *parent)
{
    static const char *const developers[] = { "The Oriel project", NULL };
    GtkWidget *window = adw_about_window_new();
    AdwAboutWindow *about = ADW_ABOUT_WINDOW(window);
    g_autoptr(GTask) task = g_task_new(window, NULL, information_ready, NULL);

    adw_about_window_set_application_name(about, "Oriel");
    adw_about_window_set_application_icon(about, "io.github.oriel_vm.Oriel");
    adw_about_window_set_version(about, ORIEL_VERSION);
    adw_about_window_set_developer_name(about, _("The Oriel project"));
    adw_about_window_set_developers(about, (const char **)developers);
    adw_about_window_set_comments(about, _("Run another operating system in a window."));
    adw_about_window_set_license_type(about, GTK_LICENSE_GPL_3_0);
    adw_about_window_set_copyright(about, "© The Oriel project");
    /* Translators: your names, one a line. */
    adw_about_window_set_translator_credits(about, _("translator-credits"));
    adw_about_window_set_debug_info_filename(about, "oriel.txt");
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    g_task_run_in_thread(task, information_in_thread);
    gtk_window_present(GTK_WINDOW(window));
}
