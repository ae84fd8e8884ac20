/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtio keyboard, tablet and mouse: what they say they are, and the events that a driver gets. */
#include "test.h"

#include "bytes.h"
#include "input.h"
#include "virtio_driver.h"

enum {
    EVENTS = 0,
    STATUS = 1,
    BUFFERS = DRIVER_DATA,
    DATA = DRIVER_DATA + 0x10000,

    SELECT_NAME = 1,
    SELECT_DEVIDS = 3,
    SELECT_EV_BITS = 0x11,
    SELECT_ABS_INFO = 0x12,

    EV_SYN = 0,
    EV_KEY = 1,
    EV_REL = 2,
    EV_ABS = 3,
    EV_LED = 0x11,
    EV_REP = 0x14,
    KEY_A = 30,
    BTN_LEFT = 0x110,
    BTN_MIDDLE = 0x112,
    REL_WHEEL = 8,
};

static struct fake *fake;
static struct device *input;
static const struct input_ops *ops;
static struct driver driver;

static void setup(const char *class)
{
    fake = fake_new(DRIVER_RAM);
    input = fake_add(fake, class, NULL);
    ops = input->class->input;
    driver_open(&driver, fake, input);
    driver_start(&driver, F_ALL);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(input), "");
    fake_free(fake);
}

static void buffers_add(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        driver_add(
            &driver, EVENTS,
            (struct driver_segment[]){ { BUFFERS + 8 * driver.queues[EVENTS].next_desc, 8, true } },
            1);
    }
    driver_kick(&driver, EVENTS);
}

static void check_event(unsigned type, unsigned code, uint32_t value)
{
    uint16_t head;
    uint32_t length;

    CHECK(driver_take(&driver, EVENTS, &head, &length));
    CHECK_EQ(length, 8);
    const uint8_t *event = fake_ram(fake) + BUFFERS + 8 * head;

    CHECK_EQ(load_le16(event), type);
    CHECK_EQ(load_le16(event + 2), code);
    CHECK_EQ(load_le32(event + 4), value);
}

static void check_no_event(void)
{
    CHECK_EQ(driver_used(&driver, EVENTS), 0);
}

static void place(uint32_t x, uint32_t y, unsigned buttons, int wheel)
{
    struct pointer_event event = { .x = x, .y = y, .buttons = buttons, .wheel = wheel };

    ops->pointer(input, &event);
}

static unsigned selected(unsigned select, unsigned subsel)
{
    fake_write(fake, driver.config, 1, select);
    fake_write(fake, driver.config + 1, 1, subsel);
    return (unsigned)driver_config(&driver, 2, 1);
}

static bool selected_bit(unsigned bit)
{
    return driver_config(&driver, 8 + bit / 8, 1) >> bit % 8 & 1;
}

/* --- Identity --------------------------------------------------------------------------------- */

TEST(keyboard_says_what_it_is)
{
    setup("virtio-keyboard");
    CHECK_EQ(fake_config_read(input, 0, 4), 0x10521af4);
    CHECK_EQ(selected(SELECT_NAME, 0), strlen("Oriel virtio keyboard"));
    CHECK_EQ(driver_config(&driver, 8, 1), 'O');
    CHECK_EQ(selected(SELECT_DEVIDS, 0), 8);
    CHECK_EQ(driver_config(&driver, 8, 2), 6);
    CHECK(selected(SELECT_EV_BITS, EV_KEY) > KEY_A / 8);
    CHECK(selected_bit(KEY_A) && !selected_bit(0));
    CHECK_EQ(selected(SELECT_EV_BITS, EV_LED), 1);
    CHECK_EQ(driver_config(&driver, 8, 1), 7);
    CHECK_EQ(selected(SELECT_EV_BITS, EV_REP), 1);
    CHECK_EQ(selected(SELECT_EV_BITS, EV_REL), 0);
    CHECK_EQ(selected(SELECT_EV_BITS, EV_ABS), 0);
    CHECK_EQ(selected(SELECT_ABS_INFO, 0), 0);
    CHECK_EQ(selected(0, 0), 0);
    finish();
}

