/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control thread carries out what a guest asks for from inside a device (reset, power off,
 * sleep) and what goes wrong (crash, no space on the host's disk): things that need every vCPU
 * parked and so cannot be done where they are noticed. Transitions that the user asks for run in
 * the caller's thread, under the same lock.
 */
#include "machine/machine_control.h"

#include <signal.h>
#include <string.h>

#include "machine/media.h"
#include "machine/plug.h"
#include "pci.h"
#include "rtc.h"

/* --- State ----------------------------------------------------------------------------------- */

void control_state_set(struct machine *machine, enum machine_state state,
                       enum machine_reason reason, const char *message)
{
    pthread_mutex_lock(&machine->lock);
    machine->state = state;
    machine->reason = reason;
    pthread_cond_broadcast(&machine->unplugged);
    pthread_mutex_unlock(&machine->lock);
    machine_notify(machine, (struct machine_notice){ .kind = NOTICE_STATE,
                                                     .state = state,
                                                     .reason = reason,
                                                     .text = (char *)message });
}

static enum machine_state state_of(struct machine *machine)
{
    return machine_state(machine, NULL);
}

/* --- Standing still and going ---------------------------------------------------------------- */

void control_halt(struct machine *machine)
{
    if (!machine->vcpus_running) {
        return;
    }
    vcpus_park(&machine->vcpus);
    /* All clocks stop together, or they would run apart a little with each pause. */
    vcpus_time_stop(&machine->vcpus);
    clock_freeze(&machine->clock);
    bus_drain(&machine->bus);
    doorbells_halt(&machine->doorbells);
    net_cards_halt(machine->networks);
    machine->vcpus_running = false; /* from here on devices begin nothing new */
    drive_pool_drain(machine->drives);
}

/* What has come for the serial ports while the machine stood still. */
static void serials_tell(struct machine *machine)
{
    for (unsigned port = 0; port < SERIAL_PORTS; port++) {
        struct machine_device *record = machine->serials.ports[port].record;

        if (record && record->class->on_char) {
            domain_enter(record->domain);
            record->class->on_char(record->device, machine->serials.ports[port].port);
            domain_leave(record->domain);
        }
    }
}

void control_go(struct machine *machine)
{
    if (machine->vcpus_running) {
        return;
    }
    machine->vcpus_running = true;
    vcpus_time_go(&machine->vcpus);
    clock_run(&machine->clock);
    control_event_send(machine, EVENT_CLOCK);
    serials_tell(machine);
    pthread_mutex_lock(&machine->lock);
    machine->pending &= ~(unsigned)PENDING_STALL; /* whoever fails again says so again */
    pthread_mutex_unlock(&machine->lock);
    if (drive_pool_stalled(machine->drives)) {
        drive_pool_retry(machine->drives);
    }
    doorbells_go(&machine->doorbells);
    drive_pool_listen_again(machine->drives);
    net_cards_go(machine->networks);
    vcpus_unpark(&machine->vcpus);
}

void control_stop(struct machine *machine, enum machine_reason reason)
{
    if (state_of(machine) == MACHINE_STOPPED) {
        return;
    }
    control_halt(machine);
    drive_pool_stop(machine->drives);
    control_state_set(machine, MACHINE_STOPPED, reason, NULL);
}

/* --- Reset ----------------------------------------------------------------------------------- */

void control_event_send(struct machine *machine, enum device_event event)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        if (record->class->on_event) {
            domain_enter(record->domain);
            record->class->on_event(record->device, event);
            domain_leave(record->domain);
        }
    }
}

void control_reset(struct machine *machine, enum reset_kind kind)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        struct machine_device *record = g_ptr_array_index(machine->devices, i);

        domain_enter(record->domain);
        device_reset(record->device, kind);
        domain_leave(record->domain);
    }
    domain_enter(machine->board.fw_cfg->domain);
    boot_reset(machine->boot);
    domain_leave(machine->board.fw_cfg->domain);
    irq_reset(&machine->irq);
    for (unsigned i = 0; i < machine->vcpus.n; i++) {
        vcpu_call(&machine->vcpus.all[i], vcpu_state_reset, NULL);
    }
    vcpus_time_reset(&machine->vcpus);
    vcpus_release(&machine->vcpus);
    pthread_mutex_lock(&machine->lock);
    /* What the guest had asked for, or had come to, is of the past. */
    machine->pending &=
        ~(unsigned)(PENDING_RESET | PENDING_POWER_OFF | PENDING_SUSPEND | PENDING_CRASH);
    machine->kept = 0;
    g_clear_pointer(&machine->crash_report, g_free);
    machine->resets++;
    pthread_mutex_unlock(&machine->lock);
    machine_notify(machine, (struct machine_notice){ .kind = NOTICE_RESET });
}

/* --- Sleep ----------------------------------------------------------------------------------- */

static void suspend(struct machine *machine)
{
    control_halt(machine);
    machine->suspended = true;
    g_message("the guest sleeps (S3)");
}

/*
 * Configuration registers that survive a sleep, unlike any other reset, because SeaBIOS relies on
 * it: it finds its way back in the shadow that it left below 1 MiB, where PAM lets it be seen, and
 * leaves power management and interrupt routing to whoever kept them.
 */
static const struct {
    uint8_t devfn; /* on bus 0 */
    uint8_t offset, size;
} survivors[] = {
    { 0x00, 0x90, 4 }, /* PAM0-3 */
    { 0x00, 0x94, 4 }, /* PAM4-6 */
    { 0xf8, 0x40, 4 }, /* PMBASE */
    { 0xf8, 0x44, 1 }, /* ACPI_CNTL */
    { 0xf8, 0x60, 4 }, /* PIRQA-D */
    { 0xf8, 0x68, 4 }, /* PIRQE-H */
    { 0xf8, 0xf0, 4 }, /* RCBA */
};

