/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Console device (virtio 1.2, section 5.3): port 0 is a console, the others are named channels for
 * programs in the guest. Each port is a character back end of the machine.
 *
 * Queues: receive and transmit of port 0, receive and transmit of control, then a pair for each
 * further port. Without MULTIPORT there is port 0 alone. Control messages to the driver are kept as
 * bits of what it still has to be told of each port, so none is lost and none piles up.
 *
 * What is not read by the guest stays with the back end; what it writes goes there at once, up to
 * TRANSMIT_MAX bytes of one buffer.
 *
 * Left out: the size of the console (SIZE), adding and removing ports while running, emergency
 * write.
 *
 * How it fails: control messages of ports that do not exist, or too short, are counted and do
 * nothing; of a longer buffer the rest is dropped and counted.
 */
#include <string.h>

#include "bytes.h"
#include "virtio.h"

enum {
    CONSOLE_ID = 3,
    PORTS_MAX = 4,
    QUEUE_CONTROL_RECEIVE = 2,
    QUEUE_CONTROL_TRANSMIT = 3,
    QUEUES_MAX = 2 * (PORTS_MAX + 1),

    CONFIG_MAX_NR_PORTS = 4,
    CONFIG_SIZE = 12,

    PIECE = 512,
    TRANSMIT_MAX = 1 << 20, /* bytes of one buffer */
    NAME_MAX = 32,

    /* Control messages, section 5.3.6.2. */
    MESSAGE_SIZE = 8,
    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

#define CONSOLE_F_MULTIPORT (UINT64_C(1) << 1)

struct console {
    struct virtio_device virtio; /* first */
    uint32_t ports;              /* option */
    char names[PORTS_MAX][NAME_MAX];

