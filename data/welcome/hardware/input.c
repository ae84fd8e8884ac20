/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The controller translates the keyboard's codes to set 1; the mouse sends packets of three bytes.
 * The BIOS has set the keyboard up; the mouse is switched on here.
 */
#include "input.h"
#include "io.h"

#define DATA       0x60
#define STATUS     0x64
#define FULL       0x01
#define BUSY       0x02
#define FROM_MOUSE 0x20
#define PATIENCE   20000

static const char plain[] =
    "\0\0331234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift, extended;
static uint8_t packet[3];
static unsigned packet_size;

static void controller_ready(void)
{
    for (unsigned i = 0; i < PATIENCE && inb(STATUS) & BUSY; i++) {
    }
}

static void controller_command(uint8_t command)
{
    controller_ready();
    outb(STATUS, command);
}

static void controller_write(uint8_t value)
{
    controller_ready();
    outb(DATA, value);
}

static uint8_t controller_read(void)
{
    for (unsigned i = 0; i < PATIENCE && !(inb(STATUS) & FULL); i++) {
    }
    return inb(DATA);
}

static void mouse_command(uint8_t command)
{
    controller_command(0xD4);
    controller_write(command);
    controller_read(); /* acknowledged */
}

void input_start(void)
{
    uint8_t config;

    while (inb(STATUS) & FULL)
        inb(DATA);
    controller_command(0xA8);
    controller_command(0x20);
    config = controller_read();
    controller_command(0x60);
    controller_write((uint8_t)((config | 0x43) & ~0x30)); /* both interrupts, translate, both on */
    mouse_command(0xF6);                                  /* defaults */
    mouse_command(0xF4);                                  /* report */
}

static unsigned key_of(uint8_t code)
{
    static const uint8_t arrows[] = {
        [0x48] = KEY_UP, [0x4B] = KEY_LEFT, [0x4D] = KEY_RIGHT, [0x50] = KEY_DOWN
    };

    if (extended)
        return code < sizeof(arrows) && arrows[code] ? arrows[code]
               : code == 0x1C                        ? KEY_ENTER
               : code == 0x35                        ? '/'
                                                     : KEY_OTHER;
    switch (code) {
    case 0x01:
        return KEY_ESCAPE;
    case 0x0E:
        return KEY_BACKSPACE;
    case 0x0F:
        return KEY_TAB;
    case 0x1C:
        return KEY_ENTER;
    case 0x57:
    case 0x58:
        return KEY_F1 + 10 + (code - 0x57u);
    }
    if (code >= 0x3B && code <= 0x44)
        return KEY_F1 + (code - 0x3Bu);
    if (code < sizeof(plain) - 1 && plain[code])
        return (uint8_t)(shift ? shifted : plain)[code];
    return code < sizeof(arrows) && arrows[code] ? arrows[code] : KEY_OTHER;
}

static unsigned keyboard_byte(uint8_t byte)
{
    uint8_t code = byte & 0x7F;
    bool released = byte & 0x80;
    unsigned key = KEY_NONE;

    if (byte == 0xE0) {
        extended = true;
        return KEY_NONE;
    }
    if (code == 0x2A || code == 0x36) {
        if (!extended) /* E0 2A is part of other keys */
            shift = !released;
    } else if (!released) {
        key = key_of(code);
    }
    extended = false;
    return key;
}

/* Packet: buttons, signs and overflow; x; y. The first byte always has bit 3. */
static bool mouse_byte(uint8_t byte, struct input *input)
{
    if (packet_size == 0 && !(byte & 8))
        return false;
    packet[packet_size++] = byte;
    if (packet_size < sizeof(packet))
        return false;
    packet_size = 0;
    input->moved = true;
    input->buttons = packet[0] & 7;
    input->dx = packet[1] - (packet[0] & 0x10 ? 256 : 0);
    input->dy = -(packet[2] - (packet[0] & 0x20 ? 256 : 0));
    return true;
}

bool input_take(struct input *input)
{
    uint8_t status;

    *input = (struct input){ .key = KEY_NONE };
    while ((status = inb(STATUS)) & FULL) {
        uint8_t byte = inb(DATA);
        if (status & FROM_MOUSE) {
            if (mouse_byte(byte, input))
                return true;
        } else {
            input->key = keyboard_byte(byte);
            if (input->key != KEY_NONE)
                return true;
        }
    }
    return false;
}

const char *key_name(unsigned key)
{
    static const char *const names[] = {
        "Up", "Down", "Left", "Right", "Escape", "Enter", "Tab", "Backspace", "F1",  "F2",  "F3",
        "F4", "F5",   "F6",   "F7",    "F8",     "F9",    "F10", "F11",       "F12", "key",
    };
    static char text[2];

    if (key == ' ')
        return "Space";
    if (key >= KEY_UP && key <= KEY_OTHER)
        return names[key - KEY_UP];
    text[0] = (char)key;
    return text;
}
