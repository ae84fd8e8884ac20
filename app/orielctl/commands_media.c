/* SPDX-License-Identifier: GPL-3.0-or-later */
/* create, identify: from a file to a machine. */
#include <stdio.h>

#include "library/oriel-plan.h"
#include "orielctl.h"

/* --- create ----------------------------------------------------------------------------------- */

/* What the system on the CD needs, where nothing was said; a CD that is not known leaves it at the
 * defaults of all machines. What is wrong with the file oriel_create() will say. */
static void options_fill(OrielCreateOptions *options, OrielPlanTexts *texts)
{
    g_autoptr(OrielMedia) media =
        options->cdrom ? oriel_media_identify(options->cdrom, NULL, NULL) : NULL;
    g_autofree char *own = oriel_library_folder(FALSE, NULL);
    const char *library = options->folder ? options->folder : own;
    OrielPlan plan;

    if (media && media->system && library) {
        oriel_plan_make(&plan, media, NULL, library);
        oriel_plan_fill(&plan, options, texts);
    } else if (media && media->uefi_only && !options->firmware) {
        options->firmware = "uefi";
    }
}

gboolean run_create(const struct call *call, GError **error)
{
    OrielCreateOptions options = {
        .name = call->arguments[0],
        .cdrom = call_option(call, "cdrom"),
        .disk = call_option(call, "disk"),
        .controller = call_option(call, "controller"),
        .memory = call_option(call, "memory"),
        .cpus = call_option(call, "cpus"),
        .firmware = call_option(call, "firmware"),
        .kernel = call_option(call, "kernel"),
        .initrd = call_option(call, "initrd"),
        .append = call_option(call, "append"),
        .folder = call_option(call, "dir"),
    };
    OrielPlanTexts texts;

    options_fill(&options, &texts);
    g_autofree char *folder = oriel_create(&options, progress(), NULL, NULL, error);

    progress_end();
    if (folder) {
        made_print(call, options.name, folder);
    }
    return folder != NULL;
}

/* --- identify --------------------------------------------------------------------------------- */

static const char *const kinds[] = {
    [ORIEL_MEDIA_UNKNOWN] = "unknown", [ORIEL_MEDIA_ISO] = "iso",
    [ORIEL_MEDIA_DISK] = "disk",       [ORIEL_MEDIA_OVA] = "ova",
    [ORIEL_MEDIA_OVF] = "ovf",         [ORIEL_MEDIA_MACHINE] = "machine",
    [ORIEL_MEDIA_ARCHIVE] = "archive", [ORIEL_MEDIA_KERNEL] = "kernel",
};

/* A description's kind is its format. */
static const char *kind_of(const OrielMedia *media)
{
    return media->kind == ORIEL_MEDIA_OVF ? media->format : kinds[media->kind];
}

static void media_print_json(const OrielMedia *media, const char *system_name)
{
    JsonNode *node = json_object_of("path", media->path, "kind", kind_of(media), NULL);
    JsonObject *object = json_node_get_object(node);

    json_object_set_string_member(object, "format", media->format);
    json_object_set_string_member(object, "label", media->label);
    json_object_set_string_member(object, "system", media->system);
    json_object_set_string_member(object, "system-name", system_name);
    json_object_set_boolean_member(object, "bootable", media->bootable);
    json_object_set_boolean_member(object, "uefi-only", media->uefi_only);
    json_object_set_boolean_member(object, "live", media->live);
    json_object_set_int_member(object, "size", (gint64)media->size);
    print_json(node);
}

enum {
    KEY_WIDTH = 10,
};

static void media_print(const OrielMedia *media, const char *system_name)
{
    g_autofree char *system =
        media->system ? g_strdup_printf("%s (%s)", media->system, system_name) : NULL;
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, media->size);
    gboolean starts = media->kind == ORIEL_MEDIA_ISO || media->kind == ORIEL_MEDIA_DISK;

    line_print("kind", KEY_WIDTH, kind_of(media));
    line_print("format", KEY_WIDTH, media->kind == ORIEL_MEDIA_DISK ? media->format : NULL);
    line_print("label", KEY_WIDTH, media->label);
    line_print("system", KEY_WIDTH, system);
    line_print("bootable", KEY_WIDTH,
               !starts            ? NULL
               : media->uefi_only ? "uefi only"
               : media->bootable  ? "yes"
                                  : "no");
    line_print("live", KEY_WIDTH, media->live ? "yes" : NULL);
    line_print("size", KEY_WIDTH, media->size ? size : NULL);
}

gboolean run_identify(const struct call *call, GError **error)
{
    g_autoptr(OrielMedia) media = oriel_media_identify(call->arguments[0], NULL, error);

    if (!media) {
        return FALSE;
    }
    const char *system_name = media->system ? oriel_system_find(media->system)->name : NULL;

    if (call->json) {
        media_print_json(media, system_name);
    } else {
        media_print(media, system_name);
    }
    return TRUE;
}
