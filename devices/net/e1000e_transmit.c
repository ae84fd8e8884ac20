/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sending (82574 datasheet section 7.2): legacy, context and data descriptors, insertion of
 * checksums and VLAN tags, TCP segmentation.
 *
 * A frame is taken once all its descriptors are there, copied into private memory, completed there
 * and sent with others at once; large TCP segments are cut by the back end. What the back end does
 * not take stays in the ring with TDH before it. TDH thus stands at the first descriptor of a frame
 * that is not complete, where hardware would have fetched it already.
 *
 * How it fails: a frame that is too short, too long, or asks for what its headers do not bear is
 * counted and not sent; its descriptors are done. One with more than DESCRIPTORS_MAX of them is
 * dropped to its end.
 */
#include <string.h>

#include "e1000e.h"

enum {
    DESCRIPTORS_MAX = 1024, /* of a frame */
    BUDGET = 1024,          /* descriptors at once; the rest is deferred */
    PLAIN_MAX = 16384,      /* bytes of a frame without segmentation */
    GSO_SIZE_MIN = 48,

    DTALEN = 0xfffff,
    LEGACY_LENGTH = 0xffff,
    DTYP = 0xf << 20,
    CMD_EOP = 1 << 24,
    CMD_IC = 1 << 26,  /* legacy */
    CMD_TSE = 1 << 26, /* data */
    CMD_RS = 1 << 27,
    CMD_DEXT = 1 << 29,
    CMD_VLE = 1 << 30,
    STA_DD = 1,
    POPTS_IXSM = 1 << 8,
    POPTS_TXSM = 1 << 9,
    TUCMD_IP4 = 1 << 1,
    IVAR_EVERY_WRITE_BACK = 1 << 31,

    TAG_OFFSET = 12,
    IPV4_LENGTH = 2,
    IPV6_LENGTH = 4,
    IPV6_HEADER = 40,
    TCP_CHECKSUM = 16,
};
#define CMD_IDE 0x80000000u

/* A frame, or descriptors that are done without one. */
struct item {
    uint32_t first, next, n; /* in the ring: where it begins, what follows, how many */
    struct e1000e_context before;
    uint32_t at, length; /* in transmit_bytes; length 0: no frame */
    struct net_offload offload;
    bool begun, bad, tse;
    uint32_t popts;
};

struct batch {
    struct item items[NET_BATCH_MAX];
    unsigned n;
    uint32_t used; /* of transmit_bytes */
};

/* --- Completing a frame ----------------------------------------------------------------------- */

static void context_take(struct e1000e_context *context, const uint8_t *descriptor)
{
    *context = (struct e1000e_context){
        .ipcss = descriptor[0],
        .ipcso = descriptor[1],
        .ipcse = load_le16(descriptor + 2),
        .tucss = descriptor[4],
        .tucso = descriptor[5],
        .tucse = load_le16(descriptor + 6),
        .tucmd = descriptor[11],
        .hdrlen = descriptor[13],
        .mss = load_le16(descriptor + 14),
    };
}

/* Stores the checksum of bytes start..end (0: to the last one) at `offset`. */
static bool checksum_insert(uint8_t *bytes, uint32_t length, uint32_t start, uint32_t end,
                            uint32_t offset)
{
    uint32_t stop = end == 0 ? length : end + 1;

    if (start >= stop || stop > length || !range_fits(offset, 2, length)) {
        return false;
    }
    store_le16(bytes + offset, (uint16_t)~e1000e_sum(0, bytes + start, stop - start));
    return true;
}

/* The checksum of TCP or UDP, by the back end if it is as usual. */
static bool transport_checksum(struct item *item, uint8_t *bytes, uint32_t start, uint32_t end,
                               uint32_t offset)
{
    if (offset >= start && (end == 0 || end + 1 == item->length) &&
        range_fits(offset, 2, item->length)) {
        item->offload.flags |= NET_NEEDS_CSUM;
        item->offload.csum_start = (uint16_t)start;
        item->offload.csum_offset = (uint16_t)(offset - start);
        return true;
    }
    return checksum_insert(bytes, item->length, start, end, offset);
}

