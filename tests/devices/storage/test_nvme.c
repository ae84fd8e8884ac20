/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NVMe controller as a driver uses it: registers, queues, reads and writes, resets, saving. */
#include "test.h"

#include <errno.h>

#include "bytes.h"
#include "nvme_driver.h"
#include "state.h"

enum {
    FLUSH = 0,
    WRITE = 1,
    READ = 2,
    COMPARE = 5,
    WRITE_ZEROES = 8,
    DSM = 9,
};

static uint8_t *ram(uint64_t at)
{
    return fake_ram(fake) + at;
}

static void pattern(uint64_t at, unsigned length, uint32_t seed)
{
    for (unsigned i = 0; i < length; i += 4) {
        store_le32(ram(at + i), (i + seed) * 2246822519u);
    }
}

/* --- Registers -------------------------------------------------------------------------------- */

TEST(registers)
{
    host_open(&host_disk);
    CHECK_EQ(fake_config_read(nvme, 0x08, 4) >> 8, 0x010802);
    CHECK_EQ(host_read(CAP), 0x78000000 | 1 << 16 | 1023);
    CHECK_EQ(host_read(CAP + 4), 0x20);
    CHECK_EQ(fake_read(fake, NVME_REGISTERS, 8), UINT64_C(0x20780103ff));
    CHECK_EQ(host_read(VS), 0x00010400);
    CHECK_EQ(host_read(CSTS), 0);
    host_write(ASQ, 0x12345fff);
    CHECK_EQ(host_read(ASQ), 0x12345000);
    host_write(INTMS, 5);
    host_write(INTMC, 1);
    CHECK_EQ(host_read(INTMS), 4);
    host_finish();
}

TEST(enabling_and_disabling)
{
    host_setup();
    host_write(CC, 0x00460000);
    CHECK_EQ(host_read(CSTS), 0);
    host_enable();
    CHECK_EQ(host_admin(0x00, 1, 0, NULL), 0x101); /* the queues are gone */
    host_pair_create(1);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish();
}

TEST(shutdown_flushes)
{
    host_setup();
    fake_drive_hold(nvme, 0, true);
    host_write(CC, CC_ENABLE | 1 << 14);
    fake_run(fake);
    CHECK_EQ(host_read(CSTS), 1 | 1 << 2);
    CHECK(fake_save_load(nvme));
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK_EQ(host_read(CSTS), 1 | 2 << 2);
    CHECK(fake_drive_flushes(nvme, 0) >= 1);
    host_write(CC, 0x00460000);
    CHECK_EQ(host_read(CSTS), 0);
    host_finish();
}

TEST(impossible_configuration_is_fatal)
{
    static const struct {
        uint32_t aqa, cc;
    } bad[] = {
        { 0x70007, CC_ENABLE | 1 << 7 },  /* MPS */
        { 0x70007, CC_ENABLE | 1 << 4 },  /* CSS */
        { 0x70007, CC_ENABLE | 1 << 11 }, /* AMS */
        { 0x70000, CC_ENABLE },           { 0x00007, CC_ENABLE },
    };

    host_open(&host_disk);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        host_write(AQA, bad[i].aqa);
        host_write(CC, bad[i].cc);
        CHECK_EQ(host_read(CSTS), 2);
        CHECK_EQ(fake_guest_errors(nvme), i + 1);
        host_write(CC, 0);
        CHECK_EQ(host_read(CSTS), 0);
    }
    host_finish_bad();
}

TEST(queues_outside_ram_are_fatal)
{
    host_setup();
    host_write(CC, 0);
    host_write(ASQ + 4, 1);
    host_write(CC, CC_ENABLE);
    CHECK_EQ(host_read(CSTS), 1);
    host_write(DOORBELL, 1);
    CHECK_EQ(host_read(CSTS), 3);
    CHECK(strstr(fake_last_guest_error(nvme), "submission queue"));
    host_write(CC, 0);
    host_write(ASQ + 4, 0);
    host_write(ACQ + 4, 1);
    host_write(CC, CC_ENABLE);
    host_write(DOORBELL, 1);
    CHECK_EQ(host_read(CSTS), 3);
    host_write(CC, 0);
    host_enable();
    host_finish_bad();
}

/* --- Reads and writes ------------------------------------------------------------------------- */

