/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast TCP is between a guest and this computer.
 *
 *     tcp-speed serve PORT
 *
 * waits for guests at 127.0.0.1. For each transfer it says "begin" and waits for a line on standard
 * input, so that the caller can look at its counters, and the same with
 *
 *     end to-host|to-guest BYTES MICROSECONDS PACKETS
 *
 * at its end; the packets are those that the guest's card has sent and received meanwhile.
 *
 *     tcp-speed run ADDRESS PORT MEBIBYTES ROUNDS
 *
 * is the guest: so many times, data to the server, then data from it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 256 << 10,
};

/* What a guest begins with; the same when the data has passed, with the packets instead. */
struct message {
    uint64_t to_guest, bytes, packets;
};

static uint8_t buffer[BUFFER_SIZE];

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void write_all(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, buffer, bytes < BUFFER_SIZE ? bytes : BUFFER_SIZE);

        if (n <= 0) {
            fail("write");
        }
        bytes -= (uint64_t)n;
    }
}

static void read_all(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        ssize_t n = read(fd, buffer, bytes < BUFFER_SIZE ? bytes : BUFFER_SIZE);

        if (n <= 0) {
            fail("read");
        }
        bytes -= (uint64_t)n;
    }
}

static bool message_read(int fd, struct message *message)
{
    return recv(fd, message, sizeof(*message), MSG_WAITALL) == (ssize_t)sizeof(*message);
}

static void message_write(int fd, const struct message *message)
{
    if (write(fd, message, sizeof(*message)) != (ssize_t)sizeof(*message)) {
        fail("write");
    }
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct sockaddr_in address_make(const char *address, const char *port)
{
    struct sockaddr_in made = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

    if (inet_pton(AF_INET, address, &made.sin_addr) != 1) {
        fail(address);
    }
    return made;
}

/* --- This computer ---------------------------------------------------------------------------- */

static void caller_wait(void)
{
    char line[16];

    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin)) {
        exit(0);
    }
}

static void transfer_serve(int fd, const struct message *message)
{
    struct message end;
    int64_t began;

    printf("begin\n");
    caller_wait();
    began = now_us();
    message_write(fd, message); /* go */
    if (message->to_guest) {
        write_all(fd, message->bytes);
    } else {
        read_all(fd, message->bytes);
        message_write(fd, message); /* all of it is here */
    }
    if (!message_read(fd, &end)) {
        fail("the guest's end");
    }
    printf("end %s %llu %lld %llu\n", message->to_guest ? "to-guest" : "to-host",
           (unsigned long long)message->bytes, (long long)(now_us() - began),
           (unsigned long long)end.packets);
    caller_wait();
}

static void serve(const char *port)
{
    struct sockaddr_in address = address_make("127.0.0.1", port);
    struct message message;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd, one = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 4) < 0) {
        fail("listen");
    }
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        while (message_read(fd, &message)) {
            transfer_serve(fd, &message);
        }
        close(fd);
    }
    fail("accept");
}

/* --- The guest -------------------------------------------------------------------------------- */

static uint64_t packets_of(const char *name)
{
    char path[128];
    unsigned long long value = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/sys/class/net/eth0/statistics/%s", name);
    file = fopen(path, "r");
    if (!file || fscanf(file, "%llu", &value) != 1) {
        fail(path);
    }
    fclose(file);
    return value;
}

static uint64_t packets(void)
{
    return packets_of("rx_packets") + packets_of("tx_packets");
}

static void transfer_run(int fd, bool to_guest, uint64_t bytes)
{
    struct message message = { .to_guest = to_guest, .bytes = bytes };
    uint64_t before;

    message_write(fd, &message);
    if (!message_read(fd, &message)) {
        fail("the server's word");
    }
    before = packets();
    if (to_guest) {
        read_all(fd, bytes);
    } else {
        write_all(fd, bytes);
        if (!message_read(fd, &message)) {
            fail("the server's word");
        }
    }
    message.packets = packets() - before;
    message_write(fd, &message);
}

static void run(char **arguments)
{
    struct sockaddr_in address = address_make(arguments[0], arguments[1]);
    uint64_t bytes = strtoull(arguments[2], NULL, 10) << 20;
    int fd = socket(AF_INET, SOCK_STREAM, 0), rounds = atoi(arguments[3]);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        fail("connect");
    }
    for (int i = 0; i < rounds; i++) {
        transfer_run(fd, false, bytes);
        transfer_run(fd, true, bytes);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        serve(argv[2]);
    } else if (argc == 6 && strcmp(argv[1], "run") == 0) {
        run(argv + 2);
    } else {
        fprintf(stderr, "usage: tcp-speed serve PORT | run ADDRESS PORT MEBIBYTES ROUNDS\n");
        return 1;
    }
    return 0;
}
