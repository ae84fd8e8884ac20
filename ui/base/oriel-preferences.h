/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the application remembers for the user: the one wrapper of GSettings
 * (data/io.github.oriel_vm.Oriel.gschema.xml). Nobody else names a key's type.
 *
 * Threads: main context only.
 */
#ifndef ORIEL_PREFERENCES_H
#define ORIEL_PREFERENCES_H

#include <gio/gio.h>

#include "display/widget/oriel-display.h"

/* What becomes of a running machine when its window is closed. */
typedef enum {
    ORIEL_CLOSE_ASK,
    ORIEL_CLOSE_KEEP_RUNNING,
    ORIEL_CLOSE_SAVE,
    ORIEL_CLOSE_SHUT_DOWN,
} OrielCloseAction;

typedef enum {
    ORIEL_LIBRARY_VIEW_GRID,
    ORIEL_LIBRARY_VIEW_LIST,
} OrielLibraryView;

typedef enum {
    ORIEL_LIBRARY_SORT_NAME,
    ORIEL_LIBRARY_SORT_LAST_USED, /* newest first */
    ORIEL_LIBRARY_SORT_STATE,     /* running ones first */
} OrielLibrarySort;

#define ORIEL_TYPE_PREFERENCES (oriel_preferences_get_type())
G_DECLARE_FINAL_TYPE(OrielPreferences, oriel_preferences, ORIEL, PREFERENCES, GObject)

/*
 * Signal: "changed" with the key as detail ("changed::close-action").
 *
 * The schema is looked for where GSettings looks, then in the build folder of this program. NULL if
 * it is nowhere. Unref.
 */
OrielPreferences *oriel_preferences_new(void);

OrielCloseAction oriel_preferences_get_close_action(OrielPreferences *preferences);
void oriel_preferences_set_close_action(OrielPreferences *preferences, OrielCloseAction action);
OrielLibraryView oriel_preferences_get_library_view(OrielPreferences *preferences);
OrielLibrarySort oriel_preferences_get_library_sort(OrielPreferences *preferences);
OrielScaling oriel_preferences_get_scaling(OrielPreferences *preferences);
void oriel_preferences_set_scaling(OrielPreferences *preferences, OrielScaling scaling);
OrielGrabPolicy oriel_preferences_get_grab_policy(OrielPreferences *preferences);
void oriel_preferences_set_grab_policy(OrielPreferences *preferences, OrielGrabPolicy policy);
gboolean oriel_preferences_get_notifications(OrielPreferences *preferences);

/* Keys of type "s": "open-machine", "default-folder", "release-chord", "fullscreen-monitor". */
char *oriel_preferences_dup_string(OrielPreferences *preferences, const char *key);
void oriel_preferences_set_string(OrielPreferences *preferences, const char *key,
                                  const char *value);

gboolean oriel_preferences_is_hidden(OrielPreferences *preferences, const char *finding);
void oriel_preferences_hide(OrielPreferences *preferences, const char *finding);

/* Keeps a property and a key the same; enumerations are matched by nick. See g_settings_bind(). */
void oriel_preferences_bind(OrielPreferences *preferences, const char *key, gpointer object,
                            const char *property, GSettingsBindFlags flags);
/* A stateful action of the key's name and type. Unref. */
GAction *oriel_preferences_create_action(OrielPreferences *preferences, const char *key);

#endif
