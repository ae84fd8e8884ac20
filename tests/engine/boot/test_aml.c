/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/boot: AML, term by term. */
#include "test.h"

#include <glib.h>

#include "boot/aml.h"

TEST(package_lengths_count_themselves)
{
    static const struct {
        size_t content;
        const char *expected;
        size_t n;
    } cases[] = {
        { 0, "\x01", 1 },
        { 62, "\x3f", 1 },
        { 63, "\x41\x04", 2 },
        { 4093, "\x4f\xff", 2 },
        { 4094, "\x81\x00\x01", 3 },
        { 1048572, "\x8f\xff\xff", 3 },
        { 1048573, "\xc1\x00\x00\x01", 4 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) aml = g_byte_array_new();
        size_t mark = aml_if(aml);

        g_byte_array_set_size(aml, (guint)(mark + cases[i].content));
        memset(aml->data + mark, 0x5a, cases[i].content);
        aml_close(aml, mark);
        CHECK_EQ(aml->len, 1 + cases[i].n + cases[i].content);
        CHECK(memcmp(aml->data + 1, cases[i].expected, cases[i].n) == 0);
        CHECK(cases[i].content == 0 || aml->data[aml->len - 1] == 0x5a);
    }
}

static void check_aml(GByteArray *aml, const char *expected, size_t n)
{
    if (aml->len != n || memcmp(aml->data, expected, n) != 0) {
        for (guint i = 0; i < aml->len; i++) {
            printf("# %02x\n", aml->data[i]);
        }
        test_fail(__FILE__, __LINE__, "%u bytes of AML differ", aml->len);
    }
    g_byte_array_set_size(aml, 0);
}
#define CHECK_AML(aml, text) check_aml(aml, text, sizeof(text) - 1)

TEST(terms_are_encoded_as_the_specification_says)
{
    g_autoptr(GByteArray) aml = g_byte_array_new();

    aml_integer(aml, 0);
    aml_integer(aml, 1);
    aml_integer(aml, 2);
    aml_integer(aml, 0x1234);
    aml_integer(aml, 0x12345678);
    aml_integer(aml, UINT64_C(0x123456789abcdef0));
    CHECK_AML(aml, "\x00\x01\x0a\x02\x0b\x34\x12\x0c\x78\x56\x34\x12"
                   "\x0e\xf0\xde\xbc\x9a\x78\x56\x34\x12");
    aml_eisa_id(aml, "PNP0A08");
    CHECK_AML(aml, "\x0c\x41\xd0\x0a\x08");
    aml_path(aml, "\\_SB.PCI0.ISA");
    CHECK_AML(aml, "\\\x2f\x03_SB_PCI0ISA_");
    aml_path(aml, "^^A.B1");
    CHECK_AML(aml, "^^\x2e"
                   "A___B1__");
    aml_string(aml, "abc");
    CHECK_AML(aml, "\x0d"
                   "abc\0");
    aml_uuid(aml, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    CHECK_AML(aml, "\x11\x13\x0a\x10\x5b\x4d\xdb\x33\xf7\x1f\x1c\x40\x96\x57\x74\x41\xc0\x3d\xd7"
                   "\x66");
}

TEST_MAIN(T(package_lengths_count_themselves), T(terms_are_encoded_as_the_specification_says))
