/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control queue, for net.c (virtio 1.2, section 5.1.6.5): which frames the driver wants, the
 * card's address, VLANs, offloads, the end of an announcement. A command that is wrong, or belongs
 * to a feature that was not negotiated, is counted and answered with an error.
 */
#include <string.h>

#include "bytes.h"
#include "net_card.h"

enum {
    COMMAND_CLASS = 0,
    COMMAND_CODE = 1,
    COMMAND_DATA = 2,
    ACK_OK = 0,
    ACK_ERR = 1,

    CLASS_RX = 0,
    RX_PROMISC = 0,
    RX_ALLMULTI = 1,
    RX_ALLUNI = 2,
    RX_NOMULTI = 3,
    RX_NOUNI = 4,
    RX_NOBCAST = 5,

    CLASS_MAC = 1,
    MAC_TABLE_SET = 0,
    MAC_ADDR_SET = 1,

    CLASS_VLAN = 2,
    VLAN_ADD = 0,
    VLAN_DEL = 1,

    CLASS_ANNOUNCE = 3,
    ANNOUNCE_ACK = 0,

    CLASS_GUEST_OFFLOADS = 5,
    GUEST_OFFLOADS_SET = 0,
};

/* A command as far as it has been read. */
struct command {
    struct net *net;
    const struct vq_chain *chain;
    uint8_t code;
};

static uint32_t data_length(const struct command *command)
{
    return command->chain->out_length - COMMAND_DATA;
}

/* Bytes of the command's data; false if there are not so many. */
static bool data_read(const struct command *command, uint64_t offset, void *bytes, size_t n)
{
    return virtio_read(&command->net->virtio, command->chain, COMMAND_DATA + offset, bytes, n);
}

static bool mode_set(const struct command *command)
{
    struct net *net = command->net;
    bool *const modes[] = {
        [RX_PROMISC] = &net->promiscuous, [RX_ALLMULTI] = &net->all_multicast,
        [RX_ALLUNI] = &net->all_unicast,  [RX_NOMULTI] = &net->no_multicast,
        [RX_NOUNI] = &net->no_unicast,    [RX_NOBCAST] = &net->no_broadcast,
    };
    uint8_t on;

    if (command->code > RX_NOBCAST || data_length(command) != 1 ||
        !virtio_has(&net->virtio,
                    command->code <= RX_ALLMULTI ? NET_F_CTRL_RX : NET_F_CTRL_RX_EXTRA) ||
        !data_read(command, 0, &on, 1)) {
        return false;
    }
    *modes[command->code] = on != 0;
    return true;
}

/*
 * One of the two lists of a table: a number of entries and the entries, at *offset. Those that are
 * more than there is room for make *too_many.
 */
static bool list_read(const struct command *command, uint64_t *offset, uint8_t *n, bool *too_many)
{
    struct net *net = command->net;
    unsigned first = n == &net->n_unicast ? 0 : net->n_unicast;
    uint8_t number[4];
    uint64_t bytes;

    if (!data_read(command, *offset, number, sizeof(number))) {
        return false;
    }
    bytes = (uint64_t)load_le32(number) * NET_MAC_SIZE;
    *offset += sizeof(number);
    if (!range_fits(*offset, bytes, data_length(command))) {
        return false;
    }
    *too_many = load_le32(number) > NET_MACS_MAX - first;
    *n = *too_many ? 0 : (uint8_t)load_le32(number);
    if (*n > 0 && !data_read(command, *offset, net->macs + first * NET_MAC_SIZE, bytes)) {
        return false;
    }
    *offset += bytes;
    return true;
}

static bool table_set(const struct command *command)
{
    struct net *net = command->net;
    uint64_t offset = 0;

    net->n_unicast = net->n_multicast = 0;
    net->too_many_unicast = net->too_many_multicast = false;
    return virtio_has(&net->virtio, NET_F_CTRL_RX) &&
           list_read(command, &offset, &net->n_unicast, &net->too_many_unicast) &&
           list_read(command, &offset, &net->n_multicast, &net->too_many_multicast);
}

