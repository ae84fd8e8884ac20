/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Going on from a saved state. The state is not trusted: devices check theirs, KVM checks that of
 * processors and controllers, and the rest is checked here.
 *
 * Order: everything is loaded and every device brought back with all domains held, so that no task
 * of a device runs and no disk is touched; then the state is put away, durably; only then the
 * domains are left, which lets devices start again what was under way, and the processors run. So
 * the state is used up before anything that it does not know of can happen.
 *
 * The devices raise their interrupts before the controllers get their state: a controller that
 * already has, or has delivered, an edge must not take it for a new one.
 */
#include <string.h>
#include <sys/mman.h>

#include "bytes.h"
#include "config/saved.h"
#include "cpu/vcpu_saved.h"
#include "machine/machine_control.h"
#include "machine/machine_saved.h"
#include "state.h"

enum {
    TSC_TOLERANCE_PPM = 250, /* what guests correct by themselves */
};

/* What goes from one step to the next. */
struct restore {
    struct machine *machine;
    const struct saved *saved;
    const GArray *sections;
    const uint8_t *state; /* the section machine/state */
    struct kvm_irqchip chips[IRQ_CHIPS];
    uint32_t tasks[256]; /* by device */
    bool changed[256];   /* by device: its file has to be written */
};

static bool damaged(const struct restore *restore, GError **error)
{
    return saved_refuse(restore->machine->config, error, ORIEL_ERROR_CORRUPT,
                        "its file “state” is damaged");
}

static struct machine_device *device_at(const struct restore *restore, unsigned i)
{
    return g_ptr_array_index(restore->machine->devices, i);
}

/* --- Does it fit? --------------------------------------------------------------------------- */

static bool host_check(const struct restore *restore, GError **error)
{
    uint64_t saved_khz = load_le32(restore->state + SAVED_STATE_TSC_KHZ);
    uint64_t khz = machine_tsc_khz(restore->machine);
    uint64_t difference = saved_khz > khz ? saved_khz - khz : khz - saved_khz;
    const struct section *leaves = sections_find(restore->sections, "machine", "cpuid");
    g_autofree char *why = NULL;

    if (saved_khz > 0 && khz > 0 && difference > khz * TSC_TOLERANCE_PPM / 1000000) {
        return saved_refuse(restore->machine->config, error, ORIEL_ERROR_INVALID,
                            "this computer's processor counts time at %u.%03u MHz, and that of "
                            "the saved machine at %u.%03u MHz",
                            (unsigned)(khz / 1000), (unsigned)(khz % 1000),
                            (unsigned)(saved_khz / 1000), (unsigned)(saved_khz % 1000));
    }
    if (!leaves || leaves->version != 1) {
        return damaged(restore, error);
    }
    if (!cpuid_adopt(restore->machine->cpuid, leaves->bytes, leaves->length, &why)) {
        return saved_refuse(restore->machine->config, error, ORIEL_ERROR_INVALID, "%s", why);
    }
    for (unsigned i = 0; i < restore->machine->vcpus.n; i++) {
        if (!cpuid_set(&restore->machine->vcpus.all[i], error)) {
            return false;
        }
    }
    return true;
}

static bool machine_check(struct restore *restore, GError **error)
{
    struct machine *machine = restore->machine;
    g_autofree struct saved_device *devices = machine_saved_devices(machine);

    restore->state = sections_bytes(restore->sections, "machine", "state", 1, SAVED_STATE_SIZE);
    if (!restore->state || load_le32(restore->state + SAVED_STATE_CPUS) != machine->vcpus.n ||
        load_le32(restore->state + SAVED_STATE_SUSPENDED) > 1 ||
        load_le64(restore->state + SAVED_STATE_TIME) > INT64_MAX ||
        load_le64(restore->state + SAVED_STATE_CLOCK) > INT64_MAX) {
        return damaged(restore, error);
    }
    return saved_check_devices(restore->saved, devices, machine->devices->len, error) &&
           host_check(restore, error);
}

/* Deferred tasks, which would run with the wrong state. */
static void tasks_forget(struct machine *machine)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        record->tasks = 0;
        record->next_with_tasks = NULL;
        record->domain->tasks = NULL;
    }
}

/* --- Loading -------------------------------------------------------------------------------- */

