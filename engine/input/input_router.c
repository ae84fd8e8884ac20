/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See input_router.h. Text is typed as a queue of key events; one GSource feeds it to the keyboard
 * whenever it has room, and exists only while there is something to type. Another brings what
 * devices announce in their own domains to the main loop.
 */
#include "input/input_router.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "config/config.h"
#include "device.h"
#include "common/keys.h"

enum {
    TYPE_POLL_MS = 8,          /* while the guest's keyboard is full, */
    TYPE_POLLS = 64,           /* so often, */
    TYPE_REST_MS = 250,        /* and then, because this guest is not about to read */
    MOUSE_SILENCE_MS = 250,    /* until a mouse that the guest reads no more is told of */
    DISPLAY_PLACE_MAX = 65535, /* no display is wider; keeps differences inside int32_t */
};

struct key_event {
    uint16_t code;
    bool down;
};

/* One input_type() call: its events, and whom to tell at the end. */
struct typing {
    GArray *events; /* struct key_event */
    guint next;
    void (*done)(void *context, const GError *error);
    void *context;
};

struct input {
    void (*lock)(struct device *);
    void (*unlock)(struct device *);
    GPtrArray *devices;
    uint8_t pressed[KEY_CNT / 8];
    uint32_t last_x, last_y;
    bool placed;             /* last_x and last_y are known */
    struct device *pointer;  /* that got the last event, below; NULL: none yet */
    struct pointer_event at; /* its place and buttons */
    GQueue typings;
    GSource *feeder;
    unsigned fruitless; /* polls of the feeder since the guest last took a key */
    GSource *look;      /* dispatched when a device has announced a change */
    GPtrArray *listeners;
    unsigned leds; /* as last told, both */
    enum pointer_mode mode;
    gint64 silent_since; /* monotonic time: `mode` has become "none", which is not told; or 0 */
};

static bool device_in_use(const struct input *input, struct device *device)
{
    bool in_use = true;

    if (device->class->input->in_use) {
        input->lock(device);
        in_use = device->class->input->in_use(device);
        input->unlock(device);
    }
    return in_use;
}

/* The device for a kind: of those that the guest uses the one added last, so that a plugged-in
 * tablet takes over from the mouse. */
static struct device *device_for(const struct input *input, unsigned kind)
{
    for (guint i = input->devices->len; i > 0; i--) {
        struct device *device = g_ptr_array_index(input->devices, i - 1);

        if ((device->class->input->kinds & kind) && device_in_use(input, device)) {
            return device;
        }
    }
    return NULL;
}

/* What the guest does with a pointer at this moment. */
static enum pointer_mode mode_now(const struct input *input)
{
    struct device *mouse;
    bool reporting;

    if (device_for(input, INPUT_ABSOLUTE)) {
        return POINTER_MODE_ABSOLUTE;
    }
    mouse = device_for(input, INPUT_RELATIVE);
    if (!mouse) {
        return POINTER_MODE_NONE;
    }
    if (!mouse->class->input->reporting) {
        return POINTER_MODE_RELATIVE;
    }
    input->lock(mouse);
    reporting = mouse->class->input->reporting(mouse);
    input->unlock(mouse);
    return reporting ? POINTER_MODE_RELATIVE : POINTER_MODE_NONE;
}

/* The mode to tell: not "none" before it has been so for a while; then `look` comes again. */
static enum pointer_mode mode_to_tell(struct input *input)
{
    enum pointer_mode mode = mode_now(input);
    gint64 end;

    if (mode != POINTER_MODE_NONE || input->mode == POINTER_MODE_NONE) {
        input->silent_since = 0;
        return mode;
    }
    if (input->silent_since == 0) {
        input->silent_since = g_get_monotonic_time();
    }
    end = input->silent_since + MOUSE_SILENCE_MS * G_TIME_SPAN_MILLISECOND;
    if (g_get_monotonic_time() < end) {
        g_source_set_ready_time(input->look, end);
        return input->mode;
    }
    input->silent_since = 0;
    return mode;
}

