/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Restarting a machine so that changed settings take effect: it is asked to shut down, and started
 * when it is off. The strip of the page offers that and says how far it is. */
#include <glib/gi18n.h>

#include "machine/oriel-machine-actions.h"
#include "oriel-machine-page-private.h"
#include "base/oriel-message.h"
#include "base/oriel-state.h"

/* A machine that is on its way down to come up again. It outlives the page. */
typedef struct {
    GWeakRef page;
    gulong handler;
} Restart;

static GQuark restart_quark(void)
{
    return g_quark_from_static_string("oriel-restart");
}

static gboolean is_restarting(OrielMachineItem *item)
{
    return g_object_get_qdata(G_OBJECT(item), restart_quark()) != NULL;
}

static void restart_free(gpointer data)
{
    Restart *restart = data;

    g_weak_ref_clear(&restart->page);
    g_free(restart);
}

/* No more: it is off, or something else has become of it. */
static void restart_end(OrielMachineItem *item, Restart *restart)
{
    g_autoptr(OrielMachinePage) page = g_weak_ref_get(&restart->page);

    g_signal_handler_disconnect(item, restart->handler);
    g_object_set_qdata(G_OBJECT(item), restart_quark(), NULL);
    if (page && page->item) {
        oriel_machine_page_restart_follow(page);
    }
}

/* A start that is on its way. */
typedef struct {
    OrielMachinePage *page;
    OrielMachineItem *item;
} Start;

static gboolean start_now(gpointer data)
{
    Start *start = data;

    oriel_machine_actions_start(GTK_WIDGET(start->page), start->item, FALSE);
    return G_SOURCE_REMOVE;
}

static void start_free(gpointer data)
{
    Start *start = data;

    g_object_unref(start->page);
    g_object_unref(start->item);
    g_free(start);
}

/* When the end of the last run has been told to all: what is asked before ends with it. */
static void start_soon(OrielMachinePage *page, OrielMachineItem *item)
{
    Start *start = g_new(Start, 1);

    *start = (Start){ g_object_ref(page), g_object_ref(item) };
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, start_now, start, start_free);
}

static void restart_follow(OrielMachineItem *item, GParamSpec *pspec, Restart *restart)
{
    OrielMachineState state = oriel_machine_item_get_state(item);
    g_autoptr(OrielMachinePage) page = g_weak_ref_get(&restart->page);

    if (state == ORIEL_MACHINE_STATE_RUNNING || state == ORIEL_MACHINE_STATE_STOPPING) {
        return;
    }
    restart_end(item, restart);
    if (state == ORIEL_MACHINE_STATE_STOPPED && page) {
        start_soon(page, item);
    }
}

static void asked(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(source);
    g_autoptr(OrielMachinePage) page = data;
    Restart *restart = g_object_get_qdata(source, restart_quark());
    g_autoptr(GError) error = NULL;

    if (!oriel_machine_item_command_finish(item, result, &error)) {
        g_autofree char *heading =
            g_strdup_printf(_("Could Not Shut Down “%s”"), oriel_machine_item_get_name(item));

        if (restart) {
            restart_end(item, restart);
        }
        oriel_message_error(GTK_WIDGET(page), heading, error);
    }
}

static void act_restart(GtkWidget *widget, const char *action, GVariant *parameter)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(widget);
    Restart *restart;

    if (!page->item || is_restarting(page->item)) {
        return;
    }
    restart = g_new0(Restart, 1);
    g_weak_ref_init(&restart->page, page);
    g_object_set_qdata_full(G_OBJECT(page->item), restart_quark(), restart, restart_free);
    restart->handler =
        g_signal_connect(page->item, "notify::state", G_CALLBACK(restart_follow), restart);
    oriel_machine_item_command_async(page->item, ORIEL_COMMAND_SHUT_DOWN, NULL, asked,
                                     g_object_ref(page));
    oriel_machine_page_restart_follow(page);
}

void oriel_machine_page_restart_follow(OrielMachinePage *page)
{
    const char *const *waiting = oriel_machine_item_get_waiting_keys(page->item);
    gboolean restarting = is_restarting(page->item);
    gboolean running = oriel_machine_item_get_state(page->item) == ORIEL_MACHINE_STATE_RUNNING;

    gtk_label_set_text(page->waiting_label,
                       restarting ? _("The machine is shutting down and is started again then. If "
                                      "it goes on running, shut it down from inside.")
                                  : _("Settings were changed that take effect when the machine is "
                                      "started the next time."));
    gtk_widget_set_visible(page->restart_button, !restarting);
    gtk_widget_set_visible(page->power_off_button, restarting);
    gtk_revealer_set_reveal_child(page->waiting_strip,
                                  running && !oriel_state_waits_for_disk(page->item) &&
                                      (restarting || (waiting && *waiting)));
}

void oriel_machine_page_install_restart(GtkWidgetClass *class)
{
    gtk_widget_class_install_action(class, "screen.restart", NULL, act_restart);
}
