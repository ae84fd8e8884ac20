/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_machine.h"

#include <errno.h>
#include <stdarg.h>
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

/* --- Services --------------------------------------------------------------------------------- */

static uint8_t *ram_at(struct device *device, uint64_t gpa, uint64_t length)
{
    struct fake *fake = record(device)->fake;

    return range_fits(gpa, length, fake->ram_size) ? fake->ram + gpa : NULL;
}

static int fake_ram_read(struct device *device, uint64_t gpa, void *destination, size_t length)
{
    const uint8_t *at = ram_at(device, gpa, length);

    if (!at) {
        return -EFAULT;
    }
    memcpy(destination, at, length);
    return 0;
}

static int fake_ram_write(struct device *device, uint64_t gpa, const void *source, size_t length)
{
    uint8_t *at = ram_at(device, gpa, length);

    if (!at) {
        return -EFAULT;
    }
    memcpy(at, source, length);
    return 0;
}

static void *fake_ram_map(struct device *device, uint64_t gpa, size_t *length)
{
    struct fake *fake = record(device)->fake;

    if (gpa >= fake->ram_size) {
        *length = 0;
        return NULL;
    }
    if (*length > fake->ram_size - gpa) {
        *length = fake->ram_size - gpa;
    }
    return fake->ram + gpa;
}

static void fake_ram_written(struct device *device, uint64_t gpa, size_t length)
{
    if (!ram_at(device, gpa, length)) {
        fake_bug("ram_written() outside RAM");
    }
}

/* Discarded memory is of no use to anybody, and a device that still reads it shall be found out. */
static void fake_ram_discard(struct device *device, uint64_t gpa, uint64_t length)
{
    uint64_t first = (gpa + 4095) & ~UINT64_C(4095), end = (gpa + length) & ~UINT64_C(4095);

    if (first < end && ram_at(device, first, end - first)) {
        memset(ram_at(device, first, end - first), 0, end - first);
        record(device)->discarded += end - first;
    }
}

static void fake_irq_set(struct device *device, unsigned irq, bool level)
{
    struct fake_device *d = record(device);

    if (irq >= FAKE_IRQS_MAX || irq >= device->class->n_irqs + (device->class->pci ? 1 : 0)) {
        fake_bug("irq_set() of an output that the class does not have");
    }
    if (level && !d->irq[irq]) {
        d->edges[irq]++;
    }
    d->irq[irq] = level;
}

static void fake_msi_send(struct device *device, uint64_t address, uint32_t data)
{
    struct fake_device *d = record(device);

    d->msi_count++;
    d->msi_address = address;
    d->msi_data = data;
}

static void fake_region_place(struct device *device, unsigned region, uint64_t base)
{
    if (region >= device->class->n_regions) {
        fake_bug("region_place() of a region that the class does not have");
    }
    record(device)->region_base[region] = base;
}

static void fake_region_remove(struct device *device, unsigned region)
{
    fake_region_place(device, region, REGION_UNPLACED);
}

/* Writes go to the region, as where doorbells cannot be had. */
static void fake_doorbell_bind(struct device *device, unsigned region, uint64_t offset,
                               unsigned doorbell)
{
    if (region >= device->class->n_regions || offset >= device->class->regions[region].size ||
        doorbell >= device->class->n_doorbells || !device->class->on_doorbell) {
        fake_bug("doorbell_bind() of what the class does not have");
    }
}

static void fake_doorbell_enable(struct device *device, unsigned doorbell, bool enable)
{
    struct fake_device *d = record(device);

    if (doorbell >= device->class->n_doorbells || doorbell >= FAKE_DOORBELLS_MAX) {
        fake_bug("doorbell_enable() of what the class does not have");
    }
    d->doorbells_disabled[doorbell] = !enable;
}

bool fake_doorbell_enabled(struct device *device, unsigned doorbell)
{
    return !record(device)->doorbells_disabled[doorbell];
}

static void *fake_memory(struct device *device, unsigned memory, uint64_t *size)
{
    struct fake_device *d = record(device);

    if (memory >= device->class->n_memories) {
        fake_bug("memory() that the class does not have");
    }
    if (!d->memory[memory]) {
        d->memory_size[memory] = fake_memory_size(device, memory);
        d->memory[memory] = calloc(1, d->memory_size[memory]);
    }
    if (size) {
        *size = d->memory_size[memory];
    }
    return d->memory[memory];
}

