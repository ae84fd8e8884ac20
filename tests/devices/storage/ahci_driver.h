/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small AHCI driver for tests: writes command lists into the fake machine's RAM and reads what
 * comes back. Port p has its structures at PORT_AREA + p * PORT_STRIDE; data goes wherever a test
 * wants.
 */
#ifndef TESTS_AHCI_DRIVER_H
#define TESTS_AHCI_DRIVER_H

#include "test.h"

#include <errno.h>

#include "bytes.h"
#include "fake_machine.h"

enum {
    RAM_SIZE = 64 << 20,
    ABAR = 0xfebf1000,
    INDEX_PORT = 0xc040,
    PORT_AREA = 0x100000,
    PORT_STRIDE = 0x10000,
    TABLES = 0x1000, /* command tables, relative to the port's area, TABLE_SIZE each */
    TABLE_SIZE = 0x200,
    FIS_AREA = 0x800,
    DATA = 0x800000,

    HBA_GHC = 0x04,
    HBA_IS = 0x08,
    PX_CLB = 0x00,
    PX_FB = 0x08,
    PX_IS = 0x10,
    PX_IE = 0x14,
    PX_CMD = 0x18,
    PX_TFD = 0x20,
    PX_SIG = 0x24,
    PX_SSTS = 0x28,
    PX_SCTL = 0x2c,
    PX_SERR = 0x30,
    PX_SACT = 0x34,
    PX_CI = 0x38,

    PX_ST = 0x1,
    PX_CLO = 0x8,
    PX_FRE = 0x10,
    PX_FR = 0x4000,
    PX_CR = 0x8000,

    IS_DHRS = 1 << 0,
    IS_PSS = 1 << 1,
    IS_SDBS = 1 << 3,
    IS_DPS = 1 << 5,
    IS_PCS = 1 << 6,
    IS_OFS = 1 << 24,
    IS_IFS = 1 << 27,
    IS_HBFS = 1 << 29,
    IS_TFES = 1 << 30,
};

struct sata {
    struct fake *fake;
    struct device *ahci;
    uint8_t *ram;
    uint8_t *disk; /* drive 0 */
    uint8_t *disc; /* drive 1 */
    struct block_info disk_info, disc_info;
};

/* What goes into a command FIS; lba and count in full, features low byte first. */
struct ata {
    uint8_t command, device;
    uint16_t features, count;
    uint64_t lba;
};

static inline uint32_t hba_read(struct sata *r, unsigned offset)
{
    return (uint32_t)fake_read(r->fake, ABAR + offset, 4);
}

static inline void hba_write(struct sata *r, unsigned offset, uint32_t value)
{
    fake_write(r->fake, ABAR + offset, 4, value);
}

static inline uint32_t px_read(struct sata *r, unsigned port, unsigned offset)
{
    return hba_read(r, 0x100 + 0x80 * port + offset);
}

static inline void px_write(struct sata *r, unsigned port, unsigned offset, uint32_t value)
{
    hba_write(r, 0x100 + 0x80 * port + offset, value);
}

static inline uint8_t *port_area(struct sata *r, unsigned port)
{
    return r->ram + PORT_AREA + port * PORT_STRIDE;
}

static inline uint8_t *fis_area(struct sata *r, unsigned port)
{
    return port_area(r, port) + FIS_AREA;
}

static inline uint8_t *table_of(struct sata *r, unsigned port, unsigned slot)
{
    return port_area(r, port) + TABLES + slot * TABLE_SIZE;
}

static inline uint8_t *header_of(struct sata *r, unsigned port, unsigned slot)
{
    return port_area(r, port) + slot * 32;
}

/* Disk of `disk_size` bytes at port 0, CD at port 1. */
static inline void sata_start(struct sata *r, uint64_t disk_size, uint64_t disc_size)
{
    r->fake = fake_new(RAM_SIZE);
    r->ahci = fake_add(r->fake, "ahci", NULL);
    r->ram = fake_ram(r->fake);
    r->disk = malloc(disk_size);
    r->disc = malloc(disc_size);
    for (uint64_t i = 0; i < disk_size; i++) {
        r->disk[i] = (uint8_t)(i / 512 * 7 + i);
    }
    for (uint64_t i = 0; i < disc_size; i++) {
        r->disc[i] = (uint8_t)(i / 2048 * 5 + i);
    }
    r->disk_info = (struct block_info){
        .present = true,
        .size = disk_size,
        .logical_block_size = 512,
        .physical_block_size = 4096,
        .discard = true,
        .serial = "SERIAL-1",
    };
    r->disc_info = (struct block_info){
        .optical = true,
        .present = true,
        .read_only = true,
        .size = disc_size,
        .logical_block_size = 2048,
        .physical_block_size = 2048,
        .generation = 1,
    };
    fake_drive(r->ahci, 0, &r->disk_info, r->disk);
    fake_drive(r->ahci, 1, &r->disc_info, r->disc);
    fake_reset(r->fake, RESET_COLD);
    fake_config_write(r->ahci, 0x20, 4, INDEX_PORT);
    fake_map_bar(r->ahci, 5, ABAR);
}

