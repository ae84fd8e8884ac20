/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a machine's settings: what is kept of it, what is refused, revisions. */
#include "test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "engine/check_error.h"

static char *new_folder(void)
{
    char *folder = g_dir_make_tmp("oriel-config-XXXXXX", NULL);

    CHECK(folder != NULL);
    return folder;
}

static void remove_folder(char *folder)
{
    const char *inside[] = { "revisions", "" };

    for (size_t i = 0; i < G_N_ELEMENTS(inside); i++) {
        g_autofree char *path = g_build_filename(folder, inside[i], NULL);
        g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
        const char *name;

        while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
            g_autofree char *file = g_build_filename(path, name, NULL);

            g_unlink(file);
        }
        g_rmdir(path);
    }
    g_free(folder);
}

static char *file_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void write_text(const char *folder, const char *name, const char *text, gssize length)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    CHECK(g_file_set_contents(path, text, length, NULL));
}

static unsigned count_revisions(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "revisions", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (directory != NULL && g_dir_read_name(directory) != NULL) {
        n++;
    }
    return n;
}

TEST(defaults_are_valid)
{
    g_autoptr(OrielConfig) config = oriel_config_new("Debian");

    CHECK_OK(oriel_config_check(config, &error));
    CHECK_EQ(config->cpus, 1);
    CHECK_EQ(config->memory, 1 << 30);
    CHECK(g_uuid_string_is_valid(config->uuid) && g_uuid_string_is_valid(config->generation_id));
    CHECK(strcmp(config->uuid, config->generation_id) != 0);
}

TEST(saves_and_loads_everything)
{
    char *folder = new_folder();
    g_autoptr(OrielConfig) config = oriel_config_new("Großer Rechner");
    g_autoptr(OrielConfig) loaded = NULL;
    g_auto(GStrv) keys = NULL;
    static const char *const settings[][2] = {
        { "firmware", "uefi" },
        { "firmware.path", "/opt/OVMF.fd" },
        { "cpus", "4" },
        { "memory", "5G" },
        { "video-memory", "32M" },
        { "video.model", "virtio-gpu" },
        { "boot-menu", "true" },
        { "boot-order", "cdrom0,disk0" },
        { "kernel", "/boot/vmlinuz" },
        { "initrd", "/boot/initrd.img" },
        { "append", "console=ttyS0 quiet" },
        { "clock", "local" },
        { "serials", "2" },
        { "vnc.listen", "[::1]:5901" },
        { "vnc.password", "secret" },
        { "disk0.path", "disks/root.raw" },
        { "disk0.read-only", "true" },
        { "disk0.controller", "virtio" },
        { "disk0.cache", "direct" },
        { "disk0.iops-limit", "500" },
        { "disk0.bandwidth-limit", "20M" },
        { "input.pointer", "ps2" },
        { "rng", "false" },
        { "balloon", "false" },
        { "console", "true" },
        { "cdrom0.path", "/iso/debian.iso" },
    };

    CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/disk0.raw", &error));
    CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        CHECK_OK(oriel_config_set(config, settings[i][0], settings[i][1], &error));
    }
    CHECK_OK(oriel_config_save(config, folder, &error));
    CHECK_OK((loaded = oriel_config_load(folder, &error)) != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *value = oriel_config_get(loaded, settings[i][0], NULL);

        CHECK(value != NULL);
        CHECK_STR(value, settings[i][1]);
    }
    keys = oriel_config_keys(config);
    for (char **key = keys; *key != NULL; key++) {
        g_autofree char *before = oriel_config_get(config, *key, NULL);
        g_autofree char *after = oriel_config_get(loaded, *key, NULL);

        CHECK_STR(after, before);
    }
    CHECK_EQ(loaded->memory, G_GUINT64_CONSTANT(5) << 30);
    CHECK(loaded->clock_local && loaded->boot_menu);
    remove_folder(folder);
}

