/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What VMware, VirtualBox, oVirt and XenServer say in elements of their own, as far as the guest
 * depends on it: firmware, chipset, clock, TPM, addresses of network cards. Paths of the host where
 * the appliance was made are never used.
 */
#include <string.h>

#include "oriel-ovf-private.h"

/* --- VMware ----------------------------------------------------------------------------------- */

static void vmware_config(OrielOvfMachine *system, const char *key, const char *value)
{
    guint64 kib;

    if (strcmp(key, "firmware") == 0) {
        system->firmware = g_ascii_strcasecmp(value, "efi") == 0 ? ORIEL_OVF_FIRMWARE_UEFI
                                                                 : ORIEL_OVF_FIRMWARE_BIOS;
    } else if (strcmp(key, "bootOptions.efiSecureBootEnabled") == 0) {
        system->secure_boot = ovf_yes(value);
    } else if (strcmp(key, "videoRamSizeInKB") == 0 && ovf_number(value, 1 << 20, &kib)) {
        system->video_memory = kib << 10;
    } else if (strcmp(key, "virtualICH7MPresent") == 0 && ovf_yes(value)) {
        g_free(system->chipset);
        system->chipset = g_strdup("ICH7M");
    }
}

/* Config of the section and of its items. */
static void vmware_read(OrielOvfMachine *system, const xmlNode *parent, gboolean items)
{
    for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next) {
        if (ovf_is(node, "Config")) {
            g_autofree char *key = ovf_attribute(node, "key");
            g_autofree char *value = ovf_attribute(node, "value");

            if (key && value) {
                vmware_config(system, key, value);
            }
        } else if (items && ovf_is(node, "Item")) {
            vmware_read(system, node, FALSE);
        }
    }
}

/* --- VirtualBox ------------------------------------------------------------------------------- */

static void virtualbox_cards(OrielOvfMachine *system, const xmlNode *network)
{
    guint n = 0;

    for (xmlNode *node = ovf_child(network, "Adapter"); node;
         node = ovf_next(node->next, "Adapter")) {
        g_autofree char *enabled = ovf_attribute(node, "enabled");
        g_autofree char *mac = ovf_attribute(node, "MACAddress");
        g_autofree char *cable = ovf_attribute(node, "cable");
        OrielOvfCard *card;

        if (!ovf_yes(enabled)) {
            continue;
        }
        if (n == system->cards->len) {
            break;
        }
        card = system->cards->pdata[n++];
        if (!card->mac) {
            card->mac = ovf_mac(mac);
        }
        card->connected &= g_strcmp0(cable, "false") != 0;
    }
}

static void virtualbox_firmware(OrielOvfMachine *system, const xmlNode *machine)
{
    const xmlNode *firmware = ovf_below(machine, "Firmware");
    g_autofree char *type = ovf_attribute(firmware, "type");

    if (type) {
        system->firmware = g_ascii_strncasecmp(type, "EFI", 3) == 0 ? ORIEL_OVF_FIRMWARE_UEFI
                                                                    : ORIEL_OVF_FIRMWARE_BIOS;
    }
    g_autofree char *secure = ovf_attribute(ovf_below(machine, "UefiSecureBoot"), "enabled");

    system->secure_boot |= ovf_yes(secure);
}

void ovf_virtualbox_read(OrielOvfMachine *system, const xmlNode *machine)
{
    const xmlNode *hardware = ovf_child(machine, "Hardware");
    g_autofree char *count = ovf_attribute(ovf_below(hardware, "CPU"), "count");
    g_autofree char *memory = ovf_attribute(ovf_child(hardware, "Memory"), "RAMSize");
    g_autofree char *video = ovf_attribute(ovf_child(hardware, "Display"), "VRAMSize");
    g_autofree char *rtc = ovf_attribute(ovf_below(machine, "RTC"), "localOrUTC");
    g_autofree char *tpm = ovf_attribute(ovf_below(machine, "TrustedPlatformModule"), "type");
    g_autofree char *chipset = ovf_attribute(ovf_below(machine, "Chipset"), "type");
    g_autofree char *audio = ovf_attribute(ovf_child(hardware, "AudioAdapter"), "enabled");
    guint64 number;

    virtualbox_firmware(system, machine);
    virtualbox_cards(system, ovf_child(hardware, "Network"));
    if (!system->cpus && ovf_number(count, 1024, &number)) {
        system->cpus = (guint)number;
    }
    if (!system->memory && ovf_number(memory, 1 << 24, &number)) {
        system->memory = number << 20;
    }
    if (!system->video_memory && ovf_number(video, 1024, &number)) {
        system->video_memory = number << 20;
    }
    if (rtc) {
        system->clock_known = TRUE;
        system->clock_local = g_ascii_strcasecmp(rtc, "UTC") != 0;
    }
    system->tpm |= tpm && g_ascii_strcasecmp(tpm, "None") != 0;
    system->sound |= ovf_yes(audio);
    if (chipset) {
        g_free(system->chipset);
        system->chipset = g_steal_pointer(&chipset);
    }
}

/* --- oVirt, XenServer ------------------------------------------------------------------------- */

/* 1: i440fx, 2: q35 with a BIOS or, in other versions, UEFI, 3 and 4: q35 with UEFI. */
static void ovirt_read(OrielOvfMachine *system, const xmlNode *node)
{
    g_autofree char *type = ovf_child_text(node, "BiosType");
    guint64 number;

    if (ovf_number(type, 100, &number) && number == 1) {
        system->firmware = ORIEL_OVF_FIRMWARE_BIOS;
    } else if (number >= 3) {
        system->firmware = ORIEL_OVF_FIRMWARE_UEFI;
        system->secure_boot |= number == 4;
    }
}

static void xenserver_read(OrielOvfMachine *system, const xmlNode *hardware)
{
    for (xmlNode *node = ovf_child(hardware, "VirtualSystemOtherConfigurationData"); node;
         node = ovf_next(node->next, "VirtualSystemOtherConfigurationData")) {
        g_autofree char *text = ovf_text(node);

        if (text && strstr(text, "firmware=uefi")) {
            system->firmware = ORIEL_OVF_FIRMWARE_UEFI;
        } else if (text && strstr(text, "firmware=bios")) {
            system->firmware = ORIEL_OVF_FIRMWARE_BIOS;
        }
    }
}

void ovf_vendor_read(struct ovf *ovf, OrielOvfMachine *system, xmlNode *node, xmlNode *hardware)
{
    const xmlNode *machine = ovf_child(node, "Machine");

    ovirt_read(system, node);
    xenserver_read(system, hardware);
    vmware_read(system, hardware, TRUE);
    if (machine) {
        ovf_virtualbox_read(system, machine);
    }
}
