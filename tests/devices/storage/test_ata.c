/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk: its commands by every protocol, queues as libata uses them, errors. */
#include "ahci_driver.h"

enum { DISK_SIZE = 2 << 20, SECTORS = DISK_SIZE / 512 };

static void disk_start(struct sata *r)
{
    sata_start(r, DISK_SIZE, 1 << 20);
    port_start(r, 0);
}

static void check_aborted(struct sata *r, uint32_t is, uint8_t error)
{
    CHECK_EQ(is, IS_DHRS | IS_TFES);
    CHECK_EQ(px_read(r, 0, PX_TFD), (uint32_t)error << 8 | 0x51);
    CHECK_EQ(fis_area(r, 0)[0x43], error);
    port_recover(r, 0);
}

static bool text_is(const uint8_t *data, unsigned word, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char expected = i < strlen(text) ? text[i] : ' ';

        if (data[2 * word + (i ^ 1)] != expected) {
            return false;
        }
    }
    return true;
}

TEST(identify)
{
    struct sata r;
    const uint8_t *data;
    uint8_t sum = 0;

    disk_start(&r);
    data = r.ram + DATA;
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512), IS_PSS);
    CHECK(text_is(data, 10, "SERIAL-1", 20));
    CHECK(text_is(data, 27, "ORIEL DISK", 40));
    CHECK_EQ(identify_word(data, 0) & 0x8000, 0);
    CHECK_EQ(identify_word(data, 3), 16);
    CHECK_EQ(identify_word(data, 6), 63);
    CHECK_EQ(identify_word(data, 49), 0x0b00);
    CHECK_EQ(load_le32(data + 120), SECTORS);
    CHECK_EQ(load_le64(data + 200), SECTORS);
    CHECK_EQ(identify_word(data, 75), 31);
    CHECK_EQ(identify_word(data, 76) & 0x100, 0x100);
    CHECK_EQ(identify_word(data, 83) & 0x7400, 0x7400);
    CHECK_EQ(identify_word(data, 85) & 0x60, 0x60);
    CHECK_EQ(identify_word(data, 88), 0x407f);
    CHECK_EQ(identify_word(data, 106), 0x6003);
    CHECK_EQ(identify_word(data, 169), 1);
    CHECK_EQ(identify_word(data, 217), 1);
    for (unsigned i = 0; i < 512; i++) {
        sum = (uint8_t)(sum + data[i]);
    }
    CHECK_EQ(sum, 0);
    CHECK_EQ(data[510], 0xa5);

    r.disk_info.discard = false;
    r.disk_info.rotational = true;
    r.disk_info.physical_block_size = 512;
    r.disk_info.serial[0] = '\0';
    fake_drive_change(r.ahci, 0, &r.disk_info, r.disk);
    ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512);
    CHECK(text_is(data, 10, "ORIEL-0", 20));
    CHECK_EQ(identify_word(data, 106), 0x4000);
    CHECK_EQ(identify_word(data, 169), 0);
    CHECK_EQ(identify_word(data, 217), 7200);
    sata_end(&r);
}

/* Every way of reading and of writing, by what is on the disk and in memory afterwards. */
TEST(reads_and_writes)
{
    static const struct {
        uint8_t command;
        bool write, pio, fua;
    } ways[] = {
        { 0x20, false, true, false },  { 0x21, false, true, false },  { 0x24, false, true, false },
        { 0x25, false, false, false }, { 0x29, false, true, false },  { 0xc4, false, true, false },
        { 0xc8, false, false, false }, { 0xc9, false, false, false }, { 0x30, true, true, false },
        { 0x34, true, true, false },   { 0x35, true, false, false },  { 0x39, true, true, false },
        { 0x3d, true, false, true },   { 0xc5, true, true, false },   { 0xca, true, false, false },
        { 0xce, true, true, true },
    };
    struct sata r;

    disk_start(&r);
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        unsigned lba = 100 + 10 * i;
        unsigned flushes = fake_drive_flushes(r.ahci, 0);

        for (unsigned b = 0; b < 1536; b++) {
            r.ram[DATA + b] = (uint8_t)(b * 3 + i);
        }
        uint32_t is = ata_run(
            &r, 0,
            (struct ata){ .command = ways[i].command, .device = 0x40, .count = 3, .lba = lba },
            DATA, 1536);

        CHECK_EQ(is, ways[i].pio && !ways[i].write ? IS_PSS : IS_DHRS);
        CHECK_EQ(px_read(&r, 0, PX_TFD), 0x50);
        CHECK_EQ(bytes_moved(&r, 0, 0), 1536);
        CHECK(memcmp(r.ram + DATA, r.disk + lba * 512, 1536) == 0);
        CHECK_EQ(r.ram[DATA + 5] == (uint8_t)(15 + i), ways[i].write);
        CHECK_EQ(fake_drive_flushes(r.ahci, 0) - flushes, ways[i].fua);
    }
    sata_end(&r);
}

