/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Display interface of the fake engine: a picture of eight stripes, good or bad memory. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_engine.h"

enum {
    STRIPES = 8,
};

struct fake_display {
    guint width, height, scanout, frame;
    char kind[16];
    int memory;                     /* -1: not made yet */
    GDBusMethodInvocation *waiting; /* NextFrame */
};

struct fake_display *fake_display_new(void)
{
    struct fake_display *display = g_new0(struct fake_display, 1);

    display->width = 640;
    display->height = 400;
    display->scanout = 1;
    display->memory = -1;
    g_strlcpy(display->kind, "good", sizeof(display->kind));
    return display;
}

static gboolean is(const struct fake_display *display, const char *kind)
{
    return strcmp(display->kind, kind) == 0;
}

static gsize memory_size(const struct fake_display *display)
{
    return (gsize)display->width * display->height * 4;
}

/* Stripes of the colours blue, green, cyan, ..., which move down with every frame. */
static void draw(struct fake_display *display)
{
    for (guint y = 0; y < display->height; y++) {
        guint stripe = (y * STRIPES / display->height + display->frame) % STRIPES;
        guint32 colour = 0xff000000u | ((stripe & 4) ? 0xff0000u : 0) |
                         ((stripe & 2) ? 0xff00u : 0) | ((stripe & 1) ? 0xffu : 0);

        for (guint x = 0; x < display->width; x++) {
            off_t at = (off_t)(((gsize)y * display->width + x) * 4);

            if (pwrite(display->memory, &colour, 4, at) != 4) {
                abort();
            }
        }
    }
}

static void memory_make(struct fake_display *display)
{
    gsize size = is(display, "small") ? 4096 : memory_size(display);

    display->memory = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (display->memory < 0 || ftruncate(display->memory, (off_t)size) != 0) {
        abort();
    }
    if (!is(display, "small")) {
        draw(display);
    }
    if (!is(display, "unsealed")) {
        fcntl(display->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    }
}

static void memory_drop(struct fake_display *display)
{
    if (display->memory >= 0) {
        close(display->memory);
        display->memory = -1;
    }
}

static void frame_answer(struct fake_display *display)
{
    GVariantBuilder damage;
    guint far = is(display, "outside") ? G_MAXUINT - 5 : 0;

    if (display->waiting) {
        g_variant_builder_init(&damage, G_VARIANT_TYPE("a(uuuu)"));
        g_variant_builder_add(&damage, "(uuuu)", far, far, display->width, display->height);
        g_dbus_method_invocation_return_value(
            g_steal_pointer(&display->waiting),
            g_variant_new("(ua(uuuu))", display->scanout, &damage));
    }
}

static void size_set(struct fake_display *display, guint width, guint height)
{
    display->width = CLAMP(width, 1, 4096);
    display->height = CLAMP(height, 1, 4096);
    display->scanout++;
    memory_drop(display);
    frame_answer(display);
}

gboolean fake_display_command(struct fake_display *display, const char *word, const char *rest)
{
    guint width, height;

    if (strcmp(word, "display") == 0) {
        g_strlcpy(display->kind, rest, sizeof(display->kind));
        size_set(display, display->width, display->height);
    } else if (strcmp(word, "shrink") == 0) {
        /* Sealed memory refuses; either is what the test wants to see. */
        if (display->memory >= 0 && ftruncate(display->memory, 0) != 0) {
            g_printerr("fake engine: the memory is sealed\n");
        }
        frame_answer(display);
    } else if (strcmp(word, "frame") == 0) {
        display->frame++;
        if (display->memory >= 0) {
            draw(display);
        }
        frame_answer(display);
    } else if (strcmp(word, "size") == 0 && sscanf(rest, "%u %u", &width, &height) == 2) {
        size_set(display, width, height);
    } else {
        return FALSE;
    }
    return TRUE;
}

static void next_frame(struct fake_display *display, GVariant *arguments,
                       GDBusMethodInvocation *invocation)
{
    guint shown;

    if (display->waiting) {
        g_dbus_method_invocation_return_error(g_steal_pointer(&display->waiting), ORIEL_ERROR,
                                              ORIEL_ERROR_STATE, "Another call has come.");
    }
    display->waiting = invocation;
    g_variant_get(arguments, "(u)", &shown);
    if (shown != display->scanout) {
        frame_answer(display);
    }
}

static void get_scanout(struct fake_display *display, GDBusMethodInvocation *invocation)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    gboolean huge = is(display, "huge");
    GVariant *answer;

    if (display->memory < 0) {
        memory_make(display);
    }
    if (!is(display, "none")) {
        g_unix_fd_list_append(fds, display->memory, NULL);
    }
    answer =
        g_variant_new("(uhuuu)", display->scanout, 0, huge ? G_MAXUINT : display->width,
                      huge ? G_MAXUINT : display->height, huge ? G_MAXUINT : display->width * 4);
    g_dbus_method_invocation_return_value_with_unix_fd_list(invocation, answer, fds);
}

void fake_display_call(struct fake_display *display, const char *method, GVariant *arguments,
                       GDBusMethodInvocation *invocation)
{
    guint width, height;

    if (strcmp(method, "NextFrame") == 0) {
        next_frame(display, arguments, invocation);
    } else if (strcmp(method, "GetScanout") == 0) {
        get_scanout(display, invocation);
    } else {
        g_variant_get(arguments, "(uu)", &width, &height);
        g_dbus_method_invocation_return_value(invocation, NULL);
        size_set(display, width, height);
    }
}

GVariant *fake_display_property(const struct fake *fake, const char *name)
{
    if (strcmp(name, "Leds") == 0) {
        return g_variant_new_uint32(0);
    }
    if (strcmp(name, "PointerMode") == 0) {
        return g_variant_new_string(fake->has_mouse ? "relative" : "absolute");
    }
    return g_variant_new_boolean(TRUE);
}
