/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: errors of the host. */
#include "drive_rig.h"

#include <errno.h>
#include <glib/gstdio.h>

/* --- Errors of the host ----------------------------------------------------------------------- */

TEST(a_full_disk_parks_until_there_is_space)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[3][512];
    struct block_span spans[3];
    struct block_request requests[3];
    struct drive_figures figures;

    fault_set(FAULT_WRITE, ENOSPC, 0);
    for (unsigned i = 0; i < 3; i++) {
        memset(sector[i], (int)i + 1, 512);
        spans[i] = (struct block_span){ sector[i], 512 };
        requests[i] = (struct block_request){
            .op = BLOCK_WRITE, .offset = i * 512, .length = 512, .spans = &spans[i], .n_spans = 1
        };
        drive_submit(rig->drive, &requests[i]);
    }
    rig_wait_for(rig, &rig->stalls, 1);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->stalls, 1);
    CHECK_EQ(rig->done, 0);
    CHECK_EQ(rig->stall_error, ENOSPC);
    CHECK(strstr(rig->stall_message, "no space left for “disk0”") != NULL);
    CHECK(drive_pool_stalled(rig->pool));
    drive_figures(rig->drive, &figures);
    CHECK_EQ(figures.parked, 3);

    drive_pool_retry(rig->pool); /* still full: parked again, as often as it takes */
    rig_wait_for(rig, &rig->stalls, 2);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->stalls, 3);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->done, 0);

    fault_clear();
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->done, 3);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->stalls, 3);
    CHECK(!drive_pool_stalled(rig->pool));
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(requests[i].status, 0);
        CHECK_EQ(rig_transfer(rig, BLOCK_READ, i * 512, sector[i], 512), 0);
        CHECK_EQ(sector[i][511], i + 1);
    }
    rig_free(rig);
}

TEST(a_failing_disk_parks_once_and_then_tells_the_guest)
{
    static const enum fault_call calls[] = { FAULT_READ, FAULT_WRITE };
    static const enum block_op ops[] = { BLOCK_READ, BLOCK_WRITE };

    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_with_disk();
        uint8_t sector[512] = { 0 };
        struct block_span span = { sector, 512 };
        struct block_request request = {
            .op = ops[i], .length = 512, .spans = &span, .n_spans = 1
        };

        fault_set(calls[i], ENXIO, 0);
        drive_submit(rig->drive, &request);
        rig_wait_for(rig, &rig->stalls, 1);
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, 0);
        CHECK(strstr(rig->stall_message, "Resume the machine to try again") != NULL);
        drive_pool_retry(rig->pool);
        rig_wait_for(rig, &rig->done, 1);
        CHECK_EQ(request.status, -EIO);
        CHECK_EQ(rig->stalls, 1);
        fault_clear();
        CHECK_EQ(rig_run(rig, &request), 0);
        rig_free(rig);
    }
}

enum {
    PAGES = 48,
};

struct pages {
    struct block_request requests[PAGES];
    struct block_span spans[PAGES];
    uint8_t *bytes;
};

/* Whole pages in one batch: with direct I/O they go through the ring. */
static void pages_submit(struct rig *rig, struct pages *pages, enum block_op op)
{
    struct block_request *batch[PAGES];

    for (unsigned i = 0; i < PAGES; i++) {
        pages->spans[i] = (struct block_span){ pages->bytes + (size_t)i * 4096, 4096 };
        pages->requests[i] = (struct block_request){ .op = op,
                                                     .offset = (uint64_t)i * 4096,
                                                     .length = 4096,
                                                     .spans = &pages->spans[i],
                                                     .n_spans = 1 };
        batch[i] = &pages->requests[i];
    }
    drive_submit_batch(rig->drive, batch, PAGES);
    drive_pool_drain(rig->pool);
}

static struct rig *pages_rig(struct pages *pages)
{
    struct rig *rig = rig_with_disk();

    pages->bytes = g_aligned_alloc(1, PAGES * 4096, 4096);
    memset(pages->bytes, 0x11, PAGES * 4096);
    pages_submit(rig, pages, BLOCK_WRITE); /* there is a ring now, if there can be one */
    CHECK_EQ(rig->done, PAGES);
    fault_clear();
    return rig;
}

