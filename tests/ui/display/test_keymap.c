/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "display/keys/oriel-keymap.h"

#include <gdk/gdkkeysyms.h>
#include <linux/input-event-codes.h>

#include "display/keys/oriel-pressed-keys.h"
#include "test.h"

TEST(hardware_codes_are_evdev_codes)
{
    CHECK_EQ(oriel_keymap_from_hardware(38), KEY_A);
    CHECK_EQ(oriel_keymap_from_hardware(50), KEY_LEFTSHIFT);
    CHECK_EQ(oriel_keymap_from_hardware(96), KEY_F12);
    CHECK_EQ(oriel_keymap_from_hardware(0), 0);
    CHECK_EQ(oriel_keymap_from_hardware(7), 0);
    CHECK_EQ(oriel_keymap_from_hardware(8), 0);
    CHECK_EQ(oriel_keymap_from_hardware(KEY_BRIGHTNESSUP + 8), 0);
    CHECK_EQ(oriel_keymap_from_hardware(G_MAXUINT), 0);
}

TEST(no_two_keys_share_an_xt_code)
{
    guint owner[256] = { 0 }, keys = 0;

    for (guint code = 1; code < KEY_MAX; code++) {
        guint xt = oriel_keymap_to_xt(code);

        if (xt != 0) {
            CHECK(xt < 256);
            CHECK_EQ(owner[xt], 0);
            owner[xt] = code;
            keys++;
        }
    }
    CHECK(keys >= 105);
}

TEST(xt_codes_of_well_known_keys)
{
    CHECK_EQ(oriel_keymap_to_xt(KEY_A), 0x1e);
    CHECK_EQ(oriel_keymap_to_xt(KEY_102ND), 0x56);
    CHECK_EQ(oriel_keymap_to_xt(KEY_F12), 0x58);
    CHECK_EQ(oriel_keymap_to_xt(KEY_RIGHTCTRL), 0x9d);
    CHECK_EQ(oriel_keymap_to_xt(KEY_DELETE), 0xd3);
    CHECK_EQ(oriel_keymap_to_xt(KEY_PAUSE), 0xc6);
    CHECK_EQ(oriel_keymap_to_xt(KEY_SYSRQ), 0xb7);
    CHECK_EQ(oriel_keymap_to_xt(KEY_YEN), 0x7d);
    CHECK_EQ(oriel_keymap_to_xt(KEY_RO), 0x73);
    CHECK_EQ(oriel_keymap_to_xt(KEY_HENKAN), 0x79);
    CHECK_EQ(oriel_keymap_to_xt(KEY_MUHENKAN), 0x7b);
    CHECK_EQ(oriel_keymap_to_xt(KEY_HANGEUL), 0x72);
    CHECK_EQ(oriel_keymap_to_xt(KEY_HANJA), 0x71);
    CHECK_EQ(oriel_keymap_to_xt(KEY_VOLUMEUP), 0xb0);
    CHECK_EQ(oriel_keymap_to_xt(84), 0);
    CHECK_EQ(oriel_keymap_to_xt(0), 0);
}

TEST(names_and_chords)
{
    guint codes[ORIEL_CHORD_MAX];

    CHECK_EQ(oriel_keymap_parse_chord("ctrl+alt+delete", codes), 3);
    CHECK_EQ(codes[0], KEY_LEFTCTRL);
    CHECK_EQ(codes[1], KEY_LEFTALT);
    CHECK_EQ(codes[2], KEY_DELETE);
    CHECK_EQ(oriel_keymap_parse_chord("Ctrl + Alt + F2", codes), 3);
    CHECK_EQ(codes[2], KEY_F2);
    CHECK_EQ(oriel_keymap_parse_chord("A", codes), 1);
    CHECK_EQ(codes[0], KEY_A);
    CHECK_EQ(oriel_keymap_parse_chord("ctrl+nonsense", codes), 0);
    CHECK_EQ(oriel_keymap_parse_chord("", codes), 0);
    CHECK_EQ(oriel_keymap_parse_chord("+", codes), 0);
    CHECK_EQ(oriel_keymap_parse_chord("a+b+c+d+e+f+g+h+i", codes), 0);
    CHECK_EQ(oriel_keymap_parse_chord("a+b+c+d+e+f+g+h", codes), 8);
}