/* Lengths that differ from segment to segment become those of the whole. */
static bool segmentation(struct item *item, uint8_t *bytes, const struct e1000e_context *context)
{
    struct e1000e_packet packet;
    uint32_t behind = item->length - context->tucss;
    bool ip4 = context->tucmd & TUCMD_IP4;

    if (!range_fits(context->ipcss, IPV6_HEADER, item->length) ||
        context->tucso != context->tucss + TCP_CHECKSUM || context->hdrlen >= item->length ||
        !range_fits(context->tucso, 2, item->length) || context->mss < GSO_SIZE_MIN ||
        item->length - context->ipcss > 65535u + (ip4 ? 0 : (uint32_t)IPV6_HEADER)) {
        return false;
    }
    if (ip4) {
        store_be16(bytes + context->ipcss + IPV4_LENGTH, (uint16_t)(item->length - context->ipcss));
    } else {
        store_be16(bytes + context->ipcss + IPV6_LENGTH,
                   (uint16_t)(item->length - context->ipcss - IPV6_HEADER));
    }
    e1000e_packet_look(&packet, bytes, item->length);
    if (!packet.tcp || packet.ip4 != ip4 || packet.ip != context->ipcss ||
        packet.transport != context->tucss) {
        return false;
    }
    store_le16(bytes + context->tucso, e1000e_sum((uint64_t)load_le16(bytes + context->tucso) +
                                                      __builtin_bswap16((uint16_t)behind),
                                                  bytes, 0));
    item->offload.flags |= NET_NEEDS_CSUM;
    item->offload.csum_start = context->tucss;
    item->offload.csum_offset = TCP_CHECKSUM;
    if (item->length - packet.data > context->mss) {
        item->offload.gso = ip4 ? NET_GSO_TCP4 : NET_GSO_TCP6;
        item->offload.gso_size = context->mss;
        item->offload.header_length = (uint16_t)packet.data;
    }
    return true;
}

static void tag_insert(struct e1000e *e1000e, struct item *item, uint8_t *bytes, uint16_t tci)
{
    memmove(bytes + TAG_OFFSET + NET_VLAN_SIZE, bytes + TAG_OFFSET, item->length - TAG_OFFSET);
    store_be16(bytes + TAG_OFFSET, (uint16_t)*e1000e_reg(e1000e, REG_VET));
    store_be16(bytes + TAG_OFFSET + 2, tci);
    item->length += NET_VLAN_SIZE;
    if (item->offload.flags & NET_NEEDS_CSUM) {
        item->offload.csum_start = (uint16_t)(item->offload.csum_start + NET_VLAN_SIZE);
    }
    if (item->offload.gso != NET_GSO_NONE) {
        item->offload.header_length = (uint16_t)(item->offload.header_length + NET_VLAN_SIZE);
    }
}

static bool offloads_take(struct e1000e *e1000e, struct item *item, uint8_t *bytes)
{
    const struct e1000e_context *context = &e1000e->context;

    if (item->tse && !segmentation(item, bytes, context)) {
        return false;
    }
    if ((item->popts & POPTS_IXSM) &&
        !checksum_insert(bytes, item->length, context->ipcss, context->ipcse, context->ipcso)) {
        return false;
    }
    return item->tse || !(item->popts & POPTS_TXSM) ||
           transport_checksum(item, bytes, context->tucss, context->tucse, context->tucso);
}

/* `descriptor` is the one with EOP. */
static void frame_finish(struct e1000e *e1000e, struct item *item, const uint8_t *descriptor)
{
    uint8_t *bytes = e1000e->transmit_bytes + item->at;
    uint32_t lower = load_le32(descriptor + 8), upper = load_le32(descriptor + 12);
    bool good = !item->bad && item->length >= NET_FRAME_MIN &&
                (item->tse || item->length <= PLAIN_MAX) && offloads_take(e1000e, item, bytes);

    if (good && !(lower & CMD_DEXT) && (lower & CMD_IC)) {
        good = transport_checksum(item, bytes, upper >> 8 & 0xff, 0, lower >> 16 & 0xff);
    }
    if (!good) {
        guest_error(e1000e_device(e1000e),
                    "a frame of %u bytes that cannot be sent: segmentation %d of %u, options %#x, "
                    "checksums at %u, %u",
                    item->length, item->tse, e1000e->context.mss, item->popts,
                    e1000e->context.ipcso, e1000e->context.tucso);
        item->length = 0;
    } else if ((lower & CMD_VLE) && (*e1000e_reg(e1000e, REG_CTRL) & CTRL_VME)) {
        tag_insert(e1000e, item, bytes, (uint16_t)(upper >> 16));
    }
}

