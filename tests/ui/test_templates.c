/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every template of the library and the machine can be made, shown and taken away again. */
#include <adwaita.h>

#include "library/oriel-host-banner.h"
#include "library/oriel-library-page.h"
#include "library/oriel-machine-cell.h"
#include "machine/windows/oriel-log-window.h"
#include "machine/page/oriel-machine-details.h"
#include "machine/page/oriel-machine-page.h"
#include "machine/windows/oriel-remote-window.h"
#include "test.h"

static guint complaints;

static GLogWriterOutput count(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                              gpointer data)
{
    if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)) {
        complaints++;
        return g_log_writer_standard_streams(level, fields, n_fields, data);
    }
    return G_LOG_WRITER_HANDLED;
}

/* A widget in a window for a moment. */
static void try_widget(GType type)
{
    gboolean is_window = g_type_is_a(type, GTK_TYPE_WINDOW);
    GtkWidget *widget = g_object_new(type, NULL);
    GtkWindow *window = GTK_WINDOW(is_window ? widget : gtk_window_new());

    complaints = 0;
    if (!is_window) {
        gtk_window_set_child(window, widget);
    }
    gtk_window_present(window);
    for (int i = 0; i < 20; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    gtk_window_destroy(window);
    CHECK(complaints == 0);
}

static void templates(void)
{
    g_log_set_writer_func(count, NULL, NULL);
    adw_init();
    try_widget(ORIEL_TYPE_HOST_BANNER);
    try_widget(ORIEL_TYPE_LIBRARY_PAGE);
    try_widget(ORIEL_TYPE_MACHINE_CELL);
    try_widget(ORIEL_TYPE_MACHINE_DETAILS);
    try_widget(ORIEL_TYPE_MACHINE_PAGE);
    try_widget(ORIEL_TYPE_LOG_WINDOW);
    try_widget(ORIEL_TYPE_REMOTE_WINDOW);
}

static void resources(void)
{
    CHECK(g_resources_get_info("/io/github/oriel_vm/Oriel/style.css", 0, NULL, NULL, NULL));
}

TEST_MAIN(T(resources), T(templates))
