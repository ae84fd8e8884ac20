/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptors of appliances, one for each producer (the seeds of the fuzzer), and hostile ones. */
#include <gio/gio.h>

#include "test.h"
#include "config/config.h"
#include "appliance/ovf/oriel-ovf.h"

static OrielAppliance *read_seed(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("ORIEL_OVF_SEEDS"), name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    OrielAppliance *appliance = NULL;
    gsize length;

    if (g_file_get_contents(path, &text, &length, &error)) {
        appliance = oriel_ovf_parse(text, length, name, &error);
    }
    if (!appliance) {
        test_fail(__FILE__, __LINE__, "%s: %s", name, error->message);
    }
    return appliance;
}

static const OrielOvfDrive *drive_at(const OrielOvfMachine *machine, guint n)
{
    CHECK(n < machine->drives->len);
    return machine->drives->pdata[n];
}

static const OrielOvfCard *card_at(const OrielOvfMachine *machine, guint n)
{
    CHECK(n < machine->cards->len);
    return machine->cards->pdata[n];
}

TEST(virtualbox)
{
    g_autoptr(OrielAppliance) a = read_seed("virtualbox");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(oriel_appliance_file(a, "file1")->href, "My Box-disk001.vmdk");
    CHECK_STR(m->name, "My Box");
    CHECK_STR(m->product, "Box 1.2 of Acme");
    CHECK_STR(m->annotation, "Log in as root.");
    CHECK_STR(a->eulas->pdata[0], "Be nice.");
    CHECK_STR(m->os, "debian12");
    CHECK_EQ(m->cpus, 2);
    CHECK_EQ(m->memory, UINT64_C(2) << 30);
    CHECK_EQ(m->firmware, ORIEL_OVF_FIRMWARE_UEFI);
    CHECK(m->tpm && m->sound && m->clock_known && !m->clock_local);
    CHECK(m->nvram_file == NULL);
    CHECK_STR(m->chipset, "ICH9");
    CHECK_EQ(m->video_memory, 32 << 20);
    CHECK_EQ(m->drives->len, 2);
    CHECK_EQ(drive_at(m, 0)->kind, ORIEL_OVF_DRIVE_DISK);
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_SATA);
    CHECK_STR(drive_at(m, 0)->disk, "vmdisk1");
    CHECK_EQ(drive_at(m, 1)->kind, ORIEL_OVF_DRIVE_CDROM);
    CHECK_STR(oriel_appliance_disk(a, drive_at(m, 1)->disk)->format, "iso");
    CHECK_STR(card_at(m, 0)->mac, "08:00:27:aa:bb:cc");
    CHECK_STR(card_at(m, 0)->network, "NAT");
}

TEST(vmware)
{
    g_autoptr(OrielAppliance) a = read_seed("vmware");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(m->name, "Windows Box");
    CHECK_STR(m->os, "win10");
    CHECK_STR(m->hardware, "vmx-19");
    CHECK_EQ(m->cpus, 4); /* of the default configuration, not the sum, not the minimum */
    CHECK_EQ(m->memory, UINT64_C(4) << 30);
    CHECK_EQ(m->firmware, ORIEL_OVF_FIRMWARE_UEFI);
    CHECK(m->secure_boot);
    CHECK_STR(m->nvram_file, "file2");
    CHECK_EQ(m->drives->len, 3);
    CHECK_STR(drive_at(m, 0)->disk, "vmdisk1"); /* by its place, though it stands behind */
    CHECK_STR(drive_at(m, 1)->disk, "vmdisk2");
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_SCSI); /* declared after the disks */
    CHECK_EQ(oriel_appliance_disk(a, "vmdisk1")->capacity, UINT64_C(40) << 30);
    CHECK(oriel_appliance_disk(a, "vmdisk2")->file == NULL);
    CHECK_STR(card_at(m, 0)->mac, "00:50:56:11:22:33");
    CHECK_EQ(m->video_memory, 16 << 20);
}

