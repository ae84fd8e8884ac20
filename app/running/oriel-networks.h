/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network cards of machines, running or not. Blocking functions; any thread. */
#ifndef ORIEL_NETWORKS_H
#define ORIEL_NETWORKS_H

#include "config/network.h"
#include "library/oriel-library.h"

/*
 * Gives a running machine the cables and port forwards that its settings have now; the rest of them
 * waits for the next start. TRUE if it does not run. The first error is reported, the rest done all
 * the same.
 */
gboolean oriel_networks_apply(const OrielMachine *machine, GError **error);
/* The same when one of the keys is such a setting; otherwise nothing. */
gboolean oriel_networks_apply_keys(const OrielMachine *machine, const char *const *keys,
                                   GError **error);

/*
 * Adds or removes a port forward (config/network.h) in the running machine, if it runs, and in the
 * settings. `network` NULL: the first card. Errors: NOT_FOUND, EXISTS (also: another program has
 * the port), INVALID, PERMISSION, STATE, HOST.
 */
gboolean oriel_forward_add(const OrielMachine *machine, const char *network, const char *forward,
                           GError **error);
gboolean oriel_forward_remove(const OrielMachine *machine, const char *network, const char *forward,
                              GError **error);

/*
 * Adds a card to the user's network, or removes one, of a machine that does not run, or of a
 * running one with "hotplug": then the card comes at once, and goes when the guest has let go of
 * it, or at once by `force`. The id of the new card, g_free(), or NULL. Errors: LOCKED, STATE,
 * NOT_FOUND, INVALID (all are taken), TIMEOUT (the guest keeps it).
 */
char *oriel_network_add(const OrielMachine *machine, GError **error);
gboolean oriel_network_remove(const OrielMachine *machine, const char *network, gboolean force,
                              GError **error);

/* The card with that id, NULL: the first one. NULL with NOT_FOUND. */
const OrielNetwork *oriel_network_find(const OrielConfig *config, const char *network,
                                       GError **error);

#endif
