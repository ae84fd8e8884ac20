/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's menu: monitors, any of which the screen may fill, and displays that the machine has
 * behind the first. */
#include <glib/gi18n.h>

#include "oriel-machine-page-private.h"

/* Name for people, "27 inch Dell (DP-1)". g_free(). */
static char *monitor_name(GdkMonitor *monitor)
{
    const char *connector = gdk_monitor_get_connector(monitor);
    const char *model = gdk_monitor_get_model(monitor);

    if (model && connector) {
        /* Translators: a monitor's model and the connector it is plugged into. */
        return g_strdup_printf(_("%s (%s)"), model, connector);
    }
    return g_strdup(connector ? connector : _("This Monitor"));
}

static void monitors_follow(OrielMachinePage *page, guint position, guint removed, guint added,
                            GListModel *monitors)
{
    g_menu_remove_all(page->monitors_section);
    for (guint i = 0; i < g_list_model_get_n_items(monitors); i++) {
        g_autoptr(GdkMonitor) monitor = g_list_model_get_item(monitors, i);
        const char *connector = gdk_monitor_get_connector(monitor);
        g_autofree char *name = monitor_name(monitor);
        g_autoptr(GMenuItem) item = g_menu_item_new(name, NULL);

        g_menu_item_set_action_and_target(item, "win.fullscreen-on", "s",
                                          connector ? connector : "");
        g_menu_append_item(page->monitors_section, item);
    }
}

void oriel_machine_page_watch_monitors(OrielMachinePage *page)
{
    GListModel *monitors = gdk_display_get_monitors(gtk_widget_get_display(GTK_WIDGET(page)));

    g_signal_connect_object(monitors, "items-changed", G_CALLBACK(monitors_follow), page,
                            G_CONNECT_SWAPPED);
    monitors_follow(page, 0, 0, 0, monitors);
}

void oriel_machine_page_displays_follow(OrielMachinePage *page)
{
    OrielEngine *engine = oriel_machine_item_get_engine(page->item);
    guint n = engine ? oriel_engine_get_displays(engine) : 0;

    if ((guint)g_menu_model_get_n_items(G_MENU_MODEL(page->displays_section)) + 1 == MAX(n, 1)) {
        return;
    }
    g_menu_remove_all(page->displays_section);
    for (guint number = 2; number <= n; number++) {
        /* Translators: %u is 2 or more: a display that the machine has besides its usual screen. */
        g_autofree char *label = g_strdup_printf(_("Open Display _%u"), number);
        g_autoptr(GMenuItem) item = g_menu_item_new(label, NULL);

        g_menu_item_set_action_and_target(item, "screen.open-display", "u", number);
        g_menu_append_item(page->displays_section, item);
    }
}
