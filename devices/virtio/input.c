/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input devices (virtio 1.2, section 5.8): a keyboard, a tablet, whose places are absolute, and a
 * mouse. They speak Linux's events: type, code, value, each group ended by EV_SYN.
 *
 * What the outside wants (keys that are down, the place, motion and wheel so far) is kept as a
 * state; what the driver has been told is another. Whenever there is room, the differences become
 * events. So a guest that does not look for a while loses motion's way but never the release of a
 * key or where the pointer is.
 *
 * Left out: touch, force feedback, several keyboards' layouts. Repeating a held key is the guest's.
 *
 * How it fails: buffers that are too short for an event are given back empty and counted.
 */
#include <string.h>

#include "bytes.h"
#include "input.h"
#include "virtio.h"

enum {
    INPUT_ID = 18,
    QUEUE_EVENTS = 0,
    QUEUE_STATUS = 1,
    INPUT_QUEUES = 2,
    EVENT_SIZE = 8,

    /* Configuration space, section 5.8.4. */
    CONFIG_SELECT = 0,
    CONFIG_SUBSEL = 1,
    CONFIG_LENGTH = 2,
    CONFIG_DATA = 8,
    CONFIG_DATA_SIZE = 128,
    CONFIG_SIZE = CONFIG_DATA + CONFIG_DATA_SIZE,
    SELECT_ID_NAME = 0x01,
    SELECT_ID_SERIAL = 0x02,
    SELECT_ID_DEVIDS = 0x03,
    SELECT_EV_BITS = 0x11,
    SELECT_ABS_INFO = 0x12,

    BUS_VIRTUAL = 0x06,
    VENDOR = 0x1af4,

    /* linux/input-event-codes.h */
    EV_SYN = 0x00,
    EV_KEY = 0x01,
    EV_REL = 0x02,
    EV_ABS = 0x03,
    EV_LED = 0x11,
    EV_REP = 0x14,
    REL_X = 0,
    REL_Y = 1,
    REL_WHEEL = 8,
    ABS_X = 0,
    ABS_Y = 1,
    LED_NUML = 0,
    LED_CAPSL = 1,
    LED_SCROLLL = 2,
    KEY_LAST = 248, /* of a keyboard */
    BTN_LEFT = 0x110,
    KEY_CODES = 0x140,
    KEY_WORDS = KEY_CODES / 64,

    BUTTONS = 5,    /* POINTER_*, in this order from BTN_LEFT on */
    RING = 128,     /* events that wait for buffers */
    GROUP_MAX = 16, /* events that are made at once, at most */
    MOTION_MAX = 1 << 20,
};

/* What makes a keyboard, a tablet, a mouse. */
struct input_type {
    struct virtio_type virtio; /* first */
    const char *title;
    uint16_t product;
    unsigned kinds; /* INPUT_* */
};

struct input {
    struct virtio_device virtio; /* first */
    uint8_t select, subsel;
    uint8_t leds; /* a bit for each LED_* */

    uint64_t keys_wanted[KEY_WORDS], keys_told[KEY_WORDS];
    uint32_t x_wanted, y_wanted, x_told, y_told;
    bool placed;            /* a place is known */
    uint32_t dx, dy, wheel; /* not told yet; signed, in two's complement */

    uint64_t ring[RING]; /* type << 48 | code << 32 | value */
    uint8_t ring_first, ring_n;
};

static struct input *to_input(struct device *device)
{
    return (struct input *)device;
}

static const struct input_type *type_of(const struct input *input)
{
    return (const struct input_type *)input->virtio.type;
}

/* --- Events ----------------------------------------------------------------------------------- */

static void event_add(struct input *input, uint16_t type, uint16_t code, uint32_t value)
{
    uint64_t event = (uint64_t)type << 48 | (uint64_t)code << 32 | value;

    input->ring[(input->ring_first + input->ring_n) % RING] = event;
    input->ring_n++;
}

/* Adds the changes of keys, up to the limit of a group. */
static void keys_tell(struct input *input)
{
    unsigned n = 0;

    for (unsigned word = 0; word < KEY_WORDS; word++) {
        uint64_t changes = input->keys_wanted[word] ^ input->keys_told[word];

        for (; changes != 0 && n < GROUP_MAX / 2; changes &= changes - 1, n++) {
            unsigned bit = (unsigned)__builtin_ctzll(changes);

            input->keys_told[word] ^= UINT64_C(1) << bit;
            event_add(input, EV_KEY, (uint16_t)(word * 64 + bit),
                      input->keys_told[word] >> bit & 1);
        }
    }
}

