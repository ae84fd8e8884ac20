/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libvirt's domain XML, as virsh dumpxml and GNOME Boxes write it. Disks are named by absolute
 * paths of their computer. https://libvirt.org/formatdomain.html
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

/* Units of sizes; without one the memory is in KiB. */
static guint64 unit_of(const char *text)
{
    static const struct {
        const char *name;
        guint64 bytes;
    } units[] = {
        { "b", 1 },
        { "bytes", 1 },
        { "k", 1 << 10 },
        { "KiB", 1 << 10 },
        { "KB", 1000 },
        { "M", 1 << 20 },
        { "MiB", 1 << 20 },
        { "MB", 1000 * 1000 },
        { "G", 1 << 30 },
        { "GiB", 1 << 30 },
        { "GB", 1000 * 1000 * 1000 },
        { "T", UINT64_C(1) << 40 },
        { "TiB", UINT64_C(1) << 40 },
    };

    for (gsize i = 0; text && i < G_N_ELEMENTS(units); i++) {
        if (strcmp(text, units[i].name) == 0) {
            return units[i].bytes;
        }
    }
    return text ? 0 : 1 << 10;
}

/* "http://debian.org/debian/12" is "debian12". g_free(). */
static char *os_of_address(const char *address)
{
    g_auto(GStrv) parts = address ? g_strsplit(address, "/", 16) : NULL;
    guint n = parts ? g_strv_length(parts) : 0;

    return n >= 5 && *parts[n - 2] && *parts[n - 1] ? g_strconcat(parts[n - 2], parts[n - 1], NULL)
                                                    : NULL;
}

/* --- Drives ----------------------------------------------------------------------------------- */

static OrielOvfBus bus_of(const char *bus, const char *target)
{
    static const struct {
        const char *name;
        OrielOvfBus bus;
    } buses[] = {
        { "virtio", ORIEL_OVF_BUS_VIRTIO }, { "sata", ORIEL_OVF_BUS_SATA },
        { "ide", ORIEL_OVF_BUS_IDE },       { "scsi", ORIEL_OVF_BUS_VIRTIO_SCSI },
        { "nvme", ORIEL_OVF_BUS_NVME },
    };

    for (gsize i = 0; bus && i < G_N_ELEMENTS(buses); i++) {
        if (strcmp(bus, buses[i].name) == 0) {
            return buses[i].bus;
        }
    }
    return target && g_str_has_prefix(target, "vd") ? ORIEL_OVF_BUS_VIRTIO : ORIEL_OVF_BUS_NONE;
}

static gboolean disk_read(struct foreign *foreign, const xmlNode *node, GError **error)
{
    const xmlNode *source = ovf_child(node, "source"), *target = ovf_child(node, "target");
    g_autofree char *type = ovf_attribute(node, "type");
    g_autofree char *device = ovf_attribute(node, "device");
    g_autofree char *file = ovf_attribute(source, "file");
    g_autofree char *bus = ovf_attribute(target, "bus");
    g_autofree char *name = ovf_attribute(target, "dev");

    if (ovf_child(node, "encryption") || ovf_child(source, "encryption")) {
        return foreign_invalid(foreign, error, _("a disk is encrypted, which is not supported"));
    }
    if (g_strcmp0(device, "cdrom") == 0) {
        foreign_add_cdrom(foreign, file);
    } else if (g_strcmp0(device, "floppy") == 0) {
        foreign_add_floppy(foreign);
    } else if (device && strcmp(device, "disk") != 0) {
        ovf_note(foreign->appliance, _("A device of its computer (%s) is left out."), device);
    } else if (file) {
        foreign_add_disk(foreign, bus_of(bus, name), file);
    } else {
        ovf_note(foreign->appliance,
                 _("The disk “%s” is left out: it is not a file, but of the kind “%s”."),
                 name ? name : "?", type ? type : "?");
    }
    return TRUE;
}

/* --- The rest --------------------------------------------------------------------------------- */

static void card_read(struct foreign *foreign, const xmlNode *node)
{
    const xmlNode *source = ovf_child(node, "source");
    g_autofree char *mac = ovf_attribute(ovf_child(node, "mac"), "address");
    g_autofree char *model = ovf_attribute(ovf_child(node, "model"), "type");
    g_autofree char *link = ovf_attribute(ovf_child(node, "link"), "state");
    g_autofree char *network = ovf_attribute(source, "network");

    foreign_add_card(foreign, model, mac, network, g_strcmp0(link, "down") != 0);
}

