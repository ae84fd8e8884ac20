/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NVMe controller's admin commands: Identify, queues, features, log pages, Abort, events. */
#include "test.h"

#include <errno.h>

#include "bytes.h"
#include "nvme_driver.h"
#include "state.h"

enum {
    DELETE_SQ = 0x00,
    CREATE_SQ = 0x01,
    GET_LOG = 0x02,
    DELETE_CQ = 0x04,
    CREATE_CQ = 0x05,
    IDENTIFY = 0x06,
    ABORT = 0x08,
    SET_FEATURES = 0x09,
    GET_FEATURES = 0x0a,
    ASYNC_EVENT = 0x0c,
};

static uint8_t *data(void)
{
    return fake_ram(fake) + NVME_DATA;
}

static uint16_t identify(uint32_t nsid, uint32_t cns)
{
    struct nvme_entry entry = { .opcode = IDENTIFY, .nsid = nsid, .prp1 = NVME_DATA, .dw10 = cns };

    memset(data(), 0xee, 4096);
    return host_command(0, &entry, NULL);
}

TEST(identify_controller)
{
    host_setup();
    CHECK_EQ(identify(0, 1), 0);
    CHECK_EQ(load_le16(data()), 0x1b36);
    CHECK(memcmp(data() + 4, "OR0123456789abcdef  ", 20) == 0);
    CHECK(memcmp(data() + 24, "Oriel NVMe disk    ", 19) == 0);
    CHECK_EQ(data()[77], 8);
    CHECK_EQ(load_le32(data() + 80), 0x00010400);
    CHECK_EQ(load_le16(data() + 256), 1 << 8); /* Doorbell Buffer Config */
    CHECK_EQ(data()[512], 0x66);
    CHECK_EQ(data()[513], 0x44);
    CHECK_EQ(load_le32(data() + 516), 1);
    CHECK_EQ(load_le16(data() + 520), 0x0d); /* Compare, Dataset Management, Write Zeroes */
    CHECK_EQ(data()[525] & 1, 1);
    CHECK(memcmp(data() + 768, "nqn.2014-08.org.nvmexpress:uuid:", 32) == 0);
    CHECK_EQ(strlen((char *)data() + 768), 32 + 36);
    CHECK_EQ(data()[4095], 0);
    host_finish();
}

TEST(identify_namespace)
{
    uint8_t uuid[16];

    host_setup();
    CHECK_EQ(identify(1, 0), 0);
    CHECK_EQ(load_le64(data()), NVME_MEDIUM / 512);
    CHECK_EQ(load_le64(data() + 8), NVME_MEDIUM / 512);
    CHECK_EQ(load_le16(data() + 64), 7); /* NPWG: 4 KiB */
    CHECK_EQ(data()[99], 0);
    CHECK_EQ(data()[130], 9);
    CHECK_EQ(identify(0, 2), 0);
    CHECK_EQ(load_le32(data()), 1);
    CHECK_EQ(load_le32(data() + 4), 0);
    CHECK_EQ(identify(1, 2), 0);
    CHECK_EQ(load_le32(data()), 0);
    CHECK_EQ(identify(1, 3), 0);
    CHECK_EQ(data()[0], 3);
    CHECK_EQ(data()[1], 16);
    memcpy(uuid, data() + 4, 16);
    CHECK_EQ(uuid[6] >> 4, 8);
    CHECK_EQ(uuid[8] >> 6, 2);
    CHECK_EQ(load_le32(data() + 20), 0);
    CHECK_EQ(identify(1, 3), 0);
    CHECK(memcmp(uuid, data() + 4, 16) == 0);
    CHECK_EQ(identify(2, 0), 0x00b);
    CHECK_EQ(identify(0, 3), 0x00b);
    CHECK_EQ(identify(0xfffffffe, 2), 0x00b);
    CHECK_EQ(identify(1, 0x10), 0x002);
    CHECK_EQ(data()[0], 0xee);
    host_finish();
}

TEST(no_disk)
{
    struct block_info info = { .logical_block_size = 512 };

    host_open(&info);
    host_enable();
    CHECK_EQ(identify(1, 0), 0);
    CHECK_EQ(load_le64(data()), 0);
    host_finish();
}

