/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-engine-backend.h.
 *
 * The picture: NextFrame waits in the engine until there is something to show. Its answer is either
 * damage of the picture that we have or says that there is another one, which GetScanout then gives
 * as memory. The next call is made when the widget has shown that, so a widget that is hidden or
 * slow costs the engine nothing.
 */
#include "oriel-engine-backend-private.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>

#define STATE_ERROR "io.github.oriel_vm.Oriel.Error.State"

enum {
    DAMAGE_MAX = 64,       /* rectangles of one answer */
    EMPTY_ANSWER_MS = 100, /* until we ask again after an answer without damage */
    REFUSED_MS = 1000,     /* the same after a refusal */
};

G_DEFINE_FINAL_TYPE(OrielEngineBackend, oriel_engine_backend, ORIEL_TYPE_DISPLAY_BACKEND)

static void frame_request(OrielEngineBackend *engine);

/* Whoever hears of it may drop the last reference. */
static void finish(OrielEngineBackend *engine, OrielDisplayStatus status, const char *message)
{
    g_autoptr(OrielEngineBackend) keep = g_object_ref(engine);

    oriel_display_backend_set_status(ORIEL_DISPLAY_BACKEND(engine), status, message);
    oriel_display_backend_close(ORIEL_DISPLAY_BACKEND(engine));
}

static void fail(OrielEngineBackend *engine, const GError *error)
{
    g_autoptr(GError) plain = g_error_copy(error);
    g_autofree char *message = NULL;

    g_dbus_error_strip_remote_error(plain);
    message = g_strdup_printf(_("The machine’s picture cannot be shown: %s"), plain->message);
    finish(engine, ORIEL_DISPLAY_STATUS_FAILED, message);
}

/*
 * What an answer means for the whole: TRUE if the error ends it, which has then been done. The
 * backend may be gone when a call was cancelled, so this comes first.
 */
static gboolean is_over(OrielEngineBackend *engine, const GError *error)
{
    if (!error) {
        return FALSE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return TRUE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
        finish(engine, ORIEL_DISPLAY_STATUS_CLOSED, _("The machine’s engine has ended."));
    } else {
        fail(engine, error);
    }
    return TRUE;
}

void oriel_engine_backend_call(OrielEngineBackend *engine, const char *interface,
                               const char *method, GVariant *parameters, const char *reply_type,
                               int timeout, GAsyncReadyCallback callback)
{
    g_dbus_connection_call(engine->connection, NULL,
                           g_str_equal(interface, ENGINE_INTERFACE) ? ENGINE_PATH : engine->path,
                           interface, method, parameters, G_VARIANT_TYPE(reply_type),
                           G_DBUS_CALL_FLAGS_NONE, timeout, engine->cancellable, callback,
                           callback ? engine : NULL);
}

/* --- Picture */

static gboolean on_retry(gpointer data)
{
    OrielEngineBackend *engine = data;

    engine->retry_timer = 0;
    frame_request(engine);
    return G_SOURCE_REMOVE;
}

static void retry_later(OrielEngineBackend *engine, guint milliseconds)
{
    if (engine->retry_timer == 0) {
        engine->retry_timer = g_timeout_add(milliseconds, on_retry, engine);
    }
}

/* An engine that is about to end answers so, and then closes the connection. */
static gboolean is_refusal(const GError *error)
{
    g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

    return g_strcmp0(name, STATE_ERROR) == 0;
}

/* One rectangle, cut to the picture; FALSE if nothing is left. */
static gboolean rectangle_cut(cairo_rectangle_int_t *rectangle, guint x, guint y, guint width,
                              guint height, OrielFramebuffer *framebuffer)
{
    guint whole_width = oriel_framebuffer_get_width(framebuffer);
    guint whole_height = oriel_framebuffer_get_height(framebuffer);

    if (x >= whole_width || y >= whole_height || width == 0 || height == 0) {
        return FALSE;
    }
    *rectangle = (cairo_rectangle_int_t){ (int)x, (int)y, (int)MIN(width, whole_width - x),
                                          (int)MIN(height, whole_height - y) };
    return TRUE;
}

