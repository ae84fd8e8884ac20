/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console, its scanouts and the viewers that show them, with an adapter of the test's own. */
#include "test.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "adapter.h"
#include "config/config.h"
#include "display/desktop.h"
#include "display/png_write.h"
#include "display/viewer.h"

static struct console *console_open(struct adapter *adapter)
{
    return console_new(&adapter->device, 0, adapter_lock, adapter_unlock);
}

static void iterate(unsigned ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
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

/* True if the main loop has nothing armed: the process would sleep until somebody calls. */
static bool nothing_armed(void)
{
    GMainContext *context = g_main_context_default();
    GPollFD fds[16];
    int priority, timeout = 0;

    for (int i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++) {
    }
    CHECK(g_main_context_acquire(context));
    g_main_context_prepare(context, &priority);
    g_main_context_query(context, G_MAXINT, &timeout, fds, G_N_ELEMENTS(fds));
    g_main_context_release(context);
    return timeout == -1;
}

static unsigned open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

/* --- Watchers ------------------------------------------------------------------------------ */

struct witness {
    unsigned resized, damaged;
    uint32_t width, height, pixel;
    bool is_busy;
};

static void witness_resized(void *context, const struct surface *surface)
{
    struct witness *w = context;

    w->resized++;
    w->width = surface->width;
    w->height = surface->height;
}

static void witness_damaged(void *context, const struct surface *surface,
                            const struct damage *damage)
{
    struct witness *w = context;

    w->damaged++;
    w->pixel = surface->pixels[0];
}

static bool witness_busy(void *context)
{
    return ((struct witness *)context)->is_busy;
}

TEST(console_tells_watchers)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 }, .colour = 1 };
    struct console *console = console_open(&adapter);
    struct witness w = { 0 };
    struct console_watcher watcher = { witness_resized, witness_damaged, witness_busy, &w };
    unsigned descriptors = open_descriptors();

    CHECK(nothing_armed());
    CHECK_EQ(adapter.renders, 0); /* nobody watches */
    console_watch(console, &watcher);
    CHECK_EQ(w.resized, 1);
    CHECK(w.width == 64 && w.height == 32);
    CHECK_EQ(open_descriptors(), descriptors + 1);
    adapter_paint(&adapter, 7, (struct rect){ 0, 0, 64, 32 });
    console_wake(console);
    WAIT_FOR(w.damaged >= 1);
    CHECK_EQ(w.pixel, 0xff000007);
    adapter.mode.width = 128;
    WAIT_FOR(w.resized == 2);
    CHECK_EQ(w.width, 128);
    CHECK_EQ(open_descriptors(), descriptors + 1);

    console_unwatch(console, &watcher);
    unsigned renders = adapter.renders;

    CHECK(nothing_armed());
    iterate(50);
    CHECK_EQ(adapter.renders, renders);
    CHECK_EQ(open_descriptors(), descriptors); /* the memory is given back */
    CHECK_EQ(adapter.locks, 0);
    console_free(console);
}

TEST(console_rests_while_all_are_busy)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct witness w = { .is_busy = true }, other = { .is_busy = true };
    struct console_watcher watcher = { witness_resized, witness_damaged, witness_busy, &w };
    struct console_watcher second = { witness_resized, witness_damaged, witness_busy, &other };

    console_watch(console, &watcher);
    console_watch(console, &second);
    unsigned renders = adapter.renders, damaged = w.damaged;

    adapter_paint(&adapter, 9, (struct rect){ 0, 0, 8, 8 });
    console_wake(console); /* keys do not change that */
    CHECK(nothing_armed());
    iterate(50);
    CHECK_EQ(adapter.renders, renders);

    other.is_busy = false;
    console_ready(console);
    WAIT_FOR(other.damaged > 0);
    CHECK_EQ(w.damaged, damaged + 1); /* everybody is told, and decides what to do with it */
    CHECK(!nothing_armed());
    other.is_busy = true;
    WAIT_FOR(nothing_armed());
    console_unwatch(console, &second);
    console_unwatch(console, &watcher);
    console_free(console);
}