TEST(file_is_private)
{
    char *folder = new_folder();
    g_autofree char *path = g_build_filename(folder, "machine.json", NULL);
    g_autoptr(OrielConfig) config = oriel_config_new("a");
    GStatBuf status;

    CHECK_OK(oriel_config_save(config, folder, &error));
    CHECK(g_stat(path, &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    remove_folder(folder);
}

TEST(unknown_keys_survive_at_every_level)
{
    static const char text[] =
        "{ \"version\": 1, \"uuid\": \"11111111-2222-3333-4444-555555555555\", \"name\": \"a\","
        "  \"generation-id\": \"11111111-2222-3333-4444-555555555556\","
        "  \"future\": { \"deep\": [ 1, { \"x\": null } ] },"
        "  \"firmware\": { \"type\": \"uefi\", \"secure-boot\": true },"
        "  \"drives\": [ { \"id\": \"disk0\", \"type\": \"disk\", \"format\": \"raw\","
        "                  \"path\": \"disks/a.raw\", \"sparkle\": { \"mode\": \"none\" } } ] }";
    char *folder = new_folder();
    g_autoptr(OrielConfig) config = NULL, copy = NULL, again = NULL;
    g_autofree char *saved = NULL;
    g_autoptr(JsonNode) node = NULL;
    JsonObject *root, *drive;

    write_text(folder, "machine.json", text, -1);
    CHECK_OK((config = oriel_config_load(folder, &error)) != NULL);
    copy = oriel_config_copy(config);
    CHECK_OK(oriel_config_set(copy, "firmware", "bios", &error));
    CHECK_OK(oriel_config_save(copy, folder, &error));
    CHECK_OK(oriel_config_save(copy, folder, &error));
    saved = file_text(folder, "machine.json");
    node = json_from_string(saved, NULL);
    root = json_node_get_object(node);
    CHECK(json_object_has_member(json_object_get_object_member(root, "future"), "deep"));
    CHECK(json_object_get_boolean_member(json_object_get_object_member(root, "firmware"),
                                         "secure-boot"));
    CHECK_STR(
        json_object_get_string_member(json_object_get_object_member(root, "firmware"), "type"),
        "bios");
    drive = json_array_get_object_element(json_object_get_array_member(root, "drives"), 0);
    CHECK_STR(
        json_object_get_string_member(json_object_get_object_member(drive, "sparkle"), "mode"),
        "none");
    CHECK_OK((again = oriel_config_load(folder, &error)) != NULL);
    remove_folder(folder);
}

TEST(a_cleared_setting_does_not_come_back)
{
    char *folder = new_folder();
    g_autoptr(OrielConfig) config = oriel_config_new("a"), loaded = NULL, again = NULL;

    CHECK_OK(oriel_config_set(config, "kernel", "/boot/vmlinuz", &error));
    CHECK_OK(oriel_config_save(config, folder, &error));
    CHECK_OK((loaded = oriel_config_load(folder, &error)) != NULL);
    CHECK_OK(oriel_config_set(loaded, "kernel", "", &error));
    CHECK_OK(oriel_config_save(loaded, folder, &error));
    CHECK_OK((again = oriel_config_load(folder, &error)) != NULL);
    CHECK(again->kernel == NULL);
    remove_folder(folder);
}

TEST(damaged_files_say_so)
{
    g_autofree char *deep = g_strnfill(5000, '[');
    g_autofree char *large = g_strnfill((1 << 20) + 1, ' ');
    const struct {
        const char *text;
        gssize length;
        OrielError code;
        const char *part;
    } bad[] = {
        { "", 0, ORIEL_ERROR_CORRUPT, "damaged" },
        { "{", 1, ORIEL_ERROR_CORRUPT, "damaged" },
        { "[]", 2, ORIEL_ERROR_CORRUPT, "no object" },
        { "{\0}", 3, ORIEL_ERROR_CORRUPT, "not text" },
        { "{\"name\": \"\xff\"}", -1, ORIEL_ERROR_CORRUPT, "not text" },
        { deep, -1, ORIEL_ERROR_CORRUPT, "so many lists" },
        { large, -1, ORIEL_ERROR_CORRUPT, "larger than" },
        { "{}", -1, ORIEL_ERROR_CORRUPT, "no version" },
        { "{\"version\": \"1\"}", -1, ORIEL_ERROR_CORRUPT, "no version" },
        { "{\"version\": 0}", -1, ORIEL_ERROR_CORRUPT, "no version" },
        { "{\"version\": 2}", -1, ORIEL_ERROR_INVALID, "newer version" },
        { "{\"version\": 1}", -1, ORIEL_ERROR_INVALID, "“uuid” must not be empty" },
        { "{\"version\": 1, \"uuid\": \"x\"}", -1, ORIEL_ERROR_INVALID, "must be a UUID" },
        { "{\"version\": 1, \"cpus\": \"x\"}", -1, ORIEL_ERROR_INVALID, "a whole number" },
        { "{\"version\": 1, \"cpus\": 1.5}", -1, ORIEL_ERROR_INVALID, "a whole number" },
        { "{\"version\": 1, \"cpus\": []}", -1, ORIEL_ERROR_INVALID, "a whole number" },
        { "{\"version\": 1, \"memory\": -5}", -1, ORIEL_ERROR_INVALID, "not a size" },
        { "{\"version\": 1, \"memory\": \"1G\"}", -1, ORIEL_ERROR_INVALID, "a whole number" },
        { "{\"version\": 1, \"firmware\": 1}", -1, ORIEL_ERROR_INVALID, "an object" },
        { "{\"version\": 1, \"drives\": {}}", -1, ORIEL_ERROR_INVALID, "list of at most" },
        { "{\"version\": 1, \"drives\": [1]}", -1, ORIEL_ERROR_INVALID, "an object" },
        { "{\"version\": 1, \"drives\": [1,2,3,4,5,6,7]}", -1, ORIEL_ERROR_INVALID, "at most 6" },
    };
    char *folder = new_folder();

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        gsize length = bad[i].length < 0 ? strlen(bad[i].text) : (gsize)bad[i].length;

        write_text(folder, "machine.json", bad[i].text, (gssize)length);
        CHECK_ERROR(oriel_config_load(folder, &error), bad[i].code, bad[i].part);
    }
    remove_folder(folder);
}

TEST(what_is_no_file_is_refused)
{
    char *folder = new_folder();
    g_autofree char *path = g_build_filename(folder, "machine.json", NULL);

    CHECK_ERROR(oriel_config_load("/nonexistent/m", &error), ORIEL_ERROR_NOT_FOUND, "/nonexistent");
    CHECK_ERROR(oriel_config_load(folder, &error), ORIEL_ERROR_NOT_FOUND, "no machine");
    CHECK(symlink("/etc/hostname", path) == 0);
    CHECK_ERROR(oriel_config_load(folder, &error), ORIEL_ERROR_CORRUPT, "not a file");
    CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_ERROR(oriel_config_load(folder, &error), ORIEL_ERROR_CORRUPT, "not a file");
    CHECK(unlink(path) == 0);
    remove_folder(folder);
}

TEST(every_change_can_be_undone)
{
    char *folder = new_folder();
    g_autoptr(OrielConfig) config = oriel_config_new("a");

    for (unsigned cpus = 1; cpus <= 30; cpus++) {
        config->cpus = cpus;
        CHECK_OK(oriel_config_save(config, folder, &error));
        CHECK_OK(oriel_config_save(config, folder, &error)); /* unchanged: no revision */
    }
    CHECK_EQ(count_revisions(folder), CONFIG_REVISIONS);
    for (unsigned cpus = 29; cpus >= 10; cpus--) {
        g_autoptr(OrielConfig) back = NULL;

        CHECK_OK(oriel_config_undo(folder, &error));
        CHECK_OK((back = oriel_config_load(folder, &error)) != NULL);
        CHECK_EQ(back->cpus, cpus);
    }
    CHECK_ERROR(oriel_config_undo(folder, &error), ORIEL_ERROR_NOT_FOUND, "no earlier settings");
    remove_folder(folder);
}

TEST(undo_mends_a_damaged_file)
{
    char *folder = new_folder();
    g_autoptr(OrielConfig) config = oriel_config_new("a"), back = NULL;

    CHECK_OK(oriel_config_save(config, folder, &error));
    config->cpus = 7;
    CHECK_OK(oriel_config_save(config, folder, &error));
    config->cpus = 8;
    CHECK_OK(oriel_config_save(config, folder, &error));
    write_text(folder, "machine.json", "gone", -1);
    write_text(folder, "revisions/00000009.json", "gone as well", -1);
    CHECK_OK(oriel_config_undo(folder, &error));
    CHECK_OK((back = oriel_config_load(folder, &error)) != NULL);
    CHECK_EQ(back->cpus, 7);
    remove_folder(folder);
}

TEST(settings_that_worked_are_kept)
{
    g_autoptr(OrielConfig) config = oriel_config_new("One");
    g_autoptr(GPtrArray) revisions = NULL;
    char *folder = new_folder();
    const OrielRevision *revision;

    CHECK_OK(oriel_config_save(config, folder, &error));
    CHECK_OK(oriel_config_mark_worked(config, folder, &error));
    for (unsigned i = 0; i < CONFIG_REVISIONS + 5; i++) {
        config->memory += 1 << 20;
        CHECK_OK(oriel_config_save(config, folder, &error));
    }
    CHECK_EQ(count_revisions(folder), CONFIG_REVISIONS + 1); /* worked.json is one more */
    CHECK_OK(revisions = oriel_config_list_revisions(folder, &error));
    CHECK_EQ(revisions->len, CONFIG_REVISIONS + 2);
    revision = revisions->pdata[0];
    CHECK_EQ(revision->number, 0);
    CHECK_EQ(revision->config->memory, config->memory);
    CHECK(!revision->worked);
    revision = revisions->pdata[1];
    CHECK_EQ(revision->number, CONFIG_REVISIONS + 5);
    revision = revisions->pdata[revisions->len - 1];
    CHECK_EQ(revision->number, ORIEL_REVISION_WORKED);
    CHECK(revision->worked);
    CHECK_EQ(revision->config->memory, 1 << 30);
    g_autofree char *uuid = g_strdup(config->uuid);

    g_free(revision->config->name);
    revision->config->name = g_strdup("Another");
    oriel_config_take_settings(config, revision->config);
    CHECK_STR(config->name, "One");
    CHECK_STR(config->uuid, uuid);
    CHECK_EQ(config->memory, 1 << 30);
    CHECK_OK(oriel_config_mark_worked(config, folder, &error));
    CHECK_OK(oriel_config_save(config, folder, &error));
    g_clear_pointer(&revisions, g_ptr_array_unref);
    CHECK_OK(revisions = oriel_config_list_revisions(folder, &error));
    revision = revisions->pdata[0];
    CHECK(revision->worked);
    revision = revisions->pdata[revisions->len - 1];
    CHECK(revision->number != ORIEL_REVISION_WORKED);
    remove_folder(folder);
    CHECK_ERROR(oriel_config_list_revisions("/absent", &error), ORIEL_ERROR_NOT_FOUND, "/absent");
}

TEST_MAIN(T(defaults_are_valid), T(saves_and_loads_everything), T(file_is_private),
          T(unknown_keys_survive_at_every_level), T(a_cleared_setting_does_not_come_back),
          T(damaged_files_say_so), T(what_is_no_file_is_refused), T(every_change_can_be_undone),
          T(undo_mends_a_damaged_file), T(settings_that_worked_are_kept))
