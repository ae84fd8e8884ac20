/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Images with the files that they name. This is the one place that decides what an image may lead
 * to: plain files of its own folder, reached through no symbolic link, never more than
 * IMAGE_CHAIN_MAX deep. Everything but the image itself is opened and locked read-only, unless it
 * is to be committed.
 *
 * Threads: any; errors are ORIEL_ERROR with a sentence: those of files.h and image.h, INVALID for
 * names that lead elsewhere.
 */
#ifndef ENGINE_BLOCK_CHAIN_H
#define ENGINE_BLOCK_CHAIN_H

#include "image.h"

enum chain_follow {
    CHAIN_ALONE,  /* an image that needs others is opened without them; for looking at it */
    CHAIN_REFUSE, /* ... is refused, naming what it needs; files of one VMDK belong to it */
    CHAIN_DETECT, /* ... is opened with them; formats that it does not say are detected */
    CHAIN_STATED, /* ... is opened with them, and must say their formats: for machines */
};

struct chain_request {
    const char *drive;  /* for messages, or NULL; see image_file_open() */
    const char *folder; /* what `path` is relative to and stays inside, or NULL */
    const char *path;
    enum image_format format;
    bool detect; /* for imports: `format` is ignored */
    bool read_only;
    bool for_repair;      /* qcow2_open_for_repair() */
    bool for_commit;      /* what the image builds on directly is opened for writing */
    const char *snapshot; /* qcow2: an internal snapshot instead of the disk, or NULL */
    enum chain_follow follow;
};

struct image *chain_open(const struct chain_request *request, GError **error);

/* The paths of all files that reading the image would read, itself first. g_ptr_array_unref(). */
GPtrArray *chain_files(const struct chain_request *request, GError **error);

#endif
