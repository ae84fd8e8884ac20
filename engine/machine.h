/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A running machine: KVM, RAM, vCPUs, devices, clock. Made from a configuration, run, and taken
 * down within one process. Everything else in engine/ (control, display, input, serial) stands
 * around this.
 *
 * States:  new -> running or paused; running <-> paused; running or paused -> crashed (a guest or
 * KVM failure; memory, screen and registers stay readable; only reset or stop lead out) ; any ->
 * stopped (final).
 *
 * Threads: all functions may be called from any thread unless said otherwise. Callbacks run on the
 * main loop (the GMainContext that was the thread default in machine_new()).
 */
#ifndef ENGINE_MACHINE_H
#define ENGINE_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "device.h"

struct machine;
struct console;
struct input;

enum machine_state {
    MACHINE_NEW,
    MACHINE_RUNNING,
    MACHINE_PAUSED,
    MACHINE_CRASHED,
    MACHINE_STOPPED,
};

/* Why the machine is in its state: shown to people and scripts. */
enum machine_reason {
    REASON_NONE,
    REASON_USER,         /* asked for */
    REASON_GUEST,        /* the guest turned itself off */
    REASON_DISK_FULL,    /* paused: a write found no space; resume tries again */
    REASON_DISK_ERROR,   /* paused: the host disk fails; resume tries again */
    REASON_EMULATION,    /* crashed: an instruction KVM cannot emulate */
    REASON_TRIPLE_FAULT, /* crashed: only if the machine is set not to reset on it */
    REASON_KVM,          /* crashed: KVM refused to run the guest */
    REASON_SAVED,        /* stopped: the next start goes on from here */
};

const char *machine_state_name(enum machine_state state);    /* "running" */
const char *machine_reason_name(enum machine_reason reason); /* "disk-full" */

struct machine_callbacks {
    void (*state_changed)(void *context, enum machine_state state, enum machine_reason reason,
                          const char *message);
    /* The guest was reset (also by itself). */
    void (*was_reset)(void *context);
    /* A medium went in or out, by the user or the guest. */
    void (*media_changed)(void *context, const char *drive);
    void *context;
};

/*
 * Opens /dev/kvm, the disks (locked) and the firmware and builds the machine, stopped at its reset
 * vector. `folder` is the machine's folder, already locked by the caller. NULL with *error set in
 * the ORIEL_ERROR domain: the sentence for the user.
 */
struct machine *machine_new(const OrielConfig *config, const char *folder,
                            const struct machine_callbacks *callbacks, GError **error);
/* Stops if needed, joins all threads, closes everything. Main thread only. */
void machine_free(struct machine *machine);

/* From new; then running, or paused at its first instruction. */
bool machine_start(struct machine *machine, bool paused, GError **error);
bool machine_pause(struct machine *machine,
                   GError **error); /* returns when every vCPU is parked and disks are idle */
bool machine_resume(struct machine *machine, GError **error); /* from paused */
bool machine_reset(struct machine *machine,
                   GError **error); /* running, paused or crashed; then running */
bool machine_power_button(struct machine *machine,
                          GError **error); /* asks the guest to shut down */
/*
 * Wants `bytes` of the guest's memory for this computer, 0: none; whole pages. The guest gives what
 * it can, if it drives its balloon. STATE: not running; INVALID: no balloon, or all of the memory.
 */
bool machine_set_balloon(struct machine *machine, uint64_t bytes, GError **error);
void machine_stop(struct machine *machine,
                  enum machine_reason reason); /* power off at once, disks flushed */

/*
 * Saves the state of a running or paused machine in its folder, durably, and stops it with
 * REASON_SAVED. Until then nothing has changed: on failure (NO_SPACE, STATE, HOST, or
 * machine_cancel_save()) it goes on as before. `picture` is kept with the state; PNG, or NULL.
 */
bool machine_save(struct machine *machine, GBytes *picture, GError **error);
/* Has the machine_save() under way, or the next one, fail; without effect when it is too late. */
void machine_cancel_save(struct machine *machine);
/* How far it is, 0 to 1; 0 when there is none. */
double machine_save_progress(struct machine *machine);
/*
 * machine_start() from a saved state instead of power on, in a machine made with
 * saved_config(saved). On success the state is used up; on failure it is still there, unless the
 * guest may have run.
 */
