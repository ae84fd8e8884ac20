# SPDX-License-Identifier: GPL-3.0-or-later
"""A VNC client as small as tests need it: raw pictures, keys by symbol and by scancode, the pointer."""

import socket
import struct


QEMU_POINTER_MOTION_CHANGE = -257
QEMU_EXTENDED_KEY = -258
DESKTOP_SIZE = -223



class Client:
    """Connects to a Unix socket (a path) or a (host, port) pair."""

    def __init__(self, address, encodings=(0, DESKTOP_SIZE, QEMU_EXTENDED_KEY), timeout=60):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.connect(address)  # blocking: many at once wait in line
        self.socket.settimeout(timeout)
        self.extended_keys = False
        self.gives_motion = False  # as the server wants it
        version = self._read(12)
        assert version.startswith(b"RFB 003."), version
        self.socket.sendall(b"RFB 003.008\n")
        kinds = self._read(self._read(1)[0])
        assert 1 in kinds, f"security types {list(kinds)}"
        self.socket.sendall(b"\x01")
        assert self._read(4) == bytes(4)
        self.socket.sendall(b"\x01")  # shared
        self.width, self.height = struct.unpack(">HH", self._read(4))
        self._read(16)
        self.name = self._read(struct.unpack(">I", self._read(4))[0]).decode()
        # 32 bits, little endian, red at 16, green at 8, blue at 0
        self.socket.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(f">BxH{len(encodings)}i", 2, len(encodings), *encodings))
        self.pixels = bytearray(self.width * self.height * 4)

    def _read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError("the server closed the connection")
            data += piece
        return data

    def request(self, incremental=False):
        self.socket.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def _rectangle(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
        if encoding == 0:
            data = self._read(width * height * 4)
            for row in range(height):
                start = ((y + row) * self.width + x) * 4
                self.pixels[start:start + width * 4] = data[row * width * 4:(row + 1) * width * 4]
            return width * height
        if encoding == DESKTOP_SIZE:
            self.width, self.height = width, height
            self.pixels = bytearray(width * height * 4)
        elif encoding == QEMU_EXTENDED_KEY:
            self.extended_keys = True
        elif encoding == QEMU_POINTER_MOTION_CHANGE:
            self.gives_motion = x == 0
        else:
            raise ValueError(f"encoding {encoding}")
        return 0

    def update(self):
        """Takes one message; returns the pixels it brought (-1 if it was no update)."""
        kind = self._read(1)[0]
        if kind == 2:  # bell
            return -1
        if kind != 0:
            raise ValueError(f"message {kind}")
        count = struct.unpack(">xH", self._read(3))[0]
        return sum(self._rectangle() for _ in range(count))

    def picture(self):
        """The whole picture now, as rows of RGB bytes: (width, height, bytes)."""
        self.request()
        size = (self.width, self.height)
        while self.update() < self.width * self.height:
            if size != (self.width, self.height):
                size = (self.width, self.height)
                self.request()
        rgb = bytearray(self.width * self.height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = self.pixels[2::4], self.pixels[1::4], self.pixels[0::4]
        return self.width, self.height, bytes(rgb)

    def key(self, keysym, scancode=None):
        """Presses and releases a key: by scancode with the QEMU extended key event, otherwise by symbol."""
        for down in (1, 0):
            if scancode is None:
                self.socket.sendall(struct.pack(">BB2xI", 4, down, keysym))
            else:
                self.socket.sendall(struct.pack(">BBHII", 255, 0, down, keysym, scancode))

    def pointer(self, x, y, buttons=0):
        self.socket.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def motion(self, dx, dy, buttons=0):
        self.pointer(0x7fff + dx, 0x7fff + dy, buttons)

    def close(self):
        self.socket.close()
