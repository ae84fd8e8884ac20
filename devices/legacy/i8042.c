/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keyboard controller of the PC (Intel 8042 with the firmware of the IBM PS/2) with a keyboard
 * and a mouse on its two ports: "IBM PS/2 Hardware Interface Technical Reference, Keyboard and
 * Auxiliary Device Controller". Data at port 0x60, status and commands at 0x64; interrupt outputs 0
 * (IRQ 1, keyboard) and 1 (IRQ 12, mouse).
 *
 * The controller has one output byte. While it is empty the next one is taken from, in this order,
 * the controller's own answer, the keyboard, the mouse; its interrupt stays high until it is read.
 * Keyboard bytes pass through the translation from scan code set 2 to set 1 if the configuration
 * asks for it.
 *
 * Left out: the gate of address line 20 (the bit is stored and reads back; the line is always on),
 * the password, the test pins, time-out and parity errors, a delay between bytes.
 */
#include "device.h"
#include "input.h"
#include "ps2.h"
#include "services.h"
#include "state.h"

enum {
    PORT_DATA = 0x60,
    PORT_COMMAND = 0x64,

    STATUS_FULL = 0x01, /* the output byte waits */
    STATUS_SYSTEM = 0x04,
    STATUS_COMMAND = 0x08, /* the last write went to the command port */
    STATUS_UNLOCKED = 0x10,
    STATUS_MOUSE = 0x20, /* the output byte is the mouse's */

    CONFIG_KEYBOARD_IRQ = 0x01,
    CONFIG_MOUSE_IRQ = 0x02,
    CONFIG_SYSTEM = 0x04,
    CONFIG_KEYBOARD_OFF = 0x10,
    CONFIG_MOUSE_OFF = 0x20,
    CONFIG_TRANSLATE = 0x40,

    COMMAND_READ_RAM = 0x20, /* ..3F; byte 0 is the configuration */
    COMMAND_WRITE_RAM = 0x60,
    RAM_SIZE = 32,
    COMMAND_PASSWORD_TEST = 0xa4,
    COMMAND_MOUSE_OFF = 0xa7,
    COMMAND_MOUSE_ON = 0xa8,
    COMMAND_MOUSE_TEST = 0xa9,
    COMMAND_SELF_TEST = 0xaa,
    COMMAND_KEYBOARD_TEST = 0xab,
    COMMAND_KEYBOARD_OFF = 0xad,
    COMMAND_KEYBOARD_ON = 0xae,
    COMMAND_READ_INPUT_PORT = 0xc0,
    COMMAND_READ_OUTPUT_PORT = 0xd0,
    COMMAND_WRITE_OUTPUT_PORT = 0xd1,
    COMMAND_FAKE_KEYBOARD = 0xd2,
    COMMAND_FAKE_MOUSE = 0xd3,
    COMMAND_WRITE_MOUSE = 0xd4,
    COMMAND_A20_OFF = 0xdd,
    COMMAND_A20_ON = 0xdf,
    COMMAND_PULSE = 0xf0, /* ..FF: pulses the output port's bits that are 0 */

    SELF_TEST_PASSED = 0x55,
    TEST_PASSED = 0x00,
    NO_PASSWORD = 0xf1,
    INPUT_PORT_UNLOCKED = 0x80,
    OUTPUT_PORT_RUN = 0x01, /* 0 resets the processor */
    OUTPUT_PORT_A20 = 0x02,
    OUTPUT_PORT_KEYBOARD_FULL = 0x10,
    OUTPUT_PORT_MOUSE_FULL = 0x20,
    OUTPUT_PORT_IDLE_LINES = 0xcc, /* clock and data of both ports are high */

    RELEASE_PREFIX = 0xf0,
    RELEASED = 0x80,

    IRQ_KEYBOARD = 0,
    IRQ_MOUSE = 1,
};

struct i8042 {
    struct device device;
    uint8_t output; /* the output byte; reads again when there is no new one */
    bool full, from_mouse;
    uint8_t answer; /* waits to become the output byte */
    bool answer_waits, answer_from_mouse;
    uint8_t ram[RAM_SIZE];
    uint8_t output_port;
    uint8_t command;   /* whose data byte is expected at port 0x60; 0: bytes go to the keyboard */
    bool last_command; /* the last write went to the command port */
    bool release;      /* translation has swallowed a release prefix */
    struct ps2_keyboard keyboard;
    struct ps2_mouse mouse;
};

