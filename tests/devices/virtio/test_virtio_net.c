/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio network card: sending, receiving, offloads, filters, control, link, and their
 * mistakes. */
#include "test.h"

#include <limits.h>

#include "bytes.h"
#include "virtio_driver.h"

enum {
    RECEIVE = 0,
    TRANSMIT = 1,
    CONTROL = 2,
    HEADER = 12,
    FRAME = DRIVER_DATA,
    BUFFERS = DRIVER_DATA + 0x20000,
    COMMAND = DRIVER_DATA + 0x60000,
    ANSWER = COMMAND + 0x1000,

    CONFIG_STATUS = 6,
    LINK_UP = 1,
    ANNOUNCE = 2,
};

#define F_CSUM       (UINT64_C(1) << 0)
#define F_GUEST_CSUM (UINT64_C(1) << 1)
#define F_GUEST_TSO4 (UINT64_C(1) << 7)
#define F_HOST_TSO4  (UINT64_C(1) << 11)
#define F_MRG_RXBUF  (UINT64_C(1) << 15)
#define F_CTRL_VQ    (UINT64_C(1) << 17)
#define F_CTRL_RX    (UINT64_C(1) << 18)

static struct fake *fake;
static struct device *net;
static struct driver driver;
static bool posted; /* a buffer for arrives() */
static const uint8_t own[] = { 0x52, 0x4f, 0, 1, 2, 3 };

static void setup(uint64_t features)
{
    static const struct option_value values[] = { { "mac", "52:4f:00:01:02:03" }, { NULL, NULL } };

    posted = false;
    fake = fake_new(DRIVER_RAM);
    net = fake_add(fake, "virtio-net", values);
    driver_open(&driver, fake, net);
    driver_start(&driver, features | F_VERSION_1);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(net), "");
    fake_free(fake);
}

/* --- Sending ---------------------------------------------------------------------------------- */

/* A frame of `length` bytes behind a header, in guest memory. */
static uint8_t *frame_put(uint32_t length)
{
    uint8_t *at = fake_ram(fake) + FRAME;

    memset(at, 0, HEADER);
    for (uint32_t i = 0; i < length; i++) {
        at[HEADER + i] = (uint8_t)(i * 7 + length);
    }
    return at;
}

static void frame_send(uint32_t length)
{
    driver_send(&driver, TRANSMIT, FRAME, HEADER + length, false);
}

TEST(send)
{
    uint32_t length;
    struct net_offload offload;

    setup(F_ALL);
    frame_put(60);
    frame_send(60);
    CHECK_EQ(fake_net_sent(net), 1);
    const uint8_t *bytes = fake_net_frame(net, 0, &length, &offload);
    CHECK_EQ(length, 60);
    CHECK_EQ(offload.flags, 0);
    CHECK_EQ(offload.gso, NET_GSO_NONE);
    CHECK(memcmp(bytes, fake_ram(fake) + FRAME + HEADER, 60) == 0);
    CHECK_EQ(driver_used(&driver, TRANSMIT), 1);
    finish();
}

TEST(send_in_pieces)
{
    /* The header is cut anywhere, too. */
    struct driver_segment segments[] = { { FRAME, 5, false },
                                         { FRAME + 5, 20, false },
                                         { FRAME + 25, 100 + HEADER - 25, false } };
    uint32_t length;

    setup(F_ALL);
    frame_put(100);
    driver_add(&driver, TRANSMIT, segments, 3);
    driver_kick(&driver, TRANSMIT);
    CHECK_EQ(fake_net_sent(net), 1);
    const uint8_t *bytes = fake_net_frame(net, 0, &length, NULL);
    CHECK_EQ(length, 100);
    CHECK(memcmp(bytes, fake_ram(fake) + FRAME + HEADER, 100) == 0);
    finish();
}

