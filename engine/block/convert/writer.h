/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What writes one format, for convert.c. Private to convert/. */
#ifndef ENGINE_BLOCK_WRITER_H
#define ENGINE_BLOCK_WRITER_H

#include "convert.h"

struct writer;

struct writer_class {
    /* A thread's own help for pack(), or NULL. */
    void *(*packer_new)(struct writer *writer);
    void (*packer_free)(void *packer);
    /* Compresses a unit into `packed` (`packed_max` bytes); 0: not smaller. Any thread. */
    size_t (*pack)(void *packer, struct writer *writer, const uint8_t *bytes, uint8_t *packed);
    /*
     * Takes data that is not all zero: whole units, the last one of the disk filled up with zeroes.
     * With pack(): one unit, and what that gave. One call at a time, in order if `ordered`.
     */
    int (*put)(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
               const uint8_t *packed, size_t n_packed);
    /* A range that is zero, while the backing image might have something there; may be NULL. */
    int (*put_zero)(struct writer *writer, uint64_t offset, uint64_t length);
    /* Everything that is still to be written, durably. */
    int (*finish)(struct writer *writer);
    void (*free)(struct writer *writer); /* with the storage */
};

struct writer {
    const struct writer_class *class;
    struct storage *storage; /* owned, unless an image owns it */
    uint64_t size;           /* bytes of the disk */
    uint32_t unit;           /* bytes; zeroes are looked for in units */
    size_t packed_max;
    bool ordered;
};

/* Each takes over `storage`, also on failure. */
struct writer *writer_raw(struct storage *storage, uint64_t size, GError **error);
struct writer *writer_qcow2(struct storage *storage, uint64_t size,
                            const struct convert_options *options, GError **error);
struct writer *writer_vmdk(struct storage *storage, uint64_t size, const char *name,
                           GError **error);
struct writer *writer_vhd(struct storage *storage, uint64_t size, bool fixed, GError **error);
struct writer *writer_vhdx(struct storage *storage, uint64_t size, bool fixed, GError **error);

#endif
