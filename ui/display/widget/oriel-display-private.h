/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the display widget share: oriel-display.c (object, drawing), -layout.c,
 * -keys.c and -pointer.c (input), -grab.c (system shortcuts), -lock.c (the pointer of a guest that
 * has only a mouse), -cursor.c, -resize.c (asking the guest for a size), -actions.c, -selection.c
 * (text of text screens).
 */
#ifndef ORIEL_DISPLAY_PRIVATE_H
#define ORIEL_DISPLAY_PRIVATE_H

#include "oriel-display.h"
#include "display/picture/oriel-picture.h"
#include "display/keys/oriel-pressed-keys.h"
#include "display/lock/oriel-pointer-lock.h"

enum {
    ORIEL_DISPLAY_LEDS = 3,
};

/* Characters of a text screen that are being selected. */
typedef struct {
    gboolean active;
    char **lines; /* NULL until the guest has given them */
    guint columns, rows;
    gboolean has_range, dragging;
    guint from_column, from_row, to_column, to_row; /* both ends included, as dragged */
} OrielTextSelection;

struct _OrielDisplay {
    GtkWidget parent_instance;

    OrielDisplayBackend *backend;
    GSignalGroup *backend_signals;
    OrielPicture *picture;
    OrielGeometry geometry; /* as last drawn or laid out */
    OrielScaling scaling;
    OrielGrabPolicy grab_policy;
    char *release_chord;
    char *machine_name;
    GtkWidget
        *scrollbars[2];     /* horizontal, vertical: seen with ACTUAL if there is more than fits */
    gboolean frame_pending; /* the backend waits for frame_shown() */

    /* Keyboard. */
    OrielPressedKeys pressed;
    GtkEventController *key_controller;  /* of the window, so that it comes before its shortcuts */
    gboolean focus_is_new;               /* no key came since the focus did */
    gboolean chord_armed;                /* just the keys of the release chord are down */
    guint lock_taps[ORIEL_DISPLAY_LEDS]; /* corrections that the guest has not followed */
    gint64 lock_tap_time;

    /* Pointer. */
    guint buttons;         /* ORIEL_POINTER_*, as the guest knows them */
    guint buttons_ignored; /* whose press was not for the guest: nor is their release */
    gboolean pointer_known;
    double pointer_x, pointer_y; /* in the widget */
    double scroll_x, scroll_y;   /* fractions of notches */
    gboolean cursor_inside;
    double cursor_scale;

    /* Pointer lock. */
    OrielPointerLock *lock;              /* asked for, or had */
    gboolean lock_refused;               /* the desktop has none */
    gboolean pointer_locked;             /* had */
    GtkEventController *lock_controller; /* of the window, while the pointer is locked */

    /* Grab. */
    gboolean captured;
    gboolean grabbed;
    GdkToplevel *inhibited; /* whose system shortcuts we asked for */
    GtkWindow *window;      /* watched while rooted */
    gulong window_handlers[2];
    GdkSurface *surface; /* watched while realized */
    gulong surface_handlers[2];

    /* Size of the guest. */
    guint resize_timer;
    guint resize_width, resize_height; /* asked for, under way; 0: none */
    guint resize_ignored;              /* in a row */

    GCancellable *typing; /* of the paste under way */
    OrielTextSelection selection;
};

/* oriel-display-layout.c */
OrielGeometryInput oriel_display_geometry_input(OrielDisplay *display);
/* Makes `geometry` anew of what there is; the second the scrollbars' ranges as well. */
void oriel_display_update_geometry(OrielDisplay *display);
void oriel_display_layout_update(OrielDisplay *display);
/* Gives the scrollbars their places in a widget of that size. */
void oriel_display_layout_scrollbars(OrielDisplay *display, int width, int height);
/* How far the picture is moved in one direction; borrowed. */
GtkAdjustment *oriel_display_adjustment(OrielDisplay *display, GtkOrientation orientation);

/* oriel-display.c */
void oriel_display_notice(OrielDisplay *display, const char *text);
/* Sets one of the flags above and notifies `property`. */
void oriel_display_set_flag(OrielDisplay *display, gboolean *flag, gboolean value,
                            const char *property);
