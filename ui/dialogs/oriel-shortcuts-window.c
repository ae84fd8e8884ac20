/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-shortcuts-window.h: all of it is in the .ui file. */
#include "dialogs/oriel-shortcuts-window.h"

GtkWindow *oriel_shortcuts_window_new(void)
{
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_resource(
        "/io/github/oriel_vm/Oriel/dialogs/oriel-shortcuts-window.ui");

    return GTK_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
}
