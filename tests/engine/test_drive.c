/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: requests against memory, host errors, locks, media. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/drive.h"
#include "bytes.h"
#include "config/config.h"
#include "fault.h"

enum {
    DISK_BYTES = 4 << 20,
};

#define UUID "11111111-2222-3333-4444-555555555555"

/* --- A small machine around one pool
 * -------------------------------------------------------------- */

struct rig {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned done, stalls;
    int stall_error;
    char *stall_message;
    struct block_request *order[64]; /* the first completions, in their order */
    char *folder;
    struct drive_pool *pool;
    struct drive *drive;
};

static void on_done(void *context, struct block_request *request)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->lock);
    if (rig->done < G_N_ELEMENTS(rig->order)) {
        rig->order[rig->done] = request;
    }
    rig->done++;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void on_stalled(void *context, struct drive *drive, int error, const char *message)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->lock);
    rig->stalls++;
    rig->stall_error = error;
    g_free(rig->stall_message);
    rig->stall_message = g_strdup(message);
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void wait_for(struct rig *rig, const unsigned *counter, unsigned value)
{
    pthread_mutex_lock(&rig->lock);
    while (*counter < value) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

static char *in_folder(const struct rig *rig, const char *name)
{
    return g_build_filename(rig->folder, name, NULL);
}

static void make_file(const struct rig *rig, const char *name, const void *bytes, size_t length)
{
    g_autofree char *path = in_folder(rig, name);

    CHECK(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

static struct rig *rig_new_in(const char *parent, bool optical)
{
    struct drive_events events = { .done = on_done, .stalled = on_stalled };
    struct rig *rig = g_new0(struct rig, 1);
    g_autofree char *disks = NULL;

    fault_clear();
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    rig->folder = g_build_filename(parent, "oriel-drive-XXXXXX", NULL);
    CHECK(g_mkdtemp(rig->folder) != NULL);
    disks = in_folder(rig, "disks");
    CHECK(g_mkdir(disks, 0700) == 0);
    events.context = rig;
    rig->pool = drive_pool_new(&events);
    rig->drive = drive_new(rig->pool, optical ? "cdrom0" : "disk0", UUID, optical);
    return rig;
}

static struct rig *rig_new(bool optical)
{
    return rig_new_in(g_get_tmp_dir(), optical);
}

static struct rig *rig_with_disk(void)
{
    struct rig *rig = rig_new(false);
    g_autofree char *path = in_folder(rig, "disks/a.raw");
    g_autoptr(GError) error = NULL;

    CHECK(drive_create_raw(path, DISK_BYTES, &error));
    if (!drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    return rig;
}

static void rig_free(struct rig *rig)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", rig->folder);

    fault_clear();
    drive_pool_free(rig->pool);
    CHECK(system(command) == 0);
    pthread_mutex_destroy(&rig->lock);
    pthread_cond_destroy(&rig->changed);
    g_free(rig->folder);
    g_free(rig->stall_message);
    g_free(rig);
}

/* Submits and waits; the status. */
static int run(struct rig *rig, struct block_request *request)
{
    unsigned before = rig->done;

    drive_submit(rig->drive, request);
    wait_for(rig, &rig->done, before + 1);
    return request->status;
}

static int transfer(struct rig *rig, enum block_op op, uint64_t offset, void *bytes, size_t length)
{
    struct block_span span = { bytes, length };
    struct block_request request = {
        .op = op, .offset = offset, .length = length, .spans = &span, .n_spans = 1
    };

    return run(rig, &request);
}

static int command(struct rig *rig, enum block_op op, uint64_t offset, uint64_t length)
{
    struct block_request request = { .op = op, .offset = offset, .length = length };

    return run(rig, &request);
}

#define CHECK_OPEN_ERROR(rig, path, read_only, code_, part)                                        \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        CHECK(!drive_open((rig)->drive, (rig)->folder, path, IMAGE_RAW, read_only, &error));       \
        if (error->code != (int)(code_) || strstr(error->message, part) == NULL) {                 \
            test_fail(__FILE__, __LINE__, "code %d: %s", error->code, error->message);             \
        }                                                                                          \
    } while (0)

/* --- Data ---------------------------------------------------------------------------------------
 */

/* Random operations with random spans on the drive and on plain memory, which must stay equal. */
static void lockstep(unsigned operations)
{
    struct rig *rig = rig_with_disk();
    uint8_t *model = g_malloc0(DISK_BYTES), *buffer = g_malloc(DISK_BYTES);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < operations; i++) {
        struct block_span spans[40];
        uint64_t sectors = (uint64_t)g_rand_int_range(random, 1, 300);
        uint64_t offset = (uint64_t)g_rand_int_range(random, 0, DISK_BYTES / 512 - 300) * 512;
        struct block_request request = {
            .op = (enum block_op)g_rand_int_range(random, BLOCK_READ, BLOCK_WRITE_ZEROES + 1),
            .offset = offset,
            .length = sectors * 512,
            .spans = spans,
            .fua = g_rand_int_range(random, 0, 8) == 0,
        };
        size_t at = 0;

        while (at < request.length) {
            size_t part = (size_t)g_rand_int_range(random, 0, 20000);

            part = request.n_spans == 39 ? request.length - at : MIN(part, request.length - at);
            spans[request.n_spans++] = (struct block_span){ buffer + at, part };
            at += part;
        }
        if (request.op == BLOCK_WRITE) {
            for (size_t j = 0; j < request.length; j++) {
                buffer[j] = (uint8_t)g_rand_int(random);
            }
            memcpy(model + offset, buffer, request.length);
        } else if (request.op == BLOCK_DISCARD || request.op == BLOCK_WRITE_ZEROES) {
            request.n_spans = 0;
            memset(model + offset, 0, request.length);
        } else if (request.op == BLOCK_FLUSH) {
            request.offset = request.length = request.n_spans = 0;
        } else {
            memset(buffer, 0xaa, request.length);
        }
        CHECK_EQ(run(rig, &request), 0);
        if (request.op == BLOCK_READ) {
            CHECK(memcmp(buffer, model + offset, request.length) == 0);
        }
    }
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, buffer, DISK_BYTES), 0);
    CHECK(memcmp(buffer, model, DISK_BYTES) == 0);
    g_free(model);
    g_free(buffer);
    rig_free(rig);
}