static bool config(const struct i8042 *c, uint8_t bits)
{
    return c->ram[0] & bits;
}

static void config_set(struct i8042 *c, uint8_t bits, bool on)
{
    c->ram[0] = on ? c->ram[0] | bits : c->ram[0] & ~bits;
}

/* The keyboard's next byte, translated; a release prefix alone gives nothing. */
static bool keyboard_take_translated(struct i8042 *c, uint8_t *byte)
{
    while (keyboard_take(&c->keyboard, byte)) {
        if (!config(c, CONFIG_TRANSLATE)) {
            return true;
        }
        if (*byte != RELEASE_PREFIX) {
            *byte = keyboard_set1_from_set2(*byte) | (c->release ? RELEASED : 0);
            c->release = false;
            return true;
        }
        c->release = true;
    }
    return false;
}

/* Fills the output byte if it is empty and sets the interrupts. */
static void output_update(struct i8042 *c)
{
    if (!c->full) {
        if (c->answer_waits) {
            c->output = c->answer;
            c->from_mouse = c->answer_from_mouse;
            c->answer_waits = false;
            c->full = true;
        } else if (!config(c, CONFIG_KEYBOARD_OFF) && keyboard_take_translated(c, &c->output)) {
            c->from_mouse = false;
            c->full = true;
        } else if (!config(c, CONFIG_MOUSE_OFF) && mouse_take(&c->mouse, &c->output)) {
            c->from_mouse = true;
            c->full = true;
        }
    }
    dev_irq_set(&c->device, IRQ_KEYBOARD,
                c->full && !c->from_mouse && config(c, CONFIG_KEYBOARD_IRQ));
    dev_irq_set(&c->device, IRQ_MOUSE, c->full && c->from_mouse && config(c, CONFIG_MOUSE_IRQ));
}

static void answer(struct i8042 *c, uint8_t byte, bool from_mouse)
{
    c->answer = byte;
    c->answer_from_mouse = from_mouse;
    c->answer_waits = true;
}

static void output_port_write(struct i8042 *c, uint8_t value)
{
    c->output_port = value & (OUTPUT_PORT_RUN | OUTPUT_PORT_A20);
    if (!(value & OUTPUT_PORT_RUN)) {
        dev_request(&c->device, REQUEST_RESET, 0);
    }
}

static uint8_t output_port_read(const struct i8042 *c)
{
    uint8_t full =
        c->full ? (c->from_mouse ? OUTPUT_PORT_MOUSE_FULL : OUTPUT_PORT_KEYBOARD_FULL) : 0;

    return c->output_port | OUTPUT_PORT_IDLE_LINES | full;
}

/* --- What the user's side is told of ---------------------------------------------------------- */

struct input_told {
    unsigned leds;
    bool reporting;
};

/* What the mouse reports gets through: its line is open. */
static bool mouse_is_read(const struct i8042 *c)
{
    return mouse_reports(&c->mouse) && !config(c, CONFIG_MOUSE_OFF);
}

static struct input_told input_told(const struct i8042 *c)
{
    return (struct input_told){ c->keyboard.leds, mouse_is_read(c) };
}

static void input_tell(struct i8042 *c, struct input_told before)
{
    struct input_told now = input_told(c);

    if (now.leds != before.leds || now.reporting != before.reporting) {
        c->device.services->input_changed(&c->device);
    }
}

/* --- Port 0x64 -------------------------------------------------------------------------------- */

