/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which format a description has, and what its readers share. See oriel-foreign.h. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "config/config.h"
#include "oriel-foreign-private.h"

static const struct {
    const char *name, *producer;
    gboolean (*read)(struct foreign *foreign, const char *text, gsize length, GError **error);
} formats[] = {
    [ORIEL_FOREIGN_OVF] = { "ovf", "OVF", NULL },
    [ORIEL_FOREIGN_VMWARE] = { "vmware", "VMware", foreign_read_vmware },
    [ORIEL_FOREIGN_VIRTUALBOX] = { "virtualbox", "VirtualBox", foreign_read_virtualbox },
    [ORIEL_FOREIGN_LIBVIRT] = { "libvirt", "libvirt", foreign_read_libvirt },
    [ORIEL_FOREIGN_UTM] = { "utm", "UTM", foreign_read_utm },
    [ORIEL_FOREIGN_QUICKEMU] = { "quickemu", "Quickemu", foreign_read_quickemu },
    [ORIEL_FOREIGN_HYPER_V] = { "hyper-v", "Hyper-V", foreign_read_hyper_v },
};

const char *oriel_foreign_name(OrielForeign format)
{
    return formats[format].name;
}

/* --- Recognising ------------------------------------------------------------------------------ */

/* As UTF-8 with a zero behind it, if the bytes are UTF-16; otherwise as they are. */
static char *narrow(const char *text, gsize length, gsize *new_length)
{
    char *converted = NULL;

    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        converted = g_convert(text, (gssize)(length & ~(gsize)1), "UTF-8", "UTF-16", NULL,
                              new_length, NULL);
    }
    if (!converted) {
        converted = g_malloc(length + 1);
        memcpy(converted, text, length);
        converted[length] = '\0';
        *new_length = length;
    }
    return converted;
}

/* Behind `what`, or NULL. */
static const char *skip_past(const char *at, const char *end, const char *what)
{
    const char *found = g_strstr_len(at, end - at, what);

    return found ? found + strlen(what) : NULL;
}

/* Behind a declaration, which may have others in brackets. */
static const char *skip_declaration(const char *at, const char *end)
{
    const char *bracket = memchr(at, '[', (gsize)(end - at));
    const char *close = skip_past(at, end, ">");

    return bracket && close && bracket < close && (at = skip_past(bracket, end, "]"))
               ? skip_past(at, end, ">")
               : close;
}

/* The first element of XML, behind what may stand before it, or NULL. */
static const char *root_of(const char *at, const char *end)
{
    while (at && at < end) {
        gsize rest;

        while (at < end && g_ascii_isspace(*at)) {
            at++;
        }
        rest = (gsize)(end - at);
        if (rest < 2 || *at != '<') {
            return NULL;
        }
        if (at[1] != '?' && at[1] != '!') {
            return at + 1;
        }
        at = rest >= 4 && memcmp(at, "<!--", 4) == 0 ? skip_past(at + 4, end, "-->")
             : at[1] == '?'                          ? skip_past(at, end, "?>")
                                                     : skip_declaration(at, end);
    }
    return NULL;
}

