/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thousands of random register settings and memory accesses, drawn now and then. Whatever the guest
 * does, drawing stays inside the surface (the sanitizers watch), damage too, what is drawn piece by
 * piece equals what is drawn at once, and the state survives saving.
 */
#include "test_vga.h"

#include "bytes.h"
#include "state.h"

enum {
    ROUNDS = 400,
    ACCESSES = 60,
};

static uint64_t seed;

static uint32_t any(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

/* Values at the edges are likelier than others. */
static uint16_t any_value(void)
{
    static const uint16_t edges[] = { 0,    1,   7,    8,      15,     24,    32,
                                      0x41, 640, 1024, 0x7fff, 0xfff8, 0xffff };

    return any(2) ? edges[any(sizeof(edges) / sizeof(edges[0]))] : (uint16_t)any(65536);
}

static void access_any(struct screen *s)
{
    static const uint16_t index_ports[] = { 0x3c4, 0x3ce, 0x3d4 };
    static const unsigned sizes[] = { 1, 2, 4, 8 };
    uint64_t value = (uint64_t)any(65536) << 48 | (uint64_t)any(65536) << 16 | any(65536);

    switch (any(10)) {
    case 0:
    case 1:
    case 2:
        vga_set(s, index_ports[any(3)], (uint8_t)any(32), (uint8_t)any_value());
        break;
    case 3:
        attribute_set(s, (uint8_t)any(32), (uint8_t)any(256));
        break;
    case 4:
        dispi_set(s, (uint16_t)any(12), any_value());
        break;
    case 5:
        fake_out(s->fake, (uint16_t)(0x3b0 + any(0x30)), sizes[any(3)], value);
        break;
    case 6:
        fake_write(s->fake, 0xa0000 + any(0x20000), sizes[any(4)], value);
        break;
    case 7:
        fake_read(s->fake, 0xa0000 + any(0x20000), sizes[any(4)]);
        break;
    case 8:
        fake_write(s->fake, REGISTERS + any(0x1000), sizes[any(4)], value);
        fake_read(s->fake, REGISTERS + any(0x1000), sizes[any(4)]);
        break;
    default:
        for (unsigned i = 0; i < 64; i++) {
            fake_write(s->fake, FRAMEBUFFER + any(any(2) ? 0x40000 : 0x800000) / 8 * 8, 8,
                       value * (i + 1));
        }
        break;
    }
}

static void damage_check(const struct screen *s)
{
    CHECK(s->damage.n <= DAMAGE_RECTS_MAX);
    for (unsigned i = 0; i < s->damage.n; i++) {
        const struct rect *r = &s->damage.rects[i];

        CHECK(r->width > 0 && r->height > 0);
        CHECK(r->x + r->width <= s->surface.width && r->y + r->height <= s->surface.height);
    }
}

static void text_check(struct screen *s)
{
    static struct text_cell cells[DISPLAY_COLUMNS_MAX * DISPLAY_ROWS_MAX];
    struct text_cursor at = { .visible = false };
    bool is_text;

    CHECK(s->mode.columns <= DISPLAY_COLUMNS_MAX && s->mode.rows <= DISPLAY_ROWS_MAX);
    is_text = s->device->class->display->text(s->device, cells, s->mode.columns, s->mode.rows, &at);
    CHECK_EQ(is_text, s->mode.text);
    CHECK(!at.visible || (at.column < s->mode.columns && at.row < s->mode.rows));
}

static void rounds_run(uint64_t start, const struct vga_mode *mode)
{
    struct screen s;

    seed = start;
    screen_open_with(&s, (struct option_value[]){ { "vram", "8388608" }, { NULL, NULL } });
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (any(8) == 0) { /* back to something sensible, or nonsense never draws much */
            dispi_set(&s, 4, 0);
            mode_start(&s, mode);
        }
        for (unsigned i = any(ACCESSES); i > 0; i--) {
            access_any(&s);
        }
        screen_render(&s);
        CHECK(s.mode.width >= 1 && s.mode.width <= DISPLAY_WIDTH_MAX);
        CHECK(s.mode.height >= 1 && s.mode.height <= DISPLAY_HEIGHT_MAX);
        damage_check(&s);
        text_check(&s);
        for (unsigned i = any(3); i > 0; i--) { /* little changes, drawn piece by piece */
            fake_write(s.fake, FRAMEBUFFER + any(0x40000), 1, any(256));
        }
        screen_render(&s);
        damage_check(&s);
        if (any(8) == 0) {
            CHECK(screen_is_current(&s));
        }
        if (any(50) == 0) {
            CHECK(fake_save_load(s.device));
        }
        if (any(50) == 0) {
            fake_reset(s.fake, any(2) ? RESET_WARM : RESET_COLD);
            fake_map_bar(s.device, 2, REGISTERS);
            fake_map_bar(s.device, 0, FRAMEBUFFER);
        }
    }
    screen_close(&s);
}

TEST(from_text)
{
    rounds_run(1, &mode_text);
}

TEST(from_planar)
{
    rounds_run(2, &mode_planar);
}

TEST(from_cga)
{
    rounds_run(3, &mode_cga);
    rounds_run(4, &mode_cga_mono);
}

TEST(from_256_colors)
{
    rounds_run(5, &mode_256);
    rounds_run(6, &mode_low);
}

/* Makes the checksum in the header right again (CRC-32C of what follows it). */
static void state_seal(uint8_t *state, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 16; i < size; i++) {
        crc ^= state[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    store_le32(state + 12, ~crc);
}

/* Loaded registers never passed through a port, so nothing has masked them. */
TEST(from_loaded_garbage)
{
    struct screen s;
    unsigned loaded = 0;
    uint8_t *state;
    size_t size;

    seed = 7;
    screen_open_with(&s, (struct option_value[]){ { "vram", "8388608" }, { NULL, NULL } });
    mode_start(&s, &mode_text);
    size = device_state_size(s.device);
    state = malloc(size);
    for (unsigned round = 0; round < 300; round++) {
        struct dev_error error;

        CHECK_EQ(device_save(s.device, state, size), size);
        for (unsigned i = any(5); i > 0; i--) {
            state[size - 1 - any(1300)] = (uint8_t)any(256);
        }
        state_seal(state, size);
        if (device_load(s.device, state, size, &error) == 0) {
            device_restored(s.device);
            loaded++;
        }
        screen_render(&s);
        damage_check(&s);
        text_check(&s);
    }
    CHECK(loaded > 50);
    free(state);
    screen_close(&s);
}

TEST_MAIN(T(from_text), T(from_planar), T(from_cga), T(from_256_colors), T(from_loaded_garbage))
