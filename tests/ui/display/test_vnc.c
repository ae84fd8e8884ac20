/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VNC backend against servers of LibVNCServer in this process, each on a thread of its own, and
 * against ones that only pretend. Needs no screen: what the backend gives is looked at directly.
 */
#include <gio/gunixsocketaddress.h>
#include <linux/input-event-codes.h>
#include <rfb/rfb.h>
#include <unistd.h>

#include "oriel-display-backend.h"
#include "display/vnc/oriel-vnc-address.h"
#include "display/vnc/oriel-vnc-backend.h"
#include "display/vnc/oriel-vnc-trust.h"
#include "test.h"

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        gint64 until_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                              \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_) {                                                 \
                test_fail(__FILE__, __LINE__, "did not become true: %s", #condition);              \
            }                                                                                      \
            if (!g_main_context_iteration(NULL, FALSE)) {                                          \
                g_usleep(1000);                                                                    \
            }                                                                                      \
        }                                                                                          \
    } while (0)

enum {
    WIDTH = 320,
    HEIGHT = 200,
};

/* --- A server */

struct server {
    rfbScreenInfoPtr screen;
    GThread *thread;
    GMutex mutex;
    GString *log; /* "key SYM DOWN\n", "pointer MASK X Y\n" */
    gboolean quit;
    guint32 *pixels;
    guint32 *next_pixels; /* to become the picture, with these sizes */
    int next_width, next_height;
};

static void on_key(rfbBool down, rfbKeySym key, rfbClientPtr client)
{
    struct server *server = client->screen->screenData;

    g_mutex_lock(&server->mutex);
    g_string_append_printf(server->log, "key %x %d\n", (unsigned)key, down);
    g_mutex_unlock(&server->mutex);
}

static void on_pointer(int mask, int x, int y, rfbClientPtr client)
{
    struct server *server = client->screen->screenData;

    g_mutex_lock(&server->mutex);
    g_string_append_printf(server->log, "pointer %d %d %d\n", mask, x, y);
    g_mutex_unlock(&server->mutex);
}

static guint32 pixel(guint x, guint y, guint seed)
{
    return (x * 7 + seed) << 16 | ((y * 3) & 0xff) << 8 | ((x ^ y) & 0xff);
}

static guint32 *pixels_new(int width, int height, guint seed)
{
    guint32 *pixels = g_new(guint32, (gsize)width * (gsize)height);

    for (int i = 0; i < width * height; i++) {
        pixels[i] = pixel((guint)(i % width), (guint)(i / width), seed) & 0xffffff;
    }
    return pixels;
}

static void format_set(rfbScreenInfoPtr screen)
{
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
}

static void picture_replace(struct server *server)
{
    guint32 *old = server->pixels;

    server->pixels = g_steal_pointer(&server->next_pixels);
    rfbNewFramebuffer(server->screen, (char *)server->pixels, server->next_width,
                      server->next_height, 8, 3, 4);
    format_set(server->screen);
    g_free(old);
}

static gpointer server_run(gpointer data)
{
    struct server *server = data;
    gboolean quit = FALSE;

    while (!quit) {
        rfbProcessEvents(server->screen, 5000);
        g_mutex_lock(&server->mutex);
        quit = server->quit;
        if (server->next_pixels) {
            picture_replace(server);
        }
        g_mutex_unlock(&server->mutex);
    }
    return NULL;
}

static void log_quietly(const char *format, ...)
{
}

static struct server *server_new(const char *password)
{
    struct server *server = g_new0(struct server, 1);
    rfbScreenInfoPtr screen;

