/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The least that a program of libadwaita can be, a header bar with one button in a window: what
 * start and memory of ours cannot go below. With --grid it has a GtkGridView of MACHINES small
 * pictures with a label each: what GTK itself needs for a library.
 */
#include <adwaita.h>

enum {
    MACHINES = 1000,
    COLUMNS = 5,
    PICTURE_WIDTH = 192,
    PICTURE_HEIGHT = 120,
};

static gboolean with_grid;
static GdkTexture *texture;

static GdkTexture *texture_make(void)
{
    gsize size = (gsize)PICTURE_WIDTH * PICTURE_HEIGHT * 4;
    guint8 *pixels = g_malloc(size);

    for (gsize i = 0; i < size; i++) {
        pixels[i] = i % 4 == 3 ? 0xff : (guint8)(i / 64);
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, size);

    return gdk_memory_texture_new(PICTURE_WIDTH, PICTURE_HEIGHT, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED,
                                  bytes, (gsize)PICTURE_WIDTH * 4);
}

static void cell_setup(GtkListItemFactory *factory, GtkListItem *item)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *picture = gtk_picture_new();

    gtk_widget_set_size_request(picture, PICTURE_WIDTH, PICTURE_HEIGHT);
    gtk_box_append(GTK_BOX(box), picture);
    gtk_box_append(GTK_BOX(box), gtk_label_new(NULL));
    gtk_list_item_set_child(item, box);
}

static void cell_bind(GtkListItemFactory *factory, GtkListItem *item)
{
    GtkWidget *box = gtk_list_item_get_child(item);
    GtkStringObject *text = gtk_list_item_get_item(item);

    gtk_picture_set_paintable(GTK_PICTURE(gtk_widget_get_first_child(box)), GDK_PAINTABLE(texture));
    gtk_label_set_text(GTK_LABEL(gtk_widget_get_last_child(box)),
                       gtk_string_object_get_string(text));
}

static GtkWidget *grid_make(void)
{
    GtkStringList *names = gtk_string_list_new(NULL);
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *grid;

    for (int i = 0; i < MACHINES; i++) {
        gtk_string_list_take(names, g_strdup_printf("Machine %04d", i));
    }
    texture = texture_make();
    g_signal_connect(factory, "setup", G_CALLBACK(cell_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(cell_bind), NULL);
    grid =
        gtk_grid_view_new(GTK_SELECTION_MODEL(gtk_no_selection_new(G_LIST_MODEL(names))), factory);
    gtk_grid_view_set_max_columns(GTK_GRID_VIEW(grid), COLUMNS);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), grid);
    gtk_widget_set_vexpand(scrolled, TRUE);
    return scrolled;
}

static void activate(AdwApplication *application)
{
    GtkWidget *window = adw_application_window_new(GTK_APPLICATION(application));
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *bar = adw_header_bar_new();

    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), gtk_button_new_with_label("New"));
    gtk_box_append(GTK_BOX(box), bar);
    if (with_grid) {
        gtk_box_append(GTK_BOX(box), grid_make());
    }
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), box);
    gtk_window_set_default_size(GTK_WINDOW(window), 960, 680);
    gtk_window_present(GTK_WINDOW(window));
}

int main(int argc, char **argv)
{
    g_autoptr(AdwApplication) application =
        adw_application_new("io.github.oriel_vm.Bare", G_APPLICATION_DEFAULT_FLAGS);

    with_grid = argc > 1 && g_str_equal(argv[1], "--grid");
    g_signal_connect(application, "activate", G_CALLBACK(activate), NULL);
    return g_application_run(G_APPLICATION(application), 1, argv);
}
