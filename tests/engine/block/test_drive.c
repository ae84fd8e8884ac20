/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/block: requests against memory. */
#include "drive_rig.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- Data ------------------------------------------------------------------------------------- */

/* Random operations with random spans on the drive and on plain memory, which must stay equal. With
 * `unit` 4096 everything is aligned as direct I/O wants it. */
static void lockstep(enum image_format format, uint64_t unit, unsigned operations)
{
    struct rig *rig = rig_with_image(format);
    uint8_t *model = g_malloc0(DISK_BYTES), *buffer = g_aligned_alloc(1, DISK_BYTES, 4096);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    int most = (int)(150 * 1024 / unit);

    for (unsigned i = 0; i < operations; i++) {
        struct block_span spans[40];
        uint64_t units = (uint64_t)g_rand_int_range(random, 1, most);
        uint64_t offset =
            (uint64_t)g_rand_int_range(random, 0, (int)(DISK_BYTES / unit) - most) * unit;
        struct block_request request = {
            .op = (enum block_op)g_rand_int_range(random, BLOCK_READ, BLOCK_WRITE_ZEROES + 1),
            .offset = offset,
            .length = units * unit,
            .spans = spans,
            .fua = g_rand_int_range(random, 0, 8) == 0,
        };
        size_t at = 0;

        while (at < request.length) {
            size_t part = (size_t)g_rand_int_range(random, 0, 20000);

            part = unit == 512 ? part : part / 512 * 512;
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
        CHECK_EQ(rig_run(rig, &request), 0);
        if (request.op == BLOCK_READ) {
            CHECK(memcmp(buffer, model + offset, request.length) == 0);
        }
    }
    CHECK(unit == 512 || !rig_uses_ring_always(rig) || fault_count(FAULT_RING) > 0);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, buffer, DISK_BYTES), 0);
    CHECK(memcmp(buffer, model, DISK_BYTES) == 0);
    g_free(model);
    g_aligned_free(buffer);
    rig_free(rig);
}

TEST(random_operations_equal_memory)
{
    lockstep(IMAGE_RAW, 512, 400);
    lockstep(IMAGE_RAW, 4096, 400);
}

TEST(random_operations_equal_memory_on_qcow2)
{
    lockstep(IMAGE_QCOW2, 512, 400);
    lockstep(IMAGE_QCOW2, 4096, 400);
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
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, 512, out, sizeof(out)), 0);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 512, in, sizeof(in)), 0);
    CHECK(memcmp(out, in, sizeof(in)) == 0);
    CHECK(fault_count(FAULT_WRITE) > 80 && fault_count(FAULT_READ) > 80);
    CHECK_EQ(rig_command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK_EQ(rig_command(rig, BLOCK_DISCARD, 0, 4096), 0);
    rig_free(rig);
}

enum {
    MANY = 256,
};

struct many {
    struct block_request requests[MANY];
    struct block_span spans[MANY];
    uint8_t *bytes; /* a page for each */
};

static void many_submit(struct rig *rig, struct many *many, enum block_op op)
{
    for (unsigned i = 0; i < MANY; i++) {
        many->spans[i] = (struct block_span){ many->bytes + (size_t)i * 4096, 4096 };
        many->requests[i] = (struct block_request){ .op = op,
                                                    .offset = (uint64_t)i * 4096,
                                                    .length = 4096,
                                                    .spans = &many->spans[i],
                                                    .n_spans = 1 };
        drive_submit(rig->drive, &many->requests[i]);
    }
}

