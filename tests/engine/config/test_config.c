/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/config: the file, its limits, set and get, revisions. */
#include "../test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

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

#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        if (!(call)) {                                                                             \
            test_fail(__FILE__, __LINE__, "%s: %s", #call, error ? error->message : "no error");   \
        }                                                                                          \
    } while (0)

/* The call fails with this code and a sentence that contains `part`. */
#define CHECK_ERROR(call, code_, part)                                                             \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        if (call) {                                                                                \
            test_fail(__FILE__, __LINE__, "%s succeeded", #call);                                  \
        }                                                                                          \
        CHECK(error != NULL && error->domain == ORIEL_ERROR);                                      \
        if (error->code != (int)(code_) || strstr(error->message, part) == NULL) {                 \
            test_fail(__FILE__, __LINE__, "code %d: %s", error->code, error->message);             \
        }                                                                                          \
    } while (0)

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

TEST(bad_values_change_nothing)
{
    static const char *const bad[][3] = {
        { "colour", "red", "no setting “colour”" },
        { "disk9.path", "disks/a", "no setting" },
        { "disk0.colour", "red", "no setting" },
        { "disk0.iops-limit", "10000001", "between 0 and 10000000" },
        { "disk0.iops-limit", "fast", "whole number" },
        { "disk0.bandwidth-limit", "2048G", "between 0" },
        { "uuid", "11111111-2222-3333-4444-555555555555", "cannot be changed" },
        { "disk0.format", "raw", "cannot be changed" },
        { "cpus", "0", "between 1 and 255" },
        { "cpus", "256", "between 1 and 255" },
        { "cpus", "-1", "whole number" },
        { "cpus", "two", "whole number" },
        { "cpus", "99999999999999999999", "whole number" },
        { "cpus", "", "whole number" },
        { "memory", "15M", "between 16M and 1T" },
        { "memory", "2T", "between 16M and 1T" },
        { "memory", "1G5", "not a size" },
        { "memory", "-1G", "not a size" },
        { "memory", "99999999999T", "too large" },
        { "video-memory", "512M", "between 8M and 256M" },
        { "firmware", "coreboot", "one of bios, uefi" },
        { "firmware.path", "OVMF.fd", "absolute path" },
        { "boot-menu", "maybe", "true or false" },
        { "clock", "mars", "one of utc, local" },
        { "serials", "3", "between 0 and 2" },
        { "name", "", "must not be empty" },
        { "name", "a\nb", "control characters" },
        { "name", "\xff", "control characters" },
        { "append", "a\tb", "control characters" },
        { "vnc.password", "123456789", "0 to 8 bytes" },
    };
    g_autoptr(OrielConfig) config = oriel_config_new("a");
    g_autoptr(JsonNode) before = NULL;

    CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/a.raw", &error));
    before = oriel_config_to_json(config);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(JsonNode) after = NULL;

        printf("# %zu: %s\n", i, bad[i][0]);
        CHECK_ERROR(oriel_config_set(config, bad[i][0], bad[i][1], &error), ORIEL_ERROR_INVALID,
                    bad[i][2]);
        after = oriel_config_to_json(config);
        CHECK(json_node_equal(before, after));
    }
}

