/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scanout: the memory of one picture of one size, which other processes can map and only the
 * engine can write. It lies in a memfd that is sealed against shrinking, growing and writing by
 * anybody but who mapped it before, so a viewer can neither change the picture nor be hurt by it.
 *
 * Threads: any, one at a time.
 */
#ifndef ENGINE_SCANOUT_H
#define ENGINE_SCANOUT_H

#include <glib.h>
#include <stddef.h>

#include "display.h"

struct scanout {
    struct surface surface; /* no pixels are drawn yet in a new one */
    guint32 id;             /* never 0, and another for each one that a process makes */
    int memory;  /* the memfd, which begins with the first pixel; -1: it cannot be shared */
    size_t size; /* bytes */
};

/*
 * Width and height in pixels, 1..DISPLAY_*_MAX. Never fails: if the host gives no memfd, the
 * scanout is memory of this process alone.
 */
struct scanout *scanout_new(guint32 width, guint32 height);
/* Those who have mapped the memory keep it. */
void scanout_free(struct scanout *scanout);

#endif
