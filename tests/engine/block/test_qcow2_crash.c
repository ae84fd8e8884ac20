/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qcow2 and power cuts: after any prefix of an operation's writes, and many choices of what of them
 * arrived, the image opens, passes its check (leaks allowed), and every sector holds what was
 * flushed or something that was written since.
 */
#include "../test.h"

#include <gio/gio.h>
#include <limits.h>

#include "block/qcow2/qcow2.h"
#include "bytes.h"
#include "power_cut.h"

enum {
    SECTOR = 512,
    DISK = 512 << 10,
    SECTORS = DISK / SECTOR,
    CHOICES = 12,
};

/* What the guest may find: each sector holds its version's number, 0 for zeroes. */
struct model {
    uint32_t newest[SECTORS]; /* the last version written */
    uint32_t version;
};

/* The model at a moment of the record. */
struct mark {
    unsigned moment;
    bool flushed; /* everything before is durable */
    struct model model;
};

struct rig {
    struct power_cut *cut;
    struct image *image, *backing;
    struct model model;
    GArray *marks; /* struct mark, by moment */
    GRand *random;
};

static void sector_fill(uint8_t *bytes, uint32_t sector, uint32_t version)
{
    memset(bytes, 0, SECTOR);
    for (unsigned i = 0; version != 0 && i < SECTOR; i += 8) {
        store_le32(bytes + i, sector);
        store_le32(bytes + i + 4, version);
    }
}

static void mark(struct rig *rig, bool flushed)
{
    struct mark *mark;

    g_array_set_size(rig->marks, rig->marks->len + 1);
    mark = &g_array_index(rig->marks, struct mark, rig->marks->len - 1);
    mark->moment = power_cut_moments(rig->cut);
    mark->flushed = flushed;
    mark->model = rig->model;
}

static struct rig *rig_new(const struct qcow2_options *options, unsigned seed)
{
    struct rig *rig = g_new0(struct rig, 1);
    struct qcow2_options own = *options;
    struct storage *storage;
    GError *error = NULL;

