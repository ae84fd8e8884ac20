/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fake_engine.h. */
#include "fake_engine.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define OBJECT_PATH       "/io/github/oriel_vm/Oriel/Engine"
#define ENGINE_INTERFACE  "io.github.oriel_vm.Oriel.Engine"
#define DISPLAY_INTERFACE "io.github.oriel_vm.Oriel.Display"

static const char contract[] =
    "<node>"
    "<interface name='" DISPLAY_INTERFACE "'>"
    "<method name='NextFrame'><arg type='u' direction='in'/><arg type='u' direction='out'/>"
    "<arg type='a(uuuu)' direction='out'/></method>"
    "<method name='NextCursor'><arg type='u' direction='in'/><arg type='u' direction='out'/>"
    "<arg type='b' direction='out'/><arg type='i' direction='out'/><arg type='i' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/><arg type='u' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='ay' direction='out'/></method>"
    "<method name='GetScanout'><arg type='u' direction='out'/><arg type='h' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/><arg type='u' "
    "direction='out'/></method>"
    "<method name='SetSize'><arg type='u' direction='in'/><arg type='u' direction='in'/></method>"
    "<property name='CanResize' type='b' access='read'/>"
    "<property name='PointerMode' type='s' access='read'/>"
    "<property name='Leds' type='u' access='read'/>"
    "</interface>"
    "<interface name='" ENGINE_INTERFACE "'>"
    "<property name='Name' type='s' access='read'/>"
    "<property name='State' type='s' access='read'/>"
    "<method name='Key'><arg type='u' direction='in'/><arg type='b' direction='in'/></method>"
    "<method name='Pointer'><arg type='u' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='u' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='u' direction='in'/>"
    "<arg type='i' direction='in'/></method>"
    "<method name='Motion'><arg type='i' direction='in'/><arg type='i' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='i' direction='in'/></method>"
    "<method name='TypeText'><arg type='s' direction='in'/></method>"
    "<method name='GetText'><arg type='b' direction='out'/><arg type='s' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/></method>"
    "</interface>"
    "</node>";

guint32 fake_engine_pixel(guint x, guint y)
{
    return 0xff000000 | (x & 0xff) << 16 | (y & 0xff) << 8 | ((x >> 8) << 4 | y >> 8);
}

/* --- Answers */

static GVariant *damage_take(struct fake_engine *engine)
{
    GVariant *damage;

    if (!engine->damage) {
        return g_variant_new_array(G_VARIANT_TYPE("(uuuu)"), NULL, 0);
    }
    damage = g_variant_builder_end(engine->damage);
    g_clear_pointer(&engine->damage, g_variant_builder_unref);
    return damage;
}

static void frame_answer(struct fake_engine *engine)
{
    if (!engine->waiting || engine->hangs ||
        (engine->scanout == engine->shown && !engine->damage && !engine->empty_damage)) {
        return;
    }
    g_dbus_method_invocation_return_value(
        engine->waiting, g_variant_new("(u@a(uuuu))", engine->scanout, damage_take(engine)));
    engine->waiting = NULL;
}

static void scanout_answer(struct fake_engine *engine, GDBusMethodInvocation *invocation)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariant *reply;

    if (!engine->no_memory) {
        g_unix_fd_list_append(fds, engine->memory, NULL);
    }
    reply = g_variant_new("(uhuuu)", engine->scanout, 0, engine->said_width, engine->said_height,
                          engine->said_stride);
    g_dbus_method_invocation_return_value_with_unix_fd_list(invocation, reply, fds);
}

static void on_display_method(struct fake_engine *engine, const char *method, GVariant *parameters,
                              GDBusMethodInvocation *invocation)
{
    guint width, height;

    if (g_str_equal(method, "NextFrame")) {
        g_variant_get(parameters, "(u)", &engine->shown);
        engine->next_frames++;
        engine->waiting = invocation;
        frame_answer(engine);
    } else if (g_str_equal(method, "NextCursor")) {
        g_variant_get(parameters, "(u)", &engine->cursor_known);
        engine->next_cursors++;
        engine->cursor_waiting = invocation;
    } else if (g_str_equal(method, "GetScanout")) {
        engine->get_scanouts++;
        scanout_answer(engine, invocation);
    } else {
        g_variant_get(parameters, "(uu)", &width, &height);
        g_string_append_printf(engine->log, "size %u %u\n", width, height);
        g_dbus_method_invocation_return_value(invocation, NULL);
        if (engine->follows_size) {
            fake_engine_show(engine, width, height);
        }
    }
}