static void command_execute(struct i8042 *c, uint8_t command)
{
    switch (command) {
    case COMMAND_READ_RAM ... COMMAND_READ_RAM + RAM_SIZE - 1:
        answer(c, c->ram[command - COMMAND_READ_RAM], false);
        break;
    case COMMAND_WRITE_RAM ... COMMAND_WRITE_RAM + RAM_SIZE - 1:
    case COMMAND_WRITE_OUTPUT_PORT:
    case COMMAND_FAKE_KEYBOARD:
    case COMMAND_FAKE_MOUSE:
    case COMMAND_WRITE_MOUSE:
        c->command = command;
        break;
    case COMMAND_PASSWORD_TEST:
        answer(c, NO_PASSWORD, false);
        break;
    case COMMAND_MOUSE_OFF:
    case COMMAND_MOUSE_ON:
        config_set(c, CONFIG_MOUSE_OFF, command == COMMAND_MOUSE_OFF);
        break;
    case COMMAND_KEYBOARD_OFF:
    case COMMAND_KEYBOARD_ON:
        config_set(c, CONFIG_KEYBOARD_OFF, command == COMMAND_KEYBOARD_OFF);
        break;
    case COMMAND_MOUSE_TEST:
    case COMMAND_KEYBOARD_TEST:
        answer(c, TEST_PASSED, false);
        break;
    case COMMAND_SELF_TEST:
        config_set(c, CONFIG_SYSTEM, true);
        answer(c, SELF_TEST_PASSED, false);
        break;
    case COMMAND_READ_INPUT_PORT:
        answer(c, INPUT_PORT_UNLOCKED, false);
        break;
    case COMMAND_READ_OUTPUT_PORT:
        answer(c, output_port_read(c), false);
        break;
    case COMMAND_A20_OFF:
        c->output_port &= ~OUTPUT_PORT_A20;
        break;
    case COMMAND_A20_ON:
        c->output_port |= OUTPUT_PORT_A20;
        break;
    case COMMAND_PULSE ... 0xff:
        if (!(command & OUTPUT_PORT_RUN)) {
            dev_request(&c->device, REQUEST_RESET, 0);
        }
        break;
    default:
        guest_error(&c->device, "unknown controller command %#x", command);
        break;
    }
}

static void command_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct i8042 *c = (struct i8042 *)device;
    struct input_told before = input_told(c);

    c->command = 0;
    c->last_command = true;
    command_execute(c, (uint8_t)value);
    output_update(c);
    input_tell(c, before);
}

static uint64_t status_read(struct device *device, uint64_t offset, unsigned size)
{
    struct i8042 *c = (struct i8042 *)device;

    return (c->full ? STATUS_FULL : 0) | (config(c, CONFIG_SYSTEM) ? STATUS_SYSTEM : 0) |
           (c->last_command ? STATUS_COMMAND : 0) | STATUS_UNLOCKED |
           (c->full && c->from_mouse ? STATUS_MOUSE : 0);
}

/* --- Port 0x60 -------------------------------------------------------------------------------- */

/* A byte for one of the devices; it also opens a line that the configuration has closed. */
static void device_byte_write(struct i8042 *c, bool to_mouse, uint8_t byte)
{
    bool known;

    if (to_mouse) {
        config_set(c, CONFIG_MOUSE_OFF, false);
        known = mouse_write(&c->mouse, byte);
    } else {
        config_set(c, CONFIG_KEYBOARD_OFF, false);
        known = keyboard_write(&c->keyboard, byte);
    }
    if (!known) {
        guest_error(&c->device, "unknown %s command %#x", to_mouse ? "mouse" : "keyboard", byte);
    }
}

static void data_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct i8042 *c = (struct i8042 *)device;
    uint8_t byte = (uint8_t)value, command = c->command;
    struct input_told before = input_told(c);

    c->command = 0;
    c->last_command = false;
    switch (command) {
    case COMMAND_WRITE_RAM ... COMMAND_WRITE_RAM + RAM_SIZE - 1:
        c->ram[command - COMMAND_WRITE_RAM] = byte;
        c->release = false;
        break;
    case COMMAND_WRITE_OUTPUT_PORT:
        output_port_write(c, byte);
        break;
    case COMMAND_FAKE_KEYBOARD:
    case COMMAND_FAKE_MOUSE:
        answer(c, byte, command == COMMAND_FAKE_MOUSE);
        break;
    default:
        device_byte_write(c, command == COMMAND_WRITE_MOUSE, byte);
        break;
    }
    output_update(c);
    input_tell(c, before);
}