TEST(send_offloads)
{
    struct net_offload offload;
    uint8_t *header;

    setup(F_ALL);
    header = frame_put(5000);
    header[0] = 1;
    header[1] = 1 | 0x80;
    store_le16(header + 2, 66);
    store_le16(header + 4, 1448);
    store_le16(header + 6, 34);
    store_le16(header + 8, 16);
    frame_send(5000);
    CHECK_EQ(fake_net_sent(net), 1);
    fake_net_frame(net, 0, NULL, &offload);
    CHECK_EQ(offload.flags, NET_NEEDS_CSUM | NET_ECN);
    CHECK_EQ(offload.gso, NET_GSO_TCP4);
    CHECK_EQ(offload.header_length, 66);
    CHECK_EQ(offload.gso_size, 1448);
    CHECK_EQ(offload.csum_start, 34);
    CHECK_EQ(offload.csum_offset, 16);
    finish();
}

/* Each is counted, not sent, and its buffer comes back. */
TEST(send_what_cannot_be)
{
    static const struct {
        uint64_t features;
        uint32_t length;
        uint8_t flags, gso;
        uint16_t gso_size, start, offset;
    } frames[] = {
        { F_ALL, 13, 0, 0, 0, 0, 0 },   /* too short */
        { F_ALL, 1519, 0, 0, 0, 0, 0 }, /* longer than the network takes */
        { 0, 60, 1, 0, 0, 34, 16 },     /* checksum not negotiated */
        { F_ALL, 60, 1, 0, 0, 43, 16 }, /* checksum outside */
        { F_ALL, 60, 1, 0, 0, 0xffff, 0xffff },
        { F_CSUM, 3000, 1, 1, 1448, 34, 16 },                  /* segmentation not negotiated */
        { F_ALL, 3000, 1, 1, 0, 34, 16 },                      /* into segments of nothing */
        { F_ALL, 3000, 0, 1, 1448, 34, 16 },                   /* without checksum */
        { F_ALL, 3000, 1, 3, 1448, 34, 16 },                   /* UDP */
        { F_ALL, 60, 0, 0x80, 0, 0, 0 },                       /* ECN of nothing */
        { F_CSUM | F_HOST_TSO4, 3000, 1, 0x81, 1448, 34, 16 }, /* ECN not negotiated */
    };

    for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        setup(frames[i].features);
        uint8_t *header = frame_put(frames[i].length);

        header[0] = frames[i].flags;
        header[1] = frames[i].gso;
        store_le16(header + 4, frames[i].gso_size);
        store_le16(header + 6, frames[i].start);
        store_le16(header + 8, frames[i].offset);
        frame_send(frames[i].length);
        CHECK_EQ(fake_guest_errors(net), 1);
        CHECK_EQ(fake_net_sent(net), 0);
        CHECK_EQ(driver_used(&driver, TRANSMIT), 1);
        fake_free(fake);
    }
}

/* One that cannot be sent between those that can: the order of buffers stays. */
TEST(send_many_with_a_bad_one)
{
    uint32_t length;

    setup(F_ALL);
    for (unsigned i = 0; i < 8; i++) {
        struct driver_segment segment = { FRAME + 0x400 * i, HEADER + (i == 3 ? 2 : 60), false };

        fake_ram(fake)[FRAME + 0x400 * i + HEADER] = (uint8_t)i;
        driver_add(&driver, TRANSMIT, &segment, 1);
    }
    driver_kick(&driver, TRANSMIT);
    CHECK_EQ(driver_used(&driver, TRANSMIT), 8);
    CHECK_EQ(fake_net_sent(net), 7);
    for (unsigned i = 0; i < 7; i++) {
        CHECK_EQ(fake_net_frame(net, i, NULL, NULL)[0], i < 3 ? i : i + 1);
    }
    for (unsigned i = 0; i < 8; i++) {
        uint16_t head;

        CHECK(driver_take(&driver, TRANSMIT, &head, &length));
        CHECK_EQ(head, i);
    }
    fake_free(fake);
}