    rfbLog = rfbErr = log_quietly;
    g_mutex_init(&server->mutex);
    server->log = g_string_new(NULL);
    server->pixels = pixels_new(WIDTH, HEIGHT, 0);
    screen = server->screen = rfbGetScreen(NULL, NULL, WIDTH, HEIGHT, 8, 3, 4);
    screen->frameBuffer = (char *)server->pixels;
    format_set(screen);
    screen->screenData = server;
    screen->desktopName = "Test screen";
    screen->autoPort = TRUE;
    screen->listenInterface = htonl(INADDR_LOOPBACK);
    screen->ipv6port = 0;
    screen->kbdAddEvent = on_key;
    screen->ptrAddEvent = on_pointer;
    screen->deferUpdateTime = 0;
    if (password) {
        char **passwords = g_new0(char *, 2);

        passwords[0] = g_strdup(password);
        screen->authPasswdData = passwords;
        screen->passwordCheck = rfbCheckPasswordByList;
    }
    rfbInitServer(screen);
    server->thread = g_thread_new("server", server_run, server);
    return server;
}

static void server_free(struct server *server)
{
    char **passwords = server->screen->authPasswdData;

    g_mutex_lock(&server->mutex);
    server->quit = TRUE;
    g_mutex_unlock(&server->mutex);
    g_thread_join(server->thread);
    rfbShutdownServer(server->screen, TRUE);
    rfbScreenCleanup(server->screen);
    if (passwords) {
        g_strfreev(passwords);
    }
    g_free(server->pixels);
    g_string_free(server->log, TRUE);
    g_mutex_clear(&server->mutex);
    g_free(server);
}

static bool log_has(struct server *server, const char *text)
{
    bool found;

    g_mutex_lock(&server->mutex);
    found = strstr(server->log->str, text) != NULL;
    g_mutex_unlock(&server->mutex);
    return found;
}

/* --- The client's side */

struct client {
    OrielDisplayBackend *backend;
    guint damages, asked;
    gboolean draws_nothing; /* says of no frame that it was shown */
    const char *password;   /* the answer; NULL: none */
};

static void on_damaged(OrielDisplayBackend *backend, const cairo_region_t *region,
                       struct client *client)
{
    client->damages++;
    if (!client->draws_nothing) {
        oriel_display_backend_frame_shown(backend);
    }
}

static void on_credentials(OrielVncBackend *vnc, gboolean user_name, gboolean password,
                           struct client *client)
{
    client->asked++;
    if (client->password) {
        oriel_vnc_backend_set_credentials(vnc, NULL, client->password);
    }
}

static struct client *client_new(const char *address)
{
    struct client *client = g_new0(struct client, 1);

    client->backend = oriel_vnc_backend_new(address, NULL);
    CHECK(client->backend != NULL);
    g_signal_connect(client->backend, "damaged", G_CALLBACK(on_damaged), client);
    g_signal_connect(client->backend, "credentials-needed", G_CALLBACK(on_credentials), client);
    return client;
}

static struct client *client_start(const char *address)
{
    struct client *client = client_new(address);

    oriel_display_backend_start(client->backend);
    return client;
}

static void client_free(struct client *client)
{
    oriel_display_backend_close(client->backend);
    g_object_unref(client->backend);
    g_free(client);
}

static char *address_of(struct server *server)
{
    return g_strdup_printf("127.0.0.1:%d", server->screen->port);
}

static bool has_status(struct client *client, OrielDisplayStatus status)
{
    return oriel_display_backend_get_status(client->backend) == status;
}

/* Whether the backend shows this picture. */
static bool shows(struct client *client, guint width, guint height, const guint32 *pixels)
{
    OrielFramebuffer *framebuffer = oriel_display_backend_get_framebuffer(client->backend);
    const guint32 *shown;

    if (!framebuffer || oriel_framebuffer_get_width(framebuffer) != width ||
        oriel_framebuffer_get_height(framebuffer) != height) {
        return false;
    }
    shown = (const guint32 *)(const void *)oriel_framebuffer_get_pixels(framebuffer);
    for (gsize i = 0; i < (gsize)width * height; i++) {
        if (shown[i] != (pixels[i] | 0xff000000)) {
            return false;
        }
    }
    return true;
}

/* --- Tests */