TEST(settings_that_do_not_fit_together_are_refused)
{
    static const struct {
        const char *set[3][2];
        const char *part;
    } bad[] = {
        { { { "name", "../x" } }, "slash" },
        { { { "name", ".hidden" } }, "dot" },
        { { { "name", "a/b" } }, "slash" },
        { { { "name", " a" } }, "blank" },
        { { { "memory", "1000000000B" } }, "megabytes" },
        { { { "video-memory", "24M" } }, "8M, 16M" },
        { { { "initrd", "/x" } }, "needs “kernel”" },
        { { { "append", "x" } }, "needs “kernel”" },
        { { { "boot-order", "disk0,disk7" } }, "no such drive" },
        { { { "boot-order", "disk0,disk0" } }, "twice" },
        { { { "boot-order", "disk0," } }, "no such drive" },
        { { { "vnc.listen", "5900" }, { "vnc.password", "x" } }, "address and a port" },
        { { { "vnc.listen", "0.0.0.0:0" }, { "vnc.password", "x" } }, "address and a port" },
        { { { "vnc.listen", "[1.2.3.4]:5900" }, { "vnc.password", "x" } }, "address and a port" },
        { { { "vnc.listen", "example.org:5900" }, { "vnc.password", "x" } }, "address and a port" },
        { { { "vnc.listen", "0.0.0.0:5900" } }, "needs “vnc.password”" },
        { { { "disk0.path", "" } }, "has no image" },
        { { { "disk0.path", "/etc/passwd" } }, "own folder" },
        { { { "disk0.path", "machine.json" } }, "own folder" },
        { { { "disk0.path", "disks/../machine.json" } }, "leads out" },
        { { { "disk0.path", "disks/./a" } }, "leads out" },
        { { { "disk0.path", "disks//a" } }, "leads out" },
        { { { "disk0.path", "disks/" } }, "leads out" },
        { { { "disk1.path", "disks/a.raw" } }, "same image" },
        { { { "cdrom0.path", "a.iso" } }, "absolute path" },
        { { { "cdrom0.path", "disks/../a.iso" } }, "leads out" },
        { { { "cdrom0.read-only", "false" } }, "cannot be written" },
        { { { "cdrom0.controller", "virtio" } }, "must be ahci" },
        { { { "cdrom0.cache", "direct" } }, "must be writeback" },
        { { { "disk0.controller", "nvme" }, { "disk0.port", "1" } }, "“hotplug” is false" },
        { { { "hotplug", "true" }, { "disk0.port", "1" } }, "cannot be in a slot" },
        { { { "hotplug", "true" }, { "cdrom0.port", "8" } }, "cannot be in a slot" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(OrielConfig) config = oriel_config_new("a");

        CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/a.raw", &error));
        CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/b.raw", &error));
        CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, &error));
        CHECK_OK(oriel_config_check(config, &error));
        for (size_t j = 0; j < 3 && bad[i].set[j][0] != NULL; j++) {
            CHECK_OK(oriel_config_set(config, bad[i].set[j][0], bad[i].set[j][1], &error));
        }
        CHECK_ERROR(oriel_config_check(config, &error), ORIEL_ERROR_INVALID, bad[i].part);
        CHECK_ERROR(oriel_config_save(config, "/nonexistent", &error), ORIEL_ERROR_INVALID,
                    bad[i].part);
    }
}

TEST(drives_are_numbered_and_limited)
{
    g_autoptr(OrielConfig) config = oriel_config_new("a");

    for (unsigned i = 0; i < CONFIG_DRIVES_MAX; i++) {
        g_autofree char *path = g_strdup_printf("disks/%u.raw", i);
        OrielDrive *drive = oriel_config_add_drive(config, ORIEL_DRIVE_DISK, path, NULL);
        g_autofree char *id = g_strdup_printf("disk%u", i);

        CHECK(drive != NULL);
        CHECK_STR(drive->id, id);
        CHECK(oriel_config_find_drive(config, id) == drive);
    }
    CHECK_ERROR(oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, &error),
                ORIEL_ERROR_INVALID, "drives already");
    g_ptr_array_remove_index(config->drives, 2);
    CHECK_STR(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/n.raw", NULL)->id, "disk2");
    CHECK(oriel_config_find_drive(config, "disk7") == NULL);
}

