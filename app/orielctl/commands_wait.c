/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wait: for a state (told by the engine), a text on the screen or an output on the serial port
 * (looked at again and again). */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "config/saved.h"
#include "orielctl.h"

enum {
    LOOK_MS = 200,
};

enum verdict {
    NOT_YET,
    REACHED,
    FAILED,
};

struct waiting {
    OrielMachine *machine;
    OrielEngine *engine; /* NULL if the machine does not run */
    const char *state;
    GRegex *text, *serial;
    gint64 deadline; /* monotonic microseconds; G_MAXINT64: none */
    char *last;      /* what was seen last, for the error */
};

/*
 * As the engine's connection says it; "stopped" once that has ended. An engine that says so itself
 * still has the machine's files: "stopping".
 */
static const char *state_now(struct waiting *w)
{
    GDBusConnection *connection =
        w->engine ? g_dbus_proxy_get_connection(G_DBUS_PROXY(w->engine)) : NULL;
    g_autoptr(GError) error = NULL;
    const char *state;

    if (!connection || g_dbus_connection_is_closed(connection)) {
        /* Another engine may have been started since. */
        g_clear_object(&w->engine);
        w->engine = oriel_session_connect(w->machine, &error);
    }
    if (!w->engine) {
        return g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE) ? "stopped" : "unresponsive";
    }
    state = oriel_engine_get_state(w->engine);
    return g_strcmp0(state, "stopped") == 0 ? "stopping" : state;
}

/* How long an engine may take to answer, in milliseconds: until the end of the time, at most. */
static int patience(const struct waiting *w)
{
    gint64 left = (w->deadline - g_get_monotonic_time()) / 1000;

    return (int)CLAMP(left, 1, ORIEL_SESSION_PATIENCE * 1000);
}

static enum verdict look_at_text(struct waiting *w, GError **error)
{
    g_autofree char *text = NULL;
    gboolean is_text;
    guint column, row;

    if (!w->engine) {
        return NOT_YET;
    }
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(w->engine), patience(w));
    if (!oriel_engine_call_get_text_sync(w->engine, &is_text, &text, &column, &row, NULL, NULL)) {
        return NOT_YET;
    }
    g_free(w->last);
    w->last = is_text ? g_strdup(text) : g_strconcat(_("(a picture, not text)"), "\n", NULL);
    return is_text && g_regex_match(w->text, text, 0, NULL) ? REACHED : NOT_YET;
}

static enum verdict look_at_serial(struct waiting *w, GError **error)
{
    g_autofree char *path = g_build_filename(w->machine->folder, "log", "serial0.log", NULL);
    char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, NULL)) {
        return NOT_YET;
    }
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '\0') {
            text[i] = ' '; /* the expression works on a string */
        }
    }
    g_free(w->last);
    w->last = text;
    return g_regex_match(w->serial, text, 0, NULL) ? REACHED : NOT_YET;
}

/* A saved machine is a stopped one. */
static gboolean is_state(const struct waiting *w, const char *state)
{
    if (strcmp(w->state, "saved") == 0) {
        return strcmp(state, "stopped") == 0 && oriel_saved_exists(w->machine->folder);
    }
    return strcmp(state, w->state) == 0;
}

/* Whether the guest writes nothing more. */
static gboolean is_over(const char *state)
{
    return strcmp(state, "stopped") == 0 || strcmp(state, "crashed") == 0;
}

static enum verdict look(struct waiting *w, GError **error)
{
    const char *state = state_now(w);
    enum verdict verdict = NOT_YET;

    if (w->state) {
        return is_state(w, state) ? REACHED : NOT_YET;
    }
    verdict = w->text ? look_at_text(w, error) : look_at_serial(w, error);
    if (verdict == NOT_YET && is_over(state) && is_over(state_now(w))) {
        /* What the guest wrote last may have come between the two looks. */
        verdict = w->text ? look_at_text(w, error) : look_at_serial(w, error);
        if (verdict == NOT_YET) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                        strcmp(state, "crashed") == 0
                            ? _("“%s” has crashed, so what you wait for will not come; “orielctl "
                                "log” says how.")
                            : _("“%s” is stopped, so what you wait for will not come."),
                        w->machine->name);
            return FAILED;
        }
    }
    return verdict;
}

static enum verdict time_out(struct waiting *w, GError **error)
{
    if (w->last) {
        fprintf(stderr, "%s", w->last);
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT, _("“%s” did not get there in time."),
                w->machine->name);
    return FAILED;
}

/* Lets the main loop take what the engine says for a while. */
static void rest(void)
{
    gint64 end = g_get_monotonic_time() + LOOK_MS * 1000;

    while (g_get_monotonic_time() < end) {
        if (!g_main_context_iteration(NULL, FALSE)) {
            g_usleep(5000);
        }
    }
}

static gboolean state_known(const char *state, GError **error)
{
    static const char *const states[] = {
        "stopped", "saved", "running", "paused", "crashed", NULL
    };

    if (!g_strv_contains(states, state)) {
        g_set_error(
            error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
            _("“%s” is not a state; there are stopped, saved, running, paused and crashed."),
            state);
        return FALSE;
    }
    return TRUE;
}

/* NULL with *error set to a sentence if the expression is none. */
static GRegex *expression_new(const char *text, GRegexCompileFlags flags, GError **error)
{
    g_autoptr(GError) cause = NULL;
    GRegex *expression = g_regex_new(text, G_REGEX_MULTILINE | flags, 0, &cause);

    if (!expression) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("“%s” is not a regular expression: %s."), text, cause->message);
    }
    return expression;
}

static gboolean waiting_prepare(struct waiting *w, const struct call *call, GError **error)
{
    const char *text = call_option(call, "text"), *serial = call_option(call, "serial");
    const char *timeout = call_option(call, "timeout");
    guint64 seconds = 0;

    w->state = call_option(call, "state");
    if ((w->state != NULL) + (text != NULL) + (serial != NULL) != 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("“wait” needs one of --state, --text and --serial."));
        return FALSE;
    }
    if (timeout && !g_ascii_string_to_unsigned(timeout, 10, 0, G_MAXINT32, &seconds, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("“%s” is not a number of seconds."), timeout);
        return FALSE;
    }
    w->deadline = timeout ? g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC : G_MAXINT64;
    if ((w->state && !state_known(w->state, error)) ||
        (text && !(w->text = expression_new(text, 0, error))) ||
        (serial && !(w->serial = expression_new(serial, G_REGEX_RAW, error)))) {
        return FALSE;
    }
    w->machine = call_machine(call, error);
    return w->machine != NULL;
}

static void waiting_clear(struct waiting *w)
{
    g_clear_pointer(&w->machine, oriel_machine_free);
    g_clear_object(&w->engine);
    g_clear_pointer(&w->text, g_regex_unref);
    g_clear_pointer(&w->serial, g_regex_unref);
    g_free(w->last);
}

gboolean run_wait(const struct call *call, GError **error)
{
    struct waiting w = { NULL };
    enum verdict verdict = waiting_prepare(&w, call, error) ? NOT_YET : FAILED;

    while (verdict == NOT_YET) {
        verdict = look(&w, error);
        if (verdict == NOT_YET && g_get_monotonic_time() >= w.deadline) {
            verdict = time_out(&w, error);
        }
        if (verdict == NOT_YET) {
            rest();
        }
    }
    waiting_clear(&w);
    return verdict == REACHED;
}