TEST(addresses)
{
    static const struct {
        const char *text, *shown;
        bool local;
    } good[] = {
        { "example.org", "example.org:5900", false },
        { "example.org:1", "example.org:5901", false },
        { "example.org:5999", "example.org:5999", false },
        { " vnc://example.org:6000/ ", "example.org:6000", false },
        { "VNC://example.org", "example.org:5900", false },
        { "127.0.0.1:5", "127.0.0.1:5905", true },
        { "localhost", "localhost:5900", true },
        { "[::1]:2", "::1:5902", true },
        { "::1", "::1:5900", true },
        { "[fe80::1]", "fe80::1:5900", false },
        { "unix:/run/x", "unix:/run/x", true },
    };
    static const char *const bad[] = { "",           "  ",      ":",         "host:",     "host:x",
                                       "host:70000", "[::1",    "[::1]x",    "unix:",     "a b",
                                       "user@host",  "host:-1", "::1::2::3", "host/path", "[]:1" };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        gboolean local;
        g_autoptr(GSocketConnectable) address = oriel_vnc_address_parse(good[i].text, &local, NULL);
        g_autofree char *text = NULL;

        CHECK(address != NULL);
        if (G_IS_NETWORK_ADDRESS(address)) {
            text =
                g_strdup_printf("%s:%u", g_network_address_get_hostname(G_NETWORK_ADDRESS(address)),
                                g_network_address_get_port(G_NETWORK_ADDRESS(address)));
        } else {
            text = g_strdup_printf("unix:%s",
                                   g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
        }
        CHECK_STR(text, good[i].shown);
        CHECK_EQ(local, good[i].local);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        CHECK(oriel_vnc_backend_new(bad[i], &error) == NULL);
        CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT));
    }
}

TEST(the_picture_is_the_servers)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);

    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    CHECK(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    CHECK_STR(oriel_display_backend_get_title(client->backend), "Test screen");
    CHECK(!oriel_display_backend_get_can_resize(client->backend));
    for (guint i = 0; i < 20; i++) {
        server->pixels[i * WIDTH + i] = 0x123456 + i;
        rfbMarkRectAsModified(server->screen, (int)i, (int)i, (int)i + 1, (int)i + 1);
        UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    }
    client_free(client);
    server_free(server);
}

TEST(another_size_is_another_framebuffer)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);
    static const int sizes[][2] = { { 640, 480 }, { 33, 17 }, { 1024, 768 } };

    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        guint32 *pixels = pixels_new(sizes[i][0], sizes[i][1], (guint)i);

        g_mutex_lock(&server->mutex);
        server->next_pixels = pixels;
        server->next_width = sizes[i][0];
        server->next_height = sizes[i][1];
        g_mutex_unlock(&server->mutex);
        UNTIL(shows(client, (guint)sizes[i][0], (guint)sizes[i][1], pixels));
    }
    client_free(client);
    server_free(server);
}

TEST(a_viewer_that_does_not_draw_reads_nothing_more)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_new(address);

    client->draws_nothing = TRUE;
    oriel_display_backend_start(client->backend);
    UNTIL(client->damages == 1 && shows(client, WIDTH, HEIGHT, server->pixels));
    server->pixels[0] = 0xabcdef;
    rfbMarkRectAsModified(server->screen, 0, 0, 1, 1);
    for (guint i = 0; i < 200; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
    CHECK_EQ(client->damages, 1);
    client->draws_nothing = FALSE;
    oriel_display_backend_frame_shown(client->backend);
    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    client_free(client);
    server_free(server);
}

