# SPDX-License-Identifier: Apache-2.0
"""A way to a server that a test can cut, as networks do."""
from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

PIECE = 65536


class TcpPath:
    """Listens on a port that stays, and passes bytes to wherever `target` says the server is."""

    def __init__(self, target: Callable[[], tuple[str, int]]):
        self.target = target
        self.is_open = True
        self.sockets: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, *, stays_cut: bool = False) -> None:
        """All connections end now; new ones are made, unless it stays cut until mend()."""
        self.is_open = not stays_cut
        with self.lock:
            cut, self.sockets = self.sockets, set()
        for one in cut:
            self.end(one)

    def mend(self) -> None:
        self.is_open = True

    def close(self) -> None:
        # A thread that waits in accept() wakes up for a shutdown, not for a close.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut(stays_cut=True)

    @staticmethod
    def end(one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if not self.is_open:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(self.target(), timeout=10)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                with self.lock:
                    self.sockets |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                sink.sendall(data)
        with self.lock:
            self.sockets -= {source, sink}
        self.end(source)
        self.end(sink)
