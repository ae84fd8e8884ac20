/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The thread of a VNC connection: LibVNCClient with a poll loop of our own.
 *
 * The library decodes into a buffer that only this thread knows. When an update is complete, what
 * changed is copied to the framebuffer that the widget shows, with the fourth byte set, which
 * servers leave undefined. After that nothing is read until the widget has drawn: the server's
 * socket fills, and it waits for us. The library's own wait ignores bytes it has already read, so
 * the loop looks at them first.
 *
 * Version 0.9.14 of the library asks servers for ExtendedDesktopSize but ignores the size of those
 * whose screen has the number 0, as QEMU's has; so the encodings are sent once more without it, and
 * sizes come by the older DesktopSize.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfbclient.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oriel-vnc-tls.h"

enum {
    BYTES_PER_PIXEL = 4,
    DAMAGE_MAX = 64,       /* rectangles; more become one */
    CURSOR_MAX = 512,      /* pixels a side */
    MESSAGE_ENCODINGS = 2, /* client message SetEncodings */
};

/* What the thread has for itself. */
struct session {
    OrielVncLink *link;
    rfbClient *client;
    guint8 *decoded;         /* the library's picture, lines of width pixels */
    OrielFramebuffer *shown; /* what the widget has */
    cairo_region_t *damage;  /* of the update that is being read */
    gboolean gave_password;
    gboolean missed_certificate; /* and so was told nothing */
};

/* The library's last word on why something went wrong; it has one function for all threads. */
static _Thread_local char last_problem[200];

static void __attribute__((format(printf, 1, 2))) on_log(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_vsnprintf(last_problem, sizeof(last_problem), format, arguments);
    va_end(arguments);
    g_debug("libvncclient: %s", last_problem);
}

static struct session *session_of(rfbClient *client)
{
    return rfbClientGetClientData(client, (void *)on_log);
}

/* --- Picture */

static rfbBool on_size(rfbClient *client)
{
    struct session *session = session_of(client);
    OrielFramebuffer *framebuffer = NULL;
    guint8 *decoded = NULL;

    if (client->width > 0 && client->height > 0) {
        framebuffer = oriel_framebuffer_new((guint)client->width, (guint)client->height);
    }
    if (framebuffer) { /* the size is within limits */
        decoded = g_try_malloc0_n((gsize)client->width * (gsize)client->height, BYTES_PER_PIXEL);
    }
    if (!framebuffer || !decoded) {
        on_log("a picture of %d x %d pixels", client->width, client->height);
        g_clear_object(&framebuffer);
        g_free(decoded);
        return FALSE;
    }
    g_free(session->decoded);
    session->decoded = decoded;
    client->frameBuffer = decoded;
    g_set_object(&session->shown, framebuffer);
    cairo_region_destroy(session->damage);
    session->damage = cairo_region_create();
    g_mutex_lock(&session->link->mutex);
    g_clear_object(&session->link->framebuffer);
    session->link->framebuffer = framebuffer;
    g_clear_pointer(&session->link->damage, cairo_region_destroy);
    oriel_vnc_link_post(session->link);
    g_mutex_unlock(&session->link->mutex);
    return TRUE;
}

static void on_rectangle(rfbClient *client, int x, int y, int width, int height)
{
    struct session *session = session_of(client);
    cairo_rectangle_int_t rectangle = { x, y, width, height };
    cairo_rectangle_int_t whole = { 0, 0, client->width, client->height };

    cairo_region_union_rectangle(session->damage, &rectangle);
    cairo_region_intersect_rectangle(session->damage, &whole);
    if (cairo_region_num_rectangles(session->damage) > DAMAGE_MAX) {
        cairo_region_get_extents(session->damage, &rectangle);
        cairo_region_union_rectangle(session->damage, &rectangle);
    }
}

static void rectangle_publish(struct session *session, const cairo_rectangle_int_t *rectangle)
{
    gsize stride = oriel_framebuffer_get_stride(session->shown);
    gsize offset = (gsize)rectangle->y * stride + (gsize)rectangle->x * BYTES_PER_PIXEL;
    const guint8 *from = session->decoded + offset;
    guint8 *to = oriel_framebuffer_get_pixels(session->shown) + offset;

    for (int y = 0; y < rectangle->height; y++, from += stride, to += stride) {
        const guint32 *source = (const guint32 *)(const void *)from;
        guint32 *target = (guint32 *)(void *)to;

        for (int x = 0; x < rectangle->width; x++) {
            target[x] = source[x] | GUINT32_FROM_LE(0xff000000);
        }
    }
}