static void fake_memory_sync(struct device *device, unsigned memory, uint64_t offset,
                             uint64_t length)
{
    uint64_t size;

    fake_memory(device, memory, &size);
    if (!range_fits(offset, length, size)) {
        fake_bug("memory_sync() outside the memory");
    }
    record(device)->synced[memory] += length;
}

static void fake_window_place(struct device *device, unsigned window, uint64_t base,
                              uint64_t offset, uint64_t length)
{
    struct fake_device *d = record(device);
    uint64_t size;

    if (window >= device->class->n_windows) {
        fake_bug("window_place() of a window that the class does not have");
    }
    fake_memory(device, device->class->windows[window].memory, &size);
    if (!range_fits(offset, length, size) || (base | offset | length) % 4096 != 0) {
        fake_bug("window_place() outside its memory or not in whole pages");
    }
    d->window[window] = (struct fake_window){ base, offset, length, true };
}

static void fake_window_remove(struct device *device, unsigned window)
{
    if (window >= device->class->n_windows) {
        fake_bug("window_remove() of a window that the class does not have");
    }
    record(device)->window[window].placed = false;
}

static void fake_memory_dirty(struct device *device, unsigned memory, uint64_t *bitmap)
{
    struct fake_device *d = record(device);
    uint64_t size;
    uint8_t *bytes = fake_memory(device, memory, &size);

    if (!d->shadow[memory]) {
        d->shadow[memory] = malloc(size);
        for (uint64_t page = 0; page < size / 4096; page++) {
            bitmap[page / 64] |= UINT64_C(1) << (page % 64);
        }
    }
    for (uint64_t page = 0; page < size / 4096; page++) {
        if (memcmp(d->shadow[memory] + page * 4096, bytes + page * 4096, 4096) != 0) {
            bitmap[page / 64] |= UINT64_C(1) << (page % 64);
        }
    }
    memcpy(d->shadow[memory], bytes, size);
}

static uint64_t fake_now_ns(struct device *device)
{
    return record(device)->fake->now;
}

static uint64_t fake_wall_ns(struct device *device)
{
    struct fake *fake = record(device)->fake;

    return fake->wall_at_zero + fake->now;
}

static void fake_timer_arm(struct device *device, unsigned timer, uint64_t deadline_ns)
{
    if (timer >= device->class->n_timers) {
        fake_bug("timer_arm() of a timer that the class does not have");
    }
    record(device)->deadline[timer] = deadline_ns;
}

static void fake_defer(struct device *device, unsigned task)
{
    if (task >= device->class->n_tasks) {
        fake_bug("defer() of a task that the class does not have");
    }
    record(device)->deferred |= 1u << task;
}

static bool fake_halted(struct device *device)
{
    return record(device)->fake->halted;
}

__attribute__((format(printf, 2, 3))) static void fake_guest_error(struct device *device,
                                                                   const char *format, ...)
{
    struct fake_device *d = record(device);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(d->guest_error, sizeof(d->guest_error), format, arguments);
    va_end(arguments);
    d->guest_errors++;
}

static void fake_request(struct device *device, enum machine_request request, unsigned argument)
{
    struct fake *fake = record(device)->fake;

    fake->requests[request]++;
    fake->request_argument = argument;
}

static void fake_random(struct device *device, void *destination, size_t length)
{
    struct fake *fake = record(device)->fake;

    for (size_t i = 0; i < length; i++) {
        fake->random = fake->random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)destination)[i] = (uint8_t)(fake->random >> 56);
    }
}

static bool fake_block_info(struct device *device, unsigned drive, struct block_info *info)
{
    struct fake_device *d = record(device);

    if (drive >= FAKE_DRIVES_MAX || !d->drive[drive].attached) {
        return false;
    }
    *info = d->drive[drive].info;
    return true;
}

static void fake_block_submit(struct device *device, struct block_request *request)
{
    struct fake_device *d = record(device);
    uint64_t sum = 0;

    if (request->drive >= FAKE_DRIVES_MAX || !d->drive[request->drive].attached) {
        fake_bug("block_submit() to a drive that does not exist");
    }
    if (request->op == BLOCK_READ || request->op == BLOCK_WRITE) {
        if (request->n_spans > BLOCK_SPANS_MAX || request->length > BLOCK_LENGTH_MAX) {
            fake_bug("block_submit() beyond BLOCK_SPANS_MAX or BLOCK_LENGTH_MAX");
        }
        for (unsigned i = 0; i < request->n_spans; i++) {
            sum += request->spans[i].length;
        }
        if (sum != request->length) {
            fake_bug("block_submit() whose spans do not add up to its length");
        }
    }
    for (struct block_request *r = d->drive[request->drive].first; r; r = r->next) {
        if (r == request) {
            fake_bug("block_submit() of a request that is still with the back end");
        }
    }
    request->next = NULL;
    request->device = device;
    *d->drive[request->drive].last = request;
    d->drive[request->drive].last = &request->next;
}

