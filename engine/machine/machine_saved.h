/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What machine_save.c writes and machine_restore.c reads: the sections of the file `state`.
 *
 *   kind         name        what
 *   machine      state       SAVED_STATE_*, below
 *   machine      generation  VM generation id, text
 *   machine      cpuid       leaves (cpu/cpuid.h)
 *   kvm          pit, pic0, pic1, ioapic    KVM's structures
 *   device       its name    device_save()
 *   tasks        its name    u32: deferred tasks that have not run; absent: none
 *   drive        its id      u64: media it has had (drive_set_generation())
 *   serial       its number  bytes that the guest has not taken yet; absent: none
 *   vcpu-*       its number  cpu/vcpu_saved.c
 *   memory       index       snapshot/memory_file.h
 */
#ifndef ENGINE_MACHINE_SAVED_H
#define ENGINE_MACHINE_SAVED_H

#include "machine/machine_private.h"
#include "snapshot/saved.h"

/* Offsets in the section machine/state, little endian. */
enum {
    SAVED_STATE_TIME = 0,        /* u64: machine time, ns */
    SAVED_STATE_CLOCK = 8,       /* u64: KVM's clock, ns */
    SAVED_STATE_GENERATION = 16, /* u64: boot_save() */
    SAVED_STATE_PENDING = 24,    /* u32: PENDING_* that the guest has asked for */
    SAVED_STATE_EJECTED = 28,    /* u32 */
    SAVED_STATE_LOCKED = 32,     /* u32 */
    SAVED_STATE_SUSPENDED = 36,  /* u32: 0 or 1 */
    SAVED_STATE_TSC_KHZ = 40,    /* u32 */
    SAVED_STATE_CPUS = 44,       /* u32 */
    SAVED_STATE_SIZE = 48,

    SAVED_PENDING_ALL = PENDING_ENDS_EXECUTION | PENDING_EJECT,
};

/* Names of the controllers' sections, by their number in KVM. */
extern const char *const machine_saved_chips[IRQ_CHIPS];

/* The memories that are state; returns how many. */
unsigned machine_regions(struct machine *machine, struct memory_region regions[MEMORY_REGIONS_MAX]);
/* As many as machine->devices. g_free(). */
struct saved_device *machine_saved_devices(struct machine *machine);
/* How fast the guest's TSC counts; 0 if the kernel does not say. */
uint32_t machine_tsc_khz(struct machine *machine);

#endif
