/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receiving, for net.c (virtio 1.2, sections 5.1.6.3 and 5.1.6.4). A frame is given to the driver
 * whole or, while the queue has not enough buffers, not at all. Without mergeable buffers it must
 * fit into one.
 *
 * A driver that has no receive filters gets every frame, as the specification lets it expect.
 */
#include <string.h>

#include "bytes.h"
#include "net_card.h"

enum {
    BUFFERS_MAX = 128, /* for one frame */
    TYPE_OFFSET = 12,
    TYPE_VLAN = 0x8100,
    TCI_OFFSET = 14,
    VLAN_ID = 0xfff,
};

static const uint8_t broadcast[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* --- Filters ---------------------------------------------------------------------------------- */

static bool table_has(const struct net *net, unsigned first, unsigned n, const uint8_t *mac)
{
    for (unsigned i = first; i < first + n; i++) {
        if (memcmp(net->macs + i * NET_MAC_SIZE, mac, NET_MAC_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static bool vlan_wanted(const struct net *net, const uint8_t *bytes, uint32_t length)
{
    unsigned id;

    if (!virtio_has(&net->virtio, NET_F_CTRL_VLAN) || length < TCI_OFFSET + 2 ||
        load_be16(bytes + TYPE_OFFSET) != TYPE_VLAN) {
        return true;
    }
    id = load_be16(bytes + TCI_OFFSET) & VLAN_ID;
    return net->vlans[id / 32] & 1u << id % 32;
}

static bool address_wanted(const struct net *net, const uint8_t *to)
{
    if (!virtio_has(&net->virtio, NET_F_CTRL_RX) || net->promiscuous) {
        return true;
    }
    if (memcmp(to, broadcast, NET_MAC_SIZE) == 0) {
        return !net->no_broadcast;
    }
    if (to[0] & 1) {
        return !net->no_multicast && (net->all_multicast || net->too_many_multicast ||
                                      table_has(net, net->n_unicast, net->n_multicast, to));
    }
    return !net->no_unicast &&
           (net->all_unicast || net->too_many_unicast || memcmp(to, net->mac, NET_MAC_SIZE) == 0 ||
            table_has(net, 0, net->n_unicast, to));
}

/* --- Buffers ---------------------------------------------------------------------------------- */

static void header_make(const struct net *net, const struct net_offload *offload, unsigned buffers,
                        uint8_t header[HEADER_SIZE])
{
    memset(header, 0, HEADER_SIZE);
    if (offload->flags & NET_NEEDS_CSUM) {
        header[HEADER_FLAGS] = HEADER_F_NEEDS_CSUM;
        store_le16(header + HEADER_CSUM_START, offload->csum_start);
        store_le16(header + HEADER_CSUM_OFFSET, offload->csum_offset);
    } else if ((offload->flags & NET_CSUM_VALID) && (net->guest_offloads & NET_F_GUEST_CSUM)) {
        header[HEADER_FLAGS] = HEADER_F_DATA_VALID;
    }
    if (offload->gso != NET_GSO_NONE) {
        header[HEADER_GSO_TYPE] = (uint8_t)((offload->gso == NET_GSO_TCP4 ? GSO_TCPV4 : GSO_TCPV6) |
                                            (offload->flags & NET_ECN ? GSO_ECN : 0));
        store_le16(header + HEADER_HDR_LEN, offload->header_length);
        store_le16(header + HEADER_GSO_SIZE, offload->gso_size);
    }
    store_le16(header + HEADER_NUM_BUFFERS, (uint16_t)buffers);
}

/* The buffers that a frame is being put into. */
struct filling {
    struct vq_chain first;
    uint16_t heads[BUFFERS_MAX];
    uint32_t written[BUFFERS_MAX];
    unsigned n;
    uint32_t done; /* bytes of the frame */
};

enum outcome {
    GIVEN,
    DROPPED, /* the frame does not go into what the driver offers */
    WAITS,   /* for buffers */
};

/* The next buffer, with as much of the frame as goes in. */
static enum outcome buffer_fill(struct net *net, struct filling *filling,
                                const struct net_received *frame)
{
    struct virtio_device *virtio = &net->virtio;
    struct vq_chain next, *chain = filling->n == 0 ? &filling->first : &next;
    uint32_t skip = filling->n == 0 ? HEADER_SIZE : 0, room, n;

    if (filling->n == BUFFERS_MAX) {
        guest_error(net_device(net), "more than %u buffers for a frame of %u bytes", BUFFERS_MAX,
                    frame->length);
        return DROPPED;
    }
    if (!virtio_pop(virtio, NET_RECEIVE, chain)) {
        return WAITS;
    }
    filling->heads[filling->n] = chain->head;
    filling->n++;
    if (chain->in_length <= skip) {
        guest_error(net_device(net), "a buffer of %u bytes for a frame", chain->in_length);
        return DROPPED;
    }
    room = chain->in_length - skip;
    n = frame->length - filling->done < room ? frame->length - filling->done : room;
    if (!virtio_write(virtio, chain, skip, frame->bytes + filling->done, n)) {
        return DROPPED;
    }
    filling->written[filling->n - 1] = skip + n;
    filling->done += n;
    return GIVEN;
}

static enum outcome frame_fill(struct net *net, struct filling *filling,
                               const struct net_received *frame)
{
    uint8_t header[HEADER_SIZE];
    enum outcome outcome;

    filling->n = filling->done = 0;
    do {
        outcome = buffer_fill(net, filling, frame);
    } while (outcome == GIVEN && filling->done < frame->length &&
             virtio_has(&net->virtio, NET_F_MRG_RXBUF));
    if (outcome == GIVEN && filling->done < frame->length) {
        guest_error(net_device(net), "a buffer of %u bytes for a frame of %u",
                    filling->first.in_length, frame->length);
        outcome = DROPPED;
    }
    if (outcome == GIVEN) {
        header_make(net, &frame->offload, filling->n, header);
        outcome = virtio_write(&net->virtio, &filling->first, 0, header, sizeof(header)) ? GIVEN
                                                                                         : DROPPED;
    }
    return outcome;
}

static enum outcome frame_give(struct net *net, const struct net_received *frame)
{
    struct filling filling;
    enum outcome outcome = frame_fill(net, &filling, frame);

    if (outcome == GIVEN) {
        for (unsigned i = 0; i < filling.n; i++) {
            virtio_push(&net->virtio, NET_RECEIVE, filling.heads[i], filling.written[i]);
        }
        return GIVEN;
    }
    for (unsigned i = filling.n; i > 0 && !virtio_is_broken(&net->virtio); i--) {
        struct vq_chain chain = { .head = filling.heads[i - 1] };

        virtio_put_back(&net->virtio, NET_RECEIVE, &chain);
    }
    return outcome;
}

void net_receive(struct net *net)
{
    struct device *device = net_device(net);
    const struct net_received *frame;

    while (virtio_queue_live(&net->virtio, NET_RECEIVE) &&
           (frame = device->services->net_peek(device))) {
        bool wanted =
            address_wanted(net, frame->bytes) && vlan_wanted(net, frame->bytes, frame->length);

        if (wanted && frame_give(net, frame) == WAITS) {
            break;
        }
        device->services->net_drop(device);
    }
    virtio_publish(&net->virtio, NET_RECEIVE);
}