    own.size = DISK;
    rig->cut = power_cut_new((const uint8_t *)"", 0);
    rig->marks = g_array_new(FALSE, FALSE, sizeof(struct mark));
    rig->random = g_rand_new_with_seed(seed);
    storage = power_cut_storage(rig->cut);
    if (!qcow2_create(storage, &own, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    rig->image = qcow2_open(storage, NULL, &error);
    if (rig->image == NULL) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    mark(rig, true);
    return rig;
}

static void rig_free(struct rig *rig)
{
    image_free(rig->image);
    power_cut_free(rig->cut);
    g_array_unref(rig->marks);
    g_rand_free(rig->random);
    g_free(rig);
}

/* --- What the guest does ---------------------------------------------------------------------- */

static void guest_write(struct rig *rig, unsigned first, unsigned n)
{
    g_autofree uint8_t *bytes = g_malloc((gsize)n * SECTOR);

    rig->model.version++;
    for (unsigned i = 0; i < n; i++) {
        sector_fill(bytes + (gsize)i * SECTOR, first + i, rig->model.version);
        rig->model.newest[first + i] = rig->model.version;
    }
    mark(rig, false); /* from now on the new version may be found */
    CHECK_EQ(image_write(rig->image, (uint64_t)first * SECTOR, bytes, (gsize)n * SECTOR), 0);
}

static void guest_zero(struct rig *rig, unsigned first, unsigned n)
{
    rig->model.version++;
    memset(rig->model.newest + first, 0, n * sizeof(uint32_t));
    mark(rig, false);
    CHECK_EQ(image_zero(rig->image, (uint64_t)first * SECTOR, (uint64_t)n * SECTOR, true), 0);
}

static void guest_flush(struct rig *rig)
{
    CHECK_EQ(image_flush(rig->image), 0);
    mark(rig, true);
}

static void guest_random(struct rig *rig, unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        unsigned first = (unsigned)g_rand_int_range(rig->random, 0, SECTORS);
        unsigned n = (unsigned)g_rand_int_range(rig->random, 1, 96);

        n = MIN(n, SECTORS - first);
        switch (g_rand_int_range(rig->random, 0, 8)) {
        case 0:
            guest_flush(rig);
            break;
        case 1:
        case 2:
            guest_zero(rig, first, n);
            break;
        default:
            guest_write(rig, first, n);
            break;
        }
    }
    guest_flush(rig);
}

/* --- What may be found after a power cut ------------------------------------------------------ */

/* The marks from the last flush that had ended at the moment up to the moment. */
static void marks_find(const struct rig *rig, unsigned moment, guint *first, guint *end)
{
    *first = *end = 0;
    while (*end < rig->marks->len &&
           g_array_index(rig->marks, struct mark, *end).moment <= moment) {
        if (g_array_index(rig->marks, struct mark, *end).flushed) {
            *first = *end;
        }
        (*end)++;
    }
}

/* Whether the sector had that version at one of these marks. */
static bool version_allowed(const struct rig *rig, guint first, guint end, unsigned sector,
                            uint32_t version)
{
    for (guint i = first; i < end; i++) {
        if (g_array_index(rig->marks, struct mark, i).model.newest[sector] == version) {
            return true;
        }
    }
    return false;
}

static void content_check(const struct rig *rig, struct image *image, unsigned moment)
{
    uint8_t expected[SECTOR];
    g_autofree uint8_t *bytes = g_malloc(DISK);
    guint first, end;

    marks_find(rig, moment, &first, &end);

    CHECK_EQ(image_read(image, 0, bytes, DISK), 0);
    for (unsigned i = 0; i < SECTORS; i++) {
        uint32_t version = load_le32(bytes + (gsize)i * SECTOR + 4);

        sector_fill(expected, i, version);
        if (memcmp(expected, bytes + (gsize)i * SECTOR, SECTOR) != 0 ||
            !version_allowed(rig, first, end, i, version)) {
            test_fail(__FILE__, __LINE__, "moment %u: sector %u holds version %u", moment, i,
                      version);
        }
    }
}

static void state_check(const struct rig *rig, unsigned moment, unsigned choice)
{
    struct storage *storage = power_cut_replay(rig->cut, moment, choice);
    struct qcow2_report report;
    GError *error = NULL;
    struct image *image = qcow2_open_for_repair(storage, &error);

    if (image == NULL) {
        test_fail(__FILE__, __LINE__, "moment %u choice %u: %s", moment, choice, error->message);
    }
    if (!qcow2_needs_repair(image)) {
        if (!qcow2_check(image, NULL, &report, &error)) {
            test_fail(__FILE__, __LINE__, "%s", error->message);
        }
        if (report.corruptions > 0) {
            test_fail(__FILE__, __LINE__, "moment %u choice %u: %s", moment, choice, report.first);
        }
    } else if (!qcow2_repair(image, NULL, &report, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    CHECK_EQ(report.lost, 0);
    content_check(rig, image, moment);
    /* And it goes on from there. */
    CHECK_EQ(image_write(image, 0, "goes on", 8), 0);
    CHECK_EQ(image_flush(image), 0);
    CHECK(qcow2_check(image, NULL, &report, NULL) && report.corruptions == 0);
    image_free(image);
    g_free(report.first);
}

static void all_moments_check(const struct rig *rig)
{
    unsigned first = g_array_index(rig->marks, struct mark, 0).moment;

    for (unsigned moment = first; moment <= power_cut_moments(rig->cut); moment++) {
        for (unsigned choice = 0; choice < CHOICES; choice++) {
            state_check(rig, moment, choice);
        }
    }
}

static void shape_check(const struct qcow2_options *options, unsigned seed, unsigned operations)
{
    struct rig *rig = rig_new(options, seed);

    guest_random(rig, operations);
    all_moments_check(rig);
    rig_free(rig);
}

TEST(small_clusters)
{
    shape_check(&(struct qcow2_options){ .cluster_size = 512 }, 1, 40);
}

TEST(middle_clusters)
{
    for (unsigned seed = 0; seed < 3; seed++) {
        shape_check(&(struct qcow2_options){ .cluster_size = 4096 }, seed, 40);
    }
}

TEST(large_clusters)
{
    shape_check(&(struct qcow2_options){ .cluster_size = 64 << 10 }, 3, 60);
}

TEST(narrow_and_wide_refcounts)
{
    shape_check(&(struct qcow2_options){ .cluster_size = 512, .refcount_bits = 1 }, 4, 25);
    shape_check(&(struct qcow2_options){ .cluster_size = 512, .refcount_bits = 64 }, 5, 25);
}

TEST(version_2)
{
    shape_check(&(struct qcow2_options){ .cluster_size = 4096, .version = 2 }, 6, 40);
}

TEST(growing)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 512 }, 7);
    GError *error = NULL;