static void damage_take(OrielEngineBackend *engine, GVariant *damage)
{
    OrielDisplayBackend *backend = ORIEL_DISPLAY_BACKEND(engine);
    OrielFramebuffer *framebuffer = oriel_display_backend_get_framebuffer(backend);
    cairo_region_t *region = cairo_region_create();
    cairo_rectangle_int_t rectangle;
    GVariantIter iter;
    guint x, y, width, height;

    if (g_variant_n_children(damage) > DAMAGE_MAX) {
        rectangle_cut(&rectangle, 0, 0, G_MAXUINT, G_MAXUINT, framebuffer);
        cairo_region_union_rectangle(region, &rectangle);
    } else {
        g_variant_iter_init(&iter, damage);
        while (g_variant_iter_next(&iter, "(uuuu)", &x, &y, &width, &height)) {
            if (rectangle_cut(&rectangle, x, y, width, height, framebuffer)) {
                cairo_region_union_rectangle(region, &rectangle);
            }
        }
    }
    if (!cairo_region_is_empty(region)) {
        engine->unshown = TRUE;
        oriel_display_backend_damaged(backend, region);
    } else {
        retry_later(engine, EMPTY_ANSWER_MS);
    }
    cairo_region_destroy(region);
}

/* The descriptor that a handle of the answer means; -1 if it means none. */
static int handle_take(GUnixFDList *fds, gint32 handle, GError **error)
{
    if (!fds || handle < 0 || handle >= g_unix_fd_list_get_length(fds)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            _("The machine’s engine sent no memory with its picture."));
        return -1;
    }
    return g_unix_fd_list_get(fds, handle, error);
}

static OrielFramebuffer *scanout_map(GVariant *reply, GUnixFDList *fds, guint *scanout,
                                     GError **error)
{
    OrielFramebuffer *framebuffer = NULL;
    guint width, height, stride;
    gint32 handle;
    int fd;

    g_variant_get(reply, "(uhuuu)", scanout, &handle, &width, &height, &stride);
    fd = handle_take(fds, handle, error);
    if (fd >= 0) {
        framebuffer = oriel_framebuffer_new_for_memfd(fd, width, height, stride, error);
        close(fd);
    }
    return framebuffer;
}

static void on_scanout(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielEngineBackend *engine = data;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    g_autoptr(OrielFramebuffer) framebuffer = NULL;
    g_autoptr(OrielEngineBackend) keep = NULL;
    guint scanout;

    if (is_refusal(error)) { /* so it was not cancelled */
        engine->waiting = FALSE;
        retry_later(engine, REFUSED_MS);
        return;
    }
    if (is_over(engine, error)) {
        return;
    }
    keep = g_object_ref(engine);
    engine->waiting = FALSE;
    framebuffer = scanout_map(reply, fds, &scanout, &error);
    if (!framebuffer) {
        fail(engine, error);
        return;
    }
    engine->scanout = scanout;
    engine->unshown = TRUE;
    oriel_display_backend_set_framebuffer(ORIEL_DISPLAY_BACKEND(engine), framebuffer);
    oriel_display_backend_set_status(ORIEL_DISPLAY_BACKEND(engine), ORIEL_DISPLAY_STATUS_CONNECTED,
                                     NULL);
}

static void on_frame(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielEngineBackend *engine = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autoptr(GVariant) damage = NULL;
    g_autoptr(OrielEngineBackend) keep = NULL;
    guint scanout;

    if (is_refusal(error)) { /* so it was not cancelled */
        engine->waiting = FALSE;
        retry_later(engine, REFUSED_MS);
        return;
    }
    if (is_over(engine, error)) {
        return;
    }
    keep = g_object_ref(engine);
    g_variant_get(reply, "(u@a(uuuu))", &scanout, &damage);
    if (scanout != engine->scanout ||
        !oriel_display_backend_get_framebuffer(ORIEL_DISPLAY_BACKEND(engine))) {
        g_dbus_connection_call_with_unix_fd_list(
            engine->connection, NULL, engine->path, DISPLAY_INTERFACE, "GetScanout", NULL,
            G_VARIANT_TYPE("(uhuuu)"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_DEFAULT, NULL,
            engine->cancellable, on_scanout, engine);
        return;
    }
    engine->waiting = FALSE;
    damage_take(engine, damage);
    frame_request(engine);
}

static void frame_request(OrielEngineBackend *engine)
{
    if (engine->visible && !engine->waiting && !engine->unshown && engine->retry_timer == 0 &&
        engine->subscriptions[0] != 0) {
        engine->waiting = TRUE;
        oriel_engine_backend_call(engine, DISPLAY_INTERFACE, "NextFrame",
                                  g_variant_new("(u)", engine->scanout), "(ua(uuuu))",
                                  TIMEOUT_NEVER, on_frame);
    }
}

static void engine_set_visible(OrielDisplayBackend *backend, gboolean visible)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    engine->visible = visible;
    frame_request(engine);
}

