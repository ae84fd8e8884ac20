/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of a saved state, without a machine: whole it comes back as it was, and whatever is
 * wrong with it is found. */
#include "test.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "config/saved.h"
#include "engine/check_error.h"
#include "saved_fixture.h"
#include "snapshot/saved.h"

struct place {
    char *folder;
    OrielConfig *config;
    struct memory_region regions[REGIONS];
};

static struct place place_new(void)
{
    struct place place = { g_dir_make_tmp("oriel-test-XXXXXX", NULL), oriel_config_new("Test") };
    g_autofree char *disks = g_build_filename(place.folder, "disks", NULL);
    g_autofree char *disk = g_build_filename(disks, "disk0.raw", NULL);

    g_mkdir(disks, 0700);
    CHECK(g_file_set_contents(disk, "0123456789", 10, NULL));
    oriel_config_add_drive(place.config, ORIEL_DRIVE_DISK, "disks/disk0.raw", NULL);
    oriel_config_add_drive(place.config, ORIEL_DRIVE_CDROM, NULL, NULL);
    CHECK(oriel_config_save(place.config, place.folder, NULL));
    regions_make(place.regions);
    return place;
}

static void folder_remove(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        folder_remove(inner);
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_remove(path);
}

static void place_free(struct place *place)
{
    folder_remove(place->folder);
    g_free(place->folder);
    oriel_config_free(place->config);
    regions_free(place->regions);
}

static const struct saved_device devices[] = { { "rtc", "cmos-rtc", 1 }, { "hpet", "hpet", 3 } };

static bool place_save(struct place *place, bool cancelled, GError **error)
{
    struct memory_work work = { cancelled };
    g_autoptr(GByteArray) state = three_sections();
    g_autoptr(GBytes) picture = g_bytes_new_static("picture", 7);
    const struct saved_content content = {
        .folder = place->folder,
        .config = place->config,
        .devices = devices,
        .n_devices = G_N_ELEMENTS(devices),
        .regions = place->regions,
        .n_regions = REGIONS,
        .state = state,
        .picture = picture,
        .work = &work,
    };

    return saved_write(&content, error);
}

static unsigned entries(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

TEST(saved_state_comes_back)
{
    struct place place = place_new();
    struct memory_region again[REGIONS];
    struct saved *saved = NULL;

    CHECK_OK(saved_check_space(place.folder, place.regions, REGIONS, &error));
    CHECK_OK(place_save(&place, false, &error));
    CHECK(oriel_saved_exists(place.folder));
    CHECK_OK((saved = saved_open(place.folder, place.config, &error)) != NULL);
    CHECK_STR(saved_config(saved)->uuid, place.config->uuid);
    CHECK(sections_bytes(saved_sections(saved), "kvm", "rtc", 7, 12) != NULL);
    CHECK_OK(saved_check_devices(saved, devices, 2, &error));
    CHECK_ERROR(saved_check_devices(saved, devices, 1, &error), ORIEL_ERROR_INVALID, "version");
    regions_make(again);
    regions_clear(again);
    CHECK_OK(saved_read_memory(saved, again, REGIONS, &error));
    CHECK(memcmp(again[0].bytes, place.regions[0].bytes, again[0].size) == 0);
    saved_free(saved);

    /* Used up: gone at once, its files with the next look. */
    CHECK_OK(oriel_saved_retire(place.folder, &error));
    CHECK(!oriel_saved_exists(place.folder));
    oriel_saved_clean(place.folder);
    CHECK_EQ(entries(place.folder), 3); /* machine.json, disks, lock */
    regions_free(again);
    place_free(&place);
}

/* Neither a file nor a link to somewhere else is a state, but both can be got rid of. */
TEST(what_is_no_folder_is_refused_and_goes)
{
    struct place place = place_new();
    g_autofree char *saved = g_build_filename(place.folder, "saved", NULL);
    g_autofree char *disks = g_build_filename(place.folder, "disks", NULL);

    CHECK(g_file_set_contents(saved, "x", 1, NULL));
    CHECK_ERROR(saved_open(place.folder, place.config, &error), ORIEL_ERROR_CORRUPT, "manifest");
    CHECK_OK(oriel_saved_retire(place.folder, &error));
    CHECK(!oriel_saved_exists(place.folder));
    CHECK(symlink(disks, saved) == 0);
    CHECK_ERROR(saved_open(place.folder, place.config, &error), ORIEL_ERROR_CORRUPT, "manifest");
    CHECK_OK(oriel_saved_retire(place.folder, &error));
    CHECK(!oriel_saved_exists(place.folder));
    oriel_saved_clean(place.folder);
    CHECK_EQ(entries(disks), 1);
    place_free(&place);
}

TEST(failed_save_leaves_nothing)
{
    struct place place = place_new();
    g_autofree char *disk = g_build_filename(place.folder, "disks", "disk0.raw", NULL);
    unsigned before = entries(place.folder);

    CHECK_ERROR(place_save(&place, true, &error), ORIEL_ERROR_STATE, "cancelled");
    CHECK_EQ(entries(place.folder), before);
    g_unlink(disk);
    CHECK_ERROR(place_save(&place, false, &error), ORIEL_ERROR_NOT_FOUND, "disk0");
    CHECK(!oriel_saved_exists(place.folder));
    CHECK_EQ(entries(place.folder), before + 1); /* lock */
    place_free(&place);
}

TEST(remains_are_removed_and_nothing_else)
{
    struct place place = place_new();
    g_autofree char *remains = oriel_saved_begin(place.folder, NULL);
    g_autofree char *file = g_build_filename(remains, "ram", NULL);
    g_autofree char *link = g_build_filename(place.folder, ".saved-aaaaaa", NULL);
    g_autofree char *other = g_build_filename(place.folder, ".saved-by-me", NULL);
    g_autofree char *disks = g_build_filename(place.folder, "disks", NULL);
    unsigned before = entries(place.folder);

    CHECK(g_file_set_contents(file, "x", 1, NULL));
    CHECK(symlink(disks, link) == 0);
    CHECK(g_file_set_contents(other, "x", 1, NULL));
    oriel_saved_clean(place.folder);
    CHECK_EQ(entries(place.folder), before); /* remains gone, the user's file there */
    CHECK_EQ(entries(disks), 1);
    place_free(&place);
}

static struct saved *open_changed(struct place *place, void (*change)(OrielConfig *),
                                  GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_copy(place->config);

    change(config);
    return saved_open(place->folder, config, error);
}

static void change_memory(OrielConfig *config)
{
    config->memory *= 2;
}

static void change_drive(OrielConfig *config)
{
    oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, NULL);
}