/* --- Descriptors ------------------------------------------------------------------------------ */

static void data_take(struct e1000e *e1000e, struct item *item, const uint8_t *descriptor)
{
    uint32_t lower = load_le32(descriptor + 8), upper = load_le32(descriptor + 12);
    uint32_t length = lower & (lower & CMD_DEXT ? DTALEN : LEGACY_LENGTH);

    if (!item->begun) {
        item->begun = true;
        item->tse = (lower & CMD_DEXT) && (lower & CMD_TSE);
        item->popts = lower & CMD_DEXT ? upper & (POPTS_IXSM | POPTS_TXSM) : 0;
    }
    /* A tag may still have to go in. */
    if (item->bad || !range_fits(item->length, length, NET_FRAME_MAX - NET_VLAN_SIZE) ||
        (length > 0 && dev_ram_read(e1000e_device(e1000e), load_le64(descriptor),
                                    e1000e->transmit_bytes + item->at + item->length, length))) {
        item->bad = true;
        return;
    }
    item->length += length;
}

/*
 * Takes descriptors from item->first on until a frame is complete, or all of them if none has
 * begun. False: there is nothing whole; the context is then as before.
 */
static bool item_take(struct e1000e *e1000e, unsigned queue, const struct e1000e_ring *ring,
                      struct item *item)
{
    uint8_t descriptor[E1000E_DESCRIPTOR];
    bool ended = false;

    while (!ended && item->next != ring->tail) {
        uint64_t address = ring->base + (uint64_t)item->next * E1000E_DESCRIPTOR;

        if (dev_ram_read(e1000e_device(e1000e), address, descriptor, sizeof(descriptor)) != 0) {
            guest_error(e1000e_device(e1000e), "a transmit descriptor at %#llx, where no RAM is",
                        (unsigned long long)address);
            break;
        }
        uint32_t lower = load_le32(descriptor + 8);

        item->next = (item->next + 1) % ring->entries;
        item->n++;
        if ((lower & CMD_DEXT) && (lower & DTYP) == 0) {
            context_take(&e1000e->context, descriptor);
        } else if (e1000e->skipping[queue]) {
            e1000e->skipping[queue] = !(lower & CMD_EOP);
        } else {
            data_take(e1000e, item, descriptor);
            if (lower & CMD_EOP) {
                frame_finish(e1000e, item, descriptor);
                return true;
            }
        }
        if (item->n == DESCRIPTORS_MAX) {
            e1000e->skipping[queue] |= item->begun;
            if (item->begun) {
                guest_error(e1000e_device(e1000e), "a frame of more than %d descriptors", item->n);
            }
            ended = true;
        }
    }
    if (item->begun && !ended) {
        e1000e->context = item->before;
        return false;
    }
    item->length = 0;
    return item->n > 0;
}

/* Writes DD where it is wanted and moves TDH; returns the causes and whether they may wait. */
static uint32_t item_done(struct e1000e *e1000e, unsigned queue, struct e1000e_ring *ring,
                          const struct item *item, bool *may_wait)
{
    bool every = *e1000e_reg(e1000e, REG_IVAR) & IVAR_EVERY_WRITE_BACK;
    uint8_t words[8];
    uint32_t causes = 0;

    for (uint32_t i = 0; i < item->n; i++) {
        uint64_t at =
            ring->base + (uint64_t)((item->first + i) % ring->entries) * E1000E_DESCRIPTOR + 8;

        if (dev_ram_read(e1000e_device(e1000e), at, words, sizeof(words)) != 0 ||
            !(every || (load_le32(words) & CMD_RS))) {
            continue;
        }
        words[4] |= STA_DD;
        dev_ram_write(e1000e_device(e1000e), at + 4, words + 4, 1);
        causes = pci_msix_enabled(&e1000e->pci) ? (uint32_t)ICR_TXQ0 << queue : ICR_TXDW;
        *may_wait &= (load_le32(words) & CMD_IDE) != 0;
    }
    ring->head = item->next;
    *e1000e_reg(e1000e, ring->at + RING_HEAD) = item->next;
    return causes;
}

/* --- Queues ----------------------------------------------------------------------------------- */

/* Fills the batch; a single item without a frame is one, too. */
static void batch_fill(struct e1000e *e1000e, unsigned queue, const struct e1000e_ring *ring,
                       struct batch *batch)
{
    uint32_t at = ring->head;

