/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single settings and how they fit together: values, sizes, drives, slots, differences. */
#include "test.h"

#include "config/config.h"
#include "engine/check_error.h"

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

TEST_MAIN(T(bad_values_change_nothing), T(settings_that_do_not_fit_together_are_refused),
          T(drives_are_numbered_and_limited), T(slots), T(exit_codes_are_stable),
          T(sizes_as_people_write_them), T(a_bare_number_is_in_the_unit),
          T(memory_is_in_mebibytes_for_people_and_in_bytes_in_the_file),
          T(differences_and_what_waits_for_a_restart))
