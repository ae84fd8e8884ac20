/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan of an import on its way from oriel-worker. The worker has read a stranger's file: what
 * comes from it is used as carefully as that file, by type and range, and nothing in it is a path.
 */
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/network.h"
#include "oriel-import-private.h"

#define DRIVES_TYPE "a(uubaytttayttu)"
#define CARDS_TYPE  "a(aybu)"

/* --- Both sides ------------------------------------------------------------------------------- */

char *import_drive_name(const OrielImport *import, guint number)
{
    const struct import_drive *drive = &g_array_index(import->drives, struct import_drive, number);

    if (drive->kind == ORIEL_OVF_DRIVE_DISK) {
        return g_strdup_printf("disks/disk%u.qcow2", number);
    }
    return drive->file ? g_strdup_printf("disks/cdrom%u.iso", number) : NULL;
}

OrielImport *import_new(const OrielImportOptions *options)
{
    OrielImport *import = g_atomic_rc_box_new0(OrielImport);

    import->scratch = -1;
    import->options = *options;
    import->options.before = NULL;
    import->options.name = import->name = g_strdup(options->name);
    import->options.machine = import->machine = g_strdup(options->machine);
    import->options.disks = import->disks = g_strdup(options->disks);
    import->folder = options->folder ? g_canonicalize_filename(options->folder, NULL) : NULL;
    import->options.folder = import->folder;
    return import;
}

static void import_clear(gpointer data)
{
    OrielImport *import = data;

    oriel_appliance_free(import->appliance);
    if (import->source) {
        import->free_source(import->source);
    }
    g_clear_pointer(&import->drives, g_array_unref);
    g_clear_pointer(&import->cards, g_array_unref);
    g_clear_pointer(&import->nvram, g_bytes_unref);
    g_clear_pointer(&import->report.cards, g_ptr_array_unref);
    g_clear_pointer(&import->report.drives, g_ptr_array_unref);
    g_clear_pointer(&import->report.notes, g_ptr_array_unref);
    g_clear_pointer(&import->wire, g_variant_unref);
    g_clear_pointer(&import->unpacked, g_variant_unref);
    g_free(import->name);
    g_free(import->folder);
    g_free(import->machine);
    g_free(import->disks);
    g_free(import->path);
    g_free(import->reads);
    if (import->scratch >= 0) {
        close(import->scratch);
    }
}

OrielImport *oriel_import_ref(OrielImport *import)
{
    return g_atomic_rc_box_acquire(import);
}

void oriel_import_free(OrielImport *import)
{
    if (import) {
        g_atomic_rc_box_release_full(import, import_clear);
    }
}

const OrielImportReport *oriel_import_report(const OrielImport *import)
{
    return &import->report;
}

/* --- To the caller ---------------------------------------------------------------------------- */

static void text_put(GVariantDict *dict, const char *key, const char *text)
{
    if (text) {
        g_variant_dict_insert_value(dict, key, g_variant_new_bytestring(text));
    }
}

static void texts_put(GVariantDict *dict, const char *key, const GPtrArray *texts)
{
    g_variant_dict_insert_value(
        dict, key,
        g_variant_new_bytestring_array((const char *const *)texts->pdata, (gssize)texts->len));
}

static void machines_put(GVariantDict *dict, const OrielAppliance *appliance)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < appliance->systems->len; i++) {
        g_ptr_array_add(names, ((const OrielOvfMachine *)appliance->systems->pdata[i])->name);
    }
    texts_put(dict, "machines", names);
}

static void machine_put(GVariantDict *dict, const OrielOvfMachine *machine)
{
    text_put(dict, "product", machine->product);
    text_put(dict, "annotation", machine->annotation);
    text_put(dict, "os-text", machine->os_text);
    text_put(dict, "hardware", machine->hardware);
    g_variant_dict_insert(dict, "clock-known", "b", machine->clock_known);
    g_variant_dict_insert(dict, "clock-local", "b", machine->clock_local);
}

static GVariant *drives_put(const GArray *drives)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(DRIVES_TYPE));
    for (guint i = 0; i < drives->len; i++) {
        const struct import_drive *drive = &g_array_index(drives, struct import_drive, i);

        g_variant_builder_add(
            &builder, "(uub@ayttt@ayttu)", drive->kind, drive->bus, drive->file != NULL,
            g_variant_new_bytestring(drive->file ? drive->file->href : ""), drive->capacity,
            drive->size, drive->space, g_variant_new_bytestring(drive->place.name),
            drive->place.offset, drive->place.size, drive->place.format);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *cards_put(const GArray *cards)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(CARDS_TYPE));
    for (guint i = 0; i < cards->len; i++) {
        const struct import_card *card = &g_array_index(cards, struct import_card, i);

        g_variant_builder_add(&builder, "(@aybu)", g_variant_new_bytestring(card->mac),
                              card->connected, (guint32)card->model);
    }
    return g_variant_builder_end(&builder);
}

