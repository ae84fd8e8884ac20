/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the descriptor of an appliance: DSP0243 "Open Virtualization Format Specification" 1.1,
 * in the order and with the values that VMware, VirtualBox and Proxmox read without a warning.
 * Elements of OVF 2 (StorageItem, ...) are not written: VMware refuses them.
 *
 * Threads: any.
 */
#ifndef ORIEL_OVF_WRITER_H
#define ORIEL_OVF_WRITER_H

#include "config/config.h"

/* Who is to import it. */
typedef enum {
    ORIEL_OVF_VMWARE,     /* ESXi, vCenter, Workstation, Fusion; others read it, too */
    ORIEL_OVF_VIRTUALBOX, /* VirtualBox of any age */
    ORIEL_OVF_PROXMOX,    /* Proxmox VE and others that run QEMU */
    ORIEL_OVF_HYPER_V,    /* Hyper-V, which reads no OVF: this is for its converters */
    ORIEL_OVF_PROFILES,
} OrielOvfProfile;

/* To what the disks are attached. */
typedef enum {
    ORIEL_OVF_CONTROLLER_DEFAULT, /* as the profile and the system want it */
    ORIEL_OVF_CONTROLLER_SCSI,    /* LSI Logic */
    ORIEL_OVF_CONTROLLER_SATA,    /* AHCI */
    ORIEL_OVF_CONTROLLER_IDE,     /* PIIX4; at most four drives */
    ORIEL_OVF_CONTROLLERS,
} OrielOvfController;

typedef struct {
    const char *href;  /* the file's name: [A-Za-z0-9._-] */
    guint64 size;      /* bytes of the file */
    guint64 capacity;  /* bytes of the disk */
    guint64 populated; /* bytes of the disk that hold data */
} OrielOvfDiskFile;

typedef struct {
    OrielOvfProfile profile;
    OrielOvfController controller; /* not DEFAULT: see oriel_ovf_controller() */
    const OrielConfig *config;     /* its disks are `disks`, in this order */
    const OrielOvfDiskFile *disks;
    guint n_disks;
} OrielOvf;

gboolean oriel_ovf_profile_parse(const char *name, OrielOvfProfile *profile);
/* "default", "scsi", "sata", "ide". */
gboolean oriel_ovf_controller_parse(const char *name, OrielOvfController *controller);
/* What DEFAULT means for a machine; others stay. */
OrielOvfController oriel_ovf_controller(OrielOvfProfile profile, OrielOvfController controller,
                                        const OrielConfig *config);

/*
 * A name for files after the machine's: letters and digits of ASCII, dots, hyphens and underscores;
 * 1 to 60 bytes. g_free().
 */
char *oriel_ovf_file_name(const char *name);

/* The descriptor, UTF-8 with a line feed at the end. g_free(). */
char *oriel_ovf_write(const OrielOvf *ovf, gsize *length);

/* What a system is called in descriptors. For the writer and its test. */
typedef struct {
    const char *prefix; /* of the ids of osinfo-db; "" is every other system */
    guint cim;          /* CIM_OperatingSystem.OSType */
    const char *vmware; /* vmw:osType, known to hardware version 14 */
    const char *virtualbox;
} OrielOvfSystem;

/* `id` may be NULL. Never NULL. */
const OrielOvfSystem *oriel_ovf_system(const char *id);

#endif