TEST(vmware_0_9)
{
    g_autoptr(OrielAppliance) a = read_seed("vmware-0.9");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(a->version, "0.9");
    CHECK_STR(m->name, "Old");
    CHECK_STR(m->os, "linux");
    CHECK_STR(m->annotation, "old");
    CHECK_EQ(m->memory, 256 << 20);
    CHECK_EQ(m->firmware, ORIEL_OVF_FIRMWARE_UNKNOWN);
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_IDE);
    CHECK(oriel_appliance_file(a, "f")->gzip);
    CHECK_EQ(oriel_appliance_file(a, "f")->chunk_size, 1048576);
}

TEST(ovirt)
{
    g_autoptr(OrielAppliance) a = read_seed("ovirt");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(m->name, "ov vm");
    CHECK_EQ(m->cpus, 4);
    CHECK_EQ(m->memory, 1 << 30);
    CHECK_EQ(m->firmware, ORIEL_OVF_FIRMWARE_UEFI);
    CHECK_STR(drive_at(m, 0)->disk, "aaaaaaaa-1111");
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_VIRTIO_SCSI);
    CHECK_EQ(oriel_appliance_disk(a, "aaaaaaaa-1111")->capacity, UINT64_C(10) << 30);
    CHECK_STR(card_at(m, 0)->mac, "00:1a:4a:16:01:51");
}

TEST(xenserver)
{
    g_autoptr(OrielAppliance) a = read_seed("xenserver");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(m->name, "Xen VM");
    CHECK_STR(m->os, "ubuntu22.04");
    CHECK_EQ(m->firmware, ORIEL_OVF_FIRMWARE_UEFI);
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_NONE);
    CHECK_STR(oriel_appliance_disk(a, "f1")->format, "vhd");
}

TEST(clouds_and_hyper_v)
{
    g_autoptr(OrielAppliance) a = read_seed("aws");
    g_autoptr(OrielAppliance) h = read_seed("hyper-v");
    const OrielOvfMachine *m = a->systems->pdata[0], *w = h->systems->pdata[0];

    CHECK_STR(m->name, "i-0123");
    CHECK_EQ(m->memory, 1 << 30); /* no unit */
    CHECK_EQ(m->drives->len, 1);
    CHECK(a->notes->len == 1 && strstr(a->notes->pdata[0], "controller that is not declared"));
    CHECK_EQ(w->memory, UINT64_C(4) << 30);
    CHECK_STR(w->os, "win2k19");
    CHECK_EQ(oriel_appliance_disk(h, "1")->capacity, UINT64_C(60) << 30);
    CHECK(h->notes->len == 1 && strstr(h->notes->pdata[0], "“Odd”"));
}

TEST(ovf_2_with_two_machines)
{
    g_autoptr(OrielAppliance) a = read_seed("ovf-2");
    const OrielOvfMachine *m = a->systems->pdata[0];

    CHECK_STR(a->version, "2.0");
    CHECK_EQ(a->systems->len, 2);
    CHECK_EQ(drive_at(m, 0)->bus, ORIEL_OVF_BUS_VIRTIO);
    CHECK_STR(card_at(m, 0)->mac, "52:54:00:12:34:56");
    CHECK_STR(a->eulas->pdata[0], "Two may be used.");
}

/* --- Hostile ---------------------------------------------------------------------------------- */

static void refused(const char *text, gssize length, const char *word)
{
    g_autoptr(GError) error = NULL;
    OrielAppliance *appliance =
        oriel_ovf_parse(text, length < 0 ? strlen(text) : (gsize)length, "x.ovf", &error);

    CHECK(appliance == NULL);
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    if (!strstr(error->message, word)) {
        test_fail(__FILE__, __LINE__, "“%s” is not in: %s", word, error->message);
    }
}

static char *repeated(const char *before, const char *piece, guint n, const char *after)
{
    GString *text = g_string_new(before);

    for (guint i = 0; i < n; i++) {
        g_string_append(text, piece);
    }
    g_string_append(text, after);
    return g_string_free(text, FALSE);
}

TEST(document_types)
{
    g_autofree char *wide = NULL;
    gsize length;

    refused("<?xml version=\"1.0\"?><!DOCTYPE e [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
            "<Envelope>&x;</Envelope>",
            -1, "document type");
    refused("<!DOCTYPE a [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><Envelope>&b;</Envelope>", -1,
            "document type");
    wide = g_convert("\xef\xbb\xbf<!DOCTYPE a SYSTEM \"http://127.0.0.1/\"><a/>", -1, "UTF-16LE",
                     "UTF-8", NULL, &length, NULL);
    refused(wide, (gssize)length, "document type");
}