TEST(counts_of_zero_and_ends_of_the_disk)
{
    struct sata r;
    struct ata read = { .command = 0xc8, .device = 0x40 };

    disk_start(&r);
    CHECK_EQ(ata_run(&r, 0, read, DATA, 256 * 512), IS_DHRS);
    CHECK_EQ(bytes_moved(&r, 0, 0), 256 * 512);
    read.lba = SECTORS - 1;
    read.count = 1;
    CHECK_EQ(ata_run(&r, 0, read, DATA, 512), IS_DHRS);
    CHECK(memcmp(r.ram + DATA, r.disk + DISK_SIZE - 512, 512) == 0);
    read.count = 2;
    check_aborted(&r, ata_run(&r, 0, read, DATA, 1024), 0x10);
    read = (struct ata){
        .command = 0x25, .device = 0x40, .lba = UINT64_C(0xffffffffffff), .count = 1
    };
    check_aborted(&r, ata_run(&r, 0, read, DATA, 512), 0x10);
    read = (struct ata){ .command = 0x35, .device = 0x40, .lba = 1, .count = 0 };
    check_aborted(&r, ata_run(&r, 0, read, DATA, 512), 0x10);
    read = (struct ata){ .command = 0xc8, .device = 0x4f, .lba = 0xffffff, .count = 1 };
    check_aborted(&r, ata_run(&r, 0, read, DATA, 512), 0x10);
    read = (struct ata){ .command = 0xc8, .device = 0x00, .lba = 1, .count = 1 }; /* CHS */
    check_aborted(&r, ata_run(&r, 0, read, DATA, 512), 0x04);
    /* verify moves nothing */
    read = (struct ata){ .command = 0x42, .device = 0x40, .lba = 8, .count = 8 };
    CHECK_EQ(ata_run(&r, 0, read, DATA, 0), IS_DHRS);
    read.lba = SECTORS;
    check_aborted(&r, ata_run(&r, 0, read, DATA, 0), 0x10);
    sata_end(&r);
}

TEST(commands_without_data)
{
    struct sata r;
    const uint8_t *fis;

    disk_start(&r);
    fis = fis_area(&r, 0) + 0x40;
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xe7 }, 0, 0), IS_DHRS);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xea }, 0, 0), IS_DHRS);
    CHECK_EQ(fake_drive_flushes(r.ahci, 0), 2);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0x27, .device = 0x40 }, 0, 0), IS_DHRS);
    CHECK_EQ(load_le16(fis + 4), SECTORS - 1);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xf8, .device = 0x40 }, 0, 0), IS_DHRS);
    CHECK_EQ(load_le16(fis + 4), SECTORS - 1);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0x90 }, 0, 0), IS_DHRS);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x150);
    CHECK_EQ(fis[4], 1);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0x91 }, 0, 0), IS_DHRS);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xc6, .count = 8 }, 0, 0), IS_DHRS);
    ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512);
    CHECK_EQ(identify_word(r.ram + DATA, 59), 0x108);
    check_aborted(&r, ata_run(&r, 0, (struct ata){ .command = 0xc6, .count = 32 }, 0, 0), 0x04);
    check_aborted(&r, ata_run(&r, 0, (struct ata){ .command = 0xc6, .count = 3 }, 0, 0), 0x04);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xc6, .count = 0 }, 0, 0), IS_DHRS);
    check_aborted(
        &r, ata_run(&r, 0, (struct ata){ .command = 0xc4, .device = 0x40, .count = 1 }, DATA, 512),
        0x04);
    sata_end(&r);
}

TEST(refused_commands)
{
    static const uint8_t commands[] = { 0x00, 0x08, 0x10, 0x63, 0x64, 0x65, 0x92, 0xa0, 0xa1,
                                        0xb0, 0xb1, 0xf1, 0xf2, 0xf5, 0xf6, 0xf9, 0xff };
    struct sata r;

    disk_start(&r);
    for (unsigned i = 0; i < sizeof(commands); i++) {
        struct ata ata = { .command = commands[i] };

        check_aborted(&r, ata_run(&r, 0, ata, DATA, 512), 0x04);
        CHECK_EQ(bytes_moved(&r, 0, 0), 0);
    }
    sata_end(&r);
}

