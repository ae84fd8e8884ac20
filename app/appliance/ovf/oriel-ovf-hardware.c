/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VirtualHardwareSection: items of CIM_ResourceAllocationSettingData, and of its storage and
 * Ethernet kinds in 2.x. Controllers are collected first, because drives may stand before theirs.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "config/config.h"
#include "oriel-ovf-private.h"

/* ResourceType of DSP0004's value map, and what vendors use. */
enum resource_type {
    RESOURCE_OTHER = 1,
    RESOURCE_PROCESSOR = 3,
    RESOURCE_MEMORY = 4,
    RESOURCE_IDE = 5,
    RESOURCE_SCSI = 6,
    RESOURCE_ISCSI = 8,
    RESOURCE_ETHERNET = 10,
    RESOURCE_FLOPPY = 14,
    RESOURCE_CD = 15,
    RESOURCE_DVD = 16,
    RESOURCE_DISK = 17,
    RESOURCE_STORAGE_CONTROLLER = 20,
    RESOURCE_SERIAL = 21,
    RESOURCE_PARALLEL = 22,
    RESOURCE_USB = 23,
    RESOURCE_GRAPHICS = 24,
    RESOURCE_SOUND = 35,
    RESOURCE_VENDOR = 32768,
};

enum {
    CPUS_MAX = 1024,
    ADDRESS_MAX = 4096,
};

struct item {
    xmlNode *node;
    guint64 type;
    char *instance, *subtype, *parent, *name;
    guint64 address; /* AddressOnParent */
    guint order;     /* in the document */
};

static void item_free(gpointer data)
{
    struct item *item = data;

    g_free(item->instance);
    g_free(item->subtype);
    g_free(item->parent);
    g_free(item->name);
    g_free(item);
}

/* --- Items ------------------------------------------------------------------------------------ */

static gboolean is_item(const xmlNode *node)
{
    return ovf_is(node, "Item") || ovf_is(node, "StorageItem") || ovf_is(node, "EthernetPortItem");
}

/* Items of other configurations and those that state a range do not count. */
static gboolean item_counts(const struct ovf *ovf, const xmlNode *node)
{
    g_autofree char *bound = ovf_attribute(node, "bound");
    g_autofree char *configuration = ovf_attribute(node, "configuration");
    g_auto(GStrv) names = configuration ? g_strsplit(configuration, " ", 64) : NULL;

    return (!bound || strcmp(bound, "normal") == 0) &&
           (!names || !ovf->configuration ||
            g_strv_contains((const char *const *)names, ovf->configuration));
}

static struct item *item_read(xmlNode *node, guint order)
{
    struct item *item = g_new0(struct item, 1);
    g_autofree char *type = ovf_child_text(node, "ResourceType");
    g_autofree char *address = ovf_child_text(node, "AddressOnParent");

    item->node = node;
    item->order = order;
    ovf_number(type, G_MAXUINT32, &item->type);
    ovf_number(address, ADDRESS_MAX, &item->address);
    item->instance = ovf_child_text(node, "InstanceID");
    if (!item->instance) {
        item->instance = ovf_child_text(node, "InstanceId");
    }
    item->subtype = ovf_child_text(node, "ResourceSubType");
    item->parent = ovf_child_text(node, "Parent");
    item->name = ovf_child_text(node, "ElementName");
    if (!item->name) {
        item->name = ovf_child_text(node, "Caption");
    }
    return item;
}

static GPtrArray *items_read(struct ovf *ovf, xmlNode *section)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(item_free);

    for (xmlNode *node = section->children; node; node = node->next) {
        if (!is_item(node) || !item_counts(ovf, node)) {
            continue;
        }
        if (++ovf->items > ORIEL_OVF_ITEMS_MAX) {
            g_ptr_array_unref(items);
            return NULL;
        }
        g_ptr_array_add(items, item_read(node, items->len));
    }
    return items;
}

static gboolean contains(const char *text, const char *word)
{
    g_autofree char *lower = text ? g_ascii_strdown(text, -1) : NULL;

    return lower && strstr(lower, word);
}

