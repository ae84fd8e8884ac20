/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and the input router, with a keyboard and pointers of this file's own. */
#include "test.h"

#include <glib.h>
#include <linux/input-event-codes.h>

#include "config/config.h"
#include "device.h"
#include "input/input_router.h"
#include "common/keys.h"

/* --- A keyboard and a pointer that remember --------------------------------------------------- */

struct recorder {
    struct device device;
    char keys[1024];
    struct pointer_event last;
    unsigned events, lamps;
    bool full, unused, silent;
};

static void record_key(struct device *device, uint16_t code, bool down)
{
    struct recorder *r = (struct recorder *)device;
    size_t used = strlen(r->keys);

    snprintf(r->keys + used, sizeof(r->keys) - used, "%c%u ", down ? '+' : '-', code);
    r->events++;
}

static void record_pointer(struct device *device, const struct pointer_event *event)
{
    struct recorder *r = (struct recorder *)device;

    r->last = *event;
    r->events++;
}

static bool record_ready(struct device *device)
{
    return !((struct recorder *)device)->full;
}

static unsigned record_leds(struct device *device)
{
    return ((struct recorder *)device)->lamps;
}

static bool record_in_use(struct device *device)
{
    return !((struct recorder *)device)->unused;
}

static bool record_reporting(struct device *device)
{
    return !((struct recorder *)device)->silent;
}

static const struct input_ops keyboard_ops = {
    .kinds = INPUT_KEYBOARD | INPUT_RELATIVE,
    .key = record_key,
    .pointer = record_pointer,
    .ready = record_ready,
    .leds = record_leds,
    .reporting = record_reporting,
};
static const struct input_ops tablet_ops = {
    .kinds = INPUT_ABSOLUTE,
    .pointer = record_pointer,
    .in_use = record_in_use,
};
static const struct device_class keyboard_class = { .name = "keyboard", .input = &keyboard_ops };
static const struct device_class tablet_class = { .name = "tablet", .input = &tablet_ops };

static unsigned locks;

static void lock(struct device *device)
{
    locks++;
}

static void unlock(struct device *device)
{
    locks--;
}

static bool typed;
static char typed_error[256];

static void on_typed(void *context, const GError *error)
{
    typed = true;
    g_strlcpy(typed_error, error ? error->message : "", sizeof(typed_error));
}

static void run_until(bool *flag)
{
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!*flag && g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
    }
    CHECK(*flag);
}

static void count_change(void *context)
{
    ++*(unsigned *)context;
}

static void run_until_mode(struct input *input, enum pointer_mode mode)
{
    gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    while (input_pointer_mode(input) != mode && g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, TRUE);
    }
    CHECK_EQ(input_pointer_mode(input), mode);
}

