/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio console: one port, several ports with their control messages, and their mistakes. */
#include "test.h"

#include "bytes.h"
#include "virtio_driver.h"

enum {
    RECEIVE = 0,
    TRANSMIT = 1,
    CONTROL_RECEIVE = 2,
    CONTROL_TRANSMIT = 3,
    RECEIVE1 = 4,
    TRANSMIT1 = 5,
    DATA = DRIVER_DATA,
    MESSAGES = DRIVER_DATA + 0x10000,

    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

static struct fake *fake;
static struct device *console;
static struct driver driver;

static void setup(const char *ports)
{
    struct option_value values[] = { { "ports", ports },
                                     { "name1", "org.test.0" },
                                     { NULL, NULL } };

    fake = fake_new(DRIVER_RAM);
    console = fake_add(fake, "virtio-console", values);
    driver_open(&driver, fake, console);
    driver_start(&driver, F_ALL);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(console), "");
    fake_free(fake);
}

static void text_put(uint64_t gpa, const char *text)
{
    memcpy(fake_ram(fake) + gpa, text, strlen(text));
}

static void control_send(uint32_t port, uint16_t event, uint16_t value)
{
    uint8_t *message = fake_ram(fake) + DATA;

    store_le32(message, port);
    store_le16(message + 4, event);
    store_le16(message + 6, value);
    driver_send(&driver, CONTROL_TRANSMIT, DATA, 8, false);
}

static void check_message(uint32_t port, uint16_t event, const char *text)
{
    static unsigned slot;
    const uint8_t *message = fake_ram(fake) + MESSAGES + 64 * slot;
    uint16_t head;
    uint32_t length;

    /* One buffer at a time: the messages keep their order. */
    driver_send(&driver, CONTROL_RECEIVE, MESSAGES + 64 * slot, 64, true);
    slot = (slot + 1) % 8;
    CHECK(driver_take(&driver, CONTROL_RECEIVE, &head, &length));
    CHECK_EQ(length, 8 + strlen(text));
    CHECK_EQ(load_le32(message), port);
    CHECK_EQ(load_le16(message + 4), event);
    CHECK_EQ(load_le16(message + 6), 1);
    CHECK(memcmp(message + 8, text, strlen(text)) == 0);
}

/* --- One port --------------------------------------------------------------------------------- */

TEST(one_port)
{
    setup("1");
    CHECK_EQ(fake_config_read(console, 0, 4), 0x10431af4);
    CHECK_EQ(driver.n_queues, 2);
    CHECK_EQ(driver.offered & 7, 0);
    text_put(DATA, "hello");
    driver_send(&driver, TRANSMIT, DATA, 5, false);
    CHECK_STR(fake_char_output(console, 0), "hello");
    CHECK_EQ(driver_used(&driver, TRANSMIT), 1);
    finish();
}

TEST(input_waits_for_buffers)
{
    uint16_t head;
    uint32_t length;

    setup("1");
    fake_char_input(console, 0, "abcdef", 6);
    fake_run(fake);
    CHECK_EQ(fake_char_waiting(console, 0), 6);
    driver_send(&driver, RECEIVE, DATA, 4, true);
    CHECK(driver_take(&driver, RECEIVE, &head, &length));
    CHECK_EQ(length, 4);
    CHECK(memcmp(fake_ram(fake) + DATA, "abcd", 4) == 0);
    driver_send(&driver, RECEIVE, DATA, 100, true);
    CHECK(driver_take(&driver, RECEIVE, &head, &length));
    CHECK_EQ(length, 2);
    finish();
}

TEST(buffers_wait_for_input)
{
    uint16_t head;
    uint32_t length;

    setup("1");
    driver_send(&driver, RECEIVE, DATA, 64, true);
    driver_send(&driver, RECEIVE, DATA + 64, 64, true);
    CHECK_EQ(driver_used(&driver, RECEIVE), 0);
    CHECK(fake_save_load(console));
    fake_char_input(console, 0, "xyz", 3);
    fake_run(fake);
    CHECK(driver_take(&driver, RECEIVE, &head, &length));
    CHECK_EQ(length, 3);
    CHECK(memcmp(fake_ram(fake) + DATA, "xyz", 3) == 0);
    CHECK_EQ(driver_used(&driver, RECEIVE), 0);
    finish();
}