/* --- Controllers ------------------------------------------------------------------------------ */

static OrielOvfBus bus_of(const struct item *item)
{
    switch (item->type) {
    case RESOURCE_IDE:
        return ORIEL_OVF_BUS_IDE;
    case RESOURCE_SCSI:
        return contains(item->subtype, "virtio") ? ORIEL_OVF_BUS_VIRTIO_SCSI : ORIEL_OVF_BUS_SCSI;
    case RESOURCE_STORAGE_CONTROLLER:
        if (contains(item->subtype, "nvme")) {
            return ORIEL_OVF_BUS_NVME;
        }
        if (contains(item->subtype, "virtio")) {
            return contains(item->subtype, "scsi") ? ORIEL_OVF_BUS_VIRTIO_SCSI
                                                   : ORIEL_OVF_BUS_VIRTIO;
        }
        return contains(item->subtype, "ahci") || contains(item->subtype, "sata") ||
                       contains(item->name, "sata")
                   ? ORIEL_OVF_BUS_SATA
                   : ORIEL_OVF_BUS_NONE;
    default:
        return ORIEL_OVF_BUS_NONE;
    }
}

static gboolean is_controller(const struct item *item)
{
    return item->type == RESOURCE_IDE || item->type == RESOURCE_SCSI ||
           item->type == RESOURCE_STORAGE_CONTROLLER;
}

/* The place of the drive's controller among the items; items->len if it is not there. */
static guint controller_of(const GPtrArray *items, const struct item *item)
{
    for (guint i = 0; item->parent && i < items->len; i++) {
        const struct item *other = items->pdata[i];

        if (other != item && is_controller(other) &&
            g_strcmp0(other->instance, item->parent) == 0) {
            return i;
        }
    }
    return items->len;
}

/* oVirt says it with the disk. */
static OrielOvfBus bus_of_interface(const char *interface)
{
    static const struct {
        const char *name;
        OrielOvfBus bus;
    } buses[] = {
        { "virtio_scsi", ORIEL_OVF_BUS_VIRTIO_SCSI },
        { "virtio", ORIEL_OVF_BUS_VIRTIO },
        { "ide", ORIEL_OVF_BUS_IDE },
        { "sata", ORIEL_OVF_BUS_SATA },
        { "spapr_vscsi", ORIEL_OVF_BUS_SCSI },
    };

    for (gsize i = 0; interface && i < G_N_ELEMENTS(buses); i++) {
        if (g_ascii_strcasecmp(interface, buses[i].name) == 0) {
            return buses[i].bus;
        }
    }
    return ORIEL_OVF_BUS_NONE;
}

/* --- Drives ----------------------------------------------------------------------------------- */

/* The disk that a HostResource names; producers write its id, its file's, or a path with both. */
static const OrielOvfDisk *disk_of(const OrielAppliance *appliance, const char *resource)
{
    const char *slash = strrchr(resource, '/');
    const char *last = slash ? slash + 1 : resource;
    g_autofree char *first = g_strndup(resource, strcspn(resource, "/"));
    const OrielOvfDisk *disk = oriel_appliance_disk(appliance, last);

    disk = disk ? disk : oriel_appliance_disk(appliance, resource);
    disk = disk ? disk : oriel_appliance_disk(appliance, first);
    for (guint i = 0; !disk && i < appliance->disks->len; i++) {
        const OrielOvfDisk *other = appliance->disks->pdata[i];

        if (g_strcmp0(other->file, resource) == 0 || g_strcmp0(other->file, last) == 0) {
            disk = other;
        }
    }
    return disk;
}

static const OrielOvfFile *file_of(const OrielAppliance *appliance, const char *resource)
{
    const char *slash = strrchr(resource, '/');
    const OrielOvfFile *file = oriel_appliance_file(appliance, slash ? slash + 1 : resource);

    return file ? file : oriel_appliance_file(appliance, resource);
}