TEST(features)
{
    struct sata r;
    static const struct {
        uint8_t feature, count;
        unsigned word, mask, value;
    } steps[] = {
        { 0x82, 0, 85, 0x20, 0 },           { 0x02, 0, 85, 0x20, 0x20 },
        { 0x55, 0, 85, 0x40, 0 },           { 0xaa, 0, 85, 0x40, 0x40 },
        { 0x03, 0x45, 88, 0xff00, 0x2000 }, { 0x03, 0x22, 88, 0xff00, 0 },
        { 0x03, 0x22, 63, 0xff00, 0x0400 }, { 0x03, 0x0c, 63, 0xff00, 0 },
        { 0x66, 0, 85, 0x60, 0x60 },        { 0xcc, 0, 85, 0x60, 0x60 },
    };

    disk_start(&r);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct ata ata = { .command = 0xef, .features = steps[i].feature, .count = steps[i].count };

        CHECK_EQ(ata_run(&r, 0, ata, 0, 0), IS_DHRS);
        ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512);
        CHECK_EQ(identify_word(r.ram + DATA, steps[i].word) & steps[i].mask, steps[i].value);
    }
    check_aborted(
        &r, ata_run(&r, 0, (struct ata){ .command = 0xef, .features = 3, .count = 0x47 }, 0, 0),
        0x04);
    check_aborted(&r, ata_run(&r, 0, (struct ata){ .command = 0xef, .features = 0x05 }, 0, 0),
                  0x04);
    /* with the cache off writes are durable */
    ata_run(&r, 0, (struct ata){ .command = 0xef, .features = 0x82 }, 0, 0);
    unsigned flushes = fake_drive_flushes(r.ahci, 0);

    ata_run(&r, 0, (struct ata){ .command = 0x35, .device = 0x40, .count = 1 }, DATA, 512);
    CHECK_EQ(fake_drive_flushes(r.ahci, 0), flushes + 1);
    sata_end(&r);
}

TEST(power_modes)
{
    struct sata r;
    const uint8_t *fis;
    struct ata check = { .command = 0xe5 };

    disk_start(&r);
    fis = fis_area(&r, 0) + 0x40;
    ata_run(&r, 0, check, 0, 0);
    CHECK_EQ(fis[12], 0xff);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xe0 }, 0, 0), IS_DHRS);
    CHECK_EQ(fake_drive_flushes(r.ahci, 0), 1);
    ata_run(&r, 0, check, 0, 0);
    CHECK_EQ(fis[12], 0);
    ata_run(&r, 0, (struct ata){ .command = 0xc8, .device = 0x40, .count = 1 }, DATA, 512);
    ata_run(&r, 0, check, 0, 0);
    CHECK_EQ(fis[12], 0xff);
    ata_run(&r, 0, (struct ata){ .command = 0xe2, .count = 5 }, 0, 0);
    ata_run(&r, 0, (struct ata){ .command = 0xe1 }, 0, 0);
    ata_run(&r, 0, (struct ata){ .command = 0xe3 }, 0, 0);
    ata_run(&r, 0, check, 0, 0);
    CHECK_EQ(fis[12], 0xff);
    /* asleep it answers nothing but a reset */
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xe6 }, 0, 0), IS_DHRS);
    CHECK_EQ(ata_run(&r, 0, check, 0, 0), 0);
    CHECK_EQ(px_read(&r, 0, PX_TFD) & 0x80, 0x80);
    CHECK(fake_save_load(r.ahci));
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_TFD) & 0x80, 0x80);
    px_write(&r, 0, PX_CMD, PX_FRE);
    px_write(&r, 0, PX_SCTL, 1);
    px_write(&r, 0, PX_SCTL, 0);
    port_start(&r, 0);
    CHECK_EQ(ata_run(&r, 0, check, 0, 0), IS_DHRS);
    CHECK_EQ(fis[12], 0xff);
    sata_end(&r);
}

/* --- TRIM ------------------------------------------------------------------------------------- */

static void range_set(struct sata *r, unsigned n, uint64_t lba, uint64_t count)
{
    store_le64(r->ram + DATA + 8 * n, lba | count << 48);
}

