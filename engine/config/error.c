/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors that a user sees: one domain, stable exit codes. See config.h. */
#include "config.h"

#include <errno.h>
#include <glib/gi18n-lib.h>

G_DEFINE_QUARK(oriel - error - quark, oriel_error)

enum {
    EXIT_CODE_FIRST = 10,
    EXIT_CODE_OTHER = 1,
};

int oriel_error_exit_code(const GError *error)
{
    if (error == NULL) {
        return 0;
    }
    return error->domain == ORIEL_ERROR ? EXIT_CODE_FIRST + error->code : EXIT_CODE_OTHER;
}

static OrielError code_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ORIEL_ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ORIEL_ERROR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ORIEL_ERROR_NO_SPACE;
    default:
        return ORIEL_ERROR_HOST;
    }
}

void oriel_error_set_errno(GError **error, int number, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list arguments;

    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ORIEL_ERROR,
                code_of(number), /* Translators: what cannot be done, and why. */
                _("%s: %s."), what, g_strerror(number));
}
