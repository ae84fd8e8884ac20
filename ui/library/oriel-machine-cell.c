/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-machine-cell.h. A library has many cells, so what few of them ever show is made when it
 * is first wanted: the badge of the state, the check mark, progress of work, the menu.
 */
#include "library/oriel-machine-cell.h"

#include <glib/gi18n.h>

#include "machine/oriel-thumbnail.h"
#include "machine/oriel-machine-actions.h"
#include "base/oriel-state.h"

struct _OrielMachineCell {
    GtkWidget parent_instance;
    GtkWidget *box, *texts;
    GtkOverlay *overlay;
    OrielThumbnail *thumbnail;
    GtkInscription *name, *state; /* their size does not depend on the text */
    /* NULL until they are wanted. */
    GtkImage *badge;
    GtkCheckButton *check;
    GtkWidget *work, *popover;
    GtkProgressBar *progress; /* in work */

    OrielMachineItem *item;
    OrielMachineItem *watched; /* the item, while the cell is seen */
    OrielOperation *operation; /* the item's, while its progress is shown */
    gboolean compact, selecting, selected, seen;
};

G_DEFINE_FINAL_TYPE(OrielMachineCell, oriel_machine_cell, GTK_TYPE_WIDGET)

enum {
    PROP_ITEM = 1,
    PROP_COMPACT,
    PROP_SELECTING,
    PROP_SELECTED,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];
static guint signal_toggled;

static void cancel_clicked(OrielMachineCell *cell)
{
    if (cell->operation) {
        oriel_operation_cancel(cell->operation);
    }
}

