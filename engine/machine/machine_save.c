/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Saving a machine. Everything stands still meanwhile: vCPUs are parked with no exit half done,
 * timers and clocks are stopped, no request is with a disk (unless the host cannot carry it out;
 * then the device starts it again after the restore). Devices come before the interrupt
 * controllers: what somebody outside, a key say, does to a device in between is then an interrupt
 * too many and never one too few.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "bytes.h"
#include "cpu/vcpu_saved.h"
#include "machine/machine_control.h"
#include "machine/machine_saved.h"
#include "state.h"

const char *const machine_saved_chips[IRQ_CHIPS] = {
    [KVM_IRQCHIP_PIC_MASTER] = "pic0",
    [KVM_IRQCHIP_PIC_SLAVE] = "pic1",
    [KVM_IRQCHIP_IOAPIC] = "ioapic",
};

/* --- Parts ---------------------------------------------------------------------------------- */

static void region_add(struct memory_region *regions, unsigned *n, const char *name, void *bytes,
                       uint64_t size)
{
    if (size > 0) {
        g_assert(*n < MEMORY_REGIONS_MAX && strlen(name) < MEMORY_REGION_NAME_SIZE);
        regions[*n] = (struct memory_region){ .bytes = bytes, .size = size };
        g_strlcpy(regions[*n].name, name, sizeof(regions[*n].name));
        ++*n;
    }
}

unsigned machine_regions(struct machine *machine, struct memory_region regions[MEMORY_REGIONS_MAX])
{
    const struct ram *ram = &machine->memory_map.ram;
    unsigned n = 0;
    size_t firmware_size;
    void *firmware = boot_firmware_bytes(machine->boot, &firmware_size);

    region_add(regions, &n, "ram-low", ram->low, ram->low_size);
    region_add(regions, &n, "ram-high", ram->high, ram->high_size);
    region_add(regions, &n, "firmware", firmware, firmware_size);
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        for (unsigned m = 0; m < record->class->n_memories; m++) {
            g_autofree char *name = g_strdup_printf("%.20s.%u", record->device->name, m);

            if (record->class->memories[m].flags & (MEMORY_RAM | MEMORY_PERSISTENT)) {
                board_memory_open(record->device, &record->memories[m]);
                region_add(regions, &n, name, record->memories[m].bytes, record->memories[m].size);
            }
        }
    }
    return n;
}

struct saved_device *machine_saved_devices(struct machine *machine)
{
    struct saved_device *devices = g_new0(struct saved_device, machine->devices->len);

    for (unsigned i = 0; i < machine->devices->len; i++) {
        const struct machine_device *record = g_ptr_array_index(machine->devices, i);

        devices[i] = (struct saved_device){ record->device->name, record->class->name,
                                            record->class->version };
    }
    return devices;
}

uint32_t machine_tsc_khz(struct machine *machine)
{
    int khz = ioctl(machine->vcpus.all[0].fd, KVM_GET_TSC_KHZ, 0ul);

    return khz > 0 ? (uint32_t)khz : 0;
}

/* The configuration with the media that lie in the CD drives now. */
static OrielConfig *config_now(struct machine *machine)
{
    OrielConfig *config = oriel_config_copy(machine->config);

    for (guint i = 0; i < config->drives->len && i < machine->board.n_drives; i++) {
        OrielDrive *drive = config->drives->pdata[i];

        if (drive->kind == ORIEL_DRIVE_CDROM) {
            g_free(drive->path);
            drive->path = drive_path(machine->board.drives[i]);
        }
    }
    return config;
}

/* --- Sections ------------------------------------------------------------------------------- */

static void devices_save(struct machine *machine, GByteArray *state)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);
        size_t size = device_state_size(record->device);
        g_autofree uint8_t *bytes = g_malloc(size);
        uint8_t tasks[4];

        /* Its lock, but nothing of what runs when a domain is left. */
        pthread_mutex_lock(&record->domain->lock);
        device_save(record->device, bytes, size);
        store_le32(tasks, record->tasks);
        pthread_mutex_unlock(&record->domain->lock);
        sections_add(state, "device", record->device->name, 1, bytes, size);
        if (load_le32(tasks) != 0) {
            sections_add(state, "tasks", record->device->name, 1, tasks, sizeof(tasks));
        }
    }
}

static void back_ends_save(struct machine *machine, GByteArray *state)
{
    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        struct block_info info;
        uint8_t generation[8];

        drive_info(machine->board.drives[i], &info);
        store_le64(generation, info.generation);
        sections_add(state, "drive", drive_id(machine->board.drives[i]), 1, generation,
                     sizeof(generation));
    }
    pthread_mutex_lock(&machine->serials.lock);
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        const GByteArray *in = machine->serials.ports[i].in;
        g_autofree char *name = g_strdup_printf("%u", i);

        if (in->len > 0) {
            sections_add(state, "serial", name, 1, in->data, in->len);
        }
    }
    pthread_mutex_unlock(&machine->serials.lock);
}