TEST(keys_and_pointer_arrive_in_order)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    oriel_display_backend_key(client->backend, KEY_A, 'a', TRUE);
    oriel_display_backend_key(client->backend, KEY_A, 'a', FALSE);
    oriel_display_backend_key(client->backend, KEY_LEFTCTRL, 0, TRUE);
    oriel_display_backend_key(client->backend, KEY_LEFTCTRL, 0, FALSE);
    oriel_display_backend_pointer(client->backend, 10, 20, 0);
    oriel_display_backend_pointer(client->backend, 10, 20,
                                  ORIEL_POINTER_LEFT | ORIEL_POINTER_RIGHT);
    oriel_display_backend_pointer(client->backend, 30, 40, ORIEL_POINTER_MIDDLE);
    oriel_display_backend_scroll(client->backend, 0, 1);
    oriel_display_backend_scroll(client->backend, 0, -1);
    UNTIL(log_has(server, "pointer 10 30 40\npointer 2 30 40\n"));
    CHECK(log_has(server, "key 61 1\nkey 61 0\nkey ffe3 1\nkey ffe3 0\n"));
    CHECK(log_has(server, "pointer 5 10 20\n"));
    CHECK(log_has(server, "pointer 18 30 40\npointer 2 30 40\n"));
    client_free(client);
    server_free(server);
}

static void on_typed(GObject *source, GAsyncResult *result, gpointer data)
{
    GError **error = data;

    if (oriel_display_backend_type_text_finish(ORIEL_DISPLAY_BACKEND(source), result, error)) {
        *error = g_error_new_literal(G_IO_ERROR, 0, "typed");
    }
}

TEST(text_is_typed)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);
    g_autoptr(GError) outcome = NULL;

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    oriel_display_backend_type_text_async(client->backend, "Aé\n", NULL, on_typed, &outcome);
    UNTIL(outcome);
    CHECK_STR(outcome->message, "typed");
    UNTIL(log_has(server, "key ff0d 0\n"));
    CHECK(log_has(server, "key ffe1 1\nkey 41 1\nkey 41 0\nkey ffe1 0\nkey e9 1\nkey e9 0\n"));
    client_free(client);
    server_free(server);
}

TEST(closing_lets_keys_go)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    oriel_display_backend_key(client->backend, KEY_LEFTALT, 0, TRUE);
    UNTIL(log_has(server, "key ffe9 1\n"));
    oriel_display_backend_key(client->backend, KEY_LEFTALT, 0, FALSE);
    client_free(client);
    UNTIL(log_has(server, "key ffe9 0\n"));
    server_free(server);
}

TEST(passwords_are_asked_for)
{
    struct server *server = server_new("secret");
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);

    client->password = "secret";
    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    CHECK_EQ(client->asked, 1);
    client_free(client);

    client = client_start(address);
    client->password = "wrong";
    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_FAILED));
    CHECK(strstr(oriel_display_backend_get_message(client->backend), address) != NULL);
    client_free(client);

    client = client_start(address); /* closed while it waits for the answer */
    UNTIL(client->asked == 1);
    client_free(client);
    server_free(server);
}

TEST(nobody_there_is_told)
{
    struct client *client = client_start("unix:/nonexistent/socket");

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_FAILED));
    CHECK(strstr(oriel_display_backend_get_message(client->backend), "unix:/nonexistent/socket"));
    client_free(client);
    client = client_start("127.0.0.1:1"); /* closed while connecting */
    client_free(client);
}

TEST(a_server_that_goes_is_told)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = address_of(server);
    struct client *client = client_start(address);

    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    server_free(server);
    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CLOSED));
    CHECK(oriel_display_backend_get_framebuffer(client->backend) != NULL);
    client_free(client);
}

/* --- Servers that mean harm: bytes of ours */

/* Listens at a socket and sends `bytes` to whoever comes, then waits. */
static gpointer liar_run(gpointer data)
{
    GSocketListener *listener = data;
    GBytes *bytes = g_object_get_data(G_OBJECT(listener), "bytes");
    g_autoptr(GSocketConnection) connection = g_socket_listener_accept(listener, NULL, NULL, NULL);
    GIOStream *stream = G_IO_STREAM(connection);
    char sink[256];
    gsize size;
    gconstpointer sent = g_bytes_get_data(bytes, &size);

    g_output_stream_write_all(g_io_stream_get_output_stream(stream), sent, size, NULL, NULL, NULL);
    while (g_input_stream_read(g_io_stream_get_input_stream(stream), sink, sizeof(sink), NULL,
                               NULL) > 0) {
    }
    return NULL;
}

