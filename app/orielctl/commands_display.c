/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screenshot and display: the monitors of a running machine. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "config/runtime.h"
#include "orielctl.h"

/* A number of a display; 0 with *error set: it is none. Whether there is such a one says the
 * engine. */
static guint display_number(const char *text, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &number, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is not a display; displays are numbers, the first is 1."), text);
        return 0;
    }
    return (guint)number;
}

gboolean run_screenshot(const struct call *call, GError **error)
{
    const char *text = call_option(call, "display");
    guint width, height, display = text ? display_number(text, error) : 1;
    g_autoptr(OrielEngine) engine = display > 0 ? call_engine(call, NULL, error) : NULL;

    if (!engine || !oriel_session_screenshot(engine, display, call->arguments[1], &width, &height,
                                             NULL, error)) {
        return FALSE;
    }
    if (call->json) {
        g_autofree char *w = g_strdup_printf("%u", width), *h = g_strdup_printf("%u", height);

        print_json(json_object_of("file", call->arguments[1], "width", w, "height", h, NULL));
    }
    return TRUE;
}

/* The object of a display; NULL with *error set. */
static OrielEngineDisplay *display_open(OrielEngine *engine, guint display, GError **error)
{
    g_autofree char *path = display == 1 ? g_strdup(ORIEL_ENGINE_PATH)
                                         : g_strdup_printf(ORIEL_ENGINE_PATH "/Display%u", display);
    guint n = oriel_engine_get_displays(engine);

    if (display > n) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
            _("“%s” has no display %u; the setting video.displays says how many there are."),
            oriel_engine_get_name(engine), display);
        return NULL;
    }
    return oriel_engine_display_proxy_new_sync(g_dbus_proxy_get_connection(G_DBUS_PROXY(engine)),
                                               G_DBUS_PROXY_FLAGS_NONE, NULL, path, NULL, error);
}

static gboolean displays_list(const struct call *call, OrielEngine *engine, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_array(builder);
    for (guint i = 1; i <= oriel_engine_get_displays(engine); i++) {
        g_autoptr(OrielEngineDisplay) display = display_open(engine, i, error);
        gboolean connected;

        if (!display) {
            return FALSE;
        }
        connected = oriel_engine_display_get_connected(display);
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "display");
        json_builder_add_int_value(builder, i);
        json_builder_set_member_name(builder, "connected");
        json_builder_add_boolean_value(builder, connected);
        json_builder_end_object(builder);
        if (!call->json) {
            printf("%u %s\n", i, connected ? "connected" : "off");
        }
    }
    json_builder_end_array(builder);
    if (call->json) {
        print_json(json_builder_get_root(builder));
    }
    return TRUE;
}

/* "1280x720"; FALSE with *error set: it is none. */
static gboolean size_parse(const char *text, guint *width, guint *height, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(text, "x", 2);
    guint64 w, h;

    if (g_strv_length(sides) != 2 ||
        !g_ascii_string_to_unsigned(sides[0], 10, 1, G_MAXUINT16, &w, NULL) ||
        !g_ascii_string_to_unsigned(sides[1], 10, 1, G_MAXUINT16, &h, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is not a size; write WIDTHxHEIGHT, such as 1280x720, on or off."),
                    text);
        return FALSE;
    }
    *width = (guint)w;
    *height = (guint)h;
    return TRUE;
}

static gboolean display_change(OrielEngineDisplay *display, const char *what, GError **error)
{
    gboolean on = !g_str_equal(what, "off"), sized = on && !g_str_equal(what, "on");
    guint width, height;

    if (sized &&
        (!size_parse(what, &width, &height, error) ||
         !call_result(oriel_engine_display_call_set_size_sync(display, width, height, NULL, error),
                      error))) {
        return FALSE;
    }
    return oriel_engine_display_get_connected(display) == on ||
           call_result(oriel_engine_display_call_set_connected_sync(display, on, NULL, error),
                       error);
}

gboolean run_display(const struct call *call, GError **error)
{
    guint number = call->n_arguments > 1 ? display_number(call->arguments[1], error) : 1;
    g_autoptr(OrielEngine) engine = number > 0 ? call_engine(call, NULL, error) : NULL;
    g_autoptr(OrielEngineDisplay) display = NULL;

    if (!engine) {
        return FALSE;
    }
    if (call->n_arguments == 1) {
        return displays_list(call, engine, error);
    }
    display = display_open(engine, number, error);
    if (!display) {
        return FALSE;
    }
    if (call->n_arguments == 2) {
        g_print("%s\n", oriel_engine_display_get_connected(display) ? "connected" : "off");
        return TRUE;
    }
    return display_change(display, call->arguments[2], error);
}
