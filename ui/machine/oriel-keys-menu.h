/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The menu of keys to send: those that the desktop takes, and the clipboard's text. Its items are
 * the actions "screen.send-keys" (s) and "screen.paste". */
#ifndef ORIEL_KEYS_MENU_H
#define ORIEL_KEYS_MENU_H

#include <gtk/gtk.h>

void oriel_keys_menu_set(GtkMenuButton *button);

#endif
