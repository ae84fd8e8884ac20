/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices read and write memory: fw_cfg and AHCI do as told, report what they refuse in their own
 * way, and never harm the machine. What a controller does with memory that is not RAM differs
 * (data lost, or an error); that it ends the command and works again afterwards does not.
 */
#include "runtime/ahci.h"
#include "runtime/board.h"
#include "runtime/fwcfg.h"
#include "io.h"

#define HOLE    0xC0000000u /* start of the PCI window; this guest places nothing there */
#define FAR     (1ull << 45)
#define ROM     0xFFFF8000u
#define SECTORS 32
#define PATTERN 0x5A17C0DEu
#define GUARD   0xEEu

static struct ahci_port disk;
static uint8_t *data, *copy;

static bool all_bytes(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static void fill_pattern(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void fwcfg_announces_dma(void)
{
    char signature[8];

    fwcfg_read(FWCFG_SIGNATURE, signature, 4);
    CHECK(!memcmp(signature, "QEMU", 4));
    CHECK_EQ(fwcfg_number(FWCFG_ID, 4), 3);
    CHECK_EQ(inl(0x514), 0x554D4551); /* "QEMU" */
    CHECK_EQ(inl(0x518), 0x47464320); /* " CFG" */
}

static void fwcfg_dma_reads_as_ports_do(void)
{
    size_t size = 256;

    fwcfg_read(FWCFG_DIRECTORY, copy, size);
    memset(data, GUARD, size + 1);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_DIRECTORY, (uint64_t)data,
                       (uint32_t)size),
             0);
    CHECK(!memcmp(data, copy, size));
    CHECK_EQ(data[size], GUARD);
}

static void fwcfg_dma_goes_on(void)
{
    fwcfg_read(FWCFG_DIRECTORY, copy, 64);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_SKIP, FWCFG_DIRECTORY, 0, 4), 0);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_READ, 0, (uint64_t)data, 20), 0);
    CHECK(!memcmp(data, copy + 4, 20));
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_READ, 0, (uint64_t)data, 20), 0);
    CHECK(!memcmp(data, copy + 24, 20));
    fwcfg_read_more(data, 20); /* ports and DMA share the offset */
    CHECK(!memcmp(data, copy + 44, 20));
}

static void fwcfg_dma_reads_zeros_past_the_end(void)
{
    memset(data, GUARD, 65);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, (uint64_t)data, 64), 0);
    CHECK(!memcmp(data, "QEMU", 4));
    CHECK(all_bytes(data + 4, 60, 0));
    CHECK_EQ(data[64], GUARD);
}

static void fwcfg_dma_of_nothing(void)
{
    data[0] = GUARD;
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, (uint64_t)data, 0), 0);
    CHECK_EQ(data[0], GUARD);
}

static void fwcfg_refuses_writes(void)
{
    memset(data, GUARD, 4);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_WRITE, FWCFG_SIGNATURE, (uint64_t)data, 4),
             FWCFG_DMA_ERROR);
    CHECK_EQ(fwcfg_number(FWCFG_SIGNATURE, 4), 0x554D4551);
}

static void fwcfg_refuses_memory_that_is_not_there(void)
{
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, HOLE, 4),
             FWCFG_DMA_ERROR);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, FAR, 4),
             FWCFG_DMA_ERROR);
    CHECK_EQ(fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_SIGNATURE, ~0ull - 1, 4),
             FWCFG_DMA_ERROR);
    fwcfg_announces_dma();
}

static void fwcfg_survives_bad_descriptors(void)
{
    fwcfg_dma_start(HOLE);
    fwcfg_dma_start(FAR);
    fwcfg_dma_start(~0ull - 7);
    fwcfg_announces_dma();
}

static void rom_keeps_its_content(void)
{
    memcpy(copy, (const void *)ROM, 64);
    fwcfg_dma(FWCFG_DMA_SELECT | FWCFG_DMA_READ, FWCFG_DIRECTORY, ROM, 64);
    CHECK(!memcmp(copy, (const void *)ROM, 64));
    fwcfg_announces_dma();
}