TEST(tablet_says_what_it_is)
{
    setup("virtio-tablet");
    CHECK(selected(SELECT_EV_BITS, EV_KEY) > BTN_LEFT / 8);
    CHECK(selected_bit(BTN_LEFT) && selected_bit(BTN_LEFT + 4) && !selected_bit(KEY_A));
    CHECK_EQ(selected(SELECT_EV_BITS, EV_ABS), 1);
    CHECK_EQ(driver_config(&driver, 8, 1), 3);
    CHECK(selected(SELECT_EV_BITS, EV_REL) > 0);
    CHECK(selected_bit(REL_WHEEL) && !selected_bit(0));
    CHECK_EQ(selected(SELECT_ABS_INFO, 1), 20);
    CHECK_EQ(driver_config(&driver, 8, 4), 0);
    CHECK_EQ(driver_config(&driver, 12, 4), POINTER_AXIS_MAX);
    CHECK_EQ(selected(SELECT_ABS_INFO, 2), 0);
    finish();
}

/* --- Events ----------------------------------------------------------------------------------- */

TEST(keys)
{
    setup("virtio-keyboard");
    buffers_add(8);
    ops->key(input, KEY_A, true);
    check_event(EV_KEY, KEY_A, 1);
    check_event(EV_SYN, 0, 0);
    ops->key(input, KEY_A, true); /* held: the guest repeats by itself */
    check_no_event();
    ops->key(input, KEY_A, false);
    check_event(EV_KEY, KEY_A, 0);
    check_event(EV_SYN, 0, 0);
    ops->key(input, 0, true);
    ops->key(input, 0x2ff, true);
    check_no_event();
    finish();
}

TEST(tablet)
{
    setup("virtio-tablet");
    buffers_add(16);
    place(100, 200, 0, 0);
    check_event(EV_ABS, 0, 100);
    check_event(EV_ABS, 1, 200);
    check_event(EV_SYN, 0, 0);
    place(100, 300, POINTER_LEFT | POINTER_MIDDLE, -1);
    check_event(EV_ABS, 1, 300);
    check_event(EV_KEY, BTN_LEFT, 1);
    check_event(EV_KEY, BTN_MIDDLE, 1);
    check_event(EV_REL, REL_WHEEL, (uint32_t)-1);
    check_event(EV_SYN, 0, 0);
    place(100, 300, POINTER_LEFT | POINTER_MIDDLE, 0);
    check_no_event();
    place(1u << 31, 300, 0, 0);
    check_event(EV_ABS, 0, POINTER_AXIS_MAX);
    check_event(EV_KEY, BTN_LEFT, 0);
    check_event(EV_KEY, BTN_MIDDLE, 0);
    check_event(EV_SYN, 0, 0);
    finish();
}

/* While it is saved, say, the memory of the guest stays as it is. */
TEST(machine_that_stands_still)
{
    uint8_t *before;

    setup("virtio-tablet");
    buffers_add(16);
    before = malloc(DRIVER_RAM);
    memcpy(before, fake_ram(fake), DRIVER_RAM);
    fake_set_halted(fake, true);
    place(100, 200, POINTER_LEFT, 0);
    fake_run(fake);
    place(150, 200, POINTER_LEFT, 0);
    fake_run(fake);
    CHECK(memcmp(before, fake_ram(fake), DRIVER_RAM) == 0);
    free(before);
    CHECK(fake_save_load(input));
    fake_run(fake);
    check_no_event();
    fake_set_halted(fake, false);
    fake_run(fake);
    check_event(EV_ABS, 0, 150);
    check_event(EV_ABS, 1, 200);
    check_event(EV_KEY, BTN_LEFT, 1);
    check_event(EV_SYN, 0, 0);
    check_no_event();
    finish();
}

TEST(mouse)
{
    struct pointer_event event = { .dx = -3, .dy = 4 };

    setup("virtio-mouse");
    buffers_add(4);
    ops->pointer(input, &event);
    check_event(EV_REL, 0, (uint32_t)-3);
    check_event(EV_REL, 1, 4);
    check_event(EV_SYN, 0, 0);
    ops->pointer(input, &event); /* one buffer is left: the group goes on when there are more */
    check_event(EV_REL, 0, (uint32_t)-3);
    check_no_event();
    buffers_add(2);
    check_event(EV_REL, 1, 4);
    check_event(EV_SYN, 0, 0);
    finish();
}

