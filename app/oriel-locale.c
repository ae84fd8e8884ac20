/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-locale.h. */
#include "oriel-locale.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <locale.h>
#include <string.h>

static void domain_bind(void)
{
    const char *wanted = g_getenv("ORIEL_LOCALE_DIR");
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    g_autofree char *built = g_build_filename(folder, "..", "po", NULL);
    gboolean is_built = g_file_test(built, G_FILE_TEST_IS_DIR);

    bindtextdomain(GETTEXT_PACKAGE, wanted ? wanted : is_built ? built : ORIEL_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
}

void oriel_locale_start(gboolean translated)
{
    if (!translated) {
        g_setenv("LANGUAGE", "C", TRUE);
    }
    setlocale(LC_ALL, "");
    domain_bind();
}

void oriel_locale_load_messages(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_MESSAGES, "");
    domain_bind();
    /* The first text of a domain loads its catalogue: ours, and the C library's. */
    g_dgettext(GETTEXT_PACKAGE, "Cancelled; nothing was changed or left behind.");
    strerror(EIO);
}
