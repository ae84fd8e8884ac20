/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network cards of a machine, for its parts; what the user does with them is in machine.h. */
#ifndef ENGINE_MACHINE_NETWORK_H
#define ENGINE_MACHINE_NETWORK_H

#include <json-glib/json-glib.h>

#include "net/card.h"

struct machine;

/* What is behind the cards of the configuration; their devices become the owners. */
struct net_cards *network_make(const OrielConfig *config);
/* Counters as the member "networks". */
void network_stats_add(JsonBuilder *json, struct machine *machine);

#endif