/* RFB 3.3 without authentication, a screen of 64 x 64, then `rest`. */
static void liar_check(const guint8 *rest, gsize size, bool ends, int line)
{
    static const guint8 greeting[] = "RFB 003.003\n\0\0\0\1\0\100\0\100"
                                     "\40\30\0\1\0\377\0\377\0\377\20\10\0\0\0\0"
                                     "\0\0\0\1x";
    GByteArray *array = g_byte_array_new();
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    g_autofree char *address = NULL;
    struct client *client;
    GThread *thread;
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);

    printf("# the bytes of line %d\n", line);
    g_byte_array_append(array, greeting, sizeof(greeting) - 1);
    g_byte_array_append(array, rest, (guint)size);
    g_object_set_data_full(G_OBJECT(listener), "bytes", g_byte_array_free_to_bytes(array),
                           (GDestroyNotify)g_bytes_unref);
    thread = g_thread_new("liar", liar_run, listener);
    address = g_strdup_printf("127.0.0.1:%u", port);
    client = client_start(address);
    if (ends) {
        UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CLOSED) ||
              has_status(client, ORIEL_DISPLAY_STATUS_FAILED));
    } else {
        UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    }
    client_free(client);
    g_thread_join(thread);
}

#define LIAR(ends, ...)                                                                            \
    do {                                                                                           \
        static const guint8 rest_[] = { __VA_ARGS__ };                                             \
        liar_check(rest_, sizeof(rest_), ends, __LINE__);                                          \
    } while (0)

TEST(servers_that_lie_end_the_connection)
{
    /* An update of one rectangle: x, y, width, height, encoding. */
    LIAR(true, 0, 0, 0, 1, 0, 1, 0, 0, 0, 64, 0, 64, 0, 0, 0, 0); /* beyond the screen */
    LIAR(true, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0x21);                                                             /* 65535 squared */
    LIAR(true, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21); /* no size at all */
    LIAR(true, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 8, 0, 0xff, 0xff, 0xfe, 0xc6, 0, 0, 0,
         0); /* a huge cursor */
    LIAR(true, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0xff, 0xff, 0xfe, 0xc6, 0, 0, 0,
         7);                                                                /* coded cursor */
    LIAR(true, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0x12, 0x34, 0x56, 0x78); /* unknown */
    LIAR(true, 200, [299] = 0);                                             /* no such message */
    LIAR(false, 0, 0, 0, 1, 0, 0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 0); /* half a message, for ever */
}

TEST(what_is_no_vnc_server_is_told)
{
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", port);
    struct client *client;
    GThread *thread;

    g_object_set_data_full(G_OBJECT(listener), "bytes",
                           g_bytes_new_static("HTTP/1.1 400 Bad Request\r\n\r\n", 28),
                           (GDestroyNotify)g_bytes_unref);
    thread = g_thread_new("liar", liar_run, listener);
    client = client_start(address);
    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_FAILED));
    client_free(client);
    g_thread_join(thread);
}