/* --- Scanouts ------------------------------------------------------------------------------ */

TEST(scanout_is_sealed)
{
    struct scanout *scanout = scanout_new(40, 30), *other = scanout_new(1, 1);
    size_t size = scanout->size;
    int fd = scanout->memory;

    CHECK_EQ(size, 40 * 30 * 4);
    CHECK(scanout->id != 0 && other->id != 0 && scanout->id != other->id);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, 0) < 0 && ftruncate(fd, (off_t)size * 2) < 0);
    CHECK(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK(write(fd, "x", 1) < 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0); /* nor keep the engine from drawing */

    uint32_t *seen = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(seen != MAP_FAILED);
    CHECK(mprotect(seen, size, PROT_READ | PROT_WRITE) < 0);
    scanout->surface.pixels[1199] = 0xff123456;
    CHECK_EQ(seen[1199], 0xff123456);
    scanout_free(scanout);
    CHECK_EQ(seen[1199], 0xff123456); /* stays for who has mapped it */
    munmap(seen, size);
    scanout_free(other);
}

TEST(scanout_without_descriptors)
{
    struct rlimit limit, none;
    struct scanout *scanout;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    scanout = scanout_new(10, 10);
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_EQ(scanout->memory, -1);
    scanout->surface.pixels[99] = 5; /* the machine goes on all the same */
    scanout_free(scanout);
}

/* --- Viewers ------------------------------------------------------------------------------- */

/* Answers, newest last. */
struct answer {
    const char *call;
    guint32 scanout;
    struct damage damage;
    bool failed;
};
static struct answer answers[16];
static unsigned n_answers;

static void on_answer(void *call, guint32 scanout, const struct damage *damage, const GError *error)
{
    g_assert(n_answers < G_N_ELEMENTS(answers));
    struct answer *a = &answers[n_answers++];

    *a = (struct answer){ .call = call, .scanout = scanout, .failed = error != NULL };
    if (error) {
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    } else {
        a->damage = *damage;
    }
}

/* The last answer about the cursor, and how many there were. */
static struct display_cursor told;
static bool told_pixels, told_failed;
static unsigned n_told;

static void on_cursor_answer(void *call, const struct display_cursor *cursor, bool pixels,
                             const GError *error)
{
    n_told++;
    told_failed = error != NULL;
    told_pixels = pixels;
    if (!error) {
        told = *cursor;
    }
}

static bool is_rect(const struct answer *a, unsigned i, struct rect r)
{
    return i < a->damage.n && memcmp(&a->damage.rects[i], &r, sizeof(r)) == 0;
}

TEST(viewer_gets_the_first_frame_and_changes)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct viewer *viewer = viewer_new(console, on_answer, on_cursor_answer);
    guint32 id = console_scanout(console)->id;
    char one[] = "1", two[] = "2";

    n_answers = 0;
    CHECK(nothing_armed());
    viewer_next(viewer, 0, one);
    CHECK_EQ(n_answers, 1); /* at once */
    CHECK(answers[0].scanout == id && answers[0].damage.n == 1 && !answers[0].failed);
    CHECK(is_rect(&answers[0], 0, (struct rect){ 0, 0, 64, 32 }));

    viewer_next(viewer, id, two);
    iterate(100);
    CHECK_EQ(n_answers, 1); /* nothing new */
    adapter_paint(&adapter, 3, (struct rect){ 10, 20, 5, 6 });
    WAIT_FOR(n_answers == 2);
    CHECK_STR(answers[1].call, "2");
    CHECK(answers[1].scanout == id && answers[1].damage.n == 1);
    CHECK(is_rect(&answers[1], 0, (struct rect){ 10, 20, 5, 6 }));
    CHECK_EQ(console_scanout(console)->surface.pixels[20 * 64 + 10], 0xff000003);
    WAIT_FOR(nothing_armed());

    viewer_next(viewer, id + 5, one); /* shows something else */
    CHECK(n_answers == 3 && is_rect(&answers[2], 0, (struct rect){ 0, 0, 64, 32 }));
    viewer_free(viewer);
    CHECK_EQ(n_answers, 3);
    console_free(console);
}