static void engine_frame_shown(OrielDisplayBackend *backend)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    engine->unshown = FALSE;
    frame_request(engine);
}

/* --- Properties */

/* A word that the contract does not know is taken for "none". */
static OrielPointerMode pointer_mode_from_name(const char *name)
{
    g_autoptr(GEnumClass) class = g_type_class_ref(ORIEL_TYPE_POINTER_MODE);
    const GEnumValue *value = g_enum_get_value_by_nick(class, name);

    return value ? (OrielPointerMode)value->value : ORIEL_POINTER_MODE_NONE;
}

static void properties_take(OrielEngineBackend *engine, GVariant *values)
{
    OrielDisplayBackend *backend = ORIEL_DISPLAY_BACKEND(engine);
    gboolean flag;
    guint leds;
    const char *text;

    if (g_variant_lookup(values, "PointerMode", "&s", &text)) {
        oriel_display_backend_set_pointer_mode(backend, pointer_mode_from_name(text));
    }
    if (g_variant_lookup(values, "CanResize", "b", &flag)) {
        oriel_display_backend_set_can_resize(backend, flag);
    }
    if (g_variant_lookup(values, "Leds", "u", &leds)) {
        oriel_display_backend_set_leds(backend,
                                       leds & (ORIEL_LED_SCROLL | ORIEL_LED_NUM | ORIEL_LED_CAPS));
    }
    if (g_variant_lookup(values, "State", "&s", &text)) {
        oriel_display_backend_set_accepts_input(backend, g_str_equal(text, "running"));
    }
    if (g_variant_lookup(values, "Name", "&s", &text)) {
        oriel_display_backend_set_title(backend, text);
    }
}

static void on_properties(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielEngineBackend *engine = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autoptr(GVariant) values = NULL;
    g_autoptr(OrielEngineBackend) keep = NULL;

    if (!is_over(engine, error)) {
        keep = g_object_ref(engine);
        g_variant_get(reply, "(@a{sv})", &values);
        properties_take(engine, values);
    }
}

static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
                                  const char *interface, const char *signal, GVariant *parameters,
                                  gpointer data)
{
    g_autoptr(OrielEngineBackend) keep = g_object_ref(data);
    g_autoptr(GVariant) values = NULL;

    if (g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)"))) {
        g_variant_get(parameters, "(s@a{sv}as)", NULL, &values, NULL);
        properties_take(keep, values);
    }
}

static void on_connection_closed(GDBusConnection *connection, gboolean remote_peer_vanished,
                                 GError *error, OrielEngineBackend *engine)
{
    finish(engine, ORIEL_DISPLAY_STATUS_CLOSED, _("The machine’s engine has ended."));
}

/* --- Size and text */

static void engine_set_size(OrielDisplayBackend *backend, guint width, guint height)
{
    oriel_engine_backend_call(ORIEL_ENGINE_BACKEND(backend), DISPLAY_INTERFACE, "SetSize",
                              g_variant_new("(uu)", width, height), "()", TIMEOUT_DEFAULT, NULL);
}

static void on_text(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autofree char *text = NULL;
    gboolean is_text;

    if (!reply) {
        g_task_return_error(task, error);
        return;
    }
    g_variant_get(reply, "(bsuu)", &is_text, &text, NULL, NULL);
    g_task_return_pointer(task, is_text ? g_steal_pointer(&text) : NULL, g_free);
}

static void engine_get_text(OrielDisplayBackend *backend, GTask *task)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    g_dbus_connection_call(engine->connection, NULL, ENGINE_PATH, ENGINE_INTERFACE, "GetText", NULL,
                           G_VARIANT_TYPE("(bsuu)"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_DEFAULT,
                           engine->cancellable, on_text, g_object_ref(task));
}
/* --- Life */

