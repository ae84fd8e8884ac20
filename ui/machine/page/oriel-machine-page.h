/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One machine: its details while it is off, its screen while it runs, what happened when it crashed
 * or does not answer.
 *
 * Properties: "item" (OrielMachineItem or NULL), "fullscreen" (b), "captures-keys" (b, read-only:
 * the screen has the keyboard, so shortcuts of the application must be off), "standalone" (b: no
 * way back to a library). Class actions: "screen.send-keys" (s), "screen.paste",
 * "screen.select-text", "screen.screenshot", "screen.copy", "screen.scaling" (s, stateful),
 * "screen.open-display" (u: number, from 2).
 */
#ifndef ORIEL_MACHINE_PAGE_H
#define ORIEL_MACHINE_PAGE_H

#include <adwaita.h>

#include "display/widget/oriel-display.h"
#include "model/oriel-machine-item.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_MACHINE_PAGE (oriel_machine_page_get_type())
G_DECLARE_FINAL_TYPE(OrielMachinePage, oriel_machine_page, ORIEL, MACHINE_PAGE, GtkWidget)

/* Once, before it is shown. */
void oriel_machine_page_set_up(OrielMachinePage *page, OrielPreferences *preferences,
                               gboolean standalone);
/* The machine that is shown; NULL: none, nothing is connected. */
void oriel_machine_page_set_item(OrielMachinePage *page, OrielMachineItem *item);
OrielMachineItem *oriel_machine_page_get_item(OrielMachinePage *page);
void oriel_machine_page_set_fullscreen(OrielMachinePage *page, gboolean fullscreen);
/* TRUE while the screen has the keyboard. */
gboolean oriel_machine_page_captures_keys(OrielMachinePage *page);
void oriel_machine_page_open_menu(OrielMachinePage *page);

#endif