static void relative_tell(struct input *input, uint16_t code, uint32_t *value)
{
    if (*value != 0) {
        event_add(input, EV_REL, code, *value);
        *value = 0;
    }
}

static void place_tell(struct input *input)
{
    if (input->placed && input->x_wanted != input->x_told) {
        event_add(input, EV_ABS, ABS_X, input->x_wanted);
        input->x_told = input->x_wanted;
    }
    if (input->placed && input->y_wanted != input->y_told) {
        event_add(input, EV_ABS, ABS_Y, input->y_wanted);
        input->y_told = input->y_wanted;
    }
}

/* Makes events of the differences, group by group, while there is room. */
static void differences_tell(struct input *input)
{
    uint8_t before;

    do {
        before = input->ring_n;
        if (before > RING - GROUP_MAX) {
            return;
        }
        place_tell(input);
        relative_tell(input, REL_X, &input->dx);
        relative_tell(input, REL_Y, &input->dy);
        keys_tell(input);
        relative_tell(input, REL_WHEEL, &input->wheel);
        if (input->ring_n != before) {
            event_add(input, EV_SYN, 0, 0);
        }
    } while (input->ring_n != before);
}

static bool event_give(struct input *input)
{
    struct virtio_device *virtio = &input->virtio;
    uint64_t event = input->ring[input->ring_first];
    struct vq_chain chain;
    uint8_t bytes[EVENT_SIZE];

    if (!virtio_pop(virtio, QUEUE_EVENTS, &chain)) {
        return false;
    }
    if (chain.in_length < EVENT_SIZE) {
        guest_error(virtio_to_device(virtio), "a buffer of %u bytes for an event", chain.in_length);
        virtio_push(virtio, QUEUE_EVENTS, chain.head, 0);
        return true;
    }
    store_le16(bytes, (uint16_t)(event >> 48));
    store_le16(bytes + 2, (uint16_t)(event >> 32));
    store_le32(bytes + 4, (uint32_t)event);
    if (virtio_write(virtio, &chain, 0, bytes, sizeof(bytes))) {
        virtio_push(virtio, QUEUE_EVENTS, chain.head, EVENT_SIZE);
        input->ring_first = (uint8_t)((input->ring_first + 1) % RING);
        input->ring_n--;
    }
    return true;
}

static void events_give(struct input *input)
{
    differences_tell(input);
    while (input->ring_n > 0 && event_give(input)) {
        differences_tell(input);
    }
    virtio_publish(&input->virtio, QUEUE_EVENTS);
}

static void lamps_take(struct input *input)
{
    struct virtio_device *virtio = &input->virtio;
    uint8_t before = input->leds, bytes[EVENT_SIZE];
    struct vq_chain chain;

    while (virtio_pop(virtio, QUEUE_STATUS, &chain)) {
        if (virtio_read(virtio, &chain, 0, bytes, sizeof(bytes)) && load_le16(bytes) == EV_LED &&
            load_le16(bytes + 2) <= LED_SCROLLL) {
            uint8_t bit = (uint8_t)(1u << load_le16(bytes + 2));

            input->leds = (uint8_t)((input->leds & ~bit) | (load_le32(bytes + 4) ? bit : 0));
        }
        virtio_push(virtio, QUEUE_STATUS, chain.head, 0);
    }
    virtio_publish(virtio, QUEUE_STATUS);
    if (input->leds != before) {
        virtio_to_device(virtio)->services->input_changed(virtio_to_device(virtio));
    }
}

static void input_on_queue(struct virtio_device *virtio, unsigned queue)
{
    struct input *input = to_input(virtio_to_device(virtio));

    if (queue == QUEUE_EVENTS) {
        events_give(input);
    } else {
        lamps_take(input);
    }
}

/* --- From the outside ------------------------------------------------------------------------- */

static void key_want(struct input *input, unsigned code, bool down)
{
    uint64_t bit = UINT64_C(1) << code % 64;

    input->keys_wanted[code / 64] &= ~bit;
    input->keys_wanted[code / 64] |= down ? bit : 0;
}

static bool input_in_use(struct device *device)
{
    return virtio_queue_live(to_virtio(device), QUEUE_EVENTS);
}

static void input_key(struct device *device, uint16_t code, bool down)
{
    if (code > 0 && code <= KEY_LAST && input_in_use(device)) {
        key_want(to_input(device), code, down);
        virtio_kick(to_virtio(device), QUEUE_EVENTS);
    }
}

static uint32_t motion_sum(uint32_t sum, int32_t step)
{
    int64_t value = (int64_t)(int32_t)sum + step;

    value = value > MOTION_MAX ? MOTION_MAX : value < -MOTION_MAX ? -MOTION_MAX : value;
    return (uint32_t)value;
}

