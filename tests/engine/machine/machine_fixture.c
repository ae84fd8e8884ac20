/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine_fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/serial.h"
#include "test.h"

enum {
    IMAGE_SIZE = 128 << 10,
    CODE_OFFSET = 64 << 10, /* F000:0000 */
    TICK_MS = 50,
};

void fixture_need_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        printf("1..0 # SKIP /dev/kvm cannot be opened\n");
        exit(0);
    }
    close(fd);
}

static void on_state(void *context, enum machine_state state, enum machine_reason reason,
                     const char *message)
{
    struct fixture *fixture = context;

    fixture->state = state;
    fixture->reason = reason;
    g_free(fixture->message);
    fixture->message = g_strdup(message);
}

static void on_reset(void *context)
{
    ((struct fixture *)context)->resets++;
}

static void on_media(void *context, const char *drive)
{
    ((struct fixture *)context)->media_changes++;
}

static void on_debug(void *context, const void *bytes, size_t n)
{
    g_string_append_len(((struct fixture *)context)->log, bytes, (gssize)n);
}

static void image_write(const char *path, const char *code, const char *end)
{
    static const uint8_t start[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 }; /* ljmp $0xf000, $0 */
    g_autofree char *image = g_malloc(IMAGE_SIZE);

    memset(image, 0xff, IMAGE_SIZE);
    memcpy(image + CODE_OFFSET, code, (size_t)(end - code));
    memcpy(image + IMAGE_SIZE - 16, start, sizeof(start));
    if (!g_file_set_contents(path, image, IMAGE_SIZE, NULL)) {
        test_fail(__FILE__, __LINE__, "%s cannot be written", path);
    }
}

struct fixture *fixture_prepare(const char *code, const char *end)
{
    struct fixture *fixture = g_new0(struct fixture, 1);

    fixture->folder = g_dir_make_tmp("oriel-test-XXXXXX", NULL);
    fixture->log = g_string_new(NULL);
    fixture->config = oriel_config_new("test");
    fixture->config->memory = 32 << 20;
    fixture->config->firmware_path = g_build_filename(fixture->folder, "payload.bin", NULL);
    image_write(fixture->config->firmware_path, code, end);
    return fixture;
}

void fixture_make(struct fixture *fixture)
{
    const struct machine_callbacks callbacks = { on_state, on_reset, on_media, fixture };
    g_autoptr(GError) error = NULL;

    fixture->machine = machine_new(fixture->config, fixture->folder, &callbacks, &error);
    if (!fixture->machine) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    machine_serial_set_output(fixture->machine, SERIAL_DEBUG_PORT, on_debug, fixture);
}

struct fixture *fixture_start(const char *code, const char *end)
{
    struct fixture *fixture = fixture_prepare(code, end);
    g_autoptr(GError) error = NULL;

    fixture_make(fixture);
    if (!machine_start(fixture->machine, false, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    return fixture;
}

static void folder_remove(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        folder_remove(inner);
    }
    if (folder) {
        g_dir_close(folder);
    }
    g_remove(path);
}

void fixture_free(struct fixture *fixture)
{
    if (fixture->machine) {
        machine_free(fixture->machine);
    }
    folder_remove(fixture->folder);
    oriel_config_free(fixture->config);
    g_string_free(fixture->log, TRUE);
    g_free(fixture->folder);
    g_free(fixture->message);
    g_free(fixture);
}

/* --- Waiting --------------------------------------------------------------------------------- */

static gboolean on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static bool wait_until(struct fixture *fixture, bool (*done)(struct fixture *, const void *),
                       const void *wanted, unsigned limit_ms)
{
    gint64 end = g_get_monotonic_time() + (gint64)limit_ms * 1000;
    guint tick = g_timeout_add(TICK_MS, on_tick, NULL);
    bool result;

    while (!(result = done(fixture, wanted)) && g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(tick);
    return result;
}

static bool has_text(struct fixture *fixture, const void *wanted)
{
    return strstr(fixture->log->str, wanted) != NULL;
}

static bool has_state(struct fixture *fixture, const void *wanted)
{
    return fixture->state == *(const enum machine_state *)wanted;
}

static bool has_resets(struct fixture *fixture, const void *wanted)
{
    return fixture->resets >= *(const unsigned *)wanted;
}

static bool never(struct fixture *fixture, const void *wanted)
{
    return false;
}

bool fixture_wait_text(struct fixture *fixture, const char *text)
{
    return wait_until(fixture, has_text, text, FIXTURE_LIMIT * 1000);
}

bool fixture_wait_state(struct fixture *fixture, enum machine_state state)
{
    return wait_until(fixture, has_state, &state, FIXTURE_LIMIT * 1000);
}

bool fixture_wait_resets(struct fixture *fixture, unsigned resets)
{
    return wait_until(fixture, has_resets, &resets, FIXTURE_LIMIT * 1000);
}

void fixture_run(struct fixture *fixture, unsigned milliseconds)
{
    wait_until(fixture, never, NULL, milliseconds);
}

guint64 fixture_figure(struct fixture *fixture, const char *path)
{
    g_autofree char *text = machine_stats(fixture->machine);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    JsonNode *node;

    CHECK(json_parser_load_from_data(parser, text, -1, NULL));
    node = json_parser_get_root(parser);
    for (unsigned i = 0; node && names[i]; i++) {
        JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

        node = object ? json_object_get_member(object, names[i]) : NULL;
    }
    return node && JSON_NODE_HOLDS_VALUE(node) ? (guint64)json_node_get_int(node) : 0;
}