static gboolean look_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct input *input = data;

    g_source_set_ready_time(source, -1);
    unsigned leds = input_leds(input);
    enum pointer_mode mode = mode_to_tell(input);

    if (leds != input->leds || mode != input->mode) {
        input->leds = leds;
        input->mode = mode;
        for (guint i = 0; i < input->listeners->len; i++) {
            struct input_listener *listener = g_ptr_array_index(input->listeners, i);

            listener->changed(listener->context);
        }
    }
    return G_SOURCE_CONTINUE;
}

static gboolean look_callback(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

struct input *input_new(void (*lock)(struct device *), void (*unlock)(struct device *))
{
    static GSourceFuncs functions = { .dispatch = look_dispatch };
    struct input *input = g_new0(struct input, 1);

    input->lock = lock;
    input->unlock = unlock;
    input->devices = g_ptr_array_new();
    input->listeners = g_ptr_array_new();
    g_queue_init(&input->typings);
    input->look = g_source_new(&functions, sizeof(GSource));
    g_source_set_static_name(input->look, "input");
    g_source_set_callback(input->look, look_callback, input, NULL);
    g_source_attach(input->look, g_main_context_get_thread_default());
    return input;
}

static void typing_free(struct typing *typing)
{
    g_array_free(typing->events, TRUE);
    g_free(typing);
}

/* Lets go of what a typing has pressed so far, and tells its end. */
static void typing_cancel(struct input *input, struct typing *typing)
{
    g_autoptr(GError) error =
        g_error_new(ORIEL_ERROR, ORIEL_ERROR_STATE, "The machine stopped while text was typed.");

    for (guint i = typing->next; i < typing->events->len; i++) {
        const struct key_event *event = &g_array_index(typing->events, struct key_event, i);

        if (!event->down) {
            input_key(input, event->code, false);
        }
    }
    if (typing->done) {
        typing->done(typing->context, error);
    }
    typing_free(typing);
}

void input_cancel(struct input *input, bool (*matches)(void *context, const void *data),
                  const void *data)
{
    for (GList *link = input->typings.head, *next; link; link = next) {
        struct typing *typing = link->data;

        next = link->next;
        if (!matches || (typing->done && matches(typing->context, data))) {
            g_queue_delete_link(&input->typings, link);
            typing_cancel(input, typing);
        }
    }
    if (g_queue_is_empty(&input->typings) && input->feeder) {
        g_source_destroy(input->feeder);
        g_clear_pointer(&input->feeder, g_source_unref);
    }
}

void input_free(struct input *input)
{
    if (!input) {
        return;
    }
    input_cancel(input, NULL, NULL);
    g_source_destroy(input->look);
    g_source_unref(input->look);
    g_ptr_array_free(input->listeners, TRUE);
    g_ptr_array_free(input->devices, TRUE);
    g_free(input);
}

void input_add_device(struct input *input, struct device *device)
{
    g_assert(device->class->input);
    g_ptr_array_add(input->devices, device);
    input_look(input);
}

void input_listen(struct input *input, struct input_listener *listener)
{
    g_ptr_array_add(input->listeners, listener);
}

void input_unlisten(struct input *input, struct input_listener *listener)
{
    g_ptr_array_remove(input->listeners, listener);
}

unsigned input_leds(struct input *input)
{
    struct device *keyboard = device_for(input, INPUT_KEYBOARD);
    unsigned leds = 0;

    if (keyboard && keyboard->class->input->leds) {
        input->lock(keyboard);
        leds = keyboard->class->input->leds(keyboard);
        input->unlock(keyboard);
    }
    return leds;
}

enum pointer_mode input_pointer_mode(struct input *input)
{
    return input->mode;
}

const char *pointer_mode_name(enum pointer_mode mode)
{
    static const char *const names[] = {
        [POINTER_MODE_NONE] = "none",
        [POINTER_MODE_RELATIVE] = "relative",
        [POINTER_MODE_ABSOLUTE] = "absolute",
    };

    return names[mode];
}

void input_look(struct input *input)
{
    g_source_set_ready_time(input->look, 0);
}

void input_key(struct input *input, uint16_t code, bool down)
{
    struct device *keyboard = device_for(input, INPUT_KEYBOARD);
    uint8_t bit = (uint8_t)(1u << (code % 8));

    if (!keyboard || code == 0 || code >= KEY_CNT) {
        return;
    }
    if (!down && !(input->pressed[code / 8] & bit)) {
        return; /* it was never pressed here, or has been released for a viewer that left */
    }
    if (down) {
        input->pressed[code / 8] |= bit;
    } else {
        input->pressed[code / 8] &= (uint8_t)~bit;
    }
    input->lock(keyboard);
    keyboard->class->input->key(keyboard, code, down);
    input->unlock(keyboard);
}

void input_release_all(struct input *input)
{
    for (uint16_t code = 1; code < KEY_CNT; code++) {
        if (input->pressed[code / 8] & 1u << (code % 8)) {
            input_key(input, code, false);
        }
    }
}

static void pointer_send(struct input *input, struct device *device,
                         const struct pointer_event *event)
{
    if (input->pointer != device) {
        input_release_buttons(input);
    }
    input->pointer = device;
    input->at = (struct pointer_event){ .x = event->x, .y = event->y, .buttons = event->buttons };
    input->lock(device);
    device->class->input->pointer(device, event);
    input->unlock(device);
}

void input_release_buttons(struct input *input)
{
    struct pointer_event event = input->at;

    if (event.buttons != 0) {
        event.buttons = 0;
        pointer_send(input, input->pointer, &event);
    }
}

static uint32_t axis_scale(uint32_t value, uint32_t size)
{
    if (size < 2) {
        return 0;
    }
    if (value >= size) {
        value = size - 1;
    }
    return (uint32_t)((uint64_t)value * POINTER_AXIS_MAX / (size - 1));
}

void input_pointer(struct input *input, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   unsigned buttons, int wheel)
{
    struct pointer_event event = { .buttons = buttons & POINTER_BUTTONS, .wheel = wheel };
    struct device *tablet = device_for(input, INPUT_ABSOLUTE);

    x = MIN(x, (uint32_t)DISPLAY_PLACE_MAX);
    y = MIN(y, (uint32_t)DISPLAY_PLACE_MAX);
    if (tablet) {
        event.x = axis_scale(x, width);
        event.y = axis_scale(y, height);
        pointer_send(input, tablet, &event);
        return;
    }
    if (input->placed) {
        event.dx = (int32_t)x - (int32_t)input->last_x;
        event.dy = (int32_t)y - (int32_t)input->last_y;
    }
    input->placed = true;
    input->last_x = x;
    input->last_y = y;
    struct device *mouse = device_for(input, INPUT_RELATIVE);

    if (mouse) {
        pointer_send(input, mouse, &event);
    }
}

void input_motion(struct input *input, int dx, int dy, unsigned buttons, int wheel)
{
    struct pointer_event event = {
        .dx = dx, .dy = dy, .buttons = buttons & POINTER_BUTTONS, .wheel = wheel
    };
    struct device *mouse = device_for(input, INPUT_RELATIVE);

    if (mouse) {
        pointer_send(input, mouse, &event);
    }
}

/* --- Typing ----------------------------------------------------------------------------------- */

static void event_append(GArray *events, uint16_t code, bool down)
{
    struct key_event event = { code, down };

    g_array_append_val(events, event);
}

static bool keyboard_ready(struct input *input, struct device *keyboard)
{
    bool ready = true;

    if (keyboard->class->input->ready) {
        input->lock(keyboard);
        ready = keyboard->class->input->ready(keyboard);
        input->unlock(keyboard);
    }
    return ready;
}

/* Ends the first typing. */
static void typing_end(struct input *input)
{
    struct typing *typing = g_queue_pop_head(&input->typings);

    if (typing->done) {
        typing->done(typing->context, NULL);
    }
    typing_free(typing);
}

static gboolean feed(gpointer data);

static void feeder_set(struct input *input, unsigned pace_ms)
{
    if (input->feeder) {
        g_source_destroy(input->feeder);
        g_source_unref(input->feeder);
    }
    input->feeder = g_timeout_source_new(pace_ms);
    g_source_set_callback(input->feeder, feed, input, NULL);
    g_source_attach(input->feeder, g_main_context_get_thread_default());
}

/* The keyboard is full: looks again soon, or after a rest. What this returns is for the feeder's
 * source. */
static gboolean feed_later(struct input *input)
{
    if (input->fruitless++ != TYPE_POLLS) {
        return G_SOURCE_CONTINUE;
    }
    feeder_set(input, TYPE_REST_MS);
    return G_SOURCE_REMOVE;
}

static gboolean feed(gpointer data)
{
    struct input *input = data;
    struct device *keyboard = device_for(input, INPUT_KEYBOARD);

    while (!g_queue_is_empty(&input->typings)) {
        struct typing *typing = g_queue_peek_head(&input->typings);

        if (keyboard && !keyboard_ready(input, keyboard)) {
            return feed_later(input);
        }
        if (input->fruitless > TYPE_POLLS) {
            input->fruitless = 0;
            feeder_set(input, TYPE_POLL_MS);
            return G_SOURCE_REMOVE;
        }
        input->fruitless = 0;
        if (typing->next == typing->events->len) {
            typing_end(input);
            continue;
        }
        const struct key_event *event =
            &g_array_index(typing->events, struct key_event, typing->next++);

        input_key(input, event->code, event->down);
    }
    g_clear_pointer(&input->feeder, g_source_unref);
    return G_SOURCE_REMOVE;
}

static void typing_start(struct input *input, GArray *events,
                         void (*done)(void *context, const GError *error), void *context)
{
    struct typing *typing = g_new0(struct typing, 1);

    typing->events = events;
    typing->done = done;
    typing->context = context;
    g_queue_push_tail(&input->typings, typing);
    if (!input->feeder) {
        input->fruitless = 0;
        feeder_set(input, TYPE_POLL_MS);
    }
}

void input_type(struct input *input, const char *text,
                void (*done)(void *context, const GError *error), void *context)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct key_event));

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        uint16_t code;
        bool shift;

        if (!key_from_character(g_utf8_get_char(p), &code, &shift)) {
            g_autoptr(GError) error =
                g_error_new(ORIEL_ERROR, ORIEL_ERROR_INVALID,
                            "The character “%.*s” has no key on a US keyboard; nothing was typed.",
                            (int)(g_utf8_next_char(p) - p), p);

            g_array_free(events, TRUE);
            done(context, error);
            return;
        }
        if (shift) {
            event_append(events, KEY_LEFTSHIFT, true);
        }
        event_append(events, code, true);
        event_append(events, code, false);
        if (shift) {
            event_append(events, KEY_LEFTSHIFT, false);
        }
    }
    typing_start(input, events, done, context);
}

bool input_chord(struct input *input, const char *chord, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(chord, "+", -1);
    guint n = g_strv_length(parts);

    if (n == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "No key was given; use names joined with “+”, such as ctrl+alt+delete.");
        return false;
    }
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct key_event));

    for (guint i = 0; i < n; i++) {
        uint16_t code = key_from_name(g_strstrip(parts[i]));

        if (code == 0) {
            g_set_error(
                error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                "“%s” in “%s” is no key; use names such as ctrl, alt, delete, f12, enter, a.",
                parts[i], chord);
            g_array_free(events, TRUE);
            return false;
        }
        event_append(events, code, true);
    }
    for (guint i = n; i > 0; i--) {
        event_append(events, g_array_index(events, struct key_event, i - 1).code, false);
    }
    typing_start(input, events, NULL, NULL);
    return true;
}
