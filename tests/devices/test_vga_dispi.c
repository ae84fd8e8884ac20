/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Bochs display interface: registers in both places, modes, banks, clamps, EDID behind BAR 2. */
#include "test_vga.h"

#include "bytes.h"
#include "pci.h"

enum {
    ID,
    XRES,
    YRES,
    BPP,
    ENABLE,
    BANK,
    VIRT_WIDTH,
    VIRT_HEIGHT,
    X_OFFSET,
    Y_OFFSET,
    MEMORY,
};

TEST(pci_identity)
{
    struct screen s;

    screen_open(&s);
    CHECK_EQ(fake_config_read(s.device, 0x00, 4), 0x11111234);
    CHECK_EQ(fake_config_read(s.device, 0x08, 4), 0x03000002);
    CHECK_EQ(fake_config_read(s.device, 0x2c, 4), 0x11001af4);
    fake_config_write(s.device, 0x04, 2, 0);
    fake_config_write(s.device, 0x10, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(s.device, 0x10, 4), 0xff000008);
    fake_config_write(s.device, 0x18, 4, 0xffffffff);
    CHECK_EQ(fake_config_read(s.device, 0x18, 4), 0xfffff000);
    CHECK_EQ(fake_config_read(s.device, 0x3d, 1), 0);
    screen_close(&s);
}

TEST(id_handshake)
{
    struct screen s;

    screen_open(&s);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    for (uint16_t id = 0xb0c0; id <= 0xb0c5; id++) {
        dispi_set(&s, ID, id);
        CHECK_EQ(dispi_get(&s, ID), id);
        CHECK_EQ(fake_read(s.fake, REGISTERS + 0x500, 2), id);
    }
    dispi_set(&s, ID, 0xb0c6);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    dispi_set(&s, ID, 0);
    CHECK_EQ(dispi_get(&s, ID), 0xb0c5);
    CHECK_EQ(dispi_get(&s, MEMORY), 256);
    CHECK_EQ(dispi_get(&s, MEMORY + 1), 0);
    CHECK_EQ(dispi_get(&s, 0xffff), 0);
    fake_out(s.fake, 0x1ce, 2, ID);
    CHECK_EQ(fake_in(s.fake, 0x1d0, 2), 0xb0c5);
    CHECK_EQ(fake_in(s.fake, 0x1ce, 2), ID);
    CHECK_EQ(fake_guest_errors(s.device), 0);
    screen_close(&s);
}

TEST(linear_32_bits)
{
    struct screen s;

    screen_open(&s);
    dispi_start(&s, 800, 600, 32, 0);
    CHECK_EQ(dispi_get(&s, VIRT_WIDTH), 800);
    CHECK_EQ(dispi_get(&s, VIRT_HEIGHT), (16 << 20) / 3200);
    fake_write(s.fake, FRAMEBUFFER + 4 * (5 * 800 + 100), 4, 0xff123456);
    screen_render(&s);
    CHECK_EQ(s.mode.width, 800);
    CHECK_EQ(s.mode.height, 600);
    CHECK(!s.mode.text && !s.mode.blank);
    CHECK(damaged(&s, 0, 0, 800, 600));
    CHECK_EQ(pixel(&s, 100, 5), 0x123456);
    CHECK_EQ(pixel(&s, 101, 5), 0);
    screen_render(&s);
    CHECK_EQ(s.damage.n, 0);
    fake_write(s.fake, FRAMEBUFFER + 4 * (599 * 800 + 799), 4, 0xabcdef);
    screen_render(&s);
    CHECK(damaged(&s, 768, 592, 32, 8));
    CHECK_EQ(pixel(&s, 799, 599), 0xabcdef);
    screen_close(&s);
}

TEST_MAIN(T(pci_identity), T(id_handshake), T(linear_32_bits))
