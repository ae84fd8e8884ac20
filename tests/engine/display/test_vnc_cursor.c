/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's cursor over VNC, with an adapter of the test's own and clients that speak RFB by
 * themselves: one that knows no cursors sees it in the picture, one that does gets its shape.
 */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapter.h"
#include "display/desktop.h"
#include "display/server.h"

extern const struct display_server display_server;

enum {
    WIDTH = 200,
    HEIGHT = 104, /* a multiple of 8, as JPEG's blocks are */
    ENCODING_RICH_CURSOR = -239,
    ENCODING_DESKTOP_SIZE = -223,
    GROUND = 0x102030,
    MARK = 0xe04020,
};

/* --- A client, on a thread of its own */

struct client {
    int socket, encoding; /* -1: none but raw */
    GThread *thread;
    GMutex mutex;
    uint32_t pixels[WIDTH * HEIGHT];
    uint32_t shape_width, shape_hot_x, shape_pixel; /* of the last cursor that it was sent */
    unsigned shapes, sizes;
};

static bool take(struct client *c, void *data, size_t size)
{
    return recv(c->socket, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* Fails at the end, which take() sees. */
static void give(struct client *c, const void *data, size_t size)
{
    (void)!send(c->socket, data, size, MSG_NOSIGNAL);
}

static bool greet(struct client *c)
{
    static const uint8_t format[20] = { 0, [4] = 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
    uint8_t encodings[12] = { 2, [3] = 1 };
    uint32_t encoding = htonl((uint32_t)c->encoding), size;
    char text[256];

    if (!take(c, text, 12)) {
        return false;
    }
    give(c, "RFB 003.008\n", 12);
    if (!take(c, text, 2)) {
        return false;
    }
    give(c, "\1", 1);
    if (!take(c, text, 4)) {
        return false;
    }
    give(c, "\1", 1);
    if (!take(c, text, 20) || !take(c, &size, 4) || !take(c, text, ntohl(size))) {
        return false;
    }
    give(c, format, sizeof(format));
    if (c->encoding != -1) {
        encodings[3] = 2;
        memcpy(encodings + 8, &encoding, 4);
    }
    give(c, encodings, c->encoding != -1 ? 12 : 8);
    return true;
}

static void request(struct client *c, bool incremental)
{
    uint16_t words[4] = { 0, 0, htons(WIDTH), htons(HEIGHT) };
    uint8_t message[10] = { 3, incremental };

    memcpy(message + 2, words, sizeof(words));
    give(c, message, sizeof(message));
}

static bool pixels_take(struct client *c, unsigned x, unsigned y, unsigned width, unsigned height)
{
    static const unsigned bytes = sizeof(uint32_t);
    g_autofree uint32_t *pixels = g_new(uint32_t, (size_t)width * height + 1);

    if (x + width > WIDTH || y + height > HEIGHT || !take(c, pixels, width * height * bytes)) {
        return false;
    }
    g_mutex_lock(&c->mutex);
    for (unsigned row = 0; row < height; row++) {
        memcpy(c->pixels + (size_t)(y + row) * WIDTH + x, pixels + (size_t)row * width,
               width * bytes);
    }
    g_mutex_unlock(&c->mutex);
    return true;
}

static bool shape_take(struct client *c, unsigned hot_x, unsigned width, unsigned height)
{
    size_t size = (size_t)width * height * 4, mask = (size_t)(width + 7) / 8 * height;
    g_autofree uint8_t *data = g_malloc0(size + mask + 4);

    if (!take(c, data, size + mask)) {
        return false;
    }
    g_mutex_lock(&c->mutex);
    c->shapes++;
    c->shape_width = width;
    c->shape_hot_x = hot_x;
    memcpy(&c->shape_pixel, data, sizeof(c->shape_pixel));
    g_mutex_unlock(&c->mutex);
    return true;
}

/* Whatever size it is: nothing is known of the picture. */
static bool size_take(struct client *c)
{
    g_mutex_lock(&c->mutex);
    c->sizes++;
    memset(c->pixels, 0, sizeof(c->pixels));
    g_mutex_unlock(&c->mutex);
    return true;
}

static bool update_take(struct client *c)
{
    uint8_t header[4];
    uint16_t rectangle[6];
    bool taken;

    if (!take(c, header, sizeof(header)) || header[0] != 0) {
        return false;
    }
    for (unsigned n = header[2] * 256u + header[3]; n > 0; n--) {
        if (!take(c, rectangle, sizeof(rectangle))) {
            return false;
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(rectangle); i++) {
            rectangle[i] = ntohs(rectangle[i]);
        }
        switch ((int32_t)((uint32_t)rectangle[4] << 16 | rectangle[5])) {
        case ENCODING_RICH_CURSOR:
            taken = shape_take(c, rectangle[0], rectangle[2], rectangle[3]);
            break;
        case ENCODING_DESKTOP_SIZE:
            taken = size_take(c);
            break;
        default:
            taken = pixels_take(c, rectangle[0], rectangle[1], rectangle[2], rectangle[3]);
        }
        if (!taken) {
            return false;
        }
    }
    return true;
}

static gpointer client_run(gpointer data)
{
    struct client *c = data;

    if (greet(c)) {
        request(c, false);
        while (update_take(c)) {
            request(c, true);
        }
    }
    return NULL;
}

/* Bits of a pixel that mean something. */
static uint32_t pixel_of(struct client *c, unsigned x, unsigned y)
{
    uint32_t pixel;

    g_mutex_lock(&c->mutex);
    pixel = c->pixels[y * WIDTH + x] & 0xffffff;
    g_mutex_unlock(&c->mutex);
    return pixel;
}

/* How many pixels of the picture have a colour. */
static unsigned pixels_with(struct client *c, uint32_t colour)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
        n += pixel_of(c, i % WIDTH, i / WIDTH) == colour;
    }
    return n;
}

/* --- A server with one client */

struct stage {
    struct adapter adapter;
    struct console *console;
    struct input *input;
    void *server;
    struct client client;
};

static void stage_lock(struct device *device)
{
}

static void client_begin(struct stage *s, int encoding)
{
    int sockets[2];

    memset(&s->client, 0, sizeof(s->client));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    display_server.add_client(s->server, sockets[0]);
    g_mutex_init(&s->client.mutex);
    s->client.socket = sockets[1];
    s->client.encoding = encoding;
    s->client.thread = g_thread_new("client", client_run, &s->client);
}

static void client_end(struct stage *s)
{
    shutdown(s->client.socket, SHUT_RDWR);
    g_thread_join(s->client.thread);
    close(s->client.socket);
    g_mutex_clear(&s->client.mutex);
}

static void stage_open(struct stage *s, int encoding)
{
    memset(s, 0, sizeof(*s));
    s->adapter = (struct adapter){ .device.class = &adapter_class,
                                   .mode = { WIDTH, HEIGHT },
                                   .colour = GROUND };
    s->console = console_new(&s->adapter.device, 0, adapter_lock, adapter_unlock);
    s->input = input_new(stage_lock, stage_lock);
    s->server = display_server.start(s->console, s->input, "Quince", NULL);
    client_begin(s, encoding);
}

static void stage_close(struct stage *s)
{
    client_end(s);
    display_server.stop(s->server);
    input_free(s->input);
    console_free(s->console);
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

/* A shape whose first `side` x `side` pixels are opaque and of one colour. */
static void shape_set(struct stage *s, uint32_t colour, unsigned side)
{
    memset(s->adapter.cursor.pixels, 0, sizeof(s->adapter.cursor.pixels));
    for (unsigned y = 0; y < side; y++) {
        for (unsigned x = 0; x < side; x++) {
            s->adapter.cursor.pixels[y * DISPLAY_CURSOR_SIDE + x] = DISPLAY_OPAQUE | colour;
        }
    }
    s->adapter.cursor.shape++;
    s->adapter.cursor.visible = true;
    console_wake(s->console);
}

static void cursor_move(struct stage *s, int x, int y)
{
    s->adapter.cursor.x = x;
    s->adapter.cursor.y = y;
    console_wake(s->console);
}

TEST(who_knows_no_cursors_sees_it_in_the_picture)
{
    struct stage s;

    stage_open(&s, -1);
    WAIT_FOR(pixels_with(&s.client, GROUND) == WIDTH * HEIGHT);
    shape_set(&s, MARK, 4);
    s.adapter.cursor.hot_x = 2;
    cursor_move(&s, 30, 20);
    WAIT_FOR(pixel_of(&s.client, 30, 20) == MARK && pixels_with(&s.client, MARK) == 16);
    cursor_move(&s, 60, 40);
    WAIT_FOR(pixel_of(&s.client, 60, 40) == MARK && pixels_with(&s.client, MARK) == 16);
    CHECK_EQ(pixel_of(&s.client, 30, 20), GROUND);
    shape_set(&s, 0x00ff00, 8); /* another shape in the same place */
    WAIT_FOR(pixels_with(&s.client, 0x00ff00) == 64 && pixels_with(&s.client, MARK) == 0);
    s.adapter.cursor.visible = false;
    console_wake(s.console);
    WAIT_FOR(pixels_with(&s.client, GROUND) == WIDTH * HEIGHT);
    s.adapter.cursor.visible = true;
    console_wake(s.console);
    WAIT_FOR(pixels_with(&s.client, 0x00ff00) == 64);
    stage_close(&s);
}

TEST(what_changes_under_the_cursor_stays_under_it)
{
    struct stage s;

    stage_open(&s, -1);
    shape_set(&s, MARK, 4);
    cursor_move(&s, 30, 20);
    WAIT_FOR(pixels_with(&s.client, MARK) == 16);
    adapter_paint(&s.adapter, 0x445566, (struct rect){ 25, 15, 20, 20 });
    console_wake(s.console);
    WAIT_FOR(pixels_with(&s.client, 0x445566) == 400 - 16);
    CHECK_EQ(pixels_with(&s.client, MARK), 16);
    cursor_move(&s, 100, 60);
    WAIT_FOR(pixels_with(&s.client, 0x445566) == 400 && pixels_with(&s.client, MARK) == 16);
    stage_close(&s);
}

TEST(the_next_client_sees_it_too)
{
    struct stage s;

    stage_open(&s, -1);
    shape_set(&s, MARK, 4);
    cursor_move(&s, 30, 20);
    WAIT_FOR(pixels_with(&s.client, MARK) == 16);
    client_end(&s);
    /* The viewer that it leaves is taken again, by one that knows cursors and then by one that does
     * not. */
    client_begin(&s, ENCODING_RICH_CURSOR);
    WAIT_FOR(s.client.shapes > 0 && pixels_with(&s.client, GROUND) == WIDTH * HEIGHT);
    client_end(&s);
    client_begin(&s, -1);
    WAIT_FOR(pixels_with(&s.client, MARK) == 16);
    CHECK_EQ(pixels_with(&s.client, GROUND), WIDTH * HEIGHT - 16);
    stage_close(&s);
}

TEST(another_size_leaves_nothing_behind)
{
    struct stage s;

    stage_open(&s, ENCODING_DESKTOP_SIZE);
    shape_set(&s, MARK, 4);
    cursor_move(&s, 30, 20);
    WAIT_FOR(pixels_with(&s.client, MARK) == 16);
    s.adapter.mode.width = WIDTH / 2;
    console_wake(s.console);
    WAIT_FOR(s.client.sizes > 0 && pixels_with(&s.client, MARK) == 16);
    CHECK_EQ(pixels_with(&s.client, GROUND), WIDTH / 2 * HEIGHT - 16);
    cursor_move(&s, 60, 60);
    WAIT_FOR(pixel_of(&s.client, 60, 60) == MARK && pixel_of(&s.client, 30, 20) == GROUND);
    stage_close(&s);
}

static void on_snapshot(GObject *source, GAsyncResult *result, gpointer data)
{
    char **text = data;

    if (!g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, text, NULL, NULL) ||
        !g_subprocess_get_successful(G_SUBPROCESS(source))) {
        g_free(*text);
        *text = g_strdup("failed");
    }
}

/* What a program says, while the server goes on. g_free(). */
static char *said_by(const char *command)
{
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, "sh", "-c", command, NULL);
    char *text = NULL;

    CHECK(process);
    g_subprocess_communicate_utf8_async(process, NULL, NULL, on_snapshot, &text);
    WAIT_FOR(text);
    return text;
}

