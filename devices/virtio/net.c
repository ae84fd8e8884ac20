/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network card (virtio 1.2, section 5.1) with one pair of queues and a control queue: checksums and
 * large TCP segments (IPv4, IPv6, ECN) in both directions, mergeable receive buffers, filters by
 * address and VLAN, link state, announcement.
 *
 * Frames are sent in batches straight from guest memory. What the back end does not take stays in
 * the queue, and so does what there are no receive buffers for, with the back end.
 *
 * Left out: several pairs of queues, receive-side scaling, UDP fragmentation, hash reports.
 *
 * How it fails: a frame whose header asks for what was not negotiated, or that is too short or too
 * long, is counted and not sent; the buffer is given back.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "net_card.h"

enum {
    NET_ID = 1,

    CONFIG_MAC = 0,
    CONFIG_STATUS = 6,
    CONFIG_MAX_VIRTQUEUE_PAIRS = 8,
    CONFIG_MTU = 10,
    CONFIG_SIZE = 12,
    STATUS_LINK_UP = 1,
    STATUS_ANNOUNCE = 2,

    DROPS_AT_ONCE = 1024, /* frames that come while there is no driver */
};

/* --- Sending ---------------------------------------------------------------------------------- */

static bool gso_take(struct net *net, const uint8_t *header, struct net_offload *offload)
{
    uint8_t type = header[HEADER_GSO_TYPE];
    uint64_t needs = NET_F_CSUM;

    switch (type & ~GSO_ECN) {
    case GSO_NONE:
        return type == GSO_NONE;
    case GSO_TCPV4:
        offload->gso = NET_GSO_TCP4;
        needs |= NET_F_HOST_TSO4;
        break;
    case GSO_TCPV6:
        offload->gso = NET_GSO_TCP6;
        needs |= NET_F_HOST_TSO6;
        break;
    default:
        return false;
    }
    if (type & GSO_ECN) {
        offload->flags |= NET_ECN;
        needs |= NET_F_HOST_ECN;
    }
    offload->header_length = load_le16(header + HEADER_HDR_LEN);
    offload->gso_size = load_le16(header + HEADER_GSO_SIZE);
    return virtio_has(&net->virtio, needs) && (offload->flags & NET_NEEDS_CSUM) &&
           offload->gso_size > 0;
}

static bool header_take(struct net *net, const uint8_t *header, uint32_t length,
                        struct net_offload *offload)
{
    uint32_t longest = net->mtu + NET_HEADER_SIZE + NET_VLAN_SIZE;

    if (header[HEADER_FLAGS] & HEADER_F_NEEDS_CSUM) {
        offload->flags |= NET_NEEDS_CSUM;
        offload->csum_start = load_le16(header + HEADER_CSUM_START);
        offload->csum_offset = load_le16(header + HEADER_CSUM_OFFSET);
        if (!virtio_has(&net->virtio, NET_F_CSUM) ||
            !range_fits((uint32_t)offload->csum_start + offload->csum_offset, 2, length)) {
            return false;
        }
    }
    return gso_take(net, header, offload) &&
           length <= (offload->gso != NET_GSO_NONE ? (uint32_t)NET_FRAME_MAX : longest);
}

/* Makes a frame of a buffer, its spans from net->spans[first] on. False: it is none. */
static bool frame_take(struct net *net, const struct vq_chain *chain, unsigned first,
                       struct net_frame *frame)
{
    struct vq_part part = { .chain = chain, .offset = HEADER_SIZE };
    uint8_t header[HEADER_SIZE];

    *frame = (struct net_frame){ .spans = &net->spans[first] };
    if (chain->out_length < HEADER_SIZE + NET_FRAME_MIN) {
        guest_error(net_device(net), "a buffer of %u bytes to be sent", chain->out_length);
        return false;
    }
    if (!virtio_read(&net->virtio, chain, 0, header, sizeof(header))) {
        return false;
    }
    frame->length = chain->out_length - HEADER_SIZE;
    if (!header_take(net, header, frame->length, &frame->offload)) {
        guest_error(net_device(net),
                    "a frame of %u bytes that cannot be sent: flags %#x, segmentation %#x of %u, "
                    "checksum at %u + %u",
                    frame->length, header[HEADER_FLAGS], header[HEADER_GSO_TYPE],
                    load_le16(header + HEADER_GSO_SIZE), load_le16(header + HEADER_CSUM_START),
                    load_le16(header + HEADER_CSUM_OFFSET));
        return false;
    }
    part.length = frame->length;
    frame->n_spans = virtio_spans(&net->virtio, &part, &net->spans[first], NET_SPANS_MAX - first);
    return frame->n_spans > 0;
}