static void input_pointer(struct device *device, const struct pointer_event *event)
{
    struct input *input = to_input(device);

    if (!input_in_use(device)) {
        return;
    }
    for (unsigned button = 0; button < BUTTONS; button++) {
        key_want(input, BTN_LEFT + button, event->buttons >> button & 1);
    }
    input->wheel = motion_sum(input->wheel, event->wheel);
    if (type_of(input)->kinds & INPUT_ABSOLUTE) {
        input->placed = true;
        input->x_wanted = event->x < POINTER_AXIS_MAX ? event->x : POINTER_AXIS_MAX;
        input->y_wanted = event->y < POINTER_AXIS_MAX ? event->y : POINTER_AXIS_MAX;
    } else {
        input->dx = motion_sum(input->dx, event->dx);
        input->dy = motion_sum(input->dy, event->dy);
    }
    virtio_kick(to_virtio(device), QUEUE_EVENTS);
}

static bool input_ready(struct device *device)
{
    return to_input(device)->ring_n == 0;
}

static unsigned input_leds(struct device *device)
{
    uint8_t leds = to_input(device)->leds;

    return (leds >> LED_SCROLLL & 1) | (leds >> LED_NUML & 1) << 1 | (leds >> LED_CAPSL & 1) << 2;
}

/* --- Configuration space ---------------------------------------------------------------------- */

