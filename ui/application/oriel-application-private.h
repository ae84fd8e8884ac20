/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the application share. */
#ifndef ORIEL_APPLICATION_PRIVATE_H
#define ORIEL_APPLICATION_PRIVATE_H

#include "oriel-application.h"
#include "oriel-notifications.h"
#include "oriel-session-guard.h"
#include "window/oriel-window.h"

struct _OrielApplication {
    AdwApplication parent_instance;
    OrielMachineList *list;
    OrielPreferences *preferences;
    OrielNotifications *notifications;
    OrielSessionGuard *guard;
    guint started;      /* source: the start is over */
    gboolean shortcuts; /* whether the accelerators are set */
};

void oriel_application_add_options(OrielApplication *application);
/* GApplication::handle-local-options. */
int oriel_application_local_options(GApplication *application, GVariantDict *options);
void oriel_application_add_actions(OrielApplication *application);
/* The window with the library, made if there is none. */
OrielWindow *oriel_application_main_window(OrielApplication *application);

#endif
