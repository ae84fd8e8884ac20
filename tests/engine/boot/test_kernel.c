/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine/boot: kernel images, good and hostile, and where they go. */
#include "../test.h"

#include <glib.h>

#include "boot/boot.h"
#include "boot/kernel.h"
#include "bzimage.h"

static uint8_t image[BZIMAGE_SIZE];

static void check_refused(gsize size, const char *part)
{
    g_autoptr(GError) error = NULL;
    struct kernel_header header;

    CHECK(!kernel_parse(image, size, "/boot/vmlinuz", &header, &error));
    CHECK_EQ(error->code, ORIEL_ERROR_INVALID);
    if (strstr(error->message, part) == NULL || strstr(error->message, "/boot/vmlinuz") == NULL) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
}

TEST(a_header_is_read)
{
    struct kernel_header header;

    bzimage_make(image);
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.version, 0x020f);
    CHECK_EQ(header.setup_size, BZIMAGE_SETUP);
    CHECK_EQ(header.code_size, BZIMAGE_CODE);
    CHECK_EQ(header.initrd_last, 0x7fffffff);
    CHECK_EQ(header.command_line_max, 2047);
    CHECK_EQ(header.running_end, 0x3000000);
    image[0x1f1] = 0; /* as 4 */
    image[0x236] = 2; /* XLF_CAN_BE_LOADED_ABOVE_4G */
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.setup_size, BZIMAGE_SETUP);
    CHECK_EQ(header.initrd_last, UINT32_MAX);
}

TEST(fields_that_a_protocol_lacks_do_not_count)
{
    struct kernel_header header;

    bzimage_make(image);
    store_le16(image + 0x206, 0x0202);
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.command_line_max, 255);
    CHECK_EQ(header.initrd_last, 0x37ffffff);
    CHECK_EQ(header.running_end, 0x100000 + BZIMAGE_CODE);
    bzimage_make(image);
    image[0x201] = 0x2e; /* the header says that it ends at 0x230 */
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.command_line_max, 0);
    CHECK_EQ(header.running_end, 0x100000 + BZIMAGE_CODE);
}

TEST(what_is_no_kernel_is_refused)
{
    bzimage_make(image);
    check_refused(0, "no Linux kernel");
    check_refused(0x263, "no Linux kernel");
    check_refused(BZIMAGE_SETUP, "cut short");
    check_refused(BZIMAGE_SETUP + 512, "cut short: it has 3072 of 68096 bytes");
    image[0x202] = 'h';
    check_refused(sizeof(image), "no Linux kernel");
    bzimage_make(image);
    image[0x1ff] = 0;
    check_refused(sizeof(image), "no Linux kernel");
    bzimage_make(image);
    store_le16(image + 0x206, 0x0201);
    check_refused(sizeof(image), "too old (boot protocol 2.01)");
    bzimage_make(image);
    image[0x211] = 0;
    check_refused(sizeof(image), "too old");
    bzimage_make(image);
    image[0x1f1] = 127;
    check_refused(sizeof(image), "too large");
    image[0x1f1] = 255;
    check_refused(sizeof(image), "cut short");
    bzimage_make(image);
    store_le32(image + 0x1f4, UINT32_MAX);
    check_refused(sizeof(image), "cut short");
}

TEST(extreme_numbers_do_no_harm)
{
    struct kernel_header header;

    bzimage_make(image);
    store_le64(image + 0x258, UINT64_MAX);
    store_le32(image + 0x260, UINT32_MAX);
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.running_end, 0x100000 + BZIMAGE_CODE);
    store_le64(image + 0x258, UINT32_MAX);
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.running_end, UINT64_C(0x1fffffffe));
    store_le32(image + 0x22c, UINT32_MAX);
    store_le32(image + 0x238, UINT32_MAX);
    CHECK(kernel_parse(image, sizeof(image), "k", &header, NULL));
    CHECK_EQ(header.command_line_max, UINT32_MAX);
}

/* --- Loading ---------------------------------------------------------------------------------- */

struct files {
    char *folder, *kernel, *initrd;
    OrielConfig *config;
};

static struct files files_new(gsize initrd_size)
{
    struct files files = { .folder = g_dir_make_tmp("oriel-kernel-XXXXXX", NULL) };
    g_autofree char *initrd = g_strnfill(initrd_size, 'i');

    CHECK(files.folder != NULL);
    files.kernel = g_build_filename(files.folder, "vmlinuz", NULL);
    files.initrd = g_build_filename(files.folder, "initrd", NULL);
    CHECK(g_file_set_contents(files.kernel, (char *)image, sizeof(image), NULL));
    CHECK(g_file_set_contents(files.initrd, initrd, (gssize)initrd_size, NULL));
    files.config = oriel_config_new("a");
    files.config->kernel = g_strdup(files.kernel);
    files.config->initrd = g_strdup(files.initrd);
    files.config->append = g_strdup("console=ttyS0");
    return files;
}

static void files_free(struct files *files)
{
    remove(files->kernel);
    remove(files->initrd);
    remove(files->folder);
    oriel_config_free(files->config);
    g_free(files->kernel);
    g_free(files->initrd);
    g_free(files->folder);
}

