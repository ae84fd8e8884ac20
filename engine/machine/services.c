/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine as its devices see it (devices/include/services.h), on KVM. Each function runs in the
 * calling device's domain. What a device does wrong here is a bug of ours and an assertion; what
 * the guest made it do was checked by the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bytes.h"
#include "input/input_router.h"
#include "machine/machine_private.h"
#include "pci.h"

enum {
    ERRORS_LOGGED_AT_ONCE = 5,
};

#define ERRORS_LOG_PAUSE_NS UINT64_C(10000000000)

/* --- Guest memory ---------------------------------------------------------------------------- */

static int copy(struct device *device, uint64_t gpa, void *bytes, size_t length, bool to_guest)
{
    struct memory_map *map = &record_of(device)->machine->memory_map;
    size_t got = length;
    void *at = memory_map_dma(map, gpa, &got);

    if (!at || got < length) {
        return -EFAULT;
    }
    if (to_guest) {
        memcpy(at, bytes, length);
        memory_map_dma_written(map, gpa, length);
    } else {
        memcpy(bytes, at, length);
    }
    return 0;
}

static int service_ram_read(struct device *device, uint64_t gpa, void *destination, size_t length)
{
    return copy(device, gpa, destination, length, false);
}

static int service_ram_write(struct device *device, uint64_t gpa, const void *source, size_t length)
{
    return copy(device, gpa, (void *)source, length, true);
}

static void *service_ram_map(struct device *device, uint64_t gpa, size_t *length)
{
    return memory_map_dma(&record_of(device)->machine->memory_map, gpa, length);
}

static void service_ram_discard(struct device *device, uint64_t gpa, uint64_t length)
{
    ram_discard(&record_of(device)->machine->memory_map.ram, gpa, length);
}

static void service_ram_written(struct device *device, uint64_t gpa, size_t length)
{
    memory_map_dma_written(&record_of(device)->machine->memory_map, gpa, length);
}

/* --- Interrupts ------------------------------------------------------------------------------ */

static void service_irq_set(struct device *device, unsigned irq, bool level)
{
    struct machine_device *record = record_of(device);

    g_assert(irq < record->class->n_irqs + (record->class->pci ? 1 : 0));
    irq_set(&record->machine->irq, &record->irqs[irq], level);
}

static void service_msi_send(struct device *device, uint64_t address, uint32_t data)
{
    irq_msi(&record_of(device)->machine->irq, address, data);
}

/* --- Regions and windows --------------------------------------------------------------------- */

static void service_region_place(struct device *device, unsigned region, uint64_t base)
{
    struct machine_device *record = record_of(device);

    g_assert(region < record->class->n_regions);
    if (bus_place(&record->machine->bus, &record->regions[region], base)) {
        memory_map_regions_changed(&record->machine->memory_map);
    }
    doorbells_placed(&record->machine->doorbells, record, region, base);
}

static void service_region_remove(struct device *device, unsigned region)
{
    service_region_place(device, region, REGION_UNPLACED);
}

static void service_doorbell_bind(struct device *device, unsigned region, uint64_t offset,
                                  unsigned doorbell)
{
    struct machine_device *record = record_of(device);

    g_assert(region < record->class->n_regions && doorbell < record->class->n_doorbells);
    doorbell_bind(&record->machine->doorbells, record, region, offset, doorbell);
}

static void service_doorbell_enable(struct device *device, unsigned doorbell, bool enable)
{
    struct machine_device *record = record_of(device);

    g_assert(doorbell < record->class->n_doorbells);
    doorbells_enable(&record->machine->doorbells, record, doorbell, enable);
}

static void *service_memory(struct device *device, unsigned memory, uint64_t *size)
{
    struct machine_device *record = record_of(device);

    g_assert(memory < record->class->n_memories);
    board_memory_open(device, &record->memories[memory]);
    if (size) {
        *size = record->memories[memory].size;
    }
    return record->memories[memory].bytes;
}

static void service_memory_sync(struct device *device, unsigned memory, uint64_t offset,
                                uint64_t length)
{
    struct machine_device *record = record_of(device);
    struct device_memory *m = &record->memories[memory];

    g_assert(memory < record->class->n_memories && range_fits(offset, length, m->size));
    if (m->fd < 0) {
        return;
    }
    while (length > 0) {
        ssize_t n = pwrite(m->fd, m->bytes + offset, length, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            g_warning("“%s” could not be written (%s). What the guest has stored there is lost "
                      "when the machine is turned off.",
                      m->path, g_strerror(errno));
            return;
        }
        offset += (uint64_t)n;
        length -= (uint64_t)n;
    }
    fdatasync(m->fd);
}

