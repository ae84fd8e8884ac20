/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine/board.h"

#include <stdio.h>
#include <string.h>

#include "machine/record.h"
#include "pci.h"
#include "root_port.h"

enum {
    IRQ_TIMER = 0,
    IRQ_KEYBOARD = 1,
    IRQ_SERIAL2 = 3,
    IRQ_SERIAL1 = 4,
    IRQ_SCI = 9,
    IRQ_MOUSE = 12,

    NETWORK_SLOT = 2, /* of the first network card; the others are from the second one on */
    NETWORK_MORE_SLOT = 8,
};

/* --- Settings -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void setting(struct settings *settings,
                                                          const char *name, const char *format, ...)
{
    unsigned i = settings->n++;
    va_list arguments;

    g_assert(i < OPTIONS_MAX);
    va_start(arguments, format);
    vsnprintf(settings->text[i], sizeof(settings->text[i]), format, arguments);
    va_end(arguments);
    settings->values[i] = (struct option_value){ name, settings->text[i] };
}

static void set_display(const struct machine *machine, struct settings *settings)
{
    setting(settings, "vram", "%llu", (unsigned long long)machine->config->video_memory);
}

enum {
    GPU_MEMORY_MIN = 256 << 20, /* for a driver's pictures; taken from the host as it is used */
};

static void set_gpu(const struct machine *machine, struct settings *settings)
{
    set_display(machine, settings);
    setting(settings, "resources", "%llu",
            (unsigned long long)MAX(machine->config->video_memory, GPU_MEMORY_MIN));
    setting(settings, "heads", "%u", machine->config->displays);
}

static bool wants_vga(const struct machine *machine)
{
    return machine->config->video == ORIEL_VIDEO_STDVGA;
}

static bool wants_gpu(const struct machine *machine)
{
    return machine->config->video == ORIEL_VIDEO_VIRTIO_GPU;
}

static void set_rtc(const struct machine *machine, struct settings *settings)
{
    setting(settings, "base", "%s", machine->config->clock_local ? "local" : "utc");
}

static bool has_variables(const struct machine *machine)
{
    size_t size;

    return boot_variables(machine->boot, &size) != NULL;
}

/* Right below the firmware's image. */
static void set_flash(const struct machine *machine, struct settings *settings)
{
    size_t image, size;

    boot_firmware(machine->boot, &image);
    boot_variables(machine->boot, &size);
    setting(settings, "size", "%zu", size);
    setting(settings, "base", "%llu", (unsigned long long)(RAM_HIGH_BASE - image - size));
}

static bool has_generation(const struct machine *machine)
{
    return machine->config->generation_id != NULL;
}

static void set_generation(const struct machine *machine, struct settings *settings)
{
    setting(settings, "guid", "%s", machine->config->generation_id);
}

static void set_serial0(const struct machine *machine, struct settings *settings)
{
    setting(settings, "iobase", "0x3f8");
}

static void set_serial1(const struct machine *machine, struct settings *settings)
{
    setting(settings, "iobase", "0x2f8");
}

static bool wants_serial0(const struct machine *machine)
{
    return machine->config->serials > 0;
}

static bool wants_serial1(const struct machine *machine)
{
    return machine->config->serials > 1;
}

static bool wants_rng(const struct machine *machine)
{
    return machine->config->rng;
}

static bool wants_console(const struct machine *machine)
{
    return machine->config->console;
}

static bool wants_balloon(const struct machine *machine)
{
    return machine->config->balloon;
}

static bool wants_tablet(const struct machine *machine)
{
    return machine->config->pointer == ORIEL_POINTER_VIRTIO_TABLET;
}

/* --- The table ------------------------------------------------------------------------------- */

/*
 * In the order in which they are made. The host bridge first: the others' configuration is reached
 * through it.
 */
