/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A root port, enumerated as firmware and Linux do. */
#include "test.h"

#include "fake_machine.h"
#include "pci.h"
#include "root_port.h"

static struct fake *fake;
static struct device *port;

static void setup(const struct option_value *values)
{
    fake = fake_new(1 << 20);
    port = fake_add(fake, "pcie-root-port", values);
}

static unsigned capability(uint8_t id)
{
    unsigned at = fake_config_read(port, 0x34, 1);

    for (unsigned steps = 0; at && steps < 48; steps++) {
        if (fake_config_read(port, at, 1) == id) {
            return at;
        }
        at = fake_config_read(port, at + 1, 1);
    }
    return 0;
}

TEST(bridge_header)
{
    setup(NULL);
    CHECK_EQ(fake_config_read(port, 0x00, 4), 0x000c1b36);
    CHECK_EQ(fake_config_read(port, 0x08, 4), 0x06040000);
    CHECK_EQ(fake_config_read(port, 0x0e, 1), 0x01);
    CHECK_EQ(fake_config_read(port, 0x3d, 1), 1);
    CHECK_EQ(fake_config_read(port, 0x2c, 4), 0); /* upper limit of a window, no subsystem */
    /* The windows are closed until somebody opens them. */
    CHECK_EQ(fake_config_read(port, 0x1c, 2), 0x00f0);
    CHECK_EQ(fake_config_read(port, 0x20, 4), 0x0000fff0);
    CHECK_EQ(fake_config_read(port, 0x24, 4), 0x0001fff1);
    fake_config_write(port, 0x1c, 2, 0xffff);
    fake_config_write(port, 0x20, 4, 0xffffffff);
    fake_config_write(port, 0x24, 4, 0xffffffff);
    fake_config_write(port, 0x28, 4, 0x12345678);
    fake_config_write(port, 0x30, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(port, 0x1c, 2), 0xf0f0);
    CHECK_EQ(fake_config_read(port, 0x20, 4), 0xfff0fff0);
    CHECK_EQ(fake_config_read(port, 0x24, 4), 0xfff1fff1);
    CHECK_EQ(fake_config_read(port, 0x28, 4), 0x12345678);
    CHECK_EQ(fake_config_read(port, 0x30, 4), 0); /* 16-bit I/O */
    CHECK_EQ(fake_config_read(port, 0x38, 4), 0); /* no ROM */
    CHECK(fake_save_load(port));
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_config_read(port, 0x1c, 2), 0x00f0);
    CHECK_EQ(fake_config_read(port, 0x28, 4), 0);
    fake_free(fake);
}

TEST(bus_numbers)
{
    struct pci_device *bridge;

    setup(NULL);
    bridge = to_pci(port);
    CHECK(!pci_bridge_claims(bridge, 0));
    fake_config_write(port, 0x18, 4, 0xff050200);
    CHECK_EQ(fake_config_read(port, 0x18, 4), 0x00050200);
    CHECK(!pci_bridge_claims(bridge, 1));
    CHECK(pci_bridge_claims(bridge, 2));
    CHECK(pci_bridge_claims(bridge, 5));
    CHECK(!pci_bridge_claims(bridge, 6));
    fake_config_write(port, 0x18, 4, 0x00ff0000);
    CHECK(!pci_bridge_claims(bridge, 0)); /* not numbered yet: nothing is behind it */
    CHECK(!pci_bridge_claims(bridge, 7));
    fake_config_write(port, 0x18, 4, 0x00020300); /* subordinate below secondary */
    CHECK(!pci_bridge_claims(bridge, 2));
    CHECK(!pci_bridge_claims(bridge, 3));
    fake_free(fake);
}

