/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rings of the 82574L behind a driver that makes them as it should and then does what the input
 * says: descriptors of every kind, tails, receive modes, offloads, interrupts, frames and links
 * from outside, saves. The input is a string of operations.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "net/e1000e_driver.h"
#include "net.h"

enum {
    OPERATIONS_MAX = 1000,
    SAVES_MAX = 2, /* they cost as much as hundreds of others */
};

struct fuzz {
    struct card card;
    const uint8_t *at;
    size_t left;
    unsigned saves;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t take(struct fuzz *f, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    size_t n = f->left < size ? f->left : size;

    memcpy(bytes, f->at, n);
    f->at += n;
    f->left -= n;
    return load_le64(bytes);
}

/* Mostly in RAM; sometimes nowhere, at its edge, or in the rings themselves. */
static uint64_t take_address(struct fuzz *f)
{
    uint64_t byte = take(f, 1);

    switch (byte >> 5) {
    case 7:
        return byte & 1 ? UINT64_MAX - take(f, 2) : CARD_RAM - take(f, 2);
    case 6:
        return CARD_TX_RING + take(f, 2);
    default:
        return CARD_DATA + (byte << 9);
    }
}

static uint32_t take_length(struct fuzz *f)
{
    uint64_t byte = take(f, 1);

    return byte < 0xa0   ? (uint32_t)byte
           : byte < 0xf8 ? (uint32_t)(byte - 0xa0) * 512
                         : (uint32_t)take(f, 3) & 0xfffff;
}

static void do_transmit(struct fuzz *f, unsigned kind)
{
    unsigned queue = kind >> 7;
    uint64_t address = take_address(f);
    uint32_t lower = take_length(f), upper = (uint32_t)take(f, 4);

    lower |= (uint32_t)take(f, 1) << 24;
    switch (kind >> 5 & 3) {
    case 0: /* legacy */
        lower = (lower & 0xdf00ffff) | (upper & 0xff0000);
        break;
    case 1: /* context */
        address = take(f, 8);
        lower = (lower & 0xff0fffff) | CMD_DEXT;
        break;
    default:
        lower = (lower & 0xff0fffff) | CMD_DEXT | DTYP_DATA;
        break;
    }
    card_descriptor(&f->card, queue, address, lower, upper);
    if (kind & 0x10) {
        card_send(&f->card, queue);
    }
}

static void do_buffers(struct fuzz *f)
{
    unsigned what = (unsigned)take(f, 1);

    card_buffers(&f->card, what & 1, what >> 1 & 7, what & 0x80 ? 32 : 16);
}

/* Registers that say how descriptors and frames are to be understood, or any other. */
static void do_register(struct fuzz *f, unsigned kind)
{
    static const uint16_t registers[] = {
        RCTL, RCTL, TCTL,   RFCTL, RXCSUM, MRQC,         CTRL,         CTRL_EXT,
        IVAR, EIAC, PSRCTL, ITR,   RDTR,   RDBAL + 0x10, TDBAL + 0x10, TIDV,
    };
    unsigned offset = kind & 0x80 ? (unsigned)take(f, 2) & 0x5ffc : registers[kind >> 3 & 15];

    card_write(&f->card, offset, (uint32_t)take(f, 4));
}

static void do_packet(struct fuzz *f)
{
    uint64_t at = CARD_DATA + (take(f, 1) << 9);
    unsigned n = (unsigned)take(f, 1);

    for (unsigned i = 0; i < n; i++) {
        fake_ram(f->card.fake)[at + i] = (uint8_t)take(f, 1);
    }
}

static void do_frame(struct fuzz *f, unsigned kind)
{
    uint32_t length = NET_FRAME_MIN + (uint32_t)(take(f, 2) & (kind & 0x80 ? 0x7fff : 0x7ff));
    struct net_offload offload = { .flags = kind & 0x40 ? NET_CSUM_VALID : 0 };
    uint8_t *bytes = calloc(1, length);

    memcpy(bytes, f->at, f->left < length ? f->left : length);
    if (kind & 0x20) {
        memcpy(bytes, "\x52\x4f\x00\x01\x02\x03", 6);
    }
    fake_net_receive(f->card.device, &offload, bytes, length);
    free(bytes);
}

static void do_outside(struct fuzz *f, unsigned kind)
{
    switch (kind >> 3 & 7) {
    case 0:
        fake_net_link(f->card.device, kind & 0x80);
        break;
    case 1:
        fake_net_room(f->card.device, kind & 0x80 ? UINT_MAX : kind >> 6 & 1);
        break;
    case 2:
        fake_advance(f->card.fake, take(f, 2) * 1000);
        break;
    case 3:
        if (f->saves++ < SAVES_MAX && !fake_save_load(f->card.device)) {
            abort();
        }
        break;
    case 4:
        card_msix(&f->card);
        break;
    case 5:
        device_reset(f->card.device, RESET_WARM);
        fake_map_bar(f->card.device, 0, CARD_REGISTERS);
        card_start(&f->card);
        break;
    case 6:
        card_start(&f->card);
        break;
    default:
        fake_net_forget(f->card.device);
        break;
    }
}

static void operation(struct fuzz *f)
{
    unsigned kind = (unsigned)take(f, 1);

    switch (kind & 7) {
    case 0:
    case 1:
        do_transmit(f, kind);
        break;
    case 2:
        do_buffers(f);
        break;
    case 3:
        do_register(f, kind);
        break;
    case 4:
        do_packet(f);
        break;
    case 5:
        do_frame(f, kind);
        break;
    case 6:
        do_outside(f, kind);
        break;
    default:
        card_read(&f->card, (unsigned)take(f, 2) & 0x5ffc);
        card_write(&f->card, IMS, UINT32_MAX);
        fake_run(f->card.fake);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = { .at = data, .left = size };

    card_open(&f.card);
    card_start(&f.card);
    for (unsigned i = 0; i < OPERATIONS_MAX && f.left > 0; i++) {
        operation(&f);
    }
    fake_run(f.card.fake);
    card_close(&f.card);
    return 0;
}
