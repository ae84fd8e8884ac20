/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what an appliance declares to what the machine gets, in oriel-worker. See oriel-import.h. */
#include <glib/gi18n-lib.h>
#include <stdarg.h>
#include <string.h>

#include "config/config.h"
#include "config/network.h"
#include "oriel-import-private.h"
#include "library/oriel-library.h"
#include "library/oriel-plan.h"

static void note(OrielImport *import, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(OrielImport *import, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(import->report.notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* --- Which one, and its name ------------------------------------------------------------------ */

static gboolean machine_choose(OrielImport *import, GError **error)
{
    const GPtrArray *machines = import->appliance->systems;
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < machines->len; i++) {
        const OrielOvfMachine *machine = machines->pdata[i];

        g_string_append_printf(names, i > 0 ? _(", “%s”") : _("“%s”"), machine->name);
        if (import->options.machine ? strcmp(machine->name, import->options.machine) == 0
                                    : machines->len == 1 || import->options.first_machine) {
            import->report.machine = machine;
            return TRUE;
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The appliance has the machines %s; choose one of them with --machine."),
                names->str);
    return FALSE;
}

/* What a machine may be called, of what the appliance says. */
static char *name_make(const char *text)
{
    g_autofree char *name = g_utf8_make_valid(text, -1);
    const char *end;

    for (char *at = name; *at; at++) {
        if (*at == '/' || g_ascii_iscntrl(*at)) {
            *at = '-';
        }
    }
    while (*name == '.' || *name == ' ') {
        memmove(name, name + 1, strlen(name));
    }
    if (strlen(name) > CONFIG_NAME_MAX) {
        end = g_utf8_find_prev_char(name, name + CONFIG_NAME_MAX + 1);
        name[end - name] = '\0';
    }
    g_strchomp(name);
    return *name ? g_steal_pointer(&name) : g_strdup("Appliance");
}

/* --- Drives ----------------------------------------------------------------------------------- */

static const char *bus_word(OrielOvfBus bus)
{
    return bus == ORIEL_OVF_BUS_VIRTIO ? "virtio" : bus == ORIEL_OVF_BUS_NVME ? "NVMe" : "SATA";
}

static void drive_line(OrielImport *import, const struct import_drive *drive)
{
    g_autofree char *size = g_format_size_full(drive->size, G_FORMAT_SIZE_IEC_UNITS);
    char *line;

    if (drive->kind == ORIEL_OVF_DRIVE_DISK) {
        line = drive->file
                   /* Translators: a size, a file, and SATA, virtio or NVMe. */
                   ? g_strdup_printf(_("Disk of %s from %s, on %s"), size, drive->file->href,
                                     bus_word(drive->bus))
                   : g_strdup_printf(_("Disk of %s, empty, on %s"), size, bus_word(drive->bus));
    } else {
        line = drive->file ? g_strdup_printf(_("CD drive with %s"), drive->file->href)
                           : g_strdup(_("CD drive"));
    }
    g_ptr_array_add(import->report.drives, line);
    if (drive->kind == ORIEL_OVF_DRIVE_DISK && drive->bus != ORIEL_OVF_BUS_NONE &&
        drive->bus != ORIEL_OVF_BUS_SATA && drive->bus != ORIEL_OVF_BUS_VIRTIO &&
        drive->bus != ORIEL_OVF_BUS_NVME) {
        note(import, _("A disk was on %s and is on SATA now, which every system knows."),
             oriel_ovf_bus_name(drive->bus));
    }
}

/* Adds the declared drive with what can be told of its file. */
static gboolean drive_plan(OrielImport *import, const OrielOvfDrive *declared, GError **error)
{
    const OrielOvfDisk *disk = oriel_appliance_disk(import->appliance, declared->disk);
    struct import_drive drive = { .kind = declared->kind, .bus = declared->bus };

    drive.file = oriel_appliance_file(import->appliance, disk ? disk->file : declared->file);
    drive.capacity = disk ? disk->capacity : 0;
    if (disk && disk->file && !drive.file) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("The appliance cannot be used: its disk “%s” is in a file that is not declared."),
            disk->id);
        return FALSE;
    }
    if (drive.capacity > IMPORT_DISK_MAX ||
        (drive.kind == ORIEL_OVF_DRIVE_DISK && !drive.file && drive.capacity == 0)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The appliance is refused: its disk “%s” has no size that a disk can have."),
                    disk ? disk->id : "?");
        return FALSE;
    }
    if (drive.file && drive.kind == ORIEL_OVF_DRIVE_CDROM &&
        oriel_appliance_source_format(import->source) != ORIEL_FOREIGN_OVF &&
        !oriel_appliance_source_size(import->source, drive.file, &drive.space, NULL)) {
        note(import, _("The CD image “%s” is not there; the drive is empty."),
             drive.file->outside ? drive.file->outside : drive.file->href);
        drive.file = NULL;
    }
    if (drive.file &&
        !oriel_appliance_source_size(import->source, drive.file, &drive.space, error)) {
        return FALSE;
    }
    drive.size = MAX(drive.capacity, drive.kind == ORIEL_OVF_DRIVE_CDROM ? drive.space : 0);
    g_array_append_val(import->drives, drive);
    return TRUE;
}

