/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types of the enumerations of oriel-display.h. */
#include "oriel-display.h"

GType oriel_scaling_get_type(void)
{
    static const GEnumValue values[] = {
        { ORIEL_SCALING_FIT, "ORIEL_SCALING_FIT", "fit" },
        { ORIEL_SCALING_INTEGER, "ORIEL_SCALING_INTEGER", "integer" },
        { ORIEL_SCALING_ACTUAL, "ORIEL_SCALING_ACTUAL", "actual" },
        { ORIEL_SCALING_FOLLOW, "ORIEL_SCALING_FOLLOW", "follow" },
        { 0 },
    };
    static gsize type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_enum_register_static("OrielScaling", values));
    }
    return type;
}

GType oriel_grab_policy_get_type(void)
{
    static const GEnumValue values[] = {
        { ORIEL_GRAB_FULLSCREEN, "ORIEL_GRAB_FULLSCREEN", "fullscreen" },
        { ORIEL_GRAB_CLICK, "ORIEL_GRAB_CLICK", "click" },
        { ORIEL_GRAB_NEVER, "ORIEL_GRAB_NEVER", "never" },
        { 0 },
    };
    static gsize type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_enum_register_static("OrielGrabPolicy", values));
    }
    return type;
}
