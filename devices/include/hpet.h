/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the board wires the event timer (devices/legacy/hpet.c), and what ACPI says of it. */
#ifndef DEVICES_HPET_H
#define DEVICES_HPET_H

#include <stdint.h>

/*
 * Interrupt outputs 0..15 go to the ISA interrupts of these numbers and 16..23 to inputs 16..23 of
 * the IOAPIC. (Input 2 of the IOAPIC is ISA interrupt 0, so it is output 0.) The last output is no
 * interrupt: it is high while the timers stand in for the PIT and the clock, whose own interrupts 0
 * and 8 the board then holds back.
 */
enum {
    HPET_OUTPUT_LEGACY = 24,
    HPET_OUTPUTS = 25,
};

#define HPET_BASE        UINT64_C(0xfed00000)
#define HPET_HARDWARE_ID UINT32_C(0x8086a201) /* the event timer block id of the ACPI table */

enum {
    HPET_SIZE = 0x400, /* bytes of address space */
    HPET_PERIOD_NS = 10,
};

#endif
