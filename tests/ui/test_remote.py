#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote screens in a window of their own, from QEMU's VNC server: connecting, passwords, and servers that are not there,
go away, or speak something else."""

import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

PASSWORD = "quince"
SCREEN = "^Screen"


class Server:
    """QEMU with a machine that has nothing to boot from, and its VNC server on a Unix socket."""

    def __init__(self, home, options=(), vnc=""):
        if not shutil.which("qemu-system-x86_64"):
            raise oriel.Skip("qemu-system-x86_64 is not installed")
        self.path = os.path.join(home.path, "vnc")
        self.command = ["qemu-system-x86_64", "-accel", "tcg", "-m", "32", "-display", "none", "-nic", "none", "-vga", "std",
                        "-name", "Quince", *options, "-vnc", f"unix:{self.path}{vnc}"]
        self.log = os.path.join(home.path, "qemu.log")
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, "QEMU's VNC server")

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise oriel.Failure(f"QEMU ended: {log.read()}")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self.path)
            except OSError:
                return False
        return True

    def end(self):
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def protected(home, vnc=""):
    return Server(home, ["-object", f"secret,id=word,data={PASSWORD}"], ",password-secret=word" + vnc)


def connect(desktop, address):
    """A window of the program that connects to the address, as a user has it do that."""
    desktop.window()
    tree = Tree(desktop)
    tree.act("push button", "^Main Menu$")
    tree.act("menu item", "^Connect to a Remote")
    tree.wait(None, "Connect to a Remote Screen")
    tree.set_text("text", "^Address$", address)
    tree.act("push button", "^C_?onnect")
    return tree


def give_password(tree, word):
    tree.wait("(password )?text", "^Password$")
    tree.set_text("(password )?text", "^Password$", word)
    tree.act("push button", "^_?Connect")


def test_open(home):
    """Without a password; its picture is shown, and it comes back after the server went away."""
    with Server(home) as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        desktop.wait_window("^QEMU \\(Quince\\)$")
        tree.wait(None, SCREEN)
        desktop.screenshot("remote-open")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        server.end()
        tree.wait("label", "closed the connection")
        desktop.screenshot("remote-gone")
        tree.act("push button", "^_?Try Again")
        tree.wait("label", "cannot be shown")
        desktop.screenshot("remote-not-there")
        server.start()
        tree.act("push button", "^_?Try Again")
        tree.wait(None, SCREEN)


def test_password(home):
    """A wrong password is said to be wrong and asked for again; the right one opens."""
    with protected(home) as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        give_password(tree, "medlar")
        tree.wait("label", "did not accept the password")
        desktop.screenshot("remote-wrong-password")
        give_password(tree, PASSWORD)
        desktop.wait_window("^QEMU \\(Quince\\)$")
        tree.wait(None, SCREEN)
        desktop.screenshot("remote-password")


def test_tls(home):
    """Encrypted without certificates it opens; a server with one is refused, and the page says why and what to do."""
    anonymous = ["-object", "tls-creds-anon,id=tls,endpoint=server"]
    with Server(home, anonymous, ",tls-creds=tls") as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        desktop.wait_window("^QEMU \\(Quince\\)$")
        tree.wait(None, SCREEN)
    if not shutil.which("openssl"):
        raise oriel.Skip("openssl is not installed")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=quince", "-days", "2",
                           "-keyout", os.path.join(home.path, "server-key.pem"),
                           "-out", os.path.join(home.path, "server-cert.pem")], capture_output=True, text=True, check=False)
    check(made.returncode == 0, made.stderr)
    shutil.copy(os.path.join(home.path, "server-cert.pem"), os.path.join(home.path, "ca-cert.pem"))
    certified = ["-object", f"tls-creds-x509,id=tls,endpoint=server,verify-peer=off,sanity-check=off,dir={home.path}"]
    with Server(home, certified, ",tls-creds=tls") as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        tree.wait("label", "identifies itself by a certificate")
        desktop.screenshot("remote-certificate")


def test_no_vnc(home):
    """A server that speaks something else, and an address that is none."""
    path = os.path.join(home.path, "other")
    with socket.socket(socket.AF_UNIX) as other, Desktop(home) as desktop:
        other.bind(path)
        other.listen()

        def answer():
            peer, _ = other.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        tree = connect(desktop, f"unix:{path}")
        tree.wait("label", "cannot be shown")
        desktop.screenshot("remote-no-vnc")


oriel.main(test_open, test_password, test_tls, test_no_vnc)
