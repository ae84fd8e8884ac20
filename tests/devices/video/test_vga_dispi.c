/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Bochs display interface: registers in both places, modes, banks, clamps, EDID behind BAR 2.
 */
#include "test_vga.h"

#include "bytes.h"
#include "pci.h"
#include "rig.h"
#include "state.h"

enum {
    ID,
    XRES,
    YRES,
    BPP,
    ENABLE,
    BANK,
    VIRT_WIDTH,
    VIRT_HEIGHT,
    X_OFFSET,
    Y_OFFSET,
    MEMORY,
};

TEST(pci_identity)
{
    struct screen s;

    screen_open(&s);
    CHECK_EQ(fake_config_read(s.device, 0x00, 4), 0x11111234);
    CHECK_EQ(fake_config_read(s.device, 0x08, 4), 0x03000002);
    CHECK_EQ(fake_config_read(s.device, 0x2c, 4), 0x11001af4);
    fake_config_write(s.device, 0x04, 2, 0);
    fake_config_write(s.device, 0x10, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(s.device, 0x10, 4), 0xff000008);
    fake_config_write(s.device, 0x18, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(s.device, 0x18, 4), 0xfffff000);
    CHECK_EQ(fake_config_read(s.device, 0x3d, 1), 0);
    screen_close(&s);
}

TEST(id_handshake)
{
    struct screen s;

    screen_open(&s);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    for (uint16_t id = 0xb0c0; id <= 0xb0c5; id++) {
        dispi_set(&s, ID, id);
        CHECK_EQ(dispi_get(&s, ID), id);
        CHECK_EQ(fake_read(s.fake, REGISTERS + 0x500, 2), id);
    }
    dispi_set(&s, ID, 0xb0c6);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    dispi_set(&s, ID, 0);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    CHECK_EQ(dispi_get(&s, MEMORY), 256);
    CHECK_EQ(dispi_get(&s, MEMORY + 1), 0);
    CHECK_EQ(dispi_get(&s, 0xffff), 0);
    fake_out(s.fake, 0x1ce, 2, ID);
    CHECK_EQ(fake_in(s.fake, 0x1d0, 2), 0xb0c5);
    CHECK_EQ(fake_in(s.fake, 0x1ce, 2), ID);
    CHECK_EQ(fake_guest_errors(s.device), 0);
    screen_close(&s);
}

TEST(linear_32_bits)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 800, 600, 32, 0);
    CHECK_EQ(dispi_get(&s, VIRT_WIDTH), 800);
    CHECK_EQ(dispi_get(&s, VIRT_HEIGHT), (16 << 20) / 3200);
    fake_write(s.fake, FRAMEBUFFER + 4 * (5 * 800 + 100), 4, 0xff123456);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 800);
    CHECK_EQ(s.mode.height, 600);
    CHECK(!s.mode.text && !s.mode.blank);
    CHECK(damaged(&s, 0, 0, 800, 600));
    CHECK_EQ(pixel(&s, 100, 5), 0x123456);
    CHECK_EQ(pixel(&s, 101, 5), 0);
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    fake_write(s.fake, FRAMEBUFFER + 4 * (599 * 800 + 799), 4, 0xabcdef);
    screen_render(&s);
    CHECK(damaged(&s, 768, 592, 32, 8));
    CHECK_EQ(pixel(&s, 799, 599), 0xabcdef);
    screen_close(&s);
}

TEST(capabilities)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 1024, 768, 16, 0);
    dispi_set(&s, ENABLE, 0x43);
    CHECK_EQ(dispi_get(&s, XRES), DISPLAY_WIDTH_MAX);
    CHECK_EQ(dispi_get(&s, YRES), DISPLAY_HEIGHT_MAX);
    CHECK_EQ(dispi_get(&s, BPP), 32);
    CHECK_EQ(dispi_get(&s, ENABLE), 0x43);
    dispi_set(&s, ENABLE, 0x41);
    CHECK_EQ(dispi_get(&s, XRES), 1024);
    CHECK_EQ(dispi_get(&s, BPP), 16);
    screen_close(&s);
}