TEST(write_and_read_back)
{
    host_setup();
    pattern(NVME_DATA, 8192, 1);
    CHECK_EQ(host_io(WRITE, 100, 16, NVME_DATA, NVME_DATA + 4096), 0);
    CHECK(memcmp(medium + 100 * 512, ram(NVME_DATA), 8192) == 0);
    CHECK_EQ(host_io(READ, 100, 16, NVME_DATA + 0x10000, NVME_DATA + 0x30000), 0);
    CHECK(memcmp(ram(NVME_DATA + 0x10000), ram(NVME_DATA), 4096) == 0);
    CHECK(memcmp(ram(NVME_DATA + 0x30000), ram(NVME_DATA + 4096), 4096) == 0);
    CHECK_EQ(host_io(FLUSH, 0, 1, 0, 0), 0);
    CHECK_EQ(fake_drive_flushes(nvme, 0), 1);
    CHECK_EQ(fake_msi_address(nvme), NVME_MSI_ADDRESS);
    CHECK_EQ(fake_msi_data(nvme), NVME_MSI_DATA + 1);
    host_finish();
}

/* Every length and start of a transfer of up to a chained list, in pages in reverse order. */
TEST(prp_lists)
{
    static const unsigned offsets[] = { 0, 512, 4092, 2048 };

    host_setup();
    for (unsigned blocks = 1; blocks <= 2048; blocks += blocks < 40 ? 1 : 251) {
        unsigned length = blocks * 512, offset = offsets[blocks % 4], done = 4096 - offset;
        unsigned list_at = blocks % 3 ? 0 : 4096 - 16; /* few entries in the first list */
        uint64_t list = NVME_LISTS + list_at, prp2 = list;
        unsigned page = 0;

        pattern(NVME_DATA, 4096 * 260, blocks);
        for (unsigned left = length > done ? length - done : 0; left > 0; page++) {
            uint64_t at = NVME_DATA + 4096 * (258 - page);

            if (length - done <= 4096) {
                prp2 = at;
            } else if (list % 4096 == 4088 && left > 4096) {
                store_le64(ram(list), NVME_LISTS + 0x1000);
                list = NVME_LISTS + 0x1000;
            }
            store_le64(ram(list), at);
            list += 8;
            left -= left < 4096 ? left : 4096;
        }
        CHECK_EQ(host_io(WRITE, 7, blocks, NVME_DATA + 4096 * 259 + offset, prp2), 0);
        unsigned first = length < done ? length : done;

        CHECK(memcmp(medium + 7 * 512, ram(NVME_DATA + 4096 * 259 + offset), first) == 0);
        for (unsigned i = 0; i < page; i++) {
            unsigned at = first + i * 4096, n = length - at < 4096 ? length - at : 4096;

            CHECK(memcmp(medium + 7 * 512 + at, ram(NVME_DATA + 4096 * (258 - i)), n) == 0);
        }
    }
    host_finish();
}

TEST(write_zeroes_compare_deallocate)
{
    host_setup();
    memcpy(ram(NVME_DATA), medium, 4096);
    CHECK_EQ(host_io(COMPARE, 0, 8, NVME_DATA, 0), 0);
    *ram(NVME_DATA + 4095) ^= 1;
    CHECK_EQ(host_io(COMPARE, 0, 8, NVME_DATA, 0), 0x285);
    CHECK_EQ(host_io(WRITE_ZEROES, 8, 8, 0, 0), 0);
    for (unsigned i = 0; i < 4096; i++) {
        CHECK_EQ(medium[4096 + i], 0);
    }
    memset(ram(NVME_DATA), 0, 4096);
    for (unsigned i = 0; i < 2; i++) {
        store_le32(ram(NVME_DATA + i * 16 + 4), 8);
        store_le64(ram(NVME_DATA + i * 16 + 8), 32 + 16 * i);
    }
    struct nvme_entry dsm = { .opcode = DSM, .nsid = 1, .prp1 = NVME_DATA, .dw10 = 2, .dw11 = 4 };

    CHECK_EQ(host_command(1, &dsm, NULL), 0); /* the third is empty */
    CHECK_EQ(load_le32(medium + 32 * 512), 0);
    CHECK_EQ(load_le32(medium + 48 * 512), 0);
    CHECK(load_le32(medium + 40 * 512) != 0);
    store_le64(ram(NVME_DATA + 8), NVME_MEDIUM / 512 - 7);
    CHECK_EQ(host_command(1, &dsm, NULL), 0x080);
    dsm.dw11 = 2; /* a hint */
    store_le64(ram(NVME_DATA + 8), 0);
    CHECK_EQ(host_command(1, &dsm, NULL), 0);
    CHECK(load_le32(medium + 512) != 0);
    host_finish();
}

