/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The LPC bridge and its power management block, programmed the way firmware and Linux do. */
#include "test.h"

#include "fake_machine.h"
#include "services.h"

enum {
    PM = 0x600, /* where firmware puts the block */
    PM1_STS = PM + 0x00,
    PM1_EN = PM + 0x02,
    PM1_CNT = PM + 0x04,
    PM_TMR = PM + 0x08,
    GPE0_STS = PM + 0x20,
    GPE0_EN = PM + 0x28,
    SMI_EN = PM + 0x30,
    SMI_STS = PM + 0x34,

    TMR = 1 << 0,
    PWRBTN = 1 << 8,
    SLPBTN = 1 << 9,
    WAK = 1 << 15,
    SLP_EN = 1 << 13,

    SCI = 1,
};

#define RCBA          UINT64_C(0xfed1c000)
#define SECOND        UINT64_C(1000000000)
#define TICKS_HALF_NS (UINT64_C(0x800000) * SECOND / 3579545 + 1)

static struct fake *fake;
static struct device *lpc;

static void setup(void)
{
    fake = fake_new(1 << 20);
    lpc = fake_add(fake, "ich9-lpc", NULL);
    fake_config_write(lpc, 0x40, 4, PM | 1);
    fake_config_write(lpc, 0x44, 1, 0x80);
    fake_config_write(lpc, 0xf0, 4, RCBA | 1);
}

TEST(reset_values)
{
    fake = fake_new(1 << 20);
    lpc = fake_add(fake, "ich9-lpc", NULL);
    for (unsigned offset = 0; offset < 256; offset += 4) {
        uint32_t expected = offset == 0x00   ? 0x29188086
                            : offset == 0x08 ? 0x06010002
                            : offset == 0x0c ? 0x00800000
                            : offset == 0x2c ? 0x11001af4
                            : offset == 0x40 ? 0x00000001
                            : offset == 0x60 ? 0x80808080
                            : offset == 0x68 ? 0x80808080
                                             : 0;

        CHECK_EQ(fake_config_read(lpc, offset, 4), expected);
    }
    CHECK_EQ(fake_in(fake, PM_TMR, 4), 0xffffffff);
    fake_config_write(lpc, 0x40, 4, PM | 1);
    CHECK_EQ(fake_config_read(lpc, 0x40, 4), PM | 1);
    CHECK_EQ(fake_in(fake, PM1_CNT, 2), 0xffff); /* a base, but not enabled */
    fake_config_write(lpc, 0x44, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(lpc, 0x44, 4), 0x80); /* the SCI cannot be moved from IRQ 9 */
    CHECK_EQ(fake_in(fake, PM1_STS, 4), 0);
    CHECK_EQ(fake_in(fake, PM1_CNT, 2), 0x0001);
    CHECK_EQ(fake_in(fake, SMI_EN, 4), 0x20);
    CHECK_EQ(fake_in(fake, SMI_STS, 4), 0);
    CHECK_EQ(fake_in(fake, GPE0_STS, 8), 0);
    CHECK_EQ(fake_in(fake, GPE0_EN, 8), 0);
    CHECK_EQ(fake_in(fake, PM + 0x60, 4), 0xffffffff); /* no watchdog */
    fake_config_write(lpc, 0x40, 2, 0xb000);
    CHECK_EQ(fake_in(fake, PM1_CNT, 2), 0xffff);
    CHECK_EQ(fake_in(fake, 0xb004, 2), 0x0001);
    fake_free(fake);
}

TEST(timer_counts)
{
    setup();
    CHECK_EQ(fake_in(fake, PM_TMR, 4), 0);
    fake_advance(fake, SECOND);
    CHECK_EQ(fake_in(fake, PM_TMR, 4), 3579545);
    fake_advance(fake, 999 * SECOND);
    CHECK_EQ(fake_in(fake, PM_TMR, 4), UINT64_C(3579545000) & 0xffffff);
    fake_out(fake, PM_TMR, 4, 0);
    CHECK_EQ(fake_in(fake, PM_TMR, 4), UINT64_C(3579545000) & 0xffffff);
    fake_free(fake);
}

TEST(timer_status)
{
    setup();
    fake_advance(fake, TICKS_HALF_NS);
    CHECK_EQ(fake_in(fake, PM1_STS, 2), TMR); /* seen without any host timer */
    CHECK(!fake_irq(lpc, SCI));
    fake_out(fake, PM1_EN, 2, TMR);
    CHECK(fake_irq(lpc, SCI));
    fake_out(fake, PM1_STS, 2, TMR);
    CHECK(!fake_irq(lpc, SCI));
    fake_advance(fake, TICKS_HALF_NS - 1000000);
    CHECK(!fake_irq(lpc, SCI));
    fake_advance(fake, 2000000);
    CHECK(fake_irq(lpc, SCI));
    CHECK_EQ(fake_irq_edges(lpc, SCI), 2);
    fake_out(fake, PM1_EN, 2, 0);
    CHECK(!fake_irq(lpc, SCI));
    CHECK(fake_save_load(lpc));
    fake_free(fake);
}