TEST(trim)
{
    struct sata r;
    struct ata trim = { .command = 0x06, .features = 1, .count = 1, .device = 0x40 };

    disk_start(&r);
    memset(r.disk, 0xaa, DISK_SIZE);
    memset(r.ram + DATA, 0, 4096);
    range_set(&r, 0, 10, 5);
    range_set(&r, 1, 15, 5); /* goes on */
    range_set(&r, 3, SECTORS - 1, 1);
    range_set(&r, 63, 100, 1);
    CHECK_EQ(ata_run(&r, 0, trim, DATA, 512), IS_DHRS);
    for (unsigned s = 0; s < SECTORS; s++) {
        bool trimmed = (s >= 10 && s < 20) || s == SECTORS - 1 || s == 100;

        CHECK_EQ(r.disk[s * 512], trimmed ? 0 : 0xaa);
        CHECK_EQ(r.disk[s * 512 + 511], trimmed ? 0 : 0xaa);
    }
    /* nothing at all */
    memset(r.ram + DATA, 0, 4096);
    CHECK_EQ(ata_run(&r, 0, trim, DATA, 512), IS_DHRS);
    /* one range that is not on the disk: none is done */
    range_set(&r, 0, 200, 8);
    range_set(&r, 1, SECTORS - 1, 2);
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x10);
    CHECK_EQ(r.disk[200 * 512], 0xaa);
    range_set(&r, 1, UINT64_C(0xffffffffffff), 0xffff);
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x10);
    trim.count = 0;
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x04);
    trim.count = 9;
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 9 * 512), 0x04);
    trim.count = 2;
    CHECK_EQ(ata_run(&r, 0, trim, DATA, 512) & IS_TFES, IS_TFES); /* shorter than it says */
    port_recover(&r, 0);
    trim.count = 1;
    trim.features = 0;
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x04);
    trim.features = 1;
    memset(r.ram + DATA, 0, 4096);
    range_set(&r, 0, 200, 8);
    fake_drive_fail(r.ahci, 0, 1, -EIO);
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x04);
    r.disk_info.discard = false;
    fake_drive_change(r.ahci, 0, &r.disk_info, r.disk);
    check_aborted(&r, ata_run(&r, 0, trim, DATA, 512), 0x04);
    sata_end(&r);
}

/* --- Errors of the back end ------------------------------------------------------------------- */

TEST(medium_errors)
{
    struct sata r;
    struct ata read = { .command = 0x25, .device = 0x40, .count = 1, .lba = 0x123 };
    struct ata write = { .command = 0x35, .device = 0x40, .count = 1, .lba = 0x123 };

    disk_start(&r);
    fake_drive_fail(r.ahci, 0, 1, -EIO);
    uint32_t is = ata_run(&r, 0, read, DATA, 512);

    CHECK_EQ(load_le16(fis_area(&r, 0) + 0x44), 0x123);
    check_aborted(&r, is, 0x40);
    fake_drive_fail(r.ahci, 0, 1, -EIO);
    check_aborted(&r, ata_run(&r, 0, write, DATA, 512), 0x04);
    fake_drive_fail(r.ahci, 0, 1, -EINVAL);
    check_aborted(&r, ata_run(&r, 0, write, DATA, 512), 0x10);
    fake_drive_fail(r.ahci, 0, 1, -EIO);
    check_aborted(&r, ata_run(&r, 0, (struct ata){ .command = 0xea }, 0, 0), 0x04);
    r.disk_info.read_only = true;
    fake_drive_change(r.ahci, 0, &r.disk_info, r.disk);
    memset(r.ram + DATA, 0x77, 512);
    check_aborted(&r, ata_run(&r, 0, write, DATA, 512), 0x04);
    CHECK(r.disk[0x123 * 512] != 0x77);
    CHECK_EQ(ata_run(&r, 0, read, DATA, 512), IS_DHRS);
    sata_end(&r);
}

/* --- Queues ----------------------------------------------------------------------------------- */

static void queue_fill(struct sata *r, unsigned tag, bool write, uint64_t lba, unsigned count,
                       uint64_t address)
{
    struct ata ata = { .command = write ? 0x61 : 0x60,
                       .device = 0x40,
                       .features = (uint16_t)count,
                       .count = (uint16_t)(tag << 3),
                       .lba = lba };

    slot_fill(r, 0, tag, &ata, 1);
    prd_set(r, 0, tag, 0, address, count * 512);
}

static void queue_issue(struct sata *r, uint32_t tags)
{
    px_write(r, 0, PX_SACT, tags);
    px_write(r, 0, PX_CI, tags);
}

