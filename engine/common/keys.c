/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See keys.h. XT codes: "Keyboard Scan Code Specification" (Microsoft), set 1, and the codes of
 * Japanese and Korean keyboards as Linux's atkbd driver reads them.
 */
#include "common/keys.h"

#include <linux/input-event-codes.h>
#include <stddef.h>
#include <strings.h>

enum {
    EXTENDED = 0x80,
    ALT_SYSRQ = 0x54, /* the XT code of SysRq while Alt is held */
};

struct name {
    const char *name;
    uint16_t code;
};

static const struct name names[] = {
    { "esc", KEY_ESC },
    { "escape", KEY_ESC },
    { "ctrl", KEY_LEFTCTRL },
    { "control", KEY_LEFTCTRL },
    { "leftctrl", KEY_LEFTCTRL },
    { "rightctrl", KEY_RIGHTCTRL },
    { "shift", KEY_LEFTSHIFT },
    { "leftshift", KEY_LEFTSHIFT },
    { "rightshift", KEY_RIGHTSHIFT },
    { "alt", KEY_LEFTALT },
    { "leftalt", KEY_LEFTALT },
    { "altgr", KEY_RIGHTALT },
    { "rightalt", KEY_RIGHTALT },
    { "super", KEY_LEFTMETA },
    { "meta", KEY_LEFTMETA },
    { "win", KEY_LEFTMETA },
    { "rightsuper", KEY_RIGHTMETA },
    { "menu", KEY_COMPOSE },
    { "enter", KEY_ENTER },
    { "return", KEY_ENTER },
    { "tab", KEY_TAB },
    { "space", KEY_SPACE },
    { "backspace", KEY_BACKSPACE },
    { "delete", KEY_DELETE },
    { "del", KEY_DELETE },
    { "insert", KEY_INSERT },
    { "ins", KEY_INSERT },
    { "home", KEY_HOME },
    { "end", KEY_END },
    { "pageup", KEY_PAGEUP },
    { "pgup", KEY_PAGEUP },
    { "pagedown", KEY_PAGEDOWN },
    { "pgdn", KEY_PAGEDOWN },
    { "up", KEY_UP },
    { "down", KEY_DOWN },
    { "left", KEY_LEFT },
    { "right", KEY_RIGHT },
    { "print", KEY_SYSRQ },
    { "sysrq", KEY_SYSRQ },
    { "pause", KEY_PAUSE },
    { "capslock", KEY_CAPSLOCK },
    { "numlock", KEY_NUMLOCK },
    { "scrolllock", KEY_SCROLLLOCK },
    { "minus", KEY_MINUS },
    { "equal", KEY_EQUAL },
    { "comma", KEY_COMMA },
    { "dot", KEY_DOT },
    { "period", KEY_DOT },
    { "slash", KEY_SLASH },
    { "backslash", KEY_BACKSLASH },
    { "semicolon", KEY_SEMICOLON },
    { "apostrophe", KEY_APOSTROPHE },
    { "grave", KEY_GRAVE },
    { "leftbrace", KEY_LEFTBRACE },
    { "rightbrace", KEY_RIGHTBRACE },
    { "102nd", KEY_102ND },
    { "f1", KEY_F1 },
    { "f2", KEY_F2 },
    { "f3", KEY_F3 },
    { "f4", KEY_F4 },
    { "f5", KEY_F5 },
    { "f6", KEY_F6 },
    { "f7", KEY_F7 },
    { "f8", KEY_F8 },
    { "f9", KEY_F9 },
    { "f10", KEY_F10 },
    { "f11", KEY_F11 },
    { "f12", KEY_F12 },
    { "kp0", KEY_KP0 },
    { "kp1", KEY_KP1 },
    { "kp2", KEY_KP2 },
    { "kp3", KEY_KP3 },
    { "kp4", KEY_KP4 },
    { "kp5", KEY_KP5 },
    { "kp6", KEY_KP6 },
    { "kp7", KEY_KP7 },
    { "kp8", KEY_KP8 },
    { "kp9", KEY_KP9 },
    { "kpenter", KEY_KPENTER },
    { "kpplus", KEY_KPPLUS },
    { "kpminus", KEY_KPMINUS },
    { "kpasterisk", KEY_KPASTERISK },
    { "kpslash", KEY_KPSLASH },
    { "kpdot", KEY_KPDOT },
};

