/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A serial port: National Semiconductor PC16550D data sheet. Eight ports from the option "iobase";
 * interrupt output 0 is wired by the board (IRQ 4 or 3).
 *
 * The line is character port 0 and infinitely fast: what the guest sends is gone at once, so the
 * transmitter is always empty. Received bytes are taken from the peer only while the FIFO has room,
 * so that none is lost. Nobody waits for a line that has gone quiet either: bytes below the FIFO's
 * trigger level count as timed out at once. No timer runs.
 *
 * Left out: the speed of the line, parity and framing (their registers are stored), modem lines
 * (the peer is always there and ready), DMA signalling. OUT2 does not gate the interrupt. A break
 * is only seen in loopback.
 */
#include <errno.h>

#include "device.h"
#include "services.h"
#include "state.h"

enum {
    PORTS = 8,
    FIFO_SIZE = 16,

    DATA = 0, /* divisor low byte with LCR_DIVISOR */
    IER = 1,  /* divisor high byte */
    IIR = 2,  /* read */
    FCR = 2,  /* write */
    LCR = 3,
    MCR = 4,
    LSR = 5,
    MSR = 6,
    SCR = 7,

    IER_RECEIVED = 0x01,
    IER_SENT = 0x02,
    IER_LINE = 0x04,
    IER_MODEM = 0x08,
    IER_ALL = 0x0f,

    IIR_MODEM = 0x00,
    IIR_NONE = 0x01,
    IIR_SENT = 0x02,
    IIR_RECEIVED = 0x04,
    IIR_LINE = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFO = 0xc0,

    FCR_ENABLE = 0x01,
    FCR_CLEAR_RECEIVER = 0x02,
    FCR_TRIGGER = 0xc0,

    LCR_BREAK = 0x40,
    LCR_DIVISOR = 0x80,

    MCR_DTR = 0x01,
    MCR_RTS = 0x02,
    MCR_OUT1 = 0x04,
    MCR_OUT2 = 0x08,
    MCR_LOOP = 0x10,
    MCR_ALL = 0x1f,

    LSR_READY = 0x01,
    LSR_OVERRUN = 0x02,
    LSR_BREAK = 0x10,
    LSR_ERRORS = LSR_OVERRUN | LSR_BREAK,
    LSR_EMPTY = 0x60, /* holding register and transmitter */

    MSR_CTS = 0x10,
    MSR_DSR = 0x20,
    MSR_RI = 0x40,
    MSR_DCD = 0x80,
    MSR_LINES = 0xf0,
    MSR_CHANGES = 0x0f, /* each the change of the line four bits higher */
    MSR_RI_ENDED = 0x04,
    MSR_PEER = MSR_CTS | MSR_DSR | MSR_DCD,

    DIVISOR_9600 = 12,
};

struct uart {
    struct device device;
    uint32_t iobase;

    uint8_t fifo[FIFO_SIZE];
    uint8_t head;  /* of the oldest byte */
    uint8_t count; /* without FIFOs at most 1 */
    uint8_t ier, fcr, lcr, mcr, msr, scr;
    uint8_t errors; /* LSR_ERRORS that the guest has not read */
    bool sent;      /* the transmitter has become empty since the guest last looked */
    uint16_t divisor;
};

