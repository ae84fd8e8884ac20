/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer lock on X11, over a connection of its own: the server lets go of everything with it,
 * however it ends.
 *
 * Four pointer barriers (XFixes 5) around the pixel under the pointer stop a mouse in every
 * direction, and take no event from GDK as a grab would. XI_RawMotion of the root window (XInput
 * 2.1) tells what the mouse does, grabbed or not. Barriers do not stop what gives places instead of
 * movement (a tablet, the mouse of a virtual machine): of those the difference from one place to
 * the next counts, and the pointer moves.
 */
#include "oriel-pointer-lock-private.h"

#ifdef GDK_WINDOWING_X11
#include <X11/Xlib.h>
#include <X11/extensions/XInput2.h>
#include <X11/extensions/Xfixes.h>
#include <gdk/x11/gdkx.h>

enum {
    BARRIERS = 4,
    BARRIER_MARGIN = 8, /* pixels beyond the corners, so that no way leads between two */
    AXES = 2,
};

/* A valuator of the device that moved last. */
struct axis {
    gboolean absolute, known;
    double low, high, last;
};

struct x11_lock {
    OrielPointerLock parent;
    Display *display;
    Window root;
    int xinput; /* major opcode */
    GSource *source;
    int device; /* whose axes these are; 0: nobody's */
    struct axis axes[AXES];
};

struct x11_source {
    GSource parent;
    struct x11_lock *lock;
};

/* --- Movement */

static void axes_load(struct x11_lock *lock, int device)
{
    int n;
    XIDeviceInfo *info = XIQueryDevice(lock->display, device, &n);

    lock->device = device;
    memset(lock->axes, 0, sizeof(lock->axes));
    for (int i = 0; info && i < info->num_classes; i++) {
        const XIValuatorClassInfo *valuator = (const XIValuatorClassInfo *)info->classes[i];

        if (valuator->type == XIValuatorClass && valuator->number < AXES) {
            lock->axes[valuator->number] = (struct axis){
                .absolute = valuator->mode == XIModeAbsolute && valuator->max > valuator->min,
                .low = valuator->min,
                .high = valuator->max,
            };
        }
    }
    if (info) {
        XIFreeDeviceInfo(info);
    }
}

/* A value as movement; `pixels` is what the whole range of an absolute axis stands for. */
static double axis_move(struct axis *axis, double value, int pixels)
{
    double moved = axis->known ? (value - axis->last) * pixels / (axis->high - axis->low) : 0;

    if (!axis->absolute) {
        return value;
    }
    axis->last = value;
    axis->known = TRUE;
    return moved;
}

static void raw_motion(struct x11_lock *lock, const XIRawEvent *event)
{
    const int screen = DefaultScreen(lock->display);
    const int pixels[AXES] = { DisplayWidth(lock->display, screen),
                               DisplayHeight(lock->display, screen) };
    const double *value = event->raw_values;
    double moved[AXES] = { 0 };

    if (event->sourceid != lock->device) {
        axes_load(lock, event->sourceid);
    }
    for (int i = 0; i < AXES && i < event->valuators.mask_len * 8; i++) {
        if (XIMaskIsSet(event->valuators.mask, i)) {
            moved[i] = axis_move(&lock->axes[i], *value++, pixels[i]);
        }
    }
    oriel_pointer_lock_moved(&lock->parent, (guint32)event->time, moved[0], moved[1]);
}

static void events_read(struct x11_lock *lock)
{
    XEvent event;

    while (XPending(lock->display) > 0) {
        XNextEvent(lock->display, &event);
        if (event.type == GenericEvent && event.xcookie.extension == lock->xinput &&
            XGetEventData(lock->display, &event.xcookie)) {
            if (event.xcookie.evtype == XI_RawMotion) {
                raw_motion(lock, event.xcookie.data);
            }
            XFreeEventData(lock->display, &event.xcookie);
        }
    }
}

/* The server has sent us everything that came before its answer. */
static void lock_read(OrielPointerLock *parent)
{
    struct x11_lock *lock = (struct x11_lock *)parent;

    XSync(lock->display, False);
    events_read(lock);
}

