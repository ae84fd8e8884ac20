/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtio display adapter: VGA at first, resources, scanout, flush, pointer, monitor, bad commands.
 */
#include "test.h"

#include <stdlib.h>

#include "bytes.h"
#include "display.h"
#include "virtio/virtio_driver.h"

enum {
    CONTROL = 0,
    CURSOR = 1,
    COMMAND = DRIVER_DATA,
    ANSWER = DRIVER_DATA + 0x1000,
    BACKING = DRIVER_DATA + 0x10000,
    ANSWER_SIZE = 1056,
    WIDTH = 80,
    HEIGHT = 40,

    GET_DISPLAY_INFO = 0x100,
    CREATE = 0x101,
    UNREF = 0x102,
    SET_SCANOUT = 0x103,
    FLUSH = 0x104,
    TRANSFER = 0x105,
    ATTACH = 0x106,
    DETACH = 0x107,
    GET_EDID = 0x10a,
    UPDATE_CURSOR = 0x300,
    MOVE_CURSOR = 0x301,

    OK_NODATA = 0x1100,
    OK_DISPLAY_INFO = 0x1101,
    OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200,
    ERR_OUT_OF_MEMORY = 0x1201,
    ERR_SCANOUT = 0x1202,
    ERR_RESOURCE = 0x1203,
    ERR_PARAMETER = 0x1205,

    BGRX = 2,
    XRGB = 4,
};

static struct fake *fake;
static struct device *gpu;
static struct driver driver;
static uint32_t screen[1280 * 800];

static void setup(void)
{
    fake = fake_new(DRIVER_RAM);
    gpu = fake_add(fake, "virtio-gpu", NULL);
    driver_open(&driver, fake, gpu);
    driver_start(&driver, F_ALL);
}

static uint8_t *ram(uint64_t gpa)
{
    return fake_ram(fake) + gpa;
}

/* A command of `n` words behind the header; the type of the answer, 0 without one. */
static uint32_t command(unsigned type, const uint32_t *words, unsigned n)
{
    unsigned queue = type >= UPDATE_CURSOR ? CURSOR : CONTROL;
    uint16_t head;
    uint32_t length;

    memset(ram(COMMAND), 0, 24);
    memset(ram(ANSWER), 0, ANSWER_SIZE);
    store_le32(ram(COMMAND), type);
    for (unsigned i = 0; i < n; i++) {
        store_le32(ram(COMMAND + 24 + 4 * i), words[i]);
    }
    driver_add(
        &driver, queue,
        (struct driver_segment[]){ { COMMAND, 24 + 4 * n, false }, { ANSWER, ANSWER_SIZE, true } },
        queue == CURSOR ? 1 : 2);
    driver_kick(&driver, queue);
    CHECK(driver_take(&driver, queue, &head, &length));
    return length >= 24 ? load_le32(ram(ANSWER)) : 0;
}

#define COMMAND_DO(type, ...)                                                                      \
    command(type, (uint32_t[]){ __VA_ARGS__ },                                                     \
            sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static struct display_mode mode_get(void)
{
    struct display_mode mode;

    gpu->class->display->mode(gpu, 0, &mode);
    return mode;
}

static struct damage render(bool full)
{
    struct display_mode mode = mode_get();
    struct surface surface = { screen, mode.width, mode.height, mode.width };
    struct damage damage = { .n = 0 };

    CHECK(gpu->class->display->render(gpu, 0, &surface, full, &damage));
    return damage;
}

/* Resource 1, WIDTH x HEIGHT, its backing in two pieces, filled with a pattern, and shown. */
static uint32_t pattern(uint32_t x, uint32_t y)
{
    return x * 3 + y * 5 * 256 + ((x ^ y) & 255) * 65536;
}

static void picture_show(uint32_t format)
{
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        uint64_t at = BACKING + 4 * i + (i >= 1000 ? 4096 : 0);

        store_le32(ram(at), format == XRGB ? __builtin_bswap32(pattern(i % WIDTH, i / WIDTH))
                                           : pattern(i % WIDTH, i / WIDTH));
    }
    CHECK_EQ(COMMAND_DO(CREATE, 1, format, WIDTH, HEIGHT), OK_NODATA);
    CHECK_EQ(COMMAND_DO(ATTACH, 1, 2, BACKING, 0, 4000, 0, BACKING + 4000 + 4096, 0,
                        WIDTH * HEIGHT * 4 - 4000, 0),
             OK_NODATA);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, WIDTH, HEIGHT, 0, 0, 1, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, WIDTH, HEIGHT, 0, 1), OK_NODATA);
    CHECK_EQ(COMMAND_DO(FLUSH, 0, 0, WIDTH, HEIGHT, 1, 0), OK_NODATA);
}