static void drive_read(struct ovf *ovf, OrielOvfMachine *system, const GPtrArray *items,
                       const struct item *item)
{
    g_autofree char *resource = ovf_child_text(item->node, "HostResource");
    guint parent = controller_of(items, item);
    const OrielOvfDisk *disk = resource ? disk_of(ovf->appliance, resource) : NULL;
    const OrielOvfFile *file = resource && !disk ? file_of(ovf->appliance, resource) : NULL;
    const char *what = item->name ? item->name : _("without a name");
    OrielOvfDrive *drive;

    if (item->type == RESOURCE_DISK && !disk && !file) {
        ovf_note(ovf->appliance, _("The disk “%s” is left out: it names nothing of the appliance."),
                 what);
        return;
    }
    drive = g_new0(OrielOvfDrive, 1);
    drive->kind = item->type == RESOURCE_DISK     ? ORIEL_OVF_DRIVE_DISK
                  : item->type == RESOURCE_FLOPPY ? ORIEL_OVF_DRIVE_FLOPPY
                                                  : ORIEL_OVF_DRIVE_CDROM;
    drive->disk = disk ? g_strdup(disk->id) : NULL;
    drive->file = file ? g_strdup(file->id) : NULL;
    if (parent < items->len) {
        drive->bus = bus_of(items->pdata[parent]);
    } else if (disk) {
        drive->bus = bus_of_interface(disk->interface);
    }
    if (drive->kind == ORIEL_OVF_DRIVE_DISK && parent == items->len && item->parent &&
        drive->bus == ORIEL_OVF_BUS_NONE) {
        ovf_note(ovf->appliance, _("The disk “%s” belongs to a controller that is not declared."),
                 what);
    }
    g_ptr_array_add(system->drives, drive);
}

struct sorting {
    const struct item *item;
    guint controller;
};

static gint by_place(gconstpointer a, gconstpointer b)
{
    const struct sorting *x = a, *y = b;

    if (x->controller != y->controller) {
        return x->controller < y->controller ? -1 : 1;
    }
    if (x->item->address != y->item->address) {
        return x->item->address < y->item->address ? -1 : 1;
    }
    return x->item->order < y->item->order ? -1 : 1;
}

/* In the order of controllers and of the places at each: the guest numbers its disks so. */
static void drives_read(struct ovf *ovf, OrielOvfMachine *system, const GPtrArray *items)
{
    g_autoptr(GArray) drives = g_array_new(FALSE, FALSE, sizeof(struct sorting));

    for (guint i = 0; i < items->len; i++) {
        const struct item *item = items->pdata[i];
        const struct sorting sorting = { item, controller_of(items, item) };

        if (item->type >= RESOURCE_FLOPPY && item->type <= RESOURCE_DISK) {
            g_array_append_val(drives, sorting);
        }
    }
    g_array_sort(drives, by_place);
    for (guint i = 0; i < drives->len; i++) {
        drive_read(ovf, system, items, g_array_index(drives, struct sorting, i).item);
    }
}

/* --- Other hardware --------------------------------------------------------------------------- */

static void processors_read(struct ovf *ovf, OrielOvfMachine *system, const struct item *item)
{
    static const char *const ovirt[] = { "num_of_sockets", "cpu_per_socket", "threads_per_cpu" };
    g_autofree char *quantity = ovf_child_text(item->node, "VirtualQuantity");
    guint64 cpus = 1, factor;

    if (!quantity && ovf_child(item->node, ovirt[0])) {
        for (gsize i = 0; i < G_N_ELEMENTS(ovirt); i++) {
            g_autofree char *text = ovf_child_text(item->node, ovirt[i]);

            cpus *= ovf_number(text, CPUS_MAX, &factor) && factor ? factor : 1;
        }
    } else if (!ovf_number(quantity, CPUS_MAX, &cpus) || cpus == 0) {
        ovf_note(ovf->appliance, _("The number of processors is not understood."));
        return;
    }
    system->cpus = (guint)MIN(cpus, CPUS_MAX);
}