static gboolean source_ready(GSource *source)
{
    return XPending(((struct x11_source *)source)->lock->display) > 0;
}

static gboolean source_prepare(GSource *source, int *timeout)
{
    *timeout = -1;
    return source_ready(source);
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    events_read(((struct x11_source *)source)->lock);
    return G_SOURCE_CONTINUE;
}

static void source_add(struct x11_lock *lock)
{
    static GSourceFuncs functions = { .prepare = source_prepare,
                                      .check = source_ready,
                                      .dispatch = source_dispatch };

    lock->source = g_source_new(&functions, sizeof(struct x11_source));
    ((struct x11_source *)lock->source)->lock = lock;
    g_source_add_unix_fd(lock->source, ConnectionNumber(lock->display), G_IO_IN);
    g_source_set_static_name(lock->source, "oriel-pointer-lock");
    g_source_attach(lock->source, NULL);
}

/* --- Lock */

static gboolean extensions_find(struct x11_lock *lock)
{
    int event, error, xinput_major = 2, xinput_minor = 2, xfixes_major, xfixes_minor;

    return XQueryExtension(lock->display, "XInputExtension", &lock->xinput, &event, &error) &&
           XIQueryVersion(lock->display, &xinput_major, &xinput_minor) == Success &&
           (xinput_major > 2 || (xinput_major == 2 && xinput_minor >= 1)) &&
           XFixesQueryExtension(lock->display, &event, &error) &&
           XFixesQueryVersion(lock->display, &xfixes_major, &xfixes_minor) && xfixes_major >= 5;
}

static void raw_motion_select(struct x11_lock *lock)
{
    unsigned char bits[XIMaskLen(XI_RawMotion)] = { 0 };
    XIEventMask mask = { XIAllMasterDevices, sizeof(bits), bits };

    XISetMask(bits, XI_RawMotion);
    XISelectEvents(lock->display, lock->root, &mask, 1);
}

/* Between the pixel and its four neighbours. */
static void barriers_make(struct x11_lock *lock, int x, int y)
{
    int left = MAX(x - BARRIER_MARGIN, 0), right = x + 1 + BARRIER_MARGIN;
    int top = MAX(y - BARRIER_MARGIN, 0), bottom = y + 1 + BARRIER_MARGIN;
    const int lines[BARRIERS][4] = {
        { x, top, x, bottom },
        { x + 1, top, x + 1, bottom },
        { left, y, right, y },
        { left, y + 1, right, y + 1 },
    };

    for (int i = 0; i < BARRIERS; i++) {
        XFixesCreatePointerBarrier(lock->display, lock->root, lines[i][0], lines[i][1], lines[i][2],
                                   lines[i][3], 0, 0, NULL);
    }
}

static void lock_free(OrielPointerLock *parent)
{
    struct x11_lock *lock = (struct x11_lock *)parent;

    if (lock->source) {
        g_source_destroy(lock->source);
        g_source_unref(lock->source);
    }
    XCloseDisplay(lock->display); /* with the barriers */
    g_free(lock);
}

OrielPointerLock *oriel_pointer_lock_x11_new(GdkSurface *surface)
{
    GdkDisplay *display = gdk_surface_get_display(surface);
    struct x11_lock *lock;
    Window root, child;
    int x, y, window_x, window_y;
    unsigned int buttons;
    Display *connection = XOpenDisplay(DisplayString(gdk_x11_display_get_xdisplay(display)));

    if (!connection) {
        return NULL;
    }
    lock = g_new0(struct x11_lock, 1);
    lock->parent.free = lock_free;
    lock->parent.read = lock_read;
    lock->display = connection;
    lock->root = DefaultRootWindow(connection);
    if (!extensions_find(lock) || !XQueryPointer(connection, lock->root, &root, &child, &x, &y,
                                                 &window_x, &window_y, &buttons)) {
        lock_free(&lock->parent);
        return NULL;
    }
    raw_motion_select(lock);
    barriers_make(lock, x, y);
    source_add(lock);
    lock->parent.state = ORIEL_POINTER_LOCK_LOCKED;
    return &lock->parent;
}
#endif