TEST(disks_of_large_blocks)
{
    struct block_info info = host_disk;

    info.logical_block_size = 4096;
    host_open(&info);
    host_msix();
    host_enable();
    host_pair_create(1);
    CHECK_EQ(identify(1, 0), 0);
    CHECK_EQ(load_le64(data()), NVME_MEDIUM / 4096);
    CHECK_EQ(data()[130], 12);
    CHECK_EQ(load_le16(data() + 64), 0);
    CHECK_EQ(host_io(2, NVME_MEDIUM / 4096 - 1, 1, NVME_DATA, 0), 0);
    CHECK(memcmp(data(), medium + NVME_MEDIUM - 4096, 4096) == 0);
    CHECK_EQ(host_io(2, NVME_MEDIUM / 4096, 1, NVME_DATA, 0), 0x080);
    host_finish();
}

TEST(wrong_queues)
{
    static const struct {
        uint8_t opcode;
        uint64_t prp1;
        uint32_t dw10, dw11;
        uint16_t status;
    } bad[] = {
        { CREATE_CQ, 0x80000, 7 << 16 | 1, 1 << 16 | 3, 0x101 }, /* exists */
        { CREATE_CQ, 0x80000, 7 << 16 | 0, 3, 0x101 },
        { CREATE_CQ, 0x80000, 7 << 16 | 17, 3, 0x101 },
        { CREATE_CQ, 0x80000, 0 << 16 | 2, 3, 0x102 },
        { CREATE_CQ, 0x80000, 1024u << 16 | 2, 3, 0x102 },
        { CREATE_CQ, 0x80000, 7 << 16 | 2, 2, 0x002 }, /* not contiguous */
        { CREATE_CQ, 0x80010, 7 << 16 | 2, 3, 0x013 },
        { CREATE_CQ, 0x80000, 7 << 16 | 2, 17 << 16 | 3, 0x108 },
        { CREATE_SQ, 0x80000, 7 << 16 | 1, 1 << 16 | 1, 0x101 },
        { CREATE_SQ, 0x80000, 7 << 16 | 0, 1 << 16 | 1, 0x101 },
        { CREATE_SQ, 0x80000, 7 << 16 | 2, 2 << 16 | 1, 0x100 }, /* no such completion queue */
        { CREATE_SQ, 0x80000, 7 << 16 | 2, 0 << 16 | 1, 0x100 },
        { CREATE_SQ, 0x80000, 7 << 16 | 2, 0xffffu << 16 | 1, 0x100 },
        { CREATE_SQ, 0x80000, 0 << 16 | 2, 1 << 16 | 1, 0x102 },
        { CREATE_SQ, 0x80000, 7 << 16 | 2, 1 << 16 | 0, 0x002 },
        { CREATE_SQ, 0x80004, 7 << 16 | 2, 1 << 16 | 1, 0x013 },
        { DELETE_SQ, 0, 0, 0, 0x101 },
        { DELETE_SQ, 0, 2, 0, 0x101 },
        { DELETE_SQ, 0, 0xffff, 0, 0x101 },
        { DELETE_CQ, 0, 0, 0, 0x101 },
        { DELETE_CQ, 0, 2, 0, 0x101 },
        { DELETE_CQ, 0, 1, 0, 0x10c },
        { 0x7f, 0, 0, 0, 0x001 },
    };

    host_setup();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct nvme_entry entry = {
            .opcode = bad[i].opcode, .prp1 = bad[i].prp1, .dw10 = bad[i].dw10, .dw11 = bad[i].dw11
        };

        CHECK_EQ(host_command(0, &entry, NULL), bad[i].status);
    }
    CHECK_EQ(host_admin(DELETE_SQ, 1, 0, NULL), 0);
    CHECK_EQ(host_admin(DELETE_CQ, 1, 0, NULL), 0);
    host_write(CC, 0x00000001); /* entry sizes of 1 byte */
    struct nvme_entry entry = { CREATE_CQ, .prp1 = 0x80000, .dw10 = 7 << 16 | 1, .dw11 = 1 };

    CHECK_EQ(host_command(0, &entry, NULL), 0x102);
    host_finish();
}