static void pages_end(struct rig *rig, struct pages *pages)
{
    CHECK(!rig_uses_ring_always(rig) || fault_count(FAULT_RING) >= PAGES);
    rig_free(rig);
    g_aligned_free(pages->bytes);
}

TEST(a_batch_on_a_full_disk_parks_and_goes_on)
{
    struct pages pages;
    struct rig *rig = pages_rig(&pages);
    struct drive_figures figures;

    memset(pages.bytes, 0x22, PAGES * 4096);
    fault_set(FAULT_WRITE, ENOSPC, 20); /* some fit */
    pages_submit(rig, &pages, BLOCK_WRITE);
    drive_figures(rig->drive, &figures);
    CHECK(figures.parked > 0);
    CHECK_EQ(figures.parked + rig->done, 2 * PAGES);
    CHECK_EQ(rig->stall_error, ENOSPC);
    drive_pool_retry(rig->pool);
    drive_pool_drain(rig->pool);
    CHECK(drive_pool_stalled(rig->pool)); /* still full */
    fault_set(FAULT_WRITE, 0, 0);
    drive_pool_retry(rig->pool);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->done, 2 * PAGES);
    CHECK(!drive_pool_stalled(rig->pool));
    memset(pages.bytes, 0, PAGES * 4096);
    pages_submit(rig, &pages, BLOCK_READ);
    for (size_t i = 0; i < PAGES * 4096; i++) {
        CHECK(pages.bytes[i] == 0x22);
    }
    pages_end(rig, &pages);
}

TEST(a_batch_on_a_failing_disk_parks_once_and_ends)
{
    static const enum fault_call calls[] = { FAULT_READ, FAULT_WRITE };
    static const enum block_op ops[] = { BLOCK_READ, BLOCK_WRITE };

    for (size_t i = 0; i < 2; i++) {
        struct pages pages;
        struct rig *rig = pages_rig(&pages);
        struct drive_figures figures;

        fault_set(calls[i], EIO, 0);
        pages_submit(rig, &pages, ops[i]);
        drive_figures(rig->drive, &figures);
        CHECK_EQ(figures.parked, PAGES);
        CHECK_EQ(rig->stalls, 1);
        CHECK_EQ(rig->stall_error, EIO);
        drive_pool_retry(rig->pool);
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, 2 * PAGES);
        for (unsigned j = 0; j < PAGES; j++) {
            CHECK_EQ(pages.requests[j].status, -EIO);
        }
        fault_set(calls[i], 0, 0);
        pages_submit(rig, &pages, ops[i]);
        CHECK_EQ(pages.requests[PAGES - 1].status, 0);
        pages_end(rig, &pages);
    }
}

TEST(stopping_with_a_parked_batch)
{
    struct pages pages;
    struct rig *rig = pages_rig(&pages);

    fault_set(FAULT_WRITE, EIO, 0);
    pages_submit(rig, &pages, BLOCK_WRITE);
    CHECK_EQ(rig->stalls, 1);
    fault_set(FAULT_WRITE, 0, 0);
    drive_pool_stop(rig->pool);
    CHECK_EQ(rig->done, PAGES); /* nothing more was told */
    CHECK(!rig_direct(rig->folder) || fault_count(FAULT_SYNC) > 0);
    rig_free(rig);
    g_aligned_free(pages.bytes);
}

TEST(short_reads_of_a_batch_are_completed)
{
    struct pages pages;
    struct rig *rig = pages_rig(&pages);

    fault_short(512);
    memset(pages.bytes, 0, PAGES * 4096);
    pages_submit(rig, &pages, BLOCK_READ);
    for (size_t i = 0; i < PAGES * 4096; i++) {
        CHECK(pages.bytes[i] == 0x11);
    }
    CHECK_EQ(rig->stalls, 0);
    pages_end(rig, &pages);
}

