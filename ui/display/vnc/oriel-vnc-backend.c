/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-vnc-backend.h. Connects on the main loop, then a thread speaks RFB
 * (oriel-vnc-thread.c).
 */
#include "oriel-vnc-backend.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <linux/input-event-codes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/keys/oriel-keymap.h"
#include "oriel-module.h"
#include "oriel-vnc-address.h"
#include "oriel-vnc-link.h"

enum {
    COMMANDS_MAX = 4096,     /* not yet sent; a server that takes nothing gets no more */
    TYPING_INTERVAL_MS = 20, /* a character: keyboards of guests forget what comes faster */
    LINGER_SECONDS = 2,      /* that a closed connection may still send */
    NOTCHES_MAX = 16,
    MOTION_ZERO = 0x7fff, /* the place that means no motion, QEMU Pointer Motion Change */
    MASK_LEFT = 1 << 0,
    MASK_MIDDLE = 1 << 1,
    MASK_RIGHT = 1 << 2,
    MASK_UP = 1 << 3,
    MASK_DOWN = 1 << 4,
    MASK_WHEEL_LEFT = 1 << 5,
    MASK_WHEEL_RIGHT = 1 << 6,
    MASK_SIDE = 1 << 7,
    UNICODE_KEYSYM = 0x01000000,
};

struct _OrielVncBackend {
    OrielDisplayBackend parent_instance;

    GSocketConnectable *address;
    char *address_text;
    gboolean local;
    GCancellable *cancellable;
    OrielVncLink *link;   /* NULL until there is a connection */
    guint last_x, last_y; /* place */
    guint last_mask;
    gboolean is_closed, was_refused;
    char *trust; /* fingerprint; see oriel_vnc_backend_trust() */
    gboolean forget;
    OrielVncCertificate *certificate;

    GTask *typing;
    gunichar *characters;
    gsize next_character;
    guint typing_timer;
};

G_DEFINE_FINAL_TYPE(OrielVncBackend, oriel_vnc_backend, ORIEL_TYPE_DISPLAY_BACKEND)