TEST(queue_of_32)
{
    struct sata r;

    disk_start(&r);
    fake_drive_hold(r.ahci, 0, true);
    for (unsigned tag = 0; tag < 32; tag++) {
        memset(r.ram + DATA + tag * 4096, (int)(tag + 1), 4096);
        queue_fill(&r, tag, true, 1000 + tag * 8, 8, DATA + tag * 4096);
    }
    queue_issue(&r, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x50);
    CHECK_EQ(px_read(&r, 0, PX_IS), 0);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS);
    CHECK_EQ(fis_area(&r, 0)[0x58], 0xa1);
    CHECK_EQ(load_le32(fis_area(&r, 0) + 0x5c), 0x80000000);
    for (unsigned tag = 0; tag < 32; tag++) {
        CHECK_EQ(r.disk[(1000 + tag * 8) * 512], tag + 1);
        CHECK_EQ(r.disk[(1000 + tag * 8) * 512 + 4095], tag + 1);
    }
    px_write(&r, 0, PX_IS, 0xffffffff);
    queue_fill(&r, 9, false, 1000 + 72, 8, DATA + 0x40000);
    queue_issue(&r, 1 << 9);
    fake_run(r.fake);
    CHECK_EQ(r.ram[DATA + 0x40000], 10);
    CHECK_EQ(fis_area(&r, 0)[0x00], 0x41);
    CHECK_EQ(fis_area(&r, 0)[0x04], 9);
    /* FUA is a bit of the device field */
    unsigned flushes = fake_drive_flushes(r.ahci, 0);

    queue_fill(&r, 3, true, 50, 1, DATA);
    table_of(&r, 0, 3)[7] = 0xc0;
    queue_issue(&r, 8);
    fake_run(r.fake);
    CHECK_EQ(fake_drive_flushes(r.ahci, 0), flushes + 1);
    /* count 0 is 65536 sectors, more than there are */
    queue_fill(&r, 3, false, 0, 0, DATA);
    queue_issue(&r, 8);
    CHECK_EQ(px_read(&r, 0, PX_IS) & IS_TFES, IS_TFES);
    sata_end(&r);
}

static const uint8_t *error_log_read(struct sata *r)
{
    struct ata log = { .command = 0x2f, .count = 1, .lba = 0x10, .device = 0x40 };
    uint8_t sum = 0;

    CHECK_EQ(ata_run(r, 0, log, DATA + 0x80000, 512), IS_PSS);
    for (unsigned i = 0; i < 512; i++) {
        sum = (uint8_t)(sum + r->ram[DATA + 0x80000 + i]);
    }
    CHECK_EQ(sum, 0);
    return r->ram + DATA + 0x80000;
}

/* As libata recovers: stop, start, read log 10h, issue the others again. */
TEST(queue_error)
{
    struct sata r;
    const uint8_t *log;

    disk_start(&r);
    fake_drive_hold(r.ahci, 0, true);
    queue_fill(&r, 4, false, 0x111, 1, DATA);
    queue_fill(&r, 5, false, 0x222, 1, DATA + 512);
    queue_fill(&r, 6, false, 0x333, 1, DATA + 1024);
    queue_issue(&r, 0x10);
    queue_issue(&r, 0x20);
    queue_issue(&r, 0x40);
    fake_drive_fail(r.ahci, 0, 1, -EIO);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS | IS_TFES);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0x70);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x4051);
    CHECK_EQ(load_le32(fis_area(&r, 0) + 0x5c), 0);
    CHECK_EQ(fis_area(&r, 0)[0x5b], 0x40);
    CHECK(fake_save_load(r.ahci));
    fake_run(r.fake);
    port_recover(&r, 0);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0);
    /* nothing but the log until it has been read */
    check_aborted(&r, ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512), 0x04);
    queue_fill(&r, 5, false, 0x222, 1, DATA + 512);
    queue_issue(&r, 0x20);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS | IS_TFES);
    port_recover(&r, 0);
    log = error_log_read(&r);
    CHECK_EQ(log[0], 4);
    CHECK_EQ(log[2], 0x51);
    CHECK_EQ(log[3], 0x40);
    CHECK_EQ(load_le16(log + 4), 0x111);
    CHECK_EQ(error_log_read(&r)[0], 0x80);
    queue_fill(&r, 5, false, 0x222, 1, DATA + 512);
    queue_fill(&r, 6, false, 0x333, 1, DATA + 1024);
    queue_issue(&r, 0x60);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0);
    CHECK(memcmp(r.ram + DATA + 1024, r.disk + 0x333 * 512, 512) == 0);
    sata_end(&r);
}

