/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupt lines as the kernel's controllers see them. */
#include "bus/irq.h"
#include "cpu/kvm.h"
#include "machine_fixture.h"
#include "test.h"

struct lines {
    struct kvm kvm;
    struct irq irq;
};

static void lines_init(struct lines *lines)
{
    g_autoptr(GError) error = NULL;

    if (!kvm_open(&lines->kvm, &error) || !irq_init(&lines->irq, &lines->kvm, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    irq_save_power_on(&lines->irq);
}

static void lines_destroy(struct lines *lines)
{
    irq_destroy(&lines->irq);
    kvm_close(&lines->kvm);
}

/* The inputs of the IOAPIC that are high, by pin. */
static uint32_t ioapic_inputs(struct lines *lines)
{
    struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

    CHECK(kvm_ioctl(lines->kvm.vm, KVM_GET_IRQCHIP, &chip) == 0);
    return chip.chip.ioapic.irr;
}

/* The inputs of both 8259 that are high. */
static uint16_t pic_inputs(struct lines *lines)
{
    struct kvm_irqchip master = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
    struct kvm_irqchip slave = { .chip_id = KVM_IRQCHIP_PIC_SLAVE };

    CHECK(kvm_ioctl(lines->kvm.vm, KVM_GET_IRQCHIP, &master) == 0);
    CHECK(kvm_ioctl(lines->kvm.vm, KVM_GET_IRQCHIP, &slave) == 0);
    return (uint16_t)((master.chip.pic.last_irr & ~4u) | slave.chip.pic.last_irr << 8);
}

TEST(isa_lines_reach_both_controllers)
{
    struct irq_source clock = { .line = 8 }, timer = { .line = 0 };
    struct lines l;

    lines_init(&l);
    irq_set(&l.irq, &clock, true);
    CHECK_EQ(ioapic_inputs(&l), 1u << 8);
    CHECK_EQ(pic_inputs(&l), 1u << 8);
    irq_set(&l.irq, &clock, false);
    irq_set(&l.irq, &timer, true); /* interrupt 0 is on pin 2 of the IOAPIC */
    CHECK_EQ(ioapic_inputs(&l), 1u << 2);
    CHECK_EQ(pic_inputs(&l), 1u << 0);
    irq_set(&l.irq, &timer, false);
    CHECK_EQ(ioapic_inputs(&l), 0);
    CHECK_EQ(pic_inputs(&l), 0);
    lines_destroy(&l);
}

TEST(a_shared_line_is_high_while_any_source_is)
{
    struct irq_source a = { .line = 17, .pirq = true }, b = { .line = 17, .pirq = true };
    struct lines l;

    lines_init(&l);
    irq_set(&l.irq, &a, true);
    irq_set(&l.irq, &a, true);
    irq_set(&l.irq, &b, true);
    irq_set(&l.irq, &a, false);
    CHECK_EQ(ioapic_inputs(&l), 1u << 17);
    irq_set(&l.irq, &b, false);
    CHECK_EQ(ioapic_inputs(&l), 0);
    irq_set(&l.irq, &b, false);
    irq_set(&l.irq, &a, true);
    CHECK_EQ(ioapic_inputs(&l), 1u << 17);
    lines_destroy(&l);
}

TEST(pirqs_follow_their_routes)
{
    struct irq_source pci = { .line = 20, .pirq = true }, isa = { .line = 10 };
    struct lines l;

    lines_init(&l);
    irq_set(&l.irq, &pci, true);
    CHECK_EQ(pic_inputs(&l), 0); /* not routed yet */
    irq_pirq_route(&l.irq, 4, 10);
    CHECK_EQ(pic_inputs(&l), 1u << 10);
    CHECK_EQ(ioapic_inputs(&l), 1u << 20 | 1u << 10);
    irq_pirq_route(&l.irq, 4, 11); /* moves under way */
    CHECK_EQ(pic_inputs(&l), 1u << 11);
    irq_set(&l.irq, &isa, true);
    irq_pirq_route(&l.irq, 4, 10); /* joins a line that is high already */
    irq_set(&l.irq, &isa, false);
    CHECK_EQ(pic_inputs(&l), 1u << 10);
    irq_pirq_route(&l.irq, 4, 0x80);
    CHECK_EQ(pic_inputs(&l), 0);
    CHECK_EQ(ioapic_inputs(&l), 1u << 20);
    lines_destroy(&l);
}

TEST(inputs_of_the_ioapic_that_are_no_pirq_stay_there)
{
    struct irq_source timer = { .line = 20 };
    struct lines l;

    lines_init(&l);
    irq_pirq_route(&l.irq, 4, 10);
    irq_set(&l.irq, &timer, true);
    CHECK_EQ(ioapic_inputs(&l), 1u << 20);
    CHECK_EQ(pic_inputs(&l), 0);
    lines_destroy(&l);
}

TEST(the_event_timer_stands_in_for_the_clock)
{
    struct irq_source clock = { .line = 8, .hpet_replaces = true }, timer = { .line = 8 };
    struct irq_source legacy = { .line = IRQ_HPET_LEGACY };
    struct kvm_pit_state2 pit;
    struct lines l;

    lines_init(&l);
    irq_add(&l.irq, &clock);
    irq_set(&l.irq, &clock, true);
    irq_set(&l.irq, &legacy, true);
    CHECK_EQ(pic_inputs(&l), 0); /* held back */
    CHECK(kvm_ioctl(l.kvm.vm, KVM_GET_PIT2, &pit) == 0);
    CHECK(pit.flags & KVM_PIT_FLAGS_HPET_LEGACY);
    irq_set(&l.irq, &timer, true);
    CHECK_EQ(pic_inputs(&l), 1u << 8);
    irq_set(&l.irq, &timer, false);
    irq_set(&l.irq, &legacy, false);
    CHECK_EQ(pic_inputs(&l), 1u << 8); /* the clock's again */
    CHECK(kvm_ioctl(l.kvm.vm, KVM_GET_PIT2, &pit) == 0);
    CHECK(!(pit.flags & KVM_PIT_FLAGS_HPET_LEGACY));
    lines_destroy(&l);
}

TEST(a_reset_keeps_what_is_still_asserted)
{
    struct irq_source a = { .line = 5 }, none = { .line = IRQ_NONE };
    struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
    struct lines l;

    lines_init(&l);
    irq_set(&l.irq, &none, true);
    irq_set(&l.irq, &a, true);
    CHECK(kvm_ioctl(l.kvm.vm, KVM_GET_IRQCHIP, &chip) == 0);
    chip.chip.ioapic.redirtbl[7].fields.vector = 0x77;
    CHECK(kvm_ioctl(l.kvm.vm, KVM_SET_IRQCHIP, &chip) == 0);
    irq_reset(&l.irq);
    CHECK(kvm_ioctl(l.kvm.vm, KVM_GET_IRQCHIP, &chip) == 0);
    CHECK_EQ(chip.chip.ioapic.redirtbl[7].fields.vector, 0);
    CHECK_EQ(chip.chip.ioapic.redirtbl[7].fields.mask, 1);
    CHECK_EQ(ioapic_inputs(&l), 1u << 5);
    irq_set(&l.irq, &a, false);
    CHECK_EQ(ioapic_inputs(&l), 0);
    lines_destroy(&l);
}

TEST(pci_pins_are_swizzled_by_slot)
{
    CHECK_EQ(irq_pci_line(0, 0), 20); /* E */
    CHECK_EQ(irq_pci_line(1, 0), 21);
    CHECK_EQ(irq_pci_line(2, 3), 21);
    CHECK_EQ(irq_pci_line(24, 0), 20);
    CHECK_EQ(irq_pci_line(25, 0), 16); /* the chipset's own slots: A..D by pin */
    CHECK_EQ(irq_pci_line(31, 1), 17);
    CHECK_EQ(irq_pci_line(31, 3), 19);
}

jmp_buf test_failed;

int main(void)
{
    static const struct test tests[] = {
        T(isa_lines_reach_both_controllers),
        T(a_shared_line_is_high_while_any_source_is),
        T(pirqs_follow_their_routes),
        T(inputs_of_the_ioapic_that_are_no_pirq_stay_there),
        T(the_event_timer_stands_in_for_the_clock),
        T(a_reset_keeps_what_is_still_asserted),
        T(pci_pins_are_swizzled_by_slot),
    };

    fixture_need_kvm();
    return test_main(tests, G_N_ELEMENTS(tests));
}
