#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's disk is full or fails while a guest writes its own and reads it back: behind each controller."""

import os
import subprocess
import sys

from machine import SLOW, log, wait_until
from oriel import Failure, ORIELCTL, Skip, check, main, small_file_system

ENGINE = os.path.join(os.path.dirname(ORIELCTL), "../engine/oriel-engine")


def machine(home, name, controller, *options, settings=()):
    home.ok("create", name, "--disk", "16M", "--memory", "128M", "--controller", controller, *options)
    home.ok("set", name, f"firmware.path={os.environ['ORIEL_FILL_GUEST']}", *settings)
    home.ok("start", name, timeout=SLOW)


def wait_for(home, name, state):
    home.ok("wait", name, "--state", state, "--timeout", str(SLOW), timeout=SLOW + 60)


def full(home, controller):
    room = os.path.join(home.path, "room")
    with small_file_system(room, "6m"):
        try:
            machine(home, "Full", controller, "--dir", room)
            wait_for(home, "Full", "paused")
            message = home.json("list")[0]["message"]
            check("disk0" in message and message.endswith("."), message)
            check(message in home.ok("list"), "list does not say why")
            home.ok("resume", "Full")  # still no room: it pauses again, and nothing is lost
            wait_for(home, "Full", "paused")
            subprocess.run(["mount", "-o", "remount,size=40m", room], check=True)
            home.ok("resume", "Full")
            wait_for(home, "Full", "stopped")
            with open(room + "/Full.oriel/log/firmware.log", encoding="utf-8") as file:
                said = file.read()
            check("DONE 2 passed, 0 failed" in said, said)
        finally:
            home.run("stop", "Full")


def failing(home, controller, faults=("pwritev:error=EIO:when=20+",), fails="fills_the_disk", passed=0, settings=()):
    """Each thread's writes fail from its 20th on: the machine pauses; whoever goes on anyway leaves the error to the guest."""
    if subprocess.run(["strace", "-V"], capture_output=True, check=False).returncode:
        raise Skip("strace is not installed")
    engine = home.path + "/engine"
    calls = ",".join(fault.split(":")[0] for fault in faults)
    inject = " ".join("-e inject=" + fault for fault in faults)
    with open(engine, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec strace -f --seccomp-bpf -qq -o /dev/null -e trace={calls} {inject} "{ENGINE}" "$@"\n')
    os.chmod(engine, 0o755)
    home.environment["ORIEL_ENGINE"] = engine
    machine(home, "Failing", controller, settings=settings)
    for pauses in range(200):
        wait_until(lambda: home.json("list")[0]["state"] in ("paused", "stopped"), "it neither pauses nor ends")
        found = home.json("list")[0]
        if found["state"] == "stopped":
            break
        message = found["message"]
        check("The host cannot read or write “disk0”" in message and "Input/output error" in message, message)
        home.ok("resume", "Failing")
    else:
        raise Failure("the guest is never told")
    check(pauses > 0, "it has not paused")
    said = log(home, "Failing", "firmware.log")
    check(f"FAIL {fails}" in said and f"DONE {passed} passed, {2 - passed} failed" in said, said)


def test_full_ahci(home):
    full(home, "ahci")


def test_full_virtio(home):
    full(home, "virtio")


def test_full_nvme(home):
    full(home, "nvme")


def test_failing_ahci(home):
    failing(home, "ahci")


def test_failing_virtio(home):
    failing(home, "virtio")


def test_failing_nvme(home):
    failing(home, "nvme")


def test_failing_direct_nvme(home):
    failing(home, "nvme", settings=["disk0.cache=direct"])


def test_failing_reads_virtio(home):
    """Without io_uring, whose reads are no system calls."""
    faults = ["io_uring_setup:error=ENOSYS", "preadv,preadv2:error=EIO:when=8+"]
    failing(home, "virtio", faults, "reads_it_back", 1)


if not os.access("/dev/kvm", os.R_OK | os.W_OK):
    print("1..0 # SKIP no /dev/kvm")
    sys.exit(0)
main(test_full_ahci, test_full_virtio, test_full_nvme, test_failing_ahci, test_failing_virtio, test_failing_nvme,
     test_failing_direct_nvme, test_failing_reads_virtio)
