/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 82574L network card: what its drivers do at the start, interrupts, reset. */
#include "test.h"

#include "bytes.h"
#include "e1000e_driver.h"

static struct card card;

static void setup(void)
{
    card_open(&card);
    card_start(&card);
}

static void finish(void)
{
    CHECK_STR(fake_last_guest_error(card.device), "");
    card_close(&card);
}

static uint8_t *frame_put(uint32_t length)
{
    uint8_t *at = fake_ram(card.fake) + CARD_DATA;

    for (uint32_t i = 0; i < length; i++) {
        at[i] = (uint8_t)(i * 7 + length);
    }
    return at;
}

static const uint8_t own[] = { 0x52, 0x4f, 0, 1, 2, 3 };

static bool arrives(const uint8_t *to, uint32_t length)
{
    uint8_t bytes[9000];

    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 3 + length);
    }
    memcpy(bytes, to, 6);
    store_be16(bytes + 12, 0x88b5);
    return fake_net_receive(card.device, NULL, bytes, length);
}

/* --- Start ------------------------------------------------------------------------------- */

static uint16_t nvm_word(unsigned word)
{
    card_write(&card, EERD, word << 2 | 1);
    CHECK(card_read(&card, EERD) & 2);
    return (uint16_t)(card_read(&card, EERD) >> 16);
}

TEST(identity_and_nvm)
{
    uint16_t sum = 0;

    setup();
    CHECK_EQ(fake_config_read(card.device, 0, 4), 0x10d38086);
    CHECK_EQ(fake_config_read(card.device, 8, 4) >> 8, 0x020000);
    for (unsigned word = 0; word < 64; word++) {
        sum = (uint16_t)(sum + nvm_word(word));
    }
    CHECK_EQ(sum, 0xbaba);
    CHECK_EQ(nvm_word(0), 0x4f52);
    CHECK_EQ(nvm_word(0x3fff), 0);
    CHECK_EQ(card_read(&card, RAL), 0x01004f52);
    CHECK_EQ(card_read(&card, RAL + 4), 0x80000302);
    CHECK_EQ(card_read(&card, EECD) & 0x300, 0x300);
    card_write(&card, EEWR, 0x1234u << 16 | 5 << 2 | 1);
    CHECK_EQ(nvm_word(5), 0x1234);
    device_reset(card.device, RESET_COLD);
    fake_map_bar(card.device, 0, CARD_REGISTERS);
    CHECK(nvm_word(5) != 0x1234);
    CHECK_EQ(fake_read(card.fake, CARD_FLASH, 4), UINT32_MAX);
    finish();
}

static uint32_t phy(unsigned operation, unsigned address, unsigned number, uint16_t value)
{
    card_write(&card, MDIC, operation << 26 | address << 21 | number << 16 | value);
    CHECK(card_read(&card, MDIC) & 1u << 28);
    return card_read(&card, MDIC);
}

TEST(phy_and_link)
{
    setup();
    CHECK_EQ(phy(2, 1, 2, 0) & 0xffff, 0x0141);
    CHECK_EQ(phy(2, 1, 3, 0) & 0xffff, 0x0cb1);
    CHECK(phy(2, 2, 2, 0) & 1u << 30);
    CHECK(phy(2, 1, 1, 0) & 4);
    CHECK_EQ(card_read(&card, STATUS) & 0xc3, 0x83);
    /* Another page has registers of its own from 16 on. */
    phy(1, 1, 22, 2);
    phy(1, 1, 16, 0xabcd);
    CHECK_EQ(phy(2, 1, 16, 0) & 0xffff, 0xabcd);
    CHECK_EQ(phy(2, 1, 2, 0) & 0xffff, 0x0141);
    phy(1, 1, 22, 0xff);
    CHECK_EQ(phy(2, 1, 16, 0) & 0xffff, 0);
    phy(1, 1, 22, 0);
    CHECK_EQ(phy(2, 1, 16, 0) & 0xffff, 0x0360);
    card_read(&card, ICR);
    card_write(&card, IMS, LSC);
    fake_net_link(card.device, false);
    CHECK(fake_irq(card.device, 0));
    CHECK(!(card_read(&card, STATUS) & 2));
    CHECK(!(phy(2, 1, 1, 0) & 4));
    CHECK_EQ(card_read(&card, ICR), 0x80000000u | LSC);
    CHECK(!fake_irq(card.device, 0));
    fake_net_link(card.device, true);
    CHECK_EQ(card_read(&card, ICR), 0x80000000u | LSC);
    phy(1, 1, 0, 0x1340); /* negotiates again: at once, and says so */
    CHECK_EQ(phy(2, 1, 0, 0) & 0xffff, 0x1140);
    CHECK_EQ(card_read(&card, ICR), 0x80000000u | LSC);
    finish();
}

