/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the appliance's source share. */
#ifndef ORIEL_APPLIANCE_SOURCE_PRIVATE_H
#define ORIEL_APPLIANCE_SOURCE_PRIVATE_H

#include "oriel-appliance-source.h"

enum {
    SOURCE_MEMBERS_MAX = 4096,
    SOURCE_NAME_MAX = 255,
    SOURCE_MANIFEST_MAX = 1 << 20,
};

/* A file of the archive. */
struct member {
    char *name;
    guint64 offset, size;
};

struct OrielApplianceSource {
    char *path;
    char *folder;       /* of the OVF; NULL: an archive */
    gboolean unpacked;  /* `fd` is not the archive itself */
    gboolean single;    /* ... but one packed file that is no archive */
    gboolean alone;     /* of its folder only the image itself is its own */
    char *disks;        /* more files may lie there; NULL: nowhere */
    int fd;             /* the archive, or what was unpacked of it; -1: a folder */
    GPtrArray *members; /* struct member; of an archive */
    char *base;         /* what names in the description are relative to: "" or "x/" */
    char *title;        /* what the user calls it, without folders */
    OrielForeign format;
    GPtrArray *images; /* char *; without a description */
    char *descriptor;  /* its name; NULL: none */
    char *text;
    gsize length;
    GHashTable *digests; /* name -> "SHA256 hex"; NULL: no manifest */
    gboolean is_signed;
};

/* A piece of a file of the source. */
struct part {
    int fd; /* to be closed */
    guint64 offset, size;
};

/* Lists an archive. */
gboolean source_archive_read(OrielApplianceSource *source, GError **error);
/* Unpacks the one at `fd` into the file `scratch`, and lists that. */
gboolean source_archive_unpack(OrielApplianceSource *source, int scratch, GError **error);
/* The same with what was unpacked before; see oriel_appliance_source_unpacked(). */
gboolean source_archive_take(OrielApplianceSource *source, int scratch, GVariant *unpacked,
                             GError **error);
/* Whether a member's name stays where it is. */
gboolean source_name_safe(const char *name);
/* Finds out what `path` is, and where its description and images are. */
gboolean source_find(OrielApplianceSource *source, const OrielApplianceSourceOptions *options,
                     GError **error);
/* Where Hyper-V's exports have disks, "" first; the last is NULL. */
extern const char *const source_places[];
/* Opens one of the source's files by its name in it; fd is -1 on failure. */
struct part source_part_open(OrielApplianceSource *source, const char *name, GError **error);
/* The name in the folder of a file that lies there, NULL if it does not. g_free(). */
char *source_name_in_folder(const OrielApplianceSource *source, const char *name);
gboolean source_has(OrielApplianceSource *source, const char *name);
/* A small file as text with a zero behind it. g_free(). */
char *source_text_read(OrielApplianceSource *source, const char *name, guint64 maximum,
                       gsize *length, GError **error);
/* Reads `text`, the manifest. */
void source_manifest_read(OrielApplianceSource *source, const char *text);
/* Compares one part. */
gboolean source_part_verify(OrielApplianceSource *source, const char *name,
                            GCancellable *cancellable, GError **error);

#endif
