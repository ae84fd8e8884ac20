/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-renderer.h. */
#include "oriel-renderer.h"

#include <gtk/gtk.h>

enum {
    GTK_MINOR_CHOOSES =
        16, /* from GTK 4.16 it prefers cairo to a rasterizer by itself, and the switch has gone */
};

gboolean oriel_renderer_has_gpu(const char *devices)
{
    static const char *const others[] = { "nvidiactl", "nvidia0", "dxg" };
    g_autofree char *dri = g_build_filename(devices, "dri", NULL);
    g_autoptr(GDir) dir = g_dir_open(dri, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_prefix(name, "renderD")) {
            return TRUE;
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *path = g_build_filename(devices, others[i], NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            return TRUE;
        }
    }
    return FALSE;
}

char *oriel_renderer_environment(gboolean gpu, const char *renderer, const char *debug)
{
    gboolean cairo = renderer && *renderer ? g_str_equal(renderer, "cairo") : !gpu;

    if (!cairo) {
        return NULL;
    }
    return debug && *debug ? g_strconcat(debug, ",gl-disable", NULL) : g_strdup("gl-disable");
}

void oriel_renderer_choose(void)
{
    g_autofree char *debug = oriel_renderer_environment(
        oriel_renderer_has_gpu("/dev"), g_getenv("GSK_RENDERER"), g_getenv("GDK_DEBUG"));

    if (debug && gtk_get_minor_version() < GTK_MINOR_CHOOSES) {
        g_setenv("GDK_DEBUG", debug, TRUE);
    }
}
