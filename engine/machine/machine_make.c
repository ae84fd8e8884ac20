/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a machine and taking it down. Order of making: what can fail because of the user's files
 * comes first, then KVM, then the board, then what the firmware is told of it. machine_free() takes
 * down whatever machine_new() got to.
 */
#include <errno.h>
#include <string.h>

#include "bus/wall_clock.h"
#include "display/desktop.h"
#include "input/input_router.h"
#include "machine/machine_control.h"
#include "machine/machine_private.h"
#include "machine/network.h"
#include "rtc.h"
#include "vmgenid.h"

/* --- Back ends' events ----------------------------------------------------------------------- */

/* Neighbours in the list that are of one device enter it together, so that it answers its guest
 * once. */
static void on_block_done(void *context, struct block_request *requests)
{
    while (requests) {
        struct device *device = requests->device;
        struct machine_device *record = record_of(device);

        domain_enter(record->domain);
        while (requests && requests->device == device) {
            struct block_request *next = requests->next;

            record->class->on_block(device, requests);
            requests = next;
        }
        domain_leave(record->domain);
    }
}

static void on_block_stalled(void *context, struct drive *drive, int error, const char *message)
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;

    machine_trouble(context, PENDING_STALL, full ? REASON_DISK_FULL : REASON_DISK_ERROR, message);
}

void machine_device_enter(struct device *device)
{
    struct machine_device *record = record_of(device);

    bus_drain(&record->machine->bus);
    domain_enter(record->domain);
}

void machine_device_leave(struct device *device)
{
    domain_leave(record_of(device)->domain);
}

/* --- Making ---------------------------------------------------------------------------------- */

static bool drives_open(struct machine *machine, GError **error)
{
    const struct drive_events events = { on_block_done, on_block_stalled, machine };
    GPtrArray *drives = machine->config->drives;

    machine->drives = drive_pool_new(&events, DRIVE_ENGINE_BEST);
    for (guint i = 0; i < drives->len && i < CONFIG_DRIVES_MAX; i++) {
        const OrielDrive *config = g_ptr_array_index(drives, i);
        bool optical = config->kind == ORIEL_DRIVE_CDROM;
        struct drive *drive =
            drive_new(machine->drives, config->id, machine->config->uuid, optical);

        if (config->cache == ORIEL_CACHE_DIRECT) {
            drive_set_direct(drive);
        }
        drive_set_limits(drive,
                         &(struct drive_limits){ config->iops_limit, config->bandwidth_limit });
        machine->board.drives[machine->board.n_drives++] = drive;
        if (config->path &&
            !drive_open(drive, machine->folder, config->path, drive_image_format(config->format),
                        optical || config->read_only, error)) {
            return false;
        }
    }
    return true;
}

static void host_warn(struct machine *machine)
{
    g_autofree char *warning = cpuid_warning(machine->cpuid);

    if (warning) {
        g_message("%s", warning);
    }
}

static bool processor_parts_make(struct machine *machine, GError **error)
{
    const OrielConfig *config = machine->config;

    if (!kvm_open(&machine->kvm, error) || !irq_init(&machine->irq, &machine->kvm, error)) {
        return false;
    }
    bus_init(&machine->bus, &machine->kvm);
    doorbells_init(&machine->doorbells, &machine->kvm);
    drive_pool_listen(machine->drives, machine->doorbells.disks, doorbells_hear_disks,
                      &machine->doorbells);
    machine->cpuid = cpuid_new(&machine->kvm, config->cpus, error);
    if (!machine->cpuid) {
        return false;
    }
    host_warn(machine);
    return memory_map_init(&machine->memory_map, &machine->kvm, &machine->vcpus, &machine->bus,
                           config->memory, error) &&
           vcpus_init(&machine->vcpus, machine, config->cpus, error);
}

static uint32_t boot_pci_read(void *context, unsigned bdf, unsigned offset, unsigned size)
{
    struct machine *machine = context;
    struct device *fw_cfg = machine->board.fw_cfg->device;

    return machine_services.pci_config_read(fw_cfg, bdf, offset, size);
}

/* In fw_cfg's domain, which is also that of the generation id: the board's chips share one. */
static void boot_generation_page(void *context, uint64_t gpa)
{
    struct machine *machine = context;

    vmgenid_set_page(machine->board.generation->device, gpa);
}

static void cmos_set(void *context, uint8_t index, uint8_t value)
{
    struct machine *machine = context;

    rtc_set_byte(machine->board.rtc->device, index, value);
}

