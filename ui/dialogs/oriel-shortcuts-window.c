/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-shortcuts-window.h: all but the keys that leave the screen is in the .ui file. */
#include "dialogs/oriel-shortcuts-window.h"

/* The choices of "release-chord" as GtkShortcutsShortcut takes them. */
static const struct {
    const char *chord, *accelerator;
} releases[] = {
    { "ctrl+alt", "<Control>Alt_L" },
    { "rightctrl", "Control_R" },
    { "ctrl+alt+shift", "<Control><Alt>Shift_L" },
};

GtkWindow *oriel_shortcuts_window_new(OrielPreferences *preferences)
{
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_resource(
        "/io/github/oriel_vm/Oriel/dialogs/oriel-shortcuts-window.ui");
    g_autofree char *chord = oriel_preferences_dup_string(preferences, "release-chord");
    const char *accelerator = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(releases); i++) {
        if (g_str_equal(releases[i].chord, chord)) {
            accelerator = releases[i].accelerator;
        }
    }
    g_object_set(gtk_builder_get_object(builder, "release"), "accelerator", accelerator, "visible",
                 accelerator != NULL, NULL);
    return GTK_WINDOW(gtk_builder_get_object(builder, "shortcuts"));
}
