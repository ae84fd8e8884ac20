/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PS/2 keyboard with 105 keys, the Japanese ones and multimedia keys: "IBM PS/2 Hardware
 * Interface Technical Reference, Keyboards", and Microsoft's "Keyboard Scan Code Specification" for
 * the newer keys.
 *
 * Codes are derived, not listed twice: evdev numbers the keys of the old AT keyboard by their set 1
 * code; `extended` lists the others; set 2 follows from set 1 by the table that the controller's
 * translation uses the other way.
 *
 * Left out: set 3 (refused), the rate of repetition (accepted, but repeats come from the viewer),
 * and the imaginary shift codes around the cursor keys.
 *
 * A key whose codes do not fit into the queue is lost as a whole; presses are refused earlier than
 * releases, so that no key stays down.
 */
#include "ps2.h"

enum {
    SET_LEDS = 0xed,
    ECHO = 0xee,
    SCAN_CODE_SET = 0xf0,
    IDENTIFY = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    ALL_KEYS_FIRST = 0xf7, /* ..FA: repetition and release of all keys, in set 3 only */
    ALL_KEYS_LAST = 0xfa,
    RESEND = 0xfe,
    RESET = 0xff,
    COMMAND_FIRST = SET_LEDS, /* no argument is as large */

    KEY_LEFTCTRL = 29, /* evdev codes */
    KEY_LEFTSHIFT = 42,
    KEY_RIGHTSHIFT = 54,
    KEY_LEFTALT = 56,
    KEY_RO = 89,
    KEY_RIGHTCTRL = 97,
    KEY_SYSRQ = 99,
    KEY_RIGHTALT = 100,
    KEY_PAUSE = 119,

    LEFT_CTRL = 1,
    RIGHT_CTRL = 2,
    CTRL = LEFT_CTRL | RIGHT_CTRL,
    LEFT_SHIFT = 4,
    RIGHT_SHIFT = 8,
    SHIFT = LEFT_SHIFT | RIGHT_SHIFT,
    LEFT_ALT = 16,
    RIGHT_ALT = 32,
    ALT = LEFT_ALT | RIGHT_ALT,
    MODIFIERS = 63,

    PRINT_UP = 0,
    PRINT_PLAIN = 1,
    PRINT_SHIFTED = 2, /* with Ctrl or Shift */
    PRINT_ALT = 3,

    E0 = 0x100, /* of a code: the prefix E0 */
    E1 = 0x200,

    SEQUENCE_MAX = 16,
    RELEASE_ROOM = 32, /* bytes of the queue that presses leave free */
};

/* The set 2 code of each set 1 code. */
static const uint8_t set2_codes[128] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x02, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x7f, 0x60, 0x61, 0x78, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f,
    0x47, 0x4f, 0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x57, 0x6f,
    0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62, 0x63, 0x64, 0x65, 0x67, 0x68, 0x6a, 0x6d, 0x6e,
};

enum {
    SET1_F7 = 0x41, /* these two are the only codes of set 2 above 7F */
    SET2_F7 = 0x83,
    SET1_SYSRQ = 0x54,
    SET2_SYSRQ = 0x84,
};

/* Set 1 codes of the keys from KEY_RO on. */
static const struct {
    uint16_t key, code;
} extended[] = {
    { KEY_RO, 0x73 },   { 92, 0x79 }, /* Henkan */
    { 93, 0x70 },                     /* Katakana, Hiragana */
    { 94, 0x7b },                     /* Muhenkan */
    { 95, 0x5c },                     /* keypad comma of the Japanese layout */
    { 96, E0 | 0x1c },                /* keypad Enter */
    { 97, E0 | 0x1d },                /* right Ctrl */
    { 98, E0 | 0x35 },                /* keypad slash */
    { 100, E0 | 0x38 },               /* right Alt */
    { 102, E0 | 0x47 },               /* Home */
    { 103, E0 | 0x48 },               /* up */
    { 104, E0 | 0x49 },               /* Page Up */
    { 105, E0 | 0x4b },               /* left */
    { 106, E0 | 0x4d },               /* right */
    { 107, E0 | 0x4f },               /* End */
    { 108, E0 | 0x50 },               /* down */
    { 109, E0 | 0x51 },               /* Page Down */
    { 110, E0 | 0x52 },               /* Insert */
    { 111, E0 | 0x53 },               /* Delete */
    { 113, E0 | 0x20 },               /* mute */
    { 114, E0 | 0x2e },               /* volume down */
    { 115, E0 | 0x30 },               /* volume up */
    { 116, E0 | 0x5e },               /* power */
    { 117, 0x59 },                    /* keypad equals */
    { 121, 0x7e },                    /* keypad comma of the Brazilian layout */
    { 124, 0x7d },                    /* Yen */
    { 125, E0 | 0x5b },               /* left Windows */
    { 126, E0 | 0x5c },               /* right Windows */
    { 127, E0 | 0x5d },               /* menu */
    { 128, E0 | 0x68 },               /* stop loading */
    { 140, E0 | 0x21 },               /* calculator */
    { 142, E0 | 0x5f },               /* sleep */
    { 143, E0 | 0x63 },               /* wake up */
    { 155, E0 | 0x6c },               /* mail */
    { 156, E0 | 0x66 },               /* bookmarks */
    { 157, E0 | 0x6b },               /* computer */
    { 158, E0 | 0x6a },               /* back */
    { 159, E0 | 0x69 },               /* forward */
    { 163, E0 | 0x19 },               /* next track */
    { 164, E0 | 0x22 },               /* play, pause */
    { 165, E0 | 0x10 },               /* previous track */
    { 166, E0 | 0x24 },               /* stop */
    { 172, E0 | 0x32 },               /* home page */
    { 173, E0 | 0x67 },               /* reload */
    { 183, 0x64 },                    /* F13.. */
    { 184, 0x65 },      { 185, 0x66 }, { 186, 0x67 }, { 187, 0x68 }, { 188, 0x69 }, { 189, 0x6a },
    { 190, 0x6b },      { 191, 0x6c }, { 192, 0x6d }, { 193, 0x6e }, { 194, 0x76 }, /* F24 */
    { 217, E0 | 0x65 },                                                             /* search */
    { 226, E0 | 0x6d }, /* media player */
};

