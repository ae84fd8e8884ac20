/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sandbox of oriel-net: no new privileges, Landlock for files, seccomp for system calls. See
 * helper.h. A kernel without Landlock or seccomp starts the network all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/landlock.h"
#include "helper.h"

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#define RESOLV_CONF "/etc/resolv.conf"

enum {
    DESCRIPTORS_MAX = 4096,
    TYPE_MASK = 0xf, /* of a socket's type; the rest are flags */
};

/* --- Files ------------------------------------------------------------------------------------ */

/* The file itself, or the folder where a service of the computer replaces it. */
static void resolver_allow(int rules)
{
    char *path = realpath(RESOLV_CONF, NULL);
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

    if (path) {
        bool replaced = g_str_has_prefix(path, "/run/");

        landlock_rules_allow(rules, replaced ? folder : path, LANDLOCK_ACCESS_FS_READ_FILE);
    }
    free(path);
}

static void files_close_off(const struct wire_start *start)
{
    int rules = landlock_rules_new();

    if (start->mode == WIRE_USER) {
        resolver_allow(rules);
    } else {
        landlock_rules_allow(rules, start->folder,
                             LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE);
    }
    landlock_rules_enter(rules);
}

bool sandbox_resolver_reachable(void)
{
    static gint64 looked_at;
    static struct stat before;
    gint64 now = g_get_monotonic_time();
    struct stat status;
    int fd;

    if (now - looked_at < G_USEC_PER_SEC || stat(RESOLV_CONF, &status) != 0) {
        return true;
    }
    looked_at = now;
    if (status.st_ino == before.st_ino && status.st_dev == before.st_dev) {
        return true;
    }
    before = status;
    fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        /* The sandbox alone forbids it: a new process may read what came in the file's place. */
        return errno != EACCES || access(RESOLV_CONF, R_OK) != 0;
    }
    close(fd);
    return true;
}

/* --- System calls ----------------------------------------------------------------------------- */

#ifdef HAVE_SECCOMP
static const int allowed[] = {
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(access),
    SCMP_SYS(bind),
    SCMP_SYS(brk),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(connect),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(fstat),
    SCMP_SYS(futex),
    SCMP_SYS(getdents64),
    SCMP_SYS(getpeername),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(listen),
    SCMP_SYS(lseek),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(time),
    SCMP_SYS(unlink),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

/* TCP, UDP and echo requests; no raw sockets, whoever runs it. */
static const struct {
    int family, type;
} sockets[] = {
    { AF_INET, SOCK_STREAM },
    { AF_INET, SOCK_DGRAM },
    { AF_INET6, SOCK_STREAM },
    { AF_INET6, SOCK_DGRAM },
};

/* Of fcntl() what has to do with the descriptor alone: one with an owner sends it signals, and the
 * owner can be any process of the user. */
static const int descriptor_commands[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
};

/* Everything else fails as if it were forbidden: libraries cope with that. */
static void calls_close_off(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool good = filter != NULL;

    for (unsigned i = 0; good && i < G_N_ELEMENTS(allowed); i++) {
        good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    }
    for (unsigned i = 0; good && i < G_N_ELEMENTS(descriptor_commands); i++) {
        good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)descriptor_commands[i])) == 0;
    }
    for (unsigned i = 0; good && i < G_N_ELEMENTS(sockets); i++) {
        good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                SCMP_A0(SCMP_CMP_EQ, sockets[i].family),
                                SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, sockets[i].type)) == 0;
    }
    good = good &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_EQ, FIONREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
           seccomp_load(filter) == 0;
    if (!good) {
        g_message("the kernel takes no filter of system calls");
    }
    if (filter) {
        seccomp_release(filter);
    }
}
#else
static void calls_close_off(void)
{
}
#endif

void sandbox_enter(const struct wire_start *start)
{
    const struct rlimit none = { 0, 0 }, descriptors = { DESCRIPTORS_MAX, DESCRIPTORS_MAX };

    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_NOFILE, &descriptors);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return;
    }
    files_close_off(start);
    calls_close_off();
}
