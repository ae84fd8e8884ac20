/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names: profiles, controllers, files; operating systems as CIM, VMware and VirtualBox number and
 * name them. Newer systems have no
 * number of their own in CIM; they get that of their family. The first row that fits counts.
 */
#include <string.h>

#include "oriel-ovf-writer.h"
#include "oriel-system.h"

enum {
    FILE_NAME_MAX = 60, /* with what is added to it, it fits into the header of a tar */
};

/* --- Names ------------------------------------------------------------------------------------ */

static const char *const profile_names[ORIEL_OVF_PROFILES] = {
    [ORIEL_OVF_VMWARE] = "vmware",
    [ORIEL_OVF_VIRTUALBOX] = "virtualbox",
    [ORIEL_OVF_PROXMOX] = "proxmox",
    [ORIEL_OVF_HYPER_V] = "hyper-v",
};

static const char *const controller_names[ORIEL_OVF_CONTROLLERS] = {
    [ORIEL_OVF_CONTROLLER_DEFAULT] = "default",
    [ORIEL_OVF_CONTROLLER_SCSI] = "scsi",
    [ORIEL_OVF_CONTROLLER_SATA] = "sata",
    [ORIEL_OVF_CONTROLLER_IDE] = "ide",
};

gboolean oriel_ovf_profile_parse(const char *name, OrielOvfProfile *profile)
{
    for (guint i = 0; i < ORIEL_OVF_PROFILES; i++) {
        if (strcmp(profile_names[i], name) == 0) {
            *profile = (OrielOvfProfile)i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean oriel_ovf_controller_parse(const char *name, OrielOvfController *controller)
{
    for (guint i = 0; i < ORIEL_OVF_CONTROLLERS; i++) {
        if (strcmp(controller_names[i], name) == 0) {
            *controller = (OrielOvfController)i;
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * LSI Logic is what VMware of every age knows, but Windows since 8 has no driver for it. The others
 * attach a disk as it was attached here.
 */
OrielOvfController oriel_ovf_controller(OrielOvfProfile profile, OrielOvfController controller,
                                        const OrielConfig *config)
{
    if (controller != ORIEL_OVF_CONTROLLER_DEFAULT) {
        return controller;
    }
    return profile == ORIEL_OVF_VMWARE &&
                   strcmp(oriel_system_find(config->os)->family, "windows") != 0
               ? ORIEL_OVF_CONTROLLER_SCSI
               : ORIEL_OVF_CONTROLLER_SATA;
}

char *oriel_ovf_file_name(const char *name)
{
    g_autofree char *ascii = g_str_to_ascii(name, "C");
    GString *file = g_string_new(NULL);

    for (const char *at = ascii; *at && file->len < FILE_NAME_MAX; at++) {
        gboolean plain = g_ascii_isalnum(*at) || *at == '.' || *at == '_';

        /* Whatever else there is becomes one hyphen; none at the beginning. */
        if (plain && (file->len > 0 || g_ascii_isalnum(*at))) {
            g_string_append_c(file, *at);
        } else if (!plain && file->len > 0 && file->str[file->len - 1] != '-') {
            g_string_append_c(file, '-');
        }
    }
    while (file->len > 0 && !g_ascii_isalnum(file->str[file->len - 1])) {
        g_string_truncate(file, file->len - 1);
    }
    if (file->len == 0) {
        g_string_assign(file, "machine");
    }
    return g_string_free(file, FALSE);
}

/* --- Systems ---------------------------------------------------------------------------------- */

static const OrielOvfSystem systems[] = {
    { "debian", 96, "debian10_64Guest", "Debian_64" },
    { "ubuntu", 94, "ubuntu64Guest", "Ubuntu_64" },
    { "fedora", 101, "fedora64Guest", "Fedora_64" },
    { "rhel7", 80, "rhel7_64Guest", "RedHat_64" },
    { "rhel", 80, "rhel8_64Guest", "RedHat_64" },
    { "centos7", 107, "centos7_64Guest", "RedHat_64" },
    { "centos", 107, "centos8_64Guest", "RedHat_64" },
    { "almalinux", 101, "centos8_64Guest", "RedHat_64" },
    { "rocky", 101, "centos8_64Guest", "RedHat_64" },
    { "ol7", 109, "oracleLinux7_64Guest", "Oracle_64" },
    { "ol", 109, "oracleLinux8_64Guest", "Oracle_64" },
    { "opensuse", 83, "opensuse64Guest", "OpenSUSE_64" },
    { "sle", 85, "sles15_64Guest", "OpenSUSE_64" },
    { "archlinux", 101, "other4xLinux64Guest", "ArchLinux_64" },
    { "gentoo", 101, "other4xLinux64Guest", "Gentoo_64" },
    { "win11", 1, "windows9_64Guest", "Windows11_64" },
    { "win10", 120, "windows9_64Guest", "Windows10_64" },
    { "win8.1", 117, "windows8_64Guest", "Windows81_64" },
    { "win8", 114, "windows8_64Guest", "Windows8_64" },
    { "win7", 105, "windows7_64Guest", "Windows7_64" },
    { "win2k25", 1, "windows2019srv_64Guest", "Windows2022_64" },
    { "win2k22", 1, "windows2019srv_64Guest", "Windows2022_64" },
    { "win2k19", 1, "windows2019srv_64Guest", "Windows2019_64" },
    { "win2k16", 118, "windows9Server64Guest", "Windows2016_64" },
    { "win2k12r2", 115, "windows8Server64Guest", "Windows2012_64" },
    { "win2k12", 112, "windows8Server64Guest", "Windows2012_64" },
    { "win2k8r2", 103, "windows7Server64Guest", "Windows2008_64" },
    { "win2k8", 77, "winLonghorn64Guest", "Windows2008_64" },
    { "win2k3", 69, "winNetEnterpriseGuest", "Windows2003" },
    { "win2k", 58, "win2000ProGuest", "Windows2000" },
    { "winvista", 74, "winVista64Guest", "WindowsVista_64" },
    { "winxp", 67, "winXPProGuest", "WindowsXP" },
    { "winnt", 18, "winNTGuest", "WindowsNT4" },
    { "win98", 17, "win98Guest", "Windows98" },
    { "win95", 16, "win95Guest", "Windows95" },
    { "freebsd", 78, "freebsd12_64Guest", "FreeBSD_64" },
    { "openbsd", 65, "otherGuest64", "OpenBSD_64" },
    { "netbsd", 43, "otherGuest64", "NetBSD_64" },
    { "msdos", 14, "dosGuest", "DOS" },
    { "freedos", 14, "dosGuest", "DOS" },
};

static const OrielOvfSystem linux_system = { "", 101, "other4xLinux64Guest", "Linux_64" };
static const OrielOvfSystem windows_system = { "", 120, "windows9_64Guest", "Windows10_64" };
static const OrielOvfSystem other_system = { "", 102, "otherGuest64", "Other_64" };

const OrielOvfSystem *oriel_ovf_system(const char *id)
{
    const char *family = oriel_system_find(id)->family;

    for (gsize i = 0; id && i < G_N_ELEMENTS(systems); i++) {
        if (g_str_has_prefix(id, systems[i].prefix)) {
            return &systems[i];
        }
    }
    if (strcmp(family, "linux") == 0) {
        return &linux_system;
    }
    return strcmp(family, "windows") == 0 ? &windows_system : &other_system;
}