TEST(send_waits_for_room)
{
    setup(F_ALL);
    fake_net_room(net, 2);
    for (unsigned i = 0; i < 5; i++) {
        struct driver_segment segment = { FRAME + 0x400 * i, HEADER + 60, false };

        fake_ram(fake)[FRAME + 0x400 * i + HEADER] = (uint8_t)i;
        driver_add(&driver, TRANSMIT, &segment, 1);
    }
    driver_kick(&driver, TRANSMIT);
    CHECK_EQ(fake_net_sent(net), 2);
    CHECK_EQ(driver_used(&driver, TRANSMIT), 2);
    CHECK(fake_save_load(net)); /* with frames that wait */
    fake_net_room(net, 1);
    fake_run(fake);
    CHECK_EQ(fake_net_sent(net), 3);
    fake_net_room(net, UINT_MAX);
    fake_run(fake);
    CHECK_EQ(fake_net_sent(net), 5);
    CHECK_EQ(driver_used(&driver, TRANSMIT), 5);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(fake_net_frame(net, i, NULL, NULL)[0], i);
    }
    finish();
}

TEST(send_from_nowhere)
{
    setup(F_ALL);
    driver_send(&driver, TRANSMIT, DRIVER_RAM, HEADER + 60, false);
    CHECK(driver_status(&driver) & STATUS_NEEDS_RESET);
    CHECK_EQ(fake_net_sent(net), 0);
    driver_start(&driver, F_ALL);
    frame_put(60);
    frame_send(60);
    CHECK_EQ(fake_net_sent(net), 1);
    fake_free(fake);
}

/* --- Receiving -------------------------------------------------------------------------------- */

static void buffer_add(unsigned slot, uint32_t length)
{
    struct driver_segment segment = { BUFFERS + 0x1000 * slot, length, true };

    driver_add(&driver, RECEIVE, &segment, 1);
    driver_kick(&driver, RECEIVE);
}

static uint8_t *buffer(unsigned slot)
{
    return fake_ram(fake) + BUFFERS + 0x1000 * slot;
}

static uint8_t incoming[8192];

static const uint8_t *frame_make(const uint8_t *to)
{
    for (unsigned i = 0; i < sizeof(incoming); i++) {
        incoming[i] = (uint8_t)(i * 13 + 5);
    }
    memcpy(incoming, to, 6);
    return incoming;
}

TEST(receive)
{
    uint32_t length;
    uint16_t head;

    setup(F_ALL);
    buffer_add(0, 2048);
    fake_net_receive(net, NULL, frame_make(own), 100);
    CHECK(driver_take(&driver, RECEIVE, &head, &length));
    CHECK_EQ(length, HEADER + 100);
    CHECK_EQ(load_le64(buffer(0)), 0);
    CHECK_EQ(load_le16(buffer(0) + 10), 1);
    CHECK(memcmp(buffer(0) + HEADER, incoming, 100) == 0);
    CHECK_EQ(fake_net_waiting(net), 0);
    finish();
}

TEST(receive_waits_for_buffers)
{
    uint32_t length;
    uint16_t head;

    setup(F_ALL);
    fake_net_receive(net, NULL, frame_make(own), 3000);
    buffer_add(0, 1024);
    buffer_add(1, 1024);
    CHECK_EQ(driver_used(&driver, RECEIVE), 0);
    CHECK_EQ(fake_net_waiting(net), 1);
    CHECK(fake_save_load(net)); /* no buffer is held */
    buffer_add(2, 1024);
    CHECK_EQ(driver_used(&driver, RECEIVE), 3);
    CHECK_EQ(load_le16(buffer(0) + 10), 3);
    CHECK(memcmp(buffer(0) + HEADER, incoming, 1024 - HEADER) == 0);
    CHECK(memcmp(buffer(1), incoming + 1024 - HEADER, 1024) == 0);
    CHECK(memcmp(buffer(2), incoming + 2048 - HEADER, 3000 + HEADER - 2048) == 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(driver_take(&driver, RECEIVE, &head, &length));
        CHECK_EQ(length, i < 2 ? 1024 : 3000 + HEADER - 2048);
    }
    finish();
}

TEST(receive_without_mergeable_buffers)
{
    setup(F_CSUM);
    buffer_add(0, 1024);
    fake_net_receive(net, NULL, frame_make(own), 3000); /* dropped: it does not fit */
    CHECK_EQ(fake_guest_errors(net), 1);
    CHECK_EQ(driver_used(&driver, RECEIVE), 0);
    CHECK_EQ(fake_net_waiting(net), 0);
    fake_net_receive(net, NULL, frame_make(own), 1024 - HEADER);
    CHECK_EQ(driver_used(&driver, RECEIVE), 1);
    CHECK_EQ(load_le16(buffer(0) + 10), 1);
    fake_free(fake);
}

