/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine/media.h"

#include <string.h>

#include "machine/machine_private.h"

/* The drive of that name if it takes removable media. */
static bool optical_find(struct machine *machine, const char *id, unsigned *index, GError **error)
{
    struct block_info info;

    for (unsigned i = 0; i < machine->board.n_drives; i++) {
        if (strcmp(drive_id(machine->board.drives[i]), id) == 0) {
            drive_info(machine->board.drives[i], &info);
            if (!info.optical) {
                g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                            "“%s” is a disk; only the medium of a CD drive can be changed.", id);
                return false;
            }
            *index = i;
            return true;
        }
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "The machine has no drive “%s”.", id);
    return false;
}

static bool tray_check(struct machine *machine, unsigned index, GError **error)
{
    bool locked;

    pthread_mutex_lock(&machine->lock);
    locked = machine->locked & 1u << index;
    pthread_mutex_unlock(&machine->lock);
    if (locked) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_STATE,
            "The guest is using the medium in “%s” and has locked the tray. Eject it in the "
            "guest, or force it.",
            drive_id(machine->board.drives[index]));
    }
    return !locked;
}

static void media_tell(struct machine *machine, unsigned index)
{
    struct machine_device *storage = machine->board.storage;

    domain_enter(storage->domain);
    storage->class->on_media(storage->device, index);
    domain_leave(storage->domain);
    machine_notify(
        machine, (struct machine_notice){ .kind = NOTICE_MEDIA,
                                          .text = (char *)drive_id(machine->board.drives[index]) });
}

void media_remove(struct machine *machine, unsigned index)
{
    struct block_info info;

    drive_info(machine->board.drives[index], &info);
    if (info.optical && info.present) {
        drive_close(machine->board.drives[index]);
        media_tell(machine, index);
    }
}

bool machine_insert(struct machine *machine, const char *drive, const char *path, GError **error)
{
    struct block_info info;
    bool good = false;
    unsigned index;

    pthread_mutex_lock(&machine->control);
    if (optical_find(machine, drive, &index, error)) {
        drive_info(machine->board.drives[index], &info);
        /* The new medium is looked at before the old one goes. */
        if ((!info.present || tray_check(machine, index, error)) &&
            drive_check_medium(path, true, error)) {
            media_remove(machine, index);
            good = drive_open(machine->board.drives[index], NULL, path, IMAGE_RAW, true, error);
            if (good) {
                media_tell(machine, index);
            }
        }
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_eject(struct machine *machine, const char *drive, bool force, GError **error)
{
    bool good = false;
    unsigned index;

    pthread_mutex_lock(&machine->control);
    if (optical_find(machine, drive, &index, error) &&
        (force || tray_check(machine, index, error))) {
        media_remove(machine, index);
        good = true;
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_limit_drive(struct machine *machine, const char *drive, uint64_t operations,
                         uint64_t bytes, GError **error)
{
    const struct drive_limits limits = { operations, bytes };
    bool found = false;

    pthread_mutex_lock(&machine->parts);
    for (unsigned i = 0; i < machine->board.n_drives && !found; i++) {
        found = strcmp(drive_id(machine->board.drives[i]), drive) == 0;
        if (found) {
            drive_set_limits(machine->board.drives[i], &limits);
        }
    }
    pthread_mutex_unlock(&machine->parts);
    if (!found) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "The machine has no drive “%s”.",
                    drive);
    }
    return found;
}
