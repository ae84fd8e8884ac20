/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contract as the fake engine speaks it: written by hand, so that it can break it. */
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "fake_engine.h"

#define INTERFACE "io.github.oriel_vm.Oriel.Engine"
#define DISPLAY   "io.github.oriel_vm.Oriel.Display"

/* clang-format off */
static const char contract[] =
    "<node><interface name='" INTERFACE "'>"
    "<property name='ProtocolVersion' type='u' access='read'/>"
    "<property name='Uuid' type='s' access='read'/><property name='Name' type='s' access='read'/>"
    "<property name='Folder' type='s' access='read'/>"
    "<property name='State' type='s' access='read'/><property name='Reason' type='s' access='read'/>"
    "<property name='Message' type='s' access='read'/>"
    "<property name='SaveProgress' type='d' access='read'/>"
    "<property name='Displays' type='u' access='read'/>"
    "<property name='VncAddresses' type='as' access='read'/>"
    "<property name='SerialSockets' type='as' access='read'/>"
    "<method name='Pause'/><method name='Resume'/><method name='Reset'/><method name='PowerButton'/>"
    "<method name='PowerOff'/><method name='Save'/><method name='CancelSave'/>"
    "<method name='GetConfig'><arg type='s' direction='out'/></method>"
    "<method name='GetStats'><arg type='s' direction='out'/></method>"
    "<method name='GetCrashReport'><arg type='s' direction='out'/></method>"
    "<method name='InsertMedia'><arg type='s' direction='in'/><arg type='s' direction='in'/></method>"
    "<method name='EjectMedia'><arg type='s' direction='in'/><arg type='b' direction='in'/></method>"
    "<method name='Plug'><arg type='s' direction='in'/></method>"
    "<method name='Unplug'><arg type='s' direction='in'/><arg type='b' direction='in'/></method>"
    "<method name='Screenshot'><arg type='u' direction='in'/><arg type='h' direction='in'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/></method>"
    "<method name='GetText'><arg type='b' direction='out'/><arg type='s' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/></method>"
    "<method name='TypeText'><arg type='s' direction='in'/></method>"
    "<method name='Chord'><arg type='s' direction='in'/></method>"
    "<method name='Key'><arg type='u' direction='in'/><arg type='b' direction='in'/></method>"
    "<method name='Pointer'><arg type='u' direction='in'/><arg type='u' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='u' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='i' direction='in'/></method>"
    "<method name='Motion'><arg type='i' direction='in'/><arg type='i' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='i' direction='in'/></method>"
    "<method name='ReleaseAllKeys'/>"
    "<signal name='WasReset'/><signal name='MediaChanged'><arg type='s'/></signal>"
    "</interface><interface name='" DISPLAY "'>"
    "<method name='NextFrame'><arg type='u' direction='in'/><arg type='u' direction='out'/>"
    "<arg type='a(uuuu)' direction='out'/></method>"
    "<method name='GetScanout'><arg type='u' direction='out'/><arg type='h' direction='out'/>"
    "<arg type='u' direction='out'/><arg type='u' direction='out'/><arg type='u' direction='out'/></method>"
    "<method name='SetSize'><arg type='u' direction='in'/><arg type='u' direction='in'/></method>"
    "<method name='SetConnected'><arg type='b' direction='in'/></method>"
    "<property name='Connected' type='b' access='read'/>"
    "<property name='CanResize' type='b' access='read'/>"
    "<property name='PointerMode' type='s' access='read'/>"
    "<property name='Leds' type='u' access='read'/>"
    "</interface></node>";

/* A picture of one black pixel. */
static const guint8 png[] = {
    0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0,
    0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf,
    0xa4, 0x71, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82,
};
/* clang-format on */

/* --- Properties and signals ------------------------------------------------------------------- */

static GVariant *property(struct fake *fake, const char *name)
{
    const struct {
        const char *name, *value;
    } texts[] = {
        { "Uuid", fake->config->uuid },
        { "Name", fake->config->name },
        { "Folder", fake->elsewhere ? "/nowhere" : fake->folder },
        { "State", fake->state },
        { "Reason", fake->reason },
        { "Message", fake->message },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (strcmp(texts[i].name, name) == 0) {
            return g_variant_new_string(texts[i].value);
        }
    }
    if (strcmp(name, "ProtocolVersion") == 0) {
        return g_variant_new_uint32(fake->version);
    }
    if (strcmp(name, "SaveProgress") == 0) {
        return g_variant_new_double(fake->save_progress);
    }
    if (strcmp(name, "Displays") == 0) {
        return g_variant_new_uint32(fake->config->displays);
    }
    return g_variant_new_strv(NULL, 0);
}

static GVariant *on_property(GDBusConnection *connection, const char *sender, const char *path,
                             const char *interface, const char *name, GError **error, gpointer data)
{
    return strcmp(interface, DISPLAY) == 0 ? fake_display_property(data, name)
                                           : property(data, name);
}