TEST(receive_into_a_buffer_too_small)
{
    setup(F_ALL);
    buffer_add(0, HEADER);
    fake_net_receive(net, NULL, frame_make(own), 60);
    CHECK_EQ(fake_guest_errors(net), 1);
    CHECK_EQ(fake_net_waiting(net), 0);
    fake_free(fake);
}

TEST(receive_offloads)
{
    const struct net_offload large = {
        .flags = NET_NEEDS_CSUM | NET_ECN,
        .gso = NET_GSO_TCP4,
        .header_length = 54,
        .gso_size = 1460,
        .csum_start = 34,
        .csum_offset = 16,
    };
    const struct net_offload checked = { .flags = NET_CSUM_VALID };

    setup(F_ALL);
    CHECK_EQ(fake_net_accepted(net),
             NET_ACCEPT_CSUM | NET_ACCEPT_TCP4 | NET_ACCEPT_TCP6 | NET_ACCEPT_ECN);
    buffer_add(0, 4096);
    buffer_add(1, 4096);
    fake_net_receive(net, &large, frame_make(own), 3000);
    fake_net_receive(net, &checked, frame_make(own), 60);
    CHECK_EQ(buffer(0)[0], 1);
    CHECK_EQ(buffer(0)[1], 0x81);
    CHECK_EQ(load_le16(buffer(0) + 2), 54);
    CHECK_EQ(load_le16(buffer(0) + 4), 1460);
    CHECK_EQ(load_le16(buffer(0) + 6), 34);
    CHECK_EQ(load_le16(buffer(0) + 8), 16);
    CHECK_EQ(buffer(1)[0], 2);
    driver_reset(&driver);
    CHECK_EQ(fake_net_accepted(net), 0);
    driver_start(&driver, F_VERSION_1 | F_GUEST_TSO4); /* is nothing without the checksum */
    CHECK_EQ(fake_net_accepted(net), 0);
    driver_start(&driver, F_VERSION_1 | F_GUEST_CSUM | F_GUEST_TSO4);
    CHECK_EQ(fake_net_accepted(net), NET_ACCEPT_CSUM | NET_ACCEPT_TCP4);
    CHECK(fake_save_load(net));
    CHECK_EQ(fake_net_accepted(net), NET_ACCEPT_CSUM | NET_ACCEPT_TCP4);
    finish();
}

TEST(frames_without_driver_are_dropped)
{
    setup(F_ALL);
    driver_reset(&driver);
    for (unsigned i = 0; i < 100; i++) {
        CHECK(fake_net_receive(net, NULL, frame_make(own), 60));
    }
    CHECK_EQ(fake_net_waiting(net), 0);
    finish();
}

/* --- Control ---------------------------------------------------------------------------------- */

/* Sends a command of class, code and data; the answer. */
static uint8_t command(uint8_t class, uint8_t code, const void *data, uint32_t n)
{
    uint8_t *at = fake_ram(fake) + COMMAND;
    struct driver_segment segments[] = { { COMMAND, 2 + n, false }, { ANSWER, 1, true } };

    at[0] = class;
    at[1] = code;
    memcpy(at + 2, data, n);
    fake_ram(fake)[ANSWER] = 0x55;
    driver_add(&driver, CONTROL, segments, 2);
    driver_kick(&driver, CONTROL);
    return fake_ram(fake)[ANSWER];
}

static uint8_t mode(uint8_t code, uint8_t on)
{
    return command(0, code, &on, 1);
}

/* Whether a frame to that address arrives. */
static bool arrives(const uint8_t *to)
{
    uint16_t head;
    uint32_t length;

    if (!posted) {
        buffer_add(0, 2048);
    }
    fake_net_receive(net, NULL, frame_make(to), 60);
    CHECK_EQ(fake_net_waiting(net), 0);
    posted = !driver_take(&driver, RECEIVE, &head, &length);
    return !posted;
}

