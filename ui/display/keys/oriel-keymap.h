/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers and names of keys. A key is known by its evdev code (linux/input-event-codes.h), which
 * says where it is on the keyboard, not what is printed on it.
 *
 * Threads: any; constant tables.
 */
#ifndef ORIEL_KEYMAP_H
#define ORIEL_KEYMAP_H

#include <glib.h>

enum {
    ORIEL_CHORD_MAX = 8, /* keys in a chord */
};

/* GDK's hardware keycode on Wayland and X11 as evdev code; 0 for a key that no guest has. */
guint oriel_keymap_from_hardware(guint keycode);
/*
 * The number of a key in the RFB extended key event: its XT (set 1) code, with bit 7 for those that
 * follow 0xe0. 0 if it has none.
 */
guint oriel_keymap_to_xt(guint code);
/* The X11 keysym of the key on a US keyboard without Shift; 0 if it has none. */
guint oriel_keymap_to_keysym(guint code);
/* "ctrl", "f12", "a", "delete"; upper and lower case alike. 0 if there is no such key. */
guint oriel_keymap_from_name(const char *name);
/* The keys of "ctrl+alt+delete", in order. Their number; 0 if a name is unknown or there are too
 * many. */
guint oriel_keymap_parse_chord(const char *chord, guint codes[ORIEL_CHORD_MAX]);
/* The keys of a chord in words for people, "Ctrl + Alt". g_free(). */
char *oriel_keymap_chord_words(const char *chord);
/* The key of a US keyboard that gives a character. FALSE if there is none. */
gboolean oriel_keymap_from_character(gunichar character, guint *code, gboolean *shift);
/* Control, Shift, Alt and Super, left and right. */
gboolean oriel_keymap_is_modifier(guint code);

#endif
