/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters are kept where the events are, each written by whoever causes the event, and put
 * together only here. A figure may be a moment older than its neighbour.
 */
#include "machine/stats.h"

#include <json-glib/json-glib.h>

#include "balloon.h"
#include "machine/machine_private.h"
#include "machine/network.h"

const char *stats_exit_name(uint32_t reason)
{
    switch (reason) {
    case KVM_EXIT_IO:
        return "io";
    case KVM_EXIT_MMIO:
        return "mmio";
    case KVM_EXIT_HLT:
        return "hlt";
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return "irq-window";
    case KVM_EXIT_SHUTDOWN:
        return "shutdown";
    case KVM_EXIT_FAIL_ENTRY:
        return "fail-entry";
    case KVM_EXIT_INTR:
        return "signal";
    case KVM_EXIT_INTERNAL_ERROR:
        return "internal-error";
    case KVM_EXIT_SYSTEM_EVENT:
        return "system-event";
    case KVM_EXIT_X86_RDMSR:
        return "rdmsr";
    case KVM_EXIT_X86_WRMSR:
        return "wrmsr";
    default:
        return "other";
    }
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add(JsonBuilder *json, const char *name, uint64_t value)
{
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, (gint64)value);
}

static void open_object(JsonBuilder *json, const char *name)
{
    json_builder_set_member_name(json, name);
    json_builder_begin_object(json);
}

static void exits_add(JsonBuilder *json, struct machine *machine)
{
    uint64_t reasons[VCPU_REASONS] = { 0 }, emulated = 0, total = 0;

    for (unsigned i = 0; i < machine->vcpus.n; i++) {
        struct vcpu *vcpu = &machine->vcpus.all[i];

        for (unsigned r = 0; r < VCPU_REASONS; r++) {
            reasons[r] += get(&vcpu->reasons[r]);
            total += get(&vcpu->reasons[r]);
        }
        emulated += get(&vcpu->emulated);
    }
    open_object(json, "exits");
    add(json, "total", total);
    for (unsigned r = 0; r < VCPU_REASONS; r++) {
        if (reasons[r] > 0) {
            add(json, stats_exit_name(r), reasons[r]);
        }
    }
    add(json, "instructions-completed-here", emulated);
    json_builder_end_object(json);
}

static void unclaimed_add(JsonBuilder *json, struct machine *machine)
{
    uint64_t reads = 0, writes = 0;

    for (unsigned i = 0; i < machine->vcpus.n; i++) {
        reads += get(&machine->vcpus.all[i].reader.unclaimed_reads);
        writes += get(&machine->vcpus.all[i].reader.unclaimed_writes);
    }
    open_object(json, "unclaimed");
    add(json, "reads", reads);
    add(json, "writes", writes);
    json_builder_end_object(json);
}

static void device_add(JsonBuilder *json, struct machine_device *device)
{
    open_object(json, device->device->name);
    add(json, "guest-errors", get(&device->guest_errors));
    for (unsigned i = 0; i < device->class->n_regions; i++) {
        struct bus_region *region = &device->regions[i];

        if (get(&region->reads) + get(&region->writes) > 0) {
            open_object(json, region->desc->name);
            add(json, "reads", get(&region->reads));
            add(json, "writes", get(&region->writes));
            json_builder_end_object(json);
        }
    }
    json_builder_end_object(json);
}

static void drive_add(JsonBuilder *json, const char *id, struct drive *drive)
{
    struct drive_figures figures;

    drive_figures(drive, &figures);
    open_object(json, id);
    add(json, "reads", figures.reads);
    add(json, "writes", figures.writes);
    add(json, "flushes", figures.flushes);
    add(json, "discards", figures.discards);
    add(json, "bytes-read", figures.bytes_read);
    add(json, "bytes-written", figures.bytes_written);
    add(json, "errors", figures.errors);
    add(json, "waiting", figures.waiting);
    add(json, "parked", figures.parked);
    add(json, "iops-limit", figures.limits.operations);
    add(json, "bandwidth-limit", figures.limits.bytes);
    json_builder_end_object(json);
}

