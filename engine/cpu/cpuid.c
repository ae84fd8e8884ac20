/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts from KVM_GET_SUPPORTED_CPUID and changes what describes the host instead of the guest:
 * topology, performance counters, power management, nested virtualization.
 *
 * Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; Linux
 * Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "cpu/cpuid.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "config/config.h"
#include "cpu/kvm.h"
#include "machine/machine_private.h"

enum {
    ENTRIES_MAX = 256,
    KVM_LEAF = 0x40000000,
    KVM_LEAF_FEATURES = 0x40000001,
    KVM_LEAF_FREQUENCIES = 0x40000010,
    APIC_BUS_KHZ = 1000000,
};

struct cpuid {
    unsigned n_cpus, core_bits;
    bool tsc_deadline;
    struct kvm_cpuid2 *table; /* with room for ENTRIES_MAX */
};

uint32_t cpuid_apic_id(unsigned index)
{
    return index;
}

static struct kvm_cpuid_entry2 *entry_find(const struct cpuid *cpuid, uint32_t leaf, uint32_t index)
{
    for (unsigned i = 0; i < cpuid->table->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->table->entries[i];

        if (e->function == leaf &&
            (e->index == index || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX))) {
            return e;
        }
    }
    return NULL;
}

static struct kvm_cpuid_entry2 *entry_add(struct cpuid *cpuid, uint32_t leaf, uint32_t index)
{
    struct kvm_cpuid_entry2 *e;

    if (cpuid->table->nent == ENTRIES_MAX) {
        return NULL;
    }
    e = &cpuid->table->entries[cpuid->table->nent++];
    *e = (struct kvm_cpuid_entry2){ .function = leaf, .index = index };
    return e;
}

static void leaf_remove(struct cpuid *cpuid, uint32_t leaf)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < cpuid->table->nent; i++) {
        if (cpuid->table->entries[i].function != leaf) {
            cpuid->table->entries[kept++] = cpuid->table->entries[i];
        }
    }
    cpuid->table->nent = kept;
}

bool cpuid_is_amd(const struct cpuid *cpuid)
{
    const struct kvm_cpuid_entry2 *e = entry_find(cpuid, 0, 0);

    return e && (e->ecx == 0x444d4163 /* "cAMD" */ || e->ecx == 0x656e6975 /* "uine" */);
}

unsigned cpuid_physical_bits(const struct cpuid *cpuid)
{
    const struct kvm_cpuid_entry2 *e = entry_find(cpuid, 0x80000008, 0);

    return e && (e->eax & 0xff) >= 32 ? e->eax & 0xff : 36;
}

/* --- Features -------------------------------------------------------------------------------- */

static void features_clear(struct cpuid *cpuid)
{
    /* Bits that are the host's affair: monitoring, nesting, debug stores, thermal and power
     * management, performance counters, SGX, processor trace. */
    static const struct {
        uint32_t leaf, eax, ebx, ecx, edx;
    } keep[] = {
        { 0x00000001, ~0u, ~0u, ~0x81fcu, ~0xa0600000u },
        { 0x00000005, 0, 0, 0, 0 },
        { 0x00000006, 1u << 2 /* APIC timer always runs */, 0, 0, 0 },
        { 0x00000007, ~0u, ~0x02000004u, ~0x40000000u, ~0x00040000u },
        { 0x00000009, 0, 0, 0, 0 },
        { 0x0000000a, 0, 0, 0, 0 },
        { 0x80000001, ~0u, ~0u, ~0x11809404u, ~0u },
        { 0x80000007, 0, 0, 0, 1u << 8 /* invariant TSC */ },
        { 0x8000000a, 0, 0, 0, 0 },
    };
    static const uint32_t removed[] = { 0x12, 0x14, 0x17, 0x18, 0x19,       0x1a,      0x1b,
                                        0x1c, 0x1f, 0x20, 0x23, 0x80000022, 0x80000026 };

    for (unsigned i = 0; i < cpuid->table->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->table->entries[i];

        for (unsigned k = 0; k < G_N_ELEMENTS(keep); k++) {
            if (e->function == keep[k].leaf && e->index == 0) {
                e->eax &= keep[k].eax;
                e->ebx &= keep[k].ebx;
                e->ecx &= keep[k].ecx;
                e->edx &= keep[k].edx;
            }
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(removed); i++) {
        leaf_remove(cpuid, removed[i]);
    }
}

static void features_set(struct cpuid *cpuid)
{
    struct kvm_cpuid_entry2 *e = entry_find(cpuid, 1, 0);

    if (e) {
        e->ecx |= 1u << 31; /* a hypervisor is there */
        if (cpuid->tsc_deadline) {
            e->ecx |= 1u << 24;
        }
    }
    e = entry_find(cpuid, 6, 0);
    if (e) {
        e->eax |= 1u << 2;
    }
}

/* Some hosts give their processor no name, which some systems show as an empty line. */
static void name_set(struct cpuid *cpuid)
{
    static const char name[48] = "Oriel virtual processor";

    const struct kvm_cpuid_entry2 *host = entry_find(cpuid, 0x80000002, 0);

    if (host && (host->eax | host->ebx | host->ecx | host->edx) != 0) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        struct kvm_cpuid_entry2 *e = entry_find(cpuid, 0x80000002 + i, 0);

        if (e) {
            memcpy(&e->eax, name + 16 * i, 4);
            memcpy(&e->ebx, name + 16 * i + 4, 4);
            memcpy(&e->ecx, name + 16 * i + 8, 4);
            memcpy(&e->edx, name + 16 * i + 12, 4);
        }
    }
}

