/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel: the library of machines and their screens in a window. */
#include "application/oriel-application.h"
#include "base/oriel-renderer.h"
#include "oriel-locale.h"

int main(int argc, char **argv)
{
    g_autoptr(OrielApplication) application = NULL;

    oriel_renderer_choose();
    oriel_locale_start(TRUE);
    application = oriel_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
