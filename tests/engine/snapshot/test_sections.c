/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file `state` of a saved machine: named sections, and whatever can be wrong with them. */
#include "test.h"

#include "bytes.h"
#include "saved_fixture.h"

TEST(sections_come_back)
{
    g_autoptr(GByteArray) file = three_sections();
    g_autoptr(GArray) sections = sections_parse(file->data, file->len);
    const struct section *section;

    CHECK(sections != NULL);
    CHECK_EQ(sections->len, 3);
    section = sections_find(sections, "device", "rtc");
    CHECK(section && section->version == 1 && section->length == 3);
    CHECK(memcmp(section->bytes, "abc", 3) == 0);
    section = sections_find(sections, "device", "hpet");
    CHECK(section && section->version == 2 && section->length == 0);
    CHECK(!sections_find(sections, "kvm", "hpet"));
    CHECK(sections_bytes(sections, "kvm", "rtc", 7, 12) != NULL);
    CHECK(sections_bytes(sections, "kvm", "rtc", 6, 12) == NULL);
    CHECK(sections_bytes(sections, "kvm", "rtc", 7, 11) == NULL);
}

TEST(no_sections_are_sections_too)
{
    g_autoptr(GByteArray) file = sections_new();
    g_autoptr(GArray) sections = sections_parse(file->data, file->len);

    CHECK(sections != NULL);
    CHECK_EQ(sections->len, 0);
}

TEST(any_changed_byte_of_sections_is_found)
{
    g_autoptr(GByteArray) file = three_sections();

    for (guint at = 0; at < file->len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            g_autoptr(GArray) sections = NULL;

            file->data[at] ^= (guint8)(1u << bit);
            sections = sections_parse(file->data, file->len);
            /* Names and versions have no checksum of their own: whoever asks for them misses them.
             */
            if (sections) {
                CHECK(!sections_bytes(sections, "device", "rtc", 1, 3) ||
                      !sections_bytes(sections, "device", "hpet", 2, 0) ||
                      !sections_bytes(sections, "kvm", "rtc", 7, 12));
            }
            file->data[at] ^= (guint8)(1u << bit);
        }
    }
}

TEST(short_and_long_sections_are_refused)
{
    g_autoptr(GByteArray) file = three_sections();

    for (guint length = 0; length < file->len; length++) {
        g_autofree guint8 *copy = g_memdup2(file->data, length);

        CHECK(sections_parse(copy, length) == NULL);
    }
    g_byte_array_append(file, (const guint8 *)"x", 1);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

TEST(two_sections_of_one_name_are_refused)
{
    g_autoptr(GByteArray) file = three_sections();

    sections_add(file, "device", "rtc", 1, "abc", 3);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

TEST(too_many_sections_are_refused)
{
    g_autoptr(GByteArray) file = sections_new();

    store_le32(file->data + 8, SECTIONS_MAX + 1);
    CHECK(sections_parse(file->data, file->len) == NULL);
    store_le32(file->data + 8, UINT32_MAX);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

TEST_MAIN(T(sections_come_back), T(no_sections_are_sections_too),
          T(any_changed_byte_of_sections_is_found), T(short_and_long_sections_are_refused),
          T(two_sections_of_one_name_are_refused), T(too_many_sections_are_refused))
