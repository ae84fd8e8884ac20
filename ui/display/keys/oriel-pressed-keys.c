/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-pressed-keys.h. */
#include "oriel-pressed-keys.h"

#include <string.h>

/* The place of a key, or `n`. */
static guint find(const OrielPressedKeys *keys, guint code)
{
    guint i = 0;

    while (i < keys->n && keys->keys[i].code != code) {
        i++;
    }
    return i;
}

OrielKeyPress oriel_pressed_keys_press(OrielPressedKeys *keys, guint code, guint keysym)
{
    if (oriel_pressed_keys_contains(keys, code)) {
        return ORIEL_KEY_REPEAT;
    }
    if (keys->n == ORIEL_PRESSED_KEYS_MAX) {
        return ORIEL_KEY_FULL;
    }
    keys->keys[keys->n].code = code;
    keys->keys[keys->n].keysym = keysym;
    keys->n++;
    return ORIEL_KEY_NEW;
}

gboolean oriel_pressed_keys_release(OrielPressedKeys *keys, guint code, guint *keysym)
{
    guint i = find(keys, code);

    if (i == keys->n) {
        return FALSE;
    }
    *keysym = keys->keys[i].keysym;
    keys->n--;
    memmove(&keys->keys[i], &keys->keys[i + 1], (keys->n - i) * sizeof(keys->keys[0]));
    return TRUE;
}

gboolean oriel_pressed_keys_contains(const OrielPressedKeys *keys, guint code)
{
    return find(keys, code) < keys->n;
}

gboolean oriel_pressed_keys_pop(OrielPressedKeys *keys, guint *code, guint *keysym)
{
    if (keys->n == 0) {
        return FALSE;
    }
    keys->n--;
    *code = keys->keys[keys->n].code;
    *keysym = keys->keys[keys->n].keysym;
    return TRUE;
}