static void check_pattern(void)
{
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        CHECK_EQ(screen[i], DISPLAY_OPAQUE | pattern(i % WIDTH, i / WIDTH));
    }
}

TEST(vga_until_a_scanout_is_set)
{
    setup();
    CHECK_EQ(fake_config_read(gpu, 0, 4), 0x10501af4);
    CHECK_EQ(fake_config_read(gpu, 8, 4) >> 8, 0x030000);
    fake_out(fake, 0x1ce, 2, 0);
    CHECK_EQ(fake_in(fake, 0x1cf, 2) & 0xfff0, 0xb0c0);
    for (unsigned i = 1; i <= 4; i++) { /* 640 x 480, 32 bits, on */
        static const uint16_t values[] = { 0, 640, 480, 32, 0x41 };

        fake_out(fake, 0x1ce, 2, i);
        fake_out(fake, 0x1cf, 2, values[i]);
    }
    fake_out(fake, 0x3c0, 1, 0x20);
    CHECK_EQ(mode_get().width, 640);
    picture_show(BGRX);
    CHECK_EQ(mode_get().width, WIDTH);
    CHECK(!mode_get().blank && !mode_get().text);
    driver_reset(&driver);
    CHECK_EQ(mode_get().width, 640);
    render(true);
    fake_free(fake);
}

TEST(picture_is_what_the_guest_drew)
{
    setup();
    picture_show(BGRX);
    render(true);
    check_pattern();
    CHECK_EQ(COMMAND_DO(UNREF, 1), ERR_UNSPEC); /* shorter than the command is */
    CHECK_EQ(COMMAND_DO(UNREF, 1, 0), OK_NODATA);
    CHECK(mode_get().blank);
    CHECK_EQ(mode_get().width, WIDTH);
    picture_show(XRGB);
    render(false);
    check_pattern();
    fake_free(fake);
}

TEST(only_what_is_transferred_and_flushed_changes)
{
    setup();
    picture_show(BGRX);
    render(true);
    CHECK_EQ(render(false).n, 0);
    store_le32(ram(BACKING + 4 * (2 * WIDTH + 3)), 0x00123456);
    store_le32(ram(BACKING + 4 * (2 * WIDTH + 4)), 0x00654321);
    CHECK_EQ(COMMAND_DO(TRANSFER, 3, 2, 1, 1, 4 * (2 * WIDTH + 3), 0, 1, 0), OK_NODATA);
    CHECK_EQ(render(false).n, 0);
    CHECK_EQ(COMMAND_DO(FLUSH, 3, 2, 1, 1, 1, 0), OK_NODATA);
    struct damage damage = render(false);

    CHECK_EQ(damage.n, 1);
    CHECK_EQ(damage.rects[0].x, 0);
    CHECK_EQ(damage.rects[0].width, 64);
    CHECK_EQ(screen[2 * WIDTH + 3], 0xff123456);
    CHECK_EQ(screen[2 * WIDTH + 4], DISPLAY_OPAQUE | pattern(4, 2));
    fake_free(fake);
}

TEST(part_of_a_resource)
{
    setup();
    picture_show(BGRX);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 10, 20, 30, 15, 0, 1), OK_NODATA);
    CHECK_EQ(mode_get().width, 30);
    CHECK_EQ(mode_get().height, 15);
    render(true);
    CHECK_EQ(screen[31], DISPLAY_OPAQUE | pattern(11, 21));
    CHECK_EQ(COMMAND_DO(FLUSH, 0, 0, 10, 20, 1, 0), OK_NODATA); /* beside it */
    CHECK_EQ(render(false).n, 0);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, 0, 0, 0, 0), OK_NODATA);
    CHECK(mode_get().blank);
    render(false);
    CHECK_EQ(screen[31], DISPLAY_OPAQUE);
    fake_free(fake);
}

