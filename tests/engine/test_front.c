/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, the input router and the console, with a keyboard and an adapter of this file's own. */
#include "test.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <zlib.h>

#include "config/config.h"
#include "device.h"
#include "display/console.h"
#include "display/png_write.h"
#include "input/input_router.h"
#include "input/keys.h"

/* --- A keyboard and a pointer that remember
 * --------------------------------------------------------- */

struct recorder {
    struct device device;
    char keys[1024];
    struct pointer_event last;
    unsigned events, room;
    bool full;
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

static const struct input_ops keyboard_ops = {
    .kinds = INPUT_KEYBOARD | INPUT_RELATIVE,
    .key = record_key,
    .pointer = record_pointer,
    .ready = record_ready,
};
static const struct input_ops tablet_ops = { .kinds = INPUT_ABSOLUTE, .pointer = record_pointer };
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

/* --- An adapter whose picture the test changes
 * ------------------------------------------------------ */

struct adapter {
    struct device device;
    struct display_mode mode;
    uint32_t colour;
    bool changed;
    unsigned renders;
    const char *text;
};

static void adapter_mode(struct device *device, struct display_mode *mode)
{
    *mode = ((struct adapter *)device)->mode;
}

static bool adapter_render(struct device *device, const struct surface *surface, bool full,
                           struct damage *damage)
{
    struct adapter *a = (struct adapter *)device;

    a->renders++;
    if (surface->width != a->mode.width || surface->height != a->mode.height) {
        return false;
    }
    if (full || a->changed) {
        for (uint32_t i = 0; i < surface->width * surface->height; i++) {
            surface->pixels[i] = a->colour;
        }
        damage_add(damage, 0, 0, surface->width, surface->height);
        a->changed = false;
    }
    return true;
}

static bool adapter_text(struct device *device, struct text_cell *cells, uint32_t columns,
                         uint32_t rows, struct text_cursor *cursor)
{
    struct adapter *a = (struct adapter *)device;

    for (uint32_t i = 0; i < columns * rows; i++) {
        cells[i].character = i < strlen(a->text) ? (uint8_t)a->text[i] : ' ';
    }
    *cursor = (struct text_cursor){ true, 1, 2 };
    return true;
}

static const struct display_ops adapter_ops = { adapter_mode, adapter_render, adapter_text };
static const struct device_class adapter_class = { .name = "adapter", .display = &adapter_ops };

struct witness {
    unsigned resized, damaged;
    uint32_t width, height, pixel;
    bool is_busy;
};

static void witness_resized(void *context, const struct surface *surface)
{
    struct witness *w = context;

    w->resized++;
    w->width = surface->width;
    w->height = surface->height;
}

static void witness_damaged(void *context, const struct surface *surface,
                            const struct damage *damage)
{
    struct witness *w = context;

    w->damaged++;
    w->pixel = surface->pixels[0];
}

static bool witness_busy(void *context)
{
    return ((struct witness *)context)->is_busy;
}

static void iterate(unsigned ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
}

TEST(console_tells_watchers)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 }, .colour = 1 };
    struct console *console = console_new(&adapter.device, lock, unlock);
    struct witness w = { 0 };
    struct console_watcher watcher = { witness_resized, witness_damaged, witness_busy, &w };

    iterate(100);
    CHECK_EQ(adapter.renders, 0); /* nobody watches */
    console_watch(console, &watcher);
    CHECK_EQ(w.resized, 1);
    CHECK(w.width == 64 && w.height == 32);
    adapter.colour = 7;
    adapter.changed = true;
    console_wake(console);
    iterate(300);
    CHECK(w.damaged >= 1);
    CHECK_EQ(w.pixel, 7);
    adapter.mode.width = 128;
    console_wake(console);
    iterate(300);
    CHECK_EQ(w.resized, 2);
    CHECK_EQ(w.width, 128);

    w.is_busy = true;
    iterate(300);
    unsigned renders = adapter.renders, damaged = w.damaged;

    adapter.changed = true;
    iterate(300);
    CHECK_EQ(adapter.renders, renders);
    w.is_busy = false;
    iterate(600);
    CHECK(w.damaged > damaged);

    console_unwatch(console, &watcher);
    renders = adapter.renders;
    iterate(300);
    CHECK_EQ(adapter.renders, renders);
    CHECK_EQ(locks, 0);
    console_free(console);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

TEST(console_screenshot_is_png)
{
    struct adapter adapter = { .device.class = &adapter_class,
                               .mode = { 40, 30 },
                               .colour = 0x123456 };
    struct console *console = console_new(&adapter.device, lock, unlock);
    g_autoptr(GBytes) png = png_write(console_surface(console));
    gsize size;
    const uint8_t *p = g_bytes_get_data(png, &size);
    uint8_t rows[30 * (1 + 40 * 3)];
    uLongf length = sizeof(rows);

    CHECK(size > 57 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0);
    CHECK(be32(p + 16) == 40 && be32(p + 20) == 30);
    CHECK(memcmp(p + 37, "IDAT", 4) == 0);
    CHECK_EQ(uncompress(rows, &length, p + 41, be32(p + 33)), Z_OK);
    CHECK_EQ(length, sizeof(rows));
    CHECK(rows[0] == 0 && rows[1] == 0x12 && rows[2] == 0x34 && rows[3] == 0x56);
    CHECK_EQ(be32(p + 41 + be32(p + 33)), crc32(0, p + 37, 4 + be32(p + 33)));
    console_free(console);
}

TEST(console_text_is_utf8)
{
    struct adapter adapter = { .device.class = &adapter_class,
                               .mode = { 80, 48, .text = true, .columns = 10, .rows = 3 },
                               .text = "Hi\x84 \xdb      \xc9\xcd" };
    struct console *console = console_new(&adapter.device, lock, unlock);
    struct text_cursor cursor;
    g_autofree char *text = console_text(console, &cursor);

    CHECK_STR(text, "Hiä █\n ╔═\n\n");
    CHECK(cursor.visible && cursor.column == 1 && cursor.row == 2);
    adapter.mode.text = false;
    CHECK(console_text(console, &cursor) == NULL);
    console_free(console);
}

TEST_MAIN(T(keys_have_names_and_numbers), T(keys_from_scancodes_and_keysyms),
          T(input_types_at_the_guests_pace), T(input_ends_typing_when_freed), T(input_chords),
          T(input_releases_what_is_pressed), T(input_pointer_finds_its_device),
          T(console_tells_watchers), T(console_screenshot_is_png), T(console_text_is_utf8))
