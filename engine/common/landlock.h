/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that a process can reach from here on, by Landlock (landlock(7)). A kernel without Landlock
 * forbids nothing; one that knows fewer rights forbids those that it knows.
 *
 *     int rules = landlock_rules_new();
 *     landlock_rules_allow(rules, "/proc/meminfo", LANDLOCK_READ);
 *     landlock_rules_enter(rules);
 *
 * Threads: rules are those of the calling thread and of the threads that it starts later; enter
 * before there are others.
 */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <linux/landlock.h>
#include <stdint.h>

/* Rights beside those of linux/landlock.h, which may be older than the kernel. */
#define LANDLOCK_REFER     (1ull << 13)
#define LANDLOCK_TRUNCATE  (1ull << 14)
#define LANDLOCK_IOCTL_DEV (1ull << 15)

/* To read files, devices among them, and folders; and to change what files hold. */
#define LANDLOCK_READ                                                                              \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_IOCTL_DEV)
#define LANDLOCK_CHANGE (LANDLOCK_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_TRUNCATE)

/* Rules that allow nothing yet: a file descriptor for the functions below, or -1 without Landlock,
 * which they take, too. */
int landlock_rules_new(void);

/* Allows what is in `access` of a file, or of a folder and everything below it. What only folders
 * can have is left out for a file; a path that leads nowhere allows nothing. */
void landlock_rules_allow(int rules, const char *path, uint64_t access);

/* From here on nothing but what the rules allow; closes them. The process must have no way to new
 * privileges (PR_SET_NO_NEW_PRIVS). */
void landlock_rules_enter(int rules);

#endif