TEST(enabling_clears_the_picture)
{
    struct screen s;

    screen_open(&s);
    fake_write(s.fake, FRAMEBUFFER + 4 * 5000, 4, 0xffffff);
    dispi_start(&s, 640, 480, 32, 0x80);
    CHECK_EQ(fake_read(s.fake, FRAMEBUFFER + 4 * 5000, 4), 0xffffff);
    dispi_set(&s, ENABLE, 0x41); /* on already */
    CHECK_EQ(fake_read(s.fake, FRAMEBUFFER + 4 * 5000, 4), 0xffffff);
    dispi_start(&s, 640, 480, 32, 0);
    CHECK_EQ(fake_read(s.fake, FRAMEBUFFER + 4 * 5000, 4), 0);
    screen_close(&s);
}

TEST(all_depths)
{
    static const struct {
        uint16_t bpp;
        unsigned size;
        uint32_t value, color;
    } depths[] = {
        { 8, 1, 0x47, 0 },           /* through the palette */
        { 15, 2, 0xfe0f, 0xff847b }, /* the top bit does not count */
        { 16, 2, 0xfe0f, 0xffc37b }, { 24, 3, 0x123456, 0x123456 }, { 32, 4, 0xff123456, 0x123456 },
    };
    struct screen s;

    screen_open(&s);
    palette_start(&s);
    for (unsigned i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        uint32_t expected = depths[i].bpp == 8 ? palette_color(0x47) : depths[i].color;
        uint32_t at = FRAMEBUFFER + depths[i].size * (9 * 640 + 77);

        dispi_start(&s, 640, 480, depths[i].bpp, 0);
        for (unsigned b = 0; b < depths[i].size; b++) {
            fake_write(s.fake, at + b, 1, depths[i].value >> (8 * b) & 0xff);
        }
        screen_render(&s);
        CHECK_EQ(pixel(&s, 77, 9), expected);
        CHECK_EQ(pixel(&s, 76, 9), 0);
        CHECK_EQ(pixel(&s, 78, 9), 0);
        CHECK_EQ(dispi_get(&s, BPP), depths[i].bpp);
        CHECK(fake_save_load(s.device));
        screen_render(&s);
        CHECK(screen_is_current(&s));
    }
    screen_close(&s);
}

TEST(four_bits_a_pixel)
{
    struct screen s;

    screen_open(&s);
    mode_start(&s, &mode_planar);
    dispi_start(&s, 800, 600, 4, 0);
    fake_out(s.fake, 0x3da, 1, 0);
    vga_set(&s, 0x3c4, 2, 0x06);
    fake_write(s.fake, 0xa0000 + 599 * 100 + 99, 1, 0x01);
    dispi_set(&s, BANK, 1); /* 64 KiB further in every plane */
    fake_write(s.fake, 0xa0000, 1, 0x80);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 800);
    CHECK_EQ(pixel(&s, 799, 599), palette_color(mode_planar.attribute[6]));
    CHECK_EQ(fake_read(s.fake, FRAMEBUFFER + 4 * 65536, 4), 0x00808000);
    dispi_set(&s, Y_OFFSET, 599);
    dispi_set(&s, X_OFFSET, 798); /* pixels, not bytes */
    screen_render(&s);
    CHECK_EQ(pixel(&s, 1, 0), palette_color(mode_planar.attribute[6]));
    screen_close(&s);
}

TEST(virtual_screen)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 640, 480, 32, 0);
    dispi_set(&s, VIRT_WIDTH, 1000);
    CHECK_EQ(dispi_get(&s, VIRT_WIDTH), 1000);
    CHECK_EQ(dispi_get(&s, VIRT_HEIGHT), (16 << 20) / 4000);
    dispi_set(&s, X_OFFSET, 123);
    dispi_set(&s, Y_OFFSET, 45);
    fake_write(s.fake, FRAMEBUFFER + 4 * (45 * 1000 + 123), 4, 0x111111);
    fake_write(s.fake, FRAMEBUFFER + 4 * ((45 + 479) * 1000 + 123 + 639), 4, 0x222222);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), 0x111111);
    CHECK_EQ(pixel(&s, 639, 479), 0x222222);
    dispi_set(&s, VIRT_WIDTH, 100); /* narrower than the picture */
    CHECK_EQ(dispi_get(&s, VIRT_WIDTH), 640);
    screen_close(&s);
}

