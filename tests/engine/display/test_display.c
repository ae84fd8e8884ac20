/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Display interface over D-Bus: a server of engine/control and its clients on one main loop.
 * The machine is that of display_machine.h.
 */
#include "test.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/runtime.h"
#include "display_machine.h"
#include "oriel-engine-contract.h"

/* --- The server and its clients ------------------------------------------------------------- */

struct bench {
    struct machine machine;
    struct control *control;
    char *folder;
};

static struct bench *bench_new(void)
{
    struct bench *b = g_new0(struct bench, 1);
    struct machine *m = &b->machine;
    const char *none[] = { NULL };

    display_machine_init(m);
    b->folder = g_dir_make_tmp("oriel-display-XXXXXX", NULL);
    b->control = control_new(m, b->folder, none, none, NULL);
    CHECK(b->control != NULL);
    return b;
}

static void bench_free(struct bench *b)
{
    control_end(b->control);
    control_free(b->control);
    display_machine_clear(&b->machine);
    g_rmdir(b->folder);
    g_free(b->folder);
    g_free(b);
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                                \
                                                                                                   \
        while (!(condition) && g_get_monotonic_time() < end_) {                                    \
            g_main_context_iteration(NULL, FALSE);                                                 \
            g_usleep(500);                                                                         \
        }                                                                                          \
        CHECK(condition);                                                                          \
    } while (0)

static void client_made(GObject *source, GAsyncResult *result, gpointer data)
{
    *(GDBusConnection **)data = g_dbus_connection_new_for_address_finish(result, NULL);
}

static GDBusConnection *client_new(const struct bench *b)
{
    g_autofree char *address = g_strdup_printf("unix:path=%s/engine", b->folder);
    GDBusConnection *client = NULL;

    g_dbus_connection_new_for_address(address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                      NULL, client_made, &client);
    WAIT_FOR(client != NULL);
    return client;
}

/* One call and, when it is done, its answer. */
struct call {
    bool done;
    GVariant *result;
    GUnixFDList *fds;
    GError *error;
};

static void call_done(GObject *source, GAsyncResult *result, gpointer data)
{
    struct call *call = data;

    call->result = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &call->fds, result, &call->error);
    call->done = true;
}

static void call_start_at(struct call *call, GDBusConnection *client, const char *path,
                          const char *interface, const char *method, GVariant *arguments)
{
    *call = (struct call){ .done = false };
    g_dbus_connection_call_with_unix_fd_list(client, NULL, path, interface, method, arguments, NULL,
                                             G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, NULL,
                                             call_done, call);
}

static void call_start(struct call *call, GDBusConnection *client, const char *interface,
                       const char *method, GVariant *arguments)
{
    call_start_at(call, client, ORIEL_ENGINE_PATH, interface, method, arguments);
}

static void call_end(struct call *call)
{
    g_clear_pointer(&call->result, g_variant_unref);
    g_clear_object(&call->fds);
    g_clear_error(&call->error);
}

#define DISPLAY "io.github.oriel_vm.Oriel.Display"

/* Answers to all earlier messages have come when that to a Ping has. */
static void ping(GDBusConnection *client)
{
    struct call call;

    call_start(&call, client, "org.freedesktop.DBus.Peer", "Ping", NULL);
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    call_end(&call);
}

static bool is_state_error(struct call *call)
{
    return call->error && g_error_matches(call->error, ORIEL_ERROR, ORIEL_ERROR_STATE);
}

/* The id of the answer, whose only rectangle must be this one. */
static guint32 frame_check(struct call *call, guint32 x, guint32 y, guint32 width, guint32 height)
{
    guint32 id, rx, ry, rw, rh;
    g_autoptr(GVariant) damage = NULL;

    CHECK(call->done && call->error == NULL);
    g_variant_get(call->result, "(u@a(uuuu))", &id, &damage);
    CHECK_EQ(g_variant_n_children(damage), 1);
    g_variant_get_child(damage, 0, "(uuuu)", &rx, &ry, &rw, &rh);
    CHECK(rx == x && ry == y && rw == width && rh == height);
    call_end(call);
    return id;
}

static void next_frame(struct call *call, GDBusConnection *client, guint32 shown)
{
    call_start(call, client, DISPLAY, "NextFrame", g_variant_new("(u)", shown));
}

