/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hpet.h"
#include "pci.h"

/* --- Memories -------------------------------------------------------------------------------- */

static uint64_t memory_size(struct device *device, const struct memory_desc *desc)
{
    if (desc->size > 0) {
        return desc->size;
    }
    for (const struct option_desc *o = device->class->options; o && o->name; o++) {
        if (strcmp(o->name, desc->name) == 0) {
            const char *member = (const char *)device + o->offset;

            return o->type == OPTION_U64 ? *(const uint64_t *)member : *(const uint32_t *)member;
        }
    }
    g_assert_not_reached();
}

void board_memory_open(struct device *device, struct device_memory *memory)
{
    void *bytes;

    if (memory->bytes) {
        return;
    }
    memory->size = memory_size(device, memory->desc);
    bytes = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert(bytes != MAP_FAILED);
    memory->bytes = bytes;
}

/* Reads a persistent memory from its file, whose size boot_prepare() has checked. */
static bool memory_load(struct device *device, struct device_memory *memory, const char *path,
                        GError **error)
{
    uint64_t done = 0;

    memory->path = g_strdup(path);
    memory->fd = open(path, O_RDWR | O_CLOEXEC);
    if (memory->fd < 0) {
        oriel_error_set_errno(error, errno, "“%s” cannot be opened", path);
        return false;
    }
    board_memory_open(device, memory);
    while (done < memory->size) {
        ssize_t n = pread(memory->fd, memory->bytes + done, memory->size - done, (off_t)done);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            oriel_error_set_errno(error, n == 0 ? EIO : errno, "“%s” cannot be read", path);
            return false;
        }
        done += n > 0 ? (uint64_t)n : 0;
    }
    return true;
}

static void memory_close(struct device_memory *memory)
{
    if (memory->bytes) {
        munmap(memory->bytes, memory->size);
    }
    if (memory->fd >= 0) {
        close(memory->fd);
    }
    g_free(memory->path);
    g_free(memory->dirty);
}

/* --- Records --------------------------------------------------------------------------------- */

/* The card in a slot has the slot's, made with the first one. */
static struct domain *domain_for(struct machine *machine, const struct board_device *entry)
{
    struct domain **slot = entry->port > 0 ? &machine->board.ports[entry->port - 1].domain : NULL;
    struct domain *domain;

    if (entry->bdf == BDF_NONE) {
        return &machine->chips;
    }
    if (slot && *slot) {
        return *slot;
    }
    g_assert(machine->n_functions < MACHINE_DOMAINS_MAX);
    domain = &machine->functions[machine->n_functions++];
    domain_init(domain, &machine->clock);
    if (slot) {
        *slot = domain;
    }
    return domain;
}

static bool bar_places(const struct pci_info *pci, bool window, unsigned index)
{
    for (unsigned i = 0; pci && i < PCI_BARS; i++) {
        if (pci->bars[i].kind != PCI_BAR_NONE && pci->bars[i].window == window &&
            pci->bars[i].index == index) {
            return true;
        }
    }
    return false;
}

static void record_fill_space(struct machine_device *record)
{
    struct machine *machine = record->machine;
    const struct device_class *class = record->class;

    record->regions = g_new0(struct bus_region, class->n_regions);
    for (unsigned i = 0; i < class->n_regions; i++) {
        record->regions[i].owner = record;
        record->regions[i].desc = &class->regions[i];
        record->regions[i].bar = bar_places(class->pci, false, i);
        bus_add(&machine->bus, &record->regions[i]);
    }
    record->memories = g_new0(struct device_memory, class->n_memories);
    for (unsigned i = 0; i < class->n_memories; i++) {
        record->memories[i].desc = &class->memories[i];
        record->memories[i].fd = -1;
    }
    record->windows = g_new0(struct window, class->n_windows);
    for (unsigned i = 0; i < class->n_windows; i++) {
        record->windows[i].owner = record;
        record->windows[i].desc = &class->windows[i];
        record->windows[i].memory = &record->memories[class->windows[i].memory];
        record->windows[i].bar = bar_places(class->pci, true, i);
        memory_map_add_window(&machine->memory_map, &record->windows[i]);
    }
}

