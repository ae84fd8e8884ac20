/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * machine.json survives everything: the process dying, or the system refusing, at every single step
 * of a save or an undo. The linker leads the library's system calls here (--wrap).
 */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"

static int steps;       /* calls so far */
static int victim = -1; /* the call at which something happens */
static int failure; /* 0: the process dies before the call; otherwise the call fails with this */

/* True if the call is to fail, with errno set. */
static bool step(void)
{
    if (steps++ != victim) {
        return false;
    }
    if (failure == 0) {
        _exit(99);
    }
    errno = failure;
    return true;
}

#define WRAPPED(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return step() ? -1 : __real_##name arguments;                                              \
    }

WRAPPED(int, openat64, (int fd, const char *path, int flags, int mode), (fd, path, flags, mode))
WRAPPED(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRAPPED(int, fsync, (int fd), (fd))
WRAPPED(int, linkat, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags))
WRAPPED(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAPPED(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAPPED(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))

static char *folder;

static void prepare(OrielConfig *config)
{
    folder = g_dir_make_tmp("oriel-crash-XXXXXX", NULL);
    CHECK(folder != NULL);
    for (unsigned cpus = 1; cpus <= 25; cpus++) {
        config->cpus = cpus;
        CHECK(oriel_config_save(config, folder, NULL));
    }
}

static void clean_up(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

    CHECK(system(command) == 0);
    g_free(folder);
}

static unsigned cpus_on_disk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielConfig) config = oriel_config_load(folder, &error);

    if (config == NULL) {
        test_fail(__FILE__, __LINE__, "after step %d: %s", victim, error->message);
    }
    return config->cpus;
}

static bool do_save(OrielConfig *config)
{
    config->cpus = 100;
    return oriel_config_save(config, folder, NULL);
}

static bool do_undo(OrielConfig *config)
{
    return oriel_config_undo(folder, NULL);
}

/* Runs `action` in a child with something happening at step `at`; its exit code: 0 done, 1 refused,
 * 99 died. */
static int in_child(bool (*action)(OrielConfig *), OrielConfig *config, int at, int how)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        steps = 0;
        victim = at;
        failure = how;
        _exit(action(config) ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void every_step(bool (*action)(OrielConfig *), unsigned after, int how)
{
    int code, at = 0;

    do {
        g_autoptr(OrielConfig) config = oriel_config_new("a");
        unsigned cpus;

        prepare(config);
        code = in_child(action, config, at, how);
        victim = at;
        cpus = cpus_on_disk();
        victim = -1;
        CHECK(cpus == 25 || cpus == after);
        CHECK(code != 0 || cpus == after);
        /* Whatever was left lying about, saving and going back work as ever. */
        config->cpus = 200;
        CHECK(oriel_config_save(config, folder, NULL));
        CHECK_EQ(cpus_on_disk(), 200);
        CHECK(oriel_config_undo(folder, NULL));
        CHECK_EQ(cpus_on_disk(), cpus);
        clean_up();
        at++;
        CHECK(at < 100);
    } while (code != 0 || at < 3);
    printf("# %d steps\n", at);
}

TEST(dying_at_every_step_of_a_save)
{
    every_step(do_save, 100, 0);
}

TEST(dying_at_every_step_of_an_undo)
{
    every_step(do_undo, 24, 0);
}

TEST(a_full_disk_at_every_step_of_a_save)
{
    static const int numbers[] = { ENOSPC, EIO, EPERM };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        for (int at = 0; at < 12; at++) {
            g_autoptr(OrielConfig) config = oriel_config_new("a");
            unsigned cpus;
            int code;

            prepare(config);
            code = in_child(do_save, config, at, numbers[i]);
            victim = at;
            cpus = cpus_on_disk();
            victim = -1;
            CHECK(cpus == 100 || (cpus == 25 && code == 1));
            clean_up();
        }
    }
}

TEST(killed_at_random_moments)
{
    g_autoptr(OrielConfig) config = oriel_config_new("a");

    prepare(config);
    for (unsigned round = 0; round < 60; round++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            for (unsigned i = 0;; i++) {
                config->cpus = 1 + i % 255;
                oriel_config_save(config, folder, NULL);
            }
        }
        CHECK(child > 0);
        g_usleep(g_random_int_range(100, 20000));
        kill(child, SIGKILL);
        CHECK(waitpid(child, &status, 0) == child);
        cpus_on_disk();
    }
    clean_up();
}

/* Both report success only for what is on disk, and neither can destroy the other's file. */
TEST(two_savers_at_once)
{
    g_autoptr(OrielConfig) config = oriel_config_new("a");
    pid_t children[2];

    prepare(config);
    for (unsigned i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (unsigned j = 0; j < 200; j++) {
                config->cpus = 1 + 100 * i + j % 100;
                if (!oriel_config_save(config, folder, NULL)) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        int status;

        CHECK(waitpid(children[i], &status, 0) == children[i]);
        CHECK_EQ(status, 0);
    }
    cpus_on_disk();
    clean_up();
}

TEST_MAIN(T(dying_at_every_step_of_a_save), T(dying_at_every_step_of_an_undo),
          T(a_full_disk_at_every_step_of_a_save), T(killed_at_random_moments),
          T(two_savers_at_once))
