/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machines as the library shows them: found by text and tag, in the order the user wants.
 * Follows what changes in the machines.
 *
 * Signal: "tags-changed": oriel_library_model_dup_tags() may give something else.
 */
#ifndef ORIEL_LIBRARY_MODEL_H
#define ORIEL_LIBRARY_MODEL_H

#include "model/oriel-machine-list.h"
#include "base/oriel-preferences.h"

#define ORIEL_TYPE_LIBRARY_MODEL (oriel_library_model_get_type())
G_DECLARE_FINAL_TYPE(OrielLibraryModel, oriel_library_model, ORIEL, LIBRARY_MODEL, GObject)

OrielLibraryModel *oriel_library_model_new(OrielMachineList *list);
/* What is to be shown: a list of OrielMachineItem. Borrowed. */
GListModel *oriel_library_model_get_view(OrielLibraryModel *model);
/* Every word must be in the name, the system, a tag or the notes; case and accents do not count. */
void oriel_library_model_set_search(OrielLibraryModel *model, const char *text);
/* Only machines with this tag; NULL or "": all. */
void oriel_library_model_set_tag(OrielLibraryModel *model, const char *tag);
void oriel_library_model_set_sort(OrielLibraryModel *model, OrielLibrarySort sort);
/* All tags of all machines, each once, sorted. g_strfreev(). */
char **oriel_library_model_dup_tags(OrielLibraryModel *model);

#endif
