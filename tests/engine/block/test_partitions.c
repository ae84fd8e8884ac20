/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing the last partition through power cuts: whatever of the writes arrived, the table is one
 * that was there or one that was to be, what lies in the partition is untouched, and growing again
 * completes it. sfdisk makes the tables and reads the result.
 */
#include "../test.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "block/partitions/partitions.h"
#include "power_cut.h"

enum {
    MIB = 1 << 20,
    OLD = 4 * MIB,
    NEW = 8 * MIB,
    CHOICES = 12,
    EXT_MARK = 1024 + 56,
};

/* What sfdisk is told, and the last partition that comes of it. */
struct layout {
    const char *script;
    unsigned number;
    uint64_t offset, length, length_max;
};

static const struct layout layouts[] = {
    { "label: gpt\nstart=2048,size=2048\nstart=4096,size=2048\n", 2, 2 * MIB, MIB, 5 * MIB },
    { "label: gpt\nfirst-lba: "
      "34\n3:start=2048,size=2048\n90:start=4096,size=2048\n1:start=40,size=8\n",
      90, 2 * MIB, MIB, 5 * MIB },
    { "label: gpt\ntable-length: 4\nstart=2048\n", 1, MIB, 3 * MIB - 3 * 512, 6 * MIB },
    { "label: dos\n2:start=2048,size=2048\n1:start=4096,size=100\n", 1, 2 * MIB, 100 * 512,
      6 * MIB },
    { "label: dos\nstart=63,size=1000\nstart=2048,size=5000,type=5\nstart=4096,size=2000\n", 5,
      2 * MIB, 2000 * 512, 6 * MIB },
    { "label: dos\nstart=2048,size=6100,type=f\nstart=2111,size=500\nstart=3000,size=500\n"
      "start=4096,size=2000\n",
      7, 2 * MIB, 2000 * 512, 6 * MIB },
};

/* --- Disks ------------------------------------------------------------------------------------ */

static char *run(const char *const *arguments, const char *input)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        arguments, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    char *output = NULL;

    if (!process || !g_subprocess_communicate_utf8(process, input, NULL, &output, NULL, &error)) {
        test_fail(__FILE__, __LINE__, "%s: %s", arguments[0], error->message);
    }
    if (!g_subprocess_get_successful(process)) {
        test_fail(__FILE__, __LINE__, "%s: %s", arguments[0], output);
    }
    return output;
}

static char *file_path(void)
{
    g_autofree char *name = g_strdup_printf("oriel-%d-partitions", (int)getpid());

    return g_build_filename(g_get_tmp_dir(), name, NULL);
}

/* The bytes of a disk that is partitioned so, with a file system's mark in the last one. */
static uint8_t *disk_make(const struct layout *layout)
{
    g_autofree char *path = file_path();
    const char *const arguments[] = { "sfdisk", "-q", "--no-reread", path, NULL };
    g_autofree char *output = NULL;
    char *bytes;
    gsize n;

    CHECK(g_file_set_contents(path, "", 0, NULL));
    CHECK_EQ(truncate(path, OLD), 0);
    output = run(arguments, layout->script);
    CHECK(g_file_get_contents(path, &bytes, &n, NULL));
    g_unlink(path);
    CHECK_EQ(n, OLD);
    memset(bytes + layout->offset, 0xa5, layout->length);
    memcpy(bytes + layout->offset + EXT_MARK, "\x53\xef", 2);
    return (uint8_t *)bytes;
}

static struct image *image_of(struct storage *storage)
{
    GError *error = NULL;
    struct image *image = image_open(storage, IMAGE_RAW, &error);

    if (!image) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    return image;
}

/* What was in the partition is there. */
static void content_check(struct image *image, const struct layout *layout)
{
    g_autofree uint8_t *bytes = g_malloc(layout->length);

    CHECK_EQ(image_read(image, layout->offset, bytes, layout->length), 0);
    for (uint64_t i = 0; i < layout->length; i++) {
        CHECK_EQ(bytes[i], i == EXT_MARK ? 0x53 : i == EXT_MARK + 1 ? 0xef : 0xa5);
    }
}

/* sfdisk finds nothing wrong, and the partition as large as we do. */
static void sfdisk_check(struct image *image, const struct layout *layout)
{
    g_autofree char *path = file_path();
    const char *const verify[] = { "sfdisk", "--verify", path, NULL };
    const char *const dump[] = { "sfdisk", "--dump", path, NULL };
    g_autofree uint8_t *bytes = g_malloc(NEW);
    g_autofree char *verified = NULL, *dumped = NULL, *line = NULL;

    CHECK_EQ(image_read(image, 0, bytes, NEW), 0);
    CHECK(g_file_set_contents(path, (const char *)bytes, NEW, NULL));
    verified = run(verify, NULL);
    dumped = run(dump, NULL);
    g_unlink(path);
    CHECK(strstr(verified, "No errors detected") != NULL);
    line = g_strdup_printf("-partitions%u : start=%12" PRIu64 ", size=%12" PRIu64, layout->number,
                           layout->offset / 512, layout->length_max / 512);
    if (!strstr(dumped, line)) {
        test_fail(__FILE__, __LINE__, "no “%s” in %s", line, dumped);
    }
}

static void last_check(const struct partition_last *last, const struct layout *layout, bool grown)
{
    CHECK_EQ(last->number, layout->number);
    CHECK_EQ(last->offset, layout->offset);
    CHECK_EQ(last->length, grown ? layout->length_max : layout->length);
    CHECK_EQ(last->content, PARTITION_EXT);
}

