/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vmgenid.h"

#include "fake_machine.h"
#include "test.h"

static const struct option_value values[] = { { "guid", "00112233-4455-6677-8899-aabbccddeeff" },
                                              { NULL } };
/* As it lies in memory. */
static const uint8_t guid[16] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void renew(struct device *d)
{
    d->class->on_event(d, EVENT_GENERATION);
}

TEST(writes_the_id)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "vmgenid", values);
    uint8_t *page = fake_ram(m) + 0x7000;

    vmgenid_set_page(d, 0x7000);
    CHECK(fake_save_load(d));
    CHECK_EQ(page[VMGENID_OFFSET], 0); /* nothing is written before it changes */
    memset(page, 0xee, VMGENID_PAGE_SIZE);
    d->class->on_event(d, EVENT_POWER_BUTTON);
    CHECK_EQ(page[VMGENID_OFFSET], 0xee);
    renew(d);
    CHECK(memcmp(page + VMGENID_OFFSET, guid, 16) == 0);
    CHECK_EQ(page[VMGENID_OFFSET - 1], 0xee);
    CHECK_EQ(page[VMGENID_OFFSET + 16], 0xee);
    fake_free(m);
}

TEST(forgets_the_page_at_reset)
{
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "vmgenid", values);

    renew(d);
    vmgenid_set_page(d, 0x7000);
    fake_reset(m, RESET_WARM);
    renew(d);
    CHECK_EQ(fake_ram(m)[0x7000 + VMGENID_OFFSET], 0);
    CHECK_EQ(fake_guest_errors(d), 0);
    fake_free(m);
}

TEST(bad_addresses)
{
    static const uint64_t bad[] = { (1 << 20) - VMGENID_OFFSET - 15, UINT64_C(0xfee00000),
                                    UINT64_MAX - 39, UINT64_MAX };
    struct fake *m = fake_new(1 << 20);
    struct device *d = fake_add(m, "vmgenid", values);

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        vmgenid_set_page(d, bad[i]);
        renew(d);
        CHECK_EQ(fake_guest_errors(d), i + 1);
    }
    for (unsigned i = 0; i < 16; i++) { /* the wrapped address */
        CHECK_EQ(fake_ram(m)[i], 0);
    }
    fake_free(m);
}

TEST_MAIN(T(writes_the_id), T(forgets_the_page_at_reset), T(bad_addresses))
