/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "parts_fixture.h"

#include "bytes.h"

void parts_init(struct parts *parts)
{
    *parts = (struct parts){ .kvm = { .system = -1, .vm = -1 } };
    g_assert(clock_init(&parts->clock));
    bus_init(&parts->bus, &parts->kvm);
    bus_add_reader(&parts->bus, &parts->reader);
}

void parts_destroy(struct parts *parts)
{
    clock_destroy(&parts->clock);
    bus_destroy(&parts->bus);
}

struct machine_device *parts_device_new(struct parts *parts, const struct device_class *class,
                                        struct device *device)
{
    struct machine_device *record = g_new0(struct machine_device, 1);

    *device = (struct device){ .class = class, .services = &machine_services, .host = record };
    record->class = class;
    record->device = device;
    record->domain = g_new0(struct domain, 1);
    domain_init(record->domain, &parts->clock);
    record->regions = g_new0(struct bus_region, class->n_regions);
    for (unsigned i = 0; i < class->n_regions; i++) {
        record->regions[i].owner = record;
        record->regions[i].desc = &class->regions[i];
        bus_add(&parts->bus, &record->regions[i]);
        bus_place(&parts->bus, &record->regions[i], class->regions[i].base);
    }
    record->timers = g_new0(struct clock_timer, class->n_timers);
    for (unsigned i = 0; i < class->n_timers; i++) {
        record->timers[i] = (struct clock_timer){ .owner = record, .number = i };
        clock_add(&parts->clock, &record->timers[i]);
    }
    return record;
}

void parts_device_free(struct machine_device *record)
{
    domain_destroy(record->domain);
    g_free(record->domain);
    g_free(record->regions);
    g_free(record->timers);
    g_free(record);
}

uint64_t parts_in(struct parts *parts, uint16_t port, unsigned size)
{
    uint8_t data[8] = { 0 };
    struct bus_access access = { port, size, 1, false, data };

    bus_ports(&parts->bus, &parts->reader, &access);
    return load_le(data, size);
}

void parts_out(struct parts *parts, uint16_t port, unsigned size, uint64_t value)
{
    uint8_t data[8];
    struct bus_access access = { port, size, 1, true, data };

    store_le(data, size, value);
    bus_ports(&parts->bus, &parts->reader, &access);
}

uint64_t parts_read(struct parts *parts, struct bus_reader *reader, uint64_t address, unsigned size)
{
    uint8_t data[8] = { 0 };
    struct bus_access access = { address, size, 1, false, data };

    bus_memory(&parts->bus, reader, &access);
    return load_le(data, size);
}

void parts_write(struct parts *parts, struct bus_reader *reader, uint64_t address, unsigned size,
                 uint64_t value)
{
    uint8_t data[8];
    struct bus_access access = { address, size, 1, true, data };

    store_le(data, size, value);
    bus_memory(&parts->bus, reader, &access);
}