static void firmware_install(struct machine *machine)
{
    uint32_t apic_ids[CONFIG_CPUS_MAX];
    struct boot_board board = {
        .n_cpus = machine->vcpus.n,
        .apic_ids = apic_ids,
        .ram_low = machine->memory_map.ram.low_size,
        .ram_high = machine->memory_map.ram.high_size,
        .hyper_transport_hole = cpuid_is_amd(machine->cpuid),
        .suspend = true,
        .n_serials = machine->config->serials,
        .physical_bits = cpuid_physical_bits(machine->cpuid),
        .pci_read = boot_pci_read,
        .generation_page = machine->board.generation ? boot_generation_page : NULL,
        .context = machine,
    };
    const void *image;
    size_t size;

    for (unsigned i = 0; i < machine->vcpus.n; i++) {
        apic_ids[i] = machine->vcpus.all[i].apic_id;
    }
    image = boot_firmware(machine->boot, &size);
    memory_map_set_firmware(&machine->memory_map, image, size);
    boot_install(machine->boot, &board, machine->board.fw_cfg->device);
    boot_cmos(machine->boot, &board, cmos_set, machine);
}

static void front_make(struct machine *machine)
{
    machine->input = input_new(machine_device_enter, machine_device_leave);
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        if (record->class->input) {
            input_add_device(machine->input, record->device);
        }
    }
    desktop_init(&machine->desktop, machine->board.display->device, machine_device_enter,
                 machine_device_leave);
}

static bool machine_make(struct machine *machine, GError **error)
{
    if (!clock_init(&machine->clock)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST, "The computer gives no timer (%s).",
                    g_strerror(errno));
        return false;
    }
    domain_init(&machine->chips, &machine->clock);
    machine->boot = boot_prepare(machine->config, machine->folder, error);
    if (!machine->boot || !drives_open(machine, error) || !processor_parts_make(machine, error) ||
        !board_build(machine, error)) {
        return false;
    }
    firmware_install(machine);
    if (!memory_map_build(&machine->memory_map, error)) {
        return false;
    }
    irq_save_power_on(&machine->irq);
    front_make(machine);
    return true;
}

/* On the main loop. */
static void wall_clock_stepped(void *context)
{
    struct machine *machine = context;

    pthread_mutex_lock(&machine->parts);
    control_event_send(machine, EVENT_CLOCK);
    pthread_mutex_unlock(&machine->parts);
}

struct machine *machine_new(const OrielConfig *config, const char *folder,
                            const struct machine_callbacks *callbacks, GError **error)
{
    struct machine *machine = g_new0(struct machine, 1);

    machine->config = oriel_config_copy(config);
    machine->folder = g_strdup(folder);
    machine->callbacks = *callbacks;
    machine->kvm.system = machine->kvm.vm = -1;
    machine->devices = g_ptr_array_new();
    g_queue_init(&machine->notices);
    pthread_mutex_init(&machine->control, NULL);
    pthread_mutex_init(&machine->parts, NULL);
    pthread_mutex_init(&machine->lock, NULL);
    pthread_cond_init(&machine->unplugged, NULL);
    pthread_cond_init(&machine->wanted, NULL);
    machine->networks = network_make(config);
    machine->notice_source = machine_notices_source_new(machine);
    machine->wall_clock = wall_clock_watch(wall_clock_stepped, machine);
    serials_init(&machine->serials);
    if (!machine_make(machine, error)) {
        machine_free(machine);
        return NULL;
    }
    return machine;
}

static void notice_free(gpointer data)
{
    struct machine_notice *notice = data;

    g_free(notice->text);
    g_free(notice);
}

void machine_free(struct machine *machine)
{
    if (machine->control_started) {
        machine_stop(machine, REASON_USER);
    }
    control_thread_end(machine);
    vcpus_destroy(&machine->vcpus);
    clock_destroy(&machine->clock);
    doorbells_stop(&machine->doorbells);
    net_cards_stop(machine->networks);
    if (machine->drives) {
        drive_pool_stop(machine->drives);
    }
    desktop_clear(&machine->desktop);
    g_clear_pointer(&machine->input, input_free);
    board_free(machine);
    domain_destroy(&machine->chips);
    g_clear_pointer(&machine->drives, drive_pool_free);
    net_cards_free(machine->networks);
    g_clear_pointer(&machine->boot, boot_free);
    memory_map_destroy(&machine->memory_map);
    doorbells_destroy(&machine->doorbells);
    bus_destroy(&machine->bus);
    irq_destroy(&machine->irq);
    g_clear_pointer(&machine->cpuid, cpuid_free);
    kvm_close(&machine->kvm);
    serials_destroy(&machine->serials);
    if (machine->wall_clock) {
        g_source_destroy(machine->wall_clock);
        g_source_unref(machine->wall_clock);
    }
    g_source_destroy(machine->notice_source);
    g_source_unref(machine->notice_source);
    g_queue_clear_full(&machine->notices, notice_free);
    g_ptr_array_free(machine->devices, TRUE);
    pthread_cond_destroy(&machine->wanted);
    pthread_cond_destroy(&machine->unplugged);
    pthread_mutex_destroy(&machine->lock);
    pthread_mutex_destroy(&machine->parts);
    pthread_mutex_destroy(&machine->control);
    oriel_config_free(machine->config);
    g_free(machine->folder);
    g_free(machine->trouble_text);
    g_free(machine->crash_report);
    g_free(machine);
}