TEST(monitor_follows_the_viewer)
{
    setup();
    CHECK_EQ(driver_config(&driver, 0, 4), 0);
    CHECK_EQ(driver_config(&driver, 8, 4), 1);
    gpu->class->display->set_size(gpu, 0, 1366, 768);
    CHECK_EQ(driver_config(&driver, 0, 4), 1);
    CHECK_EQ(fake_read(fake, driver.isr, 1) & 2, 2);
    CHECK_EQ(COMMAND_DO(GET_DISPLAY_INFO, ), OK_DISPLAY_INFO);
    CHECK_EQ(load_le32(ram(ANSWER + 24 + 8)), 1366);
    CHECK_EQ(load_le32(ram(ANSWER + 24 + 12)), 768);
    CHECK_EQ(load_le32(ram(ANSWER + 24 + 16)), 1);
    CHECK_EQ(load_le32(ram(ANSWER + 48 + 16)), 0);
    CHECK_EQ(COMMAND_DO(GET_EDID, 0, 0), OK_EDID);
    CHECK_EQ(load_le32(ram(ANSWER + 24)), 128);
    CHECK_EQ(ram(ANSWER + 32)[1], 0xff);
    CHECK_EQ(ram(ANSWER + 32)[54 + 2] | (ram(ANSWER + 32)[54 + 4] & 0xf0) << 4, 1366);
    CHECK_EQ(COMMAND_DO(GET_EDID, 1, 0), ERR_SCANOUT);
    fake_write(fake, driver.config + 4, 4, 1);
    CHECK_EQ(driver_config(&driver, 0, 4), 0);
    gpu->class->display->set_size(gpu, 0, 1366, 768);
    CHECK_EQ(driver_config(&driver, 0, 4), 0);
    gpu->class->display->set_size(gpu, 0, UINT32_MAX, 1);
    CHECK_EQ(COMMAND_DO(GET_DISPLAY_INFO, ), OK_DISPLAY_INFO);
    CHECK(load_le32(ram(ANSWER + 24 + 8)) <= 4088);
    gpu->class->display->set_size(gpu, 0, 4088,
                                  600); /* two of them are more than there is memory */
    CHECK_EQ(COMMAND_DO(GET_DISPLAY_INFO, ), OK_DISPLAY_INFO);
    CHECK(load_le32(ram(ANSWER + 24 + 8)) * load_le32(ram(ANSWER + 24 + 12)) <= 7 << 18);
    CHECK(fake_save_load(gpu));
    fake_free(fake);
}

static struct display_cursor cursor;

static void cursor_look(unsigned head)
{
    gpu->class->display->cursor(gpu, head, &cursor);
}

/* Resource 2 is a shape with two pixels. */
static void shape_make(void)
{
    CHECK_EQ(COMMAND_DO(CREATE, 2, BGRX, 64, 64), OK_NODATA); /* as Linux does it */
    memset(ram(BACKING + 0x8000), 0, 64 * 64 * 4);
    store_le32(ram(BACKING + 0x8000), 0xffff0000);
    store_le32(ram(BACKING + 0x8004), 0x80000000);
    CHECK_EQ(COMMAND_DO(ATTACH, 2, 1, BACKING + 0x8000, 0, 64 * 64 * 4, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, 64, 64, 0, 0, 2, 0), OK_NODATA);
}

