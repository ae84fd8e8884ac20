/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removable media: what machine_insert() and machine_eject() do. Under machine->control. */
#ifndef ENGINE_MEDIA_H
#define ENGINE_MEDIA_H

struct machine;

/* Takes the medium out of a drive, whatever its tray's lock says, and tells guest and owner. */
void media_remove(struct machine *machine, unsigned index);

#endif