struct saved;
bool machine_start_saved(struct machine *machine, const struct saved *saved, bool paused,
                         GError **error);

enum machine_state machine_state(struct machine *machine, enum machine_reason *reason);
/* Registers, instruction bytes and the last exits of a crash, as text for a report; NULL if none.
 * g_free(). */
char *machine_crash_report(struct machine *machine);
/* Counters as JSON: exits by reason, accesses by device and region, guest errors, disk and clock
 * figures. g_free(). */
char *machine_stats(struct machine *machine);

/* Removable media. `path` is opened read-only. Errors: NOT_FOUND, PERMISSION, INVALID, STATE (tray
 * locked). */
bool machine_insert(struct machine *machine, const char *drive, const char *path, GError **error);
bool machine_eject(struct machine *machine, const char *drive, bool force, GError **error);

/* Reads, writes and discards, and bytes, a second of a drive; 0: no limit. NOT_FOUND. */
bool machine_limit_drive(struct machine *machine, const char *drive, uint64_t operations,
                         uint64_t bytes, GError **error);

/*
 * Disks and network cards that come and go while the machine runs. machine_plug() puts in what
 * machine.json has in a slot ("port") under that id and the machine has not. Errors: NOT_FOUND (not
 * in machine.json), EXISTS, INVALID (in no slot, or the machine has none), STATE, those of opening
 * a disk.
 */
bool machine_plug(struct machine *machine, const char *id, GError **error);
/*
 * Asks the guest to let go of it and waits until it has, MACHINE_UNPLUG_SECONDS at most; `force`
 * pulls it out at once. Its disk is flushed and closed then. Errors: NOT_FOUND, INVALID (it is in
 * no slot), STATE, TIMEOUT: the guest keeps it; it may still let go of it later.
 */
bool machine_unplug(struct machine *machine, const char *id, bool force, GError **error);
enum {
    MACHINE_UNPLUG_SECONDS = 60,
};

/*
 * Network cards, by their id in the configuration; forwards as in config/network.h. Errors:
 * NOT_FOUND (card, forward), INVALID, EXISTS (the port is taken), PERMISSION, STATE, HOST. They
 * wait for another process, a few seconds at most.
 */
bool machine_set_link(struct machine *machine, const char *network, bool up, GError **error);
bool machine_add_forward(struct machine *machine, const char *network, const char *forward,
                         GError **error);
bool machine_remove_forward(struct machine *machine, const char *network, const char *forward,
                            GError **error);
/* With commas between; g_free(). */
char *machine_list_forwards(struct machine *machine, const char *network, GError **error);
/* Frames from now on into the file, as pcapng; fd -1: no more. The descriptor stays the caller's.
 */
bool machine_capture(struct machine *machine, const char *network, int fd, GError **error);
/* Bytes a second to and from the guest, 0: no limit. */
bool machine_limit_network(struct machine *machine, const char *network, uint64_t to_guest,
                           uint64_t from_guest, GError **error);
/* Whom the guest talks to, as the contract has it; floating. */
GVariant *machine_list_connections(struct machine *machine, const char *network, GError **error);

/* The display at a head of the adapter (engine/display/console.h): the first, 0, is always there,
 * NULL is behind the last. And the router of keys and pointers (engine/input/input_router.h). */
struct console *machine_console(struct machine *machine, unsigned head);
struct input *machine_input(struct machine *machine);

/*
 * The far end of serial port `port`: the guest's output is given to `output` (main loop, batches);
 * input waits until the guest takes it. Returns how many bytes were accepted.
 */
void machine_serial_set_output(struct machine *machine, unsigned port,
                               void (*output)(void *context, const void *bytes, size_t n),
                               void *context);
size_t machine_serial_input(struct machine *machine, unsigned port, const void *bytes, size_t n);

/* Its lists of drives and network cards change under machine_plug() and machine_unplug(). */
const OrielConfig *machine_config(const struct machine *machine);
/* All of it, as it is now; g_free(). */
char *machine_config_json(struct machine *machine);
/* As given to machine_new(). */
const char *machine_folder(const struct machine *machine);

#endif