/* --- Topology: one socket of n cores with one thread each ------------------------------------ */

static void topology_legacy(struct cpuid *cpuid)
{
    bool several = cpuid->n_cpus > 1;
    struct kvm_cpuid_entry2 *e = entry_find(cpuid, 1, 0);

    if (e) {
        e->ebx = (e->ebx & 0xff) | 8u << 8 | (1u << cpuid->core_bits) << 16;
        e->edx = (e->edx & ~(1u << 28)) | (several ? 1u << 28 : 0);
    }
    e = entry_find(cpuid, 0x80000001, 0);
    if (e && cpuid_is_amd(cpuid)) {
        e->ecx = (e->ecx & ~2u) | (several ? 2u : 0);
    }
    e = entry_find(cpuid, 0x80000008, 0);
    if (e) {
        e->ecx = cpuid_is_amd(cpuid) ? (cpuid->n_cpus - 1) | cpuid->core_bits << 12 : 0;
    }
    for (unsigned i = 0; i < cpuid->table->nent; i++) {
        e = &cpuid->table->entries[i];
        if (e->function == 4 || e->function == 0x8000001d) {
            unsigned level = e->eax >> 5 & 7;
            uint32_t sharing = level >= 3 ? (1u << cpuid->core_bits) - 1 : 0;

            e->eax = (e->eax & 0x3fff) | sharing << 14;
            if (e->function == 4 && (e->eax & 0x1f) != 0) {
                e->eax |= ((1u << cpuid->core_bits) - 1) << 26;
            }
        }
    }
}

static void topology_extended(struct cpuid *cpuid)
{
    const struct kvm_cpuid_entry2 *first = entry_find(cpuid, 0, 0);

    leaf_remove(cpuid, 0xb);
    if (!first || first->eax < 0xb) {
        return;
    }
    for (unsigned level = 0; level < 2; level++) {
        struct kvm_cpuid_entry2 *e = entry_add(cpuid, 0xb, level);

        if (e) {
            e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
            e->eax = level == 0 ? 0 : cpuid->core_bits;
            e->ebx = level == 0 ? 1 : cpuid->n_cpus;
            e->ecx = level | (level + 1) << 8;
        }
    }
}

/* --- KVM's leaves ---------------------------------------------------------------------------- */

static void kvm_leaves_set(struct cpuid *cpuid, const struct kvm *kvm)
{
    int tsc_khz = ioctl(kvm->vm, KVM_GET_TSC_KHZ, 0ul);
    struct kvm_cpuid_entry2 *e = entry_find(cpuid, KVM_LEAF_FEATURES, 0);

    if (!e) {
        return;
    }
    e->eax &= ~(1u << 4 | 1u << 10 | 1u << 14); /* asynchronous page faults */
    e = entry_find(cpuid, KVM_LEAF, 0);
    if (e && tsc_khz > 0 && !entry_find(cpuid, KVM_LEAF_FREQUENCIES, 0)) {
        e->eax = KVM_LEAF_FREQUENCIES;
        e = entry_add(cpuid, KVM_LEAF_FREQUENCIES, 0);
        if (e) {
            e->eax = (uint32_t)tsc_khz;
            e->ebx = APIC_BUS_KHZ;
        }
    }
}

/* --- Interface ------------------------------------------------------------------------------- */

struct cpuid *cpuid_new(const struct kvm *kvm, unsigned n_cpus, GError **error)
{
    struct cpuid *cpuid = g_new0(struct cpuid, 1);

    cpuid->n_cpus = n_cpus;
    cpuid->tsc_deadline = kvm->tsc_deadline;
    while (1u << cpuid->core_bits < n_cpus) {
        cpuid->core_bits++;
    }
    cpuid->table =
        g_malloc0(sizeof(*cpuid->table) + ENTRIES_MAX * sizeof(cpuid->table->entries[0]));
    cpuid->table->nent = ENTRIES_MAX;
    if (kvm_ioctl(kvm->system, KVM_GET_SUPPORTED_CPUID, cpuid->table) < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "/dev/kvm does not say what processor it offers (%s).", g_strerror(errno));
        cpuid_free(cpuid);
        return NULL;
    }
    features_clear(cpuid);
    features_set(cpuid);
    name_set(cpuid);
    topology_legacy(cpuid);
    topology_extended(cpuid);
    kvm_leaves_set(cpuid, kvm);
    return cpuid;
}

void cpuid_free(struct cpuid *cpuid)
{
    if (cpuid) {
        g_free(cpuid->table);
        g_free(cpuid);
    }
}

