/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * orielctl: everything Oriel does, from the command line. This file reads the arguments, finds the
 * command, and turns its result into an exit code: 0, 2 for a wrong command line, 10 + OrielError,
 * 1 for anything else.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "oriel-locale.h"
#include "orielctl.h"

enum {
    LINE_WIDTH = 80,
    COMMAND_WIDTH = 14,
    OPTION_WIDTH = 22,
};

/* Prints words in lines that begin at `indent`; the first line has `column` columns already. */
static void words_print(FILE *file, const char *text, int indent, int column)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word; word++) {
        int length = (int)g_utf8_strlen(*word, -1);

        if (column > indent && column + 1 + length > LINE_WIDTH) {
            fputc('\n', file);
            column = 0;
        }
        int gap = column <= indent ? indent - column : 1;

        fprintf(file, "%*s%s", gap, "", *word);
        column += gap + length;
    }
    fputc('\n', file);
}

/* A name, and a text in a column of its own beside it; below it, if the name is too long. */
static void entry_print(FILE *file, const char *name, int width, const char *text)
{
    int column = fprintf(file, "  %-*s", width, name);

    if (column > width + 2) {
        fputc('\n', file);
        column = 0;
    }
    words_print(file, text, width + 3, column);
}

/* How a command is written. */
static void usage_line_print(FILE *file, const char *line)
{
    /* Translators: followed by a command line. */
    g_autofree char *usage = g_strdup_printf(_("Usage: %s"), line);

    fprintf(file, "%s\n", usage);
}

static void usage_print(FILE *file)
{
    usage_line_print(file, "orielctl COMMAND [ARGUMENT...] [--json]");
    for (const struct command_group *group = command_groups; group->title; group++) {
        fprintf(file, "\n%s\n", _(group->title));
        for (const struct command *const *c = group->commands; *c; c++) {
            entry_print(file, (*c)->name, COMMAND_WIDTH, _((*c)->summary));
        }
    }
    fprintf(file, "\n%s\n", _("“orielctl COMMAND --help” says more. Manual: orielctl(1)."));
}

static void help_print(const struct command *command)
{
    g_autofree char *line =
        g_strconcat("orielctl ", command->name, *command->arguments ? " " : "", command->arguments,
                    command->options->name ? " [OPTION...]" : "", NULL);

    usage_line_print(stdout, line);
    putchar('\n');
    words_print(stdout, _(command->summary), 0, 0);
    printf("\n%s\n", _("Options:"));
    for (const struct option *o = command->options; o->name; o++) {
        g_autofree char *name =
            g_strdup_printf("--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");

        entry_print(stdout, name, OPTION_WIDTH, _(o->help));
    }
    entry_print(stdout, "--json", OPTION_WIDTH, _("print the result as JSON"));
    entry_print(stdout, "--help", OPTION_WIDTH, _("print this text"));
    printf("\n%s\n", _("Examples:"));
    g_auto(GStrv) examples = g_strsplit(command->examples, "\n", -1);

    for (char **example = examples; *example; example++) {
        printf("  %s\n", *example);
    }
}

