/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-keymap.h. */
#include "oriel-keymap.h"

#include <glib/gi18n-lib.h>
#include <linux/input-event-codes.h>

#include "oriel-keys.h"

enum {
    HARDWARE_OFFSET = 8, /* X11 has no keycodes below 8 */
};

guint oriel_keymap_to_xt(guint code)
{
    return code <= G_MAXUINT16 ? key_to_xt((guint16)code) : 0;
}

guint oriel_keymap_from_hardware(guint keycode)
{
    guint code = keycode > HARDWARE_OFFSET ? keycode - HARDWARE_OFFSET : 0;

    return oriel_keymap_to_xt(code) != 0 ? code : 0;
}

guint oriel_keymap_to_keysym(guint code)
{
    return code <= G_MAXUINT16 ? key_to_keysym((guint16)code) : 0;
}

guint oriel_keymap_from_name(const char *name)
{
    return key_from_name(name);
}

guint oriel_keymap_parse_chord(const char *chord, guint codes[ORIEL_CHORD_MAX])
{
    g_auto(GStrv) names = g_strsplit(chord, "+", ORIEL_CHORD_MAX + 1);
    guint n = g_strv_length(names);

    if (n > ORIEL_CHORD_MAX) {
        return 0;
    }
    for (guint i = 0; i < n; i++) {
        codes[i] = oriel_keymap_from_name(g_strstrip(names[i]));
        if (codes[i] == 0) {
            return 0;
        }
    }
    return n;
}

/* A key in words: what people call it, or else its name with a capital. */
static char *key_words(const char *name)
{
    g_autofree char *rest = g_ascii_strdown(name, -1);

    if (g_str_equal(rest, "rightctrl")) {
        return g_strdup(C_("key", "Right Ctrl"));
    }
    rest[0] = g_ascii_toupper(rest[0]);
    return g_steal_pointer(&rest);
}

char *oriel_keymap_chord_words(const char *chord)
{
    g_auto(GStrv) names = g_strsplit(chord, "+", -1);

    for (char **name = names; *name; name++) {
        char *words = key_words(g_strstrip(*name));

        g_free(*name);
        *name = words;
    }
    return g_strjoinv(" + ", names);
}

gboolean oriel_keymap_from_character(gunichar character, guint *code, gboolean *shift)
{
    guint16 key;
    bool shifted;

    if (!key_from_character(character, &key, &shifted)) {
        return FALSE;
    }
    *code = key;
    *shift = shifted;
    return TRUE;
}

gboolean oriel_keymap_is_modifier(guint code)
{
    switch (code) {
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL:
    case KEY_LEFTSHIFT:
    case KEY_RIGHTSHIFT:
    case KEY_LEFTALT:
    case KEY_RIGHTALT:
    case KEY_LEFTMETA:
    case KEY_RIGHTMETA:
        return TRUE;
    default:
        return FALSE;
    }
}
