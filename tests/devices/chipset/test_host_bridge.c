/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration mechanism 1, ECAM, PAM, reset control: driven through the ports, as firmware does.
 */
#include "test.h"

#include "fake_machine.h"

enum {
    CF8 = 0xcf8,
    CF9 = 0xcf9,
    CFC = 0xcfc,
    PCIEXBAR = 0x60,
    PAM0 = 0x90,
};

#define ECAM 0xb0000000u

/* The bridge is the first PCI function of the fake machine and gets slot 1 there, the second
 * slot 2. */
static struct fake *fake;
static struct device *bridge, *other;

static void setup(void)
{
    fake = fake_new(1 << 20);
    bridge = fake_add(fake, "q35-host", NULL);
    other = fake_add(fake, "q35-host", NULL);
}

static uint32_t config_address(struct device *device, unsigned offset)
{
    return 0x80000000 | fake_bdf(device) << 8 | (offset & 0xfc);
}

static uint64_t config_read(struct device *device, unsigned offset, unsigned size)
{
    fake_out(fake, CF8, 4, config_address(device, offset));
    return fake_in(fake, (uint16_t)(CFC + (offset & 3)), size);
}

static void config_write(struct device *device, unsigned offset, unsigned size, uint32_t value)
{
    fake_out(fake, CF8, 4, config_address(device, offset));
    fake_out(fake, (uint16_t)(CFC + (offset & 3)), size, value);
}

TEST(reset_values)
{
    setup();
    for (unsigned offset = 0; offset < 256; offset += 4) {
        uint32_t expected = offset == 0x00   ? 0x29c08086
                            : offset == 0x08 ? 0x06000000
                            : offset == 0x2c ? 0x11001af4
                            : offset == 0x50 ? 0x00000010
                            : offset == 0x60 ? 0xb0000000
                            : offset == 0x9c ? 0x00380200
                                             : 0;

        CHECK_EQ(config_read(bridge, offset, 4), expected);
    }
    fake_free(fake);
}

TEST(mechanism_1)
{
    setup();
    CHECK_EQ(fake_in(fake, CF8, 4), 0);
    CHECK_EQ(fake_in(fake, CFC, 4), 0xffffffff); /* not enabled */
    fake_out(fake, CF8, 4, 0x80000000);
    CHECK_EQ(fake_in(fake, CF8, 4), 0x80000000);
    CHECK_EQ(fake_in(fake, CFC, 4), 0xffffffff); /* nothing at 00:00.0 here */
    CHECK_EQ(config_read(bridge, 0x02, 2), 0x29c0);
    CHECK_EQ(config_read(bridge, 0x01, 1), 0x80);
    CHECK_EQ(config_read(other, 0x00, 4), 0x29c08086);
    config_write(other, 0x3c, 1, 0x5a);
    CHECK_EQ(fake_config_read(other, 0x3c, 1), 0); /* no interrupt pin, no line register */
    config_write(other, 0x0c, 1, 0x10);
    CHECK_EQ(fake_config_read(other, 0x0c, 1), 0x10);
    CHECK_EQ(fake_config_read(bridge, 0x0c, 1), 0);

    /* Narrow accesses at CF8 neither read nor change the latch. */
    fake_out(fake, CF8, 4, 0x80001234);
    fake_out(fake, CF8, 1, 0);
    fake_out(fake, CF8, 2, 0);
    fake_out(fake, CF8 + 2, 2, 0);
    fake_out(fake, CF8 + 3, 1, 0);
    CHECK_EQ(fake_in(fake, CF8, 4), 0x80001234);
    CHECK_EQ(fake_in(fake, CF8, 2), 0xffff);
    CHECK_EQ(fake_in(fake, CF8 + 3, 1), 0xff);

    fake_out(fake, CF8, 4, config_address(other, 0x0c) & 0x7fffffff);
    fake_out(fake, CFC, 4, 0x20);
    CHECK_EQ(fake_config_read(other, 0x0c, 1), 0x10); /* dropped while not enabled */
    fake_free(fake);
}

TEST(reset_control)
{
    setup();
    CHECK_EQ(fake_in(fake, CF9, 1), 0);
    fake_out(fake, CF9, 1, 0x02);
    CHECK_EQ(fake_in(fake, CF9, 1), 0x02);
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 0);
    fake_out(fake, CF9, 1, 0x06);
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 1);
    fake_out(fake, CF9, 1, 0x06); /* no edge */
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 1);
    CHECK_EQ(fake_in(fake, CF8, 4), 0); /* the latch is another register */
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_in(fake, CF9, 1), 0);
    fake_out(fake, CF9, 1, 0x0f); /* what ACPI's reset register writes */
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 2);
    CHECK_EQ(fake_in(fake, CF9, 1), 0x0e);
    fake_free(fake);
}

