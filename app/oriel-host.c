/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-host.h. */
#include "oriel-host.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config/config.h"
#include "config/firmware_files.h"
#include "worker/oriel-worker.h"

#define MEMORY_LOW (UINT64_C(2) << 30)  /* bytes available, below which a guest will be cramped */
#define DISK_LOW   (UINT64_C(10) << 30) /* bytes free, below which an installation will not fit */

void oriel_finding_free(OrielFinding *finding)
{
    g_free(finding->what);
    g_free(finding->fix);
    g_free(finding);
}

static void add(GPtrArray *findings, const char *id, int code, char *what, const char *fix)
{
    OrielFinding *finding = g_new0(OrielFinding, 1);

    finding->id = id;
    finding->code = code;
    finding->fatal = code >= 0;
    finding->what = what;
    finding->fix = g_strdup(fix);
    g_ptr_array_add(findings, finding);
}

/* True if /proc/cpuinfo lists the CPU flag. */
static gboolean cpu_has(const char *flag)
{
    g_autofree char *text = NULL;
    g_autofree char *pattern = g_strdup_printf("\\bflags\\s*:.*\\b%s\\b", flag);

    return g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL) &&
           g_regex_match_simple(pattern, text, 0, 0);
}

static void kvm_missing(GPtrArray *findings)
{
    if (cpu_has("vmx") || cpu_has("svm")) {
        add(findings, "kvm-not-loaded", ORIEL_ERROR_NO_KVM,
            g_strdup(_("The processor can run virtual machines, but the kernel’s KVM module is not "
                       "loaded.")),
            _("Load it with “sudo modprobe kvm_intel” or “sudo modprobe kvm_amd”; if that fails, "
              "turn virtualization on in the computer’s firmware settings (Intel VT-x or AMD "
              "SVM)."));
    } else if (cpu_has("hypervisor")) {
        add(findings, "no-nested", ORIEL_ERROR_NO_KVM,
            g_strdup(_("This computer is itself a virtual machine that may not run others.")),
            _("Turn on nested virtualization in the settings of the machine it runs in."));
    } else {
        add(findings, "no-virtualization", ORIEL_ERROR_NO_KVM,
            g_strdup(_("The processor does not offer virtualization.")),
            _("Turn it on in the computer’s firmware settings (Intel VT-x or AMD SVM); very old "
              "processors lack it."));
    }
}

static void kvm_check(GPtrArray *findings)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        add(findings, "kvm-permission", ORIEL_ERROR_PERMISSION,
            g_strdup(_("You may not use /dev/kvm.")),
            _("Join its group with “sudo usermod -aG kvm $USER”, then log out and in again."));
    } else if (fd < 0) {
        kvm_missing(findings);
    } else {
        if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
            add(findings, "kvm-version", ORIEL_ERROR_NO_KVM,
                g_strdup(_("The kernel’s KVM speaks another version of its interface.")),
                _("Use a current Linux kernel."));
        } else if (!cpu_has("vmx") && !cpu_has("svm")) {
            add(findings, "kvm-software", -1,
                g_strdup(_("KVM runs without the processor’s help here: machines will be slow.")),
                _("Turn on nested virtualization if this computer is a virtual machine."));
        }
        close(fd);
    }
}

static guint64 memory_available(void)
{
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        line = strstr(text, "MemAvailable:");
    }
    return line ? g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : G_MAXUINT64;
}

static void room_check(GPtrArray *findings, const char *library)
{
    guint64 memory = memory_available();
    struct statvfs status;

    if (memory < MEMORY_LOW) {
        g_autofree char *size = g_format_size_full(memory, G_FORMAT_SIZE_IEC_UNITS);

        add(findings, "memory-low", -1,
            g_strdup_printf(_("Only %s of memory are available."), size),
            _("Close other programs, or give machines less memory."));
    }
    if (statvfs(library, &status) == 0 && status.f_bavail * status.f_frsize < DISK_LOW) {
        g_autofree char *size =
            g_format_size_full(status.f_bavail * status.f_frsize, G_FORMAT_SIZE_IEC_UNITS);

        add(findings, "disk-low", -1,
            g_strdup_printf(_("Only %s are free where machines are kept."), size),
            _("Free some space, or keep new machines in a folder on another disk."));
    }
}

static void firmware_check(GPtrArray *findings)
{
    for (int file = 0; file < ORIEL_FIRMWARE_FILES; file++) {
        g_autofree char *path = oriel_firmware_file_path((OrielFirmwareFile)file);
        const char *package = oriel_firmware_file_package((OrielFirmwareFile)file);
        gboolean uefi = file >= ORIEL_FIRMWARE_FILE_UEFI_CODE;
        g_autofree char *fix = g_strdup_printf(_("Install the package “%s”."), package);

        if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            add(findings, uefi ? "no-uefi" : "no-bios", -1,
                uefi ? g_strdup_printf(
                           _("“%s”, which machines with UEFI firmware need, is not there."), path)
                     : g_strdup_printf(_("“%s”, which machines with a BIOS need, is not there."),
                                       path),
                fix);
        }
    }
}

static void sandbox_check(GPtrArray *findings)
{
    if (!oriel_worker_has_landlock()) {
        add(findings, "no-landlock", -1,
            g_strdup(_("The kernel has no Landlock, so nothing but Oriel’s own care limits which "
                       "files an import of a damaged or hostile file may open.")),
            _("Use Linux 5.13 or later with Landlock turned on; everything works without it."));
    }
}

GPtrArray *oriel_host_check(const char *library)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func((GDestroyNotify)oriel_finding_free);

    kvm_check(findings);
    firmware_check(findings);
    room_check(findings, library);
    sandbox_check(findings);
    return findings;
}
