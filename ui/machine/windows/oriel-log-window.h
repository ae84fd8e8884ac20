/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The logs of a machine: what its engine said, its serial ports, its firmware, and the report of a
 * crash. Follows what is written while it is open. */
#ifndef ORIEL_LOG_WINDOW_H
#define ORIEL_LOG_WINDOW_H

#include <adwaita.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_LOG_WINDOW (oriel_log_window_get_type())
G_DECLARE_FINAL_TYPE(OrielLogWindow, oriel_log_window, ORIEL, LOG_WINDOW, AdwWindow)

GtkWindow *oriel_log_window_new(OrielMachineItem *item);

#endif