static bool devices_load(struct restore *restore, GError **error)
{
    for (unsigned i = 0; i < restore->machine->devices->len; i++) {
        struct machine_device *record = device_at(restore, i);
        const char *name = record->device->name;
        const struct section *section = sections_find(restore->sections, "device", name);
        const uint8_t *tasks = sections_bytes(restore->sections, "tasks", name, 1, 4);
        struct dev_error why = { "" };
        int result = -1;

        if (!section || section->version != 1) {
            return damaged(restore, error);
        }
        domain_enter(record->domain);
        result = device_load(record->device, section->bytes, section->length, &why);
        domain_leave(record->domain);
        if (result != 0) {
            return saved_refuse(restore->machine->config, error, ORIEL_ERROR_CORRUPT,
                                "the state of its device “%s” cannot be used", name);
        }
        restore->tasks[i] = tasks ? load_le32(tasks) : 0;
        if (record->class->n_tasks < 32 && restore->tasks[i] >> record->class->n_tasks != 0) {
            return damaged(restore, error);
        }
    }
    return true;
}

/* Copies of persistent memories as their files have them, by device. */
static uint8_t *file_copy(const struct device_memory *memory)
{
    return memory->fd >= 0 ? g_memdup2(memory->bytes, memory->size) : NULL;
}

static bool memory_load(struct restore *restore, GError **error)
{
    struct machine *machine = restore->machine;
    struct memory_region regions[MEMORY_REGIONS_MAX];
    unsigned n = machine_regions(machine, regions);
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_free);
    size_t firmware_size;
    void *firmware = boot_firmware_bytes(machine->boot, &firmware_size);

    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = device_at(restore, i);

        g_ptr_array_add(before,
                        record->class->n_memories > 0 ? file_copy(&record->memories[0]) : NULL);
        for (unsigned m = 0; m < record->class->n_memories; m++) {
            if (record->memories[m].bytes) {
                /* Private and anonymous: zeroes again. */
                madvise(record->memories[m].bytes, record->memories[m].size, MADV_DONTNEED);
            }
        }
    }
    memset(firmware, 0, firmware_size);
    if (!saved_read_memory(restore->saved, regions, n, error)) {
        return false;
    }
    for (unsigned i = 0; i < machine->devices->len; i++) {
        const uint8_t *old = g_ptr_array_index(before, i);
        const struct machine_device *record = device_at(restore, i);

        restore->changed[i] =
            old && memcmp(old, record->memories[0].bytes, record->memories[0].size) != 0;
    }
    return true;
}

static void back_ends_load(struct restore *restore)
{
    struct machine *machine = restore->machine;

    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        const uint8_t *generation =
            sections_bytes(restore->sections, "drive", drive_id(machine->board.drives[i]), 1, 8);

        if (generation) {
            drive_set_generation(machine->board.drives[i], load_le64(generation));
        }
    }
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        const struct section *in = sections_find(restore->sections, "serial", name);

        if (in) {
            serial_input(&machine->serials, i, in->bytes, in->length);
        }
    }
}

static void machine_state_load(struct restore *restore)
{
    struct machine *machine = restore->machine;
    const uint8_t *state = restore->state;

    clock_set(&machine->clock, load_le64(state + SAVED_STATE_TIME));
    machine->suspended = load_le32(state + SAVED_STATE_SUSPENDED) != 0;
    pthread_mutex_lock(&machine->lock);
    machine->kept = load_le32(state + SAVED_STATE_PENDING) & (unsigned)SAVED_PENDING_ALL;
    machine->ejected = load_le32(state + SAVED_STATE_EJECTED);
    machine->locked = load_le32(state + SAVED_STATE_LOCKED);
    pthread_mutex_unlock(&machine->lock);
    domain_enter(machine->board.fw_cfg->domain);
    boot_restore(machine->boot, load_le64(state + SAVED_STATE_GENERATION));
    domain_leave(machine->board.fw_cfg->domain);
}

