/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VNC backend against servers of LibVNCServer in this process, each on a thread of its own, and
 * against ones that only pretend. Needs no screen: what the backend gives is looked at directly.
 */
#include <linux/input-event-codes.h>

#include "oriel-display-backend.h"
#include "display/vnc/oriel-vnc-backend.h"
#include "test.h"
#include "vnc_server.h"

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

/* --- The client's side ------------------------------------------------------------------------ */

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

/* --- A server that serves --------------------------------------------------------------------- */

TEST(the_picture_is_the_servers)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = server_address(server);
    struct client *client = client_start(address);

    /* The thread writes pixels that the main loop has heard of before it hears of the connection.
     */
    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels) &&
          has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
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
    g_autofree char *address = server_address(server);
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
    g_autofree char *address = server_address(server);
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
    g_autofree char *address = server_address(server);
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
    UNTIL(server_log_has(server, "pointer 10 30 40\npointer 2 30 40\n"));
    CHECK(server_log_has(server, "key 61 1\nkey 61 0\nkey ffe3 1\nkey ffe3 0\n"));
    CHECK(server_log_has(server, "pointer 5 10 20\n"));
    CHECK(server_log_has(server, "pointer 18 30 40\npointer 2 30 40\n"));
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
    g_autofree char *address = server_address(server);
    struct client *client = client_start(address);
    g_autoptr(GError) outcome = NULL;

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    oriel_display_backend_type_text_async(client->backend, "Aé\n", NULL, on_typed, &outcome);
    UNTIL(outcome);
    CHECK_STR(outcome->message, "typed");
    UNTIL(server_log_has(server, "key ff0d 0\n"));
    CHECK(
        server_log_has(server, "key ffe1 1\nkey 41 1\nkey 41 0\nkey ffe1 0\nkey e9 1\nkey e9 0\n"));
    client_free(client);
    server_free(server);
}

TEST(closing_lets_keys_go)
{
    struct server *server = server_new(NULL);
    g_autofree char *address = server_address(server);
    struct client *client = client_start(address);

    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CONNECTED));
    oriel_display_backend_key(client->backend, KEY_LEFTALT, 0, TRUE);
    UNTIL(server_log_has(server, "key ffe9 1\n"));
    oriel_display_backend_key(client->backend, KEY_LEFTALT, 0, FALSE);
    client_free(client);
    UNTIL(server_log_has(server, "key ffe9 0\n"));
    server_free(server);
}

TEST(passwords_are_asked_for)
{
    struct server *server = server_new("secret");
    g_autofree char *address = server_address(server);
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
    g_autofree char *address = server_address(server);
    struct client *client = client_start(address);

    UNTIL(shows(client, WIDTH, HEIGHT, server->pixels));
    server_free(server);
    UNTIL(has_status(client, ORIEL_DISPLAY_STATUS_CLOSED));
    CHECK(oriel_display_backend_get_framebuffer(client->backend) != NULL);
    client_free(client);
}

/* --- Servers that mean harm: bytes of ours ---------------------------------------------------- */

/* Listens at a socket and sends `bytes` to whoever comes, then waits. What that said becomes
 * `heard`, a GByteArray. */
static gpointer liar_run(gpointer data)
{
    GSocketListener *listener = data;
    GBytes *bytes = g_object_get_data(G_OBJECT(listener), "bytes");
    g_autoptr(GSocketConnection) connection = g_socket_listener_accept(listener, NULL, NULL, NULL);
    GIOStream *stream = G_IO_STREAM(connection);
    GByteArray *heard = g_byte_array_new();
    guint8 some[256];
    gssize n;
    gsize size;
    gconstpointer sent = g_bytes_get_data(bytes, &size);

    g_output_stream_write_all(g_io_stream_get_output_stream(stream), sent, size, NULL, NULL, NULL);
    while ((n = g_input_stream_read(g_io_stream_get_input_stream(stream), some, sizeof(some), NULL,
                                    NULL)) > 0) {
        g_byte_array_append(heard, some, (guint)n);
    }
    g_object_set_data_full(G_OBJECT(listener), "heard", heard, (GDestroyNotify)g_byte_array_unref);
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
    /* The wheel is turned where the pointer is: without motion. */
    static const guint8 wheel[] = { 5, 0x10, 0x7f, 0xff, 0x7f, 0xff, 5, 0, 0x7f, 0xff, 0x7f, 0xff };
    const GByteArray *heard;
    int hot_x, hot_y;
    guint8 pixels[8];

    g_byte_array_append(array, greeting, sizeof(greeting) - 1);
    g_byte_array_append(array, rest, sizeof(rest));
    g_object_set_data_full(G_OBJECT(listener), "bytes", g_byte_array_free_to_bytes(array),
                           (GDestroyNotify)g_bytes_unref);
    thread = g_thread_new("liar", liar_run, listener);
    client = client_start(address);
    UNTIL(oriel_display_backend_get_pointer_mode(client->backend) == ORIEL_POINTER_MODE_RELATIVE &&
          oriel_display_backend_get_cursor(client->backend));
    CHECK_EQ(oriel_display_backend_get_leds(client->backend), ORIEL_LED_SCROLL | ORIEL_LED_CAPS);
    texture = oriel_guest_cursor_get_texture(oriel_display_backend_get_cursor(client->backend),
                                             &hot_x, &hot_y);
    CHECK_EQ(gdk_texture_get_width(texture), 2);
    CHECK_EQ(hot_x, 1);
    gdk_texture_download(texture, pixels, 8);
    CHECK(memcmp(pixels, "\x30\x20\x10\x40\x80\x80\x80\x80", 8) == 0);
    oriel_display_backend_pointer(client->backend, 5, 6, 0); /* before it has heard of that */
    oriel_display_backend_scroll(client->backend, 0, 1);
    client_free(client);
    g_thread_join(thread);
    heard = g_object_get_data(G_OBJECT(listener), "heard");
    CHECK(heard->len > sizeof(wheel));
    CHECK(memcmp(heard->data + heard->len - sizeof(wheel), wheel, sizeof(wheel)) == 0);
}

TEST_MAIN(T(the_picture_is_the_servers), T(another_size_is_another_framebuffer),
          T(a_viewer_that_does_not_draw_reads_nothing_more), T(keys_and_pointer_arrive_in_order),
          T(text_is_typed), T(closing_lets_keys_go), T(passwords_are_asked_for),
          T(nobody_there_is_told), T(a_server_that_goes_is_told),
          T(servers_that_lie_end_the_connection), T(what_is_no_vnc_server_is_told),
          T(alpha_cursors_leds_and_motion))