gboolean oriel_display_has_input(OrielDisplay *display);
/* Of the backend, which there is. */
gboolean oriel_display_has_pointer_mode(OrielDisplay *display, OrielPointerMode mode);

/* oriel-display-keys.c */
void oriel_display_keys_init(OrielDisplay *display);
void oriel_display_keys_root(OrielDisplay *display);
void oriel_display_keys_unroot(OrielDisplay *display);
void oriel_display_release_keys(OrielDisplay *display);
/* Releases modifiers that the host no longer holds. */
void oriel_display_reconcile_modifiers(OrielDisplay *display, GdkModifierType state);
void oriel_display_leds_changed(OrielDisplay *display);

/* oriel-display-pointer.c */
void oriel_display_pointer_init(OrielDisplay *display);
void oriel_display_release_buttons(OrielDisplay *display);
/* Tells a guest that takes places where the pointer is, if it is over the picture. */
void oriel_display_show_place(OrielDisplay *display);
/* The window's event while the pointer is locked. TRUE if it was for the guest. */
gboolean oriel_display_pointer_locked_event(OrielDisplay *display, GdkEvent *event);

/* oriel-display-cursor.c */
void oriel_display_update_cursor(OrielDisplay *display);
void oriel_display_cursor_moved(OrielDisplay *display);
void oriel_display_cursor_snapshot(OrielDisplay *display, GtkSnapshot *snapshot);
/* Draws it into a picture of the guest's size. */
void oriel_display_cursor_paint(OrielDisplay *display, cairo_surface_t *picture);

/* oriel-display-grab.c */
void oriel_display_grab_root(OrielDisplay *display);
void oriel_display_grab_unroot(OrielDisplay *display);
void oriel_display_grab_realize(OrielDisplay *display);
void oriel_display_grab_unrealize(OrielDisplay *display);
/* Whether keys come here: what is grabbed without them has no way out. */
gboolean oriel_display_has_keyboard(OrielDisplay *display);
/* A click, or the action: `event` may be NULL. TRUE if that took the keyboard. */
gboolean oriel_display_capture(OrielDisplay *display, GdkEvent *event);
/* The policy, focus or fullscreen changed. */
void oriel_display_update_grab(OrielDisplay *display, GdkEvent *event);
void oriel_display_ungrab(OrielDisplay *display);

/* oriel-display-lock.c */
/* A click into the picture of a guest that has only a mouse. TRUE if that asked for the lock. */
gboolean oriel_display_lock_pointer(OrielDisplay *display);
void oriel_display_unlock_pointer(OrielDisplay *display);

/* oriel-display-resize.c */
void oriel_display_resize_later(OrielDisplay *display);
void oriel_display_resize_now(OrielDisplay *display);
void oriel_display_resize_happened(OrielDisplay *display);
/* Forgets what was asked for and that it was ignored. */
void oriel_display_resize_reset(OrielDisplay *display);
void oriel_display_resize_to_guest(OrielDisplay *display);

/* oriel-display-actions.c */
void oriel_display_install_actions(GtkWidgetClass *class);
void oriel_display_cancel_typing(OrielDisplay *display);

/* oriel-display-selection.c */
void oriel_display_selection_set_active(OrielDisplay *display, gboolean active);
void oriel_display_selection_clear(OrielDisplay *display);
void oriel_display_selection_press(OrielDisplay *display, double x, double y);
void oriel_display_selection_motion(OrielDisplay *display, double x, double y);
void oriel_display_selection_release(OrielDisplay *display);
void oriel_display_selection_snapshot(OrielDisplay *display, GtkSnapshot *snapshot);
/* TRUE if the key was for the selection. */
gboolean oriel_display_selection_key(OrielDisplay *display, guint keyval, GdkModifierType state);
void oriel_display_selection_copy(OrielDisplay *display);
/* The characters between the two ends, lines cut at their last character; g_free(). */
char *oriel_text_selection_get_text(const OrielTextSelection *selection);

#endif