static bool arrives_after(uint8_t code, uint8_t on, const uint8_t *to)
{
    CHECK_EQ(mode(code, on), 0);
    return arrives(to);
}

static const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t group[] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t other[] = { 0x52, 0x4f, 0, 9, 9, 9 };

TEST(filters)
{
    setup(F_ALL);
    CHECK(arrives(own));
    CHECK(arrives(all));
    CHECK(!arrives(group));
    CHECK(!arrives(other));
    CHECK(arrives_after(0, 1, other)); /* promiscuous */
    CHECK(arrives(group));
    CHECK(!arrives_after(0, 0, other));
    CHECK(arrives_after(1, 1, group));  /* all multicast */
    CHECK(arrives_after(2, 1, other));  /* all unicast */
    CHECK(!arrives_after(3, 1, group)); /* no multicast */
    CHECK(!arrives_after(4, 1, own));
    CHECK(!arrives_after(5, 1, all));
    finish();
}

TEST(filters_not_negotiated)
{
    setup(F_MRG_RXBUF);
    CHECK(arrives(other));
    CHECK(arrives(group));
    finish();
}

TEST(table)
{
    uint8_t data[8 + 2 * 6] = { 1 };

    setup(F_ALL);
    memcpy(data + 4, other, 6);
    data[10] = 1;
    memcpy(data + 14, group, 6);
    CHECK_EQ(command(1, 0, data, sizeof(data)), 0);
    CHECK(arrives(other));
    CHECK(arrives(group));
    CHECK(arrives(own));
    CHECK(fake_save_load(net));
    CHECK(arrives(group));
    CHECK_EQ(command(1, 0, data, 4 + 6 + 3), 1); /* cut off */
    data[0] = 200;
    CHECK_EQ(command(1, 0, data, sizeof(data)), 1); /* more than there are */
    CHECK(arrives(own));
    CHECK_EQ(fake_guest_errors(net), 2);
    fake_free(fake);
}

TEST(table_that_is_too_long)
{
    static uint8_t data[8 + 65 * 6];

    setup(F_ALL);
    store_le32(data, 65);
    CHECK_EQ(command(1, 0, data, sizeof(data)), 0);
    CHECK(arrives(other));
    CHECK(!arrives(group));
    finish();
}

TEST(address)
{
    setup(F_ALL);
    CHECK_EQ(command(1, 1, other, 6), 0);
    CHECK_EQ(driver_config(&driver, 0, 4), load_le32(other));
    CHECK(arrives(other));
    CHECK_EQ(command(1, 1, own, 5), 1);
    driver_reset(&driver);
    CHECK_EQ(driver_config(&driver, 0, 4), load_le32(own));
    fake_free(fake);
}

TEST(vlans)
{
    const uint8_t id[] = { 0x23, 0x01 }, outside[] = { 0, 0x10 };

    setup(F_ALL);
    frame_make(own);
    store_be16(incoming + 12, 0x8100);
    store_be16(incoming + 14, 0x6123);
    buffer_add(0, 2048);
    fake_net_receive(net, NULL, incoming, 64);
    CHECK_EQ(driver_used(&driver, RECEIVE), 0);
    CHECK_EQ(command(2, 0, id, 2), 0);
    fake_net_receive(net, NULL, incoming, 64);
    CHECK_EQ(driver_used(&driver, RECEIVE), 1);
    CHECK_EQ(command(2, 1, id, 2), 0);
    buffer_add(1, 2048);
    fake_net_receive(net, NULL, incoming, 64);
    CHECK_EQ(driver_used(&driver, RECEIVE), 1);
    CHECK_EQ(command(2, 0, outside, 2), 1);
    fake_free(fake);
}

TEST(offloads_by_command)
{
    uint8_t data[8] = { 0 };

    setup(F_ALL);
    CHECK_EQ(command(5, 0, data, 8), 0);
    CHECK_EQ(fake_net_accepted(net), 0);
    store_le64(data, F_GUEST_CSUM);
    CHECK_EQ(command(5, 0, data, 8), 0);
    CHECK_EQ(fake_net_accepted(net), NET_ACCEPT_CSUM);
    store_le64(data, F_HOST_TSO4);
    CHECK_EQ(command(5, 0, data, 8), 1);
    fake_free(fake);
}

