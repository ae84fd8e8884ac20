/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks where a remote screen is.
 *
 * Signal: "connect" (s address), of a form that oriel_vnc_backend_new() takes; the window closes
 * itself then.
 */
#ifndef ORIEL_CONNECT_DIALOG_H
#define ORIEL_CONNECT_DIALOG_H

#include <adwaita.h>

#define ORIEL_TYPE_CONNECT_DIALOG (oriel_connect_dialog_get_type())
G_DECLARE_FINAL_TYPE(OrielConnectDialog, oriel_connect_dialog, ORIEL, CONNECT_DIALOG,
                     AdwMessageDialog)

GtkWindow *oriel_connect_dialog_new(GtkWindow *parent);

#endif