TEST(pointer_is_beside_the_picture)
{
    setup();
    cursor = (struct display_cursor){ .shape = 0 };
    picture_show(BGRX);
    shape_make();
    render(true);
    cursor_look(0);
    CHECK_EQ(cursor.shape, 0);
    CHECK(!cursor.visible);
    CHECK_EQ(COMMAND_DO(UPDATE_CURSOR, 0, 10, 5, 0, 2, 1, 64, 0), 0);
    CHECK_EQ(render(false).n, 0);
    cursor_look(0);
    uint32_t shape = cursor.shape;

    CHECK(shape != 0 && cursor.visible);
    CHECK(cursor.x == 10 && cursor.y == 5);
    CHECK(cursor.hot_x == 1 && cursor.hot_y == 63);
    CHECK(cursor.pixels[0] == 0xffff0000 && cursor.pixels[1] == 0x80000000);
    CHECK_EQ(cursor.pixels[2], 0);
    cursor.pixels[0] = 7; /* of a shape that is known */
    CHECK_EQ(COMMAND_DO(MOVE_CURSOR, 0, (uint32_t)-1, 3, 0, 0, 0, 0, 0), 0);
    cursor_look(0);
    CHECK(cursor.x == -1 && cursor.y == 3 && cursor.visible);
    CHECK(cursor.shape == shape && cursor.pixels[0] == 7);
    CHECK(fake_save_load(gpu));
    cursor_look(0);
    CHECK(cursor.shape != shape && cursor.pixels[0] == 0xffff0000 && cursor.x == -1);
    CHECK_EQ(COMMAND_DO(UPDATE_CURSOR, 0, 0, 0, 0, 0, 0, 0, 0), 0);
    cursor_look(0);
    CHECK(!cursor.visible && cursor.shape != 0);
    CHECK_EQ(fake_guest_errors(gpu), 0);
    COMMAND_DO(UPDATE_CURSOR, 0, 0, 0, 0, 1, 0, 0, 0); /* of another size */
    CHECK_EQ(fake_guest_errors(gpu), 1);
    COMMAND_DO(MOVE_CURSOR, 1, 0, 0, 0, 0, 0, 0, 0); /* of no head */
    CHECK_EQ(fake_guest_errors(gpu), 2);
    driver_reset(&driver);
    cursor_look(0);
    CHECK(!cursor.visible && cursor.shape == 0);
    fake_free(fake);
}

static void heads_setup(void)
{
    fake = fake_new(DRIVER_RAM);
    gpu = fake_add(fake, "virtio-gpu", (struct option_value[]){ { "heads", "3" }, { NULL, NULL } });
    driver_open(&driver, fake, gpu);
    driver_start(&driver, F_ALL);
}

/* Width that the display information gives a head, 0: no monitor is there. */
static uint32_t told(unsigned head, uint32_t *x)
{
    const uint8_t *at = ram(ANSWER + 24 + head * 24);

    CHECK_EQ(COMMAND_DO(GET_DISPLAY_INFO, ), OK_DISPLAY_INFO);
    *x = load_le32(at);
    return load_le32(at + 16) ? load_le32(at + 8) : 0;
}

TEST(monitors_are_plugged_in_and_out)
{
    heads_setup();
    const struct display_ops *ops = gpu->class->display;
    uint32_t x;

    CHECK_EQ(ops->heads(gpu), 3);
    CHECK_EQ(driver_config(&driver, 8, 4), 3);
    CHECK(ops->connected(gpu, 0) && !ops->connected(gpu, 2));
    CHECK_EQ(told(2, &x), 0);
    ops->set_size(gpu, 2, 640, 480);
    CHECK_EQ(driver_config(&driver, 0, 4), 0); /* nobody sees it yet */
    ops->set_connected(gpu, 2, true);
    CHECK_EQ(driver_config(&driver, 0, 4), 1);
    CHECK_EQ(told(2, &x), 640);
    CHECK_EQ(x, 1280); /* beside the first; the second is not there */
    CHECK_EQ(told(1, &x), 0);
    CHECK_EQ(COMMAND_DO(GET_EDID, 2, 0), OK_EDID);
    CHECK_EQ(ram(ANSWER + 32)[54 + 2] | (ram(ANSWER + 32)[54 + 4] & 0xf0) << 4, 640);
    CHECK_EQ(COMMAND_DO(GET_EDID, 3, 0), ERR_SCANOUT);
    CHECK(fake_save_load(gpu));
    fake_write(fake, driver.config + 4, 4, 1);
    ops->set_connected(gpu, 2, true);
    ops->set_connected(gpu, 0, false); /* it stays */
    CHECK_EQ(driver_config(&driver, 0, 4), 0);
    CHECK(ops->connected(gpu, 0));
    fake_reset(fake, RESET_WARM);
    CHECK(ops->connected(gpu, 2));
    ops->set_connected(gpu, 2, false);
    driver_open(&driver, fake, gpu);
    driver_start(&driver, F_ALL);
    CHECK_EQ(told(2, &x), 0);
    fake_free(fake);
}