static gboolean on_connection(GSocketService *service, GSocketConnection *connection,
                              GObject *source, gpointer data)
{
    struct stage *s = data;
    GSocket *socket = g_socket_connection_get_socket(connection);

    display_server.add_client(s->server, fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0));
    return TRUE;
}

/* A client that is not ours. It always asks for shapes; told to, it shows them where its own
 * pointer is, at 0, 0. */
TEST(vncsnapshot_gets_the_shape)
{
    g_autofree char *program = g_find_program_in_path("vncsnapshot");
    g_autofree char *convert = g_find_program_in_path("convert");
    g_autofree char *folder = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autoptr(GSocketService) service = g_socket_service_new();
    struct stage s;

    if (!program || !convert) {
        printf("# vncsnapshot or ImageMagick is not installed\n");
        return;
    }
    stage_open(&s, -1);
    shape_set(&s, MARK, 16);
    cursor_move(&s, 32, 24);
    WAIT_FOR(pixels_with(&s.client, MARK) == 256);
    g_signal_connect(service, "incoming", G_CALLBACK(on_connection), &s);
    guint16 port = g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(service), NULL, NULL);
    g_autofree char *command = g_strdup_printf(
        "cd %s && vncsnapshot -quiet -cursor -nojpeg -encodings raw 127.0.0.1:%d shot.jpg >&2 && "
        "convert shot.jpg -depth 8 -format '%%[fx:round(255*p{8,8}.r)] "
        "%%[fx:round(255*p{40,32}.r)] %%w' info:; rm -rf %s",
        folder, port - 5900, folder);
    g_autofree char *said = said_by(command);
    unsigned marked, ground, width;

    printf("# %s\n", said);
    CHECK(sscanf(said, "%u %u %u", &marked, &ground, &width) == 3);
    CHECK_EQ(width, WIDTH);
    CHECK(marked > 0xe0 - 16 && ground < 0x10 + 16); /* red of JPEG's */
    stage_close(&s);
}