static void properties_get(OrielEngineBackend *engine, const char *path, const char *interface)
{
    g_dbus_connection_call(engine->connection, NULL, path, "org.freedesktop.DBus.Properties",
                           "GetAll", g_variant_new("(s)", interface), G_VARIANT_TYPE("(a{sv})"),
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_DEFAULT, engine->cancellable,
                           on_properties, engine);
}

static guint properties_subscribe(OrielEngineBackend *engine, const char *path,
                                  const char *interface)
{
    return g_dbus_connection_signal_subscribe(
        engine->connection, NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged", path,
        interface, G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, engine, NULL);
}

static void engine_start(OrielDisplayBackend *backend)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    if (g_dbus_connection_is_closed(engine->connection)) {
        finish(engine, ORIEL_DISPLAY_STATUS_CLOSED, _("The machine’s engine has ended."));
        return;
    }
    engine->closed_handler =
        g_signal_connect(engine->connection, "closed", G_CALLBACK(on_connection_closed), engine);
    engine->subscriptions[0] = properties_subscribe(engine, ENGINE_PATH, ENGINE_INTERFACE);
    engine->subscriptions[1] = properties_subscribe(engine, engine->path, DISPLAY_INTERFACE);
    properties_get(engine, ENGINE_PATH, ENGINE_INTERFACE);
    properties_get(engine, engine->path, DISPLAY_INTERFACE);
    frame_request(engine);
    oriel_engine_backend_cursor_follow(engine);
}

static void engine_close(OrielDisplayBackend *backend)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(backend);

    oriel_engine_backend_flush(engine);
    g_cancellable_cancel(engine->cancellable);
    g_clear_handle_id(&engine->retry_timer, g_source_remove);
    g_clear_signal_handler(&engine->closed_handler, engine->connection);
    for (guint i = 0; i < G_N_ELEMENTS(engine->subscriptions); i++) {
        if (engine->subscriptions[i]) {
            g_dbus_connection_signal_unsubscribe(engine->connection, engine->subscriptions[i]);
            engine->subscriptions[i] = 0;
        }
    }
}

static void oriel_engine_backend_finalize(GObject *object)
{
    OrielEngineBackend *engine = ORIEL_ENGINE_BACKEND(object);

    g_clear_object(&engine->connection);
    g_clear_object(&engine->cancellable);
    g_clear_object(&engine->cursor);
    g_free(engine->path);
    G_OBJECT_CLASS(oriel_engine_backend_parent_class)->finalize(object);
}

static void oriel_engine_backend_class_init(OrielEngineBackendClass *class)
{
    OrielDisplayBackendClass *backend_class = ORIEL_DISPLAY_BACKEND_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = oriel_engine_backend_finalize;
    backend_class->start = engine_start;
    backend_class->close = engine_close;
    backend_class->set_visible = engine_set_visible;
    backend_class->frame_shown = engine_frame_shown;
    backend_class->set_size = engine_set_size;
    backend_class->get_text = engine_get_text;
    oriel_engine_backend_input_class_init(backend_class);
}

static void oriel_engine_backend_init(OrielEngineBackend *engine)
{
    engine->cancellable = g_cancellable_new();
}

OrielDisplayBackend *oriel_engine_backend_new(GDBusConnection *connection, guint display)
{
    OrielEngineBackend *engine = g_object_new(ORIEL_TYPE_ENGINE_BACKEND, NULL);

    engine->connection = g_object_ref(connection);
    engine->display = display;
    engine->path =
        display == 1 ? g_strdup(ENGINE_PATH) : g_strdup_printf(ENGINE_PATH "/Display%u", display);
    return ORIEL_DISPLAY_BACKEND(engine);
}

/* Not cancelled with the rest: the last thing that a viewer says. */
void oriel_engine_backend_set_connected(OrielEngineBackend *engine, gboolean connected)
{
    g_dbus_connection_call(engine->connection, NULL, engine->path, DISPLAY_INTERFACE,
                           "SetConnected", g_variant_new("(b)", connected), NULL,
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_DEFAULT, NULL, NULL, NULL);
}