static void ahci_identifies_the_disk(void)
{
    CHECK(ahci_open(&disk, 0));
    CHECK_EQ(ahci_read(&disk, AHCI_SIG), 0x101);
    CHECK(ahci_identify(&disk));
    CHECK(disk.buffer[99] & 2); /* word 49 bit 9: LBA */
    CHECK(disk.buffer[99] & 1); /* word 49 bit 8: DMA */
    CHECK_EQ(disk.buffer[200] | disk.buffer[201] << 8 | disk.buffer[202] << 16, 32768);
}

static void ahci_reads_back_what_it_wrote(void)
{
    fill_pattern(data, SECTORS * 512, PATTERN);
    CHECK(ahci_transfer(&disk, true, 100, SECTORS, (uint64_t)data));
    memset(copy, GUARD, SECTORS * 512 + 1);
    CHECK(ahci_transfer(&disk, false, 100, SECTORS, (uint64_t)copy));
    CHECK(!memcmp(copy, data, SECTORS * 512));
    CHECK_EQ(copy[SECTORS * 512], GUARD);
    CHECK_EQ(disk.list[1], SECTORS * 512); /* bytes that were moved */
    CHECK(ahci_transfer(&disk, false, 99, 1, (uint64_t)copy));
    CHECK(all_bytes(copy, 512, 0));
    CHECK(ahci_transfer(&disk, false, 100 + SECTORS, 1, (uint64_t)copy));
    CHECK(all_bytes(copy, 512, 0));
}

static void ahci_scatters_and_gathers(void)
{
    struct ahci_prd prds[] = {
        { (uint64_t)copy + 2, 2 },
        { (uint64_t)copy + 4096, 1000 },
        { (uint64_t)copy + 8192 + 14, 22 },
    };

    memset(copy, GUARD, 12288);
    ahci_start(&disk,
               &(struct ahci_command){
                   .command = 0x25, .address = 100, .sectors = 2, .prds = prds, .prd_count = 3 });
    CHECK(ahci_wait(&disk));
    CHECK(!memcmp(copy + 2, data, 2));
    CHECK(!memcmp(copy + 4096, data + 2, 1000));
    CHECK(!memcmp(copy + 8192 + 14, data + 1002, 22));
    CHECK(copy[1] == GUARD && copy[4] == GUARD && copy[4095] == GUARD && copy[5096] == GUARD);
    CHECK(copy[8192 + 13] == GUARD && copy[8192 + 36] == GUARD);

    ahci_start(&disk, &(struct ahci_command){ .command = 0x35,
                                              .write = true,
                                              .address = 200,
                                              .sectors = 2,
                                              .prds = prds,
                                              .prd_count = 3 });
    CHECK(ahci_wait(&disk));
    CHECK(ahci_transfer(&disk, false, 200, 2, (uint64_t)disk.buffer));
    CHECK(!memcmp(disk.buffer, data, 1024));
}

static void ahci_reports_a_sector_past_the_end(void)
{
    CHECK(!ahci_transfer(&disk, false, 1u << 24, 1, (uint64_t)copy));
    CHECK(ahci_read(&disk, AHCI_IS) & AHCI_IS_TFES);
    CHECK(ahci_read(&disk, AHCI_TFD) & 1);
    ahci_recover(&disk);
    CHECK(ahci_transfer(&disk, false, 100, 1, (uint64_t)copy));
    CHECK(!memcmp(copy, data, 512));
}

static void ahci_reports_an_unknown_command(void)
{
    ahci_start(&disk, &(struct ahci_command){ .command = 0xFF });
    CHECK(!ahci_wait(&disk));
    CHECK(ahci_read(&disk, AHCI_IS) & AHCI_IS_TFES);
    CHECK_EQ(ahci_read(&disk, AHCI_TFD) >> 8 & 0x04, 0x04); /* error register: aborted */
    ahci_recover(&disk);
    CHECK(ahci_transfer(&disk, false, 100, 1, (uint64_t)copy));
}

