/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: media, paths, locks, new disks. */
#include "drive_rig.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "config/config.h"

/* --- Media ------------------------------------------------------------------------------------ */

static void make_iso(const struct rig *rig, const char *name, uint32_t claimed, uint32_t sectors)
{
    uint8_t *bytes = g_malloc0((size_t)sectors * 2048);

    if (sectors > 16) {
        uint8_t *descriptor = bytes + 16 * 2048;

        descriptor[0] = 1;
        memcpy(descriptor + 1, "CD001", 5);
        store_le32(descriptor + 80, claimed);
        store_le16(descriptor + 128, 2048);
    }
    bytes[(size_t)sectors * 2048 - 1] = 0x77;
    rig_make_file(rig, name, bytes, (size_t)sectors * 2048);
    g_free(bytes);
}

TEST(a_cd_comes_and_goes)
{
    struct rig *rig = rig_new(true);
    g_autofree char *first = rig_path(rig, "1.iso"), *second = rig_path(rig, "2.iso");
    struct block_info info;
    uint8_t sector[2048];
    uint64_t generation;

    make_iso(rig, "1.iso", 100, 100);
    make_iso(rig, "2.iso", 200, 200);
    drive_info(rig->drive, &info);
    CHECK(info.optical && !info.present && info.read_only);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, sector, 2048), -ENOMEDIUM);
    CHECK(drive_open(rig->drive, NULL, first, IMAGE_RAW, false, NULL));
    CHECK_OPEN_ERROR(rig, second, true, ORIEL_ERROR_STATE, "eject it first");
    drive_info(rig->drive, &info);
    CHECK(info.present);
    CHECK_EQ(info.size, 100 * 2048);
    CHECK_EQ(info.logical_block_size, 2048);
    generation = info.generation;
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 99 * 2048, sector, 2048), 0);
    CHECK_EQ(sector[2047], 0x77);
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, 0, sector, 2048), -EROFS);
    CHECK_EQ(rig_command(rig, BLOCK_DISCARD, 0, 2048), -EROFS);
    CHECK_EQ(rig_command(rig, BLOCK_FLUSH, 0, 0), 0);
    drive_close(rig->drive);
    drive_close(rig->drive);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, sector, 2048), -ENOMEDIUM);
    CHECK(drive_open(rig->drive, NULL, second, IMAGE_RAW, true, NULL));
    drive_info(rig->drive, &info);
    CHECK_EQ(info.size, 200 * 2048);
    CHECK(info.generation != generation);
    fault_set(FAULT_READ, EIO, 0);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, sector, 2048), -EIO); /* a scratched disc: at once */
    CHECK_EQ(rig->stalls, 0);
    rig_free(rig);
}

TEST(a_truncated_iso_is_refused)
{
    struct rig *rig = rig_new(true);
    g_autofree char *cut = rig_path(rig, "cut.iso"), *tiny = rig_path(rig, "tiny.iso");
    g_autofree char *whole = rig_path(rig, "whole.iso"), *empty = rig_path(rig, "empty.iso");

    make_iso(rig, "cut.iso", 1000, 500);
    make_iso(rig, "tiny.iso", 0, 10);
    make_iso(rig, "whole.iso", 1150, 1000); /* lacks the padding only */
    rig_make_file(rig, "empty.iso", "", 0);
    CHECK_OPEN_ERROR(rig, cut, true, ORIEL_ERROR_INVALID,
                     "is cut short: it has 1024000 of 2048000");
    CHECK_OPEN_ERROR(rig, tiny, true, ORIEL_ERROR_INVALID, "is not a CD image");
    CHECK_OPEN_ERROR(rig, empty, true, ORIEL_ERROR_INVALID, "is empty");
    CHECK_OPEN_ERROR(rig, "/nonexistent.iso", true, ORIEL_ERROR_NOT_FOUND, "is not there");
    CHECK_OPEN_ERROR(rig, "/tmp", true, ORIEL_ERROR_INVALID, "neither a file nor a disk");
    CHECK(drive_open(rig->drive, NULL, whole, IMAGE_RAW, true, NULL));
    CHECK(drive_check_medium(whole, true, NULL) && !drive_check_medium(cut, true, NULL));
    rig_free(rig);
}

TEST(taking_a_disk_out_ends_what_waits)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request write = { .op = BLOCK_WRITE, .length = 512, .spans = &span, .n_spans = 1 };

    fault_set(FAULT_WRITE, ENOSPC, 0);
    drive_submit(rig->drive, &write);
    rig_wait_for(rig, &rig->stalls, 1);
    drive_pool_drain(rig->pool);
    drive_close(rig->drive);
    rig_wait_for(rig, &rig->done, 1);
    CHECK_EQ(write.status, -ENOMEDIUM);
    rig_free(rig);
}

