/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Long work with progress, an end, and a way to cancel it. */
#include "model_fixture.h"

#include "oriel-files.h"

jmp_buf test_failed;

static guint freed, ends, details;

static void data_free(gpointer data)
{
    freed++;
    g_free(data);
}

static void on_ended(OrielOperation *operation, gpointer data)
{
    ends++;
}

static void on_detail(OrielOperation *operation, GParamSpec *spec, gpointer data)
{
    details++;
}

static char *work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                  GError **error)
{
    const char *what = data;

    if (strcmp(what, "fail") == 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE, "No space.");
        return NULL;
    }
    if (strcmp(what, "path") == 0) {
        g_set_error_literal(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND, "No “/caf\xe9”.");
        return NULL;
    }
    if (strcmp(what, "wait") == 0) {
        while (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
            g_usleep(1000);
        }
        return NULL;
    }
    for (guint64 i = 0; i <= 1000; i++) {
        oriel_operation_progress(i * 1024, strcmp(what, "unknown") == 0 ? 0 : 1000 * 1024,
                                 operation);
    }
    while (strcmp(what, "hold") == 0 && !g_cancellable_is_cancelled(cancellable)) {
        g_usleep(1000);
    }
    return g_strdup("/made");
}

static OrielOperation *run(const char *what)
{
    OrielOperation *operation = oriel_operation_new("Working");

    freed = ends = details = 0;
    CHECK(!oriel_operation_is_active(operation));
    g_signal_connect(operation, "ended", G_CALLBACK(on_ended), NULL);
    g_signal_connect(operation, "notify::detail", G_CALLBACK(on_detail), NULL);
    oriel_operation_run(operation, work, g_strdup(what), data_free);
    CHECK(oriel_operation_is_active(operation));
    return operation;
}

TEST(ends_well)
{
    g_autoptr(OrielOperation) operation = run("good");

    WAIT(ends);
    CHECK(!oriel_operation_is_active(operation));
    CHECK(!oriel_operation_get_error(operation));
    CHECK_STR(oriel_operation_get_result(operation), "/made");
    CHECK_STR(oriel_operation_get_title(operation), "Working");
    CHECK(oriel_operation_get_fraction(operation) == 1);
    CHECK_EQ(freed, 1);
    CHECK_EQ(ends, 1);
}

TEST(progress_is_seen)
{
    g_autoptr(OrielOperation) operation = run("hold");

    CHECK(oriel_operation_get_fraction(operation) < 0);
    WAIT(oriel_operation_get_fraction(operation) == 1);
    CHECK(g_str_has_prefix(oriel_operation_get_detail(operation), "1000.0\xc2\xa0KiB of"));
    CHECK(details < 100); /* a thousand steps are not a thousand notifications */
    CHECK_EQ(ends, 0);
    oriel_operation_cancel(operation);
    WAIT(ends);
    CHECK(!oriel_operation_get_error(operation)); /* it had done its work all the same */
}

TEST(fails)
{
    g_autoptr(OrielOperation) operation = run("fail");

    WAIT(ends);
    CHECK(g_error_matches(oriel_operation_get_error(operation), ORIEL_ERROR, ORIEL_ERROR_NO_SPACE));
    CHECK(!oriel_operation_get_result(operation));
    CHECK_EQ(freed, 1);
}

/* Widgets and notifications have no use for another encoding. */
TEST(message_is_text)
{
    g_autoptr(OrielOperation) operation = run("path");

    WAIT(ends);
    CHECK_STR(oriel_operation_get_error(operation)->message, "No “/caf\xef\xbf\xbd”.");
}

TEST(is_cancelled)
{
    g_autoptr(OrielOperation) operation = run("wait");

    oriel_operation_cancel(operation);
    WAIT(ends);
    CHECK(g_error_matches(oriel_operation_get_error(operation), G_IO_ERROR, G_IO_ERROR_CANCELLED));
    CHECK_EQ(freed, 1);
}

/* Nobody holds it while it works. */
TEST(outlives_its_owner)
{
    OrielOperation *operation = run("unknown");

    g_object_unref(operation);
    WAIT(ends);
    CHECK_EQ(freed, 1);
}

static const struct test all[] = {
    T(ends_well),       T(progress_is_seen), T(fails),
    T(message_is_text), T(is_cancelled),     T(outlives_its_owner),
};

int main(void)
{
    fixture_start();
    int result = test_main(all, G_N_ELEMENTS(all));

    fixture_end();
    return result;
}
