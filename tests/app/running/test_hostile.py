#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running machine among clients that mean it ill, and everything at once: nothing may stop, hang or leak."""

import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from machine import Bus, SLOW, engine_pid, log, png_read, said, socket_path, start_welcome, wait_until
from oriel import ORIELCTL, check, main
from rfb import Client, DESKTOP_SIZE

CLIENTS_MAX = 16  # engine/display/server.h
SEED = int(os.environ.get("ORIEL_TEST_SEED", "7"))
STRESS_SECONDS = int(os.environ.get("ORIEL_STRESS_SECONDS", "8"))


def running(home, name="Welcome"):
    check(home.json("show", name)["state"] == "running", log(home, name))


def stop(home, name="Welcome", seconds=60):
    """Turns the machine off, which nobody may hold up: a client that does not read is given two seconds."""
    home.ok("stop", name, timeout=seconds)
    check(home.json("list")[0]["state"] == "stopped", "still running")
    check(os.listdir(os.path.join(home.runtime, "oriel")) == [], "sockets are left")


def same_picture(home, client, name="Welcome"):
    """The machine stands still: client and screenshot must show the same."""
    home.ok("pause", name)
    shot = os.path.join(home.path, "shot.png")
    home.ok("screenshot", name, shot)
    # Two, because an update that was under way may bring the one before.
    client.picture()
    check(client.picture() == png_read(shot), "VNC and the screenshot show different pictures")
    home.ok("resume", name)


def raw(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)  # blocking: many at once wait in line
    client.settimeout(60)
    return client


def is_closed(client):
    """True if the other side has closed the connection; what it sent is dropped."""
    client.settimeout(0.05)
    try:
        while client.recv(1 << 16):
            pass
        return True
    except (TimeoutError, BlockingIOError):
        return False
    except OSError:
        return True


def test_vnc_with_a_hundred_clients(home):
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    clients = [raw(path) for _ in range(100)]
    wait_until(lambda: sum(is_closed(client) for client in clients) == 100 - CLIENTS_MAX, "others are served", 10)
    check(len(os.listdir(f"/proc/{engine_pid(home, 'Welcome')}/task")) < 40, "a thread for everybody")
    # Those that say nothing are cut off and make room.
    wait_until(lambda: all(is_closed(client) for client in clients), "silent clients keep their places", 60)
    time.sleep(1)
    same_picture(home, Client(path))
    time.sleep(1)
    clients = [Client(path) for _ in range(CLIENTS_MAX)]
    for client in clients:
        client.picture()
    running(home)
    stop(home)


def test_vnc_clients_that_do_not_read(home):
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    deaf = [Client(path) for _ in range(4)]
    stalled = [Client(path) for _ in range(4)]
    for client in deaf:  # wants pictures without end and takes none
        client.socket.setblocking(False)
        try:
            for _ in range(2000):
                client.request()
        except OSError:
            pass
    for client in stalled:  # stops in the middle of a message
        client.socket.sendall(struct.pack(">BBH", 2, 0, 60000))
    begin = time.monotonic()
    other = Client(path)
    for _ in range(5):
        other.picture()
    check(time.monotonic() - begin < 30, "slow clients hold up the others")
    home.ok("type", "Welcome", "a")
    wait_until(lambda: said(home, "Welcome", "key a"), "the machine took no key", 60)
    stop(home)


def test_vnc_flood_of_input(home):
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    client = Client(path)
    other = Client(path)
    client.socket.setblocking(False)
    events = b"".join(struct.pack(">BBHH", 5, n % 8, n % 1000, n % 700) + struct.pack(">BB2xI", 4, n % 2, 0x61 + n % 8)
                      for n in range(5000))
    end, at = time.monotonic() + 5, 0
    while time.monotonic() < end:
        try:
            at = (at + client.socket.send(events[at:])) % len(events)
        except BlockingIOError:
            time.sleep(0.01)
    before = resident(engine_pid(home, "Welcome"))
    check(before < 400 << 10, f"{before} KiB resident")
    other.picture()
    client.close()
    running(home)
    stop(home)


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def session():
    """The bytes of a whole VNC session, in the order a client sends them."""
    return (b"RFB 003.008\n\x01\x01" + struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0) +
            struct.pack(">BxH8i", 2, 8, 16, 7, 6, 5, 2, 0, DESKTOP_SIZE, -258) +
            struct.pack(">BBHHHH", 3, 0, 0, 0, 1280, 800) + struct.pack(">BB2xI", 4, 1, 0x61) +
            struct.pack(">BBHII", 255, 0, 1, 0x62, 0x30) + struct.pack(">BBHH", 5, 1, 5, 5) +
            struct.pack(">B3xI", 6, 4) + b"text" + struct.pack(">BBxx", 8, 2) + struct.pack(">BBHHHH", 3, 0, 0, 0, 512, 384))


