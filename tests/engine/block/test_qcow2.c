/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qcow2 against plain memory: random operations from several threads' point of view, through
 * closing and opening, over backing images; resize, commit, snapshots' absence, host errors.
 */
#include "../test.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>

#include "block/convert/commit.h"
#include "block/formats/formats.h"
#include "block/qcow2/qcow2.h"
#include "config/config.h"
#include "power_cut.h"

enum {
    SECTOR = 512,
    DISK = 8 << 20,
};

struct rig {
    struct power_cut *cut, *base;
    struct image *image;
    uint8_t *model;
};

static void fill(uint8_t *bytes, size_t n, GRand *random)
{
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word = g_rand_int(random);

        memcpy(bytes + i, &word, MIN(4, n - i));
    }
}

/* The image's bytes as they are now, on a new disk that nothing records. */
static struct storage *copy_of(struct power_cut *cut)
{
    return power_cut_replay(cut, power_cut_moments(cut), 0);
}

static void image_attach(struct rig *rig, struct storage *storage)
{
    g_autoptr(GError) error = NULL;

    rig->image = qcow2_open(storage, NULL, &error);
    if (rig->image == NULL) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    if (rig->base != NULL) {
        image_set_backing(rig->image, image_raw_open(copy_of(rig->base), SECTOR, NULL));
    }
}

static struct rig *rig_new(const struct qcow2_options *options, size_t base)
{
    struct rig *rig = g_new0(struct rig, 1);
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    struct qcow2_options own = *options;
    struct storage *storage;
    g_autoptr(GError) error = NULL;

