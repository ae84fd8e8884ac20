/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The language that a program speaks. Each program calls one of these first, before it has a second
 * thread. Sentences for people are then translated by _() of <glib/gi18n-lib.h>; names of settings,
 * states and JSON members, and what goes into logs, are the same in every language.
 *
 * Translations are those of the build folder that the program lies in, otherwise those installed;
 * tests name another folder with ORIEL_LOCALE_DIR.
 */
#ifndef ORIEL_LOCALE_H
#define ORIEL_LOCALE_H

#include <glib.h>

/* The user's locale. `translated`: FALSE for sentences that a script may read; they are English, in
 * the programs that are started from here too. */
void oriel_locale_start(gboolean translated);

/*
 * Only the user's language; numbers stay as in C, and characters are UTF-8. What is needed of files
 * is read at once: for programs that cannot open them later.
 */
void oriel_locale_load_messages(void);

#endif