static void on_engine_method(struct fake_engine *engine, const char *method, GVariant *parameters,
                             GDBusMethodInvocation *invocation)
{
    guint x, y, width, height, buttons;
    int dx, dy, wheel;
    gboolean down;
    const char *text;

    if (g_str_equal(method, "Key")) {
        g_variant_get(parameters, "(ub)", &x, &down);
        g_string_append_printf(engine->log, "key %u %d\n", x, down);
        g_string_append_printf(engine->keys, "key %u %d\n", x, down);
    } else if (g_str_equal(method, "Pointer")) {
        g_variant_get(parameters, "(uuuuuui)", NULL, &x, &y, &width, &height, &buttons, &wheel);
        g_string_append_printf(engine->log, "pointer %u %u %u %d\n", x, y, buttons, wheel);
    } else if (g_str_equal(method, "Motion")) {
        g_variant_get(parameters, "(iiui)", &dx, &dy, &buttons, &wheel);
        g_string_append_printf(engine->log, "motion %d %d %u %d\n", dx, dy, buttons, wheel);
    } else if (g_str_equal(method, "TypeText")) {
        g_variant_get(parameters, "(&s)", &text);
        g_string_append_printf(engine->log, "type %s\n", text);
    } else {
        g_dbus_method_invocation_return_value(
            invocation,
            g_variant_new("(bsuu)", engine->text != NULL, engine->text ? engine->text : "", 0, 0));
        return;
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static void on_method(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *method, GVariant *parameters,
                      GDBusMethodInvocation *invocation, gpointer data)
{
    struct fake_engine *engine = data;

    if (engine->hangs) {
        g_object_unref(invocation);
    } else if (g_str_equal(interface, DISPLAY_INTERFACE)) {
        on_display_method(engine, method, parameters, invocation);
    } else {
        on_engine_method(engine, method, parameters, invocation);
    }
}

static GVariant *on_property(GDBusConnection *connection, const char *sender, const char *path,
                             const char *interface, const char *property, GError **error,
                             gpointer data)
{
    struct fake_engine *engine = data;

    if (g_str_equal(property, "CanResize")) {
        return g_variant_new_boolean(engine->can_resize);
    }
    if (g_str_equal(property, "PointerMode")) {
        return g_variant_new_string(engine->pointer_mode);
    }
    if (g_str_equal(property, "Leds")) {
        return g_variant_new_uint32(engine->leds);
    }
    return g_variant_new_string(g_str_equal(property, "State") ? engine->state : "Fake");
}

/* --- Connection */

static void on_connection(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusConnection **connection = data;

    *connection = g_dbus_connection_new_finish(result, NULL);
    g_assert(*connection);
}

static void connection_new(int fd, GDBusConnectionFlags flags, GDBusConnection **connection)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    g_autofree char *guid = g_dbus_generate_guid();

    g_dbus_connection_new(G_IO_STREAM(stream),
                          flags & G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER ? guid : NULL,
                          flags, NULL, NULL, on_connection, connection);
}

struct fake_engine *fake_engine_new(void)
{
    static const GDBusInterfaceVTable table = { on_method, on_property, NULL, { 0 } };
    struct fake_engine *engine = g_new0(struct fake_engine, 1);
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(contract, NULL);
    int sockets[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    connection_new(sockets[0], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER, &engine->server);
    connection_new(sockets[1], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, &engine->client);
    while (!engine->server || !engine->client) {
        g_main_context_iteration(NULL, TRUE);
    }
    engine->log = g_string_new(NULL);
    engine->keys = g_string_new(NULL);
    engine->memory = -1;
    engine->pointer_mode = "absolute";
    engine->state = "running";
    for (guint i = 0; i < 2; i++) {
        engine->registrations[i] = g_dbus_connection_register_object(
            engine->server, OBJECT_PATH, node->interfaces[i], &table, engine, NULL, NULL);
        g_assert(engine->registrations[i] != 0);
    }
    return engine;
}

static void memory_free(struct fake_engine *engine)
{
    if (engine->memory >= 0) {
        munmap(engine->pixels, (gsize)engine->stride * engine->height);
        close(engine->memory);
        engine->memory = -1;
    }
}

void fake_engine_free(struct fake_engine *engine)
{
    for (guint i = 0; i < 2; i++) {
        g_dbus_connection_unregister_object(engine->server, engine->registrations[i]);
    }
    g_dbus_connection_close(engine->server, NULL, NULL, NULL);
    g_clear_object(&engine->waiting);
    g_clear_object(&engine->cursor_waiting);
    g_clear_object(&engine->server);
    g_clear_object(&engine->client);
    g_clear_pointer(&engine->damage, g_variant_builder_unref);
    memory_free(engine);
    g_string_free(engine->log, TRUE);
    g_string_free(engine->keys, TRUE);
    g_free(engine);
}

/* --- Script */

void fake_engine_show_memory(struct fake_engine *engine, guint width, guint height, gsize size,
                             int seals)
{
    gsize pixels = (gsize)width * height * 4;

    memory_free(engine);
    engine->memory = memfd_create("scanout", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    engine->width = engine->said_width = width;
    engine->height = engine->said_height = height;
    engine->stride = engine->said_stride = width * 4;
    g_assert(ftruncate(engine->memory, (off_t)MAX(pixels, size)) == 0);
    engine->pixels = mmap(NULL, pixels, PROT_READ | PROT_WRITE, MAP_SHARED, engine->memory, 0);
    g_assert(engine->pixels != MAP_FAILED);
    for (guint y = 0; y < height; y++) {
        for (guint x = 0; x < width; x++) {
            engine->pixels[(gsize)y * width + x] = fake_engine_pixel(x, y);
        }
    }
    g_assert(ftruncate(engine->memory, (off_t)size) == 0);
    g_assert(seals == 0 || fcntl(engine->memory, F_ADD_SEALS, seals) == 0);
    engine->scanout++;
    g_clear_pointer(&engine->damage, g_variant_builder_unref);
    frame_answer(engine);
}

void fake_engine_show(struct fake_engine *engine, guint width, guint height)
{
    fake_engine_show_memory(engine, width, height, (gsize)width * height * 4,
                            F_SEAL_SHRINK | F_SEAL_GROW);
}

void fake_engine_damage(struct fake_engine *engine, guint x, guint y, guint width, guint height)
{
    if (!engine->damage) {
        engine->damage = g_variant_builder_new(G_VARIANT_TYPE("a(uuuu)"));
    }
    for (guint i = 0; i < (engine->huge_damage ? 1000 : 1); i++) {
        g_variant_builder_add(engine->damage, "(uuuu)", x, y, width, height);
    }
    frame_answer(engine);
}

void fake_engine_cursor(struct fake_engine *engine, guint shape, gboolean visible, int x, int y,
                        guint32 colour, gsize bytes)
{
    guint32 pixels[FAKE_CURSOR_SIDE * FAKE_CURSOR_SIDE];

    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++) {
        pixels[i] = colour;
    }
    g_assert(engine->cursor_waiting && bytes <= sizeof(pixels));
    g_dbus_method_invocation_return_value(
        g_steal_pointer(&engine->cursor_waiting),
        g_variant_new("(ubiiuuuu@ay)", shape, visible, x, y, FAKE_CURSOR_SIDE / 2,
                      FAKE_CURSOR_SIDE / 2, FAKE_CURSOR_SIDE, FAKE_CURSOR_SIDE,
                      g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, pixels, bytes, 1)));
}

void fake_engine_refuse(struct fake_engine *engine)
{
    g_dbus_method_invocation_return_dbus_error(g_steal_pointer(&engine->waiting),
                                               "io.github.oriel_vm.Oriel.Error.State",
                                               "The picture is no longer shown.");
}

static void property_changed(struct fake_engine *engine, const char *interface,
                             const char *property, GVariant *value)
{
    GVariantBuilder changed;

    g_variant_builder_init(&changed, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&changed, "{sv}", property, value);
    g_dbus_connection_emit_signal(
        engine->server, NULL, OBJECT_PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
        g_variant_new("(sa{sv}@as)", interface, &changed, g_variant_new_strv(NULL, 0)), NULL);
}

void fake_engine_set_state(struct fake_engine *engine, const char *state)
{
    engine->state = state;
    property_changed(engine, ENGINE_INTERFACE, "State", g_variant_new_string(state));
}

void fake_engine_set_can_resize(struct fake_engine *engine, gboolean can_resize)
{
    engine->can_resize = can_resize;
    property_changed(engine, DISPLAY_INTERFACE, "CanResize", g_variant_new_boolean(can_resize));
}

void fake_engine_set_pointer_mode(struct fake_engine *engine, const char *mode)
{
    engine->pointer_mode = mode;
    property_changed(engine, DISPLAY_INTERFACE, "PointerMode", g_variant_new_string(mode));
}

void fake_engine_set_leds(struct fake_engine *engine, guint leds)
{
    engine->leds = leds;
    property_changed(engine, DISPLAY_INTERFACE, "Leds", g_variant_new_uint32(leds));
}

guint fake_engine_count(struct fake_engine *engine, const char *prefix)
{
    g_auto(GStrv) lines = g_strsplit(engine->log->str, "\n", -1);
    guint n = 0;

    for (guint i = 0; lines[i]; i++) {
        n += g_str_has_prefix(lines[i], prefix);
    }
    return n;
}

void fake_engine_motion(struct fake_engine *engine, int *x, int *y)
{
    g_auto(GStrv) lines = g_strsplit(engine->log->str, "\n", -1);
    int dx, dy;

    *x = *y = 0;
    for (guint i = 0; lines[i]; i++) {
        if (sscanf(lines[i], "motion %d %d", &dx, &dy) == 2) {
            *x += dx;
            *y += dy;
        }
    }
}

gboolean fake_engine_is_let_go(struct fake_engine *engine)
{
    g_auto(GStrv) lines = g_strsplit(engine->log->str, "\n", -1);
    gboolean down[768] = { FALSE };
    guint code, state, buttons = 0;
    int x, y;

    for (guint i = 0; lines[i]; i++) {
        if (sscanf(lines[i], "key %u %u", &code, &state) == 2) {
            down[code % G_N_ELEMENTS(down)] = state != 0;
        }
        sscanf(lines[i], "pointer %d %d %u", &x, &y, &buttons);
        sscanf(lines[i], "motion %d %d %u", &x, &y, &buttons);
    }
    for (guint i = 0; i < G_N_ELEMENTS(down); i++) {
        if (down[i]) {
            return FALSE;
        }
    }
    return buttons == 0;
}