static void fake_block_submit_batch(struct device *device, struct block_request *const *requests,
                                    unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fake_block_submit(device, requests[i]);
    }
}

static void fake_char_write(struct device *device, unsigned port, const void *bytes, size_t n)
{
    struct fake_char *c = fake_char_port(device, port);

    for (size_t i = 0; i < n && c->out_length < FAKE_CHAR_MAX; i++) {
        c->out[c->out_length++] = ((const char *)bytes)[i];
    }
}

static size_t fake_char_read(struct device *device, unsigned port, void *bytes, size_t n)
{
    struct fake_char *c = fake_char_port(device, port);
    size_t left = c->in_length - c->in_taken;

    if (n > left) {
        n = left;
    }
    memcpy(bytes, c->in + c->in_taken, n);
    c->in_taken += n;
    return n;
}

static void fake_pam_set(struct device *device, unsigned segment, bool read_ram, bool write_ram)
{
    struct fake *fake = record(device)->fake;

    if (segment >= PAM_SEGMENTS) {
        fake_bug("pam_set() of a segment that does not exist");
    }
    fake->pam_read[segment] = read_ram;
    fake->pam_write[segment] = write_ram;
}

static void fake_pirq_route(struct device *device, unsigned pirq, uint8_t isa_irq)
{
    if (pirq >= 8) {
        fake_bug("pirq_route() of a PIRQ that does not exist");
    }
    record(device)->fake->pirq[pirq] = isa_irq;
}

/* The function at bdf: on bus 0 by slot, behind a bridge as slot 0 (tests set the bus with
 * fake_bdf). */
static struct device *function_find(struct fake *fake, unsigned bdf)
{
    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        struct device *device = fake->devices[i].device;

        if (device && device->class->pci && fake->devices[i].bdf == bdf) {
            return device;
        }
    }
    return NULL;
}

static uint32_t fake_pci_config_read(struct device *device, unsigned bdf, unsigned offset,
                                     unsigned size)
{
    struct device *function = function_find(record(device)->fake, bdf);

    return function ? pci_config_read(to_pci(function), offset, size) : (uint32_t)ones(size);
}

static void fake_pci_config_write(struct device *device, unsigned bdf, unsigned offset,
                                  unsigned size, uint32_t value)
{
    struct device *function = function_find(record(device)->fake, bdf);

    if (function) {
        pci_config_write(to_pci(function), offset, size, value);
    }
}

static void fake_input_changed(struct device *device)
{
    record(device)->input_changes++;
}

const struct services fake_services = {
    .ram_read = fake_ram_read,
    .ram_write = fake_ram_write,
    .ram_map = fake_ram_map,
    .ram_written = fake_ram_written,
    .ram_discard = fake_ram_discard,
    .irq_set = fake_irq_set,
    .msi_send = fake_msi_send,
    .region_place = fake_region_place,
    .region_remove = fake_region_remove,
    .doorbell_bind = fake_doorbell_bind,
    .doorbell_enable = fake_doorbell_enable,
    .memory = fake_memory,
    .memory_sync = fake_memory_sync,
    .window_place = fake_window_place,
    .window_remove = fake_window_remove,
    .memory_dirty = fake_memory_dirty,
    .now_ns = fake_now_ns,
    .wall_ns = fake_wall_ns,
    .timer_arm = fake_timer_arm,
    .defer = fake_defer,
    .halted = fake_halted,
    .guest_error = fake_guest_error,
    .request = fake_request,
    .input_changed = fake_input_changed,
    .random = fake_random,
    .block_info = fake_block_info,
    .block_submit = fake_block_submit,
    .block_submit_batch = fake_block_submit_batch,
    .char_write = fake_char_write,
    .char_read = fake_char_read,
    .net_link = fake_service_net_link,
    .net_send = fake_service_net_send,
    .net_peek = fake_service_net_peek,
    .net_drop = fake_service_net_drop,
    .net_accept = fake_service_net_accept,
    .pam_set = fake_pam_set,
    .pirq_route = fake_pirq_route,
    .pci_config_read = fake_pci_config_read,
    .pci_config_write = fake_pci_config_write,
};
