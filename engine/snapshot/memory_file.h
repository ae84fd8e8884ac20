/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file `ram` of a saved machine: the bytes of its memories (RAM, video memory, firmware), in
 * chunks of 1 MiB that are compressed on their own (zstd with its checksum), by as many threads as
 * there are processors. Chunks of zeroes are left out. The chunks lie in the file in any order; the
 * index, a section of the file `state`, says where.
 *
 * Index, little endian: u32 number of regions; each: name (32 bytes, filled up by zeroes), u64
 * size; u32 number of chunks; each: u32 region, u32 chunk (in units of 1 MiB), u64 offset, u32
 * length.
 *
 * Neither is trusted: regions must be the machine's own, every chunk must exist in its region and
 * come once, lie within the file, and become exactly its size.
 *
 * Threads: blocking; any thread. What the regions hold must not change meanwhile.
 */
#ifndef ENGINE_SNAPSHOT_MEMORY_FILE_H
#define ENGINE_SNAPSHOT_MEMORY_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MEMORY_REGION_NAME_SIZE = 32,
    MEMORY_REGIONS_MAX = 64,
    MEMORY_CHUNK = 1 << 20,
};

#define MEMORY_REGION_SIZE_MAX (UINT64_C(1) << 41)

struct memory_region {
    char name[MEMORY_REGION_NAME_SIZE];
    uint8_t *bytes;
    uint64_t size; /* bytes, at most MEMORY_REGION_SIZE_MAX */
};

/* What is going on, for who waits and may lose patience. */
struct memory_work {
    _Atomic bool cancelled;       /* set by others: stop soon */
    _Atomic uint64_t done, total; /* bytes */
};

/* About how many bytes memory_file_write() will write: some chunks are compressed to see. */
uint64_t memory_file_estimate(const struct memory_region *regions, unsigned n);

/*
 * Writes the chunks to an empty file and appends the index to `index`. False with *error set:
 * NO_SPACE, HOST, or STATE when it was cancelled. `path` is for messages.
 */
bool memory_file_write(int fd, const char *path, const struct memory_region *regions, unsigned n,
                       struct memory_work *work, GByteArray *index, GError **error);

/*
 * Fills the regions, which hold zeroes, from a file of `length` bytes. False with *error set
 * (CORRUPT, HOST): the regions then hold anything.
 */
bool memory_file_read(int fd, const char *path, uint64_t length, const uint8_t *index,
                      size_t index_length, const struct memory_region *regions, unsigned n,
                      GError **error);

#endif
