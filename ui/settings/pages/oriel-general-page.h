/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings: what the machine is called, what runs in it, notes, where it lies. */
#ifndef ORIEL_GENERAL_PAGE_H
#define ORIEL_GENERAL_PAGE_H

#include "model/oriel-machine-list.h"
#include "settings/rows/oriel-setting-rows.h"

#define ORIEL_TYPE_GENERAL_PAGE (oriel_general_page_get_type())
G_DECLARE_FINAL_TYPE(OrielGeneralPage, oriel_general_page, ORIEL, GENERAL_PAGE, AdwPreferencesPage)

/* For an OrielSettingsWindow, which shows its subpages and toasts. */
AdwPreferencesPage *oriel_general_page_new(OrielMachineItem *item, OrielMachineList *list,
                                           OrielSettingRows *rows);

#endif