uint8_t keyboard_set1_from_set2(uint8_t byte)
{
    if (byte == SET2_F7) {
        return SET1_F7;
    }
    if (byte == SET2_SYSRQ) {
        return SET1_SYSRQ;
    }
    for (uint8_t i = 0; i < sizeof(set2_codes); i++) {
        if (set2_codes[i] == byte) {
            return i;
        }
    }
    return byte;
}

/* --- Keys ------------------------------------------------------------------------------------- */

/* Bytes of one or several codes, collected before they are queued as a whole. */
struct sequence {
    uint8_t bytes[SEQUENCE_MAX];
    unsigned n;
};

static void sequence_add(struct sequence *s, uint8_t byte)
{
    if (s->n < SEQUENCE_MAX) {
        s->bytes[s->n++] = byte;
    }
}

/* A set 1 code with its prefix, in the set in use. */
static void code_add(const struct ps2_keyboard *k, struct sequence *s, unsigned code, bool down)
{
    uint8_t low = code & 0x7f;

    if (code & E0) {
        sequence_add(s, 0xe0);
    }
    if (code & E1) {
        sequence_add(s, 0xe1);
    }
    if (k->set == 1) {
        sequence_add(s, low | (down ? 0 : 0x80));
        return;
    }
    if (!down) {
        sequence_add(s, 0xf0);
    }
    if (code == SET1_F7) {
        sequence_add(s, SET2_F7);
    } else if (code == SET1_SYSRQ) {
        sequence_add(s, SET2_SYSRQ);
    } else {
        sequence_add(s, set2_codes[low]);
    }
}

/* The set 1 code of an ordinary key, 0 if the keyboard does not have it. */
static unsigned key_code(uint16_t key)
{
    if (key < KEY_RO) {
        /* 84 is nothing; 85 is the one key that the old keyboard did not have in its place. */
        return key == 85 ? 0x76 : key == 84 ? 0 : key;
    }
    for (unsigned i = 0; i < sizeof(extended) / sizeof(extended[0]); i++) {
        if (extended[i].key == key) {
            return extended[i].code;
        }
    }
    return 0;
}

static uint8_t modifier_of(uint16_t key)
{
    switch (key) {
    case KEY_LEFTCTRL:
        return LEFT_CTRL;
    case KEY_RIGHTCTRL:
        return RIGHT_CTRL;
    case KEY_LEFTSHIFT:
        return LEFT_SHIFT;
    case KEY_RIGHTSHIFT:
        return RIGHT_SHIFT;
    case KEY_LEFTALT:
        return LEFT_ALT;
    case KEY_RIGHTALT:
        return RIGHT_ALT;
    default:
        return 0;
    }
}

/* Print Screen sends a shift of its own unless one is down, and is another key with Alt. */
static void print_add(struct ps2_keyboard *k, struct sequence *s, bool down)
{
    uint8_t how = k->print;

    if (down) {
        how = k->modifiers & ALT              ? PRINT_ALT
              : k->modifiers & (CTRL | SHIFT) ? PRINT_SHIFTED
                                              : PRINT_PLAIN;
    }
    if (how == PRINT_PLAIN && down) {
        code_add(k, s, E0 | 0x2a, true);
    }
    if (how == PRINT_ALT) {
        code_add(k, s, SET1_SYSRQ, down);
    } else if (how != PRINT_UP) {
        code_add(k, s, E0 | 0x37, down);
    }
    if (how == PRINT_PLAIN && !down) {
        code_add(k, s, E0 | 0x2a, false);
    }
    k->print = down ? how : PRINT_UP;
}

/* Pause sends its release together with its press, and is Break with Ctrl. */
static void pause_add(const struct ps2_keyboard *k, struct sequence *s, bool down)
{
    if (!down) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (k->modifiers & CTRL) {
            code_add(k, s, E0 | 0x46, i == 0);
        } else {
            code_add(k, s, E1 | 0x1d, i == 0);
            code_add(k, s, 0x45, i == 0);
        }
    }
}