TEST(slots)
{
    g_autoptr(OrielConfig) config = oriel_config_new("a");
    g_autoptr(OrielConfig) again = NULL;
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *json = NULL;

    CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/a.raw", &error));
    CHECK_OK(oriel_config_add_drive(config, ORIEL_DRIVE_DISK, "disks/b.raw", &error));
    CHECK_OK(oriel_config_add_network(config, &error));
    CHECK_OK(oriel_config_set(config, "disk0.controller", "virtio", &error));
    CHECK_OK(oriel_config_set(config, "disk0.port", "2", &error));
    CHECK_EQ(oriel_config_free_port(config), 0); /* no hot plug */
    config->hotplug = TRUE;
    CHECK_OK(oriel_config_check(config, &error));
    CHECK_EQ(oriel_config_free_port(config), 1);
    CHECK_OK(oriel_config_set(config, "net0.port", "1", &error));
    CHECK_EQ(oriel_config_free_port(config), 3);
    CHECK_ERROR(oriel_config_set(config, "net0.port", "9", &error), ORIEL_ERROR_INVALID, "port");
    /* What stays has its place before what comes and goes. */
    root = oriel_config_to_json(config);
    json = json_to_string(root, FALSE);
    again = oriel_config_from_data(json, strlen(json), "test", NULL);
    CHECK(again != NULL);
    CHECK_STR(((OrielDrive *)again->drives->pdata[0])->id, "disk1");
    CHECK_STR(((OrielDrive *)again->drives->pdata[1])->id, "disk0");
    CHECK_EQ(((OrielDrive *)again->drives->pdata[1])->port, 2);
    CHECK_OK(oriel_config_set(config, "net0.port", "2", &error));
    CHECK_ERROR(oriel_config_check(config, &error), ORIEL_ERROR_INVALID, "in that slot already");
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

TEST(exit_codes_are_stable)
{
    static const int codes[] = {
        ORIEL_ERROR_INVALID, ORIEL_ERROR_NOT_FOUND, ORIEL_ERROR_EXISTS,     ORIEL_ERROR_CORRUPT,
        ORIEL_ERROR_LOCKED,  ORIEL_ERROR_NO_KVM,    ORIEL_ERROR_PERMISSION, ORIEL_ERROR_NO_SPACE,
        ORIEL_ERROR_STATE,   ORIEL_ERROR_TIMEOUT,   ORIEL_ERROR_HOST,
    };
    g_autoptr(GError) other = g_error_new_literal(G_FILE_ERROR, 3, "x");

    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(GError) error = g_error_new_literal(ORIEL_ERROR, codes[i], "x");

        CHECK_EQ(oriel_error_exit_code(error), 10 + i);
    }
    CHECK_EQ(oriel_error_exit_code(other), 1);
    CHECK_EQ(oriel_error_exit_code(NULL), 0);
}

TEST(sizes_as_people_write_them)
{
    static const struct {
        const char *text;
        guint64 bytes;
        const char *back;
    } good[] = {
        { "0", 0, "0B" },
        { "1000", 1000, "1000B" },
        { "1024", 1024, "1K" },
        { "512M", 512 << 20, "512M" },
        { "1536m", 1536 << 20, "1536M" },
        { "2GiB", G_GUINT64_CONSTANT(2) << 30, "2G" },
        { "3KB", 3072, "3K" },
        { "1t", G_GUINT64_CONSTANT(1) << 40, "1T" },
        { "7B", 7, "7B" },
    };
    static const char *const bad[] = { "",
                                       "G",
                                       "1X",
                                       "1Gi",
                                       "1GBB",
                                       "1.5G",
                                       " 1G",
                                       "1 G",
                                       "+1",
                                       "0x10",
                                       "99999999999999999999999",
                                       "8388608T" };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        guint64 bytes = 0;
        g_autofree char *back = NULL;

        CHECK_OK(oriel_size_parse(good[i].text, &bytes, &error));
        CHECK_EQ(bytes, good[i].bytes);
        back = oriel_size_text(bytes);
        CHECK_STR(back, good[i].back);
        CHECK_OK(oriel_size_parse_unit(back, 1 << 20, &bytes, &error));
        CHECK_EQ(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        guint64 bytes = 0;

        CHECK_ERROR(oriel_size_parse(bad[i], &bytes, &error), ORIEL_ERROR_INVALID, "size");
    }
}

TEST(a_bare_number_is_in_the_unit)
{
    static const struct {
        const char *text;
        guint64 bytes;
    } good[] = {
        { "512", 512 << 20 }, { "0", 0 }, { "512M", 512 << 20 }, { "3K", 3072 }, { "512B", 512 },
    };
    guint64 bytes = 1;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        CHECK_OK(oriel_size_parse_unit(good[i].text, 1 << 20, &bytes, &error));
        CHECK_EQ(bytes, good[i].bytes);
    }
    CHECK_OK(oriel_size_parse_unit("8796093022207", 1 << 20, &bytes, &error));
    CHECK_EQ(bytes, G_GUINT64_CONSTANT(8796093022207) << 20);
    CHECK_ERROR(oriel_size_parse_unit("8796093022208", 1 << 20, &bytes, &error),
                ORIEL_ERROR_INVALID, "too large");
}

