/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a saved state, without a machine: whole they come back as they were, and whatever is
 * wrong with them is found. */
#include "test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "config/saved.h"
#include "snapshot/memory_file.h"
#include "snapshot/saved.h"
#include "snapshot/sections.h"

#define CHECK_ERROR(call, code_, words)                                                            \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        CHECK(!(call));                                                                            \
        CHECK(error != NULL && g_error_matches(error, ORIEL_ERROR, (code_)));                      \
        if (!strstr(error->message, (words))) {                                                    \
            test_fail(__FILE__, __LINE__, "“%s” is not in: %s", (words), error->message);          \
        }                                                                                          \
    } while (0)
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        g_autoptr(GError) error = NULL;                                                            \
        if (!(call)) {                                                                             \
            test_fail(__FILE__, __LINE__, "%s", error ? error->message : #call);                   \
        }                                                                                          \
    } while (0)

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* --- Sections ------------------------------------------------------------------------------- */

static GByteArray *three_sections(void)
{
    GByteArray *file = sections_new();

    sections_add(file, "device", "rtc", 1, "abc", 3);
    sections_add(file, "device", "hpet", 2, "", 0);
    sections_add(file, "kvm", "rtc", 7, "longer bytes", 12);
    return file;
}

TEST(sections_come_back)
{
    g_autoptr(GByteArray) file = three_sections();
    g_autoptr(GArray) sections = sections_parse(file->data, file->len);
    const struct section *section;

    CHECK(sections != NULL);
    CHECK_EQ(sections->len, 3);
    section = sections_find(sections, "device", "rtc");
    CHECK(section && section->version == 1 && section->length == 3);
    CHECK(memcmp(section->bytes, "abc", 3) == 0);
    section = sections_find(sections, "device", "hpet");
    CHECK(section && section->version == 2 && section->length == 0);
    CHECK(!sections_find(sections, "kvm", "hpet"));
    CHECK(sections_bytes(sections, "kvm", "rtc", 7, 12) != NULL);
    CHECK(sections_bytes(sections, "kvm", "rtc", 6, 12) == NULL);
    CHECK(sections_bytes(sections, "kvm", "rtc", 7, 11) == NULL);
}

TEST(no_sections_are_sections_too)
{
    g_autoptr(GByteArray) file = sections_new();
    g_autoptr(GArray) sections = sections_parse(file->data, file->len);

    CHECK(sections != NULL);
    CHECK_EQ(sections->len, 0);
}

TEST(any_changed_byte_of_sections_is_found)
{
    g_autoptr(GByteArray) file = three_sections();

    for (guint at = 0; at < file->len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            g_autoptr(GArray) sections = NULL;

            file->data[at] ^= (guint8)(1u << bit);
            sections = sections_parse(file->data, file->len);
            /* Names and versions have no checksum of their own: whoever asks for them misses them.
             */
            if (sections) {
                CHECK(!sections_bytes(sections, "device", "rtc", 1, 3) ||
                      !sections_bytes(sections, "device", "hpet", 2, 0) ||
                      !sections_bytes(sections, "kvm", "rtc", 7, 12));
            }
            file->data[at] ^= (guint8)(1u << bit);
        }
    }
}