    rig->model = g_malloc0(DISK);
    if (base > 0) {
        fill(rig->model, base, random);
        rig->base = power_cut_new(rig->model, base);
        own.backing_name = "base";
        own.backing_format = IMAGE_RAW;
    }
    own.size = DISK;
    rig->cut = power_cut_new((const uint8_t *)"", 0);
    storage = power_cut_storage(rig->cut);
    if (!qcow2_create(storage, &own, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    image_attach(rig, storage);
    return rig;
}

static void rig_free(struct rig *rig)
{
    image_free(rig->image);
    power_cut_free(rig->cut);
    if (rig->base != NULL) {
        power_cut_free(rig->base);
    }
    g_free(rig->model);
    g_free(rig);
}

static void same(struct rig *rig)
{
    g_autofree uint8_t *bytes = g_malloc(DISK);

    CHECK_EQ(image_read(rig->image, 0, bytes, DISK), 0);
    CHECK(memcmp(bytes, rig->model, DISK) == 0);
}

static void clean(struct rig *rig)
{
    struct qcow2_report report;
    GError *error = NULL;

    if (!qcow2_check(rig->image, NULL, &report, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    if (report.corruptions > 0 || report.leaks > 0 || report.flags > 0) {
        test_fail(__FILE__, __LINE__, "%s (%" PRIu64 " leaks)", report.first, report.leaks);
    }
}

static void operate(struct rig *rig, GRand *random, unsigned operations, uint64_t limit)
{
    g_autofree uint8_t *bytes = g_malloc(1 << 20);

    for (unsigned i = 0; i < operations; i++) {
        uint64_t n = (uint64_t)g_rand_int_range(random, 1, i % 16 == 0 ? 2048 : 64) * SECTOR;
        uint64_t offset =
            (uint64_t)g_rand_int_range(random, 0, (gint32)((limit - n) / SECTOR)) * SECTOR;

        switch (g_rand_int_range(random, 0, 9)) {
        case 0:
            CHECK_EQ(image_flush(rig->image), 0);
            break;
        case 1:
        case 2:
            CHECK_EQ(image_zero(rig->image, offset, n, i & 1), 0);
            memset(rig->model + offset, 0, n);
            break;
        case 3:
            CHECK_EQ(image_read(rig->image, offset, bytes, n), 0);
            CHECK(memcmp(bytes, rig->model + offset, n) == 0);
            break;
        default:
            fill(bytes, n, random);
            CHECK_EQ(image_write(rig->image, offset, bytes, n), 0);
            memcpy(rig->model + offset, bytes, n);
            break;
        }
    }
}

/* In lockstep, closed and opened now and then. */
static void lockstep(const struct qcow2_options *options, size_t base, unsigned operations)
{
    struct rig *rig = rig_new(options, base);
    g_autoptr(GRand) random = g_rand_new_with_seed(11);

    for (unsigned i = 0; i < 4; i++) {
        struct storage *storage;
        struct power_cut *old = rig->cut;

        operate(rig, random, operations / 4, DISK);
        same(rig);
        image_free(rig->image);
        storage = copy_of(old);
        {
            g_autofree uint8_t *bytes = g_malloc(storage_size(storage));

            CHECK_EQ(storage_read(storage, 0, bytes, storage_size(storage)), 0);
            rig->cut = power_cut_new(bytes, storage_size(storage));
        }
        storage_free(storage);
        power_cut_free(old);
        image_attach(rig, power_cut_storage(rig->cut));
        same(rig);
        clean(rig);
    }
    rig_free(rig);
}

TEST(random_operations_equal_memory)
{
    static const uint32_t sizes[] = { 512, 4096, 65536, 2 << 20 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        lockstep(&(struct qcow2_options){ .cluster_size = sizes[i] }, 0, 200);
    }
}

TEST(random_operations_over_a_backing_image)
{
    lockstep(&(struct qcow2_options){ .cluster_size = 4096 }, DISK, 200);
    lockstep(&(struct qcow2_options){ .cluster_size = 65536 }, 3 << 20, 200);
    lockstep(&(struct qcow2_options){ .cluster_size = 4096, .version = 2 }, 5 << 20, 200);
}

TEST(every_width_of_refcounts)
{
    for (unsigned bits = 1; bits <= 64; bits *= 2) {
        lockstep(&(struct qcow2_options){ .cluster_size = 512, .refcount_bits = bits }, 0, 60);
    }
}

/* --- Many threads ----------------------------------------------------------------------------- */

enum {
    THREADS = 4,
    STRIPE = 3 * SECTOR, /* of each thread in turn: every cluster belongs to all */
};

struct striker {
    struct rig *rig;
    unsigned number;
    pthread_t thread;
    int result;
};

static void *strike(void *data)
{
    struct striker *striker = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(striker->number);
    uint8_t out[STRIPE], in[STRIPE];

    for (unsigned i = 0; i < 300 && striker->result == 0; i++) {
        uint64_t stripe = (uint64_t)g_rand_int_range(random, 0, DISK / STRIPE / THREADS);
        uint64_t offset = (stripe * THREADS + striker->number) * STRIPE;

        fill(out, sizeof(out), random);
        striker->result = image_write(striker->rig->image, offset, out, sizeof(out));
        memcpy(striker->rig->model + offset, out, sizeof(out));
        if (i % 50 == striker->number) {
            striker->result |= image_flush(striker->rig->image);
        }
        if (i % 7 == 0) {
            striker->result |= image_zero(striker->rig->image, offset, SECTOR, true);
            memset(striker->rig->model + offset, 0, SECTOR);
        }
        striker->result |= image_read(striker->rig->image, offset, in, sizeof(in));
        if (memcmp(in, striker->rig->model + offset, sizeof(in)) != 0) {
            striker->result = -EBADMSG;
        }
    }
    return NULL;
}

static void threads_strike(const struct qcow2_options *options, size_t base)
{
    struct rig *rig = rig_new(options, base);
    struct striker strikers[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        strikers[i] = (struct striker){ .rig = rig, .number = i };
        CHECK_EQ(pthread_create(&strikers[i].thread, NULL, strike, &strikers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(strikers[i].thread, NULL);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_EQ(strikers[i].result, 0);
    }
    same(rig);
    clean(rig);
    rig_free(rig);
}

TEST(threads_share_clusters)
{
    threads_strike(&(struct qcow2_options){ .cluster_size = 65536 }, 0);
    threads_strike(&(struct qcow2_options){ .cluster_size = 4096 }, DISK);
}

/* --- Single things ---------------------------------------------------------------------------- */

TEST(freed_space_is_used_again)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 65536 }, 0);
    g_autofree uint8_t *bytes = g_malloc0(4 << 20);
    uint64_t before;

    memset(bytes, 7, 4 << 20);
    CHECK_EQ(image_write(rig->image, 0, bytes, 4 << 20), 0);
    CHECK_EQ(image_flush(rig->image), 0);
    before = storage_size(rig->image->storage);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ(image_zero(rig->image, 0, 4 << 20, true), 0);
        CHECK_EQ(image_flush(rig->image), 0);
        CHECK_EQ(image_write(rig->image, 4 << 20, bytes, 4 << 20), 0);
        CHECK_EQ(image_zero(rig->image, 4 << 20, 4 << 20, true), 0);
        CHECK_EQ(image_flush(rig->image), 0);
        CHECK_EQ(image_write(rig->image, 0, bytes, 4 << 20), 0);
        CHECK_EQ(image_flush(rig->image), 0);
    }
    CHECK(storage_size(rig->image->storage) <= before + (1 << 20));
    clean(rig);
    rig_free(rig);
}

TEST(commit_writes_what_is_on_top)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 4096 }, 5 << 20);
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    g_autofree uint8_t *bytes = g_malloc(DISK);
    g_autoptr(GError) error = NULL;

    operate(rig, random, 100, DISK);
    if (!image_commit(rig->image, NULL, NULL, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    CHECK_EQ(rig->image->backing->size, DISK);
    CHECK_EQ(image_read(rig->image->backing, 0, bytes, DISK), 0);
    CHECK(memcmp(bytes, rig->model, DISK) == 0);
    rig_free(rig);
}

TEST(compressed_clusters_are_read_and_overwritten)
{
    for (unsigned way = QCOW2_DEFLATE; way <= QCOW2_ZSTD; way++) {
        struct rig *rig =
            rig_new(&(struct qcow2_options){ .cluster_size = 65536, .compression = way }, 0);
        struct qcow2_packer *packer = qcow2_packer_new(rig->image);
        g_autoptr(GRand) random = g_rand_new_with_seed(6);
        g_autofree uint8_t *packed = g_malloc(65536);

        for (uint64_t offset = 0; offset < DISK; offset += 65536) {
            uint8_t *bytes = rig->model + offset;
            size_t n;

            fill(bytes, offset / 65536 % 5 == 4 ? 65536 : 3000 + offset / 200, random);
            n = qcow2_pack(packer, bytes, packed);
            CHECK_EQ(n == 0, offset / 65536 % 5 == 4);
            CHECK_EQ(qcow2_write_compressed(rig->image, offset, bytes, packed, n), 0);
        }
        same(rig);
        clean(rig);
        CHECK(storage_size(rig->image->storage) < DISK * 2 / 3);
        operate(rig, random, 100, DISK);
        same(rig);
        clean(rig);
        qcow2_packer_free(packer);
        rig_free(rig);
    }
}

TEST(options_that_do_not_fit_are_refused)
{
    static const struct qcow2_options wrong[] = {
        { .size = 0 },
        { .size = 1000 },
        { .size = DISK, .cluster_size = 256 },
        { .size = DISK, .cluster_size = 4 << 20 },
        { .size = DISK, .cluster_size = 5000 },
        { .size = DISK, .refcount_bits = 3 },
        { .size = DISK, .refcount_bits = 128 },
        { .size = DISK, .version = 4 },
        { .size = DISK, .version = 2, .refcount_bits = 8 },
        { .size = DISK, .version = 2, .compression = QCOW2_ZSTD },
        { .size = UINT64_C(1) << 56, .cluster_size = 512 },
        { .size = DISK, .backing_name = "" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct power_cut *cut = power_cut_new((const uint8_t *)"", 0);
        struct storage *storage = power_cut_storage(cut);
        g_autoptr(GError) error = NULL;

        CHECK(!qcow2_create(storage, &wrong[i], &error));
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
        CHECK_EQ(storage_size(storage), 0);
        storage_free(storage);
        power_cut_free(cut);
    }
}

TEST(requests_outside_are_refused)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .size = DISK }, 0);
    uint8_t bytes[SECTOR] = { 0 };

    CHECK_EQ(-image_read(rig->image, DISK, bytes, SECTOR), EINVAL);
    CHECK_EQ(-image_write(rig->image, UINT64_MAX - 100, bytes, SECTOR), EINVAL);
    CHECK_EQ(-image_zero(rig->image, DISK - 100, SECTOR, true), EINVAL);
    rig_free(rig);
}