TEST(the_loader_fields_are_filled_in)
{
    struct files files;
    struct kernel kernel = { 0 };
    const uint8_t *setup;

    bzimage_make(image);
    files = files_new(10000);
    CHECK(kernel_load(&kernel, files.config, 1 << 30, NULL));
    setup = g_bytes_get_data(kernel.setup, NULL);
    CHECK_EQ(g_bytes_get_size(kernel.setup), BZIMAGE_SETUP);
    CHECK_EQ(kernel.initrd_address, ((1 << 30) - (2 << 20) - 10000) & ~4095);
    CHECK_EQ(setup[0x210], 0xff);
    CHECK_EQ(setup[0x211], 0x81);
    CHECK_EQ(load_le16(setup + 0x224), 0xfe00);
    CHECK_EQ(load_le32(setup + 0x228), 0x20000);
    CHECK_EQ(load_le32(setup + 0x218), kernel.initrd_address);
    CHECK_EQ(load_le32(setup + 0x21c), 10000);
    CHECK_STR((const char *)g_bytes_get_data(kernel.command_line, NULL), "console=ttyS0");
    CHECK_EQ(g_bytes_get_size(kernel.command_line), 14);
    kernel_clear(&kernel);
    files_free(&files);
}

TEST(the_initrd_stays_below_the_kernels_limit)
{
    struct files files;
    struct kernel kernel = { 0 };

    bzimage_make(image);
    store_le32(image + 0x22c, 0x0fffffff);
    files = files_new(4096);
    CHECK(kernel_load(&kernel, files.config, 1 << 30, NULL));
    CHECK_EQ(kernel.initrd_address, 0x0ffff000);
    kernel_clear(&kernel);
    files_free(&files);
}

TEST(what_does_not_fit_is_refused)
{
    struct files files;
    struct kernel kernel = { 0 };
    g_autoptr(GError) memory = NULL, line = NULL, missing = NULL;

    bzimage_make(image); /* runs up to 48 MiB */
    files = files_new(1 << 20);
    CHECK(!kernel_load(&kernel, files.config, 48 << 20, &memory));
    CHECK_EQ(memory->code, ORIEL_ERROR_INVALID);
    CHECK(strstr(memory->message, "at least 52M") != NULL);
    kernel_clear(&kernel);
    CHECK(kernel_load(&kernel, files.config, 52 << 20, NULL));
    kernel_clear(&kernel);

    store_le32(image + 0x238, 5);
    CHECK(g_file_set_contents(files.kernel, (char *)image, sizeof(image), NULL));
    CHECK(!kernel_load(&kernel, files.config, 1 << 30, &line));
    CHECK(strstr(line->message, "may have 5 bytes, but “append” has 13") != NULL);
    kernel_clear(&kernel);

    remove(files.kernel);
    CHECK(!kernel_load(&kernel, files.config, 1 << 30, &missing));
    CHECK_EQ(missing->code, ORIEL_ERROR_NOT_FOUND);
    CHECK(strstr(missing->message, "vmlinuz”, is not there") != NULL);
    kernel_clear(&kernel);
    files_free(&files);
}

TEST(without_a_kernel_nothing_is_loaded)
{
    g_autoptr(OrielConfig) config = oriel_config_new("a");
    struct kernel kernel = { 0 };

    CHECK(kernel_load(&kernel, config, 1 << 30, NULL));
    CHECK(kernel.image == NULL && kernel.setup == NULL);
    kernel_clear(&kernel);
}

/* --- The option ROM --------------------------------------------------------------------------- */

TEST(the_rom_is_one_that_a_bios_accepts)
{
    g_autoptr(GBytes) bytes = kernel_rom();
    gsize size;
    const uint8_t *rom = g_bytes_get_data(bytes, &size), *pnp;
    uint8_t sum = 0, pnp_sum = 0;
    uint16_t bootstrap;

    CHECK_EQ(load_le16(rom), 0xaa55);
    CHECK(size % 512 == 0);
    CHECK_EQ(rom[2] * 512, size);
    for (gsize i = 0; i < size; i++) {
        sum = (uint8_t)(sum + rom[i]);
    }
    CHECK_EQ(sum, 0);
    pnp = rom + load_le16(rom + 0x1a);
    CHECK(pnp + 32 <= rom + size);
    CHECK(memcmp(pnp, "$PnP", 4) == 0);
    for (unsigned i = 0; i < 32; i++) {
        pnp_sum = (uint8_t)(pnp_sum + pnp[i]);
    }
    CHECK_EQ(pnp_sum, 0);
    CHECK_STR((const char *)rom + load_le16(pnp + 14), "Oriel");
    CHECK_EQ(load_le16(pnp + 22), 0); /* no boot connection vector */
    bootstrap = load_le16(pnp + 26);
    CHECK(bootstrap > 0x40 && bootstrap < size);
    CHECK_EQ(rom[bootstrap], 0xfa); /* cli */
}

TEST_MAIN(T(a_header_is_read), T(fields_that_a_protocol_lacks_do_not_count),
          T(what_is_no_kernel_is_refused), T(extreme_numbers_do_no_harm),
          T(the_loader_fields_are_filled_in), T(the_initrd_stays_below_the_kernels_limit),
          T(what_does_not_fit_is_refused), T(without_a_kernel_nothing_is_loaded),
          T(the_rom_is_one_that_a_bios_accepts))
