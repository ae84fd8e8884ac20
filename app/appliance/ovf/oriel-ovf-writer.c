/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-ovf-writer.h. What importers insist on, beyond the specification: sections begin with
 * Info; the children of an Item come in alphabetical order; every Item has Caption and ElementName;
 * capacities are in bytes, memory in MiB; what an importer may not know is marked as not required.
 */
#include "oriel-ovf-writer.h"

#include <libxml/chvalid.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#include "oriel-system.h"

#define NS_OVF "http://schemas.dmtf.org/ovf/envelope/1"
#define NS_CIM "http://schemas.dmtf.org/wbem/wscim/1/common"
#define NS_RASD                                                                                    \
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
#define NS_VSSD         "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
#define NS_VMW          "http://www.vmware.com/schema/ovf"
#define NS_VBOX         "http://www.virtualbox.org/ovf/machine"
#define NS_XSI          "http://www.w3.org/2001/XMLSchema-instance"

#define FORMAT_VMDK     "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
#define FORMAT_VHDX     "https://learn.microsoft.com/openspecs/windows_protocols/ms-vhdx"

#define HARDWARE_VMWARE "vmx-14" /* ESXi 6.7, Workstation 14 and later */

enum {
    CORES_A_SOCKET_MAX = 64,

    /* CIM_ResourceAllocationSettingData.ResourceType */
    RESOURCE_CPU = 3,
    RESOURCE_MEMORY = 4,
    RESOURCE_IDE = 5,
    RESOURCE_SCSI = 6,
    RESOURCE_NETWORK_CARD = 10,
    RESOURCE_CDROM = 15,
    RESOURCE_DISK = 17,
    RESOURCE_OTHER_STORAGE = 20,

    /* Instance ids of Items. */
    INSTANCE_CPU = 1,
    INSTANCE_MEMORY,
    INSTANCE_CONTROLLER,
    INSTANCE_SECOND_CONTROLLER,
    INSTANCE_DRIVES,
};

/* --- Elements --------------------------------------------------------------------------------- */

/* Without what no XML document may hold, such as a bell. g_free(). */
static char *xml_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *result = g_string_new(NULL);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        g_string_append_unichar(result, xmlIsCharQ(c) ? c : 0xFFFD);
    }
    return g_string_free(result, FALSE);
}

/* The writer fails only for lack of memory, which ends the program anyway. */
static void start(xmlTextWriter *xml, const char *name)
{
    xmlTextWriterStartElement(xml, BAD_CAST name);
}

static void end(xmlTextWriter *xml)
{
    xmlTextWriterEndElement(xml);
}

static void attribute(xmlTextWriter *xml, const char *name, const char *value)
{
    xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST value);
}

static void attribute_number(xmlTextWriter *xml, const char *name, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    attribute(xml, name, text);
}

static void element(xmlTextWriter *xml, const char *name, const char *text)
{
    g_autofree char *safe = xml_text(text);

    xmlTextWriterWriteElement(xml, BAD_CAST name, BAD_CAST safe);
}

static void element_number(xmlTextWriter *xml, const char *name, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    element(xml, name, text);
}

static void section(xmlTextWriter *xml, const char *name, const char *info)
{
    start(xml, name);
    element(xml, "Info", info);
}

/* --- Files and disks -------------------------------------------------------------------------- */

static void references_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    start(xml, "References");
    for (guint i = 0; i < ovf->n_disks; i++) {
        g_autofree char *id = g_strdup_printf("file%u", i + 1);

        start(xml, "File");
        attribute(xml, "ovf:href", ovf->disks[i].href);
        attribute(xml, "ovf:id", id);
        attribute_number(xml, "ovf:size", ovf->disks[i].size);
        end(xml);
    }
    end(xml);
}

static void disks_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    section(xml, "DiskSection", "Virtual disks");
    for (guint i = 0; i < ovf->n_disks; i++) {
        const OrielOvfDiskFile *disk = &ovf->disks[i];
        g_autofree char *file = g_strdup_printf("file%u", i + 1);
        g_autofree char *id = g_strdup_printf("vmdisk%u", i + 1);

        start(xml, "Disk");
        attribute_number(xml, "ovf:capacity", disk->capacity);
        attribute(xml, "ovf:capacityAllocationUnits", "byte");
        attribute(xml, "ovf:diskId", id);
        attribute(xml, "ovf:fileRef", file);
        attribute(xml, "ovf:format", ovf->profile == ORIEL_OVF_HYPER_V ? FORMAT_VHDX : FORMAT_VMDK);
        attribute_number(xml, "ovf:populatedSize", disk->populated);
        end(xml);
    }
    end(xml);
}

