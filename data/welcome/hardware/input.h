/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keyboard and the mouse behind the i8042. */
#ifndef WELCOME_INPUT_H
#define WELCOME_INPUT_H

#include <stdbool.h>
#include <stdint.h>

enum key {
    KEY_NONE,
    /* 0x20 - 0x7E: the character on the key, of a US keyboard */
    KEY_UP = 0x80,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_ESCAPE,
    KEY_ENTER,
    KEY_TAB,
    KEY_BACKSPACE,
    KEY_F1, /* and so on up to F12 */
    KEY_F12 = KEY_F1 + 11,
    KEY_OTHER,
};

struct input {
    unsigned key; /* just pressed, or KEY_NONE */
    bool moved;   /* the mouse moved or a button changed */
    int dx, dy;   /* dy grows downwards */
    unsigned buttons;
};

void input_start(void);

/* Takes what has arrived, at most one key or mouse packet. False when there is nothing more. */
bool input_take(struct input *input);

/* A key's name for people. */
const char *key_name(unsigned key);

#endif
