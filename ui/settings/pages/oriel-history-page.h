/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings: the settings of earlier, with the way back to them, and what identifies the machine. */
#ifndef ORIEL_HISTORY_PAGE_H
#define ORIEL_HISTORY_PAGE_H

#include <adwaita.h>

#include "model/oriel-machine-item.h"
#include "settings/rows/oriel-setting-rows.h"

#define ORIEL_TYPE_HISTORY_PAGE (oriel_history_page_get_type())
G_DECLARE_FINAL_TYPE(OrielHistoryPage, oriel_history_page, ORIEL, HISTORY_PAGE, AdwPreferencesPage)

/* For an OrielSettingsWindow, which shows its toasts. */
AdwPreferencesPage *oriel_history_page_new(OrielMachineItem *item, OrielSettingRows *rows);

#endif