TEST(commands_that_are_wrong)
{
    static const struct {
        uint64_t features;
        uint8_t class, code;
        uint32_t n;
    } commands[] = {
        { F_ALL, 9, 0, 1 },     { F_ALL, 0, 6, 1 },
        { F_ALL, 0, 0, 2 },     { F_ALL, 0, 0, 0 },
        { F_ALL, 3, 1, 0 },     { F_ALL, 1, 2, 6 },
        { F_ALL, 2, 2, 2 },     { F_CTRL_VQ, 0, 0, 1 },
        { F_CTRL_VQ, 3, 0, 0 }, { F_CTRL_VQ | F_CTRL_RX, 0, 2, 1 },
    };
    const uint8_t data[8] = { 0 };

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        setup(commands[i].features);
        CHECK_EQ(command(commands[i].class, commands[i].code, data, commands[i].n), 1);
        CHECK_EQ(fake_guest_errors(net), 1);
        fake_free(fake);
    }
    setup(F_ALL);
    driver_send(&driver, CONTROL, COMMAND, 3, false); /* no room for the answer */
    CHECK_EQ(driver_used(&driver, CONTROL), 1);
    CHECK_EQ(fake_guest_errors(net), 1);
    fake_free(fake);
}

/* --- The link --------------------------------------------------------------------------------- */

TEST(link)
{
    setup(F_ALL);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), LINK_UP);
    CHECK_EQ(driver_config(&driver, 8, 2), 1);
    CHECK_EQ(driver_config(&driver, 10, 2), 1500);
    fake_read(fake, driver.isr, 1);
    fake_net_link(net, false);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), 0);
    CHECK_EQ(fake_read(fake, driver.isr, 1), 2);
    frame_put(60);
    frame_send(60); /* goes nowhere, but the driver gets its buffer back */
    CHECK_EQ(driver_used(&driver, TRANSMIT), 1);
    CHECK_EQ(fake_net_sent(net), 0);
    fake_net_link(net, true);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), LINK_UP | ANNOUNCE);
    CHECK(fake_save_load(net));
    CHECK_EQ(command(3, 0, "", 0), 0);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), LINK_UP);
    finish();
}

TEST(link_before_the_driver)
{
    setup(F_ALL);
    driver_reset(&driver);
    fake_net_link(net, false);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), 0);
    fake_net_link(net, true);
    driver_start(&driver, F_VERSION_1);
    CHECK_EQ(driver_config(&driver, CONFIG_STATUS, 2), LINK_UP);
    finish();
}

TEST(addresses_that_are_none)
{
    static const char *const texts[] = { "",
                                         "52:54:00:12:34",
                                         "52:54:00:12:34:5",
                                         "53:54:00:12:34:56",
                                         "52-54-00-12-34-56",
                                         "52:54:00:12:34:xx" };

    fake = fake_new(DRIVER_RAM);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct option_value values[] = { { "mac", texts[i] }, { NULL, NULL } };
        struct dev_error error = { "" };

        CHECK(!fake_try_add(fake, "virtio-net", values, &error));
        CHECK(strstr(error.message, "no address") != NULL);
    }
    fake_free(fake);
}

TEST_MAIN(T(send), T(send_in_pieces), T(send_offloads), T(send_what_cannot_be),
          T(send_many_with_a_bad_one), T(send_waits_for_room), T(send_from_nowhere), T(receive),
          T(receive_waits_for_buffers), T(receive_without_mergeable_buffers),
          T(receive_into_a_buffer_too_small), T(receive_offloads),
          T(frames_without_driver_are_dropped), T(filters), T(filters_not_negotiated), T(table),
          T(table_that_is_too_long), T(address), T(vlans), T(offloads_by_command),
          T(commands_that_are_wrong), T(link), T(link_before_the_driver),
          T(addresses_that_are_none))
