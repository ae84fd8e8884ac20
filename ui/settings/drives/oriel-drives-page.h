/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings: disks and CD drives, and which of them the machine starts from. */
#ifndef ORIEL_DRIVES_PAGE_H
#define ORIEL_DRIVES_PAGE_H

#include "settings/rows/oriel-setting-rows.h"

#define ORIEL_TYPE_DRIVES_PAGE (oriel_drives_page_get_type())
G_DECLARE_FINAL_TYPE(OrielDrivesPage, oriel_drives_page, ORIEL, DRIVES_PAGE, AdwPreferencesPage)

AdwPreferencesPage *oriel_drives_page_new(OrielMachineItem *item, OrielSettingRows *rows);

#endif