static void survivors_copy(struct machine *machine, uint32_t values[], bool put_back)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(survivors); i++) {
        struct machine_device *record = machine->board.functions[survivors[i].devfn];
        struct pci_device *pci = to_pci(record->device);

        domain_enter(record->domain);
        if (put_back) {
            pci_config_write(pci, survivors[i].offset, survivors[i].size, values[i]);
        } else {
            values[i] = pci_config_read(pci, survivors[i].offset, survivors[i].size);
        }
        domain_leave(record->domain);
    }
}

void control_wake(struct machine *machine)
{
    uint32_t values[G_N_ELEMENTS(survivors)];

    g_message("the guest wakes up");
    machine->suspended = false;
    survivors_copy(machine, values, false);
    control_reset(machine, RESET_WARM);
    survivors_copy(machine, values, true);
    domain_enter(machine->board.rtc->domain);
    rtc_set_byte(machine->board.rtc->device, CMOS_SHUTDOWN_CODE, CMOS_SHUTDOWN_S3);
    domain_leave(machine->board.rtc->domain);
    control_event_send(machine, EVENT_WAKE);
    control_go(machine);
}

/* --- The control thread ---------------------------------------------------------------------- */

static void trouble_handle(struct machine *machine, enum machine_state state)
{
    g_autofree char *text = NULL;
    enum machine_reason reason;

    pthread_mutex_lock(&machine->lock);
    text = g_steal_pointer(&machine->trouble_text);
    reason = machine->trouble;
    pthread_mutex_unlock(&machine->lock);
    control_halt(machine);
    control_state_set(machine, state, reason, text);
}

/* False if it has to wait: requests that the host could not carry out hold guest memory until they
 * end. */
static bool reset_handle(struct machine *machine)
{
    control_halt(machine);
    drive_pool_drain(machine->drives);
    if (drive_pool_stalled(machine->drives)) {
        return false;
    }
    machine->suspended = false;
    control_reset(machine, RESET_WARM);
    control_go(machine);
    return true;
}

static void eject_handle(struct machine *machine)
{
    unsigned ejected;

    pthread_mutex_lock(&machine->lock);
    ejected = machine->ejected;
    machine->ejected = 0;
    pthread_mutex_unlock(&machine->lock);
    for (unsigned i = 0; i < CONFIG_DRIVES_MAX; i++) {
        if (ejected & 1u << i) {
            media_remove(machine, i);
        }
    }
}

/* Carries out what can be now; returns what is done with. */
static unsigned pending_handle(struct machine *machine, unsigned pending)
{
    enum machine_state state = state_of(machine);

    if (state == MACHINE_STOPPED || state == MACHINE_NEW) {
        return pending;
    }
    if (pending & PENDING_EJECT) {
        eject_handle(machine);
    }
    if (pending & PENDING_UNPLUG) {
        plug_cards_let_go(machine);
    }
    if (pending & PENDING_POWER_OFF) {
        control_stop(machine, REASON_GUEST);
        return pending;
    }
    if ((pending & PENDING_CRASH) && !(pending & PENDING_RESET) && state != MACHINE_CRASHED) {
        trouble_handle(machine, MACHINE_CRASHED);
        return pending;
    }
    if (state == MACHINE_CRASHED) {
        return pending;
    }
    if ((pending & PENDING_STALL) && state == MACHINE_RUNNING) {
        trouble_handle(machine, MACHINE_PAUSED);
        state = MACHINE_PAUSED;
    }
    if (state == MACHINE_PAUSED) {
        return PENDING_STALL | PENDING_EJECT | PENDING_UNPLUG;
    }
    if (pending & PENDING_RESET) {
        return reset_handle(machine) ? pending : pending & ~(unsigned)PENDING_RESET;
    }
    if (pending & PENDING_SUSPEND) {
        suspend(machine);
    }
    return pending;
}

static void *control_thread(void *context)
{
    struct machine *machine = context;
    sigset_t all;

    pthread_setname_np(pthread_self(), "control");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_mutex_lock(&machine->lock);
    while (!(machine->pending & PENDING_QUIT)) {
        unsigned pending, done;

        if (machine->pending == 0) {
            pthread_cond_wait(&machine->wanted, &machine->lock);
            continue;
        }
        pthread_mutex_unlock(&machine->lock);
        pthread_mutex_lock(&machine->control);
        /* Looked at only now: the transition waited for may have settled it. */
        pthread_mutex_lock(&machine->lock);
        pending = machine->pending & ~(unsigned)PENDING_QUIT;
        machine->pending &= PENDING_QUIT;
        pthread_mutex_unlock(&machine->lock);
        done = pending_handle(machine, pending);
        pthread_mutex_lock(&machine->lock);
        machine->kept |= pending & ~done; /* still under control: a resume must find it */
        pthread_mutex_unlock(&machine->lock);
        pthread_mutex_unlock(&machine->control);
        pthread_mutex_lock(&machine->lock);
    }
    pthread_mutex_unlock(&machine->lock);
    return NULL;
}

bool control_thread_start(struct machine *machine, GError **error)
{
    int result = pthread_create(&machine->control_thread, NULL, control_thread, machine);

    if (result != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "The computer cannot run another thread (%s).", g_strerror(result));
        return false;
    }
    machine->control_started = true;
    return true;
}

void control_thread_end(struct machine *machine)
{
    if (!machine->control_started) {
        return;
    }
    pthread_mutex_lock(&machine->lock);
    machine->pending |= PENDING_QUIT;
    pthread_cond_signal(&machine->wanted);
    pthread_mutex_unlock(&machine->lock);
    pthread_join(machine->control_thread, NULL);
    machine->control_started = false;
}
