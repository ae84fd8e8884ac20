/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OperatingSystemSection: which system it is. VirtualBox's word counts most, then VMware's, then
 * the description, then CIM's number, which knows nothing of the last ten years.
 */
#include <string.h>

#include "oriel-ovf-private.h"

struct os_name {
    const char *text; /* the beginning, in lower case without separators */
    const char *system;
};

/* Longer ones before those that they begin with. */
static const struct os_name names[] = {
    { "windows11", "win11" },
    { "windows10", "win10" },
    { "windows9server", "win2k16" }, /* VMware's words for 2016 and later */
    { "windows2019srvnext", "win2k22" },
    { "windows2019srv", "win2k19" },
    { "windows2022srvnext", "win2k22" },
    { "windows9", "win10" },
    { "windows81", "win8.1" },
    { "windows8server", "win2k12" },
    { "windows8", "win8" },
    { "windows7server", "win2k8r2" },
    { "windows7", "win7" },
    { "windowsxp", "winxp" },
    { "winxp", "winxp" },
    { "windowsvista", "winvista" },
    { "windowsserver2022", "win2k22" },
    { "windowsserver2019", "win2k19" },
    { "windowsserver2016", "win2k16" },
    { "windowsserver2012", "win2k12" },
    { "windowsserver2008", "win2k8" },
    { "windows2022", "win2k22" },
    { "windows2019", "win2k19" },
    { "windows2016", "win2k16" },
    { "windows2012", "win2k12" },
    { "windows2008", "win2k8" },
    { "windows2003", "win2k3" },
    { "windows2000", "win2k" },
    { "windows", "windows" },
    { "win", "windows" },
    { "debian12", "debian12" },
    { "debian11", "debian11" },
    { "debian10", "debian10" },
    { "debian", "linux" },
    { "ubuntu24", "ubuntu24.04" },
    { "ubuntu22", "ubuntu22.04" },
    { "ubuntu20", "ubuntu20.04" },
    { "ubuntu", "linux" },
    { "fedora", "linux" },
    { "redhat", "linux" },
    { "rhel9", "rhel9-unknown" },
    { "rhel8", "rhel8-unknown" },
    { "rhel", "linux" },
    { "centos", "linux" },
    { "rocky", "linux" },
    { "alma", "linux" },
    { "oracle", "linux" },
    { "opensuse", "linux" },
    { "suse", "linux" },
    { "sles", "linux" },
    { "archlinux", "linux" },
    { "gentoo", "linux" },
    { "photon", "linux" },
    { "coreos", "linux" },
    { "asianux", "linux" },
    { "amazonlinux", "linux" },
    { "linux", "linux" },
    { "other6xlinux", "linux" },
    { "other5xlinux", "linux" },
    { "other4xlinux", "linux" },
    { "other3xlinux", "linux" },
    { "other26xlinux", "linux" },
    { "other24xlinux", "linux" },
    { "otherlinux", "linux" },
    { "gnulinux", "linux" },
};

static const struct {
    guint16 id;
    const char *system;
} cim_ids[] = {
    { 36, "linux" },   { 58, "win2k" },     { 67, "winxp" },      { 69, "win2k3" },
    { 70, "win2k3" },  { 71, "winxp" },     { 73, "winvista" },   { 74, "winvista" },
    { 76, "win2k8" },  { 77, "win2k8" },    { 79, "linux" },      { 80, "linux" },
    { 82, "linux" },   { 83, "linux" },     { 84, "linux" },      { 85, "linux" },
    { 93, "linux" },   { 94, "linux" },     { 95, "linux" },      { 96, "linux" },
    { 97, "linux" },   { 98, "linux" },     { 99, "linux" },      { 100, "linux" },
    { 101, "linux" },  { 103, "win2k8r2" }, { 105, "win7" },      { 106, "linux" },
    { 107, "linux" },  { 108, "linux" },    { 109, "linux" },     { 112, "win2k12" },
    { 113, "win8" },   { 114, "win8" },     { 115, "win2k12r2" }, { 116, "win8.1" },
    { 117, "win8.1" }, { 118, "win2k16" },  { 119, "win10" },     { 120, "win10" },
};

const char *ovf_os_of(const char *text)
{
    const char *maker = text && g_ascii_strncasecmp(text, "Microsoft ", 10) == 0 ? text + 10 : text;
    char bare[64];
    gsize n = 0;

    for (const char *at = maker; at && *at && n < sizeof(bare) - 1; at++) {
        if (g_ascii_isalnum(*at)) {
            bare[n++] = g_ascii_tolower(*at);
        }
    }
    bare[n] = '\0';
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_has_prefix(bare, names[i].text)) {
            return names[i].system;
        }
    }
    return strstr(bare, "linux") ? "linux" : NULL;
}

static const char *system_of_number(const char *text)
{
    guint64 number;

    for (gsize i = 0; ovf_number(text, 1000, &number) && i < G_N_ELEMENTS(cim_ids); i++) {
        if (cim_ids[i].id == number) {
            return cim_ids[i].system;
        }
    }
    return NULL;
}

void ovf_os_read(OrielOvfMachine *system, xmlNode *section)
{
    g_autofree char *virtualbox = ovf_child_text(section, "OSType");
    g_autofree char *vmware = ovf_attribute(section, "osType");
    g_autofree char *description = ovf_child_text(section, "Description");
    g_autofree char *number = ovf_attribute(section, "id");
    const char *const texts[] = { virtualbox, vmware, description };
    const char *found = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *candidate = ovf_os_of(texts[i]);

        /* A family's name is worth less than what a later one may say precisely. */
        if (candidate && (!found || strcmp(found, "linux") == 0 || strcmp(found, "windows") == 0)) {
            found = found && (strcmp(candidate, "linux") == 0 || strcmp(candidate, "windows") == 0)
                        ? found
                        : candidate;
        }
    }
    found = found ? found : system_of_number(number);
    g_free(system->os);
    g_free(system->os_text);
    system->os = g_strdup(found);
    system->os_text = g_strdup(virtualbox ? virtualbox : vmware ? vmware : description);
}