static unsigned fifo_size(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

static unsigned trigger_level(const struct uart *u)
{
    static const uint8_t levels[4] = { 1, 4, 8, 14 };

    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* The most urgent enabled cause of an interrupt. */
static uint8_t cause(const struct uart *u)
{
    if ((u->ier & IER_LINE) && u->errors) {
        return IIR_LINE;
    }
    if ((u->ier & IER_RECEIVED) && u->count > 0) {
        return u->count >= trigger_level(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    }
    if ((u->ier & IER_SENT) && u->sent) {
        return IIR_SENT;
    }
    if ((u->ier & IER_MODEM) && (u->msr & MSR_CHANGES)) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

static void interrupt_update(struct uart *u)
{
    dev_irq_set(&u->device, 0, cause(u) != IIR_NONE);
}

/* --- Receiver --------------------------------------------------------------------------------- */

static void fifo_clear(struct uart *u)
{
    u->head = 0;
    u->count = 0;
}

static void fifo_put(struct uart *u, uint8_t byte)
{
    if (u->count >= fifo_size(u)) {
        u->errors |= LSR_OVERRUN;
        if (u->fcr & FCR_ENABLE) {
            return; /* the FIFO keeps what it has; the single register is overwritten */
        }
        fifo_clear(u);
    }
    u->fifo[(u->head + u->count) % FIFO_SIZE] = byte;
    u->count++;
}

/* Takes what the peer has waiting, as far as there is room. */
static void receive(struct uart *u)
{
    uint8_t bytes[FIFO_SIZE];

    if ((u->mcr & MCR_LOOP) || u->count >= fifo_size(u)) {
        return;
    }
    size_t n = u->device.services->char_read(&u->device, 0, bytes, fifo_size(u) - u->count);

    for (size_t i = 0; i < n; i++) {
        fifo_put(u, bytes[i]);
    }
}

/* The oldest byte; an empty FIFO reads its last one again. */
static uint8_t data_read(struct uart *u)
{
    if (u->count == 0) {
        return u->fifo[(u->head + FIFO_SIZE - 1) % FIFO_SIZE];
    }
    uint8_t byte = u->fifo[u->head % FIFO_SIZE];

    u->head = (uint8_t)((u->head + 1) % FIFO_SIZE);
    u->count--;
    if (u->count == 0) {
        receive(u);
    }
    return byte;
}

/* --- Transmitter and modem lines -------------------------------------------------------------- */

static void data_write(struct uart *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP) {
        fifo_put(u, byte);
    } else {
        u->device.services->char_write(&u->device, 0, &byte, 1);
    }
    u->sent = true;
}

/* Sets the modem lines, noting what has changed. */
static void lines_update(struct uart *u)
{
    uint8_t lines = MSR_PEER;

    if (u->mcr & MCR_LOOP) {
        lines = (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    uint8_t changes = (uint8_t)((u->msr ^ lines) >> 4);

    if (lines & MSR_RI) {
        changes &= ~MSR_RI_ENDED; /* only the end of a ring is noted */
    }
    u->msr = lines | (u->msr & MSR_CHANGES) | changes;
}

/* --- Ports ------------------------------------------------------------------------------------ */

static uint8_t register_read(struct uart *u, unsigned offset)
{
    uint8_t value = 0;

    switch (offset) {
    case DATA:
        return u->lcr & LCR_DIVISOR ? (uint8_t)u->divisor : data_read(u);
    case IER:
        return u->lcr & LCR_DIVISOR ? (uint8_t)(u->divisor >> 8) : u->ier;
    case IIR:
        value = cause(u);
        if (value == IIR_SENT) {
            u->sent = false;
        }
        return value | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        if (u->count == 0) {
            receive(u); /* bytes that waited while a reset emptied the FIFO announce themselves no
                           more */
        }
        value = LSR_EMPTY | u->errors | (u->count > 0 ? LSR_READY : 0);
        u->errors = 0;
        return value;
    case MSR:
        value = u->msr;
        u->msr &= MSR_LINES;
        return value;
    default:
        return u->scr;
    }
}

static uint64_t uart_read(struct device *device, uint64_t offset, unsigned size)
{
    struct uart *u = (struct uart *)device;
    uint8_t value = register_read(u, (unsigned)offset);

    interrupt_update(u);
    return value;
}

static void fcr_write(struct uart *u, uint8_t value)
{
    if (((value ^ u->fcr) & FCR_ENABLE) || (value & FCR_CLEAR_RECEIVER)) {
        fifo_clear(u);
    }
    u->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
    receive(u);
}

static void lcr_write(struct uart *u, uint8_t value)
{
    if ((u->mcr & MCR_LOOP) && (value & ~u->lcr & LCR_BREAK)) {
        fifo_put(u, 0);
        u->errors |= LSR_BREAK;
    }
    u->lcr = value;
}

static void register_write(struct uart *u, unsigned offset, uint8_t value)
{
    switch (offset) {
    case DATA:
        if (u->lcr & LCR_DIVISOR) {
            u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
        } else {
            data_write(u, value);
        }
        break;
    case IER:
        if (u->lcr & LCR_DIVISOR) {
            u->divisor = (uint16_t)((u->divisor & 0xff) | value << 8);
            break;
        }
        if (value & ~u->ier & IER_SENT) {
            u->sent = true; /* enabling the interrupt looks at the transmitter anew */
        }
        u->ier = value & IER_ALL;
        break;
    case FCR:
        fcr_write(u, value);
        break;
    case LCR:
        lcr_write(u, value);
        break;
    case MCR:
        u->mcr = value & MCR_ALL;
        lines_update(u);
        receive(u);
        break;
    case SCR:
        u->scr = value;
        break;
    default: /* LSR and MSR are read-only */
        break;
    }
}

static void uart_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct uart *u = (struct uart *)device;

    register_write(u, (unsigned)offset, (uint8_t)value);
    interrupt_update(u);
}

/* --- The device ------------------------------------------------------------------------------- */

static void uart_on_char(struct device *device, unsigned port)
{
    struct uart *u = (struct uart *)device;

    receive(u);
    interrupt_update(u);
}

static int uart_create(struct device *device, struct dev_error *error)
{
    dev_region_place(device, 0, ((struct uart *)device)->iobase);
    return 0;
}

static void uart_reset(struct device *device, enum reset_kind kind)
{
    struct uart *u = (struct uart *)device;

    for (unsigned i = 0; i < FIFO_SIZE; i++) {
        u->fifo[i] = 0;
    }
    fifo_clear(u);
    u->ier = 0;
    u->fcr = 0;
    u->lcr = 0;
    u->mcr = 0;
    u->msr = MSR_PEER;
    u->scr = 0;
    u->errors = 0;
    u->sent = false;
    u->divisor = DIVISOR_9600;
}

static void uart_restored(struct device *device)
{
    interrupt_update((struct uart *)device);
}

static int uart_validate(struct device *device, struct dev_error *error)
{
    struct uart *u = (struct uart *)device;

    if (u->count > fifo_size(u)) {
        dev_error_set(error, "%s: the saved state has more bytes than the receiver holds.",
                      device->name);
        return -EINVAL;
    }
    return 0;
}

static const struct option_desc uart_options[] = {
    { "iobase", OPTION_U32, offsetof(struct uart, iobase), 0x100, 0xfff8, "0x3f8",
      "the first of the eight I/O ports" },
    { NULL },
};

static const struct region_desc uart_regions[] = {
    {
        .name = "uart",
        .space = REGION_PIO,
        .base = REGION_UNPLACED,
        .size = PORTS,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_1,
        .read = uart_read,
        .write = uart_write,
    },
};

static const struct state_field uart_fields[] = {
    FIELD_ARRAY(struct uart, fifo),
    FIELD_MAX(struct uart, head, FIFO_SIZE - 1),
    FIELD_MAX(struct uart, count, FIFO_SIZE),
    FIELD_MAX(struct uart, ier, IER_ALL),
    FIELD(struct uart, fcr),
    FIELD(struct uart, lcr),
    FIELD_MAX(struct uart, mcr, MCR_ALL),
    FIELD(struct uart, msr),
    FIELD(struct uart, scr),
    FIELD_MAX(struct uart, errors, LSR_ERRORS),
    FIELD(struct uart, sent),
    FIELD(struct uart, divisor),
    FIELD_END,
};

const struct device_class uart_class = {
    .name = "uart16550",
    .version = 1,
    .state_size = sizeof(struct uart),
    .description = "serial port",
    .options = uart_options,
    .regions = uart_regions,
    .n_regions = 1,
    .n_irqs = 1,
    .n_ports = 1,
    .fields = uart_fields,
    .create = uart_create,
    .reset = uart_reset,
    .on_char = uart_on_char,
    .validate = uart_validate,
    .restored = uart_restored,
};