TEST(viewer_collects_while_busy)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 640, 480 } };
    struct console *console = console_open(&adapter);
    struct viewer *busy = viewer_new(console, on_answer, on_cursor_answer);
    struct viewer *quick = viewer_new(console, on_answer, on_cursor_answer);
    guint32 id = console_scanout(console)->id;
    char one[] = "1", two[] = "2";

    n_answers = 0;
    viewer_next(busy, 0, one);
    viewer_next(quick, 0, two);
    for (uint32_t i = 0; i < 3; i++) {
        viewer_next(quick, id, two);
        adapter_paint(&adapter, i, (struct rect){ i % 2 * 100, 50, 10, 10 });
        WAIT_FOR(n_answers == 3 + i);
    }
    viewer_next(busy, id, one);
    CHECK_EQ(n_answers, 6);
    CHECK_EQ(answers[5].damage.n, 2); /* the one painted twice comes once */
    CHECK(is_rect(&answers[5], 0, (struct rect){ 0, 50, 10, 10 }));
    CHECK(is_rect(&answers[5], 1, (struct rect){ 100, 50, 10, 10 }));

    /* Many: as many as an answer holds, and the rest joined. */
    n_answers = 0;
    viewer_next(quick, id, two);
    for (uint32_t i = 0; i < 70; i++) {
        adapter_paint(&adapter, i, (struct rect){ i % 10 * 40, i / 10 * 40, 4, 4 });
    }
    WAIT_FOR(n_answers == 1);
    CHECK_EQ(answers[0].damage.n, DAMAGE_RECTS_MAX);
    struct rect last = answers[0].damage.rects[DAMAGE_RECTS_MAX - 1];

    CHECK(last.x == 3 * 40 && last.x + last.width == 9 * 40 + 4 &&
          last.y + last.height == 6 * 40 + 4);
    viewer_free(busy);
    viewer_free(quick);
    console_free(console);
}

TEST(viewer_follows_a_resize)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct viewer *viewer = viewer_new(console, on_answer, on_cursor_answer);
    guint32 id = console_scanout(console)->id;
    char one[] = "1";

    n_answers = 0;
    viewer_next(viewer, 0, one);
    viewer_next(viewer, id, one);
    adapter.mode.width = 80;
    WAIT_FOR(n_answers == 2);
    CHECK(answers[1].scanout != id && answers[1].scanout == console_scanout(console)->id);
    CHECK(is_rect(&answers[1], 0, (struct rect){ 0, 0, 80, 32 }) && answers[1].damage.n == 1);
    viewer_next(viewer, answers[1].scanout, one);
    iterate(50);
    CHECK_EQ(n_answers, 2); /* told once */
    viewer_free(viewer);
    console_free(console);
}

TEST(viewer_has_one_call)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct viewer *viewer = viewer_new(console, on_answer, on_cursor_answer);
    guint32 id = console_scanout(console)->id;
    char one[] = "1", two[] = "2";

    viewer_next(viewer, 0, one);
    n_answers = 0;
    viewer_next(viewer, id, one);
    CHECK_EQ(n_answers, 0);
    viewer_next(viewer, id, two);
    CHECK(n_answers == 1 && answers[0].failed);
    CHECK_STR(answers[0].call, "1");
    viewer_free(viewer);
    CHECK(n_answers == 2 && answers[1].failed);
    CHECK_STR(answers[1].call, "2");
    CHECK(nothing_armed());
    console_free(console);
}

