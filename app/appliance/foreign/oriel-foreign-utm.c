/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The config.plist of a UTM bundle: a property list in XML whose keys changed in version 4. Images
 * lie in Data/ there and in Images/ before.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

enum {
    DRIVES_MAX = 256,
};

/* --- Property lists --------------------------------------------------------------------------- */

static xmlNode *element(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

/* The value of a key of a <dict>, or NULL. */
static xmlNode *value_of(const xmlNode *dict, const char *key)
{
    for (xmlNode *node = ovf_is(dict, "dict") ? ovf_child(dict, "key") : NULL; node;
         node = ovf_next(node->next, "key")) {
        g_autofree char *name = ovf_text(node);

        if (g_strcmp0(name, key) == 0) {
            return element(node->next);
        }
    }
    return NULL;
}

/* The text of the first of two keys that has one: of version 4, and of earlier ones. g_free(). */
static char *text_of(const xmlNode *dict, const char *key, const char *earlier)
{
    char *text = ovf_text(value_of(dict, key));

    return text ? text : ovf_text(value_of(dict, earlier));
}

static gboolean is_true(const xmlNode *dict, const char *key)
{
    return ovf_is(value_of(dict, key), "true");
}

/* Behind the document type that Apple's own program writes into each: it is all of it. */
static void without_type(const char *text, gsize length, GString *result)
{
    const char *start = g_strstr_len(text, (gssize)length, "<!DOCTYPE plist PUBLIC \"");
    const char *end = start ? strchr(start, '>') : NULL;

    g_string_append_len(result, text, (gssize)length);
    if (end && !memchr(start, '[', (gsize)(end - start))) {
        g_string_erase(result, start - text, end + 1 - start);
    }
}

/* --- Drives ----------------------------------------------------------------------------------- */

static OrielOvfBus bus_of(const char *interface)
{
    static const struct {
        const char *name;
        OrielOvfBus bus;
    } buses[] = {
        { "virtio", ORIEL_OVF_BUS_VIRTIO },
        { "ide", ORIEL_OVF_BUS_IDE },
        { "nvme", ORIEL_OVF_BUS_NVME },
        { "scsi", ORIEL_OVF_BUS_SCSI },
    };

    for (gsize i = 0; interface && i < G_N_ELEMENTS(buses); i++) {
        if (g_ascii_strcasecmp(interface, buses[i].name) == 0) {
            return buses[i].bus;
        }
    }
    return ORIEL_OVF_BUS_NONE;
}

static void drive_read(struct foreign *foreign, const xmlNode *dict, const char *folder)
{
    g_autofree char *image = text_of(dict, "ImageName", "ImagePath");
    g_autofree char *type = text_of(dict, "ImageType", "Type");
    g_autofree char *interface = text_of(dict, "Interface", "InterfaceType");
    g_autofree char *path = image ? g_strconcat(folder, "/", image, NULL) : NULL;

    if (interface && g_ascii_strcasecmp(interface, "floppy") == 0) {
        foreign_add_floppy(foreign);
    } else if (type && g_ascii_strcasecmp(type, "CD") == 0) {
        foreign_add_cdrom(foreign, path);
    } else if (type && g_ascii_strcasecmp(type, "Disk") != 0) {
        ovf_note(foreign->appliance, _("The image “%s” is not a disk but “%s”, and is left out."),
                 image ? image : "?", type);
    } else if (path) {
        foreign_add_disk(foreign, bus_of(interface), path);
    }
}

static void drives_read(struct foreign *foreign, const xmlNode *array, const char *folder)
{
    guint n = 0;

    for (xmlNode *node = ovf_child(array, "dict"); node && n < DRIVES_MAX;
         node = ovf_next(node->next, "dict"), n++) {
        drive_read(foreign, node, folder);
    }
}

/* --- The machine ------------------------------------------------------------------------------ */

static void networks_read(struct foreign *foreign, const xmlNode *root)
{
    const xmlNode *array = value_of(root, "Network"), *earlier = value_of(root, "Networking");
    guint n = 0;

    for (xmlNode *node = ovf_child(array, "dict"); node && n < DRIVES_MAX;
         node = ovf_next(node->next, "dict"), n++) {
        g_autofree char *model = ovf_text(value_of(node, "Hardware"));
        g_autofree char *mac = ovf_text(value_of(node, "MacAddress"));
        g_autofree char *mode = ovf_text(value_of(node, "Mode"));

        foreign_add_card(foreign, model, mac, mode, TRUE);
    }
    if (earlier) {
        g_autofree char *model = ovf_text(value_of(earlier, "NetworkCard"));
        g_autofree char *mac = ovf_text(value_of(earlier, "NetworkCardMac"));
        g_autofree char *mode = text_of(earlier, "NetworkMode", "NetworkEnabled");

        if (g_strcmp0(mode, "none") != 0) {
            foreign_add_card(foreign, model, mac, mode, TRUE);
        }
    }
}

static gboolean system_read(struct foreign *foreign, const xmlNode *root, GError **error)
{
    const xmlNode *system = value_of(root, "System");
    g_autofree char *backend = ovf_text(value_of(root, "Backend"));
    g_autofree char *arch = ovf_text(value_of(system, "Architecture"));
    g_autofree char *target = ovf_text(value_of(system, "Target"));
    g_autofree char *cpus = ovf_text(value_of(system, "CPUCount"));
    g_autofree char *memory = text_of(system, "MemorySize", "Memory");
    guint64 number;

    if (g_strcmp0(backend, "Apple") == 0) {
        return foreign_invalid(
            foreign, error,
            _("the machine runs by Apple’s virtualization, which is not that of a PC"));
    }
    if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "i386") != 0) {
        return foreign_invalid(foreign, error,
                               _("the machine has a processor of another kind than a PC, which "
                                 "Oriel does not emulate"));
    }
    if (target) {
        foreign->machine->chipset = g_strdup(strstr(target, "q35") ? "ICH9" : "i440FX");
        foreign->machine->hardware = g_steal_pointer(&target);
    }
    if (ovf_number(cpus, 1024, &number)) { /* 0: as many as there are */
        foreign->machine->cpus = (guint)number;
    }
    if (ovf_number(memory, 1 << 24, &number)) {
        foreign->machine->memory = number << 20;
    }
    return TRUE;
}