static void machine_add(JsonBuilder *json, struct machine *machine)
{
    add(json, "uptime-ms", clock_now_ns(&machine->clock) / 1000000);
    pthread_mutex_lock(&machine->lock);
    add(json, "resets", machine->resets);
    pthread_mutex_unlock(&machine->lock);
    open_object(json, "clock");
    add(json, "wakeups", get(&machine->clock.wakeups));
    add(json, "timers-fired", get(&machine->clock.fired));
    json_builder_end_object(json);
    open_object(json, "interrupts");
    add(json, "lines-raised", get(&machine->irq.raised));
    add(json, "messages", get(&machine->irq.messages));
    add(json, "doorbells", get(&machine->doorbells.rung));
    json_builder_end_object(json);
    open_object(json, "memory");
    pthread_mutex_lock(&machine->memory_map.lock);
    add(json, "map-changes", machine->memory_map.rebuilds);
    add(json, "refused", machine->memory_map.refused);
    pthread_mutex_unlock(&machine->memory_map.lock);
    json_builder_end_object(json);
}

/*
 * What the guest says of its memory, and asks for newer numbers; only while it runs, because that
 * writes to its memory. Left out while a transition is under way.
 */
static void balloon_add(JsonBuilder *json, struct machine *machine)
{
    static const char *const names[BALLOON_STATS] = {
        [BALLOON_SWAP_IN] = "swapped-in",
        [BALLOON_SWAP_OUT] = "swapped-out",
        [BALLOON_MAJOR_FAULTS] = "major-faults",
        [BALLOON_MINOR_FAULTS] = "minor-faults",
        [BALLOON_FREE] = "free",
        [BALLOON_TOTAL] = "total",
        [BALLOON_AVAILABLE] = "available",
        [BALLOON_DISK_CACHES] = "disk-caches",
        [BALLOON_HUGETLB_ALLOCATIONS] = "huge-page-allocations",
        [BALLOON_HUGETLB_FAILURES] = "huge-page-failures",
    };
    struct machine_device *balloon = machine->board.balloon;
    struct balloon_report report = { 0 };
    bool looked = false;

    if (balloon && pthread_mutex_trylock(&machine->control) == 0) {
        if (machine->vcpus_running) {
            domain_enter(balloon->domain);
            balloon_look(balloon->device, &report);
            domain_leave(balloon->domain);
            looked = true;
        }
        pthread_mutex_unlock(&machine->control);
    }
    if (!looked) {
        return;
    }
    open_object(json, "guest-memory");
    add(json, "balloon-target", report.target);
    add(json, "balloon", report.actual);
    for (unsigned i = 0; i < BALLOON_STATS; i++) {
        if (report.known & 1u << i) {
            add(json, names[i], report.stats[i]);
        }
    }
    json_builder_end_object(json);
}

char *machine_stats(struct machine *machine)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "state");
    json_builder_add_string_value(json, machine_state_name(machine_state(machine, NULL)));
    machine_add(json, machine);
    balloon_add(json, machine);
    exits_add(json, machine);
    unclaimed_add(json, machine);
    pthread_mutex_lock(&machine->parts);
    open_object(json, "devices");
    for (unsigned i = 0; i < machine->devices->len; i++) {
        device_add(json, g_ptr_array_index(machine->devices, i));
    }
    json_builder_end_object(json);
    open_object(json, "drives");
    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        drive_add(json, drive_id(machine->board.drives[i]), machine->board.drives[i]);
    }
    json_builder_end_object(json);
    network_stats_add(json, machine);
    pthread_mutex_unlock(&machine->parts);
    json_builder_end_object(json);
    root = json_builder_get_root(json);
    return json_to_string(root, TRUE);
}
