/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hpet.h"
#include "machine/machine_private.h"
#include "pci.h"

enum {
    OPTIONS_MAX = 4,
    IRQ_TIMER = 0,
    IRQ_KEYBOARD = 1,
    IRQ_SERIAL2 = 3,
    IRQ_SERIAL1 = 4,
    IRQ_RTC = 8,
    IRQ_SCI = 9,
    IRQ_MOUSE = 12,

    NETWORK_SLOT = 2, /* of the first network card; the others are from the second one on */
    NETWORK_MORE_SLOT = 8,
};

#define BDF(device, function) ((device) << 3 | (function))

/* Settings of one device, as text that lives until the device has been made. */
struct settings {
    struct option_value values[OPTIONS_MAX];
    char text[OPTIONS_MAX][64];
    unsigned n;
};

struct board_device {
    const char *class, *name;
    unsigned bdf;        /* BDF_NONE: one of the board's own chips */
    uint8_t irqs[2];     /* lines of the outputs; for PCI functions of those besides INTx */
    unsigned first_port; /* character port; see serial.h */
    unsigned drive;      /* of the configuration; of the AHCI controller: its first */
    unsigned network;    /* of the configuration */
    bool (*wanted)(const struct machine *machine);
    void (*set)(const struct machine *machine, struct settings *settings);
    /* The same for one of several. */
    void (*set_entry)(const struct machine *machine, const struct board_device *entry,
                      struct settings *settings);
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
    *entry = (struct board_device){
        .name = drive_id(machine->board.drives[drive]),
        .bdf = BDF(BOOT_DRIVE_SLOT + drive, 0),
        .irqs = { IRQ_NONE, IRQ_NONE },
        .drive = drive,
    };
    switch (drive_config(machine, drive)->controller) {
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
        .bdf = BDF(network == 0 ? NETWORK_SLOT : NETWORK_MORE_SLOT + network - 1, 0),
        .irqs = { IRQ_NONE, IRQ_NONE },
        .network = network,
        .set_entry = set_network,
    };
    switch (config->model) {
    case ORIEL_NETWORK_VIRTIO:
        entry->class = "virtio-net";
        return;
    }
    g_assert_not_reached();
}

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

static struct domain *domain_for(struct machine *machine, unsigned bdf)
{
    struct domain *domain;

    if (bdf == BDF_NONE) {
        return &machine->chips;
    }
    g_assert(machine->n_functions < MACHINE_DOMAINS_MAX);
    domain = &machine->functions[machine->n_functions++];
    domain_init(domain, &machine->clock);
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

        record->irqs[0].line = pin > 0 ? irq_pci_line(entry->bdf >> 3, pin - 1) : IRQ_NONE;
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
    record->domain = domain_for(machine, entry->bdf);
    record->first_port = entry->first_port;
    record->first_drive = entry->drive;
    if (record->class->on_net) {
        record->card = net_cards_get(machine->networks, entry->network);
        net_card_set_owner(record->card, record);
    }
    record_fill_space(record);
    record_fill_lines(record, entry);
    record_fill_timers(record);
    return record;
}

static void record_free(struct machine_device *record)
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
        unsigned drive = record->first_drive + i;
        struct board_device own;

        /* The ports of drives that have a controller of their own stay empty. */
        if (drive < machine->board.n_drives &&
            (record->class->n_drives == 1 || !drive_controller(machine, drive, &own))) {
            record->drives[i] = machine->board.drives[drive];
        }
    }
    for (unsigned i = 0; i < record->class->n_ports; i++) {
        machine->serials.ports[record->first_port + i].record = record;
        machine->serials.ports[record->first_port + i].port = i;
    }
}

/* --- Building -------------------------------------------------------------------------------- */

static void regions_place(struct machine_device *record)
{
    for (unsigned i = 0; i < record->class->n_regions; i++) {
        uint64_t base = record->class->regions[i].base;

        if (base != REGION_UNPLACED) {
            bus_place(&record->machine->bus, &record->regions[i], base);
        }
    }
}

static bool device_make(struct machine *machine, const struct board_device *entry, GError **error)
{
    struct machine_device *record = record_new(machine, entry);
    struct settings settings = { .n = 0 };
    struct dev_error problem = { "" };

    g_ptr_array_add(machine->devices, record);
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
        return false;
    }
    for (unsigned i = 0; i < record->class->n_memories; i++) {
        size_t size;

        if ((record->class->memories[i].flags & MEMORY_PERSISTENT) &&
            !memory_load(record->device, &record->memories[i], boot_variables(machine->boot, &size),
                         error)) {
            return false;
        }
    }
    if (record->class->pci) {
        to_pci(record->device)->bdf = (uint16_t)entry->bdf;
        machine->board.functions[entry->bdf] = record;
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
    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        struct board_device entry;

        if (drive_controller(machine, i, &entry) && !device_make(machine, &entry, error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < machine->config->networks->len; i++) {
        struct board_device entry;

        network_entry(machine, i, &entry);
        if (!device_make(machine, &entry, error)) {
            return false;
        }
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

struct machine_device *board_function_find(struct machine *machine, unsigned bdf)
{
    return bdf < G_N_ELEMENTS(machine->board.functions) ? machine->board.functions[bdf] : NULL;
}
