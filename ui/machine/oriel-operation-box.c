/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-operation-box.h. */
#include "machine/oriel-operation-box.h"

#include <glib/gi18n.h>

struct _OrielOperationBox {
    GtkWidget parent_instance;
    GtkWidget *box, *cancel;
    GtkLabel *title, *detail;
    GtkProgressBar *progress;

    OrielMachineItem *item;
    OrielOperation *operation; /* the item's */
    char *known_title;
};

G_DEFINE_FINAL_TYPE(OrielOperationBox, oriel_operation_box, GTK_TYPE_WIDGET)

static void progress_follow(OrielOperationBox *self)
{
    double fraction = oriel_operation_get_fraction(self->operation);
    const char *detail = oriel_operation_get_detail(self->operation);

    if (fraction >= 0) {
        gtk_progress_bar_set_fraction(self->progress, fraction);
    } else {
        gtk_progress_bar_pulse(self->progress);
    }
    gtk_label_set_text(self->detail, detail);
    gtk_widget_set_visible(GTK_WIDGET(self->detail), *detail != '\0');
}

static void title_follow(OrielOperationBox *self)
{
    const char *title = self->operation ? oriel_operation_get_title(self->operation) : "";

    gtk_label_set_text(self->title, title);
    gtk_widget_set_visible(GTK_WIDGET(self->title), g_strcmp0(title, self->known_title) != 0);
}

static void follow(OrielOperationBox *self)
{
    OrielOperation *operation = self->item ? oriel_machine_item_get_operation(self->item) : NULL;

    if (operation && !oriel_operation_is_active(operation)) {
        operation = NULL;
    }
    if (self->operation != operation) {
        if (self->operation) {
            g_signal_handlers_disconnect_by_data(self->operation, self);
        }
        g_set_object(&self->operation, operation);
        gtk_widget_set_sensitive(self->cancel, TRUE);
        if (operation) {
            g_signal_connect_swapped(operation, "notify::fraction", G_CALLBACK(progress_follow),
                                     self);
            progress_follow(self);
        }
    }
    title_follow(self);
    gtk_widget_set_visible(GTK_WIDGET(self), operation != NULL);
}

/* What is under way may take a moment to notice. */
static void cancel_clicked(OrielOperationBox *self)
{
    if (self->operation) {
        gtk_widget_set_sensitive(self->cancel, FALSE);
        oriel_operation_cancel(self->operation);
    }
}

void oriel_operation_box_set_item(OrielOperationBox *self, OrielMachineItem *item)
{
    if (self->item) {
        g_signal_handlers_disconnect_by_data(self->item, self);
    }
    g_set_object(&self->item, item);
    if (item) {
        g_signal_connect_swapped(item, "notify::operation", G_CALLBACK(follow), self);
    }
    follow(self);
}

void oriel_operation_box_set_known_title(OrielOperationBox *self, const char *title)
{
    g_free(self->known_title);
    self->known_title = g_strdup(title);
    title_follow(self);
}

static void oriel_operation_box_dispose(GObject *object)
{
    OrielOperationBox *self = ORIEL_OPERATION_BOX(object);

    if (self->box) {
        oriel_operation_box_set_item(self, NULL);
    }
    gtk_widget_dispose_template(GTK_WIDGET(self), ORIEL_TYPE_OPERATION_BOX);
    G_OBJECT_CLASS(oriel_operation_box_parent_class)->dispose(object);
}

static void oriel_operation_box_finalize(GObject *object)
{
    g_free(ORIEL_OPERATION_BOX(object)->known_title);
    G_OBJECT_CLASS(oriel_operation_box_parent_class)->finalize(object);
}

static void oriel_operation_box_class_init(OrielOperationBoxClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_operation_box_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_operation_box_finalize;
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-operation-box.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielOperationBox, box);
    gtk_widget_class_bind_template_child(widget_class, OrielOperationBox, cancel);
    gtk_widget_class_bind_template_child(widget_class, OrielOperationBox, title);
    gtk_widget_class_bind_template_child(widget_class, OrielOperationBox, detail);
    gtk_widget_class_bind_template_child(widget_class, OrielOperationBox, progress);
    gtk_widget_class_bind_template_callback(widget_class, cancel_clicked);
}

static void oriel_operation_box_init(OrielOperationBox *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
