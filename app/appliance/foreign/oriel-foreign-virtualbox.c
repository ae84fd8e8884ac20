/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VirtualBox's .vbox: the Machine element with its MediaRegistry. What the machine has now counts,
 * not what its snapshots had; a differencing image names its parent by the nesting of the registry.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

enum {
    DEVICES_MAX = 512, /* each is looked for among all media */
};

/* --- Media ------------------------------------------------------------------------------------ */

/* The registered medium with this UUID, at any depth, or NULL. */
static xmlNode *medium_find(xmlNode *parent, const char *uuid)
{
    for (xmlNode *node = parent ? parent->children : NULL; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE) {
            continue;
        }
        g_autofree char *own = ovf_attribute(node, "uuid");
        xmlNode *found = own && g_ascii_strcasecmp(own, uuid) == 0 ? node : medium_find(node, uuid);

        if (found) {
            return found;
        }
    }
    return NULL;
}

static gboolean is_encrypted(const xmlNode *medium)
{
    for (xmlNode *node = ovf_child(medium, "Property"); node;
         node = ovf_next(node->next, "Property")) {
        g_autofree char *name = ovf_attribute(node, "name");

        if (name && g_str_has_prefix(name, "CRYPT/")) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Declares the images that this one builds on: the elements around it. */
static gboolean chain_read(struct foreign *foreign, const xmlNode *medium, GError **error)
{
    OrielOvfFile *file = NULL;

    for (; ovf_is(medium, "HardDisk"); medium = medium->parent) {
        g_autofree char *location = ovf_attribute(medium, "location");

        if (is_encrypted(medium)) {
            return foreign_invalid(
                foreign, error,
                _("a disk is encrypted. Remove the encryption in VirtualBox first"));
        }
        if (!location) {
            return foreign_invalid(foreign, error, _("a disk in it has no file"));
        }
        OrielOvfFile *next = foreign_file(foreign, location);

        if (file && !file->parent) {
            file->parent = g_strdup(next->id);
        }
        file = next;
    }
    return TRUE;
}

static OrielOvfBus bus_of(const xmlNode *controller)
{
    static const struct {
        const char *type;
        OrielOvfBus bus;
    } types[] = {
        { "AHCI", ORIEL_OVF_BUS_SATA },
        { "PIIX3", ORIEL_OVF_BUS_IDE },
        { "PIIX4", ORIEL_OVF_BUS_IDE },
        { "ICH6", ORIEL_OVF_BUS_IDE },
        { "NVMe", ORIEL_OVF_BUS_NVME },
        { "LsiLogic", ORIEL_OVF_BUS_SCSI },
        { "BusLogic", ORIEL_OVF_BUS_SCSI },
        { "LsiLogicSas", ORIEL_OVF_BUS_SCSI },
        { "VirtioSCSI", ORIEL_OVF_BUS_VIRTIO_SCSI },
    };
    g_autofree char *type = ovf_attribute(controller, "type");

    for (gsize i = 0; type && i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strcasecmp(type, types[i].type) == 0) {
            return types[i].bus;
        }
    }
    return ORIEL_OVF_BUS_NONE;
}

static gboolean device_read(struct foreign *foreign, xmlNode *registry, xmlNode *device,
                            OrielOvfBus bus, GError **error)
{
    g_autofree char *type = ovf_attribute(device, "type");
    g_autofree char *uuid = ovf_attribute(ovf_child(device, "Image"), "uuid");
    xmlNode *medium = uuid ? medium_find(registry, uuid) : NULL;
    g_autofree char *location = ovf_attribute(medium, "location");

    if (g_strcmp0(type, "DVD") == 0) {
        foreign_add_cdrom(foreign, location);
    } else if (g_strcmp0(type, "Floppy") == 0) {
        foreign_add_floppy(foreign);
    } else if (g_strcmp0(type, "HardDisk") == 0 && medium && location) {
        foreign_add_disk(foreign, bus, location);
        return chain_read(foreign, medium, error);
    } else if (g_strcmp0(type, "HardDisk") == 0) {
        ovf_note(foreign->appliance,
                 _("A disk is left out: the description does not say in which file it is."));
    }
    return TRUE;
}

static gint by_port(gconstpointer a, gconstpointer b)
{
    guint64 numbers[2][2];
    xmlNode *const nodes[] = { *(xmlNode *const *)a, *(xmlNode *const *)b };

    for (guint i = 0; i < 2; i++) {
        g_autofree char *port = ovf_attribute(nodes[i], "port");
        g_autofree char *device = ovf_attribute(nodes[i], "device");

        ovf_number(port, G_MAXUINT32, &numbers[i][0]);
        ovf_number(device, G_MAXUINT32, &numbers[i][1]);
    }
    return numbers[0][0] != numbers[1][0]   ? (numbers[0][0] < numbers[1][0] ? -1 : 1)
           : numbers[0][1] != numbers[1][1] ? (numbers[0][1] < numbers[1][1] ? -1 : 1)
                                            : 0;
}

/* Up to version 6 they stand beside Hardware, later in it. */
static gboolean drives_read(struct foreign *foreign, xmlNode *machine, GError **error)
{
    xmlNode *registry = ovf_child(machine, "MediaRegistry");
    xmlNode *controllers = ovf_child(machine, "StorageControllers");
    guint n = 0;

    controllers =
        controllers ? controllers : ovf_child(ovf_child(machine, "Hardware"), "StorageControllers");
    for (xmlNode *controller = ovf_child(controllers, "StorageController"); controller;
         controller = ovf_next(controller->next, "StorageController")) {
        g_autoptr(GPtrArray) devices = g_ptr_array_new();
        OrielOvfBus bus = bus_of(controller);

        for (xmlNode *device = ovf_child(controller, "AttachedDevice"); device;
             device = ovf_next(device->next, "AttachedDevice")) {
            if (++n > DEVICES_MAX) {
                return foreign_invalid(foreign, error, _("it has too many drives"));
            }
            g_ptr_array_add(devices, device);
        }
        g_ptr_array_sort(devices, by_port);
        for (guint i = 0; i < devices->len; i++) {
            if (!device_read(foreign, registry, devices->pdata[i], bus, error)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

/* --- The machine ------------------------------------------------------------------------------ */

static void cards_read(struct foreign *foreign, const xmlNode *network)
{
    for (xmlNode *node = ovf_child(network, "Adapter"); node;
         node = ovf_next(node->next, "Adapter")) {
        g_autofree char *enabled = ovf_attribute(node, "enabled");
        g_autofree char *type = ovf_attribute(node, "type");
        g_autofree char *mac = ovf_attribute(node, "MACAddress");
        g_autofree char *cable = ovf_attribute(node, "cable");

        if (ovf_yes(enabled)) {
            foreign_add_card(foreign, type, mac, NULL, !cable || ovf_yes(cable));
        }
    }
}

static gboolean machine_read(struct foreign *foreign, xmlNode *machine, GError **error)
{
    g_autofree char *name = ovf_attribute(machine, "name");
    g_autofree char *os = ovf_attribute(machine, "OSType");
    g_autofree char *state = ovf_attribute(machine, "stateFile");
    g_autofree char *description = ovf_child_text(machine, "Description");
    xmlNode *snapshot = ovf_child(machine, "Snapshot"), *hardware = ovf_child(machine, "Hardware");

    if (snapshot) { /* has the elements of a machine, too */
        xmlUnlinkNode(snapshot);
        xmlFreeNode(snapshot);
        ovf_note(foreign->appliance, _("Its snapshots are left out; it gets what it has now."));
    }
    foreign_set(&foreign->machine->name, name);
    foreign_set(&foreign->machine->annotation, description);
    foreign_set_os(foreign->machine, os);
    cards_read(foreign, ovf_child(hardware, "Network"));
    ovf_virtualbox_read(foreign->machine, machine);
    if (foreign->machine->firmware == ORIEL_OVF_FIRMWARE_UNKNOWN) {
        foreign->machine->firmware = ORIEL_OVF_FIRMWARE_BIOS; /* as the element's absence means */
    }
    if (!foreign->machine->cpus) {
        foreign->machine->cpus = 1;
    }
    if (state) {
        ovf_note(foreign->appliance,
                 _("It is saved; the state is left out, as if its power had been cut."));
    }
    return drives_read(foreign, machine, error);
}

gboolean foreign_read_virtualbox(struct foreign *foreign, const char *text, gsize length,
                                 GError **error)
{
    xmlDoc *document = ovf_xml_read(text, length, foreign->name, error);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *machine = ovf_child(root, "Machine");
    gboolean good = FALSE;

    if (machine) {
        good = machine_read(foreign, machine, error);
    } else if (ovf_child(root, "MachineEncrypted")) {
        foreign_invalid(foreign, error,
                        _("the machine is encrypted. Remove the encryption in VirtualBox first"));
    } else if (document) {
        foreign_invalid(foreign, error, _("it describes no machine"));
    }
    xmlFreeDoc(document);
    return good;
}
