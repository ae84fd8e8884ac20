#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote screens in a window of their own, from QEMU's VNC server: connecting, passwords, and servers that are not there,
go away, or speak something else."""

import hashlib
import os
import shutil
import socket
import ssl
import struct
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

    def __init__(self, home, options=(), vnc="", name="Quince"):
        if not shutil.which("qemu-system-x86_64"):
            raise oriel.Skip("qemu-system-x86_64 is not installed")
        self.path = os.path.join(home.path, "vnc")
        self.command = ["qemu-system-x86_64", "-accel", "tcg", "-m", "32", "-display", "none", "-nic", "none", "-vga", "std",
                        "-name", name, *options, "-vnc", f"unix:{self.path}{vnc}"]
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
    """Encrypted without certificates it opens."""
    anonymous = ["-object", "tls-creds-anon,id=tls,endpoint=server"]
    with Server(home, anonymous, ",tls-creds=tls") as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        desktop.wait_window("^QEMU \\(Quince\\)$")
        tree.wait(None, SCREEN)


def certificate_make(home, name):
    """A certificate made out to a name that signs itself, in a folder as QEMU wants it; and its fingerprint."""
    if not shutil.which("openssl"):
        raise oriel.Skip("openssl is not installed")
    folder = os.path.join(home.path, name)
    os.makedirs(folder)
    key, cert = (os.path.join(folder, f"server-{part}.pem") for part in ("key", "cert"))
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-subj", f"/CN={name}", "-days", "2", "-keyout", key, "-out", cert],
                          capture_output=True, text=True, check=False)
    check(made.returncode == 0, made.stderr)
    shutil.copy(cert, os.path.join(folder, "ca-cert.pem"))
    with open(cert, encoding="ascii") as file:
        return folder, hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest().upper()


def certified(folder):
    return ["-object", f"tls-creds-x509,id=tls,endpoint=server,verify-peer=off,sanity-check=off,dir={folder}"]


def pairs(digest):
    """A fingerprint as the page shows it, as a regular expression."""
    return "^" + "[:\\n]".join(digest[i:i + 2] for i in range(0, len(digest), 2)) + "$"


def test_certificate(home):
    """A certificate is asked about once, with its fingerprint, and then known; another one is refused, with a sentence, until
    the old one is forgotten; so is a server that shows none any more."""
    folder, digest = certificate_make(home, "quince")
    other, other_digest = certificate_make(home, "medlar")
    with Desktop(home) as desktop:
        with Server(home, certified(folder), ",tls-creds=tls") as server:
            tree = connect(desktop, f"unix:{server.path}")
            tree.wait("label", "made out to “quince”")
            tree.wait("label", pairs(digest))
            desktop.screenshot("remote-certificate")
            check(not tree.nameless(), f"without a name: {tree.nameless()}")
            tree.act("push button", "^_?Trust and Connect")
            desktop.wait_window("^QEMU \\(Quince\\)$")
            tree.wait(None, SCREEN)
        tree.wait("label", "closed the connection")
        with Server(home, certified(folder), ",tls-creds=tls", name="Damson"):
            tree.act("push button", "^_?Try Again")
            desktop.wait_window("^QEMU \\(Damson\\)$")  # nothing is asked
        tree.wait("label", "closed the connection")
        with Server(home, certified(other), ",tls-creds=tls", name="Medlar"):
            tree.act("push button", "^_?Try Again")
            tree.wait("label", "shows another certificate than the one that you accepted")
            desktop.screenshot("remote-other-certificate")
            check(not tree.call("find", role="label", name=pairs(other_digest), showing=False), "it is asked about at once")
            tree.act("push button", "^_?Forget the Old Certificate")
            tree.wait("label", "made out to “medlar”")
            tree.wait("label", pairs(other_digest))
            tree.act("push button", "^_?Trust and Connect")
            desktop.wait_window("^QEMU \\(Medlar\\)$")
        tree.wait("label", "closed the connection")
        for options, vnc in (((), ""), (["-object", "tls-creds-anon,id=tls,endpoint=server"], ",tls-creds=tls")):
            with Server(home, options, vnc):
                tree.act("push button", "^_?Try Again")
                tree.wait("label", "showed a certificate before and shows none now")
                desktop.screenshot("remote-no-certificate")
            tree.act("push button", "^_?Try Again")
            tree.wait("label", "Could not connect")


def test_certificate_and_password(home):
    """X509Vnc: the password is asked for after the certificate, also when it was wrong."""
    folder, _ = certificate_make(home, "quince")
    secret = ["-object", f"secret,id=word,data={PASSWORD}"]
    with Server(home, certified(folder) + secret, ",tls-creds=tls,password-secret=word") as server, Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        tree.act("push button", "^_?Trust and Connect")
        give_password(tree, "medlar")
        tree.wait("label", "did not accept the password")
        give_password(tree, PASSWORD)
        tree.wait(None, SCREEN)


class PlainServer:
    """VeNCrypt with X509Plain, which QEMU does not have: a screen of 64 x 32 for who knows the name and the password."""

    X509_PLAIN = 262

    def __init__(self, home, folder):
        self.path = os.path.join(home.path, "plain")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(folder, "server-cert.pem"), os.path.join(folder, "server-key.pem"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.logins = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.listener.accept()
            try:
                self.greet(peer)
            except (OSError, EOFError):  # the certificate was not accepted, or the window closed
                peer.close()

    @staticmethod
    def take(peer, size):
        data = b""
        while len(data) < size:
            piece = peer.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def greet(self, peer):
        peer.sendall(b"RFB 003.008\n")
        self.take(peer, 12)
        peer.sendall(b"\1\x13")  # VeNCrypt
        self.take(peer, 1)
        peer.sendall(b"\0\2")
        self.take(peer, 2)
        peer.sendall(struct.pack(">BBI", 0, 1, self.X509_PLAIN))
        self.take(peer, 4)
        peer.sendall(b"\1")
        with self.context.wrap_socket(peer, server_side=True) as tls:
            name, password = struct.unpack(">II", self.take(tls, 8))
            login = self.take(tls, name).decode(), self.take(tls, password).decode()
            self.logins.append(login)
            if login != ("eve", PASSWORD):
                tls.sendall(struct.pack(">II4s", 1, 4, b"No.\n"))
                return
            tls.sendall(bytes(4))
            self.take(tls, 1)
            tls.sendall(struct.pack(">HHBBBBHHHBBB3xI7s", 64, 32, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 7, b"Orchard"))
            # More than a record of TLS holds, in one piece: all of it is read, though the socket is empty before.
            tls.sendall(struct.pack(">BxHHHHHi", 0, 1, 0, 0, 64, 32, 0) + bytes(64 * 32 * 4)
                        + struct.pack(">BI", 3, 20000) + bytes(20000) + b"\2")
            while tls.recv(4096):
                pass


def test_certificate_and_name(home):
    """X509Plain: nothing is told to a server before its certificate was accepted; then name and password are asked for."""
    folder, _ = certificate_make(home, "orchard")
    server = PlainServer(home, folder)
    with Desktop(home) as desktop:
        tree = connect(desktop, f"unix:{server.path}")
        tree.wait("label", "made out to “orchard”")
        check(server.logins == [], f"told before: {server.logins}")
        tree.act("push button", "^_?Trust and Connect")
        tree.wait("text", "^User Name$")
        tree.set_text("text", "^User Name$", "eve")
        give_password(tree, PASSWORD)
        desktop.wait_window("^Orchard$")
        tree.wait(None, SCREEN)
        check(server.logins == [("eve", PASSWORD)], f"told: {server.logins}")


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


oriel.main(test_open, test_password, test_tls, test_certificate, test_certificate_and_password, test_certificate_and_name,
           test_no_vnc)
