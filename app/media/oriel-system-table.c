/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The systems that Oriel knows by itself, with their volume labels: what is used where osinfo-db is
 * not installed or does not know a release yet. Needs as their makers state them. More special
 * labels first; the last three are the families.
 */
#include <glib/gi18n-lib.h>

#include "oriel-media-private.h"

const SystemRow system_table[] = {
    /* id, name, family, labels, memory MiB: least, recommended; disk GiB; UEFI, virtio, local
     * clock; virtio display */
    { "win11", "Windows 11", "windows", "^(CCCOMA_X64FRE_|.*WIN_?11|.*_CO_RELEASE)", 4096, 8192, 64,
      TRUE, FALSE, TRUE, 0 },
    { "win10", "Windows 10", "windows", "^(J_CCSA_X64|CCSA_X64|CPBA_X64|CENA_X64|.*WIN_?10)", 2048,
      4096, 64, FALSE, FALSE, TRUE, 0 },
    { "win8.1", "Windows 8.1", "windows", "^IR[345]_", 1024, 4096, 40, FALSE, FALSE, TRUE, 0 },
    { "win7", "Windows 7", "windows", "^(GRMC|GSP1RM)", 1024, 2048, 40, FALSE, FALSE, TRUE, 0 },
    { "ubuntu", "Ubuntu", "linux", "^[KXL]?Ubuntu(\\D*(?<release>\\d+\\.\\d+))?", 2048, 4096, 40,
      FALSE, TRUE, FALSE, 0 },
    { "linuxmint", "Linux Mint", "linux", "^Linux Mint", 2048, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "debian", "Debian", "linux", "^(Debian|d-live)(\\D*(?<release>\\d+))?", 1024, 2048, 40, FALSE,
      TRUE, FALSE, 11 },
    { "fedora", "Fedora", "linux", "^Fedora(.*-(?<release>[1-9]\\d)(-|$))?", 2048, 4096, 40, FALSE,
      TRUE, FALSE, 24 },
    { "archlinux", "Arch Linux", "linux", "^ARCH_", 1024, 2048, 40, FALSE, TRUE, FALSE, 1 },
    { "opensuse", "openSUSE", "linux", "^(openSUSE|Install-LEAP)", 1024, 2048, 40, FALSE, TRUE,
      FALSE, 0 },
    { "alpinelinux", "Alpine Linux", "linux", "^alpine-(\\S* (?<release>\\d+\\.\\d+))?", 128, 512,
      10, FALSE, TRUE, FALSE, 0 },
    { "rhel", "Red Hat Enterprise Linux", "linux", "^RHEL-", 2048, 4096, 40, FALSE, TRUE, FALSE,
      0 },
    { "almalinux", "AlmaLinux", "linux", "^AlmaLinux", 2048, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "rocky", "Rocky Linux", "linux", "^Rocky", 2048, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "nixos", "NixOS", "linux", "^nixos-", 1024, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "manjaro", "Manjaro", "linux", "^MANJARO", 2048, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "kali", "Kali Linux", "linux", "^Kali ", 2048, 4096, 40, FALSE, TRUE, FALSE, 0 },
    { "freebsd", "FreeBSD", "bsd", "^(FREEBSD|[0-9]+_[0-9]+_RELEASE_AMD64)", 256, 1024, 20, FALSE,
      TRUE, FALSE, 0 },
    { "openbsd", "OpenBSD", "bsd", "^OpenBSD", 256, 1024, 20, FALSE, TRUE, FALSE, 0 },
    { "netbsd", "NetBSD", "bsd", "^NETBSD", 128, 512, 20, FALSE, TRUE, FALSE, 0 },
    { "freedos", "FreeDOS", "other", "^(FD1[0-9]|FreeDOS)", 32, 64, 2, FALSE, FALSE, TRUE, 0 },
    { "haiku", "Haiku", "other", "^[Hh]aiku", 384, 1024, 20, FALSE, TRUE, FALSE, 0 },
    { "linux", "Linux", "linux", NULL, 512, 2048, 40, FALSE, FALSE, FALSE, 0 },
    { "windows", "Windows", "windows", NULL, 2048, 4096, 64, FALSE, FALSE, TRUE, 0 },
    { "other", N_("Another system"), "other", NULL, 0, 1024, 20, FALSE, FALSE, FALSE, 0 },
};
const gsize system_table_rows = G_N_ELEMENTS(system_table);

char *system_by_label(const char *label)
{
    for (gsize i = 0; label && i < system_table_rows; i++) {
        const SystemRow *row = &system_table[i];
        g_autoptr(GRegex) labels =
            row->labels ? g_regex_new(row->labels, G_REGEX_CASELESS, 0, NULL) : NULL;
        g_autoptr(GMatchInfo) match = NULL;

        if (labels && g_regex_match(labels, label, 0, &match)) {
            g_autofree char *release = g_match_info_fetch_named(match, "release");

            return g_strconcat(row->id, release, NULL);
        }
    }
    return NULL;
}
