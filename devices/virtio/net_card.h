/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the network device share: net.c (sending, life), net_receive.c, net_control.c.
 */
#ifndef DEVICES_VIRTIO_NET_CARD_H
#define DEVICES_VIRTIO_NET_CARD_H

#include "net.h"
#include "virtio.h"

enum {
    NET_RECEIVE = 0, /* queues */
    NET_TRANSMIT = 1,
    NET_CONTROL = 2,
    NET_QUEUES = 3,

    NET_MACS_MAX = 64, /* of the filter table */
    NET_VLANS = 4096,

    /* struct virtio_net_hdr, section 5.1.6. */
    HEADER_FLAGS = 0,
    HEADER_GSO_TYPE = 1,
    HEADER_HDR_LEN = 2,
    HEADER_GSO_SIZE = 4,
    HEADER_CSUM_START = 6,
    HEADER_CSUM_OFFSET = 8,
    HEADER_NUM_BUFFERS = 10,
    HEADER_SIZE = 12,
    HEADER_F_NEEDS_CSUM = 1,
    HEADER_F_DATA_VALID = 2,
    GSO_NONE = 0,
    GSO_TCPV4 = 1,
    GSO_TCPV6 = 4,
    GSO_ECN = 0x80,
};

#define NET_F_CSUM                (UINT64_C(1) << 0)
#define NET_F_GUEST_CSUM          (UINT64_C(1) << 1)
#define NET_F_CTRL_GUEST_OFFLOADS (UINT64_C(1) << 2)
#define NET_F_MTU                 (UINT64_C(1) << 3)
#define NET_F_MAC                 (UINT64_C(1) << 5)
#define NET_F_GUEST_TSO4          (UINT64_C(1) << 7)
#define NET_F_GUEST_TSO6          (UINT64_C(1) << 8)
#define NET_F_GUEST_ECN           (UINT64_C(1) << 9)
#define NET_F_HOST_TSO4           (UINT64_C(1) << 11)
#define NET_F_HOST_TSO6           (UINT64_C(1) << 12)
#define NET_F_HOST_ECN            (UINT64_C(1) << 13)
#define NET_F_MRG_RXBUF           (UINT64_C(1) << 15)
#define NET_F_STATUS              (UINT64_C(1) << 16)
#define NET_F_CTRL_VQ             (UINT64_C(1) << 17)
#define NET_F_CTRL_RX             (UINT64_C(1) << 18)
#define NET_F_CTRL_VLAN           (UINT64_C(1) << 19)
#define NET_F_CTRL_RX_EXTRA       (UINT64_C(1) << 20)
#define NET_F_GUEST_ANNOUNCE      (UINT64_C(1) << 21)
#define NET_F_CTRL_MAC_ADDR       (UINT64_C(1) << 23)

/* The offloads that the control queue turns on and off. */
#define NET_F_GUEST_OFFLOADS                                                                       \
    (NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_ECN)

struct net {
    struct virtio_device virtio; /* first */
    char mac_text[18];           /* option */
    uint32_t mtu;                /* option */
    uint8_t permanent[NET_MAC_SIZE];

    uint8_t mac[NET_MAC_SIZE];
    bool link, announce;
    uint64_t guest_offloads; /* in use, of NET_F_GUEST_OFFLOADS */

    /* Which frames the driver wants. */
    bool promiscuous, all_multicast, all_unicast, no_multicast, no_unicast, no_broadcast;
    bool too_many_unicast, too_many_multicast; /* more than the table holds: all */
    uint8_t n_unicast, n_multicast;            /* in the table, in this order */
    uint8_t macs[NET_MACS_MAX * NET_MAC_SIZE];
    uint32_t vlans[NET_VLANS / 32];

    bool stuck;                             /* the back end did not take all there was to send */
    struct block_span spans[NET_SPANS_MAX]; /* of the batch that is being sent */
};

static inline struct net *to_net(struct virtio_device *virtio)
{
    return (struct net *)virtio;
}

static inline struct device *net_device(struct net *net)
{
    return virtio_to_device(&net->virtio);
}

/* Gives what has come to the driver, as far as it has buffers. */
void net_receive(struct net *net);
/* Carries out what is in the control queue. */
void net_control(struct net *net);
/* Tells the back end which offloads the driver takes. */
void net_accept_tell(struct net *net);

#endif