TEST(long_output)
{
    struct driver_segment segments[] = { { DATA, 3000, false }, { DATA + 5000, 2000, false } };

    setup("1");
    memset(fake_ram(fake) + DATA, 'a', 3000);
    memset(fake_ram(fake) + DATA + 5000, 'b', 2000);
    driver_add(&driver, TRANSMIT, segments, 2);
    driver_kick(&driver, TRANSMIT);
    const char *output = fake_char_output(console, 0);

    CHECK_EQ(strlen(output), 5000);
    CHECK_EQ(output[2999], 'a');
    CHECK_EQ(output[3000], 'b');
    finish();
}

/* --- Several ports ---------------------------------------------------------------------------- */

TEST(ports_are_announced)
{
    setup("3");
    CHECK_EQ(driver.n_queues, 8);
    CHECK_EQ(driver.offered & 7, 2);
    CHECK_EQ(driver_config(&driver, 4, 4), 3);
    control_send(0xffffffff, DEVICE_READY, 1);
    check_message(0, DEVICE_ADD, "");
    check_message(1, DEVICE_ADD, "");
    check_message(2, DEVICE_ADD, "");
    control_send(0, PORT_READY, 1);
    check_message(0, CONSOLE_PORT, "");
    check_message(0, PORT_OPEN, "");
    control_send(1, PORT_READY, 1);
    CHECK(fake_save_load(console)); /* with messages that wait */
    check_message(1, PORT_NAME, "org.test.0");
    check_message(1, PORT_OPEN, "");
    control_send(1, PORT_OPEN, 1);
    driver_send(&driver, CONTROL_RECEIVE, MESSAGES, 64, true);
    CHECK_EQ(driver_used(&driver, CONTROL_RECEIVE), 0);
    finish();
}

TEST(data_of_other_ports)
{
    uint16_t head;
    uint32_t length;

    setup("3");
    text_put(DATA, "one");
    driver_send(&driver, TRANSMIT1, DATA, 3, false);
    CHECK_STR(fake_char_output(console, 1), "one");
    CHECK_STR(fake_char_output(console, 0), "");
    driver_send(&driver, RECEIVE1, DATA + 64, 16, true);
    fake_char_input(console, 1, "two", 3);
    fake_run(fake);
    CHECK(driver_take(&driver, RECEIVE1, &head, &length));
    CHECK_EQ(length, 3);
    CHECK(memcmp(fake_ram(fake) + DATA + 64, "two", 3) == 0);
    finish();
}

/* --- Mistakes --------------------------------------------------------------------------------- */

TEST(mistakes)
{
    uint16_t head;
    uint32_t length;

    setup("2");
    control_send(2, PORT_READY, 1);
    CHECK_EQ(fake_guest_errors(console), 1);
    driver_send(&driver, CONTROL_TRANSMIT, DATA, 7, false);
    CHECK_EQ(fake_guest_errors(console), 2);
    control_send(1, PORT_READY, 1);
    driver_send(&driver, CONTROL_RECEIVE, MESSAGES, 10, true); /* no room for the name */
    CHECK_EQ(fake_guest_errors(console), 3);
    CHECK(driver_take(&driver, CONTROL_RECEIVE, &head, &length));
    CHECK_EQ(length, 0);
    check_message(1, PORT_OPEN, "");
    driver_send(&driver, TRANSMIT, DRIVER_RAM, 8, false);
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    fake_free(fake);
}

TEST(reset_forgets_messages)
{
    setup("2");
    control_send(0, DEVICE_READY, 1);
    driver_start(&driver, F_ALL);
    driver_send(&driver, CONTROL_RECEIVE, MESSAGES, 64, true);
    CHECK_EQ(driver_used(&driver, CONTROL_RECEIVE), 0);
    finish();
}

TEST_MAIN(T(one_port), T(input_waits_for_buffers), T(buffers_wait_for_input), T(long_output),
          T(ports_are_announced), T(data_of_other_ports), T(mistakes), T(reset_forgets_messages))
