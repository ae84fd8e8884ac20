/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine.h"

#include <string.h>

#include "balloon.h"
#include "machine/machine_control.h"
#include "machine/machine_private.h"

static const char *const state_names[] = {
    [MACHINE_NEW] = "new",         [MACHINE_RUNNING] = "running", [MACHINE_PAUSED] = "paused",
    [MACHINE_CRASHED] = "crashed", [MACHINE_STOPPED] = "stopped",
};

static const char *const reason_names[] = {
    [REASON_NONE] = "none",
    [REASON_USER] = "user",
    [REASON_GUEST] = "guest",
    [REASON_DISK_FULL] = "disk-full",
    [REASON_DISK_ERROR] = "disk-error",
    [REASON_EMULATION] = "emulation",
    [REASON_TRIPLE_FAULT] = "triple-fault",
    [REASON_KVM] = "kvm",
    [REASON_SAVED] = "saved",
};

const char *machine_state_name(enum machine_state state)
{
    return state_names[state];
}

const char *machine_reason_name(enum machine_reason reason)
{
    return reason_names[reason];
}

/* --- Telling the owner, on the main loop ----------------------------------------------------- */

static void notice_give(struct machine *machine, const struct machine_notice *notice)
{
    const struct machine_callbacks *callbacks = &machine->callbacks;

    switch (notice->kind) {
    case NOTICE_STATE:
        if (callbacks->state_changed) {
            callbacks->state_changed(callbacks->context, notice->state, notice->reason,
                                     notice->text);
        }
        break;
    case NOTICE_RESET:
        if (callbacks->was_reset) {
            callbacks->was_reset(callbacks->context);
        }
        break;
    case NOTICE_MEDIA:
        if (callbacks->media_changed) {
            callbacks->media_changed(callbacks->context, notice->text);
        }
        break;
    }
}

static gboolean notices_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct machine *machine = data;
    struct machine_notice *notice;

    g_source_set_ready_time(source, -1);
    do {
        pthread_mutex_lock(&machine->lock);
        notice = g_queue_pop_head(&machine->notices);
        pthread_mutex_unlock(&machine->lock);
        if (notice) {
            notice_give(machine, notice);
            g_free(notice->text);
            g_free(notice);
        }
    } while (notice);
    return G_SOURCE_CONTINUE;
}