static void grow_wholly(struct image *image, const struct layout *layout)
{
    struct partition_last last;

    CHECK(image_resize(image, NEW, NULL));
    CHECK_EQ(partitions_grow(image, &last), 0);
    last_check(&last, layout, true);
    CHECK_EQ(partitions_look(image, &last), 0);
    last_check(&last, layout, true);
    CHECK(!partition_can_grow(&last) && !last.torn);
    content_check(image, layout);
}

/* --- Power cuts ------------------------------------------------------------------------------- */

/* After the cut; true if it tore the first of two copies. */
static bool cut_check(struct image *image, const struct layout *layout)
{
    struct partition_last last;

    CHECK_EQ(partitions_look(image, &last), 0);
    last_check(&last, layout, last.length == layout->length_max);
    content_check(image, layout);
    grow_wholly(image, layout);
    return last.torn;
}

static unsigned layout_check(const struct layout *layout)
{
    g_autofree uint8_t *bytes = disk_make(layout);
    struct power_cut *cut = power_cut_new(bytes, OLD);
    struct image *image = image_of(power_cut_storage(cut));
    unsigned moments, torn = 0;

    grow_wholly(image, layout);
    sfdisk_check(image, layout);
    image_free(image);
    moments = power_cut_moments(cut);
    CHECK(moments >= 4);
    for (unsigned moment = 0; moment <= moments; moment++) {
        for (unsigned choice = 0; choice < CHOICES; choice++) {
            image = image_of(power_cut_replay(cut, moment, choice));
            torn += cut_check(image, layout);
            image_free(image);
        }
    }
    power_cut_free(cut);
    return torn;
}

TEST(every_cut_leaves_a_table)
{
    unsigned torn = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        torn += layout_check(&layouts[i]);
    }
    CHECK(torn > 0); /* the way back through the second copy was walked */
}

/* --- What is not understood ------------------------------------------------------------------- */

struct harm {
    unsigned layout;
    uint64_t offset;
    uint8_t value;
    enum partition_table table;
    enum partition_content content;
};

/* Nothing is written to a disk of which something is not understood. */
TEST(what_is_not_understood_stays)
{
    static const struct harm harms[] = {
        { 0, 446 + 16 + 4, 0x83, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN }, /* hybrid */
        { 0, 446 + 4, 0x83, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN },      /* not protective */
        { 3, 446 + 9, 8, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN },         /* overlap */
        { 3, 446 + 15, 0xff, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN },     /* behind the end */
        { 3, 446 + 4, 0x42, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN },      /* dynamic disk */
        { 3, 446 + 4, 0x82, PARTITION_TABLE_MBR, PARTITION_SWAP },
        { 3, 446 + 4, 0xfd, PARTITION_TABLE_MBR, PARTITION_RAID },
        { 3, 446 + 4, 0x27, PARTITION_TABLE_MBR, PARTITION_RESERVED },
        { 3, 446, 0x21, PARTITION_TABLE_NONE, PARTITION_UNKNOWN }, /* a boot sector */
        { 3, 2 * MIB + EXT_MARK, 0, PARTITION_TABLE_MBR, PARTITION_UNKNOWN },
        { 3, 2 * MIB, 'X', PARTITION_TABLE_MBR, PARTITION_EXT },              /* which grows */
        { 4, MIB + 510, 0, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN },      /* no record there */
        { 4, MIB + 446 + 20, 5, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN }, /* a loop */
        { 4, MIB + 446 + 15, 1, PARTITION_TABLE_UNKNOWN, PARTITION_UNKNOWN }, /* leads out */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(harms); i++) {
        const struct harm *harm = &harms[i];
        g_autofree uint8_t *bytes = disk_make(&layouts[harm->layout]);
        g_autofree uint8_t *found = g_malloc(OLD);
        struct power_cut *cut;
        struct image *image;
        struct partition_last last;

        bytes[harm->offset] = harm->value;
        cut = power_cut_new(bytes, OLD);
        image = image_of(power_cut_storage(cut));
        CHECK(image_resize(image, NEW, NULL));
        CHECK_EQ(partitions_grow(image, &last), 0);
        CHECK_EQ(last.table, harm->table);
        CHECK_EQ(last.content, harm->content);
        CHECK_EQ(image_read(image, 0, found, OLD), 0);
        CHECK_EQ(memcmp(found, bytes, OLD) == 0, harm->content != PARTITION_EXT);
        image_free(image);
        power_cut_free(cut);
    }
}

/* Both copies of a GPT: one of them is enough, without both nothing is done. */
TEST(a_damaged_gpt)
{
    for (unsigned lost = 0; lost < 4; lost++) {
        g_autofree uint8_t *bytes = disk_make(&layouts[0]);
        struct power_cut *cut;
        struct image *image;
        struct partition_last last;

        bytes[512 + 40] ^= (uint8_t)(lost & 1);
        bytes[OLD - 512 + 40] ^= (uint8_t)(lost >> 1);
        cut = power_cut_new(bytes, OLD);
        image = image_of(power_cut_storage(cut));
        CHECK_EQ(partitions_grow(image, &last), 0);
        CHECK_EQ(last.table, lost == 3 ? PARTITION_TABLE_UNKNOWN : PARTITION_TABLE_GPT);
        CHECK_EQ(last.length, lost == 3 ? 0 : MIB);
        CHECK_EQ(partitions_look(image, &last), 0);
        CHECK(!last.torn);
        image_free(image);
        power_cut_free(cut);
    }
}

TEST_MAIN(T(every_cut_leaves_a_table), T(what_is_not_understood_stays), T(a_damaged_gpt))
