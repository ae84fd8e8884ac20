/* SPDX-License-Identifier: GPL-3.0-or-later */
/* app/media: what files are by their content, systems, and what new machines get. */
#include "test.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "config/config.h"
#include "media/oriel-media-private.h"
#include "library/oriel-plan.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

enum { ISO_SECTOR = 2048, IMAGE = 64 * ISO_SECTOR };

/* A file of `length` zero bytes with `bytes` at `offset`; identified and removed. */
static OrielMedia *identify(const guint8 *content, gsize length, GError **error)
{
    char path[] = "/tmp/oriel-media-XXXXXX";
    int fd = g_mkstemp(path);
    OrielMedia *media;

    CHECK(fd >= 0);
    CHECK(write(fd, content, length) == (ssize_t)length);
    close(fd);
    media = oriel_media_identify(path, NULL, error);
    g_unlink(path);
    return media;
}

static OrielMedia *identify_at(gsize length, gsize offset, const char *bytes, gsize n)
{
    g_autofree guint8 *content = g_malloc0(length);

    memcpy(content + offset, bytes, n);
    return identify(content, length, NULL);
}

static void put_le32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

/* A CD image with a label and, if `platform` is not negative, a boot entry for it. */
static guint8 *iso_new(const char *label, int platform)
{
    guint8 *iso = g_malloc0(IMAGE);
    guint8 *primary = iso + 16 * ISO_SECTOR, *boot = iso + 17 * ISO_SECTOR;
    guint8 *end = iso + 18 * ISO_SECTOR, *catalog = iso + 20 * ISO_SECTOR;

    primary[0] = 1;
    memcpy(primary + 1, "CD001\x01", 6);
    memset(primary + 40, ' ', 32);
    memcpy(primary + 40, label, strlen(label));
    put_le32(primary + 80, IMAGE / ISO_SECTOR);
    primary[129] = ISO_SECTOR >> 8;
    end[0] = 255;
    memcpy(end + 1, "CD001\x01", 6);
    memcpy(boot + 1,
           "CD001\x01"
           "EL TORITO SPECIFICATION",
           29);
    put_le32(boot + 0x47, 20);
    if (platform >= 0) {
        catalog[0] = 1;
        catalog[1] = (guint8)platform;
        catalog[30] = 0x55;
        catalog[31] = 0xaa;
        catalog[32] = 0x88;
    }
    return iso;
}