TEST(a_failed_flush_is_never_forgotten)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request flush = { .op = BLOCK_FLUSH };
    struct block_request fua = {
        .op = BLOCK_WRITE, .fua = true, .length = 512, .spans = &span, .n_spans = 1
    };

    fault_set(FAULT_SYNC, EIO, 0);
    drive_submit(rig->drive, &flush);
    rig_wait_for(rig, &rig->stalls, 1);
    CHECK(strstr(rig->stall_message, "may be lost") != NULL);
    fault_clear(); /* the kernel would now say yes */
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->done, 1);
    CHECK_EQ(flush.status, -EIO);
    drive_submit(rig->drive, &flush);
    rig_wait_for(rig, &rig->stalls, 2);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->done, 2);
    CHECK_EQ(flush.status, -EIO);
    CHECK_EQ(fault_count(FAULT_SYNC), 0);
    drive_submit(rig->drive, &fua);
    rig_wait_for(rig, &rig->stalls, 3);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->done, 3);
    CHECK_EQ(fua.status, -EIO);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, sector, 512), 0);
    rig_free(rig);
}

TEST(flush_and_fua_reach_the_disk)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request write = { .op = BLOCK_WRITE, .length = 512, .spans = &span, .n_spans = 1 };

    CHECK_EQ(rig_run(rig, &write), 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 0);
    write.fua = true;
    CHECK_EQ(rig_run(rig, &write), 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 1);
    CHECK_EQ(rig_command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 2);
    rig_free(rig);
}

TEST(stopping_with_parked_requests)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request write = { .op = BLOCK_WRITE, .length = 512, .spans = &span, .n_spans = 1 };

    fault_set(FAULT_WRITE, ENOSPC, 0);
    drive_submit(rig->drive, &write);
    rig_wait_for(rig, &rig->stalls, 1);
    fault_clear();
    drive_pool_stop(rig->pool);
    CHECK_EQ(rig->done, 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 1);
    rig_free(rig);
}

/* A real full file system where we may mount one; the file size limit otherwise gives the same
 * answer. */
TEST(a_real_full_file_system)
{
    char parent[] = "/tmp/oriel-full-XXXXXX";
    g_autofree char *mount_command = NULL, *umount_command = NULL, *filler = NULL;
    g_autofree char *image = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t *bytes = g_malloc(2 << 20);
    struct block_span span = { bytes, 2 << 20 };
    struct block_request write = {
        .op = BLOCK_WRITE, .length = 2 << 20, .spans = &span, .n_spans = 1
    };
    struct rig *rig;

    memset(bytes, 1, 2 << 20);
    CHECK(g_mkdtemp(parent) != NULL);
    mount_command = g_strdup_printf("mount -t tmpfs -o size=3m oriel-test %s 2>/dev/null", parent);
    umount_command = g_strdup_printf("umount %s", parent);
    if (system(mount_command) != 0) {
        printf("# no right to mount a tmpfs: left out\n");
        g_rmdir(parent);
        g_free(bytes);
        return;
    }
    rig = rig_new_in(parent, false);
    filler = rig_path(rig, "filler");
    image = rig_path(rig, "disks/a.raw");
    CHECK(g_file_set_contents(filler, (const char *)bytes, 2 << 20, NULL));
    rig_make_raw(image, 2 << 20);
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, &error));
    drive_submit(rig->drive, &write);
    rig_wait_for(rig, &rig->stalls, 1);
    CHECK_EQ(rig->stall_error, ENOSPC);
    drive_pool_drain(rig->pool);
    CHECK(g_unlink(filler) == 0);
    drive_pool_retry(rig->pool);
    rig_wait_for(rig, &rig->done, 1);
    CHECK_EQ(write.status, 0);
    memset(bytes, 0, 2 << 20);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, bytes, 2 << 20), 0);
    CHECK_EQ(bytes[(2 << 20) - 1], 1);
    rig_free(rig);
    g_free(bytes);
    CHECK(system(umount_command) == 0 && g_rmdir(parent) == 0);
}

TEST_MAIN(T(a_full_disk_parks_until_there_is_space),
          T(a_failing_disk_parks_once_and_then_tells_the_guest),
          T(a_batch_on_a_full_disk_parks_and_goes_on),
          T(a_batch_on_a_failing_disk_parks_once_and_ends), T(stopping_with_a_parked_batch),
          T(short_reads_of_a_batch_are_completed), T(a_failed_flush_is_never_forgotten),
          T(flush_and_fua_reach_the_disk), T(stopping_with_parked_requests),
          T(a_real_full_file_system))