/* The keys of a US keyboard with what they give alone and with Shift. */
static const struct {
    uint16_t code;
    char plain, shifted;
} us_layout[] = {
    { KEY_1, '1', '!' },          { KEY_2, '2', '@' },           { KEY_3, '3', '#' },
    { KEY_4, '4', '$' },          { KEY_5, '5', '%' },           { KEY_6, '6', '^' },
    { KEY_7, '7', '&' },          { KEY_8, '8', '*' },           { KEY_9, '9', '(' },
    { KEY_0, '0', ')' },          { KEY_MINUS, '-', '_' },       { KEY_EQUAL, '=', '+' },
    { KEY_Q, 'q', 'Q' },          { KEY_W, 'w', 'W' },           { KEY_E, 'e', 'E' },
    { KEY_R, 'r', 'R' },          { KEY_T, 't', 'T' },           { KEY_Y, 'y', 'Y' },
    { KEY_U, 'u', 'U' },          { KEY_I, 'i', 'I' },           { KEY_O, 'o', 'O' },
    { KEY_P, 'p', 'P' },          { KEY_LEFTBRACE, '[', '{' },   { KEY_RIGHTBRACE, ']', '}' },
    { KEY_A, 'a', 'A' },          { KEY_S, 's', 'S' },           { KEY_D, 'd', 'D' },
    { KEY_F, 'f', 'F' },          { KEY_G, 'g', 'G' },           { KEY_H, 'h', 'H' },
    { KEY_J, 'j', 'J' },          { KEY_K, 'k', 'K' },           { KEY_L, 'l', 'L' },
    { KEY_SEMICOLON, ';', ':' },  { KEY_APOSTROPHE, '\'', '"' }, { KEY_GRAVE, '`', '~' },
    { KEY_BACKSLASH, '\\', '|' }, { KEY_Z, 'z', 'Z' },           { KEY_X, 'x', 'X' },
    { KEY_C, 'c', 'C' },          { KEY_V, 'v', 'V' },           { KEY_B, 'b', 'B' },
    { KEY_N, 'n', 'N' },          { KEY_M, 'm', 'M' },           { KEY_COMMA, ',', '<' },
    { KEY_DOT, '.', '>' },        { KEY_SLASH, '/', '?' },       { KEY_SPACE, ' ', ' ' },
    { KEY_ENTER, '\n', '\n' },    { KEY_TAB, '\t', '\t' },       { KEY_ENTER, '\r', '\r' },
};

