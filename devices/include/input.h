/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keyboards and pointers as the machine's input router (engine/input/input_router.c) sees them.
 * Keys are Linux evdev codes (KEY_ESC = 1, KEY_A = 30, ...: linux/input-event-codes.h), which name
 * the place on the keyboard, not the letter.
 */
#ifndef DEVICES_INPUT_H
#define DEVICES_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct device;

enum {
    INPUT_KEYBOARD = 1u << 0,
    INPUT_RELATIVE = 1u << 1, /* mouse: motion */
    INPUT_ABSOLUTE = 1u << 2, /* tablet: place */
};

enum {
    POINTER_LEFT = 1u << 0,
    POINTER_RIGHT = 1u << 1,
    POINTER_MIDDLE = 1u << 2,
    POINTER_SIDE = 1u << 3,  /* "back" */
    POINTER_EXTRA = 1u << 4, /* "forward" */
    POINTER_BUTTONS = 0x1f,
};

enum {
    POINTER_AXIS_MAX = 32767, /* absolute coordinates are 0..this */
};

struct pointer_event {
    int32_t dx, dy;   /* relative devices: motion, down and right positive */
    uint32_t x, y;    /* absolute devices: place, 0..POINTER_AXIS_MAX */
    int32_t wheel;    /* notches, away from the user positive */
    unsigned buttons; /* POINTER_* that are down now */
};

struct input_ops {
    unsigned kinds; /* INPUT_* */
    void (*key)(struct device *device, uint16_t code, bool down);
    void (*pointer)(struct device *device, const struct pointer_event *event);
    /* True while the device has room: a router that types text waits for it. */
    bool (*ready)(struct device *device);
    /* Lamps the guest has lit: bit 0 scroll, 1 num, 2 caps lock. When they change, the device calls
     * the service input_changed(). */
    unsigned (*leds)(struct device *device);
    /* True while the guest has set the device up; a device that it has no driver for gets no events
     * if there is another. Changes are announced likewise. Absent: always. */
    bool (*in_use)(struct device *device);
    /* Of INPUT_RELATIVE: true while the guest has the mouse report, so that motion leads anywhere.
     * Changes are announced likewise. Absent: as long as it is in use. */
    bool (*reporting)(struct device *device);
};

#endif
