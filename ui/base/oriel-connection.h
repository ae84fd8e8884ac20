/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections of our own to a machine's engine, beside the one that controls it. A connection
 * carries one viewer's frames, so every picture of a machine needs one.
 */
#ifndef ORIEL_CONNECTION_H
#define ORIEL_CONNECTION_H

#include "model/oriel-machine-item.h"

/* Errors: G_IO_ERROR_NOT_CONNECTED if the machine does not run; those of connecting. */
void oriel_connection_open_async(OrielMachineItem *item, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer data);
GDBusConnection *oriel_connection_open_finish(GAsyncResult *result, GError **error);

#endif
