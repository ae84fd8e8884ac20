/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With what GTK draws. Without a GPU its OpenGL is Mesa's rasterizer on the processor: longer to
 * start than all the rest of the program, more memory than it, and slower than cairo, which GTK has
 * as well.
 */
#ifndef ORIEL_RENDERER_H
#define ORIEL_RENDERER_H

#include <glib.h>

/**
 * oriel_renderer_has_gpu:
 * @devices: the folder of devices: "/dev"
 *
 * Returns: whether there is a device that OpenGL could use: a render node of the kernel's DRM, one
 * of NVIDIA's driver, or that of Windows under WSL.
 */
gboolean oriel_renderer_has_gpu(const char *devices);

/**
 * oriel_renderer_environment:
 * @gpu: what oriel_renderer_has_gpu() said
 * @renderer: (nullable): value of GSK_RENDERER
 * @debug: (nullable): value of GDK_DEBUG
 *
 * Returns: (nullable): the value of GDK_DEBUG with which GTK leaves OpenGL alone, if it is to:
 * there is no GPU and the user has chosen no renderer, or the user has chosen cairo. NULL: leave
 * all as it is. g_free().
 */
char *oriel_renderer_environment(gboolean gpu, const char *renderer, const char *debug);

/**
 * oriel_renderer_choose:
 *
 * Does that for this process. Call before GTK is initialized and before there is another thread.
 */
void oriel_renderer_choose(void);

#endif
