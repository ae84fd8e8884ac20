/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Power-on state of a vCPU: what KVM gives it at creation is right, so a copy of that is kept and
 * put back at every reset.
 *
 * Of the MSRs only those are touched whose reset value matters to what runs next, one at a time:
 * kernels differ in which they let be written, and one that refuses is left as it is.
 *
 * Intel SDM volume 3, section 9.1; AMD APM volume 2, section 14.1.3.
 */
#include <string.h>

#include "cpu/fpu.h"
#include "cpu/kvm.h"
#include "machine/machine_private.h"
#include "cpu/vcpu.h"

enum {
    MSR_TSC = 0x10,
    MSR_TSC_ADJUST = 0x3b,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_MCG_STATUS = 0x17a,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_MTRR_VARIABLE = 0x200,
    MSR_MTRR_FIXED_64K = 0x250,
    MSR_MTRR_FIXED_16K = 0x258,
    MSR_MTRR_FIXED_4K = 0x268,
    MSR_PAT = 0x277,
    MSR_MTRR_DEFAULT = 0x2ff,
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_KVM_SYSTEM_TIME = 0x12,
    MSR_KVM_SYSTEM_TIME_NEW = 0x4b564d01,
    MSR_KVM_ASYNC_PF = 0x4b564d02,
    MSR_KVM_STEAL_TIME = 0x4b564d03,
    MSR_KVM_PV_EOI = 0x4b564d04,
    MSR_KVM_POLL = 0x4b564d05,
};

/* Reset values; those not listed keep theirs or are part of the special registers. */
static const struct {
    uint32_t msr;
    uint64_t value;
} reset_msrs[] = {
    { MSR_TSC_DEADLINE, 0 },
    { MSR_KVM_ASYNC_PF, 0 },
    { MSR_KVM_STEAL_TIME, 0 },
    { MSR_KVM_PV_EOI, 0 },
    { MSR_KVM_POLL, 1 },
    { MSR_KVM_SYSTEM_TIME, 0 },
    { MSR_KVM_SYSTEM_TIME_NEW, 0 },
    { MSR_SYSENTER_CS, 0 },
    { MSR_SYSENTER_ESP, 0 },
    { MSR_SYSENTER_EIP, 0 },
    { MSR_MCG_STATUS, 0 },
    { MSR_PAT, 0x0007040600070406 },
    { MSR_MTRR_DEFAULT, 0 },
    { 0xc0000081, 0 }, /* STAR */
    { 0xc0000082, 0 }, /* LSTAR */
    { 0xc0000083, 0 }, /* CSTAR */
    { 0xc0000084, 0 }, /* SFMASK */
    { 0xc0000102, 0 }, /* KERNEL_GS_BASE */
    { 0xc0000103, 0 }, /* TSC_AUX */
    { MSR_TSC_ADJUST, 0 },
    { MSR_TSC, 0 },
};

struct vcpu_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    struct kvm_xcrs xcrs;
    struct kvm_lapic_state lapic;
    struct kvm_mp_state mp;
    struct kvm_debugregs debug;
    uint64_t misc_enable;
    bool has_xcrs, has_misc_enable;
};

bool vcpu_state_save_power_on(struct vcpu *vcpu)
{
    struct vcpu_state *state = g_new0(struct vcpu_state, 1);

    vcpu->power_on = state;
    state->has_xcrs = kvm_capability(&vcpu->machine->kvm, KVM_CAP_XCRS) > 0 &&
                      kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &state->xcrs) == 0;
    state->has_misc_enable = vcpu_msr_get(vcpu, MSR_MISC_ENABLE, &state->misc_enable);
    return kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state->mp) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_REGS, &state->regs) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &state->sregs) == 0 &&
           fpu_get(vcpu->fd, &state->fpu) &&
           kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &state->lapic) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &state->debug) == 0;
}

void vcpu_state_free(struct vcpu_state *state)
{
    g_free(state);
}

static void msrs_reset(struct vcpu *vcpu)
{
    for (unsigned i = 0; i < 16; i++) {
        vcpu_msr_set(vcpu, MSR_MTRR_VARIABLE + i, 0);
    }
    vcpu_msr_set(vcpu, MSR_MTRR_FIXED_64K, 0);
    for (unsigned i = 0; i < 2; i++) {
        vcpu_msr_set(vcpu, MSR_MTRR_FIXED_16K + i, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        vcpu_msr_set(vcpu, MSR_MTRR_FIXED_4K + i, 0);
    }
    if (vcpu->power_on->has_misc_enable) {
        vcpu_msr_set(vcpu, MSR_MISC_ENABLE, vcpu->power_on->misc_enable);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(reset_msrs); i++) {
        vcpu_msr_set(vcpu, reset_msrs[i].msr, reset_msrs[i].value);
    }
}

void vcpu_state_reset(struct vcpu *vcpu, void *unused)
{
    struct vcpu_state *state = vcpu->power_on;
    struct kvm_vcpu_events events = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
                                               KVM_VCPUEVENT_VALID_SHADOW };
    struct kvm_mp_state mp = state->mp;

    /* First the special registers, because the LAPIC's mode is one of them. */
    kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &state->sregs);
    kvm_ioctl(vcpu->fd, KVM_SET_REGS, &state->regs);
    fpu_set(vcpu->fd, &state->fpu);
    if (state->has_xcrs) {
        kvm_ioctl(vcpu->fd, KVM_SET_XCRS, &state->xcrs);
    }
    kvm_ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &state->debug);
    kvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &state->lapic);
    msrs_reset(vcpu);
    kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
    kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);
    vcpu->next_exit = 0;
    memset(vcpu->exits, 0, sizeof(vcpu->exits));
}
