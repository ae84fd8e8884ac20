/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two things on the wires of the i8042: a keyboard and a mouse. Both take command bytes,
 * answer, and have bytes of their own to send; answers go first, and a new command takes back the
 * answers to the last one. Neither knows of the controller or the machine.
 *
 * Nothing fails: a write returns false if the byte was no command (the device has then answered
 * so).
 */
#ifndef DEVICES_LEGACY_PS2_H
#define DEVICES_LEGACY_PS2_H

#include <stdbool.h>
#include <stdint.h>

#include "input.h"
#include "state.h"

enum {
    PS2_QUEUE_SIZE = 64, /* a power of two */

    PS2_ACKNOWLEDGE = 0xfa,
    PS2_RESEND = 0xfe, /* as an answer: not understood */
    PS2_SELF_TEST_PASSED = 0xaa,
};

struct ps2_queue {
    uint8_t bytes[PS2_QUEUE_SIZE];
    uint8_t head; /* of the oldest byte */
    uint8_t count;
};

extern const struct state_field ps2_queue_fields[];

static inline unsigned ps2_queue_room(const struct ps2_queue *q)
{
    return PS2_QUEUE_SIZE - q->count;
}

/* Appends a byte, or drops it if there is no room. */
static inline void ps2_queue_put(struct ps2_queue *q, uint8_t byte)
{
    if (q->count < PS2_QUEUE_SIZE) {
        q->bytes[(q->head + q->count) % PS2_QUEUE_SIZE] = byte;
        q->count++;
    }
}

/* Takes the oldest byte; there must be one. */
static inline uint8_t ps2_queue_take(struct ps2_queue *q)
{
    uint8_t byte = q->bytes[q->head % PS2_QUEUE_SIZE];

    q->head = (uint8_t)((q->head + 1) % PS2_QUEUE_SIZE);
    q->count--;
    return byte;
}

static inline void ps2_queue_clear(struct ps2_queue *q)
{
    q->head = 0;
    q->count = 0;
}

struct ps2_keyboard {
    struct ps2_queue answers;
    struct ps2_queue keys;
    uint8_t command; /* that waits for its argument; 0: none */
    uint8_t set;     /* of scan codes: 1 or 2 */
    bool scanning;   /* keys are reported */
    uint8_t leds;    /* bit 0 scroll, 1 num, 2 caps lock */
    uint8_t modifiers;
    uint8_t print; /* how Print Screen was pressed, so that it is released in the same way */
    uint8_t last;  /* byte sent, for a resend */
};

extern const struct state_field ps2_keyboard_fields[];
void keyboard_reset(struct ps2_keyboard *k);
bool keyboard_write(struct ps2_keyboard *k, uint8_t byte);
/* Takes the next byte it has to send; false if there is none. */
bool keyboard_take(struct ps2_keyboard *k, uint8_t *byte);
/* A key by its evdev code; keys that the keyboard does not have are ignored. */
void keyboard_key(struct ps2_keyboard *k, uint16_t code, bool down);
/* Controller translation: the set 1 code (7 bits) that a set 2 byte stands for; other bytes
 * unchanged. */
uint8_t keyboard_set1_from_set2(uint8_t byte);

struct ps2_mouse {
    struct ps2_queue answers;
    struct ps2_queue packets;
    uint8_t command;  /* that waits for its argument; 0: none */
    uint8_t type;     /* the id: 0 three buttons, 3 with wheel, 4 with five buttons */
    uint8_t rates[3]; /* the last ones set, newest first: the knock that changes the type */
    uint8_t resolution;
    bool double_scale, reporting, remote, wrap;
    uint8_t buttons;      /* that are down now: POINTER_* */
    uint8_t sent_buttons; /* in the newest packet */
    uint32_t dx, dy,
        dz; /* motion not yet in a packet, two's complement; dy and dz as the guest counts */
    uint8_t last;
};

extern const struct state_field ps2_mouse_fields[];
void mouse_reset(struct ps2_mouse *m);
bool mouse_write(struct ps2_mouse *m, uint8_t byte);
bool mouse_take(struct ps2_mouse *m, uint8_t *byte);
void mouse_move(struct ps2_mouse *m, const struct pointer_event *event);
/* Whether the mouse has been told to report motion (ENABLE), or to wait until it is asked for it
 * (REMOTE_MODE). As it powers up it does neither. */
bool mouse_reports(const struct ps2_mouse *m);

#endif
