/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings: network cards, what their cables lead to, ports of this computer that lead to the
 * guest. */
#ifndef ORIEL_NETWORK_PAGE_H
#define ORIEL_NETWORK_PAGE_H

#include "settings/rows/oriel-setting-rows.h"

#define ORIEL_TYPE_NETWORK_PAGE (oriel_network_page_get_type())
G_DECLARE_FINAL_TYPE(OrielNetworkPage, oriel_network_page, ORIEL, NETWORK_PAGE, AdwPreferencesPage)

AdwPreferencesPage *oriel_network_page_new(OrielMachineItem *item, OrielSettingRows *rows);

#endif
