/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fw_cfg device (QEMU documentation, "Firmware Configuration (fw_cfg) Device"). */
#ifndef GUEST_FWCFG_H
#define GUEST_FWCFG_H

#include "guest.h"

#define FWCFG_SIGNATURE  0x0000
#define FWCFG_ID         0x0001
#define FWCFG_RAM_SIZE   0x0003
#define FWCFG_NB_CPUS    0x0005
#define FWCFG_DIRECTORY  0x0019

#define FWCFG_DMA_ERROR  0x01u
#define FWCFG_DMA_READ   0x02u
#define FWCFG_DMA_SKIP   0x04u
#define FWCFG_DMA_SELECT 0x08u
#define FWCFG_DMA_WRITE  0x10u

/* Selects an item and reads its first bytes through the ports. */
void fwcfg_read(uint16_t key, void *to, size_t size);

/* Goes on reading the selected item. */
void fwcfg_read_more(void *to, size_t size);

uint64_t fwcfg_number(uint16_t key, size_t size);

/* The key of a file and its size, or 0 when there is none of this name. */
uint16_t fwcfg_file(const char *name, uint32_t *size);

/*
 * One DMA operation; `key` counts with FWCFG_DMA_SELECT only. Gives back the control word as the
 * device left it: 0 for success, FWCFG_DMA_ERROR, or the word itself when nothing happened within
 * LONG_MS.
 */
uint32_t fwcfg_dma(uint32_t control, uint16_t key, uint64_t address, uint32_t size);

/* Hands any descriptor address to the device. */
void fwcfg_dma_start(uint64_t descriptor);

/* The ranges of memory: the entries of the file etc/e820, in their order. */
#define E820_RAM      1
#define E820_RESERVED 2
struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

/* Fills at most `limit` entries; returns how many there are. */
unsigned fwcfg_e820(struct e820_entry *entries, unsigned limit);

#endif
