/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module around libosinfo, as the rest of the library sees it. See oriel-osinfo.h. */
#include "oriel-module.h"
#include "oriel-osinfo.h"

static const struct osinfo_functions *functions(void)
{
    static gsize loaded;
    static const struct osinfo_functions *found;

    if (g_once_init_enter(&loaded)) {
        found = oriel_module_symbol("app/media", "oriel-osinfo", "osinfo_functions");
        g_once_init_leave(&loaded, 1);
    }
    return found;
}

void osinfo_module_load(void)
{
    functions();
}

OrielSystem *osinfo_system_find(const char *id)
{
    return functions() ? functions()->system_find(id) : NULL;
}

char **osinfo_system_ids(void)
{
    return functions() ? functions()->system_ids() : g_new0(char *, 1);
}

gboolean osinfo_media_identify(OrielMedia *media, GCancellable *cancellable)
{
    return functions() && functions()->media_identify(media, cancellable);
}
