/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that a process can reach under rules of its own, each time in a child. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/landlock.h"

jmp_buf test_failed;

static char folder[] = "/tmp/oriel-landlock-XXXXXX";

/* What open() says of a file of the folder: 0, or the error. */
static int opened(const char *name, int flags)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

/* Whether look() is content in a process that may do `access` with the file or folder alone. */
static bool holds(const char *name, uint64_t access, bool (*look)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        char path[256];
        int rules = landlock_rules_new();

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        landlock_rules_allow(rules, "/nowhere/at/all", LANDLOCK_READ);
        landlock_rules_allow(rules, path, access);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        landlock_rules_enter(rules);
        _exit(look() ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool only_a_is_read(void)
{
    return opened("a", O_RDONLY) == 0 && opened("a", O_WRONLY) == EACCES &&
           opened("b", O_RDONLY) == EACCES && opened(".", O_RDONLY | O_DIRECTORY) == EACCES &&
           opened("new", O_WRONLY | O_CREAT) == EACCES;
}

static bool only_a_is_changed(void)
{
    return opened("a", O_RDWR) == 0 && opened("a", O_WRONLY | O_TRUNC) == 0 &&
           opened("b", O_RDONLY) == EACCES && opened("new", O_WRONLY | O_CREAT) == EACCES;
}

static bool all_is_read_and_made(void)
{
    return opened("a", O_RDONLY) == 0 && opened("b", O_RDWR) == 0 &&
           opened("new", O_WRONLY | O_CREAT) == 0 && open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0;
}

TEST(a_file_to_read)
{
    CHECK(holds("a", LANDLOCK_READ, only_a_is_read));
}

/* What only folders can have does not spoil the rule of a file. */
TEST(a_file_to_change)
{
    CHECK(holds("a", LANDLOCK_CHANGE | LANDLOCK_ACCESS_FS_MAKE_REG, only_a_is_changed));
}

TEST(a_folder)
{
    CHECK(holds(".", LANDLOCK_CHANGE | LANDLOCK_ACCESS_FS_MAKE_REG, all_is_read_and_made));
    CHECK_EQ(opened("new", O_RDONLY), 0);
}

TEST(no_rules)
{
    landlock_rules_allow(-1, "/", LANDLOCK_READ);
    landlock_rules_enter(-1);
    CHECK_EQ(opened("a", O_RDONLY), 0);
}

static const struct test all[] = { T(a_file_to_read), T(a_file_to_change), T(a_folder),
                                   T(no_rules) };

int main(void)
{
    static const char *const names[] = { "a", "b", "new", "." };
    int rules = landlock_rules_new();
    int result;

    if (rules < 0) {
        printf("1..0 # SKIP this kernel has no Landlock\n");
        return 0;
    }
    close(rules);
    if (!mkdtemp(folder) || opened("a", O_WRONLY | O_CREAT) || opened("b", O_WRONLY | O_CREAT)) {
        return 1;
    }
    result = test_main(all, sizeof(all) / sizeof(all[0]));
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        remove(names[i][0] == '.' ? folder : path);
    }
    return result;
}
