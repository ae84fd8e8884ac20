/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-name.h. */
#include "widgets/oriel-machine-name.h"

#include <glib/gi18n.h>
#include <string.h>

const char *oriel_machine_name_problem(OrielMachineList *list, const char *name,
                                       OrielMachineItem *own)
{
    OrielMachineItem *taken = oriel_machine_list_find_name(list, name);

    if (strchr(name, '/')) {
        return _("A name cannot have a slash in it.");
    }
    if (*name == '.') {
        return _("A name cannot begin with a dot.");
    }
    if (strlen(name) > CONFIG_NAME_MAX) {
        return _("This name is too long.");
    }
    return taken && taken != own ? _("Another machine has this name.") : NULL;
}
