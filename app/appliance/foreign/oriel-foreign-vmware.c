/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VMware's .vmx: lines of key = "value", keys without regard to case, | and two hexadecimal digits
 * for a character, in the encoding that .encoding names.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

enum {
    LINES_MAX = 20000,
    CONTROLLERS_MAX = 4, /* of each kind */
    CARDS_MAX = 10,
};

/* --- Keys ------------------------------------------------------------------------------------- */

/* |22 is a quotation mark, |7C the bar itself; any byte can be written so. */
static char *unescape(const char *value)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    for (; *value; value++) {
        if (*value == '|' && g_ascii_isxdigit(value[1]) && g_ascii_isxdigit(value[2])) {
            int code = g_ascii_xdigit_value(value[1]) << 4 | g_ascii_xdigit_value(value[2]);

            g_string_append_c(plain, code ? (char)code : ' ');
            value += 2;
        } else {
            g_string_append_c(plain, *value);
        }
    }
    return g_utf8_make_valid(plain->str, (gssize)plain->len);
}

static void line_read(GHashTable *keys, const char *line)
{
    const char *equals = strchr(line, '='), *start, *end;
    g_autofree char *raw = NULL, *key = NULL;

    while (g_ascii_isspace(*line)) {
        line++;
    }
    if (*line == '#' || !equals) {
        return;
    }
    raw = g_strchomp(g_strndup(line, (gsize)(equals - line)));
    key = g_ascii_strdown(raw, -1);
    start = strchr(equals, '"');
    end = start ? strrchr(start + 1, '"') : NULL;
    if (*key && end) {
        g_autofree char *value = g_strndup(start + 1, (gsize)(end - start) - 1);

        g_hash_table_insert(keys, g_steal_pointer(&key), unescape(value));
    }
}

/* All as UTF-8, or NULL if it cannot be. */
static GHashTable *keys_read(const char *text, gsize length)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *encoding = NULL, *converted = NULL;
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) regex =
        g_regex_new("^\\s*\\.encoding\\s*=\\s*\"([A-Za-z0-9_.:-]{1,40})\"",
                    G_REGEX_RAW | G_REGEX_MULTILINE | G_REGEX_CASELESS, 0, NULL);
    g_auto(GStrv) lines = NULL;

    if (g_regex_match(regex, text, 0, &match)) {
        encoding = g_match_info_fetch(match, 1);
    }
    if (!g_utf8_validate(text, (gssize)strlen(text), NULL)) {
        converted = g_convert(
            text, (gssize)strlen(text), "UTF-8",
            encoding && g_ascii_strcasecmp(encoding, "UTF-8") != 0 ? encoding : "WINDOWS-1252",
            NULL, NULL, NULL);
    }
    if (!converted) {
        converted = g_utf8_make_valid(text, -1);
    }
    lines = g_strsplit(converted, "\n", LINES_MAX);
    for (guint i = 0; lines[i]; i++) {
        line_read(keys, lines[i]);
    }
    return keys;
}

static const char *value_of(GHashTable *keys, const char *format, ...) G_GNUC_PRINTF(2, 3);
static const char *value_of(GHashTable *keys, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *key = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const char *value = g_hash_table_lookup(keys, key);

    return value && *value ? value : NULL;
}

static gboolean is_true(const char *value)
{
    return ovf_yes(value) || (value && g_ascii_strcasecmp(value, "yes") == 0);
}

/* --- Drives ----------------------------------------------------------------------------------- */

static void drive_read(struct foreign *foreign, GHashTable *keys, const char *place,
                       OrielOvfBus bus)
{
    const char *present = value_of(keys, "%s.present", place);
    const char *file = value_of(keys, "%s.filename", place);
    const char *device = value_of(keys, "%s.devicetype", place);
    gboolean cd = device && (g_str_has_prefix(device, "cdrom") || strstr(device, "cdrom"));

    if ((present && !is_true(present)) || (!present && !file)) {
        return;
    }
    if (cd) {
        gboolean image = g_strcmp0(device, "cdrom-image") == 0 && file;

        foreign_add_cdrom(foreign, image ? file : NULL);
    } else if (device && (g_ascii_strcasecmp(device, "rawDisk") == 0 ||
                          g_ascii_strncasecmp(device, "scsi-passthru", 13) == 0)) {
        ovf_note(foreign->appliance, _("A disk that is one of its computer’s own is left out."));
    } else if (file && g_str_has_suffix(file, ".iso")) {
        foreign_add_cdrom(foreign, file);
    } else if (file) {
        foreign_add_disk(foreign, bus, file);
    }
}

