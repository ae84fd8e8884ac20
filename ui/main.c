/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel: the library of machines and their screens in a window. */
#include <glib/gi18n.h>
#include <locale.h>

#include "application/oriel-application.h"
#include "base/oriel-renderer.h"

/* Translations as installed, otherwise those of the build folder this program lies in. */
static void translations_bind(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    g_autofree char *built = g_build_filename(folder, "..", "po", NULL);
    gboolean is_built = g_file_test(built, G_FILE_TEST_IS_DIR);

    bindtextdomain(GETTEXT_PACKAGE, is_built ? built : ORIEL_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
}

int main(int argc, char **argv)
{
    g_autoptr(OrielApplication) application = NULL;

    oriel_renderer_choose();
    setlocale(LC_ALL, "");
    translations_bind();
    application = oriel_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