    guest_random(rig, 10);
    if (!image_resize(rig->image, DISK * 64, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    guest_random(rig, 10);
    all_moments_check(rig);
    rig_free(rig);
}

/* The disk with an empty refcount table; `entry`: and an entry that names another table. */
static uint8_t *damaged_new(const struct rig *rig, uint64_t cluster_size, bool entry, size_t *n)
{
    struct storage *damaged = power_cut_replay(rig->cut, power_cut_moments(rig->cut), 0);
    uint8_t word[8], *bytes;
    uint64_t l1, table, l2;

    CHECK_EQ(storage_read(damaged, 40, word, sizeof(word)), 0);
    l1 = load_be64(word);
    CHECK_EQ(storage_read(damaged, 48, word, sizeof(word)), 0);
    table = load_be64(word);
    CHECK_EQ(storage_clear(damaged, table, cluster_size, false), 0);
    if (entry) {
        CHECK_EQ(storage_read(damaged, l1, word, sizeof(word)), 0);
        l2 = load_be64(word) & UINT64_C(0x00fffffffffffe00);
        CHECK(l2 != 0);
        store_be64(word, l1);
        CHECK_EQ(storage_write(damaged, l2, word, sizeof(word)), 0);
    }
    *n = storage_size(damaged);
    bytes = g_malloc(*n);
    CHECK_EQ(storage_read(damaged, 0, bytes, *n), 0);
    storage_free(damaged);
    return bytes;
}

/* A rewritten refcount structure comes into force at one moment, and the old one stays till then.
 */
TEST(repairing)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 4096 }, 8);
    struct power_cut *repair;
    struct qcow2_report report;
    uint8_t *bytes;
    size_t n;

    guest_random(rig, 30);
    bytes = damaged_new(rig, 4096, false, &n);
    repair = power_cut_new(bytes, n);
    {
        struct image *image = qcow2_open_for_repair(power_cut_storage(repair), NULL);

        CHECK(image != NULL && qcow2_repair(image, NULL, &report, NULL));
        CHECK(report.corruptions > 0 && report.lost == 0);
        g_free(report.first);
        image_free(image);
    }
    for (unsigned moment = 0; moment <= power_cut_moments(repair); moment++) {
        for (unsigned choice = 0; choice < CHOICES; choice++) {
            struct image *image =
                qcow2_open_for_repair(power_cut_replay(repair, moment, choice), NULL);

            CHECK(image != NULL && qcow2_repair(image, NULL, &report, NULL));
            CHECK_EQ(report.lost, 0);
            g_free(report.first);
            CHECK(qcow2_check(image, NULL, &report, NULL));
            CHECK_EQ(report.corruptions + report.leaks + report.flags, 0);
            content_check(rig, image, power_cut_moments(rig->cut));
            image_free(image);
        }
    }
    power_cut_free(repair);
    g_free(bytes);
    rig_free(rig);
}

/* Wants to stop when it is asked for the time `stop`. */
struct stopping {
    unsigned asked, stop;
    uint64_t done;
};

static bool stop_at(uint64_t done, uint64_t total, void *context)
{
    struct stopping *stopping = context;

    CHECK(done >= stopping->done && done <= total);
    stopping->done = done;
    return ++stopping->asked < stopping->stop;
}

