/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vnc_server.h"

#include <string.h>

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

guint32 *pixels_new(int width, int height, guint seed)
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

struct server *server_new(const char *password)
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

void server_free(struct server *server)
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

bool server_log_has(struct server *server, const char *text)
{
    bool found;

    g_mutex_lock(&server->mutex);
    found = strstr(server->log->str, text) != NULL;
    g_mutex_unlock(&server->mutex);
    return found;
}

char *server_address(struct server *server)
{
    return g_strdup_printf("127.0.0.1:%d", server->screen->port);
}
