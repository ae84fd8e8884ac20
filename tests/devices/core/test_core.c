/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The access contract, options and state tables, with a device of this file's own. */
#include "test.h"

#include "bytes.h"
#include "display.h"
#include "fake_machine.h"
#include "state.h"

struct sample {
    struct device device;
    uint32_t registers[4];
    uint8_t index;
    uint64_t wide;
    bool flag;
    uint32_t limit;
    char label[8];
    uint8_t uuid[16];
    struct sample_part {
        uint16_t a;
    } parts[2];
    unsigned reads, writes;
};

static uint64_t sample_read(struct device *device, uint64_t offset, unsigned size)
{
    struct sample *s = (struct sample *)device;

    s->reads++;
    return load_le((uint8_t *)s->registers + offset, size);
}

static void sample_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct sample *s = (struct sample *)device;

    s->writes++;
    store_le((uint8_t *)s->registers + offset, size, value);
}

static const struct region_desc dwords = {
    .name = "dwords",
    .size = 16,
    .read_sizes = SIZE_4,
    .write_sizes = SIZE_4,
    .read = sample_read,
    .write = sample_write,
};
static const struct region_desc bytes_only = {
    .name = "bytes",
    .size = 3,
    .read_sizes = SIZE_1,
    .write_sizes = SIZE_1,
    .read = sample_read,
    .write = sample_write,
};

static const struct state_field part_fields[] = {
    FIELD_MAX(struct sample_part, a, 100),
    FIELD_END,
};
static const struct state_field sample_fields[] = {
    FIELD_ARRAY(struct sample, registers),
    FIELD_MAX(struct sample, index, 3),
    FIELD(struct sample, wide),
    FIELD(struct sample, flag),
    FIELD_STRUCTS_ARRAY(struct sample, parts, part_fields),
    FIELD_END,
};
static const struct option_desc sample_options[] = {
    { "limit", OPTION_U32, offsetof(struct sample, limit), 1, 10, "4", "a number" },
    { "flag", OPTION_BOOL, offsetof(struct sample, flag), 0, 0, "false", "a switch" },
    { "label", OPTION_STRING, offsetof(struct sample, label), 0, 8, "", "a text" },
    { "uuid", OPTION_UUID, offsetof(struct sample, uuid), 0, 0, NULL, "an id" },
    { NULL },
};

static int sample_validate(struct device *device, struct dev_error *error)
{
    struct sample *s = (struct sample *)device;

    if (s->wide == 13) {
        dev_error_set(error, "13 is not allowed");
        return -1;
    }
    return 0;
}

static const struct device_class sample_class = {
    .name = "sample",
    .version = 3,
    .state_size = sizeof(struct sample),
    .options = sample_options,
    .fields = sample_fields,
    .validate = sample_validate,
};

static unsigned errors;

static void count_error(struct device *device, const char *format, ...)
{
    errors++;
}

static const struct services services = { .guest_error = count_error };

static struct sample *sample_new(const struct option_value *values, size_t n,
                                 struct dev_error *error)
{
    return (struct sample *)device_new(&sample_class, "sample", &services, NULL, values, n, error);
}

TEST(region_splits_and_widens)
{
    struct sample *s = sample_new(NULL, 0, NULL);
    struct device *d = &s->device;

    region_write(d, &dwords, 0, 8, UINT64_C(0x8877665544332211));
    CHECK_EQ(s->writes, 2);
    CHECK_EQ(region_read(d, &dwords, 0, 8), UINT64_C(0x8877665544332211));
    CHECK_EQ(s->reads, 2);
    CHECK_EQ(region_read(d, &dwords, 1, 1), 0x22);
    CHECK_EQ(region_read(d, &dwords, 2, 4), 0x66554433);
    errors = 0;
    region_write(d, &dwords, 1, 1, 0);
    CHECK_EQ(errors, 1);
    CHECK_EQ(region_read(d, &dwords, 0, 4), 0x44332211);
    device_free(d);
}

TEST(region_ends)
{
    struct sample *s = sample_new(NULL, 0, NULL);
    struct device *d = &s->device;

    region_write(d, &bytes_only, 2, 4, 0xaabbccdd);
    CHECK_EQ(s->writes, 1);
    CHECK_EQ(region_read(d, &bytes_only, 2, 4), 0xffffffdd);
    CHECK_EQ(region_read(d, &dwords, 14, 4), 0xffff0000);
    device_free(d);
}