/* What follows 0xe0 has bit 7; plain codes are here where evdev numbers the key otherwise. */
static const struct {
    uint16_t code;
    uint8_t xt;
} xt_codes[] = {
    { KEY_ZENKAKUHANKAKU, 0x76 },
    { KEY_RO, 0x73 },
    { KEY_KATAKANA, 0x78 },
    { KEY_HIRAGANA, 0x77 },
    { KEY_HENKAN, 0x79 },
    { KEY_KATAKANAHIRAGANA, 0x70 },
    { KEY_MUHENKAN, 0x7b },
    { KEY_KPENTER, EXTENDED | 0x1c },
    { KEY_RIGHTCTRL, EXTENDED | 0x1d },
    { KEY_KPSLASH, EXTENDED | 0x35 },
    { KEY_SYSRQ, EXTENDED | 0x37 },
    { KEY_RIGHTALT, EXTENDED | 0x38 },
    { KEY_HOME, EXTENDED | 0x47 },
    { KEY_UP, EXTENDED | 0x48 },
    { KEY_PAGEUP, EXTENDED | 0x49 },
    { KEY_LEFT, EXTENDED | 0x4b },
    { KEY_RIGHT, EXTENDED | 0x4d },
    { KEY_END, EXTENDED | 0x4f },
    { KEY_DOWN, EXTENDED | 0x50 },
    { KEY_PAGEDOWN, EXTENDED | 0x51 },
    { KEY_INSERT, EXTENDED | 0x52 },
    { KEY_DELETE, EXTENDED | 0x53 },
    { KEY_MUTE, EXTENDED | 0x20 },
    { KEY_VOLUMEDOWN, EXTENDED | 0x2e },
    { KEY_VOLUMEUP, EXTENDED | 0x30 },
    { KEY_POWER, EXTENDED | 0x5e },
    { KEY_KPEQUAL, 0x59 },
    { KEY_PAUSE, EXTENDED | 0x46 },
    { KEY_KPCOMMA, 0x7e },
    { KEY_HANGEUL, 0x72 },
    { KEY_HANJA, 0x71 },
    { KEY_YEN, 0x7d },
    { KEY_LEFTMETA, EXTENDED | 0x5b },
    { KEY_RIGHTMETA, EXTENDED | 0x5c },
    { KEY_COMPOSE, EXTENDED | 0x5d },
    { KEY_STOP, EXTENDED | 0x68 },
    { KEY_CALC, EXTENDED | 0x21 },
    { KEY_SLEEP, EXTENDED | 0x5f },
    { KEY_WAKEUP, EXTENDED | 0x63 },
    { KEY_MAIL, EXTENDED | 0x6c },
    { KEY_BOOKMARKS, EXTENDED | 0x66 },
    { KEY_COMPUTER, EXTENDED | 0x6b },
    { KEY_BACK, EXTENDED | 0x6a },
    { KEY_FORWARD, EXTENDED | 0x69 },
    { KEY_NEXTSONG, EXTENDED | 0x19 },
    { KEY_PLAYPAUSE, EXTENDED | 0x22 },
    { KEY_PREVIOUSSONG, EXTENDED | 0x10 },
    { KEY_STOPCD, EXTENDED | 0x24 },
    { KEY_HOMEPAGE, EXTENDED | 0x32 },
    { KEY_REFRESH, EXTENDED | 0x67 },
    { KEY_SEARCH, EXTENDED | 0x65 },
    { KEY_MEDIA, EXTENDED | 0x6d },
    { KEY_SYSRQ, ALT_SYSRQ },
};

/* Keysyms 0xfe00 and up (X11/keysymdef.h) that have a key. The first of a key is its own, the
 * others are what it gives with NumLock off, or what some layouts call it. */
static const struct {
    uint16_t keysym;
    uint16_t code;
} keysyms[] = {
    { 0xff1b, KEY_ESC },        { 0xffe3, KEY_LEFTCTRL },   { 0xffe4, KEY_RIGHTCTRL },
    { 0xffe1, KEY_LEFTSHIFT },  { 0xffe2, KEY_RIGHTSHIFT }, { 0xffe9, KEY_LEFTALT },
    { 0xfe03, KEY_RIGHTALT },   { 0xffeb, KEY_LEFTMETA },   { 0xffec, KEY_RIGHTMETA },
    { 0xff67, KEY_COMPOSE },    { 0xff0d, KEY_ENTER },      { 0xff09, KEY_TAB },
    { 0xff08, KEY_BACKSPACE },  { 0xffff, KEY_DELETE },     { 0xff63, KEY_INSERT },
    { 0xff50, KEY_HOME },       { 0xff57, KEY_END },        { 0xff55, KEY_PAGEUP },
    { 0xff56, KEY_PAGEDOWN },   { 0xff52, KEY_UP },         { 0xff54, KEY_DOWN },
    { 0xff51, KEY_LEFT },       { 0xff53, KEY_RIGHT },      { 0xff61, KEY_SYSRQ },
    { 0xff13, KEY_PAUSE },      { 0xffe5, KEY_CAPSLOCK },   { 0xff7f, KEY_NUMLOCK },
    { 0xff14, KEY_SCROLLLOCK }, { 0xffbe, KEY_F1 },         { 0xffbf, KEY_F2 },
    { 0xffc0, KEY_F3 },         { 0xffc1, KEY_F4 },         { 0xffc2, KEY_F5 },
    { 0xffc3, KEY_F6 },         { 0xffc4, KEY_F7 },         { 0xffc5, KEY_F8 },
    { 0xffc6, KEY_F9 },         { 0xffc7, KEY_F10 },        { 0xffc8, KEY_F11 },
    { 0xffc9, KEY_F12 },        { 0xffb0, KEY_KP0 },        { 0xffb1, KEY_KP1 },
    { 0xffb2, KEY_KP2 },        { 0xffb3, KEY_KP3 },        { 0xffb4, KEY_KP4 },
    { 0xffb5, KEY_KP5 },        { 0xffb6, KEY_KP6 },        { 0xffb7, KEY_KP7 },
    { 0xffb8, KEY_KP8 },        { 0xffb9, KEY_KP9 },        { 0xff8d, KEY_KPENTER },
    { 0xffab, KEY_KPPLUS },     { 0xffad, KEY_KPMINUS },    { 0xffaa, KEY_KPASTERISK },
    { 0xffaf, KEY_KPSLASH },    { 0xffae, KEY_KPDOT },

    { 0xff15, KEY_SYSRQ },      { 0xff6b, KEY_PAUSE },      { 0xff95, KEY_KP7 },
    { 0xff96, KEY_KP4 },        { 0xff97, KEY_KP8 },        { 0xff98, KEY_KP6 },
    { 0xff99, KEY_KP2 },        { 0xff9a, KEY_KP9 },        { 0xff9b, KEY_KP3 },
    { 0xff9c, KEY_KP1 },        { 0xff9d, KEY_KP5 },        { 0xff9e, KEY_KP0 },
    { 0xff9f, KEY_KPDOT },      { 0xffe7, KEY_LEFTMETA },   { 0xffe8, KEY_RIGHTMETA },
    { 0xffea, KEY_RIGHTALT },   { 0xfe20, KEY_TAB },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint16_t key_from_name(const char *name)
{
    uint16_t code;
    bool shift;

    if (strncasecmp(name, "KEY_", 4) == 0) {
        name += 4;
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            return names[i].code;
        }
    }
    if (name[0] && !name[1]) {
        char lower = name[0] >= 'A' && name[0] <= 'Z' ? (char)(name[0] - 'A' + 'a') : name[0];

        if (key_from_character((unsigned char)lower, &code, &shift) && !shift) {
            return code;
        }
    }
    return 0;
}

