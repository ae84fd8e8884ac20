/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names and numbers of keys: what users, VNC, X11 and the US layout call them, as Linux evdev
 * codes (linux/input-event-codes.h). Pure functions over constant tables; any thread.
 */
#ifndef COMMON_KEYS_H
#define COMMON_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/* "ctrl", "f12", "a", "delete", ...; upper and lower case alike. 0 if there is no such key. */
uint16_t key_from_name(const char *name);

/* The key of a US keyboard that gives a character, and whether Shift is held. False if there is
 * none. */
bool key_from_character(uint32_t character, uint16_t *code, bool *shift);

/*
 * XT (set 1) scancode as the QEMU extended key event carries it: the plain code, or the code after
 * 0xe0 with bit 7 set. 0 if no key has it.
 */
uint16_t key_from_xt(uint32_t scancode);
/* The other way round; 0 for a key that has none. */
uint8_t key_to_xt(uint16_t code);

/* X11 keysym, by the place the symbol has on a US keyboard. 0 if it has none. */
uint16_t key_from_keysym(uint32_t keysym);
/* The X11 keysym of a key on a US keyboard without Shift; 0 if it has none. */
uint32_t key_to_keysym(uint16_t code);

#endif
