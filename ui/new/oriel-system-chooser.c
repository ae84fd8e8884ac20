/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-system-chooser.h. */
#include "new/oriel-system-chooser.h"

#include <adwaita.h>

#include "oriel-system.h"

struct _OrielSystemChooser {
    GtkWidget parent_instance;
    GtkWidget *box;
    GtkStack *stack;
    GtkSpinner *spinner;
    GtkSearchEntry *search;
    GtkListView *view;
    GtkStringList *ids;
    GtkFilterListModel *found;
    GtkFilter *filter;
    gboolean filled;
};

G_DEFINE_FINAL_TYPE(OrielSystemChooser, oriel_system_chooser, GTK_TYPE_WIDGET)

enum {
    CHOSEN,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static const OrielSystem *system_of(gpointer string_object)
{
    return oriel_system_find(gtk_string_object_get_string(string_object));
}

static gboolean matches(gpointer item, gpointer data)
{
    OrielSystemChooser *self = data;
    g_autofree char *words = g_utf8_casefold(gtk_editable_get_text(GTK_EDITABLE(self->search)), -1);
    g_autofree char *name = g_utf8_casefold(system_of(item)->name, -1);
    g_auto(GStrv) each = g_strsplit(words, " ", -1);

    for (char **word = each; *word; word++) {
        if (!g_strrstr(name, *word)) {
            return FALSE;
        }
    }
    return TRUE;
}

static void stack_update(OrielSystemChooser *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->found));

    gtk_stack_set_visible_child_name(self->stack, !self->filled ? "loading"
                                                  : n           ? "list"
                                                                : "nothing");
    gtk_spinner_set_spinning(self->spinner, !self->filled);
}

static void on_search_changed(OrielSystemChooser *self)
{
    gtk_filter_changed(self->filter, GTK_FILTER_CHANGE_DIFFERENT);
    stack_update(self);
}

static void choose(OrielSystemChooser *self, guint position)
{
    g_autoptr(GObject) item = g_list_model_get_item(G_LIST_MODEL(self->found), position);

    if (item) {
        g_signal_emit(self, signals[CHOSEN], 0,
                      gtk_string_object_get_string(GTK_STRING_OBJECT(item)));
    }
}

static void on_activate(OrielSystemChooser *self, guint position)
{
    choose(self, position);
}

static void on_search_activate(OrielSystemChooser *self)
{
    on_search_changed(self); /* which comes late, and Enter may be faster */
    choose(self, 0);
}

static void row_setup(GtkSignalListItemFactory *factory, GtkListItem *row)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *label = gtk_label_new(NULL);

    gtk_widget_set_margin_top(box, 6);
    gtk_widget_set_margin_bottom(box, 6);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_box_append(GTK_BOX(box), gtk_image_new());
    gtk_box_append(GTK_BOX(box), label);
    gtk_list_item_set_child(row, box);
}

static void row_bind(GtkSignalListItemFactory *factory, GtkListItem *row)
{
    const OrielSystem *system = system_of(gtk_list_item_get_item(row));
    GtkWidget *image = gtk_widget_get_first_child(gtk_list_item_get_child(row));

    gtk_image_set_from_icon_name(GTK_IMAGE(image), system->icon);
    gtk_label_set_label(GTK_LABEL(gtk_widget_get_next_sibling(image)), system->name);
}

static void list_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autoptr(GPtrArray) systems = oriel_system_list();
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();

    for (guint i = 0; i < systems->len; i++) {
        g_strv_builder_add(ids, ((const OrielSystem *)g_ptr_array_index(systems, i))->id);
    }
    g_task_return_pointer(task, g_strv_builder_end(ids), (GDestroyNotify)g_strfreev);
}

static void listed(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielSystemChooser *self = ORIEL_SYSTEM_CHOOSER(source);
    g_auto(GStrv) ids = g_task_propagate_pointer(G_TASK(result), NULL);

    gtk_string_list_splice(self->ids, 0, g_list_model_get_n_items(G_LIST_MODEL(self->ids)),
                           (const char *const *)ids);
    self->filled = TRUE;
    stack_update(self);
}

void oriel_system_chooser_open(OrielSystemChooser *chooser)
{
    gtk_editable_set_text(GTK_EDITABLE(chooser->search), "");
    gtk_widget_grab_focus(GTK_WIDGET(chooser->search));
    if (!chooser->filled) {
        g_autoptr(GTask) task = g_task_new(chooser, NULL, listed, NULL);

        stack_update(chooser);
        g_task_run_in_thread(task, list_in_thread);
    }
}

static void oriel_system_chooser_dispose(GObject *object)
{
    OrielSystemChooser *self = ORIEL_SYSTEM_CHOOSER(object);

    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->found);
    G_OBJECT_CLASS(oriel_system_chooser_parent_class)->dispose(object);
}

static void oriel_system_chooser_class_init(OrielSystemChooserClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_system_chooser_dispose;
    signals[CHOSEN] = g_signal_new("chosen", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    g_type_ensure(ADW_TYPE_CLAMP_SCROLLABLE);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/new/oriel-system-chooser.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielSystemChooser, box);
    gtk_widget_class_bind_template_child(widget_class, OrielSystemChooser, stack);
    gtk_widget_class_bind_template_child(widget_class, OrielSystemChooser, spinner);
    gtk_widget_class_bind_template_child(widget_class, OrielSystemChooser, search);
    gtk_widget_class_bind_template_child(widget_class, OrielSystemChooser, view);
    gtk_widget_class_bind_template_callback(widget_class, on_search_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_search_activate);
    gtk_widget_class_bind_template_callback(widget_class, on_activate);
}

static void oriel_system_chooser_init(OrielSystemChooser *self)
{
    g_autoptr(GtkListItemFactory) factory = gtk_signal_list_item_factory_new();
    GtkSelectionModel *selection;

    gtk_widget_init_template(GTK_WIDGET(self));
    self->ids = gtk_string_list_new(NULL);
    self->filter = GTK_FILTER(gtk_custom_filter_new(matches, self, NULL));
    self->found = gtk_filter_list_model_new(G_LIST_MODEL(self->ids), self->filter);
    selection = GTK_SELECTION_MODEL(gtk_no_selection_new(G_LIST_MODEL(g_object_ref(self->found))));
    g_signal_connect(factory, "setup", G_CALLBACK(row_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(row_bind), NULL);
    gtk_list_view_set_factory(self->view, factory);
    gtk_list_view_set_model(self->view, selection);
    g_object_unref(selection);
}

GtkWidget *oriel_system_chooser_new(void)
{
    return g_object_new(ORIEL_TYPE_SYSTEM_CHOOSER, NULL);
}
