/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an appliance declares: the descriptor of the Open Virtualization Format (DMTF DSP0243 1.x
 * and 2.x, and VMware's 0.9) as a plain structure, whoever wrote it.
 *
 * Elements are known by their local names, because producers use wrong and old namespaces. What is
 * dangerous is refused: document types and entities, more than 16 MiB, 64 levels, 200,000 elements
 * or attributes, or 4,096 items. What is merely unknown, doubtful or not carried over becomes a
 * note, a sentence for the user. No other file and no network is touched.
 *
 * Threads: any; nothing is shared.
 */
#ifndef ORIEL_OVF_H
#define ORIEL_OVF_H

#include <glib.h>

enum {
    ORIEL_OVF_BYTES_MAX = 16 << 20,
    ORIEL_OVF_ITEMS_MAX = 4096,
    ORIEL_OVF_NOTES_MAX = 200,
};

/* References/File. */
typedef struct {
    char *id;
    char *href;         /* decoded, not yet checked: see oriel-appliance-source.h */
    guint64 size;       /* bytes as declared, 0: not said; a hint */
    guint64 chunk_size; /* bytes; 0: one piece; else HREF.000000000, ... */
    gboolean gzip;      /* the whole file is compressed */
    char *outside;      /* where it lay on its computer, if not beside the description; NULL */
    char *parent;       /* id of the file to which this one is a difference, or NULL: it says */
} OrielOvfFile;

/* DiskSection/Disk. */
typedef struct {
    char *id;
    char *file;       /* id of its file, or NULL: an empty disk */
    guint64 capacity; /* bytes; 0: not known */
    char *format;     /* "vmdk", "vhd", "qcow2", "iso", or NULL; only a hint */
    char *interface;  /* oVirt: what it is attached to, or NULL */
} OrielOvfDisk;

typedef enum {
    ORIEL_OVF_BUS_NONE, /* not said, or not known */
    ORIEL_OVF_BUS_IDE,
    ORIEL_OVF_BUS_SCSI, /* LSI Logic, BusLogic, PVSCSI */
    ORIEL_OVF_BUS_SATA,
    ORIEL_OVF_BUS_NVME,
    ORIEL_OVF_BUS_VIRTIO,
    ORIEL_OVF_BUS_VIRTIO_SCSI,
} OrielOvfBus;

typedef enum {
    ORIEL_OVF_DRIVE_DISK,
    ORIEL_OVF_DRIVE_CDROM,
    ORIEL_OVF_DRIVE_FLOPPY,
} OrielOvfDriveKind;

typedef struct {
    OrielOvfDriveKind kind;
    OrielOvfBus bus;
    char *disk; /* id of a disk, or NULL */
    char *file; /* id of a file (a CD image that is no disk), or NULL */
} OrielOvfDrive;

typedef struct {
    char *model;        /* as the descriptor says, or NULL */
    char *network;      /* the name of what it is connected to, or NULL */
    char *mac;          /* "aa:bb:cc:dd:ee:ff", or NULL */
    gboolean connected; /* its cable is plugged in */
} OrielOvfCard;

typedef enum {
    ORIEL_OVF_FIRMWARE_UNKNOWN, /* look into the disk */
    ORIEL_OVF_FIRMWARE_BIOS,
    ORIEL_OVF_FIRMWARE_UEFI,
} OrielOvfFirmware;

/* VirtualSystem: one machine. */
typedef struct {
    char *name;       /* never NULL */
    char *annotation; /* text of the author, or NULL */
    char *product;    /* "Product 1.2 of Vendor", or NULL */
    char *os;         /* id as oriel-system.h has it, or NULL: not known */
    char *os_text;    /* what the descriptor says, or NULL */
    char *hardware;   /* the family of virtual hardware: "vmx-19", or NULL */
    guint cpus;       /* 0: not said */
    guint64 memory;   /* bytes; 0: not said */
    OrielOvfFirmware firmware;
    gboolean secure_boot, tpm, sound, usb;
    gboolean clock_known, clock_local;
    char *chipset;        /* "ICH9", "PIIX3", or NULL */
    char *nvram_file;     /* id of a file with the firmware's variables, or NULL */
    guint64 video_memory; /* bytes; 0: not said */
    GPtrArray *drives;    /* OrielOvfDrive, in the order in which the guest meets them */
    GPtrArray *cards;     /* OrielOvfCard */
} OrielOvfMachine;

typedef struct {
    const char *format; /* whose description: "OVF", "VMware", ...; static */
    char *version;      /* OVF: "0.9", "1.0", "2.0"; otherwise NULL */
    GPtrArray *files;   /* OrielOvfFile */
    GPtrArray *disks;   /* OrielOvfDisk */
    GPtrArray *systems; /* OrielOvfMachine, at least one */
    GPtrArray *eulas;   /* licence texts to be accepted */
    GPtrArray *notes;   /* sentences on what is not honoured */
} OrielAppliance;

/*
 * Reads a descriptor. `name` is for messages. INVALID with a sentence if it is none, is damaged or
 * is refused.
 */
OrielAppliance *oriel_ovf_parse(const char *data, gsize length, const char *name, GError **error);

/* One without anything, to be filled; the machine goes into its `systems`, which frees it. */
OrielAppliance *oriel_appliance_new(void);
OrielOvfMachine *oriel_ovf_machine_new(void);
void oriel_appliance_free(OrielAppliance *appliance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielAppliance, oriel_appliance_free)

/* The one with this id, or NULL; NULL finds nothing. */
const OrielOvfFile *oriel_appliance_file(const OrielAppliance *appliance, const char *id);
const OrielOvfDisk *oriel_appliance_disk(const OrielAppliance *appliance, const char *id);

/* "SATA", "SCSI", ...; static. */
const char *oriel_ovf_bus_name(OrielOvfBus bus);

#endif