TEST(frames_come_through_shared_memory)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    guint32 id, width, height, stride;
    struct call call;
    struct stat status;
    gint32 handle;
    int fd;

    ping(client);
    CHECK_EQ(b->machine.adapter.renders, 0); /* a connection alone is no viewer */
    next_frame(&call, client, 0);
    WAIT_FOR(call.done);
    id = frame_check(&call, 0, 0, 64, 32);
    call_start(&call, client, DISPLAY, "GetScanout", NULL);
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    guint32 same;

    g_variant_get(call.result, "(uhuuu)", &same, &handle, &width, &height, &stride);
    CHECK(same == id && width == 64 && height == 32 && stride == 256);
    fd = g_unix_fd_list_get(call.fds, handle, NULL);
    call_end(&call);
    CHECK(fstat(fd, &status) == 0 && status.st_size >= 32 * 256);
    CHECK(ftruncate(fd, 0) < 0);
    CHECK(mmap(NULL, 32 * 256, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    const uint8_t *pixels = mmap(NULL, 32 * 256, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(pixels != MAP_FAILED);
    CHECK(memcmp(pixels, "\x05\x00\x00\xff", 4) == 0);

    next_frame(&call, client, id);
    ping(client);
    CHECK(!call.done);
    adapter_paint(&b->machine.adapter, 0x112233, (struct rect){ 1, 2, 3, 4 });
    WAIT_FOR(call.done);
    CHECK_EQ(frame_check(&call, 1, 2, 3, 4), id);
    CHECK(memcmp(pixels + 2 * 256 + 4, "\x33\x22\x11\xff", 4) == 0);

    b->machine.adapter.mode.height = 40;
    next_frame(&call, client, id);
    WAIT_FOR(call.done);
    CHECK(frame_check(&call, 0, 0, 64, 40) != id);
    CHECK(memcmp(pixels, "\x05\x00\x00\xff", 4) == 0); /* the old picture, still there */
    munmap((void *)pixels, 32 * 256);
    close(fd);
    bench_free(b);
}

TEST(one_call_for_each_connection)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b), other = client_new(b);
    struct call first, second, theirs;
    guint32 id;

    next_frame(&first, client, 0);
    WAIT_FOR(first.done);
    id = frame_check(&first, 0, 0, 64, 32);
    next_frame(&theirs, other, 0);
    WAIT_FOR(theirs.done);
    CHECK_EQ(frame_check(&theirs, 0, 0, 64, 32), id);

    next_frame(&theirs, other, id);
    next_frame(&first, client, id);
    next_frame(&second, client, id);
    WAIT_FOR(first.done);
    CHECK(is_state_error(&first));
    call_end(&first);
    ping(other);
    CHECK(!second.done && !theirs.done);
    adapter_paint(&b->machine.adapter, 1, (struct rect){ 0, 0, 2, 2 });
    WAIT_FOR(second.done && theirs.done);
    frame_check(&second, 0, 0, 2, 2);
    frame_check(&theirs, 0, 0, 2, 2);
    bench_free(b);
}

/* Clients go in the middle of a call, and so does the machine. */
TEST(ends_in_the_middle)
{
    struct bench *b = bench_new();
    GDBusConnection *client = client_new(b);
    g_autoptr(GDBusConnection) other = client_new(b);
    struct call call, theirs;

    next_frame(&call, client, 0);
    WAIT_FOR(call.done);
    next_frame(&theirs, client, frame_check(&call, 0, 0, 64, 32));
    ping(client);
    g_dbus_connection_close_sync(client, NULL, NULL);
    WAIT_FOR(theirs.done);
    CHECK(theirs.error != NULL);
    call_end(&theirs);
    g_object_unref(client);

    next_frame(&call, other, 0);
    WAIT_FOR(call.done);
    next_frame(&call, other, frame_check(&call, 0, 0, 64, 32));
    ping(other);
    unsigned renders = b->machine.adapter.renders;

    WAIT_FOR(b->machine.adapter.renders > renders); /* goes on for who is left */
    bench_free(b);
    WAIT_FOR(call.done);
    CHECK(is_state_error(&call));
    call_end(&call);
}

static void count_signal(GDBusConnection *client, const char *sender, const char *path,
                         const char *interface, const char *signal, GVariant *arguments,
                         gpointer data)
{
    const char *changed;
    g_autoptr(GVariant) properties = NULL;
    guint32 leds;

    g_variant_get(arguments, "(&s@a{sv}as)", &changed, &properties, NULL);
    if (strcmp(changed, DISPLAY) == 0 && g_variant_lookup(properties, "Leds", "u", &leds)) {
        *(unsigned *)data = leds;
    }
}

static bool pointer_mode_is(GDBusConnection *client, const char *mode)
{
    g_autoptr(GVariant) value = NULL;
    struct call call;
    bool is;

    call_start(&call, client, "org.freedesktop.DBus.Properties", "Get",
               g_variant_new("(ss)", DISPLAY, "PointerMode"));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    g_variant_get(call.result, "(v)", &value);
    is = strcmp(g_variant_get_string(value, NULL), mode) == 0;
    call_end(&call);
    return is;
}