def test_vnc_disconnecting_in_the_middle(home):
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    whole = session()
    for length in range(0, len(whole), 3):
        client = raw(path)
        try:
            client.sendall(whole[:length])
            if length % 2:
                time.sleep(0.02)
                client.settimeout(0.01)
                client.recv(100)
        except (OSError, TimeoutError):
            pass
        client.close()
    for start in (b"\x16\x03\x01" + bytes(50), b"GET / HTTP/1.1\r\n\r\n", b"\x80" * 20, b"RFB 003.003\n", b"RFB 999.999\n"):
        client = raw(path)
        client.sendall(start)
        client.close()
    same_picture(home, Client(path))
    stop(home)


def test_vnc_while_modes_change(home):
    """Text to graphics and back many times, under clients that follow, do not know of sizes, or scale."""
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    follower, ignorant, scaled = Client(path), Client(path, encodings=(0,)), Client(path)
    scaled.socket.sendall(struct.pack(">BBxx", 8, 2))
    readers = [threading.Thread(target=drain, args=(client,), daemon=True) for client in (ignorant, scaled)]
    for reader in readers:
        reader.start()
    for n in range(3):
        home.ok("reset", "Welcome")
        for _ in range(4):
            follower.picture()
        wait_until(lambda n=n: said(home, "Welcome", "ready") > n, "it did not start again")
        wait_until(lambda: follower.picture()[:2] == (1280, 800), "the client was told of another size", 60)
    same_picture(home, follower)
    same_picture(home, Client(path))
    for client in (follower, ignorant, scaled):
        client.close()
    stop(home)


def drain(client):
    """Asks for all and reads whatever comes, until the end."""
    try:
        while True:
            client.request()
            client.socket.recv(1 << 20)
    except OSError:
        pass


def test_keys_are_let_go_by_those_who_hold_them(home):
    start_welcome(home)
    path = home.ok("vnc", "Welcome").strip()
    client = Client(path)
    client.picture()
    client.socket.sendall(struct.pack(">BB2xI", 4, 1, 0xffe1))  # Shift down
    bus = Bus(socket_path(home, "Welcome"))
    client.picture()
    for _ in range(20):
        home.json("show", "Welcome")  # connections that come and go hold nothing
    client.key(0x61)
    wait_until(lambda: said(home, "Welcome", "key A"), "another's connection let go of Shift", 60)
    client.close()
    wait_until(lambda: said(home, "Welcome", "key B") or not home.ok("type", "Welcome", "b") and
               said(home, "Welcome", "key b"), "Shift stayed down", 60)
    bus.key(42, 1)
    bus.key(48, 1)
    bus.key(48, 0)
    wait_until(lambda: said(home, "Welcome", "key B"), "Shift by D-Bus", 60)
    bus.close()
    time.sleep(0.5)
    home.ok("type", "Welcome", "c")
    wait_until(lambda: said(home, "Welcome", "key c"), "Shift stayed down", 60)
    stop(home)


def test_control_clients_that_do_not_read(home):
    start_welcome(home)
    path = socket_path(home, "Welcome")
    deaf = Bus(path)
    deaf.socket.setblocking(False)
    try:
        for _ in range(3000):
            deaf.call("GetStats")
    except BlockingIOError:
        pass
    half = raw(path)
    half.sendall(b"\0AUTH EXT")
    home.ok("pause", "Welcome")
    home.ok("resume", "Welcome")
    clients = [raw(path) for _ in range(100)]
    running(home)
    stop(home)
    for client in clients:
        client.close()