/* What a card is connected to there. ESXi has a network of the first name from the start. */
static const char *network_name(const OrielOvf *ovf, const OrielNetwork *network)
{
    if (network->mode == ORIEL_NETWORK_PRIVATE && network->network) {
        return network->network;
    }
    return ovf->profile == ORIEL_OVF_VMWARE ? "VM Network" : "NAT";
}

static void networks_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    if (ovf->config->networks->len == 0) {
        return;
    }
    section(xml, "NetworkSection", "Logical networks");
    for (guint i = 0; i < ovf->config->networks->len; i++) {
        const char *name = network_name(ovf, ovf->config->networks->pdata[i]);

        if (g_hash_table_add(names, (gpointer)name)) {
            g_autofree char *text = xml_text(name);

            start(xml, "Network");
            attribute(xml, "ovf:name", text);
            element(xml, "Description", "What the machine's network card is connected to");
            end(xml);
        }
    }
    end(xml);
}

/* --- Hardware --------------------------------------------------------------------------------- */

/* The children in the order in which they are written; NULL and negative: left out. */
struct item {
    gboolean optional;
    int address, address_on_parent;
    const char *allocation_units;
    const char *automatic_allocation;
    const char *connection;
    const char *description;
    const char *element_name;
    const char *host_resource;
    int instance_id, parent;
    const char *resource_sub_type;
    int resource_type;
    gint64 virtual_quantity;
};

static void number_if(xmlTextWriter *xml, const char *name, gint64 value)
{
    if (value >= 0) {
        element_number(xml, name, (guint64)value);
    }
}

static void text_if(xmlTextWriter *xml, const char *name, const char *text)
{
    if (text) {
        element(xml, name, text);
    }
}

/* Leaves the element open, for what VMware adds to it. */
static void item_start(xmlTextWriter *xml, const struct item *item)
{
    start(xml, "Item");
    if (item->optional) {
        attribute(xml, "ovf:required", "false");
    }
    number_if(xml, "rasd:Address", item->address);
    number_if(xml, "rasd:AddressOnParent", item->address_on_parent);
    text_if(xml, "rasd:AllocationUnits", item->allocation_units);
    text_if(xml, "rasd:AutomaticAllocation", item->automatic_allocation);
    text_if(xml, "rasd:Caption", item->element_name);
    text_if(xml, "rasd:Connection", item->connection);
    text_if(xml, "rasd:Description", item->description);
    text_if(xml, "rasd:ElementName", item->element_name);
    text_if(xml, "rasd:HostResource", item->host_resource);
    number_if(xml, "rasd:InstanceID", item->instance_id);
    number_if(xml, "rasd:Parent", item->parent);
    text_if(xml, "rasd:ResourceSubType", item->resource_sub_type);
    number_if(xml, "rasd:ResourceType", item->resource_type);
    number_if(xml, "rasd:VirtualQuantity", item->virtual_quantity);
}

static void item_write(xmlTextWriter *xml, const struct item *item)
{
    item_start(xml, item);
    end(xml);
}

static void processors_write(xmlTextWriter *xml, const OrielConfig *config)
{
    g_autofree char *name = g_strdup_printf("%u virtual CPU(s)", config->cpus);
    const struct item cpu = {
        .address = -1,
        .address_on_parent = -1,
        .allocation_units = "hertz * 10^6",
        .description = "Number of virtual CPUs",
        .element_name = name,
        .instance_id = INSTANCE_CPU,
        .parent = -1,
        .resource_type = RESOURCE_CPU,
        .virtual_quantity = config->cpus,
    };

    item_start(xml, &cpu);
    if (config->cpus <= CORES_A_SOCKET_MAX) { /* editions of Windows limit sockets, not cores */
        start(xml, "vmw:CoresPerSocket");
        attribute(xml, "ovf:required", "false");
        xmlTextWriterWriteFormatString(xml, "%u", config->cpus);
        end(xml);
    }
    end(xml);
}

static void memory_write(xmlTextWriter *xml, const OrielConfig *config)
{
    guint64 mib = config->memory >> 20;
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT "MB of memory", mib);

    item_write(xml, &(struct item){
                        .address = -1,
                        .address_on_parent = -1,
                        .allocation_units = "byte * 2^20",
                        .description = "Memory Size",
                        .element_name = name,
                        .instance_id = INSTANCE_MEMORY,
                        .parent = -1,
                        .resource_type = RESOURCE_MEMORY,
                        .virtual_quantity = (gint64)mib,
                    });
}

