/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See worker-sandbox.h. */
#include "worker/worker-sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/landlock.h"

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

/* --- Files ------------------------------------------------------------------------------------ */

static void paths_allow(int rules, const char *const *paths, uint64_t access)
{
    for (; *paths; paths++) {
        landlock_rules_allow(rules, *paths, access);
    }
}

/* What the libraries look up: how much memory there is, how many processors. */
static void common_allow(int rules, uint64_t access)
{
    static const char *const common[] = { "/proc/meminfo", "/sys/devices/system/cpu", NULL };

    paths_allow(rules, common, access);
}

/* Where libosinfo finds systems and their needs. */
static void systems_allow(int rules, uint64_t access)
{
    g_autofree char *user = g_build_filename(g_get_user_config_dir(), "osinfo", NULL);
    static const char *const common[] = { "/usr/share/osinfo", "/usr/local/share/osinfo",
                                          "/app/share/osinfo", "/etc/osinfo",
                                          "/usr/share/hwdata", NULL };
    static const char *const variables[] = { "OSINFO_SYSTEM_DIR", "OSINFO_LOCAL_DIR",
                                             "OSINFO_USER_DIR" };

    paths_allow(rules, common, access);
    landlock_rules_allow(rules, user, access);
    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++) {
        if (g_getenv(variables[i])) {
            landlock_rules_allow(rules, g_getenv(variables[i]), access);
        }
    }
}

static void files_close_off(const struct worker_rights *rights)
{
    int rules = landlock_rules_new();

    common_allow(rules, LANDLOCK_READ);
    if (rights->systems) {
        systems_allow(rules, LANDLOCK_READ);
    }
    paths_allow(rules, rights->reads, LANDLOCK_READ);
    paths_allow(rules, rights->changes, LANDLOCK_CHANGE);
    paths_allow(rules, rights->fills, LANDLOCK_CHANGE | LANDLOCK_ACCESS_FS_MAKE_REG);
    landlock_rules_enter(rules);
}

/* --- System calls ----------------------------------------------------------------------------- */

#ifdef HAVE_SECCOMP
static const int allowed[] = {
    SCMP_SYS(access),
    SCMP_SYS(brk),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(dup),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fallocate),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(futex),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpeername),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(sysinfo),
    SCMP_SYS(time),
    SCMP_SYS(utimensat),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

static bool arguments_allow(scmp_filter_ctx filter)
{
    static const unsigned long requests[] = { FIONREAD, FIONBIO, BLKGETSIZE64 };
    bool good = true;

    for (unsigned i = 0; good && i < G_N_ELEMENTS(requests); i++) {
        good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                SCMP_A1(SCMP_CMP_EQ, requests[i])) == 0;
    }
    return good &&
           /* Not F_SETOWN to F_SETOWN_EX: what a descriptor's owner is sent can be any signal. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                            SCMP_A1(SCMP_CMP_LT, F_SETOWN)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                            SCMP_A1(SCMP_CMP_GE, F_OFD_GETLK)) == 0 &&
           /* Threads, no processes. What the other call wants cannot be seen: it is not there. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) == 0 &&
           /* Limits can be read. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                            SCMP_A2(SCMP_CMP_EQ, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
}

/* Everything else fails as if it were forbidden: libraries cope with that. */
static void calls_close_off(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool good = filter != NULL;

    for (unsigned i = 0; good && i < G_N_ELEMENTS(allowed); i++) {
        good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    }
    good = good && arguments_allow(filter) && seccomp_load(filter) == 0;
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

/* --- All of it -------------------------------------------------------------------------------- */

/*
 * Memory that holds data, not address space: of that, reserved and never touched, threads and the
 * allocator take plenty. Sanitizers need theirs.
 */
static void memory_limit(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit limit = { WORKER_MEMORY_MAX, WORKER_MEMORY_MAX };

    setrlimit(RLIMIT_DATA, &limit);
#endif
}

void worker_sandbox_enter(const struct worker_rights *rights)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    memory_limit();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return;
    }
    files_close_off(rights);
    calls_close_off();
}