def test_commands_killed_in_the_middle(home):
    start_welcome(home)
    commands = [["pause"], ["resume"], ["reset"], ["screenshot", home.path + "/a.png"], ["type", "x" * 2000],
                ["key", "a", "b"], ["text"], ["stats"], ["wait", "--text", "nothing", "--timeout", "60"], ["vnc"],
                ["serial"], ["set", "cpus=2"], ["show"], ["insert", home.file("a.iso", bytes(64 * 2048))], ["eject"],
                ["log"], ["shutdown"], ["start"]]
    generator = random.Random(SEED)
    for step in range(3 * len(commands)):
        name, *rest = commands[step % len(commands)]
        process = subprocess.Popen([ORIELCTL, name, "Welcome", *rest], env=home.environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()
        if home.json("show", "Welcome")["state"] == "stopped":  # “shutdown” came through
            home.ok("start", "Welcome", timeout=SLOW)
        home.run("resume", "Welcome")
    left = [name for name in os.listdir(home.path) if name.startswith("a.png.")]
    check(len(left) <= 3, f"{left} are left")
    running(home)
    # The typing ended with those who wanted it.
    home.ok("reset", "Welcome")
    home.ok("type", "Welcome", "z")
    stop(home)


def test_everything_at_once(home):
    """Transitions, input, pictures, media and clients at random for a while; then all is as it should be."""
    start_welcome(home, cpus="2")
    path = home.ok("vnc", "Welcome").strip()
    iso = home.file("a.iso", bytes(64 * 2048))
    shot = home.path + "/shot.png"
    over = threading.Event()
    generator = random.Random(SEED)
    threads = [threading.Thread(target=viewer, args=(path, over, SEED + n)) for n in range(3)]
    for thread in threads:
        thread.start()
    commands = [["pause"], ["resume"], ["resume"], ["reset"], ["screenshot", shot], ["type", "Hello"], ["key", "left"],
                ["insert", iso], ["eject"], ["eject", "--force"], ["text"], ["stats"], ["set", "cpus=3"]]
    allowed = {"type": (0, 18), "key": (0, 18), "text": (0, 18), "eject": (0, 18), "insert": (0, 18)}
    try:
        failures = []
        end = time.monotonic() + STRESS_SECONDS
        while time.monotonic() < end and not failures:
            batch = [threading.Thread(target=one_command, args=(home, generator.choice(commands), allowed, failures))
                     for _ in range(3)]
            for thread in batch:
                thread.start()
            for thread in batch:
                thread.join(5)
                while thread.is_alive():  # a paused guest takes no keys, and typing waits for it
                    home.run("resume", "Welcome")
                    thread.join(5)
        check(not failures, "; ".join(failures))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    home.run("resume", "Welcome")
    before = said(home, "Welcome", "ready")
    home.ok("reset", "Welcome")
    wait_until(lambda: said(home, "Welcome", "ready") > before, "it does not start any more")
    same_picture(home, Client(path))
    stop(home)


def one_command(home, command, allowed, failures):
    name, *rest = command
    try:
        # A guest that is just being reset takes keys only when its firmware has come so far.
        code, _, err = home.run(name, "Welcome", *rest, timeout=SLOW)
        if code not in allowed.get(name, (0,)):
            failures.append(f"{command}: {code} {err}")
    except (subprocess.TimeoutExpired, OSError) as error:
        failures.append(f"{command}: {error}")


def viewer(path, over, seed):
    """A VNC client that comes, looks, types and goes."""
    generator = random.Random(seed)
    while not over.is_set():
        try:
            client = Client(path, timeout=5)
            for _ in range(generator.randrange(8)):
                if generator.random() < 0.5:
                    client.picture()
                client.key(0x61 + generator.randrange(8))  # a to h: others restart the machine or turn it off
                client.pointer(generator.randrange(1280), generator.randrange(800), generator.randrange(8))
            client.close()
        except (OSError, EOFError, AssertionError, ValueError):
            pass  # a paused machine draws nothing new; the next client tries again


def test_idle_and_unwatched(home):
    """Nobody looks and the guest waits for a key: no thread of the engine but the guest's own wakes up."""
    home.ok("create", "Idle", "--memory", "64M")
    home.ok("start", "Idle", timeout=SLOW)
    home.ok("wait", "Idle", "--text", "No bootable device", "--timeout", str(SLOW), timeout=SLOW + 60)
    client = Client(home.ok("vnc", "Idle").strip())
    client.picture()
    client.close()  # somebody did look once
    home.ok("type", "Idle", "a")
    pid = engine_pid(home, "Idle")
    time.sleep(5)
    before = wakeups(pid)
    time.sleep(10)
    after = wakeups(pid)
    woken = {name: count - before[task][1] for task, (name, count) in after.items()
             if task in before and count != before[task][1] and not name.startswith("vcpu")}
    check(not woken, f"wake-ups of an idle machine in 10 s: {woken}")
    stop(home, "Idle")


def wakeups(pid):
    """Of each thread: its name, and how often it has gone to sleep."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        found[task] = (fields["Name"], int(fields["voluntary_ctxt_switches"]))
    return found


if not os.path.exists("/dev/kvm"):
    print("1..0 # SKIP no /dev/kvm")
    sys.exit(0)
main(test_vnc_with_a_hundred_clients, test_vnc_clients_that_do_not_read, test_vnc_flood_of_input,
     test_vnc_disconnecting_in_the_middle, test_vnc_while_modes_change, test_keys_are_let_go_by_those_who_hold_them,
     test_control_clients_that_do_not_read, test_commands_killed_in_the_middle, test_everything_at_once,
     test_idle_and_unwatched)
