/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio network card: sending, receiving, their offloads and mistakes, and its address. */
#include "test.h"

#include <limits.h>

#include "virtio_net_driver.h"

/* --- Sending ---------------------------------------------------------------------------------- */

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
          T(frames_without_driver_are_dropped), T(addresses_that_are_none))
