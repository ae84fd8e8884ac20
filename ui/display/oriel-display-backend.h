/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a picture comes from and where keys and pointers go: the abstract class under the display
 * widget. Implementations: OrielEngineBackend (the memory of our own engine), OrielVncBackend.
 *
 * Threads: main context only. Nothing blocks.
 *
 * Properties (read-only, with notify): "status" (OrielDisplayStatus), "message" (s: why it failed),
 * "framebuffer" (OrielFramebuffer, NULL while there is no picture), "cursor" (OrielGuestCursor,
 * NULL: the guest draws its own), "pointer-mode" (OrielPointerMode), "can-resize" (b), "leds" (u:
 * bit 0 scroll, 1 num, 2 caps; ORIEL_LEDS_UNKNOWN), "title" (s), "accepts-input" (b: FALSE while
 * the guest stands still; keys that are down are let go then). Signals: "damaged" (cairo_region_t,
 * in pixels of the framebuffer), "cursor-moved".
 *
 * Everything that comes from the other side of a backend is hostile: subclasses check it.
 */
#ifndef ORIEL_DISPLAY_BACKEND_H
#define ORIEL_DISPLAY_BACKEND_H

#include <cairo.h>
#include <gtk/gtk.h>

#include "display/picture/oriel-framebuffer.h"

typedef enum {
    ORIEL_DISPLAY_STATUS_CONNECTING,
    ORIEL_DISPLAY_STATUS_CONNECTED,
    ORIEL_DISPLAY_STATUS_FAILED, /* "message" says why; this object does not come back */
    ORIEL_DISPLAY_STATUS_CLOSED, /* the other side ended */
} OrielDisplayStatus;

#define ORIEL_TYPE_DISPLAY_STATUS (oriel_display_status_get_type())
GType oriel_display_status_get_type(void);

/* What the guest does with a pointer. */
typedef enum {
    ORIEL_POINTER_MODE_NONE,     /* it has no use for one, as firmware and boot menus */
    ORIEL_POINTER_MODE_RELATIVE, /* it has only a mouse */
    ORIEL_POINTER_MODE_ABSOLUTE, /* it takes places */
} OrielPointerMode;

#define ORIEL_TYPE_POINTER_MODE (oriel_pointer_mode_get_type())
GType oriel_pointer_mode_get_type(void);

enum {
    ORIEL_LED_SCROLL = 1 << 0,
    ORIEL_LED_NUM = 1 << 1,
    ORIEL_LED_CAPS = 1 << 2,
};
#define ORIEL_LEDS_UNKNOWN G_MAXUINT

/* Buttons of a pointer, as masks. */
enum {
    ORIEL_POINTER_LEFT = 1 << 0,
    ORIEL_POINTER_RIGHT = 1 << 1,
    ORIEL_POINTER_MIDDLE = 1 << 2,
    ORIEL_POINTER_SIDE = 1 << 3,
    ORIEL_POINTER_EXTRA = 1 << 4,
};

#define ORIEL_TYPE_DISPLAY_BACKEND (oriel_display_backend_get_type())
G_DECLARE_DERIVABLE_TYPE(OrielDisplayBackend, oriel_display_backend, ORIEL, DISPLAY_BACKEND,
                         GObject)

struct _OrielDisplayBackendClass {
    GObjectClass parent_class;

    /* Starts connecting; once. */
    void (*start)(OrielDisplayBackend *backend);
    /* Ends it for good; also called by dispose. */
    void (*close)(OrielDisplayBackend *backend);
    /* Whether anybody looks: a hidden picture is not fetched. */
    void (*set_visible)(OrielDisplayBackend *backend, gboolean visible);
    /* The frame made of the damage so far was drawn: more may come. */
    void (*frame_shown)(OrielDisplayBackend *backend);

    /*
     * A key by evdev code, and the keysym that the host's layout gives it (0: unknown). A press of
     * a key that is down is a repeat: the keyboards of guests do not repeat by themselves.
     */
    void (*key)(OrielDisplayBackend *backend, guint code, guint keysym, gboolean down);
    /* The pointer at a pixel of the framebuffer; buttons that are down. */
    void (*pointer)(OrielDisplayBackend *backend, guint x, guint y, guint buttons);
    void (*motion)(OrielDisplayBackend *backend, int dx, int dy, guint buttons);
    /* Notches; right and down are positive. Follows the last pointer() or motion(). */
    void (*scroll)(OrielDisplayBackend *backend, int dx, int dy);
    /* The size in pixels that the viewer would like. Only when "can-resize". */
    void (*set_size)(OrielDisplayBackend *backend, guint width, guint height);
    /*
     * Types some characters on the guest's keyboard and completes the task (a boolean) when the
     * guest has them. Optional: NULL if it cannot.
     */
    void (*type_text)(OrielDisplayBackend *backend, const char *text, GTask *task);
    /*
     * The characters of a text screen, in lines, as the string of the task; NULL without an error
     * if the guest shows graphics. Optional: NULL if it cannot.
     */
    void (*get_text)(OrielDisplayBackend *backend, GTask *task);
};

