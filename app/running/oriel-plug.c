/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-plug.h. */
#include "oriel-plug.h"

#include <glib/gi18n-lib.h>

#include "oriel-session.h"

gboolean oriel_plug_engine(const OrielMachine *machine, OrielEngine **engine, GError **error)
{
    g_autoptr(GError) cause = NULL;

    *engine = oriel_session_connect(machine, &cause);
    if (*engine || g_error_matches(cause, ORIEL_ERROR, ORIEL_ERROR_STATE)) {
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean result(gboolean good, GError **error)
{
    if (!good && error && *error) {
        g_dbus_error_strip_remote_error(*error);
    }
    return good;
}

gboolean oriel_plug(OrielEngine *engine, const char *id, GError **error)
{
    return result(oriel_engine_call_plug_sync(engine, id, NULL, error), error);
}

gboolean oriel_plug_take_out(OrielEngine *engine, const char *id, gboolean force, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (result(oriel_engine_call_unplug_sync(engine, id, force, NULL, &cause), &cause) ||
        g_error_matches(cause, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND)) {
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

guint oriel_plug_free_port(const OrielConfig *config, GError **error)
{
    guint port = oriel_config_free_port(config);

    if (port == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("All %d slots of “%s” are taken; turn it off to add more."), CONFIG_PORTS_MAX,
                    config->name);
    }
    return port;
}
