/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When GTK is told to leave OpenGL alone. */
#include <glib/gstdio.h>

#include "base/oriel-renderer.h"
#include "test.h"

static char *folder;

static void make(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    CHECK_EQ(g_mkdir_with_parents(parent, 0700), 0);
    CHECK(g_file_set_contents(path, "", 0, NULL));
}

static void forget(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    CHECK_EQ(g_remove(path), 0);
}

static void gpu(void)
{
    static const char *const gpus[] = { "dri/renderD128", "nvidiactl", "nvidia0", "dxg" };

    folder = g_dir_make_tmp("oriel-renderer-XXXXXX", NULL);
    CHECK(!oriel_renderer_has_gpu(folder));
    make("null");
    make("dri/card0"); /* a screen, but nothing that draws */
    CHECK(!oriel_renderer_has_gpu(folder));
    for (guint i = 0; i < G_N_ELEMENTS(gpus); i++) {
        make(gpus[i]);
        CHECK(oriel_renderer_has_gpu(folder));
        forget(gpus[i]);
    }
    CHECK(!oriel_renderer_has_gpu(folder));
    forget("dri/card0");
    forget("dri");
    forget("null");
    CHECK_EQ(g_rmdir(folder), 0);
    g_free(folder);
}

static void check_environment(gboolean has_gpu, const char *renderer, const char *debug,
                              const char *wanted)
{
    g_autofree char *value = oriel_renderer_environment(has_gpu, renderer, debug);

    CHECK(g_strcmp0(value, wanted) == 0);
}

static void environment(void)
{
    check_environment(TRUE, NULL, NULL, NULL);
    check_environment(TRUE, "", "events", NULL);
    check_environment(TRUE, "gl", NULL, NULL);
    check_environment(TRUE, "cairo", NULL, "gl-disable");
    check_environment(FALSE, NULL, NULL, "gl-disable");
    check_environment(FALSE, "", "", "gl-disable");
    check_environment(FALSE, NULL, "events", "events,gl-disable");
    check_environment(FALSE, "cairo", NULL, "gl-disable");
    check_environment(FALSE, "gl", NULL, NULL);
}

TEST_MAIN(T(gpu), T(environment))
