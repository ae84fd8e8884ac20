/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disk images of every format behind one interface.
 *
 * A format is a class (struct image_class) whose heart is a map: what lies at an offset of the
 * virtual disk. Reading through the map, zeroes, backing images and limits are done here, once.
 * An image is opened as the format that the caller says; image_detect() is for imports only, and
 * what it found is kept from then on, because a guest can write any header to a raw disk.
 *
 * Image files are hostile: whatever is wrong with one is refused with a sentence when it is opened,
 * or, found later, ends the request with -EUCLEAN; image_problem() then has the sentence. The
 * format code opens no other file: it returns the name of a backing image, and chain.h has the
 * policy.
 *
 * Threads: read, write, zero, flush and extent from any thread, several at a time. All others
 * alone, with no request running.
 *
 * Errors of requests are negative errno values: -EINVAL (outside the disk), -EROFS, -EUCLEAN (the
 * image is damaged), -ENOSPC and whatever else the host says.
 */
#ifndef ENGINE_BLOCK_IMAGE_H
#define ENGINE_BLOCK_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "storage.h"

enum image_format {
    IMAGE_RAW,
    IMAGE_QCOW2,
    IMAGE_VMDK,
    IMAGE_VDI,
    IMAGE_VHD,
    IMAGE_VHDX,
    IMAGE_FORMATS,
};

#define IMAGE_BYTES_MAX (UINT64_C(1) << 56) /* the largest virtual disk */

enum {
    IMAGE_SECTOR = 512, /* sizes and requests are multiples of it */
    IMAGE_CHAIN_MAX = 32,
};

enum image_kind {
    IMAGE_DATA,       /* at `host` in `storage` */
    IMAGE_ZERO,       /* reads as zeroes */
    IMAGE_ABSENT,     /* in the backing image; zeroes without one */
    IMAGE_COMPRESSED, /* class->decompress() has it; the extent lies in one compressed unit */
};

struct image_extent {
    enum image_kind kind;
    uint64_t length; /* bytes, at least 1 */
    struct storage *storage;
    uint64_t host;   /* DATA: offset in the storage; COMPRESSED: the class's own */
    uint64_t unit;   /* COMPRESSED: virtual offset at which the unit begins */
    uint64_t cookie; /* COMPRESSED: the class's own */
};

struct image;

struct image_class {
    enum image_format format;
    int (*map)(struct image *image, uint64_t offset, uint64_t length, struct image_extent *extent);
    /* The rest may be NULL: not possible with this format. */
    /* For image_place(): -EAGAIN instead of waiting for a lock or the host's disk. */
    int (*map_now)(struct image *image, uint64_t offset, uint64_t length,
                   struct image_extent *extent);
    /* Where a write goes that changes nothing but data; else a negative errno value. */
    int (*place_write)(struct image *image, uint64_t offset, uint64_t length, uint64_t *host);
    int (*decompress)(struct image *image, const struct image_extent *extent, uint8_t *unit);
    int (*write)(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                 uint64_t length);
    int (*zero)(struct image *image, uint64_t offset, uint64_t length, bool release);
    int (*flush)(struct image *image);
    int (*sync)(struct image *image); /* NULL: flush does it */
    bool (*resize)(struct image *image, uint64_t size, GError **error);
    void (*begin)(struct image *image);     /* around the map and what is done with its answer */
    bool (*begin_now)(struct image *image); /* false where `begin` would wait */
    void (*end)(struct image *image);
    GPtrArray *(*describe)(struct image *image);
    void (*free)(struct image *image);
};

struct image_unit_cache;

struct image {
    const struct image_class *class;
    struct storage *storage; /* owned */
    uint64_t size;           /* bytes of the virtual disk */
    uint32_t unit;           /* bytes: cluster, grain or block; 512 for raw */
    bool read_only;
    char *backing_name;     /* as the image says; NULL: none */
    char *backing_format;   /* as the image says; NULL: not said */
    char *identity;         /* what a difference to this image names it by; NULL: has none */
    char *backing_identity; /* what `identity` of the backing image must be; NULL: anything */
    struct image *backing;  /* owned; NULL: none, or not attached */
    char *problem;          /* atomic, set once */
    struct image_unit_cache *cache;
};

/* "raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx". */
const char *image_format_name(enum image_format format);
/* The opposite; also "vpc" for vhd. False if there is no such format. */
bool image_format_parse(const char *name, enum image_format *format);

enum {
    IMAGE_LOOK = 128, /* bytes from the beginning that marks lie in */
};

