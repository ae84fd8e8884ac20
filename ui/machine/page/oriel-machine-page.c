/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-page.h. */
#include "oriel-machine-page.h"

#include <glib/gi18n.h>

#include "machine/oriel-keys-menu.h"
#include "machine/oriel-machine-actions.h"
#include "oriel-machine-page-private.h"
#include "base/oriel-message.h"
#include "base/oriel-state.h"

G_DEFINE_FINAL_TYPE(OrielMachinePage, oriel_machine_page, GTK_TYPE_WIDGET)

enum {
    PROP_ITEM = 1,
    PROP_FULLSCREEN,
    PROP_CAPTURES_KEYS,
    PROP_STANDALONE,
    PROP_SCALING,
    N_PROPS,
};

enum {
    CHECK_SECONDS = 5, /* between two looks whether the engine still answers */
};

static GParamSpec *properties[N_PROPS];

static const char *const followed[] = {
    "notify::name",   "notify::state",  "notify::message",
    "notify::engine", "notify::config", "notify::waiting-keys"
};

/* Which page of the stack shows the state. */
static const char *body_name(OrielMachinePage *page, OrielMachineState state)
{
    switch (state) {
    case ORIEL_MACHINE_STATE_STARTING:
        return "busy";
    case ORIEL_MACHINE_STATE_SAVING:
        return "busy";
    case ORIEL_MACHINE_STATE_RUNNING:
    case ORIEL_MACHINE_STATE_PAUSED:
    case ORIEL_MACHINE_STATE_STOPPING:
        return "display";
    case ORIEL_MACHINE_STATE_CRASHED:
        return "crashed";
    case ORIEL_MACHINE_STATE_LOST:
        return "lost";
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
    case ORIEL_MACHINE_STATE_DAMAGED:
    case ORIEL_MACHINE_STATE_PENDING:
    case ORIEL_MACHINE_STATE_STOPPED:
    case ORIEL_MACHINE_STATE_SAVED:
        break;
    }
    return "details";
}

static void strips_follow(OrielMachinePage *page)
{
    gboolean waits = oriel_state_waits_for_disk(page->item);

    if (waits) {
        gtk_label_set_text(page->disk_label, oriel_machine_item_get_message(page->item));
    }
    gtk_revealer_set_reveal_child(page->disk_strip, waits);
    oriel_machine_page_restart_follow(page);
}

static const char *subtitle(OrielMachineItem *item)
{
    return oriel_machine_item_is_trial(item) &&
                   oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_RUNNING
               ? _("Being tried: closing asks whether to import it")
               : oriel_state_label(item);
}

/* Buttons of the header bar that only a machine with a screen needs. */
static void header_follow(OrielMachinePage *page, gboolean screen)
{
    const char *name = oriel_machine_item_get_name(page->item);

    adw_window_title_set_title(page->title, name);
    adw_window_title_set_subtitle(page->title, subtitle(page->item));
    gtk_widget_set_visible(page->pause_button, screen);
    gtk_widget_set_visible(page->keys_button, screen);
    gtk_widget_set_visible(page->screenshot_button, screen);
    gtk_widget_set_visible(page->fullscreen_button, screen);
    gtk_widget_set_visible(page->back_button, !page->standalone);
}

/* What the engine says is text; a status page takes markup. */
static void description_set(AdwStatusPage *status, const char *text)
{
    g_autofree char *markup = text ? g_markup_escape_text(text, -1) : NULL;

    adw_status_page_set_description(status, markup);
}

/* Shows the item as it is now. */
static void follow(OrielMachinePage *page)
{
    OrielMachineState state = oriel_machine_item_get_state(page->item);
    const char *name = oriel_machine_item_get_name(page->item);
    const char *message = oriel_machine_item_get_message(page->item);
    const char *body = body_name(page, state);
    gboolean screen = g_str_equal(body, "display");
    gboolean came = screen && !g_str_equal(gtk_stack_get_visible_child_name(page->stack), body);
    g_autofree char *busy = g_strdup_printf(
        state == ORIEL_MACHINE_STATE_SAVING ? _("Saving “%s”") : _("Starting “%s”"), name);

    adw_status_page_set_title(page->busy, busy);
    oriel_operation_box_set_known_title(page->work, busy);
    description_set(page->crashed, message);
    description_set(
        page->lost,
        message && *message
            ? message
            : _("Its process runs and does not answer. It may come back; otherwise, force it to "
                "stop."));
    g_object_set(page->display, "machine-name", name, NULL);
    header_follow(page, screen);
    strips_follow(page);
    gtk_stack_set_visible_child_name(page->stack, body);
    oriel_machine_page_screen_follow(page);
    oriel_machine_page_scaling_follow(page);
    oriel_machine_page_actions_follow(page);
    oriel_machine_page_displays_follow(page);
    if (state == ORIEL_MACHINE_STATE_PAUSED) {
        oriel_display_release(page->display);
    }
    if (came) {
        gtk_widget_grab_focus(GTK_WIDGET(page->display));
    }
}

