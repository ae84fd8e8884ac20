/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio network card's control queue (filters, addresses, VLANs, offloads) and its link. */
#include "test.h"

#include "virtio_net_driver.h"

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

TEST_MAIN(T(filters), T(filters_not_negotiated), T(table), T(table_that_is_too_long), T(address),
          T(vlans), T(offloads_by_command), T(commands_that_are_wrong), T(link),
          T(link_before_the_driver))
