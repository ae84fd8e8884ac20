/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cpu/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "cpu/cpuid.h"
#include "cpu/kvm.h"
#include "machine/machine_private.h"

/* What the signal handler needs to know: the shared page of the vCPU that this thread runs. */
static _Thread_local struct kvm_run *thread_run;

static void kick_handler(int signal)
{
    (void)signal;
    if (thread_run) {
        __atomic_store_n(&thread_run->immediate_exit, 1, __ATOMIC_RELAXED);
    }
}

static void kick_handler_install(void)
{
    struct sigaction action = { .sa_handler = kick_handler, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    sigaction(SIGRTMIN, &action, NULL);
}

/* --- Coming out of the guest; under the lock ------------------------------------------------- */

static void call_out(struct vcpu *vcpu)
{
    atomic_store(&vcpu->attention, true);
    if (vcpu->started && atomic_load(&vcpu->in_guest)) {
        pthread_kill(vcpu->thread, SIGRTMIN);
    }
}

static void call_out_all(struct vcpus *vcpus)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        call_out(&vcpus->all[i]);
    }
}

static bool all_parked(const struct vcpus *vcpus)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        if (vcpus->all[i].started && !vcpus->all[i].parked) {
            return false;
        }
    }
    return true;
}

static bool all_out(const struct vcpus *vcpus)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        if (atomic_load(&vcpus->all[i].in_guest)) {
            return false;
        }
    }
    return true;
}

/* --- The thread ------------------------------------------------------------------------------ */

/* Waits, parked, until there is a reason to run; carries out calls meanwhile. */
static void park_wait(struct vcpu *vcpu)
{
    struct vcpus *vcpus = &vcpu->machine->vcpus;

    vcpu->parked = true;
    pthread_cond_broadcast(&vcpus->changed);
    while ((vcpus->park || vcpu->held) && !vcpus->quit) {
        if (vcpu->call) {
            pthread_mutex_unlock(&vcpus->lock);
            vcpu->call(vcpu, vcpu->call_context);
            pthread_mutex_lock(&vcpus->lock);
            vcpu->call = NULL;
            pthread_cond_broadcast(&vcpus->changed);
        } else {
            pthread_cond_wait(&vcpus->go, &vcpus->lock);
        }
    }
    vcpu->parked = false;
}

/*
 * Does what the others want of this vCPU. False: enter the guest only to complete the last exit,
 * and come here again.
 */
static bool attend(struct vcpu *vcpu)
{
    struct vcpus *vcpus = &vcpu->machine->vcpus;
    bool complete = true;

    pthread_mutex_lock(&vcpus->lock);
    atomic_store(&vcpu->attention, false);
    while (vcpus->stops > 0) {
        pthread_cond_wait(&vcpus->go, &vcpus->lock);
    }
    if (vcpus->park || vcpu->held || vcpus->quit) {
        if (vcpu->incomplete) {
            complete = false;
        } else {
            park_wait(vcpu);
        }
    }
    pthread_mutex_unlock(&vcpus->lock);
    return complete;
}

/*
 * Said at once and not only at the head of the loop: who waits for it may hold the domain that this
 * exit leads into.
 */
static void left_guest(struct vcpu *vcpu)
{
    struct vcpus *vcpus = &vcpu->machine->vcpus;

    atomic_store(&vcpu->in_guest, false);
    if (atomic_load(&vcpu->attention)) {
        pthread_mutex_lock(&vcpus->lock);
        pthread_cond_broadcast(&vcpus->changed);
        pthread_mutex_unlock(&vcpus->lock);
    }
}

static void guest_run(struct vcpu *vcpu, bool only_complete)
{
    int result, error;

    atomic_store(&vcpu->in_guest, true);
    if (atomic_load(&vcpu->attention)) {
        left_guest(vcpu);
        return;
    }
    if (only_complete) {
        __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELAXED);
    }
    result = ioctl(vcpu->fd, KVM_RUN, 0);
    error = errno;
    left_guest(vcpu);
    if (result == 0) {
        vcpu_exit_handle(vcpu);
    } else if (error == EINTR || error == EAGAIN) {
        vcpu->incomplete = false;
        bus_drain(&vcpu->machine->bus);
    } else {
        vcpu->incomplete = false;
        vcpu_run_failed(vcpu, error);
    }
    if (only_complete) {
        atomic_store(&vcpu->attention, true);
    }
}

static void *vcpu_thread(void *context)
{
    struct vcpu *vcpu = context;
    struct vcpus *vcpus = &vcpu->machine->vcpus;
    char name[16];
    sigset_t all;
    bool quit;

    snprintf(name, sizeof(name), "vcpu %u", vcpu->index);
    pthread_setname_np(pthread_self(), name);
    thread_run = vcpu->run;
    sigfillset(&all);
    sigdelset(&all, SIGRTMIN);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    do {
        bool only_complete = false;

        __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
        if (atomic_load(&vcpu->attention)) {
            only_complete = !attend(vcpu);
        }
        quit = atomic_load(&vcpus->quit);
        if (!quit) {
            guest_run(vcpu, only_complete);
        }
    } while (!quit);
    thread_run = NULL;
    return NULL;
}

/* --- Control --------------------------------------------------------------------------------- */

