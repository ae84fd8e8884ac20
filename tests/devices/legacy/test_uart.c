/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_machine.h"
#include "test.h"

enum {
    BASE = 0x3f8,
    RBR = 0,
    IER = 1,
    IIR = 2,
    FCR = 2,
    LCR = 3,
    MCR = 4,
    LSR = 5,
    MSR = 6,
    SCR = 7,
};

static uint8_t get(struct fake *m, unsigned offset)
{
    return (uint8_t)fake_in(m, (uint16_t)(BASE + offset), 1);
}

static void set(struct fake *m, unsigned offset, uint8_t value)
{
    fake_out(m, (uint16_t)(BASE + offset), 1, value);
}

static struct fake *machine(struct device **uart)
{
    struct fake *m = fake_new(4096);

    *uart = fake_add(m, "uart16550", NULL);
    return m;
}

TEST(registers)
{
    struct device *d;
    struct fake *m = machine(&d);

    CHECK_EQ(get(m, IER), 0);
    CHECK_EQ(get(m, IIR), 1);
    CHECK_EQ(get(m, LSR), 0x60);
    CHECK_EQ(get(m, MSR), 0xb0);
    set(m, IER, 0xff);
    CHECK_EQ(get(m, IER), 0x0f); /* the test by which drivers find an 8250 */
    set(m, IER, 0);
    set(m, SCR, 0xa5);
    CHECK_EQ(get(m, SCR), 0xa5);
    set(m, MCR, 0xff);
    CHECK_EQ(get(m, MCR), 0x1f);
    set(m, LCR, 0x83);
    set(m, 0, 0x34);
    set(m, 1, 0x12);
    CHECK_EQ(get(m, 0), 0x34);
    CHECK_EQ(get(m, 1), 0x12);
    CHECK(fake_save_load(d));
    set(m, LCR, 0x03);
    CHECK_EQ(get(m, IER), 0);
    CHECK_STR(fake_char_output(d, 0), "");
    CHECK_EQ(get(m, LCR), 0x03);
    set(m, LSR, 0xff);
    set(m, MSR, 0xff);
    CHECK_EQ(get(m, LSR), 0x60);
    fake_reset(m, RESET_WARM);
    CHECK_EQ(get(m, SCR), 0);
    CHECK_EQ(get(m, MCR), 0);
    fake_free(m);
}

TEST(finds_16550a)
{
    struct device *d;
    struct fake *m = machine(&d);

    /* Linux: the modem lines in loopback, then the FIFO bits, then what newer chips have. */
    set(m, MCR, 0x1a);
    CHECK_EQ(get(m, MSR) & 0xf0, 0x90);
    set(m, MCR, 0);
    set(m, FCR, 0x01);
    CHECK_EQ(get(m, IIR) >> 6, 3);
    set(m, FCR, 0x21);
    CHECK_EQ(get(m, IIR), 0xc1);
    set(m, LCR, 0xbf);
    CHECK_EQ(get(m, 2), 0xc1);
    set(m, LCR, 0);
    set(m, FCR, 0);
    CHECK_EQ(get(m, IIR), 0x01);
    fake_free(m);
}

TEST(sends)
{
    struct device *d;
    struct fake *m = machine(&d);

    for (const char *p = "Hello, world\r\n"; *p; p++) {
        CHECK(get(m, LSR) & 0x20);
        set(m, 0, (uint8_t)*p);
    }
    CHECK_STR(fake_char_output(d, 0), "Hello, world\r\n");
    CHECK_EQ(fake_irq_edges(d, 0), 0);
    fake_free(m);
}

TEST(sent_interrupt)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, IER, 0x02); /* enabling raises it, because there is nothing to send */
    CHECK(fake_irq(d, 0));
    CHECK(fake_save_load(d));
    CHECK_EQ(get(m, IIR), 0x02);
    CHECK(!fake_irq(d, 0));
    CHECK_EQ(get(m, IIR), 0x01);
    set(m, 0, 'x');
    CHECK(fake_irq(d, 0));
    get(m, IIR);
    set(m, IER, 0);
    set(m, IER, 0x02);
    CHECK_EQ(get(m, IIR), 0x02);
    set(m, IER, 0x02);
    CHECK(!fake_irq(d, 0));
    set(m, 0, 'y');
    set(m, IER, 0);
    CHECK(!fake_irq(d, 0));
    fake_free(m);
}

TEST(receives_with_fifo)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, FCR, 0x87); /* trigger at 8 */
    set(m, IER, 0x01);
    fake_char_input(d, 0, "abc", 3);
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, IIR), 0xcc); /* too few, but nobody knows when more will come */
    CHECK_EQ(get(m, LSR), 0x61);
    CHECK_EQ(get(m, RBR), 'a');
    CHECK(fake_save_load(d));
    fake_char_input(d, 0, "0123456789ABCDEFGHIJ", 20);
    CHECK_EQ(get(m, IIR), 0xc4);
    CHECK_EQ(fake_char_waiting(d, 0), 6); /* the peer keeps what has no room */
    for (const char *p = "bc0123456789ABCDEFGHIJ"; *p; p++) {
        CHECK_EQ(get(m, LSR), 0x61);
        CHECK_EQ(get(m, RBR), *p);
    }
    CHECK_EQ(get(m, LSR), 0x60);
    CHECK_EQ(get(m, RBR), 'J');
    CHECK(!fake_irq(d, 0));
    CHECK_EQ(get(m, IIR), 0xc1);
    fake_char_input(d, 0, "zz", 2);
    set(m, FCR, 0x83); /* clears the receiver */
    CHECK_EQ(get(m, LSR), 0x60);
    CHECK(!fake_irq(d, 0));
    fake_free(m);
}