TEST(properties_follow_the_guest)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    g_autoptr(GVariant) properties = NULL;
    gboolean can;
    const char *mode;
    unsigned told = 99;
    struct call call;
    guint32 leds;

    g_dbus_connection_signal_subscribe(client, NULL, "org.freedesktop.DBus.Properties",
                                       "PropertiesChanged", ORIEL_ENGINE_PATH, NULL,
                                       G_DBUS_SIGNAL_FLAGS_NONE, count_signal, &told, NULL);
    call_start(&call, client, "org.freedesktop.DBus.Properties", "GetAll",
               g_variant_new("(s)", DISPLAY));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    g_variant_get(call.result, "(@a{sv})", &properties);
    CHECK(g_variant_lookup(properties, "Leds", "u", &leds) && leds == 0);
    CHECK(g_variant_lookup(properties, "CanResize", "b", &can) && can);
    CHECK(g_variant_lookup(properties, "PointerMode", "&s", &mode));
    CHECK_STR(mode, "none");
    call_end(&call);
    b->machine.lamps = 5;
    input_look(b->machine.input);
    WAIT_FOR(told == 5);
    CHECK(pointer_mode_is(client, "none"));
    display_machine_add_tablet(&b->machine);
    WAIT_FOR(pointer_mode_is(client, "absolute"));
    bench_free(b);
}

TEST(sizes_reach_the_adapter)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    struct call call;

    call_start(&call, client, DISPLAY, "SetSize", g_variant_new("(uu)", 1280, 720));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    CHECK(b->machine.adapter.set_width == 1280 && b->machine.adapter.set_height == 720);
    call_end(&call);
    b->machine.ops.set_size = NULL;
    call_start(&call, client, DISPLAY, "SetSize", g_variant_new("(uu)", 1280, 720));
    WAIT_FOR(call.done);
    CHECK(is_state_error(&call) && strstr(call.error->message, "Bench"));
    call_end(&call);
    bench_free(b);
}

#define SECOND ORIEL_ENGINE_PATH "/Display2"

static bool connected_told(GDBusConnection *client, const char *path)
{
    g_autoptr(GVariant) value = NULL;
    struct call call;
    bool told;

    call_start_at(&call, client, path, "org.freedesktop.DBus.Properties", "Get",
                  g_variant_new("(ss)", DISPLAY, "Connected"));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    g_variant_get(call.result, "(v)", &value);
    told = g_variant_get_boolean(value);
    call_end(&call);
    return told;
}

TEST(second_display)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    struct call call, first;
    guint32 id;

    CHECK(connected_told(client, ORIEL_ENGINE_PATH) && !connected_told(client, SECOND));
    call_start_at(&call, client, SECOND, DISPLAY, "SetConnected", g_variant_new("(b)", TRUE));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL && b->machine.adapter.connected);
    call_end(&call);
    CHECK(connected_told(client, SECOND));
    call_start(&call, client, DISPLAY, "SetConnected", g_variant_new("(b)", FALSE));
    WAIT_FOR(call.done);
    CHECK(is_state_error(&call) && strstr(call.error->message, "Bench"));
    call_end(&call);

    next_frame(&first, client, 0);
    WAIT_FOR(first.done);
    id = frame_check(&first, 0, 0, 64, 32);
    next_frame(&first, client, id);
    call_start_at(&call, client, SECOND, DISPLAY, "NextFrame", g_variant_new("(u)", 0));
    WAIT_FOR(call.done);
    CHECK(frame_check(&call, 0, 0, 64, 32) != id);
    ping(client);
    CHECK(!first.done); /* the calls are those of two displays */
    call_start_at(&call, client, ORIEL_ENGINE_PATH "/Display3", DISPLAY, "NextFrame",
                  g_variant_new("(u)", 0));
    WAIT_FOR(call.done);
    CHECK(call.error != NULL);
    call_end(&call);
    call_start(&call, client, "io.github.oriel_vm.Oriel.Engine", "Pointer",
               g_variant_new("(uuuuuui)", 3, 1, 1, 64, 32, 0, 0));
    WAIT_FOR(call.done);
    CHECK(call.error && strstr(call.error->message, "no display 3"));
    call_end(&call);
    bench_free(b);
    WAIT_FOR(first.done);
    CHECK(is_state_error(&first));
    call_end(&first);
}

/* Points at a place of a display of 64 x 32 pixels. */
static void point(struct bench *b, GDBusConnection *client, guint display, guint x, guint y)
{
    struct call call;

    call_start(&call, client, "io.github.oriel_vm.Oriel.Engine", "Pointer",
               g_variant_new("(uuuuuui)", display, x, y, 64, 32, POINTER_LEFT, 0));
    WAIT_FOR(call.done);
    CHECK_STR(call.error ? call.error->message : "", "");
    CHECK_EQ(b->machine.pointed.buttons, POINTER_LEFT);
    call_end(&call);
}

