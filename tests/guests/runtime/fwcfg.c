/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fwcfg.h"
#include "io.h"

#define PORT_SELECT   0x510
#define PORT_DATA     0x511
#define PORT_DMA_HIGH 0x514
#define PORT_DMA_LOW  0x518

/* All fields big-endian. */
struct dma_descriptor {
    uint32_t control, length;
    uint64_t address;
};

struct directory_entry {
    uint32_t size;
    uint16_t key, reserved;
    char name[56];
};

void fwcfg_read_more(void *to, size_t size)
{
    __asm__ volatile("rep insb" : "+D"(to), "+c"(size) : "d"(PORT_DATA) : "memory");
}

void fwcfg_read(uint16_t key, void *to, size_t size)
{
    outw(PORT_SELECT, key);
    fwcfg_read_more(to, size);
}

uint64_t fwcfg_number(uint16_t key, size_t size)
{
    uint64_t value = 0;

    fwcfg_read(key, &value, size);
    return value;
}

uint16_t fwcfg_file(const char *name, uint32_t *size)
{
    uint32_t count = __builtin_bswap32((uint32_t)fwcfg_number(FWCFG_DIRECTORY, 4));

    for (uint32_t i = 0; i < count; i++) {
        struct directory_entry entry;
        fwcfg_read_more(&entry, sizeof(entry));
        if (!strcmp(entry.name, name)) {
            *size = __builtin_bswap32(entry.size);
            return __builtin_bswap16(entry.key);
        }
    }
    return 0;
}

void fwcfg_dma_start(uint64_t descriptor)
{
    outl(PORT_DMA_HIGH, __builtin_bswap32((uint32_t)(descriptor >> 32)));
    outl(PORT_DMA_LOW, __builtin_bswap32((uint32_t)descriptor));
}

uint32_t fwcfg_dma(uint32_t control, uint16_t key, uint64_t address, uint32_t size)
{
    volatile struct dma_descriptor descriptor = {
        .control = __builtin_bswap32(control | (uint32_t)key << 16),
        .length = __builtin_bswap32(size),
        .address = __builtin_bswap64(address),
    };

    fwcfg_dma_start((uint64_t)&descriptor);
    POLL_FOR(!(descriptor.control & ~__builtin_bswap32(FWCFG_DMA_ERROR)), LONG_MS);
    return __builtin_bswap32(descriptor.control);
}

unsigned fwcfg_e820(struct e820_entry *entries, unsigned limit)
{
    uint32_t size = 0;
    uint16_t key = fwcfg_file("etc/e820", &size);
    unsigned count = size / sizeof(*entries);

    if (key)
        fwcfg_read(key, entries, (count < limit ? count : limit) * sizeof(*entries));
    return key ? count : 0;
}
