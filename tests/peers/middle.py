"""Somebody in the middle of control connections, who can forget them and swallow replies; data goes past him."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

DEADLINE = 20.0


class Middle:
    """Passes lines on. ``swallow`` is asked for each reply line; one that is swallowed ends its connection."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, 0
        self.swallow: Callable[[bytes], bool] = lambda _line: False
        self.connections = 0
        self._server = (host, port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def cut(self) -> None:
        """End the connection that was made last, at both ends."""
        for end in self._pairs[-1]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(self, listener: socket.socket) -> None:
        """Pass on what comes in at ``listener`` until it is shut down."""
        threads = []
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._server, timeout=DEADLINE)
                self.connections += 1
                self._pairs.append((client, server))
                for source, target, replies in ((client, server, False), (server, client, True)):
                    threads.append(threading.Thread(target=self._pass_on, args=(source, target, replies)))
                    threads[-1].start()
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(DEADLINE)
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _pass_on(self, source: socket.socket, target: socket.socket, replies: bool) -> None:
        with suppress(OSError), source.makefile("rb") as lines:
            for line in lines:
                if replies and self.swallow(line):
                    break
                target.sendall(line)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def middle(host: str, port: int) -> Iterator[Middle]:
    """Stand before the server at ``port`` within the block."""
    with socket.create_server((host, 0)) as listener:
        there = Middle(host, port)
        there.port = listener.getsockname()[1]
        thread = threading.Thread(target=there.serve, args=(listener,))
        thread.start()
        try:
            yield there
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE)
        assert not thread.is_alive()
