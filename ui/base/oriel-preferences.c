/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-preferences.h. */
#include "oriel-preferences.h"

#define SCHEMA "io.github.oriel_vm.Oriel"

struct _OrielPreferences {
    GObject parent_instance;
    GSettings *settings;
};

G_DEFINE_FINAL_TYPE(OrielPreferences, oriel_preferences, G_TYPE_OBJECT)

static guint signal_changed;

static void oriel_preferences_dispose(GObject *object)
{
    g_clear_object(&ORIEL_PREFERENCES(object)->settings);
    G_OBJECT_CLASS(oriel_preferences_parent_class)->dispose(object);
}

static void oriel_preferences_class_init(OrielPreferencesClass *class)
{
    G_OBJECT_CLASS(class)->dispose = oriel_preferences_dispose;
    signal_changed =
        g_signal_new("changed", ORIEL_TYPE_PREFERENCES, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void oriel_preferences_init(OrielPreferences *preferences)
{
}

static void changed(OrielPreferences *preferences, const char *key)
{
    g_signal_emit(preferences, signal_changed, g_quark_from_string(key), key);
}

/* The schema as installed, otherwise that of the build folder this program lies in. */
static GSettingsSchema *schema_find(void)
{
    GSettingsSchemaSource *installed = g_settings_schema_source_get_default();
    GSettingsSchema *schema =
        installed ? g_settings_schema_source_lookup(installed, SCHEMA, TRUE) : NULL;

    if (!schema) {
        g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
        g_autofree char *folder = g_path_get_dirname(program ? program : ".");
        g_autofree char *built = g_build_filename(folder, "..", "data", NULL);
        g_autoptr(GSettingsSchemaSource) source =
            g_settings_schema_source_new_from_directory(built, installed, FALSE, NULL);

        schema = source ? g_settings_schema_source_lookup(source, SCHEMA, FALSE) : NULL;
    }
    return schema;
}

OrielPreferences *oriel_preferences_new(void)
{
    g_autoptr(GSettingsSchema) schema = schema_find();
    OrielPreferences *preferences;

    if (!schema) {
        return NULL;
    }
    preferences = g_object_new(ORIEL_TYPE_PREFERENCES, NULL);
    preferences->settings = g_settings_new_full(schema, NULL, NULL);
    g_signal_connect_object(preferences->settings, "changed", G_CALLBACK(changed), preferences,
                            G_CONNECT_SWAPPED);
    return preferences;
}

OrielCloseAction oriel_preferences_get_close_action(OrielPreferences *preferences)
{
    return (OrielCloseAction)g_settings_get_enum(preferences->settings, "close-action");
}

void oriel_preferences_set_close_action(OrielPreferences *preferences, OrielCloseAction action)
{
    g_settings_set_enum(preferences->settings, "close-action", (int)action);
}

OrielLibraryView oriel_preferences_get_library_view(OrielPreferences *preferences)
{
    return (OrielLibraryView)g_settings_get_enum(preferences->settings, "library-view");
}

OrielLibrarySort oriel_preferences_get_library_sort(OrielPreferences *preferences)
{
    return (OrielLibrarySort)g_settings_get_enum(preferences->settings, "library-sort");
}

OrielScaling oriel_preferences_get_scaling(OrielPreferences *preferences)
{
    return (OrielScaling)g_settings_get_enum(preferences->settings, "scaling");
}

void oriel_preferences_set_scaling(OrielPreferences *preferences, OrielScaling scaling)
{
    g_settings_set_enum(preferences->settings, "scaling", (int)scaling);
}

OrielGrabPolicy oriel_preferences_get_grab_policy(OrielPreferences *preferences)
{
    return (OrielGrabPolicy)g_settings_get_enum(preferences->settings, "grab-policy");
}

void oriel_preferences_set_grab_policy(OrielPreferences *preferences, OrielGrabPolicy policy)
{
    g_settings_set_enum(preferences->settings, "grab-policy", (int)policy);
}

gboolean oriel_preferences_get_notifications(OrielPreferences *preferences)
{
    return g_settings_get_boolean(preferences->settings, "notifications");
}

char *oriel_preferences_dup_string(OrielPreferences *preferences, const char *key)
{
    return g_settings_get_string(preferences->settings, key);
}

void oriel_preferences_set_string(OrielPreferences *preferences, const char *key, const char *value)
{
    g_settings_set_string(preferences->settings, key, value);
}

gboolean oriel_preferences_is_hidden(OrielPreferences *preferences, const char *finding)
{
    g_auto(GStrv) hidden = g_settings_get_strv(preferences->settings, "host-findings-hidden");

    return g_strv_contains((const char *const *)hidden, finding);
}

void oriel_preferences_hide(OrielPreferences *preferences, const char *finding)
{
    g_auto(GStrv) hidden = g_settings_get_strv(preferences->settings, "host-findings-hidden");
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) all = NULL;

    if (g_strv_contains((const char *const *)hidden, finding)) {
        return;
    }
    g_strv_builder_addv(builder, (const char **)hidden);
    g_strv_builder_add(builder, finding);
    all = g_strv_builder_end(builder);
    g_settings_set_strv(preferences->settings, "host-findings-hidden", (const char *const *)all);
}

void oriel_preferences_bind(OrielPreferences *preferences, const char *key, gpointer object,
                            const char *property, GSettingsBindFlags flags)
{
    g_settings_bind(preferences->settings, key, object, property, flags);
}

GAction *oriel_preferences_create_action(OrielPreferences *preferences, const char *key)
{
    return g_settings_create_action(preferences->settings, key);
}