TEST(memory_is_in_mebibytes_for_people_and_in_bytes_in_the_file)
{
    g_autoptr(OrielConfig) config = oriel_config_new("One");
    g_autoptr(OrielConfig) loaded = NULL;
    g_autoptr(JsonNode) json = NULL;
    g_autofree char *text = NULL;

    CHECK_OK(oriel_config_set(config, "memory", "512", &error));
    CHECK_EQ(config->memory, 512 << 20);
    CHECK_OK(oriel_config_set(config, "memory", "536870912B", &error));
    CHECK_EQ(config->memory, 512 << 20);
    CHECK_OK(oriel_config_set(config, "video-memory", "32", &error));
    CHECK_EQ(config->video_memory, 32 << 20);
    CHECK_ERROR(oriel_config_set(config, "memory", "536870912", &error), ORIEL_ERROR_INVALID,
                "between 16M and 1T");
    json = oriel_config_to_json(config);
    CHECK_EQ(json_object_get_int_member(json_node_get_object(json), "memory"), 512 << 20);
    text = json_to_string(json, FALSE);
    CHECK_OK(loaded = oriel_config_from_data(text, strlen(text), "test", &error));
    CHECK_EQ(loaded->memory, 512 << 20);
    CHECK_EQ(loaded->video_memory, 32 << 20);
}

TEST(differences_and_what_waits_for_a_restart)
{
    g_autoptr(OrielConfig) config = oriel_config_new("One");
    g_autoptr(OrielConfig) other = oriel_config_copy(config);
    g_auto(GStrv) same = oriel_config_differences(config, other);
    g_autofree char *text = NULL;

    CHECK(same[0] == NULL);
    CHECK_OK(oriel_config_set(config, "notes", "a\n\tb", &error));
    CHECK_OK(oriel_config_set(config, "cpus", "3", &error));
    CHECK_OK(oriel_config_set(config, "display.scaling", "follow", &error));
    CHECK(oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, NULL, NULL));
    CHECK(oriel_config_add_drive(other, ORIEL_DRIVE_DISK, "disks/a", NULL));
    g_auto(GStrv) found = oriel_config_differences(config, other);

    text = g_strjoinv(" ", found);
    CHECK_STR(text, "notes cpus display.scaling cdrom0 disk0");
    CHECK(oriel_config_key_live(config, "notes"));
    CHECK(oriel_config_key_live(config, "display.scaling"));
    CHECK(oriel_config_key_live(config, "cdrom0.path"));
    CHECK(!oriel_config_key_live(config, "cpus"));
    CHECK(!oriel_config_key_live(config, "cdrom0.format"));
    CHECK(!oriel_config_key_live(other, "disk0.path"));
    CHECK(oriel_config_key_live(other, "disk0.iops-limit"));
    CHECK(oriel_config_key_live(other, "disk0.bandwidth-limit"));
    CHECK(!oriel_config_key_live(config, "disk0"));
    CHECK_ERROR(oriel_config_set(config, "notes", "a\033b", &error), ORIEL_ERROR_INVALID, "notes");
    CHECK_ERROR(oriel_config_set(config, "tags", "a\nb", &error), ORIEL_ERROR_INVALID, "tags");
    CHECK_ERROR(oriel_config_set(config, "display.scaling", "huge", &error), ORIEL_ERROR_INVALID,
                "fit, integer, actual, follow");
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
          T(bad_values_change_nothing), T(settings_that_do_not_fit_together_are_refused), T(slots),
          T(drives_are_numbered_and_limited), T(damaged_files_say_so),
          T(what_is_no_file_is_refused), T(every_change_can_be_undone),
          T(undo_mends_a_damaged_file), T(differences_and_what_waits_for_a_restart),
          T(settings_that_worked_are_kept), T(exit_codes_are_stable), T(sizes_as_people_write_them),
          T(a_bare_number_is_in_the_unit),
          T(memory_is_in_mebibytes_for_people_and_in_bytes_in_the_file))