bool key_from_character(uint32_t character, uint16_t *code, bool *shift)
{
    for (size_t i = 0; i < COUNT(us_layout); i++) {
        bool plain = (uint8_t)us_layout[i].plain == character;

        if (plain || (uint8_t)us_layout[i].shifted == character) {
            *code = us_layout[i].code;
            *shift = !plain;
            return true;
        }
    }
    return false;
}

/* evdev took over the numbers of the original keyboard, and put a key of its own into a gap. */
static bool is_same_in_xt(uint32_t number)
{
    return number >= KEY_ESC && number <= KEY_F12 && number != ALT_SYSRQ &&
           number != KEY_ZENKAKUHANKAKU;
}

uint16_t key_from_xt(uint32_t scancode)
{
    for (size_t i = 0; i < COUNT(xt_codes); i++) {
        if (xt_codes[i].xt == scancode) {
            return xt_codes[i].code;
        }
    }
    return is_same_in_xt(scancode) ? (uint16_t)scancode : 0;
}

uint8_t key_to_xt(uint16_t code)
{
    if (is_same_in_xt(code)) {
        return (uint8_t)code;
    }
    for (size_t i = 0; i < COUNT(xt_codes); i++) {
        if (xt_codes[i].code == code) {
            return xt_codes[i].xt;
        }
    }
    return 0;
}

uint16_t key_from_keysym(uint32_t keysym)
{
    uint16_t code;
    bool shift;

    if (keysym < 0x80) {
        return key_from_character(keysym, &code, &shift) ? code : 0;
    }
    for (size_t i = 0; i < COUNT(keysyms); i++) {
        if (keysyms[i].keysym == keysym) {
            return keysyms[i].code;
        }
    }
    return 0;
}

uint32_t key_to_keysym(uint16_t code)
{
    for (size_t i = 0; i < COUNT(keysyms); i++) {
        if (keysyms[i].code == code) {
            return keysyms[i].keysym;
        }
    }
    for (size_t i = 0; i < COUNT(us_layout); i++) {
        if (us_layout[i].code == code) {
            return (uint8_t)us_layout[i].plain;
        }
    }
    return code == KEY_102ND ? '<' : 0;
}