static bool mac_set(const struct command *command)
{
    struct net *net = command->net;
    uint8_t mac[NET_MAC_SIZE];

    if (command->code == MAC_TABLE_SET) {
        return table_set(command);
    }
    if (command->code != MAC_ADDR_SET || !virtio_has(&net->virtio, NET_F_CTRL_MAC_ADDR) ||
        data_length(command) != NET_MAC_SIZE || !data_read(command, 0, mac, sizeof(mac))) {
        return false;
    }
    memcpy(net->mac, mac, sizeof(mac));
    return true;
}

static bool vlan_set(const struct command *command)
{
    struct net *net = command->net;
    uint8_t bytes[2];
    unsigned id;

    if (command->code > VLAN_DEL || !virtio_has(&net->virtio, NET_F_CTRL_VLAN) ||
        data_length(command) != sizeof(bytes) || !data_read(command, 0, bytes, sizeof(bytes))) {
        return false;
    }
    id = load_le16(bytes);
    if (id >= NET_VLANS) {
        return false;
    }
    if (command->code == VLAN_ADD) {
        net->vlans[id / 32] |= 1u << id % 32;
    } else {
        net->vlans[id / 32] &= ~(1u << id % 32);
    }
    return true;
}

static bool announced(const struct command *command)
{
    struct net *net = command->net;

    if (command->code != ANNOUNCE_ACK || !virtio_has(&net->virtio, NET_F_GUEST_ANNOUNCE)) {
        return false;
    }
    net->announce = false;
    return true;
}

static bool offloads_set(const struct command *command)
{
    struct net *net = command->net;
    uint8_t bytes[8];

    if (command->code != GUEST_OFFLOADS_SET ||
        !virtio_has(&net->virtio, NET_F_CTRL_GUEST_OFFLOADS) ||
        data_length(command) != sizeof(bytes) || !data_read(command, 0, bytes, sizeof(bytes)) ||
        (load_le64(bytes) & ~(net->virtio.driver_features & NET_F_GUEST_OFFLOADS)) != 0) {
        return false;
    }
    net->guest_offloads = load_le64(bytes);
    net_accept_tell(net);
    return true;
}

static bool command_run(struct net *net, const struct vq_chain *chain)
{
    struct command command = { .net = net, .chain = chain };
    uint8_t header[COMMAND_DATA];

    if (!virtio_has(&net->virtio, NET_F_CTRL_VQ) ||
        !virtio_read(&net->virtio, chain, 0, header, sizeof(header))) {
        return false;
    }
    command.code = header[COMMAND_CODE];
    switch (header[COMMAND_CLASS]) {
    case CLASS_RX:
        return mode_set(&command);
    case CLASS_MAC:
        return mac_set(&command);
    case CLASS_VLAN:
        return vlan_set(&command);
    case CLASS_ANNOUNCE:
        return announced(&command);
    case CLASS_GUEST_OFFLOADS:
        return offloads_set(&command);
    default:
        return false;
    }
}

void net_control(struct net *net)
{
    struct virtio_device *virtio = &net->virtio;
    struct vq_chain chain;

    while (virtio_pop(virtio, NET_CONTROL, &chain)) {
        uint8_t ack = command_run(net, &chain) ? ACK_OK : ACK_ERR;
        bool answered = false;

        if (virtio_is_broken(virtio)) {
            return;
        }
        if (ack != ACK_OK) {
            guest_error(net_device(net), "a command of %u bytes that cannot be carried out",
                        chain.out_length);
        }
        if (chain.in_length == 0) {
            guest_error(net_device(net), "a command without room for the answer");
        } else {
            answered = virtio_write(virtio, &chain, 0, &ack, 1);
        }
        virtio_push(virtio, NET_CONTROL, chain.head, answered ? 1 : 0);
    }
    virtio_publish(virtio, NET_CONTROL);
}