static void on_update_end(rfbClient *client)
{
    struct session *session = session_of(client);
    OrielVncLink *link = session->link;

    if (cairo_region_is_empty(session->damage)) {
        return;
    }
    for (int i = 0; i < cairo_region_num_rectangles(session->damage); i++) {
        cairo_rectangle_int_t rectangle;

        cairo_region_get_rectangle(session->damage, i, &rectangle);
        rectangle_publish(session, &rectangle);
    }
    g_mutex_lock(&link->mutex);
    if (!link->damage) {
        link->damage = cairo_region_create();
    }
    cairo_region_union(link->damage, session->damage);
    link->unshown = TRUE;
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
    cairo_region_destroy(session->damage);
    session->damage = cairo_region_create();
}

/* A cursor in the picture's format with a mask of one byte a pixel. */
static void on_cursor(rfbClient *client, int hot_x, int hot_y, int width, int height,
                      int bytes_per_pixel)
{
    OrielVncLink *link = session_of(client)->link;
    OrielVncCursor *cursor;
    guint32 *pixels;

    if (width < 1 || height < 1 || width > CURSOR_MAX || height > CURSOR_MAX ||
        bytes_per_pixel != BYTES_PER_PIXEL) {
        return;
    }
    pixels = g_new(guint32, (gsize)width * (gsize)height);
    memcpy(pixels, client->rcSource, (gsize)width * (gsize)height * BYTES_PER_PIXEL);
    for (int i = 0; i < width * height; i++) {
        pixels[i] = client->rcMask[i] ? pixels[i] | GUINT32_FROM_LE(0xff000000) : 0;
    }
    cursor = g_new0(OrielVncCursor, 1);
    cursor->pixels = g_bytes_new_take(pixels, (gsize)width * (gsize)height * BYTES_PER_PIXEL);
    cursor->width = (guint)width;
    cursor->height = (guint)height;
    cursor->hot_x = hot_x;
    cursor->hot_y = hot_y;
    g_mutex_lock(&link->mutex);
    g_clear_pointer(&link->cursor, oriel_vnc_cursor_free);
    link->cursor = cursor;
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
}

/* --- Who we are */

/* Who showed a certificate once must go on doing so: nobody else can take its place then. */
static gboolean lacks_certificate(const OrielVncLink *link)
{
    return link->trusted && !link->is_verified;
}

/* Asks and waits; FALSE when the connection is to end instead. The strings are the caller's. */
static gboolean credentials_wait(struct session *session, gboolean user_name, char **name,
                                 char **password)
{
    OrielVncLink *link = session->link;
    gboolean given;

    if (lacks_certificate(link)) {
        session->missed_certificate = TRUE;
        return FALSE;
    }
    g_mutex_lock(&link->mutex);
    link->needs_user_name = user_name;
    link->needs_password = TRUE;
    oriel_vnc_link_post(link);
    while (!link->has_credentials && !link->quit) {
        g_cond_wait(&link->credentials_given, &link->mutex);
    }
    given = !link->quit;
    link->has_credentials = FALSE;
    /* The library frees them with free(). */
    *name = given ? strdup(link->user_name ? link->user_name : "") : NULL;
    *password = given ? strdup(link->password ? link->password : "") : NULL;
    g_mutex_unlock(&link->mutex);
    session->gave_password = given;
    return given;
}

static char *on_password(rfbClient *client)
{
    char *name, *password;

    if (!credentials_wait(session_of(client), FALSE, &name, &password)) {
        return NULL;
    }
    free(name);
    return password;
}

static rfbCredential *on_credential(rfbClient *client, int type)
{
    rfbCredential *credential;
    char *name, *password;

    if (type == rfbCredentialTypeX509) {
        return oriel_vnc_tls_begin(client);
    }
    if (type != rfbCredentialTypeUser ||
        !credentials_wait(session_of(client), TRUE, &name, &password)) {
        return NULL;
    }
    credential = calloc(1, sizeof(*credential));
    if (credential) {
        credential->userCredential.username = name;
        credential->userCredential.password = password;
    }
    return credential;
}

/* --- Connection */

static const guint32 auth_schemes[] = { rfbVncAuth, rfbNoAuth, rfbTLS, rfbVeNCrypt };
static const guint32 auth_schemes_certified[] = { rfbVeNCrypt };