static void work_make(OrielMachineCell *cell)
{
    GtkWidget *cancel = gtk_button_new_from_icon_name("process-stop-symbolic");

    cell->work = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    cell->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
    gtk_widget_set_hexpand(GTK_WIDGET(cell->progress), TRUE);
    gtk_widget_set_valign(GTK_WIDGET(cell->progress), GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(cell->progress), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Progress"), -1);
    gtk_widget_set_tooltip_text(cancel, _("Cancel"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(cancel), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Cancel"), -1);
    gtk_widget_add_css_class(cancel, "flat");
    gtk_widget_add_css_class(cancel, "circular");
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(cancel_clicked), cell);
    gtk_box_append(GTK_BOX(cell->work), GTK_WIDGET(cell->progress));
    gtk_box_append(GTK_BOX(cell->work), cancel);
    gtk_box_append(GTK_BOX(cell->texts), cell->work);
}

static void progress_follow(OrielMachineCell *cell)
{
    double fraction = oriel_operation_get_fraction(cell->operation);

    if (fraction >= 0) {
        gtk_progress_bar_set_fraction(cell->progress, fraction);
    } else {
        gtk_progress_bar_pulse(cell->progress);
    }
}

static void operation_set(OrielMachineCell *cell, OrielOperation *operation)
{
    if (cell->operation != operation) {
        if (cell->operation) {
            g_signal_handlers_disconnect_by_data(cell->operation, cell);
        }
        g_set_object(&cell->operation, operation);
        if (operation) {
            g_signal_connect_swapped(operation, "notify::fraction", G_CALLBACK(progress_follow),
                                     cell);
        }
    }
    if (operation && !cell->work) {
        work_make(cell);
    }
    if (cell->work) {
        gtk_widget_set_visible(cell->work, operation != NULL);
    }
    if (operation) {
        progress_follow(cell);
    }
}

static void badge_show(OrielMachineCell *cell, const char *icon)
{
    if (icon && !cell->badge) {
        cell->badge =
            g_object_new(GTK_TYPE_IMAGE, "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
        gtk_widget_set_halign(GTK_WIDGET(cell->badge), GTK_ALIGN_END);
        gtk_widget_set_valign(GTK_WIDGET(cell->badge), GTK_ALIGN_END);
        gtk_widget_add_css_class(GTK_WIDGET(cell->badge), "badge");
        gtk_overlay_add_overlay(cell->overlay, GTK_WIDGET(cell->badge));
    }
    if (cell->badge) {
        gtk_widget_set_visible(GTK_WIDGET(cell->badge), icon != NULL);
        gtk_image_set_from_icon_name(cell->badge, icon);
    }
}

static void check_toggled(OrielMachineCell *cell)
{
    oriel_machine_cell_set_selected(cell, gtk_check_button_get_active(cell->check));
}

/* The check mark, if there is one or has to be, as the cell is now. */
static void check_follow(OrielMachineCell *cell)
{
    if (cell->selecting && !cell->check) {
        cell->check = GTK_CHECK_BUTTON(gtk_check_button_new());
        gtk_widget_set_halign(GTK_WIDGET(cell->check), GTK_ALIGN_START);
        gtk_widget_set_valign(GTK_WIDGET(cell->check), GTK_ALIGN_START);
        gtk_widget_add_css_class(GTK_WIDGET(cell->check), "selection-mode");
        g_signal_connect_swapped(cell->check, "toggled", G_CALLBACK(check_toggled), cell);
        gtk_overlay_add_overlay(cell->overlay, GTK_WIDGET(cell->check));
    }
    if (cell->check) {
        g_autofree char *label =
            cell->item ? g_strdup_printf(_("Select “%s”"), oriel_machine_item_get_name(cell->item))
                       : g_strdup("");

        gtk_accessible_update_property(GTK_ACCESSIBLE(cell->check), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       label, -1);
        gtk_widget_set_visible(GTK_WIDGET(cell->check), cell->selecting);
        gtk_check_button_set_active(cell->check, cell->selected);
    }
}

/* The line under the name: work under way, the state, or, where there is room, the sentence about
 * it. */
static const char *state_text(OrielMachineCell *cell, OrielMachineItem *item,
                              OrielOperation *operation)
{
    const char *message = oriel_machine_item_get_message(item);
    OrielMachineState state = oriel_machine_item_get_state(item);

    if (operation) {
        return oriel_operation_get_title(operation);
    }
    if (cell->compact && message && *message &&
        (state == ORIEL_MACHINE_STATE_UNAVAILABLE || state == ORIEL_MACHINE_STATE_DAMAGED)) {
        return message;
    }
    return oriel_state_label(item);
}

/* The row or cell of the view takes the focus; it is called after the machine. */
static void describe_parent(OrielMachineCell *cell, const char *name, const char *text)
{
    GtkWidget *parent = gtk_widget_get_parent(GTK_WIDGET(cell));

    if (parent) {
        /* Translators: a machine's name and its state, as a screen reader says them. */
        g_autofree char *label = g_strdup_printf(_("%s, %s"), name, text);

        gtk_accessible_update_property(GTK_ACCESSIBLE(parent), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                       -1);
    }
}

/* Setting a tooltip, also to none, asks the display where the pointer is, and waits for the answer.
 */
static void tooltip_show(OrielMachineCell *cell, const char *text)
{
    GtkWidget *state = GTK_WIDGET(cell->state);

    if (g_strcmp0(gtk_widget_get_tooltip_text(state), text) != 0) {
        gtk_widget_set_tooltip_text(state, text);
    }
}

/* Shows the item as it is now. */
static void follow(OrielMachineCell *cell)
{
    OrielOperation *operation = oriel_machine_item_get_operation(cell->item);
    const char *name = oriel_machine_item_get_name(cell->item);
    const char *message = oriel_machine_item_get_message(cell->item);
    const char *text;

    if (operation && !oriel_operation_is_active(operation)) {
        operation = NULL;
    }
    text = state_text(cell, cell->item, operation);
    gtk_inscription_set_text(cell->name, name);
    gtk_inscription_set_text(cell->state, text);
    tooltip_show(cell, message && *message ? message : NULL);
    badge_show(cell, oriel_state_icon(cell->item));
    check_follow(cell);
    operation_set(cell, operation);
    describe_parent(cell, name, text);
}

static void watch_follow(OrielMachineCell *cell)
{
    OrielMachineItem *wanted = cell->seen ? cell->item : NULL;

    if (cell->watched != wanted) {
        if (wanted) {
            oriel_machine_item_watch(wanted);
        }
        if (cell->watched) {
            oriel_machine_item_unwatch(cell->watched);
        }
        g_set_object(&cell->watched, wanted);
    }
}

void oriel_machine_cell_set_item(OrielMachineCell *cell, OrielMachineItem *item)
{
    static const char *const followed[] = { "notify::name", "notify::state", "notify::message",
                                            "notify::operation" };

    if (cell->item == item) {
        return;
    }
    if (cell->item) {
        g_signal_handlers_disconnect_by_data(cell->item, cell);
        operation_set(cell, NULL);
        if (cell->popover) {
            gtk_widget_insert_action_group(GTK_WIDGET(cell), "machine", NULL);
        }
    }
    g_set_object(&cell->item, item);
    watch_follow(cell);
    oriel_thumbnail_set_item(cell->thumbnail, item);
    if (item) {
        for (guint i = 0; i < G_N_ELEMENTS(followed); i++) {
            g_signal_connect_swapped(item, followed[i], G_CALLBACK(follow), cell);
        }
        follow(cell);
    }
    g_object_notify_by_pspec(G_OBJECT(cell), properties[PROP_ITEM]);
}

OrielMachineItem *oriel_machine_cell_get_item(OrielMachineCell *cell)
{
    return cell->item;
}

gboolean oriel_machine_cell_set_seen(OrielMachineCell *cell, gboolean seen)
{
    if (cell->seen == seen) {
        return FALSE;
    }
    cell->seen = seen;
    watch_follow(cell);
    oriel_thumbnail_set_seen(cell->thumbnail, seen);
    return TRUE;
}

void oriel_machine_cell_set_selecting(OrielMachineCell *cell, gboolean selecting)
{
    if (cell->selecting != selecting) {
        cell->selecting = selecting;
        check_follow(cell);
        g_object_notify_by_pspec(G_OBJECT(cell), properties[PROP_SELECTING]);
    }
}

void oriel_machine_cell_set_selected(OrielMachineCell *cell, gboolean selected)
{
    if (cell->selected == selected) {
        return;
    }
    cell->selected = selected;
    if (selected) {
        gtk_widget_add_css_class(GTK_WIDGET(cell), "selected");
    } else {
        gtk_widget_remove_css_class(GTK_WIDGET(cell), "selected");
    }
    check_follow(cell);
    g_object_notify_by_pspec(G_OBJECT(cell), properties[PROP_SELECTED]);
    g_signal_emit(cell, signal_toggled, 0);
}

gboolean oriel_machine_cell_get_selected(OrielMachineCell *cell)
{
    return cell->selected;
}

static void menu_popup(OrielMachineCell *cell, const GdkRectangle *at)
{
    if (!cell->item || cell->selecting) {
        return;
    }
    oriel_machine_actions_insert(GTK_WIDGET(cell), cell->item);
    if (!cell->popover) {
        g_autoptr(GtkBuilder) builder = gtk_builder_new_from_resource(
            "/io/github/oriel_vm/Oriel/library/oriel-machine-menu.ui");

        cell->popover =
            gtk_popover_menu_new_from_model(G_MENU_MODEL(gtk_builder_get_object(builder, "menu")));
        gtk_popover_set_has_arrow(GTK_POPOVER(cell->popover), FALSE);
        gtk_widget_set_halign(cell->popover, GTK_ALIGN_START);
        gtk_widget_set_parent(cell->popover, GTK_WIDGET(cell));
    }
    gtk_popover_set_pointing_to(GTK_POPOVER(cell->popover), at);
    gtk_popover_popup(GTK_POPOVER(cell->popover));
}

void oriel_machine_cell_open_menu(OrielMachineCell *cell)
{
    menu_popup(cell, &(GdkRectangle){ 0, gtk_widget_get_height(GTK_WIDGET(cell)) / 2, 1, 1 });
}

void oriel_machine_cell_activate(OrielMachineCell *cell, const char *action)
{
    g_autoptr(GtkWidget) widget = g_object_ref(GTK_WIDGET(cell)); /* it may go with its machine */

    if (!cell->item) {
        return;
    }
    oriel_machine_actions_insert(widget, cell->item);
    gtk_widget_activate_action(widget, action, NULL);
    if (!cell->popover) { /* otherwise they go with the item */
        gtk_widget_insert_action_group(widget, "machine", NULL);
    }
}

static void menu_pressed(OrielMachineCell *cell, int n_press, double x, double y)
{
    menu_popup(cell, &(GdkRectangle){ (int)x, (int)y, 1, 1 });
}

static void long_pressed(OrielMachineCell *cell, double x, double y)
{
    menu_popup(cell, &(GdkRectangle){ (int)x, (int)y, 1, 1 });
}

static void compact_apply(OrielMachineCell *cell)
{
    float xalign = cell->compact ? 0 : 0.5F;

    gtk_orientable_set_orientation(GTK_ORIENTABLE(cell->box), cell->compact
                                                                  ? GTK_ORIENTATION_HORIZONTAL
                                                                  : GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(cell->box), cell->compact ? 12 : 6);
    gtk_widget_set_size_request(GTK_WIDGET(cell->thumbnail), cell->compact ? 80 : 192,
                                cell->compact ? 50 : 120);
    gtk_inscription_set_xalign(cell->name, xalign);
    gtk_inscription_set_xalign(cell->state, xalign);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(object);

    switch (id) {
    case PROP_ITEM:
        g_value_set_object(value, cell->item);
        break;
    case PROP_COMPACT:
        g_value_set_boolean(value, cell->compact);
        break;
    case PROP_SELECTING:
        g_value_set_boolean(value, cell->selecting);
        break;
    case PROP_SELECTED:
        g_value_set_boolean(value, oriel_machine_cell_get_selected(cell));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(object);

    switch (id) {
    case PROP_ITEM:
        oriel_machine_cell_set_item(cell, g_value_get_object(value));
        break;
    case PROP_COMPACT:
        cell->compact = g_value_get_boolean(value);
        compact_apply(cell);
        break;
    case PROP_SELECTING:
        oriel_machine_cell_set_selecting(cell, g_value_get_boolean(value));
        break;
    case PROP_SELECTED:
        oriel_machine_cell_set_selected(cell, g_value_get_boolean(value));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void oriel_machine_cell_dispose(GObject *object)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(object);

    if (cell->box) {
        oriel_machine_cell_set_item(cell, NULL);
    }
    g_clear_pointer(&cell->popover, gtk_widget_unparent);
    gtk_widget_dispose_template(GTK_WIDGET(cell), ORIEL_TYPE_MACHINE_CELL);
    G_OBJECT_CLASS(oriel_machine_cell_parent_class)->dispose(object);
}

static void oriel_machine_cell_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
    OrielMachineCell *cell = ORIEL_MACHINE_CELL(widget);

    gtk_widget_size_allocate(cell->box, &(GtkAllocation){ 0, 0, width, height }, baseline);
    if (cell->popover) {
        gtk_popover_present(GTK_POPOVER(cell->popover));
    }
}

static void oriel_machine_cell_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                       int *minimum, int *natural, int *minimum_baseline,
                                       int *natural_baseline)
{
    gtk_widget_measure(ORIEL_MACHINE_CELL(widget)->box, orientation, for_size, minimum, natural,
                       minimum_baseline, natural_baseline);
}

static void install_properties(GObjectClass *class)
{
    GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

    properties[PROP_ITEM] = g_param_spec_object("item", NULL, NULL, ORIEL_TYPE_MACHINE_ITEM, flags);
    properties[PROP_COMPACT] =
        g_param_spec_boolean("compact", NULL, NULL, FALSE, flags | G_PARAM_CONSTRUCT_ONLY);
    properties[PROP_SELECTING] = g_param_spec_boolean("selecting", NULL, NULL, FALSE, flags);
    properties[PROP_SELECTED] = g_param_spec_boolean("selected", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(class, N_PROPS, properties);
}

static void oriel_machine_cell_class_init(OrielMachineCellClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    object_class->dispose = oriel_machine_cell_dispose;
    object_class->get_property = get_property;
    object_class->set_property = set_property;
    widget_class->size_allocate = oriel_machine_cell_size_allocate;
    widget_class->measure = oriel_machine_cell_measure;
    install_properties(object_class);
    signal_toggled = g_signal_new("toggled", ORIEL_TYPE_MACHINE_CELL, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);

    g_type_ensure(ORIEL_TYPE_THUMBNAIL);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/library/oriel-machine-cell.ui");
    gtk_widget_class_set_css_name(widget_class, "machinecell");
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, box);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, overlay);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, texts);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, thumbnail);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, name);
    gtk_widget_class_bind_template_child(widget_class, OrielMachineCell, state);
    gtk_widget_class_bind_template_callback(widget_class, menu_pressed);
    gtk_widget_class_bind_template_callback(widget_class, long_pressed);
}

static void oriel_machine_cell_init(OrielMachineCell *cell)
{
    gtk_widget_init_template(GTK_WIDGET(cell));
    oriel_thumbnail_set_seen(cell->thumbnail, FALSE);
}

GtkWidget *oriel_machine_cell_new(gboolean compact)
{
    return g_object_new(ORIEL_TYPE_MACHINE_CELL, "compact", compact, NULL);
}
