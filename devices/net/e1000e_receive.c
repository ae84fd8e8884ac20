/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receiving (82574 datasheet section 7.1): legacy, extended and packet split descriptors, two
 * queues by RSS, checksums, VLAN tags.
 *
 * A frame is given whole or, while its queue has not enough descriptors, not at all: it waits
 * outside, so that there is no overrun. A descriptor is written without its DD bit first, then the
 * part with the bit.
 *
 * Left out: the packet checksum from RXCSUM.PCSS, IP identification, FCS errors and short frames
 * (the back end has none: short ones are filled up to 60 bytes as on a wire).
 *
 * How it fails: a frame for a buffer that is no RAM is counted and lost; its descriptor comes back.
 */
#include <string.h>

#include "e1000e.h"

enum {
    BUDGET = 512, /* frames at once; the rest is deferred */
    DROPS_AT_ONCE = 1024,
    FRAME_SHORTEST = 60,
    WIRE_MAX = 1518, /* with check sequence, without LPE; a tag comes on top */
    TAG_OFFSET = 12,
    DESCRIPTOR_MAX = 32,
    SPLIT_BUFFERS = 4,

    RCTL_DTYP_SPLIT = 1 << 10,
    RCTL_DTYP = 3 << 10,
    PADDED_HDRLEN = 0x3ff,
    HDRSP = 0x8000,

    STATUS_DD = 1 << 0,
    STATUS_EOP = 1 << 1,
    STATUS_IXSM = 1 << 2,
    STATUS_VP = 1 << 3,
    STATUS_UDPCS = 1 << 4,
    STATUS_TCPCS = 1 << 5,
    STATUS_IPCS = 1 << 6,
    STATUS_PIF = 1 << 7,
    ERROR_TCPE = 1 << 5,
    ERROR_IPE = 1 << 6,
};

enum format {
    FORMAT_LEGACY,
    FORMAT_EXTENDED,
    FORMAT_SPLIT,
};

/* A frame on its way into descriptors, in receive_bytes. */
struct arrival {
    uint32_t length, done;
    uint16_t tci;
    uint32_t status, errors;
    struct e1000e_packet packet;
    uint32_t hash;
    unsigned rss_type, queue;
    enum format format;
    uint32_t sizes[SPLIT_BUFFERS]; /* of a descriptor's buffers */
    uint32_t header;               /* bytes that go alone into buffer 0; 0: no split */
};

enum outcome {
    GIVEN,
    DROPPED,
    WAITS,
};

static enum format format_now(struct e1000e *e1000e)
{
    if (!(*e1000e_reg(e1000e, REG_RFCTL) & RFCTL_EXSTEN)) {
        return FORMAT_LEGACY;
    }
    return (*e1000e_reg(e1000e, REG_RCTL) & RCTL_DTYP) == RCTL_DTYP_SPLIT ? FORMAT_SPLIT
                                                                          : FORMAT_EXTENDED;
}

static unsigned descriptor_size(enum format format)
{
    return format == FORMAT_SPLIT ? DESCRIPTOR_MAX : E1000E_DESCRIPTOR;
}

static void sizes_take(struct e1000e *e1000e, struct arrival *arrival)
{
    uint32_t rctl = *e1000e_reg(e1000e, REG_RCTL), split = *e1000e_reg(e1000e, REG_PSRCTL);
    unsigned code = rctl >> 16 & 3, flexible = rctl >> 27 & 0xf;

    memset(arrival->sizes, 0, sizeof(arrival->sizes));
    if (arrival->format == FORMAT_SPLIT) {
        arrival->sizes[0] = (split & 0x7f) * 128;
        for (unsigned i = 1; i < SPLIT_BUFFERS; i++) {
            arrival->sizes[i] = (split >> 8 * i & 0x3f) * 1024;
        }
    } else if (flexible != 0) {
        arrival->sizes[0] = flexible * 1024;
    } else if ((rctl & RCTL_BSEX) && code != 0) {
        arrival->sizes[0] = 32768u >> code;
    } else {
        arrival->sizes[0] = 2048u >> code;
    }
}

/* --- What the card finds out about a frame ---------------------------------------------------- */

