/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The counters of a machine as JSON, for the inspector and for scripts. */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stdint.h>

/* "io", "mmio", ...: the name of a KVM exit reason. */
const char *stats_exit_name(uint32_t reason);

#endif