static gboolean devices_read(struct foreign *foreign, const xmlNode *devices, GError **error)
{
    OrielOvfMachine *machine = foreign->machine;

    for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        if (ovf_is(node, "disk") && !disk_read(foreign, node, error)) {
            return FALSE;
        }
        if (ovf_is(node, "interface")) {
            card_read(foreign, node);
        } else if (ovf_is(node, "hostdev")) {
            ovf_note(foreign->appliance, _("Devices of its computer that it had are left out."));
        } else if (ovf_is(node, "filesystem")) {
            ovf_note(foreign->appliance, _("Its shared folders are left out."));
        }
        machine->tpm |= ovf_is(node, "tpm");
        machine->sound |= ovf_is(node, "sound");
        machine->usb |= ovf_is(node, "redirdev");
    }
    return TRUE;
}

static gboolean os_read(struct foreign *foreign, const xmlNode *os, GError **error)
{
    OrielOvfMachine *machine = foreign->machine;
    const xmlNode *type = ovf_child(os, "type"), *loader = ovf_child(os, "loader");
    g_autofree char *firmware = ovf_attribute(os, "firmware");
    g_autofree char *arch = ovf_attribute(type, "arch");
    g_autofree char *board = ovf_attribute(type, "machine");
    g_autofree char *flash = ovf_attribute(loader, "type");
    g_autofree char *secure = ovf_attribute(loader, "secure");
    g_autofree char *nvram = ovf_child_text(os, "nvram");

    if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "i686") != 0) {
        return foreign_invalid(foreign, error,
                               _("the machine has a processor of another kind than a PC, which "
                                 "Oriel does not emulate"));
    }
    machine->firmware = g_strcmp0(firmware, "efi") == 0 || g_strcmp0(flash, "pflash") == 0
                            ? ORIEL_OVF_FIRMWARE_UEFI
                            : ORIEL_OVF_FIRMWARE_BIOS;
    machine->secure_boot = g_strcmp0(secure, "yes") == 0;
    if (board) {
        machine->chipset = g_strdup(strstr(board, "q35") ? "ICH9" : "i440FX");
    }
    machine->hardware = g_steal_pointer(&board);
    if (nvram) {
        machine->nvram_file = g_strdup(foreign_file(foreign, nvram)->id);
    }
    if (ovf_child(os, "kernel")) {
        ovf_note(
            foreign->appliance,
            _("It starts a kernel that is a file of its computer; here it starts from its disk."));
    }
    return TRUE;
}

static gboolean domain_read(struct foreign *foreign, const xmlNode *domain, GError **error)
{
    OrielOvfMachine *machine = foreign->machine;
    const xmlNode *memory = ovf_child(domain, "memory"), *clock = ovf_child(domain, "clock");
    g_autofree char *name = ovf_child_text(domain, "name");
    g_autofree char *title = ovf_child_text(domain, "title");
    g_autofree char *description = ovf_child_text(domain, "description");
    g_autofree char *size = ovf_text(memory);
    g_autofree char *unit = ovf_attribute(memory, "unit");
    g_autofree char *cpus = ovf_child_text(domain, "vcpu");
    g_autofree char *offset = ovf_attribute(clock, "offset");
    g_autofree char *address = ovf_attribute(ovf_below(ovf_child(domain, "metadata"), "os"), "id");
    g_autofree char *system = os_of_address(address);
    guint64 bytes = unit_of(unit), number;

    foreign_set(&machine->name, name);
    foreign_set(&machine->name, title);
    foreign_set(&machine->annotation, description);
    foreign_set(&machine->os, system);
    foreign_set(&machine->os_text, address);
    machine->cpus = ovf_number(cpus, 1024, &number) ? (guint)number : 1;
    if (bytes && ovf_number(size, (UINT64_C(1) << 56) / bytes, &number)) {
        machine->memory = number * bytes;
    }
    if (offset) {
        machine->clock_known = TRUE;
        machine->clock_local = strcmp(offset, "localtime") == 0;
    }
    return os_read(foreign, ovf_child(domain, "os"), error) &&
           devices_read(foreign, ovf_child(domain, "devices"), error);
}

gboolean foreign_read_libvirt(struct foreign *foreign, const char *text, gsize length,
                              GError **error)
{
    xmlDoc *document = ovf_xml_read(text, length, foreign->name, error);
    gboolean good = document && domain_read(foreign, xmlDocGetRootElement(document), error);

    xmlFreeDoc(document);
    return good;
}