void oriel_machine_page_set_item(OrielMachinePage *page, OrielMachineItem *item)
{
    if (page->item == item) {
        return;
    }
    if (page->item) {
        g_signal_handlers_disconnect_by_data(page->item, page);
        oriel_machine_item_unwatch(page->item);
        gtk_widget_insert_action_group(GTK_WIDGET(page), "machine", NULL);
    }
    g_set_object(&page->item, item);
    oriel_machine_page_screen_follow(page);
    oriel_machine_details_set_item(page->details, item);
    oriel_operation_box_set_item(page->work, item);
    if (item) {
        oriel_machine_item_watch(item);
        oriel_machine_actions_insert(GTK_WIDGET(page), item);
        for (guint i = 0; i < G_N_ELEMENTS(followed); i++) {
            g_signal_connect_swapped(item, followed[i], G_CALLBACK(follow), page);
        }
        follow(page);
    }
    g_object_notify_by_pspec(G_OBJECT(page), properties[PROP_ITEM]);
}

OrielMachineItem *oriel_machine_page_get_item(OrielMachinePage *page)
{
    return page->item;
}

void oriel_machine_page_set_fullscreen(OrielMachinePage *page, gboolean fullscreen)
{
    const char *label = fullscreen ? _("Leave Fullscreen") : _("Fullscreen");

    if (page->fullscreen != fullscreen) {
        page->fullscreen = fullscreen;
        oriel_fullscreen_box_set_fullscreen(page->box, fullscreen);
        gtk_button_set_icon_name(GTK_BUTTON(page->fullscreen_button),
                                 fullscreen ? "view-restore-symbolic" : "view-fullscreen-symbolic");
        gtk_widget_set_tooltip_text(page->fullscreen_button, label);
        gtk_accessible_update_property(GTK_ACCESSIBLE(page->fullscreen_button),
                                       GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
        g_object_notify_by_pspec(G_OBJECT(page), properties[PROP_FULLSCREEN]);
    }
}

gboolean oriel_machine_page_captures_keys(OrielMachinePage *page)
{
    return page->captures_keys;
}

void oriel_machine_page_open_menu(OrielMachinePage *page)
{
    oriel_fullscreen_box_reveal(page->box);
    gtk_menu_button_popup(page->menu_button);
}

static void keyboard_follow(OrielMachinePage *page)
{
    gboolean captures = gtk_widget_has_focus(GTK_WIDGET(page->display)) &&
                        gtk_widget_get_mapped(GTK_WIDGET(page->display));

    if (page->captures_keys != captures) {
        page->captures_keys = captures;
        g_object_notify_by_pspec(G_OBJECT(page), properties[PROP_CAPTURES_KEYS]);
    }
}

static gboolean check_engine(gpointer data)
{
    OrielMachinePage *page = data;

    if (page->item) {
        oriel_machine_item_check(page->item);
    }
    return G_SOURCE_CONTINUE;
}

/* An engine that hangs shows its last picture, so it is asked as long as somebody sees that. */
static void check_follow(OrielMachinePage *page)
{
    gboolean seen = gtk_widget_get_mapped(GTK_WIDGET(page->display));

    if (!seen) {
        g_clear_handle_id(&page->check_timer, g_source_remove);
    } else if (page->check_timer == 0) {
        page->check_timer = g_timeout_add_seconds(CHECK_SECONDS, check_engine, page);
    }
}

void oriel_machine_page_set_up(OrielMachinePage *page, OrielPreferences *preferences,
                               gboolean standalone)
{
    page->preferences = g_object_ref(preferences);
    page->standalone = standalone;
    oriel_preferences_bind(preferences, "grab-policy", page->display, "grab-policy",
                           G_SETTINGS_BIND_GET);
    oriel_preferences_bind(preferences, "release-chord", page->display, "release-chord",
                           G_SETTINGS_BIND_GET);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(object);

    switch (id) {
    case PROP_ITEM:
        g_value_set_object(value, page->item);
        break;
    case PROP_FULLSCREEN:
        g_value_set_boolean(value, page->fullscreen);
        break;
    case PROP_CAPTURES_KEYS:
        g_value_set_boolean(value, page->captures_keys);
        break;
    case PROP_STANDALONE:
        g_value_set_boolean(value, page->standalone);
        break;
    case PROP_SCALING:
        g_value_set_enum(value, oriel_display_get_scaling(page->display));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(object);

    switch (id) {
    case PROP_ITEM:
        oriel_machine_page_set_item(page, g_value_get_object(value));
        break;
    case PROP_FULLSCREEN:
        oriel_machine_page_set_fullscreen(page, g_value_get_boolean(value));
        break;
    case PROP_SCALING:
        oriel_machine_page_set_scaling(page, (OrielScaling)g_value_get_enum(value));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void scaling_changed(OrielMachinePage *page)
{
    g_object_notify_by_pspec(G_OBJECT(page), properties[PROP_SCALING]);
}

static void oriel_machine_page_dispose(GObject *object)
{
    OrielMachinePage *page = ORIEL_MACHINE_PAGE(object);

    if (page->stack) {
        oriel_machine_page_set_item(page, NULL);
    }
    g_clear_handle_id(&page->check_timer, g_source_remove);
    g_clear_object(&page->preferences);
    gtk_widget_dispose_template(GTK_WIDGET(page), ORIEL_TYPE_MACHINE_PAGE);
    G_OBJECT_CLASS(oriel_machine_page_parent_class)->dispose(object);
}

static void bind_template(GtkWidgetClass *class)
{
    gtk_widget_class_set_template_from_resource(
        class, "/io/github/oriel_vm/Oriel/machine/oriel-machine-page.ui");
    gtk_widget_class_bind_template_child(class, OrielMachinePage, box);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, title);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, back_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, pause_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, keys_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, screenshot_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, fullscreen_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, menu_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, disk_strip);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, disk_label);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, waiting_strip);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, waiting_label);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, restart_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, power_off_button);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, stack);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, details);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, busy);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, spinner);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, work);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, crashed);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, lost);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, display);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, monitors_section);
    gtk_widget_class_bind_template_child(class, OrielMachinePage, displays_section);
}

