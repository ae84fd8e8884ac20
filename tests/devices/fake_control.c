/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test's side of the fake machine: building it, guest accesses, what the device has done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fake_private.h"
#include "pci.h"
#include "state.h"

static struct fake_device *record(struct device *device)
{
    return device->host;
}

void fake_bug(const char *what)
{
    fprintf(stderr, "fake machine: %s\n", what);
    abort();
}

uint64_t fake_memory_size(struct device *device, unsigned memory)
{
    const struct memory_desc *desc = &device->class->memories[memory];

    if (desc->size > 0) {
        return desc->size;
    }
    for (const struct option_desc *o = device->class->options; o && o->name; o++) {
        if (strcmp(o->name, desc->name) == 0) {
            return o->type == OPTION_U64 ? *(uint64_t *)((char *)device + o->offset)
                                         : *(uint32_t *)((char *)device + o->offset);
        }
    }
    fake_bug("a memory without size and without an option of its name");
}

struct fake *fake_new(size_t ram_size)
{
    struct fake *fake = calloc(1, sizeof(*fake));

    fake->ram = calloc(1, ram_size);
    fake->ram_size = ram_size;
    fake->random = 1;
    fake->next_slot = 1;
    fake->wall_at_zero = UINT64_C(1767225600) * 1000000000; /* 2026-01-01 00:00:00 UTC */
    memset(fake->pirq, 0x80, sizeof(fake->pirq));
    return fake;
}

void fake_free(struct fake *fake)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        if (fake->devices[i].device) {
            fake_remove(fake, fake->devices[i].device);
        }
    }
    free(fake->ram);
    free(fake);
}

static void record_clear(struct fake_device *d)
{
    for (unsigned i = 0; i < FAKE_MEMORIES_MAX; i++) {
        free(d->memory[i]);
        free(d->shadow[i]);
    }
    for (unsigned i = 0; i < FAKE_PORTS_MAX; i++) {
        free(d->port[i]);
    }
    fake_net_clear(&d->net);
    memset(d, 0, sizeof(*d));
}

static struct fake_device *record_new(struct fake *fake)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        struct fake_device *d = &fake->devices[i];

        if (!d->device) {
            d->fake = fake;
            memset(d->region_base, 0xff, sizeof(d->region_base));
            memset(d->deadline, 0xff, sizeof(d->deadline));
            for (unsigned n = 0; n < FAKE_DRIVES_MAX; n++) {
                d->drive[n].last = &d->drive[n].first;
            }
            return d;
        }
    }
    fake_bug("too many devices");
}

static const struct device_class *class_named(const char *name)
{
    const struct device_class *class = device_class_find(name);

    if (!class) {
        fake_bug("no device class of that name");
    }
    return class;
}

struct device *fake_try_add_class(struct fake *fake, const struct device_class *class,
                                  const struct option_value *values, struct dev_error *error)
{
    struct fake_device *d = record_new(fake);

    if (class->n_regions > FAKE_REGIONS_MAX || class->n_windows > FAKE_WINDOWS_MAX ||
        class->n_memories > FAKE_MEMORIES_MAX || class->n_timers > FAKE_TIMERS_MAX) {
        fake_bug("a device with more parts than the fake machine has room for");
    }
    while (values && values[d->n_values].name) {
        d->values[d->n_values] = values[d->n_values];
        d->n_values++;
    }
    for (unsigned i = 0; i < class->n_regions; i++) {
        d->region_base[i] = class->regions[i].base;
    }
    d->device = device_new(class, class->name, &fake_services, d, d->values, d->n_values, error);
    if (!d->device) {
        record_clear(d);
        return NULL;
    }
    if (class->pci) {
        d->bdf = fake->next_slot++ << 3;
        to_pci(d->device)->bdf = (uint16_t)d->bdf;
    }
    return d->device;
}

struct device *fake_try_add(struct fake *fake, const char *class, const struct option_value *values,
                            struct dev_error *error)
{
    return fake_try_add_class(fake, class_named(class), values, error);
}

struct device *fake_add_class(struct fake *fake, const struct device_class *class,
                              const struct option_value *values)
{
    struct dev_error error = { "" };
    struct device *device = fake_try_add_class(fake, class, values, &error);

    if (!device) {
        fake_bug(error.message);
    }
    return device;
}

