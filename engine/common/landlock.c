/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See landlock.h. */
#include "common/landlock.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The rights of the first version. */
#define RIGHTS_1 ((1ull << 13) - 1)

/* What a rule for a file, not a folder, may have. */
#define OF_FILES                                                                                   \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |   \
     LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV)

/* Every right that the kernel can forbid, none without Landlock. */
static uint64_t rights_known(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return (version >= 1 ? RIGHTS_1 : 0) | (version >= 2 ? LANDLOCK_REFER : 0) |
           (version >= 3 ? LANDLOCK_TRUNCATE : 0) | (version >= 5 ? LANDLOCK_IOCTL_DEV : 0);
}

int landlock_rules_new(void)
{
    const struct landlock_ruleset_attr attributes = { .handled_access_fs = rights_known() };

    if (attributes.handled_access_fs == 0) {
        return -1;
    }
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
}

void landlock_rules_allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = access & rights_known() };
    struct stat status;

    if (rules < 0) {
        return;
    }
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return;
    }
    if (fstat(rule.parent_fd, &status) == 0) {
        if (!S_ISDIR(status.st_mode)) {
            rule.allowed_access &= OF_FILES;
        }
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    close(rule.parent_fd);
}

void landlock_rules_enter(int rules)
{
    if (rules >= 0) {
        syscall(SYS_landlock_restrict_self, rules, 0);
        close(rules);
    }
}
