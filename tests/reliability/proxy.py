"""A TCP proxy that misbehaves as networks do, to a seed."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable

FAULTS = ("latency", "jitter", "loss", "half-open", "reset", "lost", "slow")
WAYS = ("up", "down")
"""Towards the server, and back."""

_FAULTY = 3
"""So many connections misbehave where the fault ends them; those after are sound."""


class Proxy:
    """Stands before a port; ``fault`` happens to what goes ``way``.

    latency and jitter hold each piece back; loss holds some back as a sender does that has to send
    them again, and what follows with them; half-open says nothing more after k bytes and closes
    nothing; reset breaks the connection after k bytes; lost breaks it where a whole piece should
    pass (of a reply: after the server has committed); slow passes a few bytes at a time.
    """

    def __init__(self, port: int, fault: str, way: str, seed: int) -> None:
        self.fault, self.way = fault, way
        self.connections = 0
        self.hurt = 0
        self._to = port
        self._rng = random.Random(f"{fault} {way} {seed}")
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        # close() alone does not wake a thread that is inside accept()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._open):
            one.close()

    def _work(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self.connections += 1
            self._open += [here, there]
            ends = self.fault in ("half-open", "reset", "lost")
            is_faulty = not ends or self.connections <= _FAULTY
            passed = self._rng.randrange(6) if self.fault == "lost" else self._rng.randrange(1, 700)
            for one, other, way in ((here, there, "up"), (there, here, "down")):
                hurts = is_faulty and way == self.way
                send = self._sending(other, passed) if hurts else other.sendall
                threading.Thread(target=self._pump, args=(one, other, send), daemon=True).start()

    def _pump(
        self, one: socket.socket, other: socket.socket, send: Callable[[bytes], object]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(16384):
                send(data)
        if self.fault == "half-open":
            return  # nobody hears that the other end is gone
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
            end.close()  # where it lingers for no time, as a reset

    def _sending(self, other: socket.socket, passed: int) -> Callable[[bytes], object]:
        """How a piece goes on where the fault is."""
        if self.fault in ("half-open", "reset", "lost"):
            return self._ending(other, passed)
        rng = random.Random(self._rng.random())

        def held_back(data: bytes) -> None:
            self.hurt += 1
            for piece in [data] if self.fault == "latency" else pieces(data, rng):
                if self.fault == "latency":
                    time.sleep(0.02)
                elif self.fault == "jitter":
                    time.sleep(rng.random() * 0.02)
                elif self.fault == "slow":
                    time.sleep(0.005)
                elif rng.random() < 0.2:
                    time.sleep(0.2)  # the least that Linux waits before it sends again
                other.sendall(piece)

        return held_back

    def _ending(self, other: socket.socket, passed: int) -> Callable[[bytes], object]:
        """Pass so many bytes, or whole pieces where one is to be lost, and then no more."""
        left = [passed]

        def ended(data: bytes) -> None:
            if self.fault == "lost":
                left[0] -= 1
                room = len(data) if left[0] >= 0 else 0
            else:
                room = left[0]
                left[0] -= len(data)
            other.sendall(data[:room])
            if left[0] > 0 or room == len(data):
                return
            self.hurt += 1
            if self.fault != "half-open":
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            while self.fault == "half-open" and other.fileno() >= 0:
                time.sleep(0.05)
            raise OSError("the connection ends here")

        return ended


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    """The same bytes in pieces of random length."""
    found = []
    while data:
        size = rng.randrange(1, 700)
        found.append(data[:size])
        data = data[size:]
    return found