TEST(random_operations_equal_memory)
{
    lockstep(600);
}

TEST(short_and_interrupted_transfers_are_completed)
{
    struct rig *rig = rig_with_disk();
    uint8_t out[8192], in[8192];

    fault_short(100);
    fault_interrupt(true);
    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7);
    }
    CHECK_EQ(transfer(rig, BLOCK_WRITE, 512, out, sizeof(out)), 0);
    CHECK_EQ(transfer(rig, BLOCK_READ, 512, in, sizeof(in)), 0);
    CHECK(memcmp(out, in, sizeof(in)) == 0);
    CHECK(fault_count(FAULT_WRITE) > 80 && fault_count(FAULT_READ) > 80);
    CHECK_EQ(command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK_EQ(command(rig, BLOCK_DISCARD, 0, 4096), 0);
    rig_free(rig);
}

TEST(many_requests_at_once_all_end_once)
{
    enum { N = 256 };
    struct rig *rig = rig_with_disk();
    struct block_request *requests = g_new0(struct block_request, N);
    struct block_span *spans = g_new0(struct block_span, N);
    uint8_t *bytes = g_malloc(N * 4096), *back = g_malloc(N * 4096);

    for (unsigned round = 0; round < 8; round++) {
        rig->done = 0;
        for (unsigned i = 0; i < N; i++) {
            memset(bytes + i * 4096, (int)(i + round), 4096);
            spans[i] = (struct block_span){ bytes + i * 4096, 4096 };
            requests[i] = (struct block_request){ .op = BLOCK_WRITE,
                                                  .offset = i * 4096,
                                                  .length = 4096,
                                                  .spans = &spans[i],
                                                  .n_spans = 1 };
            drive_submit(rig->drive, &requests[i]);
        }
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, N);
        for (unsigned i = 0; i < N; i++) {
            CHECK_EQ(requests[i].status, 0);
        }
        CHECK_EQ(transfer(rig, BLOCK_READ, 0, back, N * 4096), 0);
        CHECK(memcmp(bytes, back, N * 4096) == 0);
    }
    g_free(requests);
    g_free(spans);
    g_free(bytes);
    g_free(back);
    rig_free(rig);
}

TEST(a_ragged_end_reads_as_zeroes_and_grows)
{
    struct rig *rig = rig_new(false);
    struct block_info info;
    uint8_t sector[1024];

    memset(sector, 0x55, sizeof(sector));
    make_file(rig, "disks/a.raw", sector, 700);
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, NULL));
    drive_info(rig->drive, &info);
    CHECK_EQ(info.size, 1024);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, sector, 1024), 0);
    CHECK_EQ(sector[699], 0x55);
    CHECK_EQ(sector[700], 0);
    CHECK_EQ(sector[1023], 0);
    sector[1023] = 9;
    CHECK_EQ(transfer(rig, BLOCK_WRITE, 512, sector + 512, 512), 0);
    memset(sector, 1, sizeof(sector));
    CHECK_EQ(transfer(rig, BLOCK_READ, 512, sector, 512), 0);
    CHECK_EQ(sector[511], 9);
    rig_free(rig);
}