/* --- Copies -------------------------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

TEST(console_screenshot_is_png)
{
    struct adapter adapter = { .device.class = &adapter_class,
                               .mode = { 40, 30 },
                               .colour = 0x123456 };
    struct console *console = console_open(&adapter);
    struct surface picture;
    uint8_t rows[30 * (1 + 40 * 3)];
    uLongf length = sizeof(rows);
    gsize size;

    console_copy(console, &picture);
    g_autoptr(GBytes) png = png_write(&picture);
    const uint8_t *p = g_bytes_get_data(png, &size);

    CHECK(size > 57 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0);
    CHECK(be32(p + 16) == 40 && be32(p + 20) == 30);
    CHECK(memcmp(p + 37, "IDAT", 4) == 0);
    CHECK_EQ(uncompress(rows, &length, p + 41, be32(p + 33)), Z_OK);
    CHECK_EQ(length, sizeof(rows));
    CHECK(rows[0] == 0 && rows[1] == 0x12 && rows[2] == 0x34 && rows[3] == 0x56);
    CHECK_EQ(be32(p + 41 + be32(p + 33)), crc32(0, p + 37, 4 + be32(p + 33)));
    g_free(picture.pixels);
    console_free(console);
}

/* A copy brings watchers up to date too. */
TEST(console_copy_while_watched)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 40, 30 } };
    struct console *console = console_open(&adapter);
    struct witness w = { .is_busy = true };
    struct console_watcher watcher = { witness_resized, witness_damaged, witness_busy, &w };
    struct surface picture;

    console_watch(console, &watcher);
    adapter_paint(&adapter, 0xabcdef, (struct rect){ 39, 29, 1, 1 });
    console_copy(console, &picture);
    CHECK(picture.width == 40 && picture.height == 30);
    CHECK_EQ(picture.pixels[29 * picture.stride + 39], 0xffabcdef);
    CHECK_EQ(w.damaged, 1);
    g_free(picture.pixels);
    console_unwatch(console, &watcher);
    console_free(console);
}

TEST(console_text_is_utf8)
{
    struct adapter adapter = { .device.class = &adapter_class,
                               .mode = { 80, 48, .text = true, .columns = 10, .rows = 3 },
                               .text = "Hi\x84 \xdb      \xc9\xcd" };
    struct console *console = console_open(&adapter);
    struct text_cursor cursor;
    g_autofree char *text = console_text(console, &cursor);

    CHECK_STR(text, "Hiä █\n ╔═\n\n");
    CHECK(cursor.visible && cursor.column == 1 && cursor.row == 2);
    adapter.mode.text = false;
    CHECK(console_text(console, &cursor) == NULL);
    console_free(console);
}

TEST(console_asks_for_a_size)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 80, 48 } };
    struct console *console = console_open(&adapter);

    CHECK(console_can_resize(console));
    console_set_size(console, 1000, 700);
    CHECK(adapter.set_width == 1000 && adapter.set_height == 700);
    CHECK_EQ(adapter.locks, 0);
    console_free(console);
}

TEST(cursor_is_told_beside_the_picture)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct viewer *viewer = viewer_new(console, on_answer, on_cursor_answer);
    guint32 id = console_scanout(console)->id;
    char frame[] = "frame", one[] = "1";

    n_answers = n_told = 0;
    viewer_next_cursor(viewer, 0, one);
    CHECK(n_told == 1 && told.shape == 0 && !told.visible && !told_pixels);
    viewer_next_cursor(viewer, 0, one);
    CHECK(nothing_armed()); /* nobody waits for a frame */
    viewer_next(viewer, id, frame);
    CHECK_EQ(n_answers, 1); /* the first one, at once */
    viewer_next(viewer, id, frame);
    n_answers = 0;
    adapter.cursor = (struct display_cursor){
        .shape = 7, .visible = true, .x = 2, .y = -1, .hot_x = 3, .pixels = { 0, 0xff112233 }
    };
    WAIT_FOR(n_told == 2);
    CHECK(told.shape == 7 && told.visible && told.x == 2 && told.y == -1 && told.hot_x == 3);
    CHECK(told_pixels && told.pixels[1] == 0xff112233);
    viewer_next_cursor(viewer, 7, one);
    CHECK_EQ(n_told, 2);
    adapter.cursor.x = 5;
    WAIT_FOR(n_told == 3);
    CHECK(told.x == 5 && !told_pixels); /* the shape is known */
    viewer_next_cursor(viewer, 0, one);
    CHECK(n_told == 4 && told_pixels); /* a viewer that has forgotten it */
    viewer_next_cursor(viewer, 7, one);
    viewer_next_cursor(viewer, 7, one);
    CHECK(n_told == 5 && told_failed);
    CHECK_EQ(n_answers, 0); /* the picture did not change */
    viewer_free(viewer);
    CHECK(n_told == 6 && told_failed && n_answers == 1);
    console_free(console);
}