static void install_properties(GObjectClass *class)
{
    GParamFlags both = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
    GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    properties[PROP_ITEM] = g_param_spec_object("item", NULL, NULL, ORIEL_TYPE_MACHINE_ITEM, both);
    properties[PROP_FULLSCREEN] = g_param_spec_boolean("fullscreen", NULL, NULL, FALSE, both);
    properties[PROP_CAPTURES_KEYS] =
        g_param_spec_boolean("captures-keys", NULL, NULL, FALSE, readable);
    properties[PROP_STANDALONE] = g_param_spec_boolean("standalone", NULL, NULL, FALSE, readable);
    properties[PROP_SCALING] =
        g_param_spec_enum("scaling", NULL, NULL, ORIEL_TYPE_SCALING, ORIEL_SCALING_FIT, both);
    g_object_class_install_properties(class, N_PROPS, properties);
}

static void oriel_machine_page_class_init(OrielMachinePageClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->dispose = oriel_machine_page_dispose;
    object_class->get_property = get_property;
    object_class->set_property = set_property;
    install_properties(object_class);
    g_type_ensure(ORIEL_TYPE_DISPLAY);
    g_type_ensure(ORIEL_TYPE_FULLSCREEN_BOX);
    g_type_ensure(ORIEL_TYPE_GRAB_STRIP);
    g_type_ensure(ORIEL_TYPE_MACHINE_DETAILS);
    g_type_ensure(ORIEL_TYPE_OPERATION_BOX);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    bind_template(widget_class);
    oriel_machine_page_install_actions(widget_class);
    oriel_machine_page_install_restart(widget_class);
}

/* After a menu the keys go to the machine again. */
static void menu_closed(OrielMachinePage *page)
{
    if (g_str_equal(gtk_stack_get_visible_child_name(page->stack), "display")) {
        gtk_widget_grab_focus(GTK_WIDGET(page->display));
    }
}

static void oriel_machine_page_init(OrielMachinePage *page)
{
    gtk_widget_init_template(GTK_WIDGET(page));
    oriel_keys_menu_set(GTK_MENU_BUTTON(page->keys_button));
    g_signal_connect_swapped(gtk_menu_button_get_popover(page->menu_button), "closed",
                             G_CALLBACK(menu_closed), page);
    g_signal_connect_swapped(gtk_menu_button_get_popover(GTK_MENU_BUTTON(page->keys_button)),
                             "closed", G_CALLBACK(menu_closed), page);
    g_signal_connect_swapped(page->display, "notify::has-focus", G_CALLBACK(keyboard_follow), page);
    g_signal_connect_swapped(page->display, "map", G_CALLBACK(keyboard_follow), page);
    g_signal_connect_swapped(page->display, "unmap", G_CALLBACK(keyboard_follow), page);
    g_signal_connect_swapped(page->display, "map", G_CALLBACK(check_follow), page);
    g_signal_connect_swapped(page->display, "unmap", G_CALLBACK(check_follow), page);
    g_signal_connect_swapped(page->display, "notify::scaling", G_CALLBACK(scaling_changed), page);
    g_signal_connect_swapped(page->display, "notice", G_CALLBACK(oriel_message_toast),
                             page->display);
    g_object_bind_property(page->work, "visible", page->spinner, "visible",
                           G_BINDING_SYNC_CREATE | G_BINDING_INVERT_BOOLEAN);
    oriel_machine_page_watch_monitors(page);
}