/* Whether the tablet is at pixel x of a width, and y of 32, give or take a pixel. */
static bool is_at(const struct bench *b, int x, int width, int y)
{
    const struct pointer_event *pointed = &b->machine.pointed;

    return abs((int)pointed->x * width / POINTER_AXIS_MAX - x) <= 1 &&
           abs((int)pointed->y * 32 / POINTER_AXIS_MAX - y) <= 1;
}

TEST(each_display_is_its_part_of_the_tablet)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);

    display_machine_add_tablet(&b->machine);
    point(b, client, 1, 40, 10);
    CHECK(is_at(b, 40, 64, 10)); /* the only one */
    b->machine.adapter.connected = true;
    point(b, client, 1, 40, 10);
    CHECK(is_at(b, 40, 128, 10));
    point(b, client, 2, 40, 20);
    CHECK(is_at(b, 64 + 40, 128, 20));
    point(b, client, 2, 63, 31);
    CHECK(is_at(b, 127, 128, 31));
    bench_free(b);
}

TEST(buttons_go_up_with_the_connection)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    g_autoptr(GDBusConnection) other = client_new(b);

    display_machine_add_tablet(&b->machine);
    point(b, client, 1, 40, 10);
    g_dbus_connection_close(other, NULL, NULL, NULL);
    ping(client);
    CHECK_EQ(b->machine.pointed.buttons, POINTER_LEFT); /* which it did not press */
    g_dbus_connection_close(client, NULL, NULL, NULL);
    WAIT_FOR(b->machine.pointed.buttons == 0);
    CHECK(is_at(b, 40, 64, 10));
    bench_free(b);
}

TEST(cursor_comes_beside_the_picture)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    g_autoptr(GVariant) pixels = NULL;
    guint32 shape, hot_x, hot_y, width, height;
    struct call call, frame;
    gboolean visible;
    gint32 x, y;

    b->machine.adapter.cursor = (struct display_cursor){ .shape = 9,
                                                         .visible = true,
                                                         .x = -3,
                                                         .y = 4,
                                                         .hot_x = 1,
                                                         .hot_y = 2,
                                                         .pixels = { 0x80402010 } };
    call_start(&call, client, DISPLAY, "NextCursor", g_variant_new("(u)", 0));
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    g_variant_get(call.result, "(ubiiuuuu@ay)", &shape, &visible, &x, &y, &hot_x, &hot_y, &width,
                  &height, &pixels);
    CHECK(shape == 9 && visible && x == -3 && y == 4 && hot_x == 1 && hot_y == 2);
    CHECK(width == 64 && height == 64 && g_variant_get_size(pixels) == 64 * 64 * 4);
    CHECK(memcmp(g_variant_get_data(pixels), "\x10\x20\x40\x80", 4) == 0);
    call_end(&call);
    next_frame(&frame, client, 0);
    WAIT_FOR(frame.done);
    next_frame(&frame, client, frame_check(&frame, 0, 0, 64, 32));
    call_start(&call, client, DISPLAY, "NextCursor", g_variant_new("(u)", 9));
    ping(client);
    CHECK(!call.done);
    b->machine.adapter.cursor.visible = false;
    WAIT_FOR(call.done);
    g_clear_pointer(&pixels, g_variant_unref);
    g_variant_get(call.result, "(ubiiuuuu@ay)", &shape, &visible, NULL, NULL, NULL, NULL, NULL,
                  NULL, &pixels);
    CHECK(shape == 9 && !visible && g_variant_get_size(pixels) == 0);
    call_end(&call);
    bench_free(b);
    WAIT_FOR(frame.done);
    call_end(&frame);
}

TEST(configuration_is_told)
{
    struct bench *b = bench_new();
    g_autoptr(GDBusConnection) client = client_new(b);
    g_autoptr(OrielConfig) config = NULL;
    struct call call;
    const char *json;

    call_start(&call, client, "io.github.oriel_vm.Oriel.Engine", "GetConfig", NULL);
    WAIT_FOR(call.done);
    CHECK(call.error == NULL);
    g_variant_get(call.result, "(&s)", &json);
    config = oriel_config_from_data(json, strlen(json), "GetConfig", NULL);
    CHECK(config != NULL);
    CHECK_STR(config->name, "Bench");
    CHECK_STR(config->uuid, b->machine.config->uuid);
    call_end(&call);
    bench_free(b);
}

TEST_MAIN(T(frames_come_through_shared_memory), T(one_call_for_each_connection),
          T(ends_in_the_middle), T(properties_follow_the_guest), T(sizes_reach_the_adapter),
          T(configuration_is_told), T(second_display), T(each_display_is_its_part_of_the_tablet),
          T(buttons_go_up_with_the_connection), T(cursor_comes_beside_the_picture))
