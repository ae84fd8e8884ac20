/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that a guest believes are down. Whatever takes the keyboard away lets them all go, so
 * that no key of the guest stays down.
 *
 * Threads: any; not locked.
 */
#ifndef ORIEL_PRESSED_KEYS_H
#define ORIEL_PRESSED_KEYS_H

#include <glib.h>

enum {
    ORIEL_PRESSED_KEYS_MAX = 64,
};

/* Zero: none. */
typedef struct {
    struct {
        guint code, keysym;
    } keys[ORIEL_PRESSED_KEYS_MAX]; /* in the order they went down */
    guint n;
} OrielPressedKeys;

typedef enum {
    ORIEL_KEY_NEW,
    ORIEL_KEY_REPEAT, /* it is down already */
    ORIEL_KEY_FULL,   /* as many are down as there can be: it must not be sent */
} OrielKeyPress;

OrielKeyPress oriel_pressed_keys_press(OrielPressedKeys *keys, guint code, guint keysym);
/* FALSE if it was not down; otherwise *keysym is what it was pressed with. */
gboolean oriel_pressed_keys_release(OrielPressedKeys *keys, guint code, guint *keysym);
gboolean oriel_pressed_keys_contains(const OrielPressedKeys *keys, guint code);
/* Forgets the key that went down last; FALSE if none is left. */
gboolean oriel_pressed_keys_pop(OrielPressedKeys *keys, guint *code, guint *keysym);

#endif