TEST(disk_images_by_signature)
{
    const struct {
        gsize offset;
        const char *bytes;
        gsize n;
        const char *format;
    } formats[] = {
        { 0, "QFI\xfb", 4, "qcow2" },
        { 0, "KDMV", 4, "vmdk" },
        { 0, "# Disk DescriptorFile\n", 22, "vmdk" },
        { 64, "\x7f\x10\xda\xbe", 4, "vdi" },
        { 0, "vhdxfile", 8, "vhdx" },
        { 0, "conectix", 8, "vhd" },
        { 65536 - 512, "conectix", 8, "vhd" },
        { 510, "\x55\xaa", 2, "raw" },
        { 512, "EFI PART", 8, "raw" },
        { 1080, "\x53\xef", 2, "raw" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(OrielMedia) media =
            identify_at(65536, formats[i].offset, formats[i].bytes, formats[i].n);

        CHECK(media != NULL);
        CHECK_EQ(media->kind, ORIEL_MEDIA_DISK);
        CHECK_STR(media->format, formats[i].format);
        CHECK_EQ(media->size, 65536);
    }
}

TEST(other_files)
{
    g_autoptr(OrielMedia) gzip = identify_at(4096, 0, "\x1f\x8b\x08", 3);
    g_autoptr(OrielMedia) kernel = identify_at(4096, 514, "HdrS", 4);
    g_autoptr(OrielMedia) zeroes = identify_at(65536, 0, "", 0);
    g_autoptr(OrielMedia) empty = identify((const guint8 *)"", 0, NULL);
    const char *descriptor =
        "<?xml version=\"1.0\"?>\n<!-- made -->\n<ovf:Envelope xmlns:ovf=\"x\">";
    const char *page = "<?xml version=\"1.0\"?>\n<html><body>Envelope</body></html>";
    g_autoptr(OrielMedia) ovf = identify((const guint8 *)descriptor, strlen(descriptor), NULL);
    g_autoptr(OrielMedia) html = identify((const guint8 *)page, strlen(page), NULL);

    CHECK_EQ(gzip->kind, ORIEL_MEDIA_ARCHIVE);
    CHECK_EQ(kernel->kind, ORIEL_MEDIA_KERNEL);
    CHECK_EQ(zeroes->kind, ORIEL_MEDIA_UNKNOWN);
    CHECK_EQ(empty->kind, ORIEL_MEDIA_UNKNOWN);
    CHECK_EQ(ovf->kind, ORIEL_MEDIA_OVF);
    CHECK_EQ(html->kind, ORIEL_MEDIA_UNKNOWN);
}

/* A tar of one empty file called `first`, then one called `second`. */
static OrielMedia *identify_tar(const char *first, const char *second)
{
    g_autofree guint8 *tar = g_malloc0(4096);

    for (int i = 0; i < 2; i++) {
        guint8 *header = tar + i * 1024;

        g_strlcpy((char *)header, i ? second : first, 100);
        memcpy(header + 124, "00000000001", 11);
        memcpy(header + 257, "ustar", 5);
    }
    return identify(tar, 4096, NULL);
}

TEST(appliances)
{
    g_autoptr(OrielMedia) ordered = identify_tar("machine.ovf", "disk.vmdk");
    g_autoptr(OrielMedia) late = identify_tar("disk.vmdk", "Machine.OVF");
    g_autoptr(OrielMedia) other = identify_tar("readme", "disk.vmdk");

    CHECK_EQ(ordered->kind, ORIEL_MEDIA_OVA);
    CHECK_EQ(late->kind, ORIEL_MEDIA_OVA);
    CHECK_EQ(other->kind, ORIEL_MEDIA_ARCHIVE);
}

TEST(cd_images)
{
    g_autofree guint8 *plain = iso_new("DATA", -1), *x86 = iso_new("ARCH_202611", 0);
    g_autofree guint8 *efi = iso_new("Something  new", 0xef);
    g_autoptr(OrielMedia) data = identify(plain, IMAGE, NULL);
    g_autoptr(OrielMedia) bios = identify(x86, IMAGE, NULL);
    g_autoptr(OrielMedia) uefi = identify(efi, IMAGE, NULL);

    CHECK_EQ(data->kind, ORIEL_MEDIA_ISO);
    CHECK_STR(data->label, "DATA");
    CHECK(!data->bootable && !data->system);
    CHECK(bios->bootable && !bios->uefi_only);
    CHECK_STR(bios->system, "archlinux");
    CHECK(uefi->bootable && uefi->uefi_only);
    CHECK_STR(uefi->label, "Something  new");
}

/* libosinfo looks for another computer's loader in those, from a root directory that this one
 * lacks. */
TEST(a_cd_image_without_boot_record)
{
    g_autofree guint8 *iso = iso_new("Debian 12.5.0 amd64 n", -1);

    memset(iso + 17 * ISO_SECTOR, 0, ISO_SECTOR);
    iso[17 * ISO_SECTOR] = 255;
    memcpy(iso + 17 * ISO_SECTOR + 1, "CD001\x01", 6);
    g_autoptr(OrielMedia) media = identify(iso, IMAGE, NULL);

    CHECK_EQ(media->kind, ORIEL_MEDIA_ISO);
    CHECK(!media->bootable);
    CHECK_STR(media->system, "debian12");
}

TEST(releases_by_label)
{
    static const char *const labels[][2] = {
        { "Debian 12.5.0 amd64 n", "debian12" },
        { "d-live 12.5.0 st amd64", "debian12" },
        { "Debian", "debian" },
        { "Ubuntu 24.04 LTS amd64", "ubuntu24.04" },
        { "Ubuntu-Server 22.04.3 LTS amd64", "ubuntu22.04" },
        { "Xubuntu", "ubuntu" },
        { "Fedora-S-dvd-x86_64-40", "fedora40" },
        { "Fedora-WS-Live-39-1-5", "fedora39" },
        { "alpine-std 3.19.1 x86_64", "alpinelinux3.19" },
        { "IR5_CCSA_X64FRE", "win8.1" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autofree char *id = system_by_label(labels[i][0]);

        CHECK(id);
        CHECK_STR(id, labels[i][1]);
    }
    CHECK(!system_by_label("Something else"));
    CHECK(!system_by_label(NULL));
}

/* Runs a command; the last line of its output, or NULL if it cannot be run. */
static char *last_line(const char *const *arguments)
{
    g_autofree char *output = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                      &status, NULL) ||
        !g_spawn_check_wait_status(status, NULL)) {
        return NULL;
    }
    g_strchomp(output);
    const char *line = strrchr(output, '\n');

    return g_strdup(line ? line + 1 : output);
}