enum {
    CREDENTIALS_NEEDED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void finish(OrielVncBackend *vnc, OrielDisplayStatus status, const char *message)
{
    g_autoptr(OrielVncBackend) keep = g_object_ref(vnc);

    oriel_display_backend_set_status(ORIEL_DISPLAY_BACKEND(vnc), status, message);
    oriel_display_backend_close(ORIEL_DISPLAY_BACKEND(vnc));
}

static void fail(OrielVncBackend *vnc, const char *problem)
{
    g_autofree char *message =
        g_strdup_printf(_("The screen at %s cannot be shown: %s."), vnc->address_text, problem);

    finish(vnc, ORIEL_DISPLAY_STATUS_FAILED, message);
}

/* --- What the thread says */

static void cursor_take(OrielVncBackend *vnc, OrielVncCursor *cursor)
{
    g_autoptr(GdkTexture) texture = NULL;
    OrielGuestCursor *guest;

    if (cursor->pixels) {
        texture = gdk_memory_texture_new((int)cursor->width, (int)cursor->height,
                                         GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, cursor->pixels,
                                         (gsize)cursor->width * 4);
    }
    guest = oriel_guest_cursor_new(texture, cursor->hot_x, cursor->hot_y);
    oriel_display_backend_set_cursor(ORIEL_DISPLAY_BACKEND(vnc), guest);
    oriel_guest_cursor_unref(guest);
}

static void ended_take(OrielVncBackend *vnc, const char *problem, gboolean refused)
{
    g_autofree char *message = NULL;

    vnc->was_refused = refused;
    if (refused) {
        message =
            g_strdup_printf(_("%s did not accept the password. Try again."), vnc->address_text);
        finish(vnc, ORIEL_DISPLAY_STATUS_FAILED, message);
    } else if (problem) {
        fail(vnc, problem);
    } else {
        message = g_strdup_printf(_("%s closed the connection."), vnc->address_text);
        finish(vnc, ORIEL_DISPLAY_STATUS_CLOSED, message);
    }
}

/* Everything that was noted since the last look. */
static void on_link(OrielVncLink *link)
{
    g_autoptr(OrielVncBackend) vnc = g_object_ref(ORIEL_VNC_BACKEND(link->backend));
    OrielDisplayBackend *backend = ORIEL_DISPLAY_BACKEND(vnc);
    OrielVncLink seen;

    g_mutex_lock(&link->mutex);
    seen = *link;
    link->framebuffer = NULL;
    link->damage = NULL;
    link->cursor = NULL;
    link->title = NULL;
    link->needs_user_name = link->needs_password = FALSE;
    link->problem = NULL;
    link->certificate = NULL;
    g_mutex_unlock(&link->mutex);

    if (seen.certificate) {
        g_clear_pointer(&vnc->certificate, oriel_vnc_certificate_free);
        vnc->certificate = seen.certificate;
    }
    if (seen.title) {
        oriel_display_backend_set_title(backend, seen.title);
    }
    oriel_display_backend_set_pointer_mode(backend, seen.absolute ? ORIEL_POINTER_MODE_ABSOLUTE
                                                                  : ORIEL_POINTER_MODE_RELATIVE);
    oriel_display_backend_set_leds(backend, seen.leds);
    if (seen.framebuffer) {
        oriel_display_backend_set_framebuffer(backend, seen.framebuffer);
    }
    if (seen.cursor) {
        cursor_take(vnc, seen.cursor);
    }
    if (seen.damage) {
        oriel_display_backend_damaged(backend, seen.damage);
    }
    if (seen.connected && !seen.ended) {
        oriel_display_backend_set_status(backend, ORIEL_DISPLAY_STATUS_CONNECTED, NULL);
    }
    if (seen.needs_password) {
        g_signal_emit(vnc, signals[CREDENTIALS_NEEDED], 0, seen.needs_user_name, TRUE);
    }
    if (seen.ended && !vnc->is_closed) {
        ended_take(vnc, seen.problem, seen.refused);
    }
    g_free(seen.title);
    g_free(seen.problem);
    g_clear_object(&seen.framebuffer);
    g_clear_pointer(&seen.cursor, oriel_vnc_cursor_free);
    g_clear_pointer(&seen.damage, cairo_region_destroy);
}

/* --- What the thread is told */

/* Takes over the command. Places between others with the same buttons are left out. */
static void command_push(OrielVncBackend *vnc, const OrielVncCommand *command)
{
    OrielVncLink *link = vnc->link;
    OrielVncCommand *last;

    if (!link) {
        return;
    }
    g_mutex_lock(&link->mutex);
    last = g_queue_peek_tail(&link->commands);
    if (command->kind == ORIEL_VNC_POINTER && last && last->kind == ORIEL_VNC_POINTER &&
        last->mask == command->mask && link->absolute) {
        *last = *command;
    } else if (g_queue_get_length(&link->commands) < COMMANDS_MAX) {
        g_queue_push_tail(&link->commands, g_memdup2(command, sizeof(*command)));
    }
    g_mutex_unlock(&link->mutex);
    oriel_vnc_link_wake(link);
}

static void vnc_key(OrielDisplayBackend *backend, guint code, guint keysym, gboolean down)
{
    command_push(ORIEL_VNC_BACKEND(backend),
                 &(OrielVncCommand){ .kind = ORIEL_VNC_KEY,
                                     .xt = oriel_keymap_to_xt(code),
                                     .keysym = keysym ? keysym : oriel_keymap_to_keysym(code),
                                     .down = down });
}

static void pointer_push(OrielVncBackend *vnc, guint x, guint y, guint mask)
{
    command_push(vnc,
                 &(OrielVncCommand){ .kind = ORIEL_VNC_POINTER, .x = x, .y = y, .mask = mask });
}

/* RFB has no number for the fifth button. */
static guint mask_of(guint buttons)
{
    return (buttons & ORIEL_POINTER_LEFT ? MASK_LEFT : 0u) |
           (buttons & ORIEL_POINTER_MIDDLE ? MASK_MIDDLE : 0u) |
           (buttons & ORIEL_POINTER_RIGHT ? MASK_RIGHT : 0u) |
           (buttons & ORIEL_POINTER_SIDE ? MASK_SIDE : 0u);
}

static void vnc_pointer(OrielDisplayBackend *backend, guint x, guint y, guint buttons)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);

    vnc->last_x = x;
    vnc->last_y = y;
    vnc->last_mask = mask_of(buttons);
    pointer_push(vnc, x, y, vnc->last_mask);
}