static rfbClient *client_new(struct session *session, int socket)
{
    rfbClient *client = rfbGetClient(8, 3, BYTES_PER_PIXEL);

    client->format.redShift = 16;
    client->format.greenShift = 8;
    client->format.blueShift = 0;
    client->sock = socket;
    client->listenSpecified = TRUE; /* the socket is connected already */
    client->canHandleNewFBSize = TRUE;
    client->appData.shareDesktop = TRUE;
    client->appData.useRemoteCursor = TRUE;
    client->appData.encodingsString =
        session->link->local ? "copyrect raw" : "tight zrle copyrect hextile raw";
    client->appData.compressLevel = session->link->local ? -1 : 2;
    client->appData.qualityLevel = 8;
    client->MallocFrameBuffer = on_size;
    client->GotFrameBufferUpdate = on_rectangle;
    client->FinishedFrameBufferUpdate = on_update_end;
    client->GotCursorShape = on_cursor;
    client->GetPassword = on_password;
    client->GetCredential = on_credential;
    if (session->link->trusted) {
        SetClientAuthSchemes(client, auth_schemes_certified, G_N_ELEMENTS(auth_schemes_certified));
    } else {
        SetClientAuthSchemes(client, auth_schemes, G_N_ELEMENTS(auth_schemes));
    }
    rfbClientSetClientData(client, (void *)on_log, session);
    rfbClientSetClientData(client, (void *)&oriel_vnc_link_tag, session->link);
    return client;
}

static gboolean encodings_send(rfbClient *client, gboolean local)
{
    static const gint32 pictures_local[] = { rfbEncodingCopyRect, rfbEncodingRaw };
    static const gint32 pictures_remote[] = { rfbEncodingTight,
                                              rfbEncodingZRLE,
                                              rfbEncodingCopyRect,
                                              rfbEncodingHextile,
                                              rfbEncodingRaw,
                                              (gint32)rfbEncodingCompressLevel2,
                                              (gint32)rfbEncodingQualityLevel8 };
    static const gint32 others[] = { -314,
                                     -257,
                                     -261,
                                     (gint32)rfbEncodingRichCursor,
                                     (gint32)rfbEncodingXCursor,
                                     (gint32)rfbEncodingNewFBSize,
                                     (gint32)rfbEncodingLastRect,
                                     (gint32)rfbEncodingQemuExtendedKeyEvent };
    const gint32 *pictures = local ? pictures_local : pictures_remote;
    gsize n = local ? G_N_ELEMENTS(pictures_local) : G_N_ELEMENTS(pictures_remote);
    g_autoptr(GByteArray) message = g_byte_array_new();
    guint16 count = GUINT16_TO_BE((guint16)(n + G_N_ELEMENTS(others)));

    g_byte_array_append(message, (const guint8[]){ MESSAGE_ENCODINGS, 0 }, 2);
    g_byte_array_append(message, (const guint8 *)&count, sizeof(count));
    for (gsize i = 0; i < n + G_N_ELEMENTS(others); i++) {
        gint32 encoding = GINT32_TO_BE(i < n ? pictures[i] : others[i - n]);

        g_byte_array_append(message, (const guint8 *)&encoding, sizeof(encoding));
    }
    return WriteToRFBServer(client, (const char *)message->data, message->len);
}

static gboolean command_run(rfbClient *client, const OrielVncCommand *command)
{
    if (command->kind == ORIEL_VNC_POINTER) {
        return SendPointerEvent(client, (int)command->x, (int)command->y, (int)command->mask);
    }
    /* False also when the server does not know the extended event: then the symbol has to do. */
    return (command->xt != 0 &&
            SendExtendedKeyEvent(client, command->keysym, command->xt, command->down)) ||
           command->keysym == 0 || SendKeyEvent(client, command->keysym, command->down);
}

/* FALSE when the connection is to end or broke; keys that were let go are sent before. */
static gboolean commands_run(struct session *session, gboolean *may_read)
{
    OrielVncLink *link = session->link;
    gboolean going, sent = TRUE;
    GQueue commands = G_QUEUE_INIT;
    OrielVncCommand *command;

    g_mutex_lock(&link->mutex);
    going = !link->quit;
    *may_read = !link->unshown;
    commands = link->commands;
    g_queue_init(&link->commands);
    g_mutex_unlock(&link->mutex);
    while ((command = g_queue_pop_head(&commands))) {
        sent = sent && command_run(session->client, command);
        g_free(command);
    }
    return going && sent;
}

