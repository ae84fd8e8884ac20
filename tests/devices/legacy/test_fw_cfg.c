/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "bytes.h"
#include "fake_machine.h"
#include "fw_cfg.h"
#include "test.h"

enum {
    RAM_SIZE = 64 << 20,
    DESCRIPTOR = 0x7010,
    ERROR = 1,
    READ = 2,
    SKIP = 4,
    SELECT = 8,
    WRITE = 16,
};

static void dma_start(struct fake *m, uint64_t descriptor)
{
    fake_out(m, 0x514, 4, __builtin_bswap32((uint32_t)(descriptor >> 32)));
    fake_out(m, 0x518, 4, __builtin_bswap32((uint32_t)descriptor));
}

/* Runs one descriptor; returns the control word the device leaves. */
static uint32_t dma(struct fake *m, uint32_t control, uint32_t length, uint64_t address)
{
    uint8_t *d = fake_ram(m) + DESCRIPTOR;

    store_be32(d, control);
    store_be32(d + 4, length);
    store_be64(d + 8, address);
    dma_start(m, DESCRIPTOR);
    return load_be32(d);
}

static void port_read(struct fake *m, uint16_t key, uint8_t *bytes, unsigned n)
{
    fake_out(m, 0x510, 2, key);
    for (unsigned i = 0; i < n; i++) {
        bytes[i] = (uint8_t)fake_in(m, 0x511, 1);
    }
}

/* The key of a file by the directory; 0 if there is none. */
static uint16_t file_key(struct fake *m, const char *name)
{
    uint8_t directory[4 + 64 * FW_CFG_FILES_MAX];

    port_read(m, FW_CFG_FILE_DIR, directory, sizeof(directory));
    for (uint32_t i = 0; i < load_be32(directory); i++) {
        if (strcmp((char *)directory + 4 + 64 * i + 8, name) == 0) {
            return load_be16(directory + 4 + 64 * i + 4);
        }
    }
    return 0;
}

/* A read-only file with the bytes of a text. */
static int file_add(struct device *fw_cfg, const char *name, const char *text)
{
    return fw_cfg_set_file(fw_cfg, name, (void *)text, (uint32_t)strlen(text), false);
}

TEST(signature_id_and_fixed_keys)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    uint8_t got[8];

    CHECK_EQ(fake_in(m, 0x511, 1), 'Q'); /* selected from reset on */
    port_read(m, FW_CFG_SIGNATURE, got, 6);
    CHECK(memcmp(got, "QEMU\0\0", 6) == 0);
    port_read(m, FW_CFG_ID, got, 4);
    CHECK_EQ(load_le32(got), 3);
    CHECK_EQ(fake_in(m, 0x514, 4), 0x554d4551);
    CHECK_EQ(fake_in(m, 0x518, 4), 0x47464320);
    CHECK_EQ(fake_in(m, 0x51a, 1), 'F');

    fw_cfg_set_key(d, FW_CFG_NB_CPUS, "\4\0", 2);
    fw_cfg_set_key(d, FW_CFG_ARCH_LOCAL + 2, "\1", 1);
    port_read(m, FW_CFG_NB_CPUS, got, 3);
    CHECK(memcmp(got, "\4\0\0", 3) == 0);
    port_read(m, 0x4000 | FW_CFG_NB_CPUS, got, 1);
    CHECK_EQ(got[0], 4);
    port_read(m, FW_CFG_ARCH_LOCAL + 2, got, 1);
    CHECK_EQ(got[0], 1);
    static const uint16_t absent[] = {
        0x02, 0x1f, 0x20, 0x5f, 0x60, 0x3fff, 0x8000, 0x8020, 0xbfff
    };

    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        memset(got, 0xaa, sizeof(got));
        port_read(m, absent[i], got, 8);
        CHECK_EQ(load_le64(got), 0);
    }
    fake_out(m, 0x511, 1, 3); /* the data port does not write */
    CHECK_EQ(fake_guest_errors(d), 1);
    fake_free(m);
}