static void record_fill_lines(struct machine_device *record, const struct board_device *entry)
{
    const struct device_class *class = record->class;
    bool hpet = strcmp(class->name, "hpet") == 0;
    unsigned first = class->pci ? 1 : 0;

    record->irqs = g_new0(struct irq_source, class->n_irqs + first);
    for (unsigned i = 0; i < class->n_irqs; i++) {
        struct irq_source *source = &record->irqs[first + i];

        source->line = i < G_N_ELEMENTS(entry->irqs) ? entry->irqs[i] : IRQ_NONE;
        if (hpet) {
            source->line = i == HPET_OUTPUT_LEGACY ? IRQ_HPET_LEGACY : (uint8_t)i;
        }
        source->hpet_replaces = !hpet && source->line == IRQ_RTC;
        irq_add(&record->machine->irq, source);
    }
    if (class->pci) {
        unsigned pin = class->pci->interrupt_pin;

        record->irqs[0].line =
            pin > 0 ? irq_pci_line(board_interrupt_slot(entry), pin - 1) : IRQ_NONE;
        record->irqs[0].pirq = pin > 0;
    }
}

static void record_fill_timers(struct machine_device *record)
{
    record->timers = g_new0(struct clock_timer, record->class->n_timers);
    for (unsigned i = 0; i < record->class->n_timers; i++) {
        record->timers[i].owner = record;
        record->timers[i].number = i;
        clock_add(&record->machine->clock, &record->timers[i]);
    }
}

static struct machine_device *record_new(struct machine *machine, const struct board_device *entry)
{
    struct machine_device *record = g_new0(struct machine_device, 1);

    record->machine = machine;
    record->class = device_class_find(entry->class);
    if (!record->class) {
        g_error("no device class %s", entry->class);
    }
    record->bdf = entry->bdf;
    record->slot = entry->port;
    record->domain = domain_for(machine, entry);
    record->first_port = entry->first_port;
    record->first_drive = entry->drive;
    if (record->class->on_net) {
        record->card = net_cards_find(machine->networks, entry->name, NULL);
        net_card_set_owner(record->card, record);
    }
    record_fill_space(record);
    record_fill_lines(record, entry);
    record_fill_timers(record);
    return record;
}

void record_free(struct machine_device *record)
{
    device_free(record->device);
    for (unsigned i = 0; i < record->class->n_memories; i++) {
        memory_close(&record->memories[i]);
    }
    g_free(record->regions);
    g_free(record->memories);
    g_free(record->windows);
    g_free(record->irqs);
    g_free(record->timers);
    g_free(record);
}

static void record_connect(struct machine_device *record)
{
    struct machine *machine = record->machine;

    for (unsigned i = 0; i < record->class->n_drives; i++) {
        record->drives[i] = board_drive(record, i);
    }
    for (unsigned i = 0; i < record->class->n_ports; i++) {
        machine->serials.ports[record->first_port + i].record = record;
        machine->serials.ports[record->first_port + i].port = i;
    }
}

static void regions_place(struct machine_device *record)
{
    for (unsigned i = 0; i < record->class->n_regions; i++) {
        uint64_t base = record->class->regions[i].base;

        if (base != REGION_UNPLACED) {
            bus_place(&record->machine->bus, &record->regions[i], base);
        }
    }
}

struct machine_device *record_make(struct machine *machine, const struct board_device *entry,
                                   unsigned place, GError **error)
{
    struct machine_device *record = record_new(machine, entry);
    struct settings settings = { .n = 0 };
    struct dev_error problem = { "" };

    g_ptr_array_insert(machine->devices, (gint)place, record);
    if (entry->set) {
        entry->set(machine, &settings);
    }
    if (entry->set_entry) {
        entry->set_entry(machine, entry, &settings);
    }
    regions_place(record);
    record_connect(record);
    record->device = device_new(record->class, entry->name, &machine_services, record,
                                settings.values, settings.n, &problem);
    if (!record->device) {
        g_set_error_literal(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, problem.message);
        return NULL;
    }
    for (unsigned i = 0; i < record->class->n_memories; i++) {
        size_t size;

        if ((record->class->memories[i].flags & MEMORY_PERSISTENT) &&
            !memory_load(record->device, &record->memories[i], boot_variables(machine->boot, &size),
                         error)) {
            return NULL;
        }
    }
    if (record->class->pci) {
        to_pci(record->device)->bdf = (uint16_t)entry->bdf;
    }
    return record;
}

void record_detach(struct machine_device *record)
{
    struct machine *machine = record->machine;

    for (unsigned i = 0; i < record->class->n_regions; i++) {
        bus_remove(&machine->bus, &record->regions[i]);
    }
    for (unsigned i = 0; i < record->class->n_windows; i++) {
        memory_map_remove_window(&machine->memory_map, &record->windows[i]);
    }
    for (unsigned i = 0; i < record->class->n_timers; i++) {
        clock_remove(&machine->clock, &record->timers[i]);
    }
    doorbells_remove(&machine->doorbells, record);
    if (record->card) {
        net_card_set_owner(record->card, NULL);
    }
    g_ptr_array_remove(machine->devices, record);
}
