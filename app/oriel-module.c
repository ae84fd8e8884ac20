/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-module.h. */
#include "oriel-module.h"

#include <gmodule.h>

enum {
    DEPTH_MAX = 4, /* how deep in the build folder programs are */
};

static char *module_path(const char *folder, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".so", NULL);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *place = g_path_get_dirname(program ? program : ".");

    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        g_autofree char *above = g_path_get_dirname(place);
        g_autofree char *built = g_build_filename(above, folder, file, NULL);

        if (g_file_test(built, G_FILE_TEST_EXISTS)) {
            return g_steal_pointer(&built);
        }
        g_free(place);
        place = g_steal_pointer(&above);
    }
    return g_build_filename(ORIEL_MODULE_DIR, file, NULL);
}

gpointer oriel_module_symbol(const char *folder, const char *name, const char *symbol)
{
    g_autofree char *path = module_path(folder, name);
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    gpointer address = NULL;

    if (!module) {
        g_warning("A part of Oriel could not be loaded: %s", g_module_error());
        return NULL;
    }
    g_module_make_resident(module);
    if (!g_module_symbol(module, symbol, &address)) {
        g_warning("“%s” is not part of Oriel: %s", path, g_module_error());
    }
    return address;
}