static void checksums_look(struct e1000e *e1000e, struct arrival *arrival,
                           const struct net_received *frame)
{
    uint32_t rxcsum = *e1000e_reg(e1000e, REG_RXCSUM);
    const struct e1000e_packet *packet = &arrival->packet;
    const uint8_t *bytes = e1000e->receive_bytes;

    if (packet->ip4 && (rxcsum & RXCSUM_IPOFL)) {
        arrival->status |= STATUS_IPCS;
        arrival->errors |= e1000e_ip_checksum_good(packet, bytes) ? 0 : ERROR_IPE;
    }
    if ((packet->tcp || packet->udp) && (rxcsum & RXCSUM_TUOFL)) {
        arrival->status |= STATUS_TCPCS | (packet->udp ? STATUS_UDPCS : 0);
        if (!(frame->offload.flags & NET_CSUM_VALID) &&
            !e1000e_transport_checksum_good(packet, bytes, arrival->length)) {
            arrival->errors |= ERROR_TCPE;
        }
    }
    if (!(arrival->status & (STATUS_IPCS | STATUS_TCPCS))) {
        arrival->status |= STATUS_IXSM;
    }
}

static void queue_choose(struct e1000e *e1000e, struct arrival *arrival)
{
    arrival->queue = arrival->rss_type = 0;
    arrival->hash = 0;
    if (!(*e1000e_reg(e1000e, REG_RXCSUM) & RXCSUM_PCSD) || arrival->format == FORMAT_LEGACY) {
        return;
    }
    arrival->hash =
        e1000e_rss_hash(e1000e, &arrival->packet, e1000e->receive_bytes, &arrival->rss_type);
    if (arrival->rss_type != 0) {
        unsigned entry = arrival->hash & 0x7f;

        arrival->queue = *e1000e_reg(e1000e, REG_RETA + (entry & ~3u)) >> 8 * (entry & 3) >> 7 & 1;
    }
}

/* The tag goes into the descriptor. */
static void tag_strip(struct e1000e *e1000e, struct arrival *arrival)
{
    uint8_t *bytes = e1000e->receive_bytes;

    if ((*e1000e_reg(e1000e, REG_CTRL) & CTRL_VME) &&
        load_be16(bytes + TAG_OFFSET) == (*e1000e_reg(e1000e, REG_VET) & 0xffff)) {
        arrival->tci = load_be16(bytes + TAG_OFFSET + 2);
        arrival->status |= STATUS_VP;
        arrival->length -= NET_VLAN_SIZE;
        memmove(bytes + TAG_OFFSET, bytes + TAG_OFFSET + NET_VLAN_SIZE,
                arrival->length - TAG_OFFSET);
    }
}

/* frame->length is at most E1000E_RECEIVE_MAX - E1000E_FCS. */
static void arrival_make(struct e1000e *e1000e, struct arrival *arrival,
                         const struct net_received *frame, enum e1000e_match match)
{
    uint8_t *bytes = e1000e->receive_bytes;
    uint32_t fcs = 0;
    bool strip_fcs = *e1000e_reg(e1000e, REG_RCTL) & RCTL_SECRC;

    *arrival = (struct arrival){ .length = frame->length, .format = format_now(e1000e) };
    memcpy(bytes, frame->bytes, frame->length);
    if (arrival->length < FRAME_SHORTEST) {
        memset(bytes + arrival->length, 0, FRAME_SHORTEST - arrival->length);
        arrival->length = FRAME_SHORTEST;
    }
    if (!strip_fcs) {
        fcs = e1000e_fcs(bytes, arrival->length);
    }
    arrival->status = match == MATCH_HASH ? STATUS_PIF : 0;
    tag_strip(e1000e, arrival);
    e1000e_packet_look(&arrival->packet, bytes, arrival->length);
    checksums_look(e1000e, arrival, frame);
    queue_choose(e1000e, arrival);
    if (!strip_fcs) {
        store_le32(bytes + arrival->length, fcs);
        arrival->length += E1000E_FCS;
    }
    sizes_take(e1000e, arrival);
    if (arrival->format == FORMAT_SPLIT && (arrival->packet.ip4 || arrival->packet.ip6) &&
        arrival->packet.data <= arrival->sizes[0]) {
        arrival->header = arrival->packet.data;
    }
}