/* clang-format off */
static const struct board_device devices[] = {
    { "q35-host", "host-bridge", BDF(0, 0), { IRQ_NONE, IRQ_NONE } },
    { "stdvga", "display", BDF(1, 0), { IRQ_NONE, IRQ_NONE }, .wanted = wants_vga, .set = set_display },
    { "virtio-gpu", "display", BDF(1, 0), { IRQ_NONE, IRQ_NONE }, .wanted = wants_gpu, .set = set_gpu },
    { "virtio-rng", "rng", BDF(4, 0), { IRQ_NONE, IRQ_NONE }, .wanted = wants_rng },
    { "virtio-console", "console", BDF(5, 0), { IRQ_NONE, IRQ_NONE }, SERIAL_CONSOLE_PORT, .wanted = wants_console },
    { "virtio-balloon", "balloon", BDF(6, 0), { IRQ_NONE, IRQ_NONE }, .wanted = wants_balloon },
    { "virtio-tablet", "tablet", BDF(7, 0), { IRQ_NONE, IRQ_NONE }, .wanted = wants_tablet },
    { "ich9-lpc", "lpc", BDF(31, 0), { IRQ_SCI, IRQ_NONE } },
    { "ahci", "ahci", BDF(31, 2), { IRQ_NONE, IRQ_NONE } },
    { "ich9-smbus", "smbus", BDF(31, 3), { IRQ_NONE, IRQ_NONE } },
    { "cmos-rtc", "rtc", BDF_NONE, { IRQ_RTC, IRQ_NONE }, .set = set_rtc },
    { "i8042", "i8042", BDF_NONE, { IRQ_KEYBOARD, IRQ_MOUSE } },
    { "uart16550", "serial0", BDF_NONE, { IRQ_SERIAL1, IRQ_NONE }, 0, .wanted = wants_serial0, .set = set_serial0 },
    { "uart16550", "serial1", BDF_NONE, { IRQ_SERIAL2, IRQ_NONE }, 1, .wanted = wants_serial1, .set = set_serial1 },
    { "hpet", "hpet", BDF_NONE, { 0 } }, /* wired by its own rule, see record_fill_lines() */
    { "flash", "variables", BDF_NONE, { 0 }, .wanted = has_variables, .set = set_flash },
    { "vmgenid", "generation", BDF_NONE, { 0 }, .wanted = has_generation, .set = set_generation },
    { "fw-cfg", "fw-cfg", BDF_NONE, { IRQ_NONE, IRQ_NONE } },
    { "debug-port", "debug-port", BDF_NONE, { IRQ_NONE, IRQ_NONE }, SERIAL_DEBUG_PORT },
};
/* clang-format on */

/* --- Drives ---------------------------------------------------------------------------------- */

enum {
    VIRTIO_BLK_QUEUES_MAX = 8, /* what the device has */
};

static const OrielDrive *drive_config(const struct machine *machine, unsigned drive)
{
    return g_ptr_array_index(machine->config->drives, drive);
}

static void set_virtio_blk(const struct machine *machine, struct settings *settings)
{
    setting(settings, "queues", "%u", MIN(machine->config->cpus, VIRTIO_BLK_QUEUES_MAX));
}

/* The controller of a drive that has one of its own; false: it is a port of another's. */
static bool drive_controller(const struct machine *machine, unsigned drive,
                             struct board_device *entry)
{
    const OrielDrive *config = drive_config(machine, drive);

    *entry = (struct board_device){
        .name = drive_id(machine->board.drives[drive]),
        .bdf = config->port > 0 ? BEHIND(config->port) : BDF(BOOT_DRIVE_SLOT + drive, 0),
        .irqs = { IRQ_NONE, IRQ_NONE },
        .drive = drive,
        .port = config->port,
    };
    switch (config->controller) {
    case ORIEL_CONTROLLER_AHCI:
        return false;
    case ORIEL_CONTROLLER_VIRTIO:
        entry->class = "virtio-blk";
        entry->set = set_virtio_blk;
        return true;
    case ORIEL_CONTROLLER_NVME:
        entry->class = "nvme";
        return true;
    }
    g_assert_not_reached();
}

/* --- Network cards --------------------------------------------------------------------------- */

