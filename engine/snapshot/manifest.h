/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest.json of a saved state: what the state is of. Private to engine/snapshot/.
 *
 *   version               1
 *   machine               the machine type, "pc-1"
 *   configuration         with which the machine ran, its CD drives as they were at the end
 *   configuration-hash    SHA-256 of its text
 *   settings              machine.json at the moment of saving: a change since is refused
 *   memory                [{name, size}]
 *   devices               [{name, class, version}]
 *   files                 [{name, path, size, modified}]: of the host, that the guest was using
 *   state, ram            {length, crc32}; the chunks of ram have checksums of their own
 */
#ifndef ENGINE_SNAPSHOT_MANIFEST_H
#define ENGINE_SNAPSHOT_MANIFEST_H

#include <json-glib/json-glib.h>

#include "snapshot/saved.h"

enum {
    MANIFEST_VERSION = 1,
    MANIFEST_SIZE_MAX = 1 << 20, /* bytes of the file */
};

struct manifest {
    OrielConfig *config; /* to run with */
    JsonNode *root;
    uint64_t state_length, ram_length;
    uint32_t state_crc;
};

/* The text of the file; g_free(). NULL with *error set if a file of the guest cannot be looked at.
 */
char *manifest_text(const struct saved_content *content, const OrielConfig *settings,
                    uint64_t state_length, uint32_t state_crc, uint64_t ram_length, GError **error);
/*
 * Reads a manifest and checks all of it that has to do with settings and files. False with *error
 * set as saved_open() says.
 */
bool manifest_read(struct manifest *manifest, const char *text, size_t length, const char *folder,
                   const OrielConfig *config, GError **error);
void manifest_clear(struct manifest *manifest);
/* The members "devices" are exactly these. */
bool manifest_has_devices(const struct manifest *manifest, const struct saved_device *devices,
                          unsigned n, char **which);

#endif