TEST(registers)
{
    setup();
    CHECK_EQ(card_read(&card, SWSM) & 1, 0);
    CHECK_EQ(card_read(&card, SWSM) & 1, 1);
    card_write(&card, SWSM, 2);
    CHECK_EQ(card_read(&card, SWSM), 2);
    card_write(&card, CTRL, card_read(&card, CTRL) | 4);
    CHECK(!(card_read(&card, STATUS) & 1u << 19));
    /* Through the ports, and at an old address. */
    fake_out(card.fake, CARD_PORTS, 4, RAL);
    CHECK_EQ(fake_in(card.fake, CARD_PORTS + 4, 4), 0x01004f52);
    fake_out(card.fake, CARD_PORTS, 4, VFTA + 4);
    fake_out(card.fake, CARD_PORTS + 4, 4, 0x55);
    CHECK_EQ(card_read(&card, VFTA + 4), 0x55);
    CHECK_EQ(card_read(&card, 0x604), 0x55);
    card_write(&card, RCTL, 0);
    card_write(&card, IMS, LSC);
    card_write(&card, CTRL, 1u << 26);
    CHECK_EQ(card_read(&card, CTRL) & 1u << 26, 0);
    CHECK_EQ(card_read(&card, VFTA + 4), 0);
    CHECK_EQ(card_read(&card, IMS), 0);
    CHECK_EQ(card_read(&card, RAL), 0x01004f52);
    CHECK_EQ(fake_guest_errors(card.device), 0);
    card_write(&card, 0x5f00, 1);
    CHECK_EQ(fake_guest_errors(card.device), 1);
    fake_out(card.fake, CARD_PORTS, 4, 0x7fffffff);
    fake_out(card.fake, CARD_PORTS + 4, 4, 1);
    CHECK_EQ(fake_guest_errors(card.device), 2);
    card_close(&card);
}

/* --- Interrupts -------------------------------------------------------------------------- */

TEST(icr)
{
    setup();
    card_write(&card, ICS, LSC);
    CHECK(!fake_irq(card.device, 0));
    CHECK_EQ(card_read(&card, ICR), LSC); /* everything is masked: cleared */
    CHECK_EQ(card_read(&card, ICR), 0);
    card_write(&card, IMS, RXT0);
    card_write(&card, ICS, LSC);
    CHECK_EQ(card_read(&card, ICR), LSC); /* not asserted: stays */
    CHECK_EQ(card_read(&card, ICR), LSC);
    card_write(&card, IMS, LSC);
    CHECK(fake_irq(card.device, 0));
    CHECK_EQ(card_read(&card, ICS), LSC);
    card_write(&card, IMC, LSC);
    CHECK(!fake_irq(card.device, 0));
    card_write(&card, IMS, LSC);
    card_write(&card, ICR, LSC);
    CHECK(!fake_irq(card.device, 0));
    card_write(&card, CTRL_EXT, 1u << 27);
    card_write(&card, IAM, RXT0 | LSC);
    card_write(&card, ICS, LSC);
    CHECK(fake_irq(card.device, 0));
    CHECK_EQ(card_read(&card, ICR), 0x80000000u | LSC); /* IAME: masks, too */
    CHECK_EQ(card_read(&card, IMS), 0);
    finish();
}

TEST(moderation)
{
    setup();
    card_write(&card, ITR, 1000); /* 256 us */
    card_write(&card, IMS, LSC);
    card_write(&card, ICS, LSC);
    CHECK(fake_irq(card.device, 0));
    card_read(&card, ICR);
    card_write(&card, ICS, LSC);
    CHECK(!fake_irq(card.device, 0));
    CHECK(fake_save_load(card.device));
    fake_advance(card.fake, 255000);
    CHECK(!fake_irq(card.device, 0));
    fake_advance(card.fake, 2000);
    CHECK(fake_irq(card.device, 0));
    card_read(&card, ICR);
    fake_advance(card.fake, 1000000);
    card_write(&card, ICS, LSC);
    CHECK(fake_irq(card.device, 0));
    card_read(&card, ICR);
    card_write(&card, ITR, 0);
    /* RDTR and TIDV. */
    card_write(&card, IMS, RXT0 | TXDW);
    card_write(&card, RDTR, 100);
    card_write(&card, TIDV, 200);
    card_buffers(&card, 0, 4, 16);
    arrives(own, 60);
    frame_put(60);
    card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP | CMD_RS | CMD_IDE, 0);
    card_send(&card, 0);
    CHECK(!fake_irq(card.device, 0));
    fake_advance(card.fake, 110000);
    CHECK_EQ(card_read(&card, ICR) & (RXT0 | TXDW), RXT0);
    fake_advance(card.fake, 110000);
    CHECK_EQ(card_read(&card, ICR) & (RXT0 | TXDW), TXDW);
    finish();
}

