/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OVF writer: what importers insist on, looked up in the descriptor by XPath. */
#include <glib.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "appliance/ovf/oriel-ovf-writer.h"
#include "appliance/ovf/oriel-ovf.h"
#include "test.h"

#define ITEM(type) "//o:Item[rasd:ResourceType=" #type "]"

static const OrielOvfDiskFile test_disks[] = {
    { "a-disk1.vmdk", 1000, 1 << 20, 512 },
    { "a-disk2.vmdk", 2000, 3 << 20, 1024 },
};

/* A descriptor that was written and parsed again. */
struct parsed {
    xmlDoc *doc;
    xmlXPathContext *context;
};

static struct parsed parse(OrielOvfProfile profile, OrielOvfController controller,
                           const OrielConfig *config)
{
    const OrielOvf ovf = {
        .profile = profile,
        .controller = oriel_ovf_controller(profile, controller, config),
        .config = config,
        .disks = test_disks,
        .n_disks = 2,
    };
    struct parsed parsed;
    gsize length;
    g_autofree char *text = oriel_ovf_write(&ovf, &length);

    CHECK_EQ(strlen(text), length);
    CHECK(g_utf8_validate(text, -1, NULL));
    CHECK(g_str_has_prefix(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope "));
    CHECK(strstr(text, "<!DOCTYPE") == NULL);
    parsed.doc = xmlReadMemory(text, (int)length, NULL, NULL, XML_PARSE_NONET);
    CHECK(parsed.doc != NULL);
    parsed.context = xmlXPathNewContext(parsed.doc);
    xmlXPathRegisterNs(parsed.context, BAD_CAST "o",
                       BAD_CAST "http://schemas.dmtf.org/ovf/envelope/1");
    xmlXPathRegisterNs(parsed.context, BAD_CAST "vmw", BAD_CAST "http://www.vmware.com/schema/ovf");
    xmlXPathRegisterNs(parsed.context, BAD_CAST "vbox",
                       BAD_CAST "http://www.virtualbox.org/ovf/machine");
    xmlXPathRegisterNs(parsed.context, BAD_CAST "vssd",
                       BAD_CAST "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
                                "CIM_VirtualSystemSettingData");
    xmlXPathRegisterNs(parsed.context, BAD_CAST "rasd",
                       BAD_CAST "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
                                "CIM_ResourceAllocationSettingData");
    return parsed;
}

static void parsed_clear(struct parsed *parsed)
{
    xmlXPathFreeContext(parsed->context);
    xmlFreeDoc(parsed->doc);
}

static void check_text(const struct parsed *parsed, const char *path, const char *expected)
{
    g_autofree char *call = g_strdup_printf("string(%s)", path);
    xmlXPathObject *object = xmlXPathEvalExpression(BAD_CAST call, parsed->context);
    g_autofree char *text = NULL;

    CHECK(object != NULL);
    text = g_strdup((const char *)object->stringval);
    xmlXPathFreeObject(object);
    CHECK_STR(text, expected);
}

static OrielConfig *config_new(const char *name)
{
    OrielConfig *config = oriel_config_new(name);

    oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/a.qcow2", NULL);
    oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, NULL);
    oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/b.qcow2", NULL);
    oriel_config_add_network(config, NULL);
    return config;
}

TEST(names_become_names_of_files)
{
    static const char *const names[][2] = {
        { "Debian 12", "Debian-12" },
        { "../../etc/passwd", "etc-passwd" },
        { "-rf", "rf" },
        { ".hidden", "hidden" },
        { "a  &  b", "a-b" },
        { "", "machine" },
        { "\xe6\xbc\xa2", "machine" },
        { "Gr\xc3\xb6\xc3\x9f"
          "e!",
          "Grosse" },
        { "a.b_c.", "a.b_c" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = oriel_ovf_file_name(names[i][0]);

        CHECK_STR(file, names[i][1]);
    }
    g_autofree char *longest = g_strnfill(100, 'x');
    g_autofree char *file = oriel_ovf_file_name(longest);

    CHECK_EQ(strlen(file), 60);
}

TEST(systems_have_their_ids)
{
    CHECK_EQ(oriel_ovf_system("debian12")->cim, 96);
    CHECK_STR(oriel_ovf_system("debian12")->virtualbox, "Debian_64");
    CHECK_STR(oriel_ovf_system("win11")->virtualbox, "Windows11_64");
    CHECK_EQ(oriel_ovf_system("win10")->cim, 120);
    CHECK_EQ(oriel_ovf_system("win2k16")->cim, 118);
    CHECK_EQ(oriel_ovf_system("win2k12r2")->cim, 115);
    CHECK_EQ(oriel_ovf_system("linux")->cim, 101);
    CHECK_EQ(oriel_ovf_system("windows")->cim, 120);
    CHECK_EQ(oriel_ovf_system("alpinelinux")->cim, 101);
    CHECK_EQ(oriel_ovf_system(NULL)->cim, 102);
    CHECK_STR(oriel_ovf_system("no such system")->vmware, "otherGuest64");
}

TEST(controllers_by_profile_and_system)
{
    OrielConfig *config = config_new("a");

    CHECK_EQ(oriel_ovf_controller(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_DEFAULT, config),
             ORIEL_OVF_CONTROLLER_SCSI);
    CHECK_EQ(oriel_ovf_controller(ORIEL_OVF_PROXMOX, ORIEL_OVF_CONTROLLER_DEFAULT, config),
             ORIEL_OVF_CONTROLLER_SATA);
    CHECK_EQ(oriel_ovf_controller(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_IDE, config),
             ORIEL_OVF_CONTROLLER_IDE);
    config->os = g_strdup("win11");
    CHECK_EQ(oriel_ovf_controller(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_DEFAULT, config),
             ORIEL_OVF_CONTROLLER_SATA);
    oriel_config_free(config);
}

TEST(vmware_gets_what_it_insists_on)
{
    OrielConfig *config = config_new("A & <B>");
    struct parsed parsed;

    config->os = g_strdup("debian12");
    config->cpus = 3;
    config->memory = UINT64_C(1536) << 20;
    config->notes = g_strdup("two\nlines\001");
    parsed = parse(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_DEFAULT, config);
    check_text(&parsed, "count(//*[local-name()='StorageItem'])", "0");
    check_text(&parsed, "count(//vbox:Machine)", "0");
    check_text(&parsed, "count(//o:*[contains(local-name(), 'Section')][not(*[1][self::o:Info])])",
               "0");
    check_text(&parsed, "local-name(/o:Envelope/*[1])", "References");
    check_text(&parsed, "local-name(/o:Envelope/*[2])", "DiskSection");
    check_text(&parsed, "local-name(//o:VirtualSystem/*[1])", "Info");
    check_text(&parsed, "//o:VirtualSystem/*[2][self::o:Name]", "A & <B>");
    check_text(&parsed, "//o:VirtualSystem/@o:id", "A-B");
    check_text(&parsed, "//vssd:VirtualSystemType", "vmx-14");
    check_text(&parsed, "//o:OperatingSystemSection/@o:id", "96");
    check_text(&parsed, "//o:OperatingSystemSection/@vmw:osType", "debian10_64Guest");
    check_text(&parsed, "//vbox:OSType[@o:required='false']", "Debian_64");
    check_text(&parsed, ITEM(3) "/rasd:AllocationUnits", "hertz * 10^6");
    check_text(&parsed, ITEM(3) "/rasd:VirtualQuantity", "3");
    check_text(&parsed, ITEM(3) "/*[last()][@o:required='false']", "3");
    check_text(&parsed, ITEM(4) "/rasd:AllocationUnits", "byte * 2^20");
    check_text(&parsed, ITEM(4) "/rasd:VirtualQuantity", "1536");
    check_text(&parsed, ITEM(6) "/rasd:ResourceSubType", "lsilogic");
    check_text(&parsed, "count(//o:Item[not(rasd:Caption) or not(rasd:ElementName)])", "0");
    check_text(&parsed, "count(//o:Item)", "8");
    check_text(&parsed, "local-name(/o:Envelope/*[3])", "NetworkSection");
    check_text(&parsed, "//o:Network/@o:name", "VM Network");
    check_text(&parsed, ITEM(10) "/rasd:Connection", "VM Network");
    check_text(&parsed, ITEM(10) "/rasd:ResourceSubType", "E1000");
    check_text(&parsed, ITEM(10) "/rasd:AutomaticAllocation", "true");
    check_text(&parsed, "count(" ITEM(10) "/rasd:Address)", "0");
    check_text(&parsed, "count(" ITEM(15) "[@o:required='false'])", "1");
    check_text(&parsed, "//o:Annotation", "two\nlines\xef\xbf\xbd");
    check_text(&parsed, "count(//vmw:Config)", "0");
    parsed_clear(&parsed);
    oriel_config_free(config);
}

TEST(children_of_items_are_in_alphabetical_order)
{
    OrielConfig *config = config_new("a");
    struct parsed parsed = parse(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_SATA, config);
    xmlXPathObject *found = xmlXPathEvalExpression(BAD_CAST "//o:Item", parsed.context);
    int n = found->nodesetval->nodeNr;
    bool ordered = true;

    for (int i = 0; i < n; i++) {
        const char *previous = "";

        for (xmlNode *node = xmlFirstElementChild(found->nodesetval->nodeTab[i]);
             node && strcmp((const char *)node->ns->prefix, "rasd") == 0;
             node = xmlNextElementSibling(node)) {
            ordered = ordered && strcmp(previous, (const char *)node->name) < 0;
            previous = (const char *)node->name;
        }
    }
    xmlXPathFreeObject(found);
    parsed_clear(&parsed);
    oriel_config_free(config);
    CHECK(n == 7 && ordered);
}

TEST(disks_are_where_they_were)
{
    OrielConfig *config = config_new("a");
    struct parsed parsed = parse(ORIEL_OVF_VIRTUALBOX, ORIEL_OVF_CONTROLLER_DEFAULT, config);

    check_text(&parsed, "//o:File[1]/@o:size", "1000");
    check_text(&parsed, "//o:Disk[2]/@o:capacity", "3145728");
    check_text(&parsed, "//o:Disk[2]/@o:capacityAllocationUnits", "byte");
    check_text(&parsed, "//o:Disk[2]/@o:fileRef", "file2");
    check_text(&parsed, "//o:Disk[2]/@o:populatedSize", "1024");
    check_text(&parsed, "substring-after(//o:Disk[1]/@o:format, '#')", "streamOptimized");
    check_text(&parsed, ITEM(20) "/rasd:ResourceSubType", "AHCI");
    check_text(&parsed, "(" ITEM(17) ")[1]/rasd:HostResource", "ovf:/disk/vmdisk1");
    check_text(&parsed, "(" ITEM(17) ")[1]/rasd:AddressOnParent", "0");
    check_text(&parsed, "(" ITEM(17) ")[2]/rasd:AddressOnParent", "1");
    check_text(&parsed, ITEM(15) "/rasd:AddressOnParent", "2");
    check_text(&parsed, "count(//o:Item[rasd:Parent=" ITEM(20) "/rasd:InstanceID])", "3");
    parsed_clear(&parsed);
    parsed = parse(ORIEL_OVF_PROXMOX, ORIEL_OVF_CONTROLLER_IDE, config);
    check_text(&parsed, "count(" ITEM(5) ")", "2");
    check_text(&parsed, ITEM(15) "/rasd:AddressOnParent", "0");
    check_text(&parsed, ITEM(15) "/rasd:Parent", "4");
    parsed_clear(&parsed);
    oriel_config_free(config);
}

TEST(cards_keep_their_networks)
{
    OrielConfig *config = config_new("a");
    OrielNetwork *first = config->networks->pdata[0];
    OrielNetwork *second = oriel_config_add_network(config, NULL);
    struct parsed parsed;

    first->link_down = 1;
    second->mode = ORIEL_NETWORK_PRIVATE;
    second->network = g_strdup("lab & <more>");
    config->os = g_strdup("win11");
    config->firmware = ORIEL_FIRMWARE_UEFI;
    parsed = parse(ORIEL_OVF_VIRTUALBOX, ORIEL_OVF_CONTROLLER_DEFAULT, config);
    check_text(&parsed, "count(//o:Network)", "2");
    check_text(&parsed, "//o:Network[1]/@o:name", "NAT");
    check_text(&parsed, "//o:Network[2]/@o:name", "lab & <more>");
    check_text(&parsed, "(" ITEM(10) ")[1]/rasd:AutomaticAllocation", "false");
    check_text(&parsed, "(" ITEM(10) ")[2]/rasd:AutomaticAllocation", "true");
    check_text(&parsed, "(" ITEM(10) ")[2]/rasd:Connection", "lab & <more>");
    check_text(&parsed, "(" ITEM(10) ")[2]/rasd:ResourceSubType", "E1000e");
    check_text(&parsed, "count(//rasd:InstanceID[. = preceding::rasd:InstanceID])", "0");
    parsed_clear(&parsed);
    oriel_config_free(config);
}

TEST(uefi_is_said)
{
    OrielConfig *config = config_new("a");
    struct parsed parsed;

    config->firmware = ORIEL_FIRMWARE_UEFI;
    parsed = parse(ORIEL_OVF_VMWARE, ORIEL_OVF_CONTROLLER_DEFAULT, config);
    check_text(&parsed, "//o:VirtualHardwareSection/*[last()]/@vmw:value", "efi");
    check_text(&parsed, "//vmw:Config[@vmw:key='firmware']/@o:required", "false");
    parsed_clear(&parsed);
    parsed = parse(ORIEL_OVF_HYPER_V, ORIEL_OVF_CONTROLLER_DEFAULT, config);
    check_text(&parsed, "//vssd:VirtualSystemType", "Microsoft:Hyper-V:SubType:2");
    parsed_clear(&parsed);
    oriel_config_free(config);
}

TEST(our_own_reader_understands_every_profile)
{
    OrielConfig *config = config_new("Gr\xc3\xb6\xc3\x9f"
                                     "e & <B>");

    config->os = g_strdup("debian12");
    config->cpus = 3;
    config->firmware = ORIEL_FIRMWARE_UEFI;
    config->notes = g_strdup("two\nlines");
    for (guint profile = 0; profile < ORIEL_OVF_PROFILES; profile++) {
        const OrielOvf ovf = {
            .profile = (OrielOvfProfile)profile,
            .controller = oriel_ovf_controller((OrielOvfProfile)profile,
                                               ORIEL_OVF_CONTROLLER_DEFAULT, config),
            .config = config,
            .disks = test_disks,
            .n_disks = 2,
        };
        gsize length;
        g_autofree char *text = oriel_ovf_write(&ovf, &length);
        g_autoptr(OrielAppliance) appliance = oriel_ovf_parse(text, length, "a.ovf", NULL);

        CHECK(appliance);
        CHECK_STR(appliance->version, "1.0");
        CHECK_EQ(appliance->systems->len, 1);
        CHECK_EQ(appliance->notes->len, 0);
        const OrielOvfMachine *machine = appliance->systems->pdata[0];

        CHECK_STR(machine->name, config->name);
        CHECK_STR(machine->annotation, config->notes);
        CHECK(g_str_has_prefix(machine->os, "debian"));
        CHECK_EQ(machine->cpus, 3);
        CHECK_EQ(machine->memory, config->memory);
        CHECK_EQ(machine->firmware, ORIEL_OVF_FIRMWARE_UEFI);
        CHECK_EQ(machine->drives->len, 3);
        CHECK_EQ(machine->cards->len, 1);
        const OrielOvfDrive *first = machine->drives->pdata[0];
        const OrielOvfDisk *disk = oriel_appliance_disk(appliance, first->disk);

        CHECK_EQ(first->bus, profile == ORIEL_OVF_VMWARE ? ORIEL_OVF_BUS_SCSI : ORIEL_OVF_BUS_SATA);
        CHECK_EQ(disk->capacity, 1 << 20);
        CHECK_STR(oriel_appliance_file(appliance, disk->file)->href, "a-disk1.vmdk");
    }
    oriel_config_free(config);
}

TEST_MAIN(T(names_become_names_of_files), T(systems_have_their_ids),
          T(controllers_by_profile_and_system), T(vmware_gets_what_it_insists_on),
          T(children_of_items_are_in_alphabetical_order), T(disks_are_where_they_were),
          T(cards_keep_their_networks), T(uefi_is_said),
          T(our_own_reader_understands_every_profile))