TEST(what_lies_outside_is_refused)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request wrong = {
        .op = BLOCK_WRITE, .length = 1024, .spans = &span, .n_spans = 1
    };

    CHECK_EQ(transfer(rig, BLOCK_READ, DISK_BYTES, sector, 512), -EINVAL);
    CHECK_EQ(transfer(rig, BLOCK_WRITE, DISK_BYTES, sector, 512), -EINVAL);
    CHECK_EQ(transfer(rig, BLOCK_WRITE, UINT64_MAX - 511, sector, 512), -EINVAL);
    CHECK_EQ(command(rig, BLOCK_DISCARD, 512, DISK_BYTES), -EINVAL);
    CHECK_EQ(command(rig, BLOCK_WRITE_ZEROES, UINT64_MAX, UINT64_MAX), -EINVAL);
    CHECK_EQ(run(rig, &wrong), -EINVAL);
    CHECK_EQ(rig->stalls, 0);
    rig_free(rig);
}

TEST(zeroes_without_help_from_the_file_system)
{
    struct rig *rig = rig_with_disk();
    uint8_t *bytes = g_malloc(3 << 20);
    bool clean = true;

    memset(bytes, 0xff, 3 << 20);
    CHECK_EQ(transfer(rig, BLOCK_WRITE, 0, bytes, 3 << 20), 0);
    fault_set(FAULT_ALLOCATE, EOPNOTSUPP, 0);
    CHECK_EQ(command(rig, BLOCK_WRITE_ZEROES, 512, 1500 * 1024), 0);
    CHECK_EQ(command(rig, BLOCK_DISCARD, 2 << 20, 4096), 0);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, bytes, 3 << 20), 0);
    CHECK_EQ(bytes[511], 0xff);
    for (size_t i = 512; i < 512 + 1500 * 1024; i++) {
        clean = clean && bytes[i] == 0;
    }
    CHECK(clean);
    CHECK_EQ(bytes[512 + 1500 * 1024], 0xff);
    CHECK_EQ(bytes[2 << 20], 0);
    CHECK_EQ(bytes[(2 << 20) + 4096], 0xff);
    g_free(bytes);
    rig_free(rig);
}

TEST(discard_gives_space_back)
{
    struct rig *rig = rig_with_disk();
    g_autofree char *path = in_folder(rig, "disks/a.raw");
    uint8_t *bytes = g_malloc(1 << 20);
    struct block_info info;
    GStatBuf full, empty;

    memset(bytes, 1, 1 << 20);
    drive_info(rig->drive, &info);
    CHECK_EQ(transfer(rig, BLOCK_WRITE, 0, bytes, 1 << 20), 0);
    CHECK_EQ(command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK(g_stat(path, &full) == 0);
    CHECK_EQ(command(rig, BLOCK_DISCARD, 0, 1 << 20), 0);
    CHECK_EQ(command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK(g_stat(path, &empty) == 0);
    CHECK(!info.discard || empty.st_blocks < full.st_blocks);
    CHECK_EQ(empty.st_size, DISK_BYTES);
    g_free(bytes);
    rig_free(rig);
}

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
    wait_for(rig, &rig->stalls, 1);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->stalls, 1);
    CHECK_EQ(rig->done, 0);
    CHECK_EQ(rig->stall_error, ENOSPC);
    CHECK(strstr(rig->stall_message, "no space left for “disk0”") != NULL);
    CHECK(drive_pool_stalled(rig->pool));
    drive_figures(rig->drive, &figures);
    CHECK_EQ(figures.parked, 3);

    drive_pool_retry(rig->pool); /* still full: parked again, as often as it takes */
    wait_for(rig, &rig->stalls, 2);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->stalls, 3);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->done, 0);

    fault_clear();
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->done, 3);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->stalls, 3);
    CHECK(!drive_pool_stalled(rig->pool));
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(requests[i].status, 0);
        CHECK_EQ(transfer(rig, BLOCK_READ, i * 512, sector[i], 512), 0);
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
        wait_for(rig, &rig->stalls, 1);
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, 0);
        CHECK(strstr(rig->stall_message, "Resume the machine to try again") != NULL);
        drive_pool_retry(rig->pool);
        wait_for(rig, &rig->done, 1);
        CHECK_EQ(request.status, -EIO);
        CHECK_EQ(rig->stalls, 1);
        fault_clear();
        CHECK_EQ(run(rig, &request), 0);
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
    wait_for(rig, &rig->stalls, 1);
    CHECK(strstr(rig->stall_message, "may be lost") != NULL);
    fault_clear(); /* the kernel would now say yes */
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->done, 1);
    CHECK_EQ(flush.status, -EIO);
    drive_submit(rig->drive, &flush);
    wait_for(rig, &rig->stalls, 2);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->done, 2);
    CHECK_EQ(flush.status, -EIO);
    CHECK_EQ(fault_count(FAULT_SYNC), 0);
    drive_submit(rig->drive, &fua);
    wait_for(rig, &rig->stalls, 3);
    drive_pool_drain(rig->pool);
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->done, 3);
    CHECK_EQ(fua.status, -EIO);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, sector, 512), 0);
    rig_free(rig);
}