static void set_network(const struct machine *machine, const struct board_device *entry,
                        struct settings *settings)
{
    const OrielNetwork *network = g_ptr_array_index(machine->config->networks, entry->network);

    setting(settings, "mac", "%s", network->mac);
}

static void network_entry(const struct machine *machine, unsigned network,
                          struct board_device *entry)
{
    const OrielNetwork *config = g_ptr_array_index(machine->config->networks, network);

    *entry = (struct board_device){
        .name = config->id,
        .bdf = config->port > 0
                   ? BEHIND(config->port)
                   : BDF(network == 0 ? NETWORK_SLOT : NETWORK_MORE_SLOT + network - 1, 0),
        .irqs = { IRQ_NONE, IRQ_NONE },
        .network = network,
        .port = config->port,
        .set_entry = set_network,
    };
    switch (config->model) {
    case ORIEL_NETWORK_VIRTIO:
        entry->class = "virtio-net";
        return;
    case ORIEL_NETWORK_E1000E:
        entry->class = "e1000e";
        return;
    }
    g_assert_not_reached();
}

struct drive *board_drive(const struct machine_device *record, unsigned number)
{
    struct machine *machine = record->machine;
    unsigned drive = record->first_drive + number;
    struct board_device own;

    /* The ports of drives that have a controller of their own stay empty. */
    if (drive >= machine->board.n_drives ||
        (record->class->n_drives > 1 && drive_controller(machine, drive, &own))) {
        return NULL;
    }
    return machine->board.drives[drive];
}

/* --- Slots ----------------------------------------------------------------------------------- */

static void set_port(const struct machine *machine, const struct board_device *entry,
                     struct settings *settings)
{
    unsigned number = (entry->bdf & 7) + 1;
    bool occupied = false;

    for (guint i = 0; i < machine->config->drives->len; i++) {
        occupied |= drive_config(machine, i)->port == number;
    }
    for (guint i = 0; i < machine->config->networks->len; i++) {
        const OrielNetwork *network = g_ptr_array_index(machine->config->networks, i);

        occupied |= network->port == number;
    }
    setting(settings, "slot", "%u", number);
    setting(settings, "hotplug", "true");
    setting(settings, "occupied", "%s", occupied ? "true" : "false");
    setting(settings, "multifunction", "%s", number == 1 ? "true" : "false");
}

unsigned board_interrupt_slot(const struct board_device *entry)
{
    return entry->port > 0 ? BOOT_PORTS_SLOT : entry->bdf >> 3;
}

/* The entry of a drive with a controller of its own, or of a network card; false: there is none of
 * that id. */
static bool card_entry(const struct machine *machine, const char *id, struct board_device *entry)
{
    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        if (strcmp(drive_config(machine, i)->id, id) == 0) {
            return drive_controller(machine, i, entry);
        }
    }
    for (unsigned i = 0; i < machine->config->networks->len; i++) {
        network_entry(machine, i, entry);
        if (strcmp(entry->name, id) == 0) {
            return true;
        }
    }
    return false;
}

/* --- Building -------------------------------------------------------------------------------- */

/* Cards come last in the list, by slot, whenever they came. */
static unsigned place_of(const struct machine *machine, const struct board_device *entry)
{
    unsigned place = machine->devices->len;

    while (entry->port > 0 && place > 0 &&
           ((struct machine_device *)machine->devices->pdata[place - 1])->slot > entry->port) {
        place--;
    }
    return place;
}

static struct machine_device *device_make(struct machine *machine, const struct board_device *entry,
                                          GError **error)
{
    struct machine_device *record = record_make(machine, entry, place_of(machine, entry), error);

    if (record && entry->port > 0) {
        machine->board.ports[entry->port - 1].card = record;
    } else if (record && record->class->pci) {
        machine->board.functions[entry->bdf] = record;
    }
    return record;
}

