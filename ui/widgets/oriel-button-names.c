/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-button-names.h. */
#include "widgets/oriel-button-names.h"

#include <glib/gi18n.h>

static const struct {
    const char *icon, *name;
} names[] = {
    { "edit-find-symbolic", N_("Search") },
    { "emblem-ok-symbolic", N_("Apply") },
    { "view-reveal-symbolic", N_("Show the password") },
    { "view-conceal-symbolic", N_("Show the password") },
};

void oriel_button_names_add(GtkWidget *widget)
{
    const char *icon = GTK_IS_BUTTON(widget) ? gtk_button_get_icon_name(GTK_BUTTON(widget)) : NULL;

    for (gsize i = 0; icon && i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(icon, names[i].icon)) {
            gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                           _(names[i].name), -1);
        }
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        oriel_button_names_add(child);
    }
}