TEST(each_head_has_its_picture_and_pointer)
{
    heads_setup();
    const struct display_ops *ops = gpu->class->display;
    struct surface surface = { screen, 1280, 800, 1280 };
    struct damage damage = { .n = 0 };
    struct display_mode mode;

    ops->mode(gpu, 1, &mode);
    CHECK(mode.blank && mode.width == 1280 && mode.height == 800);
    memset(screen, 0, sizeof(screen));
    CHECK(ops->render(gpu, 1, &surface, true, &damage));
    CHECK(damage.n == 1 && screen[5] == DISPLAY_OPAQUE);
    picture_show(BGRX);
    shape_make();
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 10, 20, 30, 15, 1, 1), OK_NODATA);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 10, 20, 30, 15, 3, 1), ERR_SCANOUT);
    ops->mode(gpu, 1, &mode);
    CHECK(!mode.blank && mode.width == 30 && mode.height == 15);
    CHECK_EQ(mode_get().width, WIDTH);
    render(true);
    check_pattern();
    surface = (struct surface){ screen, 30, 15, 30 };
    CHECK(ops->render(gpu, 1, &surface, true, &damage));
    CHECK_EQ(screen[31], DISPLAY_OPAQUE | pattern(11, 21));
    damage.n = 0;
    CHECK_EQ(COMMAND_DO(FLUSH, 0, 0, 20, 25, 1, 0), OK_NODATA); /* both show some of it */
    CHECK(ops->render(gpu, 1, &surface, false, &damage));
    CHECK(damage.n == 0); /* it is the same as before */
    CHECK_EQ(COMMAND_DO(UPDATE_CURSOR, 1, 4, 5, 0, 2, 0, 0, 0), 0);
    cursor_look(0);
    CHECK(!cursor.visible && cursor.shape == 0);
    cursor_look(1);
    CHECK(cursor.visible && cursor.x == 4 && cursor.y == 5);
    CHECK(fake_save_load(gpu));
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, 0, 0, 0, 0), OK_NODATA);
    ops->mode(gpu, 1, &mode);
    CHECK(mode_get().blank && !mode.blank);
    CHECK_EQ(COMMAND_DO(UNREF, 1, 0), OK_NODATA);
    ops->mode(gpu, 1, &mode);
    CHECK(mode.blank && mode.width == 30);
    driver_reset(&driver);
    ops->mode(gpu, 1, &mode);
    CHECK(mode.blank && mode.width == 1280);
    fake_free(fake);
}

TEST(bad_commands_are_answered_with_errors)
{
    setup();
    picture_show(BGRX);
    CHECK_EQ(COMMAND_DO(CREATE, 1, BGRX, 8, 8), ERR_RESOURCE);
    CHECK_EQ(COMMAND_DO(CREATE, 0, BGRX, 8, 8), ERR_RESOURCE);
    CHECK_EQ(COMMAND_DO(CREATE, 2, 5, 8, 8), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(CREATE, 2, BGRX, 0, 8), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(CREATE, 2, BGRX, UINT32_MAX, UINT32_MAX), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(CREATE, 2, BGRX, 16384, 16384), ERR_OUT_OF_MEMORY);
    CHECK_EQ(COMMAND_DO(ATTACH, 1, 1, BACKING, 0, 64, 0), ERR_UNSPEC);
    CHECK_EQ(COMMAND_DO(ATTACH, 3, 1, BACKING, 0, 64, 0), ERR_RESOURCE);
    CHECK_EQ(COMMAND_DO(TRANSFER, 1, 0, WIDTH, HEIGHT, 0, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(TRANSFER, UINT32_MAX, 0, 2, 1, 0, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, 1, 1, WIDTH * HEIGHT * 4, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, 1, 1, UINT32_MAX, UINT32_MAX, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(FLUSH, 0, 0, WIDTH, HEIGHT + 1, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, WIDTH, HEIGHT, 1, 1), ERR_SCANOUT);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, WIDTH, HEIGHT, 0, 7), ERR_RESOURCE);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 1, 0, WIDTH, HEIGHT, 0, 1), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(SET_SCANOUT, 0, 0, 0, HEIGHT, 0, 1), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(DETACH, 1, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(DETACH, 1, 0), ERR_UNSPEC);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(ATTACH, 1, 16385, BACKING, 0, 64, 0), ERR_PARAMETER);
    CHECK_EQ(COMMAND_DO(ATTACH, 1, 2, BACKING, 0, 64, 0), ERR_PARAMETER); /* one is missing */
    CHECK_EQ(COMMAND_DO(ATTACH, 1, 1, 0xffffff00, 0xffffffff, 4096, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, WIDTH, 1, 0, 0, 1, 0), ERR_PARAMETER); /* no memory */
    CHECK_EQ(COMMAND_DO(0x1ff, 0), ERR_UNSPEC);
    CHECK_EQ(fake_guest_errors(gpu), 25);
    render(true);
    check_pattern();
    fake_free(fake);
}