TEST(copies_hold_the_cursor)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 64, 32 } };
    struct console *console = console_open(&adapter);
    struct surface copy;

    adapter.cursor = (struct display_cursor){ .shape = 1, .visible = true, .x = -1, .y = 30 };
    for (unsigned i = 0; i < DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE; i++) {
        adapter.cursor.pixels[i] = 0x80400000; /* half opaque, half red */
    }
    adapter.colour = 0x0000fe;
    console_copy(console, &copy);
    CHECK_EQ(copy.pixels[29 * 64 + 1], 0xff0000fe);
    CHECK_EQ(copy.pixels[30 * 64], 0xff40007f);
    CHECK_EQ(copy.pixels[31 * 64 + 62], 0xff40007f);
    CHECK_EQ(copy.pixels[31 * 64 + 63], 0xff0000fe);
    g_free(copy.pixels);
    adapter.cursor.x = G_MININT32;
    adapter.cursor.y = G_MAXINT32;
    console_copy(console, &copy);
    CHECK_EQ(copy.pixels[30 * 64], 0xff0000fe);
    g_free(copy.pixels);
    console_free(console);
}

TEST(places_reach_over_all_monitors)
{
    struct adapter adapter = { .device.class = &adapter_class, .mode = { 100, 50 }, .heads = 3 };
    struct desktop_place place = { 50, 20, 200, 100 };
    struct desktop desktop = { .n = 0 };

    desktop_init(&desktop, &adapter.device, adapter_lock, adapter_unlock);
    CHECK_EQ(desktop.n, 3);
    console_place(desktop.consoles[0], &place);
    CHECK(place.x == 50 && place.y == 20 && place.width == 200 && place.height == 100);
    CHECK(!console_is_connected(desktop.consoles[1]));
    console_set_connected(desktop.consoles[1], true); /* the adapter knows one flag for both */
    CHECK(console_is_connected(desktop.consoles[2]));
    console_place(desktop.consoles[1], &place);
    CHECK(place.x == 125 && place.y == 10 && place.width == 300 && place.height == 50);
    place = (struct desktop_place){ 1000, 1000, 10, 10 }; /* outside */
    console_place(desktop.consoles[2], &place);
    CHECK(place.x == 290 && place.y == 45);
    place = (struct desktop_place){ 0, 0, 0, 0 };
    console_place(desktop.consoles[2], &place);
    CHECK(place.x == 200 && place.y == 0);
    desktop_clear(&desktop);
}

TEST_MAIN(T(console_tells_watchers), T(console_rests_while_all_are_busy), T(scanout_is_sealed),
          T(scanout_without_descriptors), T(viewer_gets_the_first_frame_and_changes),
          T(viewer_collects_while_busy), T(viewer_follows_a_resize), T(viewer_has_one_call),
          T(console_screenshot_is_png), T(console_copy_while_watched), T(console_text_is_utf8),
          T(console_asks_for_a_size), T(cursor_is_told_beside_the_picture),
          T(copies_hold_the_cursor), T(places_reach_over_all_monitors))
