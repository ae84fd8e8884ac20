/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See keys.h. */
#include "input/keys.h"

#include <linux/input-event-codes.h>
#include <stddef.h>
#include <strings.h>

struct name {
    const char *name;
    uint16_t code;
};

static const struct name names[] = {
    { "esc", KEY_ESC },
    { "escape", KEY_ESC },
    { "ctrl", KEY_LEFTCTRL },
    { "control", KEY_LEFTCTRL },
    { "rightctrl", KEY_RIGHTCTRL },
    { "shift", KEY_LEFTSHIFT },
    { "rightshift", KEY_RIGHTSHIFT },
    { "alt", KEY_LEFTALT },
    { "altgr", KEY_RIGHTALT },
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

/* XT codes that follow 0xe0, and the few plain ones that evdev numbers otherwise. */
static const struct {
    uint8_t xt;
    uint16_t code;
} xt_extended[] = {
    { 0x10, KEY_PREVIOUSSONG }, { 0x19, KEY_NEXTSONG },  { 0x1c, KEY_KPENTER },
    { 0x1d, KEY_RIGHTCTRL },    { 0x20, KEY_MUTE },      { 0x21, KEY_CALC },
    { 0x22, KEY_PLAYPAUSE },    { 0x24, KEY_STOPCD },    { 0x2e, KEY_VOLUMEDOWN },
    { 0x30, KEY_VOLUMEUP },     { 0x32, KEY_HOMEPAGE },  { 0x35, KEY_KPSLASH },
    { 0x37, KEY_SYSRQ },        { 0x38, KEY_RIGHTALT },  { 0x46, KEY_PAUSE },
    { 0x47, KEY_HOME },         { 0x48, KEY_UP },        { 0x49, KEY_PAGEUP },
    { 0x4b, KEY_LEFT },         { 0x4d, KEY_RIGHT },     { 0x4f, KEY_END },
    { 0x50, KEY_DOWN },         { 0x51, KEY_PAGEDOWN },  { 0x52, KEY_INSERT },
    { 0x53, KEY_DELETE },       { 0x5b, KEY_LEFTMETA },  { 0x5c, KEY_RIGHTMETA },
    { 0x5d, KEY_COMPOSE },      { 0x5e, KEY_POWER },     { 0x5f, KEY_SLEEP },
    { 0x63, KEY_WAKEUP },       { 0x65, KEY_SEARCH },    { 0x66, KEY_BOOKMARKS },
    { 0x67, KEY_REFRESH },      { 0x68, KEY_STOP },      { 0x69, KEY_FORWARD },
    { 0x6a, KEY_BACK },         { 0x6b, KEY_COMPUTER },  { 0x6c, KEY_MAIL },
    { 0x6d, KEY_MEDIA },
}, xt_plain[] = {
    { 0x54, KEY_SYSRQ },  { 0x59, KEY_KPEQUAL },  { 0x70, KEY_KATAKANAHIRAGANA },
    { 0x73, KEY_RO },     { 0x79, KEY_HENKAN },   { 0x7b, KEY_MUHENKAN },
    { 0x7d, KEY_YEN },    { 0x7e, KEY_KPCOMMA },
};

/* Keysyms 0xff00 and up (X11/keysymdef.h) that have a key. */
static const struct {
    uint16_t keysym;
    uint16_t code;
} keysyms[] = {
    { 0xff08, KEY_BACKSPACE },  { 0xff09, KEY_TAB },        { 0xff0d, KEY_ENTER },
    { 0xff13, KEY_PAUSE },      { 0xff14, KEY_SCROLLLOCK }, { 0xff15, KEY_SYSRQ },
    { 0xff1b, KEY_ESC },        { 0xff50, KEY_HOME },       { 0xff51, KEY_LEFT },
    { 0xff52, KEY_UP },         { 0xff53, KEY_RIGHT },      { 0xff54, KEY_DOWN },
    { 0xff55, KEY_PAGEUP },     { 0xff56, KEY_PAGEDOWN },   { 0xff57, KEY_END },
    { 0xff61, KEY_SYSRQ },      { 0xff63, KEY_INSERT },     { 0xff67, KEY_COMPOSE },
    { 0xff6b, KEY_PAUSE },      { 0xff7f, KEY_NUMLOCK },    { 0xff8d, KEY_KPENTER },
    { 0xff95, KEY_KP7 },        { 0xff96, KEY_KP4 },        { 0xff97, KEY_KP8 },
    { 0xff98, KEY_KP6 },        { 0xff99, KEY_KP2 },        { 0xff9a, KEY_KP9 },
    { 0xff9b, KEY_KP3 },        { 0xff9c, KEY_KP1 },        { 0xff9d, KEY_KP5 },
    { 0xff9e, KEY_KP0 },        { 0xff9f, KEY_KPDOT },      { 0xffaa, KEY_KPASTERISK },
    { 0xffab, KEY_KPPLUS },     { 0xffad, KEY_KPMINUS },    { 0xffae, KEY_KPDOT },
    { 0xffaf, KEY_KPSLASH },    { 0xffb0, KEY_KP0 },        { 0xffb1, KEY_KP1 },
    { 0xffb2, KEY_KP2 },        { 0xffb3, KEY_KP3 },        { 0xffb4, KEY_KP4 },
    { 0xffb5, KEY_KP5 },        { 0xffb6, KEY_KP6 },        { 0xffb7, KEY_KP7 },
    { 0xffb8, KEY_KP8 },        { 0xffb9, KEY_KP9 },        { 0xffbe, KEY_F1 },
    { 0xffbf, KEY_F2 },         { 0xffc0, KEY_F3 },         { 0xffc1, KEY_F4 },
    { 0xffc2, KEY_F5 },         { 0xffc3, KEY_F6 },         { 0xffc4, KEY_F7 },
    { 0xffc5, KEY_F8 },         { 0xffc6, KEY_F9 },         { 0xffc7, KEY_F10 },
    { 0xffc8, KEY_F11 },        { 0xffc9, KEY_F12 },        { 0xffe1, KEY_LEFTSHIFT },
    { 0xffe2, KEY_RIGHTSHIFT }, { 0xffe3, KEY_LEFTCTRL },   { 0xffe4, KEY_RIGHTCTRL },
    { 0xffe5, KEY_CAPSLOCK },   { 0xffe7, KEY_LEFTMETA },   { 0xffe8, KEY_RIGHTMETA },
    { 0xffe9, KEY_LEFTALT },    { 0xffea, KEY_RIGHTALT },   { 0xffeb, KEY_LEFTMETA },
    { 0xffec, KEY_RIGHTMETA },  { 0xffff, KEY_DELETE },     { 0xfe03, KEY_RIGHTALT },
    { 0xfe20, KEY_TAB },
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

uint16_t key_from_xt(uint32_t scancode)
{
    if (scancode & 0x80) {
        for (size_t i = 0; i < COUNT(xt_extended); i++) {
            if (xt_extended[i].xt == (scancode & 0x7f)) {
                return scancode <= 0xff ? xt_extended[i].code : 0;
            }
        }
        return 0;
    }
    for (size_t i = 0; i < COUNT(xt_plain); i++) {
        if (xt_plain[i].xt == scancode) {
            return xt_plain[i].code;
        }
    }
    /* evdev took over the numbers of the original keyboard. */
    return scancode >= KEY_ESC && scancode <= KEY_F12 ? (uint16_t)scancode : 0;
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
