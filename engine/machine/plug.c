/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disks and network cards that come and go while the machine runs.
 *
 * Each change is made while the machine stands still, for a few milliseconds: then no CPU, timer,
 * doorbell, disk or network is inside a device, so a device can be made or freed as if the machine
 * had not started yet. What the guest sees of it is its root port's affair (root_port.h).
 */
#include "machine/plug.h"

#include <string.h>
#include <time.h>

#include "machine/machine_control.h"
#include "machine/machine_private.h"
#include "root_port.h"

/* --- Going ------------------------------------------------------------------------------------ */

static struct board_port *slot_find(struct machine *machine, const char *id)
{
    for (unsigned i = 0; i < CONFIG_PORTS_MAX; i++) {
        struct board_port *slot = &machine->board.ports[i];

        if (slot->card && strcmp(slot->card->device->name, id) == 0) {
            return slot;
        }
    }
    return NULL;
}

/* What the guest has written is made durable; what it still waits for fails. */
static void drive_end(struct machine *machine, struct drive *drive)
{
    g_autoptr(GError) error = NULL;

    if (!drive_sync(drive, &error)) {
        g_warning("%s", error->message);
    }
    drive_close(drive);
    drive_pool_drain(machine->drives);
}

static void drive_forget(struct machine *machine, struct drive *drive)
{
    struct board *board = &machine->board;

    for (unsigned i = 0; i < board->n_drives; i++) {
        if (board->drives[i] == drive) {
            memmove(&board->drives[i], &board->drives[i + 1],
                    (board->n_drives - i - 1) * sizeof(board->drives[0]));
            board->drives[--board->n_drives] = NULL;
        }
    }
    g_ptr_array_remove(machine->config->drives,
                       oriel_config_find_drive(machine->config, drive_id(drive)));
    drive_free(drive);
}

/* Under control. */
static void card_take_out(struct machine *machine, struct board_port *slot)
{
    struct machine_device *port = slot->port;
    g_autofree char *id = g_strdup(slot->card->device->name);
    struct drive *drive = slot->card->drives[0];
    struct net_card *card = slot->card->card;
    bool ran = machine->vcpus_running;

    control_halt(machine);
    if (drive) {
        drive_end(machine, drive);
    }
    pthread_mutex_lock(&machine->parts);
    board_card_free(machine, slot);
    if (drive) {
        drive_forget(machine, drive);
    } else {
        net_cards_remove(card);
        g_ptr_array_remove(machine->config->networks,
                           oriel_config_find_network(machine->config, id));
    }
    pthread_mutex_unlock(&machine->parts);
    domain_enter(port->domain);
    root_port_remove(port->device);
    domain_leave(port->domain);
    g_message("“%s” was taken out", id);
    if (ran) {
        control_go(machine);
    }
}

void plug_cards_let_go(struct machine *machine)
{
    unsigned off;

    pthread_mutex_lock(&machine->lock);
    off = machine->slots_off;
    machine->slots_off = 0;
    pthread_mutex_unlock(&machine->lock);
    for (unsigned i = 0; i < CONFIG_PORTS_MAX; i++) {
        if ((off & 1u << i) && machine->board.ports[i].card) {
            card_take_out(machine, &machine->board.ports[i]);
        }
    }
    pthread_mutex_lock(&machine->lock);
    machine->slots_waiting &= ~off;
    pthread_cond_broadcast(&machine->unplugged);
    pthread_mutex_unlock(&machine->lock);
}

/* True if the guest has let go of it. */
static bool let_go_wait(struct machine *machine, unsigned slot)
{
    struct timespec until;
    bool gone;
    int result = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += MACHINE_UNPLUG_SECONDS;
    pthread_mutex_lock(&machine->lock);
    while ((machine->slots_waiting & slot) && machine->state != MACHINE_STOPPED && result == 0) {
        result = pthread_cond_timedwait(&machine->unplugged, &machine->lock, &until);
    }
    gone = !(machine->slots_waiting & slot);
    machine->slots_waiting &= ~slot;
    pthread_mutex_unlock(&machine->lock);
    return gone;
}

/* Asks, under control. False: with *error set, or *wait and the guest is to be waited for. */
static bool ask(struct machine *machine, struct board_port *slot, bool *wait, GError **error)
{
    unsigned bit = 1u << (slot - machine->board.ports);
    bool off, waits;

    pthread_mutex_lock(&machine->lock);
    waits = machine->slots_waiting & bit;
    machine->slots_waiting |= bit;
    pthread_mutex_unlock(&machine->lock);
    if (waits) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "The guest is being asked to let go of “%s” already.",
                    slot->card->device->name);
        return false;
    }
    machine_device_enter(slot->port->device);
    off = root_port_ask(slot->port->device);
    machine_device_leave(slot->port->device);
    if (off) {
        pthread_mutex_lock(&machine->lock);
        machine->slots_waiting &= ~bit;
        pthread_mutex_unlock(&machine->lock);
        card_take_out(machine, slot);
    }
    *wait = !off;
    return off;
}

static bool unplug_begin(struct machine *machine, const char *id, bool force, bool *wait,
                         GError **error)
{
    struct board_port *slot = slot_find(machine, id);
    enum machine_state state = machine_state(machine, NULL);

    if (!slot) {
        bool there = oriel_config_find_drive(machine->config, id) ||
                     oriel_config_find_network(machine->config, id);

        g_set_error(error, ORIEL_ERROR, there ? ORIEL_ERROR_INVALID : ORIEL_ERROR_NOT_FOUND,
                    there ? "“%s” is fixed in the running machine “%s”; turn it off first."
                          : "There is no “%s” in the running machine “%s”.",
                    id, machine->config->name);
        return false;
    }
    if (state != MACHINE_RUNNING && !(force && state == MACHINE_PAUSED)) {
        return machine_wrong_state(machine, "asked to let go of a device", error);
    }
    if (machine->suspended) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "The guest of “%s” sleeps and cannot let go of “%s”; wake it first.",
                    machine->config->name, id);
        return false;
    }
    if (force) {
        card_take_out(machine, slot);
        return true;
    }
    return ask(machine, slot, wait, error);
}

