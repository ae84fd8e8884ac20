/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-remote-window.h. */
#include "oriel-remote-window.h"

#include <glib/gi18n.h>

#include "display/widget/oriel-display.h"
#include "display/vnc/oriel-vnc-backend.h"

struct _OrielRemoteWindow {
    OrielScreenWindow parent_instance;
    GtkStack *stack;
    GtkWidget *user_name, *password;
    OrielDisplay *display;
    AdwStatusPage *protected, *unknown, *ended;
    GtkWidget *fingerprint, *forget;

    char *address;
    OrielDisplayBackend *backend;
    char *shown_fingerprint;           /* of the certificate that the user is asked about */
    gboolean is_trusted, is_forgotten; /* the answer, for the next connection */
};

G_DEFINE_FINAL_TYPE(OrielRemoteWindow, oriel_remote_window, ORIEL_TYPE_SCREEN_WINDOW)

static void end(OrielRemoteWindow *window, const char *message)
{
    g_autofree char *markup = g_markup_escape_text(message, -1);

    adw_status_page_set_description(window->ended, markup);
    gtk_stack_set_visible_child_name(window->stack, "ended");
}

static void try_again(OrielRemoteWindow *window);

/* Two lines of 16 bytes. */
static char *fingerprint_lines(const char *fingerprint)
{
    char *lines = g_strdup(fingerprint);
    gsize half = strlen(lines) / 2;

    if (lines[half] == ':') {
        lines[half] = '\n';
    }
    return lines;
}

/* A certificate that is seen for the first time: the user decides. */
static void certificate_ask(OrielRemoteWindow *window, const char *fingerprint, const char *name,
                            gint64 expires)
{
    g_autoptr(GDateTime) time = expires ? g_date_time_new_from_unix_local(expires) : NULL;
    g_autofree char *date = time ? g_date_time_format(time, "%x") : g_strdup(_("unknown"));
    g_autofree char *lines = fingerprint_lines(fingerprint);
    g_autofree char *text =
        g_strdup_printf(_("%s identifies itself by a certificate that Oriel sees for the first "
                          "time. The certificate is made out to “%s” and valid until %s. Compare "
                          "its fingerprint with the one that those who run that computer tell you. "
                          "Once you trust it, no other certificate is accepted there."),
                        window->address, name ? name : _("nobody"), date);
    g_autofree char *markup = g_markup_escape_text(text, -1);

    adw_status_page_set_description(window->unknown, markup);
    gtk_label_set_text(GTK_LABEL(window->fingerprint), lines);
    gtk_stack_set_visible_child_name(window->stack, "unknown");
    g_free(window->shown_fingerprint);
    window->shown_fingerprint = g_strdup(fingerprint);
}

static void trust(OrielRemoteWindow *window)
{
    window->is_trusted = TRUE;
    try_again(window);
}

static void forget(OrielRemoteWindow *window)
{
    window->is_forgotten = TRUE;
    try_again(window);
}

/* A password that was wrong is asked for again, by a new connection. */
static void fail(OrielRemoteWindow *window, const char *message)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(window->backend);
    const char *fingerprint, *name;
    gboolean is_changed = FALSE;
    gint64 expires;

    if (oriel_vnc_backend_was_refused(vnc)) {
        g_autofree char *markup = g_markup_escape_text(message, -1);

        adw_status_page_set_description(window->protected, markup);
        try_again(window);
    } else if (oriel_vnc_backend_get_certificate(vnc, &fingerprint, &name, &expires, &is_changed) &&
               !is_changed) {
        certificate_ask(window, fingerprint, name, expires);
    } else {
        gtk_widget_set_visible(window->forget, is_changed);
        end(window, message && *message ? message : _("The connection failed."));
    }
}

static void status_follow(OrielRemoteWindow *window)
{
    const char *message = oriel_display_backend_get_message(window->backend);

    switch (oriel_display_backend_get_status(window->backend)) {
    case ORIEL_DISPLAY_STATUS_CONNECTING:
        gtk_stack_set_visible_child_name(window->stack, "busy");
        break;
    case ORIEL_DISPLAY_STATUS_CONNECTED:
        adw_status_page_set_description(window->protected, NULL);
        gtk_stack_set_visible_child_name(window->stack, "display");
        gtk_widget_grab_focus(GTK_WIDGET(window->display));
        break;
    case ORIEL_DISPLAY_STATUS_FAILED:
        fail(window, message);
        break;
    case ORIEL_DISPLAY_STATUS_CLOSED:
        gtk_widget_set_visible(window->forget, FALSE);
        end(window, message && *message ? message : _("The other side ended the connection."));
        break;
    }
}