/* Flushes and discards of another part of the disk go on meanwhile. */
static void many_at_once(enum image_format format)
{
    struct rig *rig = rig_with_image(format);
    struct many *many = g_new0(struct many, 1);
    uint8_t *back = g_aligned_alloc(1, MANY * 4096, 4096);

    many->bytes = g_aligned_alloc(1, MANY * 4096, 4096);
    for (unsigned round = 0; round < 8; round++) {
        struct block_request flush = { .op = BLOCK_FLUSH };
        struct block_request discard = { .op = BLOCK_DISCARD,
                                         .offset = DISK_BYTES / 2,
                                         .length = DISK_BYTES / 2 };
        bool good = true;

        rig->done = 0;
        for (unsigned i = 0; i < MANY; i++) {
            memset(many->bytes + (size_t)i * 4096, (int)(i + round), 4096);
        }
        many_submit(rig, many, BLOCK_WRITE);
        drive_submit(rig->drive, &discard);
        drive_submit(rig->drive, &flush);
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, MANY + 2);
        for (unsigned i = 0; i < MANY; i++) {
            CHECK_EQ(many->requests[i].status, 0);
        }
        rig->done = 0;
        memset(many->bytes, 0xee, MANY * 4096);
        many_submit(rig, many, BLOCK_READ);
        drive_pool_drain(rig->pool);
        CHECK_EQ(rig->done, MANY);
        CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, back, MANY * 4096), 0);
        for (size_t i = 0; i < MANY * 4096; i++) {
            good = good && back[i] == (uint8_t)(i / 4096 + round) && many->bytes[i] == back[i];
        }
        CHECK(good);
    }
    CHECK(!rig_uses_ring_always(rig) || fault_count(FAULT_RING) > MANY);
    g_aligned_free(many->bytes);
    g_aligned_free(back);
    g_free(many);
    rig_free(rig);
}

TEST(many_requests_at_once_all_end_once)
{
    many_at_once(IMAGE_RAW);
    many_at_once(IMAGE_QCOW2);
}

/* With direct I/O through the ring: what it could not do is done by a thread. */
TEST(what_the_ring_refuses_is_done_all_the_same)
{
    struct rig *rig = rig_with_disk();
    struct many *many = g_new0(struct many, 1);
    bool good = true;

    many->bytes = g_aligned_alloc(1, MANY * 4096, 4096);
    memset(many->bytes, 0x31, MANY * 4096);
    fault_interrupt(true);
    many_submit(rig, many, BLOCK_WRITE);
    drive_pool_drain(rig->pool);
    fault_short(1000);
    memset(many->bytes, 0, MANY * 4096);
    many_submit(rig, many, BLOCK_READ);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig->done, 2 * MANY);
    for (size_t i = 0; i < MANY * 4096; i++) {
        good = good && many->bytes[i] == 0x31;
    }
    CHECK(good);
    CHECK_EQ(rig->stalls, 0);
    g_aligned_free(many->bytes);
    g_free(many);
    rig_free(rig);
}

struct bell {
    struct rig *rig;
    struct many *many;
    int fd;
    enum block_op op;
    unsigned n; /* requests */
    pthread_t thread;
    unsigned rung; /* under the rig's lock */
    bool hold;
};

enum {
    BELL_MAX = 32,
};

/* Submits the first of `many` in one batch. */
static bool bell_ready(void *context)
{
    struct bell *bell = context;
    struct block_request *requests[BELL_MAX];
    uint64_t count;

    CHECK(read(bell->fd, &count, sizeof(count)) == sizeof(count));
    for (unsigned i = 0; i < bell->n; i++) {
        requests[i] = &bell->many->requests[i];
        requests[i]->op = bell->op;
    }
    drive_submit_batch(bell->rig->drive, requests, bell->n);
    pthread_mutex_lock(&bell->rig->lock);
    bell->thread = pthread_self();
    bell->rung++;
    pthread_mutex_unlock(&bell->rig->lock);
    return !bell->hold;
}

static void bell_ring(struct bell *bell)
{
    const uint64_t one = 1;

    CHECK(write(bell->fd, &one, sizeof(one)) == sizeof(one));
}

/* The rig has a ring now, if it can have one. */
static void bell_hang(struct bell *bell)
{
    struct rig *rig = bell->rig;
    struct many *many = bell->many;

    drive_pool_listen(rig->pool, bell->fd, bell_ready, bell);
    drive_pool_listen_again(rig->pool); /* there is nobody yet */
    many->bytes = g_aligned_alloc(1, MANY * 4096, 4096);
    memset(many->bytes, 0x5a, MANY * 4096);
    many_submit(rig, many, BLOCK_WRITE);
    drive_pool_drain(rig->pool);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, many->bytes, 4096), 0);
}