TEST(wrong_commands)
{
    struct nvme_entry bad = { .opcode = READ, .nsid = 2, .prp1 = NVME_DATA };

    host_setup();
    CHECK_EQ(host_command(1, &bad, NULL), 0x00b);
    bad.nsid = 0xffffffff;
    CHECK_EQ(host_command(1, &bad, NULL), 0x00b);
    bad.opcode = FLUSH;
    CHECK_EQ(host_command(1, &bad, NULL), 0);
    bad = (struct nvme_entry){ .opcode = READ, .nsid = 1, .prp1 = NVME_DATA, .flags = 0x40 };
    CHECK_EQ(host_command(1, &bad, NULL), 0x002); /* SGL */
    bad.flags = 1;
    CHECK_EQ(host_command(1, &bad, NULL), 0x002); /* fused */
    CHECK_EQ(host_io(0x77, 0, 1, NVME_DATA, 0), 0x001);
    CHECK_EQ(host_io(READ, NVME_MEDIUM / 512, 1, NVME_DATA, 0), 0x080);
    CHECK_EQ(host_io(WRITE, NVME_MEDIUM / 512 - 1, 2, NVME_DATA, 0), 0x080);
    CHECK_EQ(host_io(READ, UINT64_MAX, 1, NVME_DATA, 0), 0x080);
    CHECK_EQ(host_io(WRITE_ZEROES, NVME_MEDIUM / 512 - 1, 2, 0, 0), 0x080);
    CHECK_EQ(host_io(COMPARE, NVME_MEDIUM / 512, 1, NVME_DATA, 0), 0x080);
    CHECK_EQ(host_io(READ, 0, 2049, NVME_DATA, NVME_LISTS), 0x002); /* MDTS */
    CHECK_EQ(host_io(COMPARE, 0, 2049, NVME_DATA, NVME_LISTS), 0x002);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA + 1, 0), 0x013);
    CHECK_EQ(host_io(READ, 0, 16, NVME_DATA, NVME_DATA + 4), 0x013);
    CHECK_EQ(host_io(READ, 0, 24, NVME_DATA, NVME_LISTS + 4), 0x013);
    store_le64(ram(NVME_LISTS), NVME_DATA + 512);
    CHECK_EQ(host_io(READ, 0, 24, NVME_DATA, NVME_LISTS), 0x013);
    /* A list whose only entry is the next list, which is itself. */
    store_le64(ram(NVME_LISTS + 4088), NVME_LISTS + 4088);
    CHECK_EQ(host_io(READ, 0, 24, NVME_DATA, NVME_LISTS + 4088), 0x013);
    CHECK_EQ(host_io(READ, 0, 1, NVME_RAM, 0), 0x004);
    CHECK_EQ(host_io(READ, 0, 16, NVME_DATA, NVME_RAM), 0x004);
    CHECK_EQ(host_io(READ, 0, 24, NVME_DATA, NVME_RAM), 0x004);
    CHECK_EQ(host_io(READ, 0, 1, UINT64_MAX - 4095, 0), 0x004);
    host_finish();
}

TEST(errors_of_the_host)
{
    host_setup();
    fake_drive_fail(nvme, 0, 1, -EIO);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0x281);
    fake_drive_fail(nvme, 0, 1, -EIO);
    CHECK_EQ(host_io(WRITE, 0, 1, NVME_DATA, 0), 0x280);
    fake_drive_fail(nvme, 0, 1, -EIO);
    CHECK_EQ(host_io(FLUSH, 0, 1, 0, 0), 0x280);
    fake_drive_fail(nvme, 0, 1, -EIO);
    CHECK_EQ(host_io(WRITE_ZEROES, 0, 1, 0, 0), 0x280);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish();
}

TEST(read_only_disk)
{
    struct block_info info = host_disk;
    struct nvme_entry dsm = { .opcode = DSM, .nsid = 1, .prp1 = NVME_DATA, .dw11 = 4 };

    info.read_only = true;
    host_open(&info);
    host_msix();
    host_enable();
    host_pair_create(1);
    CHECK_EQ(host_io(WRITE, 0, 1, NVME_DATA, 0), 0x020);
    CHECK_EQ(host_io(WRITE_ZEROES, 0, 1, 0, 0), 0x020);
    CHECK_EQ(host_command(1, &dsm, NULL), 0x020);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish();
}

