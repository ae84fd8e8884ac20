/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A root port, enumerated as firmware and Linux do. */
#include "test.h"

#include "fake_machine.h"
#include "pci.h"

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

TEST(refuses_slot)
{
    struct dev_error error = { "" };

    fake = fake_new(1 << 20);
    CHECK(!fake_try_add(fake, "pcie-root-port",
                        (struct option_value[]){ { "slot", "8192" }, { NULL } }, &error));
    CHECK(strstr(error.message, "8191") != NULL);
    fake_free(fake);
}

TEST_MAIN(T(bridge_header), T(bus_numbers), T(slot), T(refuses_slot))