static void service_window_place(struct device *device, unsigned window, uint64_t base,
                                 uint64_t offset, uint64_t length)
{
    struct machine_device *record = record_of(device);
    struct window *w;

    g_assert(window < record->class->n_windows);
    w = &record->windows[window];
    board_memory_open(device, w->memory);
    g_assert((base | offset | length) % MEMORY_PAGE == 0);
    g_assert(length > 0 && range_fits(offset, length, w->memory->size));
    memory_map_place(&record->machine->memory_map, w, base, offset, length);
}

static void service_window_remove(struct device *device, unsigned window)
{
    struct machine_device *record = record_of(device);

    g_assert(window < record->class->n_windows);
    memory_map_remove(&record->machine->memory_map, &record->windows[window]);
}

static void service_memory_dirty(struct device *device, unsigned memory, uint64_t *bitmap)
{
    struct machine_device *record = record_of(device);

    g_assert(memory < record->class->n_memories);
    board_memory_open(device, &record->memories[memory]);
    memory_map_dirty(&record->machine->memory_map, &record->memories[memory], bitmap);
}

/* --- Time ------------------------------------------------------------------------------------ */

static uint64_t service_now_ns(struct device *device)
{
    return clock_now_ns(&record_of(device)->machine->clock);
}

static uint64_t service_wall_ns(struct device *device)
{
    return clock_wall_ns();
}

static void service_timer_arm(struct device *device, unsigned timer, uint64_t deadline_ns)
{
    struct machine_device *record = record_of(device);

    g_assert(timer < record->class->n_timers);
    clock_arm(&record->machine->clock, &record->timers[timer], deadline_ns);
}

static void service_defer(struct device *device, unsigned task)
{
    struct machine_device *record = record_of(device);

    g_assert(task < record->class->n_tasks);
    domain_defer(record->domain, record, task);
}

static bool service_halted(struct device *device)
{
    return !atomic_load(&record_of(device)->machine->vcpus_running);
}

/* --- Reports and requests -------------------------------------------------------------------- */

static void service_guest_error(struct device *device, const char *format, ...)
{
    struct machine_device *record = record_of(device);
    uint64_t now = clock_now_ns(&record->machine->clock);
    char text[256];
    va_list arguments;

    atomic_fetch_add_explicit(&record->guest_errors, 1, memory_order_relaxed);
    if (record->errors_logged >= ERRORS_LOGGED_AT_ONCE && now < record->log_again_ns) {
        return;
    }
    record->errors_logged++;
    record->log_again_ns = now + ERRORS_LOG_PAUSE_NS;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    g_message("guest: %s: %s", device->name, text);
}

static void service_request(struct device *device, enum machine_request request, unsigned argument)
{
    machine_request(record_of(device)->machine, request, argument);
}

static void service_input_changed(struct device *device)
{
    struct input *input = record_of(device)->machine->input;

    if (input) { /* while the board is made there is none that could have told anybody */
        input_look(input);
    }
}

static void service_random(struct device *device, void *destination, size_t length)
{
    uint8_t *at = destination;

    while (length > 0) {
        ssize_t n = getrandom(at, length, 0);

        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
    }
}

/* --- Back ends ------------------------------------------------------------------------------- */

static struct drive *drive_of(struct device *device, unsigned drive)
{
    return drive < CONFIG_DRIVES_MAX ? record_of(device)->drives[drive] : NULL;
}

static bool service_block_info(struct device *device, unsigned drive, struct block_info *info)
{
    struct drive *d = drive_of(device, drive);

    if (d) {
        drive_info(d, info);
    }
    return d != NULL;
}

static void service_block_submit(struct device *device, struct block_request *request)
{
    struct drive *d = drive_of(device, request->drive);

    g_assert(d);
    request->device = device;
    drive_submit(d, request);
}

static void service_block_submit_batch(struct device *device, struct block_request *const *requests,
                                       unsigned n)
{
    unsigned first = 0;

    for (unsigned i = 0; i < n; i++) {
        requests[i]->device = device;
    }
    for (unsigned i = 1; i <= n; i++) { /* those of one drive together */
        if (i == n || requests[i]->drive != requests[first]->drive) {
            struct drive *d = drive_of(device, requests[first]->drive);

            g_assert(d);
            drive_submit_batch(d, requests + first, i - first);
            first = i;
        }
    }
}

