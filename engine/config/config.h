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
#include <stdint.h>

enum {
    CONFIG_VERSION = 1,
    CONFIG_CPUS_MAX = 255,
    CONFIG_DRIVES_MAX = 6, /* as many as the AHCI controller has ports */
    CONFIG_SERIALS_MAX = 2,
    CONFIG_DISPLAYS_MAX = 4,
    CONFIG_NETWORKS_MAX = 4,
    CONFIG_PORTS_MAX = 8, /* slots of a machine with hot plug */
    CONFIG_IOPS_MAX = 10000000,
    CONFIG_NAME_MAX = 100,    /* bytes of UTF-8 */
    CONFIG_APPEND_MAX = 2047, /* bytes of a kernel command line */
    CONFIG_REVISIONS = 20,
    CONFIG_NOTES_MAX = 64 << 10, /* bytes of UTF-8 */
    CONFIG_TAGS_MAX = 500,
};

#define CONFIG_MEMORY_MIN    (UINT64_C(16) << 20)
#define CONFIG_MEMORY_MAX    (UINT64_C(1) << 40)
#define CONFIG_BANDWIDTH_MAX (UINT64_C(1) << 40)

typedef enum {
    ORIEL_FIRMWARE_BIOS, /* SeaBIOS */
    ORIEL_FIRMWARE_UEFI, /* OVMF */
} OrielFirmware;

/* How a window shows the screen. */
typedef enum {
    ORIEL_CONFIG_SCALING_DEFAULT, /* as the window's preferences say */
    ORIEL_CONFIG_SCALING_FIT,     /* as large as the window */
    ORIEL_CONFIG_SCALING_INTEGER, /* the largest whole multiple that fits */
    ORIEL_CONFIG_SCALING_ACTUAL,  /* pixel by pixel */
    ORIEL_CONFIG_SCALING_FOLLOW,  /* the guest's screen takes the window's size */
} OrielConfigScaling;

typedef enum {
    ORIEL_DRIVE_DISK,
    ORIEL_DRIVE_CDROM,
} OrielDriveKind;

/* The display adapter. */
typedef enum {
    ORIEL_VIDEO_STDVGA,     /* every system shows a picture on it */
    ORIEL_VIDEO_VIRTIO_GPU, /* the same to systems without a driver of it; of any size with one */
} OrielVideo;

/* What moves the pointer. A PS/2 mouse is always there. */
typedef enum {
    ORIEL_POINTER_PS2,
    ORIEL_POINTER_VIRTIO_TABLET, /* and, for guests that drive it, a tablet: it takes places */
} OrielPointer;

/* Through what the guest reaches a drive. */
typedef enum {
    ORIEL_CONTROLLER_AHCI,   /* a port of the SATA controller; every system knows it */
    ORIEL_CONTROLLER_VIRTIO, /* a virtio block device of its own; disks only */
    ORIEL_CONTROLLER_NVME,   /* an NVMe controller of its own; disks only */
} OrielController;

/* Whether the host's page cache lies between a disk's image and its guest. */
typedef enum {
    ORIEL_CACHE_WRITEBACK, /* it does; flushes of the guest are honoured */
    ORIEL_CACHE_DIRECT,    /* direct I/O: the host's memory is left to others; disks only */
} OrielCache;

typedef enum {
    ORIEL_DISK_FORMAT_RAW,
    ORIEL_DISK_FORMAT_QCOW2,
} OrielDiskFormat;

typedef struct {
    char *id; /* "disk0", "cdrom0": unique in the machine */
    OrielDriveKind kind;
    OrielDiskFormat format;
    char *path; /* inside the folder; CDs: also absolute, or NULL: no medium */
    gboolean read_only;
    OrielController controller;
    OrielCache cache;
    guint port; /* slot, from 1, in which it can come and go while the machine runs; 0: none */
    guint iops_limit;        /* reads, writes and discards a second; 0: no limit */
    guint64 bandwidth_limit; /* bytes a second; 0: no limit */
    JsonObject *unknown;     /* keys of newer versions, kept; NULL: none */
} OrielDrive;

/* The network card that the guest sees. */
typedef enum {
    ORIEL_NETWORK_VIRTIO,
    ORIEL_NETWORK_E1000E, /* Intel 82574L, which every system knows */
} OrielNetworkModel;