bool cpuid_set(struct vcpu *vcpu, GError **error)
{
    struct cpuid *cpuid = vcpu->machine->cpuid;

    /* The table is shared: the leaves with the processor's own number are written for each. */
    for (unsigned i = 0; i < cpuid->table->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->table->entries[i];

        if (e->function == 1) {
            e->ebx = (e->ebx & 0xffffff) | vcpu->apic_id << 24;
        } else if (e->function == 0xb) {
            e->edx = vcpu->apic_id;
        } else if (e->function == 0x8000001e) {
            e->eax = vcpu->apic_id;
            e->ebx = vcpu->apic_id & 0xff; /* core id, one thread a core */
            e->ecx = 0;                    /* one node */
        }
    }
    if (kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid->table) < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "/dev/kvm refused the processor that it offers (%s).", g_strerror(errno));
        return false;
    }
    return true;
}

/* --- Saved machines -------------------------------------------------------------------------- */

const void *cpuid_bytes(const struct cpuid *cpuid, size_t *length)
{
    *length = cpuid->table->nent * sizeof(cpuid->table->entries[0]);
    return cpuid->table->entries;
}

/* Which bits of a leaf are features that the guest may be using. */
static const struct {
    uint32_t leaf, index, eax, ebx, ecx, edx;
} feature_leaves[] = {
    { 0x00000001, 0, 0, 0, ~0u, ~0u },   { 0x00000007, 0, 0, ~0u, ~0u, ~0u },
    { 0x00000007, 1, ~0u, 0, 0, ~0u },   { 0x0000000d, 0, ~0u, 0, 0, ~0u },
    { 0x0000000d, 1, ~0u, 0, ~0u, ~0u }, { KVM_LEAF_FEATURES, 0, ~0u, 0, 0, 0 },
    { 0x80000001, 0, 0, 0, ~0u, ~0u },   { 0x80000007, 0, 0, 0, 0, ~0u },
    { 0x80000008, 0, 0, ~0u, 0, 0 },
};

/* What the saved entry promises and this computer cannot. */
static char *features_missing(const struct cpuid *cpuid, const struct kvm_cpuid_entry2 *saved)
{
    static const struct kvm_cpuid_entry2 nothing;
    const struct kvm_cpuid_entry2 *own = entry_find(cpuid, saved->function, saved->index);

    own = own ? own : &nothing;
    for (unsigned i = 0; i < G_N_ELEMENTS(feature_leaves); i++) {
        uint32_t eax = saved->eax & ~own->eax & feature_leaves[i].eax;
        uint32_t ebx = saved->ebx & ~own->ebx & feature_leaves[i].ebx;
        uint32_t ecx = saved->ecx & ~own->ecx & feature_leaves[i].ecx;
        uint32_t edx = saved->edx & ~own->edx & feature_leaves[i].edx;

        if (saved->function == feature_leaves[i].leaf && saved->index == feature_leaves[i].index &&
            (eax | ebx | ecx | edx) != 0) {
            return g_strdup_printf("this computer's processor, or its kernel, lacks features that "
                                   "the machine had (CPUID leaf %#x: %#x, %#x, %#x, %#x)",
                                   saved->function, eax, ebx, ecx, edx);
        }
    }
    if (saved->function == 0 && (saved->ebx != own->ebx || saved->ecx != own->ecx)) {
        return g_strdup("this computer has a processor of another maker");
    }
    if (saved->function == 0x80000008 && (saved->eax & 0xff) > (own->eax & 0xff)) {
        return g_strdup("this computer's processor reaches less memory");
    }
    return NULL;
}

bool cpuid_adopt(struct cpuid *cpuid, const void *bytes, size_t length, char **why)
{
    size_t n = length / sizeof(struct kvm_cpuid_entry2);

    if (length % sizeof(struct kvm_cpuid_entry2) != 0 || n == 0 || n > ENTRIES_MAX) {
        *why = g_strdup("its file “state” is damaged");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct kvm_cpuid_entry2 saved;

        memcpy(&saved, (const uint8_t *)bytes + i * sizeof(saved), sizeof(saved));
        *why = features_missing(cpuid, &saved);
        if (*why) {
            return false;
        }
    }
    memcpy(cpuid->table->entries, bytes, length);
    cpuid->table->nent = (uint32_t)n;
    return true;
}

char *cpuid_warning(const struct cpuid *cpuid)
{
    static const struct {
        unsigned bit;
        const char *name;
    } wanted[] = {
        { 0, "SSE3" }, { 9, "SSSE3" }, { 19, "SSE4.1" }, { 20, "SSE4.2" }, { 23, "POPCNT" },
    };
    const struct kvm_cpuid_entry2 *e = entry_find(cpuid, 1, 0);
    g_autoptr(GString) missing = g_string_new(NULL);

    for (unsigned i = 0; e && i < G_N_ELEMENTS(wanted); i++) {
        if (!(e->ecx & 1u << wanted[i].bit)) {
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "", wanted[i].name);
        }
    }
    if (missing->len == 0) {
        return NULL;
    }
    return g_strdup_printf("This computer's KVM does not offer %s. Systems built for newer "
                           "processors (x86-64-v2) will not start in this machine.",
                           missing->str);
}
