/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings: network cards, what their cables lead to, ports of this computer that lead to the
 * guest. */
#ifndef ORIEL_NETWORK_PAGE_H
#define ORIEL_NETWORK_PAGE_H

#include "model/oriel-machine-list.h"
#include "settings/rows/oriel-setting-rows.h"

#define ORIEL_TYPE_NETWORK_PAGE (oriel_network_page_get_type())
G_DECLARE_FINAL_TYPE(OrielNetworkPage, oriel_network_page, ORIEL, NETWORK_PAGE, AdwPreferencesPage)

/* `list`: whose private networks are offered; `rows`: what the page's rows are tied to. */
AdwPreferencesPage *oriel_network_page_new(OrielMachineItem *item, OrielMachineList *list,
                                           OrielSettingRows *rows);

#endif
