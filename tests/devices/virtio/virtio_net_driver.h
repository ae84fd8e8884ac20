/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A driver of the virtio network card for tests: frames to send lie at FRAME, buffers to receive
 * into at BUFFERS. */
#ifndef TESTS_VIRTIO_NET_DRIVER_H
#define TESTS_VIRTIO_NET_DRIVER_H

#include "test.h"

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
static bool posted; /* a buffer waits that no frame has come into; a new card has none */
static const uint8_t own[] = { 0x52, 0x4f, 0, 1, 2, 3 }; /* the card's address */
static uint8_t incoming[8192];                           /* what frame_make() fills */

/* A card and a driver that takes these of its features. */
static inline void setup(uint64_t features)
{
    static const struct option_value values[] = { { "mac", "52:4f:00:01:02:03" }, { NULL, NULL } };

    posted = false;
    fake = fake_new(DRIVER_RAM);
    net = fake_add(fake, "virtio-net", values);
    driver_open(&driver, fake, net);
    driver_start(&driver, features | F_VERSION_1);
}

/* Checks that the driver made no mistake, then frees. */
static inline void finish(void)
{
    CHECK_STR(fake_last_guest_error(net), "");
    fake_free(fake);
}

/* A frame of `length` bytes behind a header, in guest memory. */
static inline uint8_t *frame_put(uint32_t length)
{
    uint8_t *at = fake_ram(fake) + FRAME;

    memset(at, 0, HEADER);
    for (uint32_t i = 0; i < length; i++) {
        at[HEADER + i] = (uint8_t)(i * 7 + length);
    }
    return at;
}

static inline void frame_send(uint32_t length)
{
    driver_send(&driver, TRANSMIT, FRAME, HEADER + length, false);
}

/* Gives the card a buffer of a slot to receive into; and where that is. */
static inline void buffer_add(unsigned slot, uint32_t length)
{
    struct driver_segment segment = { BUFFERS + 0x1000 * slot, length, true };

    driver_add(&driver, RECEIVE, &segment, 1);
    driver_kick(&driver, RECEIVE);
}

static inline uint8_t *buffer(unsigned slot)
{
    return fake_ram(fake) + BUFFERS + 0x1000 * slot;
}

/* A frame to that address, as long as a test wants, from the network. */
static inline const uint8_t *frame_make(const uint8_t *to)
{
    for (unsigned i = 0; i < sizeof(incoming); i++) {
        incoming[i] = (uint8_t)(i * 13 + 5);
    }
    memcpy(incoming, to, 6);
    return incoming;
}

#endif