TEST(flush_and_fua_reach_the_disk)
{
    struct rig *rig = rig_with_disk();
    uint8_t sector[512] = { 0 };
    struct block_span span = { sector, 512 };
    struct block_request write = { .op = BLOCK_WRITE, .length = 512, .spans = &span, .n_spans = 1 };

    CHECK_EQ(run(rig, &write), 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 0);
    write.fua = true;
    CHECK_EQ(run(rig, &write), 0);
    CHECK_EQ(fault_count(FAULT_SYNC), 1);
    CHECK_EQ(command(rig, BLOCK_FLUSH, 0, 0), 0);
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
    wait_for(rig, &rig->stalls, 1);
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
    filler = in_folder(rig, "filler");
    image = in_folder(rig, "disks/a.raw");
    CHECK(g_file_set_contents(filler, (const char *)bytes, 2 << 20, NULL));
    CHECK(drive_create_raw(image, 2 << 20, &error));
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, &error));
    drive_submit(rig->drive, &write);
    wait_for(rig, &rig->stalls, 1);
    CHECK_EQ(rig->stall_error, ENOSPC);
    drive_pool_drain(rig->pool);
    CHECK(g_unlink(filler) == 0);
    drive_pool_retry(rig->pool);
    wait_for(rig, &rig->done, 1);
    CHECK_EQ(write.status, 0);
    memset(bytes, 0, 2 << 20);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, bytes, 2 << 20), 0);
    CHECK_EQ(bytes[(2 << 20) - 1], 1);
    rig_free(rig);
    g_free(bytes);
    CHECK(system(umount_command) == 0 && g_rmdir(parent) == 0);
}

/* --- Media --------------------------------------------------------------------------------------
 */

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
    make_file(rig, name, bytes, (size_t)sectors * 2048);
    g_free(bytes);
}

TEST(a_cd_comes_and_goes)
{
    struct rig *rig = rig_new(true);
    g_autofree char *first = in_folder(rig, "1.iso"), *second = in_folder(rig, "2.iso");
    struct block_info info;
    uint8_t sector[2048];
    uint64_t generation;

    make_iso(rig, "1.iso", 100, 100);
    make_iso(rig, "2.iso", 200, 200);
    drive_info(rig->drive, &info);
    CHECK(info.optical && !info.present && info.read_only);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, sector, 2048), -ENOMEDIUM);
    CHECK(drive_open(rig->drive, NULL, first, IMAGE_RAW, false, NULL));
    CHECK_OPEN_ERROR(rig, second, true, ORIEL_ERROR_STATE, "eject it first");
    drive_info(rig->drive, &info);
    CHECK(info.present);
    CHECK_EQ(info.size, 100 * 2048);
    CHECK_EQ(info.logical_block_size, 2048);
    generation = info.generation;
    CHECK_EQ(transfer(rig, BLOCK_READ, 99 * 2048, sector, 2048), 0);
    CHECK_EQ(sector[2047], 0x77);
    CHECK_EQ(transfer(rig, BLOCK_WRITE, 0, sector, 2048), -EROFS);
    CHECK_EQ(command(rig, BLOCK_DISCARD, 0, 2048), -EROFS);
    CHECK_EQ(command(rig, BLOCK_FLUSH, 0, 0), 0);
    drive_close(rig->drive);
    drive_close(rig->drive);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, sector, 2048), -ENOMEDIUM);
    CHECK(drive_open(rig->drive, NULL, second, IMAGE_RAW, true, NULL));
    drive_info(rig->drive, &info);
    CHECK_EQ(info.size, 200 * 2048);
    CHECK(info.generation != generation);
    fault_set(FAULT_READ, EIO, 0);
    CHECK_EQ(transfer(rig, BLOCK_READ, 0, sector, 2048), -EIO); /* a scratched disc: at once */
    CHECK_EQ(rig->stalls, 0);
    rig_free(rig);
}