static void emit(struct fake *fake, const char *interface, const char *signal, GVariant *arguments)
{
    g_autoptr(GVariant) held = arguments ? g_variant_ref_sink(arguments) : NULL;

    for (guint i = 0; i < fake->connections->len; i++) {
        g_dbus_connection_emit_signal(fake->connections->pdata[i], NULL, ORIEL_ENGINE_PATH,
                                      interface, signal, held, NULL);
    }
}

void fake_emit(struct fake *fake, const char *signal, GVariant *arguments)
{
    emit(fake, INTERFACE, signal, arguments);
}

void fake_properties_changed(struct fake *fake)
{
    static const char *const names[] = { "State", "Reason", "Message", "SaveProgress" };
    GVariantBuilder changed;

    if (!fake->config) {
        return; /* nobody is there yet */
    }
    g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_variant_builder_add(&changed, "{sv}", names[i], property(fake, names[i]));
    }
    emit(fake, "org.freedesktop.DBus.Properties", "PropertiesChanged",
         g_variant_new("(sa{sv}as)", INTERFACE, &changed, NULL));
}

/* --- Methods ---------------------------------------------------------------------------------- */

static void screenshot(GDBusMethodInvocation *invocation)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
    GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);
    int fd = fds ? g_unix_fd_list_get(fds, 0, NULL) : -1;

    if (fd < 0 || write(fd, png, sizeof(png)) != sizeof(png)) {
        g_dbus_method_invocation_return_error(invocation, ORIEL_ERROR, ORIEL_ERROR_HOST, "No.");
    } else {
        g_dbus_method_invocation_return_value(invocation, g_variant_new("(uu)", 1, 1));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void config(struct fake *fake, GDBusMethodInvocation *invocation)
{
    g_autoptr(JsonNode) node = oriel_config_to_json(fake->config);
    g_autofree char *text = json_to_string(node, FALSE);

    g_dbus_method_invocation_return_value(invocation, g_variant_new("(s)", text));
}

/* What comes in is written down, for tests of keys and pointers. */
static void note(struct fake *fake, const char *method, GVariant *arguments)
{
    g_autofree char *path = g_build_filename(fake->folder, "fake.log", NULL);
    g_autofree char *text = g_variant_print(arguments, FALSE);
    FILE *file = fopen(path, "ae");

    if (file) {
        fprintf(file, "%s %s\n", method, text);
        fclose(file);
    }
}

struct line {
    struct fake *fake;
    char *text;
};

static gboolean line_run(gpointer data)
{
    struct line *line = data;

    fake_command(line->fake, line->text);
    g_free(line->text);
    g_free(line);
    return G_SOURCE_REMOVE;
}

/* After the answer has gone. */
static void type_text(struct fake *fake, GVariant *arguments, GDBusMethodInvocation *invocation)
{
    const char *text;

    g_variant_get(arguments, "(&s)", &text);
    if (g_str_has_prefix(text, "fake:")) {
        struct line *line = g_new0(struct line, 1);

        line->fake = fake;
        line->text = g_strdup(text + 5);
        g_dbus_method_invocation_return_value(invocation, NULL);
        g_dbus_connection_flush_sync(g_dbus_method_invocation_get_connection(invocation), NULL,
                                     NULL);
        g_idle_add(line_run, line);
        return;
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

void fake_save(struct fake *fake)
{
    g_autofree char *saved = g_build_filename(fake->folder, "saved", NULL);

    g_mkdir(saved, 0700);
    fake_turn_off(fake, "saved");
}

static void cancel_save(struct fake *fake)
{
    g_autoptr(GDBusMethodInvocation) saving = g_steal_pointer(&fake->saving);

    fake->save_progress = 0;
    if (saving) {
        g_dbus_method_invocation_return_error(g_steal_pointer(&saving), ORIEL_ERROR,
                                              ORIEL_ERROR_STATE, "It was not saved.");
    }
    fake_properties_changed(fake);
}

static void media(struct fake *fake, GVariant *arguments)
{
    g_autoptr(GVariant) drive = g_variant_get_child_value(arguments, 0);

    fake_emit(fake, "MediaChanged", g_variant_new("(s)", g_variant_get_string(drive, NULL)));
}

/* What the settings have by now is there or not. */
static void plug(struct fake *fake)
{
    OrielConfig *config = oriel_config_load(fake->folder, NULL);

    if (config) {
        oriel_config_free(fake->config);
        fake->config = config;
    }
}

/* FALSE if the method has a result of its own. */
static gboolean plain_method(struct fake *fake, const char *method, GVariant *arguments)
{
    if (strcmp(method, "Pause") == 0) {
        fake_set_state(fake, "paused", "user", "");
    } else if (strcmp(method, "Resume") == 0) {
        fake_set_state(fake, "running", "user", "");
    } else if (strcmp(method, "Reset") == 0) {
        fake_set_state(fake, "running", "user", "");
        fake_emit(fake, "WasReset", NULL);
    } else if (strcmp(method, "PowerButton") == 0) {
        fake_turn_off(fake, "guest");
    } else if (strcmp(method, "PowerOff") == 0) {
        fake_turn_off(fake, "user");
    } else if (strcmp(method, "Save") == 0) {
        fake_save(fake);
    } else if (strcmp(method, "CancelSave") == 0) {
        cancel_save(fake);
    } else if (g_str_has_suffix(method, "lug")) {
        plug(fake);
    } else if (g_str_has_suffix(method, "Media")) {
        media(fake, arguments);
    } else if (g_str_has_prefix(method, "Get") || strcmp(method, "Screenshot") == 0 ||
               strcmp(method, "TypeText") == 0) {
        return FALSE;
    }
    return TRUE;
}

static void result_method(struct fake *fake, const char *method, GVariant *arguments,
                          GDBusMethodInvocation *invocation)
{
    if (strcmp(method, "GetConfig") == 0) {
        config(fake, invocation);
    } else if (strcmp(method, "GetStats") == 0) {
        g_dbus_method_invocation_return_value(invocation, g_variant_new("(s)", "{}"));
    } else if (strcmp(method, "GetCrashReport") == 0) {
        const char *report = strcmp(fake->state, "crashed") == 0 ? "rip 0x7c00\n" : "";

        g_dbus_method_invocation_return_value(invocation, g_variant_new("(s)", report));
    } else if (strcmp(method, "GetText") == 0) {
        g_dbus_method_invocation_return_value(invocation,
                                              g_variant_new("(bsuu)", TRUE, "fake\n", 0, 1));
    } else if (strcmp(method, "Screenshot") == 0) {
        screenshot(invocation);
    } else {
        type_text(fake, arguments, invocation);
    }
}

/* Engine, Engine/Display2, Engine/Display3... */
static guint display_of(const char *path)
{
    guint number;

    return sscanf(path, ORIEL_ENGINE_PATH "/Display%u", &number) == 1 ? number - 1 : 0;
}

static void on_method(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *method, GVariant *arguments,
                      GDBusMethodInvocation *invocation, gpointer data)
{
    struct fake *fake = data;

    if (g_hash_table_contains(fake->deaf, method)) {
        if (strcmp(method, "Save") == 0) {
            fake->saving = invocation;
        }
        return; /* the caller waits for ever */
    }
    if (g_hash_table_contains(fake->refuse, method)) {
        g_dbus_method_invocation_return_error(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                              "The engine does not want to.");
        return;
    }
    if (strcmp(method, "SetConnected") == 0) {
        note(fake, method, arguments);
        g_dbus_method_invocation_return_value(invocation, NULL);
        return;
    }
    if (strcmp(interface, DISPLAY) == 0) {
        fake_display_call(fake->displays[display_of(path)], method, arguments, invocation);
        return;
    }
    note(fake, method, arguments);
    if (plain_method(fake, method, arguments)) {
        g_dbus_method_invocation_return_value(invocation, NULL);
    } else {
        result_method(fake, method, arguments, invocation);
    }
}

/* --- The server ------------------------------------------------------------------------------- */

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    struct fake *fake = data;

    g_ptr_array_remove(fake->connections, connection);
}

static gboolean on_connection(GDBusServer *server, GDBusConnection *connection, gpointer data)
{
    static const GDBusInterfaceVTable vtable = { on_method, on_property, NULL, { 0 } };
    struct fake *fake = data;
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(contract, NULL);

    for (GDBusInterfaceInfo **interface = node->interfaces; *interface; interface++) {
        g_dbus_connection_register_object(connection, ORIEL_ENGINE_PATH, *interface, &vtable, fake,
                                          NULL, NULL);
    }
    for (guint i = 1; i < fake->config->displays; i++) {
        g_autofree char *path = g_strdup_printf(ORIEL_ENGINE_PATH "/Display%u", i + 1);

        g_dbus_connection_register_object(connection, path, node->interfaces[1], &vtable, fake,
                                          NULL, NULL);
    }
    g_ptr_array_add(fake->connections, g_object_ref(connection));
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), fake);
    return TRUE;
}

gboolean fake_serve(struct fake *fake, const char *socket, GError **error)
{
    oriel_error_register_dbus();
    fake->server = oriel_runtime_listen(socket, NULL, error);
    if (!fake->server) {
        return FALSE;
    }
    g_signal_connect(fake->server, "new-connection", G_CALLBACK(on_connection), fake);
    g_dbus_server_start(fake->server);
    return TRUE;
}