TEST(memory_is_bounded_and_comes_back)
{
    setup();
    unsigned made = 0;

    while (COMMAND_DO(CREATE, made + 1, BGRX, 1024, 512) == OK_NODATA) { /* 2 MiB each */
        made++;
    }
    CHECK_EQ(made, 8);
    CHECK_EQ(COMMAND_DO(UNREF, 3, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(CREATE, 100, BGRX, 1024, 512), OK_NODATA);
    CHECK_EQ(COMMAND_DO(ATTACH, 100, 1, BACKING, 0, 64, 0), ERR_OUT_OF_MEMORY);
    CHECK(fake_save_load(gpu));
    fake_reset(fake, RESET_WARM);
    driver_open(&driver, fake, gpu);
    driver_start(&driver, F_ALL);
    CHECK_EQ(COMMAND_DO(CREATE, 1, BGRX, 1024, 512), OK_NODATA);
    fake_free(fake);
}

TEST(fences_come_back)
{
    setup();
    uint16_t head;
    uint32_t length;

    memset(ram(COMMAND), 0, 24);
    store_le32(ram(COMMAND), GET_DISPLAY_INFO);
    store_le32(ram(COMMAND + 4), 1);
    store_le64(ram(COMMAND + 8), UINT64_C(0x123456789abcdef0));
    store_le32(ram(COMMAND + 16), 77);
    driver_add(&driver, CONTROL,
               (struct driver_segment[]){ { COMMAND, 24, false }, { ANSWER, 408, true } }, 2);
    driver_kick(&driver, CONTROL);
    CHECK(driver_take(&driver, CONTROL, &head, &length));
    CHECK_EQ(length, 408);
    CHECK_EQ(load_le32(ram(ANSWER)), OK_DISPLAY_INFO);
    CHECK_EQ(load_le32(ram(ANSWER + 4)), 1);
    CHECK_EQ(load_le64(ram(ANSWER + 8)), UINT64_C(0x123456789abcdef0));
    CHECK_EQ(load_le32(ram(ANSWER + 16)), 77);
    fake_free(fake);
}

TEST(saved_in_the_middle)
{
    setup();
    picture_show(BGRX);
    memset(ram(BACKING), 0, 4096);
    CHECK(fake_save_load(gpu));
    render(false);
    check_pattern();
    CHECK_EQ(COMMAND_DO(TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), OK_NODATA);
    CHECK_EQ(COMMAND_DO(FLUSH, 0, 0, 1, 1, 1, 0), OK_NODATA);
    render(false);
    CHECK_EQ(screen[0], DISPLAY_OPAQUE);
    fake_free(fake);
}

TEST_MAIN(T(vga_until_a_scanout_is_set), T(picture_is_what_the_guest_drew),
          T(only_what_is_transferred_and_flushed_changes), T(part_of_a_resource),
          T(monitor_follows_the_viewer), T(pointer_is_beside_the_picture),
          T(monitors_are_plugged_in_and_out), T(each_head_has_its_picture_and_pointer),
          T(bad_commands_are_answered_with_errors), T(memory_is_bounded_and_comes_back),
          T(fences_come_back), T(saved_in_the_middle))