void keyboard_key(struct ps2_keyboard *k, uint16_t key, bool down)
{
    struct sequence s = { .n = 0 };
    uint8_t modifier = modifier_of(key);
    unsigned code = key_code(key);

    k->modifiers = down ? k->modifiers | modifier : k->modifiers & ~modifier;
    if (!k->scanning) {
        return;
    }
    if (key == KEY_SYSRQ) {
        print_add(k, &s, down);
    } else if (key == KEY_PAUSE) {
        pause_add(k, &s, down);
    } else if (code != 0) {
        code_add(k, &s, code, down);
    }
    if (s.n + (down ? RELEASE_ROOM : 0) <= ps2_queue_room(&k->keys)) {
        for (unsigned i = 0; i < s.n; i++) {
            ps2_queue_put(&k->keys, s.bytes[i]);
        }
    }
}

/* --- Commands --------------------------------------------------------------------------------- */

static void defaults_set(struct ps2_keyboard *k)
{
    ps2_queue_clear(&k->keys);
    k->set = 2;
    k->leds = 0;
    k->command = 0;
    k->print = PRINT_UP;
}

static bool refuse(struct ps2_keyboard *k)
{
    ps2_queue_put(&k->answers, PS2_RESEND);
    return false;
}

/* The byte after a command that has one. */
static bool argument_write(struct ps2_keyboard *k, uint8_t byte)
{
    uint8_t command = k->command;

    k->command = 0;
    if (command == SCAN_CODE_SET && byte > 2) {
        return refuse(k);
    }
    ps2_queue_put(&k->answers, PS2_ACKNOWLEDGE);
    if (command == SET_LEDS) {
        k->leds = byte & 7;
    } else if (command == SCAN_CODE_SET) {
        if (byte == 0) {
            ps2_queue_put(&k->answers, k->set);
        } else {
            k->set = byte;
            ps2_queue_clear(&k->keys);
        }
    }
    return true;
}

bool keyboard_write(struct ps2_keyboard *k, uint8_t byte)
{
    ps2_queue_clear(&k->answers);
    if (k->command != 0 && byte < COMMAND_FIRST) {
        return argument_write(k, byte);
    }
    k->command = 0;
    ps2_queue_put(&k->answers, PS2_ACKNOWLEDGE);
    switch (byte) {
    case SET_LEDS:
    case SCAN_CODE_SET:
    case SET_RATE:
        k->command = byte;
        return true;
    case IDENTIFY:
        ps2_queue_put(&k->answers, 0xab);
        ps2_queue_put(&k->answers, 0x83);
        return true;
    case ENABLE:
        ps2_queue_clear(&k->keys);
        k->scanning = true;
        return true;
    case DISABLE:
        defaults_set(k);
        k->scanning = false;
        return true;
    case DEFAULTS:
        defaults_set(k);
        return true;
    case ALL_KEYS_FIRST ... ALL_KEYS_LAST:
        return true;
    case RESET:
        defaults_set(k);
        k->scanning = true;
        ps2_queue_put(&k->answers, PS2_SELF_TEST_PASSED);
        return true;
    }
    ps2_queue_clear(&k->answers); /* the others are not acknowledged */
    if (byte == ECHO || byte == RESEND) {
        ps2_queue_put(&k->answers, byte == ECHO ? ECHO : k->last);
        return true;
    }
    return refuse(k);
}

bool keyboard_take(struct ps2_keyboard *k, uint8_t *byte)
{
    if (k->answers.count > 0) {
        *byte = ps2_queue_take(&k->answers);
    } else if (k->keys.count > 0 && k->command == 0) {
        *byte = ps2_queue_take(&k->keys);
    } else {
        return false;
    }
    k->last = *byte;
    return true;
}

void keyboard_reset(struct ps2_keyboard *k)
{
    *k = (struct ps2_keyboard){ .scanning = true };
    defaults_set(k);
}

const struct state_field ps2_queue_fields[] = {
    FIELD_ARRAY(struct ps2_queue, bytes),
    FIELD_MAX(struct ps2_queue, head, PS2_QUEUE_SIZE - 1),
    FIELD_MAX(struct ps2_queue, count, PS2_QUEUE_SIZE),
    FIELD_END,
};

const struct state_field ps2_keyboard_fields[] = {
    FIELD_STRUCT(struct ps2_keyboard, answers, ps2_queue_fields),
    FIELD_STRUCT(struct ps2_keyboard, keys, ps2_queue_fields),
    FIELD(struct ps2_keyboard, command),
    FIELD_MAX(struct ps2_keyboard, set, 2),
    FIELD(struct ps2_keyboard, scanning),
    FIELD_MAX(struct ps2_keyboard, leds, 7),
    FIELD_MAX(struct ps2_keyboard, modifiers, MODIFIERS),
    FIELD_MAX(struct ps2_keyboard, print, PRINT_ALT),
    FIELD(struct ps2_keyboard, last),
    FIELD_END,
};