/* What its cable leads to. */
typedef enum {
    ORIEL_NETWORK_USER,    /* through this computer's own connections to wherever they lead */
    ORIEL_NETWORK_PRIVATE, /* the machines of this user that have the same network's name */
    ORIEL_NETWORK_NONE,
} OrielNetworkMode;

typedef struct {
    char *id; /* "net0": unique in the machine */
    OrielNetworkModel model;
    char *mac;
    guint port;    /* as of drives */
    int link_down; /* the cable is out: 0 or 1 */
    OrielNetworkMode mode;
    char *network;        /* ORIEL_NETWORK_PRIVATE: its name; otherwise kept, or NULL */
    gboolean host_access; /* ORIEL_NETWORK_USER: this computer's own services answer at 10.0.2.2 */
    char *forwards;       /* ORIEL_NETWORK_USER: as in network.h, or NULL */
    JsonObject *unknown;  /* keys of newer versions, kept; NULL: none */
} OrielNetwork;

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
/*
 * The process exit code for an error, stable and documented in orielctl(1): 10 + code; 1 for other
 * domains, 0 for no error.
 */
int oriel_error_exit_code(const GError *error);
/*
 * Sets an error from an errno value: NOT_FOUND, PERMISSION, NO_SPACE or HOST. `format` says what
 * could not be done; the system's reason is added behind a colon.
 */
void oriel_error_set_errno(GError **error, int number, const char *format, ...) G_GNUC_PRINTF(3, 4);

typedef struct {
    char *uuid; /* text form */
    char *name;
    OrielFirmware firmware;
    char *firmware_path; /* an own image instead of the packaged one; NULL: packaged */
    guint cpus;
    guint64 memory;       /* bytes, multiple of 1 MiB */
    guint64 video_memory; /* bytes, power of two, 8..256 MiB */
    OrielVideo video;
    guint displays; /* monitors that there can be, 1..CONFIG_DISPLAYS_MAX; virtio-gpu only */
    gboolean boot_menu;
    char *boot_order; /* comma-separated drive ids, first to last; NULL: disks, then CDs */
    char *kernel, *initrd, *append; /* direct boot; NULL: firmware boot */
    gboolean clock_local;           /* the RTC shows local time instead of UTC */
    GPtrArray *drives;              /* OrielDrive */
    GPtrArray *networks;            /* OrielNetwork */
    OrielPointer pointer;
    gboolean rng;     /* an entropy device */
    gboolean hotplug; /* slots in which disks and network cards come and go */
    gboolean balloon; /* a memory balloon, by which the guest gives memory back */
    gboolean console; /* a virtio console */
    guint serials;    /* serial ports, 0..CONFIG_SERIALS_MAX */
    char *vnc_listen; /* "ADDRESS:PORT" to serve VNC on TCP, NULL: only the private socket */
    char *vnc_password;
    char *generation_id; /* VM generation id, text UUID; new for every clone */
    char *os;            /* id of the system in it, as osinfo-db has it ("debian12"), or NULL */
    char *notes;         /* the user's own, several lines, or NULL */
    char *tags;          /* words by which the user groups machines, with commas between, or NULL */
    OrielConfigScaling scaling;
    JsonObject *unknown; /* keys of newer versions, kept */
} OrielConfig;

/* Defaults: new UUIDs, BIOS, 1 CPU, 1 GiB, 16 MiB of video memory, one serial port, no drives, no
 * network cards, a virtio tablet, entropy device and memory balloon. */
OrielConfig *oriel_config_new(const char *name);
void oriel_config_free(OrielConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielConfig, oriel_config_free)
OrielConfig *oriel_config_copy(const OrielConfig *config);

/*
 * Adds a drive with the next free id ("disk0", "disk1", ..., "cdrom0", ...), which the
 * configuration owns. `path` may be NULL for an empty CD drive. NULL with INVALID when all
 * CONFIG_DRIVES_MAX are taken.
 */
OrielDrive *oriel_config_add_drive(OrielConfig *config, OrielDriveKind kind, const char *path,
                                   GError **error);
/* The drive with this id, or NULL. Its place in config->drives is its AHCI port, or says in which
 * slot its own controller is. */
OrielDrive *oriel_config_find_drive(const OrielConfig *config, const char *id);

/* A slot that no drive and no network card has; 0: there is none, or no hot plug. */
guint oriel_config_free_port(const OrielConfig *config);

/* Adds a card with the next free id ("net0", ...) and a random address to the user's network; the
 * configuration owns it. NULL with INVALID when all CONFIG_NETWORKS_MAX are taken. */
