/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-keys-menu.h. */
#include "oriel-keys-menu.h"

void oriel_keys_menu_set(GtkMenuButton *button)
{
    g_autoptr(GtkBuilder) builder =
        gtk_builder_new_from_resource("/io/github/oriel_vm/Oriel/machine/oriel-keys-menu.ui");

    gtk_menu_button_set_menu_model(button,
                                   G_MENU_MODEL(gtk_builder_get_object(builder, "keys_menu")));
}
