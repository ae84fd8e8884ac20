/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Power-on state of a vCPU: what KVM gives it at creation is right, so a copy of that is kept and
 * put back at every reset.
 *
 * MSRs are put back one at a time and only where they have changed: kernels differ in which they
 * let be written, and one that refuses is left as it is. The TSC starts at zero.
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
};

struct vcpu_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave xsave; /* in which AVX and the like are in their initial state */
    struct kvm_fpu fpu;
    struct kvm_xcrs xcrs;
    struct kvm_lapic_state lapic;
    struct kvm_mp_state mp;
    struct kvm_debugregs debug;
    GArray *msrs; /* vcpu_msrs_get() */
    bool has_xcrs;
};

bool vcpu_state_save_power_on(struct vcpu *vcpu)
{
    struct vcpu_state *state = g_new0(struct vcpu_state, 1);

    vcpu->power_on = state;
    state->has_xcrs = kvm_capability(&vcpu->machine->kvm, KVM_CAP_XCRS) > 0 &&
                      kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &state->xcrs) == 0;
    state->msrs = vcpu_msrs_get(vcpu);
    return kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state->mp) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_REGS, &state->regs) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &state->sregs) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &state->xsave) == 0 &&
           fpu_get(vcpu->fd, &state->fpu) &&
           kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &state->lapic) == 0 &&
           kvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &state->debug) == 0;
}

void vcpu_state_free(struct vcpu_state *state)
{
    if (state) {
        g_array_unref(state->msrs);
        g_free(state);
    }
}

static const struct kvm_msr_entry *msr_find(const GArray *msrs, uint32_t index)
{
    for (guint i = 0; i < msrs->len; i++) {
        const struct kvm_msr_entry *msr = &g_array_index(msrs, struct kvm_msr_entry, i);

        if (msr->index == index) {
            return msr;
        }
    }
    return NULL;
}

static void msrs_reset(struct vcpu *vcpu)
{
    g_autoptr(GArray) now = vcpu_msrs_get(vcpu);

    for (guint i = 0; i < now->len; i++) {
        const struct kvm_msr_entry *msr = &g_array_index(now, struct kvm_msr_entry, i);
        const struct kvm_msr_entry *then = msr_find(vcpu->power_on->msrs, msr->index);

        if (then && then->data != msr->data && msr->index != MSR_TSC) {
            vcpu_msr_set(vcpu, msr->index, then->data);
        }
    }
    vcpu_msr_set(vcpu, MSR_TSC, 0);
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
    kvm_ioctl(vcpu->fd, KVM_SET_XSAVE, &state->xsave);
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