TEST(slot)
{
    unsigned at;

    setup((struct option_value[]){ { "slot", "5" }, { "occupied", "true" }, { NULL } });
    at = capability(0x10);
    CHECK(at > 0);
    CHECK_EQ(fake_config_read(port, at + 2, 2), 0x0142); /* version 2, root port, slot */
    CHECK_EQ(fake_config_read(port, at + 0x14, 4), 5u << 19);
    CHECK_EQ(fake_config_read(port, at + 0x1a, 2), 0x0040);
    fake_config_write(port, at + 0x18, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(port, at + 0x18, 4),
             0x00400000); /* no hot plug: nothing to control */
    fake_config_write(port, at + 0x1c, 2, 0xffff);
    CHECK_EQ(fake_config_read(port, at + 0x1c, 2), 0x000f);
    CHECK(fake_save_load(port));
    fake_reset(fake, RESET_COLD);
    CHECK_EQ(fake_config_read(port, at + 0x1c, 2), 0);
    CHECK_EQ(fake_config_read(port, at + 0x1a, 2), 0x0040);
    fake_free(fake);

    setup(NULL);
    CHECK_EQ(fake_config_read(port, capability(0x10) + 0x14, 4), 0);
    CHECK_EQ(fake_config_read(port, capability(0x10) + 0x1a, 2), 0);
    CHECK(capability(0x05) > 0);
    fake_free(fake);
}

/* --- Hot plug --------------------------------------------------------------------------------- */

enum {
    CONTROL = 0x18,
    STATUS = 0x1a,
    ALL_EVENTS = 0x1039, /* button, presence, completed, interrupt, link */
    POWER_ON = 0x0100,   /* with its indicator */
    POWER_OFF = 0x0700,
};

static void setup_hotplug(const char *occupied)
{
    setup((struct option_value[]){
        { "slot", "3" }, { "hotplug", "true" }, { "occupied", occupied }, { NULL } });
}

/* What a driver does first: MSI on, what was is forgotten, all events wanted. */
static unsigned driver_start(uint16_t power)
{
    unsigned at = capability(0x10), msi = capability(0x05);

    fake_config_write(port, 0x04, 2, 0x0006); /* memory, bus master */
    fake_config_write(port, msi + 4, 4, 0xfee00000);
    fake_config_write(port, msi + 12, 2, 0x41);
    fake_config_write(port, msi + 2, 2, 1);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | power);
    fake_config_write(port, at + STATUS, 2, 0x0119);
    return at;
}

TEST(hotplug_registers)
{
    unsigned at;

    setup_hotplug("false");
    at = capability(0x10);
    CHECK_EQ(fake_config_read(port, at + 0x14, 4), 3u << 19 | 0x7b);
    CHECK_EQ(fake_config_read(port, at + 0x0c, 4) & 1u << 20, 1u << 20);
    CHECK_EQ(fake_config_read(port, at + CONTROL, 2), 0x07c0); /* off, and its lamps */
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0);
    CHECK_EQ(fake_config_read(port, at + 0x12, 2), 0x0011); /* no link */
    fake_config_write(port, at + CONTROL, 2, 0xffff);
    CHECK_EQ(fake_config_read(port, at + CONTROL, 2), 0x17f9);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0010); /* the command has completed */
    fake_config_write(port, at + STATUS, 2, 0x0010);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0);
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_config_read(port, at + CONTROL, 2), 0x07c0);
    fake_free(fake);

    setup_hotplug("true");
    CHECK_EQ(fake_config_read(port, at + CONTROL, 2), 0x01c0);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0040);
    CHECK_EQ(fake_config_read(port, at + 0x12, 2), 0x2011);
    CHECK(fake_save_load(port));
    fake_free(fake);
}

TEST(multifunction)
{
    setup((struct option_value[]){ { "multifunction", "true" }, { NULL } });
    CHECK_EQ(fake_config_read(port, 0x0e, 1), 0x81);
    fake_reset(fake, RESET_COLD);
    CHECK_EQ(fake_config_read(port, 0x0e, 1), 0x81);
    fake_free(fake);
}