static void vnc_motion(OrielDisplayBackend *backend, int dx, int dy, guint buttons)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);

    vnc->last_mask = mask_of(buttons);
    pointer_push(vnc, (guint)(MOTION_ZERO + CLAMP(dx, -MOTION_ZERO, MOTION_ZERO)),
                 (guint)(MOTION_ZERO + CLAMP(dy, -MOTION_ZERO, MOTION_ZERO)), vnc->last_mask);
}

/* Where the pointer is, or no motion: the server may have changed its mind since the last event. */
static void notches_push(OrielVncBackend *vnc, int notches, guint mask)
{
    gboolean motion = oriel_display_backend_get_pointer_mode(ORIEL_DISPLAY_BACKEND(vnc)) ==
                      ORIEL_POINTER_MODE_RELATIVE;
    guint x = motion ? MOTION_ZERO : vnc->last_x, y = motion ? MOTION_ZERO : vnc->last_y;

    for (int i = 0; i < MIN(notches, NOTCHES_MAX); i++) {
        pointer_push(vnc, x, y, vnc->last_mask | mask);
        pointer_push(vnc, x, y, vnc->last_mask);
    }
}

static void vnc_scroll(OrielDisplayBackend *backend, int dx, int dy)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);

    notches_push(vnc, dy, MASK_DOWN);
    notches_push(vnc, -dy, MASK_UP);
    notches_push(vnc, dx, MASK_WHEEL_RIGHT);
    notches_push(vnc, -dx, MASK_WHEEL_LEFT);
}

static void vnc_set_size(OrielDisplayBackend *backend, guint width, guint height)
{
    g_return_if_reached(); /* "can-resize" never becomes true */
}

static void vnc_set_visible(OrielDisplayBackend *backend, gboolean visible)
{
    /* A hidden widget draws nothing, so the thread reads nothing after the first frame. */
}

static void vnc_frame_shown(OrielDisplayBackend *backend)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);

    if (vnc->link) {
        g_mutex_lock(&vnc->link->mutex);
        vnc->link->unshown = FALSE;
        g_mutex_unlock(&vnc->link->mutex);
        oriel_vnc_link_wake(vnc->link);
    }
}

/* --- Typing */

static void typing_end(OrielVncBackend *vnc)
{
    g_clear_handle_id(&vnc->typing_timer, g_source_remove);
    g_clear_pointer(&vnc->characters, g_free);
    g_clear_object(&vnc->typing);
}

static void character_push(OrielVncBackend *vnc, gunichar character)
{
    OrielDisplayBackend *backend = ORIEL_DISPLAY_BACKEND(vnc);
    guint code = 0, keysym = character < 0x100 ? character : UNICODE_KEYSYM | character;
    gboolean shift = FALSE;

    if (oriel_keymap_from_character(character, &code, &shift) && g_unichar_iscntrl(character)) {
        keysym = oriel_keymap_to_keysym(code);
    }
    if (shift) {
        vnc_key(backend, KEY_LEFTSHIFT, 0, TRUE);
    }
    vnc_key(backend, code, keysym, TRUE);
    vnc_key(backend, code, keysym, FALSE);
    if (shift) {
        vnc_key(backend, KEY_LEFTSHIFT, 0, FALSE);
    }
}