/* Repairs, and returns whether it was stopped: then the disk is as it was, otherwise it is whole.
 */
static bool repair_until(const uint8_t *bytes, size_t n, struct stopping *stopping)
{
    const struct qcow2_watch watch = { stop_at, stopping };
    struct power_cut *cut = power_cut_new(bytes, n);
    struct image *image = qcow2_open_for_repair(power_cut_storage(cut), NULL);
    g_autofree uint8_t *after = NULL;
    g_autoptr(GError) error = NULL;
    struct qcow2_report report;
    struct storage *storage;
    bool stopped = !qcow2_repair(image, &watch, &report, &error);

    CHECK(!stopped || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    g_free(report.first);
    image_free(image);
    storage = power_cut_replay(cut, power_cut_moments(cut), 1); /* what was flushed */
    if (stopped) {
        after = g_malloc(n);
        CHECK_EQ(storage_size(storage), n);
        CHECK_EQ(storage_read(storage, 0, after, n), 0);
        CHECK(memcmp(after, bytes, n) == 0);
        storage_free(storage);
    } else {
        image = qcow2_open_for_repair(storage, NULL);
        CHECK(image != NULL && !qcow2_needs_repair(image));
        CHECK(qcow2_check(image, NULL, &report, NULL));
        CHECK_EQ(report.corruptions + report.leaks + report.flags, 0);
        image_free(image);
    }
    power_cut_free(cut);
    return stopped;
}

TEST(a_stopped_repair_has_done_nothing)
{
    for (unsigned entry = 0; entry < 2; entry++) {
        struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 512 }, 8);
        struct stopping never = { .stop = UINT_MAX };
        unsigned stopped = 0;
        uint8_t *bytes;
        size_t n;

        guest_random(rig, 30);
        bytes = damaged_new(rig, 512, entry, &n);
        CHECK(!repair_until(bytes, n, &never));
        for (unsigned i = 1; i <= never.asked; i++) {
            struct stopping stopping = { .stop = i };

            stopped += repair_until(bytes, n, &stopping);
        }
        /* Not in the last walk, over the flags, nor, if an entry is cleared, in others before. */
        CHECK(stopped > 0 && stopped < never.asked);
        g_free(bytes);
        rig_free(rig);
    }
}

/* Without the flush in the middle the check fails: the test sees what it is there for. */
TEST(the_test_sees_a_missing_barrier)
{
    struct rig *rig = rig_new(&(struct qcow2_options){ .cluster_size = 4096 }, 9);
    struct storage *storage;
    struct image *image;
    struct qcow2_report report = { 0 };
    uint64_t l1, l2;
    uint8_t entry[8];

    guest_write(rig, 0, 8);
    guest_flush(rig);
    storage = power_cut_replay(rig->cut, power_cut_moments(rig->cut), 0);
    CHECK_EQ(storage_read(storage, 40, entry, 8), 0);
    l1 = load_be64(entry);
    CHECK_EQ(storage_read(storage, l1, entry, 8), 0);
    l2 = load_be64(entry) & UINT64_C(0x00fffffffffffe00);
    /* An entry that arrived before the count of what it names. */
    store_be64(entry, UINT64_C(1) << 63 | ((storage_size(storage) + 4095) / 4096 * 4096));
    CHECK_EQ(storage_write(storage, l2 + 64, entry, 8), 0);
    CHECK_EQ(storage_resize(storage, storage_size(storage) + 8192), 0);
    image = qcow2_open(storage, NULL, NULL);
    CHECK(image != NULL && qcow2_check(image, NULL, &report, NULL));
    CHECK(report.corruptions > 0);
    g_free(report.first);
    image_free(image);
    rig_free(rig);
}

TEST_MAIN(T(small_clusters), T(middle_clusters), T(large_clusters), T(narrow_and_wide_refcounts),
          T(version_2), T(growing), T(repairing), T(a_stopped_repair_has_done_nothing),
          T(the_test_sees_a_missing_barrier))
