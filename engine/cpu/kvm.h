/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's side of a machine: /dev/kvm, the virtual machine in it, and what this host can do.
 * Hosts differ; every capability is asked for, and only what no machine can do without is an error.
 *
 * Threads: kvm_open() and kvm_close() from one thread; the rest from any.
 */
#ifndef ENGINE_KVM_H
#define ENGINE_KVM_H

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm {
    int system, vm;          /* file descriptors, -1: closed */
    size_t run_size;         /* bytes that a vCPU shares with the kernel */
    unsigned coalesced_page; /* page of the coalesced write ring in them; 0: there is none */
    bool coalesced_pio;
    bool user_msr;       /* unknown MSRs exit to us */
    bool emulation_exit; /* instructions that KVM cannot emulate exit to us, in user mode too */
    bool tsc_deadline;   /* the LAPIC's TSC deadline timer */
    bool x2apic_32bit;   /* 32-bit APIC ids in routes */
    unsigned vcpus_max;
};

/*
 * Opens /dev/kvm and makes a virtual machine with the in-kernel interrupt controllers and the PIT.
 * Errors: NO_KVM, PERMISSION, HOST.
 */
bool kvm_open(struct kvm *kvm, GError **error);
void kvm_close(struct kvm *kvm);

/* ioctl() on any of the descriptors, again when a signal interrupts it. -1 with errno as usual. */
int kvm_ioctl(int fd, unsigned long request, void *argument);
/* The value of a capability of the virtual machine, 0 if unknown. */
int kvm_capability(const struct kvm *kvm, unsigned capability);

#endif