TEST(queue_error_ends_with_comreset)
{
    struct sata r;

    disk_start(&r);
    queue_fill(&r, 0, false, SECTORS, 1, DATA);
    queue_issue(&r, 1);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS | IS_TFES);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x1051);
    px_write(&r, 0, PX_CMD, PX_FRE);
    px_write(&r, 0, PX_SCTL, 1);
    px_write(&r, 0, PX_SCTL, 0);
    port_start(&r, 0);
    CHECK_EQ(ata_run(&r, 0, (struct ata){ .command = 0xec }, DATA, 512), IS_PSS);
    sata_end(&r);
}

TEST(wrong_tags)
{
    struct sata r;

    disk_start(&r);
    queue_fill(&r, 2, false, 0, 1, DATA);
    table_of(&r, 0, 2)[12] = 3 << 3;
    queue_issue(&r, 4);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_SDBS | IS_TFES);
    port_recover(&r, 0);
    CHECK_EQ(error_log_read(&r)[0], 2);
    /* a tag that is in use */
    fake_drive_hold(r.ahci, 0, true);
    queue_fill(&r, 2, false, 0, 1, DATA);
    queue_issue(&r, 4);
    queue_issue(&r, 4);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_IFS);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_IFS);
    CHECK(r.ahci->class->idle(r.ahci));
    sata_end(&r);
}

/* A command that is not queued among queued ones ends them all. */
TEST(queue_disturbed)
{
    struct sata r;

    disk_start(&r);
    fake_drive_hold(r.ahci, 0, true);
    queue_fill(&r, 8, false, 0, 1, DATA);
    queue_issue(&r, 0x100);
    slot_fill(&r, 0, 9, &(struct ata){ .command = 0xe7 }, 0);
    px_write(&r, 0, PX_CI, 0x200);
    CHECK_EQ(px_read(&r, 0, PX_IS), IS_DHRS | IS_TFES);
    CHECK_EQ(px_read(&r, 0, PX_TFD), 0x451);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0x100);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0x200);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_SACT), 0x100);
    port_recover(&r, 0);
    CHECK_EQ(error_log_read(&r)[0], 0x80);
    sata_end(&r);
}

TEST(commands_take_turns)
{
    struct sata r;

    disk_start(&r);
    fake_drive_hold(r.ahci, 0, true);
    for (unsigned slot = 0; slot < 32; slot++) {
        struct ata write = { .command = 0x35, .device = 0x40, .count = 1, .lba = 7 };

        slot_fill(&r, 0, slot, &write, 1);
        prd_set(&r, 0, slot, 0, DATA + slot * 512, 512);
        memset(r.ram + DATA + slot * 512, (int)slot + 1, 512);
    }
    px_write(&r, 0, PX_CI, 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0xffffffff);
    CHECK_EQ(px_read(&r, 0, PX_CMD) >> 8 & 0x1f, 0);
    fake_drive_hold(r.ahci, 0, false);
    fake_run(r.fake);
    CHECK_EQ(px_read(&r, 0, PX_CI), 0);
    CHECK_EQ(r.disk[7 * 512], 32); /* slot 31 was the last */
    sata_end(&r);
}

TEST(logs)
{
    struct sata r;
    struct ata log = { .command = 0x2f, .count = 1, .device = 0x40 };

    disk_start(&r);
    CHECK_EQ(ata_run(&r, 0, log, DATA, 512), IS_PSS);
    CHECK_EQ(load_le16(r.ram + DATA), 1);
    CHECK_EQ(load_le16(r.ram + DATA + 0x20), 1);
    log.command = 0x47;
    CHECK_EQ(ata_run(&r, 0, log, DATA, 512), IS_DHRS);
    log.lba = 0x30;
    check_aborted(&r, ata_run(&r, 0, log, DATA, 512), 0x04);
    log.lba = 0x110;
    check_aborted(&r, ata_run(&r, 0, log, DATA, 512), 0x04);
    log.lba = 0x10;
    log.count = 2;
    check_aborted(&r, ata_run(&r, 0, log, DATA, 1024), 0x04);
    sata_end(&r);
}

TEST_MAIN(T(identify), T(reads_and_writes), T(counts_of_zero_and_ends_of_the_disk),
          T(commands_without_data), T(refused_commands), T(features), T(power_modes), T(trim),
          T(medium_errors), T(queue_of_32), T(queue_error), T(queue_error_ends_with_comreset),
          T(wrong_tags), T(queue_disturbed), T(commands_take_turns), T(logs))