/* Requests that are submitted on the ring's thread end there. */
TEST(what_is_heard_by_the_ring_stays_with_its_thread)
{
    struct rig *rig = rig_with_disk();
    struct many *many = g_new0(struct many, 1);
    struct bell bell = { rig, many, eventfd(0, EFD_CLOEXEC), BLOCK_READ, BELL_MAX };
    unsigned calls;

    bell_hang(&bell);
    if (!drive_pool_has_ring(rig->pool)) {
        printf("# no io_uring\n");
    } else {
        memset(many->bytes, 0, MANY * 4096);
        calls = rig->calls;
        bell_ring(&bell);
        rig_wait_for(rig, &rig->done, MANY + 1 + 32);
        CHECK(pthread_equal(rig->done_thread, bell.thread));
        CHECK(rig->calls > calls && rig->calls <= calls + 32);
        for (size_t i = 0; i < 32 * 4096; i++) {
            CHECK(many->bytes[i] == 0x5a);
        }
        bell.hold = true;
        bell_ring(&bell);
        rig_wait_for(rig, &rig->done, MANY + 1 + 64);
        bell_ring(&bell);
        g_usleep(20000);
        CHECK_EQ(bell.rung, 2);
        drive_pool_listen_again(rig->pool);
        rig_wait_for(rig, &rig->done, MANY + 1 + 96);
        CHECK_EQ(bell.rung, 3);
    }
    rig_free(rig);
    close(bell.fd);
    g_aligned_free(many->bytes);
    g_free(many);
}

static uint64_t clock_value, clock_step; /* atomic */

static uint64_t step_clock(void)
{
    return __atomic_add_fetch(&clock_value, __atomic_load_n(&clock_step, __ATOMIC_RELAXED),
                              __ATOMIC_RELAXED);
}

static bool lone_write_stays(struct bell *bell, unsigned char byte)
{
    struct rig *rig = bell->rig;
    unsigned done;
    uint8_t page[4096];
    bool stays;

    drive_pool_drain(rig->pool); /* nothing else is under way */
    done = rig->done;
    memset(bell->many->bytes, byte, 4096);
    bell_ring(bell);
    rig_wait_for(rig, &rig->done, done + 1);
    drive_pool_drain(rig->pool);
    stays = pthread_equal(rig->done_thread, bell->thread);
    CHECK_EQ(bell->many->requests[0].status, 0);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, page, sizeof(page)), 0);
    CHECK(page[0] == byte && page[4095] == byte);
    return stays;
}

/* A lone small write is done where it was heard, but not after one that was slow; and an error is
 * one of the threads'. */
TEST(a_lone_write_stays_while_writes_are_quick)
{
    struct rig *rig = rig_with_disk();
    struct many *many = g_new0(struct many, 1);
    struct bell bell = { rig, many, eventfd(0, EFD_CLOEXEC), BLOCK_WRITE, 1 };

    drive_pool_set_clock(rig->pool, step_clock);
    bell_hang(&bell);
    if (!drive_pool_has_ring(rig->pool)) {
        printf("# no io_uring\n");
    } else {
        CHECK(lone_write_stays(&bell, 1));
        clock_step = 4000000; /* nanoseconds */
        CHECK(lone_write_stays(&bell, 2));
        CHECK(lone_write_stays(&bell, 3) == rig_direct(rig->folder));
        clock_step = 0;
        __atomic_add_fetch(&clock_value, 2000000000u, __ATOMIC_RELAXED);
        CHECK(lone_write_stays(&bell, 4));
        fault_set(FAULT_WRITE, ENOSPC, 0);
        bell_ring(&bell);
        rig_wait_for(rig, &rig->stalls, 1);
        CHECK_EQ(rig->stall_error, ENOSPC);
        drive_pool_drain(rig->pool);
        fault_clear();
        drive_pool_retry(rig->pool);
        drive_pool_drain(rig->pool);
        CHECK(lone_write_stays(&bell, 5));
    }
    rig_free(rig);
    close(bell.fd);
    g_aligned_free(many->bytes);
    g_free(many);
}