static void service_char_write(struct device *device, unsigned port, const void *bytes, size_t n)
{
    struct machine_device *record = record_of(device);

    g_assert(port < record->class->n_ports);
    serial_write(&record->machine->serials, record->first_port + port, bytes, n);
}

static size_t service_char_read(struct device *device, unsigned port, void *bytes, size_t n)
{
    struct machine_device *record = record_of(device);

    g_assert(port < record->class->n_ports);
    return serial_read(&record->machine->serials, record->first_port + port, bytes, n);
}

static bool service_net_link(struct device *device)
{
    return net_card_link(record_of(device)->card);
}

static unsigned service_net_send(struct device *device, const struct net_frame *frames, unsigned n)
{
    return net_card_send(record_of(device)->card, frames, n);
}

static const struct net_received *service_net_peek(struct device *device)
{
    return net_card_peek(record_of(device)->card);
}

static void service_net_drop(struct device *device)
{
    net_card_drop(record_of(device)->card);
}

static void service_net_accept(struct device *device, unsigned accept)
{
    net_card_accept(record_of(device)->card, accept);
}

/* --- For the chipset ------------------------------------------------------------------------- */

static void service_pam_set(struct device *device, unsigned segment, bool read_ram, bool write_ram)
{
    memory_map_pam(&record_of(device)->machine->memory_map, segment, read_ram, write_ram);
}

static void service_pirq_route(struct device *device, unsigned pirq, uint8_t isa_irq)
{
    g_assert(pirq < IRQ_PIRQS);
    irq_pirq_route(&record_of(device)->machine->irq, pirq, isa_irq);
}

static uint32_t service_pci_config_read(struct device *device, unsigned bdf, unsigned offset,
                                        unsigned size)
{
    struct machine_device *target = board_function_find(record_of(device)->machine, bdf);
    uint32_t value;

    if (!target) {
        return (uint32_t)ones(size);
    }
    if (target->domain == record_of(device)->domain) {
        return pci_config_read(to_pci(target->device), offset, size);
    }
    domain_enter(target->domain);
    value = pci_config_read(to_pci(target->device), offset, size);
    domain_leave(target->domain);
    return value;
}

static void service_pci_config_write(struct device *device, unsigned bdf, unsigned offset,
                                     unsigned size, uint32_t value)
{
    struct machine_device *target = board_function_find(record_of(device)->machine, bdf);

    if (!target) {
        return;
    }
    if (target->domain == record_of(device)->domain) {
        pci_config_write(to_pci(target->device), offset, size, value);
        return;
    }
    domain_enter(target->domain);
    pci_config_write(to_pci(target->device), offset, size, value);
    domain_leave(target->domain);
}

const struct services machine_services = {
    .ram_read = service_ram_read,
    .ram_write = service_ram_write,
    .ram_map = service_ram_map,
    .ram_written = service_ram_written,
    .ram_discard = service_ram_discard,
    .irq_set = service_irq_set,
    .msi_send = service_msi_send,
    .region_place = service_region_place,
    .region_remove = service_region_remove,
    .doorbell_bind = service_doorbell_bind,
    .doorbell_enable = service_doorbell_enable,
    .memory = service_memory,
    .memory_sync = service_memory_sync,
    .window_place = service_window_place,
    .window_remove = service_window_remove,
    .memory_dirty = service_memory_dirty,
    .now_ns = service_now_ns,
    .wall_ns = service_wall_ns,
    .timer_arm = service_timer_arm,
    .defer = service_defer,
    .halted = service_halted,
    .guest_error = service_guest_error,
    .request = service_request,
    .input_changed = service_input_changed,
    .random = service_random,
    .block_info = service_block_info,
    .block_submit = service_block_submit,
    .block_submit_batch = service_block_submit_batch,
    .char_write = service_char_write,
    .char_read = service_char_read,
    .net_link = service_net_link,
    .net_send = service_net_send,
    .net_peek = service_net_peek,
    .net_drop = service_net_drop,
    .net_accept = service_net_accept,
    .pam_set = service_pam_set,
    .pirq_route = service_pirq_route,
    .pci_config_read = service_pci_config_read,
    .pci_config_write = service_pci_config_write,
};