GVariant *import_to_wire(const OrielImport *import)
{
    const OrielImportReport *report = &import->report;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    text_put(&dict, "name", report->name);
    text_put(&dict, "machine", report->machine->name);
    text_put(&dict, "os", report->os);
    text_put(&dict, "format", report->appliance->format);
    text_put(&dict, "version", report->appliance->version);
    text_put(&dict, "firmware-reason", report->firmware_reason);
    machines_put(&dict, report->appliance);
    texts_put(&dict, "eulas", report->appliance->eulas);
    machine_put(&dict, report->machine);
    g_variant_dict_insert(&dict, "cpus", "u", report->cpus);
    g_variant_dict_insert(&dict, "memory", "t", report->memory);
    g_variant_dict_insert(&dict, "uefi", "b", report->uefi);
    g_variant_dict_insert(&dict, "disks-size", "t", report->disks_size);
    g_variant_dict_insert(&dict, "space", "t", report->space);
    g_variant_dict_insert(&dict, "space-free", "t", report->space_free);
    g_variant_dict_insert(&dict, "has-manifest", "b", report->has_manifest);
    g_variant_dict_insert(&dict, "is-signed", "b", report->is_signed);
    texts_put(&dict, "drive-lines", report->drives);
    texts_put(&dict, "card-lines", report->cards);
    texts_put(&dict, "notes", report->notes);
    g_variant_dict_insert_value(&dict, "drives", drives_put(import->drives));
    g_variant_dict_insert_value(&dict, "cards", cards_put(import->cards));
    if (import->nvram) {
        g_variant_dict_insert_value(
            &dict, "nvram",
            g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, import->nvram, TRUE));
    }
    return g_variant_dict_end(&dict);
}

/* --- From the worker -------------------------------------------------------------------------- */

/* A text of the message, valid as long as that; NULL: not said, or no text. */
static const char *text_get(GVariant *wire, const char *key)
{
    const char *text = NULL;

    g_variant_lookup(wire, key, "^&ay", &text);
    return text && g_utf8_validate(text, -1, NULL) ? text : NULL;
}

static GPtrArray *texts_get(GVariant *wire, const char *key)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree const char **found = NULL;

    g_variant_lookup(wire, key, "^a&ay", &found);
    for (gsize i = 0; found && found[i]; i++) {
        g_ptr_array_add(texts, g_utf8_make_valid(found[i], -1));
    }
    return texts;
}

/* Only what the report says of them. */
static OrielAppliance *appliance_get(GVariant *wire, const char *name, guint *chosen)
{
    OrielAppliance *appliance = oriel_appliance_new();
    g_autoptr(GPtrArray) names = texts_get(wire, "machines");
    g_autoptr(GPtrArray) eulas = texts_get(wire, "eulas");

    appliance->format = text_get(wire, "format");
    appliance->version = g_strdup(text_get(wire, "version"));
    g_ptr_array_extend(appliance->eulas, eulas, (GCopyFunc)(void (*)(void))g_strdup, NULL);
    for (guint i = 0; i < names->len; i++) {
        OrielOvfMachine *machine = oriel_ovf_machine_new();

        machine->name = g_strdup(names->pdata[i]);
        if (g_strcmp0(machine->name, name) == 0) {
            *chosen = i;
        }
        g_ptr_array_add(appliance->systems, machine);
    }
    return appliance;
}

static void machine_get(GVariant *wire, OrielOvfMachine *machine)
{
    machine->product = g_strdup(text_get(wire, "product"));
    machine->annotation = g_strdup(text_get(wire, "annotation"));
    machine->os_text = g_strdup(text_get(wire, "os-text"));
    machine->hardware = g_strdup(text_get(wire, "hardware"));
    g_variant_lookup(wire, "clock-known", "b", &machine->clock_known);
    g_variant_lookup(wire, "clock-local", "b", &machine->clock_local);
}