/* --- Queues, resets, saving ------------------------------------------------------------------- */

TEST(full_completion_queue_stops_the_submission_queue)
{
    struct nvme_entry read = host_io_entry(READ, 0, 1, NVME_DATA, 0);
    struct nvme_completion completion;
    unsigned done = 0;

    host_setup();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < NVME_ENTRIES - 1; i++) {
            host_add(1, &read);
        }
        host_ring(1);
        fake_run(fake);
    }
    /* Seven entries are there; the seven commands behind them wait in their queue. */
    for (; done < NVME_ENTRIES - 1; done++) {
        CHECK_EQ(load_le16(ram(queues[1].cq + done * 16 + 8)), 7);
    }
    CHECK_EQ(load_le16(ram(queues[1].cq + done * 16 + 14)), 0);
    for (done = 0; host_take(1, &completion); done++) {
        CHECK_EQ(completion.status, 0);
        fake_run(fake);
    }
    CHECK_EQ(done, 2 * (NVME_ENTRIES - 1));
    host_finish();
}

TEST(answers_that_come_together_interrupt_once)
{
    struct nvme_entry read = host_io_entry(READ, 0, 8, NVME_DATA, 0);
    struct nvme_completion completion;
    unsigned before;

    host_setup();
    fake_drive_hold(nvme, 0, true);
    for (unsigned i = 0; i < 4; i++) {
        host_add(1, &read);
        host_ring(1);
    }
    fake_run(fake);
    before = fake_msi_count(nvme);
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK_EQ(fake_msi_count(nvme), before + 1);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(host_take(1, &completion));
        CHECK_EQ(completion.status, 0);
    }
    CHECK(!host_take(1, &completion));
    host_finish();
}

TEST(disabling_waits_for_requests)
{
    struct nvme_entry read = host_io_entry(READ, 0, 8, NVME_DATA, 0);
    struct nvme_completion completion;

    host_setup();
    fake_drive_hold(nvme, 0, true);
    host_add(1, &read);
    host_ring(1);
    fake_run(fake);
    host_write(CC, 0);
    CHECK_EQ(host_read(CSTS), 1);
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK_EQ(host_read(CSTS), 0);
    host_enable();
    host_pair_create(1);
    CHECK(!host_take(1, &completion));
    /* Enabled again before the last one is back. */
    fake_drive_hold(nvme, 0, true);
    host_add(1, &read);
    host_ring(1);
    fake_run(fake);
    host_write(CC, 0);
    host_write(CC, CC_ENABLE);
    CHECK_EQ(host_read(CSTS), 0);
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK_EQ(host_read(CSTS), 1);
    host_finish();
}

TEST(machine_reset_with_requests_in_flight)
{
    struct nvme_entry read = host_io_entry(READ, 0, 8, NVME_DATA, 0);

    host_setup();
    fake_drive_hold(nvme, 0, true);
    host_add(1, &read);
    host_ring(1);
    fake_run(fake);
    fake_reset(fake, RESET_WARM);
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    fake_map_bar(nvme, 0, NVME_REGISTERS);
    fake_map_bar(nvme, 4, NVME_MSIX);
    CHECK_EQ(host_read(CC), 0);
    CHECK_EQ(host_read(CSTS), 0);
    host_msix();
    host_enable();
    host_pair_create(1);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish();
}

TEST(deleting_a_queue_waits_for_its_commands)
{
    struct nvme_entry read = host_io_entry(READ, 0, 8, NVME_DATA, 0);
    struct nvme_completion completion;

    host_setup();
    CHECK_EQ(host_admin(0x04, 1, 0, NULL), 0x10c); /* the completion queue is in use */
    fake_drive_hold(nvme, 0, true);
    host_add(1, &read);
    host_ring(1);
    fake_run(fake);
    CHECK_EQ(host_admin(0x00, 1, 0, NULL), PENDING);
    CHECK(fake_save_load(nvme));
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK(host_take(1, &completion));
    CHECK_EQ(completion.status, 0);
    CHECK(memcmp(ram(NVME_DATA), medium, 4096) == 0);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.status, 0);
    CHECK(!host_take(0, &completion));
    CHECK_EQ(host_admin(0x04, 1, 0, NULL), 0);
    CHECK_EQ(host_admin(0x04, 1, 0, NULL), 0x101);
    host_finish();
}