static gboolean plist_read(struct foreign *foreign, const xmlNode *root, GError **error)
{
    OrielOvfMachine *machine = foreign->machine;
    const xmlNode *information = value_of(root, "Information");
    const xmlNode *qemu = value_of(root, "QEMU"), *system = value_of(root, "System");
    g_autofree char *version = ovf_text(value_of(root, "ConfigurationVersion"));
    guint64 number;

    if (!ovf_is(root, "dict") || !ovf_number(version, 100, &number) || number < 2) {
        return foreign_invalid(foreign, error, _("it is not a machine of UTM 2 or later"));
    }
    if (number > 4) {
        ovf_note(foreign->appliance, _("It was made by a later UTM than is known here."));
    }
    information = information ? information : value_of(root, "Info");
    g_autofree char *name = ovf_text(value_of(information, "Name"));
    g_autofree char *notes = ovf_text(value_of(information, "Notes"));

    foreign_set(&machine->name, name);
    foreign_set(&machine->annotation, notes);
    if (!system_read(foreign, root, error)) {
        return FALSE;
    }
    if (is_true(qemu, "UEFIBoot") || is_true(system, "UEFIBoot")) {
        machine->firmware = ORIEL_OVF_FIRMWARE_UEFI;
        machine->nvram_file = g_strdup(foreign_file(foreign, "Data/efi_vars.fd")->id);
    } else if (value_of(qemu, "UEFIBoot")) {
        machine->firmware = ORIEL_OVF_FIRMWARE_BIOS;
    }
    machine->tpm = is_true(qemu, "TPMDevice");
    if (value_of(qemu, "RTCLocalTime")) {
        machine->clock_known = TRUE;
        machine->clock_local = is_true(qemu, "RTCLocalTime");
    }
    machine->sound = ovf_child(value_of(root, "Sound"), "dict") != NULL ||
                     is_true(value_of(root, "Sound"), "SoundEnabled");
    drives_read(foreign, value_of(root, number >= 4 ? "Drive" : "Drives"),
                number >= 4 ? "Data" : "Images");
    networks_read(foreign, root);
    if (value_of(qemu, "AdditionalArguments") &&
        ovf_child(value_of(qemu, "AdditionalArguments"), "string")) {
        ovf_note(foreign->appliance, _("Its own arguments for QEMU are left out."));
    }
    return TRUE;
}

gboolean foreign_read_utm(struct foreign *foreign, const char *text, gsize length, GError **error)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    xmlDoc *document;
    gboolean good;

    if (length >= 6 && memcmp(text, "bplist", 6) == 0) {
        return foreign_invalid(foreign, error,
                               _("it is a binary property list. Turn it into XML with “plutil "
                                 "-convert xml1 config.plist” on a Mac first"));
    }
    without_type(text, length, plain);
    document = ovf_xml_read(plain->str, plain->len, foreign->name, error);
    good =
        document && plist_read(foreign, ovf_child(xmlDocGetRootElement(document), "dict"), error);
    xmlFreeDoc(document);
    return good;
}