static void controller_write(xmlTextWriter *xml, const OrielOvf *ovf, OrielOvfController controller,
                             int number, int instance)
{
    g_autofree char *ide = g_strdup_printf("IDE %d", number);
    struct item item = {
        .address = number,
        .address_on_parent = -1,
        .instance_id = instance,
        .parent = -1,
        .virtual_quantity = -1,
    };

    switch (controller) {
    case ORIEL_OVF_CONTROLLER_SCSI:
        item.description = "SCSI Controller";
        item.element_name = "SCSI Controller 0";
        item.resource_sub_type = "lsilogic";
        item.resource_type = RESOURCE_SCSI;
        break;
    case ORIEL_OVF_CONTROLLER_SATA:
        item.description = "SATA Controller";
        item.element_name = "SATA Controller 0";
        item.resource_sub_type = ovf->profile == ORIEL_OVF_VMWARE ? "vmware.sata.ahci" : "AHCI";
        item.resource_type = RESOURCE_OTHER_STORAGE;
        break;
    default:
        item.description = "IDE Controller";
        item.element_name = ide;
        item.resource_sub_type = ovf->profile == ORIEL_OVF_VIRTUALBOX ? "PIIX4" : NULL;
        item.resource_type = RESOURCE_IDE;
        break;
    }
    item_write(xml, &item);
}

static guint drives_count(const OrielConfig *config, OrielDriveKind kind)
{
    guint n = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        n += ((const OrielDrive *)config->drives->pdata[i])->kind == kind;
    }
    return n;
}

static void controllers_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    gboolean ide = ovf->controller == ORIEL_OVF_CONTROLLER_IDE;

    controller_write(xml, ovf, ovf->controller, 0, INSTANCE_CONTROLLER);
    if (ide && ovf->config->drives->len > 2) {
        controller_write(xml, ovf, ORIEL_OVF_CONTROLLER_IDE, 1, INSTANCE_SECOND_CONTROLLER);
    } else if (ovf->controller == ORIEL_OVF_CONTROLLER_SCSI &&
               drives_count(ovf->config, ORIEL_DRIVE_CDROM) > 0) {
        controller_write(xml, ovf, ORIEL_OVF_CONTROLLER_IDE, 0, INSTANCE_SECOND_CONTROLLER);
    }
}

/* A place on the controllers: disks first, then CD drives. */
static void place_drive(const OrielOvf *ovf, struct item *item, guint disk, guint cdrom)
{
    guint place = item->resource_type == RESOURCE_DISK ? disk : ovf->n_disks + cdrom;

    item->parent = INSTANCE_CONTROLLER;
    if (ovf->controller == ORIEL_OVF_CONTROLLER_IDE) {
        item->parent += (int)place / 2;
        place %= 2;
    } else if (ovf->controller == ORIEL_OVF_CONTROLLER_SCSI &&
               item->resource_type == RESOURCE_CDROM) {
        item->parent = INSTANCE_SECOND_CONTROLLER;
        place = cdrom;
    }
    item->address_on_parent = (int)place;
}

static void drives_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    guint disks = 0, cdroms = 0;

    for (guint i = 0; i < ovf->config->drives->len; i++) {
        const OrielDrive *drive = ovf->config->drives->pdata[i];
        gboolean disk = drive->kind == ORIEL_DRIVE_DISK;
        g_autofree char *host = g_strdup_printf("ovf:/disk/vmdisk%u", disks + 1);
        g_autofree char *name = disk ? g_strdup_printf("Hard Disk %u", disks + 1)
                                     : g_strdup_printf("CD/DVD Drive %u", cdroms + 1);
        struct item item = {
            .optional = !disk,
            .address = -1,
            .automatic_allocation = disk ? NULL : "false",
            .description = disk ? "Disk Image" : "CD/DVD Drive",
            .element_name = name,
            .host_resource = disk ? host : NULL,
            .instance_id = INSTANCE_DRIVES + (int)i,
            .resource_type = disk ? RESOURCE_DISK : RESOURCE_CDROM,
            .virtual_quantity = -1,
        };

        if (!disk && ovf->profile == ORIEL_OVF_VMWARE) {
            item.resource_sub_type = "vmware.cdrom.remotepassthrough";
        }
        place_drive(ovf, &item, disks, cdroms);
        item_write(xml, &item);
        *(disk ? &disks : &cdroms) += 1;
    }
}

/* Intel's card, which every importer has; Windows that starts by UEFI only has the later one's
 * driver. */
static void cards_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    gboolean later = ovf->config->firmware == ORIEL_FIRMWARE_UEFI &&
                     strcmp(oriel_system_find(ovf->config->os)->family, "windows") == 0;

    for (guint i = 0; i < ovf->config->networks->len; i++) {
        const OrielNetwork *network = ovf->config->networks->pdata[i];
        gboolean cable = network->mode != ORIEL_NETWORK_NONE && !network->link_down;
        g_autofree char *name = g_strdup_printf("Network adapter %u", i + 1);

        item_write(xml, &(struct item){
                            .address = -1,
                            .address_on_parent = (int)i,
                            .automatic_allocation = cable ? "true" : "false",
                            .connection = network_name(ovf, network),
                            .description = "Ethernet adapter",
                            .element_name = name,
                            .instance_id = INSTANCE_DRIVES + (int)(ovf->config->drives->len + i),
                            .parent = -1,
                            .resource_sub_type = later ? "E1000e" : "E1000",
                            .resource_type = RESOURCE_NETWORK_CARD,
                            .virtual_quantity = -1,
                        });
    }
}