static void drives_read(struct foreign *foreign, GHashTable *keys)
{
    static const struct {
        const char *name;
        OrielOvfBus bus;
        guint places;
    } controllers[] = {
        { "nvme", ORIEL_OVF_BUS_NVME, 64 },
        { "scsi", ORIEL_OVF_BUS_SCSI, 64 },
        { "sata", ORIEL_OVF_BUS_SATA, 30 },
        { "ide", ORIEL_OVF_BUS_IDE, 2 },
    };

    for (gsize kind = 0; kind < G_N_ELEMENTS(controllers); kind++) {
        for (guint i = 0; i < CONTROLLERS_MAX; i++) {
            for (guint place = 0; place < controllers[kind].places; place++) {
                g_autofree char *name =
                    g_strdup_printf("%s%u:%u", controllers[kind].name, i, place);

                drive_read(foreign, keys, name, controllers[kind].bus);
            }
        }
    }
    if (is_true(value_of(keys, "floppy0.present"))) {
        foreign_add_floppy(foreign);
    }
}

/* --- The rest --------------------------------------------------------------------------------- */

static void cards_read(struct foreign *foreign, GHashTable *keys)
{
    for (guint i = 0; i < CARDS_MAX; i++) {
        const char *address = value_of(keys, "ethernet%u.address", i);
        const char *connected = value_of(keys, "ethernet%u.startconnected", i);
        const char *network = value_of(keys, "ethernet%u.networkname", i);

        if (!is_true(value_of(keys, "ethernet%u.present", i))) {
            continue;
        }
        address = address ? address : value_of(keys, "ethernet%u.generatedaddress", i);
        network = network ? network : value_of(keys, "ethernet%u.connectiontype", i);
        foreign_add_card(foreign, value_of(keys, "ethernet%u.virtualdev", i), address, network,
                         !connected || is_true(connected));
    }
}

static void settings_read(struct foreign *foreign, GHashTable *keys)
{
    OrielOvfMachine *machine = foreign->machine;
    const char *firmware = value_of(keys, "firmware"), *nvram = value_of(keys, "nvram");
    const char *version = value_of(keys, "virtualhw.version");
    guint64 number;

    foreign_set(&machine->name, value_of(keys, "displayname"));
    foreign_set(&machine->annotation, value_of(keys, "annotation"));
    foreign_set_os(machine, value_of(keys, "guestos"));
    if (version) {
        machine->hardware = g_strconcat("vmx-", version, NULL);
    }
    if (ovf_number(value_of(keys, "memsize"), 1 << 24, &number)) {
        machine->memory = number << 20;
    }
    machine->cpus = ovf_number(value_of(keys, "numvcpus"), 1024, &number) ? (guint)number : 1;
    machine->firmware = firmware && g_ascii_strcasecmp(firmware, "efi") == 0
                            ? ORIEL_OVF_FIRMWARE_UEFI
                            : ORIEL_OVF_FIRMWARE_BIOS; /* which VMware means without the key */
    machine->secure_boot = is_true(value_of(keys, "uefi.secureboot.enabled"));
    machine->tpm = is_true(value_of(keys, "vtpm.present"));
    machine->sound = is_true(value_of(keys, "sound.present"));
    machine->usb =
        is_true(value_of(keys, "usb.present")) || is_true(value_of(keys, "usb_xhci.present"));
    if (nvram && machine->firmware == ORIEL_OVF_FIRMWARE_UEFI) {
        machine->nvram_file = g_strdup(foreign_file(foreign, nvram)->id);
    }
    if (g_strcmp0(value_of(keys, "rtc.difffromutc"), "0") == 0) {
        machine->clock_known = TRUE;
    }
}

gboolean foreign_read_vmware(struct foreign *foreign, const char *text, gsize length,
                             GError **error)
{
    g_autoptr(GHashTable) keys = NULL;

    if (memchr(text, '\0', length)) {
        return foreign_invalid(foreign, error, _("it is not text"));
    }
    keys = keys_read(text, length);
    if (value_of(keys, "encryption.keysafe") || value_of(keys, "encryption.data")) {
        return foreign_invalid(
            foreign, error, _("the machine is encrypted. Remove the encryption in VMware first"));
    }
    settings_read(foreign, keys);
    drives_read(foreign, keys);
    cards_read(foreign, keys);
    if (value_of(keys, "checkpoint.vmstate")) {
        ovf_note(foreign->appliance,
                 _("It is suspended; the state is left out, as if its power had been cut."));
    }
    if (is_true(value_of(keys, "hgfs.maprootshare")) ||
        is_true(value_of(keys, "sharedfolder0.present"))) {
        ovf_note(foreign->appliance, _("Its shared folders are left out."));
    }
    return TRUE;
}
