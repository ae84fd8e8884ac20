/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the export share. The caller (oriel-export.c) has the names of what is made;
 * oriel-worker reads the machine and writes.
 */
#ifndef ORIEL_EXPORT_PRIVATE_H
#define ORIEL_EXPORT_PRIVATE_H

#include "appliance/oriel-digest.h"
#include "block/image.h"
#include "oriel-export.h"

enum {
    TAR_BLOCK = 512,
    TAR_RECORD = 20 * TAR_BLOCK,
    TAR_NAME_MAX = 99,
};

/* A part of a file: a member of an archive, or all of a file. */
typedef struct {
    char *name;
    int fd; /* the owner's */
    guint64 offset, size;
    char *digest; /* hexadecimal, or NULL */
} ExportMember;

void export_member_free(ExportMember *member);

/*
 * The part of a file from `offset` on as a storage. With `size` it is read-only and ends there; 0:
 * it is empty and grows. With `digest` it is written from front to back only, and when it is freed
 * the digest of what was written goes to *digest (g_free()) and its size to *written. Uses a copy
 * of `fd`.
 */
typedef struct {
    guint64 offset, size;
    const char *digest_name; /* for oriel_digest_new() */
    char **digest;
    guint64 *written;
} ExportSlice;
struct storage *export_slice_new(int fd, const char *name, const ExportSlice *slice,
                                 GError **error);

/* The header of a plain file in a tar, POSIX.1-1988 "ustar", sizes from 8 GiB on as GNU has them.
 */
void export_tar_header(guint8 header[TAR_BLOCK], const char *name, guint64 size, gint64 time);

/* A disk of the machine, opened and locked for reading. */
typedef struct {
    struct image *image;
    guint64 populated; /* bytes that hold data */
    guint64 packed;    /* bytes that it is expected to take */
} ExportDisk;

/* One run of an export. */
typedef struct {
    const OrielMachine *machine;
    const OrielExportOptions *options;
    OrielOvfController controller;
    char *base;         /* of the names of files */
    GPtrArray *disks;   /* ExportDisk */
    GPtrArray *members; /* ExportMember: descriptor, manifest, disks */
    OrielProgress progress;
    gpointer data;
    GCancellable *cancellable;
    guint64 done, total; /* bytes of disks, for progress */
} Export;

/* The kind of digest that the manifest gets, for oriel_digest_new(). */
const char *export_digest_name(const Export *export);

/* Checks the machine, opens its disks and looks how much they hold. export_clear() after it. */
gboolean export_open(Export *export, GError **error);
void export_clear(Export *export);
/* Whether there is room for it: NO_SPACE. */
gboolean export_space_check(const OrielExportReport *report, const char *target, GError **error);
/* What is known before anything is written. */
OrielExportReport *export_report_new(const Export *export);

/* Passes progress on; FALSE, with *error set unless it is NULL, if the user wants to stop. */
gboolean export_report(Export *export, guint64 done, GError **error);

/*
 * Reads the appliance again: the archive at `fd` by libarchive, or (fd -1) the members as they are;
 * the manifest; the descriptor; every block of every disk beside its source.
 */
gboolean export_verify(Export *export, int fd, GError **error);

/* --- Between the two -------------------------------------------------------------------------- */

OrielExportReport *export_report_empty(void);
/* As an a{sv}, floating. */
GVariant *export_report_to_wire(const OrielExportReport *report);

/* Where the worker writes to. */
typedef struct {
    const char *target; /* what it will be called, for messages and the room there */
    const char *folder; /* a folder without files, or NULL: an archive, into */
    int file;           /* this empty file */
} ExportPlace;

OrielExportReport *export_estimate(const OrielMachine *machine, const OrielExportOptions *options,
                                   GError **error);
OrielExportReport *export_write(const OrielMachine *machine, const ExportPlace *place,
                                const OrielExportOptions *options, OrielProgress progress,
                                gpointer data, GCancellable *cancellable, GError **error);

#endif