void vcpus_ask_to_park(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->park = true;
    call_out_all(vcpus);
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_park(struct vcpus *vcpus)
{
    vcpus_ask_to_park(vcpus);
    pthread_mutex_lock(&vcpus->lock);
    while (!all_parked(vcpus)) {
        pthread_cond_wait(&vcpus->changed, &vcpus->lock);
    }
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_unpark(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->park = false;
    pthread_cond_broadcast(&vcpus->go);
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpu_call(struct vcpu *vcpu, void (*function)(struct vcpu *vcpu, void *context), void *context)
{
    struct vcpus *vcpus = &vcpu->machine->vcpus;

    pthread_mutex_lock(&vcpus->lock);
    g_assert(vcpu->parked && !vcpu->call);
    vcpu->call_context = context;
    vcpu->call = function;
    pthread_cond_broadcast(&vcpus->go);
    while (vcpu->call) {
        pthread_cond_wait(&vcpus->changed, &vcpus->lock);
    }
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpu_hold(struct vcpu *vcpu)
{
    struct vcpus *vcpus = &vcpu->machine->vcpus;

    pthread_mutex_lock(&vcpus->lock);
    vcpu->held = true;
    atomic_store(&vcpu->attention, true);
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_release(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    for (unsigned i = 0; i < vcpus->n; i++) {
        vcpus->all[i].held = false;
    }
    pthread_cond_broadcast(&vcpus->go);
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_stop_guest(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->stops++;
    call_out_all(vcpus);
    while (!all_out(vcpus)) {
        pthread_cond_wait(&vcpus->changed, &vcpus->lock);
    }
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_resume_guest(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->stops--;
    pthread_cond_broadcast(&vcpus->go);
    pthread_mutex_unlock(&vcpus->lock);
}

/* --- Life ------------------------------------------------------------------------------------ */

static bool vcpu_create(struct vcpu *vcpu, GError **error)
{
    struct kvm *kvm = &vcpu->machine->kvm;

    do {
        vcpu->fd = ioctl(kvm->vm, KVM_CREATE_VCPU, (unsigned long)vcpu->apic_id);
    } while (vcpu->fd < 0 && errno == EINTR);
    if (vcpu->fd >= 0) {
        void *run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);

        vcpu->run = run == MAP_FAILED ? NULL : run;
    }
    if (vcpu->fd < 0 || !vcpu->run || !cpuid_set(vcpu, error) || !vcpu_state_save_power_on(vcpu)) {
        if (error && !*error) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                        "/dev/kvm refused to make processor %u of the machine (%s).",
                        vcpu->index + 1, g_strerror(errno));
        }
        return false;
    }
    return true;
}

bool vcpus_init(struct vcpus *vcpus, struct machine *machine, unsigned n, GError **error)
{
    *vcpus = (struct vcpus){ .machine = machine };
    pthread_mutex_init(&vcpus->lock, NULL);
    pthread_cond_init(&vcpus->changed, NULL);
    pthread_cond_init(&vcpus->go, NULL);
    kick_handler_install();
    if (n > machine->kvm.vcpus_max) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The machine has %u processors, but this computer's kernel allows at most %u.",
                    n, machine->kvm.vcpus_max);
        return false;
    }
    vcpus->all = g_new0(struct vcpu, n);
    for (unsigned i = 0; i < n; i++) {
        struct vcpu *vcpu = &vcpus->all[i];

        vcpu->machine = machine;
        vcpu->index = i;
        vcpu->apic_id = cpuid_apic_id(i);
        vcpu->fd = -1;
        vcpus->n++;
        if (!vcpu_create(vcpu, error)) {
            return false;
        }
        bus_add_reader(&machine->bus, &vcpu->reader);
    }
    bus_set_coalesced_ring(&machine->bus, vcpus->all[0].run);
    return true;
}

bool vcpus_start(struct vcpus *vcpus, GError **error)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->park = true;
    for (unsigned i = 0; i < vcpus->n; i++) {
        struct vcpu *vcpu = &vcpus->all[i];
        int result;

        atomic_store(&vcpu->attention, true);
        result = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
        if (result != 0) {
            pthread_mutex_unlock(&vcpus->lock);
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                        "The computer cannot run processor %u of the machine (%s).", i + 1,
                        g_strerror(result));
            return false;
        }
        vcpu->started = true;
    }
    pthread_mutex_unlock(&vcpus->lock);
    return true;
}

void vcpus_destroy(struct vcpus *vcpus)
{
    if (!vcpus->machine) {
        return;
    }
    pthread_mutex_lock(&vcpus->lock);
    atomic_store(&vcpus->quit, true);
    call_out_all(vcpus);
    pthread_cond_broadcast(&vcpus->go);
    pthread_mutex_unlock(&vcpus->lock);
    for (unsigned i = 0; i < vcpus->n; i++) {
        struct vcpu *vcpu = &vcpus->all[i];

        if (vcpu->started) {
            pthread_join(vcpu->thread, NULL);
        }
        if (vcpu->run) {
            munmap(vcpu->run, vcpus->machine->kvm.run_size);
        }
        if (vcpu->fd >= 0) {
            close(vcpu->fd);
        }
        vcpu_state_free(vcpu->power_on);
    }
    g_free(vcpus->all);
    pthread_cond_destroy(&vcpus->go);
    pthread_cond_destroy(&vcpus->changed);
    pthread_mutex_destroy(&vcpus->lock);
    vcpus->machine = NULL;
}
