"""Sessions for threads: each operation and each open file has one, and hands it back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fairlead.client._face import session_of
from fairlead.client.sync import Client


class Sessions:
    """Sessions that are in nobody's hands, for any thread.

    ``make`` gives a client that is not connected yet; it is told whether an earlier one was under TLS.
    """

    def __init__(self, make: Callable[[bool], Client]) -> None:
        self._make = make
        self._protected = False
        self._idle: list[Client] = []
        self._lock = threading.Lock()

    def take(self) -> Client:
        """A session that stands."""
        while True:
            with self._lock:
                ftp = self._idle.pop() if self._idle else None
            if ftp is None:
                ftp = self._make(self._protected).__enter__()
                self._protected = self._protected or session_of(ftp).was_protected
                return ftp
            if session_of(ftp).stands():
                return ftp
            ftp.close()

    def give_back(self, ftp: Client) -> None:
        """It is in nobody's hands any more."""
        if ftp.connected:
            with self._lock:
                self._idle.append(ftp)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A session within the block."""
        ftp = self.take()
        try:
            yield ftp
        finally:
            self.give_back(ftp)

    def close(self) -> None:
        """End those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for ftp in idle:
            ftp.close()