static void loop(struct session *session)
{
    rfbClient *client = session->client;
    struct pollfd fds[2] = { { .fd = session->link->wake, .events = POLLIN } };
    gboolean may_read;
    guint64 count;

    while (commands_run(session, &may_read)) {
        if (may_read && (client->buffered > 0 || oriel_vnc_tls_has_more(client))) {
            if (!HandleRFBServerMessage(client)) {
                return;
            }
            continue;
        }
        fds[1] = (struct pollfd){ .fd = may_read ? client->sock : -1, .events = POLLIN };
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR) {
            return;
        }
        if ((fds[0].revents & POLLIN) && read(fds[0].fd, &count, sizeof(count)) < 0 &&
            errno != EAGAIN) {
            return;
        }
        if (fds[1].revents && !HandleRFBServerMessage(client)) {
            return;
        }
    }
}

/* The library tells the answer to a password in its log only: these words, or what the server said.
 */
static gboolean password_was_wrong(const struct session *session)
{
    return session->gave_password && (g_str_has_prefix(last_problem, "VNC authentication failed") ||
                                      g_str_has_prefix(last_problem, "VNC connection failed"));
}

/* Why there is no connection, as the end of a sentence. */
static const char *problem_of(const OrielVncLink *link)
{
    const OrielVncCertificate *certificate = link->certificate;

    if (certificate && !certificate->is_changed) {
        return _("it shows a certificate that you have not accepted");
    }
    if (certificate && certificate->fingerprint) {
        return _("it shows another certificate than the one that you accepted; either it has a new "
                 "one, which those who run it can tell you, or another computer answers in its "
                 "place");
    }
    if (certificate) {
        return _("it showed a certificate before and shows none now; either it was set up anew, "
                 "which those who run it can tell you, or another computer answers in its place");
    }
    return last_problem[0] ? g_strchomp(last_problem) : _("it does not speak VNC");
}

static void client_free(rfbClient *client)
{
    free(client->rcSource);
    free(client->rcMask);
    rfbClientCleanup(client);
}

/* NULL if no connection came about, as the link says then. */
static rfbClient *client_connect(struct session *session, int socket)
{
    OrielVncLink *link = session->link;
    rfbClient *client = client_new(session, socket);
    gboolean connected;

    last_problem[0] = '\0';
    connected = rfbInitClient(client, NULL, NULL); /* otherwise it freed it */
    if (lacks_certificate(link) && !link->certificate &&
        (connected || session->missed_certificate ||
         g_str_has_prefix(last_problem, "Unknown authentication scheme"))) {
        oriel_vnc_tls_note_none(link);
    }
    if (connected && !link->certificate) {
        return client;
    }
    if (connected) {
        client_free(client);
    }
    link->refused = password_was_wrong(session); /* the other side looks after the end */
    oriel_vnc_link_end(link, problem_of(link));
    return NULL;
}

static void session_run(struct session *session)
{
    OrielVncLink *link = session->link;
    int socket = fcntl(link->socket, F_DUPFD_CLOEXEC, 0);
    g_autoptr(GError) error = NULL;
    gboolean may_read;
    rfbClient *client;

    if (socket < 0 || socket >= FD_SETSIZE) { /* the library keeps descriptors in an fd_set */
        if (socket >= 0) {
            close(socket);
        }
        oriel_vnc_link_end(link, _("too many files are open"));
        return;
    }
    if (!oriel_vnc_tls_look(link, &error)) {
        close(socket);
        oriel_vnc_link_end(link, error->message);
        return;
    }
    client = client_connect(session, socket);
    if (!client) {
        return;
    }
    session->client = client;
    g_mutex_lock(&link->mutex);
    link->connected = TRUE;
    link->title = client->desktopName ? g_utf8_make_valid(client->desktopName, -1) : NULL;
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
    if (encodings_send(client, link->local)) {
        loop(session);
        commands_run(session, &may_read); /* keys that were let go at the end */
    }
    oriel_vnc_link_end(link, NULL);
    client_free(client);
}

static void library_set_up(void)
{
    static gsize done;

    if (g_once_init_enter(&done)) {
        rfbClientLog = rfbClientErr = on_log;
        oriel_vnc_extension_register();
        g_once_init_leave(&done, 1);
    }
}

gpointer oriel_vnc_thread_run(gpointer data)
{
    OrielVncLink *link = data;
    struct session session = { .link = link, .damage = cairo_region_create() };
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    library_set_up();
    session_run(&session);
    shutdown(link->socket, SHUT_RDWR); /* others hold the descriptor for a while */
    cairo_region_destroy(session.damage);
    g_clear_object(&session.shown);
    g_free(session.decoded);
    oriel_vnc_link_unref(link);
    return NULL;
}
