/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text that describes a VMDK image, "Virtual Disk Format 5.0", section "The Descriptor File".
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "vmdk.h"

static const char magic[] = "# Disk DescriptorFile";

/* The value of a line “key = value” or “key = "value"”, or NULL if it has another key. */
static char *value_of(const char *line, const char *key)
{
    size_t n = strlen(key);
    const char *at = line + n;

    if (g_ascii_strncasecmp(line, key, n) != 0) {
        return NULL;
    }
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    if (*at != '=') {
        return NULL;
    }
    g_autofree char *value = g_strstrip(g_strdup(at + 1));
    size_t length = strlen(value);

    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value[length - 1] = '\0';
        return g_strdup(value + 1);
    }
    return g_steal_pointer(&value);
}

static bool cid_parse(const char *text, uint32_t *cid)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 16, 0, UINT32_MAX, &value, NULL)) {
        return false;
    }
    *cid = (uint32_t)value;
    return true;
}

static const char *type_parse(const char *text, enum vmdk_extent_type *type)
{
    if (strcmp(text, "FLAT") == 0 || strcmp(text, "VMFS") == 0) {
        *type = VMDK_FLAT;
    } else if (strcmp(text, "SPARSE") == 0) {
        *type = VMDK_SPARSE;
    } else if (strcmp(text, "ZERO") == 0) {
        *type = VMDK_ZERO;
    } else if (strcmp(text, "VMFSSPARSE") == 0 || strcmp(text, "SESPARSE") == 0) {
        return _(
            "it is a snapshot of ESXi; consolidate the snapshots there and export the machine");
    } else {
        return _("it stands for a disk of the computer it was made on");
    }
    return NULL;
}

/* ACCESS SECTORS TYPE ["NAME" [OFFSET]] */
static const char *extent_parse(const char *line, GArray *lines)
{
    struct vmdk_line extent = { 0 };
    g_autofree char *head = NULL;
    const char *quote = strchr(line, '"'), *end = quote != NULL ? strrchr(line, '"') : NULL;
    const char *problem;
    guint64 number;
    guint words = 0;

    head = g_strndup(line, quote != NULL ? (size_t)(quote - line) : strlen(line));
    g_auto(GStrv) parts = g_strsplit_set(g_strstrip(head), " \t", -1);
    char *word[3] = { NULL };

    for (char **part = parts; *part != NULL; part++) {
        if (**part != '\0' && words < G_N_ELEMENTS(word)) {
            word[words++] = *part;
        }
    }
    if (words < 3 || !g_ascii_string_to_unsigned(word[1], 10, 1, IMAGE_BYTES_MAX / IMAGE_SECTOR,
                                                 &number, NULL)) {
        return _("a line for one of its files is damaged");
    }
    problem = type_parse(word[2], &extent.type);
    if (problem != NULL) {
        return problem;
    }
    if (extent.type != VMDK_ZERO && (quote == NULL || end == quote)) {
        return _("a line for one of its files is damaged");
    }
    extent.sectors = number;
    if (extent.type != VMDK_ZERO) {
        g_autofree char *rest = g_strstrip(g_strdup(end + 1));

        if (rest[0] != '\0' && !g_ascii_string_to_unsigned(rest, 10, 0, G_MAXINT64 / IMAGE_SECTOR,
                                                           &extent.offset, NULL)) {
            return _("a line for one of its files is damaged");
        }
        extent.name = g_strndup(quote + 1, (size_t)(end - quote - 1));
    }
    g_array_append_val(lines, extent);
    return lines->len > VMDK_EXTENTS_MAX ? _("it has too many files") : NULL;
}

static bool is_extent(const char *line)
{
    return g_str_has_prefix(line, "RW ") || g_str_has_prefix(line, "RDONLY ") ||
           g_str_has_prefix(line, "NOACCESS ");
}

static const char *line_parse(const char *line, struct vmdk_descriptor *descriptor)
{
    g_autofree char *cid = value_of(line, "CID"), *parent = value_of(line, "parentCID");
    char *text;

    if (is_extent(line)) {
        return extent_parse(line, descriptor->lines);
    }
    if ((cid != NULL && !cid_parse(cid, &descriptor->cid)) ||
        (parent != NULL && !cid_parse(parent, &descriptor->parent_cid))) {
        return _("its content id is damaged");
    }
    text = value_of(line, "createType");
    if (text != NULL) {
        g_free(descriptor->create_type);
        descriptor->create_type = text;
    }
    text = value_of(line, "parentFileNameHint");
    if (text != NULL) {
        g_free(descriptor->parent_name);
        descriptor->parent_name = text;
    }
    text = value_of(line, "ddb.logicalSectorSize");
    if (text != NULL) {
        bool good = strcmp(text, "512") == 0;

        g_free(text);
        return good ? NULL : _("its sectors have not 512 bytes, which is not supported");
    }
    return NULL;
}

const char *vmdk_descriptor_parse(const char *text, struct vmdk_descriptor *descriptor)
{
    g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
    const char *problem = NULL;

    *descriptor = (struct vmdk_descriptor){ .parent_cid = VMDK_NO_PARENT };
    descriptor->lines = g_array_new(FALSE, FALSE, sizeof(struct vmdk_line));
    if (g_ascii_strncasecmp(text, magic, strlen(magic)) != 0) {
        return _("its description is damaged");
    }
    for (char **line = lines; *line != NULL && problem == NULL; line++) {
        problem = line_parse(g_strstrip(*line), descriptor);
    }
    if (problem == NULL && descriptor->lines->len == 0) {
        problem = _("its description names no files");
    }
    if (problem == NULL && descriptor->parent_cid != VMDK_NO_PARENT &&
        descriptor->parent_name == NULL) {
        problem = _("it does not say what it builds on");
    }
    return problem;
}

void vmdk_descriptor_clear(struct vmdk_descriptor *descriptor)
{
    for (guint i = 0; descriptor->lines != NULL && i < descriptor->lines->len; i++) {
        g_free(g_array_index(descriptor->lines, struct vmdk_line, i).name);
    }
    g_clear_pointer(&descriptor->lines, g_array_unref);
    g_free(descriptor->create_type);
    g_free(descriptor->parent_name);
}
