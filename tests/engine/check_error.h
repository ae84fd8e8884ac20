/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls with a GError: the expression `call` has `&error` for it, of the macro's own. */
#ifndef TESTS_ENGINE_CHECK_ERROR_H
#define TESTS_ENGINE_CHECK_ERROR_H

#include <glib.h>

#include "config/config.h"
#include "test.h"

/* The call is true. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        if (!(call)) {                                                                             \
            test_fail(__FILE__, __LINE__, "%s: %s", #call, error ? error->message : "no error");   \
        }                                                                                          \
    } while (0)

/* The call fails with this OrielError and a sentence that contains `words`. */
#define CHECK_ERROR(call, code_, words)                                                            \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        if (call) {                                                                                \
            test_fail(__FILE__, __LINE__, "%s succeeded", #call);                                  \
        }                                                                                          \
        CHECK(error != NULL && error->domain == ORIEL_ERROR);                                      \
        if (error->code != (int)(code_) || strstr(error->message, (words)) == NULL) {              \
            test_fail(__FILE__, __LINE__, "code %d: %s", error->code, error->message);             \
        }                                                                                          \
    } while (0)

#endif