static uint64_t data_read(struct device *device, uint64_t offset, unsigned size)
{
    struct i8042 *c = (struct i8042 *)device;
    uint8_t byte = c->output;

    if (c->full) {
        /* The line goes low between two bytes, so that each has an edge of its own. */
        c->full = false;
        dev_irq_set(device, c->from_mouse ? IRQ_MOUSE : IRQ_KEYBOARD, false);
        output_update(c);
    }
    return byte;
}

/* --- The user's side -------------------------------------------------------------------------- */

static void i8042_key(struct device *device, uint16_t code, bool down)
{
    struct i8042 *c = (struct i8042 *)device;

    keyboard_key(&c->keyboard, code, down);
    output_update(c);
}

static void i8042_pointer(struct device *device, const struct pointer_event *event)
{
    struct i8042 *c = (struct i8042 *)device;

    mouse_move(&c->mouse, event);
    output_update(c);
}

static bool i8042_ready(struct device *device)
{
    struct i8042 *c = (struct i8042 *)device;

    return c->keyboard.scanning && c->keyboard.keys.count == 0 && !(c->full && !c->from_mouse);
}

static unsigned i8042_leds(struct device *device)
{
    return ((struct i8042 *)device)->keyboard.leds;
}

static bool i8042_reporting(struct device *device)
{
    return mouse_is_read((struct i8042 *)device);
}

/* --- The device ------------------------------------------------------------------------------- */

static void i8042_reset(struct device *device, enum reset_kind kind)
{
    struct i8042 *c = (struct i8042 *)device;
    struct input_told before = input_told(c);

    c->output = 0;
    c->full = false;
    c->from_mouse = false;
    c->answer = 0;
    c->answer_waits = false;
    c->answer_from_mouse = false;
    for (unsigned i = 0; i < RAM_SIZE; i++) {
        c->ram[i] = 0;
    }
    c->ram[0] = CONFIG_KEYBOARD_IRQ | CONFIG_MOUSE_IRQ | CONFIG_TRANSLATE;
    c->output_port = OUTPUT_PORT_RUN | OUTPUT_PORT_A20;
    c->command = 0;
    c->last_command = true;
    c->release = false;
    keyboard_reset(&c->keyboard);
    mouse_reset(&c->mouse);
    input_tell(c, before);
}

static void i8042_restored(struct device *device)
{
    output_update((struct i8042 *)device);
    device->services->input_changed(device);
}

static const struct region_desc i8042_regions[] = {
    {
        .name = "data",
        .space = REGION_PIO,
        .base = PORT_DATA,
        .size = 1,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_1,
        .read = data_read,
        .write = data_write,
    },
    {
        .name = "command",
        .space = REGION_PIO,
        .base = PORT_COMMAND,
        .size = 1,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_1,
        .read = status_read,
        .write = command_write,
    },
};

static const struct input_ops i8042_input = {
    .kinds = INPUT_KEYBOARD | INPUT_RELATIVE,
    .key = i8042_key,
    .pointer = i8042_pointer,
    .ready = i8042_ready,
    .leds = i8042_leds,
    .reporting = i8042_reporting,
};

static const struct state_field i8042_fields[] = {
    FIELD(struct i8042, output),
    FIELD(struct i8042, full),
    FIELD(struct i8042, from_mouse),
    FIELD(struct i8042, answer),
    FIELD(struct i8042, answer_waits),
    FIELD(struct i8042, answer_from_mouse),
    FIELD_ARRAY(struct i8042, ram),
    FIELD(struct i8042, output_port),
    FIELD(struct i8042, command),
    FIELD(struct i8042, last_command),
    FIELD(struct i8042, release),
    FIELD_STRUCT(struct i8042, keyboard, ps2_keyboard_fields),
    FIELD_STRUCT(struct i8042, mouse, ps2_mouse_fields),
    FIELD_END,
};

const struct device_class i8042_class = {
    .name = "i8042",
    .version = 1,
    .state_size = sizeof(struct i8042),
    .description = "keyboard controller with keyboard and mouse",
    .regions = i8042_regions,
    .n_regions = 2,
    .n_irqs = 2,
    .fields = i8042_fields,
    .input = &i8042_input,
    .reset = i8042_reset,
    .restored = i8042_restored,
};
