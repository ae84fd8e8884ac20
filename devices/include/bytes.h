/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Little- and big-endian values in byte buffers, and the checks through which a guest's numbers
 * must pass before they become a length, an index or an address.
 */
#ifndef DEVICES_BYTES_H
#define DEVICES_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_le16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t load_le32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t load_le64(const void *p)
{
    return (uint64_t)load_le32(p) | (uint64_t)load_le32((const uint8_t *)p + 4) << 32;
}

static inline void store_le16(void *p, uint16_t value)
{
    uint8_t *b = p;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

static inline void store_le32(void *p, uint32_t value)
{
    store_le16(p, (uint16_t)value);
    store_le16((uint8_t *)p + 2, (uint16_t)(value >> 16));
}

static inline void store_le64(void *p, uint64_t value)
{
    store_le32(p, (uint32_t)value);
    store_le32((uint8_t *)p + 4, (uint32_t)(value >> 32));
}

static inline uint16_t load_be16(const void *p)
{
    return __builtin_bswap16(load_le16(p));
}

static inline uint32_t load_be32(const void *p)
{
    return __builtin_bswap32(load_le32(p));
}

static inline uint64_t load_be64(const void *p)
{
    return __builtin_bswap64(load_le64(p));
}

static inline void store_be16(void *p, uint16_t value)
{
    store_le16(p, __builtin_bswap16(value));
}

static inline void store_be32(void *p, uint32_t value)
{
    store_le32(p, __builtin_bswap32(value));
}

static inline void store_be64(void *p, uint64_t value)
{
    store_le64(p, __builtin_bswap64(value));
}

/* A little-endian value of 1..8 bytes. */
static inline uint64_t load_le(const void *p, unsigned size)
{
    uint8_t b[8] = { 0 };
    memcpy(b, p, size);
    return load_le64(b);
}

static inline void store_le(void *p, unsigned size, uint64_t value)
{
    uint8_t b[8];
    store_le64(b, value);
    memcpy(p, b, size);
}

/* All ones in an access of `size` bytes: what an absent register reads as. */
static inline uint64_t ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

/* True if [offset, offset + length) lies inside [0, limit), without overflow. */
static inline bool range_fits(uint64_t offset, uint64_t length, uint64_t limit)
{
    return offset <= limit && length <= limit - offset;
}

#endif
