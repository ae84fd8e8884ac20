/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an appliance declares, as a structure. See oriel-ovf.h. */
#include <string.h>

#include "appliance/ovf/oriel-ovf.h"

static void file_free(gpointer data)
{
    OrielOvfFile *file = data;

    g_free(file->id);
    g_free(file->href);
    g_free(file->outside);
    g_free(file->parent);
    g_free(file);
}

static void disk_free(gpointer data)
{
    OrielOvfDisk *disk = data;

    g_free(disk->id);
    g_free(disk->file);
    g_free(disk->format);
    g_free(disk->interface);
    g_free(disk);
}

static void drive_free(gpointer data)
{
    OrielOvfDrive *drive = data;

    g_free(drive->disk);
    g_free(drive->file);
    g_free(drive);
}

static void card_free(gpointer data)
{
    OrielOvfCard *card = data;

    g_free(card->model);
    g_free(card->network);
    g_free(card->mac);
    g_free(card);
}

static void system_free(gpointer data)
{
    OrielOvfMachine *system = data;

    g_free(system->name);
    g_free(system->annotation);
    g_free(system->product);
    g_free(system->os);
    g_free(system->os_text);
    g_free(system->hardware);
    g_free(system->chipset);
    g_free(system->nvram_file);
    g_ptr_array_unref(system->drives);
    g_ptr_array_unref(system->cards);
    g_free(system);
}

OrielOvfMachine *oriel_ovf_machine_new(void)
{
    OrielOvfMachine *system = g_new0(OrielOvfMachine, 1);

    system->drives = g_ptr_array_new_with_free_func(drive_free);
    system->cards = g_ptr_array_new_with_free_func(card_free);
    return system;
}

OrielAppliance *oriel_appliance_new(void)
{
    OrielAppliance *appliance = g_new0(OrielAppliance, 1);

    appliance->files = g_ptr_array_new_with_free_func(file_free);
    appliance->disks = g_ptr_array_new_with_free_func(disk_free);
    appliance->systems = g_ptr_array_new_with_free_func(system_free);
    appliance->eulas = g_ptr_array_new_with_free_func(g_free);
    appliance->notes = g_ptr_array_new_with_free_func(g_free);
    return appliance;
}

void oriel_appliance_free(OrielAppliance *appliance)
{
    if (!appliance) {
        return;
    }
    g_free(appliance->version);
    g_ptr_array_unref(appliance->files);
    g_ptr_array_unref(appliance->disks);
    g_ptr_array_unref(appliance->systems);
    g_ptr_array_unref(appliance->eulas);
    g_ptr_array_unref(appliance->notes);
    g_free(appliance);
}

const OrielOvfFile *oriel_appliance_file(const OrielAppliance *appliance, const char *id)
{
    for (guint i = 0; id && i < appliance->files->len; i++) {
        const OrielOvfFile *file = appliance->files->pdata[i];

        if (strcmp(file->id, id) == 0) {
            return file;
        }
    }
    return NULL;
}

const OrielOvfDisk *oriel_appliance_disk(const OrielAppliance *appliance, const char *id)
{
    for (guint i = 0; id && i < appliance->disks->len; i++) {
        const OrielOvfDisk *disk = appliance->disks->pdata[i];

        if (strcmp(disk->id, id) == 0) {
            return disk;
        }
    }
    return NULL;
}

const char *oriel_ovf_bus_name(OrielOvfBus bus)
{
    static const char *const names[] = {
        [ORIEL_OVF_BUS_NONE] = "unknown",
        [ORIEL_OVF_BUS_IDE] = "IDE",
        [ORIEL_OVF_BUS_SCSI] = "SCSI",
        [ORIEL_OVF_BUS_SATA] = "SATA",
        [ORIEL_OVF_BUS_NVME] = "NVMe",
        [ORIEL_OVF_BUS_VIRTIO] = "virtio",
        [ORIEL_OVF_BUS_VIRTIO_SCSI] = "virtio SCSI",
    };

    return names[bus];
}
