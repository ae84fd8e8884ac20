/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an appliance declares and what becomes of it, to be looked at before it is imported: the
 * machine, what is not honoured, licences to accept, where it goes.
 *
 * Signals: "opened" (s problem, or NULL: the report is shown), after every
 * oriel_import_page_open(); "changed" when oriel_import_page_is_ready() may have changed.
 */
#ifndef ORIEL_IMPORT_PAGE_H
#define ORIEL_IMPORT_PAGE_H

#include <adwaita.h>

#include "appliance/import/oriel-import.h"
#include "model/oriel-machine-list.h"

#define ORIEL_TYPE_IMPORT_PAGE (oriel_import_page_get_type())
G_DECLARE_FINAL_TYPE(OrielImportPage, oriel_import_page, ORIEL, IMPORT_PAGE, GtkWidget)

/* Reads the appliance; `folder`: where the machine goes, NULL: the library's own. */
void oriel_import_page_open(OrielImportPage *page, OrielMachineList *list, const char *path,
                            const char *folder);
/* Whether it can be imported as the page is filled in. *problem: what is wrong with the name, or
 * NULL; static. */
gboolean oriel_import_page_is_ready(OrielImportPage *page, const char **problem);
/* What is ready, as the page is filled in; the page has it no more. oriel_import_free(). */
OrielImport *oriel_import_page_take(OrielImportPage *page);
/* Whether the machine is to start when it is there. */
gboolean oriel_import_page_get_start(OrielImportPage *page);

#endif
