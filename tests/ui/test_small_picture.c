/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures made smaller: sizes, colours, files that are no pictures. */
#include <glib/gstdio.h>
#include <string.h>

#include "machine/oriel-small-picture.h"
#include "test.h"

jmp_buf test_failed;

enum {
    COLUMNS = 640,
    LINES = 400,
    RED = 0xff0000,
    BLUE = 0x0000ff,
};

/* The left half red, the right half blue; what is beside the colours must not matter. */
static GBytes *pixels(void)
{
    guint32 *all = g_new(guint32, (gsize)COLUMNS * LINES);

    for (gsize i = 0; i < (gsize)COLUMNS * LINES; i++) {
        all[i] = i % COLUMNS < COLUMNS / 2 ? RED : BLUE;
    }
    return g_bytes_new_take(all, (gsize)COLUMNS * LINES * sizeof(*all));
}

static void check_colours(GdkTexture *picture, int width, int height)
{
    g_autofree guint32 *all = g_new(guint32, (gsize)width * (gsize)height);

    CHECK(picture);
    CHECK_EQ(gdk_texture_get_width(picture), width);
    CHECK_EQ(gdk_texture_get_height(picture), height);
    gdk_texture_download(picture, (guchar *)all, (gsize)width * sizeof(*all));
    CHECK_EQ(all[0], 0xff000000 | RED);
    CHECK_EQ(all[width - 1], 0xff000000 | BLUE);
    CHECK_EQ(all[width * height - 1], 0xff000000 | BLUE);
}

static GdkTexture *make(int width, int height)
{
    g_autoptr(GBytes) bytes = pixels();

    return oriel_small_picture_make(bytes, COLUMNS, LINES, COLUMNS * 4, width, height);
}

TEST(keeps_proportions)
{
    g_autoptr(GdkTexture) exact = make(192, 120);
    g_autoptr(GdkTexture) narrow = make(64, 400);
    g_autoptr(GdkTexture) low = make(640, 10);

    check_colours(exact, 192, 120);
    check_colours(narrow, 64, 40);
    check_colours(low, 16, 10);
}

TEST(small_ones_stay)
{
    g_autoptr(GdkTexture) whole = make(2 * COLUMNS, 2 * LINES);

    check_colours(whole, COLUMNS, LINES);
}

TEST(files)
{
    g_autofree char *folder = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "picture.png", NULL);
    g_autoptr(GdkTexture) whole = make(COLUMNS, LINES);
    g_autoptr(GdkTexture) read = NULL;
    g_autofree char *file = NULL;
    gsize length;

    CHECK(gdk_texture_save_to_png(whole, path));
    read = oriel_small_picture_read(path, 192, 120);
    check_colours(read, 192, 120);
    CHECK(g_file_get_contents(path, &file, &length, NULL));
    for (gsize part = 0; part < length; part += 1 + length / 50) {
        CHECK(g_file_set_contents(path, file, (gssize)part, NULL));
        g_autoptr(GdkTexture) none = oriel_small_picture_read(path, 192, 120);

        CHECK(!none);
    }
    memcpy(file + 16, "\0\1\0\0", 4); /* 65536 columns, of which nothing follows */
    CHECK(g_file_set_contents(path, file, (gssize)length, NULL));
    CHECK(!oriel_small_picture_read(path, 192, 120));
    CHECK(g_file_set_contents(path, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", -1, NULL));
    CHECK(!oriel_small_picture_read(path, 192, 120));
    g_unlink(path);
    CHECK(!oriel_small_picture_read(path, 192, 120));
    g_rmdir(folder);
}

int main(void)
{
    static const struct test tests[] = { T(keeps_proportions), T(small_ones_stay), T(files) };

    return test_main(tests, G_N_ELEMENTS(tests));
}