static void change_order(OrielConfig *config)
{
    gpointer first = config->drives->pdata[0];

    config->drives->pdata[0] = config->drives->pdata[1];
    config->drives->pdata[1] = first;
}

static void change_uuid(OrielConfig *config)
{
    g_free(config->uuid);
    config->uuid = g_uuid_string_random();
}

static void change_name(OrielConfig *config)
{
    g_free(config->name);
    config->name = g_strdup("Other");
    config->vnc_listen = g_strdup("127.0.0.1:5900");
    config->vnc_password = g_strdup("secret");
    config->notes = g_strdup("Two\nlines");
    config->scaling = ORIEL_CONFIG_SCALING_ACTUAL;
}

TEST(changed_settings_are_refused)
{
    struct place place = place_new();
    struct saved *saved = NULL;

    CHECK_OK(place_save(&place, false, &error));
    CHECK_ERROR(open_changed(&place, change_memory, &error), ORIEL_ERROR_INVALID, "memory");
    CHECK_ERROR(open_changed(&place, change_drive, &error), ORIEL_ERROR_INVALID, "cdrom1");
    CHECK_ERROR(open_changed(&place, change_order, &error), ORIEL_ERROR_INVALID, "0");
    CHECK_ERROR(open_changed(&place, change_uuid, &error), ORIEL_ERROR_INVALID, "another machine");
    CHECK_OK((saved = open_changed(&place, change_name, &error)) != NULL);
    CHECK_STR(saved_config(saved)->name, "Other");
    CHECK_STR(saved_config(saved)->vnc_password, "secret");
    CHECK_STR(saved_config(saved)->notes, "Two\nlines");
    CHECK_EQ(saved_config(saved)->scaling, ORIEL_CONFIG_SCALING_ACTUAL);
    saved_free(saved);
    place_free(&place);
}

TEST(password_is_not_in_the_state)
{
    struct place place = place_new();
    g_autofree char *path = g_build_filename(place.folder, "saved", "manifest.json", NULL);
    g_autofree char *text = NULL;

    change_name(place.config);
    CHECK(oriel_config_save(place.config, place.folder, NULL));
    CHECK_OK(place_save(&place, false, &error));
    CHECK(g_file_get_contents(path, &text, NULL, NULL));
    CHECK(!strstr(text, "secret"));
    place_free(&place);
}

TEST(links_in_place_of_files_are_refused)
{
    static const char *const names[] = { "manifest.json", "state", "ram" };
    struct place place = place_new();

    CHECK_OK(place_save(&place, false, &error));
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(place.folder, "saved", names[i], NULL);
        g_autofree char *aside = g_strconcat(place.folder, "/aside", NULL);

        CHECK(g_rename(path, aside) == 0 && symlink(aside, path) == 0);
        CHECK_ERROR(saved_open(place.folder, place.config, &error), ORIEL_ERROR_CORRUPT,
                    "Nothing is lost");
        CHECK(g_rename(aside, path) == 0);
    }
    place_free(&place);
}

TEST(every_truncated_manifest_is_refused)
{
    struct place place = place_new();
    g_autofree char *path = g_build_filename(place.folder, "saved", "manifest.json", NULL);
    g_autofree char *text = NULL;
    gsize length;

    CHECK_OK(place_save(&place, false, &error));
    CHECK(g_file_get_contents(path, &text, &length, NULL));
    CHECK_OK(saved_manifest_check(text, length, place.folder, place.config, &error));
    for (gsize n = 0; n + 1 < length; n++) {
        CHECK_ERROR(saved_manifest_check(text, n, place.folder, place.config, &error),
                    ORIEL_ERROR_CORRUPT, "manifest");
    }
    place_free(&place);
}

TEST(guest_sees_some_settings)
{
    g_autoptr(OrielConfig) a = oriel_config_new("a"), b = oriel_config_copy(a);
    g_autofree char *key = NULL;

    CHECK(oriel_config_guest_difference(a, b) == NULL);
    change_name(b);
    g_free(b->generation_id);
    b->generation_id = g_uuid_string_random();
    CHECK(oriel_config_guest_difference(a, b) == NULL);
    b->cpus = 3;
    key = oriel_config_guest_difference(a, b);
    CHECK(key != NULL);
    CHECK_STR(key, "cpus");
}

TEST_MAIN(T(saved_state_comes_back), T(what_is_no_folder_is_refused_and_goes),
          T(failed_save_leaves_nothing), T(remains_are_removed_and_nothing_else),
          T(changed_settings_are_refused), T(password_is_not_in_the_state),
          T(links_in_place_of_files_are_refused), T(every_truncated_manifest_is_refused),
          T(guest_sees_some_settings))
