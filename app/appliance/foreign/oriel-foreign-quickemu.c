/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quickemu's .conf. It is a shell script to Quickemu; here only lines that assign a plain text
 * count, and nothing is ever run or expanded.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

enum {
    LINES_MAX = 2000,
};

#define GIB (UINT64_C(1) << 30)

/* The text behind the equals sign, or NULL if a shell would have to make it. g_free(). */
static char *plain_value(const char *value)
{
    char quote = *value == '"' || *value == '\'' ? *value : 0;
    gsize length =
        quote ? strcspn(value + 1, quote == '"' ? "\"" : "'") : strcspn(value, " \t\r;#\"'");
    g_autofree char *text = g_strndup(value + (quote != 0), length);

    if ((quote && value[1 + length] != quote) || (quote != '\'' && strpbrk(text, "$`\\"))) {
        return NULL;
    }
    return g_steal_pointer(&text);
}

static void line_read(struct foreign *foreign, GHashTable *keys, char *line)
{
    char *equals;

    line = g_strstrip(line);
    equals = strchr(line, '=');
    if (*line == '#' || !equals || equals == line) {
        return;
    }
    for (const char *at = line; at < equals; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_') {
            return;
        }
    }
    *equals = '\0';
    g_autofree char *value = plain_value(equals + 1);

    if (value) {
        g_hash_table_insert(keys, g_strdup(line), g_steal_pointer(&value));
    } else {
        g_autofree char *valid = g_utf8_make_valid(line, -1);

        ovf_note(foreign->appliance,
                 _("The setting “%.60s” is left out: only a shell could read it."), valid);
    }
}

static const char *value_of(GHashTable *keys, const char *key)
{
    const char *value = g_hash_table_lookup(keys, key);

    return value && *value ? value : NULL;
}

static gboolean is_on(const char *value)
{
    return value && (g_ascii_strcasecmp(value, "on") == 0 || ovf_yes(value));
}

/* "4G", "2048M". */
static guint64 memory_of(const char *text)
{
    gsize digits = text ? strspn(text, "0123456789") : 0;
    g_autofree char *number_text = g_strndup(text ? text : "", digits);
    guint64 number;

    if (!text || !ovf_number(number_text, 1 << 20, &number)) {
        return 0;
    }
    switch (g_ascii_toupper(text[digits])) {
    case 'G':
        return number * GIB;
    case 'M':
    case '\0':
        return number << 20;
    default:
        return 0;
    }
}

static void settings_read(struct foreign *foreign, GHashTable *keys)
{
    OrielOvfMachine *machine = foreign->machine;
    const char *os = value_of(keys, "guest_os"), *boot = value_of(keys, "boot");
    const char *network = value_of(keys, "network");
    guint64 number;

    foreign_set_os(machine, machine->name); /* "debian-12-xfce.conf" */
    if (!machine->os) {
        foreign_set(&machine->os, ovf_os_of(os));
    }
    foreign_set(&machine->os_text, os);
    machine->memory = memory_of(value_of(keys, "ram"));
    if (ovf_number(value_of(keys, "cpu_cores"), 1024, &number)) {
        machine->cpus = (guint)number;
    }
    machine->firmware = g_strcmp0(boot, "legacy") == 0 || g_strcmp0(boot, "bios") == 0
                            ? ORIEL_OVF_FIRMWARE_BIOS
                            : ORIEL_OVF_FIRMWARE_UEFI; /* which Quickemu means without it */
    machine->secure_boot = is_on(value_of(keys, "secureboot"));
    machine->tpm = is_on(value_of(keys, "tpm"));
    if (g_strcmp0(network, "none") != 0) {
        foreign_add_card(foreign, "virtio-net", value_of(keys, "macaddr"), network, TRUE);
    }
    if (value_of(keys, "macos_release") || g_strcmp0(os, "macos") == 0) {
        ovf_note(
            foreign->appliance,
            _("macOS needs hardware that machines of Oriel do not have; it will hardly start."));
    }
    if (value_of(keys, "port_forwards")) {
        ovf_note(foreign->appliance, _("Its port forwards are left out."));
    }
    if (value_of(keys, "extra_args")) {
        ovf_note(foreign->appliance, _("Its own arguments for QEMU are left out."));
    }
}

gboolean foreign_read_quickemu(struct foreign *foreign, const char *text, gsize length,
                               GError **error)
{
    static const char *const discs[] = { "iso", "fixed_iso" };
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *valid = NULL;
    g_auto(GStrv) lines = NULL;
    const char *disk;

    if (memchr(text, '\0', length)) {
        return foreign_invalid(foreign, error, _("it is not text"));
    }
    valid = g_utf8_make_valid(text, -1);
    lines = g_strsplit(valid, "\n", LINES_MAX);
    for (guint i = 0; lines[i]; i++) {
        line_read(foreign, keys, lines[i]);
    }
    settings_read(foreign, keys);
    disk = value_of(keys, "disk_img");
    if (disk) {
        foreign_add_disk(foreign, ORIEL_OVF_BUS_VIRTIO, disk);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(discs); i++) {
        if (value_of(keys, discs[i])) {
            foreign_add_cdrom(foreign, value_of(keys, discs[i]));
        }
    }
    if (value_of(keys, "floppy")) {
        foreign_add_floppy(foreign);
    }
    return TRUE;
}
