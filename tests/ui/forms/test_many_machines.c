/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A library of a thousand machines costs no more than what of it is in sight: how many cells are
 * made, which files are opened, which pictures are kept. All of it is counted, nothing timed.
 */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "forms_fixture.h"
#include "library/oriel-library-page-private.h"
#include "library/oriel-machine-cell.h"
#include "machine/oriel-thumbnail.h"

enum {
    MACHINES = 1000,
    WIDTH = 960,
    HEIGHT = 680,
    CELLS_MAX = 220,   /* GTK keeps 31 rows of the grid, of 5 columns, and 200 rows of the list */
    IN_SIGHT_MAX = 80, /* three pages of at most 5 rows of 5 */
};

jmp_buf test_failed;

static int opened; /* inotify: files below the machines' folders that were opened */
static guint json_opened, picture_opened;

static void machine_make(guint number, GdkTexture *texture)
{
    g_autofree char *name = g_strdup_printf("Machine %04u", number);
    g_autofree char *folder = fixture_folder(name);
    g_autofree char *config = g_build_filename(folder, "machine.json", NULL);
    g_autofree char *picture = g_build_filename(folder, "thumbnail.png", NULL);
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *text = g_strdup_printf(
        "{\"version\": 1, \"uuid\": \"%s\", \"generation-id\": \"%s\", \"name\": \"%s\", "
        "\"firmware\": {\"type\": \"bios\"}, \"cpus\": 1, \"memory\": 1073741824, "
        "\"drives\": []}",
        uuid, uuid, name);

    CHECK_EQ(g_mkdir(folder, 0700), 0);
    CHECK(g_file_set_contents(config, text, -1, NULL));
    CHECK(gdk_texture_save_to_png(texture, picture));
    CHECK(inotify_add_watch(opened, folder, IN_OPEN) >= 0);
}

static void machines_make(void)
{
    static guint8 pixels[4 * 4 * 4];
    g_autoptr(GBytes) bytes = g_bytes_new_static(pixels, sizeof(pixels));
    g_autoptr(GdkTexture) texture = gdk_memory_texture_new(4, 4, GDK_MEMORY_R8G8B8A8, bytes, 4 * 4);

    opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(opened >= 0);
    for (guint i = 0; i < MACHINES; i++) {
        machine_make(i, texture);
    }
}

/* Counts what has been opened since the last time. */
static void opened_read(void)
{
    _Alignas(struct inotify_event) char buffer[65536];
    ssize_t n;

    while ((n = read(opened, buffer, sizeof(buffer))) > 0) {
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const struct inotify_event *)at;

            CHECK(!(event->mask & IN_Q_OVERFLOW));
            json_opened += event->len > 0 && g_str_equal(event->name, "machine.json");
            picture_opened += event->len > 0 && g_str_equal(event->name, "thumbnail.png");
            at += sizeof(*event) + event->len;
        }
    }
}

/* Pictures that are kept, below a widget. */
static guint pictures(GtkWidget *widget)
{
    guint n = ORIEL_IS_THUMBNAIL(widget) && oriel_thumbnail_has_picture(ORIEL_THUMBNAIL(widget));

    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        n += pictures(child);
    }
    return n;
}

static gboolean shows_picture(OrielLibraryPage *page, const char *name)
{
    for (guint i = 0; i < page->cells->len; i++) {
        OrielMachineCell *cell = g_ptr_array_index(page->cells, i);

        if (g_str_equal(oriel_machine_item_get_name(oriel_machine_cell_get_item(cell)), name)) {
            return pictures(GTK_WIDGET(cell)) == 1;
        }
    }
    return FALSE;
}

static void check_page(OrielLibraryPage *page)
{
    CHECK(page->cells->len > 0);
    CHECK(page->cells->len <= CELLS_MAX);
    CHECK(pictures(GTK_WIDGET(page)) <= IN_SIGHT_MAX);
    opened_read();
    CHECK_EQ(json_opened, MACHINES); /* once each */
    CHECK(picture_opened <= 2 * IN_SIGHT_MAX);
    picture_opened = 0;
}

static void scroll(GtkScrollable *view, gboolean to_end)
{
    GtkWidget *window = gtk_widget_get_ancestor(GTK_WIDGET(view), GTK_TYPE_SCROLLED_WINDOW);
    GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(window));

    gtk_adjustment_set_value(adjustment, to_end ? gtk_adjustment_get_upper(adjustment) : 0);
}

