/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cards that come and go: what the control thread has to do with it. See machine.h. */
#ifndef ENGINE_PLUG_H
#define ENGINE_PLUG_H

struct machine;

/* Takes out the cards whose slots the guest has turned off when it was asked to. Under control. */
void plug_cards_let_go(struct machine *machine);

#endif
