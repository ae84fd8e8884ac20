/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What to do when a vCPU leaves the guest. Nothing that a guest can do ends the process: what
 * cannot go on is a crash of the guest, with a report.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "cpu/crash.h"
#include "cpu/emulate.h"
#include "machine/machine_private.h"
#include "cpu/vcpu.h"

/* Only this thread writes the counter. */
static void count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void exit_remember(struct vcpu *vcpu, struct vcpu_exit exit)
{
    vcpu->exits[vcpu->next_exit++ % VCPU_EXITS_KEPT] = exit;
}

static void exit_ports(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct bus_access access = {
        .address = run->io.port,
        .size = run->io.size,
        .count = run->io.count,
        .write = run->io.direction == KVM_EXIT_IO_OUT,
        .data = (uint8_t *)run + run->io.data_offset,
    };

    vcpu->incomplete = true;
    bus_ports(&vcpu->machine->bus, &vcpu->reader, &access);
    exit_remember(vcpu, (struct vcpu_exit){ KVM_EXIT_IO, (uint8_t)access.size, access.write,
                                            access.address, load_le(access.data, access.size) });
}

static void exit_memory(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct bus_access access = {
        .address = run->mmio.phys_addr,
        .size = run->mmio.len,
        .count = 1,
        .write = run->mmio.is_write,
        .data = run->mmio.data,
    };

    vcpu->incomplete = true;
    if (!access.write || !memory_map_write_exit(&vcpu->machine->memory_map, access.address,
                                                access.data, access.size)) {
        bus_memory(&vcpu->machine->bus, &vcpu->reader, &access);
    }
    exit_remember(vcpu, (struct vcpu_exit){ KVM_EXIT_MMIO, (uint8_t)access.size, access.write,
                                            access.address, load_le(access.data, access.size) });
}

/* --- MSRs that KVM does not know ------------------------------------------------------------- */

/*
 * Those that systems take for granted: thermal and clock modulation, P-states, AMD's configuration
 * registers, running power limits. They read as zero and forget what is written; all others fault,
 * as on a processor that does not have them.
 */
static bool msr_quiet(uint32_t msr)
{
    return (msr >= 0x19a && msr <= 0x19c) || (msr >= 0x606 && msr <= 0x641) ||
           (msr >= 0xc0010061 && msr <= 0xc0010064) || (msr >= 0xc0011020 && msr <= 0xc001102f);
}

static void exit_msr(struct vcpu *vcpu, bool write)
{
    struct kvm_run *run = vcpu->run;

    vcpu->incomplete = true;
    run->msr.error = !msr_quiet(run->msr.index);
    if (!write) {
        run->msr.data = 0;
    }
    exit_remember(vcpu,
                  (struct vcpu_exit){ run->exit_reason, 8, write, run->msr.index, run->msr.data });
    machine_note_msr(vcpu->machine, run->msr.index, write, run->msr.data);
}

/* --- The rest -------------------------------------------------------------------------------- */

static void exit_internal_error(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    char title[128];

    if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
        switch (emulate_instruction(vcpu, title, sizeof(title))) {
        case EMULATED:
            count(&vcpu->emulated);
            break;
        case EMULATED_REFUSED:
            machine_note_refused(vcpu->machine, title);
            break;
        case EMULATED_NOT:
            crash_report(vcpu, REASON_EMULATION, title);
            break;
        }
        return;
    }
    g_snprintf(title, sizeof(title), "KVM reported internal error %u", run->internal.suberror);
    crash_report(vcpu, REASON_KVM, title);
}

static void exit_system_event(struct vcpu *vcpu)
{
    switch (vcpu->run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        machine_request(vcpu->machine, REQUEST_POWER_OFF, 0);
        break;
    case KVM_SYSTEM_EVENT_RESET:
    case KVM_SYSTEM_EVENT_CRASH:
        machine_request(vcpu->machine, REQUEST_RESET, 0);
        break;
    default:
        return;
    }
    vcpu_hold(vcpu);
}

static void exit_entry_failed(struct vcpu *vcpu)
{
    char title[128];

    g_snprintf(title, sizeof(title), "The processor refused the guest's state (reason %#llx)",
               (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
    crash_report(vcpu, REASON_KVM, title);
}

static void exit_unknown(struct vcpu *vcpu)
{
    char title[128];

    g_snprintf(title, sizeof(title), "KVM stopped for a reason this program does not know (%u)",
               vcpu->run->exit_reason);
    crash_report(vcpu, REASON_KVM, title);
}

void vcpu_exit_handle(struct vcpu *vcpu)
{
    uint32_t reason = vcpu->run->exit_reason;

    count(&vcpu->reasons[reason < VCPU_REASONS ? reason : 0]);
    vcpu->incomplete = false;
    bus_drain(&vcpu->machine->bus);
    switch (reason) {
    case KVM_EXIT_IO:
        exit_ports(vcpu);
        break;
    case KVM_EXIT_MMIO:
        exit_memory(vcpu);
        break;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        exit_msr(vcpu, reason == KVM_EXIT_X86_WRMSR);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        exit_internal_error(vcpu);
        break;
    case KVM_EXIT_SHUTDOWN: /* triple fault */
        exit_remember(vcpu, (struct vcpu_exit){ .reason = reason });
        machine_note_triple_fault(vcpu->machine, vcpu->index);
        machine_request(vcpu->machine, REQUEST_RESET, 0);
        vcpu_hold(vcpu);
        break;
    case KVM_EXIT_SYSTEM_EVENT:
        exit_system_event(vcpu);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        exit_entry_failed(vcpu);
        break;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_HLT:
        break;
    default:
        exit_unknown(vcpu);
        break;
    }
}

void vcpu_run_failed(struct vcpu *vcpu, int error)
{
    char title[128];

    g_snprintf(title, sizeof(title), "KVM could not run the guest (%s)", g_strerror(error));
    crash_report(vcpu, REASON_KVM, title);
}