/* A guest that does not look for a while gets the last place and no stuck key. */
TEST(guest_that_sleeps)
{
    setup("virtio-tablet");
    for (unsigned i = 0; i < 1000; i++) {
        place(i, i, i % 2 ? POINTER_LEFT : 0, 0);
    }
    place(5, 6, 0, 0);
    uint32_t x = 0, y = 0, left = 0;

    for (unsigned round = 0; round < 100; round++) {
        uint16_t head;
        uint32_t length;

        buffers_add(8);
        while (driver_take(&driver, EVENTS, &head, &length)) {
            const uint8_t *event = fake_ram(fake) + BUFFERS + 8 * head;

            if (load_le16(event) == EV_ABS) {
                *(load_le16(event + 2) ? &y : &x) = load_le32(event + 4);
            } else if (load_le16(event) == EV_KEY) {
                left = load_le32(event + 4);
            }
        }
    }
    CHECK_EQ(x, 5);
    CHECK_EQ(y, 6);
    CHECK_EQ(left, 0);
    finish();
}

TEST(typing_waits_for_room)
{
    setup("virtio-keyboard");
    CHECK(ops->ready(input));
    ops->key(input, KEY_A, true);
    CHECK(!ops->ready(input));
    CHECK(fake_save_load(input));
    buffers_add(2);
    CHECK(ops->ready(input));
    check_event(EV_KEY, KEY_A, 1);
    check_event(EV_SYN, 0, 0);
    finish();
}

TEST(in_use)
{
    fake = fake_new(DRIVER_RAM);
    input = fake_add(fake, "virtio-tablet", NULL);
    ops = input->class->input;
    CHECK(!ops->in_use(input));
    place(1, 1, POINTER_LEFT, 0); /* lost: nobody listens */
    driver_open(&driver, fake, input);
    driver_start(&driver, F_ALL);
    CHECK(ops->in_use(input));
    buffers_add(4);
    check_no_event();
    driver_reset(&driver);
    CHECK(!ops->in_use(input));
    finish();
}

TEST(lamps)
{
    uint8_t *event;

    setup("virtio-keyboard");
    event = fake_ram(fake) + DATA;
    store_le16(event, EV_LED);
    store_le16(event + 2, 1); /* caps lock */
    store_le32(event + 4, 1);
    driver_send(&driver, STATUS, DATA, 8, false);
    CHECK_EQ(ops->leds(input), 4);
    store_le16(event + 2, 0); /* num lock */
    driver_send(&driver, STATUS, DATA, 8, false);
    CHECK_EQ(ops->leds(input), 6);
    store_le16(event + 2, 1);
    store_le32(event + 4, 0);
    driver_send(&driver, STATUS, DATA, 8, false);
    CHECK_EQ(ops->leds(input), 2);
    store_le16(event + 2, 9); /* none of ours */
    driver_send(&driver, STATUS, DATA, 8, false);
    driver_send(&driver, STATUS, DATA, 4, false);
    CHECK_EQ(ops->leds(input), 2);
    CHECK_EQ(driver_used(&driver, STATUS), 5);
    driver_reset(&driver);
    CHECK_EQ(ops->leds(input), 0);
    finish();
}

TEST(buffers_too_short)
{
    uint16_t head;
    uint32_t length;

    setup("virtio-keyboard");
    driver_send(&driver, EVENTS, BUFFERS, 7, true);
    ops->key(input, KEY_A, true);
    CHECK(driver_take(&driver, EVENTS, &head, &length));
    CHECK_EQ(length, 0);
    CHECK_EQ(fake_guest_errors(input), 1);
    buffers_add(2);
    check_event(EV_KEY, KEY_A, 1);
    fake_free(fake);
}

TEST_MAIN(T(keyboard_says_what_it_is), T(tablet_says_what_it_is), T(keys), T(tablet),
          T(machine_that_stands_still), T(mouse), T(guest_that_sleeps), T(typing_waits_for_room),
          T(in_use), T(lamps), T(buffers_too_short))
