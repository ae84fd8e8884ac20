/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The least that a program of libadwaita can be, a header bar with one button in a window: what
 * start and memory of ours cannot go below. */
#include <adwaita.h>

static void activate(AdwApplication *application)
{
    GtkWidget *window = adw_application_window_new(GTK_APPLICATION(application));
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *bar = adw_header_bar_new();

    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), gtk_button_new_with_label("New"));
    gtk_box_append(GTK_BOX(box), bar);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), box);
    gtk_window_set_default_size(GTK_WINDOW(window), 900, 600);
    gtk_window_present(GTK_WINDOW(window));
}

int main(int argc, char **argv)
{
    g_autoptr(AdwApplication) application =
        adw_application_new("io.github.oriel_vm.Bare", G_APPLICATION_DEFAULT_FLAGS);

    g_signal_connect(application, "activate", G_CALLBACK(activate), NULL);
    return g_application_run(G_APPLICATION(application), argc, argv);
}
