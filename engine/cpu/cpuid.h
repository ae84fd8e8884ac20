/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guest's processors say they are: the host's features as far as KVM backs them, one
 * socket of n cores, and KVM's own leaves.
 */
#ifndef ENGINE_CPUID_H
#define ENGINE_CPUID_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct cpuid;
struct kvm;
struct vcpu;

/* Asks KVM once for a machine. Error: HOST. */
struct cpuid *cpuid_new(const struct kvm *kvm, unsigned n_cpus, GError **error);
void cpuid_free(struct cpuid *cpuid);
/* Gives a vCPU its leaves. False with *error set if KVM refuses. */
bool cpuid_set(struct vcpu *vcpu, GError **error);

/* The leaves as bytes for a saved machine: struct kvm_cpuid_entry2, one after the other. */
const void *cpuid_bytes(const struct cpuid *cpuid, size_t *length);
/*
 * Takes the leaves of a saved machine instead, to be given to each vCPU, if this computer can do
 * all that they promise. False with *why, half a sentence, if not. g_free().
 */
bool cpuid_adopt(struct cpuid *cpuid, const void *bytes, size_t length, char **why);

/* The APIC id of vCPU `index`. */
uint32_t cpuid_apic_id(unsigned index);
/* Bits of a guest physical address. */
unsigned cpuid_physical_bits(const struct cpuid *cpuid);
/* True on AMD's (and Hygon's) processors. */
bool cpuid_is_amd(const struct cpuid *cpuid);
/* A sentence about what this host lacks that guests may need, or NULL. g_free(). */
char *cpuid_warning(const struct cpuid *cpuid);

#endif