static gboolean on_typing(gpointer data)
{
    OrielVncBackend *vnc = data;
    g_autoptr(GTask) task = NULL;

    if (vnc->characters[vnc->next_character]) {
        character_push(vnc, vnc->characters[vnc->next_character++]);
        return G_SOURCE_CONTINUE;
    }
    vnc->typing_timer = 0;
    task = g_object_ref(vnc->typing);
    typing_end(vnc);
    g_task_return_boolean(task, TRUE);
    return G_SOURCE_REMOVE;
}

static void vnc_type_text(OrielDisplayBackend *backend, const char *text, GTask *task)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);

    if (vnc->typing) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_BUSY,
                                _("Another text is being typed."));
        return;
    }
    vnc->typing = g_object_ref(task);
    vnc->characters = g_utf8_to_ucs4_fast(text, -1, NULL);
    vnc->next_character = 0;
    vnc->typing_timer = g_timeout_add(TYPING_INTERVAL_MS, on_typing, vnc);
}

/* --- Life */

/* The connection's socket as the library wants it: a descriptor of its own that blocks. */
static int socket_take(GSocketConnection *connection)
{
    GSocket *gsocket = g_socket_connection_get_socket(connection);
    int fd = fcntl(g_socket_get_fd(gsocket), F_DUPFD_CLOEXEC, 0);
    int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

    g_socket_set_option(gsocket, IPPROTO_TCP, TCP_NODELAY, 1, NULL); /* fails on Unix sockets */
    g_socket_set_keepalive(gsocket, TRUE);
    if (flags >= 0) {
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return fd;
}

/* The thread. LibVNCClient brings TLS, SASL and more into a process: it comes with a module. */
static gpointer thread_run(gpointer data)
{
    OrielVncLink *link = data;
    GThreadFunc run =
        (GThreadFunc)oriel_module_symbol("ui/display", "oriel-vncclient", "oriel_vnc_thread_run");

    if (run) {
        return run(link);
    }
    oriel_vnc_link_end(link, _("the part of Oriel that speaks VNC is not installed"));
    oriel_vnc_link_unref(link);
    return NULL;
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    OrielVncBackend *vnc = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);
    int fd;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    fd = connection ? socket_take(connection) : -1;
    if (fd < 0) {
        fail(vnc, error ? error->message : g_strerror(EMFILE));
        return;
    }
    vnc->link = oriel_vnc_link_new(fd, vnc->local);
    vnc->link->backend = vnc;
    vnc->link->notify = on_link;
    vnc->link->identity = oriel_vnc_address_identity(vnc->address);
    vnc->link->trust = g_strdup(vnc->trust);
    vnc->link->forget = vnc->forget;
    g_thread_unref(g_thread_new("vnc", thread_run, oriel_vnc_link_ref(vnc->link)));
}

static void vnc_start(OrielDisplayBackend *backend)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);
    g_autoptr(GSocketClient) client = g_socket_client_new();

    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_connect_async(client, vnc->address, vnc->cancellable, on_connected, vnc);
}

/* The thread had time to let keys go: whatever it still waits for ends. */
static gboolean on_linger(gpointer data)
{
    OrielVncLink *link = data;

    shutdown(link->socket, SHUT_RDWR);
    return G_SOURCE_REMOVE;
}

static void vnc_close(OrielDisplayBackend *backend)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(backend);
    g_autoptr(GTask) typing = vnc->typing ? g_object_ref(vnc->typing) : NULL;

    vnc->is_closed = TRUE;
    g_cancellable_cancel(vnc->cancellable);
    typing_end(vnc);
    if (typing) {
        g_task_return_new_error(typing, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("The screen is gone."));
    }
    if (vnc->link) {
        vnc->link->backend = NULL;
        g_mutex_lock(&vnc->link->mutex);
        vnc->link->quit = TRUE;
        g_cond_signal(&vnc->link->credentials_given);
        g_mutex_unlock(&vnc->link->mutex);
        shutdown(vnc->link->socket, SHUT_RD);
        oriel_vnc_link_wake(vnc->link);
        g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, LINGER_SECONDS, on_linger,
                                   g_steal_pointer(&vnc->link),
                                   (GDestroyNotify)oriel_vnc_link_unref);
    }
}

