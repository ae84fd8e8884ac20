/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of ours around large libraries that most runs of a program do without: loaded when they are
 * first wanted.
 */
#ifndef ORIEL_MODULE_H
#define ORIEL_MODULE_H

#include <glib.h>

/**
 * oriel_module_symbol:
 * @folder: where the module is in the build folder: "app/media"
 * @name: of the module's file, without its ending: "oriel-osinfo"
 * @symbol: what it exports
 *
 * Loads the module, which then stays: the one of the build folder that this program is run from,
 * otherwise the installed one. Blocking; any thread.
 *
 * Returns: (nullable): the symbol's address, or NULL if there is none, which is logged.
 */
gpointer oriel_module_symbol(const char *folder, const char *name, const char *symbol);

#endif