TEST(features)
{
    static const struct {
        uint8_t id;
        uint32_t dw11, value;
        uint16_t status;
    } sets[] = {
        { 1, 0x01020304, 0x01020304, 0 },
        { 2, 0, 0, 0 },
        { 2, 1, 0, 0x002 },
        { 4, 330, 330, 0 },
        { 4, 300 | 1 << 16, 0, 0x002 },
        { 4, 300 | 2 << 20, 0, 0x002 },
        { 5, 5, 5, 0 },
        { 6, 0, 0, 0 },
        { 6, 1, 1, 0 },
        { 7, 0xffff, 0, 0x002 },
        { 7, 0xffff0000, 0, 0x002 },
        { 7, 0, 0, 0x00c }, /* queues exist */
        { 8, 0x0203, 0x0203, 0 },
        { 9, 3 | 1 << 16, 3 | 1 << 16, 0 },
        { 9, 17, 0, 0x002 },
        { 10, 1, 1, 0 },
        { 11, 0x1ff, 0x1ff, 0 },
        { 0x0c, 0, 0, 0x002 },
        { 0, 0, 0, 0x002 },
        { 0x80, 0, 0, 0x002 },
    };
    uint32_t dw0;

    host_setup();
    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        CHECK_EQ(host_admin(SET_FEATURES, sets[i].id, sets[i].dw11, NULL), sets[i].status);
        if (sets[i].status == 0) {
            uint32_t chosen = sets[i].id == 9 ? sets[i].dw11 & 0xffff : 0;

            CHECK_EQ(host_admin(GET_FEATURES, sets[i].id, chosen, &dw0), 0);
            CHECK_EQ(dw0, sets[i].value);
        }
    }
    CHECK(fake_save_load(nvme));
    CHECK_EQ(host_admin(SET_FEATURES, 6 | 1u << 31, 0, NULL), 0x10d);
    CHECK_EQ(host_admin(GET_FEATURES, 6 | 1u << 8, 0, NULL), 0x002);
    CHECK_EQ(host_admin(GET_FEATURES, 0x0c, 0, NULL), 0x002);
    CHECK_EQ(host_admin(GET_FEATURES, 9, 17, NULL), 0x002);
    CHECK_EQ(host_admin(GET_FEATURES, 4, 1 << 20, &dw0), 0);
    CHECK_EQ(dw0, 0); /* the lower threshold */
    host_write(CC, 0);
    host_enable();
    CHECK_EQ(host_admin(GET_FEATURES, 4, 0, &dw0), 0);
    CHECK_EQ(dw0, 343);
    CHECK_EQ(host_admin(SET_FEATURES, 7, 0xf000f, &dw0), 0);
    CHECK_EQ(dw0, 0xf000f);
    CHECK_EQ(host_admin(GET_FEATURES, 7, 0, &dw0), 0);
    CHECK_EQ(dw0, 0xf000f);
    host_finish();
}

static uint16_t log_page(uint8_t id, uint32_t length, uint32_t offset)
{
    struct nvme_entry entry = { .opcode = GET_LOG,
                                .nsid = 0xffffffff,
                                .prp1 = NVME_DATA,
                                .dw10 = (length / 4 - 1) << 16 | id,
                                .dw12 = offset };

    memset(data(), 0xee, 4096);
    return host_command(0, &entry, NULL);
}

TEST(log_pages)
{
    host_setup();
    CHECK_EQ(log_page(1, 64, 0), 0);
    CHECK_EQ(load_le64(data()), 0);
    CHECK_EQ(host_io(2, NVME_MEDIUM / 512 + 5, 1, NVME_DATA, 0), 0x080);
    CHECK_EQ(log_page(1, 64, 0), 0);
    CHECK_EQ(load_le64(data()), 1);
    CHECK_EQ(load_le16(data() + 8), 1);
    CHECK_EQ(load_le16(data() + 12), 0x080 << 1);
    CHECK_EQ(load_le64(data() + 16), NVME_MEDIUM / 512 + 5);
    CHECK_EQ(load_le32(data() + 24), 1);
    CHECK_EQ(host_io(1, 0, 8, NVME_DATA, 0), 0);
    CHECK_EQ(host_io(2, 0, 8, NVME_DATA, 0), 0);
    CHECK_EQ(host_io(2, 0, 8, NVME_DATA, 0), 0);
    CHECK_EQ(log_page(2, 512, 0), 0);
    CHECK_EQ(load_le64(data() + 32), 1);
    CHECK_EQ(load_le64(data() + 48), 1);
    CHECK_EQ(load_le64(data() + 64), 2);
    CHECK_EQ(load_le64(data() + 80), 1);
    CHECK_EQ(load_le64(data() + 176), 1);
    CHECK_EQ(data()[512], 0xee);
    CHECK_EQ(log_page(2, 16, 64), 0); /* from an offset */
    CHECK_EQ(load_le64(data()), 2);
    CHECK_EQ(data()[16], 0xee);
    CHECK_EQ(log_page(3, 512, 0), 0);
    CHECK_EQ(data()[0], 1);
    CHECK_EQ(log_page(3, 4096, 0), 0); /* longer than the page */
    CHECK_EQ(data()[512], 0xee);
    CHECK_EQ(log_page(2, 16, 512), 0x002);
    CHECK_EQ(log_page(2, 16, 2), 0x002);
    CHECK_EQ(log_page(0, 16, 0), 0x109);
    CHECK_EQ(log_page(0x70, 16, 0), 0x109);
    host_finish();
}

