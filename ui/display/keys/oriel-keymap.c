/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-keymap.h. XT codes: "Keyboard Scan Code Specification" (Microsoft), set 1, and the
 * codes of Japanese and Korean keyboards as Linux's atkbd driver reads them; evdev numbered the
 * keys of the original keyboard after XT.
 */
#include "oriel-keymap.h"

#include <gdk/gdkkeysyms.h>
#include <linux/input-event-codes.h>
#include <string.h>

enum {
    HARDWARE_OFFSET = 8, /* X11 has no keycodes below 8 */
    EXTENDED = 0x80,
};

struct key_name {
    const char *name;
    guint code;
};

static const struct {
    guint code, xt;
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
};

/* Keys that give no character, with their keysym and what users call them. */
static const struct {
    guint code, keysym;
    const char *names[4];
} named_keys[] = {
    { KEY_ESC, GDK_KEY_Escape, { "esc", "escape" } },
    { KEY_LEFTCTRL, GDK_KEY_Control_L, { "ctrl", "control", "leftctrl" } },
    { KEY_RIGHTCTRL, GDK_KEY_Control_R, { "rightctrl" } },
    { KEY_LEFTSHIFT, GDK_KEY_Shift_L, { "shift", "leftshift" } },
    { KEY_RIGHTSHIFT, GDK_KEY_Shift_R, { "rightshift" } },
    { KEY_LEFTALT, GDK_KEY_Alt_L, { "alt", "leftalt" } },
    { KEY_RIGHTALT, GDK_KEY_ISO_Level3_Shift, { "altgr", "rightalt" } },
    { KEY_LEFTMETA, GDK_KEY_Super_L, { "super", "meta", "win" } },
    { KEY_RIGHTMETA, GDK_KEY_Super_R, { "rightsuper" } },
    { KEY_COMPOSE, GDK_KEY_Menu, { "menu" } },
    { KEY_ENTER, GDK_KEY_Return, { "enter", "return" } },
    { KEY_TAB, GDK_KEY_Tab, { "tab" } },
    { KEY_SPACE, GDK_KEY_space, { "space" } },
    { KEY_BACKSPACE, GDK_KEY_BackSpace, { "backspace" } },
    { KEY_DELETE, GDK_KEY_Delete, { "delete", "del" } },
    { KEY_INSERT, GDK_KEY_Insert, { "insert", "ins" } },
    { KEY_HOME, GDK_KEY_Home, { "home" } },
    { KEY_END, GDK_KEY_End, { "end" } },
    { KEY_PAGEUP, GDK_KEY_Page_Up, { "pageup", "pgup" } },
    { KEY_PAGEDOWN, GDK_KEY_Page_Down, { "pagedown", "pgdn" } },
    { KEY_UP, GDK_KEY_Up, { "up" } },
    { KEY_DOWN, GDK_KEY_Down, { "down" } },
    { KEY_LEFT, GDK_KEY_Left, { "left" } },
    { KEY_RIGHT, GDK_KEY_Right, { "right" } },
    { KEY_SYSRQ, GDK_KEY_Print, { "print", "sysrq" } },
    { KEY_PAUSE, GDK_KEY_Pause, { "pause" } },
    { KEY_CAPSLOCK, GDK_KEY_Caps_Lock, { "capslock" } },
    { KEY_NUMLOCK, GDK_KEY_Num_Lock, { "numlock" } },
    { KEY_SCROLLLOCK, GDK_KEY_Scroll_Lock, { "scrolllock" } },
    { KEY_MINUS, GDK_KEY_minus, { "minus" } },
    { KEY_EQUAL, GDK_KEY_equal, { "equal" } },
    { KEY_COMMA, GDK_KEY_comma, { "comma" } },
    { KEY_DOT, GDK_KEY_period, { "dot", "period" } },
    { KEY_SLASH, GDK_KEY_slash, { "slash" } },
    { KEY_BACKSLASH, GDK_KEY_backslash, { "backslash" } },
    { KEY_SEMICOLON, GDK_KEY_semicolon, { "semicolon" } },
    { KEY_APOSTROPHE, GDK_KEY_apostrophe, { "apostrophe" } },
    { KEY_GRAVE, GDK_KEY_grave, { "grave" } },
    { KEY_LEFTBRACE, GDK_KEY_bracketleft, { "leftbrace" } },
    { KEY_RIGHTBRACE, GDK_KEY_bracketright, { "rightbrace" } },
    { KEY_102ND, GDK_KEY_less, { "102nd" } },
    { KEY_F1, GDK_KEY_F1, { "f1" } },
    { KEY_F2, GDK_KEY_F2, { "f2" } },
    { KEY_F3, GDK_KEY_F3, { "f3" } },
    { KEY_F4, GDK_KEY_F4, { "f4" } },
    { KEY_F5, GDK_KEY_F5, { "f5" } },
    { KEY_F6, GDK_KEY_F6, { "f6" } },
    { KEY_F7, GDK_KEY_F7, { "f7" } },
    { KEY_F8, GDK_KEY_F8, { "f8" } },
    { KEY_F9, GDK_KEY_F9, { "f9" } },
    { KEY_F10, GDK_KEY_F10, { "f10" } },
    { KEY_F11, GDK_KEY_F11, { "f11" } },
    { KEY_F12, GDK_KEY_F12, { "f12" } },
    { KEY_KP0, GDK_KEY_KP_0, { "kp0" } },
    { KEY_KP1, GDK_KEY_KP_1, { "kp1" } },
    { KEY_KP2, GDK_KEY_KP_2, { "kp2" } },
    { KEY_KP3, GDK_KEY_KP_3, { "kp3" } },
    { KEY_KP4, GDK_KEY_KP_4, { "kp4" } },
    { KEY_KP5, GDK_KEY_KP_5, { "kp5" } },
    { KEY_KP6, GDK_KEY_KP_6, { "kp6" } },
    { KEY_KP7, GDK_KEY_KP_7, { "kp7" } },
    { KEY_KP8, GDK_KEY_KP_8, { "kp8" } },
    { KEY_KP9, GDK_KEY_KP_9, { "kp9" } },
    { KEY_KPENTER, GDK_KEY_KP_Enter, { "kpenter" } },
    { KEY_KPPLUS, GDK_KEY_KP_Add, { "kpplus" } },
    { KEY_KPMINUS, GDK_KEY_KP_Subtract, { "kpminus" } },
    { KEY_KPASTERISK, GDK_KEY_KP_Multiply, { "kpasterisk" } },
    { KEY_KPSLASH, GDK_KEY_KP_Divide, { "kpslash" } },
    { KEY_KPDOT, GDK_KEY_KP_Decimal, { "kpdot" } },
};

