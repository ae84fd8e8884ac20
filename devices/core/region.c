/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The access contract of struct region_desc: devices only ever see aligned accesses of sizes they
 * declared, inside the region.
 *
 * A guest access that is wider or not aligned is done as several. A read narrower than the smallest
 * declared size reads that size and takes its bytes; such a write is a guest error and does
 * nothing.
 */
#include "device.h"
#include "bytes.h"
#include "services.h"

/* The largest declared size that fits at `offset` with `left` bytes to go; 0 if none is that small.
 */
static unsigned size_choose(const struct region_desc *region, uint8_t sizes, uint64_t offset,
                            unsigned left)
{
    for (unsigned size = 8; size > 0; size /= 2) {
        if ((sizes & size) && size <= left &&
            (offset % size == 0 || (region->flags & REGION_UNALIGNED))) {
            return size;
        }
    }
    return 0;
}

static unsigned size_smallest(uint8_t sizes)
{
    return sizes & (0u - sizes);
}

/* Reads up to `left` bytes at offset through one call of the device; says how many it got. */
static uint64_t read_piece(struct device *device, const struct region_desc *region, uint64_t offset,
                           unsigned left, unsigned *got)
{
    unsigned size = size_choose(region, region->read_sizes, offset, left);

    if (size > 0) {
        *got = size;
        return region->read(device, offset, size) & ones(size);
    }
    size = size_smallest(region->read_sizes);

    uint64_t start = offset & ~(uint64_t)(size - 1);
    unsigned skip = (unsigned)(offset - start);

    *got = size - skip < left ? size - skip : left;
    if (!range_fits(start, size, region->size)) {
        return ones(*got);
    }
    return region->read(device, start, size) >> (skip * 8) & ones(*got);
}

uint64_t region_read(struct device *device, const struct region_desc *region, uint64_t offset,
                     unsigned size)
{
    uint64_t value = ones(size);

    if (!region->read || !region->read_sizes) {
        return value;
    }
    for (unsigned done = 0, got = 0; done < size; done += got) {
        if (offset + done >= region->size) {
            break;
        }
        unsigned left = size - done;

        if (left > region->size - (offset + done)) {
            left = (unsigned)(region->size - (offset + done));
        }
        uint64_t piece = read_piece(device, region, offset + done, left, &got);

        value &= ~(ones(got) << (done * 8));
        value |= piece << (done * 8);
    }
    return value;
}

void region_write(struct device *device, const struct region_desc *region, uint64_t offset,
                  unsigned size, uint64_t value)
{
    if (!region->write || !region->write_sizes) {
        guest_error(device, "%s: write of %#llx to read-only offset %#llx", region->name,
                    (unsigned long long)value, (unsigned long long)offset);
        return;
    }
    for (unsigned done = 0; done < size && offset + done < region->size;) {
        unsigned left = size - done;

        if (left > region->size - (offset + done)) {
            left = (unsigned)(region->size - (offset + done));
        }
        unsigned piece = size_choose(region, region->write_sizes, offset + done, left);

        if (piece == 0) {
            guest_error(device, "%s: write of %u bytes at offset %#llx, narrower than the register",
                        region->name, left, (unsigned long long)(offset + done));
            return;
        }
        region->write(device, offset + done, piece, value >> (done * 8) & ones(piece));
        done += piece;
    }
}