/* How a format, or the packing of a file, is known. */
struct image_mark {
    unsigned offset, length;
    const char *bytes;
    enum image_format format; /* IMAGE_FORMATS: none that can be opened */
    const char *name;         /* of the disk's format; NULL: no disk, but something packed */
    const char *what;         /* IMAGE_FORMATS: what it is and what to do, for a sentence */
};

/*
 * The mark that the first bytes of a file carry, or its last ones; `footer` is NULL for a file that
 * has fewer. NULL: none, and it may be a raw disk. For imports only.
 */
const struct image_mark *image_mark_find(const uint8_t start[IMAGE_LOOK],
                                         const uint8_t footer[IMAGE_SECTOR]);
/*
 * What the content looks like; IMAGE_RAW if like nothing else. For imports only. INVALID with a
 * sentence for formats that are known and not supported, and for compressed files.
 */
bool image_detect(struct storage *storage, enum image_format *format, GError **error);

/*
 * Opens an image; the storage is the image's from here on, also on failure. Writing needs a
 * writable storage and a format that can (raw, qcow2). VMDK images of several files are opened with
 * vmdk_open_files() (formats/formats.h). Errors: INVALID (damaged, or a feature that is not
 * supported), CORRUPT (writable only: must be repaired first), HOST.
 */
struct image *image_open(struct storage *storage, enum image_format format, GError **error);
/* Flushes, warning if that fails, and frees, with its backing images. NULL is allowed. */
void image_free(struct image *image);

/* Attaches the backing image, which is the image's from here on. */
void image_set_backing(struct image *image, struct image *backing);

/* At most SPANS_MAX spans; their sum must be `length`. */
int image_readv(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                uint64_t length);
int image_writev(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                 uint64_t length);
int image_read(struct image *image, uint64_t offset, void *bytes, size_t length);
int image_write(struct image *image, uint64_t offset, const void *bytes, size_t length);
/* Makes a range read as zeroes; with `release` its space is given back where possible. */
int image_zero(struct image *image, uint64_t offset, uint64_t length, bool release);
/* Everything written before is durable. */
int image_flush(struct image *image);
/* The same, and nothing is left for later: until the next change the file stays as it is. */
int image_sync(struct image *image);

/* One piece of a storage that a request is about; it stays there until image_place_end(). */
struct image_place {
    struct storage *storage;
    uint64_t host;      /* offset in the storage */
    struct image *last; /* the image, or one of its backing images */
};

/*
 * Finds the place of a whole request, so that the caller moves the data himself, in whatever way.
 * False if that is not possible, or not without waiting (for a lock, or for the host's disk): the
 * request is then one for image_readv() or image_writev(). True: image_place_end() must follow,
 * from any thread, when the data has been moved.
 */
bool image_place(struct image *image, uint64_t offset, uint64_t length, bool write,
                 struct image_place *place);
void image_place_end(struct image *image, const struct image_place *place);

/*
 * What is at `offset`, and for how many bytes (at most `length`), through all backing images:
 * IMAGE_DATA or IMAGE_ZERO. Data may be zeroes nevertheless.
 */
int image_status(struct image *image, uint64_t offset, uint64_t length, enum image_kind *kind,
                 uint64_t *known);
/* The same of this image alone: also IMAGE_ABSENT and IMAGE_COMPRESSED. */
int image_status_top(struct image *image, uint64_t offset, uint64_t length, enum image_kind *kind,
                     uint64_t *known);

/* Another size, a multiple of 512; what is added reads as zeroes. Errors: INVALID, NO_SPACE, HOST.
 */
bool image_resize(struct image *image, uint64_t size, GError **error);
/* Pairs of key and text ("cluster size", "65536") that only this format has; g_ptr_array_unref().
 */
GPtrArray *image_describe(struct image *image);
/* The sentence for what was found wrong while requests ran, or NULL. Owned by the image. */
const char *image_problem(struct image *image);

/* --- For formats ---------------------------------------------------------------------------- */

/* Says once what is wrong; returns -EUCLEAN. */
int image_damaged(struct image *image, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* As image_readv() inside begin() and end(), for copy on write. */
int image_read_inside(struct image *image, uint64_t offset, const struct iovec *spans, unsigned n,
                      uint64_t length);
/* Forgets units that were decompressed. */
void image_cache_forget(struct image *image);
/* Takes over `storage` and sets the base up. */
void image_init(struct image *image, const struct image_class *class, struct storage *storage);
/* What class->free ends with. */
void image_clear(struct image *image);
/* Sets *error: INVALID for -EUCLEAN with the problem, G_IO_ERROR_CANCELLED for -ECANCELED (nothing
 * was changed), else what oriel_error_set_errno() makes. */
void image_set_error(struct image *image, int result, GError **error);

#endif
