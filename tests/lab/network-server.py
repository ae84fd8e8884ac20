#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guests of the lab talk to on the host, at 127.0.0.1 and ::1 only: HTTP on 8080 with /bytes/N (N MiB, the same
each time), /sum/N (their SHA-256) and /debian/FILE, the files of the folder that it is started with; a sink on 8081 that answers with the SHA-256 of all it was sent; a name server
on UDP 53, if it may, that knows host.oriel.test. Says "ready" when it serves."""
import hashlib
import http.server
import os
import random
import socket
import socketserver
import sys
import threading
import urllib.parse


def content(mebibytes):
    return random.Random(mebibytes).randbytes(mebibytes << 20)


def mirrored(name):
    """A file of the package mirror, or None."""
    try:
        with open(os.path.join(sys.argv[1], os.path.basename(urllib.parse.unquote(name))), "rb") as file:
            return file.read()
    except OSError:
        return None


def page(path):
    _, what, name = path.split("/", 2)
    if what == "debian":
        return mirrored(name)
    body = content(int(name))
    return hashlib.sha256(body).hexdigest().encode() if what == "sum" else body


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = page(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Sink(socketserver.BaseRequestHandler):
    def handle(self):
        total = hashlib.sha256()
        while data := self.request.recv(1 << 16):
            total.update(data)
        self.request.sendall(total.hexdigest().encode())


def answer(query):
    """192.0.2.7 for host.oriel.test, nothing for other questions about addresses."""
    end = query.index(0, 12) + 5
    known = b"\4host\5oriel\4test\0\0\1" in query[12:end]
    head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if known else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([192, 0, 2, 7])
    return head + query[12:end] + (record if known else b"")


def names():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        server.bind(("127.0.0.1", 53))
    except OSError:
        return
    while True:
        query, peer = server.recvfrom(512)
        server.sendto(answer(query), peer)


def serve(base, family, address, port, handler):
    class Server(socketserver.ThreadingMixIn, base):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True

    server = Server((address, port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        serve(http.server.HTTPServer, family, address, 8080, Pages)
        serve(socketserver.TCPServer, family, address, 8081, Sink)
    threading.Thread(target=names, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


main()