TEST(msi)
{
    unsigned at;

    setup();
    at = (unsigned)fake_config_read(card.device, 0x34, 1);
    while (fake_config_read(card.device, at, 1) != 0x05) {
        at = (unsigned)fake_config_read(card.device, at + 1, 1);
    }
    fake_config_write(card.device, at + 4, 4, CARD_MSI_ADDRESS);
    fake_config_write(card.device, at + 12, 2, 0x33);
    fake_config_write(card.device, at + 2, 2, 1);
    card_write(&card, IMS, LSC);
    card_write(&card, ICS, LSC);
    CHECK_EQ(fake_msi_count(card.device), 1);
    CHECK_EQ(fake_msi_data(card.device), 0x33);
    card_read(&card, ICR);
    card_write(&card, ICS, LSC);
    CHECK_EQ(fake_msi_count(card.device), 2);
    CHECK(!fake_irq(card.device, 0));
    finish();
}

TEST(msix)
{
    setup();
    card_msix(&card);
    card_write(&card, EIAC, RXQ0 | TXQ0);
    card_write(&card, IMS, RXQ0 | TXQ0 | OTHER | LSC);
    card_buffers(&card, 0, 8, 16);
    arrives(own, 60);
    CHECK_EQ(fake_msi_count(card.device), 1);
    CHECK_EQ(fake_msi_data(card.device), CARD_MSI_DATA);
    CHECK_EQ(card_read(&card, IMS) & RXQ0, 0); /* masked until the driver has looked */
    arrives(own, 60);
    CHECK_EQ(fake_msi_count(card.device), 1);
    card_write(&card, IMS, RXQ0);
    CHECK_EQ(fake_msi_count(card.device), 2);
    frame_put(60);
    card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_msi_count(card.device), 3);
    CHECK_EQ(fake_msi_data(card.device), CARD_MSI_DATA + 2);
    fake_net_link(card.device, false);
    CHECK_EQ(fake_msi_count(card.device), 4);
    CHECK_EQ(fake_msi_data(card.device), CARD_MSI_DATA + 4);
    CHECK_EQ(card_read(&card, ICR) & (0x80000000u | OTHER | LSC), 0x80000000u | OTHER | LSC);
    CHECK_EQ(card_read(&card, ICR) & (OTHER | LSC), 0);
    card_write(&card, ICS, LSC);
    CHECK_EQ(fake_msi_count(card.device), 5);
    /* EITR holds one back, and a save in between does not lose it. */
    card_write(&card, EITR, 400);
    card_write(&card, IMS, RXQ0);
    arrives(own, 60);
    card_write(&card, IMS, RXQ0);
    arrives(own, 60);
    CHECK_EQ(fake_msi_count(card.device), 6);
    CHECK(fake_save_load(card.device));
    fake_advance(card.fake, 103000);
    CHECK_EQ(fake_msi_count(card.device), 7);
    /* An entry that is not valid sends nothing. */
    card_write(&card, IVAR, 0);
    card_write(&card, IMS, RXQ0);
    arrives(own, 60);
    CHECK_EQ(fake_msi_count(card.device), 7);
    finish();
}

TEST(reset_in_the_middle)
{
    setup();
    card_write(&card, RDTR, 100);
    card_write(&card, IMS, RXT0);
    card_buffers(&card, 0, 4, 16);
    arrives(own, 60);
    card_write(&card, CTRL, 1u << 26);
    fake_advance(card.fake, 1000000);
    CHECK(!fake_irq(card.device, 0));
    CHECK_EQ(card_read(&card, ICR), 0);
    memset(card.tx_tail, 0, sizeof(card.tx_tail));
    card_start(&card);
    frame_put(60);
    card_descriptor(&card, 0, CARD_DATA, 60 | CMD_EOP | CMD_RS, 0);
    card_send(&card, 0);
    CHECK_EQ(fake_net_sent(card.device), 1);
    finish();
}

TEST(bad_address)
{
    static const char *const bad[] = { "", "52:4f:00:01:02", "53:4f:00:01:02:03",
                                       "52-4f-00-01-02-03" };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fake *fake = fake_new(4096);
        struct option_value values[] = { { "mac", bad[i] }, { NULL, NULL } };
        struct dev_error error = { "" };

        CHECK(!fake_try_add(fake, "e1000e", values, &error));
        CHECK(strstr(error.message, "six pairs"));
        fake_free(fake);
    }
}

TEST_MAIN(T(identity_and_nvm), T(phy_and_link), T(registers), T(icr), T(moderation), T(msi),
          T(msix), T(reset_in_the_middle), T(bad_address))