static void memory_read(struct ovf *ovf, OrielOvfMachine *system, const struct item *item)
{
    g_autofree char *quantity = ovf_child_text(item->node, "VirtualQuantity");
    g_autofree char *units = ovf_child_text(item->node, "AllocationUnits");
    guint64 unit = ovf_unit(units), number;

    if (!unit || !ovf_number(quantity, (UINT64_C(1) << 56) / unit, &number) || number == 0) {
        ovf_note(ovf->appliance, _("The size of the memory is not understood."));
        return;
    }
    /* Without a unit the standard says bytes, and everybody means MiB. */
    system->memory = !units && number < (1 << 20) ? number << 20 : number * unit;
}

static void card_read(OrielOvfMachine *system, const struct item *item)
{
    g_autofree char *address = ovf_child_text(item->node, "Address");
    g_autofree char *mac = address ? NULL : ovf_child_text(item->node, "MACAddress");
    g_autofree char *automatic = ovf_child_text(item->node, "AutomaticAllocation");
    OrielOvfCard *card = g_new0(OrielOvfCard, 1);

    card->model = g_strdup(item->subtype);
    card->network = ovf_child_text(item->node, "Connection");
    card->mac = ovf_mac(address ? address : mac);
    card->connected = !automatic || ovf_yes(automatic);
    g_ptr_array_add(system->cards, card);
}

static void vendor_item_read(struct ovf *ovf, OrielOvfMachine *system, const struct item *item)
{
    g_autofree char *resource = ovf_child_text(item->node, "HostResource");
    const OrielOvfFile *file = resource ? file_of(ovf->appliance, resource) : NULL;

    if (contains(item->subtype, "nvram") && file) {
        system->nvram_file = g_strdup(file->id);
    } else if (contains(item->subtype, "tpm")) {
        system->tpm = TRUE;
    }
}

static gboolean item_apply(struct ovf *ovf, OrielOvfMachine *system, const struct item *item,
                           GError **error)
{
    g_autofree char *required = ovf_attribute(item->node, "required");

    switch (item->type) {
    case RESOURCE_PROCESSOR:
        processors_read(ovf, system, item);
        break;
    case RESOURCE_MEMORY:
        memory_read(ovf, system, item);
        break;
    case RESOURCE_ETHERNET:
        card_read(system, item);
        break;
    case RESOURCE_USB:
        system->usb = TRUE;
        break;
    case RESOURCE_SOUND:
        system->sound = TRUE;
        break;
    case RESOURCE_ISCSI:
        ovf_note(ovf->appliance,
                 _("An iSCSI disk is left out: only disks inside the appliance are used."));
        break;
    case RESOURCE_PARALLEL:
        ovf_note(ovf->appliance, _("It has a parallel port, which machines of Oriel do not have."));
        break;
    default:
        if (item->type >= RESOURCE_VENDOR) {
            vendor_item_read(ovf, system, item);
        } else if (!is_controller(item) && item->type != RESOURCE_OTHER &&
                   item->type != RESOURCE_SERIAL && item->type != RESOURCE_GRAPHICS &&
                   (item->type < RESOURCE_FLOPPY || item->type > RESOURCE_DISK) &&
                   g_strcmp0(required, "false") != 0) {
            ovf_note(ovf->appliance, _("The device “%s” of a kind that is not known is left out."),
                     item->name ? item->name : _("without a name"));
        }
    }
    return TRUE;
}

gboolean ovf_hardware_read(struct ovf *ovf, OrielOvfMachine *system, xmlNode *section,
                           GError **error)
{
    g_autoptr(GPtrArray) items = items_read(ovf, section);
    g_autofree char *transport = ovf_attribute(section, "transport");

    if (!items) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("The appliance “%s” cannot be used: it has more than %d items of hardware."),
                    ovf->name, ORIEL_OVF_ITEMS_MAX);
        return FALSE;
    }
    system->hardware = ovf_child_text(ovf_child(section, "System"), "VirtualSystemType");
    for (guint i = 0; i < items->len; i++) {
        if (!item_apply(ovf, system, items->pdata[i], error)) {
            return FALSE;
        }
    }
    drives_read(ovf, system, items);
    if (transport && strstr(transport, "iso")) {
        ovf_note(ovf->appliance, _("The guest looks for its settings on a CD (ovf-env.xml), which "
                                   "it does not get; set them up inside it."));
    }
    return TRUE;
}