static gboolean drives_get(GVariant *wire, OrielImport *import)
{
    g_autoptr(GVariantIter) iter = NULL;
    struct import_drive drive = { .kind = 0 };
    guint32 kind, bus;
    const char *href, *name;
    gboolean has_file;

    import->drives = g_array_new(FALSE, TRUE, sizeof(struct import_drive));
    g_variant_lookup(wire, "drives", DRIVES_TYPE, &iter);
    while (iter &&
           g_variant_iter_next(iter, "(uub^&ayttt^&ayttu)", &kind, &bus, &has_file, &href,
                               &drive.capacity, &drive.size, &drive.space, &name,
                               &drive.place.offset, &drive.place.size, &drive.place.format)) {
        OrielOvfFile *file = NULL;

        if (kind > ORIEL_OVF_DRIVE_CDROM || bus > ORIEL_OVF_BUS_VIRTIO_SCSI ||
            drive.place.format >= IMAGE_FORMATS ||
            g_strlcpy(drive.place.name, name, IMPORT_PLACE_NAME) >= IMPORT_PLACE_NAME) {
            return FALSE;
        }
        if (has_file) {
            file = g_new0(OrielOvfFile, 1);
            file->href = g_strdup(href);
            g_ptr_array_add(import->appliance->files, file);
        }
        drive.kind = (OrielOvfDriveKind)kind;
        drive.bus = (OrielOvfBus)bus;
        drive.file = file;
        g_array_append_val(import->drives, drive);
    }
    return TRUE;
}

static gboolean cards_get(GVariant *wire, OrielImport *import)
{
    g_autoptr(GVariantIter) iter = NULL;
    struct import_card card;
    gboolean connected;
    const char *mac;
    guint32 model;

    import->cards = g_array_new(FALSE, TRUE, sizeof(struct import_card));
    g_variant_lookup(wire, "cards", CARDS_TYPE, &iter);
    while (iter && g_variant_iter_next(iter, "(^&aybu)", &mac, &connected, &model)) {
        memset(&card, 0, sizeof(card));
        if ((*mac && (strlen(mac) >= sizeof(card.mac) || !oriel_mac_is_valid(mac))) ||
            model > ORIEL_NETWORK_E1000E || import->cards->len >= CONFIG_NETWORKS_MAX) {
            return FALSE;
        }
        strcpy(card.mac, mac);
        card.connected = connected;
        card.model = model;
        g_array_append_val(import->cards, card);
    }
    return TRUE;
}

static gboolean nvram_get(GVariant *wire, OrielImport *import)
{
    g_autoptr(GVariant) nvram = g_variant_lookup_value(wire, "nvram", G_VARIANT_TYPE_BYTESTRING);

    import->nvram = nvram ? g_variant_get_data_as_bytes(nvram) : NULL;
    return !import->nvram || import_nvram_fits(import->nvram);
}

static void numbers_get(GVariant *wire, OrielImportReport *report)
{
    g_variant_lookup(wire, "cpus", "u", &report->cpus);
    g_variant_lookup(wire, "memory", "t", &report->memory);
    g_variant_lookup(wire, "uefi", "b", &report->uefi);
    g_variant_lookup(wire, "disks-size", "t", &report->disks_size);
    g_variant_lookup(wire, "space", "t", &report->space);
    g_variant_lookup(wire, "space-free", "t", &report->space_free);
    g_variant_lookup(wire, "has-manifest", "b", &report->has_manifest);
    g_variant_lookup(wire, "is-signed", "b", &report->is_signed);
}

gboolean import_from_wire(OrielImport *import, GError **error)
{
    OrielImportReport *report = &import->report;
    GVariant *wire = import->wire;
    guint chosen = 0;

    import->appliance = appliance_get(wire, text_get(wire, "machine"), &chosen);
    report->appliance = import->appliance;
    report->name = text_get(wire, "name");
    report->os = text_get(wire, "os");
    report->firmware_reason = text_get(wire, "firmware-reason");
    report->drives = texts_get(wire, "drive-lines");
    report->cards = texts_get(wire, "card-lines");
    report->notes = texts_get(wire, "notes");
    numbers_get(wire, report);
    g_clear_pointer(&import->unpacked, g_variant_unref);
    import->unpacked = g_variant_lookup_value(wire, "unpacked", NULL);
    if (import->appliance->systems->len == 0 || !import->appliance->format || !report->name ||
        !report->os || !report->firmware_reason || !drives_get(wire, import) ||
        !cards_get(wire, import) || !nvram_get(wire, import)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is refused: what it declares makes no sense."), import->path);
        return FALSE;
    }
    machine_get(wire, import->appliance->systems->pdata[chosen]);
    report->machine = import->appliance->systems->pdata[chosen];
    return TRUE;
}
