/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qcow2, versions 2 and 3, after QEMU's docs/interop/qcow2.txt: the format of the disks of
 * machines.
 *
 * Read: all cluster sizes (512 bytes to 2 MiB), all refcount widths, backing images, deflate and
 * zstd clusters, extended L2 entries, internal snapshots. Written: the same without extended L2.
 * Refused: encryption, external data files, unknown incompatible features. Bitmaps are kept, and
 * marked as out of date by the first write.
 *
 * Crash safety. Metadata is written in an order by which a power cut at any moment leaves at worst
 * clusters that nobody uses ("leaks"): data, refcounts and new tables; barrier; then the L2 and L1
 * entries that name them; barrier; only then are clusters that are no longer named free. The
 * barriers come with qcow2's flush, not with every write. What was flushed is there after any
 * crash; what was not is old or new, sector by sector.
 *
 * Threads: as image.h says. One lock covers the metadata; data is read and written outside it.
 */
#ifndef ENGINE_BLOCK_QCOW2_H
#define ENGINE_BLOCK_QCOW2_H

#include "../image.h"

/* Opens the disk, or read-only one of its internal snapshots, by id or name. */
struct image *qcow2_open(struct storage *storage, const char *snapshot, GError **error);

enum qcow2_compression {
    QCOW2_DEFLATE,
    QCOW2_ZSTD,
};

struct qcow2_options {
    uint64_t size;          /* bytes, multiple of 512 */
    uint32_t cluster_size;  /* power of two, 512 to 2 MiB; 0: 64 KiB */
    unsigned version;       /* 2 or 3; 0: 3 */
    unsigned refcount_bits; /* 1, 2, 4, ... 64; 0: 16, which is all that version 2 has */
    enum qcow2_compression compression; /* of what qcow2_write_compressed() writes */
    bool lazy_refcounts;                /* sets the flag; we keep refcounts exact all the same */
    const char *backing_name;           /* a file in the same folder; NULL: none */
    enum image_format backing_format;
};

/*
 * Writes an empty image into an empty storage and makes it durable. Errors: INVALID (options that
 * do not fit together), NO_SPACE, HOST.
 */
bool qcow2_create(struct storage *storage, const struct qcow2_options *options, GError **error);
/*
 * The same as a new file, which must not exist; durable, with its entry in the folder. Errors also:
 * EXISTS, NOT_FOUND, PERMISSION.
 */
bool qcow2_create_file(const char *path, const struct qcow2_options *options, GError **error);

/*
 * Writes one cluster of data compressed, if that makes it smaller; `bytes` has a cluster (the
 * part behind the disk's end zero), `offset` is a multiple of the cluster size, and nothing was
 * written there before. `packed` is what qcow2_pack() made of it, `n_packed` 0 if it did not
 * get smaller. One thread at a time.
 */
int qcow2_write_compressed(struct image *image, uint64_t offset, const uint8_t *bytes,
                           const uint8_t *packed, size_t n_packed);
/* What compresses; each thread has its own. */
struct qcow2_packer;
struct qcow2_packer *qcow2_packer_new(struct image *image);
void qcow2_packer_free(struct qcow2_packer *packer);
/* Compresses a cluster into `packed`, of the same size; 0 if it gets no smaller. */
size_t qcow2_pack(struct qcow2_packer *packer, const uint8_t *bytes, uint8_t *packed);

/* --- Snapshots ------------------------------------------------------------------------------ */

struct qcow2_snapshot {
    char *id, *name;
    uint64_t disk_size;     /* bytes */
    uint64_t vm_state_size; /* bytes; 0: none */
    int64_t seconds;        /* when it was made, since 1970 */
};

/* All internal snapshots (struct qcow2_snapshot), in the file's order. g_ptr_array_unref(). */
GPtrArray *qcow2_snapshots(struct image *image, GError **error);
/* Deletes one by id or name. Errors: NOT_FOUND, INVALID, HOST. */
bool qcow2_snapshot_delete(struct image *image, const char *id, GError **error);

/* --- Check and repair ----------------------------------------------------------------------- */

struct qcow2_report {
    uint64_t clusters;    /* in use */
    uint64_t leaks;       /* clusters counted as used that nobody uses: harmless */
    uint64_t corruptions; /* everything else: entries that point outside or at metadata, refcounts
                             that are too low, wrong "copied" flags that are dangerous */
    uint64_t flags;       /* "copied" flags that are needlessly clear: harmless */
    uint64_t lost;        /* repair: clusters of data that had to be given up */
    char *first;          /* the first corruption in words; NULL: none. g_free() */
};

/* Whoever looks on. */
struct qcow2_watch {
    /* Called now and then from the calling thread, bytes of the image's file as a measure of what
     * is done; false: stop. */
    bool (*progress)(uint64_t done, uint64_t total, void *context);
    void *context;
};

/*
 * Memory is bounded by a constant. `watch` may be NULL. False only if it could not be checked:
 * HOST, INVALID, G_IO_ERROR_CANCELLED.
 */
bool qcow2_check(struct image *image, const struct qcow2_watch *watch, struct qcow2_report *report,
                 GError **error);
/*
 * Mends everything that qcow2_check() reports and clears the dirty and corrupt marks; `report` says
 * what was found. A power cut in between leaves an image that can be repaired again. Stopped by
 * `watch`, which may be NULL, it leaves the image as it was; once something of the image itself has
 * changed it is not stopped any more. The image is opened with qcow2_open_for_repair().
 */
bool qcow2_repair(struct image *image, const struct qcow2_watch *watch, struct qcow2_report *report,
                  GError **error);
/* As qcow2_open(), but also writable when marked dirty or corrupt; only for the two above. */
struct image *qcow2_open_for_repair(struct storage *storage, GError **error);
/* Whether the image is marked as in need of repair before it is written. */
bool qcow2_needs_repair(struct image *image);

#endif