/* The keys of a US keyboard with what they give alone and with Shift. */
static const struct {
    guint code;
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

guint oriel_keymap_to_xt(guint code)
{
    if (code >= KEY_ESC && code <= KEY_F12 && code != 84 && code != KEY_ZENKAKUHANKAKU) {
        return code;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(xt_codes); i++) {
        if (xt_codes[i].code == code) {
            return xt_codes[i].xt;
        }
    }
    return 0;
}

guint oriel_keymap_from_hardware(guint keycode)
{
    guint code = keycode > HARDWARE_OFFSET ? keycode - HARDWARE_OFFSET : 0;

    return oriel_keymap_to_xt(code) != 0 ? code : 0;
}

guint oriel_keymap_to_keysym(guint code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(named_keys); i++) {
        if (named_keys[i].code == code) {
            return named_keys[i].keysym;
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(us_layout); i++) {
        if (us_layout[i].code == code) {
            return (guint8)us_layout[i].plain;
        }
    }
    return 0;
}

guint oriel_keymap_from_name(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(named_keys); i++) {
        for (gsize n = 0; n < G_N_ELEMENTS(named_keys[i].names) && named_keys[i].names[n]; n++) {
            if (g_ascii_strcasecmp(named_keys[i].names[n], name) == 0) {
                return named_keys[i].code;
            }
        }
    }
    for (gsize i = 0; name[0] && !name[1] && i < G_N_ELEMENTS(us_layout); i++) {
        if (us_layout[i].plain == g_ascii_tolower(name[0])) {
            return us_layout[i].code;
        }
    }
    return 0;
}

guint oriel_keymap_parse_chord(const char *chord, guint codes[ORIEL_CHORD_MAX])
{
    g_auto(GStrv) names = g_strsplit(chord, "+", ORIEL_CHORD_MAX + 1);
    guint n = g_strv_length(names);

    if (n > ORIEL_CHORD_MAX) {
        return 0;
    }
    for (guint i = 0; i < n; i++) {
        codes[i] = oriel_keymap_from_name(g_strstrip(names[i]));
        if (codes[i] == 0) {
            return 0;
        }
    }
    return n;
}

gboolean oriel_keymap_from_character(gunichar character, guint *code, gboolean *shift)
{
    for (gsize i = 0; i < G_N_ELEMENTS(us_layout); i++) {
        gboolean plain = (guint8)us_layout[i].plain == character;

        if (plain || (guint8)us_layout[i].shifted == character) {
            *code = us_layout[i].code;
            *shift = !plain;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean oriel_keymap_is_modifier(guint code)
{
    switch (code) {
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL:
    case KEY_LEFTSHIFT:
    case KEY_RIGHTSHIFT:
    case KEY_LEFTALT:
    case KEY_RIGHTALT:
    case KEY_LEFTMETA:
    case KEY_RIGHTMETA:
        return TRUE;
    default:
        return FALSE;
    }
}