static bool kvm_save(struct machine *machine, GByteArray *state, uint64_t *clock_ns)
{
    struct kvm_irqchip chips[IRQ_CHIPS];
    struct vcpus_time time;
    size_t length;
    const void *leaves = cpuid_bytes(machine->cpuid, &length);
    bool good = vcpus_time_get(&machine->vcpus, &time) && irq_get(&machine->irq, chips);

    for (unsigned i = 0; i < machine->vcpus.n && good; i++) {
        struct vcpu_saving saving = { .state = state };

        vcpu_call(&machine->vcpus.all[i], vcpu_save, &saving);
        good = saving.good;
    }
    if (good) {
        *clock_ns = time.clock_ns;
        sections_add(state, "machine", "cpuid", 1, leaves, length);
        sections_add(state, "kvm", "pit", 1, &time.pit, sizeof(time.pit));
        for (unsigned i = 0; i < IRQ_CHIPS; i++) {
            sections_add(state, "kvm", machine_saved_chips[i], 1, &chips[i], sizeof(chips[i]));
        }
    }
    return good;
}

static void machine_state_save(struct machine *machine, GByteArray *state, uint64_t clock_ns)
{
    const char *generation = machine->config->generation_id;
    uint8_t bytes[SAVED_STATE_SIZE];

    store_le64(bytes + SAVED_STATE_TIME, clock_now_ns(&machine->clock));
    store_le64(bytes + SAVED_STATE_CLOCK, clock_ns);
    store_le64(bytes + SAVED_STATE_GENERATION, boot_save(machine->boot));
    pthread_mutex_lock(&machine->lock);
    store_le32(bytes + SAVED_STATE_PENDING,
               (machine->pending | machine->kept) & (unsigned)SAVED_PENDING_ALL);
    store_le32(bytes + SAVED_STATE_EJECTED, machine->ejected);
    store_le32(bytes + SAVED_STATE_LOCKED, machine->locked);
    pthread_mutex_unlock(&machine->lock);
    store_le32(bytes + SAVED_STATE_SUSPENDED, machine->suspended);
    store_le32(bytes + SAVED_STATE_TSC_KHZ, machine_tsc_khz(machine));
    store_le32(bytes + SAVED_STATE_CPUS, machine->vcpus.n);
    sections_add(state, "machine", "state", 1, bytes, sizeof(bytes));
    if (generation) {
        sections_add(state, "machine", "generation", 1, generation, strlen(generation));
    }
}

/* --- The whole ------------------------------------------------------------------------------ */

static bool disks_sync(struct machine *machine, GError **error)
{
    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        if (!drive_sync(machine->board.drives[i], error)) {
            return false;
        }
    }
    return true;
}

/* While halted. */
static bool state_write(struct machine *machine, const struct memory_region *regions,
                        unsigned n_regions, GBytes *picture, GError **error)
{
    g_autoptr(OrielConfig) config = config_now(machine);
    g_autofree struct saved_device *devices = machine_saved_devices(machine);
    g_autoptr(GByteArray) state = sections_new();
    const struct saved_content content = {
        .folder = machine->folder,
        .config = config,
        .devices = devices,
        .n_devices = machine->devices->len,
        .regions = regions,
        .n_regions = n_regions,
        .state = state,
        .picture = picture,
        .work = &machine->save,
    };
    uint64_t clock_ns = 0;

    devices_save(machine, state);
    back_ends_save(machine, state);
    if (!kvm_save(machine, state, &clock_ns)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "/dev/kvm does not give away the state of “%s”, so it cannot be saved.",
                    machine->config->name);
        return false;
    }
    machine_state_save(machine, state, clock_ns);
    return saved_write(&content, error);
}

static bool is_crashing(struct machine *machine)
{
    bool crashing;

    pthread_mutex_lock(&machine->lock);
    crashing = machine->pending & PENDING_CRASH;
    pthread_mutex_unlock(&machine->lock);
    return crashing;
}

/* Under control. */
static bool save(struct machine *machine, GBytes *picture, GError **error)
{
    struct memory_region regions[MEMORY_REGIONS_MAX];
    unsigned n = machine_regions(machine, regions);
    bool ran = machine->vcpus_running, good = false;

    if (!saved_check_space(machine->folder, regions, n, error)) {
        return false;
    }
    control_halt(machine);
    drive_pool_drain(machine->drives); /* also of what was started again since a resume, paused */
    if (is_crashing(machine)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "“%s” cannot be saved: it is about to crash.", machine->config->name);
    } else {
        good = disks_sync(machine, error) && state_write(machine, regions, n, picture, error);
    }
    if (good) {
        control_stop(machine, REASON_SAVED);
    } else if (ran) {
        control_go(machine);
    }
    return good;
}

bool machine_save(struct machine *machine, GBytes *picture, GError **error)
{
    enum machine_state state;
    bool good = false;

    pthread_mutex_lock(&machine->control);
    state = machine_state(machine, NULL);
    if (state != MACHINE_RUNNING && state != MACHINE_PAUSED) {
        machine_wrong_state(machine, "saved", error);
    } else {
        atomic_store(&machine->save.done, 0);
        atomic_store(&machine->save.total, 0);
        atomic_store(&machine->saving, true);
        good = save(machine, picture, error);
        atomic_store(&machine->saving, false);
    }
    atomic_store(&machine->save.cancelled, false);
    pthread_mutex_unlock(&machine->control);
    return good;
}

void machine_cancel_save(struct machine *machine)
{
    atomic_store(&machine->save.cancelled, true);
}

double machine_save_progress(struct machine *machine)
{
    uint64_t total = atomic_load(&machine->save.total);

    return atomic_load(&machine->saving) && total > 0
               ? (double)atomic_load(&machine->save.done) / (double)total
               : 0;
}