struct device *fake_add(struct fake *fake, const char *class, const struct option_value *values)
{
    return fake_add_class(fake, class_named(class), values);
}

void fake_remove(struct fake *fake, struct device *device)
{
    struct fake_device *d = record(device);

    device_free(device);
    record_clear(d);
}

unsigned fake_bdf(struct device *device)
{
    return record(device)->bdf;
}

/* --- Guest accesses --------------------------------------------------------------------------- */

static uint8_t *window_find(struct fake *fake, uint64_t address, unsigned size, bool write)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        struct fake_device *d = &fake->devices[i];

        for (unsigned w = 0; d->device && w < d->device->class->n_windows; w++) {
            const struct window_desc *desc = &d->device->class->windows[w];

            if (d->window[w].placed && address >= d->window[w].base &&
                range_fits(address - d->window[w].base, size, d->window[w].length) &&
                !(write && (desc->flags & WINDOW_READ_ONLY))) {
                return d->memory[desc->memory] + d->window[w].offset +
                       (address - d->window[w].base);
            }
        }
    }
    return NULL;
}

static struct device *region_find(struct fake *fake, enum region_space space, uint64_t address,
                                  unsigned *region)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        struct fake_device *d = &fake->devices[i];

        for (unsigned r = 0; d->device && r < d->device->class->n_regions; r++) {
            const struct region_desc *desc = &d->device->class->regions[r];

            if (desc->space == space && d->region_base[r] != REGION_UNPLACED &&
                address >= d->region_base[r] && address - d->region_base[r] < desc->size) {
                *region = r;
                return d->device;
            }
        }
    }
    return NULL;
}

static uint64_t access_read(struct fake *fake, enum region_space space, uint64_t address,
                            unsigned size)
{
    unsigned r;
    struct device *device = region_find(fake, space, address, &r);

    return device ? region_read(device, &device->class->regions[r],
                                address - record(device)->region_base[r], size)
                  : ones(size);
}

static void access_write(struct fake *fake, enum region_space space, uint64_t address,
                         unsigned size, uint64_t value)
{
    unsigned r;
    struct device *device = region_find(fake, space, address, &r);

    if (device) {
        region_write(device, &device->class->regions[r], address - record(device)->region_base[r],
                     size, value);
    }
}

uint64_t fake_in(struct fake *fake, uint16_t port, unsigned size)
{
    return access_read(fake, REGION_PIO, port, size);
}

void fake_out(struct fake *fake, uint16_t port, unsigned size, uint64_t value)
{
    access_write(fake, REGION_PIO, port, size, value);
}

uint64_t fake_read(struct fake *fake, uint64_t address, unsigned size)
{
    const uint8_t *at = range_fits(address, size, fake->ram_size)
                            ? fake->ram + address
                            : window_find(fake, address, size, false);

    return at ? load_le(at, size) : access_read(fake, REGION_MMIO, address, size);
}

void fake_write(struct fake *fake, uint64_t address, unsigned size, uint64_t value)
{
    uint8_t *at = range_fits(address, size, fake->ram_size)
                      ? fake->ram + address
                      : window_find(fake, address, size, true);

    if (at) {
        store_le(at, size, value);
    } else {
        access_write(fake, REGION_MMIO, address, size, value);
    }
}

uint32_t fake_config_read(struct device *device, unsigned offset, unsigned size)
{
    return pci_config_read(to_pci(device), offset, size);
}

void fake_config_write(struct device *device, unsigned offset, unsigned size, uint32_t value)
{
    pci_config_write(to_pci(device), offset, size, value);
}

uint64_t fake_region_base(struct device *device, unsigned region)
{
    return record(device)->region_base[region];
}

uint64_t fake_window_base(struct device *device, unsigned window)
{
    const struct fake_window *w = &record(device)->window[window];

    return w->placed ? w->base : REGION_UNPLACED;
}

uint64_t fake_window_length(struct device *device, unsigned window)
{
    const struct fake_window *w = &record(device)->window[window];

    return w->placed ? w->length : 0;
}

uint8_t *fake_ram(struct fake *fake)
{
    return fake->ram;
}