/* Disks that no item attaches are attached behind the others. */
static gboolean disks_left(OrielImport *import, GError **error)
{
    const OrielOvfMachine *machine = import->report.machine;

    if (import->appliance->systems->len > 1) {
        return TRUE;
    }
    for (guint i = 0; i < import->appliance->disks->len; i++) {
        const OrielOvfDisk *disk = import->appliance->disks->pdata[i];
        const OrielOvfDrive drive = { .kind = ORIEL_OVF_DRIVE_DISK, .disk = disk->id };
        gboolean used = g_strcmp0(disk->format, "iso") == 0;

        for (guint j = 0; j < machine->drives->len; j++) {
            used |= g_strcmp0(((OrielOvfDrive *)machine->drives->pdata[j])->disk, disk->id) == 0;
        }
        if (used) {
            continue;
        }
        note(import, _("The disk “%s” is attached nowhere; the machine gets it all the same."),
             disk->id);
        if (!drive_plan(import, &drive, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean drives_plan(OrielImport *import, GError **error)
{
    const GPtrArray *drives = import->report.machine->drives;
    guint disks = 0, room;

    for (guint i = 0; i < drives->len; i++) {
        const OrielOvfDrive *drive = drives->pdata[i];

        disks += drive->kind == ORIEL_OVF_DRIVE_DISK;
        if (drive->kind == ORIEL_OVF_DRIVE_DISK && !drive_plan(import, drive, error)) {
            return FALSE;
        }
        if (drive->kind == ORIEL_OVF_DRIVE_FLOPPY) {
            note(import, _("It has a floppy drive, which machines of Oriel do not have."));
        }
    }
    if (!disks_left(import, error)) {
        return FALSE;
    }
    if (import->drives->len > CONFIG_DRIVES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The appliance has %u disks; a machine has at most %d drives."),
                    import->drives->len, CONFIG_DRIVES_MAX);
        return FALSE;
    }
    room = CONFIG_DRIVES_MAX - import->drives->len;
    for (guint i = 0; i < drives->len; i++) {
        const OrielOvfDrive *drive = drives->pdata[i];

        if (drive->kind != ORIEL_OVF_DRIVE_CDROM) {
            continue;
        }
        if (room == 0) {
            note(import, _("A CD drive is left out: a machine has at most %d drives."),
                 CONFIG_DRIVES_MAX);
        } else if (!drive_plan(import, drive, error)) {
            return FALSE;
        } else {
            room--;
        }
    }
    return TRUE;
}

/* One file with all of the disk in it. */
static void place_look(OrielImport *import, struct import_drive *drive, struct image *image)
{
    g_autofree char *name = NULL;
    struct import_place place = { .format = image->class->format };
    char magic[4] = "";

    if (image->backing || storage_read(image->storage, 0, magic, sizeof(magic)) != 0 ||
        (place.format == IMAGE_VMDK && memcmp(magic, "KDMV", 4) != 0) ||
        !oriel_appliance_source_place(import->source, drive->file, &name, &place.offset,
                                      &place.size) ||
        g_strlcpy(place.name, name, sizeof(place.name)) >= sizeof(place.name)) {
        return;
    }
    drive->place = place;
}

/* Looks into the disks that can be read in their place. */
static gboolean disks_look(OrielImport *import, gboolean *uefi, GError **error)
{
    gboolean first = TRUE;

    for (guint i = 0; i < import->drives->len; i++) {
        struct import_drive *drive = &g_array_index(import->drives, struct import_drive, i);

        if (drive->kind == ORIEL_OVF_DRIVE_DISK && drive->file &&
            oriel_appliance_source_is_plain(import->source, drive->file)) {
            struct image *image = import_image_open(import, drive, NULL, NULL, error);

            if (!image) {
                return FALSE;
            }
            drive->size = MAX(drive->capacity, image->size);
            drive->space = import_image_data(image);
            place_look(import, drive, image);
            *uefi |= first && import_image_is_uefi(image);
            image_free(image);
        }
        first &= drive->kind != ORIEL_OVF_DRIVE_DISK;
        import->report.disks_size += drive->size;
        import->report.space += drive->space;
        drive_line(import, drive);
    }
    return TRUE;
}

/* --- The machine ------------------------------------------------------------------------------ */

static void hardware_plan(OrielImport *import, const OrielPlan *plan)
{
    const OrielOvfMachine *machine = import->report.machine;
    OrielImportReport *report = &import->report;

    report->os = plan->system->id;
    report->cpus = machine->cpus ? machine->cpus : plan->defaults.cpus;
    report->memory = machine->memory ? machine->memory : plan->defaults.memory;
    if (report->cpus > plan->host.cpus && plan->host.cpus > 0) {
        note(import, _("It asks for %u processors; this computer has %u, and so has the machine."),
             report->cpus, plan->host.cpus);
        report->cpus = plan->host.cpus;
    }
    report->cpus = CLAMP(report->cpus, 1, CONFIG_CPUS_MAX);
    if (report->memory > plan->host.memory / 4 * 3 && plan->host.memory > 0) {
        g_autofree char *wanted = g_format_size_full(report->memory, G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *given = g_format_size_full(plan->defaults.memory, G_FORMAT_SIZE_IEC_UNITS);

        note(import, _("It asks for %s of memory, which this computer cannot spare; it gets %s."),
             wanted, given);
        report->memory = plan->defaults.memory;
    }
    report->memory = CLAMP(report->memory >> 20 << 20, CONFIG_MEMORY_MIN, CONFIG_MEMORY_MAX);
}

/* --- Network cards ---------------------------------------------------------------------------- */

static gboolean address_taken(const OrielImport *import, const char *mac)
{
    for (guint i = 0; i < import->cards->len; i++) {
        if (strcmp(g_array_index(import->cards, struct import_card, i).mac, mac) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_virtio(const char *model)
{
    g_autofree char *lower = g_ascii_strdown(model, -1);

    return strstr(lower, "virtio") != NULL;
}

/* A card for people; `model` is the word that its setting has. */
static char *card_line(const struct import_card *card, const char *model)
{
    if (*card->mac) {
        return card->connected
                   ? g_strdup_printf(_("%s, with the address %s"), model, card->mac)
                   : g_strdup_printf(_("%s, with the address %s, its cable out"), model, card->mac);
    }
    return card->connected ? g_strdup_printf(_("%s, with a new address"), model)
                           : g_strdup_printf(_("%s, with a new address, its cable out"), model);
}

/* An address is kept: systems call their connections by it. */
static void card_plan(OrielImport *import, const OrielOvfCard *declared)
{
    gboolean virtio =
        declared->model
            ? is_virtio(declared->model)
            : strcmp(oriel_system_network(oriel_system_find(import->report.os)), "virtio") == 0;
    const char *model = virtio ? "virtio" : "e1000e";
    struct import_card card = { .connected = declared->connected,
                                .model = virtio ? ORIEL_NETWORK_VIRTIO : ORIEL_NETWORK_E1000E };

    if (declared->mac && oriel_mac_is_valid(declared->mac) &&
        !address_taken(import, declared->mac)) {
        g_strlcpy(card.mac, declared->mac, sizeof(card.mac));
    }
    g_array_append_val(import->cards, card);
    g_ptr_array_add(import->report.cards, card_line(&card, model));
    if (declared->model && !virtio && g_ascii_strcasecmp(declared->model, model) != 0) {
        note(import,
             _("A network card was %s and is an Intel 82574L (e1000e) now: a system without a "
               "driver for that has no network."),
             declared->model);
    }
}

static void cards_plan(OrielImport *import)
{
    const GPtrArray *cards = import->report.machine->cards;

    for (guint i = 0; i < cards->len && i < CONFIG_NETWORKS_MAX; i++) {
        card_plan(import, cards->pdata[i]);
    }
    if (cards->len > CONFIG_NETWORKS_MAX) {
        note(import, _("It has %u network cards; a machine has at most %d."), cards->len,
             CONFIG_NETWORKS_MAX);
    }
    if (cards->len > 0) {
        note(import, _("Its network cards lead where your own programs can go, whatever they were "
                       "connected to."));
    }
}

/* The firmware's variables, if they are of a kind that our firmware has. */
static GBytes *nvram_read(OrielImport *import)
{
    const OrielOvfFile *file =
        oriel_appliance_file(import->appliance, import->report.machine->nvram_file);
    g_autoptr(GBytes) nvram = NULL;
    struct storage *storage;
    guint64 size;

    if (!file || !oriel_appliance_source_size(import->source, file, &size, NULL) ||
        size > IMPORT_NVRAM_MAX || !oriel_appliance_source_is_plain(import->source, file)) {
        return NULL;
    }
    storage =
        oriel_appliance_source_storage(import->source, file, NULL, IMPORT_NVRAM_MAX, NULL, NULL);
    if (storage) {
        g_autofree guint8 *bytes = g_malloc(size);

        if (storage_read_all(storage, 0, bytes, size) == 0) {
            nvram = g_bytes_new_take(g_steal_pointer(&bytes), size);
        }
        storage_free(storage);
    }
    return nvram && import_nvram_fits(nvram) ? g_steal_pointer(&nvram) : NULL;
}

static void nvram_plan(OrielImport *import)
{
    if (!import->report.machine->nvram_file || !import->report.uefi) {
        return;
    }
    import->nvram = nvram_read(import);
    note(import, import->nvram
                     ? _("The firmware’s own settings (NVRAM) are carried over.")
                     : _("The firmware’s own settings (NVRAM) are made anew; if it does not start "
                         "by itself, choose the boot loader’s file in the firmware’s menu."));
}

static void differences_note(OrielImport *import)
{
    const OrielOvfMachine *machine = import->report.machine;

    for (guint i = 0; i < import->appliance->notes->len; i++) {
        note(import, "%s", (const char *)import->appliance->notes->pdata[i]);
    }
    if (machine->sound) {
        note(import, _("The sound card is left out."));
    }
    if (machine->tpm) {
        note(import, _("The TPM is left out; what is sealed in it asks for its recovery key."));
    }
    if (machine->secure_boot) {
        note(import, _("Secure Boot is off."));
    }
    nvram_plan(import);
    if (machine->chipset && g_ascii_strcasecmp(machine->chipset, "ICH9") != 0) {
        note(import, _("The chipset was %s and is Q35 now; Windows may ask to be activated."),
             machine->chipset);
    }
    if (!import->report.has_manifest &&
        oriel_appliance_source_format(import->source) == ORIEL_FOREIGN_OVF) {
        note(import, _("It has no manifest: whether it is complete cannot be checked."));
    }
    if (import->report.is_signed) {
        note(import, _("It is signed; who signed it is not checked."));
    }
}

static gboolean plan_make(OrielImport *import, GError **error)
{
    g_autofree char *own = oriel_library_folder(FALSE, NULL);
    OrielImportReport *report = &import->report;
    gboolean uefi = FALSE;
    OrielPlan plan;

    if (!machine_choose(import, error)) {
        return FALSE;
    }
    const OrielOvfMachine *machine = report->machine;

    if (!import->name) {
        import->name = name_make(machine->name);
    }
    report->name = import->name;
    oriel_plan_make(&plan, NULL, machine->os, import->folder ? import->folder : own ? own : "/");
    report->space_free = plan.host.disk_free;
    hardware_plan(import, &plan);
    if (!drives_plan(import, error) || !disks_look(import, &uefi, error)) {
        return FALSE;
    }
    report->uefi = machine->firmware == ORIEL_OVF_FIRMWARE_UNKNOWN
                       ? uefi
                       : machine->firmware == ORIEL_OVF_FIRMWARE_UEFI;
    report->firmware_reason =
        machine->firmware != ORIEL_OVF_FIRMWARE_UNKNOWN ? _("as it says") : _("by its first disk");
    cards_plan(import);
    differences_note(import);
    return TRUE;
}

/* --- Opening ---------------------------------------------------------------------------------- */

static OrielAppliance *description_read(OrielImport *import, GError **error)
{
    OrielForeign format = oriel_appliance_source_format(import->source);
    gsize length;
    const char *text = oriel_appliance_source_text(import->source, &length);

    return format == ORIEL_FOREIGN_UNKNOWN
               ? import_images_describe(import, error)
               : oriel_foreign_parse(format, text, length,
                                     oriel_appliance_source_name(import->source), error);
}

OrielImport *import_plan(const char *path, const OrielImportOptions *options, int scratch,
                         GVariant *unpacked, GError **error)
{
    g_autoptr(OrielImport) import = import_new(options);

    import->drives = g_array_new(FALSE, TRUE, sizeof(struct import_drive));
    import->cards = g_array_new(FALSE, TRUE, sizeof(struct import_card));
    import->report.drives = g_ptr_array_new_with_free_func(g_free);
    import->report.cards = g_ptr_array_new_with_free_func(g_free);
    import->report.notes = g_ptr_array_new_with_free_func(g_free);
    import->free_source = oriel_appliance_source_free;
    import->source = oriel_appliance_source_open(
        path, &(OrielApplianceSourceOptions){ options->disks, scratch, unpacked }, error);
    if (!import->source || (!options->ignore_manifest &&
                            !oriel_appliance_source_verify(import->source, NULL, NULL, error))) {
        return NULL;
    }
    import->appliance = description_read(import, error);
    import->report.appliance = import->appliance;
    import->report.has_manifest = oriel_appliance_source_has_manifest(import->source);
    import->report.is_signed = oriel_appliance_source_is_signed(import->source);
    if (!import->appliance || !plan_make(import, error)) {
        return NULL;
    }
    return g_steal_pointer(&import);
}
