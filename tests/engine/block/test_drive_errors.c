/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: errors of the host. */
#include "drive_rig.h"

#include <errno.h>
#include <glib/gstdio.h>

/* --- Errors of the host -------------------------------------------------------------------------
 */

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
    CHECK(drive_create_raw(image, 2 << 20, &error));
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
          T(a_failed_flush_is_never_forgotten), T(flush_and_fua_reach_the_disk),
          T(stopping_with_parked_requests), T(a_real_full_file_system))