TEST(saved_in_the_middle)
{
    struct nvme_entry write = host_io_entry(WRITE, 8, 8, NVME_DATA, 0);
    struct nvme_completion completion;

    host_setup();
    CHECK(fake_save_load(nvme));
    pattern(NVME_DATA, 4096, 77);
    fake_drive_hold(nvme, 0, true);
    uint16_t first = host_add(1, &write);

    write.dw10 = 16;
    host_add(1, &write);
    host_ring(1);
    fake_run(fake);
    CHECK(fake_save_load(nvme));
    fake_drive_hold(nvme, 0, false);
    fake_run(fake);
    CHECK(host_take(1, &completion));
    CHECK_EQ(completion.cid, first);
    CHECK(host_take(1, &completion));
    CHECK_EQ(completion.cid, first + 1);
    CHECK(!host_take(1, &completion));
    CHECK(memcmp(medium + 8 * 512, ram(NVME_DATA), 4096) == 0);
    CHECK(memcmp(medium + 16 * 512, ram(NVME_DATA), 4096) == 0);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish();
}

TEST(several_queues_and_the_pin)
{
    struct nvme_completion completion;
    struct nvme_entry read = host_io_entry(READ, 0, 1, NVME_DATA, 0);

    host_open(&host_disk);
    host_enable();
    struct nvme_entry cq = {
        .opcode = 5, .prp1 = NVME_IO_CQ, .dw10 = 7 << 16 | 1, .dw11 = 1 << 16 | 3
    };

    CHECK_EQ(host_command(0, &cq, NULL), 0x108); /* without MSI-X there is one vector */
    host_add(0, &(struct nvme_entry){ .opcode = 0x0a, .dw10 = 6 });
    host_ring(0);
    CHECK(fake_irq(nvme, 0));
    host_write(INTMS, 1);
    CHECK(!fake_irq(nvme, 0));
    host_write(INTMC, 1);
    CHECK(fake_irq(nvme, 0));
    CHECK(host_take(0, &completion));
    CHECK(!fake_irq(nvme, 0));
    host_msix();
    for (unsigned q = 1; q <= NVME_PAIRS; q++) {
        host_pair_create(q);
        CHECK_EQ(host_command(q, &read, NULL), 0);
        CHECK_EQ(fake_msi_data(nvme), NVME_MSI_DATA + q);
    }
    CHECK(!fake_irq(nvme, 0));
    host_finish();
}

TEST(wrong_doorbells_are_told)
{
    struct nvme_entry request = { .opcode = 0x0c };
    struct nvme_entry log = { .opcode = 0x02, .prp1 = NVME_DATA, .dw10 = 15 << 16 | 1 };
    struct nvme_completion completion;

    host_setup();
    uint16_t first = host_add(0, &request), second = host_add(0, &request);

    host_ring(0);
    host_write(DOORBELL + 8 * 5, 1); /* no such queue */
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.cid, second);
    CHECK_EQ(completion.dw0, 0x010000);
    host_write(DOORBELL + 8, NVME_ENTRIES); /* no such entry */
    host_write(DOORBELL + 8 + 4, 3);        /* past the tail: told once */
    CHECK(!host_take(0, &completion));      /* of the same type, whose log was not read yet */
    CHECK_EQ(host_command(0, &log, NULL), 0);
    CHECK(host_take(0, &completion));
    CHECK_EQ(completion.cid, first);
    CHECK_EQ(completion.dw0, 0x010100);
    CHECK(!host_take(0, &completion));
    CHECK_EQ(fake_guest_errors(nvme), 3);
    CHECK_EQ(host_io(READ, 0, 1, NVME_DATA, 0), 0);
    host_finish_bad();
}

TEST_MAIN(T(registers), T(enabling_and_disabling), T(shutdown_flushes),
          T(impossible_configuration_is_fatal), T(queues_outside_ram_are_fatal),
          T(write_and_read_back), T(prp_lists), T(write_zeroes_compare_deallocate),
          T(wrong_commands), T(errors_of_the_host), T(read_only_disk),
          T(full_completion_queue_stops_the_submission_queue),
          T(answers_that_come_together_interrupt_once), T(disabling_waits_for_requests),
          T(machine_reset_with_requests_in_flight), T(deleting_a_queue_waits_for_its_commands),
          T(saved_in_the_middle), T(several_queues_and_the_pin), T(wrong_doorbells_are_told))