bool machine_unplug(struct machine *machine, const char *id, bool force, GError **error)
{
    bool wait = false, good;
    unsigned bit = 0;

    pthread_mutex_lock(&machine->control);
    good = unplug_begin(machine, id, force, &wait, error);
    if (wait) {
        bit = 1u << (slot_find(machine, id) - machine->board.ports);
    }
    pthread_mutex_unlock(&machine->control);
    if (wait) {
        good = let_go_wait(machine, bit);
        if (!good) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT,
                        "The guest has not let go of “%s”. Try again when its system runs and "
                        "nothing uses it, or turn “%s” off.",
                        id, machine->config->name);
        }
    }
    return good;
}

/* --- Coming ----------------------------------------------------------------------------------- */

/* The port of a drive or network card of machine.json; false with *error set if it cannot come. */
static bool check(struct machine *machine, const OrielConfig *config, const char *id,
                  unsigned *port, GError **error)
{
    const OrielDrive *drive = oriel_config_find_drive(config, id);
    const OrielNetwork *network = oriel_config_find_network(config, id);
    enum machine_state state = machine_state(machine, NULL);

    *port = drive ? drive->port : network ? network->port : 0;
    if (!drive && !network) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "The settings of “%s” name no “%s”.",
                    config->name, id);
    } else if (oriel_config_find_drive(machine->config, id) ||
               oriel_config_find_network(machine->config, id)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS, "The running “%s” has “%s” already.",
                    config->name, id);
    } else if (*port == 0 || !machine->board.ports[*port - 1].port) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            "“%s” cannot come while “%s” runs: it is in no slot, or the machine was started "
            "without “hotplug”. Turn the machine off and on again.",
            id, config->name);
    } else if (machine->board.ports[*port - 1].card) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    "Slot %u, which the settings give to “%s”, has “%s” in it.", *port, id,
                    machine->board.ports[*port - 1].card->device->name);
    } else if (state != MACHINE_RUNNING && state != MACHINE_PAUSED) {
        machine_wrong_state(machine, "given a device", error);
    } else {
        return true;
    }
    return false;
}

/* Takes it out of `from`, behind all others of `to`. */
static void entry_move(GPtrArray *to, GPtrArray *from, gpointer entry)
{
    guint index = 0;

    g_ptr_array_find(from, entry, &index);
    g_ptr_array_add(to, g_ptr_array_steal_index(from, index));
}

/* While the machine stands still, `parts` held. */
static bool drive_come(struct machine *machine, OrielConfig *config, OrielDrive *entry,
                       struct drive *drive, GError **error)
{
    entry_move(machine->config->drives, config->drives, entry);
    machine->board.drives[machine->board.n_drives++] = drive;
    if (board_card_make(machine, entry->id, error)) {
        return true;
    }
    drive_close(drive);
    drive_forget(machine, drive);
    return false;
}

static bool network_come(struct machine *machine, OrielConfig *config, OrielNetwork *entry,
                         GError **error)
{
    struct net_card *card = net_cards_add(machine->networks, config, entry, error);

    if (!card) {
        return false;
    }
    entry_move(machine->config->networks, config->networks, entry);
    if (board_card_make(machine, entry->id, error)) {
        return true;
    }
    net_cards_remove(card);
    g_ptr_array_remove(machine->config->networks, entry);
    return false;
}

/* Under control; takes what it needs from `config`. */
static bool card_put_in(struct machine *machine, OrielConfig *config, const char *id,
                        struct board_port *slot, GError **error)
{
    OrielDrive *entry = oriel_config_find_drive(config, id);
    struct drive *drive = NULL;
    bool ran = machine->vcpus_running, good;

    if (entry) {
        drive = drive_new(machine->drives, id, machine->config->uuid, false);
        if (entry->cache == ORIEL_CACHE_DIRECT) {
            drive_set_direct(drive);
        }
        drive_set_limits(drive,
                         &(struct drive_limits){ entry->iops_limit, entry->bandwidth_limit });
        if (!drive_open(drive, machine->folder, entry->path, drive_image_format(entry->format),
                        entry->read_only, error)) {
            drive_free(drive);
            return false;
        }
    }
    control_halt(machine);
    pthread_mutex_lock(&machine->parts);
    good = entry ? drive_come(machine, config, entry, drive, error)
                 : network_come(machine, config, oriel_config_find_network(config, id), error);
    pthread_mutex_unlock(&machine->parts);
    if (good) {
        domain_enter(slot->port->domain);
        root_port_insert(slot->port->device);
        domain_leave(slot->port->domain);
        g_message("“%s” was put in", id);
    }
    if (ran) {
        control_go(machine);
    }
    return good;
}

bool machine_plug(struct machine *machine, const char *id, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_load(machine->folder, error);
    unsigned port;
    bool good;

    if (!config) {
        return false;
    }
    pthread_mutex_lock(&machine->control);
    good = check(machine, config, id, &port, error) &&
           card_put_in(machine, config, id, &machine->board.ports[port - 1], error);
    pthread_mutex_unlock(&machine->control);
    return good;
}
