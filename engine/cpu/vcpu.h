/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual processors: one thread each, which runs the guest until it exits and then does what
 * the exit asks for.
 *
 * Two ways to hold them. vcpus_park() brings all to the head of their loops, every instruction
 * complete, and keeps them there: for pause, reset, and reading registers. vcpus_stop_guest() only
 * keeps them out of the guest, wherever else they are, for the moment in which memory slots change;
 * it may be called by a vCPU inside a device.
 *
 * A thread in the guest is brought out by a signal whose handler sets run->immediate_exit. The
 * thread clears that before it looks at `attention`, and says that it is in the guest before it
 * looks again, so no call to come out is lost.
 */
#ifndef ENGINE_VCPU_H
#define ENGINE_VCPU_H

#include <glib.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct machine;
struct vcpu_state;

enum {
    VCPU_EXITS_KEPT = 16,
    VCPU_REASONS = 48, /* KVM_EXIT_* that are counted apart */
};

/* What a vCPU came out of the guest for: the last few are part of a crash report. */
struct vcpu_exit {
    uint32_t reason;
    uint8_t size;
    bool write;
    uint64_t address; /* port, physical address or MSR */
    uint64_t value;
};

struct vcpu {
    struct machine *machine;
    unsigned index;
    uint32_t apic_id;
    int fd;
    struct kvm_run *run;
    pthread_t thread;
    bool started;

    _Atomic bool attention; /* look at the fields of struct vcpus before entering the guest */
    _Atomic bool in_guest;
    bool parked;     /* at the head of its loop; under vcpus.lock */
    bool held;       /* crashed, or waiting for a reset: stays parked; under vcpus.lock */
    bool incomplete; /* the last exit is completed by the next entry; own thread */
    void (*call)(struct vcpu *vcpu, void *context); /* to be called by a parked vCPU */
    void *call_context;

    struct vcpu_state *power_on; /* registers to go back to at a reset */
    struct bus_reader reader;
    struct vcpu_exit exits[VCPU_EXITS_KEPT];
    unsigned next_exit;
    _Atomic uint64_t reasons[VCPU_REASONS];
    _Atomic uint64_t emulated; /* instructions completed here */
};

struct vcpus {
    struct machine *machine;
    struct vcpu *all;
    unsigned n;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a vCPU has left the guest, parked, or done a call */
    pthread_cond_t go;      /* the reason to wait may be gone */
    unsigned stops;         /* vcpus_stop_guest() without vcpus_resume_guest() */
    bool park;
    _Atomic bool quit;

    bool time_stopped, clock_saved, pit_saved; /* vcpu_time.c */
    struct kvm_pit_state2 pit;
    uint64_t host_tsc, clock_ns;
};

/* Makes `n` vCPUs with their CPUID and remembers their power-on state. No threads yet. Error: HOST.
 */
bool vcpus_init(struct vcpus *vcpus, struct machine *machine, unsigned n, GError **error);
/* Ends the threads. */
void vcpus_destroy(struct vcpus *vcpus);

/* Makes the threads, parked. */
bool vcpus_start(struct vcpus *vcpus, GError **error); /* HOST */
/* They shall park soon; the calling one, if it is a vCPU, before its next instruction. */
void vcpus_ask_to_park(struct vcpus *vcpus);
/* Returns when all are parked. Not by a vCPU, no domain held. */
void vcpus_park(struct vcpus *vcpus);
/* They go on; also after vcpus_ask_to_park() alone. */
void vcpus_unpark(struct vcpus *vcpus);
/* Has a parked vCPU call `function` in its own thread, and waits for it. */
void vcpu_call(struct vcpu *vcpu, void (*function)(struct vcpu *vcpu, void *context),
               void *context);
/* The calling vCPU shall not run on until vcpus_release(). */
void vcpu_hold(struct vcpu *vcpu);
void vcpus_release(struct vcpus *vcpus);

/* Returns when no vCPU runs guest code, and none begins to until vcpus_resume_guest(). Calls nest.
 */
void vcpus_stop_guest(struct vcpus *vcpus);
void vcpus_resume_guest(struct vcpus *vcpus);

/* vcpu_exit.c: does what the exit in vcpu->run asks for. */
void vcpu_exit_handle(struct vcpu *vcpu);
/* KVM_RUN failed with `error`. */
void vcpu_run_failed(struct vcpu *vcpu, int error);

/* vcpu_state.c. Keeps the registers as KVM made them in vcpu->power_on; false if KVM refuses. */
bool vcpu_state_save_power_on(struct vcpu *vcpu);
void vcpu_state_free(struct vcpu_state *state);
/* Registers, FPU, MSRs, LAPIC and pending events as after power on. The vCPU is parked. */
void vcpu_state_reset(struct vcpu *vcpu, void *unused);

/* vcpu_msrs.c. One MSR; false if KVM does not know it, or the value. */
bool vcpu_msr_get(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool vcpu_msr_set(struct vcpu *vcpu, uint32_t msr, uint64_t value);
/* Those that are state, readable or not. g_free(). */
struct kvm_msr_list *vcpu_msr_list(struct vcpu *vcpu);
bool vcpu_msr_listed(const struct kvm_msr_list *list, uint32_t msr);
/* The values of all that can be read: struct kvm_msr_entry. g_array_unref(). */
GArray *vcpu_msrs_get(struct vcpu *vcpu);

/* vcpu_time.c: stops and continues the clocks of all parked vCPUs. */
void vcpus_time_stop(struct vcpus *vcpus);
void vcpus_time_go(struct vcpus *vcpus);
/* The clocks that were stopped have been set to their power-on values. */
void vcpus_time_reset(struct vcpus *vcpus);
/* The stopped clocks for a saved machine: of the whole and of one vCPU, and back. */
struct vcpus_time {
    struct kvm_pit_state2 pit;
    uint64_t clock_ns; /* KVM's own clock */
};
bool vcpus_time_get(struct vcpus *vcpus, struct vcpus_time *time);
/* Before vcpu_time_set_tsc(). */
bool vcpus_time_set(struct vcpus *vcpus, const struct vcpus_time *time);
/* The time stamp counter of a vCPU whose clocks are stopped. */
uint64_t vcpu_time_tsc(struct vcpu *vcpu);
void vcpu_time_set_tsc(struct vcpu *vcpu, uint64_t tsc);

#endif