TEST(a_real_cd_image)
{
    g_autofree char *builder = g_build_filename(SOURCE, "tests", "lab", "images", "grub-iso", NULL);
    g_autofree char *folder = last_line((const char *[]){ builder, NULL });
    g_autofree char *path = folder ? g_build_filename(folder, "grub.iso", NULL) : NULL;

    if (!path) {
        printf("# skipped: grub-iso cannot be built here\n");
        return;
    }
    g_autoptr(OrielMedia) media = oriel_media_identify(path, NULL, NULL);

    CHECK(media);
    CHECK_EQ(media->kind, ORIEL_MEDIA_ISO);
    CHECK_STR(media->label, "ORIEL_GRUB");
    CHECK(media->bootable && !media->uefi_only && !media->system);
}

TEST(a_real_cd_image_like_an_installer)
{
    g_autofree char *folder = g_dir_make_tmp("oriel-media-XXXXXX", NULL);
    g_autofree char *path = g_strconcat(folder, ".iso", NULL);
    g_autofree char *core = g_build_filename(folder, "core.img", NULL);
    g_autofree char *content = g_malloc0(MIB);
    const char *arguments[] = { "xorriso",
                                "-as",
                                "mkisofs",
                                "-quiet",
                                "-o",
                                path,
                                "-V",
                                "Debian 12.5.0 amd64 n",
                                "-b",
                                "core.img",
                                "-no-emul-boot",
                                "-boot-load-size",
                                "4",
                                folder,
                                NULL };

    CHECK(g_file_set_contents(core, content, MIB, NULL));
    g_autofree char *done = last_line(arguments);

    g_unlink(core);
    g_rmdir(folder);
    if (!done) {
        printf("# skipped: xorriso is not installed\n");
        return;
    }
    g_autoptr(OrielMedia) media = oriel_media_identify(path, NULL, NULL);

    CHECK(media && media->bootable);
    CHECK_STR(media->label, "Debian 12.5.0 amd64 n");
    CHECK_STR(media->system, "debian12");
    CHECK(g_str_has_prefix(oriel_system_find(media->system)->name, "Debian"));
    /* Half of it is a download that did not finish. */
    CHECK(truncate(path, 64 * ISO_SECTOR) == 0);
    g_autoptr(GError) error = NULL;

    CHECK(!oriel_media_identify(path, NULL, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    g_unlink(path);
}

TEST(a_cd_image_that_is_cut_short)
{
    g_autofree guint8 *iso = iso_new("DATA", 0);
    g_autoptr(GError) error = NULL;

    put_le32(iso + 16 * ISO_SECTOR + 80, 100000);
    CHECK(identify(iso, IMAGE, &error) == NULL);
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    CHECK(strstr(error->message, "cut short") != NULL);
}

/* What a worker that has gone over to a file might say. */
TEST(answers_that_cannot_be_true)
{
    static const struct {
        const char *wire;
        gboolean good;
    } answers[] = {
        { "{'kind': <uint32 2>, 'format': <'qcow2'>, 'size': <uint64 5>}", TRUE },
        { "{'kind': <uint32 1>, 'label': <'X'>, 'system': <'debian12'>}", TRUE },
        { "{'kind': <uint32 0>}", TRUE },
        { "@a{sv} {}", FALSE },
        { "{'kind': <'1'>}", FALSE },
        { "{'kind': <uint32 8>}", FALSE },
        { "{'kind': <uint32 5>}", FALSE }, /* a machine is for its caller to see */
        { "{'kind': <uint32 2>}", FALSE },
        { "{'kind': <uint32 1>, 'format': <'raw'>}", FALSE },
        { "{'kind': <uint32 2>, 'format': <'../raw'>}", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GVariant) wire = g_variant_parse(NULL, answers[i].wire, NULL, NULL, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(OrielMedia) media = media_from_wire(wire, "/tmp/file", &error);

        if ((media != NULL) != answers[i].good) {
            test_fail(__FILE__, __LINE__, "%s", answers[i].wire);
        }
        CHECK(media || g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    }
    g_autofree char *long_name = g_strnfill(100, 'a');
    g_autoptr(GVariant) wire = g_variant_ref_sink(g_variant_new_parsed(
        "{'kind': <uint32 1>, 'label': <%s>, 'system': <%s>}", long_name, long_name));
    g_autoptr(OrielMedia) media = media_from_wire(wire, "/tmp/file", NULL);

    CHECK(media && strlen(media->label) == 64 && media->system == NULL);
}

TEST(looking_can_be_cancelled)
{
    g_autofree guint8 *iso = iso_new("DATA", 0);
    g_autofree char *right = g_strdup(g_getenv("ORIEL_WORKER"));
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    char path[] = "/tmp/oriel-media-XXXXXX";
    int fd = g_mkstemp(path);

    CHECK(fd >= 0 && write(fd, iso, IMAGE) == IMAGE);
    close(fd);
    g_cancellable_cancel(cancellable);
    CHECK(oriel_media_identify(path, cancellable, &error) == NULL);
    CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    g_clear_error(&error);
    /* The file is looked into elsewhere: without the worker nothing is known of it. */
    g_setenv("ORIEL_WORKER", "/nowhere/oriel-worker", TRUE);
    CHECK(oriel_media_identify(path, NULL, &error) == NULL);
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_HOST));
    g_setenv("ORIEL_WORKER", right, TRUE);
    g_unlink(path);
}

TEST(machines_and_what_is_not_a_file)
{
    g_autofree char *folder = g_dir_make_tmp("oriel-media-XXXXXX.oriel", NULL);
    g_autofree char *json = g_build_filename(folder, "machine.json", NULL);
    g_autoptr(GError) folder_error = NULL, missing_error = NULL, device_error = NULL;

    CHECK(oriel_media_identify(folder, NULL, &folder_error) == NULL);
    CHECK(g_error_matches(folder_error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    CHECK(g_file_set_contents(json, "{}", -1, NULL));

    g_autoptr(OrielMedia) machine = oriel_media_identify(folder, NULL, NULL);
    g_autoptr(OrielMedia) inside = oriel_media_identify(json, NULL, NULL);

    CHECK_EQ(machine->kind, ORIEL_MEDIA_MACHINE);
    CHECK_EQ(inside->kind, ORIEL_MEDIA_MACHINE);
    CHECK_STR(inside->path, folder);
    g_unlink(json);
    g_rmdir(folder);
    CHECK(oriel_media_identify(json, NULL, &missing_error) == NULL);
    CHECK(g_error_matches(missing_error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    CHECK(oriel_media_identify("/dev/null", NULL, &device_error) == NULL);
    CHECK(g_error_matches(device_error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
}

TEST(systems)
{
    g_autoptr(GPtrArray) list = oriel_system_list();
    const OrielSystem *windows = oriel_system_find("win11");

    CHECK_STR(oriel_system_find(NULL)->id, "other");
    CHECK_STR(oriel_system_find("no-such-system")->family, "other");
    CHECK(oriel_system_find("no-such-system") == oriel_system_find("no-such-system"));
    CHECK_STR(oriel_system_find("")->id, "other");
    CHECK_STR(oriel_system_find("debian99")->name, "Debian 99");
    CHECK_STR(oriel_system_find("debian99")->family, "linux");
    CHECK(windows->uefi && windows->clock_local);
    CHECK_STR(oriel_system_video(windows), "stdvga");
    CHECK_STR(oriel_system_video(oriel_system_find("debian99")), "virtio-gpu");
    CHECK_STR(oriel_system_video(oriel_system_find("debian5")), "stdvga");
    CHECK_STR(oriel_system_video(oriel_system_find("ubuntu99.10")), "stdvga");
    CHECK_STR(oriel_system_controller(windows, TRUE), "nvme");
    CHECK_STR(oriel_system_controller(oriel_system_find("debian99"), FALSE), "virtio");
    CHECK_STR(oriel_system_controller(oriel_system_find("windows"), TRUE), "ahci");
    CHECK_STR(oriel_system_controller(oriel_system_find("other"), TRUE), "ahci");
    CHECK_EQ(windows->memory_minimum, 4 * GIB);
    CHECK(list->len >= 25);
    for (guint i = 0; i < list->len; i++) {
        const OrielSystem *system = g_ptr_array_index(list, i);

        CHECK(*system->name && *system->icon);
    }
}

/* As the database knows them, or we where it does not. */
TEST(systems_by_the_database)
{
    static const struct {
        const char *id, *network, *video, *bios, *uefi; /* the last two: disk controllers */
    } expected[] = {
        { "debian12", "virtio", "virtio-gpu", "virtio", "virtio" },
        { "debian10", "virtio", "stdvga", "virtio", "virtio" },
        { "fedora37", "virtio", "virtio-gpu", "virtio", "virtio" },
        { "win11", "e1000e", "stdvga", "ahci", "nvme" },
        { "win10", "e1000e", "stdvga", "ahci", "nvme" },
        { "win7", "e1000e", "stdvga", "ahci", "ahci" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        const OrielSystem *system = oriel_system_load(expected[i].id);

        CHECK_STR(oriel_system_network(system), expected[i].network);
        CHECK_STR(oriel_system_video(system), expected[i].video);
        CHECK_STR(oriel_system_controller(system, FALSE), expected[i].bios);
        CHECK_STR(oriel_system_controller(system, TRUE), expected[i].uefi);
    }
}

TEST(defaults_fit_the_host)
{
    const guint64 memories[] = { 512 * MIB, GIB, 4 * GIB, 16 * GIB, 256 * GIB };
    const guint cpus[] = { 1, 2, 8, 128 };
    const char *ids[] = { "debian", "win11", "alpinelinux", "other", "freedos" };

    for (gsize m = 0; m < G_N_ELEMENTS(memories); m++) {
        for (gsize c = 0; c < G_N_ELEMENTS(cpus); c++) {
            for (gsize s = 0; s < G_N_ELEMENTS(ids); s++) {
                OrielHostResources host = { .memory = memories[m], .cpus = cpus[c] };
                OrielDefaults defaults;

                oriel_defaults_for(oriel_system_find(ids[s]), &host, &defaults);
                CHECK(defaults.memory >= 16 * MIB && defaults.memory < memories[m]);
                CHECK_EQ(defaults.memory % MIB, 0);
                CHECK(defaults.cpus >= 1 && defaults.cpus <= cpus[c]);
                CHECK(defaults.disk >= GIB && defaults.disk % GIB == 0);
            }
        }
    }
}

TEST(defaults_for_a_usual_computer)
{
    OrielHostResources host = { .memory = 16 * GIB, .cpus = 8 };
    OrielDefaults linux_defaults, windows_defaults;

    oriel_defaults_for(oriel_system_find("debian"), &host, &linux_defaults);
    oriel_defaults_for(oriel_system_find("win11"), &host, &windows_defaults);
    CHECK_EQ(linux_defaults.memory, 4 * GIB);
    CHECK_EQ(linux_defaults.cpus, 4);
    CHECK_EQ(linux_defaults.disk, 40 * GIB);
    CHECK(!linux_defaults.uefi);
    CHECK_EQ(windows_defaults.memory, 8 * GIB);
    CHECK_EQ(windows_defaults.disk, 64 * GIB);
    CHECK(windows_defaults.uefi);
}

TEST(plans)
{
    OrielMedia cd = { .kind = ORIEL_MEDIA_ISO, .system = (char *)"win11" };
    OrielMedia kernel = { .kind = ORIEL_MEDIA_KERNEL };
    OrielMedia uefi = { .kind = ORIEL_MEDIA_ISO, .uefi_only = TRUE };
    OrielPlan plan;
    OrielPlanTexts texts;
    OrielCreateOptions options = { .cpus = "1", .disk = "20G" };
    OrielCreateOptions image = { .disk = "/no/such/image" };
    OrielCreateOptions chosen = { .disk = "20G", .controller = "ahci" };
    OrielCreateOptions none = { .disk = NULL };

    oriel_plan_make(&plan, &cd, NULL, "/");
    CHECK_STR(plan.system->id, "win11");
    CHECK(plan.makes_disk && plan.defaults.uefi && plan.host.cpus > 0);
    oriel_plan_fill(&plan, &options, &texts);
    CHECK_STR(options.cpus, "1");
    CHECK_STR(options.firmware, "uefi");
    CHECK(g_str_has_suffix(options.memory, "M"));
    CHECK_STR(options.settings[1], "win11");
    CHECK_STR(options.settings[3], "local");
    CHECK_STR(options.settings[4], "net0.model");
    CHECK_STR(options.settings[5], "e1000e");
    CHECK_STR(options.settings[6], "video.model");
    CHECK_STR(options.settings[7], "stdvga");
    CHECK(!options.settings[8]);
    CHECK_STR(options.controller, "nvme");
    oriel_plan_fill(&plan, &image, &texts);
    CHECK(!image.controller);
    oriel_plan_fill(&plan, &chosen, &texts);
    CHECK_STR(chosen.controller, "ahci");
    oriel_plan_fill(&plan, &none, &texts);
    CHECK(!none.controller);
    oriel_plan_make(&plan, &kernel, NULL, "/");
    CHECK_STR(plan.system->id, "linux");
    CHECK_STR(oriel_system_network(plan.system), "virtio");
    CHECK(!plan.makes_disk && !plan.defaults.uefi);
    oriel_plan_make(&plan, &uefi, "debian12", "/");
    CHECK_STR(plan.system->id, "debian12");
    CHECK(plan.defaults.uefi);
    oriel_plan_make(&plan, NULL, NULL, "/");
    CHECK_STR(plan.system->id, "other");
    CHECK(plan.makes_disk);
}

TEST_MAIN(T(disk_images_by_signature), T(other_files), T(appliances), T(cd_images),
          T(a_cd_image_without_boot_record), T(releases_by_label), T(a_real_cd_image),
          T(a_real_cd_image_like_an_installer), T(a_cd_image_that_is_cut_short),
          T(answers_that_cannot_be_true), T(looking_can_be_cancelled),
          T(machines_and_what_is_not_a_file), T(systems), T(systems_by_the_database),
          T(defaults_fit_the_host), T(defaults_for_a_usual_computer), T(plans))