TEST(directory_is_sorted)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    uint8_t got[4 + 3 * 64];

    CHECK_EQ(file_add(d, "etc/e820", "12345"), 0);
    CHECK_EQ(file_add(d, "bootorder", "abc"), 0);
    CHECK_EQ(file_add(d, "etc/acpi/rsdp", "R"), 0);
    port_read(m, FW_CFG_FILE_DIR, got, sizeof(got));
    CHECK_EQ(load_be32(got), 3);
    CHECK_EQ(load_be32(got + 4), 3);
    CHECK_EQ(load_be16(got + 8), 0x20);
    CHECK_STR((char *)got + 12, "bootorder");
    CHECK_STR((char *)got + 12 + 64, "etc/acpi/rsdp");
    CHECK_STR((char *)got + 12 + 128, "etc/e820");
    CHECK_EQ(load_be16(got + 8 + 128), 0x22);

    CHECK_EQ(file_add(d, "etc/e820", "longer"), 0);
    CHECK_EQ(file_key(m, "etc/e820"), 0x22);
    port_read(m, 0x22, got, 7);
    CHECK(memcmp(got, "longer\0", 7) == 0);
    fake_free(m);
}

TEST(directory_is_bounded)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    char name[FW_CFG_FILE_NAME_MAX];
    uint8_t got[1];

    for (unsigned i = 0; i < FW_CFG_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "opt/%050u", i);
        CHECK_EQ(file_add(d, name, "x"), 0);
    }
    CHECK_EQ(file_add(d, "one more", "x"), -ENOSPC);
    CHECK_EQ(file_add(d, name, "y"), 0);
    CHECK_EQ(file_key(m, name), FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX - 1);
    port_read(m, FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX - 1, got, 1);
    CHECK_EQ(got[0], 'y');
    fake_free(m);
}

TEST(dma_reads)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    uint8_t *ram = fake_ram(m);

    file_add(d, "file", "0123456789");
    memset(ram + 0x1000, 0xaa, 64);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, 4, 0x1000), 0);
    CHECK(memcmp(ram + 0x1000, "0123\xaa", 5) == 0);
    CHECK(fake_save_load(d)); /* the other machine lacks the file: only key and offset travel */
    CHECK_EQ(dma(m, SKIP, 2, 0), 0);
    CHECK_EQ(dma(m, READ, 8, 0x1001), 0);
    CHECK(memcmp(ram + 0x1000, "06789\0\0\0\0\xaa", 10) == 0);
    CHECK_EQ(fake_in(m, 0x511, 1), 0);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT, 0, 0), 0);
    CHECK_EQ(fake_in(m, 0x511, 1), '0');
    CHECK_EQ(dma(m, READ, 0, 0x1000), 0);
    CHECK_EQ(dma(m, SKIP, UINT32_MAX, 0), 0);
    CHECK_EQ(dma(m, SKIP, UINT32_MAX, 0), 0); /* stays beyond the end */
    CHECK_EQ(fake_in(m, 0x511, 1), 0);
    CHECK_EQ(fake_guest_errors(d), 0);
    fake_free(m);
}

TEST(dma_reads_a_big_item)
{
    enum { SIZE = 40 << 20 };
    struct fake *m = fake_new(RAM_SIZE);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    uint8_t *big = malloc(SIZE);

    for (uint32_t i = 0; i < SIZE; i += 4) {
        store_le32(big + i, i * 2654435761u);
    }
    fw_cfg_set_key(d, FW_CFG_INITRD_DATA, big, SIZE);
    CHECK_EQ(dma(m, FW_CFG_INITRD_DATA << 16 | SELECT | READ, SIZE, 0x100001), 0);
    CHECK(memcmp(fake_ram(m) + 0x100001, big, SIZE) == 0);
    free(big);
    fake_free(m);
}