static void bit_set(uint8_t *bits, unsigned bit)
{
    bits[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* The codes of an event type that the device has: their bits; returns how many bytes they take. */
static uint8_t codes_of(unsigned kinds, uint8_t type, uint8_t *bits)
{
    bool pointer = kinds & (INPUT_RELATIVE | INPUT_ABSOLUTE);

    switch (type) {
    case EV_KEY:
        for (unsigned code = 1; (kinds & INPUT_KEYBOARD) && code <= KEY_LAST; code++) {
            bit_set(bits, code);
        }
        for (unsigned button = 0; pointer && button < BUTTONS; button++) {
            bit_set(bits, BTN_LEFT + button);
        }
        return pointer ? KEY_CODES / 8 : KEY_LAST / 8 + 1;
    case EV_REL:
        if (kinds & INPUT_RELATIVE) {
            bit_set(bits, REL_X);
            bit_set(bits, REL_Y);
        }
        if (pointer) {
            bit_set(bits, REL_WHEEL);
        }
        return pointer ? 2 : 0;
    case EV_ABS:
        if (!(kinds & INPUT_ABSOLUTE)) {
            return 0;
        }
        bit_set(bits, ABS_X);
        bit_set(bits, ABS_Y);
        return 1;
    case EV_LED:
        bits[0] = kinds & INPUT_KEYBOARD ? 1u << LED_NUML | 1u << LED_CAPSL | 1u << LED_SCROLLL : 0;
        return kinds & INPUT_KEYBOARD ? 1 : 0;
    case EV_REP:
        return kinds & INPUT_KEYBOARD ? 1 : 0;
    default:
        return 0;
    }
}

/* Puts the selected data there and returns its length; 0: there is no such thing. */
static uint8_t data_of(struct input *input, uint8_t *data)
{
    const struct input_type *type = type_of(input);

    switch (input->select) {
    case SELECT_ID_NAME:
        memcpy(data, type->title, strlen(type->title));
        return (uint8_t)strlen(type->title);
    case SELECT_ID_DEVIDS:
        store_le16(data, BUS_VIRTUAL);
        store_le16(data + 2, VENDOR);
        store_le16(data + 4, type->product);
        store_le16(data + 6, 1);
        return 8;
    case SELECT_EV_BITS:
        return codes_of(type->kinds, input->subsel, data);
    case SELECT_ABS_INFO:
        if (!(type->kinds & INPUT_ABSOLUTE) || input->subsel > ABS_Y) {
            return 0;
        }
        store_le32(data + 4, POINTER_AXIS_MAX); /* from 0, without fuzz or flat, no resolution */
        return 20;
    default:
        return 0;
    }
}

static void input_config_read(struct virtio_device *virtio, uint8_t *config)
{
    struct input *input = to_input(virtio_to_device(virtio));

    config[CONFIG_SELECT] = input->select;
    config[CONFIG_SUBSEL] = input->subsel;
    config[CONFIG_LENGTH] = data_of(input, config + CONFIG_DATA);
}

static void input_config_write(struct virtio_device *virtio, unsigned offset, unsigned size,
                               uint32_t value)
{
    struct input *input = to_input(virtio_to_device(virtio));

    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);

        if (offset + i == CONFIG_SELECT) {
            input->select = byte;
        } else if (offset + i == CONFIG_SUBSEL) {
            input->subsel = byte;
        }
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static void use_changed(struct virtio_device *virtio)
{
    struct device *device = virtio_to_device(virtio);

    device->services->input_changed(device);
}

static void input_reset(struct virtio_device *virtio, bool machine)
{
    struct input *input = to_input(virtio_to_device(virtio));

    (void)machine;
    memset(&input->select, 0, sizeof(*input) - offsetof(struct input, select));
    use_changed(virtio);
}

static const struct state_field input_fields[] = {
    FIELD_STRUCT(struct input, virtio, virtio_fields),
    FIELD(struct input, select),
    FIELD(struct input, subsel),
    FIELD_MAX(struct input, leds, 7),
    FIELD_ARRAY(struct input, keys_wanted),
    FIELD_ARRAY(struct input, keys_told),
    FIELD_MAX(struct input, x_wanted, POINTER_AXIS_MAX),
    FIELD_MAX(struct input, y_wanted, POINTER_AXIS_MAX),
    FIELD_MAX(struct input, x_told, POINTER_AXIS_MAX),
    FIELD_MAX(struct input, y_told, POINTER_AXIS_MAX),
    FIELD(struct input, placed),
    FIELD(struct input, dx),
    FIELD(struct input, dy),
    FIELD(struct input, wheel),
    FIELD_ARRAY(struct input, ring),
    FIELD_MAX(struct input, ring_first, RING - 1),
    FIELD_MAX(struct input, ring_n, RING),
    FIELD_END,
};

/* clang-format off */
#define INPUT_TYPE(title_, product_, kinds_)                                                       \
    {                                                                                              \
        .virtio = {                                                                                \
            .id = INPUT_ID,                                                                        \
            .n_queues = INPUT_QUEUES,                                                              \
            .config_size = CONFIG_SIZE,                                                            \
            .reset = input_reset,                                                                  \
            .start = use_changed,                                                                  \
            .restored = use_changed,                                                               \
            .on_queue = input_on_queue,                                                            \
            .config_read = input_config_read,                                                      \
            .config_write = input_config_write,                                                    \
        },                                                                                         \
        .title = (title_), .product = (product_), .kinds = (kinds_),                               \
    }

#define INPUT_CLASS(name_, description_, type_, ops_, pci_)                                        \
    {                                                                                              \
        .name = (name_), .version = 1, .state_size = sizeof(struct input),                         \
        .description = (description_), .fields = input_fields, .pci = &(pci_),                     \
        .virtio = &(type_).virtio, .input = &(ops_), .n_doorbells = INPUT_QUEUES,                  \
        VIRTIO_CLASS_FUNCTIONS,                                                                    \
    }
/* clang-format on */

static const struct input_type keyboard_type =
    INPUT_TYPE("Oriel virtio keyboard", 1, INPUT_KEYBOARD);
static const struct input_type mouse_type = INPUT_TYPE("Oriel virtio mouse", 2, INPUT_RELATIVE);
static const struct input_type tablet_type = INPUT_TYPE("Oriel virtio tablet", 3, INPUT_ABSOLUTE);

static const struct input_ops keyboard_ops = {
    .kinds = INPUT_KEYBOARD,
    .key = input_key,
    .ready = input_ready,
    .leds = input_leds,
    .in_use = input_in_use,
};

static const struct input_ops mouse_ops = {
    .kinds = INPUT_RELATIVE,
    .pointer = input_pointer,
    .in_use = input_in_use,
};

static const struct input_ops tablet_ops = {
    .kinds = INPUT_ABSOLUTE,
    .pointer = input_pointer,
    .in_use = input_in_use,
};

static const struct pci_info keyboard_pci = VIRTIO_PCI_INFO(INPUT_ID, 0x090000, INPUT_QUEUES);
static const struct pci_info mouse_pci = VIRTIO_PCI_INFO(INPUT_ID, 0x090200, INPUT_QUEUES);
static const struct pci_info tablet_pci = VIRTIO_PCI_INFO(INPUT_ID, 0x098000, INPUT_QUEUES);

const struct device_class virtio_keyboard_class =
    INPUT_CLASS("virtio-keyboard", "virtio keyboard", keyboard_type, keyboard_ops, keyboard_pci);
const struct device_class virtio_mouse_class =
    INPUT_CLASS("virtio-mouse", "virtio mouse", mouse_type, mouse_ops, mouse_pci);
const struct device_class virtio_tablet_class =
    INPUT_CLASS("virtio-tablet", "virtio tablet", tablet_type, tablet_ops, tablet_pci);
