/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fpu.h. */
#include "cpu/fpu.h"

#include <string.h>

#include "cpu/kvm.h"

enum {
    /* Offsets in the legacy region, which has the layout of FXSAVE. */
    AREA_FCW = 0,
    AREA_FSW = 2,
    AREA_FTW = 4,
    AREA_FOP = 6,
    AREA_IP = 8,
    AREA_DP = 16,
    AREA_MXCSR = 24,
    AREA_ST = 32,
    AREA_XMM = 160,
    AREA_PRESENT = 512, /* XSTATE_BV: parts that are not in their initial state */
    PRESENT_X87 = 1 << 0,
    PRESENT_SSE = 1 << 1,
};

_Static_assert(sizeof(((struct kvm_fpu *)0)->fpr) == AREA_XMM - AREA_ST, "eight registers");

bool fpu_get(int vcpu_fd, struct kvm_fpu *fpu)
{
    struct kvm_xsave xsave;
    const uint8_t *area = (const uint8_t *)xsave.region;

    if (kvm_ioctl(vcpu_fd, KVM_GET_XSAVE, &xsave) < 0) {
        return false;
    }
    memset(fpu, 0, sizeof(*fpu));
    memcpy(&fpu->fcw, area + AREA_FCW, sizeof(fpu->fcw));
    memcpy(&fpu->fsw, area + AREA_FSW, sizeof(fpu->fsw));
    memcpy(&fpu->ftwx, area + AREA_FTW, sizeof(fpu->ftwx));
    memcpy(&fpu->last_opcode, area + AREA_FOP, sizeof(fpu->last_opcode));
    memcpy(&fpu->last_ip, area + AREA_IP, sizeof(fpu->last_ip));
    memcpy(&fpu->last_dp, area + AREA_DP, sizeof(fpu->last_dp));
    memcpy(&fpu->mxcsr, area + AREA_MXCSR, sizeof(fpu->mxcsr));
    memcpy(fpu->fpr, area + AREA_ST, sizeof(fpu->fpr));
    memcpy(fpu->xmm, area + AREA_XMM, sizeof(fpu->xmm));
    return true;
}

bool fpu_set(int vcpu_fd, const struct kvm_fpu *fpu)
{
    struct kvm_xsave xsave;
    uint8_t *area = (uint8_t *)xsave.region;

    if (kvm_ioctl(vcpu_fd, KVM_GET_XSAVE, &xsave) < 0) {
        return false;
    }
    memcpy(area + AREA_FCW, &fpu->fcw, sizeof(fpu->fcw));
    memcpy(area + AREA_FSW, &fpu->fsw, sizeof(fpu->fsw));
    memcpy(area + AREA_FTW, &fpu->ftwx, sizeof(fpu->ftwx));
    memcpy(area + AREA_FOP, &fpu->last_opcode, sizeof(fpu->last_opcode));
    memcpy(area + AREA_IP, &fpu->last_ip, sizeof(fpu->last_ip));
    memcpy(area + AREA_DP, &fpu->last_dp, sizeof(fpu->last_dp));
    memcpy(area + AREA_MXCSR, &fpu->mxcsr, sizeof(fpu->mxcsr));
    memcpy(area + AREA_ST, fpu->fpr, sizeof(fpu->fpr));
    memcpy(area + AREA_XMM, fpu->xmm, sizeof(fpu->xmm));
    area[AREA_PRESENT] |= PRESENT_X87 | PRESENT_SSE;
    return kvm_ioctl(vcpu_fd, KVM_SET_XSAVE, &xsave) == 0;
}