/* Lets the main loop do what it has to do now. */
static void settle(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

TEST(keys_have_names_and_numbers)
{
    uint16_t code;
    bool shift;

    CHECK_EQ(key_from_name("ctrl"), KEY_LEFTCTRL);
    CHECK_EQ(key_from_name("DELETE"), KEY_DELETE);
    CHECK_EQ(key_from_name("KEY_102ND"), KEY_102ND);
    CHECK_EQ(key_from_name("a"), KEY_A);
    CHECK_EQ(key_from_name("A"), KEY_A);
    CHECK_EQ(key_from_name("7"), KEY_7);
    CHECK_EQ(key_from_name("!"), 0);
    CHECK_EQ(key_from_name("nothing"), 0);
    CHECK_EQ(key_from_name(""), 0);
    CHECK(key_from_character('A', &code, &shift) && code == KEY_A && shift);
    CHECK(key_from_character('|', &code, &shift) && code == KEY_BACKSLASH && shift);
    CHECK(!key_from_character(0xe9, &code, &shift));
    for (char c = ' '; c < 0x7f; c++) {
        CHECK(key_from_character((uint32_t)c, &code, &shift));
    }
}

TEST(keys_from_scancodes_and_keysyms)
{
    CHECK_EQ(key_from_xt(0x1e), KEY_A);
    CHECK_EQ(key_from_xt(0x58), KEY_F12);
    CHECK_EQ(key_from_xt(0x80 | 0x1d), KEY_RIGHTCTRL);
    CHECK_EQ(key_from_xt(0x80 | 0x53), KEY_DELETE);
    CHECK_EQ(key_from_xt(0x73), KEY_RO);
    CHECK_EQ(key_from_xt(0), 0);
    CHECK_EQ(key_from_xt(0x7f), 0);
    CHECK_EQ(key_from_xt(0xffff), 0);
    CHECK_EQ(key_from_xt(0x12345680 | 0x53), 0);
    CHECK_EQ(key_from_keysym('a'), KEY_A);
    CHECK_EQ(key_from_keysym('A'), KEY_A);
    CHECK_EQ(key_from_keysym(0xff0d), KEY_ENTER);
    CHECK_EQ(key_from_keysym(0xffff), KEY_DELETE);
    CHECK_EQ(key_from_keysym(0x1000041), 0);
    /* What the window sends, the engine understands. */
    for (uint16_t key = 1; key < KEY_MAX; key++) {
        uint8_t xt = key_to_xt(key);
        uint32_t keysym = key_to_keysym(key);

        CHECK(xt == 0 || key_from_xt(xt) == key);
        CHECK(keysym == 0 || key == KEY_102ND || key_from_keysym(keysym) == key);
    }
    CHECK_EQ(key_to_xt(KEY_SYSRQ), 0x80 | 0x37);
    CHECK_EQ(key_from_xt(0x54), KEY_SYSRQ);
    CHECK_EQ(key_to_keysym(KEY_102ND), '<');
}

TEST(input_types_at_the_guests_pace)
{
    struct recorder keyboard = { .device.class = &keyboard_class };
    struct input *input = input_new(lock, unlock);

    input_add_device(input, &keyboard.device);
    keyboard.full = typed = false;
    input_type(input, "aB\n", on_typed, NULL);
    run_until(&typed);
    CHECK_STR(typed_error, "");
    CHECK_STR(keyboard.keys, "+30 -30 +42 +48 -48 -42 +28 -28 ");
    CHECK_EQ(locks, 0);

    keyboard.keys[0] = '\0';
    typed = false;
    input_type(input, "aéb", on_typed, NULL);
    CHECK(typed);
    CHECK(strstr(typed_error, "é") != NULL);
    CHECK_STR(keyboard.keys, "");

    /* A full keyboard holds typing up, and nothing is lost. */
    typed = false;
    keyboard.full = true;
    input_type(input, "x", on_typed, NULL);
    for (int i = 0; i < 50; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    CHECK(!typed);
    CHECK_STR(keyboard.keys, "");
    keyboard.full = false;
    run_until(&typed);
    CHECK_STR(keyboard.keys, "+45 -45 ");
    input_free(input);
}

TEST(input_ends_typing_when_freed)
{
    struct recorder keyboard = { .device.class = &keyboard_class, .full = true };
    struct input *input = input_new(lock, unlock);

    input_add_device(input, &keyboard.device);
    typed = false;
    input_type(input, "abc", on_typed, NULL);
    input_free(input);
    CHECK(typed);
    CHECK(typed_error[0] != '\0');
}

TEST(input_chords)
{
    struct recorder keyboard = { .device.class = &keyboard_class };
    struct input *input = input_new(lock, unlock);
    static const char *const bad[] = { "", "ctrl+", "+", "ctrl+nothing", "ctrl alt" };

    input_add_device(input, &keyboard.device);
    CHECK(input_chord(input, "ctrl+alt+delete", NULL));
    for (int i = 0; i < 200 && strlen(keyboard.keys) < 24; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    CHECK_STR(keyboard.keys, "+29 +56 +111 -111 -56 -29 ");
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        CHECK(!input_chord(input, bad[i], &error));
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    }
    input_free(input);
}

TEST(input_releases_what_is_pressed)
{
    struct recorder keyboard = { .device.class = &keyboard_class };
    struct input *input = input_new(lock, unlock);

    input_add_device(input, &keyboard.device);
    input_key(input, KEY_LEFTSHIFT, true);
    input_key(input, KEY_A, true);
    input_key(input, KEY_A, true);  /* repeats */
    input_key(input, KEY_B, false); /* was never down */
    input_key(input, 0, true);
    input_key(input, 0xffff, true);
    input_release_all(input);
    input_release_all(input);
    CHECK_STR(keyboard.keys, "+42 +30 +30 -30 -42 ");
    input_free(input);
}

TEST(input_pointer_finds_its_device)
{
    struct recorder mouse = { .device.class = &keyboard_class };
    struct recorder tablet = { .device.class = &tablet_class };
    struct input *input = input_new(lock, unlock);

    input_add_device(input, &mouse.device);
    input_pointer(input, 100, 50, 800, 600, 0, 0);
    CHECK_EQ(mouse.last.dx, 0);
    input_pointer(input, 110, 45, 800, 600, POINTER_LEFT, 1);
    CHECK(mouse.last.dx == 10 && mouse.last.dy == -5);
    CHECK_EQ(mouse.last.buttons, POINTER_LEFT);
    CHECK(mouse.last.wheel == 1);
    input_pointer(input, UINT32_MAX, UINT32_MAX, 800, 600, 0, 0);
    CHECK(mouse.last.dx > 0);
    input_add_device(input, &tablet.device);
    input_pointer(input, 799, 0, 800, 600, 0, 0);
    CHECK_EQ(tablet.last.x, POINTER_AXIS_MAX);
    CHECK_EQ(tablet.last.y, 0);
    input_pointer(input, 5000, 5000, 1, 1, 0, 0);
    CHECK_EQ(tablet.last.x, 0);
    input_motion(input, 3, 4, 0, 0);
    CHECK(mouse.last.dx == 3 && mouse.last.dy == 4);
    input_free(input);
}

TEST(no_button_stays_down)
{
    struct recorder mouse = { .device.class = &keyboard_class };
    struct recorder tablet = { .device.class = &tablet_class, .unused = true };
    struct input *input = input_new(lock, unlock);

    input_release_buttons(input); /* of nothing */
    input_add_device(input, &mouse.device);
    input_add_device(input, &tablet.device);
    input_motion(input, 3, 4, POINTER_RIGHT, 1);
    input_release_buttons(input);
    CHECK(mouse.last.buttons == 0 && mouse.last.dx == 0 && mouse.last.wheel == 0);
    CHECK_EQ(mouse.events, 2);
    input_release_buttons(input);
    CHECK_EQ(mouse.events, 2);

    /* The guest takes its tablet in the middle of a click. */
    input_pointer(input, 1, 1, 10, 10, POINTER_LEFT, 0);
    CHECK_EQ(mouse.last.buttons, POINTER_LEFT);
    tablet.unused = false;
    input_pointer(input, 9, 0, 10, 10, POINTER_LEFT, 0);
    CHECK_EQ(mouse.last.buttons, 0);
    CHECK_EQ(tablet.last.buttons, POINTER_LEFT);
    input_release_buttons(input);
    CHECK(tablet.last.buttons == 0 && tablet.last.x == POINTER_AXIS_MAX);
    CHECK_EQ(locks, 0);
    input_free(input);
}

/* Firmware, then a driver for the mouse, then one for the tablet, and firmware again. */
TEST(input_tells_what_a_pointer_is_good_for)
{
    struct recorder mouse = { .device.class = &keyboard_class, .silent = true };
    struct recorder tablet = { .device.class = &tablet_class, .unused = true };
    struct input *input = input_new(lock, unlock);
    unsigned changes = 0;
    struct input_listener listener = { count_change, &changes };

    CHECK_EQ(input_pointer_mode(input), POINTER_MODE_NONE);
    input_listen(input, &listener);
    settle();
    input_add_device(input, &mouse.device);
    input_add_device(input, &tablet.device);
    settle();
    CHECK_EQ(input_pointer_mode(input), POINTER_MODE_NONE);
    CHECK_EQ(changes, 0);
    mouse.silent = false;
    input_look(input);
    run_until_mode(input, POINTER_MODE_RELATIVE);
    tablet.unused = false;
    input_look(input);
    run_until_mode(input, POINTER_MODE_ABSOLUTE);
    tablet.unused = true;
    input_look(input);
    run_until_mode(input, POINTER_MODE_RELATIVE);
    CHECK_EQ(changes, 3);

    /* The guest has it silent for a moment, as for a command to it: that is not told. */
    mouse.silent = true;
    input_look(input);
    CHECK(g_main_context_iteration(NULL, FALSE)); /* looks once */
    mouse.silent = false;
    input_look(input);
    settle();
    CHECK_EQ(input_pointer_mode(input), POINTER_MODE_RELATIVE);
    CHECK_EQ(changes, 3);
    mouse.silent = true;
    input_look(input);
    run_until_mode(input, POINTER_MODE_NONE);
    CHECK_EQ(changes, 4);
    CHECK_STR(pointer_mode_name(POINTER_MODE_NONE), "none");
    CHECK_STR(pointer_mode_name(POINTER_MODE_RELATIVE), "relative");
    CHECK_STR(pointer_mode_name(POINTER_MODE_ABSOLUTE), "absolute");
    CHECK_EQ(locks, 0);
    input_free(input);
}

TEST(input_tells_lamps_and_tablets)
{
    struct recorder keyboard = { .device.class = &keyboard_class };
    struct recorder tablet = { .device.class = &tablet_class, .unused = true };
    struct input *input = input_new(lock, unlock);
    unsigned changes = 0, others = 0;
    struct input_listener listener = { count_change, &changes };
    struct input_listener other = { count_change, &others };

    input_add_device(input, &keyboard.device);
    input_add_device(input, &tablet.device);
    settle();
    input_listen(input, &listener);
    input_listen(input, &other);
    settle();
    CHECK_EQ(changes, 0);
    CHECK_EQ(input_leds(input), 0);
    CHECK_EQ(input_pointer_mode(input), POINTER_MODE_RELATIVE);
    input_pointer(input, 1, 1, 10, 10, 0, 0); /* goes to the mouse while the tablet has no driver */
    CHECK(keyboard.events == 1 && tablet.events == 0);

    keyboard.lamps = 6;
    input_look(input);
    input_look(input);
    CHECK_EQ(changes, 0); /* told on the main loop, */
    settle();
    CHECK_EQ(changes, 1); /* once */
    CHECK_EQ(input_leds(input), 6);
    input_look(input);
    settle();
    CHECK_EQ(changes, 1); /* it was nothing */

    tablet.unused = false;
    input_look(input);
    settle();
    CHECK_EQ(changes, 2);
    CHECK_EQ(input_pointer_mode(input), POINTER_MODE_ABSOLUTE);
    input_pointer(input, 1, 1, 10, 10, 0xff, 0);
    CHECK_EQ(tablet.events, 1);
    CHECK_EQ(tablet.last.buttons, POINTER_BUTTONS);
    input_unlisten(input, &listener);
    keyboard.lamps = 1;
    input_look(input);
    settle();
    CHECK_EQ(changes, 2);
    CHECK_EQ(others, 3);
    CHECK_EQ(locks, 0);
    input_free(input);
}

TEST_MAIN(T(keys_have_names_and_numbers), T(keys_from_scancodes_and_keysyms),
          T(input_types_at_the_guests_pace), T(input_ends_typing_when_freed), T(input_chords),
          T(input_releases_what_is_pressed), T(input_pointer_finds_its_device),
          T(no_button_stays_down), T(input_tells_what_a_pointer_is_good_for),
          T(input_tells_lamps_and_tablets))
