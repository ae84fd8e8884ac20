/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event timer: "IA-PC HPET (High Precision Event Timers) Specification" 1.0a. One 64-bit
 * counter of 10 ns steps and three comparators, all of them periodic-capable and 64 bits wide,
 * routable to the system timer's interrupt (input 2), to 8 and to 16..23.
 *
 * The main counter is the machine's clock plus an offset, so nothing ticks. Every read goes without
 * a lock: registers are read as single words, the counter under a sequence number that its writer
 * makes odd while it changes. A host timer is armed only for a comparator whose interrupt is
 * enabled.
 *
 * A comparator that is set to a value just passed (LATE_TICKS) fires at once: a machine that was
 * not running for a moment must not lose an event for a turn of the counter. Periods that have been
 * missed are skipped, and a period shorter than SHORTEST_NS is served that often only.
 *
 * Left out: interrupts by message (not offered), status bits of comparators whose interrupt is off,
 * the progress of a periodic comparator while its interrupt is off.
 */
#include <errno.h>
#include <stdatomic.h>

#include "bytes.h"
#include "device.h"
#include "hpet.h"
#include "services.h"
#include "state.h"

enum {
    TIMERS = 3,
    ROUTE_SYSTEM_TIMER = 2,
    ROUTE_CLOCK = 8,
    OUTPUT_SYSTEM_TIMER = 0,

    CAPABILITIES = 0x000, /* registers of 8 bytes */
    CONFIG = 0x010,
    STATUS = 0x020,
    COUNTER = 0x0f0,
    TIMER_FIRST = 0x100,
    TIMER_STRIDE = 0x20,
    TIMER_CONFIG = 0x00,
    TIMER_COMPARATOR = 0x08,

    CONFIG_ENABLE = 1,
    CONFIG_LEGACY = 2,
    CONFIG_ALL = CONFIG_ENABLE | CONFIG_LEGACY,

    TIMER_LEVEL = 0x0002,
    TIMER_ENABLE = 0x0004,
    TIMER_PERIODIC = 0x0008,
    TIMER_CAN_PERIODIC = 0x0010,
    TIMER_CAN_64 = 0x0020,
    TIMER_SET_VALUE = 0x0040, /* the next write sets the comparator, not only the period */
    TIMER_32 = 0x0100,
    TIMER_ROUTE_SHIFT = 9,
    TIMER_ROUTE = 0x1f << TIMER_ROUTE_SHIFT,
    TIMER_WRITABLE =
        TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET_VALUE | TIMER_32 | TIMER_ROUTE,

    ROUTES = 1 << ROUTE_SYSTEM_TIMER | 1 << ROUTE_CLOCK | 0xff << 16,

    PERIOD_FS = HPET_PERIOD_NS * 1000000,
    LATE_TICKS = 100000000, /* a second */
    SHORTEST_NS = 50000,
};

struct comparator {
    uint32_t config; /* TIMER_WRITABLE without TIMER_SET_VALUE once that is used up */
    uint64_t value;
    uint64_t period; /* ticks; the value last written */
    bool pending;    /* a value has been written and not yet been met */
    bool armed;
    uint64_t target; /* while armed: where the main counter meets the value next */
};

struct hpet {
    struct device device;
    uint32_t config, status;
    uint64_t counter; /* while disabled the main counter, while enabled what to add to the clock */
    struct comparator timers[TIMERS];
    uint32_t outputs; /* that are high; follows from the rest */

    atomic_uint sequence; /* odd while `config` and `counter` change */
};

/* Words that a reader without the lock may see. */
#define PEEK(word)        __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define POKE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)

static uint64_t clock_ticks(struct hpet *h)
{
    return dev_now_ns(&h->device) / HPET_PERIOD_NS;
}

/* The main counter. Any thread. */
static uint64_t counter_now(struct hpet *h)
{
    unsigned before, after;
    uint64_t counter;
    uint32_t config;

    do {
        before = atomic_load_explicit(&h->sequence, memory_order_acquire);
        config = PEEK(h->config);
        counter = PEEK(h->counter);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&h->sequence, memory_order_relaxed);
    } while (before != after || (before & 1));
    return config & CONFIG_ENABLE ? counter + clock_ticks(h) : counter;
}