static bool ports_build(struct machine *machine, GError **error)
{
    static const char *const names[CONFIG_PORTS_MAX] = { "port1", "port2", "port3", "port4",
                                                         "port5", "port6", "port7", "port8" };

    for (unsigned i = 0; machine->config->hotplug && i < CONFIG_PORTS_MAX; i++) {
        const struct board_device entry = {
            .class = "pcie-root-port",
            .name = names[i],
            .bdf = BDF(BOOT_PORTS_SLOT, i),
            .irqs = { IRQ_NONE, IRQ_NONE },
            .set_entry = set_port,
        };

        machine->board.ports[i].port = device_make(machine, &entry, error);
        if (!machine->board.ports[i].port) {
            return false;
        }
    }
    return true;
}

/* Drives and network cards, those in slots or the others. */
static bool cards_build(struct machine *machine, bool in_slots, GError **error)
{
    struct board_device entry;

    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        if (drive_controller(machine, i, &entry) && (entry.port > 0) == in_slots &&
            !device_make(machine, &entry, error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < machine->config->networks->len; i++) {
        network_entry(machine, i, &entry);
        if ((entry.port > 0) == in_slots && !device_make(machine, &entry, error)) {
            return false;
        }
    }
    return true;
}

static struct machine_device *device_find(struct machine *machine, const char *class)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        if (strcmp(record->class->name, class) == 0) {
            return record;
        }
    }
    return NULL;
}

bool board_build(struct machine *machine, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        const struct board_device *entry = &devices[i];

        if ((!entry->wanted || entry->wanted(machine)) && !device_make(machine, entry, error)) {
            return false;
        }
    }
    if (!cards_build(machine, false, error) || !ports_build(machine, error) ||
        !cards_build(machine, true, error)) {
        return false;
    }
    machine->board.fw_cfg = device_find(machine, "fw-cfg");
    machine->board.rtc = device_find(machine, "cmos-rtc");
    machine->board.display = device_find(machine, wants_gpu(machine) ? "virtio-gpu" : "stdvga");
    machine->board.pm = device_find(machine, "ich9-lpc");
    machine->board.storage = device_find(machine, "ahci");
    machine->board.generation = device_find(machine, "vmgenid");
    machine->board.balloon = device_find(machine, "virtio-balloon");
    return true;
}

void board_free(struct machine *machine)
{
    for (unsigned i = machine->devices->len; i > 0; i--) {
        record_free(g_ptr_array_index(machine->devices, i - 1));
    }
    g_ptr_array_set_size(machine->devices, 0);
    for (unsigned i = 0; i < machine->n_functions; i++) {
        domain_destroy(&machine->functions[i]);
    }
    machine->n_functions = 0;
}

bool board_card_make(struct machine *machine, const char *id, GError **error)
{
    struct machine_device *record;
    struct board_device entry;

    g_assert(card_entry(machine, id, &entry) && entry.port > 0);
    record = device_make(machine, &entry, error);
    if (!record) {
        record = g_ptr_array_index(machine->devices, place_of(machine, &entry) - 1);
        record_detach(record);
        record_free(record);
        return false;
    }
    domain_enter(record->domain);
    device_reset(record->device, RESET_COLD);
    domain_leave(record->domain);
    return true;
}

void board_card_free(struct machine *machine, struct board_port *slot)
{
    struct machine_device *record = slot->card;

    domain_enter(record->domain);
    device_reset(record->device, RESET_COLD);
    domain_leave(record->domain);
    slot->card = NULL;
    record->domain->tasks = NULL;
    record_detach(record);
    record_free(record);
}

/* A slot's bus number is a register of its port, which is written through the host bridge only, so
 * with that one's domain held it does not change. */
struct machine_device *board_function_find(struct machine *machine, unsigned bdf)
{
    if (bdf < G_N_ELEMENTS(machine->board.functions)) {
        return machine->board.functions[bdf];
    }
    for (unsigned i = 0; i < CONFIG_PORTS_MAX && (bdf & 0xff) == 0; i++) {
        const struct board_port *slot = &machine->board.ports[i];

        if (slot->port && pci_bridge_leads_to(to_pci(slot->port->device), bdf >> 8)) {
            return slot->card;
        }
    }
    return NULL;
}
