/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the world outside does with the slot of a hot-pluggable root port (class "pcie-root-port",
 * option "hotplug"). PCI Express Base 2.0, section 6.7.
 *
 * The port asks for the removal of its card with REQUEST_UNPLUG (services.h), argument: number of
 * the slot, when root_port_ask() was called before and the guest has turned the slot off.
 *
 * Threads: in the port's domain.
 */
#ifndef DEVICES_ROOT_PORT_H
#define DEVICES_ROOT_PORT_H

#include "device.h"

/* A card was put into the slot, which must be empty: the guest is told. */
void root_port_insert(struct device *device);
/* The card was taken out of the slot: the guest is told, whether it had let go of it or not. */
void root_port_remove(struct device *device);
/*
 * Presses the attention button: the guest is asked to let go of the card. True if the slot is off
 * already, so that the card may go at once and no request follows.
 */
bool root_port_ask(struct device *device);

#endif