struct batch {
    struct net_frame frames[NET_BATCH_MAX];
    uint16_t heads[NET_BATCH_MAX];
    unsigned n, n_spans;
};

static bool batch_has_room(const struct batch *batch)
{
    return batch->n < NET_BATCH_MAX && batch->n_spans + 2 * VQ_CHAIN_MAX <= NET_SPANS_MAX;
}

/* Takes as many frames as fit; false when there are no more buffers for now. */
static bool batch_fill(struct net *net, struct batch *batch)
{
    struct vq_chain chain;

    batch->n = batch->n_spans = 0;
    while (batch_has_room(batch)) {
        struct net_frame *frame = &batch->frames[batch->n];

        if (!virtio_pop(&net->virtio, NET_TRANSMIT, &chain)) {
            return false;
        }
        if (frame_take(net, &chain, batch->n_spans, frame)) {
            batch->heads[batch->n++] = chain.head;
            batch->n_spans += frame->n_spans;
        } else if (virtio_is_broken(&net->virtio)) {
            return false;
        } else if (batch->n > 0) {
            /* It comes again as the first one: buffers are put back in order only. */
            virtio_put_back(&net->virtio, NET_TRANSMIT, &chain);
            return true;
        } else {
            virtio_push(&net->virtio, NET_TRANSMIT, chain.head, 0);
        }
    }
    return true;
}

static void transmit(struct net *net)
{
    struct device *device = net_device(net);
    struct batch batch;
    bool more = true;

    net->stuck = false;
    while (more && !net->stuck) {
        unsigned sent = 0;

        more = batch_fill(net, &batch);
        if (batch.n > 0) {
            sent = device->services->net_send(device, batch.frames, batch.n);
        }
        for (unsigned i = 0; i < sent; i++) {
            virtio_push(&net->virtio, NET_TRANSMIT, batch.heads[i], 0);
        }
        for (unsigned i = batch.n; i > sent && !virtio_is_broken(&net->virtio); i--) {
            struct vq_chain chain = { .head = batch.heads[i - 1] };

            virtio_put_back(&net->virtio, NET_TRANSMIT, &chain);
            net->stuck = true;
        }
    }
    virtio_publish(&net->virtio, NET_TRANSMIT);
}

static void net_on_queue(struct virtio_device *virtio, unsigned queue)
{
    switch (queue) {
    case NET_RECEIVE:
        net_receive(to_net(virtio));
        break;
    case NET_TRANSMIT:
        transmit(to_net(virtio));
        break;
    default:
        net_control(to_net(virtio));
        break;
    }
}

/* --- The outside ------------------------------------------------------------------------------ */

void net_accept_tell(struct net *net)
{
    struct device *device = net_device(net);
    unsigned accept = 0;

    if (net->guest_offloads & NET_F_GUEST_CSUM) {
        accept = NET_ACCEPT_CSUM | (net->guest_offloads & NET_F_GUEST_TSO4 ? NET_ACCEPT_TCP4 : 0) |
                 (net->guest_offloads & NET_F_GUEST_TSO6 ? NET_ACCEPT_TCP6 : 0) |
                 (net->guest_offloads & NET_F_GUEST_ECN ? NET_ACCEPT_ECN : 0);
    }
    device->services->net_accept(device, accept);
}

static void link_look(struct net *net)
{
    struct device *device = net_device(net);
    bool link = device->services->net_link(device);

    if (link != net->link) {
        net->link = link;
        net->announce = link && virtio_has(&net->virtio, NET_F_GUEST_ANNOUNCE);
        virtio_config_changed(&net->virtio);
    }
}