static void title_follow(OrielRemoteWindow *window)
{
    const char *title = oriel_display_backend_get_title(window->backend);

    title = title && *title ? title : window->address;
    oriel_screen_window_set_titles(ORIEL_SCREEN_WINDOW(window), title, NULL);
    gtk_window_set_title(GTK_WINDOW(window), title);
}

static void credentials_needed(OrielRemoteWindow *window, gboolean user_name, gboolean password)
{
    gtk_widget_set_visible(window->user_name, user_name);
    gtk_widget_set_visible(window->password, password);
    gtk_stack_set_visible_child_name(window->stack, "password");
    gtk_widget_grab_focus(user_name ? window->user_name : window->password);
}

static void log_in(OrielRemoteWindow *window)
{
    gtk_stack_set_visible_child_name(window->stack, "busy");
    oriel_vnc_backend_set_credentials(ORIEL_VNC_BACKEND(window->backend),
                                      gtk_editable_get_text(GTK_EDITABLE(window->user_name)),
                                      gtk_editable_get_text(GTK_EDITABLE(window->password)));
    gtk_editable_set_text(GTK_EDITABLE(window->password), "");
}

static void backend_drop(OrielRemoteWindow *window)
{
    if (window->backend) {
        g_signal_handlers_disconnect_by_data(window->backend, window);
        g_clear_object(&window->backend);
    }
}

static void try_again(OrielRemoteWindow *window)
{
    g_autoptr(GError) error = NULL;

    backend_drop(window);
    window->backend = oriel_vnc_backend_new(window->address, &error);
    if (!window->backend) {
        end(window, error->message);
        return;
    }
    g_signal_connect_swapped(window->backend, "notify::status", G_CALLBACK(status_follow), window);
    g_signal_connect_swapped(window->backend, "notify::title", G_CALLBACK(title_follow), window);
    g_signal_connect_swapped(window->backend, "credentials-needed", G_CALLBACK(credentials_needed),
                             window);
    if (window->is_trusted) {
        oriel_vnc_backend_trust(ORIEL_VNC_BACKEND(window->backend), window->shown_fingerprint);
    }
    if (window->is_forgotten) {
        oriel_vnc_backend_forget(ORIEL_VNC_BACKEND(window->backend));
    }
    window->is_trusted = window->is_forgotten = FALSE;
    oriel_display_set_backend(window->display, window->backend);
    title_follow(window);
    oriel_display_backend_start(window->backend);
    status_follow(window);
}

static void oriel_remote_window_dispose(GObject *object)
{
    OrielRemoteWindow *window = ORIEL_REMOTE_WINDOW(object);

    backend_drop(window);
    gtk_widget_dispose_template(GTK_WIDGET(window), ORIEL_TYPE_REMOTE_WINDOW);
    g_clear_pointer(&window->address, g_free);
    g_clear_pointer(&window->shown_fingerprint, g_free);
    G_OBJECT_CLASS(oriel_remote_window_parent_class)->dispose(object);
}

static void oriel_remote_window_class_init(OrielRemoteWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = oriel_remote_window_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/io/github/oriel_vm/Oriel/machine/oriel-remote-window.ui");
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, stack);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, user_name);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, password);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, display);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, protected);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, unknown);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, fingerprint);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, forget);
    gtk_widget_class_bind_template_child(widget_class, OrielRemoteWindow, ended);
    gtk_widget_class_bind_template_callback(widget_class, log_in);
    gtk_widget_class_bind_template_callback(widget_class, try_again);
    gtk_widget_class_bind_template_callback(widget_class, trust);
    gtk_widget_class_bind_template_callback(widget_class, forget);
}

static void oriel_remote_window_init(OrielRemoteWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
}

GtkWindow *oriel_remote_window_new(GtkApplication *application, OrielPreferences *preferences,
                                   const char *address)
{
    OrielRemoteWindow *window =
        g_object_new(ORIEL_TYPE_REMOTE_WINDOW, "application", application, NULL);

    window->address = g_strdup(address);
    oriel_screen_window_bind(ORIEL_SCREEN_WINDOW(window), preferences);
    oriel_preferences_bind(preferences, "scaling", window->display, "scaling", G_SETTINGS_BIND_GET);
    try_again(window);
    return GTK_WINDOW(window);
}