/* --- Descriptors ------------------------------------------------------------------------------ */

/* The next bytes of the frame into a buffer; address 0 is none, its bytes are lost. */
static uint32_t buffer_fill(struct e1000e *e1000e, struct arrival *arrival, uint64_t address,
                            uint32_t size)
{
    uint32_t left = arrival->length - arrival->done, n = left < size ? left : size;

    if (n > 0 && address != 0 &&
        dev_ram_write(e1000e_device(e1000e), address, e1000e->receive_bytes + arrival->done, n)) {
        guest_error(e1000e_device(e1000e), "a receive buffer at %#llx, where no RAM is",
                    (unsigned long long)address);
    }
    arrival->done += n;
    return n;
}

/* As much of the frame as goes into one descriptor, which becomes what is written back. */
static void descriptor_fill(struct e1000e *e1000e, struct arrival *arrival, uint8_t *descriptor)
{
    uint64_t addresses[SPLIT_BUFFERS];
    uint32_t lengths[SPLIT_BUFFERS] = { 0 }, status = arrival->status;
    unsigned n_buffers = arrival->format == FORMAT_SPLIT ? SPLIT_BUFFERS : 1;
    bool first = arrival->done == 0;

    for (unsigned i = 0; i < n_buffers; i++) {
        uint32_t size = arrival->sizes[i];

        if (i == 0 && arrival->header > 0) {
            size = first ? arrival->header : 0;
        }
        addresses[i] = load_le64(descriptor + 8 * i);
        lengths[i] = buffer_fill(e1000e, arrival, addresses[i], size);
    }
    status = arrival->done == arrival->length ? status | STATUS_EOP : status & STATUS_VP;
    memset(descriptor, 0, DESCRIPTOR_MAX);
    if (arrival->format == FORMAT_LEGACY) {
        store_le16(descriptor + 8, (uint16_t)lengths[0]);
        descriptor[12] = (uint8_t)status;
        descriptor[13] = (uint8_t)(status & STATUS_EOP ? arrival->errors : 0);
        store_le16(descriptor + 14, arrival->tci);
        return;
    }
    store_le32(descriptor, arrival->rss_type | arrival->queue << 8);
    store_le32(descriptor + 4, arrival->hash);
    store_le32(descriptor + 8, status | (status & STATUS_EOP ? arrival->errors << 24 : 0));
    store_le16(descriptor + 12, (uint16_t)lengths[0]);
    store_le16(descriptor + 14, arrival->tci);
    if (arrival->format == FORMAT_SPLIT) {
        store_le16(descriptor + 16, (uint16_t)((arrival->packet.data & PADDED_HDRLEN) |
                                               (arrival->header > 0 ? HDRSP : 0)));
        for (unsigned i = 1; i < SPLIT_BUFFERS; i++) {
            store_le16(descriptor + 16 + 2 * i, (uint16_t)lengths[i]);
        }
    }
}

static void descriptor_write(struct e1000e *e1000e, const struct arrival *arrival, uint64_t at,
                             uint8_t *descriptor)
{
    struct device *device = e1000e_device(e1000e);
    unsigned status = arrival->format == FORMAT_LEGACY ? 12 : 8;

    dev_ram_write(device, at, descriptor, descriptor_size(arrival->format));
    descriptor[status] |= STATUS_DD;
    dev_ram_write(device, at + status, descriptor + status, 1);
}

/* Descriptors that the frame takes; 0: it never fits. */
static uint32_t descriptors_needed(const struct arrival *arrival)
{
    uint32_t each = 0;

    for (unsigned i = arrival->header > 0 ? 1 : 0; i < SPLIT_BUFFERS; i++) {
        each += arrival->sizes[i];
    }
    if (arrival->length == arrival->header) {
        return 1;
    }
    return each > 0 ? (arrival->length - arrival->header + each - 1) / each : 0;
}

static enum outcome frame_give(struct e1000e *e1000e, struct arrival *arrival, uint32_t *causes)
{
    struct device *device = e1000e_device(e1000e);
    unsigned size = descriptor_size(arrival->format);
    struct e1000e_ring ring =
        e1000e_ring(e1000e, REG_RDBAL + arrival->queue * E1000E_QUEUE_STRIDE, size);
    uint32_t needed = descriptors_needed(arrival), left, threshold;
    uint8_t descriptor[DESCRIPTOR_MAX] = { 0 };