/* What a guest's cursor looks like. Boxed, counted. */
typedef struct _OrielGuestCursor OrielGuestCursor;
#define ORIEL_TYPE_GUEST_CURSOR (oriel_guest_cursor_get_type())
GType oriel_guest_cursor_get_type(void);
/* `texture` NULL: the guest hides its cursor. The hot spot is moved inside the image. */
OrielGuestCursor *oriel_guest_cursor_new(GdkTexture *texture, int hot_x, int hot_y);
OrielGuestCursor *oriel_guest_cursor_ref(OrielGuestCursor *cursor);
void oriel_guest_cursor_unref(OrielGuestCursor *cursor);
GdkTexture *oriel_guest_cursor_get_texture(OrielGuestCursor *cursor, int *hot_x, int *hot_y);

void oriel_display_backend_start(OrielDisplayBackend *backend);
void oriel_display_backend_close(OrielDisplayBackend *backend);
void oriel_display_backend_set_visible(OrielDisplayBackend *backend, gboolean visible);
void oriel_display_backend_frame_shown(OrielDisplayBackend *backend);
void oriel_display_backend_key(OrielDisplayBackend *backend, guint code, guint keysym,
                               gboolean down);
void oriel_display_backend_pointer(OrielDisplayBackend *backend, guint x, guint y, guint buttons);
void oriel_display_backend_motion(OrielDisplayBackend *backend, int dx, int dy, guint buttons);
void oriel_display_backend_scroll(OrielDisplayBackend *backend, int dx, int dy);
void oriel_display_backend_set_size(OrielDisplayBackend *backend, guint width, guint height);
gboolean oriel_display_backend_can_type(OrielDisplayBackend *backend);
/*
 * Types UTF-8 text in small parts, each when the guest has taken the one before; cancelling ends it
 * after the part under way. Errors: those of the other side (no such key on its layout, the machine
 * stands still), G_IO_ERROR_CANCELLED, G_IO_ERROR_NOT_SUPPORTED.
 */
void oriel_display_backend_type_text_async(OrielDisplayBackend *backend, const char *text,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
gboolean oriel_display_backend_type_text_finish(OrielDisplayBackend *backend, GAsyncResult *result,
                                                GError **error);
gboolean oriel_display_backend_can_get_text(OrielDisplayBackend *backend);
/* The characters of a text screen, lines ending with newlines; NULL without *error in graphics. */
void oriel_display_backend_get_text_async(OrielDisplayBackend *backend, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
char *oriel_display_backend_get_text_finish(OrielDisplayBackend *backend, GAsyncResult *result,
                                            GError **error);

OrielDisplayStatus oriel_display_backend_get_status(OrielDisplayBackend *backend);
const char *oriel_display_backend_get_message(OrielDisplayBackend *backend);
OrielFramebuffer *oriel_display_backend_get_framebuffer(OrielDisplayBackend *backend);
OrielGuestCursor *oriel_display_backend_get_cursor(OrielDisplayBackend *backend);
/* FALSE while it is not known where the guest has its cursor. */
gboolean oriel_display_backend_get_cursor_place(OrielDisplayBackend *backend, int *x, int *y);
OrielPointerMode oriel_display_backend_get_pointer_mode(OrielDisplayBackend *backend);
gboolean oriel_display_backend_get_can_resize(OrielDisplayBackend *backend);
guint oriel_display_backend_get_leds(OrielDisplayBackend *backend);
const char *oriel_display_backend_get_title(OrielDisplayBackend *backend);
gboolean oriel_display_backend_get_accepts_input(OrielDisplayBackend *backend);

/* For subclasses: set what the properties say, and notify. `message` may be NULL. */
void oriel_display_backend_set_status(OrielDisplayBackend *backend, OrielDisplayStatus status,
                                      const char *message);
void oriel_display_backend_set_framebuffer(OrielDisplayBackend *backend,
                                           OrielFramebuffer *framebuffer);
void oriel_display_backend_set_cursor(OrielDisplayBackend *backend, OrielGuestCursor *cursor);
void oriel_display_backend_set_pointer_mode(OrielDisplayBackend *backend, OrielPointerMode mode);
void oriel_display_backend_set_can_resize(OrielDisplayBackend *backend, gboolean can_resize);
void oriel_display_backend_set_leds(OrielDisplayBackend *backend, guint leds);
void oriel_display_backend_set_title(OrielDisplayBackend *backend, const char *title);
void oriel_display_backend_set_accepts_input(OrielDisplayBackend *backend, gboolean accepts);
void oriel_display_backend_damaged(OrielDisplayBackend *backend, const cairo_region_t *region);
/* Where the guest has its cursor: the top left pixel of the image, in pixels of the framebuffer. */
void oriel_display_backend_move_cursor(OrielDisplayBackend *backend, int x, int y);

#endif