TEST(alpha_cursors_leds_and_motion)
{
    static const guint8 rest[] = {
        0,    0,    0,    3, /* three rectangles */
        0,    1,    0,    0,    0,    2,    0,    1,    0xff, 0xff, 0xfe, 0xc6, 0, 0,
        0,    0,                                        /* hot spot 1, 0 */
        0x10, 0x20, 0x30, 0x40, 0xff, 0xff, 0xff, 0x80, /* the second lies */
        0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff, 0xfe, 0xfb, 5, /* scroll and
                                                                                      caps */
        0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff, 0xfe, 0xff,    /* relative */
    };
    static const guint8 greeting[] = "RFB 003.003\n\0\0\0\1\0\100\0\100"
                                     "\40\30\0\1\0\377\0\377\0\377\20\10\0\0\0\0"
                                     "\0\0\0\1x";
    GByteArray *array = g_byte_array_new();
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", port);
    struct client *client;
    GThread *thread;
    GdkTexture *texture;
    int hot_x, hot_y;
    guint8 pixels[8];

    g_byte_array_append(array, greeting, sizeof(greeting) - 1);
    g_byte_array_append(array, rest, sizeof(rest));
    g_object_set_data_full(G_OBJECT(listener), "bytes", g_byte_array_free_to_bytes(array),
                           (GDestroyNotify)g_bytes_unref);
    thread = g_thread_new("liar", liar_run, listener);
    client = client_start(address);
    UNTIL(!oriel_display_backend_get_absolute_pointer(client->backend) &&
          oriel_display_backend_get_cursor(client->backend));
    CHECK_EQ(oriel_display_backend_get_leds(client->backend), ORIEL_LED_SCROLL | ORIEL_LED_CAPS);
    texture = oriel_guest_cursor_get_texture(oriel_display_backend_get_cursor(client->backend),
                                             &hot_x, &hot_y);
    CHECK_EQ(gdk_texture_get_width(texture), 2);
    CHECK_EQ(hot_x, 1);
    gdk_texture_download(texture, pixels, 8);
    CHECK(memcmp(pixels, "\x30\x20\x10\x40\x80\x80\x80\x80", 8) == 0);
    client_free(client);
    g_thread_join(thread);
}

TEST(trust_is_kept_for_each_address)
{
    g_autofree char *folder = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "oriel", "remote-screens", NULL);
    g_autofree char *at_first = NULL, *later = NULL, *other = NULL, *none = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("XDG_DATA_HOME", folder, TRUE); /* nothing asked for it before */
    CHECK(oriel_vnc_trust_look("host:5900", &at_first, &error) && !at_first);
    CHECK(oriel_vnc_trust_set("host:5900", "AB:CD", &error));
    CHECK(oriel_vnc_trust_set("/run/[x]\n/vnc", "01:23", &error));
    CHECK(oriel_vnc_trust_set("host:5900", "EF:01", &error));
    CHECK(oriel_vnc_trust_look("host:5900", &later, &error));
    CHECK_STR(later, "EF:01");
    CHECK(oriel_vnc_trust_look("/run/[x]\n/vnc", &other, &error));
    CHECK_STR(other, "01:23");
    CHECK(oriel_vnc_trust_look("host:5901", &none, &error) && !none);
    /* What cannot be read says nothing of trust: neither that there is some nor that there is none.
     */
    CHECK(g_file_set_contents(path, "[host:5900]\n", -1, NULL));
    CHECK(!oriel_vnc_trust_look("host:5900", &none, &error) && error && !none);
    g_clear_error(&error);
    CHECK(g_file_set_contents(path, "nonsense", -1, NULL));
    CHECK(!oriel_vnc_trust_look("host:5900", &none, &error) && error);
    g_clear_error(&error);
    CHECK(!oriel_vnc_trust_set("host:5900", "AB:CD", &error) && strstr(error->message, path));
    CHECK(unlink(path) == 0); /* as long as it is there, no screen is shown */
}

TEST_MAIN(T(trust_is_kept_for_each_address), T(addresses), T(the_picture_is_the_servers),
          T(another_size_is_another_framebuffer), T(a_viewer_that_does_not_draw_reads_nothing_more),
          T(keys_and_pointer_arrive_in_order), T(text_is_typed), T(closing_lets_keys_go),
          T(passwords_are_asked_for), T(nobody_there_is_told), T(a_server_that_goes_is_told),
          T(servers_that_lie_end_the_connection), T(what_is_no_vnc_server_is_told),
          T(alpha_cursors_leds_and_motion))
