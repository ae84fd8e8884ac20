/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of VNC servers as users write them: "HOST", "HOST:PORT", "HOST:DISPLAY" (a number below
 * 100), "[IPV6]:PORT", "IPV6", "vnc://HOST:PORT", "unix:PATH".
 *
 * Threads: any.
 */
#ifndef ORIEL_VNC_ADDRESS_H
#define ORIEL_VNC_ADDRESS_H

#include <gio/gio.h>

/*
 * NULL with *error set (G_IO_ERROR_INVALID_ARGUMENT) if the text is none of these. The host is not
 * looked up. *local: the other side is on this machine. Unref.
 */
GSocketConnectable *oriel_vnc_address_parse(const char *text, gboolean *local, GError **error);

/* The same for all ways to write an address: "HOST:PORT" or the path of a socket. g_free(). */
char *oriel_vnc_address_identity(GSocketConnectable *address);

#endif