TEST(card_comes)
{
    unsigned at, sent;

    setup_hotplug("false");
    at = driver_start(POWER_OFF);
    sent = fake_msi_count(port);
    root_port_insert(port);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0049);
    CHECK_EQ(fake_config_read(port, at + 0x12, 2), 0x2011);
    CHECK_EQ(fake_msi_count(port), sent + 1);
    CHECK_EQ(fake_msi_data(port), 0x41);
    /* The next event interrupts only when what was told before has been taken. */
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_ON);
    CHECK_EQ(fake_msi_count(port), sent + 1);
    fake_config_write(port, at + STATUS, 2, 0x0059);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0040);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_ON);
    CHECK_EQ(fake_msi_count(port), sent + 2);
    /* The card stays through a reset. */
    fake_reset(fake, RESET_WARM);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0040);
    CHECK_EQ(fake_config_read(port, at + CONTROL, 2), 0x01c0);
    fake_free(fake);
}

TEST(card_goes)
{
    unsigned at, sent;

    setup_hotplug("true");
    at = driver_start(POWER_ON);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_OFF); /* by itself: nobody asked */
    CHECK_EQ(fake_requests(fake, REQUEST_UNPLUG), 0);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_ON);
    fake_config_write(port, at + STATUS, 2, 0x0119);
    sent = fake_msi_count(port);
    CHECK(!root_port_ask(port));
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0041);
    CHECK_EQ(fake_msi_count(port), sent + 1);
    fake_config_write(port, at + STATUS, 2, 0x0001);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | 0x0200); /* blinks */
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | 0x0600); /* off, still blinks */
    CHECK_EQ(fake_requests(fake, REQUEST_UNPLUG), 0);
    CHECK(fake_save_load(port));
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_OFF);
    CHECK_EQ(fake_requests(fake, REQUEST_UNPLUG), 1);
    CHECK_EQ(fake_last_request_argument(fake), 3);
    fake_config_write(port, at + STATUS, 2, 0x0119);
    root_port_remove(port);
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0108);
    CHECK_EQ(fake_config_read(port, at + 0x12, 2), 0x0011);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_OFF);
    CHECK_EQ(fake_requests(fake, REQUEST_UNPLUG), 1);
    fake_free(fake);
}

TEST(asked_of_a_slot_that_is_off)
{
    unsigned at;

    setup_hotplug("true");
    at = driver_start(POWER_OFF);
    CHECK(root_port_ask(port));
    CHECK_EQ(fake_config_read(port, at + STATUS, 2), 0x0040);
    /* A reset takes back what was asked. */
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_ON);
    CHECK(!root_port_ask(port));
    fake_reset(fake, RESET_WARM);
    fake_config_write(port, at + CONTROL, 2, ALL_EVENTS | POWER_OFF);
    CHECK_EQ(fake_requests(fake, REQUEST_UNPLUG), 0);
    fake_free(fake);
}

TEST(no_interrupt_unless_wanted)
{
    unsigned at;

    setup_hotplug("false");
    at = capability(0x10);
    root_port_insert(port);
    CHECK_EQ(fake_msi_count(port), 0);
    CHECK(!fake_irq(port, 0));
    fake_config_write(port, at + CONTROL, 2, 0x0028 | POWER_OFF); /* presence, by INTA */
    CHECK(fake_irq(port, 0));
    fake_config_write(port, at + STATUS, 2, 0x0008);
    CHECK(!fake_irq(port, 0));
    fake_free(fake);
}

TEST(refuses_slot)
{
    struct dev_error error = { "" };

    fake = fake_new(1 << 20);
    CHECK(!fake_try_add(fake, "pcie-root-port",
                        (struct option_value[]){ { "slot", "8192" }, { NULL } }, &error));
    CHECK(strstr(error.message, "8191") != NULL);
    fake_free(fake);
}

TEST_MAIN(T(bridge_header), T(bus_numbers), T(slot), T(hotplug_registers), T(multifunction),
          T(card_comes), T(card_goes), T(asked_of_a_slot_that_is_off),
          T(no_interrupt_unless_wanted), T(refuses_slot))
