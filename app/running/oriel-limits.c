/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-limits.h. */
#include "oriel-limits.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-plug.h"

static gboolean limits_apply(const OrielMachine *machine, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_load(machine->folder, error);
    g_autoptr(OrielConfig) running = NULL;
    g_autoptr(OrielEngine) engine = NULL;
    g_autofree char *json = NULL;

    if (!config || !oriel_plug_engine(machine, &engine, error)) {
        return FALSE;
    }
    if (!engine) {
        return TRUE;
    }
    if (!oriel_engine_call_get_config_sync(engine, &json, NULL, error)) {
        return FALSE;
    }
    running = oriel_config_from_data(json, strlen(json), _("The running machine"), error);
    for (guint i = 0; running && i < config->drives->len; i++) {
        const OrielDrive *drive = g_ptr_array_index(config->drives, i);

        if (oriel_config_find_drive(running, drive->id) &&
            !oriel_engine_call_limit_drive_sync(engine, drive->id, drive->iops_limit,
                                                drive->bandwidth_limit, NULL, error)) {
            if (error) {
                g_dbus_error_strip_remote_error(*error);
            }
            return FALSE;
        }
    }
    return running != NULL;
}

gboolean oriel_limits_apply_keys(const OrielMachine *machine, const char *const *keys,
                                 GError **error)
{
    for (; *keys; keys++) {
        if (g_str_has_suffix(*keys, ".iops-limit") || g_str_has_suffix(*keys, ".bandwidth-limit")) {
            return limits_apply(machine, error);
        }
    }
    return TRUE;
}