static OrielForeign by_root(const char *root, const char *end)
{
    static const struct {
        const char *name;
        OrielForeign format;
    } roots[] = {
        { "Envelope", ORIEL_FOREIGN_OVF },          { "VirtualBox", ORIEL_FOREIGN_VIRTUALBOX },
        { "domain", ORIEL_FOREIGN_LIBVIRT },        { "plist", ORIEL_FOREIGN_UTM },
        { "configuration", ORIEL_FOREIGN_HYPER_V },
    };
    gsize length = 0;

    for (const char *at = root; at < end && !g_ascii_isspace(*at) && !strchr(">/", *at); at++) {
        if (*at == ':') {
            root = at + 1;
            length = 0;
        } else {
            length++;
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(roots); i++) {
        if (strlen(roots[i].name) == length && memcmp(root, roots[i].name, length) == 0) {
            return roots[i].format;
        }
    }
    return ORIEL_FOREIGN_UNKNOWN;
}

OrielForeign oriel_foreign_recognise(const char *text, gsize length)
{
    gsize n;
    g_autofree char *narrowed = narrow(text, MIN(length, ORIEL_FOREIGN_LOOK), &n);
    const char *at = narrowed, *end = narrowed + n, *root;

    if (n >= 8 && memcmp(at, "bplist00", 8) == 0) {
        return ORIEL_FOREIGN_UTM;
    }
    at += n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    root = root_of(at, end);
    if (root) {
        return by_root(root, end);
    }
    if (memchr(at, '\0', (gsize)(end - at))) {
        return ORIEL_FOREIGN_UNKNOWN;
    }
    if (g_regex_match_simple(
            "^[ \\t]*(\\.encoding|config\\.version|virtualHW\\.version|displayName|"
            "guestOS|memsize)[ \\t]*=[ \\t]*\"",
            at, G_REGEX_RAW | G_REGEX_MULTILINE | G_REGEX_CASELESS, 0)) {
        return ORIEL_FOREIGN_VMWARE;
    }
    if (g_regex_match_simple("^[ \\t]*(disk_img|guest_os|fixed_iso)=", at,
                             G_REGEX_RAW | G_REGEX_MULTILINE, 0)) {
        return ORIEL_FOREIGN_QUICKEMU;
    }
    return ORIEL_FOREIGN_UNKNOWN;
}

/* --- Files and drives ------------------------------------------------------------------------- */

/* Where the description's own computer had it, in our spelling. g_free(). */
static char *path_make(const char *path)
{
    g_autofree char *plain = NULL;
    char *result;

    if (g_str_has_prefix(path, "file://")) {
        plain = g_uri_unescape_string(path + strlen("file://"), NULL);
    }
    result = g_strdup(plain ? plain : path);
    if (strchr(result, '\\')) {
        g_strdelimit(result, "\\", '/');
    }
    while (g_str_has_prefix(result, "./")) {
        memmove(result, result + 2, strlen(result + 2) + 1);
    }
    return result;
}

static gboolean leads_out(const char *path)
{
    g_auto(GStrv) segments = g_strsplit(path, "/", -1);

    return path[0] == '/' || g_uri_peek_scheme(path) || /* also a drive's letter */
           g_strv_contains((const char *const *)segments, "..");
}

OrielOvfFile *foreign_file(struct foreign *foreign, const char *path)
{
    GPtrArray *files = foreign->appliance->files;
    g_autofree char *made = path_make(path);
    gboolean outside = leads_out(made);
    const char *slash = strrchr(made, '/');
    const char *name = outside && slash ? slash + 1 : made;
    OrielOvfFile *file;

    for (guint i = 0; i < files->len; i++) {
        file = files->pdata[i];
        if (strcmp(file->href, name) == 0 && !!file->outside == outside &&
            (!outside || strcmp(file->outside, path) == 0)) {
            return file;
        }
    }
    file = g_new0(OrielOvfFile, 1);
    file->id = g_strdup_printf("file%u", files->len);
    file->href = g_strdup(name);
    file->outside = outside ? g_strdup(path) : NULL;
    g_ptr_array_add(files, file);
    return file;
}

static OrielOvfDrive *drive_new(struct foreign *foreign, OrielOvfDriveKind kind)
{
    GPtrArray *drives = foreign->machine->drives;
    OrielOvfDrive *drive;

    if (drives->len >= ORIEL_OVF_ITEMS_MAX) {
        ovf_note(foreign->appliance, _("It has too many drives; the last ones are left out."));
        return NULL;
    }
    drive = g_new0(OrielOvfDrive, 1);
    drive->kind = kind;
    g_ptr_array_add(drives, drive);
    return drive;
}

void foreign_add_disk(struct foreign *foreign, OrielOvfBus bus, const char *path)
{
    OrielOvfDrive *drive = drive_new(foreign, ORIEL_OVF_DRIVE_DISK);
    OrielOvfDisk *disk;

    if (!drive) {
        return;
    }
    disk = g_new0(OrielOvfDisk, 1);
    disk->id = g_strdup_printf("disk%u", foreign->appliance->disks->len);
    disk->file = g_strdup(foreign_file(foreign, path)->id);
    g_ptr_array_add(foreign->appliance->disks, disk);
    drive->bus = bus;
    drive->disk = g_strdup(disk->id);
}

void foreign_add_cdrom(struct foreign *foreign, const char *path)
{
    OrielOvfDrive *drive = drive_new(foreign, ORIEL_OVF_DRIVE_CDROM);

    if (drive && path && *path) {
        drive->file = g_strdup(foreign_file(foreign, path)->id);
    }
}

void foreign_add_floppy(struct foreign *foreign)
{
    drive_new(foreign, ORIEL_OVF_DRIVE_FLOPPY);
}

void foreign_add_card(struct foreign *foreign, const char *model, const char *mac,
                      const char *network, gboolean connected)
{
    OrielOvfCard *card;

    if (foreign->machine->cards->len >= ORIEL_OVF_ITEMS_MAX) {
        return;
    }
    card = g_new0(OrielOvfCard, 1);
    card->model = g_strdup(model);
    card->mac = ovf_mac(mac);
    card->network = g_strdup(network);
    card->connected = connected;
    g_ptr_array_add(foreign->machine->cards, card);
}

void foreign_set(char **text, const char *value)
{
    if (value && *value) {
        g_free(*text);
        *text = g_strdup(value);
    }
}

void foreign_set_os(OrielOvfMachine *machine, const char *text)
{
    foreign_set(&machine->os, ovf_os_of(text));
    foreign_set(&machine->os_text, text);
}

gboolean foreign_invalid(const struct foreign *foreign, GError **error, const char *problem)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” cannot be used: %s."),
                foreign->name, problem);
    return FALSE;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Without its folder and ending: what the machine is called if it says nothing itself. */
static char *stem_of(const char *name)
{
    g_autofree char *base = g_path_get_basename(name);
    g_autofree char *valid = g_utf8_make_valid(base, -1);
    const char *dot = strrchr(valid, '.');

    return dot && dot > valid ? g_strndup(valid, (gsize)(dot - valid)) : g_strdup(valid);
}

OrielAppliance *oriel_foreign_parse(OrielForeign format, const char *text, gsize length,
                                    const char *name, GError **error)
{
    struct foreign foreign = { .name = name };
    g_autofree char *ended = NULL;

    if (format == ORIEL_FOREIGN_OVF) {
        return oriel_ovf_parse(text, length, name, error);
    }
    g_return_val_if_fail(format != ORIEL_FOREIGN_UNKNOWN, NULL);
    if (length > ORIEL_OVF_BYTES_MAX) {
        foreign_invalid(&foreign, error, _("it is larger than 16 MiB"));
        return NULL;
    }
    ended = g_malloc(length + 1);
    memcpy(ended, text, length);
    ended[length] = '\0';
    foreign.appliance = oriel_appliance_new();
    foreign.appliance->format = formats[format].producer;
    foreign.machine = oriel_ovf_machine_new();
    g_ptr_array_add(foreign.appliance->systems, foreign.machine);
    foreign.machine->name = stem_of(name);
    if (!formats[format].read(&foreign, ended, length, error)) {
        g_clear_pointer(&foreign.appliance, oriel_appliance_free);
    }
    return foreign.appliance;
}