TEST(receives_without_fifo)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, IER, 0x01);
    fake_char_input(d, 0, "xyz", 3);
    CHECK_EQ(fake_char_waiting(d, 0), 2);
    CHECK_EQ(get(m, IIR), 0x04);
    CHECK_EQ(get(m, RBR), 'x');
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, RBR), 'y');
    CHECK_EQ(get(m, RBR), 'z');
    CHECK(!fake_irq(d, 0));
    fake_char_input(d, 0, "12", 2);
    fake_reset(m, RESET_WARM); /* one byte is lost with the register, the other still waits */
    CHECK_EQ(get(m, LSR), 0x61);
    CHECK_EQ(get(m, RBR), '2');
    fake_free(m);
}

TEST(loops_back)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, FCR, 0x01);
    set(m, IER, 0x05);
    set(m, MCR, 0x10);
    for (unsigned i = 0; i < 16; i++) {
        set(m, 0, (uint8_t)(0x80 + i));
    }
    fake_char_input(d, 0, "line", 4);
    CHECK_EQ(fake_char_waiting(d, 0), 4);
    CHECK_EQ(get(m, IIR), 0xc4);
    set(m, 0, 0x99); /* one too many */
    CHECK_EQ(get(m, IIR), 0xc6);
    CHECK_EQ(get(m, LSR), 0x63);
    CHECK_EQ(get(m, LSR), 0x61);
    for (unsigned i = 0; i < 16; i++) {
        CHECK_EQ(get(m, RBR), 0x80 + i);
    }
    CHECK_EQ(get(m, LSR), 0x60);
    set(m, LCR, 0x43); /* break */
    CHECK_EQ(get(m, IIR), 0xc6);
    CHECK_EQ(get(m, LSR), 0x71);
    CHECK_EQ(get(m, RBR), 0);
    set(m, FCR, 0);
    set(m, 0, 'a');
    set(m, 0, 'b');
    CHECK_EQ(get(m, LSR), 0x63);
    CHECK_EQ(get(m, RBR), 'b');
    CHECK_STR(fake_char_output(d, 0), "");
    set(m, MCR, 0);
    CHECK_EQ(get(m, RBR), 'l');
    fake_free(m);
}

TEST(modem_lines)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, IER, 0x08);
    CHECK(!fake_irq(d, 0));
    set(m, MCR, 0x10);
    CHECK_EQ(get(m, IIR), 0x00);
    CHECK(fake_irq(d, 0));
    CHECK_EQ(get(m, MSR), 0x0b);
    CHECK(!fake_irq(d, 0));
    CHECK_EQ(get(m, MSR), 0x00);
    set(m, MCR, 0x14);
    CHECK_EQ(get(m, MSR), 0x40); /* a ring is noted when it ends */
    set(m, MCR, 0x11);
    CHECK_EQ(get(m, MSR), 0x26);
    CHECK(fake_save_load(d));
    set(m, MCR, 0);
    CHECK_EQ(get(m, MSR), 0xb9);
    CHECK_EQ(get(m, MSR), 0xb0);
    fake_free(m);
}

TEST(priorities)
{
    struct device *d;
    struct fake *m = machine(&d);

    set(m, FCR, 0x01);
    set(m, MCR, 0x10);
    set(m, IER, 0x0f);
    for (unsigned i = 0; i < 17; i++) {
        set(m, 0, (uint8_t)i);
    }
    CHECK_EQ(get(m, IIR), 0xc6);
    get(m, LSR);
    CHECK_EQ(get(m, IIR), 0xc4);
    for (unsigned i = 0; i < 16; i++) {
        get(m, RBR);
    }
    CHECK_EQ(get(m, IIR), 0xc2);
    CHECK_EQ(get(m, IIR), 0xc0);
    get(m, MSR);
    CHECK_EQ(get(m, IIR), 0xc1);
    CHECK(!fake_irq(d, 0));
    fake_free(m);
}

TEST(several_ports)
{
    struct fake *m = fake_new(4096);
    struct device *one = fake_add(m, "uart16550", NULL);
    struct device *two =
        fake_add(m, "uart16550", (struct option_value[]){ { "iobase", "0x2f8" }, { NULL } });

    fake_out(m, 0x2f8, 1, '2');
    fake_out(m, 0x3f8, 1, '1');
    CHECK_STR(fake_char_output(one, 0), "1");
    CHECK_STR(fake_char_output(two, 0), "2");
    fake_reset(m, RESET_COLD);
    CHECK_EQ(fake_in(m, 0x2fd, 1), 0x60);
    CHECK_EQ(fake_in(m, 0x2e8, 1), 0xff);
    fake_free(m);
}

TEST_MAIN(T(registers), T(finds_16550a), T(sends), T(sent_interrupt), T(receives_with_fifo),
          T(receives_without_fifo), T(loops_back), T(modem_lines), T(priorities), T(several_ports))