    if (ring.entries == 0 || needed == 0 || needed >= ring.entries) {
        e1000e_count(e1000e, STAT_ROC, 1);
        return DROPPED;
    }
    left = e1000e_ring_filled(&ring);
    if (needed > left) {
        e1000e_count(e1000e, STAT_RNBC, 1);
        return WAITS;
    }
    for (uint32_t i = 0; i < needed; i++) {
        uint64_t at = ring.base + (uint64_t)ring.head * size;

        if (dev_ram_read(device, at, descriptor, size) != 0) {
            guest_error(device, "a receive descriptor at %#llx, where no RAM is",
                        (unsigned long long)at);
            return DROPPED;
        }
        descriptor_fill(e1000e, arrival, descriptor);
        descriptor_write(e1000e, arrival, at, descriptor);
        ring.head = (ring.head + 1) % ring.entries;
        *e1000e_reg(e1000e, ring.at + RING_HEAD) = ring.head;
    }
    threshold = ring.entries >> (1 + (*e1000e_reg(e1000e, REG_RCTL) >> 8 & 3));
    if (left > threshold && left - needed <= threshold) {
        *causes |= ICR_RXDMT0;
    }
    *causes |= pci_msix_enabled(&e1000e->pci) ? (uint32_t)ICR_RXQ0 << arrival->queue : ICR_RXT0;
    return GIVEN;
}

/* --- Frames ----------------------------------------------------------------------------------- */

static bool length_good(struct e1000e *e1000e, const struct net_received *frame)
{
    uint32_t limit = WIRE_MAX;

    if (*e1000e_reg(e1000e, REG_RCTL) & RCTL_LPE) {
        limit = E1000E_RECEIVE_MAX;
    } else if (frame->length >= NET_HEADER_SIZE + NET_VLAN_SIZE &&
               load_be16(frame->bytes + TAG_OFFSET) == (*e1000e_reg(e1000e, REG_VET) & 0xffff)) {
        limit += NET_VLAN_SIZE;
    }
    return frame->length >= NET_FRAME_MIN && frame->length + E1000E_FCS <= limit;
}

static enum outcome frame_take(struct e1000e *e1000e, const struct net_received *frame,
                               uint32_t *causes)
{
    enum e1000e_match match;
    enum outcome outcome;
    struct arrival arrival;

    if (!length_good(e1000e, frame)) {
        e1000e_count(e1000e, STAT_ROC, 1);
        return DROPPED;
    }
    match = e1000e_filter(e1000e, frame->bytes, frame->length);
    if (match == MATCH_NONE) {
        return DROPPED;
    }
    arrival_make(e1000e, &arrival, frame, match);
    outcome = frame_give(e1000e, &arrival, causes);
    if (outcome == GIVEN) {
        e1000e_count_frame(e1000e, true, frame->bytes,
                           (frame->length < FRAME_SHORTEST ? FRAME_SHORTEST : frame->length) +
                               E1000E_FCS);
    }
    return outcome;
}

void e1000e_receive(struct e1000e *e1000e)
{
    struct device *device = e1000e_device(e1000e);
    const struct net_received *frame;
    uint32_t causes = 0;
    bool on = (*e1000e_reg(e1000e, REG_RCTL) & RCTL_EN) && e1000e_may_dma(e1000e) &&
              !e1000e_loopback(e1000e);

    for (unsigned i = 0; !on && i < DROPS_AT_ONCE && device->services->net_peek(device); i++) {
        device->services->net_drop(device);
    }
    for (unsigned i = 0; on && (frame = device->services->net_peek(device)); i++) {
        if (i == BUDGET) {
            dev_defer(device, TASK_RECEIVE);
            break;
        }
        if (frame_take(e1000e, frame, &causes) == WAITS) {
            break;
        }
        device->services->net_drop(device);
    }
    e1000e_raise_later(e1000e, false, causes, *e1000e_reg(e1000e, REG_RDTR) & 0xffff);
}