TEST(short_and_long_sections_are_refused)
{
    g_autoptr(GByteArray) file = three_sections();

    for (guint length = 0; length < file->len; length++) {
        g_autofree guint8 *copy = g_memdup2(file->data, length);

        CHECK(sections_parse(copy, length) == NULL);
    }
    g_byte_array_append(file, (const guint8 *)"x", 1);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

TEST(two_sections_of_one_name_are_refused)
{
    g_autoptr(GByteArray) file = three_sections();

    sections_add(file, "device", "rtc", 1, "abc", 3);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

TEST(too_many_sections_are_refused)
{
    g_autoptr(GByteArray) file = sections_new();

    store_le32(file->data + 8, SECTIONS_MAX + 1);
    CHECK(sections_parse(file->data, file->len) == NULL);
    store_le32(file->data + 8, UINT32_MAX);
    CHECK(sections_parse(file->data, file->len) == NULL);
}

/* --- Memories ------------------------------------------------------------------------------- */

enum { REGIONS = 3 };

/* Two and a half chunks of mixed content, one that is zero but for its last byte, one all zero. */
static void regions_make(struct memory_region regions[REGIONS])
{
    static const uint64_t sizes[REGIONS] = { MEMORY_CHUNK * 5 / 2, MEMORY_CHUNK, 4096 };
    uint64_t seed = 88172645463325252;

    for (unsigned i = 0; i < REGIONS; i++) {
        g_snprintf(regions[i].name, sizeof(regions[i].name), "region-%u", i);
        regions[i].size = sizes[i];
        regions[i].bytes = g_malloc0(sizes[i]);
    }
    for (uint64_t i = 0; i < MEMORY_CHUNK; i += 8) {
        store_le64(regions[0].bytes + i, random_next(&seed)); /* cannot be compressed */
    }
    for (uint64_t i = 2 * MEMORY_CHUNK; i < regions[0].size; i++) {
        regions[0].bytes[i] = (uint8_t)(i / 100);
    }
    regions[1].bytes[MEMORY_CHUNK - 1] = 1;
}

static void regions_clear(struct memory_region regions[REGIONS])
{
    for (unsigned i = 0; i < REGIONS; i++) {
        memset(regions[i].bytes, 0, regions[i].size);
    }
}

static void regions_free(struct memory_region regions[REGIONS])
{
    for (unsigned i = 0; i < REGIONS; i++) {
        g_free(regions[i].bytes);
    }
}

static uint64_t length_of(int fd)
{
    struct stat status;

    CHECK(fstat(fd, &status) == 0);
    return (uint64_t)status.st_size;
}

TEST(memories_come_back)
{
    struct memory_region regions[REGIONS], again[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t estimate;

    regions_make(regions);
    regions_make(again);
    regions_clear(again);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    CHECK_EQ(work.done, work.total);
    /* The chunk of noise, and hardly more: zeroes are not there. */
    CHECK(length_of(fd) > MEMORY_CHUNK && length_of(fd) < MEMORY_CHUNK + 100000);
    estimate = memory_file_estimate(regions, REGIONS);
    CHECK(estimate > MEMORY_CHUNK / 2 && estimate < 3 * MEMORY_CHUNK);
    CHECK_OK(memory_file_read(fd, "ram", length_of(fd), index->data, index->len, again, REGIONS,
                              &error));
    for (unsigned i = 0; i < REGIONS; i++) {
        CHECK(memcmp(regions[i].bytes, again[i].bytes, regions[i].size) == 0);
    }
    regions_free(regions);
    regions_free(again);
    close(fd);
}

TEST(memories_of_another_machine_are_refused)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t length;

    regions_make(regions);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS - 1, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions[1].size -= 4096;
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions[1].size += 4096;
    regions[1].name[0] = 'R';
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions_free(regions);
    close(fd);
}

/* Every number of the index, made wrong in several ways. */
TEST(hostile_index_is_refused)
{
    static const uint32_t values[] = { 0, 1, 2, 3, 0x7fffffff, 0x80000000, UINT32_MAX };
    struct memory_region regions[REGIONS], first[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t length;

    regions_make(regions);
    regions_make(first);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    for (guint at = 0; at + 4 <= index->len; at += 4) {
        uint32_t was = load_le32(index->data + at);

        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autoptr(GError) error = NULL;
            bool good, same = true;

            store_le32(index->data + at, values[i]);
            regions_clear(regions);
            good = memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS,
                                    &error);
            for (unsigned r = 0; r < REGIONS; r++) {
                same &= memcmp(regions[r].bytes, first[r].bytes, first[r].size) == 0;
            }
            /* Only a chunk that is said to be another of the same size may pass here. */
            CHECK(good || g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT));
            CHECK(values[i] != was || (good && same));
        }
        store_le32(index->data + at, was);
    }
    for (guint n = 0; n < index->len; n++) {
        g_autofree guint8 *copy = g_memdup2(index->data, n);

        CHECK_ERROR(memory_file_read(fd, "ram", length, copy, n, regions, REGIONS, &error),
                    ORIEL_ERROR_CORRUPT, "damaged");
    }
    regions_free(regions);
    regions_free(first);
    close(fd);
}

TEST(damaged_chunks_are_found)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);
    uint64_t seed = 5, length;

    regions_make(regions);
    CHECK_OK(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error));
    length = length_of(fd);
    for (unsigned i = 0; i < 200; i++) {
        off_t at = (off_t)(random_next(&seed) % length);
        uint8_t was, is;

        CHECK(pread(fd, &was, 1, at) == 1);
        is = was ^ (uint8_t)(1u << random_next(&seed) % 8);
        CHECK(pwrite(fd, &is, 1, at) == 1);
        CHECK_ERROR(
            memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
            ORIEL_ERROR_CORRUPT, "damaged");
        CHECK(pwrite(fd, &was, 1, at) == 1);
    }
    /* Shorter than it was when it was looked at. */
    CHECK(ftruncate(fd, (off_t)length / 2) == 0);
    CHECK_ERROR(
        memory_file_read(fd, "ram", length, index->data, index->len, regions, REGIONS, &error),
        ORIEL_ERROR_CORRUPT, "damaged");
    regions_free(regions);
    close(fd);
}

TEST(cancelled_write_ends)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { true };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = memfd_create("ram", MFD_CLOEXEC);

    regions_make(regions);
    CHECK_ERROR(memory_file_write(fd, "ram", regions, REGIONS, &work, index, &error),
                ORIEL_ERROR_STATE, "cancelled");
    CHECK_EQ(length_of(fd), 0);
    regions_free(regions);
    close(fd);
}

TEST(write_without_room_says_so)
{
    struct memory_region regions[REGIONS];
    struct memory_work work = { false };
    g_autoptr(GByteArray) index = g_byte_array_new();
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    regions_make(regions);
    CHECK_ERROR(memory_file_write(fd, "a/ram", regions, REGIONS, &work, index, &error),
                ORIEL_ERROR_NO_SPACE, "a/ram");
    regions_free(regions);
    close(fd);
}

/* --- The folder ----------------------------------------------------------------------------- */

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

TEST_MAIN(T(sections_come_back), T(no_sections_are_sections_too),
          T(any_changed_byte_of_sections_is_found), T(short_and_long_sections_are_refused),
          T(two_sections_of_one_name_are_refused), T(too_many_sections_are_refused),
          T(memories_come_back), T(memories_of_another_machine_are_refused),
          T(hostile_index_is_refused), T(damaged_chunks_are_found), T(cancelled_write_ends),
          T(write_without_room_says_so), T(saved_state_comes_back),
          T(what_is_no_folder_is_refused_and_goes), T(failed_save_leaves_nothing),
          T(remains_are_removed_and_nothing_else), T(changed_settings_are_refused),
          T(password_is_not_in_the_state), T(links_in_place_of_files_are_refused),
          T(every_truncated_manifest_is_refused), T(guest_sees_some_settings))