static gboolean notices_callback(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs notices_functions = { .dispatch = notices_dispatch };

GSource *machine_notices_source_new(struct machine *machine)
{
    GSource *source = g_source_new(&notices_functions, sizeof(GSource));

    g_source_set_static_name(source, "machine");
    g_source_set_callback(source, notices_callback, machine, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

void machine_notify(struct machine *machine, struct machine_notice notice)
{
    struct machine_notice *copy = g_new(struct machine_notice, 1);

    *copy = notice;
    copy->text = g_strdup(notice.text);
    pthread_mutex_lock(&machine->lock);
    g_queue_push_tail(&machine->notices, copy);
    pthread_mutex_unlock(&machine->lock);
    g_source_set_ready_time(machine->notice_source, 0);
}

/* --- Requests to the control thread ---------------------------------------------------------- */

static void pending_add(struct machine *machine, unsigned pending)
{
    machine->pending |= pending;
    pthread_cond_signal(&machine->wanted);
}

/* True for those after which the guest must not execute another instruction. */
static bool ends_execution(enum machine_request request)
{
    return request != REQUEST_EJECT && request != REQUEST_LOCK_TRAY && request != REQUEST_UNPLUG;
}

void machine_request(struct machine *machine, enum machine_request request, unsigned argument)
{
    if (ends_execution(request)) {
        vcpus_ask_to_park(&machine->vcpus);
    }
    pthread_mutex_lock(&machine->lock);
    switch (request) {
    case REQUEST_RESET:
        pending_add(machine, PENDING_RESET);
        break;
    case REQUEST_POWER_OFF:
    case REQUEST_HIBERNATE:
        pending_add(machine, PENDING_POWER_OFF);
        break;
    case REQUEST_SUSPEND:
        pending_add(machine, PENDING_SUSPEND);
        break;
    case REQUEST_EJECT:
        machine->ejected |= 1u << argument % CONFIG_DRIVES_MAX;
        pending_add(machine, PENDING_EJECT);
        break;
    case REQUEST_LOCK_TRAY:
        if (argument & 1) {
            machine->locked |= 1u << (argument >> 1) % CONFIG_DRIVES_MAX;
        } else {
            machine->locked &= ~(1u << (argument >> 1) % CONFIG_DRIVES_MAX);
        }
        break;
    case REQUEST_UNPLUG:
        machine->slots_off |= 1u << (argument - 1) % CONFIG_PORTS_MAX;
        pending_add(machine, PENDING_UNPLUG);
        break;
    }
    pthread_mutex_unlock(&machine->lock);
}

void machine_trouble(struct machine *machine, unsigned pending, enum machine_reason reason,
                     const char *text)
{
    pthread_mutex_lock(&machine->lock);
    if (!(machine->pending & PENDING_CRASH)) { /* the first crash is the one to be told of */
        g_free(machine->trouble_text);
        machine->trouble = reason;
        machine->trouble_text = g_strdup(text);
    }
    pending_add(machine, pending);
    pthread_mutex_unlock(&machine->lock);
}

void machine_note_msr(struct machine *machine, uint32_t msr, bool write, uint64_t value)
{
    bool new = true;

    pthread_mutex_lock(&machine->lock);
    for (unsigned i = 0; i < machine->n_msrs; i++) {
        new &= machine->msrs[i] != msr;
    }
    new &= machine->n_msrs < MSRS_NOTED;
    if (new) {
        machine->msrs[machine->n_msrs++] = msr;
    }
    pthread_mutex_unlock(&machine->lock);
    if (new &&write) {
        g_message("guest: writes %#llx to the unknown MSR %#x", (unsigned long long)value, msr);
    } else if (new) {
        g_message("guest: reads the unknown MSR %#x", msr);
    }
}

void machine_note_triple_fault(struct machine *machine, unsigned cpu)
{
    bool log;

    pthread_mutex_lock(&machine->lock);
    log = machine->triple_faults++ < TRIPLE_FAULTS_LOGGED;
    pthread_mutex_unlock(&machine->lock);
    if (log) {
        g_message("guest: triple fault on processor %u; the machine restarts", cpu);
    }
}

void machine_note_refused(struct machine *machine, const char *what)
{
    bool log;

    pthread_mutex_lock(&machine->lock);
    log = machine->refused++ < REFUSED_LOGGED;
    pthread_mutex_unlock(&machine->lock);
    if (log) {
        g_message("guest: %s; its program gets an invalid opcode exception", what);
    }
}

/* --- What the user does ---------------------------------------------------------------------- */

bool machine_wrong_state(struct machine *machine, const char *what, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE, "“%s” cannot be %s: it is %s.",
                machine->config->name, what, machine_state_name(machine_state(machine, NULL)));
    return false;
}

bool machine_start(struct machine *machine, bool paused, GError **error)
{
    bool good = false;

    pthread_mutex_lock(&machine->control);
    if (machine_state(machine, NULL) != MACHINE_NEW) {
        machine_wrong_state(machine, "started", error);
    } else if (vcpus_start(&machine->vcpus, error) && control_thread_start(machine, error)) {
        control_state_set(machine, paused ? MACHINE_PAUSED : MACHINE_RUNNING, REASON_USER, NULL);
        if (paused) {
            vcpus_park(&machine->vcpus);
            vcpus_time_stop(&machine->vcpus);
        } else {
            control_go(machine);
        }
        good = true;
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_pause(struct machine *machine, GError **error)
{
    bool good = true;

    pthread_mutex_lock(&machine->control);
    if (machine_state(machine, NULL) == MACHINE_RUNNING) {
        control_halt(machine);
        control_state_set(machine, MACHINE_PAUSED, REASON_USER, NULL);
    } else if (machine_state(machine, NULL) != MACHINE_PAUSED) {
        good = machine_wrong_state(machine, "paused", error);
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

/*
 * What the guest asked for before or while it was paused comes first: it does not execute another
 * instruction in between. Under control.
 */
void machine_take_up_kept(struct machine *machine)
{
    unsigned asked;

    pthread_mutex_lock(&machine->lock);
    asked = (machine->kept | machine->pending) & PENDING_ENDS_EXECUTION;
    if (machine->kept) {
        pending_add(machine, machine->kept);
    }
    machine->kept = 0;
    pthread_mutex_unlock(&machine->lock);
    if (asked && drive_pool_stalled(machine->drives)) {
        drive_pool_retry(machine->drives);
    } else if (!asked && !machine->suspended) {
        control_go(machine);
    }
}

bool machine_resume(struct machine *machine, GError **error)
{
    bool good = true;

    pthread_mutex_lock(&machine->control);
    if (machine_state(machine, NULL) == MACHINE_PAUSED) {
        control_state_set(machine, MACHINE_RUNNING, REASON_USER, NULL);
        machine_take_up_kept(machine);
    } else if (machine_state(machine, NULL) != MACHINE_RUNNING) {
        good = machine_wrong_state(machine, "resumed", error);
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_reset(struct machine *machine, GError **error)
{
    enum machine_state state;
    bool good = false;

    pthread_mutex_lock(&machine->control);
    state = machine_state(machine, NULL);
    if (state == MACHINE_NEW || state == MACHINE_STOPPED) {
        machine_wrong_state(machine, "reset", error);
    } else {
        bool ran = machine->vcpus_running;

        control_halt(machine);
        if (drive_pool_stalled(machine->drives)) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                        "“%s” waits for its disk and cannot be reset. Resume it when the "
                        "computer's disk has space and works again, or turn it off.",
                        machine->config->name);
            if (ran) {
                control_go(machine);
            }
        } else {
            machine->suspended = false;
            control_reset(machine, RESET_WARM);
            control_state_set(machine, MACHINE_RUNNING, REASON_USER, NULL);
            control_go(machine);
            good = true;
        }
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_set_balloon(struct machine *machine, uint64_t bytes, GError **error)
{
    struct machine_device *balloon = machine->board.balloon;
    bool good = false;

    pthread_mutex_lock(&machine->control);
    if (!balloon) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” has no memory balloon. Set “balloon” to true and start it again.",
                    machine->config->name);
    } else if (bytes >= machine->config->memory) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” cannot do without all of its memory; take less from it.",
                    machine->config->name);
    } else if (machine_state(machine, NULL) != MACHINE_RUNNING) {
        machine_wrong_state(machine, "asked for memory", error);
    } else {
        machine_device_enter(balloon->device);
        balloon_set_target(balloon->device, bytes);
        machine_device_leave(balloon->device);
        good = true;
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_power_button(struct machine *machine, GError **error)
{
    struct machine_device *pm = machine->board.pm;
    bool good = true;

    pthread_mutex_lock(&machine->control);
    if (machine_state(machine, NULL) != MACHINE_RUNNING) {
        good = machine_wrong_state(machine, "asked to shut down", error);
    } else if (machine->suspended) {
        control_wake(machine);
    } else {
        machine_device_enter(pm->device);
        pm->class->on_event(pm->device, EVENT_POWER_BUTTON);
        machine_device_leave(pm->device);
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

void machine_stop(struct machine *machine, enum machine_reason reason)
{
    pthread_mutex_lock(&machine->control);
    control_stop(machine, reason);
    pthread_mutex_unlock(&machine->control);
}

enum machine_state machine_state(struct machine *machine, enum machine_reason *reason)
{
    enum machine_state state;

    pthread_mutex_lock(&machine->lock);
    state = machine->state;
    if (reason) {
        *reason = machine->reason;
    }
    pthread_mutex_unlock(&machine->lock);
    return state;
}

char *machine_crash_report(struct machine *machine)
{
    char *report;

    pthread_mutex_lock(&machine->lock);
    report = g_strdup(machine->crash_report);
    pthread_mutex_unlock(&machine->lock);
    return report;
}

/* --- Parts ----------------------------------------------------------------------------------- */

struct console *machine_console(struct machine *machine, unsigned head)
{
    return head < machine->desktop.n ? machine->desktop.consoles[head] : NULL;
}

struct input *machine_input(struct machine *machine)
{
    return machine->input;
}

const OrielConfig *machine_config(const struct machine *machine)
{
    return machine->config;
}

char *machine_config_json(struct machine *machine)
{
    g_autoptr(JsonNode) root = NULL;

    pthread_mutex_lock(&machine->parts);
    root = oriel_config_to_json(machine->config);
    pthread_mutex_unlock(&machine->parts);
    return json_to_string(root, TRUE);
}

const char *machine_folder(const struct machine *machine)
{
    return machine->folder;
}

void machine_serial_set_output(struct machine *machine, unsigned port,
                               void (*output)(void *context, const void *bytes, size_t n),
                               void *context)
{
    g_return_if_fail(port < SERIAL_PORTS);
    serial_set_output(&machine->serials, port, output, context);
}

size_t machine_serial_input(struct machine *machine, unsigned port, const void *bytes, size_t n)
{
    struct serial *serial;
    size_t taken;

    g_return_val_if_fail(port < SERIAL_PORTS, 0);
    serial = &machine->serials.ports[port];
    taken = serial_input(&machine->serials, port, bytes, n);
    if (taken > 0 && serial->record && serial->record->class->on_char) {
        struct device *device = serial->record->device;

        machine_device_enter(device);
        if (machine->vcpus_running) { /* or control_go() tells it */
            device->class->on_char(device, serial->port);
        }
        machine_device_leave(device);
    }
    return taken;
}
