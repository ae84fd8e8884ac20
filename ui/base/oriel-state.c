/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-state.h. */
#include "oriel-state.h"

#include <glib/gi18n.h>

#include "media/oriel-system.h"

static gboolean is_paused_by(OrielMachineItem *item, const char *reason)
{
    OrielEngine *engine = oriel_machine_item_get_engine(item);

    return oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_PAUSED && engine &&
           g_strcmp0(oriel_engine_get_reason(engine), reason) == 0;
}

gboolean oriel_state_waits_for_disk(OrielMachineItem *item)
{
    return is_paused_by(item, "disk-full") || is_paused_by(item, "disk-error");
}

static const char *paused_label(OrielMachineItem *item)
{
    if (is_paused_by(item, "disk-full")) {
        return _("Waiting for disk space");
    }
    return is_paused_by(item, "disk-error") ? _("Paused by a disk error") : C_("machine", "Paused");
}

const char *oriel_state_label(OrielMachineItem *item)
{
    switch (oriel_machine_item_get_state(item)) {
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
        return _("Unavailable");
    case ORIEL_MACHINE_STATE_DAMAGED:
        return _("Damaged");
    case ORIEL_MACHINE_STATE_PENDING:
        return _("In progress");
    case ORIEL_MACHINE_STATE_STOPPED:
        return C_("machine", "Off");
    case ORIEL_MACHINE_STATE_SAVED:
        return C_("machine", "Saved");
    case ORIEL_MACHINE_STATE_STARTING:
        return _("Starting");
    case ORIEL_MACHINE_STATE_RUNNING:
        return C_("machine", "Running");
    case ORIEL_MACHINE_STATE_PAUSED:
        return paused_label(item);
    case ORIEL_MACHINE_STATE_SAVING:
        return _("Saving");
    case ORIEL_MACHINE_STATE_STOPPING:
        return _("Shutting down");
    case ORIEL_MACHINE_STATE_CRASHED:
        return C_("machine", "Crashed");
    case ORIEL_MACHINE_STATE_LOST:
        return _("Not responding");
    }
    return "";
}

const char *oriel_state_icon(OrielMachineItem *item)
{
    switch (oriel_machine_item_get_state(item)) {
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
        return "drive-removable-media-symbolic";
    case ORIEL_MACHINE_STATE_DAMAGED:
    case ORIEL_MACHINE_STATE_CRASHED:
    case ORIEL_MACHINE_STATE_LOST:
        return "dialog-warning-symbolic";
    case ORIEL_MACHINE_STATE_RUNNING:
        return "media-playback-start-symbolic";
    case ORIEL_MACHINE_STATE_PAUSED:
        return oriel_state_waits_for_disk(item) ? "dialog-warning-symbolic"
                                                : "media-playback-pause-symbolic";
    case ORIEL_MACHINE_STATE_SAVED:
        return "document-save-symbolic";
    case ORIEL_MACHINE_STATE_STARTING:
    case ORIEL_MACHINE_STATE_SAVING:
    case ORIEL_MACHINE_STATE_STOPPING:
    case ORIEL_MACHINE_STATE_PENDING:
        return "content-loading-symbolic";
    case ORIEL_MACHINE_STATE_STOPPED:
        return NULL;
    }
    return NULL;
}

int oriel_state_rank(OrielMachineState state)
{
    switch (state) {
    case ORIEL_MACHINE_STATE_CRASHED:
    case ORIEL_MACHINE_STATE_LOST:
        return 0;
    case ORIEL_MACHINE_STATE_PENDING:
        return 1;
    case ORIEL_MACHINE_STATE_STARTING:
    case ORIEL_MACHINE_STATE_RUNNING:
    case ORIEL_MACHINE_STATE_SAVING:
    case ORIEL_MACHINE_STATE_STOPPING:
        return 2;
    case ORIEL_MACHINE_STATE_PAUSED:
        return 3;
    case ORIEL_MACHINE_STATE_SAVED:
        return 4;
    case ORIEL_MACHINE_STATE_STOPPED:
        return 5;
    case ORIEL_MACHINE_STATE_DAMAGED:
        return 6;
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
        return 7;
    }
    return 8;
}

char *oriel_state_setting(OrielMachineItem *item, const char *key)
{
    const OrielConfig *config = oriel_machine_item_get_config(item);
    char *value = config ? oriel_config_get(config, key, NULL) : NULL;

    return value ? value : g_strdup("");
}

const char *oriel_state_system_icon(OrielMachineItem *item)
{
    g_autofree char *id = oriel_state_setting(item, "os");

    return oriel_system_find(id)->icon;
}
