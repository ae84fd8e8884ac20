/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A vCPU's FPU and SSE registers. KVM_GET_FPU and KVM_SET_FPU leave MXCSR out, and what they set is
 * lost while the processor's save area says that a part is in its initial state; this goes through
 * the save area itself (Intel SDM volume 1, section 13.4).
 *
 * Threads: the vCPU's own, or any while the vCPU does not run.
 */
#ifndef ENGINE_FPU_H
#define ENGINE_FPU_H

#include <linux/kvm.h>
#include <stdbool.h>

/* False when KVM refuses. */
bool fpu_get(int vcpu_fd, struct kvm_fpu *fpu);
bool fpu_set(int vcpu_fd, const struct kvm_fpu *fpu);

#endif