TEST(dma_stays_in_ram)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    uint8_t *ram = fake_ram(m);

    file_add(d, "file", "0123456789");
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, 10, (1 << 20) - 5), ERROR);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, 10, UINT64_C(0xfee00000)), ERROR);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, 10, UINT64_MAX - 4), ERROR);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, UINT32_MAX, 0x10000), ERROR);
    unsigned errors = fake_guest_errors(d);

    CHECK(errors >= 4);
    memset(ram + 0xffff8, 0x11, 8);
    dma_start(m, 0xffff8); /* half in RAM */
    dma_start(m, UINT64_C(0xfec00000));
    dma_start(m, UINT64_MAX - 3);
    CHECK_EQ(fake_guest_errors(d), errors + 3);
    CHECK_EQ(load_le64(ram + 0xffff8), UINT64_C(0x1111111111111111));
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | READ, 10, (1 << 20) - 10), 0);
    CHECK(memcmp(ram + (1 << 20) - 10, "0123456789", 10) == 0);
    fake_free(m);
}

struct hook_record {
    unsigned selected, written;
    char name[64];
    struct device *device;
};

static void hook(void *context, const char *name, bool written)
{
    struct hook_record *r = context;

    r->written += written;
    r->selected += !written;
    snprintf(r->name, sizeof(r->name), "%s", name);
    if (!written && strcmp(name, "etc/acpi/tables") == 0) {
        file_add(r->device, name, "rebuilt");
    }
}

TEST(dma_writes_only_what_is_writable)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    struct hook_record record = { .device = d };
    uint8_t address[8] = { 0 }, fixed[4] = { 1, 2, 3, 4 };

    fw_cfg_set_file(d, "etc/vmgenid_addr", address, 8, true);
    fw_cfg_set_file(d, "fixed", fixed, 4, false);
    fw_cfg_set_hook(d, hook, &record);
    memcpy(fake_ram(m) + 0x1000, "abcdefghijkl", 12);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | WRITE, 8, 0x1000), 0);
    CHECK(memcmp(address, "abcdefgh", 8) == 0);
    CHECK_EQ(record.selected, 1);
    CHECK_EQ(record.written, 1);
    CHECK_STR(record.name, "etc/vmgenid_addr");
    CHECK_EQ(dma(m, WRITE, 1, 0x1000), ERROR); /* at the end */
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | SKIP, 4, 0), 0);
    CHECK_EQ(dma(m, WRITE, 5, 0x1000), ERROR); /* across the end */
    CHECK_EQ(dma(m, WRITE, 4, 0x1004), 0);
    CHECK(memcmp(address, "abcdefgh", 8) == 0);
    CHECK_EQ(dma(m, 0x20 << 16 | SELECT | WRITE, 8, 0xffffc), ERROR); /* from outside RAM */
    CHECK_EQ(dma(m, 0x21 << 16 | SELECT | WRITE, 1, 0x1000), ERROR);
    CHECK_EQ(dma(m, FW_CFG_ID << 16 | SELECT | WRITE, 1, 0x1000), ERROR);
    CHECK_EQ(dma(m, 0x3000 << 16 | SELECT | WRITE, 0, 0x1000), ERROR);
    CHECK_EQ(fixed[0], 1);
    CHECK_EQ(record.written, 2);
    fake_free(m);
}

TEST(hook_may_rebuild)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "fw-cfg", NULL);
    struct hook_record record = { .device = d };
    uint8_t got[8];

    file_add(d, "etc/acpi/tables", "first");
    fw_cfg_set_hook(d, hook, &record);
    port_read(m, FW_CFG_FILE_FIRST, got, 8);
    CHECK(memcmp(got, "rebuilt\0", 8) == 0);
    CHECK_EQ(dma(m, FW_CFG_FILE_FIRST << 16 | SELECT | READ, 3, 0x100), 0);
    CHECK_EQ(record.selected, 2);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(fake_in(m, 0x511, 1), 'Q');
    CHECK_EQ(record.selected, 2);
    fake_free(m);
}

TEST_MAIN(T(signature_id_and_fixed_keys), T(directory_is_sorted), T(directory_is_bounded),
          T(dma_reads), T(dma_reads_a_big_item), T(dma_stays_in_ram),
          T(dma_writes_only_what_is_writable), T(hook_may_rebuild))