TEST(chords_in_words)
{
    static const char *const words[][2] = { { "ctrl+alt", "Ctrl + Alt" },
                                            { "rightctrl", "Right Ctrl" },
                                            { "Ctrl + Alt + shift", "Ctrl + Alt + Shift" },
                                            { "", "" } };

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *said = oriel_keymap_chord_words(words[i][0]);

        CHECK_STR(said, words[i][1]);
    }
}

TEST(characters_and_keysyms)
{
    guint code;
    gboolean shift;

    CHECK(oriel_keymap_from_character('A', &code, &shift));
    CHECK_EQ(code, KEY_A);
    CHECK(shift);
    CHECK(oriel_keymap_from_character('\n', &code, &shift));
    CHECK_EQ(code, KEY_ENTER);
    CHECK(!oriel_keymap_from_character(0xe9, &code, &shift));
    CHECK(!oriel_keymap_from_character(0, &code, &shift));
    CHECK_EQ(oriel_keymap_to_keysym(KEY_A), GDK_KEY_a);
    CHECK_EQ(oriel_keymap_to_keysym(KEY_F12), GDK_KEY_F12);
    CHECK_EQ(oriel_keymap_to_keysym(KEY_LEFTCTRL), GDK_KEY_Control_L);
    CHECK_EQ(oriel_keymap_to_keysym(0), 0);
    CHECK(oriel_keymap_is_modifier(KEY_RIGHTMETA));
    CHECK(!oriel_keymap_is_modifier(KEY_A));
}

TEST(pressed_keys_are_let_go_in_reverse)
{
    OrielPressedKeys keys = { 0 };
    guint code, keysym;

    CHECK_EQ(oriel_pressed_keys_press(&keys, KEY_LEFTCTRL, 1), ORIEL_KEY_NEW);
    CHECK_EQ(oriel_pressed_keys_press(&keys, KEY_A, 2), ORIEL_KEY_NEW);
    CHECK_EQ(oriel_pressed_keys_press(&keys, KEY_A, 3), ORIEL_KEY_REPEAT);
    CHECK_EQ(oriel_pressed_keys_press(&keys, KEY_B, 4), ORIEL_KEY_NEW);
    CHECK(oriel_pressed_keys_release(&keys, KEY_A, &keysym));
    CHECK_EQ(keysym, 2);
    CHECK(!oriel_pressed_keys_release(&keys, KEY_A, &keysym));
    CHECK(oriel_pressed_keys_contains(&keys, KEY_B));
    CHECK(oriel_pressed_keys_pop(&keys, &code, &keysym));
    CHECK_EQ(code, KEY_B);
    CHECK(oriel_pressed_keys_pop(&keys, &code, &keysym));
    CHECK_EQ(code, KEY_LEFTCTRL);
    CHECK_EQ(keysym, 1);
    CHECK(!oriel_pressed_keys_pop(&keys, &code, &keysym));
}

TEST(pressed_keys_have_a_limit)
{
    OrielPressedKeys keys = { 0 };

    for (guint i = 1; i <= ORIEL_PRESSED_KEYS_MAX; i++) {
        CHECK_EQ(oriel_pressed_keys_press(&keys, i, 0), ORIEL_KEY_NEW);
    }
    CHECK_EQ(oriel_pressed_keys_press(&keys, 500, 0), ORIEL_KEY_FULL);
    CHECK(!oriel_pressed_keys_contains(&keys, 500));
    CHECK_EQ(oriel_pressed_keys_press(&keys, 1, 0), ORIEL_KEY_REPEAT);
}

TEST_MAIN(T(hardware_codes_are_evdev_codes), T(no_two_keys_share_an_xt_code),
          T(xt_codes_of_well_known_keys), T(names_and_chords), T(chords_in_words),
          T(characters_and_keysyms), T(pressed_keys_are_let_go_in_reverse),
          T(pressed_keys_have_a_limit))