TEST(absurd_values_are_clamped)
{
    struct screen s;

    screen_open_with(&s, (struct option_value[]){ { "vram", "8388608" }, { NULL, NULL } });
    CHECK_EQ(dispi_get(&s, MEMORY), 128);
    dispi_start(&s, 65535, 65535, 32, 0);
    CHECK_EQ(dispi_get(&s, XRES), 8192);
    CHECK_EQ(dispi_get(&s, YRES), 256);
    CHECK_EQ(dispi_get(&s, VIRT_HEIGHT), 256);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 8192);
    CHECK_EQ(s.mode.height, 256);
    dispi_set(&s, Y_OFFSET, 1);
    CHECK_EQ(dispi_get(&s, Y_OFFSET), 0);
    dispi_set(&s, X_OFFSET, 65535);
    CHECK_EQ(dispi_get(&s, X_OFFSET), 0);
    dispi_set(&s, VIRT_WIDTH, 65535);
    CHECK_EQ(dispi_get(&s, VIRT_WIDTH), 65528);
    CHECK_EQ(dispi_get(&s, YRES), 32);
    screen_render(&s);
    CHECK_EQ(s.mode.height, 32);
    dispi_set(&s, ENABLE, 0);
    dispi_start(&s, 0, 0, 77, 0);
    CHECK_EQ(dispi_get(&s, XRES), 8);
    CHECK_EQ(dispi_get(&s, YRES), 1);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 8);
    dispi_set(&s, BANK, 0xffff);
    CHECK_EQ(dispi_get(&s, BANK), 127);
    CHECK(fake_save_load(s.device));
    screen_close(&s);
}

TEST(banked_window)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 1024, 768, 8, 0);
    CHECK_EQ(fake_window_base(s.device, 1), 0xa0000);
    dispi_set(&s, BANK, 3);
    fake_write(s.fake, 0xa0010, 1, 0x5a);
    CHECK_EQ(fake_read(s.fake, FRAMEBUFFER + 3 * 65536 + 16, 1), 0x5a);
    palette_start(&s);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 16, 3 * 64), palette_color(0x5a));
    CHECK(fake_save_load(s.device));
    CHECK_EQ(fake_read(s.fake, 0xa0010, 1), 0x5a);
    dispi_set(&s, ENABLE, 0);
    CHECK_EQ(fake_window_base(s.device, 1), REGION_UNPLACED);
    CHECK_EQ(dispi_get(&s, BANK), 0);
    screen_close(&s);
}

TEST(dac_of_eight_bits)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 640, 480, 8, 0x20);
    palette_set(&s, 0, 0x81, 0x42, 0xff);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 5, 5), 0x8142ff);
    fake_out(s.fake, 0x3c7, 1, 0);
    CHECK_EQ(fake_in(s.fake, 0x3c9, 1), 0x81);
    dispi_set(&s, ENABLE, 0x41);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 5, 5), 0x0408ff); /* six bits each: 01, 02, 3f */
    screen_close(&s);
}

TEST(big_endian)
{
    struct screen s;

    screen_open(&s);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x604, 4), 0x1e1e1e1e);
    fake_write(s.fake, REGISTERS + 0x604, 4, 0xbebebebe);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x604, 4), 0xbebebebe);
    fake_write(s.fake, REGISTERS + 0x604, 4, 0);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x604, 4), 0xbebebebe);
    dispi_start(&s, 640, 480, 32, 0);
    fake_write(s.fake, FRAMEBUFFER, 4, 0x56341200);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), 0x123456);
    dispi_start(&s, 640, 480, 16, 0);
    fake_write(s.fake, FRAMEBUFFER, 2, 0x0ffe);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), 0xffc37b);
    fake_write(s.fake, REGISTERS + 0x604, 4, 0x1e1e1e1e);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 0, 0), 0x08fff7);
    screen_close(&s);
}