TEST(bombs)
{
    g_autofree char *deep = repeated("<Envelope>", "<a>", 10000, "");
    g_autofree char *many = repeated("<Envelope>", "<a/>", 1000000, "</Envelope>");
    g_autofree char *wide = repeated("<Envelope ", "a=''", 1000, "/>");
    g_autofree char *items =
        repeated("<Envelope><VirtualSystem><VirtualHardwareSection>", "<Item/>", 5000,
                 "</VirtualHardwareSection></VirtualSystem></Envelope>");
    g_autofree char *collections = repeated("<Envelope>", "<VirtualSystem/>", 100, "</Envelope>");
    g_autofree char *large = g_malloc0(ORIEL_OVF_BYTES_MAX + 1);

    refused(deep, -1, "nested");
    refused(many, -1, "too many elements");
    refused(wide, -1, "attributes");
    refused(items, -1, "items of hardware");
    refused(collections, -1, "too many machines");
    refused(large, ORIEL_OVF_BYTES_MAX + 1, "16 MiB");
}

TEST(what_is_none)
{
    refused("", 0, "not text");
    refused("hello", -1, "line 1");
    refused("<html/>", -1, "not an OVF envelope");
    refused("<Envelope/>", -1, "no machine");
    refused("<Envelope><VirtualSystem></Envelope>", -1, "not correct XML");
    refused("<Envelope><DiskSection><Disk diskId='a' parentRef='b'/></DiskSection>"
            "<VirtualSystem/></Envelope>",
            -1, "difference");
    refused("<Envelope><References><File id='a' href='b' compression='rot13'/></References>"
            "<VirtualSystem/></Envelope>",
            -1, "compressed");
}

TEST(doubtful_values)
{
    static const char text[] =
        "<Envelope><DiskSection><Disk diskId='a' capacity='99999999999999999999'/>"
        "<Disk diskId='b' capacity='18014398509481984' capacityAllocationUnits='byte * 2^40'/>"
        "<Disk diskId='c' capacity='${size}'/>"
        "<Disk diskId='d' capacity='3' capacityAllocationUnits='byte * 10^9'/></DiskSection>"
        "<VirtualSystem><VirtualHardwareSection>"
        "<Item><ResourceType>3</ResourceType><VirtualQuantity>-1</VirtualQuantity></Item>"
        "<Item><ResourceType>4</ResourceType><VirtualQuantity>7</VirtualQuantity>"
        "<AllocationUnits>furlongs</AllocationUnits></Item>"
        "<Item><ResourceType>17</ResourceType><HostResource>file:///etc/passwd</HostResource></"
        "Item>"
        "<Item><ResourceType>8</ResourceType></Item>"
        "</VirtualHardwareSection></VirtualSystem></Envelope>";
    g_autoptr(OrielAppliance) a = oriel_ovf_parse(text, sizeof(text) - 1, "x.ovf", NULL);
    const OrielOvfMachine *m;

    CHECK(a != NULL);
    m = a->systems->pdata[0];
    CHECK_EQ(oriel_appliance_disk(a, "a")->capacity, 0);
    CHECK_EQ(oriel_appliance_disk(a, "b")->capacity, 0);
    CHECK_EQ(oriel_appliance_disk(a, "c")->capacity, 0);
    CHECK_EQ(oriel_appliance_disk(a, "d")->capacity, UINT64_C(3000000000));
    CHECK_EQ(m->cpus, 0);
    CHECK_EQ(m->memory, 0);
    CHECK_EQ(m->drives->len, 0);
    CHECK_EQ(a->notes->len, 7);
}

TEST_MAIN(T(virtualbox), T(vmware), T(vmware_0_9), T(ovirt), T(xenserver), T(clouds_and_hyper_v),
          T(ovf_2_with_two_machines), T(document_types), T(bombs), T(what_is_none),
          T(doubtful_values))