TEST(power_button)
{
    setup();
    lpc->class->on_event(lpc, EVENT_POWER_BUTTON);
    CHECK_EQ(fake_in(fake, PM1_STS, 2), PWRBTN);
    CHECK(!fake_irq(lpc, SCI));
    fake_out(fake, PM1_EN, 2, 0xffff);
    CHECK_EQ(fake_in(fake, PM1_EN, 2), 0x0721);
    CHECK(fake_irq(lpc, SCI));
    fake_out(fake, PM1_CNT, 2, 0); /* events go to SMI: nobody hears them */
    CHECK(!fake_irq(lpc, SCI));
    fake_out(fake, PM1_CNT, 2, 1);
    CHECK(fake_irq(lpc, SCI));
    CHECK(fake_save_load(lpc));
    fake_out(fake, PM1_STS, 1, 0xff); /* the low byte does not clear it */
    CHECK(fake_irq(lpc, SCI));
    fake_out(fake, PM1_STS + 1, 1, PWRBTN >> 8);
    CHECK(!fake_irq(lpc, SCI));
    lpc->class->on_event(lpc, EVENT_SLEEP_BUTTON);
    lpc->class->on_event(lpc, EVENT_WAKE);
    CHECK_EQ(fake_in(fake, PM1_STS, 2), SLPBTN | WAK);
    fake_reset(fake, RESET_WARM);
    CHECK(!fake_irq(lpc, SCI));
    fake_free(fake);
}

TEST(sleep_types)
{
    setup();
    fake_out(fake, PM1_CNT, 2, 0 << 10 | 1);
    CHECK_EQ(fake_requests(fake, REQUEST_POWER_OFF), 0);
    fake_out(fake, PM1_CNT, 2, 0 << 10 | SLP_EN | 1);
    CHECK_EQ(fake_requests(fake, REQUEST_POWER_OFF), 1);
    CHECK_EQ(fake_in(fake, PM1_CNT, 2), 1); /* SLP_EN is not kept */
    fake_out(fake, PM1_CNT, 2, 1 << 10 | SLP_EN | 1);
    CHECK_EQ(fake_requests(fake, REQUEST_SUSPEND), 1);
    CHECK_EQ(fake_in(fake, PM1_CNT, 2), 1 << 10 | 1);
    fake_out(fake, PM1_CNT + 1, 1, (2 << 10 | SLP_EN) >> 8);
    CHECK_EQ(fake_requests(fake, REQUEST_HIBERNATE), 1);
    CHECK_EQ(fake_guest_errors(lpc), 0);
    fake_out(fake, PM1_CNT, 2, 5 << 10 | SLP_EN | 1);
    CHECK_EQ(fake_guest_errors(lpc), 1);
    CHECK_EQ(fake_requests(fake, REQUEST_POWER_OFF), 1);
    fake_free(fake);
}

TEST(general_purpose_events)
{
    setup();
    lpc->class->on_event(lpc, EVENT_GENERATION);
    CHECK_EQ(fake_in(fake, GPE0_STS, 4), 0x20);
    CHECK(!fake_irq(lpc, SCI));
    fake_out(fake, GPE0_EN, 1, 0x20);
    CHECK(fake_irq(lpc, SCI));
    CHECK_EQ(fake_in(fake, GPE0_EN, 4), 0x20);
    fake_out(fake, GPE0_EN + 4, 4, 0xdeadbeef);
    CHECK_EQ(fake_in(fake, GPE0_EN, 8), 0xdeadbeef00000020);
    fake_out(fake, GPE0_STS, 1, 0x10);
    CHECK(fake_irq(lpc, SCI));
    CHECK(fake_save_load(lpc));
    fake_out(fake, GPE0_STS, 1, 0x20);
    CHECK(!fake_irq(lpc, SCI));
    fake_free(fake);
}

TEST(smi_enable_and_lock)
{
    setup();
    fake_out(fake, SMI_EN, 4, 0xffffffff);
    CHECK_EQ(fake_in(fake, SMI_EN, 4), 0x0006687f);
    fake_config_write(lpc, 0xa0, 2, 0x10);
    fake_config_write(lpc, 0xa0, 2, 0);
    CHECK_EQ(fake_config_read(lpc, 0xa0, 2), 0x10); /* once set it stays */
    CHECK(fake_save_load(lpc));
    fake_out(fake, SMI_EN, 4, 0);
    CHECK_EQ(fake_in(fake, SMI_EN, 4), 1);
    fake_config_write(lpc, 0xa0, 2, 0);
    CHECK_EQ(fake_config_read(lpc, 0xa0, 2), 0x10);
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_config_read(lpc, 0xa0, 2), 0);
    fake_config_write(lpc, 0xa0, 2, 0x0423);
    CHECK_EQ(fake_config_read(lpc, 0xa0, 2), 0x0423);
    fake_free(fake);
}

