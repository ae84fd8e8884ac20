/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The input router: from viewers, scripts and the command line to the machine's keyboards and
 * pointers. It keeps what is pressed so that nothing stays down when a viewer goes away,
 * types text as key presses at the pace the guest takes them, and turns absolute places into motion
 * for guests with only a mouse.
 *
 * Threads: main loop only, but for input_look().
 */
#ifndef ENGINE_INPUT_ROUTER_H
#define ENGINE_INPUT_ROUTER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "input.h"

struct input;

/* What becomes of a pointer. */
enum pointer_mode {
    POINTER_MODE_NONE,     /* nothing: the guest has no device that it reads */
    POINTER_MODE_RELATIVE, /* it reads a mouse */
    POINTER_MODE_ABSOLUTE, /* it uses a device that takes places */
};

struct input_listener {
    /* input_leds() or input_pointer_mode() says something new. */
    void (*changed)(void *context);
    void *context;
};

struct input *input_new(void (*lock)(struct device *), void (*unlock)(struct device *));
void input_free(struct input *input);
void input_add_device(struct input *input, struct device *device);

/* Calls the listener on the main loop, which may not add or remove one then; it stays the caller's
 * and where it is until input_unlisten(). */
void input_listen(struct input *input, struct input_listener *listener);
/* Also of one that does not listen. */
void input_unlisten(struct input *input, struct input_listener *listener);
/* Lamps on the keyboard that gets the keys: bit 0 scroll, 1 num, 2 caps lock. */
unsigned input_leds(struct input *input);
/*
 * As last told. "None" is told a little late: a guest that has something to say to its mouse or
 * keyboard has the mouse silent for a moment.
 */
enum pointer_mode input_pointer_mode(struct input *input);
/* Its name in the contract. */
const char *pointer_mode_name(enum pointer_mode mode);
/* A device says that what these two tell has changed. Any thread, inside its domain. */
void input_look(struct input *input);

/* evdev code. A repeated press is passed on (auto-repeat). */
void input_key(struct input *input, uint16_t code, bool down);
void input_release_all(struct input *input);
/* Place on a display of width x height pixels; buttons POINTER_*, others are ignored; wheel in
 * notches. */
void input_pointer(struct input *input, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   unsigned buttons, int wheel);
void input_motion(struct input *input, int dx, int dy, unsigned buttons, int wheel);
/* Lets go of the buttons that are down. */
void input_release_buttons(struct input *input);

/*
 * Types UTF-8 text on a US keyboard layout; `done` is called when the guest has taken the last key
 * or, with error set, if a character has no key (nothing is typed then).
 */
void input_type(struct input *input, const char *text,
                void (*done)(void *context, const GError *error), void *context);
/*
 * Ends the typings whose context `matches`, or all of them (NULL): their keys are let go, `done`
 * gets an error.
 */
void input_cancel(struct input *input, bool (*matches)(void *context, const void *data),
                  const void *data);
/* A chord by names joined with "+": "ctrl+alt+delete", "f12", "a", "shift+KEY_102ND". */
bool input_chord(struct input *input, const char *chord, GError **error);

#endif