TEST(damage_is_tight)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 1280, 800, 32, 0);
    screen_render(&s);
    /* The same pixels written again dirty their pages and damage nothing. */
    fake_write(s.fake, FRAMEBUFFER + 4 * (100 * 1280 + 100), 4, 1);
    screen_render(&s);
    CHECK(damaged(&s, 64, 96, 64, 16));
    fake_write(s.fake, FRAMEBUFFER + 4 * (100 * 1280 + 100), 4, 0xff000001);
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    for (uint32_t x = 120; x < 200; x++) {
        fake_write(s.fake, FRAMEBUFFER + 4 * (300 * 1280 + x), 4, 0xffffff);
    }
    fake_write(s.fake, FRAMEBUFFER + 4 * (799 * 1280 + 1279), 4, 0xffffff);
    screen_render(&s);
    CHECK_EQ(s.damage.n, 2);
    CHECK_EQ(s.damage.rects[0].x, 64);
    CHECK_EQ(s.damage.rects[0].width, 192);
    CHECK_EQ(s.damage.rects[1].x, 1216);
    CHECK_EQ(s.damage.rects[1].y, 784);
    CHECK(screen_is_current(&s));
    /* Blank, and back. */
    fake_in(s.fake, 0x3da, 1);
    fake_out(s.fake, 0x3c0, 1, 0);
    screen_render(&s);
    CHECK(s.mode.blank);
    CHECK_EQ(s.mode.width, 1280);
    CHECK_EQ(pixel(&s, 1279, 799), 0);
    fake_in(s.fake, 0x3da, 1);
    fake_out(s.fake, 0x3c0, 1, 0x20);
    screen_render(&s);
    CHECK_EQ(pixel(&s, 1279, 799), 0xffffff);
    screen_close(&s);
}

TEST(options_are_checked)
{
    static const struct option_value bad[][2] = {
        { { "vram", "4194304" }, { NULL, NULL } },  { { "vram", "536870912" }, { NULL, NULL } },
        { { "vram", "12582912" }, { NULL, NULL } }, { { "width", "319" }, { NULL, NULL } },
        { { "width", "4096" }, { NULL, NULL } },    { { "height", "0" }, { NULL, NULL } },
    };
    struct fake *fake = fake_new(4096);
    struct dev_error error;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error.message[0] = '\0';
        CHECK(!fake_try_add(fake, "stdvga", bad[i], &error));
        CHECK(strstr(error.message, "stdvga") != NULL);
    }
    fake_free(fake);
}

TEST(edid)
{
    struct screen s;
    uint8_t edid[128], sum = 0;

    screen_open_with(
        &s, (struct option_value[]){ { "width", "1366" }, { "height", "768" }, { NULL, NULL } });
    for (unsigned i = 0; i < 128; i += 4) {
        store_le32(edid + i, (uint32_t)fake_read(s.fake, REGISTERS + i, 4));
    }
    for (unsigned i = 0; i < 128; i++) {
        sum = (uint8_t)(sum + edid[i]);
        CHECK_EQ(fake_read(s.fake, REGISTERS + i, 1), edid[i]);
    }
    CHECK_EQ(sum, 0);
    CHECK_EQ(load_le64(edid), UINT64_C(0x00ffffffffffff00));
    CHECK_EQ(load_be16(edid + 18), 0x0104);
    CHECK_EQ(edid[54 + 2] | (edid[54 + 4] & 0xf0) << 4, 1360); /* whole groups of eight */
    CHECK_EQ(edid[54 + 5] | (edid[54 + 7] & 0xf0) << 4, 768);
    CHECK_EQ(edid[126], 0);
    CHECK_EQ(fake_read(s.fake, REGISTERS + 0x80, 4), 0);
    screen_close(&s);
}

/* The monitor's own timing: inside what the block's fields can say, at 60 Hz unless that is too
 * fast. */
TEST(edid_of_all_sizes)
{
    static const char *const sizes[][2] = {
        { "320", "200" },   { "1024", "768" },  { "1280", "800" },  { "1920", "1080" },
        { "2560", "1600" }, { "3840", "2160" }, { "4088", "4088" }, { "4088", "480" },
    };

    for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        struct screen s;
        uint8_t sum = 0, d[18];

        screen_open_with(&s, (struct option_value[]){
                                 { "width", sizes[n][0] }, { "height", sizes[n][1] }, { NULL } });
        for (unsigned i = 0; i < 128; i++) {
            sum = (uint8_t)(sum + fake_read(s.fake, REGISTERS + i, 1));
        }
        for (unsigned i = 0; i < 18; i++) {
            d[i] = (uint8_t)fake_read(s.fake, REGISTERS + 54 + i, 1);
        }
        uint32_t width = d[2] | (d[4] & 0xf0u) << 4, height = d[5] | (d[7] & 0xf0u) << 4;
        uint32_t h_blank = d[3] | (d[4] & 0x0fu) << 8, v_blank = d[6] | (d[7] & 0x0fu) << 8;
        double hertz = load_le16(d) * 10000.0 / (width + h_blank) / (height + v_blank);

        CHECK_EQ(sum, 0);
        CHECK_EQ(width, strtoul(sizes[n][0], NULL, 10));
        CHECK_EQ(height, strtoul(sizes[n][1], NULL, 10));
        CHECK(hertz <= 60 && hertz > (height > 4000 ? 30 : height < 480 ? 58 : 59));
        CHECK(d[8] + d[9] < h_blank);
        CHECK((d[10] >> 4) + (d[10] & 15u) + 6 <= v_blank);
        screen_close(&s);
    }
}