TEST(a_truncated_iso_is_refused)
{
    struct rig *rig = rig_new(true);
    g_autofree char *cut = in_folder(rig, "cut.iso"), *tiny = in_folder(rig, "tiny.iso");
    g_autofree char *whole = in_folder(rig, "whole.iso"), *empty = in_folder(rig, "empty.iso");

    make_iso(rig, "cut.iso", 1000, 500);
    make_iso(rig, "tiny.iso", 0, 10);
    make_iso(rig, "whole.iso", 1150, 1000); /* lacks the padding only */
    make_file(rig, "empty.iso", "", 0);
    CHECK_OPEN_ERROR(rig, cut, true, ORIEL_ERROR_INVALID,
                     "is cut short: it has 1024000 of 2048000");
    CHECK_OPEN_ERROR(rig, tiny, true, ORIEL_ERROR_INVALID, "is no CD image");
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
    wait_for(rig, &rig->stalls, 1);
    drive_pool_drain(rig->pool);
    drive_close(rig->drive);
    wait_for(rig, &rig->done, 1);
    CHECK_EQ(write.status, -ENOMEDIUM);
    rig_free(rig);
}

TEST(a_path_does_not_lead_out_of_the_folder)
{
    struct rig *rig = rig_new(false);
    g_autofree char *link = in_folder(rig, "disks/link.raw");
    g_autofree char *folder_link = in_folder(rig, "disks/out");
    g_autofree char *fifo = in_folder(rig, "disks/fifo");
    uint8_t sector[512] = { 0 };

    make_file(rig, "disks/a.raw", sector, 512);
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

/* --- Locks --------------------------------------------------------------------------------------
 */

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
        struct drive_events events = { .done = on_done, .stalled = on_stalled };
        struct drive *drive = drive_new(drive_pool_new(&events), "disk0", UUID, false);

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
        g_autofree char *path = in_folder(rig, "disks/a.raw");
        int code;
        pid_t child;

        CHECK(drive_create_raw(path, DISK_BYTES, NULL));
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
    g_autofree char *path = in_folder(rig, "disks/a.raw");
    int code;
    pid_t child;

    CHECK(drive_create_raw(path, DISK_BYTES, NULL));
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

TEST(raw_disks_are_made_once)
{
    struct rig *rig = rig_new(false);
    g_autofree char *path = in_folder(rig, "disks/new.raw");
    g_autoptr(GError) error = NULL, outside = NULL, large = NULL;
    GStatBuf status;

    CHECK(drive_create_raw(path, 1000000, NULL));
    CHECK(g_stat(path, &status) == 0);
    CHECK_EQ(status.st_size, 1 << 20);
    CHECK_EQ(status.st_blocks, 0);
    CHECK(!drive_create_raw(path, 1000000, &error));
    CHECK_EQ(error->code, ORIEL_ERROR_EXISTS);
    CHECK(!drive_create_raw("/nonexistent/a.raw", 1, &outside));
    CHECK_EQ(outside->code, ORIEL_ERROR_NOT_FOUND);
    CHECK(!drive_create_raw("/tmp/large.raw", UINT64_C(1) << 60, &large));
    CHECK_EQ(large->code, ORIEL_ERROR_INVALID);
    rig_free(rig);
}

TEST_MAIN(T(random_operations_equal_memory), T(short_and_interrupted_transfers_are_completed),
          T(many_requests_at_once_all_end_once), T(a_ragged_end_reads_as_zeroes_and_grows),
          T(what_lies_outside_is_refused), T(zeroes_without_help_from_the_file_system),
          T(discard_gives_space_back), T(a_full_disk_parks_until_there_is_space),
          T(a_failing_disk_parks_once_and_then_tells_the_guest),
          T(a_failed_flush_is_never_forgotten), T(flush_and_fua_reach_the_disk),
          T(stopping_with_parked_requests), T(a_real_full_file_system), T(a_cd_comes_and_goes),
          T(a_truncated_iso_is_refused), T(taking_a_disk_out_ends_what_waits),
          T(a_path_does_not_lead_out_of_the_folder), T(one_writer_or_many_readers),
          T(a_killed_process_leaves_no_lock), T(serial_numbers_differ), T(raw_disks_are_made_once))
