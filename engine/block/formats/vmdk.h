/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the VMDK reader: the descriptor's text, and sparse extents. Private to formats/. */
#ifndef ENGINE_BLOCK_VMDK_H
#define ENGINE_BLOCK_VMDK_H

#include "../pages.h"
#include "formats.h"

enum {
    VMDK_EXTENTS_MAX = 1024,
    VMDK_DESCRIPTOR_MAX = 1 << 20, /* bytes */
};

enum vmdk_extent_type {
    VMDK_FLAT,
    VMDK_SPARSE,
    VMDK_ZERO,
};

/* An extent as the descriptor lists it. */
struct vmdk_line {
    enum vmdk_extent_type type;
    uint64_t sectors;
    char *name;      /* NULL for VMDK_ZERO */
    uint64_t offset; /* sectors; VMDK_FLAT */
};

struct vmdk_descriptor {
    char *create_type;
    uint32_t cid, parent_cid;
    char *parent_name; /* parentFileNameHint; NULL: none */
    GArray *lines;     /* struct vmdk_line */
};

#define VMDK_NO_PARENT UINT32_C(0xffffffff)

/* Parses the text; what is wrong with it, as the end of a sentence, or NULL. */
const char *vmdk_descriptor_parse(const char *text, struct vmdk_descriptor *descriptor);
void vmdk_descriptor_clear(struct vmdk_descriptor *descriptor);

enum vmdk_header_field {
    VMDK_VERSION = 4,
    VMDK_FLAGS = 8,
    VMDK_CAPACITY = 12,
    VMDK_GRAIN_SIZE = 20,
    VMDK_DESCRIPTOR_OFFSET = 28,
    VMDK_DESCRIPTOR_SIZE = 36,
    VMDK_NUM_GTES_PER_GT = 44,
    VMDK_RGD_OFFSET = 48,
    VMDK_GD_OFFSET = 56,
    VMDK_OVER_HEAD = 64,
    VMDK_NEWLINES = 73,
    VMDK_COMPRESS_ALGORITHM = 77,
    VMDK_HEADER_BYTES = 512,
};

enum {
    VMDK_FLAG_REDUNDANT = 1 << 1,
    VMDK_FLAG_ZERO_GTE = 1 << 2,
    VMDK_FLAG_COMPRESSED = 1 << 16,
    VMDK_FLAG_MARKERS = 1 << 17,
    VMDK_MARKER_EOS = 0,
    VMDK_MARKER_GT = 1,
    VMDK_MARKER_GD = 2,
    VMDK_MARKER_FOOTER = 3,
    VMDK_GTES_PER_GT = 512,
};

#define VMDK_GD_AT_END UINT64_MAX

/* A file of grains. */
struct vmdk_sparse {
    struct storage *storage; /* not owned */
    struct pages *pages;
    uint64_t capacity; /* bytes */
    uint32_t grain;    /* bytes */
    uint64_t gd, rgd;  /* bytes; rgd 0: none */
    uint64_t descriptor_offset, descriptor_bytes;
    bool compressed, zero_gte;
    GHashTable *scanned; /* number of a grain table -> its entries, when there is no directory */
};

/* Reads the header, and if need be the footer or all markers. What is wrong, or NULL. */
const char *vmdk_sparse_open(struct vmdk_sparse *sparse, struct storage *storage);
void vmdk_sparse_close(struct vmdk_sparse *sparse);
/* The sector at which a grain lies; 0: absent; 1: zero, if zero_gte. Negative errno on failure. */
int vmdk_sparse_grain(struct vmdk_sparse *sparse, uint64_t number, uint32_t *sector);
/*
 * How many grains are absent one after the other, from `number` on, which is; at most `most`, and
 * fewer than there are if that took long.
 */
uint64_t vmdk_sparse_absent(struct vmdk_sparse *sparse, uint64_t number, uint64_t most);
/* Unpacks the compressed grain at `sector`; -EUCLEAN if it is damaged. */
int vmdk_sparse_unpack(struct vmdk_sparse *sparse, uint64_t sector, uint8_t *bytes);

#endif