    uint8_t due[PORTS_MAX]; /* messages that the driver is still to get: a bit for each event */
};

static struct console *to_console(struct virtio_device *virtio)
{
    return (struct console *)virtio;
}

static unsigned receive_queue(unsigned port)
{
    return port == 0 ? 0 : 2 * (port + 1);
}

/* The port of a receive or transmit queue that is not for control. */
static unsigned port_of(unsigned queue)
{
    return queue < QUEUE_CONTROL_RECEIVE ? 0 : queue / 2 - 1;
}

/* --- Data ------------------------------------------------------------------------------------- */

/* Fills one buffer; the bytes that came. */
static uint32_t buffer_fill(struct virtio_device *virtio, unsigned port,
                            const struct vq_chain *chain)
{
    struct device *device = virtio_to_device(virtio);
    uint32_t done = 0;
    uint8_t bytes[PIECE];

    while (done < chain->in_length) {
        uint32_t room = chain->in_length - done;
        size_t n = device->services->char_read(device, port, bytes, room < PIECE ? room : PIECE);

        if (n == 0 || !virtio_write(virtio, chain, done, bytes, n)) {
            break;
        }
        done += (uint32_t)n;
    }
    return done;
}

static void receive(struct virtio_device *virtio, unsigned queue)
{
    struct vq_chain chain;

    while (virtio_pop(virtio, queue, &chain)) {
        uint32_t n = buffer_fill(virtio, port_of(queue), &chain);

        if (n == 0 && chain.in_length > 0) {
            if (!virtio_is_broken(virtio)) {
                virtio_put_back(virtio, queue, &chain);
            }
            break;
        }
        virtio_push(virtio, queue, chain.head, n);
    }
    virtio_publish(virtio, queue);
}

static void buffer_send(struct virtio_device *virtio, unsigned port, const struct vq_chain *chain)
{
    struct device *device = virtio_to_device(virtio);
    uint32_t length = chain->out_length;
    uint8_t bytes[PIECE];

    if (length > TRANSMIT_MAX) {
        guest_error(device, "%u bytes in one buffer of port %u", length, port);
        length = TRANSMIT_MAX;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = length - done < PIECE ? length - done : PIECE;
        if (!virtio_read(virtio, chain, done, bytes, n)) {
            return;
        }
        device->services->char_write(device, port, bytes, n);
    }
}

static void transmit(struct virtio_device *virtio, unsigned queue)
{
    struct vq_chain chain;

    while (virtio_pop(virtio, queue, &chain)) {
        buffer_send(virtio, port_of(queue), &chain);
        virtio_push(virtio, queue, chain.head, 0);
    }
    virtio_publish(virtio, queue);
}

/* --- Control ---------------------------------------------------------------------------------- */

static void message_due(struct console *console, unsigned port, unsigned event)
{
    console->due[port] |= (uint8_t)(1u << event);
}

/* The next message that is due; false: none is. */
static bool message_next(const struct console *console, unsigned *port, unsigned *event)
{
    static const uint8_t order[] = { DEVICE_ADD, CONSOLE_PORT, PORT_NAME, PORT_OPEN };

    for (*port = 0; *port < console->ports; (*port)++) {
        for (unsigned i = 0; i < sizeof(order); i++) {
            *event = order[i];
            if (console->due[*port] & 1u << *event) {
                return true;
            }
        }
    }
    return false;
}

static void control_receive(struct virtio_device *virtio)
{
    struct console *console = to_console(virtio);
    unsigned port, event;
    struct vq_chain chain;

    while (message_next(console, &port, &event) &&
           virtio_pop(virtio, QUEUE_CONTROL_RECEIVE, &chain)) {
        uint8_t message[MESSAGE_SIZE + NAME_MAX] = { 0 };
        size_t n = MESSAGE_SIZE;

        store_le32(message, port);
        store_le16(message + 4, (uint16_t)event);
        store_le16(message + 6, 1);
        if (event == PORT_NAME) {
            n += strlen(console->names[port]);
            memcpy(message + MESSAGE_SIZE, console->names[port], n - MESSAGE_SIZE);
        }
        console->due[port] &= (uint8_t) ~(1u << event);
        if (n > chain.in_length) {
            guest_error(virtio_to_device(virtio), "a buffer of %u bytes for a control message",
                        chain.in_length);
            n = 0;
        } else if (!virtio_write(virtio, &chain, 0, message, n)) {
            n = 0;
        }
        virtio_push(virtio, QUEUE_CONTROL_RECEIVE, chain.head, (uint32_t)n);
    }
    virtio_publish(virtio, QUEUE_CONTROL_RECEIVE);
}

static void message_take(struct console *console, const uint8_t *message)
{
    uint32_t port = load_le32(message);
    uint16_t event = load_le16(message + 4), value = load_le16(message + 6);

    if (event == DEVICE_READY && value == 1) {
        for (unsigned i = 0; i < console->ports; i++) {
            message_due(console, i, DEVICE_ADD);
        }
        return;
    }
    if (port >= console->ports) {
        guest_error(virtio_to_device(&console->virtio), "message %u about port %u", event, port);
        return;
    }
    if (event == PORT_READY && value == 1) {
        if (port == 0) {
            message_due(console, port, CONSOLE_PORT);
        }
        if (console->names[port][0] != '\0') {
            message_due(console, port, PORT_NAME);
        }
        message_due(console, port, PORT_OPEN);
    }
}

static void control_transmit(struct virtio_device *virtio)
{
    struct console *console = to_console(virtio);
    uint8_t message[MESSAGE_SIZE];
    struct vq_chain chain;

    while (virtio_pop(virtio, QUEUE_CONTROL_TRANSMIT, &chain)) {
        if (virtio_read(virtio, &chain, 0, message, sizeof(message))) {
            message_take(console, message);
        } else if (!virtio_is_broken(virtio)) {
            guest_error(virtio_to_device(virtio), "a control message of %u bytes",
                        chain.out_length);
        }
        virtio_push(virtio, QUEUE_CONTROL_TRANSMIT, chain.head, 0);
    }
    virtio_publish(virtio, QUEUE_CONTROL_TRANSMIT);
    virtio_kick_later(virtio, QUEUE_CONTROL_RECEIVE);
}

static void console_on_queue(struct virtio_device *virtio, unsigned queue)
{
    if (queue == QUEUE_CONTROL_RECEIVE) {
        control_receive(virtio);
    } else if (queue == QUEUE_CONTROL_TRANSMIT) {
        control_transmit(virtio);
    } else if (queue % 2 == 0) {
        receive(virtio, queue);
    } else {
        transmit(virtio, queue);
    }
}

static void console_on_char(struct device *device, unsigned port)
{
    virtio_kick(to_virtio(device), receive_queue(port));
}

/* --- Life ------------------------------------------------------------------------------------- */

static int console_create(struct virtio_device *virtio, struct dev_error *error)
{
    struct console *console = to_console(virtio);

    (void)error;
    virtio->n_queues = console->ports == 1 ? 2 : 2 * (console->ports + 1);
    return 0;
}

static uint64_t console_features(struct virtio_device *virtio)
{
    return to_console(virtio)->ports > 1 ? CONSOLE_F_MULTIPORT : 0;
}

static void console_config_read(struct virtio_device *virtio, uint8_t *config)
{
    store_le32(config + CONFIG_MAX_NR_PORTS, to_console(virtio)->ports);
}

static void console_reset(struct virtio_device *virtio, bool machine)
{
    struct console *console = to_console(virtio);

    (void)machine;
    memset(console->due, 0, sizeof(console->due));
}

static const struct option_desc console_options[] = {
    { "ports", OPTION_U32, offsetof(struct console, ports), 1, PORTS_MAX, "1", "number of ports" },
    { "name1", OPTION_STRING, offsetof(struct console, names[1]), 0, NAME_MAX, "",
      "by which programs in the guest find port 1" },
    { "name2", OPTION_STRING, offsetof(struct console, names[2]), 0, NAME_MAX, "", "... port 2" },
    { "name3", OPTION_STRING, offsetof(struct console, names[3]), 0, NAME_MAX, "", "... port 3" },
    { NULL },
};

static const struct state_field console_fields[] = {
    FIELD_STRUCT(struct console, virtio, virtio_fields),
    FIELD_ARRAY(struct console, due),
    FIELD_END,
};

static const struct virtio_type console_type = {
    .id = CONSOLE_ID,
    .n_queues = QUEUES_MAX,
    .config_size = CONFIG_SIZE,
    .create = console_create,
    .features = console_features,
    .reset = console_reset,
    .on_queue = console_on_queue,
    .config_read = console_config_read,
};

static const struct pci_info console_pci = VIRTIO_PCI_INFO(CONSOLE_ID, 0x078000, QUEUES_MAX);

const struct device_class virtio_console_class = {
    .name = "virtio-console",
    .version = 1,
    .state_size = sizeof(struct console),
    .description = "virtio console and channels",
    .options = console_options,
    .fields = console_fields,
    .pci = &console_pci,
    .virtio = &console_type,
    .n_ports = PORTS_MAX,
    .n_doorbells = QUEUES_MAX,
    .on_char = console_on_char,
    VIRTIO_CLASS_FUNCTIONS,
};
