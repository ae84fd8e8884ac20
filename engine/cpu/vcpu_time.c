/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clocks that the guest reads without us stand still while the machine does: the TSC is moved
 * back by what has passed on the host, and KVM's own clock is set to where it was. All vCPUs are
 * moved alike, so they stay in step. A kernel that cannot move the TSC lets it run on. The PIT
 * starts its count anew, or it would make up for all the ticks of a pause.
 */
#include <x86intrin.h>

#include "cpu/kvm.h"
#include "machine/machine_private.h"
#include "cpu/vcpu.h"

enum {
    MSR_TSC = 0x10,
};

static bool tsc_offset(struct vcpu *vcpu, unsigned long request, uint64_t *offset)
{
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL,
        .attr = KVM_VCPU_TSC_OFFSET,
        .addr = (uintptr_t)offset,
    };

    return kvm_ioctl(vcpu->fd, request, &attribute) == 0;
}

void vcpus_time_stop(struct vcpus *vcpus)
{
    struct kvm_clock_data clock = { 0 };

    vcpus->host_tsc = __rdtsc();
    vcpus->clock_saved = kvm_ioctl(vcpus->machine->kvm.vm, KVM_GET_CLOCK, &clock) == 0;
    vcpus->clock_ns = clock.clock;
    vcpus->pit_saved = kvm_ioctl(vcpus->machine->kvm.vm, KVM_GET_PIT2, &vcpus->pit) == 0;
    vcpus->time_stopped = true;
}

void vcpus_time_reset(struct vcpus *vcpus)
{
    vcpus->host_tsc = __rdtsc();
    vcpus->pit_saved = false;
}

void vcpus_time_go(struct vcpus *vcpus)
{
    struct kvm_clock_data clock = { .clock = vcpus->clock_ns };
    uint64_t passed = __rdtsc() - vcpus->host_tsc;

    if (!vcpus->time_stopped) {
        return;
    }
    vcpus->time_stopped = false;
    for (unsigned i = 0; i < vcpus->n; i++) {
        struct vcpu *vcpu = &vcpus->all[i];
        uint64_t offset;

        if (tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset)) {
            offset -= passed;
            tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset);
        }
    }
    if (vcpus->pit_saved) {
        kvm_ioctl(vcpus->machine->kvm.vm, KVM_SET_PIT2, &vcpus->pit);
    }
    if (vcpus->clock_saved) {
        kvm_ioctl(vcpus->machine->kvm.vm, KVM_SET_CLOCK, &clock);
    }
    for (unsigned i = 0; i < vcpus->n; i++) {
        /* Keeps the guest's watchdogs quiet; refused when it does not use KVM's clock. */
        kvm_ioctl(vcpus->all[i].fd, KVM_KVMCLOCK_CTRL, NULL);
    }
}

bool vcpus_time_get(struct vcpus *vcpus, struct vcpus_time *time)
{
    time->pit = vcpus->pit;
    time->clock_ns = vcpus->clock_ns;
    return (vcpus->pit_saved || kvm_ioctl(vcpus->machine->kvm.vm, KVM_GET_PIT2, &time->pit) == 0) &&
           vcpus->clock_saved;
}

bool vcpus_time_set(struct vcpus *vcpus, const struct vcpus_time *time)
{
    struct kvm_clock_data clock = { .clock = time->clock_ns };

    vcpus->host_tsc = __rdtsc();
    vcpus->pit = time->pit;
    vcpus->clock_ns = time->clock_ns;
    vcpus->pit_saved = vcpus->clock_saved = vcpus->time_stopped = true;
    /* Now as well: the time of day that KVM computes from the guest's MSRs depends on it. */
    return kvm_ioctl(vcpus->machine->kvm.vm, KVM_SET_CLOCK, &clock) == 0;
}

uint64_t vcpu_time_tsc(struct vcpu *vcpu)
{
    uint64_t host = vcpu->machine->vcpus.host_tsc, offset, tsc;

    if (tsc_offset(vcpu, KVM_GET_DEVICE_ATTR, &offset)) {
        return host + offset;
    }
    return vcpu_msr_get(vcpu, MSR_TSC, &tsc) ? tsc - (__rdtsc() - host) : 0;
}

void vcpu_time_set_tsc(struct vcpu *vcpu, uint64_t tsc)
{
    uint64_t host = vcpu->machine->vcpus.host_tsc, offset = tsc - host;

    if (!tsc_offset(vcpu, KVM_SET_DEVICE_ATTR, &offset)) {
        vcpu_msr_set(vcpu, MSR_TSC, tsc);
    }
}