    batch->n = batch->used = 0;
    while (batch->n < NET_BATCH_MAX && E1000E_TRANSMIT_ROOM - batch->used >= NET_FRAME_MAX) {
        struct item *item = &batch->items[batch->n];
        bool skipping = e1000e->skipping[queue];

        *item =
            (struct item){ .first = at, .next = at, .before = e1000e->context, .at = batch->used };
        if (!item_take(e1000e, queue, ring, item)) {
            return;
        }
        if (item->length == 0 && batch->n > 0) {
            e1000e->context = item->before; /* it comes again as the first one */
            e1000e->skipping[queue] = skipping;
            return;
        }
        batch->n++;
        if (item->length == 0) {
            return;
        }
        batch->used += item->length;
        at = item->next;
    }
}

/* How many of the items are done; the others stay. */
static unsigned batch_send(struct e1000e *e1000e, const struct batch *batch)
{
    struct device *device = e1000e_device(e1000e);
    struct net_frame frames[NET_BATCH_MAX];
    struct block_span spans[NET_BATCH_MAX];
    unsigned sent = batch->n;

    if (batch->items[0].length == 0) {
        return 1;
    }
    for (unsigned i = 0; i < batch->n; i++) {
        const struct item *item = &batch->items[i];

        spans[i] = (struct block_span){ .base = e1000e->transmit_bytes + item->at,
                                        .length = item->length };
        frames[i] = (struct net_frame){
            .offload = item->offload, .length = item->length, .n_spans = 1, .spans = &spans[i]
        };
    }
    if (!e1000e_loopback(e1000e)) {
        sent = device->services->net_send(device, frames, batch->n);
    }
    for (unsigned i = 0; i < sent; i++) {
        const struct item *item = &batch->items[i];

        e1000e_count_frame(e1000e, false, e1000e->transmit_bytes + item->at,
                           item->length + E1000E_FCS);
        if (item->offload.gso != NET_GSO_NONE) {
            e1000e_count(e1000e, STAT_TSCTC, 1);
        }
    }
    return sent;
}

static void queue_transmit(struct e1000e *e1000e, unsigned queue)
{
    unsigned stride = queue * E1000E_QUEUE_STRIDE;
    struct e1000e_ring ring = e1000e_ring(e1000e, REG_TDBAL + stride, E1000E_DESCRIPTOR);
    uint32_t causes = 0, done = 0;
    bool may_wait = true;
    struct batch batch;

    if (ring.entries == 0 || !(*e1000e_reg(e1000e, REG_TARC + stride) & TARC_ENABLE)) {
        return;
    }
    while (ring.head != ring.tail && !e1000e->stuck) {
        unsigned sent;

        if (done >= BUDGET) {
            dev_defer(e1000e_device(e1000e), TASK_TRANSMIT);
            break;
        }
        batch_fill(e1000e, queue, &ring, &batch);
        if (batch.n == 0) {
            break;
        }
        sent = batch_send(e1000e, &batch);
        for (unsigned i = 0; i < sent; i++) {
            causes |= item_done(e1000e, queue, &ring, &batch.items[i], &may_wait);
            done += batch.items[i].n;
        }
        if (sent < batch.n) {
            e1000e->context = batch.items[sent].before;
            e1000e->stuck = true;
        }
    }
    if (done > 0 && ring.head == ring.tail) {
        causes |= ICR_TXQE;
    }
    e1000e_raise_later(e1000e, true, causes, may_wait ? *e1000e_reg(e1000e, REG_TIDV) & 0xffff : 0);
}

void e1000e_transmit(struct e1000e *e1000e)
{
    e1000e->stuck = false;
    for (unsigned queue = 0; queue < E1000E_QUEUES; queue++) {
        if ((*e1000e_reg(e1000e, REG_TCTL) & TCTL_EN) && e1000e_may_dma(e1000e)) {
            queue_transmit(e1000e, queue);
        }
    }
}

const struct state_field e1000e_context_fields[] = {
    FIELD(struct e1000e_context, ipcss),  FIELD(struct e1000e_context, ipcso),
    FIELD(struct e1000e_context, tucss),  FIELD(struct e1000e_context, tucso),
    FIELD(struct e1000e_context, hdrlen), FIELD(struct e1000e_context, tucmd),
    FIELD(struct e1000e_context, ipcse),  FIELD(struct e1000e_context, tucse),
    FIELD(struct e1000e_context, mss),    FIELD_END,
};