OrielNetwork *oriel_config_add_network(OrielConfig *config, GError **error);
/* The card with this id, or NULL. */
OrielNetwork *oriel_config_find_network(const OrielConfig *config, const char *id);

/*
 * Reads and checks FOLDER/machine.json. The file is not trusted: at most 1 MiB, few levels. Errors:
 * NOT_FOUND (no such machine), CORRUPT (not readable as a configuration at all), INVALID (a setting
 * is wrong, or the file is of a newer version), PERMISSION, HOST.
 */
OrielConfig *oriel_config_load(const char *folder, GError **error);
/*
 * Checks, writes a temporary file, syncs, renames, syncs the folder; the old file becomes a
 * revision under FOLDER/revisions/, where the last CONFIG_REVISIONS are kept. Whatever fails or
 * dies in between, machine.json is either the old or the new one, whole. Nothing is written if
 * nothing changed.
 */
gboolean oriel_config_save(const OrielConfig *config, const char *folder, GError **error);
/* Limits, unique ids, disks that stay inside the folder, settings that need each other. INVALID. */
gboolean oriel_config_check(const OrielConfig *config, GError **error);
/* Puts the newest revision that differs back in place and forgets it. NOT_FOUND if there is none.
 */
gboolean oriel_config_undo(const char *folder, GError **error);

/* Settings that a machine has or had. */
typedef struct {
    guint number;    /* 0: the present ones; ORIEL_REVISION_WORKED: kept only because they worked */
    gint64 time;     /* when they were written, seconds since 1970 */
    gboolean worked; /* the last ones with which the machine ran well */
    OrielConfig *config;
} OrielRevision;

enum {
    ORIEL_REVISION_WORKED = 100000000, /* behind all numbers */
};

void oriel_revision_free(OrielRevision *revision);
/*
 * The present and the earlier settings (OrielRevision) as far as they can be used, newest first.
 * NULL with *error set if the folder is not there. g_ptr_array_unref().
 */
GPtrArray *oriel_config_list_revisions(const char *folder, GError **error);
/* Remembers these settings as the last that worked, in place of others. */
gboolean oriel_config_mark_worked(const OrielConfig *config, const char *folder, GError **error);
/* Gives `config` all settings of another one but name, uuid and generation id. */
void oriel_config_take_settings(OrielConfig *config, const OrielConfig *revision);

/* The content of machine.json, unknown keys included. */
JsonNode *oriel_config_to_json(const OrielConfig *config);
/* The opposite, from the text of a file that messages call `source`. Errors: CORRUPT, INVALID. */
OrielConfig *oriel_config_from_data(const char *data, gsize length, const char *source,
                                    GError **error);

/*
 * One setting by its key as `orielctl set` and `show` name it ("memory", "cpus", "firmware",
 * "cdrom0.path", "net0.link", ...). The value is text; sizes of memory take suffixes B, K, M, G, T,
 * and a bare number of them is in MiB; an empty value clears a setting that may be absent. A bad
 * key or value gives INVALID and changes nothing.
 */
gboolean oriel_config_set(OrielConfig *config, const char *key, const char *value, GError **error);
/* The value as oriel_config_set() takes it; "" when absent. g_free(). */
char *oriel_config_get(const OrielConfig *config, const char *key, GError **error);
/* Every key of this machine, in the order of machine.json. g_strfreev(). */
char **oriel_config_keys(const OrielConfig *config);
/* Whether oriel_config_set() may change it (uuid, a drive's type, ... are fixed). */
gboolean oriel_config_key_fixed(const OrielConfig *config, const char *key);

/* Whether a change takes effect at once; others wait until a running machine is started again. */
gboolean oriel_config_key_live(const OrielConfig *config, const char *key);
/*
 * The keys whose values differ, and the ids of drives and network cards that only one of them has,
 * in the order of `config`. g_strfreev().
 */
char **oriel_config_differences(const OrielConfig *config, const OrielConfig *other);

/* A size with an optional suffix B, K, M, G, T (powers of 1024, also as KB, KiB) as bytes. */
gboolean oriel_size_parse(const char *text, guint64 *bytes, GError **error);
/* The same where a bare number counts `unit` bytes, 1 or more. */
gboolean oriel_size_parse_unit(const char *text, guint64 unit, guint64 *bytes, GError **error);
/* The shortest exact text that both read back: "2G", "1536M", "1000B". g_free(). */
char *oriel_size_text(guint64 bytes);

#endif