TEST(cursors_at_the_edges_are_cut)
{
    static const struct {
        int x, y;
        unsigned seen;
    } places[] = { { -2, -3, 2 },   { WIDTH - 1, HEIGHT - 1, 1 }, { WIDTH - 4, 10, 16 },
                   { 10, -100, 0 }, { WIDTH + 50, 0, 0 },         { 0, HEIGHT - 2, 8 } };
    struct stage s;

    stage_open(&s, -1);
    shape_set(&s, MARK, 4);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        cursor_move(&s, places[i].x, places[i].y);
        WAIT_FOR(pixels_with(&s.client, MARK) == places[i].seen);
        CHECK_EQ(pixels_with(&s.client, GROUND), WIDTH * HEIGHT - places[i].seen);
    }
    stage_close(&s);
}

TEST(who_knows_cursors_gets_the_shape)
{
    struct stage s;

    stage_open(&s, ENCODING_RICH_CURSOR);
    shape_set(&s, MARK, 4);
    s.adapter.cursor.hot_x = 3;
    cursor_move(&s, 30, 20);
    WAIT_FOR(s.client.shapes > 0 && (s.client.shape_pixel & 0xffffff) == MARK);
    CHECK_EQ(s.client.shape_width, DISPLAY_CURSOR_SIDE);
    CHECK_EQ(s.client.shape_hot_x, 3);
    adapter_paint(&s.adapter, 0x445566, (struct rect){ 25, 15, 20, 20 });
    console_wake(s.console);
    WAIT_FOR(pixels_with(&s.client, 0x445566) == 400); /* it draws the cursor itself */
    CHECK_EQ(pixels_with(&s.client, MARK), 0);
    stage_close(&s);
}

TEST_MAIN(T(who_knows_no_cursors_sees_it_in_the_picture),
          T(what_changes_under_the_cursor_stays_under_it), T(the_next_client_sees_it_too),
          T(another_size_leaves_nothing_behind), T(vncsnapshot_gets_the_shape),
          T(cursors_at_the_edges_are_cut), T(who_knows_cursors_gets_the_shape))