static bool kvm_load(struct restore *restore, GError **error)
{
    struct machine *machine = restore->machine;
    const void *pit =
        sections_bytes(restore->sections, "kvm", "pit", 1, sizeof(struct kvm_pit_state2));
    struct vcpus_time time = { .clock_ns = load_le64(restore->state + SAVED_STATE_CLOCK) };

    if (!pit) {
        return damaged(restore, error);
    }
    memcpy(&time.pit, pit, sizeof(time.pit));
    for (unsigned i = 0; i < IRQ_CHIPS; i++) {
        const void *chip = sections_bytes(restore->sections, "kvm", machine_saved_chips[i], 1,
                                          sizeof(restore->chips[i]));

        if (!chip) {
            return damaged(restore, error);
        }
        memcpy(&restore->chips[i], chip, sizeof(restore->chips[i]));
    }
    if (!vcpus_time_set(&machine->vcpus, &time)) {
        return saved_refuse(machine->config, error, ORIEL_ERROR_HOST, "KVM refuses its clock");
    }
    for (unsigned i = 0; i < machine->vcpus.n; i++) {
        struct vcpu_saving saving = { .saved = restore->sections };

        vcpu_call(&machine->vcpus.all[i], vcpu_restore, &saving);
        if (!saving.good) {
            return saved_refuse(machine->config, error, ORIEL_ERROR_INVALID,
                                "KVM refuses the %s of processor %u", saving.what, i + 1);
        }
    }
    return true;
}

/* --- Bringing back -------------------------------------------------------------------------- */

static void domains_enter(struct machine *machine)
{
    domain_enter(&machine->chips);
    for (unsigned i = 0; i < machine->n_functions; i++) {
        domain_enter(&machine->functions[i]);
    }
}

/* Leaving runs the tasks. */
static void domains_leave(struct machine *machine)
{
    for (unsigned i = machine->n_functions; i > 0; i--) {
        domain_leave(&machine->functions[i - 1]);
    }
    domain_leave(&machine->chips);
}

/* From here on nothing may go wrong but what leaves no trace. */
static bool devices_bring_back(struct restore *restore, GError **error)
{
    struct machine *machine = restore->machine;
    bool good;

    domains_enter(machine);
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = device_at(restore, i);

        device_restored(record->device);
        for (unsigned task = 0; task < record->class->n_tasks; task++) {
            if (restore->tasks[i] & 1u << task) {
                domain_defer(record->domain, record, task);
            }
        }
    }
    good = irq_restore(&machine->irq, restore->chips) ||
           saved_refuse(machine->config, error, ORIEL_ERROR_INVALID,
                        "KVM refuses its interrupt controllers");
    good = good && oriel_saved_retire(machine->folder, error);
    if (!good) {
        tasks_forget(machine);
    }
    domains_leave(machine);
    return good;
}

/* A guest whose past is no longer the only one is told of it. */
static void generation_tell(struct restore *restore)
{
    const char *now = restore->machine->config->generation_id;
    const struct section *then = sections_find(restore->sections, "machine", "generation");

    if (now && then &&
        (then->length != strlen(now) || memcmp(then->bytes, now, then->length) != 0)) {
        control_event_send(restore->machine, EVENT_GENERATION);
    }
}

static void files_write(struct restore *restore)
{
    for (unsigned i = 0; i < restore->machine->devices->len; i++) {
        struct machine_device *record = device_at(restore, i);

        if (restore->changed[i]) {
            domain_enter(record->domain);
            machine_services.memory_sync(record->device, 0, 0, record->memories[0].size);
            domain_leave(record->domain);
        }
    }
}

/* Under control, the vCPUs' threads parked. */
static bool machine_load(struct machine *machine, const struct saved *saved, GError **error)
{
    g_autofree struct restore *restore = g_new0(struct restore, 1);

    g_assert(machine->devices->len <= G_N_ELEMENTS(restore->tasks));
    restore->machine = machine;
    restore->saved = saved;
    restore->sections = saved_sections(saved);
    tasks_forget(machine); /* of the power on that does not happen */
    if (!machine_check(restore, error) || !devices_load(restore, error) ||
        !memory_load(restore, error)) {
        return false;
    }
    back_ends_load(restore);
    machine_state_load(restore);
    if (!kvm_load(restore, error) || !devices_bring_back(restore, error)) {
        return false;
    }
    generation_tell(restore);
    files_write(restore);
    return true;
}

bool machine_start_saved(struct machine *machine, const struct saved *saved, bool paused,
                         GError **error)
{
    bool good = false;

    pthread_mutex_lock(&machine->control);
    if (machine_state(machine, NULL) != MACHINE_NEW) {
        machine_wrong_state(machine, "started", error);
    } else if (vcpus_start(&machine->vcpus, error) && control_thread_start(machine, error)) {
        vcpus_park(&machine->vcpus);
        good = machine_load(machine, saved, error);
        net_cards_replug(machine->networks);
    }
    if (good) {
        control_state_set(machine, paused ? MACHINE_PAUSED : MACHINE_RUNNING, REASON_USER, NULL);
        if (!paused) {
            machine_take_up_kept(machine);
        }
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}