/* Letters that differ, for suggestions: the Levenshtein distance, small words only. */
static guint distance(const char *a, const char *b)
{
    guint row[64];
    gsize n = strlen(b);

    if (n >= G_N_ELEMENTS(row)) {
        return G_MAXUINT;
    }
    for (guint j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (guint i = 1; a[i - 1]; i++) {
        guint diagonal = row[0];

        row[0] = i;
        for (guint j = 1; j <= n; j++) {
            guint above = row[j];

            row[j] = MIN(MIN(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

static const struct command *command_find(const char *name, const char **nearest)
{
    guint best = 3; /* further away is no typing mistake */

    *nearest = NULL;
    for (const struct command_group *group = command_groups; group->title; group++) {
        for (const struct command *const *c = group->commands; *c; c++) {
            guint d = distance(name, (*c)->name);

            if (d == 0) {
                return *c;
            }
            if (d < best) {
                best = d;
                *nearest = (*c)->name;
            }
        }
    }
    return NULL;
}

static const struct option *option_find(const struct command *command, const char *name)
{
    static const struct option common[] = {
        { "json", NULL, NULL },
        { "help", NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(common); i++) {
        if (strcmp(common[i].name, name) == 0) {
            return &common[i];
        }
    }
    for (const struct option *o = command->options; o->name; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

static gboolean usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage_error(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *error = g_error_new_valist(G_OPTION_ERROR, G_OPTION_ERROR_FAILED, format, arguments);
    va_end(arguments);
    return FALSE;
}

/* One option with its value; moves *at past what it used. */
static gboolean option_take(struct call *call, char **argv, int argc, int *at, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(argv[*at] + 2, "=", 2);
    const struct option *option = option_find(call->command, parts[0]);
    const char *value = parts[1];

    if (!option) {
        return usage_error(error, _("“%s” has no option “--%s”; see “orielctl %s --help”."),
                           call->command->name, parts[0], call->command->name);
    }
    if (!option->value && value) {
        return usage_error(error, _("The option “--%s” takes no value."), option->name);
    }
    if (option->value && !value) {
        if (*at + 1 >= argc) {
            return usage_error(error, _("The option “--%s” needs a value: %s."), option->name,
                               option->value);
        }
        value = argv[++*at];
    }
    g_hash_table_insert(call->options, (gpointer)option->name, g_strdup(value ? value : ""));
    return TRUE;
}

static gboolean arguments_parse(struct call *call, char **argv, int argc, GError **error)
{
    gboolean options_end = FALSE;

    call->arguments = g_new0(char *, (gsize)argc + 1);
    for (int i = 0; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = TRUE;
        } else if (!options_end && strcmp(argv[i], "-h") == 0) {
            g_hash_table_insert(call->options, (gpointer) "help", g_strdup(""));
        } else if (!options_end && g_str_has_prefix(argv[i], "--")) {
            if (!option_take(call, argv, argc, &i, error)) {
                return FALSE;
            }
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            return usage_error(error, _("There is no option “%s”; see “orielctl %s --help”."),
                               argv[i], call->command->name);
        } else {
            call->arguments[call->n_arguments++] = argv[i];
        }
    }
    if (call_option(call, "help")) {
        return TRUE;
    }
    if (call->n_arguments < call->command->minimum || call->n_arguments > call->command->maximum) {
        return *call->command->arguments
                   ? usage_error(error, _("“%s” needs %s; see “orielctl %s --help”."),
                                 call->command->name, call->command->arguments, call->command->name)
                   : usage_error(error, _("“%s” needs no arguments; see “orielctl %s --help”."),
                                 call->command->name, call->command->name);
    }
    call->json = call_option(call, "json") != NULL;
    return TRUE;
}

/* Whether --json is anywhere on a command line, also on one that cannot be read to its end. */
static gboolean json_asked(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static int exit_code(const GError *error)
{
    if (error->domain == G_OPTION_ERROR) {
        return EXIT_USAGE;
    }
    return oriel_error_exit_code(error);
}

static int fail(const struct call *call, const GError *error)
{
    g_autofree char *code = g_strdup_printf("%d", exit_code(error));
    g_autofree char *message = plain_text(error->message);

    if (call->json && !json_was_printed()) {
        print_json(json_object_of("error", error->message, "exit-code", code, NULL));
    }
    fprintf(stderr, "orielctl: %s\n", message);
    return exit_code(error);
}

/* What was printed must have arrived: a script must not take half a list for the whole. */
static gboolean output_flush(GError **error)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        oriel_error_set_errno(error, errno, _("The result could not be written"));
        return FALSE;
    }
    return TRUE;
}

static int command_run(const struct command *command, int argc, char **argv)
{
    struct call call = { .command = command };
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_autoptr(GError) error = NULL;
    int code = 0;

    call.options = options;
    if (!arguments_parse(&call, argv, argc, &error)) {
        call.json = json_asked(argc, argv);
        code = fail(&call, error);
    } else if (call_option(&call, "help")) {
        help_print(command);
    } else if (!command->run(&call, &error) || !output_flush(&error)) {
        code = fail(&call, error);
    }
    g_free(call.arguments);
    return code;
}

static void command_missing(const char *name, const char *nearest)
{
    fputs("orielctl: ", stderr);
    if (nearest) {
        fprintf(stderr,
                _("There is no command “%s”; did you mean “%s”? “orielctl --help” lists all."),
                name, nearest);
    } else {
        fprintf(stderr, _("There is no command “%s”; see “orielctl --help”."), name);
    }
    fputc('\n', stderr);
}

int main(int argc, char **argv)
{
    const char *nearest, *name = argc > 1 ? argv[1] : "";
    const struct command *command;
    gboolean help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;

    /* What a script reads is the same in every language. */
    oriel_locale_start(!json_asked(argc, argv));
    if (argc < 2) {
        usage_print(stderr);
        return EXIT_USAGE;
    }
    if (help || (strcmp(name, "help") == 0 && argc == 2)) {
        usage_print(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        printf("orielctl %s\n", ORIEL_VERSION);
        return 0;
    }
    help = strcmp(name, "help") == 0;
    if (help) {
        name = argv[2];
    }
    command = command_find(name, &nearest);
    if (!command) {
        command_missing(name, nearest);
        return EXIT_USAGE;
    }
    if (help) {
        help_print(command);
        return 0;
    }
    return command_run(command, argc - 2, argv + 2);
}