/* Data that lies in the place of a table is never written, and the image is marked. */
TEST(tables_are_never_overwritten_with_data)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 4096 }, 0);
    struct storage *storage;
    struct image *image;
    uint8_t bytes[SECTOR] = { 7 }, entry[8], l2_entry[8] = { 0x80 };
    g_autoptr(GError) error = NULL;

    CHECK_EQ(image_write(rig->image, 0, bytes, SECTOR), 0);
    CHECK_EQ(image_flush(rig->image), 0);
    storage = copy_of(rig->cut);
    CHECK_EQ(storage_read(storage, 40, entry, 8), 0);
    CHECK_EQ(storage_read(storage, GUINT64_FROM_BE(*(uint64_t *)(void *)entry), entry, 8), 0);
    entry[0] = 0;
    l2_entry[6] = 0x10; /* the refcount table, at 4096 */
    CHECK_EQ(storage_write(storage, GUINT64_FROM_BE(*(uint64_t *)(void *)entry), l2_entry, 8), 0);
    image = qcow2_open(storage, NULL, NULL);
    CHECK(image != NULL);
    CHECK_EQ(-image_write(image, 0, bytes, SECTOR), EUCLEAN);
    CHECK(strstr(image_problem(image), "repair") != NULL);
    CHECK(qcow2_needs_repair(image));
    CHECK_EQ(-image_write(image, 1 << 20, bytes, SECTOR), EUCLEAN);
    image_free(image);
    rig_free(rig);
}

TEST_MAIN(T(random_operations_equal_memory), T(random_operations_over_a_backing_image),
          T(every_width_of_refcounts), T(threads_share_clusters), T(freed_space_is_used_again),
          T(commit_writes_what_is_on_top), T(compressed_clusters_are_read_and_overwritten),
          T(options_that_do_not_fit_are_refused), T(requests_outside_are_refused),
          T(tables_are_never_overwritten_with_data))