/* Ends with or without an error, and the port goes on working. */
static void ahci_survives_a_transfer(bool write, uint64_t address)
{
    struct ahci_prd prd = { address, 1024 };

    ahci_start(&disk, &(struct ahci_command){ .command = write ? 0x35 : 0x25,
                                              .write = write,
                                              .address = 300,
                                              .sectors = 2,
                                              .prds = &prd,
                                              .prd_count = 1 });
    ahci_wait(&disk);
    ahci_recover(&disk);
    CHECK(ahci_transfer(&disk, false, 100, 1, (uint64_t)copy));
    CHECK(!memcmp(copy, data, 512));
}

static void ahci_survives_memory_that_is_not_ram(void)
{
    static const uint64_t addresses[] = { HOLE, FAR, ROM, BOARD_AHCI_BAR, 0xFEE00000, ~0ull - 511 };

    memcpy(data + 8192, (const void *)ROM, 1024);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]) && !test_failed(); i++) {
        bool is_register = addresses[i] == BOARD_AHCI_BAR || addresses[i] == 0xFEE00000;
        if (!is_register) /* what a wild write to registers does is not ours to expect */
            ahci_survives_a_transfer(false, addresses[i]);
        ahci_survives_a_transfer(true, addresses[i]);
    }
    CHECK(!memcmp(data + 8192, (const void *)ROM, 1024));
}

/* The list, the table and the received FIS area outside of RAM. */
static void ahci_survives_structures_that_are_not_ram(void)
{
    static const unsigned registers[] = { AHCI_CLB, AHCI_FB };

    for (unsigned i = 0; i < 2; i++) {
        CHECK(ahci_open(&disk, 0));
        ahci_write(&disk, AHCI_CMD, 0);
        CHECK(POLL_FOR(!(ahci_read(&disk, AHCI_CMD) & 0xC000), LONG_MS));
        ahci_write(&disk, registers[i], HOLE);
        ahci_write(&disk, AHCI_CMD, 0x10);
        ahci_write(&disk, AHCI_CMD, 0x11);
        ahci_write(&disk, AHCI_CI, 1);
        POLL_FOR(false, SHORT_MS);
    }
    CHECK(ahci_open(&disk, 0));
    disk.list[0] = 5 | 1 << 16;
    disk.list[2] = HOLE;
    ahci_write(&disk, AHCI_CI, 1);
    POLL_FOR(false, SHORT_MS);
    CHECK(ahci_open(&disk, 0));
    CHECK(ahci_transfer(&disk, false, 100, 1, (uint64_t)copy));
    CHECK(!memcmp(copy, data, 512));
}

static void bus_master_bit_stops_dma(void)
{
    struct ahci_prd prd = { (uint64_t)copy, 512 };

    memset(copy, GUARD, 512);
    pci_write(PCI_AHCI, 4, 2, 0x0002);
    ahci_start(&disk,
               &(struct ahci_command){
                   .command = 0x25, .address = 100, .sectors = 1, .prds = &prd, .prd_count = 1 });
    POLL_FOR(false, SHORT_MS);
    CHECK(all_bytes(copy, 512, GUARD));
    CHECK(ahci_open(&disk, 0));
    CHECK(ahci_transfer(&disk, false, 100, 1, (uint64_t)copy));
    CHECK(!memcmp(copy, data, 512));
}

void guest_main(void)
{
    data = buffer_alloc(SECTORS * 512 + 4096, 4096);
    copy = buffer_alloc(SECTORS * 512 + 4096, 4096);
    RUN(fwcfg_announces_dma);
    RUN(fwcfg_dma_reads_as_ports_do);
    RUN(fwcfg_dma_goes_on);
    RUN(fwcfg_dma_reads_zeros_past_the_end);
    RUN(fwcfg_dma_of_nothing);
    RUN(fwcfg_refuses_writes);
    RUN(fwcfg_refuses_memory_that_is_not_there);
    RUN(fwcfg_survives_bad_descriptors);
    RUN(rom_keeps_its_content);
    RUN(ahci_identifies_the_disk);
    RUN(ahci_reads_back_what_it_wrote);
    RUN(ahci_scatters_and_gathers);
    RUN(ahci_reports_a_sector_past_the_end);
    RUN(ahci_reports_an_unknown_command);
    RUN(ahci_survives_memory_that_is_not_ram);
    RUN(ahci_survives_structures_that_are_not_ram);
    RUN(bus_master_bit_stops_dma);
}
