/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * machine.json: what a machine is. One structure a section; the engine reads it, the app edits it.
 *
 * The file is versioned ("version": 1), replaced atomically, and keys that this version does not
 * know are kept as they are. Every change keeps the one before as a revision under revisions/.
 * Paths of disks and firmware variables are relative to the machine's folder and stay inside it;
 * only removable media (an ISO image), kernel and initrd may be anywhere.
 *
 * Threads: none of its own; use one structure from one thread at a time.
 */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include <glib.h>
#include <json-glib/json-glib.h>

enum {
    CONFIG_VERSION = 1,
    CONFIG_CPUS_MAX = 255,
    CONFIG_DRIVES_MAX = 6, /* ports of the AHCI controller */
    CONFIG_SERIALS_MAX = 2,
    CONFIG_NAME_MAX = 100, /* bytes of UTF-8 */
};

#define CONFIG_MEMORY_MIN (UINT64_C(16) << 20)
#define CONFIG_MEMORY_MAX (UINT64_C(1) << 40)

typedef enum {
    ORIEL_FIRMWARE_BIOS, /* SeaBIOS */
    ORIEL_FIRMWARE_UEFI, /* OVMF */
} OrielFirmware;

typedef enum {
    ORIEL_DRIVE_DISK,
    ORIEL_DRIVE_CDROM,
} OrielDriveKind;

typedef enum {
    ORIEL_DISK_FORMAT_RAW,
} OrielDiskFormat;

typedef struct {
    char *id; /* "disk0", "cdrom0": unique in the machine */
    OrielDriveKind kind;
    OrielDiskFormat format;
    char *path; /* disks: inside the folder; CDs: absolute, or NULL: no medium */
    gboolean read_only;
} OrielDrive;

typedef enum {
    ORIEL_ERROR_INVALID,    /* a setting or file that cannot be used */
    ORIEL_ERROR_NOT_FOUND,  /* no such machine, file, firmware */
    ORIEL_ERROR_EXISTS,     /* the name is taken */
    ORIEL_ERROR_CORRUPT,    /* machine.json is damaged */
    ORIEL_ERROR_LOCKED,     /* another engine has the machine, or another process the disk */
    ORIEL_ERROR_NO_KVM,     /* /dev/kvm is not there */
    ORIEL_ERROR_PERMISSION, /* /dev/kvm or a file may not be opened */
    ORIEL_ERROR_NO_SPACE,
    ORIEL_ERROR_STATE, /* not possible in the machine's present state */
    ORIEL_ERROR_TIMEOUT,
    ORIEL_ERROR_HOST, /* anything else the host refused */
} OrielError;

#define ORIEL_ERROR (oriel_error_quark())
GQuark oriel_error_quark(void);
/* The process exit code for an error, stable and documented in orielctl(1): 10 + code; 1 for other
 * domains. */
int oriel_error_exit_code(const GError *error);

typedef struct {
    char *uuid; /* text form */
    char *name;
    OrielFirmware firmware;
    char *firmware_path; /* an own image instead of the packaged one; NULL: packaged */
    guint cpus;
    guint64 memory;       /* bytes, multiple of 1 MiB */
    guint64 video_memory; /* bytes, power of two, 8..256 MiB */
    gboolean boot_menu;
    char *boot_order; /* comma-separated drive ids, first to last; NULL: disks, then CDs */
    char *kernel, *initrd, *append; /* direct boot; NULL: firmware boot */
    gboolean clock_local;           /* the RTC shows local time instead of UTC */
    GPtrArray *drives;              /* OrielDrive */
    guint serials;                  /* serial ports, 0..CONFIG_SERIALS_MAX */
    char *vnc_listen; /* "ADDRESS:PORT" to serve VNC on TCP, NULL: only the private socket */
    char *vnc_password;
    char *generation_id; /* VM generation id, text UUID; new for every clone */
    JsonObject *unknown; /* keys of newer versions, kept */
} OrielConfig;

OrielConfig *
oriel_config_new(const char *name); /* defaults: new UUIDs, BIOS, 1 CPU, 1 GiB, 16 MiB video */
void oriel_config_free(OrielConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielConfig, oriel_config_free)
OrielConfig *oriel_config_copy(const OrielConfig *config);

/* Reads and checks FOLDER/machine.json. Errors: NOT_FOUND, CORRUPT, INVALID, PERMISSION. */
OrielConfig *oriel_config_load(const char *folder, GError **error);
/* Checks, writes a temporary file, syncs, renames, syncs the folder; the old file becomes a
 * revision. */
gboolean oriel_config_save(const OrielConfig *config, const char *folder, GError **error);
gboolean oriel_config_check(const OrielConfig *config, GError **error);
/* Puts the newest revision back in place. */
gboolean oriel_config_undo(const char *folder, GError **error);

JsonNode *oriel_config_to_json(const OrielConfig *config);
/*
 * One setting by its key as `orielctl set` and `show` name it ("memory", "cpus", "firmware",
 * "cdrom0.path", ...). The value is text; sizes take suffixes K, M, G, T. A bad key or value gives
 * INVALID and changes nothing.
 */
gboolean oriel_config_set(OrielConfig *config, const char *key, const char *value, GError **error);
char *oriel_config_get(const OrielConfig *config, const char *key, GError **error);

/* A size with an optional suffix K, M, G, T (powers of 1024) as bytes. */
gboolean oriel_size_parse(const char *text, guint64 *bytes, GError **error);

#endif