static const char *system_type(const OrielOvf *ovf)
{
    if (ovf->profile != ORIEL_OVF_HYPER_V) {
        return HARDWARE_VMWARE;
    }
    return ovf->config->firmware == ORIEL_FIRMWARE_UEFI ? "Microsoft:Hyper-V:SubType:2"
                                                        : "Microsoft:Hyper-V:SubType:1";
}

static void hardware_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    section(xml, "VirtualHardwareSection", "Virtual hardware requirements");
    start(xml, "System");
    element(xml, "vssd:ElementName", "Virtual Hardware Family");
    element(xml, "vssd:InstanceID", "0");
    element(xml, "vssd:VirtualSystemIdentifier", ovf->config->name);
    element(xml, "vssd:VirtualSystemType", system_type(ovf));
    end(xml);
    processors_write(xml, ovf->config);
    memory_write(xml, ovf->config);
    controllers_write(xml, ovf);
    drives_write(xml, ovf);
    cards_write(xml, ovf);
    if (ovf->config->firmware == ORIEL_FIRMWARE_UEFI) {
        start(xml, "vmw:Config");
        attribute(xml, "ovf:required", "false");
        attribute(xml, "vmw:key", "firmware");
        attribute(xml, "vmw:value", "efi");
        end(xml);
    }
    end(xml);
}

/* --- The whole -------------------------------------------------------------------------------- */

static void system_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    const OrielOvfSystem *system = oriel_ovf_system(ovf->config->os);

    start(xml, "OperatingSystemSection");
    attribute_number(xml, "ovf:id", system->cim);
    attribute(xml, "vmw:osType", system->vmware);
    element(xml, "Info", "The operating system in the machine");
    element(xml, "Description", oriel_system_find(ovf->config->os)->name);
    start(xml, "vbox:OSType");
    attribute(xml, "ovf:required", "false");
    xmlTextWriterWriteString(xml, BAD_CAST system->virtualbox);
    end(xml);
    end(xml);
}

static void virtual_system_write(xmlTextWriter *xml, const OrielOvf *ovf)
{
    g_autofree char *id = ovf->profile == ORIEL_OVF_VIRTUALBOX
                              ? xml_text(ovf->config->name) /* which is what it calls it by */
                              : oriel_ovf_file_name(ovf->config->name);

    start(xml, "VirtualSystem");
    attribute(xml, "ovf:id", id);
    element(xml, "Info", "A virtual machine");
    element(xml, "Name", ovf->config->name);
    system_write(xml, ovf);
    hardware_write(xml, ovf);
    if (ovf->config->notes && *ovf->config->notes) {
        start(xml, "AnnotationSection");
        attribute(xml, "ovf:required", "false");
        element(xml, "Info", "Notes about the machine");
        element(xml, "Annotation", ovf->config->notes);
        end(xml);
    }
    end(xml);
}

char *oriel_ovf_write(const OrielOvf *ovf, gsize *length)
{
    static const char *const namespaces[][2] = {
        { "xmlns", NS_OVF },       { "xmlns:cim", NS_CIM },   { "xmlns:ovf", NS_OVF },
        { "xmlns:rasd", NS_RASD }, { "xmlns:vbox", NS_VBOX }, { "xmlns:vmw", NS_VMW },
        { "xmlns:vssd", NS_VSSD }, { "xmlns:xsi", NS_XSI },
    };
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *xml = xmlNewTextWriterMemory(buffer, 0);
    char *text;

    xmlTextWriterSetIndent(xml, 1);
    xmlTextWriterSetIndentString(xml, BAD_CAST "  ");
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    start(xml, "Envelope");
    for (gsize i = 0; i < G_N_ELEMENTS(namespaces); i++) {
        attribute(xml, namespaces[i][0], namespaces[i][1]);
    }
    references_write(xml, ovf);
    disks_write(xml, ovf);
    networks_write(xml, ovf);
    virtual_system_write(xml, ovf);
    end(xml);
    xmlTextWriterEndDocument(xml);
    xmlFreeTextWriter(xml);
    *length = (gsize)xmlBufferLength(buffer);
    text = g_strndup((const char *)xmlBufferContent(buffer), *length);
    xmlBufferFree(buffer);
    return text;
}