void fake_map_bar(struct device *device, unsigned bar, uint64_t address)
{
    const struct pci_bar_desc *desc = &device->class->pci->bars[bar];

    fake_config_write(device, 0x10 + 4 * bar, 4, (uint32_t)address);
    if (desc->kind == PCI_BAR_MMIO64) {
        fake_config_write(device, 0x14 + 4 * bar, 4, (uint32_t)(address >> 32));
    }
    fake_config_write(device, 0x04, 2, 7); /* I/O, memory, bus master */
}

/* --- What the device has done ----------------------------------------------------------------- */

bool fake_irq(struct device *device, unsigned irq)
{
    return record(device)->irq[irq];
}

unsigned fake_irq_edges(struct device *device, unsigned irq)
{
    return record(device)->edges[irq];
}

unsigned fake_msi_count(struct device *device)
{
    return record(device)->msi_count;
}

uint64_t fake_msi_address(struct device *device)
{
    return record(device)->msi_address;
}

uint32_t fake_msi_data(struct device *device)
{
    return record(device)->msi_data;
}

unsigned fake_guest_errors(struct device *device)
{
    return record(device)->guest_errors;
}

unsigned fake_input_changes(struct device *device)
{
    return record(device)->input_changes;
}

const char *fake_last_guest_error(struct device *device)
{
    return record(device)->guest_error;
}

unsigned fake_requests(struct fake *fake, enum machine_request request)
{
    return fake->requests[request];
}

unsigned fake_last_request_argument(struct fake *fake)
{
    return fake->request_argument;
}

bool fake_pam(struct fake *fake, unsigned segment, bool *write_ram)
{
    *write_ram = fake->pam_write[segment];
    return fake->pam_read[segment];
}

uint8_t fake_pirq(struct fake *fake, unsigned pirq)
{
    return fake->pirq[pirq];
}

uint64_t fake_discarded(struct device *device)
{
    return record(device)->discarded;
}

uint64_t fake_synced(struct device *device, unsigned memory)
{
    return record(device)->synced[memory];
}

/* --- Reset and state -------------------------------------------------------------------------- */

void fake_reset(struct fake *fake, enum reset_kind kind)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        if (fake->devices[i].device) {
            device_reset(fake->devices[i].device, kind);
        }
    }
}

static bool state_copy(struct device *from, struct device *to, uint8_t **bytes, size_t *size)
{
    struct dev_error error = { "" };

    *size = device_state_size(from);
    *bytes = malloc(*size);
    if (device_save(from, *bytes, *size) != *size) {
        printf("# %s: the state does not save\n", from->name);
        return false;
    }
    if (device_load(to, *bytes, *size, &error) != 0) {
        printf("# %s\n", error.message);
        return false;
    }
    device_restored(to);
    return true;
}

bool fake_save_load(struct device *device)
{
    struct fake_device *d = record(device);
    struct fake *other = fake_new(d->fake->ram_size);
    struct option_value values[17] = { { NULL, NULL } };
    uint8_t *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;

    memcpy(values, d->values, sizeof(d->values[0]) * d->n_values);
    memcpy(other->ram, d->fake->ram, d->fake->ram_size);
    other->now = d->fake->now;
    other->wall_at_zero = d->fake->wall_at_zero;

    struct device *twin = fake_add_class(other, device->class, values);

    for (unsigned i = 0; i < FAKE_DRIVES_MAX; i++) {
        if (d->drive[i].attached) {
            fake_drive(twin, i, &d->drive[i].info, d->drive[i].bytes);
        }
    }
    device_reset(twin, RESET_COLD); /* it sees its drives */
    for (unsigned i = 0; i < device->class->n_memories; i++) {
        uint64_t size;
        void *to = fake_services.memory(twin, i, &size);

        memcpy(to, fake_services.memory(device, i, NULL), size);
    }
    bool good = state_copy(device, twin, &first, &first_size) &&
                state_copy(twin, device, &second, &second_size);

    if (good && (first_size != second_size || memcmp(first, second, first_size) != 0)) {
        printf("# %s: saving after loading gives other bytes\n", device->name);
        good = false;
    }
    free(first);
    free(second);
    fake_free(other);
    return good;
}