static gboolean frame_passes(GtkWidget *widget, GdkFrameClock *clock, gpointer frames)
{
    --*(int *)frames;
    return *(int *)frames > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void frames_pass(OrielLibraryPage *page)
{
    int frames = 3;

    gtk_widget_add_tick_callback(GTK_WIDGET(page), frame_passes, &frames, NULL);
    WAIT(frames == 0);
}

static void search(OrielLibraryPage *page, const char *text, guint found, gboolean to_end)
{
    gtk_editable_set_text(GTK_EDITABLE(page->search_entry), text);
    g_signal_emit_by_name(page->search_entry, "search-changed");
    scroll(GTK_SCROLLABLE(page->grid), to_end);
    CHECK_EQ(g_list_model_get_n_items(oriel_library_model_get_view(page->model)), found);
    frames_pass(page);
}

/* The view is scrolled between a change of its rows and the layout, and twice without a layout:
 * nothing warns, which would be fatal. */
static void go_and_come(OrielLibraryPage *page, OrielMachineList *list)
{
    enum { DELETED = 50 };

    scroll(GTK_SCROLLABLE(page->grid), TRUE);
    search(page, "099", 11, TRUE);
    search(page, "machine 09", 119, FALSE);
    search(page, "nothing like that", 0, TRUE);
    search(page, "5", 271, FALSE);
    scroll(GTK_SCROLLABLE(page->grid), TRUE);
    scroll(GTK_SCROLLABLE(page->grid), FALSE);
    scroll(GTK_SCROLLABLE(page->grid), TRUE);
    search(page, "", MACHINES, TRUE);
    for (guint i = 0; i < DELETED; i++) {
        g_autoptr(OrielMachineItem) item = g_list_model_get_item(G_LIST_MODEL(list), 7 * i);
        gint64 since = 0;

        oriel_machine_list_delete(list, item);
        scroll(GTK_SCROLLABLE(page->grid), i % 2);
        fixture_step(&since);
    }
    frames_pass(page);
    g_autoptr(GPtrArray) deleted = oriel_machine_list_get_deleted(list);

    CHECK_EQ(deleted->len, DELETED);
    for (guint i = 0; i < DELETED; i++) {
        oriel_machine_list_delete_undo(list, deleted->pdata[i]);
        scroll(GTK_SCROLLABLE(page->grid), i % 2);
    }
    frames_pass(page);
    CHECK_EQ(g_list_model_get_n_items(oriel_library_model_get_view(page->model)), MACHINES);
}

static void what_is_out_of_sight_costs_nothing(void)
{
    OrielPreferences *preferences = forms_preferences();
    g_autoptr(OrielMachineList) list = NULL;
    GtkWindow *window = GTK_WINDOW(adw_window_new());
    OrielLibraryPage *page = g_object_new(ORIEL_TYPE_LIBRARY_PAGE, NULL);

    machines_make();
    list = oriel_machine_list_new();
    oriel_library_page_set_up(page, list, preferences);
    adw_window_set_content(ADW_WINDOW(window), GTK_WIDGET(page));
    gtk_widget_set_size_request(GTK_WIDGET(window), 360, 294);
    gtk_window_set_default_size(window, WIDTH, HEIGHT);
    gtk_window_present(window);
    WAIT(!oriel_machine_list_is_loading(list));
    CHECK_EQ(g_list_model_get_n_items(G_LIST_MODEL(list)), MACHINES);
    WAIT(shows_picture(page, "Machine 0000"));
    check_page(page);
    scroll(GTK_SCROLLABLE(page->grid), TRUE);
    WAIT(shows_picture(page, "Machine 0999"));
    check_page(page);
    scroll(GTK_SCROLLABLE(page->grid), FALSE);
    WAIT(shows_picture(page, "Machine 0000"));
    check_page(page);
    go_and_come(page, list);
    oriel_preferences_set_string(preferences, "library-view", "list");
    WAIT(page->cells->len > 0 && shows_picture(page, "Machine 0000"));
    check_page(page);
    scroll(GTK_SCROLLABLE(page->list), TRUE);
    WAIT(shows_picture(page, "Machine 0999"));
    check_page(page);
    gtk_window_destroy(window);
    close(opened);
}

int main(void)
{
    static const struct test tests[] = { T(what_is_out_of_sight_costs_nothing) };
    int result;

    forms_start();
    result = test_main(tests, G_N_ELEMENTS(tests));
    fixture_end();
    return result;
}