TEST(a_ragged_end_reads_as_zeroes_and_grows)
{
    struct rig *rig = rig_new(false);
    struct block_info info;
    uint8_t sector[1024];

    memset(sector, 0x55, sizeof(sector));
    rig_make_file(rig, "disks/a.raw", sector, 700);
    CHECK(drive_open(rig->drive, rig->folder, "disks/a.raw", IMAGE_RAW, false, NULL));
    drive_info(rig->drive, &info);
    CHECK_EQ(info.size, 1024);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, sector, 1024), 0);
    CHECK_EQ(sector[699], 0x55);
    CHECK_EQ(sector[700], 0);
    CHECK_EQ(sector[1023], 0);
    sector[1023] = 9;
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, 512, sector + 512, 512), 0);
    memset(sector, 1, sizeof(sector));
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 512, sector, 512), 0);
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

    CHECK_EQ(rig_transfer(rig, BLOCK_READ, DISK_BYTES, sector, 512), -EINVAL);
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, DISK_BYTES, sector, 512), -EINVAL);
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, UINT64_MAX - 511, sector, 512), -EINVAL);
    CHECK_EQ(rig_command(rig, BLOCK_DISCARD, 512, DISK_BYTES), -EINVAL);
    CHECK_EQ(rig_command(rig, BLOCK_WRITE_ZEROES, UINT64_MAX, UINT64_MAX), -EINVAL);
    CHECK_EQ(rig_run(rig, &wrong), -EINVAL);
    CHECK_EQ(rig->stalls, 0);
    rig_free(rig);
}

TEST(zeroes_without_help_from_the_file_system)
{
    struct rig *rig = rig_with_disk();
    uint8_t *bytes = g_malloc(3 << 20);
    bool clean = true;

    memset(bytes, 0xff, 3 << 20);
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, 0, bytes, 3 << 20), 0);
    fault_set(FAULT_ALLOCATE, EOPNOTSUPP, 0);
    CHECK_EQ(rig_command(rig, BLOCK_WRITE_ZEROES, 512, 1500 * 1024), 0);
    CHECK_EQ(rig_command(rig, BLOCK_DISCARD, 2 << 20, 4096), 0);
    CHECK_EQ(rig_transfer(rig, BLOCK_READ, 0, bytes, 3 << 20), 0);
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
    g_autofree char *path = rig_path(rig, "disks/a.raw");
    uint8_t *bytes = g_malloc(1 << 20);
    struct block_info info;
    GStatBuf full, empty;

    memset(bytes, 1, 1 << 20);
    drive_info(rig->drive, &info);
    CHECK_EQ(rig_transfer(rig, BLOCK_WRITE, 0, bytes, 1 << 20), 0);
    CHECK_EQ(rig_command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK(g_stat(path, &full) == 0);
    CHECK_EQ(rig_command(rig, BLOCK_DISCARD, 0, 1 << 20), 0);
    CHECK_EQ(rig_command(rig, BLOCK_FLUSH, 0, 0), 0);
    CHECK(g_stat(path, &empty) == 0);
    CHECK(!info.discard || empty.st_blocks < full.st_blocks);
    CHECK_EQ(empty.st_size, DISK_BYTES);
    g_free(bytes);
    rig_free(rig);
}

TEST_MAIN(T(random_operations_equal_memory), T(random_operations_equal_memory_on_qcow2),
          T(what_the_ring_refuses_is_done_all_the_same),
          T(short_and_interrupted_transfers_are_completed), T(many_requests_at_once_all_end_once),
          T(a_ragged_end_reads_as_zeroes_and_grows), T(what_lies_outside_is_refused),
          T(zeroes_without_help_from_the_file_system), T(discard_gives_space_back),
          T(what_is_heard_by_the_ring_stays_with_its_thread),
          T(a_lone_write_stays_while_writes_are_quick))
