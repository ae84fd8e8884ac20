/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SMBus host, probed as SeaBIOS, Linux's i2c_i801 and a memory tester do. */
#include "test.h"

#include "fake_machine.h"

enum {
    BASE = 0x700,
    HST_STS = BASE + 0,
    HST_CNT = BASE + 2,
    HST_CMD = BASE + 3,
    XMIT_SLVA = BASE + 4,
    HST_D0 = BASE + 5,
    HOST_BLOCK_DB = BASE + 7,
    AUX_CTL = BASE + 0x0d,
    DEV_ERR = 0x04,
    FAILED = 0x10,
    INUSE = 0x40,
    START = 0x40,
    KILL = 0x02,
    INTREN = 0x01,
};

static struct fake *fake;
static struct device *smbus;

static void setup(void)
{
    fake = fake_new(1 << 20);
    smbus = fake_add(fake, "ich9-smbus", NULL);
    fake_config_write(smbus, 0x20, 4, BASE | 1);
    fake_config_write(smbus, 0x40, 1, 1);
    fake_config_write(smbus, 0x04, 2, 1);
}

TEST(identity)
{
    setup();
    CHECK_EQ(fake_config_read(smbus, 0x00, 4), 0x29308086);
    CHECK_EQ(fake_config_read(smbus, 0x08, 4), 0x0c050002);
    CHECK_EQ(fake_config_read(smbus, 0x2c, 4), 0x11001af4);
    CHECK_EQ(fake_config_read(smbus, 0x0e, 1), 0x80);
    CHECK_EQ(fake_config_read(smbus, 0x3d, 1), 1);
    CHECK_EQ(fake_config_read(smbus, 0x20, 4), BASE | 1);
    fake_config_write(smbus, 0x40, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(smbus, 0x40, 4), 5);
    fake_config_write(smbus, 0x20, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(smbus, 0x20, 4), 0xffffffe1);
    fake_free(fake);
}

TEST(nobody_answers)
{
    setup();
    CHECK_EQ(fake_in(fake, HST_STS, 1), 0);
    fake_out(fake, HST_STS, 1, 0xff);
    fake_out(fake, XMIT_SLVA, 1, 0xa1);
    fake_out(fake, HST_CMD, 1, 0);
    fake_out(fake, HST_CNT, 1, START | 2 << 2);
    CHECK_EQ(fake_in(fake, HST_STS, 1), DEV_ERR);
    CHECK_EQ(fake_in(fake, HST_CNT, 1), 2 << 2);
    CHECK(!fake_irq(smbus, 0));
    fake_out(fake, HST_STS, 1, 0xff);
    CHECK_EQ(fake_in(fake, HST_STS, 1), 0);
    fake_config_write(smbus, 0x40, 1, 0); /* host disabled: nothing starts */
    fake_out(fake, HST_CNT, 1, START);
    CHECK_EQ(fake_in(fake, HST_STS, 1), INUSE);
    CHECK_EQ(fake_guest_errors(smbus), 0);
    fake_free(fake);
}

TEST(interrupt)
{
    setup();
    fake_out(fake, HST_CNT, 1, START | INTREN);
    CHECK(fake_irq(smbus, 0));
    CHECK_EQ(fake_config_read(smbus, 0x06, 2) & 8, 8);
    CHECK(fake_save_load(smbus));
    CHECK(fake_irq(smbus, 0));
    fake_out(fake, HST_STS, 1, DEV_ERR);
    CHECK(!fake_irq(smbus, 0));
    CHECK_EQ(fake_config_read(smbus, 0x06, 2) & 8, 0);
    fake_out(fake, HST_CNT, 1, KILL | INTREN);
    CHECK_EQ(fake_in(fake, HST_STS, 1), FAILED);
    CHECK(fake_irq(smbus, 0));
    fake_reset(fake, RESET_WARM);
    CHECK(!fake_irq(smbus, 0));
    fake_free(fake);
}

TEST(semaphore)
{
    setup();
    CHECK_EQ(fake_in(fake, HST_STS, 1), 0);
    CHECK_EQ(fake_in(fake, HST_STS, 1), INUSE);
    fake_out(fake, HST_STS, 1, INUSE);
    CHECK_EQ(fake_in(fake, HST_STS, 1), 0);
    fake_free(fake);
}

TEST(block_buffer)
{
    setup();
    fake_out(fake, AUX_CTL, 1, 0xff);
    CHECK_EQ(fake_in(fake, AUX_CTL, 1), 3); /* what i2c_i801 checks before it uses the buffer */
    fake_in(fake, HST_CNT, 1);
    for (unsigned i = 0; i < 40; i++) {
        fake_out(fake, HOST_BLOCK_DB, 1, i);
    }
    CHECK(fake_save_load(smbus));
    CHECK_EQ(fake_in(fake, HOST_BLOCK_DB, 1), 8);
    fake_in(fake, HST_CNT, 1);
    CHECK_EQ(fake_in(fake, HOST_BLOCK_DB, 1), 32);
    CHECK_EQ(fake_in(fake, HOST_BLOCK_DB, 1), 33);
    fake_out(fake, AUX_CTL, 1, 0);
    fake_out(fake, HOST_BLOCK_DB, 1, 0x55);
    CHECK_EQ(fake_in(fake, HOST_BLOCK_DB, 1), 0x55);
    CHECK_EQ(fake_in(fake, HOST_BLOCK_DB, 1), 0x55);
    fake_free(fake);
}

TEST(registers)
{
    setup();
    fake_out(fake, HST_D0, 2, 0xbeef);
    CHECK_EQ(fake_in(fake, HST_D0, 2), 0xbeef);
    CHECK_EQ(fake_in(fake, BASE + 9, 1), 0x44);
    CHECK_EQ(fake_in(fake, BASE + 0x0e, 2), 0x0707);
    fake_out(fake, BASE + 0x0f, 1, 0);
    CHECK_EQ(fake_in(fake, BASE + 0x0f, 1), 0x03);
    CHECK_EQ(fake_guest_errors(smbus), 0);
    fake_out(fake, BASE + 0x1f, 1, 1);
    CHECK_EQ(fake_guest_errors(smbus), 1);
    CHECK_EQ(fake_in(fake, BASE + 0x1f, 1), 0);
    fake_free(fake);
}

TEST_MAIN(T(identity), T(nobody_answers), T(interrupt), T(semaphore), T(block_buffer), T(registers))