static void net_on_net(struct device *device)
{
    struct net *net = to_net(to_virtio(device));

    link_look(net);
    if (virtio_queue_live(&net->virtio, NET_RECEIVE)) {
        virtio_kick(&net->virtio, NET_RECEIVE);
    } else {
        for (unsigned i = 0; i < DROPS_AT_ONCE && device->services->net_peek(device); i++) {
            device->services->net_drop(device);
        }
    }
    if (net->stuck) {
        virtio_kick(&net->virtio, NET_TRANSMIT);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int net_create(struct virtio_device *virtio, struct dev_error *error)
{
    struct net *net = to_net(virtio);

    return net_mac_parse(virtio_to_device(virtio), net->mac_text, net->permanent, error);
}

static uint64_t net_features(struct virtio_device *virtio)
{
    (void)virtio;
    return NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_CTRL_GUEST_OFFLOADS | NET_F_MTU | NET_F_MAC |
           NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_HOST_TSO4 |
           NET_F_HOST_TSO6 | NET_F_HOST_ECN | NET_F_MRG_RXBUF | NET_F_STATUS | NET_F_CTRL_VQ |
           NET_F_CTRL_RX | NET_F_CTRL_VLAN | NET_F_CTRL_RX_EXTRA | NET_F_GUEST_ANNOUNCE |
           NET_F_CTRL_MAC_ADDR;
}

static void net_config_read(struct virtio_device *virtio, uint8_t *config)
{
    const struct net *net = to_net(virtio);

    memcpy(config + CONFIG_MAC, net->mac, NET_MAC_SIZE);
    store_le16(config + CONFIG_STATUS, (uint16_t)((net->link ? STATUS_LINK_UP : 0) |
                                                  (net->announce ? STATUS_ANNOUNCE : 0)));
    store_le16(config + CONFIG_MAX_VIRTQUEUE_PAIRS, 1);
    store_le16(config + CONFIG_MTU, (uint16_t)net->mtu);
}

static void net_reset(struct virtio_device *virtio, bool machine)
{
    struct net *net = to_net(virtio);
    struct device *device = virtio_to_device(virtio);

    memcpy(net->mac, net->permanent, NET_MAC_SIZE);
    net->announce = false;
    net->guest_offloads = 0;
    net->promiscuous = net->all_multicast = net->all_unicast = false;
    net->no_multicast = net->no_unicast = net->no_broadcast = false;
    net->too_many_unicast = net->too_many_multicast = false;
    net->n_unicast = net->n_multicast = 0;
    memset(net->macs, 0, sizeof(net->macs));
    memset(net->vlans, 0, sizeof(net->vlans));
    net->stuck = false;
    if (machine) {
        net->link = device->services->net_link(device);
    }
    net_accept_tell(net);
}

static void net_start(struct virtio_device *virtio)
{
    struct net *net = to_net(virtio);

    net->guest_offloads = virtio->driver_features & NET_F_GUEST_OFFLOADS;
    net_accept_tell(net);
}

static int net_validate(struct virtio_device *virtio, struct dev_error *error)
{
    const struct net *net = to_net(virtio);

    if (net->n_unicast + net->n_multicast > NET_MACS_MAX ||
        (net->guest_offloads & ~(virtio->driver_features & NET_F_GUEST_OFFLOADS)) != 0) {
        dev_error_set(error,
                      "The saved state of “%s” has filters or offloads that it cannot have, so it "
                      "was not loaded.",
                      virtio_to_device(virtio)->name);
        return -EINVAL;
    }
    return 0;
}

static void net_restored(struct virtio_device *virtio)
{
    net_accept_tell(to_net(virtio));
}

static const struct option_desc net_options[] = {
    { "mac", OPTION_STRING, offsetof(struct net, mac_text), 0, sizeof(((struct net *)0)->mac_text),
      "02:00:00:00:00:01", "address of the card" },
    { "mtu", OPTION_U32, offsetof(struct net, mtu), 68, 65535, "1500",
      "longest packet of the network, in bytes without the Ethernet header" },
    { NULL },
};

static const struct state_field net_fields[] = {
    FIELD_STRUCT(struct net, virtio, virtio_fields),
    FIELD_ARRAY(struct net, mac),
    FIELD(struct net, link),
    FIELD(struct net, announce),
    FIELD_MAX(struct net, guest_offloads, NET_F_GUEST_OFFLOADS),
    FIELD(struct net, promiscuous),
    FIELD(struct net, all_multicast),
    FIELD(struct net, all_unicast),
    FIELD(struct net, no_multicast),
    FIELD(struct net, no_unicast),
    FIELD(struct net, no_broadcast),
    FIELD(struct net, too_many_unicast),
    FIELD(struct net, too_many_multicast),
    FIELD_MAX(struct net, n_unicast, NET_MACS_MAX),
    FIELD_MAX(struct net, n_multicast, NET_MACS_MAX),
    FIELD_ARRAY(struct net, macs),
    FIELD_ARRAY(struct net, vlans),
    FIELD_END,
};

static const struct virtio_type net_type = {
    .id = NET_ID,
    .n_queues = NET_QUEUES,
    .config_size = CONFIG_SIZE,
    .create = net_create,
    .features = net_features,
    .reset = net_reset,
    .start = net_start,
    .validate = net_validate,
    .restored = net_restored,
    .on_queue = net_on_queue,
    .config_read = net_config_read,
};

static const struct pci_info net_pci = VIRTIO_PCI_INFO(NET_ID, 0x020000, NET_QUEUES);

const struct device_class virtio_net_class = {
    .name = "virtio-net",
    .version = 1,
    .state_size = sizeof(struct net),
    .description = "virtio network card",
    .options = net_options,
    .fields = net_fields,
    .pci = &net_pci,
    .virtio = &net_type,
    .n_doorbells = NET_QUEUES,
    .on_net = net_on_net,
    VIRTIO_CLASS_FUNCTIONS,
};