static void counter_set(struct hpet *h, uint32_t config, uint64_t counter)
{
    unsigned sequence = atomic_load_explicit(&h->sequence, memory_order_relaxed);

    atomic_store_explicit(&h->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    POKE(h->config, config);
    POKE(h->counter, counter);
    atomic_store_explicit(&h->sequence, sequence + 2, memory_order_release);
}

/* --- Interrupts ------------------------------------------------------------------------------- */

/* The output a comparator drives; HPET_OUTPUTS if none. */
static unsigned output_of(const struct hpet *h, unsigned n)
{
    unsigned route = (h->timers[n].config & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT;

    if ((h->config & CONFIG_LEGACY) && n < 2) {
        route = n == 0 ? ROUTE_SYSTEM_TIMER : ROUTE_CLOCK;
    }
    if (route == ROUTE_SYSTEM_TIMER) {
        return OUTPUT_SYSTEM_TIMER;
    }
    return ROUTES >> route & 1 ? route : HPET_OUTPUTS;
}

static bool active(const struct hpet *h, unsigned n)
{
    return (h->config & CONFIG_ENABLE) && (h->timers[n].config & TIMER_ENABLE);
}

/* Sets the outputs by the status of the level-triggered comparators. */
static void outputs_update(struct hpet *h)
{
    uint32_t outputs = h->config & CONFIG_LEGACY ? 1u << HPET_OUTPUT_LEGACY : 0;

    for (unsigned n = 0; n < TIMERS; n++) {
        unsigned output = output_of(h, n);

        if (active(h, n) && (h->timers[n].config & TIMER_LEVEL) && (h->status & 1u << n) &&
            output < HPET_OUTPUTS) {
            outputs |= 1u << output;
        }
    }
    for (unsigned i = 0; i < HPET_OUTPUTS; i++) {
        if ((outputs ^ h->outputs) & 1u << i) {
            dev_irq_set(&h->device, i, outputs >> i & 1);
        }
    }
    h->outputs = outputs;
}

static void interrupt_raise(struct hpet *h, unsigned n)
{
    unsigned output = output_of(h, n);

    if (h->timers[n].config & TIMER_LEVEL) {
        POKE(h->status, h->status | 1u << n);
        outputs_update(h);
    } else if (output < HPET_OUTPUTS && !(h->outputs & 1u << output)) {
        dev_irq_set(&h->device, output, true);
        dev_irq_set(&h->device, output, false);
    }
}

/* --- Comparators ------------------------------------------------------------------------------ */

static uint64_t mask_of(const struct comparator *t)
{
    return t->config & TIMER_32 ? UINT32_MAX : UINT64_MAX;
}

/* Arms the host timer for the target, but not before `earliest`. */
static void host_timer_arm(struct hpet *h, unsigned n, uint64_t earliest)
{
    const struct comparator *t = &h->timers[n];
    uint64_t ticks = t->target - h->counter, deadline = TIMER_OFF;

    if (t->armed && ticks < TIMER_OFF / HPET_PERIOD_NS) {
        deadline = ticks * HPET_PERIOD_NS;
        deadline = deadline < earliest ? earliest : deadline;
    }
    dev_timer_arm(&h->device, n, deadline);
}

/* Moves a periodic comparator on to its next value after `counter`, which it has reached. */
static void period_advance(struct comparator *t, uint64_t counter)
{
    uint64_t mask = mask_of(t), period = t->period & mask;
    uint64_t passed = (counter - t->value) & mask;

    POKE(t->value, (t->value + (passed / period + 1) * period) & mask);
}

/* Finds when the comparator fires next, after anything it depends on has changed. */
static void comparator_start(struct hpet *h, unsigned n)
{
    struct comparator *t = &h->timers[n];
    uint64_t mask = mask_of(t), counter = counter_now(h);
    bool periodic = t->config & TIMER_PERIODIC;

    uint64_t passed = (counter - t->value) & mask, distance;

    t->armed = active(h, n) && !(periodic && (t->period & mask) == 0);
    if (t->armed && periodic && passed <= mask / 2) {
        period_advance(t, counter);
    }
    distance = (t->value - counter) & mask;
    if (!periodic && t->pending && passed <= LATE_TICKS) {
        distance = 0;
    }
    if (distance > INT64_MAX) {
        t->armed = false; /* not in this life */
    }
    t->target = t->armed ? counter + distance : 0;
    host_timer_arm(h, n, 0);
}

static void comparators_start(struct hpet *h)
{
    for (unsigned n = 0; n < TIMERS; n++) {
        comparator_start(h, n);
    }
}

static void hpet_on_timer(struct device *device, unsigned n)
{
    struct hpet *h = (struct hpet *)device;
    struct comparator *t = &h->timers[n];
    uint64_t counter = counter_now(h);

    if (!t->armed) {
        return;
    }
    if ((int64_t)(t->target - counter) > 0) {
        host_timer_arm(h, n, 0); /* early */
        return;
    }
    t->pending = false;
    if (t->config & TIMER_PERIODIC) {
        period_advance(t, counter);
        t->target = counter + ((t->value - counter) & mask_of(t));
    } else if (t->config & TIMER_32) {
        t->target = counter + ((t->value - counter - 1) & UINT32_MAX) + 1; /* comes around */
    } else {
        t->armed = false;
    }
    host_timer_arm(h, n, dev_now_ns(device) + SHORTEST_NS);
    interrupt_raise(h, n);
}

/* --- Registers -------------------------------------------------------------------------------- */

/* Any thread. */
static uint64_t register_read(struct hpet *h, uint64_t offset)
{
    unsigned n = (unsigned)(offset - TIMER_FIRST) / TIMER_STRIDE;

    switch (offset) {
    case CAPABILITIES:
        return (uint64_t)PERIOD_FS << 32 | HPET_HARDWARE_ID;
    case CONFIG:
        return PEEK(h->config);
    case STATUS:
        return PEEK(h->status);
    case COUNTER:
        return counter_now(h);
    default:
        break;
    }
    if (offset < TIMER_FIRST || n >= TIMERS) {
        return 0;
    }
    switch (offset % TIMER_STRIDE) {
    case TIMER_CONFIG:
        return (uint64_t)ROUTES << 32 | PEEK(h->timers[n].config) | TIMER_CAN_PERIODIC |
               TIMER_CAN_64;
    case TIMER_COMPARATOR:
        return PEEK(h->timers[n].value);
    default:
        return 0;
    }
}

static uint64_t hpet_read(struct device *device, uint64_t offset, unsigned size)
{
    return register_read((struct hpet *)device, offset & ~UINT64_C(7)) >> (offset % 8 * 8) &
           ones(size);
}

/* `old` with the written part of it replaced. */
static uint64_t merge(uint64_t old, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned shift = (unsigned)(offset % 8) * 8;

    return (old & ~(ones(size) << shift)) | value << shift;
}

static void config_write(struct hpet *h, uint32_t config)
{
    bool was = h->config & CONFIG_ENABLE, is = config & CONFIG_ENABLE;
    uint64_t counter = h->counter;

    if (is != was) {
        counter = is ? counter - clock_ticks(h) : counter_now(h);
    }
    counter_set(h, config & CONFIG_ALL, counter);
    outputs_update(h);
    comparators_start(h);
}

static void counter_write(struct hpet *h, uint64_t offset, unsigned size, uint64_t value)
{
    if (h->config & CONFIG_ENABLE) {
        guest_error(&h->device, "write of %#llx to the main counter while it runs",
                    (unsigned long long)value);
        return;
    }
    counter_set(h, h->config, merge(h->counter, offset, size, value));
}

static void timer_config_write(struct hpet *h, unsigned n, uint32_t config)
{
    struct comparator *t = &h->timers[n];

    config &= TIMER_WRITABLE;
    if (!(ROUTES >> ((config & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT) & 1)) {
        config = (config & ~TIMER_ROUTE) | (t->config & TIMER_ROUTE); /* what it cannot do stays */
    }
    POKE(t->config, config);
    POKE(t->value, t->value & mask_of(t));
    if (!(config & TIMER_LEVEL)) {
        POKE(h->status, h->status & ~(1u << n));
    }
    outputs_update(h);
    comparator_start(h, n);
}

static void comparator_write(struct hpet *h, unsigned n, uint64_t offset, unsigned size,
                             uint64_t value)
{
    struct comparator *t = &h->timers[n];

    if (!(t->config & TIMER_PERIODIC) || (t->config & TIMER_SET_VALUE)) {
        POKE(t->value, merge(t->value, offset, size, value) & mask_of(t));
    }
    t->period = merge(t->period, offset, size, value);
    t->pending = true;
    POKE(t->config, t->config & ~TIMER_SET_VALUE);
    comparator_start(h, n);
}

static void hpet_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct hpet *h = (struct hpet *)device;
    uint64_t at = offset & ~UINT64_C(7), merged = merge(0, offset, size, value);
    unsigned n = (unsigned)(at - TIMER_FIRST) / TIMER_STRIDE;

    if (at == CONFIG) {
        config_write(h, (uint32_t)merge(h->config, offset, size, value));
    } else if (at == STATUS) {
        POKE(h->status, h->status & ~(uint32_t)merged);
        outputs_update(h);
    } else if (at == COUNTER) {
        counter_write(h, offset, size, value);
    } else if (at >= TIMER_FIRST && n < TIMERS && at % TIMER_STRIDE == TIMER_CONFIG) {
        timer_config_write(h, n, (uint32_t)merge(h->timers[n].config, offset, size, value));
    } else if (at >= TIMER_FIRST && n < TIMERS && at % TIMER_STRIDE == TIMER_COMPARATOR) {
        comparator_write(h, n, offset, size, value);
    } else {
        guest_error(device, "write of %#llx to offset %#llx", (unsigned long long)value,
                    (unsigned long long)offset);
    }
}

/* --- The device ------------------------------------------------------------------------------- */

static void hpet_reset(struct device *device, enum reset_kind kind)
{
    struct hpet *h = (struct hpet *)device;

    counter_set(h, 0, 0);
    POKE(h->status, 0);
    h->outputs = 0; /* the core has lowered them */
    for (unsigned n = 0; n < TIMERS; n++) {
        POKE(h->timers[n].config, 0);
        POKE(h->timers[n].value, UINT64_MAX);
        h->timers[n].period = 0;
        h->timers[n].pending = false;
        h->timers[n].armed = false;
        h->timers[n].target = 0;
    }
}

static void hpet_restored(struct device *device)
{
    struct hpet *h = (struct hpet *)device;

    h->outputs = 0;
    for (unsigned i = 0; i < HPET_OUTPUTS; i++) {
        dev_irq_set(device, i, false);
    }
    outputs_update(h);
    for (unsigned n = 0; n < TIMERS; n++) {
        host_timer_arm(h, n, 0);
    }
}

static int hpet_validate(struct device *device, struct dev_error *error)
{
    struct hpet *h = (struct hpet *)device;

    for (unsigned n = 0; n < TIMERS; n++) {
        struct comparator *t = &h->timers[n];

        if ((t->config & ~TIMER_WRITABLE) || (t->value & ~mask_of(t)) ||
            (t->armed && !active(h, n)) ||
            (t->armed && (t->config & TIMER_PERIODIC) && (t->period & mask_of(t)) == 0)) {
            dev_error_set(error, "%s: comparator %u of the saved state cannot be so.", device->name,
                          n);
            return -EINVAL;
        }
    }
    return 0;
}

static const struct region_desc hpet_regions[] = {
    {
        .name = "hpet",
        .space = REGION_MMIO,
        .base = HPET_BASE,
        .size = HPET_SIZE,
        .flags = REGION_LOCKLESS_READ,
        .read_sizes = SIZE_4 | SIZE_8,
        .write_sizes = SIZE_4 | SIZE_8,
        .read = hpet_read,
        .write = hpet_write,
    },
};

static const struct state_field comparator_fields[] = {
    FIELD_MAX(struct comparator, config, TIMER_WRITABLE),
    FIELD(struct comparator, value),
    FIELD(struct comparator, period),
    FIELD(struct comparator, pending),
    FIELD(struct comparator, armed),
    FIELD(struct comparator, target),
    FIELD_END,
};

static const struct state_field hpet_fields[] = {
    FIELD_MAX(struct hpet, config, CONFIG_ALL),
    FIELD_MAX(struct hpet, status, (1 << TIMERS) - 1),
    FIELD(struct hpet, counter),
    FIELD_STRUCTS_ARRAY(struct hpet, timers, comparator_fields),
    FIELD_END,
};

const struct device_class hpet_class = {
    .name = "hpet",
    .version = 1,
    .state_size = sizeof(struct hpet),
    .description = "high precision event timers",
    .regions = hpet_regions,
    .n_regions = 1,
    .n_irqs = HPET_OUTPUTS,
    .n_timers = TIMERS,
    .fields = hpet_fields,
    .reset = hpet_reset,
    .on_timer = hpet_on_timer,
    .validate = hpet_validate,
    .restored = hpet_restored,
};
