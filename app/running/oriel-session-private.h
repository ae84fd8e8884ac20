/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of oriel-session.h share. */
#ifndef ORIEL_SESSION_PRIVATE_H
#define ORIEL_SESSION_PRIVATE_H

#include "oriel-session.h"

/* Tells the process behind the descriptor of pidfd_open() to end, and waits for that; `ask`: with
 * SIGTERM first, SIGKILL after ORIEL_SESSION_PATIENCE. Errors: that of the kernel, TIMEOUT if the
 * system still holds it. */
gboolean oriel_session_end_process(int process, gboolean ask, const OrielMachine *machine,
                                   GError **error);

#endif