/* --- Events ----------------------------------------------------------------------------------- */

TEST(event_requests_and_abort)
{
    struct nvme_entry request = { .opcode = ASYNC_EVENT };
    struct nvme_completion completion;
    uint16_t cids[4];
    uint32_t dw0;

    host_setup();
    for (unsigned i = 0; i < 4; i++) {
        cids[i] = host_add(0, &request);
    }
    host_ring(0);
    CHECK(!host_take(0, &completion));
    CHECK_EQ(host_command(0, &request, NULL), 0x105);
    CHECK(fake_save_load(nvme));
    CHECK_EQ(host_admin(ABORT, 0x5555u << 16, 0, &dw0), 0);
    CHECK_EQ(dw0, 1);
    host_add(0, &(struct nvme_entry){ .opcode = ABORT, .dw10 = (uint32_t)cids[1] << 16 });
    host_ring(0);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.cid, cids[1]);
    CHECK_EQ(completion.status, 0x007);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.status, 0);
    CHECK_EQ(completion.dw0, 0);
    CHECK(!host_take(0, &completion));
    host_finish();
}

TEST(grown_disk_is_told)
{
    struct block_info info = host_disk;
    struct nvme_entry request = { .opcode = ASYNC_EVENT };
    struct nvme_completion completion;

    host_setup();
    host_add(0, &request);
    host_add(0, &request);
    host_ring(0);
    info.size = NVME_MEDIUM / 2;
    fake_drive_change(nvme, 0, &info, medium);
    CHECK(!host_take(0, &completion)); /* not asked for */
    CHECK_EQ(host_admin(SET_FEATURES, 11, 1 << 8, NULL), 0);
    info.size = NVME_MEDIUM;
    fake_drive_change(nvme, 0, &info, medium);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.dw0, 0x040002);
    fake_drive_change(nvme, 0, &info, medium); /* not again before the log was read */
    CHECK(!host_take(0, &completion));
    CHECK(fake_save_load(nvme));
    struct nvme_entry log = { .opcode = GET_LOG, .prp1 = NVME_DATA, .dw10 = 1023 << 16 | 4 };

    host_add(0, &log);
    host_ring(0);
    fake_run(fake);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.status, 0);
    CHECK_EQ(load_le32(data()), 1);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.dw0, 0x040002);
    CHECK_EQ(identify(1, 0), 0);
    CHECK_EQ(load_le64(data()), NVME_MEDIUM / 512);
    host_finish();
}

TEST(write_cache_off_makes_writes_durable)
{
    unsigned flushes;

    host_setup();
    flushes = fake_drive_flushes(nvme, 0);
    CHECK_EQ(host_io(1, 0, 1, NVME_DATA, 0), 0);
    CHECK_EQ(fake_drive_flushes(nvme, 0), flushes);
    CHECK_EQ(host_admin(SET_FEATURES, 6, 0, NULL), 0);
    CHECK_EQ(host_io(1, 0, 1, NVME_DATA, 0), 0);
    CHECK_EQ(fake_drive_flushes(nvme, 0), flushes + 1);
    CHECK_EQ(host_admin(SET_FEATURES, 6, 1, NULL), 0);
    struct nvme_entry fua = host_io_entry(1, 0, 1, NVME_DATA, 0);

    fua.dw12 |= 1u << 30;
    CHECK_EQ(host_command(1, &fua, NULL), 0);
    CHECK_EQ(fake_drive_flushes(nvme, 0), flushes + 2);
    host_finish();
}

TEST_MAIN(T(identify_controller), T(identify_namespace), T(no_disk), T(disks_of_large_blocks),
          T(wrong_queues), T(features), T(log_pages), T(event_requests_and_abort),
          T(grown_disk_is_told), T(write_cache_off_makes_writes_durable))
