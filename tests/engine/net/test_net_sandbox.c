/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sandbox of oriel-net lets it do, and what not. Each attempt is made in a process of its
 * own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/landlock.h"
#include "net/helper/helper.h"
#include "test.h"

static int pair[2]; /* the sockets that it has from the start */

static int failing(long result)
{
    return result < 0 ? errno : 0;
}

/* Runs `attempt` in the sandbox; returns what it returned. */
static int sandboxed(int (*attempt)(void))
{
    const struct wire_start start = { .mode = WIRE_USER };
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        sandbox_enter(&start);
        _exit(attempt());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_network(void)
{
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int udp = socket(AF_INET6, SOCK_DGRAM, 0);
    int flags = fcntl(tcp, F_GETFL);

    if (tcp < 0 || (udp < 0 && errno != EAFNOSUPPORT)) {
        return errno;
    }
    return failing(fcntl(tcp, F_SETFL, flags | O_NONBLOCK)) ||
           failing(fcntl(tcp, F_SETFD, FD_CLOEXEC)) || failing(send(pair[0], "frame", 5, 0));
}

static int try_raw_socket(void)
{
    return failing(socket(AF_INET, SOCK_RAW, 1));
}

static int try_unix_socket(void)
{
    return failing(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_signal(void)
{
    return failing(kill(getppid(), 0));
}

/* The kernel would send the signal for it. */
static int try_signal_by_descriptor(void)
{
    return failing(fcntl(pair[0], F_SETOWN, getppid()));
}

static int try_signal_choice(void)
{
    return failing(fcntl(pair[0], F_SETSIG, SIGKILL));
}

static int try_program(void)
{
    char name[] = "true", *const arguments[] = { name, NULL };

    return failing(execv("/bin/true", arguments));
}

static int try_process(void)
{
    return failing(fork());
}

static int try_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return code == MAP_FAILED ? errno : 0;
}

static int try_file(void)
{
    return failing(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

TEST(its_work_goes_on)
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    CHECK_EQ(sandboxed(try_network), 0);
    close(pair[0]);
    close(pair[1]);
}

TEST(other_calls_are_forbidden)
{
#ifndef HAVE_SECCOMP
    printf("# this build has no seccomp\n");
    return;
#endif
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    CHECK_EQ(sandboxed(try_raw_socket), EPERM);
    CHECK_EQ(sandboxed(try_unix_socket), EPERM);
    CHECK_EQ(sandboxed(try_signal), EPERM);
    CHECK_EQ(sandboxed(try_signal_by_descriptor), EPERM);
    CHECK_EQ(sandboxed(try_signal_choice), EPERM);
    CHECK_EQ(sandboxed(try_program), EPERM);
    CHECK_EQ(sandboxed(try_process), EPERM);
    CHECK_EQ(sandboxed(try_code), EPERM);
    close(pair[0]);
    close(pair[1]);
}

TEST(files_are_out_of_reach)
{
    int rules = landlock_rules_new();

    if (rules < 0) {
        printf("# this kernel has no Landlock\n");
        return;
    }
    close(rules);
    CHECK_EQ(sandboxed(try_file), EACCES);
}

TEST_MAIN(T(its_work_goes_on), T(other_calls_are_forbidden), T(files_are_out_of_reach))