static uint64_t ecam_address(uint64_t base, struct device *device, unsigned offset)
{
    return base + ((uint64_t)fake_bdf(device) << 12) + offset;
}

TEST(ecam)
{
    setup();
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0), 4), 0xffffffff);
    config_write(bridge, PCIEXBAR, 4, 0); /* as firmware does: low 0, high, low with enable */
    config_write(bridge, PCIEXBAR + 4, 4, 0);
    config_write(bridge, PCIEXBAR, 4, ECAM | 1);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0), 4), 0x29c08086);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, bridge, 0), 4), 0x29c08086);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 2), 2), 0x29c0);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0), 8), 0x0000000029c08086);
    fake_write(fake, ecam_address(ECAM, other, 0x0c), 1, 0x33);
    CHECK_EQ(fake_config_read(other, 0x0c, 4), 0x33);
    CHECK_EQ(fake_read(fake, ECAM + (255u << 20), 4), 0xffffffff);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0xffc), 4), 0xffffffff);

    /* The bridge's own base can be changed through the window itself. */
    fake_write(fake, ecam_address(ECAM, bridge, PCIEXBAR), 4, 0xa8000003);
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0), 4), 0xffffffff);
    CHECK_EQ(fake_read(fake, ecam_address(0xa8000000, other, 0), 4), 0x29c08086);
    CHECK_EQ(fake_read(fake, 0xa8000000 + (128u << 20), 4), 0xffffffff); /* bus 128 */
    config_write(bridge, PCIEXBAR, 4, 0xac000005);
    CHECK_EQ(fake_read(fake, ecam_address(0xac000000, other, 0), 4), 0x29c08086);
    config_write(bridge, PCIEXBAR, 4, ECAM | 7); /* reserved length */
    CHECK_EQ(fake_read(fake, ecam_address(ECAM, other, 0), 4), 0xffffffff);
    config_write(bridge, PCIEXBAR + 4, 4, 0xfffffff8);
    config_write(bridge, PCIEXBAR, 4, ECAM | 1);
    CHECK_EQ(config_read(bridge, PCIEXBAR + 4, 4), 8);
    CHECK_EQ(fake_read(fake, ecam_address(0x8b0000000, other, 0), 4), 0x29c08086);
    CHECK(fake_save_load(bridge));
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(config_read(bridge, PCIEXBAR, 4), ECAM);
    CHECK_EQ(config_read(bridge, PCIEXBAR + 4, 4), 0);
    CHECK_EQ(fake_read(fake, ecam_address(0x8b0000000, other, 0), 4), 0xffffffff);
    fake_free(fake);
}

static unsigned pam(unsigned segment)
{
    bool write;
    bool read = fake_pam(fake, segment, &write);

    return (read ? 1 : 0) | (write ? 2 : 0);
}

TEST(memory_attributes)
{
    setup();
    config_write(bridge, PAM0, 4, 0xffffffff);
    CHECK_EQ(config_read(bridge, PAM0, 4), 0x33333330);
    CHECK_EQ(pam(0), 3);
    CHECK_EQ(pam(6), 3);
    CHECK_EQ(pam(7), 0);
    config_write(bridge, PAM0, 4, 0x11111110);
    config_write(bridge, PAM0 + 4, 4, 0x00003311);
    CHECK_EQ(config_read(bridge, PAM0 + 4, 4), 0x00003311);
    CHECK_EQ(pam(0), 1);
    CHECK_EQ(pam(1), 1);
    CHECK_EQ(pam(8), 1);
    CHECK_EQ(pam(9), 3);
    CHECK_EQ(pam(10), 3);
    CHECK_EQ(pam(11), 0);
    CHECK_EQ(pam(12), 0);
    config_write(bridge, PAM0 + 6, 1, 0x20);
    CHECK_EQ(pam(11), 0);
    CHECK_EQ(pam(12), 2);
    CHECK(fake_save_load(bridge));
    CHECK_EQ(pam(9), 3);
    fake_reset(fake, RESET_WARM);
    for (unsigned segment = 0; segment < PAM_SEGMENTS; segment++) {
        CHECK_EQ(pam(segment), 0);
    }
    fake_free(fake);
}

TEST(system_management_is_absent)
{
    setup();
    config_write(bridge, 0x50, 4, 0xffffffff);
    config_write(bridge, 0x9c, 4, 0xffffffff);
    CHECK_EQ(config_read(bridge, 0x50, 4), 0x10);
    CHECK_EQ(config_read(bridge, 0x9c, 4), 0x00380200);
    fake_free(fake);
}

TEST_MAIN(T(reset_values), T(mechanism_1), T(reset_control), T(ecam), T(memory_attributes),
          T(system_management_is_absent))