TEST(pirq_routing)
{
    setup();
    for (unsigned pirq = 0; pirq < 8; pirq++) {
        CHECK_EQ(fake_pirq(fake, pirq), 0x80);
    }
    fake_config_write(lpc, 0x60, 4, 0x0b0b0a0a);
    fake_config_write(lpc, 0x68, 4, 0x0b0b0a0a);
    CHECK_EQ(fake_pirq(fake, 0), 10);
    CHECK_EQ(fake_pirq(fake, 3), 11);
    CHECK_EQ(fake_pirq(fake, 4), 10);
    CHECK_EQ(fake_pirq(fake, 7), 11);
    fake_config_write(lpc, 0x69, 1, 0x85);
    CHECK_EQ(fake_pirq(fake, 5), 0x80);
    CHECK_EQ(fake_guest_errors(lpc), 0);
    fake_config_write(lpc, 0x69, 1, 0xf2);
    CHECK_EQ(fake_config_read(lpc, 0x69, 1), 0x82);
    fake_config_write(lpc, 0x69, 1, 0x02);
    CHECK_EQ(fake_pirq(fake, 5), 0x80); /* reserved */
    CHECK_EQ(fake_guest_errors(lpc), 1);
    CHECK(fake_save_load(lpc));
    fake_reset(fake, RESET_COLD);
    CHECK_EQ(fake_pirq(fake, 0), 0x80);
    CHECK_EQ(fake_config_read(lpc, 0x60, 4), 0x80808080);
    fake_free(fake);
}

TEST(chipset_configuration)
{
    setup();
    CHECK_EQ(fake_read(fake, RCBA + 0x3140, 2), 0x3210);
    CHECK_EQ(fake_read(fake, RCBA + 0x3140, 4), 0x00003210);
    CHECK_EQ(fake_read(fake, RCBA + 0x3144, 4), 0x32103210);
    CHECK_EQ(fake_read(fake, RCBA + 0x3148, 4), 0x00003210);
    CHECK_EQ(fake_read(fake, RCBA + 0x314c, 4), 0x00003210);
    CHECK_EQ(fake_read(fake, RCBA + 0x3150, 4), 0x00003210);
    CHECK_EQ(fake_read(fake, RCBA, 4), 0);
    CHECK_EQ(fake_read(fake, RCBA + 0x3ffc, 8), 0xffffffff00000000);
    fake_write(fake, RCBA + 0x3410, 4, 0); /* a watchdog driver tries to allow reboots */
    CHECK_EQ(fake_read(fake, RCBA + 0x3410, 4), 0x20);
    CHECK_EQ(fake_guest_errors(lpc), 0);
    fake_write(fake, RCBA + 0x3140, 2, 0);
    CHECK_EQ(fake_read(fake, RCBA + 0x3140, 2), 0x3210);
    CHECK_EQ(fake_guest_errors(lpc), 1);
    fake_config_write(lpc, 0xf0, 4, RCBA);
    CHECK_EQ(fake_read(fake, RCBA + 0x3140, 4), 0xffffffff);
    fake_free(fake);
}

TEST(fixed_ports)
{
    setup();
    fake_out(fake, 0x80, 1, 0x42);
    CHECK_EQ(fake_in(fake, 0x80, 1), 0x42);
    fake_out(fake, 0xb3, 1, 0x11);
    fake_out(fake, 0xb2, 1, 0x22);
    CHECK_EQ(fake_in(fake, 0xb2, 2), 0x1122);
    fake_out(fake, 0xf0, 1, 0);
    CHECK_EQ(fake_in(fake, 0xf0, 1), 0xff);
    CHECK_EQ(fake_guest_errors(lpc), 0);
    CHECK_EQ(fake_in(fake, 0x92, 1), 0x02);
    fake_out(fake, 0x92, 1, 0x00);
    CHECK_EQ(fake_in(fake, 0x92, 1), 0x02); /* A20 stays on */
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 0);
    fake_out(fake, 0x92, 1, 0x03);
    fake_out(fake, 0x92, 1, 0x03);
    CHECK_EQ(fake_requests(fake, REQUEST_RESET), 1);
    CHECK_EQ(fake_in(fake, 0x87, 1),
             0xff); /* no DMA controller: Linux looks at this page register */
    CHECK(fake_save_load(lpc));
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_in(fake, 0xb2, 2), 0);
    CHECK_EQ(fake_in(fake, 0x80, 1), 0);
    fake_free(fake);
}

TEST_MAIN(T(reset_values), T(timer_counts), T(timer_status), T(power_button), T(sleep_types),
          T(general_purpose_events), T(smi_enable_and_lock), T(pirq_routing),
          T(chipset_configuration), T(fixed_ports))