static inline void sata_end(struct sata *r)
{
    fake_free(r->fake);
    free(r->disk);
    free(r->disc);
}

static inline void port_start(struct sata *r, unsigned port)
{
    px_write(r, port, PX_CLB, PORT_AREA + port * PORT_STRIDE);
    px_write(r, port, PX_CLB + 4, 0);
    px_write(r, port, PX_FB, PORT_AREA + port * PORT_STRIDE + FIS_AREA);
    px_write(r, port, PX_FB + 4, 0);
    px_write(r, port, PX_CMD, PX_FRE);
    px_write(r, port, PX_SERR, 0xffffffff);
    px_write(r, port, PX_CMD, PX_FRE | PX_ST);
    px_write(r, port, PX_IS, 0xffffffff);
}

/* As drivers recover: stop, clear, start. */
static inline void port_recover(struct sata *r, unsigned port)
{
    px_write(r, port, PX_CMD, PX_FRE);
    CHECK_EQ(px_read(r, port, PX_CMD) & PX_CR, 0);
    px_write(r, port, PX_SERR, 0xffffffff);
    px_write(r, port, PX_IS, 0xffffffff);
    px_write(r, port, PX_CMD, PX_FRE | PX_ST);
}

static inline void prd_set(struct sata *r, unsigned port, unsigned slot, unsigned n,
                           uint64_t address, uint32_t length)
{
    uint8_t *prd = table_of(r, port, slot) + 0x80 + 16 * n;

    store_le64(prd, address);
    store_le32(prd + 8, 0);
    store_le32(prd + 12, length - 1);
}

/* Fills the slot's FIS and header; the PRDs are set with prd_set(). */
static inline void slot_fill(struct sata *r, unsigned port, unsigned slot, const struct ata *ata,
                             unsigned n_prds)
{
    uint8_t *fis = table_of(r, port, slot), *header = header_of(r, port, slot);

    memset(fis, 0, 0x80);
    fis[0] = 0x27;
    fis[1] = 0x80;
    fis[2] = ata->command;
    fis[3] = (uint8_t)ata->features;
    fis[4] = (uint8_t)ata->lba;
    fis[5] = (uint8_t)(ata->lba >> 8);
    fis[6] = (uint8_t)(ata->lba >> 16);
    fis[7] = ata->device;
    fis[8] = (uint8_t)(ata->lba >> 24);
    fis[9] = (uint8_t)(ata->lba >> 32);
    fis[10] = (uint8_t)(ata->lba >> 40);
    fis[11] = (uint8_t)(ata->features >> 8);
    store_le16(fis + 12, ata->count);
    store_le32(header, 5 | n_prds << 16);
    store_le32(header + 4, 0);
    store_le64(header + 8, PORT_AREA + port * PORT_STRIDE + TABLES + slot * TABLE_SIZE);
}

/* Runs one command in slot 0 with one PRD (length 0: none); returns PxIS, acknowledged. */
static inline uint32_t ata_run(struct sata *r, unsigned port, struct ata ata, uint64_t address,
                               uint32_t length)
{
    slot_fill(r, port, 0, &ata, length > 0);
    if (length > 0) {
        prd_set(r, port, 0, 0, address, length);
    }
    px_write(r, port, PX_CI, 1);
    fake_run(r->fake);

    uint32_t is = px_read(r, port, PX_IS);

    px_write(r, port, PX_IS, is);
    return is;
}

/* The same for a packet, by DMA. */
static inline uint32_t packet_run(struct sata *r, unsigned port, const uint8_t *packet,
                                  uint64_t address, uint32_t length)
{
    struct ata ata = { .command = 0xa0, .features = 1 };

    slot_fill(r, port, 0, &ata, length > 0);
    memcpy(table_of(r, port, 0) + 0x40, packet, 12);
    if (length > 0) {
        prd_set(r, port, 0, 0, address, length);
    }
    px_write(r, port, PX_CI, 1);
    fake_run(r->fake);

    uint32_t is = px_read(r, port, PX_IS);

    px_write(r, port, PX_IS, is);
    return is;
}

#define PACKET(...) ((const uint8_t[12]){ __VA_ARGS__ })

static inline uint32_t bytes_moved(struct sata *r, unsigned port, unsigned slot)
{
    return load_le32(header_of(r, port, slot) + 4);
}

static inline uint16_t identify_word(const uint8_t *data, unsigned word)
{
    return load_le16(data + 2 * word);
}

static inline void read_issue(struct sata *r, unsigned slot)
{
    struct ata read = { .command = 0x25, .device = 0x40, .count = 4, .lba = 8 };

    slot_fill(r, 0, slot, &read, 1);
    prd_set(r, 0, slot, 0, DATA, 2048);
    px_write(r, 0, PX_CI, 1u << slot);
}

/* The engine has stopped only when nothing of it can reach memory any more. */
#endif
