/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The MSRs of a vCPU that are state. The kernel has a list of them, but leaves out some that it
 * keeps all the same: memory type ranges and the banks of the machine check architecture. Others
 * are on the list of one kernel and not of another, and cannot be done without.
 *
 * Kernels also differ in which they let be read and written, so nothing here takes a refusal for an
 * error.
 *
 * Intel SDM volume 3, "Memory Type Range Registers" and "Machine-Check Architecture"; Linux
 * Documentation/virt/kvm/api.rst.
 */
#include "cpu/vcpu.h"

#include "cpu/kvm.h"
#include "machine/machine_private.h"

enum {
    MSR_MTRR_CAPABILITIES = 0xfe,
    MSR_MCG_CAPABILITIES = 0x179,
    MSR_MTRR_VARIABLE = 0x200, /* two for each range */
    MSR_MC0_CTL = 0x400,       /* four for each bank */
    HYPER_V_FIRST = 0x40000000,
    HYPER_V_LAST = 0x40000fff,
    COUNT_MASK = 0xff, /* of ranges, or banks, in the capabilities */
    VARIABLE_MAX = 32,

    LIST_MAX = 1024,
    BATCH = 64, /* that are read at once */
};

static const struct {
    uint32_t first, n;
} always[] = {
    { 0x174, 3 },      /* SYSENTER_CS, ESP, EIP */
    { 0x250, 1 },      /* MTRR, fixed ranges of 64 KiB, */
    { 0x258, 2 },      /* 16 KiB */
    { 0x268, 8 },      /* and 4 KiB */
    { 0x277, 1 },      /* PAT */
    { 0x2ff, 1 },      /* MTRR_DEF_TYPE */
    { 0xc0000081, 4 }, /* STAR, LSTAR, CSTAR, SFMASK */
    { 0xc0000102, 2 }, /* KERNEL_GS_BASE, TSC_AUX */
};

bool vcpu_msr_get(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one = { { .nmsrs = 1 }, { .index = msr } };

    if (kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &one) != 1) {
        return false;
    }
    *value = one.entry.data;
    return true;
}

bool vcpu_msr_set(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one = { { .nmsrs = 1 }, { .index = msr, .data = value } };

    return kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &one) == 1;
}

bool vcpu_msr_listed(const struct kvm_msr_list *list, uint32_t msr)
{
    for (unsigned i = 0; i < list->nmsrs; i++) {
        if (list->indices[i] == msr) {
            return true;
        }
    }
    return false;
}

static void list_add(struct kvm_msr_list *list, uint32_t first, uint32_t n)
{
    for (uint32_t msr = first; msr < first + n; msr++) {
        if (list->nmsrs < LIST_MAX && !vcpu_msr_listed(list, msr)) {
            list->indices[list->nmsrs++] = msr;
        }
    }
}

/* Those of Hyper-V, of which no guest is told; to look at them makes the kernel set it up. */
static void hyper_v_remove(struct kvm_msr_list *list)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < list->nmsrs; i++) {
        if (list->indices[i] < HYPER_V_FIRST || list->indices[i] > HYPER_V_LAST) {
            list->indices[kept++] = list->indices[i];
        }
    }
    list->nmsrs = kept;
}

/* How many ranges or banks there are; 0 if the kernel does not say. */
static uint32_t count_of(struct vcpu *vcpu, uint32_t capabilities)
{
    uint64_t value;

    return vcpu_msr_get(vcpu, capabilities, &value) ? (uint32_t)(value & COUNT_MASK) : 0;
}

struct kvm_msr_list *vcpu_msr_list(struct vcpu *vcpu)
{
    struct kvm_msr_list *list = g_malloc0(sizeof(*list) + LIST_MAX * sizeof(list->indices[0]));

    list->nmsrs = LIST_MAX;
    if (kvm_ioctl(vcpu->machine->kvm.system, KVM_GET_MSR_INDEX_LIST, list) < 0) {
        list->nmsrs = 0;
    }
    hyper_v_remove(list);
    for (unsigned i = 0; i < G_N_ELEMENTS(always); i++) {
        list_add(list, always[i].first, always[i].n);
    }
    list_add(list, MSR_MTRR_VARIABLE, 2 * MIN(count_of(vcpu, MSR_MTRR_CAPABILITIES), VARIABLE_MAX));
    list_add(list, MSR_MC0_CTL, 4 * count_of(vcpu, MSR_MCG_CAPABILITIES));
    return list;
}

GArray *vcpu_msrs_get(struct vcpu *vcpu)
{
    g_autofree struct kvm_msr_list *list = vcpu_msr_list(vcpu);
    GArray *values = g_array_new(FALSE, FALSE, sizeof(struct kvm_msr_entry));
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[BATCH];
    } batch;

    for (unsigned at = 0; at < list->nmsrs;) {
        unsigned n = MIN(list->nmsrs - at, BATCH), got;
        int result;

        batch.head = (struct kvm_msrs){ .nmsrs = n };
        for (unsigned i = 0; i < n; i++) {
            batch.entries[i] = (struct kvm_msr_entry){ .index = list->indices[at + i] };
        }
        result = kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &batch);
        got = result > 0 ? (unsigned)result : 0;
        g_array_append_vals(values, batch.entries, got);
        at += got < n ? got + 1 : n; /* KVM stops at one that it does not give */
    }
    return values;
}