struct preferred {
    uint32_t width, height, width_cm;
    uint8_t line_khz_min, line_khz_max;
};

/* What a guest makes of the EDID, whose sum must be right. */
static struct preferred preferred_get(struct screen *s)
{
    uint8_t e[128], sum = 0;
    const uint8_t *d = e + 54, *range = d + 18;

    for (unsigned i = 0; i < 128; i++) {
        e[i] = (uint8_t)fake_read(s->fake, REGISTERS + i, 1);
        sum = (uint8_t)(sum + e[i]);
    }
    CHECK_EQ(sum, 0);
    CHECK_EQ(range[3], 0xfd);
    return (struct preferred){ d[2] | (d[4] & 0xf0u) << 4, d[5] | (d[7] & 0xf0u) << 4, e[21],
                               range[7], range[8] };
}

/* The size of the viewer's window becomes the monitor's, whatever it is. */
TEST(size_follows_the_viewer)
{
    static const struct {
        uint32_t asked[2], got[2];
    } sizes[] = {
        { { 1920, 1080 }, { 1920, 1080 } },
        { { 1365, 767 }, { 1360, 767 } },
        { { 7, 5 }, { 320, 200 } },
        { { 0, UINT32_MAX }, { 320, 4088 } },
        { { 4000, 2000 }, { 2896, 1448 } }, /* 16 MiB hold no more in this shape */
        { { UINT32_MAX, UINT32_MAX }, { 2048, 2048 } },
    };
    struct screen s;
    const struct display_ops *ops;

    screen_open(&s);
    ops = s.device->class->display;
    CHECK(preferred_get(&s).width == 1280 && preferred_get(&s).height == 800);
    for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        ops->set_size(s.device, 0, sizes[n].asked[0], sizes[n].asked[1]);
        struct preferred p = preferred_get(&s);

        CHECK_EQ(p.width, sizes[n].got[0]);
        CHECK_EQ(p.height, sizes[n].got[1]);
        CHECK_EQ(p.width_cm, (p.width * 254 / 960 + 5) / 10);
        CHECK(p.line_khz_min <= 60 * p.height / 1000 && p.line_khz_max >= 60 * p.height / 1000);
    }
    screen_close(&s);
}

/* A monitor is not turned off with the machine, and comes back with a saved one. */
TEST(size_is_kept)
{
    struct dev_error error = { "" };
    uint8_t state[16384];
    struct screen s, other;
    size_t length;

    screen_open(&s);
    screen_open(&other);
    s.device->class->display->set_size(s.device, 0, 1600, 900);
    device_reset(s.device, RESET_WARM);
    device_reset(s.device, RESET_COLD);
    fake_map_bar(s.device, 2, REGISTERS);
    CHECK_EQ(preferred_get(&s).width, 1600);
    length = device_save(s.device, state, sizeof(state));
    CHECK(length > 0);
    CHECK_EQ(device_load(other.device, state, length, &error), 0);
    device_restored(other.device);
    CHECK(preferred_get(&other).width == 1600 && preferred_get(&other).height == 900);

    uint8_t *field = memmem(state, length, "edid_height", 11);

    CHECK(field && load_le32(field + 16) == 900); /* after the name a type and a count */
    store_le32(field + 16, 199);
    rig_state_seal(state, length);
    CHECK(device_load(other.device, state, length, &error) != 0);
    CHECK(strstr(error.message, "199") != NULL);
    CHECK_EQ(preferred_get(&other).height, 900);
    screen_close(&other);
    screen_close(&s);
}

TEST_MAIN(T(pci_identity), T(id_handshake), T(linear_32_bits), T(capabilities),
          T(enabling_clears_the_picture), T(all_depths), T(four_bits_a_pixel), T(virtual_screen),
          T(absurd_values_are_clamped), T(banked_window), T(dac_of_eight_bits), T(big_endian),
          T(damage_is_tight), T(options_are_checked), T(edid), T(edid_of_all_sizes),
          T(size_follows_the_viewer), T(size_is_kept))