TEST(a_path_does_not_lead_out_of_the_folder)
{
    struct rig *rig = rig_new(false);
    g_autofree char *link = rig_path(rig, "disks/link.raw");
    g_autofree char *folder_link = rig_path(rig, "disks/out");
    g_autofree char *fifo = rig_path(rig, "disks/fifo");
    uint8_t sector[512] = { 0 };

    rig_make_file(rig, "disks/a.raw", sector, 512);
    CHECK(symlink("/etc/passwd", link) == 0);
    CHECK(symlink("/etc", folder_link) == 0);
    CHECK(mkfifo(fifo, 0600) == 0);
    CHECK_OPEN_ERROR(rig, "disks/link.raw", true, ORIEL_ERROR_INVALID, "symbolic link");
    CHECK_OPEN_ERROR(rig, "disks/out/passwd", true, ORIEL_ERROR_NOT_FOUND, "passwd");
    CHECK_OPEN_ERROR(rig, "../etc/passwd", true, ORIEL_ERROR_INVALID, "symbolic link");
    CHECK_OPEN_ERROR(rig, "/etc/passwd", true, ORIEL_ERROR_INVALID, "symbolic link");
    CHECK_OPEN_ERROR(rig, "disks/fifo", true, ORIEL_ERROR_INVALID, "neither");
    CHECK_OPEN_ERROR(rig, "disks/b.raw", true, ORIEL_ERROR_NOT_FOUND, "is not there");
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, true, NULL));
    rig_free(rig);
}

/* --- Locks ------------------------------------------------------------------------------------ */

/* Another process that opens the image holds it until it is killed; its exit code if it could not.
 */
static pid_t other_process(const struct rig *rig, bool read_only, int *code)
{
    int ready[2];
    char byte = 0;
    pid_t child;

    CHECK(pipe(ready) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        g_autoptr(GError) error = NULL;
        struct drive_events events = { .done = rig_on_done, .stalled = rig_on_stalled };
        struct drive *drive =
            drive_new(drive_pool_new(&events, rig_engine()), "disk0", UUID, false);

        if (!drive_open(drive, rig->folder, "disks/a.raw", IMAGE_RAW, read_only, &error)) {
            _exit(oriel_error_exit_code(error));
        }
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
    }
    close(ready[1]);
    *code = 0;
    if (read(ready[0], &byte, 1) != 1) {
        int status;

        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
        *code = WEXITSTATUS(status);
        child = -1;
    }
    close(ready[0]);
    return child;
}

TEST(one_writer_or_many_readers)
{
    static const struct {
        bool ours, theirs, works; /* read-only? */
    } cases[] = { { false, false, false },
                  { false, true, false },
                  { true, false, false },
                  { true, true, true } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rig *rig = rig_new(false);
        g_autofree char *path = rig_path(rig, "disks/a.raw");
        int code;
        pid_t child;

        rig_make_raw(path, DISK_BYTES);
        CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, cases[i].ours, NULL));
        child = other_process(rig, cases[i].theirs, &code);
        CHECK_EQ(code, cases[i].works ? 0 : 10 + ORIEL_ERROR_LOCKED);
        if (child > 0) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
        }
        rig_free(rig);
    }
}

TEST(a_killed_process_leaves_no_lock)
{
    struct rig *rig = rig_new(false);
    g_autofree char *path = rig_path(rig, "disks/a.raw");
    int code;
    pid_t child;

    rig_make_raw(path, DISK_BYTES);
    child = other_process(rig, false, &code);
    CHECK(child > 0);
    CHECK_OPEN_ERROR(rig, "disks/a.raw", false, ORIEL_ERROR_LOCKED, "in use by another machine");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, NULL));
    rig_free(rig);
}

TEST(serial_numbers_differ)
{
    struct rig *rig = rig_new(false);
    struct drive *same = drive_new(rig->pool, "disk0", UUID, false);
    struct drive *next = drive_new(rig->pool, "disk1", UUID, false);
    struct block_info a, b, c;

    drive_info(rig->drive, &a);
    drive_info(same, &b);
    drive_info(next, &c);
    CHECK_EQ(strlen(a.serial), 18);
    CHECK_STR(a.serial, b.serial);
    CHECK(strcmp(a.serial, c.serial) != 0);
    CHECK_STR(drive_id(next), "disk1");
    rig_free(rig);
}

TEST(disks_are_made_once)
{
    struct rig *rig = rig_new(false);
    g_autofree char *path = rig_path(rig, "disks/new.qcow2");
    g_autoptr(GError) error = NULL, outside = NULL, large = NULL;
    struct block_info info;

    CHECK(drive_create_qcow2(path, 1000000, NULL));
    CHECK(drive_open(rig->drive, rig->folder, "disks/new.qcow2", IMAGE_QCOW2, false, NULL));
    drive_info(rig->drive, &info);
    CHECK_EQ(info.size, 1 << 20);
    CHECK(!drive_create_qcow2(path, 1000000, &error));
    CHECK_EQ(error->code, ORIEL_ERROR_EXISTS);
    CHECK(!drive_create_qcow2("/nonexistent/a.qcow2", 1, &outside));
    CHECK_EQ(outside->code, ORIEL_ERROR_NOT_FOUND);
    CHECK(!drive_create_qcow2("/tmp/large.qcow2", UINT64_C(1) << 60, &large));
    CHECK_EQ(large->code, ORIEL_ERROR_INVALID);
    rig_free(rig);
}

TEST_MAIN(T(a_cd_comes_and_goes), T(a_truncated_iso_is_refused),
          T(taking_a_disk_out_ends_what_waits), T(a_path_does_not_lead_out_of_the_folder),
          T(one_writer_or_many_readers), T(a_killed_process_leaves_no_lock),
          T(serial_numbers_differ), T(disks_are_made_once))
