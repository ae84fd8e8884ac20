/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-plan.h. */
#include "oriel-plan.h"

#include <string.h>

#include "disk/oriel-drives.h"

static const char *system_of(const OrielMedia *media)
{
    if (media && media->system) {
        return media->system;
    }
    return media && media->kind == ORIEL_MEDIA_KERNEL ? "linux" : "other";
}

void oriel_plan_make(OrielPlan *plan, const OrielMedia *media, const char *system,
                     const char *library)
{
    plan->system = oriel_system_find(system ? system : system_of(media));
    oriel_host_resources(library, &plan->host);
    oriel_defaults_for(plan->system, &plan->host, &plan->defaults);
    plan->defaults.uefi |= media && media->uefi_only;
    plan->makes_disk = !media || media->kind == ORIEL_MEDIA_ISO;
}

void oriel_plan_fill(const OrielPlan *plan, OrielCreateOptions *options, OrielPlanTexts *texts)
{
    const char *const settings[] = { "os",          plan->system->id,
                                     "clock",       plan->system->clock_local ? "local" : "utc",
                                     "net0.model",  oriel_system_network(plan->system),
                                     "video.model", oriel_system_video(plan->system),
                                     NULL };

    G_STATIC_ASSERT(G_N_ELEMENTS(settings) == ORIEL_PLAN_SETTINGS);
    if (!options->memory) {
        g_snprintf(texts->memory, sizeof(texts->memory), "%" G_GUINT64_FORMAT "M",
                   plan->defaults.memory >> 20);
        options->memory = texts->memory;
    }
    if (!options->cpus) {
        g_snprintf(texts->cpus, sizeof(texts->cpus), "%u", plan->defaults.cpus);
        options->cpus = texts->cpus;
    }
    if (!options->firmware) {
        options->firmware = plan->defaults.uefi ? "uefi" : "bios";
    }
    /* An image brings a system whose drivers are not known. */
    if (!options->controller && options->disk && oriel_disk_is_size(options->disk)) {
        options->controller =
            oriel_system_controller(plan->system, strcmp(options->firmware, "uefi") == 0);
    }
    if (!options->settings) {
        for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
            texts->settings[i] = settings[i];
        }
        options->settings = texts->settings;
    }
}