void oriel_vnc_backend_set_credentials(OrielVncBackend *vnc, const char *user_name,
                                       const char *password)
{
    OrielVncLink *link = vnc->link;

    if (link) {
        g_mutex_lock(&link->mutex);
        g_free(link->user_name);
        g_free(link->password);
        link->user_name = g_strdup(user_name);
        link->password = g_strdup(password);
        link->has_credentials = TRUE;
        g_cond_signal(&link->credentials_given);
        g_mutex_unlock(&link->mutex);
    }
}

gboolean oriel_vnc_backend_was_refused(OrielVncBackend *vnc)
{
    return vnc->was_refused;
}

gboolean oriel_vnc_backend_get_certificate(OrielVncBackend *vnc, const char **fingerprint,
                                           const char **name, gint64 *expires, gboolean *is_changed)
{
    const OrielVncCertificate *certificate = vnc->certificate;

    if (!certificate) {
        return FALSE;
    }
    *fingerprint = certificate->fingerprint;
    *name = certificate->name;
    *expires = certificate->expires;
    *is_changed = certificate->is_changed;
    return TRUE;
}

void oriel_vnc_backend_trust(OrielVncBackend *vnc, const char *fingerprint)
{
    g_return_if_fail(!vnc->link);
    g_free(vnc->trust);
    vnc->trust = g_strdup(fingerprint);
}

void oriel_vnc_backend_forget(OrielVncBackend *vnc)
{
    g_return_if_fail(!vnc->link);
    vnc->forget = TRUE;
}

static void oriel_vnc_backend_finalize(GObject *object)
{
    OrielVncBackend *vnc = ORIEL_VNC_BACKEND(object);

    g_clear_object(&vnc->address);
    g_clear_object(&vnc->cancellable);
    g_clear_pointer(&vnc->certificate, oriel_vnc_certificate_free);
    g_free(vnc->trust);
    g_free(vnc->address_text);
    G_OBJECT_CLASS(oriel_vnc_backend_parent_class)->finalize(object);
}

static void oriel_vnc_backend_class_init(OrielVncBackendClass *class)
{
    OrielDisplayBackendClass *backend_class = ORIEL_DISPLAY_BACKEND_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = oriel_vnc_backend_finalize;
    backend_class->start = vnc_start;
    backend_class->close = vnc_close;
    backend_class->set_visible = vnc_set_visible;
    backend_class->frame_shown = vnc_frame_shown;
    backend_class->key = vnc_key;
    backend_class->pointer = vnc_pointer;
    backend_class->motion = vnc_motion;
    backend_class->scroll = vnc_scroll;
    backend_class->set_size = vnc_set_size;
    backend_class->type_text = vnc_type_text;
    signals[CREDENTIALS_NEEDED] =
        g_signal_new("credentials-needed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 2, G_TYPE_BOOLEAN, G_TYPE_BOOLEAN);
}

static void oriel_vnc_backend_init(OrielVncBackend *vnc)
{
    vnc->cancellable = g_cancellable_new();
}

OrielDisplayBackend *oriel_vnc_backend_new(const char *address, GError **error)
{
    gboolean local;
    g_autoptr(GSocketConnectable) connectable = oriel_vnc_address_parse(address, &local, error);
    OrielVncBackend *vnc;

    if (!connectable) {
        return NULL;
    }
    vnc = g_object_new(ORIEL_TYPE_VNC_BACKEND, NULL);
    vnc->address = g_steal_pointer(&connectable);
    vnc->address_text = g_strstrip(g_strdup(address));
    vnc->local = local;
    return ORIEL_DISPLAY_BACKEND(vnc);
}