TEST(region_may_be_unaligned)
{
    static const struct region_desc words = {
        .name = "words",
        .size = 4,
        .read_sizes = SIZE_2,
        .write_sizes = SIZE_2,
        .flags = REGION_UNALIGNED,
        .read = sample_read,
        .write = sample_write,
    };
    struct sample *s = sample_new(NULL, 0, NULL);
    struct device *d = &s->device;

    region_write(d, &words, 1, 2, 0xbbaa);
    CHECK_EQ(s->writes, 1);
    CHECK_EQ(s->registers[0], 0xbbaa00);
    CHECK_EQ(region_read(d, &words, 1, 2), 0xbbaa);
    CHECK_EQ(region_read(d, &words, 0, 4), 0xbbaa00);
    CHECK_EQ(s->reads, 3);
    errors = 0;
    region_write(d, &words, 3, 2, 0x1234); /* one byte of it is left: narrower than the register */
    CHECK_EQ(errors, 1);
    device_free(d);
}

TEST(options_have_limits)
{
    struct dev_error error = { "" };
    struct sample *s =
        sample_new((struct option_value[]){ { "limit", "10" },
                                            { "label", "abc" },
                                            { "uuid", "00112233-4455-6677-8899-aabbccddeeff" } },
                   3, &error);

    CHECK(s != NULL);
    CHECK_EQ(s->limit, 10);
    CHECK_STR(s->label, "abc");
    CHECK_EQ(s->uuid[15], 0xff);
    device_free(&s->device);
    static const struct option_value bad[] = {
        { "limit", "11" },
        { "limit", "0" },
        { "limit", "-1" },
        { "limit", "4x" },
        { "flag", "yes" },
        { "nothing", "1" },
        { "label", "12345678" },
        { "uuid", "0011" },
        { "uuid", "zz112233-4455-6677-8899-aabbccddeeff" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error.message[0] = '\0';
        CHECK(sample_new(&bad[i], 1, &error) == NULL);
        CHECK(strstr(error.message, "sample") != NULL);
    }
}

TEST(state_round_trip)
{
    struct sample *a = sample_new(NULL, 0, NULL), *b = sample_new(NULL, 0, NULL);
    uint8_t saved[512], again[512];
    struct dev_error error;

    a->registers[2] = 0xdeadbeef;
    a->index = 3;
    a->wide = UINT64_MAX;
    a->flag = true;
    a->parts[1].a = 100;
    size_t size = device_save(&a->device, saved, sizeof(saved));

    CHECK(size > 0);
    CHECK_EQ(size, device_state_size(&a->device));
    CHECK_EQ(device_save(&a->device, again, size - 1), 0);
    CHECK_EQ(device_load(&b->device, saved, size, &error), 0);
    CHECK_EQ(b->registers[2], 0xdeadbeef);
    CHECK_EQ(b->parts[1].a, 100);
    CHECK_EQ(device_save(&b->device, again, sizeof(again)), size);
    CHECK(memcmp(saved, again, size) == 0);
    device_free(&a->device);
    device_free(&b->device);
}

TEST(state_refuses)
{
    struct sample *a = sample_new(NULL, 0, NULL), *b = sample_new(NULL, 0, NULL);
    uint8_t saved[512], before[512], after[512];
    struct dev_error error;
    size_t size = device_save(&a->device, saved, sizeof(saved));

    b->wide = 7;
    device_save(&b->device, before, sizeof(before));
    for (size_t cut = 0; cut < size; cut++) {
        CHECK(device_load(&b->device, saved, cut, &error) != 0);
    }
    for (size_t i = 0; i < size; i++) {
        saved[i] ^= 0x40;
        CHECK(device_load(&b->device, saved, size, &error) != 0);
        saved[i] ^= 0x40;
    }
    a->index = 4; /* beyond its limit */
    size = device_save(&a->device, saved, sizeof(saved));
    CHECK(device_load(&b->device, saved, size, &error) != 0);
    a->index = 0;
    a->wide = 13; /* refused by validate() after storing */
    size = device_save(&a->device, saved, sizeof(saved));
    CHECK(device_load(&b->device, saved, size, &error) != 0);
    device_save(&b->device, after, sizeof(after));
    CHECK(memcmp(before, after, size) == 0);
    device_free(&a->device);
    device_free(&b->device);
}

TEST(damage_joins_when_full)
{
    struct damage damage = { .n = 0 };

    damage_add(&damage, 0, 0, 0, 5);
    CHECK_EQ(damage.n, 0);
    for (uint32_t i = 0; i < 2 * DAMAGE_RECTS_MAX; i++) {
        damage_add(&damage, i * 10, 0, 1, 1);
    }
    CHECK_EQ(damage.n, DAMAGE_RECTS_MAX);
    CHECK_EQ(damage.rects[DAMAGE_RECTS_MAX - 1].x + damage.rects[DAMAGE_RECTS_MAX - 1].width,
             (2 * DAMAGE_RECTS_MAX - 1) * 10 + 1);
}

TEST_MAIN(T(region_splits_and_widens), T(region_ends), T(region_may_be_unaligned),
          T(options_have_limits), T(state_round_trip), T(state_refuses), T(damage_joins_when_full))
